/* Which way a partner is served: what it says it can do, and the best of that which is allowed. */
#include "plugin/replication/way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_FORBIDDEN     403
#define VERSION_TIMEOUT_MS 3000L /* scopes may be waiting behind it */

/* Every command that a way needs; the first stands for all where they are spoken of. */
static const char *const needed[APPLY_WAYS][12] = {
    [APPLY_SCOPE_RECEIVE] = {"scope-receive"},
    [APPLY_SUBNET_COMMANDS] = {"subnet4-update", "subnet4-get", "subnet4-add", "subnet4-del", "network4-get",
                               "network4-add", "network4-del", "network4-subnet-add", "network4-subnet-del",
                               "config-get"},
    [APPLY_CONFIG_SET] = {"config-set", "config-get", "config-test"},
};

static bool is_listed(const json_t *commands, const char *command)
{
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const char *listed = json_string_value(json_array_get(commands, i));

        if (listed != NULL && strcmp(listed, command) == 0)
            return true;
    }
    return false;
}

static void note_commands(struct way_choice *choice, const json_t *commands)
{
    choice->listed = true;
    for (size_t way = 0; way < APPLY_WAYS; way++) {
        choice->can[way] = true;
        for (const char *const *command = needed[way]; *command != NULL; command++)
            choice->can[way] = choice->can[way] && is_listed(commands, *command);
    }
}

/* It may not be allowed to say: then the best way is tried. */
static void note_silence(struct way_choice *choice)
{
    choice->listed = false;
    for (size_t way = 0; way < APPLY_WAYS; way++)
        choice->can[way] = way == APPLY_SCOPE_RECEIVE;
}

/* Kea's own commands have no seal: whoever gets between the two could answer them. */
static bool can(const struct way_choice *choice, enum apply_way way)
{
    return choice->can[way] && !choice->refused[way] && (way == APPLY_SCOPE_RECEIVE || !choice->sealed);
}

enum apply_way way_pick(const struct parameters *parameters, const struct way_choice *choice, const char *partner,
                        struct result *why)
{
    char lacking[80] = "", remedy[60] = "";
    size_t used = 0;

    for (enum apply_way way = 0; way < APPLY_WAYS; way++) {
        if (parameters->apply[way] && can(choice, way))
            return way;
        if (parameters->apply[way] && used < sizeof lacking)
            used +=
                (size_t)snprintf(lacking + used, sizeof lacking - used, "%s%s", used == 0 ? "" : ", ", needed[way][0]);
    }
    for (enum apply_way way = APPLY_WAYS; way-- > APPLY_SUBNET_COMMANDS;)
        if (!parameters->apply[way] && can(choice, way))
            (void)snprintf(remedy, sizeof remedy, ", or allow %s", parameters_apply_word(way));
    if (choice->sealed)
        (void)snprintf(remedy, sizeof remedy, "; with shared-secret-file no other way is used");
    /* Short: it becomes the reason of each scope that waits. */
    *why = result_error(RESULT_REFUSED, "%.40s does not know %s: load libdhcp_failover_sync.so there%s", partner,
                        lacking, remedy);
    return APPLY_WAYS;
}

static struct way_step take_commands(struct way_run *run, const struct way_input *input)
{
    struct kea_answer answer;
    struct result result = kea_answer_read(way_partner_name(run), input->text, input->length, &answer);

    if (result_failed(result))
        return way_fail(WAY_FAILED, result);
    if (answer.code == KEA_CODE_SUCCESS || answer.code == KEA_CODE_UNSUPPORTED) {
        run->choice.asked = true;
        if (json_is_array(answer.arguments))
            note_commands(&run->choice, answer.arguments);
        else
            note_silence(&run->choice);
    } else {
        result = result_error(RESULT_REFUSED, "%.80s answered: %.200s", way_partner_name(run), answer.text);
    }
    kea_answer_clear(&answer);
    return result_failed(result) ? way_fail(WAY_FAILED, result) : way_done();
}

static struct way_step advance_ask(struct way_run *run, const struct way_input *input)
{
    switch (input->event) {
    case WAY_BEGIN:
        return way_send(way_command(run, "list-commands", NULL));
    case WAY_ANSWERED:
        return take_commands(run, input);
    default:
        if (input->http_status != HTTP_FORBIDDEN)
            return way_fail(WAY_FAILED, *input->why);
        run->choice.asked = true;
        note_silence(&run->choice);
        return way_done();
    }
}

static struct result note_version(const struct way_run *run, const char *version)
{
    const struct relationship_server *partner = relationship_partner(&run->plugin->relationships.list[run->number]);
    const struct server_row row = {
        .server_name = partner->host,
        .ha_name = partner->name,
        .control_url = partner->url,
        .server_version = version,
    };
    int64_t ignored;

    return server_store_put(run->plugin->store, &row, &ignored);
}

/* Nothing depends on it: a partner that does not tell is not asked again before it is met again. */
static struct way_step advance_version(struct way_run *run, const struct way_input *input)
{
    struct kea_answer answer;

    if (input->event == WAY_BEGIN) {
        struct way_step step = way_send(way_command(run, "version-get", NULL));

        step.timeout_ms = VERSION_TIMEOUT_MS;
        return step.next == WAY_SEND ? step : way_done();
    }
    if (input->event == WAY_ANSWERED &&
        !result_failed(kea_answer_read(way_partner_name(run), input->text, input->length, &answer))) {
        struct result result =
            answer.code == KEA_CODE_SUCCESS && answer.text[0] != '\0' ? note_version(run, answer.text) : result_ok();

        kea_answer_clear(&answer);
        if (result_failed(result))
            engine_set_mirror(run->plugin, &result);
    }
    return way_done();
}

static void clear(struct way_run *run)
{
    (void)run;
}

const struct way way_ask = {.advance = advance_ask, .clear = clear};
const struct way way_version = {.advance = advance_version, .clear = clear};
