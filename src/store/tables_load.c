/* SPDX-License-Identifier: Apache-2.0 */
/* tables_load.c: the cut in the tables becomes the engine's memory. Only resident rows: what is over stays
 * outside. */
#include <stdio.h>

#include "base/must.h"
#include "engine/engine.h"
#include "store/tables_sql.h"

static struct err load_kind(struct tables *t, struct engine *engine, enum row_kind kind)
{
    const char *table = row_tables[kind];
    const struct shape *shape = &row_shapes[kind];
    if (!tables_has_table(t, table)) return NO_ERR; /* an older release's, read only */
    char memory[SQL_MAX];
    struct buf sql = buf_on(memory, sizeof memory);
    buf_put_text(&sql, "SELECT ");
    sql_put_columns(t, table, shape, &sql);
    buf_put_text(&sql, " FROM ");
    sql_put_name(&sql, table);
    buf_put_text(&sql, " WHERE operator_id = ?");
    if (shape_field(shape, "resident")) buf_put_text(&sql, " AND resident = 1");
    buf_put_text(&sql, " ORDER BY id");
    sqlite3_stmt *st = NULL;
    TRY(tables_prepare(t, sql_text(&sql), &st));
    int rc = sqlite3_bind_int64(st, 1, (int64_t)t->operator_id);
    struct err e = NO_ERR;
    _Alignas(16) uint8_t row[ROW_SIZE_MAX];
    while (!rc && !e.code && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        rc = SQLITE_OK;
        e = row_read(t, st, 0, table, shape, row);
        if (e.code) break;
        e = engine_load(engine, kind, row);
        if (!e.code) continue;
        snprintf(t->text, sizeof t->text, "tables.db: table %s, row %lld: %s", table,
                 (long long)field_number(&shape->fields[0], row), e.why);
    }
    if (!e.code && rc != SQLITE_DONE) e = tables_sql_err(t, rc, table);
    sqlite3_finalize(st);
    return e;
}

static struct err load_all(struct tables *t, struct engine *engine, uint64_t *seq)
{
    TRY(tables_seq(t, seq));
    if (!*seq) return NO_ERR; /* no cut was ever written: the engine stays as new */
    for (int kind = 0; kind < ROW_N; kind++) {
        if (kind != ROW_POSTING) TRY(load_kind(t, engine, kind));
    }
    struct err e = engine_loaded(engine);
    if (e.code) {
        snprintf(t->text, sizeof t->text, "tables.db: the rows contradict each other: %s", e.why);
        return e;
    }
    if (engine_seq(engine) != *seq) return tables_corrupt(t, "partition_state", 1, "seq", "is not that of the cut");
    return NO_ERR;
}

struct err tables_load(struct tables *t, struct engine *engine, uint64_t *seq)
{
    *seq = 0;
    if (t->failed.code) return t->failed;
    TRY(tables_exec(t, "BEGIN")); /* one snapshot for all tables: a writer may be at work elsewhere */
    struct err e = load_all(t, engine, seq);
    struct err end = e.code ? NO_ERR : tables_exec(t, "COMMIT");
    if (e.code) sqlite3_exec(t->db, "ROLLBACK", NULL, NULL, NULL);
    return e.code ? e : end;
}
