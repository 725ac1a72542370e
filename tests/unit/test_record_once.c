/* What has been recorded is not recorded again because something that comes after it failed. */
#include "failover_sync/mirror.h"

#include "pair_fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PARAMETERS "{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}"

static atomic_int members_fail, review_fails; /* how often */

static bool fails(atomic_int *times)
{
    if (*times == 0)
        return false;
    --*times;
    return true;
}

/* Linked with --wrap. */
struct result __real_mirror_network_members(struct plugin *plugin, uint32_t subnet_id, uint32_t **ids, size_t *count);
struct result __wrap_mirror_network_members(struct plugin *plugin, uint32_t subnet_id, uint32_t **ids, size_t *count);
struct result __wrap_mirror_network_members(struct plugin *plugin, uint32_t subnet_id, uint32_t **ids, size_t *count)
{
    *ids = NULL;
    *count = 0;
    /* The first server reads them for what it sends. */
    return strcmp(plugin->relationships.server_name, "server2") == 0 && fails(&members_fail)
               ? result_error(RESULT_STORE, "the store is busy")
               : __real_mirror_network_members(plugin, subnet_id, ids, count);
}

struct result __real_mirror_review_memberships(struct mirror_writer *writer);
struct result __wrap_mirror_review_memberships(struct mirror_writer *writer);
struct result __wrap_mirror_review_memberships(struct mirror_writer *writer)
{
    return fails(&review_fails) ? result_error(RESULT_STORE, "the store is busy")
                                : __real_mirror_review_memberships(writer);
}

static size_t count_history(struct fake_server *server, const char *arguments)
{
    char *text = fake_server_command(server, "scope-history", arguments);
    json_t *root = json_loads(text, 0, NULL);
    size_t count = json_array_size(json_object_get(json_object_get(root, "arguments"), "versions"));

    if (count == 0)
        fail_msg("%s", text);
    json_decref(root);
    free(text);
    return count;
}

/* Both change the first scope of a network; the primary's version and network count at the secondary. */
static void test_a_batch_is_recorded_once_though_its_network_cannot_be_read(void **state)
{
    (void)state;
    for (struct fake_server *server = one;; server = two) {
        fake_server_file_put(server, 1, "a@campus:old");
        fake_server_file_put(server, 2, "b@campus:old");
        if (server == two)
            break;
    }
    start_both(PARAMETERS);
    pair_await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "primary@campus:new");
    fake_server_command_put(one, 2, "b@campus:new");
    fake_server_command_put(two, 1, "secondary@campus:old");
    members_fail = 2;
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await(two, 1, "primary@campus:new", PAIR_SOON));
    fake_server_set_reachable(one, true);
    pair_await_quiet();
    assert_int_equal(members_fail, 0);
    assert_both_run(2, "b@campus:new");
    assert_int_equal(count_history(two, "{\"subnet-id\": 1}"), 1);
}

/* The store has not seen the file that is loaded then: its words go into the history. */
static void test_a_load_is_recorded_once_though_the_memberships_cannot_be_reviewed(void **state)
{
    char command[600];

    (void)state;
    fake_server_file_put(one, 1, "file");
    fake_server_file_put(two, 1, "file");
    start_both(PARAMETERS);
    pair_await_quiet();
    fake_server_command_put(one, 1, "newer");
    assert_true(fake_server_await(two, 1, "newer", PAIR_SOON));
    pair_await_quiet();
    snprintf(command, sizeof command, "rm -f '%s' '%s'-wal '%s'-shm", fake_server_store(two), fake_server_store(two),
             fake_server_store(two));
    assert_int_equal(system(command), 0);
    /* Made anew, and set by command only: it has not seen the file. */
    fake_server_file_put(two, 1, "newer");
    assert_int_equal(fake_server_reload(two, false), RESULT_OK);
    pair_await_quiet();
    fake_server_file_put(two, 1, "file");
    fake_server_stop(two);
    review_fails = 2;
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    pair_await_quiet();
    assert_int_equal(review_fails, 0);
    assert_int_equal(count_history(two, "{\"subnet-id\": 1}"), 1);
    assert_both_run(1, "newer");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_batch_is_recorded_once_though_its_network_cannot_be_read),
        TEST(test_a_load_is_recorded_once_though_the_memberships_cannot_be_reviewed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
