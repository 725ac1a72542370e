#include "failover_sync/object.h"

#include "failover_sync/fingerprint.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kind {
    const char *name, *plural;
};

static const struct kind kinds[OBJECT_KINDS] = {
    [OBJECT_SCOPE] = {"scope", "scopes"},
    [OBJECT_OPTION_DEFINITION] = {"option-definition", "option definitions"},
    [OBJECT_CLIENT_CLASS] = {"client-class", "client classes"},
};

bool object_name_sayable(const char *name)
{
    const size_t length = strlen(name);
    json_t *text;

    if (length == 0 || length >= OBJECT_NAME_SIZE)
        return false;
    for (const char *at = name; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at) != 0)
            return false;
    text = json_string(name); /* which is none of bytes that are no UTF-8 */
    json_decref(text);
    return text != NULL;
}

object_id object_id_of(enum object_kind kind, const char *name)
{
    const struct fingerprint hash = fingerprint_of(name, strlen(name));

    if (fingerprint_empty(hash))
        return 0;
    return ((object_id)kind << OBJECT_KIND_SHIFT) | (fingerprint_number(hash) >> (64 - OBJECT_KIND_SHIFT));
}

const char *object_kind_name(enum object_kind kind)
{
    return (unsigned)kind < OBJECT_KINDS ? kinds[kind].name : "object";
}

const char *object_said(object_id id, const char *name, char text[OBJECT_SAID_SIZE])
{
    (void)snprintf(text, OBJECT_SAID_SIZE, "%s %.*s", object_kind_name(object_kind_of(id)), OBJECT_NAME_SIZE - 1, name);
    return text;
}

const char *object_kind_plural(enum object_kind kind)
{
    return (unsigned)kind < OBJECT_KINDS ? kinds[kind].plural : "objects";
}
