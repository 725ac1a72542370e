/* Secrets and seals: see the header. Nothing here knows who speaks to whom. */
#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAC_BYTES 32
#define FILE_MOST (SECRETS_MAX * (SECRET_MOST + 2)) /* bytes of a file */

/* Looked up once: OpenSSL's lookup costs more than the MAC of a small message. */
static pthread_once_t mac_once = PTHREAD_ONCE_INIT;
static EVP_MAC *mac_algorithm;

static void find_mac(void)
{
    mac_algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

/* NULL without memory; that there was none for the lookup is made good here. */
static EVP_MAC_CTX *mac_begin(void)
{
    EVP_MAC_CTX *context;
    EVP_MAC *found;

    (void)pthread_once(&mac_once, find_mac);
    if (mac_algorithm != NULL)
        return EVP_MAC_CTX_new(mac_algorithm);
    found = EVP_MAC_fetch(NULL, "HMAC", NULL);
    context = found == NULL ? NULL : EVP_MAC_CTX_new(found);
    EVP_MAC_free(found);
    return context;
}

/* ---- the file ---- */

static struct result refuse_mode(const char *path, const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        return result_error(RESULT_INVALID, "shared-secret-file '%.200s' is not a file", path);
    if ((status->st_mode & 077) != 0)
        return result_error(
            RESULT_INVALID,
            "shared-secret-file '%.200s' has mode %04o, so that others than its owner may use it: chmod "
            "0600 it, and have new secrets made",
            path, (unsigned)(status->st_mode & 07777));
    if (status->st_uid != 0 && status->st_uid != geteuid())
        return result_error(
            RESULT_INVALID,
            "shared-secret-file '%.200s' belongs to user %lu: chown it to the server's user, %lu, or to "
            "root",
            path, (unsigned long)status->st_uid, (unsigned long)geteuid());
    return result_ok();
}

/* Opens what is a file and nothing else: a pipe would be waited for. */
static struct result read_file(const char *path, char *text, size_t size, size_t *length)
{
    const int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct result result;
    struct stat status;
    ssize_t got = 1;

    *length = 0;
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        result = result_error(RESULT_INVALID, "shared-secret-file '%.200s' cannot be read: %s", path, strerror(errno));
    else
        result = refuse_mode(path, &status);
    while (!result_failed(result) && got > 0 && *length < size) {
        got = read(descriptor, text + *length, size - *length);
        if (got > 0)
            *length += (size_t)got;
        else if (got < 0)
            result =
                result_error(RESULT_INVALID, "shared-secret-file '%.200s' cannot be read: %s", path, strerror(errno));
    }
    if (descriptor >= 0)
        (void)close(descriptor);
    return result;
}

/* One line; an empty one is none. */
static struct result take_line(const char *path, const char *line, size_t length, struct secrets *secrets)
{
    if (length > 0 && line[length - 1] == '\r')
        length--;
    if (length == 0)
        return result_ok();
    if (secrets->count == SECRETS_MAX)
        return result_error(
            RESULT_INVALID,
            "shared-secret-file '%.200s' holds more than %d secrets: the first is used, a second one is "
            "accepted while they are changed",
            path, SECRETS_MAX);
    if (length < SECRET_LEAST || length > SECRET_MOST || memchr(line, '\0', length) != NULL)
        return result_error(RESULT_INVALID,
                            "shared-secret-file '%.200s', secret %zu: expected %d to %d bytes of text, found %zu: make "
                            "one with openssl rand -base64 32",
                            path, secrets->count + 1, SECRET_LEAST, SECRET_MOST, length);
    memcpy(secrets->text[secrets->count], line, length);
    secrets->text[secrets->count++][length] = '\0';
    return result_ok();
}

struct result secrets_read(const char *path, struct secrets *secrets)
{
    char text[FILE_MOST + 1];
    size_t length = 0;
    struct result result;

    memset(secrets, 0, sizeof *secrets);
    result = read_file(path, text, sizeof text, &length);
    for (size_t at = 0; at < length && !result_failed(result);) {
        const char *end = memchr(text + at, '\n', length - at);
        const size_t size = end == NULL ? length - at : (size_t)(end - (text + at));

        result = take_line(path, text + at, size, secrets);
        at += size + 1;
    }
    if (!result_failed(result) && secrets->count == 0)
        result = result_error(RESULT_INVALID,
                              "shared-secret-file '%.200s' is empty: it must hold a secret, one line, the same on both "
                              "servers",
                              path);
    OPENSSL_cleanse(text, sizeof text);
    if (result_failed(result))
        secrets_wipe(secrets);
    return result;
}

void secrets_wipe(struct secrets *secrets)
{
    OPENSSL_cleanse(secrets, sizeof *secrets);
}

/* ---- the seal ---- */

static bool compute(const char *secret, const struct seal_text *sealed, unsigned char mac[MAC_BYTES])
{
    static const char *const kinds[] = {"kea-failover-sync request", "kea-failover-sync answer"};
    const char *const parts[] = {kinds[sealed->kind], sealed->command, sealed->about};
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    EVP_MAC_CTX *context = mac_begin();
    size_t length = 0;
    bool ok = context != NULL && EVP_MAC_init(context, (const unsigned char *)secret, strlen(secret), parameters) == 1;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && ok; i++)
        ok = EVP_MAC_update(context, (const unsigned char *)parts[i], strlen(parts[i]) + 1) == 1;
    ok = ok && EVP_MAC_update(context, (const unsigned char *)sealed->text, strlen(sealed->text)) == 1 &&
         EVP_MAC_final(context, mac, &length, MAC_BYTES) == 1 && length == MAC_BYTES;
    EVP_MAC_CTX_free(context);
    return ok;
}

static void print_seal(const unsigned char mac[MAC_BYTES], char seal[SEAL_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < MAC_BYTES; i++) {
        seal[2 * i] = digits[mac[i] >> 4];
        seal[2 * i + 1] = digits[mac[i] & 0x0f];
    }
    seal[SEAL_SIZE - 1] = '\0';
}

bool seal_make(const struct secrets *secrets, const struct seal_text *sealed, char seal[SEAL_SIZE])
{
    unsigned char mac[MAC_BYTES];

    seal[0] = '\0';
    if (secrets->count == 0 || !compute(secrets->text[0], sealed, mac))
        return false;
    print_seal(mac, seal);
    return true;
}

bool seal_check(const struct secrets *secrets, const struct seal_text *sealed, const char *seal)
{
    bool right = false;

    if (strlen(seal) != SEAL_SIZE - 1)
        return false;
    for (size_t i = 0; i < secrets->count; i++) {
        unsigned char mac[MAC_BYTES];
        char made[SEAL_SIZE];

        if (!compute(secrets->text[i], sealed, mac))
            continue;
        print_seal(mac, made);
        if (CRYPTO_memcmp(made, seal, SEAL_SIZE - 1) == 0)
            right = true;
    }
    return right;
}

char *seal_print(const json_t *message)
{
    return json_dumps(message, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
}
