/* ReplicateScope, ReplicateRelation and ReplicateServer as commands (MS-IPAMM2 3.19.4.4.1.29 to .31): which scopes they
 * are about, and their wishes queued. Step 3 of ReplicateScope for one scope, on its way to the partner, is in
 * replicate_scope.c; what the partners say ends the operation. */
#include "engine_operation.h"

#include "failover_sync/mirror.h"
#include "failover_sync/replication_watch.h"
#include "failover_sync/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Scopes on their way into the queue. */
struct replication {
    struct operation_context *context;
    struct mirror_writer writer;
    int only;          /* the place of the one relationship that is meant; -1: all of a scope's */
    bool force;        /* an administrator decides conflicts that wait for him */
    bool force_others; /* of what is no scope, and cannot be named alone */
    int64_t released;  /* whose removals that were held here are released; 0: nobody's */
    struct watch_target *targets;
    size_t count, capacity;
    uint32_t *skipped;
    size_t skipped_count, skipped_capacity;
};

static void replication_clear(struct replication *replication)
{
    free(replication->targets);
    free(replication->skipped);
}

static bool is_stored(struct store *store, int64_t relation_record_id)
{
    struct relation_row row;
    const struct result result = relation_store_find(store, relation_record_id, &row);

    if (!result_failed(result))
        relation_row_clear(&row);
    return !result_failed(result);
}

/* What is no scope is in all relationships of HA, without rows. */
static void find_index_members(const struct replication *replication, const struct scope_row *row, uint64_t *places)
{
    struct plugin *plugin = replication->context->plugin;
    struct scope_entry entry;

    *places = 0;
    if (!scope_index_get(plugin->index, row->id, &entry))
        return;
    for (size_t i = 0; i < plugin->relationships.count; i++)
        if ((entry.members >> i & 1) != 0 && (replication->only < 0 || replication->only == (int)i) &&
            is_stored(plugin->store, plugin->relationships.list[i].record_id))
            *places |= UINT64_C(1) << i;
    scope_entry_clear(&entry);
}

/* 3.1: the relationships in which the tables say that the scope is, and that this server can replicate in. */
static struct result find_relationships(struct replication *replication, const struct scope_row *scope,
                                        uint64_t *places)
{
    struct plugin *plugin = replication->context->plugin;
    int64_t *relations = NULL;
    size_t count = 0;
    struct result result;

    if (object_kind_of(scope->id) != OBJECT_SCOPE) {
        find_index_members(replication, scope, places);
        return result_ok();
    }
    result = membership_store_find(plugin->store, scope->record_id, &relations, &count);
    *places = 0;
    for (size_t i = 0; i < count; i++) {
        int place = relationships_find_row(&plugin->relationships, relations[i]);

        if (place >= 0 && (replication->only < 0 || replication->only == place))
            *places |= UINT64_C(1) << place;
    }
    free(relations);
    return result;
}

static struct result skip_scope(struct replication *replication, uint32_t subnet_id)
{
    if (!engine_grow((void **)&replication->skipped, replication->skipped_count, &replication->skipped_capacity,
                     sizeof *replication->skipped))
        return result_no_memory("scopes to replicate");
    replication->skipped[replication->skipped_count++] = subnet_id;
    return result_ok();
}

static struct result queue_for(struct replication *replication, const struct scope_row *scope, size_t place)
{
    struct plugin *plugin = replication->context->plugin;
    const int64_t partner = relationship_partner(&plugin->relationships.list[place])->record_id;
    struct queue_item wish = mirror_wish(&plugin->relationships.list[place], scope->id, scope->name, false);

    /* What a relationship's scopes need goes along; the operation is about the scopes. */
    if (object_kind_of(scope->id) != OBJECT_SCOPE)
        return queue_put(plugin->store, &wish, replication->writer.now);
    /* The partner has removed it, and that is held here or on its way: what the partner had is of no use to it. */
    if (removal_guard_find(plugin->guard, partner, scope->id) != REMOVAL_UNKNOWN && !replication->force)
        return result_ok();
    if (!engine_grow((void **)&replication->targets, replication->count, &replication->capacity,
                     sizeof *replication->targets))
        return result_no_memory("scopes to replicate");
    replication->targets[replication->count++] = (struct watch_target){.id = scope->id, .relationship = place};
    return queue_put(plugin->store, &wish, replication->writer.now);
}

