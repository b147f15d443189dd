/* SPDX-License-Identifier: Apache-2.0 */
/* demo_ride.c: a rider beside a vehicle: which one they take, what an unlock took, what came of the
 * ride, and what had been injected when it failed.
 *
 * An unlock is told apart where it can be told exactly: from the tap to the reply that says `riding` on
 * the rider's phone, less the time that the vehicle itself took over key and bolt, is the server's
 * share (with the way over loopback). It is not measured when anything was injected meanwhile: a lost
 * reply is not a slow server. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim/demo_inside.h"

/* A rider thinks whether to ride every THINK_S or so; in the busiest hour they ride BUSY_PCT of their time. */
enum { CHOICES = 3, THINK_S = 20, FIRST_S = 14, BUSY_PCT = 65, IDLE_PPM = 5000, FIRST_MIN_S = 12,
       KNOWN_MS = 1500, NEW_MS = 10000 }; /* real: what a server that is busy needs to know that a vehicle came */

static bool on_pick(void *ctx, struct sim_rider *rider, struct text16 *code);
static void on_ride(void *ctx, struct sim_rider *rider, struct bytes code);
static void on_stop(void *ctx, struct sim_rider *rider, struct bytes code);
static bool on_close_lock(void *ctx, struct sim_rider *rider, struct bytes code);
static void on_over(void *ctx, struct sim_rider *rider, struct bytes code);
static uint32_t ride_for(void *ctx, struct sim_rider *rider);

struct err demo_rider_begin(struct demo_city *c, uint32_t index)
{
    struct demo_rider *r = &c->riders[index];
    char name[24];

    snprintf(name, sizeof name, "rider-%u", index + 1);
    *r = (struct demo_rider){.city = c, .index = index, .vehicle = NOBODY};
    r->prng = crowd_stream(c->config.crowd, "demo-rider", bytes_text(name));
    r->at = demo_city_place(c, prng_next(&r->prng));
    r->persona = demo_persona_of(index);
    struct sim_rider_config config = {
        .name = bytes_text(name),
        .token = bytes_of(c->config.tokens->riders[index].text, AUTH_TOKEN_LEN),
        .address = c->config.http,
        .habit_ppm = demo_persona_row(r->persona)->habit_ppm,
        .habit_count = c->habits,
        .think_s = THINK_S,
        .first_s = FIRST_S,
        .ride_for = ride_for,
        .log_max = 16,
        .ctx = r,
        .pick = on_pick,
        .on_ride = on_ride,
        .on_stop = on_stop,
        .close_lock = on_close_lock,
        .on_over = on_over,
    };
    return sim_rider_create(c->config.crowd, &config, &r->actor);
}

/* ---- whether, and for how long ---- */

static uint32_t mean_s(const struct demo_rider *r)
{
    const struct demo_persona_row *p = demo_persona_row(r->persona);
    return demo_demand_length_s(r->city->config.demand, p->kind, PARTS / 2) * p->length / 100 + 1;
}

/* Such that the share of their time that they ride follows the curve. The first wish of all is answered as if they
 * had lived here before: so many of them are away already. */
static bool goes(struct demo_rider *r)
{
    const struct demo_city *c = r->city;
    uint64_t now = demo_demand_of(c->config.demand, demo_persona_row(r->persona)->kind, c->config.figures->riders_ms);
    uint64_t away = now * BUSY_PCT * 10; /* of a million */

    if (away < IDLE_PPM) away = IDLE_PPM;
    if (!r->rode) return prng_chance(&r->prng, (uint32_t)away);
    uint64_t ppm = away * THINK_S * PARTS / (mean_s(r) * (PARTS - away));
    return prng_chance(&r->prng, ppm < PARTS ? (uint32_t)ppm : PARTS);
}

/* What is left of a ride that was under way when the demo began, short rests favoured: whoever looks wants to see an end
 * soon. Or a whole one. */
