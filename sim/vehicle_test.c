/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated vehicle against a server that is this test: exact frames, keys, repeats, and the truth of
 * its log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/must.h"
#include "net/loop_epoll.h"
#include "proto/omni.h"
#include "sim/network.h"
#include "sim/vehicle.h"

enum { HEARD_MAX = 1 << 16, SECOND_US = 1000000 };
#define START_MS 1795474800000ll /* 2026-11-23T23:00:00Z */
#define IMEI "490154203237518"

struct world {
    struct network *network;
    struct loop *server, *client;
    struct crowd *crowd;
    struct conn_handler handler;
    struct text64 address;
    uint64_t conn;
    uint32_t opened, closed;
    size_t len;
    char heard[HEARD_MAX];          /* all that vehicles said; cut by forget() */
    uint32_t ppm[SIM_VEHICLE_FAULT_N];
    uint64_t count[SIM_VEHICLE_FAULT_N];
    struct sim_vehicle *v;
};

static void say(struct world *w, const char *text)
{
    assert_int_equal(loop_write(w->server, w->conn, bytes_text("\xff\xff")).code, ERR_OK);
    assert_int_equal(loop_write(w->server, w->conn, bytes_text(text)).code, ERR_OK);
    assert_int_equal(loop_write(w->server, w->conn, bytes_text("\n")).code, ERR_OK);
}

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
    if (w->len + in.len + 1 > HEARD_MAX) w->len = 0;
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

static void on_connect(void *ctx, struct bytes name)
{
    network_name_link(((struct world *)ctx)->client, name);
}

static struct sim_vehicle *add(struct world *w, uint8_t dialect, const char *imei)
{
    struct sim_vehicle_config config = {
        .ident = bytes_text(imei),
        .address = text_bytes(&w->address),
        .dialect = dialect,
        .at = {577000000, 119700000},
        .battery_pct = 80,
        .fault_ppm = w->ppm,
        .fault_count = w->count,
        .log_max = 1000,
    };
    struct sim_vehicle *v;
    assert_int_equal(sim_vehicle_create(w->crowd, &config, &v).code, ERR_OK);
    return v;
}

static struct world *empty_world(uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    struct loop_config config = {.conn_max = 64};
    uint32_t listener;

    must(w);
    w->handler = (struct conn_handler){w, on_open, on_bytes, NULL, on_close};
    w->network = network_create(seed, 5 * SECOND_US);
    w->server = network_loop_create(w->network, "server", &config);
    w->client = network_loop_create(w->network, "client", &config);
    struct loop_listener_config listen = {
        .address = bytes_text("127.0.0.1:7700"), .conn_max = 32, .handler = &w->handler};
    assert_int_equal(loop_listen(w->server, &listen, &listener).code, ERR_OK);
    assert_int_equal(loop_address(w->server, listener, &w->address).code, ERR_OK);
    struct crowd_config crowd = {
        .loop = w->client, .seed = seed, .start_ms = START_MS, .ctx = w, .on_connect = on_connect};
    assert_int_equal(crowd_create(&crowd, &w->crowd).code, ERR_OK);
    return w;
}

static void run_ms(struct world *w, int64_t ms)
{
    network_run(w->network, network_now_us(w->network) + ms * 1000);
}

