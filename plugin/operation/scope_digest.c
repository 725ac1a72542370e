/* scope-digest at the server that is asked: whether both sides have the same versions of the scopes, which ones this
 * side has, and scopes that the other wants because they are newer. Comparing and listing read memory only. */
#include "failover_sync/answer.h"
#include "failover_sync/fault.h"
#include "failover_sync/mirror.h"
#include "failover_sync/operation.h"
#include "failover_sync/operation_run.h"
#include "failover_sync/receive.h"
#include "failover_sync/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_LIMIT 1000

static char *answer_compare(struct plugin *plugin, size_t number, const struct model_node *input)
{
    const struct fingerprint here = scope_index_digest(plugin->index, number, SCOPE_DIGEST_OURS);
    const struct fingerprint there = scope_index_digest(plugin->index, number, SCOPE_DIGEST_PARTNERS);
    const bool equal = fingerprint_equal(here, fingerprint_parse(model_text(input, "expected"))) &&
                       fingerprint_equal(there, fingerprint_parse(model_text(input, "digest")));

    return answer_success(json_pack("{s:b}", "equal", equal), equal ? "both agree" : "the lists differ");
}

/* ---- the list ---- */

struct page {
    size_t number;
    uint32_t from, last; /* the last one listed */
    json_t *list;
    bool full;
};

static bool append(struct page *page, uint32_t subnet_id, json_t *scope)
{
    if (json_array_append_new(page->list, scope) != 0)
        return false;
    page->last = subnet_id;
    page->full = json_array_size(page->list) == PAGE_LIMIT;
    return !page->full;
}

static bool list_scope(void *context, const struct scope_entry *entry)
{
    struct page *page = context;
    char version[VERSION_TEXT_SIZE];

    if (entry->subnet_id <= page->from || (entry->members >> page->number & 1) == 0)
        return true;
    version_print(&entry->version, version);
    return append(page, entry->subnet_id,
                  json_pack("{s:I,s:s,s:s,s:s,s:s*}", "subnet-id", (json_int_t)entry->subnet_id, "prefix",
                            entry->prefix, "version", version, "fingerprint", entry->fingerprint.hex, "incomplete",
                            entry->unprinted ? entry->reason : NULL));
}

static void list_removed(void *context, const struct scope_removed *removed)
{
    struct page *page = context;
    char version[VERSION_TEXT_SIZE];

    if (removed->subnet_id <= page->from || page->full)
        return;
    version_print(&removed->version, version);
    (void)append(page, removed->subnet_id,
                 json_pack("{s:I,s:s*,s:b,s:s}", "subnet-id", (json_int_t)removed->subnet_id, "prefix",
                           removed->prefix[0] == '\0' ? NULL : removed->prefix, "removed", true, "version", version));
}

static int compare_scopes(const void *a, const void *b)
{
    json_int_t left = json_integer_value(json_object_get(*(json_t *const *)a, "subnet-id"));
    json_int_t right = json_integer_value(json_object_get(*(json_t *const *)b, "subnet-id"));

    return left < right ? -1 : left > right;
}

/* The two lists as one page in the order of the ids; *next is where the next one begins, 0 after the last. */
static json_t *merge(const struct page *scopes, const struct page *removed, uint32_t *next)
{
    size_t count = json_array_size(scopes->list) + json_array_size(removed->list);
    json_t **all = calloc(count + 1, sizeof *all);
    json_t *list = json_array();
    size_t used = 0;

    *next = 0;
    if (all == NULL || list == NULL)
        goto no_memory;
    for (size_t i = 0; i < json_array_size(scopes->list); i++)
        all[used++] = json_array_get(scopes->list, i);
    for (size_t i = 0; i < json_array_size(removed->list); i++)
        all[used++] = json_array_get(removed->list, i);
    qsort(all, used, sizeof *all, compare_scopes);
    for (size_t i = 0; i < used && i < PAGE_LIMIT; i++) {
        uint32_t id = (uint32_t)json_integer_value(json_object_get(all[i], "subnet-id"));

        if (json_array_append(list, all[i]) != 0)
            goto no_memory;
        if (i == PAGE_LIMIT - 1 || (i == used - 1 && (scopes->full || removed->full)))
            *next = id;
    }
    free(all);
    return list;

no_memory:
    free(all);
    json_decref(list);
    return NULL;
}

static char *answer_list(struct plugin *plugin, size_t number, const struct model_node *input)
{
    const uint32_t from = (uint32_t)model_integer(input, "from", 0);
    struct page scopes = {.number = number, .from = from, .list = json_array()};
    struct page removed = {.number = number, .from = from, .list = json_array()};
    uint32_t next = 0;
    json_t *list = NULL, *output;

    if (scopes.list != NULL && removed.list != NULL) {
        scope_index_each(plugin->index, list_scope, &scopes);
        scope_index_each_removed(plugin->index, list_removed, &removed);
        list = merge(&scopes, &removed, &next);
    }
    json_decref(scopes.list);
    json_decref(removed.list);
    output = json_pack("{s:o}", "scopes", list);
    if (output != NULL && next != 0)
        (void)json_object_set_new(output, "next", json_integer(next));
    return output == NULL ? NULL : answer_success(output, "the versions here");
}

/* ---- what the other side wants ---- */

struct wanted {
    size_t number;
    unsigned generation; /* of the relationships, in which that is the number */
    uint32_t *subnet_ids;
    size_t count;
};

