/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h: every entity that the engine keeps, a row each, described once.
 *
 * The struct, its encoding, the state hash, the SQL table with its columns, the JSON of the API and
 * docs/reference/tables.md follow from these lists. Field 1 is the id: made by the engine, from 1, never reused,
 * never shown. `uuid` is the name outside. Append fields; numbers are for ever.
 *
 * Units   *_ms since 1970 UTC (type TIME) or a duration, *_minor in the currency's smallest coin, *_e7 degrees x 10^7
 * Pure */
#ifndef ENGINE_ROWS_H
#define ENGINE_ROWS_H

#include "engine/terms.h"

/* The engine's own state; one row. */
#define PARTITION_FIELDS(F)                                                                              \
    F( 1, id,             U64,  NONE, PRIVATE, "always 1")                                               \
    F( 2, seq,            U64,  NONE, STAFF,   "number of the last fact applied")                        \
    F( 3, now_ms,         TIME, NONE, STAFF,   "time of the last fact; never goes back")                 \
    F( 4, next_id,        U64,  NONE, PRIVATE, "next inside id, for every entity")                       \
    F( 5, seed0,          U64,  NONE, PRIVATE, "secret seed of the engine's random numbers")             \
    F( 6, seed1,          U64,  NONE, PRIVATE, "its second half")                                        \
    F( 7, draws,          U64,  NONE, PRIVATE, "random numbers drawn so far")                            \
    F( 8, uuid,           UUID, NONE, STAFF,   "the operator's name outside")                            \
    F( 9, name,           TEXT32, NONE, STAFF, "the operator's name")                                    \
    F(10, starts,         U64,  NONE, STAFF,   "how often a process took up this state")                 \
    F(11, tables_seq,     U64,  NONE, PRIVATE, "the tables were last reported written up to this fact")

#define LEGAL_ENTITY_FIELDS(F)                                                                           \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, STAFF,   "name outside")                                           \
    F( 3, code,           TEXT32, NONE, STAFF, "short name used in settings files")                      \
    F( 4, name,           TEXT32, NONE, STAFF, "the company that sells and invoices")                    \
    F( 5, currency,       TEXT4, NONE, STAFF,  "ISO 4217; books are kept in it")                         \
    F( 6, decimals,       U8,   NONE, STAFF,   "decimals of the currency: 0, 2 or 3")

#define CITY_FIELDS(F)                                                                                   \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, STAFF,   "name outside")                                           \
    F( 3, code,           TEXT32, NONE, STAFF, "short name used in settings files and feed addresses")   \
    F( 4, name,           TEXT32, NONE, STAFF, "name for people")                                        \
    F( 5, entity_id,      U64,  NONE, PRIVATE, "the legal entity that sells here")                       \
    F( 6, time_zone,      TEXT32, NONE, STAFF, "IANA name")                                              \
    F( 7, lat_e7,         E7,   NONE, STAFF,   "centre")                                                 \
    F( 8, lon_e7,         E7,   NONE, STAFF,   "centre")                                                 \
    F( 9, radius_m,       U32,  NONE, STAFF,   "boundary: within this distance of the centre; 0 = none") \
    F(10, ride_max_ms,    I64,  NONE, STAFF,   "a ride is ended after this long; 0 = 12 hours")

#define VEHICLE_TYPE_FIELDS(F)                                                                           \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, STAFF,   "name outside")                                           \
    F( 3, code,           TEXT32, NONE, STAFF, "short name used in settings files")                      \
    F( 4, name,           TEXT32, NONE, STAFF, "name for people")                                        \
    F( 5, heartbeat_ms,   I64,  NONE, STAFF,   "longest silence of a healthy device; 0 = 240 s")         \
    F( 6, battery_min_pct, U8,  NONE, STAFF,   "no ride starts below this charge")                       \
    F( 7, motor,          BOOL, NONE, STAFF,   "has a motor: its charge counts")

