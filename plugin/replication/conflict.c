/* The rule of conflicts; its truth table is in conflict.h. */
#include "plugin/replication/conflict.h"

enum conflict_news conflict_news(const struct version_vector *version, const struct version_vector *other)
{
    const enum version_order order = version_compare(version, other);

    if (order == VERSION_SAME || order == VERSION_OLDER)
        return NEWS_NONE;
    return version_only_followed(version, other) ? NEWS_FOLLOWED : NEWS_EDITED;
}

bool conflict_waits(const struct version_vector *mine, const struct version_vector *known, bool primary_wins)
{
    return !primary_wins && version_compare(mine, known) == VERSION_APART;
}

static enum conflict_verdict by_policy(const struct conflict_facts *facts)
{
    if (!facts->primary_wins)
        return VERDICT_CONFLICT_NEITHER;
    return facts->primary ? VERDICT_CONFLICT_MINE : VERDICT_CONFLICT_THEIRS;
}

/* Rows 1 to 5. Such a partner has what it was last known to have, or something else. */
static enum conflict_verdict of_read(const struct conflict_side *mine, const struct conflict_side *theirs,
                                     const struct conflict_facts *facts)
{
    if (facts->text == TEXT_SAME)
        return VERDICT_SAME;
    if (theirs->state != OBJECT_THERE)
        return VERDICT_MINE;
    if (theirs->news == NEWS_UNCOUNTED || (mine->news != NEWS_NONE && theirs->news != NEWS_NONE))
        return by_policy(facts);
    return VERDICT_MINE;
}

/* Rows 14 to 22: neither knew all of the other. */
static enum conflict_verdict of_apart(const struct conflict_side *mine, const struct conflict_side *theirs,
                                      const struct conflict_facts *facts)
{
    const bool counted = mine->news != NEWS_UNCOUNTED && theirs->news != NEWS_UNCOUNTED;
    const bool i_followed = mine->news == NEWS_FOLLOWED, they_followed = theirs->news == NEWS_FOLLOWED;

    if (facts->waits)
        return VERDICT_WAITING;
    if (counted && theirs->lost)
        return VERDICT_MINE;
    if (counted && mine->lost)
        return VERDICT_THEIRS;
    if (counted && mine->taken != theirs->taken)
        return mine->taken ? VERDICT_THEIRS : VERDICT_MINE;
    if (facts->source == SOURCE_RECEIVED && i_followed != they_followed)
        return i_followed ? VERDICT_THEIRS : VERDICT_MINE;
    return facts->text == TEXT_SAME ? VERDICT_SAME_TEXT : by_policy(facts);
}

enum conflict_verdict conflict_verdict(const struct conflict_side *mine, const struct conflict_side *theirs,
                                       const struct conflict_facts *facts)
{
    if (facts->source == SOURCE_READ)
        return of_read(mine, theirs, facts);
    if (mine->state == OBJECT_NEVER)
        return theirs->state == OBJECT_NEVER ? VERDICT_SAME : VERDICT_THEIRS;
    if (theirs->state == OBJECT_NEVER)
        return VERDICT_MINE;
    if (facts->source == SOURCE_LISTED && mine->state == OBJECT_REMOVED && theirs->state == OBJECT_REMOVED)
        return VERDICT_SAME;
    if (mine->news == NEWS_NONE && theirs->news == NEWS_NONE)
        return facts->text == TEXT_OTHER ? by_policy(facts) : VERDICT_SAME;
    if (theirs->news == NEWS_NONE)
        return VERDICT_MINE;
    if (mine->news == NEWS_NONE)
        return VERDICT_THEIRS;
    return of_apart(mine, theirs, facts);
}
