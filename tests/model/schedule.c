/* Making, running, shrinking and printing schedules. What a step means is here; what it must lead to is in rules.c. */
#include "schedule.h"

#include "sim.h"

#include "failover_sync/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUIET_TURNS 4000             /* of the world, until nothing is left to do */
#define QUIET_TIME  INT64_C(3600000) /* milliseconds that may pass meanwhile */

struct schedule_tally schedule_tally;

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(next_random(state) >> 33) % limit;
}

/* ---- making ---- */

static const struct {
    const char *name;
    uint32_t weight;
} kinds[STEP_KINDS] = {
    [STEP_EDIT] = {"edit", 24},
    [STEP_EDIT_BOTH] = {"edit-both", 5},
    [STEP_FILE] = {"file", 7},
    [STEP_WRITE] = {"config-write", 2},
    [STEP_RELOAD] = {"reload", 3},
    [STEP_SET] = {"config-set", 3},
    [STEP_FAIL] = {"failed-set", 1},
    [STEP_TASK] = {"task", 4},
    [STEP_JOB] = {"job", 8},
    [STEP_TURN] = {"turn", 8},
    [STEP_DELIVER] = {"deliver", 10},
    [STEP_LOSE] = {"lose", 6},
    [STEP_FLOW] = {"flow", 14},
    [STEP_SETTLE] = {"settle", 6},
    [STEP_CRASH] = {"crash", 4},
    [STEP_CRASH_IN_JOB] = {"crash-in-job", 2},
    [STEP_STOP] = {"stop", 1},
    [STEP_START] = {"start", 6},
    [STEP_CUT] = {"cut", 2},
    [STEP_MEND] = {"mend", 3},
    [STEP_CLOCK] = {"clock", 5},
    [STEP_HEARTBEAT] = {"heartbeat", 2},
    [STEP_DISK_FULL] = {"disk-full", 1},
    [STEP_DISK_GOOD] = {"disk-good", 2},
    [STEP_REPLICATE] = {"replicate", 1},
    [STEP_HOSTILE_BATCH] = {"hostile-batch", 0},
    [STEP_HOSTILE_QUESTION] = {"hostile-question", 0},
    [STEP_HOSTILE_ANSWER] = {"hostile-answer", 0},
    [STEP_LOSE_STORE] = {"lose-store", 0},
};

static enum step_kind draw_kind(uint64_t *state)
{
    uint32_t total = 0, drawn;

    for (int i = 0; i < STEP_KINDS; i++)
        total += kinds[i].weight;
    drawn = below(state, total);
    for (int i = 0; i < STEP_KINDS; i++) {
        if (drawn < kinds[i].weight)
            return (enum step_kind)i;
        drawn -= kinds[i].weight;
    }
    abort();
}

void schedule_make(uint64_t seed, struct schedule *schedule)
{
    uint64_t state = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    uint32_t shape;

    *schedule = (struct schedule){.seed = seed};
    schedule->options.primary_wins = below(&state, 3) != 0;
    schedule->options.deletes = below(&state, 6) != 0;
    schedule->options.sealed = seed % 3 == 0; /* drawn from nothing else, so that a seed means what it meant */
    schedule->options.scopes = 3 + below(&state, SCOPES - 2);
    schedule->options.reconcile_interval = below(&state, 2) == 0 ? 60 : 86400;
    schedule->refusals = below(&state, 8) == 0;
    schedule->late = below(&state, 3) == 0;
    schedule->settled = below(&state, 4) != 0;
    shape = below(&state, 4);
    for (uint32_t scope = 1; scope <= schedule->options.scopes; scope++) {
        uint8_t content = (uint8_t)below(&state, 4); /* 0: none */

        schedule->files[0][scope] = content;
        schedule->files[1][scope] = shape == 0 ? 0 : shape == 1 ? (uint8_t)below(&state, 4) : content;
    }
    schedule->count = 10 + below(&state, 31);
    for (size_t i = 0; i < schedule->count; i++)
        schedule->steps[i] = (struct step){.kind = draw_kind(&state),
                                           .server = (int)below(&state, SERVERS),
                                           .scope = 1 + below(&state, schedule->options.scopes),
                                           .chance = (uint32_t)(next_random(&state) >> 32)};
}

