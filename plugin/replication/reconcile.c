/* Asking the partner what it remembers: one digest, and only if that differs the list. What is done about a difference
 * is decided in reconcile_settle.c. */
#include "failover_sync/reconcile.h"

#include "failover_sync/json_load.h"

#include "exchange.h"
#include "reconcile_private.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_MS 200     /* after the start, so that what the load queued goes first */
#define BUSY_MS  500     /* until the queue for the partner is looked at again */
#define AGAIN_MS 1000    /* after a failure, doubled up to the interval */
#define LIST_MAX 1000000 /* scopes of a partner's list: more are no scopes */

enum reconcile_step { RECONCILE_IDLE, RECONCILE_TELLING, RECONCILE_COMPARING, RECONCILE_LISTING, RECONCILE_WANTING };

struct reconciler {
    struct plugin *plugin;
    size_t number;
    struct exchange *exchange;
    enum reconcile_step step;
    int64_t next_at, failed_wait;
    bool failed;
    char told[480]; /* the failure of ours that the status may have */
    bool listed;    /* the lists have been compared since the store was made */
    struct partner_list list;
    size_t wanted_next; /* of what is wanted: what has not been asked for yet */
    uint32_t sent;      /* scopes, before the partner was asked what it has */
};

struct result reconciler_new(struct plugin *plugin, size_t number, CURLM *multi, struct reconciler **reconciler)
{
    struct reconciler *new = calloc(1, sizeof *new);
    struct result result;

    *reconciler = NULL;
    if (new == NULL)
        return result_no_memory("reconciliation");
    new->plugin = plugin;
    new->number = number;
    new->next_at = engine_ticks() + FIRST_MS;
    result = exchange_new(plugin, number, multi, &new->exchange);
    if (result_failed(result)) {
        free(new);
        return result;
    }
    *reconciler = new;
    return result;
}

void reconciler_free(struct reconciler *reconciler)
{
    if (reconciler == NULL)
        return;
    exchange_free(reconciler->exchange);
    partner_list_clear(&reconciler->list);
    free(reconciler);
}

static void finish(struct reconciler *reconciler)
{
    reconciler->step = RECONCILE_IDLE;
    reconciler->failed = false;
    reconciler->failed_wait = 0;
    reconciler->next_at = engine_ticks() + reconciler->plugin->parameters.reconcile_interval_ms;
    partner_list_clear(&reconciler->list);
}

static void fail(struct reconciler *reconciler)
{
    const int64_t interval = reconciler->plugin->parameters.reconcile_interval_ms;

    reconciler->step = RECONCILE_IDLE;
    reconciler->failed = true;
    reconciler->failed_wait = reconciler->failed_wait == 0 ? AGAIN_MS : reconciler->failed_wait * 2;
    if (reconciler->failed_wait > interval)
        reconciler->failed_wait = interval;
    reconciler->next_at = engine_ticks() + reconciler->failed_wait;
    partner_list_clear(&reconciler->list);
}

void reconciler_heard(struct reconciler *reconciler)
{
    if (reconciler->step == RECONCILE_IDLE && reconciler->failed)
        reconciler->next_at = 0;
}

void reconciler_hurry(struct reconciler *reconciler)
{
    reconciler->next_at = 0;
}

/* Sends scope-digest with these arguments, whose reference is taken. */
static void ask(struct reconciler *reconciler, json_t *arguments, enum reconcile_step step)
{
    const struct relationship *relationship = &reconciler->plugin->relationships.list[reconciler->number];
    json_t *command = json_pack("{s:s,s:[s],s:o}", "command", "scope-digest", "service",
                                reconciler->plugin->server->service, "arguments", arguments);
    json_t *sent = json_object_get(command, "arguments");
    char *text = NULL;

    if (sent != NULL && json_object_set_new(sent, "sender", json_string(relationship_self(relationship)->name)) == 0 &&
        json_object_set_new(sent, "receiver", json_string(relationship_partner(relationship)->name)) == 0)
        text = json_dumps(command, JSON_COMPACT);
    json_decref(command);
    reconciler->step = step;
    if (text == NULL)
        fail(reconciler);
    else
        exchange_send(reconciler->exchange, &(struct exchange_order){.request = text,
                                                                     .command = "scope-digest",
                                                                     .timeout_ms = EXCHANGE_TIMEOUT_MS,
                                                                     .answer_max = EXCHANGE_ANSWER_MAX});
}

/* The partner is to know that it is not in sync with this server, whatever it remembers. */
static void tell_unusable(struct reconciler *reconciler)
{
    const struct result why = engine_no_store(reconciler->plugin);

    ask(reconciler, json_pack("{s:s}", "unusable", why.message), RECONCILE_TELLING);
}

static uint32_t objects_sent(const struct reconciler *reconciler)
{
    struct engine_status *status = &reconciler->plugin->status;
    uint32_t sent;

    (void)pthread_mutex_lock(&status->lock);
    sent = status->relationship[reconciler->number].sent;
    (void)pthread_mutex_unlock(&status->lock);
    return sent;
}

