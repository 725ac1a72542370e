/* One exchange with a partner over HTTP at a time. */
#include "exchange.h"

#include "access.h"

#include "failover_sync/trust.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOKUP_PATIENCE_MS 3000 /* until an exchange gives up on the partner's name; the lookup itself goes on */
#define LOOK_FIRST_MS      1    /* between looks whether a name was found, doubled each time */
#define LOOK_MOST_MS       64
#define INTRODUCTIONS      2 /* how often a request is sealed anew, since the partner knows us no more */
#define HTTP_OK            200
#define HTTP_TIMEOUT       408

enum exchange_state { EXCHANGE_IDLE, EXCHANGE_LOOKING_UP, EXCHANGE_UNDER_WAY, EXCHANGE_OVER };

struct exchange {
    struct plugin *plugin;
    size_t number;
    CURLM *multi;
    struct access access;
    enum exchange_state state;

    struct exchange_order order;
    char *sealed; /* the request in its envelope; NULL: it has none */
    struct trust_letter letter;
    bool again; /* it was sent twice, since a connection was not what it seemed */
    unsigned introductions;
    int64_t lookup_until, look_at, look_wait; /* the first by a clock that nobody sets */

    char *answer;
    size_t length;
    bool too_long;
    bool judged; /* the whole answer is here, and `verdict` says what it is */
    enum trust_verdict verdict;
    struct result verdict_why;

    struct exchange_outcome outcome;
};

static int64_t monotonic_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *partner_of(const struct exchange *exchange)
{
    return relationship_partner(&exchange->plugin->relationships.list[exchange->number])->name;
}

/* ---- the answer comes in ---- */

/* The answer is whole: is it this request's? Once. */
static void judge_answer(struct exchange *exchange)
{
    if (exchange->judged)
        return;
    exchange->judged = true;
    exchange->verdict = TRUST_BELIEVED;
    exchange->verdict_why = result_ok();
    if (exchange->order.command != NULL)
        exchange->verdict =
            trust_judge(exchange->plugin, exchange->number, exchange->order.command, &exchange->letter,
                        exchange->answer == NULL ? "" : exchange->answer, exchange->length, &exchange->verdict_why);
}

/* A connection serves once more only after a whole answer to this request with status 200: on any other, there may be
 * more to come that would be taken for the next answer. */
static void keep_connection(struct exchange *exchange)
{
    curl_off_t whole = -1;
    long status = 0;

    (void)curl_easy_getinfo(exchange->access.easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(exchange->access.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &whole);
    if (status != HTTP_OK || whole < 0 || (size_t)whole != exchange->length)
        return;
    judge_answer(exchange);
    if (exchange->verdict == TRUST_BELIEVED || exchange->verdict == TRUST_AGAIN)
        (void)curl_easy_setopt(exchange->access.easy, CURLOPT_FORBID_REUSE, 0L);
}

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t length = size * count;
    char *larger;

    if (length > exchange->order.answer_max - exchange->length) {
        exchange->too_long = true;
        return 0;
    }
    larger = realloc(exchange->answer, exchange->length + length + 1);
    if (larger == NULL)
        return 0;
    memcpy(larger + exchange->length, bytes, length);
    exchange->answer = larger;
    exchange->length += length;
    larger[exchange->length] = '\0';
    keep_connection(exchange);
    return length;
}

/* ---- its life ---- */

struct result exchange_new(struct plugin *plugin, size_t number, CURLM *multi, struct exchange **exchange)
{
    struct exchange *new = calloc(1, sizeof *new);
    struct result result;

    *exchange = NULL;
    if (new == NULL)
        return result_no_memory("a partner");
    new->plugin = plugin;
    new->number = number;
    new->multi = multi;
    result = access_open(&plugin->relationships.list[number].access, &new->access);
    if (!result_failed(result) && (curl_easy_setopt(new->access.easy, CURLOPT_WRITEFUNCTION, receive) != CURLE_OK ||
                                   curl_easy_setopt(new->access.easy, CURLOPT_WRITEDATA, new) != CURLE_OK))
        result = result_no_memory("a partner");
    if (result_failed(result))
        exchange_free(new);
    else
        *exchange = new;
    return result;
}

static void forget_answer(struct exchange *exchange)
{
    free(exchange->answer);
    exchange->answer = NULL;
    exchange->length = 0;
    exchange->too_long = exchange->judged = false;
}

static void end_transfer(struct exchange *exchange)
{
    if (exchange->state == EXCHANGE_UNDER_WAY)
        (void)curl_multi_remove_handle(exchange->multi, exchange->access.easy);
    exchange->state = EXCHANGE_IDLE;
}

void exchange_stop(struct exchange *exchange)
{
    end_transfer(exchange);
    forget_answer(exchange);
    free(exchange->order.request);
    free(exchange->sealed);
    free(exchange->outcome.answer);
    exchange->order.request = exchange->sealed = NULL;
    exchange->outcome = (struct exchange_outcome){.answer = NULL};
}

void exchange_free(struct exchange *exchange)
{
    if (exchange == NULL)
        return;
    exchange_stop(exchange);
    access_close(&exchange->access);
    free(exchange);
}

static void end(struct exchange *exchange, const struct result *why)
{
    end_transfer(exchange);
    exchange->outcome.why = *why;
    exchange->state = EXCHANGE_OVER;
}

/* ---- sending ---- */

