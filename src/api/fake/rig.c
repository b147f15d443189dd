/* SPDX-License-Identifier: Apache-2.0 */
/* rig.c: see rig.h. */
#include "api/fake/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"

static void random16(void *ctx, uint8_t out[16])
{
    struct rig *r = ctx;
    struct hash_key key = {7 + r->options.luck, 9};
    r->drawn++;
    store_u64(out, hash_mix(key.k0, r->drawn));
    store_u64(out + 8, hash_mix(key.k1, r->drawn));
}

static int64_t wall_ms(void *ctx) { return ((struct rig *)ctx)->wall_ms; }
static void wake_engine(void *ctx) { ((struct rig *)ctx)->wakes++; }

static bool ready(void *ctx, struct buf *why)
{
    struct rig *r = ctx;
    if (!r->ready) buf_put_text(why, r->why);
    return r->ready;
}

static void metrics(void *ctx, struct buf *out)
{
    (void)ctx;
    buf_put_text(out, "rig_metric 1\n");
}

static void say(const char *claim, const char *file, int line)
{
    fprintf(stderr, "%s:%d: broken: %s\n", file, line, claim);
}

static void open_auth(struct rig *r)
{
    struct auth_options options = {.path = ":memory:", .exclusive = true, .random16 = random16, .random_ctx = r};
    struct err e = auth_create(&options, &r->auth);
    must(!e.code);
    for (int role = AUTH_RIDER; role < AUTH_ROLE_N; role++) {
        struct auth_grant grant = {.role = (enum auth_role)role, .now_ms = r->wall_ms,
                                   .expires_ms = r->wall_ms + 3600000};
        e = auth_grant(r->auth, &grant, r->tokens[role], &r->accounts[role]);
        must(!e.code);
    }
}

static void open_clerk(struct rig *r)
{
    struct clerk_options options = {.shared = r->auth, .cost = SECRET_COST_LEAST};
    struct err e = clerk_create(&options, &r->clerk);
    must(!e.code);
}

/* Messages land in r->message. */
static struct err take_message(void *ctx, struct messages *messages, uint64_t ticket, const struct message_ask *message)
{
    struct rig *r = ctx;
    r->message = *message;
    r->messages++;
    message_done(messages, ticket, MESSAGE_SENT);
    return NO_ERR;
}

static void open_desk(struct rig *r)
{
    struct desk_options options = {.path = "/nowhere/tables.db", .inline_jobs = true};
    if (!r->options.no_tables) {
        char path[64];
        memcpy(r->folder, "/tmp/paddock-api-XXXXXX", sizeof "/tmp/paddock-api-XXXXXX");
        must(mkdtemp(r->folder));
        snprintf(path, sizeof path, "%s/tables.db", r->folder);
        struct err opened = tables_open(&r->tables, path, &(struct tables_options){.exclusive = true});
        must(!opened.code);
        options.shared = &r->tables;
    }
    struct err e = desk_create(&options, &r->desk);
    if (!e.code) e = desk_create(&options, &r->push_desk);
    must(!e.code);
    client_fake_init(&r->client);
}

void rig_open(struct rig *r, const struct rig_options *options)
{
    must_set_handler(say);
    memset(r, 0, sizeof *r);
    if (options) r->options = *options;
    uint32_t count = r->options.ring ? r->options.ring : 64;
    size_t need = ring_need(sizeof(struct inbound), count) + ring_need(sizeof(struct to_api), count);
    r->memory = calloc(1, need);
    struct arena a = arena_on(r->memory, need);
    ring_init(&r->urgent, &a, sizeof(struct inbound), count);
    ring_init(&r->out, &a, sizeof(struct to_api), count);
    r->wall_ms = RIG_WALL_MS;
    r->ready = true;
    r->seq = 1000;
    r->loop = loop_fake_create();
    open_auth(r);
    open_clerk(r);
    open_desk(r);
    struct err made = street_create(&(struct street_options){.vehicles_max = 2048, .rides_max = 64, .key = {3, 5}}, &r->street);
    must(!made.code);
    struct api_config config = {
        .loop = r->loop, .loop_conn_max = FAKE_CONN_MAX, .address = bytes_text("a"), .admin_address = bytes_text("b"),
        .port = 3, .urgent = &r->urgent, .out = &r->out, .auth = r->auth, .desk = r->desk, .clerk = r->clerk,
        .client = &r->client.client, .push_desk = r->push_desk, .street = r->street, .key = {11, 13},
        .world = {r, wake_engine, wall_ms, random16, ready, metrics}, .limits = r->options.limits,
        .http = r->options.http, .build = "rig",
    };
    if (!r->options.no_messages) config.messages = (struct message_way){"rig", r, take_message, NULL};
    struct err e = api_create(&config, &r->api);
    must(!e.code);
}

