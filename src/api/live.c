/* SPDX-License-Identifier: Apache-2.0 */
/* live.c: see live.h. */
#include "api/live.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_json.h"
#include "base/must.h"

#define EVENT_TEXT_MAX 2048u

struct stream {
    uint64_t http;       /* 0 = free */
    struct uuid account;
    uint64_t at;         /* next event to look at, counted since the start */
    int64_t window_ms;   /* since when `sent` counts */
    uint32_t sent;       /* bytes in this window */
    uint32_t next_free;
    int64_t checked_ms;
    uint8_t token_len;
    char token[LIVE_TOKEN_MAX];
    bool staff;
    const struct scope *scope;
    bool reset;          /* owes the client a `reset` */
    bool at_head;        /* a rider's that has seen everything: new events are given to it directly */
};

struct ride_owner {
    struct uuid ride;    /* the identity */
    struct uuid rider;
};

struct live {
    struct live_options options;
    struct event *ring;
    uint64_t begun, pushed;  /* events in the ring: from begun to before pushed */
    struct stream *streams;
    uint32_t free, used_top; /* slots from used_top on were never used */
    struct map by_http, by_rider;
    struct shelf owners;
    struct live_counters counters;
    bool news;               /* an event or a stream since the last turn */
    int64_t due_ms;          /* without news there is nothing to do before it */
    void *memory;
};

static bool send_event(struct live *l, struct stream *s, const struct event *event);

struct err live_create(const struct live_options *options, struct live **out)
{
    struct live *l = calloc(1, sizeof *l);
    uint32_t n = options->stream_max;
    must((options->ring & (options->ring - 1)) == 0);
    size_t need = arena_need(options->ring * sizeof *l->ring) + arena_need(n * sizeof *l->streams) + 2 * map_need(n);
    if (!l || !(l->memory = calloc(1, need))) {
        free(l);
        return ERR(IO, "no memory");
    }
    struct arena a = arena_on(l->memory, need);
    l->options = *options;
    l->ring = arena_take(&a, options->ring * sizeof *l->ring);
    l->streams = arena_take(&a, n * sizeof *l->streams);
    map_init(&l->by_http, &a, n);
    map_init(&l->by_rider, &a, n);
    for (uint32_t i = 0; i < n; i++) l->streams[i].next_free = i + 1;
    struct err e = shelf_init(&l->owners, sizeof(struct ride_owner), sizeof(struct uuid), options->ride_memory,
                              options->key);
    if (e.code) {
        live_destroy(l);
        return e;
    }
    *out = l;
    return NO_ERR;
}

void live_destroy(struct live *l)
{
    if (!l) return;
    shelf_fini(&l->owners);
    free(l->memory);
    free(l);
}

void live_set_server(struct live *l, struct http_server *http)
{
    l->options.http = http;
}

const struct live_counters *live_counters(const struct live *l)
{
    return &l->counters;
}

/* ---- streams ---- */

static uint64_t rider_hash(const struct live *l, struct uuid rider)
{
    return hash_bytes(l->options.key, bytes_of(rider.at, sizeof rider.at));
}

static void stream_drop(struct live *l, struct stream *s)
{
    uint32_t slot = (uint32_t)(s - l->streams);
    map_remove(&l->by_http, s->http, slot);
    if (!s->staff) map_remove(&l->by_rider, rider_hash(l, s->account), slot);
    s->http = 0;
    s->next_free = l->free;
    l->free = slot;
    l->counters.open--;
}

static const struct event *ring_at(const struct live *l, uint64_t at)
{
    return &l->ring[at & (l->options.ring - 1)];
}

static bool id_before(const struct event *event, uint64_t seq, uint64_t part)
{
    return event->seq < seq || (event->seq == seq && event->part < part);
}

