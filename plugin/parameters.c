/* The library's parameters: reading them from the configuration, every mistake by name. What they mean lives with those
 * who use them. */
#include "failover_sync/parameters.h"

#include "failover_sync/json_load.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_MAX_MS         86400000
#define LOCAL_PARAMETERS_MAX 64
#define PARTNERS_MAX         64
#define PASSWORD_MAX         1024
#define FOUND_MAX            64

/* What was found instead, short enough for a sentence. */
static void describe_found(const json_t *value, char found[FOUND_MAX])
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    if (text == NULL)
        (void)snprintf(found, FOUND_MAX, "something else");
    else if (strlen(text) >= FOUND_MAX)
        (void)snprintf(found, FOUND_MAX, "%.56s...", text);
    else
        (void)snprintf(found, FOUND_MAX, "%s", text);
    free(text);
}

static struct result wrong(const char *where, const char *expected, const json_t *value)
{
    char found[FOUND_MAX];

    describe_found(value, found);
    return result_error(RESULT_INVALID, "parameter '%s': expected %s, found %s", where, expected, found);
}

/* For places where a secret may have been put by mistake: only the kind of what was found. */
static struct result wrong_kind(const char *where, const char *expected, const json_t *value)
{
    static const char *const kinds[] = {
        [JSON_OBJECT] = "a map",  [JSON_ARRAY] = "a list",   [JSON_STRING] = "a text",   [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number", [JSON_TRUE] = "a boolean", [JSON_FALSE] = "a boolean", [JSON_NULL] = "null",
    };
    const char *found =
        json_is_string(value) && json_string_length(value) == 0 ? "an empty text" : kinds[json_typeof(value)];

    return result_error(RESULT_INVALID, "parameter '%s': expected %s, found %s", where, expected, found);
}

static struct result take_string(const char *where, const char *expected, const json_t *value, char **target)
{
    char *copy;

    if (!json_is_string(value) || json_string_length(value) == 0)
        return wrong(where, expected, value);
    copy = strdup(json_string_value(value));
    if (copy == NULL)
        return result_no_memory("the parameters");
    free(*target);
    *target = copy;
    return result_ok();
}

/* The path of a file with a secret; whoever gives the secret itself does not find it in the log. */
static struct result take_secret_file(const char *where, const json_t *value, char **target)
{
    if (!json_is_string(value) || json_string_length(value) == 0)
        return wrong_kind(where, "the path of a file holding the secret", value);
    return take_string(where, "the path of a file holding the secret", value, target);
}

static struct result take_boolean(const char *where, const json_t *value, bool *target)
{
    if (!json_is_boolean(value))
        return wrong(where, "true or false", value);
    *target = json_boolean_value(value);
    return result_ok();
}

/* One of two words; *first tells which. */
static struct result take_choice(const char *where, const json_t *value, const char *yes, const char *no, bool *first)
{
    char expected[80];
    const char *word = json_string_value(value);

    (void)snprintf(expected, sizeof expected, "\"%s\" or \"%s\"", yes, no);
    if (word == NULL || (strcmp(word, yes) != 0 && strcmp(word, no) != 0))
        return wrong(where, expected, value);
    *first = strcmp(word, yes) == 0;
    return result_ok();
}

static struct result take_local_parameters(const json_t *value, struct parameters *parameters)
{
    const char *where = "local-parameters";
    size_t count = json_array_size(value);
    char **list;

    if (!json_is_array(value) || count > LOCAL_PARAMETERS_MAX)
        return wrong(where, "a list of at most 64 scope keywords", value);
    list = calloc(count + 1, sizeof *list);
    if (list == NULL)
        return result_no_memory("the parameters");
    for (size_t i = 0; i < count; i++) {
        static const char *const essential[] = {"id", "subnet", "pools", "reservations", "name"};
        struct result result = take_string(where, "a list of scope keywords", json_array_get(value, i), &list[i]);

        for (size_t k = 0; !result_failed(result) && k < sizeof essential / sizeof essential[0]; k++)
            if (strcmp(list[i], essential[k]) == 0)
                result = result_error(RESULT_INVALID,
                                      "parameter '%s': '%s' is what makes a scope and cannot be local; remove it",
                                      where, essential[k]);
        if (result_failed(result)) {
            for (size_t k = 0; k < count; k++)
                free(list[k]);
            free(list);
            return result;
        }
    }
    for (char **old = parameters->local_parameters; old != NULL && *old != NULL; old++)
        free(*old);
    free(parameters->local_parameters);
    parameters->local_parameters = list;
    return result_ok();
}

static struct result take_retry(const json_t *value, struct parameters *parameters)
{
    const char *key;
    json_t *member;

