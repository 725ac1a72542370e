/* Servers and relationships into their ADM tables, and the states of both servers kept current. */
#include "failover_sync/relationship.h"

#include <stdlib.h>
#include <string.h>

/* This server may bear another name in each pairing of a hub; it is one server all the same. */
static struct result put_local_server(struct store *store, struct relationships *relationships, const char *kea_version)
{
    char *host =
        relationships->server_url == NULL ? strdup("localhost") : relationship_url_host(relationships->server_url);
    struct server_row row = {
        .server_name = host,
        .ha_name = relationships->server_name,
        .control_url = relationships->server_url,
        .server_version = kea_version,
        .is_local = true,
    };
    struct result result;

    if (host == NULL)
        return result_no_memory("the relationships");
    result = server_store_put(store, &row, &relationships->server_record_id);
    free(host);
    return result;
}

static struct result put_server(struct store *store, struct relationship_server *server,
                                const struct relationships *all)
{
    struct server_row row = {
        .server_name = server->host,
        .ha_name = server->name,
        .control_url = server->url,
    };

    if (server->is_local) {
        server->record_id = all->server_record_id;
        return result_ok();
    }
    return server_store_put(store, &row, &server->record_id);
}

static struct result put_relationship(struct store *store, struct relationship *relationship)
{
    struct relation_row row = {
        .relationship_name = relationship->name,
        .server1_record_id = relationship->server1.record_id,
        .server2_record_id = relationship->server2.record_id,
        .server1_name = relationship->server1.name,
        .server2_name = relationship->server2.name,
        .server1_ip = relationship->server1.host,
        .server2_ip = relationship->server2.host,
        .mode = relationship->mode,
        .kea_mode = relationship->kea_mode,
        .mclt = relationship->mclt,
        .auto_state_transition = relationship->auto_failover,
        .state_switch_interval = relationship->max_response_delay_ms / 1000,
        .server1_percentage = relationship->mode[0] == 'L' ? 50 : 100, /* LoadBalance */
        .shared_secret_enabled = relationship->secret,
    };

    return relation_store_put(store, &row, &relationship->record_id);
}

struct result relationships_mirror(struct relationships *relationships, struct store *store, const char *kea_version)
{
    int64_t keep[RELATIONSHIP_MAX];
    struct result result = put_local_server(store, relationships, kea_version);

    for (size_t i = 0; i < relationships->count && !result_failed(result); i++) {
        struct relationship *relationship = &relationships->list[i];

        result = put_server(store, &relationship->server1, relationships);
        if (!result_failed(result))
            result = put_server(store, &relationship->server2, relationships);
        if (!result_failed(result))
            result = put_relationship(store, relationship);
        keep[i] = relationship->record_id;
    }
    if (!result_failed(result))
        result = relation_store_keep_only(store, keep, relationships->count);
    return result;
}

static struct result recall_server(struct store *store, struct relationship_server *server)
{
    struct server_row row;
    struct result result = server_store_find(store, server->name, &server->record_id, &row);

    if (result_failed(result))
        return result;
    server_row_clear(&row);
    return server->record_id == 0 ? result_error(RESULT_NOT_FOUND, "the store has no server %.80s", server->name)
                                  : result;
}

struct result relationships_recall(struct relationships *relationships, struct store *store)
{
    struct relationship_server self = {.name = relationships->server_name};
    struct result result = recall_server(store, &self);

    relationships->server_record_id = self.record_id;
    for (size_t i = 0; i < relationships->count && !result_failed(result); i++) {
        struct relationship *relationship = &relationships->list[i];
        struct relationship_server *const servers[] = {&relationship->server1, &relationship->server2};

        for (size_t k = 0; k < 2 && !result_failed(result); k++) {
            if (servers[k]->is_local)
                servers[k]->record_id = relationships->server_record_id;
            else
                result = recall_server(store, servers[k]);
        }
        if (!result_failed(result))
            result = relation_store_recall(store, relationship->name, relationship->server1.record_id,
                                           relationship->server2.record_id, &relationship->record_id);
    }
    return result;
}
