/* SPDX-License-Identifier: Apache-2.0 */
/* pending_test.c: handles, keys in flight, watchers and their time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/pending.h"
#include "net/loop.h"

static struct pending *take(struct pendings *ps, uint64_t http)
{
    struct client client = {.http = http};
    return pending_take(ps, &client, PENDING_FACT);
}

static void test_a_handle_is_stale_after_its_release(void **state)
{
    (void)state;
    struct pendings ps;
    assert_int_equal(pending_init(&ps, 2).code, ERR_OK);
    struct pending *p = take(&ps, 77);
    uint64_t handle = pending_handle(p);
    assert_ptr_equal(pending_of(&ps, handle), p);
    assert_ptr_equal(pending_of_http(&ps, 77), p);
    assert_non_null(take(&ps, 78));
    assert_null(take(&ps, 79));
    pending_release(&ps, p);
    assert_null(pending_of(&ps, handle));
    assert_null(pending_of_http(&ps, 77));
    p = take(&ps, 80);
    assert_null(pending_of(&ps, handle)); /* the same slot, another generation */
    assert_true(pending_handle(p) != handle);
    assert_null(pending_of(&ps, 0));
    assert_null(pending_of(&ps, UINT64_MAX));
    pending_fini(&ps);
}

static void test_a_key_is_in_flight_for_its_account_only(void **state)
{
    (void)state;
    struct pendings ps;
    assert_int_equal(pending_init(&ps, 4).code, ERR_OK);
    struct pending *p = take(&ps, 1);
    p->account_slot = 5;
    pending_set_in_flight(&ps, p, 10, 20);
    assert_true(pending_is_in_flight(&ps, 5, 10, 20));
    assert_false(pending_is_in_flight(&ps, 6, 10, 20));
    assert_false(pending_is_in_flight(&ps, 5, 10, 21));
    assert_false(pending_is_in_flight(&ps, 5, 11, 20));
    pending_set_gone(&ps, p);
    assert_true(pending_is_in_flight(&ps, 5, 10, 20)); /* the client left, the request did not */
    pending_release(&ps, p);
    assert_false(pending_is_in_flight(&ps, 5, 10, 20));
    pending_fini(&ps);
}

static void count_and_unwatch(void *ctx, struct pending *p)
{
    struct pendings *ps = ctx;
    pending_release(ps, p);
}

static void test_all_watchers_of_a_ride_are_found(void **state)
{
    (void)state;
    struct pendings ps;
    struct uuid ride = {{1}}, alike = {{1}}, other = {{2}};
    alike.at[15] = 9; /* the same first half: the same key in the index */
    assert_int_equal(pending_init(&ps, 8).code, ERR_OK);
    struct uuid subjects[] = {ride, alike, ride, other, ride};
    for (unsigned i = 0; i < 5; i++) {
        struct pending *p = take(&ps, i + 1);
        p->subject = subjects[i];
        pending_watch(&ps, p);
    }
    pending_each_watching(&ps, ride, count_and_unwatch, &ps);
    assert_int_equal(ps.count, 2);
    assert_non_null(pending_of_http(&ps, 2));
    assert_non_null(pending_of_http(&ps, 4));
    pending_fini(&ps);
}

static void note(void *ctx, struct pending *p)
{
    uint64_t *seen = ctx;
    *seen = *seen * 10 + p->client.http;
}

static void test_due_times_fire_once_and_in_time(void **state)
{
    (void)state;
    struct pendings ps;
    uint64_t seen = 0;
    assert_int_equal(pending_init(&ps, 8).code, ERR_OK);
    struct pending *one = take(&ps, 1), *two = take(&ps, 2);
    assert_true(pending_fire_due(&ps, 500, note, &seen) == LOOP_NEVER);
    pending_set_due(&ps, two, 2000);
    pending_set_due(&ps, one, 1000);
    assert_int_equal(pending_fire_due(&ps, 999, note, &seen), 1000);
    assert_int_equal(seen, 0);
    assert_int_equal(pending_fire_due(&ps, 1000, note, &seen), 2000);
    assert_int_equal(seen, 1);
    assert_true(pending_fire_due(&ps, 2000, note, &seen) == LOOP_NEVER);
    assert_int_equal(seen, 12);
    assert_true(pending_fire_due(&ps, 9000, note, &seen) == LOOP_NEVER);
    assert_int_equal(seen, 12);
    pending_fini(&ps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handle_is_stale_after_its_release),
        cmocka_unit_test(test_a_key_is_in_flight_for_its_account_only),
        cmocka_unit_test(test_all_watchers_of_a_ride_are_found),
        cmocka_unit_test(test_due_times_fire_once_and_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
