/* SPDX-License-Identifier: Apache-2.0 */
/* demo_demand.c: see demo_demand.h. */
#include "sim/demo_demand.h"

#include <stdio.h>
#include <stdlib.h>

#define HOUR_MS 3600000ll
#define DAY_MS (24 * HOUR_MS)
enum { TRIPS_MAX = 1000000000, AHEAD_STEP_MS = 900000 };

/* Shares of the busiest hour in hundredths, and how many ride in it: of eight rides in town seven are
 * commuters' on a weekday, half are at a weekend. Rides are of two to eight minutes in town, visitors' about
 * twice as long. */
static const struct demo_demand in_code = {
    .trips = {
        {{1, 0, 0, 0, 1, 4, 17, 52, 100, 68, 36, 34, 40, 38, 32, 36, 60, 90, 66, 40, 26, 18, 12, 6},
         {8, 5, 3, 1, 1, 2, 4, 8, 16, 25, 32, 37, 40, 38, 35, 35, 35, 32, 29, 22, 17, 14, 12, 10}},
        {{1, 1, 0, 0, 0, 0, 1, 4, 8, 9, 11, 14, 15, 15, 15, 15, 16, 16, 14, 10, 8, 6, 4, 3},
         {5, 4, 2, 1, 1, 1, 2, 4, 8, 16, 23, 33, 38, 38, 40, 40, 37, 30, 24, 18, 14, 10, 8, 6}},
    },
    .length_s = {{120, 155, 190, 225, 265, 310, 360, 415, 480}, {210, 280, 350, 420, 500, 590, 700, 850, 1080}},
};

void demo_demand_init(struct demo_demand *d) { *d = in_code; }

/* ---- the file ---- */

static bool find(const char *const *names, int count, struct bytes word, int *out)
{
    for (*out = 0; *out < count; ++*out) {
        if (bytes_equal_text(word, names[*out])) return true;
    }
    return false;
}

static struct err take_line(struct demo_demand *d, struct bytes line, uint32_t *hours, uint32_t *lengths)
{
    static const char *const kinds[] = {"commuter", "visitor"}, *const days[] = {"weekday", "weekend"};
    struct bytes what = bytes_split(&line, ' '), word = bytes_split(&line, ' ');
    int kind, day;
    uint64_t hour, n, before = 1;

    if (!find(kinds, DEMO_KIND_N, word, &kind)) return ERR(MALFORMED, "no such kind of rider");
    if (bytes_equal_text(what, "hour")) {
        if (!find(days, DEMO_DAY_N, bytes_split(&line, ' '), &day)) return ERR(MALFORMED, "no such day");
        TRY(bytes_u64(bytes_split(&line, ' '), 2, &hour));
        TRY(bytes_u64(line, 10, &n));
        if (hour > 23 || n > TRIPS_MAX) return ERR(MALFORMED, "no such hour, or too many trips");
        d->trips[kind][day][hour] = (uint32_t)n;
        ++*hours;
        return NO_ERR;
    }
    if (!bytes_equal_text(what, "length")) return ERR(MALFORMED, "a line that begins with neither hour nor length");
    for (int i = 0; i < DEMO_DECILES; i++) {
        TRY(bytes_u64(bytes_split(&line, ' '), 5, &n));
        if (n < before || n > DEMO_LENGTH_MAX_S) return ERR(MALFORMED, "lengths that do not grow");
        d->length_s[kind][i] = (uint32_t)(before = n);
    }
    ++*lengths;
    return NO_ERR;
}

/* A day without trips has no busiest hour. */
static bool has_life(const struct demo_demand *d)
{
    bool all = true;

    for (int kind = 0; kind < DEMO_KIND_N; kind++) {
        for (int day = 0; day < DEMO_DAY_N; day++) {
            bool any = false;
            for (int h = 0; h < 24; h++) any |= d->trips[kind][day][h] > 0;
            all &= any;
        }
    }
    return all;
}

struct err demo_demand_parse(struct demo_demand *d, struct bytes text)
{
    struct demo_demand read = {.measured = true};
    uint32_t hours = 0, lengths = 0;

