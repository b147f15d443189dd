/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_inside.h: sessions and what the files of the gateway share. Nobody outside src/gateway/ includes this.
 *
 *     FREE ──on_open──► OPEN ──first valid frame──► BOUND ──room in urgent──► announced
 *       ▲────────────────┴──────────on_close──────────┴──────────────────────────┘
 *
 * Files   gateway.c life, hook    gateway_in.c bytes to facts     gateway_fact.c a message as a fact
 *         gateway_out.c to bytes  gateway_wait.c paused sessions  gateway_note.c counts and notes of what is bad */
#ifndef GATEWAY_GATEWAY_INSIDE_H
#define GATEWAY_GATEWAY_INSIDE_H

#include "base/must.h"
#include "gateway/gateway.h"
#include "proto/codec.h"

#define NO_SLOT UINT32_MAX

enum session_state { SESSION_FREE, SESSION_OPEN, SESSION_BOUND };
enum lane { LANE_TELEMETRY, LANE_URGENT, LANE_N };
/* Where a paused session waits: for room in a lane, or for its flood to be over. */
enum wait { WAIT_TELEMETRY = LANE_TELEMETRY, WAIT_URGENT = LANE_URGENT, WAIT_FLOOD, WAIT_N, WAIT_NOT = WAIT_N };

struct session {
    uint64_t conn;
    int64_t allowed_us;         /* next frame at the agreed rate; ahead of now by what was used of the burst */
    int64_t resume_us;          /* WAIT_FLOOD */
    const struct codec *codec;  /* NULL while sniffing */
    uint64_t tape_name;         /* of its device, once it is BOUND */
    uint32_t before, after;     /* in the list of `wait` */
    uint32_t behind;            /* telemetry_puts after the last one that urgent facts may not overtake */
    uint32_t hello_bytes;       /* read before the first valid frame */
    uint32_t noise_row;         /* bytes since the last valid frame; bad_row, overlong_row likewise */
    uint8_t bad_row, overlong_row;
    uint8_t state, wait, dialect;
    uint8_t turn;               /* 1 + enum wait, while it is its turn in that list; 0 */
    bool announced, has_behind;
    struct text4 vendor;
    struct text64 ident, peer;
};
_Static_assert(sizeof(struct session) <= 208, "a vehicle is to cost little");

struct wait_list { uint32_t first, last, count; };

/* A SESSION_CLOSED that found no room. */
struct close_left {
    uint64_t conn;
    uint8_t protocol;
    struct text64 ident;
};

#define WIRE_MAX 256 /* bytes of one ack or order; the longest today has 120 */

/* The ack written last; conn 0: none. */
struct last_ack { uint64_t conn; int64_t at_ms; uint32_t tag; uint16_t len; uint8_t wire[WIRE_MAX]; };

enum { NOTE_SLOTS = 1024, NOTE_GAP_MS = 60000 };

struct gateway {
    struct gateway_config config;
    struct conn_handler handler;
    struct gateway_counters counters;
    struct session *sessions;            /* by conn_slot */
    struct wait_list waits[WAIT_N];
    struct close_left *closes;           /* a queue of slot_max: see close_put */
    uint32_t close_first, close_count;
    uint32_t listener;
    uint32_t telemetry_puts;
    int64_t frame_us, burst_us;          /* between two frames at the agreed rate; the burst in time */
    bool put_any, woke_late, draining;
    struct message ack;                  /* of which only the address and the command change */
    struct last_ack last_ack;
    int64_t wall_of_us, turn_wall_ms;    /* server time of the loop's turn at wall_of_us */
    uint64_t suppressed;
    int64_t noted_ms[NOTE_SLOTS];
};

/* gateway_in.c */
size_t gateway_on_bytes(void *ctx, uint64_t conn, struct bytes in);
/* gateway.c: room for a fact in a lane, not counting who waits; NULL when full. */
struct inbound *lane_room(struct gateway *gw, enum lane lane);
void lane_put(struct gateway *gw, enum lane lane);

/* gateway_fact.c: how urgent it is; false: it is no fact at all. */
bool fact_lane(const struct message *m, enum lane *lane);
void fact_of_message(const struct session *s, const struct message *m, int64_t now_ms, struct fact *out);
/* The day is the one that puts the fix nearest to now. */
int64_t fix_time(int64_t of_day_ms, int64_t now_ms);
/* Letters of a command, at most four. */
uint32_t tag_pack(struct bytes command);
struct bytes tag_unpack(uint32_t tag, uint8_t room[4]);

/* gateway_out.c: writes what waits in `out`; true when some is left. */
bool out_write(struct gateway *gw);

/* gateway_wait.c: pauses; lets go on whoever has room or time. */
void wait_begin(struct gateway *gw, struct session *s, enum wait wait);
void wait_leave(struct gateway *gw, struct session *s);
/* Returns when it wants to be called again. */
int64_t wait_resume(struct gateway *gw);

/* gateway_note.c: server time; one look at the clock serves all frames of a turn. */
int64_t turn_wall_ms(struct gateway *gw);
/* Keeps a frame of a bound session on the tape. */
struct told { uint8_t flags; uint64_t seq; };
void frame_keep(struct gateway *gw, const struct session *s, struct bytes frame, struct told told);
void note_bad(struct gateway *gw, const char *why);
void note_write(struct gateway *gw, const struct session *s, const char *reason, struct bytes frame);
/* Hangs up at once, for the counter's reason. */
void session_hang_up(struct gateway *gw, const struct session *s, uint64_t *counter, const char *reason,
                     enum close_reason how);

#endif
