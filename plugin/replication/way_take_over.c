/* The partner is the primary, cannot send what it has, and its version counts: it is taken in here as if it had been
 * sent. */
#include "plugin/replication/way.h"

#include "plugin/replication/reception.h"

#include "failover_sync/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void apply_on_main(void *argument, bool cancelled)
{
    struct reception *reception = argument;
    struct plugin *plugin = reception->plugin;

    if (cancelled) {
        reception_free(reception);
        return;
    }
    if (!reception_find_place(reception)) {
        reception_end(reception);
        return;
    }
    reception_apply(reception);
    for (size_t i = 0; i < reception->count; i++) {
        const struct received_scope *scope = &reception->scopes[i];

        if (scope->outcome != BATCH_APPLIED && scope->outcome != BATCH_UNCHANGED)
            kea_log(plugin->server, FAILOVER_SYNC_TAKE_OVER_FAILED, OBJECT_SAID(scope->id, scope->name),
                    relationship_partner(reception_relationship(reception))->name,
                    scope->text[0] == '\0' ? "changed once more meanwhile" : scope->text);
    }
    /* What cannot be recorded stays held, and is compared again at the next change of the scope. */
    (void)worker_post(plugin, reception_record, reception_drop, reception);
}

static struct result add_scope(struct reception *reception, const struct batch_item *item)
{
    struct received_scope *scope = &reception->scopes[reception->count++];

    *scope = (struct received_scope){
        .id = item->wish.id,
        .name = strdup(item->wish.name),
        .definition = strdup(item->there),
        .version = item->has,
        .theirs = item->answered,
    };
    return scope->name == NULL || scope->definition == NULL ? result_no_memory("the partner's scopes") : result_ok();
}

struct result way_take_over(struct plugin *plugin, size_t number, const struct batch *batch)
{
    struct reception *reception;
    size_t count = 0;
    struct result result = result_ok();

    for (size_t i = 0; i < batch->count; i++)
        count += batch->items[i].take_over;
    if (count == 0)
        return result;
    reception = reception_new(plugin, number);
    if (reception == NULL)
        return result_no_memory("the partner's scopes");
    tickets_issue(plugin->tickets, plugin->instance, reception->ticket);
    reception->scopes = calloc(count, sizeof *reception->scopes);
    if (reception->scopes == NULL)
        result = result_no_memory("the partner's scopes");
    for (size_t i = 0; i < batch->count && !result_failed(result); i++)
        if (batch->items[i].take_over)
            result = add_scope(reception, &batch->items[i]);
    if (!result_failed(result))
        result = plugin->server->run_on_main(plugin->server->context, apply_on_main, reception);
    if (result_failed(result))
        reception_free(reception);
    return result;
}
