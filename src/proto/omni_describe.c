/* SPDX-License-Identifier: Apache-2.0 */
/* omni_describe.c: an OMNI frame, either direction, as JSON for people and for `paddock decode`.
 *
 * Downstream frames are told from upstream ones by the octets FF FF (or the text "0xFFFF" of some servers) before
 * them; a ...S header without them is what a vehicle must not send. Secrets are shown: masking is the logger's. */
#include "proto/omni_frame.h"

#include "base/json.h"
#include "base/timetext.h"

static void describe_stream(struct bytes chunk, struct buf *out);
static bool describe_one(struct bytes chunk, struct cut cut, struct json *j);
static bool alone(struct bytes chunk, struct cut cut, bool *noise);
static bool preamble(struct bytes before);
static void put_fields(const struct omni_frame *f, const struct message *m, size_t frame_len, struct json *j);
static const char *remark(const struct omni_frame *f, const struct message *m, size_t frame_len);
static void put_fix(const struct omni_frame *f, struct json *j);
static void put_error(struct json *j, struct err e);

void omni_describe(struct bytes chunk, struct buf *out)
{
    bool noise;
    struct cut cut = omni_cut(chunk);
    if (cut.len && !alone(chunk, cut, &noise)) {
        describe_stream(chunk, out);
        return;
    }
    struct json j = json_on(out);
    json_open(&j, '{');
    if (cut.len == 0) {
        bool cut_short = cut.skip < chunk.len;
        put_error(&j, cut_short ? ERR(MALFORMED, "frame_not_ended") : ERR(MALFORMED, "no_frame"));
    } else if (describe_one(chunk, cut, &j) && noise) {
        json_name(&j, "noise");
        json_bool(&j, true);
    }
    json_close(&j, '}');
}

/* No second frame stands behind the first; `noise` tells of bytes that are no filling before or after it. */
static bool alone(struct bytes chunk, struct cut cut, bool *noise)
{
    struct bytes rest = {chunk.at + cut.skip + cut.len, chunk.len - cut.skip - cut.len};
    struct cut next = omni_cut(rest);
    *noise = cut.noise || next.noise || next.skip < rest.len;
    return next.len == 0;
}

static void describe_stream(struct bytes chunk, struct buf *out)
{
    struct json j = json_on(out);
    json_open(&j, '{');
    json_name(&j, "stream");
    json_bool(&j, true);
    json_name(&j, "frames");
    json_open(&j, '[');
    struct bytes rest = chunk;
    for (struct cut cut = omni_cut(rest); cut.len; cut = omni_cut(rest)) {
        struct omni_frame f;
        struct err e = omni_frame_split(bytes_of(rest.at + cut.skip, cut.len), &f);
        if (e.code) {
            json_null(&j);
        } else {
            json_text(&j, f.command);
        }
        rest = (struct bytes){rest.at + cut.skip + cut.len, rest.len - cut.skip - cut.len};
    }
    json_close(&j, ']');
    json_name(&j, "each");
    json_open(&j, '[');
    rest = chunk;
    for (struct cut cut = omni_cut(rest); cut.len; cut = omni_cut(rest)) {
        json_open(&j, '{');
        describe_one(rest, cut, &j);
        json_close(&j, '}');
        rest = (struct bytes){rest.at + cut.skip + cut.len, rest.len - cut.skip - cut.len};
    }
    json_close(&j, ']');
    json_name(&j, "dir");
    json_literal(&j, preamble(bytes_of(chunk.at, omni_cut(chunk).skip)) ? "down" : "up");
    json_close(&j, '}');
}

/* What a server puts before a frame. */
static bool preamble(struct bytes before)
{
    static const char ascii[] = "0xFFFF";
    size_t n = sizeof ascii - 1;
    if (before.len >= 2 && before.at[before.len - 1] == 0xff && before.at[before.len - 2] == 0xff) return true;
    return before.len >= n && bytes_equal_text(bytes_of(before.at + before.len - n, n), ascii);
}

static void put_clock(const struct omni_frame *f, struct json *j)
{
    struct civil c = {.year = 2000};
    uint8_t part[6];
    for (int i = 0; i < 6; i++) { /* twelve digits: that is what made it a clock */
        const uint8_t *two = f->clock.at + 2 * i;
        part[i] = (uint8_t)((two[0] - '0') * 10 + two[1] - '0');
    }
    c.year += part[0];
    c.month = part[1];
    c.day = part[2];
    c.hour = part[3];
    c.minute = part[4];
    c.second = part[5];
    int64_t ms;
    json_name(j, "device_clock");
    if (civil_to_ms(c, &ms).code) { /* zeros: not set */
        json_null(j);
        return;
    }
    uint8_t text[32];
    struct buf b = buf_on(text, sizeof text);
    buf_put_time_ms(&b, ms);
    b.len--; /* as sent, zone not known: without the Z */
    json_text(j, buf_bytes(&b));
}

static void member_text(struct json *j, const char *name, struct bytes value)
{
    json_name(j, name);
    json_text(j, value);
}

