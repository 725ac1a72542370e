/* A store with relationships to try the operations on them with.
 *
 * This server is server1, at 192.0.2.1, with the scopes 1 to 4 of range_fixture.h. High Availability pairs it with
 * server2; all its scopes are in that relationship, "server1-server2". Our parameters know server3, with a client
 * certificate, and server4, with nothing but its URL. */
#ifndef FAILOVER_FIXTURE_H
#define FAILOVER_FIXTURE_H

#include "range_fixture.h"

#define MIRRORED "\"record-id\":1" /* the mirrored relationship */

/* Arguments of failover-add of a relationship "branch" with server3, without what comes last. */
#define BRANCH                                                                                                         \
    "\"relationship-name\":\"branch\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\",\"server2-name\":"          \
    "\"server3\""

int set_up_failover(void **state);
int tear_down_failover(void **state);

/* The mirrored relationship as the configuration gives it; the caller may change it and mirror it again. */
struct relation_row mirrored_relation(struct fixture *fixture);
int64_t mirror(struct fixture *fixture, const struct relation_row *row);

/* Adds "branch" with server3 and these scopes, "1,2"; its record id. */
int64_t add_branch(struct fixture *fixture, const char *subnet_ids);

/* The row of a server. */
int64_t server_id(struct fixture *fixture, const char *ha_name);

/* What a partner is known to have: a row of its own for a scope of this server. */
void put_partner_scope(struct fixture *fixture, int64_t server_record_id, uint32_t subnet_id);

/* What the last operation handed over: the kind, and the scopes joined by ",". */
void assert_change(struct fixture *fixture, int kind, int64_t relation, const char *partner, const char *subnet_ids);

/* A name of so many characters, each of them `character`; the caller frees it. */
char *long_name(const char *character, int count);

#endif
