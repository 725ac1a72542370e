/* The relationships in memory following their rows: what administrators added, edited and deleted. Those that HA's
 * parameters give are read in relationship.c. */
#include "failover_sync/relationship.h"

#include "failover_sync/statement.h"

#include <stdlib.h>
#include <string.h>

/* A row, borrowed from the statement that reads it. */
struct followed_row {
    int64_t record_id;
    const char *name, *mode;
    bool admin;
    struct {
        int64_t record_id;
        const char *name, *url;
    } server[2];
};

struct following {
    struct relationships *relationships;
    const struct parameters *parameters;
    size_t count; /* with the new ones */
    bool seen[RELATIONSHIP_MAX];
};

static const char *static_mode(const char *mode)
{
    static const char *const modes[] = {"None", "LoadBalance", "HotStandby"};

    for (size_t i = 1; i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(modes[i], mode) == 0)
            return modes[i];
    return modes[0];
}

/* Another thread may be reading the former name: it is kept until the list goes. */
static struct result rename_relationship(struct relationships *relationships, struct relationship *relationship,
                                         const char *name)
{
    char **longer;
    char *copy;

    if (strcmp(relationship->name, name) == 0)
        return result_ok();
    longer = reallocarray(relationships->former_names, relationships->former_count + 1, sizeof *longer);
    if (longer == NULL)
        return result_no_memory("a relationship");
    relationships->former_names = longer;
    copy = strdup(name);
    if (copy == NULL)
        return result_no_memory("a relationship");
    longer[relationships->former_count++] = relationship->name;
    relationship->name = copy;
    return result_ok();
}

/* A relationship with the same partner has the queue and the agreements already: HA has paired the two since. */
static bool partner_is_taken(const struct following *following, int64_t partner)
{
    for (size_t i = 0; i < following->count; i++) {
        const struct relationship *other = &following->relationships->list[i];

        if (other->local && relationship_partner(other)->record_id == partner)
            return true;
    }
    return false;
}

static struct result take_server(struct relationship_server *server, int64_t record_id, const char *name,
                                 const char *url, bool is_local)
{
    server->record_id = record_id;
    server->is_local = is_local;
    server->name = strdup(name == NULL ? "" : name);
    server->url = url == NULL ? NULL : strdup(url);
    server->host = relationship_url_host(url);
    return server->name == NULL || server->host == NULL || (url != NULL && server->url == NULL)
               ? result_no_memory("a relationship")
               : result_ok();
}

static bool gives_url(const struct parameters *parameters, const char *name)
{
    for (size_t i = 0; i < parameters->partner_count; i++)
        if (strcmp(parameters->partners[i].name, name) == 0 && parameters->partners[i].url != NULL)
            return true;
    return false;
}

static struct result take_partner(const struct following *following, struct relationship *relationship)
{
    const struct relationship_server *partner = relationship_partner(relationship);
    struct partner_access *access = &relationship->access;
    struct result result;

    access->name = strdup(partner->name);
    access->url = partner->url == NULL ? NULL : strdup(partner->url);
    if (access->name == NULL || (partner->url != NULL && access->url == NULL))
        return result_no_memory("a relationship");
    result = relationship_overlay_access(following->parameters, partner->name, access);
    relationship->secret = relationship_access_is_secret(access);
    /* The row's url is whoever's who may give commands; 'partners' is the administrator's. */
    access->misdirected =
        relationship_access_has_credentials(access) && !gives_url(following->parameters, partner->name);
    /* Without an address there is nobody to replicate to. */
    relationship->local = access->url != NULL;
    return result;
}

static struct result add_row(struct following *following, const struct followed_row *row)
{
    struct relationships *relationships = following->relationships;
    bool first = row->server[0].record_id == relationships->server_record_id;
    struct relationship *relationship;
    struct result result = result_ok();

    if (!first && row->server[1].record_id != relationships->server_record_id)
        return result;
    if (following->count == RELATIONSHIP_MAX || partner_is_taken(following, row->server[first ? 1 : 0].record_id))
        return result;
    relationship = &relationships->list[following->count];
    relationship->admin = true;
    relationship->record_id = row->record_id;
    relationship->local_is_server1 = first;
    relationship->mclt = relationship->max_response_delay_ms = -1;
    relationship->mode = static_mode(row->mode);
    relationship->name = strdup(row->name);
    if (relationship->name == NULL)
        return result_no_memory("a relationship");
    result =
        take_server(&relationship->server1, row->server[0].record_id, row->server[0].name, row->server[0].url, first);
    if (!result_failed(result))
        result = take_server(&relationship->server2, row->server[1].record_id, row->server[1].name, row->server[1].url,
                             !first);
    if (!result_failed(result))
        result = take_partner(following, relationship);
    if (result_failed(result))
        relationship_clear(relationship);
    else
        following->seen[following->count++] = true;
    return result;
}

static struct result follow_row(struct following *following, const struct followed_row *row)
{
    struct relationships *relationships = following->relationships;

    for (size_t i = 0; i < relationships->count; i++) {
        struct relationship *relationship = &relationships->list[i];

        if (relationship->record_id != row->record_id)
            continue;
        following->seen[i] = true;
        relationship->mode = static_mode(row->mode);
        return rename_relationship(relationships, relationship, row->name);
    }
    return row->admin ? add_row(following, row) : result_ok();
}

struct result relationships_follow(struct relationships *relationships, struct store *store,
                                   const struct parameters *parameters, size_t *new_count)
{
    struct following following = {
        .relationships = relationships, .parameters = parameters, .count = relationships->count};
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(
        store,
        "SELECT r.RecordId, r.RelationshipName, r.Mode, r.Origin = 'Admin', r.Server1RecordId, r.Server1Name, "
        "s1.ControlUrl, r.Server2RecordId, r.Server2Name, s2.ControlUrl FROM ADM_DhcpFailoverRelationTable AS r "
        "LEFT JOIN ADM_DHCPServersTable AS s1 ON s1.RecordId = r.Server1RecordId "
        "LEFT JOIN ADM_DHCPServersTable AS s2 ON s2.RecordId = r.Server2RecordId ORDER BY r.RecordId",
        &statement);

    *new_count = relationships->count;
    if (result_failed(result))
        return result;
    while (!result_failed(result = statement_step(statement, &found)) && found) {
        const struct followed_row row = {
            .record_id = statement_integer(statement, 0),
            .name = statement_needed_text(statement, 1),
            .mode = statement_needed_text(statement, 2),
            .admin = statement_integer(statement, 3) != 0,
            .server =
                {
                    {statement_integer(statement, 4), statement_text(statement, 5), statement_text(statement, 6)},
                    {statement_integer(statement, 7), statement_text(statement, 8), statement_text(statement, 9)},
                },
        };

        result =
            row.name == NULL || row.mode == NULL ? result_no_memory("a relationship") : follow_row(&following, &row);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    if (result_failed(result)) {
        for (size_t i = relationships->count; i < following.count; i++)
            relationship_clear(&relationships->list[i]);
        return result;
    }
    for (size_t i = 0; i < relationships->count; i++)
        if (relationships->list[i].admin && !following.seen[i]) {
            relationships->list[i].local = false;
            relationships->list[i].record_id = 0; /* which the store may give to another */
        }
    *new_count = following.count;
    return result;
}
