/* The tickets of batches taken in: how far each has got, for the sender that asks. In memory only, the last ones: a
 * sender that asks for one that is not known any more, as after a restart, sends the batch again. */
#include "failover_sync/receive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ticket {
    char name[TICKET_NAME_SIZE];
    enum ticket_state state;
    char text[300];
    uint32_t pause_us;
    json_t *outcomes;
    size_t bytes; /* of its outcomes as text */
    uint64_t issued;
};

struct tickets {
    pthread_mutex_t lock;
    uint64_t issued;
    size_t bytes;
    struct ticket kept[TICKETS_KEPT];
};

struct result tickets_new(struct tickets **tickets)
{
    *tickets = calloc(1, sizeof **tickets);
    if (*tickets == NULL || pthread_mutex_init(&(*tickets)->lock, NULL) != 0) {
        free(*tickets);
        *tickets = NULL;
        return result_no_memory("the tickets");
    }
    return result_ok();
}

void tickets_free(struct tickets *tickets)
{
    if (tickets == NULL)
        return;
    for (size_t i = 0; i < TICKETS_KEPT; i++)
        json_decref(tickets->kept[i].outcomes);
    (void)pthread_mutex_destroy(&tickets->lock);
    free(tickets);
}

static void forget(struct tickets *tickets, struct ticket *ticket)
{
    json_decref(ticket->outcomes);
    tickets->bytes -= ticket->bytes;
    *ticket = (struct ticket){.name = ""};
}

/* The oldest ones go until the others have room, the one that was told of last in no case. */
static void make_room(struct tickets *tickets, const struct ticket *last)
{
    while (tickets->bytes > TICKETS_MAX_BYTES) {
        struct ticket *oldest = NULL;

        for (size_t i = 0; i < TICKETS_KEPT; i++) {
            struct ticket *ticket = &tickets->kept[i];

            if (ticket != last && ticket->bytes > 0 && (oldest == NULL || ticket->issued < oldest->issued))
                oldest = ticket;
        }
        if (oldest == NULL)
            return;
        forget(tickets, oldest);
    }
}

void tickets_issue(struct tickets *tickets, const char *instance, char name[TICKET_NAME_SIZE])
{
    struct ticket *ticket;

    (void)pthread_mutex_lock(&tickets->lock);
    ticket = &tickets->kept[tickets->issued % TICKETS_KEPT];
    forget(tickets, ticket);
    ticket->issued = ++tickets->issued;
    (void)snprintf(ticket->name, sizeof ticket->name, "%s-%llu", instance, (unsigned long long)tickets->issued);
    memcpy(name, ticket->name, TICKET_NAME_SIZE);
    (void)pthread_mutex_unlock(&tickets->lock);
}

static struct ticket *find(struct tickets *tickets, const char *name)
{
    for (size_t i = 0; i < TICKETS_KEPT; i++)
        if (strcmp(tickets->kept[i].name, name) == 0)
            return &tickets->kept[i];
    return NULL;
}

void tickets_set(struct tickets *tickets, const char *name, enum ticket_state state, const char *text, json_t *outcomes)
{
    struct ticket *ticket;

    (void)pthread_mutex_lock(&tickets->lock);
    ticket = find(tickets, name);
    if (ticket != NULL) {
        ticket->state = state;
        (void)snprintf(ticket->text, sizeof ticket->text, "%s", text == NULL ? "" : text);
        if (outcomes != NULL) {
            json_decref(ticket->outcomes);
            tickets->bytes -= ticket->bytes;
            ticket->outcomes = json_incref(outcomes);
            ticket->bytes = json_dumpb(outcomes, NULL, 0, JSON_COMPACT);
            tickets->bytes += ticket->bytes;
            make_room(tickets, ticket);
        }
    }
    (void)pthread_mutex_unlock(&tickets->lock);
    json_decref(outcomes);
}

void tickets_set_pause(struct tickets *tickets, const char *name, uint32_t pause_us)
{
    struct ticket *ticket;

    (void)pthread_mutex_lock(&tickets->lock);
    ticket = find(tickets, name);
    if (ticket != NULL)
        ticket->pause_us = pause_us;
    (void)pthread_mutex_unlock(&tickets->lock);
}

json_t *tickets_describe(struct tickets *tickets, const char *name)
{
    static const char *const states[] = {"pending", "applied", "recorded", "unrecorded"};
    const struct ticket *ticket;
    json_t *description = NULL;

    (void)pthread_mutex_lock(&tickets->lock);
    ticket = name[0] == '\0' ? NULL : find(tickets, name);
    if (ticket != NULL)
        description = json_pack("{s:s,s:s,s:I}", "ticket", ticket->name, "state", states[ticket->state], "pause-us",
                                (json_int_t)ticket->pause_us);
    if (description != NULL && ticket->outcomes != NULL && json_object_update(description, ticket->outcomes) != 0) {
        json_decref(description);
        description = NULL;
    }
    if (description != NULL && ticket->text[0] != '\0')
        (void)json_object_set_new(description, "state-text", json_string(ticket->text));
    /* A copy, because the caller prints it when the lock is gone. */
    if (description != NULL) {
        json_t *copy = json_deep_copy(description);

        json_decref(description);
        description = copy;
    }
    (void)pthread_mutex_unlock(&tickets->lock);
    return description;
}
