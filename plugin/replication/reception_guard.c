/* max-delete-percent at the receiver: whether a removal that a partner sent is taken or held. What was taken and held
 * is kept in removal_guard.c. */
#include "plugin/replication/reception.h"

#include <stdio.h>
#include <string.h>

struct members {
    size_t relationship, count;
};

static bool count_member(void *context, const struct scope_entry *entry)
{
    struct members *members = context;

    members->count += entry->members >> members->relationship & 1;
    return true;
}

static int64_t sender_id(const struct reception *reception)
{
    return relationship_partner(reception_relationship(reception))->record_id;
}

/* The batch before this one is recorded, so the index knows of every removal that was taken. */
static void look(struct reception *reception)
{
    struct plugin *plugin = reception->plugin;
    struct members members = {.relationship = reception->number};

    if (reception->removals.known)
        return;
    scope_index_each(plugin->index, count_member, &members);
    reception->removals.known = true;
    reception->removals.counted = removal_guard_count(plugin->guard, sender_id(reception), plugin->index);
    reception->removals.scopes = members.count + reception->removals.counted;
}

static bool is_meant(const struct reception *reception, const struct received_scope *scope)
{
    return scope->force ||
           removal_guard_find(reception->plugin->guard, sender_id(reception), scope->subnet_id) == REMOVAL_RELEASED;
}

bool reception_takes_removal(struct reception *reception, struct received_scope *scope)
{
    const struct relationship *relationship = reception_relationship(reception);
    const int64_t percent = reception->plugin->parameters.max_delete_percent;

    if (percent == 100 || is_meant(reception, scope))
        return true;
    look(reception);
    if (!removal_guard_exceeds(reception->removals.counted, reception->removals.scopes, percent)) {
        reception->removals.counted++;
        return true;
    }
    scope->outcome = BATCH_HELD;
    (void)snprintf(scope->text, sizeof scope->text,
                   "%.48s keeps %s: more than max-delete-percent (%lld) of %zu scopes removed at once; "
                   "failover-replicate with force if meant",
                   relationship_self(relationship)->name, scope->prefix, (long long)percent,
                   reception->removals.scopes);
    return false;
}

/* What the guard is to know of a scope of the batch; false if that is what it knows. */
static bool guarded(const struct reception *reception, const struct received_scope *scope,
                    struct guarded_removal *removal)
{
    const enum removal_state before =
        removal_guard_find(reception->plugin->guard, sender_id(reception), scope->subnet_id);

    *removal = (struct guarded_removal){.server_record_id = sender_id(reception), .subnet_id = scope->subnet_id};
    (void)snprintf(removal->prefix, sizeof removal->prefix, "%s", scope->prefix);
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
