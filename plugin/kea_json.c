/* JSON as Kea prints it: ASCII, bytes above it escaped one by one. That keeps every byte, so definitions stay that way;
 * what a person is to read, or what names a file, is turned into UTF-8 here. */
#include "failover_sync/kea.h"

#include "failover_sync/json_load.h"

#include <stdlib.h>
#include <string.h>

#define ESCAPE_LENGTH 6 /* \u00ff */

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* The byte above ASCII that the text begins with an escape of, or -1. */
static int high_byte(const char *text)
{
    int high, low;

    if (strncmp(text, "\\u00", 4) != 0)
        return -1;
    high = digit_value(text[4]);
    low = high < 0 ? -1 : digit_value(text[5]);
    return high >= 8 && low >= 0 ? high * 16 + low : -1;
}

/* Whether bytes, all above ASCII, are whole characters of UTF-8 (RFC 3629, section 4). */
static bool is_utf8(const unsigned char *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        unsigned char first = bytes[at], second = at + 1 < length ? bytes[at + 1] : 0;
        size_t size = first >= 0xc2 && first <= 0xdf   ? 2
                      : first >= 0xe0 && first <= 0xef ? 3
                      : first >= 0xf0 && first <= 0xf4 ? 4
                                                       : 0;

        if (size == 0 || at + size > length)
            return false;
        for (size_t i = 1; i < size; i++)
            if ((bytes[at + i] & 0xc0) != 0x80)
                return false;
        if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
            (first == 0xf4 && second > 0x8f))
            return false;
        at += size;
    }
    return true;
}

char *kea_json_readable(const char *text)
{
    size_t length = strlen(text), used = 0;
    char *readable = malloc(length + 1); /* an escape is longer than what it stands for */

    if (readable == NULL)
        return NULL;
    while (*text != '\0') {
        size_t run = 0;
        int byte;

        /* Decoded where the result goes; if it is not UTF-8 after all, the escapes go there instead. */
        while ((byte = high_byte(text + run * ESCAPE_LENGTH)) >= 0)
            readable[used + run++] = (char)byte;
        if (run > 0 && is_utf8((const unsigned char *)readable + used, run)) {
            used += run;
            text += run * ESCAPE_LENGTH;
            continue;
        }
        /* The second character of an escape never begins another. */
        run = run > 0 ? run * ESCAPE_LENGTH : text[0] == '\\' && text[1] != '\0' ? 2 : 1;
        memcpy(readable + used, text, run);
        used += run;
        text += run;
    }
    readable[used] = '\0';
    return readable;
}

bool kea_json_accepted(const char *text)
{
    json_t *value = json_load(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &json_kea_bounds, NULL);
    const bool accepted = value != NULL;

    json_decref(value);
    return accepted;
}
