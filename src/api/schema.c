/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c: the tables of schema.h for the rows that api_json.c writes, and reading any of them. */
#include "api/schema.h"

#include <string.h>

#include "api/args.h"
#include "api/auth.h"
#include "api/street_json.h"
#include "base/must.h"
#include "engine/effect.h"
#include "proto/codec.h"

static const char *const protocol_texts[PROTOCOL_N] = {[PROTOCOL_OMNI] = "omni"};
const struct enum_names protocol_names = {"protocol", protocol_texts, PROTOCOL_N};

static const char *const error_texts[ERR_CODE_LIMIT] = {
#define X(no, code, name, http, retry, text) [ERR_##code] = (no) ? name : NULL,
    ERR_LIST(X)
#undef X
};
const struct enum_names error_names = {"error_code", error_texts, ERR_CODE_LIMIT};

/* clang-format off */
#define NEVER_NULL(name) {name, MEMBER_FIELD, 0, NULL, NULL, NULL}

/* ---- rows ---- */

static const struct member ride_members[] = {
    NEVER_NULL("state"), NEVER_NULL("requested_ms"),
    {"refusal", MEMBER_TERM, MEMBER_NULL, &error_names, NULL, "why the end was last refused"},
};
const struct schema schema_ride = {"Ride", "One rental of one vehicle", &row_shapes[ROW_RIDE],
                                   SCHEMA_MEMBERS(ride_members), false};

static const struct member device_members[] = {
    {"protocol", MEMBER_TERM, MEMBER_NULL | MEMBER_STAFF, &protocol_names, NULL, "what it speaks"},
    {"battery_pct", MEMBER_WHOLE, MEMBER_NULL, NULL, NULL, "charge of the vehicle's battery; null: never reported"},
    {"lat", MEMBER_DECIMAL, MEMBER_NULL, NULL, NULL, "last good position; null: never reported"},
    {"lon", MEMBER_DECIMAL, MEMBER_NULL, NULL, NULL, "last good position"},
    {"connected", MEMBER_BOOL, 0, NULL, NULL, "has a connection now"},
};
static const struct schema schema_device = {"Device", "The IoT unit on a vehicle", &row_shapes[ROW_DEVICE],
                                            SCHEMA_MEMBERS(device_members), false};

static const struct member vehicle_members[] = {
    NEVER_NULL("state"),
    {"device", MEMBER_OBJECT, MEMBER_NULL, NULL, &schema_device, "the IoT unit on it; null: none"},
    {"offer", MEMBER_OBJECT, MEMBER_MAYBE, NULL, &schema_offer, "for riders: may it be rented, and at which prices"},
};
const struct schema schema_vehicle = {"Vehicle", "What is ridden", &row_shapes[ROW_VEHICLE],
                                      SCHEMA_MEMBERS(vehicle_members), false};

static const struct member command_members[] = {NEVER_NULL("op"), NEVER_NULL("state")};
const struct schema schema_command = {"Command", "An order to a device", &row_shapes[ROW_COMMAND],
                                      SCHEMA_MEMBERS(command_members), true};

static const struct member event_members[] = {
    NEVER_NULL("at_ms"), NEVER_NULL("kind"),
    {"id", MEMBER_TEXT, 0, NULL, NULL, "seq.part: the event's name, and the cursor behind it"},
};
const struct schema schema_event = {"Event", "A published consequence of facts, numbered seq.part", &event_shape,
                                    SCHEMA_MEMBERS(event_members), false};

static const struct member quarantine_members[] = {
    {"protocol", MEMBER_TERM, MEMBER_NULL, &protocol_names, NULL, "what it speaks"},
};
const struct schema schema_quarantine = {"QuarantinedDevice", "A device that nobody registered",
                                         &row_shapes[ROW_QUARANTINE], SCHEMA_MEMBERS(quarantine_members), true};

/* ---- the receipt ---- */

static const char *const line_texts[] = {"unlock", "minutes"};
static const struct enum_names line_names = {"receipt_item", line_texts, 2};

static const struct member line_members[] = {
    {"what", MEMBER_TERM, 0, &line_names, NULL, "what is paid for"},
    {"count", MEMBER_WHOLE, MEMBER_MAYBE, NULL, NULL, "how many, where they are counted"},
    {"each_minor", MEMBER_WHOLE, MEMBER_MAYBE, NULL, NULL, "price of one, where they are counted"},
    {"minor", MEMBER_WHOLE, 0, NULL, NULL, "price, in the currency's smallest coin"},
};
static const struct schema schema_line = {"ReceiptLine", "A line of a receipt", NULL, SCHEMA_MEMBERS(line_members),
                                          false};
