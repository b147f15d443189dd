/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_wait_test.c: full rings and floods: who waits, who goes on, and that nothing is lost or doubled. */
#include "gateway/gateway_rig_test.h"

/* A report that is known again: its charge counts up. */
static void say_number(struct rig *r, uint64_t conn, const char *id, unsigned number)
{
    char text[128];
    struct buf b = buf_on(text, sizeof text);
    buf_put_text(&b, "*SCOR,OM,");
    buf_put_text(&b, id);
    buf_put_text(&b, ",H0,1,398,24,");
    buf_put_u64(&b, number);
    buf_put_text(&b, ",0#\n");
    fake_send(r->loop, conn, buf_bytes(&b));
}

static const char *const ids[] = {ID_A, ID_B, ID_C};

static void test_full_telemetry_loses_and_doubles_nothing(void **s)
{
    (void)s;
    struct rig *r = rig_open(4, 64, 16, (struct gateway_config){0});
    uint64_t conns[3];
    unsigned seen[3] = {0};
    for (unsigned i = 0; i < 3; i++) conns[i] = rig_dial(r);
    for (unsigned n = 0; n < 100; n++) {
        for (unsigned i = 0; i < 3; i++) say_number(r, conns[i], ids[i], n);
    }
    fake_turn(r->loop);
    for (unsigned i = 0; i < 3; i++) assert_true(fake_is_paused(r->loop, conns[i]));
    assert_int_equal(r->n->waiting_telemetry, 3);
    for (unsigned round = 0; r->taken_count < 303; round++) {
        assert_true(round < 1000);
        rig_take_some(r, 1 + round % 4);
        rig_pass_ms(r, 1);
    }
    for (unsigned i = 0; i < r->taken_count; i++) {
        if (rig_fact(r, i)->kind != FACT_REPORT) continue;
        const struct fact_report *f = &rig_fact(r, i)->report;
        unsigned who = f->session == conns[0] ? 0 : f->session == conns[1] ? 1 : 2;
        assert_true(f->session == conns[who]);
        assert_int_equal(f->battery_pct, seen[who]++);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(seen[i], 100);
        assert_false(fake_is_paused(r->loop, conns[i]));
        assert_int_equal(fake_kept(r->loop, conns[i]), 0);
    }
    assert_int_equal(r->n->waiting_telemetry, 0);
    assert_true(r->n->resumed == r->n->paused_telemetry);
    rig_close(r);
}

static void test_who_waits_goes_before_who_just_spoke(void **s)
{
    (void)s;
    struct rig *r = rig_open(2, 64, 16, (struct gateway_config){0});
    uint64_t patient = rig_bound(r, SCOR(ID_A, HEARTBEAT)), greedy = rig_bound(r, SCOR(ID_B, HEARTBEAT));
    for (unsigned n = 0; n < 2; n++) say_number(r, greedy, ID_B, n);
    fake_settle(r->loop);
    say_number(r, patient, ID_A, 99);
    fake_settle(r->loop);
    assert_true(fake_is_paused(r->loop, patient));
    /* There is room again, and before the hook can give it to the patient one the greedy one speaks. */
    rig_take(r);
    r->taken_count = 0;
    for (unsigned n = 2; n < 10; n++) say_number(r, greedy, ID_B, n);
    fake_turn(r->loop);
    rig_take(r);
    assert_true(rig_fact(r, 0)->report.session == patient);
    rig_close(r);
}

