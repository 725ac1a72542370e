/* What is done about agreements that the two sides remember differently. Each difference comes from a store that was
 * lost or put back: a change that a server knows of is in its queue and is not touched here. */
#include "reconcile_private.h"

#include "failover_sync/mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WANTED_AT_ONCE 500

void partner_list_clear(struct partner_list *list)
{
    free(list->scopes);
    *list = (struct partner_list){.scopes = NULL};
}

struct result partner_list_add(struct partner_list *list, const struct model_node *output)
{
    for (const struct model_node *node = model_first(output, "scopes"); node != NULL; node = model_next(node)) {
        const uint32_t subnet_id = (uint32_t)model_integer(node, "subnet-id", 0);

        if (list->count > 0 && subnet_id <= list->scopes[list->count - 1].subnet_id)
            return result_error(RESULT_NETWORK, "the partner's list of scopes is not in order");
        if (!engine_grow((void **)&list->scopes, list->count, &list->capacity, sizeof *list->scopes))
            return result_no_memory("the partner's list of scopes");
        list->scopes[list->count++] = (struct partner_scope){
            .subnet_id = subnet_id,
            .removed = model_boolean(node, "removed", false),
            .ours = fingerprint_parse(model_text(node, "ours")),
            .theirs = fingerprint_parse(model_text(node, "theirs")),
        };
    }
    return result_ok();
}

json_t *partner_list_wanted(const struct partner_list *list, size_t *next)
{
    json_t *wanted = json_array();

    for (; *next < list->count && json_array_size(wanted) < WANTED_AT_ONCE; ++*next) {
        const struct partner_scope *scope = &list->scopes[*next];

        if (scope->wanted)
            (void)json_array_append_new(wanted, json_pack("{s:I,s:s}", "subnet-id", (json_int_t)scope->subnet_id,
                                                          "fingerprint", scope->have.hex));
    }
    if (json_array_size(wanted) == 0) {
        json_decref(wanted);
        return NULL;
    }
    return json_pack("{s:o}", "wanted", wanted);
}

static bool same(struct fingerprint a, struct fingerprint b)
{
    return strcmp(a.hex, b.hex) == 0;
}

struct settlement {
    struct mirror_writer writer;
    size_t number;
    const struct relationship *relationship;
    struct partner_list *list;
    size_t differing;
};

