/* SPDX-License-Identifier: Apache-2.0 */
/* terms.h: the field's words as enums, each listed once with its name and meaning.
 *
 * The numbers are in journals and tables: append only, never reuse. Vehicle states and events are those of
 * MDS 2.0 (modes/micromobility), by the same names. Pure. */
#ifndef ENGINE_TERMS_H
#define ENGINE_TERMS_H

#include "base/field.h"

#define VEHICLE_STATE_LIST(X)                                                            \
    X(1, AVAILABLE,       available,       "in the street, may be rented")               \
    X(2, RESERVED,        reserved,        "held for one rider, ride not yet begun")     \
    X(3, ON_TRIP,         on_trip,         "ridden")                                     \
    X(4, NON_OPERATIONAL, non_operational, "in the street, may not be rented")           \
    X(5, REMOVED,         removed,         "taken out of the street")                    \
    X(6, ELSEWHERE,       elsewhere,       "outside the city's boundary")                \
    X(7, NON_CONTACTABLE, non_contactable, "silent for more than 2.5 heartbeats")        \
    X(8, MISSING,         missing,         "silent and not found where it should be")

#define VEHICLE_EVENT_LIST(X)                                                            \
    X( 1, AGENCY_DROP_OFF,         agency_drop_off,         "put back by the city")      \
    X( 2, AGENCY_PICK_UP,          agency_pick_up,          "taken by the city")         \
    X( 3, BATTERY_CHARGED,         battery_charged,         "enough charge again")       \
    X( 4, BATTERY_LOW,             battery_low,             "too little charge for a ride") \
    X( 5, CHANGED_GEOGRAPHIES,     changed_geographies,     "moved into another geography on a trip") \
    X( 6, COMMS_LOST,              comms_lost,              "fell silent")               \
    X( 7, COMMS_RESTORED,          comms_restored,          "speaks again")              \
    X( 8, COMPLIANCE_PICK_UP,      compliance_pick_up,      "taken in for a rule")       \
    X( 9, DECOMMISSIONED,          decommissioned,          "out of the fleet for good") \
    X(10, LOCATED,                 located,                 "a missing vehicle was found") \
    X(11, MAINTENANCE,             maintenance,             "maintenance begins or ends") \
    X(12, MAINTENANCE_PICK_UP,     maintenance_pick_up,     "taken in for repair")       \
    X(13, NOT_LOCATED,             not_located,             "not found where it should be") \
    X(14, OFF_HOURS,               off_hours,               "service hours end")         \
    X(15, ON_HOURS,                on_hours,                "service hours begin")       \
    X(16, PROVIDER_DROP_OFF,       provider_drop_off,       "put into the street by a crew") \
    X(17, REBALANCE_PICK_UP,       rebalance_pick_up,       "taken to be put elsewhere") \
    X(18, RESERVATION_CANCEL,      reservation_cancel,      "the hold ended without a ride") \
    X(19, RESERVATION_START,       reservation_start,       "held for a rider")          \
    X(20, SYSTEM_RESUME,           system_resume,           "the system is open again")  \
    X(21, SYSTEM_SUSPEND,          system_suspend,          "the system is closed")      \
    X(22, TRIP_CANCEL,             trip_cancel,             "the trip ended without being used") \
    X(23, TRIP_END,                trip_end,                "the trip ended")            \
    X(24, TRIP_ENTER_JURISDICTION, trip_enter_jurisdiction, "came into the boundary on a trip") \
    X(25, TRIP_LEAVE_JURISDICTION, trip_leave_jurisdiction, "left the boundary on a trip") \
    X(26, TRIP_START,              trip_start,              "the trip began")            \
    X(27, UNSPECIFIED,             unspecified,             "for a reason that MDS has no word for")

#define RIDE_STATE_LIST(X)                                                               \
    X( 1, REQUESTED, requested, "asked for; checks passed")                              \
    X( 2, HOLDING,   holding,   "waiting for the card hold")                             \
    X( 3, UNLOCKING, unlocking, "the unlock command is on its way")                      \
    X( 4, RIDING,    riding,    "the vehicle confirmed; the meter runs")                 \
    X( 5, PAUSED,    paused,    "parked for a while by the rider")                       \
    X( 6, ENDING,    ending,    "the end was asked for; waiting for the lock")           \
    X( 7, ENDED,     ended,     "over; the charge is fixed")                             \
    X( 8, SETTLED,   settled,   "over and booked")                                       \
    X( 9, FAILED,    failed,    "the vehicle never confirmed; nothing is charged")       \
    X(10, CANCELLED, cancelled, "taken back by the rider before it began; nothing is charged")

