/* The server: scopes in memory, a list of tasks for its main thread, and what Kea does when a configuration is loaded.
 * What it is told by the library goes to the rules as well. */
#include "sim.h"

#include "failover_sync/engine.h"
#include "failover_sync/model.h"
#include "failover_sync/queue.h"
#include "failover_sync/statement.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct world world;

void world_fail(const char *format, ...)
{
    va_list arguments;

    if (world.failure[0] != '\0')
        return;
    va_start(arguments, format);
    (void)vsnprintf(world.failure, sizeof world.failure, format, arguments);
    va_end(arguments);
    if (world.verbose)
        fprintf(stderr, "    BROKEN: %s\n", world.failure);
}

/* ---- one YANG model for all: reading the module takes longer than a schedule ---- */

struct result __real_model_new(struct model **model);
struct result __wrap_model_new(struct model **model);
void __wrap_model_free(struct model *model);

struct result __wrap_model_new(struct model **model)
{
    static struct model *shared;
    struct result result = result_ok();

    if (shared == NULL)
        result = __real_model_new(&shared);
    *model = shared;
    return result;
}

/* Linked with --wrap=pthread_create: the thread that reads the store's summary at a start is to be had one time in
 * eight only, because making one takes as long as many steps; without it the library does the reading itself. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    static unsigned asked;

    return asked++ % 8 == 0 ? __real_pthread_create(thread, attributes, run, argument) : EAGAIN;
}

void __wrap_model_free(struct model *model)
{
    (void)model;
}

/* ---- scopes as JSON ---- */

static void words_of(uint8_t content, char words[48])
{
    (void)snprintf(words, 48, "content %u%s", content,
                   rules_refuses(0, content)   ? ", refused by server1"
                   : rules_refuses(1, content) ? ", refused by server2"
                                               : "");
}

uint8_t sim_content_of(const char *definition)
{
    const char *words = definition == NULL ? NULL : strstr(definition, "content ");

    return words == NULL ? 0 : (uint8_t)(strtoul(words + strlen("content "), NULL, 10) % CONTENTS);
}

static struct fingerprint fingerprint_of_words(uint8_t content)
{
    static struct fingerprint cache[CONTENTS];

    if (cache[content].hex[0] == '\0') {
        char words[48];

        words_of(content, words);
        cache[content] = fingerprint_of(words, strlen(words));
    }
    return cache[content];
}

static void prefix_of(uint32_t scope, char prefix[24])
{
    (void)snprintf(prefix, 24, "10.0.%u.0/24", scope);
}

static void definition_of(uint32_t scope, uint8_t content, char definition[200])
{
    char words[48], prefix[24];

    words_of(content, words);
    prefix_of(scope, prefix);
    (void)snprintf(definition, 200, "{\"subnet4\":{\"id\":%u,\"subnet\":\"%s\",\"user-context\":{\"words\":\"%s\"}}}",
                   scope, prefix, words);
}

static uint8_t content_of_fingerprint(uint32_t scope, struct fingerprint fingerprint)
{
    static struct fingerprint known[SCOPES + 1][CONTENTS];

    for (uint8_t content = 1; content < CONTENTS; content++) {
        struct fingerprint *one = &known[scope][content];

        if (one->hex[0] == '\0') {
            char definition[200];

            definition_of(scope, content, definition);
            *one = fingerprint_of(definition, strlen(definition));
        }
        if (fingerprint_equal(*one, fingerprint))
            return content;
    }
    return 0;
}

static uint8_t *contents_of(struct sim_server *server, enum kea_configuration which)
{
    return which == KEA_STAGED ? server->staged : server->running;
}

/* ---- what the server gives the library ---- */

static struct result object_get(void *context, enum kea_configuration which, object_id id, struct kea_object *scope)
{
    const uint32_t subnet_id = object_subnet_id(id);
    struct sim_server *server = context;
    uint8_t content = subnet_id > SCOPES ? 0 : contents_of(server, which)[subnet_id];
    char prefix[24], definition[200];

