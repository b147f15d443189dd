/* SPDX-License-Identifier: Apache-2.0 */
/* Facts are in journals for years: their bytes may never change. A golden line that differs is not to be updated; a new
 * field gets a new number and leaves every line here as it is. */
#include "engine/fact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Fills every field with a value that follows from its number. */
static void fill(const struct shape *shape, void *row)
{
    memset(row, 0, shape->size);
    for (unsigned i = 0; i < shape->count; i++) {
        const struct field *f = &shape->fields[i];
        uint8_t *at = (uint8_t *)row + f->offset;
        switch (f->type) {
        case FIELD_UUID: memset(at, f->number, 16); break;
        case FIELD_TEXT4: text_clip_room(at, 3, bytes_text("SEK")); break;
        case FIELD_TEXT16: text_clip_room(at, 15, bytes_text("V-1")); break;
        case FIELD_TEXT32: text_clip_room(at, 31, bytes_text("gothenburg")); break;
        case FIELD_TEXT64: text_clip_room(at, 64, bytes_text("490154203237518")); break;
        case FIELD_BOOL: field_set_number(f, row, 1); break;
        case FIELD_E7: field_set_number(f, row, -1234567 - f->number); break;
        case FIELD_TIME: field_set_number(f, row, 1790000000000 + f->number); break;
        default: field_set_number(f, row, f->number);
        }
    }
}

static const struct { unsigned kind; const char *hex; } golden[] = {
#include "engine/fact_golden.inc"
};

static void hex_of(unsigned kind, char *out, size_t room)
{
    struct fact f = {.kind = (uint8_t)kind};
    fill(fact_shape(kind), &f.tick);
    uint8_t bytes[FACT_BYTES_MAX];
    struct buf b = buf_on(bytes, sizeof bytes);
    fact_encode(&f, &b);
    assert_false(b.full);
    struct buf h = buf_on(out, room - 1);
    buf_put_hex(&h, buf_bytes(&b));
    assert_false(h.full);
    out[h.len] = 0;
}

static void every_kind_has_its_golden_bytes(void **state)
{
    (void)state;
    char hex[2 * FACT_BYTES_MAX + 1];
    unsigned kinds = 0, lines = sizeof golden / sizeof *golden;
    for (unsigned kind = 0; kind < FACT_KIND_LIMIT; kind++) {
        if (!fact_shape(kind)) continue;
        hex_of(kind, hex, sizeof hex);
        bool found = false;
        for (unsigned i = 0; i < lines; i++) found = found || (golden[i].kind == kind && !strcmp(golden[i].hex, hex));
        if (!found) print_message("    {%u, \"%s\"},\n", kind, hex);
        assert_true(found);
        kinds++;
    }
    assert_true(kinds <= lines); /* more: kinds that got fields since; see below */
}

/* What an older release wrote is read by this one, means the same, and is written the same way again. */
static void every_line_ever_written_is_still_read(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof golden / sizeof *golden; i++) {
        uint8_t bytes[FACT_BYTES_MAX] = {0}, again[FACT_BYTES_MAX];
        size_t len = strlen(golden[i].hex) / 2;
        struct fact f;
        assert_true(len <= sizeof bytes);
        for (size_t k = 0; k < 2 * len; k++) {
            char c = golden[i].hex[k];
            uint8_t digit = (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
            bytes[k / 2] = (uint8_t)(bytes[k / 2] << 4 | digit);
        }
        assert_int_equal(fact_decode(bytes_of(bytes, len), &f).code, ERR_OK);
        assert_int_equal(f.kind, golden[i].kind);
        struct buf b = buf_on(again, sizeof again);
        fact_encode(&f, &b);
        assert_true(bytes_equal(buf_bytes(&b), bytes_of(bytes, len)));
    }
}

static void every_kind_comes_back_as_it_went(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < FACT_KIND_LIMIT; kind++) {
        if (!fact_shape(kind)) continue;
        struct fact f = {.kind = (uint8_t)kind}, back;
        fill(fact_shape(kind), &f.tick);
        uint8_t bytes[FACT_BYTES_MAX];
        struct buf b = buf_on(bytes, sizeof bytes);
        fact_encode(&f, &b);
        assert_int_equal(fact_decode(buf_bytes(&b), &back).code, ERR_OK);
        assert_int_equal(back.kind, kind);
        assert_int_equal(field_hash(fact_shape(kind), &back.tick, 1), field_hash(fact_shape(kind), &f.tick, 1));
        for (size_t len = 0; len < b.len; len++) {
            struct err e = fact_decode(bytes_of(bytes, len), &back);
            if (!e.code) assert_true(field_hash(fact_shape(kind), &back.tick, 1) != field_hash(fact_shape(kind), &f.tick, 1));
        }
    }
}

static void unknown_kinds_and_fields_of_the_future(void **state)
{
    (void)state;
    struct fact back;
    assert_int_equal(fact_decode(bytes_of("\x3f", 1), &back).code, ERR_MALFORMED);
    /* field 400 of a tick: skipped, whatever its shape */
    const uint8_t varint[] = {2, 0x04, 0x02, 0xc0, 0x0c, 0x05}, text[] = {2, 0x04, 0x02, 0xc2, 0x0c, 0x02, 'a', 'b'};
    assert_int_equal(fact_decode(bytes_of(varint, sizeof varint), &back).code, ERR_OK);
    assert_int_equal(back.tick.jumped_ms, 1);
    assert_int_equal(fact_decode(bytes_of(text, sizeof text), &back).code, ERR_OK);
    /* out of order, another shape */
    const uint8_t twice[] = {2, 0x04, 0x02, 0x04, 0x02}, shape[] = {2, 0x06, 0x01, 'a'};
    assert_int_equal(fact_decode(bytes_of(twice, sizeof twice), &back).code, ERR_MALFORMED);
    assert_int_equal(fact_decode(bytes_of(shape, sizeof shape), &back).code, ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_its_golden_bytes),
        cmocka_unit_test(every_line_ever_written_is_still_read),
        cmocka_unit_test(every_kind_comes_back_as_it_went),
        cmocka_unit_test(unknown_kinds_and_fields_of_the_future),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
