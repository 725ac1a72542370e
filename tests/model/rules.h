/* The rules of replication (DESIGN) as a model: what each server has of each scope, who made it, and which versions its
 * author knew. It is told what happens in the simulated world and objects to what the rules do not allow. It knows
 * nothing of fingerprints, queues or tables. */
#ifndef MODEL_RULES_H
#define MODEL_RULES_H

#include <stdbool.h>
#include <stdint.h>

#define SERVERS       2 /* 0 is the primary */
#define SCOPES        5 /* numbered from 1 */
#define VERSIONS      64
#define CONTENTS      64 /* of one scope; 0 is "no such scope" */
#define REFUSED_BELOW 8  /* contents 4 to 7 are refused: 4 and 5 by the primary, 6 and 7 by the secondary */

struct rules_options {
    bool primary_wins, deletes;
    bool sealed;                 /* the servers have a shared secret */
    uint32_t scopes;             /* in use, from 1 */
    uint32_t reconcile_interval; /* seconds */
};

/* What one server has of one scope. */
struct standing {
    int version;
    bool partners;               /* it came from the partner */
    uint8_t file, configuration; /* content with which the file, and any configuration, last delivered the scope */
};

void rules_begin(const struct rules_options *options);

/* Somebody else has spoken in a server's name of this scope, or a store with it was lost: what may become of it then is
 * not for these rules to say. */
void rules_distrust(uint32_t scope);
bool rules_distrusts(uint32_t scope);

uint8_t rules_content(int server, uint32_t scope); /* that runs */
uint8_t rules_version_content(uint32_t scope, int version);
uint8_t rules_new_content(uint32_t scope); /* never seen before; 0: there are too many */
bool rules_refuses(int server, uint8_t content);

/* A command of a server's changed a scope. */
void rules_edit(int server, uint32_t scope, uint8_t content);

/* The library has read what runs of a scope, and will record it. */
void rules_read(int server, uint32_t scope);

/* The library queued a job: what it knows then is recorded when the job is done. */
void rules_job_queued(int server, struct standing snapshot[SCOPES + 1]);
void rules_job_done(int server, const struct standing snapshot[SCOPES + 1]);

/* A configuration is loaded: restart rule. Fills in what must run afterwards. */
void rules_load(int server, bool at_start, bool from_file, const uint8_t delivered[SCOPES + 1],
                uint8_t running[SCOPES + 1]);

/* What the configuration file last delivered. */
void rules_last_file(int server, uint8_t file[SCOPES + 1]);

/* The server is gone, and with it everything that was not recorded. */
void rules_forget_unrecorded(int server);

/* The version of a scope that a server sends: the one it has recorded. */
int rules_sent(int server, uint32_t scope);

/* A version that came from the partner: it was put in place, or what was there stays. */
void rules_applied(int server, uint32_t scope, int version);
void rules_kept(int server, uint32_t scope, int version);

/* The partner's list of versions told a server, which knew nothing of the scope, that the partner has removed it. */
void rules_told_removed(int server, uint32_t scope, int version);

/* The server's library says that its version of a scope, with this content, is in sync. */
void rules_in_sync(int server, uint32_t scope, uint8_t content);

/* The end of a schedule, everything having been delivered: `history` has a bit per content that is in a history of the
 * scope (bit 0: a removal), `reported` says which servers call the scope out of sync. */
void rules_end(uint32_t scope, uint64_t history, const bool reported[SERVERS]);

#endif
