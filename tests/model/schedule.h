/* A schedule: which rules are in force, and what happens, step by step. The same schedule always runs the same way. */
#ifndef MODEL_SCHEDULE_H
#define MODEL_SCHEDULE_H

#include "rules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_STEPS 64

enum step_kind {
    STEP_EDIT,      /* a command changes, adds or removes a scope */
    STEP_EDIT_BOTH, /* on both servers at once */
    STEP_FILE,      /* somebody edits the configuration file */
    STEP_WRITE,     /* config-write: what runs becomes the file */
    STEP_RELOAD,    /* config-reload */
    STEP_SET,       /* config-set, with one scope changed */
    STEP_FAIL,      /* a config-set that fails after the library has agreed to it */
    STEP_TASK,      /* the main thread runs a task */
    STEP_JOB,       /* the worker runs a job */
    STEP_TURN,      /* the worker looks at its partner: it may send */
    STEP_DELIVER,   /* a message arrives */
    STEP_LOSE,      /* a message is lost, or its sender gives up */
    STEP_FLOW,      /* some of the four before last, at random */
    STEP_SETTLE,    /* all of them, until nothing is left to do */
    STEP_CRASH,     /* kill -9 */
    STEP_CRASH_IN_JOB,
    STEP_STOP,
    STEP_START,
    STEP_CUT, /* the network between the servers, for long */
    STEP_MEND,
    STEP_CLOCK,     /* time passes, or somebody sets the clock */
    STEP_HEARTBEAT, /* HA hears of the partner */
    STEP_DISK_FULL,
    STEP_DISK_GOOD,
    STEP_REPLICATE, /* the command scope-replicate */
    /* Drawn by no seed: see tests/fuzz/pair.c. */
    STEP_HOSTILE_BATCH,
    STEP_HOSTILE_QUESTION,
    STEP_HOSTILE_ANSWER,
    STEP_LOSE_STORE,
    STEP_KINDS
};

struct step {
    enum step_kind kind;
    int server;
    uint32_t scope;
    uint32_t chance; /* decides what the kind leaves open */
    uint32_t more;   /* and of hostile ones this, too */
};

struct schedule {
    uint64_t seed;
    struct rules_options options;
    bool refusals;      /* contents that the partner refuses occur */
    bool late;          /* messages may arrive after their sender has given up */
    bool settled;       /* the servers agree before the first step */
    bool edits_at_last; /* when all is done, each server edits each scope once more, and the other takes it */
    bool wrong_clocks;  /* STEP_CLOCK sets the clock of one server or of both by days or years; not drawn by the seed */
    uint8_t files[SERVERS][SCOPES + 1];
    struct step steps[SCHEDULE_STEPS];
    size_t count;
};

void schedule_make(uint64_t seed, struct schedule *schedule);

/* Runs it; whether every rule was kept. If not, world.failure says which was not. */
bool schedule_run(const struct schedule *schedule);

/* Leaves out steps as long as it fails. */
void schedule_shrink(struct schedule *schedule);

void schedule_print(const struct schedule *schedule);

/* What all schedules run so far amount to. */
struct schedule_tally {
    unsigned long schedules, steps, starts, crashes, edits, sent, late, conflicts;
};
extern struct schedule_tally schedule_tally;

#endif
