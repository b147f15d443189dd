/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.c: any bytes, in any pieces, over several connections, into a gateway with rings of a few items, while
 * an engine takes what it likes and answers with orders, acks and hang-ups for sessions old and new.
 *
 * Held    every fact encodes and decodes to itself; a session is opened once, before anything else of it, and closed
 *         once, after which only what it said before (telemetry) follows; every opened one is closed at the end;
 *         whole frames are counted once
 * Input   a list of steps: a byte for what, a byte for whom, then what the step needs */
#include <string.h>

#include "base/must.h"
#include "gateway/gateway.h"
#include "net/fake/loop_fake.h"
#include "proto/codec.h"

enum { CONNS = 6, SEEN_MAX = 4096, TURNS_MAX = 4096 };

struct seen { uint64_t session; bool closed; };

static struct rig {
    struct loop *loop;
    struct gateway *gw;
    struct ring telemetry, urgent, out;
    uint64_t conns[CONNS];
    struct seen seen[SEEN_MAX];
    unsigned seen_count;
    struct inbound last;
    uint64_t facts;
    int64_t wall_ms;
} rig;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void wake(void *ctx) { (void)ctx; }
static int64_t wall_ms(void *ctx) { return ((struct rig *)ctx)->wall_ms; }

static void note(void *ctx, const struct gateway_note *note)
{
    (void)ctx;
    must(note->reason && strlen(note->reason) < 64 && note->frame.len <= GATEWAY_KEPT_MAX);
}

static void ring_fresh(struct ring *ring, size_t item, uint32_t count)
{
    static uint8_t memory[3][16384];
    static unsigned next;
    struct arena a = arena_on(memory[next++ % 3], sizeof memory[0]);
    ring_init(ring, &a, item, count);
}

static struct seen *seen_find(uint64_t session)
{
    for (unsigned i = rig.seen_count; i-- > 0;) {
        if (rig.seen[i].session == session) return &rig.seen[i];
    }
    return NULL;
}

