/* Writing the mirror: that a scope was removed, and the tombstone that keeps a configuration which still has it from
 * bringing it back. */
#include "mirror_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct result note_removal(struct mirror_writer *writer, object_id id, size_t relationship)
{
    if (!engine_grow((void **)&writer->removals, writer->removal_count, &writer->removal_capacity,
                     sizeof *writer->removals))
        return result_no_memory("the mirror");
    writer->removals[writer->removal_count++] = (struct removal_note){.id = id, .relationship = relationship};
    return result_ok();
}

/* Queues the removal for every partner that is not known to have it. */
static struct result queue_removal(struct mirror_writer *writer, const struct scope_entry *entry,
                                   const struct mirror_removal *removal, const struct version_vector *version)
{
    const struct parameters *parameters = &writer->plugin->parameters;
    const struct relationships *relationships = &writer->plugin->relationships;
    struct store *store = writer->plugin->store;
    struct result result = result_ok();

    for (size_t i = 0; i < relationships->count && !result_failed(result); i++) {
        const struct relationship *relationship = &relationships->list[i];
        const struct scope_agreement *agreement = &entry->agreement[i];
        struct queue_item item;

        if (!relationship->local)
            continue;
        item = mirror_wish(relationship, entry->id, entry->name, true);
        if (agreement->met && version_equal(&agreement->known, version)) {
            result = object_store_remove(store, item.server_record_id, entry->id);
            if (!result_failed(result))
                result = queue_remove(store, item.server_record_id, entry->id);
        } else if (parameters->deletes && parameters->replicate_on_change &&
                   ((entry->members >> i & 1) != 0 || agreement->met)) {
            /* One that was removed before may be held, and is not one of many removed at once. */
            result = removal->is == NULL ? queue_put(store, &item, writer->now)
                                         : queue_put_missing(store, &item, writer->now);
            if (!result_failed(result) && removal->is == NULL)
                result = note_removal(writer, entry->id, i);
            writer->queued++;
        } else {
            /* A partner that is not told still has it: its row tells on which version to build if it comes back. */
            if (!agreement->met)
                result = object_store_remove(store, item.server_record_id, entry->id);
            if (!result_failed(result))
                result = queue_remove(store, item.server_record_id, entry->id);
        }
    }
    return result;
}

static struct result put_tombstone(struct mirror_writer *writer, const struct scope_entry *entry,
                                   const struct scope_buried *buried)
{
    const struct tombstone_row tombstone = {
        .id = entry->id,
        .name = entry->name,
        .buried = *buried,
    };

    return tombstone_store_put(writer->plugin->store, &tombstone, writer->now);
}

/* A tombstone for a scope that is removed now and that the file or what was last set has, or that the lost store had
 * one for, or that a file which the store has not seen may have. */
static struct result bury(struct mirror_writer *writer, const struct mirror_removal *removal,
                          const struct scope_entry *entry, bool known, struct scope_buried *buried)
{
    const bool file_seen = writer->plugin->identity.file_seen;
    struct scope_removed before;

    if (known && !removal->gone_from_file) {
        buried->file = entry->file;
        buried->configuration = entry->configuration;
    } else if (!known && removal->buried != NULL) {
        *buried = *removal->buried;
    } else if (!known && scope_index_get_removed(writer->plugin->index, removal->id, &before)) {
        *buried = before.buried;
        return result_ok(); /* it has its tombstone */
    }
    if (!file_seen || !delivery_empty(&buried->file) || !delivery_empty(&buried->configuration))
        return put_tombstone(writer, entry, buried);
    *buried = (struct scope_buried){.origin = buried->origin};
    return result_ok();
}

/* What the index knows of a removal, or will with the commit. */
static void note_buried(struct mirror_writer *writer, object_id id, const struct scope_buried *buried)
{
    for (size_t i = writer->removed_count; i > 0; i--)
        if (writer->removed[i - 1].id == id) {
            writer->removed[i - 1].buried = *buried;
            return;
        }
    scope_index_bury(writer->plugin->index, id, buried);
}

struct result mirror_bury(struct mirror_writer *writer, object_id id, bool from_file, const struct delivery *delivery)
{
    struct tombstone_row row;
    struct result result = tombstone_store_set_delivery(writer->plugin->store, id, from_file, delivery);

