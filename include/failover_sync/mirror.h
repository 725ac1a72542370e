/* The mirror: from the server's configuration to rows, and the list of changed scopes (DESIGN, "How a change flows").
 * Reading happens on the main thread, comparing and writing on the worker. */
#ifndef FAILOVER_SYNC_MIRROR_H
#define FAILOVER_SYNC_MIRROR_H

#include "failover_sync/engine.h"

/* ---- writing: [worker], or the main thread while no worker runs
 * ------------------------------------------------------ */

/* Changes to the index that wait for the commit of the rows they belong to. */
struct mirror_writer {
    struct plugin *plugin;
    int64_t now;
    struct scope_entry *entries;
    size_t entry_count, entry_capacity;
    struct scope_removed *removed; /* scopes that are no more */
    size_t removed_count, removed_capacity;
    struct removal_note *removals; /* removals queued for a partner */
    size_t removal_count, removal_capacity;
    struct scope_applied *recorded; /* what need not be noted as applied any more */
    size_t recorded_count, recorded_capacity;
    int64_t *forgotten; /* ids of removals that are not known any more */
    size_t forgotten_count;
    size_t written, queued; /* scopes written, wishes queued */
    bool edited;            /* the number of the last edit has changed */
};

struct removal_note {
    object_id id;
    size_t relationship;
};

/* How a version came to be, beyond its text. */
struct mirror_version {
    const struct kea_object *scope;
    enum scope_origin origin;
    /* Its number: one more edit of this server's if its words are others than before; or what is given here, with
     * `edit` and one more edit on top. */
    const struct version_vector *is;
    bool edit;
    bool followed;    /* other words, but nobody's edit: its shared network's have changed */
    bool follow_sent; /* the same, and the partner is sent what came of it */
    /* What a configuration load delivered, if one did (`delivered`); `from_file` says that it was the file. */
    bool delivered, from_file;
    struct delivery delivery;
    bool configuration_apart; /* beside the file, another configuration has delivered it since, as follows */
    struct delivery configuration;
    /* What has just been agreed on with a partner (relationship index, or -1). */
    int agreed_with;
    struct fingerprint theirs;
    struct version_vector known; /* what the partner has */
    bool disagreed;     /* with that partner nothing is agreed: `theirs` is what it has, our version is to replace it */
    bool hold;          /* do not push: a newer version could not be restored, or an admin must decide */
    const char *reason; /* why it is out of sync; NULL: the usual words */
};

/* The wish that the partner of a relationship has a scope as it is here, or has it no more. */
struct queue_item mirror_wish(const struct relationship *relationship, object_id id, const char *name, bool removal);

struct result mirror_begin(struct plugin *plugin, struct mirror_writer *writer);

/* Writes one version of a scope with all that hangs on it, if it differs from what the rows say, and queues it for
 * every partner that has not got it. At most once per scope and transaction. */
struct result mirror_put_scope(struct mirror_writer *writer, const struct mirror_version *version);

/* Notes that a scope, unchanged, was delivered by a configuration. */
struct result mirror_put_delivery(struct mirror_writer *writer, object_id id, bool from_file,
                                  const struct delivery *delivery);

/* Notes what the server has written of a scope into the configuration file: that is no load. */
struct result mirror_put_written(struct mirror_writer *writer, object_id id, const struct delivery *written);

/* How a scope came to be removed. */
struct mirror_removal {
    object_id id;
    const char *name; /* NULL: as it was mirrored */
    enum scope_origin origin;
    bool gone_from_file;             /* else a tombstone keeps a file that has it from bringing it back at a start */
    const struct version_vector *is; /* its number; NULL: one more edit of this server's */
    bool edit;                       /* and one more on top of `is` */
    int agreed_with; /* the relationship whose partner is known to have the version `known` of it, or none; or -1 */
    struct version_vector known;
    const struct scope_buried *buried; /* what a lost store knew; or NULL */
};

/* Removes a scope, if it is there, and queues the removal for every partner that is not known to have it. */
struct result mirror_remove_scope(struct mirror_writer *writer, const struct mirror_removal *removal);

/* Notes what a configuration load, from the file or not, said of a scope that stays removed: as the scope whose words
 * have these fingerprints, empty if it has none. Nothing without a tombstone. */
struct result mirror_bury(struct mirror_writer *writer, object_id id, bool from_file, const struct delivery *delivery);

/* Notes that the server has written the file without a scope that stays removed. */
struct result mirror_bury_written(struct mirror_writer *writer, object_id id);

/* The file has caught up with a removal: its tombstone goes. */
struct result mirror_unbury(struct mirror_writer *writer, object_id id);

/* A version's two texts, as in kea.h. */
struct scope_texts {
    const char *definition, *effective;
};

/* Writes the partner's row of a scope: what the entry's agreement with that relationship says, the texts being those of
 * the version agreed on. */
struct result mirror_put_agreement(struct mirror_writer *writer, const struct scope_entry *entry, size_t relationship,
                                   struct scope_texts texts);

