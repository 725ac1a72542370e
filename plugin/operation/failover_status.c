/* failover-status: one answer for an admin, from memory. */
#include "failover_sync/answer.h"
#include "failover_sync/operation.h"
#include "failover_sync/trust.h"

#include <stdio.h>
#include <string.h>

#define DIFFERING_SHOWN 20

/* What is counted over all scopes. */
struct counts {
    size_t relationships;
    bool known; /* the configuration has been mirrored */
    uint32_t scopes, not_in_file;
    uint32_t members[RELATIONSHIP_MAX], in_sync[RELATIONSHIP_MAX];
    uint32_t others[RELATIONSHIP_MAX], others_in_sync[RELATIONSHIP_MAX]; /* what is no scope */
    json_t *differing[RELATIONSHIP_MAX];                                 /* the first of those that are not */
};

static bool is_in_sync(const struct scope_entry *entry, size_t relationship)
{
    return entry->reset || scope_entry_agreed(entry, relationship);
}

static void count_other(struct counts *counts, const struct scope_entry *entry)
{
    for (size_t i = 0; i < counts->relationships; i++) {
        if ((entry->members >> i & 1) == 0)
            continue;
        counts->others[i]++;
        if (is_in_sync(entry, i)) {
            counts->others_in_sync[i]++;
            continue;
        }
        if (counts->differing[i] == NULL)
            counts->differing[i] = json_array();
        if (json_array_size(counts->differing[i]) < DIFFERING_SHOWN)
            (void)json_array_append_new(counts->differing[i],
                                        json_pack("{s:s,s:s,s:s}", "kind", object_kind_name(object_kind_of(entry->id)),
                                                  "name", entry->name, "reason", entry->reason));
    }
}

static bool count_scope(void *context, const struct scope_entry *entry)
{
    struct counts *counts = context;

    if (object_kind_of(entry->id) != OBJECT_SCOPE) {
        count_other(counts, entry);
        return true;
    }
    counts->scopes++;
    if (!scope_entry_in_file(entry))
        counts->not_in_file++;
    for (size_t i = 0; i < counts->relationships; i++) {
        if ((entry->members >> i & 1) == 0)
            continue;
        counts->members[i]++;
        if (is_in_sync(entry, i))
            counts->in_sync[i]++;
    }
    return true;
}

static bool put(json_t *map, const char *name, json_t *value)
{
    return json_object_set_new(map, name, value) == 0;
}

/* What is known once the configuration has been mirrored, and as long as the partner takes part. */
static bool put_counts(json_t *json, const struct relationship_status *status, const struct counts *counts, size_t i)
{
    const struct queue_summary *queue = &status->queue;
    const int64_t waited = queue->length == 0 ? 0 : engine_ticks() - status->oldest_at;
    bool made = put(json, "scopes", json_integer(counts->members[i])) &&
                put(json, "queued", json_integer((json_int_t)queue->length)) &&
                put(json, "held", json_integer((json_int_t)queue->held)) &&
                put(json, "oldest-wait-ms", json_integer((json_int_t)waited));

    if (made && status->partner_error[0] == '\0')
        made = put(json, "in-sync", json_integer(counts->in_sync[i])) &&
               put(json, "out-of-sync", json_integer(counts->members[i] - counts->in_sync[i])) &&
               put(json, "objects", json_integer(counts->others[i])) &&
               put(json, "objects-in-sync", json_integer(counts->others_in_sync[i])) &&
               put(json, "objects-out-of-sync",
                   counts->differing[i] == NULL ? json_array() : json_incref(counts->differing[i]));
    return made;
}

static json_t *refusals_json(const struct trust_refusals *refusals)
{
    json_t *json =
        json_pack("{s:I,s:I,s:I,s:I}", "unsealed", (json_int_t)refusals->unsealed, "wrong", (json_int_t)refusals->wrong,
                  "repeated", (json_int_t)refusals->repeated, "misdirected", (json_int_t)refusals->misdirected);

    if (json != NULL && refusals->last[0] != '\0')
        (void)json_object_set_new(json, "last", json_string(refusals->last));
    return json;
}

static void show_refusals(struct plugin *plugin, const char *partner, json_t *json)
{
    struct trust_refusals refusals;

    trust_refusals(plugin, partner, &refusals);
    (void)json_object_set_new(json, "refused-requests", refusals_json(&refusals));
}

/* What the partner sent and this server holds: how many, and the first of them. */
struct received {
    size_t count;
    json_t *prefixes;
};

static void add_received(void *context, const struct guarded_removal *removal)
{
    struct received *received = context;

    if (received->count++ < HELD_REMOVALS_SHOWN)
        (void)json_array_append_new(received->prefixes, json_string(object_kind_of(removal->id) == OBJECT_SCOPE
                                                                        ? removal->name
                                                                        : OBJECT_SAID(removal->id, removal->name)));
}

