/* The second way: the partner has Kea's subnet commands library. Its configuration is read once for what the commands
 * do not show; then each scope is read, compared, changed, and read again. What the commands cannot carry goes the last
 * way if that is allowed. */
#include "plugin/replication/subnet_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is applied before it is settled; the rest comes with the next batch. */
#define SUBNET_SCOPES_MAX  100
#define SUBNET_PATIENCE_MS 10000

enum subnet_step { SUBNET_CONFIG, SUBNET_CHECK, SUBNET_CHANGE, SUBNET_UNDO, SUBNET_READ, SUBNET_READ_NETWORK };

struct subnet_state {
    enum subnet_step step;
    struct partner_config config; /* kept current with what is changed */
    size_t *chosen;               /* the items to be applied, by their place in the batch */
    size_t chosen_count, next;    /* `next`: the one that is being applied */
    size_t applied;
    int64_t until; /* milliseconds since 1970 */
    struct subnet_plan plan;
    size_t command;      /* of the plan: the one that was sent */
    json_t *read;        /* the subnet, after the change */
    struct way_run rest; /* the last way, for what is beyond this one */
    bool resting;
};

static void clear(struct way_run *run)
{
    struct subnet_state *state = run->state;

    if (state == NULL)
        return;
    way_config.clear(&state->rest);
    partner_config_clear(&state->config);
    subnet_plan_clear(&state->plan);
    json_decref(state->read);
    free(state->chosen);
    free(state);
    run->state = NULL;
}

static struct batch_item *item_of(const struct way_run *run)
{
    const struct subnet_state *state = run->state;

    return &run->batch->items[state->chosen[state->next]];
}

static struct way_step begin(struct way_run *run)
{
    struct subnet_state *state = run->state = calloc(1, sizeof *state);

    if (state != NULL)
        state->chosen = calloc(run->batch->count + 1, sizeof *state->chosen);
    if (state == NULL || state->chosen == NULL)
        return way_fail(WAY_FAILED, result_no_memory("a request to the partner"));
    state->step = SUBNET_CONFIG;
    state->until = engine_ticks() + SUBNET_PATIENCE_MS;
    return way_send_config(way_command(run, "config-get", NULL));
}

/* The last way with the scopes of which nothing is decided; its bounds are those of the partner as a whole. */
static struct way_step rest(struct way_run *run, const struct way_input *input)
{
    struct subnet_state *state = run->state;
    struct way_step step;

    if (!state->resting) {
        state->resting = true;
        state->rest =
            (struct way_run){.plugin = run->plugin, .number = run->number, .batch = run->batch, .choice = run->choice};
    }
    state->rest.last_set = run->last_set;
    step = way_config.advance(&state->rest, input);
    run->last_set = state->rest.last_set;
    return step;
}

/* Sends the next of the commands, or what reads what they made of it. */
static struct way_step send_command(struct way_run *run)
{
    struct subnet_state *state = run->state;
    const struct batch_item *item = item_of(run);

    if (state->command < state->plan.count) {
        state->step = SUBNET_CHANGE;
        return way_send(strdup(state->plan.commands[state->command].text));
    }
    state->step = SUBNET_READ;
    return way_send(way_command(run, "subnet4-get", json_pack("{s:I}", "id", (json_int_t)item->wish.id)));
}

/* Begins with the next scope: is it still as it was when all were compared? */
static struct way_step take_up_next(struct way_run *run)
{
    const struct way_input beginning = {.event = WAY_BEGIN};
    struct subnet_state *state = run->state;

    subnet_plan_clear(&state->plan);
    for (; state->next < state->chosen_count; state->next++) {
        struct batch_item *item = item_of(run);
        const char *beyond = subnet_plan_beyond(run, item, &state->config);

        if (beyond == NULL && (state->applied == SUBNET_SCOPES_MAX || engine_ticks() > state->until)) {
            batch_drop_unanswered(run->batch);
            return way_done();
        }
        if (beyond == NULL) {
            state->applied++;
            state->step = SUBNET_CHECK;
            return way_send(way_command(run, "subnet4-get", json_pack("{s:I}", "id", (json_int_t)item->wish.id)));
        }
        if (run->plugin->parameters.apply[APPLY_CONFIG_SET] && run->choice.can[APPLY_CONFIG_SET])
            continue;
        item->outcome = BATCH_FAILED;
        (void)snprintf(item->text, sizeof item->text,
                       "subnet commands cannot carry %s: load libdhcp_failover_sync.so there, or allow config-set",
                       beyond);
    }
    for (size_t i = 0; i < state->chosen_count; i++)
        if (run->batch->items[state->chosen[i]].outcome == BATCH_UNANSWERED)
            /* cppcheck-suppress returnDanglingLifetime; a step keeps nothing of its input */
            return rest(run, &beginning);
    return way_done();
}

