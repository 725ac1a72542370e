/* What adm-get is asked for: the path to what is shown, and where its page begins. */
#ifndef OPERATION_ADM_PATH_H
#define OPERATION_ADM_PATH_H

#include "failover_sync/fault.h"
#include "failover_sync/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADM_CONTAINER "adm"

/* How deep a node is, RFC 8040 section 4.8.2 counting from the container. */
enum adm_level { ADM_LEVEL_CONTAINER = 1, ADM_LEVEL_ENTRY, ADM_LEVEL_LEAF };

struct adm_path {
    const char *text; /* as it was given; borrowed */
    enum adm_level level;
    size_t first, last; /* the tables it leads to, of adm_tables */
    bool is_entry;      /* to one row of a table, or a leaf in it */
    int64_t record_id;  /* that row */
    size_t leaf;        /* at ADM_LEVEL_LEAF, the position of the leaf */
};

/* A row; what comes after it in the order of tables and ids is the next page. */
struct adm_row {
    size_t table;
    int64_t record_id;
};

#define ADM_TOKEN_SIZE 80

/* Reads a path such as /kea-failover-sync:adm/dhcp-scopes[record-id='5']/scope-name. The faults name the node "path".
 */
struct fault adm_path_parse(const struct model *model, const char *text, struct adm_path *path);

/* Reads where a page begins: "start", or what adm_token_print made of a row in one of the path's tables. Whether that
 * row is still there does not matter. The faults name the node "from". */
struct fault adm_token_parse(const char *text, const struct adm_path *path, struct adm_row *row);
void adm_token_print(const struct adm_row *row, char text[ADM_TOKEN_SIZE]);

#endif
