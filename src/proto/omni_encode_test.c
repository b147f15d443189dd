/* SPDX-License-Identifier: Apache-2.0 */
/* omni_encode_test.c: acknowledgements and orders, byte by byte as the protocol's description prints them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/omni.h"

#define IMEI "490154203237518"
#define NOW_MS 1795473960000 /* 2026-11-23T22:46:00Z */

static struct order order_of(uint8_t dialect, uint8_t op, uint8_t step)
{
    struct order o = {.dialect = dialect, .op = op, .step = step, .key = 201, .user = 7, .stamp = 1795474800,
                      .now_ms = NOW_MS};
    assert_int_equal(text_set(&o.vendor, bytes_text(dialect == OMNI_HBCR ? "NB" : "OM")).code, ERR_OK);
    assert_int_equal(text_set(&o.ident, bytes_text(IMEI)).code, ERR_OK);
    return o;
}

static void assert_bytes(struct buf *b, const char *want)
{
    buf_put_char(b, 0);
    assert_false(b->full);
    assert_string_equal((char *)b->at, want);
}

static void assert_order(uint8_t dialect, uint8_t op, uint8_t step, const char *want)
{
    uint8_t out[OMNI_ORDER_MAX];
    struct buf b = buf_on(out, sizeof out);
    struct order o = order_of(dialect, op, step);
    struct err e = omni_encode(&o, &b);
    assert_int_equal(e.code, want ? ERR_OK : ERR_UNSUPPORTED);
    if (want) assert_bytes(&b, want);
    if (!want) assert_int_equal(b.len, 0);
}

static void test_scooter_orders(void **s)
{
    (void)s;
    assert_order(OMNI_SCOR, ORDER_UNLOCK, 0, "\xff\xff*SCOS,OM," IMEI ",R0,0,20,7,1795474800#\n");
    assert_order(OMNI_SCOR, ORDER_UNLOCK, 1, "\xff\xff*SCOS,OM," IMEI ",L0,201,7,1795474800#\n");
    assert_order(OMNI_SCOR, ORDER_LOCK, 0, "\xff\xff*SCOS,OM," IMEI ",R0,1,20,7,1795474800#\n");
    assert_order(OMNI_SCOR, ORDER_LOCK, 1, "\xff\xff*SCOS,OM," IMEI ",L1,201#\n");
    assert_order(OMNI_SCOR, ORDER_LOCATE, 0, "\xff\xff*SCOS,OM," IMEI ",D0#\n");
    assert_order(OMNI_SCOR, ORDER_STATUS, 0, "\xff\xff*SCOS,OM," IMEI ",S6#\n");
    assert_order(OMNI_SCOR, ORDER_RING, 0, "\xff\xff*SCOS,OM," IMEI ",V0,2#\n");
    assert_order(OMNI_SCOR, ORDER_RESTART, 0, "\xff\xff*SCOS,OM," IMEI ",S1,2#\n");
}

static void test_ninebot_orders(void **s)
{
    (void)s;
    assert_order(OMNI_HBCR, ORDER_UNLOCK, 0, "\xff\xff*HBCS,NB," IMEI ",R0,0,20,7,1795474800#\n");
    assert_order(OMNI_HBCR, ORDER_UNLOCK, 1, "\xff\xff*HBCS,NB," IMEI ",L0,201,7,1795474800#\n");
    assert_order(OMNI_HBCR, ORDER_LOCK, 1, "\xff\xff*HBCS,NB," IMEI ",L1,201#\n");
    assert_order(OMNI_HBCR, ORDER_STATUS, 0, "\xff\xff*HBCS,NB," IMEI ",D0#\n");
    assert_order(OMNI_HBCR, ORDER_RING, 0, "\xff\xff*HBCS,NB," IMEI ",V0,2#\n");
    assert_order(OMNI_HBCR, ORDER_RESTART, 0, "\xff\xff*HBCS,NB," IMEI ",S1,2#\n");
}