static struct way_step give_up_item(struct way_run *run, const char *text)
{
    struct subnet_state *state = run->state;
    struct batch_item *item = item_of(run);

    item->outcome = BATCH_FAILED;
    (void)snprintf(item->text, sizeof item->text, "%.199s", text);
    partner_config_hide_passwords(&state->config, item->text, sizeof item->text);
    state->next++;
    return take_up_next(run);
}

static struct way_step take_configuration(struct way_run *run, const struct kea_answer *answer)
{
    struct subnet_state *state = run->state;
    struct result result =
        answer->code == KEA_CODE_SUCCESS
            ? partner_config_take(way_partner_name(run), answer->arguments, &state->config)
            : result_error(RESULT_REFUSED, "%.80s refused config-get: %.200s", way_partner_name(run), answer->text);

    if (result_failed(result))
        return way_fail(WAY_FAILED, result);
    for (size_t i = 0; i < run->batch->count; i++)
        if (way_compare(run, &run->batch->items[i], &state->config))
            state->chosen[state->chosen_count++] = i;
    return take_up_next(run);
}

/* The subnet that subnet4-get, or the network that network4-get answered with; NULL if there is none. */
static json_t *first_of(const struct kea_answer *answer, const char *list)
{
    return answer->code == KEA_CODE_SUCCESS ? json_array_get(json_object_get(answer->arguments, list), 0) : NULL;
}

static struct way_step take_check(struct way_run *run, const struct kea_answer *answer)
{
    struct subnet_state *state = run->state;
    const struct config_scope *at = partner_config_find(&state->config, object_subnet_id(item_of(run)->wish.id));
    json_t *before = at == NULL ? NULL : json_copy(at->subnet);
    json_t *now = first_of(answer, CONFIG_SUBNET);
    bool same;
    struct result result;

    if (answer->code != KEA_CODE_SUCCESS && answer->code != KEA_CODE_EMPTY) {
        json_decref(before);
        return give_up_item(run, answer->text);
    }
    (void)json_object_del(before, "reservations");
    same = at == NULL ? now == NULL : json_equal(before, now) != 0;
    json_decref(before);
    if (!same)
        return give_up_item(run, "changed at the partner while it was compared; it is compared again");
    result = subnet_plan_make(run, item_of(run), &state->config, &state->plan);
    if (result_failed(result))
        return way_fail(WAY_FAILED, result);
    state->command = 0;
    return send_command(run);
}

/* Takes back what was done, last first; `state->command` is the one whose turn it is, counted from 1. */
static struct way_step undo(struct way_run *run)
{
    struct subnet_state *state = run->state;

    state->step = SUBNET_UNDO;
    while (state->command > 0) {
        const char *text = state->plan.commands[--state->command].undo;

        if (text != NULL)
            return way_send(strdup(text));
    }
    state->next++;
    return take_up_next(run);
}

/* The partner's configuration as it is now, with the item as the partner printed it; NULLs for a scope that is gone. */
static struct way_step note_changed(struct way_run *run, json_t *subnet, const json_t *network)
{
    struct subnet_state *state = run->state;
    struct batch_item *item = item_of(run);
    const struct config_scope *at = partner_config_find(&state->config, object_subnet_id(item->wish.id));
    json_t *map = json_copy(subnet), *definition = json_object(), *dhcp = NULL, *arguments;
    struct config_wish wish = {.subnet_id = object_subnet_id(item->wish.id)};
    struct partner_config now = {.dhcp = NULL};
    char *text = NULL;
    struct result result;

    if (at != NULL)
        (void)json_object_set(map, "reservations", json_object_get(at->subnet, "reservations"));
    else
        (void)json_object_set_new(map, "reservations", json_array());
    (void)json_object_set_new(definition, CONFIG_SUBNET, map);
    if (network != NULL) {
        json_t *parameters = json_copy((json_t *)network);

        (void)json_object_del(parameters, CONFIG_SUBNET);
        (void)json_object_set_new(definition, CONFIG_NETWORK, parameters);
    }
    if (subnet != NULL)
        wish.definition = text = kea_text_print(definition);
    json_decref(definition);
    result = subnet != NULL && text == NULL
                 ? result_no_memory("the partner's configuration")
                 : partner_config_merge(&state->config, &wish, 1, (char *const[]){NULL}, &dhcp);
    free(text);
    arguments = json_pack("{s:o}", "Dhcp4", dhcp);
    if (!result_failed(result))
        result = partner_config_take(way_partner_name(run), arguments, &now);
    json_decref(arguments);
    if (!result_failed(result)) {
        partner_config_clear(&state->config);
        state->config = now;
        result = way_note_applied(run, item, partner_config_find(&state->config, object_subnet_id(item->wish.id)));
    }
    if (result_failed(result))
        return way_fail(WAY_FAILED, result);
    state->next++;
    return take_up_next(run);
}

