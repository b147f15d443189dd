/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ring.h"
#include <pthread.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define ITEMS 200000u

static struct ring ring;

static void make(uint32_t count, void **memory)
{
    size_t need = ring_need(sizeof(uint64_t), count);
    *memory = aligned_alloc(64, need);
    struct arena a = arena_on(*memory, need);
    ring_init(&ring, &a, sizeof(uint64_t), count);
}

static void a_full_ring_has_no_room_and_an_empty_one_nothing(void **state)
{
    (void)state;
    void *memory;
    make(4, &memory);
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t *room = ring_room(&ring);
        assert_non_null(room);
        *room = i;
        ring_put(&ring);
    }
    assert_null(ring_room(&ring));
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(*(uint64_t *)ring_peek(&ring), i);
        ring_took(&ring);
    }
    assert_null(ring_peek(&ring));
    assert_int_equal(ring_count(&ring), 0);
    free(memory);
}

static void *putter(void *arg)
{
    for (uint64_t i = 0; i < ITEMS;) {
        uint64_t *room = ring_room(&ring);
        if (!room) continue;
        *room = i++;
        ring_put(&ring);
    }
    return arg;
}

static void two_threads_pass_everything_in_order(void **state)
{
    (void)state;
    void *memory;
    make(64, &memory);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, putter, NULL), 0);
    for (uint64_t i = 0; i < ITEMS;) {
        uint64_t *item = ring_peek(&ring);
        if (!item) continue;
        assert_true(*item == i);
        ring_took(&ring);
        i++;
    }
    pthread_join(thread, NULL);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_ring_has_no_room_and_an_empty_one_nothing),
        cmocka_unit_test(two_threads_pass_everything_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
