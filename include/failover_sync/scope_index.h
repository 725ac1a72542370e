/* What is known of every scope, in memory: the store's summary that commands read on the server's main thread, which
 * never waits for the disk. The worker changes it after each commit. Every function takes the lock itself. */
#ifndef FAILOVER_SYNC_SCOPE_INDEX_H
#define FAILOVER_SYNC_SCOPE_INDEX_H

#include "failover_sync/delivery.h"
#include "failover_sync/fingerprint.h"
#include "failover_sync/object.h"
#include "failover_sync/result.h"
#include "failover_sync/store.h"
#include "failover_sync/version_vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was last agreed on with the partner of one relationship. */
struct scope_agreement {
    struct fingerprint ours;   /* the version agreed on, by our printing; empty: none */
    struct fingerprint theirs; /* the same by the partner's printing */
    bool met;                  /* something is known of what the partner has: */
    struct version_vector known;
};

struct scope_entry {
    object_id id;
    char name[OBJECT_NAME_SIZE];
    int64_t record_id;
    struct fingerprint fingerprint;
    struct fingerprint printed; /* of the text with all that it inherits: see struct kea_object */
    struct version_vector version;
    struct delivery file, configuration; /* what the file's last load said of it, and what any load did */
    enum scope_origin origin;
    int64_t modified_at;               /* milliseconds since 1970 */
    uint64_t members;                  /* bit i: member of relationship i */
    bool reset;                        /* an administrator declared it in sync (ResetConfigSyncStatus) */
    bool unprinted;                    /* the server does not print all of it: in sync with nobody */
    char reason[160];                  /* why it is out of sync; "" if it is not, or nothing is known */
    struct scope_agreement *agreement; /* one per relationship; owned by the index, copied for a caller */
};

struct scope_index;

struct result scope_index_new(size_t relationships, struct scope_index **index);
void scope_index_free(struct scope_index *index);

/* Copies the entry of a scope; false if there is none. The copy's agreements are freed by scope_entry_clear. */
bool scope_index_get(struct scope_index *index, object_id id, struct scope_entry *entry);
void scope_entry_clear(struct scope_entry *entry);

/* Inserts or replaces an entry; agreements are copied too (NULL: all empty). */
struct result scope_index_put(struct scope_index *index, const struct scope_entry *entry);

void scope_index_remove(struct scope_index *index, object_id id);

/* Changes only what is named; nothing if the scope is not there. */
void scope_index_set_version(struct scope_index *index, object_id id, const struct version_vector *version);
void scope_index_set_known(struct scope_index *index, object_id id, size_t relationship,
                           const struct version_vector *known);
void scope_index_set_agreement(struct scope_index *index, object_id id, size_t relationship,
                               const struct scope_agreement *agreement);
void scope_index_add_member(struct scope_index *index, object_id id, size_t relationship);
void scope_index_remove_member(struct scope_index *index, object_id id, size_t relationship); /* and its agreement */

/* Makes room for agreements with more relationships. */
struct result scope_index_widen(struct scope_index *index, size_t relationships);

/* Ends every declaration of an administrator that says no more than is so. */
void scope_index_settle_resets(struct scope_index *index);

size_t scope_index_count(struct scope_index *index);

/* The versions of the scopes of `ids` in one; of those that are there. */
struct version_vector scope_index_merge(struct scope_index *index, const object_id *ids, size_t count);

/* Digest over the versions and texts of all scopes in a relationship: as this server prints them, or as the partner
 * does if it has the same: what it told when the two agreed. */
enum scope_digest { SCOPE_DIGEST_OURS, SCOPE_DIGEST_PARTNERS };
struct fingerprint scope_index_digest(struct scope_index *index, size_t relationship, enum scope_digest whose);

/* The text that the partner has of a scope, by its own printing, if it has our version. */
struct fingerprint scope_entry_expected(const struct scope_entry *entry, size_t relationship);

/* A scope that was removed. scope_index_put of the scope ends that. */
struct scope_removed {
    object_id id;
    char name[OBJECT_NAME_SIZE];
    struct version_vector version;
    uint64_t builds; /* bit i: it builds on the version that the partner of relationship i last had */
    uint64_t agreed; /* bit i: that has removed it, too */
    struct scope_buried buried;
};
/* Notes which version the partner of a relationship is known to have. */
void scope_removed_note_partner(struct scope_removed *removed, size_t relationship, const struct version_vector *known);
struct result scope_index_set_removed(struct scope_index *index, const struct scope_removed *removed);
bool scope_index_get_removed(struct scope_index *index, object_id id, struct scope_removed *removed);

/* How many are known, and that one no longer is. */
size_t scope_index_removed_count(struct scope_index *index);
void scope_index_forget_removed(struct scope_index *index, object_id id);

/* Sets what configurations said of a scope that was removed; nothing if it was not. */
void scope_index_bury(struct scope_index *index, object_id id, const struct scope_buried *buried);

/* Calls `each` under the lock for every scope that was removed, ascending by subnet id. */
void scope_index_each_removed(struct scope_index *index,
                              void (*each)(void *context, const struct scope_removed *removed), void *context);

/* What a partner sent and what runs already, until it is recorded. */
struct scope_applied {
    object_id id;
    struct fingerprint fingerprint; /* empty: the scope was removed */
    struct version_vector version;
};
struct result scope_index_note_applied(struct scope_index *index, const struct scope_applied *applied);
bool scope_index_get_applied(struct scope_index *index, object_id id, struct scope_applied *applied);

/* Forgets it, if it is still what was noted last. */
void scope_index_end_applied(struct scope_index *index, const struct scope_applied *applied);

/* Calls `each` under the lock, ascending by subnet id, until it returns false. It must not call the index again. */
typedef bool (*scope_index_visitor)(void *context, const struct scope_entry *entry);
void scope_index_each(struct scope_index *index, scope_index_visitor each, void *context);

/* InSync if every relationship it is a member of agrees on its fingerprint or an administrator declared it so,
 * OutOfSync if one does not, Unknown if it is in none. */
const char *scope_entry_status(const struct scope_entry *entry, size_t relationships);

/* Whether the partner of a relationship has the scope's present version. */
bool scope_entry_agreed(const struct scope_entry *entry, size_t relationship);

/* Whether the configuration file has the present version, be it in the server's own words. */
bool scope_entry_in_file(const struct scope_entry *entry);

#endif
