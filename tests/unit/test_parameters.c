/* The library's parameters: defaults, every known one, and every mistake by name. */
#include "failover_sync/parameters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void test_nothing_given_means_the_documented_defaults(void **state)
{
    struct parameters parameters;

    (void)state;
    assert_int_equal(parameters_parse(NULL, "dhcp4", &parameters).code, RESULT_OK);
    assert_string_equal(parameters.store, FAILOVER_SYNC_STATE_DIR "/failover-sync.dhcp4.db");
    assert_true(parameters.replicate_on_change);
    assert_true(parameters.primary_wins);
    assert_true(parameters.deletes);
    assert_string_equal(parameters.local_parameters[0], "interface");
    assert_null(parameters.local_parameters[1]);
    assert_int_equal(parameters.retry_min_ms, 200);
    assert_int_equal(parameters.retry_max_ms, 30000);
    assert_int_equal(parameters.partner_count, 0);
    for (size_t way = 0; way < APPLY_WAYS; way++)
        assert_true(parameters.apply[way]);
    parameters_clear(&parameters);
}

static void test_every_parameter_is_taken(void **state)
{
    struct parameters parameters;

    (void)state;
    assert_int_equal(parameters_parse("{\"store\": \"/tmp/x.db\", \"replicate\": \"manual\", \"conflict\": \"hold\","
                                      "\"deletes\": false, \"local-parameters\": [\"interface\", \"relay\"],"
                                      "\"retry\": {\"min-ms\": 5, \"max-ms\": 6},"
                                      "\"apply\": [\"config-set\", \"scope-receive\"],"
                                      "\"partners\": {\"server2\": {\"url\": \"https://192.0.2.2:8000/\","
                                      "\"trust-anchor\": \"/ca\", \"cert-file\": \"/c\", \"key-file\": \"/k\","
                                      "\"basic-auth-user\": \"u\", \"shared-secret-file\": \"/s2\"}},"
                                      "\"shared-secret-file\": \"/s\", \"accept-from\": \"partners\"}",
                                      "dhcp4", &parameters)
                         .code,
                     RESULT_OK);
    assert_string_equal(parameters.store, "/tmp/x.db");
    assert_false(parameters.replicate_on_change);
    assert_false(parameters.primary_wins);
    assert_false(parameters.deletes);
    assert_string_equal(parameters.local_parameters[1], "relay");
    assert_int_equal(parameters.retry_min_ms, 5);
    assert_int_equal(parameters.retry_max_ms, 6);
    assert_true(parameters.apply[APPLY_SCOPE_RECEIVE]);
    assert_false(parameters.apply[APPLY_SUBNET_COMMANDS]);
    assert_true(parameters.apply[APPLY_CONFIG_SET]);
    assert_string_equal(parameters.shared_secret_file, "/s");
    assert_string_equal(parameters.partners[0].shared_secret_file, "/s2");
    assert_true(parameters.only_signed);
    assert_int_equal(parameters.partner_count, 1);
    assert_string_equal(parameters.partners[0].name, "server2");
    assert_string_equal(parameters.partners[0].url, "https://192.0.2.2:8000/");
    assert_string_equal(parameters.partners[0].trust_anchor, "/ca");
    assert_string_equal(parameters.partners[0].key_file, "/k");
    assert_string_equal(parameters.partners[0].basic_auth_user, "u");
    parameters_clear(&parameters);
}

