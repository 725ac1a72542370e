/* The ADM tables of MS-IPAMM2 in one SQLite file: servers, relationships, scopes and what hangs on them. One thread
 * uses a store at a time. Every function that fails leaves the open transaction to be rolled back by the caller. */
#ifndef FAILOVER_SYNC_STORE_H
#define FAILOVER_SYNC_STORE_H

#include "failover_sync/delivery.h"
#include "failover_sync/fingerprint.h"
#include "failover_sync/object.h"
#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* Opens the store at `path`, creating the file (mode 0600) and missing folders (mode 0750), locks it for this process
 * and brings its schema up to date by the numbered migrations. WAL, foreign keys on, synchronous FULL. RESULT_STORE
 * says why it cannot be used now: the path, the reason, and the remedy; a file of ours that turned out to be damaged
 * has been renamed then, and the next attempt makes a new one; a file of a newer schema version or of another kind is
 * left untouched. RESULT_INVALID: the path is none. */
struct result store_open(const char *path, struct store **store);
void store_close(struct store *store); /* NULL is fine */

/* The same for whoever has not the time to wait for another process as long as that may have the store locked: waits
 * until `deadline`, by waiting_now, and leaves that in force. */
struct result store_open_until(const char *path, int64_t deadline, struct store **store);

/* [any thread] From now on whoever finds the store locked by another process waits until `deadline`, by waiting_now, at
 * most, and not at all once that has passed; 0: two seconds each time. Also what waits already. */
void store_set_deadline(struct store *store, int64_t deadline);

/* Whether the file cannot be a store any more: it is damaged, or another file or none is in its place. To be asked
 * every second, because it looks after the store, too: what it finds wrong without its being lost (a trigger that
 * somebody added) has every write refused with RESULT_STORE until that is mended. */
bool store_is_lost(struct store *store);

/* Whether that has changed since it was asked for last; what it is now, or ok. */
bool store_refusal_is_news(struct store *store, struct result *refusal);

/* Makes the store that of a server if it is nobody's; RESULT_STORE if it is another's. */
struct result store_claim(struct store *store, const char *server, const char *service);

/* Renames the file of a store that is damaged, so that a new one can take its place, if that has not been done. `aside`
 * receives its new name, "" if it was not renamed. */
#define STORE_ASIDE_SIZE 1024
struct result store_set_aside(struct store *store, char aside[STORE_ASIDE_SIZE]);

struct result store_begin(struct store *store); /* BEGIN IMMEDIATE */
struct result store_commit(struct store *store);
void store_rollback(struct store *store); /* nothing if no transaction is open */

/* Lets a function of several statements be all or nothing when its caller has no transaction open: *own tells whether
 * this began one, and store_leave then commits it, or rolls it back if `result` is a failure. */
struct result store_enter(struct store *store, bool *own);
struct result store_leave(struct store *store, bool own, struct result result);

/* ---- ADM_DHCPServersTable ------------------------------------------------------------------------------------------
 */
struct server_row {
    int64_t record_id;
    const char *server_name; /* the DNS name or address part of the control URL */
    const char *ha_name;     /* the peer's name in HA's parameters: the key */
    const char *control_url;
    const char *server_version; /* of Kea; NULL if not known: keeps what the row has */
    bool is_local;
};

/* Inserts or updates by ha_name; writes nothing when the row already says the same. */
struct result server_store_put(struct store *store, const struct server_row *row, int64_t *record_id);

/* Finds a server by its RecordId, or by its HaName with its *record_id; RESULT_NOT_FOUND without one. server_row_clear
 * frees the strings of a found row. */
struct result server_store_find_by_id(struct store *store, int64_t record_id, struct server_row *row);
struct result server_store_find(struct store *store, const char *ha_name, int64_t *record_id, struct server_row *row);
void server_row_clear(struct server_row *row);

/* Notes that the server answered, `when` in seconds since 1970. */
struct result server_store_seen(struct store *store, int64_t record_id, int64_t when);

/* When it last answered, in seconds since 1970; 0 if it never did, or is not known. */
struct result server_store_last_seen(struct store *store, int64_t record_id, int64_t *when);

