/* SPDX-License-Identifier: Apache-2.0 */
#include "api/street_json.h"

#include <string.h>

#define SILENT_ALERT_PART 20   /* one of so many silent is no alarm of its own, more than that is */
#define AGE_ALERT_MS 2000      /* a snapshot this old: commits or the view are stuck */
#define SLOW_UNLOCK_US 5000000 /* every twentieth rider waits longer */

static void put_type(const struct snapshot *s, const struct street_vehicle *v, struct json *j)
{
    if (v->type == STREET_NONE) json_null(j);
    else json_text(j, text_bytes(&s->types[v->type].code));
}

static void put_battery(const struct street_vehicle *v, struct json *j)
{
    if (v->has_battery) json_u64(j, v->battery_pct);
    else json_null(j);
}

static void put_price(const struct street_price *p, struct json *j)
{
    json_name(j, "unlock_minor");
    json_i64(j, p->unlock_minor);
    json_name(j, "minute_minor");
    json_i64(j, p->minute_minor);
    json_name(j, "currency");
    json_text(j, text_bytes(&p->currency));
    json_name(j, "decimals");
    json_u64(j, p->decimals);
}

/* ---- near me ---- */

/* Vehicles of a reply are mostly of one type and price: what was written of the last such is written again as it is. */
struct written { uint16_t of; size_t at, len; };

static bool write_again(struct written *w, uint16_t of, struct json *j)
{
    if (w->of != of || !w->len) {
        *w = (struct written){of, j->out->len, 0};
        return false;
    }
    struct buf *b = j->out;
    uint8_t *to = buf_claim(b, w->len);
    if (to) memcpy(to, b->at + w->at, w->len);
    return true;
}

/* The hottest answer of all: names and brackets go out as they stand here. */
#define PUT(text) buf_put(b, text, sizeof text - 1)

static void put_near(const struct snapshot *s, const struct grid_found *found, struct written *type, struct written *price,
                     struct json *j)
{
    const struct street_vehicle *v = &s->vehicles[found->tag];
    struct buf *b = j->out;
    json_open(j, '{');
    PUT("\"code\":");
    json_text(j, text_bytes(&v->code));
    if (!write_again(type, v->type, j)) {
        json_name(j, "vehicle_type");
        put_type(s, v, j);
        json_name(j, "motor");
        json_bool(j, v->type != STREET_NONE && s->types[v->type].motor);
        type->len = b->len - type->at;
    }
    PUT(",\"lat\":");
    buf_put_decimal(b, v->at.lat_e7, 7);
    PUT(",\"lon\":");
    buf_put_decimal(b, v->at.lon_e7, 7);
    PUT(",\"battery_pct\":");
    if (v->has_battery) buf_put_u64(b, v->battery_pct);
    else PUT("null");
    PUT(",\"distance_m\":");
    buf_put_u64(b, ((uint64_t)grid_cm_of_square(found->square) + 50) / 100);
    if (!write_again(price, v->price, j)) {
        put_price(&s->prices[v->price], j);
        price->len = b->len - price->at;
    }
    json_close(j, '}');
}

void street_json_near(const struct snapshot *s, const struct grid_found *found, uint32_t count, struct json *j)
{
    struct written type = {.len = 0}, price = {.len = 0};
    json_open(j, '{');
    json_name(j, "vehicles");
    json_open(j, '[');
    for (uint32_t i = 0; i < count; i++) put_near(s, &found[i], &type, &price, j);
    json_close(j, ']');
    json_name(j, "as_of_seq");
    json_u64(j, s->seq);
    json_close(j, '}');
}

/* ---- maps ---- */

static const char *const columns[] = {"code", "vehicle_type", "lat", "lon", "state", "battery_pct", "speed_dmh", "heard_ms",
                                      "fix_ms", "city"};

void street_json_columns(struct json *j)
{
    json_name(j, "columns");
    json_open(j, '[');
    for (unsigned i = 0; i < sizeof columns / sizeof *columns; i++) json_literal(j, columns[i]);
    json_close(j, ']');
}

