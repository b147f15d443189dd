/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_test.c: frames become facts, each once and in order, whatever the network and the peer do. */
#include "base/hash.h"
#include "gateway/gateway_rig_test.h"

#define POSITION "D0,0,102030.00,A,5742.4000,N,01157.6000,E,9,1.0,231126,12.0,M,A"

static void test_sign_in_opens_a_session_and_is_not_answered(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t conn = rig_dial(r);
    rig_say(r, conn, SCOR(ID_A, "Q0,412,80,28"));
    assert_int_equal(ring_count(&r->urgent), 1);
    assert_int_equal(ring_count(&r->telemetry), 1);
    rig_take(r);
    const struct fact_session_opened *o = &rig_fact(r, 0)->session_opened;
    assert_int_equal(rig_fact(r, 0)->kind, FACT_SESSION_OPENED);
    assert_true(o->session == conn);
    assert_int_equal(o->protocol, PROTOCOL_OMNI);
    assert_true(text_is(&o->ident, ID_A));
    assert_int_equal(o->caps, CAP_LOCK | CAP_KEY_STEP | CAP_ASK_STATUS | CAP_RESTART | CAP_SPEED);
    assert_int_equal(rig_fact(r, 1)->kind, FACT_REPORT);
    assert_int_equal(rig_fact(r, 1)->report.iot_mV, 4120);
    assert_int_equal(rig_fact(r, 1)->report.battery_pct, 80);
    for (unsigned i = 0; i < 2; i++) {
        const struct origin *origin = &r->taken[i].origin;
        assert_int_equal(origin->kind, ORIGIN_DEVICE);
        assert_int_equal(origin->port, 3);
        assert_int_equal(origin->tag, 0);
        assert_true(origin->handle == conn);
        assert_true(origin->born_us == loop_now_us(r->loop));
    }
    rig_assert_received(r, conn, "");
    rig_close(r);
}

static void test_any_first_frame_opens_a_session(void **s)
{
    (void)s;
    static const struct { const char *frame; unsigned facts; } rows[] = {
        {SCOR(ID_A, "Q0,412,80,28"), 2}, {SCOR(ID_A, HEARTBEAT), 2}, {SCOR(ID_A, POSITION), 2},
        {SCOR(ID_A, "W0,1"), 2}, {CMDR(ID_A, "L1,7,1795435100,12"), 2}, {SCOR(ID_A, "M0,C4A828A1B2C3"), 1},
        {"\r\n\xff *HBCR,NB," ID_A ",H0,1,398,24,80,0#", 2},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig *r = rig_open_wide();
        rig_say(r, rig_dial(r), rows[i].frame);
        rig_take(r);
        assert_int_equal(r->taken_count, rows[i].facts);
        assert_int_equal(rig_fact(r, 0)->kind, FACT_SESSION_OPENED);
        assert_int_equal(r->n->sessions, 1);
        rig_close(r);
    }
}

/* All kinds of fact, filling between them, an opaque frame and a refused one. */
static const char stream[] = SCOR(ID_A, "Q0,412,80,28") SCOR(ID_A, HEARTBEAT) "\r\n" SCOR(ID_A, POSITION)
    SCOR(ID_A, "H0,7,398,24,80,0") SCOR(ID_A, "R0,0,55,20,1795435100") SCOR(ID_A, "L0,0,20,1795435100")
    "\xff\xff" SCOR(ID_A, "G0,1,2") SCOR(ID_A, "W0,2") SCOR(ID_A, "V0,2") SCOR(ID_A, "L1,0,0,0,3") SCOR(ID_A, "E0,44");

/* Of all facts whatever their order: two rings, taken in two rounds, may give another one. */
static uint64_t sum_of_facts(const struct rig *r)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < r->taken_count; i++) {
        uint8_t room[FACT_BYTES_MAX];
        struct buf b = buf_on(room, sizeof room);
        fact_encode(&r->taken[i].fact, &b);
        sum += hash_bytes((struct hash_key){1, 2}, buf_bytes(&b));
    }
    return sum;
}

static void test_facts_do_not_depend_on_how_bytes_are_split(void **s)
{
    (void)s;
    size_t len = sizeof stream - 1;
    uint64_t whole = 0;
    for (size_t split = 0; split < len; split++) {
        struct rig *r = rig_open_wide();
        uint64_t conn = rig_dial(r);
        fake_send(r->loop, conn, bytes_of(stream, split));
        fake_settle(r->loop);
        rig_take(r);
        fake_send(r->loop, conn, bytes_of(stream + split, len - split));
        fake_settle(r->loop);
        rig_take(r);
        if (split == 0) whole = sum_of_facts(r);
        assert_int_equal(r->taken_count, 10);
        assert_true(sum_of_facts(r) == whole);
        assert_int_equal(r->n->frames, 11);
        assert_int_equal(r->n->bad_frames, 1);
        assert_int_equal(r->n->opaque, 1);
        assert_int_equal(fake_kept(r->loop, conn), 0);
        rig_close(r);
    }
}