static uint32_t ride_for(void *ctx, struct sim_rider *rider)
{
    struct demo_rider *r = ctx;
    const struct demo_persona_row *p = demo_persona_row(r->persona);
    uint32_t draw = (uint32_t)prng_below(&r->prng, PARTS);
    uint32_t s = demo_demand_length_s(r->city->config.demand, p->kind, draw) * p->length / 100;

    (void)rider;
    if (sim_rider_counters_of(rider)->riding <= 1) s = (uint32_t)prng_below(&r->prng, prng_below(&r->prng, s + 1) + 1);
    return s > FIRST_MIN_S ? s : FIRST_MIN_S;
}

/* ---- which one ---- */

/* As an app lists it, and as one sees it standing there. */
static bool takes(const struct demo_rider *r, const struct demo_vehicle *v)
{
    int64_t known_ms = KNOWN_MS * (int64_t)r->city->config.figures->speed;

    if (v->rider != NOBODY || sim_vehicle_is_moving(v->actor)) return false;
    if (r->careless) return true;
    return v->state == VEHICLE_AVAILABLE && sim_vehicle_connected_ms(v->actor) > known_ms &&
           sim_vehicle_is_locked(v->actor) && !sim_vehicle_owes(v->actor) &&
           sim_vehicle_battery_pct(v->actor) > BATTERY_FLAT_PCT;
}

static int64_t steps(struct point a, struct point b)
{
    int64_t north = (int64_t)a.lat_e7 - b.lat_e7, east = ((int64_t)a.lon_e7 - b.lon_e7) / 2;
    return (north < 0 ? -north : north) + (east < 0 ? -east : east);
}

static struct demo_vehicle *choose(struct demo_rider *r)
{
    struct demo_city *c = r->city;
    struct demo_vehicle *best[CHOICES] = {0};
    int64_t far[CHOICES];
    uint32_t found = 0;

    for (uint32_t i = 0; i < c->config.figures->vehicle_count; i++) {
        struct demo_vehicle *v = &c->vehicles[i];
        if (!takes(r, v)) continue;
        int64_t steps_to = steps(sim_vehicle_place(v->actor).at, r->at);
        uint32_t at = found < CHOICES ? found++ : CHOICES;
        for (; at > 0 && steps_to < far[at - 1]; at--) {
            if (at == CHOICES) continue;
            far[at] = far[at - 1];
            best[at] = best[at - 1];
        }
        if (at == CHOICES) continue;
        far[at] = steps_to;
        best[at] = v;
    }
    return found ? best[prng_below(&r->prng, found)] : NULL;
}

static bool on_pick(void *ctx, struct sim_rider *rider, struct text16 *code)
{
    struct demo_rider *r = ctx;
    bool going = goes(r);

    r->rode = true;
    if (!going) return false;
    r->careless = prng_chance(&r->prng, demo_persona_row(r->persona)->careless_ppm);
    struct demo_vehicle *v = choose(r);
    if (!v) return false;
    r->vehicle = (uint32_t)(v - r->city->vehicles);
    r->life = r->city->life;
    r->tapped_us = loop_now_us(r->city->config.crowd->loop);
    r->order_us = sim_vehicle_counters_of(v->actor)->order_us;
    r->connects = sim_vehicle_counters_of(v->actor)->connects;
    r->before = *sim_rider_counters_of(rider);
    r->stalls = r->city->config.figures->stalls;
    r->in_hole = sim_vehicle_is_in_hole(v->actor);
    memcpy(r->faults, v->faults, sizeof r->faults);
    v->rider = r->index;
    *code = v->code;
    return true;
}

/* ---- riding ---- */

/* The vehicle that the rider took, unless they mistyped its code. */
static struct demo_vehicle *taken(struct demo_rider *r, struct bytes code)
{
    struct demo_vehicle *v = demo_city_vehicle(r->city, code);
    return v && r->vehicle == (uint32_t)(v - r->city->vehicles) ? v : NULL;
}

static const struct sim_rider_log *last_log(struct sim_rider *rider)
{
    const struct sim_rider_log *at;
    uint32_t count = sim_rider_log_of(rider, &at);
    return count ? &at[count - 1] : NULL;
}

