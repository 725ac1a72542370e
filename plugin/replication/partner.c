/* The client of one partner: finds out how it is served, sends what is due, drives the conversation that a batch needs,
 * settles it, waits and tries again. What is said in a conversation is the business of the ways (way.h). */
#include "failover_sync/partner.h"

#include "plugin/replication/access.h"
#include "plugin/replication/exchange.h"
#include "plugin/replication/way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_FACTOR 10 /* a configuration that is refused is not tested as often as one scope */

enum partner_step {
    PARTNER_IDLE,    /* nothing under way */
    PARTNER_TALKING, /* a request was sent, its answer is awaited */
    PARTNER_WAITING  /* the conversation goes on at `next_step_at` */
};

struct partner {
    struct plugin *plugin;
    size_t number;
    const struct relationship *relationship;
    struct exchange *exchange;

    enum partner_step step;
    struct batch batch;
    struct way_run run;
    const struct way *talk; /* the conversation under way */

    enum apply_way shown; /* the way that was logged last */
    char shown_lack[160]; /* what the log last said it lacks */
    bool version_wanted;  /* once something was settled: nothing waits for it */

    int64_t next_step_at;    /* when to go on */
    int64_t next_attempt_at; /* 0: at once */
    bool reached;            /* it is waited for although it answers: it cannot, or will not, take what it is sent */
    unsigned failures;
    unsigned random; /* of the jitter */
};

static const char *name_of(const struct partner *partner)
{
    return relationship_partner(partner->relationship)->name;
}

struct result partner_new(struct plugin *plugin, size_t number, CURLM *multi, struct partner **partner)
{
    struct partner *new = calloc(1, sizeof *new);
    struct result result;

    *partner = NULL;
    if (new == NULL)
        return result_no_memory("a partner");
    new->plugin = plugin;
    new->number = number;
    new->relationship = &plugin->relationships.list[number];
    new->shown = APPLY_WAYS;
    new->run = (struct way_run){.plugin = plugin, .number = number, .batch = &new->batch};
    new->run.choice.chosen = APPLY_WAYS;
    new->version_wanted = true;
    new->random = (unsigned)engine_now() ^ (unsigned)(uintptr_t) new;
    new->run.choice.sealed = new->relationship->access.shared_secret_file != NULL;
    result = exchange_new(plugin, number, multi, &new->exchange);
    if (!result_failed(result) && access_warns(&new->relationship->access))
        kea_log(plugin->server, FAILOVER_SYNC_PASSWORD_READABLE, name_of(new), new->relationship->access.url);
    if (result_failed(result))
        partner_free(new);
    else
        *partner = new;
    return result;
}

static void go_idle(struct partner *partner)
{
    if (partner->talk != NULL)
        partner->talk->clear(&partner->run);
    partner->talk = NULL;
    batch_clear(&partner->batch);
    partner->step = PARTNER_IDLE;
}

void partner_free(struct partner *partner)
{
    if (partner == NULL)
        return;
    exchange_free(partner->exchange);
    go_idle(partner);
    free(partner);
}

/* Doubled at each failure, with a fifth of jitter so that servers do not keep step. */
static int64_t back_off(struct partner *partner)
{
    const struct parameters *parameters = &partner->plugin->parameters;
    int64_t delay = parameters->retry_min_ms;

    for (unsigned i = 1; i < partner->failures && delay < parameters->retry_max_ms; i++)
        delay *= 2;
    if (delay > parameters->retry_max_ms)
        delay = parameters->retry_max_ms;
    return delay - delay / 5 + rand_r(&partner->random) % (delay / 5 * 2 + 1);
}

static void show(struct partner *partner, const char *error)
{
    struct engine_status *status = &partner->plugin->status;
    struct relationship_status *shown = &status->relationship[partner->number];

    (void)pthread_mutex_lock(&status->lock);
    shown->next_attempt = partner->next_attempt_at;
    (void)snprintf(shown->last_error, sizeof shown->last_error, "%s", error);
    (void)pthread_mutex_unlock(&status->lock);
}

