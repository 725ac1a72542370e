/* What somebody who can reach the command channel may claim in the name of a partner: whatever version a message has,
 * the two servers find out that they differ, agree again, and no later edit is refused. */
#include "pair_fixture.h"

#include "failover_sync/fingerprint.h"
#include "failover_sync/version_vector.h"

#include <jansson.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ANY_FINGERPRINT "0123456789abcdef0123456789abcdef"
#define HOURS(count)    ((uint64_t)(count)*3600 * 1000)

static uint64_t now_ms(void)
{
    return (uint64_t)time(NULL) * 1000;
}

static void start_pair(void)
{
    start_both("{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}");
    fake_server_command_put(one, 1, "old");
    fake_server_command_put(one, 2, "other");
    assert_true(fake_server_await(two, 1, "old", PAIR_SOON));
    assert_true(fake_server_await(two, 2, "other", PAIR_SOON));
    pair_await_quiet();
}

static json_t *ask(struct fake_server *server, json_t *arguments)
{
    char *text, *answer;
    json_t *root;

    json_object_set_new(arguments, "sender", json_string(server == one ? "server2" : "server1"));
    json_object_set_new(arguments, "receiver", json_string(server == one ? "server1" : "server2"));
    text = json_dumps(arguments, 0);
    answer = fake_server_command(server, "scope-receive", text);
    root = json_loads(answer, 0, NULL);
    assert_non_null(root);
    json_decref(arguments);
    free(text);
    free(answer);
    return root;
}

static const char *state_of(const json_t *answer)
{
    const char *state = json_string_value(json_object_get(json_object_get(answer, "arguments"), "state"));

    return state == NULL ? "" : state;
}

/* A scope as the partner of `server` would send it; without words its removal. The caller frees what came of it. */
static json_t *forge(struct fake_server *server, uint32_t subnet_id, const char *words, const char *version)
{
    json_t *scope = json_pack("{s:i,s:o,s:s,s:s,s:s}", "subnet-id", (int)subnet_id, "prefix",
                              json_sprintf("10.0.%u.0/24", subnet_id), "base", "", "fingerprint",
                              words == NULL ? "" : ANY_FINGERPRINT, "version", version);
    json_t *answer, *outcome;

    if (words != NULL)
        json_object_set_new(scope, "definition",
                            json_sprintf("{\"subnet4\":{\"id\":%u,\"subnet\":\"10.0.%u.0/24\",\"user-context\":{"
                                         "\"words\":\"%s\"}}}",
                                         subnet_id, subnet_id, words));
    answer = ask(server, json_pack("{s:[O]}", "scopes", scope));
    while (strstr(json_string_value(json_object_get(answer, "text")), "an earlier batch") != NULL) {
        json_decref(answer);
        usleep(20000);
        answer = ask(server, json_pack("{s:[O]}", "scopes", scope));
    }
    json_decref(scope);
    while (strcmp(state_of(answer), "pending") == 0) {
        json_t *ticket = json_incref(json_object_get(json_object_get(answer, "arguments"), "ticket"));

        json_decref(answer);
        usleep(20000);
        answer = ask(server, json_pack("{s:o}", "ticket", ticket));
    }
    outcome = json_array_get(json_object_get(json_object_get(answer, "arguments"), "scopes"), 0);
    if (outcome == NULL)
        fail_msg("%s", json_dumps(answer, 0));
    json_incref(outcome);
    json_decref(answer);
    return outcome;
}

/* Writers whom nobody knows. */
static void invent(size_t writers, uint64_t edit, char text[VERSION_TEXT_SIZE])
{
    struct version_vector version = {.count = 0};

    for (uint64_t i = 1; i <= writers; i++)
        version_add(&version, i << 32, edit);
    version_print(&version, text);
}