/* The partner has told all that it has, also of what it took without an answer; unless something is under way again. */
static void note_told(const struct reconciler *reconciler)
{
    struct engine_status *status = &reconciler->plugin->status;

    (void)pthread_mutex_lock(&status->lock);
    if (status->relationship[reconciler->number].sent == reconciler->sent)
        status->relationship[reconciler->number].unsettled = false;
    (void)pthread_mutex_unlock(&status->lock);
}

static void ask_compare(struct reconciler *reconciler)
{
    struct scope_index *index = reconciler->plugin->index;
    const struct fingerprint digest = scope_index_digest(index, reconciler->number, SCOPE_DIGEST_OURS);
    const struct fingerprint expected = scope_index_digest(index, reconciler->number, SCOPE_DIGEST_PARTNERS);

    reconciler->sent = objects_sent(reconciler);
    ask(reconciler, json_pack("{s:s,s:s}", "digest", digest.hex, "expected", expected.hex), RECONCILE_COMPARING);
}

static void ask_list(struct reconciler *reconciler, json_int_t from)
{
    char position[24];

    (void)snprintf(position, sizeof position, "%lld", (long long)from);
    ask(reconciler, json_pack("{s:o}", "from", from > UINT32_MAX ? json_string(position) : json_integer(from)),
        RECONCILE_LISTING);
}

/* The next part of what is wanted; nothing left ends the reconciliation. */
static void ask_wanted(struct reconciler *reconciler)
{
    json_t *arguments = partner_list_wanted(&reconciler->list, &reconciler->wanted_next);

    if (arguments == NULL)
        finish(reconciler);
    else
        ask(reconciler, arguments, RECONCILE_WANTING);
}

/* What is on its way would look like a difference, and a change of which nothing is recorded yet would be taken for one
 * made on top of what the partner has. */
static bool is_busy(const struct reconciler *reconciler)
{
    const int64_t now = engine_now();
    struct plugin *plugin = reconciler->plugin;
    const struct queue_summary *queue = &plugin->status.relationship[reconciler->number].queue;

    return (queue->next_due >= 0 && queue->next_due <= now) || plugin->changes_pending > 0;
}

/* Asks, if it is time. Returns when to look again. */
static int64_t begin_due(struct reconciler *reconciler, int64_t now)
{
    struct plugin *plugin = reconciler->plugin;

    if (plugin->store_refuses || !plugin->parameters.replicate_on_change)
        return INT64_MAX; /* it is looked at again every second */
    if (reconciler->next_at > now)
        return reconciler->next_at;
    if (plugin->store == NULL) { /* the worker begins anew when there is one */
        tell_unusable(reconciler);
        return reconciler->step == RECONCILE_IDLE ? reconciler->next_at : INT64_MAX;
    }
    if (is_busy(reconciler)) {
        reconciler->next_at = now + BUSY_MS;
        return reconciler->next_at;
    }
    ask_compare(reconciler);
    return reconciler->step == RECONCILE_IDLE ? reconciler->next_at : INT64_MAX;
}

static void settle(struct reconciler *reconciler)
{
    struct result result;

    if (reconciler->plugin->changes_pending > 0) {
        finish(reconciler);
        reconciler->next_at = engine_ticks() + BUSY_MS;
        return;
    }
    result = reconcile_settle(reconciler->plugin, reconciler->number, &reconciler->list);
    if (result_failed(result)) {
        engine_set_mirror(reconciler->plugin, &result);
        fail(reconciler);
        return;
    }
    note_told(reconciler);
    engine_refresh_queue(reconciler->plugin, reconciler->number);
    reconciler->listed = true;
    reconciler->wanted_next = 0;
    ask_wanted(reconciler);
}

/* The digest is of scopes. What the partner has removed is to be known here, too, in case its store is lost. */
static bool has_listed(struct reconciler *reconciler)
{
    const struct relationship *relationship = &reconciler->plugin->relationships.list[reconciler->number];
    struct result result = result_ok();

    if (!reconciler->listed)
        result = server_store_listed(reconciler->plugin->store, relationship_partner(relationship)->record_id,
                                     &reconciler->listed);
    return !result_failed(result) && reconciler->listed;
}

struct agreement_look {
    size_t number;
    bool agreed;
};

static bool look_at_agreement(void *context, const struct scope_entry *entry)
{
    struct agreement_look *look = context;

    if ((entry->members >> look->number & 1) != 0 && !entry->unprinted && !scope_entry_agreed(entry, look->number))
        look->agreed = false;
    return look->agreed;
}

/* Whether this server calls nothing out of sync: where the digests are equal, nothing is. */
static bool is_agreed(struct scope_index *index, size_t number)
{
    struct agreement_look look = {.number = number, .agreed = true};

    scope_index_each(index, look_at_agreement, &look);
    return look.agreed;
}

/* False: the list is not to be used. A page that is not the last brings scopes, and *next is the last of them or
 * beyond: each page takes the list further, and so it comes to an end whoever the partner is. */
