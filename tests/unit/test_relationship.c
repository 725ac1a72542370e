/* From HA's parameters to relationships and memberships (ADM, "From Kea to the relation"). */
#include "failover_sync/relationship.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PAIR(self, mode, more)                                                                                         \
    "{\"this-server-name\": \"" self "\", \"mode\": \"" mode "\", \"max-response-delay\": 10000, \"peers\": ["         \
    "{\"name\": \"server1\", \"url\": \"http://192.0.2.1:8000/\", \"role\": \"primary\", \"auto-failover\": true},"    \
    "{\"name\": \"server2\", \"url\": \"https://[2001:db8::2]:8001/\", \"role\": \"secondary\"," more "}"

static const struct parameters none;

static void test_a_load_balancing_pair_is_one_relationship(void **state)
{
    struct relationships all;

    (void)state;
    assert_int_equal(
        relationships_parse("[" PAIR("server2", "load-balancing", "\"basic-auth-user\": \"u\"") "]}]", &none, &all)
            .code,
        RESULT_OK);
    assert_int_equal(all.count, 1);
    assert_string_equal(all.server_name, "server2");
    assert_string_equal(all.list[0].name, "server1-server2");
    assert_string_equal(all.list[0].mode, "LoadBalance");
    assert_string_equal(all.list[0].kea_mode, "load-balancing");
    assert_true(all.list[0].local);
    assert_false(relationship_is_primary(&all.list[0]));
    assert_string_equal(relationship_partner(&all.list[0])->name, "server1");
    assert_string_equal(all.list[0].server2.host, "2001:db8::2");
    assert_string_equal(all.list[0].access.url, "http://192.0.2.1:8000/");
    assert_int_equal(all.list[0].max_response_delay_ms, 10000);
    assert_int_equal(all.list[0].mclt, -1);
    assert_null(all.list[0].access.basic_auth_user); /* that is ours, not the partner's */
    relationships_clear(&all);
}

static void test_a_backup_has_a_relationship_of_its_own_with_the_primary(void **state)
{
    struct relationships all;
    uint64_t members = 0;

    (void)state;
    assert_int_equal(
        relationships_parse(
            "[" PAIR("server1", "hot-standby",
                     "\"auto-failover\": true") ",{\"name\": \"b\", "
                                                "\"url\": \"http://192.0.2.3:8000/\", \"role\": \"backup\"}]}]",
            &none, &all)
            .code,
        RESULT_OK);
    assert_int_equal(all.count, 2);
    assert_string_equal(all.list[1].name, "server1-b");
    assert_string_equal(all.list[1].mode, "HotStandby");
    assert_true(all.list[1].backup);
    assert_int_equal(relationships_of_scope(&all, "{}", &members).code, RESULT_OK);
    assert_int_equal(members, 3);
    assert_ptr_equal(relationships_find_partner(&all, "b"), &all.list[1]);
    assert_null(relationships_find_partner(&all, "server1"));
    relationships_clear(&all);
}

static void test_our_parameters_come_before_ha_s(void **state)
{
    struct partner_access access = {
        .name = (char *)"server2", .url = (char *)"http://198.51.100.2:9/", .basic_auth_user = (char *)"me"};
    struct parameters parameters = {.partners = &access, .partner_count = 1};
    struct relationships all;

    (void)state;
    assert_int_equal(relationships_parse("[" PAIR("server1", "load-balancing", "\"basic-auth-user\": \"u\"") "]}]",
                                         &parameters, &all)
                         .code,
                     RESULT_OK);
    assert_string_equal(all.list[0].access.url, "http://198.51.100.2:9/");
    assert_string_equal(all.list[0].access.basic_auth_user, "me");
    assert_string_equal(all.list[0].server2.url, "https://[2001:db8::2]:8001/");
    assert_true(all.list[0].secret);
    relationships_clear(&all);
}

static void test_a_partner_that_ha_does_not_know_may_be_an_administrators(void **state)
{
    struct partner_access access = {.name = (char *)"server9"};
    struct parameters parameters = {.partners = &access, .partner_count = 1};
    struct relationships all;

    (void)state;
    assert_int_equal(
        relationships_parse("[" PAIR("server1", "load-balancing", "\"auto-failover\": true") "]}]", &parameters, &all)
            .code,
        RESULT_OK);
    assert_int_equal(all.count, 1);
    relationships_clear(&all);
}

