/* Fingerprints of scopes: the first half of SHA-256, in hexadecimal. */
#include "failover_sync/fingerprint.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

/* Looked up once: OpenSSL's lookup costs as much as digesting a kilobyte. */
static pthread_once_t digest_once = PTHREAD_ONCE_INIT;
static EVP_MD *digest_algorithm;

static void find_digest(void)
{
    digest_algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
}

struct fingerprint fingerprint_of(const void *text, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    struct fingerprint fingerprint = {.hex = ""};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length = 0;

    (void)pthread_once(&digest_once, find_digest);
    if (digest_algorithm == NULL || EVP_Digest(text, length, digest, &digest_length, digest_algorithm, NULL) != 1)
        return fingerprint;
    if (digest_length < FINGERPRINT_LENGTH / 2)
        return fingerprint;
    for (size_t i = 0; i < FINGERPRINT_LENGTH / 2; i++) {
        fingerprint.hex[2 * i] = digits[digest[i] >> 4];
        fingerprint.hex[2 * i + 1] = digits[digest[i] & 0x0f];
    }
    fingerprint.hex[FINGERPRINT_LENGTH] = '\0';
    return fingerprint;
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

bool fingerprint_equal(struct fingerprint a, struct fingerprint b)
{
    return !fingerprint_empty(a) && strcmp(a.hex, b.hex) == 0;
}
