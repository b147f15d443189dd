/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_in.c: bytes of a connection become facts in the rings: the hot path.
 *
 * A frame is taken whole or stays unread: whatever finds no room pauses the connection, and the loop shows the same
 * bytes again. So nothing here is remembered but what a taken frame changed. */
#include "gateway/gateway_inside.h"

enum taken { TAKEN, HELD, GONE };

static bool sniff(struct gateway *gw, struct session *s, struct bytes in);
static enum taken take_noise(struct gateway *gw, struct session *s, size_t len);
static enum taken take_frame(struct gateway *gw, struct session *s, struct bytes frame);
static enum taken take_bad(struct gateway *gw, struct session *s, const char *why, struct bytes frame);
static bool same_device(const struct session *s, const struct message *m);
static bool announce(struct gateway *gw, struct session *s);
static bool put_message(struct gateway *gw, struct session *s, const struct message *m);
static void pay(struct gateway *gw, struct session *s);

size_t gateway_on_bytes(void *ctx, uint64_t conn, struct bytes in)
{
    struct gateway *gw = ctx;
    struct session *s = &gw->sessions[conn_slot(conn)];
    enum taken taken = TAKEN;
    size_t done = 0;

    must(s->conn == conn && s->state != SESSION_FREE);
    if (gw->draining) {
        loop_pause(gw->config.loop, conn);
        return 0;
    }
    if (!s->codec && !sniff(gw, s, in)) return 0;
    while (taken == TAKEN && done < in.len) {
        struct bytes rest = bytes_of(in.at + done, in.len - done);
        struct cut cut = s->codec->cut(rest);
        must(cut.skip <= rest.len && cut.len <= rest.len - cut.skip);
        if (cut.noise) taken = take_noise(gw, s, cut.skip);
        done += cut.skip;
        if (taken != TAKEN || !cut.len) break;
        taken = take_frame(gw, s, bytes_of(rest.at + cut.skip, cut.len));
        if (taken == TAKEN) done += cut.len;
    }
    s->turn = 0;
    if (taken == GONE) return done;
    if (s->state == SESSION_BOUND) {
        loop_set_deadline(gw->config.loop, conn, gw->config.idle_ms);
        return done;
    }
    s->hello_bytes += (uint32_t)done;
    if (s->hello_bytes > GATEWAY_HELLO_BYTES_MAX) {
        session_hang_up(gw, s, &gw->counters.hung_hello_bytes, "hello_too_long", CLOSE_PROTOCOL);
    }
    return done;
}

static bool sniff(struct gateway *gw, struct session *s, struct bytes in)
{
    bool more;
    s->codec = codec_sniff(in, &more);
    if (!s->codec && !more) {
        session_hang_up(gw, s, &gw->counters.hung_unknown, "unknown_protocol", CLOSE_PROTOCOL);
    }
    return s->codec != NULL;
}

/* Counted in bytes, not in times: how noise is split on its way is chance. */
static enum taken take_noise(struct gateway *gw, struct session *s, size_t len)
{
    bool overlong = len >= s->codec->frame_max;
    gw->counters.noise_bytes += len;
    gw->counters.overlong += overlong;
    s->noise_row += (uint32_t)len;
    s->overlong_row = (uint8_t)(s->overlong_row + overlong);
    if (s->noise_row <= GATEWAY_NOISE_ROW_MAX && s->overlong_row < GATEWAY_OVERLONG_ROW_MAX) return TAKEN;
    session_hang_up(gw, s, &gw->counters.hung_noise, "noise", CLOSE_PROTOCOL);
    return GONE;
}

static enum taken take_frame(struct gateway *gw, struct session *s, struct bytes frame)
{
    struct message m;

    if (s->allowed_us - gw->burst_us > loop_now_us(gw->config.loop)) {
        wait_begin(gw, s, WAIT_FLOOD);
        return HELD;
    }
    struct err e = s->codec->decode(frame, &m);
    if (e.code) return take_bad(gw, s, e.why, frame);
    if (m.must_ack && m.command.len > 4) return take_bad(gw, s, "command_too_long", frame);
    if (s->state == SESSION_OPEN) {
        s->state = SESSION_BOUND;
        s->ident = m.ident;
        s->vendor = m.vendor;
        s->dialect = m.dialect;
        uint8_t name[DEVICE_NAME_MAX];
        s->tape_name = tape_name(gw->config.tape, device_name(s->codec->protocol, &s->ident, name));
    } else if (!same_device(s, &m)) {
        session_hang_up(gw, s, &gw->counters.hung_ident, "another_device", CLOSE_PROTOCOL);
        return GONE;
    }
    if (!s->announced && !announce(gw, s)) return HELD;
    if (!put_message(gw, s, &m)) return HELD;
    frame_keep(gw, s, frame, (struct told){0});
    s->vendor = m.vendor; /* acks carry the tag that the device used last */
    s->bad_row = s->overlong_row = 0;
    s->noise_row = 0;
    gw->counters.frames++;
    pay(gw, s);
    return TAKEN;
}

