/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timetext.h"

#define DAY_MS 86400000

/* Days since 1970-01-01 of the first day of March in `year`, counting years from March so that a leap day ends one. */
static int64_t days_before_march(int64_t year)
{
    return 365 * year + year / 4 - year / 100 + year / 400 - 719468;
}

static int month_days(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

struct civil civil_of_ms(int64_t ms)
{
    int64_t days = ms / DAY_MS, rest = ms % DAY_MS;
    if (rest < 0) {
        rest += DAY_MS;
        days--;
    }
    int64_t year = (days + 719468) * 400 / 146097;
    while (days_before_march(year) > days) year--;
    while (days_before_march(year + 1) <= days) year++;
    int64_t in_year = days - days_before_march(year);
    int64_t march_month = (5 * in_year + 2) / 153;
    int64_t day = in_year - (153 * march_month + 2) / 5 + 1;
    int month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    if (month <= 2) year++;
    return (struct civil){
        .year = (int32_t)year, .month = (uint8_t)month, .day = (uint8_t)day,
        .hour = (uint8_t)(rest / 3600000), .minute = (uint8_t)(rest / 60000 % 60),
        .second = (uint8_t)(rest / 1000 % 60), .ms = (uint16_t)(rest % 1000),
    };
}

struct err civil_to_ms(struct civil c, int64_t *ms)
{
    if (c.year < 1970 || c.year > 9999 || c.month < 1 || c.month > 12) return ERR(INVALID, "the date is out of range");
    if (c.day < 1 || c.day > month_days(c.year, c.month)) return ERR(INVALID, "the day is not in that month");
    if (c.hour > 23 || c.minute > 59 || c.second > 60 || c.ms > 999) return ERR(INVALID, "the time of day is out of range");
    if (c.second == 60) c.second = 59;
    int64_t year = c.month <= 2 ? c.year - 1 : c.year;
    int64_t march_month = c.month <= 2 ? c.month + 9 : c.month - 3;
    int64_t days = days_before_march(year) + (153 * march_month + 2) / 5 + c.day - 1;
    *ms = ((days * 24 + c.hour) * 60 + c.minute) * 60000 + c.second * 1000 + c.ms;
    return NO_ERR;
}

void buf_put_time_ms(struct buf *b, int64_t ms)
{
    struct civil c = civil_of_ms(ms);
    buf_put_padded(b, (uint64_t)c.year, 4);
    buf_put_char(b, '-');
    buf_put_padded(b, c.month, 2);
    buf_put_char(b, '-');
    buf_put_padded(b, c.day, 2);
    buf_put_char(b, 'T');
    buf_put_padded(b, c.hour, 2);
    buf_put_char(b, ':');
    buf_put_padded(b, c.minute, 2);
    buf_put_char(b, ':');
    buf_put_padded(b, c.second, 2);
    if (c.ms) {
        buf_put_char(b, '.');
        buf_put_padded(b, c.ms, 3);
    }
    buf_put_char(b, 'Z');
}
