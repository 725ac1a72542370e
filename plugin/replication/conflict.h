/* Which of two versions of an object counts, this server's or its partner's (DESIGN, "The rules of replication"): one
 * rule for what arrives, for lists that are compared, and for what is read from a partner. Everything here is pure. The
 * caller gathers what is known of both versions and acts on the verdict; whether a version is believed, and whether one
 * that counts can be put in place, is the caller's question, too. */
#ifndef REPLICATION_CONFLICT_H
#define REPLICATION_CONFLICT_H

#include "failover_sync/version_vector.h"

/* Whether a server has the object. */
enum conflict_state { OBJECT_NEVER, OBJECT_THERE, OBJECT_REMOVED };

/* What a version has that the other one does not know. */
enum conflict_news {
    NEWS_NONE,
    NEWS_FOLLOWED, /* it only followed its shared network: nobody edited it */
    NEWS_EDITED,
    NEWS_UNCOUNTED /* it was edited after its version was counted */
};

/* What is known of one of the two. */
struct conflict_side {
    enum conflict_state state;
    enum conflict_news news;
    bool lost;  /* its server lost its store: what that found configured is older than what the two had agreed on */
    bool taken; /* a removal that the other server had taken: what that server has now was made after it */
};

/* How the two texts compare; two servers without the object have the same one. */
enum conflict_text {
    TEXT_SAME,
    TEXT_REPRINTED, /* the text that was agreed on, which the two servers print in different ways */
    TEXT_OTHER
};

/* How the partner's version came to be known. */
enum conflict_source {
    SOURCE_RECEIVED, /* the partner sent it */
    SOURCE_LISTED,   /* the partner's list names it: it is decided who sends, and the receiver decides again */
    SOURCE_READ      /* it was read from a partner without this library, which counts no edits */
};

struct conflict_facts {
    enum conflict_source source;
    enum conflict_text text;
    bool primary_wins; /* the policy; else it is `hold` */
    bool primary;      /* this server is the relationship's primary */
    bool waits;        /* both servers know already that the two are a conflict, and that it waits for a person */
};

enum conflict_verdict {
    VERDICT_SAME,             /* one version of one text */
    VERDICT_SAME_TEXT,        /* two versions of one text: both servers go on from what builds on both */
    VERDICT_MINE,             /* mine is newer */
    VERDICT_THEIRS,           /* theirs is newer */
    VERDICT_CONFLICT_MINE,    /* a conflict: mine counts */
    VERDICT_CONFLICT_THEIRS,  /* a conflict: theirs counts, mine goes into the history */
    VERDICT_CONFLICT_NEITHER, /* a conflict: each server keeps its own */
    VERDICT_WAITING           /* such a conflict, and nothing about it is new */
};

/* What `version` has that `other` does not know: NEWS_NONE, NEWS_FOLLOWED or NEWS_EDITED. */
enum conflict_news conflict_news(const struct version_vector *version, const struct version_vector *other);

/* Whether this server's version and the one that its partner is known to have are a conflict that waits for a person.
 */
bool conflict_waits(const struct version_vector *mine, const struct version_vector *known, bool primary_wins);

/* Decides. Of the rows that fit, the first one counts; "-" fits everything.
 *
 *     source     mine                  theirs               text    verdict
 *  1  READ       -                     -                    SAME    SAME
 *  2  READ       -                     never or removed     -       MINE      it forgets what its file does not have
 *  3  READ       -                     uncounted            -       CONFLICT
 *  4  READ       any news              any news             -       CONFLICT
 *  5  READ       -                     -                    -       MINE
 *  6  -          never                 never                -       SAME
 *  7  -          never                 -                    -       THEIRS
 *  8  -          -                     never                -       MINE
 *  9  LISTED     removed               removed              -       SAME      nobody has anything to send
 * 10  -          no news               no news              OTHER   CONFLICT  or each would take the other's
 * 11  -          no news               no news              -       SAME
 * 12  -          -                     no news              -       MINE
 * 13  -          no news               -                    -       THEIRS
 * 14  -          any news              any news             -       WAITING   if it waits
 * 15  -          followed or edited    lost, not uncounted  -       MINE
 * 16  -          lost, not uncounted   followed or edited   -       THEIRS
 * 17  -          taken, not uncounted  followed or edited   -       THEIRS    if theirs is not taken
 * 18  -          followed or edited    taken, not uncounted -       MINE      if mine is not taken
 * 19  RECEIVED   followed              edited, uncounted    -       THEIRS    an edit counts more than none
 * 20  RECEIVED   edited, uncounted     followed             -       MINE
 * 21  -          -                     -                    SAME    SAME_TEXT
 * 22  -          -                     -                    -       CONFLICT
 *
 * CONFLICT is CONFLICT_NEITHER with `hold`. With `primary-wins` it is CONFLICT_MINE on the primary and CONFLICT_THEIRS
 * on the secondary. */
enum conflict_verdict conflict_verdict(const struct conflict_side *mine, const struct conflict_side *theirs,
                                       const struct conflict_facts *facts);

#endif