/* The versions of both servers are kept, and this one is to count: from now on it builds on the partner's. */
static struct result win_conflict(struct replication *replication, object_id id, size_t place)
{
    struct scope_entry entry;
    struct result result = result_ok();

    if (!scope_index_get(replication->context->plugin->index, id, &entry))
        return result;
    if (entry.agreement[place].met && version_compare(&entry.version, &entry.agreement[place].known) == VERSION_APART) {
        entry.version = version_merge(&entry.version, &entry.agreement[place].known);
        mirror_edit(&replication->writer, &entry.version);
        entry.reset = false;
        result = mirror_set_sync(&replication->writer, &entry, NULL);
    }
    scope_entry_clear(&entry);
    return result;
}

static struct result replicate_row(void *context, const struct scope_row *scope)
{
    struct replication *replication = context;
    uint64_t places = 0;
    struct result result = find_relationships(replication, scope, &places);

    if (!result_failed(result) && places == 0)
        return object_kind_of(scope->id) == OBJECT_SCOPE ? skip_scope(replication, object_subnet_id(scope->id))
                                                         : result;
    for (size_t place = 0; place < RELATIONSHIP_MAX && !result_failed(result); place++)
        if ((places >> place & 1) != 0) {
            if (replication->force || (replication->force_others && object_kind_of(scope->id) != OBJECT_SCOPE))
                result = win_conflict(replication, scope->id, place);
            if (!result_failed(result))
                result = queue_for(replication, scope, place);
        }
    return result;
}

/* ---- what the three have in common: one transaction, the watch, the output ---- */

static struct fault finish(struct replication *replication, enum exception_id exception, bool list)
{
    struct operation_context *context = replication->context;
    const struct watch_order order = {
        .id = context->id,
        .exception = exception,
        .targets = replication->targets,
        .count = replication->count,
        .skipped = replication->skipped,
        .skipped_count = replication->skipped_count,
        .list = list,
    };

    context->output = replication_watch_output(&order);
    if (context->output == NULL)
        return fault_of_result(result_no_memory("an answer"), exception);
    (void)snprintf(context->text, sizeof context->text, "%zu scope(s) queued, %zu skipped", replication->count,
                   replication->skipped_count);
    /* SetOverallStatus: now if there is nothing to wait for. */
    context->continues = replication->count > 0 && !result_failed(replication_watch_add(context->plugin, &order));
    return fault_none();
}

typedef struct fault (*choose_scopes)(struct replication *replication);

static struct fault replicate(struct operation_context *context, choose_scopes choose, enum exception_id exception,
                              bool list)
{
    struct plugin *plugin = context->plugin;
    struct replication replication = {.context = context, .only = -1};
    struct fault fault = fault_of_result(mirror_begin(plugin, &replication.writer), exception);
    size_t released = 0;

    if (fault_raised(&fault))
        return fault;
    fault = choose(&replication);
    if (fault_raised(&fault))
        mirror_abandon(&replication.writer);
    else
        fault = fault_of_result(mirror_commit(&replication.writer), exception);
    if (!fault_raised(&fault) && replication.released != 0)
        released = removal_guard_follow_release(plugin->guard, replication.released);
    if (!fault_raised(&fault))
        fault = finish(&replication, exception, list);
    if (!fault_raised(&fault) && released > 0)
        worker_reconcile(plugin, (size_t)replication.only);
    if (!fault_raised(&fault))
        worker_all_heard(plugin);
    replication_clear(&replication);
    return fault;
}

/* ---- scope-replicate ---- */

static int compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static struct fault choose_named(struct replication *replication)
{
    struct operation_context *context = replication->context;
    struct store *store = context->plugin->store;
    uint32_t *ids = NULL;
    size_t count = 0;
    struct fault fault;

    replication->force = model_boolean(context->input, "force", false);
    fault = fault_of_result(subnet_ids_input(context->input, &ids, &count), EXCEPTION_SCOPES_NOT_REPLICATED);

    for (size_t i = 0; i < count && !fault_raised(&fault); i++) {
        struct scope_row scope = {.record_id = 0};
        struct result result = scope_store_find(store, context->plugin->relationships.server_record_id, ids[i], &scope);

        if (result.code == RESULT_NOT_FOUND)
            fault = fault_of_sender(EXCEPTION_SCOPE_NOT_FOUND, "subnet-ids",
                                    "there is no scope with subnet id %u; nothing was replicated", ids[i]);
        else if (!result_failed(result))
            fault = fault_of_result(replicate_row(replication, &scope), EXCEPTION_SCOPES_NOT_REPLICATED);
        else
            fault = fault_of_result(result, EXCEPTION_SCOPES_NOT_REPLICATED);
        scope_row_clear(&scope);
    }
    free(ids);
    return fault;
}

