/* Compare and set for partners that cannot do it themselves: what a partner's configuration shows against what was last
 * agreed on. Which of the two counts is decided in conflict.c. */
#include "plugin/replication/way.h"

#include "plugin/replication/conflict.h"
#include "plugin/replication/kea_text.h"

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
        if (batch->items[i].wish.removal && batch->items[i].wish.id == subnet_id)
            return true;
    return false;
}

/* Whether the partner has the prefix under another id: leases carry ids, so it is never guessed which is right. */
static bool has_other_id(const struct way_run *run, struct batch_item *item, const struct partner_config *config)
{
    const uint32_t found = partner_config_find_prefix(config, item->wish.name);

    if (item->wish.removal || found == 0 || found == item->wish.id || is_leaving(run->batch, found))
        return false;
    item->outcome = BATCH_ID_MISMATCH;
    (void)snprintf(item->text, sizeof item->text,
                   "%.48s has subnet id %u on %.60s and %u here: configure the same id on both servers",
                   item->wish.name, found, way_partner_name(run), object_subnet_id(item->wish.id));
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

/* Whether what the partner shows is what it would show of an effective text. */
static bool is_printed_there(const struct way_run *run, const char *effective, const char *there)
{
    json_t *root = kea_text_parse(effective, strlen(effective));
    const struct config_scope wanted = {.subnet = json_object_get(root, CONFIG_SUBNET),
                                        .network = json_object_get(root, CONFIG_NETWORK)};
    char *text = wanted.subnet == NULL ? NULL : partner_config_print(&wanted, run->plugin->parameters.local_parameters);
    const bool same_text = text != NULL && strcmp(text, there) == 0;

    free(text);
    json_decref(root);
    return same_text;
}

/* `there` is what the partner has, and `current` its fingerprint; NULL and empty: it has no such scope. */
static enum conflict_verdict judge(const struct way_run *run, const struct batch_item *item, const char *there,
                                   struct fingerprint current)
{
    const bool is_there = there != NULL;
    const bool same_text = item->wish.removal ? !is_there : is_there && is_printed_there(run, item->effective, there);
    /* A partner that had the library has told its fingerprint of what was agreed on, one without it shows the text. */
    const bool as_agreed =
        same(current, item->base) || (is_there && item->before != NULL && is_printed_there(run, item->before, there));
    const struct conflict_side mine = {
        .state = item->wish.removal ? OBJECT_REMOVED : OBJECT_THERE,
        .news = conflict_news(&item->version, &item->known),
    };
    const struct conflict_side theirs = {
        .state = is_there ? OBJECT_THERE : OBJECT_NEVER,
        .news = as_agreed ? conflict_news(&item->known, &item->version) : NEWS_UNCOUNTED,
    };
    const struct conflict_facts facts = {
        .source = SOURCE_READ,
        .text = same_text ? TEXT_SAME : TEXT_OTHER,
        .primary_wins = run->plugin->parameters.primary_wins,
        .primary = relationship_is_primary(&run->plugin->relationships.list[run->number]),
    };

    return conflict_verdict(&mine, &theirs, &facts);
}

/* Notes what comes of a conflict; true if the item is to be applied. *there is the item's if the policy decides. */
static bool settle_conflict(const struct way_run *run, struct batch_item *item, enum conflict_verdict verdict,
                            char **there)
{
    item->has = version_there(run, item);
    if (verdict == VERDICT_CONFLICT_NEITHER) {
        item->outcome = BATCH_CONFLICT;
        (void)snprintf(item->text, sizeof item->text, "%.60s holds a version of its own of %.100s",
                       way_partner_name(run), item->wish.name);
        return false;
    }
    item->there = *there;
    *there = NULL;
    if (verdict == VERDICT_CONFLICT_MINE)
        return true;
    item->outcome = BATCH_CONFLICT;
    item->take_over = true;
    (void)snprintf(item->text, sizeof item->text, "the version of %.60s, the primary, counts and is taken over",
                   way_partner_name(run));
    return false;
}

bool way_compare(const struct way_run *run, struct batch_item *item, const struct partner_config *config)
{
    const struct config_scope *at = partner_config_find(config, object_subnet_id(item->wish.id));
    struct fingerprint current = fingerprint_parse(NULL);
    char reason[KEA_UNPRINTED_SIZE];
    enum conflict_verdict verdict;
    char *there = NULL;
    bool apply = false;

    if (item->outcome == BATCH_IMPOSSIBLE)
        return false;
    if (!item->wish.removal && kea_object_unprinted(item->effective, reason)) {
        item->outcome = BATCH_FAILED;
        (void)snprintf(item->text, sizeof item->text, "%.120s: load libdhcp_failover_sync.so there", reason);
        return false;
    }
    /* It may have been compared before, by another way. */
    free(item->there);
    item->there = NULL;
    item->take_over = false;
    if (at != NULL) {
        there = partner_config_print(at, run->plugin->parameters.local_parameters);
        if (there == NULL) {
            item->outcome = BATCH_FAILED;
            (void)snprintf(item->text, sizeof item->text, "out of memory");
            return false;
        }
        current = fingerprint_of(there, strlen(there));
        item->answered = current;
    }
    verdict = judge(run, item, there, current);
    if (verdict == VERDICT_SAME)
        item->outcome = BATCH_UNCHANGED;
    else if (!has_other_id(run, item, config))
        apply = verdict == VERDICT_MINE || settle_conflict(run, item, verdict, &there);
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
