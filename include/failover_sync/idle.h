/* A library that is loaded and does nothing: a reload of the configuration must not fail for its sake, because Kea
 * would go on without the commands of High Availability. It says why, and waits for the next load. */
#ifndef FAILOVER_SYNC_IDLE_H
#define FAILOVER_SYNC_IDLE_H

struct plugin;

/* What a command is answered with; text the caller frees, or NULL for want of memory. */
char *idle_answer(struct plugin *plugin, const char *name);

#endif
