/* What hangs on a scope in other tables: its superscope, block, ranges, addresses and options. */
#ifndef ADM_SCOPE_PARTS_H
#define ADM_SCOPE_PARTS_H

#include "scope_columns.h"
#include "store_private.h"

/* Finds or makes the server's superscope of the scope's shared network, and brings its definition up to date;
 * *record_id is 0 if the scope is in none. */
struct result superscope_put(struct store *store, int64_t server_record_id, const struct scope_columns *columns,
                             int64_t *record_id);

/* Removes the superscope if no scope is in it any more; 0 is fine. */
struct result superscope_drop(struct store *store, int64_t record_id);

/* Removes the block that a scope brought if no scope of any server has this network any more and nothing else refers to
 * it. `af` is the ADM's word. */
struct result scope_block_drop(struct store *store, const char *af, const char *scope_id, int64_t prefix_length);

/* Makes the scope's options, ranges, addresses and block those of its definition; `fresh` says that it has none yet. A
 * range that stays keeps its RecordId and what an admin noted on it. `modified_at` is in milliseconds since 1970. */
struct result scope_parts_put(struct store *store, int64_t server_record_id, int64_t scope_record_id,
                              const struct scope_columns *columns, int64_t modified_at, bool fresh);

/* Removes the scope's options, ranges and addresses. */
struct result scope_parts_remove(struct store *store, int64_t scope_record_id);

#endif
