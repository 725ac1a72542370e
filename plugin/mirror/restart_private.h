/* A configuration load being decided on, shared by the files of the restart rule. */
#ifndef RESTART_PRIVATE_H
#define RESTART_PRIVATE_H

#include "failover_sync/mirror.h"
#include "load_rule.h"

/* One scope whose running version must be mirrored. */
struct planned_scope {
    object_id id;
    char name[OBJECT_NAME_SIZE];
    struct kea_object scope; /* as it is in the staged configuration; empty until it is restored, if it is to be */
    enum scope_origin origin;
    bool delivered;
    bool edited;                   /* delivered, and not as it was before */
    struct kea_object passed_over; /* what the file says instead, if that may be an edit; or empty */
    int64_t order;                 /* of what is to be put back: what was mirrored first comes first */
    char *stored;                  /* the store's version, which is to be put back; NULL: the configuration's counts */
    bool words_only;               /* it is there already, if its words mean what is there */
    struct delivery delivery;
    bool configuration_apart; /* see struct mirror_version */
    struct delivery configuration;
    bool followed; /* only its network's parameters are others, and the partner's */
    bool numbered; /* its version is known: */
    struct version_vector version;
    bool edit_on_top; /* or that, and one edit of this server's that nobody recorded */
    bool hold;
    char reason[160];
};

struct planned_delivery {
    object_id id;
    struct delivery delivery;
    bool dropped;
};

struct planned_removal {
    object_id id;
    bool gone_from_file;
};

/* What the file says of a scope that stays removed, if that may be an edit. */
struct planned_loser {
    struct kea_object scope;
};

/* A removal that a lost store knew of, or would have got to know. */
struct planned_lost {
    struct scope_removed removed;
    bool edit; /* this server's, made since */
};

struct load_plan {
    bool at_start;
    bool from_file; /* what was delivered is what the file says */
    bool file_seen; /* and it is the whole file, not what a lost store remembered of it */
    struct planned_scope *scopes;
    size_t scope_count;
    struct planned_delivery *deliveries; /* of scopes that run as they did; ascending by id */
    size_t delivery_count;
    struct planned_removal *removals;
    size_t removal_count;
    object_id *tombstones; /* that the file has caught up with */
    size_t tombstone_count;
    struct planned_delivery *buried; /* what became of scopes that have a tombstone and keep it */
    size_t buried_count;
    struct planned_loser *losers;
    size_t loser_count;
    struct planned_lost *removed;
    size_t removed_count, removed_capacity;
    size_t restored;
    bool written;        /* all but what follows from it */
    atomic_int *pending; /* the count of pending changes that it is part of; or NULL */
};

/* What stays removed and could not be taken out of the configuration, as a class that another one needs. */
#define STUCK_MAX 32
struct stuck_removal {
    object_id id;
    char name[OBJECT_NAME_SIZE];
};

/* What is being decided on. */
struct decision {
    struct plugin *plugin;
    const struct kea_load *load;
    struct load_plan *plan;
    enum kea_configuration which; /* KEA_RUNNING: it is in force already, and may have been changed since the load */
    struct scope_index *before;   /* what was known of a store that is lost; or NULL */
    struct stuck_removal stuck[STUCK_MAX];
    size_t stuck_count;
};

/* ---- restart_plan.c ---- */

/* An empty plan with room for `scopes` delivered scopes and for what the store knows. */
struct result load_plan_new(struct plugin *plugin, const struct kea_load *load, size_t scopes, struct load_plan **plan);

void load_plan_free(struct load_plan *plan); /* NULL is fine */
void planned_scope_clear(struct planned_scope *planned);

struct restart_ids {
    object_id *list;
    size_t count;
};

/* The scopes that an index knows; the caller frees the list, also after a failure. */
struct result restart_known_ids(struct scope_index *index, struct restart_ids *ids);

/* ---- restart.c: deciding, of a configuration that is staged or that runs ---- */

/* NULL: the load does not deliver it. */
const struct kea_delivered *restart_find_delivered(const struct kea_load *load, object_id id);

/* Whether a version made at run time outlives this load: any at a start, but only the partner's when this server's
 * configuration is loaded again on purpose. */
bool restart_outlives(const struct kea_load *load, enum scope_origin origin);

/* What a load says of a scope of that origin, as far as it is known before the scope is looked at. */
struct load_facts restart_facts(const struct decision *decision, enum scope_origin origin);

/* Whether that load said the same, be it in the server's print of that time. */
bool restart_is_before(struct fingerprint now, const struct delivery *before);

/* Reads a scope as it is in the configuration that is decided on. */
struct result restart_read_scope(struct decision *decision, struct planned_scope *delivered, object_id id);

/* The version that was read counts; the plan takes it over. */
struct result restart_plan_delivered(struct decision *decision, struct planned_scope *delivered);

/* The store's version counts: it is put back when all is decided. */
struct result restart_plan_restored(struct decision *decision, const struct scope_entry *entry,
                                    struct planned_scope *delivered);

/* Decides on a scope that the store knows and the configuration does not deliver. */
struct result restart_decide_missing(struct decision *decision, const struct scope_entry *entry);

/* For tombstone_store_each, with the decision: a scope removed at run time leaves the configuration again if its text
 * there has not changed since. */
struct result restart_apply_tombstone(void *context, const struct tombstone_row *row);

/* Takes out again what could not be before the others were; what is stuck then stays, and is no edit. */
void restart_take_out_stuck(struct decision *decision);
bool restart_is_stuck(const struct decision *decision, object_id id);

/* Puts the store's versions that count into the configuration, all at once: while it was decided which they are, that
 * had to be as it was delivered. */
struct result restart_restore_all(struct decision *decision);

/* The plan is the plugin's from now on, or freed if there was a failure; returns `result`. */
struct result restart_finish_plan(struct decision *decision, struct result result);

/* ---- restart_networks.c ---- */

/* The shared networks that scopes are put back into. */
struct restored_networks;

/* Finds them. `changes` are the plan's scopes to be put back, in its order: those of a network whose own words the
 * configuration changed are to keep that network's parameters. */
struct result restored_networks_find(const struct decision *decision, struct kea_change *changes, size_t count,
                                     struct restored_networks **networks);

/* Reads again what is in them now that the scopes are back: the others got the parameters that those brought. */
struct result restored_networks_follow(const struct restored_networks *networks, struct decision *decision);

void restored_networks_free(struct restored_networks *networks); /* NULL is fine */

#endif
