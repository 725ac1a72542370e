/* The store of range_fixture.h with rows in every table that adm-get shows. */
#ifndef ADM_FIXTURE_H
#define ADM_FIXTURE_H

#include "range_fixture.h"

#include "failover_sync/adm_table.h"

#include <jansson.h>
#include <stdbool.h>

/* The scope that has everything: in a shared network, with options, gaps between its pools and reservations. */
#define FULL_SUBNET_ID 9
#define FULL_SCOPE     "(SELECT RecordId FROM ADM_DHCPScopesTable WHERE SubnetId = 9)"

int set_up_adm(void **state);

/* The list of the answer's data, borrowed; NULL if it shows none. */
const json_t *list_of(const json_t *output, const char *list);

/* How many rows the container of the answer shows. */
size_t count_rows(const json_t *output);

/* Calls adm-get until there is no next page, with the arguments given, without from, and the braces. All that the pages
 * show in one map by list, the caller's; fails if a row is shown twice or a page has not as many rows as it counts. */
json_t *get_all_pages(struct fixture *fixture, const char *arguments, size_t *pages);

#endif
