/* HA's and our parameters, and what they say of scopes. One per line: our parameters, HA's list, the definition of a
 * scope. */
#include "fuzz.h"

#include "failover_sync/engine.h"
#include "failover_sync/parameters.h"
#include "failover_sync/relationship.h"

#include "plugin/replication/access.h"

#include <stdio.h>
#include <string.h>

static struct store *store;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    char path[96];

    (void)count;
    (void)arguments;
    (void)snprintf(path, sizeof path, "%s/store.db", fuzz_folder());
    if (result_failed(store_open(path, &store)))
        abort();
    return 0;
}

/* A refusal names what is wrong; nothing else comes of a text. */
static void check_result(const struct result *result)
{
    FUZZ_CHECK(result->code == RESULT_OK || result->code == RESULT_INVALID);
    FUZZ_CHECK((result->code == RESULT_OK) == (result->message[0] == '\0'));
}

static void check_parameters(const struct parameters *parameters)
{
    bool any = false;

    FUZZ_CHECK(parameters->store != NULL && parameters->local_parameters != NULL);
    FUZZ_CHECK(parameters->retry_min_ms >= 1 && parameters->retry_min_ms <= parameters->retry_max_ms);
    FUZZ_CHECK(parameters->retry_max_ms <= 86400000);
    FUZZ_CHECK(parameters->reconcile_interval_ms >= 1000 && parameters->reconcile_interval_ms <= 86400000);
    FUZZ_CHECK(parameters->max_delete_percent >= 0 && parameters->max_delete_percent <= 100);
    for (int way = 0; way < APPLY_WAYS; way++)
        any = any || parameters->apply[way];
    FUZZ_CHECK(any);
    for (size_t i = 0; i < parameters->partner_count; i++)
        FUZZ_CHECK(parameters->partners[i].name != NULL);
}

/* What would be used of them to reach the partner. */
static void check_access(const struct relationship *relationship)
{
    struct access access = {.easy = NULL};
    struct result result = access_open(&relationship->access, &access);

    FUZZ_CHECK(result_failed(result) == (result.message[0] != '\0'));
    (void)access_warns(&relationship->access);
    access_close(&access);
}

static void check_relationship(const struct relationship *relationship)
{
    char *host = relationship_url_host(relationship->server1.url);

    FUZZ_CHECK(host != NULL && relationship->name != NULL && relationship->mode != NULL);
    FUZZ_CHECK(relationship->server1.name != NULL && relationship->server2.name != NULL);
    if (relationship->local)
        check_access(relationship);
    free(host);
}

/* Into rows and back, and forgotten again. */
static void check_rows(struct relationships *relationships, const struct parameters *parameters)
{
    size_t count = 0;
    struct result result = store_begin(store);

    FUZZ_CHECK(!result_failed(result));
    result = relationships_mirror(relationships, store, "2.2.0");
    FUZZ_CHECK(result.code == RESULT_OK || result.message[0] != '\0');
    if (!result_failed(result)) {
        result = relationships_follow(relationships, store, parameters, &count);
        FUZZ_CHECK(!result_failed(result) && count == relationships->count);
    }
    store_rollback(store);
}

static void check_high_availability(const char *text, const char *definition, const struct parameters *parameters)
{
    struct relationships relationships;
    uint64_t members = 0;
    struct result result = relationships_parse(text, parameters, &relationships);

    check_result(&result);
    if (!result_failed(result)) {
        FUZZ_CHECK(relationships.server_name != NULL && relationships.count <= RELATIONSHIP_MAX);
        for (size_t i = 0; i < relationships.count; i++)
            check_relationship(&relationships.list[i]);
        result = relationships_of_scope(&relationships, definition, &members);
        FUZZ_CHECK(result_failed(result) || relationships.count == 64 || members >> relationships.count == 0);
        (void)relationships_find_partner(&relationships, "server2");
        (void)relationships_one_pairing(&relationships);
        check_rows(&relationships, parameters);
    }
    relationships_clear(&relationships);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input input = {.bytes = bytes, .length = length};
    char *ours = fuzz_line(&input), *theirs = fuzz_line(&input), *definition = fuzz_line(&input);
    struct parameters parameters;
    struct result result = parameters_parse(ours, "dhcp4", &parameters);

    check_result(&result);
    if (result_failed(result))
        result = parameters_parse(NULL, "dhcp4", &parameters);
    FUZZ_CHECK(!result_failed(result));
    check_parameters(&parameters);
    check_high_availability(theirs, definition, &parameters);
    parameters_clear(&parameters);
    free(ours);
    free(theirs);
    free(definition);
    return 0;
}
