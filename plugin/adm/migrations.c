/* The list of migrations, which bring a store of an earlier schema version to that of schema.sql, step by step. How
 * they are run is store.c's, how one is made README.md's. */
#include "store_private.h"

const struct migration store_migrations[] = {
    {0, NULL}, /* version 1 is the first */
};
