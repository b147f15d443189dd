/* SPDX-License-Identifier: Apache-2.0 */
#include "street/mirror.h"

#include <string.h>

#include "base/must.h"
#include "engine/ready.h"

#define POINT_NONE UINT32_MAX
#define PRICE_UNKNOWN (STREET_NONE - 1)

/* ---- memory ---- */

static uint32_t codes_max(const struct mirror_limits *l) { return 2 * l->vehicles_max; }

static size_t owing_need(uint32_t max) { return arena_need(max * sizeof(uint32_t)) + arena_need(max); }

static struct owing owing_of(struct arena *a, uint32_t max)
{
    struct owing o = {.places = arena_take(a, max * sizeof(uint32_t))};
    o.marked = arena_take(a, max);
    return o;
}

static void owe(struct owing *o, uint32_t place)
{
    if (o->marked[place]) return;
    o->marked[place] = 1;
    o->places[o->count++] = place;
}

size_t mirror_need(const struct mirror_limits *l)
{
    uint32_t v = l->vehicles_max, r = l->rides_max, c = codes_max(l);
    return 2 * map_need(v) + map_need(r) + map_need(c) + arena_need(STREET_ENTITIES_MAX * sizeof(struct change_entity)) +
           arena_need(STREET_CITIES_MAX * sizeof(struct change_city)) +
           arena_need(STREET_TYPES_MAX * sizeof(struct change_type)) + arena_need(STREET_PLANS_MAX * sizeof(struct plan)) +
           arena_need(v * sizeof(struct change_vehicle)) + arena_need(v * sizeof(struct change_device)) +
           arena_need(r * sizeof(struct change_ride)) + arena_need(c * sizeof(struct change_code)) +
           arena_need(r * sizeof(uint32_t)) + owing_need(v) + arena_need(v * sizeof(struct street_vehicle)) +
           2 * arena_need(v * sizeof(struct grid_point)) + arena_need((STREET_CITIES_MAX + 1) * sizeof(struct street_counts)) +
           arena_need(STREET_CITIES_MAX * STREET_TYPES_MAX * sizeof(uint16_t)) + grid_scratch_need(v);
}

void mirror_init(struct mirror *m, struct arena *a, const struct mirror_limits *l, struct hash_key key)
{
    uint32_t v = l->vehicles_max, r = l->rides_max, c = codes_max(l);
    *m = (struct mirror){.limits = *l, .key = key};
    map_init(&m->vehicle_of, a, v);
    map_init(&m->device_of, a, v);
    map_init(&m->ride_of, a, r);
    map_init(&m->code_of, a, c);
    m->entities = arena_take(a, STREET_ENTITIES_MAX * sizeof *m->entities);
    m->cities = arena_take(a, STREET_CITIES_MAX * sizeof *m->cities);
    m->types = arena_take(a, STREET_TYPES_MAX * sizeof *m->types);
    m->plans = arena_take(a, STREET_PLANS_MAX * sizeof *m->plans);
    m->vehicles = arena_take(a, v * sizeof *m->vehicles);
    m->devices = arena_take(a, v * sizeof *m->devices);
    m->rides = arena_take(a, r * sizeof *m->rides);
    m->codes = arena_take(a, c * sizeof *m->codes);
    m->free_rides = arena_take(a, r * sizeof *m->free_rides);
    m->touched = owing_of(a, v);
    m->rows = arena_take(a, v * sizeof *m->rows);
    m->points = arena_take(a, v * sizeof *m->points);
    m->standing = arena_take(a, v * sizeof *m->standing);
    m->counts = arena_take(a, (STREET_CITIES_MAX + 1) * sizeof *m->counts);
    m->price_of = arena_take(a, STREET_CITIES_MAX * STREET_TYPES_MAX * sizeof *m->price_of);
    grid_scratch_init(&m->scratch, a, v);
    m->settings_version = m->codes_version = m->points_version = 1;
}

