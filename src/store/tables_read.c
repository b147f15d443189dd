/* SPDX-License-Identifier: Apache-2.0 */
/* tables_read.c: lists, single rows and timelines for answers over HTTP, each from one snapshot. */
#include <string.h>

#include "base/must.h"
#include "store/tables_sql.h"

static const struct field *field_by_number(const struct shape *shape, uint16_t number)
{
    for (unsigned i = 0; i < shape->count; i++) {
        if (shape->fields[i].number == number) return &shape->fields[i];
    }
    return NULL;
}

/* A filter's value as a row that holds nothing else, so that binding has one place only. */
static struct err filter_row(const struct field *f, const struct tables_filter *filter, uint8_t *row)
{
    memset(row, 0, ROW_SIZE_MAX);
    uint8_t *at = row + f->offset;
    switch (f->type) {
    case FIELD_UUID:
        if (filter->text.len != 16) return ERR(INVALID, "a UUID has sixteen bytes");
        memcpy(at, filter->text.at, 16);
        return NO_ERR;
    case FIELD_TEXT4: return text_set((struct text4 *)(void *)at, filter->text);
    case FIELD_TEXT16: return text_set((struct text16 *)(void *)at, filter->text);
    case FIELD_TEXT32: return text_set((struct text32 *)(void *)at, filter->text);
    case FIELD_TEXT64: return text_set((struct text64 *)(void *)at, filter->text);
    default: break;
    }
    field_set_number(f, row, filter->number);
    bool fits = field_number(f, row) == filter->number;
    if (fits && f->type == FIELD_ENUM) fits = filter->number >= 0 && filter->number < f->names->count;
    return fits ? NO_ERR : ERR(INVALID, "a filter's value does not fit its field");
}

static void put_select(struct tables *t, const char *table, const struct shape *shape, struct buf *sql)
{
    buf_put_text(sql, "SELECT ");
    sql_put_columns(t, table, shape, sql);
    buf_put_text(sql, " FROM ");
    sql_put_name(sql, table);
    buf_put_text(sql, " WHERE operator_id = ?");
}

static const struct shape *filter_shape(const struct tables_query *q, const struct tables_filter *filter)
{
    return &row_shapes[filter->of ? filter->of : q->kind];
}

static struct err list_rows(struct tables *t, const struct tables_query *q, sqlite3_stmt *st, tables_on_row *on_row,
                            void *ctx)
{
    _Alignas(16) uint8_t values[TABLES_FILTERS_MAX][ROW_SIZE_MAX];
    char uuids[TABLES_FILTERS_MAX][36];
    const struct shape *shape = &row_shapes[q->kind];
    int rc = sqlite3_bind_int64(st, 1, (int64_t)t->operator_id), at = 2;
    for (unsigned i = 0; i < q->filter_count && !rc; i++) {
        const struct field *f = field_by_number(filter_shape(q, &q->filters[i]), q->filters[i].field);
        if (q->filters[i].how == FILTER_SET) {
            rc = sqlite3_bind_null(st, at++);
            continue;
        }
        TRY(filter_row(f, &q->filters[i], values[i]));
        rc = field_bind(st, at++, f, values[i], uuids[i]);
    }
    uint64_t cursor = q->newest_first && !q->after_id ? (uint64_t)INT64_MAX : q->after_id;
    if (!rc) rc = sqlite3_bind_int64(st, at++, (int64_t)cursor);
    if (!rc) rc = sqlite3_bind_int64(st, at, q->limit);
    _Alignas(16) uint8_t row[ROW_SIZE_MAX];
    while (!rc && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        rc = SQLITE_OK;
        TRY(row_read(t, st, 0, row_tables[q->kind], shape, row));
        TRY(on_row(ctx, q->kind, row));
    }
    return rc == SQLITE_DONE ? NO_ERR : tables_sql_err(t, rc, row_tables[q->kind]);
}

/* Rows of one kind that may be filtered by those of another: listed.ours = linked.theirs. */
static const struct link { uint8_t listed, linked; const char *ours, *theirs; } links[] = {
    {ROW_VEHICLE, ROW_DEVICE, "device_id", "id"},
    {ROW_VEHICLE, ROW_PUBLIC_CODE, "id", "vehicle_id"},
};

static void put_filter(struct buf *sql, const struct field *f, const struct tables_filter *filter, unsigned number)
{
    char memory[16];
    struct buf value = buf_on(memory, sizeof memory);
    buf_put_char(&value, '?');
    buf_put_u64(&value, number);
    if (filter->how == FILTER_BEGINS) {
        buf_put_text(sql, "substr(");
        sql_put_name(sql, f->name);
        buf_put_text(sql, ", 1, length(");
        buf_put_bytes(sql, buf_bytes(&value));
        buf_put_text(sql, ")) COLLATE NOCASE = ");
    } else {
        sql_put_name(sql, f->name);
        buf_put_text(sql, filter->how == FILTER_AT_MOST ? " <= " : " IS ");
    }
    /* What is unset is NULL whatever the value bound. */
    if (filter->how == FILTER_SET) buf_put_text(sql, filter->number ? "NOT NULL" : "NULL");
    else buf_put_bytes(sql, buf_bytes(&value));
}

