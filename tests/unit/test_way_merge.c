/* Scopes merged into a partner's configuration: what changes is these scopes, and what they need. */
#include "way_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char interface[] = "interface";
static char *const local[] = {interface, NULL};

#define PARTNER                                                                                                        \
    "{'hooks-libraries': [{'library': '/lib/libdhcp_ha.so', 'parameters': {'high-availability': "                      \
    "[{'this-server-name': "                                                                                           \
    "'server2', 'peers': [{'basic-auth-password': 'fido'}]}]}}], 'interfaces-config': {'interfaces': ['eth7'], "       \
    "'re-detect': true}, 'loggers': [{'name': 'kea-dhcp4', 'debuglevel': 0}], 'control-socket': {'socket-name': "      \
    "'/run/x'}, 'valid-lifetime': 3600, 'client-classes': [{'name': 'a'}], 'subnet4': [{'id': 1, 'subnet': "           \
    "'10.0.1.0/24', 'interface': 'eth7', 't1-percent': 0.5}, {'id': 2, 'subnet': '10.0.2.0/24'}, {'id': 3, 'subnet': " \
    "'10.0.3.0/24'}], 'shared-networks': [{'name': 'empty', 'subnet4': []}, {'name': 'one', 'interface': 'eth8', "     \
    "'valid-lifetime': 1, 'subnet4': [{'id': 11, 'subnet': '10.0.11.0/24'}]}, {'name': 'two', 'subnet4': [{'id': 21, " \
    "'subnet': '10.0.21.0/24'}, {'id': 22, 'subnet': '10.0.22.0/24'}]}]}"

static struct partner_config config;

static void take(const char *dhcp)
{
    json_t *arguments = json_pack("{s:o}", "Dhcp4", way_fixture_json(dhcp));

    assert_int_equal(partner_config_take("server2", arguments, &config).code, RESULT_OK);
    json_decref(arguments);
}

static int drop(void **state)
{
    (void)state;
    partner_config_clear(&config);
    return 0;
}

/* Definitions are JSON with ' for ". */
struct given {
    uint32_t subnet_id;
    const char *definition;
};

static json_t *merged(const struct given *given, size_t count)
{
    struct config_wish wishes[8];
    char *texts[8];
    json_t *dhcp = NULL;

    for (size_t i = 0; i < count; i++) {
        json_t *definition = given[i].definition == NULL ? NULL : way_fixture_json(given[i].definition);

        texts[i] = definition == NULL ? NULL : kea_text_print(definition);
        wishes[i] = (struct config_wish){.subnet_id = given[i].subnet_id, .definition = texts[i]};
        json_decref(definition);
    }
    assert_int_equal(partner_config_merge(&config, wishes, count, local, &dhcp).code, RESULT_OK);
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    return dhcp;
}

#define MERGED(...)                                                                                                    \
    merged((const struct given[]){__VA_ARGS__}, sizeof((struct given[]){__VA_ARGS__}) / sizeof(struct given))

/* Compares what stands under a name with JSON text. */
static void assert_shows(const json_t *dhcp, const char *name, const char *expected)
{
    json_t *wanted = way_fixture_json(expected);
    char *is = kea_text_print(json_object_get(dhcp, name)), *should = kea_text_print(wanted);

    assert_string_equal(is, should);
    free(is);
    free(should);
    json_decref(wanted);
}

