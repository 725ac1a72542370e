/* scope-receive at the partner: compare and set on the main thread, then the record by the worker. The tickets in between
 * are tickets.c's. */
#include "failover_sync/receive.h"

#include "failover_sync/answer.h"
#include "failover_sync/mirror.h"
#include "failover_sync/operation.h"
#include "failover_sync/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One scope received. */
struct received_scope {
    uint32_t subnet_id;
    char *prefix;
    char *definition; /* NULL removes the scope */
    struct fingerprint base, theirs;

    enum batch_outcome outcome;
    char text[300];
    struct kea_scope before; /* kept when it loses a conflict */
    struct kea_scope after;
    struct fingerprint now; /* of `after` */
    bool conflicting;
};

struct reception {
    struct plugin *plugin;
    size_t number; /* of the relationship */
    char ticket[TICKET_NAME_SIZE];
    struct received_scope *scopes;
    size_t count;
};

static void reception_free(void *argument)
{
    struct reception *reception = argument;

    if (reception == NULL)
        return;
    for (size_t i = 0; i < reception->count; i++) {
        free(reception->scopes[i].prefix);
        free(reception->scopes[i].definition);
        kea_scope_clear(&reception->scopes[i].before);
        kea_scope_clear(&reception->scopes[i].after);
    }
    free(reception->scopes);
    free(reception);
}

static const struct relationship *relationship_of(const struct reception *reception)
{
    return &reception->plugin->relationships.list[reception->number];
}

/* ---- compare and set, on the main thread ---------------------------------------------------------------------------- */

static struct fingerprint fingerprint_of_scope(const struct kea_scope *scope)
{
    return scope->replicated == NULL ? fingerprint_parse(NULL)
                                     : fingerprint_of(scope->replicated, strlen(scope->replicated));
}

static bool same(struct fingerprint a, struct fingerprint b)
{
    return strcmp(a.hex, b.hex) == 0;
}

/* Whether the prefix is configured here under another id: leases carry ids, so it is never guessed which is right. */
static bool has_other_id(const struct reception *reception, struct received_scope *scope)
{
    const struct kea_server *server = reception->plugin->server;
    uint32_t found = 0;

    if (scope->definition == NULL || result_failed(server->scope_find(server->context, KEA_RUNNING, scope->prefix, &found)) ||
        found == scope->subnet_id)
        return false;
    scope->outcome = BATCH_ID_MISMATCH;
    (void)snprintf(scope->text, sizeof scope->text,
                   "%s has subnet id %u here and %u on %.80s: configure the same id on both servers", scope->prefix, found,
                   scope->subnet_id, relationship_partner(relationship_of(reception))->name);
    return true;
}

/* Settles what needs no change here; true if the scope is to be applied. */
static bool compare(const struct reception *reception, struct received_scope *scope)
{
    const struct kea_server *server = reception->plugin->server;
    const struct relationship *relationship = relationship_of(reception);
    struct fingerprint current;
    struct result result = server->scope_get(server->context, KEA_RUNNING, scope->subnet_id, &scope->before);

    if (result_failed(result) && result.code != RESULT_NOT_FOUND) {
        scope->outcome = BATCH_FAILED;
        (void)snprintf(scope->text, sizeof scope->text, "%.290s", result.message);
        return false;
    }
    current = fingerprint_of_scope(&scope->before);
    if (same(current, scope->theirs)) {
        scope->outcome = BATCH_UNCHANGED;
        return false;
    }
    if (has_other_id(reception, scope))
        return false;
    if (same(current, scope->base))
        return true;
    scope->conflicting = true;
    if (!reception->plugin->parameters.primary_wins) {
        scope->outcome = BATCH_CONFLICT;
        (void)snprintf(scope->text, sizeof scope->text, "%.80s holds a version of its own of %s",
                       relationship_self(relationship)->name, scope->prefix);
        return false;
    }
    if (relationship_is_primary(relationship)) {
        scope->outcome = BATCH_OVERRULED;
        return false;
    }
    return true;
}

static void take_result(struct received_scope *scope, struct kea_change *change)
{
    scope->outcome = change->applied ? BATCH_APPLIED : BATCH_FAILED;
    if (!change->applied)
        (void)snprintf(scope->text, sizeof scope->text, "%.290s", change->text == NULL ? "out of memory" : change->text);
    free(change->text);
    scope->after = change->after;
}