/* Those of one kind; ?1 is the operator, the filters come next, in their order. */
static struct err put_filters(const struct tables_query *q, uint8_t of, const char *between, struct buf *sql)
{
    for (unsigned i = 0; i < q->filter_count; i++) {
        const struct tables_filter *filter = &q->filters[i];
        if (filter->of != of) continue;
        const struct field *f = field_by_number(filter_shape(q, filter), filter->field);
        if (!f) return ERR(INVALID, "a filter names no field of this kind");
        buf_put_text(sql, between);
        put_filter(sql, f, filter, 2 + i);
        buf_put_char(sql, ')');
    }
    return NO_ERR;
}

static struct err put_links(const struct tables_query *q, struct buf *sql)
{
    unsigned found = 0, linked = 0;
    for (unsigned i = 0; i < q->filter_count; i++) linked += q->filters[i].of != 0;
    for (unsigned i = 0; i < sizeof links / sizeof *links; i++) {
        const struct link *link = &links[i];
        unsigned here = 0;
        for (unsigned k = 0; k < q->filter_count; k++) here += q->filters[k].of == link->linked;
        if (link->listed != q->kind || !here) continue;
        found += here;
        buf_put_text(sql, " AND ");
        sql_put_name(sql, link->ours);
        buf_put_text(sql, " IN (SELECT ");
        sql_put_name(sql, link->theirs);
        buf_put_text(sql, " FROM ");
        sql_put_name(sql, row_tables[link->linked]);
        buf_put_text(sql, " WHERE operator_id = ?1");
        TRY(put_filters(q, link->linked, " AND (", sql));
        buf_put_char(sql, ')');
    }
    return found == linked ? NO_ERR : ERR(INVALID, "a filter is of a kind that is not linked to the listed one");
}

static struct err list_all(struct tables *t, const struct tables_query *q, tables_on_row *on_row, void *ctx)
{
    const char *table = row_tables[q->kind];
    const struct shape *shape = &row_shapes[q->kind];
    char memory[SQL_MAX];
    struct buf sql = buf_on(memory, sizeof memory);
    put_select(t, table, shape, &sql);
    /* Without the hint SQLite walks the whole table in the order of ids, although the filter has an index. */
    TRY(put_filters(q, 0, " AND unlikely(", &sql));
    TRY(put_links(q, &sql));
    for (unsigned i = 0; q->city_ids && i <= q->city_count; i++) {
        buf_put_text(&sql, i ? ", " : " AND city_id IN (-1"); /* a list of no cities has no rows */
        if (i) buf_put_u64(&sql, q->city_ids[i - 1]);
    }
    if (q->city_ids) buf_put_char(&sql, ')');
    buf_put_text(&sql, q->newest_first ? " AND id < ?" : " AND id > ?");
    buf_put_u64(&sql, 2 + q->filter_count);
    buf_put_text(&sql, q->newest_first ? " ORDER BY id DESC LIMIT ?" : " ORDER BY id LIMIT ?");
    buf_put_u64(&sql, 3 + q->filter_count);
    sqlite3_stmt *st = NULL;
    TRY(tables_prepare(t, sql_text(&sql), &st));
    struct err e = list_rows(t, q, st, on_row, ctx);
    sqlite3_finalize(st);
    return e;
}