static void test_horseshoe_lock_orders_carry_the_clock(void **s)
{
    (void)s;
    assert_order(OMNI_CMDR, ORDER_UNLOCK, 0, "\xff\xff*CMDS,OM," IMEI ",261123224600,L0,0,7,1795474800#\n");
    assert_order(OMNI_CMDR, ORDER_LOCATE, 0, "\xff\xff*CMDS,OM," IMEI ",261123224600,D0#\n");
    assert_order(OMNI_CMDR, ORDER_STATUS, 0, "\xff\xff*CMDS,OM," IMEI ",261123224600,S5#\n");
    assert_order(OMNI_CMDR, ORDER_RING, 0, "\xff\xff*CMDS,OM," IMEI ",261123224600,S8,5,0#\n");
    assert_order(OMNI_CMDR, ORDER_RESTART, 0, "\xff\xff*CMDS,OM," IMEI ",261123224600,S1#\n");
}

static void test_ground_lock_orders(void **s)
{
    (void)s;
    assert_order(OMNI_BGCR, ORDER_UNLOCK, 0, "\xff\xff*BGCS,OM," IMEI ",R0,0,20,7,1795474800#\n");
    assert_order(OMNI_BGCR, ORDER_LOCK, 1, "\xff\xff*BGCS,OM," IMEI ",L1,201#\n");
    assert_order(OMNI_BGCR, ORDER_LOCATE, 0, "\xff\xff*BGCS,OM," IMEI ",D0#\n");
}

static void assert_track(uint8_t dialect, uint32_t every_s, const char *want)
{
    uint8_t out[OMNI_ORDER_MAX];
    struct buf b = buf_on(out, sizeof out);
    struct order o = order_of(dialect, ORDER_TRACK, 0);
    o.value = every_s;
    assert_int_equal(omni_encode(&o, &b).code, want ? ERR_OK : ERR_UNSUPPORTED);
    if (want) assert_bytes(&b, want);
}

static void test_positions_are_asked_for_every_so_many_seconds(void **s)
{
    (void)s;
    assert_track(OMNI_SCOR, 10, "\xff\xff*SCOS,OM," IMEI ",D1,10#\n");
    assert_track(OMNI_HBCR, 0, "\xff\xff*HBCS,NB," IMEI ",D1,0#\n");
    assert_track(OMNI_CMDR, 10, "\xff\xff*CMDS,OM," IMEI ",261123224600,D1,10#\n");
    assert_track(OMNI_BGCR, 10, NULL); /* it stands in the ground */
}

static void test_what_a_dialect_lacks_is_refused_and_writes_nothing(void **s)
{
    (void)s;
    assert_order(OMNI_CMDR, ORDER_LOCK, 0, NULL);
    assert_order(OMNI_CMDR, ORDER_LOCK, 1, NULL);
    assert_order(OMNI_CMDR, ORDER_UNLOCK, 1, NULL);
    assert_order(OMNI_BGCR, ORDER_STATUS, 0, NULL);
    assert_order(OMNI_BGCR, ORDER_RING, 0, NULL);
    assert_order(OMNI_BGCR, ORDER_RESTART, 0, NULL);
    assert_order(OMNI_SCOR, ORDER_UNLOCK, 2, NULL);
    assert_order(OMNI_SCOR, ORDER_LOCATE, 1, NULL);
    assert_order(OMNI_SCOR, ORDER_NONE, 0, NULL);
    assert_order(OMNI_SCOR, ORDER_N, 0, NULL);
    assert_order(0, ORDER_LOCATE, 0, NULL);
    assert_order(OMNI_DIALECT_N, ORDER_LOCATE, 0, NULL);
    assert_order(255, ORDER_LOCATE, 0, NULL);
}

static void test_largest_order_fits_its_limit(void **s)
{
    (void)s;
    uint8_t out[OMNI_ORDER_MAX];
    struct order o = order_of(OMNI_CMDR, ORDER_UNLOCK, 0);
    o.user = o.stamp = UINT32_MAX;
    struct buf b = buf_on(out, sizeof out);
    assert_int_equal(omni_encode(&o, &b).code, ERR_OK);
    size_t len = b.len;
    for (size_t room = 0; room < len; room++) {
        b = buf_on(out, room);
        assert_int_equal(omni_encode(&o, &b).code, ERR_TOO_LARGE);
    }
}

