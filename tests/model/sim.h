/* A world small enough to be searched: two servers with the library loaded, their disks, the network between them and
 * one clock, which a server may read wrongly, all in one thread. Nothing happens in it but what a schedule lets happen,
 * so that a seed says everything. The product's files are linked as they are; replaced are the worker's thread
 * (sim_worker.c), libcurl (sim_network.c), SQLite's files (sim_disk.c), the clock (sim_clock.c) and the server
 * (sim_server.c). */
#ifndef MODEL_SIM_H
#define MODEL_SIM_H

#include "rules.h"

#include "failover_sync/kea.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;
struct message;

/* A batch on its way into a server, from the request to what the server's main thread made of it. */
struct letter {
    bool used, finished;
    int from;
    int version[SCOPES + 1]; /* of each scope in it; -1: not in it */
    bool applied[SCOPES + 1];
};

struct task {
    kea_task run;
    void *argument;
    struct letter delivery; /* of the request that left the task behind */
    struct task *next;
};

struct sim_server {
    struct kea_server kea;
    char name[20], peer[20], store[128];
    int number;
    bool up;
    bool on_main; /* the plugin was called on the main thread */
    struct plugin *plugin;
    struct worker *worker;                                             /* NULL while none runs */
    uint8_t file[SCOPES + 1], running[SCOPES + 1], staged[SCOPES + 1]; /* contents; 0: no such scope */
    struct task *first, **last;
    struct letter delivery; /* what is being taken in now */
    unsigned scopes_sent;   /* since the process was started */
};

struct world {
    struct sim_server server[SERVERS];
    char folder[64];
    char parameters[512];
    bool cut;                     /* the servers do not reach each other */
    bool sealed;                  /* the servers have a shared secret */
    bool wrong_clocks;            /* clocks are set wrong now and then: */
    int64_t clock_wrong[SERVERS]; /* milliseconds that a server's clock is ahead; negative: behind */
    uint32_t chance;              /* for the jitter */
    char failure[600];            /* the first rule that was broken; "" */
    unsigned stores_lost;
    bool verbose;
};

extern struct world world;

/* Notes a broken rule; the first one counts. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- sim_clock.c ---- */
extern int64_t sim_now;   /* milliseconds since 1970 */
extern int64_t sim_ticks; /* milliseconds of the clock that nobody can set */

/* Whose clock the library reads from now on: to be called before it is. */
void sim_clock_of(const struct sim_server *server);

/* ---- sim_server.c ---- */
void sim_world_begin(const struct rules_options *options); /* both down, files empty, disks new */
void sim_world_end(void);

/* What Kea does at a configuration: libraries out and in, parse, callout, commit. `delivered` are contents. A load that
 * is not `committed` fails after the library has agreed to it. */
enum sim_load { SIM_START, SIM_RELOAD, SIM_SET };
void sim_server_load(struct sim_server *server, enum sim_load kind, const uint8_t *delivered, bool committed);

void sim_server_stop(struct sim_server *server);  /* as asked */
void sim_server_crash(struct sim_server *server); /* kill -9 */

/* A command of the server's changes one scope at run time; `elsewhere`: on another thread than the main one. */
void sim_server_edit(struct sim_server *server, uint32_t scope, uint8_t content, bool elsewhere);

/* Runs the task that waits longest for the main thread; false if none does. */
bool sim_server_run_task(struct sim_server *server);

/* Takes a request in; the answer, which the caller frees, or NULL. */
char *sim_server_request(struct sim_server *server, const char *text, const struct letter *delivery, bool elsewhere);

/* The rest of what a request that is being taken in has done, once; before anything of it is recorded. */
void sim_server_finish_delivery(struct sim_server *server);

struct sim_server *sim_server_of(const struct plugin *plugin);

/* The content that the JSON text of a scope has; 0 for NULL. */
uint8_t sim_content_of(const char *definition);

/* The digest of what the server's library has of a scope, for the rules: false if it has none. */
struct sim_known {
    uint8_t content;
    bool out_of_sync, in_sync;
};
bool sim_server_known(const struct sim_server *server, uint32_t scope, struct sim_known *known);

/* Whether the server's library knows that the scope was removed. */
bool sim_server_has_removed(const struct sim_server *server, uint32_t scope);

/* Contents that the server's history has of a scope, a bit each; bit 0: a removal. */
uint64_t sim_server_history(const struct sim_server *server, uint32_t scope);

/* Wishes in its queue that a person has to settle, and others. */
void sim_server_queue(const struct sim_server *server, unsigned *held, unsigned *waiting);

/* ---- sim_worker.c ---- */
bool sim_worker_has_job(const struct sim_server *server); /* that may be run now */
bool sim_worker_run_job(struct sim_server *server);

/* One turn of the loop. Returns when it wants the next one; *reconcile: when it will compare digests again. */
int64_t sim_worker_advance(struct sim_server *server, int64_t *reconcile);
void sim_worker_kill(struct sim_server *server); /* its jobs are lost */
void sim_worker_finished(struct sim_server *server, void *easy, int code);
int64_t sim_worker_blocked_until(const struct sim_server *server);

/* ---- sim_network.c ---- */
size_t sim_network_count(void); /* of messages in flight */
int sim_network_sender(size_t number);
const char *sim_network_text(size_t number);
bool sim_network_is_answer(size_t number);
void sim_network_replace(size_t number, char *text); /* by one of somebody else; taken */
void sim_network_deliver(size_t number, bool elsewhere);
enum sim_loss { SIM_LOST, SIM_RESET, SIM_LATE }; /* unnoticed; noticed; noticed, though the message arrives later */
void sim_network_lose(size_t number, enum sim_loss loss);
int64_t sim_network_next_timeout(void); /* INT64_MAX: nobody waits */
void sim_network_expire(void);          /* ends the transfers that waited too long */
void sim_network_forget(int server);    /* its process is gone: what it sent may still arrive */
void sim_network_clear(void);

/* ---- sim_hostile.c ---- */
/* Somebody gives a server a batch in its partner's name; what is in it is drawn from the two numbers. With a shared
 * secret it must change nothing, without one the scopes in it are the rules' no more. */
void sim_hostile_batch(struct sim_server *victim, uint32_t scope, uint32_t chance, uint32_t more);

/* The same with a question about digests, or nonsense. */
void sim_hostile_question(struct sim_server *victim, uint32_t chance, uint32_t more);

/* An answer on its way is replaced by another. */
void sim_hostile_answer(size_t number, uint32_t chance);

/* ---- sim_disk.c ---- */
enum sim_disk_state { SIM_DISK_GOOD, SIM_DISK_FULL, SIM_DISK_GONE };
void sim_disk_begin(void);                              /* registers the file system; once */
void sim_disk_reset(const char *path, unsigned number); /* a new store, of a writer that is called by that number */
void sim_disk_set(const char *path, enum sim_disk_state state);
void sim_disk_go_after(const char *path, unsigned writes); /* SIM_DISK_GONE after so many more writes; 0: never */
enum sim_disk_state sim_disk_state(const char *path);
void sim_disk_crash(const char *path); /* what was not synced is lost; good again */

#endif