    if (!result_failed(result))
        result = tombstone_store_find(writer->plugin->store, id, &row);
    if (!result_failed(result))
        note_buried(writer, id, &row.buried);
    return result.code == RESULT_NOT_FOUND ? result_ok() : result;
}

struct result mirror_bury_written(struct mirror_writer *writer, object_id id)
{
    struct tombstone_row row;
    struct result result = tombstone_store_forget_file(writer->plugin->store, id);

    if (!result_failed(result))
        result = tombstone_store_find(writer->plugin->store, id, &row);
    if (!result_failed(result))
        note_buried(writer, id, &row.buried);
    return result.code == RESULT_NOT_FOUND ? result_ok() : result;
}

struct result mirror_unbury(struct mirror_writer *writer, object_id id)
{
    const struct scope_buried nothing = {.origin = SCOPE_FROM_CONFIGURATION};
    struct result result = tombstone_store_remove(writer->plugin->store, id);

    if (!result_failed(result))
        note_buried(writer, id, &nothing);
    return result;
}

/* The scope to be removed as it was, or the removal that there is already. */
static struct result entry_of_removal(struct mirror_writer *writer, const struct mirror_removal *removal,
                                      struct scope_entry *entry, bool *known)
{
    const size_t relationships = writer->plugin->relationships.count;

    *known = scope_index_get(writer->plugin->index, removal->id, entry);
    if (*known)
        return result_ok();
    *entry = (struct scope_entry){.id = removal->id};
    (void)snprintf(entry->name, sizeof entry->name, "%s", removal->name == NULL ? "" : removal->name);
    entry->agreement = calloc(relationships == 0 ? 1 : relationships, sizeof *entry->agreement);
    return entry->agreement == NULL ? result_no_memory("the mirror") : mirror_recall_versions(writer, entry);
}

/* What is known of the partners. */
static void note_partners(const struct mirror_writer *writer, const struct scope_entry *entry,
                          struct scope_removed *removed)
{
    for (size_t i = 0; i < writer->plugin->relationships.count; i++)
        if (entry->agreement[i].met)
            scope_removed_note_partner(removed, i, &entry->agreement[i].known);
}

struct result mirror_remove_scope(struct mirror_writer *writer, const struct mirror_removal *removal)
{
    struct store *store = writer->plugin->store;
    struct scope_entry entry = {.agreement = NULL};
    struct scope_buried buried = {.origin = removal->origin};
    struct version_vector version;
    struct scope_applied applied;
    bool known = false;
    struct result result = entry_of_removal(writer, removal, &entry, &known);

    if (result_failed(result) || (!known && removal->agreed_with < 0 && removal->is == NULL))
        goto done; /* it is gone already */
    version = removal->is == NULL ? entry.version : *removal->is;
    if (removal->is == NULL && mirror_take_applied(writer, removal->id, &version, &applied) &&
        fingerprint_empty(applied.fingerprint))
        buried.origin = SCOPE_FROM_PARTNER; /* the partner removed it, and that could not be recorded */
    else if (removal->is == NULL || removal->edit)
        mirror_edit(writer, &version);
    if (!result_failed(result))
        result = bury(writer, removal, &entry, known, &buried);
    if (!result_failed(result))
        result = mirror_put_version(writer, entry.id, entry.name, &version, true);
    if (removal->agreed_with >= 0) {
        entry.agreement[removal->agreed_with].met = true;
        entry.agreement[removal->agreed_with].known = removal->known;
    }
    if (!result_failed(result) && removal->agreed_with >= 0)
        result = mirror_put_known(writer, (size_t)removal->agreed_with, entry.id, entry.name, &removal->known);
    if (!result_failed(result))
        result = queue_removal(writer, &entry, removal, &version);
    if (!result_failed(result) && known)
        result = object_store_remove(store, writer->plugin->relationships.server_record_id, removal->id);
    if (!result_failed(result) && !engine_grow((void **)&writer->removed, writer->removed_count,
                                               &writer->removed_capacity, sizeof *writer->removed))
        result = result_no_memory("the mirror");
    if (!result_failed(result)) {
        struct scope_removed *removed = &writer->removed[writer->removed_count++];

        *removed = (struct scope_removed){.id = removal->id, .version = version, .buried = buried};
        note_partners(writer, &entry, removed);
        memcpy(removed->name, entry.name, sizeof removed->name);
    }
done:
    scope_entry_clear(&entry);
    return result;
}
