/* Reading a partner's configuration: where each scope stands in it, and how it is printed. */
#include "plugin/replication/partner_config.h"

#include "plugin/replication/kea_text.h"

#include <stdlib.h>
#include <string.h>

#define TOP      "Dhcp4"
#define NETWORKS "shared-networks"
#define HIDDEN   "its words hold a password; they are in the partner's own log"

static int compare_scopes(const void *a, const void *b)
{
    const struct config_scope *first = a, *second = b;

    return (first->subnet_id > second->subnet_id) - (first->subnet_id < second->subnet_id);
}

static struct result add_subnets(const char *partner, struct partner_config *config, size_t *capacity,
                                 const json_t *subnets, const json_t *network)
{
    for (size_t i = 0; i < json_array_size(subnets); i++) {
        json_t *subnet = json_array_get(subnets, i);
        json_int_t id = json_integer_value(json_object_get(subnet, "id"));
        const char *prefix = json_string_value(json_object_get(subnet, "subnet"));

        if (id <= 0 || id > UINT32_MAX || prefix == NULL)
            return result_error(RESULT_NETWORK, "%.80s shows a subnet without an id or without a prefix", partner);
        if (config->count == *capacity) {
            size_t larger = *capacity * 2 + 64;
            struct config_scope *scopes = reallocarray(config->scopes, larger, sizeof *scopes);

            if (scopes == NULL)
                return result_no_memory("the partner's scopes");
            config->scopes = scopes;
            *capacity = larger;
        }
        config->scopes[config->count++] =
            (struct config_scope){.subnet_id = (uint32_t)id, .subnet = subnet, .network = network};
        if (json_object_set_new(config->prefixes, prefix, json_integer(id)) != 0)
            return result_no_memory("the partner's scopes");
    }
    return result_ok();
}

static bool is_password(const char *name)
{
    const size_t length = strlen(name);

    if (length >= 5 && strcmp(name + length - 5, "-file") == 0)
        return false;
    return strstr(name, "password") != NULL || strstr(name, "secret") != NULL;
}

/* The first password in a value, at any depth, that `wanted` is true for; NULL without one. */
typedef bool (*password_test)(const char *password, const char *text);
static const char *find_password(const json_t *value, password_test wanted, const char *text)
{
    const char *found = NULL, *name;
    json_t *member;

    if (json_is_array(value))
        for (size_t i = 0; i < json_array_size(value) && found == NULL; i++)
            found = find_password(json_array_get(value, i), wanted, text);
    if (!json_is_object(value))
        return found;
    json_object_foreach((json_t *)value, name, member)
    {
        const char *string = json_string_value(member);

        if (found == NULL && string != NULL && string[0] != '\0' && is_password(name) && wanted(string, text))
            found = string;
        else if (found == NULL)
            found = find_password(member, wanted, text);
    }
    return found;
}

static bool is_hidden(const char *password, const char *text)
{
    (void)text;
    return strspn(password, "*") == strlen(password);
}

static bool is_within(const char *password, const char *text)
{
    return strstr(text, password) != NULL;
}

void partner_config_hide_passwords(const struct partner_config *config, char *text, size_t size)
{
    if (find_password(config->dhcp, is_within, text) != NULL) {
        text[0] = '\0';
        strncat(text, HIDDEN, size - 1);
    }
}

struct result partner_config_take(const char *partner, const json_t *arguments, struct partner_config *config)
{
    const json_t *networks;
    size_t capacity = 0;
    struct result result;

    *config = (struct partner_config){.dhcp = json_incref(json_object_get(arguments, TOP))};
    if (!json_is_object(config->dhcp)) {
        partner_config_clear(config);
        return result_error(RESULT_NETWORK,
                            "%.80s answered config-get without \"%s\": its url must lead to a kea-dhcp4", partner, TOP);
    }
    config->prefixes = json_object();
    result = config->prefixes == NULL
                 ? result_no_memory("the partner's scopes")
                 : add_subnets(partner, config, &capacity, json_object_get(config->dhcp, CONFIG_SUBNET), NULL);
    networks = json_object_get(config->dhcp, NETWORKS);
    for (size_t i = 0; i < json_array_size(networks) && !result_failed(result); i++) {
        const json_t *network = json_array_get(networks, i);

        result = add_subnets(partner, config, &capacity, json_object_get(network, CONFIG_SUBNET), network);
    }
    if (!result_failed(result) && find_password(config->dhcp, is_hidden, NULL) != NULL)
        result = result_error(RESULT_REFUSED,
                              "%.80s hides passwords in its answer to config-get, so that its configuration cannot be "
                              "set again: load libdhcp_failover_sync.so there",
                              partner);
    if (result_failed(result)) {
        partner_config_clear(config);
        return result;
    }
    if (config->count > 0)
        qsort(config->scopes, config->count, sizeof *config->scopes, compare_scopes);
    return result;
}