size_t snapshot_need(const struct mirror_limits *l)
{
    uint32_t v = l->vehicles_max, c = codes_max(l);
    return arena_need(v * sizeof(struct street_vehicle)) + arena_need(STREET_TYPES_MAX * sizeof(struct street_type)) +
           arena_need(STREET_CITIES_MAX * sizeof(struct street_city)) +
           arena_need(STREET_PLANS_MAX * sizeof(struct street_price)) +
           arena_need((STREET_CITIES_MAX + 1) * sizeof(struct street_counts)) + grid_need(v) + map_need(c) +
           arena_need(c * sizeof(struct snapshot_code)) + owing_need(v);
}

void snapshot_init(struct snapshot_state *to, struct arena *a, const struct mirror *m)
{
    uint32_t v = m->limits.vehicles_max, c = codes_max(&m->limits);
    *to = (struct snapshot_state){.s = {.key = m->key}};
    struct snapshot *s = &to->s;
    s->vehicles = arena_take(a, v * sizeof *s->vehicles);
    s->types = arena_take(a, STREET_TYPES_MAX * sizeof *s->types);
    s->cities = arena_take(a, STREET_CITIES_MAX * sizeof *s->cities);
    s->prices = arena_take(a, STREET_PLANS_MAX * sizeof *s->prices);
    s->counts = arena_take(a, (STREET_CITIES_MAX + 1) * sizeof *s->counts);
    grid_init(&s->grid, a, v);
    map_init(&s->by_code, a, c);
    s->codes = arena_take(a, c * sizeof *s->codes);
    to->rows = owing_of(a, v);
}

/* ---- changes in ---- */

/* Place of an id in a short table of rows that begin with it, or `count`. */
static uint32_t place_of(const void *rows, size_t size, uint32_t count, uint64_t id)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t there;
        memcpy(&there, (const uint8_t *)rows + i * size, sizeof there);
        if (there == id) return i;
    }
    return count;
}

static void set_row(struct mirror *m, void *rows, size_t size, uint32_t *count, uint32_t max, const void *row)
{
    uint64_t id;
    memcpy(&id, row, sizeof id);
    uint32_t i = place_of(rows, size, *count, id);
    if (i == max) {
        m->left_out++;
        return;
    }
    if (i == *count) ++*count;
    memcpy((uint8_t *)rows + i * size, row, size);
    m->settings_version++;
    for (uint32_t place = 0; place < m->vehicle_count; place++) owe(&m->touched, place);
}

/* Place of a row in a large table, a new one when it is new; MAP_NONE when there is no room. */
static uint32_t place_for(struct mirror *m, struct map *map, uint64_t id, uint32_t *count)
{
    uint32_t place = map_find(map, id, NULL, NULL);
    if (place != MAP_NONE) return place;
    if (map_put(map, id, *count).code) {
        m->left_out++;
        return MAP_NONE;
    }
    return (*count)++;
}

static void touch_vehicle(struct mirror *m, uint64_t id)
{
    uint32_t place = id ? map_find(&m->vehicle_of, id, NULL, NULL) : MAP_NONE;
    if (place != MAP_NONE) owe(&m->touched, place);
}

static void apply_vehicle(struct mirror *m, const struct change_vehicle *c, bool gone)
{
    uint32_t before = m->vehicle_count, place = place_for(m, &m->vehicle_of, c->id, &m->vehicle_count);
    if (place == MAP_NONE) return;
    if (m->vehicle_count > before) m->points[place].tag = POINT_NONE;
    m->vehicles[place] = *c;
    if (gone) m->vehicles[place].id = 0;
    owe(&m->touched, place);
}

static void apply_device(struct mirror *m, const struct change_device *c)
{
    uint32_t place = place_for(m, &m->device_of, c->id, &m->device_count);
    if (place == MAP_NONE) return;
    touch_vehicle(m, m->devices[place].vehicle_id); /* it may have been taken off that one */
    m->devices[place] = *c;
    touch_vehicle(m, c->vehicle_id);
}

static void apply_code(struct mirror *m, const struct change_code *c, bool gone)
{
    uint32_t place = place_for(m, &m->code_of, c->id, &m->code_count);
    if (place == MAP_NONE) return;
    m->codes[place] = *c;
    if (gone) m->codes[place].vehicle_id = 0;
    m->codes_version++;
}

static struct street_counts *counts_of(struct mirror *m, uint64_t city_id)
{
    uint32_t i = place_of(m->cities, sizeof *m->cities, m->city_count, city_id);
    return &m->counts[i < m->city_count ? i : STREET_CITIES_MAX];
}