static struct partner_scope *find(struct partner_list *list, uint32_t subnet_id)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list->scopes[middle].subnet_id == subnet_id)
            return &list->scopes[middle];
        if (list->scopes[middle].subnet_id < subnet_id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static struct result push(struct settlement *settlement, const struct scope_entry *entry)
{
    struct queue_item wish = mirror_wish(settlement->relationship, entry->subnet_id, entry->prefix, false);

    settlement->differing++;
    return queue_put_missing(settlement->writer.plugin->store, &wish, settlement->writer.now);
}

/* The partner has never had it, or lost it and does not know that it removed it: it is new to it. */
static struct result push_as_new(struct settlement *settlement, struct scope_entry *entry)
{
    struct result result = scope_store_remove(
        settlement->writer.plugin->store, relationship_partner(settlement->relationship)->record_id, entry->subnet_id);

    entry->agreement[settlement->number] = (struct scope_agreement){.ours = {.hex = ""}};
    entry->reset = false;
    if (!result_failed(result))
        result = push(settlement, entry);
    if (!result_failed(result))
        result = mirror_set_sync(&settlement->writer, entry, "the partner has lost it");
    return result;
}

/* Nothing here was edited since the configuration delivered it: the partner's version is the one that was agreed on. */
static bool is_untouched(const struct scope_entry *entry)
{
    return fingerprint_equal(entry->fingerprint, entry->configuration_fingerprint);
}

static struct result want(struct settlement *settlement, const struct scope_entry *entry, struct partner_scope *scope)
{
    scope->wanted = true;
    scope->have = entry == NULL ? fingerprint_parse(NULL) : entry->fingerprint;
    settlement->differing++;
    /* Ours is not sent meanwhile: the partner's comes on top of it. */
    return entry == NULL ? result_ok()
                         : queue_remove(settlement->writer.plugin->store,
                                        relationship_partner(settlement->relationship)->record_id, entry->subnet_id);
}

/* A scope that this server has. */
static struct result settle_known(struct settlement *settlement, struct scope_entry *entry)
{
    const struct scope_agreement *agreement = &entry->agreement[settlement->number];
    struct partner_scope *scope = find(settlement->list, entry->subnet_id);
    const bool agreed_here = !fingerprint_empty(agreement->ours);

    if (scope != NULL && scope->removed)
        return result_ok(); /* it is about to say so */
    if (scope == NULL)
        return fingerprint_empty(agreement->theirs) ? result_ok() : push_as_new(settlement, entry);
    if (same(scope->ours, agreement->theirs) && same(scope->theirs, agreement->ours))
        return result_ok();
    if (fingerprint_empty(scope->ours))
        return result_ok(); /* it has lost the agreement, not we: it asks us */
    if (!agreed_here)
        return is_untouched(entry) ? want(settlement, entry, scope) : result_ok();
    /* Two stores, two last agreements: one was put back. Both versions are known, and the rules of a conflict decide.
     */
    return push(settlement, entry);
}

/* A scope that only the partner has. */
static struct result settle_unknown(struct settlement *settlement, struct partner_scope *scope)
{
    struct scope_index *index = settlement->writer.plugin->index;

    if (scope->removed || fingerprint_empty(scope->ours) ||
        scope_index_is_removing(index, scope->subnet_id, settlement->number))
        return result_ok();
    return want(settlement, NULL, scope);
}

struct ids {
    size_t number;
    uint32_t *list;
    size_t count;
};

static bool collect_member(void *context, const struct scope_entry *entry)
{
    struct ids *ids = context;

    if ((entry->members >> ids->number & 1) != 0)
        ids->list[ids->count++] = entry->subnet_id;
    return true;
}

static struct result settle_all(struct settlement *settlement, const struct ids *ids)
{
    struct plugin *plugin = settlement->writer.plugin;
    struct result result = result_ok();

    for (size_t i = 0; i < ids->count && !result_failed(result); i++) {
        struct scope_entry entry;

        if (!scope_index_get(plugin->index, ids->list[i], &entry))
            continue;
        result = settle_known(settlement, &entry);
        scope_entry_clear(&entry);
    }
    for (size_t i = 0; i < settlement->list->count && !result_failed(result); i++) {
        struct scope_entry entry;

        if (scope_index_get(plugin->index, settlement->list->scopes[i].subnet_id, &entry))
            scope_entry_clear(&entry);
        else
            result = settle_unknown(settlement, &settlement->list->scopes[i]);
    }
    return result;
}

struct result reconcile_settle(struct plugin *plugin, size_t number, struct partner_list *list)
{
    struct settlement settlement = {
        .number = number, .relationship = &plugin->relationships.list[number], .list = list};
    struct ids ids = {.number = number};
    char count[24];
    struct result result;

    ids.list = calloc(scope_index_count(plugin->index) + 1, sizeof *ids.list);
    if (ids.list == NULL)
        return result_no_memory("reconciliation");
    scope_index_each(plugin->index, collect_member, &ids);
    result = mirror_begin(plugin, &settlement.writer);
    if (!result_failed(result)) {
        result = settle_all(&settlement, &ids);
        if (result_failed(result))
            mirror_abandon(&settlement.writer);
        else
            result = mirror_commit(&settlement.writer);
    }
    free(ids.list);
    if (!result_failed(result) && settlement.differing > 0) {
        (void)snprintf(count, sizeof count, "%zu", settlement.differing);
        kea_log(plugin->server, FAILOVER_SYNC_RECONCILED, count, relationship_partner(settlement.relationship)->name);
    }
    return result;
}
