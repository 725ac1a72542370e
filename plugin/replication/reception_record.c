/* The record of what was taken in: rows, agreements, history and queue, by the worker, in one transaction. */
#include "plugin/replication/reception.h"

#include "failover_sync/json_load.h"
#include "failover_sync/mirror.h"
#include "failover_sync/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct result record_history(struct mirror_writer *writer, const struct received_scope *scope)
{
    struct history_row lost = {
        .id = scope->id,
        .name = scope->name,
        .definition = scope->before.definition,
        .fingerprint = scope->before.fingerprint,
        .reason = "changed on both servers: the partner's version counts",
        .replaced_at = writer->now,
    };

    kea_log(writer->plugin->server, FAILOVER_SYNC_CONFLICT, OBJECT_SAID(scope->id, scope->name),
            "the version of this server is kept in the history, the partner's counts");
    return history_store_add(writer->plugin->store, &lost);
}

/* The partner's version that did not count is kept here, too: it may never learn from the answer that it lost. */
static struct result record_overruled(struct mirror_writer *writer, const struct received_scope *scope)
{
    struct history_row lost = {
        .id = scope->id,
        .name = scope->name,
        .definition = scope->definition,
        .fingerprint = scope->theirs,
        .reason = "changed on both servers: the version of this server counts",
        .replaced_at = writer->now,
    };

    kea_log(writer->plugin->server, FAILOVER_SYNC_CONFLICT, OBJECT_SAID(scope->id, scope->name),
            "the version of this server counts");
    return history_store_add(writer->plugin->store, &lost);
}

/* The parameters that came along for its shared network may have been changed as well. */
static struct result record_network(struct mirror_writer *writer, const struct received_scope *scope)
{
    const struct history_row lost = {
        .id = scope->id,
        .name = scope->name,
        .definition = scope->definition,
        .fingerprint = scope->theirs,
        .reason = "its shared network was changed here, too: the parameters that the network has here count",
        .replaced_at = writer->now,
    };

    return history_store_add(writer->plugin->store, &lost);
}

/* What this server has of the scope, now that all that happened before is recorded. */
struct recorded {
    struct fingerprint fingerprint;
    struct version_vector version;
    enum scope_origin origin;
    bool met;
    struct version_vector known; /* of the sender */
};

static struct recorded look(const struct mirror_writer *writer, const struct reception *reception,
                            const struct received_scope *scope)
{
    struct scope_index *index = writer->plugin->index;
    struct recorded recorded = {.origin = SCOPE_FROM_CONFIGURATION};
    struct scope_removed removed;
    struct scope_entry entry;

    if (scope_index_get(index, scope->id, &entry)) {
        recorded.fingerprint = entry.fingerprint;
        recorded.version = entry.version;
        recorded.origin = entry.origin;
        recorded.met = entry.agreement[reception->number].met;
        recorded.known = entry.agreement[reception->number].known;
        scope_entry_clear(&entry);
    } else if (scope_index_get_removed(index, scope->id, &removed)) {
        recorded.version = removed.version;
    }
    return recorded;
}

/* Whether what runs was changed here, and this is the first that the worker hears of it. */
static bool is_edited(const struct received_scope *scope, const struct recorded *recorded)
{
    return strcmp(scope->now.hex, recorded->fingerprint.hex) != 0;
}

/* Whether a conflict waited for an administrator, who has decided it on the other server. */
static bool was_held(const struct plugin *plugin, const struct recorded *recorded)
{
    return recorded->met && conflict_waits(&recorded->version, &recorded->known, plugin->parameters.primary_wins);
}

/* What came of a scope, as it is to be mirrored. */
struct record {
    struct version_vector is, known;
    enum scope_origin origin;
    bool edit, agreed, hold;
    const char *reason;
};

static struct result put(struct mirror_writer *writer, const struct reception *reception,
                         const struct received_scope *scope, const struct record *record)
{
    const struct mirror_version version = {
        .scope = &scope->after,
        .origin = record->origin,
        .is = &record->is,
        .edit = record->edit,
        .agreed_with = (int)reception->number,
        .theirs = scope->theirs,
        .known = record->known,
        .disagreed = !record->agreed,
        .hold = record->hold,
        .reason = record->reason,
    };
    const struct mirror_removal removal = {
        .id = scope->id,
        .name = scope->name,
        .origin = record->origin,
        .is = &record->is,
        .edit = record->edit,
        .agreed_with = (int)reception->number,
        .known = record->known,
    };

    return scope->after.definition == NULL ? mirror_remove_scope(writer, &removal) : mirror_put_scope(writer, &version);
}

