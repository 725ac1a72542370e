/* The rules themselves. A version is one edit of one scope; it knows the version it was made on, and all that one knew.
 * Two versions that turn out to be the same words on both servers are one from then on. */
#include "rules.h"

#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct version {
    uint8_t content;
    int author;
    uint64_t knew;  /* the versions its author knew, itself included */
    uint64_t same;  /* the versions that are equal to it, itself included */
    uint64_t twins; /* versions with the same words that it was made of when they met, or that it met */
    bool found;     /* it was in the file of a server whose store was new */
    bool recorded;  /* its author's store has it */
    bool forgotten; /* its author crashed before that, or took it back */
};

struct history {
    struct version versions[VERSIONS];
    int count;
    uint8_t contents;
    uint64_t ran[SERVERS]; /* contents that a server ran at some time */
};

static struct rules_options rules;
static bool filled[SERVERS]; /* its store has a configuration in it */
static struct history histories[SCOPES + 1];

/* What runs, what the library has read of it, what it has recorded. */
static struct standing live[SERVERS][SCOPES + 1], known[SERVERS][SCOPES + 1], recorded[SERVERS][SCOPES + 1];

static bool distrusted[SCOPES + 1];

void rules_distrust(uint32_t scope)
{
    distrusted[scope] = true;
}

bool rules_distrusts(uint32_t scope)
{
    return distrusted[scope];
}

