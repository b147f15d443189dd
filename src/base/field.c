/* SPDX-License-Identifier: Apache-2.0 */
#include "base/field.h"

#include <string.h>

#include "base/hash.h"
#include "base/must.h"

enum wire { WIRE_VARINT = 0, WIRE_SIXTEEN = 1, WIRE_BYTES = 2 };

static const struct type_row {
    uint8_t wire;
    uint8_t width; /* bytes of a number; room of a text */
    bool is_signed;
} types[] = {
    [FIELD_U8] = {WIRE_VARINT, 1, false},     [FIELD_U16] = {WIRE_VARINT, 2, false},
    [FIELD_U32] = {WIRE_VARINT, 4, false},    [FIELD_U64] = {WIRE_VARINT, 8, false},
    [FIELD_I32] = {WIRE_VARINT, 4, true},     [FIELD_I64] = {WIRE_VARINT, 8, true},
    [FIELD_BOOL] = {WIRE_VARINT, 1, false},   [FIELD_ENUM] = {WIRE_VARINT, 1, false},
    [FIELD_UUID] = {WIRE_SIXTEEN, 16, false}, [FIELD_TEXT4] = {WIRE_BYTES, 3, false},
    [FIELD_TEXT16] = {WIRE_BYTES, 15, false}, [FIELD_TEXT32] = {WIRE_BYTES, 31, false},
    [FIELD_TEXT64] = {WIRE_BYTES, 64, false}, [FIELD_E7] = {WIRE_VARINT, 4, true},
    [FIELD_TIME] = {WIRE_VARINT, 8, true},
};

/* Numbers are read through memcpy of the exact width, little-endian machines only (x86-64, arm64). */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "field_number reads the low bytes first");

int64_t field_number(const struct field *f, const void *row)
{
    const struct type_row *t = &types[f->type];
    must(t->wire == WIRE_VARINT);
    const uint8_t *at = (const uint8_t *)row + f->offset;
    if (t->width == 8) return (int64_t)load_u64(at);
    if (t->width == 4) return t->is_signed ? (int32_t)load_u32(at) : (int64_t)load_u32(at);
    return t->width == 2 ? load_u16(at) : *at;
}

void field_set_number(const struct field *f, void *row, int64_t value)
{
    const struct type_row *t = &types[f->type];
    must(t->wire == WIRE_VARINT);
    uint8_t *at = (uint8_t *)row + f->offset;
    if (t->width == 8) store_u64(at, (uint64_t)value);
    else if (t->width == 4) store_u32(at, (uint32_t)value);
    else if (t->width == 2) store_u16(at, (uint16_t)value);
    else *at = (uint8_t)(f->type == FIELD_BOOL ? value != 0 : value);
}

/* Most bytes of one field: number and wire in two, then a length and a text, or ten of a varint. */
enum { FIELD_BYTES_MAX = 2 + 1 + 64 };

static uint8_t *put_varint(uint8_t *at, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) *at++ = (uint8_t)(v | 0x80);
    *at++ = (uint8_t)v;
    return at;
}

/* One field behind `to`, where FIELD_BYTES_MAX are free; nothing for one that is zero. */
static uint8_t *encode_field(const struct field *f, const void *row, uint8_t *to)
{
    const struct type_row *t = &types[f->type];
    const uint8_t *at = (const uint8_t *)row + f->offset;
    uint64_t tag = (uint64_t)f->number << 2 | t->wire;
    if (t->wire == WIRE_VARINT) {
        int64_t v = field_number(f, row);
        if (!v) return to;
        to = put_varint(to, tag);
        return put_varint(to, t->is_signed ? (uint64_t)v << 1 ^ (uint64_t)(v >> 63) : (uint64_t)v);
    }
    if (t->wire == WIRE_SIXTEEN) {
        if (!load_u64(at) && !load_u64(at + 8)) return to;
        to = put_varint(to, tag);
        memcpy(to, at, 16);
        return to + 16;
    }
    if (!at[0]) return to;
    to = put_varint(to, tag);
    *to++ = at[0];
    memcpy(to, at + 1, at[0]);
    return to + at[0];
}

/* Straight into the buffer while a whole row fits for certain; near its end field by field, by way of the stack. */
void field_encode(const struct shape *shape, const void *row, struct buf *out)
{
    bool certain = !out->full && out->cap - out->len >= (size_t)shape->count * FIELD_BYTES_MAX;
    uint8_t *to = out->at + out->len;
    for (unsigned i = 0; i < shape->count; i++) {
        if (certain) {
            to = encode_field(&shape->fields[i], row, to);
            continue;
        }
        uint8_t one[FIELD_BYTES_MAX];
        buf_put(out, one, (size_t)(encode_field(&shape->fields[i], row, one) - one));
    }
    if (certain) out->len = (size_t)(to - out->at);
}

static const struct field *field_of(const struct shape *shape, uint64_t number, unsigned *hint)
{
    for (unsigned i = *hint; i < shape->count && shape->fields[i].number <= number; i++) {
        if (shape->fields[i].number != number) continue;
        *hint = i + 1;
        return &shape->fields[i];
    }
    return NULL;
}

static struct err number_fits(const struct type_row *t, uint8_t type, int64_t v)
{
    if (t->width == 8) return NO_ERR;
    int64_t low = t->is_signed ? -((int64_t)1 << (t->width * 8 - 1)) : 0;
    int64_t high = ((int64_t)1 << (t->width * 8 - (t->is_signed ? 1 : 0))) - 1;
    if (type == FIELD_BOOL) high = 1;
    if (v < low || v > high) return ERR(MALFORMED, "a stored number does not fit its field");
    return NO_ERR;
}

