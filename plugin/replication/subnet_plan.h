/* One scope's change as commands of Kea's subnet commands library. */
#ifndef REPLICATION_SUBNET_PLAN_H
#define REPLICATION_SUBNET_PLAN_H

#include "plugin/replication/way.h"

#define SUBNET_COMMANDS_MAX 5

struct subnet_command {
    char *text;
    char *undo; /* what takes it back; NULL: nothing does, or it is the last */
};

struct subnet_plan {
    struct subnet_command commands[SUBNET_COMMANDS_MAX];
    size_t count;
    bool failed; /* for want of memory */
};

/* What of the change the commands cannot carry, as the end of a sentence ("its reservations"); NULL if nothing. */
const char *subnet_plan_beyond(const struct way_run *run, const struct batch_item *item,
                               const struct partner_config *config);

/* The commands that make the partner's configuration have the item, in order; each leaves a configuration that works.
 * subnet_plan_clear frees them. */
struct result subnet_plan_make(const struct way_run *run, const struct batch_item *item,
                               const struct partner_config *config, struct subnet_plan *plan);
void subnet_plan_clear(struct subnet_plan *plan);

#endif