static void test_frames_one_byte_at_a_time_are_the_same_facts_in_order(void **s)
{
    (void)s;
    static const uint8_t kinds[] = {FACT_SESSION_OPENED, FACT_REPORT, FACT_REPORT, FACT_REPORT, FACT_DEVICE_KEYED,
                                    FACT_LOCK_RESULT, FACT_REPORT, FACT_DEVICE_ECHO, FACT_LOCK_RESULT, FACT_REPORT};
    struct rig *r = rig_open_wide();
    uint64_t conn = rig_dial(r);
    for (size_t i = 0; i < sizeof stream - 1; i++) {
        fake_send(r->loop, conn, bytes_of(stream + i, 1));
        fake_settle(r->loop);
        rig_take(r);
    }
    assert_int_equal(r->taken_count, sizeof kinds);
    for (unsigned i = 0; i < sizeof kinds; i++) assert_int_equal(rig_fact(r, i)->kind, kinds[i]);
    assert_int_equal(r->n->reports, 5);
    assert_int_equal(r->n->keys, 1);
    assert_int_equal(r->n->lock_results, 2);
    assert_int_equal(r->n->echoes, 1);
    assert_int_equal(r->n->opaque, 1);
    rig_close(r);
}

static void test_fix_has_its_own_time_and_without_a_date_the_nearest_day(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t dated = rig_bound(r, SCOR(ID_A, HEARTBEAT)), undated = rig_bound(r, CMDR(ID_B, "H0,1,398,24"));
    rig_say(r, dated, SCOR(ID_A, "D0,0,102030.50,A,5742.4000,N,01157.6000,E,9,1.0,211126,12.0,M,A"));
    rig_say(r, undated, CMDR(ID_B, "D0,0,235959.00,A,5742.4000,N,01157.6000,E,9,1.0,,12.0,M,A"));
    rig_say(r, undated, CMDR(ID_B, "D0,0,235959.00,V,,,,,,,,,,N"));
    rig_take(r);
    const struct fact_report *f = &rig_fact(r, 0)->report;
    assert_int_equal(f->has, HAS_POSITION | HAS_FIX_TIME);
    assert_int_equal(f->fix_ms, WALL_START_MS - 2 * 86400000 - 5970000 + 500); /* 21st, 10:20:30.5 */
    assert_int_equal(f->lat_e7, 577066667);
    assert_int_equal(f->lon_e7, 119600000);
    assert_int_equal(rig_fact(r, 1)->report.has, HAS_POSITION | HAS_FIX_TIME);
    assert_int_equal(rig_fact(r, 1)->report.fix_ms, WALL_START_MS + 43199000); /* today is nearer by a second */
    assert_int_equal(rig_fact(r, 2)->report.has, HAS_NO_FIX);
    assert_int_equal(rig_fact(r, 2)->report.fix_ms, 0);
    rig_close(r);
}

static void test_another_device_on_the_link_is_hung_up(void **s)
{
    (void)s;
    static const char *const others[] = {SCOR(ID_B, HEARTBEAT), "*HBCR,OM," ID_A ",H0,1,398,24,80,0#"};
    for (unsigned i = 0; i < 2; i++) {
        struct rig *r = rig_open_wide();
        uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT));
        enum close_reason reason;
        rig_say(r, conn, others[i]);
        assert_true(fake_is_closed(r->loop, conn, &reason));
        assert_int_equal(reason, CLOSE_PROTOCOL);
        assert_int_equal(r->n->hung_ident, 1);
        rig_take(r);
        assert_int_equal(r->taken_count, 1); /* nothing of what the other said */
        assert_int_equal(rig_fact(r, 0)->kind, FACT_SESSION_CLOSED);
        assert_true(text_is(&rig_fact(r, 0)->session_closed.ident, ID_A));
        rig_close(r);
    }
}

static void test_unknown_bytes_are_hung_up_without_a_fact(void **s)
{
    (void)s;
    static const char *const heads[] = {"GET / HTTP/1.1\r\n", "*ABCR,OM,", "*SCOS,OM," ID_A ",Q0#", "\x16\x03\x01"};
    for (unsigned i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct rig *r = rig_open_wide();
        uint64_t conn = rig_dial(r);
        rig_say(r, conn, heads[i]);
        assert_true(fake_is_closed(r->loop, conn, NULL));
        assert_int_equal(r->n->hung_unknown, 1);
        assert_int_equal(ring_count(&r->urgent) + ring_count(&r->telemetry), 0);
        assert_int_equal(r->n->connections, 0);
        rig_close(r);
    }
}

