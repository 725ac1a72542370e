/* See the header. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

void fuzz_broken(const char *file, int line, const char *promise)
{
    fprintf(stderr, "%s:%d: broken: %s\n", file, line, promise);
    abort();
}

static char *take(struct fuzz_input *input, size_t length)
{
    char *text = malloc(length + 1);

    if (text == NULL)
        abort();
    if (length > 0)
        memcpy(text, input->bytes, length);
    text[length] = '\0';
    input->bytes += length;
    input->length -= length;
    return text;
}

char *fuzz_line(struct fuzz_input *input)
{
    const uint8_t *end = input->length == 0 ? NULL : memchr(input->bytes, '\n', input->length);
    char *text = take(input, end == NULL ? input->length : (size_t)(end - input->bytes));

    if (end != NULL) {
        input->bytes++;
        input->length--;
    }
    return text;
}

char *fuzz_rest(struct fuzz_input *input)
{
    return take(input, input->length);
}

uint8_t fuzz_byte(struct fuzz_input *input)
{
    if (input->length == 0)
        return 0;
    input->length--;
    return *input->bytes++;
}

static void remove_folder(void)
{
    char command[sizeof folder + 16];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    (void)!system(command);
}

const char *fuzz_folder(void)
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof folder, "%s/failover-sync-fuzz-XXXXXX", base);
        if (mkdtemp(folder) == NULL || atexit(remove_folder) != 0)
            abort();
    }
    return folder;
}
