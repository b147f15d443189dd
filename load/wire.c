/* SPDX-License-Identifier: Apache-2.0 */
#include "load/wire.h"

#include <string.h>

#include "base/must.h"
#include "proto/omni_device.h"

/* 2e-6 degrees a message: more than a frame's rounding, so that neighbours in time are told apart. */
enum { STEP_E7 = 20, STEPS = 100000, ROUNDING_E7 = 2, IDENT_DIGITS = 15 };

/* What is heard is looked at alike in both dialects, so that neither server's answers cost the generator more. */
#define SAID_HEAD "*CMDR,OM,"
#define ACK_HEAD "\xff\xff*CMDS,OM,"
#define ACK_TAIL ",Re,D0#\n"
#define ACK_CLOCK_LEN 13 /* a comma and twelve digits */

#define MQTT_CONNECT 0x10
#define MQTT_CONNACK 0x20
#define MQTT_PUBLISH_QOS1 0x32
#define MQTT_PUBACK 0x40
#define MQTT_CLEAN_SESSION 2

static void cmdr_say(const struct wire_vehicle *v, uint32_t n, int64_t clock_ms, struct buf *out);
static struct wire_heard cmdr_hear(const struct wire_vehicle *v, uint32_t n, struct bytes in);
static struct wire_heard echo_hear(const struct wire_vehicle *v, uint32_t n, struct bytes in);
static void mqtt_hello(const struct wire_vehicle *v, struct buf *out);
static void mqtt_say(const struct wire_vehicle *v, uint32_t n, int64_t clock_ms, struct buf *out);
static struct wire_heard mqtt_hear(const struct wire_vehicle *v, uint32_t n, struct bytes in);

static const struct wire_dialect dialects[] = {
    {"cmdr", NULL, cmdr_say, cmdr_hear},
    {"echo", NULL, cmdr_say, echo_hear},
    {"mqtt", mqtt_hello, mqtt_say, mqtt_hear},
};

const struct wire_dialect *wire_find(struct bytes name)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        if (bytes_equal_text(name, dialects[i].name)) return &dialects[i];
    }
    return NULL;
}

const char *wire_names(void)
{
    return "cmdr, echo, mqtt";
}

struct wire_vehicle wire_vehicle(uint32_t number)
{
    struct wire_vehicle v = {.number = number};
    uint8_t digits[IDENT_DIGITS];
    struct buf b = buf_on(digits, sizeof digits);
    buf_put_char(&b, '9');
    buf_put_padded(&b, number, IDENT_DIGITS - 1);
    text_clip(&v.ident, buf_bytes(&b));
    return v;
}

struct text16 wire_code(uint32_t number)
{
    struct text16 code;
    uint8_t letters[15];
    struct buf b = buf_on(letters, sizeof letters);
    buf_put_char(&b, 'L');
    buf_put_padded(&b, number, 6);
    text_clip(&code, buf_bytes(&b));
    return code;
}

void wire_position(uint32_t number, uint32_t n, int32_t *lat_e7, int32_t *lon_e7)
{
    *lat_e7 = 576000000 + (int32_t)(number % 2000) * 1000;
    *lon_e7 = 118000000 + (int32_t)(n % STEPS) * STEP_E7;
}

bool wire_is_at(uint32_t number, uint32_t n, int64_t lat_e7, int64_t lon_e7)
{
    int32_t lat, lon;
    wire_position(number, n, &lat, &lon);
    int64_t north = lat_e7 - lat, east = lon_e7 - lon;
    return north >= -ROUNDING_E7 && north <= ROUNDING_E7 && east >= -ROUNDING_E7 && east <= ROUNDING_E7;
}

static void cmdr_say(const struct wire_vehicle *v, uint32_t n, int64_t clock_ms, struct buf *out)
{
    struct message m = {.kind = MESSAGE_REPORT, .dialect = OMNI_CMDR, .vendor = {2, {'O', 'M'}}, .ident = v->ident,
                        .has = HAS_POSITION | HAS_FIX_TIME, .sats = 10, .hdop_centi = 132, .fix_ms = clock_ms,
                        .alt_dm = 498};
    wire_position(v->number, n, &m.lat_e7, &m.lon_e7);
    struct omni_say say = {.command = "D0", .state = &m, .clock_ms = clock_ms, .origin = 1};
    struct err e = omni_device_say(&say, out);
    must(!e.code);
}

/* Does it begin with `head` and the vehicle's id? */
static bool begins_as(struct bytes in, struct bytes head, const struct wire_vehicle *v)
{
    return in.len >= head.len + v->ident.len && memcmp(in.at, head.at, head.len) == 0 &&
           memcmp(in.at + head.len, v->ident.at, v->ident.len) == 0;
}

/* The acknowledgement as our server writes it, by its shape; nearly every frame is one. Anything else is read properly. */
static bool is_plain_ack(const struct wire_vehicle *v, struct bytes in)
{
    static const struct bytes head = {(const uint8_t *)ACK_HEAD, sizeof ACK_HEAD - 1};
    size_t tail_at = head.len + v->ident.len + ACK_CLOCK_LEN;
    return in.len >= tail_at + sizeof ACK_TAIL - 1 && begins_as(in, head, v) &&
           memcmp(in.at + tail_at, ACK_TAIL, sizeof ACK_TAIL - 1) == 0;
}

