/* Fingerprints of scopes: the first half of SHA-256, in hexadecimal. */
#include "failover_sync/fingerprint.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Looked up once: OpenSSL's lookup costs as much as digesting a kilobyte. */
static pthread_once_t digest_once = PTHREAD_ONCE_INIT;
static EVP_MD *digest_algorithm;

static void find_digest(void)
{
    digest_algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* Without memory for the lookup, then: what is looked up at each use. */
static const EVP_MD *algorithm(void)
{
    (void)pthread_once(&digest_once, find_digest);
    return digest_algorithm == NULL ? EVP_sha256() : digest_algorithm;
}

static struct fingerprint print_digest(const unsigned char *digest, unsigned digest_length)
{
    static const char digits[] = "0123456789abcdef";
    struct fingerprint fingerprint = {.hex = ""};

    if (digest_length < FINGERPRINT_LENGTH / 2)
        return fingerprint;
    for (size_t i = 0; i < FINGERPRINT_LENGTH / 2; i++) {
        fingerprint.hex[2 * i] = digits[digest[i] >> 4];
        fingerprint.hex[2 * i + 1] = digits[digest[i] & 0x0f];
    }
    fingerprint.hex[FINGERPRINT_LENGTH] = '\0';
    return fingerprint;
}

struct fingerprint fingerprint_of(const void *text, size_t length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length = 0;

    if (EVP_Digest(text, length, digest, &digest_length, algorithm(), NULL) != 1)
        digest_length = 0;
    return print_digest(digest, digest_length);
}

struct fingerprint_stream fingerprint_begin(void)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();

    if (digest != NULL && EVP_DigestInit_ex2(digest, algorithm(), NULL) != 1) {
        EVP_MD_CTX_free(digest);
        digest = NULL;
    }
    return (struct fingerprint_stream){.digest = digest};
}

void fingerprint_add(struct fingerprint_stream *stream, const void *bytes, size_t length)
{
    if (stream->digest != NULL && EVP_DigestUpdate(stream->digest, bytes, length) != 1) {
        EVP_MD_CTX_free(stream->digest);
        stream->digest = NULL;
    }
}

struct fingerprint fingerprint_end(struct fingerprint_stream *stream)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length = 0;

    if (stream->digest == NULL || EVP_DigestFinal_ex(stream->digest, digest, &digest_length) != 1)
        digest_length = 0;
    EVP_MD_CTX_free(stream->digest);
    stream->digest = NULL;
    return print_digest(digest, digest_length);
}

struct fingerprint fingerprint_parse(const char *text)
{
    struct fingerprint fingerprint = {.hex = ""};

    if (text == NULL || strlen(text) != FINGERPRINT_LENGTH || strspn(text, "0123456789abcdef") != FINGERPRINT_LENGTH)
        return fingerprint;
    memcpy(fingerprint.hex, text, FINGERPRINT_LENGTH + 1);
    return fingerprint;
}

bool fingerprint_empty(struct fingerprint a)
{
    return a.hex[0] == '\0';
}

uint64_t fingerprint_number(struct fingerprint a)
{
    char digits[17] = "";

    memcpy(digits, a.hex, sizeof digits - 1);
    return strtoull(digits, NULL, 16);
}

bool fingerprint_equal(struct fingerprint a, struct fingerprint b)
{
    return !fingerprint_empty(a) && strcmp(a.hex, b.hex) == 0;
}