/* ---- running ---- */

/* A content for an edit by a server: mostly a new one, now and then none, one that others may have chosen too, or one
 * that the partner refuses. */
static uint8_t choose_content(const struct schedule *schedule, const struct step *step, int server, uint8_t now)
{
    uint32_t chance = step->chance % 100;

    if (chance < 25)
        return 0;
    if (chance < 32)
        return (uint8_t)(1 + step->chance / 100 % 3);
    if (chance < 36)
        return rules_content(1 - server, step->scope);
    if (schedule->refusals && chance < 46)
        return (uint8_t)((server == 0 ? 6 : 4) + step->chance / 100 % 2);
    if (now == 0 || chance < 95)
        return rules_new_content(step->scope);
    return now;
}

static void edit(const struct schedule *schedule, const struct step *step, int number)
{
    struct sim_server *server = &world.server[number];
    uint8_t now = server->running[step->scope], content;

    if (!server->up)
        return;
    content = choose_content(schedule, step, number, now);
    if (content == now || rules_refuses(number, content))
        return;
    schedule_tally.edits++;
    sim_server_edit(server, step->scope, content, !schedule->refusals && step->chance >> 28 == 0);
}

static void edit_file(const struct schedule *schedule, const struct step *step)
{
    struct sim_server *server = &world.server[step->server];
    uint8_t *line = &server->file[step->scope];
    uint8_t content = choose_content(schedule, step, step->server, *line);

    if (!rules_refuses(step->server, content))
        *line = content;
}

static void load(struct sim_server *server, enum sim_load kind, const uint8_t *delivered, bool committed)
{
    sim_disk_set(server->store, SIM_DISK_GOOD);
    schedule_tally.starts++;
    /* What was read on another thread must be told to the library before a load that changes nothing. */
    while (!committed && sim_server_run_task(server))
        ;
    sim_server_load(server, kind, delivered, committed);
}

static void set_configuration(const struct schedule *schedule, const struct step *step, bool committed)
{
    struct sim_server *server = &world.server[step->server];
    uint8_t delivered[SCOPES + 1], content;

    memcpy(delivered, (step->chance >> 27 & 1) != 0 ? server->file : server->running, sizeof delivered);
    content = choose_content(schedule, step, step->server, delivered[step->scope]);
    if (!rules_refuses(step->server, content))
        delivered[step->scope] = content;
    load(server, SIM_SET, delivered, committed);
}

static void check_in_sync(const struct sim_server *server)
{
    struct sim_known known;

    for (uint32_t scope = 1; scope <= SCOPES && server->up; scope++)
        if (sim_server_known(server, scope, &known) && known.in_sync)
            rules_in_sync(server->number, scope, known.content);
}

static void deliver(size_t number, uint32_t chance)
{
    if (world.cut)
        sim_network_lose(number, chance % 4 == 0 ? SIM_LOST : SIM_RESET);
    else
        sim_network_deliver(number, chance % 8 == 0);
}

static void lose(const struct schedule *schedule, const struct step *step)
{
    size_t count = sim_network_count();
    uint32_t way = step->chance / 64 % 3;

    if (count == 0)
        return;
    if (way == 2 && !schedule->late)
        way = 0;
    if (way == 2)
        schedule_tally.late++;
    sim_network_lose(step->chance % count, way == 0 ? SIM_LOST : way == 1 ? SIM_RESET : SIM_LATE);
}

/* One of the things that happen by themselves; false if there was nothing of the kind drawn. */
static bool happen(uint64_t *state)
{
    struct sim_server *server = &world.server[below(state, SERVERS)];
    size_t count = sim_network_count();
    uint32_t chance = (uint32_t)(next_random(state) >> 32);
    int64_t reconcile;

    switch (below(state, 4)) {
    case 0:
        return sim_server_run_task(server);
    case 1:
        return sim_worker_run_job(server);
    case 2:
        (void)sim_worker_advance(server, &reconcile);
        return true;
    default:
        if (count > 0)
            deliver(chance / 8 % (count < 3 ? count : 3), chance);
        return count > 0;
    }
}

/* Everything that can happen now happens; false if nothing could. *wake is when more may, *reconcile when digests are
 * compared again. */