/* Place behind the event with that id; false when the ring cannot say what came after it. */
static bool resume_at(const struct live *l, struct bytes id, uint64_t *at)
{
    uint64_t seq, part, low = l->begun, high = l->pushed;
    struct bytes first = bytes_split(&id, '.');
    if (bytes_u64(first, 18, &seq).code || bytes_u64(id, 10, &part).code) return false;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (id_before(ring_at(l, middle), seq, part)) low = middle + 1;
        else high = middle;
    }
    if (low == l->pushed) return false; /* never sent by this process, or not yet */
    const struct event *found = ring_at(l, low);
    if (found->seq != seq || found->part != part) return false;
    *at = low + 1;
    return true;
}

void live_open(struct live *l, const struct live_client *client, int64_t now_ms)
{
    must(l->counters.open < l->options.stream_max); /* the server refuses more */
    must(client->token.len <= LIVE_TOKEN_MAX);      /* it was a good one */
    uint32_t slot = l->free;
    struct stream *s = &l->streams[slot];
    l->free = s->next_free;
    if (slot >= l->used_top) l->used_top = slot + 1;
    *s = (struct stream){.http = client->http, .account = client->account, .staff = client->staff, .at = l->pushed,
                         .scope = client->staff ? client->scope : NULL,
                         .checked_ms = now_ms, .token_len = (uint8_t)client->token.len};
    if (client->token.len) memcpy(s->token, client->token.at, client->token.len);
    if (client->last_id.len) s->reset = !resume_at(l, client->last_id, &s->at);
    struct err e = map_put(&l->by_http, s->http, slot);
    if (!e.code && !s->staff) e = map_put(&l->by_rider, rider_hash(l, s->account), slot);
    must(!e.code);
    l->news = true;
    l->counters.open++;
}

bool live_gone(struct live *l, uint64_t http)
{
    uint32_t slot = map_find(&l->by_http, http, NULL, NULL);
    if (slot == MAP_NONE) return false;
    stream_drop(l, &l->streams[slot]);
    return true;
}

/* ---- whose ---- */

static struct uuid owner_of(const struct live *l, const struct event *event)
{
    if (!uuid_zero(event->rider)) return event->rider;
    const struct ride_owner *known = uuid_zero(event->ride) ? NULL : shelf_find(&l->owners, &event->ride);
    return known ? known->rider : (struct uuid){{0}};
}

static void remember_owner(struct live *l, const struct event *event)
{
    if (uuid_zero(event->rider) || uuid_zero(event->ride)) return;
    struct ride_owner *known = shelf_find(&l->owners, &event->ride);
    if (!known) known = shelf_add(&l->owners, &event->ride);
    if (known) known->rider = event->rider;
}

/* ---- sending ---- */

struct at_head { const struct live *live; struct uuid rider; uint64_t after; uint32_t found; };

/* One after the other, by slot: a rider may listen on several phones. */
static bool next_at_head(const void *ctx, uint32_t slot)
{
    struct at_head *w = (struct at_head *)(uintptr_t)ctx;
    const struct stream *s = &w->live->streams[slot];
    if (s->at_head && slot >= w->after && slot < w->found && uuid_equal(s->account, w->rider)) w->found = slot;
    return false;
}

static void give_to_rider(struct live *l, const struct event *event)
{
    struct at_head w = {l, owner_of(l, event), 0, MAP_NONE};
    if (uuid_zero(w.rider)) return;
    for (;;) {
        w.found = MAP_NONE;
        map_find(&l->by_rider, rider_hash(l, w.rider), next_at_head, &w);
        if (w.found == MAP_NONE) return;
        w.after = (uint64_t)w.found + 1;
        send_event(l, &l->streams[w.found], event);
    }
}

void live_push(struct live *l, const struct event *event)
{
    remember_owner(l, event);
    if (l->pushed - l->begun == l->options.ring) l->begun++;
    l->ring[l->pushed & (l->options.ring - 1)] = *event;
    l->pushed++;
    l->news = true;
    l->counters.events++;
    give_to_rider(l, event);
}

/* False: the client was too slow or has left; its stream is dropped when the server says that it is gone. */
static bool send_text(struct live *l, struct stream *s, struct bytes id, const char *name, struct bytes data)
{
    struct err e = http_sse_send(l->options.http, s->http, id, bytes_text(name), data);
    s->sent += (uint32_t)(id.len + data.len + 32);
    if (!e.code) l->counters.sent++;
    if (e.code == ERR_FULL) l->counters.closed_slow++;
    return !e.code;
}

