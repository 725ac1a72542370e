/* The fake server: see the header. Everything Kea would do on its main thread happens on a thread here. */
#include "fake_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SCOPES 4096 /* places: scopes by their subnet ids, and the last ones for classes */

struct task {
    kea_task run;
    void *argument;
    struct task *next;
};

struct fake_server {
    struct kea_server server;
    char name[32], store[256];
    char ha[1024];
    int listener, port;
    pthread_t main_thread, door;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct task *first, **last;
    bool ending;
    atomic_bool reachable, held;
    atomic_int elsewhere; /* commands under way on threads of the listener */
    atomic_int writes;    /* of the configuration file, by the server itself */
    fake_server_tamper *_Atomic tamper;
    char *batch; /* the arguments of the last request with scopes; guarded by `lock` */
    /* The main thread's alone. */
    char *file[SCOPES], *running[SCOPES], *staged[SCOPES];
    struct plugin *plugin;
    char *parameters;
    const char *inherited;
};

/* ---- the main thread
 * ------------------------------------------------------------------------------------------------- */

static struct result run_on_main(void *context, kea_task run, void *argument)
{
    struct fake_server *server = context;
    struct task *task = malloc(sizeof *task);

    if (task == NULL)
        return result_no_memory("a task");
    *task = (struct task){.run = run, .argument = argument};
    pthread_mutex_lock(&server->lock);
    *server->last = task;
    server->last = &task->next;
    pthread_cond_signal(&server->wake);
    pthread_mutex_unlock(&server->lock);
    return result_ok();
}

