/* What both sides of trust share: what is remembered of each partner, and the envelope of a message. */
#ifndef REPLICATION_TRUST_PRIVATE_H
#define REPLICATION_TRUST_PRIVATE_H

#include "failover_sync/engine.h"
#include "failover_sync/trust.h"

#include "seal.h"

#include <jansson.h>
#include <pthread.h>

#define TRUST_WINDOW 64 /* requests that may overtake each other */

/* Of one partner, by its name: places in the list of relationships may change hands. */
struct trust_partner {
    char *name;
    /* As the one that asks: */
    char session[17]; /* the partner's; "" until it told us */
    uint64_t number;  /* the last one used */
    /* As the one that is asked: */
    uint64_t largest; /* of its numbers */
    uint64_t seen;    /* a bit for each of the TRUST_WINDOW numbers up to that, the largest's the lowest */
    struct trust_refusals refusals;
    int64_t told_at; /* when a refusal was last logged */
    uint64_t used;   /* when the entry was last of use, in no unit */
};

/* As many partners as a server may have. Should others have come and gone meanwhile, the one longest of no use makes
 * room. */
struct trust {
    pthread_mutex_t lock; /* guards what follows */
    struct trust_partner partners[2 * RELATIONSHIP_MAX], strangers;
    uint64_t used;
};

/* With the lock held: what is remembered of a partner; NULL for want of memory. */
struct trust_partner *trust_find(struct trust *trust, const char *name);

/* The envelope of a message's map; borrowed, NULL without one. */
const json_t *trust_envelope(const json_t *map);

/* A text in the envelope; "" without it. */
const char *trust_word(const json_t *map, const char *name);

/* The number in the envelope; 0 without one that is right. */
uint64_t trust_number(const json_t *map, const char *name);

/* Puts an envelope into the map: the number, and what else is not empty. */
bool trust_put_envelope(json_t *map, const char *number, const char *session, uint64_t seen);

/* What is sealed of a message: `message`, whose map `map` (itself, or its arguments) has the envelope, without the seal
 * in that. The caller frees it; NULL for want of memory. */
char *trust_sealed_text(const json_t *message, json_t *map);

#endif
