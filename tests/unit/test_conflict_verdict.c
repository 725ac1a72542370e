/* Which of two versions counts: what the rule promises, over everything that can be known of two versions; its truth
 * table, row by row; and what comes of it where two servers edit, follow and take from each other. */
#include "plugin/replication/conflict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct question {
    struct conflict_side mine, theirs;
    struct conflict_facts facts;
};

static enum conflict_verdict ask(const struct question *question)
{
    return conflict_verdict(&question->mine, &question->theirs, &question->facts);
}

static unsigned take_digit(unsigned *number, unsigned base)
{
    const unsigned digit = *number % base;

    *number /= base;
    return digit;
}

static struct conflict_side take_side(unsigned *number)
{
    struct conflict_side side;

    side.state = (enum conflict_state)take_digit(number, OBJECT_REMOVED + 1);
    side.news = (enum conflict_news)take_digit(number, NEWS_UNCOUNTED + 1);
    side.lost = take_digit(number, 2) != 0;
    side.taken = take_digit(number, 2) != 0;
    return side;
}

/* False behind the last question. */
static bool find_question(unsigned number, struct question *question)
{
    question->mine = take_side(&number);
    question->theirs = take_side(&number);
    question->facts.source = (enum conflict_source)take_digit(&number, SOURCE_READ + 1);
    question->facts.text = (enum conflict_text)take_digit(&number, TEXT_OTHER + 1);
    question->facts.primary_wins = take_digit(&number, 2) != 0;
    question->facts.primary = take_digit(&number, 2) != 0;
    question->facts.waits = take_digit(&number, 2) != 0;
    return number == 0;
}

static void print_side(const char *whose, const struct conflict_side *side)
{
    static const char *const states[] = {"never", "there", "removed"};
    static const char *const news[] = {"no news", "followed", "edited", "uncounted"};

    print_error("%s: %s, %s%s%s\n", whose, states[side->state], news[side->news], side->lost ? ", lost" : "",
                side->taken ? ", taken" : "");
}

/* Fails with the question. */
static void require(bool kept, const struct question *question)
{
    static const char *const sources[] = {"received", "listed", "read"};
    static const char *const texts[] = {"same text", "reprinted", "other text"};

    if (kept)
        return;
    print_side("mine", &question->mine);
    print_side("theirs", &question->theirs);
    fail_msg("%s, %s, %s, %s%s: verdict %d", sources[question->facts.source], texts[question->facts.text],
             question->facts.primary_wins ? "primary-wins" : "hold", question->facts.primary ? "primary" : "secondary",
             question->facts.waits ? ", waits" : "", (int)ask(question));
}

static void for_each_question(void (*check)(const struct question *question, enum conflict_verdict verdict))
{
    struct question question;

    for (unsigned number = 0; find_question(number, &question); number++)
        check(&question, ask(&question));
}

static bool is_conflict(enum conflict_verdict verdict)
{
    return verdict == VERDICT_CONFLICT_MINE || verdict == VERDICT_CONFLICT_THEIRS ||
           verdict == VERDICT_CONFLICT_NEITHER;
}

static bool keeps_mine(enum conflict_verdict verdict)
{
    return verdict == VERDICT_MINE || verdict == VERDICT_CONFLICT_MINE;
}

static bool takes_theirs(enum conflict_verdict verdict)
{
    return verdict == VERDICT_THEIRS || verdict == VERDICT_CONFLICT_THEIRS;
}

static bool has_news(const struct conflict_side *side)
{
    return side->news != NEWS_NONE;
}

static bool is_counted(const struct conflict_side *side)
{
    return side->news != NEWS_UNCOUNTED;
}

static bool both_had_it(const struct question *question)
{
    return question->mine.state != OBJECT_NEVER && question->theirs.state != OBJECT_NEVER;
}

static bool both_lost(const struct question *question)
{
    return question->mine.lost && question->theirs.lost && is_counted(&question->mine) &&
           is_counted(&question->theirs) && has_news(&question->mine) && has_news(&question->theirs) &&
           both_had_it(question);
}

/* A partner without this library decides nothing. */
static bool both_decide(const struct question *question)
{
    return question->facts.source != SOURCE_READ;
}

