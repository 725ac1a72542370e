/* Faults: how an operation says no (MS-IPAMM2 2.2.2.1). Where struct result tells the program what kind of failure it
 * was, a fault tells the client whose it is and which of the specification's exceptions. */
#ifndef FAILOVER_SYNC_FAULT_H
#define FAILOVER_SYNC_FAULT_H

#include "failover_sync/result.h"

#include <jansson.h>
#include <stdbool.h>

enum fault_blame {
    FAULT_BY_NOBODY = 0, /* no fault: the operation succeeded */
    FAULT_BY_SENDER,     /* what was asked is wrong */
    FAULT_BY_RECEIVER    /* this side failed */
};

/* The exceptions that the operations raise; exception_name gives the specification's identifiers. */
enum exception_id {
    EXCEPTION_NONE = 0,
    EXCEPTION_INVALID_PARAMETER,
    EXCEPTION_OBJECT_NOT_FOUND,
    EXCEPTION_INVALID_ADDRESS_RANGE,
    EXCEPTION_INVALID_PREFIX_LENGTH,
    EXCEPTION_INVALID_START_ADDRESS,
    EXCEPTION_ADDRESS_OUT_OF_RANGE,
    EXCEPTION_END_ADDRESS_OUT_OF_RANGE,
    EXCEPTION_INVALID_ADDRESS_ASSIGNMENT,
    EXCEPTION_INVALID_UTILIZATION_CALCULATION,
    EXCEPTION_NO_UTILIZATION_OF_STATIC_RANGE,
    EXCEPTION_DHCP_DATA_FOR_STATIC_RANGE,
    EXCEPTION_DYNAMIC_RANGE_WITHOUT_SCOPE,
    EXCEPTION_CONFLICTING_RANGES,
    EXCEPTION_NO_PARENT_BLOCK,
    EXCEPTION_MANAGED_BY_OF_DHCP_RANGE,
    EXCEPTION_CUSTOM_VALUE_DOES_NOT_EXIST,
    EXCEPTION_CUSTOM_VALUE_IS_NULL,
    EXCEPTION_INVALID_ENUMERATION,
    EXCEPTION_INVALID_UPDATE,
    EXCEPTION_FAILED_TO_UPDATE_RANGE,
    EXCEPTION_SCOPE_NOT_FOUND,
    EXCEPTION_SCOPE_NOT_ADDED_REMOTELY,
    EXCEPTION_SCOPE_NOT_UPDATED_REMOTELY,
    EXCEPTION_SCOPE_NOT_DELETED_REMOTELY,
    EXCEPTION_FAILOVER_NOT_ADDED,
    EXCEPTION_FAILOVER_NOT_UPDATED,
    EXCEPTION_FAILOVER_SCOPES_NOT_ADDED,
    EXCEPTION_FAILOVER_SCOPES_NOT_REMOVED,
    EXCEPTION_FAILOVER_NOT_DELETED,
    EXCEPTION_FAILOVER_NOT_FETCHED,
    EXCEPTION_SCOPES_NOT_REPLICATED,
    EXCEPTION_RELATION_NOT_REPLICATED,
    EXCEPTION_SERVER_NOT_REPLICATED,
    EXCEPTION_REPLICATION_NOT_APPLICABLE,
    EXCEPTION_COUNT
};

struct fault {
    enum fault_blame blame;
    enum exception_id exception;
    char message[480]; /* names the thing and the remedy */
    char path[256];    /* YANG path of the offending node; "" where there is none */
};

struct fault fault_none(void);

/* What was asked is wrong. `node` is the offending node below the rpc, "start-ip-address", or NULL. */
struct fault fault_of_sender(enum exception_id exception, const char *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* This side failed with `result`; no fault if it did not. */
struct fault fault_of_result(struct result result, enum exception_id exception);

/* The refusal of model_parse_input, and the path it gave (or NULL), as the document's fault: a node of its own
 * exception gets that one. */
struct fault fault_of_input(const struct result *refusal, const char *path);

/* Completes the node of a fault to the path below the rpc `command`; nothing without a node. */
void fault_complete_path(struct fault *fault, const char *command);

static inline bool fault_raised(const struct fault *fault)
{
    return fault->blame != FAULT_BY_NOBODY;
}

/* "IpamApiInvalidParameter"; never NULL. */
const char *exception_name(enum exception_id exception);

/* The exception of that identifier; EXCEPTION_NONE for another text or NULL. */
enum exception_id exception_find(const char *name);

/* What answers carry as "fault"; NULL for want of memory. */
json_t *fault_json(const struct fault *fault);

/* The answer to a command that faulted; text the caller frees, or NULL for want of memory. */
char *fault_answer(const struct fault *fault);

#endif
