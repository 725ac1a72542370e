/* IP addresses, networks and pools as the ADM tables keep them: 16 bytes whose byte order is address order, with IPv4
 * mapped into ::ffff:0:0/96. */
#ifndef ADM_ADDRESS_H
#define ADM_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define ADDRESS_KEY_LENGTH 16

struct address {
    unsigned char bytes[ADDRESS_KEY_LENGTH];
};

struct address_text {
    char text[INET6_ADDRSTRLEN];
};

/* First and last address of a network or pool. */
struct address_span {
    struct address first, last;
    bool v6;
};

struct network {
    struct address_span span;
    int prefix_length;
};

/* Reads an address; false if `text` is none. */
bool address_parse(const char *text, bool v6, struct address *address);

/* "192.0.2.1", "2001:db8::1" */
struct address_text address_print(const struct address *address);

int address_compare(const struct address *a, const struct address *b);

/* The next and the previous address; the last and the first one have none and stay. */
struct address address_next(struct address address);
struct address address_previous(struct address address);

bool span_contains(const struct address_span *span, const struct address *address);

/* How many addresses the span has; INT64_MAX if there are more. */
int64_t span_count(const struct address_span *span);

/* Reads "192.0.2.0/24", of either family; bits beyond the prefix are dropped. */
bool network_parse(const char *text, struct network *network);

/* Reads a pool, "192.0.2.10 - 192.0.2.20" or "192.0.2.0/26", whose family must be that of `v6`. */
bool pool_parse(const char *text, bool v6, struct address_span *span);

/* "255.255.255.0" */
struct address_text prefix_mask(int prefix_length);

/* InterNetwork, InterNetworkV6 */
const char *address_family_word(bool v6);

/* The ADM's AddressCategory: Private (RFC 1918; IPv6 unique local and link-local), else Public or GlobalIPv6Unicast. */
const char *address_category(const struct address *address);

#endif
