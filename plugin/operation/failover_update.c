/* EditDhcpFailover (MS-IPAMM2 3.19.4.4.1.24, UpdateDhcpFailoverDelegate). ADM_DhcpFailoverTable is what the document
 * calls ADM_DhcpFailoverRelationTable here. */
#include "failover_parts.h"

/* Step 4: the columns that the client names. */
static uint32_t modified_properties(const struct model_node *input)
{
    uint32_t modified = 0;

    for (const struct model_node *name = model_first(input, "modified-properties"); name != NULL;
         name = model_next(name)) {
        enum relation_column column = failover_property_find(model_value(name));

        if (column != RELATION_COLUMNS)
            modified |= RELATION_BIT(column);
    }
    return modified;
}

/* What is named and not given is cleared; these two can be. */
static bool is_nullable(enum relation_column column)
{
    return column == RELATION_MCLT || column == RELATION_STATE_SWITCH_INTERVAL;
}

static struct fault apply_property(const struct model_node *input, enum relation_column column,
                                   struct relation_row *row)
{
    const char *name = failover_property_name(column);

    if (!is_nullable(column) && model_first(input, name) == NULL)
        return fault_of_sender(column == RELATION_MODE ? EXCEPTION_INVALID_ENUMERATION : EXCEPTION_INVALID_PARAMETER,
                               name, "%s is to be modified but is not given, and it cannot be null; give it", name);
    switch (column) {
    case RELATION_NAME:
        row->relationship_name = model_text(input, name);
        break;
    case RELATION_MODE:
        row->mode = model_text(input, name);
        break;
    case RELATION_MCLT:
        row->mclt = model_integer(input, name, -1);
        break;
    case RELATION_AUTO_STATE_TRANSITION:
        row->auto_state_transition = model_boolean(input, name, false);
        break;
    case RELATION_STATE_SWITCH_INTERVAL:
        row->state_switch_interval = model_integer(input, name, -1);
        break;
    default:
        row->server1_percentage = model_integer(input, name, 0);
        break;
    }
    return fault_none();
}

/* A name is unique among the relationships of the same servers. */
static struct fault check_name(const struct failover_operation *operation, const struct relation_row *row)
{
    int64_t other = 0;
    struct result result = relation_store_find_pair(operation->store, row->server1_record_id, row->server2_record_id,
                                                    row->relationship_name, row->record_id, &other);

    if (!result_failed(result) && other != 0)
        return fault_of_sender(operation->exception, "relationship-name",
                               "the relationship %lld of the same servers is called \"%s\" already; give another name",
                               (long long)other, show_name(row->relationship_name).text);
    return failover_failure(operation, result);
}

/* Step 5. */
static struct fault update_row(const struct failover_operation *operation, uint32_t modified, uint32_t *changed)
{
    struct relation_row row = operation->row; /* its texts are borrowed */
    struct fault fault = fault_none();

    for (int column = 0; column < RELATION_COLUMNS && !fault_raised(&fault); column++) {
        if ((modified & RELATION_BIT(column)) != 0)
            fault = apply_property(operation->input, (enum relation_column)column, &row);
    }
    if (!fault_raised(&fault))
        fault = failover_validate(&row);
    if (!fault_raised(&fault))
        fault = check_name(operation, &row);
    if (!fault_raised(&fault))
        fault = failover_failure(operation, relation_store_edit(operation->store, &row, changed));
    return fault;
}

static struct fault update_steps(struct failover_operation *operation, json_t *output)
{
    uint32_t modified, changed = 0;
    struct fault fault;

    /* 1 and 2: that the relationship is given is for the model to see. */

    /* 3 */
    fault = failover_find(operation);
    if (fault_raised(&fault))
        return fault;

    /* 4 */
    modified = modified_properties(operation->input);

    /* 5 */
    if (modified != 0)
        fault = update_row(operation, modified, &changed);
    if (fault_raised(&fault))
        return fault;
    if (changed != 0)
        failover_note(operation, FAILOVER_UPDATED);

    /* 6: the overall status is the caller's to set. */
    fault = failover_show(operation, output);
    if (!fault_raised(&fault) && !json_put(output, "changed-properties", failover_properties_json(changed)))
        fault = failover_no_memory(operation);
    return fault;
}

struct fault failover_update(struct store *store, const struct failover_context *context,
                             const struct model_node *input, struct failover_change *change, json_t **output)
{
    struct failover_operation operation = {.store = store,
                                           .context = context,
                                           .input = input,
                                           .command = "failover-update",
                                           .exception = EXCEPTION_FAILOVER_NOT_UPDATED,
                                           .change = change};

    return failover_run(&operation, update_steps, output);
}
