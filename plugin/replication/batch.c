/* Making a batch: what is due for a partner, prepared, and the request that carries it. */
#include "failover_sync/batch.h"

#include "failover_sync/json_load.h"
#include "failover_sync/mirror.h"
#include "failover_sync/object_json.h"
#include "failover_sync/operation.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void item_clear(struct batch_item *item)
{
    free(item->definition);
    free(item->effective);
    free(item->before);
    free(item->there);
}

void batch_clear(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        item_clear(&batch->items[i]);
    free(batch->items);
    *batch = (struct batch){.items = NULL};
}

void batch_drop_unanswered(struct batch *batch)
{
    size_t kept = 0;

    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].outcome != BATCH_UNANSWERED)
            batch->items[kept++] = batch->items[i];
        else
            item_clear(&batch->items[i]);
    batch->count = kept;
}

/* A wish whose scope or membership is gone is no wish any more. */
static struct result drop_wish(struct plugin *plugin, const struct queue_item *wish)
{
    return queue_remove(plugin->store, wish->server_record_id, wish->id);
}

/* Why no request can carry a definition. */
static bool is_beyond(const struct json_bounds *found, char *reason, size_t size)
{
    if (found->bytes > (size_t)BATCH_SCOPE_BYTES)
        (void)snprintf(reason, size, "its definition has %zu bytes, %d can be sent: split the subnet's reservations",
                       found->bytes, BATCH_SCOPE_BYTES);
    else if (found->depth > json_batch_bounds.depth)
        (void)snprintf(reason, size,
                       "its definition is nested deeper than the %zu levels that can be sent: flatten its user-context",
                       json_batch_bounds.depth);
    else if (found->values > json_batch_bounds.values)
        (void)snprintf(reason, size,
                       "its definition has more than the %zu values that can be sent: split the subnet's reservations",
                       json_batch_bounds.values);
    else
        return false;
    return true;
}

/* A scope that no request can carry, or of which the text is not all, waits until that has changed, and says so. */
static struct result hold_unsendable(struct plugin *plugin, size_t number, const struct batch_item *item,
                                     const char *reason)
{
    struct mirror_writer writer;
    struct scope_entry entry;
    char partner[] = "any partner";
    struct result result = mirror_begin(plugin, &writer);

    if (result_failed(result))
        return result;
    kea_log(plugin->server, FAILOVER_SYNC_SCOPE_OUT_OF_SYNC, OBJECT_SAID(item->wish.id, item->wish.name), partner,
            reason);
    result = queue_hold(plugin->store, item->wish.record_id, reason);
    if (!result_failed(result) && scope_index_get(plugin->index, item->wish.id, &entry)) {
        entry.reset = false;
        result = mirror_set_sync(&writer, &entry, reason);
        scope_entry_clear(&entry);
    }
    if (result_failed(result)) {
        mirror_abandon(&writer);
        return result;
    }
    result = mirror_commit(&writer);
    if (!result_failed(result))
        replication_watch_settle(plugin, number, item->wish.id, EXCEPTION_NONE, reason);
    return result;
}

static struct result prepare(struct plugin *plugin, size_t number, struct batch_item *item, struct json_bounds *size,
                             bool *skip)
{
    struct result result = replicate_scope_prepare(plugin, number, item);
    char reason[160];

    *size = (struct json_bounds){.bytes = 0};
    *skip = result.code == RESULT_NOT_FOUND;
    if (*skip) {
        replication_watch_settle(plugin, number, item->wish.id, EXCEPTION_REPLICATION_NOT_APPLICABLE,
                                 "the scope, or its membership in the relationship, was removed meanwhile");
        return drop_wish(plugin, &item->wish);
    }
    if (result_failed(result) || item->definition == NULL)
        return result;
    (void)json_measure(item->definition, strlen(item->definition), &json_batch_bounds, size);
    *skip = kea_object_unprinted(item->definition, reason) || is_beyond(size, reason, sizeof reason);
    return *skip ? hold_unsendable(plugin, number, item, reason) : result;
}

/* What this server knows of the shared network that an item's scope is in: once for all of them, which come together.
 * No other way than scope-receive, which takes some scopes at a time, has a use for it. */
static struct result look_at_network(struct plugin *plugin, const struct batch *batch, struct batch_item *item)
{
    const struct batch_item *last = batch->count == 0 ? NULL : &batch->items[batch->count - 1];
    object_id *ids = NULL;
    size_t count = 0;
    struct result result;

    if (item->wish.network == 0 || item->definition == NULL)
        return result_ok();
    if (last != NULL && last->wish.network == item->wish.network) {
        item->network = last->network;
        return result_ok();
    }
    result = mirror_network_members(plugin, item->wish.id, &ids, &count);
    if (!result_failed(result)) {
        const struct version_vector others = scope_index_merge(plugin->index, ids, count);

        item->network = version_merge(&others, &item->version);
    }
    free(ids);
    return result;
}

struct result batch_take(struct plugin *plugin, size_t number, int64_t now, size_t limit, struct batch *batch)
{
    const size_t most = limit == BATCH_ALL ? BATCH_ALL_BYTES : BATCH_BYTES;
    const struct relationship_server *partner = relationship_partner(&plugin->relationships.list[number]);
    struct queue_item *due = NULL;
    size_t due_count = 0, total = 0, values = 0;
    struct result result;