/* ---- what the rule promises ---- */

/* The question as the partner has it. */
static struct question mirror(const struct question *question)
{
    struct question mirrored = {.mine = question->theirs, .theirs = question->mine, .facts = question->facts};

    mirrored.facts.primary = !question->facts.primary;
    return mirrored;
}

static void check_mirror(const struct question *question, enum conflict_verdict verdict)
{
    const struct question mirrored = mirror(question);
    const enum conflict_verdict there = ask(&mirrored);

    if (!both_decide(question) || (both_lost(question) && !question->facts.waits))
        return;
    require(keeps_mine(verdict) == takes_theirs(there) && takes_theirs(verdict) == keeps_mine(there), question);
    require(is_conflict(verdict) == is_conflict(there), question);
    if (!keeps_mine(verdict) && !takes_theirs(verdict))
        require(verdict == there, question);
}

static void test_the_partner_decides_the_same_the_other_way_round(void **state)
{
    (void)state;
    for_each_question(check_mirror);
}

/* The one case in which the two servers do not agree: neither believes what the other one found. */
static void check_both_lost(const struct question *question, enum conflict_verdict verdict)
{
    if (both_decide(question) && both_lost(question) && !question->facts.waits)
        require(verdict == (question->facts.source == SOURCE_LISTED && question->mine.state == OBJECT_REMOVED &&
                                    question->theirs.state == OBJECT_REMOVED
                                ? VERDICT_SAME
                                : VERDICT_MINE),
                question);
}

static void test_of_two_lost_stores_each_server_keeps_its_version(void **state)
{
    (void)state;
    for_each_question(check_both_lost);
}

static void check_same_text(const struct question *question, enum conflict_verdict verdict)
{
    if (question->facts.text == TEXT_SAME)
        require(!is_conflict(verdict), question);
    if (verdict == VERDICT_SAME_TEXT)
        require(question->facts.text == TEXT_SAME, question);
}

static void test_the_same_text_is_no_conflict(void **state)
{
    (void)state;
    for_each_question(check_same_text);
}

static void check_policy(const struct question *question, enum conflict_verdict verdict)
{
    struct question hold = *question, primary = *question, secondary = *question;

    hold.facts.primary_wins = false;
    primary.facts.primary_wins = primary.facts.primary = true;
    secondary.facts.primary_wins = true;
    secondary.facts.primary = false;
    if (is_conflict(verdict)) {
        require(ask(&hold) == VERDICT_CONFLICT_NEITHER, &hold);
        require(ask(&primary) == VERDICT_CONFLICT_MINE, &primary);
        require(ask(&secondary) == VERDICT_CONFLICT_THEIRS, &secondary);
    } else {
        require(ask(&hold) == verdict && ask(&primary) == verdict && ask(&secondary) == verdict, question);
    }
}

static void test_the_policy_decides_every_conflict_and_nothing_else(void **state)
{
    (void)state;
    for_each_question(check_policy);
}

static void check_older(const struct question *question, enum conflict_verdict verdict)
{
    const bool both_removed = question->mine.state == OBJECT_REMOVED && question->theirs.state == OBJECT_REMOVED;

    if (!both_decide(question) || !both_had_it(question) || has_news(&question->mine) == has_news(&question->theirs))
        return;
    if (question->facts.source == SOURCE_LISTED && both_removed)
        require(verdict == VERDICT_SAME, question);
    else
        require(verdict == (has_news(&question->mine) ? VERDICT_MINE : VERDICT_THEIRS), question);
}

static void test_an_older_version_never_counts(void **state)
{
    (void)state;
    for_each_question(check_older);
}

/* What a version has that may be given up without a word: nothing, what nobody edited, what is older in truth. */
static bool may_be_forgotten(const struct question *question, const struct conflict_side *side)
{
    const bool counted = is_counted(&question->mine) && is_counted(&question->theirs);

    return side->state == OBJECT_NEVER || side->news == NEWS_NONE || side->news == NEWS_FOLLOWED ||
           (counted && (side->lost || side->taken));
}

static void check_silence(const struct question *question, enum conflict_verdict verdict)
{
    if (!both_decide(question))
        return;
    if (verdict == VERDICT_THEIRS)
        require(may_be_forgotten(question, &question->mine), question);
    if (verdict == VERDICT_MINE)
        require(may_be_forgotten(question, &question->theirs), question);
}