static void fail(struct partner *partner, const struct result *why)
{
    char delay_text[24];
    int64_t delay;

    partner->failures++;
    delay = back_off(partner);
    partner->next_attempt_at = engine_ticks() + delay;
    (void)snprintf(delay_text, sizeof delay_text, "%lld", (long long)delay);
    kea_log(partner->plugin->server, FAILOVER_SYNC_PUSH_FAILED, name_of(partner), delay_text, why->message);
    show(partner, why->message);
    replication_watch_unreachable(partner->plugin, partner->number, why->message);
    go_idle(partner);
}

static void begin(struct partner *partner, const struct way *way);

static void send_request(struct partner *partner, const struct way_step *step)
{
    exchange_send(partner->exchange, &(struct exchange_order){.request = step->request,
                                                              .command = step->command,
                                                              .timeout_ms = step->timeout_ms,
                                                              .answer_max = step->answer_max});
    partner->step = PARTNER_TALKING;
}

static const struct way *const ways[APPLY_WAYS] = {&way_receive, &way_subnet, &way_config};

static enum apply_way best_allowed(const struct partner *partner)
{
    enum apply_way way = 0;

    while (way < APPLY_WAYS - 1 && !partner->plugin->parameters.apply[way])
        way++;
    return way;
}

static void show_way(struct partner *partner, const char *word)
{
    struct engine_status *status = &partner->plugin->status;

    (void)pthread_mutex_lock(&status->lock);
    status->relationship[partner->number].way = word;
    (void)pthread_mutex_unlock(&status->lock);
}

/* The way that was chosen, once. */
static void tell_way(struct partner *partner, enum apply_way way)
{
    const char *word = parameters_apply_word(way);

    show_way(partner, word);
    partner->shown_lack[0] = '\0';
    if (way == partner->shown)
        return;
    partner->shown = way;
    if (way == APPLY_CONFIG_SET)
        kea_log(partner->plugin->server, FAILOVER_SYNC_WAY_RESTARTS_HA, name_of(partner), word);
    else
        kea_log(partner->plugin->server, FAILOVER_SYNC_WAY, name_of(partner), word);
}

static void tell_lack(struct partner *partner, const char *lack)
{
    show_way(partner, "none");
    partner->shown = APPLY_WAYS;
    if (strncmp(partner->shown_lack, lack, sizeof partner->shown_lack - 1) == 0)
        return;
    (void)snprintf(partner->shown_lack, sizeof partner->shown_lack, "%.159s", lack);
    kea_log(partner->plugin->server, FAILOVER_SYNC_NO_WAY, name_of(partner), lack);
}

/* Every scope that is due is told why it stays. */
static void put_off(struct partner *partner, const struct result *why)
{
    struct plugin *plugin = partner->plugin;
    struct batch *batch = &partner->batch;
    const int64_t now = engine_now();
    struct result result = batch_take(plugin, partner->number, now, BATCH_ALL, batch);
    int64_t delay;

    tell_lack(partner, why->message);
    for (size_t i = 0; i < batch->count; i++) {
        batch->items[i].outcome = BATCH_IMPOSSIBLE;
        (void)snprintf(batch->items[i].text, sizeof batch->items[i].text, "%.199s", why->message);
    }
    partner->failures++;
    partner->reached = true;
    delay = back_off(partner);
    partner->next_attempt_at = engine_ticks() + delay;
    if (!result_failed(result))
        result = batch_settle(plugin, partner->number, batch, now + delay);
    if (result_failed(result))
        engine_set_mirror(plugin, &result);
    show(partner, why->message);
    go_idle(partner);
    engine_refresh_queue(plugin, partner->number);
}

static uint32_t count_scopes(const struct batch *batch)
{
    uint32_t count = 0;

    for (size_t i = 0; i < batch->count; i++)
        count += object_kind_of(batch->items[i].wish.id) == OBJECT_SCOPE;
    return count;
}

/* Ways for partners without the library carry scopes alone. Whether anything is left for one. */
static bool leave_out(struct partner *partner)
{
    struct batch *batch = &partner->batch;
    size_t left = 0;

    for (size_t i = 0; i < batch->count; i++) {
        struct batch_item *item = &batch->items[i];

        if (object_kind_of(item->wish.id) == OBJECT_SCOPE) {
            left++;
            continue;
        }
        item->outcome = BATCH_IMPOSSIBLE;
        (void)snprintf(item->text, sizeof item->text,
                       "%.60s gets scopes alone without the library: load libdhcp_failover_sync.so there",
                       name_of(partner));
    }
    return left > 0;
}

