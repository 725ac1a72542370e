/* The network, where the product calls libcurl: a transfer that is added becomes a message in flight, which the
 * schedule delivers, loses, or delivers when its sender has given up long ago. These definitions take the place of
 * libcurl's. */
#define CURL_DISABLE_TYPECHECK
#include "sim.h"

#include "failover_sync/version_vector.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

#define MESSAGES        32
#define REQUEST_TIMEOUT 15000 /* milliseconds, as partner.c has it */

struct transfer {
    struct sim_server *sender;
    bool under_way;
    unsigned number; /* which one of this handle's; answers to former ones are not its */
    int64_t started;
    const char *request;
    char *error;
    size_t (*receive)(char *bytes, size_t size, size_t count, void *context);
    void *context;
};

struct message {
    int from, to;
    struct transfer *transfer; /* that waits for it; NULL: nobody does */
    unsigned number;
    bool answer;
    char *text;
    struct letter delivery;
};

#define TRANSFERS 16
static struct transfer *transfers[TRANSFERS]; /* all handles there are */
static struct message messages[MESSAGES];     /* in the order sent */
static size_t message_count;

/* What each server said last of each scope. */
static struct {
    char version[VERSION_TEXT_SIZE];
    int number;
} said[SERVERS][SCOPES + 1];

static void take_out(size_t number)
{
    message_count--;
    memmove(&messages[number], &messages[number + 1], (message_count - number) * sizeof messages[0]);
}

static bool is_awaited(const struct message *message)
{
    return message->transfer != NULL && message->transfer->under_way && message->transfer->number == message->number;
}

static void put_in(const struct message *message)
{
    if (message_count == MESSAGES) { /* what nobody waits for is lost first */
        size_t oldest = 0;

        for (size_t i = MESSAGES; i-- > 0;)
            if (!is_awaited(&messages[i]))
                oldest = i;
        free(messages[oldest].text);
        take_out(oldest);
    }
    messages[message_count++] = *message;
}

/* ---- libcurl as the product uses it ---- */

CURLcode curl_global_init(long flags)
{
    (void)flags;
    return CURLE_OK;
}

CURL *curl_easy_init(void)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);

    for (size_t i = 0; i < TRANSFERS; i++)
        if (transfers[i] == NULL) {
            transfers[i] = transfer;
            return transfer;
        }
    abort();
}

void curl_easy_cleanup(CURL *easy)
{
    for (size_t i = 0; i < TRANSFERS; i++)
        if (transfers[i] == easy)
            transfers[i] = NULL;
    for (size_t i = 0; i < message_count; i++)
        if (messages[i].transfer == easy)
            messages[i].transfer = NULL;
    free(easy);
}

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    struct transfer *transfer = easy;
    va_list arguments;

    va_start(arguments, option);
    switch (option) {
    case CURLOPT_POSTFIELDS:
        transfer->request = va_arg(arguments, const char *);
        break;
    case CURLOPT_ERRORBUFFER:
        transfer->error = va_arg(arguments, char *);
        break;
    case CURLOPT_WRITEFUNCTION:
        transfer->receive = va_arg(arguments, size_t(*)(char *, size_t, size_t, void *));
        break;
    case CURLOPT_WRITEDATA:
        transfer->context = va_arg(arguments, void *);
        break;
    default:
        break;
    }
    va_end(arguments);
    return CURLE_OK;
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
    va_list arguments;

    (void)easy;
    va_start(arguments, info);
    if (info == CURLINFO_RESPONSE_CODE)
        *va_arg(arguments, long *) = 200;
    va_end(arguments);
    return CURLE_OK;
}

const char *curl_easy_strerror(CURLcode code)
{
    (void)code;
    return "the schedule wants it so";
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text)
{
    struct curl_slist *item = calloc(1, sizeof *item), **last = &list;

    if (item == NULL)
        return NULL;
    item->data = strdup(text);
    while (*last != NULL)
        last = &(*last)->next;
    *last = item;
    return list;
}

void curl_slist_free_all(struct curl_slist *list)
{
    while (list != NULL) {
        struct curl_slist *next = list->next;

        free(list->data);
        free(list);
        list = next;
    }
}

/* What a request carries of each scope, checked against what its sender has recorded. */
static struct letter delivery_of(int from, const char *text)
{
    struct letter delivery = {.used = true, .from = from};
    json_t *root = json_loads(text, 0, NULL), *scope;
    size_t i;

    for (i = 0; i <= SCOPES; i++)
        delivery.version[i] = -1;
    json_array_foreach(json_object_get(json_object_get(root, "arguments"), "scopes"), i, scope)
    {
        uint32_t id = (uint32_t)json_integer_value(json_object_get(scope, "subnet-id"));
        uint8_t content = sim_content_of(json_string_value(json_object_get(scope, "definition")));
        const char *version = json_string_value(json_object_get(scope, "version"));

        world.server[from].scopes_sent++;
        if (id > SCOPES)
            continue;
        delivery.version[id] = rules_sent(from, id);
        if (rules_distrusts(id))
            continue;
        /* What a partner does not know the session of is said again, as it was. */
        if (world.sealed && strcmp(said[from][id].version, version) == 0 &&
            rules_version_content(id, said[from][id].number) == content)
            delivery.version[id] = said[from][id].number;
        said[from][id].number = delivery.version[id];
        (void)snprintf(said[from][id].version, sizeof said[from][id].version, "%s", version);
        if (rules_version_content(id, delivery.version[id]) != content)
            world_fail("scope %u: server%d sends content %u, but has recorded content %u", id, from + 1, content,
                       rules_version_content(id, delivery.version[id]));
    }
    json_decref(root);
    return delivery;
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    struct transfer *transfer = easy;
    struct sim_server *sender = (struct sim_server *)multi;
    struct message message = {.from = sender->number, .to = 1 - sender->number, .transfer = transfer};