static void add_day(struct street_counts *to, int64_t day, uint32_t rides, uint32_t minutes, int64_t minor)
{
    if (day < to->day) return; /* ended before midnight, told after it */
    if (day > to->day) {
        to->day = day;
        to->day_rides = to->day_minutes = 0;
        to->day_minor = 0;
    }
    to->day_rides += rides;
    to->day_minutes += minutes;
    to->day_minor += minor;
}

static bool ride_over(uint8_t state)
{
    return state == RIDE_SETTLED || state == RIDE_FAILED || state == RIDE_CANCELLED;
}

static void apply_ride(struct mirror *m, const struct change_ride *c, bool gone, enum mirror_apply how)
{
    uint32_t place = map_find(&m->ride_of, c->id, NULL, NULL);
    bool leaves = gone || !c->resident;
    struct street_counts *counts = counts_of(m, c->city_id);
    bool was_over = how == MIRROR_SEED;
    if (place != MAP_NONE) {
        uint8_t before = m->rides[place].state;
        was_over = ride_over(before);
        if (!was_over) counts->rides[before]--;
    } else if (leaves) {
        return; /* let go of what was over before the mirror began */
    } else {
        if (!m->free_ride_count && m->ride_top == m->limits.rides_max) {
            m->left_out++;
            return;
        }
        place = m->free_ride_count ? m->free_rides[--m->free_ride_count] : m->ride_top++;
        struct err e = map_put(&m->ride_of, c->id, place);
        must(!e.code);
    }
    m->rides[place] = *c;
    if (!ride_over(c->state)) counts->rides[c->state]++;
    if (c->state == RIDE_SETTLED && !was_over) add_day(counts, c->ended_ms / STREET_DAY_MS, 1, c->minutes, c->charge_minor);
    if (!leaves) return;
    if (!ride_over(c->state)) counts->rides[c->state]--;
    map_remove(&m->ride_of, c->id, place);
    m->free_rides[m->free_ride_count++] = place;
}

void mirror_apply(struct mirror *m, const struct street_change *c, enum mirror_apply how)
{
#define SET(rows, member, max) set_row(m, m->rows, sizeof *m->rows, &m->member##_count, max, &c->member)
    switch ((enum row_kind)c->kind) {
    case ROW_LEGAL_ENTITY: SET(entities, entity, STREET_ENTITIES_MAX); break;
    case ROW_CITY: SET(cities, city, STREET_CITIES_MAX); break;
    case ROW_VEHICLE_TYPE: SET(types, type, STREET_TYPES_MAX); break;
    case ROW_PLAN: SET(plans, plan, STREET_PLANS_MAX); break;
    case ROW_VEHICLE: apply_vehicle(m, &c->vehicle, c->gone); break;
    case ROW_PUBLIC_CODE: apply_code(m, &c->code, c->gone); break;
    case ROW_DEVICE: apply_device(m, &c->device); break;
    case ROW_RIDE: apply_ride(m, &c->ride, c->gone, how); break;
    default: must(!"the street does not look at such rows");
    }
#undef SET
}

void mirror_add_day(struct mirror *m, uint64_t city_id, int64_t day, const struct street_counts *add)
{
    add_day(counts_of(m, city_id), day, add->day_rides, add->day_minutes, add->day_minor);
}

/* ---- rows ---- */

static uint16_t price_for(struct mirror *m, uint32_t city, uint32_t type)
{
    uint16_t *known = &m->price_of[city * STREET_TYPES_MAX + type];
    if (*known != PRICE_UNKNOWN) return *known;
    const struct plan *best = NULL;
    for (uint32_t i = 0; i < m->plan_count; i++) {
        if (ready_plan_fits(&m->plans[i], best, m->cities[city].id, m->types[type].id)) best = &m->plans[i];
    }
    *known = best ? (uint16_t)(best - m->plans) : STREET_NONE;
    return *known;
}

/* Prices depend on settings only: they are looked for anew when those changed. */
static void forget_prices(struct mirror *m)
{
    for (uint32_t city = 0; city < m->city_count; city++) {
        for (uint32_t type = 0; type < m->type_count; type++) m->price_of[city * STREET_TYPES_MAX + type] = PRICE_UNKNOWN;
    }
}