static void release_wanted(void *argument)
{
    struct wanted *wanted = argument;

    free(wanted->subnet_ids);
    free(wanted);
}

static struct result grant_removal(struct mirror_writer *writer, const struct relationship *relationship,
                                   uint32_t subnet_id)
{
    struct plugin *plugin = writer->plugin;
    struct version_row row;
    struct queue_item wish;
    struct result result = version_store_find(plugin->store, plugin->relationships.server_record_id, subnet_id, &row);

    if (result.code == RESULT_NOT_FOUND || (!result_failed(result) && (!row.removed || !plugin->parameters.deletes)))
        return result_ok();
    if (result_failed(result))
        return result;
    wish = mirror_wish(relationship, subnet_id, row.prefix, true);
    return queue_put_wanted(plugin->store, &wish, writer->now);
}

static struct result grant(struct mirror_writer *writer, size_t number, uint32_t subnet_id)
{
    struct plugin *plugin = writer->plugin;
    const struct relationship *relationship = &plugin->relationships.list[number];
    struct scope_entry entry;
    struct queue_item wish;
    struct result result = result_ok();

    if (!scope_index_get(plugin->index, subnet_id, &entry))
        return grant_removal(writer, relationship, subnet_id);
    if ((entry.members >> number & 1) != 0) {
        wish = mirror_wish(relationship, subnet_id, entry.prefix, false);
        result = queue_put_missing(plugin->store, &wish, writer->now);
        if (!result_failed(result) && !fingerprint_empty(entry.agreement[number].ours)) {
            entry.agreement[number].ours = fingerprint_parse(NULL);
            entry.reset = false;
            result = mirror_set_sync(writer, &entry, "the partner asked for it");
        }
    }
    scope_entry_clear(&entry);
    return result;
}

static struct result grant_wanted(struct plugin *plugin, void *argument)
{
    struct wanted *wanted = argument;
    struct mirror_writer writer;
    struct result result;

    if (wanted->generation != plugin->generation) {
        release_wanted(wanted); /* it is asked for again */
        return result_ok();
    }
    result = mirror_begin(plugin, &writer);
    if (result_failed(result))
        return result;
    for (size_t i = 0; i < wanted->count && !result_failed(result); i++)
        result = grant(&writer, wanted->number, wanted->subnet_ids[i]);
    if (result_failed(result))
        mirror_abandon(&writer);
    else
        result = mirror_commit(&writer);
    if (!result_may_pass(result))
        release_wanted(wanted);
    return result;
}

static char *answer_wanted(struct plugin *plugin, size_t number, const struct model_node *input)
{
    struct wanted *wanted = calloc(1, sizeof *wanted);
    size_t count = 0, known = 0;
    struct fault fault = worker_too_busy(plugin, EXCEPTION_SCOPES_NOT_REPLICATED);

    if (fault_raised(&fault)) {
        free(wanted);
        return fault_answer(&fault);
    }
    for (const struct model_node *node = model_first(input, "wanted"); node != NULL; node = model_next(node))
        count++;
    if (wanted != NULL)
        wanted->subnet_ids = calloc(count + 1, sizeof *wanted->subnet_ids);
    if (wanted == NULL || wanted->subnet_ids == NULL) {
        free(wanted);
        return NULL;
    }
    wanted->number = number;
    wanted->generation = plugin->generation;
    for (const struct model_node *node = model_first(input, "wanted"); node != NULL; node = model_next(node)) {
        const uint32_t subnet_id = (uint32_t)model_integer(node, "subnet-id", 0);
        struct scope_entry entry;

        wanted->subnet_ids[wanted->count++] = subnet_id;
        if (scope_index_get(plugin->index, subnet_id, &entry)) {
            known++;
            scope_entry_clear(&entry);
        }
    }
    fault = fault_of_result(worker_post(plugin, grant_wanted, release_wanted, wanted), EXCEPTION_SCOPES_NOT_REPLICATED);
    if (fault_raised(&fault))
        return fault_answer(&fault);
    return answer_success(json_pack("{s:I}", "queued", (json_int_t)known), "%zu scope(s) will be sent", known);
}

char *command_scope_digest(struct plugin *plugin, const struct model_node *input)
{
    const char *sender = model_text(input, "sender"), *receiver = model_text(input, "receiver");
    struct fault fault;
    const struct relationship *relationship = reception_find_relationship(plugin, sender, receiver, &fault);
    size_t number;

    if (relationship == NULL)
        return fault_answer(&fault);
    number = (size_t)(relationship - plugin->relationships.list);
    engine_set_partner_error(plugin, number, model_text(input, "unusable"));
    if (plugin->store == NULL) {
        const struct result result = engine_no_store(plugin);

        return answer_success(json_pack("{s:s}", "unusable", result.message), "%s", result.message);
    }
    if (model_text(input, "unusable") != NULL)
        return answer_success(json_object(), "noted");
    worker_partner_heard(plugin, sender);
    if (!plugin->filled) {
        fault = fault_of_result(result_error(RESULT_REFUSED, "this server's scopes are still being mirrored"),
                                EXCEPTION_SCOPE_NOT_UPDATED_REMOTELY);
        return fault_answer(&fault);
    }
    if (model_first(input, "wanted") != NULL)
        return answer_wanted(plugin, number, input);
    if (model_first(input, "from") != NULL)
        return answer_list(plugin, number, input);
    return answer_compare(plugin, number, input);
}
