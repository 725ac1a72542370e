/* Trust at the server that is asked: which requests are admitted, what is said of the others, and the sealed answer.
 * The server that asks is in trust_ask.c. */
#include "trust_private.h"

#include "failover_sync/answer.h"
#include "failover_sync/fault.h"
#include "failover_sync/json_load.h"
#include "failover_sync/receive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLD_MS 60000 /* between two lines of the log about refusals in one name */

struct result trust_new(struct trust **trust)
{
    struct trust *new = calloc(1, sizeof *new);

    *trust = NULL;
    if (new == NULL || pthread_mutex_init(&new->lock, NULL) != 0) {
        free(new);
        return result_no_memory("trust");
    }
    *trust = new;
    return result_ok();
}

void trust_free(struct trust *trust)
{
    if (trust == NULL)
        return;
    for (size_t i = 0; i < sizeof trust->partners / sizeof trust->partners[0]; i++)
        free(trust->partners[i].name);
    (void)pthread_mutex_destroy(&trust->lock);
    free(trust);
}

struct trust_partner *trust_find(struct trust *trust, const char *name)
{
    const size_t count = sizeof trust->partners / sizeof trust->partners[0];
    struct trust_partner *oldest = &trust->partners[0];
    char *copy;

    for (size_t i = 0; i < count; i++) {
        struct trust_partner *partner = &trust->partners[i];

        if (partner->name != NULL && strcmp(partner->name, name) == 0) {
            partner->used = ++trust->used;
            return partner;
        }
        if (partner->used < oldest->used)
            oldest = partner;
    }
    copy = strdup(name);
    if (copy == NULL)
        return NULL;
    free(oldest->name);
    *oldest = (struct trust_partner){.name = copy, .used = ++trust->used};
    return oldest;
}

void trust_refusals(struct plugin *plugin, const char *partner, struct trust_refusals *refusals)
{
    struct trust *trust = plugin->trust;
    const struct trust_partner *found;

    *refusals = (struct trust_refusals){.last = ""};
    (void)pthread_mutex_lock(&trust->lock);
    found = partner == NULL ? &trust->strangers : trust_find(trust, partner);
    if (found != NULL)
        *refusals = found->refusals;
    (void)pthread_mutex_unlock(&trust->lock);
}

/* ---- the envelope ---- */

const json_t *trust_envelope(const json_t *map)
{
    return json_object_get(map, "envelope");
}

const char *trust_word(const json_t *map, const char *name)
{
    const char *word = json_string_value(json_object_get(trust_envelope(map), name));

    return word == NULL ? "" : word;
}

uint64_t trust_number(const json_t *map, const char *name)
{
    const char *digits = trust_word(map, name);
    const size_t length = strlen(digits);

    if (length == 0 || length >= TRUST_NUMBER_SIZE || strspn(digits, "0123456789") != length || digits[0] == '0')
        return 0;
    return strtoull(digits, NULL, 10) > INT64_MAX ? 0 : strtoull(digits, NULL, 10);
}

bool trust_put_envelope(json_t *map, const char *number, const char *session, uint64_t seen)
{
    json_t *envelope = json_object();
    bool ok = envelope != NULL;

    if (number[0] != '\0')
        ok = ok && json_object_set_new(envelope, "number", json_string(number)) == 0;
    if (session[0] != '\0')
        ok = ok && json_object_set_new(envelope, "session", json_string(session)) == 0;
    if (seen != 0)
        ok = ok && json_object_set_new(envelope, "seen", json_sprintf("%llu", (unsigned long long)seen)) == 0;
    return json_object_set_new(map, "envelope", envelope) == 0 && ok;
}

char *trust_sealed_text(const json_t *message, json_t *map)
{
    json_t *envelope = json_object_get(map, "envelope");
    json_t *seal = json_incref(json_object_get(envelope, "seal"));
    char *text;

    (void)json_object_del(envelope, "seal");
    text = seal_print(message);
    if (seal != NULL && json_object_set_new(envelope, "seal", seal) != 0) {
        free(text);
        text = NULL;
    }
    return text;
}

/* ---- admission ---- */