/* Notes the entry's version, agreements and whether it was reset, and why it is not in sync (NULL: it waits), or that
 * it is, in row and index. */
struct result mirror_set_sync(struct mirror_writer *writer, const struct scope_entry *entry, const char *reason);

/* The ids of this server's other scopes in the shared network that a scope is in, as the rows say; the caller frees
 * *ids. */
struct result mirror_network_members(struct plugin *plugin, object_id id, object_id **ids, size_t *count);

/* Makes every scope a member of the relationships it now belongs to, and queues what a partner has not got and nothing
 * is waiting for: relationships come and go with HA's parameters. */
struct result mirror_review_memberships(struct mirror_writer *writer);

/* Writes which version of a scope the partner of a relationship is known to have. */
struct result mirror_put_known(struct mirror_writer *writer, size_t relationship, object_id id, const char *name,
                               const struct version_vector *known);

/* One more edit of this server's on top of a version. */
void mirror_edit(struct mirror_writer *writer, struct version_vector *version);

/* What was applied is recorded with this transaction. */
struct result mirror_note_recorded(struct mirror_writer *writer, const struct scope_applied *applied);

/* Forgets the first of the removals that are known if they are too many, with this transaction. */
struct result mirror_forget_removals(struct mirror_writer *writer);

/* Commits and brings the index up to date; or rolls back and forgets. */
struct result mirror_commit(struct mirror_writer *writer);
void mirror_abandon(struct mirror_writer *writer);

/* Fills the index from what prefetch_start began to read, or reads it now. */
struct result mirror_load_index(struct plugin *plugin);

/* Begins to read the summary of all scopes, and the operations of before, on a thread of its own, while the server is
 * busy with its configuration. The store is that thread's until prefetch_wait. */
struct result prefetch_start(struct store *store, struct operation_log *operations, struct prefetch **prefetch);

/* Waits until the summary is read; NULL is fine. The store is the caller's again. */
void prefetch_wait(struct prefetch *prefetch);

/* Puts what was read into the index: this server's scopes, what is agreed on with each partner, memberships. */
struct result prefetch_fill(struct prefetch *prefetch, struct plugin *plugin);

void prefetch_free(struct prefetch *prefetch); /* waits too; NULL is fine */

/* ---- persist: config-write; [worker] ---- */

/* Notes that scopes were received and applied. */
void persist_note_received(struct plugin *plugin);

/* [main] Notes that every scope is now in the configuration file as it runs. */
void persist_note_written(struct plugin *plugin);

/* Has the configuration file written if it is time. Returns when to call again, INT64_MAX if there is nothing to write.
 */
int64_t persist_advance(struct plugin *plugin, int64_t now);

/* ---- reading: [main] ------------------------------------------------------------------------------------------------
 */

/* The restart rule ("a restart is not an edit"): compares what the staged configuration delivers with the store,
 * applies newer versions to it, and keeps what is to be mirrored in plugin->plan. */
struct result restart_plan_load(struct plugin *plugin, const struct kea_load *load);

/* The same for the configuration that runs already, because the store could not be read when it was loaded. `before` is
 * what the index knew, or NULL. */
struct result restart_plan_running(struct plugin *plugin, const struct kea_load *load, struct scope_index *before);

/* Hands the plan to the worker once the configuration is in force, or drops it. */
struct result restart_carry_out(struct plugin *plugin, bool committed);
void restart_forget(struct plugin *plugin);

/* Reads the scopes of `ids` from the running configuration and hands them to the worker; a missing one was removed.
 * From any thread, on the main thread as soon as it gets to it (at once if this is it); NULL stands for every scope.
 * `ids` is copied. */
struct result changes_read_soon(struct plugin *plugin, const object_id *ids, size_t count);

/* The same for scopes whose shared network has changed with what a partner sent: whose they are does not change. Two
 * servers that change one network at once may each get the other's parameters; so with `sent`, on the primary, the
 * partner gets what is here now: then both have the same. An edit that the partner has made meanwhile counts for more.
 */
struct result changes_follow_network(struct plugin *plugin, const object_id *ids, size_t count, bool sent);

/* Reads every scope, a slice at a time, so that packets get their turn. */
struct result changes_read_all(struct plugin *plugin);

/* Some change could not be kept, because of `why`: the worker sees to it that everything is read anew. Any thread. */
void changes_missed(struct plugin *plugin, const struct result *why);

/* [worker] Has everything read anew if some change was missed; looked at again and again. */
void changes_recover(struct plugin *plugin);

/* Whether a command changes scopes, and the ids its arguments name; *all when they cannot be told. The caller frees
 * *ids. */
bool changes_wanted(const char *command);
struct result changes_named(const char *command, const char *arguments, object_id **ids, size_t *count, bool *all);

/* Asks the server for its HA states and keeps the relationships' rows current; from any thread. */
void ha_state_ask(struct plugin *plugin);

#endif
