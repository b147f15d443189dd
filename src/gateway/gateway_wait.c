/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_wait.c: sessions that may not be read now: a ring is full, or they flood. First come, first served.
 *
 * While somebody waits for a lane, whoever else wants to put into it waits behind: else connections that are read
 * anyway would take all the room that the engine makes. */
#include "gateway/gateway_inside.h"

/* Sessions that go on at once share the room that there is: few frames are kept for each. */
#define FRAMES_PER_TURN 8

static void list_append(struct gateway *gw, enum wait wait, uint32_t slot);
static void list_remove(struct gateway *gw, enum wait wait, uint32_t slot);
static void go_on(struct gateway *gw, enum wait wait);

void wait_begin(struct gateway *gw, struct session *s, enum wait wait)
{
    must(s->wait == WAIT_NOT);
    list_append(gw, wait, conn_slot(s->conn));
    if (wait == WAIT_TELEMETRY) gw->counters.paused_telemetry++;
    if (wait == WAIT_URGENT) gw->counters.paused_urgent++;
    if (wait == WAIT_FLOOD) {
        gw->counters.paused_flood++;
        s->resume_us = loop_now_us(gw->config.loop) + GATEWAY_FLOOD_PAUSE_MS * 1000;
    }
    loop_pause(gw->config.loop, s->conn);
}

void wait_leave(struct gateway *gw, struct session *s)
{
    if (s->wait != WAIT_NOT) list_remove(gw, (enum wait)s->wait, conn_slot(s->conn));
}

int64_t wait_resume(struct gateway *gw)
{
    int64_t now_us = loop_now_us(gw->config.loop), due_ms = LOOP_NEVER;
    bool moved = false;

    for (enum wait wait = WAIT_TELEMETRY; wait < WAIT_FLOOD; wait++) {
        struct ring *ring = wait == WAIT_TELEMETRY ? gw->config.telemetry : gw->config.urgent;
        if (!gw->waits[wait].count) continue;
        uint32_t room = lane_room(gw, (enum lane)wait) ? ring->mask + 1 - ring_count(ring) : 0;
        uint32_t most = (room + FRAMES_PER_TURN - 1) / FRAMES_PER_TURN;
        for (; most && gw->waits[wait].count; most--) go_on(gw, wait);
        moved = moved || room;
        if (gw->waits[wait].count) due_ms = loop_now_ms(gw->config.loop) + GATEWAY_RETRY_MS;
    }
    /* All pauses are equally long, so who came first is due first. */
    for (struct wait_list *list = &gw->waits[WAIT_FLOOD]; list->count;) {
        int64_t at_us = gw->sessions[list->first].resume_us;
        if (at_us > now_us) {
            if ((at_us + 999) / 1000 < due_ms) due_ms = (at_us + 999) / 1000;
            break;
        }
        go_on(gw, WAIT_FLOOD);
        moved = true;
    }
    /* What they say now comes after this hook; the next turn tells the engine. */
    return moved ? loop_now_ms(gw->config.loop) : due_ms;
}

static void go_on(struct gateway *gw, enum wait wait)
{
    struct session *s = &gw->sessions[gw->waits[wait].first];
    list_remove(gw, wait, gw->waits[wait].first);
    s->turn = (uint8_t)(1 + wait);
    gw->counters.resumed++;
    loop_resume(gw->config.loop, s->conn);
}

static void list_append(struct gateway *gw, enum wait wait, uint32_t slot)
{
    struct wait_list *list = &gw->waits[wait];
    struct session *s = &gw->sessions[slot];
    s->wait = (uint8_t)wait;
    s->after = NO_SLOT;
    s->before = list->count ? list->last : NO_SLOT;
    if (list->count) gw->sessions[list->last].after = slot;
    else list->first = slot;
    list->last = slot;
    list->count++;
}

static void list_remove(struct gateway *gw, enum wait wait, uint32_t slot)
{
    struct wait_list *list = &gw->waits[wait];
    struct session *s = &gw->sessions[slot];
    if (s->before == NO_SLOT) list->first = s->after;
    else gw->sessions[s->before].after = s->after;
    if (s->after == NO_SLOT) list->last = s->before;
    else gw->sessions[s->after].before = s->before;
    s->wait = WAIT_NOT;
    list->count--;
}
