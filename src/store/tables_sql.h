/* SPDX-License-Identifier: Apache-2.0 */
/* tables_sql.h: what the tables_*.c files share: errors with a place, SQL made from field tables, rows in
 * and out of statements. Nobody else includes it. */
#ifndef STORE_TABLES_SQL_H
#define STORE_TABLES_SQL_H

#include <sqlite3.h>

#include "store/tables.h"

#define SQL_MAX 8192u
#define ROW_UUIDS_MAX 8u

/* Texts of UUIDs while a statement borrows them. */
struct row_scratch { char uuid[ROW_UUIDS_MAX][36]; };

/* Puts "doing: SQLite's words" into t->text and gives the error for `rc`. */
struct err tables_sql_err(struct tables *t, int rc, const char *doing);
/* CORRUPT, with the place in t->text. */
struct err tables_corrupt(struct tables *t, const char *table, uint64_t id, const char *column, const char *what);
MUST_USE struct err tables_exec(struct tables *t, const char *sql);
MUST_USE struct err tables_prepare(struct tables *t, const char *sql, sqlite3_stmt **out);
/* One number from a statement of one row and column; `missing` when there is no row. */
MUST_USE struct err tables_number(struct tables *t, const char *sql, int64_t missing, int64_t *out);
bool tables_has_table(struct tables *t, const char *table);
bool tables_has_column(struct tables *t, const char *table, const char *column);
/* meta's values into t. */
MUST_USE struct err tables_read_meta(struct tables *t);

/* tables_schema.c: makes what is missing. */
MUST_USE struct err tables_migrate(struct tables *t);

/* tables_row.c */
const struct field *shape_field(const struct shape *shape, const char *name);
/* "a", "b" ... as they stand in `table`; a column that an older release did not have is its empty value. */
void sql_put_columns(struct tables *t, const char *table, const struct shape *shape, struct buf *sql);
void sql_put_name(struct buf *sql, const char *name); /* in quotes */
/* Declaration of a column; the same in CREATE TABLE and ADD COLUMN. */
void sql_put_column(struct buf *sql, const struct field *f);
const char *sql_text(struct buf *sql); /* ends it; must() on overflow: SQL is made of our own tables */
/* Binds one value, or all of them from parameter `first` on. `scratch` lives until the statement is
 * stepped. */
int field_bind(sqlite3_stmt *st, int at, const struct field *f, const void *row, char uuid[36]);
int row_bind(sqlite3_stmt *st, int first, const struct shape *shape, const void *row, struct row_scratch *scratch);
/* Reads columns from `first` on into a cleared `row`. */
MUST_USE struct err row_read(struct tables *t, sqlite3_stmt *st, int first, const char *table,
                             const struct shape *shape, void *row);

#endif
