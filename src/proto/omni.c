/* SPDX-License-Identifier: Apache-2.0 */
/* omni.c: the OMNI codec's way in: is it ours, where is the next frame, what does it say.
 *
 * A stream between frames may hold CR, LF, space, NUL and FF without a word. Anything else there is noise. A frame is
 * what stands between the last `*` and the next `#`; a `*` without `#` for OMNI_FRAME_MAX bytes is noise up to the
 * next `*`. All of that is decided front to back, so it does not depend on how the bytes were split. */
#include "proto/omni_frame.h"

#include <string.h>

static uint32_t omni_caps(uint8_t dialect);
static enum sniff omni_sniff(struct bytes head);
static void omni_mask(uint8_t *frame, size_t len);

const struct codec omni_codec = {
    .name = "omni",
    .protocol = PROTOCOL_OMNI,
    .frame_max = OMNI_FRAME_MAX,
    .sniff = omni_sniff,
    .cut = omni_cut,
    .decode = omni_decode,
    .encode_ack = omni_encode_ack,
    .encode = omni_encode,
    .caps = omni_caps,
    .describe = omni_describe,
    .mask = omni_mask,
};

static bool filling(uint8_t c)
{
    return c == '\n' || c == '\r' || c == ' ' || c == 0 || c == 0xff;
}

struct cut omni_cut(struct bytes in)
{
    struct cut cut = {0};
    while (cut.skip < in.len && filling(in.at[cut.skip])) cut.skip++;
    for (;;) {
        struct bytes rest = {in.at + cut.skip, in.len - cut.skip};
        size_t star = bytes_find(rest, '*');
        if (star) cut.noise = true;
        cut.skip += star;
        if (star == rest.len) return cut;
        struct bytes frame = {in.at + cut.skip, in.len - cut.skip};
        if (frame.len > OMNI_FRAME_MAX) frame.len = OMNI_FRAME_MAX;
        size_t end = bytes_find(frame, '#');
        bool whole = end < frame.len;
        struct bytes inside = {frame.at + 1, (whole ? end : frame.len) - 1};
        size_t again = bytes_find(inside, '*');
        if (again == inside.len && whole) {
            cut.len = end + 1;
            return cut;
        }
        if (again == inside.len && frame.len < OMNI_FRAME_MAX) return cut;
        /* Began anew, or too long: what stands before the next `*` is thrown away. */
        cut.skip += 1 + again;
        cut.noise = true;
    }
}

static enum sniff omni_sniff(struct bytes head)
{
    size_t at = 0;
    while (at < head.len && filling(head.at[at])) at++;
    if (at > OMNI_SNIFF_MAX) return SNIFF_NO;
    if (at == head.len) return SNIFF_MORE;
    if (head.at[at++] != '*') return SNIFF_NO;
    while (at < head.len && head.at[at] == ' ') at++;
    if (at > OMNI_SNIFF_MAX) return SNIFF_NO;
    size_t n = head.len - at < 4 ? head.len - at : 4;
    for (unsigned i = 1; i < OMNI_DIALECT_N; i++) {
        if (n == 0 || memcmp(head.at + at, omni_dialects[i].up, n) == 0) return n == 4 ? SNIFF_YES : SNIFF_MORE;
    }
    return SNIFF_NO;
}

static uint32_t omni_caps(uint8_t dialect)
{
    return dialect < OMNI_DIALECT_N ? omni_dialects[dialect].caps : 0;
}

struct err omni_decode(struct bytes frame, struct message *out)
{
    struct omni_frame f;
    TRY(omni_frame_split(frame, &f));
    return omni_decode_frame(&f, out);
}

static struct err decode_fix(const struct omni_frame *f, struct message *out)
{
    struct omni_fix fix;
    TRY(omni_fix_read(f, &fix));
    if (!fix.valid) {
        out->has |= HAS_NO_FIX;
        return NO_ERR;
    }
    out->has |= HAS_POSITION | (fix.has_date ? HAS_FIX_TIME : HAS_FIX_SECOND);
    out->lat_e7 = fix.lat_e7;
    out->lon_e7 = fix.lon_e7;
    out->sats = fix.sats;
    out->hdop_centi = (uint16_t)(fix.hdop_milli / 10);
    out->alt_dm = fix.alt_mm / 100;
    out->fix_ms = fix.ms;
    return NO_ERR;
}

