/* Running an operation: the worker's part, the main thread's part, and the thread that waits for the answer. Which
 * operations there are is in operation_table.c. */
#include "failover_sync/operation_run.h"

#include "failover_sync/answer.h"
#include "failover_sync/waiting.h"
#include "failover_sync/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the main thread is asked to do. */
enum main_part { PART_APPLY, PART_UNDO };

struct run {
    const struct operation *operation;
    struct model_tree *input;
    char *arguments;                  /* the input's text, if it may have to be read again; else NULL */
    struct operation_context context; /* of whichever thread the run is on, like `part` and, before the end, `fault` */
    enum main_part part;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t moved;
    int holders;   /* the thread that waits, and the run itself */
    bool attended; /* the main thread waits, and will do its part itself */
    bool wants_main;
    bool ended;
    struct fault fault; /* constant once it has ended */
};

/* Needs no plugin any more: a task for the main thread may outlive it. */
static void run_release(struct run *run)
{
    int left;

    (void)pthread_mutex_lock(&run->lock);
    left = --run->holders;
    (void)pthread_mutex_unlock(&run->lock);
    if (left > 0)
        return;
    free(run->arguments);
    json_decref(run->context.output);
    kea_object_clear(&run->context.before);
    kea_object_clear(&run->context.after);
    waiting_destroy(&run->lock, &run->moved);
    free(run);
}

static void forget_input(struct run *run)
{
    model_tree_free(run->input);
    run->input = NULL;
    run->context.input = NULL;
}

static struct run *run_new(struct plugin *plugin, const struct operation *operation, struct model_tree *input,
                           const char *arguments)
{
    struct run *run = calloc(1, sizeof *run);

    if (run == NULL)
        return NULL;
    if (!waiting_init(&run->lock, &run->moved)) {
        free(run);
        return NULL;
    }
    if (operation->apply != NULL) {
        run->arguments = strdup(arguments == NULL ? "{}" : arguments);
        if (run->arguments == NULL) {
            run->holders = 1;
            run_release(run);
            return NULL;
        }
    }
    run->operation = operation;
    run->input = input;
    run->holders = 2;
    run->context = (struct operation_context){.plugin = plugin, .input = model_root(input), .now_ms = engine_now()};
    if (!operation->reads)
        operation_log_begin(plugin->operations, operation->command, plugin->instance, run->context.id);
    return run;
}

/* The run's last act. */
static void run_end(struct run *run, struct fault fault)
{
    struct operation_context *context = &run->context;

    forget_input(run);
    fault_complete_path(&fault, run->operation->command);
    if (!run->operation->reads && (fault_raised(&fault) || !context->continues))
        operation_log_end(context->plugin->operations, context->id, &fault, context->output);
    (void)pthread_mutex_lock(&run->lock);
    run->fault = fault;
    run->ended = true;
    (void)pthread_cond_signal(&run->moved);
    (void)pthread_mutex_unlock(&run->lock);
    run_release(run);
}

static struct fault unloading(const struct run *run)
{
    return fault_of_result(
        result_error(RESULT_REFUSED, "the library is being unloaded; nothing was changed, try again"),
        run->operation->exception);
}

/* ---- the pool, over the main thread and back ---- */

static void serve_main(struct run *run);

static void serve_main_later(void *argument, bool cancelled)
{
    if (cancelled)
        run_release(argument);
    else
        serve_main(argument);
}

/* Has the main thread do its part: the one that waits for this run, or else in its own time. Its tasks may outlive the
 * plugin, and with it the module that the input is read by. Whoever else waits is told, too: see attend(). */
static void ask_main(struct run *run, enum main_part part)
{
    const struct kea_server *server = run->context.plugin->server;
    bool attended;

    forget_input(run);
    run->part = part;
    (void)pthread_mutex_lock(&run->lock);
    attended = run->attended;
    run->wants_main = true;
    (void)pthread_cond_signal(&run->moved);
    (void)pthread_mutex_unlock(&run->lock);
    if (!attended && result_failed(server->run_on_main(server->context, serve_main_later, run)))
        run_end(run, part == PART_UNDO ? run->fault : unloading(run));
}

/* A job, not an operation: what the main thread hands over later must not come before it. */
static struct result record(struct plugin *plugin, void *argument)
{
    struct run *run = argument;
    struct result result = model_parse_input(plugin->model, run->operation->command, run->arguments, &run->input, NULL);
    struct fault fault = fault_of_result(result, run->operation->exception);

    if (!fault_raised(&fault)) {
        run->context.input = model_root(run->input);
        fault = run->operation->record(&run->context);
    }
    if (fault_raised(&fault)) {
        run->fault = fault;
        ask_main(run, PART_UNDO);
    } else {
        run_end(run, fault);
    }
    return result_ok();
}

static void release_record(void *argument)
{
    struct run *run = argument;

    run_end(run, unloading(run));
}

/* [main] */
static void serve_main(struct run *run)
{
    struct fault fault;

    if (run->part == PART_UNDO) {
        run->operation->undo(&run->context);
        run_end(run, run->fault);
        return;
    }
    fault = run->operation->apply(&run->context);
    if (fault_raised(&fault))
        run_end(run, fault);
    else
        (void)worker_post(run->context.plugin, record, release_record, run);
}