static void test_no_edit_is_given_up_without_a_conflict(void **state)
{
    (void)state;
    for_each_question(check_silence);
}

static void check_one_version(const struct question *question, enum conflict_verdict verdict)
{
    if (!both_decide(question) || !both_had_it(question) || has_news(&question->mine) || has_news(&question->theirs))
        return;
    if (question->mine.state == OBJECT_REMOVED && question->theirs.state == OBJECT_REMOVED &&
        question->facts.source == SOURCE_LISTED)
        return;
    require(is_conflict(verdict) == (question->facts.text == TEXT_OTHER), question);
    require(is_conflict(verdict) || verdict == VERDICT_SAME, question);
}

static void test_two_texts_of_one_version_are_a_conflict(void **state)
{
    (void)state;
    for_each_question(check_one_version);
}

static void check_never(const struct question *question, enum conflict_verdict verdict)
{
    const bool mine = question->mine.state != OBJECT_NEVER, theirs = question->theirs.state != OBJECT_NEVER;

    if (both_decide(question) && !(mine && theirs))
        require(verdict == (mine ? VERDICT_MINE : theirs ? VERDICT_THEIRS : VERDICT_SAME), question);
}

static void test_what_only_one_server_ever_had_counts(void **state)
{
    (void)state;
    for_each_question(check_never);
}

static enum conflict_state other_state(enum conflict_state state)
{
    return state == OBJECT_THERE ? OBJECT_REMOVED : state == OBJECT_REMOVED ? OBJECT_THERE : OBJECT_NEVER;
}

static void check_removal(const struct question *question, enum conflict_verdict verdict)
{
    struct question here = *question, there = *question;

    here.mine.state = other_state(here.mine.state);
    there.theirs.state = other_state(there.theirs.state);
    if (question->facts.source == SOURCE_RECEIVED)
        require(ask(&here) == verdict && ask(&there) == verdict, question);
}

static void test_a_removal_is_an_edit_as_any_other(void **state)
{
    (void)state;
    for_each_question(check_removal);
}

static void check_uncounted(const struct question *question, enum conflict_verdict verdict)
{
    struct question counted = *question;

    if (!both_decide(question) || question->mine.lost || question->theirs.lost || question->mine.taken ||
        question->theirs.taken)
        return;
    if (!is_counted(&counted.mine))
        counted.mine.news = NEWS_EDITED;
    if (!is_counted(&counted.theirs))
        counted.theirs.news = NEWS_EDITED;
    require(ask(&counted) == verdict, question);
}

static void test_an_edit_counts_before_it_is_counted(void **state)
{
    (void)state;
    for_each_question(check_uncounted);
}

static void check_waiting(const struct question *question, enum conflict_verdict verdict)
{
    struct question new = *question;

    new.facts.waits = false;
    if (verdict == VERDICT_WAITING)
        require(question->facts.waits && has_news(&question->mine) && has_news(&question->theirs), question);
    else
        require(ask(&new) == verdict, question);
}

static void test_only_versions_made_apart_wait(void **state)
{
    (void)state;
    for_each_question(check_waiting);
}

static void check_taken(const struct question *question, enum conflict_verdict verdict)
{
    if (both_decide(question) && both_had_it(question) && is_counted(&question->mine) &&
        is_counted(&question->theirs) && !question->mine.lost && !question->theirs.lost && question->mine.taken &&
        !question->theirs.taken && has_news(&question->theirs) && question->theirs.state != OBJECT_REMOVED &&
        !question->facts.waits)
        require(verdict == VERDICT_THEIRS, question);
}

static void test_what_was_made_after_a_removal_of_both_counts(void **state)
{
    (void)state;
    for_each_question(check_taken);
}

/* The receiver looks closer than a list can. */
static void check_listed(const struct question *question, enum conflict_verdict verdict)
{
    if (question->facts.source == SOURCE_LISTED && both_had_it(question) && has_news(&question->mine) &&
        has_news(&question->theirs) && !question->mine.lost && !question->theirs.lost && !question->mine.taken &&
        !question->theirs.taken)
        require(verdict != VERDICT_MINE && verdict != VERDICT_THEIRS, question);
}

