/* SPDX-License-Identifier: Apache-2.0 */
/* fact.h: every input that the engine takes, a kind each, described once.
 *
 * Facts are what the journal holds: kinds and fields are numbered for ever, append only; the golden bytes in
 * fact_test.c fail on any change to what is there. docs/reference/facts.md is generated from here.
 * Accounts are named by UUID, never by anything personal.
 *
 * Wire    varint kind, then the kind's fields (base/field.h). The time stands in the journal's record header.
 * Pure */
#ifndef ENGINE_FACT_H
#define ENGINE_FACT_H

#include "engine/terms.h"

/* The process began: connections are gone, commands under way become unknown. */
#define NODE_STARTED_FIELDS(F)                                                                           \
    F(1, build,        U64,  NONE, PRIVATE, "build that runs")                                           \
    F(2, seed0,        U64,  NONE, PRIVATE, "fresh randomness, mixed into the engine's seed")            \
    F(3, seed1,        U64,  NONE, PRIVATE, "its second half")
/* Time passed and something is due. */
#define TICK_FIELDS(F)                                                                                   \
    F(1, jumped_ms,    I64,  NONE, PRIVATE, "the wall clock jumped by this much and is not followed; 0 = no")
/* Everything up to this fact is in the tables: what is over may leave memory. */
#define TABLES_WRITTEN_FIELDS(F)                                                                         \
    F(1, seq,          U64,  NONE, PRIVATE, "last fact that the tables hold")
/* A fact that stopped the process is refused; its sender is shut out. */
#define FACT_REFUSED_FIELDS(F)                                                                           \
    F(1, protocol,     U8,   NONE, PRIVATE, "of the sender; 0 = not a device")                           \
    F(2, ident,        TEXT64, NONE, PRIVATE, "the sender")                                              \
    F(3, kind,         U32,  NONE, PRIVATE, "kind of the refused fact")

#define OPERATOR_SET_FIELDS(F)                                                                           \
    F(1, name,         TEXT32, NONE, PRIVATE, "the operator's name")
#define LEGAL_ENTITY_SET_FIELDS(F)                                                                       \
    F(1, code,         TEXT32, NONE, PRIVATE, "which; made when new")                                    \
    F(2, name,         TEXT32, NONE, PRIVATE, "name")                                                    \
    F(3, currency,     TEXT4, NONE, PRIVATE, "ISO 4217; cannot change later")                            \
    F(4, decimals,     U8,   NONE, PRIVATE, "0, 2 or 3")
#define CITY_SET_FIELDS(F)                                                                               \
    F(1, code,         TEXT32, NONE, PRIVATE, "which; made when new")                                    \
    F(2, name,         TEXT32, NONE, PRIVATE, "name")                                                    \
    F(3, entity,       TEXT32, NONE, PRIVATE, "code of the legal entity")                                \
    F(4, time_zone,    TEXT32, NONE, PRIVATE, "IANA name")                                               \
    F(5, lat_e7,       E7,   NONE, PRIVATE, "centre")                                                    \
    F(6, lon_e7,       E7,   NONE, PRIVATE, "centre")                                                    \
    F(7, radius_m,     U32,  NONE, PRIVATE, "boundary; 0 = none")                                        \
    F(8, ride_max_ms,  I64,  NONE, PRIVATE, "longest ride; 0 = 12 hours")
#define VEHICLE_TYPE_SET_FIELDS(F)                                                                       \
    F(1, code,         TEXT32, NONE, PRIVATE, "which; made when new")                                    \
    F(2, name,         TEXT32, NONE, PRIVATE, "name")                                                    \
    F(3, heartbeat_ms, I64,  NONE, PRIVATE, "longest silence of a healthy device; 0 = 240 s")            \
    F(4, battery_min_pct, U8, NONE, PRIVATE, "no ride starts below")                                     \
    F(5, motor,        BOOL, NONE, PRIVATE, "has a motor")
#define PLAN_SET_FIELDS(F)                                                                               \
    F(1, code,         TEXT32, NONE, PRIVATE, "which; made when new")                                    \
    F(2, name,         TEXT32, NONE, PRIVATE, "name")                                                    \
    F(3, city,         TEXT32, NONE, PRIVATE, "code of the city")                                        \
    F(4, vehicle_type, TEXT32, NONE, PRIVATE, "code of the type; empty = every type")                    \
    F(5, unlock_minor, I64,  NONE, PRIVATE, "0 to 1,000,000")                                            \
    F(6, minute_minor, I64,  NONE, PRIVATE, "0 to 1,000,000")