static void object(uint32_t scope, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void object(uint32_t scope, const char *format, ...)
{
    char text[sizeof world.failure];
    va_list arguments;

    if (distrusted[scope])
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    world_fail("%s", text);
}

void rules_begin(const struct rules_options *options)
{
    rules = *options;
    memset(distrusted, 0, sizeof distrusted);
    memset(histories, 0, sizeof histories);
    memset(live, 0, sizeof live);
    memset(known, 0, sizeof known);
    memset(recorded, 0, sizeof recorded);
    memset(filled, 0, sizeof filled);
    /* Version 0: there is no such scope, and everybody knows. */
    for (uint32_t scope = 1; scope <= SCOPES; scope++) {
        histories[scope].versions[0] = (struct version){.author = -1, .knew = 1, .same = 1, .recorded = true};
        histories[scope].count = 1;
        histories[scope].contents = REFUSED_BELOW;
        histories[scope].ran[0] = histories[scope].ran[1] = 1;
    }
}

static const char *name_of(int server)
{
    return server == 0 ? "server1" : "server2";
}

uint8_t rules_version_content(uint32_t scope, int version)
{
    return histories[scope].versions[version].content;
}

uint8_t rules_content(int server, uint32_t scope)
{
    return rules_version_content(scope, live[server][scope].version);
}

uint8_t rules_new_content(uint32_t scope)
{
    return histories[scope].contents < CONTENTS ? histories[scope].contents++ : 0;
}

bool rules_refuses(int server, uint8_t content)
{
    return content >= 4 + 2 * server && content < 6 + 2 * server;
}

/* All that the author of a version knew, with what turned out to be the same. */
static uint64_t all_known(uint32_t scope, int version)
{
    const struct history *history = &histories[scope];
    uint64_t all = UINT64_C(1) << version, before = 0;

    while (all != before) {
        before = all;
        for (int i = 0; i < history->count; i++)
            if ((before >> i & 1) != 0)
                all |= history->versions[i].knew | history->versions[i].same;
    }
    return all;
}

/* Whether the author of `version` knew `other`. */
static bool knew(uint32_t scope, int version, int other)
{
    return (all_known(scope, version) >> other & 1) != 0;
}

/* The same, or it may have known: whoever knew one of the twins of a version may have heard of that version. */
static bool may_have_known(uint32_t scope, int version, int other)
{
    const struct history *history = &histories[scope];
    uint64_t all = all_known(scope, version), before = 0;

    while (all != before) {
        before = all;
        for (int i = 0; i < history->count; i++)
            if ((before & history->versions[i].twins) != 0)
                all |= all_known(scope, i);
    }
    return (all >> other & 1) != 0;
}

static void make_same(uint32_t scope, int one, int other)
{
    if (world.verbose && one != other)
        fprintf(stderr, "    scope %u: versions %d and %d are the same\n", scope, one, other);
    histories[scope].versions[one].same |= UINT64_C(1) << other;
    histories[scope].versions[other].same |= UINT64_C(1) << one;
}

static void note_ran(int server, uint32_t scope)
{
    histories[scope].ran[server] |= UINT64_C(1) << rules_content(server, scope);
}

/* A version made by a server on top of `base`. */
static int make_version(int server, uint32_t scope, uint8_t content, int base)
{
    struct history *history = &histories[scope];
    int number = history->count;

    if (number == VERSIONS)
        return base;
    history->count++;
    history->versions[number] = (struct version){.content = content,
                                                 .author = server,
                                                 .knew = history->versions[base].knew | UINT64_C(1) << number,
                                                 .same = UINT64_C(1) << number};
    if (world.verbose)
        fprintf(stderr, "    scope %u: version %d is content %u of %s, on version %d\n", scope, number, content,
                name_of(server), base);
    return number;
}

void rules_edit(int server, uint32_t scope, uint8_t content)
{
    struct standing *standing = &live[server][scope];

    if (content == rules_content(server, scope))
        return;
    standing->version = make_version(server, scope, content, standing->version);
    standing->partners = false;
    note_ran(server, scope);
}

void rules_read(int server, uint32_t scope)
{
    struct standing *now = &live[server][scope];
    const struct standing *before = &known[server][scope];

    /* What came back before anybody looked was never away. */
    if (now->version != before->version && histories[scope].versions[now->version].twins == 0 && !now->partners &&
        rules_version_content(scope, before->version) == rules_content(server, scope)) {
        for (int i = before->version + 1; i <= now->version; i++)
            if (histories[scope].versions[i].author == server && !knew(scope, before->version, i) &&
                knew(scope, now->version, i))
                histories[scope].versions[i].forgotten = true;
        now->version = before->version;
        now->partners = before->partners;
    }
    known[server][scope] = *now;
}

void rules_job_queued(int server, struct standing snapshot[SCOPES + 1])
{
    memcpy(snapshot, known[server], sizeof known[server]);
}

void rules_job_done(int server, const struct standing snapshot[SCOPES + 1])
{
    memcpy(recorded[server], snapshot, sizeof recorded[server]);
    filled[server] = true;
    for (uint32_t scope = 1; scope <= SCOPES; scope++) {
        uint64_t all = all_known(scope, snapshot[scope].version);

        for (int i = 0; i < histories[scope].count; i++)
            if ((all >> i & 1) != 0 && histories[scope].versions[i].author == server)
                histories[scope].versions[i].recorded = true;
    }
}

void rules_forget_unrecorded(int server)
{
    for (uint32_t scope = 1; scope <= SCOPES; scope++) {
        live[server][scope] = known[server][scope] = recorded[server][scope];
        for (int i = 0; i < histories[scope].count; i++)
            if (histories[scope].versions[i].author == server && !histories[scope].versions[i].recorded)
                histories[scope].versions[i].forgotten = true;
    }
}

/* "A restart is not an edit": what a configuration delivers counts if its text is another than last time, or if the
 * version it would replace was made at run time by this server and the load was asked for. */
/* What a new store finds has no author: the same words on both servers are one version. */
static void note_found(int server, uint32_t scope)
{
    const int version = live[server][scope].version;

    if (version == 0)
        return;
    histories[scope].versions[version].found = true;
    for (int i = 1; i < version; i++)
        if (histories[scope].versions[i].found &&
            rules_version_content(scope, i) == rules_version_content(scope, version))
            make_same(scope, i, version);
}

void rules_load(int server, bool at_start, bool from_file, const uint8_t delivered[SCOPES + 1],
                uint8_t running[SCOPES + 1])
{
    rules_forget_unrecorded(server);
    running[0] = 0;
    for (uint32_t scope = 1; scope <= SCOPES; scope++) {
        struct standing *standing = &live[server][scope];
        uint8_t last = from_file ? standing->file : standing->configuration;
        bool stays = delivered[scope] == last && (at_start || standing->partners);

        if (!stays) {
            rules_edit(server, scope, delivered[scope]);
            if (!filled[server])
                note_found(server, scope);
        }
        standing->configuration = delivered[scope];
        if (from_file)
            standing->file = delivered[scope];
        running[scope] = rules_content(server, scope);
        rules_read(server, scope);
        note_ran(server, scope);
    }
}

void rules_last_file(int server, uint8_t file[SCOPES + 1])
{
    for (uint32_t scope = 1; scope <= SCOPES; scope++)
        file[scope] = recorded[server][scope].file;
}

int rules_sent(int server, uint32_t scope)
{
    return recorded[server][scope].version;
}

/* Compare and set: a version may only take the place of one that its author knew, save that the primary's wins. */
void rules_applied(int server, uint32_t scope, int version)
{
    struct standing *standing = &live[server][scope];
    int before = standing->version;

    if (!rules.deletes && rules_version_content(scope, version) == 0)
        object(scope, "scope %u is removed on %s although removals do not travel", scope, name_of(server));
    if (!may_have_known(scope, version, before)) {
        if (knew(scope, before, version))
            object(scope, "scope %u: %s takes version %d, which is older than its version %d", scope, name_of(server),
                   version, before);
        else if (!rules.primary_wins)
            object(scope, "scope %u: %s takes version %d over its own %d although conflicts are held", scope,
                   name_of(server), version, before);
        else if (server == 0)
            object(scope, "scope %u: the primary takes version %d over its own %d", scope, version, before);
    }
    standing->version = version;
    standing->partners = true;
    note_ran(server, scope);
    rules_read(server, scope);
}

/* Both have the same words: from now on this server knows both versions. The partner may hear of it or not, and so may
 * a change that was made there on top of these words and is not recorded yet. */
static void meet(int server, uint32_t scope, int version)
{
    struct standing *standing = &live[server][scope];
    int here = standing->version, both;

    if (here == version)
        return;
    if (world.wrong_clocks) { /* it may not believe the number of what it has, too */
        histories[scope].versions[here].twins |= UINT64_C(1) << version;
        histories[scope].versions[version].twins |= UINT64_C(1) << here;
        return;
    }
    if (knew(scope, here, version)) {
        histories[scope].versions[here].twins |= UINT64_C(1) << version;
        return;
    }
    if (knew(scope, version, here)) {
        standing->version = version;
        return;
    }
    both = make_version(server, scope, rules_version_content(scope, here), here);
    if (both == here)
        return;
    histories[scope].versions[both].knew |= histories[scope].versions[version].knew;
    histories[scope].versions[both].twins = UINT64_C(1) << here | UINT64_C(1) << version;
    standing->version = both;
}

void rules_kept(int server, uint32_t scope, int version)
{
    int here = live[server][scope].version;

    if (rules_version_content(scope, version) == rules_version_content(scope, here)) {
        meet(server, scope, version);
        known[server][scope] = live[server][scope];
        return;
    } else if (rules_refuses(server, rules_version_content(scope, version))) {
        return;
    } else if (world.wrong_clocks) {
        rules_read(server, scope); /* it may not have believed the sender's clock */
        return;
    } else if (knew(scope, version, here)) {
        object(scope, "scope %u: %s calls version %d a conflict with its version %d, on top of which it was made",
               scope, name_of(server), version, here);
    } else if (rules.primary_wins && server != 0 && !may_have_known(scope, here, version)) {
        object(scope, "scope %u: the secondary keeps version %d against the primary's %d", scope, here, version);
    } else if (rules_content(server, scope) == 0) {
        return; /* nothing here that would be recorded */
    }
    rules_read(server, scope);
}

void rules_told_removed(int server, uint32_t scope, int version)
{
    if (rules_version_content(scope, version) != 0 || rules_content(server, scope) != 0)
        object(scope, "scope %u: %s notes a removal by its partner that there was not", scope, name_of(server));
    else if (!knew(scope, version, live[server][scope].version))
        object(scope, "scope %u: %s forgets that it has removed the scope itself", scope, name_of(server));
    else
        live[server][scope].version = known[server][scope].version = recorded[server][scope].version = version;
}

void rules_in_sync(int server, uint32_t scope, uint8_t content)
{
    if ((histories[scope].ran[1 - server] >> content & 1) == 0)
        object(scope, "scope %u: %s calls content %u in sync, which %s never had", scope, name_of(server), content,
               name_of(1 - server));
}

/* Whether somebody changed the scope again, knowing this version. */
static bool superseded(uint32_t scope, int version)
{
    const struct history *history = &histories[scope];

    for (int i = 1; i < history->count; i++)
        if (!history->versions[i].forgotten && (history->versions[version].same >> i & 1) == 0 &&
            may_have_known(scope, i, version))
            return true;
    return false;
}

static void check_version(uint32_t scope, int number, uint64_t history)
{
    const struct version *version = &histories[scope].versions[number];
    bool runs = false, lost = (history >> version->content & 1) != 0;

    if (version->forgotten || superseded(scope, number))
        return;
    for (int server = 0; server < SERVERS; server++)
        runs = runs || rules_content(server, scope) == version->content;
    if (!runs && !lost)
        object(scope, "scope %u: version %d, content %u of %s, is lost without a trace", scope, number,
               version->content, name_of(version->author));
    else if (!runs && rules.primary_wins && version->author == 0)
        object(scope, "scope %u: version %d of the primary lost a conflict", scope, number);
}

/* Of two versions that differ: whoever has one says so, but for what only the other side can know: that this server
 * refuses the other's, or that it removed the scope for itself. */
static bool must_report(int server, uint32_t scope)
{
    uint8_t here = rules_content(server, scope), there = rules_content(1 - server, scope);

    return here != 0 && !rules_refuses(server, there) && (there != 0 || rules.deletes);
}

void rules_end(uint32_t scope, uint64_t history, const bool reported[SERVERS])
{
    int versions[SERVERS] = {live[0][scope].version, live[1][scope].version};
    uint8_t contents[SERVERS] = {rules_content(0, scope), rules_content(1, scope)};

    for (int i = 1; i < histories[scope].count; i++)
        check_version(scope, i, history);
    for (int server = 0; server < SERVERS; server++) {
        if (contents[0] == contents[1] && reported[server])
            object(scope, "scope %u: %s calls it out of sync, but both have content %u", scope, name_of(server),
                   contents[0]);
        else if (contents[0] != contents[1] && must_report(server, scope) && !reported[server])
            object(scope, "scope %u: %s has content %u, %s has %u, and %s does not say so", scope, name_of(0),
                   contents[0], name_of(1), contents[1], name_of(server));
    }
    if (contents[0] == contents[1])
        return;
    /* What may differ for good. */
    for (int server = 0; server < SERVERS; server++) {
        if (!rules.deletes && contents[server] == 0 && !knew(scope, versions[1 - server], versions[server]))
            return;
        if (rules_refuses(1 - server, contents[server]))
            return;
    }
    if (!rules.primary_wins && !knew(scope, versions[0], versions[1]) && !knew(scope, versions[1], versions[0]))
        return;
    object(scope, "scope %u: server1 has content %u (version %d), server2 has %u (version %d)", scope, contents[0],
           versions[0], contents[1], versions[1]);
}
