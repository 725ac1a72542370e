/* ADM_AccessScopeAssociationTable: which access scope an object has, its own or an inherited one (MS-IPAMM2
 * 3.1.1.1.43). */
#include "range_private.h"

#include <string.h>

#define GLOBAL_ACCESS_SCOPE 1
#define DEPTH_LIMIT         130 /* of blocks in blocks: no deeper than prefixes are long */

/* An object of ADM_AccessScopeAssociationTable; id 0 is none. */
struct scoped_object {
    const char *type;
    int64_t id;
};

/* What an association says, or would. */
struct association {
    int64_t association_id; /* 0: there is none */
    int64_t access_scope_id, inheritance_id;
};

static bool is_kind(const struct scoped_object *object, const char *kind)
{
    return strlen(object->type) > 4 && strcmp(object->type + 4, kind) == 0; /* after "IPv4" or "IPv6" */
}

static bool is_v6(const struct scoped_object *object)
{
    return strncmp(object->type, "IPv6", 4) == 0;
}

/* The first row's first two integers; both 0 without a row. */
static struct result read_pair(struct store *store, const char *sql, int64_t id, int64_t *first, int64_t *second)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store, sql, &statement);

    *first = *second = 0;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, id);
    result = statement_step(statement, &found);
    if (found) {
        *first = statement_integer(statement, 0);
        *second = statement_integer(statement, 1);
    }
    statement_done(statement);
    return result;
}

/* GetParentForObject. */
static struct result find_parent(struct store *store, const struct scoped_object *object, struct scoped_object *parent)
{
    bool v6 = is_v6(object);
    int64_t block = 0, space = 0;
    struct result result = result_ok();

    *parent = (struct scoped_object){.type = "", .id = 0};
    if (is_kind(object, "Range")) {
        result = read_pair(store, "SELECT ParentIPBlockRecordId, 0 FROM ADM_IPRangeTable WHERE RecordId = ?1",
                           object->id, &block, &space);
        *parent = (struct scoped_object){.type = v6 ? "IPv6Subnet" : "IPv4Subnet", .id = block};
    } else if (is_kind(object, "Subnet") || is_kind(object, "Block")) {
        result = read_pair(
            store, "SELECT ParentBlockRecordId, AddressSpaceRecordId FROM ADM_IPBlocksTable WHERE RecordId = ?1",
            object->id, &block, &space);
        if (block != 0)
            *parent = (struct scoped_object){.type = v6 ? "IPv6Block" : "IPv4Block", .id = block};
        else if (is_kind(object, "Subnet"))
            *parent = (struct scoped_object){.type = v6 ? "IPv6AddressSpace" : "IPv4AddressSpace", .id = space};
    }
    return result;
}

/* GetAccessScopeForObjectIdAndType: the object's own association. */
static struct result find_own(struct store *store, const struct scoped_object *object, struct association *association)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store,
                                         "SELECT AssociationId, AccessScopeId, InheritanceId FROM "
                                         "ADM_AccessScopeAssociationTable WHERE ObjectId = ?1 AND ObjectType = ?2",
                                         &statement);

    memset(association, 0, sizeof *association);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, object->id);
    statement_bind_text(statement, 2, object->type);
    result = statement_step(statement, &found);
    if (found) {
        association->association_id = statement_integer(statement, 0);
        association->access_scope_id = statement_integer(statement, 1);
        association->inheritance_id = statement_integer(statement, 2);
    }
    statement_done(statement);
    return result;
}

/* What the object inherits: the association of the nearest ancestor that has one, else Global and no inheritance. */
static struct result find_inherited(struct store *store, const struct scoped_object *object,
                                    struct association *association)
{
    struct scoped_object at = *object;
    struct result result = result_ok();

    *association = (struct association){.access_scope_id = GLOBAL_ACCESS_SCOPE};
    for (int depth = 0; depth < DEPTH_LIMIT; depth++) {
        struct scoped_object parent;
        struct association own;

        result = find_parent(store, &at, &parent);
        if (result_failed(result) || parent.id == 0)
            break;
        result = find_own(store, &parent, &own);
        if (result_failed(result))
            break;
        if (own.association_id != 0) {
            *association = own;
            break;
        }
        at = parent;
    }
    return result;
}

