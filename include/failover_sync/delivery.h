/* What a configuration load delivered of a scope: the next one that says the same is no edit of it. */
#ifndef FAILOVER_SYNC_DELIVERY_H
#define FAILOVER_SYNC_DELIVERY_H

#include "failover_sync/fingerprint.h"

#include <string.h>

/* All empty: it was never delivered, or is no more. */
struct delivery {
    struct fingerprint fingerprint; /* as in struct kea_object */
    struct fingerprint printed;     /* the same: what config-get or config-write said of it at that time */
    struct fingerprint text;        /* as in struct kea_delivered; empty: nobody knows the words */
};

static inline bool delivery_same(const struct delivery *a, const struct delivery *b)
{
    return strcmp(a->fingerprint.hex, b->fingerprint.hex) == 0 && strcmp(a->printed.hex, b->printed.hex) == 0 &&
           strcmp(a->text.hex, b->text.hex) == 0;
}

static inline bool delivery_empty(const struct delivery *delivery)
{
    return fingerprint_empty(delivery->fingerprint);
}

#endif
