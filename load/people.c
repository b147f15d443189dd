/* SPDX-License-Identifier: Apache-2.0 */
#include "load/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "base/prng.h"
#include "load/lock.h"
#include "load/tokens.h"
#include "net/http_client.h"
#include "net/loop_epoll.h"

enum { REPLY_MS = 20000, SETUP_MS = 30000, DRAIN_MS = 15000, CONNECTING_MAX = 256, PROGRESS_US = 2000000, TARGET_MAX = 160,
       REPLY_MAX = 1 << 18, WAIT_S = 10 };
_Static_assert(sizeof *((struct people_options){0}.tokens) == TOKEN_ROOM, "both speak of the same tokens");
#define NOBODY UINT32_MAX

const char *const people_names[PEOPLE_KIND_N] = {"near", "poll", "start"};

/* A connection of the API and what is asked over it. */
struct line {
    struct people *people;
    struct http_client *client;
    uint8_t kind;
    uint32_t rider;
    struct place *place;
    int64_t due_us, sent_us;
};

/* A lock, and who rides on it. */
struct place {
    struct lock lock;
    struct people *people;
    uint32_t rider;              /* NOBODY: idle, or out of use */
    int64_t close_us;
};

struct waiting { uint8_t kind; int64_t due_us; };

/* Places or riders that are of one mind, in no order: taken and left in one step. */
struct bag { uint32_t *at, count; };

struct people {
    struct people_options options;
    struct people_result *result;
    struct loop *loop;
    struct line *lines;
    struct place *places;
    struct bag idle_lines, idle_places, idle_riders, riding; /* riding: places */
    uint32_t *riding_at;         /* of a place: where in `riding` */
    struct waiting *queue;
    uint32_t queue_first, queue_count, ready, opened;
    uint64_t next[PEOPLE_KIND_N], keys;
    int64_t begin_us, measure_us, end_us;
    uint32_t *closing;           /* a ring of places in the order in which they close */
    uint32_t closing_first, closing_count;
    struct prng prng;
    bool sending;
};