/* Whether the server's list of versions was read into this store, and that it was. */
struct result server_store_listed(struct store *store, int64_t record_id, bool *listed);
struct result server_store_put_listed(struct store *store, int64_t record_id);

/* Removes another server, unless a relationship refers to it. Its scopes are to be removed before. */
struct result server_store_remove_unused(struct store *store, int64_t record_id);

/* ---- ADM_DhcpFailoverRelationTable ---------------------------------------------------------------------------------
 */
enum relation_origin { RELATION_FROM_HA_CONFIG = 0, RELATION_FROM_ADMIN = 1 };

struct relation_row {
    int64_t record_id;
    const char *relationship_name; /* at most 256 characters */
    int64_t server1_record_id, server2_record_id;
    const char *server1_name, *server2_name; /* HA names; also written as Server1PSName, Server2PSName */
    const char *server1_ip, *server2_ip;     /* host part of the control URLs */
    const char *mode;                        /* None, LoadBalance, HotStandby */
    const char *kea_mode;                    /* Kea's word; NULL in an admin's */
    int64_t mclt;                            /* seconds; negative for null */
    bool auto_state_transition;
    int64_t state_switch_interval; /* seconds; negative for null */
    int64_t server1_percentage;
    bool shared_secret_enabled;
    const char *server1_state, *server2_state; /* ADM's words; NULL keeps what the row has, Unknown in a new one */
    /* What is read only. */
    const char *server1_ps_name, *server2_ps_name;
    enum relation_origin origin;
    const char *edited_properties;     /* JSON list of the columns that an admin's edit holds */
    const char *configured_properties; /* JSON map from those to what the configuration last gave */
};

/* The columns of a mirrored relationship that an edit can hold, as bits of a set. */
enum relation_column {
    RELATION_MODE,
    RELATION_MCLT,
    RELATION_AUTO_STATE_TRANSITION,
    RELATION_STATE_SWITCH_INTERVAL,
    RELATION_SERVER1_PERCENTAGE,
    RELATION_SHARED_SECRET_ENABLED,
    RELATION_SERVER1_NAME,
    RELATION_SERVER2_NAME,
    RELATION_SERVER1_PS_NAME,
    RELATION_SERVER2_PS_NAME,
    RELATION_SERVER1_IP,
    RELATION_SERVER2_IP,
    RELATION_KEA_MODE,
    RELATION_NAME,
    RELATION_COLUMNS
};
#define RELATION_BIT(column) (UINT32_C(1) << (column))

/* The columns that a row's edited_properties name; a damaged list names none. */
struct result relation_row_edited(const struct relation_row *row, uint32_t *columns);

/* Inserts or updates the mirrored relationship (Origin HaConfig) by name and servers, or, where an admin has given it
 * another name, by its servers. A column that an admin edited keeps the row's value until the configuration gives
 * another value for it than it gave before: then the edit ends. Writes nothing when the row already says the same. */
struct result relation_store_put(struct store *store, const struct relation_row *row, int64_t *record_id);

/* Only finds that row; RESULT_NOT_FOUND without one. */
struct result relation_store_recall(struct store *store, const char *name, int64_t server1_record_id,
                                    int64_t server2_record_id, int64_t *record_id);

/* Inserts an admin's relationship (Origin Admin). */
struct result relation_store_add(struct store *store, const struct relation_row *row, int64_t *record_id);

/* Writes what an admin can edit of row->record_id: RelationshipName, Mode, MCLT, AutoStateTransition,
 * StateSwitchInterval, Server1Percentage. *changed tells which of them were not so before (RELATION_BITs); those of a
 * mirrored relationship are edits from now on, save those that are the configuration's value again. */
struct result relation_store_edit(struct store *store, const struct relation_row *row, uint32_t *changed);

/* Finds a relationship; RESULT_NOT_FOUND without it. relation_row_clear frees the strings of a found row. */
struct result relation_store_find(struct store *store, int64_t record_id, struct relation_row *row);
void relation_row_clear(struct relation_row *row);

/* Sets both states of a relationship, ADM's words; *changed tells whether they were others. */
struct result relation_store_set_states(struct store *store, int64_t record_id, const char *server1_state,
                                        const char *server2_state, bool *changed);

