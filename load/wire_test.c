/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "load/office.h"
#include "load/wire.h"
#include "proto/omni.h"

#define CLOCK_MS 1790000000123ll

static struct bytes said(const char *dialect, uint32_t number, uint32_t n)
{
    static uint8_t room[WIRE_SAY_MAX];
    struct buf b = buf_on(room, sizeof room);
    struct wire_vehicle v = wire_vehicle(number);
    wire_find(bytes_text(dialect))->say(&v, n, CLOCK_MS, &b);
    assert_false(b.full);
    return buf_bytes(&b);
}

static struct wire_heard heard(const char *dialect, uint32_t number, uint32_t n, struct bytes in)
{
    struct wire_vehicle v = wire_vehicle(number);
    return wire_find(bytes_text(dialect))->hear(&v, n, in);
}

static void test_what_is_said_is_what_a_server_decodes(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 300000; n += 7919) {
        struct bytes frame = said("cmdr", 77 + n, n);
        struct cut cut = omni_cut(frame);
        struct message m;
        assert_int_equal(cut.skip, 0);
        assert_int_equal(omni_decode(bytes_of(frame.at, cut.len), &m).code, ERR_OK);
        assert_true(m.must_ack);
        struct wire_vehicle v = wire_vehicle(77 + n);
        assert_true(text_equal(&m.ident, &v.ident));
        assert_true(m.has & HAS_POSITION && m.has & HAS_FIX_TIME);
        assert_int_equal(m.fix_ms, CLOCK_MS);
        assert_true(wire_is_at(77 + n, n, m.lat_e7, m.lon_e7));
    }
}

static void test_neighbours_in_time_and_number_are_told_apart(void **state)
{
    (void)state;
    int32_t lat, lon;
    wire_position(5, 12, &lat, &lon);
    assert_true(wire_is_at(5, 12, lat, lon));
    assert_false(wire_is_at(5, 11, lat, lon));
    assert_false(wire_is_at(5, 13, lat, lon));
    assert_false(wire_is_at(6, 12, lat, lon));
}

static struct bytes ack(uint32_t number, const char *command)
{
    static uint8_t room[OMNI_ORDER_MAX];
    struct buf b = buf_on(room, sizeof room);
    struct message m = {.dialect = OMNI_CMDR, .vendor = {2, {'O', 'M'}}, .ident = wire_vehicle(number).ident,
                        .command = bytes_text(command), .must_ack = true};
    assert_int_equal(omni_encode_ack(&m, CLOCK_MS, &b).code, ERR_OK);
    return buf_bytes(&b);
}

static void test_an_acknowledgement_is_known_however_it_is_split(void **state)
{
    (void)state;
    struct bytes one = ack(9, "D0");
    uint8_t two[2 * OMNI_ORDER_MAX];
    memcpy(two, one.at, one.len);
    memcpy(two + one.len, one.at, one.len);
    for (size_t len = 0; len <= 2 * one.len; len++) {
        struct wire_heard h = heard("cmdr", 9, 0, bytes_of(two, len));
        assert_null(h.wrong);
        assert_int_equal(h.others, 0);
        assert_true(h.used <= len);
        /* a frame ends with `#`; the line end behind it may come later */
        assert_int_equal(h.acks, (len >= one.len - 1) + (len >= 2 * one.len - 1));
    }
}

static void test_what_is_no_acknowledgement_is_not_counted_as_one(void **state)
{
    (void)state;
    assert_int_equal(heard("cmdr", 9, 0, ack(9, "Q0")).acks, 0);
    assert_int_equal(heard("cmdr", 9, 0, ack(9, "Q0")).others, 1);
    assert_non_null(heard("cmdr", 9, 0, ack(8, "D0")).wrong);
    assert_non_null(heard("cmdr", 9, 0, bytes_text("HTTP/1.1 400 Bad Request\r\n\r\n")).wrong);
    assert_non_null(heard("cmdr", 9, 0, bytes_text("\xff\xff*CMDS,OM,#\n")).wrong);
}

static void test_an_echo_counts_line_by_line(void **state)
{
    (void)state;
    struct bytes frame = said("echo", 3, 1);
    assert_int_equal(heard("echo", 3, 1, frame).acks, 1);
    assert_int_equal(heard("echo", 3, 1, frame).used, frame.len);
    assert_int_equal(heard("echo", 3, 1, bytes_of(frame.at, frame.len - 1)).acks, 0);
    assert_non_null(heard("echo", 4, 1, frame).wrong);
}

