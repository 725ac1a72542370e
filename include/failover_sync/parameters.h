/* The library's parameters (DESIGN, "What a user writes"): those that this version knows, with their defaults. */
#ifndef FAILOVER_SYNC_PARAMETERS_H
#define FAILOVER_SYNC_PARAMETERS_H

#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How one partner is reached; what is NULL comes from HA's parameters. */
struct partner_access {
    char *name; /* the peer's name in HA's parameters */
    char *url;
    char *trust_anchor; /* file or folder of CA certificates */
    char *cert_file, *key_file;
    char *certificate_name; /* that its certificate must bear; NULL: the host of an URL that names one, else any */
    char *basic_auth_user;
    char *basic_auth_password_file; /* read when it is needed; NULL: the password is given */
    char *basic_auth_password;      /* never printed or stored */
    char *shared_secret_file;       /* read when it is needed; NULL: nothing is signed */
    bool misdirected;               /* the credentials are for a host of which `url` is not known to be */
};

/* The ways to apply scopes at a partner, best first. */
enum apply_way { APPLY_SCOPE_RECEIVE, APPLY_SUBNET_COMMANDS, APPLY_CONFIG_SET, APPLY_WAYS };

/* The word for a way: "scope-receive", "subnet-commands", "config-set"; static. */
const char *parameters_apply_word(enum apply_way way);

struct parameters {
    char *store;                        /* path of the SQLite file */
    bool replicate_on_change;           /* replicate: on-change, or manual */
    bool primary_wins;                  /* conflict: primary-wins, or hold */
    bool deletes;                       /* whether a removal travels */
    bool persist_config_write;          /* persist: config-write, or store */
    bool apply[APPLY_WAYS];             /* which ways are allowed; at least one is */
    char **local_parameters;            /* NULL-terminated */
    int64_t retry_min_ms, retry_max_ms; /* milliseconds, 1 to 86,400,000, min <= max */
    int64_t reconcile_interval_ms;      /* milliseconds; reconcile-interval is in seconds, 1 to 86,400 */
    int64_t max_delete_percent;         /* 0 to 100 */
    char *shared_secret_file;           /* of the partners that have none of their own; NULL: none */
    bool only_signed;                   /* accept-from: partners, or any */
    struct partner_access *partners;
    size_t partner_count;
};

/* Reads `text`, the JSON text of the library's "parameters" map (NULL: all defaults). RESULT_INVALID names the
 * parameter, what was expected and what was found. `service` ("dhcp4") is part of the default store's name. */
struct result parameters_parse(const char *text, const char *service, struct parameters *parameters);

/* Frees what parameters_parse gave; an all-zero structure is fine. */
void parameters_clear(struct parameters *parameters);

/* Frees one partner's strings. */
void partner_access_clear(struct partner_access *access);

/* Reads a password: the file's first line, 1 to 1024 bytes, into *password, which the caller frees. */
struct result parameters_read_password(const char *path, char **password);

#endif