    if (!json_is_object(value))
        return wrong("retry", "a map of \"min-ms\" and \"max-ms\"", value);
    json_object_foreach((json_t *)value, key, member)
    {
        bool minimum = strcmp(key, "min-ms") == 0;

        if (!minimum && strcmp(key, "max-ms") != 0)
            return result_error(RESULT_INVALID,
                                "parameter 'retry': expected \"min-ms\" and \"max-ms\", found the unknown name '%.64s'",
                                key);
        if (!json_is_integer(member) || json_integer_value(member) < 1 || json_integer_value(member) > RETRY_MAX_MS)
            return wrong(minimum ? "retry.min-ms" : "retry.max-ms", "1 to 86400000 milliseconds", member);
        *(minimum ? &parameters->retry_min_ms : &parameters->retry_max_ms) = json_integer_value(member);
    }
    if (parameters->retry_min_ms > parameters->retry_max_ms)
        return result_error(RESULT_INVALID, "parameter 'retry': expected min-ms <= max-ms, found %lld and %lld",
                            (long long)parameters->retry_min_ms, (long long)parameters->retry_max_ms);
    return result_ok();
}

/* Opens what is a file and nothing else: a pipe would be waited for. */
static struct result open_password(const char *path, FILE **file)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    *file = NULL;
    if (descriptor >= 0 && fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode)) {
        (void)close(descriptor);
        return result_error(RESULT_INVALID, "password file '%.200s' is not a file", path);
    }
    if (descriptor >= 0)
        *file = fdopen(descriptor, "r");
    if (*file == NULL) {
        const int error = errno;

        if (descriptor >= 0)
            (void)close(descriptor);
        return result_error(RESULT_INVALID, "password file '%.200s' cannot be read: %s", path, strerror(error));
    }
    return result_ok();
}

struct result parameters_read_password(const char *path, char **password)
{
    char line[PASSWORD_MAX + 2];
    size_t length;
    FILE *file;
    struct result result = open_password(path, &file);

    *password = NULL;
    if (result_failed(result))
        return result;
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy is left behind */
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    (void)fclose(file);
    length = strcspn(line, "\r\n");
    if (length == 0 || length > PASSWORD_MAX) {
        explicit_bzero(line, sizeof line);
        return result_error(RESULT_INVALID,
                            "password file '%.200s' %s: it must hold the password, one line of 1 to %d bytes", path,
                            length == 0 ? "is empty" : "has too long a line", PASSWORD_MAX);
    }
    line[length] = '\0';
    *password = strdup(line);
    explicit_bzero(line, sizeof line);
    return *password == NULL ? result_no_memory("a password") : result_ok();
}

static struct result check_url(const char *where, const char *expected, const json_t *value)
{
    const char *url = json_string_value(value);

    if (strchr(url, '@') != NULL)
        return result_error(RESULT_INVALID,
                            "parameter '%s': expected no user or password in it: give basic-auth-user and "
                            "basic-auth-password-file",
                            where);
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return wrong(where, expected, value);
    return result_ok();
}

static struct result take_partner(const char *name, const json_t *value, struct partner_access *access)
{
    const struct {
        const char *name;
        const char *expected;
        char **target;
    } known[] = {
        {"url", "an URL such as \"http://192.0.2.2:8000/\"", &access->url},
        {"trust-anchor", "the path of a CA certificate file or folder", &access->trust_anchor},
        {"cert-file", "the path of a certificate", &access->cert_file},
        {"key-file", "the path of a private key", &access->key_file},
        {"certificate-name", "the name in the partner's certificate", &access->certificate_name},
        {"basic-auth-user", "a user name", &access->basic_auth_user},
        {"basic-auth-password-file", "the path of a file holding the password", &access->basic_auth_password_file},
        {"shared-secret-file", "the path of a file holding the secret", &access->shared_secret_file},
    };
    const size_t known_count = sizeof known / sizeof known[0];
    char where[200];
    const char *key;
    json_t *member;

