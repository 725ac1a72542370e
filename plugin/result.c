/* The project's result type: making one. */
#include "failover_sync/result.h"

#include <stdarg.h>
#include <stdio.h>

/* The parentheses keep the names from being taken for what the header makes of them for clang-tidy. */
struct result(result_ok)(void)
{
    return (struct result){.code = RESULT_OK, .message = ""};
}

void text_cut_at_character(char *text, size_t length)
{
    size_t start = length;

    while (start > 0 && length - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0xc0)
        text[start - 1] = '\0';
}

struct result(result_error)(enum result_code code, const char *format, ...)
{
    struct result result = {.code = code, .message = ""};
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(result.message, sizeof result.message, format, arguments);
    va_end(arguments);
    if (length < 0)
        (void)snprintf(result.message, sizeof result.message, "an error whose message could not be written");
    else if ((size_t)length >= sizeof result.message)
        text_cut_at_character(result.message, sizeof result.message - 1);
    return result;
}

struct result(result_no_memory)(const char *what)
{
    return result_error(RESULT_MEMORY, "out of memory for %s", what);
}
