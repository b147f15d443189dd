/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* The vector of the SipHash paper, appendix A: key 00..0f, input 00..0e. */
static void siphash_gives_the_papers_value(void **state)
{
    (void)state;
    uint8_t key[16], in[15];
    for (uint8_t i = 0; i < 16; i++) key[i] = i;
    for (uint8_t i = 0; i < 15; i++) in[i] = i;
    struct hash_key k = {load_u64(key), load_u64(key + 8)};
    assert_true(hash_bytes(k, bytes_of(in, sizeof in)) == 0xa129ca6149be45e5u);
}

static void mixing_minds_the_order(void **state)
{
    (void)state;
    assert_true(hash_mix(hash_mix(1, 2), 3) != hash_mix(hash_mix(1, 3), 2));
    assert_true(hash_mix(0, 0) != hash_mix(hash_mix(0, 0), 0));
}

static void streams_differ_by_name_and_stay_in_range(void **state)
{
    (void)state;
    struct prng a = prng_of(1, bytes_text("a")), again = a, b = prng_of(1, bytes_text("b"));
    unsigned same = 0, hits = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t x = prng_next(&a);
        assert_true(x == prng_next(&again));
        same += x == prng_next(&b);
        int64_t n = prng_between(&a, -3, 3);
        (void)prng_next(&again);
        assert_true(n >= -3 && n <= 3);
        hits += prng_chance(&b, 100000);
    }
    assert_int_equal(same, 0);
    assert_true(hits > 50 && hits < 170);
    assert_int_equal(prng_below(&a, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_gives_the_papers_value),
        cmocka_unit_test(mixing_minds_the_order),
        cmocka_unit_test(streams_differ_by_name_and_stay_in_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
