/* Faults: making them, their names, and answering with one. */
#include "failover_sync/fault.h"

#include "failover_sync/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MODULE_PREFIX "/kea-failover-sync:"

static const char *const names[EXCEPTION_COUNT] = {
    [EXCEPTION_NONE] = "",
    [EXCEPTION_INVALID_PARAMETER] = "IpamApiInvalidParameter",
    [EXCEPTION_OBJECT_NOT_FOUND] = "IpamApiObjectNotFoundInDatabase",
    [EXCEPTION_INVALID_ADDRESS_RANGE] = "IpamApiInvalidAddressRange",
    [EXCEPTION_INVALID_PREFIX_LENGTH] = "IpamApiInvalidPrefixLength",
    [EXCEPTION_INVALID_START_ADDRESS] = "IpamApiInvalidStartIPAddress",
    [EXCEPTION_ADDRESS_OUT_OF_RANGE] = "IpamApiIpAddressOutOfRange",
    [EXCEPTION_END_ADDRESS_OUT_OF_RANGE] = "IpamApiEndIpAddressOutOfRange",
    [EXCEPTION_INVALID_ADDRESS_ASSIGNMENT] = "IpamApiInvalidAddressAssignment",
    [EXCEPTION_INVALID_UTILIZATION_CALCULATION] = "IpamApiInvalidUtilizationCalculationType",
    [EXCEPTION_NO_UTILIZATION_OF_STATIC_RANGE] = "IpamApiUtilizationDataNotSpecifiedForStaticRange",
    [EXCEPTION_DHCP_DATA_FOR_STATIC_RANGE] = "IpamApiDhcpDataSpecifiedForStaticRange",
    [EXCEPTION_DYNAMIC_RANGE_WITHOUT_SCOPE] = "IpamApiDynamicRangeHasNoAssociatedScope",
    [EXCEPTION_CONFLICTING_RANGES] = "IpamApiNonadjustableConflictingRangesFound",
    [EXCEPTION_NO_PARENT_BLOCK] = "IpamApiRemapRangeFailedNoParentBlock",
    [EXCEPTION_MANAGED_BY_OF_DHCP_RANGE] = "IpamApiCannotUpdateManagedByValueForMsDhcpRange",
    [EXCEPTION_CUSTOM_VALUE_DOES_NOT_EXIST] = "IpamApiCustomFieldValueForMultiValueCustomFieldDoesntExist",
    [EXCEPTION_CUSTOM_VALUE_IS_NULL] = "IpamApiCustomFieldValueCannotBeNull",
    [EXCEPTION_INVALID_ENUMERATION] = "IpamApiInvalidEnumeration",
    [EXCEPTION_INVALID_UPDATE] = "IpamApiInvalidUpdate",
    [EXCEPTION_FAILED_TO_UPDATE_RANGE] = "IpamApiFailedToUpdateRange",
    [EXCEPTION_SCOPE_NOT_FOUND] = "IpamApiDhcpScopeNotFoundInDB",
    [EXCEPTION_SCOPE_NOT_ADDED_REMOTELY] = "IpamApiDhcpScopeFailedToAddInRemoteServer",
    [EXCEPTION_SCOPE_NOT_UPDATED_REMOTELY] = "IpamApiDhcpScopeFailedToUpdateInRemoteServer",
    [EXCEPTION_SCOPE_NOT_DELETED_REMOTELY] = "IpamApiDhcpScopeFailedToDeleteInRemoteServer",
    [EXCEPTION_FAILOVER_NOT_ADDED] = "IpamApiDhcpFailoverFailedToAddInIpamDatabase",
    [EXCEPTION_FAILOVER_NOT_UPDATED] = "IpamApiDhcpFailoverFailedToUpdateInIpamDatabase",
    [EXCEPTION_FAILOVER_SCOPES_NOT_ADDED] = "IpamApiDhcpFailoverFailedToAddScopesInIpamDatabase",
    [EXCEPTION_FAILOVER_SCOPES_NOT_REMOVED] = "IpamApiDhcpFailoverFailedToRemoveScopesFromIpamDatabase",
    [EXCEPTION_FAILOVER_NOT_DELETED] = "IpamApiDhcpFailoverFailedToDeleteInIpamDatabase",
    [EXCEPTION_FAILOVER_NOT_FETCHED] = "IpamApiDhcpFailoverFailedToFetchFromIpamDatabase",
    [EXCEPTION_SCOPES_NOT_REPLICATED] = "IpamApiDhcpFailoverFailedToReplicateScopes",
    [EXCEPTION_RELATION_NOT_REPLICATED] = "IpamApiDhcpFailoverFailedToReplicateRelation",
    [EXCEPTION_SERVER_NOT_REPLICATED] = "IpamApiDhcpFailoverFailedToReplicateServer",
    [EXCEPTION_REPLICATION_NOT_APPLICABLE] = "IpamApiReplicationScopeNotApplicable",
};

struct fault fault_none(void)
{
    return (struct fault){.blame = FAULT_BY_NOBODY};
}

