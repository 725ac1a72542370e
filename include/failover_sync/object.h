/* The kinds of configuration objects that replicate, in the order in which they are applied. */
#ifndef FAILOVER_SYNC_OBJECT_H
#define FAILOVER_SYNC_OBJECT_H

/* The numbers are stored and sent: none is used twice. */
enum object_kind { OBJECT_SCOPE = 0, OBJECT_OPTION_DEFINITION = 1, OBJECT_CLIENT_CLASS = 2 };

#endif