static struct world *world_create(uint8_t dialect)
{
    struct world *w = empty_world(1);
    w->v = add(w, dialect, IMEI);
    run_ms(w, 10);
    return w;
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

static void forget(struct world *w)
{
    w->len = 0;
    w->heard[0] = 0;
}

static int times_heard(const struct world *w, const char *text)
{
    int count = 0;
    for (const char *at = w->heard; (at = strstr(at, text)); at++) count++;
    return count;
}

/* Number of log entries of a kind, and the last of them. */
static int logged(const struct sim_vehicle *v, enum sim_vehicle_log_kind kind, struct sim_vehicle_log *last)
{
    const struct sim_vehicle_log *log;
    int count = 0;
    for (uint32_t i = 0, n = sim_vehicle_log_of(v, &log); i < n; i++) {
        if (log[i].kind != kind) continue;
        count++;
        if (last) *last = log[i];
    }
    return count;
}

/* The key that the vehicle gave last. */
static uint32_t key_given(const struct world *w)
{
    const char *at = strstr(w->heard, ",R0,");
    assert_non_null(at);
    return (uint32_t)strtoul(at + 6, NULL, 10);
}

static void say_key(struct world *w, const char *form, uint32_t key, const char *rest)
{
    char text[128];
    struct buf b = buf_on(text, sizeof text - 1);
    buf_put_text(&b, form);
    buf_put_u64(&b, key);
    buf_put_text(&b, rest);
    text[b.len] = 0;
    say(w, text);
}

static void unlock(struct world *w)
{
    forget(w);
    say(w, "*SCOS,OM," IMEI ",R0,0,20,7,1795474801#");
    run_ms(w, 1000);
    say_key(w, "*SCOS,OM," IMEI ",L0,", key_given(w), ",7,1795474801#");
    run_ms(w, 2000);
    assert_false(sim_vehicle_is_locked(w->v));
}

static void test_it_signs_in_with_q0_then_h0_and_beats(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    assert_string_equal(w->heard, "*SCOR,OM," IMEI ",Q0,396,80,12#\n*SCOR,OM," IMEI ",H0,1,396,12,80,0#\n");
    forget(w);
    run_ms(w, 240000);
    assert_string_equal(w->heard, "*SCOR,OM," IMEI ",H0,1,396,12,80,0#\n");
    world_destroy(w);
}

static void test_a_horseshoe_lock_carries_its_clock(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_CMDR);
    assert_string_equal(w->heard, "*CMDR,OM," IMEI ",261123230000,Q0,396#\n*CMDR,OM," IMEI
                                  ",261123230000,H0,1,396,12#\n");
    world_destroy(w);
}

static void test_an_unlock_takes_a_key_once_and_is_reported(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    struct sim_vehicle_log entry = {0};
    unlock(w);
    assert_int_equal(times_heard(w, ",L0,0,7,1795474801#\n"), 1);
    assert_int_equal(logged(w->v, SIM_VEHICLE_LOG_UNLOCKED, &entry), 1);
    assert_true(entry.by_order && entry.user == 7 && entry.stamp == 1795474801);
    assert_int_equal(logged(w->v, SIM_VEHICLE_LOG_SAID_UNLOCKED, NULL), 1);
    assert_true(sim_vehicle_said_unlocked_ms(w->v) >= START_MS);
    /* 60 to 350 ms for the key, 300 to 1500 for the bolt; the waiting between is not the vehicle's. */
    assert_in_range(sim_vehicle_counters_of(w->v)->order_us, 360000, 1852000);
    say_key(w, "*SCOS,OM," IMEI ",L0,", key_given(w), ",7,1795474801#");
    run_ms(w, 3000);
    assert_int_equal(times_heard(w, ",L0,2,7,1795474801#\n"), 1);
    world_destroy(w);
}

static void test_a_key_expires_and_a_wrong_one_is_refused(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    say(w, "*SCOS,OM," IMEI ",R0,0,20,7,100#");
    run_ms(w, 1000);
    uint32_t key = key_given(w);
    run_ms(w, 20500);
    say_key(w, "*SCOS,OM," IMEI ",L0,", key, ",7,100#");
    run_ms(w, 2000);
    assert_int_equal(times_heard(w, ",L0,2,7,100#\n"), 1);
    forget(w);
    say(w, "*SCOS,OM," IMEI ",R0,0,20,7,101#");
    run_ms(w, 1000);
    say_key(w, "*SCOS,OM," IMEI ",L0,", key_given(w) ^ 1, ",7,101#");
    run_ms(w, 2000);
    assert_int_equal(times_heard(w, ",L0,2,7,101#\n"), 1);
    assert_true(sim_vehicle_is_locked(w->v));
    /* The key of an unlock does not lock. */
    forget(w);
    say(w, "*SCOS,OM," IMEI ",R0,0,20,7,102#");
    run_ms(w, 1000);
    say_key(w, "*SCOS,OM," IMEI ",L1,", key_given(w), "#");
    run_ms(w, 2000);
    assert_int_equal(times_heard(w, ",L1,2,7,102,0#\n"), 1);
    world_destroy(w);
}

static void test_a_report_is_repeated_every_five_seconds_until_acknowledged(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    struct sim_vehicle_log entry = {0};
    unlock(w);
    run_ms(w, 10000);
    assert_int_equal(times_heard(w, ",L0,0,7,"), 3);
    assert_int_equal(sim_vehicle_owes(w->v), 1);
    say(w, "*SCOS,OM," IMEI ",L0#");
    run_ms(w, 30000);
    assert_int_equal(times_heard(w, ",L0,0,7,"), 3);
    assert_int_equal(sim_vehicle_owes(w->v), 0);
    assert_int_equal(logged(w->v, SIM_VEHICLE_LOG_ACKED, &entry), 1);
    assert_true(entry.certain && entry.user == 7);
    world_destroy(w);
}