/* The message names the parameter, what was expected and what was found. */
static void test_a_mistake_is_named(void **state)
{
    static const struct {
        const char *text, *parameter, *expected, *found;
    } mistakes[] = {
        {"{\"stor\": \"x\"}", "stor", "expected store", "stor"},
        {"{\"store\": 5}", "store", "path", "5"},
        {"{\"store\": \"\"}", "store", "path", "\"\""},
        {"{\"store\": \"/tmp/a\\u0000b\"}", "parameters", "valid JSON", "u0000"},
        {"{\"replicate\": \"sometimes\"}", "replicate", "\"on-change\" or \"manual\"", "\"sometimes\""},
        {"{\"replicate\": true}", "replicate", "\"on-change\"", "true"},
        {"{\"conflict\": \"secondary\"}", "conflict", "primary-wins", "secondary"},
        {"{\"deletes\": \"yes\"}", "deletes", "true or false", "\"yes\""},
        {"{\"local-parameters\": \"interface\"}", "local-parameters", "list", "\"interface\""},
        {"{\"local-parameters\": [1]}", "local-parameters", "list of scope keywords", "1"},
        {"{\"local-parameters\": [\"id\"]}", "local-parameters", "cannot be local", "id"},
        {"{\"retry\": 3}", "retry", "min-ms", "3"},
        {"{\"retry\": {\"min-ms\": 0}}", "retry.min-ms", "1 to 86400000", "0"},
        {"{\"retry\": {\"max-ms\": 1e9}}", "retry.max-ms", "1 to 86400000", "1000000000"},
        {"{\"retry\": {\"min-ms\": 10, \"max-ms\": 9}}", "retry", "min-ms <= max-ms", "10 and 9"},
        {"{\"retry\": {\"minimum\": 10}}", "retry", "unknown name", "minimum"},
        {"{\"apply\": \"config-set\"}", "apply", "a list of \"scope-receive\"", "\"config-set\""},
        {"{\"apply\": []}", "apply", "a list of", "[]"},
        {"{\"apply\": [\"scope-recieve\"]}", "apply", "a list of", "\"scope-recieve\""},
        {"{\"apply\": [1]}", "apply", "a list of", "1"},
        {"{\"apply\": [\"config-set\", \"config-set\"]}", "apply", "each way once", "\"config-set\" twice"},
        {"{\"partners\": []}", "partners", "map", "a list"},
        {"{\"partners\": {\"b\": 1}}", "partners.b", "map", "a number"},
        {"{\"partners\": {\"b\": {\"uri\": \"x\"}}}", "partners.b", "unknown name", "uri"},
        {"{\"shared-secret-file\": 7}", "shared-secret-file", "path", "a number"},
        {"{\"accept-from\": \"all\"}", "accept-from", "any", "all"},
        {"{\"accept-from\": \"partners\"}", "accept-from", "shared-secret-file", "partners"},
        {"{\"partners\": {\"b\": {\"shared-secret-file\": \"\"}}}", "partners.b.shared-secret-file", "path", "empty"},
        {"{\"partners\": {\"b\": {\"url\": \"192.0.2.1\"}}}", "partners.b.url", "http://", "192.0.2.1"},
        {"{\"partners\": {\"b\": {\"url\": \"http://u:p@192.0.2.1\"}}}", "partners.b.url", "no user or password",
         "give"},
        {"{\"partners\": {\"b\": {\"basic-auth-password-file\": 1234}}}", "partners.b.basic-auth-password-file", "path",
         "a number"},
        {"{\"partners\": {\"b\": {\"certificate-name\": \"\"}}}", "partners.b.certificate-name", "name",
         "an empty text"},
        {"[]", "parameters", "map", "[]"},
        {"{\"deletes\": true, \"deletes\": false}", "parameters", "valid JSON", "duplicate"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct parameters parameters;
        struct result result = parameters_parse(mistakes[i].text, "dhcp4", &parameters);

        if (result.code != RESULT_INVALID || strstr(result.message, mistakes[i].parameter) == NULL ||
            strstr(result.message, mistakes[i].expected) == NULL || strstr(result.message, mistakes[i].found) == NULL)
            fail_msg("%s gave %d: %s", mistakes[i].text, result.code, result.message);
        assert_null(parameters.store);
    }
}

/* Not at the load: a server must serve without it, and a new file counts at once. */
static void test_a_password_file_is_not_read_before_it_is_needed(void **state)
{
    struct parameters parameters;

    (void)state;
    assert_int_equal(
        parameters_parse("{\"partners\": {\"b\": {\"basic-auth-password-file\": \"/nowhere\"}}}", "dhcp4", &parameters)
            .code,
        RESULT_OK);
    assert_string_equal(parameters.partners[0].basic_auth_password_file, "/nowhere");
    assert_null(parameters.partners[0].basic_auth_password);
    parameters_clear(&parameters);
}

static void expect_password(const char *path, const char *content, size_t length, const char *password)
{
    FILE *file = fopen(path, "w");
    char *read = NULL;

    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    if (password != NULL) {
        assert_int_equal(parameters_read_password(path, &read).code, RESULT_OK);
        assert_string_equal(read, password);
    } else {
        struct result result = parameters_read_password(path, &read);

        assert_int_equal(result.code, RESULT_INVALID);
        assert_non_null(strstr(result.message, path));
        assert_null(read);
    }
    free(read);
}

static void test_a_password_is_the_first_line_of_its_file(void **state)
{
    char path[] = "/tmp/failover-sync-password-XXXXXX", folder[] = "/tmp", long_line[1026];
    int file = mkstemp(path);
    char *read = NULL;

    (void)state;
    assert_true(file >= 0);
    close(file);
    memset(long_line, 'x', sizeof long_line);
    expect_password(path, "s3cret\nnot this\n", 16, "s3cret");
    expect_password(path, "s3cret\r\n", 8, "s3cret");
    expect_password(path, "s3cret", 6, "s3cret");
    expect_password(path, "", 0, NULL);
    expect_password(path, "\ns3cret\n", 8, NULL);
    expect_password(path, long_line, 1025, NULL);
    unlink(path);
    assert_non_null(strstr(parameters_read_password(path, &read).message, "No such file"));
    assert_non_null(strstr(parameters_read_password(folder, &read).message, "is not a file"));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_non_null(strstr(parameters_read_password(path, &read).message, "is not a file"));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_given_means_the_documented_defaults),
        cmocka_unit_test(test_every_parameter_is_taken),
        cmocka_unit_test(test_a_mistake_is_named),
        cmocka_unit_test(test_a_password_file_is_not_read_before_it_is_needed),
        cmocka_unit_test(test_a_password_is_the_first_line_of_its_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