static void test_every_waiting_connection_gets_its_turn(void **s)
{
    (void)s;
    enum { MANY = 40, EACH = 30 };
    struct rig *r = rig_open(4, 64, 16, (struct gateway_config){0});
    uint64_t conns[MANY];
    unsigned got[MANY] = {0};
    for (unsigned i = 0; i < MANY; i++) {
        char id[16] = "490154203237000";
        id[12] = (char)('0' + i / 10);
        id[13] = (char)('0' + i % 10);
        conns[i] = rig_dial(r);
        for (unsigned n = 0; n < EACH; n++) say_number(r, conns[i], id, n);
    }
    fake_turn(r->loop);
    for (unsigned round = 0; r->taken_count < MANY * EACH / 2; round++) {
        assert_true(round < 10000);
        rig_take(r);
        rig_pass_ms(r, 1);
    }
    for (unsigned i = 0; i < r->taken_count; i++) {
        for (unsigned who = 0; who < MANY; who++) got[who] += rig_fact(r, i)->report.session == conns[who];
    }
    for (unsigned who = 0; who < MANY; who++) assert_in_range(got[who], EACH / 2 - 8, EACH / 2 + 8);
    rig_close(r);
}

static void test_full_urgent_pauses_and_telemetry_of_others_goes_on(void **s)
{
    (void)s;
    struct rig *r = rig_open(64, 2, 16, (struct gateway_config){0});
    uint64_t one = rig_bound(r, SCOR(ID_A, HEARTBEAT)), two = rig_bound(r, SCOR(ID_B, HEARTBEAT));
    uint64_t late = rig_dial(r);
    rig_say(r, one, SCOR(ID_A, "W0,1") SCOR(ID_A, "W0,2") SCOR(ID_A, "W0,3") SCOR(ID_A, "W0,4"));
    rig_say(r, late, SCOR(ID_C, HEARTBEAT));
    rig_say(r, two, SCOR(ID_B, HEARTBEAT));
    assert_true(fake_is_paused(r->loop, one));
    assert_true(fake_is_paused(r->loop, late));
    assert_false(fake_is_paused(r->loop, two));
    assert_int_equal(r->n->waiting_urgent, 2);
    assert_int_equal(ring_count(&r->telemetry), 1);
    rig_pass_ms(r, 30000); /* longer than hello_ms: it did say hello, we did not listen */
    assert_false(fake_is_closed(r->loop, late, NULL));
    for (unsigned round = 0; round < 8; round++) {
        rig_take(r);
        rig_pass_ms(r, 1);
    }
    unsigned alarm = 0;
    for (unsigned i = 0; i < r->taken_count; i++) {
        const struct fact *f = rig_fact(r, i);
        if (f->kind != FACT_REPORT || f->report.session != one) continue;
        assert_int_equal(f->report.alarm, ++alarm);
    }
    assert_int_equal(alarm, 4);
    assert_int_equal(rig_count(r, FACT_SESSION_OPENED), 1);
    assert_int_equal(rig_count(r, FACT_REPORT), 6);
    assert_int_equal(r->n->sessions_opened, 3);
    rig_close(r);
}

static void test_closes_are_never_lost_and_come_before_what_follows(void **s)
{
    (void)s;
    enum { MANY = 20 };
    struct rig *r = rig_open(64, 2, 16, (struct gateway_config){0});
    uint64_t conns[MANY];
    for (unsigned i = 0; i < MANY; i++) conns[i] = rig_bound(r, SCOR(ID_A, HEARTBEAT));
    for (unsigned round = 0; round < 3; round++) { /* slots are used again while closes wait */
        for (unsigned i = 0; i < MANY; i++) fake_hang_up(r->loop, conns[i]);
        fake_settle(r->loop);
        assert_int_equal(r->n->closes_pending, MANY - 2);
        for (unsigned i = 0; i < MANY; i++) {
            conns[i] = rig_dial(r);
            fake_send(r->loop, conns[i], bytes_text(SCOR(ID_A, HEARTBEAT)));
        }
        fake_settle(r->loop);
        assert_int_equal(r->n->waiting_urgent, MANY);
        r->taken_count = 0;
        for (unsigned turn = 0; rig_count(r, FACT_REPORT) < MANY; turn++) {
            assert_true(turn < 1000);
            rig_take(r);
            rig_pass_ms(r, 1);
        }
        assert_int_equal(rig_count(r, FACT_SESSION_CLOSED), MANY);
        assert_int_equal(rig_count(r, FACT_SESSION_OPENED), MANY);
        for (unsigned i = 0; i < MANY; i++) assert_int_equal(rig_fact(r, i)->kind, FACT_SESSION_CLOSED);
        for (unsigned i = 1; i < MANY; i++) {
            uint64_t before = rig_fact(r, i - 1)->session_closed.session;
            assert_true(rig_fact(r, i)->session_closed.session != before);
        }
    }
    assert_int_equal(r->n->closes_delayed, 3 * (MANY - 2));
    rig_close(r);
}