#define RIDE_REASON_LIST(X)                                                              \
    X( 0, NONE,               none,               "no reason")                           \
    X( 1, RIDER_ENDED,        rider_ended,        "the rider ended it")                  \
    X( 2, LOCK_CLOSED,        lock_closed,        "the lock was closed on the vehicle")  \
    X( 3, STAFF_ENDED,        staff_ended,        "staff ended it")                      \
    X( 4, LOCK_UNCONFIRMED,   lock_unconfirmed,   "ended at the rider's word: the lock did not confirm") \
    X( 5, TOO_LONG,           too_long,           "the longest ride time was reached")   \
    X( 6, UNLOCK_REFUSED,     unlock_refused,     "the vehicle refused to unlock")       \
    X( 7, UNLOCK_TIMED_OUT,   unlock_timed_out,   "the vehicle did not confirm the unlock") \
    X( 8, NOT_DELIVERED,      not_delivered,      "the vehicle was not connected")       \
    X( 9, RIDER_CANCELLED,    rider_cancelled,    "the rider cancelled before it began") \
    X(10, STILL_LOCKED,       still_locked,       "the vehicle reported that it stayed locked") \
    X(11, REFUSED,            refused,            "the operator's own rules refused it: hook_reason") \
    X(12, NOT_ANSWERED,       not_answered,       "the operator's own rules gave no answer in time") \
    X(13, VEHICLE_CHANGED,    vehicle_changed,    "the vehicle was not ready any more once it was allowed")

#define COMMAND_STATE_LIST(X)                                                            \
    X(1, QUEUED,   queued,   "waiting for the device to be connected")                   \
    X(2, SENT,     sent,     "handed to the device's connection")                        \
    X(3, ACCEPTED, accepted, "the device took it and works on it")                       \
    X(4, DONE,     done,     "the vehicle did it")                                       \
    X(5, FAILED,   failed,   "the vehicle did not do it")                                \
    X(6, UNKNOWN,  unknown,  "no answer in time; later reports will tell")

/* The first five are enum order_op of proto/codec.h, number for number. */
#define COMMAND_OP_LIST(X)                                                               \
    X(1, UNLOCK,  unlock,  "open the lock")                                              \
    X(2, LOCK,    lock,    "close the lock; never while ridden or moving")               \
    X(3, LOCATE,  locate,  "report a position")                                          \
    X(5, RING,    ring,    "make itself heard")                                          \
    X(6, RESTART, restart, "restart the IoT unit; never while ridden or moving")

#define COMMAND_WHY_LIST(X)                                                              \
    X(0, NONE,       none,       "no reason")                                            \
    X(1, RIDE_START, ride_start, "a rider starts")                                       \
    X(2, RIDE_END,   ride_end,   "a rider ends")                                         \
    X(3, STAFF,      staff,      "staff asked")                                          \
    X(4, RELOCK,     relock,     "unlocked with no ride")

#define COMMAND_RESULT_LIST(X)                                                           \
    X(0, NONE,          none,          "no answer yet")                                  \
    X(1, CONFIRMED,     confirmed,     "the device answered that it is done")            \
    X(2, INFERRED,      inferred,      "a later report shows that it is done")           \
    X(3, REFUSED,       refused,       "the device answered with a failure code")        \
    X(4, MOVING,        moving,        "the device refused: it moves")                   \
    X(5, KEY_EXPIRED,   key_expired,   "the device refused the key")                     \
    X(6, NOT_DELIVERED, not_delivered, "never sent: the device was not connected")       \
    X(7, NO_ANSWER,     no_answer,     "no answer in time")                              \
    X(8, DISPROVED,     disproved,     "a later report shows that it was not done")      \
    X(9, INTERLOCK,     interlock,     "withdrawn for safety before it was sent")        \
    X(10, RESTARTED,    restarted,     "the server restarted before the answer")            \
    X(11, WITHDRAWN,    withdrawn,     "taken back before it was sent")

#define ACCOUNT_STATE_LIST(X)                                                            \
    X(1, ACTIVE,  active,  "may use the service")                                        \
    X(2, BLOCKED, blocked, "may not start rides")

#define STAFF_ROLE_LIST(X)                                                               \
    X(1, CONTROL, control, "the control room")                                           \
    X(2, ONCALL,  oncall,  "the engineer on call")                                       \
    X(3, CREW,    crew,    "in the street")

#define LOCK_STATE_LIST(X)                                                               \
    X(0, UNKNOWN,  unknown,  "not reported yet")                                         \
    X(1, LOCKED,   locked,   "locked")                                                   \
    X(2, UNLOCKED, unlocked, "unlocked")

