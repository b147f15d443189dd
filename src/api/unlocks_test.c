/* SPDX-License-Identifier: Apache-2.0 */
#include "api/unlocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define NOW_MS 1790000000000ll

static struct unlocks unlocks;

static int set_up(void **state)
{
    (void)state;
    return (int)unlocks_init(&unlocks, (struct hash_key){1, 2}).code;
}

static int tear_down(void **state)
{
    (void)state;
    unlocks_fini(&unlocks);
    return 0;
}

static struct event of_ride(uint8_t name, enum ride_state state, int64_t at_ms)
{
    return (struct event){.kind = EVENT_RIDE_STATE, .ride = {{name}}, .ride_state = (uint8_t)state, .at_ms = at_ms};
}

static struct event of_command(uint8_t name, enum command_op op, enum command_state state)
{
    return (struct event){.kind = EVENT_COMMAND_STATE, .ride = {{name}}, .command_op = (uint8_t)op,
                          .command_state = (uint8_t)state};
}

static void see(struct event event, int64_t born_us, int64_t now_us)
{
    unlocks_see(&unlocks, &event, born_us, now_us);
}

/* One unlock that took the server 3 x 200 us and the vehicle `device_us`. */
static void unlock(uint8_t name, int64_t device_us, int64_t at_ms)
{
    int64_t half_us = device_us / 2;
    see(of_ride(name, RIDE_UNLOCKING, at_ms), 1000, 1200);
    see(of_command(name, COMMAND_OP_UNLOCK, COMMAND_ACCEPTED), 1200 + half_us, 1400 + half_us);
    see(of_ride(name, RIDE_RIDING, at_ms), 1400 + device_us, 1600 + device_us);
}

static void test_an_unlock_is_split_between_server_and_vehicle(void **state)
{
    (void)state;
    unlock(1, 900000, NOW_MS);
    struct unlocks_summary s = unlocks_sum(&unlocks, NOW_MS);
    assert_int_equal(s.count, 1);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(s.server_us[i], 600);
        assert_int_equal(s.device_us[i], 900000);
        assert_int_equal(s.total_us[i], 900600);
    }
}

static void test_percentiles_are_of_whole_samples(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 100; i++) unlock(1, 1000 * i, NOW_MS);
    struct unlocks_summary s = unlocks_sum(&unlocks, NOW_MS);
    assert_int_equal(s.count, 100);
    assert_int_equal(s.device_us[0], 50000);
    assert_int_equal(s.device_us[1], 95000);
    assert_int_equal(s.device_us[2], 99000);
}

static void test_only_the_last_quarter_of_an_hour_counts_and_only_so_many(void **state)
{
    (void)state;
    unlock(1, 1000, NOW_MS);
    assert_int_equal(unlocks_sum(&unlocks, NOW_MS + UNLOCKS_WINDOW_MS).count, 1);
    assert_int_equal(unlocks_sum(&unlocks, NOW_MS + UNLOCKS_WINDOW_MS + UNLOCKS_FRESH_MS).count, 0);
    for (unsigned i = 0; i < UNLOCKS_KEPT + 10; i++) unlock(1, 2000, NOW_MS + 5000000);
    assert_int_equal(unlocks_sum(&unlocks, NOW_MS + 5000000).count, UNLOCKS_KEPT);
}

static void test_what_did_not_open_is_no_unlock(void **state)
{
    (void)state;
    see(of_ride(1, RIDE_UNLOCKING, NOW_MS), 1000, 1200);
    see(of_ride(1, RIDE_FAILED, NOW_MS), 2000, 2100);
    see(of_ride(1, RIDE_RIDING, NOW_MS), 3000, 3100);  /* another life's */
    see(of_ride(2, RIDE_ENDED, NOW_MS), 3000, 3100);   /* never seen beginning */
    see((struct event){.kind = EVENT_VEHICLE_STATE}, 1, 2);
    assert_int_equal(unlocks_sum(&unlocks, NOW_MS).count, 0);
}

static void test_a_timer_and_a_lock_command_are_nobodys_time(void **state)
{
    (void)state;
    see(of_ride(1, RIDE_UNLOCKING, NOW_MS), 1000, 1200);
    see(of_command(1, COMMAND_OP_UNLOCK, COMMAND_SENT), 0, 5000);
    see(of_command(1, COMMAND_OP_LOCK, COMMAND_ACCEPTED), 2000, 9000);
    see(of_ride(1, RIDE_RIDING, NOW_MS), 0, 11000);
    struct unlocks_summary s = unlocks_sum(&unlocks, NOW_MS);
    assert_int_equal(s.server_us[0], 200);
    assert_int_equal(s.device_us[0], 9800);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_an_unlock_is_split_between_server_and_vehicle),
        TEST(test_percentiles_are_of_whole_samples),
        TEST(test_only_the_last_quarter_of_an_hour_counts_and_only_so_many),
        TEST(test_what_did_not_open_is_no_unlock),
        TEST(test_a_timer_and_a_lock_command_are_nobodys_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