/* Nothing of the batch can be sent. */
static void settle_left_out(struct partner *partner)
{
    struct plugin *plugin = partner->plugin;
    const struct result result =
        batch_settle(plugin, partner->number, &partner->batch, engine_now() + plugin->parameters.retry_max_ms);

    if (result_failed(result)) {
        engine_set_mirror(plugin, &result);
        fail(partner, &result);
    } else {
        partner->run.choice.asked = false; /* it may have learned by the next time */
        go_idle(partner);
    }
    engine_refresh_queue(plugin, partner->number);
}

static void push(struct partner *partner)
{
    struct plugin *plugin = partner->plugin;
    const enum apply_way way = partner->run.choice.chosen;
    const size_t scopes = partner->run.batch_scopes == 0 ? BATCH_SCOPES_FIRST : partner->run.batch_scopes;
    struct result result = batch_take(plugin, partner->number, engine_now(),
                                      way == APPLY_SCOPE_RECEIVE ? scopes : BATCH_ALL, &partner->batch);

    if (result_failed(result)) {
        fail(partner, &result);
        return;
    }
    if (partner->batch.count == 0) {
        engine_refresh_queue(plugin, partner->number);
        return;
    }
    if (way != APPLY_SCOPE_RECEIVE && !leave_out(partner)) {
        settle_left_out(partner);
        return;
    }
    (void)pthread_mutex_lock(&plugin->status.lock);
    plugin->status.relationship[partner->number].sent += (uint32_t)partner->batch.count;
    plugin->status.relationship[partner->number].scopes_sent += count_scopes(&partner->batch);
    plugin->status.relationship[partner->number].unsettled = true;
    (void)pthread_mutex_unlock(&plugin->status.lock);
    begin(partner, ways[way]);
}

/* When the next wish is due, in milliseconds since 1970, -1 if none is waiting; wishes that the clock has left behind
 * are due now. */
static int64_t next_due(struct partner *partner)
{
    const int64_t now = engine_now();
    const struct queue_summary *queue = &partner->plugin->status.relationship[partner->number].queue;
    int64_t due = queue->next_due;

    /* One that is tried again and again is no sign that the others' turn comes. */
    if (queue->last_due !=
        engine_wait_end(queue->last_due, now, partner->plugin->parameters.retry_max_ms * PATIENCE_FACTOR)) {
        (void)queue_wake(partner->plugin->store, relationship_partner(partner->relationship)->record_id, now);
        engine_refresh_queue(partner->plugin, partner->number);
        due = queue->next_due;
    }
    return due;
}

static int64_t due_at(struct partner *partner, int64_t now)
{
    int64_t due = next_due(partner), again;

    if (due < 0)
        return INT64_MAX;
    due = due <= engine_now() ? now : engine_ticks_at(due);
    if (due < partner->next_attempt_at)
        due = partner->next_attempt_at;
    /* What comes in meanwhile goes along. */
    if (partner->run.choice.chosen == APPLY_CONFIG_SET && partner->run.last_set != 0) {
        again = partner->run.last_set + WAY_SET_INTERVAL_MS;
        if (due < again)
            due = again;
    }
    return due;
}

/* The library is loaded anew with every configuration, and the last config-set may have been another load's: it was not
 * later than the last answer. */
static void recall_last_set(struct partner *partner)
{
    int64_t seen = 0, now = engine_ticks();

    if (partner->run.last_set != 0)
        return;
    (void)server_store_last_seen(partner->plugin->store, relationship_partner(partner->relationship)->record_id, &seen);
    if (seen <= 0 || seen > INT64_MAX / 2000)
        return;
    partner->run.last_set = engine_ticks_at((seen + 1) * 1000);
    if (partner->run.last_set > now || partner->run.last_set == 0)
        partner->run.last_set = now;
}

/* The partner's commands are known, as far as it tells them. */
static void choose(struct partner *partner)
{
    struct result why;
    enum apply_way way = way_pick(&partner->plugin->parameters, &partner->run.choice, name_of(partner), &why);

    go_idle(partner);
    partner->run.choice.chosen = way;
    if (way == APPLY_WAYS) {
        put_off(partner, &why);
        return;
    }
    tell_way(partner, way);
    if (way == APPLY_CONFIG_SET)
        recall_last_set(partner);
    if (due_at(partner, engine_ticks()) <= engine_ticks())
        push(partner);
}

