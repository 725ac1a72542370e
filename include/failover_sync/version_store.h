/* Which version of a scope each server has, in the store: this server's own, and what each partner is known to have.
 * Used like store.h. */
#ifndef FAILOVER_SYNC_VERSION_STORE_H
#define FAILOVER_SYNC_VERSION_STORE_H

#include "failover_sync/object.h"
#include "failover_sync/result.h"
#include "failover_sync/version_vector.h"

struct store;

/* Of this server removals are kept, too, so that a version from before is known to be one: this many, the last ones,
 * however old. While the library runs, a tenth more may be there. */
#define VERSION_REMOVED_KEPT 10000

struct version_row {
    int64_t server_record_id;
    object_id id;
    char name[OBJECT_NAME_SIZE];
    struct version_vector version;
    bool removed;
    int64_t changed_at; /* milliseconds since 1970 */
};

/* Inserts or replaces the row of (server, subnet id). */
struct result version_store_put(struct store *store, const struct version_row *row);

/* Finds it; RESULT_NOT_FOUND without one. */
struct result version_store_find(struct store *store, int64_t server_record_id, object_id id, struct version_row *row);

/* Calls `each` for every row, by server and subnet id. */
typedef struct result (*version_visitor)(void *context, const struct version_row *row);
struct result version_store_each(struct store *store, version_visitor each, void *context);

/* Forgets the first of this server's removals if they are too many, and what partners have of scopes nobody knows. A
 * removal of which a partner has still to be told stays. The caller frees *subnet_ids, those that were forgotten; NULL
 * if there are none. */
struct result version_store_prune(struct store *store, int64_t server_record_id, int64_t **ids, size_t *count);

/* As whom the store's server edits. A store that was lost is followed by one with another identity. */
struct store_identity {
    char writer[33];    /* random */
    uint64_t last_edit; /* no edit has a smaller number or the same */
    bool filled;        /* a configuration was mirrored into it: what differs from now on is an edit */
    bool file_seen;     /* and one from the file: what differs from that is an edit of the file */
};
struct result store_identity_read(struct store *store, struct store_identity *identity);
struct result store_identity_put(struct store *store, const struct store_identity *identity);
struct result store_identity_put_edit(struct store *store, uint64_t last_edit); /* that alone */

#endif
