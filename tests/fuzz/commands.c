/* Every command, as Kea hands it over, to a server with some scopes, ranges and rows (server.h). The first byte has the
 * options. */
#include "server.h"

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    server_prepare();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input input = {.bytes = bytes, .length = length};
    const unsigned options = fuzz_byte(&input) % 4;

    server_begin();
    server_run(&input, options, true);
    return 0;
}
