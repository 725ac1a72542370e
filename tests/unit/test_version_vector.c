/* What version vectors promise: which of two versions builds on the other, and their text. */
#include "failover_sync/version_vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A UINT64_C(0xaaaaaaaaaaaaaaaa)
#define B UINT64_C(0xbbbbbbbbbbbbbbbb)

static struct version_vector edits(uint64_t by_a, uint64_t by_b)
{
    struct version_vector version = {.count = 0};

    if (by_b != 0)
        version_add(&version, B, by_b);
    if (by_a != 0)
        version_add(&version, A, by_a);
    return version;
}

static void assert_order(struct version_vector first, struct version_vector second, enum version_order order,
                         enum version_order reverse)
{
    assert_int_equal(version_compare(&first, &second), order);
    assert_int_equal(version_compare(&second, &first), reverse);
}

static void test_an_edit_is_newer_than_what_it_was_made_on(void **state)
{
    (void)state;
    assert_order(edits(0, 0), edits(0, 0), VERSION_SAME, VERSION_SAME);
    assert_order(edits(5, 3), edits(5, 3), VERSION_SAME, VERSION_SAME);
    assert_order(edits(0, 0), edits(1, 0), VERSION_OLDER, VERSION_NEWER);
    assert_order(edits(5, 0), edits(6, 0), VERSION_OLDER, VERSION_NEWER);
    assert_order(edits(5, 0), edits(5, 3), VERSION_OLDER, VERSION_NEWER);
}

static void test_edits_that_did_not_know_each_other_are_apart(void **state)
{
    (void)state;
    assert_order(edits(5, 0), edits(0, 3), VERSION_APART, VERSION_APART);
    assert_order(edits(6, 3), edits(5, 4), VERSION_APART, VERSION_APART);
}

static void test_what_is_merged_builds_on_both(void **state)
{
    struct version_vector one = edits(6, 3), other = edits(5, 4), both = version_merge(&one, &other);

    (void)state;
    assert_order(one, both, VERSION_OLDER, VERSION_NEWER);
    assert_order(other, both, VERSION_OLDER, VERSION_NEWER);
    assert_order(both, edits(6, 4), VERSION_SAME, VERSION_SAME);
}

static void test_an_older_edit_changes_nothing(void **state)
{
    struct version_vector version = edits(6, 3);

    (void)state;
    version_add(&version, A, 2);
    assert_order(version, edits(6, 3), VERSION_SAME, VERSION_SAME);
}

static void test_what_was_found_is_nobodys_edit(void **state)
{
    struct version_vector version = {.count = 0};

    (void)state;
    assert_true(version_is_found(&version));
    version_add(&version, A, VERSION_FOUND);
    version_add(&version, B, VERSION_FOUND);
    assert_true(version_is_found(&version));
    version_add(&version, version_following(version_writer(A)), 2);
    assert_true(version_is_found(&version));
    version_add(&version, version_writer(A), 2);
    assert_false(version_is_found(&version));
}

/* Its network was changed by the partner: nobody edited the scope. */
static void test_what_only_followed_is_told_from_an_edit(void **state)
{
    const uint64_t partner = version_writer(B);
    struct version_vector followed = edits(5, 0), edited = edits(5, 0);

    (void)state;
    version_add(&edited, partner, 4);
    assert_false(version_only_followed(&followed, &edited));
    version_add(&followed, version_following(version_writer(A)), 6);
    assert_order(followed, edits(5, 0), VERSION_NEWER, VERSION_OLDER);
    assert_order(followed, edited, VERSION_APART, VERSION_APART);
    assert_true(version_only_followed(&followed, &edited));
    assert_false(version_only_followed(&edited, &followed));
    version_add(&followed, version_writer(A), 7);
    assert_false(version_only_followed(&followed, &edited));
    /* What was found is of no writer. */
    followed = edits(5, 0);
    version_add(&followed, version_following(version_writer(A)), VERSION_FOUND);
    assert_false(version_only_followed(&followed, &edited));
}

static void test_with_too_many_writers_the_oldest_edits_are_forgotten(void **state)
{
    struct version_vector version = {.count = 0};

    (void)state;
    for (uint64_t writer = 1; writer <= VERSION_PARTS + 3; writer++)
        version_add(&version, writer, 1000 - writer);
    assert_int_equal(version.count, VERSION_PARTS);
    assert_int_equal(version_forgotten(&version), 1000 - VERSION_PARTS);
    assert_int_equal(version.part[1].writer, 1);
    assert_int_equal(version.part[VERSION_PARTS - 1].writer, VERSION_PARTS - 1);
    version_add(&version, 99, 2000);
    assert_int_equal(version.count, VERSION_PARTS);
    assert_int_equal(version.part[VERSION_PARTS - 1].writer, 99);
    for (size_t i = 1; i < version.count; i++)
        assert_true(version.part[i - 1].writer < version.part[i].writer);
}

