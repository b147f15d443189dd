/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated vehicle where there is no network, with lock reports that are lost, a bolt that sticks, a receiver that
 * is off, and a battery that runs down by itself: against a server that is this test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "proto/omni.h"
#include "sim/network.h"
#include "sim/vehicle.h"

enum { HEARD_MAX = 1 << 16, SECOND_US = 1000000 };
#define START_MS 1795474800000ll /* 2026-11-23T23:00:00Z */
#define IMEI "490154203237518"
#define HERE ((struct point){577000000, 119700000})

struct world {
    struct network *network;
    struct loop *server, *client;
    struct crowd *crowd;
    struct conn_handler handler;
    uint64_t conn;
    uint32_t opened, closed, lose;
    size_t len;
    char heard[HEARD_MAX];
    uint32_t ppm[SIM_VEHICLE_FAULT_N];
    uint64_t count[SIM_VEHICLE_FAULT_N];
    enum sim_radio radio;
    struct sim_vehicle_config config;
    struct sim_vehicle *v;
};

static void on_open(void *ctx, uint64_t conn, struct bytes peer)
{
    struct world *w = ctx;
    (void)peer;
    w->conn = conn;
    w->opened++;
}

static size_t on_bytes(void *ctx, uint64_t conn, struct bytes in)
{
    struct world *w = ctx;
    (void)conn;
    must(w->len + in.len < HEARD_MAX);
    memcpy(w->heard + w->len, in.at, in.len);
    w->len += in.len;
    w->heard[w->len] = 0;
    return in.len;
}

static void on_close(void *ctx, uint64_t conn, enum close_reason reason)
{
    struct world *w = ctx;
    (void)reason;
    if (conn == w->conn) w->conn = 0;
    w->closed++;
}

static enum sim_radio radio_at(void *ctx, struct point at)
{
    (void)at;
    return ((struct world *)ctx)->radio;
}

static void run_ms(struct world *w, int64_t ms)
{
    network_run(w->network, network_now_us(w->network) + ms * 1000);
}

static void forget(struct world *w)
{
    w->len = 0;
    w->heard[0] = 0;
}

static struct world *world_create(void)
{
    struct world *w = calloc(1, sizeof *w);
    struct loop_config loop = {.conn_max = 16};
    uint32_t listener;

    must(w);
    w->handler = (struct conn_handler){w, on_open, on_bytes, NULL, on_close};
    w->network = network_create(1, 5 * SECOND_US);
    w->server = network_loop_create(w->network, "server", &loop);
    w->client = network_loop_create(w->network, "client", &loop);
    struct loop_listener_config listen = {
        .address = bytes_text("127.0.0.1:7700"), .conn_max = 8, .handler = &w->handler};
    assert_int_equal(loop_listen(w->server, &listen, &listener).code, ERR_OK);
    struct crowd_config crowd = {.loop = w->client, .seed = 1, .start_ms = START_MS};
    assert_int_equal(crowd_create(&crowd, &w->crowd).code, ERR_OK);
    w->config = (struct sim_vehicle_config){
        .ident = bytes_text(IMEI), .address = bytes_text("127.0.0.1:7700"), .dialect = OMNI_SCOR, .at = HERE,
        .battery_pct = 80, .fault_ppm = w->ppm, .fault_count = w->count, .log_max = 100,
        .radio = {w, radio_at}, .lose_lock_reports = &w->lose,
    };
    return w;
}

static void begin(struct world *w)
{
    assert_int_equal(sim_vehicle_create(w->crowd, &w->config, &w->v).code, ERR_OK);
    run_ms(w, 10);
}

static void world_destroy(struct world *w)
{
    sim_vehicle_destroy(w->v);
    crowd_destroy(w->crowd);
    loop_destroy(w->client);
    loop_destroy(w->server);
    network_destroy(w->network);
    free(w);
}

static void say(struct world *w, const char *text)
{
    assert_int_equal(loop_write(w->server, w->conn, bytes_text("\xff\xff")).code, ERR_OK);
    assert_int_equal(loop_write(w->server, w->conn, bytes_text(text)).code, ERR_OK);
    assert_int_equal(loop_write(w->server, w->conn, bytes_text("\n")).code, ERR_OK);
}

static int times_heard(const struct world *w, const char *text)
{
    int count = 0;
    for (const char *at = w->heard; (at = strstr(at, text)); at++) count++;
    return count;
}

static void order_unlock(struct world *w)
{
    char text[128];
    struct buf b = buf_on(text, sizeof text - 1);

    forget(w);
    say(w, "*SCOS,OM," IMEI ",R0,0,20,7,1795474801#");
    run_ms(w, 1000);
    const char *key = strstr(w->heard, ",R0,0,");
    assert_non_null(key);
    buf_put_text(&b, "*SCOS,OM," IMEI ",L0,");
    buf_put_u64(&b, strtoul(key + 6, NULL, 10));
    buf_put_text(&b, ",7,1795474801#");
    text[b.len] = 0;
    say(w, text);
    run_ms(w, 2000);
}

