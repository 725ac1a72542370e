/* Sorted arrays of notes about scopes; each begins with the scope's subnet id. */
#include "scope_notes.h"

#include <stdlib.h>
#include <string.h>

/* An array of notes of `size` bytes each. */
struct notes_array {
    void **notes;
    size_t *count, *capacity;
    size_t size;
};

static struct notes_array removed_of(struct scope_notes *notes)
{
    return (struct notes_array){.notes = (void **)&notes->removed,
                                .count = &notes->removed_count,
                                .capacity = &notes->removed_capacity,
                                .size = sizeof *notes->removed};
}

static struct notes_array applied_of(struct scope_notes *notes)
{
    return (struct notes_array){.notes = (void **)&notes->applied,
                                .count = &notes->applied_count,
                                .capacity = &notes->applied_capacity,
                                .size = sizeof *notes->applied};
}

static object_id id_at(const char *notes, size_t size, size_t at)
{
    object_id id;

    memcpy(&id, notes + at * size, sizeof id);
    return id;
}

/* Where the scope's note is, or where it would be inserted. */
static size_t position(const void *notes, size_t count, size_t size, object_id id)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (id_at(notes, size, middle) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const void *find(const void *notes, size_t count, size_t size, object_id id)
{
    const size_t at = position(notes, count, size, id);

    return at < count && id_at(notes, size, at) == id ? (const char *)notes + at * size : NULL;
}

static struct result set(struct notes_array array, const void *note)
{
    const object_id id = id_at(note, array.size, 0);
    const size_t at = position(*array.notes, *array.count, array.size, id);
    char *place;

    if (at == *array.count || id_at(*array.notes, array.size, at) != id) {
        if (*array.count == *array.capacity) {
            size_t capacity = *array.capacity == 0 ? 16 : *array.capacity * 2;
            void *larger = reallocarray(*array.notes, capacity, array.size);

            if (larger == NULL)
                return result_no_memory("the scope index");
            *array.notes = larger;
            *array.capacity = capacity;
        }
        place = (char *)*array.notes + at * array.size;
        memmove(place + array.size, place, (*array.count - at) * array.size);
        ++*array.count;
    }
    memcpy((char *)*array.notes + at * array.size, note, array.size);
    return result_ok();
}

static void forget(struct notes_array array, object_id id)
{
    const size_t at = position(*array.notes, *array.count, array.size, id);
    char *place;

    if (at == *array.count || id_at(*array.notes, array.size, at) != id)
        return;
    --*array.count;
    place = (char *)*array.notes + at * array.size;
    memmove(place, place + array.size, (*array.count - at) * array.size);
}

void scope_notes_clear(struct scope_notes *notes)
{
    free(notes->removed);
    free(notes->applied);
    *notes = (struct scope_notes){.removed = NULL};
}

struct result scope_notes_set_removed(struct scope_notes *notes, const struct scope_removed *removed)
{
    return set(removed_of(notes), removed);
}

const struct scope_removed *scope_notes_find_removed(const struct scope_notes *notes, object_id id)
{
    return find(notes->removed, notes->removed_count, sizeof *notes->removed, id);
}

void scope_notes_bury(struct scope_notes *notes, object_id id, const struct scope_buried *buried)
{
    const size_t at = position(notes->removed, notes->removed_count, sizeof *notes->removed, id);

    if (at < notes->removed_count && notes->removed[at].id == id)
        notes->removed[at].buried = *buried;
}

void scope_notes_forget_removed(struct scope_notes *notes, object_id id)
{
    forget(removed_of(notes), id);
}

struct result scope_notes_set_applied(struct scope_notes *notes, const struct scope_applied *applied)
{
    return set(applied_of(notes), applied);
}

const struct scope_applied *scope_notes_find_applied(const struct scope_notes *notes, object_id id)
{
    return find(notes->applied, notes->applied_count, sizeof *notes->applied, id);
}

void scope_notes_forget_applied(struct scope_notes *notes, object_id id)
{
    forget(applied_of(notes), id);
}

void scope_removed_note_partner(struct scope_removed *removed, size_t relationship, const struct version_vector *known)
{
    const enum version_order order = version_compare(&removed->version, known);

    if (order == VERSION_SAME || order == VERSION_NEWER)
        removed->builds |= UINT64_C(1) << relationship;
    if (order == VERSION_SAME)
        removed->agreed |= UINT64_C(1) << relationship;
}