static void add_device(struct street_vehicle *row, const struct change_device *d)
{
    row->at = d->at;
    row->seen_ms = d->seen_ms;
    row->fix_ms = d->fix_ms;
    row->speed_dmh = d->speed_dmh;
    row->lock_state = d->lock_state;
    row->battery_pct = d->battery_pct;
    row->has_fix = d->has_fix;
    row->has_battery = d->has_battery;
    row->connected = d->connected;
    row->charging = d->charging;
}

static enum err_code refusal_of(const struct street_vehicle *row, const struct change_vehicle *v, const struct change_type *t,
                                int64_t now_ms)
{
    struct ready r = {.state = v->state, .cause = v->cause, .taken = v->taken, .busy = v->busy,
                      .charge_counts = t && t->motor && row->has_battery, .battery_pct = row->battery_pct,
                      .battery_min_pct = t ? t->battery_min_pct : 0, .lock_state = row->lock_state, .seen_ms = row->seen_ms,
                      .silence_ms = ready_silence_ms(t ? t->heartbeat_ms : 0)};
    enum err_code code = ready_to_ride(&r, now_ms);
    if (code) return code;
    if (v->suspect) return ERR_VEHICLE_NOT_AVAILABLE;
    return row->price == STREET_NONE ? ERR_PLAN_UNKNOWN : ERR_OK;
}

static void make_row(struct mirror *m, uint32_t place, int64_t now_ms, struct street_vehicle *row)
{
    const struct change_vehicle *v = &m->vehicles[place];
    memset(row, 0, sizeof *row); /* padding too: rows are compared whole */
    if (!v->id) return;
    uint32_t type = place_of(m->types, sizeof *m->types, m->type_count, v->type_id);
    uint32_t city = place_of(m->cities, sizeof *m->cities, m->city_count, v->city_id);
    const struct change_type *t = type < m->type_count ? &m->types[type] : NULL;
    row->id = v->id;
    row->uuid = v->uuid;
    row->code = v->code;
    row->state_ms = v->state_ms;
    row->state = v->state;
    row->cause = v->cause;
    row->suspect = v->suspect;
    row->taken = v->taken;
    row->type = t ? (uint16_t)type : STREET_NONE;
    row->city = city < m->city_count ? (uint16_t)city : STREET_NONE;
    row->price = t && city < m->city_count ? price_for(m, city, type) : STREET_NONE;
    uint32_t device = v->device_id ? map_find(&m->device_of, v->device_id, NULL, NULL) : MAP_NONE;
    if (device != MAP_NONE) add_device(row, &m->devices[device]);
    row->low = t && t->motor && row->has_battery && row->battery_pct < t->battery_min_pct;
    row->silent_ms = row->seen_ms + ready_silence_ms(t ? t->heartbeat_ms : 0);
    row->refusal = (uint8_t)refusal_of(row, v, t, now_ms);
}

static void count_row(struct mirror *m, const struct street_vehicle *row, uint32_t by)
{
    if (!row->id) return;
    struct street_counts *c = &m->counts[row->city == STREET_NONE ? STREET_CITIES_MAX : row->city];
    bool street = row->state != VEHICLE_REMOVED;
    c->vehicles[row->state < VEHICLE_STATE_N ? row->state : 0] += by;
    if (row->refusal == ERR_OK) c->rentable += by;
    if (street && !row->connected) c->disconnected += by;
    if (street && row->low) c->battery_low += by;
    if (row->suspect) c->suspect += by;
    if (street && !row->has_fix) c->no_fix += by;
}

static void set_point(struct mirror *m, uint32_t place, const struct street_vehicle *row)
{
    struct grid_point point = {row->at, POINT_NONE};
    if (row->id && row->has_fix && point_valid(row->at)) point.tag = place | (row->refusal == ERR_OK ? STREET_RENTABLE : 0);
    if (memcmp(&point, &m->points[place], sizeof point) == 0) return;
    m->points[place] = point;
    m->points_version++;
}

