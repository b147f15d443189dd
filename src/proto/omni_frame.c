/* SPDX-License-Identifier: Apache-2.0 */
/* omni_frame.c: from bytes to fields, and the position among them. Every number is checked digit by digit. */
#include "proto/omni_frame.h"

#include <string.h>

#include "base/timetext.h"

#define MINUTE_E7 10000000 /* one minute of arc, in 1e-7 minutes */
#define ALT_MAX_MM 100000000
#define HDOP_MAX_MILLI 655350 /* what hdop_centi holds */

static struct err fields_split(struct bytes in, struct omni_frame *out);
static bool header_find(struct omni_frame *out);
static bool digits_only(struct bytes in);
static bool vendor_ok(struct bytes in);
static bool command_ok(struct bytes in);
static bool digits_read(const uint8_t *at, size_t count, uint32_t *out);
static bool is_char(struct bytes in, char c);
static void time_read(struct bytes time, struct bytes date, struct omni_fix *out, const char **why);
static bool decimal_read(struct bytes in, unsigned decimals, bool sign, int64_t *out);

struct err omni_frame_split(struct bytes in, struct omni_frame *out)
{
    if (in.len < 2 || in.at[0] != '*' || in.at[in.len - 1] != '#') return ERR(MALFORMED, "bad_frame");
    if (in.len > OMNI_FRAME_MAX) return ERR(MALFORMED, "too_long");
    TRY(fields_split(in, out));
    out->header = out->fields[0];
    if (!header_find(out)) return ERR(MALFORMED, "bad_header");
    if (out->field_count < 4) return ERR(MALFORMED, "too_few_fields");
    out->vendor = out->fields[1];
    if (!vendor_ok(out->vendor)) return ERR(MALFORMED, "bad_vendor");
    out->ident = out->fields[2];
    if (out->ident.len != 15 || !digits_only(out->ident)) return ERR(MALFORMED, "bad_imei");
    /* The clock is known by its shape alone: no command has twelve digits. */
    out->has_clock = out->fields[3].len == 12 && digits_only(out->fields[3]);
    out->clock = out->has_clock ? out->fields[3] : (struct bytes){0};
    unsigned at = out->has_clock ? 4 : 3;
    if (at >= out->field_count) return ERR(MALFORMED, "too_few_fields");
    out->command = out->fields[at];
    if (!command_ok(out->command)) return ERR(MALFORMED, "bad_command");
    out->first_param = at + 1;
    return NO_ERR;
}

unsigned omni_param_count(const struct omni_frame *f)
{
    return f->field_count - f->first_param;
}

struct bytes omni_param(const struct omni_frame *f, unsigned at)
{
    return at < omni_param_count(f) ? f->fields[f->first_param + at] : (struct bytes){0};
}

/* Eight bytes at once: a frame is split in a quarter of the time that a loop over its bytes takes, and splitting is
 * most of decoding. In a word, byte 0 is the lowest: that is so on every machine that we build for. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read in the order of their bytes");
#define ONES 0x0101010101010101u
#define HIGHS (ONES * 0x80)

/* The high bit of each byte of `v` that is zero, no other. */
static uint64_t zero_bytes(uint64_t v)
{
    return ~(((v & ~HIGHS) + ~HIGHS) | v | ~HIGHS);
}

/* A high bit somewhere: some byte of `v` is zero. Cheaper than zero_bytes, which says of each whether it is. */
static uint64_t some_zero(uint64_t v)
{
    return (v - ONES) & ~v;
}

/* A high bit somewhere: some byte is not printable, a space or a frame's edge. */
static uint64_t some_odd(uint64_t v)
{
    uint64_t low = (v - ONES * '!') & ~v;
    return v | low | some_zero(v ^ (ONES * '*')) | some_zero(v ^ (ONES * '#')) | some_zero(v ^ (ONES * 0x7f));
}

/* Slow and exact, for frames with some_odd: refuses, or trims. */
static struct err fields_check(struct bytes in, struct omni_frame *out)
{
    for (size_t i = 1; i + 1 < in.len; i++) {
        if (in.at[i] < ' ' || in.at[i] > '~') return ERR(MALFORMED, "bad_byte");
        if (in.at[i] == '*' || in.at[i] == '#') return ERR(MALFORMED, "bad_frame");
    }
    for (unsigned i = 0; i < out->field_count; i++) out->fields[i] = bytes_trim(out->fields[i]);
    return NO_ERR;
}

