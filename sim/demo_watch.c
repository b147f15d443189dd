/* SPDX-License-Identifier: Apache-2.0 */
/* demo_watch.c: see demo_watch.h. */
#include "sim/demo_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/timetext.h"
#include "sim/phone.h"

enum { SAMPLES = 7, REPLY_MS = 10000, US = 6 };
enum { LOOK_METRICS, LOOK_VEHICLES, LOOK_LIVE, LOOK_WHY, LOOK_N };

/* Counters of the server that matter here. The sum is in microseconds. */
#define SAMPLE_LIST(X)                                              \
    X(facts,    "paddock_facts_total")                              \
    X(commits,  "paddock_commits_total")                            \
    X(cuts,     "paddock_cuts_total")                               \
    X(syncs,    "paddock_commit_seconds_count")                     \
    X(sync_us,  "paddock_commit_seconds_sum")                       \
    X(frames,   "paddock_gateway_total{kind=\"frames\"}")           \
    X(acks,     "paddock_gateway_total{kind=\"acks\"}")             \
    X(orders,   "paddock_gateway_total{kind=\"orders\"}")           \
    X(requests, "paddock_http_requests_total{listener=\"public\"}") \
    X(sessions, "paddock_vehicle_sessions")

struct sample {
    int64_t at_ms;
#define X(name, text) uint64_t name;
    SAMPLE_LIST(X)
#undef X
};

struct why { uint32_t what; char ride[37]; };

struct demo_watch {
    struct demo_watch_config config;
    struct phone phones[LOOK_N];
    int64_t due_ms[LOOK_N], sent_ms[LOOK_N];
    struct sample samples[SAMPLES], past; /* the latest first; past: last values of the lives that are over */
    uint32_t sample_count;
    uint32_t listed[VEHICLE_STATE_N];     /* of the sweep under way */
    char cursor[40];                      /* of its next page; "" begins */
    struct why whys[WATCH_WHYS_MAX];
    uint32_t why_first, why_count;
};

static void on_reply(void *owner, struct phone *phone, int status, struct bytes body);
static void on_event(void *owner, struct bytes event, struct bytes data);
static void take_metrics(struct demo_watch *w, struct bytes body);
static void take_vehicles(struct demo_watch *w, struct bytes body);
static void ask(struct demo_watch *w, int look);

static int64_t now_ms(const struct demo_watch *w) { return loop_now_ms(w->config.crowd->loop); }

struct err demo_watch_create(const struct demo_watch_config *config, struct demo_watch **out)
{
    static const char *const names[LOOK_N] = {"watch/metrics", "watch/vehicles", "watch/live", "watch/why"};
    struct demo_watch *w = calloc(1, sizeof *w);
    struct err e = w ? NO_ERR : ERR(IO, "watch: no memory");

    if (e.code) return e;
    w->config = *config;
    for (int i = 0; i < LOOK_N && !e.code; i++) {
        w->phones[i].owner = w;
        w->phones[i].on_reply = on_reply;
        w->phones[i].on_event = on_event;
        e = phone_open(&w->phones[i], config->crowd, bytes_text(names[i]),
                       i == LOOK_METRICS ? bytes_text("") : config->token,
                       i == LOOK_METRICS ? config->admin : config->http, i == LOOK_LIVE ? 0 : REPLY_MS);
        w->due_ms[i] = now_ms(w);
    }
    if (e.code) {
        demo_watch_destroy(w);
        return e;
    }
    *out = w;
    return NO_ERR;
}

void demo_watch_destroy(struct demo_watch *w)
{
    if (!w) return;
    for (int i = 0; i < LOOK_N; i++) phone_close(&w->phones[i]);
    free(w);
}

void demo_watch_turn(struct demo_watch *w)
{
    for (int i = 0; i < LOOK_N; i++) {
        if (phone_is_busy(&w->phones[i]) || w->due_ms[i] > now_ms(w)) continue;
        if (i == LOOK_WHY && !w->why_count) continue;
        ask(w, i);
    }
}

void demo_watch_restarted(struct demo_watch *w)
{
#define X(name, text) w->past.name += w->samples[0].name;
    SAMPLE_LIST(X)
#undef X
    memset(w->samples, 0, sizeof w->samples);
    w->sample_count = 0;
    w->cursor[0] = 0;
    for (int i = 0; i < LOOK_N; i++) {
        if (!phone_is_busy(&w->phones[i])) w->due_ms[i] = now_ms(w);
    }
}

