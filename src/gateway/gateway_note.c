/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_note.c: what is bad is counted by reason, and told at most once a minute for each device.
 *
 * Times of notes are kept by a hash of the device's id, or of the address while nobody knows it. Two that share a
 * place suppress each other's notes: the limit holds for each, memory stays what it is, and nobody can fill a log by
 * reconnecting. */
#include <string.h>

#include "base/hash.h"
#include "gateway/gateway_inside.h"

static struct bytes host_of(struct bytes peer);

void note_bad(struct gateway *gw, const char *why)
{
    struct gateway_bad *rows = gw->counters.bad;
    unsigned i = 0;
    /* Reasons are literals: mostly one pointer each, but equal ones may stand in two files. */
    for (; i < GATEWAY_BAD_MAX - 1 && rows[i].why; i++) {
        if (rows[i].why == why || strcmp(rows[i].why, why) == 0) break;
    }
    if (!rows[i].why) rows[i].why = i < GATEWAY_BAD_MAX - 1 ? why : "other";
    rows[i].count++;
}

void note_write(struct gateway *gw, const struct session *s, const char *reason, struct bytes frame)
{
    struct bytes peer = text_bytes(&s->peer), ident = {0};
    int64_t now_ms = loop_now_ms(gw->config.loop);
    uint8_t copy[GATEWAY_KEPT_MAX];

    if (!gw->config.log) return;
    if (s->state == SESSION_BOUND) ident = text_bytes(&s->ident);
    uint64_t hash = hash_bytes((struct hash_key){0, 0}, ident.len ? ident : host_of(peer));
    int64_t *noted_ms = &gw->noted_ms[hash % NOTE_SLOTS];
    if (*noted_ms && now_ms - *noted_ms < NOTE_GAP_MS) {
        gw->counters.notes_suppressed++;
        gw->suppressed++;
        return;
    }
    *noted_ms = now_ms;
    must(frame.len <= sizeof copy);
    if (frame.len) {
        memcpy(copy, frame.at, frame.len);
        s->codec->mask(copy, frame.len);
    }
    struct gateway_note note = {.reason = reason, .ident = ident, .peer = peer, .frame = bytes_of(copy, frame.len),
                                .suppressed = gw->suppressed};
    gw->counters.notes++;
    gw->suppressed = 0;
    gw->config.log(gw->config.log_ctx, &note);
}

int64_t turn_wall_ms(struct gateway *gw)
{
    int64_t turn_us = loop_now_us(gw->config.loop);
    if (turn_us != gw->wall_of_us || !gw->turn_wall_ms) {
        gw->wall_of_us = turn_us;
        gw->turn_wall_ms = gw->config.wall_ms(gw->config.wall_ctx);
    }
    return gw->turn_wall_ms;
}

void frame_keep(struct gateway *gw, const struct session *s, struct bytes frame, struct told told)
{
    uint8_t copy[GATEWAY_KEPT_MAX];

    if (!gw->config.tape || s->state != SESSION_BOUND) return;
    must(frame.len <= sizeof copy);
    memcpy(copy, frame.at, frame.len);
    s->codec->mask(copy, frame.len);
    struct tape_note note = {.at_ms = turn_wall_ms(gw), .seq = told.seq, .flags = told.flags};
    tape_put(gw->config.tape, s->tape_name, note, bytes_of(copy, frame.len));
}

void session_hang_up(struct gateway *gw, const struct session *s, uint64_t *counter, const char *reason,
                     enum close_reason how)
{
    (*counter)++;
    note_write(gw, s, reason, bytes_of(NULL, 0));
    loop_close(gw->config.loop, s->conn, how, CLOSE_NOW);
}

/* Without the port, which is another one with every connection. */
static struct bytes host_of(struct bytes peer)
{
    size_t len = peer.len;
    while (len && peer.at[len - 1] != ':') len--;
    return len ? bytes_of(peer.at, len) : peer;
}