/* What riders and staff may say is broken. */
#define DAMAGE_KIND_LIST(X)                                                              \
    X(1, BRAKES,  brakes,  "brakes do not brake")                                        \
    X(2, WHEEL,   wheel,   "a tyre is flat, a wheel is bent or loose")                   \
    X(3, FRAME,   frame,   "frame, fork, stem or handlebar is cracked or loose")         \
    X(4, BATTERY, battery, "the battery smokes, is hot, bent or missing")                \
    X(5, LIGHTS,  lights,  "no light, no reflector")                                     \
    X(6, LOCK,    lock,    "the lock does not open or close as it should")               \
    X(7, SEAT,    seat,    "saddle, stand, basket or mudguard")                          \
    X(8, CODE,    code,    "the printed code cannot be read")                            \
    X(9, DIRTY,   dirty,   "it is dirty, but rides")                                     \
    X(10, OTHER,  other,   "something else")

#define ASK_KIND_LIST(X)                                                                 \
    X(1, RIDE_MAY_START, ride.may_start, "may this rider start a ride on this vehicle?")  \
    X(2, MESSAGE_SEND,   message.send,   "send this to a person")

#define VERDICT_LIST(X)                                                                  \
    X(1, ALLOW,  allow,  "it may be")                                                    \
    X(2, REFUSE, refuse, "it may not be")

#define EVENT_KIND_LIST(X)                                                               \
    X( 1, VEHICLE_STATE,     vehicle_state,     "a vehicle's MDS state changed")          \
    X( 2, RIDE_STATE,        ride_state,        "a ride's state changed")                \
    X( 3, COMMAND_STATE,     command_state,     "a command's state changed")             \
    X( 4, RIDE_CHARGED,      ride_charged,      "a ride's price was fixed and booked")   \
    X( 5, ALARM,             alarm,             "a device raised an alarm")              \
    X( 6, FAULT,             fault,             "a controller reported a fault code")    \
    X( 7, UNLOCKED_NO_RIDE,  unlocked_no_ride,  "a vehicle is unlocked without a ride")  \
    X( 8, LATE_RESULT,       late_result,       "a device answered a command that was already decided") \
    X( 9, DEVICE_CONNECTED,  device_connected,  "a device connected")                    \
    X(10, DEVICE_GONE,       device_gone,       "a device's connection closed")          \
    X(11, DEVICE_QUARANTINED,device_quarantined,"an unregistered device spoke")          \
    X(12, RIDE_END_REFUSED,  ride_end_refused,  "a ride could not be ended now")         \
    X(13, REGISTERED,        registered,        "a vehicle, rider or setting was declared") \
    X(14, MOVED_NO_RIDE,     moved_no_ride,     "a locked vehicle moves without a ride") \
    X(15, CLOCK_JUMP,        clock_jump,        "the server's clock jumped")             \
    X(16, ONE_WAY_LINK,      one_way_link,      "the device speaks but does not answer") \
    X(17, FACT_REFUSED,      fact_refused,      "a fact that stopped the engine was refused") \
    X(18, ASKED,             asked,             "a question went out to a hook")         \
    X(19, ASK_ANSWERED,      ask_answered,      "a hook answered")                       \
    X(20, ASK_DEFAULTED,     ask_defaulted,     "a hook did not answer in time: its default holds") \
    X(21, DAMAGE_REPORTED,   damage_reported,   "somebody says that a vehicle is damaged: number is a damage_kind") \
    X(22, RIDER_STATE,       rider_state,       "a rider was blocked, or let in again")

#define TERM_ENUM(LIST, tag, PREFIX_ROW, LIMIT) enum tag { LIST(PREFIX_ROW) LIMIT }
#define VEHICLE_STATE_ROW(no, NAME, name, doc) VEHICLE_##NAME = no,
#define VEHICLE_EVENT_ROW(no, NAME, name, doc) VEHICLE_EVENT_##NAME = no,
#define RIDE_STATE_ROW(no, NAME, name, doc) RIDE_##NAME = no,
#define RIDE_REASON_ROW(no, NAME, name, doc) RIDE_REASON_##NAME = no,
#define COMMAND_STATE_ROW(no, NAME, name, doc) COMMAND_##NAME = no,
#define COMMAND_OP_ROW(no, NAME, name, doc) COMMAND_OP_##NAME = no,
#define COMMAND_WHY_ROW(no, NAME, name, doc) COMMAND_WHY_##NAME = no,
#define COMMAND_RESULT_ROW(no, NAME, name, doc) COMMAND_RESULT_##NAME = no,
#define ACCOUNT_STATE_ROW(no, NAME, name, doc) ACCOUNT_##NAME = no,
#define STAFF_ROLE_ROW(no, NAME, name, doc) STAFF_##NAME = no,
#define LOCK_STATE_ROW(no, NAME, name, doc) LOCK_STATE_##NAME = no,
#define DAMAGE_KIND_ROW(no, NAME, name, doc) DAMAGE_##NAME = no,
#define ASK_KIND_ROW(no, NAME, name, doc) ASK_##NAME = no,
#define VERDICT_ROW(no, NAME, name, doc) VERDICT_##NAME = no,
#define EVENT_KIND_ROW(no, NAME, name, doc) EVENT_##NAME = no,

