/* The last way: any Kea. The partner's configuration is read, the batch's scopes are merged into it, it is tested, and
 * set. If the test refuses it, halves of the batch are tested until it is known which scopes it is about. */
#include "plugin/replication/way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TESTS_MAX       64  /* of one batch; what has not been told apart by then waits for another */
#define TESTS_HOPELESS  24  /* if none has been passed by then: enough to find one bad scope among a million */
#define VERIFY_DELAY_MS 500 /* the partner may be opening its sockets anew */
#define VERIFY_TRIES    20

enum config_step { CONFIG_GET, CONFIG_TEST, CONFIG_TEST_UNCHANGED, CONFIG_SET, CONFIG_VERIFY };

struct range {
    size_t from, to; /* of `chosen`; `to` is not in it */
};

struct config_state {
    enum config_step step;
    struct partner_config config; /* as it was read last */
    size_t *chosen;               /* the items to be applied, by their place in the batch */
    size_t chosen_count;
    bool *accepted;       /* which of the chosen passed a test, all together */
    struct range *ranges; /* still to be tested; the last one is being tested */
    size_t range_count;
    unsigned tests, verifications;
    bool any_passed;
    bool unchanged_passes; /* its own configuration passes its own test */
    char refusal[200];     /* what it said last; no password is in it */
    struct result lost;    /* why it is not known whether the configuration was set; RESULT_OK if it is */
};

static void clear(struct way_run *run)
{
    struct config_state *state = run->state;

    if (state == NULL)
        return;
    partner_config_clear(&state->config);
    free(state->chosen);
    free(state->accepted);
    free(state->ranges);
    free(state);
    run->state = NULL;
}

static struct way_step get(struct way_run *run, enum config_step step)
{
    struct config_state *state = run->state;

    state->step = step;
    return way_send_config(way_command(run, "config-get", NULL));
}

static struct way_step begin(struct way_run *run)
{
    struct config_state *state;
    const int64_t now = engine_ticks(), due = run->last_set + WAY_SET_INTERVAL_MS;

    if (run->last_set != 0 && due > now)
        return way_wait(due - now);
    state = run->state = calloc(1, sizeof *state);
    if (state == NULL)
        return way_fail(WAY_FAILED, result_no_memory("a request to the partner"));
    state->chosen = calloc(run->batch->count + 1, sizeof *state->chosen);
    state->accepted = calloc(run->batch->count + 1, sizeof *state->accepted);
    state->ranges = calloc(run->batch->count + 1, sizeof *state->ranges);
    state->lost = result_ok();
    if (state->chosen == NULL || state->accepted == NULL || state->ranges == NULL)
        return way_fail(WAY_FAILED, result_no_memory("a request to the partner"));
    return get(run, CONFIG_GET);
}

static bool in_range(const struct range *range, size_t i)
{
    return range != NULL && i >= range->from && i < range->to;
}

/* The command on the partner's configuration with what was accepted, and one range more (NULL: none). */
static struct way_step send_merged(struct way_run *run, const char *command, const struct range *more)
{
    struct config_state *state = run->state;
    struct config_wish *wishes = calloc(state->chosen_count + 1, sizeof *wishes);
    json_t *dhcp = NULL;
    size_t count = 0;
    struct result result;

    if (wishes == NULL)
        return way_fail(WAY_FAILED, result_no_memory("a request to the partner"));
    for (size_t i = 0; i < state->chosen_count; i++)
        if (state->accepted[i] || in_range(more, i))
            wishes[count++] = (struct config_wish){
                .subnet_id = object_subnet_id(run->batch->items[state->chosen[i]].wish.id),
                .definition = run->batch->items[state->chosen[i]].effective,
            };
    result = partner_config_merge(&state->config, wishes, count, run->plugin->parameters.local_parameters, &dhcp);
    free(wishes);
    if (result_failed(result))
        return way_fail(WAY_FAILED, result);
    return way_send_config(way_command(run, command, json_pack("{s:o}", "Dhcp4", dhcp)));
}

static struct way_step test(struct way_run *run)
{
    struct config_state *state = run->state;

    state->step = CONFIG_TEST;
    state->tests++;
    return send_merged(run, "config-test", &state->ranges[state->range_count - 1]);
}

static struct way_step set(struct way_run *run)
{
    struct config_state *state = run->state;
    size_t accepted = 0;

