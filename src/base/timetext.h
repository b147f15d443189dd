/* SPDX-License-Identifier: Apache-2.0 */
/* timetext.h: civil time in UTC, without the C library's clock or time zones. Pure, integer only. */
#ifndef BASE_TIMETEXT_H
#define BASE_TIMETEXT_H

#include "base/buf.h"

struct civil { int32_t year; uint8_t month, day, hour, minute, second; uint16_t ms; };

struct civil civil_of_ms(int64_t ms);
/* INVALID when a member is out of range (leap seconds are read as second 59). Years 1970 to 9999. */
MUST_USE struct err civil_to_ms(struct civil c, int64_t *ms);
void buf_put_time_ms(struct buf *b, int64_t ms); /* 2026-11-23T22:46:00.123Z; without .123 when whole seconds */

#endif
