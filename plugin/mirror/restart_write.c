/* Writing what was decided on a configuration load, by the worker, once the configuration is in force. */
#include "restart_private.h"

#include "failover_sync/store_life.h"
#include "failover_sync/worker.h"

#include <stdio.h>
#include <string.h>

/* The file may have been edited or not, nobody remembers what it said before: then its version is to be had, at least.
 */
static struct result keep_passed_over(struct mirror_writer *writer, const struct kea_object *scope)
{
    const struct history_row lost = {
        .id = scope->id,
        .name = scope->name,
        .definition = scope->definition,
        .fingerprint = scope->fingerprint,
        .reason = "the store had not seen the configuration file before: its own version counts, not the file's",
        .replaced_at = writer->now,
    };

    return history_store_add(writer->plugin->store, &lost);
}

static bool is_planned(const struct load_plan *plan, object_id id)
{
    for (size_t i = 0; i < plan->scope_count; i++)
        if (plan->scopes[i].id == id)
            return true;
    return false;
}

static bool is_in_network(const struct planned_scope *planned)
{
    return planned->scope.definition != NULL && strstr(planned->scope.definition, "\"shared-network\"") != NULL;
}

static struct result write_scope(struct mirror_writer *writer, const struct load_plan *plan,
                                 const struct planned_scope *planned)
{
    struct mirror_version version = {
        .scope = &planned->scope,
        .origin = planned->origin,
        .delivered = planned->delivered,
        .from_file = plan->from_file,
        .delivery = planned->delivery,
        .configuration_apart = planned->configuration_apart,
        .configuration = planned->configuration,
        .is = planned->numbered ? &planned->version : NULL,
        .edit = planned->edit_on_top,
        .followed = planned->followed,
        .agreed_with = -1,
        .hold = planned->hold,
        .reason = planned->reason[0] == '\0' ? NULL : planned->reason,
    };
    struct result result = mirror_put_scope(writer, &version);

    if (!result_failed(result) && planned->passed_over.definition != NULL)
        result = keep_passed_over(writer, &planned->passed_over);
    return result;
}

static struct result write_plan(struct mirror_writer *writer, const struct load_plan *plan)
{
    struct result result = result_ok();

    for (size_t i = 0; i < plan->removal_count && !result_failed(result); i++) {
        const struct planned_removal *removal = &plan->removals[i];

        result = mirror_remove_scope(writer, &(struct mirror_removal){.id = removal->id,
                                                                      .origin = SCOPE_FROM_CONFIGURATION,
                                                                      .gone_from_file = removal->gone_from_file,
                                                                      .agreed_with = -1});
        if (!result_failed(result) && !removal->gone_from_file)
            result = mirror_bury(writer, removal->id, false, &(struct delivery){.text = fingerprint_parse(NULL)});
    }
    for (size_t i = 0; i < plan->buried_count && !result_failed(result); i++)
        result = mirror_bury(writer, plan->buried[i].id, plan->from_file, &plan->buried[i].delivery);
    for (size_t i = 0; i < plan->tombstone_count && !result_failed(result); i++)
        result = mirror_unbury(writer, plan->tombstones[i]);
    for (size_t i = 0; i < plan->delivery_count && !result_failed(result); i++)
        if (!plan->deliveries[i].dropped)
            result =
                mirror_put_delivery(writer, plan->deliveries[i].id, plan->from_file, &plan->deliveries[i].delivery);
    /* What leaves a shared network is queued before what stays: it must not change at the partner with the network. */
    for (size_t i = 0; i < plan->scope_count && !result_failed(result); i++)
        if (!is_in_network(&plan->scopes[i]))
            result = write_scope(writer, plan, &plan->scopes[i]);
    for (size_t i = 0; i < plan->scope_count && !result_failed(result); i++)
        if (is_in_network(&plan->scopes[i]))
            result = write_scope(writer, plan, &plan->scopes[i]);
    for (size_t i = 0; i < plan->loser_count && !result_failed(result); i++)
        result = keep_passed_over(writer, &plan->losers[i].scope);
    for (size_t i = 0; i < plan->removed_count && !result_failed(result); i++) {
        const struct scope_removed *removed = &plan->removed[i].removed;
        const struct mirror_removal removal = {.id = removed->id,
                                               .name = removed->name,
                                               .is = &removed->version,
                                               .edit = plan->removed[i].edit,
                                               .agreed_with = -1,
                                               .buried = &removed->buried};
        struct scope_entry entry;

        if (scope_index_get(writer->plugin->index, removal.id, &entry))
            scope_entry_clear(&entry);
        else if (!is_planned(plan, removal.id))
            result = mirror_remove_scope(writer, &removal);
    }
    return result;
}