    for (size_t i = 0; i < state->chosen_count; i++)
        accepted += state->accepted[i];
    if (accepted == 0)
        return way_done();
    state->step = CONFIG_SET;
    run->last_set = engine_ticks();
    return send_merged(run, "config-set", NULL);
}

static void refuse(struct way_run *run, size_t chosen, const char *text)
{
    struct config_state *state = run->state;
    struct batch_item *item = &run->batch->items[state->chosen[chosen]];

    item->outcome = BATCH_FAILED;
    (void)snprintf(item->text, sizeof item->text, "%.199s", text);
}

/* The rest is as bad as what was tested, for all that is known. */
static void refuse_rest(struct way_run *run)
{
    struct config_state *state = run->state;
    char text[200];

    (void)snprintf(text, sizeof text, "not tested alone, as many scopes are refused, the last: %.140s", state->refusal);
    for (; state->range_count > 0; state->range_count--) {
        const struct range *range = &state->ranges[state->range_count - 1];

        for (size_t i = range->from; i < range->to; i++)
            refuse(run, i, text);
    }
}

static struct way_step test_next(struct way_run *run)
{
    struct config_state *state = run->state;

    if (state->range_count > 0 && (state->tests >= TESTS_MAX || (state->tests >= TESTS_HOPELESS && !state->any_passed)))
        refuse_rest(run);
    return state->range_count > 0 ? test(run) : set(run);
}

static struct way_step take_configuration(struct way_run *run, const struct kea_answer *answer)
{
    struct config_state *state = run->state;
    struct result result = partner_config_take(way_partner_name(run), answer->arguments, &state->config);

    if (result_failed(result))
        return way_fail(WAY_FAILED, result);
    for (size_t i = 0; i < run->batch->count; i++) {
        struct batch_item *item = &run->batch->items[i];

        if (item->outcome == BATCH_UNANSWERED && way_compare(run, item, &state->config))
            state->chosen[state->chosen_count++] = i;
    }
    if (state->chosen_count > 0)
        state->ranges[state->range_count++] = (struct range){.from = 0, .to = state->chosen_count};
    return test_next(run);
}

static void note_refusal(struct config_state *state, const struct kea_answer *answer)
{
    (void)snprintf(state->refusal, sizeof state->refusal, "%s", answer->text);
    partner_config_hide_passwords(&state->config, state->refusal, sizeof state->refusal);
}

static struct way_step take_test(struct way_run *run, const struct kea_answer *answer)
{
    struct config_state *state = run->state;
    struct range range = state->ranges[state->range_count - 1];
    const size_t middle = range.from + (range.to - range.from) / 2;

    if (answer->code == KEA_CODE_SUCCESS) {
        for (size_t i = range.from; i < range.to; i++)
            state->accepted[i] = true;
        state->any_passed = true;
        state->range_count--;
        return test_next(run);
    }
    note_refusal(state, answer);
    if (!state->unchanged_passes) {
        state->step = CONFIG_TEST_UNCHANGED;
        return send_merged(run, "config-test", NULL);
    }
    state->range_count--;
    if (range.to - range.from == 1) {
        refuse(run, range.from, state->refusal);
    } else {
        /* The first half on top: it may make room for the second. */
        state->ranges[state->range_count++] = (struct range){.from = middle, .to = range.to};
        state->ranges[state->range_count++] = (struct range){.from = range.from, .to = middle};
    }
    return test_next(run);
}

/* HA's dedicated listener runs commands on a thread that may not stop the others. */
static const char *remedy_for(const char *refusal)
{
    return strstr(refusal, "worker thread") == NULL
               ? ""
               : "; HA's dedicated listener cannot take it: give 'partners' an url of the partner's control agent or "
                 "HTTP control socket";
}

static struct way_step take_test_of_unchanged(struct way_run *run, const struct kea_answer *answer)
{
    struct config_state *state = run->state;
    struct kea_answer refused = {.code = KEA_CODE_ERROR};

    if (answer->code != KEA_CODE_SUCCESS) {
        note_refusal(state, answer);
        return way_fail(WAY_FAILED,
                        result_error(RESULT_REFUSED,
                                     "%.80s refuses its own configuration, as config-get shows it, without any change: "
                                     "%.200s%s",
                                     way_partner_name(run), state->refusal, remedy_for(state->refusal)));
    }
    state->unchanged_passes = true;
    memcpy(refused.text, state->refusal, sizeof refused.text);
    return take_test(run, &refused);
}

static struct way_step take_set(struct way_run *run, const struct kea_answer *answer)
{
    struct config_state *state = run->state;

