/* The boundary between the server's side (shim/, C++) and ours (plugin/, C). No Kea type crosses it: JSON text,
 * integers and handles do. The plugin half therefore runs in unit tests and tools with no Kea present. */
#ifndef FAILOVER_SYNC_KEA_H
#define FAILOVER_SYNC_KEA_H

#include "failover_sync/fingerprint.h"
#include "failover_sync/messages.h"
#include "failover_sync/object.h"
#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what the server side gives ------------------------------------------------------------------------------------
 */

/* Which of the server's two configurations: the one that serves, or the one being loaded (only inside
 * plugin_configuration_loading). */
enum kea_configuration { KEA_RUNNING, KEA_STAGED };

/* One object. Strings are malloc'ed and owned by the structure; an all-zero structure is empty. */
struct kea_object {
    object_id id;
    char *name;       /* see object.h: a scope's is its prefix, "192.0.2.0/24" */
    char *definition; /* JSON, ASCII, in one spelling, with what was configured for it and nothing that it inherits. Of
                         a scope {"shared-network": {...} (only if in one, without its subnets), "subnet4": {...}}; of
                         any other object its own entry */
    char *replicated; /* the same text without local parameters, at both levels; what is sent */
    char *effective;  /* the same as the server prints it, with all that it inherits; for the tables, and for
                         partners that must be given everything */
    struct fingerprint fingerprint; /* over what `replicated` means: equal for all spellings of it */
    struct fingerprint printed; /* the same of `effective`: what is delivered by a file that the server has written */
};

void kea_object_clear(struct kea_object *object);

/* What the server does not print as it has it, is not in the texts of an object. Then their first keyword says so, in
 * words that begin with KEA_UNPRINTED, and such a text must be given to nobody as the object. */
#define KEA_UNPRINTED_KEYWORD "incomplete"
#define KEA_UNPRINTED         "Kea does not print "
#define KEA_UNPRINTED_SIZE    160

/* Whether a text is such a one; `reason` is filled with why, or "". */
bool kea_object_unprinted(const char *definition, char reason[KEA_UNPRINTED_SIZE]);

/* Whether the parser that reads all scopes here takes a text that Kea has printed. */
bool kea_json_accepted(const char *text);

/* A copy of JSON text printed by Kea, which escapes every byte above ASCII by itself (\u00c3\u00bc), with those bytes
 * that make up UTF-8 written as UTF-8; others stay escaped. For people, and for whatever else than Kea reads it. The
 * caller frees it; NULL for want of memory. */
char *kea_json_readable(const char *text);

/* One object to put in place or to remove, and what came of it. */
struct kea_change {
    object_id id;            /* in */
    const char *name;        /* in; borrowed */
    const char *definition;  /* in; borrowed; NULL removes the object */
    bool keep_network;       /* in: if its shared network exists, that keeps the parameters it has */
    bool words_only;         /* in: it is printed so here already, else refuse it: put in what the print has lost */
    bool otherwise;          /* out: with words_only, refused since the server prints the scope otherwise */
    bool applied;            /* out: false left the object as it was */
    char *text;              /* out: why not, malloc'ed; NULL when applied */
    struct kea_object after; /* out: the object as it is now; empty if it does not exist */
};

/* An object as a configuration being loaded delivers it. */
struct kea_delivered {
    object_id id;
    struct fingerprint
        text; /* over the configuration's own words, before parsing: equal text means an unchanged object */
};

enum kea_severity { KEA_DEBUG, KEA_INFO, KEA_WARN, KEA_ERROR };

enum kea_message {
#define KEA_MESSAGE_ID(id, severity, text) id,
    FAILOVER_SYNC_MESSAGES(KEA_MESSAGE_ID)
#undef KEA_MESSAGE_ID
};

/* Work for the server's main thread. `cancelled` is true when the library is being unloaded: then only free `argument`.
 */
typedef void (*kea_task)(void *argument, bool cancelled);

/* The server. Functions marked [main] may only be called on its main thread; the others from any thread. Every function
 * catches its own exceptions and reports them as RESULT_INTERNAL. */
struct kea_server {
    void *context;       /* first argument of each function */
    const char *version; /* of Kea: "2.2.0" */
    const char *service; /* "dhcp4": the service the commands between partners name */

    /* [main] Reads one object; RESULT_NOT_FOUND if there is none of that id. The caller clears `object`. */
    struct result (*object_get)(void *context, enum kea_configuration which, object_id id, struct kea_object *object);

    /* [main] The ids of all objects, ascending; the caller frees `*ids` (NULL when there are none). */
    struct result (*object_ids)(void *context, enum kea_configuration which, object_id **ids, size_t *count);

    /* [main] The id of the scope with this prefix; RESULT_NOT_FOUND without one. */
    struct result (*scope_find)(void *context, enum kea_configuration which, const char *name, object_id *id);

    /* [main] The ids of the scopes in a shared network, ascending; the caller frees `*ids` (NULL when there are none,
     * and without such a network). */
    struct result (*network_scope_ids)(void *context, enum kea_configuration which, const char *network,
                                       object_id **ids, size_t *count);

