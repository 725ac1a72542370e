/* The ways to get a batch to a partner. Each is a conversation of requests and answers, written as one function that is
 * told what happened and says what is to be done; the partner's state machine does it. All of it runs on the worker,
 * and nothing here waits. */
#ifndef REPLICATION_WAY_H
#define REPLICATION_WAY_H

#include "failover_sync/batch.h"

#include "plugin/replication/kea_text.h"
#include "plugin/replication/partner_config.h"

/* What has happened. */
enum way_event {
    WAY_BEGIN,    /* there is a new batch */
    WAY_WAITED,   /* the time asked for is over */
    WAY_ANSWERED, /* the answer is here */
    WAY_LOST      /* the request got no answer, or none with HTTP status 200 */
};

struct way_input {
    enum way_event event;
    const char *text; /* WAY_ANSWERED; a NUL behind it */
    size_t length;
    const struct result *why; /* WAY_LOST */
    long http_status;         /* WAY_LOST; 0 if there was no answer at all */
};

/* What is to be done. */
enum way_next {
    WAY_SEND,        /* send the request, come back with the answer */
    WAY_WAIT,        /* come back later */
    WAY_DONE,        /* what came of each scope is noted in the batch */
    WAY_AGAIN,       /* send the batch again at once, but only once */
    WAY_UNSUPPORTED, /* the partner does not know a command of this way */
    WAY_FAILED       /* try again later */
};

struct way_step {
    enum way_next next;
    char *request;       /* WAY_SEND: who is told owns it */
    const char *command; /* the command between servers with this library that it is, static; NULL: one of Kea's */
    long timeout_ms;
    size_t answer_max; /* bytes */
    int64_t delay_ms;  /* WAY_WAIT */
    struct result why; /* the last three */
};

/* What a partner was found to be able to do. */
struct way_choice {
    bool sealed; /* it is believed by its seal alone, which only this library's commands have */
    bool asked;  /* there was an answer, or a refusal to give one, since the partner was met */
    bool listed; /* it told its commands */
    bool can[APPLY_WAYS];
    bool refused[APPLY_WAYS]; /* it was tried all the same, and a command of it was unknown */
    enum apply_way chosen;    /* APPLY_WAYS: none */
};

/* The conversations with one partner, one after the other. */
struct way_run {
    struct plugin *plugin;
    size_t number; /* of the relationship */
    struct batch *batch;
    struct way_choice choice;
    int64_t last_set;    /* when the partner's configuration was last set; engine_ticks'; 0: not known */
    size_t batch_scopes; /* how many scopes may be in the next batch of WAY_RECEIVE; 0: nothing is known yet */
    void *state;         /* of the conversation under way */
};

struct way {
    struct way_step (*advance)(struct way_run *run, const struct way_input *input);
    void (*clear)(struct way_run *run); /* frees the state; more than once is fine */
};

extern const struct way way_receive, way_subnet, way_config; /* in the order of enum apply_way */
extern const struct way way_ask;     /* asks for the partner's commands and chooses; notes it in run->choice */
extern const struct way way_version; /* asks for the partner's version, for its row */

/* At most one config-set to a partner in this time: each restarts its High Availability. */
#define WAY_SET_INTERVAL_MS 5000

/* Bounds of one request. */
#define WAY_TIMEOUT_MS        15000L
#define WAY_TIMEOUT_CONFIG_MS 60000L
#define WAY_ANSWER_MAX        ((size_t)8 * 1024 * 1024)
#define WAY_CONFIG_MAX        ((size_t)64 * 1024 * 1024)

const char *way_partner_name(const struct way_run *run);

struct way_step way_send(char *request); /* NULL: WAY_FAILED for want of memory */
/* Of a command of this library's. */
struct way_step way_send_own(const char *command, char *request);
struct way_step way_send_config(char *request); /* with the bounds for a whole configuration */
struct way_step way_wait(int64_t delay_ms);
struct way_step way_done(void);
struct way_step way_fail(enum way_next next, struct result why);

/* The command with a map of arguments, whose reference is taken. */
char *way_command(const struct way_run *run, const char *command, json_t *arguments);

/* The first allowed way that the partner can do; APPLY_WAYS without one, and then *why names what it lacks and the
 * remedy. */
enum apply_way way_pick(const struct parameters *parameters, const struct way_choice *choice, const char *partner,
                        struct result *why);

/* Compare and set, decided on this side: notes what came of the item, or returns true if it is to be applied. What the
 * partner has is kept in the item where it loses, or is to be taken over. */
bool way_compare(const struct way_run *run, struct batch_item *item, const struct partner_config *config);

/* Notes that an item was applied, and the fingerprint of what the partner has now; NULL for no scope. */
struct result way_note_applied(const struct way_run *run, struct batch_item *item, const struct config_scope *now);

/* Has the partner's versions that count applied here, as if the partner had sent them. */
struct result way_take_over(struct plugin *plugin, size_t number, const struct batch *batch);

#endif
