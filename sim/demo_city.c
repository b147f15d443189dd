/* SPDX-License-Identifier: Apache-2.0 */
/* demo_city.c: see demo_city.h: the town, its vehicles, and the figures of both. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "proto/omni.h"
#include "sim/demo_inside.h"

/* A box alone empties its battery in a month; positions are some metres off, where they are not worse. */
enum { HEARTBEAT_S = 60, TRACK_S = 3, PLACE_S = 600, IDLE_PPM_PER_H = 1400, GPS_CM = 400, CODE_DIGITS = 3,
       CONNECT_SPREAD_MS = 2000 };

/* Chances in a million of what goes wrong in the street; what is not named does not happen. */
static const uint32_t fault_ppm[SIM_VEHICLE_FAULT_N] = {
    [SIM_VEHICLE_FAULT_KEY_SILENT] = 4000,   [SIM_VEHICLE_FAULT_KEY_LATE] = 8000,
    [SIM_VEHICLE_FAULT_ACT_SILENT] = 4000,   [SIM_VEHICLE_FAULT_JAM] = 8000,
    [SIM_VEHICLE_FAULT_LEAVE_KEYED] = 1500,  [SIM_VEHICLE_FAULT_NO_LINE_END] = 2000,
    [SIM_VEHICLE_FAULT_CRLF] = 5000,         [SIM_VEHICLE_FAULT_SPACES] = 2000,
    [SIM_VEHICLE_FAULT_TWICE] = 3000,        [SIM_VEHICLE_FAULT_NOISE] = 300,
    [SIM_VEHICLE_FAULT_NO_FIX] = 20000,      [SIM_VEHICLE_FAULT_STALE_FIX] = 5000,
    [SIM_VEHICLE_FAULT_CLOCK_ZERO] = 20000,  [SIM_VEHICLE_FAULT_CLOCK_DRUNK] = 5000,
    [SIM_VEHICLE_FAULT_TWIN] = 100,          [SIM_VEHICLE_FAULT_MUTE] = 1500,
    [SIM_VEHICLE_FAULT_DROP] = 5000,         [SIM_VEHICLE_FAULT_ALARM] = 3000,
    [SIM_VEHICLE_FAULT_MOVED_LOCKED] = 1000, [SIM_VEHICLE_FAULT_OPENED_LOCAL] = 500,
    [SIM_VEHICLE_FAULT_STUCK] = 3000,        [SIM_VEHICLE_FAULT_NO_RADIO] = 1000,
    [SIM_VEHICLE_FAULT_LOCK_LOST] = 4000,    [SIM_VEHICLE_FAULT_GPS_JUMP] = 500,
};

uint32_t demo_city_fault_ppm(enum sim_vehicle_fault fault) { return fault_ppm[fault]; }

/* Motor and battery: scooters, of two makers' boxes. A horseshoe lock and pedals: bicycles. */
static const struct kind { const char *type, *vendor; uint8_t dialect; } kinds[] = {
    {"scooter", "OM", OMNI_SCOR}, {"bicycle", "OM", OMNI_CMDR}, {"scooter", "NB", OMNI_HBCR}};

/* Of ten five scooters with one box, two with the other, three bicycles. */
static const struct kind *kind_of(uint32_t index)
{
    static const uint8_t of_ten[10] = {0, 1, 0, 2, 1, 0, 0, 1, 2, 0};
    return &kinds[of_ten[index % 10]];
}

/* A made-up IMEI with a right check digit. */
static void put_imei(uint32_t index, struct text64 *out)
{
    char text[24];
    unsigned sum = 0;

    snprintf(text, sizeof text, "4901542%07u", index);
    for (int i = 0; i < 14; i++) {
        unsigned digit = (unsigned)(text[i] - '0') * (1 + i % 2);
        sum += digit / 10 + digit % 10;
    }
    text[14] = (char)('0' + (10 - sum % 10) % 10);
    text_clip(out, bytes_of(text, 15));
}

static void describe(const struct demo_city *c, uint32_t index, struct sim_staff_vehicle *out)
{
    char text[24];

    snprintf(text, sizeof text, "%s%0*u", c->config.place->prefix, CODE_DIGITS, index + 1);
    text_clip(&out->code, bytes_text(text));
    put_imei(index + 1, &out->ident);
    out->city = c->config.place->code;
    out->type = kind_of(index)->type;
}

static void town_vehicle(void *ctx, uint32_t index, struct sim_staff_vehicle *out)
{
    const struct demo_clerk *clerk = ctx;
    describe(clerk->city, clerk->first + index, out);
}