/* Removes the mirrored relationships that are not among `keep`; rows an admin created (Origin Admin) stay. */
struct result relation_store_keep_only(struct store *store, const int64_t *keep, size_t count);

/* Removes one relationship with its memberships and wishes; nothing to remove is no failure. */
struct result relation_store_remove(struct store *store, int64_t record_id);

/* Calls `each` for every relationship in order of RecordId; the row is borrowed for the call. `each` returning a
 * failure ends the reading with it. */
typedef struct result (*relation_visitor)(void *context, const struct relation_row *row);
struct result relation_store_each(struct store *store, relation_visitor each, void *context);

struct result relation_store_count(struct store *store, int64_t *count);

/* The first relationship of two servers, in whichever order, beside `except`; with a `name` only one of that name.
 * *record_id is 0 if there is none. */
struct result relation_store_find_pair(struct store *store, int64_t server_record_id, int64_t other_record_id,
                                       const char *name, int64_t except, int64_t *record_id);

/* Whether a server bears a name in one of its relationships: a hub's name may be another one in each. */
struct result relation_store_bears_name(struct store *store, int64_t server_record_id, const char *name, bool *bears);

/* ---- ADM_DHCPScopesTable and what hangs on a scope -----------------------------------------------------------------
 */

/* Who made the version that a scope has now. */
enum scope_origin { SCOPE_FROM_CONFIGURATION = 0, SCOPE_FROM_PARTNER = 1 };

/* What the store knows of a scope beside the columns it derives from the definition. A row exists per server that has
 * the scope. In the row of the local server, `fingerprint` is our own. In the row of a partner `definition` and
 * `fingerprint` are the version last agreed on with it, as we print it, and `partner_fingerprint` is what the partner
 * answered for it: the base of the next push. */
struct scope_row {
    int64_t record_id;
    int64_t server_record_id;
    object_id id;
    const char *name;       /* "192.0.2.0/24" */
    const char *definition; /* as in kea.h, like the next one */
    const char *effective;  /* to be written: NULL for one that inherits nothing */
    struct fingerprint fingerprint;
    struct fingerprint printed; /* of the effective text, as in kea.h */
    struct fingerprint partner_fingerprint;
    struct delivery file;          /* as the configuration file last delivered it */
    struct delivery configuration; /* as any configuration load last delivered it */
    enum scope_origin origin;
    const char *sync_status; /* Unknown, InSync, OutOfSync */
    const char *sync_reason; /* NULL if there is nothing to say */
    int64_t modified_at;     /* milliseconds since 1970 */
};

/* Inserts or replaces the scope of (server, subnet id). Every other column of ADM_DHCPScopesTable, the superscope, and
 * (local server only: `with_parts`) the options, ranges, addresses and the block are derived from the effective text.
 */
struct result scope_store_put(struct store *store, const struct scope_row *row, bool with_parts, int64_t *record_id);

/* Finds the scope of a server; RESULT_NOT_FOUND without one. scope_row_clear frees the strings of a found row. */
struct result scope_store_find(struct store *store, int64_t server_record_id, uint32_t subnet_id,
                               struct scope_row *row);
struct result scope_store_find_by_id(struct store *store, int64_t record_id, struct scope_row *row);
void scope_row_clear(struct scope_row *row);

/* Calls `each` for every scope of a server, ascending by subnet id, with its texts NULL; borrowed for the call. */
typedef struct result (*scope_visitor)(void *context, const struct scope_row *row);
struct result scope_store_each(struct store *store, int64_t server_record_id, scope_visitor each, void *context);

/* Update only the columns named; RESULT_NOT_FOUND if the row is gone. */
struct result scope_store_set_sync(struct store *store, int64_t record_id, const char *status, const char *reason);
struct result scope_store_set_delivery(struct store *store,
                                       const struct scope_row *row); /* the four file_*, configuration_* */

/* Removes the scope with all that hangs on it, its superscope if it was the last in it, its block if no other server
 * has the scope. Nothing to remove is no failure. */
struct result scope_store_remove(struct store *store, int64_t server_record_id, uint32_t subnet_id);

/* ---- Objects of any kind --------------------------------------------------------------------------------------------
 * A scope's row is that of ADM_DHCPScopesTable, any other's is in ReplicatedObjects. The functions are those of scopes;
 * `each` is called for scopes first. */
