/* The life of a batch that was received: the relationship it belongs to, from its coming to its end. */
#include "plugin/replication/reception.h"

#include <stdlib.h>
#include <string.h>

struct reception *reception_new(struct plugin *plugin, size_t number)
{
    struct reception *reception = calloc(1, sizeof *reception);

    if (reception == NULL)
        return NULL;
    reception->plugin = plugin;
    reception->number = number;
    reception->generation = plugin->generation;
    reception->partner = strdup(relationship_partner(&plugin->relationships.list[number])->name);
    if (reception->partner == NULL) {
        free(reception);
        return NULL;
    }
    return reception;
}

bool reception_claim(struct reception *reception)
{
    reception->claimed = !atomic_exchange(&reception->plugin->receiving[reception->number], true);
    return reception->claimed;
}

bool reception_find_place(struct reception *reception)
{
    struct plugin *plugin = reception->plugin;
    const struct relationship *relationship;
    const bool claimed = reception->claimed;

    if (reception->generation == plugin->generation)
        return true;
    reception->claimed = false;
    relationship = relationships_find_partner(&plugin->relationships, reception->partner);
    if (relationship != NULL) {
        reception->number = (size_t)(relationship - plugin->relationships.list);
        reception->generation = plugin->generation;
        if (!claimed || reception_claim(reception))
            return true;
    }
    tickets_set(plugin->tickets, reception->ticket, TICKET_UNRECORDED,
                relationship == NULL ? "there is no relationship with the sender any more"
                                     : "a later batch of the sender's has come first",
                NULL);
    return false;
}

void reception_free(struct reception *reception)
{
    if (reception == NULL)
        return;
    for (size_t i = 0; i < reception->count; i++) {
        free(reception->scopes[i].name);
        free(reception->scopes[i].definition);
        kea_object_clear(&reception->scopes[i].before);
        kea_object_clear(&reception->scopes[i].after);
    }
    free(reception->scopes);
    free(reception->partner);
    free(reception);
}

void reception_end(void *argument)
{
    struct reception *reception = argument;

    if (reception->claimed && reception->generation == reception->plugin->generation)
        reception->plugin->receiving[reception->number] = false;
    reception_free(reception);
}

void reception_drop(void *argument)
{
    struct reception *reception = argument;

    if (!reception->recorded)
        tickets_set(reception->plugin->tickets, reception->ticket, TICKET_UNRECORDED,
                    "the library had no time to record it; send it again", NULL);
    reception_end(reception);
}

const struct relationship *reception_relationship(const struct reception *reception)
{
    return &reception->plugin->relationships.list[reception->number];
}
