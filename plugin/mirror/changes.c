/* Scopes changed at run time: which ones a command touched, reading them on the main thread, handing them to the
 * worker. */
#include "failover_sync/mirror.h"

#include "failover_sync/json_load.h"
#include "failover_sync/worker.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Of scopes that wait for the worker, because the store refuses what comes before them, say: more are not kept, but
 * read anew when it is their turn. */
#define KEPT_MAX       1024
#define KEPT_BYTES_MAX (8 << 20)

#define SLICE 16 /* scopes read at a time when all are read: about a millisecond of the main thread */

/* Whether the partner changed their shared network, and nobody the scopes; and whether they go to the partner again. */
enum follow { FOLLOW_NOT, FOLLOW, FOLLOW_AND_SEND };

/* Scopes as they were found; one without a definition was not there. With `rest`, more are to be read afterwards. */
struct found_scopes {
    struct plugin *plugin;
    struct kea_object *scopes;
    size_t count;
    size_t bytes;
    enum follow follow;
    struct reading *rest;
    bool reread; /* nothing was kept: everything is to be read */
};

struct reading {
    struct plugin *plugin;
    object_id *ids;
    size_t count, next;
    enum follow follow;
};

/* From here on until it is freed a change is pending. */
static struct reading *reading_new(struct plugin *plugin)
{
    struct reading *reading = calloc(1, sizeof *reading);

    if (reading == NULL)
        return NULL;
    reading->plugin = plugin;
    plugin->changes_pending++;
    return reading;
}

/* The plugin is gone. */
static void reading_cancel(struct reading *reading)
{
    free(reading->ids);
    free(reading);
}

static void reading_free(struct reading *reading)
{
    if (reading == NULL)
        return;
    reading->plugin->changes_pending--;
    reading_cancel(reading);
}

static void release_found(void *argument)
{
    struct found_scopes *found = argument;

    found->plugin->changes_kept -= found->count;
    found->plugin->changes_bytes -= found->bytes;
    for (size_t i = 0; i < found->count; i++)
        kea_object_clear(&found->scopes[i]);
    free(found->scopes);
    reading_free(found->rest);
    found->plugin->changes_pending--;
    free(found);
}

/* Who made the version that was found. One that follows is as it was but for its network's parameters. */
static enum scope_origin origin_of(const struct mirror_writer *writer, const struct found_scopes *found, object_id id)
{
    enum scope_origin origin = SCOPE_FROM_CONFIGURATION;
    struct scope_entry entry;

    if (found->follow != FOLLOW_NOT && scope_index_get(writer->plugin->index, id, &entry)) {
        origin = entry.origin;
        scope_entry_clear(&entry);
    }
    return origin;
}

static struct result write_found(struct mirror_writer *writer, const struct found_scopes *found)
{
    struct result result = result_ok();

    for (size_t i = 0; i < found->count && !result_failed(result); i++) {
        const struct kea_object *scope = &found->scopes[i];
        struct mirror_version version = {
            .scope = scope,
            .origin = origin_of(writer, found, scope->id),
            .followed = found->follow == FOLLOW,
            .follow_sent = found->follow == FOLLOW_AND_SEND,
            .agreed_with = -1,
        };

        if (scope->definition == NULL) {
            const struct mirror_removal removal = {
                .id = scope->id, .origin = SCOPE_FROM_CONFIGURATION, .agreed_with = -1};

            result = mirror_remove_scope(writer, &removal);
        } else {
            result = fingerprint_empty(scope->fingerprint) ? result_no_memory("a fingerprint")
                                                           : mirror_put_scope(writer, &version);
        }
    }
    return result;
}

static void read_slice(void *argument, bool cancelled);
static struct result mirror_found(struct plugin *plugin, void *argument);

/* [main] From now on changes are kept again. */
static void reread(void *argument, bool cancelled)
{
    struct plugin *plugin = argument;
    struct result result;

    if (cancelled)
        return;
    plugin->changes_reread = false;
    result = changes_read_all(plugin);
    plugin->changes_pending--;
    if (result_failed(result))
        changes_missed(plugin, &result);
}