void mirror_settle(struct mirror *m, uint64_t seq, int64_t now_ms, struct snapshot_state *const *snapshots, unsigned count)
{
    bool settings = false;
    for (unsigned n = 0; n < count; n++) settings = settings || snapshots[n]->settings_version != m->settings_version;
    if (settings) forget_prices(m);
    for (uint32_t i = 0; i < m->touched.count; i++) {
        uint32_t place = m->touched.places[i];
        struct street_vehicle row, *before = &m->rows[place];
        m->touched.marked[place] = 0;
        make_row(m, place, now_ms, &row);
        row.changed_seq = before->changed_seq;
        if (memcmp(&row, before, sizeof row) == 0) continue;
        row.changed_seq = seq;
        count_row(m, before, (uint32_t)-1);
        count_row(m, &row, 1);
        *before = row;
        set_point(m, place, &row);
        for (unsigned n = 0; n < count; n++) owe(&snapshots[n]->rows, place);
    }
    m->touched.count = 0;
}

/* ---- copying out ---- */

static const struct change_entity *entity_of(const struct mirror *m, uint64_t id)
{
    uint32_t i = place_of(m->entities, sizeof *m->entities, m->entity_count, id);
    return i < m->entity_count ? &m->entities[i] : NULL;
}

static void copy_settings(const struct mirror *m, struct snapshot *s)
{
    s->type_count = m->type_count;
    s->city_count = m->city_count;
    s->price_count = m->plan_count;
    for (uint32_t i = 0; i < m->type_count; i++) {
        const struct change_type *t = &m->types[i];
        s->types[i] = (struct street_type){t->code, t->name, t->battery_min_pct, t->motor};
    }
    for (uint32_t i = 0; i < m->city_count; i++) {
        const struct change_city *c = &m->cities[i];
        const struct change_entity *e = entity_of(m, c->entity_id);
        s->cities[i] = (struct street_city){.id = c->id, .code = c->code,
                                             .name = c->name, .time_zone = c->time_zone, .at = c->at};
        if (!e) continue;
        s->cities[i].currency = e->currency;
        s->cities[i].decimals = e->decimals;
    }
    for (uint32_t i = 0; i < m->plan_count; i++) {
        const struct plan *p = &m->plans[i];
        uint32_t city = place_of(m->cities, sizeof *m->cities, m->city_count, p->city_id);
        s->prices[i] = (struct street_price){.unlock_minor = p->unlock_minor, .minute_minor = p->minute_minor};
        if (city == m->city_count) continue;
        s->prices[i].currency = s->cities[city].currency;
        s->prices[i].decimals = s->cities[city].decimals;
    }
}

static void copy_codes(const struct mirror *m, struct snapshot *s)
{
    map_clear(&s->by_code);
    s->code_count = 0;
    for (uint32_t i = 0; i < m->code_count; i++) {
        const struct change_code *c = &m->codes[i];
        uint32_t vehicle = c->vehicle_id ? map_find(&m->vehicle_of, c->vehicle_id, NULL, NULL) : MAP_NONE;
        if (vehicle == MAP_NONE) continue;
        struct err e = map_put(&s->by_code, hash_bytes(s->key, text_bytes(&c->code)), s->code_count);
        must(!e.code);
        s->codes[s->code_count++] = (struct snapshot_code){c->code, vehicle};
    }
}

void mirror_copy(struct mirror *m, struct snapshot_state *to)
{
    struct snapshot *s = &to->s;
    s->vehicle_count = m->vehicle_count;
    for (uint32_t i = 0; i < to->rows.count; i++) {
        uint32_t place = to->rows.places[i];
        to->rows.marked[place] = 0;
        s->vehicles[place] = m->rows[place];
    }
    to->rows.count = 0;
    if (to->settings_version != m->settings_version) copy_settings(m, s);
    if (to->codes_version != m->codes_version) copy_codes(m, s);
    if (to->points_version != m->points_version) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < m->vehicle_count; i++) {
            if (m->points[i].tag != POINT_NONE) m->standing[count++] = m->points[i];
        }
        grid_build(&s->grid, &m->scratch, m->standing, count);
    }
    memcpy(s->counts, m->counts, m->city_count * sizeof *s->counts);
    s->counts[m->city_count] = m->counts[STREET_CITIES_MAX];
    to->settings_version = m->settings_version;
    to->codes_version = m->codes_version;
    to->points_version = m->points_version;
}