#define VEHICLE_SET_FIELDS(F)                                                                            \
    F(1, code,         TEXT16, NONE, PRIVATE, "public code: which; made when new")                       \
    F(2, city,         TEXT32, NONE, PRIVATE, "code of the city")                                        \
    F(3, vehicle_type, TEXT32, NONE, PRIVATE, "code of the type")                                        \
    F(4, protocol,     U8,   NONE, PRIVATE, "of its device; 0 = no device")                              \
    F(5, ident,        TEXT64, NONE, PRIVATE, "of its device; another one than before = swapped")        \
    F(6, add_code,     TEXT16, NONE, PRIVATE, "one more public code for the same vehicle; empty = none")
#define RIDER_SET_FIELDS(F)                                                                              \
    F(1, account,      UUID, NONE, PRIVATE, "which; made when new")                                      \
    F(2, state,        ENUM, account_state, PRIVATE, "0 = leave as it is, active when new")              \
    F(3, by,           UUID, NONE, PRIVATE, "the staff who say so: only a known rider; zero = the account itself") \
    F(4, city_id,      U64,  NONE, PRIVATE, "only a rider whose last ride was in this city; 0 = any")
#define STAFF_SET_FIELDS(F)                                                                              \
    F(1, account,      UUID, NONE, PRIVATE, "which; made when new")                                      \
    F(2, role,         ENUM, staff_role, PRIVATE, "what they may do")

/* A program of the operator is asked from now on, or no more. */
#define HOOK_SET_FIELDS(F)                                                                               \
    F(1, ask,          ENUM, ask_kind, PRIVATE, "which question; made when new")                         \
    F(2, deadline_ms,  I64,  NONE, PRIVATE, "how long an answer is waited for: 100 to 30,000")           \
    F(3, fallback,     ENUM, verdict, PRIVATE, "what holds without an answer")                           \
    F(4, removed,      BOOL, NONE, PRIVATE, "nobody is asked any more; the rest is not looked at")

/* Events are pushed to somebody from now on, or no more. */
#define WEBHOOK_SET_FIELDS(F)                                                                            \
    F(1, code,         TEXT32, NONE, PRIVATE, "which; made when new")                                    \
    F(2, kinds,        U64,  NONE, PRIVATE, "1 << each kind of event that is wanted; 0 = all")           \
    F(3, city,         TEXT32, NONE, PRIVATE, "code of the city; empty = all")                           \
    F(4, removed,      BOOL, NONE, PRIVATE, "no more; the rest is not looked at")

/* What a rider or staff asks for. key0/key1: keyed hash of the Idempotency-Key; body_hash: of method, path, body. */
#define RIDE_START_FIELDS(F)                                                                             \
    F(1, account,      UUID, NONE, PRIVATE, "the rider")                                                 \
    F(2, key0,         U64,  NONE, PRIVATE, "Idempotency-Key, hashed")                                   \
    F(3, key1,         U64,  NONE, PRIVATE, "its second half")                                           \
    F(4, body_hash,    U64,  NONE, PRIVATE, "hash of what was asked")                                    \
    F(5, code,         TEXT16, NONE, PRIVATE, "public code of the vehicle")
#define RIDE_END_FIELDS(F)                                                                               \
    F(1, account,      UUID, NONE, PRIVATE, "rider or staff")                                            \
    F(2, key0,         U64,  NONE, PRIVATE, "Idempotency-Key, hashed")                                   \
    F(3, key1,         U64,  NONE, PRIVATE, "its second half")                                           \
    F(4, body_hash,    U64,  NONE, PRIVATE, "hash of what was asked")                                    \
    F(5, ride,         UUID, NONE, PRIVATE, "which ride; before the vehicle confirmed this cancels")     \
    F(6, by_staff,     BOOL, NONE, PRIVATE, "the account is staff")                                      \
    F(7, city_id,      U64,  NONE, PRIVATE, "only a ride of this city; 0 = of any")
