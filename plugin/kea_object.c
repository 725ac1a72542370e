/* What both sides of the boundary need of a scope's text: emptying it, and whether it is all that the server has. */
#include "failover_sync/kea.h"

#include <stdlib.h>
#include <string.h>

void kea_object_clear(struct kea_object *scope)
{
    free(scope->name);
    free(scope->definition);
    free(scope->replicated);
    free(scope->effective);
    *scope = (struct kea_object){.id = 0};
}

bool kea_object_unprinted(const char *definition, char reason[KEA_UNPRINTED_SIZE])
{
    /* As Kea begins a map; the keyword is the first in the order in which it prints them. */
    static const char beginning[] = "{ \"" KEA_UNPRINTED_KEYWORD "\": \"";
    size_t used = 0;

    reason[0] = '\0';
    if (definition == NULL || strncmp(definition, beginning, sizeof beginning - 1) != 0)
        return false;
    for (const char *at = definition + sizeof beginning - 1; *at != '\0' && *at != '"' && used < KEA_UNPRINTED_SIZE - 1;
         at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        reason[used++] = *at;
    }
    reason[used] = '\0';
    return true;
}