static void *main_loop(void *argument)
{
    struct fake_server *server = argument;

    pthread_mutex_lock(&server->lock);
    for (;;) {
        struct task *task;

        while (server->first == NULL && !server->ending)
            pthread_cond_wait(&server->wake, &server->lock);
        task = server->first;
        if (task == NULL)
            break;
        server->first = task->next;
        if (server->first == NULL)
            server->last = &server->first;
        pthread_mutex_unlock(&server->lock);
        task->run(task->argument, false);
        free(task);
        pthread_mutex_lock(&server->lock);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

/* A call made on the main thread, awaited by the test. */
struct call {
    struct fake_server *server;
    void (*run)(struct call *call);
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool finished;
    const char *name, *arguments;
    uint32_t subnet_id;
    bool flag;
    char *text;
    enum result_code code;
};

static void run_call(void *argument, bool cancelled)
{
    struct call *call = argument;

    (void)cancelled;
    call->run(call);
    pthread_mutex_lock(&call->lock);
    call->finished = true;
    pthread_cond_signal(&call->done);
    pthread_mutex_unlock(&call->lock);
}

static void on_main_do(struct call *call, void (*run)(struct call *call))
{
    call->run = run;
    pthread_mutex_init(&call->lock, NULL);
    pthread_cond_init(&call->done, NULL);
    (void)run_on_main(call->server, run_call, call);
    pthread_mutex_lock(&call->lock);
    while (!call->finished)
        pthread_cond_wait(&call->done, &call->lock);
    pthread_mutex_unlock(&call->lock);
    pthread_mutex_destroy(&call->lock);
    pthread_cond_destroy(&call->done);
}

static bool on_main(void *context)
{
    struct fake_server *server = context;

    return pthread_equal(pthread_self(), server->main_thread) != 0;
}

/* ---- scopes
 * ---------------------------------------------------------------------------------------------------------- */

/* There is room for so many only; beyond, there is no scope, and none is taken. */
static char **words_of(struct fake_server *server, enum kea_configuration which, uint32_t subnet_id)
{
    static char *none;

    if (subnet_id >= SCOPES)
        return &none;
    return which == KEA_STAGED ? &server->staged[subnet_id] : &server->running[subnet_id];
}

static bool is_class(uint32_t place)
{
    return place >= FAKE_CLASS(0) && place < SCOPES;
}

static void prefix_of(uint32_t subnet_id, char prefix[32])
{
    if (is_class(subnet_id))
        snprintf(prefix, 32, "class%u", subnet_id - FAKE_CLASS(0));
    else
        snprintf(prefix, 32, "10.%u.%u.0/24", subnet_id / 256, subnet_id % 256);
}

static object_id id_of(uint32_t place)
{
    char name[32];

    prefix_of(place, name);
    return is_class(place) ? object_id_of(OBJECT_CLIENT_CLASS, name) : place;
}

/* SCOPES: there is no place for it. */
static uint32_t place_of(object_id id)
{
    if (object_kind_of(id) == OBJECT_SCOPE)
        return object_subnet_id(id) < FAKE_CLASS(0) ? object_subnet_id(id) : SCOPES;
    for (uint32_t place = FAKE_CLASS(0); place < SCOPES; place++)
        if (id_of(place) == id)
            return place;
    return SCOPES;
}

static int compare_ids(const void *a, const void *b)
{
    const object_id left = *(const object_id *)a, right = *(const object_id *)b;

    return left < right ? -1 : left > right;
}

/* The network and its words: "campus:old" of "five@campus:old"; NULL without one. */
static const char *network_of(const char *words)
{
    const char *at = words == NULL ? NULL : strchr(words, '@');

    return at == NULL ? NULL : at + 1;
}

/* Whether words are in the network that begins `network`, a name and whatever follows its colon. */
static bool is_in_network(const char *words, const char *network)
{
    const char *own = network_of(words);
    size_t length = strcspn(network, ":");

    return own != NULL && strncmp(own, network, length) == 0 && own[length] == ':';
}

static void change_network(char **words, const char *network)
{
    char *changed = NULL;

    if (asprintf(&changed, "%.*s%s", (int)(network_of(*words) - *words), *words, network) < 0)
        abort();
    free(*words);
    *words = changed;
}

/* A scope has come: the other scopes of its network, if there are any, get its network's words, or give it theirs. */
static void settle_network(char **all, uint32_t subnet_id, bool keep_network)
{
    const char *network = network_of(all[subnet_id]);

    for (uint32_t i = 0; network != NULL && i < SCOPES; i++) {
        if (i == subnet_id || !is_in_network(all[i], network))
            continue;
        if (keep_network) {
            change_network(&all[subnet_id], network_of(all[i]));
            return;
        }
        change_network(&all[i], network);
    }
}

/* Behind a '|' the words have pools, separated by ','; behind an '@' a network. */
static char *definition_of(uint32_t subnet_id, const char *prefix, const char *words)
{
    const char *bar = strchr(words, '|'), *network = network_of(words);
    json_t *pools = json_array();
    json_t *root;
    char *text;

    if (is_class(subnet_id)) {
        json_decref(pools);
        root = json_pack("{s:s,s:{s:s}}", "name", prefix, "user-context", "words", words);
        text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
        json_decref(root);
        return text;
    }
    for (const char *pool = bar; pool != NULL; pool = strchr(pool + 1, ','))
        json_array_append_new(pools, json_pack("{s:s%}", "pool", pool + 1, strcspn(pool + 1, ",")));
    root = json_pack("{s:{s:i,s:s,s:{s:s%}}}", "subnet4", "id", (int)subnet_id, "subnet", prefix, "user-context",
                     "words", words, bar == NULL ? strlen(words) : (size_t)(bar - words));
    if (bar != NULL)
        json_object_set(json_object_get(root, "subnet4"), "pools", pools);
    if (network != NULL) {
        size_t name = strcspn(network, ":");

        json_object_set_new(json_object_get(json_object_get(root, "subnet4"), "user-context"), "words",
                            json_sprintf("%.*s", (int)(network - 1 - words), words));
        json_object_set_new(
            root, "shared-network",
            json_pack("{s:s%,s:{s:s}}", "name", network, name, "user-context", "words", network + name + 1));
    }
    text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(pools);
    json_decref(root);
    return text;
}

/* Whether what stands between the words' own separators can be told from them again. */
static bool is_sayable(const char *text)
{
    return text != NULL && strpbrk(text, "@|,:") == NULL;
}

static bool is_sayable_network(const json_t *network)
{
    return network == NULL ||
           (is_sayable(json_string_value(json_object_get(network, "name"))) &&
            is_sayable(json_string_value(json_object_get(json_object_get(network, "user-context"), "words"))));
}

/* With what the shim puts in front if the server has more than it prints: that is so of words that have a '$'. */
static char *printed_definition(uint32_t subnet_id, const char *prefix, const char *words)
{
    char *whole = definition_of(subnet_id, prefix, words), *text = NULL;

    if (strchr(words, '$') == NULL)
        return whole;
    if (asprintf(&text, "{ \"" KEA_UNPRINTED_KEYWORD "\": \"" KEA_UNPRINTED "its \\\"$\\\" as it is: 24\", %s",
                 whole + 1) < 0)
        abort();
    free(whole);
    return text;
}

/* The words of a definition; NULL if the fake server does not take it. */
static char *words_of_definition(const char *definition)
{
    json_t *root = json_loads(definition, 0, NULL);
    json_t *class = json_object_get(root, "name") != NULL ? root : NULL;
    json_t *subnet = class != NULL ? class : json_object_get(root, "subnet4");
    json_t *network = json_object_get(root, "shared-network");
    const char *text = json_string_value(json_object_get(json_object_get(subnet, "user-context"), "words"));
    const bool refused = text == NULL || strpbrk(text, "@|") != NULL || !is_sayable_network(network) ||
                         strstr(definition, "refuse") != NULL || json_object_get(root, KEA_UNPRINTED_KEYWORD) != NULL;
    char *words = refused ? NULL : strdup(text);
    json_t *pool;
    size_t i;

    json_array_foreach(json_object_get(subnet, "pools"), i, pool)
    {
        const char *bounds = json_string_value(json_object_get(pool, "pool"));
        char *longer;

        if (words == NULL || !is_sayable(bounds) || strstr(bounds, ".66") != NULL ||
            asprintf(&longer, "%s%c%s", words, i == 0 ? '|' : ',', bounds) < 0)
            longer = NULL;
        free(words);
        words = longer;
    }
    if (words != NULL && network != NULL) {
        char *longer = NULL;

        if (asprintf(&longer, "%s@%s:%s", words, json_string_value(json_object_get(network, "name")),
                     json_string_value(json_object_get(json_object_get(network, "user-context"), "words"))) < 0)
            abort();
        free(words);
        words = longer;
    }
    json_decref(root);
    return words;
}

static char *effective_definition(const struct fake_server *server, uint32_t subnet_id, const char *prefix,
                                  const char *words)
{
    char *longer = NULL, *definition;

    if (asprintf(&longer, "%s%s", words, server->inherited == NULL ? "" : server->inherited) < 0)
        abort();
    definition = printed_definition(subnet_id, prefix, longer);
    free(longer);
    return definition;
}

/* Kea has written into a configuration what its scopes inherit before the library sees it. */
static struct fingerprint fingerprint_as_loaded(const struct fake_server *server, const char *words)
{
    char prefix[32], *definition;
    struct fingerprint fingerprint;

    prefix_of(1, prefix);
    definition = effective_definition(server, 1, prefix, words);
    fingerprint = fingerprint_of(definition, strlen(definition));
    free(definition);
    return fingerprint;
}

static struct result object_get(void *context, enum kea_configuration which, object_id id, struct kea_object *scope)
{
    const uint32_t subnet_id = place_of(id);
    const char *words = *words_of(context, which, subnet_id);
    char prefix[32];

    *scope = (struct kea_object){.id = id};
    if (words == NULL)
        return result_error(RESULT_NOT_FOUND, "no scope %u", subnet_id);
    prefix_of(subnet_id, prefix);
    scope->name = strdup(prefix);
    scope->definition = printed_definition(subnet_id, prefix, words);
    scope->replicated = strdup(scope->definition);
    scope->effective = effective_definition(context, subnet_id, prefix, words);
    scope->fingerprint = fingerprint_of(scope->definition, strlen(scope->definition));
    scope->printed = fingerprint_of(scope->effective, strlen(scope->effective));
    return result_ok();
}

static struct result object_ids(void *context, enum kea_configuration which, object_id **ids, size_t *count)
{
    *count = 0;
    *ids = calloc(SCOPES, sizeof **ids);
    for (uint32_t i = 0; i < SCOPES; i++)
        if (*words_of(context, which, i) != NULL)
            (*ids)[(*count)++] = id_of(i);
    qsort(*ids, *count, sizeof **ids, compare_ids);
    return result_ok();
}

static struct result scope_find(void *context, enum kea_configuration which, const char *prefix, object_id *subnet_id)
{
    for (uint32_t i = 0; i < SCOPES; i++) {
        char has[32];

        prefix_of(i, has);
        if (*words_of(context, which, i) != NULL && strcmp(has, prefix) == 0) {
            *subnet_id = i;
            return result_ok();
        }
    }
    return result_error(RESULT_NOT_FOUND, "no scope %s", prefix);
}

static struct result network_scope_ids(void *context, enum kea_configuration which, const char *network,
                                       object_id **ids, size_t *count)
{
    *count = 0;
    *ids = calloc(SCOPES, sizeof **ids);
    for (uint32_t i = 0; i < SCOPES; i++)
        if (is_in_network(*words_of(context, which, i), network))
            (*ids)[(*count)++] = i;
    return result_ok();
}

/* Whether the server prints the same of both words. */
static bool is_printed_same(const struct fake_server *server, const char *there, const char *words)
{
    const size_t length = strlen(words);

    return there != NULL && strncmp(there, words, length) == 0 &&
           (there[length] == '\0' || (server->inherited != NULL && strcmp(there + length, server->inherited) == 0));
}

static uint32_t objects_apply(void *context, enum kea_configuration which, struct kea_change *changes, size_t count)
{
    const struct fake_server *server = context;

    /* With threads, Kea first waits until its own and the listener's are idle. */
    while (which == KEA_RUNNING && server->elsewhere > 0)
        usleep(1000);
    for (size_t i = 0; i < count; i++) {
        struct kea_change *change = &changes[i];
        const uint32_t place = place_of(change->id);
        char **words = words_of(context, which, place);

        char prefix[32];

        prefix_of(place, prefix);
        change->applied = change->definition != NULL || *words == NULL || strcmp(change->name, prefix) == 0;
        if (!change->applied) {
            change->text = strdup("the subnet with this id has another prefix");
            continue;
        }
        if (change->definition == NULL) {
            free(*words);
            *words = NULL;
            continue;
        }
        char *new = words_of_definition(change->definition);

        change->otherwise = new != NULL && change->words_only && !is_printed_same(server, *words, new);
        if (new == NULL || place >= SCOPES || change->otherwise) {
            free(new);
            change->applied = false;
            change->text = strdup("the fake server refuses this scope");
        } else {
            free(*words);
            *words = new;
            settle_network(words - place, place, change->keep_network);
        }
    }
    for (size_t i = 0; i < count; i++)
        (void)object_get(context, which, changes[i].id, &changes[i].after);
    return (uint32_t)count * 30;
}

/* The file becomes what runs. */
static struct result configuration_write(void *context)
{
    struct fake_server *server = context;

    for (uint32_t i = 0; i < SCOPES; i++) {
        free(server->file[i]);
        server->file[i] = NULL;
        if (server->running[i] != NULL && asprintf(&server->file[i], "%s%s", server->running[i],
                                                   server->inherited == NULL ? "" : server->inherited) < 0)
            abort();
    }
    server->writes++;
    return result_ok();
}

static struct result ha_parameters(void *context, enum kea_configuration which, char **json)
{
    struct fake_server *server = context;

    (void)which;
    *json = NULL;
    if (server->ha[0] == '\0')
        return result_error(RESULT_NOT_FOUND, "no HA");
    *json = strdup(server->ha);
    return result_ok();
}

static struct result ha_status(void *context, char **json)
{
    (void)context;
    *json = strdup("[{\"ha-servers\":{\"local\":{\"state\":\"load-balancing\"},"
                   "\"remote\":{\"in-touch\":true,\"last-state\":\"load-balancing\"}}}]");
    return result_ok();
}

static void log_message(void *context, enum kea_message message, const char *const *arguments)
{
    static const char *const names[] = {
#define NAME(id, severity, text) #id,
        FAILOVER_SYNC_MESSAGES(NAME)
#undef NAME
    };
    struct fake_server *server = context;

    if (getenv("FAKE_SERVER_LOG") == NULL)
        return;
    fprintf(stderr, "%s %s", server->name, names[message]);
    for (; *arguments != NULL; arguments++)
        fprintf(stderr, " | %s", *arguments);
    fputc('\n', stderr);
}

/* ---- the HTTP door
 * --------------------------------------------------------------------------------------------------- */

static char *read_request(int connection)
{
    size_t capacity = 1 << 16, length = 0, wanted = 0;
    char *text = malloc(capacity + 1);

    for (;;) {
        ssize_t got;
        const char *body;

        if (length == capacity)
            text = realloc(text, (capacity *= 2) + 1);
        got = recv(connection, text + length, capacity - length, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
        text[length] = '\0';
        body = strstr(text, "\r\n\r\n");
        if (body == NULL)
            continue;
        if (wanted == 0) {
            const char *header = strcasestr(text, "content-length:");

            wanted = (size_t)(body + 4 - text) + (header == NULL ? 0 : strtoul(header + 15, NULL, 10));
        }
        if (length >= wanted) {
            memmove(text, text + (body + 4 - text), length - (size_t)(body + 4 - text) + 1);
            return text;
        }
    }
    free(text);
    return NULL;
}

static void call_plugin(struct call *call)
{
    call->text =
        call->server->plugin == NULL ? NULL : plugin_command(call->server->plugin, call->name, call->arguments);
}

/* As Kea answers. */
static void list_commands(struct call *call)
{
    json_t *names = json_pack("[s,s]", "list-commands", "version-get");
    json_t *answer;

    for (size_t i = 0; call->server->plugin != NULL && i < plugin_command_count(); i++)
        json_array_append_new(names, json_string(plugin_command_name(i)));
    answer = json_pack("{s:i,s:o}", "result", 0, "arguments", names);
    call->text = json_dumps(answer, 0);
    json_decref(answer);
}

static void keep_batch(struct fake_server *server, const char *arguments)
{
    pthread_mutex_lock(&server->lock);
    free(server->batch);
    server->batch = strdup(arguments);
    pthread_mutex_unlock(&server->lock);
}

static void answer_request(struct fake_server *server, int connection)
{
    char *request = read_request(connection);
    json_t *root = request == NULL ? NULL : json_loads(request, 0, NULL);
    char *arguments = json_dumps(json_object_get(root, "arguments"), 0);
    struct call call = {
        .server = server, .name = json_string_value(json_object_get(root, "command")), .arguments = arguments};

    if (call.name != NULL && server->reachable) {
        fake_server_tamper *tamper;

        if (json_object_get(json_object_get(root, "arguments"), "scopes") != NULL)
            keep_batch(server, arguments);
        on_main_do(&call, strcmp(call.name, "list-commands") == 0 ? list_commands : call_plugin);
        tamper = server->tamper; /* read once: it may be taken away meanwhile */
        if (tamper != NULL && call.text != NULL && strcmp(call.name, "list-commands") != 0)
            call.text = tamper(call.text);
    }
    if (call.text != NULL)
        dprintf(connection, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n[%s]",
                strlen(call.text) + 2, call.text);
    free(call.text);
    free(arguments);
    json_decref(root);
    free(request);
}

static void *door_loop(void *argument)
{
    struct fake_server *server = argument;

    for (;;) {
        int connection = accept(server->listener, NULL, NULL);

        if (connection < 0)
            return NULL;
        if (server->reachable)
            answer_request(server, connection);
        close(connection);
    }
}

/* ---- what tests call
 * ------------------------------------------------------------------------------------------------- */

struct fake_server *fake_server_new(const char *name, const char *folder)
{
    struct fake_server *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    server->server = (struct kea_server){
        .context = server,
        .version = "fake",
        .service = "dhcp4",
        .object_get = object_get,
        .object_ids = object_ids,
        .scope_find = scope_find,
        .network_scope_ids = network_scope_ids,
        .objects_apply = objects_apply,
        .configuration_write = configuration_write,
        .ha_parameters = ha_parameters,
        .ha_status = ha_status,
        .run_on_main = run_on_main,
        .on_main = on_main,
        .log = log_message,
    };
    snprintf(server->name, sizeof server->name, "%s", name);
    snprintf(server->store, sizeof server->store, "%s/%s.db", folder, name);
    /* A partner that is unloaded in the middle of an answer is no reason to end; Kea's own sockets see to that, too. */
    (void)signal(SIGPIPE, SIG_IGN);
    server->last = &server->first;
    server->reachable = true;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->wake, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(server->listener, 16) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) != 0)
        abort();
    server->port = ntohs(address.sin_port);
    pthread_create(&server->main_thread, NULL, main_loop, server);
    pthread_create(&server->door, NULL, door_loop, server);
    return server;
}

int fake_server_port(const struct fake_server *server)
{
    return server->port;
}

void fake_server_pair(struct fake_server *server, int port1, int port2)
{
    snprintf(server->ha, sizeof server->ha,
             "[{\"this-server-name\":\"%s\",\"mode\":\"load-balancing\",\"peers\":["
             "{\"name\":\"server1\",\"url\":\"http://127.0.0.1:%d/\",\"role\":\"primary\"},"
             "{\"name\":\"server2\",\"url\":\"http://127.0.0.1:%d/\",\"role\":\"secondary\"}]}]",
             server->name, port1, port2);
}

static char *with_store(const struct fake_server *server)
{
    json_t *root = server->parameters == NULL ? json_object() : json_loads(server->parameters, 0, NULL);
    char *text;

    if (json_object_get(root, "store") == NULL)
        json_object_set_new(root, "store", json_string(server->store));
    text = json_dumps(root, 0);
    json_decref(root);
    return text;
}

/* As the shim does when the library is unloaded: what was still to run is cancelled. A test waits for its own calls. */
static void cancel_tasks(struct fake_server *server)
{
    struct task *task, *kept = NULL, **last = &kept;

    pthread_mutex_lock(&server->lock);
    task = server->first;
    server->first = NULL;
    server->last = &server->first;
    pthread_mutex_unlock(&server->lock);
    while (task != NULL) {
        struct task *next = task->next;

        task->next = NULL;
        if (task->run == run_call) {
            *last = task;
            last = &task->next;
        } else {
            task->run(task->argument, true);
            free(task);
        }
        task = next;
    }
    pthread_mutex_lock(&server->lock);
    *last = server->first;
    if (kept != NULL) {
        if (server->first == NULL)
            server->last = last;
        server->first = kept;
    }
    pthread_mutex_unlock(&server->lock);
}

static int compare_delivered(const void *a, const void *b)
{
    return compare_ids(&((const struct kea_delivered *)a)->id, &((const struct kea_delivered *)b)->id);
}

/* What Kea does at a configuration: libraries out and in, parse, callout, commit. */
static void load(struct call *call)
{
    struct fake_server *server = call->server;
    struct kea_delivered delivered[SCOPES];
    struct kea_load load = {.at_start = call->name != NULL, .from_file = call->flag, .delivered = delivered};
    char *parameters = with_store(server);
    struct result result;

    plugin_stop(server->plugin);
    server->plugin = NULL;
    cancel_tasks(server);
    for (uint32_t i = 0; i < SCOPES; i++) {
        free(server->staged[i]);
        server->staged[i] = server->file[i] == NULL ? NULL : strdup(server->file[i]);
        if (server->staged[i] != NULL)
            delivered[load.delivered_count++] =
                (struct kea_delivered){.id = id_of(i), .text = fingerprint_as_loaded(server, server->staged[i])};
    }
    qsort(delivered, load.delivered_count, sizeof *delivered, compare_delivered);
    result = plugin_start(&server->server, parameters, &server->plugin);
    if (result_failed(result) && !load.at_start)
        result = plugin_start_idle(&server->server, result.message, &server->plugin);
    if (!result_failed(result))
        result = plugin_configuration_loading(server->plugin, &load);
    call->code = result.code;
    if (result_failed(result) && getenv("FAKE_SERVER_LOG") != NULL)
        fprintf(stderr, "%s refuses to load: %s\n", server->name, result.message);
    if (!result_failed(result)) {
        for (uint32_t i = 0; i < SCOPES; i++) {
            free(server->running[i]);
            server->running[i] = server->staged[i];
            server->staged[i] = NULL;
        }
        plugin_configuration_loaded(server->plugin, true);
    }
    free(parameters);
}

enum result_code fake_server_start(struct fake_server *server, const char *parameters)
{
    struct call call = {.server = server, .name = "start", .flag = true};

    free(server->parameters);
    server->parameters = parameters == NULL ? NULL : strdup(parameters);
    on_main_do(&call, load);
    return call.code;
}

enum result_code fake_server_reload(struct fake_server *server, bool from_file)
{
    struct call call = {.server = server, .flag = from_file};

    on_main_do(&call, load);
    return call.code;
}

/* The same without unloading the library first, which Kea never leaves out. */
static void load_again(struct call *call)
{
    struct fake_server *server = call->server;
    struct kea_load load = {.from_file = true};
    struct result result = plugin_configuration_loading(server->plugin, &load);

    call->code = result.code;
    plugin_configuration_loaded(server->plugin, true);
}

enum result_code fake_server_load_again(struct fake_server *server)
{
    struct call call = {.server = server};

    on_main_do(&call, load_again);
    return call.code;
}

static void hold(void *argument, bool cancelled)
{
    struct fake_server *server = argument;

    (void)cancelled;
    while (server->held)
        usleep(1000);
}

void fake_server_hold(struct fake_server *server)
{
    server->held = true;
    (void)run_on_main(server, hold, server);
}

void fake_server_release(struct fake_server *server)
{
    server->held = false;
}

void fake_server_set_parameters(struct fake_server *server, const char *parameters)
{
    free(server->parameters);
    server->parameters = parameters == NULL ? NULL : strdup(parameters);
}

static void stop(struct call *call)
{
    struct fake_server *server = call->server;

    plugin_stop(server->plugin);
    server->plugin = NULL;
    for (uint32_t i = 0; i < SCOPES; i++) {
        free(server->running[i]);
        server->running[i] = NULL;
    }
    cancel_tasks(server);
}

void fake_server_stop(struct fake_server *server)
{
    struct call call = {.server = server};

    on_main_do(&call, stop);
}

void fake_server_free(struct fake_server *server)
{
    fake_server_stop(server);
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->door, NULL);
    close(server->listener);
    pthread_mutex_lock(&server->lock);
    server->ending = true;
    pthread_cond_signal(&server->wake);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->main_thread, NULL);
    for (uint32_t i = 0; i < SCOPES; i++) {
        free(server->file[i]);
        free(server->staged[i]);
    }
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->wake);
    free(server->parameters);
    free(server->batch);
    free(server);
}

