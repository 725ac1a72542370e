/* Writing the mirror: one version of a scope and its delivery, in a transaction, with the queue beside it.
 * The index follows at the commit. Deciding which version counts is not done here. */
#include "failover_sync/mirror.h"
#include "mass_removal.h"
#include "mirror_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct result mirror_begin(struct plugin *plugin, struct mirror_writer *writer)
{
    *writer = (struct mirror_writer){.plugin = plugin, .now = engine_now()};
    return plugin->store == NULL ? engine_no_store(plugin) : store_begin(plugin->store);
}

static void writer_clear(struct mirror_writer *writer)
{
    for (size_t i = 0; i < writer->entry_count; i++)
        scope_entry_clear(&writer->entries[i]);
    free(writer->entries);
    free(writer->removed);
    free(writer->removals);
    free(writer->recorded);
    free(writer->forgotten);
    writer->entries = NULL;
    writer->removed = NULL;
    writer->recorded = NULL;
    writer->removals = NULL;
    writer->forgotten = NULL;
    writer->forgotten_count = 0;
    writer->entry_count = writer->removed_count = writer->removal_count = writer->recorded_count = 0;
}

struct result mirror_note_recorded(struct mirror_writer *writer, const struct scope_applied *applied)
{
    if (!engine_grow((void **)&writer->recorded, writer->recorded_count, &writer->recorded_capacity,
                     sizeof *writer->recorded))
        return result_no_memory("the mirror");
    writer->recorded[writer->recorded_count++] = *applied;
    return result_ok();
}

static void edit(struct mirror_writer *writer, struct version_vector *version, uint64_t number)
{
    struct store_identity *identity = &writer->plugin->identity;
    const uint64_t now = writer->now > 0 ? (uint64_t)writer->now : 0;
    const uint64_t next = version_next_edit(version, now, identity->last_edit);

    version_add(version, number, next);
    /* A number far ahead continues those of this version alone; the edits of all others follow the clock. */
    if (next > now + VERSION_AHEAD_MAX)
        return;
    identity->last_edit = next;
    writer->edited = true;
}

void mirror_edit(struct mirror_writer *writer, struct version_vector *version)
{
    edit(writer, version, writer->plugin->writer);
}

void mirror_abandon(struct mirror_writer *writer)
{
    store_rollback(writer->plugin->store);
    writer_clear(writer);
}

struct result mirror_forget_removals(struct mirror_writer *writer)
{
    if (writer->forgotten != NULL)
        return result_ok();
    return version_store_prune(writer->plugin->store, writer->plugin->relationships.server_record_id,
                               &writer->forgotten, &writer->forgotten_count);
}

/* Not at each of them: to find those that go costs more than to write one. */
static struct result bound_removals(struct mirror_writer *writer)
{
    const size_t known = scope_index_removed_count(writer->plugin->index) + writer->removed_count;

    if (writer->removed_count == 0 || known <= VERSION_REMOVED_KEPT + VERSION_REMOVED_KEPT / 10)
        return result_ok();
    return mirror_forget_removals(writer);
}

struct result mirror_commit(struct mirror_writer *writer)
{
    struct result result = mass_removal_hold(writer);

    if (!result_failed(result) && writer->edited)
        result = store_identity_put_edit(writer->plugin->store, writer->plugin->identity.last_edit);
    if (!result_failed(result))
        result = bound_removals(writer);
    if (!result_failed(result))
        result = store_commit(writer->plugin->store);
    if (result_failed(result)) {
        mirror_abandon(writer);
        return result;
    }
    for (size_t i = 0; i < writer->removed_count && !result_failed(result); i++) {
        scope_index_remove(writer->plugin->index, writer->removed[i].id);
        result = scope_index_set_removed(writer->plugin->index, &writer->removed[i]);
    }
    for (size_t i = 0; i < writer->forgotten_count; i++)
        scope_index_forget_removed(writer->plugin->index, (object_id)writer->forgotten[i]);
    for (size_t i = 0; i < writer->entry_count && !result_failed(result); i++)
        result = scope_index_put(writer->plugin->index, &writer->entries[i]);
    for (size_t i = 0; i < writer->recorded_count; i++)
        scope_index_end_applied(writer->plugin->index, &writer->recorded[i]);
    writer_clear(writer);
    return result;
}

