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
static void time_read(const struct omni_frame *f, struct omni_fix *out, const char **why);
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

static struct err fields_split(struct bytes in, struct omni_frame *out)
{
    const uint8_t *end = in.at + in.len - 1, *from = in.at + 1;
    unsigned count = 0;
    for (const uint8_t *at = from;; at++) {
        if (at != end) {
            if ((uint8_t)(*at - 0x20) > 0x7e - 0x20) return ERR(MALFORMED, "bad_byte");
            if (*at == '*' || *at == '#') return ERR(MALFORMED, "bad_frame");
            if (*at != ',') continue;
        }
        if (count == OMNI_FIELDS_MAX) return ERR(MALFORMED, "too_many_fields");
        struct bytes field = {from, (size_t)(at - from)};
        if (field.len && (field.at[0] == ' ' || field.at[field.len - 1] == ' ')) field = bytes_trim(field);
        out->fields[count++] = field;
        if (at == end) break;
        from = at + 1;
    }
    out->field_count = count;
    return NO_ERR;
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
    if (bytes_equal_text(in, "SC") || bytes_equal_text(in, "Re")) return true;
    return (uint8_t)(in.at[in.len - 1] - '0') <= 9 && (in.len == 2 || capital(in.at[1]));
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
    uint64_t degrees;
    int64_t minutes_e7;
    if (in.len < whole + 2) return why->not_number;
    struct bytes rest = {in.at + whole, in.len - whole};
    if (bytes_u64(bytes_of(in.at, whole), whole, &degrees).code) return why->not_number;
    if (rest.len > 2 && rest.at[2] != '.') return why->not_number;
    if (!decimal_read(rest, 7, false, &minutes_e7)) return why->not_number;
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
    *out = (struct omni_fix){.flags = omni_param(f, 0), .mode = omni_param(f, 12)};
    if (omni_param_count(f) < OMNI_FIX_PARAMS) return ERR(MALFORMED, "too_few_parameters");
    if (out->flags.len > 10 || !digits_only(out->flags)) return ERR(MALFORMED, "flag_not_number");
    const char *why = NULL;
    time_read(f, out, &why);
    if (bytes_equal_text(omni_param(f, 2), "V")) return NO_ERR; /* a bad time matters only with a position */
    if (!bytes_equal_text(omni_param(f, 2), "A")) return ERR(MALFORMED, "fix_status");
    if (why) return (struct err){ERR_MALFORMED, why};
    why = angle_read(omni_param(f, 3), 2, omni_param(f, 4), "NS", &lat_why, &out->lat_e7);
    if (why) return (struct err){ERR_MALFORMED, why};
    why = angle_read(omni_param(f, 5), 3, omni_param(f, 6), "EW", &lon_why, &out->lon_e7);
    if (why) return (struct err){ERR_MALFORMED, why};

    struct bytes sats = omni_param(f, 7), hdop = omni_param(f, 8), alt = omni_param(f, 10);
    uint64_t sat_count = 0;
    int64_t hdop_milli = 0, alt_mm = 0;
    out->has_sats = sats.len != 0;
    if (sats.len && (bytes_u64(sats, 3, &sat_count).code || sat_count > UINT8_MAX)) {
        return ERR(MALFORMED, "satellites_not_number");
    }
    out->has_hdop = hdop.len != 0;
    if (hdop.len && !decimal_read(hdop, 3, false, &hdop_milli)) return ERR(MALFORMED, "hdop_not_number");
    if (hdop_milli > HDOP_MAX_MILLI) return ERR(MALFORMED, "hdop_range");
    out->has_alt = alt.len != 0;
    if (alt.len && !decimal_read(alt, 3, true, &alt_mm)) return ERR(MALFORMED, "altitude_not_number");
    if (alt_mm > ALT_MAX_MM || alt_mm < -ALT_MAX_MM) return ERR(MALFORMED, "altitude_range");
    if (omni_param(f, 11).len && !bytes_equal_text(omni_param(f, 11), "M")) return ERR(MALFORMED, "altitude_unit");
    if (out->mode.len > 1) return ERR(MALFORMED, "fix_mode");
    out->sats = (uint8_t)sat_count;
    out->hdop_milli = (int32_t)hdop_milli;
    out->alt_mm = (int32_t)alt_mm;
    out->valid = true;
    return NO_ERR;
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
static void time_read(const struct omni_frame *f, struct omni_fix *out, const char **why)
{
    struct bytes time = omni_param(f, 1), date = omni_param(f, 9);
    uint8_t clock[3], day[3] = {1, 1, 70};
    int64_t second_ms = 0;
    *why = "time_not_number";
    if (time.len < 6 || !pairs_read(time.at, clock)) return;
    if (time.len > 6 && (time.at[6] != '.' || !decimal_read(bytes_of(time.at + 4, time.len - 4), 3, false, &second_ms))) {
        return;
    }
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
