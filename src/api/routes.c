/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c: the table of routes.h, and finding a row in it. Literal paths stand before those with a name at the same
 * place: the first row that fits is taken. */
#include "api/routes.h"

#include "api/ask.h"
#include "api/bulk.h"
#include "api/contacts.h"
#include "api/people.h"
#include "api/staff.h"
#include "api/street_json.h"
#include "api/declared.h"
#include "engine/terms.h"
#include "net/http_text.h"

#define PRICE_MAX 1000000
#define DEGREE 10000000ll

#define PATH_ID(doc) {"id", IN_PATH, ARG_UUID, true, 0, 0, NULL, doc}
#define PATH_CODE(most, doc) {"code", IN_PATH, ARG_CODE, true, 1, most, NULL, doc}
#define QUERY_WAIT(doc) {"wait", IN_QUERY, ARG_WHOLE, false, 0, 30, NULL, doc}
#define QUERY_LIMIT {"limit", IN_QUERY, ARG_WHOLE, false, 1, 1000, NULL, "rows of a page; 50"}
#define QUERY_AFTER {"after", IN_QUERY, ARG_CURSOR, false, 0, 0, NULL, "\"next\" of the page before"}
#define QUERY_BEFORE {"before", IN_QUERY, ARG_CURSOR, false, 0, 0, NULL, "\"next\" of the page before"}
#define NAME {"name", IN_BODY, ARG_TEXT, true, 1, 31, NULL, "for people"}
#define PRICE(name, doc) {name, IN_BODY, ARG_WHOLE, true, 0, PRICE_MAX, NULL, doc}

/* clang-format off */
static const struct arg_row start_args[] = {
    {"vehicle_code", IN_BODY, ARG_CODE, true, 1, 15, NULL, "public code printed on the vehicle"},
    QUERY_WAIT("seconds to hold the reply until the vehicle confirmed or refused"),
};
static const struct arg_row end_args[] = {
    PATH_ID("ride"), QUERY_WAIT("seconds to hold the reply until the ride is over"),
};
static const struct arg_row ride_args[] = {PATH_ID("ride")};
static const struct arg_row rides_args[] = {
    {"state", IN_QUERY, ARG_TERM, false, 0, 0, &ride_state_names, "only rides in this state"}, QUERY_AFTER, QUERY_LIMIT,
};
static const struct arg_row ride_timeline_args[] = {PATH_ID("ride"), QUERY_BEFORE, QUERY_LIMIT};
static const struct arg_row events_args[] = {
    {"after", IN_QUERY, ARG_CURSOR, false, 0, 0, NULL, "\"next\" of the page before, or an event's id"},
    {"kind", IN_QUERY, ARG_TERM, false, 0, 0, &event_kind_names, "only events of this kind"},
    {"city", IN_QUERY, ARG_CODE, false, 1, 31, NULL, "only what concerns this city"}, QUERY_LIMIT,
};
#define QUERY_DEGREES(name, most, doc) {name, IN_QUERY, ARG_DEGREES, true, -(most) * DEGREE, (most) * DEGREE, NULL, doc}
#define QUERY_CITY {"city", IN_QUERY, ARG_CODE, false, 1, 31, NULL, "only of this city"}
#define QUERY_BOX                                                                                               \
    QUERY_DEGREES("west", 180, "edge of the box; larger than east: across the 180th meridian"),                 \
    QUERY_DEGREES("south", 90, "edge of the box"), QUERY_DEGREES("east", 180, "edge of the box"),               \
    QUERY_DEGREES("north", 90, "edge of the box"),                                                              \
    {"state", IN_QUERY, ARG_TERM, false, 0, 0, &vehicle_state_names, "only vehicles in this MDS state"}, QUERY_CITY
static const struct arg_row near_args[] = {
    QUERY_DEGREES("lat", 90, "where one stands"), QUERY_DEGREES("lon", 180, "where one stands"),
    {"radius_m", IN_QUERY, ARG_WHOLE, false, 1, 5000, NULL, "how far to look; 500"},
    {"limit", IN_QUERY, ARG_WHOLE, false, 1, GRID_NEAR_MAX, NULL, "how many at most; 20"},
};
static const struct arg_row map_args[] = {
    QUERY_BOX, QUERY_AFTER, {"limit", IN_QUERY, ARG_WHOLE, false, 1, 20000, NULL, "rows of a page; 10,000"},
};
static const struct arg_row map_live_args[] = {
    QUERY_BOX,
    {"after", IN_QUERY, ARG_CURSOR, false, 0, 0, NULL, "as_of_seq of a map that is shown already; without: everything"},
};
static const struct arg_row stats_args[] = {QUERY_CITY};
#define VEHICLE_FILTER(where)                                                                                        \
    {"state", where, ARG_TERM, false, 0, 0, &vehicle_state_names, "only vehicles in this MDS state"},                \
    {"city", where, ARG_CODE, false, 1, 31, NULL, "only vehicles of this city"},                                     \
    {"vehicle_type", where, ARG_CODE, false, 1, 31, NULL, "only vehicles of this type"},                             \
    {"battery_max_pct", where, ARG_WHOLE, false, 0, 100, NULL, "only vehicles that reported no more charge than this"}, \
    {"damaged", where, ARG_BOOL, false, 0, 1, NULL, "only vehicles reported damaged that nobody looked at; false: all others"}
