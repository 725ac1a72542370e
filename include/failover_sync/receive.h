/* The partner's side of replication: taking scopes in. A batch is applied on the main thread and recorded by the
 * worker; its ticket tells the sender how far it has got. */
#ifndef FAILOVER_SYNC_RECEIVE_H
#define FAILOVER_SYNC_RECEIVE_H

#include "failover_sync/engine.h"
#include "failover_sync/fault.h"

#include <jansson.h>

enum ticket_state { TICKET_PENDING, TICKET_APPLIED, TICKET_RECORDED, TICKET_UNRECORDED };

struct result tickets_new(struct tickets **tickets);
void tickets_free(struct tickets *tickets);

/* Issues the name of a new ticket, which is pending. The oldest is forgotten when there are too many. */
#define TICKET_NAME_SIZE  48
#define TICKETS_KEPT      256       /* the last ones, */
#define TICKETS_MAX_BYTES (8 << 20) /* and of these as many as have room, the last in any case */
void tickets_issue(struct tickets *tickets, const char *instance, char name[TICKET_NAME_SIZE]);

/* Moves a ticket on; `outcomes` (may be NULL: as before) are the lists of what came of each object, its
 * reference is taken. */
void tickets_set(struct tickets *tickets, const char *name, enum ticket_state state, const char *text,
                 json_t *outcomes);

/* Notes for how long packets had to wait while the batch was applied, in microseconds. */
void tickets_set_pause(struct tickets *tickets, const char *name, uint32_t pause_us);

/* A ticket's state as the output of scope-receive, or NULL if it is not known (any more). */
json_t *tickets_describe(struct tickets *tickets, const char *name);

/* The relationship in which `sender` is the partner and this server is `receiver`; NULL, and the fault, without one. */
const struct relationship *reception_find_relationship(const struct plugin *plugin, const char *sender,
                                                       const char *receiver, struct fault *fault);

#endif