static const struct member receipt_members[] = {
    {"ride_id", MEMBER_UUID, 0, NULL, NULL, "of what ride"},
    {"vehicle_code", MEMBER_TEXT, 0, NULL, NULL, "the code that the rider gave"},
    {"currency", MEMBER_TEXT, 0, NULL, NULL, "ISO 4217"},
    {"started_ms", MEMBER_TIME, 0, NULL, NULL, "when the meter started; 0: it never did"},
    {"ended_ms", MEMBER_TIME, 0, NULL, NULL, "when the meter stopped"},
    {"minutes", MEMBER_WHOLE, 0, NULL, NULL, "started minutes"},
    {"lines", MEMBER_LIST, 0, NULL, &schema_line, "what it is made of"},
    {"total_minor", MEMBER_WHOLE, 0, NULL, NULL, "their sum, in the currency's smallest coin"},
};
const struct schema schema_receipt = {"Receipt", "What a settled ride cost", NULL, SCHEMA_MEMBERS(receipt_members),
                                      false};

/* ---- problems ---- */

static const struct member fault_members[] = {
    {"field", MEMBER_TEXT, 0, NULL, NULL, "parameter or member at fault"},
    {"why", MEMBER_TEXT, 0, NULL, NULL, "what is wrong with it"},
};
static const struct schema schema_fault = {"Fault", "A field at fault", NULL, SCHEMA_MEMBERS(fault_members), false};
static const struct member problem_members[] = {
    {"type", MEMBER_TEXT, 0, NULL, NULL, "always about:blank; look at code"},
    {"title", MEMBER_TEXT, 0, NULL, NULL, "the status in words"},
    {"status", MEMBER_WHOLE, 0, NULL, NULL, "the HTTP status"},
    {"code", MEMBER_TERM, 0, &error_names, NULL, "what to act on"},
    {"detail", MEMBER_TEXT, MEMBER_MAYBE, NULL, NULL, "for the reader"},
    {"trace_id", MEMBER_TEXT, 0, NULL, NULL, "to quote when asking the operator"},
    {"errors", MEMBER_LIST, MEMBER_MAYBE, NULL, &schema_fault, "every field at fault"},
    {"update_url", MEMBER_TEXT, MEMBER_MAYBE, NULL, NULL, "app_too_old: where to get the new app"},
    {"minimum_build", MEMBER_WHOLE, MEMBER_MAYBE, NULL, NULL, "app_too_old: the oldest build that is let in"},
};
const struct schema schema_problem = {"Problem", "Why a request was refused (RFC 9457)", NULL,
                                      SCHEMA_MEMBERS(problem_members), false};

/* ---- people ---- */

#define WHO_MEMBERS                                                                                                   \
    {"account", MEMBER_UUID, 0, NULL, NULL, "whose"},                                                                 \
    {"role", MEMBER_TERM, 0, &auth_role_names, NULL, "what it may do"}
#define EXPIRES_MEMBER {"expires_ms", MEMBER_TIME, 0, NULL, NULL, "when the token ends"}

static const struct member code_sent[] = {
    {"expires_in_s", MEMBER_WHOLE, 0, NULL, NULL, "how long the code is good"},
};
static const struct member signed_in[] = {
    {"token", MEMBER_TEXT, 0, NULL, NULL, "for Authorization: Bearer; shown once"}, WHO_MEMBERS,
    {"cities", MEMBER_TEXTS, MEMBER_NULL | MEMBER_MAYBE, NULL, NULL, "of staff: codes of the cities they work in; null: all"},
    EXPIRES_MEMBER,
};
static const struct member me[] = {
    WHO_MEMBERS,
    {"cities", MEMBER_TEXTS, MEMBER_NULL, NULL, NULL, "codes of the cities they work in; null: all, or a rider"},
    {"name", MEMBER_TEXT, MEMBER_NULL, NULL, NULL, "that staff sign in by; null: a rider, or a token made by hand"},
    EXPIRES_MEMBER,
};

static const struct member rider_members[] = {
    NEVER_NULL("state"), {"has_ride", MEMBER_BOOL, 0, NULL, NULL, "is on a ride now"},
};
static const struct schema schema_rider = {"Rider", "Somebody who rides, by account", &row_shapes[ROW_RIDER],
                                           SCHEMA_MEMBERS(rider_members), true};
static const struct member contact[] = {
    {"account", MEMBER_UUID, 0, NULL, NULL, "whose"},
    {"phone", MEMBER_TEXT, MEMBER_NULL, NULL, NULL, "E.164; null: none is known, or it was erased"},
};

/* ---- answers ---- */