static void test_after_five_tries_a_report_waits_for_the_next_connection(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    unlock(w);
    run_ms(w, 22000);
    assert_int_equal(times_heard(w, ",L0,0,7,"), 5);
    assert_int_equal(w->opened, 1);
    run_ms(w, 5000);
    assert_int_equal(w->opened, 2);
    assert_int_equal(times_heard(w, ",L0,0,7,"), 6);
    world_destroy(w);
}

static void test_an_ack_for_a_repeat_is_not_certain_for_the_next_report(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    struct sim_vehicle_log entry = {0};
    unlock(w);
    run_ms(w, 5000);
    assert_int_equal(times_heard(w, ",L0,0,7,"), 2);
    say(w, "*SCOS,OM," IMEI ",L0#");
    run_ms(w, 100);
    say_key(w, "*SCOS,OM," IMEI ",L0,", 999, ",8,200#"); /* refused: a second L0 is owed */
    run_ms(w, 1000);
    assert_int_equal(sim_vehicle_owes(w->v), 1);
    say(w, "*SCOS,OM," IMEI ",L0#"); /* for the repeat of the first */
    run_ms(w, 100);
    assert_int_equal(logged(w->v, SIM_VEHICLE_LOG_ACKED, &entry), 2);
    assert_int_equal(entry.user, 8);
    assert_false(entry.certain);
    world_destroy(w);
}

static void test_a_moving_vehicle_does_not_lock(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    unlock(w);
    say(w, "*SCOS,OM," IMEI ",L0#");
    sim_vehicle_ride(w->v);
    run_ms(w, 60000);
    assert_int_equal(times_heard(w, ",150,0,0,0,0,12,"), 6);
    forget(w);
    say(w, "*SCOS,OM," IMEI ",R0,1,20,7,300#");
    run_ms(w, 1000);
    say_key(w, "*SCOS,OM," IMEI ",L1,", key_given(w), "#");
    run_ms(w, 2000);
    assert_int_equal(times_heard(w, ",L1,3,7,300,"), 1);
    assert_false(sim_vehicle_is_locked(w->v));
    struct sim_vehicle_log entry = {0};
    assert_int_equal(logged(w->v, SIM_VEHICLE_LOG_MOVING, &entry), 2);
    assert_true(entry.certain);
    assert_in_range(entry.moved_ms, 61000, 63999);
    sim_vehicle_stop(w->v);
    assert_true(point_distance_cm(sim_vehicle_place(w->v).at, (struct point){577000000, 119700000}) > 20000);
    forget(w);
    say(w, "*SCOS,OM," IMEI ",R0,1,20,7,301#");
    run_ms(w, 1000);
    say_key(w, "*SCOS,OM," IMEI ",L1,", key_given(w), "#");
    run_ms(w, 2000);
    assert_int_equal(times_heard(w, ",L1,0,7,301,1#\n"), 1);
    assert_true(sim_vehicle_is_locked(w->v));
    world_destroy(w);
}

static void test_a_horseshoe_lock_is_closed_by_hand_and_names_its_unlock(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_CMDR);
    say(w, "*CMDS,OM," IMEI ",261123230000,L0,0,7,400#");
    run_ms(w, 2000);
    assert_int_equal(times_heard(w, ",L0,0,7,400#\n"), 1);
    say(w, "*CMDS,OM," IMEI ",261123230000,Re,L0#");
    run_ms(w, 178000);
    sim_vehicle_ride(w->v);
    assert_false(sim_vehicle_close_lock(w->v));
    sim_vehicle_stop(w->v);
    assert_true(sim_vehicle_close_lock(w->v));
    run_ms(w, 100);
    assert_int_equal(times_heard(w, ",L1,7,400,2#\n"), 1);
    run_ms(w, 5000);
    assert_int_equal(times_heard(w, ",L1,7,400,2#\n"), 2);
    say(w, "*CMDS,OM," IMEI ",261123230000,Re,L1#");
    run_ms(w, 20000);
    assert_int_equal(times_heard(w, ",L1,7,400,2#\n"), 2);
    world_destroy(w);
}