#define COMMAND_ASK_FIELDS(F)                                                                            \
    F(1, account,      UUID, NONE, PRIVATE, "the staff")                                                 \
    F(2, key0,         U64,  NONE, PRIVATE, "Idempotency-Key, hashed")                                   \
    F(3, key1,         U64,  NONE, PRIVATE, "its second half")                                           \
    F(4, body_hash,    U64,  NONE, PRIVATE, "hash of what was asked")                                    \
    F(5, code,         TEXT16, NONE, PRIVATE, "public code of the vehicle")                              \
    F(6, op,           ENUM, command_op, PRIVATE, "what to order")                                       \
    F(7, city_id,      U64,  NONE, PRIVATE, "only a vehicle of this city; 0 = of any")
#define VEHICLE_MARK_FIELDS(F)                                                                           \
    F(1, account,      UUID, NONE, PRIVATE, "the staff")                                                 \
    F(2, key0,         U64,  NONE, PRIVATE, "Idempotency-Key, hashed")                                   \
    F(3, key1,         U64,  NONE, PRIVATE, "its second half")                                           \
    F(4, body_hash,    U64,  NONE, PRIVATE, "hash of what was asked")                                    \
    F(5, code,         TEXT16, NONE, PRIVATE, "public code of the vehicle")                              \
    F(6, event,        ENUM, vehicle_event, PRIVATE, "the MDS event that happened")                      \
    F(7, to,           ENUM, vehicle_state, PRIVATE, "state after it, where MDS allows several; 0 = the only one") \
    F(8, city_id,      U64,  NONE, PRIVATE, "only a vehicle of this city; 0 = of any")
/* A hook's answer; it counts while its question waits. */
#define ASK_ANSWERED_FIELDS(F)                                                                           \
    F(1, ask,          UUID, NONE, PRIVATE, "which question")                                            \
    F(2, verdict,      ENUM, verdict, PRIVATE, "the answer")                                             \
    F(3, reason,       TEXT32, NONE, PRIVATE, "why not, as a code for programs; empty = not said")       \
    F(4, text_key,     TEXT32, NONE, PRIVATE, "key of the sentence for the rider; empty = none")
/* Events up to one were delivered; or staff want them again from one on. */
#define WEBHOOK_MOVED_FIELDS(F)                                                                          \
    F(1, code,         TEXT32, NONE, PRIVATE, "which webhook")                                           \
    F(2, generation,   U64,  NONE, PRIVATE, "of the cursor that this moves")                             \
    F(3, seq,          U64,  NONE, PRIVATE, "the last event delivered")                                  \
    F(4, part,         U32,  NONE, PRIVATE, "its second half")                                           \
    F(5, replay,       BOOL, NONE, PRIVATE, "go back, or on, to here, whatever the generation")

/* Somebody stands beside a vehicle and says what is wrong with it. */
#define DAMAGE_REPORT_FIELDS(F)                                                                          \
    F(1, account,      UUID, NONE, PRIVATE, "rider or staff")                                            \
    F(2, key0,         U64,  NONE, PRIVATE, "Idempotency-Key, hashed")                                   \
    F(3, key1,         U64,  NONE, PRIVATE, "its second half")                                           \
    F(4, body_hash,    U64,  NONE, PRIVATE, "hash of what was asked")                                    \
    F(5, code,         TEXT16, NONE, PRIVATE, "public code of the vehicle")                              \
    F(6, damage,       ENUM, damage_kind, PRIVATE, "what is wrong")                                      \
    F(7, by_staff,     BOOL, NONE, PRIVATE, "the account is staff")                                      \
    F(8, city_id,      U64,  NONE, PRIVATE, "only a vehicle of this city; 0 = of any")

/* What a device does. `session` is the handle of the connection that it came over. */
#define SESSION_OPENED_FIELDS(F)                                                                         \
    F(1, session,      U64,  NONE, PRIVATE, "handle of the connection")                                  \
    F(2, protocol,     U8,   NONE, PRIVATE, "enum protocol")                                             \
    F(3, ident,        TEXT64, NONE, PRIVATE, "the id that its first valid frame gave")                  \
    F(4, caps,         U32,  NONE, PRIVATE, "CAP_* of its dialect")
#define SESSION_CLOSED_FIELDS(F)                                                                         \
    F(1, session,      U64,  NONE, PRIVATE, "handle of the connection")                                  \
    F(2, protocol,     U8,   NONE, PRIVATE, "enum protocol")                                             \
    F(3, ident,        TEXT64, NONE, PRIVATE, "the device")
