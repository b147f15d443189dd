/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle_fault.h: what can go wrong with a simulated vehicle, a row each with its sentence.
 * Thread  any */
#ifndef SIM_VEHICLE_FAULT_H
#define SIM_VEHICLE_FAULT_H

/* Chances in a million; all zero: a good vehicle. */
#define SIM_VEHICLE_FAULT_LIST(X)                                                  \
    X(KEY_SILENT,   "asked for a key, said nothing")                               \
    X(KEY_LATE,     "gave its key 5 to 25 s late")                                 \
    X(ACT_SILENT,   "did it, never said so")                                       \
    X(JAM,          "could not do it and said so, with any code")                  \
    X(LIE,          "said another result than it did")                             \
    X(LEAVE_KEYED,  "hung up between key and order")                               \
    X(NO_LINE_END,  "a frame without LF")                                          \
    X(CRLF,         "a frame with CR LF")                                          \
    X(SPACES,       "spaces around commas")                                        \
    X(TWICE,        "a frame sent twice")                                          \
    X(NOISE,        "bytes that are no frame")                                     \
    X(NO_FIX,       "a position without a fix")                                    \
    X(STALE_FIX,    "a position of minutes ago")                                   \
    X(CLOCK_ZERO,   "its clock is not set (drawn once)")                           \
    X(CLOCK_DRUNK,  "its clock is hours off (drawn once)")                         \
    X(IMEI_CHANGE,  "named another IMEI in mid-connection")                        \
    X(TWIN,         "a second device came with its IMEI (per heartbeat)")          \
    X(MUTE,         "said nothing for minutes (per heartbeat)")                    \
    X(DROP,         "hung up (per heartbeat)")                                     \
    X(ALARM,        "raised an alarm or a fault (per heartbeat)")                  \
    X(MOVED_LOCKED, "was carried off while locked (per heartbeat)")                \
    X(OPENED_LOCAL, "was unlocked over Bluetooth (per heartbeat)")                 \
    X(STUCK,        "its bolt stuck, and stays so for minutes (per order)")        \
    X(NO_RADIO,     "had no network for a while (per heartbeat, and by place)")    \
    X(LATE,         "told late where it had been without network (not drawn)")     \
    X(LOCK_LOST,    "a lock report or its acknowledgement was lost")               \
    X(GPS_JUMP,     "a position far from where it is")

enum sim_vehicle_fault {
#define X(name, text) SIM_VEHICLE_FAULT_##name,
    SIM_VEHICLE_FAULT_LIST(X)
#undef X
    SIM_VEHICLE_FAULT_N
};
const char *sim_vehicle_fault_text(enum sim_vehicle_fault fault);

#endif