    while (text.len) {
        struct bytes line = bytes_split(&text, '\n');
        if (!line.len || line.at[0] == '#') continue;
        TRY(take_line(&read, line, &hours, &lengths));
    }
    if (hours != DEMO_KIND_N * DEMO_DAY_N * 24 || lengths != DEMO_KIND_N || !has_life(&read))
        return ERR(MALFORMED, "not all hours and lengths are there");
    *d = read;
    return NO_ERR;
}

struct err demo_demand_read(struct demo_demand *d, const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(DEMO_DEMAND_FILE_MAX) : NULL;

    if (!f) return ERR(NOT_FOUND, "there is no such file");
    size_t len = text ? fread(text, 1, DEMO_DEMAND_FILE_MAX, f) : 0;
    fclose(f);
    struct err e = !text ? ERR(IO, "no memory")
                   : len == DEMO_DEMAND_FILE_MAX ? ERR(MALFORMED, "longer than any such file")
                                                 : demo_demand_parse(d, bytes_of(text, len));
    free(text);
    return e;
}

/* ---- the curve ---- */

/* 1970 began on a Thursday. */
static enum demo_day day_of(int64_t local_ms)
{
    int64_t day = (local_ms / DAY_MS + 4) % 7; /* 0: Sunday */
    return day == 0 || day == 6 ? DEMO_WEEKEND : DEMO_WEEKDAY;
}

/* Trips an hour at this moment: straight lines between the middles of hours. */
static uint64_t trips_at(const struct demo_demand *d, enum demo_rider_kind kind, int64_t local_ms)
{
    int64_t at_ms = local_ms - HOUR_MS / 2, into_ms = at_ms % HOUR_MS, then_ms = at_ms + HOUR_MS;
    uint64_t a = d->trips[kind][day_of(at_ms)][at_ms / HOUR_MS % 24],
             b = d->trips[kind][day_of(then_ms)][then_ms / HOUR_MS % 24];
    return (a * (uint64_t)(HOUR_MS - into_ms) + b * (uint64_t)into_ms) / (uint64_t)(HOUR_MS / 1000);
}

static uint64_t busiest(const struct demo_demand *d, int first, int last)
{
    uint64_t most = 1;

    for (int day = 0; day < DEMO_DAY_N; day++) {
        for (int h = 0; h < 24; h++) {
            uint64_t sum = 0;
            for (int kind = first; kind <= last; kind++) sum += d->trips[kind][day][h];
            if (sum > most) most = sum;
        }
    }
    return most;
}

uint32_t demo_demand_of(const struct demo_demand *d, enum demo_rider_kind kind, int64_t local_ms)
{
    return (uint32_t)(trips_at(d, kind, local_ms) / busiest(d, kind, kind));
}

uint32_t demo_demand_now(const struct demo_demand *d, int64_t local_ms)
{
    uint64_t sum = trips_at(d, DEMO_COMMUTER, local_ms) + trips_at(d, DEMO_VISITOR, local_ms);
    return (uint32_t)(sum / busiest(d, DEMO_COMMUTER, DEMO_VISITOR));
}

int64_t demo_demand_ahead_ms(const struct demo_demand *d, int64_t local_ms)
{
    for (int64_t ahead_ms = 0; ahead_ms < 7 * DAY_MS; ahead_ms += AHEAD_STEP_MS) {
        if (demo_demand_now(d, local_ms + ahead_ms) >= DEMO_DEMAND_LIVELY) return ahead_ms;
    }
    return 0;
}

uint32_t demo_demand_length_s(const struct demo_demand *d, enum demo_rider_kind kind, uint32_t draw_ppm)
{
    const uint32_t *q = d->length_s[kind];
    uint64_t tenths = (uint64_t)draw_ppm * 10;  /* of a decile, in millionths */
    uint32_t below = (uint32_t)(tenths / 1000000), part = (uint32_t)(tenths % 1000000);
    uint32_t a = below ? q[below - 1] : q[0] / 2, b = below < DEMO_DECILES ? q[below] : q[DEMO_DECILES - 1] * 3 / 2;

    return a + (uint32_t)((uint64_t)(b - a) * part / 1000000);
}