static void put_held(const struct plugin *plugin, size_t number, json_t *json)
{
    const struct relationship_status *status = &plugin->status.relationship[number];
    struct received received = {.prefixes = json_array()};
    json_t *held = json_array();

    for (size_t i = 0; i < status->held_removal_count; i++)
        (void)json_array_append_new(held, json_string(status->held_removals[i]));
    removal_guard_each_held(plugin->guard, relationship_partner(&plugin->relationships.list[number])->record_id,
                            plugin->index, add_received, &received);
    (void)json_object_set_new(json, "held-removals", held);
    (void)json_object_set_new(json, "received-held", json_integer((json_int_t)received.count));
    (void)json_object_set_new(json, "received-held-removals", received.prefixes);
}

static json_t *relationship_json(const struct relationship *relationship, const struct relationship_status *status,
                                 const struct counts *counts, size_t i)
{
    const struct relationship_server *partner = relationship_partner(relationship);
    json_t *json =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:i}", "name", relationship->name, "mode", relationship->mode,
                  "partner", partner->name, "partner-url", relationship->access.url, "local-state",
                  status->local_state[0] == '\0' ? "Unknown" : status->local_state, "partner-state",
                  status->partner_state[0] == '\0' ? "Unknown" : status->partner_state, "pushes", (int)status->pushes,
                  "scopes-sent", (int)status->scopes_sent, "scopes-received", (int)status->scopes_received);

    if (json == NULL || (counts->known && !put_counts(json, status, counts, i))) {
        json_decref(json);
        return NULL;
    }
    (void)json_object_set_new(json, "shared-secret", json_boolean(relationship->access.shared_secret_file != NULL));
    if (relationship->kea_mode != NULL)
        (void)json_object_set_new(json, "kea-mode", json_string(relationship->kea_mode));
    if (status->way != NULL)
        (void)json_object_set_new(json, "way", json_string(status->way));
    if (status->next_attempt > engine_ticks())
        (void)json_object_set_new(json, "next-attempt-ms", json_integer(status->next_attempt - engine_ticks()));
    if (status->last_error[0] != '\0')
        (void)json_object_set_new(json, "last-error", json_string(status->last_error));
    if (status->partner_error[0] != '\0')
        (void)json_object_set_new(json, "partner-error", json_string(status->partner_error));
    return json;
}

/* The relationships of this server; NULL for want of memory. Under the status's lock. */
static json_t *list_json(struct plugin *plugin, const struct counts *counts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < plugin->relationships.count; i++) {
        const struct relationship *relationship = &plugin->relationships.list[i];
        json_t *json;

        if (!relationship->local)
            continue;
        json = relationship_json(relationship, &plugin->status.relationship[i], counts, i);
        if (json != NULL) {
            put_held(plugin, i, json);
            show_refusals(plugin, relationship_partner(relationship)->name, json);
        }
        (void)json_array_append_new(list, json);
    }
    return list;
}

/* Why the mirror is unavailable; "" if it is not. Under the status's lock. */
static void explain(const struct plugin *plugin, char why[600])
{
    const char *reason = plugin->status.mirror_error;

    why[0] = '\0';
    if (reason[0] != '\0' && plugin->store == NULL)
        (void)snprintf(why, 600, "store unusable: %.420s. Clients are served from %s; nothing is replicated", reason,
                       plugin->served);
    else if (reason[0] != '\0')
        (void)snprintf(why, 600, "%s", reason);
}

char *command_failover_status(struct plugin *plugin, const struct model_node *input)
{
    static const char *const mirror[] = {"starting", "current", "unavailable"};
    struct counts counts = {.relationships = plugin->relationships.count};
    struct engine_status *status = &plugin->status;
    json_t *list, *output;
    size_t shown;
    char why[600], wrong[sizeof status->configuration_error];

    (void)input;
    scope_index_each(plugin->index, count_scope, &counts);
    (void)pthread_mutex_lock(&status->lock);
    counts.known = status->counted;
    list = list_json(plugin, &counts);
    shown = json_array_size(list);
    explain(plugin, why);
    memcpy(wrong, status->configuration_error, sizeof wrong);
    output = json_pack("{s:s,s:s,s:s,s:o}", "server", plugin->relationships.server_name, "store",
                       plugin->parameters.store, "mirror",
                       mirror[status->mirror == MIRROR_CURRENT && !counts.known ? MIRROR_STARTING : status->mirror],
                       "relationships", list);
    (void)pthread_mutex_unlock(&status->lock);
    for (size_t i = 0; i < counts.relationships; i++)
        json_decref(counts.differing[i]);
    if (output == NULL)
        return NULL;
    show_refusals(plugin, NULL, output);
    if (why[0] != '\0')
        (void)json_object_set_new(output, "mirror-error", json_string(why));
    if (wrong[0] != '\0')
        (void)json_object_set_new(output, "configuration-error", json_string(wrong));
    if (!counts.known)
        return why[0] != '\0' ? answer_success(output, "%s", why)
                              : answer_success(output, "starting: the configuration is not mirrored yet");
    if (!put(output, "scopes", json_integer(counts.scopes)) ||
        !put(output, "scopes-not-in-file", json_integer(counts.not_in_file))) {
        json_decref(output);
        return NULL;
    }
    return answer_success(output, "%zu relationship(s), %u scope(s)", shown, counts.scopes);
}
