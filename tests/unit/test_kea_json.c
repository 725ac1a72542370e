/* Kea's JSON made readable: UTF-8 where its bytes are UTF-8, the rest to the letter. */
#include "failover_sync/kea.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_reads(const char *text, const char *expected)
{
    char *readable = kea_json_readable(text);

    assert_non_null(readable);
    assert_string_equal(readable, expected);
    free(readable);
}

static void test_utf8_is_written_as_utf8(void **state)
{
    (void)state;
    assert_reads("{ \"a\": \"\\u00c3\\u00bcber\" }", "{ \"a\": \"\xc3\xbc"
                                                     "ber\" }");
    assert_reads("\\u00e2\\u0082\\u00ac\\u00f0\\u009f\\u0098\\u0080", "\xe2\x82\xac\xf0\x9f\x98\x80");
}

static void test_bytes_that_are_no_utf8_stay_escaped(void **state)
{
    static const char *const texts[] = {
        "\\u00fc",                      /* Latin-1 */
        "\\u00c3x",                     /* half a character */
        "\\u00c0\\u0080",               /* overlong */
        "\\u00ed\\u00a0\\u0080",        /* a surrogate */
        "\\u00f4\\u0090\\u0080\\u0080", /* beyond Unicode */
        "\\u00c3\\u00bc\\u00ff",        /* a run of which a part is none */
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_reads(texts[i], texts[i]);
}

static void test_everything_else_stays(void **state)
{
    static const char *const texts[] = {
        "",     "{}", "\\u0001\\u007f", "\\\\u00c3\\\\u00bc", "\\\\\\\"\\n", "\\u00c", "\\u00", "\\", "\\u01c3\\u00bx",
        "plain"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_reads(texts[i], texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_is_written_as_utf8),
        cmocka_unit_test(test_bytes_that_are_no_utf8_stay_escaped),
        cmocka_unit_test(test_everything_else_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
