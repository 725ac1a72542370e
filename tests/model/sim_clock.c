/* The simulated clock, and chance where the product asks for it: both from the schedule alone. */
#include "sim.h"

#include "failover_sync/engine.h"

#include <stdlib.h>

int64_t sim_now;

/* Linked with --wrap=engine_now. */
int64_t __wrap_engine_now(void);
int64_t __wrap_engine_now(void)
{
    return sim_now;
}

/* The jitter of the back-off. */
int __wrap_rand_r(unsigned *state);
int __wrap_rand_r(unsigned *state)
{
    (void)state;
    world.chance = world.chance * 1664525 + 1013904223;
    return (int)(world.chance >> 8);
}
