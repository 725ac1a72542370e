/* max-delete-percent at the receiver: whether a removal that a partner sent is taken or held. What was taken and held
 * is kept in removal_guard.c. */
#include "plugin/replication/reception.h"

#include <stdio.h>
#include <string.h>

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

static int64_t sender_id(const struct reception *reception)
{
    return relationship_partner(reception_relationship(reception))->record_id;
}

/* The batch before this one is recorded, so the index knows of every removal that was taken. */
static struct reception_removals *look(struct reception *reception, enum object_kind kind)
{
    struct plugin *plugin = reception->plugin;
    struct reception_removals *removals = &reception->removals[kind];
    struct members members = {.relationship = reception->number, .kind = kind};

    if (!removals->known) {
        scope_index_each(plugin->index, count_member, &members);
        removals->known = true;
        removals->counted = removal_guard_count(plugin->guard, sender_id(reception), kind, plugin->index);
        removals->all = members.count + removals->counted;
    }
    return removals;
}

static bool is_meant(const struct reception *reception, const struct received_scope *scope)
{
    return scope->force ||
           removal_guard_find(reception->plugin->guard, sender_id(reception), scope->id) == REMOVAL_RELEASED;
}

bool reception_takes_removal(struct reception *reception, struct received_scope *scope)
{
    const struct relationship *relationship = reception_relationship(reception);
    const int64_t percent = reception->plugin->parameters.max_delete_percent;
    const enum object_kind kind = object_kind_of(scope->id);
    struct reception_removals *removals;

    if (percent == 100 || is_meant(reception, scope))
        return true;
    removals = look(reception, kind);
    if (!removal_guard_exceeds(removals->counted, removals->all, percent)) {
        removals->counted++;
        return true;
    }
    scope->outcome = BATCH_HELD;
    (void)snprintf(scope->text, sizeof scope->text,
                   "%.48s keeps %s: more than max-delete-percent (%lld) of %zu %s removed at once; "
                   "failover-replicate with force if meant",
                   relationship_self(relationship)->name, scope->name, (long long)percent, removals->all,
                   object_kind_plural(kind));
    return false;
}

/* What the guard is to know of a scope of the batch; false if that is what it knows. */
static bool guarded(const struct reception *reception, const struct received_scope *scope,
                    struct guarded_removal *removal)
{
    const enum removal_state before = removal_guard_find(reception->plugin->guard, sender_id(reception), scope->id);

    *removal = (struct guarded_removal){.server_record_id = sender_id(reception), .id = scope->id};
    (void)snprintf(removal->name, sizeof removal->name, "%s", scope->name);
    if (scope->outcome == BATCH_HELD)
        removal->state = REMOVAL_HELD;
    else if (scope->outcome == BATCH_APPLIED && scope->definition == NULL && !scope->force &&
             before != REMOVAL_RELEASED && reception->plugin->parameters.max_delete_percent < 100)
        removal->state = REMOVAL_COUNTED;
    else if (scope->outcome != BATCH_APPLIED && scope->outcome != BATCH_UNCHANGED)
        return false;
    return removal->state != before;
}

struct result reception_guard_store(struct mirror_writer *writer, const struct reception *reception)
{
    struct guarded_removal removal;
    struct result result = result_ok();

    for (size_t i = 0; i < reception->count && !result_failed(result); i++)
        if (guarded(reception, &reception->scopes[i], &removal))
            result = removal_guard_store(writer->plugin->store, &removal);
    return result;
}

static void report(const struct reception *reception)
{
    const char *reason = NULL;
    size_t held = 0;
    char text[24];

    for (size_t i = 0; i < reception->count; i++)
        if (reception->scopes[i].outcome == BATCH_HELD) {
            reason = reception->scopes[i].text;
            held++;
        }
    if (held == 0)
        return;
    (void)snprintf(text, sizeof text, "%zu", held);
    kea_log(reception->plugin->server, FAILOVER_SYNC_REMOVALS_HELD_HERE, text,
            relationship_partner(reception_relationship(reception))->name, reason);
}

struct result reception_guard_follow(const struct reception *reception)
{
    struct plugin *plugin = reception->plugin;
    struct guarded_removal removal;
    struct result result = result_ok();

    for (size_t i = 0; i < reception->count && !result_failed(result); i++)
        if (guarded(reception, &reception->scopes[i], &removal))
            result = removal_guard_follow(plugin->guard, &removal);
    report(reception);
    /* The batch is recorded: what could not be forgotten now is forgotten with the next one. */
    (void)removal_guard_expire(plugin->guard, plugin->store, plugin->index);
    return result;
}
