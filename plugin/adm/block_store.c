/* ADM_IPBlocksTable and ADM_AddressSpaceTable as ranges need them: the subnet that a range belongs to. The blocks of
 * mirrored scopes are written by scope_parts.c. */
#include "range_private.h"

#include <stdio.h>

/* The block of exactly this network; 0 if there is none. */
static struct result find_block(struct store *store, const struct ip_range *range, int prefix_length, bool subnets_only,
                                int64_t *block_id)
{
    const struct address network = address_network(&range->span.first, range->span.v6, prefix_length);
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store,
                      "SELECT RecordId FROM ADM_IPBlocksTable WHERE AddressSpaceRecordId = ?1 AND Af = ?2 AND "
                      "StartKey = ?3 AND PrefixLength = ?4 AND +EndKey >= ?5 AND (+IsSubnet = 1 OR ?6 = 0)",
                      &statement);

    *block_id = 0;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, range->address_space_id);
    statement_bind_text(statement, 2, address_family_word(range->span.v6));
    statement_bind_key(statement, 3, &network);
    statement_bind_integer(statement, 4, prefix_length);
    statement_bind_key(statement, 5, &range->span.last);
    statement_bind_integer(statement, 6, subnets_only);
    result = statement_step(statement, &found);
    if (found)
        *block_id = statement_integer(statement, 0);
    statement_done(statement);
    return result;
}

struct result block_store_find_parent(struct store *store, const struct ip_range *range, bool subnets_only,
                                      int64_t *block_id)
{
    struct result result = result_ok();

    *block_id = 0;
    /* A block is a network, so those that can hold the range are known by their lengths: the longest found is the most
     * specific. */
    for (int length = (int)range->prefix_length; length >= 0 && *block_id == 0 && !result_failed(result); length--)
        result = find_block(store, range, length, subnets_only, block_id);
    return result;
}

struct result block_store_add_subnet(struct store *store, const struct ip_range *range, int64_t *block_id)
{
    const struct address first = range->subnet_id;
    struct network network;
    char prefix[INET6_ADDRSTRLEN + 8];
    struct statement *statement;
    int64_t parent = 0;
    struct result result;

    *block_id = 0;
    (void)snprintf(prefix, sizeof prefix, "%s/%lld", address_print(&first).text, (long long)range->prefix_length);
    if (!network_parse(prefix, &network))
        return result_error(RESULT_INVALID, "\"%s\" is no network", prefix);
    /* The network may be there as a block that is no subnet yet. */
    result = find_block(store, range, (int)range->prefix_length, false, block_id);
    if (result_failed(result))
        return result;
    if (*block_id != 0)
        return statement_run_id(
            store, "UPDATE ADM_IPBlocksTable SET IsSubnet = 1, Origin = 'Admin' WHERE RecordId = ?1", *block_id);
    result = block_store_find_parent(store, range, false, &parent);
    if (!result_failed(result))
        result = statement_get(store,
                               "INSERT INTO ADM_IPBlocksTable (AddressSpaceRecordId, Af, StartKey, PrefixLength, "
                               "EndKey, NetworkId, StartIPAddress, EndIPAddress, IsSubnet, Origin, "
                               "ParentBlockRecordId) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, 1, 'Admin', ?8)",
                               &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, range->address_space_id);
    statement_bind_text(statement, 2, address_family_word(range->span.v6));
    statement_bind_key(statement, 3, &network.span.first);
    statement_bind_integer(statement, 4, range->prefix_length);
    statement_bind_key(statement, 5, &network.span.last);
    statement_bind_address(statement, 6, &network.span.first);
    statement_bind_address(statement, 7, &network.span.last);
    statement_bind_id(statement, 8, parent);
    return statement_insert(statement, block_id);
}

struct result address_space_exists(struct store *store, int64_t record_id, bool *exists)
{
    struct statement *statement;
    struct result result = statement_get(store, "SELECT 1 FROM ADM_AddressSpaceTable WHERE RecordId = ?1", &statement);

    *exists = false;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    result = statement_step(statement, exists);
    statement_done(statement);
    return result;
}
