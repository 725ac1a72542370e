/* Secrets and what is sealed with them. */
#include "plugin/replication/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "0123456789abcdef"

static char path[] = "/tmp/failover-sync-secret-XXXXXX";

static void write_file(const char *text, size_t length, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void assert_refused(const char *text, size_t length, mode_t mode, const char *word)
{
    struct secrets secrets;
    struct result result;

    write_file(text, length, mode);
    result = secrets_read(path, &secrets);
    assert_int_equal(result.code, RESULT_INVALID);
    assert_int_equal(secrets.count, 0);
    if (strstr(result.message, word) == NULL || strstr(result.message, path) == NULL)
        fail_msg("%s", result.message);
    assert_null(strstr(result.message, SECRET));
}

static void test_one_or_two_secrets_are_read_the_first_first(void **state)
{
    struct secrets secrets;

    (void)state;
    write_file(SECRET, strlen(SECRET), 0600);
    assert_int_equal(secrets_read(path, &secrets).code, RESULT_OK);
    assert_int_equal(secrets.count, 1);
    write_file(SECRET "\r\n\nsecond-secret-0123\n", strlen(SECRET) + 22, 0400);
    assert_int_equal(secrets_read(path, &secrets).code, RESULT_OK);
    assert_int_equal(secrets.count, 2);
    assert_string_equal(secrets.text[0], SECRET);
    assert_string_equal(secrets.text[1], "second-secret-0123");
}

static void test_a_file_that_others_can_use_is_refused_with_its_mode(void **state)
{
    static const struct {
        mode_t mode;
        const char *word;
    } modes[] = {{0644, "0644"}, {0640, "0640"}, {0660, "0660"}, {0602, "0602"}, {0610, "0610"}};

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_refused(SECRET, strlen(SECRET), modes[i].mode, modes[i].word);
        assert_refused(SECRET, strlen(SECRET), modes[i].mode, "chmod 0600");
    }
}

static void test_a_file_of_another_user_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    write_file(SECRET, strlen(SECRET), 0600);
    assert_int_equal(chown(path, 12345, 0), 0);
    assert_refused(SECRET, strlen(SECRET), 0600, "12345");
    assert_int_equal(chown(path, 0, 0), 0);
}

static void test_what_is_no_secret_is_refused_with_the_remedy(void **state)
{
    char longest[SECRET_MOST + 2];
    struct secrets secrets;
    struct result result;

    (void)state;
    assert_refused("", 0, 0600, "empty");
    assert_refused("\n\n", 2, 0600, "empty");
    assert_refused("short\n", 6, 0600, "16 to 1024 bytes");
    assert_refused("0123456789\0abcdef", 17, 0600, "16 to 1024 bytes");
    memset(longest, 'x', sizeof longest);
    assert_refused(longest, sizeof longest - 1, 0600, "16 to 1024 bytes");
    assert_refused(SECRET "\n" SECRET "\n" SECRET "\n", 3 * 17, 0600, "more than 2");
    result = secrets_read("/nonexistent/secret", &secrets);
    assert_non_null(strstr(result.message, "No such file"));
    result = secrets_read("/tmp", &secrets);
    assert_non_null(strstr(result.message, "not a file"));
}

static struct secrets secrets_of(const char *first, const char *second)
{
    struct secrets secrets = {.count = second == NULL ? 1 : 2};

    snprintf(secrets.text[0], sizeof secrets.text[0], "%s", first);
    snprintf(secrets.text[1], sizeof secrets.text[1], "%s", second == NULL ? "" : second);
    return secrets;
}

/* Of RFC 4231's algorithm, computed by openssl:
 *   printf 'kea-failover-sync request\0scope-receive\0\0{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef */
static void test_a_seal_is_what_is_documented(void **state)
{
    static const char expected[] = "10550d18e0bc3fa1e3c47d5c848aefe12ca4ce8792400cc7e107fef4d6b95937";
    const struct seal_text text = {SEAL_REQUEST, "scope-receive", "", "{\"a\":1}"};
    struct secrets secrets = secrets_of(SECRET, NULL);
    char seal[SEAL_SIZE];

    (void)state;
    assert_true(seal_make(&secrets, &text, seal));
    assert_string_equal(seal, expected);
}

static void test_a_seal_holds_for_this_message_alone(void **state)
{
    static const char about[] = "00", other[] = "01";
    const struct seal_text text = {SEAL_ANSWER, "scope-receive", about, "{\"a\":1}"};
    const struct seal_text others[] = {{SEAL_REQUEST, "scope-receive", about, "{\"a\":1}"},
                                       {SEAL_ANSWER, "scope-digest", about, "{\"a\":1}"},
                                       {SEAL_ANSWER, "scope-receive", other, "{\"a\":1}"},
                                       {SEAL_ANSWER, "scope-receive", about, "{\"a\":2}"}};
    struct secrets secrets = secrets_of(SECRET, NULL), wrong = secrets_of("another-secret-01", NULL);
    char seal[SEAL_SIZE];

    (void)state;
    assert_true(seal_make(&secrets, &text, seal));
    assert_true(seal_check(&secrets, &text, seal));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(seal_check(&secrets, &others[i], seal));
    assert_false(seal_check(&wrong, &text, seal));
    assert_false(seal_check(&secrets, &text, ""));
    seal[10] = seal[10] == '0' ? '1' : '0';
    assert_false(seal_check(&secrets, &text, seal));
}

static void test_either_of_two_secrets_is_accepted_and_the_first_seals(void **state)
{
    const struct seal_text text = {SEAL_REQUEST, "scope-receive", "", "{}"};
    struct secrets old = secrets_of(SECRET, NULL), both = secrets_of("newer-secret-0123", SECRET);
    struct secrets new = secrets_of("newer-secret-0123", NULL);
    char seal[SEAL_SIZE];

    (void)state;
    assert_true(seal_make(&old, &text, seal));
    assert_true(seal_check(&both, &text, seal));
    assert_true(seal_make(&both, &text, seal));
    assert_true(seal_check(&new, &text, seal));
    assert_false(seal_check(&old, &text, seal));
}

static void test_a_message_is_printed_the_same_whatever_its_order(void **state)
{
    json_t *one = json_loads("{\"b\": [1, -9007199254740993], \"a\": \"\xc3\xbc\\u0001\"}", 0, NULL);
    json_t *two = json_loads("{\"a\":\"\\u00fc\\u0001\",\"b\":[1,-9007199254740993]}", 0, NULL);
    char *first = seal_print(one), *second = seal_print(two);

    (void)state;
    assert_string_equal(first, second);
    assert_string_equal(first, "{\"a\":\"\\u00FC\\u0001\",\"b\":[1,-9007199254740993]}");
    free(first);
    free(second);
    json_decref(one);
    json_decref(two);
}

static int make_file(void **state)
{
    int descriptor = mkstemp(path);

    (void)state;
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_or_two_secrets_are_read_the_first_first),
        cmocka_unit_test(test_a_file_that_others_can_use_is_refused_with_its_mode),
        cmocka_unit_test(test_a_file_of_another_user_is_refused),
        cmocka_unit_test(test_what_is_no_secret_is_refused_with_the_remedy),
        cmocka_unit_test(test_a_seal_is_what_is_documented),
        cmocka_unit_test(test_a_seal_holds_for_this_message_alone),
        cmocka_unit_test(test_either_of_two_secrets_is_accepted_and_the_first_seals),
        cmocka_unit_test(test_a_message_is_printed_the_same_whatever_its_order),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
