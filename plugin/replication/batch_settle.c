/* After the answer: what each scope of a batch came to, written in one transaction. */
#include "failover_sync/batch.h"

#include "failover_sync/mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One scope being settled. `known`: it still exists here. */
struct settling {
    struct mirror_writer *writer;
    size_t number;
    const struct relationship *relationship;
    const struct batch_item *item;
    int64_t partner_clock; /* as in the batch */
    struct scope_entry entry;
    bool known;
};

static struct scope_texts texts_of(const struct batch_item *item)
{
    return (struct scope_texts){.definition = item->definition, .effective = item->effective};
}

static int64_t partner_id(const struct settling *settling)
{
    return relationship_partner(settling->relationship)->record_id;
}

static const char *partner_name(const struct settling *settling)
{
    return relationship_partner(settling->relationship)->name;
}

/* After an agreement nothing is wished for, unless there is another version here by now. That one may have lost its
 * wish meanwhile: what was agreed on before came back while this push was under way. */
static struct result settle_wish(const struct settling *settling)
{
    const struct mirror_writer *writer = settling->writer;
    struct queue_item wish = settling->item->wish;

    if (scope_entry_agreed(&settling->entry, settling->number))
        return queue_remove(writer->plugin->store, partner_id(settling), wish.id);
    if (!writer->plugin->parameters.replicate_on_change || (settling->entry.members >> settling->number & 1) == 0)
        return result_ok();
    return queue_put_missing(writer->plugin->store, &wish, writer->now);
}

/* Whether a version is what was sent, but for this server's own edits since. */
static bool builds_on_sent(const struct settling *settling, const struct version_vector *version)
{
    struct version_vector sent = settling->item->version;

    for (size_t i = 0; i < version->count; i++)
        if (version_writer(version->part[i].writer) == settling->writer->plugin->writer)
            version_add(&sent, version->part[i].writer, version->part[i].edit);
    return version_equal(version, &sent);
}

/* The partner counts what it took as made on top of its own edits that lost against it: so does this server, for what
 * it sent and what it made of that since. */
static void take_version(const struct settling *settling, struct version_vector *version)
{
    if (builds_on_sent(settling, version))
        *version = version_merge(version, &settling->item->has);
}

/* The partner has the version that was sent. */
static struct result settle_agreed(struct settling *settling)
{
    const struct batch_item *item = settling->item;
    struct mirror_writer *writer = settling->writer;
    struct scope_entry gone = {.id = item->wish.id};
    struct scope_entry *entry = settling->known ? &settling->entry : &gone;
    struct scope_agreement *agreement =
        settling->known ? settling->entry.agreement : calloc(RELATIONSHIP_MAX, sizeof *agreement);
    struct result result;

    if (agreement == NULL)
        return result_no_memory("a batch of scopes");
    agreement[settling->number] =
        (struct scope_agreement){.ours = item->pushed, .theirs = item->answered, .met = true, .known = item->has};
    entry->agreement = agreement;
    if (settling->known) {
        take_version(settling, &entry->version);
    } else {
        gone.modified_at = writer->now;
        (void)snprintf(gone.name, sizeof gone.name, "%s", item->wish.name);
    }
    result = mirror_put_agreement(writer, entry, settling->number, texts_of(item));
    if (settling->known) {
        if (!result_failed(result))
            result = settle_wish(settling);
        if (!result_failed(result))
            result = mirror_set_sync(writer, entry, NULL);
    } else {
        free(agreement);
    }
    return result;
}

/* The same of a removal; the wish goes if the partner has the last one. */
static struct result adopt_removal(const struct settling *settling)
{
    const struct batch_item *item = settling->item;
    struct scope_removed removed;
    struct version_vector version;
    struct mirror_removal removal = {
        .id = item->wish.id,
        .name = item->wish.name,
        .is = &version,
        .agreed_with = (int)settling->number,
        .known = item->has,
    };

    if (!scope_index_get_removed(settling->writer->plugin->index, item->wish.id, &removed))
        return queue_remove(settling->writer->plugin->store, partner_id(settling), item->wish.id);
    version = removed.version;
    take_version(settling, &version);
    return mirror_remove_scope(settling->writer, &removal);
}

