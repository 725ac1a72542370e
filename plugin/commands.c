/* The commands: their names, and the way from a command's text to whatever answers it. */
#include "failover_sync/answer.h"
#include "failover_sync/idle.h"
#include "failover_sync/operation.h"
#include "failover_sync/operation_run.h"
#include "failover_sync/trust.h"

#include <stdlib.h>
#include <string.h>

/* Those that are answered from memory, on the thread they came in on. The others are operations. */
static const struct {
    const char *name;
    char *(*run)(struct plugin *plugin, const struct model_node *input);
} commands[] = {
    {"failover-status", command_failover_status}, {"scope-get", command_scope_get},
    {"scope-get-all", command_scope_get_all},     {"scope-receive", command_scope_receive},
    {"scope-digest", command_scope_digest},       {"operation-get", command_operation_get},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

size_t plugin_command_count(void)
{
    return COMMAND_COUNT + operation_count();
}

const char *plugin_command_name(size_t number)
{
    return number < COMMAND_COUNT ? commands[number].name : operation_number(number - COMMAND_COUNT)->command;
}

static char *answer(struct plugin *plugin, const char *name, struct model_tree *input, const char *arguments)
{
    char *text;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        text = commands[i].run(plugin, model_root(input));
        model_tree_free(input);
        return text;
    }
    return operation_call(plugin, operation_find(name), input, arguments);
}

static bool is_command(const char *name)
{
    for (size_t i = 0; i < plugin_command_count(); i++)
        if (strcmp(plugin_command_name(i), name) == 0)
            return true;
    return false;
}

static char *answer_command(struct plugin *plugin, const char *name, const char *arguments,
                            struct trust_request *request)
{
    struct model_tree *input = NULL;
    char *path = NULL, *text;
    struct fault fault;
    struct result result;

    if (request != NULL && !trust_admit(plugin, name, arguments, request, &text))
        return text;
    result = model_parse_input(plugin->model, name, arguments, &input, &path);
    if (result_failed(result)) {
        fault = fault_of_input(&result, path);
        free(path);
        return fault_answer(&fault);
    }
    if (request != NULL && !trust_note(plugin, model_root(input), request, &text)) {
        model_tree_free(input);
        return text;
    }
    text = answer(plugin, name, input, arguments);
    if (text == NULL)
        kea_log(plugin->server, FAILOVER_SYNC_COMMAND_FAILED, name, "out of memory");
    return text;
}

char *plugin_command(struct plugin *plugin, const char *name, const char *arguments)
{
    struct trust_request request = {.number = ""};
    const bool of_partner = trust_covers(name);
    struct fault fault;
    char *text;

    if (!is_command(name)) {
        fault = fault_of_sender(EXCEPTION_INVALID_PARAMETER, NULL, "%.64s is no command of kea-failover-sync", name);
        return fault_answer(&fault);
    }
    if (plugin->idle)
        return idle_answer(plugin, name);
    if (!command_gate_enter(&plugin->commands)) {
        fault = fault_of_result(result_error(RESULT_REFUSED, "the library is taking up a configuration or its store, "
                                                             "which is done in a moment; try again"),
                                EXCEPTION_OBJECT_NOT_FOUND);
        return fault_answer(&fault);
    }
    text = answer_command(plugin, name, arguments, of_partner ? &request : NULL);
    if (of_partner)
        text = trust_seal_answer(plugin, name, &request, text);
    command_gate_leave(&plugin->commands);
    return text;
}

char *plugin_command_refused(const struct result *why)
{
    const struct fault fault = fault_of_input(why, NULL);

    return fault_answer(&fault);
}
