/* SPDX-License-Identifier: Apache-2.0 */
/* demo_place.c: see demo_place.h. Prices are of the size that is asked for there. */
#include "sim/demo_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/timetext.h"

#define SCOOTER "{\"name\":\"Scooter\",\"heartbeat_s\":60,\"battery_min_pct\":15,\"motor\":true}"
#define BICYCLE "{\"name\":\"Bicycle\",\"heartbeat_s\":60,\"battery_min_pct\":0,\"motor\":false}"
#define PLAN(name, city, type, unlock, minute)                                                              \
    "{\"name\":\"" name "\",\"city\":\"" city "\",\"vehicle_type\":\"" type "\",\"unlock_minor\":" #unlock  \
    ",\"minute_minor\":" #minute "}"
#define DAY_MS 86400000ll
#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static const struct sim_put gothenburg[] = {
    {"/v1/operator", "{\"name\":\"Paddock demo\"}"},
    {"/v1/legal-entities/demo", "{\"name\":\"Paddock demo AB\",\"currency\":\"SEK\",\"decimals\":2}"},
    {"/v1/cities/gothenburg",
     "{\"name\":\"Gothenburg\",\"legal_entity\":\"demo\",\"time_zone\":\"Europe/Stockholm\","
     "\"lat\":57.707,\"lon\":11.968,\"radius_m\":15000,\"ride_max_s\":43200}"},
    {"/v1/vehicle-types/scooter", SCOOTER},
    {"/v1/vehicle-types/bicycle", BICYCLE},
    {"/v1/plans/scooter", PLAN("Scooter", "gothenburg", "scooter", 1000, 250)},
    {"/v1/plans/bicycle", PLAN("Bicycle", "gothenburg", "bicycle", 500, 100)},
};

static const struct sim_put montevideo[] = {
    {"/v1/operator", "{\"name\":\"Paddock demo\"}"},
    {"/v1/legal-entities/demo-uy", "{\"name\":\"Paddock demo S.A.\",\"currency\":\"UYU\",\"decimals\":2}"},
    {"/v1/cities/montevideo",
     "{\"name\":\"Montevideo\",\"legal_entity\":\"demo-uy\",\"time_zone\":\"America/Montevideo\","
     "\"lat\":-34.893,\"lon\":-56.166,\"radius_m\":15000,\"ride_max_s\":43200}"},
    {"/v1/vehicle-types/scooter", SCOOTER},
    {"/v1/vehicle-types/bicycle", BICYCLE},
    {"/v1/plans/scooter-uy", PLAN("Monopatín", "montevideo", "scooter", 4000, 900)},
    {"/v1/plans/bicycle-uy", PLAN("Bicicleta", "montevideo", "bicycle", 2000, 400)},
};

static const struct demo_place places[] = {
    {.code = "gothenburg", .name = "Gothenburg", .prefix = "GBG-", .time_zone = "Europe/Stockholm",
     .language = "sv", .currency = "SEK", .decimals = 2, .centre = {577070000, 119680000}, .reach_m = 4500,
     .offset_min = 60, .summer = true, .puts = gothenburg, .put_count = COUNT(gothenburg)},
    {.code = "montevideo", .name = "Montevideo", .prefix = "MVD-", .time_zone = "America/Montevideo",
     .language = "es", .currency = "UYU", .decimals = 2, .centre = {-348930000, -561660000}, .reach_m = 4500,
     .offset_min = -180, .puts = montevideo, .put_count = COUNT(montevideo)},
};

const struct demo_place *demo_place_nth(uint32_t nth) { return nth < COUNT(places) ? &places[nth] : NULL; }

const struct demo_place *demo_place_find(const char *code)
{
    for (uint32_t i = 0; i < COUNT(places); i++) {
        if (!strcmp(places[i].code, code)) return &places[i];
    }
    return NULL;
}

/* The last Sunday of a month of 31 days, one o'clock UTC. 1970 began on a Thursday. */
static int64_t last_sunday_ms(int32_t year, uint8_t month)
{
    struct civil c = {.year = year, .month = month, .day = 31, .hour = 1};
    int64_t ms = 0;

    must(!civil_to_ms(c, &ms).code);
    return ms - (ms / DAY_MS + 4) % 7 * DAY_MS;
}

int64_t demo_place_local_ms(const struct demo_place *place, int64_t ms)
{
    int32_t year = civil_of_ms(ms).year;
    bool summer = place->summer && ms >= last_sunday_ms(year, 3) && ms < last_sunday_ms(year, 10);

    return ms + (place->offset_min + (summer ? 60 : 0)) * 60000ll;
}

const char *demo_place_money(const struct demo_place *place, int64_t minor, char *text, size_t room)
{
    int64_t whole = 1;

    for (uint8_t i = 0; i < place->decimals; i++) whole *= 10;
    if (place->decimals)
        snprintf(text, room, "%" PRId64 ".%0*" PRId64 " %s", minor / whole, place->decimals, minor % whole,
                 place->currency);
    else snprintf(text, room, "%" PRId64 " %s", minor, place->currency);
    return text;
}