/* It is asked again what it can do: it may be another server by now. */
static void forget_choice(struct partner *partner)
{
    partner->run.choice.asked = false;
    partner->version_wanted = true;
}

/* What an admin should know of a batch that did not go through whole; "" if it did. */
static void describe_refusal(const struct partner *partner, char text[320])
{
    text[0] = '\0';
    for (size_t i = 0; i < partner->batch.count; i++) {
        const struct batch_item *item = &partner->batch.items[i];

        if (item->outcome == BATCH_APPLIED || item->outcome == BATCH_UNCHANGED)
            continue;
        (void)snprintf(text, 320, "%s: %s", OBJECT_SAID(item->wish.id, item->wish.name),
                       item->text[0] != '\0'               ? item->text
                       : item->outcome == BATCH_OVERRULED  ? "changed on both servers, the partner's version counts"
                       : item->outcome == BATCH_UNANSWERED ? "the partner did not say what came of it"
                                                           : "refused without a reason");
        return;
    }
}

static void settle(struct partner *partner)
{
    struct plugin *plugin = partner->plugin;
    const int64_t patience =
        plugin->parameters.retry_max_ms * (partner->run.choice.chosen == APPLY_CONFIG_SET ? PATIENCE_FACTOR : 1);
    char count[24], refusal[320];
    size_t agreed = 0;
    struct result result;

    result = batch_settle(plugin, partner->number, &partner->batch, engine_now() + patience);
    if (!result_failed(result))
        result = way_take_over(plugin, partner->number, &partner->batch);
    if (result_failed(result)) {
        engine_set_mirror(plugin, &result);
        fail(partner, &result);
        return;
    }
    (void)pthread_mutex_lock(&plugin->status.lock);
    plugin->status.relationship[partner->number].unsettled = false;
    (void)pthread_mutex_unlock(&plugin->status.lock);
    for (size_t i = 0; i < partner->batch.count; i++)
        if (partner->batch.items[i].outcome == BATCH_APPLIED || partner->batch.items[i].outcome == BATCH_UNCHANGED)
            agreed++;
    if (agreed > 0) {
        (void)snprintf(count, sizeof count, "%zu", agreed);
        kea_log(plugin->server, FAILOVER_SYNC_PUSHED, count, name_of(partner));
    }
    partner->failures = 0;
    partner->reached = false;
    partner->next_attempt_at = 0;
    describe_refusal(partner, refusal);
    show(partner, refusal);
    go_idle(partner);
    /* One that is not served the best way may have learned it by the next time. */
    if (partner->run.choice.chosen != best_allowed(partner))
        partner->run.choice.asked = false;
    engine_refresh_queue(plugin, partner->number);
}

/* A command that is unknown rules its way out; the partner is asked at once what else it can do. */
static void rule_out(struct partner *partner)
{
    struct way_choice *choice = &partner->run.choice;

    if (choice->chosen < APPLY_WAYS)
        choice->refused[choice->chosen] = true;
    go_idle(partner);
    begin(partner, &way_ask);
}

/* The conversation has come to its end. */
static void finish(struct partner *partner)
{
    if (partner->talk == &way_ask)
        choose(partner);
    else if (partner->talk == &way_version)
        go_idle(partner);
    else
        settle(partner);
}

static void take_step(struct partner *partner, const struct way_step *step)
{
    switch (step->next) {
    case WAY_SEND:
        send_request(partner, step);
        break;
    case WAY_WAIT:
        partner->step = PARTNER_WAITING;
        partner->next_step_at = engine_ticks() + step->delay_ms;
        break;
    case WAY_DONE:
        finish(partner);
        break;
    case WAY_UNSUPPORTED:
        rule_out(partner);
        break;
    case WAY_AGAIN:
        if (partner->failures == 0) {
            partner->failures++;
            go_idle(partner);
            break;
        }
        fail(partner, &step->why);
        break;
    default:
        /* A control agent may have spoken for a partner that is down, but not of its configuration. */
        partner->reached =
            step->why.code != RESULT_NETWORK && (partner->talk == &way_config || partner->talk == &way_subnet);
        if (step->why.code == RESULT_NETWORK || partner->run.choice.chosen != best_allowed(partner))
            forget_choice(partner);
        fail(partner, &step->why);
        break;
    }
}

