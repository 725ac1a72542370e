/* CreateDhcpFailover (MS-IPAMM2 3.19.4.4.1.23, CreateDhcpFailoverDelegate): a relationship with a server that High
 * Availability does not pair this one with. */
#include "failover_parts.h"

#include "failover_sync/relationship.h"

#include <stdlib.h>
#include <string.h>

/* Who is who in the relationship to be added, and how the partner is reached. Texts are borrowed, the rows' are theirs.
 */
struct addition {
    struct failover_operation *operation;
    bool local_is_server1;
    const char *partner_name, *partner_node; /* the partner's name, and the node that gives it */
    const struct partner_access *access;     /* what our parameters say of the partner; NULL: nothing */
    struct server_row local, partner;        /* the partner's is empty if it is a new one */
    int64_t partner_row_id;                  /* 0: a new one */
    const char *partner_url;
    char *local_host, *partner_host;
};

static struct relation_row input_row(const struct model_node *input)
{
    return (struct relation_row){
        .relationship_name = model_text(input, "relationship-name"),
        .mode = model_text(input, "mode"),
        .mclt = model_integer(input, "mclt", -1),
        .auto_state_transition = model_boolean(input, "auto-state-transition", false),
        .state_switch_interval = model_integer(input, "state-switch-interval", -1),
        .server1_percentage = model_integer(input, "server1-percentage", 0),
        .server1_name = model_text(input, "server1-name"),
        .server2_name = model_text(input, "server2-name"),
    };
}

/* Which of the two is this server: the other one is the partner. */
static struct fault tell_servers_apart(struct addition *addition, const struct relation_row *row)
{
    const char *given = model_text(addition->operation->input, "this-server-name");
    const char *self = given == NULL ? addition->operation->context->local_name : given;

    if (strcmp(row->server1_name, row->server2_name) == 0)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "server2-name",
                               "both servers are called \"%s\"; a relationship is between two servers, give each its "
                               "own name",
                               show_name(row->server1_name).text);
    if (strcmp(self, row->server1_name) != 0 && strcmp(self, row->server2_name) != 0)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "this-server-name",
                               "this server, \"%s\", is neither \"%s\" nor \"%s\"; say in this-server-name which of "
                               "the two it is",
                               show_name(self).text, show_name(row->server1_name).text,
                               show_name(row->server2_name).text);
    addition->local_is_server1 = strcmp(self, row->server1_name) == 0;
    addition->partner_name = addition->local_is_server1 ? row->server2_name : row->server1_name;
    addition->partner_node = addition->local_is_server1 ? "server2-name" : "server1-name";
    return fault_none();
}

/* The partner must be another server, whatever this one is called elsewhere. */
static struct fault find_servers(struct addition *addition)
{
    struct failover_operation *operation = addition->operation;
    const struct failover_context *context = operation->context;
    bool own_name = false;
    struct result result = server_store_find_by_id(operation->store, context->local_server_record_id, &addition->local);

    if (!result_failed(result))
        result =
            server_store_find(operation->store, addition->partner_name, &addition->partner_row_id, &addition->partner);
    if (result.code == RESULT_NOT_FOUND && addition->local.ha_name != NULL)
        result = result_ok();
    if (!result_failed(result))
        result = relation_store_bears_name(operation->store, context->local_server_record_id, addition->partner_name,
                                           &own_name);
    if (result_failed(result))
        return failover_failure(operation, result);
    if (own_name || addition->partner_row_id == context->local_server_record_id ||
        strcmp(addition->partner_name, context->local_name) == 0)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, addition->partner_node,
                               "\"%s\" is this server itself; name the partner by the name that it has in its own "
                               "configuration",
                               show_name(addition->partner_name).text);
    return fault_none();
}

/* Two servers have one relationship, so that a scope has one way to its partner. */
static struct fault check_pairing(const struct addition *addition, const struct relation_row *row)
{
    const struct failover_operation *operation = addition->operation;
    int64_t paired = 0;
    struct relation_row other;
    struct fault fault = fault_none();
    struct result result;

    if (addition->partner_row_id == 0)
        return fault;
    result = relation_store_find_pair(operation->store, operation->context->local_server_record_id,
                                      addition->partner_row_id, NULL, 0, &paired);
    if (result_failed(result) || paired == 0)
        return failover_failure(operation, result);
    result = relation_store_find(operation->store, paired, &other);
    if (result_failed(result))
        return failover_failure(operation, result);
    if (strcmp(other.relationship_name, row->relationship_name) == 0)
        fault = fault_of_sender(operation->exception, "relationship-name",
                                "there is a relationship \"%s\" with \"%s\" already, record id %lld; add the scopes to "
                                "that one",
                                show_name(other.relationship_name).text, show_name(addition->partner_name).text,
                                (long long)paired);
    else
        fault = fault_of_sender(operation->exception, addition->partner_node,
                                "this server and \"%s\" are paired already by relationship \"%s\", record id %lld; add "
                                "the scopes to that one",
                                show_name(addition->partner_name).text, show_name(other.relationship_name).text,
                                (long long)paired);
    relation_row_clear(&other);
    return fault;
}

static struct fault check_count(const struct failover_operation *operation)
{
    int64_t count = 0;
    struct result result = relation_store_count(operation->store, &count);

    if (!result_failed(result) && count >= RELATIONSHIP_MAX)
        return fault_of_sender(operation->exception, NULL,
                               "there are %lld relationships, and at most %d are possible; delete one with "
                               "failover-del",
                               (long long)count, RELATIONSHIP_MAX);
    return failover_failure(operation, result);
}