static const struct arg_row vehicles_args[] = {
    VEHICLE_FILTER(IN_QUERY),
    {"q", IN_QUERY, ARG_CODE, false, 1, 15, NULL, "only vehicles with a public code that begins so, whatever its case"},
    {"silent_s", IN_QUERY, ARG_WHOLE, false, 1, 10 * 365 * 86400, NULL, "only vehicles not heard for so long, or never"},
    QUERY_AFTER, QUERY_LIMIT,
};
static const struct arg_row vehicles_bulk_args[] = {
    {"event", IN_BODY, ARG_TERM, false, 0, 0, &vehicle_event_names, "the MDS event that happened to each; or:"},
    {"op", IN_BODY, ARG_TERM, false, 0, 0, &command_op_names, "what to order of each"},
    {"to", IN_BODY, ARG_TERM, false, 0, 0, &vehicle_state_names, "state after the event, where MDS allows several"},
    {"dry_run", IN_BODY, ARG_BOOL, false, 0, 1, NULL, "true or left out: change nothing, say what would be done"},
    {"codes", IN_BODY, ARG_CODES, false, 1, BULK_VEHICLES_MAX, NULL, "these vehicles; or, without, a filter:"},
    VEHICLE_FILTER(IN_BODY),
};
static const struct arg_row vehicle_args[] = {PATH_CODE(15, "any public code of the vehicle")};
static const struct arg_row vehicle_timeline_args[] = {
    PATH_CODE(15, "any public code of the vehicle"), QUERY_BEFORE, QUERY_LIMIT,
};
static const struct arg_row vehicle_frames_args[] = {
    PATH_CODE(15, "any public code of the vehicle"),
    {"since_ms", IN_QUERY, ARG_WHOLE, false, 0, INT64_C(1) << 53, NULL, "not older than this, ms since 1970"},
    {"until_ms", IN_QUERY, ARG_WHOLE, false, 0, INT64_C(1) << 53, NULL, "not newer than this"}, QUERY_BEFORE, QUERY_LIMIT,
};
static const struct arg_row vehicle_command_args[] = {
    PATH_CODE(15, "any public code of the vehicle"),
    {"op", IN_BODY, ARG_TERM, true, 0, 0, &command_op_names, "what to order"},
};
static const struct arg_row vehicle_event_args[] = {
    PATH_CODE(15, "any public code of the vehicle"),
    {"event", IN_BODY, ARG_TERM, true, 0, 0, &vehicle_event_names, "the MDS event that happened"},
    {"to", IN_BODY, ARG_TERM, false, 0, 0, &vehicle_state_names, "state after it, where MDS allows several"},
};
static const struct arg_row vehicle_damage_args[] = {
    PATH_CODE(15, "the code that is printed on it"),
    {"kind", IN_BODY, ARG_TERM, true, 0, 0, &damage_kind_names, "what is wrong"},
};
static const struct arg_row command_args[] = {PATH_ID("command")};
static const struct arg_row quarantine_args[] = {QUERY_AFTER, QUERY_LIMIT};
static const struct arg_row operator_args[] = {NAME};
static const struct arg_row legal_entity_args[] = {
    PATH_CODE(31, "which; made when new"), NAME,
    {"currency", IN_BODY, ARG_CODE, true, 3, 3, NULL, "ISO 4217; cannot change later"},
    {"decimals", IN_BODY, ARG_WHOLE, true, 0, 3, NULL, "0, 2 or 3"},
};
static const struct arg_row city_args[] = {
    PATH_CODE(31, "which; made when new"), NAME,
    {"legal_entity", IN_BODY, ARG_CODE, true, 1, 31, NULL, "code of the company that sells here"},
    {"time_zone", IN_BODY, ARG_IDENT, true, 1, 31, NULL, "IANA name"},
    {"lat", IN_BODY, ARG_DEGREES, true, -90 * DEGREE, 90 * DEGREE, NULL, "centre"},
    {"lon", IN_BODY, ARG_DEGREES, true, -180 * DEGREE, 180 * DEGREE, NULL, "centre"},
    {"radius_m", IN_BODY, ARG_WHOLE, false, 0, 1000000, NULL, "boundary; 0 = none"},
    {"ride_max_s", IN_BODY, ARG_WHOLE, false, 0, 30 * 86400, NULL, "longest ride; 0 = 12 hours"},
};
static const struct arg_row vehicle_type_args[] = {
    PATH_CODE(31, "which; made when new"), NAME,
    {"heartbeat_s", IN_BODY, ARG_WHOLE, false, 0, 86400, NULL, "longest silence of a healthy device; 0 = 240"},
    {"battery_min_pct", IN_BODY, ARG_WHOLE, false, 0, 95, NULL, "no ride starts below"},
    {"motor", IN_BODY, ARG_BOOL, false, 0, 1, NULL, "has a motor: its charge counts"},
};
static const struct arg_row plan_args[] = {
    PATH_CODE(31, "which; made when new"), NAME,
    {"city", IN_BODY, ARG_CODE, true, 1, 31, NULL, "code of the city"},
    {"vehicle_type", IN_BODY, ARG_CODE, false, 1, 31, NULL, "code of the type; without: every type"},
    PRICE("unlock_minor", "price of the unlock"), PRICE("minute_minor", "price of a started minute"),
};
static const struct arg_row put_vehicle_args[] = {
    PATH_CODE(15, "public code; made when new"),
    {"city", IN_BODY, ARG_CODE, true, 1, 31, NULL, "code of the city"},
    {"vehicle_type", IN_BODY, ARG_CODE, true, 1, 31, NULL, "code of the type"},
    {"protocol", IN_BODY, ARG_TERM, false, 0, 0, &protocol_names, "of its device"},
    {"device", IN_BODY, ARG_IDENT, false, 1, 64, NULL, "the device's own id; another one than before = swapped"},
    {"add_code", IN_BODY, ARG_CODE, false, 1, 15, NULL, "one more public code for the same vehicle"},
};

