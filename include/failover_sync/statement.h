/* Prepared SQL statements of the store, for the rooms that keep a table of their own in it (the queue among them). */
#ifndef FAILOVER_SYNC_STATEMENT_H
#define FAILOVER_SYNC_STATEMENT_H

#include "failover_sync/object.h"
#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct statement;

/* Prepares `sql` (a string literal: its address is the key under which the prepared statement is kept until the store
 * is closed), reset and with no value bound. On failure *statement is NULL. A statement is used by one caller at a
 * time. */
struct result statement_get(struct store *store, const char *sql, struct statement **statement);

/* Bind the parameters, numbered from 1. Text is copied; NULL binds null. Failures are kept and reported by the next
 * step, so binds need no check of their own. All four accept a NULL statement. */
void statement_bind_text(struct statement *statement, int index, const char *text);
void statement_bind_integer(struct statement *statement, int index, int64_t value);
void statement_bind_id(struct statement *statement, int index, int64_t record_id); /* 0 binds null */
void statement_bind_blob(struct statement *statement, int index, const void *bytes, size_t length);

/* Steps to the next row: *row tells whether there is one. After the last row or a failure the statement is reset. */
struct result statement_step(struct statement *statement, bool *row);

/* Runs a statement that returns no row. */
struct result statement_run(struct statement *statement);

/* Runs an insert and gives the new row's id. */
struct result statement_insert(struct statement *statement, int64_t *record_id);

/* Runs a statement whose only parameter is an id. */
struct result statement_run_id(struct store *store, const char *sql, int64_t record_id);

/* Reads the integer of the first row; 0 without one. */
struct result statement_read_integer(struct statement *statement, int64_t *value);

/* Reads the integers that the statement returns in its first column; the caller frees *list, NULL if there are none. */
struct result statement_read_list(struct statement *statement, int64_t **list, size_t *count);

/* Ends a reading early: resets the statement. */
void statement_done(struct statement *statement);

/* The columns of the current row, numbered from 0. Text is borrowed until the next step; NULL for null. */
const char *statement_text(struct statement *statement, int column);

/* The same of a column that always has a text: NULL only for want of memory. Somebody else may have written a null into
 * it all the same, which is "" then, as good as any other wrong text. */
const char *statement_needed_text(struct statement *statement, int column);
int64_t statement_integer(struct statement *statement, int column); /* 0 for null */

/* The id of an object. A number that is none, in a file that was tampered with, is taken for some subnet id. */
object_id statement_object(struct statement *statement, int column);

#endif
