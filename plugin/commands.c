/* The commands: their names, and the way from a command's text to whatever answers it. */
#include "failover_sync/answer.h"
#include "failover_sync/operation.h"
#include "failover_sync/operation_run.h"

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

static char *answer_command(struct plugin *plugin, const char *name, const char *arguments)
{
    struct model_tree *input = NULL;
    char *path = NULL, *text;
    struct fault fault = fault_none();
    struct result result;

    if (!is_command(name))
        fault = fault_of_sender(EXCEPTION_INVALID_PARAMETER, NULL, "%.64s is no command of kea-failover-sync", name);
    else if (!plugin->ready)
        fault = fault_of_result(result_error(RESULT_REFUSED, "the server has no configuration in force yet; try again"),
                                EXCEPTION_OBJECT_NOT_FOUND);
    if (fault_raised(&fault))
        return fault_answer(&fault);
    result = model_parse_input(plugin->model, name, arguments, &input, &path);
    if (result_failed(result)) {
        fault = fault_of_input(&result, path);
        free(path);
        return fault_answer(&fault);
    }
    text = answer(plugin, name, input, arguments);
    if (text == NULL)
        kea_log(plugin->server, FAILOVER_SYNC_COMMAND_FAILED, name, "out of memory");
    return text;
}

char *plugin_command(struct plugin *plugin, const char *name, const char *arguments)
{
    char *text;

    plugin->commands_inside++;
    text = answer_command(plugin, name, arguments);
    plugin->commands_inside--;
    return text;
}