static void test_without_network_nothing_passes_and_tcp_notices_nothing(void **s)
{
    (void)s;
    struct world *w = world_create();
    begin(w);
    forget(w);
    w->radio = SIM_RADIO_CUT;
    say(w, "*SCOS,OM," IMEI ",R0,0,20,7,1795474801#");
    run_ms(w, 601000); /* between two looks */
    assert_string_equal(w->heard, "");
    assert_int_equal(w->closed, 0);
    assert_true(sim_vehicle_is_in_hole(w->v) && sim_vehicle_last_hole(w->v) == SIM_RADIO_CUT);
    assert_int_equal(w->count[SIM_VEHICLE_FAULT_NO_RADIO], 1);
    /* Back: the old connection is given up, a new one made, the old order is not heard any more. */
    w->radio = SIM_RADIO_FINE;
    say(w, "*SCOS,OM," IMEI ",R0,0,20,7,1795474802#"); /* it has not noticed yet */
    run_ms(w, 6000);
    assert_int_equal(w->closed, 1);
    assert_int_equal(w->opened, 2);
    assert_int_equal(times_heard(w, ",Q0,"), 1);
    assert_int_equal(times_heard(w, ",R0,"), 0);
    assert_false(sim_vehicle_is_in_hole(w->v));
    assert_int_equal(sim_vehicle_last_hole(w->v), SIM_RADIO_CUT);
    world_destroy(w);
}

static void test_it_cannot_connect_without_network_and_comes_when_there_is_one(void **s)
{
    (void)s;
    struct world *w = world_create();
    w->radio = SIM_RADIO_DEAD_SPOT;
    begin(w);
    run_ms(w, 120000);
    assert_int_equal(w->opened, 0);
    w->radio = SIM_RADIO_FINE;
    run_ms(w, 6000);
    assert_int_equal(w->opened, 1);
    assert_true(sim_vehicle_is_connected(w->v));
    world_destroy(w);
}

static void test_positions_of_a_dead_spot_are_told_late_with_their_time(void **s)
{
    (void)s;
    struct world *w = world_create();
    w->config.track_s = 3;
    begin(w);
    order_unlock(w);
    say(w, "*SCOS,OM," IMEI ",L0#");
    say(w, "*SCOS,OM," IMEI ",D1,10#"); /* fewer are asked for than it tells by itself */
    sim_vehicle_ride(w->v);
    run_ms(w, 9000);
    assert_in_range(times_heard(w, ",D0,1,"), 2, 4);
    w->radio = SIM_RADIO_DEAD_SPOT;
    forget(w);
    run_ms(w, 31000);
    assert_string_equal(w->heard, "");
    w->radio = SIM_RADIO_FINE;
    run_ms(w, 4900);
    assert_in_range(w->count[SIM_VEHICLE_FAULT_LATE], 9, 12);
    assert_in_range(times_heard(w, ",D0,1,"), 9, 14);
    /* A fix of ten seconds after the network went, told with that time: 23:00:23 or so. */
    assert_in_range(times_heard(w, ",D0,1,23002"), 2, 5);
    world_destroy(w);
}

static void test_the_whole_way_through_a_long_hole_stays_told(void **s)
{
    (void)s;
    struct world *w = world_create();
    w->config.track_s = 3;
    begin(w);
    order_unlock(w);
    say(w, "*SCOS,OM," IMEI ",L0#");
    sim_vehicle_ride(w->v);
    w->radio = SIM_RADIO_DEAD_SPOT;
    run_ms(w, 1200000);
    w->radio = SIM_RADIO_FINE;
    forget(w);
    run_ms(w, 4900);
    assert_in_range(w->count[SIM_VEHICLE_FAULT_LATE], 8, 16);
    /* The first minutes are among them, and the last. */
    assert_true(times_heard(w, ",D0,1,2300") + times_heard(w, ",D0,1,2301") >= 1);
    assert_true(times_heard(w, ",D0,1,2319") >= 1);
    world_destroy(w);
}

static void test_one_lock_report_is_lost_and_said_again(void **s)
{
    (void)s;
    struct world *w = world_create();
    begin(w);
    w->lose = 1;
    order_unlock(w);
    assert_false(sim_vehicle_is_locked(w->v));
    assert_int_equal(times_heard(w, ",L0,0,7,"), 0);
    assert_int_equal(w->lose, 0);
    assert_int_equal(w->count[SIM_VEHICLE_FAULT_LOCK_LOST], 1);
    run_ms(w, 5500);
    assert_int_equal(times_heard(w, ",L0,0,7,"), 1);
    /* The answer to it, as well: it is said once more and then acknowledged. */
    sim_vehicle_lose_lock_report(w->v);
    say(w, "*SCOS,OM," IMEI ",L0#");
    run_ms(w, 100);
    assert_int_equal(sim_vehicle_owes(w->v), 1);
    run_ms(w, 5500);
    assert_int_equal(times_heard(w, ",L0,0,7,"), 2);
    say(w, "*SCOS,OM," IMEI ",L0#");
    run_ms(w, 100);
    assert_int_equal(sim_vehicle_owes(w->v), 0);
    assert_int_equal(w->count[SIM_VEHICLE_FAULT_LOCK_LOST], 2);
    world_destroy(w);
}