static void test_with_several_pairings_a_scope_names_its_own(void **state)
{
    static const char hub[] = "[" PAIR(
        "server2", "hot-standby",
        "\"auto-failover\": true") "]},"
                                   "{\"this-server-name\": \"server4\", \"mode\": \"hot-standby\", \"peers\": ["
                                   "{\"name\": \"server3\", \"url\": \"http://192.0.2.3/\", \"role\": \"primary\"},"
                                   "{\"name\": \"server4\", \"url\": \"http://192.0.2.2/\", \"role\": \"standby\"}]}]";
    struct relationships all;
    uint64_t members = 0;

    (void)state;
    assert_int_equal(relationships_parse(hub, &none, &all).code, RESULT_OK);
    assert_int_equal(all.count, 2);
    assert_int_equal(relationships_of_scope(&all, "{\"subnet4\": {}}", &members).code, RESULT_OK);
    assert_int_equal(members, 0);
    assert_int_equal(
        relationships_of_scope(&all, "{\"subnet4\": {\"user-context\": {\"ha-server-name\": \"server3\"}}}", &members)
            .code,
        RESULT_OK);
    assert_int_equal(members, 2);
    assert_int_equal(
        relationships_of_scope(&all,
                               "{\"subnet4\": {\"user-context\": {\"ha-server-name\": \"server1\"}},"
                               "\"shared-network\": {\"user-context\": {\"ha-server-name\": \"server3\"}}}",
                               &members)
            .code,
        RESULT_OK);
    assert_int_equal(members, 1);
    assert_int_equal(relationships_of_scope(
                         &all,
                         "{\"subnet4\": {}, \"shared-network\": {\"user-context\": {\"ha-server-name\": \"server4\"}}}",
                         &members)
                         .code,
                     RESULT_OK);
    assert_int_equal(members, 2);
    relationships_clear(&all);
}

static void test_what_is_not_understood_is_refused(void **state)
{
    static const char *const wrong[] = {"{}", "[{}]", "[{\"this-server-name\": \"a\", \"mode\": \"x\", \"peers\": []}]",
                                        "nonsense",
                                        ("[{\"this-server-name\": \"a\", \"mode\": \"hot-standby\", \"peers\": "
                                         "[{\"role\": \"primary\"}, {\"role\": \"standby\"}]}]")};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct relationships all;

        assert_int_equal(relationships_parse(wrong[i], &none, &all).code, RESULT_INVALID);
        assert_null(all.list);
    }
}

static void test_without_ha_there_is_a_server_and_no_relationship(void **state)
{
    struct relationships all;

    (void)state;
    assert_int_equal(relationships_parse(NULL, &none, &all).code, RESULT_OK);
    assert_int_equal(all.count, 0);
    assert_string_equal(all.server_name, "localhost");
    relationships_clear(&all);
}

static void test_every_state_of_kea_s_has_its_word(void **state)
{
    (void)state;
    assert_string_equal(relationship_state("load-balancing"), "Normal");
    assert_string_equal(relationship_state("hot-standby"), "Normal");
    assert_string_equal(relationship_state("passive-backup"), "Normal");
    assert_string_equal(relationship_state("backup"), "Normal");
    assert_string_equal(relationship_state("communication-recovery"), "CommunicationsInterrupted");
    assert_string_equal(relationship_state("partner-down"), "PartnerDown");
    assert_string_equal(relationship_state("partner-in-maintenance"), "PartnerDown");
    assert_string_equal(relationship_state("in-maintenance"), "PartnerDown");
    assert_string_equal(relationship_state("waiting"), "Startup");
    assert_string_equal(relationship_state("syncing"), "Recover");
    assert_string_equal(relationship_state("ready"), "RecoverDone");
    assert_string_equal(relationship_state("terminated"), "ConflictDone");
    assert_string_equal(relationship_state("unavailable"), "Unknown");
    assert_string_equal(relationship_state(NULL), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_load_balancing_pair_is_one_relationship),
        cmocka_unit_test(test_a_backup_has_a_relationship_of_its_own_with_the_primary),
        cmocka_unit_test(test_our_parameters_come_before_ha_s),
        cmocka_unit_test(test_a_partner_that_ha_does_not_know_may_be_an_administrators),
        cmocka_unit_test(test_with_several_pairings_a_scope_names_its_own),
        cmocka_unit_test(test_what_is_not_understood_is_refused),
        cmocka_unit_test(test_without_ha_there_is_a_server_and_no_relationship),
        cmocka_unit_test(test_every_state_of_kea_s_has_its_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
