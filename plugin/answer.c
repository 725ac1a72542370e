/* Answers to commands, in Kea's format. */
#include "failover_sync/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char *answer_text(int code, json_t *arguments, const char *text)
{
    /* %.. of names and texts from elsewhere may hold bytes that are not UTF-8, which JSON cannot carry. */
    json_t *said = json_string(text);
    json_t *answer = json_object();
    char *dumped = NULL;

    if (said == NULL)
        said = json_string("(a message that is not UTF-8)");
    if (answer != NULL && json_object_set_new(answer, "result", json_integer(code)) == 0 &&
        json_object_set(answer, "text", said) == 0 &&
        (arguments == NULL || json_object_set(answer, "arguments", arguments) == 0))
        dumped = json_dumps(answer, JSON_COMPACT);
    json_decref(said);
    json_decref(answer);
    json_decref(arguments);
    return dumped;
}

static char *answer_format(int code, json_t *arguments, const char *format, va_list values)
{
    char text[600];

    if (vsnprintf(text, sizeof text, format, values) < 0)
        text[0] = '\0';
    return answer_text(code, arguments, text);
}

char *answer_success(json_t *arguments, const char *format, ...)
{
    va_list values;
    char *answer;

    va_start(values, format);
    answer = answer_format(ANSWER_SUCCESS, arguments, format, values);
    va_end(values);
    return answer;
}

char *answer_empty(json_t *arguments, const char *format, ...)
{
    va_list values;
    char *answer;

    va_start(values, format);
    answer = answer_format(ANSWER_EMPTY, arguments, format, values);
    va_end(values);
    return answer;
}

char *answer_error(json_t *arguments, const char *text)
{
    return answer_text(ANSWER_ERROR, arguments, text);
}
