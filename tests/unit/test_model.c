/* What the model promises: commands' arguments are what their rpc says, and whoever wrote them otherwise is told what
 * was wrong, where, and what was expected. */
#include "failover_sync/model.h"

#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RPC "/kea-failover-sync:"

/* A batch with everything scope-receive takes. */
static const char receive_all[] =
    "{\"sender\": \"server1\", \"receiver\": \"server2\", \"scopes\": ["
    "{\"subnet-id\": 7, \"prefix\": \"192.0.2.0/24\", \"definition\": "
    "\"{\\\"id\\\":7,\\\"subnet\\\":\\\"192.0.2.0/24\\\","
    "\\\"user-context\\\":{\\\"site\\\":\\\"Z\u00fcrich\\\"}}\", \"base\": \"\","
    " \"fingerprint\": \"00112233445566778899aabbccddeeff\"},"
    "{\"subnet-id\": 3, \"prefix\": \"2001:db8::/64\", \"base\": \"ffeeddccbbaa99887766554433221100\","
    " \"fingerprint\": \"\"}]}";

static struct model *model;

static int load(void **state)
{
    (void)state;
    return result_failed(model_new(&model)) ? -1 : 0;
}

static int unload(void **state)
{
    (void)state;
    model_free(model);
    return 0;
}

/* Fails the test unless the input is accepted. */
static struct model_tree *accept(const char *command, const char *arguments)
{
    struct model_tree *tree = NULL;
    char *path = NULL;
    struct result result = model_parse_input(model, command, arguments, &tree, &path);

    assert_string_equal(result.message, "");
    assert_int_equal(result.code, RESULT_OK);
    assert_non_null(tree);
    assert_null(path);
    return tree;
}

static struct model_tree *accept_output(const char *command, const char *arguments)
{
    struct model_tree *tree = NULL;
    struct result result = model_parse_output(model, command, arguments, &tree);

    assert_string_equal(result.message, "");
    assert_int_equal(result.code, RESULT_OK);
    assert_non_null(tree);
    return tree;
}

/* Fails the test unless the input is refused with this very message and path. */
static void refuse(const char *command, const char *arguments, const char *message, const char *wanted_path)
{
    struct model_tree *tree = NULL;
    char *path = NULL;
    struct result result = model_parse_input(model, command, arguments, &tree, &path);

    assert_string_equal(result.message, message);
    assert_int_equal(result.code, RESULT_INVALID);
    assert_null(tree);
    if (wanted_path == NULL) {
        assert_null(path);
    } else {
        assert_non_null(path);
        assert_string_equal(path, wanted_path);
    }
    free(path);
}

static void refuse_output(const char *command, const char *arguments, const char *message)
{
    struct model_tree *tree = NULL;
    struct result result = model_parse_output(model, command, arguments, &tree);

    assert_string_equal(result.message, message);
    assert_int_equal(result.code, RESULT_INVALID);
    assert_null(tree);
}

static void test_a_batch_is_read_as_it_was_sent(void **state)
{
    struct model_tree *tree = accept("scope-receive", receive_all);
    const struct model_node *root = model_root(tree);
    const struct model_node *scope;
    size_t count = 0;

    (void)state;
    assert_string_equal(model_text(root, "sender"), "server1");
    assert_string_equal(model_text(root, "receiver"), "server2");
    assert_null(model_text(root, "ticket"));
    assert_null(model_first(root, "no-such-name"));

    /* The order is libyang's: 2 keeps the sender's, later ones sort by key. */
    for (scope = model_first(root, "scopes"); scope != NULL; scope = model_next(scope)) {
        count++;
        if (model_integer(scope, "subnet-id", -1) == 7) {
            assert_string_equal(model_text(scope, "prefix"), "192.0.2.0/24");
            assert_string_equal(model_text(scope, "base"), "");
            assert_string_equal(model_text(scope, "definition"),
                                "{\"id\":7,\"subnet\":\"192.0.2.0/24\",\"user-context\":{\"site\":\"Z\u00fcrich\"}}");
        } else {
            assert_int_equal(model_integer(scope, "subnet-id", -1), 3);
            assert_string_equal(model_text(scope, "fingerprint"), "");
            assert_null(model_text(scope, "definition"));
        }
    }
    assert_int_equal(count, 2);
    model_tree_free(tree);
}

