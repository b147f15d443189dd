/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void a_write_that_does_not_fit_writes_nothing(void **state)
{
    (void)state;
    char room[5] = "....";
    struct buf b = buf_on(room, 4);
    buf_put_text(&b, "ab");
    buf_put_text(&b, "cde");
    assert_true(b.full);
    buf_put_text(&b, "x"); /* would fit, but the message is broken */
    assert_int_equal(b.len, 2);
    assert_string_equal(room, "ab..");
}

static void decimals_and_signs(void **state)
{
    (void)state;
    char room[200];
    struct buf b = buf_on(room, sizeof room);
    buf_put_decimal(&b, -5, 2);
    buf_put_char(&b, ' ');
    buf_put_decimal(&b, 1234567890, 7);
    buf_put_char(&b, ' ');
    buf_put_i64(&b, INT64_MIN);
    buf_put_char(&b, ' ');
    buf_put_padded(&b, 7, 3);
    buf_put_char(&b, ' ');
    buf_put_hex64(&b, 0xabcu);
    assert_true(bytes_equal_text(buf_bytes(&b), "-0.05 123.4567890 -9223372036854775808 007 0000000000000abc"));
}

static void varints_come_back(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
        uint8_t room[10];
        struct buf b = buf_on(room, sizeof room);
        buf_put_varint(&b, values[i]);
        for (size_t cut = 0; cut < b.len; cut++) {
            struct bytes part = bytes_of(room, cut);
            uint64_t v;
            assert_int_equal(bytes_varint(&part, &v).code, ERR_MALFORMED);
        }
        struct bytes in = buf_bytes(&b);
        uint64_t v;
        assert_int_equal(bytes_varint(&in, &v).code, ERR_OK);
        assert_true(v == values[i] && in.len == 0);
    }
    struct bytes over = bytes_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
    uint64_t v;
    assert_int_equal(bytes_varint(&over, &v).code, ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_that_does_not_fit_writes_nothing),
        cmocka_unit_test(decimals_and_signs),
        cmocka_unit_test(varints_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