struct fault fault_of_sender(enum exception_id exception, const char *node, const char *format, ...)
{
    struct fault fault = {.blame = FAULT_BY_SENDER, .exception = exception};
    va_list values;
    int length;

    va_start(values, format);
    length = vsnprintf(fault.message, sizeof fault.message, format, values);
    va_end(values);
    if (length < 0)
        fault.message[0] = '\0';
    else if ((size_t)length >= sizeof fault.message)
        text_cut_at_character(fault.message, sizeof fault.message - 1);
    if (node != NULL)
        (void)snprintf(fault.path, sizeof fault.path, "%s", node);
    return fault;
}

struct fault fault_of_result(struct result result, enum exception_id exception)
{
    struct fault fault = {.blame = FAULT_BY_RECEIVER, .exception = exception};

    if (!result_failed(result))
        return fault_none();
    (void)snprintf(fault.message, sizeof fault.message, "%s", result.message);
    return fault;
}

/* The last name of a path, without a key: "address-assignment" of "/m:range-add/address-assignment". */
static size_t last_name(const char *path, const char **name)
{
    const char *end = path + strlen(path);

    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '[') {
            end = c;
            break;
        }
    }
    *name = end;
    while (*name > path && (*name)[-1] != '/' && (*name)[-1] != ':')
        (*name)--;
    return (size_t)(end - *name);
}

struct fault fault_of_input(const struct result *refusal, const char *path)
{
    static const struct {
        const char *node;
        enum exception_id exception;
    } own[] = {
        {"address-assignment", EXCEPTION_INVALID_ADDRESS_ASSIGNMENT},
        {"address-category", EXCEPTION_INVALID_ENUMERATION},
        {"address-family", EXCEPTION_INVALID_ENUMERATION},
        {"end-ip-address", EXCEPTION_END_ADDRESS_OUT_OF_RANGE},
        {"mode", EXCEPTION_INVALID_ENUMERATION},
        {"modified-properties", EXCEPTION_INVALID_ENUMERATION},
        {"prefix-length", EXCEPTION_INVALID_PREFIX_LENGTH},
        {"start-ip-address", EXCEPTION_INVALID_START_ADDRESS},
        {"sync-status", EXCEPTION_INVALID_ENUMERATION},
        {"type", EXCEPTION_INVALID_ENUMERATION},
        {"utilization-calculation-type", EXCEPTION_INVALID_UTILIZATION_CALCULATION},
        {"virtualization-type", EXCEPTION_INVALID_ENUMERATION},
    };
    struct fault fault = {.blame = FAULT_BY_SENDER, .exception = EXCEPTION_INVALID_PARAMETER};
    const char *name = "";
    size_t length = path == NULL ? 0 : last_name(path, &name);

    if (refusal->code == RESULT_MEMORY || refusal->code == RESULT_INTERNAL)
        fault.blame = FAULT_BY_RECEIVER;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strlen(own[i].node) == length && strncmp(own[i].node, name, length) == 0)
            fault.exception = own[i].exception;
    }
    (void)snprintf(fault.message, sizeof fault.message, "%s", refusal->message);
    if (path != NULL)
        (void)snprintf(fault.path, sizeof fault.path, "%s", path);
    return fault;
}

void fault_complete_path(struct fault *fault, const char *command)
{
    char node[sizeof fault->path];

    if (fault->path[0] == '\0' || fault->path[0] == '/')
        return;
    memcpy(node, fault->path, sizeof node);
    if (snprintf(fault->path, sizeof fault->path, MODULE_PREFIX "%s/%s", command, node) >= (int)sizeof fault->path)
        fault->path[0] = '\0'; /* half a path would name another node */
}

const char *exception_name(enum exception_id exception)
{
    return exception >= 0 && exception < EXCEPTION_COUNT ? names[exception] : "";
}

enum exception_id exception_find(const char *name)
{
    for (int i = 1; name != NULL && i < EXCEPTION_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (enum exception_id)i;
    return EXCEPTION_NONE;
}

/* The message may quote what somebody gave, cut in the middle of a character. */
static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);

    return json == NULL ? json_string("(a message that is not UTF-8)") : json;
}

json_t *fault_json(const struct fault *fault)
{
    json_t *message = text_json(fault->message);
    json_t *json = json_pack(
        "{s:s,s:O,s:{s:s,s:O}}", "code", fault->blame == FAULT_BY_SENDER ? FAULT_SENDER : FAULT_RECEIVER, "reason",
        message, "exception", "exception-id", exception_name(fault->exception), "exception-message", message);

    json_decref(message);
    if (json != NULL && fault->path[0] != '\0' &&
        json_object_set_new(json_object_get(json, "exception"), "path", json_string(fault->path)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

char *fault_answer(const struct fault *fault)
{
    json_t *arguments = json_pack("{s:o}", "fault", fault_json(fault));

    return arguments == NULL ? NULL : answer_error(arguments, fault->message);
}
