/* What the files of this room that call libyang share: the model's inside, and keeping libyang's messages off the
 * server's output. */
#ifndef PLUGIN_MODEL_MODEL_PRIVATE_H
#define PLUGIN_MODEL_MODEL_PRIVATE_H

#include "failover_sync/model.h"

#include <libyang/libyang.h>

struct model {
    struct ly_ctx *context;
    const struct lys_module *module;
};

/* Between these two libyang keeps its messages for us instead of printing them, in this thread only: other users of
 * libyang in the server keep their settings. `context` may be NULL. */
void libyang_hush(void);
void libyang_unhush(const struct ly_ctx *context);

/* The first error libyang kept, which is the closest to the cause; later ones report its consequences. */
const struct ly_err_item *libyang_first_error(const struct ly_ctx *context);

#endif