    (void)snprintf(where, sizeof where, "partners.%.80s", name);
    if (!json_is_object(value))
        return wrong_kind(where, "a map", value);
    access->name = strdup(name);
    if (access->name == NULL)
        return result_no_memory("the parameters");
    json_object_foreach((json_t *)value, key, member)
    {
        struct result result;
        size_t i = 0;

        while (i < known_count && strcmp(known[i].name, key) != 0)
            i++;
        if (i == known_count)
            return result_error(RESULT_INVALID,
                                "parameter 'partners.%.80s': expected url, trust-anchor, cert-file, key-file, "
                                "certificate-name, basic-auth-user, basic-auth-password-file or shared-secret-file, "
                                "found the unknown name '%.64s'",
                                name, key);
        (void)snprintf(where, sizeof where, "partners.%.80s.%s", name, key);
        if (!json_is_string(member) || json_string_length(member) == 0)
            return wrong_kind(where, known[i].expected, member);
        result = known[i].target == &access->url ? check_url(where, known[i].expected, member) : result_ok();
        if (!result_failed(result))
            result = take_string(where, known[i].expected, member, known[i].target);
        if (result_failed(result))
            return result;
    }
    return result_ok();
}

static struct result take_partners(const json_t *value, struct parameters *parameters)
{
    const char *key;
    json_t *member;
    size_t count = json_object_size(value);

    if (!json_is_object(value) || count > PARTNERS_MAX)
        return wrong_kind("partners", "a map of at most 64 partner names", value);
    if (count == 0)
        return result_ok();
    parameters->partners = calloc(count, sizeof *parameters->partners);
    if (parameters->partners == NULL)
        return result_no_memory("the parameters");
    json_object_foreach((json_t *)value, key, member)
    {
        struct partner_access *access = &parameters->partners[parameters->partner_count++];
        struct result result = take_partner(key, member, access);

        if (result_failed(result))
            return result;
    }
    return result_ok();
}

static struct result take_integer(const char *where, const json_t *value, int64_t least, int64_t most, const char *unit,
                                  int64_t *target)
{
    char expected[80];

    (void)snprintf(expected, sizeof expected, "%lld to %lld%s", (long long)least, (long long)most, unit);
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
        return wrong(where, expected, value);
    *target = json_integer_value(value);
    return result_ok();
}

static struct result take_interval(const json_t *value, struct parameters *parameters)
{
    int64_t seconds = 0;
    struct result result = take_integer("reconcile-interval", value, 1, 86400, " seconds", &seconds);

    if (!result_failed(result))
        parameters->reconcile_interval_ms = seconds * 1000;
    return result;
}

const char *parameters_apply_word(enum apply_way way)
{
    static const char *const words[APPLY_WAYS] = {"scope-receive", "subnet-commands", "config-set"};

    return words[way];
}

static struct result take_apply(const json_t *value, struct parameters *parameters)
{
    static const char expected[] =
        "a list of \"scope-receive\", \"subnet-commands\" and \"config-set\", or some of them";
    bool apply[APPLY_WAYS] = {false};

    if (!json_is_array(value) || json_array_size(value) == 0)
        return wrong("apply", expected, value);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *member = json_array_get(value, i);
        const char *word = json_string_value(member);
        enum apply_way way = 0;

        while (way < APPLY_WAYS && (word == NULL || strcmp(word, parameters_apply_word((enum apply_way)way)) != 0))
            way++;
        if (way == APPLY_WAYS)
            return wrong("apply", expected, member);
        if (apply[way])
            return result_error(RESULT_INVALID, "parameter 'apply': expected each way once, found \"%s\" twice", word);
        apply[way] = true;
    }
    memcpy(parameters->apply, apply, sizeof apply);
    return result_ok();
}

