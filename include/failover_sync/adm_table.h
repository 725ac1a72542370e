/* The tables of the abstract data model (MS-IPAMM2 3.1.1.1) as the lists of the YANG container "adm": how each is read,
 * a page of rows at a time. */
#ifndef FAILOVER_SYNC_ADM_TABLE_H
#define FAILOVER_SYNC_ADM_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define ADM_TABLES 16

struct adm_table {
    const char *list;  /* its name in the module */
    const char *table; /* its name in the store */
    int64_t before;    /* below every id that a row can have */
    /* For statement_get: the rows with an id above ?1, ascending, at most ?2. The id is the first column, and the
     * columns are the nodes of the list's entries, in the module's order and words. What is a leaf-list is text of a
     * JSON list: of texts, or of maps with "start" and "end". */
    const char *sql;
};

/* In the module's order. */
extern const struct adm_table adm_tables[ADM_TABLES];

#endif
