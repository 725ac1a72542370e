/* Compare and set at the partner, on the server's main thread: the version that a sender has against the one that runs
 * here. */
#include "plugin/replication/reception.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same(struct fingerprint a, struct fingerprint b)
{
    return strcmp(a.hex, b.hex) == 0;
}

/* Whether the prefix is configured here under another id: leases carry ids, so it is never guessed which is right. */
static bool has_other_id(const struct reception *reception, struct received_scope *scope)
{
    const struct kea_server *server = reception->plugin->server;
    object_id found = 0;

    if (scope->definition == NULL || object_kind_of(scope->id) != OBJECT_SCOPE ||
        result_failed(server->scope_find(server->context, KEA_RUNNING, scope->name, &found)) || found == scope->id)
        return false;
    scope->outcome = BATCH_ID_MISMATCH;
    (void)snprintf(scope->text, sizeof scope->text,
                   "%s has subnet id %u here and %u on %.80s: configure the same id on both servers", scope->name,
                   object_subnet_id(found), object_subnet_id(scope->id),
                   relationship_partner(reception_relationship(reception))->name);
    return true;
}

/* What runs here. */
struct present {
    struct fingerprint fingerprint; /* empty: no such scope */
    struct version_vector version;
    bool counted; /* or it was removed; else there never was such a scope */
    bool agreed;  /* it was removed, and the sender had removed it, too */
    bool edited;  /* since then, and the worker has yet to hear of it */
    bool builds;  /* its removal builds on what the sender last had */
    bool met;     /* of the sender is known what it has: */
    struct version_vector known;
    struct fingerprint theirs; /* the same text by its printing, if the two have agreed on it */
};

static struct present look(const struct reception *reception, const struct received_scope *scope)
{
    struct scope_index *index = reception->plugin->index;
    struct present present = {.fingerprint = scope->before.fingerprint};
    struct fingerprint recorded = fingerprint_parse(NULL);
    struct scope_removed removed;
    struct scope_applied applied;
    struct scope_entry entry;

    if (scope_index_get(index, scope->id, &entry)) {
        present.counted = true;
        present.version = entry.version;
        present.met = entry.agreement[reception->number].met;
        present.known = entry.agreement[reception->number].known;
        if (fingerprint_equal(entry.agreement[reception->number].ours, entry.fingerprint))
            present.theirs = entry.agreement[reception->number].theirs;
        recorded = entry.fingerprint;
        scope_entry_clear(&entry);
    } else if (scope_index_get_removed(index, scope->id, &removed)) {
        present.counted = true;
        present.version = removed.version;
        present.builds = (removed.builds >> reception->number & 1) != 0;
        present.agreed = (removed.agreed >> reception->number & 1) != 0;
    }
    if (scope_index_get_applied(index, scope->id, &applied) && same(applied.fingerprint, present.fingerprint)) {
        present.counted = true;
        present.version = version_merge(&present.version, &applied.version);
        recorded = applied.fingerprint;
    }
    present.edited = !same(present.fingerprint, recorded);
    present.counted = present.counted || present.edited;
    return present;
}

/* A server whose store is new and that meets the other again has lost its store: what it found configured is older than
 * what the two had agreed on. */
static bool sender_lost_store(const struct received_scope *scope, const struct present *present)
{
    return version_is_found(&scope->version) &&
           (present->builds || (present->met && !version_equal(&scope->version, &present->known)));
}

static bool store_lost_here(const struct received_scope *scope, const struct present *present)
{
    return version_is_found(&present->version) && !present->met && !fingerprint_empty(scope->base);
}

/* The text that both agreed on has another fingerprint where another release of the server prints it. */
static enum conflict_text compare_texts(const struct received_scope *scope, const struct present *present)
{
    if (same(present->fingerprint, scope->theirs))
        return TEXT_SAME;
    return present->met && same(present->theirs, scope->theirs) ? TEXT_REPRINTED : TEXT_OTHER;
}

