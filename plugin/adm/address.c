/* Arithmetic and text of IP addresses, networks and pools. */
#include "failover_sync/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define V4_OFFSET 12 /* where the four bytes of an IPv4 address stand in the key */
#define V4_BITS   96 /* the bits before them */

static const unsigned char v4_mapped[V4_OFFSET] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool address_is_v4(const struct address *address)
{
    return memcmp(address->bytes, v4_mapped, sizeof v4_mapped) == 0;
}

bool address_parse(const char *text, bool v6, struct address *address)
{
    memset(address, 0, sizeof *address);
    if (text == NULL)
        return false;
    /* An IPv6 address written ::ffff:192.0.2.1 would be taken for IPv4 everywhere below, and no scope has such. */
    if (v6)
        return inet_pton(AF_INET6, text, address->bytes) == 1 && !address_is_v4(address);
    memcpy(address->bytes, v4_mapped, sizeof v4_mapped);
    return inet_pton(AF_INET, text, address->bytes + V4_OFFSET) == 1;
}

struct address_text address_print(const struct address *address)
{
    struct address_text printed = {.text = ""};

    if (address_is_v4(address))
        (void)inet_ntop(AF_INET, address->bytes + V4_OFFSET, printed.text, sizeof printed.text);
    else
        (void)inet_ntop(AF_INET6, address->bytes, printed.text, sizeof printed.text);
    return printed;
}

int address_compare(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

struct address address_next(struct address address)
{
    struct address next = address;

    for (int i = ADDRESS_KEY_LENGTH - 1; i >= 0; i--) {
        next.bytes[i]++;
        if (next.bytes[i] != 0)
            return next;
    }
    return address;
}

struct address address_previous(struct address address)
{
    struct address previous = address;

    for (int i = ADDRESS_KEY_LENGTH - 1; i >= 0; i--) {
        previous.bytes[i]--;
        if (previous.bytes[i] != 0xff)
            return previous;
    }
    return address;
}

static void clear_bits(struct address *address, int from)
{
    for (int bit = from; bit < ADDRESS_KEY_LENGTH * 8; bit++)
        address->bytes[bit / 8] = (unsigned char)(address->bytes[bit / 8] & ~(0x80u >> (bit % 8)));
}

struct address address_network(const struct address *address, bool v6, int prefix_length)
{
    struct address network = *address;

    clear_bits(&network, address_family_bits(v6) + prefix_length);
    return network;
}

struct address address_fork(const struct address *address, int length)
{
    struct address fork = *address;

    if (length >= ADDRESS_KEY_LENGTH * 8)
        return fork;
    clear_bits(&fork, length);
    fork.bytes[length / 8] = (unsigned char)(fork.bytes[length / 8] | 0x80u >> (length % 8));
    return fork;
}

struct address span_fork(const struct address_span *span)
{
    int common = 0;

    while (common < ADDRESS_KEY_LENGTH * 8 &&
           ((span->first.bytes[common / 8] ^ span->last.bytes[common / 8]) & 0x80u >> (common % 8)) == 0)
        common++;
    return address_fork(&span->first, common);
}

int address_family_bits(bool v6)
{
    return v6 ? 0 : V4_BITS;
}

bool span_contains(const struct address_span *span, const struct address *address)
{
    return address_compare(&span->first, address) <= 0 && address_compare(address, &span->last) <= 0;
}

static uint64_t half_of(const unsigned char *bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

int64_t span_count(const struct address_span *span)
{
    uint64_t first_low = half_of(span->first.bytes + 8);
    uint64_t last_low = half_of(span->last.bytes + 8);
    uint64_t high = half_of(span->last.bytes) - half_of(span->first.bytes) - (last_low < first_low);
    uint64_t low = last_low - first_low;

    return high != 0 || low >= INT64_MAX ? INT64_MAX : (int64_t)low + 1;
}

/* Copies the part of `text` up to `end` without the spaces around it; false if it does not fit. */
static bool copy_part(const char *text, const char *end, struct address_text *part)
{
    while (text < end && isspace((unsigned char)*text))
        text++;
    while (text < end && isspace((unsigned char)end[-1]))
        end--;
    if ((size_t)(end - text) >= sizeof part->text)
        return false;
    memcpy(part->text, text, (size_t)(end - text));
    part->text[end - text] = '\0';
    return true;
}

bool network_parse(const char *text, struct network *network)
{
    const char *slash = text == NULL ? NULL : strchr(text, '/');
    struct address_text part;
    bool v6 = text != NULL && strchr(text, ':') != NULL;
    int length = 0;
    int maximum = v6 ? 128 : 32;
    const char *digit;

    memset(network, 0, sizeof *network);
    if (slash == NULL || !copy_part(text, slash, &part) || !address_parse(part.text, v6, &network->span.first))
        return false;
    for (digit = slash + 1; *digit >= '0' && *digit <= '9' && length <= maximum; digit++)
        length = length * 10 + (*digit - '0');
    if (*digit != '\0' || digit == slash + 1 || length > maximum)
        return false;
    network->span.v6 = v6;
    network->span.last = network->span.first;
    network->prefix_length = length;
    for (int bit = v6 ? length : V4_BITS + length; bit < ADDRESS_KEY_LENGTH * 8; bit++) {
        unsigned char mask = (unsigned char)(0x80u >> (bit % 8));

        network->span.first.bytes[bit / 8] = (unsigned char)(network->span.first.bytes[bit / 8] & ~mask);
        network->span.last.bytes[bit / 8] = (unsigned char)(network->span.last.bytes[bit / 8] | mask);
    }
    return true;
}

bool pool_parse(const char *text, bool v6, struct address_span *span)
{
    const char *dash = text == NULL ? NULL : strchr(text, '-');
    struct address_text first, last;
    struct network network;

    if (dash == NULL) {
        if (!network_parse(text, &network) || network.span.v6 != v6)
            return false;
        *span = network.span;
        return true;
    }
    span->v6 = v6;
    return copy_part(text, dash, &first) && copy_part(dash + 1, text + strlen(text), &last) &&
           address_parse(first.text, v6, &span->first) && address_parse(last.text, v6, &span->last) &&
           address_compare(&span->first, &span->last) <= 0;
}

struct address_text prefix_mask(int prefix_length)
{
    struct address mask = {.bytes = {0}};

    memcpy(mask.bytes, v4_mapped, sizeof v4_mapped);
    for (int bit = V4_BITS; bit < V4_BITS + prefix_length; bit++)
        mask.bytes[bit / 8] = (unsigned char)(mask.bytes[bit / 8] | 0x80u >> (bit % 8));
    return address_print(&mask);
}

const char *address_family_word(bool v6)
{
    return v6 ? "InterNetworkV6" : "InterNetwork";
}

const char *address_category(const struct address *address)
{
    const unsigned char *v4 = address->bytes + V4_OFFSET;
    const unsigned char *v6 = address->bytes;

    if (address_is_v4(address)) {
        bool private = v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) || (v4[0] == 192 && v4[1] == 168);

        return private ? "Private" : "Public";
    }
    if ((v6[0] & 0xfe) == 0xfc || (v6[0] == 0xfe && (v6[1] & 0xc0) == 0x80))
        return "Private";
    return "GlobalIPv6Unicast";
}