void street_json_row(const struct snapshot *s, const struct street_vehicle *v, struct json *j)
{
    json_open(j, '[');
    json_text(j, text_bytes(&v->code));
    put_type(s, v, j);
    json_decimal(j, v->at.lat_e7, 7);
    json_decimal(j, v->at.lon_e7, 7);
    json_literal(j, enum_name(&vehicle_state_names, v->state));
    put_battery(v, j);
    json_u64(j, v->speed_dmh);
    json_i64(j, v->seen_ms);
    json_i64(j, v->fix_ms);
    if (v->city == STREET_NONE) json_null(j);
    else json_text(j, text_bytes(&s->cities[v->city].code));
    json_close(j, ']');
}

/* ---- one vehicle, for a rider ---- */

static void put_offer(const struct snapshot *s, const struct street_vehicle *v, bool rentable, struct json *j)
{
    json_open(j, '{');
    json_name(j, "rentable");
    json_bool(j, rentable);
    json_name(j, "refusal");
    if (rentable) json_null(j);
    else json_literal(j, err_name(v->refusal ? v->refusal : ERR_VEHICLE_SILENT));
    json_name(j, "vehicle_type");
    put_type(s, v, j);
    json_name(j, "vehicle_type_name");
    if (v->type == STREET_NONE) json_null(j);
    else json_text(j, text_bytes(&s->types[v->type].name));
    json_name(j, "motor");
    json_bool(j, v->type != STREET_NONE && s->types[v->type].motor);
    if (v->price != STREET_NONE) put_price(&s->prices[v->price], j);
    json_close(j, '}');
}

void street_json_vehicle(const struct snapshot *s, const struct street_vehicle *v, int64_t now_ms, struct json *j)
{
    bool rentable = street_rentable(v, now_ms), place = rentable && v->has_fix; /* where others ride is theirs */
    json_open(j, '{');
    json_name(j, "code");
    json_text(j, text_bytes(&v->code));
    json_name(j, "state");
    json_literal(j, enum_name(&vehicle_state_names, v->state));
    json_name(j, "device");
    json_open(j, '{');
    json_name(j, "battery_pct");
    put_battery(v, j);
    json_name(j, "lat");
    if (place) json_decimal(j, v->at.lat_e7, 7);
    else json_null(j);
    json_name(j, "lon");
    if (place) json_decimal(j, v->at.lon_e7, 7);
    else json_null(j);
    json_name(j, "fix_ms");
    if (place) json_i64(j, v->fix_ms);
    else json_null(j);
    json_name(j, "connected");
    json_bool(j, v->connected);
    json_close(j, '}');
    json_name(j, "offer");
    put_offer(s, v, rentable, j);
    json_close(j, '}');
}

/* ---- counters ---- */

static void add_counts(struct street_counts *to, const struct street_counts *from, int64_t day)
{
    for (unsigned i = 0; i < VEHICLE_STATE_N; i++) to->vehicles[i] += from->vehicles[i];
    for (unsigned i = 0; i < RIDE_STATE_N; i++) to->rides[i] += from->rides[i];
    to->rentable += from->rentable;
    to->disconnected += from->disconnected;
    to->battery_low += from->battery_low;
    to->suspect += from->suspect;
    to->no_fix += from->no_fix;
    if (from->day != day) return;
    to->day_rides += from->day_rides;
    to->day_minutes += from->day_minutes;
}

static void put_states(const struct enum_names *names, const uint32_t *counts, unsigned end, struct json *j)
{
    json_open(j, '{');
    for (unsigned i = 1; i < end; i++) {
        json_name(j, enum_name(names, i));
        json_u64(j, counts[i]);
    }
    json_close(j, '}');
}

static uint32_t sum_of(const uint32_t *counts, unsigned end)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < end; i++) sum += counts[i];
    return sum;
}

static void put_vehicles(const struct street_counts *c, struct json *j)
{
    json_name(j, "vehicles");
    json_u64(j, sum_of(c->vehicles, VEHICLE_STATE_N));
    json_name(j, "vehicles_by_state");
    put_states(&vehicle_state_names, c->vehicles, VEHICLE_STATE_N, j);
    json_name(j, "rentable");
    json_u64(j, c->rentable);
    json_name(j, "disconnected");
    json_u64(j, c->disconnected);
    json_name(j, "battery_low");
    json_u64(j, c->battery_low);
    json_name(j, "open_rides");
    json_u64(j, sum_of(c->rides, RIDE_STATE_N));
    json_name(j, "rides_by_state");
    put_states(&ride_state_names, c->rides, RIDE_ENDED, j); /* the later states are over */
}

