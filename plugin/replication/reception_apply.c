/* Compare and set at the partner, on the server's main thread: what a sender last agreed on against what runs here. */
#include "plugin/replication/reception.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void reception_free(void *argument)
{
    struct reception *reception = argument;

    if (reception == NULL)
        return;
    for (size_t i = 0; i < reception->count; i++) {
        free(reception->scopes[i].prefix);
        free(reception->scopes[i].definition);
        kea_scope_clear(&reception->scopes[i].before);
        kea_scope_clear(&reception->scopes[i].after);
    }
    free(reception->scopes);
    free(reception);
}

const struct relationship *reception_relationship(const struct reception *reception)
{
    return &reception->plugin->relationships.list[reception->number];
}

struct fingerprint reception_fingerprint(const struct kea_scope *scope)
{
    return scope->replicated == NULL ? fingerprint_parse(NULL)
                                     : fingerprint_of(scope->replicated, strlen(scope->replicated));
}

static bool same(struct fingerprint a, struct fingerprint b)
{
    return strcmp(a.hex, b.hex) == 0;
}

/* Whether the prefix is configured here under another id: leases carry ids, so it is never guessed which is right. */
static bool has_other_id(const struct reception *reception, struct received_scope *scope)
{
    const struct kea_server *server = reception->plugin->server;
    uint32_t found = 0;

    if (scope->definition == NULL ||
        result_failed(server->scope_find(server->context, KEA_RUNNING, scope->prefix, &found)) ||
        found == scope->subnet_id)
        return false;
    scope->outcome = BATCH_ID_MISMATCH;
    (void)snprintf(scope->text, sizeof scope->text,
                   "%s has subnet id %u here and %u on %.80s: configure the same id on both servers", scope->prefix,
                   found, scope->subnet_id, relationship_partner(reception_relationship(reception))->name);
    return true;
}

/* Who of the two has lost what they had agreed on. */
enum memory { MEMORY_OF_BOTH, MEMORY_LOST_HERE, MEMORY_LOST_THERE };

/* A sender that knows of no agreement where this server remembers one has lost its store, and the other way round. What
 * was edited since then by the server that lost it is a version of its own; what was not has no claim. */
static enum memory compare_memories(const struct reception *reception, const struct received_scope *scope)
{
    struct scope_entry entry;
    enum memory memory = MEMORY_OF_BOTH;
    bool remembered, forgotten, untouched;

    if (!scope_index_get(reception->plugin->index, scope->subnet_id, &entry))
        return memory;
    remembered = !fingerprint_empty(entry.agreement[reception->number].ours);
    /* A held conflict leaves the partner's half of an agreement. */
    forgotten = !remembered && fingerprint_empty(entry.agreement[reception->number].theirs);
    untouched = fingerprint_equal(entry.fingerprint, entry.configuration_fingerprint);
    if (remembered && fingerprint_empty(scope->base))
        memory = MEMORY_LOST_THERE;
    else if (forgotten && !fingerprint_empty(scope->base) && untouched)
        memory = MEMORY_LOST_HERE;
    scope_entry_clear(&entry);
    return memory;
}

/* Settles what needs no change here; true if the scope is to be applied. */
static bool compare(const struct reception *reception, struct received_scope *scope)
{
    const struct kea_server *server = reception->plugin->server;
    const struct relationship *relationship = reception_relationship(reception);
    struct fingerprint current;
    enum memory memory;
    struct result result = server->scope_get(server->context, KEA_RUNNING, scope->subnet_id, &scope->before);

    if (result_failed(result) && result.code != RESULT_NOT_FOUND) {
        scope->outcome = BATCH_FAILED;
        (void)snprintf(scope->text, sizeof scope->text, "%.290s", result.message);
        return false;
    }
    current = reception_fingerprint(&scope->before);
    if (same(current, scope->theirs)) {
        scope->outcome = BATCH_UNCHANGED;
        return false;
    }
    if (has_other_id(reception, scope))
        return false;
    if (same(current, scope->base))
        return true;
    memory = compare_memories(reception, scope);
    if (memory == MEMORY_LOST_HERE)
        return true;
    scope->conflicting = true;
    if (memory == MEMORY_LOST_THERE && scope->definition != NULL) {
        scope->outcome = BATCH_OVERRULED;
        return false;
    }
    if (!reception->plugin->parameters.primary_wins) {
        scope->outcome = BATCH_CONFLICT;
        (void)snprintf(scope->text, sizeof scope->text, "%.80s holds a version of its own of %s",
                       relationship_self(relationship)->name, scope->prefix);
        return false;
    }
    if (relationship_is_primary(relationship)) {
        scope->outcome = BATCH_OVERRULED;
        return false;
    }
    return true;
}

static void take_result(struct received_scope *scope, struct kea_change *change)
{
    scope->outcome = change->applied ? BATCH_APPLIED : BATCH_FAILED;
    if (!change->applied)
        (void)snprintf(scope->text, sizeof scope->text, "%.290s",
                       change->text == NULL ? "out of memory" : change->text);
    free(change->text);
    scope->after = change->after;
    scope->network_kept = scope->network_kept && change->applied && reception_network_differs(scope);
}

void reception_apply(struct reception *reception)
{
    const struct kea_server *server = reception->plugin->server;
    struct kea_change *changes = calloc(reception->count, sizeof *changes);
    size_t *which = calloc(reception->count, sizeof *which);
    size_t count = 0;

    for (size_t i = 0; i < reception->count; i++) {
        struct received_scope *scope = &reception->scopes[i];

        if (changes == NULL || which == NULL) {
            scope->outcome = BATCH_FAILED;
            (void)snprintf(scope->text, sizeof scope->text, "out of memory");
        } else if (compare(reception, scope)) {
            scope->network_kept = reception_keeps_network(reception, scope);
            changes[count] = (struct kea_change){.subnet_id = scope->subnet_id,
                                                 .prefix = scope->prefix,
                                                 .definition = scope->definition,
                                                 .keep_network = scope->network_kept};
            which[count++] = i;
        }
    }
    if (count > 0)
        reception->pause_us = server->scopes_apply(server->context, KEA_RUNNING, changes, count);
    for (size_t i = 0; i < count; i++)
        take_result(&reception->scopes[which[i]], &changes[i]);
    free(changes);
    free(which);
    for (size_t i = 0; i < reception->count; i++) {
        struct received_scope *scope = &reception->scopes[i];

        /* What was not touched is as it was. */
        if (scope->outcome != BATCH_APPLIED && scope->after.definition == NULL) {
            scope->after = scope->before;
            scope->before = (struct kea_scope){.subnet_id = 0};
        }
        scope->now = reception_fingerprint(&scope->after);
    }
}