/* The sender's version runs here, or one with the same words. */
static struct result record_taken(struct mirror_writer *writer, const struct reception *reception,
                                  const struct received_scope *scope)
{
    const struct recorded recorded = look(writer, reception, scope);
    const struct scope_applied applied = {.id = scope->id, .fingerprint = scope->now, .version = scope->answered};
    const struct record record = {
        .is = version_merge(&scope->answered, &recorded.version),
        .known = scope->version, /* that it has heard of more is seen when it is sent that */
        /* The same version on both: whose it was first does not change. */
        .origin = scope->outcome == BATCH_APPLIED ? SCOPE_FROM_PARTNER : recorded.origin,
        /* The sender is to have the scope with the network's parameters, too. */
        .edit = scope->network_kept,
        .agreed = true,
    };
    struct result result = result_ok();

    if (scope->outcome == BATCH_APPLIED &&
        (scope->verdict == VERDICT_CONFLICT_THEIRS || was_held(writer->plugin, &recorded)))
        result = record_history(writer, scope);
    if (!result_failed(result) && scope->network_kept)
        result = record_network(writer, scope);
    if (!result_failed(result))
        result = put(writer, reception, scope, &record);
    return result_failed(result) ? result : mirror_note_recorded(writer, &applied);
}

/* What stays here may have been numbered while the clock was ahead: the sender does not believe that and would send its
 * own again and again. Once both clocks are right, and it is certain what the sender knows, it is numbered anew: true
 * if that takes an edit. If the sender may have taken something without an answer, it is asked what it has before. */
static bool number_anew(const struct mirror_writer *writer, const struct reception *reception,
                        const struct received_scope *scope, const struct recorded *recorded,
                        struct version_vector *version)
{
    struct engine_status *status = &writer->plugin->status;
    struct version_vector known = scope->version, anew = *version;
    bool unsettled;

    (void)pthread_mutex_lock(&status->lock);
    unsettled = status->relationship[reception->number].unsettled;
    (void)pthread_mutex_unlock(&status->lock);
    if (recorded->met)
        known = version_merge(&known, &recorded->known);
    if (!version_clocks_agree(reception->clock, writer->now) ||
        !version_number_anew(&anew, &known, (uint64_t)writer->now))
        return false;
    if (unsettled)
        worker_reconcile(writer->plugin, reception->number);
    else
        *version = anew;
    return !unsettled;
}

/* The sender's version is older than what is here, or loses a conflict against it: it is sent what is here, unless it
 * is known to have that by now. What wins counts as made on top of what loses, on whichever server that is found out.
 */
static struct result record_kept(struct mirror_writer *writer, const struct reception *reception,
                                 const struct received_scope *scope)
{
    const struct recorded recorded = look(writer, reception, scope);
    const bool overruled = scope->outcome == BATCH_OVERRULED;
    struct record record = {
        .is = version_merge(&scope->version, &recorded.version), /* also what a lost store found is older */
        .known = scope->version,
        .origin = recorded.origin,
        .edit = is_edited(scope, &recorded),
    };

    /* Two texts never have one version, or each server would take the other's: what wins is one edit further. */
    if (version_equal(&record.is, &scope->version) && !fingerprint_equal(scope->now, scope->theirs))
        record.edit = true;

    if (recorded.met && version_compare(&scope->version, &recorded.known) == VERSION_OLDER)
        return result_ok(); /* it comes late */
    if (number_anew(writer, reception, scope, &recorded, &record.is))
        record.edit = true;
    if (overruled) {
        struct result result = record_overruled(writer, scope);

        if (result_failed(result))
            return result;
    }
    return put(writer, reception, scope, &record);
}

/* Both versions wait for a person. */
static struct result record_held(struct mirror_writer *writer, const struct reception *reception,
                                 const struct received_scope *scope)
{
    const struct recorded recorded = look(writer, reception, scope);
    struct record record = {
        .is = recorded.version,
        .known = scope->version,
        .origin = recorded.origin,
        .edit = is_edited(scope, &recorded),
        .hold = true,
        .reason = "changed on both servers, both versions are kept",
    };
    const bool anew = number_anew(writer, reception, scope, &recorded, &record.is);

    record.edit = record.edit || anew;
    kea_log(writer->plugin->server, FAILOVER_SYNC_CONFLICT, OBJECT_SAID(scope->id, scope->name),
            "both versions are kept");
    if (scope->after.definition == NULL && !anew)
        return mirror_put_known(writer, reception->number, scope->id, scope->name, &scope->version);
    return put(writer, reception, scope, &record);
}

