/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/timetext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void commas_and_escapes_are_right(void **state)
{
    (void)state;
    char room[300];
    struct buf b = buf_on(room, sizeof room);
    struct json j = json_on(&b);
    json_open(&j, '{');
    json_name(&j, "a");
    json_text(&j, bytes_text("q\"b\\\n\x01\xff\xc3\xa9\xed\xa0\x80"));
    json_name(&j, "b");
    json_open(&j, '[');
    json_u64(&j, 1);
    json_bool(&j, true);
    json_null(&j);
    json_open(&j, '{');
    json_close(&j, '}');
    json_close(&j, ']');
    json_name(&j, "lat");
    json_decimal(&j, -577089000, 7);
    json_close(&j, '}');
    assert_true(bytes_equal_text(buf_bytes(&b), "{\"a\":\"q\\\"b\\\\\\u000a\\u0001\xef\xbf\xbd\xc3\xa9"
                                 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"b\":[1,true,null,{}],\"lat\":-57.7089000}"));
}

static void every_day_of_four_centuries_comes_back(void **state)
{
    (void)state;
    int last_month = 12;
    for (int64_t day = 0; day < 146097; day++) {
        struct civil c = civil_of_ms(day * 86400000 + 3723004);
        int64_t ms;
        assert_int_equal(civil_to_ms(c, &ms).code, ERR_OK);
        assert_true(ms == day * 86400000 + 3723004);
        if (c.day == 1) assert_int_equal(c.month, last_month % 12 + 1);
        last_month = c.month;
    }
    struct civil leap = civil_of_ms(951782400000); /* 2000-02-29 */
    assert_true(leap.year == 2000 && leap.month == 2 && leap.day == 29);
}

static void impossible_dates_are_refused(void **state)
{
    (void)state;
    int64_t ms;
    assert_int_equal(civil_to_ms((struct civil){.year = 2023, .month = 2, .day = 29}, &ms).code, ERR_INVALID);
    assert_int_equal(civil_to_ms((struct civil){.year = 2024, .month = 2, .day = 29}, &ms).code, ERR_OK);
    assert_int_equal(civil_to_ms((struct civil){.year = 2024, .month = 13, .day = 1}, &ms).code, ERR_INVALID);
    assert_int_equal(civil_to_ms((struct civil){.year = 2024, .month = 1, .day = 1, .hour = 24}, &ms).code, ERR_INVALID);
    char room[40];
    struct buf b = buf_on(room, sizeof room);
    buf_put_time_ms(&b, 1790000000007);
    assert_true(bytes_equal_text(buf_bytes(&b), "2026-09-21T14:13:20.007Z"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_escapes_are_right),
        cmocka_unit_test(every_day_of_four_centuries_comes_back),
        cmocka_unit_test(impossible_dates_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
