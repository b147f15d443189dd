/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h: the api on a fake loop, with the test as the engine on the other side of its rings, for the tests here.
 *
 * Accounts that the api announces are answered by rig_next() itself: riders get row id RIG_RIDER_ROW.
 * Thread one; no clock, no socket */
#ifndef API_RIG_H
#define API_RIG_H

#include "api/api.h"
#include "engine/traffic.h"
#include "net/fake/client_fake.h"
#include "net/fake/loop_fake.h"

#define RIG_RIDER_ROW 100u
#define RIG_STAFF_ROW 200u
#define RIG_WALL_MS 1764000000000ll

struct rig_options {
    uint32_t ring;                /* items of both; 0 = 64 */
    struct api_limits limits;
    struct http_limits http;
    bool no_tables;               /* tables.db is not there yet */
    bool no_messages;             /* no way for messages */
    bool keep_announces;          /* rig_next gives them instead of answering */
    uint64_t luck;                /* other numbers for other randomness */
};

struct rig {
    struct rig_options options;
    struct loop *loop;
    struct api *api;
    struct auth *auth;
    struct desk *desk, *push_desk;
    struct client_fake client;
    struct street *street;        /* rig_street.h tells it what happened */
    uint64_t street_seq;
    struct clerk *clerk;
    struct message_ask message;       /* the last one that left */
    unsigned messages;
    struct tables tables;
    char folder[32];              /* where tables.db is: it does not live in memory alone */
    struct ring urgent, out;
    void *memory;
    uint64_t drawn, seq, asked_last; /* asked_last: rig_ask_once's connection */
    int64_t wall_ms;
    unsigned wakes, announces;
    bool ready;
    const char *why;
    char tokens[AUTH_ROLE_N][AUTH_TOKEN_LEN];
    struct uuid accounts[AUTH_ROLE_N];
};

struct rig_reply { int status; struct bytes head, body; };

void rig_open(struct rig *r, const struct rig_options *options);
void rig_close(struct rig *r);

/* Lines of further headers, each with its CR LF. `role` 0: no token. */
struct rig_request { const char *method, *path, *key, *body, *headers; enum auth_role role; };
/* On a connection of its own; settles. */
uint64_t rig_ask(struct rig *r, struct rig_request request);
void rig_ask_on(struct rig *r, uint64_t conn, struct rig_request request);
/* The first reply on that connection; status 0: none yet. Borrowed until the next turn. */
struct rig_reply rig_reply(struct rig *r, uint64_t conn);
/* For tests that ask more often than the fake network has connections: the one before is hung up. */
struct rig_reply rig_ask_once(struct rig *r, struct rig_request request);
bool rig_has(struct bytes text, const char *part);
struct rig_reply rig_admin(struct rig *r, const char *path);

/* What the engine finds in its ring; false: nothing. */
bool rig_next(struct rig *r, struct inbound *out);
/* Gives one item to the api and settles; seq 0 takes the next. */
void rig_give(struct rig *r, struct to_api item);
void rig_reply_ride(struct rig *r, uint64_t handle, const struct ride *ride);
void rig_reply_code(struct rig *r, uint64_t handle, enum err_code code);
void rig_answer_ride(struct rig *r, uint64_t handle, const struct ride *ride); /* NULL: not in memory */
void rig_event_ride(struct rig *r, const struct ride *ride, struct uuid rider);
/* The event brings the ride along, as one does that a vehicle brought about. */
void rig_event_with_ride(struct rig *r, const struct ride *ride, struct uuid rider);
/* Writes rows into the tables as one cut up to the present seq. */
void rig_cut(struct rig *r, enum row_kind kind, const void *row);
void rig_pass_ms(struct rig *r, int64_t ms);

/* A ride of the rig's rider. */
struct ride rig_ride(uint8_t name, enum ride_state state);
struct uuid rig_uuid(uint8_t name); /* 11111111-... of that byte */

#endif
