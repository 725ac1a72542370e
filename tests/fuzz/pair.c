/* Two libraries against each other in the simulated world of tests/model, where the input decides everything: which
 * edits, loads, crashes, losses and deliveries happen, what somebody says in a partner's name, when clocks are set and
 * stores are lost. The rules of tests/model hold throughout, save for scopes of which somebody else has spoken: of
 * those the servers end up with the same, or say that they differ, and take the next edit of either.
 *
 * The first eight bytes are the options and the files, then two for a step, four for what it leaves open, and four more
 * for a hostile one. FAILOVER_SYNC_VERBOSE in the environment tells what happens. */
#include "fuzz.h"

#include "tests/model/schedule.h"
#include "tests/model/sim.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    (void)snprintf(world.folder, sizeof world.folder, "%s", fuzz_folder());
    world.verbose = getenv("FAILOVER_SYNC_VERBOSE") != NULL;
    sim_disk_begin();
    return 0;
}

static uint32_t number(struct fuzz_input *input)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++)
        value = value << 8 | fuzz_byte(input);
    return value;
}

static void read_options(struct fuzz_input *input, struct schedule *schedule)
{
    const unsigned flags = fuzz_byte(input);

    schedule->options = (struct rules_options){
        .primary_wins = (flags & 1) == 0,
        .deletes = (flags & 2) == 0,
        .sealed = (flags & 4) != 0,
        .reconcile_interval = (flags & 8) == 0 ? 60 : 86400,
    };
    schedule->refusals = (flags & 16) != 0;
    schedule->late = (flags & 32) != 0;
    schedule->settled = (flags & 64) == 0;
    schedule->wrong_clocks = (flags & 128) != 0;
    schedule->options.scopes = 1 + fuzz_byte(input) % SCOPES;
    schedule->seed = fuzz_byte(input);
    schedule->edits_at_last = true;
    for (uint32_t scope = 1; scope <= SCOPES; scope++) {
        const unsigned contents = fuzz_byte(input);

        if (scope > schedule->options.scopes)
            continue;
        schedule->files[0][scope] = contents % 4;
        schedule->files[1][scope] = contents / 4 % 4;
    }
}

static void read_steps(struct fuzz_input *input, struct schedule *schedule)
{
    while (input->length > 0 && schedule->count < SCHEDULE_STEPS) {
        struct step *step = &schedule->steps[schedule->count++];
        unsigned where;

        step->kind = (enum step_kind)(fuzz_byte(input) % STEP_KINDS);
        where = fuzz_byte(input);
        step->server = (int)(where % SERVERS);
        step->scope = 1 + where / SERVERS % schedule->options.scopes;
        step->chance = number(input);
        if (step->kind == STEP_HOSTILE_BATCH || step->kind == STEP_HOSTILE_QUESTION)
            step->more = number(input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input input = {.bytes = bytes, .length = length};
    struct schedule schedule = {.seed = 0};

    read_options(&input, &schedule);
    read_steps(&input, &schedule);
    if (schedule_run(&schedule))
        return 0;
    fprintf(stderr, "%s; without what it does not need for that:\n", world.failure);
    world.verbose = false;
    schedule_shrink(&schedule);
    schedule_print(&schedule);
    if (getenv("FAILOVER_SYNC_VERBOSE") != NULL) {
        world.verbose = true;
        (void)schedule_run(&schedule);
    }
    fprintf(stderr, "  => %s\n", world.failure);
    FUZZ_CHECK(world.failure[0] == '\0');
    return 0;
}