static void test_silence_is_hung_up(void **s)
{
    (void)s;
    struct rig *r = rig_open(64, 64, 64, (struct gateway_config){.hello_ms = 5000, .idle_ms = 60000});
    uint64_t mute = rig_dial(r), half = rig_dial(r), good = rig_bound(r, SCOR(ID_A, HEARTBEAT));
    rig_say(r, half, "*SCOR,OM,4901");
    rig_pass_ms(r, 4999);
    assert_false(fake_is_closed(r->loop, mute, NULL));
    rig_pass_ms(r, 1);
    assert_true(fake_is_closed(r->loop, mute, NULL));
    assert_true(fake_is_closed(r->loop, half, NULL));
    assert_int_equal(r->n->hung_hello_late, 2);
    assert_int_equal(ring_count(&r->urgent), 0);
    rig_pass_ms(r, 50000);
    rig_say(r, good, SCOR(ID_A, HEARTBEAT));
    rig_pass_ms(r, 59999);
    assert_false(fake_is_closed(r->loop, good, NULL));
    rig_pass_ms(r, 1);
    assert_true(fake_is_closed(r->loop, good, NULL));
    assert_int_equal(r->n->hung_idle, 1);
    rig_take(r);
    assert_int_equal(rig_fact(r, 0)->kind, FACT_SESSION_CLOSED);
    rig_close(r);
}

static void test_first_frame_must_come_within_some_bytes(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t conn = rig_dial(r);
    rig_say(r, conn, "*SCOR");
    char filling[1000];
    memset(filling, '\n', sizeof filling);
    for (int i = 0; i < 5; i++) {
        rig_say(r, conn, ",x#\n");
        fake_send(r->loop, conn, bytes_of(filling, sizeof filling));
        fake_settle(r->loop);
    }
    assert_true(fake_is_closed(r->loop, conn, NULL));
    assert_int_equal(r->n->hung_hello_bytes, 1);
    rig_close(r);
}

static void test_two_connections_of_one_device_are_two_sessions(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t one = rig_dial(r), two = rig_dial(r);
    rig_say(r, one, SCOR(ID_A, HEARTBEAT));
    rig_say(r, two, SCOR(ID_A, HEARTBEAT));
    rig_take(r);
    assert_int_equal(rig_count(r, FACT_SESSION_OPENED), 2);
    assert_true(rig_fact(r, 0)->session_opened.session == one);
    assert_true(rig_fact(r, 1)->session_opened.session == two);
    assert_true(rig_fact(r, 2)->report.session == one);
    assert_true(rig_fact(r, 3)->report.session == two);
    /* The engine chooses; the gateway does as told. */
    rig_release(r, (struct to_gateway){.kind = TO_GATEWAY_HANG_UP, .session = one});
    fake_settle(r->loop);
    assert_true(fake_is_closed(r->loop, one, NULL));
    assert_false(fake_is_closed(r->loop, two, NULL));
    assert_int_equal(r->n->hung_asked, 1);
    rig_close(r);
}

static void test_lock_state_said_before_is_applied_before(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT)), other = rig_bound(r, SCOR(ID_B, HEARTBEAT));
    rig_say(r, conn, SCOR(ID_A, HEARTBEAT) SCOR(ID_A, "L0,0,20,1795435100") SCOR(ID_A, "L1,0,20,1795435200,1"));
    rig_say(r, other, SCOR(ID_B, POSITION) SCOR(ID_B, "L0,0,20,1795435100"));
    rig_take(r);
    assert_int_equal(r->taken_count, 5);
    assert_true(rig_fact(r, 0)->kind == FACT_LOCK_RESULT && rig_fact(r, 0)->lock_result.session == other);
    assert_true(rig_fact(r, 1)->kind == FACT_REPORT && rig_fact(r, 1)->report.locked);
    assert_true(rig_fact(r, 2)->kind == FACT_LOCK_RESULT && rig_fact(r, 2)->lock_result.op == COMMAND_OP_UNLOCK);
    assert_true(rig_fact(r, 3)->kind == FACT_LOCK_RESULT && rig_fact(r, 3)->lock_result.op == COMMAND_OP_LOCK);
    assert_true(rig_fact(r, 4)->kind == FACT_REPORT);
    assert_int_equal(r->n->behind, 2);
    /* Once the engine has it, urgent is urgent again. */
    rig_say(r, conn, SCOR(ID_A, "L0,0,20,1795435300"));
    assert_int_equal(ring_count(&r->urgent), 1);
    assert_int_equal(r->n->behind, 2);
    rig_close(r);
}