static enum conflict_verdict judge(const struct reception *reception, const struct received_scope *scope,
                                   const struct present *present)
{
    const struct conflict_side mine = {
        .state = !present->counted                         ? OBJECT_NEVER
                 : fingerprint_empty(present->fingerprint) ? OBJECT_REMOVED
                                                           : OBJECT_THERE,
        .news = present->edited ? NEWS_UNCOUNTED : conflict_news(&present->version, &scope->version),
        .lost = store_lost_here(scope, present),
        /* One that knows no more of a removal that both had made has lost its store since. */
        .taken = present->agreed,
    };
    const struct conflict_side theirs = {
        .state = scope->definition == NULL ? OBJECT_REMOVED : OBJECT_THERE,
        .news = conflict_news(&scope->version, &present->version),
        .lost = sender_lost_store(scope, present),
    };
    const struct conflict_facts facts = {
        .source = SOURCE_RECEIVED,
        .text = compare_texts(scope, present),
        .primary_wins = reception->plugin->parameters.primary_wins,
        .primary = relationship_is_primary(reception_relationship(reception)),
    };

    return conflict_verdict(&mine, &theirs, &facts);
}

/* Whether what was sent is to be put in place; else what runs here stays in spite of a conflict. */
static bool may_apply(const struct reception *reception, struct received_scope *scope)
{
    switch (scope->verdict) {
    case VERDICT_CONFLICT_NEITHER:
    case VERDICT_WAITING:
        scope->outcome = BATCH_CONFLICT;
        (void)snprintf(scope->text, sizeof scope->text, "%.80s holds a version of its own of %s",
                       relationship_self(reception_relationship(reception))->name, scope->name);
        return false;
    case VERDICT_CONFLICT_MINE:
        scope->outcome = BATCH_OVERRULED;
        return false;
    default:
        return true;
    }
}

/* The writer of a number that is not believed, and by how much the clocks differ if that is the reason. */
static void refuse_ahead(struct received_scope *scope, const struct version_part *ahead, uint64_t now, const char *here)
{
    char clock[ENGINE_TIMESTAMP_SIZE];

    engine_timestamp((int64_t)now, clock);
    scope->outcome = BATCH_CLOCK_AHEAD;
    (void)snprintf(
        scope->text, sizeof scope->text,
        "writer %016llx has numbered an edit of it %llu days ahead of the clock of %.80s (%s): set the clocks of "
        "both servers right",
        (unsigned long long)ahead->writer, (unsigned long long)((ahead->edit - now) / VERSION_AHEAD_MAX), here, clock);
}

/* Nobody else edits as this server. A store that was put back does not know
 * what this server did since, but that was not later than now, or than some thousands of edits at once. */
#define OWN_AHEAD_MAX UINT64_C(60000) /* milliseconds */

static bool is_made_up(const struct reception *reception, struct received_scope *scope, const struct present *present,
                       uint64_t now)
{
    const uint64_t writer = reception->plugin->writer;
    const uint64_t said = version_edit_of(&scope->version, writer), own = version_edit_of(&present->version, writer);

    if (said <= own || said <= now + OWN_AHEAD_MAX)
        return false;
    scope->outcome = BATCH_CLOCK_AHEAD;
    (void)snprintf(
        scope->text, sizeof scope->text,
        "its version names an edit, of writer %016llx, that %.80s has not made: set the clocks of both servers "
        "right, and give each server a store of its own",
        (unsigned long long)writer, relationship_self(reception_relationship(reception))->name);
    return true;
}

static bool is_crowded(const struct reception *reception, struct received_scope *scope, const struct present *present,
                       uint64_t now)
{
    const size_t strangers = version_crowd(&scope->version, &present->version, now);

    /* A server whose store is new knows nobody. */
    if (strangers == 0 || (version_is_found(&present->version) && scope->definition != NULL))
        return false;
    scope->outcome = BATCH_CLOCK_AHEAD;
    (void)snprintf(scope->text, sizeof scope->text,
                   "its version names %zu writers of the last day whom %.80s does not know, and up to %d can be: is "
                   "somebody else speaking for its partner? A shared secret prevents that",
                   strangers, relationship_self(reception_relationship(reception))->name, VERSION_STRANGERS_MAX);
    return true;
}

