/* Random schedules against the rules of replication: two libraries in a simulated world (sim.h), a reference model of
 * what is allowed (rules.h). Without arguments, a number of schedules that suits a build; all that was promised with
 *
 *   FAILOVER_SYNC_SCHEDULES=100000 tests/model/test_schedules
 *   FAILOVER_SYNC_SEED=4711 tests/model/test_schedules         one schedule, with everything that happens in it
 *
 * FAILOVER_SYNC_FIRST is the first seed, so that several processes can share the work. With sanitizers,
 * ASAN_OPTIONS=malloc_context_size=1:quarantine_size_mb=8 or TSAN_OPTIONS=ignore_noninstrumented_modules=1 makes it
 * faster. */
#include "schedule.h"
#include "sim.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Some twenty seconds of each build, and other schedules in each. */
#if defined(__SANITIZE_THREAD__)
#define SCHEDULES_OF_A_BUILD 100
#define FIRST_OF_A_BUILD     30001
#elif defined(__SANITIZE_ADDRESS__)
#define SCHEDULES_OF_A_BUILD 300
#define FIRST_OF_A_BUILD     20001
#else
#define SCHEDULES_OF_A_BUILD 1000
#define FIRST_OF_A_BUILD     1
#endif
#define FAILURES_SHOWN 3

static unsigned long number_in_environment(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoul(text, NULL, 10);
}

/* For a schedule that ends the process. */
static struct schedule current;

static void name_current(int signal)
{
    char text[64];
    int length = snprintf(text, sizeof text, "in schedule %llu\n", (unsigned long long)current.seed);

    if (length > 0)
        (void)!write(STDERR_FILENO, text, (size_t)length);
    (void)signal;
    abort();
}

static void show_failure(const struct schedule *schedule)
{
    struct schedule smaller = *schedule;

    fprintf(stderr, "schedule %llu: %s\n", (unsigned long long)schedule->seed, world.failure);
    schedule_shrink(&smaller);
    schedule_print(&smaller);
    fprintf(stderr, "  => %s\n", world.failure);
    if (getenv("FAILOVER_SYNC_SEED") != NULL) {
        world.verbose = true;
        (void)schedule_run(&smaller);
        world.verbose = false;
    }
}

static void run_schedules(unsigned long count, bool wrong_clocks)
{
    unsigned long first = number_in_environment("FAILOVER_SYNC_FIRST", FIRST_OF_A_BUILD), failures = 0;

    if (getenv("FAILOVER_SYNC_SEED") != NULL) {
        first = number_in_environment("FAILOVER_SYNC_SEED", 1);
        count = 1;
    }
    for (unsigned long i = 0; i < count; i++) {
        schedule_make(first + i, &current);
        current.wrong_clocks = wrong_clocks;
        if (schedule_run(&current))
            continue;
        if (failures++ < FAILURES_SHOWN)
            show_failure(&current);
        else
            fprintf(stderr, "schedule %llu: %s\n", (unsigned long long)current.seed, world.failure);
    }
    print_message("%lu schedules, %lu steps, %lu starts, %lu crashes, %lu edits\n", schedule_tally.schedules,
                  schedule_tally.steps, schedule_tally.starts, schedule_tally.crashes, schedule_tally.edits);
    assert_int_equal(failures, 0);
}

static void test_random_schedules_keep_the_rules(void **state)
{
    (void)state;
    run_schedules(number_in_environment("FAILOVER_SYNC_SCHEDULES", SCHEDULES_OF_A_BUILD), false);
}

static void test_schedules_with_wrong_clocks_keep_the_rules(void **state)
{
    (void)state;
    run_schedules(number_in_environment("FAILOVER_SYNC_SCHEDULES", SCHEDULES_OF_A_BUILD) / 3 + 1, true);
}

/* In most, a scope that is refused again and again hid from the sender that the clock had left the others behind; in
 * two, nobody remembered what config-set had said of a scope that was removed since; in two, a change that the
 * full disk kept from being recorded was taken for one on top of a removal that the partner's list told of meanwhile.
 * In the last the rules were wrong: they forbade what was made on top of words to count as made on top of a newer
 * version with the same words. */
static void test_schedules_that_once_failed(void **state)
{
    static const unsigned long seeds[] = {1024598, 1069662, 1076863, 2001759, 2014431, 2018037,
                                          2018816, 2032418, 2037393, 7012649, 8004665, 12000131};

    (void)state;
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        schedule_make(seeds[i], &current);
        current.options.sealed = false; /* there were no seals then */
        if (!schedule_run(&current))
            fail_msg("schedule %lu: %s", seeds[i], world.failure);
    }
}

/* A conflict that waited for a person was decided by new numbers; what only one side had numbered while its clock was
 * ahead was offered for ever to a partner that did not believe it; an edit numbered anew was older than one of before
 * that the partner had taken without that this server knew. */
static void test_schedules_with_wrong_clocks_that_once_failed(void **state)
{
    static const unsigned long seeds[] = {37, 59, 165, 188, 189, 191, 279, 101081, 31000512};

    (void)state;
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        schedule_make(seeds[i], &current);
        current.wrong_clocks = true;
        if (!schedule_run(&current))
            fail_msg("schedule %lu: %s", seeds[i], world.failure);
    }
}

static int make_folder(void **state)
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    (void)state;
    (void)snprintf(world.folder, sizeof world.folder, "%s/failover-sync-model-XXXXXX", base);
    (void)signal(SIGABRT, SIG_DFL);
    (void)signal(SIGSEGV, name_current);
    sim_disk_begin();
    return mkdtemp(world.folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", world.folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_schedules_keep_the_rules),
        cmocka_unit_test(test_schedules_with_wrong_clocks_keep_the_rules),
        cmocka_unit_test(test_schedules_that_once_failed),
        cmocka_unit_test(test_schedules_with_wrong_clocks_that_once_failed),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
