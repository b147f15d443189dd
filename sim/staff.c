/* SPDX-License-Identifier: Apache-2.0 */
/* staff.c: see staff.h. */
#include "sim/staff.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "engine/engine.h"
#include "sim/phone.h"

enum { REPLY_MS = 40000, LOG_MAX = 4096, TRIES_MAX = 8, RETRY_MAX_MS = 30000 };
enum staff_ask { ASK_PUT = 1, ASK_EVENT, ASK_ORDER, ASK_LOOK };

struct sim_staff {
    struct crowd *crowd;
    struct prng prng;
    struct sim_staff_config config;
    struct text64 name;
    struct phone phone;
    struct crowd_timer timer;
    /* step: of the set-up; opened: vehicle + 1 whose lock an order may have opened */
    uint32_t step, tries, opened;
    uint32_t looked_at;                      /* 1 + vehicle of the next walk; 0: any */
    uint32_t walk;                           /* events still to be said of `vehicle`, one right behind the other */
    /* again: the last request is to be sent once more, under its key */
    bool ready, finishing, again;
    uint8_t *states;                         /* enum vehicle_state by vehicle, as last seen; 0: not yet */
    char command[37];                        /* the last order, to look after */
    char target[PHONE_TARGET_MAX], body[PHONE_BODY_MAX], what[28];
    const char *method;
    bool has_body;
    uint32_t vehicle;
    enum staff_ask ask;
    uint64_t key;
    const char *broken;
    struct sim_staff_log *log;
    uint32_t log_count, log_cap;
    struct sim_staff_counters counters;
};

static void on_timer(void *owner);
static void on_reply(void *owner, struct phone *phone, int status, struct bytes body);
static void set_up_step(struct sim_staff *s);
static void act(struct sim_staff *s);
static void send_now(struct sim_staff *s);

static const char *const event_names[VEHICLE_EVENT_N] = {
#define X(no, NAME, name, doc) [no] = #name,
    VEHICLE_EVENT_LIST(X)
#undef X
};
static const char *const state_names[VEHICLE_STATE_N] = {
#define X(no, NAME, name, doc) [no] = #name,
    VEHICLE_STATE_LIST(X)
#undef X
};

static const struct sim_put plain_puts[] = {
    {"/v1/operator", "{\"name\":\"Plain\"}"},
    {"/v1/legal-entities/plain", "{\"name\":\"Plain AB\",\"currency\":\"SEK\",\"decimals\":2}"},
    {"/v1/cities/gbg",
     "{\"name\":\"Gothenburg\",\"legal_entity\":\"plain\",\"time_zone\":\"Europe/Stockholm\","
     "\"lat\":57.7,\"lon\":11.97,\"radius_m\":9000,\"ride_max_s\":3600}"},
    {"/v1/vehicle-types/scooter",
     "{\"name\":\"Scooter\",\"heartbeat_s\":240,\"battery_min_pct\":15,\"motor\":true}"},
    {"/v1/vehicle-types/bicycle",
     "{\"name\":\"Bicycle\",\"heartbeat_s\":240,\"battery_min_pct\":0,\"motor\":false}"},
    {"/v1/plans/scooter",
     "{\"name\":\"Scooter\",\"city\":\"gbg\",\"vehicle_type\":\"scooter\",\"unlock_minor\":1000,"
     "\"minute_minor\":250}"},
    {"/v1/plans/any", "{\"name\":\"Any\",\"city\":\"gbg\",\"unlock_minor\":500,\"minute_minor\":100}"},
};

/* Five vehicles, the third a horseshoe lock, under IMEIs that are made up. */
static void plain_vehicle(void *ctx, uint32_t index, struct sim_staff_vehicle *out)
{
    char text[16];
    struct buf b = buf_on(text, sizeof text);

    (void)ctx;
    buf_put_text(&b, "SE-");
    buf_put_padded(&b, index + 1, 4);
    text_clip(&out->code, buf_bytes(&b));
    buf_clear(&b);
    buf_put_u64(&b, 490154203237000ull + index);
    text_clip(&out->ident, buf_bytes(&b));
    out->city = "gbg";
    out->type = index % 5 == 2 ? "bicycle" : "scooter";
}

const struct sim_town sim_town_plain = {.puts = plain_puts,
                                        .put_count = sizeof plain_puts / sizeof plain_puts[0],
                                        .vehicle_count = 5,
                                        .vehicle = plain_vehicle};

