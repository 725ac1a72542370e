/* What a loaded library holds, and which thread may touch what. The rooms that make up a running plugin share this; the
 * tool and the operations on rows alone do not need it. */
#ifndef FAILOVER_SYNC_ENGINE_H
#define FAILOVER_SYNC_ENGINE_H

#include "failover_sync/command_gate.h"
#include "failover_sync/kea.h"
#include "failover_sync/model.h"
#include "failover_sync/operation_log.h"
#include "failover_sync/parameters.h"
#include "failover_sync/queue.h"
#include "failover_sync/relationship.h"
#include "failover_sync/removal_guard.h"
#include "failover_sync/replication_watch.h"
#include "failover_sync/scope_index.h"
#include "failover_sync/store.h"
#include "failover_sync/version_store.h"

#include <pthread.h>
#include <stdatomic.h>

struct worker;
struct tickets;
struct trust;
struct load_plan;
struct kept_load;
struct prefetch;

enum mirror_state { MIRROR_STARTING, MIRROR_CURRENT, MIRROR_UNAVAILABLE };

/* What an admin is shown of one relationship. */
#define HELD_REMOVALS_SHOWN 20
struct relationship_status {
    char local_state[32], partner_state[32]; /* ADM's words */
    struct queue_summary queue;
    int64_t oldest_at; /* since when its oldest wish waits, of engine_ticks: no clock that is set makes it older */
    char held_removals[HELD_REMOVALS_SHOWN][OBJECT_NAME_SIZE]; /* prefixes of the first ones */
    size_t held_removal_count;
    int64_t next_attempt; /* engine_ticks'; 0 when the partner is not being waited for */
    char last_error[480];
    char partner_error[480]; /* why the partner replicates nothing, as it said last; "": it does */
    const char *way;         /* how the partner is served; static; NULL before it was asked */
    uint32_t pushes, sent, scopes_sent, scopes_received; /* `sent`: objects of any kind */
    bool unsettled; /* the partner may have taken scopes that it was sent, without this server knowing */
};

/* Guarded by its lock: written by the worker, read by commands. */
struct engine_status {
    pthread_mutex_t lock;
    enum mirror_state mirror;
    char mirror_error[480];
    char configuration_error[480]; /* what is wrong with the configuration and stops nothing; "" */
    bool counted; /* the configuration that runs is mirrored: the index and the queue tell how things are */
    struct relationship_status relationship[RELATIONSHIP_MAX];
};

struct plugin {
    /* Set by plugin_start, never changed afterwards. */
    const struct kea_server *server;
    struct parameters parameters;
    struct model *model;
    struct tickets *tickets;          /* has its own lock */
    struct trust *trust;              /* has its own lock */
    struct operation_log *operations; /* has its own lock */
    char instance[17];                /* tells this load of the library from every other */
    atomic_bool idle; /* nothing is replicated until the next load of the library: status.mirror_error says why */

    /* Set while a configuration is being loaded, when no worker runs. While one does, see relationship.h. */
    struct relationships relationships;
    struct scope_index *index;   /* has its own lock */
    atomic_uint generation;      /* of the two: a relationship's number means nothing in the next */
    struct removal_guard *guard; /* has its own lock */

    /* The main thread's alone. */
    struct load_plan *plan; /* between plugin_configuration_loading and plugin_configuration_loaded */
    bool unrecorded;        /* work was dropped at the end, because the store took none any more */
    bool changes_reread;    /* changes are not kept any more, but everything is going to be read */

    /* As the relationships, but as HA's parameters have them, if the store could be read and not be written when they
     * were loaded: so they are written later, with the load's plan. */
    struct relationships unwritten;

    /* The prefetch's until that is finished, the main thread's while no worker runs, the worker's otherwise. */
    struct store *store;            /* NULL while it cannot be used: then nothing is mirrored, and nothing replicated */
    struct prefetch *prefetch;      /* the main thread's; NULL when there is none under way */
    struct store_identity identity; /* as whom this server edits; kept over the loss of the store; as the store */
    uint64_t writer;                /* the same as it stands in versions */

    struct kept_load *load;                  /* the main thread's: the last configuration load */
    struct store *_Atomic reopened;          /* by the worker, for the main thread to take */
    struct command_gate commands;            /* has its own lock */
    atomic_int changes_pending;              /* changes of scopes that were seen and are not recorded yet */
    atomic_bool changes_missed;              /* some could not be kept: everything is to be read anew */
    atomic_size_t changes_kept;              /* of these, scopes kept for the worker as they were found, */
    atomic_size_t changes_bytes;             /* and their size */
    atomic_bool receiving[RELATIONSHIP_MAX]; /* a batch has come that is not recorded yet */
    atomic_bool ha_state_asked;              /* and the worker has not got the answer yet */
    const char *_Atomic served;              /* which configuration clients are served from while there is no store */

    struct worker *worker;          /* has its own lock */
    struct replication_watch watch; /* the worker's */
    int64_t write_configuration_at; /* the worker's: at which of engine_ticks to have the file written; 0: never */
    atomic_bool filled;             /* the store has had a configuration mirrored into it */
    atomic_bool store_refuses;      /* there is one, but nothing may be written into it now */
    atomic_bool ready; /* a configuration is loaded: commands may look at the relationships and the index */
    struct engine_status status;
};

/* Milliseconds since 1970, by a clock that anybody may set: for what is shown, and for what outlives the process. */
int64_t engine_now(void);

/* The same in seconds, as far as 32 bits reach: for the partner, who compares the clocks. */
static inline uint32_t engine_now_seconds(void)
{
    const int64_t now = engine_now() / 1000;

    return now < 0 ? 0 : now > UINT32_MAX ? UINT32_MAX : (uint32_t)now;
}

/* Milliseconds of a clock that nobody can set: for every wait that ends with the process. Never 0. */
int64_t engine_ticks(void);

/* What engine_ticks says when engine_now says `when`, as both are now. */
int64_t engine_ticks_at(int64_t when);

/* When a wait until `when` ends, both of engine_now: then, or at once if that is more than `longest` milliseconds away,
 * which no wait of its kind is: the clock was set back. */
int64_t engine_wait_end(int64_t when, int64_t now, int64_t longest);

/* RFC 3339 in UTC with milliseconds. */
#define ENGINE_TIMESTAMP_SIZE 32
void engine_timestamp(int64_t when, char text[ENGINE_TIMESTAMP_SIZE]);

/* Makes room for one more element of `size` bytes in an array that holds `count`, doubling it if it is full; false for
 * want of memory, the array as it was. */
bool engine_grow(void **array, size_t count, size_t *capacity, size_t size);

/* Notes what became of the mirror; logs when it changed for the worse. NULL: it is current. */
void engine_set_mirror(struct plugin *plugin, const struct result *failure);

/* The failure of whatever needs the store while there is none: RESULT_STORE, with the reason, and what is served. */
struct result engine_no_store(struct plugin *plugin);

/* Notes whether what the index and the queue tell is how things are. */
void engine_set_counted(struct plugin *plugin, bool counted);

/* Notes what the partner of a relationship says of itself: why it replicates nothing, or that it does (NULL). Logs what
 * is new. */
void engine_set_partner_error(struct plugin *plugin, size_t relationship, const char *why);

/* Starts a thread that leaves signals to the server's own; false if there is none to be had. */
bool engine_start_thread(pthread_t *thread, void *(*run)(void *argument), void *argument);

/* [worker] Brings the shown queue figures of a relationship up to date. */
void engine_refresh_queue(struct plugin *plugin, size_t relationship);

#endif
