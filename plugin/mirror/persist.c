/* The configuration file in the server's own words, which are no edit of it: after somebody's config-write, and with
 * persist: config-write, for which the server is asked once nothing more has come from the partner for a second. */
#include "failover_sync/mirror.h"

#include "failover_sync/worker.h"

#include <stdlib.h>

#define QUIET_MS 1000
#define AGAIN_MS 30000 /* after a failure */

void persist_note_received(struct plugin *plugin)
{
    if (plugin->parameters.persist_config_write)
        plugin->write_configuration_at = engine_ticks() + QUIET_MS;
}

struct not_in_file {
    object_id *ids;
    size_t count, capacity;
};

static bool collect(void *context, const struct scope_entry *entry)
{
    struct not_in_file *scopes = context;

    if (!fingerprint_equal(entry->file.fingerprint, entry->printed))
        scopes->ids[scopes->count++] = entry->id;
    return true;
}

static struct result note_written_scopes(struct mirror_writer *writer)
{
    struct scope_index *index = writer->plugin->index;
    struct not_in_file scopes = {.count = 0};
    struct result result = result_ok();

    scopes.ids = calloc(scope_index_count(index) + 1, sizeof *scopes.ids);
    if (scopes.ids == NULL)
        return result_no_memory("the mirror");
    scope_index_each(index, collect, &scopes);
    for (size_t i = 0; i < scopes.count && !result_failed(result); i++) {
        struct scope_entry entry;

        if (!scope_index_get(index, scopes.ids[i], &entry))
            continue;
        /* The file's words are the server's now: with all that the scope inherits, and not known before it reads them.
         */
        result = mirror_put_written(writer, entry.id,
                                    &(struct delivery){.fingerprint = entry.printed, .printed = entry.printed});
        scope_entry_clear(&entry);
    }
    free(scopes.ids);
    return result;
}

static struct result collect_removed(void *context, const struct tombstone_row *row)
{
    struct not_in_file *scopes = context;

    if (!engine_grow((void **)&scopes->ids, scopes->count, &scopes->capacity, sizeof *scopes->ids))
        return result_no_memory("the mirror");
    scopes->ids[scopes->count++] = row->id;
    return result_ok();
}

/* What was removed is not in the file any more: if it comes back there, that is an edit. */
static struct result note_written_removals(struct mirror_writer *writer)
{
    struct not_in_file scopes = {.count = 0};
    struct result result = tombstone_store_each(writer->plugin->store, collect_removed, &scopes);

    for (size_t i = 0; i < scopes.count && !result_failed(result); i++)
        result = mirror_bury_written(writer, scopes.ids[i]);
    free(scopes.ids);
    return result;
}

static void nothing_to_release(void *argument)
{
    (void)argument;
}

static struct result note_written(struct plugin *plugin, void *argument)
{
    struct mirror_writer writer;
    struct result result = mirror_begin(plugin, &writer);

    (void)argument;
    if (result_failed(result))
        return result;
    result = note_written_scopes(&writer);
    if (!result_failed(result))
        result = note_written_removals(&writer);
    if (result_failed(result)) {
        mirror_abandon(&writer);
        return result;
    }
    return mirror_commit(&writer);
}

void persist_note_written(struct plugin *plugin)
{
    (void)worker_post(plugin, note_written, nothing_to_release, NULL);
}

static struct result try_again(struct plugin *plugin, void *argument)
{
    (void)argument;
    plugin->write_configuration_at = engine_ticks() + AGAIN_MS;
    return result_ok();
}

static void write_on_main(void *argument, bool cancelled)
{
    struct plugin *plugin = argument;
    struct result result;

    if (cancelled)
        return;
    result = plugin->server->configuration_write(plugin->server->context);
    if (result_failed(result))
        kea_log(plugin->server, FAILOVER_SYNC_WRITE_FAILED, result.message);
    if (result_failed(result))
        (void)worker_post(plugin, try_again, nothing_to_release, NULL);
    else
        persist_note_written(plugin);
}

int64_t persist_advance(struct plugin *plugin, int64_t now)
{
    if (plugin->write_configuration_at == 0)
        return INT64_MAX;
    if (plugin->write_configuration_at > now)
        return plugin->write_configuration_at;
    plugin->write_configuration_at = 0;
    if (result_failed(plugin->server->run_on_main(plugin->server->context, write_on_main, plugin)))
        plugin->write_configuration_at = now + AGAIN_MS;
    return INT64_MAX;
}
