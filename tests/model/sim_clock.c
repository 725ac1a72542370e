/* The simulated clock, and chance where the product asks for it: both from the schedule alone. */
#include "sim.h"

#include "failover_sync/engine.h"

#include <stdlib.h>

int64_t sim_now, sim_ticks;
static int64_t shown_ahead; /* of the clock that is read now */

void sim_clock_of(const struct sim_server *server)
{
    shown_ahead = world.clock_wrong[server->number];
}

/* Linked with --wrap=engine_now. */
int64_t __wrap_engine_now(void);
int64_t __wrap_engine_now(void)
{
    return sim_now + shown_ahead;
}

int64_t __wrap_engine_ticks(void);
int64_t __wrap_engine_ticks(void)
{
    return sim_ticks;
}

int64_t __wrap_engine_ticks_at(int64_t when);
int64_t __wrap_engine_ticks_at(int64_t when)
{
    return when - (sim_now + shown_ahead) + sim_ticks;
}

/* The jitter of the back-off. */
int __wrap_rand_r(unsigned *state);
int __wrap_rand_r(unsigned *state)
{
    (void)state;
    world.chance = world.chance * 1664525 + 1013904223;
    return (int)(world.chance >> 8);
}