static bool happen_all(int64_t *wake, int64_t *reconcile)
{
    bool any = false;

    *wake = sim_network_next_timeout();
    *reconcile = INT64_MAX;
    for (int i = 0; i < SERVERS; i++) {
        struct sim_server *server = &world.server[i];
        int64_t next, compare;

        while (sim_server_run_task(server) || sim_worker_run_job(server))
            any = true;
        next = sim_worker_advance(server, &compare);
        if (next < *wake)
            *wake = next;
        if (compare < *reconcile)
            *reconcile = compare;
        next = sim_worker_blocked_until(server);
        if (next > sim_ticks && next < *wake)
            *wake = next;
    }
    while (sim_network_count() > 0 && world.failure[0] == '\0') {
        deliver(0, 1);
        any = true;
    }
    return any;
}

static void pass_time(int64_t ms)
{
    sim_now += ms;
    sim_ticks += ms;
    sim_network_expire();
}

static unsigned scopes_sent(void)
{
    unsigned sent = 0;

    for (int i = 0; i < SERVERS; i++)
        sent += world.server[i].scopes_sent;
    return sent;
}

/* Until nothing is left to do, and the digests were compared since, or the world is only waiting for better times;
 * whether nothing is left. */
static bool settle(void)
{
    int64_t end = sim_ticks + QUIET_TIME, compared = 0;
    unsigned sent = scopes_sent();

    for (int turn = 0; turn < QUIET_TURNS && world.failure[0] == '\0'; turn++) {
        int64_t wake, reconcile;

        if (happen_all(&wake, &reconcile))
            continue;
        if (wake == INT64_MAX) {
            if (sent == scopes_sent() && compared >= SERVERS)
                return true;
            compared = sent == scopes_sent() ? compared + 1 : 0;
            sent = scopes_sent();
            wake = reconcile;
            if (wake != INT64_MAX) /* digests are compared by both */
                end += wake - sim_ticks;
        }
        if (wake > end)
            return false;
        pass_time(wake > sim_ticks ? wake - sim_ticks : 1);
    }
    return false;
}

/* Of one server, or of both: years, days or hours ahead or behind, or right again. */
static void set_clocks(uint32_t chance)
{
    static const int64_t days[] = {3650, 365, 30, 2, -2, -30, -365, -3650, 0, 0};
    const int64_t wrong = days[chance % (sizeof days / sizeof days[0])] * 86400000;
    const uint32_t whose = chance / 16 % 4;

    for (int i = 0; i < SERVERS; i++)
        if (whose > 1 || whose == (uint32_t)i)
            world.clock_wrong[i] = wrong;
}

static void run_clock(uint32_t chance)
{
    static const int64_t ways[] = {5, 200, 1000, 20000, 60000, 3600000, INT64_C(3) * 86400000, -1000, -3600000};

    const int64_t ms = ways[chance % (sizeof ways / sizeof ways[0])];

    if (ms > 0 && (chance >> 16) % 2 == 0)
        pass_time(ms);
    else
        sim_now += ms; /* somebody set it */
}

static void flow(uint32_t chance)
{
    uint64_t state = chance;

    for (uint32_t i = 0, count = chance % 24; i < count && world.failure[0] == '\0'; i++)
        (void)happen(&state);
}

static void crash(struct sim_server *server)
{
    schedule_tally.crashes += server->up;
    sim_server_crash(server);
}

/* With the power going in the middle of what the job writes. */
static void crash_in_job(struct sim_server *server, uint32_t chance)
{
    if (server->up && sim_worker_has_job(server)) {
        sim_disk_go_after(server->store, 1 + chance % 12);
        (void)sim_worker_run_job(server);
    }
    crash(server);
}

static void replicate(struct sim_server *server, uint32_t scope)
{
    char arguments[64];

    if (!server->up || server->running[scope] == 0)
        return;
    (void)snprintf(arguments, sizeof arguments, "{\"subnet-ids\": [%u]}", scope);
    server->on_main = true;
    free(plugin_command(server->plugin, "scope-replicate", arguments));
    server->on_main = false;
}

static void lose_store(struct sim_server *server)
{
    crash(server);
    sim_disk_reset(server->store, SERVERS + world.stores_lost++); /* each store is of another writer */
    for (uint32_t scope = 1; scope <= SCOPES; scope++)
        rules_distrust(scope);
}

