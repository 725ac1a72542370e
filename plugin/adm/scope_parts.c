/* ADM_IPRangeTable, ADM_IPAddressTable, ADM_DhcpOptionsTable and ADM_IPBlocksTable as far as mirrored scopes fill them:
 * pools become ranges, reservations addresses, and option-data options. */
#include "scope_parts.h"

#include "range_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_ADDRESS_SPACE 1
#define MS_PER_SECOND         1000

/* One scope being written. */
struct parts_writer {
    struct store *store;
    const struct scope_columns *columns;
    const char *af;
    int64_t server_record_id, scope_record_id, block_record_id;
    int64_t changed_at; /* seconds since 1970 */
    int64_t *range_ids; /* one per pool of the columns */
    bool has_admins;    /* the address space has ranges that no server owns */
};

static struct result run_for(struct store *store, const char *sql, int64_t record_id)
{
    struct statement *statement;
    struct result result = statement_get(store, sql, &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    return statement_run(statement);
}

/* ---- the block: one per network, shared by the scopes of all servers ---- */

static struct result block_put(struct parts_writer *writer)
{
    const struct network *network = &writer->columns->network;
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(writer->store,
                      "SELECT RecordId, IsSubnet FROM ADM_IPBlocksTable WHERE AddressSpaceRecordId = ?1 AND Af = ?2 "
                      "AND StartKey = ?3 AND PrefixLength = ?4",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, DEFAULT_ADDRESS_SPACE);
    statement_bind_text(statement, 2, writer->af);
    statement_bind_key(statement, 3, &network->span.first);
    statement_bind_integer(statement, 4, network->prefix_length);
    result = statement_step(statement, &found);
    if (found) {
        bool is_subnet = statement_integer(statement, 1) != 0;

        writer->block_record_id = statement_integer(statement, 0);
        statement_done(statement);
        if (is_subnet)
            return result;
        return run_for(writer->store, "UPDATE ADM_IPBlocksTable SET IsSubnet = 1 WHERE RecordId = ?1",
                       writer->block_record_id);
    }
    if (result_failed(result))
        return result;
    result = statement_get(writer->store,
                           "INSERT INTO ADM_IPBlocksTable (AddressSpaceRecordId, Af, StartKey, PrefixLength, EndKey, "
                           "NetworkId, StartIPAddress, EndIPAddress, IsSubnet, Origin) "
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, 1, 'Scope')",
                           &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, DEFAULT_ADDRESS_SPACE);
    statement_bind_text(statement, 2, writer->af);
    statement_bind_key(statement, 3, &network->span.first);
    statement_bind_integer(statement, 4, network->prefix_length);
    statement_bind_key(statement, 5, &network->span.last);
    statement_bind_address(statement, 6, &network->span.first);
    statement_bind_address(statement, 7, &network->span.last);
    return statement_insert(statement, &writer->block_record_id);
}

struct result scope_block_drop(struct store *store, const char *af, const char *scope_id, int64_t prefix_length)
{
    struct network network;
    char prefix[INET6_ADDRSTRLEN + 8];
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "DELETE FROM ADM_IPBlocksTable AS b WHERE AddressSpaceRecordId = ?1 AND Af = ?2 AND "
                      "StartKey = ?3 AND PrefixLength = ?4 AND Origin = 'Scope' "
                      "AND NOT EXISTS (SELECT 1 FROM ADM_DHCPScopesTable AS s WHERE s.ScopeId = ?5 "
                      "AND s.PrefixLength = ?4 AND s.Af = ?2) "
                      "AND NOT EXISTS (SELECT 1 FROM ADM_IPRangeTable AS r WHERE r.ParentIPBlockRecordId = b.RecordId) "
                      "AND NOT EXISTS (SELECT 1 FROM ADM_IPBlocksTable AS c WHERE c.ParentBlockRecordId = b.RecordId)",
                      &statement);

    if (result_failed(result))
        return result;
    (void)snprintf(prefix, sizeof prefix, "%.*s/%d", INET6_ADDRSTRLEN, scope_id, (int)prefix_length);
    if (!network_parse(prefix, &network))
        return result_error(RESULT_INTERNAL, "the store has a scope whose network is \"%s\"", prefix);
    statement_bind_integer(statement, 1, DEFAULT_ADDRESS_SPACE);
    statement_bind_text(statement, 2, af);
    statement_bind_key(statement, 3, &network.span.first);
    statement_bind_integer(statement, 4, prefix_length);
    statement_bind_text(statement, 5, scope_id);
    return statement_run(statement);
}

