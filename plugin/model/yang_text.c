/* Text from the store made such that a YANG string can hold it. */
#include "yang_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT      "\xef\xbf\xbd" /* U+FFFD */
#define REPLACEMENT_SIZE (sizeof REPLACEMENT - 1)

/* How many bytes the character at `text` has, RFC 3629; 0 if there is none of UTF-8. */
static size_t character_at(const char *text, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80             ? 1
                    : (bytes[0] & 0xe0) == 0xc0 ? 2
                    : (bytes[0] & 0xf0) == 0xe0 ? 3
                    : (bytes[0] & 0xf8) == 0xf0 ? 4
                                                : 0;

    if (length < 2) {
        *character = bytes[0];
        return length;
    }
    *character = bytes[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) /* the end of the text, too */
            return 0;
        *character = *character << 6 | (bytes[i] & 0x3fU);
    }
    return *character < least[length] ? 0 : length;
}

static bool is_yang_char(uint32_t character)
{
    if (character < 0x20)
        return character == '\t' || character == '\n' || character == '\r';
    if (character >= 0xd800 && character <= 0xdfff) /* surrogates */
        return false;
    if (character >= 0xfdd0 && character <= 0xfdef) /* no characters, like the last two of each plane */
        return false;
    return (character & 0xfffe) != 0xfffe && character <= 0x10ffff;
}

bool yang_text_fits(const char *text)
{
    while (*text != '\0') {
        uint32_t character = 0;
        size_t length = character_at(text, &character);

        if (length == 0 || !is_yang_char(character))
            return false;
        text += length;
    }
    return true;
}

char *yang_text_repair(const char *text)
{
    char *repaired = calloc(strlen(text) + 1, REPLACEMENT_SIZE); /* all of it may have to be replaced */
    char *end = repaired;

    while (repaired != NULL && *text != '\0') {
        uint32_t character = 0;
        size_t length = character_at(text, &character);

        if (length > 0 && is_yang_char(character)) {
            memcpy(end, text, length);
            end += length;
        } else {
            memcpy(end, REPLACEMENT, REPLACEMENT_SIZE);
            end += REPLACEMENT_SIZE;
        }
        text += length > 0 ? length : 1;
    }
    return repaired;
}