static void assert_refused_ahead(json_t *outcome, const char *says)
{
    const char *text = json_string_value(json_object_get(outcome, "text"));

    assert_string_equal(json_string_value(json_object_get(outcome, "result")), "clock-ahead");
    if (text == NULL || strstr(text, says) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", says, text == NULL ? "" : text);
    json_decref(outcome);
}

static void assert_arrives(struct fake_server *server, uint32_t subnet_id, const char *words)
{
    if (!fake_server_await(server, subnet_id, words, PAIR_SOON))
        fail_msg("scope %u is not \"%s\":\n%s\n%s\n%s\n%s", subnet_id, words,
                 fake_server_command(one, "scope-get-all", NULL), fake_server_command(two, "scope-get-all", NULL),
                 fake_server_command(one, "failover-status", NULL), fake_server_command(two, "failover-status", NULL));
}

static void await_says(struct fake_server *server, const char *says)
{
    for (int ms = 0;; ms += 20) {
        char *answer = fake_server_command(server, "scope-get-all", NULL);
        const bool found = strstr(answer, says) != NULL;

        if (!found && ms >= PAIR_SOON)
            fail_msg("\"%s\" is not in %s", says, answer);
        free(answer);
        if (found)
            return;
        usleep(20000);
    }
}

static void assert_edits_arrive(uint32_t subnet_id)
{
    fake_server_command_put(one, subnet_id, "one's later edit");
    assert_arrives(two, subnet_id, "one's later edit");
    fake_server_command_put(two, subnet_id, "two's later edit");
    assert_arrives(one, subnet_id, "two's later edit");
    fake_server_command_put(two, subnet_id, NULL);
    assert_arrives(one, subnet_id, "");
    fake_server_command_put(one, subnet_id, "added again");
    assert_arrives(two, subnet_id, "added again");
    pair_await_quiet();
    assert_both_run(subnet_id, "added again");
}

static void test_numbers_of_another_age_are_refused_with_their_writer(void **state)
{
    char version[VERSION_TEXT_SIZE];

    (void)state;
    start_pair();
    for (int i = 0; i < 2; i++) {
        invent(8, UINT64_MAX, version);
        assert_refused_ahead(forge(i == 0 ? one : two, 1, "forged", version), "writer 0000000100000000");
        invent(8, now_ms() + HOURS(24 * 400), version);
        assert_refused_ahead(forge(i == 0 ? one : two, 1, NULL, version), "days ahead of the clock of server");
    }
    assert_both_run(1, "old");
    assert_edits_arrive(1);
}

static void test_invented_writers_of_this_age_do_not_silence_anybody(void **state)
{
    char version[VERSION_TEXT_SIZE];

    (void)state;
    start_pair();
    for (int i = 0; i < 2; i++) {
        invent(8, now_ms() + HOURS(23) + (uint64_t)i, version);
        json_decref(forge(i == 0 ? one : two, 1, i == 0 ? "forged" : "forged too", version));
        assert_edits_arrive(1);
    }
}

static void test_a_crowd_of_invented_writers_is_refused(void **state)
{
    char version[VERSION_TEXT_SIZE];

    (void)state;
    start_pair();
    for (int i = 0; i < 2; i++) {
        invent(VERSION_PARTS, now_ms(), version);
        assert_refused_ahead(forge(i == 0 ? one : two, 1, "forged", version), "16 writers of the last day");
        assert_refused_ahead(forge(i == 0 ? one : two, 5, NULL, version), "16 writers of the last day");
    }
    assert_both_run(1, "old");
    assert_edits_arrive(1);
}

/* What a server has of scope 1, and on top of it eight writers whom nobody knows. */
static void invent_on_top(struct fake_server *server, char text[VERSION_TEXT_SIZE])
{
    struct version_vector version;
    char *has = pair_version_of_first(server);

    assert_true(version_parse(has, &version));
    free(has);
    for (uint64_t i = 1; i <= 8; i++)
        version_add(&version, i << 32, now_ms());
    version_print(&version, text);
}

/* A server takes in as many as it believes, and edits on top of that: one more than its partner believes. */
static void test_a_crowd_that_one_server_took_in_is_forgotten_where_the_other_does_not_believe_it(void **state)
{
    char version[VERSION_TEXT_SIZE];

    (void)state;
    start_pair();
    fake_server_set_reachable(one, false);
    invent_on_top(two, version);
    json_decref(forge(two, 1, "forged", version));
    fake_server_command_put(two, 1, "two's edit on top");
    fake_server_set_reachable(one, true);
    assert_arrives(one, 1, "two's edit on top");
    assert_edits_arrive(1);
}

/* An answer with writers beside those that a scope's version has there. */
static char *add_crowd(char *answer)
{
    char *version = strstr(answer, "\"version\":\""), *changed, crowd[VERSION_TEXT_SIZE];
    struct version_vector invented = {.count = 0};

    if (version == NULL)
        return answer;
    version += strlen("\"version\":\"");
    for (uint64_t i = 1; i <= 11; i++)
        version_add(&invented, i << 1, now_ms());
    version_print(&invented, crowd);
    if (asprintf(&changed, "%.*s%s,%s", (int)(version - answer), answer, crowd, version) < 0)
        abort();
    free(answer);
    return changed;
}

/* Two servers that take a crowd in from answers, each in turn, send each other the same text for ever. */
static void test_a_crowd_in_an_answer_is_not_taken_in(void **state)
{
    char *version;

    (void)state;
    start_pair();
    fake_server_set_tamper(two, add_crowd);
    fake_server_command_put(one, 1, "edited");
    assert_arrives(two, 1, "edited");
    assert_true(fake_server_await_status(one, "out-of-sync", 1, PAIR_SOON));
    await_says(one, "a version with 11 writers of the last day whom nobody knows here");
    version = pair_version_of_first(one);
    assert_null(strstr(version, "0000000000000002"));
    free(version);
    fake_server_set_tamper(two, NULL);
    pair_await_quiet();
    assert_true(fake_server_status(one, "scopes-sent") < 100);
    assert_edits_arrive(1);
}

/* The other believes it, and its own edits are made on top of that. */
static void test_an_edit_that_the_partner_never_made_is_forgotten_where_that_one_says_so(void **state)
{
    struct version_vector version;
    char *has, text[VERSION_TEXT_SIZE];

    (void)state;
    start_pair();
    fake_server_set_reachable(one, false);
    has = pair_version_of_first(one);
    assert_true(version_parse(has, &version));
    free(has);
    for (size_t i = 0; i < version.count; i++)
        version.part[i].edit = now_ms() + HOURS(23);
    version_print(&version, text);
    json_decref(forge(two, 1, "forged", text));
    fake_server_command_put(two, 1, "two's edit on top");
    fake_server_set_reachable(one, true);
    assert_arrives(one, 1, "two's edit on top");
    assert_edits_arrive(1);
}

/* The version that `server` has of scope 1, with its own number, or that of its partner, replaced. */
static void forge_number(struct fake_server *server, uint64_t edit, char text[VERSION_TEXT_SIZE])
{
    struct version_vector version;
    char *has = pair_version_of_first(server);

    assert_true(version_parse(has, &version));
    assert_true(version.count > 0);
    for (size_t i = 0; i < version.count; i++)
        version.part[i].edit = edit;
    version_print(&version, text);
    free(has);
}

static void test_nobody_speaks_for_a_server_beyond_what_it_has_done(void **state)
{
    char version[VERSION_TEXT_SIZE];

    (void)state;
    start_pair();
    forge_number(one, UINT64_MAX - 1, version);
    assert_refused_ahead(forge(one, 1, "forged", version), "days ahead");
    assert_refused_ahead(forge(two, 1, "forged", version), "days ahead");
    forge_number(one, now_ms() + HOURS(23), version); /* its clock would not refuse it */
    assert_refused_ahead(forge(one, 1, "forged", version), "that server1 has not made");
    assert_both_run(1, "old");
    assert_edits_arrive(1);
    assert_edits_arrive(2);
}

static void test_a_removal_of_what_never_was_does_not_spoil_its_id(void **state)
{
    char version[VERSION_TEXT_SIZE];

    (void)state;
    start_pair();
    for (uint32_t id = 5; id < 9; id++) {
        struct fake_server *victim = id % 2 == 0 ? one : two;
        struct fake_server *editor = id < 7 ? one : two;

        invent(8, now_ms() + HOURS(23), version);
        json_decref(forge(victim, id, NULL, version));
        fake_server_command_put(editor, id, "a new scope");
        assert_arrives(one, id, "a new scope");
        assert_arrives(two, id, "a new scope");
        assert_edits_arrive(id);
    }
}

/* Nobody has to settle a conflict that there is only in somebody's words. */
static void test_a_conflict_that_was_made_up_is_over_when_both_have_the_same(void **state)
{
    char version[VERSION_TEXT_SIZE];
    json_t *outcome;

    (void)state;
    start_both("{\"reconcile-interval\": 1, \"conflict\": \"hold\"}");
    fake_server_command_put(one, 1, "old");
    assert_arrives(two, 1, "old");
    pair_await_quiet();
    for (int i = 0; i < 2; i++) {
        struct fake_server *victim = i == 0 ? one : two;

        invent(3, now_ms(), version);
        outcome = forge(victim, 1, "forged", version);
        assert_string_equal(json_string_value(json_object_get(outcome, "result")), "conflict");
        json_decref(outcome);
        assert_true(fake_server_await_status(victim, "out-of-sync", 0, PAIR_SOON));
        assert_int_equal(fake_server_status(victim, "held"), 0);
    }
    assert_both_run(1, "old");
}

/* As if both clocks had been ahead when it was edited. */
static void number_ahead(struct fake_server *server)
{
    char *has = pair_version_of_first(server), text[VERSION_TEXT_SIZE], sql[VERSION_TEXT_SIZE + 100];
    struct version_vector version;
    sqlite3 *database = NULL;

    assert_true(version_parse(has, &version));
    free(has);
    for (size_t i = 0; i < version.count; i++)
        version.part[i].edit += HOURS(24 * 400);
    version_print(&version, text);
    fake_server_stop(server);
    (void)snprintf(sql, sizeof sql, "UPDATE ObjectVersions SET Version = '%s' WHERE ObjectId = 1", text);
    assert_int_equal(sqlite3_open(fake_server_store(server), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

/* It is numbered anew, once; the partner is not asked again and again. */
static void test_a_number_that_only_a_lost_store_believed_is_given_anew(void **state)
{
    static const char parameters[] = "{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}";

    (void)state;
    start_pair();
    number_ahead(one);
    fake_server_stop(two);
    assert_int_equal(unlink(fake_server_store(two)), 0);
    assert_int_equal(fake_server_start(two, parameters), RESULT_OK);
    assert_int_equal(fake_server_start(one, parameters), RESULT_OK);
    assert_arrives(two, 1, "old");
    pair_await_quiet();
    assert_true(fake_server_status(one, "scopes-sent") < 20);
    assert_edits_arrive(1);
}

/* A text that was told while the two disagreed is not ours in another print: two that take it for that, each for the
 * other's, swap their texts for ever. */
static void test_a_text_that_lost_is_not_taken_by_the_version_of_both(void **state)
{
    char version[VERSION_TEXT_SIZE], *both, *words;
    json_t *outcome;

    (void)state;
    start_both("{\"retry\": {\"min-ms\": 50, \"max-ms\": 200}}");
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "of one");
    invent(1, now_ms(), version);
    for (int i = 0; i < 3; i++) {
        outcome = forge(one, 1, "forged", version);
        assert_string_equal(json_string_value(json_object_get(outcome, "result")), "overruled");
        json_decref(outcome);
        assert_true(fake_server_await_status(one, "scopes-received", i + 1, PAIR_SOON));
        both = pair_version_of_first(one);
        (void)snprintf(version, sizeof version, "%s", both);
        free(both);
        words = fake_server_words(one, 1);
        assert_string_equal(words, "of one");
        free(words);
    }
    fake_server_set_reachable(two, true);
    assert_arrives(two, 1, "of one");
    assert_edits_arrive(1);
}

/* One version, two texts: the versions alone would never tell. */
static void test_two_that_differ_find_out_whatever_their_versions_say(void **state)
{
    (void)state;
    start_pair();
    for (int i = 0; i < 2; i++) {
        char *version = pair_version_of_first(one), *words;

        json_decref(forge(two, 1, i == 0 ? "forged" : "forged again", version));
        free(version);
        assert_true(fake_server_await(two, 1, "old", PAIR_SOON));
        words = fake_server_words(one, 1);
        assert_string_equal(words, "old");
        free(words);
        pair_await_quiet();
    }
    assert_edits_arrive(1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)
    const struct CMUnitTest tests[] = {
        TEST(test_numbers_of_another_age_are_refused_with_their_writer),
        TEST(test_invented_writers_of_this_age_do_not_silence_anybody),
        TEST(test_a_crowd_of_invented_writers_is_refused),
        TEST(test_a_crowd_that_one_server_took_in_is_forgotten_where_the_other_does_not_believe_it),
        TEST(test_a_crowd_in_an_answer_is_not_taken_in),
        TEST(test_an_edit_that_the_partner_never_made_is_forgotten_where_that_one_says_so),
        TEST(test_nobody_speaks_for_a_server_beyond_what_it_has_done),
        TEST(test_a_removal_of_what_never_was_does_not_spoil_its_id),
        TEST(test_a_conflict_that_was_made_up_is_over_when_both_have_the_same),
        TEST(test_a_number_that_only_a_lost_store_believed_is_given_anew),
        TEST(test_a_text_that_lost_is_not_taken_by_the_version_of_both),
        TEST(test_two_that_differ_find_out_whatever_their_versions_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