static void test_id_that_would_be_a_second_command_is_refused(void **s)
{
    (void)s;
    static const char *const idents[] = {"49015420323751,", "49015420323751#", "49015420323751\n", "49015420323751*",
                                         "49015420323751 ", "4901542032375", ""};
    uint8_t out[OMNI_ORDER_MAX];
    for (size_t i = 0; i < sizeof idents / sizeof *idents; i++) {
        struct order o = order_of(OMNI_SCOR, ORDER_LOCATE, 0);
        assert_int_equal(text_set(&o.ident, bytes_text(idents[i])).code, ERR_OK);
        struct buf b = buf_on(out, sizeof out);
        assert_int_equal(omni_encode(&o, &b).code, ERR_INVALID);
        assert_int_equal(b.len, 0);
    }
    struct order o = order_of(OMNI_SCOR, ORDER_LOCATE, 0);
    assert_int_equal(text_set(&o.vendor, bytes_text("O,")).code, ERR_OK);
    struct buf b = buf_on(out, sizeof out);
    assert_int_equal(omni_encode(&o, &b).code, ERR_INVALID);
}

static void test_ack_of_a_dialect_that_is_none_is_refused(void **s)
{
    (void)s;
    struct message m;
    assert_int_equal(omni_decode(bytes_text("*SCOR,OM," IMEI ",L0,0,7,9#"), &m).code, ERR_OK);
    static const uint8_t none[] = {0, OMNI_DIALECT_N, 255};
    for (size_t i = 0; i < sizeof none; i++) {
        uint8_t out[OMNI_ORDER_MAX];
        struct buf b = buf_on(out, sizeof out);
        m.dialect = none[i];
        assert_int_equal(omni_encode_ack(&m, NOW_MS, &b).code, ERR_UNSUPPORTED);
    }
}

static void assert_ack(const char *frame, const char *want)
{
    struct message m;
    assert_int_equal(omni_decode(bytes_text(frame), &m).code, ERR_OK);
    uint8_t out[OMNI_ORDER_MAX];
    struct buf b = buf_on(out, sizeof out);
    assert_int_equal(omni_encode_ack(&m, NOW_MS, &b).code, want ? ERR_OK : ERR_UNSUPPORTED);
    if (want) assert_bytes(&b, want);
    if (!want) assert_int_equal(b.len, 0);
}

static void test_acks_have_the_form_of_their_dialect(void **s)
{
    (void)s;
    assert_ack("*SCOR,OM," IMEI ",L0,0,7,9#", "\xff\xff*SCOS,OM," IMEI ",L0#\n");
    assert_ack("*SCOR,NG," IMEI ",L1,3,7,9,1#", "\xff\xff*SCOS,NG," IMEI ",L1#\n");
    assert_ack("*SCOR,OM," IMEI ",W0,1#", "\xff\xff*SCOS,OM," IMEI ",W0#\n");
    assert_ack("*HBCR,NB," IMEI ",E0,5#", "\xff\xff*HBCS,NB," IMEI ",E0#\n");
    assert_ack("*CMDR,OM," IMEI ",000000000000,L1,7,9,1#", "\xff\xff*CMDS,OM," IMEI ",261123224600,Re,L1#\n");
    assert_ack("*CMDR,OM," IMEI ",D0,0,224600,V,,,,,,,,,,N#", "\xff\xff*CMDS,OM," IMEI ",261123224600,Re,D0#\n");
    assert_ack("*BGCR,OM," IMEI ",W0,1#", "\xff\xff*BGCS,OM," IMEI ",Re,W0#\n");
}

static void test_nothing_else_is_acknowledged(void **s)
{
    (void)s;
    assert_ack("*SCOR,OM," IMEI ",D0,0,224600,V,,,,,,,,,,N#", NULL);
    assert_ack("*SCOR,OM," IMEI ",H0,1#", NULL);
    assert_ack("*CMDR,OM," IMEI ",E0,5#", NULL);
    assert_ack("*SCOR,OM," IMEI ",R0,0,1,7,9#", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scooter_orders),
        cmocka_unit_test(test_ninebot_orders),
        cmocka_unit_test(test_horseshoe_lock_orders_carry_the_clock),
        cmocka_unit_test(test_ground_lock_orders),
        cmocka_unit_test(test_positions_are_asked_for_every_so_many_seconds),
        cmocka_unit_test(test_what_a_dialect_lacks_is_refused_and_writes_nothing),
        cmocka_unit_test(test_largest_order_fits_its_limit),
        cmocka_unit_test(test_id_that_would_be_a_second_command_is_refused),
        cmocka_unit_test(test_ack_of_a_dialect_that_is_none_is_refused),
        cmocka_unit_test(test_acks_have_the_form_of_their_dialect),
        cmocka_unit_test(test_nothing_else_is_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
