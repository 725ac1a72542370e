/* jansson's parser, behind the bounds. It recurses, up to 2,048 levels, and takes some 150 bytes for an empty list. */
#include "failover_sync/json_load.h"

#include <stdio.h>
#include <string.h>

json_t *json_load_bytes(const char *text, size_t length, size_t flags, const struct json_bounds *bounds,
                        json_error_t *error)
{
    const struct result result = json_bounds_check("a text", text, length, bounds);

    if (!result_failed(result))
        return json_loadb(text, length, flags, error);
    if (error != NULL) {
        memset(error, 0, sizeof *error);
        (void)snprintf(error->text, sizeof error->text - 1, "%.120s", result.message);
    }
    return NULL;
}

json_t *json_load(const char *text, size_t flags, const struct json_bounds *bounds, json_error_t *error)
{
    return json_load_bytes(text, strlen(text), flags, bounds, error);
}
