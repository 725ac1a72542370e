/* The operation log across restarts: the table OperationLog. */
#include "operation_log_private.h"

#include "failover_sync/statement.h"
#include "failover_sync/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEQUENCE_LAST (INT64_MAX / 2) /* no clock gets there, and there is room behind it */

static enum operation_state state_of(const char *word)
{
    enum operation_state state = OPERATION_NOT_STARTED;

    while (state < OPERATION_FAILED &&
           (word == NULL || strcmp(word, operation_state_word((enum operation_state)state)) != 0))
        state++;
    return state;
}

static void copy_text(char *target, size_t size, const char *text)
{
    (void)snprintf(target, size, "%s", text == NULL ? "" : text);
}

static void read_operation(struct statement *statement, struct logged_operation *operation)
{
    const char *code = statement_text(statement, 7), *output = statement_text(statement, 11);

    *operation = (struct logged_operation){
        .sequence = statement_integer(statement, 1),
        .state = state_of(statement_text(statement, 3)),
        .percent = (unsigned)statement_integer(statement, 4),
        .started_at = statement_integer(statement, 5),
        .ended_at = statement_integer(statement, 6),
    };
    copy_text(operation->id, sizeof operation->id, statement_text(statement, 0));
    copy_text(operation->command, sizeof operation->command, statement_text(statement, 2));
    if (operation->state == OPERATION_FAILED) {
        operation->fault.blame = code != NULL && strcmp(code, "Sender") == 0 ? FAULT_BY_SENDER : FAULT_BY_RECEIVER;
        operation->fault.exception = exception_find(statement_text(statement, 8));
        copy_text(operation->fault.message, sizeof operation->fault.message, statement_text(statement, 9));
        copy_text(operation->fault.path, sizeof operation->fault.path, statement_text(statement, 10));
    }
    operation->output = output == NULL || strlen(output) > OPERATION_OUTPUT_MAX ? NULL : strdup(output);
}

static struct result read_kept(struct operation_log *log, struct store *store)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store,
                      "SELECT OperationId, Sequence, Command, State, Percent, StartedAt, EndedAt, FaultCode, "
                      "FaultException, FaultReason, FaultPath, Output FROM OperationLog ORDER BY Sequence DESC",
                      &statement);

    if (result_failed(result))
        return result;
    while (!result_failed(result = statement_step(statement, &found)) && found) {
        const char *id = statement_text(statement, 0);
        const int64_t sequence = statement_integer(statement, 1);
        struct logged_operation *place;

        if (id == NULL || sequence <= 0 || sequence > SEQUENCE_LAST || operation_log_find(log, id) != NULL)
            continue; /* somebody wrote nonsense, or it was read before */
        place = operation_log_place(log, sequence);
        if (place == NULL || place->sequence != 0)
            break; /* full: what comes now is older still */
        read_operation(statement, place);
        if (place->sequence > log->last_sequence)
            log->last_sequence = place->sequence;
    }
    statement_done(statement);
    return result;
}

struct result operation_log_load(struct operation_log *log, struct store *store)
{
    struct result result;

    (void)pthread_mutex_lock(&log->lock);
    result = read_kept(log, store);
    log->loaded = true;
    (void)pthread_cond_broadcast(&log->ended);
    (void)pthread_mutex_unlock(&log->lock);
    return result;
}

static struct result write_operation(struct store *store, const struct logged_operation *operation)
{
    const struct fault *fault = &operation->fault;
    bool failed = operation->state == OPERATION_FAILED;
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "INSERT OR REPLACE INTO OperationLog (OperationId, Sequence, Command, State, Percent, StartedAt, "
                      "EndedAt, FaultCode, FaultException, FaultReason, FaultPath, Output) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, operation->id);
    statement_bind_integer(statement, 2, operation->sequence);
    statement_bind_text(statement, 3, operation->command);
    statement_bind_text(statement, 4, operation_state_word(operation->state));
    statement_bind_integer(statement, 5, operation->percent);
    statement_bind_integer(statement, 6, operation->started_at);
    statement_bind_id(statement, 7, operation->ended_at);
    statement_bind_text(statement, 8, !failed ? NULL : fault->blame == FAULT_BY_SENDER ? "Sender" : "Receiver");
    statement_bind_text(statement, 9, failed ? exception_name(fault->exception) : NULL);
    statement_bind_text(statement, 10, failed ? fault->message : NULL);
    statement_bind_text(statement, 11, failed && fault->path[0] != '\0' ? fault->path : NULL);
    statement_bind_text(statement, 12, operation->output);
    return statement_run(statement);
}

static struct result forget_oldest(struct store *store)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "DELETE FROM OperationLog WHERE Sequence <= (SELECT Sequence FROM OperationLog "
                      "ORDER BY Sequence DESC LIMIT 1 OFFSET ?1)",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, OPERATIONS_KEPT);
    return statement_run(statement);
}

static bool has_changed(const struct operation_log *log)
{
    for (size_t i = 0; i < log->used; i++)
        if (log->kept[i].sequence != 0 && log->kept[i].changed)
            return true;
    return false;
}

struct result operation_log_save(struct operation_log *log, struct store *store)
{
    struct result result = result_ok();
    bool own = false;

    (void)pthread_mutex_lock(&log->lock);
    if (!has_changed(log))
        goto done;
    result = store_enter(store, &own);
    if (result_failed(result))
        goto done;
    for (size_t i = 0; i < log->used && !result_failed(result); i++)
        if (log->kept[i].sequence != 0 && log->kept[i].changed)
            result = write_operation(store, &log->kept[i]);
    if (!result_failed(result))
        result = forget_oldest(store);
    result = store_leave(store, own, result);
    for (size_t i = 0; i < log->used && !result_failed(result); i++)
        log->kept[i].changed = false;
done:
    (void)pthread_mutex_unlock(&log->lock);
    return result;
}
