/* Measuring JSON text before anything parses it, and the bounds. The only pass over such a text that may be made
 * without knowing how it is nested. */
#include "failover_sync/json_bounds.h"

#include <string.h>

#define MEBIBYTE            ((size_t)1024 * 1024)
#define KEA_DEPTH           100
#define PRINTED_DEPTH       1000
#define DEPTH_AROUND_SUBNET 6 /* in a control agent's answer, above what a definition has around it */

const struct json_bounds json_arguments_bounds = {.depth = 64, .values = 100000, .bytes = 16 * MEBIBYTE};
const struct json_bounds json_batch_bounds = {
    .depth = KEA_DEPTH - DEPTH_AROUND_SUBNET, .values = 500000, .bytes = 16 * MEBIBYTE};
const struct json_bounds json_kea_bounds = {.depth = PRINTED_DEPTH, .values = 4000000, .bytes = 64 * MEBIBYTE};
const struct json_bounds json_stored_bounds = {
    .depth = KEA_DEPTH - DEPTH_AROUND_SUBNET, .values = 4000000, .bytes = 64 * MEBIBYTE};
const struct json_bounds json_parameters_bounds = {.depth = KEA_DEPTH, .values = 100000, .bytes = 16 * MEBIBYTE};

/* The byte behind the string that begins at `at`, or the end. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end)
            at++;
    return at < end ? at + 1 : end;
}

bool json_measure(const char *text, size_t length, const struct json_bounds *bounds, struct json_bounds *found)
{
    const char *const end = text + length;
    size_t depth = 0;

    *found = (struct json_bounds){.values = 1, .bytes = length};
    if (length > bounds->bytes)
        return false;
    for (const char *at = text; at < end;) {
        switch (*at) {
        case '"':
            at = skip_string(at, end);
            continue;
        case '[':
        case '{':
            /* What opens a map or a list has the first value in it counted; an empty one counts one too many. */
            found->values++;
            if (++depth > found->depth)
                found->depth = depth;
            break;
        case ']':
        case '}':
            depth -= depth > 0;
            break;
        case ',':
            found->values++;
            break;
        default:
            break;
        }
        if (found->depth > bounds->depth || found->values > bounds->values)
            return false;
        at++;
    }
    return true;
}

struct result json_bounds_refusal(const char *what, const struct json_bounds *bounds, const struct json_bounds *found)
{
    if (found->depth > bounds->depth)
        return result_error(RESULT_INVALID, "%s: expected JSON nested at most %zu deep, found deeper", what,
                            bounds->depth);
    if (found->bytes > bounds->bytes)
        return result_error(RESULT_INVALID, "%s: expected at most %zu MiB of JSON, found more", what,
                            bounds->bytes / MEBIBYTE);
    return result_error(RESULT_INVALID, "%s: expected JSON of at most %zu values, found more", what, bounds->values);
}

struct result json_bounds_check(const char *what, const char *text, size_t length, const struct json_bounds *bounds)
{
    struct json_bounds found;

    return json_measure(text, length, bounds, &found) ? result_ok() : json_bounds_refusal(what, bounds, &found);
}
