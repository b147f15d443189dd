/* SPDX-License-Identifier: Apache-2.0 */
/* street: near me alone, on one core: 100,000 vehicles in a city of 20 x 20 km, the 20 nearest within 500 m of places all
 * over it; then what keeping the view costs: taking in changes and making a snapshot with 5,000 vehicles moved. The peer
 * of the index is looking at every vehicle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "base/prng.h"
#include "street/street.h"

#define VEHICLES 100000u
#define QUESTIONS 2000000u
#define SLICE 4000u          /* questions timed together; the median slice counts */
#define SCANS 1000u
#define ROUNDS 40u
#define MOVED 5000u
#define NOW_MS 1790000000000ll
#define LAT_E7 577089000
#define LON_E7 119746000
#define HALF_LAT_E7 899322   /* 10 km */
#define HALF_LON_E7 1683100  /* the same at this latitude */

static struct prng prng;
static uint64_t seq = 1;

/* Of this process on the processor: it has a core to itself, also where others are at work. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct point somewhere(void)
{
    return (struct point){LAT_E7 + (int32_t)prng_between(&prng, -HALF_LAT_E7, HALF_LAT_E7),
                          LON_E7 + (int32_t)prng_between(&prng, -HALF_LON_E7, HALF_LON_E7)};
}

static void put_device(struct street *s, uint32_t i)
{
    struct point at = somewhere();
    struct device d = {.id = 1000000 + i, .vehicle_id = 100 + i, .session = 1, .seen_ms = NOW_MS,
                       .lock_state = LOCK_STATE_LOCKED, .battery_pct = 80, .has_battery = true, .has_fix = true,
                       .lat_e7 = at.lat_e7, .lon_e7 = at.lon_e7, .fix_got_ms = NOW_MS};
    street_put(s, seq, ROW_DEVICE, &d, false);
}

static void show(struct street *s)
{
    must(street_show(s, seq++, NOW_MS));
}

#define SET(text, from) text_clip(&(text), bytes_text(from))

static void declare(struct street *s)
{
    struct legal_entity e = {.id = 1, .decimals = 2};
    SET(e.currency, "SEK");
    struct city c = {.id = 2, .entity_id = 1};
    SET(c.code, "gothenburg");
    struct vehicle_type t = {.id = 3, .motor = true, .battery_min_pct = 15};
    SET(t.code, "scooter");
    struct plan p = {.id = 4, .city_id = 2, .unlock_minor = 1000, .minute_minor = 250};
    street_put(s, seq, ROW_LEGAL_ENTITY, &e, false);
    street_put(s, seq, ROW_CITY, &c, false);
    street_put(s, seq, ROW_VEHICLE_TYPE, &t, false);
    street_put(s, seq, ROW_PLAN, &p, false);
    for (uint32_t i = 0; i < VEHICLES; i++) {
        struct vehicle v = {.id = 100 + i, .type_id = 3, .city_id = 2, .device_id = 1000000 + i, .state = VEHICLE_AVAILABLE};
        struct public_code code = {.id = 3000000 + i, .vehicle_id = 100 + i};
        char text[16];
        snprintf(text, sizeof text, "GBG-%u", i);
        SET(v.code, text);
        code.code = v.code;
        if (!street_has_room(s)) show(s);
        street_put(s, seq, ROW_VEHICLE, &v, false);
        street_put(s, seq, ROW_PUBLIC_CODE, &code, false);
        put_device(s, i);
    }
    show(s);
    show(s);
}

static void report(const char *name, double value, const char *unit, const char *peer, double peer_value)
{
    printf("{\"name\":\"%s\",\"value\":%.1f,\"unit\":\"%s\"", name, value, unit);
    if (peer) printf(",\"peer\":\"%s\",\"peer_value\":%.1f", peer, peer_value);
    printf("}\n");
}

/* What anybody would write first. */
static uint32_t scan(const struct snapshot *s, struct point at, uint64_t most)
{
    uint32_t inside = 0;
    for (uint32_t i = 0; i < s->vehicle_count; i++) inside += grid_square(at, s->vehicles[i].at) <= most;
    return inside;
}

static int by_rate(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void ask(struct street *s)
{
    static struct point places[SLICE];
    static double rates[QUESTIONS / SLICE];
    struct grid_found found[20];
    uint64_t sum = 0, inside = 0;
    const struct snapshot *now = street_hold(s, STREET_READER_TEST);
    must(now && now->counts[0].rentable == VEHICLES);
    for (unsigned i = 0; i < SLICE; i++) places[i] = somewhere();
    double begun = seconds();
    for (unsigned i = 0; i < SCANS; i++) inside += scan(now, places[i % SLICE], grid_square_of_m(500));
    double scans = SCANS / (seconds() - begun);
    for (unsigned round = 0; round < QUESTIONS / SLICE; round++) {
        begun = seconds();
        for (unsigned i = 0; i < SLICE; i++) {
            struct grid_near near = {places[i], 500, 20, STREET_RENTABLE};
            sum += grid_find_near(&now->grid, &near, found);
        }
        rates[round] = SLICE / (seconds() - begun);
    }
    qsort(rates, QUESTIONS / SLICE, sizeof *rates, by_rate);
    report("near me: index, 20 nearest of 100,000 within 500 m", rates[QUESTIONS / SLICE / 2], "questions/s",
           "looking at every vehicle", scans);
    fprintf(stderr, "%.0f questions/s in the best of %u slices; ", rates[QUESTIONS / SLICE - 1], QUESTIONS / SLICE);
    fprintf(stderr, "%.1f found of %.1f within 500 m on average\n", (double)sum / QUESTIONS, (double)inside / SCANS);
    street_let_go(s, STREET_READER_TEST);
}

static void keep(struct street *s)
{
    double took = 0, taking = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < MOVED; i++) put_device(s, (uint32_t)prng_below(&prng, VEHICLES));
        double begun = seconds();
        (void)street_turn(s, seq - 1, NOW_MS); /* a snapshot with nothing new */
        double middle = seconds();
        show(s);
        took += seconds() - middle;
        taking += middle - begun;
    }
    report("street view: a snapshot of 100,000 vehicles, 5,000 moved", took / ROUNDS * 1000, "ms",
           "the same with nothing moved", taking / ROUNDS * 1000);
}

int main(void)
{
    struct street *s;
    struct street_options options = {.vehicles_max = VEHICLES, .key = {1, 2}};
    struct err e = street_create(&options, &s);
    must(!e.code);
    prng = prng_of(1, bytes_text("street"));
    declare(s);
    ask(s);
    keep(s);
    street_destroy(s);
    return 0;
}