void changes_missed(struct plugin *plugin, const struct result *why)
{
    plugin->changes_missed = true;
    engine_set_mirror(plugin, why);
}

/* The worker has got through what was kept before. The change stays pending until all is read. */
static struct result ask_reread(struct plugin *plugin)
{
    struct result result;

    plugin->changes_pending++;
    result = plugin->server->run_on_main(plugin->server->context, reread, plugin);
    if (result_failed(result))
        plugin->changes_pending--;
    return result;
}

void changes_recover(struct plugin *plugin)
{
    if (atomic_exchange(&plugin->changes_missed, false) && result_failed(ask_reread(plugin)))
        plugin->changes_missed = true;
}

static bool is_too_much(const struct plugin *plugin)
{
    return plugin->changes_kept >= KEPT_MAX || plugin->changes_bytes >= KEPT_BYTES_MAX;
}

/* [main] Nothing more is kept: a mark in the queue stands for whatever changes until the worker comes to it. */
static struct result mark_reread(struct plugin *plugin)
{
    struct found_scopes *found;
    struct result result;

    if (plugin->changes_reread)
        return result_ok();
    found = calloc(1, sizeof *found);
    if (found == NULL)
        return result_no_memory("changed scopes");
    found->plugin = plugin;
    found->reread = true;
    plugin->changes_pending++;
    result = worker_post(plugin, mirror_found, release_found, found);
    plugin->changes_reread = !result_failed(result);
    return result;
}

static struct result mirror_found(struct plugin *plugin, void *argument)
{
    struct found_scopes *found = argument;
    struct mirror_writer writer;
    struct result result;

    if (found->reread) {
        result = ask_reread(plugin);
        if (!result_may_pass(result))
            release_found(found);
        return result;
    }
    result = mirror_begin(plugin, &writer);
    if (result_failed(result))
        return result;
    result = write_found(&writer, found);
    if (result_failed(result))
        mirror_abandon(&writer);
    else
        result = mirror_commit(&writer);
    if (result_may_pass(result))
        return result;
    if (!result_failed(result) && found->rest != NULL) {
        result = plugin->server->run_on_main(plugin->server->context, read_slice, found->rest);
        if (result_failed(result))
            changes_missed(plugin, &result);
        else
            found->rest = NULL;
    }
    release_found(found);
    return result;
}

static struct result read_scopes(struct plugin *plugin, const object_id *ids, size_t count, enum follow follow,
                                 struct reading *rest)
{
    const struct kea_server *server = plugin->server;
    struct found_scopes *found;
    struct result result = result_ok();

    /* Who follows is known only now; there is one such reading for a batch that was recorded. */
    if (follow == FOLLOW_NOT && (plugin->changes_reread || is_too_much(plugin))) {
        reading_free(rest);
        return mark_reread(plugin);
    }
    found = calloc(1, sizeof *found);
    if (found != NULL)
        found->scopes = calloc(count + 1, sizeof *found->scopes);
    if (found == NULL || found->scopes == NULL) {
        free(found);
        reading_free(rest);
        return result_no_memory("changed scopes");
    }
    found->plugin = plugin;
    plugin->changes_pending++;
    found->follow = follow;
    found->rest = rest;
    for (size_t i = 0; i < count && !result_failed(result); i++) {
        struct kea_object *scope = &found->scopes[found->count++];

        result = server->object_get(server->context, KEA_RUNNING, ids[i], scope);
        if (result.code == RESULT_NOT_FOUND) {
            *scope = (struct kea_object){.id = ids[i]};
            result = result_ok();
        } else if (!result_failed(result)) {
            found->bytes += strlen(scope->definition) + strlen(scope->replicated) + strlen(scope->effective);
        }
    }
    plugin->changes_kept += found->count;
    plugin->changes_bytes += found->bytes;
    if (result_failed(result)) {
        release_found(found);
        return result;
    }
    return worker_post(plugin, mirror_found, release_found, found);
}

