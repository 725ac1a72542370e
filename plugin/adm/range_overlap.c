/* Which ranges share addresses (GetOverlappingRanges, MS-IPAMM2 3.1.1.1.1.2.2).
 *
 * Exclusions are a range's reserved addresses and reserved ranges, properties 7 and 8. The ExclusionRanges of a scope
 * are not asked: here they are the gaps between its pools, and every pool is a range of its own, so no gap has an
 * address of any. */
#include "range_private.h"

#include <stdlib.h>
#include <string.h>

struct span_list {
    struct address_span *list;
    size_t count;
};

static struct result spans_add(struct span_list *spans, const struct address_span *span)
{
    struct address_span *longer = reallocarray(spans->list, spans->count + 1, sizeof *longer);

    if (longer == NULL)
        return result_no_memory("the exclusions of a range");
    spans->list = longer;
    longer[spans->count++] = *span;
    return result_ok();
}

/* Adds what the property's text excludes; text that is no address excludes nothing. */
static struct result spans_add_text(struct span_list *spans, int64_t property, const char *text, bool v6)
{
    struct address_span span = {.v6 = v6};

    if (property == RANGE_RESERVED_IP_RANGES) {
        if (!pool_parse(text, v6, &span))
            return result_ok();
    } else {
        if (!address_parse(text, v6, &span.first))
            return result_ok();
        span.last = span.first;
    }
    return spans_add(spans, &span);
}

static struct result exclusions_of(const struct ip_range *range, struct span_list *exclusions)
{
    struct result result = result_ok();

    for (int property = RANGE_RESERVED_IPS; property <= RANGE_RESERVED_IP_RANGES; property++) {
        for (size_t i = 0; i < range->properties[property].count && !result_failed(result); i++)
            result = spans_add_text(exclusions, property, range->properties[property].list[i], range->span.v6);
    }
    return result;
}

static struct result exclusions_stored(struct store *store, int64_t range_id, bool v6, struct span_list *exclusions)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store,
                                         "SELECT PropertyId, PropertyValue FROM ADM_IPRangeMultivaluedPropertiesTable "
                                         "WHERE RangeId = ?1 AND PropertyId IN (7, 8)",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, range_id);
    for (;;) {
        result = statement_step(statement, &found);
        if (!found)
            return result;
        result = spans_add_text(exclusions, statement_integer(statement, 0), statement_text(statement, 1), v6);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}

static int span_order(const void *a, const void *b)
{
    return address_compare(&((const struct address_span *)a)->first, &((const struct address_span *)b)->first);
}

/* What is left of `span` without the exclusions, which are put in order: ApplicableAddressRanges, ascending. */
static struct result spans_without(const struct address_span *span, struct span_list *exclusions,
                                   struct span_list *applicable)
{
    struct address_span part = *span;
    struct result result = result_ok();

    if (exclusions->count > 1)
        qsort(exclusions->list, exclusions->count, sizeof *exclusions->list, span_order);
    for (size_t i = 0; i < exclusions->count; i++) {
        const struct address_span *out = &exclusions->list[i];

        if (address_compare(&out->last, &part.first) < 0)
            continue;
        if (address_compare(&out->first, &span->last) > 0)
            break;
        if (address_compare(&out->first, &part.first) > 0) {
            part.last = address_previous(out->first);
            result = spans_add(applicable, &part);
            if (result_failed(result))
                return result;
        }
        if (address_compare(&out->last, &span->last) >= 0)
            return result;
        part.first = address_next(out->last);
    }
    part.last = span->last;
    return spans_add(applicable, &part);
}

/* Whether two ascending lists share an address. */
static bool spans_meet(const struct span_list *a, const struct span_list *b)
{
    size_t i = 0, j = 0;

    while (i < a->count && j < b->count) {
        if (address_compare(&a->list[i].last, &b->list[j].first) < 0)
            i++;
        else if (address_compare(&b->list[j].last, &a->list[i].first) < 0)
            j++;
        else
            return true;
    }
    return false;
}

/* ---- the rows ---- */

static struct result touching_add(struct statement *statement, bool v6, struct overlapping_ranges *touching)
{
    struct overlapping_range one = {.record_id = statement_integer(statement, 0),
                                    .use_for_utilization = statement_integer(statement, 3) != 0};
    struct overlapping_range *longer;

    one.span.v6 = v6;
    if (!address_parse(statement_text(statement, 1), v6, &one.span.first) ||
        !address_parse(statement_text(statement, 2), v6, &one.span.last))
        return result_error(RESULT_STORE, "the store's range %lld has no bounds", (long long)one.record_id);
    if ((touching->count & (touching->count - 1)) == 0) {
        longer = reallocarray(touching->list, touching->count == 0 ? 1 : touching->count * 2, sizeof *longer);
        if (longer == NULL)
            return result_no_memory("the overlaps of a range");
        touching->list = longer;
    }
    touching->list[touching->count++] = one;
    return result_ok();
}

static struct result touching_read(struct statement *statement, bool v6, struct overlapping_ranges *touching)
{
    struct result result;
    bool found = false;

