/* The client of one partner: sends a batch, asks until the partner has recorded it, settles it, waits and tries again.
 * What is in a request or an answer is batch.c's and batch_answer.c's business. */
#include "failover_sync/partner.h"

#include "failover_sync/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONNECT_TIMEOUT_MS 3000L
#define REQUEST_TIMEOUT_MS 15000L
#define ANSWER_MAX         (8 * 1024 * 1024)
#define ASK_FIRST_MS       2   /* until the first question whether a batch is recorded */
#define ASK_MAX_MS         200 /* between later ones */
#define ASK_PATIENCE_MS    20000

enum partner_step {
    PARTNER_IDLE,    /* nothing under way */
    PARTNER_PUSHING, /* a batch was sent, its answer is awaited */
    PARTNER_WAITING, /* the partner has the batch but has not recorded it: it is asked again at `next_step_at` */
    PARTNER_ASKING   /* the question was sent */
};

struct partner {
    struct plugin *plugin;
    size_t number;
    const struct relationship *relationship;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];

    enum partner_step step;
    struct batch batch;
    struct batch_answer answer;
    char *request;
    char *response;
    size_t response_length;
    bool response_too_long;

    int64_t next_step_at; /* when to ask again */
    int64_t ask_delay, ask_until;
    int64_t next_attempt_at; /* 0: at once */
    unsigned failures;
    unsigned random; /* of the jitter */
};

static const char *name_of(const struct partner *partner)
{
    return relationship_partner(partner->relationship)->name;
}

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    struct partner *partner = context;
    size_t length = size * count;
    char *larger;

    if (length > ANSWER_MAX - partner->response_length) {
        partner->response_too_long = true;
        return 0;
    }
    larger = realloc(partner->response, partner->response_length + length + 1);
    if (larger == NULL)
        return 0;
    memcpy(larger + partner->response_length, bytes, length);
    partner->response = larger;
    partner->response_length += length;
    larger[partner->response_length] = '\0';
    return length;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool set_access(CURL *easy, const struct partner_access *access)
{
    bool ok = true;

    if (access->trust_anchor != NULL)
        ok = curl_easy_setopt(easy, is_folder(access->trust_anchor) ? CURLOPT_CAPATH : CURLOPT_CAINFO,
                              access->trust_anchor) == CURLE_OK;
    if (access->cert_file != NULL)
        ok = ok && curl_easy_setopt(easy, CURLOPT_SSLCERT, access->cert_file) == CURLE_OK;
    if (access->key_file != NULL)
        ok = ok && curl_easy_setopt(easy, CURLOPT_SSLKEY, access->key_file) == CURLE_OK;
    if (access->basic_auth_user != NULL)
        ok = ok && curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_USERNAME, access->basic_auth_user) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_PASSWORD,
                              access->basic_auth_password == NULL ? "" : access->basic_auth_password) == CURLE_OK;
    /* As HA does: peers are named by address, and their certificates seldom are; the trust anchor is the pair's own. */
    return ok && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK;
}

static bool set_options(struct partner *partner)
{
    CURL *easy = partner->easy;

    return curl_easy_setopt(easy, CURLOPT_URL, partner->relationship->access.url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, partner->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, REQUEST_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, partner->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, partner) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, partner) == CURLE_OK &&
           set_access(easy, &partner->relationship->access);
}

struct result partner_new(struct plugin *plugin, size_t number, CURLM *multi, struct partner **partner)
{
    struct partner *new = calloc(1, sizeof *new);

    *partner = NULL;
    if (new == NULL)
        return result_no_memory("a partner");
    new->plugin = plugin;
    new->number = number;
    new->relationship = &plugin->relationships.list[number];
    new->multi = multi;
    new->random = (unsigned)engine_now() ^ (unsigned)(uintptr_t) new;
    new->easy = curl_easy_init();
    /* Kea's HTTP server knows no 100-continue. */
    new->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (new->headers != NULL) {
        struct curl_slist *both = curl_slist_append(new->headers, "Expect:");

        if (both == NULL)
            curl_slist_free_all(new->headers);
        new->headers = both;
    }
    if (new->easy == NULL || new->headers == NULL || !set_options(new)) {
        partner_free(new);
        return result_no_memory("a partner");
    }
    *partner = new;
    return result_ok();
}

static void stop_transfer(struct partner *partner)
{
    if (partner->step == PARTNER_PUSHING || partner->step == PARTNER_ASKING)
        (void)curl_multi_remove_handle(partner->multi, partner->easy);
    free(partner->request);
    free(partner->response);
    partner->request = partner->response = NULL;
    partner->response_length = 0;
    partner->response_too_long = false;
}

static void go_idle(struct partner *partner)
{
    batch_clear(&partner->batch);
    partner->step = PARTNER_IDLE;
}

void partner_free(struct partner *partner)
{
    if (partner == NULL)
        return;
    stop_transfer(partner);
    batch_clear(&partner->batch);
    if (partner->easy != NULL)
        curl_easy_cleanup(partner->easy);
    curl_slist_free_all(partner->headers);
    free(partner);
}

