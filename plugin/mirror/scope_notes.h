/* What the index knows of scopes beside those there are: removed ones, and what was applied and is not recorded yet.
 * Under the index's lock. */
#ifndef MIRROR_SCOPE_NOTES_H
#define MIRROR_SCOPE_NOTES_H

#include "failover_sync/scope_index.h"

struct scope_notes {
    struct scope_removed *removed; /* ascending by subnet id */
    size_t removed_count, removed_capacity;
    struct scope_applied *applied; /* the same */
    size_t applied_count, applied_capacity;
};

void scope_notes_clear(struct scope_notes *notes);

struct result scope_notes_set_removed(struct scope_notes *notes, const struct scope_removed *removed);
const struct scope_removed *scope_notes_find_removed(const struct scope_notes *notes, object_id id);
void scope_notes_bury(struct scope_notes *notes, object_id id, const struct scope_buried *buried);
void scope_notes_forget_removed(struct scope_notes *notes, object_id id);

struct result scope_notes_set_applied(struct scope_notes *notes, const struct scope_applied *applied);
const struct scope_applied *scope_notes_find_applied(const struct scope_notes *notes, object_id id);
void scope_notes_forget_applied(struct scope_notes *notes, object_id id);

#endif