static void on_declared(void *ctx);
static struct point somewhere(void *ctx, uint64_t draw) { return demo_city_place(ctx, draw); }

static struct err begin_clerk(struct demo_city *c, struct demo_clerk *clerk)
{
    char name[24];

    clerk->city = c;
    clerk->town.vehicle = town_vehicle;
    clerk->town.ctx = clerk;
    snprintf(name, sizeof name, "staff-%u", (unsigned)(clerk - c->clerks) + 1);
    struct sim_staff_config staff = {
        .name = bytes_text(name),
        .token = bytes_of(c->config.tokens->staff.text, AUTH_TOKEN_LEN),
        .address = c->config.http,
        .town = &clerk->town,
        .set_up = true,
        .ctx = clerk,
        .on_ready = on_declared,
    };
    return sim_staff_create(c->config.crowd, &staff, &clerk->staff);
}

static struct err share_vehicles(struct demo_city *c)
{
    uint32_t count = c->config.figures->vehicle_count, clerks = (count + CLERK_VEHICLES - 1) / CLERK_VEHICLES;

    if (clerks > CLERKS_MAX) clerks = CLERKS_MAX;
    c->clerks_busy = clerks;
    for (uint32_t i = 0; i < clerks; i++) {
        struct demo_clerk *clerk = &c->clerks[c->clerk_count++];
        uint32_t end = (uint32_t)((uint64_t)count * (i + 1) / clerks);
        clerk->first = (uint32_t)((uint64_t)count * i / clerks);
        clerk->town.vehicle_count = end - clerk->first;
        TRY(begin_clerk(c, clerk));
    }
    return NO_ERR;
}

static void on_declared(void *ctx)
{
    struct demo_clerk *clerk = ctx;
    struct demo_city *c = clerk->city;
    struct err e = NO_ERR;

    if (clerk == c->clerks) {
        e = share_vehicles(c);
    } else if (--c->clerks_busy == 0) {
        c->declared = true;
        demo_tell(c->config.figures, DEMO_CALM, "%s is declared: %u vehicles may be ridden",
                  c->config.place->name, c->config.figures->vehicle_count);
        e = demo_city_people(c);
    }
    if (e.code) demo_tell(c->config.figures, DEMO_BAD, "nobody comes to town: %s", e.why);
}

struct err demo_city_create(const struct demo_city_config *config, struct demo_city **out)
{
    const struct demo_figures *f = config->figures;
    struct demo_city *c = calloc(1, sizeof *c);

    if (!c) return ERR(IO, "no memory");
    c->config = *config;
    c->vehicles = calloc(f->vehicle_count + 1, sizeof *c->vehicles);
    c->riders = calloc(f->rider_count + 1, sizeof *c->riders);
    c->failures = calloc(DEMO_FAILURES_MAX, sizeof *c->failures);
    c->samples = calloc(DEMO_SAMPLES_MAX, sizeof *c->samples);
    c->clerks[0].town =
        (struct sim_town){.puts = config->place->puts, .put_count = config->place->put_count};
    c->clerk_count = 1;
    struct prng spots = crowd_stream(config->crowd, "demo", bytes_text("dead-spots"));
    demo_radio_init(&c->radio, config->crowd, &spots, somewhere, c);
    bool room = c->vehicles && c->riders && c->failures && c->samples;
    struct err e = room ? begin_clerk(c, &c->clerks[0]) : ERR(IO, "no memory");
    if (e.code) {
        demo_city_destroy(c);
        return e;
    }
    *out = c;
    return NO_ERR;
}

void demo_city_destroy(struct demo_city *c)
{
    if (!c) return;
    demo_crew_end(&c->crew);
    for (uint32_t i = 0; c->riders && i < c->config.figures->rider_count; i++)
        sim_rider_destroy(c->riders[i].actor);
    for (uint32_t i = 0; c->vehicles && i < c->config.figures->vehicle_count; i++)
        sim_vehicle_destroy(c->vehicles[i].actor);
    for (uint32_t i = 0; i < c->clerk_count; i++) sim_staff_destroy(c->clerks[i].staff);
    free(c->vehicles);
    free(c->riders);
    free(c->failures);
    free(c->samples);
    free(c);
}

bool demo_city_is_declared(const struct demo_city *c) { return c->declared; }
void demo_city_restarted(struct demo_city *c) { c->life++; }