static void check_bytes(const struct fact *fact)
{
    uint8_t wire[2][FACT_BYTES_MAX];
    struct buf a = buf_on(wire[0], sizeof wire[0]), b = buf_on(wire[1], sizeof wire[1]);
    struct fact again;
    fact_encode(fact, &a);
    must(!a.full);
    must(fact_decode(buf_bytes(&a), &again).code == ERR_OK);
    fact_encode(&again, &b);
    must(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
}

static void check_order(const struct inbound *in, bool urgent)
{
    struct seen *s = seen_find(in->origin.handle);
    must(!in->is_query && in->origin.kind == ORIGIN_DEVICE && in->origin.handle != 0);
    switch (in->fact.kind) {
    case FACT_SESSION_OPENED:
        must(!s && rig.seen_count < SEEN_MAX && in->fact.session_opened.session == in->origin.handle);
        rig.seen[rig.seen_count++].session = in->origin.handle;
        break;
    case FACT_SESSION_CLOSED:
        must(s && !s->closed && in->fact.session_closed.session == in->origin.handle);
        s->closed = true;
        break;
    default:
        must(s && (!urgent || !s->closed));
        must(in->fact.kind == FACT_REPORT || in->fact.kind == FACT_DEVICE_KEYED || in->fact.kind == FACT_LOCK_RESULT ||
             in->fact.kind == FACT_DEVICE_ECHO);
        rig.facts++;
    }
}

/* A round of the engine's thread, as gateway.h asks of it. */
static void take(uint32_t most)
{
    uint32_t n = ring_count(&rig.telemetry);
    for (struct inbound *in; (in = ring_peek(&rig.urgent)) != NULL; ring_took(&rig.urgent)) {
        check_bytes(&in->fact);
        check_order(in, true);
        rig.last = *in;
    }
    for (n = n < most ? n : most; n; n--) {
        struct inbound *in = ring_peek(&rig.telemetry);
        check_bytes(&in->fact);
        check_order(in, false);
        rig.last = *in;
        ring_took(&rig.telemetry);
    }
}

static void answer(uint8_t what, uint64_t conn)
{
    struct to_gateway *out = ring_room(&rig.out);
    if (!out) return;
    *out = (struct to_gateway){.kind = TO_GATEWAY_ORDER, .session = conn,
                               .order = {.op = what % ORDER_N, .step = what / ORDER_N % 2, .user = what, .stamp = 1,
                                         .deadline_ms = rig.wall_ms + what - 128}};
    if (what >= 250) out->kind = TO_GATEWAY_HANG_UP;
    if (what < 100 && rig.last.origin.tag) {
        out->kind = TO_GATEWAY_ACK;
        out->tag = rig.last.origin.tag;
        out->session = rig.last.origin.handle;
    }
    ring_put(&rig.out);
}

/* Whole frames, so that not only luck gets past the sniffing; bytes of the input may stand before and behind. */
#define A "*SCOR,OM,490154203237518,"
#define B "*CMDR,OM,490154203237526,261123120000,"
static const char *const frames[] = {
    A "Q0,412,80,28#\n", A "H0,1,398,24,80,0#\n", A "H0,0,398,24,80,0#", A "R0,0,55,20,1795435100#\n",
    A "L0,0,20,1795435100#\n", A "L1,0,20,1795435100,3#\n", A "W0,2#\n", A "E0,44#\n", A "V0,2#\n",
    A "G0,1#\n", A "K0,x#\n",
    A "D0,0,102030.00,A,5742.4000,N,01157.6000,E,9,1.0,231126,12.0,M,A#\n", A "H0,7#\n", A "H0,1,398,24",
    B "Q0,412#\n", B "H0,1,398,24#\n", B "L0,0,20,1795435100#\n", B "L1,20,1795435100,3#\n", B "S5,398,24,9,1,0#\n",
    B "D0,0,102030.00,A,5742.4000,N,01157.6000,E,9,1.0,,12.0,M,A#\n", B "D0,0,102030.00,V,,,,,,,,,,N#\n",
    A "H0,1,398,24,80,0#\n" A "L0,0,20,1795435100#\n" A "H0,0,398,24,80,0#\n" A "L1,0,0,0,3#\n",
    "*", "#", "GET / HTTP/1.1\r\n",
};

static void pass_ms(int64_t ms)
{
    fake_advance_ms(rig.loop, ms);
    rig.wall_ms += ms;
    fake_turn(rig.loop);
}

static void step(uint8_t what, uint8_t who, struct bytes *in)
{
    uint64_t *conn = &rig.conns[who % CONNS];
    struct bytes piece;
    switch (what % 8) {
    case 0:
        if (fake_is_closed(rig.loop, *conn, NULL) || !*conn) *conn = fake_dial(rig.loop, 0);
        break;
    case 1: fake_hang_up(rig.loop, *conn); break;
    case 2: take(who); break;
    case 3: answer(who, rig.conns[what / 8 % CONNS]); break;
    case 4: pass_ms(who * 16); break;
    case 5: fake_stall(rig.loop, *conn, who & 128); break;
    case 6:
        fake_send(rig.loop, rig.conns[what / 8 % CONNS], bytes_text(frames[who % (sizeof frames / sizeof frames[0])]));
        break;
    default:
        if (bytes_take(in, who < in->len ? who : in->len, &piece).code) return;
        fake_send(rig.loop, rig.conns[what / 8 % CONNS], piece);
    }
    fake_turn(rig.loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    memset(&rig, 0, sizeof rig);
    rig.wall_ms = 1795435200000;
    rig.loop = loop_fake_create();
    ring_fresh(&rig.telemetry, sizeof(struct inbound), 4);
    ring_fresh(&rig.urgent, sizeof(struct inbound), 2);
    ring_fresh(&rig.out, sizeof(struct to_gateway), 8);
    struct gateway_config config = {
        .loop = rig.loop, .address = bytes_text("127.0.0.1:0"), .conn_max = FAKE_CONN_MAX,
        .telemetry = &rig.telemetry, .urgent = &rig.urgent, .out = &rig.out, .wake_engine = wake,
        .wall_ms = wall_ms, .wall_ctx = &rig, .log = note, .frames_burst = 16, .out_max = 256};
    must(gateway_create(&config, &rig.gw).code == ERR_OK);
    while (in.len >= 2) {
        uint8_t what = in.at[0], who = in.at[1];
        in = bytes_of(in.at + 2, in.len - 2);
        step(what, who, &in);
    }

    /* Everybody leaves, the engine keeps up: then nothing may be left anywhere. */
    const struct gateway_counters *n = gateway_counters(rig.gw);
    for (unsigned i = 0; i < CONNS; i++) {
        fake_stall(rig.loop, rig.conns[i], false);
        fake_hang_up(rig.loop, rig.conns[i]);
    }
    unsigned turns = 0;
    while (n->connections || n->closes_pending || ring_count(&rig.urgent) || ring_count(&rig.telemetry)) {
        must(turns++ < TURNS_MAX);
        take(UINT32_MAX);
        pass_ms(100);
    }
    must(gateway_drained(rig.gw) && n->waiting_telemetry + n->waiting_urgent + n->flooding == 0);
    for (unsigned i = 0; i < rig.seen_count; i++) must(rig.seen[i].closed);
    must(n->sessions == 0 && n->sessions_opened == rig.seen_count && n->sessions_closed == rig.seen_count);
    must(rig.facts == n->reports + n->keys + n->lock_results + n->echoes);
    gateway_destroy(rig.gw);
    loop_destroy(rig.loop);
    return 0;
}