void rig_close(struct rig *r)
{
    api_destroy(r->api);
    desk_destroy(r->push_desk);
    desk_destroy(r->desk);
    street_destroy(r->street);
    clerk_destroy(r->clerk);
    auth_destroy(r->auth);
    if (!r->options.no_tables) {
        char path[64];
        tables_close(&r->tables);
        snprintf(path, sizeof path, "%s/tables.db", r->folder);
        unlink(path);
        rmdir(r->folder);
    }
    loop_destroy(r->loop);
    free(r->memory);
}

void rig_ask_on(struct rig *r, uint64_t conn, struct rig_request q)
{
    static char memory[80000];
    struct buf b = buf_on(memory, sizeof memory);
    buf_put_text(&b, q.method);
    buf_put_char(&b, ' ');
    buf_put_text(&b, q.path);
    buf_put_text(&b, " HTTP/1.1\r\nHost: rig\r\n");
    if (q.role) {
        buf_put_text(&b, "Authorization: Bearer ");
        buf_put(&b, r->tokens[q.role], AUTH_TOKEN_LEN);
        buf_put_text(&b, "\r\n");
    }
    if (q.key) {
        buf_put_text(&b, "Idempotency-Key: ");
        buf_put_text(&b, q.key);
        buf_put_text(&b, "\r\n");
    }
    if (q.headers) buf_put_text(&b, q.headers);
    if (q.body) {
        buf_put_text(&b, "Content-Type: application/json\r\nContent-Length: ");
        buf_put_u64(&b, strlen(q.body));
        buf_put_text(&b, "\r\n");
    }
    buf_put_text(&b, "\r\n");
    if (q.body) buf_put_text(&b, q.body);
    must(!b.full);
    fake_send(r->loop, conn, buf_bytes(&b));
    fake_settle(r->loop);
}

uint64_t rig_ask(struct rig *r, struct rig_request request)
{
    uint64_t conn = fake_dial(r->loop, 0);
    must(conn);
    rig_ask_on(r, conn, request);
    return conn;
}

struct rig_reply rig_reply(struct rig *r, uint64_t conn)
{
    struct bytes in = fake_received(r->loop, conn);
    struct rig_reply reply = {0};
    uint64_t status;
    const uint8_t *end = in.len ? memmem(in.at, in.len, "\r\n\r\n", 4) : NULL;
    if (!end || in.len < 12 || bytes_u64(bytes_of(in.at + 9, 3), 3, &status).code) return reply;
    reply.status = (int)status;
    reply.head = bytes_of(in.at, (size_t)(end - in.at));
    reply.body = bytes_of(end + 4, in.len - reply.head.len - 4);
    return reply;
}

struct rig_reply rig_ask_once(struct rig *r, struct rig_request request)
{
    if (r->asked_last) fake_hang_up(r->loop, r->asked_last);
    fake_settle(r->loop);
    r->asked_last = rig_ask(r, request);
    return rig_reply(r, r->asked_last);
}

bool rig_has(struct bytes text, const char *part)
{
    return text.len && memmem(text.at, text.len, part, strlen(part));
}

struct rig_reply rig_admin(struct rig *r, const char *path)
{
    uint64_t conn = fake_dial(r->loop, 1);
    rig_ask_on(r, conn, (struct rig_request){.method = "GET", .path = path});
    return rig_reply(r, conn);
}

/* ---- the engine's side ---- */

static void put(struct rig *r, struct to_api item)
{
    struct to_api *room = ring_room(&r->out);
    must(room);
    if (!item.seq) item.seq = ++r->seq;
    *room = item;
    ring_put(&r->out);
}