static void test_a_list_decides_nothing_between_versions_made_apart(void **state)
{
    (void)state;
    for_each_question(check_listed);
}

/* What nobody has counted there may be an administrator's work. */
static void check_read(const struct question *question, enum conflict_verdict verdict)
{
    if (question->facts.source != SOURCE_READ)
        return;
    require(verdict == VERDICT_SAME || verdict == VERDICT_MINE || is_conflict(verdict), question);
    if (verdict == VERDICT_MINE && question->theirs.state == OBJECT_THERE)
        require(is_counted(&question->theirs), question);
    if (verdict == VERDICT_MINE && question->theirs.state == OBJECT_THERE)
        require(!has_news(&question->mine) || !has_news(&question->theirs), question);
    if (question->theirs.state != OBJECT_THERE)
        require(!is_conflict(verdict), question);
}

static void test_what_is_read_is_overwritten_only_if_it_was_known(void **state)
{
    (void)state;
    for_each_question(check_read);
}

/* ---- the truth table in conflict.h ---- */

#define BIT(value) (1U << (value))
#define YES        BIT(true)
#define NO         BIT(false)
#define NEVER      BIT(OBJECT_NEVER)
#define THERE      BIT(OBJECT_THERE)
#define REMOVED    BIT(OBJECT_REMOVED)
#define NONE       BIT(NEWS_NONE)
#define FOLLOWED   BIT(NEWS_FOLLOWED)
#define EDITED     BIT(NEWS_EDITED)
#define UNCOUNTED  BIT(NEWS_UNCOUNTED)
#define COUNTED    (FOLLOWED | EDITED)
#define ANY_NEWS   (COUNTED | UNCOUNTED)
#define CONFLICT   VERDICT_CONFLICT_NEITHER /* or what the policy makes of it */

/* Sets of values; 0 is all of them. */
struct side_row {
    unsigned states, news, lost, taken;
};
struct row {
    unsigned sources;
    struct side_row mine, theirs;
    unsigned texts, waits;
    enum conflict_verdict verdict;
};

static const struct row table[] = {
    {.sources = BIT(SOURCE_READ), .texts = BIT(TEXT_SAME), .verdict = VERDICT_SAME},
    {.sources = BIT(SOURCE_READ), .theirs = {.states = NEVER | REMOVED}, .verdict = VERDICT_MINE},
    {.sources = BIT(SOURCE_READ), .theirs = {.news = UNCOUNTED}, .verdict = CONFLICT},
    {.sources = BIT(SOURCE_READ), .mine = {.news = ANY_NEWS}, .theirs = {.news = ANY_NEWS}, .verdict = CONFLICT},
    {.sources = BIT(SOURCE_READ), .verdict = VERDICT_MINE},
    {.mine = {.states = NEVER}, .theirs = {.states = NEVER}, .verdict = VERDICT_SAME},
    {.mine = {.states = NEVER}, .verdict = VERDICT_THEIRS},
    {.theirs = {.states = NEVER}, .verdict = VERDICT_MINE},
    {.sources = BIT(SOURCE_LISTED),
     .mine = {.states = REMOVED},
     .theirs = {.states = REMOVED},
     .verdict = VERDICT_SAME},
    {.mine = {.news = NONE}, .theirs = {.news = NONE}, .texts = BIT(TEXT_OTHER), .verdict = CONFLICT},
    {.mine = {.news = NONE}, .theirs = {.news = NONE}, .verdict = VERDICT_SAME},
    {.theirs = {.news = NONE}, .verdict = VERDICT_MINE},
    {.mine = {.news = NONE}, .verdict = VERDICT_THEIRS},
    {.mine = {.news = ANY_NEWS}, .theirs = {.news = ANY_NEWS}, .waits = YES, .verdict = VERDICT_WAITING},
    {.mine = {.news = COUNTED}, .theirs = {.news = COUNTED, .lost = YES}, .verdict = VERDICT_MINE},
    {.mine = {.news = COUNTED, .lost = YES}, .theirs = {.news = COUNTED}, .verdict = VERDICT_THEIRS},
    {.mine = {.news = COUNTED, .taken = YES}, .theirs = {.news = COUNTED, .taken = NO}, .verdict = VERDICT_THEIRS},
    {.mine = {.news = COUNTED, .taken = NO}, .theirs = {.news = COUNTED, .taken = YES}, .verdict = VERDICT_MINE},
    {.sources = BIT(SOURCE_RECEIVED),
     .mine = {.news = FOLLOWED},
     .theirs = {.news = EDITED | UNCOUNTED},
     .verdict = VERDICT_THEIRS},
    {.sources = BIT(SOURCE_RECEIVED),
     .mine = {.news = EDITED | UNCOUNTED},
     .theirs = {.news = FOLLOWED},
     .verdict = VERDICT_MINE},
    {.texts = BIT(TEXT_SAME), .verdict = VERDICT_SAME_TEXT},
    {.verdict = CONFLICT},
};
#define ROWS (sizeof table / sizeof table[0])

