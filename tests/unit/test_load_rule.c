/* The rule of a configuration load, for every combination of facts. */
#include "plugin/mirror/load_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum answer { NO, YES, ANY };

/* The table of load_rule.h. */
static const struct row {
    enum answer mirrored, reprinted, as_printed, before, heard, outlives;
    enum load_verdict verdict;
} table[] = {
    {YES, NO, ANY, ANY, ANY, ANY, LOAD_RUNS},   {YES, YES, ANY, ANY, ANY, ANY, LOAD_REPRINTED},
    {NO, ANY, YES, ANY, ANY, ANY, LOAD_WORDS},  {NO, ANY, NO, YES, ANY, YES, LOAD_RESTORE},
    {NO, ANY, NO, NO, NO, YES, LOAD_PASS_OVER}, {NO, ANY, NO, NO, YES, YES, LOAD_EDIT},
    {NO, ANY, NO, ANY, ANY, NO, LOAD_EDIT},
};

static bool fits(enum answer answer, bool fact)
{
    return answer == ANY || (answer == YES) == fact;
}

static bool is_row(const struct row *row, const struct load_facts *facts)
{
    return fits(row->mirrored, facts->mirrored) && fits(row->reprinted, facts->reprinted) &&
           fits(row->as_printed, facts->as_printed) && fits(row->before, facts->before) &&
           fits(row->heard, facts->heard) && fits(row->outlives, facts->outlives);
}

static void test_each_combination_is_in_one_row_and_has_its_verdict(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 64; bits++) {
        const struct load_facts facts = {
            .mirrored = (bits & 1) != 0,
            .reprinted = (bits & 2) != 0,
            .as_printed = (bits & 4) != 0,
            .before = (bits & 8) != 0,
            .heard = (bits & 16) != 0,
            .outlives = (bits & 32) != 0,
        };
        size_t rows = 0;

        for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
            if (!is_row(&table[i], &facts))
                continue;
            rows++;
            assert_int_equal(load_rule(&facts), table[i].verdict);
        }
        assert_int_equal(rows, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_combination_is_in_one_row_and_has_its_verdict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