static bool undisturbed(const struct demo_rider *r, struct sim_rider *rider, const struct demo_vehicle *v)
{
    const struct sim_rider_log *log = last_log(rider);
    const struct sim_rider_counters *now = sim_rider_counters_of(rider);
    bool at_once =
        log && log->saw == SIM_SAW_START && !strcmp(log->state, "riding") && now->lost == r->before.lost;

    return at_once && r->life == r->city->life &&
           r->connects == sim_vehicle_counters_of(v->actor)->connects &&
           !memcmp(r->faults, v->faults, sizeof r->faults);
}

static void on_ride(void *ctx, struct sim_rider *rider, struct bytes code)
{
    struct demo_rider *r = ctx;
    struct demo_city *c = r->city;
    struct demo_figures *f = c->config.figures;
    struct demo_vehicle *v = demo_city_vehicle(c, code);

    if (!v) return;
    sim_vehicle_ride(v->actor);
    if (!taken(r, code) || !undisturbed(r, rider, v)) {
        f->disturbed++;
        demo_tell(f, DEMO_CALM, "rider-%u unlocked %.*s", r->index + 1, (int)code.len, (const char *)code.at);
        return;
    }
    int64_t whole_us = loop_now_us(c->config.crowd->loop) - r->tapped_us;
    int64_t device_us = sim_vehicle_counters_of(v->actor)->order_us - r->order_us,
            server_us = whole_us - device_us / f->speed;
    if (server_us < 0) server_us = 0; /* timers are cut to microseconds */
    c->samples[c->sample_count++ % DEMO_SAMPLES_MAX] =
        (struct demo_sample){(uint32_t)server_us, (uint32_t)device_us};
    demo_tell(f, DEMO_CALM, "rider-%u unlocked %.*s in %.1f s, %.1f ms of it the server's", r->index + 1,
              (int)code.len, (const char *)code.at, (double)(server_us + device_us) / 1e6,
              (double)server_us / 1e3);
}

static void on_stop(void *ctx, struct sim_rider *rider, struct bytes code)
{
    struct demo_rider *r = ctx;
    struct demo_vehicle *v = demo_city_vehicle(r->city, code);

    (void)rider;
    if (v) sim_vehicle_stop(v->actor);
}

static bool on_close_lock(void *ctx, struct sim_rider *rider, struct bytes code)
{
    struct demo_rider *r = ctx;
    struct demo_vehicle *v = demo_city_vehicle(r->city, code);

    (void)rider;
    return v && sim_vehicle_close_lock(v->actor);
}

/* ---- what came of it ---- */

static void tally(struct demo_tallies *t, struct bytes name)
{
    char text[sizeof t->at[0].name];

    phone_copy(text, sizeof text, name.len ? name : bytes_text("unknown"));
    for (uint32_t i = 0; i < t->count; i++) {
        if (strcmp(t->at[i].name, text) != 0) continue;
        t->at[i].count++;
        return;
    }
    if (t->count == DEMO_TALLIES_MAX) return;
    memcpy(t->at[t->count].name, text, sizeof text);
    t->at[t->count++].count = 1;
}

static const struct { enum sim_vehicle_fault kind; int64_t ms; } lasting[DEMO_LASTING_N] = {
#define X(name, s) {SIM_VEHICLE_FAULT_##name, s * 1000ll},
    DEMO_LASTING_LIST(X)
#undef X
};

void demo_ride_hurts(struct demo_vehicle *v, int64_t sim_ms)
{
    for (int i = 0; i < DEMO_LASTING_N; i++) {
        if (v->faults[lasting[i].kind] == v->hurts[i]) continue;
        v->hurts[i] = v->faults[lasting[i].kind];
        v->hurt_ms[i] = sim_ms;
    }
}

static const char *hole_label(const struct demo_vehicle *v)
{
    return sim_vehicle_last_hole(v->actor) == SIM_RADIO_CUT ? "district_cut" : "dead_spot";
}

/* What was done to the vehicle between tap and end that makes an unlock fail; the likeliest first. Never what the
 * server says: that is what is being explained. */
