/* IP addresses, networks and pools as the ADM tables keep them: 16 bytes whose byte order is address order, with IPv4
 * mapped into ::ffff:0:0/96. */
#ifndef FAILOVER_SYNC_ADDRESS_H
#define FAILOVER_SYNC_ADDRESS_H

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

/* Reads an address; false if `text` is none, or NULL. */
bool address_parse(const char *text, bool v6, struct address *address);

/* "192.0.2.1", "2001:db8::1" */
struct address_text address_print(const struct address *address);

int address_compare(const struct address *a, const struct address *b);

/* The next and the previous address; the last and the first one have none and stay. */
struct address address_next(struct address address);
struct address address_previous(struct address address);

/* The network of this length around an address: the address with the bits beyond the length cleared. `v6` says whose
 * bits the length counts. */
struct address address_network(const struct address *address, bool v6, int prefix_length);

/* Where the network of `length` bits, of all 128, around an address is halved: the first address of its upper half. The
 * address itself for 128. */
struct address address_fork(const struct address *address, int length);

/* The fork of the smallest network that holds the whole span. */
struct address span_fork(const struct address_span *span);

/* How many of the 128 bits all addresses of a family have in common. */
int address_family_bits(bool v6);

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