/* A day of acknowledged positions must not push out what its lock said: a judge reads that at the day's end. */
static void test_acknowledged_positions_leave_the_log_of_the_lock_alone(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_CMDR);
    say(w, "*CMDS,OM," IMEI ",261123230000,L0,0,7,400#");
    run_ms(w, 2000);
    say(w, "*CMDS,OM," IMEI ",261123230000,Re,L0#");
    say(w, "*CMDS,OM," IMEI ",261123230000,D1,10#");
    run_ms(w, 1000);
    uint64_t acks = sim_vehicle_counters_of(w->v)->acks;
    assert_int_equal(acks, 1);
    for (int i = 0; i < 20; i++) {
        run_ms(w, 10000);
        say(w, "*CMDS,OM," IMEI ",261123230000,Re,D0#");
    }
    run_ms(w, 1000);
    assert_in_range(sim_vehicle_counters_of(w->v)->acks, 15, 21);
    assert_int_equal(logged(w->v, SIM_VEHICLE_LOG_ACKED, NULL), 1);
    assert_int_equal(logged(w->v, SIM_VEHICLE_LOG_SAID_UNLOCKED, NULL), 1);
    assert_int_equal(sim_vehicle_log_forgot(w->v), 0);
    world_destroy(w);
}

static void test_a_full_log_says_how_much_it_forgot(void **s)
{
    (void)s;
    struct world *w = empty_world(1);
    struct sim_vehicle_config config = {.ident = bytes_text(IMEI), .address = text_bytes(&w->address), .dialect = OMNI_SCOR,
                                        .battery_pct = 80, .log_max = 4};
    assert_int_equal(sim_vehicle_create(w->crowd, &config, &w->v).code, ERR_OK);
    run_ms(w, 5000);
    for (int i = 0; i < 4; i++) { /* opened, and nothing else: there is no order to close */
        sim_vehicle_open_local(w->v);
        run_ms(w, 1000);
    }
    const struct sim_vehicle_log *log;
    uint32_t kept = sim_vehicle_log_of(w->v, &log);
    assert_in_range(kept, 1, 4);
    uint32_t before = kept + sim_vehicle_log_forgot(w->v);
    unlock(w);
    say_key(w, "*SCOS,OM," IMEI ",L1,", 999, ",8,200#");
    run_ms(w, 2000);
    assert_true(sim_vehicle_log_of(w->v, &log) + sim_vehicle_log_forgot(w->v) > before);
    assert_in_range(sim_vehicle_log_of(w->v, &log), 1, 4);
    world_destroy(w);
}

static void test_questions_are_answered(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    forget(w);
    say(w, "*SCOS,OM," IMEI ",D0#");
    say(w, "*SCOS,OM," IMEI ",S6#");
    say(w, "*SCOS,OM," IMEI ",V0,2#");
    say(w, "*SCOS,OM," IMEI ",S5,0,0,60,0#");
    run_ms(w, 5);
    assert_string_equal(w->heard, "*SCOR,OM," IMEI
                                  ",D0,0,230000.010,A,5742.00000,N,01158.20000,E,9,1.10,231126,25.0,M,A#\n"
                                  "*SCOR,OM," IMEI ",S6,80,0,0,0,0,0,1,12,0,0#\n"
                                  "*SCOR,OM," IMEI ",V0,2#\n"
                                  "*SCOR,OM," IMEI ",S5,2,2,60,10#\n");
    forget(w);
    run_ms(w, 60000);
    assert_int_equal(times_heard(w, ",H0,"), 1);
    world_destroy(w);
}

static void test_a_restart_signs_in_again(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    say(w, "*SCOS,OM," IMEI ",S1,2#");
    run_ms(w, 25000);
    assert_int_equal(times_heard(w, ",S1,2#\n"), 1);
    assert_int_equal(w->opened, 2);
    assert_int_equal(times_heard(w, ",Q0,"), 2);
    world_destroy(w);
}

static void test_a_dead_server_is_tried_again_ever_more_slowly(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    network_kill(w->server, SECOND_US);
    w->server = NULL;
    run_ms(w, 600000);
    uint64_t tries = network_fault_count(w->network, NETWORK_FAULT_DOWN);
    assert_in_range(tries, 8, 25);
    world_destroy(w);
}

static void test_a_mute_vehicle_stays_connected_and_says_nothing(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    w->ppm[SIM_VEHICLE_FAULT_MUTE] = 1000000;
    run_ms(w, 240000);
    w->ppm[SIM_VEHICLE_FAULT_MUTE] = 0;
    forget(w);
    say(w, "*SCOS,OM," IMEI ",S6#");
    run_ms(w, 1000);
    assert_string_equal(w->heard, "");
    assert_int_equal(w->closed, 0);
    run_ms(w, 900000 + 240000);
    assert_true(times_heard(w, ",H0,") >= 1);
    world_destroy(w);
}