/* ---- ranges ---- */

static bool is_pool(const struct scope_columns *columns, const char *start, const char *end)
{
    struct address_span span;

    if (start == NULL || end == NULL || !address_parse(start, columns->network.span.v6, &span.first) ||
        !address_parse(end, columns->network.span.v6, &span.last))
        return false;
    for (size_t i = 0; i < columns->pool_count; i++) {
        if (address_compare(&span.first, &columns->pools[i].span.first) == 0 &&
            address_compare(&span.last, &columns->pools[i].span.last) == 0)
            return true;
    }
    return false;
}

/* The first of the scope's ranges after `after` that is no pool any more; 0 if there is none. */
static struct result range_find_dropped(struct parts_writer *writer, int64_t after, int64_t *dropped)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(writer->store,
                                         "SELECT RecordId, StartIPAddress, EndIPAddress FROM ADM_IPRangeTable "
                                         "WHERE ScopeRecordId = ?1 AND RecordId > ?2 ORDER BY RecordId",
                                         &statement);

    *dropped = 0;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, writer->scope_record_id);
    statement_bind_integer(statement, 2, after);
    for (;;) {
        result = statement_step(statement, &found);
        if (!found)
            return result;
        if (!is_pool(writer->columns, statement_text(statement, 1), statement_text(statement, 2))) {
            *dropped = statement_integer(statement, 0);
            statement_done(statement);
            return result;
        }
    }
}

static struct result ranges_drop(struct parts_writer *writer)
{
    int64_t dropped = 0;

    for (;;) {
        struct result result = range_find_dropped(writer, dropped, &dropped);

        if (result_failed(result) || dropped == 0)
            return result;
        result = range_mapping_leave(writer->store, dropped);
        if (!result_failed(result))
            result = run_for(writer->store, "DELETE FROM ADM_IPRangeTable WHERE RecordId = ?1", dropped);
        if (result_failed(result))
            return result;
    }
}

static struct result range_put(struct parts_writer *writer, const struct scope_pool *pool, int64_t *record_id)
{
    const struct network *network = &writer->columns->network;
    const struct address fork = span_fork(&pool->span);
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(writer->store,
                      "INSERT INTO ADM_IPRangeTable (ScopeRecordId, StartKey, EndKey, Af, ParentIPBlockRecordId, "
                      "AddressSpaceRecordId, SubnetId, PrefixLength, StartIPAddress, EndIPAddress, AddressAssignment, "
                      "AddressCategory, Description, UtilizationCalculationType, LastChangeDate, ForkKey) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'Dynamic', ?11, ?12, 'Auto', ?13, ?14) "
                      "ON CONFLICT (ScopeRecordId, StartKey, EndKey) WHERE ScopeRecordId IS NOT NULL DO UPDATE SET "
                      "ParentIPBlockRecordId = excluded.ParentIPBlockRecordId, SubnetId = excluded.SubnetId, "
                      "PrefixLength = excluded.PrefixLength, AddressAssignment = excluded.AddressAssignment, "
                      "AddressCategory = excluded.AddressCategory, "
                      "Description = coalesce(excluded.Description, Description), "
                      "UtilizationCalculationType = excluded.UtilizationCalculationType, "
                      "LastChangeDate = excluded.LastChangeDate RETURNING RecordId",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, writer->scope_record_id);
    statement_bind_key(statement, 2, &pool->span.first);
    statement_bind_key(statement, 3, &pool->span.last);
    statement_bind_text(statement, 4, writer->af);
    statement_bind_integer(statement, 5, writer->block_record_id);
    statement_bind_integer(statement, 6, DEFAULT_ADDRESS_SPACE);
    statement_bind_address(statement, 7, &network->span.first);
    statement_bind_integer(statement, 8, network->prefix_length);
    statement_bind_address(statement, 9, &pool->span.first);
    statement_bind_address(statement, 10, &pool->span.last);
    statement_bind_text(statement, 11, address_category(&pool->span.first));
    statement_bind_text(statement, 12, scope_json_description(pool->definition));
    statement_bind_integer(statement, 13, writer->changed_at);
    statement_bind_key(statement, 14, &fork);
    result = statement_step(statement, &found);
    if (result_failed(result))
        return result;
    *record_id = statement_integer(statement, 0);
    return statement_step(statement, &found); /* the end: only then is the insert complete */
}

