/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "base/prng.h"
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define N 500

static bool same_slot(const void *ctx, uint32_t slot)
{
    return *(const uint32_t *)ctx == slot;
}

/* Against a plain list, with colliding keys, through thousands of puts and removes. */
static void a_map_finds_what_a_list_finds(void **state)
{
    (void)state;
    size_t need = map_need(N);
    void *memory = aligned_alloc(64, need);
    memset(memory, 0, need);
    struct arena a = arena_on(memory, need);
    struct map m;
    map_init(&m, &a, N);
    bool in[N] = {false};
    struct prng p = prng_of(7, bytes_text("map"));
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t slot = (uint32_t)prng_below(&p, N);
        uint64_t key = slot / 3; /* three slots share a key; key 0 too */
        if (in[slot]) map_remove(&m, key, slot);
        else assert_int_equal(map_put(&m, key, slot).code, ERR_OK);
        in[slot] = !in[slot];
        uint32_t other = (uint32_t)prng_below(&p, N);
        uint32_t found = map_find(&m, other / 3, same_slot, &other);
        assert_int_equal(found, in[other] ? other : MAP_NONE);
    }
    free(memory);
}

static void a_full_map_says_so(void **state)
{
    (void)state;
    size_t need = map_need(2);
    void *memory = aligned_alloc(64, need);
    memset(memory, 0, need);
    struct arena a = arena_on(memory, need);
    struct map m;
    map_init(&m, &a, 2);
    assert_int_equal(map_put(&m, 1, 1).code, ERR_OK);
    assert_int_equal(map_put(&m, 2, 2).code, ERR_OK);
    assert_int_equal(map_put(&m, 3, 3).code, ERR_FULL);
    free(memory);
}

static void a_cleared_map_is_empty_and_takes_its_limit_again(void **state)
{
    (void)state;
    size_t need = map_need(2);
    void *memory = aligned_alloc(64, need);
    memset(memory, 0, need);
    struct arena a = arena_on(memory, need);
    struct map m;
    map_init(&m, &a, 2);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(map_find(&m, 7, NULL, NULL), MAP_NONE);
        assert_int_equal(map_put(&m, 7, 1).code, ERR_OK);
        assert_int_equal(map_put(&m, 0, 2).code, ERR_OK);
        assert_int_equal(map_find(&m, 7, NULL, NULL), 1);
        map_clear(&m);
        assert_int_equal(map_find(&m, 0, NULL, NULL), MAP_NONE);
    }
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_finds_what_a_list_finds),
        cmocka_unit_test(a_full_map_says_so),
        cmocka_unit_test(a_cleared_map_is_empty_and_takes_its_limit_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
