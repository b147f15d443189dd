/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void numbers_are_digits_and_fit(void **state)
{
    (void)state;
    uint64_t v;
    assert_int_equal(bytes_u64(bytes_text("18446744073709551615"), 20, &v).code, ERR_OK);
    assert_true(v == UINT64_MAX);
    static const char *const bad[] = {"", "18446744073709551616", "-1", "+1", " 1", "1 ", "1e3", "0x1", "12345678901"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(bytes_u64(bytes_text(bad[i]), i == 1 ? 20 : 10, &v).code, ERR_MALFORMED);
    }
}

static void scaled_numbers_keep_their_decimals(void **state)
{
    (void)state;
    static const struct { const char *text; unsigned decimals; int64_t want; } good[] = {
        {"12.345", 2, 1234}, {"-0.5", 1, -5}, {".5", 3, 500}, {"7", 0, 7}, {"7.9", 0, 7}, {"+3.", 2, 300}};
    int64_t v;
    for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(bytes_scaled(bytes_text(good[i].text), good[i].decimals, &v).code, ERR_OK);
        assert_int_equal(v, good[i].want);
    }
    static const char *const bad[] = {"", ".", "-", "1.2.3", "nan", "1e5", "1234567890123456789"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(bytes_scaled(bytes_text(bad[i]), 2, &v).code, ERR_MALFORMED);
    }
    assert_int_equal(bytes_scaled(bytes_text("999999999999999999"), 6, &v).code, ERR_MALFORMED);
}

static void taking_never_passes_the_end(void **state)
{
    (void)state;
    struct bytes in = bytes_text("abc"), out;
    assert_int_equal(bytes_take(&in, 4, &out).code, ERR_MALFORMED);
    assert_int_equal(in.len, 3);
    assert_int_equal(bytes_take(&in, SIZE_MAX, &out).code, ERR_MALFORMED);
    assert_int_equal(bytes_take(&in, 3, &out).code, ERR_OK);
    assert_int_equal(in.len, 0);
}

static void splitting_gives_every_part(void **state)
{
    (void)state;
    struct bytes in = bytes_text("a,,b");
    assert_true(bytes_equal_text(bytes_split(&in, ','), "a"));
    assert_true(bytes_equal_text(bytes_split(&in, ','), ""));
    assert_true(bytes_equal_text(bytes_split(&in, ','), "b"));
    assert_int_equal(in.len, 0);
    assert_true(bytes_equal_text(bytes_trim(bytes_text(" \t x y ")), "x y"));
}

static void loads_are_little_endian(void **state)
{
    (void)state;
    uint8_t at[8];
    store_u64(at, 0x0123456789abcdefu);
    assert_int_equal(at[0], 0xef);
    assert_int_equal(load_u16(at), 0xcdef);
    assert_true(load_u32(at) == 0x89abcdefu && load_u64(at) == 0x0123456789abcdefu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_digits_and_fit),
        cmocka_unit_test(scaled_numbers_keep_their_decimals),
        cmocka_unit_test(taking_never_passes_the_end),
        cmocka_unit_test(splitting_gives_every_part),
        cmocka_unit_test(loads_are_little_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
