/* Adding an address: the part of ValidateIpamIPAddress (MS-IPAMM2 3.1.4.8) that its columns here can be held to, the
 * row, and the range it maps to. */
#include "failover_sync/range_operation.h"

#include "failover_sync/store.h"
#include "range_parts.h"

#include <string.h>

struct addition {
    struct store *store;
    const struct model_node *input;
    struct ip_address address;
};

/* The addresses that no device has, RFC 3330 and RFC 3513. */
static bool is_special(const struct address_span *span)
{
    static const char *const networks[] = {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "255.255.255.255/32",
                                           "::/127",    "fe80::/10",   "fec0::/10",      "ff00::/8"};

    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        struct network network;

        if (network_parse(networks[i], &network) && network.span.v6 == span->v6 &&
            span_contains(&network.span, &span->first))
            return true;
    }
    return false;
}

static struct fault read_texts(struct addition *addition)
{
    struct ip_address *address = &addition->address;
    const struct {
        const char *node;
        char **place;
    } texts[] = {
        {"address-assignment", &address->address_assignment},
        {"mac-address", &address->mac_address},
        {"duid", &address->duid},
        {"device-name", &address->device_name},
        {"owner", &address->owner},
        {"asset-tag", &address->asset_tag},
        {"serial-number", &address->serial_number},
        {"notes", &address->notes},
        {"virtualization-type", &address->virtualization},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *given = model_text(addition->input, texts[i].node);

        *texts[i].place = given == NULL ? NULL : strdup(given);
        if (given != NULL && *texts[i].place == NULL)
            return fault_no_memory();
    }
    return fault_none();
}

static struct fault read_address(struct addition *addition)
{
    struct ip_address *address = &addition->address;
    const char *family = model_text(addition->input, "address-family");
    const char *text = model_text(addition->input, "ip-address");
    struct address_span span;
    const char *category;
    struct fault fault;

    address->v6 = family != NULL && strcmp(family, address_family_word(true)) == 0;
    if (text == NULL || !address_parse(text, address->v6, &address->address))
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "ip-address", "\"%.60s\" is no IPv%d address",
                               text == NULL ? "" : text, address->v6 ? 6 : 4);
    address->has_address = true;
    span = (struct address_span){.first = address->address, .last = address->address, .v6 = address->v6};
    category = span_category(&span);
    if (is_special(&span) || category == NULL)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "ip-address",
                               "%s is of a special network and belongs to no device", text);
    address->address_category = strdup(category);
    address->address_space_id = model_integer(addition->input, "address-space-record-id", 1);
    address->iaid = model_integer(addition->input, "iaid", -1);
    if (address->address_category == NULL)
        return fault_no_memory();
    fault = read_texts(addition);
    if (!fault_raised(&fault))
        fault = custom_values_input(addition->store, addition->input, &address->custom);
    return fault;
}

static struct fault validate(struct addition *addition)
{
    const struct ip_address *address = &addition->address;
    bool exists = false, taken = false;
    struct fault fault;
    struct result result;

    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): the model gives it a default */
    if (strcmp(address->address_assignment, "None") == 0)
        return fault_of_sender(EXCEPTION_INVALID_ADDRESS_ASSIGNMENT, "address-assignment",
                               "the address assignment None is none; give Static, Dynamic, Auto, VIP or Reserved");
    if (!address->v6 && (address->duid != NULL || address->iaid >= 0))
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, address->duid != NULL ? "duid" : "iaid",
                               "an IPv4 address has neither DUID nor IAID; leave them out");
    fault = managers_validate(&address->custom);
    if (!fault_raised(&fault))
        fault = custom_values_validate(&address->custom);
    if (fault_raised(&fault))
        return fault;
    result = address_space_exists(addition->store, address->address_space_id, &exists);
    if (!result_failed(result) && !exists)
        return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, "address-space-record-id",
                               "there is no address space with record id %lld; 1 is the default one",
                               (long long)address->address_space_id);
    if (!result_failed(result))
        result = address_store_is_taken(addition->store, address, &taken);
    if (!result_failed(result) && taken)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "ip-address",
                               "the address %s of address space %lld is there already, managed by the same entity",
                               address_print(&address->address).text, (long long)address->address_space_id);
    return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
}

static struct fault add_run(struct addition *addition)
{
    struct ip_address *address = &addition->address;
    struct result result;
    struct fault fault = read_address(addition);

    if (!fault_raised(&fault))
        fault = validate(addition);
    if (fault_raised(&fault))
        return fault;
    result = address_store_add(addition->store, address);
    if (!result_failed(result))
        result = custom_values_set(addition->store, OBJECT_IP_ADDRESS, address->v6, address->record_id,
                                   &address->custom, false);
    if (!result_failed(result))
        result = address_store_mark_duplicates(addition->store, address);
    if (!result_failed(result))
        result = address_store_map_one(addition->store, address);
    return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
}

struct fault address_add(struct store *store, const struct model_node *input, json_t **output)
{
    struct addition addition = {.store = store, .input = input, .address = {.iaid = -1}};
    bool own = false;
    struct fault fault;

    *output = NULL;
    fault = operation_begin(store, EXCEPTION_FAILED_TO_UPDATE_RANGE, &own);
    if (fault_raised(&fault))
        return fault;
    fault = add_run(&addition);
    if (!fault_raised(&fault)) {
        *output = json_object();
        if (*output == NULL || !json_put_id(*output, "record-id", addition.address.record_id) ||
            !json_put_id(*output, "range-record-id", addition.address.range_record_id))
            fault = fault_no_memory();
    }
    fault = operation_end(store, own, fault, EXCEPTION_FAILED_TO_UPDATE_RANGE, "address-add");
    if (fault_raised(&fault)) {
        json_decref(*output);
        *output = NULL;
    }
    ip_address_clear(&addition.address);
    return fault;
}
