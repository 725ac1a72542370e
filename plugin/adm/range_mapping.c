/* How a range fits in with its neighbours: ResetCurrentIPRangeMapping (MS-IPAMM2 3.1.1.1.1.2.4) takes it out,
 * SetIPRangeMapping (3.1.4.7) puts it in. */
#include "range_private.h"

#include <stdlib.h>

static const char mark_overlapping[] =
    "UPDATE ADM_IPRangeTable SET IsOverlapping = 1 WHERE RecordId = ?1 AND IsOverlapping = 0";

/* ---- taking out ---- */

static struct result neighbour_recompute(struct store *store, const struct ip_range *range,
                                         const struct overlapping_range *neighbour)
{
    bool overlaps = false;
    struct result result =
        range_store_overlaps_besides(store, range->address_space_id, neighbour, range->record_id, &overlaps);

    if (result_failed(result))
        return result;
    if (overlaps)
        return statement_run_id(store, mark_overlapping, neighbour->record_id);
    return statement_run_id(
        store, "UPDATE ADM_IPRangeTable SET (IsOverlapping, UseForUtilization) = (0, 1) WHERE RecordId = ?1",
        neighbour->record_id);
}

struct result range_mapping_reset(struct store *store, const struct ip_range *range)
{
    struct overlapping_ranges neighbours;
    struct result result = range_store_overlaps(store, range, 0, &neighbours);

    for (size_t i = 0; i < neighbours.count && !result_failed(result); i++)
        result = neighbour_recompute(store, range, &neighbours.list[i]);
    free(neighbours.list);
    return result_failed(result) ? result : address_store_unmap(store, range->record_id);
}

/* ---- putting in ---- */

/* Whether the overlapping row is managed by the same entity as the range. */
static struct result is_same_manager(struct store *store, const struct ip_range *range, int64_t record_id, bool *same)
{
    const struct custom_value *managed_by = range_managed_by(range);
    const struct custom_value *entity = range_managed_by_entity(range);
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store,
                                         "SELECT " SQL_MANAGED_BY("IPRange", "r") " = ?2 AND " SQL_MANAGED_BY_ENTITY(
                                             "IPRange", "r") " = ?3 FROM ADM_IPRangeTable AS r WHERE r.RecordId = ?1",
                                         &statement);

    *same = false;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    statement_bind_id(statement, 2, managed_by == NULL ? 0 : managed_by->value_id);
    statement_bind_id(statement, 3, entity == NULL ? 0 : entity->value_id);
    result = statement_step(statement, &found);
    *same = found && statement_integer(statement, 0) != 0;
    statement_done(statement);
    return result;
}

static struct fault check_overlaps(struct store *store, const struct ip_range *range,
                                   const struct overlapping_ranges *overlaps)
{
    for (size_t i = 0; i < overlaps->count && !range_is_dhcp(range); i++) {
        const struct overlapping_range *other = &overlaps->list[i];
        bool same = false;
        struct result result = is_same_manager(store, range, other->record_id, &same);

        if (result_failed(result))
            return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
        if (same)
            return fault_of_sender(
                EXCEPTION_CONFLICTING_RANGES, "start-ip-address",
                "the range %s-%s overlaps the range %s-%s (record id %lld), which the same entity manages; "
                "choose other bounds, reserve the addresses they share, or name another managing entity",
                address_print(&range->span.first).text, address_print(&range->span.last).text,
                address_print(&other->span.first).text, address_print(&other->span.last).text,
                (long long)other->record_id);
    }
    return fault_none();
}

static void set_flags(struct ip_range *range, const struct overlapping_ranges *overlaps)
{
    range->use_for_utilization = true;
    for (size_t i = 0; i < overlaps->count; i++)
        range->use_for_utilization = range->use_for_utilization && !overlaps->list[i].use_for_utilization;
    range->is_overlapping = overlaps->count > 0;
}

static struct result mark_overlaps(struct store *store, const struct overlapping_ranges *overlaps)
{
    struct result result = result_ok();

    for (size_t i = 0; i < overlaps->count && !result_failed(result); i++)
        result = statement_run_id(store, mark_overlapping, overlaps->list[i].record_id);
    return result;
}