static void test_a_stuck_bolt_stays_stuck_for_minutes_and_says_so(void **s)
{
    (void)s;
    struct world *w = world_create();
    begin(w);
    w->ppm[SIM_VEHICLE_FAULT_STUCK] = 1000000;
    order_unlock(w);
    w->ppm[SIM_VEHICLE_FAULT_STUCK] = 0;
    assert_true(sim_vehicle_is_locked(w->v) && sim_vehicle_is_stuck(w->v));
    say(w, "*SCOS,OM," IMEI ",L0#");
    order_unlock(w);
    assert_true(sim_vehicle_is_locked(w->v));
    assert_int_equal(times_heard(w, ",L0,0,"), 0);
    assert_true(times_heard(w, ",L0,") >= 1);
    say(w, "*SCOS,OM," IMEI ",L0#");
    run_ms(w, 900000);
    assert_false(sim_vehicle_is_stuck(w->v));
    order_unlock(w);
    assert_false(sim_vehicle_is_locked(w->v));
    world_destroy(w);
}

static void test_the_receiver_is_off_by_metres_and_wanders_slowly(void **s)
{
    (void)s;
    struct world *w = world_create();
    w->config.gps_cm = 400;
    w->config.dialect = OMNI_HBCR;
    begin(w);
    int64_t most_cm = 0, least_cm = INT64_MAX;
    for (int i = 0; i < 200; i++) {
        forget(w);
        say(w, "*HBCS,OM," IMEI ",D0#");
        run_ms(w, 5000);
        const char *at = strstr(w->heard, ",A,");
        assert_non_null(at);
        /* ddmm.mmmmm,N,dddmm.mmmmm,E: minutes of both, in 1e-5 */
        long lat = strtol(at + 5, NULL, 10) * 100000 + strtol(at + 8, NULL, 10);
        const char *east = strstr(at, ",N,");
        assert_non_null(east);
        long lon = strtol(east + 6, NULL, 10) * 100000 + strtol(east + 9, NULL, 10);
        struct point told = {570000000 + (int32_t)(lat * 100 / 60), 110000000 + (int32_t)(lon * 100 / 60)};
        int64_t cm = point_distance_cm(told, HERE);
        if (cm > most_cm) most_cm = cm;
        if (cm < least_cm) least_cm = cm;
    }
    assert_in_range(most_cm, 200, 1800); /* at most three times four metres each way, and the grid of the format */
    assert_true(least_cm < most_cm);
    world_destroy(w);
}

static void test_it_tells_where_it_stands_without_being_asked(void **s)
{
    (void)s;
    struct world *w = world_create();
    w->config.place_s = 60;
    begin(w);
    run_ms(w, 2000);
    assert_int_equal(times_heard(w, ",D0,0,"), 1);
    run_ms(w, 60000);
    assert_int_equal(times_heard(w, ",D0,0,"), 2);
    world_destroy(w);
}

static void test_a_box_alone_empties_its_battery(void **s)
{
    (void)s;
    struct world *w = world_create();
    w->config.idle_ppm_per_h = 20000; /* two percent an hour */
    begin(w);
    run_ms(w, 5 * 3600000);
    assert_in_range(sim_vehicle_battery_pct(w->v), 69, 70);
    sim_vehicle_set_battery(w->v, 100);
    assert_int_equal(sim_vehicle_battery_pct(w->v), 100);
    world_destroy(w);
}

static void test_it_is_carried_only_while_it_stands(void **s)
{
    (void)s;
    struct world *w = world_create();
    struct point there = {577100000, 119800000};
    begin(w);
    sim_vehicle_put(w->v, there);
    assert_int_equal(sim_vehicle_place(w->v).at.lat_e7, there.lat_e7);
    order_unlock(w);
    sim_vehicle_ride(w->v);
    run_ms(w, 10000);
    sim_vehicle_put(w->v, HERE);
    assert_true(point_distance_cm(sim_vehicle_place(w->v).at, there) < 10000);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_network_nothing_passes_and_tcp_notices_nothing),
        cmocka_unit_test(test_it_cannot_connect_without_network_and_comes_when_there_is_one),
        cmocka_unit_test(test_positions_of_a_dead_spot_are_told_late_with_their_time),
        cmocka_unit_test(test_the_whole_way_through_a_long_hole_stays_told),
        cmocka_unit_test(test_one_lock_report_is_lost_and_said_again),
        cmocka_unit_test(test_a_stuck_bolt_stays_stuck_for_minutes_and_says_so),
        cmocka_unit_test(test_the_receiver_is_off_by_metres_and_wanders_slowly),
        cmocka_unit_test(test_it_tells_where_it_stands_without_being_asked),
        cmocka_unit_test(test_a_box_alone_empties_its_battery),
        cmocka_unit_test(test_it_is_carried_only_while_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