bool trust_covers(const char *command)
{
    return strcmp(command, "scope-receive") == 0 || strcmp(command, "scope-digest") == 0;
}

enum refusal { REFUSED_OTHERWISE, REFUSED_UNSEALED, REFUSED_WRONG, REFUSED_REPEATED, REFUSED_MISDIRECTED };

/* A request under examination. `partner` is NULL for a stranger. */
struct candidate {
    struct plugin *plugin;
    const char *command;
    json_t *map;
    const char *sender, *receiver;
    const struct relationship *relationship;
    struct trust_request *request;
};

static void count(uint32_t *counter)
{
    if (*counter < UINT32_MAX)
        (*counter)++;
}

/* Counted, and logged now and then: whoever sends forged requests is not to fill the disk. */
static void note_refusal(struct plugin *plugin, const char *partner, enum refusal kind, const char *why)
{
    struct trust *trust = plugin->trust;
    const int64_t now = engine_now();
    struct trust_partner *noted;
    bool tell = false;

    (void)pthread_mutex_lock(&trust->lock);
    noted = partner == NULL ? &trust->strangers : trust_find(trust, partner);
    if (noted != NULL) {
        struct trust_refusals *refusals = &noted->refusals;
        uint32_t *const counters[] = {NULL, &refusals->unsealed, &refusals->wrong, &refusals->repeated,
                                      &refusals->misdirected};

        if (counters[kind] != NULL)
            count(counters[kind]);
        (void)snprintf(refusals->last, sizeof refusals->last, "%.*s", (int)sizeof refusals->last - 1, why);
        tell = noted->told_at == 0 || now - noted->told_at >= TOLD_MS || now < noted->told_at;
        if (tell)
            noted->told_at = now;
    }
    (void)pthread_mutex_unlock(&trust->lock);
    if (tell)
        kea_log(plugin->server, FAILOVER_SYNC_REQUEST_REFUSED, partner == NULL ? "somebody who is no partner" : partner,
                why);
}

static struct fault refuse(const struct candidate *candidate, enum refusal kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static struct fault refuse(const struct candidate *candidate, enum refusal kind, const char *format, ...)
{
    struct fault fault;
    char why[400];
    va_list values;

    va_start(values, format);
    (void)vsnprintf(why, sizeof why, format, values);
    va_end(values);
    fault = fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, NULL, "%s", why);
    note_refusal(candidate->plugin,
                 candidate->relationship == NULL ? NULL : relationship_partner(candidate->relationship)->name, kind,
                 fault.message);
    return fault;
}

static const char *own_name(const struct candidate *candidate)
{
    return candidate->relationship == NULL ? candidate->plugin->relationships.server_name
                                           : relationship_self(candidate->relationship)->name;
}

/* Whether the seal is right. */
static struct fault check_seal(const struct candidate *candidate, const struct secrets *secrets)
{
    const char *seal = trust_word(candidate->map, "seal");
    char *text = trust_sealed_text(candidate->map, candidate->map);
    const struct seal_text sealed = {
        .kind = SEAL_REQUEST, .command = candidate->command, .about = "", .text = text == NULL ? "" : text};
    const bool right = text != NULL && seal_check(secrets, &sealed, seal);

    free(text);
    if (right) {
        (void)snprintf(candidate->request->seal, sizeof candidate->request->seal, "%s", seal);
        return fault_none();
    }
    return refuse(candidate, REFUSED_WRONG,
                  "what comes in the name of %.80s is sealed with another secret than %.80s has, or was changed on its "
                  "way: shared-secret-file must hold the same on %.80s and on %.80s",
                  candidate->sender, own_name(candidate), candidate->sender, own_name(candidate));
}

/* Whether a number is new; it is not any more then. Requests that are under way at the same time may overtake each
 * other; what is further behind counts as seen. */
static bool note_number(struct trust_partner *partner, uint64_t number)
{
    uint64_t ahead, behind;

    if (number > partner->largest) {
        ahead = number - partner->largest;
        partner->seen = ahead >= TRUST_WINDOW ? 1 : partner->seen << ahead | 1;
        partner->largest = number;
        return true;
    }
    behind = partner->largest - number;
    if (behind >= TRUST_WINDOW || (partner->seen >> behind & 1) != 0)
        return false;
    partner->seen |= UINT64_C(1) << behind;
    return true;
}