static bool take_page(struct reconciler *reconciler, const struct model_node *output, int64_t *next)
{
    struct partner_list *list = &reconciler->list;
    const size_t before = list->count;

    *next = model_integer(output, "next", 0);
    if (result_failed(partner_list_add(list, output)) || list->count > LIST_MAX)
        return false;
    return *next <= 0 || (list->count > before && *next >= (int64_t)list->scopes[list->count - 1].id);
}

static void take_output(struct reconciler *reconciler, const struct model_node *output)
{
    const char *unusable = model_text(output, "unusable");
    int64_t next;

    engine_set_partner_error(reconciler->plugin, reconciler->number, unusable);
    if (unusable != NULL) {
        fail(reconciler);
        return;
    }
    switch (reconciler->step) {
    case RECONCILE_TELLING:
        finish(reconciler);
        break;
    case RECONCILE_COMPARING:
        reconciler->list.only_removed =
            model_boolean(output, "equal", false) && is_agreed(reconciler->plugin->index, reconciler->number);
        if (reconciler->list.only_removed && has_listed(reconciler))
            finish(reconciler);
        else
            ask_list(reconciler, 0);
        break;
    case RECONCILE_LISTING:
        if (!take_page(reconciler, output, &next))
            fail(reconciler);
        else if (next > 0)
            ask_list(reconciler, next);
        else
            settle(reconciler);
        break;
    default:
        ask_wanted(reconciler);
        break;
    }
}

/* RESULT_NOT_FOUND: the partner does not know the command, so there is nothing to reconcile with. */
static struct result read_answer(struct reconciler *reconciler, const char *answer, size_t length,
                                 struct model_tree **output)
{
    const char *name = relationship_partner(&reconciler->plugin->relationships.list[reconciler->number])->name;
    json_t *root = memchr(answer, '\0', length) != NULL ? NULL : json_load(answer, 0, &json_arguments_bounds, NULL);
    const json_t *one = json_is_array(root) ? json_array_get(root, 0) : root;
    const json_t *code = json_object_get(one, "result");
    struct result result;
    char *text = NULL;

    *output = NULL;
    if (!json_is_integer(code)) {
        result = result_error(RESULT_NETWORK, "%.80s did not answer as a Kea server does", name);
    } else if (json_integer_value(code) == 2) {
        result = result_error(RESULT_NOT_FOUND, "%.80s does not know the command scope-digest", name);
    } else if (json_integer_value(code) != 0) {
        result = result_error(RESULT_REFUSED, "%.80s refused scope-digest", name);
    } else {
        text = json_dumps(json_object_get(one, "arguments"), JSON_COMPACT | JSON_ENCODE_ANY);
        result = text == NULL ? result_no_memory("an answer")
                              : model_parse_output(reconciler->plugin->model, "scope-digest", text, output);
    }
    free(text);
    json_decref(root);
    return result;
}

/* What keeps the two from speaking at all, and stays so until somebody mends it, is told although nothing is waiting to
 * be sent. What the partner has been told of otherwise is not covered up. */
static void tell(struct reconciler *reconciler, const struct result *why)
{
    struct engine_status *status = &reconciler->plugin->status;
    struct relationship_status *shown = &status->relationship[reconciler->number];
    const bool lasting = why->code == RESULT_REFUSED || why->code == RESULT_INVALID;

    bool may_tell;

    (void)pthread_mutex_lock(&status->lock);
    may_tell = shown->last_error[0] == '\0' || strcmp(shown->last_error, reconciler->told) == 0;
    if (may_tell && (lasting || !result_failed(*why))) {
        (void)snprintf(reconciler->told, sizeof reconciler->told, "%s", lasting ? why->message : "");
        (void)snprintf(shown->last_error, sizeof shown->last_error, "%s", reconciler->told);
    }
    (void)pthread_mutex_unlock(&status->lock);
}

/* What came of the question; false if nothing has yet. */
static bool take_outcome(struct reconciler *reconciler)
{
    struct exchange_outcome outcome;
    struct model_tree *output = NULL;

    if (!exchange_take(reconciler->exchange, &outcome))
        return false;
    tell(reconciler, &outcome.why);
    if (!result_failed(outcome.why))
        outcome.why = read_answer(reconciler, outcome.answer, outcome.length, &output);
    if (outcome.why.code == RESULT_NOT_FOUND)
        finish(reconciler);
    else if (result_failed(outcome.why))
        fail(reconciler);
    else
        take_output(reconciler, model_root(output));
    model_tree_free(output);
    free(outcome.answer);
    return true;
}

int64_t reconciler_advance(struct reconciler *reconciler, int64_t now)
{
    int64_t next;

    do {
        next = reconciler->step == RECONCILE_IDLE ? begin_due(reconciler, now) : INT64_MAX;
        if (reconciler->step != RECONCILE_IDLE)
            next = exchange_advance(reconciler->exchange, now);
    } while (take_outcome(reconciler));
    return next;
}

bool reconciler_finished(struct reconciler *reconciler, CURL *easy, CURLcode code)
{
    if (!exchange_finished(reconciler->exchange, easy, code))
        return false;
    (void)take_outcome(reconciler);
    return true;
}
