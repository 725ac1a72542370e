/* The library that is loaded and does nothing: what it says of itself. */
#include "failover_sync/idle.h"

#include "failover_sync/answer.h"
#include "failover_sync/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMEDY "; mend it and load the configuration again"

void plugin_go_idle(struct plugin *plugin, const char *why)
{
    plugin->ready = false;
    (void)pthread_mutex_lock(&plugin->status.lock);
    plugin->status.mirror = MIRROR_UNAVAILABLE;
    plugin->status.counted = false;
    (void)snprintf(plugin->status.mirror_error, sizeof plugin->status.mirror_error, "%.420s%s", why, REMEDY);
    (void)pthread_mutex_unlock(&plugin->status.lock);
    plugin->idle = true;
    kea_log(plugin->server, FAILOVER_SYNC_IDLE, plugin->status.mirror_error);
}

struct result plugin_start_idle(const struct kea_server *server, const char *why, struct plugin **plugin)
{
    struct plugin *new = calloc(1, sizeof *new);

    *plugin = NULL;
    if (new == NULL || pthread_mutex_init(&new->status.lock, NULL) != 0) {
        free(new);
        return result_no_memory("the library");
    }
    if (!command_gate_init(&new->commands)) {
        (void)pthread_mutex_destroy(&new->status.lock);
        free(new);
        return result_no_memory("the library");
    }
    new->server = server;
    plugin_go_idle(new, why);
    *plugin = new;
    return result_ok();
}

struct result plugin_check_parameters(const struct kea_server *server, const char *parameters)
{
    struct parameters read = {.store = NULL};
    struct result result = parameters_parse(parameters, server->service, &read);

    parameters_clear(&read);
    return result;
}

/* Why, and what else is wrong, with the lock's texts copied out. */
static void copy_reasons(struct plugin *plugin, char reason[sizeof plugin->status.mirror_error],
                         char wrong[sizeof plugin->status.configuration_error])
{
    (void)pthread_mutex_lock(&plugin->status.lock);
    (void)memcpy(reason, plugin->status.mirror_error, sizeof plugin->status.mirror_error);
    (void)memcpy(wrong, plugin->status.configuration_error, sizeof plugin->status.configuration_error);
    (void)pthread_mutex_unlock(&plugin->status.lock);
}

char *idle_answer(struct plugin *plugin, const char *name)
{
    char reason[sizeof plugin->status.mirror_error], wrong[sizeof plugin->status.configuration_error];
    struct fault fault;

    copy_reasons(plugin, reason, wrong);
    if (strcmp(name, "failover-status") == 0)
        return answer_success(json_pack("{s:s,s:s,s:s*,s:[]}", "mirror", "unavailable", "mirror-error", reason,
                                        "configuration-error", wrong[0] == '\0' ? NULL : wrong, "relationships"),
                              "nothing is replicated: %s", reason);
    /* The partner is to know it, too. */
    if (strcmp(name, "scope-digest") == 0)
        return answer_success(json_pack("{s:s+}", "unusable", "nothing is replicated there: ", reason),
                              "nothing is replicated: %s", reason);
    fault = fault_of_result(result_error(RESULT_REFUSED, "nothing is replicated: %.440s", reason),
                            EXCEPTION_OBJECT_NOT_FOUND);
    return fault_answer(&fault);
}
