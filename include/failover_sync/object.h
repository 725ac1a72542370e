/* What replicates: objects of the configuration, each of one of these kinds. */
#ifndef FAILOVER_SYNC_OBJECT_H
#define FAILOVER_SYNC_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are part of ids, and so of stores. They tell the order in which objects are put in place (they are
 * removed in the opposite one), scopes having the place of OBJECT_SCOPE_PLACE. */
#define OBJECT_SCOPE_PLACE 10
enum object_kind { OBJECT_SCOPE = 0, OBJECT_OPTION_DEFINITION = 1, OBJECT_CLIENT_CLASS = 2 };
#define OBJECT_KINDS 3

/* An object's number: its kind in the uppermost byte; below it a scope's subnet id, or a hash of any other's name. */
typedef uint64_t object_id;

#define OBJECT_KIND_SHIFT 56

static inline enum object_kind object_kind_of(object_id id)
{
    return (enum object_kind)(id >> OBJECT_KIND_SHIFT);
}

/* The subnet id of a scope; 0 of an object of any other kind. */
static inline uint32_t object_subnet_id(object_id id)
{
    return id <= UINT32_MAX ? (uint32_t)id : 0;
}

/* Names: a scope's is its prefix; a client class's what it is called; an option definition's "SPACE.CODE". With the NUL
 * behind it. */
#define OBJECT_NAME_SIZE 136

/* The id of the object of a kind other than a scope's that has this name; 0 for want of memory. */
object_id object_id_of(enum object_kind kind, const char *name);

/* Whether an object other than a scope can be replicated by its name: 1 to OBJECT_NAME_SIZE - 1 bytes of UTF-8 without
 * control characters. */
bool object_name_sayable(const char *name);

/* "scope", "option-definition", "client-class": as messages and commands call the kind; "object" for one that is none.
 * Static. */
const char *object_kind_name(enum object_kind kind);

/* "scopes", "option definitions", ...: several of them, in messages. Static. */
const char *object_kind_plural(enum object_kind kind);

/* The object as messages name it, "scope 192.0.2.0/24": filled into `text`, which is returned. */
#define OBJECT_SAID_SIZE (OBJECT_NAME_SIZE + 24)
const char *object_said(object_id id, const char *name, char text[OBJECT_SAID_SIZE]);
#define OBJECT_SAID(id, name) object_said(id, name, (char[OBJECT_SAID_SIZE]){""})

/* Its place in the order in which objects are put in place. */
static inline int object_kind_place(enum object_kind kind)
{
    return kind == OBJECT_SCOPE ? OBJECT_SCOPE_PLACE : (int)kind;
}

#ifdef __cplusplus
}
#endif

#endif