struct result subnet_ids_input(const struct model_node *input, uint32_t **ids, size_t *count)
{
    size_t given = 0, unique = 0;

    *count = 0;
    for (const struct model_node *id = model_first(input, "subnet-ids"); id != NULL; id = model_next(id))
        given++;
    *ids = calloc(given + 1, sizeof **ids);
    if (*ids == NULL)
        return result_no_memory("a list of scopes");
    for (const struct model_node *id = model_first(input, "subnet-ids"); id != NULL; id = model_next(id))
        (*ids)[(*count)++] = (uint32_t)strtoul(model_value(id), NULL, 10);
    qsort(*ids, *count, sizeof **ids, compare_ids);
    for (size_t i = 0; i < *count; i++)
        if (i == 0 || (*ids)[i] != (*ids)[i - 1])
            (*ids)[unique++] = (*ids)[i];
    *count = unique;
    return result_ok();
}

struct fault scope_replicate_run(struct operation_context *context)
{
    return replicate(context, choose_named, EXCEPTION_SCOPES_NOT_REPLICATED, true);
}

/* ---- failover-replicate ---- */

/* Visiting while the queue is written would change what is being read: the rows are few words each. */
struct collection {
    struct scope_row *rows;
    size_t count, capacity;
};

static struct result collect_row(void *context, const struct scope_row *row)
{
    struct collection *collection = context;
    struct scope_row *kept;

    if (!engine_grow((void **)&collection->rows, collection->count, &collection->capacity, sizeof *collection->rows))
        return result_no_memory("scopes to replicate");
    kept = &collection->rows[collection->count];
    *kept = (struct scope_row){.record_id = row->record_id, .id = row->id, .name = strdup(row->name)};
    if (kept->name == NULL)
        return result_no_memory("scopes to replicate");
    collection->count++;
    return result_ok();
}

/* All objects of this server; those that are not meant are left out, or skipped. */
static struct result replicate_all(struct replication *replication, bool skip)
{
    struct plugin *plugin = replication->context->plugin;
    struct collection collection = {.count = 0};
    struct result result =
        object_store_each(plugin->store, plugin->relationships.server_record_id, collect_row, &collection);

    for (size_t i = 0; i < collection.count; i++) {
        if (!result_failed(result))
            result = replicate_row(replication, &collection.rows[i]);
        free((char *)collection.rows[i].name);
    }
    free(collection.rows);
    if (!skip)
        replication->skipped_count = 0;
    return result;
}

struct held_removals {
    struct replication *replication;
    size_t place;
    struct scope_removed *list;
    size_t count, capacity;
    struct result result;
};

static void collect_removed(void *context, const struct scope_removed *removed)
{
    struct held_removals *held = context;

    if (!engine_grow((void **)&held->list, held->count, &held->capacity, sizeof *held->list))
        held->result = result_no_memory("removals to send");
    else
        held->list[held->count++] = *removed;
}

/* A removal in conflict with the partner's change of the scope builds on that from now on. */
static struct result win_removal(const struct held_removals *held, const struct scope_removed *removed)
{
    struct mirror_writer *writer = &held->replication->writer;
    const struct relationship *relationship = &writer->plugin->relationships.list[held->place];
    struct version_vector version;
    struct version_row there;
    const struct mirror_removal removal = {
        .id = removed->id, .name = removed->name, .is = &version, .edit = true, .agreed_with = -1};
    struct result result =
        version_store_find(writer->plugin->store, relationship_partner(relationship)->record_id, removed->id, &there);

    if (result.code == RESULT_NOT_FOUND ||
        (!result_failed(result) && version_compare(&removed->version, &there.version) != VERSION_APART))
        return result_ok();
    version = version_merge(&removed->version, &there.version);
    return result_failed(result) ? result : mirror_remove_scope(writer, &removal);
}