static void later(struct sim_staff *s, int64_t in_ms)
{
    crowd_set_timer(s->crowd, &s->timer, crowd_now_us(s->crowd) + in_ms * 1000);
}

static int64_t pause_ms(struct sim_staff *s)
{
    int64_t mean_ms = s->config.act_s * 1000ll;
    return prng_between(&s->prng, mean_ms / 2, mean_ms + mean_ms / 2);
}

struct err sim_staff_create(struct crowd *crowd, const struct sim_staff_config *config,
                            struct sim_staff **out)
{
    struct sim_staff *s = calloc(1, sizeof *s);

    if (!s) return ERR(IO, "staff: no memory");
    s->crowd = crowd;
    s->config = *config;
    text_clip(&s->name, config->name);
    s->config.name = text_bytes(&s->name);
    if (!s->config.reply_ms) s->config.reply_ms = REPLY_MS;
    s->prng = crowd_stream(crowd, "staff", config->name);
    s->timer = (struct crowd_timer){.fn = on_timer, .owner = s};
    s->phone.owner = s;
    s->phone.on_reply = on_reply;
    s->states = calloc(config->town->vehicle_count + 1, 1);
    struct err e = s->states ? phone_open(&s->phone, crowd, config->name, config->token, config->address,
                                          s->config.reply_ms)
                             : ERR(IO, "staff: no memory");
    if (e.code) {
        sim_staff_destroy(s);
        return e;
    }
    s->ready = !config->set_up;
    later(s, s->ready ? pause_ms(s) + 1 : 1);
    *out = s;
    return NO_ERR;
}

void sim_staff_destroy(struct sim_staff *s)
{
    if (!s) return;
    crowd_clear_timer(s->crowd, &s->timer);
    phone_close(&s->phone);
    free(s->states);
    free(s->log);
    free(s);
}

bool sim_staff_is_ready(const struct sim_staff *s) { return s->ready; }
void sim_staff_finish(struct sim_staff *s)
{
    s->finishing = true;
    s->walk = 0;
}

const char *sim_staff_broken(const struct sim_staff *s) { return s->broken; }
const struct sim_staff_counters *sim_staff_counters_of(const struct sim_staff *s) { return &s->counters; }

void sim_staff_look_at(struct sim_staff *s, uint32_t vehicle)
{
    if (s->ready && !s->finishing && !s->walk) s->looked_at = vehicle + 1;
}

bool sim_staff_is_idle(const struct sim_staff *s)
{
    return s->ready && (s->finishing || !s->config.act_s) && !s->again && !s->opened &&
           !phone_is_busy(&s->phone);
}

uint32_t sim_staff_log_of(const struct sim_staff *s, const struct sim_staff_log **at)
{
    *at = s->log;
    return s->log_count;
}

static void on_timer(void *owner)
{
    struct sim_staff *s = owner;

    if (phone_is_busy(&s->phone)) return;
    if (s->again) {
        send_now(s);
    } else if (!s->ready) {
        set_up_step(s);
    } else {
        if (s->opened && s->config.close_lock) s->config.close_lock(s->config.ctx, s->opened - 1);
        s->opened = 0;
        if (!s->finishing && s->config.act_s) act(s);
    }
}

/* ---- requests ---- */

static struct buf target_on(struct sim_staff *s)
{
    memset(s->target, 0, sizeof s->target);
    return buf_on(s->target, sizeof s->target - 1);
}

static struct buf body_on(struct sim_staff *s)
{
    memset(s->body, 0, sizeof s->body);
    s->has_body = true;
    return buf_on(s->body, sizeof s->body - 1);
}

static void begin(struct sim_staff *s, enum staff_ask ask, const char *method, const char *what)
{
    s->ask = ask;
    s->method = method;
    s->has_body = false;
    s->tries = 0;
    s->key = ask == ASK_EVENT || ask == ASK_ORDER ? prng_next(&s->prng) | 1 : 0;
    phone_copy(s->what, sizeof s->what, bytes_text(what));
}

static void send_now(struct sim_staff *s)
{
    s->again = !phone_send(&s->phone, s->ask, s->method, s->target, s->has_body ? s->body : NULL, s->key);
    if (s->again) later(s, 1000);
    else s->counters.requests++;
}

static struct sim_staff_vehicle vehicle_of(const struct sim_staff *s, uint32_t index)
{
    struct sim_staff_vehicle v = {0};