static void assert_rest_unchanged(const json_t *dhcp)
{
    json_t *before = way_fixture_json(PARTNER), *after = json_copy((json_t *)dhcp);

    for (size_t i = 0; i < 2; i++) {
        json_object_del(i == 0 ? before : after, "subnet4");
        json_object_del(i == 0 ? before : after, "shared-networks");
    }
    assert_int_equal(json_object_size(before), 6);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

static void test_a_scope_takes_the_place_of_its_like(void **state)
{
    json_t *dhcp;

    (void)state;
    take(PARTNER);
    dhcp = MERGED({2, "{'subnet4': {'id': 2, 'subnet': '10.0.2.0/24', 'valid-lifetime': 5}}"});
    assert_shows(dhcp, "subnet4",
                 "[{'id': 1, 'subnet': '10.0.1.0/24', 'interface': 'eth7', 't1-percent': 0.5}, {'id': 2, 'subnet': "
                 "'10.0.2.0/24', 'valid-lifetime': 5}, {'id': 3, 'subnet': '10.0.3.0/24'}]");
    assert_true(json_equal(json_object_get(dhcp, "shared-networks"), json_object_get(config.dhcp, "shared-networks")));
    assert_rest_unchanged(dhcp);
    json_decref(dhcp);
}

static void test_scopes_are_added_and_removed_at_once(void **state)
{
    json_t *dhcp;

    (void)state;
    take(PARTNER);
    dhcp = MERGED({1, NULL}, {9, "{'subnet4': {'id': 9, 'subnet': '10.0.1.0/24'}}"}, {22, NULL}, {77, NULL});
    assert_shows(
        dhcp, "subnet4",
        "[{'id': 2, 'subnet': '10.0.2.0/24'}, {'id': 3, 'subnet': '10.0.3.0/24'}, {'id': 9, 'subnet': '10.0.1.0/24'}]");
    assert_shows(
        dhcp, "shared-networks",
        "[{'name': 'empty', 'subnet4': []}, {'name': 'one', 'interface': 'eth8', 'valid-lifetime': 1, 'subnet4': "
        "[{'id': 11, 'subnet': '10.0.11.0/24'}]}, {'name': 'two', 'subnet4': [{'id': 21, 'subnet': "
        "'10.0.21.0/24'}]}]");
    assert_rest_unchanged(dhcp);
    json_decref(dhcp);
}

static void test_what_is_local_stays_the_partners(void **state)
{
    json_t *dhcp;

    (void)state;
    take(PARTNER);
    dhcp = MERGED(
        {1, "{'subnet4': {'id': 1, 'subnet': '10.0.1.0/24', 'interface': 'eth0'}}"},
        {2, "{'subnet4': {'id': 2, 'subnet': '10.0.2.0/24', 'interface': 'eth0'}}"},
        {11, "{'shared-network': {'name': 'one', 'interface': 'eth0', 'valid-lifetime': 2}, 'subnet4': {'id': 11, "
             "'subnet': '10.0.11.0/24'}}"});
    assert_shows(
        dhcp, "subnet4",
        "[{'id': 1, 'subnet': '10.0.1.0/24', 'interface': 'eth7'}, {'id': 2, 'subnet': '10.0.2.0/24'}, {'id': 3, "
        "'subnet': '10.0.3.0/24'}]");
    assert_shows(
        dhcp, "shared-networks",
        "[{'name': 'empty', 'subnet4': []}, {'name': 'one', 'interface': 'eth8', 'valid-lifetime': 2, 'subnet4': "
        "[{'id': 11, 'subnet': '10.0.11.0/24'}]}, {'name': 'two', 'subnet4': [{'id': 21, 'subnet': "
        "'10.0.21.0/24'}, {'id': 22, 'subnet': '10.0.22.0/24'}]}]");
    json_decref(dhcp);
}

/* A network that was empty before is the partner's own affair. */
static void test_a_scope_moves_and_an_emptied_network_goes_with_it(void **state)
{
    json_t *dhcp;

    (void)state;
    take(PARTNER);
    dhcp = MERGED({11, "{'shared-network': {'name': 'new', 'valid-lifetime': 7}, 'subnet4': {'id': 11, 'subnet': "
                       "'10.0.11.0/24'}}"},
                  {22, "{'subnet4': {'id': 22, 'subnet': '10.0.22.0/24'}}"},
                  {3, "{'shared-network': {'name': 'two'}, 'subnet4': {'id': 3, 'subnet': '10.0.3.0/24'}}"});
    assert_shows(dhcp, "subnet4",
                 "[{'id': 1, 'subnet': '10.0.1.0/24', 'interface': 'eth7', 't1-percent': 0.5}, {'id': 2, 'subnet': "
                 "'10.0.2.0/24'}, {'id': 22, 'subnet': '10.0.22.0/24'}]");
    assert_shows(dhcp, "shared-networks",
                 "[{'name': 'empty', 'subnet4': []}, {'name': 'two', 'subnet4': [{'id': 21, 'subnet': '10.0.21.0/24'}, "
                 "{'id': 3, 'subnet': '10.0.3.0/24'}]}, {'name': 'new', 'valid-lifetime': 7, 'subnet4': [{'id': 11, "
                 "'subnet': '10.0.11.0/24'}]}]");
    assert_rest_unchanged(dhcp);
    json_decref(dhcp);
}

/* What no longer stands among them goes; the scopes that did not come along stay. */
static void test_a_network_has_the_parameters_its_scope_brings(void **state)
{
    json_t *dhcp;

    (void)state;
    take("{'shared-networks': [{'name': 'two', 'valid-lifetime': 1, 'renew-timer': 9, 'subnet4': [{'id': 21, 'subnet': "
         "'10.0.21.0/24'}, {'id': 22, 'subnet': '10.0.22.0/24'}]}]}");
    dhcp = MERGED({22, "{'shared-network': {'name': 'two', 'valid-lifetime': 8}, 'subnet4': {'id': 22, 'subnet': "
                       "'10.0.22.0/24', 'x': 1}}"});
    assert_shows(dhcp, "shared-networks",
                 "[{'name': 'two', 'valid-lifetime': 8, 'subnet4': [{'id': 21, 'subnet': '10.0.21.0/24'}, {'id': 22, "
                 "'subnet': '10.0.22.0/24', 'x': 1}]}]");
    assert_shows(dhcp, "subnet4", "[]");
    /* The configuration that was read is as it was. */
    assert_int_equal(json_integer_value(json_object_get(partner_config_find_network(&config, "two"), "renew-timer")),
                     9);
    json_decref(dhcp);
}

static void test_a_merge_of_nothing_is_the_same_configuration(void **state)
{
    json_t *dhcp = NULL;
    char *before, *after;

    (void)state;
    take(PARTNER);
    assert_int_equal(partner_config_merge(&config, NULL, 0, local, &dhcp).code, RESULT_OK);
    before = kea_text_print(config.dhcp);
    after = kea_text_print(dhcp);
    assert_string_equal(before, after);
    free(before);
    free(after);
    json_decref(dhcp);
}

static void test_a_definition_that_is_none_is_refused(void **state)
{
    static const char *const wrong[] = {"", "5", "{\"subnet4\": []}", "{\"subnet4\": {}, \"shared-network\": {}}"};

    (void)state;
    take(PARTNER);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct config_wish wish = {.subnet_id = 5, .definition = wrong[i]};
        json_t *dhcp = NULL;

        assert_int_equal(partner_config_merge(&config, &wish, 1, local, &dhcp).code, RESULT_INVALID);
        assert_null(dhcp);
    }
}