/* Whether the request is new. Its seal is right, so it once came from the partner. */
static struct fault check_number(const struct candidate *candidate)
{
    struct plugin *plugin = candidate->plugin;
    struct trust *trust = plugin->trust;
    const uint64_t number = trust_number(candidate->map, "number");
    const bool known = strcmp(trust_word(candidate->map, "session"), plugin->instance) == 0;
    struct trust_partner *partner;
    bool is_new = false;

    (void)pthread_mutex_lock(&trust->lock);
    partner = trust_find(trust, candidate->sender);
    if (partner != NULL && number != 0) {
        is_new = note_number(partner, number);
        candidate->request->largest = partner->largest;
    }
    (void)pthread_mutex_unlock(&trust->lock);
    if (known && is_new) {
        candidate->request->largest = 0;
        return fault_none();
    }
    if (candidate->request->largest == 0)
        candidate->request->largest = 1; /* nothing was seen, which is told like any other number */
    /* It cannot know the session before it was told. */
    if (is_new)
        return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, NULL, "%.80s was loaded since it last heard of %.80s",
                               own_name(candidate), candidate->sender);
    return refuse(candidate, REFUSED_REPEATED,
                  "a request in the name of %.80s has come before, and is not carried out again", candidate->sender);
}

/* The asker would not believe the answer. */
static struct fault refuse_sealed(const struct candidate *candidate)
{
    return refuse(
        candidate, REFUSED_OTHERWISE,
        "%.80s seals its requests, and %.80s has no shared-secret-file for it: give %.80s the secret that %.80s "
        "has",
        candidate->sender, own_name(candidate), own_name(candidate), candidate->sender);
}

/* Whether it is for this server, from one that this server has a relationship with. */
static struct fault find_receiver(const struct candidate *candidate)
{
    struct fault fault = fault_none();

    if (reception_find_relationship(candidate->plugin, candidate->sender, candidate->receiver, &fault) != NULL)
        return fault_none();
    return refuse(candidate, REFUSED_MISDIRECTED, "%s", fault.message);
}

static struct fault examine(const struct candidate *candidate)
{
    const struct plugin *plugin = candidate->plugin;
    const char *path = candidate->relationship->access.shared_secret_file;
    const bool is_sealed = trust_word(candidate->map, "seal")[0] != '\0';
    struct secrets secrets;
    struct result result;
    struct fault fault;

    if (path == NULL && is_sealed)
        return refuse_sealed(candidate);
    if (path == NULL && !plugin->parameters.only_signed)
        return find_receiver(candidate);
    if (path == NULL)
        return refuse(candidate, REFUSED_UNSEALED,
                      "accept-from of %.80s is \"partners\", and it has no shared-secret-file for %.80s: give both the "
                      "same",
                      own_name(candidate), candidate->sender);
    if (!is_sealed)
        return refuse(candidate, REFUSED_UNSEALED,
                      "what comes in the name of %.80s is not sealed, and %.80s believes nothing else: give %.80s the "
                      "shared-secret-file that %.80s has for it",
                      candidate->sender, own_name(candidate), candidate->sender, own_name(candidate));
    result = secrets_read(path, &secrets);
    if (result_failed(result))
        return refuse(candidate, REFUSED_OTHERWISE, "%.80s cannot judge who asks: %.300s", own_name(candidate),
                      result.message);
    fault = check_seal(candidate, &secrets);
    secrets_wipe(&secrets);
    if (fault_raised(&fault))
        return fault;
    fault = find_receiver(candidate);
    return fault_raised(&fault) ? fault : check_number(candidate);
}

/* Whether anything has to be known of a request before it is parsed. */
static bool is_strict(const struct plugin *plugin)
{
    if (plugin->parameters.only_signed || plugin->parameters.shared_secret_file != NULL)
        return true;
    for (size_t i = 0; i < plugin->parameters.partner_count; i++)
        if (plugin->parameters.partners[i].shared_secret_file != NULL)
            return true;
    return false;
}

