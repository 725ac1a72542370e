/* Short texts for people, built in place: names of schema nodes, what they expect, what was found instead. A phrase
 * that grows too long is cut, never refused. */
#ifndef PLUGIN_MODEL_PHRASE_H
#define PLUGIN_MODEL_PHRASE_H

#include <jansson.h>
#include <libyang/libyang.h>
#include <stddef.h>

struct phrase {
    size_t length;
    char text[1024];
};

void phrase_add(struct phrase *phrase, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds foreign text on one line, without control characters, cut to `limit` characters. */
void phrase_add_foreign(struct phrase *phrase, const char *text, size_t length, size_t limit);

/* Adds what the node accepts: "an integer 1 to 4294967294", "one of a, b", "a list of 1 to 1000 maps". */
void phrase_add_expected(struct phrase *phrase, const struct lysc_node *schema);

/* The same for one entry of a list or leaf-list. */
void phrase_add_expected_entry(struct phrase *phrase, const struct lysc_node *schema);

/* Adds a JSON value as a person would recognize it, cut: "\"abc\"", "null", "an empty list", "a map". */
void phrase_add_found(struct phrase *phrase, const json_t *value);

#endif