/* Ends the snapshot that `e` came from. */
static struct err end_snapshot(struct tables *t, struct err e)
{
    if (!e.code) return tables_exec(t, "COMMIT");
    sqlite3_exec(t->db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

struct err tables_list(struct tables *t, const struct tables_query *q, tables_on_row *on_row, void *ctx,
                       uint64_t *as_of_seq)
{
    *as_of_seq = 0;
    must(q->kind < ROW_N && q->filter_count <= TABLES_FILTERS_MAX);
    if (!q->limit || q->limit > TABLES_LIST_MAX) return ERR(INVALID, "a list has 1 to 1000 rows");
    bool inside = !sqlite3_get_autocommit(t->db); /* called back from another list: of the same snapshot */
    if (!inside) TRY(tables_exec(t, "BEGIN"));
    struct err e = inside ? NO_ERR : tables_seq(t, as_of_seq);
    if (!e.code) e = list_all(t, q, on_row, ctx);
    return inside ? e : end_snapshot(t, e);
}

/* The one row whose `f` is what `value` holds. */
static struct err find_row(struct tables *t, enum row_kind kind, const struct field *f, const void *value, void *row)
{
    const struct shape *shape = &row_shapes[kind];
    char memory[SQL_MAX], uuid[36];
    struct buf sql = buf_on(memory, sizeof memory);
    put_select(t, row_tables[kind], shape, &sql);
    buf_put_text(&sql, " AND ");
    sql_put_name(&sql, f->name);
    buf_put_text(&sql, " = ? LIMIT 1");
    sqlite3_stmt *st = NULL;
    TRY(tables_prepare(t, sql_text(&sql), &st));
    int rc = sqlite3_bind_int64(st, 1, (int64_t)t->operator_id);
    if (!rc) rc = field_bind(st, 2, f, value, uuid);
    if (!rc) rc = sqlite3_step(st);
    struct err e = rc == SQLITE_ROW    ? row_read(t, st, 0, row_tables[kind], shape, row)
                   : rc == SQLITE_DONE ? ERR(NOT_FOUND, "tables: no such row")
                                       : tables_sql_err(t, rc, row_tables[kind]);
    sqlite3_finalize(st);
    return e;
}

struct err tables_row(struct tables *t, enum row_kind kind, uint64_t id, void *row)
{
    must(kind < ROW_N);
    _Alignas(16) uint8_t value[ROW_SIZE_MAX] = {0};
    field_set_number(&row_shapes[kind].fields[0], value, (int64_t)id);
    return find_row(t, kind, &row_shapes[kind].fields[0], value, row);
}

static struct err find_by(struct tables *t, enum row_kind kind, const char *name, struct bytes text, void *row)
{
    must(kind < ROW_N);
    const struct field *f = shape_field(&row_shapes[kind], name);
    if (!f) return ERR(INVALID, "tables: this kind has no such field");
    _Alignas(16) uint8_t value[ROW_SIZE_MAX];
    struct tables_filter filter = {.field = f->number, .text = text};
    if (filter_row(f, &filter, value).code) return ERR(NOT_FOUND, "tables: no such row");
    return find_row(t, kind, f, value, row);
}

struct err tables_row_by_uuid(struct tables *t, enum row_kind kind, struct uuid uuid, void *row)
{
    return find_by(t, kind, "uuid", bytes_of(uuid.at, sizeof uuid.at), row);
}

struct err tables_row_by_code(struct tables *t, enum row_kind kind, struct bytes code, void *row)
{
    return find_by(t, kind, "code", code, row);
}

static struct err timeline_rows(struct tables *t, const struct timeline_query *q, tables_on_event *on_event, void *ctx)
{
    char memory[SQL_MAX];
    struct buf sql = buf_on(memory, sizeof memory);
    put_select(t, "events", &event_shape, &sql);
    /* "<> 0" lets the partial index be used. */
    buf_put_text(&sql, q->of == TIMELINE_VEHICLE ? " AND vehicle_id = ?2 AND vehicle_id <> 0"
                                                 : " AND ride_id = ?2 AND ride_id <> 0");
    buf_put_text(&sql, " AND (seq, part) < (?3, ?4) ORDER BY seq DESC, part DESC LIMIT ?5");
    sqlite3_stmt *st = NULL;
    TRY(tables_prepare(t, sql_text(&sql), &st));
    bool newest = !q->before_seq && !q->before_part;
    int rc = sqlite3_bind_int64(st, 1, (int64_t)t->operator_id);
    if (!rc) rc = sqlite3_bind_int64(st, 2, (int64_t)q->id);
    if (!rc) rc = sqlite3_bind_int64(st, 3, newest ? INT64_MAX : (int64_t)q->before_seq);
    if (!rc) rc = sqlite3_bind_int64(st, 4, q->before_part);
    if (!rc) rc = sqlite3_bind_int64(st, 5, q->limit);
    struct err e = NO_ERR;
    while (!rc && !e.code && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct event event;
        rc = SQLITE_OK;
        e = row_read(t, st, 0, "events", &event_shape, &event);
        if (!e.code) e = on_event(ctx, &event);
    }
    if (!e.code && rc != SQLITE_DONE) e = tables_sql_err(t, rc, "events");
    sqlite3_finalize(st);
    return e;
}

struct err tables_timeline(struct tables *t, const struct timeline_query *q, tables_on_event *on_event, void *ctx,
                           uint64_t *as_of_seq)
{
    *as_of_seq = 0;
    if (!q->limit || q->limit > TABLES_LIST_MAX) return ERR(INVALID, "a list has 1 to 1000 events");
    TRY(tables_exec(t, "BEGIN"));
    struct err e = tables_seq(t, as_of_seq);
    if (!e.code) e = timeline_rows(t, q, on_event, ctx);
    return end_snapshot(t, e);
}