#define PLAN_FIELDS(F)                                                                                   \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, STAFF,   "name outside")                                           \
    F( 3, code,           TEXT32, NONE, STAFF, "short name used in settings files")                      \
    F( 4, name,           TEXT32, NONE, STAFF, "name for people")                                        \
    F( 5, city_id,        U64,  NONE, PRIVATE, "where it holds")                                         \
    F( 6, type_id,        U64,  NONE, PRIVATE, "for which vehicle type; 0 = every type")                 \
    F( 7, unlock_minor,   I64,  NONE, STAFF,   "price of the unlock")                                    \
    F( 8, minute_minor,   I64,  NONE, STAFF,   "price of each started minute")                           \
    F( 9, version,        U32,  NONE, STAFF,   "counts its changes; a ride keeps the prices it began with")

#define VEHICLE_FIELDS(F)                                                                                \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, STAFF,   "name outside")                                           \
    F( 3, code,           TEXT16, NONE, RIDER, "the public code printed on it")                          \
    F( 4, type_id,        U64,  NONE, PRIVATE, "its type")                                               \
    F( 5, city_id,        U64,  NONE, PRIVATE, "its city")                                               \
    F( 6, device_id,      U64,  NONE, PRIVATE, "the IoT unit on it; 0 = none")                           \
    F( 7, state,          ENUM, vehicle_state, RIDER, "MDS state")                                       \
    F( 8, state_ms,       TIME, NONE, STAFF,   "since when")                                             \
    F( 9, last_event,     ENUM, vehicle_event, STAFF, "MDS event that led to it")                        \
    F(10, held_state,     ENUM, vehicle_state, STAFF, "state before the vehicle fell silent")            \
    F(11, cause,          ENUM, vehicle_event, STAFF, "event that made it non_operational")              \
    F(12, ride_id,        U64,  NONE, PRIVATE, "the open ride; 0 = none")                                \
    F(13, trip,           UUID, NONE, STAFF,   "the ride that the MDS state speaks of")                  \
    F(14, owed,           ENUM, vehicle_event, PRIVATE, "event that is owed for it once the vehicle speaks again") \
    F(15, command_id,     U64,  NONE, PRIVATE, "the command under way; 0 = none")                        \
    F(16, relock_ms,      TIME, NONE, PRIVATE, "when it was last locked again for want of a ride")       \
    F(17, suspect,        BOOL, NONE, STAFF,   "may be unlocked without a ride: not rentable until it reports its lock closed") \
    F(18, side_command_id, U64, NONE, PRIVATE, "the locate or ring under way; 0 = none")                 \
    F(19, relock_ask_ms,  TIME, NONE, PRIVATE, "when it was last asked whether it stands still, to be locked") \
    F(20, damage,         ENUM, damage_kind, STAFF, "reported, and nobody looked at it yet: not rentable") \
    F(21, damage_ms,      TIME, NONE, STAFF,   "when that was reported")

#define PUBLIC_CODE_FIELDS(F)                                                                            \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, code,           TEXT16, NONE, RIDER, "the code")                                               \
    F( 3, vehicle_id,     U64,  NONE, PRIVATE, "the vehicle that carries it")

