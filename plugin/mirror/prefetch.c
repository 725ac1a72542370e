/* The index from the store. Reading ten thousand rows takes as long as a twentieth of the configuration load that waits
 * for them, so it begins on a thread of its own when the library is loaded. */
#include "failover_sync/mirror.h"

#include "failover_sync/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A scope's row of whichever server; `agreement` is used for a partner's. */
struct summary {
    int64_t server_record_id;
    struct scope_entry entry;
    struct scope_agreement agreement;
};

struct membership {
    object_id id;
    int64_t relation_record_id;
};

struct prefetch {
    struct store *store;
    struct operation_log *operations;
    pthread_t thread;
    bool running;
    struct result result;
    int64_t server; /* whose rows are being read */
    struct summary *scopes;
    size_t scope_count, scope_capacity;
    struct membership *members; /* of all servers' scopes; the subnet id tells enough */
    size_t member_count, member_capacity;
    struct version_row *versions;
    size_t version_count, version_capacity;
    struct store_identity identity;
};

static struct result keep_scope(void *context, const struct scope_row *row)
{
    struct prefetch *prefetch = context;
    struct summary *summary;

    if (!engine_grow((void **)&prefetch->scopes, prefetch->scope_count, &prefetch->scope_capacity,
                     sizeof *prefetch->scopes))
        return result_no_memory("the scope index");
    summary = &prefetch->scopes[prefetch->scope_count++];
    *summary = (struct summary){
        .server_record_id = prefetch->server,
        .entry =
            {
                .id = row->id,
                .record_id = row->record_id,
                .fingerprint = row->fingerprint,
                .file = row->file,
                .configuration = row->configuration,
                .origin = row->origin,
                .modified_at = row->modified_at,
                .printed = row->printed,
                .reset = strcmp(row->sync_status, "InSync") == 0,
            },
        .agreement = {.ours = row->fingerprint, .theirs = row->partner_fingerprint},
    };
    (void)snprintf(summary->entry.name, sizeof summary->entry.name, "%s", row->name);
    (void)snprintf(summary->entry.reason, sizeof summary->entry.reason, "%s",
                   row->sync_reason == NULL ? "" : row->sync_reason);
    /* Its text says so, too, and that is what counts when it is to be sent; it is not read here. */
    summary->entry.unprinted = strncmp(summary->entry.reason, KEA_UNPRINTED, sizeof KEA_UNPRINTED - 1) == 0;
    return result_ok();
}

static struct result read_servers(struct prefetch *prefetch, int64_t servers[RELATIONSHIP_MAX * 2], size_t *count)
{
    struct statement *statement;
    bool row = false;
    struct result result =
        statement_get(prefetch->store, "SELECT RecordId FROM ADM_DHCPServersTable ORDER BY RecordId", &statement);

    *count = 0;
    if (result_failed(result))
        return result;
    while (*count < (size_t)RELATIONSHIP_MAX * 2 && !result_failed(result = statement_step(statement, &row)) && row)
        servers[(*count)++] = statement_integer(statement, 0);
    statement_done(statement);
    return result;
}

/* All memberships in one query: one per scope would cost more than all the rest. */
static struct result read_members(struct prefetch *prefetch)
{
    struct statement *statement;
    bool row = false;
    struct result result =
        statement_get(prefetch->store,
                      "SELECT scope.SubnetId, member.FailoverRelationId FROM ADM_DhcpScopeFailoverTable AS member "
                      "JOIN ADM_DHCPScopesTable AS scope ON scope.RecordId = member.ScopeId",
                      &statement);

    if (result_failed(result))
        return result;
    while (!result_failed(result = statement_step(statement, &row)) && row) {
        if (!engine_grow((void **)&prefetch->members, prefetch->member_count, &prefetch->member_capacity,
                         sizeof *prefetch->members)) {
            result = result_no_memory("the scope index");
            break;
        }
        prefetch->members[prefetch->member_count++] = (struct membership){
            .id = statement_object(statement, 0), .relation_record_id = statement_integer(statement, 1)};
    }
    statement_done(statement);
    return result;
}

static struct result keep_version(void *context, const struct version_row *row)
{
    struct prefetch *prefetch = context;

    if (!engine_grow((void **)&prefetch->versions, prefetch->version_count, &prefetch->version_capacity,
                     sizeof *prefetch->versions))
        return result_no_memory("the scope index");
    prefetch->versions[prefetch->version_count++] = *row;
    return result_ok();
}

static void *read_all(void *argument)
{
    struct prefetch *prefetch = argument;
    int64_t servers[RELATIONSHIP_MAX * 2];
    size_t count = 0;

    prefetch->result = read_servers(prefetch, servers, &count);
    for (size_t i = 0; i < count && !result_failed(prefetch->result); i++) {
        prefetch->server = servers[i];
        prefetch->result = object_store_each(prefetch->store, servers[i], keep_scope, prefetch);
    }
    if (!result_failed(prefetch->result))
        prefetch->result = read_members(prefetch);
    if (!result_failed(prefetch->result))
        prefetch->result = version_store_each(prefetch->store, keep_version, prefetch);
    if (!result_failed(prefetch->result))
        prefetch->result = store_identity_read(prefetch->store, &prefetch->identity);
    /* Nothing but operation-get depends on it. */
    (void)operation_log_load(prefetch->operations, prefetch->store);
    return NULL;
}