bool trust_admit(struct plugin *plugin, const char *command, const char *arguments, struct trust_request *request,
                 char **refusal)
{
    struct candidate candidate = {.plugin = plugin, .command = command, .request = request};
    struct fault fault = fault_none();

    *request = (struct trust_request){.number = ""};
    *refusal = NULL;
    if (!is_strict(plugin))
        return true;
    /* As the model reads it, so that both see the same. */
    candidate.map =
        arguments == NULL ? NULL : json_load(arguments, JSON_REJECT_DUPLICATES, &json_arguments_bounds, NULL);
    candidate.sender = json_string_value(json_object_get(candidate.map, "sender"));
    candidate.receiver = json_string_value(json_object_get(candidate.map, "receiver"));
    if (candidate.sender == NULL || candidate.receiver == NULL) {
        fault = refuse(&candidate, REFUSED_WRONG, "a request without a sender and a receiver");
        goto done;
    }
    candidate.relationship = relationships_find_partner(&plugin->relationships, candidate.sender);
    if (candidate.relationship == NULL) {
        fault = find_receiver(&candidate);
        goto done;
    }
    request->secret_file = candidate.relationship->access.shared_secret_file;
    if (trust_number(candidate.map, "number") != 0)
        (void)snprintf(request->number, sizeof request->number, "%s", trust_word(candidate.map, "number"));
    fault = examine(&candidate);
done:
    json_decref(candidate.map);
    if (!fault_raised(&fault))
        return true;
    *refusal = fault_answer(&fault);
    return false;
}

bool trust_note(struct plugin *plugin, const struct model_node *input, struct trust_request *request, char **refusal)
{
    const struct model_node *envelope = model_first(input, "envelope");
    const char *number = envelope == NULL ? NULL : model_text(envelope, "number");
    struct candidate candidate = {.plugin = plugin,
                                  .sender = model_text(input, "sender"),
                                  .receiver = model_text(input, "receiver"),
                                  .request = request};
    struct fault fault;

    *refusal = NULL;
    if (is_strict(plugin))
        return true; /* trust_admit has looked */
    if (number != NULL)
        (void)snprintf(request->number, sizeof request->number, "%s", number);
    candidate.relationship = relationships_find_partner(&plugin->relationships, candidate.sender);
    if (candidate.relationship != NULL && envelope != NULL && model_text(envelope, "seal") != NULL)
        fault = refuse_sealed(&candidate);
    else
        fault = find_receiver(&candidate);
    if (!fault_raised(&fault))
        return true;
    *refusal = fault_answer(&fault);
    return false;
}

/* ---- the answer ---- */

static bool seal_answer(struct plugin *plugin, const char *command, const struct trust_request *request, json_t *answer,
                        json_t *arguments)
{
    struct secrets secrets;
    struct result result = secrets_read(request->secret_file, &secrets);
    char *text, seal[SEAL_SIZE];
    bool ok;

    (void)plugin;
    if (result_failed(result))
        return true; /* unsealed: the asker says what that means */
    text = trust_sealed_text(answer, arguments);
    ok = text != NULL &&
         seal_make(&secrets,
                   &(struct seal_text){.kind = SEAL_ANSWER, .command = command, .about = request->seal, .text = text},
                   seal) &&
         json_object_set_new(json_object_get(arguments, "envelope"), "seal", json_string(seal)) == 0;
    secrets_wipe(&secrets);
    free(text);
    return ok;
}

char *trust_seal_answer(struct plugin *plugin, const char *command, const struct trust_request *request, char *answer)
{
    const bool sealed = request->seal[0] != '\0';
    json_t *root, *arguments;
    char *text = NULL;

    if (answer == NULL || (request->number[0] == '\0' && !sealed))
        return answer;
    root = json_loads(answer, 0, NULL);
    arguments = json_object_get(root, "arguments");
    if (arguments == NULL && json_object_set_new(root, "arguments", json_object()) == 0)
        arguments = json_object_get(root, "arguments");
    if (trust_put_envelope(arguments, request->number, sealed ? plugin->instance : "", request->largest) &&
        (!sealed || seal_answer(plugin, command, request, root, arguments)))
        text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    free(answer);
    return text;
}