/* Kea prints each byte above ASCII by itself; none may be lost, UTF-8 or not. */
static void test_text_is_printed_as_kea_prints_it(void **state)
{
    static const char *const texts[] = {
        "{ \"a\": [  ], \"b\": {  }, \"c\": [ 1, -2, true, false, null ] }",
        "{ \"t1-percent\": 0.5, \"t2-percent\": 0.875, \"threshold\": 0.3, \"whole\": 1.0 }",
        "{ \"user-context\": { \"comment\": \"\\u00c3\\u00bcber \\u00ff\\u007f\\u0001\" } }",
        "[ \"a \\\"quote\\\" \\\\ / \\b\\f\\n\\r\\t\" ]",
        "{ \"big\": 9223372036854775807 }",
        /* Names Kea prints as they are, which is no JSON with some of them; ours always is. */
        "{ \"a \\\"quote\\\" \\\\ \\t\\u0001 \xc3\xbc\": 1 }",
    };

    (void)state;
    take(PARTNER);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *value = kea_text_parse(texts[i], strlen(texts[i]));
        char *printed = kea_text_print(value);

        assert_non_null(printed);
        assert_string_equal(printed, texts[i]);
        free(printed);
        json_decref(value);
    }
}

static void test_a_scope_is_printed_as_the_library_there_would_print_it(void **state)
{
    char *text;

    (void)state;
    take("{'shared-networks': [{'name': 'n', 'interface': 'eth8', 'subnet4': [{'subnet': '10.0.1.0/24', 'id': 1, "
         "'interface': 'eth7', 'reservations': [{'hw-address': 'b'}, {'hw-address': 'a'}]}]}], 'subnet4': [{'id': 2, "
         "'subnet': '10.0.2.0/24'}]}");
    text = partner_config_print(partner_config_find(&config, 1), local);
    assert_string_equal(text,
                        "{ \"shared-network\": { \"name\": \"n\" }, \"subnet4\": { \"id\": 1, \"reservations\": [ { "
                        "\"hw-address\": \"a\" }, { \"hw-address\": \"b\" } ], \"subnet\": \"10.0.1.0/24\" } }");
    free(text);
    text = partner_config_print(partner_config_find(&config, 2), local);
    assert_string_equal(text, "{ \"subnet4\": { \"id\": 2, \"reservations\": [  ], \"subnet\": \"10.0.2.0/24\" } }");
    free(text);
}