    for (;;) {
        result = statement_step(statement, &found);
        if (!found)
            return result;
        result = touching_add(statement, v6, touching);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}

/* The rows that start inside the span. */
static struct result find_starting_inside(struct store *store, int64_t address_space_id,
                                          const struct address_span *span, int64_t except,
                                          struct overlapping_ranges *touching)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "SELECT RecordId, StartIPAddress, EndIPAddress, UseForUtilization FROM ADM_IPRangeTable "
                      "WHERE AddressSpaceRecordId = ?1 AND Af = ?2 AND StartKey BETWEEN ?3 AND ?4 AND RecordId <> ?5",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, address_space_id);
    statement_bind_text(statement, 2, address_family_word(span->v6));
    statement_bind_key(statement, 3, &span->first);
    statement_bind_key(statement, 4, &span->last);
    statement_bind_integer(statement, 5, except);
    return touching_read(statement, span->v6, touching);
}

/* The rows that start before the span and reach into it. Each of them has the span's first address, so its fork is one
 * of the points at which the networks around that address are halved: 33 points for IPv4 and 129 for IPv6. */
static struct result find_starting_before(struct store *store, int64_t address_space_id,
                                          const struct address_span *span, int64_t except,
                                          struct overlapping_ranges *touching)
{
    struct result result = result_ok();

    for (int length = address_family_bits(span->v6); length <= ADDRESS_KEY_LENGTH * 8 && !result_failed(result);
         length++) {
        const struct address fork = address_fork(&span->first, length);
        struct statement *statement;

        result = statement_get(store,
                               "SELECT RecordId, StartIPAddress, EndIPAddress, UseForUtilization FROM ADM_IPRangeTable "
                               "WHERE AddressSpaceRecordId = ?1 AND Af = ?2 AND ForkKey = ?3 AND +StartKey < ?4 "
                               "AND +EndKey >= ?4 AND RecordId <> ?5",
                               &statement);
        if (result_failed(result))
            break;
        statement_bind_integer(statement, 1, address_space_id);
        statement_bind_text(statement, 2, address_family_word(span->v6));
        statement_bind_key(statement, 3, &fork);
        statement_bind_key(statement, 4, &span->first);
        statement_bind_integer(statement, 5, except);
        result = touching_read(statement, span->v6, touching);
    }
    return result;
}

struct result range_store_touching(struct store *store, int64_t address_space_id, const struct address_span *span,
                                   int64_t except, struct overlapping_ranges *touching)
{
    struct result result;

    *touching = (struct overlapping_ranges){.list = NULL};
    result = find_starting_before(store, address_space_id, span, except, touching);
    if (!result_failed(result))
        result = find_starting_inside(store, address_space_id, span, except, touching);
    if (result_failed(result)) {
        free(touching->list);
        *touching = (struct overlapping_ranges){.list = NULL};
    }
    return result;
}

/* ---- the procedure ---- */

/* Whether a row still meets the applicable addresses when its own exclusions are taken out. */
static struct result overlap_is_valid(struct store *store, const struct span_list *applicable,
                                      const struct overlapping_range *row, bool *valid)
{
    struct span_list exclusions = {.list = NULL};
    struct span_list its_own = {.list = NULL};
    struct result result = exclusions_stored(store, row->record_id, row->span.v6, &exclusions);

    if (!result_failed(result))
        result = spans_without(&row->span, &exclusions, &its_own);
    *valid = !result_failed(result) && spans_meet(applicable, &its_own);
    free(exclusions.list);
    free(its_own.list);
    return result;
}

/* Puts `exclusions` in order. */
static struct result find_overlaps(struct store *store, int64_t address_space_id, const struct address_span *span,
                                   struct span_list *exclusions, int64_t except, size_t limit,
                                   struct overlapping_ranges *overlaps)
{
    struct span_list applicable = {.list = NULL};
    size_t kept = 0;
    struct result result = range_store_touching(store, address_space_id, span, except, overlaps);

    if (!result_failed(result))
        result = spans_without(span, exclusions, &applicable);
    for (size_t i = 0; i < overlaps->count && !result_failed(result) && (limit == 0 || kept < limit); i++) {
        bool valid = false;

        result = overlap_is_valid(store, &applicable, &overlaps->list[i], &valid);
        if (valid)
            overlaps->list[kept++] = overlaps->list[i];
    }
    overlaps->count = kept;
    free(applicable.list);
    if (result_failed(result)) {
        free(overlaps->list);
        *overlaps = (struct overlapping_ranges){.list = NULL};
    }
    return result;
}

struct result range_store_overlaps(struct store *store, const struct ip_range *range, size_t limit,
                                   struct overlapping_ranges *overlaps)
{
    struct span_list exclusions = {.list = NULL};
    struct result result = exclusions_of(range, &exclusions);

    *overlaps = (struct overlapping_ranges){.list = NULL};
    if (!result_failed(result))
        result =
            find_overlaps(store, range->address_space_id, &range->span, &exclusions, range->record_id, limit, overlaps);
    free(exclusions.list);
    return result;
}

struct result range_store_overlaps_besides(struct store *store, int64_t address_space_id,
                                           const struct overlapping_range *range, int64_t besides, bool *overlaps)
{
    struct span_list exclusions = {.list = NULL};
    struct overlapping_ranges others = {.list = NULL};
    struct result result = exclusions_stored(store, range->record_id, range->span.v6, &exclusions);

    *overlaps = false;
    /* Two are enough: at most one of them is `besides`. */
    if (!result_failed(result))
        result = find_overlaps(store, address_space_id, &range->span, &exclusions, range->record_id, 2, &others);
    for (size_t i = 0; i < others.count; i++)
        *overlaps = *overlaps || others.list[i].record_id != besides;
    free(exclusions.list);
    free(others.list);
    return result;
}