static struct result seal(struct exchange *exchange)
{
    if (exchange->order.command == NULL)
        return result_ok();
    free(exchange->sealed);
    return trust_seal(exchange->plugin, exchange->number, exchange->order.command, exchange->order.request,
                      &exchange->sealed, &exchange->letter);
}

static void transfer(struct exchange *exchange)
{
    CURL *easy = exchange->access.easy;
    const char *text = exchange->sealed == NULL ? exchange->order.request : exchange->sealed;
    struct result why = result_no_memory("a request to the partner");

    forget_answer(exchange);
    if (curl_easy_setopt(easy, CURLOPT_POSTFIELDS, text) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(text)) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, exchange->order.timeout_ms) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, exchange->again ? 1L : 0L) != CURLE_OK ||
        curl_multi_add_handle(exchange->multi, easy) != CURLM_OK) {
        end(exchange, &why);
        return;
    }
    exchange->state = EXCHANGE_UNDER_WAY;
}

static void look_up(struct exchange *exchange, int64_t now)
{
    struct result why;
    enum resolve_state state = access_resolve(&exchange->access, monotonic_ms() >= exchange->lookup_until, &why);

    if (result_failed(why)) {
        end(exchange, &why);
    } else if (state == RESOLVE_FOUND) {
        transfer(exchange);
    } else {
        exchange->state = EXCHANGE_LOOKING_UP;
        exchange->look_at = now + exchange->look_wait;
        if (exchange->look_wait < LOOK_MOST_MS)
            exchange->look_wait *= 2;
    }
}

/* The request as it is now, with whatever the files of passwords and secrets hold now. */
static void begin(struct exchange *exchange)
{
    struct result result = access_prepare(&exchange->access);

    if (!result_failed(result))
        result = seal(exchange);
    if (result_failed(result)) {
        end(exchange, &result);
        return;
    }
    exchange->lookup_until = monotonic_ms() + LOOKUP_PATIENCE_MS;
    exchange->look_wait = LOOK_FIRST_MS;
    look_up(exchange, engine_ticks());
}

void exchange_send(struct exchange *exchange, const struct exchange_order *order)
{
    exchange_stop(exchange);
    exchange->order = *order;
    exchange->again = false;
    exchange->introductions = 0;
    begin(exchange);
}

int64_t exchange_advance(struct exchange *exchange, int64_t now)
{
    if (exchange->state != EXCHANGE_LOOKING_UP)
        return INT64_MAX;
    if (exchange->look_at <= now)
        look_up(exchange, now);
    return exchange->state == EXCHANGE_LOOKING_UP ? exchange->look_at : INT64_MAX;
}

/* ---- the end of a transfer ---- */

/* A connection that was used before may have been closed by the other side meanwhile, or brought what was not for this
 * request: a new one tells. */
static bool is_worth_another(const struct exchange *exchange, CURLcode code, long status)
{
    long connects = 1;

    if (exchange->again)
        return false;
    (void)curl_easy_getinfo(exchange->access.easy, CURLINFO_NUM_CONNECTS, &connects);
    if (connects > 0)
        return false;
    if (code == CURLE_OK)
        return status == HTTP_TIMEOUT || (status == HTTP_OK && exchange->verdict == TRUST_STRAY);
    return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
}

static struct result judge(const struct exchange *exchange, CURLcode code)
{
    struct result result;

    if (code != CURLE_OK && exchange->too_long)
        return result_error(RESULT_NETWORK, "%.80s answered with more than %zu bytes", partner_of(exchange),
                            exchange->order.answer_max);
    result = access_judge(&exchange->access, code);
    return result_failed(result) ? result : exchange->verdict_why;
}

bool exchange_finished(struct exchange *exchange, CURL *easy, CURLcode code)
{
    long status = 0;
    struct result result;

    if (easy != exchange->access.easy || exchange->state != EXCHANGE_UNDER_WAY)
        return false;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->verdict_why = exchange->judged ? exchange->verdict_why : result_ok();
    if (code == CURLE_OK && status == HTTP_OK)
        judge_answer(exchange);
    result = judge(exchange, code);
    if (is_worth_another(exchange, code, status)) {
        end_transfer(exchange);
        exchange->again = true;
        begin(exchange);
        return true;
    }
    if (!result_failed(result) && exchange->verdict == TRUST_AGAIN && exchange->judged) {
        end_transfer(exchange);
        if (exchange->introductions++ < INTRODUCTIONS) {
            begin(exchange);
            return true;
        }
        result =
            result_error(RESULT_NETWORK,
                         "%.80s does not remember this server from one request to the next: is it being loaded again "
                         "and again?",
                         partner_of(exchange));
    }
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT || code == CURLE_COULDNT_RESOLVE_HOST)
        access_doubt(&exchange->access);
    end(exchange, &result);
    exchange->outcome.http_status = code == CURLE_OK ? status : 0;
    return true;
}

bool exchange_take(struct exchange *exchange, struct exchange_outcome *outcome)
{
    if (exchange->state != EXCHANGE_OVER)
        return false;
    *outcome = exchange->outcome;
    exchange->outcome = (struct exchange_outcome){.answer = NULL};
    if (!result_failed(outcome->why)) {
        outcome->answer = exchange->answer == NULL ? strdup("") : exchange->answer;
        outcome->length = exchange->length;
        exchange->answer = NULL;
        if (outcome->answer == NULL)
            outcome->why = result_no_memory("an answer");
    }
    exchange_stop(exchange);
    return true;
}