static struct way_step take_change(struct way_run *run, const struct kea_answer *answer)
{
    struct subnet_state *state = run->state;
    struct batch_item *item = item_of(run);

    if (answer->code == KEA_CODE_SUCCESS || (answer->code == KEA_CODE_EMPTY && item->wish.removal)) {
        state->command++;
        return send_command(run);
    }
    item->outcome = BATCH_FAILED;
    (void)snprintf(item->text, sizeof item->text, "%.199s", answer->text);
    partner_config_hide_passwords(&state->config, item->text, sizeof item->text);
    return undo(run);
}

static struct way_step take_read(struct way_run *run, const struct kea_answer *answer)
{
    struct subnet_state *state = run->state;
    json_t *subnet = first_of(answer, CONFIG_SUBNET), *root;
    const char *name;
    struct way_step step;

    if (answer->code != KEA_CODE_SUCCESS && answer->code != KEA_CODE_EMPTY)
        return give_up_item(run, answer->text);
    if (subnet == NULL || item_of(run)->wish.removal)
        return note_changed(run, subnet, NULL);
    root = kea_text_parse(item_of(run)->definition, strlen(item_of(run)->definition));
    name = config_network_name(json_object_get(root, CONFIG_NETWORK));
    if (name[0] == '\0') {
        step = note_changed(run, subnet, NULL);
    } else {
        json_decref(state->read);
        state->read = json_incref(subnet);
        state->step = SUBNET_READ_NETWORK;
        step = way_send(way_command(run, "network4-get", json_pack("{s:s}", "name", name)));
    }
    json_decref(root);
    return step;
}

static struct way_step take_read_network(struct way_run *run, const struct kea_answer *answer)
{
    const struct subnet_state *state = run->state;
    const json_t *network = first_of(answer, "shared-networks");

    return network == NULL ? give_up_item(run, answer->text) : note_changed(run, state->read, network);
}

static struct way_step take_answer(struct way_run *run, const struct way_input *input)
{
    const struct subnet_state *state = run->state;
    struct kea_answer answer;
    struct way_step step;
    struct result result = kea_answer_read(way_partner_name(run), input->text, input->length, &answer);

    if (result_failed(result))
        return way_fail(WAY_FAILED, result);
    if (answer.code == KEA_CODE_UNSUPPORTED)
        step = way_fail(WAY_UNSUPPORTED, result_error(RESULT_REFUSED, "%.80s has lost the subnet commands: %.200s",
                                                      way_partner_name(run), answer.text));
    else if (state->step == SUBNET_CONFIG) /* NOLINT(clang-analyzer-core.NullDereference): what asks has a state */
        step = take_configuration(run, &answer);
    else if (state->step == SUBNET_CHECK)
        step = take_check(run, &answer);
    else if (state->step == SUBNET_CHANGE)
        step = take_change(run, &answer);
    else if (state->step == SUBNET_UNDO)
        step = undo(run);
    else
        step = state->step == SUBNET_READ ? take_read(run, &answer) : take_read_network(run, &answer);
    kea_answer_clear(&answer);
    return step;
}

/* What is decided is worth settling before the rest is tried again. */
static struct way_step keep_decided(struct way_run *run, struct way_step step)
{
    if (step.next != WAY_FAILED && step.next != WAY_UNSUPPORTED)
        return step;
    batch_drop_unanswered(run->batch);
    return run->batch->count > 0 ? way_done() : step;
}

static struct way_step advance(struct way_run *run, const struct way_input *input)
{
    const struct subnet_state *state = run->state;
    struct way_step step;

    if (state != NULL && state->resting)
        step = rest(run, input);
    else if (input->event == WAY_BEGIN)
        step = begin(run);
    else if (input->event == WAY_ANSWERED)
        step = take_answer(run, input);
    else
        step = way_fail(WAY_FAILED, *input->why);
    return keep_decided(run, step);
}

const struct way way_subnet = {.advance = advance, .clear = clear};
