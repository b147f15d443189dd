/* SPDX-License-Identifier: Apache-2.0 */
/* Dead spots and districts that are cut off: who is inside, for how long, how many at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/demo_radio.h"
#include "sim/network.h"

#define CENTRE ((struct point){577070000, 119680000})
#define FAR ((struct point){578000000, 121000000})
enum { SECOND_US = 1000000 };

struct town {
    struct network *network;
    struct loop *loop;
    struct crowd *crowd;
    struct demo_radio radio;
};

/* All dead spots are far out, so that cuts can be looked at alone. */
static struct point far_out(void *ctx, uint64_t draw)
{
    (void)ctx;
    return (struct point){FAR.lat_e7 + (int32_t)(draw % 1000) * 10, FAR.lon_e7};
}

static struct town town_create(void)
{
    struct town t = {.network = network_create(1, 5 * SECOND_US)};
    struct loop_config loop = {.conn_max = 4};
    t.loop = network_loop_create(t.network, "town", &loop);
    struct crowd_config crowd = {.loop = t.loop, .seed = 1, .start_ms = 1795474800000ll};
    assert_int_equal(crowd_create(&crowd, &t.crowd).code, ERR_OK);
    struct prng p = prng_of(7, bytes_text("spots"));
    demo_radio_init(&t.radio, t.crowd, &p, far_out, NULL);
    return t;
}

static void town_destroy(struct town *t)
{
    crowd_destroy(t->crowd);
    loop_destroy(t->loop);
    network_destroy(t->network);
}

static void run_s(struct town *t, int64_t s)
{
    network_run(t->network, network_now_us(t->network) + s * SECOND_US);
    loop_wake(t->loop);
    network_run(t->network, network_now_us(t->network) + 1000);
}

static void test_a_dead_spot_is_one_for_ever_and_ends_at_its_edge(void **s)
{
    (void)s;
    struct town t = town_create();
    assert_int_equal(t.radio.dead_count, DEMO_DEAD_SPOTS);
    struct demo_area *a = &t.radio.dead[0];
    t.radio.dead_count = 1;
    int32_t metre = 90;
    struct point in = {a->at.lat_e7 + (int32_t)(a->radius_m - 2) * metre, a->at.lon_e7},
                 out = {a->at.lat_e7 + (int32_t)(a->radius_m + 3) * metre, a->at.lon_e7};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(demo_radio_at(&t.radio, in), SIM_RADIO_DEAD_SPOT);
        assert_int_equal(demo_radio_at(&t.radio, out), SIM_RADIO_FINE);
        demo_radio_mend(&t.radio);
        run_s(&t, 100000);
    }
    town_destroy(&t);
}

static void test_a_cut_ends_by_itself_or_when_it_is_mended(void **s)
{
    (void)s;
    struct town t = town_create();
    assert_int_equal(demo_radio_cut(&t.radio, CENTRE, 500, 60).code, ERR_OK);
    struct point east = {CENTRE.lat_e7, CENTRE.lon_e7 + 70000}; /* 415 m */
    struct point west = {CENTRE.lat_e7, CENTRE.lon_e7 - 90000}; /* 535 m */
    assert_int_equal(demo_radio_at(&t.radio, east), SIM_RADIO_CUT);
    assert_int_equal(demo_radio_at(&t.radio, west), SIM_RADIO_FINE);
    run_s(&t, 58);
    assert_int_equal(demo_radio_at(&t.radio, east), SIM_RADIO_CUT);
    run_s(&t, 3);
    assert_int_equal(demo_radio_at(&t.radio, east), SIM_RADIO_FINE);
    assert_int_equal(t.radio.cut_count, 0);
    assert_int_equal(demo_radio_cut(&t.radio, CENTRE, 500, 60).code, ERR_OK);
    demo_radio_mend(&t.radio);
    assert_int_equal(demo_radio_at(&t.radio, east), SIM_RADIO_FINE);
    assert_int_equal(t.radio.cuts_ever, 2);
    town_destroy(&t);
}

static void test_so_many_districts_and_no_more(void **s)
{
    (void)s;
    struct town t = town_create();
    for (uint32_t i = 0; i < DEMO_CUTS_MAX; i++)
        assert_int_equal(demo_radio_cut(&t.radio, CENTRE, 100, 10 + i).code, ERR_OK);
    assert_int_equal(demo_radio_cut(&t.radio, CENTRE, 100, 10).code, ERR_FULL);
    run_s(&t, 12);
    assert_int_equal(demo_radio_cut(&t.radio, CENTRE, 100, 10).code, ERR_OK);
    assert_int_equal(demo_radio_at(&t.radio, CENTRE), SIM_RADIO_CUT);
    town_destroy(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dead_spot_is_one_for_ever_and_ends_at_its_edge),
        cmocka_unit_test(test_a_cut_ends_by_itself_or_when_it_is_mended),
        cmocka_unit_test(test_so_many_districts_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
