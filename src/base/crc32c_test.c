/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"

static void test_known_answers(void **s)
{
    (void)s;
    uint8_t zeros[32] = {0}, ones[32];
    memset(ones, 0xff, sizeof ones);
    /* The first is the check value of every CRC catalogue, the others are RFC 3720 B.4. */
    assert_int_equal(crc32c(0, bytes_text("123456789")), 0xe3069283u);
    assert_int_equal(crc32c(0, bytes_of(zeros, 32)), 0x8a9136aau);
    assert_int_equal(crc32c(0, bytes_of(ones, 32)), 0x62a8ab43u);
    assert_int_equal(crc32c(0, bytes_of(zeros, 0)), 0);
    assert_int_equal(crc32c_portable(0, bytes_text("123456789")), 0xe3069283u);
}

static void test_instruction_and_table_agree_at_every_length_and_alignment(void **s)
{
    (void)s;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 131 + (i >> 3));
    for (size_t from = 0; from < 9; from++) {
        for (size_t len = 0; from + len <= sizeof data; len++) {
            struct bytes part = bytes_of(data + from, len);
            assert_int_equal(crc32c((uint32_t)len, part), crc32c_portable((uint32_t)len, part));
        }
    }
}

static void test_parts_chain_to_the_whole(void **s)
{
    (void)s;
    const uint8_t *text = (const uint8_t *)"a frame becomes a durable fact, a fact becomes a ride";
    size_t len = strlen((const char *)text);
    for (size_t cut = 0; cut <= len; cut++) {
        uint32_t crc = crc32c(crc32c(0, bytes_of(text, cut)), bytes_of(text + cut, len - cut));
        assert_int_equal(crc, crc32c_portable(0, bytes_of(text, len)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_instruction_and_table_agree_at_every_length_and_alignment),
        cmocka_unit_test(test_parts_chain_to_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
