/* scope-receive, the command between partners: a batch in, an answer out. What happens to the batch is in
 * reception_apply.c and reception_record.c; the tickets that tell how far it has got are in tickets.c. */
#include "plugin/replication/reception.h"

#include "failover_sync/answer.h"
#include "failover_sync/fault.h"
#include "failover_sync/json_bounds.h"
#include "failover_sync/object_json.h"
#include "failover_sync/operation.h"
#include "failover_sync/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static json_t *outcomes_json(const struct reception *reception)
{
    static const char *const words[] = {"failed",   "applied",     "unchanged",   "conflict", "overruled",
                                        "outdated", "id-mismatch", "clock-ahead", "failed",   "held"};
    json_t *outcomes = json_object();

    for (size_t i = 0; i < reception->count; i++) {
        const struct received_scope *scope = &reception->scopes[i];
        char version[VERSION_TEXT_SIZE];
        json_t *outcome;

        version_print(&scope->answered, version);
        outcome = object_json(scope->id, object_kind_of(scope->id) == OBJECT_SCOPE ? NULL : scope->name);
        if (outcome != NULL && scope->text[0] != '\0')
            (void)json_object_set_new(outcome, "text", json_string(scope->text));
        if (json_object_set_new(outcome, "result", json_string(words[scope->outcome])) != 0 ||
            json_object_set_new(outcome, "fingerprint", json_string(scope->now.hex)) != 0 ||
            json_object_set_new(outcome, "version", json_string(version)) != 0 ||
            !object_json_append(outcomes, &object_lists_all, scope->id, json_incref(outcome))) {
            json_decref(outcome);
            json_decref(outcomes);
            return NULL;
        }
        json_decref(outcome);
    }
    return outcomes;
}

static void report(const struct reception *reception)
{
    size_t applied = 0, unchanged = 0;
    char texts[4][24];

    for (size_t i = 0; i < reception->count; i++) {
        applied += reception->scopes[i].outcome == BATCH_APPLIED;
        unchanged += reception->scopes[i].outcome == BATCH_UNCHANGED;
    }
    (void)snprintf(texts[0], sizeof texts[0], "%zu", reception->count);
    (void)snprintf(texts[1], sizeof texts[1], "%zu", applied);
    (void)snprintf(texts[2], sizeof texts[2], "%zu", unchanged);
    (void)snprintf(texts[3], sizeof texts[3], "%zu", reception->count - applied - unchanged);
    kea_log(reception->plugin->server, FAILOVER_SYNC_RECEIVED, texts[0],
            relationship_partner(reception_relationship(reception))->name, texts[1], texts[2], texts[3]);
}

static int64_t monotonic_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void apply(struct reception *reception)
{
    const int64_t begun = monotonic_us();
    struct plugin *plugin = reception->plugin;
    char ticket[TICKET_NAME_SIZE];
    json_t *outcomes;
    struct result result;

    memcpy(ticket, reception->ticket, sizeof ticket);
    reception_apply(reception);
    report(reception);
    outcomes = outcomes_json(reception);
    tickets_set_pause(plugin->tickets, ticket, (uint32_t)(monotonic_us() - begun));
    tickets_set(plugin->tickets, ticket, TICKET_APPLIED, NULL, outcomes);
    result = worker_post(plugin, reception_record, reception_drop, reception);
    if (result_failed(result))
        tickets_set(plugin->tickets, ticket, TICKET_UNRECORDED, result.message, NULL);
}

/* What was changed here before the batch came must be counted before it can be compared: then it is its turn. */
static void take_turn(void *argument, bool cancelled)
{
    struct reception *reception = argument;
    struct plugin *plugin = reception->plugin;

    if (cancelled) {
        reception_free(reception);
        return;
    }
    if (!reception_find_place(reception)) {
        reception_end(reception);
        return;
    }
    if (plugin->changes_pending > 0) {
        char ticket[TICKET_NAME_SIZE];
        struct result result;

        memcpy(ticket, reception->ticket, sizeof ticket);
        result = worker_post(plugin, reception_wait, reception_drop, reception);
        if (result_failed(result))
            tickets_set(plugin->tickets, ticket, TICKET_UNRECORDED, result.message, NULL);
        return;
    }
    apply(reception);
}

