/* A batch of scopes on its way to a partner, and what came of each. */
#ifndef FAILOVER_SYNC_BATCH_H
#define FAILOVER_SYNC_BATCH_H

#include "failover_sync/engine.h"

#define BATCH_ALL SIZE_MAX /* of the scopes that are due */
/* How many scopes go at once to a partner that takes them with scope-receive: as many as keep its main thread busy for
 * BATCH_BUSY_US, as far as it can tell; the server's own reading of the command takes about as long again, and together
 * that is the 5 ms for which packets may wait. */
#define BATCH_SCOPES_MIN   5
#define BATCH_SCOPES_FIRST 10
#define BATCH_SCOPES_MAX   100
#define BATCH_BUSY_US      2000
#define BATCH_BYTES        (4 * 1024 * 1024)  /* of definitions together, unless it is a single one */
#define BATCH_ALL_BYTES    (32 * 1024 * 1024) /* the same with BATCH_ALL */
#define BATCH_SCOPE_BYTES                                                                                              \
    (4 * 1024 * 1024) /* of one definition: some 10,000 reservations; the YANG module's limit is twice that */

enum batch_outcome {
    BATCH_UNANSWERED,
    BATCH_APPLIED,
    BATCH_UNCHANGED,
    BATCH_CONFLICT,
    BATCH_OVERRULED,
    BATCH_OUTDATED, /* the partner has a newer version */
    BATCH_ID_MISMATCH,
    BATCH_CLOCK_AHEAD, /* the version has a number that is further ahead of the partner's clock than is believed */
    BATCH_FAILED,
    BATCH_HELD,      /* a removal that the partner holds: it has taken too many of late */
    BATCH_IMPOSSIBLE /* there is no way to get it to the partner: it was not tried */
};

struct batch_item {
    struct queue_item wish;
    char *definition;              /* as stored here, like the next one; both NULL for a removal */
    char *effective;               /* with all that it inherits: for a partner that is to have no other values */
    struct fingerprint pushed;     /* our fingerprint of it; empty for a removal */
    struct version_vector version; /* of it, or of the removal */
    struct version_vector known;   /* what the partner is known to have */
    struct version_vector network; /* of all scopes in its shared network, in one; empty: none, or BATCH_ALL */
    char *before;                  /* as effective: what was last agreed on with the partner; NULL: nothing was */
    struct fingerprint base;       /* what the partner last answered */
    bool agreed;                   /* and there was an agreement on it */
    enum batch_outcome outcome;    /* what it answered now */
    struct fingerprint answered;   /* its fingerprint afterwards */
    struct version_vector has;     /* its version then; of a partner that does not count them ours */
    char text[200];                /* why it refused */
    /* Where the two are compared on this side: */
    char *there;    /* the partner's version, if it loses or is to be taken over */
    bool take_over; /* it counts */
};

struct batch {
    struct batch_item *items;
    size_t count;
    int64_t partner_clock; /* the partner's when it answered, in seconds since 1970; 0: it did not say */
};

void batch_clear(struct batch *batch);

/* Takes the items of which nothing is decided out of the batch; they stay in the queue. */
void batch_drop_unanswered(struct batch *batch);

/* The next batch of up to `limit` scopes for the partner of relationship `number`, every scope prepared as
 * ReplicateScope says; empty if nothing is due. What belongs to no relationship any more leaves the queue. With
 * BATCH_ALL, removals and scopes come together, removals first. */
struct result batch_take(struct plugin *plugin, size_t number, int64_t now, size_t limit, struct batch *batch);

/* A scope's definition as it travels: without what is local to this server, and else to the letter as the server
 * printed it. The caller frees it; NULL for want of memory. */
char *batch_travelling(const struct plugin *plugin, const char *definition);

/* The JSON text of the scope-receive command for the batch; the caller frees it. */
struct result batch_request(const struct plugin *plugin, size_t number, const struct batch *batch, char **text);

/* The JSON text of the scope-receive command that asks how far `ticket` has got. */
struct result batch_question(const struct plugin *plugin, size_t number, const char *ticket, char **text);

enum answer_state { ANSWER_PENDING, ANSWER_APPLIED, ANSWER_RECORDED, ANSWER_UNRECORDED, ANSWER_BUSY };

/* What a partner answered. */
struct batch_answer {
    char ticket[65];
    enum answer_state state;
    uint32_t pause_us; /* for how long its main thread was busy with the batch; 0 if it does not say */
    bool unsupported;  /* the partner does not know the command */
    char text[200];
};

/* Reads an answer of `length` bytes and a NUL behind them, noting each scope's outcome in the batch. RESULT_NETWORK: it
 * is no answer of this command; RESULT_REFUSED: the partner answered with an error; both say which and what to do.
 * RESULT_NOT_FOUND: the partner does not know the ticket (it was restarted), so the batch has to be sent again. */
struct result batch_read_answer(const struct plugin *plugin, const char *partner, const char *text, size_t length,
                                struct batch *batch, struct batch_answer *answer);

/* Writes what came of the batch: agreements, states and reasons, the queue. `retry_at` is when refused scopes are sent
 * again. */
struct result batch_settle(struct plugin *plugin, size_t number, const struct batch *batch, int64_t retry_at);

#endif
