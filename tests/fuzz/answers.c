/* What a partner answers, in each of the ways. The first byte chooses the way, the second what is agreed on already.
 *
 * Kea's own commands are answered by a simulated Kea: the first line is its configuration, the next four the subnets
 * that it is to get ("1 {...}", with the shared network behind a tab; "1" alone is a removal). The lines after that
 * take the place of answers: "3 {...}" of the fourth, "3" alone loses it.
 *
 * The other ways are answered by the lines, one after the other. */
#include "fuzz.h"

#include "failover_sync/json_load.h"
#include "failover_sync/trust.h"

#include "plugin/replication/reconcile_private.h"

#include "tests/unit/way_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define WISHES    4
#define ANSWERS   12
#define STEPS_MAX 3000

enum asked { ASKED_RECEIVE, ASKED_SUBNET, ASKED_CONFIG, ASKED_COMMANDS, ASKED_DIGEST, ASKED_KINDS };

static struct model *model;
static char secret[96];

/* The answers that are not as the simulated Kea gives them. */
static struct {
    unsigned long number;
    char *text;
} answers[ANSWERS];
static size_t answer_count;
static unsigned long answered;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    FILE *file;

    (void)count;
    (void)arguments;
    (void)snprintf(secret, sizeof secret, "%s/secret", fuzz_folder());
    file = fopen(secret, "w");
    if (file == NULL || fputs("a secret of the fuzzer's\n", file) < 0 || fclose(file) != 0 ||
        chmod(secret, 0600) != 0 || result_failed(model_new(&model)))
        abort();
    return 0;
}

/* ---- the batch ---- */

/* The fixture's JSON has ' for ". */
static bool is_map(char *text)
{
    json_t *value;
    bool map;

    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = ' ';
    value = kea_text_parse(text, strlen(text));
    map = json_is_object(value);
    json_decref(value);
    return map;
}

/* One that can be read; any other may come as the answer to config-get. */
static bool is_configuration(char *text)
{
    struct partner_config config;
    json_t *arguments;
    bool understood;

    if (!is_map(text))
        return false;
    arguments = json_pack("{s:o}", "Dhcp4", kea_text_parse(text, strlen(text)));
    understood = !result_failed(partner_config_take("server2", arguments, &config));
    partner_config_clear(&config);
    json_decref(arguments);
    return understood;
}

static void wish(char *line, bool agreed)
{
    char *rest, *network, prefix[48];
    const unsigned long id = strtoul(line, &rest, 10);
    struct batch_item *item;

    if (id == 0 || id > 255 || (*rest != ' ' && *rest != '\0'))
        return;
    for (size_t i = 0; i < run.batch->count; i++)
        if (run.batch->items[i].wish.id == id)
            return;
    (void)snprintf(prefix, sizeof prefix, "10.0.%lu.0/24", id);
    network = strchr(rest, '\t');
    if (network != NULL)
        *network++ = '\0';
    if ((*rest != '\0' && !is_map(rest + 1)) || (network != NULL && !is_map(network)))
        return;
    item = way_fixture_wish((uint32_t)id, prefix, *rest == '\0' ? NULL : rest + 1, network);
    if (!agreed)
        way_fixture_forget_agreement(item);
}

/* ---- what must hold when a conversation has ended ---- */

static void check_end(const struct way_step *step)
{
    FUZZ_CHECK(step->next != WAY_SEND && step->next != WAY_WAIT);
    FUZZ_CHECK((step->next == WAY_DONE) == (step->why.message[0] == '\0'));
    for (size_t i = 0; i < run.batch->count; i++) {
        const struct batch_item *item = &run.batch->items[i];

        FUZZ_CHECK(item->outcome <= BATCH_IMPOSSIBLE);
        FUZZ_CHECK(memchr(item->text, '\0', sizeof item->text) != NULL);
    }
}

/* The partner has what it was said to have been given. */
static void check_applied(void)
{
    for (size_t i = 0; i < run.batch->count; i++) {
        const struct batch_item *item = &run.batch->items[i];
        const json_t *subnet = way_fixture_subnet(object_subnet_id(item->wish.id));

        if (item->outcome == BATCH_APPLIED)
            FUZZ_CHECK((subnet == NULL) == item->wish.removal);
    }
}

/* ---- a Kea with somebody in between ---- */

static char *tamper(char *answer)
{
    const unsigned long number = answered++;

    for (size_t i = 0; i < answer_count; i++)
        if (answers[i].number == number) {
            free(answer);
            return strdup(answers[i].text);
        }
    return answer;
}

static void read_answers(struct fuzz_input *input)
{
    answer_count = 0;
    answered = 0;
    while (input->length > 0 && answer_count < ANSWERS) {
        char *line = fuzz_line(input), *rest;

        answers[answer_count].number = strtoul(line, &rest, 10);
        answers[answer_count++].text = strdup(*rest == ' ' ? rest + 1 : rest);
        free(line);
    }
}

