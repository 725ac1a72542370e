/* The rule of a configuration load: see the table in load_rule.h. */
#include "load_rule.h"

enum load_verdict load_rule(const struct load_facts *facts)
{
    if (facts->mirrored)
        return facts->reprinted ? LOAD_REPRINTED : LOAD_RUNS;
    if (facts->as_printed)
        return LOAD_WORDS;
    if (!facts->outlives)
        return LOAD_EDIT;
    if (facts->before)
        return LOAD_RESTORE;
    return facts->heard ? LOAD_EDIT : LOAD_PASS_OVER;
}