static void test_an_absent_leaf_reads_as_what_the_caller_says(void **state)
{
    struct model_tree *tree =
        accept_output("scope-get", "{\"scope\": {\"subnet-id\": 4294967294, \"in-file\": false}}");
    const struct model_node *scope = model_first(model_root(tree), "scope");

    (void)state;
    assert_non_null(scope);
    assert_null(model_next(scope));
    assert_true(model_integer(scope, "subnet-id", -1) == 4294967294);
    assert_true(model_integer(scope, "record-id", -5) == -5);
    assert_true(model_integer(scope, "in-file", -5) == -5);
    assert_false(model_boolean(scope, "in-file", true));
    assert_true(model_boolean(scope, "no-such-name", true));
    assert_false(model_boolean(scope, "subnet-id", false));
    model_tree_free(tree);
}

static void test_a_leaf_list_is_walked_by_its_instances(void **state)
{
    struct model_tree *tree = accept("scope-replicate", "{\"subnet-ids\": [5, 6, 4294967294]}");
    const struct model_node *id = model_first(model_root(tree), "subnet-ids");
    static const char *const expected[] = {"5", "6", "4294967294"};

    (void)state;
    for (size_t i = 0; i < 3; i++, id = model_next(id)) {
        assert_non_null(id);
        assert_string_equal(model_value(id), expected[i]);
    }
    assert_null(id);
    model_tree_free(tree);
}

static void test_every_command_takes_its_smallest_input(void **state)
{
    static const struct {
        const char *command;
        const char *arguments;
    } cases[] = {
        {"failover-status", "{}"},
        {"failover-get-all", "{}"},
        {"scope-get", "{\"subnet-id\": 1}"},
        {"scope-get-all", "{}"},
        {"scope-get-all", "{\"relationship\": \"r\", \"sync-status\": \"OutOfSync\"}"},
        {"scope-replicate", "{\"subnet-ids\": [1]}"},
        {"scope-receive", "{\"sender\": \"a\", \"receiver\": \"b\", \"ticket\": \"t\"}"},
        {"scope-receive", "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": "
                          "[{\"subnet-id\": 1, \"prefix\": \"::/0\", \"base\": \"\", \"fingerprint\": \"\"}]}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        model_tree_free(accept(cases[i].command, cases[i].arguments));
}

static void test_no_arguments_are_the_empty_map(void **state)
{
    static const char *const nothing[] = {NULL, "", "{}", " {\n}\t"};

    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        model_tree_free(accept("failover-status", nothing[i]));
        model_tree_free(accept_output("scope-receive", nothing[i]));
        refuse("scope-get", nothing[i], "subnet-id: missing, expected an integer 1 to 4294967294",
               RPC "scope-get/subnet-id");
    }
}

static void test_an_unknown_command_is_not_found(void **state)
{
    static const char *const commands[] = {"scope-got", "", "config-get", "scope-get/subnet-id",
                                           "kea-failover-sync:scope-get"};

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct model_tree *tree = NULL;
        char *path = NULL;
        struct result result = model_parse_input(model, commands[i], "{}", &tree, &path);

        assert_int_equal(result.code, RESULT_NOT_FOUND);
        assert_non_null(strstr(result.message, commands[i]));
        assert_null(tree);
        assert_null(path);
        assert_int_equal(model_parse_output(model, commands[i], "{}", &tree).code, RESULT_NOT_FOUND);
    }
}