struct result object_store_put(struct store *store, const struct scope_row *row, bool with_parts, int64_t *record_id);
struct result object_store_find(struct store *store, int64_t server_record_id, object_id id, struct scope_row *row);
struct result object_store_each(struct store *store, int64_t server_record_id, scope_visitor each, void *context);
struct result object_store_set_sync(struct store *store, object_id id, int64_t record_id, const char *status,
                                    const char *reason);
struct result object_store_set_delivery(struct store *store, const struct scope_row *row);
struct result object_store_remove(struct store *store, int64_t server_record_id, object_id id);

/* ---- ADM_DhcpScopeFailoverTable ------------------------------------------------------------------------------------
 */

/* Makes the scope a member of exactly the mirrored relationships in `relations`; memberships in relationships of an
 * admin stay. Writes only differences. */
struct result membership_store_set(struct store *store, int64_t scope_record_id, const int64_t *relations,
                                   size_t count);

/* The relationships of a scope, ascending; the caller frees *relations (NULL when there are none). */
struct result membership_store_find(struct store *store, int64_t scope_record_id, int64_t **relations, size_t *count);

/* One scope in one relationship: whether it is a member, making it one, and that it is one no longer. */
struct result membership_store_has(struct store *store, int64_t scope_record_id, int64_t relation_record_id, bool *has);
struct result membership_store_add(struct store *store, int64_t scope_record_id, int64_t relation_record_id);
struct result membership_store_remove(struct store *store, int64_t scope_record_id, int64_t relation_record_id);

/* The subnet ids of a server's scopes in a relationship, ascending; the caller frees *subnet_ids (NULL when there are
 * none). */
struct result membership_store_scopes(struct store *store, int64_t relation_record_id, int64_t server_record_id,
                                      uint32_t **subnet_ids, size_t *count);

/* How many scopes of the local server are in a relationship. */
struct result membership_store_count(struct store *store, int64_t relation_record_id, int64_t *count);

/* ---- Tombstones: scopes removed at run time that the configuration file still has
 * ------------------------------------ */
/* What configurations last said of a scope that was removed since; the file's is empty if it has the scope no more. */
struct scope_buried {
    struct delivery file, configuration;
    enum scope_origin origin; /* who removed it */
};
struct tombstone_row {
    object_id id;
    const char *name;
    struct scope_buried buried;
};
struct result tombstone_store_put(struct store *store, const struct tombstone_row *row, int64_t removed_at_ms);
/* Notes what a configuration load, from the file or not, delivered of a scope that stays removed; nothing without a
 * tombstone. */
struct result tombstone_store_set_delivery(struct store *store, object_id id, bool from_file,
                                           const struct delivery *delivery);
/* Notes that the file has the scope no more. */
struct result tombstone_store_forget_file(struct store *store, object_id id);
struct result tombstone_store_remove(struct store *store, object_id id);

/* Finds the tombstone of a scope, without its prefix; RESULT_NOT_FOUND without one. */
struct result tombstone_store_find(struct store *store, object_id id, struct tombstone_row *row);
typedef struct result (*tombstone_visitor)(void *context, const struct tombstone_row *row);
struct result tombstone_store_each(struct store *store, tombstone_visitor each, void *context);

/* ---- History: versions that a conflict replaced ---------------------------------------------------------------------
 */
struct history_row {
    int64_t record_id; /* of one that is read */
    object_id id;
    const char *name;
    const char *definition; /* the version that lost; NULL if it was a removal */
    struct fingerprint fingerprint;
    const char *reason;
    int64_t replaced_at; /* milliseconds since 1970 */
};

/* Adds a version, and forgets what is too much: the 100 newest of a scope are kept, of all 20,000 and 64 MB of text. */
struct result history_store_add(struct store *store, const struct history_row *row);

struct history_filter {
    object_id id;  /* 0: of all scopes */
    int64_t below; /* only RecordIds below it; 0: from the newest on */
    int64_t limit;
};
typedef struct result (*history_visitor)(void *context, const struct history_row *row);

/* Calls `each` for the versions, the newest first; the row is borrowed for the call. */
struct result history_store_each(struct store *store, const struct history_filter *filter, history_visitor each,
                                 void *context);

#endif
