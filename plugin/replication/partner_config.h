/* The configuration of a partner as config-get shows it: its scopes by id, and the same configuration with other
 * scopes in it. What is no scope is kept as it is and never looked at. */
#ifndef REPLICATION_PARTNER_CONFIG_H
#define REPLICATION_PARTNER_CONFIG_H

#include "failover_sync/kea.h"

#include <jansson.h>

/* Where one scope stands. */
struct config_scope {
    uint32_t subnet_id;
    json_t *subnet;        /* borrowed */
    const json_t *network; /* the shared network it is in, with all its subnets, or NULL; borrowed */
};

struct partner_config {
    json_t *dhcp;                /* the map under "Dhcp4" */
    struct config_scope *scopes; /* ascending by id */
    size_t count;
    json_t *prefixes; /* ids by prefix */
};

/* Takes the arguments of an answer to config-get. RESULT_NETWORK: they are not understood; RESULT_REFUSED: passwords in
 * it are hidden, so that it could not be set again. */
struct result partner_config_take(const char *partner, const json_t *arguments, struct partner_config *config);
void partner_config_clear(struct partner_config *config);

/* The scope with that id; NULL if there is none. */
const struct config_scope *partner_config_find(const struct partner_config *config, uint32_t subnet_id);

/* The id under which a prefix is configured; 0 if it is not. */
uint32_t partner_config_find_prefix(const struct partner_config *config, const char *prefix);

/* The shared network of that name, with all its subnets; NULL if there is none. */
const json_t *partner_config_find_network(const struct partner_config *config, const char *name);

/* The scope as this library would print it if it ran at the partner, without local parameters: what is fingerprinted.
 * The caller frees it; NULL for want of memory. */
char *partner_config_print(const struct config_scope *at, char *const *local_parameters);

/* One scope to be put in or taken out. */
struct config_wish {
    uint32_t subnet_id;
    const char *definition; /* as in kea.h; NULL takes it out */
};

/* A configuration with the wishes fulfilled, sharing with the first what is the same in both; the caller's reference in
 * *dhcp. Local parameters stay those of the partner; a shared network takes its parameters from the scopes that are put
 * into it, and goes with its last scope. RESULT_INVALID: a definition is not understood. */
struct result partner_config_merge(const struct partner_config *config, const struct config_wish *wishes, size_t count,
                                   char *const *local_parameters, json_t **dhcp);

/* Replaces a text that holds one of the configuration's passwords by one that does not. */
void partner_config_hide_passwords(const struct partner_config *config, char *text, size_t size);

/* Members of a scope's definition. */
#define CONFIG_SUBNET  "subnet4"
#define CONFIG_NETWORK "shared-network"

/* Lays the local parameters of `there` (NULL: it has none) over a map, whose own are dropped. */
void config_settle_local(json_t *map, const json_t *there, char *const *local_parameters);

/* Takes the local parameters out of a map. */
void config_drop_local(json_t *map, char *const *local_parameters);

/* The reservations of a subnet, ordered by their text: a server prints them in the order of a hash or of their making.
 * The caller's reference; NULL for want of memory. */
json_t *config_reservations(const json_t *subnet);

/* The name of a shared network; "" for NULL. */
const char *config_network_name(const json_t *network);

#endif
