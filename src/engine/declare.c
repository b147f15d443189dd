/* SPDX-License-Identifier: Apache-2.0 */
/* declare.c: settings of an operator: what exists and what it costs. Each is made when new and changed when known;
 * declaring the same again changes nothing. */
#include "engine/ask.h"

#define PRICE_MAX_MINOR 1000000
#define RIDE_LONGEST_MS (30 * 24 * HOUR_MS)

/* The few settings rows are found by walking: there are hundreds, and they are declared, not looked up in rides. */
#define FIND_BY_CODE(name, KIND, tag)                                                              \
    static const struct tag *name(const struct engine *e, const struct text32 *code)               \
    {                                                                                              \
        const struct pool *p = &e->pools[KIND];                                                    \
        for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {   \
            const struct tag *row = pool_row(p, slot);                                             \
            if (text_equal(&row->code, code)) return row;                                          \
        }                                                                                          \
        return NULL;                                                                               \
    }
FIND_BY_CODE(entity_find, ROW_LEGAL_ENTITY, legal_entity)
FIND_BY_CODE(type_find, ROW_VEHICLE_TYPE, vehicle_type)
FIND_BY_CODE(plan_find, ROW_PLAN, plan)
FIND_BY_CODE(city_by_code, ROW_CITY, city)

const struct city *city_find(const struct engine *e, const struct text32 *code)
{
    return city_by_code(e, code);
}

static void registered(struct engine *e, const struct vehicle *v, struct bytes code)
{
    struct event *ev = event_begin(e, EVENT_REGISTERED);
    event_about(ev, v, NULL, NULL);
    text_clip(&ev->code, code);
    event_end(e, ev);
}

static void operator_set(struct engine *e, const struct fact_operator_set *f)
{
    e->self->name = f->name;
    reply_row(e, ROW_PARTITION, e->self->id, e->self->uuid);
}

static void legal_entity_set(struct engine *e, const struct fact_legal_entity_set *f)
{
    const struct legal_entity *known = entity_find(e, &f->code);
    bool decimals_ok = f->decimals == 0 || f->decimals == 2 || f->decimals == 3;
    /* What is in the books was written in these. */
    bool same_books = !known || (text_equal(&known->currency, &f->currency) && known->decimals == f->decimals);
    if (!f->code.len || f->currency.len != 3 || !decimals_ok || !same_books) {
        reply_err(e, ERR_INVALID);
        return;
    }
    struct legal_entity *row = known ? EDIT(e, LEGAL_ENTITY, legal_entity, known->id) : add_row(e, ROW_LEGAL_ENTITY);
    if (!row) {
        reply_err(e, ERR_FULL);
        return;
    }
    if (!known) {
        row->uuid = new_uuid(e);
        row->code = f->code;
        row->currency = f->currency;
        row->decimals = f->decimals;
        registered(e, NULL, text_bytes(&f->code));
    }
    row->name = f->name;
    reply_row(e, ROW_LEGAL_ENTITY, row->id, row->uuid);
}

static void city_set(struct engine *e, const struct fact_city_set *f)
{
    const struct legal_entity *entity = entity_find(e, &f->entity);
    const struct city *known = city_find(e, &f->code);
    bool longest_ok = f->ride_max_ms >= 0 && f->ride_max_ms <= RIDE_LONGEST_MS;
    if (!entity || !f->code.len || !longest_ok || (known && known->entity_id != entity->id)) {
        reply_err(e, entity ? ERR_INVALID : ERR_ENTITY_UNKNOWN);
        return;
    }
    struct city *row = known ? EDIT(e, CITY, city, known->id) : add_row(e, ROW_CITY);
    if (!row) {
        reply_err(e, ERR_FULL);
        return;
    }
    if (!known) {
        row->uuid = new_uuid(e);
        row->code = f->code;
        row->entity_id = entity->id;
        registered(e, NULL, text_bytes(&f->code));
    }
    row->name = f->name;
    row->time_zone = f->time_zone;
    row->lat_e7 = f->lat_e7;
    row->lon_e7 = f->lon_e7;
    row->radius_m = f->radius_m;
    row->ride_max_ms = f->ride_max_ms;
    reply_row(e, ROW_CITY, row->id, row->uuid);
}