/* ---- on the worker ---- */

static struct result work(struct plugin *plugin, void *argument)
{
    struct run *run = argument;
    struct operation_context *context = &run->context;
    struct fault fault;

    if (!run->operation->reads)
        operation_log_advance(plugin->operations, context->id, 0);
    fault = plugin->store == NULL ? fault_of_result(engine_no_store(plugin), run->operation->exception)
                                  : run->operation->run(context);
    if (!fault_raised(&fault) && context->pool.wanted)
        ask_main(run, PART_APPLY);
    else
        run_end(run, fault);
    return result_ok();
}

static void release_work(void *argument)
{
    struct run *run = argument;

    run_end(run, unloading(run));
}

/* ---- the thread that the command came in on ---- */

/* Waits for the end until then. The main thread does its part meanwhile, if it is told to. Another
 * thread is then in its way: to change the configuration it waits until every thread of HA's listener is idle, and with
 * it the packets. */
static bool attend(struct run *run, bool main, const struct timespec *until)
{
    bool late = false, ended;

    (void)pthread_mutex_lock(&run->lock);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the thread that waits is one of its holders */
    while (!run->ended && !late) {
        if (!run->wants_main)
            late = pthread_cond_timedwait(&run->moved, &run->lock, until) != 0;
        if (!run->wants_main)
            continue;
        if (!main)
            break;
        run->wants_main = false;
        (void)pthread_mutex_unlock(&run->lock);
        serve_main(run);
        (void)pthread_mutex_lock(&run->lock);
    }
    ended = run->ended;
    run->attended = false;
    (void)pthread_mutex_unlock(&run->lock);
    return ended;
}

static char *answer_late(struct plugin *plugin, const struct run *run)
{
    json_t *output;
    struct fault fault;

    if (run->operation->reads) {
        fault =
            fault_of_result(result_error(RESULT_STORE, "the store is busy and did not answer in time; try again, or "
                                                       "ask for less at once"),
                            run->operation->exception);
        return fault_answer(&fault);
    }
    output = json_object();
    if (output == NULL || !operation_log_put_progress(plugin->operations, run->context.id, output)) {
        json_decref(output);
        return NULL;
    }
    return answer_success(output, "operation %s is accepted; operation-get tells what becomes of it", run->context.id);
}

/* What the partners said, if they say it until then; not on the main thread, which never waits for the network. */
static char *answer_partners(struct plugin *plugin, const struct run *run, const struct timespec *until)
{
    struct fault fault;
    json_t *operation, *output;

    if (!operation_log_wait(plugin->operations, run->context.id, until))
        return NULL;
    fault = operation_log_fault(plugin->operations, run->context.id);
    if (fault_raised(&fault))
        return fault_answer(&fault);
    operation = operation_log_describe(plugin->operations, run->context.id);
    output = json_incref(json_object_get(operation, "output"));
    json_decref(operation);
    if (output == NULL || !operation_log_put_progress(plugin->operations, run->context.id, output)) {
        json_decref(output);
        return NULL;
    }
    return answer_success(output, "every partner has answered");
}

static char *answer_end(struct plugin *plugin, const struct run *run)
{
    const struct operation_context *context = &run->context;
    json_t *output;

    if (fault_raised(&run->fault))
        return fault_answer(&run->fault);
    output = context->output == NULL ? json_object() : json_incref(context->output);
    if (output == NULL ||
        (!run->operation->reads && !operation_log_put_progress(plugin->operations, context->id, output))) {
        json_decref(output);
        return NULL;
    }
    if (context->empty)
        return answer_empty(output, "%s", context->text);
    return answer_success(output, "%s", context->text);
}

struct fault worker_too_busy(struct plugin *plugin, enum exception_id exception)
{
    if (!worker_is_full(plugin))
        return fault_none();
    return fault_of_result(
        result_error(RESULT_REFUSED,
                     "too much waits to be done, perhaps because the store refuses it; try again later"),
        exception);
}

char *operation_call(struct plugin *plugin, const struct operation *operation, struct model_tree *input,
                     const char *arguments)
{
    bool main = plugin->server->on_main(plugin->server->context);
    bool wait = model_boolean(model_root(input), "wait", true);
    const struct timespec until = waiting_until(OPERATION_WAIT_MS);
    struct fault busy = worker_too_busy(plugin, operation->exception);
    struct run *run = fault_raised(&busy) ? NULL : run_new(plugin, operation, input, arguments);
    char *answer = NULL;

    if (fault_raised(&busy)) {
        model_tree_free(input);
        return fault_answer(&busy);
    }
    if (run == NULL) {
        model_tree_free(input);
        return NULL;
    }
    run->attended = main && wait;
    (void)worker_post_operation(plugin, work, release_work, run);
    if (wait && attend(run, main, &until)) {
        if (run->context.continues && !main && !fault_raised(&run->fault))
            answer = answer_partners(plugin, run, &until);
        if (answer == NULL)
            answer = answer_end(plugin, run);
    } else {
        answer = answer_late(plugin, run);
    }
    run_release(run);
    return answer;
}