struct result reception_wait(struct plugin *plugin, void *argument)
{
    struct result result = plugin->server->run_on_main(plugin->server->context, take_turn, argument);

    if (result_failed(result))
        reception_drop(argument);
    return result_ok();
}

/* The main thread parses the definitions, and the server's parser recurses: one beyond the bounds is refused, the
 * others go on. `taken` is what the batch has had so far. */
static void check_definition(struct received_scope *scope, struct json_bounds *taken)
{
    struct json_bounds left = json_batch_bounds, found;
    const char *together = "";
    char what[100];

    left.values -= taken->values;
    if (json_measure(scope->definition, strlen(scope->definition), &left, &found)) {
        taken->values += found.values;
        return;
    }
    if (found.depth <= left.depth) {
        found.values += taken->values;
        together = taken->values == 0 ? "" : " and those before it";
    }
    (void)snprintf(what, sizeof what, "the definition of %.48s%s", scope->name, together);
    scope->outcome = BATCH_FAILED;
    (void)snprintf(scope->text, sizeof scope->text, "%.290s",
                   json_bounds_refusal(what, &json_batch_bounds, &found).message);
}

static struct result take_scopes(struct reception *reception, const struct model_node *input)
{
    struct json_bounds taken = {.bytes = 0};
    size_t count = 0;

    for (const struct model_node *node = object_first(input, &object_lists_all); node != NULL;
         node = object_next(input, &object_lists_all, node))
        count++;
    reception->scopes = calloc(count + 1, sizeof *reception->scopes);
    if (reception->scopes == NULL)
        return result_no_memory("received scopes");
    for (const struct model_node *node = object_first(input, &object_lists_all); node != NULL;
         node = object_next(input, &object_lists_all, node)) {
        struct received_scope *scope = &reception->scopes[reception->count++];
        const char *definition = model_text(node, "definition"), *name;

        scope->id = object_of_node(node, &name);
        if (scope->id == 0)
            return result_error(RESULT_INVALID, "number %zu of objects has a name of more than %d bytes",
                                reception->count, OBJECT_NAME_SIZE - 1);
        scope->name = strdup(name);
        scope->definition = definition == NULL ? NULL : strdup(definition);
        scope->base = fingerprint_parse(model_text(node, "base"));
        scope->theirs = fingerprint_parse(model_text(node, "fingerprint"));
        scope->force = model_boolean(node, "force", false);
        if (!version_parse(model_text(node, "version"), &scope->version) ||
            !version_parse(model_text(node, "network-version"), &scope->network))
            return result_error(RESULT_INVALID, "the version of object %llu is none", (unsigned long long)scope->id);
        if (scope->name == NULL || (definition != NULL && scope->definition == NULL))
            return result_no_memory("received scopes");
        if (definition != NULL)
            check_definition(scope, &taken);
    }
    return result_ok();
}

static char *answer_ticket(struct plugin *plugin, const char *name)
{
    json_t *description = tickets_describe(plugin->tickets, name);

    if (description == NULL)
        return answer_empty(NULL, "ticket %.64s is not known here: the server was restarted, or it is too old", name);
    if (json_object_set_new(description, "clock", json_integer(engine_now_seconds())) != 0) {
        json_decref(description);
        return NULL;
    }
    return answer_success(description, "ticket %.64s", name);
}