/* Doubled at each failure, with a fifth of jitter so that servers do not keep step. */
static int64_t back_off(struct partner *partner)
{
    const struct parameters *parameters = &partner->plugin->parameters;
    int64_t delay = parameters->retry_min_ms;

    for (unsigned i = 1; i < partner->failures && delay < parameters->retry_max_ms; i++)
        delay *= 2;
    if (delay > parameters->retry_max_ms)
        delay = parameters->retry_max_ms;
    return delay - delay / 5 + rand_r(&partner->random) % (delay / 5 * 2 + 1);
}

static void show(struct partner *partner, const char *error)
{
    struct engine_status *status = &partner->plugin->status;
    struct relationship_status *shown = &status->relationship[partner->number];

    (void)pthread_mutex_lock(&status->lock);
    shown->next_attempt = partner->next_attempt_at;
    (void)snprintf(shown->last_error, sizeof shown->last_error, "%s", error);
    (void)pthread_mutex_unlock(&status->lock);
}

static void fail(struct partner *partner, const struct result *why)
{
    char delay_text[24];
    int64_t delay;

    partner->failures++;
    delay = back_off(partner);
    partner->next_attempt_at = engine_now() + delay;
    (void)snprintf(delay_text, sizeof delay_text, "%lld", (long long)delay);
    kea_log(partner->plugin->server, FAILOVER_SYNC_PUSH_FAILED, name_of(partner), delay_text, why->message);
    show(partner, why->message);
    replication_watch_unreachable(partner->plugin, partner->number, why->message);
    go_idle(partner);
}

static struct result send_request(struct partner *partner, char *text, enum partner_step step)
{
    partner->request = text;
    partner->error[0] = '\0';
    if (curl_easy_setopt(partner->easy, CURLOPT_POSTFIELDS, text) != CURLE_OK ||
        curl_easy_setopt(partner->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(text)) != CURLE_OK ||
        curl_multi_add_handle(partner->multi, partner->easy) != CURLM_OK) {
        stop_transfer(partner);
        return result_no_memory("a request to the partner");
    }
    partner->step = step;
    return result_ok();
}

static void push(struct partner *partner, int64_t now)
{
    struct plugin *plugin = partner->plugin;
    char *text = NULL;
    struct result result = batch_take(plugin, partner->number, now, &partner->batch);

    if (!result_failed(result) && partner->batch.count == 0) {
        engine_refresh_queue(plugin, partner->number);
        return;
    }
    if (!result_failed(result))
        result = batch_request(plugin, partner->number, &partner->batch, &text);
    if (!result_failed(result))
        result = send_request(partner, text, PARTNER_PUSHING);
    if (result_failed(result)) {
        fail(partner, &result);
        return;
    }
    (void)pthread_mutex_lock(&plugin->status.lock);
    plugin->status.relationship[partner->number].pushes++;
    plugin->status.relationship[partner->number].scopes_sent += (uint32_t)partner->batch.count;
    (void)pthread_mutex_unlock(&plugin->status.lock);
}

static void ask(struct partner *partner)
{
    char *text = NULL;
    struct result result = batch_question(partner->plugin, partner->number, partner->answer.ticket, &text);

    if (!result_failed(result))
        result = send_request(partner, text, PARTNER_ASKING);
    if (result_failed(result))
        fail(partner, &result);
}

/* When the next wish is due, -1 if none is waiting; wishes that the clock has left behind are due now. */
static int64_t next_due(struct partner *partner, int64_t now)
{
    const struct queue_summary *queue = &partner->plugin->status.relationship[partner->number].queue;
    int64_t due = queue->next_due;

    if (due != engine_wait_end(due, now, partner->plugin->parameters.retry_max_ms)) {
        (void)queue_wake(partner->plugin->store, relationship_partner(partner->relationship)->record_id, now);
        engine_refresh_queue(partner->plugin, partner->number);
        due = queue->next_due;
    }
    return due;
}

int64_t partner_advance(struct partner *partner, int64_t now)
{
    if (partner->step == PARTNER_IDLE) {
        const int64_t retry_max = partner->plugin->parameters.retry_max_ms;
        int64_t due = next_due(partner, now);

        if (due < 0)
            return INT64_MAX;
        partner->next_attempt_at = engine_wait_end(partner->next_attempt_at, now, retry_max + retry_max / 5);
        if (due < partner->next_attempt_at)
            due = partner->next_attempt_at;
        if (due > now)
            return due;
        push(partner, now);
        return partner->step == PARTNER_IDLE ? now + 1 : INT64_MAX;
    }
    if (partner->step == PARTNER_WAITING) {
        partner->next_step_at = engine_wait_end(partner->next_step_at, now, ASK_MAX_MS * 2);
        if (partner->next_step_at > now)
            return partner->next_step_at;
        ask(partner);
    }
    return INT64_MAX;
}

