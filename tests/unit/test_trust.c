/* Who is believed between two libraries that have a shared secret, and what becomes of what is not. */
#include "pair_fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define OLD "the-old-secret-0123456789"
#define NEW "the-new-secret-0123456789"

static const char *secret_path(const char *server)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s.secret", pair_folder, server);
    return path;
}

static void give_secret(const char *server, const char *text)
{
    FILE *file = fopen(secret_path(server), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(secret_path(server), 0600), 0);
}

static void start(struct fake_server *server, const char *name, const char *more)
{
    char parameters[400];

    snprintf(parameters, sizeof parameters,
             "{\"retry\": {\"min-ms\": 20, \"max-ms\": 100}, \"shared-secret-file\": \"%s\"%s}", secret_path(name),
             more);
    assert_int_equal(fake_server_start(server, parameters), RESULT_OK);
}

static void start_with_secrets(const char *of_one, const char *of_two)
{
    give_secret("server1", of_one);
    give_secret("server2", of_two);
    start(one, "server1", "");
    start(two, "server2", "");
}

/* Of the only relationship. */
static json_t *relationship_status(struct fake_server *server, json_t **root)
{
    char *answer = fake_server_command(server, "failover-status", NULL);

    *root = json_loads(answer, 0, NULL);
    free(answer);
    return json_array_get(json_object_get(json_object_get(*root, "arguments"), "relationships"), 0);
}

static long long refused(struct fake_server *server, const char *reason)
{
    json_t *root, *relationship = relationship_status(server, &root);
    json_t *count = json_object_get(json_object_get(relationship, "refused-requests"), reason);
    long long number = json_is_integer(count) ? json_integer_value(count) : -1;

    json_decref(root);
    return number;
}

/* NULL: none. */
static void await_error(struct fake_server *server, const char *word)
{
    char last[500] = "";

    for (int waited = 0; waited < PAIR_SOON; waited += 5) {
        json_t *root, *relationship = relationship_status(server, &root);
        const char *error = json_string_value(json_object_get(relationship, "last-error"));

        snprintf(last, sizeof last, "%s", error == NULL ? "" : error);
        json_decref(root);
        if (word == NULL ? last[0] == '\0' : strstr(last, word) != NULL)
            return;
        usleep(5000);
    }
    fail_msg("expected %s in: %s", word == NULL ? "nothing" : word, last);
}

static void assert_refused(struct fake_server *server, const char *arguments, const char *word)
{
    char *answer = fake_server_command(server, "scope-receive", arguments);

    assert_non_null(strstr(answer, "\"result\":1"));
    if (strstr(answer, word) == NULL)
        fail_msg("expected %s in: %s", word, answer);
    free(answer);
}

/* What somebody makes up who knows the names. */
static char *forge(const char *sender, const char *receiver, const char *more)
{
    char *text = NULL;

    if (asprintf(&text,
                 "{\"sender\": \"%s\", \"receiver\": \"%s\", %s \"scopes\": [{\"subnet-id\": 1, \"prefix\": "
                 "\"10.0.1.0/24\", \"definition\": \"{\\\"subnet4\\\": {\\\"id\\\": 1, \\\"subnet\\\": "
                 "\\\"10.0.1.0/24\\\", \\\"user-context\\\": {\\\"words\\\": \\\"forged\\\"}}}\", \"base\": \"\", "
                 "\"fingerprint\": \"0123456789abcdef0123456789abcdef\", \"version\": \"ffffffffffffffff:1\"}]}",
                 sender, receiver, more) < 0)
        abort();
    return text;
}

static void replicate(const char *words)
{
    fake_server_command_put(one, 1, words);
    assert_true(fake_server_await(two, 1, words, PAIR_SOON));
    pair_await_quiet();
}