/* The partner has the scope no more. If it is here again, it must be sent as a new one. */
static struct result settle_removed(struct settling *settling)
{
    struct store *store = settling->writer->plugin->store;
    struct queue_item wish = settling->item->wish;
    const struct batch_item *item = settling->item;
    struct result result = object_store_remove(store, partner_id(settling), wish.id);

    if (!result_failed(result))
        result = mirror_put_known(settling->writer, settling->number, wish.id, wish.name, &item->has);
    if (result_failed(result))
        return result;
    if (!settling->known)
        return adopt_removal(settling);
    take_version(settling, &settling->entry.version);
    settling->entry.agreement[settling->number] = (struct scope_agreement){.met = true, .known = item->has};
    wish.removal = false;
    result = queue_put(store, &wish, settling->writer->now);
    return result_failed(result) ? result : mirror_set_sync(settling->writer, &settling->entry, NULL);
}

/* Whether what was refused is still what is wished for; a newer wish is not to suffer for it. */
static bool is_current(const struct settling *settling)
{
    const struct batch_item *item = settling->item;
    struct scope_removed removed;

    if (settling->known)
        return version_equal(&settling->entry.version, &item->version);
    return item->wish.removal && (!scope_index_get_removed(settling->writer->plugin->index, item->wish.id, &removed) ||
                                  version_equal(&removed.version, &item->version));
}

/* The partner is the primary and keeps its own version, which it now sends here: ours goes into the history. */
static struct result settle_overruled(struct settling *settling, const char *reason)
{
    const struct batch_item *item = settling->item;
    struct store *store = settling->writer->plugin->store;
    struct history_row lost = {
        .id = item->wish.id,
        .name = item->wish.name,
        .definition = item->definition,
        .fingerprint = item->pushed,
        .reason = reason,
        .replaced_at = settling->writer->now,
    };
    struct result result = history_store_add(store, &lost);

    /* A version made here since then is another matter and stays queued. */
    if (!result_failed(result) && is_current(settling))
        result = queue_remove(store, partner_id(settling), item->wish.id);
    return result;
}

/* Both versions wait for a person, who may force this one: then it has to count as made on top of the partner's. */
static struct result settle_held(struct settling *settling, const char *reason)
{
    const struct batch_item *item = settling->item;
    struct result result = queue_hold(settling->writer->plugin->store, item->wish.record_id, reason);

    if (result_failed(result))
        return result;
    if (!settling->known)
        return mirror_put_known(settling->writer, settling->number, item->wish.id, item->wish.name, &item->has);
    settling->entry.agreement[settling->number] =
        (struct scope_agreement){.theirs = item->answered, .met = true, .known = item->has};
    return mirror_put_agreement(settling->writer, &settling->entry, settling->number, texts_of(item));
}

/* The partner does not believe the version: it has numbers of a clock that was ahead, and both clocks are right again;
 * or it has writers whom the partner does not know, because somebody else spoke in the partner's name. It is numbered
 * anew and sent at once. RESULT_NOT_FOUND if neither is so. */
static struct result number_anew(struct settling *settling)
{
    struct mirror_writer *writer = settling->writer;
    const struct batch_item *item = settling->item;
    const uint64_t now = (uint64_t)writer->now;
    struct version_vector version = item->version;
    const struct mirror_removal removal = {
        .id = item->wish.id, .name = item->wish.name, .is = &version, .edit = true, .agreed_with = -1};
    struct result result;

    /* What the partner says that it has, not what it was known to have: it may have taken more, or lost its store. */
    if (!version_clocks_agree(settling->partner_clock, writer->now) ||
        (!version_number_anew(&version, &item->has, now) &&
         !version_forget_strangers(&version, &item->has, writer->plugin->writer)) ||
        version_ahead(&version, version_limit(&item->has, now)) != NULL)
        return result_error(RESULT_NOT_FOUND, "its numbers are right");
    if (!settling->known) {
        result = mirror_remove_scope(writer, &removal);
    } else {
        mirror_edit(writer, &version);
        settling->entry.version = version;
        result = mirror_set_sync(writer, &settling->entry, NULL);
    }
    return result_failed(result) ? result : queue_put(writer->plugin->store, &item->wish, writer->now);
}