static void test_another_imei_and_a_twin_are_said_on_the_wire(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    w->ppm[SIM_VEHICLE_FAULT_IMEI_CHANGE] = w->ppm[SIM_VEHICLE_FAULT_TWIN] = 1000000;
    run_ms(w, 240100);
    assert_int_equal(w->opened, 2);
    assert_int_equal(times_heard(w, "," IMEI ",H0,"), 3);
    assert_int_equal(times_heard(w, ",H0,"), 4);
    assert_int_equal(times_heard(w, "," IMEI ",Q0,"), 2);
    world_destroy(w);
}

/* Every fault on, a server that acknowledges nothing and asks for everything: what comes out is the same
 * again, and one vehicle more does not change what the first one does. */
static uint64_t rough_hour(uint64_t seed, int vehicles, uint64_t *network,
                           uint64_t count[SIM_VEHICLE_FAULT_N])
{
    static const char *const imeis[] = {IMEI, "356938035643809", "352099001761481"};
    struct world *w = empty_world(seed);
    struct sim_vehicle *all[3] = {0};
    struct network_faults faults = {.up = {.latency_us = 30000, .jitter_us = 40000, .split_ppm = 100000},
                                    .down = {.latency_us = 30000, .jitter_us = 40000}, .reset_ppm = 10000};
    network_set_faults(w->network, 0, &faults);
    for (int i = 0; i < SIM_VEHICLE_FAULT_N; i++) w->ppm[i] = i == SIM_VEHICLE_FAULT_TWIN ? 0 : 100000;
    for (int i = 0; i < vehicles; i++) all[i] = add(w, i == 1 ? OMNI_CMDR : OMNI_SCOR, imeis[i]);
    run_ms(w, 4 * 3600 * 1000);
    const struct sim_vehicle_log *log;
    uint32_t n = sim_vehicle_log_of(all[0], &log);
    uint64_t hash = hash_bytes((struct hash_key){1, 2}, bytes_of(log, n * sizeof *log));
    hash = hash_mix(hash, sim_vehicle_counters_of(all[0])->frames_out);
    *network = network_hash(w->network);
    for (int i = 0; i < SIM_VEHICLE_FAULT_N; i++) count[i] += w->count[i];
    for (int i = 0; i < vehicles; i++) sim_vehicle_destroy(all[i]);
    world_destroy(w);
    return hash;
}

static void test_the_same_seed_is_the_same_day_and_a_neighbour_changes_nothing(void **s)
{
    (void)s;
    uint64_t a, b, c, count[SIM_VEHICLE_FAULT_N] = {0};
    uint64_t one = rough_hour(11, 1, &a, count), again = rough_hour(11, 1, &b, count);
    assert_int_equal(one, again);
    assert_int_equal(a, b);
    assert_int_equal(rough_hour(11, 3, &c, count), one);
    assert_true(rough_hour(12, 1, &c, count) != one);
    /* Those that need orders are counted in the simulator. */
    static const uint8_t must_happen[] = {
        SIM_VEHICLE_FAULT_NO_LINE_END,  SIM_VEHICLE_FAULT_CRLF,         SIM_VEHICLE_FAULT_SPACES,
        SIM_VEHICLE_FAULT_TWICE,        SIM_VEHICLE_FAULT_NOISE,        SIM_VEHICLE_FAULT_IMEI_CHANGE,
        SIM_VEHICLE_FAULT_MUTE,         SIM_VEHICLE_FAULT_DROP,         SIM_VEHICLE_FAULT_ALARM,
        SIM_VEHICLE_FAULT_MOVED_LOCKED, SIM_VEHICLE_FAULT_OPENED_LOCAL,
    };
    for (size_t i = 0; i < sizeof must_happen; i++) {
        if (!count[must_happen[i]]) fail_msg("never happened: %s", sim_vehicle_fault_text(must_happen[i]));
    }
}

