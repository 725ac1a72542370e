/* The best way: the partner runs this library. The batch is pushed with scope-receive, then its ticket is asked for
 * until the partner has recorded what it took. */
#include "plugin/replication/way.h"

#include <stdlib.h>

#define ASK_FIRST_MS    2   /* until the first question whether a batch is recorded */
#define ASK_MAX_MS      200 /* between later ones */
#define ASK_PATIENCE_MS 20000
#define BUSY_MS         20 /* until a partner that is recording is sent something again */

struct receive_state {
    struct batch_answer answer; /* the last one */
    bool asking;                /* the batch was answered, its ticket is asked for */
    int64_t delay, until;
};

static struct way_step push(struct way_run *run)
{
    char *text = NULL;
    struct result result;

    run->state = calloc(1, sizeof(struct receive_state));
    if (run->state == NULL)
        return way_fail(WAY_FAILED, result_no_memory("a request to the partner"));
    result = batch_request(run->plugin, run->number, run->batch, &text);
    return result_failed(result) ? way_fail(WAY_FAILED, result) : way_send_own("scope-receive", text);
}

static struct way_step ask(struct way_run *run)
{
    const struct receive_state *state = run->state;
    char *text = NULL;
    struct result result = batch_question(run->plugin, run->number, state->answer.ticket, &text);

    return result_failed(result) ? way_fail(WAY_FAILED, result) : way_send_own("scope-receive", text);
}

/* A partner that has not taken the batch, since it has not recorded an earlier one whose answer was lost, is sent what
 * is due then. */
static struct way_step give_back(struct way_run *run)
{
    batch_drop_unanswered(run->batch);
    return way_done();
}

/* Asks again, a little later each time, until patience ends. */
static struct way_step wait_for_record(struct way_run *run)
{
    struct receive_state *state = run->state;
    const int64_t now = engine_ticks();

    if (state->answer.state == ANSWER_BUSY)
        return way_wait(BUSY_MS);
    if (!state->asking) {
        state->asking = true;
        state->delay = ASK_FIRST_MS;
        state->until = now + ASK_PATIENCE_MS;
    } else if (state->delay < ASK_MAX_MS) {
        state->delay *= 2;
    }
    if (now > state->until)
        return way_fail(WAY_FAILED,
                        result_error(RESULT_NETWORK, "%.80s took the scopes but did not record them in time",
                                     way_partner_name(run)));
    return way_wait(state->delay);
}

/* The next batch is as large as the partner can take while packets wait. */
static void choose_size(struct way_run *run, uint32_t pause_us)
{
    const size_t before = run->batch_scopes, took = run->batch->count;
    size_t scopes = pause_us == 0 ? BATCH_SCOPES_MAX : took * BATCH_BUSY_US / pause_us;

    /* One answer says little of a server that has other things to do, too. */
    if (before > 0)
        scopes = (scopes > before * 2 ? before * 3 : before + scopes) / 2;
    if (scopes < BATCH_SCOPES_MIN)
        scopes = BATCH_SCOPES_MIN;
    run->batch_scopes = scopes > BATCH_SCOPES_MAX ? BATCH_SCOPES_MAX : scopes;
}

static struct way_step take_answer(struct way_run *run, const struct way_input *input)
{
    struct receive_state *state = run->state;
    struct result result =
        batch_read_answer(run->plugin, way_partner_name(run), input->text, input->length, run->batch, &state->answer);

    if (result.code == RESULT_NOT_FOUND && state->asking)
        return way_fail(WAY_AGAIN, result); /* the partner was restarted: what it had not recorded may be lost */
    if (result_failed(result))
        return way_fail(state->answer.unsupported ? WAY_UNSUPPORTED : WAY_FAILED, result);
    switch (state->answer.state) {
    case ANSWER_RECORDED:
        choose_size(run, state->answer.pause_us);
        return way_done();
    case ANSWER_UNRECORDED:
        return way_fail(WAY_FAILED,
                        result_error(RESULT_REFUSED, "%.80s runs the scopes but could not record them: %.200s",
                                     way_partner_name(run), state->answer.text));
    default:
        return wait_for_record(run);
    }
}

static struct way_step advance(struct way_run *run, const struct way_input *input)
{
    switch (input->event) {
    case WAY_BEGIN:
        return push(run);
    case WAY_WAITED:
        return ((struct receive_state *)run->state)->asking ? ask(run) : give_back(run);
    case WAY_ANSWERED:
        return take_answer(run, input);
    default:
        return way_fail(WAY_FAILED, *input->why);
    }
}

static void clear(struct way_run *run)
{
    free(run->state);
    run->state = NULL;
}

const struct way way_receive = {.advance = advance, .clear = clear};