/* Keeps the entry for the commit; its agreements are the writer's from now on. */
static struct result keep_entry(struct mirror_writer *writer, struct scope_entry *entry)
{
    if (!engine_grow((void **)&writer->entries, writer->entry_count, &writer->entry_capacity,
                     sizeof *writer->entries)) {
        scope_entry_clear(entry);
        return result_no_memory("the mirror");
    }
    writer->entries[writer->entry_count++] = *entry;
    entry->agreement = NULL;
    return result_ok();
}

struct queue_item mirror_wish(const struct relationship *relationship, object_id id, const char *name, bool removal)
{
    struct queue_item item = {
        .relation_record_id = relationship->record_id,
        .server_record_id = relationship_partner(relationship)->record_id,
        .id = id,
        .removal = removal,
    };

    (void)snprintf(item.name, sizeof item.name, "%s", name);
    return item;
}

static struct scope_row row_of(const struct mirror_writer *writer, const struct scope_entry *entry,
                               struct scope_texts texts)
{
    const struct relationships *relationships = &writer->plugin->relationships;

    return (struct scope_row){
        .record_id = entry->record_id,
        .server_record_id = relationships->server_record_id,
        .id = entry->id,
        .name = entry->name,
        .definition = texts.definition,
        .effective = texts.effective,
        .fingerprint = entry->fingerprint,
        .printed = entry->printed,
        .file = entry->file,
        .configuration = entry->configuration,
        .origin = entry->origin,
        .sync_status = scope_entry_status(entry, relationships->count),
        .sync_reason = entry->reason[0] == '\0' ? NULL : entry->reason,
        .modified_at = entry->modified_at,
    };
}

struct result mirror_put_version(struct mirror_writer *writer, object_id id, const char *name,
                                 const struct version_vector *version, bool removed)
{
    struct version_row row = {
        .server_record_id = writer->plugin->relationships.server_record_id,
        .id = id,
        .version = *version,
        .removed = removed,
        .changed_at = writer->now,
    };

    (void)snprintf(row.name, sizeof row.name, "%s", name);
    return version_store_put(writer->plugin->store, &row);
}

struct result mirror_put_known(struct mirror_writer *writer, size_t relationship, object_id id, const char *name,
                               const struct version_vector *known)
{
    struct version_row row = {
        .server_record_id = relationship_partner(&writer->plugin->relationships.list[relationship])->record_id,
        .id = id,
        .version = *known,
        .changed_at = writer->now,
    };

    (void)snprintf(row.name, sizeof row.name, "%s", name);
    return version_store_put(writer->plugin->store, &row);
}

struct result mirror_put_agreement(struct mirror_writer *writer, const struct scope_entry *entry, size_t relationship,
                                   struct scope_texts texts)
{
    struct result result =
        mirror_put_known(writer, relationship, entry->id, entry->name, &entry->agreement[relationship].known);
    struct scope_row row = row_of(writer, entry, texts);
    int64_t ignored;

    row.server_record_id = relationship_partner(&writer->plugin->relationships.list[relationship])->record_id;
    row.fingerprint = entry->agreement[relationship].ours;
    row.partner_fingerprint = entry->agreement[relationship].theirs;
    row.file = row.configuration = (struct delivery){.text = fingerprint_parse(NULL)};
    row.sync_status = scope_entry_agreed(entry, relationship) ? "InSync" : "OutOfSync";
    row.sync_reason = NULL;
    return result_failed(result) ? result : object_store_put(writer->plugin->store, &row, false, &ignored);
}

/* Fills `reason` with why the entry is out of sync; nothing if it is not. */
static void explain(const struct mirror_writer *writer, struct scope_entry *entry, const char *reason)
{
    const struct relationships *relationships = &writer->plugin->relationships;

    entry->unprinted =
        entry->unprinted || (reason != NULL && strncmp(reason, KEA_UNPRINTED, sizeof KEA_UNPRINTED - 1) == 0);
    if (strcmp(scope_entry_status(entry, relationships->count), "OutOfSync") != 0) {
        entry->reason[0] = '\0';
        return;
    }
    /* What comes of it at a partner does not matter beside that. */
    if (entry->unprinted && entry->reason[0] != '\0')
        return;
    if (reason != NULL)
        (void)snprintf(entry->reason, sizeof entry->reason, "%s", reason);
    else
        (void)snprintf(entry->reason, sizeof entry->reason, "%s",
                       writer->plugin->parameters.replicate_on_change
                           ? "waiting to be sent"
                           : "changed; replication is manual, send it with scope-replicate");
}