static struct err fields_split(struct bytes in, struct omni_frame *out)
{
    const uint8_t *end = in.at + in.len - 1, *from = in.at + 1;
    unsigned count = 0;
    uint64_t odd = 0;
    for (const uint8_t *at = from; at < end; at += 8) {
        uint64_t word = ONES * '0'; /* behind the end: nothing of note */
        if (end - at >= 8) {
            memcpy(&word, at, 8); /* a known length is one load */
        } else {
            memcpy(&word, at, (size_t)(end - at));
        }
        odd |= some_odd(word);
        for (uint64_t commas = zero_bytes(word ^ (ONES * ',')); commas; commas &= commas - 1) {
            const uint8_t *comma = at + __builtin_ctzll(commas) / 8;
            if (count == OMNI_FIELDS_MAX - 1) return ERR(MALFORMED, "too_many_fields");
            out->fields[count++] = (struct bytes){from, (size_t)(comma - from)};
            from = comma + 1;
        }
    }
    out->fields[count++] = (struct bytes){from, (size_t)(end - from)};
    out->field_count = count;
    return odd & HIGHS ? fields_check(in, out) : NO_ERR;
}

static bool header_find(struct omni_frame *out)
{
    if (out->header.len != 4) return false;
    for (uint8_t i = 1; i < OMNI_DIALECT_N; i++) {
        bool up = memcmp(out->header.at, omni_dialects[i].up, 4) == 0;
        if (!up && memcmp(out->header.at, omni_dialects[i].down, 4) != 0) continue;
        out->dialect = i;
        out->down = !up;
        return true;
    }
    return false;
}

static bool digits_only(struct bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        if ((uint8_t)(in.at[i] - '0') > 9) return false;
    }
    return true;
}

static bool capital(uint8_t c)
{
    return (uint8_t)(c - 'A') < 26;
}

static bool vendor_ok(struct bytes in)
{
    return in.len == 2 && capital(in.at[0]) && capital(in.at[1]);
}

static bool command_ok(struct bytes in)
{
    if (in.len < 2 || in.len > 3 || !capital(in.at[0])) return false;
    if ((uint8_t)(in.at[in.len - 1] - '0') <= 9) return in.len == 2 || capital(in.at[1]);
    return bytes_equal_text(in, "SC") || bytes_equal_text(in, "Re");
}

/* A decimal number that starts and ends with a digit, at most 10 bytes; a sign only where one is expected. */
static bool decimal_read(struct bytes in, unsigned decimals, bool sign, int64_t *out)
{
    if (in.len == 0 || in.len > 10) return false;
    size_t first = sign && in.at[0] == '-' && in.len > 1;
    if ((uint8_t)(in.at[first] - '0') > 9 || (uint8_t)(in.at[in.len - 1] - '0') > 9) return false;
    return bytes_scaled(in, decimals, out).code == ERR_OK;
}

struct angle_reasons { const char *not_number, *minutes, *range, *letter; };

