/* The project's result type: making one. */
#include "failover_sync/result.h"

#include <stdarg.h>
#include <stdio.h>

struct result result_ok(void)
{
    return (struct result){.code = RESULT_OK, .message = ""};
}

struct result result_error(enum result_code code, const char *format, ...)
{
    struct result result = {.code = code, .message = ""};
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(result.message, sizeof result.message, format, arguments) < 0)
        (void)snprintf(result.message, sizeof result.message, "an error whose message could not be written");
    va_end(arguments);
    return result;
}

struct result result_no_memory(const char *what)
{
    return result_error(RESULT_MEMORY, "out of memory for %s", what);
}
