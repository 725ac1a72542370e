/* Trust at the server that asks: requests are sealed, and answers believed or not. */
#include "trust_private.h"

#include "failover_sync/answer.h"
#include "failover_sync/json_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next number for a partner, and the session it is for. */
static bool take_number(struct plugin *plugin, const char *partner, struct trust_letter *letter)
{
    struct trust *trust = plugin->trust;
    const int64_t now = engine_now();
    struct trust_partner *known;

    (void)pthread_mutex_lock(&trust->lock);
    known = trust_find(trust, partner);
    if (known != NULL) {
        if (known->number == 0 && now > 0)
            known->number = (uint64_t)now * 1000;
        known->number++;
        (void)snprintf(letter->number, sizeof letter->number, "%llu", (unsigned long long)known->number);
        (void)snprintf(letter->session, sizeof letter->session, "%s", known->session);
    }
    (void)pthread_mutex_unlock(&trust->lock);
    return known != NULL;
}

/* What the partner says of itself, in an answer whose seal is right. */
static void take_session(struct plugin *plugin, const char *partner, const char *session, uint64_t seen)
{
    struct trust *trust = plugin->trust;
    struct trust_partner *known;

    (void)pthread_mutex_lock(&trust->lock);
    known = trust_find(trust, partner);
    if (known != NULL) {
        (void)snprintf(known->session, sizeof known->session, "%s", session);
        if (seen > known->number)
            known->number = seen;
    }
    (void)pthread_mutex_unlock(&trust->lock);
}

static bool put_seal(const struct secrets *secrets, const char *command, json_t *arguments, char seal[SEAL_SIZE])
{
    char *text = trust_sealed_text(arguments, arguments);
    bool ok =
        text != NULL &&
        seal_make(secrets, &(struct seal_text){.kind = SEAL_REQUEST, .command = command, .about = "", .text = text},
                  seal) &&
        json_object_set_new(json_object_get(arguments, "envelope"), "seal", json_string(seal)) == 0;

    free(text);
    return ok;
}

struct result trust_seal(struct plugin *plugin, size_t relationship, const char *command, const char *text,
                         char **sealed, struct trust_letter *letter)
{
    const struct relationship *with = &plugin->relationships.list[relationship];
    const char *partner = relationship_partner(with)->name, *path = with->access.shared_secret_file;
    struct secrets secrets = {.count = 0};
    struct result result = path == NULL ? result_ok() : secrets_read(path, &secrets);
    json_t *root = NULL, *arguments;

    *sealed = NULL;
    *letter = (struct trust_letter){.number = ""};
    if (result_failed(result))
        return result_error(RESULT_INVALID, "nothing is sent to %.80s: %.380s", partner, result.message);
    root = json_loads(text, 0, NULL);
    arguments = json_object_get(root, "arguments");
    if (arguments != NULL && take_number(plugin, partner, letter) &&
        trust_put_envelope(arguments, letter->number, path == NULL ? "" : letter->session, 0) &&
        (path == NULL || put_seal(&secrets, command, arguments, letter->seal)))
        *sealed = json_dumps(root, JSON_COMPACT);
    secrets_wipe(&secrets);
    json_decref(root);
    return *sealed == NULL ? result_no_memory("a request to the partner") : result_ok();
}

/* ---- the answer ---- */

struct judgement {
    struct plugin *plugin;
    const struct relationship *relationship;
    const char *command;
    const struct trust_letter *letter;
    json_t *root, *answer, *arguments; /* the last may be NULL */
    struct result *why;
};

static const char *partner_of(const struct judgement *judgement)
{
    return relationship_partner(judgement->relationship)->name;
}

/* A sentence's worth of what the answer says, whoever wrote it. */
static void excerpt(const struct judgement *judgement, char said[160])
{
    const char *text = json_string_value(json_object_get(judgement->answer, "text"));
    size_t length = 0;

    for (; text != NULL && *text != '\0' && length + 1 < 160; text++)
        said[length++] = (unsigned char)*text < 0x20 ? ' ' : *text;
    said[length] = '\0';
}

static enum trust_verdict disbelieve(const struct judgement *judgement, const char *what)
{
    const char *self = relationship_self(judgement->relationship)->name;
    char said[160];

    excerpt(judgement, said);
    *judgement->why =
        result_error(RESULT_REFUSED,
                     "the answer of %.60s %s: shared-secret-file must hold the same secret on %.60s and on "
                     "%.60s. It says: %s",
                     partner_of(judgement), what, self, partner_of(judgement), said);
    return TRUST_REFUSED;
}

static enum trust_verdict judge_sealed(const struct judgement *judgement)
{
    const struct trust_letter *letter = judgement->letter;
    const char *seal = trust_word(judgement->arguments, "seal");
    const char *session = trust_word(judgement->arguments, "session");
    struct secrets secrets;
    struct result result;
    char *text;
    bool right;

    if (seal[0] == '\0')
        return disbelieve(judgement, "is not sealed");
    result = secrets_read(judgement->relationship->access.shared_secret_file, &secrets);
    if (result_failed(result)) {
        *judgement->why = result_error(RESULT_INVALID, "the answer of %.80s cannot be judged: %.380s",
                                       partner_of(judgement), result.message);
        return TRUST_REFUSED;
    }
    text = trust_sealed_text(judgement->answer, judgement->arguments);
    right = text != NULL &&
            seal_check(&secrets,
                       &(struct seal_text){
                           .kind = SEAL_ANSWER, .command = judgement->command, .about = letter->seal, .text = text},
                       seal);
    free(text);
    secrets_wipe(&secrets);
    if (!right)
        return disbelieve(judgement, "is sealed with another secret, or was changed on its way");
    if (strlen(session) < sizeof letter->session)
        take_session(judgement->plugin, partner_of(judgement), session, trust_number(judgement->arguments, "seen"));
    return trust_number(judgement->arguments, "seen") != 0 ? TRUST_AGAIN : TRUST_BELIEVED;
}

enum trust_verdict trust_judge(struct plugin *plugin, size_t relationship, const char *command,
                               const struct trust_letter *letter, const char *answer, size_t length, struct result *why)
{
    struct judgement judgement = {.plugin = plugin,
                                  .relationship = &plugin->relationships.list[relationship],
                                  .command = command,
                                  .letter = letter,
                                  .why = why};
    char *readable = memchr(answer, '\0', length) == NULL ? kea_json_readable(answer) : NULL;
    enum trust_verdict verdict = TRUST_BELIEVED;
    const char *number;

    *why = result_ok();
    judgement.root =
        readable == NULL ? NULL : json_load(readable, JSON_REJECT_DUPLICATES, &json_arguments_bounds, NULL);
    /* A control agent answers with a list of one answer per service, a server itself perhaps with the answer alone. */
    judgement.answer = json_is_array(judgement.root) ? json_array_get(judgement.root, 0) : judgement.root;
    judgement.arguments = json_object_get(judgement.answer, "arguments");
    number = trust_word(judgement.arguments, "number");
    if (number[0] != '\0' && strcmp(number, letter->number) != 0) {
        *why = result_error(RESULT_NETWORK, "%.80s answered another request than the last one", partner_of(&judgement));
        verdict = TRUST_STRAY;
    } else if (letter->seal[0] != '\0') {
        verdict = judge_sealed(&judgement);
    }
    json_decref(judgement.root);
    free(readable);
    return verdict;
}