static void replace_answer(uint32_t chance)
{
    const size_t count = sim_network_count();

    for (size_t i = 0; i < count; i++) {
        const size_t number = (chance / 256 + i) % count;

        if (!sim_network_is_answer(number))
            continue;
        sim_hostile_answer(number, chance);
        return;
    }
}

static void perform(const struct schedule *schedule, const struct step *step)
{
    struct sim_server *server = &world.server[step->server];
    size_t count = sim_network_count();
    int64_t reconcile;

    switch (step->kind) {
    case STEP_EDIT:
        edit(schedule, step, step->server);
        break;
    case STEP_EDIT_BOTH:
        edit(schedule, step, 0);
        edit(schedule, step, 1);
        break;
    case STEP_FILE:
        edit_file(schedule, step);
        break;
    case STEP_WRITE:
        if (server->up)
            memcpy(server->file, server->running, sizeof server->file);
        break;
    case STEP_RELOAD:
        if (server->up)
            load(server, SIM_RELOAD, server->file, true);
        break;
    case STEP_SET:
    case STEP_FAIL:
        if (server->up)
            set_configuration(schedule, step, step->kind == STEP_SET);
        break;
    case STEP_TASK:
        (void)sim_server_run_task(server);
        break;
    case STEP_JOB:
        (void)sim_worker_run_job(server);
        break;
    case STEP_TURN:
        (void)sim_worker_advance(server, &reconcile);
        break;
    case STEP_DELIVER:
        if (count > 0)
            deliver(step->chance / 8 % count, step->chance);
        break;
    case STEP_LOSE:
        lose(schedule, step);
        break;
    case STEP_FLOW:
        flow(step->chance);
        break;
    case STEP_SETTLE:
        (void)settle();
        break;
    case STEP_CRASH:
        crash(server);
        break;
    case STEP_CRASH_IN_JOB:
        crash_in_job(server, step->chance);
        break;
    case STEP_STOP:
        sim_disk_set(server->store, SIM_DISK_GOOD);
        sim_server_stop(server);
        break;
    case STEP_START:
        if (!server->up)
            load(server, SIM_START, server->file, true);
        break;
    case STEP_CUT:
        world.cut = true;
        break;
    case STEP_MEND:
        world.cut = false;
        break;
    case STEP_CLOCK:
        if (schedule->wrong_clocks && step->chance >> 31 == 0)
            set_clocks(step->chance);
        else
            run_clock(step->chance);
        break;
    case STEP_HEARTBEAT:
        if (server->up && !world.cut)
            plugin_command_finished(server->plugin, "ha-heartbeat", NULL, 0);
        break;
    case STEP_DISK_FULL:
        if (server->up)
            sim_disk_set(server->store, SIM_DISK_FULL);
        break;
    case STEP_DISK_GOOD:
        sim_disk_set(server->store, SIM_DISK_GOOD);
        break;
    case STEP_REPLICATE:
        replicate(server, step->scope);
        break;
    case STEP_HOSTILE_BATCH:
        if (server->up)
            sim_hostile_batch(server, step->scope, step->chance, step->more);
        break;
    case STEP_HOSTILE_QUESTION:
        if (server->up)
            sim_hostile_question(server, step->chance, step->more);
        break;
    case STEP_HOSTILE_ANSWER:
        replace_answer(step->chance);
        break;
    case STEP_LOSE_STORE:
        lose_store(server);
        break;
    case STEP_KINDS:
        break;
    }
    for (int i = 0; i < SERVERS && world.failure[0] == '\0'; i++)
        check_in_sync(&world.server[i]);
}

/* ---- the end: everything is well again, and what must be so then is so ---- */

static void heal(void)
{
    world.cut = false;
    memset(world.clock_wrong, 0, sizeof world.clock_wrong);
    for (int i = 0; i < SERVERS; i++) {
        sim_disk_set(world.server[i].store, SIM_DISK_GOOD);
        if (!world.server[i].up)
            load(&world.server[i], SIM_START, world.server[i].file, true);
    }
}

/* Whether a wish may wait for good: the partner refuses the scope. */
static bool may_wait(const struct schedule *schedule)
{
    return schedule->refusals;
}