static enum taken take_bad(struct gateway *gw, struct session *s, const char *why, struct bytes frame)
{
    gw->counters.frames++;
    gw->counters.bad_frames++;
    note_bad(gw, why);
    note_write(gw, s, why, frame);
    frame_keep(gw, s, frame, (struct told){.flags = TAPE_REFUSED});
    pay(gw, s);
    if (++s->bad_row < GATEWAY_BAD_ROW_MAX) return TAKEN;
    session_hang_up(gw, s, &gw->counters.hung_bad, "bad_frames", CLOSE_PROTOCOL);
    return GONE;
}

/* The dialect counts: what the engine was told that the device can do follows from it. */
static bool same_device(const struct session *s, const struct message *m)
{
    return s->dialect == m->dialect && text_equal(&s->ident, &m->ident);
}

/* Room in a lane for this session; without, it waits. Others that wait go first, except when it is its turn. */
static struct inbound *room(struct gateway *gw, struct session *s, enum lane lane)
{
    bool first = gw->waits[lane].count == 0 || s->turn == 1 + lane;
    struct inbound *in = first ? lane_room(gw, lane) : NULL;
    if (!in) {
        wait_begin(gw, s, (enum wait)lane);
        return NULL;
    }
    in->is_query = false;
    in->origin = (struct origin){.kind = ORIGIN_DEVICE, .port = gw->config.port, .handle = s->conn,
                                 .born_us = loop_now_us(gw->config.loop)};
    return in;
}

static bool announce(struct gateway *gw, struct session *s)
{
    struct inbound *in = room(gw, s, LANE_URGENT);
    if (!in) return false;
    in->fact.kind = FACT_SESSION_OPENED;
    in->fact.now_ms = 0;
    in->fact.session_opened = (struct fact_session_opened){
        .session = s->conn, .protocol = s->codec->protocol, .ident = s->ident, .caps = s->codec->caps(s->dialect)};
    lane_put(gw, LANE_URGENT);
    s->announced = true;
    gw->counters.sessions_opened++;
    gw->counters.sessions++;
    return true;
}

/* A lock state of this session waits in telemetry still: an urgent fact put now would be applied before it. */
static bool lock_state_waits(struct gateway *gw, struct session *s)
{
    if (!s->has_behind) return false;
    uint32_t taken = gw->telemetry_puts - ring_count(gw->config.telemetry);
    s->has_behind = (int32_t)(s->behind - taken) > 0;
    return s->has_behind;
}

static bool put_message(struct gateway *gw, struct session *s, const struct message *m)
{
    struct gateway_counters *n = &gw->counters;
    enum lane lane;

    if (!fact_lane(m, &lane)) {
        n->opaque++;
        return true;
    }
    bool behind = lane == LANE_URGENT && lock_state_waits(gw, s);
    if (behind) lane = LANE_TELEMETRY;
    struct inbound *in = room(gw, s, lane);
    if (!in) return false;
    int64_t now_ms = m->has & HAS_FIX_SECOND ? turn_wall_ms(gw) : 0;
    in->origin.tag = m->must_ack ? tag_pack(m->command) : 0;
    fact_of_message(s, m, now_ms, &in->fact);
    switch (in->fact.kind) {
    case FACT_DEVICE_KEYED: n->keys++; break;
    case FACT_LOCK_RESULT: n->lock_results++; break;
    case FACT_DEVICE_ECHO: n->echoes++; break;
    default: n->reports++; n->opaque += m->kind == MESSAGE_OPAQUE;
    }
    n->behind += behind;
    lane_put(gw, lane);
    if (behind || (lane == LANE_TELEMETRY && m->has & HAS_LOCKED)) {
        s->behind = gw->telemetry_puts;
        s->has_behind = true;
    }
    return true;
}

/* Each frame pushes the next allowed one further away; silence earns the burst back. */
static void pay(struct gateway *gw, struct session *s)
{
    int64_t now_us = loop_now_us(gw->config.loop);
    if (s->allowed_us < now_us) s->allowed_us = now_us;
    s->allowed_us += gw->frame_us;
}
