/* Whose a store is: the server that it was made for. Another server's is left alone, since its rows, its identity and
 * what it knows of the configuration file are of no use here, and would be gone there. */
#include "store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct owner {
    char server[260], service[32];
    bool found;
};

static struct result read_owner(struct store *store, struct owner *owner)
{
    struct statement *statement;
    struct result result = statement_get(store, "SELECT Server, Service FROM StoreIdentity WHERE Id = 1", &statement);

    *owner = (struct owner){.found = false};
    if (result_failed(result))
        return result;
    result = statement_step(statement, &owner->found);
    if (owner->found) {
        const char *server = statement_text(statement, 0), *service = statement_text(statement, 1);

        (void)snprintf(owner->server, sizeof owner->server, "%s", server == NULL ? "" : server);
        (void)snprintf(owner->service, sizeof owner->service, "%s", service == NULL ? "" : service);
    } else if (!result_failed(result)) {
        result = store_no_identity(store);
    }
    statement_done(statement);
    return result;
}

static struct result put_owner(struct store *store, const char *server, const char *service)
{
    struct statement *statement;
    struct result result =
        statement_get(store, "UPDATE StoreIdentity SET Server = ?1, Service = ?2 WHERE Id = 1", &statement);

    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, server);
    statement_bind_text(statement, 2, service);
    return statement_run(statement);
}

struct result store_no_identity(const struct store *store)
{
    return result_error(RESULT_STORE,
                        "the store %.200s has no identity; move it away: a new one is filled from the server's "
                        "configuration",
                        store->path);
}

struct result store_claim(struct store *store, const char *server, const char *service)
{
    struct owner owner;
    struct result result = read_owner(store, &owner);

    if (result_failed(result))
        return result;
    if (store->lock != NULL)
        store_lock_name(store->lock, server);
    if (owner.server[0] == '\0')
        return put_owner(store, server, service);
    if (strncmp(owner.server, server, sizeof owner.server - 1) == 0 && strcmp(owner.service, service) == 0)
        return result;
    return result_error(RESULT_STORE,
                        "the store %.100s is that of %.60s (%.10s), and this server is %.60s (%.10s): give it a store "
                        "of its own; if it was renamed: sqlite3 %.100s \"UPDATE StoreIdentity SET Server = ''\"",
                        store->path, owner.server, owner.service, server, service, store->path);
}