    *scope = (struct kea_object){.id = id};
    if (subnet_id > SCOPES)
        return result_error(RESULT_NOT_FOUND, "no scope %u", subnet_id);
    if (which == KEA_RUNNING && server->on_main && !server->delivery.used)
        rules_read(server->number, subnet_id);
    if (content == 0)
        return result_error(RESULT_NOT_FOUND, "no scope %u", subnet_id);
    prefix_of(subnet_id, prefix);
    definition_of(subnet_id, content, definition);
    scope->name = strdup(prefix);
    scope->definition = strdup(definition);
    scope->replicated = strdup(definition);
    scope->effective = strdup(definition);
    scope->fingerprint = scope->printed = fingerprint_of(definition, strlen(definition));
    return result_ok();
}

static struct result object_ids(void *context, enum kea_configuration which, object_id **ids, size_t *count)
{
    const uint8_t *contents = contents_of(context, which);

    *count = 0;
    *ids = calloc(SCOPES, sizeof **ids);
    for (uint32_t i = 1; i <= SCOPES; i++)
        if (contents[i] != 0)
            (*ids)[(*count)++] = i;
    return result_ok();
}

static struct result scope_find(void *context, enum kea_configuration which, const char *prefix, object_id *subnet_id)
{
    const uint8_t *contents = contents_of(context, which);

    for (uint32_t i = 1; i <= SCOPES; i++) {
        char has[24];

        prefix_of(i, has);
        if (contents[i] != 0 && strcmp(has, prefix) == 0) {
            *subnet_id = i;
            return result_ok();
        }
    }
    return result_error(RESULT_NOT_FOUND, "no scope %s", prefix);
}

static void take_change(struct sim_server *server, enum kea_configuration which, struct kea_change *change)
{
    uint8_t content = sim_content_of(change->definition);
    uint32_t scope = object_subnet_id(change->id);
    char prefix[24];

    prefix_of(scope, prefix);
    if (scope == 0 || scope > SCOPES || (rules_distrusts(scope) && strcmp(change->name, prefix) != 0)) {
        change->applied = false;
        change->text = strdup("there is no such scope");
        change->after = (struct kea_object){.id = scope};
        return;
    }
    if (strcmp(change->name, prefix) != 0)
        world_fail("%s: scope %u is named with the prefix \"%s\"", server->name, scope, change->name);
    change->applied = !rules_refuses(server->number, content);
    if (!change->applied) {
        change->text = strdup("this server refuses the scope");
    } else {
        contents_of(server, which)[scope] = content;
        if (which == KEA_RUNNING && server->delivery.used) {
            server->delivery.applied[scope] = true;
            rules_applied(server->number, scope, server->delivery.version[scope]);
        }
    }
    if (world.verbose && which == KEA_RUNNING)
        fprintf(stderr, "    %s %s scope %u content %u\n", server->name, change->applied ? "takes" : "refuses", scope,
                content);
    (void)object_get(server, which, scope, &change->after);
}

static uint32_t objects_apply(void *context, enum kea_configuration which, struct kea_change *changes, size_t count)
{
    struct sim_server *server = context;

    if (which == KEA_RUNNING && !server->on_main)
        world_fail("%s: scopes are applied on another thread than the main one", server->name);
    for (size_t i = 0; i < count; i++)
        take_change(server, which, &changes[i]);
    return 1000;
}

static struct result configuration_write(void *context)
{
    struct sim_server *server = context;

    memcpy(server->file, server->running, sizeof server->file);
    return result_ok();
}

static struct result ha_parameters(void *context, enum kea_configuration which, char **json)
{
    const struct sim_server *server = context;

    (void)which;
    if (asprintf(json,
                 "[{\"this-server-name\":\"%s\",\"mode\":\"load-balancing\",\"peers\":["
                 "{\"name\":\"server1\",\"url\":\"http://192.0.2.1:8000/\",\"role\":\"primary\"},"
                 "{\"name\":\"server2\",\"url\":\"http://192.0.2.2:8000/\",\"role\":\"secondary\"}]}]",
                 server->name) < 0)
        return result_no_memory("HA's parameters");
    return result_ok();
}

