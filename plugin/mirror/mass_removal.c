/* Many scopes removed at once may be a slip of the pen, an empty file say: such a change stays on this server until an
 * administrator says that it is meant. */
#include "mass_removal.h"

#include <stdio.h>

struct members {
    size_t relationship, count;
    enum object_kind kind;
};

static bool count_member(void *context, const struct scope_entry *entry)
{
    struct members *members = context;

    if (object_kind_of(entry->id) == members->kind)
        members->count += entry->members >> members->relationship & 1;
    return true;
}

static bool is_one(const struct removal_note *removal, const struct members *members)
{
    return removal->relationship == members->relationship && object_kind_of(removal->id) == members->kind;
}

static size_t count_removals(const struct mirror_writer *writer, const struct members *members)
{
    size_t count = 0;

    for (size_t i = 0; i < writer->removal_count; i++)
        count += is_one(&writer->removals[i], members);
    return count;
}

static struct result hold(const struct mirror_writer *writer, const struct members *members, size_t removals)
{
    struct plugin *plugin = writer->plugin;
    const struct relationship_server *partner =
        relationship_partner(&plugin->relationships.list[members->relationship]);
    char texts[2][24], reason[200];
    struct result result = result_ok();

    (void)snprintf(texts[0], sizeof texts[0], "%zu", removals);
    (void)snprintf(texts[1], sizeof texts[1], "%zu", members->count);
    (void)snprintf(reason, sizeof reason,
                   "one of %zu %s of %zu that were removed at once, more than max-delete-percent (%lld) allows",
                   removals, object_kind_plural(members->kind), members->count,
                   (long long)plugin->parameters.max_delete_percent);
    for (size_t i = 0; i < writer->removal_count && !result_failed(result); i++)
        if (is_one(&writer->removals[i], members))
            result = queue_hold_removal(plugin->store, partner->record_id, writer->removals[i].id, reason);
    if (!result_failed(result))
        kea_log(plugin->server, FAILOVER_SYNC_MASS_REMOVAL, texts[0], texts[1], partner->name,
                object_kind_plural(members->kind));
    return result;
}

struct result mass_removal_hold(const struct mirror_writer *writer)
{
    struct plugin *plugin = writer->plugin;
    struct result result = result_ok();

    if (writer->removal_count < 2)
        return result;
    for (size_t i = 0; i < plugin->relationships.count * OBJECT_KINDS && !result_failed(result); i++) {
        struct members members = {.relationship = i / OBJECT_KINDS, .kind = (enum object_kind)(i % OBJECT_KINDS)};
        const size_t removals = count_removals(writer, &members);

        if (removals < 2)
            continue;
        /* The index is as before this transaction. */
        scope_index_each(plugin->index, count_member, &members);
        if (removals * 100 > members.count * (size_t)plugin->parameters.max_delete_percent)
            result = hold(writer, &members, removals);
    }
    return result;
}