/* Tells the conversation what has happened, and does what it says. */
static void talk(struct partner *partner, const struct way_input *input)
{
    struct way_step step = partner->talk->advance(&partner->run, input);

    partner->step = PARTNER_IDLE;
    take_step(partner, &step);
}

static void begin(struct partner *partner, const struct way *way)
{
    partner->talk = way;
    talk(partner, &(struct way_input){.event = WAY_BEGIN});
}

static void start(struct partner *partner)
{
    struct engine_status *status = &partner->plugin->status;
    struct way_choice *choice = &partner->run.choice;

    (void)pthread_mutex_lock(&status->lock);
    status->relationship[partner->number].pushes++;
    (void)pthread_mutex_unlock(&status->lock);
    if (choice->asked && choice->chosen != APPLY_WAYS) {
        push(partner);
        return;
    }
    memset(choice->refused, 0, sizeof choice->refused);
    begin(partner, &way_ask);
}

/* What came of the request that is under way; false if nothing has yet. */
static bool take_outcome(struct partner *partner)
{
    struct exchange_outcome outcome;
    struct way_input input = {.event = WAY_ANSWERED};

    if (!exchange_take(partner->exchange, &outcome))
        return false;
    input.text = outcome.answer;
    input.length = outcome.length;
    input.http_status = outcome.http_status;
    if (result_failed(outcome.why)) {
        input.event = WAY_LOST;
        input.why = &outcome.why;
    }
    talk(partner, &input);
    free(outcome.answer);
    return true;
}

static int64_t advance(struct partner *partner, int64_t now)
{
    if (partner->plugin->store_refuses && partner->step == PARTNER_IDLE)
        return INT64_MAX; /* what comes of it could not be recorded */
    if (partner->step == PARTNER_IDLE) {
        const int64_t due = due_at(partner, now);

        if (due <= now) {
            start(partner);
        } else if (partner->version_wanted && partner->failures == 0 && partner->run.choice.chosen != APPLY_WAYS) {
            partner->version_wanted = false;
            begin(partner, &way_version);
        }
        if (partner->step == PARTNER_IDLE)
            return due <= now ? now + 1 : due;
    } else if (partner->step == PARTNER_WAITING) {
        if (partner->next_step_at > now)
            return partner->next_step_at;
        talk(partner, &(struct way_input){.event = WAY_WAITED});
        if (partner->step == PARTNER_IDLE)
            return now + 1;
    }
    return partner->step == PARTNER_WAITING ? partner->next_step_at : INT64_MAX;
}

int64_t partner_advance(struct partner *partner, int64_t now)
{
    int64_t next;

    if (partner->plugin->store == NULL)
        return INT64_MAX; /* the worker begins anew when there is one */
    next = advance(partner, now);
    if (partner->step != PARTNER_TALKING)
        return next;
    next = exchange_advance(partner->exchange, now);
    return take_outcome(partner) ? now : next; /* what comes of it may be due at once */
}

bool partner_finished(struct partner *partner, CURL *easy, CURLcode code)
{
    if (!exchange_finished(partner->exchange, easy, code))
        return false;
    (void)take_outcome(partner);
    return true;
}

void partner_heard(struct partner *partner)
{
    const enum apply_way way = partner->run.choice.chosen;

    if (partner->plugin->store == NULL)
        return;
    /* One that speaks this library's language may have been served otherwise, and refused what it can take now. */
    if (partner->next_attempt_at == 0 && (way == best_allowed(partner) || way == APPLY_WAYS))
        return;
    partner->next_attempt_at = 0;
    partner->reached = false;
    (void)queue_wake(partner->plugin->store, relationship_partner(partner->relationship)->record_id, engine_now());
    engine_refresh_queue(partner->plugin, partner->number);
}

void partner_alive(struct partner *partner)
{
    if (partner->next_attempt_at != 0 && !partner->reached)
        partner_heard(partner);
}