#define DEVICE_FIELDS(F)                                                                                 \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, protocol,       U8,   NONE, STAFF,   "enum protocol of proto/codec.h")                         \
    F( 3, ident,          TEXT64, NONE, STAFF, "the device's own id")                                    \
    F( 4, vehicle_id,     U64,  NONE, PRIVATE, "the vehicle that carries it")                            \
    F( 5, session,        U64,  NONE, PRIVATE, "handle of its connection; 0 = none")                     \
    F( 6, caps,           U32,  NONE, STAFF,   "CAP_* of proto/codec.h")                                 \
    F( 7, seen_ms,        TIME, NONE, STAFF,   "when it last said anything")                             \
    F( 8, lock_state,     ENUM, lock_state, STAFF, "as last reported")                                   \
    F( 9, lock_ms,        TIME, NONE, STAFF,   "when that was reported")                                 \
    F(10, battery_pct,    U8,   NONE, RIDER,   "charge of the vehicle's battery")                        \
    F(11, charging,       BOOL, NONE, STAFF,   "on a charger")                                           \
    F(12, iot_mV,         U16,  NONE, STAFF,   "the IoT unit's own battery")                             \
    F(13, rssi,           U8,   NONE, STAFF,   "signal, CSQ-like")                                       \
    F(14, lat_e7,         E7,   NONE, RIDER,   "last good position")                                     \
    F(15, lon_e7,         E7,   NONE, RIDER,   "last good position")                                     \
    F(16, fix_ms,         TIME, NONE, RIDER,   "when the device took it")                                \
    F(17, fix_got_ms,     TIME, NONE, STAFF,   "when it arrived")                                        \
    F(18, speed_dmh,      U16,  NONE, STAFF,   "last reported speed, 0.1 km/h")                          \
    F(19, moved_ms,       TIME, NONE, STAFF,   "last evidence of movement")                              \
    F(20, still_ms,       TIME, NONE, STAFF,   "last evidence of standing still")                        \
    F(21, total_m,        U32,  NONE, STAFF,   "distance since it was built")                            \
    F(22, stamp,          U32,  NONE, PRIVATE, "stamp of its last order; each order has a later one")    \
    F(23, swap_ms,        TIME, NONE, PRIVATE, "when a second connection last took over")                \
    F(24, has_battery,    BOOL, NONE, PRIVATE, "battery_pct was reported")                               \
    F(25, has_fix,        BOOL, NONE, PRIVATE, "a position was reported")                                \
    F(26, silent,         BOOL, NONE, PRIVATE, "declared silent; cleared by its next word")              \
    F(27, unanswered,     U8,   NONE, STAFF,   "commands in a row without an answer")                    \
    F(28, signed_in_ms,   TIME, NONE, PRIVATE, "when its connection began")                              \
    F(29, poisoned,       BOOL, NONE, STAFF,   "sent a fact that stopped the engine: not listened to")

#define RIDER_FIELDS(F)                                                                                  \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, RIDER,   "account name outside")                                   \
    F( 3, state,          ENUM, account_state, STAFF, "active or blocked")                               \
    F( 4, ride_id,        U64,  NONE, PRIVATE, "the open ride; 0 = none")                                \
    F( 5, owed_minor,     I64,  NONE, STAFF,   "booked on the rider's account")                          \
    F( 6, rides,          U32,  NONE, STAFF,   "rides charged so far")                                   \
    F( 7, damage_ms,      TIME, NONE, PRIVATE, "start of the hour in which damages are counted")         \
    F( 8, damages,        U8,   NONE, PRIVATE, "damages said in it that took a vehicle out of service") \
    F( 9, city_id,        U64,  NONE, PRIVATE, "city of the last ride: staff of that city see them; 0 = none yet")

#define STAFF_FIELDS(F)                                                                                  \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, STAFF,   "account name outside")                                   \
    F( 3, role,           ENUM, staff_role, STAFF, "what they may do")