/* Whether the scope has the pool's range already. */
static struct result range_is_there(struct parts_writer *writer, const struct scope_pool *pool, bool *there)
{
    struct statement *statement;
    struct result result = statement_get(
        writer->store, "SELECT 1 FROM ADM_IPRangeTable WHERE ScopeRecordId = ?1 AND StartKey = ?2 AND EndKey = ?3",
        &statement);

    *there = false;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, writer->scope_record_id);
    statement_bind_key(statement, 2, &pool->span.first);
    statement_bind_key(statement, 3, &pool->span.last);
    result = statement_step(statement, there);
    statement_done(statement);
    return result;
}

/* Writes the range of a pool. A new one may meet ranges of admins, if there are any; pools of one server do not meet.
 */
static struct result pool_put(struct parts_writer *writer, const struct scope_pool *pool, int64_t *record_id)
{
    bool there = true;
    struct result result = result_ok();

    if (writer->has_admins)
        result = range_is_there(writer, pool, &there);
    if (!result_failed(result))
        result = range_put(writer, pool, record_id);
    if (!result_failed(result) && !there)
        result = range_mapping_join(writer->store, *record_id);
    return result;
}

/* ---- options ---- */

static struct result option_put(struct parts_writer *writer, const json_t *option, const char *owner,
                                const char *client_class, int64_t range_record_id)
{
    const char *space = scope_json_text(option, "space");
    const char *name = scope_json_text(option, "name");
    const json_t *code = json_object_get(option, "code");
    const char *default_space = writer->columns->network.span.v6 ? "dhcp6" : "dhcp4";
    char code_text[24] = "";
    char *definition_id = NULL;
    char *values = json_dumps(option, JSON_COMPACT | JSON_SORT_KEYS);
    struct statement *statement;
    struct result result;

    if (json_is_integer(code))
        (void)snprintf(code_text, sizeof code_text, "%lld", (long long)json_integer_value(code));
    definition_id = sqlite3_mprintf("%s/%s", space != NULL ? space : default_space,
                                    code_text[0] != '\0' || name == NULL ? code_text : name);
    if (values == NULL || definition_id == NULL) {
        result = result_no_memory("an option of a scope");
        goto done;
    }
    result = statement_get(writer->store,
                           "INSERT INTO ADM_DhcpOptionsTable (Af, ServerRecordId, ScopeRecordId, "
                           "OptionDefinitionRecordId, UserClassRecordId, \"Values\", OptionOwnerType, RangeRecordId) "
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                           &statement);
    if (result_failed(result))
        goto done;
    statement_bind_text(statement, 1, writer->af);
    statement_bind_integer(statement, 2, writer->server_record_id);
    statement_bind_integer(statement, 3, writer->scope_record_id);
    statement_bind_text(statement, 4, definition_id);
    statement_bind_text(statement, 5, client_class);
    statement_bind_text(statement, 6, values);
    statement_bind_text(statement, 7, owner);
    statement_bind_id(statement, 8, range_record_id);
    result = statement_run(statement);
done:
    sqlite3_free(definition_id);
    free(values);
    return result;
}