/* What an admin should know of a batch that did not go through whole; "" if it did. */
static void describe_refusal(const struct partner *partner, char text[320])
{
    text[0] = '\0';
    for (size_t i = 0; i < partner->batch.count; i++) {
        const struct batch_item *item = &partner->batch.items[i];

        if (item->outcome == BATCH_APPLIED || item->outcome == BATCH_UNCHANGED)
            continue;
        (void)snprintf(text, 320, "scope %s: %s", item->wish.prefix,
                       item->text[0] != '\0'               ? item->text
                       : item->outcome == BATCH_OVERRULED  ? "changed on both servers, the partner's version counts"
                       : item->outcome == BATCH_UNANSWERED ? "the partner did not say what came of it"
                                                           : "refused without a reason");
        return;
    }
}

static void settle(struct partner *partner)
{
    struct plugin *plugin = partner->plugin;
    char count[24], refusal[320];
    size_t agreed = 0;
    struct result result;

    result = batch_settle(plugin, partner->number, &partner->batch, engine_now() + plugin->parameters.retry_max_ms);
    if (result_failed(result)) {
        engine_set_mirror(plugin, &result);
        fail(partner, &result);
        return;
    }
    for (size_t i = 0; i < partner->batch.count; i++)
        if (partner->batch.items[i].outcome == BATCH_APPLIED || partner->batch.items[i].outcome == BATCH_UNCHANGED)
            agreed++;
    if (agreed > 0) {
        (void)snprintf(count, sizeof count, "%zu", agreed);
        kea_log(plugin->server, FAILOVER_SYNC_PUSHED, count, name_of(partner));
    }
    partner->failures = 0;
    partner->next_attempt_at = 0;
    describe_refusal(partner, refusal);
    show(partner, refusal);
    go_idle(partner);
    engine_refresh_queue(plugin, partner->number);
}

/* Asks again, a little later each time, until patience ends. */
static void wait_for_record(struct partner *partner)
{
    int64_t now = engine_now();

    if (partner->step == PARTNER_PUSHING) {
        partner->ask_delay = ASK_FIRST_MS;
        partner->ask_until = now + ASK_PATIENCE_MS;
    } else if (partner->ask_delay < ASK_MAX_MS) {
        partner->ask_delay *= 2;
    }
    partner->ask_until = engine_wait_end(partner->ask_until, now, ASK_PATIENCE_MS);
    if (now > partner->ask_until) {
        struct result late =
            result_error(RESULT_NETWORK, "%.80s took the scopes but did not record them in time", name_of(partner));

        fail(partner, &late);
        return;
    }
    partner->step = PARTNER_WAITING;
    partner->next_step_at = now + partner->ask_delay;
}

static void take_answer(struct partner *partner)
{
    struct result result =
        batch_read_answer(partner->plugin, name_of(partner), partner->response == NULL ? "" : partner->response,
                          partner->response_length, &partner->batch, &partner->answer);

    stop_transfer(partner);
    if (result.code == RESULT_NOT_FOUND && partner->step == PARTNER_ASKING && partner->failures == 0) {
        /* The partner was restarted and may have lost what it had not recorded: send it again, at once, but once. */
        partner->failures++;
        go_idle(partner);
        return;
    }
    if (result_failed(result)) {
        fail(partner, &result);
        return;
    }
    switch (partner->answer.state) {
    case ANSWER_RECORDED:
        settle(partner);
        break;
    case ANSWER_UNRECORDED:
        result = result_error(RESULT_REFUSED, "%.80s runs the scopes but could not record them: %.200s",
                              name_of(partner), partner->answer.text);
        fail(partner, &result);
        break;
    default:
        wait_for_record(partner);
        break;
    }
}

static struct result http_failure(const struct partner *partner, long status)
{
    if (status == 401 || status == 403)
        return result_error(RESULT_REFUSED,
                            "%.80s refused our credentials (HTTP %ld): check basic-auth-user and its password for this "
                            "partner",
                            name_of(partner), status);
    return result_error(RESULT_NETWORK, "%.80s answered with HTTP status %ld at %.200s: check its url",
                        name_of(partner), status, partner->relationship->access.url);
}

bool partner_finished(struct partner *partner, CURL *easy, CURLcode code)
{
    long status = 0;
    struct result result;

    if (easy != partner->easy)
        return false;
    if (code != CURLE_OK) {
        if (partner->response_too_long)
            result =
                result_error(RESULT_NETWORK, "%.80s answered with more than %d bytes", name_of(partner), ANSWER_MAX);
        else
            result = result_error(RESULT_NETWORK, "%.80s cannot be reached at %.120s: %.200s", name_of(partner),
                                  partner->relationship->access.url,
                                  partner->error[0] == '\0' ? curl_easy_strerror(code) : partner->error);
        stop_transfer(partner);
        fail(partner, &result);
        return true;
    }
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        result = http_failure(partner, status);
        stop_transfer(partner);
        fail(partner, &result);
        return true;
    }
    take_answer(partner);
    return true;
}

void partner_heard(struct partner *partner)
{
    if (partner->next_attempt_at == 0 || partner->plugin->store == NULL)
        return;
    partner->next_attempt_at = 0;
    (void)queue_wake(partner->plugin->store, relationship_partner(partner->relationship)->record_id, engine_now());
    engine_refresh_queue(partner->plugin, partner->number);
}