static struct result settle_refused(struct settling *settling, int64_t retry_at)
{
    const struct batch_item *item = settling->item;
    struct plugin *plugin = settling->writer->plugin;
    char reason[400];
    struct result result = result_ok();

    switch (item->outcome) {
    case BATCH_OVERRULED:
        (void)snprintf(reason, sizeof reason, "changed on both servers: the version of %.80s counts",
                       partner_name(settling));
        kea_log(plugin->server, FAILOVER_SYNC_CONFLICT, OBJECT_SAID(item->wish.id, item->wish.name), reason);
        result = settle_overruled(settling, reason);
        break;
    case BATCH_OUTDATED:
        (void)snprintf(reason, sizeof reason, "%.80s has a newer version", partner_name(settling));
        if (is_current(settling))
            result = queue_remove(plugin->store, partner_id(settling), item->wish.id);
        break;
    case BATCH_CONFLICT:
        (void)snprintf(reason, sizeof reason, "changed on both servers, both versions are kept: %.250s", item->text);
        kea_log(plugin->server, FAILOVER_SYNC_CONFLICT, OBJECT_SAID(item->wish.id, item->wish.name), reason);
        if (is_current(settling))
            result = settle_held(settling, reason);
        break;
    case BATCH_HELD:
        (void)snprintf(reason, sizeof reason, "%.199s", item->text);
        if (is_current(settling))
            result = queue_hold_there(plugin->store, item->wish.record_id, reason);
        break;
    case BATCH_IMPOSSIBLE:
        (void)snprintf(reason, sizeof reason, "%.199s", item->text);
        /* What only this library takes is found by comparing the lists once the partner has it. */
        if (is_current(settling) && object_kind_of(item->wish.id) != OBJECT_SCOPE)
            result = queue_remove(plugin->store, partner_id(settling), item->wish.id);
        else if (is_current(settling))
            result = queue_postpone(plugin->store, item->wish.record_id, retry_at, reason);
        break;
    case BATCH_CLOCK_AHEAD:
        if (is_current(settling)) {
            result = number_anew(settling);
            if (result.code != RESULT_NOT_FOUND)
                return result;
        }
        /* fall through */
    case BATCH_ID_MISMATCH:
    case BATCH_FAILED:
        (void)snprintf(reason, sizeof reason, "%.80s refused it: %.250s", partner_name(settling), item->text);
        kea_log(plugin->server, FAILOVER_SYNC_SCOPE_OUT_OF_SYNC, OBJECT_SAID(item->wish.id, item->wish.name),
                partner_name(settling), item->text);
        if (is_current(settling))
            result = queue_postpone(plugin->store, item->wish.record_id, retry_at, reason);
        break;
    default:
        (void)snprintf(reason, sizeof reason, "%.80s did not say what came of it", partner_name(settling));
        kea_log(plugin->server, FAILOVER_SYNC_SCOPE_OUT_OF_SYNC, OBJECT_SAID(item->wish.id, item->wish.name),
                partner_name(settling), reason);
        result = queue_postpone(plugin->store, item->wish.record_id, retry_at, reason);
        break;
    }
    if (!result_failed(result) && settling->known && is_current(settling))
        result = mirror_set_sync(settling->writer, &settling->entry, reason);
    return result;
}

/* This server is the primary, and what the partner had is replaced: kept here, because the partner cannot. */
static struct result keep_replaced(const struct settling *settling)
{
    const struct batch_item *item = settling->item;
    struct history_row lost = {
        .id = item->wish.id,
        .name = item->wish.name,
        .definition = item->there,
        .fingerprint = fingerprint_of(item->there, strlen(item->there)),
        .reason = "changed on both servers: the primary's version counts",
        .replaced_at = settling->writer->now,
    };

    kea_log(settling->writer->plugin->server, FAILOVER_SYNC_CONFLICT, OBJECT_SAID(item->wish.id, item->wish.name),
            "the version of this server, the primary, counts, the partner's is kept in the history");
    return history_store_add(settling->writer->plugin->store, &lost);
}