static const struct arg_row list_args[] = {QUERY_AFTER, QUERY_LIMIT};
static const struct arg_row declared_args[] = {PATH_CODE(31, "which")};
static const struct arg_row riders_args[] = {
    {"state", IN_QUERY, ARG_TERM, false, 0, 0, &account_state_names, "only riders in this state"}, QUERY_AFTER, QUERY_LIMIT,
};
static const struct arg_row rider_args[] = {PATH_ID("account of the rider")};
static const struct arg_row put_rider_args[] = {
    PATH_ID("account of the rider"),
    {"state", IN_BODY, ARG_TERM, true, 0, 0, &account_state_names, "blocked: may not start rides; an open ride goes on"},
};
static const struct arg_row sign_in_code_args[] = {
    {"phone", IN_BODY, ARG_PHONE, true, 0, 0, NULL, "E.164: +46701234567"},
    {"language", IN_BODY, ARG_IDENT, false, 2, 15, NULL, "BCP 47: of the message"},
};
static const struct arg_row sign_in_args[] = {
    {"phone", IN_BODY, ARG_PHONE, true, 0, 0, NULL, "that the code was sent to"},
    {"code", IN_BODY, ARG_IDENT, true, 1, 15, NULL, "six digits"},
};
static const struct arg_row staff_sign_in_args[] = {
    {"name", IN_BODY, ARG_TEXT, true, 1, 31, NULL, "name that staff were given"},
    {"password", IN_BODY, ARG_TEXT, true, 1, PEOPLE_PASSWORD_MAX, NULL, "and their password"},
};
#define PATH_STAFF(doc) {"name", IN_PATH, ARG_TEXT, true, 1, 31, NULL, doc}
static const struct arg_row staff_list_args[] = {
    {"after", IN_QUERY, ARG_TEXT, false, 1, 31, NULL, "\"next\" of the page before"},
    QUERY_LIMIT,
};
static const struct arg_row one_staff_args[] = {PATH_STAFF("that they sign in by")};
static const struct arg_row put_staff_args[] = {
    PATH_STAFF("that they sign in by; made when new"),
    {"role", IN_BODY, ARG_TERM, true, 0, 0, &auth_staff_role_names, "what they may do"},
    {"cities", IN_BODY, ARG_CITIES, false, 1, SCOPE_CITIES_MAX, NULL, "where they may do it; without: everywhere"},
    {"password", IN_BODY, ARG_TEXT, false, PEOPLE_PASSWORD_MIN, PEOPLE_PASSWORD_MAX, NULL,
     "without: theirs stays, and somebody new cannot sign in before they are given one"},
};
static const struct arg_row app_args[] = {
    {"name", IN_PATH, ARG_CODE, true, 1, 31, NULL, "of the app, as it names itself in Paddock-App: NAME/BUILD"},
    {"minimum_build", IN_BODY, ARG_WHOLE, true, 0, 999999999, NULL, "older builds get 426; 0: any may"},
    {"update_url", IN_BODY, ARG_IDENT, true, 8, CONTACTS_URL_MAX, NULL, "where to get the new one"},
};

