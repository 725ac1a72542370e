/* A configuration load being decided on, shared by restart.c and restart_networks.c. */
#ifndef RESTART_PRIVATE_H
#define RESTART_PRIVATE_H

#include "failover_sync/mirror.h"

/* One scope whose running version must be mirrored. */
struct planned_scope {
    uint32_t subnet_id;
    char prefix[48];
    struct kea_scope scope; /* as it is in the staged configuration; empty until it is restored, if it is to be */
    enum scope_origin origin;
    bool delivered;
    bool edited;                  /* delivered, and not as it was before */
    struct kea_scope passed_over; /* what the file says instead, if that may be an edit; or empty */
    char *stored;                 /* the store's version, which is to be put back; NULL: the configuration's counts */
    struct fingerprint fingerprint, delivered_fingerprint, delivered_text;
    bool configuration_apart; /* see struct mirror_version */
    struct fingerprint configuration_fingerprint, configuration_text;
    bool followed; /* only its network's parameters are others, and the partner's */
    bool numbered; /* its version is known, and nobody's edit: */
    struct version_vector version;
    bool hold;
    char reason[160];
};

struct planned_delivery {
    uint32_t subnet_id;
    struct fingerprint fingerprint, text;
    bool dropped;
};

struct planned_removal {
    uint32_t subnet_id;
    bool gone_from_file;
};

/* What the file says of a scope that stays removed, if that may be an edit. */
struct planned_loser {
    struct kea_scope scope;
    struct fingerprint fingerprint;
};

/* A removal that a lost store knew of, or would have got to know. */
struct planned_lost {
    struct scope_removed removed;
    bool edit; /* this server's, made since */
};

struct load_plan {
    bool at_start, from_file;
    struct planned_scope *scopes;
    size_t scope_count;
    struct planned_delivery *deliveries; /* of scopes that run as they did; ascending by id */
    size_t delivery_count;
    struct planned_removal *removals;
    size_t removal_count;
    uint32_t *tombstones; /* that the file has caught up with */
    size_t tombstone_count;
    struct planned_delivery *buried; /* what became of scopes that have a tombstone and keep it */
    size_t buried_count;
    struct planned_loser *losers;
    size_t loser_count;
    struct planned_lost *removed;
    size_t removed_count, removed_capacity;
    size_t restored;
    atomic_int *pending; /* the count of pending changes that it is part of; or NULL */
};

/* What is being decided on. */
struct decision {
    struct plugin *plugin;
    const struct kea_load *load;
    struct load_plan *plan;
    enum kea_configuration which; /* KEA_RUNNING: it is in force already, and may have been changed since the load */
    struct scope_index *before;   /* what was known of a store that is lost; or NULL */
};

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