struct result prefetch_start(struct store *store, struct operation_log *operations, struct prefetch **prefetch)
{
    *prefetch = calloc(1, sizeof **prefetch);
    if (*prefetch == NULL)
        return result_no_memory("the scope index");
    (*prefetch)->store = store;
    (*prefetch)->operations = operations;
    (*prefetch)->result = result_ok();
    (*prefetch)->running = engine_start_thread(&(*prefetch)->thread, read_all, *prefetch);
    if (!(*prefetch)->running)
        (void)read_all(*prefetch); /* no thread to be had: it only takes longer */
    return result_ok();
}

void prefetch_wait(struct prefetch *prefetch)
{
    if (prefetch != NULL && prefetch->running) {
        (void)pthread_join(prefetch->thread, NULL);
        prefetch->running = false;
    }
}

void prefetch_free(struct prefetch *prefetch)
{
    if (prefetch == NULL)
        return;
    prefetch_wait(prefetch);
    free(prefetch->scopes);
    free(prefetch->members);
    free(prefetch->versions);
    free(prefetch);
}

/* The index of the relationship whose partner a server is; -1 if it is none of ours. */
static int partner_number(const struct relationships *relationships, int64_t server_record_id)
{
    for (size_t i = 0; i < relationships->count; i++)
        if (relationships->list[i].local &&
            relationship_partner(&relationships->list[i])->record_id == server_record_id)
            return (int)i;
    return -1;
}

static struct result fill_version(struct plugin *plugin, const struct version_row *row)
{
    const int number = partner_number(&plugin->relationships, row->server_record_id);

    if (row->server_record_id == plugin->relationships.server_record_id) {
        if (row->removed) {
            struct scope_removed removed = {.id = row->id, .version = row->version};

            memcpy(removed.name, row->name, sizeof removed.name);
            return scope_index_set_removed(plugin->index, &removed);
        }
        scope_index_set_version(plugin->index, row->id, &row->version);
    } else if (number >= 0) {
        scope_index_set_known(plugin->index, row->id, (size_t)number, &row->version);
    }
    return result_ok();
}

/* What a partner has, or had, of a scope that is removed here. */
static struct result fill_removal_of(struct plugin *plugin, const struct version_row *row)
{
    const int number = partner_number(&plugin->relationships, row->server_record_id);
    struct scope_removed removed;

    if (number < 0 || !scope_index_get_removed(plugin->index, row->id, &removed))
        return result_ok();
    scope_removed_note_partner(&removed, (size_t)number, &row->version);
    return scope_index_set_removed(plugin->index, &removed);
}

/* The server's name is part of who edits: a store that is copied to the partner does not make the two one. */
static void take_identity(struct plugin *plugin, const struct store_identity *identity)
{
    char text[sizeof identity->writer + 300];
    plugin->identity = *identity;
    (void)snprintf(text, sizeof text, "%s/%.256s", identity->writer, plugin->relationships.server_name);
    plugin->writer = version_writer(fingerprint_number(fingerprint_of(text, strlen(text))));
    plugin->filled = identity->filled;
}

/* One of this server's. What is no scope has no rows of memberships. */
static struct result fill_entry(struct plugin *plugin, struct scope_entry *entry)
{
    struct result result = result_ok();

    if (object_kind_of(entry->id) != OBJECT_SCOPE)
        result = relationships_of_object(&plugin->relationships, entry->id, NULL, &entry->members);
    return result_failed(result) ? result : scope_index_put(plugin->index, entry);
}

struct result prefetch_fill(struct prefetch *prefetch, struct plugin *plugin)
{
    const struct relationships *relationships = &plugin->relationships;
    struct result result;

    prefetch_wait(prefetch);
    result = prefetch->result;
    for (size_t i = 0; i < prefetch->scope_count && !result_failed(result); i++)
        if (prefetch->scopes[i].server_record_id == relationships->server_record_id)
            result = fill_entry(plugin, &prefetch->scopes[i].entry);
    for (size_t i = 0; i < prefetch->scope_count && !result_failed(result); i++) {
        const struct summary *summary = &prefetch->scopes[i];
        int number = partner_number(relationships, summary->server_record_id);

        if (number >= 0)
            scope_index_set_agreement(plugin->index, summary->entry.id, (size_t)number, &summary->agreement);
    }
    for (size_t i = 0; i < prefetch->member_count && !result_failed(result); i++) {
        int number = relationships_find_row(relationships, prefetch->members[i].relation_record_id);

        if (number >= 0)
            scope_index_add_member(plugin->index, prefetch->members[i].id, (size_t)number);
    }
    for (size_t i = 0; i < prefetch->version_count && !result_failed(result); i++)
        result = fill_version(plugin, &prefetch->versions[i]);
    for (size_t i = 0; i < prefetch->version_count && !result_failed(result); i++)
        result = fill_removal_of(plugin, &prefetch->versions[i]);
    if (!result_failed(result))
        take_identity(plugin, &prefetch->identity);
    scope_index_settle_resets(plugin->index);
    return result;
}

struct result mirror_load_index(struct plugin *plugin)
{
    struct prefetch *prefetch = plugin->prefetch;
    struct result result = result_ok();

    plugin->prefetch = NULL;
    if (prefetch == NULL)
        result = prefetch_start(plugin->store, plugin->operations, &prefetch);
    if (!result_failed(result))
        result = prefetch_fill(prefetch, plugin);
    prefetch_free(prefetch);
    return result;
}
