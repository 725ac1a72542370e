/* One exchange with a partner over HTTP: how it is reached, what is said when it is not. */
#include "exchange.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONNECT_TIMEOUT_MS 3000L
#define REQUEST_TIMEOUT_MS 15000L

struct exchange {
    const struct relationship *relationship;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
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

static bool set_options(struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    struct curl_slist *longer;

    exchange->headers = curl_slist_append(NULL, "Content-Type: application/json");
    /* Kea's HTTP server knows no 100-continue. */
    longer = exchange->headers == NULL ? NULL : curl_slist_append(exchange->headers, "Expect:");
    if (longer == NULL)
        return false;
    return curl_easy_setopt(easy, CURLOPT_URL, exchange->relationship->access.url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, REQUEST_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange) == CURLE_OK &&
           set_access(easy, &exchange->relationship->access);
}

struct result exchange_new(const struct relationship *relationship, CURLM *multi, struct exchange **exchange)
{
    struct exchange *new = calloc(1, sizeof *new);

    *exchange = NULL;
    if (new == NULL)
        return result_no_memory("a partner");
    new->relationship = relationship;
    new->multi = multi;
    new->easy = curl_easy_init();
    if (new->easy == NULL || !set_options(new)) {
        exchange_free(new);
        return result_no_memory("a partner");
    }
    *exchange = new;
    return result_ok();
}

static void stop(struct exchange *exchange)
{
    if (exchange->busy)
        (void)curl_multi_remove_handle(exchange->multi, exchange->easy);
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
    if (exchange->easy != NULL)
        curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    free(exchange);
}

struct result exchange_send(struct exchange *exchange, char *text)
{
    stop(exchange);
    exchange->request = text;
    exchange->error[0] = '\0';
    if (curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDS, text) != CURLE_OK ||
        curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(text)) != CURLE_OK ||
        curl_multi_add_handle(exchange->multi, exchange->easy) != CURLM_OK) {
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
    const char *name = relationship_partner(exchange->relationship)->name;
    const char *url = exchange->relationship->access.url;
    long status = 0;

    if (code != CURLE_OK && exchange->answer_too_long)
        return result_error(RESULT_NETWORK, "%.80s answered with more than %d bytes", name, EXCHANGE_ANSWER_MAX);
    if (code != CURLE_OK)
        return result_error(RESULT_NETWORK, "%.80s cannot be reached at %.120s: %.200s", name, url,
                            exchange->error[0] == '\0' ? curl_easy_strerror(code) : exchange->error);
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 401 || status == 403)
        return result_error(RESULT_REFUSED,
                            "%.80s refused our credentials (HTTP %ld): check basic-auth-user and its password for this "
                            "partner",
                            name, status);
    if (status != 200)
        return result_error(RESULT_NETWORK, "%.80s answered with HTTP status %ld at %.200s: check its url", name,
                            status, url);
    return result_ok();
}

bool exchange_finished(struct exchange *exchange, CURL *easy, CURLcode code, struct result *result, char **answer,
                       size_t *length)
{
    if (easy != exchange->easy || !exchange->busy)
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
