/* JSON as Kea reads and prints it, and the envelope of its commands and answers. */
#include "plugin/replication/kea_text.h"

#include "failover_sync/json_load.h"
#include "failover_sync/kea.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *kea_text_parse(const char *text, size_t length)
{
    return json_load_bytes(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &json_kea_bounds, NULL);
}

/* A text that grows. `failed` once there was no memory; then nothing more is added. */
struct growing {
    char *text;
    size_t length, capacity;
    bool failed;
};

static void add(struct growing *growing, const char *text, size_t length)
{
    if (growing->failed)
        return;
    if (length >= growing->capacity - growing->length) {
        size_t capacity = (growing->capacity + length) * 2 + 256;
        char *larger = realloc(growing->text, capacity);

        if (larger == NULL) {
            growing->failed = true;
            return;
        }
        growing->text = larger;
        growing->capacity = capacity;
    }
    memcpy(growing->text + growing->length, text, length);
    growing->length += length;
}

static void add_text(struct growing *growing, const char *text)
{
    add(growing, text, strlen(text));
}

/* The letter behind the backslash of a short escape, or 0. */
static char short_escape(unsigned byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return (char)byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static void add_string(struct growing *growing, const char *text, size_t length)
{
    add_text(growing, "\"");
    for (size_t i = 0; i < length && !growing->failed; i++) {
        unsigned byte = (unsigned char)text[i];
        char escape[8] = {'\\', short_escape(byte), '\0'};

        /* Two bytes of UTF-8 below U+0100 are one of Kea's. */
        if ((byte == 0xc2 || byte == 0xc3) && i + 1 < length)
            byte = (byte & 0x03) << 6 | ((unsigned char)text[++i] & 0x3f);
        if (escape[1] == '\0' && (byte < 0x20 || byte >= 0x7f))
            (void)snprintf(escape, sizeof escape, "\\u%04x", byte);
        if (escape[1] != '\0')
            add_text(growing, escape);
        else
            add(growing, &text[i], 1);
    }
    add_text(growing, "\"");
}

/* Kea prints names as they are, which is no JSON if one has a quote, a backslash or a control character: here these are
 * escaped. */
static void add_name(struct growing *growing, const char *name)
{
    add_text(growing, "\"");
    for (; *name != '\0' && !growing->failed; name++) {
        const unsigned byte = (unsigned char)*name;
        char escape[8] = {'\\', short_escape(byte), '\0'};

        if (escape[1] == '\0' && byte < 0x20)
            (void)snprintf(escape, sizeof escape, "\\u%04x", byte);
        if (escape[1] != '\0')
            add_text(growing, escape);
        else
            add(growing, name, 1);
    }
    add_text(growing, "\"");
}

static void add_real(struct growing *growing, double value)
{
    char text[40];

    (void)snprintf(text, sizeof text, "%g", value);
    add_text(growing, text);
    if (strpbrk(text, ".e") == NULL)
        add_text(growing, ".0");
}

static void add_value(struct growing *growing, const json_t *value);

static void add_list(struct growing *growing, const json_t *list)
{
    add_text(growing, "[ ");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i > 0)
            add_text(growing, ", ");
        add_value(growing, json_array_get(list, i));
    }
    add_text(growing, " ]");
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_map(struct growing *growing, const json_t *map)
{
    const char **names = calloc(json_object_size(map) + 1, sizeof *names);
    size_t count = 0;
    const char *name;
    json_t *value;

    if (names == NULL) {
        growing->failed = true;
        return;
    }
    json_object_foreach((json_t *)map, name, value) names[count++] = name;
    qsort(names, count, sizeof *names, compare_names);
    add_text(growing, "{ ");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            add_text(growing, ", ");
        add_name(growing, names[i]);
        add_text(growing, ": ");
        add_value(growing, json_object_get(map, names[i]));
    }
    add_text(growing, " }");
    free(names);
}

static void add_value(struct growing *growing, const json_t *value)
{
    char number[32];

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        add_map(growing, value);
        break;
    case JSON_ARRAY:
        add_list(growing, value);
        break;
    case JSON_STRING:
        add_string(growing, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        (void)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        add_text(growing, number);
        break;
    case JSON_REAL:
        add_real(growing, json_real_value(value));
        break;
    default:
        add_text(growing, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
        break;
    }
}

char *kea_text_print(const json_t *value)
{
    struct growing growing = {.text = NULL};

    if (value == NULL)
        return NULL;
    add_value(&growing, value);
    add(&growing, "", 1);
    if (growing.failed) {
        free(growing.text);
        return NULL;
    }
    return growing.text;
}

char *kea_text_command(const char *command, const char *service, json_t *arguments)
{
    json_t *map = json_pack("{s:s,s:[s]}", "command", command, "service", service);
    char *text = NULL;

    if (map != NULL && (arguments == NULL || json_object_set(map, "arguments", arguments) == 0))
        text = kea_text_print(map);
    json_decref(map);
    json_decref(arguments);
    return text;
}

/* What Kea said, for people: bytes that make up UTF-8 put together again. */
static void take_text(const json_t *said, struct kea_answer *answer)
{
    char *printed = json_is_string(said) ? kea_text_print(said) : NULL;
    char *readable = printed == NULL ? NULL : kea_json_readable(printed);
    json_t *string =
        readable == NULL ? NULL : json_load(readable, JSON_DECODE_ANY | JSON_ALLOW_NUL, &json_kea_bounds, NULL);
    const char *text = string == NULL ? "" : json_string_value(string);
    size_t used = 0;

    for (; *text != '\0' && used + 1 < sizeof answer->text; text++)
        answer->text[used++] = (unsigned char)*text < 0x20 ? ' ' : *text;
    /* Not cut inside a character. */
    while (*text != '\0' && used > 0 && (unsigned char)answer->text[used - 1] >= 0x80)
        used--;
    answer->text[used] = '\0';
    json_decref(string);
    free(readable);
    free(printed);
}

struct result kea_answer_read(const char *partner, const char *text, size_t length, struct kea_answer *answer)
{
    const json_t *one, *code;

    *answer = (struct kea_answer){.root = kea_text_parse(text, length)};
    /* A control agent answers with a list of one answer per service, a server itself perhaps with the answer alone. */
    one = json_is_array(answer->root) ? json_array_get(answer->root, 0) : answer->root;
    code = json_object_get(one, "result");
    if (!json_is_integer(code)) {
        kea_answer_clear(answer);
        return result_error(
            RESULT_NETWORK,
            "%.80s did not answer as a Kea server does: check that its url leads to Kea's control agent "
            "or HTTP control socket",
            partner);
    }
    answer->code = json_integer_value(code);
    answer->arguments = json_object_get(one, "arguments");
    take_text(json_object_get(one, "text"), answer);
    return result_ok();
}

void kea_answer_clear(struct kea_answer *answer)
{
    json_decref(answer->root);
    *answer = (struct kea_answer){.root = NULL};
}
