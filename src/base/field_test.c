/* SPDX-License-Identifier: Apache-2.0 */
#include "base/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const char *const colour_texts[] = {[1] = "red", [2] = "blue"};
static const struct enum_names colour_names = {"colour", colour_texts, 3};
#define FIELD_ARG_colour &colour_names
#define THING_FIELDS(F)                                          \
    F(1, id,    U64,    NONE,   PRIVATE, "inside id")            \
    F(2, uuid,  UUID,   NONE,   RIDER,   "name outside")         \
    F(3, hue,   ENUM,   colour, STAFF,   "its colour")           \
    F(4, lat,   E7,     NONE,   RIDER,   "place")                \
    F(5, at_ms, TIME,   NONE,   RIDER,   "when")                 \
    F(9, name,  TEXT16, NONE,   RIDER,   "what it is called")    \
    F(10, on,   BOOL,   NONE,   STAFF,   "is it on")             \
    F(11, delta, I32,   NONE,   PRIVATE, "signed")
FIELD_STRUCT(thing, THING_FIELDS)
#define FIELD_OWNER struct thing
static const struct field fields[] = {THING_FIELDS(FIELD_ROW)};
static const struct shape shape = {"thing", fields, sizeof fields / sizeof *fields, sizeof(struct thing), "a thing"};

static void extremes_come_back(void **state)
{
    (void)state;
    struct thing t, back;
    memset(&t, 0, sizeof t);
    t.id = UINT64_MAX;
    t.uuid.at[15] = 1;
    t.hue = 255;
    t.lat = INT32_MIN;
    t.at_ms = INT64_MIN;
    t.on = true;
    t.delta = INT32_MAX;
    assert_int_equal(text_set(&t.name, bytes_text("fifteen letters")).code, ERR_OK);
    uint8_t room[200];
    struct buf b = buf_on(room, sizeof room);
    field_encode(&shape, &t, &b);
    assert_int_equal(field_decode(&shape, buf_bytes(&b), &back).code, ERR_OK);
    assert_true(field_hash(&shape, &t, 0) == field_hash(&shape, &back, 0));
    assert_true(back.lat == INT32_MIN && back.at_ms == INT64_MIN && back.id == UINT64_MAX && back.delta == INT32_MAX);
    assert_true(text_is(&back.name, "fifteen letters"));
}

static void the_same_bytes_in_any_room_and_none_beyond_it(void **state)
{
    (void)state;
    struct thing t = {.id = 300, .uuid = {{7}}, .hue = 1, .lat = -5, .at_ms = 1ll << 40, .on = true, .delta = -1};
    text_clip(&t.name, bytes_text("fifteen letters"));
    uint8_t roomy[1024], tight[1024];
    struct buf all = buf_on(roomy, sizeof roomy);
    field_encode(&shape, &t, &all);
    for (size_t cap = 0; cap <= all.len; cap++) {
        memset(tight, 0xee, sizeof tight);
        struct buf b = buf_on(tight, cap);
        field_encode(&shape, &t, &b);
        assert_int_equal(b.full, cap < all.len);
        assert_memory_equal(tight, roomy, b.len);
        for (size_t i = cap; i < sizeof tight; i++) assert_int_equal(tight[i], 0xee);
    }
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct thing back;
    const uint8_t enum_300[] = {3 << 2, 0xac, 0x02}, bool_2[] = {10 << 2, 2}, long_text[] = {9 << 2 | 2, 16};
    assert_int_equal(field_decode(&shape, bytes_of(enum_300, sizeof enum_300), &back).code, ERR_MALFORMED);
    assert_int_equal(field_decode(&shape, bytes_of(bool_2, sizeof bool_2), &back).code, ERR_MALFORMED);
    assert_int_equal(field_decode(&shape, bytes_of(long_text, sizeof long_text), &back).code, ERR_MALFORMED);
}

static void every_field_counts_in_the_hash(void **state)
{
    (void)state;
    struct thing t;
    memset(&t, 0, sizeof t);
    uint64_t zero = field_hash(&shape, &t, 0);
    for (unsigned i = 0; i < shape.count; i++) {
        memset(&t, 0, sizeof t);
        ((uint8_t *)&t)[fields[i].offset] = 1;
        if (fields[i].type == FIELD_TEXT16) t.name.at[0] = 'x';
        assert_true(field_hash(&shape, &t, 0) != zero);
    }
}

static void json_shows_by_sight(void **state)
{
    (void)state;
    struct thing t;
    memset(&t, 0, sizeof t);
    t.id = 7;
    t.hue = 2;
    t.lat = -5;
    char room[300];
    struct buf b = buf_on(room, sizeof room);
    struct json j = json_on(&b);
    json_open(&j, '{');
    field_json(&shape, &t, SIGHT_RIDER, &j);
    json_close(&j, '}');
    assert_true(bytes_equal_text(buf_bytes(&b), "{\"uuid\":\"00000000-0000-0000-0000-000000000000\",\"lat\":-0.0000005,"
                                 "\"at_ms\":null,\"name\":\"\"}"));
    buf_clear(&b);
    j = json_on(&b);
    json_open(&j, '{');
    field_json(&shape, &t, SIGHT_STAFF, &j);
    json_close(&j, '}');
    assert_true(strstr(room, "\"hue\":\"blue\"") && strstr(room, "\"on\":false") && !strstr(room, "\"id\""));
}

static void uuids_are_strict(void **state)
{
    (void)state;
    struct uuid u;
    assert_int_equal(uuid_parse(bytes_text("00112233-4455-6677-8899-aAbBcCdDeEfF"), &u).code, ERR_OK);
    assert_int_equal(u.at[15], 0xff);
    assert_int_equal(uuid_parse(bytes_text("001122334455-6677-8899-aabbccddeeff-"), &u).code, ERR_MALFORMED);
    assert_int_equal(uuid_parse(bytes_text("00112233-4455-6677-8899-aabbccddeefg"), &u).code, ERR_MALFORMED);
    assert_int_equal(enum_value(&colour_names, bytes_text("blue")), 2);
    assert_int_equal(enum_value(&colour_names, bytes_text("green")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extremes_come_back),
        cmocka_unit_test(the_same_bytes_in_any_room_and_none_beyond_it),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused),
        cmocka_unit_test(every_field_counts_in_the_hash),
        cmocka_unit_test(json_shows_by_sight),
        cmocka_unit_test(uuids_are_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
