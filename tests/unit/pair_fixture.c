/* The pair of servers of a test. */
#include "pair_fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fake_server *one, *two;
char pair_folder[64];

int pair_make(void **state)
{
    (void)state;
    snprintf(pair_folder, sizeof pair_folder, "/tmp/failover-sync-test-XXXXXX");
    if (mkdtemp(pair_folder) == NULL)
        return -1;
    one = fake_server_new("server1", pair_folder);
    two = fake_server_new("server2", pair_folder);
    fake_server_pair(one, fake_server_port(one), fake_server_port(two));
    fake_server_pair(two, fake_server_port(one), fake_server_port(two));
    return 0;
}

int pair_drop(void **state)
{
    char command[128];

    (void)state;
    fake_server_free(one);
    fake_server_free(two);
    snprintf(command, sizeof command, "rm -rf '%s'", pair_folder);
    return system(command);
}

void start_both(const char *parameters)
{
    assert_int_equal(fake_server_start(one, parameters), RESULT_OK);
    assert_int_equal(fake_server_start(two, parameters), RESULT_OK);
}

void assert_runs(struct fake_server *server, uint32_t subnet_id, const char *words)
{
    char *has = fake_server_words(server, subnet_id);

    assert_string_equal(has, words);
    free(has);
}

void assert_both_run(uint32_t subnet_id, const char *words)
{
    assert_runs(one, subnet_id, words);
    assert_runs(two, subnet_id, words);
}

char *pair_version_of_first(struct fake_server *server)
{
    static const char to_primary[] = "{\"sender\": \"server2\", \"receiver\": \"server1\", \"from\": 0}";
    static const char to_secondary[] = "{\"sender\": \"server1\", \"receiver\": \"server2\", \"from\": 0}";
    char *answer = fake_server_command(server, "scope-digest", server == one ? to_primary : to_secondary);
    json_t *root = json_loads(answer, 0, NULL);
    const json_t *scopes = json_object_get(json_object_get(root, "arguments"), "scopes");
    const char *version = json_string_value(json_object_get(json_array_get(scopes, 0), "version"));
    char *copy;

    if (version == NULL)
        fail_msg("%s", answer);
    copy = strdup(version);
    json_decref(root);
    free(answer);
    return copy;
}

void pair_await_quiet(void)
{
    assert_true(fake_server_await_status(one, "queued", 0, PAIR_SOON));
    assert_true(fake_server_await_status(two, "queued", 0, PAIR_SOON));
    assert_true(fake_server_await_status(one, "out-of-sync", 0, PAIR_SOON));
    assert_true(fake_server_await_status(two, "out-of-sync", 0, PAIR_SOON));
}