static struct result changes_read(struct plugin *plugin, const object_id *ids, size_t count, enum follow follow)
{
    if (plugin->store == NULL)
        return result_ok(); /* everything is read once it can be kept */
    return read_scopes(plugin, ids, count, follow, NULL);
}

static void read_slice(void *argument, bool cancelled)
{
    struct reading *reading = argument;
    struct plugin *plugin = reading->plugin;
    const object_id *ids = reading->ids + reading->next;
    size_t count = reading->count - reading->next;
    struct result result;

    if (cancelled) {
        reading_cancel(reading);
        return;
    }
    if (count > SLICE)
        count = SLICE;
    reading->next += count;
    if (reading->next < reading->count) {
        result = read_scopes(plugin, ids, count, FOLLOW_NOT, reading);
    } else {
        result = read_scopes(plugin, ids, count, FOLLOW_NOT, NULL);
        reading_free(reading);
    }
    if (result_failed(result))
        changes_missed(plugin, &result);
}

static bool add_known(void *context, const struct scope_entry *entry)
{
    struct reading *reading = context;

    reading->ids[reading->count++] = entry->id;
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    object_id left = *(const object_id *)a, right = *(const object_id *)b;

    return left < right ? -1 : left > right;
}

/* Every id that the server or the mirror knows, once. */
static struct result collect_ids(struct plugin *plugin, struct reading *reading)
{
    object_id *running = NULL;
    size_t count = 0, unique = 0;
    struct result result = plugin->server->object_ids(plugin->server->context, KEA_RUNNING, &running, &count);

    if (result_failed(result))
        return result;
    reading->ids = calloc(count + scope_index_count(plugin->index) + 1, sizeof *reading->ids);
    if (reading->ids == NULL) {
        free(running);
        return result_no_memory("changed scopes");
    }
    if (count > 0)
        memcpy(reading->ids, running, count * sizeof *running);
    free(running);
    reading->count = count;
    scope_index_each(plugin->index, add_known, reading);
    qsort(reading->ids, reading->count, sizeof *reading->ids, compare_ids);
    for (size_t i = 0; i < reading->count; i++)
        if (i == 0 || reading->ids[i] != reading->ids[i - 1])
            reading->ids[unique++] = reading->ids[i];
    reading->count = unique;
    return result_ok();
}

struct result changes_read_all(struct plugin *plugin)
{
    struct reading *reading;
    struct result result;

    if (plugin->store == NULL)
        return result_ok();
    reading = reading_new(plugin);
    if (reading == NULL)
        return result_no_memory("changed scopes");
    result = collect_ids(plugin, reading);
    if (result_failed(result))
        reading_free(reading);
    else
        read_slice(reading, false);
    return result;
}

/* A reading that waits for the main thread; without ids it is of every scope. */
static void read_later(void *argument, bool cancelled)
{
    struct reading *reading = argument;
    struct result result;

    if (cancelled) {
        reading_cancel(reading);
        return;
    }
    result = reading->ids == NULL ? changes_read_all(reading->plugin)
                                  : changes_read(reading->plugin, reading->ids, reading->count, reading->follow);
    if (result_failed(result))
        changes_missed(reading->plugin, &result);
    reading_free(reading);
}

static struct result read_soon(struct plugin *plugin, const object_id *ids, size_t count, enum follow follow)
{
    const struct kea_server *server = plugin->server;
    struct reading *reading;
    struct result result;

    if (server->on_main(server->context))
        return ids == NULL ? changes_read_all(plugin) : changes_read(plugin, ids, count, follow);
    reading = reading_new(plugin);
    if (reading != NULL && ids != NULL)
        reading->ids = calloc(count + 1, sizeof *reading->ids);
    if (reading == NULL || (ids != NULL && reading->ids == NULL)) {
        reading_free(reading);
        return result_no_memory("changed scopes");
    }
    reading->count = count;
    reading->follow = follow;
    if (ids != NULL)
        memcpy(reading->ids, ids, count * sizeof *ids);
    result = server->run_on_main(server->context, read_later, reading);
    if (result_failed(result))
        reading_free(reading);
    return result;
}