static const char *fault_of(const struct demo_rider *r, const struct demo_vehicle *v)
{
    static const enum sim_vehicle_fault kinds[] = {
        SIM_VEHICLE_FAULT_STUCK,      SIM_VEHICLE_FAULT_JAM,          SIM_VEHICLE_FAULT_LIE,
        SIM_VEHICLE_FAULT_KEY_SILENT, SIM_VEHICLE_FAULT_ACT_SILENT,   SIM_VEHICLE_FAULT_LEAVE_KEYED,
        SIM_VEHICLE_FAULT_KEY_LATE,   SIM_VEHICLE_FAULT_LOCK_LOST,    SIM_VEHICLE_FAULT_MUTE,
        SIM_VEHICLE_FAULT_DROP,       SIM_VEHICLE_FAULT_TWIN,         SIM_VEHICLE_FAULT_NOISE,
        SIM_VEHICLE_FAULT_OPENED_LOCAL,
    };
    const struct demo_figures *f = r->city->config.figures;

    if (r->in_hole || v->faults[SIM_VEHICLE_FAULT_NO_RADIO] > r->faults[SIM_VEHICLE_FAULT_NO_RADIO])
        return hole_label(v);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (v->faults[kinds[i]] > r->faults[kinds[i]]) return demo_fault_label(kinds[i]);
    }
    for (int i = 0; i < DEMO_LASTING_N; i++) {
        if (!v->hurt_ms[i] || f->sim_ms - v->hurt_ms[i] >= lasting[i].ms) continue;
        return lasting[i].kind == SIM_VEHICLE_FAULT_NO_RADIO ? hole_label(v) : demo_fault_label(lasting[i].kind);
    }
    if (r->life != r->city->life) return f->killed ? "server_killed" : "server_restart";
    /* Measured, not injected: this machine stood still for so long that the city's limits ran out. */
    if (r->stalls != f->stalls) return "machine_stalled";
    return sim_vehicle_counters_of(v->actor)->connects > r->connects ? "connection_lost" : NULL;
}

/* Why a start was refused, as those know who see the street and what the rider did. */
static const char *habit_of(const struct demo_rider *r, const struct demo_vehicle *v, struct bytes code)
{
    if (!bytes_equal(text_bytes(&v->code), code)) return "wrong_code";
    if (r->careless) return "careless";
    if (r->in_hole || sim_vehicle_is_in_hole(v->actor)) return hole_label(v);
    if (v->pulled) return "taken_in_by_crew";
    if (sim_vehicle_connected_ms(v->actor) < NEW_MS * (int64_t)r->city->config.figures->speed) return "just_connected";
    return fault_of(r, v);
}

static void note_failure(struct demo_rider *r, const struct sim_rider_log *log, struct bytes code)
{
    struct demo_city *c = r->city;
    const struct demo_vehicle *v = demo_city_vehicle(c, code);

    if (c->failure_count == DEMO_FAILURES_MAX) {
        tally(&c->reasons[DEMO_FAILED], bytes_text("not_noted"));
        return;
    }
    struct demo_failure *failure = &c->failures[c->failure_count];
    *failure = (struct demo_failure){.rider = r->index, .fault = v ? fault_of(r, v) : NULL};
    tally(&c->faults_of_failed, bytes_text(failure->fault ? failure->fault : "unexplained"));
    memcpy(failure->ride, log->ride, sizeof failure->ride);
    text_clip(&failure->code, code);
    if (demo_watch_why(c->config.watch, c->failure_count * DEMO_OUTCOME_N + DEMO_FAILED, log->ride))
        c->failure_count++;
    else tally(&c->reasons[DEMO_FAILED], bytes_text("not_asked"));
}

static void note_refusal(struct demo_rider *r, const struct sim_rider_log *log, struct bytes code)
{
    struct demo_city *c = r->city;
    const char *habit = r->vehicle == NOBODY ? NULL : habit_of(r, &c->vehicles[r->vehicle], code);
    struct demo_refusal *refusal = &c->refusals[c->refusal_count++ % DEMO_REFUSALS_MAX];

    *refusal = (struct demo_refusal){.rider = r->index, .habit = habit};
    text_clip(&refusal->code, code);
    memcpy(refusal->reason, log->code, sizeof log->code);
    tally(&c->reasons[DEMO_REFUSED], bytes_text(log->code));
    tally(&c->refused_by_habit, bytes_text(habit ? habit : "unexplained"));
    tally(&c->refused_by_persona, bytes_text(demo_persona_row(r->persona)->name));
    demo_tell(c->config.figures, DEMO_ODD, "rider-%u may not ride %.*s: %s (%s)", r->index + 1, (int)code.len,
              (const char *)code.at, log->code, habit ? habit : "nothing was injected");
}