static struct result queue_scope(struct mirror_writer *writer, const struct scope_entry *entry, bool hold)
{
    const struct relationships *relationships = &writer->plugin->relationships;
    struct store *store = writer->plugin->store;
    struct result result = result_ok();

    for (size_t i = 0; i < relationships->count && !result_failed(result); i++) {
        struct queue_item item = {.id = entry->id};

        if ((entry->members >> i & 1) == 0)
            continue;
        item = mirror_wish(&relationships->list[i], entry->id, entry->name, false);
        if (scope_entry_agreed(entry, i)) {
            result = queue_remove(store, item.server_record_id, entry->id);
        } else if (!hold && writer->plugin->parameters.replicate_on_change) {
            result = queue_put(store, &item, writer->now);
            writer->queued++;
        }
    }
    return result;
}

static struct result set_members(struct mirror_writer *writer, const struct scope_entry *entry)
{
    const struct relationships *relationships = &writer->plugin->relationships;
    int64_t ids[RELATIONSHIP_MAX];
    size_t count = 0;

    /* Any other is in all relationships of HA, without a row for each. */
    if (object_kind_of(entry->id) != OBJECT_SCOPE)
        return result_ok();
    for (size_t i = 0; i < relationships->count; i++)
        if ((entry->members >> i & 1) != 0)
            ids[count++] = relationships->list[i].record_id;
    return membership_store_set(writer->plugin->store, entry->record_id, ids, count);
}

struct result mirror_recall_versions(struct mirror_writer *writer, struct scope_entry *entry)
{
    const struct relationships *relationships = &writer->plugin->relationships;
    struct scope_removed removed;

    if (scope_index_get_removed(writer->plugin->index, entry->id, &removed))
        entry->version = removed.version;
    for (size_t i = 0; i < relationships->count; i++) {
        struct version_row version;
        struct scope_row row;
        struct result result;
        int64_t partner;

        if (!relationships->list[i].local)
            continue;
        partner = relationship_partner(&relationships->list[i])->record_id;
        result = version_store_find(writer->plugin->store, partner, entry->id, &version);
        if (!result_failed(result)) {
            entry->agreement[i].met = true;
            entry->agreement[i].known = version.version;
            result = object_store_find(writer->plugin->store, partner, entry->id, &row);
        }
        if (result.code == RESULT_NOT_FOUND)
            continue;
        if (result_failed(result))
            return result;
        entry->agreement[i].theirs = row.partner_fingerprint;
        scope_row_clear(&row);
    }
    return result_ok();
}

/* What the configuration last delivered of a scope that was removed at run time: so that the file that still has it is
 * not taken for an edit at the next start. */
static struct result recall_delivery(struct mirror_writer *writer, struct scope_entry *entry)
{
    struct tombstone_row tombstone;
    struct result result = tombstone_store_find(writer->plugin->store, entry->id, &tombstone);

    if (result_failed(result))
        return result.code == RESULT_NOT_FOUND ? result_ok() : result;
    entry->file = tombstone.buried.file;
    entry->configuration = tombstone.buried.configuration;
    return result;
}

/* The scope as the index has it, or a new one. */
static struct result entry_of(struct mirror_writer *writer, const struct kea_object *scope, struct scope_entry *entry,
                              bool *known)
{
    size_t relationships = writer->plugin->relationships.count;
    struct result result;

    *known = scope_index_get(writer->plugin->index, scope->id, entry);
    if (*known)
        return result_ok();
    *entry = (struct scope_entry){.id = scope->id};
    entry->agreement = calloc(relationships == 0 ? 1 : relationships, sizeof *entry->agreement);
    if (entry->agreement == NULL)
        return result_no_memory("the mirror");
    result = mirror_recall_versions(writer, entry);
    return result_failed(result) ? result : recall_delivery(writer, entry);
}