struct result changes_read_soon(struct plugin *plugin, const object_id *ids, size_t count)
{
    return read_soon(plugin, ids, count, FOLLOW_NOT);
}

struct result changes_follow_network(struct plugin *plugin, const object_id *ids, size_t count, bool sent)
{
    return read_soon(plugin, ids, count, sent ? FOLLOW_AND_SEND : FOLLOW);
}

bool changes_wanted(const char *command)
{
    static const char *const prefixes[] = {"subnet4-", "network4-", "reservation-", "class-"};
    static const char *const readers[] = {"-get", "-list"};

    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        if (strstr(command, readers[i]) != NULL)
            return false;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(command, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

struct naming {
    object_id *ids;
    size_t count, capacity;
    bool incomplete;
};

static void name_id(struct naming *naming, const json_t *id)
{
    if (!json_is_integer(id) || json_integer_value(id) < 1 || json_integer_value(id) > UINT32_MAX ||
        naming->count == naming->capacity)
        naming->incomplete = true;
    else
        naming->ids[naming->count++] = (object_id)json_integer_value(id);
}

static void name_class(struct naming *naming, const json_t *name)
{
    const char *text = json_string_value(name);
    const object_id id = text == NULL ? 0 : object_id_of(OBJECT_CLIENT_CLASS, text);

    if (id == 0 || naming->count == naming->capacity)
        naming->incomplete = true;
    else
        naming->ids[naming->count++] = id;
}

static void name_classes(struct naming *naming, const json_t *root)
{
    const json_t *class;
    size_t i;

    json_array_foreach(json_object_get(root, "client-classes"), i, class)
        name_class(naming, json_object_get(class, "name"));
    if (json_object_get(root, "name") != NULL)
        name_class(naming, json_object_get(root, "name"));
}

static void name_subnets(struct naming *naming, const json_t *root)
{
    const json_t *reservation = json_object_get(root, "reservation"), *subnet;
    size_t i;

    json_array_foreach(json_object_get(root, "subnet4"), i, subnet) name_id(naming, json_object_get(subnet, "id"));
    if (json_object_get(root, "id") != NULL)
        name_id(naming, json_object_get(root, "id"));
    if (json_object_get(root, "subnet-id") != NULL)
        name_id(naming, json_object_get(root, "subnet-id"));
    if (json_object_get(reservation, "subnet-id") != NULL)
        name_id(naming, json_object_get(reservation, "subnet-id"));
}

struct result changes_named(const char *command, const char *arguments, object_id **ids, size_t *count, bool *all)
{
    json_t *root = arguments == NULL ? NULL : json_load(arguments, JSON_ALLOW_NUL, &json_kea_bounds, NULL);
    struct naming naming = {.capacity = json_array_size(json_object_get(root, "subnet4")) +
                                        json_array_size(json_object_get(root, "client-classes")) + 3};

    *ids = NULL;
    *count = 0;
    *all = false;
    naming.ids = calloc(naming.capacity, sizeof *naming.ids);
    if (naming.ids == NULL) {
        json_decref(root);
        return result_no_memory("changed scopes");
    }
    if (strncmp(command, "class-", 6) == 0)
        name_classes(&naming, root);
    else
        name_subnets(&naming, root);
    json_decref(root);
    /* A shared network's own change touches all its members. */
    if (naming.incomplete || naming.count == 0 ||
        (strncmp(command, "network4-", 9) == 0 && strncmp(command, "network4-subnet-", 16) != 0)) {
        *all = true;
        free(naming.ids);
    } else {
        *ids = naming.ids;
        *count = naming.count;
    }
    return result_ok();
}
