/* SPDX-License-Identifier: Apache-2.0 */
/* tables_schema.c: tables, columns and indices made from the field tables; what an older release left out
 * is added, what a later one added is not touched. */
#include <string.h>

#include "base/must.h"
#include "store/tables_sql.h"

/* Indices beside those on every `uuid` and `code`. Upserts rewrite each of them: none on devices. */
static const struct index_row { const char *table, *name, *columns, *where; } indices[] = {
    {"rides", "rides_resident", "id", "resident = 1"},
    {"rides", "rides_rider", "rider_id, id", NULL},
    {"rides", "rides_vehicle", "vehicle_id, id", NULL},
    {"commands", "commands_resident", "id", "resident = 1"},
    {"commands", "commands_vehicle", "vehicle_id, id", NULL},
    {"public_codes", "public_codes_vehicle", "vehicle_id, id", NULL},
    {"postings", "postings_ride", "ride_id", NULL},
    {"postings", "postings_rider", "rider_id, id", NULL},
    {"events", "events_vehicle", "vehicle_id, seq, part", "vehicle_id <> 0"},
    {"events", "events_ride", "ride_id, seq, part", "ride_id <> 0"},
};

static struct err make_table(struct tables *t, const char *table, const struct shape *shape, const char *key)
{
    char memory[SQL_MAX];
    struct buf sql = buf_on(memory, sizeof memory);
    buf_put_text(&sql, "CREATE TABLE IF NOT EXISTS ");
    sql_put_name(&sql, table);
    buf_put_text(&sql, " (operator_id INTEGER NOT NULL");
    for (unsigned i = 0; i < shape->count; i++) {
        buf_put_text(&sql, ", ");
        sql_put_column(&sql, &shape->fields[i]);
    }
    buf_put_text(&sql, ", PRIMARY KEY (operator_id, ");
    buf_put_text(&sql, key);
    buf_put_text(&sql, ")) WITHOUT ROWID");
    return tables_exec(t, sql_text(&sql));
}

static struct err add_columns(struct tables *t, const char *table, const struct shape *shape)
{
    for (unsigned i = 0; i < shape->count; i++) {
        const struct field *f = &shape->fields[i];
        if (tables_has_column(t, table, f->name)) continue;
        char memory[SQL_MAX];
        struct buf sql = buf_on(memory, sizeof memory);
        buf_put_text(&sql, "ALTER TABLE ");
        sql_put_name(&sql, table);
        buf_put_text(&sql, " ADD COLUMN ");
        sql_put_column(&sql, f);
        TRY(tables_exec(t, sql_text(&sql)));
    }
    return NO_ERR;
}

static struct err make_index(struct tables *t, const struct index_row *row)
{
    char memory[SQL_MAX];
    struct buf sql = buf_on(memory, sizeof memory);
    buf_put_text(&sql, "CREATE INDEX IF NOT EXISTS ");
    sql_put_name(&sql, row->name);
    buf_put_text(&sql, " ON ");
    sql_put_name(&sql, row->table);
    buf_put_text(&sql, " (operator_id, ");
    buf_put_text(&sql, row->columns);
    buf_put_char(&sql, ')');
    if (row->where) {
        buf_put_text(&sql, " WHERE ");
        buf_put_text(&sql, row->where);
    }
    return tables_exec(t, sql_text(&sql));
}

static struct err make_lookup(struct tables *t, const char *table, const struct shape *shape, const char *column)
{
    if (!shape_field(shape, column)) return NO_ERR;
    char name[80];
    struct buf b = buf_on(name, sizeof name);
    buf_put_text(&b, table);
    buf_put_char(&b, '_');
    buf_put_text(&b, column);
    struct index_row row = {table, sql_text(&b), column, NULL};
    return make_index(t, &row);
}

struct err tables_migrate(struct tables *t)
{
    for (int kind = 0; kind < ROW_N; kind++) {
        const char *table = row_tables[kind];
        const struct shape *shape = &row_shapes[kind];
        TRY(make_table(t, table, shape, "id"));
        TRY(add_columns(t, table, shape));
        TRY(make_lookup(t, table, shape, "uuid"));
        TRY(make_lookup(t, table, shape, "code"));
    }
    TRY(make_table(t, "events", &event_shape, "seq, part"));
    TRY(add_columns(t, "events", &event_shape));
    for (size_t i = 0; i < sizeof indices / sizeof *indices; i++) TRY(make_index(t, &indices[i]));
    return NO_ERR;
}