static void talk_to_kea(const struct way *way, struct fuzz_input *input, bool agreed)
{
    char *configuration = fuzz_line(input);
    struct way_step step;
    bool honest;

    if (is_configuration(configuration))
        way_fixture_partner(configuration);
    free(configuration);
    kea.subnet_commands = true;
    for (int i = 0; i < WISHES; i++) {
        char *line = fuzz_line(input);

        wish(line, agreed);
        free(line);
    }
    read_answers(input);
    kea.tamper = tamper;
    honest = answer_count == 0;
    step = way_fixture_talk(way, NULL);
    check_end(&step);
    if (honest)
        check_applied();
    for (size_t i = 0; i < answer_count; i++)
        free(answers[i].text);
}

/* ---- a partner that says whatever it likes ---- */

static void talk(const struct way *way, struct fuzz_input *input)
{
    const struct result gone = result_error(RESULT_NETWORK, "gone");
    struct way_input event = {.event = WAY_BEGIN};
    char *text = NULL;
    struct way_step step;
    unsigned steps = 0;

    for (;;) {
        step = way->advance(&run, &event);
        free(text);
        text = NULL;
        if (step.next != WAY_SEND && step.next != WAY_WAIT)
            break;
        if (step.next == WAY_WAIT) {
            FUZZ_CHECK(step.delay_ms >= 0);
            if (++steps > STEPS_MAX) /* it waits for the clock, which does not move */
                break;
            event = (struct way_input){.event = WAY_WAITED};
            continue;
        }
        FUZZ_CHECK(step.request != NULL && step.timeout_ms > 0 && step.answer_max > 0);
        free(step.request);
        if (input->length == 0) {
            event = (struct way_input){.event = WAY_LOST, .why = &gone, .http_status = 403};
            FUZZ_CHECK(++steps < STEPS_MAX);
            continue;
        }
        text = fuzz_line(input);
        event = (struct way_input){.event = WAY_ANSWERED, .text = text, .length = strlen(text)};
    }
    way->clear(&run);
    if (step.next != WAY_WAIT)
        check_end(&step);
}

static void ask_commands(struct fuzz_input *input)
{
    struct result why = result_ok();
    enum apply_way way;

    run.choice = (struct way_choice){.asked = false};
    talk(&way_ask, input);
    way = way_pick(&run.plugin->parameters, &run.choice, way_partner_name(&run), &why);
    FUZZ_CHECK(way < APPLY_WAYS || why.message[0] != '\0');
}

/* Pages of the partner's list of versions, sealed or not. */
static void read_digests(struct fuzz_input *input)
{
    struct partner_list list = {.scopes = NULL};
    struct trust_letter letter;
    size_t next = 0;

    while (input->length > 0) {
        static const char question[] = "{\"command\":\"scope-digest\",\"arguments\":{\"from\":0}}";
        char *text = fuzz_line(input), *sealed = NULL;
        struct model_tree *tree = NULL;
        struct result why = trust_seal(run.plugin, 0, "scope-digest", question, &sealed, &letter);
        enum trust_verdict verdict;
        json_t *wanted;

        FUZZ_CHECK(!result_failed(why) && sealed != NULL);
        verdict = trust_judge(run.plugin, 0, "scope-digest", &letter, text, strlen(text), &why);
        FUZZ_CHECK((verdict == TRUST_STRAY || verdict == TRUST_REFUSED) == result_failed(why));
        FUZZ_CHECK(letter.seal[0] == '\0' || verdict == TRUST_REFUSED || verdict == TRUST_STRAY);
        if (!result_failed(model_parse_output(model, "scope-digest", text, &tree)) &&
            !result_failed(partner_list_add(&list, model_root(tree)))) {
            for (size_t i = 0; i < list.count; i++)
                list.scopes[i].wanted = true;
            wanted = partner_list_wanted(&list, &next);
            json_decref(wanted);
        }
        for (size_t i = 1; i < list.count; i++)
            FUZZ_CHECK(list.scopes[i].id > list.scopes[i - 1].id);
        model_tree_free(tree);
        free(sealed);
        free(text);
    }
    partner_list_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input input = {.bytes = bytes, .length = length};
    const enum asked asked = (enum asked)(fuzz_byte(&input) % ASKED_KINDS);
    const unsigned options = fuzz_byte(&input);
    char parameters[200] = "{}";
    char change[] = "1 {}", removal[] = "2";

    if ((options & 4) != 0)
        (void)snprintf(parameters, sizeof parameters, "{\"shared-secret-file\": \"%s\", \"conflict\": \"hold\"}",
                       secret);
    way_fixture_set_up((options & 1) != 0 ? "server2" : "server1", parameters);
    run.plugin->model = model;
    if (result_failed(trust_new(&run.plugin->trust)))
        abort();
    switch (asked) {
    case ASKED_SUBNET:
        talk_to_kea(&way_subnet, &input, (options & 2) == 0);
        break;
    case ASKED_CONFIG:
        talk_to_kea(&way_config, &input, (options & 2) == 0);
        break;
    case ASKED_COMMANDS:
        ask_commands(&input);
        break;
    case ASKED_DIGEST:
        read_digests(&input);
        break;
    default:
        wish(change, true);
        wish(removal, true);
        talk(&way_receive, &input);
        break;
    }
    trust_free(run.plugin->trust);
    way_fixture_tear_down();
    return 0;
}
