/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/rows.h"

#define FIELDS_OF(TAG, tag, FIELDS) static const struct field tag##_fields[] = {FIELDS(FIELD_ROW)}
#define FIELD_OWNER struct partition
FIELDS_OF(PARTITION, partition, PARTITION_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct legal_entity
FIELDS_OF(LEGAL_ENTITY, legal_entity, LEGAL_ENTITY_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct city
FIELDS_OF(CITY, city, CITY_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct vehicle_type
FIELDS_OF(VEHICLE_TYPE, vehicle_type, VEHICLE_TYPE_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct plan
FIELDS_OF(PLAN, plan, PLAN_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct vehicle
FIELDS_OF(VEHICLE, vehicle, VEHICLE_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct public_code
FIELDS_OF(PUBLIC_CODE, public_code, PUBLIC_CODE_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct device
FIELDS_OF(DEVICE, device, DEVICE_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct rider
FIELDS_OF(RIDER, rider, RIDER_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct staff
FIELDS_OF(STAFF, staff, STAFF_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct ride
FIELDS_OF(RIDE, ride, RIDE_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct command
FIELDS_OF(COMMAND, command, COMMAND_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct answer
FIELDS_OF(ANSWER, answer, ANSWER_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct quarantine
FIELDS_OF(QUARANTINE, quarantine, QUARANTINE_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct posting
FIELDS_OF(POSTING, posting, POSTING_FIELDS);
#undef FIELD_OWNER

#define FIELD_OWNER struct hook
FIELDS_OF(HOOK, hook, HOOK_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct ask
FIELDS_OF(ASK, ask, ASK_FIELDS);
#undef FIELD_OWNER
#define FIELD_OWNER struct webhook
FIELDS_OF(WEBHOOK, webhook, WEBHOOK_FIELDS);
#undef FIELD_OWNER

#define COUNT(a) (sizeof(a) / sizeof *(a))
const struct shape row_shapes[ROW_N] = {
#define ROW_SHAPE(TAG, tag, FIELDS, doc) \
    [ROW_##TAG] = {#tag, tag##_fields, COUNT(tag##_fields), sizeof(struct tag), doc},
    ROW_LIST(ROW_SHAPE)
};

#define ROW_FITS(TAG, tag, FIELDS, doc) _Static_assert(sizeof(struct tag) <= ROW_SIZE_MAX, #tag " is too large");
ROW_LIST(ROW_FITS)

const char *const row_tables[ROW_N] = {
    [ROW_PARTITION] = "partition_state", [ROW_LEGAL_ENTITY] = "legal_entities", [ROW_CITY] = "cities",
    [ROW_VEHICLE_TYPE] = "vehicle_types", [ROW_PLAN] = "plans", [ROW_VEHICLE] = "vehicles",
    [ROW_PUBLIC_CODE] = "public_codes", [ROW_DEVICE] = "devices", [ROW_RIDER] = "riders", [ROW_STAFF] = "staff",
    [ROW_RIDE] = "rides", [ROW_COMMAND] = "commands", [ROW_ANSWER] = "answers", [ROW_QUARANTINE] = "quarantine",
    [ROW_POSTING] = "postings", [ROW_HOOK] = "hooks", [ROW_ASK] = "asks", [ROW_WEBHOOK] = "webhooks",
};
