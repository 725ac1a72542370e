/* Writing the mirror, shared by mirror.c and mirror_removal.c. */
#ifndef MIRROR_PRIVATE_H
#define MIRROR_PRIVATE_H

#include "failover_sync/mirror.h"

/* This server's version of a scope, or of its removal. */
struct result mirror_put_version(struct mirror_writer *writer, object_id id, const char *name,
                                 const struct version_vector *version, bool removed);

/* The versions of a scope that was removed here and comes back: ours, and what partners have of it. */
struct result mirror_recall_versions(struct mirror_writer *writer, struct scope_entry *entry);

/* What was applied and could not be recorded is what an edit was made on. False if there is nothing newer than
 * `version` of the kind. */
bool mirror_take_applied(const struct mirror_writer *writer, object_id id, struct version_vector *version,
                         struct scope_applied *applied);

#endif
