/* Which version of a scope counts when a configuration is loaded: the one rule for it. A restart is not an edit. */
#ifndef LOAD_RULE_H
#define LOAD_RULE_H

#include <stdbool.h>

/* What a load says of a scope, against what the store knows. Of a scope that the store has and the load does not
 * deliver, or the other way round, "it" is that the scope is not there. */
struct load_facts {
    bool mirrored;   /* it is the version that the store has */
    bool reprinted;  /* and what the scope inherits is other than then */
    bool as_printed; /* it is what the server prints of the version that the store has, with all that it inherits */
    bool before;     /* the last load of this kind said the same, or what was delivered then is printed so */
    bool heard;      /* the store knows what the last load of this kind said */
    bool outlives;   /* the store's version outlives a load that says nothing new */
};

enum load_verdict {
    LOAD_RUNS,      /* the store's version is what runs */
    LOAD_REPRINTED, /* so it is, and is to be mirrored with what it inherits now */
    LOAD_WORDS,     /* so it is in the words that the store has, if they mean the same here; else LOAD_EDIT */
    LOAD_RESTORE,   /* the store's version counts, and is put back */
    LOAD_PASS_OVER, /* so it is, and what is delivered may be an edit all the same: it is kept in the history */
    LOAD_EDIT,      /* what is delivered counts */
};

/*
 * mirrored reprinted as_printed before heard outlives
 *    yes       no         -       -     -      -      LOAD_RUNS
 *    yes      yes         -       -     -      -      LOAD_REPRINTED
 *     no        -       yes       -     -      -      LOAD_WORDS
 *     no        -        no     yes     -    yes      LOAD_RESTORE
 *     no        -        no      no    no    yes      LOAD_PASS_OVER
 *     no        -        no      no   yes    yes      LOAD_EDIT
 *     no        -        no       -     -     no      LOAD_EDIT
 */
enum load_verdict load_rule(const struct load_facts *facts);

#endif