/* How long a device may be silent follows from the type: a shorter time holds at once, or a timer that was set before
 * would fire later here than in a process that loaded the same rows. */
static void heartbeat_changed(struct engine *e, const struct vehicle_type *t)
{
    const struct pool *p = &e->pools[ROW_DEVICE];
    for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
        const struct device *d = pool_row(p, slot);
        const struct vehicle *v = ROW(e, VEHICLE, vehicle, d->vehicle_id);
        if (v && v->type_id == t->id) timer_touch(e, ROW_DEVICE, d);
    }
}

static void vehicle_type_set(struct engine *e, const struct fact_vehicle_type_set *f)
{
    const struct vehicle_type *known = type_find(e, &f->code);
    bool heartbeat_ok = !f->heartbeat_ms || (f->heartbeat_ms >= 1000 && f->heartbeat_ms <= 24 * HOUR_MS);
    if (!f->code.len || !heartbeat_ok || f->battery_min_pct > 95) {
        reply_err(e, ERR_INVALID);
        return;
    }
    struct vehicle_type *row = known ? EDIT(e, VEHICLE_TYPE, vehicle_type, known->id) : add_row(e, ROW_VEHICLE_TYPE);
    if (!row) {
        reply_err(e, ERR_FULL);
        return;
    }
    if (!known) {
        row->uuid = new_uuid(e);
        row->code = f->code;
        registered(e, NULL, text_bytes(&f->code));
    }
    row->name = f->name;
    row->battery_min_pct = f->battery_min_pct;
    row->motor = f->motor;
    bool other = row->heartbeat_ms != f->heartbeat_ms;
    row->heartbeat_ms = f->heartbeat_ms;
    if (other) heartbeat_changed(e, row);
    reply_row(e, ROW_VEHICLE_TYPE, row->id, row->uuid);
}

static void plan_set(struct engine *e, const struct fact_plan_set *f)
{
    const struct city *city = city_find(e, &f->city);
    const struct vehicle_type *type = f->vehicle_type.len ? type_find(e, &f->vehicle_type) : NULL;
    const struct plan *known = plan_find(e, &f->code);
    bool prices_ok = f->unlock_minor >= 0 && f->unlock_minor <= PRICE_MAX_MINOR && f->minute_minor >= 0 &&
                     f->minute_minor <= PRICE_MAX_MINOR;
    if (!city || (f->vehicle_type.len && !type) || !f->code.len || !prices_ok) {
        reply_err(e, !city ? ERR_CITY_UNKNOWN : f->vehicle_type.len && !type ? ERR_TYPE_UNKNOWN : ERR_INVALID);
        return;
    }
    struct plan *row = known ? EDIT(e, PLAN, plan, known->id) : add_row(e, ROW_PLAN);
    if (!row) {
        reply_err(e, ERR_FULL);
        return;
    }
    if (!known) {
        row->uuid = new_uuid(e);
        row->code = f->code;
        registered(e, NULL, text_bytes(&f->code));
    }
    bool same = row->version && row->unlock_minor == f->unlock_minor && row->minute_minor == f->minute_minor;
    row->name = f->name;
    row->city_id = city->id;
    row->type_id = type ? type->id : 0;
    row->unlock_minor = f->unlock_minor;
    row->minute_minor = f->minute_minor;
    if (!same) row->version++;
    reply_row(e, ROW_PLAN, row->id, row->uuid);
}

/* ---- vehicles and their devices ---- */

static bool add_code(struct engine *e, const struct vehicle *v, const struct text16 *code)
{
    struct public_code *row = add_row(e, ROW_PUBLIC_CODE);
    if (!row) return false;
    row->code = *code;
    row->vehicle_id = v->id;
    index_row(e, ROW_PUBLIC_CODE, row);
    return true;
}

static bool code_ok(const struct text16 *code)
{
    for (unsigned i = 0; i < code->len; i++) {
        char c = code->at[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!plain) return false;
    }
    return code->len > 0;
}