#define RIDE_FIELDS(F)                                                                                   \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, RIDER,   "name outside")                                           \
    F( 3, state,          ENUM, ride_state, RIDER, "where it stands")                                    \
    F( 4, rider_id,       U64,  NONE, PRIVATE, "who rides")                                              \
    F( 5, vehicle_id,     U64,  NONE, PRIVATE, "what is ridden")                                         \
    F( 6, city_id,        U64,  NONE, PRIVATE, "where")                                                  \
    F( 7, plan_id,        U64,  NONE, PRIVATE, "at which prices")                                        \
    F( 8, vehicle_code,   TEXT16, NONE, RIDER, "the code that the rider gave")                           \
    F( 9, currency,       TEXT4, NONE, RIDER,  "of the prices")                                          \
    F(10, unlock_minor,   I64,  NONE, RIDER,   "price of the unlock, as seen at the start")              \
    F(11, minute_minor,   I64,  NONE, RIDER,   "price of a started minute, as seen at the start")        \
    F(12, requested_ms,   TIME, NONE, RIDER,   "when it was asked for")                                  \
    F(13, started_ms,     TIME, NONE, RIDER,   "when the vehicle confirmed: the meter starts")           \
    F(14, end_asked_ms,   TIME, NONE, RIDER,   "when the end was first asked for")                       \
    F(15, ended_ms,       TIME, NONE, RIDER,   "when the meter stopped")                                 \
    F(16, reason,         ENUM, ride_reason, RIDER, "why it ended, failed or was cancelled")             \
    F(17, refusal,        U8,   NONE, PRIVATE, "code of the last refused end (base/err.h)")              \
    F(18, minutes,        U32,  NONE, RIDER,   "started minutes")                                        \
    F(19, charge_minor,   I64,  NONE, RIDER,   "what it cost")                                           \
    F(20, started_by,     ENUM, command_result, RIDER, "confirmed by the vehicle, or inferred from a report") \
    F(21, start_lat_e7,   E7,   NONE, STAFF,   "vehicle's position at the start")                        \
    F(22, start_lon_e7,   E7,   NONE, STAFF,   "vehicle's position at the start")                        \
    F(23, end_lat_e7,     E7,   NONE, STAFF,   "vehicle's position at the end")                          \
    F(24, end_lon_e7,     E7,   NONE, STAFF,   "vehicle's position at the end")                          \
    F(25, deadline_ms,    TIME, NONE, PRIVATE, "when its state runs out")                                \
    F(26, over_seq,       U64,  NONE, PRIVATE, "the fact that settled it; memory may let go once tables hold that") \
    F(27, command_id,     U64,  NONE, PRIVATE, "its lock or unlock command")                             \
    F(28, asks,           U8,   NONE, PRIVATE, "how often the vehicle was asked whether it stands still") \
    F(29, lock_tries,     U8,   NONE, PRIVATE, "lock commands of this end")                              \
    F(30, unlock_user,    U32,  NONE, PRIVATE, "user and stamp of the unlock order: a horseshoe lock names") \
    F(31, unlock_stamp,   U32,  NONE, PRIVATE, "them again when it is closed by hand")                   \
    F(32, closed_ms,      TIME, NONE, PRIVATE, "an unproven lock report came: a second sign ends the ride then") \
    F(33, ending_by,      ENUM, ride_reason, PRIVATE, "who asked for the end under way")                 \
    F(34, resident,       BOOL, NONE, PRIVATE, "still in the engine's memory")                           \
    F(35, hook_reason,    TEXT32, NONE, RIDER, "code that the operator's hook gave for refusing")        \
    F(36, hook_text,      TEXT32, NONE, RIDER, "key of the sentence that says so to the rider")          \
    F(37, ask_id,         U64,  NONE, PRIVATE, "the question under way; 0 = none")

#define COMMAND_FIELDS(F)                                                                                \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, STAFF,   "name outside")                                           \
    F( 3, op,             ENUM, command_op, STAFF, "what is ordered")                                    \
    F( 4, state,          ENUM, command_state, STAFF, "how far it got")                                  \
    F( 5, result,         ENUM, command_result, STAFF, "how that is known")                              \
    F( 6, result_code,    U32,  NONE, STAFF,   "the maker's own result code")                            \
    F( 7, why,            ENUM, command_why, STAFF, "what for")                                          \
    F( 8, vehicle_id,     U64,  NONE, PRIVATE, "to which vehicle")                                       \
    F( 9, device_id,      U64,  NONE, PRIVATE, "by which device")                                        \
    F(10, ride_id,        U64,  NONE, PRIVATE, "for which ride; 0 = none")                               \
    F(11, staff_id,       U64,  NONE, PRIVATE, "on whose word; 0 = not staff")                           \
    F(12, user,           U32,  NONE, PRIVATE, "names the order on the wire, with stamp")                \
    F(13, stamp,          U32,  NONE, PRIVATE, "names the order on the wire, with user")                 \
    F(14, created_ms,     TIME, NONE, STAFF,   "when it was ordered")                                    \
    F(15, sent_ms,        TIME, NONE, STAFF,   "when it went to the connection")                         \
    F(16, accepted_ms,    TIME, NONE, STAFF,   "when the device took it")                                \
    F(17, over_ms,        TIME, NONE, STAFF,   "when it was decided")                                    \
    F(18, deadline_ms,    TIME, NONE, PRIVATE, "when its state runs out")                                \
    F(19, tries,          U8,   NONE, STAFF,   "how often a key was asked for")                          \
    F(20, over_seq,       U64,  NONE, PRIVATE, "the fact that decided it")                               \
    F(21, asked_ms,       TIME, NONE, PRIVATE, "when the device was asked how things stand")             \
    F(22, resident,       BOOL, NONE, PRIVATE, "still in the engine's memory")