const char *demo_city_broken(const struct demo_city *c, struct bytes *who)
{
    const char *why = NULL;

    *who = bytes_text("staff");
    for (uint32_t i = 0; i < c->clerk_count && !why; i++) why = sim_staff_broken(c->clerks[i].staff);
    for (uint32_t i = 0; i < c->config.figures->rider_count && !why; i++) {
        if (!c->riders[i].actor) continue;
        why = sim_rider_broken(c->riders[i].actor);
        *who = sim_rider_name(c->riders[i].actor);
    }
    return why;
}

struct point demo_city_place(struct demo_city *c, uint64_t draw)
{
    struct prng p = prng_of(draw, bytes_text("somewhere"));

    if (c->config.streets) return streets_at(c->config.streets, streets_draw(c->config.streets, draw));
    struct point centre = c->config.place->centre;
    return (struct point){centre.lat_e7 + (int32_t)prng_between(&p, -200000, 200000),
                          centre.lon_e7 + (int32_t)prng_between(&p, -350000, 350000)};
}

/* The last digits of its public code are its number, from 1. */
struct demo_vehicle *demo_city_vehicle(struct demo_city *c, struct bytes code)
{
    uint64_t number;
    size_t len = strlen(c->config.place->prefix);

    if (code.len <= len || !bytes_starts(code, c->config.place->prefix)) return NULL;
    if (bytes_u64(bytes_of(code.at + len, code.len - len), 9, &number).code) return NULL;
    return number >= 1 && number <= c->config.figures->vehicle_count ? &c->vehicles[number - 1] : NULL;
}

static struct err begin_vehicle(struct demo_city *c, uint32_t index)
{
    struct demo_vehicle *v = &c->vehicles[index];
    struct sim_staff_vehicle said;

    describe(c, index, &said);
    v->code = said.code;
    v->ident = said.ident;
    v->dialect = kind_of(index)->dialect;
    v->rider = NOBODY;
    struct prng p = crowd_stream(c->config.crowd, "demo-vehicle", text_bytes(&v->ident));
    struct sim_vehicle_config config = {
        .index = index,
        .ident = text_bytes(&v->ident),
        .address = c->config.vehicles,
        .dialect = v->dialect,
        .vendor = bytes_text(kind_of(index)->vendor),
        .heartbeat_s = HEARTBEAT_S,
        .track_s = TRACK_S,
        .place_s = PLACE_S,
        .gps_cm = GPS_CM,
        .idle_ppm_per_h = IDLE_PPM_PER_H,
        .radio = demo_radio_fn(&c->radio),
        .lose_lock_reports = &c->lose_lock_reports,
        .at = demo_city_place(c, prng_next(&p)),
        .battery_pct = (uint8_t)prng_between(&p, 18, 100),
        .fault_ppm = fault_ppm,
        .fault_count = v->faults,
        .log_max = 0,
        .first_connect_ms = CONNECT_SPREAD_MS,
    };
    if (c->config.streets) config.path = streets_path(c->config.streets);
    return sim_vehicle_create(c->config.crowd, &config, &v->actor);
}

struct err demo_city_people(struct demo_city *c)
{
    for (uint32_t i = 0; i < c->config.figures->vehicle_count; i++) TRY(begin_vehicle(c, i));
    for (uint32_t i = 0; i < c->config.figures->rider_count; i++) TRY(demo_rider_begin(c, i));
    return demo_crew_begin(&c->crew, c);
}

/* ---- figures ---- */

void demo_city_count(struct demo_city *c)
{
    struct demo_figures *f = c->config.figures;
    struct sim_rider_counters r = demo_city_riders(c);

    f->sim_ms = crowd_now_ms(c->config.crowd);
    f->declared = demo_city_is_declared(c);
    f->asking = f->riding = f->ending = 0;
    for (uint32_t i = 0; i < f->rider_count; i++) {
        if (!c->riders[i].actor) continue;
        switch (sim_rider_state_of(c->riders[i].actor)) {
        case SIM_RIDER_ASKING:
        case SIM_RIDER_WAITING: f->asking++; break;
        case SIM_RIDER_RIDING: f->riding++; break;
        case SIM_RIDER_ENDING: f->ending++; break;
        default: break;
        }
    }
    f->asked = r.started;
    f->completed = r.settled;
    f->failed = r.failed;
    f->cancelled = r.cancelled;
    f->refused = r.refused;
    f->charged_minor = r.charged_minor;
    f->without_network = 0;
    for (uint32_t i = 0; i < f->vehicle_count; i++) {
        struct demo_vehicle *v = &c->vehicles[i];
        f->without_network += v->actor && sim_vehicle_is_in_hole(v->actor);
        demo_ride_hurts(v, f->sim_ms);
    }
    f->districts_cut = c->radio.cut_count;
    demo_guests_turn(c);
    demo_ride_measure(c, 256);
}