static struct result ha_status(void *context, char **json)
{
    (void)context;
    *json = strdup("[{\"ha-servers\":{\"local\":{\"state\":\"load-balancing\"},"
                   "\"remote\":{\"in-touch\":true,\"last-state\":\"load-balancing\"}}}]");
    return result_ok();
}

static struct result run_on_main(void *context, kea_task run, void *argument)
{
    struct sim_server *server = context;
    struct task *task = calloc(1, sizeof *task);

    if (task == NULL)
        return result_no_memory("a task");
    *task = (struct task){.run = run, .argument = argument, .delivery = server->delivery};
    *server->last = task;
    server->last = &task->next;
    return result_ok();
}

static bool on_main(void *context)
{
    return ((struct sim_server *)context)->on_main;
}

static void log_message(void *context, enum kea_message message, const char *const *arguments)
{
    static const char *const names[] = {
#define NAME(id, severity, text) #id,
        FAILOVER_SYNC_MESSAGES(NAME)
#undef NAME
    };
    struct sim_server *server = context;

    if (!world.verbose)
        return;
    fprintf(stderr, "    %s %s", server->name, names[message]);
    for (; *arguments != NULL; arguments++)
        fprintf(stderr, " | %s", *arguments);
    fputc('\n', stderr);
}

/* ---- tasks ---- */

static struct task *take_task(struct sim_server *server)
{
    struct task *task = server->first;

    if (task == NULL)
        return NULL;
    server->first = task->next;
    if (server->first == NULL)
        server->last = &server->first;
    return task;
}

bool sim_server_run_task(struct sim_server *server)
{
    struct task *task = take_task(server);

    if (task == NULL)
        return false;
    sim_clock_of(server);
    server->on_main = true;
    server->delivery = task->delivery;
    task->run(task->argument, false);
    server->delivery.used = false;
    server->on_main = false;
    free(task);
    return true;
}

static void cancel_tasks(struct sim_server *server)
{
    struct task *task;

    while ((task = take_task(server)) != NULL) {
        task->run(task->argument, true);
        free(task);
    }
}

/* ---- loading and ending ---- */

static void check_staged(const struct sim_server *server, const uint8_t *expected)
{
    for (uint32_t scope = 1; scope <= SCOPES; scope++)
        if (server->staged[scope] != expected[scope] && !rules_distrusts(scope))
            world_fail("scope %u: %s loads content %u, by the restart rule it should be %u", scope, server->name,
                       server->staged[scope], expected[scope]);
}

void sim_server_load(struct sim_server *server, enum sim_load kind, const uint8_t *delivered, bool committed)
{
    struct kea_delivered scopes[SCOPES];
    struct kea_load load = {.at_start = kind == SIM_START, .from_file = kind != SIM_SET, .delivered = scopes};
    uint8_t expected[SCOPES + 1];
    char parameters[900];
    struct result result;

    sim_clock_of(server);
    server->up = server->on_main = true;
    plugin_stop(server->plugin);
    server->plugin = NULL;
    cancel_tasks(server);
    sim_network_forget(server->number);
    memcpy(server->staged, delivered, sizeof server->staged);
    for (uint32_t scope = 1; scope <= SCOPES; scope++)
        if (delivered[scope] != 0)
            scopes[load.delivered_count++] =
                (struct kea_delivered){.id = scope, .text = fingerprint_of_words(delivered[scope])};
    (void)snprintf(parameters, sizeof parameters, "{\"store\": \"%s\", %s}", server->store, world.parameters);
    result = plugin_start(&server->kea, parameters, &server->plugin);
    if (!result_failed(result))
        result = plugin_configuration_loading(server->plugin, &load);
    if (result_failed(result)) {
        world_fail("%s refuses its configuration: %s", server->name, result.message);
    } else {
        if (committed) {
            rules_load(server->number, load.at_start, load.from_file, delivered, expected);
            check_staged(server, expected);
            memcpy(server->running, server->staged, sizeof server->running);
        }
        plugin_configuration_loaded(server->plugin, committed);
    }
    server->on_main = false;
}