#define REPORT_FIELDS(F)                                                                                 \
    F( 1, session,     U64,  NONE, PRIVATE, "handle of the connection")                                  \
    F( 2, protocol,    U8,   NONE, PRIVATE, "enum protocol")                                             \
    F( 3, ident,       TEXT64, NONE, PRIVATE, "the device")                                              \
    F( 4, has,         U32,  NONE, PRIVATE, "HAS_* of proto/codec.h: which of the following count")      \
    F( 5, locked,      BOOL, NONE, PRIVATE, "lock state")                                                \
    F( 6, battery_pct, U8,   NONE, PRIVATE, "charge of the vehicle's battery")                           \
    F( 7, charging,    BOOL, NONE, PRIVATE, "on a charger")                                              \
    F( 8, iot_mV,      U16,  NONE, PRIVATE, "the IoT unit's own battery")                                \
    F( 9, rssi,        U8,   NONE, PRIVATE, "signal")                                                    \
    F(10, lat_e7,      E7,   NONE, PRIVATE, "position")                                                  \
    F(11, lon_e7,      E7,   NONE, PRIVATE, "position")                                                  \
    F(12, fix_ms,      TIME, NONE, PRIVATE, "when the device took it; 0 = not known")                    \
    F(13, speed_dmh,   U16,  NONE, PRIVATE, "0.1 km/h")                                                  \
    F(14, total_m,     U32,  NONE, PRIVATE, "distance since it was built")                               \
    F(15, alarm,       U8,   NONE, PRIVATE, "enum alarm")                                                \
    F(16, fault,       U32,  NONE, PRIVATE, "the controller's fault code")                               \
    F(17, sats,        U8,   NONE, PRIVATE, "satellites of the fix")                                     \
    F(18, hdop_centi,  U16,  NONE, PRIVATE, "dilution of the fix, hundredths")
/* The device gave the key that an order needs. */
#define DEVICE_KEYED_FIELDS(F)                                                                           \
    F(1, session,      U64,  NONE, PRIVATE, "handle of the connection")                                  \
    F(2, protocol,     U8,   NONE, PRIVATE, "enum protocol")                                             \
    F(3, ident,        TEXT64, NONE, PRIVATE, "the device")                                              \
    F(4, op,           ENUM, command_op, PRIVATE, "lock or unlock")                                      \
    F(5, key,          U32,  NONE, PRIVATE, "good once, for seconds")                                    \
    F(6, user,         U32,  NONE, PRIVATE, "names the order, with stamp")                               \
    F(7, stamp,        U32,  NONE, PRIVATE, "names the order, with user")
/* The lock moved or refused to: answer to an order, or (user 0 or stamp 0) done on the vehicle itself. */
#define LOCK_RESULT_FIELDS(F)                                                                            \
    F(1, session,      U64,  NONE, PRIVATE, "handle of the connection")                                  \
    F(2, protocol,     U8,   NONE, PRIVATE, "enum protocol")                                             \
    F(3, ident,        TEXT64, NONE, PRIVATE, "the device")                                              \
    F(4, op,           ENUM, command_op, PRIVATE, "lock or unlock")                                      \
    F(5, result,       U32,  NONE, PRIVATE, "0 = done, else the maker's code")                           \
    F(6, user,         U32,  NONE, PRIVATE, "names the order, with stamp")                               \
    F(7, stamp,        U32,  NONE, PRIVATE, "names the order, with user")                                \
    F(8, ride_min,     U32,  NONE, PRIVATE, "minutes that the device counted")
/* The device repeated an order: it took it. */
#define DEVICE_ECHO_FIELDS(F)                                                                            \
    F(1, session,      U64,  NONE, PRIVATE, "handle of the connection")                                  \
    F(2, protocol,     U8,   NONE, PRIVATE, "enum protocol")                                             \
    F(3, ident,        TEXT64, NONE, PRIVATE, "the device")                                              \
    F(4, op,           ENUM, command_op, PRIVATE, "which order")