static int64_t clock_us(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
static int64_t now_us(void) { return clock_us(CLOCK_MONOTONIC); }
static int64_t wall_ms(void) { return clock_us(CLOCK_REALTIME) / 1000; }

static uint32_t bag_take(struct bag *b, struct prng *prng)
{
    if (!b->count) return NOBODY;
    uint32_t i = (uint32_t)prng_below(prng, b->count), taken = b->at[i];
    b->at[i] = b->at[--b->count];
    return taken;
}

static void bag_put(struct bag *b, uint32_t what) { b->at[b->count++] = what; }

static void failed(struct people *p, const char *what, struct bytes detail)
{
    if (*p->result->why) return;
    snprintf(p->result->why, PEOPLE_WHY_MAX, "%s: %.*s", what, (int)(detail.len < 150 ? detail.len : 150),
             (const char *)detail.at);
}

/* ---- rides ---- */

static uint32_t index_of(const struct people *p, const struct place *place) { return (uint32_t)(place - p->places); }

static void ride_begins(struct people *p, struct place *place, uint32_t rider)
{
    uint32_t i = index_of(p, place);
    place->rider = rider;
    p->riding_at[i] = p->riding.count;
    bag_put(&p->riding, i);
    if (p->riding.count > p->result->rides_most) p->result->rides_most = p->riding.count;
    place->close_us = now_us() + p->options.ride_ms * 1000;
    p->closing[(p->closing_first + p->closing_count++) % p->options.locks] = i;
}

static void ride_leaves(struct people *p, uint32_t i)
{
    uint32_t last = p->riding.at[--p->riding.count];
    p->riding.at[p->riding_at[i]] = last;
    p->riding_at[last] = p->riding_at[i];
}

static void close_due(struct people *p, int64_t at_us)
{
    while (p->closing_count) {
        struct place *place = &p->places[p->closing[p->closing_first]];
        if (place->close_us > at_us) return;
        p->closing_first = (p->closing_first + 1) % p->options.locks;
        p->closing_count--;
        ride_leaves(p, index_of(p, place));
        lock_close(&place->lock);
    }
}

static void on_ready(void *ctx, struct lock *lock)
{
    struct place *place = ctx;
    struct people *p = place->people;
    (void)lock;
    if (place->rider != NOBODY) bag_put(&p->idle_riders, place->rider);
    else p->ready++;
    place->rider = NOBODY;
    bag_put(&p->idle_places, index_of(p, place));
}

static void on_gone(void *ctx, struct lock *lock)
{
    struct people *p = ((struct place *)ctx)->people;
    (void)lock;
    if (p->result) p->result->locks_lost++;
}

/* ---- requests ---- */

static struct people_figures *figures_of(struct people *p, const struct line *l)
{
    bool measured = l->due_us >= p->measure_us && l->due_us < p->end_us;
    return measured ? &p->result->of[l->kind] : NULL;
}

static void ask_near(struct people *p, char *target)
{
    int32_t lat, lon;
    wire_position(p->options.first + (uint32_t)prng_below(&p->prng, p->options.locks), 0, &lat, &lon);
    snprintf(target, TARGET_MAX, "/v1/near?lat=%d.%07d&lon=%d.%07d&radius_m=500&limit=20", lat / 10000000, lat % 10000000,
             lon / 10000000, lon % 10000000);
}

/* Picks who asks for what; false: nobody can. */
static bool compose(struct people *p, struct line *l, char *target, char *body)
{
    *body = 0;
    l->rider = (uint32_t)prng_below(&p->prng, p->options.riders);
    if (l->kind == PEOPLE_NEAR) {
        ask_near(p, target);
        return true;
    }
    if (l->kind == PEOPLE_POLL) {
        if (p->riding.count) l->rider = p->places[p->riding.at[prng_below(&p->prng, p->riding.count)]].rider;
        snprintf(target, TARGET_MAX, "/v1/rides/current");
        return true;
    }
    uint32_t place = bag_take(&p->idle_places, &p->prng), rider = NOBODY;
    if (place != NOBODY) rider = bag_take(&p->idle_riders, &p->prng);
    if (rider == NOBODY) {
        if (place != NOBODY) bag_put(&p->idle_places, place);
        return false;
    }
    l->rider = rider;
    l->place = &p->places[place];
    l->place->rider = rider;
    struct text16 code = wire_code(l->place->lock.vehicle.number);
    snprintf(target, TARGET_MAX, "/v1/rides?wait=%d", WAIT_S);
    snprintf(body, TARGET_MAX, "{\"vehicle_code\":\"%.*s\"}", (int)code.len, code.at);
    return true;
}

static bool send(struct people *p, struct line *l)
{
    char target[TARGET_MAX], body[TARGET_MAX], bearer[96], key[40];
    if (!compose(p, l, target, body)) {
        p->result->no_lock++;
        return false;
    }
    snprintf(bearer, sizeof bearer, "Bearer %s", p->options.tokens[l->rider]);
    snprintf(key, sizeof key, "load-%llx-%llu", (unsigned long long)p->begin_us, (unsigned long long)++p->keys);
    struct http_reply_header headers[] = {{"Authorization", bytes_text(bearer)}, {"Paddock-App", bytes_text("load/1")},
                                          {"Idempotency-Key", bytes_text(key)}};
    struct http_client_request request = {
        .method = l->kind == PEOPLE_START ? "POST" : "GET", .target = bytes_text(target), .headers = headers,
        .header_count = l->kind == PEOPLE_START ? 3 : 2, .body = bytes_text(body),
        .content_type = *body ? "application/json" : NULL};
    l->sent_us = now_us();
    struct err e = http_client_send(l->client, &request);
    if (!e.code) return true;
    failed(p, people_names[l->kind], bytes_text(e.why));
    struct people_figures *f = figures_of(p, l);
    if (f) f->failed++;
    return false;
}

/* Whatever waits goes out over whoever is free. */
static void dispatch(struct people *p)
{
    while (p->queue_count && p->idle_lines.count) {
        struct waiting w = p->queue[p->queue_first];
        p->queue_first = (p->queue_first + 1) % PEOPLE_WAITING_MAX;
        p->queue_count--;
        struct line *l = &p->lines[p->idle_lines.at[p->idle_lines.count - 1]];
        l->kind = w.kind;
        l->due_us = w.due_us;
        l->place = NULL;
        if (send(p, l)) p->idle_lines.count--;
    }
}

static void enqueue(struct people *p, unsigned kind, int64_t due_us)
{
    struct people_figures *f = due_us >= p->measure_us ? &p->result->of[kind] : NULL;
    if (f) f->due++;
    if (p->queue_count == PEOPLE_WAITING_MAX) {
        if (f) f->dropped++;
        return;
    }
    p->queue[(p->queue_first + p->queue_count++) % PEOPLE_WAITING_MAX] = (struct waiting){(uint8_t)kind, due_us};
}

static void enqueue_due(struct people *p, int64_t at_us)
{
    for (unsigned kind = 0; kind < PEOPLE_KIND_N; kind++) {
        uint64_t rate = p->options.per_s[kind];
        for (; rate; p->next[kind]++) {
            uint64_t i = p->next[kind];
            int64_t due_us = p->begin_us + (int64_t)(i / rate * 1000000 + i % rate * 1000000 / rate);
            if (due_us > at_us || due_us >= p->end_us) break;
            enqueue(p, kind, due_us);
        }
    }
}

static void started(struct people *p, struct line *l, bool fine, int64_t at_us, bool measured)
{
    struct place *place = l->place;
    const struct lock *lock = &place->lock;
    if (!fine || lock->stage != LOCK_OPENED) {
        place->rider = NOBODY; /* nobody knows in which state: out of use, both */
        return;
    }
    if (measured) {
        int64_t order_us = lock->ordered_us - l->sent_us, answer_us = at_us - lock->answered_us;
        spread_add(&p->result->order, order_us);
        spread_add(&p->result->answer, answer_us);
        spread_add(&p->result->share, order_us + answer_us);
    }
    ride_begins(p, place, l->rider);
}

static bool success(const struct line *l, const struct http_client_reply *reply)
{
    if (l->kind == PEOPLE_NEAR) return reply->status == 200;
    if (l->kind == PEOPLE_POLL) return reply->status == 200 || reply->status == 404; /* 404: rides no more */
    static const char riding[] = "\"state\":\"riding\"";
    return reply->status / 100 == 2 && reply->body.len && memmem(reply->body.at, reply->body.len, riding, sizeof riding - 1);
}

static void over(struct line *l, bool fine)
{
    struct people *p = l->people;
    int64_t at_us = now_us();
    struct people_figures *f = figures_of(p, l);
    if (f) {
        f->done += fine;
        f->failed += !fine;
        spread_add(&f->latency, at_us - l->due_us);
    }
    if (l->kind == PEOPLE_START) started(p, l, fine, at_us, f != NULL);
    bag_put(&p->idle_lines, (uint32_t)(l - p->lines));
}

static void on_reply(void *ctx, struct http_client *client, const struct http_client_reply *reply)
{
    struct line *l = ctx;
    (void)client;
    bool fine = success(l, reply);
    if (!fine) failed(l->people, people_names[l->kind], reply->body);
    over(l, fine);
}

static void on_failed(void *ctx, struct http_client *client, struct err why)
{
    struct line *l = ctx;
    (void)client;
    failed(l->people, people_names[l->kind], bytes_text(why.why));
    over(l, false);
}

/* ---- the run ---- */

static bool stopped(const struct people *p) { return p->options.stop && *p->options.stop; }

static struct err connect_locks(struct people *p)
{
    int64_t until_us = now_us() + SETUP_MS * 1000ll;
    while (p->ready < p->options.locks && now_us() < until_us && !stopped(p)) {
        while (p->opened < p->options.locks && p->opened - p->ready < CONNECTING_MAX) {
            TRY(lock_connect(&p->places[p->opened++].lock, p->options.vehicles));
        }
        TRY(loop_turn(p->loop, 10));
    }
    return p->ready == p->options.locks ? NO_ERR : ERR(IO, "not every lock was acknowledged");
}

static void step(struct people *p, int64_t *told_us)
{
    int64_t at_us = now_us();
    if (p->sending) enqueue_due(p, at_us);
    close_due(p, at_us);
    dispatch(p);
    if (!p->options.progress || at_us - *told_us < PROGRESS_US) return;
    uint64_t done = 0;
    for (unsigned k = 0; k < PEOPLE_KIND_N; k++) done += p->result->of[k].done;
    p->options.progress(p->options.ctx, at_us < p->measure_us ? "warming up" : "measuring", done, p->queue_count);
    *told_us = at_us;
}

struct err people_run(struct people *p, struct people_result *out)
{
    *out = (struct people_result){0};
    p->result = out;
    TRY(connect_locks(p));
    if (p->options.on_locks_ready) TRY(p->options.on_locks_ready(p->options.ctx));
    p->begin_us = now_us();
    p->measure_us = p->begin_us + p->options.warmup_ms * 1000;
    p->end_us = p->measure_us + p->options.for_ms * 1000;
    p->sending = true;
    int64_t told_us = p->begin_us, cpu_us = -1;
    while (now_us() < p->end_us && !stopped(p)) {
        step(p, &told_us);
        TRY(loop_turn(p->loop, 1));
        if (cpu_us < 0 && now_us() >= p->measure_us) cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    }
    p->sending = false;
    if (now_us() < p->end_us) p->end_us = now_us();
    out->measured_us = p->end_us > p->measure_us ? p->end_us - p->measure_us : 0;
    out->cpu_us = cpu_us < 0 ? 0 : clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_us;
    int64_t until_us = now_us() + DRAIN_MS * 1000ll;
    while ((p->queue_count || p->idle_lines.count < p->options.clients) && now_us() < until_us) {
        step(p, &told_us);
        TRY(loop_turn(p->loop, 5));
    }
    for (unsigned k = 0; k < PEOPLE_KIND_N; k++) { /* what nobody answered until now */
        struct people_figures *f = &out->of[k];
        uint64_t known = f->done + f->failed + f->dropped + (k == PEOPLE_START ? out->no_lock : 0);
        if (f->due > known) f->failed += f->due - known;
    }
    return NO_ERR;
}

static bool bag_make(struct bag *b, uint32_t cap, bool full)
{
    b->at = calloc(cap, sizeof *b->at);
    for (uint32_t i = 0; b->at && full && i < cap; i++) bag_put(b, i);
    return b->at != NULL;
}

static struct err open_lines(struct people *p)
{
    for (uint32_t i = 0; i < p->options.clients; i++) {
        p->lines[i].people = p;
        struct http_client_config config = {
            .address = p->options.http, .reply_max = REPLY_MAX, .timeout_ms = REPLY_MS,
            .events = {.ctx = &p->lines[i], .on_reply = on_reply, .on_failed = on_failed}};
        TRY(http_client_create(p->loop, &config, &p->lines[i].client));
    }
    for (uint32_t i = 0; i < p->options.locks; i++) {
        struct place *place = &p->places[i];
        *place = (struct place){.people = p, .rider = NOBODY,
                                .lock = {.loop = p->loop, .vehicle = wire_vehicle(p->options.first + i), .now_us = now_us,
                                         .wall_ms = wall_ms, .ctx = place, .on_ready = on_ready, .on_gone = on_gone}};
    }
    return NO_ERR;
}

struct err people_create(const struct people_options *o, struct people **out)
{
    *out = NULL;
    must(o->riders && o->locks && o->clients && o->clients <= PEOPLE_CLIENTS_MAX && o->locks <= PEOPLE_LOCKS_MAX);
    struct people *p = calloc(1, sizeof *p);
    if (!p) return ERR(FULL, "no memory");
    p->options = *o;
    p->prng = prng_of((uint64_t)wall_ms(), bytes_text("people"));
    p->lines = calloc(o->clients, sizeof *p->lines);
    p->places = calloc(o->locks, sizeof *p->places);
    p->queue = calloc(PEOPLE_WAITING_MAX, sizeof *p->queue);
    p->closing = calloc(o->locks, sizeof *p->closing);
    p->riding_at = calloc(o->locks, sizeof *p->riding_at);
    bool room = p->lines && p->places && p->queue && p->closing && p->riding_at && bag_make(&p->idle_lines, o->clients, true) &&
                bag_make(&p->idle_places, o->locks, false) && bag_make(&p->idle_riders, o->riders, true) &&
                bag_make(&p->riding, o->locks, false);
    struct err e = room ? NO_ERR : ERR(FULL, "no memory");
    if (!e.code) e = loop_epoll_create(&(struct loop_config){.conn_max = o->clients + o->locks + 8}, &p->loop);
    if (!e.code) e = open_lines(p);
    if (e.code) {
        people_destroy(p);
        return e;
    }
    *out = p;
    return NO_ERR;
}

void people_destroy(struct people *p)
{
    if (!p) return;
    p->result = NULL;
    for (uint32_t i = 0; p->lines && i < p->options.clients; i++) http_client_destroy(p->lines[i].client);
    if (p->loop) loop_destroy(p->loop);
    free(p->idle_lines.at);
    free(p->idle_places.at);
    free(p->idle_riders.at);
    free(p->riding.at);
    free(p->lines);
    free(p->places);
    free(p->queue);
    free(p->closing);
    free(p->riding_at);
    free(p);
}
