/* What a schema node expects and what a JSON value is, put into words. Nothing is decided here. */
#include "phrase.h"

#include "libyang_versions.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FOUND_LIMIT   64  /* characters of a value that are shown */
#define PATTERN_LIMIT 128 /* characters of a regular expression that are shown */

void phrase_add(struct phrase *phrase, const char *format, ...)
{
    size_t room = sizeof phrase->text - phrase->length;
    va_list arguments;
    int wanted;

    va_start(arguments, format);
    wanted = vsnprintf(phrase->text + phrase->length, room, format, arguments);
    va_end(arguments);
    if (wanted > 0)
        phrase->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

void phrase_add_foreign(struct phrase *phrase, const char *text, size_t length, size_t limit)
{
    size_t end = 0;
    size_t characters = 0;

    /* A character of UTF-8 starts at every byte that is not 10xxxxxx. */
    while (end < length) {
        bool starts = ((unsigned char)text[end] & 0xc0) != 0x80;

        if (starts && characters == limit)
            break;
        characters += starts;
        end++;
    }
    for (size_t i = 0; i < end; i++) {
        unsigned char byte = (unsigned char)text[i];

        phrase_add(phrase, "%c", byte < 0x20 || byte == 0x7f ? '?' : text[i]);
    }
    if (end < length)
        phrase_add(phrase, "...");
}

static bool is_unsigned(LY_DATA_TYPE type)
{
    return type == LY_TYPE_UINT8 || type == LY_TYPE_UINT16 || type == LY_TYPE_UINT32 || type == LY_TYPE_UINT64;
}

/* "1 to 10 or 20": the allowed intervals of a range. */
static void add_intervals(struct phrase *phrase, const struct lysc_range *range, bool without_sign)
{
    uint64_t count = libyang_count(range->parts);

    for (uint64_t i = 0; i < count; i++) {
        const struct lysc_range_part *part = &range->parts[i];

        if (i > 0)
            phrase_add(phrase, " or ");
        if (!without_sign && part->min_64 == part->max_64)
            phrase_add(phrase, "%" PRId64, part->min_64);
        else if (!without_sign)
            phrase_add(phrase, "%" PRId64 " to %" PRId64, part->min_64, part->max_64);
        else if (part->min_u64 == part->max_u64)
            phrase_add(phrase, "%" PRIu64, part->min_u64);
        else if (part->max_u64 >= UINT32_MAX && part->min_u64 < UINT32_MAX)
            phrase_add(phrase, "at least %" PRIu64, part->min_u64);
        else
            phrase_add(phrase, "%" PRIu64 " to %" PRIu64, part->min_u64, part->max_u64);
    }
}

static void add_expected_integer(struct phrase *phrase, const struct lysc_type *type)
{
    static const struct {
        LY_DATA_TYPE type;
        const char *bounds;
    } unrestricted[] = {
        {LY_TYPE_INT8, "-128 to 127"}, {LY_TYPE_INT16, "-32768 to 32767"}, {LY_TYPE_INT32, "-2147483648 to 2147483647"},
        {LY_TYPE_UINT8, "0 to 255"},   {LY_TYPE_UINT16, "0 to 65535"},     {LY_TYPE_UINT32, "0 to 4294967295"},
    };
    const struct lysc_range *range = ((const struct lysc_type_num *)type)->range;

    phrase_add(phrase, "an integer");
    if (range != NULL) {
        phrase_add(phrase, " ");
        add_intervals(phrase, range, is_unsigned(type->basetype));
        return;
    }
    for (size_t i = 0; i < sizeof unrestricted / sizeof *unrestricted; i++)
        if (unrestricted[i].type == type->basetype)
            phrase_add(phrase, " %s", unrestricted[i].bounds);
}

static void add_expected_text(struct phrase *phrase, const struct lysc_type *type)
{
    const struct lysc_type_str *string = (const struct lysc_type_str *)type;
    uint64_t patterns = libyang_count(string->patterns);

    phrase_add(phrase, "text");
    if (string->length != NULL) {
        phrase_add(phrase, " of ");
        add_intervals(phrase, string->length, true);
        phrase_add(phrase, " characters");
    }
    for (uint64_t i = 0; i < patterns; i++) {
        const struct lysc_pattern *pattern = string->patterns[i];

        phrase_add(phrase, "%s%s ", i > 0 ? " and" : "", pattern->inverted ? " not matching" : " matching");
        phrase_add_foreign(phrase, pattern->expr, strlen(pattern->expr), PATTERN_LIMIT);
    }
}

static void add_expected_type(struct phrase *phrase, const struct lysc_type *type)
{
    switch (type->basetype) {
    case LY_TYPE_INT8:
    case LY_TYPE_INT16:
    case LY_TYPE_INT32:
    case LY_TYPE_INT64:
    case LY_TYPE_UINT8:
    case LY_TYPE_UINT16:
    case LY_TYPE_UINT32:
    case LY_TYPE_UINT64:
        add_expected_integer(phrase, type);
        break;
    case LY_TYPE_STRING:
        add_expected_text(phrase, type);
        break;
    case LY_TYPE_BOOL:
        phrase_add(phrase, "true or false");
        break;
    case LY_TYPE_ENUM: {
        const struct lysc_type_bitenum_item *enums = ((const struct lysc_type_enum *)type)->enums;
        uint64_t count = libyang_count(enums);

        for (uint64_t i = 0; i < count; i++)
            phrase_add(phrase, "%s%s", i == 0 ? "one of " : ", ", enums[i].name);
        break;
    }
    default:
        phrase_add(phrase, "another value");
        break;
    }
}

/* "a list of 1 to 1000 maps" */
static void add_expected_list(struct phrase *phrase, uint32_t min, uint32_t max, const char *what)
{
    phrase_add(phrase, "a list of ");
    if (max != 0 && max != UINT32_MAX)
        phrase_add(phrase, "%" PRIu32 " to %" PRIu32 " ", min, max);
    else if (min > 0)
        phrase_add(phrase, "at least %" PRIu32 " ", min);
    phrase_add(phrase, "%s", what);
}

void phrase_add_expected(struct phrase *phrase, const struct lysc_node *schema)
{
    if (schema->nodetype == LYS_LEAF) {
        add_expected_type(phrase, ((const struct lysc_node_leaf *)schema)->type);
    } else if (schema->nodetype == LYS_LEAFLIST) {
        const struct lysc_node_leaflist *list = (const struct lysc_node_leaflist *)schema;

        add_expected_list(phrase, list->min, list->max, "entries, each ");
        add_expected_type(phrase, list->type);
    } else if (schema->nodetype == LYS_LIST) {
        const struct lysc_node_list *list = (const struct lysc_node_list *)schema;

        add_expected_list(phrase, list->min, list->max, "maps");
    } else {
        phrase_add(phrase, "a map");
    }
}

void phrase_add_expected_entry(struct phrase *phrase, const struct lysc_node *schema)
{
    if (schema->nodetype == LYS_LEAFLIST)
        add_expected_type(phrase, ((const struct lysc_node_leaflist *)schema)->type);
    else
        phrase_add(phrase, "a map");
}

/* What is shown ends up in logs and tickets. */
static bool holds_credentials(const char *text)
{
    const char *authority = strstr(text, "://");

    return authority != NULL && strchr(authority, '@') != NULL;
}

void phrase_add_found(struct phrase *phrase, const json_t *value)
{
    char number[64];
    size_t length;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        phrase_add(phrase, "a map");
        break;
    case JSON_ARRAY:
        if (json_array_size(value) == 0)
            phrase_add(phrase, "an empty list");
        else
            phrase_add(phrase, "a list of %zu", json_array_size(value));
        break;
    case JSON_STRING:
        if (holds_credentials(json_string_value(value))) {
            phrase_add(phrase, "an URL with a user or password in it");
            break;
        }
        phrase_add(phrase, "\"");
        phrase_add_foreign(phrase, json_string_value(value), json_string_length(value), FOUND_LIMIT);
        phrase_add(phrase, "\"");
        break;
    default:
        length = json_dumpb(value, number, sizeof number, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        phrase_add_foreign(phrase, number, length < sizeof number ? length : sizeof number, FOUND_LIMIT);
        break;
    }
}