static void test_whatever_is_wrong_with_a_frame_the_codec_still_finds_most(void **s)
{
    (void)s;
    struct world *w = world_create(OMNI_SCOR);
    for (int i = SIM_VEHICLE_FAULT_NO_LINE_END; i <= SIM_VEHICLE_FAULT_NOISE; i++) w->ppm[i] = 300000;
    forget(w);
    for (int i = 0; i < 200; i++) {
        say(w, "*SCOS,OM," IMEI ",S6#");
        run_ms(w, 100);
    }
    struct bytes in = bytes_of(w->heard, w->len);
    int good = 0, bad = 0;
    for (struct cut cut = omni_cut(in); cut.len; cut = omni_cut(in)) {
        struct message m;
        struct bytes frame = bytes_of(in.at + cut.skip, cut.len);
        *(omni_decode(frame, &m).code ? &bad : &good) += 1;
        in.at += cut.skip + cut.len;
        in.len -= cut.skip + cut.len;
    }
    assert_true(good >= 200 && good + bad <= 300);
    world_destroy(w);
}

static void test_the_same_vehicle_speaks_over_real_sockets(void **s)
{
    (void)s;
    struct world *w = calloc(1, sizeof *w);
    struct loop_config config = {.conn_max = 16};
    uint32_t listener;

    must(w);
    w->handler = (struct conn_handler){w, on_open, on_bytes, NULL, on_close};
    assert_int_equal(loop_epoll_create(&config, &w->server).code, ERR_OK);
    assert_int_equal(loop_epoll_create(&config, &w->client).code, ERR_OK);
    struct loop_listener_config listen = {
        .address = bytes_text("127.0.0.1:0"), .conn_max = 8, .handler = &w->handler};
    assert_int_equal(loop_listen(w->server, &listen, &listener).code, ERR_OK);
    assert_int_equal(loop_address(w->server, listener, &w->address).code, ERR_OK);
    /* A thousand times as fast: a heartbeat is a quarter of a second. */
    struct crowd_config crowd = {.loop = w->client, .seed = 1, .start_ms = START_MS, .speed = 1000};
    assert_int_equal(crowd_create(&crowd, &w->crowd).code, ERR_OK);
    w->v = add(w, OMNI_SCOR, IMEI);
    for (int i = 0; i < 20000 && (!w->conn || times_heard(w, ",H0,") < 3); i++) {
        assert_int_equal(loop_turn(w->client, 1).code, ERR_OK);
        assert_int_equal(loop_turn(w->server, 1).code, ERR_OK);
    }
    assert_int_equal(times_heard(w, ",Q0,"), 1);
    assert_true(times_heard(w, ",H0,") >= 3);
    say(w, "*SCOS,OM," IMEI ",V0,2#");
    for (int i = 0; i < 20000 && !times_heard(w, ",V0,2#"); i++) {
        assert_int_equal(loop_turn(w->server, 1).code, ERR_OK);
        assert_int_equal(loop_turn(w->client, 1).code, ERR_OK);
    }
    assert_int_equal(times_heard(w, ",V0,2#\n"), 1);
    sim_vehicle_destroy(w->v);
    crowd_destroy(w->crowd);
    loop_destroy(w->client);
    loop_destroy(w->server);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_signs_in_with_q0_then_h0_and_beats),
        cmocka_unit_test(test_a_horseshoe_lock_carries_its_clock),
        cmocka_unit_test(test_an_unlock_takes_a_key_once_and_is_reported),
        cmocka_unit_test(test_a_key_expires_and_a_wrong_one_is_refused),
        cmocka_unit_test(test_a_report_is_repeated_every_five_seconds_until_acknowledged),
        cmocka_unit_test(test_after_five_tries_a_report_waits_for_the_next_connection),
        cmocka_unit_test(test_an_ack_for_a_repeat_is_not_certain_for_the_next_report),
        cmocka_unit_test(test_a_moving_vehicle_does_not_lock),
        cmocka_unit_test(test_a_horseshoe_lock_is_closed_by_hand_and_names_its_unlock),
        cmocka_unit_test(test_acknowledged_positions_leave_the_log_of_the_lock_alone),
        cmocka_unit_test(test_a_full_log_says_how_much_it_forgot),
        cmocka_unit_test(test_questions_are_answered),
        cmocka_unit_test(test_a_restart_signs_in_again),
        cmocka_unit_test(test_a_dead_server_is_tried_again_ever_more_slowly),
        cmocka_unit_test(test_a_mute_vehicle_stays_connected_and_says_nothing),
        cmocka_unit_test(test_another_imei_and_a_twin_are_said_on_the_wire),
        cmocka_unit_test(test_the_same_seed_is_the_same_day_and_a_neighbour_changes_nothing),
        cmocka_unit_test(test_the_same_vehicle_speaks_over_real_sockets),
        cmocka_unit_test(test_whatever_is_wrong_with_a_frame_the_codec_still_finds_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