/* Of a scope that is not the rules': the servers have the same of it, or both say that they differ. */
static void check_distrusted(const struct schedule *schedule, uint32_t scope, const bool reported[SERVERS])
{
    const uint8_t here = world.server[0].running[scope], there = world.server[1].running[scope];

    if (!rules_distrusts(scope))
        return;
    for (int i = 0; i < SERVERS; i++) {
        if (here == there && reported[i])
            world_fail("scope %u: server%d calls it out of sync, but both have content %u", scope, i + 1, here);
        if (here != there && world.server[i].running[scope] != 0 && !reported[i] && !may_wait(schedule) &&
            (world.server[1 - i].running[scope] != 0 || schedule->options.deletes))
            world_fail("scope %u: content %u and %u, and server%d does not say so", scope, here, there, i + 1);
    }
    if (here != there && schedule->options.primary_wins && schedule->options.deletes && !may_wait(schedule))
        world_fail("scope %u: server1 has content %u, server2 has %u", scope, here, there);
}

static void check_end(const struct schedule *schedule, bool quiet)
{
    struct sim_known known;
    unsigned held, waiting;

    if (!quiet && !may_wait(schedule))
        world_fail("the servers do not come to rest");
    for (int i = 0; i < SERVERS && world.failure[0] == '\0'; i++) {
        sim_server_queue(&world.server[i], &held, &waiting);
        if (held > 0 && schedule->options.primary_wins)
            world_fail("server%d: %u wishes wait for an administrator", i + 1, held);
        if (waiting > 0 && !may_wait(schedule))
            world_fail("server%d: %u wishes are left in the queue", i + 1, waiting);
    }
    for (uint32_t scope = 1; scope <= SCOPES && world.failure[0] == '\0'; scope++) {
        bool reported[SERVERS] = {false};
        uint64_t history = 0;

        for (int i = 0; i < SERVERS; i++) {
            const struct sim_server *server = &world.server[i];

            if (sim_server_known(server, scope, &known) != (server->running[scope] != 0) ||
                (server->running[scope] != 0 && known.content != server->running[scope]))
                world_fail("scope %u: server%d runs content %u, its library knows %u", scope, i + 1,
                           server->running[scope], known.content);
            reported[i] = server->running[scope] != 0 && known.out_of_sync;
            history |= sim_server_history(server, scope);
        }
        rules_end(scope, history, reported);
        check_distrusted(schedule, scope, reported);
    }
}

/* No edit is refused for good, whatever was said before: each server's next one of each scope arrives. Where conflicts
 * are held and removals do not travel, both may have removed a scope, neither knowing of the other's removal, which is
 * a conflict with whatever comes next. */
static void check_last_edits(const struct schedule *schedule)
{
    if (!schedule->options.primary_wins && !schedule->options.deletes)
        return;
    for (int i = 0; i < SERVERS; i++) {
        bool edited[SCOPES + 1] = {false};

        for (uint32_t scope = 1; scope <= schedule->options.scopes; scope++) {
            const uint8_t content = rules_new_content(scope);

            if (content == 0 || world.server[0].running[scope] != world.server[1].running[scope])
                continue;
            sim_server_edit(&world.server[i], scope, content, false);
            edited[scope] = true;
        }
        if (!settle() && world.failure[0] == '\0')
            world_fail("the servers do not come to rest after the last edits");
        for (uint32_t scope = 1; scope <= SCOPES && world.failure[0] == '\0'; scope++)
            if (edited[scope] && world.server[0].running[scope] != world.server[1].running[scope])
                world_fail("scope %u: the last edit of server%d never arrives", scope, i + 1);
    }
}

/* A restart of both is no edit: nothing changes, nothing is sent. */
static void check_restart(const struct schedule *schedule)
{
    uint8_t before[SERVERS][SCOPES + 1];

    for (int i = 0; i < SERVERS; i++) {
        struct sim_server *server = &world.server[i];

        memcpy(before[i], server->running, sizeof before[i]);
        rules_last_file(i, server->file);
        if ((schedule->seed >> i & 1) != 0)
            sim_server_crash(server);
        else
            sim_server_stop(server);
    }
    heal();
    check_end(schedule, settle());
    for (int i = 0; i < SERVERS && world.failure[0] == '\0'; i++) {
        if (memcmp(before[i], world.server[i].running, sizeof before[i]) != 0)
            world_fail("server%d runs something else after a restart", i + 1);
        /* A scope that the partner removed for itself is offered to it anew. */
        if (world.server[i].scopes_sent > 0 && !may_wait(schedule) && schedule->options.deletes)
            world_fail("server%d sends %u scopes after a restart", i + 1, world.server[i].scopes_sent);
    }
}