static struct result release_removals(struct replication *replication, size_t place)
{
    struct plugin *plugin = replication->context->plugin;
    struct held_removals held = {.replication = replication, .place = place, .result = result_ok()};
    struct result result;

    scope_index_each_removed(plugin->index, collect_removed, &held);
    result = held.result;
    for (size_t i = 0; i < held.count && !result_failed(result); i++)
        result = win_removal(&held, &held.list[i]);
    free(held.list);
    return result_failed(result)
               ? result
               : queue_release_removals(plugin->store,
                                        relationship_partner(&plugin->relationships.list[place])->record_id,
                                        replication->context->now_ms);
}

/* What the partner sent and is held here: it is asked for again, and taken then. */
static struct result release_received(struct replication *replication)
{
    struct plugin *plugin = replication->context->plugin;

    replication->released = relationship_partner(&plugin->relationships.list[replication->only])->record_id;
    return removal_guard_release(plugin->store, replication->released);
}

static struct fault find_by_number(struct replication *replication, int64_t record_id)
{
    struct operation_context *context = replication->context;
    struct relation_row row;
    struct result result = relation_store_find(context->plugin->store, record_id, &row);

    if (!result_failed(result))
        relation_row_clear(&row);
    if (result.code == RESULT_NOT_FOUND)
        return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, "record-id",
                               "there is no relationship with record id %lld; failover-get-all shows those there are",
                               (long long)record_id);
    replication->only = relationships_find_row(&context->plugin->relationships, record_id);
    if (!result_failed(result) && replication->only < 0)
        return fault_of_sender(EXCEPTION_REPLICATION_NOT_APPLICABLE, "record-id",
                               "this server does not replicate in the relationship %lld: it is none of its servers, or "
                               "the partner has no URL; give the command to one of them",
                               (long long)record_id);
    return fault_of_result(result, EXCEPTION_RELATION_NOT_REPLICATED);
}

static struct fault find_by_name(struct replication *replication, const char *name)
{
    const struct relationships *relationships = &replication->context->plugin->relationships;
    char there[300] = "";
    size_t used = 0;

    for (size_t i = 0; i < relationships->count; i++) {
        const struct relationship *one = &relationships->list[i];

        if (!one->local)
            continue;
        if (strcmp(one->name, name) == 0) {
            replication->only = (int)i;
            return fault_none();
        }
        if (used < sizeof there)
            used += (size_t)snprintf(there + used, sizeof there - used, "%s%.80s", used == 0 ? "" : ", ", one->name);
    }
    return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, "relationship-name",
                           "there is no relationship %.80s in which this server replicates; there are: %s", name,
                           used == 0 ? "none" : there);
}

static struct fault choose_relationship(struct replication *replication)
{
    struct operation_context *context = replication->context;
    const char *name = model_text(context->input, "relationship-name");
    struct fault fault = name != NULL ? find_by_name(replication, name)
                                      : find_by_number(replication, model_integer(context->input, "record-id", 0));
    struct result result = result_ok();

    if (fault_raised(&fault))
        return fault;
    if (model_boolean(context->input, "force", false)) {
        replication->force_others = true;
        result = release_removals(replication, (size_t)replication->only);
        if (!result_failed(result))
            result = release_received(replication);
    }
    if (!result_failed(result))
        result = replicate_all(replication, false);
    return fault_of_result(result, EXCEPTION_RELATION_NOT_REPLICATED);
}

struct fault failover_replicate_run(struct operation_context *context)
{
    return replicate(context, choose_relationship, EXCEPTION_RELATION_NOT_REPLICATED, false);
}

/* ---- server-replicate ---- */

static struct fault choose_server(struct replication *replication)
{
    struct operation_context *context = replication->context;
    const char *name = model_text(context->input, "server-name");

    if (name != NULL && strcmp(name, context->plugin->relationships.server_name) != 0)
        return fault_of_sender(EXCEPTION_REPLICATION_NOT_APPLICABLE, "server-name",
                               "this server is %.200s and sends its own scopes only; give the command to %.200s itself",
                               context->plugin->relationships.server_name, name);
    return fault_of_result(replicate_all(replication, true), EXCEPTION_SERVER_NOT_REPLICATED);
}

struct fault server_replicate_run(struct operation_context *context)
{
    return replicate(context, choose_server, EXCEPTION_SERVER_NOT_REPLICATED, false);
}