static bool fits(unsigned set, unsigned value)
{
    return set == 0 || (set >> value & 1) != 0;
}

static bool side_fits(const struct side_row *row, const struct conflict_side *side)
{
    return fits(row->states, side->state) && fits(row->news, side->news) && fits(row->lost, side->lost) &&
           fits(row->taken, side->taken);
}

static size_t find_row(const struct question *question)
{
    size_t i = 0;

    while (!fits(table[i].sources, question->facts.source) || !side_fits(&table[i].mine, &question->mine) ||
           !side_fits(&table[i].theirs, &question->theirs) || !fits(table[i].texts, question->facts.text) ||
           !fits(table[i].waits, question->facts.waits))
        i++;
    return i;
}

static size_t found[ROWS];

static void check_row(const struct question *question, enum conflict_verdict verdict)
{
    const size_t row = find_row(question);
    enum conflict_verdict promised = table[row].verdict;

    if (promised == CONFLICT && question->facts.primary_wins)
        promised = question->facts.primary ? VERDICT_CONFLICT_MINE : VERDICT_CONFLICT_THEIRS;
    if (verdict != promised)
        print_error("row %zu\n", row + 1);
    require(verdict == promised, question);
    found[row]++;
}

#define SIDES     (3 * 4 * 2 * 2)
#define QUESTIONS (SIDES * SIDES * 3 * 3 * 2 * 2 * 2)

static void test_every_row_of_the_truth_table_is_as_written(void **state)
{
    size_t all = 0;

    (void)state;
    for_each_question(check_row);
    for (size_t i = 0; i < ROWS; i++) {
        if (found[i] == 0)
            fail_msg("nothing fits row %zu first", i + 1);
        all += found[i];
    }
    assert_int_equal(all, QUESTIONS);
}

/* ---- two servers ---- */

/* One of two servers that edit one object. Every event has a number, and a text of its own. */
struct server {
    uint64_t writer;
    unsigned knows; /* a bit per event */
    unsigned text;
    struct version_vector version;
};

enum event { EDITS, FOLLOWS, TAKES, EVENTS };

struct world {
    struct server server[2];
    unsigned followed; /* a bit per event that was no edit */
};

#define HAPPENINGS 6

static void happen(struct world *world, unsigned number, unsigned who, enum event event)
{
    struct server *server = &world->server[who];
    const struct server *other = &world->server[1 - who];

    if (event == TAKES) {
        server->knows |= other->knows;
        server->text = other->text;
        server->version = version_merge(&server->version, &other->version);
        return;
    }
    server->knows |= BIT(number);
    server->text = number + 1;
    version_add(&server->version, event == FOLLOWS ? version_following(server->writer) : server->writer, number + 2);
    if (event == FOLLOWS)
        world->followed |= BIT(number);
}

static struct question receive(const struct world *world, unsigned who, bool primary_wins)
{
    const struct server *mine = &world->server[who], *theirs = &world->server[1 - who];

    return (struct question){
        .mine = {.state = OBJECT_THERE, .news = conflict_news(&mine->version, &theirs->version)},
        .theirs = {.state = OBJECT_THERE, .news = conflict_news(&theirs->version, &mine->version)},
        .facts = {.source = SOURCE_RECEIVED,
                  .text = mine->text == theirs->text ? TEXT_SAME : TEXT_OTHER,
                  .primary_wins = primary_wins,
                  .primary = who == 0},
    };
}

