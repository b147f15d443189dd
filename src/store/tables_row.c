/* SPDX-License-Identifier: Apache-2.0 */
/* tables_row.c: a struct described by fields, as columns, and back. What comes back is input: checked,
 * never trusted. */
#include <string.h>

#include "base/must.h"
#include "store/tables_sql.h"

const struct field *shape_field(const struct shape *shape, const char *name)
{
    for (unsigned i = 0; i < shape->count; i++) {
        if (!strcmp(shape->fields[i].name, name)) return &shape->fields[i];
    }
    return NULL;
}

static bool is_text(const struct field *f)
{
    return f->type == FIELD_TEXT4 || f->type == FIELD_TEXT16 || f->type == FIELD_TEXT32 || f->type == FIELD_TEXT64;
}

static size_t text_room(const struct field *f)
{
    switch (f->type) {
    case FIELD_TEXT4: return sizeof((struct text4 *)0)->at;
    case FIELD_TEXT16: return sizeof((struct text16 *)0)->at;
    case FIELD_TEXT32: return sizeof((struct text32 *)0)->at;
    default: return sizeof((struct text64 *)0)->at;
    }
}

/* Name of an enum's value, NULL where it has none. */
static const char *name_of(const struct field *f, int64_t v)
{
    return v >= 0 && v < f->names->count ? f->names->names[v] : NULL;
}

void sql_put_name(struct buf *sql, const char *name)
{
    buf_put_char(sql, '"');
    buf_put_text(sql, name);
    buf_put_char(sql, '"');
}

/* The value of a field that is zero, as SQL. */
static void put_empty(struct buf *sql, const struct field *f)
{
    const char *name = f->type == FIELD_ENUM ? name_of(f, 0) : NULL;
    if (f->type == FIELD_UUID || (f->type == FIELD_ENUM && !name)) {
        buf_put_text(sql, "NULL");
    } else if (name || is_text(f)) {
        buf_put_char(sql, '\'');
        if (name) buf_put_text(sql, name);
        buf_put_char(sql, '\'');
    } else {
        buf_put_char(sql, '0');
    }
}

void sql_put_column(struct buf *sql, const struct field *f)
{
    sql_put_name(sql, f->name);
    bool text = is_text(f) || f->type == FIELD_UUID || f->type == FIELD_ENUM;
    buf_put_text(sql, text ? " TEXT" : " INTEGER");
    if (f->type == FIELD_UUID || (f->type == FIELD_ENUM && !name_of(f, 0))) return;
    buf_put_text(sql, " NOT NULL DEFAULT ");
    put_empty(sql, f);
}

void sql_put_columns(struct tables *t, const char *table, const struct shape *shape, struct buf *sql)
{
    for (unsigned i = 0; i < shape->count; i++) {
        const struct field *f = &shape->fields[i];
        if (i) buf_put_text(sql, ", ");
        /* A writer has just added what was missing. */
        if (!t->read_only || tables_has_column(t, table, f->name)) sql_put_name(sql, f->name);
        else put_empty(sql, f);
    }
}

const char *sql_text(struct buf *sql)
{
    buf_put_char(sql, '\0');
    must(!sql->full);
    return (const char *)sql->at;
}

int field_bind(sqlite3_stmt *st, int at, const struct field *f, const void *row, char uuid[36])
{
    const uint8_t *value = (const uint8_t *)row + f->offset;
    if (f->type == FIELD_UUID) {
        struct uuid u;
        memcpy(u.at, value, sizeof u.at);
        if (uuid_zero(u)) return sqlite3_bind_null(st, at);
        struct buf b = buf_on(uuid, 36);
        buf_put_uuid(&b, u);
        return sqlite3_bind_text(st, at, uuid, 36, SQLITE_STATIC);
    }
    if (is_text(f)) {
        struct bytes text = text_bytes(value);
        return sqlite3_bind_text(st, at, (const char *)text.at, (int)text.len, SQLITE_STATIC);
    }
    int64_t v = field_number(f, row);
    if (f->type != FIELD_ENUM) return sqlite3_bind_int64(st, at, v);
    const char *name = name_of(f, v);
    must(name || !v); /* a value outside its list is our own bug, and would not come back */
    return name ? sqlite3_bind_text(st, at, name, -1, SQLITE_STATIC) : sqlite3_bind_null(st, at);
}

int row_bind(sqlite3_stmt *st, int first, const struct shape *shape, const void *row, struct row_scratch *scratch)
{
    unsigned uuids = 0;
    for (unsigned i = 0; i < shape->count; i++) {
        const struct field *f = &shape->fields[i];
        must(uuids < ROW_UUIDS_MAX);
        int rc = field_bind(st, first + (int)i, f, row, scratch->uuid[uuids]);
        if (rc) return rc;
        if (f->type == FIELD_UUID) uuids++;
    }
    return SQLITE_OK;
}

/* NULL when it fits, else what is wrong. */
static const char *read_number(sqlite3_stmt *st, int at, const struct field *f, void *row)
{
    if (sqlite3_column_type(st, at) != SQLITE_INTEGER) return "is not an integer";
    int64_t v = sqlite3_column_int64(st, at);
    field_set_number(f, row, v);
    return field_number(f, row) == v ? NULL : "does not fit its field";
}

static const char *read_enum(sqlite3_stmt *st, int at, const struct field *f, void *row)
{
    if (sqlite3_column_type(st, at) == SQLITE_NULL) return name_of(f, 0) ? "is NULL" : NULL;
    if (sqlite3_column_type(st, at) != SQLITE_TEXT) return "is not a name";
    struct bytes name = bytes_of(sqlite3_column_text(st, at), (size_t)sqlite3_column_bytes(st, at));
    int v = enum_value(f->names, name);
    if (v < 0) return "is a name that this build does not know";
    field_set_number(f, row, v);
    return NULL;
}

static const char *read_text(sqlite3_stmt *st, int at, const struct field *f, void *row)
{
    uint8_t *value = (uint8_t *)row + f->offset;
    if (f->type == FIELD_UUID && sqlite3_column_type(st, at) == SQLITE_NULL) return NULL;
    if (sqlite3_column_type(st, at) != SQLITE_TEXT) return "is not text";
    struct bytes text = bytes_of(sqlite3_column_text(st, at), (size_t)sqlite3_column_bytes(st, at));
    if (f->type != FIELD_UUID) return text_set_room(value, text_room(f), text).code ? "is too long" : NULL;
    struct uuid u;
    if (uuid_parse(text, &u).code) return "is not a UUID";
    memcpy(value, u.at, sizeof u.at);
    return NULL;
}

struct err row_read(struct tables *t, sqlite3_stmt *st, int first, const char *table, const struct shape *shape,
                    void *row)
{
    memset(row, 0, shape->size);
    for (unsigned i = 0; i < shape->count; i++) {
        const struct field *f = &shape->fields[i];
        int at = first + (int)i;
        const char *wrong = f->type == FIELD_ENUM                   ? read_enum(st, at, f, row)
                            : is_text(f) || f->type == FIELD_UUID ? read_text(st, at, f, row)
                                                                    : read_number(st, at, f, row);
        if (!wrong) continue;
        /* Field 1 is the id, or an event's seq: read before anything else. */
        return tables_corrupt(t, table, i ? (uint64_t)field_number(&shape->fields[0], row) : 0, f->name, wrong);
    }
    return NO_ERR;
}