static void file_put(struct call *call)
{
    char **words = &call->server->file[call->subnet_id];

    free(*words);
    *words = call->arguments == NULL ? NULL : strdup(call->arguments);
}

void fake_server_inherit(struct fake_server *server, const char *words)
{
    server->inherited = words;
}

void fake_server_file_put(struct fake_server *server, uint32_t subnet_id, const char *words)
{
    struct call call = {.server = server, .subnet_id = subnet_id, .arguments = words};

    on_main_do(&call, file_put);
}

static void write_file(struct call *call)
{
    (void)configuration_write(call->server);
    plugin_configuration_written(call->server->plugin);
}

void fake_server_write(struct fake_server *server)
{
    struct call call = {.server = server};

    on_main_do(&call, write_file);
}

static void command_put(struct call *call)
{
    char **words = &call->server->running[call->subnet_id];
    const bool class = is_class(call->subnet_id);
    char arguments[64], name[32];

    prefix_of(call->subnet_id, name);
    free(*words);
    *words = call->arguments == NULL ? NULL : strdup(call->arguments);
    if (class)
        snprintf(arguments, sizeof arguments, "{\"client-classes\":[{\"name\":\"%s\"}]}", name);
    else
        snprintf(arguments, sizeof arguments, "{\"subnet4\":[{\"id\":%u}]}", call->subnet_id);
    if (call->server->plugin != NULL)
        plugin_command_finished(call->server->plugin, class ? "class-update" : "subnet4-update", arguments, 0);
}