#define FACT_LIST(X)                                                                                     \
    X( 1, NODE_STARTED,     node_started,     NODE_STARTED_FIELDS,     "the process began")              \
    X( 2, TICK,             tick,             TICK_FIELDS,             "time passed and something is due") \
    X( 3, TABLES_WRITTEN,   tables_written,   TABLES_WRITTEN_FIELDS,   "the tables hold everything up to a fact") \
    X( 4, FACT_REFUSED,     fact_refused,     FACT_REFUSED_FIELDS,     "a fact that stopped the process is shut out") \
    X(10, OPERATOR_SET,     operator_set,     OPERATOR_SET_FIELDS,     "the operator is declared")       \
    X(11, LEGAL_ENTITY_SET, legal_entity_set, LEGAL_ENTITY_SET_FIELDS, "a legal entity is declared")     \
    X(12, CITY_SET,         city_set,         CITY_SET_FIELDS,         "a city is declared")             \
    X(13, VEHICLE_TYPE_SET, vehicle_type_set, VEHICLE_TYPE_SET_FIELDS, "a vehicle type is declared")     \
    X(14, PLAN_SET,         plan_set,         PLAN_SET_FIELDS,         "a pricing plan is declared")     \
    X(15, VEHICLE_SET,      vehicle_set,      VEHICLE_SET_FIELDS,      "a vehicle and its device are declared") \
    X(16, RIDER_SET,        rider_set,        RIDER_SET_FIELDS,        "a rider is declared")            \
    X(17, STAFF_SET,        staff_set,        STAFF_SET_FIELDS,        "staff are declared")             \
    X(18, HOOK_SET,         hook_set,         HOOK_SET_FIELDS,         "a hook is declared or taken back") \
    X(19, WEBHOOK_SET,      webhook_set,      WEBHOOK_SET_FIELDS,      "a webhook is declared or taken back") \
    X(30, RIDE_START,       ride_start,       RIDE_START_FIELDS,       "a rider asks for a ride")        \
    X(31, RIDE_END,         ride_end,         RIDE_END_FIELDS,         "a rider or staff ask to end or cancel a ride") \
    X(32, COMMAND_ASK,      command_ask,      COMMAND_ASK_FIELDS,      "staff order something of a vehicle") \
    X(33, VEHICLE_MARK,     vehicle_mark,     VEHICLE_MARK_FIELDS,     "staff say what happened to a vehicle") \
    X(34, ASK_ANSWERED,     ask_answered,     ASK_ANSWERED_FIELDS,     "a hook answered a question")     \
    X(35, WEBHOOK_MOVED,    webhook_moved,    WEBHOOK_MOVED_FIELDS,    "a webhook got further, or goes back") \
    X(36, DAMAGE_REPORT,    damage_report,    DAMAGE_REPORT_FIELDS,    "somebody says that a vehicle is damaged") \
    X(50, SESSION_OPENED,   session_opened,   SESSION_OPENED_FIELDS,   "a device's first valid frame came over a connection") \
    X(51, SESSION_CLOSED,   session_closed,   SESSION_CLOSED_FIELDS,   "a device's connection is gone")  \
    X(52, REPORT,           report,           REPORT_FIELDS,           "a device says how it is")        \
    X(53, DEVICE_KEYED,     device_keyed,     DEVICE_KEYED_FIELDS,     "a device gave the key that an order needs") \
    X(54, LOCK_RESULT,      lock_result,      LOCK_RESULT_FIELDS,      "a lock moved or refused to")     \
    X(55, DEVICE_ECHO,      device_echo,      DEVICE_ECHO_FIELDS,      "a device repeated an order: it took it")

enum fact_kind {
#define FACT_KIND(no, NAME, name, FIELDS, doc) FACT_##NAME = no,
    FACT_LIST(FACT_KIND)
#undef FACT_KIND
    FACT_KIND_LIMIT = 64
};

#define FACT_STRUCT(no, NAME, name, FIELDS, doc) struct fact_##name { FIELDS(FIELD_MEMBER) };
FACT_LIST(FACT_STRUCT)
#undef FACT_STRUCT

struct fact {
    uint8_t kind;    /* enum fact_kind */
    int64_t now_ms;  /* server time when it was taken in; in the record header */
    union {
#define FACT_MEMBER(no, NAME, name, FIELDS, doc) struct fact_##name name;
        FACT_LIST(FACT_MEMBER)
#undef FACT_MEMBER
    };
};

#define FACT_BYTES_MAX 320 /* a fact's encoding, kind and all */

/* Shape of a kind, NULL for numbers that are none. */
const struct shape *fact_shape(unsigned kind);
void fact_encode(const struct fact *fact, struct buf *out);
/* MALFORMED on unknown kinds and broken fields. now_ms is the caller's to set. */
MUST_USE struct err fact_decode(struct bytes in, struct fact *out);

#endif
