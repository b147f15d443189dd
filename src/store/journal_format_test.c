/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "store/journal_format.h"

#define SALT 0x1122334455667788ull

static void assert_hex(const uint8_t *at, size_t len, const char *want)
{
    char text[512];
    struct buf b = buf_on(text, sizeof text - 1);
    buf_put_hex(&b, bytes_of(at, len));
    assert_false(b.full);
    text[b.len] = '\0';
    assert_string_equal(text, want);
}

static struct journal_header sample_header(void)
{
    return (struct journal_header){
        .number = 3,
        .first_seq = 1000,
        .first_time_ms = 1795478400123,
        .salt = SALT,
        .segment_bytes = 256u << 20,
        .prev_crc = 0xdeadbeef,
    };
}

static struct journal_record sample_record(void)
{
    return (struct journal_record){
        .seq = 1000,
        .time_ms = 1795478400123,
        .build = 0x0102030405060708,
        .effects_sum = 0xa1a2a3a4a5a6a7a8,
        .payload = bytes_text("a bike"),
        .prev_crc = 0xdeadbeef,
    };
}

static void test_golden_bytes_of_a_segment_header(void **s)
{
    (void)s;
    uint8_t bytes[JOURNAL_HEADER_BYTES];
    struct journal_header h = sample_header(), back;
    journal_header_write(&h, bytes);
    assert_hex(bytes, JOURNAL_HEADER_USED,
               "504144444f434b4a01000000001000000300000000000000e803000000000000"
               "7b2cda0aa201000088776655443322110000001000000000efbeadde75f6240e");
    for (size_t i = JOURNAL_HEADER_USED; i < sizeof bytes; i++) assert_int_equal(bytes[i], 0);
    assert_int_equal(journal_header_read(bytes_of(bytes, sizeof bytes), &back).code, ERR_OK);
    assert_int_equal(back.number, h.number);
    assert_int_equal(back.first_seq, h.first_seq);
    assert_int_equal(back.first_time_ms, h.first_time_ms);
    assert_int_equal(back.salt, h.salt);
    assert_int_equal(back.segment_bytes, h.segment_bytes);
    assert_int_equal(back.prev_crc, h.prev_crc);
}

static void test_golden_bytes_of_a_record(void **s)
{
    (void)s;
    uint8_t bytes[128];
    struct journal_record r = sample_record(), back;
    struct journal_head head;
    size_t len = journal_record_bytes(r.payload.len);
    assert_int_equal(len, 64);
    memset(bytes, 0xee, sizeof bytes);
    uint32_t crc = journal_record_write(&r, SALT, 2, bytes);
    assert_hex(bytes, len,
               "4a52454306000000e8030000000000007b2cda0aa20100000807060504030201"
               "a8a7a6a5a4a3a2a1efbeadde02007588612062696b6500000000000092909fa8");
    assert_int_equal(bytes[len], 0xee);
    assert_int_equal(journal_record_read(bytes_of(bytes, len), SALT, &head, &back).code, ERR_OK);
    assert_int_equal(head.bytes, len);
    assert_int_equal(head.batch, 2);
    assert_int_equal(back.crc, crc);
    assert_int_equal(back.seq, r.seq);
    assert_int_equal(back.time_ms, r.time_ms);
    assert_int_equal(back.build, r.build);
    assert_int_equal(back.effects_sum, r.effects_sum);
    assert_int_equal(back.prev_crc, r.prev_crc);
    assert_true(bytes_equal_text(back.payload, "a bike"));
    /* The batch is not in the chain: a copy syncs in other batches. */
    assert_int_equal(journal_record_write(&r, SALT, 77, bytes), crc);
}

static void test_every_single_bit_of_a_record_counts(void **s)
{
    (void)s;
    uint8_t bytes[64];
    struct journal_record r = sample_record(), back;
    struct journal_head head;
    journal_record_write(&r, SALT, 0, bytes);
    for (unsigned bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct err e = journal_record_read(bytes_of(bytes, sizeof bytes), SALT, &head, &back);
        assert_int_equal(e.code, ERR_MALFORMED);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(journal_record_read(bytes_of(bytes, 64), SALT, &head, &back).code, ERR_OK);
    assert_int_equal(journal_record_read(bytes_of(bytes, 63), SALT, &head, &back).code, ERR_MALFORMED);
    assert_int_equal(journal_record_read(bytes_of(bytes, 64), SALT + 1, &head, &back).code,
                     ERR_MALFORMED);
}

static void test_payloads_of_every_length_come_back(void **s)
{
    (void)s;
    uint8_t bytes[256], payload[100];
    struct journal_record r = sample_record(), back;
    struct journal_head head;
    for (size_t i = 0; i < sizeof payload; i++) payload[i] = (uint8_t)(i * 7 + 1);
    for (size_t len = 0; len <= sizeof payload; len++) {
        r.payload = bytes_of(payload, len);
        size_t room = journal_record_bytes(len);
        assert_true(room % 8 == 0 && room >= len + 52 && room < len + 60);
        journal_record_write(&r, SALT, 0, bytes);
        assert_int_equal(journal_record_read(bytes_of(bytes, room), SALT, &head, &back).code, ERR_OK);
        assert_true(bytes_equal(back.payload, r.payload));
    }
}

static void test_the_mark_holds_while_one_slot_is_half_written(void **s)
{
    (void)s;
    _Alignas(8) uint8_t mark[JOURNAL_MARK_BYTES] = {0};
    uint64_t seq;
    assert_false(journal_mark_read(mark, SALT, &seq));
    journal_mark_write(mark, SALT, 0, 0);
    assert_true(journal_mark_read(mark, SALT, &seq));
    assert_int_equal(seq, 0);
    journal_mark_write(mark, SALT, 7, 1);
    assert_true(journal_mark_read(mark, SALT, &seq));
    assert_int_equal(seq, 7);
    mark[0] = 9; /* slot 0: the new seq is there, its check is not */
    assert_true(journal_mark_read(mark, SALT, &seq));
    assert_int_equal(seq, 7);
    assert_false(journal_mark_read(mark, SALT ^ 1, &seq));
}

static void test_names_are_read_as_they_are_written_and_others_are_left_alone(void **s)
{
    (void)s;
    char name[JOURNAL_NAME_MAX];
    uint64_t number;
    journal_name_write(JOURNAL_NAME_SEGMENT, 0x1a2b, name);
    assert_string_equal(name, "0000000000001a2b.seg");
    assert_int_equal(journal_name_read(name, &number), JOURNAL_NAME_SEGMENT);
    assert_int_equal(number, 0x1a2b);
    journal_name_write(JOURNAL_NAME_SPARE, 1ull << 63, name);
    assert_string_equal(name, "spare-8000000000000000");
    assert_int_equal(journal_name_read(name, &number), JOURNAL_NAME_SPARE);
    assert_true(number == 1ull << 63);
    static const char *const others[] = {
        "", "committed", "1.seg", "000000000000001A.seg", "0000000000000001.seg~",
        "0000000000000001", "00000000000000001.seg", "spare-1", "spare_0000000000000001",
        "spare-0000000000000001.seg",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(journal_name_read(others[i], &number), JOURNAL_NAME_OTHER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_bytes_of_a_segment_header),
        cmocka_unit_test(test_golden_bytes_of_a_record),
        cmocka_unit_test(test_every_single_bit_of_a_record_counts),
        cmocka_unit_test(test_payloads_of_every_length_come_back),
        cmocka_unit_test(test_the_mark_holds_while_one_slot_is_half_written),
        cmocka_unit_test(test_names_are_read_as_they_are_written_and_others_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
