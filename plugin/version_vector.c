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

static bool knows(const struct version_vector *version, const struct version_part *part)
{
    return part->edit <= edit_of(version, part->writer) || part->edit <= edit_of(version, VERSION_FORGOTTEN);
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

/* ---- making ---- */

/* Parts of one or two versions, ascending by writer, before what there is no room for is forgotten. */
struct parts {
    size_t count;
    struct version_part part[2 * VERSION_PARTS + 1];
};

static void put(struct parts *parts, uint64_t writer, uint64_t edit)
{
    size_t at = 0;

    while (at < parts->count && parts->part[at].writer < writer)
        at++;
    if (at < parts->count && parts->part[at].writer == writer) {
        if (parts->part[at].edit < edit)
            parts->part[at].edit = edit;
        return;
    }
    memmove(&parts->part[at + 1], &parts->part[at], (parts->count - at) * sizeof parts->part[0]);
    parts->part[at] = (struct version_part){.writer = writer, .edit = edit};
    parts->count++;
}

static void put_all(struct parts *parts, const struct version_vector *version)
{
    for (size_t i = 0; i < version->count; i++)
        put(parts, version->part[i].writer, version->part[i].edit);
}

/* What is known without being named needs no name. */
static void drop_forgotten(struct parts *parts)
{
    const uint64_t forgotten = parts->count > 0 && parts->part[0].writer == VERSION_FORGOTTEN ? parts->part[0].edit : 0;
    size_t kept = 0;

    for (size_t i = 0; i < parts->count; i++)
        if (parts->part[i].writer == VERSION_FORGOTTEN || parts->part[i].edit > forgotten)
            parts->part[kept++] = parts->part[i];
    parts->count = kept;
}

static uint64_t least_edit(const struct parts *parts)
{
    const struct version_part *least = NULL;

    for (size_t i = 0; i < parts->count; i++)
        if (parts->part[i].writer != VERSION_FORGOTTEN && (least == NULL || outranks(least, &parts->part[i])))
            least = &parts->part[i];
    return least == NULL ? 0 : least->edit;
}

static struct version_vector version_of(struct parts *parts)
{
    struct version_vector version = {.count = 0};

    drop_forgotten(parts);
    while (parts->count > VERSION_PARTS) {
        put(parts, VERSION_FORGOTTEN, least_edit(parts));
        drop_forgotten(parts);
    }
    version.count = parts->count;
    memcpy(version.part, parts->part, parts->count * sizeof version.part[0]);
    return version;
}

void version_add(struct version_vector *version, uint64_t writer, uint64_t edit)
{
    struct parts parts = {.count = 0};

    put_all(&parts, version);
    put(&parts, writer, edit);
    *version = version_of(&parts);
}

struct version_vector version_merge(const struct version_vector *first, const struct version_vector *second)
{
    struct parts parts = {.count = 0};

    put_all(&parts, first);
    put_all(&parts, second);
    return version_of(&parts);
}

/* ---- numbers ---- */

uint64_t version_largest(const struct version_vector *version)
{
    uint64_t largest = 0;

    for (size_t i = 0; i < version->count; i++)
        if (version->part[i].edit > largest)
            largest = version->part[i].edit;
    return largest;
}

uint64_t version_edit_of(const struct version_vector *version, uint64_t writer)
{
    uint64_t edit = 0;

    for (size_t i = 0; i < version->count; i++)
        if (version_writer(version->part[i].writer) == version_writer(writer) && version->part[i].edit > edit)
            edit = version->part[i].edit;
    return edit;
}

uint64_t version_forgotten(const struct version_vector *version)
{
    return edit_of(version, VERSION_FORGOTTEN);
}

uint64_t version_next_edit(const struct version_vector *version, uint64_t now, uint64_t last_edit)
{
    const uint64_t largest = version_largest(version);
    uint64_t next = now;

    if (last_edit >= next && last_edit - now <= VERSION_AHEAD_MAX)
        next = last_edit + 1;
    if (largest >= next)
        next = largest + 1;
    return next;
}

uint64_t version_limit(const struct version_vector *mine, uint64_t now)
{
    const uint64_t largest = version_largest(mine);

    return (largest > now ? largest : now) + VERSION_AHEAD_MAX;
}

const struct version_part *version_ahead(const struct version_vector *version, uint64_t limit)
{
    const struct version_part *ahead = NULL;

    for (size_t i = 0; i < version->count; i++)
        if (version->part[i].edit > limit && (ahead == NULL || version->part[i].edit > ahead->edit))
            ahead = &version->part[i];
    return ahead;
}

size_t version_strangers(const struct version_vector *version, const struct version_vector *mine, uint64_t since)
{
    size_t count = 0;

    for (size_t i = 0; i < version->count; i++)
        count += version->part[i].edit > since && edit_of(mine, version->part[i].writer) == 0;
    return count;
}

size_t version_crowd(const struct version_vector *version, const struct version_vector *mine, uint64_t now)
{
    const size_t strangers = version_strangers(version, mine, now > VERSION_AHEAD_MAX ? now - VERSION_AHEAD_MAX : 0);

    return strangers > VERSION_STRANGERS_MAX ? strangers : 0;
}

bool version_drop_ahead(struct version_vector *version, uint64_t limit)
{
    size_t kept = 0;
    bool dropped;

    for (size_t i = 0; i < version->count; i++)
        if (version->part[i].edit <= limit)
            version->part[kept++] = version->part[i];
    dropped = kept < version->count;
    version->count = kept;
    return dropped;
}

bool version_clocks_agree(int64_t seconds, int64_t milliseconds)
{
    const int64_t apart = seconds * 1000 - milliseconds;

    return seconds != 0 && (apart < 0 ? -apart : apart) <= (int64_t)VERSION_AHEAD_MAX;
}

/* Puts back what `whole` knew of the other's version. */
static void add_shared(struct version_vector *version, const struct version_vector *whole,
                       const struct version_vector *theirs)
{
    for (size_t i = 0; i < theirs->count; i++)
        if (knows(whole, &theirs->part[i]))
            version_add(version, theirs->part[i].writer, theirs->part[i].edit);
}

bool version_number_anew(struct version_vector *version, const struct version_vector *theirs, uint64_t now)
{
    const struct version_vector whole = *version;

    if (!version_drop_ahead(version, now + VERSION_AHEAD_MAX))
        return false;
    add_shared(version, &whole, theirs);
    return true;
}

bool version_forget_strangers(struct version_vector *version, const struct version_vector *theirs, uint64_t own)
{
    const struct version_vector whole = *version;
    size_t kept = 0;
    bool forgotten;

    for (size_t i = 0; i < version->count; i++)
        if (version_writer(version->part[i].writer) == version_writer(own) || knows(theirs, &version->part[i]))
            version->part[kept++] = version->part[i];
    forgotten = kept < version->count;
    version->count = kept;
    add_shared(version, &whole, theirs);
    return forgotten;
}

/* ---- text ---- */

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
    struct parts all = {.count = 0};

    *version = (struct version_vector){.count = 0};
    if (text == NULL || *text == '\0')
        return true;
    for (size_t parts = 0; parts < VERSION_PARTS; parts++) {
        struct version_part part;

        if (!parse_number(&text, &part.writer) || *text++ != ':' || !parse_number(&text, &part.edit) || part.edit == 0)
            return false;
        put(&all, part.writer, part.edit);
        if (*text == '\0') {
            *version = version_of(&all);
            return true;
        }
        if (*text++ != ',')
            return false;
    }
    return false;
}