    s->config.town->vehicle(s->config.town->ctx, index, &v);
    return v;
}

static void about_vehicle(struct sim_staff *s, const char *tail)
{
    struct sim_staff_vehicle v = vehicle_of(s, s->vehicle);
    struct buf b = target_on(s);

    buf_put_text(&b, "/v1/vehicles/");
    buf_put_bytes(&b, text_bytes(&v.code));
    buf_put_text(&b, tail);
}

static void ask_event(struct sim_staff *s, enum vehicle_event event, enum vehicle_state to)
{
    begin(s, ASK_EVENT, "POST", event_names[event]);
    about_vehicle(s, "/events");
    struct buf b = body_on(s);
    buf_put_text(&b, "{\"event\":\"");
    buf_put_text(&b, event_names[event]);
    if (to) {
        buf_put_text(&b, "\",\"to\":\"");
        buf_put_text(&b, state_names[to]);
    }
    buf_put_text(&b, "\"}");
    send_now(s);
}

/* ---- set-up ---- */

static void put_vehicle(struct sim_staff *s)
{
    struct sim_staff_vehicle v = vehicle_of(s, s->vehicle);

    begin(s, ASK_PUT, "PUT", "vehicle");
    about_vehicle(s, "");
    struct buf b = body_on(s);
    buf_put_text(&b, "{\"city\":\"");
    buf_put_text(&b, v.city);
    buf_put_text(&b, "\",\"vehicle_type\":\"");
    buf_put_text(&b, v.type);
    buf_put_text(&b, "\",\"protocol\":\"omni\",\"device\":\"");
    buf_put_bytes(&b, text_bytes(&v.ident));
    buf_put_text(&b, "\"}");
    send_now(s);
}

static void set_up_step(struct sim_staff *s)
{
    const struct sim_town *town = s->config.town;
    uint32_t per_vehicle = town->keep_removed ? 1 : 2;

    if (s->step < town->put_count) {
        begin(s, ASK_PUT, "PUT", "setting");
        struct buf t = target_on(s), b = body_on(s);
        buf_put_text(&t, town->puts[s->step].path);
        buf_put_text(&b, town->puts[s->step].body);
        must(!t.full && !b.full);
        send_now(s);
        return;
    }
    uint32_t at = s->step - town->put_count;
    s->vehicle = at / per_vehicle;
    if (s->vehicle < town->vehicle_count) {
        if (at % per_vehicle == 0) put_vehicle(s);
        else ask_event(s, VEHICLE_EVENT_PROVIDER_DROP_OFF, 0);
        return;
    }
    s->ready = true;
    if (s->config.on_ready) s->config.on_ready(s->config.ctx);
    if (s->config.act_s) later(s, pause_ms(s));
}

/* ---- work ---- */

/* What brings a vehicle back, by the state it was last seen in: without it the street would soon be empty. */
static void bring_back(struct sim_staff *s)
{
    static const struct { uint8_t state, event, to; } ways[] = {
        {VEHICLE_REMOVED, VEHICLE_EVENT_PROVIDER_DROP_OFF, 0},
        {VEHICLE_REMOVED, VEHICLE_EVENT_AGENCY_DROP_OFF, 0},
        {VEHICLE_NON_OPERATIONAL, VEHICLE_EVENT_MAINTENANCE, 0},
        {VEHICLE_NON_OPERATIONAL, VEHICLE_EVENT_ON_HOURS, 0},
        {VEHICLE_NON_OPERATIONAL, VEHICLE_EVENT_SYSTEM_RESUME, 0},
        {VEHICLE_NON_OPERATIONAL, VEHICLE_EVENT_UNSPECIFIED, VEHICLE_AVAILABLE},
        {VEHICLE_MISSING, VEHICLE_EVENT_LOCATED, VEHICLE_AVAILABLE},
        {VEHICLE_MISSING, VEHICLE_EVENT_PROVIDER_DROP_OFF, 0},
        {VEHICLE_MISSING, VEHICLE_EVENT_AGENCY_DROP_OFF, 0},
        {VEHICLE_NON_CONTACTABLE, VEHICLE_EVENT_PROVIDER_DROP_OFF, 0},
        {VEHICLE_NON_CONTACTABLE, VEHICLE_EVENT_UNSPECIFIED, VEHICLE_AVAILABLE},
        {VEHICLE_ELSEWHERE, VEHICLE_EVENT_REBALANCE_PICK_UP, 0},
        {VEHICLE_ELSEWHERE, VEHICLE_EVENT_MAINTENANCE_PICK_UP, 0},
    };
    uint32_t count = sizeof ways / sizeof ways[0], first = (uint32_t)prng_below(&s->prng, count);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (first + i) % count;
        if (ways[at].state != s->states[s->vehicle]) continue;
        ask_event(s, ways[at].event, ways[at].to);
        return;
    }
    ask_event(s, VEHICLE_EVENT_PROVIDER_DROP_OFF, 0);
}

