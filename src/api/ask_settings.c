/* SPDX-License-Identifier: Apache-2.0 */
/* ask_settings.c: what an operator declares. PUTs: saying the same again changes nothing, so they need no key. */
#include "api/api_inside.h"
#include "api/ask.h"

static struct bytes text_of(const struct call *call, const char *name) { return args_get(&call->args, name)->text; }
static int64_t number_of(const struct call *call, const char *name) { return args_get(&call->args, name)->number; }

/* The checks that span more than one field. True: answered with 422. */
static bool refused(struct call *call)
{
    if (!call->args.fault_count) return false;
    call->api->counters.not_valid++;
    out_faults(call->api, &call->client, ERR(INVALID, ""), &call->args);
    return true;
}

void ask_put_operator(struct call *call)
{
    struct fact fact = {.kind = FACT_OPERATOR_SET};
    text_clip(&fact.operator_set.name, text_of(call, "name"));
    call_fact(call, &fact, ANSWER_ID);
}

void ask_put_legal_entity(struct call *call)
{
    struct fact fact = {.kind = FACT_LEGAL_ENTITY_SET};
    struct fact_legal_entity_set *f = &fact.legal_entity_set;
    struct bytes currency = text_of(call, "currency");
    text_clip(&f->code, text_of(call, "code"));
    text_clip(&f->name, text_of(call, "name"));
    text_clip(&f->currency, currency);
    f->decimals = (uint8_t)number_of(call, "decimals");
    if (f->decimals == 1) args_fault(&call->args, "decimals", "is 0, 2 or 3");
    for (size_t i = 0; i < currency.len; i++) {
        if (currency.at[i] >= 'A' && currency.at[i] <= 'Z') continue;
        args_fault(&call->args, "currency", "is three capital letters of ISO 4217");
        break;
    }
    if (!refused(call)) call_fact(call, &fact, ANSWER_ID);
}

void ask_put_city(struct call *call)
{
    struct fact fact = {.kind = FACT_CITY_SET};
    struct fact_city_set *f = &fact.city_set;
    text_clip(&f->code, text_of(call, "code"));
    text_clip(&f->name, text_of(call, "name"));
    text_clip(&f->entity, text_of(call, "legal_entity"));
    text_clip(&f->time_zone, text_of(call, "time_zone"));
    f->lat_e7 = (int32_t)number_of(call, "lat");
    f->lon_e7 = (int32_t)number_of(call, "lon");
    f->radius_m = (uint32_t)number_of(call, "radius_m");
    f->ride_max_ms = 1000 * number_of(call, "ride_max_s");
    call_fact(call, &fact, ANSWER_ID);
}

void ask_put_vehicle_type(struct call *call)
{
    struct fact fact = {.kind = FACT_VEHICLE_TYPE_SET};
    struct fact_vehicle_type_set *f = &fact.vehicle_type_set;
    text_clip(&f->code, text_of(call, "code"));
    text_clip(&f->name, text_of(call, "name"));
    f->heartbeat_ms = 1000 * number_of(call, "heartbeat_s");
    f->battery_min_pct = (uint8_t)number_of(call, "battery_min_pct");
    f->motor = number_of(call, "motor") != 0;
    call_fact(call, &fact, ANSWER_ID);
}

void ask_put_plan(struct call *call)
{
    struct fact fact = {.kind = FACT_PLAN_SET};
    struct fact_plan_set *f = &fact.plan_set;
    text_clip(&f->code, text_of(call, "code"));
    text_clip(&f->name, text_of(call, "name"));
    text_clip(&f->city, text_of(call, "city"));
    text_clip(&f->vehicle_type, text_of(call, "vehicle_type"));
    f->unlock_minor = number_of(call, "unlock_minor");
    f->minute_minor = number_of(call, "minute_minor");
    call_fact(call, &fact, ANSWER_ID);
}

void ask_put_vehicle(struct call *call)
{
    struct fact fact = {.kind = FACT_VEHICLE_SET};
    struct fact_vehicle_set *f = &fact.vehicle_set;
    text_clip(&f->code, text_of(call, "code"));
    text_clip(&f->city, text_of(call, "city"));
    text_clip(&f->vehicle_type, text_of(call, "vehicle_type"));
    f->protocol = (uint8_t)number_of(call, "protocol");
    text_clip(&f->ident, text_of(call, "device"));
    text_clip(&f->add_code, text_of(call, "add_code"));
    if (f->protocol && !f->ident.len) args_fault(&call->args, "device", "is required with a protocol");
    if (!f->protocol && f->ident.len) args_fault(&call->args, "protocol", "is required with a device");
    if (!refused(call)) call_fact(call, &fact, ANSWER_ID);
}