static const struct member id_members[] = {
    {"id", MEMBER_UUID, 0, NULL, NULL, "of what was declared"}, AS_OF_SEQ,
};
static const struct member one_ride[] = ANSWER_OF("ride", &schema_ride, "the ride as it is now");
static const struct member one_rider[] = ANSWER_OF("rider", &schema_rider, "the rider as they are now");
static const struct member riders[] = PAGE_OF("riders", &schema_rider, "in the order they came");
static const struct member one_vehicle[] = ANSWER_OF("vehicle", &schema_vehicle, "the vehicle as it is now");
static const struct member one_command[] = ANSWER_OF("command", &schema_command, "the command as it is now");
static const struct member rides[] = PAGE_OF("rides", &schema_ride, "newest first");
static const struct member vehicles[] = PAGE_OF("vehicles", &schema_vehicle, "in the order they were made");
static const struct member events[] = PAGE_OF("events", &schema_event, "newest first");
static const struct member feed[] = {
    {"events", MEMBER_LIST, 0, NULL, &schema_event, "oldest first"},
    {"next", MEMBER_TEXT, 0, NULL, NULL, "cursor to come back with, always"},
    {"more", MEMBER_BOOL, 0, NULL, NULL, "there is more to read at once"}, AS_OF_SEQ,
};
static const char *const push_texts[] = {"starting", "idle", "sending", "retrying", "down"};
static const struct enum_names push_names = {"webhook_state", push_texts, 5};
static const struct member webhook_members[] = {
    {"id", MEMBER_UUID, 0, NULL, NULL, "name outside"},
    {"code", MEMBER_TEXT, 0, NULL, NULL, "short name"},
    {"url", MEMBER_TEXT, 0, NULL, NULL, "where events are POSTed"},
    {"kinds", MEMBER_TEXTS, 0, &event_kind_names, NULL, "only these kinds; empty: all"},
    {"city", MEMBER_TEXT, 0, NULL, NULL, "only this city's; empty: all"},
    {"cursor", MEMBER_TEXT, 0, NULL, NULL, "delivered up to this event"},
    {"lag_facts", MEMBER_WHOLE, 0, NULL, NULL, "how many facts it is behind"},
    {"state", MEMBER_TERM, 0, &push_names, NULL, "what it is doing; down: three failures in a row"},
    {"failures", MEMBER_WHOLE, 0, NULL, NULL, "in a row"},
    {"last_error", MEMBER_TEXT, MEMBER_NULL, NULL, NULL, "why the last delivery failed; null: it did not"},
    {"last_status", MEMBER_WHOLE, MEMBER_NULL, NULL, NULL, "what the receiver answered last"},
    {"last_delivery_ms", MEMBER_TIME, MEMBER_NULL, NULL, NULL, "when it last took one, since the start"},
    {"next_try_ms", MEMBER_TIME, MEMBER_NULL, NULL, NULL, "when it is tried again"},
    {"delivered_events", MEMBER_WHOLE, 0, NULL, NULL, "since the start"},
    {"secret", MEMBER_TEXT, MEMBER_MAYBE, NULL, NULL, "signs what it gets; shown once"},
};
static const struct schema schema_webhook = {"Webhook", "Somebody who gets events pushed", NULL,
                                             SCHEMA_MEMBERS(webhook_members), true};
static const struct member hook_members[] = {
    {"id", MEMBER_UUID, 0, NULL, NULL, "name outside"},
    {"ask", MEMBER_TERM, 0, &ask_kind_names, NULL, "what is asked"},
    {"url", MEMBER_TEXT, 0, NULL, NULL, "where it is POSTed"},
    {"deadline_ms", MEMBER_WHOLE, 0, NULL, NULL, "how long an answer is waited for"},
    {"default", MEMBER_TERM, 0, &verdict_names, NULL, "what holds without an answer"},
    {"secret", MEMBER_TEXT, MEMBER_MAYBE, NULL, NULL, "signs what it gets; shown once"},
};
static const struct schema schema_hook = {"Hook", "Somebody who is asked before something is done", NULL,
                                          SCHEMA_MEMBERS(hook_members), true};
static const struct member one_webhook[] = ANSWER_OF("webhook", &schema_webhook, "the webhook as it is now");
static const struct member one_hook[] = ANSWER_OF("hook", &schema_hook, "the hook as it is now");
static const struct member devices[] = PAGE_OF("devices", &schema_quarantine, "in the order they were heard");
/* clang-format on */

const struct schema answer_code_sent = {"CodeSent", "A code is on its way, if it can be", NULL, SCHEMA_MEMBERS(code_sent),
                                       false};
