/* What is done about versions that differ. Most differences are on their way; the others come from a store that was
 * lost or put back, or from a partner that forgot what it took. Whoever has the version that counts sends it; which one
 * that is, is decided in conflict.c. */
#include "reconcile_private.h"

#include "conflict.h"

#include "failover_sync/mirror.h"
#include "failover_sync/object_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WANTED_AT_ONCE 500

void partner_list_clear(struct partner_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->scopes[i].unprinted);
    free(list->scopes);
    *list = (struct partner_list){.scopes = NULL};
}

struct result partner_list_add(struct partner_list *list, const struct model_node *output)
{
    for (const struct model_node *node = object_first(output, &object_lists_all); node != NULL;
         node = object_next(output, &object_lists_all, node)) {
        const char *name, *unprinted = model_text(node, "incomplete");
        const object_id id = object_of_node(node, &name);

        if (list->count > 0 && id <= list->scopes[list->count - 1].id)
            return result_error(RESULT_NETWORK, "the partner's list of scopes is not in order");
        if (!engine_grow((void **)&list->scopes, list->count, &list->capacity, sizeof *list->scopes))
            return result_no_memory("the partner's list of scopes");
        list->scopes[list->count] = (struct partner_scope){
            .id = id,
            .removed = model_boolean(node, "removed", false),
            .text = fingerprint_parse(model_text(node, "fingerprint")),
        };
        (void)snprintf(list->scopes[list->count].name, sizeof list->scopes->name, "%s", name == NULL ? "" : name);
        list->count++;
        if (unprinted != NULL && (list->scopes[list->count - 1].unprinted = strdup(unprinted)) == NULL)
            return result_no_memory("the partner's list of scopes");
        if (!version_parse(model_text(node, "version"), &list->scopes[list->count - 1].version))
            return result_error(RESULT_NETWORK, "the partner's list has a version that is none");
    }
    return result_ok();
}

json_t *partner_list_wanted(const struct partner_list *list, size_t *next)
{
    json_t *wanted = json_object();
    size_t count = 0;

    for (; *next < list->count && count < WANTED_AT_ONCE; ++*next) {
        const struct partner_scope *scope = &list->scopes[*next];
        const bool is_scope = object_kind_of(scope->id) == OBJECT_SCOPE;
        const char *name = is_scope ? NULL : scope->name;

        /* One request asks for scopes or for others. */
        if (!is_scope && json_object_get(wanted, object_lists_wanted.scopes) != NULL)
            break;
        if (scope->wanted && object_json_append(wanted, &object_lists_wanted, scope->id, object_json(scope->id, name)))
            count++;
    }
    if (count == 0) {
        json_decref(wanted);
        return NULL;
    }
    return wanted;
}

struct settlement {
    struct mirror_writer writer;
    size_t number;
    const struct relationship *relationship;
    struct partner_list *list;
    size_t differing;
};

