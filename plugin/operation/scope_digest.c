/* scope-digest at the server that is asked: whether both sides have the same versions of the scopes, which ones this
 * side has, and scopes that the other wants because they are newer. Comparing and listing read memory only. */
#include "failover_sync/answer.h"
#include "failover_sync/fault.h"
#include "failover_sync/mirror.h"
#include "failover_sync/object_json.h"
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

struct listed {
    object_id id;
    json_t *json;
};

/* Those of one page, ascending by id. */
struct page {
    size_t number;
    object_id from;
    struct listed list[PAGE_LIMIT];
    size_t count;
    bool no_memory;
};

static bool append(struct page *page, object_id id, json_t *names, const struct version_vector *version)
{
    char text[VERSION_TEXT_SIZE];

    version_print(version, text);
    page->no_memory = names == NULL || json_object_set_new(names, "version", json_string(text)) != 0;
    page->list[page->count++] = (struct listed){.id = id, .json = names};
    return !page->no_memory && page->count < PAGE_LIMIT;
}

static bool list_scope(void *context, const struct scope_entry *entry)
{
    struct page *page = context;
    json_t *names;

    if (entry->id <= page->from || (entry->members >> page->number & 1) == 0)
        return true;
    names = object_json(entry->id, entry->name);
    if (names != NULL &&
        (json_object_set_new(names, "fingerprint", json_string(entry->fingerprint.hex)) != 0 ||
         (entry->unprinted && json_object_set_new(names, "incomplete", json_string(entry->reason)) != 0))) {
        json_decref(names);
        names = NULL;
    }
    return append(page, entry->id, names, &entry->version);
}

static void list_removed(void *context, const struct scope_removed *removed)
{
    struct page *page = context;
    json_t *names;

    if (removed->id <= page->from || page->count == PAGE_LIMIT || page->no_memory)
        return;
    names = object_json(removed->id, removed->name);
    if (names != NULL)
        (void)json_object_set_new(names, "removed", json_true());
    (void)append(page, removed->id, names, &removed->version);
}

static struct page *page_new(size_t number, object_id from)
{
    struct page *page = calloc(1, sizeof *page);

    if (page != NULL) {
        page->number = number;
        page->from = from;
    }
    return page;
}

static void page_free(struct page *page)
{
    for (size_t i = 0; page != NULL && i < page->count; i++)
        json_decref(page->list[i].json);
    free(page);
}

/* The two lists as one page in the order of the ids; *next is where the next one begins, 0 after the last. NULL for
 * want of memory. */
static json_t *merge(const struct page *scopes, const struct page *removed, object_id *next)
{
    json_t *lists = json_pack("{s:[]}", "scopes");
    size_t at = 0, gone = 0, used = 0;
    object_id last = 0;

    while (used < PAGE_LIMIT && (at < scopes->count || gone < removed->count)) {
        const bool first =
            gone == removed->count || (at < scopes->count && scopes->list[at].id < removed->list[gone].id);
        const struct listed *listed = first ? &scopes->list[at++] : &removed->list[gone++];

        if (!object_json_append(lists, &object_lists_all, listed->id, json_incref(listed->json))) {
            json_decref(lists);
            return NULL;
        }
        last = listed->id;
        used++;
    }
    *next = used == PAGE_LIMIT ? last : 0;
    return lists;
}

static char *answer_list(struct plugin *plugin, size_t number, const struct model_node *input)
{
    const object_id from = (object_id)model_integer(input, "from", 0);
    struct page *scopes = page_new(number, from), *removed = page_new(number, from);
    object_id next = 0;
    json_t *output = NULL;
    char position[24];

    if (scopes != NULL && removed != NULL) {
        scope_index_each(plugin->index, list_scope, scopes);
        scope_index_each_removed(plugin->index, list_removed, removed);
        if (!scopes->no_memory && !removed->no_memory)
            output = merge(scopes, removed, &next);
    }
    page_free(scopes);
    page_free(removed);
    (void)snprintf(position, sizeof position, "%llu", (unsigned long long)next);
    if (output != NULL && next != 0)
        (void)json_object_set_new(output, "next",
                                  next > UINT32_MAX ? json_string(position) : json_integer((json_int_t)next));
    return output == NULL ? NULL : answer_success(output, "the versions here");
}

/* ---- what the other side wants ---- */

struct wanted {
    size_t number;
    unsigned generation; /* of the relationships, in which that is the number */
    object_id *ids;
    size_t count;
};

static void release_wanted(void *argument)
{
    struct wanted *wanted = argument;

    free(wanted->ids);
    free(wanted);
}

static struct result grant_removal(struct mirror_writer *writer, const struct relationship *relationship, object_id id)
{
    struct plugin *plugin = writer->plugin;
    struct version_row row;
    struct queue_item wish;
    struct result result = version_store_find(plugin->store, plugin->relationships.server_record_id, id, &row);

    if (result.code == RESULT_NOT_FOUND || (!result_failed(result) && (!row.removed || !plugin->parameters.deletes)))
        return result_ok();
    if (result_failed(result))
        return result;
    wish = mirror_wish(relationship, id, row.name, true);
    return queue_put_wanted(plugin->store, &wish, writer->now);
}

static struct result grant(struct mirror_writer *writer, size_t number, object_id id)
{
    struct plugin *plugin = writer->plugin;
    const struct relationship *relationship = &plugin->relationships.list[number];
    struct scope_entry entry;
    struct queue_item wish;
    struct result result = result_ok();

    if (!scope_index_get(plugin->index, id, &entry))
        return grant_removal(writer, relationship, id);
    if ((entry.members >> number & 1) != 0) {
        wish = mirror_wish(relationship, id, entry.name, false);
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
        result = grant(&writer, wanted->number, wanted->ids[i]);
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
    for (const struct model_node *node = object_first(input, &object_lists_wanted); node != NULL;
         node = object_next(input, &object_lists_wanted, node))
        count++;
    if (wanted != NULL)
        wanted->ids = calloc(count + 1, sizeof *wanted->ids);
    if (wanted == NULL || wanted->ids == NULL) {
        free(wanted);
        return NULL;
    }
    wanted->number = number;
    wanted->generation = plugin->generation;
    for (const struct model_node *node = object_first(input, &object_lists_wanted); node != NULL;
         node = object_next(input, &object_lists_wanted, node)) {
        const char *name;
        const object_id id = object_of_node(node, &name);
        struct scope_entry entry;

        wanted->ids[wanted->count++] = id;
        if (scope_index_get(plugin->index, id, &entry)) {
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
    if (object_first(input, &object_lists_wanted) != NULL)
        return answer_wanted(plugin, number, input);
    if (model_first(input, "from") != NULL)
        return answer_list(plugin, number, input);
    return answer_compare(plugin, number, input);
}
