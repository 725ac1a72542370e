/* Which text a YANG string can hold. */
#ifndef PLUGIN_MODEL_YANG_TEXT_H
#define PLUGIN_MODEL_YANG_TEXT_H

#include <stdbool.h>

/* Whether it is UTF-8 of the characters of RFC 7950, section 14, yang-char. */
bool yang_text_fits(const char *text);

/* A copy in which each byte, or character, that does not fit is U+FFFD. The caller frees it; NULL for want of memory.
 */
char *yang_text_repair(const char *text);

#endif