static struct fault find_parent(struct store *store, struct ip_range *range, bool create_subnet)
{
    struct result result = block_store_find_parent(store, range, true, &range->parent_block_id);

    if (!result_failed(result) && range->parent_block_id == 0) {
        if (!create_subnet)
            return fault_of_sender(EXCEPTION_NO_PARENT_BLOCK, "subnet-id",
                                   "no subnet of address space %lld holds the range %s-%s with prefix length %lld; "
                                   "configure the subnet first, or let range-add create it with \"create-subnet\"",
                                   (long long)range->address_space_id, address_print(&range->span.first).text,
                                   address_print(&range->span.last).text, (long long)range->prefix_length);
        result = block_store_add_subnet(store, range, &range->parent_block_id);
    }
    return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
}

struct fault range_mapping_set(struct store *store, struct ip_range *range, bool create_subnet, int64_t now)
{
    struct overlapping_ranges overlaps;
    struct fault fault;
    struct result result = range_store_overlaps(store, range, 0, &overlaps);

    if (result_failed(result))
        return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
    fault = check_overlaps(store, range, &overlaps);
    if (fault_raised(&fault))
        goto done;

    set_flags(range, &overlaps);

    fault = find_parent(store, range, create_subnet);
    if (fault_raised(&fault))
        goto done;

    result = range_store_put(store, range, now);
    if (!result_failed(result))
        result = mark_overlaps(store, &overlaps);
    if (!result_failed(result))
        result = address_store_map(store, range);
    fault = fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
done:
    free(overlaps.list);
    return fault;
}

/* ---- mirrored pools among the ranges of admins ---- */

struct result range_mapping_has_admins(struct store *store, int64_t address_space_id, const char *af, bool *has)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "SELECT 1 FROM ADM_IPRangeTable WHERE AddressSpaceRecordId = ?1 AND Af = ?2 "
                                         "AND ScopeRecordId IS NULL LIMIT 1",
                                         &statement);

    *has = false;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, address_space_id);
    statement_bind_text(statement, 2, af);
    result = statement_step(statement, has);
    statement_done(statement);
    return result;
}

struct result range_mapping_join(struct store *store, int64_t range_id)
{
    struct overlapping_ranges overlaps = {.list = NULL};
    struct statement *statement;
    struct ip_range range;
    struct result result = range_store_find(store, range_id, &range);

    if (!result_failed(result))
        result = range_store_overlaps(store, &range, 0, &overlaps);
    if (result_failed(result) || overlaps.count == 0)
        goto done;
    set_flags(&range, &overlaps);
    result = statement_get(
        store, "UPDATE ADM_IPRangeTable SET (IsOverlapping, UseForUtilization) = (?2, ?3) WHERE RecordId = ?1",
        &statement);
    statement_bind_integer(statement, 1, range_id);
    statement_bind_integer(statement, 2, range.is_overlapping);
    statement_bind_integer(statement, 3, range.use_for_utilization);
    if (!result_failed(result))
        result = statement_run(statement);
    if (!result_failed(result))
        result = mark_overlaps(store, &overlaps);
done:
    free(overlaps.list);
    ip_range_clear(&range);
    return result;
}

struct result range_mapping_leave(struct store *store, int64_t range_id)
{
    struct ip_range range;
    struct result result = range_store_find(store, range_id, &range);

    if (!result_failed(result) && range.is_overlapping)
        result = range_mapping_reset(store, &range);
    ip_range_clear(&range);
    return result;
}

struct result range_mapping_leave_scope(struct store *store, int64_t scope_record_id)
{
    struct statement *statement;
    int64_t *ids = NULL;
    size_t count = 0;
    struct result result = statement_get(
        store, "SELECT RecordId FROM ADM_IPRangeTable WHERE ScopeRecordId = ?1 AND IsOverlapping = 1", &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, scope_record_id);
    result = statement_read_list(statement, &ids, &count);
    for (size_t i = 0; i < count && !result_failed(result); i++) {
        result = range_mapping_leave(store, ids[i]);
        /* Gone at once, so that the scope's next range is not held against it. */
        if (!result_failed(result))
            result = statement_run_id(store, "DELETE FROM ADM_IPRangeTable WHERE RecordId = ?1", ids[i]);
    }
    free(ids);
    return result;
}
