/* From the partners' answers to the end of the operations that wait for them. */
#include "failover_sync/replication_watch.h"

#include "failover_sync/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum target_state { TARGET_QUEUED, TARGET_REPLICATED, TARGET_FAILED };

struct target {
    struct watch_target what;
    enum target_state state;
    char *text; /* why it failed */
};

struct watched_operation {
    struct watched_operation *next;
    char id[OPERATION_ID_SIZE];
    enum exception_id exception;
    struct target *targets; /* by subnet id, then relationship */
    size_t count, settled;
    uint32_t *skipped;
    size_t skipped_count;
    bool list;
    struct fault fault; /* of the first target that failed */
};

static void watched_free(struct watched_operation *watched)
{
    if (watched == NULL)
        return;
    for (size_t i = 0; i < watched->count; i++)
        free(watched->targets[i].text);
    free(watched->targets);
    free(watched->skipped);
    free(watched);
}

static int compare_targets(const void *a, const void *b)
{
    const struct watch_target *left = a, *right = b;

    if (left->id != right->id)
        return left->id < right->id ? -1 : 1;
    return left->relationship < right->relationship ? -1 : left->relationship > right->relationship;
}

static struct watched_operation *watched_new(const struct watch_order *order)
{
    struct watched_operation *watched = calloc(1, sizeof *watched);

    if (watched == NULL)
        return NULL;
    if (order->count > 0)
        qsort(order->targets, order->count, sizeof *order->targets, compare_targets);
    (void)snprintf(watched->id, sizeof watched->id, "%s", order->id);
    watched->exception = order->exception;
    watched->list = order->list;
    watched->targets = calloc(order->count + 1, sizeof *watched->targets);
    watched->skipped = calloc(order->skipped_count + 1, sizeof *watched->skipped);
    if (watched->targets == NULL || watched->skipped == NULL) {
        watched_free(watched);
        return NULL;
    }
    for (size_t i = 0; i < order->count; i++)
        watched->targets[watched->count++].what = order->targets[i];
    for (size_t i = 0; i < order->skipped_count; i++)
        watched->skipped[watched->skipped_count++] = order->skipped[i];
    return watched;
}

/* ---- the output ---- */

static json_t *scope_json(object_id id, const char *result, const char *text)
{
    json_t *scope = json_pack("{s:I,s:s}", "subnet-id", (json_int_t)id, "result", result);

    if (scope != NULL && text != NULL)
        (void)json_object_set_new(scope, "text", json_string(text));
    return scope;
}

/* A scope is in the worst of the states that it is in with its partners. */
static json_t *list_json(const struct watched_operation *watched)
{
    json_t *list = json_array();

    for (size_t i = 0; i < watched->count;) {
        const object_id id = watched->targets[i].what.id;
        const char *text = NULL;
        bool queued = false;

        for (; i < watched->count && watched->targets[i].what.id == id; i++) {
            queued = queued || watched->targets[i].state == TARGET_QUEUED;
            if (text == NULL && watched->targets[i].state == TARGET_FAILED)
                text = watched->targets[i].text == NULL ? "out of memory" : watched->targets[i].text;
        }
        if (json_array_append_new(list, scope_json(id,
                                                   text != NULL ? "failed"
                                                   : queued     ? "queued"
                                                                : "replicated",
                                                   text)) != 0)
            goto no_memory;
    }
    for (size_t i = 0; i < watched->skipped_count; i++)
        if (json_array_append_new(
                list, scope_json(watched->skipped[i], "skipped", "the scope belongs to no failover relationship")) != 0)
            goto no_memory;
    return list;

no_memory:
    json_decref(list);
    return NULL;
}

static json_t *output_json(const struct watched_operation *watched)
{
    json_int_t counts[3] = {0, 0, 0};
    json_t *output;

    for (size_t i = 0; i < watched->count; i++)
        counts[watched->targets[i].state]++;
    output = json_pack("{s:I,s:I,s:I,s:I}", "queued", counts[TARGET_QUEUED], "replicated", counts[TARGET_REPLICATED],
                       "failed", counts[TARGET_FAILED], "skipped", (json_int_t)watched->skipped_count);
    if (output != NULL && watched->list && json_object_set_new(output, "scopes", list_json(watched)) != 0) {
        json_decref(output);
        return NULL;
    }
    return output;
}