static struct result take_parameter(const char *name, const json_t *value, struct parameters *parameters)
{
    if (strcmp(name, "store") == 0)
        return take_string(name, "the path of the SQLite file", value, &parameters->store);
    if (strcmp(name, "replicate") == 0)
        return take_choice(name, value, "on-change", "manual", &parameters->replicate_on_change);
    if (strcmp(name, "conflict") == 0)
        return take_choice(name, value, "primary-wins", "hold", &parameters->primary_wins);
    if (strcmp(name, "persist") == 0)
        return take_choice(name, value, "config-write", "store", &parameters->persist_config_write);
    if (strcmp(name, "deletes") == 0)
        return take_boolean(name, value, &parameters->deletes);
    if (strcmp(name, "local-parameters") == 0)
        return take_local_parameters(value, parameters);
    if (strcmp(name, "retry") == 0)
        return take_retry(value, parameters);
    if (strcmp(name, "apply") == 0)
        return take_apply(value, parameters);
    if (strcmp(name, "partners") == 0)
        return take_partners(value, parameters);
    if (strcmp(name, "shared-secret-file") == 0)
        return take_secret_file(name, value, &parameters->shared_secret_file);
    if (strcmp(name, "accept-from") == 0)
        return take_choice(name, value, "partners", "any", &parameters->only_signed);
    if (strcmp(name, "reconcile-interval") == 0)
        return take_interval(value, parameters);
    if (strcmp(name, "max-delete-percent") == 0)
        return take_integer(name, value, 0, 100, " percent", &parameters->max_delete_percent);
    return result_error(
        RESULT_INVALID,
        "unknown parameter '%.64s': expected store, replicate, conflict, deletes, max-delete-percent, persist, "
        "local-parameters, reconcile-interval, retry, apply, partners, shared-secret-file or accept-from",
        name);
}

static struct result set_defaults(const char *service, struct parameters *parameters)
{
    *parameters = (struct parameters){
        .replicate_on_change = true,
        .primary_wins = true,
        .deletes = true,
        .retry_min_ms = 200,
        .retry_max_ms = 30000,
        .reconcile_interval_ms = 60000,
        .max_delete_percent = 25,
        .apply = {true, true, true},
    };
    parameters->local_parameters = calloc(2, sizeof *parameters->local_parameters);
    if (parameters->local_parameters == NULL)
        return result_no_memory("the parameters");
    parameters->local_parameters[0] = strdup("interface");
    if (parameters->local_parameters[0] == NULL ||
        asprintf(&parameters->store, FAILOVER_SYNC_STATE_DIR "/failover-sync.%s.db", service) < 0) {
        parameters->store = NULL;
        return result_no_memory("the parameters");
    }
    return result_ok();
}

/* Nobody would be accepted. */
static struct result check_accepted(const struct parameters *parameters)
{
    bool secret = parameters->shared_secret_file != NULL;

    for (size_t i = 0; i < parameters->partner_count; i++)
        secret = secret || parameters->partners[i].shared_secret_file != NULL;
    if (!parameters->only_signed || secret)
        return result_ok();
    return result_error(
        RESULT_INVALID,
        "parameter 'accept-from': expected \"any\" without a shared-secret-file, found \"partners\": give "
        "shared-secret-file, for all partners or for one of them in 'partners'");
}

struct result parameters_parse(const char *text, const char *service, struct parameters *parameters)
{
    struct result result = set_defaults(service, parameters);
    json_error_t error;
    json_t *root = NULL;
    const char *name;
    json_t *value;

    if (result_failed(result) || text == NULL)
        goto done;
    root = json_load(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &json_parameters_bounds, &error);
    if (root == NULL) {
        result = result_error(RESULT_INVALID, "the parameters are not valid JSON: %s", error.text);
        goto done;
    }
    if (json_is_null(root))
        goto done;
    if (!json_is_object(root)) {
        result = wrong("parameters", "a map", root);
        goto done;
    }
    json_object_foreach(root, name, value)
    {
        result = take_parameter(name, value, parameters);
        if (result_failed(result))
            goto done;
    }
    result = check_accepted(parameters);
done:
    json_decref(root);
    if (result_failed(result))
        parameters_clear(parameters);
    return result;
}

void partner_access_clear(struct partner_access *access)
{
    free(access->name);
    free(access->url);
    free(access->trust_anchor);
    free(access->cert_file);
    free(access->key_file);
    free(access->certificate_name);
    free(access->basic_auth_user);
    free(access->basic_auth_password_file);
    if (access->basic_auth_password != NULL)
        explicit_bzero(access->basic_auth_password, strlen(access->basic_auth_password));
    free(access->basic_auth_password);
    free(access->shared_secret_file);
    *access = (struct partner_access){.name = NULL};
}

void parameters_clear(struct parameters *parameters)
{
    for (char **name = parameters->local_parameters; name != NULL && *name != NULL; name++)
        free(*name);
    free(parameters->local_parameters);
    for (size_t i = 0; i < parameters->partner_count; i++)
        partner_access_clear(&parameters->partners[i]);
    free(parameters->partners);
    free(parameters->store);
    free(parameters->shared_secret_file);
    *parameters = (struct parameters){.store = NULL};
}
