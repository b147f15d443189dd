/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_out_test.c: the exact bytes that vehicles get, when, and what they never get. */
#include "gateway/gateway_rig_test.h"

static struct to_gateway order_for(uint64_t conn, uint8_t op, uint8_t step)
{
    return (struct to_gateway){.kind = TO_GATEWAY_ORDER, .session = conn,
                               .order = {.session = conn, .command_id = 9, .op = op, .step = step, .key = 55,
                                         .user = 20, .stamp = 1795435100, .created_ms = WALL_START_MS,
                                         .deadline_ms = WALL_START_MS + 10000}};
}

static void test_ack_follows_the_commit_with_the_exact_bytes(void **s)
{
    (void)s;
    static const struct { const char *hello, *frame, *ack; } rows[] = {
        {SCOR(ID_A, HEARTBEAT), SCOR(ID_A, "L0,0,20,1795435100"), "\xff\xff*SCOS,OM," ID_A ",L0#\n"},
        {SCOR(ID_A, HEARTBEAT), SCOR(ID_A, "L1,2,20,1795435100,5"), "\xff\xff*SCOS,OM," ID_A ",L1#\n"},
        {SCOR(ID_A, HEARTBEAT), SCOR(ID_A, "W0,1"), "\xff\xff*SCOS,OM," ID_A ",W0#\n"},
        {SCOR(ID_A, HEARTBEAT), SCOR(ID_A, "E0,44"), "\xff\xff*SCOS,OM," ID_A ",E0#\n"},
        {"*HBCR,NB," ID_A ",H0,1,398,24,80,0#\n", "*HBCR,NB," ID_A ",L0,0,20,1795435100#\n",
         "\xff\xff*HBCS,NB," ID_A ",L0#\n"},
        {CMDR(ID_A, "H0,1,398,24"), CMDR(ID_A, "L1,20,1795435100,5"),
         "\xff\xff*CMDS,OM," ID_A ",261123120000,Re,L1#\n"},
        {CMDR(ID_A, "H0,1,398,24"), CMDR(ID_A, "D0,0,102030.00,A,5742.4000,N,01157.6000,E,9,1.0,,12.0,M,A"),
         "\xff\xff*CMDS,OM," ID_A ",261123120000,Re,D0#\n"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig *r = rig_open_wide();
        uint64_t conn = rig_bound(r, rows[i].hello);
        rig_say(r, conn, rows[i].frame);
        rig_take(r);
        assert_int_equal(r->taken_count, 1);
        fake_settle(r->loop);
        rig_assert_received(r, conn, ""); /* read and applied is not yet durable */
        rig_ack(r, &r->taken[0]);
        fake_settle(r->loop);
        rig_assert_received(r, conn, rows[i].ack);
        assert_int_equal(r->n->acks, 1);
        assert_int_equal(r->n->ack.count, 1);
        rig_close(r);
    }
}

/* Acks are taken over from the one before only where every byte is the same: vehicle, command and clock. */
static void test_acks_of_a_burst_name_their_own_vehicle_command_and_second(void **s)
{
    (void)s;
#define FIX "D0,0,102030.00,A,5742.4000,N,01157.6000,E,9,1.0,,12.0,M,A"
    struct rig *r = rig_open_wide();
    uint64_t a = rig_bound(r, CMDR(ID_A, "H0,1,398,24")), b = rig_bound(r, CMDR(ID_B, "H0,1,398,24"));
    rig_say(r, a, CMDR(ID_A, FIX));
    rig_say(r, a, CMDR(ID_A, FIX));
    rig_say(r, b, CMDR(ID_B, FIX));
    rig_say(r, a, CMDR(ID_A, FIX));
    rig_say(r, a, CMDR(ID_A, "L1,20,1795435100,5"));
    rig_take(r);
    assert_int_equal(r->taken_count, 5);
    for (unsigned i = 0; i < 5; i++) rig_ack(r, &r->taken[i]);
    fake_settle(r->loop);
    rig_assert_received(r, b, "\xff\xff*CMDS,OM," ID_B ",261123120000,Re,D0#\n");
    rig_pass_ms(r, 1000);
    rig_ack(r, &r->taken[0]);
    fake_settle(r->loop);
#define ACK(time, what) "\xff\xff*CMDS,OM," ID_A "," time ",Re," what "#\n"
    /* The lock's report is urgent, so it was taken first. */
    rig_assert_received(r, a, ACK("261123120000", "L1") ACK("261123120000", "D0") ACK("261123120000", "D0")
                        ACK("261123120000", "D0") ACK("261123120001", "L1"));
    assert_int_equal(r->n->acks, 6);
    rig_close(r);
}

static void test_what_asks_for_no_ack_has_no_tag(void **s)
{
    (void)s;
    static const char *const frames[] = {
        SCOR(ID_A, HEARTBEAT), SCOR(ID_A, "R0,0,55,20,1795435100"), SCOR(ID_A, "V0,2"),
        /* An ack of D0 is the position request of SCOR: it would loop for ever. */
        SCOR(ID_A, "D0,0,102030.00,A,5742.4000,N,01157.6000,E,9,1.0,231126,12.0,M,A"),
    };
    struct rig *r = rig_open_wide();
    uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT));
    for (unsigned i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        rig_say(r, conn, frames[i]);
        rig_take(r);
        assert_int_equal(r->taken_count, i + 1);
        assert_int_equal(r->taken[i].origin.tag, 0);
    }
    rig_close(r);
}