static void apply(struct reception *reception)
{
    const struct kea_server *server = reception->plugin->server;
    struct kea_change *changes = calloc(reception->count, sizeof *changes);
    size_t *which = calloc(reception->count, sizeof *which);
    size_t count = 0;

    for (size_t i = 0; i < reception->count; i++) {
        struct received_scope *scope = &reception->scopes[i];

        if (changes == NULL || which == NULL) {
            scope->outcome = BATCH_FAILED;
            (void)snprintf(scope->text, sizeof scope->text, "out of memory");
        } else if (compare(reception, scope)) {
            changes[count] = (struct kea_change){
                .subnet_id = scope->subnet_id, .prefix = scope->prefix, .definition = scope->definition};
            which[count++] = i;
        }
    }
    if (count > 0)
        server->scopes_apply(server->context, KEA_RUNNING, changes, count);
    for (size_t i = 0; i < count; i++)
        take_result(&reception->scopes[which[i]], &changes[i]);
    free(changes);
    free(which);
    for (size_t i = 0; i < reception->count; i++) {
        struct received_scope *scope = &reception->scopes[i];

        /* What was not touched is as it was. */
        if (scope->outcome != BATCH_APPLIED && scope->after.definition == NULL) {
            scope->after = scope->before;
            scope->before = (struct kea_scope){.subnet_id = 0};
        }
        scope->now = fingerprint_of_scope(&scope->after);
    }
}

/* ---- the record, on the worker --------------------------------------------------------------------------------------- */

static struct result record_history(struct mirror_writer *writer, const struct received_scope *scope)
{
    struct history_row lost = {
        .subnet_id = scope->subnet_id,
        .prefix = scope->prefix,
        .definition = scope->before.definition,
        .fingerprint = fingerprint_of_scope(&scope->before),
        .reason = "changed on both servers: the primary's version counts",
        .replaced_at = writer->now,
    };

    kea_log(writer->plugin->server, FAILOVER_SYNC_CONFLICT, scope->prefix,
            "the version of this server is kept in the history, the primary's counts");
    return history_store_add(writer->plugin->store, &lost);
}

/* The partner's last known version of a scope that we did not take. */
static struct fingerprint known_base(struct plugin *plugin, const struct received_scope *scope, size_t number)
{
    struct fingerprint base = fingerprint_parse(NULL);
    struct scope_entry entry;

    if (scope_index_get(plugin->index, scope->subnet_id, &entry)) {
        base = entry.agreement[number].theirs;
        scope_entry_clear(&entry);
    }
    return base;
}

/* Our removal of a scope that the partner changed meanwhile, and ours counts: send it again, on top of that change. */
static struct result record_overruled_change(struct mirror_writer *writer, const struct reception *reception,
                                             const struct received_scope *scope)
{
    const struct relationship *relationship = relationship_of(reception);
    struct queue_item wish = {
        .relation_record_id = relationship->record_id,
        .server_record_id = relationship_partner(relationship)->record_id,
        .subnet_id = scope->subnet_id,
        .removal = true,
    };
    struct scope_entry gone = {.subnet_id = scope->subnet_id, .modified_at = writer->now};
    struct result result;

    if (scope->definition == NULL)
        return result_ok();
    (void)snprintf(wish.prefix, sizeof wish.prefix, "%s", scope->prefix);
    (void)snprintf(gone.prefix, sizeof gone.prefix, "%s", scope->prefix);
    gone.agreement = calloc(RELATIONSHIP_MAX, sizeof *gone.agreement);
    if (gone.agreement == NULL)
        return result_no_memory("a conflict");
    gone.agreement[reception->number].theirs = scope->theirs;
    result = mirror_put_agreement(writer, &gone, reception->number, scope->definition);
    free(gone.agreement);
    return result_failed(result) ? result : queue_put(writer->plugin->store, &wish, writer->now);
}