TERM_ENUM(VEHICLE_STATE_LIST, vehicle_state, VEHICLE_STATE_ROW, VEHICLE_STATE_N);
TERM_ENUM(VEHICLE_EVENT_LIST, vehicle_event, VEHICLE_EVENT_ROW, VEHICLE_EVENT_N);
TERM_ENUM(RIDE_STATE_LIST, ride_state, RIDE_STATE_ROW, RIDE_STATE_N);
TERM_ENUM(RIDE_REASON_LIST, ride_reason, RIDE_REASON_ROW, RIDE_REASON_N);
TERM_ENUM(COMMAND_STATE_LIST, command_state, COMMAND_STATE_ROW, COMMAND_STATE_N);
TERM_ENUM(COMMAND_OP_LIST, command_op, COMMAND_OP_ROW, COMMAND_OP_N);
TERM_ENUM(COMMAND_WHY_LIST, command_why, COMMAND_WHY_ROW, COMMAND_WHY_N);
TERM_ENUM(COMMAND_RESULT_LIST, command_result, COMMAND_RESULT_ROW, COMMAND_RESULT_N);
TERM_ENUM(ACCOUNT_STATE_LIST, account_state, ACCOUNT_STATE_ROW, ACCOUNT_STATE_N);
TERM_ENUM(STAFF_ROLE_LIST, staff_role, STAFF_ROLE_ROW, STAFF_ROLE_N);
TERM_ENUM(LOCK_STATE_LIST, lock_state, LOCK_STATE_ROW, LOCK_STATE_N);
TERM_ENUM(DAMAGE_KIND_LIST, damage_kind, DAMAGE_KIND_ROW, DAMAGE_KIND_N);
TERM_ENUM(ASK_KIND_LIST, ask_kind, ASK_KIND_ROW, ASK_KIND_N);
TERM_ENUM(VERDICT_LIST, verdict, VERDICT_ROW, VERDICT_N);
TERM_ENUM(EVENT_KIND_LIST, event_kind, EVENT_KIND_ROW, EVENT_KIND_N);

/* Every enum above by name: the descriptions of rows, facts and effects point here. */
#define TERM_LIST(T)                                                                     \
    T(vehicle_state, VEHICLE_STATE_LIST) T(vehicle_event, VEHICLE_EVENT_LIST)            \
    T(ride_state, RIDE_STATE_LIST) T(ride_reason, RIDE_REASON_LIST)                      \
    T(command_state, COMMAND_STATE_LIST) T(command_op, COMMAND_OP_LIST)                  \
    T(command_why, COMMAND_WHY_LIST) T(command_result, COMMAND_RESULT_LIST)              \
    T(account_state, ACCOUNT_STATE_LIST) T(staff_role, STAFF_ROLE_LIST)                  \
    T(lock_state, LOCK_STATE_LIST) T(event_kind, EVENT_KIND_LIST)                        \
    T(damage_kind, DAMAGE_KIND_LIST) \
    T(ask_kind, ASK_KIND_LIST) T(verdict, VERDICT_LIST)

#define TERM_DECLARE(tag, LIST) extern const struct enum_names tag##_names;
TERM_LIST(TERM_DECLARE)

/* All of them, for documents and for tests that walk. */
extern const struct enum_names *const term_enums[];
extern const unsigned term_enum_count;
/* What a value means, "" where it has no row. */
const char *term_doc(const struct enum_names *names, unsigned value);

#define FIELD_ARG_vehicle_state &vehicle_state_names
#define FIELD_ARG_vehicle_event &vehicle_event_names
#define FIELD_ARG_ride_state &ride_state_names
#define FIELD_ARG_ride_reason &ride_reason_names
#define FIELD_ARG_command_state &command_state_names
#define FIELD_ARG_command_op &command_op_names
#define FIELD_ARG_command_why &command_why_names
#define FIELD_ARG_command_result &command_result_names
#define FIELD_ARG_account_state &account_state_names
#define FIELD_ARG_staff_role &staff_role_names
#define FIELD_ARG_lock_state &lock_state_names
#define FIELD_ARG_damage_kind &damage_kind_names
#define FIELD_ARG_event_kind &event_kind_names
#define FIELD_ARG_ask_kind &ask_kind_names
#define FIELD_ARG_verdict &verdict_names

#endif