/* A request that was answered once and is answered the same again for 24 hours. */
#define ANSWER_FIELDS(F)                                                                                 \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, account,        UUID, NONE, PRIVATE, "who asked")                                              \
    F( 3, key0,           U64,  NONE, PRIVATE, "keyed hash of the Idempotency-Key")                      \
    F( 4, key1,           U64,  NONE, PRIVATE, "its second half")                                        \
    F( 5, body_hash,      U64,  NONE, PRIVATE, "hash of method, path and body")                          \
    F( 6, code,           U8,   NONE, PRIVATE, "answer's code (base/err.h)")                             \
    F( 7, subject_id,     U64,  NONE, PRIVATE, "the ride, command or vehicle of the answer")             \
    F( 8, subject,        UUID, NONE, PRIVATE, "its name outside")                                       \
    F( 9, at_ms,          TIME, NONE, PRIVATE, "when it was answered")                                   \
    F(10, subject_kind,   U8,   NONE, PRIVATE, "enum row_kind of the subject")

/* A device that nobody registered and that spoke all the same. */
#define QUARANTINE_FIELDS(F)                                                                             \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, protocol,       U8,   NONE, STAFF,   "enum protocol of proto/codec.h")                         \
    F( 3, ident,          TEXT64, NONE, STAFF, "the id that it claims")                                  \
    F( 4, first_ms,       TIME, NONE, STAFF,   "first heard")                                            \
    F( 5, last_ms,        TIME, NONE, STAFF,   "last heard; old entries make room for new")              \
    F( 6, reports,        U64,  NONE, STAFF,   "how much it said, counted at sign-in and each minute")   \
    F( 7, poisoned,       BOOL, NONE, STAFF,   "sent a fact that stopped the engine")                    \
    F( 8, session,        U64,  NONE, PRIVATE, "handle of its connection, for when it is registered; 0 = none") \
    F( 9, caps,           U32,  NONE, PRIVATE, "CAP_* of its dialect")

/* One side of a balanced booking; the postings of a ride sum to zero. */
#define POSTING_FIELDS(F)                                                                                \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, ride_id,        U64,  NONE, PRIVATE, "what it is for")                                         \
    F( 3, entity_id,      U64,  NONE, PRIVATE, "whose books")                                            \
    F( 4, city_id,        U64,  NONE, PRIVATE, "where")                                                  \
    F( 5, rider_id,       U64,  NONE, PRIVATE, "the rider's account, or 0 = the entity's ride revenue")  \
    F( 6, amount_minor,   I64,  NONE, STAFF,   "what the account owes (+) or has earned (-)")            \
    F( 7, currency,       TEXT4, NONE, STAFF,  "ISO 4217")                                               \
    F( 8, at_ms,          TIME, NONE, STAFF,   "when it was booked")

/* Who is asked before something is done; the address and its secret are in contacts.db. */
#define HOOK_FIELDS(F)                                                                                   \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, STAFF,   "name outside")                                           \
    F( 3, ask,            ENUM, ask_kind, STAFF, "what is asked")                                        \
    F( 4, deadline_ms,    I64,  NONE, STAFF,   "how long an answer is waited for")                       \
    F( 5, fallback,       ENUM, verdict, STAFF, "what holds without an answer")

/* A question that waits for its answer; it leaves with it. Events tell how it went. */
#define ASK_FIELDS(F)                                                                                    \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, STAFF,   "the question's name outside, the same each time that it is sent") \
    F( 3, kind,           ENUM, ask_kind, STAFF, "what is asked")                                        \
    F( 4, ride_id,        U64,  NONE, PRIVATE, "the ride that waits")                                    \
    F( 5, asked_ms,       TIME, NONE, STAFF,   "when it was first asked")                                \
    F( 6, deadline_ms,    TIME, NONE, STAFF,   "until when an answer counts")                            \
    F( 7, fallback,       ENUM, verdict, STAFF, "what holds without an answer")                          \
    F( 8, send_ms,        TIME, NONE, PRIVATE, "when it is to be sent again; 0 = it is out")