/* The configuration is mirrored: what differs from now on is an edit. */
static struct result note_filled(struct mirror_writer *writer, struct store_identity identity)
{
    struct plugin *plugin = writer->plugin;
    const struct store_identity *before = &plugin->identity;

    if (before->filled == identity.filled && before->file_seen == identity.file_seen)
        return mirror_forget_removals(writer);
    identity.last_edit = before->last_edit;
    return store_identity_put(plugin->store, &identity);
}

static void report(struct plugin *plugin, size_t written, size_t removed, size_t queued)
{
    char texts[3][24];

    if (written + removed + queued == 0)
        return;
    (void)snprintf(texts[0], sizeof texts[0], "%zu", written);
    (void)snprintf(texts[1], sizeof texts[1], "%zu", removed);
    (void)snprintf(texts[2], sizeof texts[2], "%zu", queued);
    kea_log(plugin->server, FAILOVER_SYNC_MIRRORED, texts[0], texts[1], texts[2]);
}

static struct result review(struct plugin *plugin)
{
    struct mirror_writer writer;
    struct result result = mirror_begin(plugin, &writer);

    if (result_failed(result))
        return result;
    result = mirror_review_memberships(&writer);
    if (result_failed(result)) {
        mirror_abandon(&writer);
        return result;
    }
    return mirror_commit(&writer);
}

static void release_plan(void *argument)
{
    load_plan_free(argument);
}

static struct result record_plan(struct plugin *plugin, struct load_plan *plan)
{
    struct store_identity identity = plugin->identity;
    struct mirror_writer writer;
    struct result result = mirror_begin(plugin, &writer);
    size_t written, removed, queued;

    if (result_failed(result))
        return result;
    if (plugin->unwritten.server_name != NULL)
        result = relationships_mirror(&plugin->unwritten, plugin->store, plugin->server->version);
    identity.filled = true;
    /* A file that was loaded since, and not recorded, may say anything by now. */
    identity.file_seen = plan->file_seen || (identity.file_seen && !unseen_file_is_noted(plugin->parameters.store));
    if (!result_failed(result))
        result = write_plan(&writer, plan);
    if (!result_failed(result))
        result = note_filled(&writer, identity);
    if (result_failed(result)) {
        mirror_abandon(&writer);
    } else {
        written = writer.written;
        removed = writer.removed_count;
        queued = writer.queued;
        result = mirror_commit(&writer);
        if (!result_failed(result))
            report(plugin, written, removed, queued);
        if (!result_failed(result)) {
            plugin->identity.filled = true;
            plugin->filled = true;
            plugin->identity.file_seen = identity.file_seen;
            unseen_file_forget(plugin->parameters.store);
            relationships_clear(&plugin->unwritten);
        }
    }
    return result;
}

/* What is written is written once, however often the rest has to be tried. */
static struct result mirror_plan(struct plugin *plugin, void *argument)
{
    struct load_plan *plan = argument;
    struct result result = plan->written ? result_ok() : record_plan(plugin, plan);

    if (!result_failed(result)) {
        plan->written = true;
        result = review(plugin);
    }
    if (!result_failed(result)) {
        for (size_t i = 0; i < plugin->relationships.count; i++)
            engine_refresh_queue(plugin, i);
        engine_set_counted(plugin, true);
    }
    if (!result_may_pass(result))
        load_plan_free(plan);
    return result;
}

struct result restart_carry_out(struct plugin *plugin, bool committed)
{
    struct load_plan *plan = plugin->plan;

    plugin->plan = NULL;
    if (plan == NULL || !committed) {
        load_plan_free(plan);
        /* What runs is as it was when it was mirrored last. */
        engine_set_counted(plugin, !committed && plugin->store != NULL);
        return result_ok();
    }
    plan->pending = &plugin->changes_pending;
    plugin->changes_pending++;
    return worker_post(plugin, mirror_plan, release_plan, plan);
}