void partner_config_clear(struct partner_config *config)
{
    json_decref(config->dhcp);
    json_decref(config->prefixes);
    free(config->scopes);
    *config = (struct partner_config){.dhcp = NULL};
}

const struct config_scope *partner_config_find(const struct partner_config *config, uint32_t subnet_id)
{
    const struct config_scope wanted = {.subnet_id = subnet_id};

    return config->count == 0 ? NULL
                              : bsearch(&wanted, config->scopes, config->count, sizeof *config->scopes, compare_scopes);
}

uint32_t partner_config_find_prefix(const struct partner_config *config, const char *prefix)
{
    return (uint32_t)json_integer_value(json_object_get(config->prefixes, prefix));
}

const json_t *partner_config_find_network(const struct partner_config *config, const char *name)
{
    const json_t *networks = json_object_get(config->dhcp, NETWORKS);

    for (size_t i = 0; i < json_array_size(networks); i++)
        if (strcmp(config_network_name(json_array_get(networks, i)), name) == 0)
            return json_array_get(networks, i);
    return NULL;
}

const char *config_network_name(const json_t *network)
{
    const char *name = json_string_value(json_object_get(network, "name"));

    return name == NULL ? "" : name;
}

void config_settle_local(json_t *map, const json_t *there, char *const *local_parameters)
{
    for (; *local_parameters != NULL; local_parameters++) {
        json_t *value = json_object_get(there, *local_parameters);

        if (value != NULL)
            (void)json_object_set(map, *local_parameters, value);
        else
            (void)json_object_del(map, *local_parameters);
    }
}

struct printed_reservation {
    char *text;
    json_t *reservation;
};

static int compare_reservations(const void *a, const void *b)
{
    const struct printed_reservation *first = a, *second = b;

    return strcmp(first->text, second->text);
}

json_t *config_reservations(const json_t *subnet)
{
    const json_t *list = json_object_get(subnet, "reservations");
    size_t count = json_array_size(list);
    struct printed_reservation *printed = calloc(count + 1, sizeof *printed);
    json_t *sorted = printed == NULL ? NULL : json_array();

    for (size_t i = 0; i < count && sorted != NULL; i++) {
        printed[i].reservation = json_array_get(list, i);
        printed[i].text = kea_text_print(printed[i].reservation);
        if (printed[i].text == NULL) {
            json_decref(sorted);
            sorted = NULL;
        }
    }
    if (sorted != NULL && count > 0)
        qsort(printed, count, sizeof *printed, compare_reservations);
    for (size_t i = 0; i < count && sorted != NULL; i++)
        (void)json_array_append(sorted, printed[i].reservation);
    for (size_t i = 0; i < count && printed != NULL; i++)
        free(printed[i].text);
    free(printed);
    return sorted;
}

void config_drop_local(json_t *map, char *const *local_parameters)
{
    for (; *local_parameters != NULL; local_parameters++)
        (void)json_object_del(map, *local_parameters);
}

char *partner_config_print(const struct config_scope *at, char *const *local_parameters)
{
    json_t *definition = json_object(), *subnet = json_copy(at->subnet),
           *reservations = config_reservations(at->subnet);
    json_t *network = json_copy((json_t *)at->network);
    bool ok = reservations != NULL && (at->network == NULL) == (network == NULL);
    char *text = NULL;

    config_drop_local(subnet, local_parameters);
    ok = json_object_set_new(subnet, "reservations", reservations) == 0 && ok;
    if (network != NULL) {
        (void)json_object_del(network, CONFIG_SUBNET);
        config_drop_local(network, local_parameters);
        ok = json_object_set_new(definition, CONFIG_NETWORK, network) == 0 && ok;
    }
    ok = json_object_set_new(definition, CONFIG_SUBNET, subnet) == 0 && ok;
    if (ok)
        text = kea_text_print(definition);
    json_decref(definition);
    return text;
}