    transfer->sender = sender;
    transfer->under_way = true;
    transfer->started = sim_ticks;
    message.number = ++transfer->number;
    message.text = strdup(transfer->request);
    message.delivery = delivery_of(sender->number, transfer->request);
    put_in(&message);
    return CURLM_OK;
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
    (void)multi;
    ((struct transfer *)easy)->under_way = false;
    return CURLM_OK;
}

/* ---- what the schedule does ---- */

size_t sim_network_count(void)
{
    return message_count;
}

int sim_network_sender(size_t number)
{
    return messages[number].from;
}

const char *sim_network_text(size_t number)
{
    return messages[number].text;
}

bool sim_network_is_answer(size_t number)
{
    return messages[number].answer;
}

void sim_network_replace(size_t number, char *text)
{
    free(messages[number].text);
    messages[number].text = text;
}

static void end_transfer(struct transfer *transfer, CURLcode code)
{
    if (code != CURLE_OK && transfer->error != NULL)
        (void)snprintf(transfer->error, CURL_ERROR_SIZE, "%s", "simulated");
    sim_worker_finished(transfer->sender, transfer, (int)code);
}

static void end_awaited(const struct message *message, CURLcode code)
{
    if (is_awaited(message))
        end_transfer(message->transfer, code);
}

static void deliver_answer(const struct message *message)
{
    const struct sim_server *server = &world.server[message->to];
    struct transfer *transfer = message->transfer;
    size_t length = strlen(message->text);
    bool removed[SCOPES + 1];

    if (!is_awaited(message))
        return;
    for (uint32_t scope = 1; scope <= SCOPES; scope++)
        removed[scope] = sim_server_has_removed(server, scope);
    if (transfer->receive(message->text, 1, length, transfer->context) != length)
        end_transfer(transfer, CURLE_WRITE_ERROR);
    else
        end_transfer(transfer, CURLE_OK);
    for (uint32_t scope = 1; scope <= SCOPES; scope++)
        if (!removed[scope] && sim_server_has_removed(server, scope))
            rules_told_removed(server->number, scope, message->delivery.version[scope]);
}

static void deliver_request(const struct message *message, bool elsewhere)
{
    struct sim_server *server = &world.server[message->to];
    struct message back = {.from = message->to,
                           .to = message->from,
                           .transfer = message->transfer,
                           .number = message->number,
                           .answer = true};

    if (!server->up) {
        end_awaited(message, CURLE_COULDNT_CONNECT);
        return;
    }
    for (uint32_t scope = 1; scope <= SCOPES; scope++)
        back.delivery.version[scope] = rules_sent(message->to, scope);
    back.text = sim_server_request(server, message->text, &message->delivery, elsewhere);
    if (back.text == NULL)
        end_awaited(message, CURLE_GOT_NOTHING);
    else if (is_awaited(message))
        put_in(&back);
    else
        free(back.text);
}

void sim_network_deliver(size_t number, bool elsewhere)
{
    struct message message = messages[number];

    take_out(number);
    if (message.answer)
        deliver_answer(&message);
    else
        deliver_request(&message, elsewhere);
    free(message.text);
}

void sim_network_lose(size_t number, enum sim_loss loss)
{
    struct message message = messages[number];

    if (loss == SIM_LATE && !message.answer) {
        end_awaited(&message, CURLE_RECV_ERROR);
        return;
    }
    take_out(number);
    if (loss != SIM_LOST)
        end_awaited(&message, message.answer ? CURLE_RECV_ERROR : CURLE_COULDNT_CONNECT);
    free(message.text);
}

int64_t sim_network_next_timeout(void)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < TRANSFERS; i++)
        if (transfers[i] != NULL && transfers[i]->under_way && transfers[i]->started + REQUEST_TIMEOUT < next)
            next = transfers[i]->started + REQUEST_TIMEOUT;
    return next;
}

void sim_network_expire(void)
{
    for (size_t i = 0; i < TRANSFERS; i++)
        if (transfers[i] != NULL && transfers[i]->under_way && transfers[i]->started + REQUEST_TIMEOUT <= sim_ticks)
            end_transfer(transfers[i], CURLE_OPERATION_TIMEDOUT);
}

void sim_network_forget(int server)
{
    for (size_t i = message_count; i-- > 0;) {
        if (messages[i].from != server || !messages[i].answer)
            continue;
        end_awaited(&messages[i], CURLE_RECV_ERROR);
        free(messages[i].text);
        take_out(i);
    }
}

void sim_network_clear(void)
{
    memset(said, 0, sizeof said);
    while (message_count > 0) {
        free(messages[0].text);
        take_out(0);
    }
}
