/* How a range fits in with its neighbours: ResetCurrentIPRangeMapping (MS-IPAMM2 3.1.1.1.1.2.4) takes it out,
 * SetIPRangeMapping (3.1.4.7) puts it in. */
#include "range_private.h"

#include <stdlib.h>

struct result run_with_id(struct store *store, const char *sql, int64_t record_id)
{
    struct statement *statement;
    struct result result = statement_get(store, sql, &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    return statement_run(statement);
}

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
        return run_with_id(store,
                           "UPDATE ADM_IPRangeTable SET IsOverlapping = 1 WHERE RecordId = ?1 AND IsOverlapping = 0",
                           neighbour->record_id);
    return run_with_id(store,
                       "UPDATE ADM_IPRangeTable SET (IsOverlapping, UseForUtilization) = (0, 1) WHERE RecordId = ?1",
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

    range->use_for_utilization = true;
    for (size_t i = 0; i < overlaps.count; i++)
        range->use_for_utilization = range->use_for_utilization && !overlaps.list[i].use_for_utilization;
    range->is_overlapping = overlaps.count > 0;

    fault = find_parent(store, range, create_subnet);
    if (fault_raised(&fault))
        goto done;

    result = range_store_put(store, range, now);
    for (size_t i = 0; i < overlaps.count && !result_failed(result); i++)
        result = run_with_id(store,
                             "UPDATE ADM_IPRangeTable SET IsOverlapping = 1 WHERE RecordId = ?1 AND IsOverlapping = 0",
                             overlaps.list[i].record_id);
    if (!result_failed(result))
        result = address_store_map(store, range);
    fault = fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
done:
    free(overlaps.list);
    return fault;
}
