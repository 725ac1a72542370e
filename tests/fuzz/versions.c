/* Texts of versions, fingerprints and seals, one per line: two versions, a fingerprint, a seal, a message; the rest is
 * a file of secrets. */
#include "fuzz.h"

#include "failover_sync/fingerprint.h"
#include "failover_sync/json_load.h"
#include "failover_sync/version_vector.h"

#include "plugin/replication/seal.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW UINT64_C(1800000000000)

/* What was read is printed in one way, and means the same when it is read again. */
static void check_text(const struct version_vector *version)
{
    struct version_vector again;
    char text[VERSION_TEXT_SIZE], second[VERSION_TEXT_SIZE];

    version_print(version, text);
    FUZZ_CHECK(version_parse(text, &again));
    FUZZ_CHECK(version_equal(version, &again));
    version_print(&again, second);
    FUZZ_CHECK(strcmp(text, second) == 0);
}

static void check_pair(const struct version_vector *one, const struct version_vector *two)
{
    const enum version_order order = version_compare(one, two), back = version_compare(two, one);
    const struct version_vector merged = version_merge(one, two), other = version_merge(two, one);
    enum version_order built;

    FUZZ_CHECK((order == VERSION_SAME) == (back == VERSION_SAME));
    FUZZ_CHECK((order == VERSION_OLDER) == (back == VERSION_NEWER));
    FUZZ_CHECK((order == VERSION_APART) == (back == VERSION_APART));
    FUZZ_CHECK(version_equal(&merged, &other));
    built = version_compare(one, &merged);
    FUZZ_CHECK(built == VERSION_SAME || built == VERSION_OLDER);
    built = version_compare(two, &merged);
    FUZZ_CHECK(built == VERSION_SAME || built == VERSION_OLDER);
    if (order == VERSION_OLDER)
        FUZZ_CHECK(version_equal(&merged, two));
    check_text(&merged);
    (void)version_only_followed(one, two);
    FUZZ_CHECK(version_strangers(one, two, 0) <= one->count);
}

/* An own edit is the newest whatever the version claims, and is never what is dropped. */
static void check_edit(const struct version_vector *version, uint64_t writer)
{
    const uint64_t edit = version_next_edit(version, NOW, 0);
    struct version_vector edited = *version;

    if (version_largest(version) >= VERSION_EDIT_MAX)
        return; /* nobody has taken it */
    FUZZ_CHECK(edit >= NOW && edit > version_largest(version));
    version_add(&edited, writer, edit);
    FUZZ_CHECK(version_compare(version, &edited) == VERSION_OLDER);
    FUZZ_CHECK(version_edit_of(&edited, writer) == edit);
    FUZZ_CHECK(version_largest(&edited) == edit);
    FUZZ_CHECK(!version_is_found(&edited));
    check_text(&edited);
}

static void check_ahead(const struct version_vector *version, const struct version_vector *mine)
{
    struct version_vector left = *version;
    uint64_t limit;

    if (version_largest(mine) > VERSION_EDIT_MAX)
        return;
    limit = version_limit(mine, NOW);
    FUZZ_CHECK(version_drop_ahead(&left, limit) == (version_ahead(version, limit) != NULL));
    FUZZ_CHECK(version_ahead(&left, limit) == NULL);
    check_text(&left);
}

static void check_fingerprint(const char *text)
{
    const struct fingerprint fingerprint = fingerprint_parse(text);

    FUZZ_CHECK(fingerprint_empty(fingerprint) || strcmp(fingerprint.hex, text) == 0);
    FUZZ_CHECK(fingerprint_equal(fingerprint, fingerprint) != fingerprint_empty(fingerprint));
    (void)fingerprint_number(fingerprint);
}

static void check_seal(const struct secrets *secrets, const char *text, const char *seal)
{
    const struct seal_text request = {.kind = SEAL_REQUEST, .command = "scope-receive", .about = "", .text = text};
    struct seal_text answer = request;
    char made[SEAL_SIZE];

    answer.kind = SEAL_ANSWER;
    FUZZ_CHECK(seal_make(secrets, &request, made));
    FUZZ_CHECK(seal_check(secrets, &request, made));
    FUZZ_CHECK(!seal_check(secrets, &answer, made));
    FUZZ_CHECK(!seal_check(secrets, &request, seal) || strcmp(seal, made) == 0 || secrets->count > 1);
}

/* A file of this user, mode 0600, with these bytes. */
static void read_secrets(const struct fuzz_input *file, struct secrets *secrets)
{
    const int descriptor = memfd_create("secrets", MFD_CLOEXEC);
    struct result result;
    char path[64];

    if (descriptor < 0 || fchmod(descriptor, 0600) != 0 ||
        write(descriptor, file->bytes, file->length) != (ssize_t)file->length)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    result = secrets_read(path, secrets);
    FUZZ_CHECK(result_failed(result) == (secrets->count == 0));
    FUZZ_CHECK(result_failed(result) == (result.message[0] != '\0'));
    (void)close(descriptor);
}

static void check_message(const char *text, const char *seal, const struct fuzz_input *file)
{
    json_t *message = json_load(text, 0, &json_arguments_bounds, NULL);
    char *sealed = message == NULL ? NULL : seal_print(message);
    struct secrets secrets;

    read_secrets(file, &secrets);
    FUZZ_CHECK(message == NULL || sealed != NULL);
    if (secrets.count > 0)
        check_seal(&secrets, sealed == NULL ? text : sealed, seal);
    secrets_wipe(&secrets);
    free(sealed);
    json_decref(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input input = {.bytes = bytes, .length = length};
    char *lines[5];
    struct version_vector one, two;
    bool read[2];

    for (size_t i = 0; i < 5; i++)
        lines[i] = fuzz_line(&input);
    read[0] = version_parse(lines[0], &one);
    read[1] = version_parse(lines[1], &two);
    FUZZ_CHECK(read[0] || version_empty(&one));
    FUZZ_CHECK(read[1] || version_empty(&two));
    check_text(&one);
    check_pair(&one, &two);
    check_edit(&one, version_writer(UINT64_C(0xfedcba9876543210)));
    check_edit(&one,
               one.count == 0 || one.part[0].writer == VERSION_FORGOTTEN ? 2 : version_writer(one.part[0].writer));
    check_ahead(&one, &two);
    check_fingerprint(lines[2]);
    check_message(lines[4], lines[3], &input);
    for (size_t i = 0; i < 5; i++)
        free(lines[i]);
    return 0;
}
