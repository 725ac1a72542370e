/* The record of what was taken in: rows, agreements, history and queue, by the worker, in one transaction. */
#include "plugin/replication/reception.h"

#include "failover_sync/mirror.h"

#include <stdio.h>
#include <stdlib.h>

static struct result record_history(struct mirror_writer *writer, const struct received_scope *scope)
{
    struct history_row lost = {
        .subnet_id = scope->subnet_id,
        .prefix = scope->prefix,
        .definition = scope->before.definition,
        .fingerprint = reception_fingerprint(&scope->before),
        .reason = "changed on both servers: the partner's version counts",
        .replaced_at = writer->now,
    };

    kea_log(writer->plugin->server, FAILOVER_SYNC_CONFLICT, scope->prefix,
            "the version of this server is kept in the history, the partner's counts");
    return history_store_add(writer->plugin->store, &lost);
}

/* The partner's version that did not count is kept here, too: it may never learn from the answer that it lost. */
static struct result record_overruled(struct mirror_writer *writer, const struct received_scope *scope)
{
    struct history_row lost = {
        .subnet_id = scope->subnet_id,
        .prefix = scope->prefix,
        .definition = scope->definition,
        .fingerprint = scope->theirs,
        .reason = "changed on both servers: the version of this server counts",
        .replaced_at = writer->now,
    };

    kea_log(writer->plugin->server, FAILOVER_SYNC_CONFLICT, scope->prefix,
            "the version of this server counts");
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
    const struct relationship *relationship = reception_relationship(reception);
    struct queue_item wish = mirror_wish(relationship, scope->subnet_id, scope->prefix, true);
    struct scope_entry gone = {.subnet_id = scope->subnet_id, .modified_at = writer->now};
    struct result result;

    if (scope->definition == NULL || !writer->plugin->parameters.deletes)
        return result_ok();
    (void)snprintf(gone.prefix, sizeof gone.prefix, "%s", scope->prefix);
    gone.agreement = calloc(RELATIONSHIP_MAX, sizeof *gone.agreement);
    if (gone.agreement == NULL)
        return result_no_memory("a conflict");
    gone.agreement[reception->number].theirs = scope->theirs;
    result = mirror_put_agreement(writer, &gone, reception->number, scope->definition);
    free(gone.agreement);
    if (!result_failed(result))
        result = queue_put(writer->plugin->store, &wish, writer->now);
    return result_failed(result) ? result : mirror_note_removal(writer, scope->subnet_id, reception->number, true);
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
        /* The sender is to have the scope with the network's parameters, too. */
        version.disagreed = scope->network_kept;
        break;
    case BATCH_OVERRULED:
        result = record_overruled(writer, scope);
        if (!result_failed(result) && scope->after.definition == NULL)
            return record_overruled_change(writer, reception, scope);
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
            result = changes_follow_network(plugin, ids, count);
        free(ids);
    }
    json_decref(seen);
    return result;
}

static bool has_applied(const struct reception *reception)
{
    for (size_t i = 0; i < reception->count; i++)
        if (reception->scopes[i].outcome == BATCH_APPLIED)
            return true;
    return false;
}

struct result reception_record(struct plugin *plugin, void *argument)
{
    struct reception *reception = argument;
    const char *sender = relationship_partner(reception_relationship(reception))->name;
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
        if (has_applied(reception))
            persist_note_received(plugin);
        (void)pthread_mutex_lock(&plugin->status.lock);
        plugin->status.relationship[reception->number].scopes_received += (uint32_t)reception->count;
        (void)pthread_mutex_unlock(&plugin->status.lock);
    }
    reception_free(reception);
    /* The sender comes again with what was not recorded; nothing has to be kept for it here. */
    return result_failed(result) && result.code != RESULT_STORE ? result : result_ok();
}