static bool take_delivery(struct scope_entry *entry, bool from_file, const struct delivery *delivery)
{
    const bool news =
        !delivery_same(&entry->configuration, delivery) || (from_file && !delivery_same(&entry->file, delivery));

    entry->configuration = *delivery;
    if (from_file)
        entry->file = *delivery;
    return news;
}

bool mirror_take_applied(const struct mirror_writer *writer, object_id id, struct version_vector *version,
                         struct scope_applied *applied)
{
    enum version_order order;

    if (!scope_index_get_applied(writer->plugin->index, id, applied))
        return false;
    order = version_compare(&applied->version, version);
    *version = version_merge(version, &applied->version);
    return order == VERSION_NEWER || order == VERSION_APART;
}

/* The version's number. What a partner sent and what could not be recorded then is no edit of ours. */
static void set_version(struct mirror_writer *writer, const struct mirror_version *version, bool words_changed,
                        struct scope_entry *entry)
{
    struct scope_applied applied;

    if (version->is != NULL) {
        entry->version = *version->is;
        if (version->edit)
            mirror_edit(writer, &entry->version);
    } else if (words_changed && !version->followed) {
        const bool received = mirror_take_applied(writer, entry->id, &entry->version, &applied);

        if (received && fingerprint_equal(applied.fingerprint, version->scope->fingerprint))
            entry->origin = SCOPE_FROM_PARTNER;
        else if (writer->plugin->filled)
            edit(writer, &entry->version,
                 version->follow_sent ? version_following(writer->plugin->writer) : writer->plugin->writer);
        else
            version_add(&entry->version, fingerprint_number(version->scope->fingerprint), VERSION_FOUND);
    }
}

/* The network's parameters came from a partner, or go to one with the scope that brought them: what is agreed on with a
 * partner stays so, with the new words. */
static struct result follow_agreements(struct mirror_writer *writer, struct scope_entry *entry,
                                       struct scope_texts texts)
{
    const struct relationships *relationships = &writer->plugin->relationships;
    struct result result = result_ok();

    for (size_t i = 0; i < relationships->count && !result_failed(result); i++) {
        if ((entry->members >> i & 1) == 0 || !scope_entry_agreed(entry, i))
            continue;
        entry->agreement[i].ours = entry->fingerprint;
        result = mirror_put_agreement(writer, entry, i, texts);
    }
    return result;
}

struct result mirror_put_scope(struct mirror_writer *writer, const struct mirror_version *version)
{
    struct store *store = writer->plugin->store;
    const struct kea_object *scope = version->scope;
    const struct scope_texts texts = {.definition = scope->definition, .effective = scope->effective};
    struct scope_entry entry = {.agreement = NULL};
    bool known = false, words_changed, changed, reprinted, noted = false, agreement = version->agreed_with >= 0;
    struct version_vector before;
    uint64_t members = 0;
    struct result result = entry_of(writer, scope, &entry, &known);

    if (!result_failed(result))
        result = relationships_of_object(&writer->plugin->relationships, scope->id, scope->definition, &members);
    if (result_failed(result))
        goto done;

    /* An administrator's relationships are not in the scope's words; whoever sends a scope by one makes it a member. */
    members |= entry.members & relationships_of_admins(&writer->plugin->relationships);
    if (agreement && writer->plugin->relationships.list[version->agreed_with].admin)
        members |= UINT64_C(1) << version->agreed_with;

    words_changed =
        !known || strcmp(entry.fingerprint.hex, scope->fingerprint.hex) != 0 || strcmp(entry.name, scope->name) != 0;
    if (words_changed || entry.members != members || (agreement && entry.origin != version->origin))
        entry.origin = version->origin;
    before = entry.version;
    set_version(writer, version, words_changed, &entry);
    changed = words_changed || entry.members != members || !version_equal(&entry.version, &before);
    reprinted = strcmp(entry.printed.hex, scope->printed.hex) != 0;
    entry.fingerprint = scope->fingerprint;
    entry.printed = scope->printed;
    entry.members = members;
    (void)snprintf(entry.name, sizeof entry.name, "%s", scope->name);
    entry.unprinted = kea_object_unprinted(scope->definition, entry.reason);
    if (changed)
        entry.modified_at = writer->now;
    if (version->delivered)
        noted = take_delivery(&entry, version->from_file, &version->delivery);
    if (version->configuration_apart)
        noted = take_delivery(&entry, false, &version->configuration) || noted;
    if (agreement) {
        struct scope_agreement *with = &entry.agreement[version->agreed_with];

        with->ours = version->disagreed ? fingerprint_parse(NULL) : scope->fingerprint;
        with->theirs = version->theirs;
        with->met = true;
        with->known = version->known;
    }
    if (!changed && !agreement && !noted && !reprinted)
        goto done;
    entry.reset = entry.reset && !changed && !agreement;