static struct err decode_user(const struct omni_field *field, struct bytes param, struct message *out)
{
    uint32_t user;
    if (param.len > OMNI_USER_MAX) return ERR(MALFORMED, "user_too_long");
    out->user_word = omni_field_read(field, param, &user).code != ERR_OK;
    if (!out->user_word) out->user = user;
    return NO_ERR;
}

static struct err decode_fields(const struct omni_frame *f, const struct omni_shape *shape, struct message *out)
{
    for (unsigned i = 0; i < shape->field_count; i++) {
        const struct omni_field *field = &shape->fields[i];
        struct bytes param = omni_param(f, i);
        uint32_t wire;
        if (param.len == 0) {
            if (field->needed) return ERR(MALFORMED, "empty_parameter");
            continue; /* an empty field means absent */
        }
        if (field->form == OMNI_TEXT) continue;
        if (field->form == OMNI_USER) {
            TRY(decode_user(field, param, out));
            continue;
        }
        TRY(omni_field_read(field, param, &wire));
        omni_member_set(out, field, omni_field_ours(field, wire));
        out->has |= field->has;
    }
    return NO_ERR;
}

struct err omni_decode_frame(const struct omni_frame *f, struct message *out)
{
    if (f->down) return ERR(MALFORMED, "wrong_direction");
    *out = (struct message){.kind = MESSAGE_OPAQUE, .dialect = f->dialect, .command = f->command};
    TRY(text_set(&out->vendor, f->vendor));
    TRY(text_set(&out->ident, f->ident));
    unsigned count = omni_param_count(f);
    const struct omni_shape *shape = omni_shape_find(f->command, f->dialect, count);
    if (!shape) return NO_ERR;
    if (count < shape->required) return ERR(MALFORMED, "too_few_parameters");
    if (shape->most && count > shape->most) return ERR(MALFORMED, "too_many_parameters");
    out->kind = shape->kind;
    out->op = shape->op;
    out->must_ack = (shape->acked & OMNI_BIT(f->dialect)) != 0;
    out->has = shape->has;
    if (shape->fix) return decode_fix(f, out);
    TRY(decode_fields(f, shape, out));
    if (f->dialect == OMNI_CMDR && (out->has & HAS_IOT_MV)) {
        out->has |= HAS_BATTERY;
        out->battery_pct = omni_battery_pct(out->iot_mv);
    }
    return NO_ERR;
}

uint8_t omni_battery_pct(uint32_t battery_mv)
{
    /* The vendor's curve: every ten percent, straight lines between. */
    static const uint16_t curve_mv[] = {3400, 3550, 3590, 3620, 3640, 3700, 3760, 3830, 3910, 4010, 4120};
    if (battery_mv <= curve_mv[0]) return 0;
    for (unsigned i = 1; i < sizeof curve_mv / sizeof curve_mv[0]; i++) {
        if (battery_mv >= curve_mv[i]) continue;
        unsigned low_mv = curve_mv[i - 1], span_mv = curve_mv[i] - low_mv;
        return (uint8_t)(10 * (i - 1) + 10 * (battery_mv - low_mv) / span_mv);
    }
    return 100;
}

/* A refused frame is logged too, so this trusts nothing about its shape: behind a field K0 or K1 all is a secret. */
static void omni_mask(uint8_t *frame, size_t len)
{
    bool secret = false;
    size_t from = 0;
    if (!len || !memchr(frame, 'K', len)) return; /* most frames: every one of them comes by here */
    for (size_t at = 0; at < len; at++) {
        if (frame[at] == ',' || frame[at] == '*' || frame[at] == '#') {
            struct bytes field = bytes_trim(bytes_of(frame + from, at - from));
            secret = secret || bytes_equal_text(field, "K0") || bytes_equal_text(field, "K1");
            from = at + 1;
        } else if (secret) {
            frame[at] = 'x';
        }
    }
}