static void test_two_servers_with_one_secret_replicate_both_ways(void **state)
{
    (void)state;
    start_with_secrets(OLD, OLD "\n");
    replicate("from one");
    fake_server_command_put(two, 1, "from two");
    assert_true(fake_server_await(one, 1, "from two", PAIR_SOON));
    pair_await_quiet();
    for (int i = 0; i < 2; i++) {
        struct fake_server *server = i == 0 ? one : two;

        assert_int_equal(refused(server, "wrong"), 0);
        assert_int_equal(refused(server, "repeated"), 0);
        assert_int_equal(refused(server, "unsealed"), 0);
    }
}

static void test_a_load_of_either_server_disturbs_nothing(void **state)
{
    (void)state;
    start_with_secrets(OLD, OLD);
    fake_server_file_put(one, 1, "first");
    fake_server_file_put(two, 1, "first");
    replicate("first");
    for (int i = 0; i < 6; i++) {
        char words[16];

        assert_int_equal(fake_server_reload(i % 2 == 0 ? one : two, false), RESULT_OK);
        snprintf(words, sizeof words, "edit %d", i);
        fake_server_file_put(one, 1, words);
        replicate(words);
    }
    assert_int_equal(refused(one, "repeated"), 0);
    assert_int_equal(refused(two, "repeated"), 0);
}