/* The next of a row of events of one vehicle: any row of the table from the state that it was last seen in. A vehicle
 * that speaks leaves the rare states within a minute; only somebody quick gets to see what follows from them. */
static void walk_on(struct sim_staff *s)
{
    enum vehicle_state from = s->states[s->vehicle];
    uint32_t rows = 0;
    enum vehicle_event event = VEHICLE_EVENT_UNSPECIFIED;
    enum vehicle_state to = VEHICLE_NON_CONTACTABLE;

    for (unsigned e = 1; e < VEHICLE_EVENT_N; e++) {
        for (unsigned t = 1; t < VEHICLE_STATE_N; t++) {
            if (!vehicle_may(from, e, t) || prng_below(&s->prng, ++rows)) continue;
            event = e;
            to = t;
        }
    }
    s->walk--;
    ask_event(s, event, to);
}

static void begin_walk(struct sim_staff *s)
{
    s->vehicle = s->looked_at ? s->looked_at - 1 : (uint32_t)prng_below(&s->prng, s->config.town->vehicle_count);
    s->walk = (uint32_t)prng_between(&s->prng, 2, s->looked_at ? 40 : 9);
    s->looked_at = 0;
    begin(s, ASK_LOOK, "GET", "look");
    about_vehicle(s, "");
    send_now(s);
}

static void act_event(struct sim_staff *s)
{
    uint32_t count = s->config.town->vehicle_count, away = 0;

    if (s->looked_at || prng_below(&s->prng, 2)) {
        begin_walk(s);
        return;
    }

    for (uint32_t i = 0; i < count; i++) away += s->states[i] > VEHICLE_ON_TRIP;
    /* Two in three acts bring one back where some are away. */
    if (away && prng_below(&s->prng, 3)) {
        uint32_t nth = (uint32_t)prng_below(&s->prng, away);
        for (s->vehicle = 0; s->states[s->vehicle] <= VEHICLE_ON_TRIP || nth-- > 0;) s->vehicle++;
        bring_back(s);
        return;
    }
    s->vehicle = (uint32_t)prng_below(&s->prng, count);
    enum vehicle_event event = (enum vehicle_event)prng_between(&s->prng, 1, VEHICLE_EVENT_N - 1);
    bool several = event == VEHICLE_EVENT_UNSPECIFIED || event == VEHICLE_EVENT_LOCATED;
    enum vehicle_state to = 0;
    if (several || prng_below(&s->prng, 4) == 0)
        to = (enum vehicle_state)prng_between(&s->prng, 1, VEHICLE_STATE_N - 1);
    ask_event(s, event, to);
}

static void act_order(struct sim_staff *s)
{
    static const char *const ops[] = {"locate", "ring", "unlock", "lock", "restart"};
    const char *op = ops[prng_below(&s->prng, sizeof ops / sizeof ops[0])];

    s->vehicle = (uint32_t)prng_below(&s->prng, s->config.town->vehicle_count);
    begin(s, ASK_ORDER, "POST", op);
    about_vehicle(s, "/commands");
    struct buf b = body_on(s);
    buf_put_text(&b, "{\"op\":\"");
    buf_put_text(&b, op);
    buf_put_text(&b, "\"}");
    send_now(s);
}

static void act_look(struct sim_staff *s)
{
    static const char *const lists[] = {"/v1/vehicles?limit=20", "/v1/rides?limit=20", "/v1/quarantine",
                                        "/v1/vehicles?state=available"};
    uint32_t which = (uint32_t)prng_below(&s->prng, 4);

    begin(s, ASK_LOOK, "GET", "look");
    s->vehicle = (uint32_t)prng_below(&s->prng, s->config.town->vehicle_count);
    if (which == 0) about_vehicle(s, "");
    if (which == 1) about_vehicle(s, "/timeline?limit=20");
    if (which == 3 && !s->command[0]) which = 2;
    if (which >= 2) {
        struct buf b = target_on(s);
        buf_put_text(&b, which == 2 ? lists[prng_below(&s->prng, 4)] : "/v1/commands/");
        if (which == 3) buf_put_text(&b, s->command);
    }
    send_now(s);
}