bool rig_next(struct rig *r, struct inbound *out)
{
    for (;;) {
        struct inbound *in = ring_peek(&r->urgent);
        if (!in) {
            fake_settle(r->loop);
            return false;
        }
        *out = *in;
        ring_took(&r->urgent);
        bool rider = out->fact.kind == FACT_RIDER_SET, staff = out->fact.kind == FACT_STAFF_SET;
        if (out->is_query || (!rider && !staff)) return true;
        r->announces++;
        if (r->options.keep_announces) return true;
        put(r, (struct to_api){.kind = TO_API_REPLY, .handle = out->origin.handle,
                               .reply = {.subject_kind = rider ? ROW_RIDER : ROW_STAFF,
                                         .subject_id = rider ? RIG_RIDER_ROW : RIG_STAFF_ROW}});
    }
}

void rig_give(struct rig *r, struct to_api item)
{
    put(r, item);
    fake_settle(r->loop);
}

void rig_reply_ride(struct rig *r, uint64_t handle, const struct ride *ride)
{
    struct to_api item = {.kind = TO_API_REPLY, .handle = handle,
                          .reply = {.subject_kind = ROW_RIDE, .subject_id = ride->id, .subject = ride->uuid}};
    item.ride = *ride;
    rig_give(r, item);
}

void rig_reply_code(struct rig *r, uint64_t handle, enum err_code code)
{
    rig_give(r, (struct to_api){.kind = TO_API_REPLY, .handle = handle, .reply = {.code = (uint8_t)code}});
}

void rig_answer_ride(struct rig *r, uint64_t handle, const struct ride *ride)
{
    struct to_api item = {.kind = TO_API_ANSWER, .handle = handle, .reply = {.code = ride ? ERR_OK : ERR_NOT_FOUND}};
    if (ride) {
        item.reply.subject_kind = ROW_RIDE;
        item.ride = *ride;
    }
    rig_give(r, item);
}

static void give_event(struct rig *r, const struct ride *ride, struct uuid rider, const struct ride *with)
{
    struct to_api item = {.kind = TO_API_EVENT};
    item.event = (struct event){.seq = ++r->seq, .kind = EVENT_RIDE_STATE, .at_ms = r->wall_ms, .ride_id = ride->id,
                                .ride = ride->uuid, .ride_state = ride->state, .rider = rider};
    item.seq = item.event.seq;
    if (with) item.event_ride = *with;
    rig_give(r, item);
}

void rig_event_ride(struct rig *r, const struct ride *ride, struct uuid rider)
{
    give_event(r, ride, rider, NULL);
}

void rig_event_with_ride(struct rig *r, const struct ride *ride, struct uuid rider)
{
    give_event(r, ride, rider, ride);
}

void rig_cut(struct rig *r, enum row_kind kind, const void *row)
{
    struct table_change change = {.kind = (uint8_t)kind, .row = row};
    struct table_cut cut = {.seq = r->seq, .rows = &change, .row_count = row ? 1 : 0};
    struct err e = tables_write_cut(&r->tables, &cut);
    must(!e.code);
}

void rig_pass_ms(struct rig *r, int64_t ms)
{
    fake_advance_ms(r->loop, ms);
    r->wall_ms += ms;
    fake_settle(r->loop);
}

struct uuid rig_uuid(uint8_t name)
{
    struct uuid u;
    memset(u.at, name, sizeof u.at);
    return u;
}

struct ride rig_ride(uint8_t name, enum ride_state state)
{
    struct ride ride = {.id = 500u + name, .uuid = rig_uuid(name), .state = (uint8_t)state, .rider_id = RIG_RIDER_ROW,
                        .unlock_minor = 1000, .minute_minor = 250, .requested_ms = RIG_WALL_MS, .resident = true};
    text_clip(&ride.vehicle_code, bytes_text("SE-0042"));
    text_clip(&ride.currency, bytes_text("SEK"));
    if (state == RIDE_SETTLED) {
        ride.started_ms = RIG_WALL_MS + 1000;
        ride.ended_ms = RIG_WALL_MS + 181000;
        ride.minutes = 3;
        ride.charge_minor = 1750;
    }
    return ride;
}
