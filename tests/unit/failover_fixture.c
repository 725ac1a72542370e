#include "failover_fixture.h"

struct relation_row mirrored_relation(struct fixture *fixture)
{
    return (struct relation_row){
        .relationship_name = "server1-server2",
        .server1_record_id = fixture->server,
        .server2_record_id = server_id(fixture, "server2"),
        .server1_name = "server1",
        .server2_name = "server2",
        .server1_ip = "192.0.2.1",
        .server2_ip = "192.0.2.2",
        .mode = "LoadBalance",
        .kea_mode = "load-balancing",
        .mclt = -1,
        .auto_state_transition = true,
        .state_switch_interval = 60,
        .server1_percentage = 50,
    };
}

int64_t mirror(struct fixture *fixture, const struct relation_row *row)
{
    int64_t record_id = 0;

    assert_ok(relation_store_put(fixture->store, row, &record_id));
    return record_id;
}

int64_t server_id(struct fixture *fixture, const char *ha_name)
{
    struct server_row row;
    int64_t record_id = 0;

    assert_ok(server_store_find(fixture->store, ha_name, &record_id, &row));
    server_row_clear(&row);
    return record_id;
}

int set_up_failover(void **state)
{
    static struct partner_access partners[] = {
        {.name = (char *)"server3", .url = (char *)"https://192.0.2.3:8000/", .cert_file = (char *)"/etc/kea/cert.pem"},
        {.name = (char *)"server4", .url = (char *)"http://[2001:db8::4]:8000/"},
    };
    struct fixture *fixture;
    struct server_row server = {
        .ha_name = "server1", .server_name = "192.0.2.1", .control_url = "http://192.0.2.1:8000/", .is_local = true};
    struct relation_row row;
    int64_t relation;

    if (set_up(state) != 0)
        return -1;
    fixture = *state;
    fixture->parameters.partners = partners;
    fixture->parameters.partner_count = sizeof partners / sizeof partners[0];
    assert_ok(server_store_put(fixture->store, &server, &fixture->server));
    server =
        (struct server_row){.ha_name = "server2", .server_name = "192.0.2.2", .control_url = "http://192.0.2.2:8000/"};
    assert_ok(server_store_put(fixture->store, &server, &relation));
    row = mirrored_relation(fixture);
    relation = mirror(fixture, &row);
    assert_int_equal(relation, 1);
    for (uint32_t subnet_id = 1; subnet_id <= 4; subnet_id++) {
        struct scope_row scope;

        assert_ok(scope_store_find(fixture->store, fixture->server, subnet_id, &scope));
        assert_ok(membership_store_set(fixture->store, scope.record_id, &relation, 1));
        scope_row_clear(&scope);
    }
    return 0;
}

int tear_down_failover(void **state)
{
    struct fixture *fixture = *state;

    /* Whatever was done, no operation touches this server's scopes or what hangs on them. */
    assert_answer(fixture, "SELECT count(*) FROM ADM_DHCPScopesTable WHERE DHCPServerRecordId = 1", "4");
    assert_answer(fixture, "SELECT count(*) FROM ADM_IPRangeTable", "2");
    assert_answer(fixture, "SELECT IsLocal, ControlUrl FROM ADM_DHCPServersTable WHERE HaName = 'server1'",
                  "1|http://192.0.2.1:8000/");
    return tear_down(state);
}

int64_t add_branch(struct fixture *fixture, const char *subnet_ids)
{
    json_t *output = run_ok(fixture, "failover-add", "{" BRANCH ",\"subnet-ids\":[%s]}", subnet_ids);
    int64_t record_id = json_integer_value(json_object_get(json_object_get(output, "failover"), "record-id"));

    json_decref(output);
    assert_true(record_id > 1);
    return record_id;
}

void put_partner_scope(struct fixture *fixture, int64_t server_record_id, uint32_t subnet_id)
{
    struct scope_row row;
    int64_t record_id = 0;

    assert_ok(scope_store_find(fixture->store, fixture->server, subnet_id, &row));
    row.server_record_id = server_record_id;
    row.partner_fingerprint = fingerprint_of("theirs", 6);
    assert_ok(scope_store_put(fixture->store, &row, false, &record_id));
    scope_row_clear(&row);
}

void assert_change(struct fixture *fixture, int kind, int64_t relation, const char *partner, const char *subnet_ids)
{
    const struct failover_change *change = &fixture->failover;
    char text[256] = "";

    for (size_t i = 0; i < change->count; i++) {
        size_t length = strlen(text);

        (void)snprintf(text + length, sizeof text - length, "%s%lu", i > 0 ? "," : "",
                       (unsigned long)change->subnet_ids[i]);
    }
    assert_int_equal(change->kind, kind);
    assert_string_equal(text, subnet_ids);
    assert_true(change->relation_record_id == relation);
    if (partner == NULL)
        assert_true(change->partner_record_id == 0);
    else
        assert_true(change->partner_record_id == server_id(fixture, partner));
}

char *long_name(const char *character, int count)
{
    char *name = calloc((size_t)count + 1, strlen(character));

    assert_non_null(name);
    for (int i = 0; i < count; i++)
        (void)memcpy(name + (size_t)i * strlen(character), character, strlen(character) + 1);
    return name;
}