/* The text that a server has after it has received the other's version. */
static unsigned text_after(const struct world *world, unsigned who, const struct question *question)
{
    return world->server[takes_theirs(ask(question)) ? 1 - who : who].text;
}

static void check_world(const struct world *world, bool primary_wins)
{
    const struct question first = receive(world, 0, primary_wins), second = receive(world, 1, primary_wins);
    const unsigned knows[2] = {world->server[0].knows, world->server[1].knows};
    const unsigned edits[2] = {knows[0] & ~knows[1] & ~world->followed, knows[1] & ~knows[0] & ~world->followed};
    const bool apart = (knows[0] & ~knows[1]) != 0 && (knows[1] & ~knows[0]) != 0;
    const bool same_text = world->server[0].text == world->server[1].text;
    const unsigned texts[2] = {text_after(world, 0, &first), text_after(world, 1, &second)};

    require(is_conflict(ask(&first)) == (apart && !same_text && (edits[0] != 0) == (edits[1] != 0)), &first);
    if (is_conflict(ask(&first)) && !primary_wins)
        require(texts[0] == world->server[0].text && texts[1] == world->server[1].text, &first);
    else
        require(texts[0] == texts[1], &first);
    if (edits[0] != 0 && edits[1] != 0 && primary_wins)
        require(texts[0] == world->server[0].text, &first);
    for (unsigned who = 0; who < 2; who++)
        if (edits[who] != 0 && edits[1 - who] == 0)
            require(texts[0] == world->server[who].text, &first);
}

static void test_two_servers_end_with_one_text_unless_it_is_held(void **state)
{
    unsigned worlds = 1;

    (void)state;
    for (unsigned i = 0; i < HAPPENINGS; i++)
        worlds *= 2 * EVENTS;
    for (unsigned number = 0; number < worlds; number++) {
        struct world world = {.server = {{.writer = 0xa0}, {.writer = 0xb0}}};
        unsigned left = number;

        for (unsigned i = 0; i < HAPPENINGS; i++) {
            const unsigned who = take_digit(&left, 2);

            happen(&world, i, who, (enum event)take_digit(&left, EVENTS));
        }
        check_world(&world, true);
        check_world(&world, false);
    }
}

static void test_a_conflict_waits_with_hold_only(void **state)
{
    struct version_vector one = {.count = 0}, other = {.count = 0}, both;

    (void)state;
    version_add(&one, 0xa0, 5);
    version_add(&other, 0xb0, 5);
    both = version_merge(&one, &other);
    assert_true(conflict_waits(&one, &other, false));
    assert_false(conflict_waits(&one, &other, true));
    assert_false(conflict_waits(&both, &other, false));
    assert_false(conflict_waits(&one, &both, false));
    assert_false(conflict_waits(&one, &one, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_partner_decides_the_same_the_other_way_round),
        cmocka_unit_test(test_of_two_lost_stores_each_server_keeps_its_version),
        cmocka_unit_test(test_the_same_text_is_no_conflict),
        cmocka_unit_test(test_the_policy_decides_every_conflict_and_nothing_else),
        cmocka_unit_test(test_an_older_version_never_counts),
        cmocka_unit_test(test_no_edit_is_given_up_without_a_conflict),
        cmocka_unit_test(test_two_texts_of_one_version_are_a_conflict),
        cmocka_unit_test(test_what_only_one_server_ever_had_counts),
        cmocka_unit_test(test_a_removal_is_an_edit_as_any_other),
        cmocka_unit_test(test_an_edit_counts_before_it_is_counted),
        cmocka_unit_test(test_only_versions_made_apart_wait),
        cmocka_unit_test(test_what_was_made_after_a_removal_of_both_counts),
        cmocka_unit_test(test_a_list_decides_nothing_between_versions_made_apart),
        cmocka_unit_test(test_what_is_read_is_overwritten_only_if_it_was_known),
        cmocka_unit_test(test_every_row_of_the_truth_table_is_as_written),
        cmocka_unit_test(test_two_servers_end_with_one_text_unless_it_is_held),
        cmocka_unit_test(test_a_conflict_waits_with_hold_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