bool demo_watch_is_waiting(const struct demo_watch *w) { return w->why_count > 0; }

bool demo_watch_why(struct demo_watch *w, uint32_t what, const char *ride)
{
    if (w->why_count == WATCH_WHYS_MAX) return false;
    struct why *why = &w->whys[(w->why_first + w->why_count++) % WATCH_WHYS_MAX];
    why->what = what;
    phone_copy(why->ride, sizeof why->ride, bytes_text(ride));
    return true;
}

/* ---- asking ---- */

static void ask(struct demo_watch *w, int look)
{
    char target[PHONE_TARGET_MAX];
    struct phone *p = &w->phones[look];
    bool sent = false;

    switch (look) {
    case LOOK_METRICS: sent = phone_send(p, LOOK_METRICS, "GET", "/metrics", NULL, 0); break;
    case LOOK_VEHICLES:
        if (!w->cursor[0]) memset(w->listed, 0, sizeof w->listed);
        snprintf(target, sizeof target, "/v1/vehicles?limit=%d%s%s", WATCH_PAGE,
                 w->cursor[0] ? "&after=" : "", w->cursor);
        sent = phone_send(p, LOOK_VEHICLES, "GET", target, NULL, 0);
        break;
    case LOOK_LIVE: sent = phone_listen(p, LOOK_LIVE, "/v1/events/live"); break;
    case LOOK_WHY:
        snprintf(target, sizeof target, "/v1/rides/%s", w->whys[w->why_first].ride);
        sent = phone_send(p, LOOK_WHY, "GET", target, NULL, 0);
        break;
    }
    w->sent_ms[look] = now_ms(w);
    if (!sent) w->due_ms[look] = now_ms(w) + WATCH_RETRY_MS;
}

static void on_reply(void *owner, struct phone *phone, int status, struct bytes body)
{
    struct demo_watch *w = owner;
    int look = (int)(phone - w->phones);

    if (w->config.stall_ms && look != LOOK_LIVE && status && now_ms(w) - w->sent_ms[look] > w->config.stall_ms)
        w->config.figures->stalls++;
    if (look == LOOK_WHY && (status == 200 || status == 404)) {
        struct why why = w->whys[w->why_first];
        w->why_first = (w->why_first + 1) % WATCH_WHYS_MAX;
        w->why_count--;
        w->config.on_why(w->config.ctx, why.what,
                         status == 200 ? phone_find(body, "ride") : bytes_of(NULL, 0));
        return;
    }
    w->due_ms[look] = now_ms(w) + WATCH_RETRY_MS;
    if (status != 200) {
        w->cursor[0] = 0;
        return;
    }
    if (look == LOOK_METRICS) {
        take_metrics(w, body);
        w->due_ms[look] = now_ms(w) + WATCH_METRICS_MS;
    } else if (look == LOOK_VEHICLES) {
        take_vehicles(w, body);
        w->due_ms[look] = now_ms(w) + (w->cursor[0] ? 1 : WATCH_VEHICLES_MS);
    }
}

static void on_event(void *owner, struct bytes event, struct bytes data)
{
    struct demo_watch *w = owner;

    (void)event;
    w->config.on_event(w->config.ctx, data);
}

/* ---- metrics ---- */

static void take_line(struct sample *s, struct bytes line)
{
    static const struct { const char *name; size_t at; } rows[] = {
#define X(name, text) {text, offsetof(struct sample, name)},
        SAMPLE_LIST(X)
#undef X
    };
    struct bytes name = bytes_split(&line, ' ');
    int64_t value;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!bytes_equal_text(name, rows[i].name)) continue;
        bool sum = rows[i].at == offsetof(struct sample, sync_us);
        if (bytes_scaled(line, sum ? US : 0, &value).code || value < 0) return;
        memcpy((uint8_t *)s + rows[i].at, &(uint64_t){(uint64_t)value}, sizeof(uint64_t));
        return;
    }
}

static uint64_t per(uint64_t amount, uint64_t times, uint64_t of) { return of ? amount * times / of : 0; }