/* Who gets events pushed; the address and its secret are in contacts.db. */
#define WEBHOOK_FIELDS(F)                                                                                \
    F( 1, id,             U64,  NONE, PRIVATE, "inside id")                                              \
    F( 2, uuid,           UUID, NONE, STAFF,   "name outside")                                           \
    F( 3, code,           TEXT32, NONE, STAFF, "short name used in addresses and settings files")        \
    F( 4, kinds,          U64,  NONE, PRIVATE, "1 << each kind of event that is wanted; 0 = all")        \
    F( 5, city,           TEXT32, NONE, STAFF, "code: only events of this city; empty = all")            \
    F( 6, after_seq,      U64,  NONE, PRIVATE, "delivered up to this event")                             \
    F( 7, after_part,     U32,  NONE, PRIVATE, "its second half")                                        \
    F( 8, generation,     U64,  NONE, PRIVATE, "of the cursor: another one after each replay")

/* Entities in the order that tables are loaded. (TAG, tag, FIELDS, limit's name, doc). `kept`: rows stay in the
 * tables when memory lets go of them. */
#define ROW_LIST(R)                                                                                      \
    R(PARTITION,    partition,    PARTITION_FIELDS,    "the engine's own state")                         \
    R(LEGAL_ENTITY, legal_entity, LEGAL_ENTITY_FIELDS, "companies that sell and invoice")                \
    R(CITY,         city,         CITY_FIELDS,         "places with their own prices and boundary")      \
    R(VEHICLE_TYPE, vehicle_type, VEHICLE_TYPE_FIELDS, "models of vehicle")                              \
    R(PLAN,         plan,         PLAN_FIELDS,         "prices")                                         \
    R(VEHICLE,      vehicle,      VEHICLE_FIELDS,      "what is ridden")                                 \
    R(PUBLIC_CODE,  public_code,  PUBLIC_CODE_FIELDS,  "codes printed on vehicles")                      \
    R(DEVICE,       device,       DEVICE_FIELDS,       "IoT units and what they last said")              \
    R(RIDER,        rider,        RIDER_FIELDS,        "people who ride")                                \
    R(STAFF,        staff,        STAFF_FIELDS,        "people who work here")                           \
    R(RIDE,         ride,         RIDE_FIELDS,         "rentals")                                        \
    R(COMMAND,      command,      COMMAND_FIELDS,      "orders to devices")                              \
    R(ANSWER,       answer,       ANSWER_FIELDS,       "answers kept for repeated requests")             \
    R(QUARANTINE,   quarantine,   QUARANTINE_FIELDS,   "devices that nobody registered")                 \
    R(POSTING,      posting,      POSTING_FIELDS,      "bookings, written once")                         \
    R(HOOK,         hook,         HOOK_FIELDS,         "who is asked before something is done")          \
    R(ASK,          ask,          ASK_FIELDS,          "questions that wait for an answer")              \
    R(WEBHOOK,      webhook,      WEBHOOK_FIELDS,      "who gets events pushed, and how far")

enum row_kind {
#define ROW_KIND(TAG, tag, FIELDS, doc) ROW_##TAG,
    ROW_LIST(ROW_KIND)
#undef ROW_KIND
    ROW_N
};

#define ROW_STRUCT(TAG, tag, FIELDS, doc) FIELD_STRUCT(tag, FIELDS)
ROW_LIST(ROW_STRUCT)
#undef ROW_STRUCT

/* Indexed by enum row_kind. Every row begins with `uint64_t id`. SQL table names are these with an s: `rides`
 * (staff, and the engine's own `partition`, stay as they are; entities become legal_entities, cities...). */
extern const struct shape row_shapes[ROW_N];
extern const char *const row_tables[ROW_N];
#define ROW_SIZE_MAX 384

#endif
