/* The failover relationships of this server, read from the HA library's parameters (ADM, "From Kea to the relation").
 */
#ifndef FAILOVER_SYNC_RELATIONSHIP_H
#define FAILOVER_SYNC_RELATIONSHIP_H

#include "failover_sync/object.h"
#include "failover_sync/parameters.h"
#include "failover_sync/result.h"
#include "failover_sync/store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define RELATIONSHIP_MAX 64 /* relationships of one server; a hub with more is refused by name */

/* One peer of a relationship. */
struct relationship_server {
    char *name;
    char *url;
    char *host; /* host part of the URL */
    bool is_local;
    int64_t record_id;
};

/* While a worker runs, only it changes relationships, and only what is atomic here (and the record_id of one deleted,
 * which is the worker's alone); the rest of one is constant once `count` counts it. */
struct relationship {
    char *_Atomic name; /* as the row has it: an administrator may edit it; a former one lives as long as the list */
    char *kea_mode;     /* Kea's word; NULL for one of an administrator */
    const char *_Atomic mode; /* ADM's word, as the row has it; static */
    struct relationship_server server1, server2;
    bool auto_failover;
    int64_t max_response_delay_ms; /* milliseconds; negative if HA's parameters do not give it */
    int64_t mclt;                  /* seconds; negative for null */
    bool secret;                   /* a shared secret, basic authentication or client certificates are configured */
    bool admin;                    /* of an administrator: HA knows nothing of it */
    size_t pairing;        /* else which entry of HA's list it comes from; a backup's relationship shares its pairing */
    bool backup;           /* server2 is a backup peer */
    atomic_bool local;     /* this server is one of the two, and the relationship has not been deleted */
    bool local_is_server1; /* then: which; server1 is the primary */
    struct partner_access access; /* how the other one is reached, `partners` laid over HA's */
    int64_t record_id;
};

struct relationships {
    char *server_name; /* this server's name; "localhost" without HA */
    bool named;        /* HA says so */
    char *server_url;  /* its own control URL; NULL without HA */
    int64_t server_record_id;
    struct relationship *list; /* room for RELATIONSHIP_MAX; one keeps its place until the next configuration */
    atomic_size_t count;
    char **former_names; /* of relationships that were renamed */
    size_t former_count;
};

/* Reads the JSON text of HA's "high-availability" list; NULL gives no relationship. RESULT_INVALID says what in the
 * parameters is not understood. */
struct result relationships_parse(const char *high_availability, const struct parameters *parameters,
                                  struct relationships *relationships);
void relationships_clear(struct relationships *relationships);

/* Frees what one holds and makes it empty. */
void relationship_clear(struct relationship *relationship);

/* Lays what `partners` says of `name` over how it is reached. */
struct result relationship_overlay_access(const struct parameters *parameters, const char *name,
                                          struct partner_access *access);

/* Whether the two servers know each other by something secret (ADM: SharedSecretEnabled). */
bool relationship_access_is_secret(const struct partner_access *access);

/* Whether a password or a certificate of ours is shown to the partner. */
bool relationship_access_has_credentials(const struct partner_access *access);

/* The host part of an URL, without the brackets of an IPv6 address; the caller frees it. NULL for want of memory. */
char *relationship_url_host(const char *url);

/* The other server of a relationship that this server is in. */
const struct relationship_server *relationship_partner(const struct relationship *relationship);

/* This server in it. */
const struct relationship_server *relationship_self(const struct relationship *relationship);

/* Whether this server's version wins a conflict: it is the primary. */
bool relationship_is_primary(const struct relationship *relationship);

/* The relationship in which `partner` is the other server; NULL without one. */
struct relationship *relationships_find_partner(const struct relationships *relationships, const char *partner);

/* The mirrored relationships a scope belongs to (ADM, "Membership"), as a bit per index of `list`: with one pairing
 * every scope belongs to it and to the backups' relationships; with several, to the one whose peer `ha-server-name`
 * names in the user context of the scope, else of its shared network. `definition` is the scope's JSON text. */
struct result relationships_of_scope(const struct relationships *relationships, const char *definition,
                                     uint64_t *members);

/* The same of an object of any kind: what is no scope belongs to all of them. */
struct result relationships_of_object(const struct relationships *relationships, object_id id, const char *definition,
                                      uint64_t *members);

/* The relationships of administrators, a bit each. */
uint64_t relationships_of_admins(const struct relationships *relationships);

/* The place of the relationship with that row; -1 without one that is in use. */
int relationships_find_row(const struct relationships *relationships, int64_t record_id);

/* Whether HA pairs this server once (backups aside), so that membership does not depend on a scope's words. */
bool relationships_one_pairing(const struct relationships *relationships);

/* ADM's word for a state of Kea's HA state machine; "Unknown" for an unknown or NULL one. */
const char *relationship_state(const char *kea_state);

/* Writes servers and relationships to the store in the open transaction and notes their record ids. */
struct result relationships_mirror(struct relationships *relationships, struct store *store, const char *kea_version);

/* The record ids of servers and relationships from their rows, which need not say the same of them; RESULT_NOT_FOUND if
 * one has none. */
struct result relationships_recall(struct relationships *relationships, struct store *store);

/* Brings the list up to date with the rows: names and modes that an administrator edited, relationships that one added
 * (those with a partner whom another relationship has are left out) and deleted. `parameters` say how a new partner is
 * reached. *new_count is what `count` is to become: the caller sets it once everything else has room for them. */
struct result relationships_follow(struct relationships *relationships, struct store *store,
                                   const struct parameters *parameters, size_t *new_count);

#endif