/* Writes the members of one frame; false when they are an error. */
static bool describe_one(struct bytes chunk, struct cut cut, struct json *j)
{
    struct omni_frame f;
    struct message m;
    struct err e = omni_frame_split(bytes_of(chunk.at + cut.skip, cut.len), &f);
    bool down = !e.code && f.down && preamble(bytes_of(chunk.at, cut.skip));
    if (!e.code && !down) e = omni_decode_frame(&f, &m);
    if (e.code) {
        put_error(j, e);
        return false;
    }
    member_text(j, "dir", bytes_text(down ? "down" : "up"));
    member_text(j, "dialect", f.header);
    member_text(j, "vendor", f.vendor);
    member_text(j, "device", f.ident);
    if (f.has_clock) put_clock(&f, j);
    member_text(j, "cmd", f.command);
    json_name(j, "params");
    json_open(j, '[');
    for (unsigned i = 0; i < omni_param_count(&f); i++) json_text(j, omni_param(&f, i));
    json_close(j, ']');
    if (!down) put_fields(&f, &m, cut.len, j);
    return true;
}

static void put_field(const struct omni_field *field, struct bytes param, struct json *j)
{
    uint32_t wire;
    json_name(j, field->name);
    if (field->form == OMNI_TEXT || field->form == OMNI_USER || omni_field_read(field, param, &wire).code) {
        json_text(j, param);
    } else if (field->form == OMNI_FLAG) {
        json_bool(j, wire != 0);
    } else if (field->form == OMNI_CODE) {
        json_u64(j, wire);
    } else {
        json_decimal(j, omni_field_ours(field, wire), field->decimals);
    }
}

static void put_fields(const struct omni_frame *f, const struct message *m, size_t frame_len, struct json *j)
{
    const struct omni_shape *shape = omni_shape_find(f->command, f->dialect, omni_param_count(f));
    json_name(j, "fields");
    json_open(j, '{');
    if (shape && shape->fix) put_fix(f, j);
    for (unsigned i = 0; shape && i < shape->field_count; i++) {
        struct bytes param = omni_param(f, i);
        if (param.len && shape->fields[i].name) put_field(&shape->fields[i], param, j);
    }
    if (m->must_ack) {
        uint8_t text[8];
        struct buf b = buf_on(text, sizeof text);
        if (omni_dialects[f->dialect].ack_by_re) buf_put_text(&b, "Re,");
        buf_put_bytes(&b, f->command);
        member_text(j, "ack_cmd", buf_bytes(&b));
    }
    const char *note = remark(f, m, frame_len);
    if (note) member_text(j, "note", bytes_text(note));
    json_close(j, '}');
}

/* What a reader of the values should know about them, or NULL. The words are those of the shared test vectors, whose
 * comparer does compare notes inside `fields`. */
static const char *remark(const struct omni_frame *f, const struct message *m, size_t frame_len)
{
    size_t len = f->field_count + 1; /* star, hash and the commas between */
    for (unsigned i = 0; i < f->field_count; i++) len += f->fields[i].len;
    if (len < frame_len) return "vendor document prints stray spaces; trim fields";
    if (m->has & HAS_FIX_SECOND) return "date field empty although fix is valid: take the date from the server clock";
    if (m->has & HAS_TRIP) return "mileage fields in 10 m steps";
    return NULL;
}

static void put_number(struct json *j, const char *name, int64_t value, unsigned decimals)
{
    json_name(j, name);
    json_decimal(j, value, decimals);
}

static void put_fix(const struct omni_frame *f, struct json *j)
{
    struct omni_fix fix;
    if (omni_fix_read(f, &fix).code) return; /* decode refused the frame before */
    /* 0 and 1 are documented; Ninebot's three digits are not. */
    if (bytes_equal_text(fix.flags, "0") || bytes_equal_text(fix.flags, "1")) {
        json_name(j, "tracking");
        json_bool(j, fix.flags.at[0] == '1');
    }
    member_text(j, "loc_flags", fix.flags);
    json_name(j, "valid");
    json_bool(j, fix.valid);
    if (fix.valid) {
        put_number(j, "lat", fix.lat_e7, 7);
        put_number(j, "lon", fix.lon_e7, 7);
    }
    if (fix.has_sats) put_number(j, "sats", fix.sats, 0);
    if (fix.has_hdop) put_number(j, "hdop", fix.hdop_milli, 3);
    if (fix.has_alt) put_number(j, "alt_m", fix.alt_mm, 3);
    if (fix.has_time && fix.has_date) {
        json_name(j, "time");
        json_time_ms(j, fix.ms);
    } else if (fix.has_time) {
        put_number(j, "second_of_day", fix.ms, 3);
    }
    member_text(j, "mode", fix.mode);
}

static void put_error(struct json *j, struct err e)
{
    json_name(j, "error");
    json_literal(j, err_name(e.code));
    json_name(j, "reason");
    json_literal(j, e.why);
}
