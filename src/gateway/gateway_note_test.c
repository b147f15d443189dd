/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_note_test.c: bad input is counted by reason, told seldom and without secrets, and hung up when it goes on. */
#include "gateway/gateway_inside.h"
#include "gateway/gateway_rig_test.h"

static uint64_t bad_count(const struct rig *r, const char *why)
{
    for (unsigned i = 0; i < GATEWAY_BAD_MAX && r->n->bad[i].why; i++) {
        if (strcmp(r->n->bad[i].why, why) == 0) return r->n->bad[i].count;
    }
    return 0;
}

static void test_bad_frames_are_counted_by_reason_and_the_link_is_kept(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT));
    rig_say(r, conn, SCOR(ID_A, "H0,1,398,100,80,0") SCOR("49015420323751", HEARTBEAT)
                     SCOR(ID_A, "H0,1,398,200,80,0") "*SCOS,OM," ID_A ",L0#\n" SCOR(ID_A, "H0,1,398,24,81,0"));
    assert_int_equal(bad_count(r, "signal_range"), 2);
    assert_int_equal(bad_count(r, "bad_imei"), 1);
    assert_int_equal(bad_count(r, "wrong_direction"), 1);
    assert_int_equal(r->n->bad_frames, 4);
    rig_take(r);
    assert_int_equal(r->taken_count, 1);
    assert_int_equal(rig_fact(r, 0)->report.battery_pct, 81);
    assert_false(fake_is_closed(r->loop, conn, NULL));
    rig_close(r);
}

static void test_frames_are_kept_both_ways_without_secrets(void **s)
{
    (void)s;
    struct tape *tape;
    struct tape_entry e[8];
    struct text64 ident = {0};
    uint8_t name[DEVICE_NAME_MAX];
    bool more;
    assert_int_equal(tape_create(1024, (struct hash_key){1, 2}, &tape).code, ERR_OK);
    struct rig *r = rig_open(64, 64, 64, (struct gateway_config){.tape = tape});
    uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT));
    rig_say(r, conn, SCOR(ID_A, "K0,secret99") SCOR(ID_A, "H0,1,398,100,80,0"));
    rig_take(r);
    rig_release(r, (struct to_gateway){.kind = TO_GATEWAY_ACK, .session = conn, .seq = 77, .tag = 'L' | '0' << 8});
    fake_settle(r->loop);
    assert_int_equal(text_set(&ident, bytes_text(ID_A)).code, ERR_OK);
    struct bytes key = device_name(PROTOCOL_OMNI, &ident, name);
    assert_int_equal(tape_read(tape, key, 0, 0, INT64_MAX, e, 8, &more), 4);
    assert_int_equal(e[0].flags, TAPE_OUT);
    assert_int_equal(e[0].seq, 77);
    assert_memory_equal(e[0].bytes, "\xff\xff*SCOS,OM," ID_A ",L0#", e[0].len - 1u);
    assert_int_equal(e[1].flags, TAPE_REFUSED);
    assert_memory_equal(e[2].bytes, "*SCOR,OM," ID_A ",K0,xxxxxxxx#", e[2].len);
    assert_memory_equal(e[3].bytes, "*SCOR,OM," ID_A "," HEARTBEAT "#", e[3].len);
    assert_int_equal(e[3].at_ms, WALL_START_MS);
    rig_close(r);
    tape_destroy(tape);
}

static void test_ten_bad_frames_in_a_row_are_hung_up_nine_are_not(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT)), other = rig_bound(r, SCOR(ID_B, HEARTBEAT));
    for (unsigned i = 0; i < 3 * (GATEWAY_BAD_ROW_MAX - 1); i++) {
        if (i % (GATEWAY_BAD_ROW_MAX - 1) == 0) rig_say(r, conn, SCOR(ID_A, HEARTBEAT));
        rig_say(r, conn, SCOR(ID_A, "H0"));
    }
    assert_false(fake_is_closed(r->loop, conn, NULL));
    rig_say(r, conn, SCOR(ID_A, "H0"));
    assert_true(fake_is_closed(r->loop, conn, NULL));
    assert_int_equal(r->n->hung_bad, 1);
    assert_false(fake_is_closed(r->loop, other, NULL));
    rig_take(r);
    assert_int_equal(rig_count(r, FACT_SESSION_CLOSED), 1);
    rig_close(r);
}

static void test_overlong_frames_are_skipped_and_the_third_is_hung_up(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT));
    char frame[1200];
    memset(frame, 'x', sizeof frame);
    frame[0] = '*';
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned n = 0; n < 2; n++) {
            fake_send(r->loop, conn, bytes_of(frame, sizeof frame));
            fake_settle(r->loop);
        }
        assert_false(fake_is_closed(r->loop, conn, NULL));
        if (i == 0) rig_say(r, conn, SCOR(ID_A, "W0,1")); /* a good one is read, and forgives */
    }
    assert_int_equal(r->n->overlong, 4);
    fake_send(r->loop, conn, bytes_of(frame, sizeof frame));
    fake_settle(r->loop);
    assert_true(fake_is_closed(r->loop, conn, NULL));
    assert_int_equal(r->n->hung_noise, 1);
    rig_take(r);
    assert_int_equal(rig_count(r, FACT_REPORT), 1);
    rig_close(r);
}