static void take_metrics(struct demo_watch *w, struct bytes body)
{
    struct demo_figures *f = w->config.figures;
    struct sample s = {.at_ms = now_ms(w)};

    while (body.len) take_line(&s, bytes_split(&body, '\n'));
    memmove(w->samples + 1, w->samples, (SAMPLES - 1) * sizeof s);
    w->samples[0] = s;
    if (w->sample_count < SAMPLES) w->sample_count++;
    const struct sample *old = &w->samples[w->sample_count - 1];
    uint64_t ms = (uint64_t)(s.at_ms - old->at_ms), commits = s.commits - old->commits;
    /* A life's end was not noticed: begin anew. */
    if (s.facts < old->facts || s.requests < old->requests || s.frames < old->frames) {
        w->samples[0] = w->samples[1];
        demo_watch_restarted(w);
        return;
    }
    f->messages_in_rate = per(s.frames - old->frames, 10000, ms);
    f->messages_out_rate = per(s.acks + s.orders - old->acks - old->orders, 10000, ms);
    f->requests_rate = per(s.requests - old->requests, 10000, ms);
    f->commits_rate = per(commits, 10000, ms);
    f->cuts_rate = per(s.cuts - old->cuts, 10000, ms);
    if (commits) f->batch_tenths = per(s.facts - old->facts, 10, commits);
    const struct sample *last = &w->samples[w->sample_count > 1];
    if (w->config.stall_ms && s.syncs > last->syncs &&
        per(s.sync_us - last->sync_us, 1, s.syncs - last->syncs) > (uint64_t)w->config.stall_ms * 1000 / 4)
        f->stalls++;
    if (s.syncs > old->syncs) f->sync_us = per(s.sync_us - old->sync_us, 1, s.syncs - old->syncs);
    f->facts = w->past.facts + s.facts;
    f->commits = w->past.commits + s.commits;
    f->cuts = w->past.cuts + s.cuts;
    f->batch_mean_tenths = per(f->facts, 10, f->commits);
    f->sync_mean_us = per(w->past.sync_us + s.sync_us, 1, w->past.syncs + s.syncs);
    f->connected = (uint32_t)s.sessions;
}

/* ---- vehicles ---- */

bool demo_watch_next(struct bytes *list, struct bytes *element)
{
    size_t at = 0, depth = 0, start;

    while (at < list->len &&
           (list->at[at] == '[' || list->at[at] == ',' || list->at[at] == ' ' || list->at[at] == '\n'))
        at++;
    if (at >= list->len || list->at[at] != '{') return false;
    for (start = at; at < list->len; at++) {
        uint8_t c = list->at[at];
        if (c == '"') {
            for (at++; at < list->len && list->at[at] != '"'; at++) at += list->at[at] == '\\';
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            *element = bytes_of(list->at + start, at + 1 - start);
            *list = bytes_of(list->at + at + 1, list->len - at - 1);
            return true;
        }
    }
    return false;
}

static void take_vehicles(struct demo_watch *w, struct bytes body)
{
    struct bytes list = phone_find(body, "vehicles"), one, next;

    while (demo_watch_next(&list, &one)) {
        int state = enum_value(&vehicle_state_names, phone_find(one, "state"));
        if (state <= 0 || state >= VEHICLE_STATE_N) continue;
        w->listed[state]++;
        w->config.on_vehicle(w->config.ctx, phone_find(one, "code"), (enum vehicle_state)state);
    }
    /* "next" stands behind the list, where vehicles have members of other names. */
    next = phone_find(body, "next");
    phone_copy(w->cursor, sizeof w->cursor, next);
    if (w->cursor[0]) return;
    memcpy(w->config.figures->states, w->listed, sizeof w->listed);
    for (unsigned i = 1; i < VEHICLE_STATE_N; i++) w->config.figures->listed |= w->listed[i] > 0;
}

/* "Mon, 23 Nov 2026 23:16:03 GMT" */
bool demo_watch_date(struct bytes header, int64_t *ms)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static const struct { uint8_t at, len; } places[] = {{5, 2}, {12, 4}, {17, 2}, {20, 2}, {23, 2}};
    uint64_t n[5];
    struct civil c = {0};

    if (header.len != 29) return false;
    for (int i = 0; i < 5; i++) {
        if (bytes_u64(bytes_of(header.at + places[i].at, places[i].len), 4, &n[i]).code) return false;
    }
    for (uint8_t m = 0; m < 12; m++) {
        if (bytes_equal_text(bytes_of(header.at + 8, 3), months[m])) c.month = (uint8_t)(m + 1);
    }
    c.day = (uint8_t)n[0];
    c.year = (int32_t)n[1];
    c.hour = (uint8_t)n[2];
    c.minute = (uint8_t)n[3];
    c.second = (uint8_t)n[4];
    return !civil_to_ms(c, ms).code;
}