/* What the operations that wait for the partner are told. A version made here since it was sent is still to come. */
static void tell_operations(struct plugin *plugin, size_t number, const struct batch_item *item)
{
    struct scope_entry entry;
    bool agreed = true;

    if (item->wish.removal)
        return;
    if (item->outcome != BATCH_APPLIED && item->outcome != BATCH_UNCHANGED) {
        replication_watch_settle(
            plugin, number, item->wish.id,
            fingerprint_empty(item->base) ? EXCEPTION_SCOPE_NOT_ADDED_REMOTELY : EXCEPTION_SCOPE_NOT_UPDATED_REMOTELY,
            item->text[0] != '\0'              ? item->text
            : item->outcome == BATCH_OVERRULED ? "changed on both servers, the partner's version counts"
            : item->outcome == BATCH_OUTDATED  ? "the partner has a newer version, which counts"
                                               : "the partner did not say what came of it");
        return;
    }
    if (scope_index_get(plugin->index, item->wish.id, &entry)) {
        agreed = scope_entry_agreed(&entry, number);
        scope_entry_clear(&entry);
    }
    if (agreed)
        replication_watch_settle(plugin, number, item->wish.id, EXCEPTION_NONE, NULL);
}

/* Both have the scope: a removal of it that is held here is none any more. */
static struct result forget_removal(const struct settling *settling)
{
    const struct guarded_removal nothing = {.server_record_id = partner_id(settling), .id = settling->item->wish.id};
    struct plugin *plugin = settling->writer->plugin;
    struct result result;

    if (removal_guard_find(plugin->guard, nothing.server_record_id, nothing.id) == REMOVAL_UNKNOWN)
        return result_ok();
    result = removal_guard_store(plugin->store, &nothing);
    return result_failed(result) ? result : removal_guard_follow(plugin->guard, &nothing);
}

static struct result settle_item(struct mirror_writer *writer, size_t number, const struct batch *batch,
                                 const struct batch_item *item, int64_t retry_at)
{
    struct settling settling = {
        .writer = writer,
        .number = number,
        .relationship = &writer->plugin->relationships.list[number],
        .item = item,
        .partner_clock = batch->partner_clock,
    };
    bool done = item->outcome == BATCH_APPLIED || item->outcome == BATCH_UNCHANGED;
    struct result result = result_ok();

    settling.known = scope_index_get(writer->plugin->index, item->wish.id, &settling.entry);
    settling.entry.reset = false;
    if (done && item->there != NULL)
        result = keep_replaced(&settling);
    if (!result_failed(result))
        result = !done                ? settle_refused(&settling, retry_at)
                 : item->wish.removal ? settle_removed(&settling)
                                      : settle_agreed(&settling);
    if (!result_failed(result) && done && !item->wish.removal)
        result = forget_removal(&settling);
    if (settling.known)
        scope_entry_clear(&settling.entry);
    return result;
}

/* What the partner holds, in one line. */
static void log_held(const struct plugin *plugin, size_t number, const struct batch *batch)
{
    const char *reason = NULL;
    size_t count = 0;
    char text[24];

    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].outcome == BATCH_HELD) {
            reason = batch->items[i].text;
            count++;
        }
    if (count == 0)
        return;
    (void)snprintf(text, sizeof text, "%zu", count);
    kea_log(plugin->server, FAILOVER_SYNC_REMOVALS_HELD_THERE, text,
            relationship_partner(&plugin->relationships.list[number])->name, reason);
}

struct result batch_settle(struct plugin *plugin, size_t number, const struct batch *batch, int64_t retry_at)
{
    struct mirror_writer writer;
    struct result result = mirror_begin(plugin, &writer);

    if (result_failed(result))
        return result;
    for (size_t i = 0; i < batch->count && !result_failed(result); i++)
        result = settle_item(&writer, number, batch, &batch->items[i], retry_at);
    if (!result_failed(result))
        result = server_store_seen(plugin->store, relationship_partner(&plugin->relationships.list[number])->record_id,
                                   writer.now / 1000);
    if (result_failed(result)) {
        mirror_abandon(&writer);
        return result;
    }
    result = mirror_commit(&writer);
    if (!result_failed(result))
        log_held(plugin, number, batch);
    for (size_t i = 0; i < batch->count && !result_failed(result); i++)
        tell_operations(plugin, number, &batch->items[i]);
    return result;
}
