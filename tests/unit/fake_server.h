/* A server for tests of the C half: scopes in a list, a main thread of its own, and an HTTP door as a control agent is.
 * It applies what a Kea server would apply; what Kea's parsers would refuse, it refuses by a marker in the text. */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include "failover_sync/kea.h"

#include <stdatomic.h>

struct fake_server;

/* A server named `name` whose partner is `partner`; it listens on loopback, at the port that fake_server_port tells.
 * `folder` holds its store. Nothing is loaded yet. */
struct fake_server *fake_server_new(const char *name, const char *folder);
void fake_server_free(struct fake_server *server);
int fake_server_port(const struct fake_server *server);

/* Sets HA's parameters: this server, the two ports, and which of server1 and server2 it is. */
void fake_server_pair(struct fake_server *server, int port1, int port2);

/* The library loaded with `parameters` (JSON text or NULL; "store" is added if it has none) and a configuration of the
 * scopes in `file`; as at a start, or as a reload. Returns the result's code. */
enum result_code fake_server_start(struct fake_server *server, const char *parameters);
enum result_code fake_server_reload(struct fake_server *server, bool from_file);

/* The main thread is busy, until it is released. */
void fake_server_hold(struct fake_server *server);
void fake_server_release(struct fake_server *server);

/* The next reload has these. */
void fake_server_set_parameters(struct fake_server *server, const char *parameters);

/* A configuration without scopes taken by the library that is loaded already. */
enum result_code fake_server_load_again(struct fake_server *server);

/* The library unloaded, and everything at run time forgotten, as when the process ends. */
void fake_server_stop(struct fake_server *server);

/* The configuration file: one scope put in or taken out (NULL). Of words with a '$' the server does not print all. The
 * words are any text, "refuse" in them is refused; behind a '|' they may have pools,
 * "five|10.0.5.10-10.0.5.20,10.0.5.30-10.0.5.40", and a bound .66 is refused. A scope of a shared network,
 * "five@campus:old", names it and the network's words, which are the same for all scopes in it. */
void fake_server_file_put(struct fake_server *server, uint32_t subnet_id, const char *words);

/* The place of one of eight client classes, "class0" to "class7": a subnet id to all functions here. Its words are any
 * text without '@' and '|'. */
#define FAKE_CLASS(number) (4088u + (number))

/* What all its scopes inherit, and print behind their own words, from the next start on; borrowed, NULL for nothing. */
void fake_server_inherit(struct fake_server *server, const char *words);

/* Somebody's config-write: what runs is in the file as it is printed, and the library hears of it. */
void fake_server_write(struct fake_server *server);

/* A command of the server's changes one scope at run time. */
void fake_server_command_put(struct fake_server *server, uint32_t subnet_id, const char *words);

/* The words of a scope that runs, "" if there is none; the caller frees them. */
char *fake_server_words(struct fake_server *server, uint32_t subnet_id);

/* One of our commands, called on the main thread; the caller frees the answer. */
char *fake_server_command(struct fake_server *server, const char *name, const char *arguments);

/* The same on the calling thread, which is not the main thread: as from an HTTP listener of HA's. The running
 * configuration is not changed meanwhile: Kea waits for such threads. */
char *fake_server_command_elsewhere(struct fake_server *server, const char *name, const char *arguments);

/* The path of its store. */
const char *fake_server_store(const struct fake_server *server);

/* How often it has written its own configuration file. */
int fake_server_writes(struct fake_server *server);

/* Whether the HTTP door answers at all, and how often it was used for scopes. */
void fake_server_set_reachable(struct fake_server *server, bool reachable);

/* The arguments of the last scope-receive with scopes that came by the door; the caller frees it, NULL without one. */
char *fake_server_batch(struct fake_server *server);

/* Somebody on the way who changes what the server answers to other servers' requests: takes the text, gives another. */
typedef char *fake_server_tamper(char *answer);
void fake_server_set_tamper(struct fake_server *server, fake_server_tamper *tamper);

/* Waits until `server` runs `words` for the scope, at most `ms` milliseconds. */
bool fake_server_await(struct fake_server *server, uint32_t subnet_id, const char *words, int ms);

/* Waits until failover-status shows `member` of the first relationship as `value`. */
bool fake_server_await_status(struct fake_server *server, const char *member, long long value, int ms);
long long fake_server_status(struct fake_server *server, const char *member);

#endif