static void test_closing_while_waiting_leaves_the_others_their_places(void **s)
{
    (void)s;
    struct rig *r = rig_open(2, 64, 16, (struct gateway_config){.idle_ms = 5000});
    uint64_t conns[4];
    for (unsigned i = 0; i < 4; i++) {
        conns[i] = rig_bound(r, SCOR(ID_A, HEARTBEAT));
        rig_pass_ms(r, 1000);
    }
    rig_say(r, conns[0], SCOR(ID_A, HEARTBEAT) SCOR(ID_A, HEARTBEAT)); /* full */
    for (unsigned i = 0; i < 4; i++) rig_say(r, conns[i], SCOR(ID_A, "H0,0,398,24,80,0"));
    assert_int_equal(r->n->waiting_telemetry, 4);
    rig_release(r, (struct to_gateway){.kind = TO_GATEWAY_HANG_UP, .session = conns[1]});
    rig_release(r, (struct to_gateway){.kind = TO_GATEWAY_HANG_UP, .session = conns[3]});
    fake_settle(r->loop);
    fake_turn(r->loop);
    assert_int_equal(r->n->waiting_telemetry, 2);
    rig_take(r);
    r->taken_count = 0;
    rig_pass_ms(r, 1);
    rig_take(r);
    assert_int_equal(rig_count(r, FACT_REPORT), 2);
    assert_true(rig_fact(r, 0)->report.session == conns[0]);
    assert_true(rig_fact(r, 1)->report.session == conns[2]);
    rig_close(r);
}

static void test_flood_is_slowed_and_neighbours_do_not_notice(void **s)
{
    (void)s;
    struct rig *r = rig_open(1024, 64, 16, (struct gateway_config){.frames_per_s = 10, .frames_burst = 20});
    uint64_t flood = rig_bound(r, SCOR(ID_A, HEARTBEAT)), good = rig_bound(r, SCOR(ID_B, HEARTBEAT));
    rig_pass_ms(r, 10000);
    for (unsigned n = 0; n < 60; n++) say_number(r, flood, ID_A, n);
    fake_settle(r->loop);
    assert_true(fake_is_paused(r->loop, flood));
    assert_int_equal(ring_count(&r->telemetry), 20);
    rig_say(r, good, SCOR(ID_B, HEARTBEAT));
    assert_int_equal(ring_count(&r->telemetry), 21);
    assert_false(fake_is_paused(r->loop, good));
    rig_pass_ms(r, GATEWAY_FLOOD_PAUSE_MS - 1);
    assert_int_equal(ring_count(&r->telemetry), 21);
    rig_pass_ms(r, 1);
    assert_int_equal(ring_count(&r->telemetry), 31);
    assert_int_equal(r->n->paused_flood, 2);
    for (unsigned n = 0; n < 3; n++) rig_pass_ms(r, GATEWAY_FLOOD_PAUSE_MS);
    rig_take(r);
    unsigned next = 0;
    for (unsigned i = 0; i < r->taken_count; i++) {
        if (rig_fact(r, i)->report.session == flood) assert_int_equal(rig_fact(r, i)->report.battery_pct, next++);
    }
    assert_int_equal(next, 60);
    assert_false(fake_is_paused(r->loop, flood));
    rig_close(r);
}

