/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_rig_test.h: a gateway on the fake network, with the test as its vehicles, its engine and its clock. */
/* long: every test of the gateway stands on it */
#ifndef GATEWAY_GATEWAY_RIG_TEST_H
#define GATEWAY_GATEWAY_RIG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/gateway.h"
#include "net/fake/loop_fake.h"
#include "proto/codec.h"

#define ID_A "490154203237518"
#define ID_B "490154203237526"
#define ID_C "490154203237534"
#define SCOR(id, rest) "*SCOR,OM," id "," rest "#\n"
#define CMDR(id, rest) "*CMDR,OM," id ",261123120000," rest "#\n"
#define HEARTBEAT "H0,1,398,24,80,0"

enum { TAKEN_MAX = 16384, NOTES_MAX = 32 };
#define WALL_START_MS 1795435200000 /* 2026-11-23T12:00:00Z */

struct rig {
    struct loop *loop;
    struct gateway *gw;
    const struct gateway_counters *n;
    struct ring telemetry, urgent, out;
    void *memory[3];
    int64_t wall_ms;
    unsigned wakes;
    const struct loop_calls *real;
    struct loop_calls calls; /* the same, but that the hook is seen */
    struct loop_hook hook;
    struct inbound taken[TAKEN_MAX]; /* as the engine's thread takes them */
    unsigned taken_count;
    struct gateway_note notes[NOTES_MAX]; /* without what they borrow, but for the frame */
    char note_frames[NOTES_MAX][256];
    unsigned note_count;
};

static inline void rig_wake(void *ctx) { ((struct rig *)ctx)->wakes++; }
static inline int64_t rig_wall_ms(void *ctx) { return ((struct rig *)ctx)->wall_ms; }

static inline void rig_log(void *ctx, const struct gateway_note *note)
{
    struct rig *r = ctx;
    assert_true(r->note_count < NOTES_MAX && note->frame.len < sizeof r->note_frames[0]);
    r->notes[r->note_count] = *note;
    if (note->frame.len) memcpy(r->note_frames[r->note_count], note->frame.at, note->frame.len);
    r->note_frames[r->note_count++][note->frame.len] = 0;
}

static struct rig *rig_opening;

static inline struct err rig_add_hook(struct loop *l, struct loop_hook hook)
{
    rig_opening->hook = hook;
    return rig_opening->real->add_hook(l, hook);
}

/* One more turn of the hook: when does it want to be called again? */
static inline int64_t rig_hook(struct rig *r) { return r->hook.fn(r->hook.ctx, loop_now_ms(r->loop)); }

static inline void rig_ring(struct ring *ring, void **memory, size_t item, uint32_t count)
{
    size_t need = ring_need(item, count);
    *memory = aligned_alloc(64, need);
    memset(*memory, 0xa5, need); /* nothing may count on zeros */
    struct arena a = arena_on(*memory, need);
    ring_init(ring, &a, item, count);
}

/* Members of `like` that are 0 take the gateway's defaults. */
static inline struct rig *rig_open(uint32_t telemetry, uint32_t urgent, uint32_t out, struct gateway_config like)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->loop = loop_fake_create();
    r->real = r->loop->calls;
    r->calls = *r->real;
    r->calls.add_hook = rig_add_hook;
    r->loop->calls = &r->calls;
    rig_opening = r;
    r->wall_ms = WALL_START_MS;
    rig_ring(&r->telemetry, &r->memory[0], sizeof(struct inbound), telemetry);
    rig_ring(&r->urgent, &r->memory[1], sizeof(struct inbound), urgent);
    rig_ring(&r->out, &r->memory[2], sizeof(struct to_gateway), out);
    like.loop = r->loop;
    like.address = bytes_text("127.0.0.1:0");
    like.port = 3;
    like.conn_max = like.slot_max = FAKE_CONN_MAX;
    like.telemetry = &r->telemetry;
    like.urgent = &r->urgent;
    like.out = &r->out;
    like.wake_engine = rig_wake;
    like.wall_ms = rig_wall_ms;
    like.log = rig_log;
    like.wake_ctx = like.wall_ctx = like.log_ctx = r;
    assert_int_equal(gateway_create(&like, &r->gw).code, ERR_OK);
    r->n = gateway_counters(r->gw);
    return r;
}

static inline struct rig *rig_open_wide(void) { return rig_open(1024, 256, 256, (struct gateway_config){0}); }

static inline void rig_close(struct rig *r)
{
    gateway_destroy(r->gw);
    loop_destroy(r->loop);
    for (int i = 0; i < 3; i++) free(r->memory[i]);
    free(r);
}

static inline uint64_t rig_dial(struct rig *r)
{
    uint64_t conn = fake_dial(r->loop, 0);
    assert_true(conn != 0);
    fake_turn(r->loop);
    return conn;
}

static inline void rig_say(struct rig *r, uint64_t conn, const char *text)
{
    fake_send(r->loop, conn, bytes_text(text));
    fake_settle(r->loop);
}

static inline void rig_keep(struct rig *r, const struct inbound *in)
{
    assert_true(r->taken_count < TAKEN_MAX && !in->is_query);
    assert_int_equal(in->fact.now_ms, 0); /* the engine's thread stamps it */
    r->taken[r->taken_count++] = *in;
}

/* One round of the engine's thread, as gateway.h asks of it; at most `most` telemetry. */
static inline void rig_take_some(struct rig *r, uint32_t most)
{
    uint32_t n = ring_count(&r->telemetry);
    if (n > most) n = most;
    for (struct inbound *in; (in = ring_peek(&r->urgent)) != NULL; ring_took(&r->urgent)) {
        rig_keep(r, in);
    }
    for (; n; n--) {
        rig_keep(r, ring_peek(&r->telemetry));
        ring_took(&r->telemetry);
    }
}

static inline void rig_take(struct rig *r) { rig_take_some(r, UINT32_MAX); }

static inline void rig_pass_ms(struct rig *r, int64_t ms)
{
    fake_advance_ms(r->loop, ms);
    r->wall_ms += ms;
    fake_settle(r->loop);
}

static inline const struct fact *rig_fact(const struct rig *r, unsigned i)
{
    assert_true(i < r->taken_count);
    return &r->taken[i].fact;
}

static inline unsigned rig_count(const struct rig *r, uint8_t kind)
{
    unsigned count = 0;
    for (unsigned i = 0; i < r->taken_count; i++) count += r->taken[i].fact.kind == kind;
    return count;
}

/* The engine's answer comes back, after its commit. */
static inline void rig_release(struct rig *r, struct to_gateway item)
{
    struct to_gateway *room = ring_room(&r->out);
    assert_non_null(room);
    *room = item;
    ring_put(&r->out);
}

static inline void rig_ack(struct rig *r, const struct inbound *in)
{
    rig_release(r, (struct to_gateway){.kind = TO_GATEWAY_ACK, .tag = in->origin.tag, .session = in->origin.handle,
                                       .born_us = in->origin.born_us});
}

static inline void rig_assert_received(struct rig *r, uint64_t conn, const char *want)
{
    struct bytes got = fake_received(r->loop, conn);
    assert_int_equal(got.len, strlen(want));
    if (got.len) assert_memory_equal(got.at, want, got.len);
    fake_forget_received(r->loop, conn);
}

/* A session that is known to the engine, with nothing left in the rings. */
static inline uint64_t rig_bound(struct rig *r, const char *hello)
{
    uint64_t conn = rig_dial(r);
    rig_say(r, conn, hello);
    rig_take(r);
    r->taken_count = 0;
    return conn;
}

#endif
