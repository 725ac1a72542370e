/* The one result type of the project: a code for the program, a sentence for the person. A function that can fail
 * returns it by value; nothing deeper than the caller prints it. */
#ifndef FAILOVER_SYNC_RESULT_H
#define FAILOVER_SYNC_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum result_code {
    RESULT_OK = 0,
    RESULT_INVALID,   /* what a person or a partner gave is wrong */
    RESULT_NOT_FOUND, /* the thing named does not exist */
    RESULT_CONFLICT,  /* it exists, but not as the caller believed */
    RESULT_STORE,     /* the database refused */
    RESULT_NETWORK,   /* the partner was not reached or did not answer */
    RESULT_REFUSED,   /* the partner or the server answered no */
    RESULT_MEMORY,    /* an allocation failed */
    RESULT_INTERNAL   /* a bug or an exception of the server's; the message says where */
};

struct result {
    enum result_code code;
    char message[480]; /* names the thing and the remedy; "" when code is RESULT_OK */
};

/* The successful result. */
struct result result_ok(void);

/* A failure with a message in printf's manner; a longer message is cut. */
struct result result_error(enum result_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The failure of an allocation; `what` names what was being allocated. */
struct result result_no_memory(const char *what);

/* Ends a text that was cut at `length` bytes before a character of UTF-8 that is not whole. */
void text_cut_at_character(char *text, size_t length);

static inline bool result_failed(struct result result)
{
    return result.code != RESULT_OK;
}

/* Whether the same may succeed later, since nothing is wrong with what was asked: the store refused, or there was no
 * memory. */
static inline bool result_may_pass(struct result result)
{
    return result.code == RESULT_STORE || result.code == RESULT_MEMORY;
}

/* clang-tidy sees one file at a time: from another it cannot know that these make failures, and an ok none. */
#ifdef __clang_analyzer__
static inline struct result result_shown(struct result result, bool failed)
{
    if (result_failed(result) != failed)
        __builtin_unreachable();
    return result;
}
#define result_ok()            result_shown(result_ok(), false)
#define result_error(...)      result_shown(result_error(__VA_ARGS__), true)
#define result_no_memory(what) result_shown(result_no_memory(what), true)
#endif

#ifdef __cplusplus
}
#endif

#endif
