/* Asking the partner what it remembers: one digest, and only if that differs the list. What is done about a difference
 * is decided in reconcile_settle.c. */
#include "failover_sync/reconcile.h"

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

enum reconcile_step { RECONCILE_IDLE, RECONCILE_COMPARING, RECONCILE_LISTING, RECONCILE_WANTING };

struct reconciler {
    struct plugin *plugin;
    size_t number;
    struct exchange *exchange;
    enum reconcile_step step;
    int64_t next_at, failed_wait;
    bool failed;
    bool listed; /* the lists have been compared since the store was made */
    struct partner_list list;
    size_t wanted_next; /* of what is wanted: what has not been asked for yet */
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
    new->next_at = engine_now() + FIRST_MS;
    result = exchange_new(&plugin->relationships.list[number], multi, &new->exchange);
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
    reconciler->next_at = engine_now() + reconciler->plugin->parameters.reconcile_interval_ms;
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
    reconciler->next_at = engine_now() + reconciler->failed_wait;
    partner_list_clear(&reconciler->list);
}

void reconciler_heard(struct reconciler *reconciler)
{
    if (reconciler->step == RECONCILE_IDLE && reconciler->failed)
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
    if (text == NULL || result_failed(exchange_send(reconciler->exchange, text)))
        fail(reconciler);
}

static void ask_compare(struct reconciler *reconciler)
{
    struct scope_index *index = reconciler->plugin->index;
    const struct fingerprint digest = scope_index_digest(index, reconciler->number, SCOPE_DIGEST_OURS);
    const struct fingerprint expected = scope_index_digest(index, reconciler->number, SCOPE_DIGEST_PARTNERS);

    ask(reconciler, json_pack("{s:s,s:s}", "digest", digest.hex, "expected", expected.hex), RECONCILE_COMPARING);
}

static void ask_list(struct reconciler *reconciler, json_int_t from)
{
    ask(reconciler, json_pack("{s:I}", "from", from), RECONCILE_LISTING);
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
static bool is_busy(const struct reconciler *reconciler, int64_t now)
{
    struct plugin *plugin = reconciler->plugin;
    const struct queue_summary *queue = &plugin->status.relationship[reconciler->number].queue;

    return (queue->next_due >= 0 && queue->next_due <= now) || plugin->changes_pending > 0;
}

int64_t reconciler_advance(struct reconciler *reconciler, int64_t now)
{
    struct plugin *plugin = reconciler->plugin;

    if (reconciler->step != RECONCILE_IDLE)
        return INT64_MAX;
    if (plugin->store == NULL || !plugin->parameters.replicate_on_change)
        return INT64_MAX; /* the worker begins anew when there is one */
    if (reconciler->next_at > now)
        return reconciler->next_at;
    if (is_busy(reconciler, now)) {
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
        reconciler->next_at = engine_now() + BUSY_MS;
        return;
    }
    result = reconcile_settle(reconciler->plugin, reconciler->number, &reconciler->list);
    if (result_failed(result)) {
        engine_set_mirror(reconciler->plugin, &result);
        fail(reconciler);
        return;
    }
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

static void take_output(struct reconciler *reconciler, const struct model_node *output)
{
    int64_t next;

    switch (reconciler->step) {
    case RECONCILE_COMPARING:
        reconciler->list.only_removed = model_boolean(output, "equal", false);
        if (reconciler->list.only_removed && has_listed(reconciler))
            finish(reconciler);
        else
            ask_list(reconciler, 0);
        break;
    case RECONCILE_LISTING:
        next = model_integer(output, "next", 0);
        if (result_failed(partner_list_add(&reconciler->list, output)) || reconciler->list.count > LIST_MAX)
            fail(reconciler);
        else if (next > 0 && next > (int64_t)reconciler->list.scopes[reconciler->list.count - 1].subnet_id - 1)
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
    json_t *root = memchr(answer, '\0', length) != NULL ? NULL : json_loads(answer, 0, NULL);
    const json_t *one = json_is_array(root) ? json_array_get(root, 0) : root;
    const json_t *code = json_object_get(one, "result");
    struct result result = result_ok();
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

bool reconciler_finished(struct reconciler *reconciler, CURL *easy, CURLcode code)
{
    struct model_tree *output = NULL;
    struct result result;
    char *answer = NULL;
    size_t length = 0;

    if (!exchange_finished(reconciler->exchange, easy, code, &result, &answer, &length))
        return false;
    if (!result_failed(result))
        result = read_answer(reconciler, answer, length, &output);
    if (result.code == RESULT_NOT_FOUND)
        finish(reconciler);
    else if (result_failed(result))
        fail(reconciler);
    else
        take_output(reconciler, model_root(output));
    model_tree_free(output);
    free(answer);
    return true;
}