static void act(struct sim_staff *s)
{
    uint32_t dice = (uint32_t)prng_below(&s->prng, 100);

    if (!s->config.town->vehicle_count) return;
    if (s->walk) {
        walk_on(s);
        return;
    }
    if (s->looked_at || dice < s->config.event_pct) act_event(s);
    else if (dice < s->config.event_pct + s->config.order_pct) act_order(s);
    else act_look(s);
}

/* ---- answers ---- */

static void write_log(struct sim_staff *s, int status, struct bytes body)
{
    static const uint8_t did[] = {[ASK_PUT] = SIM_DID_PUT,
                                  [ASK_EVENT] = SIM_DID_EVENT,
                                  [ASK_ORDER] = SIM_DID_ORDER,
                                  [ASK_LOOK] = SIM_DID_LOOK};
    uint32_t most = s->config.log_max ? s->config.log_max : LOG_MAX;
    struct sim_staff_log entry = {.at_ms = crowd_now_ms(s->crowd),
                                  .did = did[s->ask],
                                  .status = (uint16_t)status,
                                  .vehicle = s->vehicle,
                                  .key = s->key};
    struct bytes thing = phone_find(body, s->ask == ASK_ORDER ? "command" : "vehicle");

    phone_copy(entry.what, sizeof entry.what, bytes_text(s->what));
    if (status / 100 != 2) {
        phone_copy(entry.code, sizeof entry.code, phone_find(body, "code"));
    } else if (thing.len && thing.at[0] == '{') {
        phone_copy(entry.state, sizeof entry.state, phone_find(thing, "state"));
        if (s->ask == ASK_ORDER) phone_copy(entry.command, sizeof entry.command, phone_find(thing, "id"));
    }
    if (entry.command[0]) memcpy(s->command, entry.command, sizeof s->command);
    if (s->log_count == most) {
        uint32_t drop = most / 2 ? most / 2 : 1;
        s->log_count -= drop;
        memmove(s->log, s->log + drop, s->log_count * sizeof *s->log);
    }
    if (s->log_count == s->log_cap) {
        s->log_cap = s->log_cap ? s->log_cap * 2 : 16;
        s->log = realloc(s->log, s->log_cap * sizeof *s->log);
        must(s->log);
    }
    s->log[s->log_count++] = entry;
    bool one = s->ask == ASK_EVENT || s->ask == ASK_PUT || s->ask == ASK_LOOK;
    for (unsigned i = 1; one && entry.state[0] && i < VEHICLE_STATE_N; i++) {
        if (strcmp(entry.state, state_names[i]) == 0) s->states[s->vehicle] = (uint8_t)i;
    }
}

static void on_reply(void *owner, struct phone *phone, int status, struct bytes body)
{
    struct sim_staff *s = owner;
    bool nothing = !status || status == 429 || status >= 500;
    int64_t wait_ms = 500ll << (s->tries < 6 ? s->tries : 6);

    (void)phone;
    *(status ? &s->counters.replies : &s->counters.lost) += 1;
    write_log(s, status, body);
    if (nothing && (!s->ready || s->tries < TRIES_MAX)) {
        s->tries++;
        s->again = true;
        later(s, wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS);
        return;
    }
    s->again = false;
    if (nothing) s->counters.given_up++;
    else *(status / 100 == 2 ? &s->counters.ok : &s->counters.refused) += 1;
    /* Whether or not the order got through, somebody stands beside it. */
    if (s->ask == ASK_ORDER && strcmp(s->what, "unlock") == 0) s->opened = s->vehicle + 1;
    if (s->ready && s->walk) {
        later(s, prng_between(&s->prng, 1, 400));
        return;
    }
    if (s->ready) {
        later(s, s->opened && !s->config.act_s ? 60000 : pause_ms(s) + (s->opened ? 60000 : 1));
        return;
    }
    /* A drop-off that was made before is refused the second time: the vehicle is where it should be. */
    if (status / 100 != 2 && s->ask == ASK_PUT && !s->broken)
        s->broken = "a declaration of the town was refused";
    s->step++;
    later(s, 1);
}