static void ask_why(struct demo_city *c, enum demo_outcome outcome, const struct sim_rider_log *log)
{
    if (!demo_watch_why(c->config.watch, outcome, log->ride))
        tally(&c->reasons[outcome], bytes_text("not_asked"));
}

static void on_over(void *ctx, struct sim_rider *rider, struct bytes code)
{
    struct demo_rider *r = ctx;
    struct demo_city *c = r->city;
    struct demo_figures *f = c->config.figures;
    const struct sim_rider_counters *now = sim_rider_counters_of(rider);
    const struct sim_rider_log *log = last_log(rider);
    int len = (int)code.len;
    const char *at = (const char *)code.at;

    if (now->settled > r->before.settled) {
        int64_t minor = now->charged_minor - r->before.charged_minor;
        char text[40];
        demo_tell(f, DEMO_GOOD, "rider-%u paid %s for %.*s", r->index + 1,
                  demo_place_money(c->config.place, minor, text, sizeof text), len, at);
        c->persona_rides[r->persona]++;
        ask_why(c, DEMO_COMPLETED, log);
    } else if (now->failed > r->before.failed) {
        note_failure(r, log, code);
    } else if (now->cancelled > r->before.cancelled) {
        ask_why(c, DEMO_CANCELLED, log);
    } else if (now->refused > r->before.refused) {
        note_refusal(r, log, code);
    }
    if (r->vehicle != NOBODY) {
        struct demo_vehicle *v = &c->vehicles[r->vehicle];
        r->at = sim_vehicle_place(v->actor).at;
        v->rider = NOBODY;
    }
    r->vehicle = NOBODY;
}

/* `what`: the outcome, and behind it the number of the failure. */
void demo_ride_why(struct demo_city *c, uint32_t what, struct bytes ride)
{
    enum demo_outcome outcome = (enum demo_outcome)(what % DEMO_OUTCOME_N);
    struct bytes reason = phone_find(ride, "reason");

    tally(&c->reasons[outcome], reason);
    if (outcome != DEMO_FAILED) return;
    must(what / DEMO_OUTCOME_N < c->failure_count);
    struct demo_failure *failure = &c->failures[what / DEMO_OUTCOME_N];
    phone_copy(failure->reason, sizeof failure->reason, reason);
    demo_tell(c->config.figures, DEMO_BAD, "rider-%u's ride on %.*s failed: %s (%s)", failure->rider + 1,
              failure->code.len, failure->code.at, failure->reason,
              failure->fault ? failure->fault : "nothing was injected");
}

/* ---- how long unlocks took ---- */

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static struct demo_split split(uint32_t *us, uint64_t count)
{
    if (!count) return (struct demo_split){0};
    qsort(us, count, sizeof *us, by_size);
    return (struct demo_split){us[(count - 1) / 2], us[(count - 1) * 95 / 100], us[count - 1]};
}

void demo_ride_measure(struct demo_city *c, uint64_t latest)
{
    struct demo_figures *f = c->config.figures;
    uint64_t count = c->sample_count < latest ? c->sample_count : latest;
    uint32_t *us = malloc(3 * count * sizeof *us + 1);

    if (count > DEMO_SAMPLES_MAX) count = DEMO_SAMPLES_MAX;
    for (uint64_t i = 0; us && i < count; i++) {
        struct demo_sample s = c->samples[(c->sample_count - 1 - i) % DEMO_SAMPLES_MAX];
        us[i] = s.server_us;
        us[count + i] = s.device_us;
        us[2 * count + i] = s.server_us + s.device_us;
    }
    if (us) {
        f->unlocks = c->sample_count;
        f->server = split(us, count);
        f->device = split(us + count, count);
        f->unlock = split(us + 2 * count, count);
    }
    free(us);
}