static void end_process(struct sim_server *server)
{
    sim_clock_of(server);
    server->on_main = true;
    plugin_stop(server->plugin);
    server->plugin = NULL;
    cancel_tasks(server);
    server->on_main = false;
    server->up = false;
    server->scopes_sent = 0;
    memset(server->running, 0, sizeof server->running);
    sim_network_forget(server->number);
    rules_forget_unrecorded(server->number);
}

void sim_server_stop(struct sim_server *server)
{
    if (server->up)
        end_process(server);
}

void sim_server_crash(struct sim_server *server)
{
    if (!server->up)
        return;
    sim_disk_set(server->store, SIM_DISK_GONE);
    sim_worker_kill(server);
    end_process(server);
    sim_disk_crash(server->store);
}

/* ---- what happens to a server ---- */

void sim_server_edit(struct sim_server *server, uint32_t scope, uint8_t content, bool elsewhere)
{
    char arguments[64];

    sim_clock_of(server);
    server->running[scope] = content;
    rules_edit(server->number, scope, content);
    (void)snprintf(arguments, sizeof arguments, "{\"subnet4\":[{\"id\":%u}]}", scope);
    server->on_main = !elsewhere;
    plugin_command_finished(server->plugin, "subnet4-update", arguments, 0);
    server->on_main = false;
}

void sim_server_finish_delivery(struct sim_server *server)
{
    struct letter *delivery = &server->delivery;

    delivery->finished = true;
    for (uint32_t scope = 1; scope <= SCOPES; scope++)
        if (delivery->version[scope] >= 0 && !delivery->applied[scope])
            rules_kept(server->number, scope, delivery->version[scope]);
}

/* As Kea answers. */
static char *list_commands(void)
{
    json_t *names = json_pack("[s,s]", "list-commands", "version-get");
    json_t *answer;
    char *text;

    for (size_t i = 0; i < plugin_command_count(); i++)
        (void)json_array_append_new(names, json_string(plugin_command_name(i)));
    answer = json_pack("{s:i,s:o}", "result", 0, "arguments", names);
    text = json_dumps(answer, JSON_COMPACT);
    json_decref(answer);
    return text;
}

char *sim_server_request(struct sim_server *server, const char *text, const struct letter *delivery, bool elsewhere)
{
    json_t *root = json_loads(text, 0, NULL);
    char *arguments = json_dumps(json_object_get(root, "arguments"), JSON_COMPACT);
    char *answer, *list = NULL;

    if (world.verbose && strstr(text, "scopes") != NULL)
        fprintf(stderr, "    %s is asked %s\n", server->name, arguments);
    sim_clock_of(server);
    server->delivery = *delivery;
    server->on_main = !elsewhere;
    if (strcmp(json_string_value(json_object_get(root, "command")), "list-commands") == 0)
        answer = list_commands();
    else
        answer = plugin_command(server->plugin, json_string_value(json_object_get(root, "command")), arguments);
    server->on_main = false;
    server->delivery.used = false;
    if (answer != NULL && asprintf(&list, "[%s]", answer) < 0)
        list = NULL;
    if (world.verbose && list != NULL)
        fprintf(stderr, "    %s answers %.300s\n", server->name, list);
    free(answer);
    free(arguments);
    json_decref(root);
    return list;
}

struct sim_server *sim_server_of(const struct plugin *plugin)
{
    return plugin->server->context;
}

/* ---- what the library says ---- */

