/* Fingerprints: what two servers compare instead of whole scopes (DESIGN, "The rules of replication"). */
#ifndef FAILOVER_SYNC_FINGERPRINT_H
#define FAILOVER_SYNC_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FINGERPRINT_LENGTH 32 /* hexadecimal digits: the first 128 bits of SHA-256 */

struct fingerprint {
    char hex[FINGERPRINT_LENGTH + 1]; /* "" stands for "no such scope" */
};

/* The fingerprint of `length` bytes at `text`. Empty only if the digest library fails, which callers treat as "differs
 * from everything". */
struct fingerprint fingerprint_of(const void *text, size_t length);

/* A fingerprint over many pieces, one after the other: begin, add, end. Nothing that fails is reported before the end,
 * whose fingerprint is then empty. */
struct fingerprint_stream {
    void *digest;
};
struct fingerprint_stream fingerprint_begin(void);
void fingerprint_add(struct fingerprint_stream *stream, const void *bytes, size_t length);
struct fingerprint fingerprint_end(struct fingerprint_stream *stream);

/* Reads a fingerprint from text; NULL or anything that is not exactly 32 hexadecimal digits gives the empty one. */
struct fingerprint fingerprint_parse(const char *text);

/* Equal and not empty. */
bool fingerprint_equal(struct fingerprint a, struct fingerprint b);

bool fingerprint_empty(struct fingerprint a);

/* Its first 64 bits. */
uint64_t fingerprint_number(struct fingerprint a);

#ifdef __cplusplus
}
#endif

#endif