const struct schema answer_signed_in = {"SignedIn", "A token", NULL, SCHEMA_MEMBERS(signed_in), false};
const struct schema answer_me = {"Me", "Who a token is for", NULL, SCHEMA_MEMBERS(me), false};
const struct schema answer_rider = {"RiderAnswer", "One rider", NULL, SCHEMA_MEMBERS(one_rider), true};
const struct schema answer_contact = {"RiderContact", "How a rider is reached", NULL, SCHEMA_MEMBERS(contact), true};
const struct schema page_riders = {"RiderPage", "A page of riders", NULL, SCHEMA_MEMBERS(riders), true};
const struct schema answer_id = {"IdAnswer", "What was declared", NULL, SCHEMA_MEMBERS(id_members), true};
const struct schema answer_ride = {"RideAnswer", "One ride", NULL, SCHEMA_MEMBERS(one_ride), false};
const struct schema answer_vehicle = {"VehicleAnswer", "One vehicle", NULL, SCHEMA_MEMBERS(one_vehicle), false};
const struct schema answer_command = {"CommandAnswer", "One command", NULL, SCHEMA_MEMBERS(one_command), true};
const struct schema page_rides = {"RidePage", "A page of rides", NULL, SCHEMA_MEMBERS(rides), false};
const struct schema page_vehicles = {"VehiclePage", "A page of vehicles", NULL, SCHEMA_MEMBERS(vehicles), true};
const struct schema page_events = {"EventPage", "A page of events", NULL, SCHEMA_MEMBERS(events), true};
const struct schema page_feed = {"EventFeed", "Events in order, for machines", NULL, SCHEMA_MEMBERS(feed), true};
const struct schema answer_webhook = {"WebhookAnswer", "One webhook", NULL, SCHEMA_MEMBERS(one_webhook), true};
const struct schema answer_hook = {"HookAnswer", "One hook", NULL, SCHEMA_MEMBERS(one_hook), true};
const struct schema page_quarantine = {"QuarantinePage", "A page of quarantined devices", NULL,
                                       SCHEMA_MEMBERS(devices), true};

/* ---- reading them ---- */

static const uint8_t member_of_field[] = {
    [FIELD_U8] = MEMBER_WHOLE,    [FIELD_U16] = MEMBER_WHOLE,   [FIELD_U32] = MEMBER_WHOLE,
    [FIELD_U64] = MEMBER_WHOLE,   [FIELD_I32] = MEMBER_WHOLE,   [FIELD_I64] = MEMBER_WHOLE,
    [FIELD_BOOL] = MEMBER_BOOL,   [FIELD_ENUM] = MEMBER_TERM,   [FIELD_UUID] = MEMBER_UUID,
    [FIELD_TEXT4] = MEMBER_TEXT,  [FIELD_TEXT16] = MEMBER_TEXT, [FIELD_TEXT32] = MEMBER_TEXT,
    [FIELD_TEXT64] = MEMBER_TEXT, [FIELD_E7] = MEMBER_DECIMAL,  [FIELD_TIME] = MEMBER_TIME,
};

/* As api_json_fields shows it; `name` is room for its name outside. */
static struct member field_member(const struct field *f, char name[ARGS_NAME_MAX])
{
    size_t len = strlen(f->name);
    struct member m = {f->name, member_of_field[f->type], 0, f->names, NULL, f->doc};
    must(len < ARGS_NAME_MAX);
    if (f->type == FIELD_E7 && len > 3 && memcmp(f->name + len - 3, "_e7", 3) == 0) {
        memcpy(name, f->name, len - 3);
        name[len - 3] = 0;
        m.name = name;
    }
    bool own_id = f->type == FIELD_UUID && strcmp(f->name, "uuid") == 0;
    bool nameless = f->type == FIELD_ENUM && !(f->names->count && f->names->names[0]);
    if (own_id) m.name = "id";
    if (f->type == FIELD_TIME || nameless || (f->type == FIELD_UUID && !own_id)) m.flags |= MEMBER_NULL;
    if (f->sight < SIGHT_RIDER) m.flags |= MEMBER_STAFF;
    return m;
}

static const struct member *member_named(const struct schema *schema, const char *name)
{
    for (unsigned i = 0; i < schema->count; i++) {
        if (strcmp(schema->members[i].name, name) == 0) return &schema->members[i];
    }
    return NULL;
}

void schema_each(const struct schema *schema, schema_each_fn *each, void *ctx)
{
    char name[ARGS_NAME_MAX];
    for (unsigned i = 0; schema->row && i < schema->row->count; i++) {
        const struct field *f = &schema->row->fields[i];
        if (f->sight == SIGHT_PRIVATE) continue;
        struct member m = field_member(f, name);
        const struct member *other = member_named(schema, m.name);
        if (other && other->type == MEMBER_FIELD) m.flags &= (uint8_t)~MEMBER_NULL;
        else if (other) continue;
        if (schema->staff_only) m.flags &= (uint8_t)~MEMBER_STAFF;
        each(ctx, &m);
    }
    for (unsigned i = 0; i < schema->count; i++) {
        struct member m = schema->members[i];
        if (m.type == MEMBER_FIELD) continue;
        if (schema->staff_only) m.flags &= (uint8_t)~MEMBER_STAFF;
        each(ctx, &m);
    }
}