static struct result record_scope(struct mirror_writer *writer, const struct reception *reception,
                                  const struct received_scope *scope)
{
    struct mirror_version version = {
        .scope = &scope->after,
        .fingerprint = scope->now,
        .origin = SCOPE_FROM_PARTNER,
        .agreed_with = (int)reception->number,
        .theirs = scope->theirs,
    };
    struct scope_entry entry;
    struct result result = result_ok();

    switch (scope->outcome) {
    case BATCH_UNCHANGED:
        /* The same version on both: whose it was first does not change. */
        if (scope_index_get(writer->plugin->index, scope->subnet_id, &entry)) {
            version.origin = entry.origin;
            scope_entry_clear(&entry);
        }
        break;
    case BATCH_APPLIED:
        if (scope->conflicting)
            result = record_history(writer, scope);
        break;
    case BATCH_OVERRULED:
        if (scope->after.definition == NULL)
            return record_overruled_change(writer, reception, scope);
        kea_log(writer->plugin->server, FAILOVER_SYNC_CONFLICT, scope->prefix, "the version of this server, the primary, counts");
        version.disagreed = true;
        version.origin = SCOPE_FROM_CONFIGURATION;
        break;
    case BATCH_CONFLICT:
        kea_log(writer->plugin->server, FAILOVER_SYNC_CONFLICT, scope->prefix, "both versions are kept");
        if (scope->after.definition == NULL)
            return result;
        version.disagreed = version.hold = true;
        version.origin = SCOPE_FROM_CONFIGURATION;
        version.theirs = known_base(writer->plugin, scope, reception->number);
        version.reason = "changed on both servers, both versions are kept";
        break;
    default:
        return result;
    }
    if (result_failed(result))
        return result;
    if (scope->after.definition == NULL)
        return mirror_remove_scope(writer, scope->subnet_id, SCOPE_FROM_PARTNER, false, (int)reception->number);
    return mirror_put_scope(writer, &version);
}

static json_t *network_of(const struct kea_scope *scope)
{
    json_t *root = scope->definition == NULL ? NULL : json_loads(scope->definition, 0, NULL);
    json_t *network = json_incref(json_object_get(root, "shared-network"));

    json_decref(root);
    return network;
}

/* The shared network that a scope brought, if it is another than before; the caller's reference. */
static json_t *changed_network(const struct received_scope *scope)
{
    json_t *before = network_of(&scope->before), *after = network_of(&scope->after);

    if (json_equal(before, after)) {
        json_decref(after);
        after = NULL;
    }
    json_decref(before);
    return after;
}

/* A scope brings its shared network's parameters, and with them other scopes of the network change: those that did not
 * come along are read again. Scopes of one network come one after the other, so each network is looked at once. */
static struct result look_at_networks(struct plugin *plugin, const struct reception *reception)
{
    struct result result = result_ok();
    json_t *seen = NULL;

    for (size_t i = 0; i < reception->count && !result_failed(result); i++) {
        const struct received_scope *scope = &reception->scopes[i];
        json_t *network = scope->outcome == BATCH_APPLIED ? changed_network(scope) : NULL;
        uint32_t *ids = NULL;
        size_t count = 0;

        if (network == NULL || json_equal(network, seen)) {
            json_decref(network);
            continue;
        }
        json_decref(seen);
        seen = network;
        result = mirror_network_members(plugin, scope->subnet_id, &ids, &count);
        if (!result_failed(result) && count > 0)
            result = changes_read_soon(plugin, ids, count);
        free(ids);
    }
    json_decref(seen);
    return result;
}

static struct result record(struct plugin *plugin, void *argument)
{
    struct reception *reception = argument;
    const char *sender = relationship_partner(relationship_of(reception))->name;
    struct mirror_writer writer;
    struct result result = mirror_begin(plugin, &writer);

    if (!result_failed(result)) {
        for (size_t i = 0; i < reception->count && !result_failed(result); i++)
            result = record_scope(&writer, reception, &reception->scopes[i]);
        if (result_failed(result))
            mirror_abandon(&writer);
        else
            result = mirror_commit(&writer);
    }
    if (!result_failed(result))
        result = look_at_networks(plugin, reception);
    if (result_failed(result)) {
        kea_log(plugin->server, FAILOVER_SYNC_RECORD_FAILED, sender, result.message);
        tickets_set(plugin->tickets, reception->ticket, TICKET_UNRECORDED, result.message, NULL);
        engine_set_mirror(plugin, &result);
    } else {
        tickets_set(plugin->tickets, reception->ticket, TICKET_RECORDED, NULL, NULL);
        (void)pthread_mutex_lock(&plugin->status.lock);
        plugin->status.relationship[reception->number].scopes_received += (uint32_t)reception->count;
        (void)pthread_mutex_unlock(&plugin->status.lock);
    }
    reception_free(reception);
    /* The sender comes again with what was not recorded; nothing has to be kept for it here. */
    return result_failed(result) && result.code != RESULT_STORE ? result : result_ok();
}

/* ---- the command ----------------------------------------------------------------------------------------------------- */

