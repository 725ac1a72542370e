/* What the files of reconciliation share: the partner's list, and what is wanted of it. */
#ifndef REPLICATION_RECONCILE_PRIVATE_H
#define REPLICATION_RECONCILE_PRIVATE_H

#include "failover_sync/engine.h"

#include <jansson.h>

/* A scope, or its removal, as the partner has it. */
struct partner_scope {
    object_id id;
    char name[OBJECT_NAME_SIZE]; /* of a removed one what it had, or "" if that is not known */
    bool removed;
    struct version_vector version;
    struct fingerprint text; /* by the partner's printing; empty if it was removed */
    char *unprinted;         /* what the partner's server does not print of it; NULL: nothing */
    bool wanted;             /* it is to be sent to us */
};

struct partner_list {
    struct partner_scope *scopes; /* ascending by subnet id */
    size_t count, capacity;
    bool only_removed; /* the scopes that there are have been compared: only what is removed is of interest */
};

void partner_list_clear(struct partner_list *list);

/* Adds a page of the partner's list. RESULT_NETWORK if it is not in order. */
struct result partner_list_add(struct partner_list *list, const struct model_node *output);

/* The arguments that ask for the next of what is wanted; *next is moved on. NULL if nothing is left. */
json_t *partner_list_wanted(const struct partner_list *list, size_t *next);

/* Decides on every scope of either side, writes what follows from it, and marks what is wanted. */
struct result reconcile_settle(struct plugin *plugin, size_t number, struct partner_list *list);

#endif