bool sim_server_known(const struct sim_server *server, uint32_t scope, struct sim_known *known)
{
    const struct plugin *plugin = server->plugin;
    struct scope_entry entry;
    const char *status;

    *known = (struct sim_known){.content = 0};
    if (plugin == NULL || plugin->index == NULL || !scope_index_get(plugin->index, scope, &entry))
        return false;
    status = scope_entry_status(&entry, plugin->relationships.count);
    known->in_sync = strcmp(status, "InSync") == 0;
    known->out_of_sync = strcmp(status, "OutOfSync") == 0;
    known->content = content_of_fingerprint(scope, entry.fingerprint);
    scope_entry_clear(&entry);
    return true;
}

bool sim_server_has_removed(const struct sim_server *server, uint32_t scope)
{
    struct scope_removed removed;

    return server->plugin != NULL && server->plugin->index != NULL &&
           scope_index_get_removed(server->plugin->index, scope, &removed);
}

uint64_t sim_server_history(const struct sim_server *server, uint32_t scope)
{
    struct statement *statement;
    uint64_t contents = 0;
    bool row = false;

    if (result_failed(statement_get(server->plugin->store, "SELECT Definition FROM ObjectHistory WHERE ObjectId = ?1",
                                    &statement)))
        return 0;
    statement_bind_integer(statement, 1, scope);
    while (!result_failed(statement_step(statement, &row)) && row)
        contents |= UINT64_C(1) << sim_content_of(statement_text(statement, 0));
    statement_done(statement);
    return contents;
}

void sim_server_queue(const struct sim_server *server, unsigned *held, unsigned *waiting)
{
    struct statement *statement;
    bool row = false;

    *held = *waiting = 0;
    if (result_failed(statement_get(server->plugin->store, "SELECT Held FROM ReplicationQueue", &statement)))
        return;
    while (!result_failed(statement_step(statement, &row)) && row)
        *(statement_integer(statement, 0) != 0 ? held : waiting) += 1;
    statement_done(statement);
}

/* ---- the world ---- */

static void make_server(struct sim_server *server, int number)
{
    *server = (struct sim_server){
        .number = number,
        .kea =
            {
                .context = server,
                .version = "simulated",
                .service = "dhcp4",
                .object_get = object_get,
                .object_ids = object_ids,
                .scope_find = scope_find,
                .objects_apply = objects_apply,
                .configuration_write = configuration_write,
                .ha_parameters = ha_parameters,
                .ha_status = ha_status,
                .run_on_main = run_on_main,
                .on_main = on_main,
                .log = log_message,
            },
    };
    server->last = &server->first;
    (void)snprintf(server->name, sizeof server->name, "server%d", number + 1);
    (void)snprintf(server->store, sizeof server->store, "%s/%s.db", world.folder, server->name);
    sim_disk_reset(server->store, (unsigned)number);
}

static void write_secret(const char *path)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fputs("a secret of the simulation\n", file) < 0 || fclose(file) != 0 || chmod(path, 0600) != 0)
        abort();
}

void sim_world_begin(const struct rules_options *options)
{
    char secret[160] = "", path[96];

    sim_now = INT64_C(1800000000000);
    sim_ticks = 1000;
    world.failure[0] = '\0';
    world.cut = false;
    world.stores_lost = 0;
    memset(world.clock_wrong, 0, sizeof world.clock_wrong);
    rules_begin(options);
    if (options->sealed) {
        (void)snprintf(path, sizeof path, "%s/secret", world.folder);
        write_secret(path);
        (void)snprintf(secret, sizeof secret, ", \"shared-secret-file\": \"%s\"", path);
    }
    (void)snprintf(world.parameters, sizeof world.parameters,
                   "\"conflict\": \"%s\", \"deletes\": %s, \"max-delete-percent\": 100, \"reconcile-interval\": %u, "
                   "\"retry\": {\"min-ms\": 200, \"max-ms\": 30000}%s",
                   options->primary_wins ? "primary-wins" : "hold", options->deletes ? "true" : "false",
                   options->reconcile_interval, secret);
    for (int i = 0; i < SERVERS; i++)
        make_server(&world.server[i], i);
}

void sim_world_end(void)
{
    for (int i = 0; i < SERVERS; i++)
        sim_server_crash(&world.server[i]);
    sim_network_clear();
}
