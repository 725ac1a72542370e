/* The pair of servers of a test. */
#include "pair_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
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

void pair_await_quiet(void)
{
    assert_true(fake_server_await_status(one, "queued", 0, PAIR_SOON));
    assert_true(fake_server_await_status(two, "queued", 0, PAIR_SOON));
    assert_true(fake_server_await_status(one, "out-of-sync", 0, PAIR_SOON));
    assert_true(fake_server_await_status(two, "out-of-sync", 0, PAIR_SOON));
}