#define URL {"url", IN_BODY, ARG_IDENT, true, 8, 512, NULL, "where to POST: http or https"}
#define NEW_SECRET {"new_secret", IN_BODY, ARG_BOOL, false, 0, 1, NULL, "make another secret and show it"}
static const struct arg_row webhook_args[] = {
    PATH_CODE(31, "which; made when new"), URL, NEW_SECRET,
    {"kinds", IN_BODY, ARG_TERMS, false, 0, 0, &event_kind_names, "only events of these kinds; without: all"},
    {"city", IN_BODY, ARG_CODE, false, 1, 31, NULL, "only what concerns this city"},
};
static const struct arg_row one_webhook_args[] = {PATH_CODE(31, "the webhook")};
static const struct arg_row replay_args[] = {
    PATH_CODE(31, "the webhook"),
    {"after", IN_BODY, ARG_CURSOR, true, 0, 0, NULL, "the event behind which to begin again, or \"0.0\""},
};
#define PATH_ASK {"ask", IN_PATH, ARG_TERM, true, 0, 0, &ask_kind_names, "what is asked"}
static const struct arg_row hook_args[] = {
    PATH_ASK, URL, NEW_SECRET,
    {"deadline_ms", IN_BODY, ARG_WHOLE, false, 100, 30000, NULL, "how long an answer is waited for; 2,000"},
    {"default", IN_BODY, ARG_TERM, false, 0, 0, &verdict_names, "what holds without an answer; allow"},
};
static const struct arg_row one_hook_args[] = {PATH_ASK};

#define NO_ARGS NULL, 0
#define ARGS(rows) rows, sizeof rows / sizeof *rows
#define RIDERS ROLE(RIDER)
#define STAFF ROLES_STAFF
#define ALL (RIDERS | STAFF)
#define WATCHERS (STAFF | ROLE(CITY))
#define EVERYBODY (ALL | ROLE(OWNER) | ROLE(CITY) | ROLE(MDS))

/* method, who, whose things, keyed, path,
 * function, what it takes,
 * summary,
 * name in the clients, chapter, status when it went well, flags, what is answered then (api/schema.h) */
