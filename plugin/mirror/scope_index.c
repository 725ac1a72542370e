/* The scopes in memory, sorted by subnet id, under one lock. What is kept per scope is in the header. */
#include "failover_sync/scope_index.h"
#include "scope_notes.h"

#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct scope_index {
    pthread_mutex_t lock;
    struct scope_entry **entries; /* ascending by subnet id */
    size_t count, capacity;
    size_t relationships;
    struct scope_notes notes;
};

static void entry_free(struct scope_entry *entry)
{
    if (entry != NULL)
        free(entry->agreement);
    free(entry);
}

static struct scope_entry *entry_copy(const struct scope_entry *entry, size_t relationships)
{
    struct scope_entry *copy = malloc(sizeof *copy);

    if (copy == NULL)
        return NULL;
    *copy = *entry;
    copy->agreement = calloc(relationships == 0 ? 1 : relationships, sizeof *copy->agreement);
    if (copy->agreement == NULL) {
        free(copy);
        return NULL;
    }
    if (entry->agreement != NULL)
        memcpy(copy->agreement, entry->agreement, relationships * sizeof *copy->agreement);
    return copy;
}

/* Where the scope is, or where it would be inserted. */
static size_t position(const struct scope_index *index, object_id id)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (index->entries[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct scope_entry *find(const struct scope_index *index, object_id id)
{
    size_t at = position(index, id);

    return at < index->count && index->entries[at]->id == id ? index->entries[at] : NULL;
}

struct result scope_index_new(size_t relationships, struct scope_index **index)
{
    *index = calloc(1, sizeof **index);
    if (*index == NULL)
        return result_no_memory("the scope index");
    (*index)->relationships = relationships;
    if (pthread_mutex_init(&(*index)->lock, NULL) != 0) {
        free(*index);
        *index = NULL;
        return result_no_memory("the scope index");
    }
    return result_ok();
}

void scope_index_free(struct scope_index *index)
{
    if (index == NULL)
        return;
    for (size_t i = 0; i < index->count; i++)
        entry_free(index->entries[i]);
    free(index->entries);
    scope_notes_clear(&index->notes);
    (void)pthread_mutex_destroy(&index->lock);
    free(index);
}

bool scope_index_get(struct scope_index *index, object_id id, struct scope_entry *entry)
{
    struct scope_entry *copy = NULL;
    const struct scope_entry *found;

    (void)pthread_mutex_lock(&index->lock);
    found = find(index, id);
    if (found != NULL)
        copy = entry_copy(found, index->relationships);
    (void)pthread_mutex_unlock(&index->lock);
    if (copy == NULL)
        return false;
    *entry = *copy;
    free(copy); /* the agreements are the caller's now */
    return true;
}

void scope_entry_clear(struct scope_entry *entry)
{
    free(entry->agreement);
    entry->agreement = NULL;
}

static bool make_room(struct scope_index *index)
{
    size_t capacity = index->capacity == 0 ? 64 : index->capacity * 2;
    struct scope_entry **entries;

    if (index->count < index->capacity)
        return true;
    entries = realloc(index->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    index->entries = entries;
    index->capacity = capacity;
    return true;
}

struct result scope_index_put(struct scope_index *index, const struct scope_entry *entry)
{
    struct scope_entry *copy = entry_copy(entry, index->relationships);
    struct result result = result_ok();
    size_t at;

    if (copy == NULL)
        return result_no_memory("the scope index");
    (void)pthread_mutex_lock(&index->lock);
    scope_notes_forget_removed(&index->notes, entry->id);
    at = position(index, entry->id);
    if (at < index->count && index->entries[at]->id == entry->id) {
        entry_free(index->entries[at]);
        index->entries[at] = copy;
    } else if (make_room(index)) {
        memmove(&index->entries[at + 1], &index->entries[at], (index->count - at) * sizeof *index->entries);
        index->entries[at] = copy;
        index->count++;
    } else {
        entry_free(copy);
        result = result_no_memory("the scope index");
    }
    (void)pthread_mutex_unlock(&index->lock);
    return result;
}

void scope_index_remove(struct scope_index *index, object_id id)
{
    size_t at;

    (void)pthread_mutex_lock(&index->lock);
    at = position(index, id);
    if (at < index->count && index->entries[at]->id == id) {
        entry_free(index->entries[at]);
        index->count--;
        memmove(&index->entries[at], &index->entries[at + 1], (index->count - at) * sizeof *index->entries);
    }
    (void)pthread_mutex_unlock(&index->lock);
}

void scope_index_set_agreement(struct scope_index *index, object_id id, size_t relationship,
                               const struct scope_agreement *agreement)
{
    struct scope_entry *entry;

    (void)pthread_mutex_lock(&index->lock);
    entry = find(index, id);
    if (entry != NULL && relationship < index->relationships)
        entry->agreement[relationship] = *agreement;
    (void)pthread_mutex_unlock(&index->lock);
}

void scope_index_set_version(struct scope_index *index, object_id id, const struct version_vector *version)
{
    struct scope_entry *entry;

    (void)pthread_mutex_lock(&index->lock);
    entry = find(index, id);
    if (entry != NULL)
        entry->version = *version;
    (void)pthread_mutex_unlock(&index->lock);
}

void scope_index_set_known(struct scope_index *index, object_id id, size_t relationship,
                           const struct version_vector *known)
{
    struct scope_entry *entry;

    (void)pthread_mutex_lock(&index->lock);
    entry = find(index, id);
    if (entry != NULL && relationship < index->relationships) {
        entry->agreement[relationship].met = true;
        entry->agreement[relationship].known = *known;
    }
    (void)pthread_mutex_unlock(&index->lock);
}

void scope_index_add_member(struct scope_index *index, object_id id, size_t relationship)
{
    struct scope_entry *entry;

    (void)pthread_mutex_lock(&index->lock);
    entry = find(index, id);
    if (entry != NULL && relationship < index->relationships)
        entry->members |= UINT64_C(1) << relationship;
    (void)pthread_mutex_unlock(&index->lock);
}

void scope_index_remove_member(struct scope_index *index, object_id id, size_t relationship)
{
    struct scope_entry *entry;

    (void)pthread_mutex_lock(&index->lock);
    entry = find(index, id);
    if (entry != NULL && relationship < index->relationships) {
        entry->members &= ~(UINT64_C(1) << relationship);
        entry->agreement[relationship] = (struct scope_agreement){.ours = {.hex = ""}};
    }
    (void)pthread_mutex_unlock(&index->lock);
}

struct result scope_index_widen(struct scope_index *index, size_t relationships)
{
    struct result result = result_ok();

    (void)pthread_mutex_lock(&index->lock);
    for (size_t i = 0; i < index->count && relationships > index->relationships; i++) {
        struct scope_entry *entry = index->entries[i];
        struct scope_agreement *wider = reallocarray(entry->agreement, relationships, sizeof *wider);

        if (wider == NULL) {
            result = result_no_memory("the scope index"); /* the wider ones do no harm */
            break;
        }
        memset(wider + index->relationships, 0, (relationships - index->relationships) * sizeof *wider);
        entry->agreement = wider;
    }
    if (!result_failed(result) && relationships > index->relationships)
        index->relationships = relationships;
    (void)pthread_mutex_unlock(&index->lock);
    return result;
}

void scope_index_settle_resets(struct scope_index *index)
{
    (void)pthread_mutex_lock(&index->lock);
    for (size_t i = 0; i < index->count; i++) {
        struct scope_entry *entry = index->entries[i];

        if (!entry->reset)
            continue;
        entry->reset = false;
        entry->reset = strcmp(scope_entry_status(entry, index->relationships), "InSync") != 0;
    }
    (void)pthread_mutex_unlock(&index->lock);
}

size_t scope_index_count(struct scope_index *index)
{
    size_t count;

    (void)pthread_mutex_lock(&index->lock);
    count = index->count;
    (void)pthread_mutex_unlock(&index->lock);
    return count;
}

void scope_index_each(struct scope_index *index, scope_index_visitor each, void *context)
{
    (void)pthread_mutex_lock(&index->lock);
    for (size_t i = 0; i < index->count; i++)
        if (!each(context, index->entries[i]))
            break;
    (void)pthread_mutex_unlock(&index->lock);
}

struct version_vector scope_index_merge(struct scope_index *index, const object_id *ids, size_t count)
{
    struct version_vector merged = {.count = 0};

    (void)pthread_mutex_lock(&index->lock);
    for (size_t i = 0; i < count; i++) {
        const struct scope_entry *entry = find(index, ids[i]);

        if (entry != NULL)
            merged = version_merge(&merged, &entry->version);
    }
    (void)pthread_mutex_unlock(&index->lock);
    return merged;
}

struct fingerprint scope_entry_expected(const struct scope_entry *entry, size_t relationship)
{
    return scope_entry_agreed(entry, relationship) ? entry->agreement[relationship].theirs : entry->fingerprint;
}

struct fingerprint scope_index_digest(struct scope_index *index, size_t relationship, enum scope_digest whose)
{
    struct fingerprint_stream stream = fingerprint_begin();

    (void)pthread_mutex_lock(&index->lock);
    for (size_t i = 0; i < index->count && relationship < index->relationships; i++) {
        const struct scope_entry *entry = index->entries[i];
        /* What other fields a struct may have between its members is not digested. */
        uint64_t numbers[1 + 2 * VERSION_PARTS] = {entry->id};
        struct fingerprint text;
        size_t count = 1;

        if ((entry->members >> relationship & 1) == 0)
            continue;
        for (size_t part = 0; part < entry->version.count; part++) {
            numbers[count++] = htobe64(entry->version.part[part].writer);
            numbers[count++] = htobe64(entry->version.part[part].edit);
        }
        numbers[0] = htobe64(numbers[0]);
        fingerprint_add(&stream, numbers, count * sizeof numbers[0]);
        text = whose == SCOPE_DIGEST_OURS ? entry->fingerprint : scope_entry_expected(entry, relationship);
        fingerprint_add(&stream, text.hex, strlen(text.hex));
    }
    (void)pthread_mutex_unlock(&index->lock);
    return fingerprint_end(&stream);
}

struct result scope_index_set_removed(struct scope_index *index, const struct scope_removed *removed)
{
    struct result result;

    (void)pthread_mutex_lock(&index->lock);
    result = scope_notes_set_removed(&index->notes, removed);
    (void)pthread_mutex_unlock(&index->lock);
    return result;
}

bool scope_index_get_removed(struct scope_index *index, object_id id, struct scope_removed *removed)
{
    const struct scope_removed *found;

    (void)pthread_mutex_lock(&index->lock);
    found = scope_notes_find_removed(&index->notes, id);
    if (found != NULL)
        *removed = *found;
    (void)pthread_mutex_unlock(&index->lock);
    return found != NULL;
}

size_t scope_index_removed_count(struct scope_index *index)
{
    size_t count;

    (void)pthread_mutex_lock(&index->lock);
    count = index->notes.removed_count;
    (void)pthread_mutex_unlock(&index->lock);
    return count;
}

void scope_index_forget_removed(struct scope_index *index, object_id id)
{
    (void)pthread_mutex_lock(&index->lock);
    scope_notes_forget_removed(&index->notes, id);
    (void)pthread_mutex_unlock(&index->lock);
}

void scope_index_bury(struct scope_index *index, object_id id, const struct scope_buried *buried)
{
    (void)pthread_mutex_lock(&index->lock);
    scope_notes_bury(&index->notes, id, buried);
    (void)pthread_mutex_unlock(&index->lock);
}

void scope_index_each_removed(struct scope_index *index,
                              void (*each)(void *context, const struct scope_removed *removed), void *context)
{
    (void)pthread_mutex_lock(&index->lock);
    for (size_t i = 0; i < index->notes.removed_count; i++)
        each(context, &index->notes.removed[i]);
    (void)pthread_mutex_unlock(&index->lock);
}

struct result scope_index_note_applied(struct scope_index *index, const struct scope_applied *applied)
{
    struct result result;

    (void)pthread_mutex_lock(&index->lock);
    result = scope_notes_set_applied(&index->notes, applied);
    (void)pthread_mutex_unlock(&index->lock);
    return result;
}

bool scope_index_get_applied(struct scope_index *index, object_id id, struct scope_applied *applied)
{
    const struct scope_applied *found;

    (void)pthread_mutex_lock(&index->lock);
    found = scope_notes_find_applied(&index->notes, id);
    if (found != NULL)
        *applied = *found;
    (void)pthread_mutex_unlock(&index->lock);
    return found != NULL;
}

void scope_index_end_applied(struct scope_index *index, const struct scope_applied *applied)
{
    const struct scope_applied *found;

    (void)pthread_mutex_lock(&index->lock);
    found = scope_notes_find_applied(&index->notes, applied->id);
    if (found != NULL && version_equal(&found->version, &applied->version))
        scope_notes_forget_applied(&index->notes, applied->id);
    (void)pthread_mutex_unlock(&index->lock);
}

bool scope_entry_agreed(const struct scope_entry *entry, size_t relationship)
{
    const struct scope_agreement *agreement = entry->agreement == NULL ? NULL : &entry->agreement[relationship];

    return agreement != NULL && !entry->unprinted && agreement->met &&
           fingerprint_equal(agreement->ours, entry->fingerprint) && version_equal(&agreement->known, &entry->version);
}

const char *scope_entry_status(const struct scope_entry *entry, size_t relationships)
{
    if (entry->reset)
        return "InSync";
    if (entry->members == 0)
        return "Unknown";
    for (size_t i = 0; i < relationships; i++)
        if ((entry->members >> i & 1) != 0 && !scope_entry_agreed(entry, i))
            return "OutOfSync";
    return "InSync";
}

bool scope_entry_in_file(const struct scope_entry *entry)
{
    return fingerprint_equal(entry->file.fingerprint, entry->fingerprint) ||
           fingerprint_equal(entry->file.fingerprint, entry->printed);
}