static void say(const char *what)
{
    if (world.verbose)
        fprintf(stderr, "%s\n", what);
}

static void print_step(const struct step *step, size_t number)
{
    fprintf(stderr, "  %2zu %s server%d scope %u chance %u", number, kinds[step->kind].name, step->server + 1,
            step->scope, step->chance);
    if (step->more != 0)
        fprintf(stderr, " more %u", step->more);
    fputc('\n', stderr);
}

bool schedule_run(const struct schedule *schedule)
{
    sim_world_begin(&schedule->options);
    world.wrong_clocks = schedule->wrong_clocks;
    world.sealed = schedule->options.sealed;
    world.chance = (uint32_t)schedule->seed;
    for (int i = 0; i < SERVERS; i++) {
        memcpy(world.server[i].file, schedule->files[i], sizeof world.server[i].file);
        load(&world.server[i], SIM_START, world.server[i].file, true);
    }
    if (schedule->settled)
        (void)settle();
    for (size_t i = 0; i < schedule->count && world.failure[0] == '\0'; i++) {
        if (world.verbose)
            print_step(&schedule->steps[i], i);
        perform(schedule, &schedule->steps[i]);
    }
    say("  the end");
    if (world.failure[0] == '\0') {
        heal();
        check_end(schedule, settle());
    }
    if (world.failure[0] == '\0' && schedule->edits_at_last && !may_wait(schedule)) {
        say("  the last edits");
        check_last_edits(schedule);
    }
    say("  a restart");
    if (world.failure[0] == '\0' && schedule->seed % 3 == 0)
        check_restart(schedule);
    sim_world_end();
    schedule_tally.steps += schedule->count;
    schedule_tally.schedules++;
    return world.failure[0] == '\0';
}

/* ---- when it fails ---- */

static void leave_out(struct schedule *schedule, size_t number)
{
    schedule->count--;
    memmove(&schedule->steps[number], &schedule->steps[number + 1],
            (schedule->count - number) * sizeof schedule->steps[0]);
}

void schedule_shrink(struct schedule *schedule)
{
    bool shrunk = true;

    while (shrunk) {
        shrunk = false;
        for (size_t i = schedule->count; i-- > 0;) {
            struct schedule smaller = *schedule;

            leave_out(&smaller, i);
            if (schedule_run(&smaller))
                continue;
            *schedule = smaller;
            shrunk = true;
        }
        for (uint32_t scope = 1; scope <= SCOPES; scope++)
            for (int i = 0; i < SERVERS; i++) {
                struct schedule smaller = *schedule;

                smaller.files[i][scope] = 0;
                if (schedule->files[i][scope] == 0 || schedule_run(&smaller))
                    continue;
                *schedule = smaller;
                shrunk = true;
            }
    }
    (void)schedule_run(schedule);
}

void schedule_print(const struct schedule *schedule)
{
    fprintf(stderr, "schedule %llu: %s, deletes %s, %u scopes%s%s%s%s\n", (unsigned long long)schedule->seed,
            schedule->options.primary_wins ? "primary-wins" : "hold", schedule->options.deletes ? "true" : "false",
            schedule->options.scopes, schedule->refusals ? ", refusals" : "", schedule->late ? ", late messages" : "",
            schedule->settled ? ", agreed at first" : "", schedule->options.sealed ? ", sealed" : "");
    for (int i = 0; i < SERVERS; i++) {
        fprintf(stderr, "  file of server%d:", i + 1);
        for (uint32_t scope = 1; scope <= schedule->options.scopes; scope++)
            fprintf(stderr, " %u", schedule->files[i][scope]);
        fputc('\n', stderr);
    }
    for (size_t i = 0; i < schedule->count; i++)
        print_step(&schedule->steps[i], i);
}