static struct partner_scope *find(struct partner_list *list, object_id id)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list->scopes[middle].id == id)
            return &list->scopes[middle];
        if (list->scopes[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static struct result push(struct settlement *settlement, object_id id, const char *name, bool removal)
{
    const struct queue_item wish = mirror_wish(settlement->relationship, id, name, removal);

    settlement->differing++;
    return queue_put_missing(settlement->writer.plugin->store, &wish, settlement->writer.now);
}

/* Whether a conflict waited for a person, and the partner now has another version than the one it was with: it lost its
 * store, say. It does not know of the conflict then, and what is held for it is not what it has to be told. */
static bool waited_with_another(const struct settlement *settlement, const struct scope_entry *entry,
                                const struct partner_scope *scope)
{
    const struct scope_agreement *agreement = &entry->agreement[settlement->number];

    return scope != NULL && agreement->met && fingerprint_empty(agreement->ours) &&
           !version_equal(&agreement->known, &scope->version) &&
           conflict_waits(&entry->version, &agreement->known, settlement->writer.plugin->parameters.primary_wins);
}

/* Sends a scope whatever became of the wish before, which may be held. */
static struct result send_anew(const struct settlement *settlement, const struct scope_entry *entry)
{
    const struct queue_item wish = mirror_wish(settlement->relationship, entry->id, entry->name, false);

    return queue_put(settlement->writer.plugin->store, &wish, settlement->writer.now);
}

/* A version that counts, or that is in a conflict: in one the partner decides by the same rule, and answers. */
static struct result tell(struct settlement *settlement, const struct scope_entry *entry,
                          const struct partner_scope *scope)
{
    if (!waited_with_another(settlement, entry, scope))
        return push(settlement, entry->id, entry->name, false);
    settlement->differing++;
    return send_anew(settlement, entry);
}

/* What the partner was thought to have it has not. */
static struct result note_lost(struct settlement *settlement, struct scope_entry *entry)
{
    struct scope_agreement *agreement = &entry->agreement[settlement->number];

    if (fingerprint_empty(agreement->ours))
        return result_ok();
    agreement->ours = fingerprint_parse(NULL);
    entry->reset = false;
    return mirror_set_sync(&settlement->writer, entry, "the partner has lost it");
}

static void want(struct settlement *settlement, struct partner_scope *scope)
{
    scope->wanted = true;
    settlement->differing++;
}

/* A conflict that both know of and that waits for a person. */
static bool is_held(const struct settlement *settlement, const struct scope_entry *entry,
                    const struct partner_scope *scope)
{
    const struct scope_agreement *agreement = &entry->agreement[settlement->number];

    return agreement->met && fingerprint_empty(agreement->ours) && version_equal(&agreement->known, &scope->version) &&
           conflict_waits(&entry->version, &agreement->known, settlement->writer.plugin->parameters.primary_wins);
}

static struct conflict_facts facts_of(const struct settlement *settlement, bool same_text)
{
    return (struct conflict_facts){
        .source = SOURCE_LISTED,
        .text = same_text ? TEXT_SAME : TEXT_OTHER,
        .primary_wins = settlement->writer.plugin->parameters.primary_wins,
        .primary = relationship_is_primary(settlement->relationship),
    };
}

/* `scope` is NULL if the partner's list does not have it. */
static enum conflict_verdict judge_known(const struct settlement *settlement, const struct scope_entry *entry,
                                         const struct partner_scope *scope)
{
    struct conflict_side mine = {.state = OBJECT_THERE}, theirs = {.state = OBJECT_NEVER};
    struct conflict_facts facts =
        facts_of(settlement, scope != NULL && !scope->removed &&
                                 fingerprint_equal(scope->text, scope_entry_expected(entry, settlement->number)));

    if (scope != NULL) {
        theirs.state = scope->removed ? OBJECT_REMOVED : OBJECT_THERE;
        mine.news = conflict_news(&entry->version, &scope->version);
        theirs.news = conflict_news(&scope->version, &entry->version);
        facts.waits = is_held(settlement, entry, scope);
    }
    return conflict_verdict(&mine, &theirs, &facts);
}

/* `removed` is NULL if this server knows of no removal. */
static enum conflict_verdict judge_unknown(const struct settlement *settlement, const struct scope_removed *removed,
                                           const struct partner_scope *scope)
{
    struct conflict_side mine = {.state = OBJECT_NEVER};
    struct conflict_side theirs = {.state = scope->removed ? OBJECT_REMOVED : OBJECT_THERE};
    const struct conflict_facts facts = facts_of(settlement, scope->removed);

    if (removed != NULL) {
        mine.state = OBJECT_REMOVED;
        mine.news = conflict_news(&removed->version, &scope->version);
        /* A partner that knows no more of a removal that both had made has lost its store since. */
        mine.taken = (removed->agreed >> settlement->number & 1) != 0;
        theirs.news = conflict_news(&scope->version, &removed->version);
    }
    return conflict_verdict(&mine, &theirs, &facts);
}

/* A removal that was received and waits for a person. */
static bool holds_removal(const struct settlement *settlement, const struct partner_scope *scope)
{
    return removal_guard_find(settlement->writer.plugin->guard,
                              relationship_partner(settlement->relationship)->record_id, scope->id) == REMOVAL_HELD;
}

/* The partner's server does not print all that it has in a scope: it comes only when that is mended. */
static struct result note_unprinted(struct settlement *settlement, struct scope_entry *entry, const char *unprinted)
{
    struct scope_agreement *agreement = &entry->agreement[settlement->number];
    char reason[sizeof entry->reason];

    (void)snprintf(reason, sizeof reason, "%.60s: %s", relationship_partner(settlement->relationship)->name, unprinted);
    if (fingerprint_empty(agreement->ours) && (entry->reset || strcmp(entry->reason, reason) == 0))
        return result_ok();
    agreement->ours = fingerprint_parse(NULL);
    entry->reset = false;
    return mirror_set_sync(&settlement->writer, entry, reason);
}

/* A scope that this server has. */
static struct result settle_known(struct settlement *settlement, struct scope_entry *entry)
{
    struct partner_scope *scope = find(settlement->list, entry->id);
    struct result result;

    if (entry->unprinted)
        return result_ok();
    if (scope != NULL && scope->unprinted != NULL)
        return note_unprinted(settlement, entry, scope->unprinted);
    switch (judge_known(settlement, entry, scope)) {
    case VERDICT_THEIRS:
        if (scope != NULL && (!scope->removed || !holds_removal(settlement, scope)))
            want(settlement, scope);
        return result_ok();
    case VERDICT_SAME:
        /* Called out of sync: what the two differed about, or were said to differ about by somebody who spoke for the
         * partner, is over. The partner confirms it. */
        return scope_entry_agreed(entry, settlement->number) ? result_ok() : send_anew(settlement, entry);
    case VERDICT_WAITING:
        return result_ok();
    default:
        result = tell(settlement, entry, scope);
        return result_failed(result) ? result : note_lost(settlement, entry);
    }
}

/* A scope that the partner has removed and of which this server knows nothing: its store was lost, or new. The removal
 * is noted, so that a configuration file which still has the scope, here or there, is not taken for a new one, whoever
 * loses a store next. */
static struct result note_removed(struct settlement *settlement, struct partner_scope *scope)
{
    const struct mirror_removal removal = {.id = scope->id,
                                           .name = scope->name,
                                           .origin = SCOPE_FROM_PARTNER,
                                           .is = &scope->version,
                                           .agreed_with = (int)settlement->number,
                                           .known = scope->version};
    const uint64_t now = (uint64_t)settlement->writer.now;
    struct scope_applied applied;

    /* A number that is not believed is refused when the removal is sent, and then given anew. */
    if (version_ahead(&scope->version, now + VERSION_AHEAD_MAX) != NULL) {
        want(settlement, scope);
        return result_ok();
    }
    /* Without its prefix it could not be taken out of a configuration that has it. One that was just taken from the
     * partner and is not recorded yet was removed there since: that comes by itself. */
    if (scope->name[0] == '\0' || scope_index_get_applied(settlement->writer.plugin->index, scope->id, &applied))
        return result_ok();
    return mirror_remove_scope(&settlement->writer, &removal);
}

/* A scope that this server has not, or no more. */
static struct result settle_unknown(struct settlement *settlement, struct partner_scope *scope)
{
    struct plugin *plugin = settlement->writer.plugin;
    struct scope_removed removed = {.id = scope->id};
    const bool known = scope_index_get_removed(plugin->index, scope->id, &removed);

    switch (judge_unknown(settlement, known ? &removed : NULL, scope)) {
    case VERDICT_THEIRS:
        if (scope->removed)
            return note_removed(settlement, scope);
        if (scope->unprinted == NULL)
            want(settlement, scope);
        return result_ok();
    case VERDICT_SAME:
        return result_ok();
    default:
        /* It cannot be there and removed in one version: the partner, which has it, sends it. */
        if (!plugin->parameters.deletes || version_equal(&removed.version, &scope->version))
            return result_ok();
        return push(settlement, scope->id, removed.name, true);
    }
}

struct ids {
    size_t number;
    object_id *list;
    size_t count;
};

static bool collect_member(void *context, const struct scope_entry *entry)
{
    struct ids *ids = context;

    if ((entry->members >> ids->number & 1) != 0)
        ids->list[ids->count++] = entry->id;
    return true;
}

static struct result settle_all(struct settlement *settlement, const struct ids *ids)
{
    struct plugin *plugin = settlement->writer.plugin;
    struct result result = result_ok();

    for (size_t i = 0; i < ids->count && !result_failed(result) && !settlement->list->only_removed; i++) {
        struct scope_entry entry;

        if (!scope_index_get(plugin->index, ids->list[i], &entry))
            continue;
        result = settle_known(settlement, &entry);
        scope_entry_clear(&entry);
    }
    for (size_t i = 0; i < settlement->list->count && !result_failed(result); i++) {
        struct scope_entry entry;

        if (scope_index_get(plugin->index, settlement->list->scopes[i].id, &entry))
            scope_entry_clear(&entry);
        else if (settlement->list->scopes[i].removed || !settlement->list->only_removed)
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
        if (!result_failed(result))
            result = server_store_put_listed(plugin->store, relationship_partner(settlement.relationship)->record_id);
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