    if (answer->code == KEA_CODE_SUCCESS)
        return get(run, CONFIG_VERIFY);
    note_refusal(state, answer);
    return way_fail(WAY_FAILED, result_error(RESULT_REFUSED, "%.80s refused config-set: %.200s%s",
                                             way_partner_name(run), state->refusal, remedy_for(state->refusal)));
}

/* Whether any scope is otherwise than it was: one configuration is set as a whole or not at all. */
static bool shows_a_change(const struct way_run *run, const struct partner_config *now)
{
    const struct config_state *state = run->state;

    for (size_t i = 0; i < state->chosen_count; i++) {
        const uint32_t subnet_id = object_subnet_id(run->batch->items[state->chosen[i]].wish.id);
        const struct config_scope *before = partner_config_find(&state->config, subnet_id);
        const struct config_scope *after = partner_config_find(now, subnet_id);

        if ((before == NULL) != (after == NULL) ||
            (before != NULL &&
             (json_equal(before->subnet, after->subnet) == 0 ||
              strcmp(config_network_name(before->network), config_network_name(after->network)) != 0)))
            return true;
    }
    return false;
}

/* The partner's printing of what was set is the next base. */
static struct result note_all_applied(struct way_run *run, const struct partner_config *now)
{
    const struct config_state *state = run->state;
    struct result result = result_ok();

    if (result_failed(state->lost) && !shows_a_change(run, now))
        return state->lost;
    for (size_t i = 0; i < state->chosen_count && !result_failed(result); i++) {
        struct batch_item *item = &run->batch->items[state->chosen[i]];

        if (state->accepted[i])
            result = way_note_applied(run, item, partner_config_find(now, object_subnet_id(item->wish.id)));
    }
    return result;
}

static struct way_step take_result(struct way_run *run, const struct kea_answer *answer)
{
    struct partner_config now;
    struct result result = partner_config_take(way_partner_name(run), answer->arguments, &now);

    if (!result_failed(result))
        result = note_all_applied(run, &now);
    partner_config_clear(&now);
    return result_failed(result) ? way_fail(WAY_FAILED, result) : way_done();
}

static struct way_step take_answer(struct way_run *run, const struct way_input *input)
{
    const struct config_state *state = run->state;
    struct kea_answer answer;
    struct way_step step;
    struct result result = kea_answer_read(way_partner_name(run), input->text, input->length, &answer);

    if (result_failed(result))
        return way_fail(WAY_FAILED, result);
    if (answer.code == KEA_CODE_UNSUPPORTED)
        step = way_fail(WAY_UNSUPPORTED, result_error(RESULT_REFUSED, "%.80s cannot be configured: %.200s",
                                                      way_partner_name(run), answer.text));
    else if (state->step == CONFIG_TEST)
        step = take_test(run, &answer);
    else if (state->step == CONFIG_TEST_UNCHANGED)
        step = take_test_of_unchanged(run, &answer);
    else if (state->step == CONFIG_SET)
        step = take_set(run, &answer);
    else if (answer.code != KEA_CODE_SUCCESS)
        step = way_fail(WAY_FAILED, result_error(RESULT_REFUSED, "%.80s refused config-get: %.200s",
                                                 way_partner_name(run), answer.text));
    else
        step = state->step == CONFIG_GET ? take_configuration(run, &answer) : take_result(run, &answer);
    kea_answer_clear(&answer);
    return step;
}

/* A connection may end with the configuration it was part of: what counts is what the partner runs then. */
static struct way_step lose(struct way_run *run, const struct way_input *input)
{
    struct config_state *state = run->state;

    if ((state->step != CONFIG_SET && state->step != CONFIG_VERIFY) || state->verifications++ == VERIFY_TRIES)
        return way_fail(WAY_FAILED, *input->why);
    if (state->step == CONFIG_SET)
        state->lost = *input->why;
    state->step = CONFIG_VERIFY;
    return way_wait(VERIFY_DELAY_MS);
}

static struct way_step advance(struct way_run *run, const struct way_input *input)
{
    switch (input->event) {
    case WAY_BEGIN:
        return begin(run);
    case WAY_WAITED:
        return run->state == NULL ? begin(run) : get(run, CONFIG_VERIFY);
    case WAY_ANSWERED:
        return take_answer(run, input);
    default:
        return lose(run, input);
    }
}

const struct way way_config = {.advance = advance, .clear = clear};