    explain(writer, &entry, version->reason);
    if (changed || agreement || reprinted) {
        struct scope_row row = row_of(writer, &entry, texts);

        result = object_store_put(store, &row, true, &entry.record_id);
        if (!result_failed(result) && (!known || !version_equal(&entry.version, &before)))
            result = mirror_put_version(writer, entry.id, entry.name, &entry.version, false);
        if (!result_failed(result) && changed)
            result = set_members(writer, &entry);
        if (!result_failed(result) && !known)
            result = tombstone_store_remove(store, entry.id);
        if (!result_failed(result) && agreement)
            result = mirror_put_agreement(writer, &entry, (size_t)version->agreed_with, texts);
        if (!result_failed(result) && version->followed)
            result = follow_agreements(writer, &entry, texts);
        /* What it inherits has changed, if nothing else has: that is nobody's edit of it. */
        if (!result_failed(result) && (changed || agreement))
            result = queue_scope(writer, &entry, version->hold);
        writer->written++;
    } else {
        struct scope_row row = row_of(writer, &entry, texts);

        result = object_store_set_delivery(store, &row);
    }
    if (!result_failed(result))
        result = keep_entry(writer, &entry);
done:
    scope_entry_clear(&entry);
    return result;
}

struct result mirror_put_delivery(struct mirror_writer *writer, object_id id, bool from_file,
                                  const struct delivery *delivery)
{
    struct scope_entry entry;
    struct result result = result_ok();

    if (!scope_index_get(writer->plugin->index, id, &entry))
        return result;
    if (take_delivery(&entry, from_file, delivery)) {
        struct scope_row row = row_of(writer, &entry, (struct scope_texts){.definition = NULL});

        result = object_store_set_delivery(writer->plugin->store, &row);
        if (!result_failed(result))
            result = keep_entry(writer, &entry);
    }
    scope_entry_clear(&entry);
    return result;
}

struct result mirror_put_written(struct mirror_writer *writer, object_id id, const struct delivery *written)
{
    struct scope_entry entry;
    struct scope_row row;
    struct result result;

    if (!scope_index_get(writer->plugin->index, id, &entry))
        return result_ok();
    entry.file = *written;
    row = row_of(writer, &entry, (struct scope_texts){.definition = NULL});
    result = object_store_set_delivery(writer->plugin->store, &row);
    if (!result_failed(result))
        result = keep_entry(writer, &entry);
    scope_entry_clear(&entry);
    return result;
}

struct result mirror_set_sync(struct mirror_writer *writer, const struct scope_entry *entry, const char *reason)
{
    struct scope_entry copy;
    struct result result = result_ok();

    if (!scope_index_get(writer->plugin->index, entry->id, &copy))
        return result;
    memcpy(copy.agreement, entry->agreement, writer->plugin->relationships.count * sizeof *copy.agreement);
    copy.reset = entry->reset;
    if (!version_equal(&copy.version, &entry->version)) {
        copy.version = entry->version;
        result = mirror_put_version(writer, copy.id, copy.name, &copy.version, false);
    }
    explain(writer, &copy, reason);
    if (!result_failed(result))
        result = object_store_set_sync(writer->plugin->store, copy.id, copy.record_id,
                                       scope_entry_status(&copy, writer->plugin->relationships.count),
                                       copy.reason[0] == '\0' ? NULL : copy.reason);
    if (!result_failed(result))
        result = keep_entry(writer, &copy);
    scope_entry_clear(&copy);
    return result;
}
