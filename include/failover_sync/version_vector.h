/* Version vectors: which edits of which servers a version of a scope builds on. Two versions of a scope are one older
 * than the other, or made apart from each other, and then they are a conflict (DESIGN, "The rules of replication"). */
#ifndef FAILOVER_SYNC_VERSION_VECTOR_H
#define FAILOVER_SYNC_VERSION_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERSION_PARTS     16 /* a pair has two writers, and one more for each store that was lost */
#define VERSION_TEXT_SIZE (VERSION_PARTS * 34 + 1) /* "0123456789abcdef:19a3c2f00d1,..." and the NUL */

/* One writer, a server with its store, and the last of its edits that the version builds on. The edit VERSION_FOUND is
 * no server's: its writer stands for words that a new store found configured, the same for the same words, so that two
 * servers with the same configuration begin with the same version. */
#define VERSION_FOUND 1
struct version_part {
    uint64_t writer, edit;
};

/* No writer: a version that has more writers than it can name knows every edit up to this number, whoever made it. */
#define VERSION_FORGOTTEN UINT64_C(0)

/* A scope that changes because its shared network was changed by a partner was edited by nobody: that is noted as an
 * edit of its server's other writer, and loses against every edit of anybody. */
#define VERSION_FOLLOWS UINT64_C(1)

/* The writer that a server with its store is. */
static inline uint64_t version_writer(uint64_t number)
{
    return number & ~VERSION_FOLLOWS;
}

/* Its other one. */
static inline uint64_t version_following(uint64_t writer)
{
    return writer | VERSION_FOLLOWS;
}

/* Ascending by writer. Empty: older than every other version. */
struct version_vector {
    size_t count;
    struct version_part part[VERSION_PARTS];
};

enum version_order {
    VERSION_SAME,
    VERSION_OLDER, /* the second builds on the first */
    VERSION_NEWER, /* the first builds on the second */
    VERSION_APART  /* neither knew the other */
};

enum version_order version_compare(const struct version_vector *first, const struct version_vector *second);
bool version_equal(const struct version_vector *first, const struct version_vector *second);
bool version_empty(const struct version_vector *version);

/* Whether nobody has edited the scope since it was found. */
bool version_is_found(const struct version_vector *version);

/* Whether all that the second does not know of the first is that it followed its network. */
bool version_only_followed(const struct version_vector *first, const struct version_vector *second);

/* What builds on both. With more than VERSION_PARTS writers the oldest edits are not named any more, but count as
 * known (VERSION_FORGOTTEN): the edits of all writers are of one scale, milliseconds since 1970 where their clocks are
 * right. */
struct version_vector version_merge(const struct version_vector *first, const struct version_vector *second);

/* Notes an edit by a writer; an older one than is known changes nothing. */
void version_add(struct version_vector *version, uint64_t writer, uint64_t edit);

/* Edits are numbered in milliseconds since 1970. A number further ahead than this of both the clock and the numbers
 * that the receiver has is refused: its writer's clock is wrong, or somebody made it up. */
#define VERSION_AHEAD_MAX (UINT64_C(24) * 3600 * 1000)
/* No number is larger; some 280,000 years. */
#define VERSION_EDIT_MAX (UINT64_C(1) << 53)

/* The number of the next edit of a version: `now` (milliseconds since 1970), or one more than the largest number in the
 * version or than the server's last edit, if that is larger. A last edit further ahead than VERSION_AHEAD_MAX was
 * numbered while the clock was wrong and does not count. */
uint64_t version_next_edit(const struct version_vector *version, uint64_t now, uint64_t last_edit);

/* The largest number in a version; 0 in the empty one. */
uint64_t version_largest(const struct version_vector *version);

/* The number of a writer's last edit, 0 if it has none in the version; of both of a server's writers the larger one. */
uint64_t version_edit_of(const struct version_vector *version, uint64_t writer);

/* Up to which number every edit is known, whoever made it; 0 if all are named. */
uint64_t version_forgotten(const struct version_vector *version);

/* The largest number that is believed of a version that comes from elsewhere, where `mine` is the version of the same
 * object here. */
uint64_t version_limit(const struct version_vector *mine, uint64_t now);

/* The part with the largest number above `limit`; NULL if there is none. */
const struct version_part *version_ahead(const struct version_vector *version, uint64_t limit);

/* How many writers have numbers above `since` in the version and none in `mine`. */
size_t version_strangers(const struct version_vector *version, const struct version_vector *mine, uint64_t since);

/* No pair loses that many stores within a day. With room for more in a version, those who are made up do not crowd out
 * those who are not. */
#define VERSION_STRANGERS_MAX 8

/* How many writers of the last day a version has that `mine` has not, if those are too many to be believed; else 0. */
size_t version_crowd(const struct version_vector *version, const struct version_vector *mine, uint64_t now);

/* Takes out all parts with a number above `limit`; true if there were any. */
bool version_drop_ahead(struct version_vector *version, uint64_t limit);

/* Whether two clocks, one read in seconds and one in milliseconds since 1970, agree as far as edits are concerned; a
 * clock that is not known (0) does not. */
bool version_clocks_agree(int64_t seconds, int64_t milliseconds);

/* Prepares a version for one more edit where its numbers were given while a clock was ahead: those are taken out, but
 * for what the other server, with its version `theirs`, has taken of them; what that has made itself stays apart. False
 * if no number is ahead of the clock. */
bool version_number_anew(struct version_vector *version, const struct version_vector *theirs, uint64_t now);

/* Prepares a version that the other server, which has `theirs`, does not believe for one more edit by `own`: writers
 * whom the other does not know, or not as far, are taken out. False if there are none. */
bool version_forget_strangers(struct version_vector *version, const struct version_vector *theirs, uint64_t own);

/* Prints a version: its parts "writer:edit", hexadecimal, with commas between them; "" if it is empty. */
void version_print(const struct version_vector *version, char text[VERSION_TEXT_SIZE]);

/* Reads what version_print wrote; NULL is the empty version. False if it is anything else. */
bool version_parse(const char *text, struct version_vector *version);

#endif
