/* A store with subnets, pools and reservations to try operations on the store with.
 *
 * Address space 1 has the subnets 10.0.0.0/24 (the pool 10.0.0.100-10.0.0.150, the reservations .101 and .200),
 * 10.0.1.0/24, 10.0.0.0/16 and 2001:db8::/64 (the pool ::100-::1ff), all of server1. Address space 2, "customer", has
 * 10.0.0.0/24 and 2001:db8::/64. */
#ifndef RANGE_FIXTURE_H
#define RANGE_FIXTURE_H

#include "failover_sync/failover_operation.h"
#include "failover_sync/range.h"
#include "failover_sync/range_operation.h"
#include "failover_sync/store.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1700000000)

/* The two custom field values that every range and address has. */
#define MANAGED(by, entity)                                                                                            \
    "\"custom-field-values\":[{\"custom-field\":\"Managed by\",\"value\":\"" by                                        \
    "\"},{\"custom-field\":\"Managed by entity\",\"value\":\"" entity "\"}]"
#define BY_IPAM MANAGED("IPAM", "Localhost")
#define BY_DHCP MANAGED("DHCP", "server1")
#define BY_VM   MANAGED("VM manager", "Localhost")

/* A range of 10.0.0.0/24, and one of 2001:db8::/64, without what comes last. */
#define RANGE4(start, end)                                                                                             \
    "\"address-family\":\"InterNetwork\",\"subnet-id\":\"10.0.0.0\",\"prefix-length\":24,\"start-ip-address\":"        \
    "\"" start "\",\"end-ip-address\":\"" end "\",\"address-assignment\":\"Static\",\"address-category\":\"Private\""
#define RANGE6(start, end)                                                                                             \
    "\"address-family\":\"InterNetworkV6\",\"subnet-id\":\"2001:db8::\",\"prefix-length\":64,\"start-ip-address\":"    \
    "\"" start "\",\"end-ip-address\":\"" end                                                                          \
    "\",\"address-assignment\":\"Static\",\"address-category\":\"GlobalIPv6Unicast\""

struct fixture {
    char folder[64];
    char path[128];
    struct store *store;
    struct model *model;
    sqlite3 *other; /* the test's own look at the file */
    int64_t server, scope, other_scope, scope6;
    int64_t pool, pool6;       /* RecordIds of the two pools' ranges */
    struct pool_change change; /* what the last operation handed over */
    struct parameters parameters;
    struct failover_context context;
    struct failover_change failover; /* what the last operation on a relationship handed over */
};

int set_up(void **state);
int tear_down(void **state); /* with PRAGMA integrity_check and foreign_key_check */

void assert_ok(struct result result);

/* The first row's columns, joined by "|"; further rows follow after ";". */
void assert_answer(struct fixture *fixture, const char *sql, const char *expected);
int64_t ask_integer(struct fixture *fixture, const char *sql);
void execute(struct fixture *fixture, const char *sql);

/* Runs a command with arguments in printf's manner; what it answers is valid by the model. The caller frees it. */
json_t *run_ok(struct fixture *fixture, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a command that adds or updates: the record-id it answered. */
int64_t run_id(struct fixture *fixture, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Runs a command that must fault with this exception, at this node below the rpc (NULL: no path), and leave every table
 * and the file's data version as they were. */
void refuse(struct fixture *fixture, const char *command, const char *exception, const char *node, const char *format,
            ...) __attribute__((format(printf, 5, 6)));

/* The same for a store that refuses to be written: the receiver's fault, with no path. */
void refuse_by_store(struct fixture *fixture, const char *command, const char *exception, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Runs a command as it comes; the caller frees *output. */
struct fault run_text(struct fixture *fixture, const char *command, const char *arguments, json_t **output);
struct fault run_input(struct fixture *fixture, const char *command, const struct model_node *input, json_t **output);

/* Arguments that the schema itself refuses, and what that becomes as a fault. */
void refuse_input(struct fixture *fixture, const char *command, const char *exception, const char *node,
                  const char *arguments);

/* The text of every table, for comparing; the caller frees it. */
char *dump(struct fixture *fixture);

#endif