/* Whether the numbers in the sender's version can be right. */
static bool is_believed(const struct reception *reception, struct received_scope *scope, const struct present *present)
{
    const int64_t clock = engine_now();
    const uint64_t now = clock < 0 ? 0 : (uint64_t)clock;
    const struct version_part *ahead = version_ahead(&scope->version, version_limit(&present->version, now));

    if (ahead != NULL)
        refuse_ahead(scope, ahead, now, relationship_self(reception_relationship(reception))->name);
    return ahead == NULL && !is_made_up(reception, scope, present, now) && !is_crowded(reception, scope, present, now);
}

/* What is not in its text would be lost with it, and no history could bring it back. */
static bool is_unprinted(const struct reception *reception, struct received_scope *scope)
{
    char reason[KEA_UNPRINTED_SIZE];

    if (!kea_object_unprinted(scope->before.definition, reason))
        return false;
    scope->outcome = BATCH_FAILED;
    (void)snprintf(scope->text, sizeof scope->text, "%.80s keeps the version that it has: %s",
                   relationship_self(reception_relationship(reception))->name, reason);
    return true;
}

/* Settles what needs no change here; true if the scope is to be applied. */
static bool compare(struct reception *reception, struct received_scope *scope)
{
    const struct kea_server *server = reception->plugin->server;
    struct present present;
    struct result result = server->object_get(server->context, KEA_RUNNING, scope->id, &scope->before);

    if (result_failed(result) && result.code != RESULT_NOT_FOUND) {
        scope->outcome = BATCH_FAILED;
        (void)snprintf(scope->text, sizeof scope->text, "%.290s", result.message);
        return false;
    }
    present = look(reception, scope);
    scope->answered = present.version;
    if (scope->outcome == BATCH_FAILED)
        return false; /* its definition is beyond the bounds */
    if (!is_believed(reception, scope, &present))
        return false;
    scope->verdict = judge(reception, scope, &present);
    if (scope->verdict == VERDICT_MINE) {
        scope->outcome = BATCH_OUTDATED;
        return false;
    }
    if (same(present.fingerprint, scope->theirs)) {
        scope->answered = version_merge(&present.version, &scope->version);
        scope->outcome = BATCH_UNCHANGED;
        return false;
    }
    if (is_unprinted(reception, scope) || has_other_id(reception, scope) || !may_apply(reception, scope))
        return false;
    if (scope->definition == NULL && !reception_takes_removal(reception, scope))
        return false;
    scope->answered = version_merge(&present.version, &scope->version);
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

/* Until the worker has recorded it, the index says what runs. */
static void note_applied(const struct reception *reception, struct received_scope *scope)
{
    const struct scope_applied applied = {.id = scope->id, .fingerprint = scope->now, .version = scope->answered};

    if (scope->outcome == BATCH_APPLIED && result_failed(scope_index_note_applied(reception->plugin->index, &applied)))
        kea_log(reception->plugin->server, FAILOVER_SYNC_RECORD_FAILED,
                relationship_partner(reception_relationship(reception))->name, "out of memory");
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
            changes[count] = (struct kea_change){.id = scope->id,
                                                 .name = scope->name,
                                                 .definition = scope->definition,
                                                 .keep_network = scope->network_kept};
            which[count++] = i;
        }
    }
    if (count > 0)
        (void)server->objects_apply(server->context, KEA_RUNNING, changes, count);
    for (size_t i = 0; i < count; i++)
        take_result(&reception->scopes[which[i]], &changes[i]);
    free(changes);
    free(which);
    for (size_t i = 0; i < reception->count; i++) {
        struct received_scope *scope = &reception->scopes[i];

        /* What was not touched is as it was. */
        if (scope->outcome != BATCH_APPLIED && scope->after.definition == NULL) {
            scope->after = scope->before;
            scope->before = (struct kea_object){.id = 0};
        }
        scope->now = scope->after.fingerprint;
        note_applied(reception, scope);
    }
}