void fake_server_command_put(struct fake_server *server, uint32_t subnet_id, const char *words)
{
    struct call call = {.server = server, .subnet_id = subnet_id, .arguments = words};

    on_main_do(&call, command_put);
}

static void get_words(struct call *call)
{
    const char *words = call->server->running[call->subnet_id];

    call->text = strdup(words == NULL ? "" : words);
}

char *fake_server_words(struct fake_server *server, uint32_t subnet_id)
{
    struct call call = {.server = server, .subnet_id = subnet_id};

    on_main_do(&call, get_words);
    return call.text;
}

char *fake_server_command(struct fake_server *server, const char *name, const char *arguments)
{
    struct call call = {.server = server, .name = name, .arguments = arguments};

    on_main_do(&call, call_plugin);
    return call.text;
}

char *fake_server_command_elsewhere(struct fake_server *server, const char *name, const char *arguments)
{
    char *answer;

    server->elsewhere++;
    answer = plugin_command(server->plugin, name, arguments);
    server->elsewhere--;
    return answer;
}

const char *fake_server_store(const struct fake_server *server)
{
    return server->store;
}

int fake_server_writes(struct fake_server *server)
{
    return server->writes;
}

char *fake_server_batch(struct fake_server *server)
{
    char *copy;

    pthread_mutex_lock(&server->lock);
    copy = server->batch == NULL ? NULL : strdup(server->batch);
    pthread_mutex_unlock(&server->lock);
    return copy;
}