/* Only what had to be forgotten counts as known without a name. */
static void test_late_numbers_of_many_writers_hide_no_other_edit(void **state)
{
    struct version_vector many = {.count = 0};

    (void)state;
    for (uint64_t writer = 1; writer <= VERSION_PARTS; writer++)
        version_add(&many, writer, 1000000);
    assert_int_equal(version_forgotten(&many), 0);
    assert_order(many, edits(5, 0), VERSION_APART, VERSION_APART);
}

static void test_an_own_edit_is_above_all_that_its_version_holds(void **state)
{
    struct version_vector version = edits(0, 7000), before;

    (void)state;
    assert_int_equal(version_next_edit(&version, 9000, 0), 9000);
    assert_int_equal(version_next_edit(&version, 9000, 9000), 9001);
    assert_int_equal(version_next_edit(&version, 5000, 6000), 7001);
    assert_int_equal(version_next_edit(&version, 9000, 9000 + VERSION_AHEAD_MAX + 1), 9000); /* of a wrong clock */
    for (uint64_t writer = 1; writer <= 3 * VERSION_PARTS; writer++) {
        version_add(&version, writer, 8000 + VERSION_AHEAD_MAX);
        before = version;
        version_add(&version, A, version_next_edit(&version, 8000, 8000));
        assert_order(before, version, VERSION_OLDER, VERSION_NEWER);
        assert_int_equal(version_largest(&version), version_edit_of(&version, A));
    }
}

static void test_numbers_that_are_not_believed_are_found_and_dropped(void **state)
{
    struct version_vector version = edits(5000, 6000);

    (void)state;
    assert_null(version_ahead(&version, 6000));
    assert_int_equal(version_ahead(&version, 4000)->writer, B);
    assert_int_equal(version_limit(&version, 1000), 6000 + VERSION_AHEAD_MAX);
    assert_int_equal(version_limit(&version, 7000), 7000 + VERSION_AHEAD_MAX);
    assert_false(version_drop_ahead(&version, 6000));
    assert_true(version_drop_ahead(&version, 5000));
    assert_order(version, edits(5000, 0), VERSION_SAME, VERSION_SAME);
}

/* As many stores were lost as no pair ever loses: a version has more writers than it can name, most of whom only found
 * it. */
static struct version_vector of_many(unsigned *seed)
{
    struct version_vector version = {.count = 0};
    const int parts = rand_r(seed) % (2 * VERSION_PARTS);

    for (int i = 0; i < parts; i++)
        version_add(&version, 1 + (uint64_t)(rand_r(seed) % 40),
                    rand_r(seed) % 2 == 0 ? VERSION_FOUND : 100 + (uint64_t)(rand_r(seed) % 50));
    return version;
}

/* Numbers of years ahead go, what the other has of them stays, and what the other made itself stays apart. */
static void test_a_version_is_numbered_anew_on_what_the_other_has(void **state)
{
    const uint64_t now = UINT64_C(1800000000000), ahead = now + 400 * VERSION_AHEAD_MAX;
    const struct version_vector nothing = {.count = 0};
    struct version_vector mine = {.count = 0}, theirs = {.count = 0}, right = {.count = 0};

    (void)state;
    version_add(&right, 0x10, now);
    assert_false(version_number_anew(&right, &nothing, now));
    version_add(&mine, 0x10, ahead + 1);
    version_add(&mine, 0x20, 7);
    version_add(&theirs, 0x10, ahead);
    version_add(&theirs, 0x30, now);
    assert_true(version_number_anew(&mine, &theirs, now));
    assert_int_equal(version_edit_of(&mine, 0x10), ahead);
    assert_int_equal(version_edit_of(&mine, 0x20), 7);
    assert_int_equal(version_edit_of(&mine, 0x30), 0);
    version_add(&mine, 0x10, version_next_edit(&mine, now, 0));
    assert_int_equal(version_compare(&mine, &theirs), VERSION_APART);
    assert_true(version_number_anew(&mine, &nothing, now));
    assert_int_equal(version_edit_of(&mine, 0x10), 0);
}

static void test_writers_whom_the_other_does_not_know_are_forgotten(void **state)
{
    struct version_vector mine = {.count = 0}, theirs = {.count = 0};

    (void)state;
    version_add(&mine, 0x10, 9);
    version_add(&mine, 0x20, 7);
    version_add(&mine, 0x30, 8);
    version_add(&theirs, 0x20, 7);
    version_add(&theirs, 0x30, 6);
    version_add(&theirs, 0x40, 5);
    assert_true(version_forget_strangers(&mine, &theirs, 0x10));
    assert_int_equal(version_edit_of(&mine, 0x10), 9);
    assert_int_equal(version_edit_of(&mine, 0x20), 7);
    assert_int_equal(version_edit_of(&mine, 0x30), 6);
    assert_int_equal(mine.count, 3);
    assert_false(version_forget_strangers(&mine, &theirs, 0x10));
}