static void test_engine_is_woken_once_a_turn_and_only_for_facts(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t a = rig_dial(r), b = rig_dial(r);
    fake_turn(r->loop);
    assert_int_equal(r->wakes, 0);
    fake_send(r->loop, a, bytes_text(SCOR(ID_A, HEARTBEAT) SCOR(ID_A, HEARTBEAT)));
    fake_send(r->loop, b, bytes_text(SCOR(ID_B, HEARTBEAT)));
    fake_turn(r->loop);
    assert_int_equal(r->wakes, 1);
    fake_settle(r->loop);
    assert_int_equal(r->wakes, 1);
    rig_say(r, a, SCOR(ID_A, "M0,C4A828A1B2C3"));
    assert_int_equal(r->wakes, 1);
    fake_hang_up(r->loop, a);
    fake_turn(r->loop); /* closes are told at once, not when something else happens to happen */
    assert_int_equal(r->wakes, 2);
    rig_close(r);
}

static void test_orderly_stop_reads_no_more_and_still_acknowledges(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT));
    rig_say(r, conn, SCOR(ID_A, "W0,1"));
    rig_take(r);
    gateway_drain(r->gw);
    assert_int_equal(fake_dial(r->loop, 0), 0);
    rig_say(r, conn, SCOR(ID_A, "W0,2"));
    assert_int_equal(ring_count(&r->urgent) + ring_count(&r->telemetry), 0);
    rig_ack(r, &r->taken[0]);
    assert_false(gateway_drained(r->gw));
    fake_settle(r->loop);
    assert_true(gateway_drained(r->gw));
    rig_ack(r, &r->taken[0]);
    fake_turn(r->loop);
    gateway_hang_up(r->gw);
    fake_settle(r->loop);
    assert_true(fake_is_closed(r->loop, conn, NULL));
    rig_assert_received(r, conn, "\xff\xff*SCOS,OM," ID_A ",W0#\n\xff\xff*SCOS,OM," ID_A ",W0#\n");
    assert_int_equal(r->n->connections, 0);
    assert_int_equal(r->n->sessions_closed, 1);
    rig_close(r);
}

static void test_config_is_checked(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    struct gateway_config c = {.loop = r->loop, .address = bytes_text("127.0.0.1:0"), .conn_max = 8,
                               .telemetry = &r->telemetry, .urgent = &r->urgent, .out = &r->out,
                               .wake_engine = rig_wake, .wall_ms = rig_wall_ms};
    struct gateway_config bad[] = {c, c, c, c};
    struct gateway *gw = NULL;
    bad[0].out = NULL;
    bad[1].conn_max = 0;
    bad[2].slot_max = 7;
    bad[3].urgent = &r->out;
    for (unsigned i = 0; i < 4; i++) assert_int_equal(gateway_create(&bad[i], &gw).code, ERR_INVALID);
    assert_int_equal(gateway_create(&c, &gw).code, ERR_OK);
    struct text64 address;
    assert_int_equal(gateway_address(gw, &address).code, ERR_OK);
    assert_true(text_is(&address, "fake:1"));
    gateway_destroy(gw);
    gateway_destroy(NULL);
    struct gateway *many[LOOP_HOOK_MAX + LOOP_LISTENER_MAX];
    unsigned count = 0;
    struct err e;
    while ((e = gateway_create(&c, &many[count])).code == ERR_OK) count++;
    assert_int_equal(e.code, ERR_FULL);
    while (count) gateway_destroy(many[--count]);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign_in_opens_a_session_and_is_not_answered),
        cmocka_unit_test(test_any_first_frame_opens_a_session),
        cmocka_unit_test(test_facts_do_not_depend_on_how_bytes_are_split),
        cmocka_unit_test(test_frames_one_byte_at_a_time_are_the_same_facts_in_order),
        cmocka_unit_test(test_fix_has_its_own_time_and_without_a_date_the_nearest_day),
        cmocka_unit_test(test_another_device_on_the_link_is_hung_up),
        cmocka_unit_test(test_unknown_bytes_are_hung_up_without_a_fact),
        cmocka_unit_test(test_silence_is_hung_up),
        cmocka_unit_test(test_first_frame_must_come_within_some_bytes),
        cmocka_unit_test(test_two_connections_of_one_device_are_two_sessions),
        cmocka_unit_test(test_lock_state_said_before_is_applied_before),
        cmocka_unit_test(test_engine_is_woken_once_a_turn_and_only_for_facts),
        cmocka_unit_test(test_orderly_stop_reads_no_more_and_still_acknowledges),
        cmocka_unit_test(test_config_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