void demo_city_measure_all(struct demo_city *c) { demo_ride_measure(c, DEMO_SAMPLES_MAX); }

const struct demo_tallies *demo_city_reasons(const struct demo_city *c, enum demo_outcome outcome)
{
    return &c->reasons[outcome];
}

const struct demo_tallies *demo_city_faults_of_failed(const struct demo_city *c) { return &c->faults_of_failed; }
const struct demo_tallies *demo_city_refused_by_habit(const struct demo_city *c) { return &c->refused_by_habit; }
const struct demo_tallies *demo_city_refused_by_persona(const struct demo_city *c) { return &c->refused_by_persona; }
uint64_t demo_city_rides_of(const struct demo_city *c, enum demo_persona persona) { return c->persona_rides[persona]; }

uint32_t demo_city_refusals(const struct demo_city *c, const struct demo_refusal *at[DEMO_REFUSALS_MAX])
{
    uint64_t count = c->refusal_count < DEMO_REFUSALS_MAX ? c->refusal_count : DEMO_REFUSALS_MAX;

    for (uint64_t i = 0; i < count; i++) at[i] = &c->refusals[(c->refusal_count - count + i) % DEMO_REFUSALS_MAX];
    return (uint32_t)count;
}

uint32_t demo_city_failures(const struct demo_city *c, const struct demo_failure **at)
{
    *at = c->failures;
    return c->failure_count;
}

struct sim_vehicle_counters demo_city_vehicles(const struct demo_city *c)
{
    struct sim_vehicle_counters sum = {0};

    for (uint32_t i = 0; i < c->config.figures->vehicle_count; i++) {
        if (!c->vehicles[i].actor) continue;
        const struct sim_vehicle_counters *v = sim_vehicle_counters_of(c->vehicles[i].actor);
        sum.connects += v->connects;
        sum.closes += v->closes;
        sum.frames_out += v->frames_out;
        sum.frames_in += v->frames_in;
        sum.acks += v->acks;
        sum.repeats += v->repeats;
        sum.unlocks += v->unlocks;
        sum.locks += v->locks;
    }
    return sum;
}

struct sim_rider_counters demo_city_riders(const struct demo_city *c)
{
    struct sim_rider_counters sum = {0};

    for (uint32_t i = 0; i < c->config.figures->rider_count; i++) {
        if (!c->riders[i].actor) continue;
        const struct sim_rider_counters *r = sim_rider_counters_of(c->riders[i].actor);
        sum.requests += r->requests;
        sum.replies += r->replies;
        sum.lost += r->lost;
        sum.started += r->started;
        sum.riding += r->riding;
        sum.failed += r->failed;
        sum.cancelled += r->cancelled;
        sum.settled += r->settled;
        sum.refused += r->refused;
        sum.given_up += r->given_up;
        sum.events += r->events;
        sum.charged_minor += r->charged_minor;
    }
    return sum;
}

uint64_t demo_city_faults(const struct demo_city *c, enum sim_vehicle_fault fault)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < c->config.figures->vehicle_count; i++) sum += c->vehicles[i].faults[fault];
    return sum;
}

uint64_t demo_city_habits(const struct demo_city *c, enum sim_rider_habit habit) { return c->habits[habit]; }

uint32_t demo_city_dialect(const struct demo_city *c, uint8_t dialect)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < c->config.figures->vehicle_count; i++) count += kind_of(i)->dialect == dialect;
    return count;
}

/* The names of the tables, in small letters. */
static const char *small(const char *name, char *text, size_t room)
{
    size_t i = 0;

    for (; name[i] && i + 1 < room; i++) text[i] = (char)tolower((unsigned char)name[i]);
    text[i] = 0;
    return text;
}

const char *demo_fault_label(enum sim_vehicle_fault fault)
{
    static const char *const names[SIM_VEHICLE_FAULT_N] = {
#define X(name, text) #name,
        SIM_VEHICLE_FAULT_LIST(X)
#undef X
    };
    static char texts[SIM_VEHICLE_FAULT_N][24];
    return small(names[fault], texts[fault], sizeof texts[0]);
}

const char *demo_habit_label(enum sim_rider_habit habit)
{
    static const char *const names[SIM_RIDER_HABIT_N] = {
#define X(name, text) #name,
        SIM_RIDER_HABIT_LIST(X)
#undef X
    };
    static char texts[SIM_RIDER_HABIT_N][24];
    return small(names[habit], texts[habit], sizeof texts[0]);
}
