/* For tests of the ways: one end of a relationship with a batch for its partner, and a Kea server at the other end that
 * is no more than its configuration and the commands on it. */
#ifndef WAY_FIXTURE_H
#define WAY_FIXTURE_H

#include "plugin/replication/way.h"

/* The partner. Its configuration is changed by its commands, or by the tests. */
struct simulated_kea {
    json_t *dhcp;         /* what stands under "Dhcp4" */
    bool subnet_commands; /* whether it has that library */
    const char *refused;  /* a subnet with this comment is refused; NULL: none is */
    const char *refusal;  /* what it says then */
    const char *refuses;  /* this command is refused, whatever it brings; NULL: none is */
    const char *lost;     /* the answer to this command gets lost, `lost_count` times after `lost_skip` others */
    unsigned lost_skip, lost_count;
    bool lost_before;                                                /* the command itself is lost */
    json_t *commands;                                                /* every command it was given, by name, in order */
    void (*between)(struct simulated_kea *kea, const char *command); /* called before each command; may be NULL */
    char *(*tamper)(char *answer); /* somebody on the way: takes an answer, gives another; may be NULL */
};

extern struct simulated_kea kea;
extern struct way_run run;

/* This server is `self` of server1, the primary, and server2; `parameters` is the library's map or NULL. */
void way_fixture_set_up(const char *self, const char *parameters);
void way_fixture_tear_down(void);

/* The partner's configuration, JSON with ' for ". */
void way_fixture_partner(const char *dhcp);

/* Adds a scope to the batch: `subnet` (NULL: its removal) and `network` (NULL: none) are JSON with ' for ". What was
 * agreed on last is what the partner has now, unless forget_agreement is called. */
struct batch_item *way_fixture_wish(uint32_t subnet_id, const char *prefix, const char *subnet, const char *network);
void way_fixture_forget_agreement(struct batch_item *item);

/* Runs the conversation to its end with the partner; waits are not waited for but added up in *waited_ms (may be NULL).
 */
struct way_step way_fixture_talk(const struct way *way, int64_t *waited_ms);

/* The same with the partner answering every question with `text`, JSON with ' for " or anything else. */
struct way_step way_fixture_talk_to_a_wall(const struct way *way, const char *text);

/* The fingerprint of a scope as the partner has it now, empty without one. */
struct fingerprint way_fixture_fingerprint(uint32_t subnet_id);

/* The subnet or the network as the partner has it now, NULL without one; borrowed. */
json_t *way_fixture_subnet(uint32_t subnet_id);
json_t *way_fixture_network(const char *name);

/* The commands that the partner was given, separated by blanks; the caller frees it. */
char *way_fixture_commands(void);

/* JSON with ' for "; the caller's reference. */
json_t *way_fixture_json(const char *text);

/* How many messages with that identifier were logged. */
unsigned way_fixture_logged(enum kea_message message);

#endif
