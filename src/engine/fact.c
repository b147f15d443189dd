/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/fact.h"

#include "base/must.h"

/* Each kind needs its own FIELD_OWNER; the list cannot define macros, so they stand here one by one. */
#define FIELDS_OF(name, FIELDS) static const struct field fact_##name##_fields[] = {FIELDS(FIELD_ROW)}
#define FIELD_OWNER struct fact_node_started
FIELDS_OF(node_started, NODE_STARTED_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_tick
FIELDS_OF(tick, TICK_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_tables_written
FIELDS_OF(tables_written, TABLES_WRITTEN_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_fact_refused
FIELDS_OF(fact_refused, FACT_REFUSED_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_operator_set
FIELDS_OF(operator_set, OPERATOR_SET_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_legal_entity_set
FIELDS_OF(legal_entity_set, LEGAL_ENTITY_SET_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_city_set
FIELDS_OF(city_set, CITY_SET_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_vehicle_type_set
FIELDS_OF(vehicle_type_set, VEHICLE_TYPE_SET_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_plan_set
FIELDS_OF(plan_set, PLAN_SET_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_vehicle_set
FIELDS_OF(vehicle_set, VEHICLE_SET_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_rider_set
FIELDS_OF(rider_set, RIDER_SET_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_staff_set
FIELDS_OF(staff_set, STAFF_SET_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_ride_start
FIELDS_OF(ride_start, RIDE_START_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_ride_end
FIELDS_OF(ride_end, RIDE_END_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_command_ask
FIELDS_OF(command_ask, COMMAND_ASK_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_vehicle_mark
FIELDS_OF(vehicle_mark, VEHICLE_MARK_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_damage_report
FIELDS_OF(damage_report, DAMAGE_REPORT_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_hook_set
FIELDS_OF(hook_set, HOOK_SET_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_ask_answered
FIELDS_OF(ask_answered, ASK_ANSWERED_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_webhook_set
FIELDS_OF(webhook_set, WEBHOOK_SET_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_webhook_moved
FIELDS_OF(webhook_moved, WEBHOOK_MOVED_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_session_opened
FIELDS_OF(session_opened, SESSION_OPENED_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_session_closed
FIELDS_OF(session_closed, SESSION_CLOSED_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_report
FIELDS_OF(report, REPORT_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_device_keyed
FIELDS_OF(device_keyed, DEVICE_KEYED_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_lock_result
FIELDS_OF(lock_result, LOCK_RESULT_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct fact_device_echo
FIELDS_OF(device_echo, DEVICE_ECHO_FIELDS);
#undef FIELD_OWNER

#define COUNT(a) (sizeof(a) / sizeof *(a))
static const struct shape shapes[FACT_KIND_LIMIT] = {
#define FACT_SHAPE(no, NAME, name, FIELDS, doc) \
    [no] = {#name, fact_##name##_fields, COUNT(fact_##name##_fields), sizeof(struct fact_##name), doc},
    FACT_LIST(FACT_SHAPE)
};

const struct shape *fact_shape(unsigned kind)
{
    return kind < FACT_KIND_LIMIT && shapes[kind].name ? &shapes[kind] : NULL;
}

void fact_encode(const struct fact *fact, struct buf *out)
{
    const struct shape *shape = fact_shape(fact->kind);
    must(shape);
    buf_put_varint(out, fact->kind);
    field_encode(shape, &fact->tick, out); /* every member of the union begins at the same place */
}

struct err fact_decode(struct bytes in, struct fact *out)
{
    uint64_t kind;
    TRY(bytes_varint(&in, &kind));
    const struct shape *shape = kind < FACT_KIND_LIMIT ? fact_shape((unsigned)kind) : NULL;
    if (!shape) return ERR(MALFORMED, "a fact of a kind that this build does not know");
    out->kind = (uint8_t)kind;
    out->now_ms = 0;
    return field_decode(shape, in, &out->tick);
}