json_t *replication_watch_output(const struct watch_order *order)
{
    struct watched_operation *watched = watched_new(order);
    json_t *output = watched == NULL ? NULL : output_json(watched);

    watched_free(watched);
    return output;
}

/* ---- settling ---- */

struct result replication_watch_add(struct plugin *plugin, const struct watch_order *order)
{
    struct watched_operation *watched = watched_new(order);

    if (watched == NULL)
        return result_no_memory("an operation");
    watched->next = plugin->watch.first;
    plugin->watch.first = watched;
    return result_ok();
}

static void end(struct plugin *plugin, struct watched_operation *watched)
{
    size_t failed = 0;
    json_t *output;

    for (size_t i = 0; i < watched->count; i++)
        failed += watched->targets[i].state == TARGET_FAILED;
    if (failed > 1) {
        char first[sizeof watched->fault.message];

        memcpy(first, watched->fault.message, sizeof first);
        (void)snprintf(watched->fault.message, sizeof watched->fault.message,
                       "%zu of %zu scopes were not replicated, the first: %.380s", failed, watched->count, first);
    }
    output = output_json(watched);
    if (output != NULL && json_object_size(output) > 0 && watched->list) {
        char *text = json_dumps(output, JSON_COMPACT);

        /* The counts are worth more than nothing. */
        if (text != NULL && strlen(text) > OPERATION_OUTPUT_MAX)
            (void)json_object_del(output, "scopes");
        free(text);
    }
    operation_log_end(plugin->operations, watched->id, &watched->fault, output);
    json_decref(output);
}

static void settle_target(struct watched_operation *watched, struct target *target, enum exception_id exception,
                          const char *failure)
{
    if (target->state != TARGET_QUEUED)
        return;
    watched->settled++;
    target->state = failure == NULL ? TARGET_REPLICATED : TARGET_FAILED;
    if (failure == NULL)
        return;
    target->text = strdup(failure);
    if (!fault_raised(&watched->fault))
        watched->fault = fault_of_result(
            object_kind_of(target->what.id) == OBJECT_SCOPE
                ? result_error(RESULT_REFUSED, "subnet id %u: %s", object_subnet_id(target->what.id), failure)
                : result_error(RESULT_REFUSED, "%s: %s", object_kind_name(object_kind_of(target->what.id)), failure),
            exception != EXCEPTION_NONE && watched->list ? exception : watched->exception);
}

/* Ends what is complete, tells how far the others are. */
static void tell(struct plugin *plugin)
{
    struct watched_operation **link = &plugin->watch.first;

    while (*link != NULL) {
        struct watched_operation *watched = *link;

        if (watched->settled < watched->count) {
            operation_log_advance(plugin->operations, watched->id, (unsigned)(watched->settled * 100 / watched->count));
            link = &watched->next;
            continue;
        }
        *link = watched->next;
        end(plugin, watched);
        watched_free(watched);
    }
}

void replication_watch_settle(struct plugin *plugin, size_t relationship, object_id id, enum exception_id exception,
                              const char *failure)
{
    const struct watch_target what = {.id = id, .relationship = relationship};

    if (plugin->watch.first == NULL)
        return;
    for (struct watched_operation *watched = plugin->watch.first; watched != NULL; watched = watched->next) {
        struct target *target =
            bsearch(&what, watched->targets, watched->count, sizeof *watched->targets, compare_targets);

        if (target != NULL)
            settle_target(watched, target, exception, failure);
    }
    tell(plugin);
}

void replication_watch_unreachable(struct plugin *plugin, size_t relationship, const char *why)
{
    if (plugin->watch.first == NULL)
        return;
    for (struct watched_operation *watched = plugin->watch.first; watched != NULL; watched = watched->next)
        for (size_t i = 0; i < watched->count; i++)
            if (watched->targets[i].what.relationship == relationship)
                settle_target(watched, &watched->targets[i], EXCEPTION_NONE, why);
    tell(plugin);
}

void replication_watch_clear(struct replication_watch *watch)
{
    while (watch->first != NULL) {
        struct watched_operation *watched = watch->first;

        watch->first = watched->next;
        watched_free(watched);
    }
}