static void test_clocks_agree_within_a_day(void **state)
{
    const int64_t now = INT64_C(1800000000000), day = (int64_t)VERSION_AHEAD_MAX;

    (void)state;
    assert_true(version_clocks_agree(now / 1000, now + day));
    assert_true(version_clocks_agree(now / 1000, now - day));
    assert_false(version_clocks_agree(now / 1000, now + day + 1));
    assert_false(version_clocks_agree(now / 1000, now - day - 1));
    assert_false(version_clocks_agree(0, 0));
}

static void test_many_writers_change_nothing_of_what_is_newer(void **state)
{
    unsigned seed = 4;

    (void)state;
    for (uint64_t turn = 0; turn < 20000; turn++) {
        struct version_vector one = of_many(&seed), other = of_many(&seed);
        struct version_vector both = version_merge(&one, &other), reverse = version_merge(&other, &one);
        struct version_vector edited = both;

        assert_order(both, reverse, VERSION_SAME, VERSION_SAME);
        assert_true(version_compare(&one, &both) == VERSION_OLDER || version_equal(&one, &both));
        assert_true(version_compare(&other, &both) == VERSION_OLDER || version_equal(&other, &both));
        version_add(&edited, 77, 1000 + turn);
        assert_order(both, edited, VERSION_OLDER, VERSION_NEWER);
        assert_order(one, edited, VERSION_OLDER, VERSION_NEWER);
        /* Neither knows the other's last edit. */
        version_add(&one, 78, 1000 + turn);
        version_add(&other, 79, 1000 + turn);
        assert_order(one, other, VERSION_APART, VERSION_APART);
        both = version_merge(&one, &other);
        assert_order(one, both, VERSION_OLDER, VERSION_NEWER);
        assert_order(other, both, VERSION_OLDER, VERSION_NEWER);
    }
}

static void test_the_text_is_read_back(void **state)
{
    struct version_vector version = edits(UINT64_C(0x1a3185c5000), UINT64_MAX), read;
    char text[VERSION_TEXT_SIZE];

    (void)state;
    version_print(&version, text);
    assert_string_equal(text, "aaaaaaaaaaaaaaaa:1a3185c5000,bbbbbbbbbbbbbbbb:ffffffffffffffff");
    assert_true(version_parse(text, &read));
    assert_true(version_equal(&version, &read));
    version = (struct version_vector){.count = 0};
    for (uint64_t i = 0; i < VERSION_PARTS; i++)
        version_add(&version, UINT64_MAX - i, UINT64_MAX);
    version_print(&version, text);
    assert_int_equal(strlen(text), VERSION_TEXT_SIZE - 2); /* no comma behind the last */
    assert_true(version_parse(text, &read));
    assert_true(version_equal(&version, &read));
    assert_true(version_parse(NULL, &read));
    assert_true(version_empty(&read));
    assert_true(version_parse("", &read));
    assert_true(version_empty(&read));
}

static void test_anything_else_is_no_version(void **state)
{
    static const char *const texts[] = {"a",
                                        "a:",
                                        ":1",
                                        "a:0",
                                        "a:1,",
                                        "a:1,b",
                                        "a:1 ",
                                        "A:1",
                                        "a:1;b:1",
                                        "a:1,,b:1",
                                        " a:1",
                                        "-a:1",
                                        "a:-1",
                                        "00000000000000001:1",
                                        "1:00000000000000001",
                                        "1:1,2:1,3:1,4:1,5:1,6:1,7:1,8:1,9:1,a:1,b:1,c:1,d:1,e:1,f:1,10:1,11:1"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct version_vector version;

        if (version_parse(texts[i], &version))
            fail_msg("\"%s\" was read as a version", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_edit_is_newer_than_what_it_was_made_on),
        cmocka_unit_test(test_edits_that_did_not_know_each_other_are_apart),
        cmocka_unit_test(test_what_is_merged_builds_on_both),
        cmocka_unit_test(test_an_older_edit_changes_nothing),
        cmocka_unit_test(test_what_was_found_is_nobodys_edit),
        cmocka_unit_test(test_what_only_followed_is_told_from_an_edit),
        cmocka_unit_test(test_with_too_many_writers_the_oldest_edits_are_forgotten),
        cmocka_unit_test(test_late_numbers_of_many_writers_hide_no_other_edit),
        cmocka_unit_test(test_an_own_edit_is_above_all_that_its_version_holds),
        cmocka_unit_test(test_numbers_that_are_not_believed_are_found_and_dropped),
        cmocka_unit_test(test_a_version_is_numbered_anew_on_what_the_other_has),
        cmocka_unit_test(test_writers_whom_the_other_does_not_know_are_forgotten),
        cmocka_unit_test(test_clocks_agree_within_a_day),
        cmocka_unit_test(test_many_writers_change_nothing_of_what_is_newer),
        cmocka_unit_test(test_the_text_is_read_back),
        cmocka_unit_test(test_anything_else_is_no_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
