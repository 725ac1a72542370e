/* What one range-update costs that remaps ten addresses, in a store of 1,000 and in one of 100,000 ranges and
 * addresses: no more than twice as much, since every step asks an index. Exits with 1 if it is more. Not run by make
 * check. */
#include "failover_sync/model.h"
#include "failover_sync/range_operation.h"
#include "failover_sync/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SMALL   1000
#define BIG     100000
#define UPDATES 200
#define MAPPED  10 /* addresses that each update remaps */

struct cost {
    double thread, clock; /* seconds */
};

static double seconds(clockid_t which)
{
    struct timespec now;

    (void)clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void stop(const char *message)
{
    (void)fprintf(stderr, "range_update: %s\n", message);
    exit(2);
}

static void stop_on_fault(struct fault fault)
{
    if (fault_raised(&fault))
        stop(fault.message);
}

static json_t *run(struct store *store, const struct model *model, const char *command, const char *arguments)
{
    struct model_tree *tree = NULL;
    struct pool_change pool;
    json_t *output = NULL;
    struct result result = model_parse_input(model, command, arguments, &tree, NULL);

    if (result_failed(result))
        stop(result.message);
    if (command[0] == 'a')
        stop_on_fault(address_add(store, model_root(tree), &output));
    else if (command[6] == 'a')
        stop_on_fault(range_add(store, model_root(tree), 1, &pool, &output));
    else
        stop_on_fault(range_update(store, model_root(tree), 2, &pool, &output));
    model_tree_free(tree);
    return output;
}

#define BY_IPAM                                                                                                        \
    "\"custom-field-values\":[{\"custom-field\":\"Managed by\",\"value\":\"IPAM\"},{\"custom-field\":\"Managed by "    \
    "entity\",\"value\":\"Localhost\"}]"

/* `count` ranges of ten addresses each, sixteen in a /24, and as many addresses: each tenth range has ten of them. */
static void fill(struct store *store, const struct model *model, int count)
{
    char arguments[640];

    if (result_failed(store_begin(store)))
        stop("the store cannot be written");
    for (int i = 0; i < count; i++) {
        int network = i / 16;
        int first = i % 16 * 16;

        (void)snprintf(arguments, sizeof arguments,
                       "{\"address-family\":\"InterNetwork\",\"subnet-id\":\"10.%d.%d.0\",\"prefix-length\":24,"
                       "\"start-ip-address\":\"10.%d.%d.%d\",\"end-ip-address\":\"10.%d.%d.%d\","
                       "\"address-assignment\":\"Static\",\"address-category\":\"Private\",\"create-subnet\":true,"
                       "%s}",
                       network / 256, network % 256, network / 256, network % 256, first, network / 256, network % 256,
                       first + 9, BY_IPAM);
        json_decref(run(store, model, "range-add", arguments));
        for (int j = 0; j < MAPPED && i % 10 == 0; j++) {
            (void)snprintf(arguments, sizeof arguments,
                           "{\"address-family\":\"InterNetwork\",\"ip-address\":\"10.%d.%d.%d\",%s}", network / 256,
                           network % 256, first + j, BY_IPAM);
            json_decref(run(store, model, "address-add", arguments));
        }
    }
    if (result_failed(store_commit(store)))
        stop("the store cannot be written");
}

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;

    return first < second ? -1 : first > second;
}

/* The median of the updates' times. Each makes a range from the middle of the store longer or shorter by one address.
 */
static struct cost measure(const struct model *model, int count)
{
    char folder[] = "/tmp/bench_range.XXXXXX";
    char path[64], arguments[200];
    double threads[UPDATES], clocks[UPDATES];
    struct store *store = NULL;
    double begun;

    if (mkdtemp(folder) == NULL)
        stop("no folder can be made in /tmp");
    (void)snprintf(path, sizeof path, "%s/store.db", folder);
    if (result_failed(store_open(path, &store)))
        stop("no store can be made in /tmp");
    begun = seconds(CLOCK_MONOTONIC);
    fill(store, model, count);
    (void)printf("%6d ranges and addresses added in %.1f s\n", count, seconds(CLOCK_MONOTONIC) - begun);
    for (int i = 0; i < UPDATES; i++) {
        int range = count / 2 / 10 * 10 + i / 2 % 20 * 10; /* one with addresses; RecordIds start with 1 */
        int last = range % 16 * 16 + (i % 2 == 0 ? 10 : 9);

        (void)snprintf(arguments, sizeof arguments,
                       "{\"record-id\":%d,\"modified-properties\":[\"end-ip-address\"],\"end-ip-address\":"
                       "\"10.%d.%d.%d\"}",
                       range + 1, range / 16 / 256, range / 16 % 256, last);
        clocks[i] = -seconds(CLOCK_MONOTONIC);
        threads[i] = -seconds(CLOCK_THREAD_CPUTIME_ID);
        json_decref(run(store, model, "range-update", arguments));
        threads[i] += seconds(CLOCK_THREAD_CPUTIME_ID);
        clocks[i] += seconds(CLOCK_MONOTONIC);
    }
    qsort(threads, UPDATES, sizeof threads[0], compare);
    qsort(clocks, UPDATES, sizeof clocks[0], compare);
    store_close(store);
    (void)unlink(path);
    (void)rmdir(folder);
    return (struct cost){.thread = threads[UPDATES / 2], .clock = clocks[UPDATES / 2]};
}

int main(void)
{
    struct model *model = NULL;
    struct cost small, big;

    if (result_failed(model_new(&model)))
        stop("the model cannot be loaded");
    small = measure(model, SMALL);
    big = measure(model, BIG);
    (void)printf("one update that remaps %d addresses: %.3f ms (%.3f by the clock) in %d, %.3f ms (%.3f) in %d; ratio "
                 "%.2f\n",
                 MAPPED, small.thread * 1e3, small.clock * 1e3, SMALL, big.thread * 1e3, big.clock * 1e3, BIG,
                 big.thread / small.thread);
    model_free(model);
    return big.thread / small.thread <= 2 ? 0 : 1;
}