const struct route routes[] = {
    {HTTP_VERB_POST, 0, SCOPE_NOBODY, false, "/v1/sign-in/code",
     ask_sign_in_code, ARGS(sign_in_code_args),
     "send a one-time code to a phone",
     "sendSignInCode", TAG_ACCOUNTS, 202, ROUTE_PUBLIC | ROUTE_UNKEYED, &answer_code_sent},
    {HTTP_VERB_POST, 0, SCOPE_NOBODY, false, "/v1/sign-in",
     ask_sign_in, ARGS(sign_in_args),
     "sign a rider in, who becomes one with the first time",
     "signIn", TAG_ACCOUNTS, 200, ROUTE_PUBLIC | ROUTE_UNKEYED, &answer_signed_in},
    {HTTP_VERB_POST, 0, SCOPE_NOBODY, false, "/v1/staff/sign-in",
     ask_staff_sign_in, ARGS(staff_sign_in_args),
     "sign staff in",
     "signInStaff", TAG_ACCOUNTS, 200, ROUTE_PUBLIC | ROUTE_UNKEYED, &answer_signed_in},
    {HTTP_VERB_POST, EVERYBODY, SCOPE_OWN, false, "/v1/sign-out",
     ask_sign_out, NO_ARGS,
     "end this token",
     "signOut", TAG_ACCOUNTS, 204, ROUTE_UNKEYED, NULL},
    {HTTP_VERB_POST, EVERYBODY, SCOPE_OWN, false, "/v1/sign-out/everywhere",
     ask_sign_out_everywhere, NO_ARGS,
     "end every token of this account",
     "signOutEverywhere", TAG_ACCOUNTS, 204, ROUTE_UNKEYED, NULL},
    {HTTP_VERB_GET, EVERYBODY, SCOPE_OWN, false, "/v1/me",
     ask_me, NO_ARGS,
     "who this token is for",
     "getMe", TAG_ACCOUNTS, 200, 0, &answer_me},
    {HTTP_VERB_GET, STAFF, SCOPE_CITY, false, "/v1/riders",
     ask_riders, ARGS(riders_args),
     "riders, by the city of their last ride",
     "listRiders", TAG_ACCOUNTS, 200, ROUTE_PAGED, &page_riders},
    {HTTP_VERB_GET, STAFF, SCOPE_CITY, false, "/v1/riders/{id}",
     ask_rider, ARGS(rider_args),
     "one rider",
     "getRider", TAG_ACCOUNTS, 200, 0, &answer_rider},
    {HTTP_VERB_PUT, ROLE(CONTROL), SCOPE_CITY, false, "/v1/riders/{id}",
     ask_put_rider, ARGS(put_rider_args),
     "block a rider, or let one in again",
     "putRider", TAG_ACCOUNTS, 200, 0, &answer_rider},
    {HTTP_VERB_GET, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/riders/{id}/contact",
     ask_rider_contact, ARGS(rider_args),
     "a rider's phone number; that somebody looked is kept",
     "getRiderContact", TAG_ACCOUNTS, 200, 0, &answer_contact},
    {HTTP_VERB_POST, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/riders/{id}/sign-out",
     ask_rider_sign_out, ARGS(rider_args),
     "end every token of a rider",
     "signOutRider", TAG_ACCOUNTS, 204, ROUTE_UNKEYED, NULL},
    {HTTP_VERB_DELETE, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/riders/{id}",
     ask_erase_rider, ARGS(rider_args),
     "erase who a rider is: number and tokens; rides and books stay",
     "eraseRider", TAG_ACCOUNTS, 204, 0, NULL},
    {HTTP_VERB_GET, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/staff",
     ask_staff_list, ARGS(staff_list_args),
     "staff, by name",
     "listStaff", TAG_ACCOUNTS, 200, ROUTE_PAGED, &page_staff},
    {HTTP_VERB_GET, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/staff/{name}",
     ask_staff_one, ARGS(one_staff_args),
     "one of staff",
     "getStaff", TAG_ACCOUNTS, 200, 0, &answer_staff},
    {HTTP_VERB_PUT, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/staff/{name}",
     ask_put_staff, ARGS(put_staff_args),
     "declare who works here; who is changed is signed out everywhere",
     "putStaff", TAG_ACCOUNTS, 200, 0, &answer_staff},
    {HTTP_VERB_DELETE, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/staff/{name}",
     ask_delete_staff, ARGS(one_staff_args),
     "they work here no more: no signing in, and their tokens end",
     "deleteStaff", TAG_ACCOUNTS, 204, 0, NULL},
    {HTTP_VERB_POST, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/staff/{name}/sign-out",
     ask_staff_sign_out, ARGS(one_staff_args),
     "end every token of one of staff",
     "signOutStaff", TAG_ACCOUNTS, 204, ROUTE_UNKEYED, NULL},
    {HTTP_VERB_PUT, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/apps/{name}",
     ask_put_app, ARGS(app_args),
     "the oldest build of an app that is let in",
     "putApp", TAG_SETTINGS, 204, 0, NULL},
    {HTTP_VERB_POST, RIDERS, SCOPE_OWN, true, "/v1/rides",
     ask_ride_start, ARGS(start_args),
     "start a ride",
     "startRide", TAG_RIDES, 202, 0, &answer_ride},
    {HTTP_VERB_GET, ALL, SCOPE_CITY, false, "/v1/rides",
     ask_rides, ARGS(rides_args),
     "rides, newest first; a rider's own",
     "listRides", TAG_RIDES, 200, ROUTE_PAGED, &page_rides},
    {HTTP_VERB_GET, RIDERS, SCOPE_OWN, false, "/v1/rides/current",
     ask_ride_current, NO_ARGS,
     "the open ride",
     "getCurrentRide", TAG_RIDES, 200, 0, &answer_ride},
    {HTTP_VERB_GET, ALL, SCOPE_CITY, false, "/v1/rides/{id}",
     ask_ride, ARGS(ride_args),
     "one ride; a rider's own",
     "getRide", TAG_RIDES, 200, 0, &answer_ride},
    {HTTP_VERB_GET, ALL, SCOPE_CITY, false, "/v1/rides/{id}/receipt",
     ask_ride_receipt, ARGS(ride_args),
     "what a settled ride cost",
     "getReceipt", TAG_RIDES, 200, 0, &schema_receipt},
    {HTTP_VERB_POST, ALL, SCOPE_CITY, true, "/v1/rides/{id}/end",
     ask_ride_end, ARGS(end_args),
     "end a ride, or cancel one not begun",
     "endRide", TAG_RIDES, 202, 0, &answer_ride},
    {HTTP_VERB_GET, STAFF, SCOPE_CITY, false, "/v1/rides/{id}/timeline",
     ask_ride_timeline, ARGS(ride_timeline_args),
     "events of a ride, newest first",
     "listRideEvents", TAG_RIDES, 200, ROUTE_PAGED, &page_events},
    {HTTP_VERB_GET, ALL, SCOPE_CITY, false, "/v1/events/live",
     ask_live, NO_ARGS,
     "events as they happen (server-sent); a rider's own",
     "streamEvents", TAG_EVENTS, 200, ROUTE_STREAM, &schema_event},
    {HTTP_VERB_GET, STAFF, SCOPE_CITY, false, "/v1/events",
     ask_events, ARGS(events_args),
     "every event in order, for machines; `next` is the cursor to come back with",
     "listEvents", TAG_EVENTS, 200, 0, &page_feed},
    {HTTP_VERB_GET, ALL | ROLE(CITY), SCOPE_CITY, false, "/v1/near",
     ask_near, ARGS(near_args),
     "vehicles near by that may be rented, nearest first",
     "findNear", TAG_VEHICLES, 200, 0, &answer_near},
    {HTTP_VERB_GET, ALL | ROLE(CITY), SCOPE_CITY, false, "/v1/map",
     ask_map, ARGS(map_args),
     "vehicles in a box; riders: those that may be rented",
     "getMap", TAG_VEHICLES, 200, ROUTE_PAGED, &answer_map},
    {HTTP_VERB_GET, WATCHERS, SCOPE_CITY, false, "/v1/map/live",
     ask_map_live, ARGS(map_live_args),
     "vehicles in a box as they change (server-sent)",
     "streamMap", TAG_VEHICLES, 200, ROUTE_STREAM, &answer_map_live},
    {HTTP_VERB_GET, WATCHERS, SCOPE_CITY, false, "/v1/stats",
     ask_stats, ARGS(stats_args),
     "the control room's counters",
     "getStats", TAG_VEHICLES, 200, 0, &answer_stats},
    {HTTP_VERB_GET, WATCHERS, SCOPE_CITY, false, "/v1/vehicles",
     ask_vehicles, ARGS(vehicles_args),
     "vehicles with their devices",
     "listVehicles", TAG_VEHICLES, 200, ROUTE_PAGED, &page_vehicles},
    {HTTP_VERB_POST, STAFF, SCOPE_CITY, true, "/v1/vehicles/bulk",
     ask_vehicles_bulk, ARGS(vehicles_bulk_args),
     "say what happened to many vehicles, or order something of them; first as a dry run",
     "changeVehicles", TAG_VEHICLES, 200, 0, &answer_bulk},
    {HTTP_VERB_GET, ALL | ROLE(CITY), SCOPE_CITY, false, "/v1/vehicles/{code}",
     ask_vehicle, ARGS(vehicle_args),
     "one vehicle; riders: what renting it means",
     "getVehicle", TAG_VEHICLES, 200, 0, &answer_vehicle},
    {HTTP_VERB_PUT, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/vehicles/{code}",
     ask_put_vehicle, ARGS(put_vehicle_args),
     "declare a vehicle",
     "putVehicle", TAG_VEHICLES, 200, 0, &answer_id},
    {HTTP_VERB_GET, STAFF, SCOPE_CITY, false, "/v1/vehicles/{code}/timeline",
     ask_vehicle_timeline, ARGS(vehicle_timeline_args),
     "events of a vehicle, newest first",
     "listVehicleEvents", TAG_VEHICLES, 200, ROUTE_PAGED, &page_events},
    {HTTP_VERB_GET, STAFF, SCOPE_CITY, false, "/v1/vehicles/{code}/frames",
     ask_vehicle_frames, ARGS(vehicle_frames_args),
     "the last bytes that a vehicle said and was told, newest first",
     "listVehicleFrames", TAG_VEHICLES, 200, ROUTE_PAGED, &page_frames},
    {HTTP_VERB_POST, STAFF, SCOPE_CITY, true, "/v1/vehicles/{code}/commands",
     ask_vehicle_command, ARGS(vehicle_command_args),
     "order something of a vehicle",
     "commandVehicle", TAG_VEHICLES, 202, 0, &answer_command},
    {HTTP_VERB_POST, STAFF, SCOPE_CITY, true, "/v1/vehicles/{code}/events",
     ask_vehicle_event, ARGS(vehicle_event_args),
     "say what happened to a vehicle",
     "markVehicle", TAG_VEHICLES, 200, 0, &answer_vehicle},
    {HTTP_VERB_POST, ALL, SCOPE_CITY, true, "/v1/vehicles/{code}/damage",
     ask_vehicle_damage, ARGS(vehicle_damage_args),
     "say that a vehicle is damaged; it is not rented again until staff looked at it",
     "reportDamage", TAG_VEHICLES, 200, 0, &answer_vehicle},
    {HTTP_VERB_GET, STAFF, SCOPE_CITY, false, "/v1/commands/{id}",
     ask_command, ARGS(command_args),
     "one command",
     "getCommand", TAG_VEHICLES, 200, 0, &answer_command},
    {HTTP_VERB_GET, STAFF, SCOPE_OPERATOR, false, "/v1/quarantine",
     ask_quarantine, ARGS(quarantine_args),
     "devices that nobody registered",
     "listQuarantine", TAG_VEHICLES, 200, ROUTE_PAGED, &page_quarantine},
    {HTTP_VERB_PUT, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/operator",
     ask_put_operator, ARGS(operator_args),
     "name the operator",
     "putOperator", TAG_SETTINGS, 200, 0, &answer_id},
    {HTTP_VERB_PUT, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/legal-entities/{code}",
     ask_put_legal_entity, ARGS(legal_entity_args),
     "declare a legal entity",
     "putLegalEntity", TAG_SETTINGS, 200, 0, &answer_id},
    {HTTP_VERB_PUT, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/cities/{code}",
     ask_put_city, ARGS(city_args),
     "declare a city",
     "putCity", TAG_SETTINGS, 200, 0, &answer_id},
    {HTTP_VERB_PUT, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/vehicle-types/{code}",
     ask_put_vehicle_type, ARGS(vehicle_type_args),
     "declare a vehicle type",
     "putVehicleType", TAG_SETTINGS, 200, 0, &answer_id},
    {HTTP_VERB_PUT, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/plans/{code}",
     ask_put_plan, ARGS(plan_args),
     "declare a pricing plan",
     "putPlan", TAG_SETTINGS, 200, 0, &answer_id},
    {HTTP_VERB_GET, STAFF, SCOPE_OPEN, false, "/v1/operator",
     ask_operator, NO_ARGS,
     "the operator",
     "getOperator", TAG_SETTINGS, 200, 0, &answer_operator},
    {HTTP_VERB_GET, STAFF, SCOPE_OPEN, false, "/v1/legal-entities",
     ask_legal_entities, ARGS(list_args),
     "legal entities as declared",
     "listLegalEntities", TAG_SETTINGS, 200, ROUTE_PAGED, &page_legal_entities},
    {HTTP_VERB_GET, STAFF, SCOPE_OPEN, false, "/v1/legal-entities/{code}",
     ask_legal_entity, ARGS(declared_args),
     "one legal entity as declared",
     "getLegalEntity", TAG_SETTINGS, 200, 0, &answer_legal_entity},
    {HTTP_VERB_GET, STAFF, SCOPE_OPEN, false, "/v1/cities",
     ask_cities, ARGS(list_args),
     "cities as declared",
     "listCities", TAG_SETTINGS, 200, ROUTE_PAGED, &page_cities},
    {HTTP_VERB_GET, STAFF, SCOPE_OPEN, false, "/v1/cities/{code}",
     ask_city, ARGS(declared_args),
     "one city as declared",
     "getCity", TAG_SETTINGS, 200, 0, &answer_city},
    {HTTP_VERB_GET, STAFF, SCOPE_OPEN, false, "/v1/vehicle-types",
     ask_vehicle_types, ARGS(list_args),
     "vehicle types as declared",
     "listVehicleTypes", TAG_SETTINGS, 200, ROUTE_PAGED, &page_vehicle_types},
    {HTTP_VERB_GET, STAFF, SCOPE_OPEN, false, "/v1/vehicle-types/{code}",
     ask_vehicle_type, ARGS(declared_args),
     "one vehicle type as declared",
     "getVehicleType", TAG_SETTINGS, 200, 0, &answer_vehicle_type},
    {HTTP_VERB_GET, STAFF, SCOPE_OPEN, false, "/v1/plans",
     ask_plans, ARGS(list_args),
     "pricing plans as declared",
     "listPlans", TAG_SETTINGS, 200, ROUTE_PAGED, &page_plans},
    {HTTP_VERB_GET, STAFF, SCOPE_OPEN, false, "/v1/plans/{code}",
     ask_plan, ARGS(declared_args),
     "one pricing plan as declared",
     "getPlan", TAG_SETTINGS, 200, 0, &answer_plan},
    {HTTP_VERB_GET, STAFF, SCOPE_OPERATOR, false, "/v1/fleet",
     ask_fleet, ARGS(list_args),
     "vehicles as declared, up to 1000 a page",
     "listFleet", TAG_SETTINGS, 200, ROUTE_PAGED, &page_fleet},
    {HTTP_VERB_GET, 0, SCOPE_NOBODY, false, "/v1/about",
     ask_about, NO_ARGS,
     "cities and demo, before signing in",
     "getAbout", TAG_SERVER, 200, ROUTE_PUBLIC, &answer_about},
    {HTTP_VERB_PUT, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/webhooks/{code}",
     ask_put_webhook, ARGS(webhook_args),
     "declare who gets events pushed; the secret is shown once",
     "putWebhook", TAG_EVENTS, 200, 0, &answer_webhook},
    {HTTP_VERB_GET, ROLE(CONTROL) | ROLE(ONCALL), SCOPE_OPERATOR, false, "/v1/webhooks/{code}",
     ask_webhook, ARGS(one_webhook_args),
     "how far its deliveries are",
     "getWebhook", TAG_EVENTS, 200, 0, &answer_webhook},
    {HTTP_VERB_DELETE, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/webhooks/{code}",
     ask_delete_webhook, ARGS(one_webhook_args),
     "push no more",
     "deleteWebhook", TAG_EVENTS, 200, 0, &answer_id},
    {HTTP_VERB_POST, ROLE(CONTROL) | ROLE(ONCALL), SCOPE_OPERATOR, false, "/v1/webhooks/{code}/replay",
     ask_webhook_replay, ARGS(replay_args),
     "deliver again from an event on",
     "replayWebhook", TAG_EVENTS, 200, ROUTE_UNKEYED, &answer_webhook},
    {HTTP_VERB_PUT, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/hooks/{ask}",
     ask_put_hook, ARGS(hook_args),
     "declare who is asked before something is done; the secret is shown once",
     "putHook", TAG_SETTINGS, 200, 0, &answer_hook},
    {HTTP_VERB_GET, ROLE(CONTROL) | ROLE(ONCALL), SCOPE_OPERATOR, false, "/v1/hooks/{ask}",
     ask_hook, ARGS(one_hook_args),
     "who is asked",
     "getHook", TAG_SETTINGS, 200, 0, &answer_hook},
    {HTTP_VERB_DELETE, ROLE(CONTROL), SCOPE_OPERATOR, false, "/v1/hooks/{ask}",
     ask_delete_hook, ARGS(one_hook_args),
     "ask no more",
     "deleteHook", TAG_SETTINGS, 200, 0, &answer_id},
    {HTTP_VERB_GET, 0, SCOPE_NOBODY, false, "/openapi.json",
     ask_openapi, NO_ARGS,
     "this document",
     "getOpenapi", TAG_SERVER, 200, ROUTE_PUBLIC | ROUTE_PLAIN, NULL},
};
/* clang-format on */
const unsigned route_count = sizeof routes / sizeof *routes;