static void test_usual_burst_is_400_frames(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT));
    rig_pass_ms(r, 10000);
    for (unsigned n = 0; n < 500; n++) say_number(r, conn, ID_A, n % 100);
    fake_settle(r->loop);
    assert_int_equal(ring_count(&r->telemetry), 400);
    rig_pass_ms(r, GATEWAY_FLOOD_PAUSE_MS);
    assert_int_equal(ring_count(&r->telemetry), 500);
    rig_close(r);
}

/* What keeps a loop without traffic from sleeping too long, or from not sleeping at all. */
static void test_hook_asks_to_be_called_when_something_is_due(void **s)
{
    (void)s;
    struct rig *r = rig_open(2, 2, 8192, (struct gateway_config){.frames_per_s = 10, .frames_burst = 2});
    uint64_t flood = rig_bound(r, SCOR(ID_A, HEARTBEAT)), other = rig_bound(r, SCOR(ID_B, HEARTBEAT));
    assert_true(rig_hook(r) == LOOP_NEVER);
    rig_say(r, flood, SCOR(ID_A, HEARTBEAT) SCOR(ID_A, HEARTBEAT));
    assert_int_equal(r->n->flooding, 1);
    assert_int_equal(rig_hook(r), loop_now_ms(r->loop) + GATEWAY_FLOOD_PAUSE_MS);
    rig_say(r, other, SCOR(ID_B, HEARTBEAT));
    rig_pass_ms(r, 500);
    rig_say(r, other, SCOR(ID_B, HEARTBEAT)); /* telemetry is full */
    assert_int_equal(r->n->waiting_telemetry, 1);
    assert_int_equal(rig_hook(r), loop_now_ms(r->loop) + GATEWAY_RETRY_MS);
    rig_take(r);
    assert_int_equal(rig_hook(r), loop_now_ms(r->loop)); /* it goes on, behind this hook */
    fake_settle(r->loop);
    assert_int_equal(rig_hook(r), loop_now_ms(r->loop) + GATEWAY_FLOOD_PAUSE_MS - 500);
    fake_advance_ms(r->loop, GATEWAY_FLOOD_PAUSE_MS - 500);
    assert_int_equal(rig_hook(r), loop_now_ms(r->loop));
    fake_settle(r->loop);
    for (unsigned i = 0; i <= GATEWAY_OUT_PER_TURN_MAX; i++) {
        rig_release(r, (struct to_gateway){.kind = TO_GATEWAY_ORDER, .session = 77});
    }
    assert_int_equal(rig_hook(r), loop_now_ms(r->loop));
    rig_take(r);
    uint64_t third = rig_bound(r, SCOR(ID_C, HEARTBEAT));
    for (unsigned i = 0; i < 3; i++) fake_hang_up(r->loop, i == 0 ? third : i == 1 ? other : rig_dial(r));
    rig_say(r, flood, "");
    rig_pass_ms(r, 500);
    fake_hang_up(r->loop, flood);
    fake_settle(r->loop);
    assert_int_equal(r->n->sessions, 0);
    assert_int_equal(rig_hook(r), loop_now_ms(r->loop) + GATEWAY_RETRY_MS);
    assert_int_equal(r->n->closes_pending, 1);
    rig_take(r);
    assert_true(rig_hook(r) == LOOP_NEVER);
    assert_int_equal(ring_count(&r->urgent), 1);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_telemetry_loses_and_doubles_nothing),
        cmocka_unit_test(test_who_waits_goes_before_who_just_spoke),
        cmocka_unit_test(test_every_waiting_connection_gets_its_turn),
        cmocka_unit_test(test_full_urgent_pauses_and_telemetry_of_others_goes_on),
        cmocka_unit_test(test_closes_are_never_lost_and_come_before_what_follows),
        cmocka_unit_test(test_closing_while_waiting_leaves_the_others_their_places),
        cmocka_unit_test(test_flood_is_slowed_and_neighbours_do_not_notice),
        cmocka_unit_test(test_usual_burst_is_400_frames),
        cmocka_unit_test(test_hook_asks_to_be_called_when_something_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