static bool send_event(struct live *l, struct stream *s, const struct event *event)
{
    char text[EVENT_TEXT_MAX], id[48];
    struct buf b = buf_on(text, sizeof text), id_buf = buf_on(id, sizeof id);
    struct json j = json_on(&b);
    api_json_event(event, s->staff ? SIGHT_STAFF : SIGHT_RIDER, &j);
    must(!b.full);
    api_put_event_id(&id_buf, event->seq, event->part);
    return send_text(l, s, buf_bytes(&id_buf), enum_name(&event_kind_names, event->kind), buf_bytes(&b));
}

/* The client is told that it missed something, and goes on from the newest event. */
static bool send_reset(struct live *l, struct stream *s)
{
    char text[64], id[48];
    struct buf b = buf_on(text, sizeof text), id_buf = buf_on(id, sizeof id);
    struct json j = json_on(&b);
    const struct event *newest = l->pushed ? ring_at(l, l->pushed - 1) : NULL;
    json_open(&j, '{');
    json_name(&j, "as_of_seq");
    json_u64(&j, newest ? newest->seq : 0);
    json_close(&j, '}');
    if (newest) api_put_event_id(&id_buf, newest->seq, newest->part);
    s->reset = false;
    s->at = l->pushed;
    l->counters.resets++;
    return send_text(l, s, buf_bytes(&id_buf), "reset", buf_bytes(&b));
}

/* A rider's own, or of a city that staff work in. */
static bool concerns(const struct live *l, const struct stream *s, const struct event *event)
{
    if (!s->staff) return uuid_equal(owner_of(l, event), s->account);
    if (!s->scope) return true;
    return event->city_id && l->options.in_scope && l->options.in_scope(l->options.ctx, s->scope, event->city_id);
}

/* Catches up; false when there is more to do than fits now. */
static bool stream_turn(struct live *l, struct stream *s, int64_t now_ms)
{
    uint32_t looked = 0;
    if (now_ms - s->window_ms >= LIVE_PACE_MS) {
        s->window_ms = now_ms;
        s->sent = 0;
    }
    if (s->at < l->begun) s->reset = true;
    if (s->reset && !send_reset(l, s)) return true;
    while (s->at < l->pushed && s->sent < LIVE_CHUNK && looked++ < LIVE_SCAN_MAX) {
        const struct event *event = ring_at(l, s->at);
        s->at++;
        if (!concerns(l, s, event)) continue;
        if (!send_event(l, s, event)) {
            s->at = l->pushed;
            return true;
        }
    }
    s->at_head = !s->staff && s->at == l->pushed;
    return s->at == l->pushed;
}

static bool token_good(struct live *l, struct stream *s, int64_t now_ms)
{
    if (!l->options.still_good || now_ms - s->checked_ms < LIVE_RECHECK_MS) return true;
    s->checked_ms = now_ms;
    if (l->options.still_good(l->options.ctx, bytes_of(s->token, s->token_len), s->scope, now_ms)) return true;
    l->counters.closed_token++;
    http_sse_end(l->options.http, s->http);
    stream_drop(l, s);
    return false;
}

int64_t live_turn(struct live *l, int64_t now_ms)
{
    int64_t next_ms = LOOP_NEVER;
    if (!l->news && now_ms < l->due_ms) return l->due_ms;
    l->news = false;
    for (uint32_t i = 0; i < l->used_top; i++) {
        struct stream *s = &l->streams[i];
        if (!s->http || !token_good(l, s, now_ms)) continue;
        if (s->checked_ms + LIVE_RECHECK_MS < next_ms) next_ms = s->checked_ms + LIVE_RECHECK_MS;
        if (!s->at_head && !stream_turn(l, s, now_ms)) next_ms = now_ms + LIVE_PACE_MS;
    }
    l->due_ms = next_ms;
    return next_ms;
}