bool street_in_scope(const struct snapshot *s, const struct scope *scope, uint32_t city)
{
    if (!scope) return true;
    return city < s->city_count && scope_has(scope, text_bytes(&s->cities[city].code));
}

static bool in_scope(const struct snapshot *s, uint32_t city, const struct street_figures *f)
{
    return (f->city == STREET_NONE || f->city == city) && street_in_scope(s, f->scope, city);
}

/* Sums of different currencies are never added up. */
static void put_revenue(const struct snapshot *s, const struct street_figures *f, int64_t day, struct json *j)
{
    json_open(j, '[');
    for (uint32_t i = 0; i < s->city_count; i++) {
        const struct street_city *city = &s->cities[i];
        int64_t minor = 0;
        bool told = false, any = false;
        for (uint32_t k = 0; k < s->city_count; k++) {
            if (!text_equal(&s->cities[k].currency, &city->currency) || !in_scope(s, k, f)) continue;
            if (k < i) told = true;
            any = true;
            if (s->counts[k].day == day) minor += s->counts[k].day_minor;
        }
        if (told || !any || !in_scope(s, i, f) || !city->currency.len) continue;
        json_open(j, '{');
        json_name(j, "currency");
        json_text(j, text_bytes(&city->currency));
        json_name(j, "decimals");
        json_u64(j, city->decimals);
        json_name(j, "minor");
        json_i64(j, minor);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_today(const struct snapshot *s, const struct street_figures *f, const struct street_counts *sum, int64_t day,
                      struct json *j)
{
    json_name(j, "today");
    json_open(j, '{');
    json_name(j, "begins_ms");
    json_i64(j, day * STREET_DAY_MS);
    json_name(j, "time_zone");
    json_literal(j, "UTC");
    json_name(j, "rides");
    json_u64(j, sum->day_rides);
    json_name(j, "minutes");
    json_u64(j, sum->day_minutes);
    json_name(j, "revenue");
    put_revenue(s, f, day, j);
    json_close(j, '}');
}

static void put_percentiles(const char *name, const uint32_t us[3], struct json *j)
{
    static const char *const names[3] = {"p50", "p95", "p99"};
    json_name(j, name);
    json_open(j, '{');
    for (unsigned i = 0; i < 3; i++) {
        json_name(j, names[i]);
        json_u64(j, us[i]);
    }
    json_close(j, '}');
}

static void put_unlocks(const struct unlocks_summary *u, struct json *j)
{
    json_name(j, "unlocks");
    json_open(j, '{');
    json_name(j, "window_s");
    json_i64(j, UNLOCKS_WINDOW_MS / 1000);
    json_name(j, "count");
    json_u64(j, u->count);
    put_percentiles("server_us", u->server_us, j);
    put_percentiles("device_us", u->device_us, j);
    put_percentiles("total_us", u->total_us, j);
    json_close(j, '}');
}

static void alert(struct json *j, const char *code, const char *level, uint64_t count)
{
    if (!count) return;
    json_open(j, '{');
    json_name(j, "code");
    json_literal(j, code);
    json_name(j, "level");
    json_literal(j, level);
    json_name(j, "count");
    json_u64(j, count);
    json_close(j, '}');
}

static void put_alerts(const struct street_figures *f, const struct street_counts *c, struct json *j)
{
    uint32_t silent = c->vehicles[VEHICLE_NON_CONTACTABLE] + c->vehicles[VEHICLE_MISSING];
    uint32_t street = sum_of(c->vehicles, VEHICLE_STATE_N) - c->vehicles[VEHICLE_REMOVED];
    json_name(j, "alerts");
    json_open(j, '[');
    if (f->age_ms > AGE_ALERT_MS) alert(j, "view_old_ms", "critical", (uint64_t)f->age_ms);
    alert(j, "vehicles_silent", silent > street / SILENT_ALERT_PART ? "critical" : "notice", silent);
    alert(j, "unlocked_no_ride", "warning", c->suspect);
    if (f->unlocks.total_us[1] > SLOW_UNLOCK_US) alert(j, "unlocks_slow_ms", "warning", f->unlocks.total_us[1] / 1000);
    alert(j, "battery_low", "notice", c->battery_low);
    alert(j, "no_position", "notice", c->no_fix);
    json_close(j, ']');
}

void street_json_stats(const struct snapshot *s, const struct street_figures *f, struct json *j)
{
    struct street_counts sum = {0};
    int64_t day = f->now_ms / STREET_DAY_MS;
    for (uint32_t i = 0; i <= s->city_count; i++) {
        if (in_scope(s, i, f)) add_counts(&sum, &s->counts[i], day);
    }
    json_open(j, '{');
    json_name(j, "city");
    if (f->city == STREET_NONE) json_null(j);
    else json_text(j, text_bytes(&s->cities[f->city].code));
    json_name(j, "now_ms");
    json_i64(j, f->now_ms);
    put_vehicles(&sum, j);
    put_today(s, f, &sum, day, j);
    put_unlocks(&f->unlocks, j);
    put_alerts(f, &sum, j);
    json_name(j, "as_of_seq");
    json_u64(j, s->seq);
    json_close(j, '}');
}

/* ---- described ---- */

/* clang-format off */
#define CURRENCY {"currency", MEMBER_TEXT, 0, NULL, NULL, "ISO 4217"},                                      \
                 {"decimals", MEMBER_WHOLE, 0, NULL, NULL, "decimals of the currency: 0, 2 or 3"}
#define PRICES(maybe) {"unlock_minor", MEMBER_WHOLE, maybe, NULL, NULL, "price of the unlock"},             \
               {"minute_minor", MEMBER_WHOLE, maybe, NULL, NULL, "price of a started minute"}

static const struct member near_vehicle_members[] = {
    {"code", MEMBER_TEXT, 0, NULL, NULL, "the public code printed on it"},
    {"vehicle_type", MEMBER_TEXT, MEMBER_NULL, NULL, NULL, "code of its type"},
    {"motor", MEMBER_BOOL, 0, NULL, NULL, "has a motor"},
    {"lat", MEMBER_DECIMAL, 0, NULL, NULL, "last good position"},
    {"lon", MEMBER_DECIMAL, 0, NULL, NULL, "last good position"},
    {"battery_pct", MEMBER_WHOLE, MEMBER_NULL, NULL, NULL, "charge of its battery; null: never reported"},
    {"distance_m", MEMBER_WHOLE, 0, NULL, NULL, "from the place asked for"},
    PRICES(0), CURRENCY,
};
static const struct schema schema_near_vehicle = {"NearVehicle", "A vehicle that may be rented", NULL,
                                                  SCHEMA_MEMBERS(near_vehicle_members), false};
static const struct member near_members[] = {
    {"vehicles", MEMBER_LIST, 0, NULL, &schema_near_vehicle, "nearest first"}, AS_OF_SEQ,
};
const struct schema answer_near = {"NearAnswer", "Vehicles near by", NULL, SCHEMA_MEMBERS(near_members), false};

#define MAP_ROWS {"columns", MEMBER_TEXTS, 0, NULL, NULL, "names of a row's values, in order; times in ms since 1970 UTC"}, \
                 {"rows", MEMBER_ROWS, 0, NULL, NULL, "a vehicle each"}
static const struct member map_members[] = {
    {"now_ms", MEMBER_TIME, 0, NULL, NULL, "server time of the answer"},
    MAP_ROWS,
    {"next", MEMBER_TEXT, MEMBER_NULL, NULL, NULL, "cursor of the page behind; null: this is the last"},
    AS_OF_SEQ,
};
const struct schema answer_map = {"MapAnswer", "Vehicles of a part of the map", NULL, SCHEMA_MEMBERS(map_members), false};

static const struct member map_live_members[] = {
    {"now_ms", MEMBER_TIME, 0, NULL, NULL, "server time of the message"},
    MAP_ROWS,
    {"gone", MEMBER_TEXTS, 0, NULL, NULL, "codes of vehicles that are no longer in the box"},
    AS_OF_SEQ,
};
const struct schema answer_map_live = {"MapRows", "Vehicles that changed", NULL, SCHEMA_MEMBERS(map_live_members), true};

static const struct member offer_members[] = {
    {"rentable", MEMBER_BOOL, 0, NULL, NULL, "a ride may start now"},
    {"refusal", MEMBER_TERM, MEMBER_NULL, &error_names, NULL, "what starting a ride would be refused with"},
    {"vehicle_type", MEMBER_TEXT, MEMBER_NULL, NULL, NULL, "code of its type"},
    {"vehicle_type_name", MEMBER_TEXT, MEMBER_NULL, NULL, NULL, "name for people"},
    {"motor", MEMBER_BOOL, 0, NULL, NULL, "has a motor"},
    PRICES(MEMBER_MAYBE),
    {"currency", MEMBER_TEXT, MEMBER_MAYBE, NULL, NULL, "ISO 4217; absent with the prices where there are none"},
    {"decimals", MEMBER_WHOLE, MEMBER_MAYBE, NULL, NULL, "decimals of the currency: 0, 2 or 3"},
};
const struct schema schema_offer = {"Offer", "What renting a vehicle means", NULL, SCHEMA_MEMBERS(offer_members), false};

static const struct member revenue_members[] = {
    CURRENCY, {"minor", MEMBER_WHOLE, 0, NULL, NULL, "sum of its charges, in the smallest coin"},
};
static const struct schema schema_revenue = {"Revenue", "What rides cost, in one currency", NULL,
                                             SCHEMA_MEMBERS(revenue_members), true};
static const struct member today_members[] = {
    {"begins_ms", MEMBER_TIME, 0, NULL, NULL, "when the day began"},
    {"time_zone", MEMBER_TEXT, 0, NULL, NULL, "whose midnight: UTC until cities have days of their own"},
    {"rides", MEMBER_WHOLE, 0, NULL, NULL, "rides that ended and were charged"},
    {"minutes", MEMBER_WHOLE, 0, NULL, NULL, "their started minutes"},
    {"revenue", MEMBER_LIST, 0, NULL, &schema_revenue, "a currency each"},
};
static const struct schema schema_today = {"Today", "The day so far", NULL, SCHEMA_MEMBERS(today_members), true};
static const struct member unlock_members[] = {
    {"window_s", MEMBER_WHOLE, 0, NULL, NULL, "how far back"},
    {"count", MEMBER_WHOLE, 0, NULL, NULL, "unlocks since then, since the process began at most"},
    {"server_us", MEMBER_COUNTS, 0, NULL, NULL, "p50, p95 and p99 of the server's share"},
    {"device_us", MEMBER_COUNTS, 0, NULL, NULL, "the same of the vehicle's and its radio's"},
    {"total_us", MEMBER_COUNTS, 0, NULL, NULL, "the same of the whole wait"},
};
static const struct schema schema_unlocks = {"Unlocks", "How long riders waited for their vehicle to open", NULL,
                                             SCHEMA_MEMBERS(unlock_members), true};
static const struct member alert_members[] = {
    {"code", MEMBER_TEXT, 0, NULL, NULL,
     "view_old_ms, vehicles_silent, unlocked_no_ride, unlocks_slow_ms, battery_low or no_position"},
    {"level", MEMBER_TEXT, 0, NULL, NULL, "critical, warning or notice"},
    {"count", MEMBER_WHOLE, 0, NULL, NULL, "how many, or how much"},
};
static const struct schema schema_alert = {"Alert", "Something to look at", NULL, SCHEMA_MEMBERS(alert_members), true};
static const struct member stats_members[] = {
    {"city", MEMBER_TEXT, MEMBER_NULL, NULL, NULL, "the city that it is about; null: all"},
    {"now_ms", MEMBER_TIME, 0, NULL, NULL, "server time of the answer"},
    {"vehicles", MEMBER_WHOLE, 0, NULL, NULL, "all of them"},
    {"vehicles_by_state", MEMBER_COUNTS, 0, NULL, NULL, "by MDS state"},
    {"rentable", MEMBER_WHOLE, 0, NULL, NULL, "a ride may start on so many"},
    {"disconnected", MEMBER_WHOLE, 0, NULL, NULL, "in the street without a connection"},
    {"battery_low", MEMBER_WHOLE, 0, NULL, NULL, "in the street with too little charge for a ride"},
    {"open_rides", MEMBER_WHOLE, 0, NULL, NULL, "rides not over"},
    {"rides_by_state", MEMBER_COUNTS, 0, NULL, NULL, "of those"},
    {"today", MEMBER_OBJECT, 0, NULL, &schema_today, "the day so far"},
    {"unlocks", MEMBER_OBJECT, 0, NULL, &schema_unlocks, "the last quarter of an hour"},
    {"alerts", MEMBER_LIST, 0, NULL, &schema_alert, "worst first"},
    AS_OF_SEQ,
};
const struct schema answer_stats = {"StatsAnswer", "The control room's counters", NULL, SCHEMA_MEMBERS(stats_members), true};
/* clang-format on */