struct result access_scope_find(struct store *store, const char *object_type, int64_t of, int64_t *access_scope_id)
{
    const struct scoped_object object = {.type = object_type, .id = of};
    struct association association;
    struct result result = find_own(store, &object, &association);

    if (!result_failed(result) && association.association_id == 0)
        result = find_inherited(store, &object, &association);
    *access_scope_id = association.access_scope_id;
    return result;
}

/* The children that inherited what the object now stands for inherit from it. */
static struct result hand_on(struct store *store, const struct scoped_object *object,
                             const struct association *inherited, int64_t association_id)
{
    static const char to_ranges[] =
        "UPDATE ADM_AccessScopeAssociationTable SET (InheritanceId, IsInheriting) = (?4, 1) WHERE InheritanceId = ?2 "
        "AND AccessScopeId = ?3 AND ObjectType = ?5 || 'Range' AND ObjectId IN (SELECT RecordId FROM ADM_IPRangeTable "
        "WHERE ParentIPBlockRecordId = ?1)";
    static const char to_blocks[] =
        "UPDATE ADM_AccessScopeAssociationTable SET (InheritanceId, IsInheriting) = (?4, 1) WHERE InheritanceId = ?2 "
        "AND AccessScopeId = ?3 AND ObjectType IN (?5 || 'Block', ?5 || 'Subnet') AND ObjectId IN (SELECT RecordId "
        "FROM ADM_IPBlocksTable WHERE ParentBlockRecordId = ?1)";
    static const char to_subnets[] =
        "UPDATE ADM_AccessScopeAssociationTable SET (InheritanceId, IsInheriting) = (?4, 1) WHERE InheritanceId = ?2 "
        "AND AccessScopeId = ?3 AND ObjectType = ?5 || 'Subnet' AND ObjectId IN (SELECT RecordId FROM "
        "ADM_IPBlocksTable WHERE AddressSpaceRecordId = ?1 AND Af = CASE ?5 WHEN 'IPv6' THEN 'InterNetworkV6' ELSE "
        "'InterNetwork' END AND IsSubnet = 1)";
    struct statement *statement;
    struct result result;

    if (is_kind(object, "Range"))
        return result_ok();
    if (is_kind(object, "Subnet"))
        result = statement_get(store, to_ranges, &statement);
    else if (is_kind(object, "Block"))
        result = statement_get(store, to_blocks, &statement);
    else
        result = statement_get(store, to_subnets, &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, object->id);
    statement_bind_id(statement, 2, inherited->inheritance_id);
    statement_bind_integer(statement, 3, inherited->access_scope_id);
    statement_bind_integer(statement, 4, association_id);
    statement_bind_text(statement, 5, is_v6(object) ? "IPv6" : "IPv4");
    return statement_run(statement);
}

struct result access_scope_associate(struct store *store, const char *object_type, int64_t of)
{
    const struct scoped_object object = {.type = object_type, .id = of};
    struct association association;
    struct statement *statement;
    int64_t association_id = 0;
    struct result result = find_own(store, &object, &association);

    if (result_failed(result) || association.association_id != 0)
        return result;
    result = find_inherited(store, &object, &association);
    if (!result_failed(result))
        result = statement_get(store,
                               "INSERT INTO ADM_AccessScopeAssociationTable (ObjectId, ObjectType, AccessScopeId, "
                               "InheritanceId, IsInheriting) VALUES (?1, ?2, ?3, ?4, 1)",
                               &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, of);
    statement_bind_text(statement, 2, object_type);
    statement_bind_integer(statement, 3, association.access_scope_id);
    statement_bind_id(statement, 4, association.inheritance_id);
    result = statement_insert(statement, &association_id);
    if (!result_failed(result) && association.inheritance_id == 0)
        result = statement_run_id(
            store, "UPDATE ADM_AccessScopeAssociationTable SET InheritanceId = AssociationId WHERE AssociationId = ?1",
            association_id);
    return result_failed(result) ? result : hand_on(store, &object, &association, association_id);
}
