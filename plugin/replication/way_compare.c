/* Compare and set for partners that cannot do it themselves: what a partner's configuration shows against what was last
 * agreed on, by the rules of a conflict (DESIGN, "The rules of replication"). */
#include "plugin/replication/way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same(struct fingerprint a, struct fingerprint b)
{
    return strcmp(a.hex, b.hex) == 0;
}

/* Whether the scope under an id is on its way out with the same batch. */
static bool is_leaving(const struct batch *batch, uint32_t subnet_id)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].wish.removal && batch->items[i].wish.subnet_id == subnet_id)
            return true;
    return false;
}

/* Whether the partner has the prefix under another id: leases carry ids, so it is never guessed which is right. */
static bool has_other_id(const struct way_run *run, struct batch_item *item, const struct partner_config *config)
{
    const uint32_t found = partner_config_find_prefix(config, item->wish.prefix);

    if (item->wish.removal || found == 0 || found == item->wish.subnet_id || is_leaving(run->batch, found))
        return false;
    item->outcome = BATCH_ID_MISMATCH;
    (void)snprintf(item->text, sizeof item->text,
                   "%s has subnet id %u on %.60s and %u here: configure the same id on both servers", item->wish.prefix,
                   found, way_partner_name(run), item->wish.subnet_id);
    return true;
}

/* The version that the partner's scope would have if the partner counted them: what it was last known to have, and one
 * edit of its own. */
static struct version_vector version_there(const struct way_run *run, const struct batch_item *item)
{
    const char *name = way_partner_name(run);
    struct version_vector version = item->known;

    version_add(&version, version_writer(fingerprint_number(fingerprint_of(name, strlen(name)))),
                version_next_edit(&version, (uint64_t)engine_now(), 0));
    return version;
}

/* Both were changed. `there` is taken. */
static bool settle_conflict(const struct way_run *run, struct batch_item *item, char *there)
{
    const struct relationship *relationship = &run->plugin->relationships.list[run->number];

    item->has = version_there(run, item);
    if (!run->plugin->parameters.primary_wins) {
        item->outcome = BATCH_CONFLICT;
        (void)snprintf(item->text, sizeof item->text, "%.60s holds a version of its own of %s", way_partner_name(run),
                       item->wish.prefix);
        free(there);
        return false;
    }
    item->there = there;
    if (relationship_is_primary(relationship))
        return true;
    item->outcome = BATCH_CONFLICT;
    item->take_over = true;
    (void)snprintf(item->text, sizeof item->text, "the version of %.60s, the primary, counts and is taken over",
                   way_partner_name(run));
    return false;
}

bool way_compare(const struct way_run *run, struct batch_item *item, const struct partner_config *config)
{
    const struct config_scope *at = partner_config_find(config, item->wish.subnet_id);
    struct fingerprint current;
    char *there;
    bool apply;

    /* It may have been compared before, by another way. */
    free(item->there);
    item->there = NULL;
    item->take_over = false;
    if (at == NULL) {
        /* Nothing of the partner's is lost by adding it, whatever was agreed on: without this library it forgets at a
         * restart what its file has not got. */
        if (!item->wish.removal)
            return !has_other_id(run, item, config);
        item->outcome = BATCH_UNCHANGED;
        return false;
    }
    there = partner_config_print(at, run->plugin->parameters.local_parameters);
    if (there == NULL) {
        item->outcome = BATCH_FAILED;
        (void)snprintf(item->text, sizeof item->text, "out of memory");
        return false;
    }
    current = fingerprint_of(there, strlen(there));
    item->answered = current;
    if (!item->wish.removal && same(current, item->pushed)) {
        item->outcome = BATCH_UNCHANGED;
        apply = false;
    } else if (has_other_id(run, item, config)) {
        apply = false;
    } else if (same(current, item->base) && version_compare(&item->version, &item->known) != VERSION_APART) {
        apply = true;
    } else {
        apply = settle_conflict(run, item, there);
        there = NULL;
    }
    free(there);
    return apply;
}

struct result way_note_applied(const struct way_run *run, struct batch_item *item, const struct config_scope *now)
{
    char *printed;

    if ((now == NULL) != item->wish.removal) {
        item->outcome = BATCH_FAILED;
        (void)snprintf(item->text, sizeof item->text, "the partner agreed, but %s it",
                       now == NULL ? "has not got" : "kept");
        return result_ok();
    }
    item->outcome = BATCH_APPLIED;
    item->answered = fingerprint_parse(NULL);
    if (now == NULL)
        return result_ok();
    printed = partner_config_print(now, run->plugin->parameters.local_parameters);
    if (printed == NULL)
        return result_no_memory("a scope of the partner");
    item->answered = fingerprint_of(printed, strlen(printed));
    free(printed);
    return result_ok();
}
