/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/crowd.h"
#include "sim/network.h"

enum { TIMERS = 500, SECOND_US = 1000000 };
#define START_MS 1795474800000ll

struct world {
    struct network *network;
    struct loop *loop;
    struct crowd *crowd;
    struct crowd_timer timers[TIMERS];
    struct one { struct world *w; int64_t due_us; uint64_t set; } ones[TIMERS];
    int64_t last_us;
    uint64_t last_set;
    int fired;
};

static void world_open(struct world *w, uint32_t speed)
{
    struct loop_config config = {.conn_max = 1};
    *w = (struct world){.network = network_create(1, 7 * SECOND_US + 123)};
    w->loop = network_loop_create(w->network, "actors", &config);
    struct crowd_config crowd = {.loop = w->loop, .seed = 1, .start_ms = START_MS, .speed = speed};
    assert_int_equal(crowd_create(&crowd, &w->crowd).code, ERR_OK);
}

static void world_close(struct world *w)
{
    crowd_destroy(w->crowd);
    loop_destroy(w->loop);
    network_destroy(w->network);
}

static void run_ms(struct world *w, int64_t ms)
{
    network_run(w->network, network_now_us(w->network) + ms * 1000);
}

static void on_timer(void *owner)
{
    struct one *o = owner;
    int64_t now_us = crowd_now_us(o->w->crowd);
    assert_true(now_us >= o->due_us && now_us < o->due_us + 1000 * (int64_t)o->w->crowd->speed);
    assert_true(now_us > o->w->last_us || o->set > o->w->last_set);
    o->w->last_us = now_us;
    o->w->last_set = o->set;
    o->w->fired++;
}

static void set(struct world *w, int i, int64_t due_us, uint64_t nth)
{
    w->ones[i] = (struct one){w, due_us, nth};
    w->timers[i].fn = on_timer;
    w->timers[i].owner = &w->ones[i];
    crowd_set_timer(w->crowd, &w->timers[i], due_us);
}

static void test_timers_fire_by_time_and_then_in_the_order_they_were_set(void **s)
{
    static struct world w;
    struct prng p = prng_of(4, bytes_text("timers"));
    uint64_t nth = 0;
    (void)s;
    world_open(&w, 1);
    for (int i = 0; i < TIMERS; i++) set(&w, i, START_MS * 1000 + prng_between(&p, 1, 60) * 100000, ++nth);
    for (int i = 0; i < TIMERS; i += 3)
        set(&w, i, START_MS * 1000 + prng_between(&p, 1, 60) * 100000 + 1, ++nth);
    for (int i = 1; i < TIMERS; i += 3) crowd_clear_timer(w.crowd, &w.timers[i]);
    run_ms(&w, 10000);
    assert_int_equal(w.fired, TIMERS - (TIMERS + 1) / 3);
    world_close(&w);
}

static void test_simulated_time_runs_at_its_speed(void **s)
{
    static struct world w;
    (void)s;
    world_open(&w, 60);
    set(&w, 0, START_MS * 1000 + 600 * (int64_t)SECOND_US, 1);
    run_ms(&w, 9990);
    assert_int_equal(w.fired, 0);
    run_ms(&w, 20);
    assert_int_equal(w.fired, 1);
    assert_int_equal(crowd_now_ms(w.crowd), START_MS + 600600);
    world_close(&w);
}

static void test_streams_differ_by_kind_and_name(void **s)
{
    static struct world w;
    (void)s;
    world_open(&w, 1);
    struct prng a = crowd_stream(w.crowd, "rider", bytes_text("1")),
                b = crowd_stream(w.crowd, "vehicle", bytes_text("1"));
    struct prng c = crowd_stream(w.crowd, "rider", bytes_text("1"));
    uint64_t first = prng_next(&a);
    assert_true(first != prng_next(&b));
    assert_int_equal(first, prng_next(&c));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_by_time_and_then_in_the_order_they_were_set),
        cmocka_unit_test(test_simulated_time_runs_at_its_speed),
        cmocka_unit_test(test_streams_differ_by_kind_and_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
