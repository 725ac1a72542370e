/* ReplicateScope: MS-IPAMM2 3.19.4.4.1.29, ReplicateFailoverScopeDelegate, step 3 for one scope and one relationship.
 * The call of CreateDhcpScopeDelegate or UpdateDhcpScopeDelegate at the destination (step 3.4) is the scope-receive
 * command that a batch carries; whether the scope exists there is told by the base. */
#include "failover_sync/operation.h"

#include <stdlib.h>
#include <string.h>

/* 3.1: the scope's row in ADM_DhcpScopeFailoverTable for this relationship, and the relationship itself. */
static struct result find_relationship(struct plugin *plugin, int64_t scope_record_id,
                                       const struct relationship *wanted)
{
    int64_t *relations = NULL;
    size_t count = 0;
    bool member = false;
    struct result result = membership_store_find(plugin->store, scope_record_id, &relations, &count);

    for (size_t i = 0; i < count && !member; i++)
        member = relations[i] == wanted->record_id;
    free(relations);
    if (!result_failed(result) && !member)
        return result_error(RESULT_NOT_FOUND, "the scope is not in the relationship %s", wanted->name);
    return result;
}

struct result replicate_scope_prepare(struct plugin *plugin, size_t relationship, struct batch_item *item)
{
    const struct relationship *found = &plugin->relationships.list[relationship];
    const struct relationship_server *destination;
    struct scope_row scope = {.record_id = 0}, at_destination = {.record_id = 0};
    struct version_row version;
    struct result result;

    if (!item->wish.removal) {
        result = object_store_find(plugin->store, plugin->relationships.server_record_id, item->wish.id, &scope);
        /* What is no scope has no rows there: it is in every relationship. */
        if (!result_failed(result) && object_kind_of(item->wish.id) == OBJECT_SCOPE)
            result = find_relationship(plugin, scope.record_id, found);
        if (result_failed(result))
            goto done;
    }

    /* 3.2: the destination. Read to the letter the document assigns the scope's own server; it says "find the partner
     * server" and means the other server of the relationship (erratum). */
    destination = relationship_partner(found);

    /* 3.3: the clone for the destination. */
    if (!item->wish.removal) {
        item->definition = strdup(scope.definition);
        item->effective = strdup(scope.effective);
        item->pushed = scope.fingerprint;
        if (item->definition == NULL || item->effective == NULL) {
            result = result_no_memory("a scope to replicate");
            goto done;
        }
    }

    result = version_store_find(plugin->store, plugin->relationships.server_record_id, item->wish.id, &version);
    if (result.code == RESULT_NOT_FOUND && item->wish.removal)
        result = result_ok(); /* an empty version: of a removal that nobody remembers */
    if (result_failed(result))
        goto done;
    item->version = item->has = version.version;

    result = version_store_find(plugin->store, destination->record_id, item->wish.id, &version);
    if (!result_failed(result))
        item->known = version.version;
    else if (result.code != RESULT_NOT_FOUND)
        goto done;

    /* 3.4: does it exist at the destination? The partner's row says so, and on which version of it to build. */
    result = object_store_find(plugin->store, destination->record_id, item->wish.id, &at_destination);
    if (result.code == RESULT_NOT_FOUND) {
        result = result_ok();
    } else if (!result_failed(result)) {
        item->base = at_destination.partner_fingerprint;
        item->agreed = !fingerprint_empty(at_destination.fingerprint);
        item->before = item->agreed ? strdup(at_destination.effective) : NULL;
        if (item->agreed && item->before == NULL)
            result = result_no_memory("a scope to replicate");
    }
done:
    scope_row_clear(&scope);
    scope_row_clear(&at_destination);
    return result;
}