void fake_server_set_tamper(struct fake_server *server, fake_server_tamper *tamper)
{
    server->tamper = tamper;
}

void fake_server_set_reachable(struct fake_server *server, bool reachable)
{
    server->reachable = reachable;
}

bool fake_server_await(struct fake_server *server, uint32_t subnet_id, const char *words, int ms)
{
    for (int waited = 0;; waited += 5) {
        char *has = fake_server_words(server, subnet_id);
        bool same = strcmp(has, words) == 0;

        free(has);
        if (same || waited >= ms)
            return same;
        usleep(5000);
    }
}

long long fake_server_status(struct fake_server *server, const char *member)
{
    char *answer = fake_server_command(server, "failover-status", NULL);
    json_t *root = answer == NULL ? NULL : json_loads(answer, 0, NULL);
    json_t *list = json_object_get(json_object_get(root, "arguments"), "relationships");
    json_t *value = json_object_get(json_array_get(list, 0), member);
    long long number = json_is_integer(value) ? json_integer_value(value) : -1;

    json_decref(root);
    free(answer);
    return number;
}

bool fake_server_await_status(struct fake_server *server, const char *member, long long value, int ms)
{
    for (int waited = 0;; waited += 5) {
        bool same = fake_server_status(server, member) == value;

        if (same || waited >= ms)
            return same;
        usleep(5000);
    }
}