static struct err decode_value(const struct field *f, unsigned wire, struct bytes *in, void *row)
{
    const struct type_row *t = &types[f->type];
    if (wire != t->wire) return ERR(MALFORMED, "a stored field has another shape");
    struct bytes value;
    uint64_t n;
    if (wire == WIRE_VARINT) {
        TRY(bytes_varint(in, &n));
        int64_t v = t->is_signed ? (int64_t)(n >> 1 ^ -(n & 1)) : (int64_t)n;
        TRY(number_fits(t, f->type, v));
        field_set_number(f, row, v);
        return NO_ERR;
    }
    if (wire == WIRE_SIXTEEN) {
        TRY(bytes_take(in, 16, &value));
        memcpy((uint8_t *)row + f->offset, value.at, 16);
        return NO_ERR;
    }
    TRY(bytes_varint(in, &n));
    if (n > t->width) return ERR(MALFORMED, "a stored text is longer than its field");
    TRY(bytes_take(in, (size_t)n, &value));
    return text_set_room((uint8_t *)row + f->offset, t->width, value);
}

static struct err skip_value(unsigned wire, struct bytes *in)
{
    uint64_t n;
    struct bytes value;
    if (wire == WIRE_SIXTEEN) return bytes_take(in, 16, &value);
    TRY(bytes_varint(in, &n));
    if (wire == WIRE_VARINT) return NO_ERR;
    if (wire != WIRE_BYTES) return ERR(MALFORMED, "a stored field has no known shape");
    if (n > in->len) return ERR(MALFORMED, "a stored field ends early");
    return bytes_take(in, (size_t)n, &value);
}

struct err field_decode(const struct shape *shape, struct bytes in, void *row)
{
    memset(row, 0, shape->size);
    uint64_t before = 0;
    unsigned hint = 0;
    while (in.len) {
        uint64_t tag;
        TRY(bytes_varint(&in, &tag));
        if (tag >> 2 <= before) return ERR(MALFORMED, "stored fields are out of order");
        before = tag >> 2;
        const struct field *f = field_of(shape, before, &hint);
        TRY(f ? decode_value(f, tag & 3, &in, row) : skip_value(tag & 3, &in));
    }
    return NO_ERR;
}

uint64_t field_hash(const struct shape *shape, const void *row, uint64_t sum)
{
    for (unsigned i = 0; i < shape->count; i++) {
        const struct field *f = &shape->fields[i];
        const struct type_row *t = &types[f->type];
        const uint8_t *at = (const uint8_t *)row + f->offset;
        if (t->wire == WIRE_VARINT) {
            int64_t v = field_number(f, row);
            if (v) sum = hash_mix(hash_mix(sum, f->number), (uint64_t)v);
        } else if (t->wire == WIRE_SIXTEEN) {
            sum = hash_mix(hash_mix(sum, load_u64(at)), load_u64(at + 8));
        } else if (at[0]) {
            sum = hash_mix(sum, hash_bytes((struct hash_key){f->number, 0}, bytes_of(at + 1, at[0])));
        }
    }
    return sum;
}

static void json_value(const struct field *f, const void *row, struct json *j)
{
    const void *at = (const uint8_t *)row + f->offset;
    int64_t v = types[f->type].wire == WIRE_VARINT ? field_number(f, row) : 0;
    switch (f->type) {
    case FIELD_BOOL: json_bool(j, v != 0); break;
    case FIELD_ENUM: json_literal(j, enum_name(f->names, (unsigned)v)); break;
    case FIELD_UUID: json_uuid(j, at); break;
    case FIELD_E7: json_decimal(j, v, 7); break;
    case FIELD_U64: json_u64(j, (uint64_t)v); break;
    case FIELD_TIME:
        if (v) json_time_ms(j, v);
        else json_null(j);
        break;
    case FIELD_TEXT4:
    case FIELD_TEXT16:
    case FIELD_TEXT32:
    case FIELD_TEXT64: json_text(j, text_bytes(at)); break;
    default: json_i64(j, v);
    }
}

void field_json(const struct shape *shape, const void *row, enum field_sight sight, struct json *j)
{
    for (unsigned i = 0; i < shape->count; i++) {
        const struct field *f = &shape->fields[i];
        if (f->sight == SIGHT_PRIVATE || f->sight < (uint8_t)sight) continue;
        json_name(j, f->name);
        json_value(f, row, j);
    }
}

const char *enum_name(const struct enum_names *names, unsigned value)
{
    return value < names->count && names->names[value] ? names->names[value] : "?";
}

int enum_value(const struct enum_names *names, struct bytes name)
{
    for (unsigned i = 0; i < names->count; i++) {
        if (names->names[i] && bytes_equal_text(name, names->names[i])) return (int)i;
    }
    return -1;
}

bool uuid_equal(struct uuid a, struct uuid b)
{
    return memcmp(a.at, b.at, sizeof a.at) == 0;
}

bool uuid_zero(struct uuid u)
{
    return uuid_equal(u, (struct uuid){{0}});
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct err uuid_parse(struct bytes text, struct uuid *out)
{
    if (text.len != 36) return ERR(MALFORMED, "a UUID has 36 characters");
    unsigned n = 0;
    for (unsigned i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text.at[i] != '-') return ERR(MALFORMED, "a UUID has hyphens at fixed places");
            continue;
        }
        int digit = hex_digit(text.at[i]);
        if (digit < 0) return ERR(MALFORMED, "a UUID is hexadecimal");
        out->at[n / 2] = (uint8_t)(n % 2 ? out->at[n / 2] | digit : digit << 4);
        n++;
    }
    return NO_ERR;
}

void buf_put_uuid(struct buf *b, struct uuid u)
{
    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) buf_put_char(b, '-');
        buf_put_hex(b, bytes_of(u.at + i, 1));
    }
}
