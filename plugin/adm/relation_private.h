/* What the files on ADM_DhcpFailoverRelationTable share: reading a row, and what an admin's edits hold of it. */
#ifndef ADM_RELATION_PRIVATE_H
#define ADM_RELATION_PRIVATE_H

#include "store_private.h"

#include <jansson.h>

/* ---- relation_store.c ---- */

/* The columns that relation_read reads, in its order. */
#define RELATION_SELECT                                                                                                \
    "SELECT RecordId, RelationshipName, Server1RecordId, Server2RecordId, Server1Name, Server2Name, Server1PSName, "   \
    "Server2PSName, Server1IP, Server2IP, Mode, KeaMode, coalesce(MCLT, -1), AutoStateTransition, "                    \
    "coalesce(StateSwitchInterval, -1), Server1Percentage, SharedSecretEnabled, Server1State, Server2State, "          \
    "Origin = 'Admin', EditedProperties, ConfiguredProperties FROM ADM_DhcpFailoverRelationTable "

/* The current row of a statement that begins so; its texts are borrowed until the next step. */
struct result relation_read(struct statement *statement, struct relation_row *row);

/* ---- relation_edits.c ---- */

/* What the edits of a mirrored relationship hold. */
struct relation_edits {
    uint32_t columns;   /* RELATION_BITs */
    json_t *configured; /* column -> what the configuration last gave for it; only of those columns, and not before it
                           is known */
};

/* Reads EditedProperties and ConfiguredProperties; what is damaged holds nothing. */
struct result relation_edits_read(const struct relation_row *row, struct relation_edits *edits);
void relation_edits_clear(struct relation_edits *edits);

/* The configuration gives `row`: an edit ends where that is not what it gave before. */
struct result relation_edits_release(struct relation_edits *edits, const struct relation_row *row);

/* An admin changes one column of what was `before` to what is `after`; an edit back to what the configuration gave is
 * none any more. */
struct result relation_edits_hold(struct relation_edits *edits, enum relation_column column,
                                  const struct relation_row *before, const struct relation_row *after);

/* Whether an edit holds the name, and the configuration's was `name`. */
bool relation_edits_configured_name(const struct relation_edits *edits, const char *name);

/* The two texts for the row; the caller frees both. */
struct result relation_edits_print(const struct relation_edits *edits, char **edited, char **configured);

#endif
