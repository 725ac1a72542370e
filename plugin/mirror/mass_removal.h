/* The guard of max-delete-percent. */
#ifndef MIRROR_MASS_REMOVAL_H
#define MIRROR_MASS_REMOVAL_H

#include "failover_sync/mirror.h"

/* Before the commit: if the removals that this transaction queued for a partner are more than max-delete-percent of the
 * relationship's scopes, and more than one, they are held until an administrator sends them, and the log says so. */
struct result mass_removal_hold(const struct mirror_writer *writer);

#endif
