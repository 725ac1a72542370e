/* The last operations, in memory: a ring in the order of their calls. Keeping them in the store is in
 * operation_log_store.c. */
#include "operation_log_private.h"

#include "failover_sync/answer.h"
#include "failover_sync/engine.h"
#include "failover_sync/json_load.h"
#include "failover_sync/waiting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_WAIT_MS 200 /* a command holds the main thread no longer */

const char *operation_state_word(enum operation_state state)
{
    static const char *const words[] = {"NotStarted", "InProgress", "CompletedWithSuccess", "CompletedWithFailure"};

    return words[state];
}

struct result operation_log_new(struct operation_log **log)
{
    struct operation_log *new = calloc(1, sizeof *new);

    *log = NULL;
    if (new == NULL)
        return result_no_memory("the operations");
    if (!waiting_init(&new->lock, &new->ended)) {
        free(new);
        return result_no_memory("the operations");
    }
    *log = new;
    return result_ok();
}

void operation_log_free(struct operation_log *log)
{
    if (log == NULL)
        return;
    for (size_t i = 0; i < log->used; i++)
        free(log->kept[i].output);
    free(log->kept);
    waiting_destroy(&log->lock, &log->ended);
    free(log);
}

struct logged_operation *operation_log_find(struct operation_log *log, const char *id)
{
    for (size_t i = 0; i < log->used; i++)
        if (log->kept[i].sequence != 0 && strcmp(log->kept[i].id, id) == 0)
            return &log->kept[i];
    return NULL;
}

struct logged_operation *operation_log_place(struct operation_log *log, int64_t sequence)
{
    struct logged_operation *oldest = NULL;

    for (size_t i = 0; i < log->used; i++)
        if (oldest == NULL || log->kept[i].sequence < oldest->sequence)
            oldest = &log->kept[i];
    if (oldest != NULL && oldest->sequence == 0)
        return oldest;
    if (log->used < OPERATIONS_KEPT && engine_grow((void **)&log->kept, log->used, &log->capacity, sizeof *log->kept)) {
        log->kept[log->used] = (struct logged_operation){.sequence = 0};
        return &log->kept[log->used++];
    }
    return oldest != NULL && oldest->sequence < sequence ? oldest : NULL;
}

void operation_log_begin(struct operation_log *log, const char *command, const char *instance,
                         char id[OPERATION_ID_SIZE])
{
    struct logged_operation *operation;
    int64_t now = engine_now();

    (void)pthread_mutex_lock(&log->lock);
    log->begun++;
    (void)snprintf(id, OPERATION_ID_SIZE, "%s-%llu", instance, (unsigned long long)log->begun);
    /* In the order of the calls also across restarts, and if the clock is set back. */
    log->last_sequence = log->last_sequence >= now * 1000 ? log->last_sequence + 1 : now * 1000;
    operation = operation_log_place(log, log->last_sequence);
    if (operation != NULL) {
        free(operation->output);
        *operation = (struct logged_operation){.sequence = log->last_sequence, .started_at = now, .changed = true};
        (void)snprintf(operation->id, sizeof operation->id, "%s", id);
        (void)snprintf(operation->command, sizeof operation->command, "%s", command);
    }
    (void)pthread_mutex_unlock(&log->lock);
}

void operation_log_advance(struct operation_log *log, const char *id, unsigned percent)
{
    struct logged_operation *operation;

    (void)pthread_mutex_lock(&log->lock);
    operation = operation_log_find(log, id);
    if (operation != NULL && operation->state <= OPERATION_IN_PROGRESS) {
        operation->state = OPERATION_IN_PROGRESS;
        operation->percent = percent > 99 ? 99 : percent;
        operation->changed = true;
    }
    (void)pthread_mutex_unlock(&log->lock);
}

/* SetOverallStatus. */
static void end(struct logged_operation *operation, const struct fault *fault, char *output)
{
    operation->ended_at = engine_now();
    operation->changed = true;
    if (fault_raised(fault)) {
        operation->state = OPERATION_FAILED;
        operation->fault = *fault;
        free(output);
        return;
    }
    operation->state = OPERATION_SUCCEEDED;
    operation->percent = 100;
    operation->output = output;
}