/* ddmm.mmmm with `whole` digits of degrees, and its letter: positive, negative. NULL, or the reason why not. */
static const char *angle_read(struct bytes in, unsigned whole, struct bytes letter, const char *letters,
                              const struct angle_reasons *why, int32_t *out_e7)
{
    static const uint32_t unit_e7[] = {10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    uint32_t degrees, minutes, part = 0;
    size_t point = whole + 2, digits = in.len > point ? in.len - point - 1 : 0; /* of the fraction */
    if (in.len < point || digits > 7) return why->not_number;
    if (in.len > point && (in.at[point] != '.' || digits == 0)) return why->not_number;
    if (!digits_read(in.at, whole, &degrees) || !digits_read(in.at + whole, 2, &minutes)) return why->not_number;
    if (!digits_read(in.at + point + 1, digits, &part)) return why->not_number;
    int64_t minutes_e7 = (int64_t)minutes * MINUTE_E7 + (int64_t)part * unit_e7[digits];
    if (minutes_e7 >= (int64_t)60 * MINUTE_E7) return why->minutes;
    /* 1e-7 minutes / 60 = 1e-7 degrees, rounded to the nearest. */
    int64_t e7 = (int64_t)degrees * 10000000 + (minutes_e7 + 30) / 60;
    if (e7 > (whole == 2 ? 900000000 : 1800000000)) return why->range;
    if (letter.len != 1 || (letter.at[0] != letters[0] && letter.at[0] != letters[1])) return why->letter;
    *out_e7 = (int32_t)(letter.at[0] == letters[1] ? -e7 : e7);
    return NULL;
}

struct err omni_fix_read(const struct omni_frame *f, struct omni_fix *out)
{
    static const struct angle_reasons lat_why = {"latitude_not_number", "latitude_minutes", "latitude_range",
                                                 "latitude_letter"};
    static const struct angle_reasons lon_why = {"longitude_not_number", "longitude_minutes", "longitude_range",
                                                 "longitude_letter"};
    if (omni_param_count(f) < OMNI_FIX_PARAMS) return ERR(MALFORMED, "too_few_parameters");
    const struct bytes *p = f->fields + f->first_param;
    *out = (struct omni_fix){.flags = p[0], .mode = p[12]};
    if (out->flags.len > 10 || !digits_only(out->flags)) return ERR(MALFORMED, "flag_not_number");
    const char *why = NULL;
    time_read(p[1], p[9], out, &why);
    if (is_char(p[2], 'V')) return NO_ERR; /* a bad time matters only with a position */
    if (!is_char(p[2], 'A')) return ERR(MALFORMED, "fix_status");
    if (why) return (struct err){ERR_MALFORMED, why};
    why = angle_read(p[3], 2, p[4], "NS", &lat_why, &out->lat_e7);
    if (why) return (struct err){ERR_MALFORMED, why};
    why = angle_read(p[5], 3, p[6], "EW", &lon_why, &out->lon_e7);
    if (why) return (struct err){ERR_MALFORMED, why};

    struct bytes sats = p[7], hdop = p[8], alt = p[10];
    uint32_t sat_count = 0;
    int64_t hdop_milli = 0, alt_mm = 0;
    out->has_sats = sats.len != 0;
    if (sats.len && (sats.len > 3 || !digits_read(sats.at, sats.len, &sat_count) || sat_count > UINT8_MAX)) {
        return ERR(MALFORMED, "satellites_not_number");
    }
    out->has_hdop = hdop.len != 0;
    if (hdop.len && !decimal_read(hdop, 3, false, &hdop_milli)) return ERR(MALFORMED, "hdop_not_number");
    if (hdop_milli > HDOP_MAX_MILLI) return ERR(MALFORMED, "hdop_range");
    out->has_alt = alt.len != 0;
    if (alt.len && !decimal_read(alt, 3, true, &alt_mm)) return ERR(MALFORMED, "altitude_not_number");
    if (alt_mm > ALT_MAX_MM || alt_mm < -ALT_MAX_MM) return ERR(MALFORMED, "altitude_range");
    if (p[11].len && !is_char(p[11], 'M')) return ERR(MALFORMED, "altitude_unit");
    if (out->mode.len > 1) return ERR(MALFORMED, "fix_mode");
    out->sats = (uint8_t)sat_count;
    out->hdop_milli = (int32_t)hdop_milli;
    out->alt_mm = (int32_t)alt_mm;
    out->valid = true;
    return NO_ERR;
}

/* Exactly `count` digits, at most nine. */
static bool digits_read(const uint8_t *at, size_t count, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t digit = (uint8_t)(at[i] - '0');
        if (digit > 9) return false;
        *out = *out * 10 + digit;
    }
    return true;
}

static bool is_char(struct bytes in, char c)
{
    return in.len == 1 && in.at[0] == (uint8_t)c;
}

/* Three two-digit numbers, as in hhmmss and ddmmyy. */
static bool pairs_read(const uint8_t *at, uint8_t out[3])
{
    for (int i = 0; i < 3; i++) {
        uint8_t tens = (uint8_t)(at[2 * i] - '0'), ones = (uint8_t)(at[2 * i + 1] - '0');
        if (tens > 9 || ones > 9) return false;
        out[i] = (uint8_t)(tens * 10 + ones);
    }
    return true;
}

/* hhmmss[.s...] and, unless it is empty, ddmmyy. */
static void time_read(struct bytes time, struct bytes date, struct omni_fix *out, const char **why)
{
    uint8_t clock[3], day[3] = {1, 1, 70};
    int64_t second_ms = 0;
    *why = "time_not_number";
    if (time.len < 6 || !pairs_read(time.at, clock)) return;
    if (time.len > 6 && time.at[6] != '.') return;
    if (time.len > 6 && !decimal_read(bytes_of(time.at + 4, time.len - 4), 3, false, &second_ms)) return;
    *why = "date_not_number";
    if (date.len && (date.len != 6 || !pairs_read(date.at, day))) return;
    struct civil c = {
        .year = date.len ? 2000 + day[2] : 1970, .month = day[1], .day = day[0],
        .hour = clock[0], .minute = clock[1], .second = clock[2], .ms = (uint16_t)(second_ms % 1000),
    };
    *why = "time_range";
    if (civil_to_ms(c, &out->ms).code) return;
    *why = NULL;
    out->has_time = true;
    out->has_date = date.len != 0;
}