/* The options of a shared network, a subnet or a pool. */
static struct result options_put(struct parts_writer *writer, const json_t *holder, const char *owner,
                                 const char *client_class, int64_t range_record_id)
{
    json_t *list, *option;
    size_t index;
    struct result result = scope_json_list(holder, "option-data", &list);

    if (result_failed(result))
        return result;
    json_array_foreach(list, index, option)
    {
        result = option_put(writer, option, owner, client_class, range_record_id);
        if (result_failed(result))
            return result;
    }
    return result;
}

/* ---- addresses ---- */

/* The range that has the address; 0 if none. */
static int64_t range_of(const struct parts_writer *writer, const struct address *address)
{
    for (size_t i = 0; i < writer->columns->pool_count; i++) {
        if (span_contains(&writer->columns->pools[i].span, address))
            return writer->range_ids[i];
    }
    return 0;
}

/* The identifiers that no column of the ADM has room for, "client-id 01:02:03, flex-id 04"; NULL if there are none. The
 * caller frees it with sqlite3_free. */
static struct result identifiers_of(const json_t *reservation, char **notes)
{
    static const char *const names[] = {"client-id", "circuit-id", "flex-id"};
    bool any = false;
    sqlite3_str *text = sqlite3_str_new(NULL);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = scope_json_text(reservation, names[i]);

        if (value != NULL)
            sqlite3_str_appendf(text, "%s%s %s", any ? ", " : "", names[i], value);
        any = any || value != NULL;
    }
    *notes = sqlite3_str_finish(text);
    return any && *notes == NULL ? result_no_memory("a reservation of a scope") : result_ok();
}

/* Writes the address of a reservation; `text` is NULL for a reservation without one. */
static struct result address_put(struct parts_writer *writer, const json_t *reservation, const char *text)
{
    struct address address = {.bytes = {0}};
    struct statement *statement;
    char *notes = NULL;
    struct result result;

    if (text != NULL && !address_parse(text, writer->columns->network.span.v6, &address))
        return result_error(RESULT_INVALID, "the scope %s/%d reserves \"%.100s\", which is no address",
                            writer->columns->scope_id.text, writer->columns->network.prefix_length, text);
    result = identifiers_of(reservation, &notes);
    if (result_failed(result))
        goto done;
    result = statement_get(writer->store,
                           "INSERT INTO ADM_IPAddressTable (Af, AddressSpaceRecordId, ScopeRecordId, RangeRecordId, "
                           "IpAddress, AddressKey, AddressCategory, AddressAssignment, MacAddress, Duid, DeviceName, "
                           "Notes, ReservationType) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'Static', ?8, ?9, ?10, ?11, "
                           "'DHCP')",
                           &statement);
    if (result_failed(result))
        goto done;
    statement_bind_text(statement, 1, writer->af);
    statement_bind_integer(statement, 2, DEFAULT_ADDRESS_SPACE);
    statement_bind_integer(statement, 3, writer->scope_record_id);
    if (text != NULL) {
        statement_bind_id(statement, 4, range_of(writer, &address));
        statement_bind_address(statement, 5, &address);
        statement_bind_key(statement, 6, &address);
        statement_bind_text(statement, 7, address_category(&address));
    }
    statement_bind_text(statement, 8, scope_json_text(reservation, "hw-address"));
    statement_bind_text(statement, 9, scope_json_text(reservation, "duid"));
    statement_bind_text(statement, 10, scope_json_text(reservation, "hostname"));
    statement_bind_text(statement, 11, notes);
    result = statement_run(statement);
done:
    sqlite3_free(notes);
    return result;
}

/* A reservation has at most one address in IPv4, and any number in IPv6: a row each. */
static struct result reservation_put(struct parts_writer *writer, const json_t *reservation)
{
    const json_t *list = json_object_get(reservation, "ip-addresses");
    struct result result = result_ok();