/* The credentials that our parameters give are for the host that they give, whatever a command says. */
static struct fault check_credentials(const struct addition *addition)
{
    const struct partner_access *access = addition->access;

    if (access == NULL || !relationship_access_has_credentials(access))
        return fault_none();
    if (access->url == NULL)
        return fault_of_sender(
            EXCEPTION_INVALID_PARAMETER, "control-url",
            "the parameter \"partners\" has credentials for \"%s\" and no url, and they are sent to no "
            "address that a command gives; add the url in \"partners\"",
            show_name(addition->partner_name).text);
    if (strcmp(access->url, addition->partner_url) != 0)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "control-url",
                               "the parameter \"partners\" has credentials and another url for \"%s\", %.120s; leave "
                               "control-url out, or give that one",
                               show_name(addition->partner_name).text, access->url);
    return fault_none();
}

/* Where the partner takes commands: what the client says, else our parameters, else what is known of it. */
static struct fault find_url(struct addition *addition)
{
    const struct parameters *parameters = addition->operation->context->parameters;
    struct fault fault;

    for (size_t i = 0; i < parameters->partner_count; i++) {
        if (strcmp(parameters->partners[i].name, addition->partner_name) == 0)
            addition->access = &parameters->partners[i];
    }
    addition->partner_url = model_text(addition->operation->input, "control-url");
    if (addition->partner_url == NULL && addition->access != NULL)
        addition->partner_url = addition->access->url;
    if (addition->partner_url == NULL)
        addition->partner_url = addition->partner.control_url;
    if (addition->partner_url == NULL)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "control-url",
                               "it is not known where \"%s\" takes commands; give its control-url, or a url for it in "
                               "the parameter \"partners\"",
                               show_name(addition->partner_name).text);
    fault = check_credentials(addition);
    if (fault_raised(&fault))
        return fault;
    addition->partner_host = relationship_url_host(addition->partner_url);
    addition->local_host =
        addition->local.control_url == NULL ? NULL : relationship_url_host(addition->local.control_url);
    if (addition->partner_host == NULL || (addition->local.control_url != NULL && addition->local_host == NULL))
        return failover_no_memory(addition->operation);
    return fault_none();
}

/* Step 3: the row of the partner, to which the relationship's refers, and the relationship's. */
static struct result insert_rows(struct addition *addition, struct relation_row *row)
{
    struct failover_operation *operation = addition->operation;
    struct server_row partner = {
        .server_name = addition->partner_host, .ha_name = addition->partner_name, .control_url = addition->partner_url};
    int64_t local = operation->context->local_server_record_id;
    bool first = addition->local_is_server1;
    struct result result = server_store_put(operation->store, &partner, &operation->partner_record_id);

    if (result_failed(result))
        return result;
    row->server1_record_id = first ? local : operation->partner_record_id;
    row->server2_record_id = first ? operation->partner_record_id : local;
    row->server1_ip = first ? addition->local_host : addition->partner_host;
    row->server2_ip = first ? addition->partner_host : addition->local_host;
    row->shared_secret_enabled = operation->context->parameters->shared_secret_file != NULL ||
                                 (addition->access != NULL && relationship_access_is_secret(addition->access));
    return relation_store_add(operation->store, row, &operation->relation_record_id);
}

static struct fault add_relation(struct addition *addition)
{
    struct failover_operation *operation = addition->operation;
    struct relation_row row = input_row(operation->input);
    struct fault fault;

    /* 1 and 2: that the relationship and its scopes are given is for the model to see; that they are valid is not. */
    fault = failover_validate(&row);
    if (!fault_raised(&fault))
        fault = tell_servers_apart(addition, &row);
    if (!fault_raised(&fault))
        fault = find_servers(addition);
    if (!fault_raised(&fault))
        fault = check_pairing(addition, &row);
    if (!fault_raised(&fault))
        fault = check_count(operation);
    if (!fault_raised(&fault))
        fault = find_url(addition);
    if (!fault_raised(&fault))
        fault = failover_expect_scopes(operation);
    if (fault_raised(&fault))
        return fault;

    /* 3 */
    return failover_failure(operation, insert_rows(addition, &row));
}

static struct fault add_steps(struct failover_operation *operation, json_t *output)
{
    struct addition addition = {.operation = operation};

    /* 1 to 3 */
    struct fault fault = add_relation(&addition);

    /* 4 */
    for (const struct model_node *named = model_first(operation->input, "subnet-ids");
         named != NULL && !fault_raised(&fault); named = model_next(named))
        fault = failover_add_scope(operation, named);

    /* 5: the overall status is the caller's to set. */
    if (!fault_raised(&fault))
        fault = failover_show(operation, output);
    failover_note(operation, FAILOVER_ADDED);
    server_row_clear(&addition.local);
    server_row_clear(&addition.partner);
    free(addition.local_host);
    free(addition.partner_host);
    return fault;
}

struct fault failover_add(struct store *store, const struct failover_context *context, const struct model_node *input,
                          struct failover_change *change, json_t **output)
{
    struct failover_operation operation = {.store = store,
                                           .context = context,
                                           .input = input,
                                           .command = "failover-add",
                                           .exception = EXCEPTION_FAILOVER_NOT_ADDED,
                                           .change = change};

    return failover_run(&operation, add_steps, output);
}