/* The device, made when new; NULL when full. */
static struct device *device_for(struct engine *e, uint8_t protocol, const struct text64 *ident)
{
    struct device *d = device_find(e, protocol, ident);
    if (d) return EDIT(e, DEVICE, device, d->id);
    d = add_row(e, ROW_DEVICE);
    if (!d) return NULL;
    d->protocol = protocol;
    d->ident = *ident;
    index_row(e, ROW_DEVICE, d);
    struct quarantine *q = quarantine_find(e, protocol, ident);
    if (q) {
        d->session = q->session;
        d->caps = q->caps;
        d->seen_ms = d->session ? q->last_ms : 0;
        unindex_row(e, ROW_QUARANTINE, q);
        pool_remove(&e->pools[ROW_QUARANTINE], pool_slot(&e->pools[ROW_QUARANTINE], q->id), true);
    }
    return d;
}

/* Everything that could refuse is asked before anything changes: a refused vehicle stays as it was. `v` NULL: new. */
static enum err_code device_fits(struct engine *e, const struct vehicle *v, const struct fact_vehicle_set *f)
{
    if (!f->protocol) return ERR_OK;
    if (!codec_by_protocol(f->protocol) || !f->ident.len) return ERR_INVALID;
    const struct device *d = device_find(e, f->protocol, &f->ident);
    if (d && d->vehicle_id && (!v || d->vehicle_id != v->id)) return ERR_DEVICE_TAKEN;
    bool swap = v && !(d && d->id == v->device_id);
    if (swap && (v->ride_id || !command_may_let_go(e, v))) return ERR_RIDE_OPEN; /* not under a rider or an order */
    return !d && e->pools[ROW_DEVICE].count >= e->pools[ROW_DEVICE].limit ? ERR_FULL : ERR_OK;
}

static void fit_device(struct engine *e, struct vehicle *v, const struct fact_vehicle_set *f)
{
    struct device *d = device_for(e, f->protocol, &f->ident);
    must(d);
    d->poisoned = false;
    if (d->id == v->device_id) return;
    command_let_go(e, v);
    struct device *old = EDIT(e, DEVICE, device, v->device_id);
    if (old) old->vehicle_id = 0;
    v->device_id = d->id;
    d->vehicle_id = v->id;
    d->silent = false; /* it may have fallen silent on another vehicle: this one is told, too */
    timer_touch(e, ROW_DEVICE, d);
}

static void place_vehicle(struct engine *e, struct vehicle *v, const struct city *city, const struct vehicle_type *type)
{
    bool other = v->type_id != type->id;
    v->city_id = city->id;
    v->type_id = type->id;
    if (other && v->device_id) timer_touch(e, ROW_DEVICE, ROW(e, DEVICE, device, v->device_id));
}

static enum err_code codes_fit(struct engine *e, const struct vehicle *v, const struct fact_vehicle_set *f)
{
    if (!code_ok(&f->code) || (f->add_code.len && !code_ok(&f->add_code))) return ERR_INVALID;
    const struct vehicle *holder = vehicle_find(e, text_bytes(&f->add_code));
    if (holder && holder != v) return ERR_CODE_TAKEN;
    uint32_t more = (v ? 0 : 1) + (f->add_code.len && !holder ? 1 : 0);
    return e->pools[ROW_PUBLIC_CODE].limit - e->pools[ROW_PUBLIC_CODE].count < more ? ERR_FULL : ERR_OK;
}

static enum err_code vehicle_fits(struct engine *e, const struct vehicle *v, const struct fact_vehicle_set *f,
                                  const struct city *city, const struct vehicle_type *type)
{
    enum err_code code = codes_fit(e, v, f);
    if (!code && !city) code = ERR_CITY_UNKNOWN;
    if (!code && !type) code = ERR_TYPE_UNKNOWN;
    if (!code && v && v->ride_id && (v->city_id != city->id || v->type_id != type->id)) code = ERR_RIDE_OPEN;
    if (!code) code = device_fits(e, v, f);
    if (!code && !v && e->pools[ROW_VEHICLE].count >= e->pools[ROW_VEHICLE].limit) code = ERR_FULL;
    return code;
}

