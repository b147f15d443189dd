/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_fact.c: what a vehicle says, as the fact that the engine takes. Pure. */
#include "gateway/gateway_inside.h"

#define DAY_MS 86400000

/* Orders and ops of facts have the same numbers. */
_Static_assert((int)ORDER_UNLOCK == (int)COMMAND_OP_UNLOCK && (int)ORDER_LOCK == (int)COMMAND_OP_LOCK &&
               (int)ORDER_LOCATE == (int)COMMAND_OP_LOCATE && (int)ORDER_RING == (int)COMMAND_OP_RING &&
               (int)ORDER_RESTART == (int)COMMAND_OP_RESTART, "terms.h and codec.h number the orders alike");

static void fact_of_report(const struct session *s, const struct message *m, int64_t now_ms, struct fact *out);

bool fact_lane(const struct message *m, enum lane *lane)
{
    switch (m->kind) {
    case MESSAGE_KEY:
    case MESSAGE_LOCK_RESULT:
    case MESSAGE_ECHO:
        *lane = LANE_URGENT;
        return true;
    case MESSAGE_REPORT:
        *lane = m->has & (HAS_ALARM | HAS_FAULT) ? LANE_URGENT : LANE_TELEMETRY;
        return true;
    default:
        /* Of no meaning, but an ack may only follow a commit: then it is a report of nothing. */
        *lane = LANE_TELEMETRY;
        return m->must_ack;
    }
}

void fact_of_message(const struct session *s, const struct message *m, int64_t now_ms, struct fact *out)
{
    uint8_t protocol = s->codec->protocol;
    out->now_ms = 0;
    switch (m->kind) {
    case MESSAGE_KEY:
        out->kind = FACT_DEVICE_KEYED;
        out->device_keyed = (struct fact_device_keyed){
            .session = s->conn, .protocol = protocol, .ident = s->ident, .op = m->op, .key = m->key, .user = m->user,
            .stamp = m->stamp};
        break;
    case MESSAGE_LOCK_RESULT:
        out->kind = FACT_LOCK_RESULT;
        out->lock_result = (struct fact_lock_result){
            .session = s->conn, .protocol = protocol, .ident = s->ident, .op = m->op, .result = m->result,
            .user = m->user, .stamp = m->stamp, .ride_min = m->ride_min};
        break;
    case MESSAGE_ECHO:
        out->kind = FACT_DEVICE_ECHO;
        out->device_echo = (struct fact_device_echo){
            .session = s->conn, .protocol = protocol, .ident = s->ident, .op = m->op};
        break;
    default:
        fact_of_report(s, m, now_ms, out);
    }
}

int64_t fix_time(int64_t of_day_ms, int64_t now_ms)
{
    int64_t at_ms = now_ms - now_ms % DAY_MS + of_day_ms;
    if (at_ms - now_ms > DAY_MS / 2) return at_ms - DAY_MS;
    if (now_ms - at_ms > DAY_MS / 2) return at_ms + DAY_MS;
    return at_ms;
}

uint32_t tag_pack(struct bytes command)
{
    uint32_t tag = 0;
    for (size_t i = 0; i < command.len && i < 4; i++) tag |= (uint32_t)command.at[i] << (8 * i);
    return tag;
}

struct bytes tag_unpack(uint32_t tag, uint8_t room[4])
{
    size_t len = 0;
    for (; tag && len < 4; tag >>= 8) room[len++] = (uint8_t)tag;
    return bytes_of(room, len);
}

static void fact_of_report(const struct session *s, const struct message *m, int64_t now_ms, struct fact *out)
{
    uint32_t has = m->kind == MESSAGE_REPORT ? m->has : 0;
    int64_t fix_ms = has & HAS_FIX_TIME ? m->fix_ms : 0;
    if (has & HAS_FIX_SECOND) {
        fix_ms = fix_time(m->fix_ms, now_ms);
        has = (has & ~(uint32_t)HAS_FIX_SECOND) | HAS_FIX_TIME;
    }
    out->kind = FACT_REPORT;
    out->report = (struct fact_report){
        .session = s->conn, .protocol = s->codec->protocol, .ident = s->ident, .has = has,
        .locked = m->locked, .battery_pct = m->battery_pct, .charging = m->charging, .iot_mV = m->iot_mv,
        .rssi = m->rssi, .lat_e7 = m->lat_e7, .lon_e7 = m->lon_e7, .fix_ms = fix_ms, .speed_dmh = m->speed_dmh,
        .total_m = m->total_m, .alarm = m->alarm, .fault = m->fault, .sats = m->sats, .hdop_centi = m->hdop_centi};
}
