/* What the fuzz targets share: the input cut into texts, and checks that end the run. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* libFuzzer's entry points. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerInitialize(int *count, char ***arguments);

/* What is promised, whatever the input; libFuzzer keeps the input that breaks it. */
#define FUZZ_CHECK(promise)                                                                                            \
    do {                                                                                                               \
        if (!(promise))                                                                                                \
            fuzz_broken(__FILE__, __LINE__, #promise);                                                                 \
    } while (0)
_Noreturn void fuzz_broken(const char *file, int line, const char *promise);

/* The input, not yet taken. */
struct fuzz_input {
    const uint8_t *bytes;
    size_t length;
};

/* The text up to the next end of a line, or whatever is left; a copy of its own, so that one byte too far is noticed.
 * A NUL in it ends it. The caller frees it; "" when nothing is left. */
char *fuzz_line(struct fuzz_input *input);

/* All that is left, in the same way. */
char *fuzz_rest(struct fuzz_input *input);

/* The next byte; 0 when nothing is left. */
uint8_t fuzz_byte(struct fuzz_input *input);

/* A folder for this process, in memory where there is such a file system; removed when it exits. */
const char *fuzz_folder(void);

#endif
