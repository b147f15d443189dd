/* SPDX-License-Identifier: Apache-2.0 */
/* err.h: the one error type, sixteen bytes, returned in registers: a code to act on, a literal to read.
 *
 * The table below is the only list of error codes: HTTP status, whether a retry makes sense, the `code` member
 * of problem+json, and docs/reference/errors.md follow from it.
 * Numbers are in journals and tables: append only, never reuse. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#define ERR_LIST(X)                                                                                          \
    /*  no  CODE                  name                     http  retry  what the reader is told           */ \
    X( 0, OK,                    "ok",                     200, false, "done")                               \
    X( 1, MALFORMED,             "malformed",              400, false, "the input breaks its own grammar")   \
    X( 2, INVALID,               "invalid",                422, false, "a field has a value that is not allowed") \
    X( 3, UNAUTHENTICATED,       "unauthenticated",        401, false, "a valid token is needed")            \
    X( 4, FORBIDDEN,             "forbidden",              403, false, "this account may not do that")       \
    X( 5, NOT_FOUND,             "not_found",              404, false, "there is no such thing")             \
    X( 6, STATE,                 "wrong_state",            409, false, "not allowed from the present state") \
    X( 7, FULL,                  "limit_reached",          503, true,  "a configured limit is reached; try again shortly") \
    X( 8, IO,                    "io_failed",              500, true,  "the operating system refused")       \
    X( 9, CORRUPT,               "corrupt",                500, false, "stored data is damaged")             \
    X(10, TOO_LARGE,             "too_large",              413, false, "larger than the limit")              \
    X(11, TIMEOUT,               "timeout",                504, true,  "no answer in time")                  \
    X(12, UNSUPPORTED,           "unsupported",            501, false, "not supported here")                 \
    X(13, IDEMPOTENCY_MISMATCH,  "idempotency_mismatch",   422, false, "this Idempotency-Key was used with another body") \
    X(14, IDEMPOTENCY_IN_FLIGHT, "idempotency_in_flight",  409, true,  "a request with this Idempotency-Key is still being answered") \
    X(15, IDEMPOTENCY_MISSING,   "idempotency_key_missing",400, false, "send an Idempotency-Key header of 1 to 64 printable characters") \
    X(16, RATE_LIMITED,          "rate_limited",           429, true,  "too many requests; slow down")       \
    X(20, RIDER_UNKNOWN,         "rider_unknown",          404, false, "no such rider")                      \
    X(21, RIDER_BLOCKED,         "rider_blocked",          403, false, "this rider may not start rides")     \
    X(22, RIDER_HAS_RIDE,        "rider_has_ride",         409, false, "end the open ride first")            \
    X(23, VEHICLE_UNKNOWN,       "vehicle_unknown",        404, false, "no vehicle has this code")           \
    X(24, VEHICLE_NOT_AVAILABLE, "vehicle_not_available",  409, false, "this vehicle cannot be rented now")  \
    X(25, VEHICLE_SILENT,        "vehicle_silent",         409, false, "the vehicle has not reported recently") \
    X(26, VEHICLE_BATTERY_LOW,   "vehicle_battery_low",    409, false, "the battery is too low for a ride")  \
    X(27, VEHICLE_NOT_LOCKED,    "vehicle_not_locked",     409, false, "the vehicle does not report that it is locked") \
    X(28, VEHICLE_MOVING,        "vehicle_moving",         409, false, "bring the vehicle to a stop first")  \
    X(29, VEHICLE_BUSY,          "vehicle_busy",           409, true,  "another command is running on this vehicle") \
    X(30, NO_RIDE,               "no_ride",                404, false, "there is no such ride")              \
    X(31, RIDE_NOT_ENDABLE,      "ride_not_endable",       409, false, "the ride cannot be ended from its present state") \
    X(32, INTERLOCK,             "interlock",              409, false, "refused for safety: the vehicle is ridden, moves, or is not known to stand still") \
    X(33, COMMAND_UNSUPPORTED,   "command_unsupported",    422, false, "this model cannot do that by remote command") \
    X(34, CITY_UNKNOWN,          "city_unknown",           422, false, "no such city")                       \
    X(35, TYPE_UNKNOWN,          "vehicle_type_unknown",   422, false, "no such vehicle type")               \
    X(36, PLAN_UNKNOWN,          "plan_unknown",           422, false, "no pricing plan for this vehicle type and city") \
    X(37, DEVICE_TAKEN,          "device_taken",           409, false, "the device is on another vehicle")   \
    X(38, EVENT_NOT_ALLOWED,     "event_not_allowed",      409, false, "MDS has no such transition from the vehicle's state") \
    X(39, RIDE_OPEN,             "ride_open",              409, false, "the vehicle has an open ride")       \
    X(40, QUARANTINED,           "quarantined",            403, false, "the sender of a fact that stopped the engine") \
    X(41, VEHICLE_NOT_CONFIRMED, "vehicle_not_confirmed",  504, true,  "the vehicle did not confirm in time") \
    X(42, ENTITY_UNKNOWN,        "legal_entity_unknown",   422, false, "no such legal entity")              \
    X(43, CODE_TAKEN,            "code_taken",             409, false, "the public code belongs to another vehicle") \
    X(44, CLOSE_LOCK,            "close_lock",             409, false, "close the lock by hand to end the ride") \
    X(45, SIGN_IN_REFUSED,       "sign_in_refused",        401, false, "not right, or no longer good")       \
    X(46, APP_TOO_OLD,           "app_too_old",            426, false, "this app is too old: get the new one")

enum err_code {
#define X(no, code, name, http, retry, text) ERR_##code = no,
    ERR_LIST(X)
#undef X
    ERR_CODE_LIMIT = 47
};

struct err {
    enum err_code code;
    const char *why; /* a literal; nobody frees it */
};

#define NO_ERR ((struct err){ERR_OK, ""})
#define ERR(code_name, text) ((struct err){ERR_##code_name, "" text})
#define MUST_USE __attribute__((warn_unused_result))

/* Passes an error up; only where there is nothing to release. */
#define TRY(call)                              \
    do {                                       \
        struct err try_err = (call);           \
        if (try_err.code) return try_err;      \
    } while (0)

/* What the table says of a code; unknown numbers give the row of IO. */
const char *err_name(enum err_code code);
const char *err_text(enum err_code code);
int err_http(enum err_code code);
bool err_retry(enum err_code code);

#endif