static void vehicle_set(struct engine *e, const struct fact_vehicle_set *f)
{
    const struct vehicle *known = vehicle_find(e, text_bytes(&f->code));
    const struct city *city = city_find(e, &f->city);
    const struct vehicle_type *type = type_find(e, &f->vehicle_type);
    enum err_code code = vehicle_fits(e, known, f, city, type);
    if (code) {
        reply_err(e, code);
        return;
    }
    struct vehicle *v = known ? EDIT(e, VEHICLE, vehicle, known->id) : add_row(e, ROW_VEHICLE);
    must(v);
    if (!known) {
        /* A new vehicle is not in the street until somebody says that it was put there. */
        v->uuid = new_uuid(e);
        v->code = f->code;
        v->state = VEHICLE_REMOVED;
        v->state_ms = now_of(e);
        must(add_code(e, v, &f->code));
    }
    place_vehicle(e, v, city, type);
    if (!known) registered(e, v, text_bytes(&f->code));
    if (f->protocol) fit_device(e, v, f);
    if (f->add_code.len && !vehicle_find(e, text_bytes(&f->add_code))) must(add_code(e, v, &f->add_code));
    reply_row(e, ROW_VEHICLE, v->id, v->uuid);
}

/* ---- people ---- */

/* Blocked, or let in again: the open ride goes on. */
static void rider_changed(struct engine *e, const struct rider *r, struct uuid by)
{
    struct event *ev = event_begin(e, EVENT_RIDER_STATE);
    ev->rider = r->uuid;
    ev->actor = by;
    ev->city_id = r->city_id;
    text_clip(&ev->code, bytes_text(enum_name(&account_state_names, r->state)));
    event_end(e, ev);
}

static void rider_set(struct engine *e, const struct fact_rider_set *f)
{
    if (uuid_zero(f->account) || f->state >= ACCOUNT_STATE_N) {
        reply_err(e, ERR_INVALID);
        return;
    }
    struct rider *known = rider_find(e, f->account);
    bool elsewhere = known && f->city_id && known->city_id != f->city_id;
    if (elsewhere || (!known && !uuid_zero(f->by))) {
        reply_err(e, ERR_RIDER_UNKNOWN);
        return;
    }
    struct rider *row = known ? EDIT(e, RIDER, rider, known->id) : add_row(e, ROW_RIDER);
    if (!row) {
        reply_err(e, ERR_FULL);
        return;
    }
    if (!known) {
        row->uuid = f->account;
        row->state = ACCOUNT_ACTIVE;
        index_row(e, ROW_RIDER, row);
    }
    if (f->state && f->state != row->state) {
        row->state = f->state;
        if (known) rider_changed(e, row, f->by);
    }
    reply_row(e, ROW_RIDER, row->id, row->uuid);
}

static void staff_set(struct engine *e, const struct fact_staff_set *f)
{
    if (uuid_zero(f->account) || !f->role || f->role >= STAFF_ROLE_N) {
        reply_err(e, ERR_INVALID);
        return;
    }
    struct staff *known = staff_find(e, f->account);
    struct staff *row = known ? EDIT(e, STAFF, staff, known->id) : add_row(e, ROW_STAFF);
    if (!row) {
        reply_err(e, ERR_FULL);
        return;
    }
    if (!known) {
        row->uuid = f->account;
        index_row(e, ROW_STAFF, row);
    }
    row->role = f->role;
    reply_row(e, ROW_STAFF, row->id, row->uuid);
}

void apply_declaration(struct engine *e, const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_OPERATOR_SET: operator_set(e, &fact->operator_set); break;
    case FACT_LEGAL_ENTITY_SET: legal_entity_set(e, &fact->legal_entity_set); break;
    case FACT_CITY_SET: city_set(e, &fact->city_set); break;
    case FACT_VEHICLE_TYPE_SET: vehicle_type_set(e, &fact->vehicle_type_set); break;
    case FACT_PLAN_SET: plan_set(e, &fact->plan_set); break;
    case FACT_VEHICLE_SET: vehicle_set(e, &fact->vehicle_set); break;
    case FACT_RIDER_SET: rider_set(e, &fact->rider_set); break;
    case FACT_HOOK_SET: hook_set(e, &fact->hook_set); break;
    case FACT_WEBHOOK_SET: webhook_set(e, &fact->webhook_set); break;
    case FACT_STAFF_SET: staff_set(e, &fact->staff_set); break;
    default: must(!"a declaration of no kind");
    }
}
