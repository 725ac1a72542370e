/* Version vectors: comparing, merging, and their text. */
#include "failover_sync/version_vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* It followed its network; what was found is of no writer. */
static bool follows(const struct version_part *part)
{
    return part->edit != VERSION_FOUND && version_writer(part->writer) != part->writer;
}

static uint64_t edit_of(const struct version_vector *version, uint64_t writer)
{
    for (size_t i = 0; i < version->count; i++)
        if (version->part[i].writer == writer)
            return version->part[i].edit;
    return 0;
}

/* Where there is no room for both: the later edit, or that of the lesser writer, wherever the two meet. */
static bool outranks(const struct version_part *one, const struct version_part *other)
{
    return one->edit > other->edit || (one->edit == other->edit && one->writer < other->writer);
}

static size_t least_of(const struct version_vector *version)
{
    size_t least = 0;

    for (size_t i = 1; i < version->count; i++)
        if (outranks(&version->part[least], &version->part[i]))
            least = i;
    return least;
}

/* A full version does not name what is older than all that it names, but builds on it. */
static bool is_forgotten(const struct version_vector *version, const struct version_part *part)
{
    return version->count == VERSION_PARTS && outranks(&version->part[least_of(version)], part);
}

static bool knows(const struct version_vector *version, const struct version_part *part)
{
    return part->edit <= edit_of(version, part->writer) || is_forgotten(version, part);
}

/* Whether the second knows every edit that the first knows. */
static bool is_known_to(const struct version_vector *first, const struct version_vector *second)
{
    for (size_t i = 0; i < first->count; i++)
        if (!knows(second, &first->part[i]))
            return false;
    return true;
}

bool version_only_followed(const struct version_vector *first, const struct version_vector *second)
{
    bool followed = false;

    for (size_t i = 0; i < first->count; i++) {
        if (knows(second, &first->part[i]))
            continue;
        if (!follows(&first->part[i]))
            return false;
        followed = true;
    }
    return followed;
}

enum version_order version_compare(const struct version_vector *first, const struct version_vector *second)
{
    const bool older = is_known_to(first, second), newer = is_known_to(second, first);

    if (older && newer)
        return VERSION_SAME;
    if (older)
        return VERSION_OLDER;
    return newer ? VERSION_NEWER : VERSION_APART;
}

bool version_equal(const struct version_vector *first, const struct version_vector *second)
{
    return version_compare(first, second) == VERSION_SAME;
}

bool version_empty(const struct version_vector *version)
{
    return version->count == 0;
}

bool version_is_found(const struct version_vector *version)
{
    for (size_t i = 0; i < version->count; i++)
        if (version->part[i].edit != VERSION_FOUND && !follows(&version->part[i]))
            return false;
    return true;
}

/* Makes room for a part by forgetting the least one; false if it is less than all that are there. */
static bool make_room(struct version_vector *version, const struct version_part *part)
{
    const size_t least = least_of(version);

    if (is_forgotten(version, part))
        return false;
    version->count--;
    memmove(&version->part[least], &version->part[least + 1], (version->count - least) * sizeof version->part[0]);
    return true;
}

void version_add(struct version_vector *version, uint64_t writer, uint64_t edit)
{
    const struct version_part part = {.writer = writer, .edit = edit};
    size_t at = 0;

    while (at < version->count && version->part[at].writer < writer)
        at++;
    if (at < version->count && version->part[at].writer == writer) {
        if (version->part[at].edit < edit)
            version->part[at].edit = edit;
        return;
    }
    if (version->count == VERSION_PARTS) {
        if (!make_room(version, &part))
            return;
        for (at = 0; at < version->count && version->part[at].writer < writer;)
            at++;
    }
    memmove(&version->part[at + 1], &version->part[at], (version->count - at) * sizeof version->part[0]);
    version->part[at] = part;
    version->count++;
}

struct version_vector version_merge(const struct version_vector *first, const struct version_vector *second)
{
    struct version_vector merged = *first;

    for (size_t i = 0; i < second->count; i++)
        version_add(&merged, second->part[i].writer, second->part[i].edit);
    return merged;
}

void version_print(const struct version_vector *version, char text[VERSION_TEXT_SIZE])
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < version->count; i++)
        length +=
            (size_t)snprintf(text + length, VERSION_TEXT_SIZE - length, "%s%016llx:%llx", i == 0 ? "" : ",",
                             (unsigned long long)version->part[i].writer, (unsigned long long)version->part[i].edit);
}

/* One number of at most 16 digits; *text is left behind it. */
static bool parse_number(const char **text, uint64_t *number)
{
    const size_t digits = strspn(*text, "0123456789abcdef");

    if (digits == 0 || digits > 16)
        return false;
    *number = strtoull(*text, NULL, 16);
    *text += digits;
    return true;
}

bool version_parse(const char *text, struct version_vector *version)
{
    *version = (struct version_vector){.count = 0};
    if (text == NULL || *text == '\0')
        return true;
    for (size_t parts = 0; parts < VERSION_PARTS; parts++) {
        struct version_part part;

        if (!parse_number(&text, &part.writer) || *text++ != ':' || !parse_number(&text, &part.edit) || part.edit == 0)
            return false;
        version_add(version, part.writer, part.edit);
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
    return false;
}