static void test_each_missing_argument_is_named(void **state)
{
    static const struct {
        const char *command;
        const char *arguments;
        const char *message;
        const char *path;
    } cases[] = {
        {"scope-replicate", "{}",
         "subnet-ids: missing, expected a list of 1 to 10000 entries, each an integer 1 to 4294967294",
         RPC "scope-replicate/subnet-ids"},
        {"scope-receive", "{\"receiver\": \"b\", \"ticket\": \"t\"}",
         "sender: missing, expected text of 1 to 256 characters", RPC "scope-receive/sender"},
        {"scope-receive", "{\"sender\": \"a\", \"ticket\": \"t\"}",
         "receiver: missing, expected text of 1 to 256 characters", RPC "scope-receive/receiver"},
        {"scope-receive", "{\"sender\": \"a\", \"receiver\": \"b\"}",
         "arguments: scopes or objects or ticket is missing", RPC "scope-receive"},
        {"scope-receive",
         "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": [{\"prefix\": \"::/0\", \"base\": \"\", "
         "\"fingerprint\": \"\"}]}",
         "scopes[#1].subnet-id: missing, expected an integer 1 to 4294967294", RPC "scope-receive/scopes[1]/subnet-id"},
        {"scope-receive",
         "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": [{\"subnet-id\": 9, \"base\": \"\", \"fingerprint\": "
         "\"\"}]}",
         "scopes[subnet-id=9].prefix: missing, expected text of 3 to 43 characters matching [0-9a-fA-F:.]+/[0-9]{1,3}",
         RPC "scope-receive/scopes[subnet-id='9']/prefix"},
        {"scope-receive",
         "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": [{\"subnet-id\": 9, \"prefix\": \"::/0\", "
         "\"fingerprint\": \"\"}]}",
         "scopes[subnet-id=9].base: missing, expected text of 0 or 32 characters matching [0-9a-f]*",
         RPC "scope-receive/scopes[subnet-id='9']/base"},
        {"scope-receive",
         "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": [{\"subnet-id\": 9, \"prefix\": \"::/0\", \"base\": "
         "\"\"}]}",
         "scopes[subnet-id=9].fingerprint: missing, expected text of 0 or 32 characters matching [0-9a-f]*",
         RPC "scope-receive/scopes[subnet-id='9']/fingerprint"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(cases[i].command, cases[i].arguments, cases[i].message, cases[i].path);
}

#define AN_ID      "subnet-id: expected an integer 1 to 4294967294, found "
#define AN_ID_PATH RPC "scope-get/subnet-id"

static void test_a_wrong_value_is_named_with_what_was_expected_and_found(void **state)
{
    static const struct {
        const char *command;
        const char *arguments;
        const char *message;
        const char *path;
    } cases[] = {
        {"scope-get", "{\"subnet-id\": \"abc\"}", AN_ID "\"abc\"", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": \"1\"}", AN_ID "\"1\"", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": 0}", AN_ID "0", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": -1}", AN_ID "-1", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": 4294967295}", AN_ID "4294967295", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": 9223372036854775807}", AN_ID "9223372036854775807", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": 1.0}", AN_ID "1.0", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": 1e2}", AN_ID "100.0", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": null}", AN_ID "null", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": true}", AN_ID "true", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": {}}", AN_ID "a map", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": []}", AN_ID "an empty list", AN_ID_PATH},
        {"scope-get", "{\"subnet-id\": [null]}", AN_ID "a list of 1", AN_ID_PATH},
        {"scope-get-all", "{\"relationship\": 5}", "relationship: expected text of 1 to 256 characters, found 5",
         RPC "scope-get-all/relationship"},
        {"scope-get-all", "{\"relationship\": true}", "relationship: expected text of 1 to 256 characters, found true",
         RPC "scope-get-all/relationship"},
        {"scope-get-all", "{\"relationship\": \"\"}", "relationship: expected text of 1 to 256 characters, found \"\"",
         RPC "scope-get-all/relationship"},
        {"scope-get-all", "{\"relationship\": \"a\\u0001b\"}",
         "relationship: expected text without control characters, found \"a?b\"", RPC "scope-get-all/relationship"},
        {"scope-get-all", "{\"sync-status\": \"insync\"}",
         "sync-status: expected one of Unknown, InSync, OutOfSync, found \"insync\"", RPC "scope-get-all/sync-status"},
        {"scope-get-all", "{\"sync-status\": 1}", "sync-status: expected one of Unknown, InSync, OutOfSync, found 1",
         RPC "scope-get-all/sync-status"},
        {"scope-replicate", "{\"subnet-ids\": 3}",
         "subnet-ids: expected a list of 1 to 10000 entries, each an integer 1 to 4294967294, found 3",
         RPC "scope-replicate/subnet-ids"},
        {"scope-replicate", "{\"subnet-ids\": []}",
         "subnet-ids: expected a list of 1 to 10000 entries, each an integer 1 to 4294967294, found an empty list",
         RPC "scope-replicate/subnet-ids"},
        {"scope-replicate", "{\"subnet-ids\": [1, \"2\"]}",
         "subnet-ids[#2]: expected an integer 1 to 4294967294, found \"2\"", RPC "scope-replicate/subnet-ids[2]"},
        {"scope-replicate", "{\"subnet-ids\": [[1]]}",
         "subnet-ids[#1]: expected an integer 1 to 4294967294, found a list of 1", RPC "scope-replicate/subnet-ids[1]"},
        {"scope-receive", "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": []}",
         "scopes: expected a list of 1 to 1000 maps, found an empty list", RPC "scope-receive/scopes"},
        {"scope-receive", "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": {\"subnet-id\": 1}}",
         "scopes: expected a list of 1 to 1000 maps, found a map", RPC "scope-receive/scopes"},
        {"scope-receive", "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": [null]}",
         "scopes[#1]: expected a map, found null", RPC "scope-receive/scopes[1]"},
        {"scope-receive",
         "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": [{\"subnet-id\": 9, \"prefix\": \"banana\"}]}",
         "scopes[subnet-id=9].prefix: expected text of 3 to 43 characters matching [0-9a-fA-F:.]+/[0-9]{1,3},"
         " found \"banana\"",
         RPC "scope-receive/scopes[subnet-id='9']/prefix"},
        {"scope-receive",
         "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": [{\"subnet-id\": \"9\", \"prefix\": \"::/0\"}]}",
         "scopes[subnet-id=9].subnet-id: expected an integer 1 to 4294967294, found \"9\"",
         RPC "scope-receive/scopes[subnet-id='9']/subnet-id"},
        {"scope-receive",
         "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": [{\"subnet-id\": 9, \"prefix\": \"::/0\","
         " \"base\": \"0011\"}]}",
         "scopes[subnet-id=9].base: expected text of 0 or 32 characters matching [0-9a-f]*, found \"0011\"",
         RPC "scope-receive/scopes[subnet-id='9']/base"},
        {"scope-receive",
         "{\"sender\": \"a\", \"receiver\": \"b\", \"ticket\": \"t\", \"scopes\": [{\"subnet-id\": 1,"
         " \"prefix\": \"::/0\", \"base\": \"\", \"fingerprint\": \"\"}]}",
         "arguments: scopes or objects or ticket is expected, found more than one of them", RPC "scope-receive"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(cases[i].command, cases[i].arguments, cases[i].message, cases[i].path);
}

static void test_an_unknown_name_is_refused_with_those_that_are_known(void **state)
{
    (void)state;
    refuse("failover-status", "{\"x\": 1}", "x: unknown name, expected none here", RPC "failover-status");
    refuse("scope-get", "{\"subnet-id\": 1, \"subnet\": 2}", "subnet: unknown name, expected subnet-id",
           RPC "scope-get");
    refuse("scope-get", "{\"subnet-id\": 1, \"\": 2}", "\"\": unknown name, expected subnet-id", RPC "scope-get");
    refuse("scope-get", "{\"kea-failover-sync:subnet-id\": 1}",
           "kea-failover-sync:subnet-id: unknown name, expected subnet-id", RPC "scope-get");
    refuse("scope-get", "{\"subnet-id\": 1, \"@subnet-id\": {\"a:b\": 1}}",
           "@subnet-id: unknown name, expected subnet-id", RPC "scope-get");
    refuse("scope-get-all", "{\"r\\u0007\": 1}", "r?: unknown name, expected relationship, sync-status",
           RPC "scope-get-all");
    refuse(
        "scope-receive", "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": [{\"subnet-id\": 4, \"pools\": []}]}",
        "scopes[subnet-id=4].pools: unknown name, expected subnet-id, prefix, definition, base, fingerprint, version, "
        "force, network-version",
        RPC "scope-receive/scopes[subnet-id='4']");
    refuse("scope-get", "{\"input\": {}}", "input: unknown name, expected subnet-id", RPC "scope-get");
    refuse("scope-receive", "{\"request\": {}}",
           "request: unknown name, expected sender, receiver, clock, envelope, scopes, objects, ticket",
           RPC "scope-receive");
}

static void test_a_scope_is_not_given_twice(void **state)
{
    (void)state;
    refuse("scope-receive",
           "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": ["
           "{\"subnet-id\": 4, \"prefix\": \"10.0.0.0/8\", \"base\": \"\", \"fingerprint\": \"\"},"
           "{\"subnet-id\": 4, \"prefix\": \"11.0.0.0/8\", \"base\": \"\", \"fingerprint\": \"\"}]}",
           "scopes[subnet-id=4]: entry 2 has the same key as one before it", RPC "scope-receive/scopes[subnet-id='4']");
    refuse_output("scope-get-all", "{\"scopes\": [{\"subnet-id\": 4}, {\"subnet-id\": 5}, {\"subnet-id\": 4}]}",
                  "scopes[subnet-id=4]: entry 3 has the same key as one before it");
    refuse("scope-get", "{\"subnet-id\": 1, \"subnet-id\": 1}",
           "arguments: expected JSON, found an error in line 1, column 28: duplicate object key near '\"subnet-id\"'",
           NULL);
}

static void test_what_was_found_is_cut_to_64_characters(void **state)
{
    char text[2048];
    char expected[512];
    struct model_tree *tree = NULL;
    struct result result;

    (void)state;
    /* 300 characters of two bytes each. */
    (void)snprintf(text, sizeof text, "{\"relationship\": \"");
    for (int i = 0; i < 300; i++)
        strcat(text, "\u00e9");
    strcat(text, "\"}");
    (void)snprintf(expected, sizeof expected, "relationship: expected text of 1 to 256 characters, found \"");
    for (int i = 0; i < 64; i++)
        strcat(expected, "\u00e9");
    strcat(expected, "...\"");
    result = model_parse_input(model, "scope-get-all", text, &tree, NULL);
    assert_string_equal(result.message, expected);
    assert_null(tree);
}

static void test_what_is_not_a_map_is_refused(void **state)
{
    (void)state;
    refuse("failover-status", "[]", "arguments: expected a map, found an empty list", NULL);
    refuse("failover-status", "[1, 2]", "arguments: expected a map, found a list of 2", NULL);
    refuse("failover-status", "null", "arguments: expected a map, found null", NULL);
    refuse("failover-status", "7", "arguments: expected a map, found 7", NULL);
    refuse("failover-status", "\"{}\"", "arguments: expected a map, found \"{}\"", NULL);
}

static void test_what_is_not_json_is_refused_with_its_line(void **state)
{
    static const char *const garbage[] = {
        "{",     "}",        "{]",     "x",        "{\"a\"}",        "{\"a\":}",
        "{} {}", "{'a': 1}", "{a: 1}", "\xff\xfe", "{\"\xc3\": 1}",  "{\"a\": \"\\u0000\"}",
        " ",     "\\",       "\"",     "\"\\",     "{\"a\": 1e999}", "{\"a\": 99999999999999999999}"};

    (void)state;
    refuse("scope-get", "{\n  \"subnet-id\": 1,\n}",
           "arguments: expected JSON, found an error in line 3, column 1: string or '}' expected near '}'", NULL);
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        struct model_tree *tree = NULL;
        char *path = NULL;
        struct result result = model_parse_input(model, "scope-get-all", garbage[i], &tree, &path);

        assert_int_equal(result.code, RESULT_INVALID);
        assert_ptr_equal(strstr(result.message, "arguments: expected JSON, found an error in line 1"), result.message);
        assert_null(tree);
        assert_null(path);
    }
}

static void test_a_damaged_batch_is_refused_and_nothing_worse(void **state)
{
    static const char bytes[] = "{}[]\",:\\ 0-e\x01\x80\xffnt@'";
    char text[sizeof receive_all];

    (void)state;
    for (size_t length = 1; length < sizeof receive_all - 1; length++) {
        struct model_tree *tree = NULL;
        char *path = NULL;

        memcpy(text, receive_all, length);
        text[length] = '\0';
        assert_int_equal(model_parse_input(model, "scope-receive", text, &tree, &path).code, RESULT_INVALID);
        assert_null(tree);
        assert_null(path);
    }
    for (size_t at = 0; at < sizeof receive_all - 1; at++) {
        for (size_t i = 0; i < sizeof bytes - 1; i++) {
            struct model_tree *tree = NULL;
            struct result result;

            memcpy(text, receive_all, sizeof text);
            text[at] = bytes[i];
            result = model_parse_input(model, "scope-receive", text, &tree, NULL);
            assert_true(result.code == RESULT_OK || result.code == RESULT_INVALID);
            assert_true((result.code == RESULT_OK) == (tree != NULL));
            model_tree_free(tree);
        }
    }
}

/* {"scope": {"definition": {"a": [[...]]}}} with `depth` levels in all. */
static void nest(char *text, size_t size, int depth)
{
    (void)snprintf(text, size, "{\"scope\": {\"definition\": {\"a\": ");
    for (int i = 3; i < depth; i++)
        strcat(text, "[");
    strcat(text, "\"]}[{\"");
    for (int i = 3; i < depth; i++)
        strcat(text, "]");
    strcat(text, "}}}");
}

static void test_json_is_bounded_before_it_is_parsed(void **state)
{
    const size_t limit = (size_t)16 * 1024 * 1024;
    char *text = malloc(limit + 2);

    (void)state;
    assert_non_null(text);
    nest(text, limit, 64);
    model_tree_free(accept_output("scope-get", text));
    nest(text, limit, 65);
    refuse_output("scope-get", text, "arguments: expected JSON nested at most 64 deep, found deeper");

    memset(text, '[', limit);
    text[limit] = '\0';
    refuse("scope-get", text, "arguments: expected JSON nested at most 64 deep, found deeper", NULL);

    memset(text, ' ', limit + 1);
    text[0] = '{';
    text[limit - 1] = '}';
    text[limit] = '\0';
    model_tree_free(accept("failover-status", text));
    text[limit] = ' ';
    text[limit + 1] = '\0';
    refuse("failover-status", text, "arguments: expected at most 16 MiB of JSON, found more", NULL);
    free(text);
}

static void test_a_definition_may_be_eight_mebibytes_and_no_more(void **state)
{
    const size_t limit = 8388608;
    const char head[] = "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": [{\"subnet-id\": 1, \"prefix\": \"::/0\","
                        " \"base\": \"\", \"fingerprint\": \"\", \"definition\": \"";
    char *text = malloc(sizeof head + limit + 8);
    struct model_tree *tree;

    (void)state;
    assert_non_null(text);
    memcpy(text, head, sizeof head - 1);
    memset(text + sizeof head - 1, 'x', limit + 1);
    strcpy(text + sizeof head - 1 + limit, "\"}]}");
    tree = accept("scope-receive", text);
    assert_int_equal(strlen(model_text(model_first(model_root(tree), "scopes"), "definition")), limit);
    model_tree_free(tree);

    strcpy(text + sizeof head - 1 + limit, "x\"}]}");
    refuse("scope-receive", text,
           "scopes[subnet-id=1].definition: expected text of 2 to 8388608 characters, found "
           "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"",
           RPC "scope-receive/scopes[subnet-id='1']/definition");
    free(text);
}

static void test_a_batch_has_at_most_1000_scopes(void **state)
{
    char *text = malloc(200000);

    (void)state;
    assert_non_null(text);
    for (int count = 1000; count <= 1001; count++) {
        size_t length = (size_t)sprintf(text, "{\"sender\": \"a\", \"receiver\": \"b\", \"scopes\": [");

        for (int i = 1; i <= count; i++)
            length += (size_t)sprintf(
                text + length,
                "%s{\"subnet-id\": %d, \"prefix\": \"10.0.0.0/8\", \"base\": \"\", \"fingerprint\": \"\"}",
                i > 1 ? ", " : "", i);
        (void)sprintf(text + length, "]}");
        if (count == 1000)
            model_tree_free(accept("scope-receive", text));
        else
            refuse("scope-receive", text, "scopes: expected a list of 1 to 1000 maps, found a list of 1001",
                   RPC "scope-receive/scopes");
    }
    free(text);
}

static void test_answers_are_held_against_the_output(void **state)
{
    struct model_tree *tree =
        accept_output("scope-receive", "{\"ticket\": \"t1\", \"state\": \"recorded\", \"scopes\": ["
                                       "{\"subnet-id\": 7, \"result\": \"id-mismatch\", \"text\": \"\"}]}");

    (void)state;
    assert_string_equal(model_text(model_root(tree), "state"), "recorded");
    assert_string_equal(model_text(model_first(model_root(tree), "scopes"), "result"), "id-mismatch");
    model_tree_free(tree);

    model_tree_free(accept_output("failover-get-all",
                                  "{\"relationships\": [{\"record-id\": 1, \"server1-percentage\": 100,"
                                  " \"mode\": \"LoadBalance\", \"auto-state-transition\": true}]}"));
    model_tree_free(
        accept_output("failover-status", "{\"relationships\": [{\"name\": \"a'b\"}, {\"name\": \"a\\\"b\"}]}"));

    /* What only the input knows is unknown in the output. */
    refuse_output(
        "scope-receive", "{\"sender\": \"a\"}",
        "sender: unknown name, expected envelope, ticket, state, state-text, clock, pause-us, scopes, objects");
    refuse_output("scope-receive", "{\"state\": \"done\"}",
                  "state: expected one of pending, applied, recorded, unrecorded, busy, found \"done\"");
    refuse_output("scope-receive", "{\"scopes\": [{\"result\": \"applied\"}]}",
                  "scopes[#1].subnet-id: missing, expected an integer 1 to 4294967294");
    refuse_output("failover-get-all", "{\"relationships\": [{\"record-id\": 1, \"server1-percentage\": 101}]}",
                  "relationships[record-id=1].server1-percentage: expected an integer 0 to 100, found 101");
    refuse_output("failover-get-all", "{\"relationships\": [{\"record-id\": 1, \"auto-state-transition\": 1}]}",
                  "relationships[record-id=1].auto-state-transition: expected true or false, found 1");
    refuse_output("failover-status", "{\"relationships\": [{\"name\": \"r\", \"scopes\": -1}]}",
                  "relationships[name=r].scopes: expected an integer 0 to 4294967295, found -1");
    refuse_output(
        "failover-status", "{\"relationships\": [{\"name\": \"it's\", \"x\": 1}]}",
        "relationships[#1].x: unknown name, expected name, mode, kea-mode, partner, partner-url, way, local-state,"
        " partner-state, scopes, in-sync, out-of-sync, objects, objects-in-sync, objects-out-of-sync, queued, held, "
        "held-removals, received-held, "
        "received-held-removals, oldest-wait-ms, next-attempt-ms, shared-secret, refused-requests, last-error, "
        "partner-error, pushes,"
        " scopes-sent, scopes-received");
    refuse_output("scope-get", "{\"scope\": []}", "scope: expected a map, found an empty list");
    refuse_output("scope-get", "{\"scope\": {\"origin\": \"x\"}}",
                  "scope.origin: expected one of configuration, partner, found \"x\"");
}

/* Kea's JSON has names no YANG module could have, empty and nested lists, and nulls. */
static void test_a_definition_may_be_any_map(void **state)
{
    static const char *const definitions[] = {
        "{}",
        "{\"subnet4\": {\"id\": 1, \"subnet\": \"192.0.2.0/24\", \"4o6-interface\": \"\", \"4o6-subnet\": \"\","
        " \"option-data\": [], \"pools\": [{\"pool\": \"192.0.2.1-192.0.2.9\", \"option-data\": []}], \"relay\":"
        " {\"ip-addresses\": []}, \"t1-percent\": 0.5, \"store-extended-info\": false}, \"shared-network\": {}}",
        "{\"subnet4\": {\"user-context\": {\"a:b\": [1, [2, 3], {\"@x\": null}], \"\": 0, \"1\": []}}}",
        "{\"subnet4\": {\"user-context\": {\"two words\": \"\\u00e9\\u0001\"}}}",
        "{\"subnet-id\": \"abc\", \"scope\": {\"subnet-id\": []}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++) {
        char text[1024];
        struct model_tree *tree;
        const struct model_node *scope;

        (void)snprintf(text, sizeof text,
                       "{\"scope\": {\"subnet-id\": 1, \"definition\": %s, \"origin\": \"partner\"}}", definitions[i]);
        tree = accept_output("scope-get", text);
        scope = model_first(model_root(tree), "scope");
        assert_non_null(model_first(scope, "definition"));
        assert_null(model_text(scope, "definition"));
        assert_string_equal(model_text(scope, "origin"), "partner");
        model_tree_free(tree);
    }
    refuse_output("scope-get", "{\"scope\": {\"definition\": []}}",
                  "scope.definition: expected a map, found an empty list");
    refuse_output("scope-get", "{\"scope\": {\"definition\": \"{}\"}}",
                  "scope.definition: expected a map, found \"{}\"");
    refuse_output("scope-get", "{\"scope\": {\"definition\": null}}", "scope.definition: expected a map, found null");
}

static void test_nothing_is_printed(void **state)
{
    FILE *caught = tmpfile();
    int saved_out = dup(STDOUT_FILENO);
    int saved_err = dup(STDERR_FILENO);
    struct model *other = NULL;
    struct model_tree *tree = NULL;
    struct result result;
    long printed;

    (void)state;
    assert_non_null(caught);
    fflush(stdout);
    assert_true(dup2(fileno(caught), STDOUT_FILENO) >= 0 && dup2(fileno(caught), STDERR_FILENO) >= 0);
    result = model_new(&other);
    (void)model_parse_input(other, "scope-get", "{\"subnet-id\": 0}", &tree, NULL);
    /* A character YANG has no place for: only libyang's parser finds it. */
    (void)model_parse_input(other, "scope-get-all", "{\"relationship\": \"\xef\xbf\xbe\"}", &tree, NULL);
    model_tree_free(tree);
    model_free(other);
    fflush(stdout);
    assert_true(dup2(saved_out, STDOUT_FILENO) >= 0 && dup2(saved_err, STDERR_FILENO) >= 0);
    close(saved_out);
    close(saved_err);
    printed = lseek(fileno(caught), 0, SEEK_END);
    fclose(caught);
    assert_false(result_failed(result));
    assert_int_equal(printed, 0);
}

static long allocations_left;

static void *limited_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void test_a_failed_allocation_is_an_error_not_a_crash(void **state)
{
    struct model_tree *tree = NULL;
    struct result result;
    long allowed = 0;

    (void)state;
    json_set_alloc_funcs(limited_malloc, free);
    do {
        allocations_left = allowed++;
        result = model_parse_input(model, "scope-receive", receive_all, &tree, NULL);
        assert_true((result.code == RESULT_OK) == (tree != NULL));
        /* jansson does not say of every failure that memory was the reason. */
        assert_true(result.code == RESULT_OK || result.code == RESULT_MEMORY || result.code == RESULT_INVALID);
    } while (result.code != RESULT_OK && allowed < 10000);
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(result.code, RESULT_OK);
    assert_true(allowed > 20);
    model_tree_free(tree);
}

static void *parse_often(void *surprises)
{
    for (int i = 0; i < 1000; i++) {
        struct model_tree *good = NULL;
        struct model_tree *bad = NULL;
        struct model_tree *answer = NULL;
        char *path = NULL;
        struct result result;

        result = model_parse_input(model, "scope-receive", receive_all, &good, &path);
        if (result_failed(result) || path != NULL || strcmp(model_text(model_root(good), "sender"), "server1") != 0)
            ++*(int *)surprises;
        result = model_parse_input(model, "scope-get", "{\"subnet-id\": 4294967295}", &bad, &path);
        if (result.code != RESULT_INVALID || bad != NULL || path == NULL ||
            strcmp(result.message, AN_ID "4294967295") != 0)
            ++*(int *)surprises;
        free(path);
        /* Refused by libyang itself, so that its own record of errors is used by all threads at once. */
        result = model_parse_input(model, "scope-get-all", "{\"relationship\": \"\xef\xbf\xbe\"}", &bad, &path);
        if (result.code != RESULT_INVALID || bad != NULL)
            ++*(int *)surprises;
        free(path);
        result = model_parse_output(model, "scope-get", "{\"scope\": {\"subnet-id\": 7, \"sync-status\": \"InSync\"}}",
                                    &answer);
        if (result_failed(result))
            ++*(int *)surprises;
        model_tree_free(answer);
        model_tree_free(good);
    }
    return NULL;
}

static void test_threads_share_a_model(void **state)
{
    pthread_t threads[4];
    int surprises[4] = {0};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, parse_often, &surprises[i]), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(surprises[i], 0);
}

static void test_what_only_libyang_refuses_is_told_in_its_words(void **state)
{
    struct model_tree *tree = NULL;
    char *path = NULL;
    struct result result =
        model_parse_input(model, "scope-get-all", "{\"relationship\": \"\xef\xbf\xbe\"}", &tree, &path);

    (void)state;
    assert_int_equal(result.code, RESULT_INVALID);
    assert_non_null(strstr(result.message, "(at " RPC "scope-get-all"));
    assert_non_null(strstr(result.message, "nvalid character"));
    assert_null(tree);
    assert_non_null(path);
    assert_ptr_equal(strstr(path, RPC "scope-get-all"), path);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_batch_is_read_as_it_was_sent),
        cmocka_unit_test(test_an_absent_leaf_reads_as_what_the_caller_says),
        cmocka_unit_test(test_a_leaf_list_is_walked_by_its_instances),
        cmocka_unit_test(test_every_command_takes_its_smallest_input),
        cmocka_unit_test(test_no_arguments_are_the_empty_map),
        cmocka_unit_test(test_an_unknown_command_is_not_found),
        cmocka_unit_test(test_each_missing_argument_is_named),
        cmocka_unit_test(test_a_wrong_value_is_named_with_what_was_expected_and_found),
        cmocka_unit_test(test_an_unknown_name_is_refused_with_those_that_are_known),
        cmocka_unit_test(test_a_scope_is_not_given_twice),
        cmocka_unit_test(test_what_was_found_is_cut_to_64_characters),
        cmocka_unit_test(test_what_is_not_a_map_is_refused),
        cmocka_unit_test(test_what_is_not_json_is_refused_with_its_line),
        cmocka_unit_test(test_what_only_libyang_refuses_is_told_in_its_words),
        cmocka_unit_test(test_a_damaged_batch_is_refused_and_nothing_worse),
        cmocka_unit_test(test_json_is_bounded_before_it_is_parsed),
        cmocka_unit_test(test_a_definition_may_be_eight_mebibytes_and_no_more),
        cmocka_unit_test(test_a_batch_has_at_most_1000_scopes),
        cmocka_unit_test(test_answers_are_held_against_the_output),
        cmocka_unit_test(test_a_definition_may_be_any_map),
        cmocka_unit_test(test_nothing_is_printed),
        cmocka_unit_test(test_a_failed_allocation_is_an_error_not_a_crash),
        cmocka_unit_test(test_threads_share_a_model),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
