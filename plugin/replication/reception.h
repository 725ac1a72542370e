/* A batch being taken in: from the command, over the main thread, to the worker. Shared by the files of this folder
 * that do one of these each. */
#ifndef RECEPTION_H
#define RECEPTION_H

#include "failover_sync/batch.h"
#include "failover_sync/mirror.h"
#include "failover_sync/receive.h"

#include "plugin/replication/conflict.h"

/* One scope received. */
struct received_scope {
    object_id id;
    char *name;
    char *definition; /* NULL removes the scope */
    struct fingerprint base, theirs;
    struct version_vector version; /* the sender's */
    bool force;                    /* a removal that an administrator means, however many there are */
    struct version_vector network; /* what the sender knows of its shared network; empty if it does not say */

    enum batch_outcome outcome;
    char text[300];
    struct kea_object before; /* kept when it loses a conflict */
    struct kea_object after;
    struct fingerprint now;         /* of `after` */
    struct version_vector answered; /* what this server has of it then */
    enum conflict_verdict verdict;
    bool network_kept; /* its shared network has other parameters here than it brought along */
};

struct reception {
    struct plugin *plugin;
    /* The relationship by which it came in: its number, and how to find it again once the list of relationships has
     * been read anew while the reception waited for the main thread. */
    size_t number;
    unsigned generation;
    char *partner;
    int64_t clock; /* the sender's when it sent, in seconds since 1970; 0 if it does not say */
    bool claimed;  /* the flag in plugin->receiving is its own */
    bool recorded; /* only what follows from it is left to do */
    char ticket[TICKET_NAME_SIZE];
    struct received_scope *scopes;
    size_t count;
    bool refused; /* by the store, which is asked again */
    struct reception_removals {
        bool known;
        size_t counted, all; /* removals taken within the window; objects there were before them */
    } removals[OBJECT_KINDS];
    struct {
        struct fingerprint name; /* of the one looked at last; empty: none */
        struct version_vector known;
        bool changed;
    } network; /* the scopes of one come one after the other */
};

/* A reception by the relationship of that number; NULL for want of memory. It has not claimed the relationship. */
struct reception *reception_new(struct plugin *plugin, size_t number);

/* Whether no other batch is being received by its relationship: then that is its own until reception_end. */
bool reception_claim(struct reception *reception);

/* [main] Looks whether its relationship still has the number that it had, and takes the new one if it has not. False,
 * and its ticket says so: the relationship is gone, or another batch has come by it. */
bool reception_find_place(struct reception *reception);

/* Frees a reception; the plugin may be gone. */
void reception_free(struct reception *reception);

/* The end of one in a plugin that runs: the next batch may come. */
void reception_end(void *argument);

/* The end of one that the worker could not record any more; its ticket says so. A worker_job_free. */
void reception_drop(void *argument);

/* The relationship it came in by. */
const struct relationship *reception_relationship(const struct reception *reception);

/* [main] Whether a scope that is about to be applied comes into a shared network that was changed here, and the sender
 * has not taken that yet, or had not when it sent the scope: then the network's parameters are to stay. */
bool reception_keeps_network(struct reception *reception, const struct received_scope *scope);

/* Whether the network of what now runs has other parameters than were received. */
bool reception_network_differs(const struct received_scope *scope);

/* [main] Whether a removal that is about to be applied is taken; else it is held, with its outcome and text. */
bool reception_takes_removal(struct reception *reception, struct received_scope *scope);

/* [worker] Stores what the guard is to know of the batch, in its transaction, and has the guard follow after the
 * commit.
 */
struct result reception_guard_store(struct mirror_writer *writer, const struct reception *reception);
struct result reception_guard_follow(const struct reception *reception);

/* [worker] Hands a batch that waited to the main thread. A worker_job. */
struct result reception_wait(struct plugin *plugin, void *argument);

/* [main] Compares and sets: every scope gets its outcome. */
void reception_apply(struct reception *reception);

/* [worker] Records what came of it and moves the ticket on; frees the reception. A worker_job. */
struct result reception_record(struct plugin *plugin, void *argument);

#endif