static json_t *outcomes_json(const struct reception *reception)
{
    static const char *const words[] = {"failed",    "applied",     "unchanged", "conflict",
                                        "overruled", "id-mismatch", "failed"};
    json_t *list = json_array();

    for (size_t i = 0; i < reception->count; i++) {
        const struct received_scope *scope = &reception->scopes[i];
        json_t *outcome = json_pack("{s:I,s:s,s:s}", "subnet-id", (json_int_t)scope->subnet_id, "result",
                                    words[scope->outcome], "fingerprint", scope->now.hex);

        if (outcome != NULL && scope->text[0] != '\0')
            (void)json_object_set_new(outcome, "text", json_string(scope->text));
        if (json_array_append_new(list, outcome) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
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
            relationship_partner(relationship_of(reception))->name, texts[1], texts[2], texts[3]);
}

static void apply_on_main(void *argument, bool cancelled)
{
    struct reception *reception = argument;
    struct plugin *plugin = reception->plugin;
    char ticket[TICKET_NAME_SIZE];
    struct result result;

    if (cancelled) {
        reception_free(reception);
        return;
    }
    memcpy(ticket, reception->ticket, sizeof ticket);
    apply(reception);
    report(reception);
    tickets_set(plugin->tickets, ticket, TICKET_APPLIED, NULL, outcomes_json(reception));
    result = worker_post(plugin, record, reception_free, reception);
    if (result_failed(result))
        tickets_set(plugin->tickets, ticket, TICKET_UNRECORDED, result.message, NULL);
}

static struct result take_scopes(struct reception *reception, const struct model_node *input)
{
    size_t count = 0;

    for (const struct model_node *node = model_first(input, "scopes"); node != NULL; node = model_next(node))
        count++;
    reception->scopes = calloc(count, sizeof *reception->scopes);
    if (reception->scopes == NULL)
        return result_no_memory("received scopes");
    for (const struct model_node *node = model_first(input, "scopes"); node != NULL; node = model_next(node)) {
        struct received_scope *scope = &reception->scopes[reception->count++];
        const char *definition = model_text(node, "definition");

        scope->subnet_id = (uint32_t)model_integer(node, "subnet-id", 0);
        scope->prefix = strdup(model_text(node, "prefix"));
        scope->definition = definition == NULL ? NULL : strdup(definition);
        scope->base = fingerprint_parse(model_text(node, "base"));
        scope->theirs = fingerprint_parse(model_text(node, "fingerprint"));
        if (scope->prefix == NULL || (definition != NULL && scope->definition == NULL))
            return result_no_memory("received scopes");
    }
    return result_ok();
}

static char *answer_ticket(struct plugin *plugin, const char *name)
{
    json_t *description = tickets_describe(plugin->tickets, name);

    if (description == NULL)
        return answer_empty(NULL, "ticket %.64s is not known here: the server was restarted, or it is too old", name);
    return answer_success(description, "ticket %.64s", name);
}

char *command_scope_receive(struct plugin *plugin, const struct model_node *input)
{
    const char *sender = model_text(input, "sender"), *receiver = model_text(input, "receiver");
    const char *asked = model_text(input, "ticket");
    const struct relationship *relationship = relationships_find_partner(&plugin->relationships, sender);
    struct reception *reception;
    struct result result;
    char ticket[TICKET_NAME_SIZE], message[400];

    if (relationship == NULL || strcmp(relationship_self(relationship)->name, receiver) != 0) {
        (void)snprintf(message, sizeof message,
                       "%.80s sent scopes for %.80s, but this server, %.80s, has no relationship with it under those names: "
                       "check High Availability's parameters on both",
                       sender, receiver, plugin->relationships.server_name);
        return answer_fault(FAULT_SENDER, "IpamApiObjectNotFoundInDatabase", NULL, message);
    }
    worker_partner_heard(plugin, sender);
    if (asked != NULL)
        return answer_ticket(plugin, asked);

    reception = calloc(1, sizeof *reception);
    if (reception == NULL)
        return NULL;
    reception->plugin = plugin;
    reception->number = (size_t)(relationship - plugin->relationships.list);
    result = take_scopes(reception, input);
    if (result_failed(result)) {
        reception_free(reception);
        return answer_fault(FAULT_RECEIVER, "IpamApiDhcpScopeFailedToUpdateInRemoteServer", NULL, result.message);
    }
    tickets_issue(plugin->tickets, plugin->instance, reception->ticket);
    memcpy(ticket, reception->ticket, sizeof ticket);
    if (plugin->server->on_main(plugin->server->context)) {
        apply_on_main(reception, false);
    } else {
        result = plugin->server->run_on_main(plugin->server->context, apply_on_main, reception);
        if (result_failed(result)) {
            reception_free(reception);
            return answer_fault(FAULT_RECEIVER, "IpamApiDhcpScopeFailedToUpdateInRemoteServer", NULL, result.message);
        }
    }
    return answer_ticket(plugin, ticket);
}