static void test_scopes_are_found_by_id_and_by_prefix(void **state)
{
    (void)state;
    take(PARTNER);
    assert_int_equal(config.count, 6);
    assert_null(partner_config_find(&config, 12));
    assert_null(partner_config_find(&config, 1)->network);
    assert_string_equal(config_network_name(partner_config_find(&config, 11)->network), "one");
    assert_int_equal(partner_config_find_prefix(&config, "10.0.22.0/24"), 22);
    assert_int_equal(partner_config_find_prefix(&config, "10.0.23.0/24"), 0);
}

static void test_a_configuration_with_hidden_passwords_is_not_set_again(void **state)
{
    json_t *arguments = way_fixture_json("{'Dhcp4': {'hosts-database': {'password': '*****'}, 'subnet4': []}}");
    struct result result = partner_config_take("server2", arguments, &config);

    (void)state;
    assert_int_equal(result.code, RESULT_REFUSED);
    assert_non_null(strstr(result.message, "hides passwords"));
    json_decref(arguments);
}

static void test_an_answer_that_is_no_configuration_is_none(void **state)
{
    static const char *const wrong[] = {"{}",
                                        "{'Dhcp6': {}}",
                                        "{'Dhcp4': []}",
                                        "{'Dhcp4': {'subnet4': [{'id': 1}]}}",
                                        "{'Dhcp4': {'subnet4': [{'subnet': '10.0.0.0/8'}]}}",
                                        "{'Dhcp4': {'subnet4': [7]}}"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        json_t *arguments = way_fixture_json(wrong[i]);

        assert_int_equal(partner_config_take("server2", arguments, &config).code, RESULT_NETWORK);
        json_decref(arguments);
    }
}

static void test_a_text_with_a_password_in_it_is_hidden(void **state)
{
    char text[100] = "cannot parse fido", harmless[100] = "cannot parse rex";

    (void)state;
    take(PARTNER);
    partner_config_hide_passwords(&config, text, sizeof text);
    assert_null(strstr(text, "fido"));
    assert_non_null(strstr(text, "log"));
    partner_config_hide_passwords(&config, harmless, sizeof harmless);
    assert_string_equal(harmless, "cannot parse rex");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_scope_takes_the_place_of_its_like, drop),
        cmocka_unit_test_teardown(test_scopes_are_added_and_removed_at_once, drop),
        cmocka_unit_test_teardown(test_what_is_local_stays_the_partners, drop),
        cmocka_unit_test_teardown(test_a_scope_moves_and_an_emptied_network_goes_with_it, drop),
        cmocka_unit_test_teardown(test_a_network_has_the_parameters_its_scope_brings, drop),
        cmocka_unit_test_teardown(test_a_merge_of_nothing_is_the_same_configuration, drop),
        cmocka_unit_test_teardown(test_a_definition_that_is_none_is_refused, drop),
        cmocka_unit_test_teardown(test_text_is_printed_as_kea_prints_it, drop),
        cmocka_unit_test_teardown(test_a_scope_is_printed_as_the_library_there_would_print_it, drop),
        cmocka_unit_test_teardown(test_scopes_are_found_by_id_and_by_prefix, drop),
        cmocka_unit_test_teardown(test_a_configuration_with_hidden_passwords_is_not_set_again, drop),
        cmocka_unit_test_teardown(test_an_answer_that_is_no_configuration_is_none, drop),
        cmocka_unit_test_teardown(test_a_text_with_a_password_in_it_is_hidden, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