    if (!writer->columns->network.span.v6 || json_array_size(list) == 0)
        return address_put(writer, reservation, scope_json_text(reservation, "ip-address"));
    for (size_t i = 0; i < json_array_size(list) && !result_failed(result); i++)
        result = address_put(writer, reservation, json_string_value(json_array_get(list, i)));
    return result;
}

/* ---- all of them ---- */

struct result scope_parts_remove(struct store *store, int64_t scope_record_id)
{
    struct result result = run_for(store, "DELETE FROM ADM_DhcpOptionsTable WHERE ScopeRecordId = ?1", scope_record_id);

    if (!result_failed(result))
        result = range_mapping_leave_scope(store, scope_record_id);
    if (!result_failed(result))
        result = run_for(store, "DELETE FROM ADM_IPAddressTable WHERE ScopeRecordId = ?1", scope_record_id);
    if (!result_failed(result))
        result = run_for(store, "DELETE FROM ADM_IPRangeTable WHERE ScopeRecordId = ?1", scope_record_id);
    return result;
}

/* Options and addresses are nobody's but the scope's and are replaced; ranges are compared. */
static struct result parts_clear(struct parts_writer *writer)
{
    struct result result =
        run_for(writer->store, "DELETE FROM ADM_DhcpOptionsTable WHERE ScopeRecordId = ?1", writer->scope_record_id);

    if (!result_failed(result))
        result =
            run_for(writer->store, "DELETE FROM ADM_IPAddressTable WHERE ScopeRecordId = ?1", writer->scope_record_id);
    if (!result_failed(result))
        result = ranges_drop(writer);
    return result;
}

struct result scope_parts_put(struct store *store, int64_t server_record_id, int64_t scope_record_id,
                              const struct scope_columns *columns, int64_t modified_at, bool fresh)
{
    struct parts_writer writer = {
        .store = store,
        .columns = columns,
        .af = address_family_word(columns->network.span.v6),
        .server_record_id = server_record_id,
        .scope_record_id = scope_record_id,
        .changed_at = modified_at / MS_PER_SECOND,
    };
    json_t *reservations, *reservation;
    size_t index;
    struct result result = result_ok();

    writer.range_ids = calloc(columns->pool_count + 1, sizeof *writer.range_ids);
    if (writer.range_ids == NULL)
        return result_no_memory("the ranges of a scope");
    if (!fresh)
        result = parts_clear(&writer);
    if (!result_failed(result))
        result = block_put(&writer);
    if (!result_failed(result) && columns->pool_count > 0)
        result = range_mapping_has_admins(store, DEFAULT_ADDRESS_SPACE, writer.af, &writer.has_admins);
    for (size_t i = 0; i < columns->pool_count && !result_failed(result); i++) {
        result = pool_put(&writer, &columns->pools[i], &writer.range_ids[i]);
        if (!result_failed(result))
            result = options_put(&writer, columns->pools[i].definition, "Pool",
                                 scope_json_text(columns->pools[i].definition, "client-class"), writer.range_ids[i]);
    }
    if (!result_failed(result))
        result = options_put(&writer, columns->subnet, "Scope", NULL, 0);
    if (!result_failed(result))
        result = options_put(&writer, columns->shared_network, "SharedNetwork", NULL, 0);
    if (result_failed(result))
        goto done;
    result = scope_json_list(columns->subnet, "reservations", &reservations);
    if (result_failed(result))
        goto done;
    json_array_foreach(reservations, index, reservation)
    {
        result = reservation_put(&writer, reservation);
        if (result_failed(result))
            goto done;
    }
    if (json_array_size(reservations) > 0 || !fresh)
        result = run_for(store,
                         "UPDATE ADM_IPRangeTable SET NumberOfChildAddresses = (SELECT count(*) FROM "
                         "ADM_IPAddressTable AS a WHERE a.RangeRecordId = ADM_IPRangeTable.RecordId) "
                         "WHERE ScopeRecordId = ?1",
                         scope_record_id);
done:
    free(writer.range_ids);
    return result;
}
