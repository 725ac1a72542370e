/* The index from the store, and the memberships of all scopes reviewed: what a load has to do for every scope, whether
 * it changed or not. */
#include "failover_sync/mirror.h"

#include "failover_sync/statement.h"

#include "plugin/replication/conflict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct result mirror_network_members(struct plugin *plugin, object_id id, object_id **ids, size_t *count)
{
    struct statement *statement;
    bool row = false;
    struct result result = statement_get(
        plugin->store,
        "SELECT other.SubnetId FROM ADM_DHCPScopesTable AS scope JOIN ADM_DHCPScopesTable AS other "
        "ON other.SuperscopeId = scope.SuperscopeId AND other.DHCPServerRecordId = scope.DHCPServerRecordId "
        "WHERE scope.DHCPServerRecordId = ?1 AND scope.SubnetId = ?2 AND other.SubnetId <> ?2",
        &statement);

    *ids = NULL;
    *count = 0;
    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, plugin->relationships.server_record_id);
    statement_bind_integer(statement, 2, (int64_t)id);
    while (!result_failed(result = statement_step(statement, &row)) && row) {
        object_id *larger = realloc(*ids, (*count + 1) * sizeof **ids);

        if (larger == NULL) {
            result = result_no_memory("a shared network");
            break;
        }
        *ids = larger;
        (*ids)[(*count)++] = statement_object(statement, 0);
    }
    statement_done(statement);
    if (result_failed(result)) {
        free(*ids);
        *ids = NULL;
        *count = 0;
    }
    return result;
}

/* Scopes that need a look: their ids, so that the index is not locked while the store is asked. */
struct review {
    const struct relationships *relationships;
    bool all;           /* memberships depend on each scope's own words */
    uint64_t expected;  /* of HA's relationships, of a scope */
    uint64_t others;    /* the same of what is no scope */
    uint64_t of_admins; /* relationships that mirroring leaves alone */
    object_id *ids;
    size_t count;
};

static bool review_entry(void *context, const struct scope_entry *entry)
{
    struct review *review = context;
    const bool scope = object_kind_of(entry->id) == OBJECT_SCOPE;
    bool look =
        (scope && review->all) || (entry->members & ~review->of_admins) != (scope ? review->expected : review->others);

    for (size_t i = 0; i < review->relationships->count && !look; i++)
        look = (entry->members >> i & 1) != 0 && !scope_entry_agreed(entry, i);
    if (look)
        review->ids[review->count++] = entry->id;
    return true;
}

/* A conflict of which both servers know, and which a person is to end: nobody has anything to send. */
static bool waits(const struct plugin *plugin, const struct scope_agreement *agreement, const struct scope_entry *entry)
{
    return agreement->met && conflict_waits(&entry->version, &agreement->known, plugin->parameters.primary_wins);
}

static struct result review_scope(struct mirror_writer *writer, object_id id)
{
    struct plugin *plugin = writer->plugin;
    struct scope_row row = {.record_id = 0};
    struct scope_entry entry;
    uint64_t members = 0;
    struct result result;

    if (!scope_index_get(plugin->index, id, &entry))
        return result_ok();
    result = object_store_find(plugin->store, plugin->relationships.server_record_id, id, &row);
    if (!result_failed(result))
        result = relationships_of_object(&plugin->relationships, id, row.definition, &members);
    if (!result_failed(result))
        members |= entry.members & relationships_of_admins(&plugin->relationships);
    if (!result_failed(result) && members != entry.members) {
        const struct kea_object scope = {
            .id = id,
            .name = entry.name,
            .definition = (char *)row.definition,
            .effective = (char *)row.effective,
            .fingerprint = entry.fingerprint,
            .printed = entry.printed,
        };
        struct mirror_version version = {
            .scope = &scope,
            .origin = entry.origin,
            .agreed_with = -1,
        };

        result = mirror_put_scope(writer, &version);
    } else if (!result_failed(result) && plugin->parameters.replicate_on_change) {
        for (size_t i = 0; i < plugin->relationships.count && !result_failed(result); i++) {
            const struct relationship *relationship = &plugin->relationships.list[i];
            struct queue_item item;

            if ((members >> i & 1) == 0 || scope_entry_agreed(&entry, i) || waits(plugin, &entry.agreement[i], &entry))
                continue;
            item = mirror_wish(relationship, id, entry.name, false);
            result = queue_put_missing(plugin->store, &item, writer->now);
        }
    }
    scope_row_clear(&row);
    scope_entry_clear(&entry);
    return result;
}

struct result mirror_review_memberships(struct mirror_writer *writer)
{
    struct plugin *plugin = writer->plugin;
    struct review review = {
        .relationships = &plugin->relationships,
        .of_admins = relationships_of_admins(&plugin->relationships),
    };
    struct result result;

    review.all = !relationships_one_pairing(&plugin->relationships);
    result = relationships_of_object(&plugin->relationships, (object_id)OBJECT_CLIENT_CLASS << OBJECT_KIND_SHIFT, "",
                                     &review.others);
    if (!review.all && !result_failed(result))
        result = relationships_of_scope(&plugin->relationships, "", &review.expected);
    review.ids = calloc(scope_index_count(plugin->index) + 1, sizeof *review.ids);
    if (review.ids == NULL)
        return result_no_memory("the mirror");
    scope_index_each(plugin->index, review_entry, &review);
    for (size_t i = 0; i < review.count && !result_failed(result); i++)
        result = review_scope(writer, review.ids[i]);
    free(review.ids);
    return result;
}
