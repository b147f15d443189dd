/* SPDX-License-Identifier: Apache-2.0 */
/* field.h: a struct described once as a list of numbered fields; encoding, hashing, SQL columns, JSON and
 * documentation all read the description.
 *
 * A description is an X-macro:
 *
 *     #define RIDER_FIELDS(F)                                                       \
 *         F(1, id,    U64,  NONE,          PRIVATE, "inside id, made by the engine") \
 *         F(2, state, ENUM, rider_state,   STAFF,   "active or blocked")
 *
 * FIELD_STRUCT turns it into members, FIELD_ROWS into an array of struct field. Numbers are for ever: append only,
 * never reuse, 1 to 500.
 *
 * Wire    per field that is not zero: varint tag = number << 2 | shape, then the value. Shapes: 0 varint (signed
 *         numbers zigzag), 1 sixteen bytes, 2 varint length and bytes. Unknown numbers are skipped by shape, so an
 *         older release reads what a newer one wrote. Fields stand in rising order.
 * Pure */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

enum field_type { FIELD_U8, FIELD_U16, FIELD_U32, FIELD_U64, FIELD_I32, FIELD_I64, FIELD_BOOL, FIELD_ENUM, FIELD_UUID,
                  FIELD_TEXT4, FIELD_TEXT16, FIELD_TEXT32, FIELD_TEXT64, FIELD_E7, FIELD_TIME };

/* Who may read a field over HTTP. */
enum field_sight { SIGHT_PRIVATE, SIGHT_STAFF, SIGHT_RIDER };

struct uuid { uint8_t at[16]; };

struct enum_names {
    const char *name;         /* of the enum, for documents */
    const char *const *names; /* by value; NULL where a number is not used */
    unsigned count;
};

struct field {
    uint16_t number, offset;
    uint8_t type, sight;
    const char *name;
    const struct enum_names *names; /* of ENUM */
    const char *doc;
};

struct shape {
    const char *name; /* of the struct: a table's name, a fact's kind */
    const struct field *fields;
    uint16_t count;
    uint16_t size;    /* sizeof the struct */
    const char *doc;
};

#define FIELD_C_U8(n)     uint8_t n;
#define FIELD_C_U16(n)    uint16_t n;
#define FIELD_C_U32(n)    uint32_t n;
#define FIELD_C_U64(n)    uint64_t n;
#define FIELD_C_I32(n)    int32_t n;
#define FIELD_C_I64(n)    int64_t n;
#define FIELD_C_BOOL(n)   bool n;
#define FIELD_C_ENUM(n)   uint8_t n;
#define FIELD_C_UUID(n)   struct uuid n;
#define FIELD_C_TEXT4(n)  struct text4 n;
#define FIELD_C_TEXT16(n) struct text16 n;
#define FIELD_C_TEXT32(n) struct text32 n;
#define FIELD_C_TEXT64(n) struct text64 n;
#define FIELD_C_E7(n)     int32_t n;
#define FIELD_C_TIME(n)   int64_t n;
#define FIELD_MEMBER(no, n, type, arg, sight, doc) FIELD_C_##type(n)
#define FIELD_STRUCT(tag, LIST) struct tag { LIST(FIELD_MEMBER) };

#define FIELD_ARG_NONE NULL
#define ENUM_NAMES_OF(e) (&e##_names)
/* In a .c file: #define FIELD_OWNER the struct's tag before, and FIELD_ROW picks it up. */
#define FIELD_ROW(no, n, type, arg, sight, doc) \
    {no, offsetof(FIELD_OWNER, n), FIELD_##type, SIGHT_##sight, #n, FIELD_ARG_##arg, doc},

/* Writes the fields of `row` that are not zero. */
void field_encode(const struct shape *shape, const void *row, struct buf *out);
/* Clears `row` and reads it. MALFORMED on anything that field_encode would not write, but for unknown numbers. */
MUST_USE struct err field_decode(const struct shape *shape, struct bytes in, void *row);
/* A sum over number and value of every field: equal rows, equal sums, on any machine. */
uint64_t field_hash(const struct shape *shape, const void *row, uint64_t sum);
/* Reads one field as a number (not texts and uuids) or sets it; setting cuts to the type's width. */
int64_t field_number(const struct field *f, const void *row);
void field_set_number(const struct field *f, void *row, int64_t value);
/* Writes the members that `sight` may read into an open object: enums as names, times as RFC 3339, ids left out. */
void field_json(const struct shape *shape, const void *row, enum field_sight sight, struct json *j);
/* Name of an enum's value, "?" where it has none. */
const char *enum_name(const struct enum_names *names, unsigned value);
/* The value with this name, or -1. */
int enum_value(const struct enum_names *names, struct bytes name);

bool uuid_equal(struct uuid a, struct uuid b);
bool uuid_zero(struct uuid u);
/* 8-4-4-4-12 hex digits. */
MUST_USE struct err uuid_parse(struct bytes text, struct uuid *out);
void buf_put_uuid(struct buf *b, struct uuid u);

#endif