    /* [main] Puts in place or removes `count` objects, in critical sections of at most some milliseconds, the kinds in
     * their order (see object.h); each object is all or nothing. Local parameters are kept as the object at hand has
     * them. The caller frees `text` and clears `after`. Returns for how many microseconds packets had to wait. */
    uint32_t (*objects_apply)(void *context, enum kea_configuration which, struct kea_change *changes, size_t count);

    /* [main] Has the server write its running configuration to its configuration file (config-write). */
    struct result (*configuration_write)(void *context);

    /* [main] The parameters of the HA library in that configuration, as JSON text the caller frees: the list that
     * "high-availability" holds; RESULT_NOT_FOUND if that library is not configured. */
    struct result (*ha_parameters)(void *context, enum kea_configuration which, char **json);

    /* [main] The "high-availability" list of the server's own answer to status-get, without the command: nothing of it
     * is logged. JSON text the caller frees. */
    struct result (*ha_status)(void *context, char **json);

    /* Runs `task` once on the main thread, soon, in order; fails only for want of memory or after unloading began. */
    struct result (*run_on_main)(void *context, kea_task task, void *argument);

    /* Whether the calling thread is the server's main thread. */
    bool (*on_main)(void *context);

    /* Logs one message; `arguments` replace %1, %2, ... and end with NULL. */
    void (*log)(void *context, enum kea_message message, const char *const *arguments);
};

/* Logs with at least one argument, all of them strings. */
#define kea_log(server, message, ...)                                                                                  \
    (server)->log((server)->context, (message), (const char *const[]){__VA_ARGS__, NULL})

/* ---- what the plugin side gives ------------------------------------------------------------------------------------
 */

struct plugin;

/* What is known of a configuration being loaded. Arrays are borrowed for the call. */
struct kea_load {
    bool at_start;                         /* the server's first configuration since it was started */
    bool from_file;                        /* false for config-set */
    const struct kea_delivered *delivered; /* one per object of the staged configuration, ascending by id */
    size_t delivered_count;
};

/* [main] The library is loaded: checks `parameters` (JSON text of the library's "parameters" map, or NULL), opens the
 * store and starts the worker. `server` is kept until plugin_stop. */
struct result plugin_start(const struct kea_server *server, const char *parameters, struct plugin **plugin);

/* The same check of the parameters alone. */
struct result plugin_check_parameters(const struct kea_server *server, const char *parameters);

/* [main] In place of plugin_start at a load that must not fail: the library replicates nothing and says why. */
struct result plugin_start_idle(const struct kea_server *server, const char *why, struct plugin **plugin);

/* [main] From now on the plugin replicates nothing, and says why; stopped already. */
void plugin_go_idle(struct plugin *plugin, const char *why);

/* [main] What is wrong with the configuration although the plugin works; failover-status shows it until it is stopped.
 * NULL as plugin: there is none to show it. */
void plugin_configured_wrongly(struct plugin *plugin, const char *why);

/* [main] The library is unloaded: records what was received, stops the worker, frees everything. Tasks still queued on
 * the main thread are run with `cancelled` set afterwards, by the shim. */
void plugin_stop(struct plugin *plugin);

/* The scope keywords that never travel ("local-parameters"), NULL-terminated; owned by the plugin. NULL: it is idle. */
const char *const *plugin_local_parameters(const struct plugin *plugin);

/* [main] dhcp4_srv_configured: the staged configuration is complete but not in force. May change staged scopes. A
 * failure makes Kea refuse the configuration with the result's message; there is none after the server's first
 * configuration: then the plugin goes idle instead. */
struct result plugin_configuration_loading(struct plugin *plugin, const struct kea_load *load);

/* [main] From the main loop after the load: `committed` tells whether the staged configuration is now the running one.
 */
void plugin_configuration_loaded(struct plugin *plugin, bool committed);

/* [main] Configuration of unknown extent changed at run time (cb4_updated): every scope is looked at. */
void plugin_configuration_changed(struct plugin *plugin);

/* [main] The server has written what runs to its configuration file, by whoever's command. */
void plugin_configuration_written(struct plugin *plugin);

/* Whether plugin_command_finished wants to hear of this command (so that its arguments need not be printed). */
bool plugin_wants_command(const struct plugin *plugin, const char *name);

/* A command of the server or of another library was run. `arguments` is JSON text or NULL; `result` is Kea's result
 * code. May be called on any thread. */
void plugin_command_finished(struct plugin *plugin, const char *name, const char *arguments, int result);

/* One of our commands was called, with `arguments` as JSON text or NULL, on any thread. Returns the whole answer
 * ({"result": ..., "text": ..., "arguments": ...}) as JSON text the caller frees, or NULL for want of memory. */
char *plugin_command(struct plugin *plugin, const char *name, const char *arguments);

/* The same for arguments that are not even printed, since they are beyond their bounds. */
char *plugin_command_refused(const struct result *why);

/* The names of our commands, numbered from 0; static. */
size_t plugin_command_count(void);
const char *plugin_command_name(size_t number);

#ifdef __cplusplus
}
#endif

#endif