static void test_noise_is_bounded_however_it_is_split(void **s)
{
    (void)s;
    for (size_t piece = 1; piece <= 500; piece += 499) {
        struct rig *r = rig_open_wide();
        uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT));
        char noise[500];
        memset(noise, 'x', sizeof noise);
        size_t sent = 0;
        while (sent + piece <= GATEWAY_NOISE_ROW_MAX) {
            fake_send(r->loop, conn, bytes_of(noise, piece));
            fake_settle(r->loop);
            sent += piece;
        }
        assert_false(fake_is_closed(r->loop, conn, NULL));
        fake_send(r->loop, conn, bytes_of(noise, piece));
        fake_settle(r->loop);
        assert_true(fake_is_closed(r->loop, conn, NULL));
        assert_int_equal(r->n->noise_bytes, sent + piece);
        rig_close(r);
    }
}

static void test_notes_come_once_a_minute_for_each_device(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t a = rig_bound(r, SCOR(ID_A, HEARTBEAT)), b = rig_bound(r, SCOR(ID_B, HEARTBEAT));
    for (unsigned i = 0; i < 5; i++) rig_say(r, a, SCOR(ID_A, "H0"));
    rig_say(r, b, SCOR(ID_B, "H0"));
    assert_int_equal(r->note_count, 2);
    assert_string_equal(r->notes[0].reason, "too_few_parameters");
    assert_string_equal(r->note_frames[0], "*SCOR,OM," ID_A ",H0#");
    assert_int_equal(r->notes[1].suppressed, 4);
    /* Coming again is no way around it. */
    fake_hang_up(r->loop, a);
    fake_settle(r->loop);
    a = rig_bound(r, SCOR(ID_A, HEARTBEAT));
    rig_say(r, a, SCOR(ID_A, "H0"));
    assert_int_equal(r->note_count, 2);
    rig_pass_ms(r, 60000);
    rig_say(r, a, SCOR(ID_A, "H0"));
    assert_int_equal(r->note_count, 3);
    assert_int_equal(r->n->notes, 3);
    assert_int_equal(r->n->notes_suppressed, 5);
    /* Before anybody is known the address counts, whatever its port. */
    for (unsigned i = 0; i < 3; i++) rig_say(r, rig_dial(r), "GET / HTTP/1.1\r\n");
    assert_int_equal(r->note_count, 4);
    assert_string_equal(r->notes[3].reason, "unknown_protocol");
    assert_int_equal(r->notes[2].suppressed, 1);
    assert_int_equal(r->notes[3].suppressed, 0);
    rig_close(r);
}

static void test_bluetooth_keys_are_masked_in_notes(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT));
    rig_say(r, conn, "*SCOR,OM,49015420323751,K0,yOTmK50z#\n");
    assert_int_equal(r->note_count, 1);
    assert_string_equal(r->note_frames[0], "*SCOR,OM,49015420323751,K0,xxxxxxxx#");
    rig_close(r);
}

static void test_reasons_beyond_the_table_are_counted_together(void **s)
{
    (void)s;
    static char reasons[GATEWAY_BAD_MAX + 10][4];
    struct gateway *gw = calloc(1, sizeof *gw);
    assert_non_null(gw);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < GATEWAY_BAD_MAX + 10; i++) {
            reasons[i][0] = (char)('a' + i / 10);
            reasons[i][1] = (char)('0' + i % 10);
            note_bad(gw, reasons[i]);
        }
    }
    note_bad(gw, "a0"); /* an equal literal in another file */
    for (unsigned i = 0; i < GATEWAY_BAD_MAX - 1; i++) {
        assert_string_equal(gw->counters.bad[i].why, reasons[i]);
        assert_int_equal(gw->counters.bad[i].count, i ? 2 : 3);
    }
    assert_string_equal(gw->counters.bad[GATEWAY_BAD_MAX - 1].why, "other");
    assert_int_equal(gw->counters.bad[GATEWAY_BAD_MAX - 1].count, 2 * 11);
    free(gw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_frames_are_counted_by_reason_and_the_link_is_kept),
        cmocka_unit_test(test_frames_are_kept_both_ways_without_secrets),
        cmocka_unit_test(test_ten_bad_frames_in_a_row_are_hung_up_nine_are_not),
        cmocka_unit_test(test_overlong_frames_are_skipped_and_the_third_is_hung_up),
        cmocka_unit_test(test_noise_is_bounded_however_it_is_split),
        cmocka_unit_test(test_notes_come_once_a_minute_for_each_device),
        cmocka_unit_test(test_bluetooth_keys_are_masked_in_notes),
        cmocka_unit_test(test_reasons_beyond_the_table_are_counted_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