static void test_mqtt_bytes_are_those_of_the_standard(void **state)
{
    (void)state;
    struct wire_vehicle v = wire_vehicle(1);
    uint8_t room[WIRE_SAY_MAX];
    struct buf b = buf_on(room, sizeof room);
    wire_find(bytes_text("mqtt"))->hello(&v, &b);
    static const uint8_t hello[] = "\x10\x1b\x00\x04MQTT\x04\x02\x00\x00\x00\x0f" "900000000000001";
    assert_int_equal(b.len, sizeof hello - 1);
    assert_memory_equal(room, hello, b.len);

    struct bytes publish = said("mqtt", 1, 65535); /* the id after 65535 is 1 again */
    static const uint8_t head[] = "\x00\x11v/900000000000001\x00\x01*CMDR,OM,900000000000001,";
    assert_int_equal(publish.at[0], 0x32);
    assert_int_equal((publish.at[1] & 0x7f) | publish.at[2] << 7, publish.len - 3);
    assert_memory_equal(publish.at + 3, head, sizeof head - 1);
}

static void test_mqtt_answers_must_be_the_ones_in_turn(void **state)
{
    (void)state;
    assert_int_equal(heard("mqtt", 1, UINT32_MAX, bytes_of("\x20\x02\x00\x00", 4)).acks, 1);
    assert_non_null(heard("mqtt", 1, UINT32_MAX, bytes_of("\x20\x02\x00\x05", 4)).wrong);
    struct wire_heard h = heard("mqtt", 1, 258, bytes_of("\x40\x02\x01\x03\x40\x02\x01\x04\x40", 9));
    assert_null(h.wrong);
    assert_int_equal(h.acks, 2);
    assert_int_equal(h.used, 8);
    assert_non_null(heard("mqtt", 1, 258, bytes_of("\x40\x02\x01\x04", 4)).wrong);
    assert_non_null(heard("mqtt", 1, 258, bytes_of("\x50\x02\x01\x03", 4)).wrong);
}

struct listed { unsigned calls, placed; int64_t lat_e7, lon_e7; };

static void on_vehicle(void *ctx, uint32_t number, bool has, int64_t lat_e7, int64_t lon_e7)
{
    struct listed *l = ctx;
    l->calls += number;
    if (!has) return;
    l->placed += number;
    l->lat_e7 = lat_e7;
    l->lon_e7 = lon_e7;
}

static void test_a_page_of_the_list_is_read(void **state)
{
    (void)state;
    struct listed l = {0};
    struct office_options o = {.first = 1, .count = 10};
    struct bytes next = office_page(&o, bytes_text(
        "{\"vehicles\":[{\"code\":\"L000001\",\"device\":{\"lat\":null,\"lon\":null}},"
        "{\"code\":\"GBG-1\",\"device\":{\"lat\":1.0}},"
        "{\"code\":\"L000010\",\"device\":{\"lat\":57.7000000,\"lon\":-11.8000001}},"
        "{\"code\":\"L000011\",\"lat\":1,\"lon\":2}],"
        "\"next\":\"12\",\"as_of_seq\":7}"), on_vehicle, &l);
    assert_true(bytes_equal_text(next, "12"));
    assert_int_equal(l.calls, 11);
    assert_int_equal(l.placed, 10);
    assert_int_equal(l.lat_e7, 577000000);
    assert_int_equal(l.lon_e7, -118000001);
    assert_int_equal(office_page(&o, bytes_text("{\"vehicles\":[],\"next\":null}"), on_vehicle, &l).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_said_is_what_a_server_decodes),
        cmocka_unit_test(test_neighbours_in_time_and_number_are_told_apart),
        cmocka_unit_test(test_an_acknowledgement_is_known_however_it_is_split),
        cmocka_unit_test(test_what_is_no_acknowledgement_is_not_counted_as_one),
        cmocka_unit_test(test_an_echo_counts_line_by_line),
        cmocka_unit_test(test_mqtt_bytes_are_those_of_the_standard),
        cmocka_unit_test(test_mqtt_answers_must_be_the_ones_in_turn),
        cmocka_unit_test(test_a_page_of_the_list_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