const struct route_tag route_tags[TAG_N] = {
    [TAG_RIDES] = {"rides", "Rent a vehicle, and what became of it"},
    [TAG_VEHICLES] = {"vehicles", "The fleet: what it is, does and says, and orders to it"},
    [TAG_EVENTS] = {"events", "What happens, as it happens"},
    [TAG_ACCOUNTS] = {"accounts", "Signing in, riders and staff"},
    [TAG_SETTINGS] = {"settings", "What an operator declares"},
    [TAG_SERVER] = {"server", "The server about itself"},
};

const char *const route_scope_names[SCOPE_N] = {
    [SCOPE_NOBODY] = "nobody", [SCOPE_OWN] = "own",           [SCOPE_CITY] = "city",
    [SCOPE_OPEN] = "open",     [SCOPE_OPERATOR] = "operator",
};

const char *route_verb_name(unsigned verb)
{
    static const char *const names[HTTP_VERB_N] = {
        [HTTP_VERB_GET] = "GET",     [HTTP_VERB_HEAD] = "HEAD",   [HTTP_VERB_POST] = "POST",
        [HTTP_VERB_PUT] = "PUT",     [HTTP_VERB_PATCH] = "PATCH", [HTTP_VERB_DELETE] = "DELETE",
        [HTTP_VERB_OPTIONS] = "OPTIONS",
    };
    return verb < HTTP_VERB_N ? names[verb] : "?";
}

static bool path_fits(const char *pattern, struct bytes path)
{
    for (size_t i = 0; pattern[i] && pattern[i] != '{'; i++) { /* most rows end here */
        if (i == path.len || path.at[i] != (uint8_t)pattern[i]) return false;
    }
    struct bytes names = bytes_text(pattern), name, segment;
    while (http_path_next(&names, &name)) {
        if (!http_path_next(&path, &segment) || !segment.len) return false;
        if (name.len && name.at[0] == '{') continue;
        if (!bytes_equal(name, segment)) return false;
    }
    return !http_path_next(&path, &segment);
}

const struct route *route_find(enum http_verb verb, struct bytes path, uint32_t *verbs)
{
    const struct route *found = NULL;
    enum http_verb wanted = verb == HTTP_VERB_HEAD ? HTTP_VERB_GET : verb;
    *verbs = 0;
    for (unsigned i = 0; i < route_count; i++) {
        if (!path_fits(routes[i].path, path)) continue;
        *verbs |= 1u << routes[i].verb | (routes[i].verb == HTTP_VERB_GET ? 1u << HTTP_VERB_HEAD : 0);
        if (routes[i].verb == wanted && !found) found = &routes[i];
    }
    return found;
}
