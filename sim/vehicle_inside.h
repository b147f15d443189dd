/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle_inside.h: what the files of a simulated vehicle share. Nobody else includes this.
 *
 * vehicle.c       its life: connections, timers, movement, lock and log
 * vehicle_say.c   frames out: states, owed reports, and what can be wrong with a frame
 * vehicle_hear.c  frames in: orders, keys, acknowledgements
 * vehicle_radio.c where there is no network, what is told late, and how far a position is off */
#ifndef SIM_VEHICLE_INSIDE_H
#define SIM_VEHICLE_INSIDE_H

#include "sim/vehicle.h"

#define SECONDS_US 1000000ll
#define MINUTES_US (60 * SECONDS_US)

enum due {
    DUE_CONNECT, DUE_HEARTBEAT, DUE_STATUS, DUE_TRACK, DUE_REPEAT,
    DUE_KEY,      /* gives the key that was asked for */
    DUE_ACT,      /* the bolt has moved */
    DUE_LEAVE,    /* hangs up */
    DUE_TWIN,     /* the second device goes */
    DUE_SET_DOWN, /* whoever carried it or opened it by Bluetooth puts it back */
    DUE_PLACE,    /* tells where it stands */
    DUE_RADIO,    /* without network: looks whether there is one again */
    DUE_N
};

enum owed_class { OWED_L0, OWED_L1, OWED_W0, OWED_E0, OWED_D0, OWED_N };

/* A report that is repeated until acknowledged. */
struct owed {
    uint8_t class, result, tries, alarm;
    bool by_order, was_sent; /* was_sent: over this connection */
    uint32_t user, stamp, ride_min, fault;
    uint32_t sent_before;  /* frames of its class on this connection before its first; for `certain` */
    struct point at;       /* of D0 */
    int64_t fix_ms;
};

/* Where it was while nobody could hear it. */
struct late { struct point at; int64_t fix_ms; };
enum { LATE_MAX = 16 };

struct key {
    uint8_t op, key;
    bool given;
    uint32_t user, stamp, valid_s;
    int64_t until_us;
};

struct sim_vehicle {
    struct crowd *crowd;
    struct prng prng;
    struct sim_vehicle_config config; /* its texts point below */
    struct text64 ident, address;
    struct text4 vendor;
    struct conn_handler handler, twin_handler;
    uint64_t conn, twin_conn;         /* 0: none */
    struct crowd_timer timer;
    int64_t due_us[DUE_N];            /* 0: not */

    /* the thing itself */
    bool locked, moving, carried, off, signed_in;
    struct point at;                  /* where it stood when it last stopped */
    uint64_t draw;
    int64_t left_us, unlocked_us;
    uint32_t battery_ppm, total_m;
    int64_t drained_us, stuck_until_us; /* drained: until when the box's own use is in battery_ppm */
    enum sim_radio hole;              /* why it last had no network */
    bool in_hole;
    int64_t signed_in_us;             /* when it last connected */
    int64_t hole_until_us;            /* of a NO_RADIO that was drawn */

    /* what its IoT unit keeps */
    bool clock_unset, said_locked, said_low, twin_locked, lose_lock_report;
    struct late late[LATE_MAX];
    uint32_t late_count;
    uint32_t heartbeat_s, status_s, track_s, backoff, said_moving;
    uint32_t user, stamp;             /* of the unlock order that opened it; 0: local */
    int64_t clock_error_ms, mute_until_us, said_unlocked_ms, heard_us; /* heard: the order that it is about */
    struct key key, order;            /* order.op: ORDER_NONE, or what the bolt is doing */
    struct owed owed[SIM_VEHICLE_OWED_MAX];
    uint32_t owed_count, sent_of[OWED_N], acks_of[OWED_N];

    struct sim_vehicle_log *log;
    uint32_t log_count, log_cap, log_forgot;
    struct sim_vehicle_counters counters;
};

extern const char owed_commands[OWED_N][3];

/* vehicle.c */
bool vehicle_unlucky(struct sim_vehicle *v, enum sim_vehicle_fault fault);
int64_t vehicle_between_us(struct sim_vehicle *v, int64_t low_ms, int64_t high_ms);
void vehicle_due(struct sim_vehicle *v, enum due what, int64_t in_us);
void vehicle_not_due(struct sim_vehicle *v, enum due what);
void vehicle_leave(struct sim_vehicle *v, int64_t back_in_us);
void vehicle_write_log(struct sim_vehicle *v, struct sim_vehicle_log entry);
/* The bolt moves; the log says so. */
void vehicle_turn_lock(struct sim_vehicle *v, bool locked, bool by_order, uint32_t user, uint32_t stamp);
uint32_t vehicle_ride_minutes(const struct sim_vehicle *v);
void vehicle_count(struct sim_vehicle *v, enum sim_vehicle_fault fault);

/* vehicle_say.c */
void vehicle_say_heartbeat(struct sim_vehicle *v, bool sign_in);
void vehicle_say_twin(struct sim_vehicle *v);
void vehicle_say_status(struct sim_vehicle *v);
void vehicle_say_place(struct sim_vehicle *v, uint8_t origin);
bool vehicle_say_late(struct sim_vehicle *v, const struct late *late);
void vehicle_say_key(struct sim_vehicle *v);
void vehicle_echo(struct sim_vehicle *v, const struct omni_ask *ask);
void vehicle_owe(struct sim_vehicle *v, struct owed owed);
void vehicle_repeat(struct sim_vehicle *v, bool new_connection);
void vehicle_acked(struct sim_vehicle *v, struct bytes command);

/* vehicle_radio.c */
/* Does anything get through, either way? When not, it notices, and makes a new connection later. */
bool vehicle_has_radio(struct sim_vehicle *v);
void vehicle_lose_radio(struct sim_vehicle *v);
void vehicle_look_for_radio(struct sim_vehicle *v);
/* A position that cannot be told now is kept; those are told with a new connection. */
void vehicle_keep_late(struct sim_vehicle *v, struct point at, int64_t fix_ms);
void vehicle_tell_late(struct sim_vehicle *v);
/* Is this lock report, or the answer to one, to be lost? */
bool vehicle_loses(struct sim_vehicle *v);
/* What its receiver makes of where it is, and how sure it is of that. */
struct fix { struct point at; uint16_t hdop_centi; uint8_t sats; };
struct fix vehicle_fix(const struct sim_vehicle *v, struct point at);

/* vehicle_hear.c */
size_t vehicle_hear(struct sim_vehicle *v, struct bytes in);
void vehicle_act(struct sim_vehicle *v);

#endif
