/* Reading what a partner answered. It comes from the network: nothing in it is believed before the model has checked
 * it, and everything that can be wrong with it has a sentence. */
#include "failover_sync/batch.h"

#include "failover_sync/json_load.h"
#include "failover_sync/object_json.h"
#include "plugin/replication/kea_text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sentence's worth of a text from elsewhere, without control characters. */
static void excerpt(const char *text, char *target, size_t size)
{
    size_t length = 0;

    for (; text != NULL && *text != '\0' && length + 1 < size; text++)
        target[length++] = (unsigned char)*text < 0x20 ? ' ' : *text;
    target[length] = '\0';
}

static enum batch_outcome outcome_of(const char *word)
{
    static const struct {
        const char *word;
        enum batch_outcome outcome;
    } words[] = {
        {"applied", BATCH_APPLIED},         {"unchanged", BATCH_UNCHANGED}, {"conflict", BATCH_CONFLICT},
        {"overruled", BATCH_OVERRULED},     {"outdated", BATCH_OUTDATED},   {"id-mismatch", BATCH_ID_MISMATCH},
        {"clock-ahead", BATCH_CLOCK_AHEAD}, {"failed", BATCH_FAILED},       {"held", BATCH_HELD},
    };

    for (size_t i = 0; word != NULL && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].outcome;
    return BATCH_UNANSWERED;
}

static struct batch_item *find_item(struct batch *batch, object_id id)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].wish.id == id)
            return &batch->items[i];
    return NULL;
}

/* A partner's version becomes part of ours, so it has to be believable. One that only stands for words that were found
 * knows nobody yet, and is told of everybody. */
static void check_version(const char *partner, struct batch_item *item)
{
    const struct version_vector sent = item->version;
    const uint64_t now = (uint64_t)engine_now();
    const struct version_part *ahead = version_ahead(&item->has, version_limit(&sent, now));
    const size_t strangers = version_is_found(&sent) ? 0 : version_crowd(&item->has, &sent, now);

    if (ahead != NULL)
        (void)snprintf(
            item->text, sizeof item->text,
            "%.80s has a version of it whose number is %llu days ahead of the clock here: set both clocks right",
            partner, (unsigned long long)((ahead->edit - now) / VERSION_AHEAD_MAX));
    else if (strangers != 0)
        (void)snprintf(item->text, sizeof item->text,
                       "%.60s has a version with %zu writers of the last day whom nobody knows here; a shared secret "
                       "prevents that",
                       partner, strangers);
    else
        return;
    item->outcome = BATCH_FAILED;
    item->has = sent;
}

static void note_scopes(const char *partner, const struct model_node *root, struct batch *batch)
{
    for (const struct model_node *scope = object_first(root, &object_lists_all); scope != NULL;
         scope = object_next(root, &object_lists_all, scope)) {
        const char *name;
        struct batch_item *item = find_item(batch, object_of_node(scope, &name));

        if (item == NULL)
            continue;
        item->outcome = outcome_of(model_text(scope, "result"));
        item->answered = fingerprint_parse(model_text(scope, "fingerprint"));
        if (!version_parse(model_text(scope, "version"), &item->has))
            item->outcome = BATCH_UNANSWERED; /* the module's pattern lets none through */
        excerpt(model_text(scope, "text"), item->text, sizeof item->text);
        check_version(partner, item);
    }
}

static struct result read_arguments(const struct plugin *plugin, const char *partner, const json_t *arguments,
                                    struct batch *batch, struct batch_answer *answer)
{
    static const char *const states[] = {"pending", "applied", "recorded", "unrecorded", "busy"};
    char *text = arguments == NULL ? strdup("{}") : json_dumps(arguments, JSON_COMPACT);
    struct model_tree *tree = NULL;
    const struct model_node *root;
    const char *ticket, *state;
    size_t which = 0;
    struct result result;

    if (text == NULL)
        return result_no_memory("an answer");
    result = model_parse_output(plugin->model, "scope-receive", text, &tree);
    free(text);
    if (result_failed(result))
        return result_error(RESULT_NETWORK, "%.80s answered scope-receive in a form this version does not know: %.250s",
                            partner, result.message);
    root = model_root(tree);
    ticket = model_text(root, "ticket");
    state = model_text(root, "state");
    while (state != NULL && which < sizeof states / sizeof states[0] && strcmp(states[which], state) != 0)
        which++;
    if (ticket == NULL && which == ANSWER_BUSY) {
        answer->state = ANSWER_BUSY;
    } else if (ticket == NULL || state == NULL || which == sizeof states / sizeof states[0] ||
               strlen(ticket) >= sizeof answer->ticket) {
        result = result_error(RESULT_NETWORK, "%.80s answered scope-receive without a ticket and its state", partner);
    } else {
        (void)snprintf(answer->ticket, sizeof answer->ticket, "%s", ticket);
        answer->state = (enum answer_state)which;
        excerpt(model_text(root, "state-text"), answer->text, sizeof answer->text);
        answer->pause_us = (uint32_t)model_integer(root, "pause-us", 0);
        batch->partner_clock = model_integer(root, "clock", 0);
        note_scopes(partner, root, batch);
    }
    model_tree_free(tree);
    return result;
}

struct result batch_read_answer(const struct plugin *plugin, const char *partner, const char *text, size_t length,
                                struct batch *batch, struct batch_answer *answer)
{
    char said[200];
    char *readable = memchr(text, '\0', length) == NULL ? kea_json_readable(text) : NULL;
    json_t *root = readable == NULL ? NULL : json_load(readable, 0, &json_arguments_bounds, NULL);
    /* A control agent answers with a list of one answer per service, a server itself perhaps with the answer alone. */
    const json_t *one = json_is_array(root) ? json_array_get(root, 0) : root;
    const json_t *code = json_object_get(one, "result");
    struct result result;

    *answer = (struct batch_answer){.ticket = ""};
    if (!json_is_integer(code)) {
        result =
            result_error(RESULT_NETWORK,
                         "%.80s did not answer as a Kea server does: check that its url leads to Kea's control agent "
                         "or HTTP control socket",
                         partner);
        goto done;
    }
    excerpt(json_string_value(json_object_get(one, "text")), said, sizeof said);
    answer->unsupported = json_integer_value(code) == KEA_CODE_UNSUPPORTED;
    if (json_integer_value(code) == KEA_CODE_SUCCESS)
        result = read_arguments(plugin, partner, json_object_get(one, "arguments"), batch, answer);
    else if (answer->unsupported)
        result = result_error(RESULT_REFUSED,
                              "%.80s does not know the command scope-receive: load libdhcp_failover_sync.so there (%s)",
                              partner, said);
    else if (json_integer_value(code) == KEA_CODE_EMPTY)
        result = result_error(RESULT_NOT_FOUND, "%.80s does not know the ticket any more: %s", partner, said);
    else
        result = result_error(RESULT_REFUSED, "%.80s answered: %s", partner, said);
done:
    json_decref(root);
    free(readable);
    return result;
}