/* The scope stays here until an administrator says that its removal is meant: the two differ meanwhile. */
static struct result record_guarded(struct mirror_writer *writer, const struct reception *reception,
                                    const struct received_scope *scope)
{
    struct scope_entry entry;
    struct result result;

    if (!scope_index_get(writer->plugin->index, scope->id, &entry))
        return result_ok();
    entry.agreement[reception->number].ours = fingerprint_parse(NULL);
    entry.reset = false;
    result = mirror_set_sync(writer, &entry, scope->text);
    scope_entry_clear(&entry);
    return result;
}

static struct result record_scope(struct mirror_writer *writer, const struct reception *reception,
                                  const struct received_scope *scope)
{
    switch (scope->outcome) {
    case BATCH_APPLIED:
    case BATCH_UNCHANGED:
        return record_taken(writer, reception, scope);
    case BATCH_OVERRULED:
    case BATCH_OUTDATED:
        return record_kept(writer, reception, scope);
    case BATCH_CONFLICT:
        return record_held(writer, reception, scope);
    case BATCH_HELD:
        return record_guarded(writer, reception, scope);
    default:
        return result_ok();
    }
}

static json_t *network_of(const struct kea_object *scope)
{
    json_t *root =
        scope->definition == NULL ? NULL : json_load(scope->definition, JSON_ALLOW_NUL, &json_kea_bounds, NULL);
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
        object_id *ids = NULL;
        size_t count = 0;

        if (network == NULL || json_equal(network, seen)) {
            json_decref(network);
            continue;
        }
        json_decref(seen);
        seen = network;
        result = mirror_network_members(plugin, scope->id, &ids, &count);
        if (!result_failed(result) && count > 0)
            result =
                changes_follow_network(plugin, ids, count, relationship_is_primary(reception_relationship(reception)));
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

static struct result record_all(struct plugin *plugin, const struct reception *reception)
{
    struct mirror_writer writer;
    struct result result = mirror_begin(plugin, &writer);

    if (result_failed(result))
        return result;
    for (size_t i = 0; i < reception->count && !result_failed(result); i++)
        result = record_scope(&writer, reception, &reception->scopes[i]);
    if (!result_failed(result))
        result = reception_guard_store(&writer, reception);
    if (!result_failed(result))
        return mirror_commit(&writer);
    mirror_abandon(&writer);
    return result;
}

/* Once it is recorded it must not be again, whatever comes after that. */
static void note_recorded(struct plugin *plugin, struct reception *reception)
{
    reception->recorded = true;
    tickets_set(plugin->tickets, reception->ticket, TICKET_RECORDED, NULL, NULL);
    if (has_applied(reception))
        persist_note_received(plugin);
    (void)pthread_mutex_lock(&plugin->status.lock);
    for (size_t i = 0; i < reception->count; i++)
        plugin->status.relationship[reception->number].scopes_received +=
            object_kind_of(reception->scopes[i].id) == OBJECT_SCOPE;
    (void)pthread_mutex_unlock(&plugin->status.lock);
}

static void note_refused(struct plugin *plugin, struct reception *reception, const struct result *why)
{
    if (!reception->refused)
        kea_log(plugin->server, FAILOVER_SYNC_RECORD_FAILED, reception->partner, why->message);
    reception->refused = true;
    tickets_set(plugin->tickets, reception->ticket, TICKET_UNRECORDED, why->message, NULL);
    engine_set_mirror(plugin, why);
}

struct result reception_record(struct plugin *plugin, void *argument)
{
    struct reception *reception = argument;
    struct result result = reception->recorded ? result_ok() : record_all(plugin, reception);

    if (result_failed(result))
        note_refused(plugin, reception, &result);
    else if (!reception->recorded)
        note_recorded(plugin, reception);
    if (!result_failed(result))
        result = reception_guard_follow(reception);
    if (!result_failed(result))
        result = look_at_networks(plugin, reception);
    /* What runs is recorded before anything that builds on it, however long the store refuses. */
    if (!result_may_pass(result))
        reception_end(reception);
    return result;
}