void operation_log_end(struct operation_log *log, const char *id, const struct fault *fault, const json_t *output)
{
    struct logged_operation *operation;
    char *text = output == NULL ? NULL : json_dumps(output, JSON_COMPACT);

    if (text != NULL && strlen(text) > OPERATION_OUTPUT_MAX) {
        free(text);
        text = NULL;
    }
    (void)pthread_mutex_lock(&log->lock);
    operation = operation_log_find(log, id);
    if (operation != NULL && operation->state <= OPERATION_IN_PROGRESS) {
        end(operation, fault, text);
        text = NULL;
    }
    (void)pthread_cond_broadcast(&log->ended);
    (void)pthread_mutex_unlock(&log->lock);
    free(text);
}

void operation_log_end_all(struct operation_log *log, const struct fault *fault)
{
    (void)pthread_mutex_lock(&log->lock);
    for (size_t i = 0; i < log->used; i++)
        if (log->kept[i].sequence != 0 && log->kept[i].state <= OPERATION_IN_PROGRESS)
            end(&log->kept[i], fault, NULL);
    (void)pthread_cond_broadcast(&log->ended);
    (void)pthread_mutex_unlock(&log->lock);
}

/* An operation that is forgotten counts as ended. */
static bool has_ended(struct operation_log *log, const char *id)
{
    const struct logged_operation *operation = operation_log_find(log, id);

    return operation == NULL || operation->state > OPERATION_IN_PROGRESS;
}

bool operation_log_wait(struct operation_log *log, const char *id, const struct timespec *until)
{
    bool ended;

    (void)pthread_mutex_lock(&log->lock);
    while (!(ended = has_ended(log, id)))
        if (pthread_cond_timedwait(&log->ended, &log->lock, until) != 0)
            break;
    (void)pthread_mutex_unlock(&log->lock);
    return ended;
}

/* After a configuration load the worker first of all reads what was kept: an unknown operation may be among that. */
static const struct logged_operation *find_kept(struct operation_log *log, const char *id)
{
    const struct timespec until = waiting_until(LOAD_WAIT_MS);
    const struct logged_operation *operation;

    while ((operation = operation_log_find(log, id)) == NULL && !log->loaded)
        if (pthread_cond_timedwait(&log->ended, &log->lock, &until) != 0)
            break;
    return operation;
}

struct fault operation_log_fault(struct operation_log *log, const char *id)
{
    struct fault fault = fault_none();
    const struct logged_operation *operation;

    (void)pthread_mutex_lock(&log->lock);
    operation = operation_log_find(log, id);
    if (operation != NULL && operation->state == OPERATION_FAILED)
        fault = operation->fault;
    (void)pthread_mutex_unlock(&log->lock);
    return fault;
}

static bool put(json_t *map, const char *name, json_t *value)
{
    return value != NULL && json_object_set_new(map, name, value) == 0;
}

static bool put_progress(const struct logged_operation *operation, json_t *output)
{
    return put(output, "operation-id", json_string(operation->id)) &&
           put(output, "state", json_string(operation_state_word(operation->state))) &&
           put(output, "percent", json_integer((json_int_t)operation->percent));
}

static json_t *describe(const struct logged_operation *operation)
{
    char when[ENGINE_TIMESTAMP_SIZE];
    json_t *map = json_object();
    bool made = map != NULL && put_progress(operation, map) && put(map, "command", json_string(operation->command));

    engine_timestamp(operation->started_at, when);
    made = made && put(map, "started-at", json_string(when));
    if (operation->ended_at != 0) {
        engine_timestamp(operation->ended_at, when);
        made = made && put(map, "ended-at", json_string(when));
    }
    if (operation->state == OPERATION_FAILED)
        made = made && put(map, "fault", fault_json(&operation->fault));
    if (operation->output != NULL)
        made = made && put(map, "output", json_load(operation->output, JSON_ALLOW_NUL, &json_kea_bounds, NULL));
    if (!made) {
        json_decref(map);
        return NULL;
    }
    return map;
}

json_t *operation_log_describe(struct operation_log *log, const char *id)
{
    const struct logged_operation *operation;
    json_t *map = NULL;

    (void)pthread_mutex_lock(&log->lock);
    operation = find_kept(log, id);
    if (operation != NULL)
        map = describe(operation);
    (void)pthread_mutex_unlock(&log->lock);
    return map;
}

bool operation_log_put_progress(struct operation_log *log, const char *id, json_t *output)
{
    const struct logged_operation *operation;
    bool made = true;

    (void)pthread_mutex_lock(&log->lock);
    operation = operation_log_find(log, id);
    if (operation != NULL)
        made = put_progress(operation, output);
    (void)pthread_mutex_unlock(&log->lock);
    return made;
}
