/* The one function of the boundary that both sides need: emptying a scope's text. */
#include "failover_sync/kea.h"

#include <stdlib.h>

void kea_scope_clear(struct kea_scope *scope)
{
    free(scope->prefix);
    free(scope->definition);
    free(scope->replicated);
    *scope = (struct kea_scope){.subnet_id = 0};
}
