/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/timetext.h"

struct json json_on(struct buf *out)
{
    return (struct json){.out = out};
}

static void before_value(struct json *j)
{
    if (j->comma) buf_put_char(j->out, ',');
    j->comma = true;
}

void json_open(struct json *j, char bracket)
{
    before_value(j);
    buf_put_char(j->out, bracket);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    buf_put_char(j->out, bracket);
    j->comma = true;
}

/* Length of the valid UTF-8 sequence at the front of `in`, 0 when there is none. */
static size_t utf8_len(struct bytes in)
{
    uint8_t c = in.at[0];
    size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (n == 0 || n > in.len) return 0;
    for (size_t i = 1; i < n; i++) {
        if ((in.at[i] & 0xc0) != 0x80) return 0;
    }
    if (c == 0xe0 && in.at[1] < 0xa0) return 0;
    if (c == 0xed && in.at[1] >= 0xa0) return 0; /* surrogates */
    if (c == 0xf0 && in.at[1] < 0x90) return 0;
    if (c == 0xf4 && in.at[1] >= 0x90) return 0;
    return n;
}

/* How many bytes at the front of `in` stand for themselves: nearly always all. */
static size_t plain_len(struct bytes in)
{
    size_t n = 0;
    while (n < in.len && in.at[n] >= 0x20 && in.at[n] < 0x7f && in.at[n] != '"' && in.at[n] != '\\') n++;
    return n;
}

static void put_escaped(struct buf *b, struct bytes text)
{
    buf_put_char(b, '"');
    for (;;) {
        size_t plain = plain_len(text);
        if (plain) buf_put(b, text.at, plain);
        text.at += plain;
        text.len -= plain;
        if (!text.len) break;
        size_t n = utf8_len(text);
        uint8_t c = text.at[0];
        if (n == 0) {
            buf_put_text(b, "\xef\xbf\xbd");
            n = 1;
        } else if (c == '"' || c == '\\') {
            buf_put_char(b, '\\');
            buf_put_char(b, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            buf_put_text(b, "\\u00");
            buf_put_hex(b, bytes_of(&c, 1));
        } else {
            buf_put(b, text.at, n);
        }
        text.at += n;
        text.len -= n;
    }
    buf_put_char(b, '"');
}

void json_name(struct json *j, const char *name)
{
    before_value(j);
    put_escaped(j->out, bytes_text(name));
    buf_put_char(j->out, ':');
    j->comma = false;
}

void json_text(struct json *j, struct bytes text)
{
    before_value(j);
    put_escaped(j->out, text);
}

void json_literal(struct json *j, const char *text)
{
    json_text(j, bytes_text(text));
}

void json_u64(struct json *j, uint64_t v)
{
    before_value(j);
    buf_put_u64(j->out, v);
}

void json_i64(struct json *j, int64_t v)
{
    before_value(j);
    buf_put_i64(j->out, v);
}

void json_bool(struct json *j, bool v)
{
    before_value(j);
    buf_put_text(j->out, v ? "true" : "false");
}

void json_null(struct json *j)
{
    before_value(j);
    buf_put_text(j->out, "null");
}

void json_decimal(struct json *j, int64_t v, unsigned decimals)
{
    before_value(j);
    buf_put_decimal(j->out, v, decimals);
}

void json_raw(struct json *j, struct bytes valid_json)
{
    before_value(j);
    buf_put_bytes(j->out, valid_json);
}

void json_time_ms(struct json *j, int64_t ms)
{
    before_value(j);
    buf_put_char(j->out, '"');
    buf_put_time_ms(j->out, ms);
    buf_put_char(j->out, '"');
}

void json_uuid(struct json *j, const uint8_t uuid[16])
{
    before_value(j);
    buf_put_char(j->out, '"');
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) buf_put_char(j->out, '-');
        buf_put_hex(j->out, bytes_of(uuid + i, 1));
    }
    buf_put_char(j->out, '"');
}