/* Why the two names do not fit, as far as this server can tell. */
static struct fault explain_names(const struct plugin *plugin, const struct relationship *relationship,
                                  const char *sender, const char *receiver)
{
    const char *self = plugin->relationships.server_name;

    if (strcmp(sender, relationship == NULL ? self : relationship_self(relationship)->name) == 0)
        return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, NULL,
                               "the url that %.80s has for %.80s is that of %.80s itself: correct it in High "
                               "Availability's parameters, or in 'partners'",
                               sender, receiver, sender);
    if (relationship != NULL)
        return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, NULL,
                               "%.80s calls its partner %.80s, not %.80s: check the url that it has for %.80s, and the "
                               "names in High Availability's parameters on both",
                               sender, receiver, relationship_self(relationship)->name, receiver);
    for (size_t i = 0; i < plugin->relationships.count; i++)
        if (plugin->relationships.list[i].local && strcmp(self, receiver) == 0)
            return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, NULL,
                                   "%.80s calls its partner %.80s, not %.80s: check the names in High Availability's "
                                   "parameters on both, or give failover-add on both",
                                   self, relationship_partner(&plugin->relationships.list[i])->name, sender);
    return fault_of_sender(
        EXCEPTION_OBJECT_NOT_FOUND, NULL,
        "%.80s speaks to %.80s, but this server, %.80s, has no relationship with it under those names: check High "
        "Availability's parameters on both, or give failover-add on both",
        sender, receiver, self);
}

const struct relationship *reception_find_relationship(const struct plugin *plugin, const char *sender,
                                                       const char *receiver, struct fault *fault)
{
    const struct relationship *relationship = relationships_find_partner(&plugin->relationships, sender);

    if (relationship != NULL && strcmp(relationship_self(relationship)->name, receiver) == 0)
        return relationship;
    *fault = explain_names(plugin, relationship, sender, receiver);
    return NULL;
}

char *command_scope_receive(struct plugin *plugin, const struct model_node *input)
{
    const char *sender = model_text(input, "sender"), *receiver = model_text(input, "receiver");
    const char *asked = model_text(input, "ticket");
    struct fault fault;
    const struct relationship *relationship = reception_find_relationship(plugin, sender, receiver, &fault);
    struct reception *reception;
    struct result result;
    char ticket[TICKET_NAME_SIZE];
    size_t number;

    if (relationship == NULL)
        return fault_answer(&fault);
    number = (size_t)(relationship - plugin->relationships.list);
    if (plugin->store == NULL) {
        fault = fault_of_result(engine_no_store(plugin), EXCEPTION_SCOPE_NOT_UPDATED_REMOTELY);
        return fault_answer(&fault);
    }
    if (asked != NULL)
        return answer_ticket(plugin, asked);
    engine_set_partner_error(plugin, number, NULL);
    reception = reception_new(plugin, number);
    if (reception == NULL)
        return NULL;
    if (!reception_claim(reception)) {
        reception_end(reception);
        return answer_success(json_pack("{s:s}", "state", "busy"),
                              "an earlier batch is not recorded yet; the next one is taken after that");
    }
    reception->clock = model_integer(input, "clock", 0);
    result = take_scopes(reception, input);
    if (result_failed(result)) {
        reception_end(reception);
        fault = fault_of_result(result, EXCEPTION_SCOPE_NOT_UPDATED_REMOTELY);
        return fault_answer(&fault);
    }
    /* Only with a batch that is taken: two that refuse each other's would wake each other for ever. */
    worker_partner_heard(plugin, sender);
    tickets_issue(plugin->tickets, plugin->instance, reception->ticket);
    memcpy(ticket, reception->ticket, sizeof ticket);
    if (plugin->server->on_main(plugin->server->context)) {
        take_turn(reception, false);
    } else {
        result = plugin->server->run_on_main(plugin->server->context, take_turn, reception);
        if (result_failed(result)) {
            reception_end(reception);
            fault = fault_of_result(result, EXCEPTION_SCOPE_NOT_UPDATED_REMOTELY);
            return fault_answer(&fault);
        }
    }
    return answer_ticket(plugin, ticket);
}