    *batch = (struct batch){.items = NULL};
    result = queue_take_due(plugin->store, partner->record_id, plugin->relationships.server_record_id, now,
                            limit == BATCH_ALL ? QUEUE_TAKE_ALL : limit, &due, &due_count);
    if (result_failed(result) || due_count == 0)
        return result;
    batch->items = calloc(due_count, sizeof *batch->items);
    if (batch->items == NULL) {
        free(due);
        return result_no_memory("a batch of scopes");
    }
    for (size_t i = 0; i < due_count && !result_failed(result); i++) {
        struct batch_item *item = &batch->items[batch->count];
        struct json_bounds size;
        bool skip = false;

        *item = (struct batch_item){.wish = due[i]};
        result = prepare(plugin, number, item, &size, &skip);
        if (!result_failed(result) && !skip && limit != BATCH_ALL)
            result = look_at_network(plugin, batch, item);
        if (result_failed(result) || skip ||
            (batch->count > 0 &&
             (total + size.bytes > most || (limit != BATCH_ALL && values + size.values > json_batch_bounds.values)))) {
            item_clear(item);
            *item = (struct batch_item){.definition = NULL};
            if (!skip)
                break; /* it comes with the next batch */
        } else {
            batch->count++;
            total += size.bytes;
            values += size.values;
        }
    }
    free(due);
    if (result_failed(result) || batch->count == 0)
        batch_clear(batch);
    return result;
}

static void strip(json_t *map, char *const *names)
{
    for (; map != NULL && *names != NULL; names++)
        (void)json_object_del(map, *names);
}

static bool mentions(const char *definition, char *const *names)
{
    for (; *names != NULL; names++) {
        const char *found = strstr(definition, *names);

        for (; found != NULL; found = strstr(found + 1, *names))
            if (found > definition && found[-1] == '"' && found[strlen(*names)] == '"')
                return true;
    }
    return false;
}

char *batch_travelling(const struct plugin *plugin, const char *definition)
{
    json_t *root;
    char *text;

    if (!mentions(definition, plugin->parameters.local_parameters))
        return strdup(definition);
    root = json_load(definition, JSON_ALLOW_NUL, &json_kea_bounds, NULL);
    if (root == NULL)
        return NULL;
    strip(json_object_get(root, "subnet4"), plugin->parameters.local_parameters);
    strip(json_object_get(root, "shared-network"), plugin->parameters.local_parameters);
    /* Kea's own escapes, byte for byte. */
    text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    json_decref(root);
    return text;
}

static json_t *scope_json(const struct plugin *plugin, const struct batch_item *item)
{
    char version[VERSION_TEXT_SIZE];
    json_t *scope;
    char *definition;

    version_print(&item->version, version);
    scope = object_json(item->wish.id, item->wish.name);
    if (scope != NULL && (json_object_set_new(scope, "base", json_string(item->agreed ? item->base.hex : "")) != 0 ||
                          json_object_set_new(scope, "fingerprint", json_string(item->pushed.hex)) != 0 ||
                          json_object_set_new(scope, "version", json_string(version)) != 0)) {
        json_decref(scope);
        return NULL;
    }
    if (scope != NULL && item->wish.removal && item->wish.forced)
        (void)json_object_set_new(scope, "force", json_true());
    if (scope == NULL || item->definition == NULL)
        return scope;
    version_print(&item->network, version);
    definition = batch_travelling(plugin, item->definition);
    if (definition == NULL || json_object_set_new(scope, "definition", json_string(definition)) != 0 ||
        (version[0] != '\0' && json_object_set_new(scope, "network-version", json_string(version)) != 0)) {
        json_decref(scope);
        scope = NULL;
    }
    free(definition);
    return scope;
}

/* The command around its arguments, whose reference is taken. */
static struct result command_text(const struct plugin *plugin, size_t number, json_t *arguments, char **text)
{
    const struct relationship *relationship = &plugin->relationships.list[number];
    json_t *command;

    *text = NULL;
    if (arguments == NULL)
        return result_no_memory("a request");
    if (json_object_set_new(arguments, "sender", json_string(relationship_self(relationship)->name)) != 0 ||
        json_object_set_new(arguments, "receiver", json_string(relationship_partner(relationship)->name)) != 0 ||
        json_object_set_new(arguments, "clock", json_integer(engine_now_seconds())) != 0) {
        json_decref(arguments);
        return result_no_memory("a request");
    }
    command = json_pack("{s:s,s:[s],s:o}", "command", "scope-receive", "service", plugin->server->service, "arguments",
                        arguments);
    if (command != NULL)
        *text = json_dumps(command, JSON_COMPACT);
    json_decref(command);
    return *text == NULL ? result_no_memory("a request") : result_ok();
}

struct result batch_request(const struct plugin *plugin, size_t number, const struct batch *batch, char **text)
{
    json_t *arguments = json_object();

    *text = NULL;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_item *item = &batch->items[i];

        if (!object_json_append(arguments, &object_lists_all, item->wish.id, scope_json(plugin, item))) {
            json_decref(arguments);
            return result_no_memory("a request");
        }
    }
    return command_text(plugin, number, arguments, text);
}

struct result batch_question(const struct plugin *plugin, size_t number, const char *ticket, char **text)
{
    return command_text(plugin, number, json_pack("{s:s}", "ticket", ticket), text);
}