static void test_different_secrets_change_nothing_and_both_say_why(void **state)
{
    (void)state;
    start_with_secrets(OLD, NEW);
    fake_server_command_put(one, 1, "one's");
    fake_server_command_put(two, 2, "two's");
    await_error(one, "shared-secret-file must hold the same secret on server1 and on server2");
    await_error(two, "shared-secret-file must hold the same secret on server2 and on server1");
    assert_true(refused(one, "wrong") > 0);
    assert_true(refused(two, "wrong") > 0);
    assert_runs(two, 1, "");
    assert_runs(one, 2, "");
    give_secret("server2", OLD);
    assert_true(fake_server_await(two, 1, "one's", PAIR_SOON));
    assert_true(fake_server_await(one, 2, "two's", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_wrong_secret_is_told_though_nothing_is_to_be_sent(void **state)
{
    (void)state;
    start_with_secrets(OLD, OLD);
    replicate("first");
    give_secret("server2", NEW);
    fake_server_file_put(one, 1, "first");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    await_error(one, "shared-secret-file");
    assert_int_equal(fake_server_status(one, "queued"), 0);
    give_secret("server2", OLD);
    fake_server_command_put(two, 2, "two's"); /* it is heard of, and asked again */
    assert_true(fake_server_await(one, 2, "two's", PAIR_SOON));
    await_error(one, NULL);
}

static void test_a_secret_on_one_server_only_changes_nothing_and_both_say_why(void **state)
{
    (void)state;
    give_secret("server1", OLD);
    start(one, "server1", "");
    assert_int_equal(fake_server_start(two, "{\"retry\": {\"min-ms\": 20, \"max-ms\": 100}}"), RESULT_OK);
    fake_server_command_put(one, 1, "one's");
    fake_server_command_put(two, 2, "two's");
    await_error(one, "not sealed");
    await_error(two, "is not sealed, and server1 believes nothing else");
    assert_runs(two, 1, "");
    assert_runs(one, 2, "");
    assert_true(refused(one, "unsealed") > 0);
}

static void test_a_forged_batch_is_refused_and_counted(void **state)
{
    char *unsealed = forge("server1", "server2", ""), *guessed, *stranger = forge("server9", "server2", "");

    (void)state;
    guessed = forge("server1", "server2",
                    "\"envelope\": {\"number\": \"9000000000000000000\", \"seal\": "
                    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"},");
    start_with_secrets(OLD, OLD);
    replicate("true");
    assert_refused(two, unsealed, "is not sealed");
    assert_refused(two, guessed, "another secret");
    assert_refused(two, stranger, "server9");
    assert_int_equal(refused(two, "unsealed"), 1);
    assert_int_equal(refused(two, "wrong"), 1);
    replicate("still true");
    free(unsealed);
    free(guessed);
    free(stranger);
}

static void test_words_that_two_readers_would_read_differently_are_refused(void **state)
{
    char *twice = forge("server1", "server2", "\"sender\": \"server9\",");

    (void)state;
    start_with_secrets(OLD, OLD);
    replicate("true");
    assert_refused(two, twice, "without a sender");
    assert_refused(two, "[]", "without a sender");
    assert_refused(two, NULL, "without a sender");
    assert_runs(two, 1, "true");
    free(twice);
}

static void test_a_request_that_comes_again_is_refused(void **state)
{
    char *batch;

    (void)state;
    start_with_secrets(OLD, OLD);
    replicate("first");
    batch = fake_server_batch(two);
    assert_non_null(strstr(batch, "first"));
    replicate("second");
    assert_refused(two, batch, "has come before");
    assert_refused(two, batch, "has come before");
    assert_int_equal(refused(two, "repeated"), 2);
    assert_refused(one, batch, "server1"); /* nor is it for whom it is not meant */
    assert_both_run(1, "second");
    free(batch);
}

static void test_a_request_to_an_earlier_load_is_refused(void **state)
{
    char *batch;

    (void)state;
    start_with_secrets(OLD, OLD);
    replicate("first");
    batch = fake_server_batch(two);
    fake_server_file_put(two, 1, "first");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    assert_refused(two, batch, "\"result\":1"); /* whether or not the partner was heard of since */
    replicate("second");
    assert_refused(two, batch, "has come before");
    assert_true(refused(two, "repeated") > 0);
    assert_both_run(1, "second");
    free(batch);
}

static void test_a_request_that_was_changed_on_its_way_is_refused(void **state)
{
    char *batch, *words;

    (void)state;
    start_with_secrets(OLD, OLD);
    replicate("aaaa");
    batch = fake_server_batch(two);
    words = strstr(batch, "aaaa");
    assert_non_null(words);
    memcpy(words, "bbbb", 4);
    assert_refused(two, batch, "was changed on its way");
    assert_runs(two, 1, "aaaa");
    free(batch);
}

/* Says that a scope that was refused has been taken. */
static char *praise(char *answer)
{
    char *word = strstr(answer, "\"failed\""), *changed;

    if (word == NULL)
        return answer;
    if (asprintf(&changed, "%.*s\"applied\"%s", (int)(word - answer), answer, word + 8) < 0)
        abort();
    free(answer);
    return changed;
}

static char *first_answer;

/* Gives the first answer to everything. */
static char *repeat(char *answer)
{
    if (first_answer == NULL) {
        first_answer = strdup(answer);
        return answer;
    }
    free(answer);
    return strdup(first_answer);
}

static void test_an_answer_to_another_request_is_not_believed(void **state)
{
    (void)state;
    first_answer = NULL;
    start_with_secrets(OLD, OLD);
    fake_server_set_tamper(two, repeat);
    fake_server_command_put(one, 1, "one's");
    await_error(one, "server2");
    fake_server_set_tamper(two, NULL);
    assert_true(fake_server_await_status(one, "in-sync", 1, PAIR_SOON));
    pair_await_quiet();
    free(first_answer);
}

static void test_an_answer_that_was_changed_is_not_believed(void **state)
{
    (void)state;
    start_with_secrets(OLD, OLD);
    replicate("first");
    fake_server_set_tamper(two, praise);
    fake_server_command_put(one, 1, "refuse this");
    await_error(one, "was changed on its way");
    assert_int_equal(fake_server_status(one, "out-of-sync"), 1);
    fake_server_set_tamper(two, NULL);
}

static void test_a_secret_is_changed_without_a_gap(void **state)
{
    static const char *const files[] = {OLD "\n" NEW "\n", NEW "\n" OLD "\n", NEW "\n"};
    int edit = 0;

    (void)state;
    start_with_secrets(OLD, OLD);
    for (size_t step = 0; step < sizeof files / sizeof files[0]; step++)
        for (int side = 0; side < 2; side++) {
            char words[16];

            give_secret(side == 0 ? "server1" : "server2", files[step]);
            snprintf(words, sizeof words, "edit %d", edit++);
            replicate(words);
            fake_server_command_put(two, 2, words);
            assert_true(fake_server_await(one, 2, words, PAIR_SOON));
        }
    assert_int_equal(refused(one, "wrong"), 0);
    assert_int_equal(refused(two, "wrong"), 0);
}

static void test_a_secret_that_others_can_read_is_not_used(void **state)
{
    (void)state;
    start_with_secrets(OLD, OLD);
    replicate("first");
    assert_int_equal(chmod(secret_path("server2"), 0644), 0);
    fake_server_command_put(one, 1, "second");
    await_error(one, "0644");
    fake_server_command_put(two, 2, "two's");
    await_error(two, "chmod 0600");
    assert_runs(two, 1, "first");
    assert_runs(one, 2, "");
    assert_int_equal(chmod(secret_path("server2"), 0600), 0);
    assert_true(fake_server_await(two, 1, "second", PAIR_SOON));
    assert_true(fake_server_await(one, 2, "two's", PAIR_SOON));
}

static void test_only_partners_with_a_secret_may_be_accepted(void **state)
{
    static const char nobody[] = "{\"accept-from\": \"partners\"}";
    static const char other[] = "{\"accept-from\": \"partners\", \"partners\": {\"server9\": {\"shared-secret-file\": "
                                "\"/nonexistent\"}}}";
    char *batch = forge("server1", "server2", "");

    (void)state;
    assert_int_equal(fake_server_start(two, nobody), RESULT_INVALID);
    assert_int_equal(fake_server_start(two, other), RESULT_OK);
    assert_refused(two, batch, "accept-from");
    assert_runs(two, 1, "");
    free(batch);
}

static void test_without_a_secret_whoever_asks_is_answered_with_his_number(void **state)
{
    char *batch = forge("server1", "server2", "\"envelope\": {\"number\": \"17\"},"), *answer;

    (void)state;
    assert_int_equal(fake_server_start(two, NULL), RESULT_OK);
    answer = fake_server_command(two, "scope-receive", batch);
    assert_non_null(strstr(answer, "\"envelope\":{\"number\":\"17\"}"));
    assert_true(fake_server_await(two, 1, "forged", PAIR_SOON));
    free(answer);
    free(batch);
}

static void test_a_url_that_leads_back_is_told_as_such(void **state)
{
    (void)state;
    fake_server_pair(one, fake_server_port(one), fake_server_port(one));
    assert_int_equal(fake_server_start(one, NULL), RESULT_OK);
    fake_server_command_put(one, 1, "one's");
    await_error(one, "is that of server1 itself");
}

#define test(function) cmocka_unit_test_setup_teardown(function, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_two_servers_with_one_secret_replicate_both_ways),
        test(test_a_load_of_either_server_disturbs_nothing),
        test(test_different_secrets_change_nothing_and_both_say_why),
        test(test_a_wrong_secret_is_told_though_nothing_is_to_be_sent),
        test(test_a_secret_on_one_server_only_changes_nothing_and_both_say_why),
        test(test_a_forged_batch_is_refused_and_counted),
        test(test_words_that_two_readers_would_read_differently_are_refused),
        test(test_a_request_that_comes_again_is_refused),
        test(test_a_request_to_an_earlier_load_is_refused),
        test(test_a_request_that_was_changed_on_its_way_is_refused),
        test(test_an_answer_to_another_request_is_not_believed),
        test(test_an_answer_that_was_changed_is_not_believed),
        test(test_a_secret_is_changed_without_a_gap),
        test(test_a_secret_that_others_can_read_is_not_used),
        test(test_only_partners_with_a_secret_may_be_accepted),
        test(test_without_a_secret_whoever_asks_is_answered_with_his_number),
        test(test_a_url_that_leads_back_is_told_as_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