static void test_orders_have_the_exact_bytes_of_the_dialect(void **s)
{
    (void)s;
    static const struct { const char *hello; uint8_t op, step; const char *wire; } rows[] = {
        {SCOR(ID_A, HEARTBEAT), ORDER_UNLOCK, 0, "\xff\xff*SCOS,OM," ID_A ",R0,0,20,20,1795435100#\n"},
        {SCOR(ID_A, HEARTBEAT), ORDER_UNLOCK, 1, "\xff\xff*SCOS,OM," ID_A ",L0,55,20,1795435100#\n"},
        {SCOR(ID_A, HEARTBEAT), ORDER_LOCK, 1, "\xff\xff*SCOS,OM," ID_A ",L1,55#\n"},
        {SCOR(ID_A, HEARTBEAT), ORDER_STATUS, 0, "\xff\xff*SCOS,OM," ID_A ",S6#\n"},
        {CMDR(ID_A, "H0,1,398,24"), ORDER_UNLOCK, 0,
         "\xff\xff*CMDS,OM," ID_A ",261123120000,L0,0,20,1795435100#\n"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig *r = rig_open_wide();
        uint64_t conn = rig_bound(r, rows[i].hello);
        rig_release(r, order_for(conn, rows[i].op, rows[i].step));
        fake_settle(r->loop);
        rig_assert_received(r, conn, rows[i].wire);
        assert_int_equal(r->n->orders, 1);
        rig_close(r);
    }
}

static void test_orders_that_cannot_be_sent_are_dropped_by_reason(void **s)
{
    (void)s;
    struct rig *r = rig_open_wide();
    uint64_t lock = rig_bound(r, CMDR(ID_A, "H0,1,398,24")), gone = rig_bound(r, SCOR(ID_B, HEARTBEAT));
    uint64_t open = rig_dial(r);
    fake_hang_up(r->loop, gone);
    fake_settle(r->loop);
    uint64_t again = rig_dial(r); /* in the same slot */
    rig_say(r, again, SCOR(ID_C, HEARTBEAT));
    assert_int_equal(conn_slot(again), conn_slot(gone));
    rig_release(r, order_for(gone, ORDER_UNLOCK, 0));
    rig_release(r, order_for(UINT64_MAX, ORDER_UNLOCK, 0));
    rig_release(r, order_for(0, ORDER_UNLOCK, 0));
    rig_release(r, order_for(open, ORDER_UNLOCK, 0)); /* nobody spoke there yet */
    fake_settle(r->loop);
    assert_int_equal(r->n->orders_stale, 4);
    rig_release(r, order_for(lock, ORDER_LOCK, 0)); /* only a hand closes it */
    fake_settle(r->loop);
    assert_int_equal(r->n->orders_unsupported, 1);
    rig_pass_ms(r, 10000);
    rig_release(r, order_for(lock, ORDER_UNLOCK, 0)); /* its last moment */
    fake_settle(r->loop);
    assert_int_equal(r->n->orders, 1);
    rig_pass_ms(r, 1);
    fake_forget_received(r->loop, lock);
    rig_release(r, order_for(lock, ORDER_UNLOCK, 0));
    fake_settle(r->loop);
    assert_int_equal(r->n->orders_late, 1);
    rig_release(r, (struct to_gateway){.kind = TO_GATEWAY_ACK, .session = gone, .tag = 'L' | '0' << 8});
    rig_release(r, (struct to_gateway){.kind = TO_GATEWAY_HANG_UP, .session = gone});
    fake_settle(r->loop);
    assert_int_equal(r->n->acks_stale, 1);
    rig_assert_received(r, lock, "");
    rig_assert_received(r, again, "");
    rig_assert_received(r, open, "");
    assert_false(fake_is_closed(r->loop, again, NULL));
    rig_close(r);
}

static void test_slow_reader_is_hung_up_and_others_get_theirs(void **s)
{
    (void)s;
    struct rig *r = rig_open(64, 64, 256, (struct gateway_config){.out_max = 512});
    uint64_t slow = rig_bound(r, SCOR(ID_A, HEARTBEAT)), good = rig_bound(r, SCOR(ID_B, HEARTBEAT));
    enum close_reason reason;
    fake_stall(r->loop, slow, true);
    for (unsigned i = 0; i < 20; i++) rig_release(r, order_for(slow, ORDER_STATUS, 0));
    rig_release(r, order_for(good, ORDER_LOCATE, 0));
    fake_settle(r->loop);
    assert_true(fake_is_closed(r->loop, slow, &reason));
    assert_int_equal(reason, CLOSE_SLOW);
    assert_int_equal(r->n->hung_slow, 1);
    assert_int_equal(r->n->orders + r->n->orders_stale + r->n->hung_slow, 21);
    rig_assert_received(r, good, "\xff\xff*SCOS,OM," ID_B ",D0#\n");
    rig_take(r);
    assert_int_equal(rig_count(r, FACT_SESSION_CLOSED), 1);
    rig_close(r);
}

static void test_a_turn_writes_a_bounded_number_and_asks_for_the_next(void **s)
{
    (void)s;
    struct rig *r = rig_open(64, 64, 8192, (struct gateway_config){0});
    for (unsigned i = 0; i < GATEWAY_OUT_PER_TURN_MAX + 10; i++) {
        rig_release(r, order_for(77, ORDER_STATUS, 0));
    }
    fake_turn(r->loop);
    assert_int_equal(r->n->orders_stale, GATEWAY_OUT_PER_TURN_MAX);
    assert_int_equal(ring_count(&r->out), 10);
    fake_turn(r->loop);
    assert_int_equal(ring_count(&r->out), 0);
    rig_close(r);
}

static int64_t late_clock(void *ctx) { return *(int64_t *)ctx; }

static void test_time_of_an_order_is_split_where_it_went(void **s)
{
    (void)s;
    int64_t now_us = 11750;
    struct rig *r = rig_open(64, 64, 64, (struct gateway_config){.clock_us = late_clock, .clock_ctx = &now_us});
    uint64_t conn = rig_bound(r, SCOR(ID_A, HEARTBEAT));
    struct to_gateway item = order_for(conn, ORDER_STATUS, 0);
    item.born_us = 10000;
    item.stepped_us = 10050;
    item.synced_us = 11650;
    rig_release(r, item);
    item.synced_us = 99999; /* after the gateway looked at the clock */
    rig_release(r, item);
    fake_settle(r->loop);
    assert_int_equal(r->n->order_queue.sum_us, 100);
    assert_int_equal(r->n->order_sync.max_us, 99999 - 10050);
    assert_int_equal(r->n->order_socket.sum_us, 100);
    assert_int_equal(r->n->order_socket.count, 2);
    rig_release(r, (struct to_gateway){.kind = TO_GATEWAY_ACK, .session = conn, .tag = 'W' | '0' << 8,
                                       .born_us = 11000});
    fake_settle(r->loop);
    assert_int_equal(r->n->ack.sum_us, 750);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ack_follows_the_commit_with_the_exact_bytes),
        cmocka_unit_test(test_acks_of_a_burst_name_their_own_vehicle_command_and_second),
        cmocka_unit_test(test_what_asks_for_no_ack_has_no_tag),
        cmocka_unit_test(test_orders_have_the_exact_bytes_of_the_dialect),
        cmocka_unit_test(test_orders_that_cannot_be_sent_are_dropped_by_reason),
        cmocka_unit_test(test_slow_reader_is_hung_up_and_others_get_theirs),
        cmocka_unit_test(test_a_turn_writes_a_bounded_number_and_asks_for_the_next),
        cmocka_unit_test(test_time_of_an_order_is_split_where_it_went),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
