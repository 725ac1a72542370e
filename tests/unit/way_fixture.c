/* One end of a relationship, and the simulated Kea at the other. */
#include "way_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MESSAGES 64

struct simulated_kea kea;
struct way_run run;

static struct plugin plugin;
static struct batch batch;
static unsigned logged[MESSAGES];

static void log_message(void *context, enum kea_message message, const char *const *arguments)
{
    (void)context;
    (void)arguments;
    logged[message]++;
}

static const struct kea_server server = {.version = "fake", .service = "dhcp4", .log = log_message};

json_t *way_fixture_json(const char *text)
{
    char *copy = strdup(text);
    json_t *value;

    for (char *at = copy; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    value = kea_text_parse(copy, strlen(copy));
    if (value == NULL)
        fail_msg("not JSON: %s", copy);
    free(copy);
    return value;
}

void way_fixture_set_up(const char *self, const char *parameters)
{
    char ha[400];

    memset(logged, 0, sizeof logged);
    plugin = (struct plugin){.server = &server};
    assert_int_equal(parameters_parse(parameters, "dhcp4", &plugin.parameters).code, RESULT_OK);
    snprintf(ha, sizeof ha,
             "[{\"this-server-name\":\"%s\",\"mode\":\"load-balancing\",\"peers\":["
             "{\"name\":\"server1\",\"url\":\"http://192.0.2.1:8000/\",\"role\":\"primary\"},"
             "{\"name\":\"server2\",\"url\":\"http://192.0.2.2:8000/\",\"role\":\"secondary\"}]}]",
             self);
    assert_int_equal(relationships_parse(ha, &plugin.parameters, &plugin.relationships).code, RESULT_OK);
    assert_int_equal(plugin.relationships.count, 1);
    batch = (struct batch){.items = NULL};
    run = (struct way_run){.plugin = &plugin, .number = 0, .batch = &batch};
    run.choice = (struct way_choice){.asked = true, .listed = true, .can = {false, true, true}};
    kea = (struct simulated_kea){.dhcp = json_object(), .commands = json_array(), .refusal = "refused"};
}

void way_fixture_tear_down(void)
{
    batch_clear(&batch);
    relationships_clear(&plugin.relationships);
    parameters_clear(&plugin.parameters);
    json_decref(kea.dhcp);
    json_decref(kea.commands);
}

void way_fixture_partner(const char *dhcp)
{
    json_decref(kea.dhcp);
    kea.dhcp = way_fixture_json(dhcp);
}

/* ---- the partner's configuration ---- */

static json_t *networks(void)
{
    if (json_object_get(kea.dhcp, "shared-networks") == NULL)
        json_object_set_new(kea.dhcp, "shared-networks", json_array());
    return json_object_get(kea.dhcp, "shared-networks");
}

static json_t *subnets_of(json_t *map)
{
    if (json_object_get(map, "subnet4") == NULL)
        json_object_set_new(map, "subnet4", json_array());
    return json_object_get(map, "subnet4");
}

/* Finds a subnet by id in one list. */
static size_t place_in(json_t *list, json_int_t id)
{
    size_t i = 0;

    while (i < json_array_size(list) && json_integer_value(json_object_get(json_array_get(list, i), "id")) != id)
        i++;
    return i;
}

/* The list that holds the subnet, and where; NULL if none does. */
static json_t *list_of(json_int_t id, size_t *place)
{
    json_t *list = subnets_of(kea.dhcp);

    *place = place_in(list, id);
    for (size_t i = 0; *place == json_array_size(list); i++) {
        if (i == json_array_size(networks()))
            return NULL;
        list = subnets_of(json_array_get(networks(), i));
        *place = place_in(list, id);
    }
    return list;
}

json_t *way_fixture_subnet(uint32_t subnet_id)
{
    size_t place;
    json_t *list = list_of(subnet_id, &place);

    return list == NULL ? NULL : json_array_get(list, place);
}

json_t *way_fixture_network(const char *name)
{
    for (size_t i = 0; i < json_array_size(networks()); i++)
        if (strcmp(config_network_name(json_array_get(networks(), i)), name) == 0)
            return json_array_get(networks(), i);
    return NULL;
}

/* ---- its commands ---- */

static json_t *answer(int result, const char *text, json_t *arguments)
{
    json_t *map = json_pack("{s:i,s:s}", "result", result, "text", text);

    if (arguments != NULL)
        json_object_set_new(map, "arguments", arguments);
    return map;
}

static bool is_refused(const json_t *subnet)
{
    const char *comment = json_string_value(json_object_get(subnet, "comment"));

    return kea.refused != NULL && comment != NULL && strcmp(comment, kea.refused) == 0;
}

static bool any_refused(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (is_refused(json_array_get(list, i)))
            return true;
    return false;
}

static bool refuses(const json_t *dhcp)
{
    const json_t *list = json_object_get(dhcp, "shared-networks");
    bool found = any_refused(json_object_get(dhcp, "subnet4"));

    for (size_t i = 0; i < json_array_size(list); i++)
        found = found || any_refused(json_object_get(json_array_get(list, i), "subnet4"));
    return found;
}

static json_t *on_configuration(const char *command, json_t *arguments)
{
    json_t *dhcp = json_object_get(arguments, "Dhcp4");

    if (strcmp(command, "config-get") == 0)
        return answer(0, "", json_pack("{s:O,s:s}", "Dhcp4", kea.dhcp, "hash", "ABCD"));
    if (json_object_size(arguments) != 1 || dhcp == NULL)
        return answer(1, "Unsupported 'hash' parameter.", NULL);
    if (refuses(dhcp) || (kea.refuses != NULL && strcmp(command, kea.refuses) == 0))
        return answer(1, kea.refusal, NULL);
    if (strcmp(command, "config-set") == 0) {
        json_decref(kea.dhcp);
        kea.dhcp = json_deep_copy(dhcp);
    }
    return answer(0, "Configuration successful.", NULL);
}

static json_t *on_subnet(const char *command, json_t *arguments)
{
    json_t *given = json_array_get(json_object_get(arguments, "subnet4"), 0);
    json_int_t id = json_integer_value(json_object_get(given == NULL ? arguments : given, "id"));
    json_t *shown, *list;
    size_t place;

    if (json_object_get(given, "reservations") != NULL)
        return answer(1, "must not specify host reservations", NULL);
    if (is_refused(given))
        return answer(1, kea.refusal, NULL);
    list = list_of(id, &place);
    if (strcmp(command, "subnet4-add") == 0) {
        if (list != NULL)
            return answer(1, "ID of the new IPv4 subnet is already in use", NULL);
        shown = json_deep_copy(given);
        json_object_set_new(shown, "reservations", json_array());
        json_array_append_new(subnets_of(kea.dhcp), shown);
        return answer(0, "IPv4 subnet added", NULL);
    }
    if (list == NULL)
        return answer(strcmp(command, "subnet4-update") == 0 ? 1 : 3, "no such subnet", NULL);
    shown = json_deep_copy(json_array_get(list, place));
    if (strcmp(command, "subnet4-get") == 0) {
        json_object_del(shown, "reservations");
        return answer(0, "", json_pack("{s:[o]}", "subnet4", shown));
    }
    if (strcmp(command, "subnet4-del") == 0) {
        json_decref(shown);
        json_array_remove(list, place);
        return answer(0, "deleted", NULL);
    }
    given = json_deep_copy(given);
    json_object_set(given, "reservations", json_object_get(shown, "reservations"));
    json_array_set_new(list, place, given);
    json_decref(shown);
    return answer(0, "IPv4 subnet updated", NULL);
}

static json_t *on_network(const char *command, json_t *arguments)
{
    json_t *given = json_array_get(json_object_get(arguments, "shared-networks"), 0);
    const char *name = config_network_name(given == NULL ? arguments : given);
    json_int_t id = json_integer_value(json_object_get(arguments, "id"));
    json_t *network = way_fixture_network(name), *subnet, *list;
    size_t place = 0;

    if (strcmp(command, "network4-add") == 0) {
        if (network != NULL)
            return answer(1, "duplicate network", NULL);
        json_array_append_new(networks(), json_deep_copy(given));
        (void)subnets_of(way_fixture_network(name));
        return answer(0, "added", NULL);
    }
    if (network == NULL)
        return answer(3, "no such network", NULL);
    if (strcmp(command, "network4-get") == 0)
        return answer(0, "", json_pack("{s:[O]}", "shared-networks", network));
    if (strcmp(command, "network4-del") == 0) {
        if (json_array_size(subnets_of(network)) > 0 && kea.tamper == NULL)
            fail_msg("the network %s still has subnets", name);
        for (size_t i = 0; i < json_array_size(networks()); i++)
            if (json_array_get(networks(), i) == network) {
                json_array_remove(networks(), i);
                break;
            }
        return answer(0, "deleted", NULL);
    }
    /* network4-subnet-add, network4-subnet-del */
    list = list_of(id, &place);
    if (list == NULL || (strstr(command, "-add") == NULL) != (list == subnets_of(network)))
        return answer(1, "no such subnet there", NULL);
    subnet = json_incref(json_array_get(list, place));
    json_array_remove(list, place);
    json_array_append_new(strstr(command, "-add") == NULL ? subnets_of(kea.dhcp) : subnets_of(network), subnet);
    return answer(0, "done", NULL);
}

static char *answer_to(const char *request, bool *lost)
{
    json_t *root = json_loads(request, 0, NULL), *arguments, *said;
    const char *command;
    char *text;

    if (root == NULL)
        fail_msg("not JSON: %s", request);
    command = json_string_value(json_object_get(root, "command"));
    arguments = json_object_get(root, "arguments");
    assert_string_equal(json_string_value(json_array_get(json_object_get(root, "service"), 0)), "dhcp4");
    json_array_append_new(kea.commands, json_string(command));
    *lost = kea.lost != NULL && strcmp(kea.lost, command) == 0 && kea.lost_skip == 0 && kea.lost_count > 0;
    kea.lost_count -= *lost;
    kea.lost_skip -= kea.lost != NULL && strcmp(kea.lost, command) == 0 && kea.lost_skip > 0;
    if (kea.between != NULL)
        kea.between(&kea, command);
    if (*lost && kea.lost_before)
        said = answer(0, "", NULL);
    else if (strncmp(command, "config-", 7) == 0)
        said = on_configuration(command, arguments);
    else if (!kea.subnet_commands)
        said = answer(2, "command not supported.", NULL);
    else if (strncmp(command, "subnet4-", 8) == 0)
        said = on_subnet(command, arguments);
    else
        said = on_network(command, arguments);
    text = kea_text_print(said);
    json_decref(said);
    json_decref(root);
    return kea.tamper == NULL ? text : kea.tamper(text);
}

/* ---- the batch and the conversation ---- */

struct fingerprint way_fixture_fingerprint(uint32_t subnet_id)
{
    json_t *answered = json_pack("{s:O}", "Dhcp4", kea.dhcp);
    struct fingerprint fingerprint = {.hex = ""};
    const struct config_scope *at;
    struct partner_config there;

    assert_int_equal(partner_config_take("server2", answered, &there).code, RESULT_OK);
    at = partner_config_find(&there, subnet_id);
    if (at != NULL) {
        char *text = partner_config_print(at, plugin.parameters.local_parameters);

        fingerprint = fingerprint_of(text, strlen(text));
        free(text);
    }
    partner_config_clear(&there);
    json_decref(answered);
    return fingerprint;
}

struct batch_item *way_fixture_wish(uint32_t subnet_id, const char *prefix, const char *subnet, const char *network)
{
    json_t *definition = json_object();
    struct batch_item *item;

    batch.items = realloc(batch.items, (batch.count + 1) * sizeof *batch.items);
    item = &batch.items[batch.count++];
    *item = (struct batch_item){.wish = {.id = subnet_id, .removal = subnet == NULL},
                                .base = way_fixture_fingerprint(subnet_id)};
    snprintf(item->wish.name, sizeof item->wish.name, "%s", prefix);
    if (subnet != NULL) {
        json_object_set_new(definition, "subnet4", way_fixture_json(subnet));
        if (network != NULL)
            json_object_set_new(definition, "shared-network", way_fixture_json(network));
        item->definition = kea_text_print(definition);
        item->effective = kea_text_print(definition);
        item->pushed = fingerprint_of(item->definition, strlen(item->definition));
    }
    json_decref(definition);
    return item;
}

void way_fixture_forget_agreement(struct batch_item *item)
{
    item->base = fingerprint_parse(NULL);
}

struct way_step way_fixture_talk(const struct way *way, int64_t *waited_ms)
{
    const struct result gone = result_error(RESULT_NETWORK, "gone");
    struct way_input input = {.event = WAY_BEGIN};
    char *text = NULL;
    struct way_step step;

    for (unsigned steps = 0;; steps++) {
        bool lost = false;

        assert_true(steps < 1000);
        step = way->advance(&run, &input);
        free(text);
        text = NULL;
        if (step.next == WAY_WAIT) {
            if (waited_ms != NULL)
                *waited_ms += step.delay_ms;
            /* The clock is not waited for. */
            run.last_set = run.last_set == 0 ? 0 : run.last_set - step.delay_ms;
            input = (struct way_input){.event = WAY_WAITED};
            continue;
        }
        if (step.next != WAY_SEND)
            break;
        assert_true(step.timeout_ms > 0 && step.answer_max > 0);
        text = answer_to(step.request, &lost);
        free(step.request);
        input = lost ? (struct way_input){.event = WAY_LOST, .why = &gone}
                     : (struct way_input){.event = WAY_ANSWERED, .text = text, .length = strlen(text)};
    }
    way->clear(&run);
    return step;
}

struct way_step way_fixture_talk_to_a_wall(const struct way *way, const char *text)
{
    char *answered = strdup(text);
    struct way_input input = {.event = WAY_BEGIN};
    struct way_step step;

    for (char *at = answered; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    for (unsigned steps = 0; (step = way->advance(&run, &input)).next == WAY_SEND; steps++) {
        assert_true(steps < 1000);
        free(step.request);
        input = (struct way_input){.event = WAY_ANSWERED, .text = answered, .length = strlen(answered)};
    }
    way->clear(&run);
    free(answered);
    return step;
}

char *way_fixture_commands(void)
{
    size_t length = 1;
    char *text;

    for (size_t i = 0; i < json_array_size(kea.commands); i++)
        length += strlen(json_string_value(json_array_get(kea.commands, i))) + 1;
    text = calloc(1, length);
    for (size_t i = 0; i < json_array_size(kea.commands); i++) {
        if (i > 0)
            strcat(text, " ");
        strcat(text, json_string_value(json_array_get(kea.commands, i)));
    }
    return text;
}

unsigned way_fixture_logged(enum kea_message message)
{
    return logged[message];
}