static struct wire_heard cmdr_hear(const struct wire_vehicle *v, uint32_t n, struct bytes in)
{
    static const size_t plain = sizeof ACK_HEAD - 1 + IDENT_DIGITS + ACK_CLOCK_LEN + sizeof ACK_TAIL - 1;
    struct wire_heard heard = {0};
    (void)n;
    while (heard.used < in.len) {
        struct bytes rest = bytes_of(in.at + heard.used, in.len - heard.used);
        if (rest.at[0] == '\n') { /* of a frame that was read properly: it ends before its line does */
            heard.used++;
            continue;
        }
        if (is_plain_ack(v, rest)) {
            heard.acks++;
            heard.used += plain;
            continue;
        }
        struct cut cut = omni_cut(rest);
        struct omni_ask ask;
        if (cut.noise) heard.wrong = "bytes that belong to no frame";
        if (!cut.len) break; /* an FF FF before the rest of its frame stays too */
        if (omni_device_read(bytes_of(rest.at + cut.skip, cut.len), &ask).code) heard.wrong = "a frame that cannot be read";
        else if (!text_equal(&ask.ident, &v->ident)) heard.wrong = "a frame for another vehicle";
        else if (ask.kind == OMNI_ASK_ACK && bytes_equal_text(ask.command, "D0")) heard.acks++;
        else heard.others++;
        if (heard.wrong) break;
        heard.used += cut.skip + cut.len;
    }
    return heard;
}

static struct wire_heard echo_hear(const struct wire_vehicle *v, uint32_t n, struct bytes in)
{
    static const struct bytes head = {(const uint8_t *)SAID_HEAD, sizeof SAID_HEAD - 1};
    struct wire_heard heard = {0};
    (void)n;
    while (heard.used < in.len) {
        struct bytes rest = bytes_of(in.at + heard.used, in.len - heard.used);
        const uint8_t *end = memchr(rest.at, '\n', rest.len);
        if (!end) break;
        if (!begins_as(rest, head, v)) {
            heard.wrong = "a frame for another vehicle";
            break;
        }
        heard.acks++;
        heard.used += (size_t)(end - rest.at) + 1;
    }
    return heard;
}

static void put_u16_big(struct buf *b, size_t v)
{
    buf_put_char(b, (char)(v >> 8));
    buf_put_char(b, (char)v);
}

/* MQTT 3.1.1, section 3.1: protocol name and level, flags, keep-alive 0 (none), then the client's name. */
static void mqtt_hello(const struct wire_vehicle *v, struct buf *out)
{
    buf_put_char(out, MQTT_CONNECT);
    buf_put_varint(out, 10 + 2 + v->ident.len);
    put_u16_big(out, 4);
    buf_put_text(out, "MQTT");
    buf_put_char(out, 4);
    buf_put_char(out, MQTT_CLEAN_SESSION);
    put_u16_big(out, 0);
    put_u16_big(out, v->ident.len);
    buf_put_bytes(out, text_bytes(&v->ident));
}

/* Packet ids are 1 to 65535 and come again: no more than a few are ever in flight. */
static uint16_t mqtt_id(uint32_t n)
{
    return (uint16_t)(n % 65535 + 1);
}

/* Its lengths are base 128, low part first, like our varint. */
static void mqtt_say(const struct wire_vehicle *v, uint32_t n, int64_t clock_ms, struct buf *out)
{
    uint8_t frame[WIRE_SAY_MAX];
    struct buf payload = buf_on(frame, sizeof frame);
    cmdr_say(v, n, clock_ms, &payload);
    size_t topic_len = 2 + v->ident.len;
    buf_put_char(out, MQTT_PUBLISH_QOS1);
    buf_put_varint(out, 2 + topic_len + 2 + payload.len);
    put_u16_big(out, topic_len);
    buf_put_text(out, "v/");
    buf_put_bytes(out, text_bytes(&v->ident));
    put_u16_big(out, mqtt_id(n));
    buf_put_bytes(out, buf_bytes(&payload));
}

static struct wire_heard mqtt_hear(const struct wire_vehicle *v, uint32_t n, struct bytes in)
{
    struct wire_heard heard = {0};
    (void)v;
    for (; in.len - heard.used >= 4; heard.used += 4) {
        const uint8_t *at = in.at + heard.used;
        bool hello = n == UINT32_MAX;
        uint16_t id = (uint16_t)(at[2] << 8 | at[3]);
        if (at[0] != (hello ? MQTT_CONNACK : MQTT_PUBACK) || at[1] != 2) heard.wrong = "a packet that was not asked for";
        else if (hello ? id != 0 : id != mqtt_id(n)) heard.wrong = hello ? "a refusal" : "an acknowledgement out of order";
        if (heard.wrong) return heard;
        heard.acks++;
        n++;
    }
    return heard;
}
