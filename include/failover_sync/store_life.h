/* The store of a running plugin, from opening it to losing it and getting it back. While it cannot be used the library
 * stays loaded: nothing is mirrored and nothing replicated, commands that need it say so, and DHCP is not affected. */
#ifndef FAILOVER_SYNC_STORE_LIFE_H
#define FAILOVER_SYNC_STORE_LIFE_H

#include "failover_sync/engine.h"

/* [main] Opens the store. It may stay NULL without a failure: it cannot be used now. RESULT_INVALID: it never can. */
void store_life_open(struct plugin *plugin, struct result *result);

/* [main] The store refused: goes on without it. A damaged one is renamed. */
void store_life_drop(struct plugin *plugin, const struct result *why);

/* [main] Keeps what is known of a configuration load, and forgets it. */
struct result store_life_keep_load(struct plugin *plugin, const struct kea_load *load);
void store_life_forget_load(struct plugin *plugin);

/* [main] That load is in force. */
void store_life_load_committed(struct plugin *plugin);

/* [any thread] Whether the file that was loaded last for this store's server is not recorded yet, by this instance of
 * the library or by one before it in the same process: until it is, what the store remembers of the file is not what
 * the file says. */
void unseen_file_note(const char *store);
bool unseen_file_is_noted(const char *store);
void unseen_file_forget(const char *store);

/* [worker] Every second: opens a store that could not be used, sets aside one that is damaged and makes a new one for
 * it and for one that is gone, and has the main thread take it up. */
void store_life_watch(struct plugin *plugin);

/* Which configuration clients are served from while there is no store. */
#define SERVED_FROM_FILE    "the configuration file"
#define SERVED_FROM_COMMAND "the configuration that was set last"
#define SERVED_AS_IT_RUNS   "what runs"

/* [main] No command comes in any more, the worker ends its work, and with it the commands that wait for it. */
void plugin_stop_work(struct plugin *plugin);

/* [main] The worker starts, with what was planned; `committed`: and that is in force. */
void plugin_take_up_work(struct plugin *plugin, bool committed);

/* [main] The relationships of a configuration, in memory and in the store, and the index for them. */
struct result plugin_take_relationships(struct plugin *plugin, enum kea_configuration which);

#endif
