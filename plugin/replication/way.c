/* What the ways share: the steps they answer with, and the requests they make. */
#include "plugin/replication/way.h"

#include <stdlib.h>

const char *way_partner_name(const struct way_run *run)
{
    return relationship_partner(&run->plugin->relationships.list[run->number])->name;
}

struct way_step way_send(char *request)
{
    if (request == NULL)
        return way_fail(WAY_FAILED, result_no_memory("a request to the partner"));
    return (struct way_step){
        .next = WAY_SEND, .request = request, .timeout_ms = WAY_TIMEOUT_MS, .answer_max = WAY_ANSWER_MAX};
}

struct way_step way_send_own(const char *command, char *request)
{
    struct way_step step = way_send(request);

    step.command = command;
    return step;
}

struct way_step way_send_config(char *request)
{
    struct way_step step = way_send(request);

    step.timeout_ms = WAY_TIMEOUT_CONFIG_MS;
    step.answer_max = WAY_CONFIG_MAX;
    return step;
}

struct way_step way_wait(int64_t delay_ms)
{
    return (struct way_step){.next = WAY_WAIT, .delay_ms = delay_ms};
}

struct way_step way_done(void)
{
    return (struct way_step){.next = WAY_DONE};
}

struct way_step way_fail(enum way_next next, struct result why)
{
    return (struct way_step){.next = next, .why = why};
}

char *way_command(const struct way_run *run, const char *command, json_t *arguments)
{
    return kea_text_command(command, run->plugin->server->service, arguments);
}
