/* One exchange with a partner over HTTP at a time. */
#include "exchange.h"

#include "access.h"

#include <stdlib.h>
#include <string.h>

#define REQUEST_TIMEOUT_MS 15000L

struct exchange {
    const struct relationship *relationship;
    CURLM *multi;
    struct access access;
    bool busy;
    char *request, *answer;
    size_t answer_length;
    bool answer_too_long;
};

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t length = size * count;
    char *larger;

    if (length > EXCHANGE_ANSWER_MAX - exchange->answer_length) {
        exchange->answer_too_long = true;
        return 0;
    }
    larger = realloc(exchange->answer, exchange->answer_length + length + 1);
    if (larger == NULL)
        return 0;
    memcpy(larger + exchange->answer_length, bytes, length);
    exchange->answer = larger;
    exchange->answer_length += length;
    larger[exchange->answer_length] = '\0';
    return length;
}

struct result exchange_new(const struct relationship *relationship, CURLM *multi, struct exchange **exchange)
{
    struct exchange *new = calloc(1, sizeof *new);
    struct result result;

    *exchange = NULL;
    if (new == NULL)
        return result_no_memory("a partner");
    new->relationship = relationship;
    new->multi = multi;
    result = access_open(&relationship->access, &new->access);
    if (!result_failed(result) &&
        (curl_easy_setopt(new->access.easy, CURLOPT_TIMEOUT_MS, REQUEST_TIMEOUT_MS) != CURLE_OK ||
         curl_easy_setopt(new->access.easy, CURLOPT_WRITEFUNCTION, receive) != CURLE_OK ||
         curl_easy_setopt(new->access.easy, CURLOPT_WRITEDATA, new) != CURLE_OK))
        result = result_no_memory("a partner");
    if (result_failed(result))
        exchange_free(new);
    else
        *exchange = new;
    return result;
}

static void stop(struct exchange *exchange)
{
    if (exchange->busy)
        (void)curl_multi_remove_handle(exchange->multi, exchange->access.easy);
    free(exchange->request);
    free(exchange->answer);
    exchange->request = exchange->answer = NULL;
    exchange->answer_length = 0;
    exchange->answer_too_long = exchange->busy = false;
}

void exchange_free(struct exchange *exchange)
{
    if (exchange == NULL)
        return;
    stop(exchange);
    access_close(&exchange->access);
    free(exchange);
}

struct result exchange_send(struct exchange *exchange, char *text)
{
    struct result result;

    stop(exchange);
    exchange->request = text;
    result = access_prepare(&exchange->access);
    if (result_failed(result)) {
        stop(exchange);
        return result;
    }
    if (curl_easy_setopt(exchange->access.easy, CURLOPT_POSTFIELDS, text) != CURLE_OK ||
        curl_easy_setopt(exchange->access.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(text)) != CURLE_OK ||
        curl_multi_add_handle(exchange->multi, exchange->access.easy) != CURLM_OK) {
        stop(exchange);
        return result_no_memory("a request to the partner");
    }
    exchange->busy = true;
    return result_ok();
}

bool exchange_is_busy(const struct exchange *exchange)
{
    return exchange->busy;
}

static struct result judge(const struct exchange *exchange, CURLcode code)
{
    if (code != CURLE_OK && exchange->answer_too_long)
        return result_error(RESULT_NETWORK, "%.80s answered with more than %d bytes",
                            relationship_partner(exchange->relationship)->name, EXCHANGE_ANSWER_MAX);
    return access_judge(&exchange->access, code);
}

bool exchange_finished(struct exchange *exchange, CURL *easy, CURLcode code, struct result *result, char **answer,
                       size_t *length)
{
    if (easy != exchange->access.easy || !exchange->busy)
        return false;
    *answer = NULL;
    *length = exchange->answer_length;
    *result = judge(exchange, code);
    if (!result_failed(*result)) {
        *answer = exchange->answer == NULL ? strdup("") : exchange->answer;
        exchange->answer = NULL;
        if (*answer == NULL)
            *result = result_no_memory("an answer");
    }
    stop(exchange);
    return true;
}
