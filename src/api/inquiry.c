/* SPDX-License-Identifier: Apache-2.0 */
/* inquiry.c: questions to hooks: POSTed, tried again while there is time, and the first answer becomes a fact.
 *
 *     due ──► calling ──(answer)──► telling ──► over      whatever passes its deadline is dropped:
 *      ▲         └──(failed, 5xx, nonsense)──┐            the engine applies the default by itself
 *      └──────────────(later)────────────────┘
 *
 * A call that only hangs is not repeated beside itself: its time is the whole time that is left. */
#include <string.h>

#include "api/api_json.h"
#include "api/json_in.h"
#include "api/outbound_inside.h"
#include "base/must.h"

enum { ASK_BODY_MAX = 1024 };

static void let_go(struct outbound *o, struct inquiry *q)
{
    q->stage = INQUIRY_FREE;
    q->serial++;
    o->inquiry_count--;
}

void inquiry_begin(struct outbound *o, const struct effect_ask *ask)
{
    struct inquiry *place = NULL;
    for (uint32_t i = 0; i < o->inquiry_top; i++) {
        struct inquiry *q = &o->inquiries[i];
        if (q->stage && uuid_equal(q->ask.id, ask->id)) return;
        if (!q->stage && !place) place = q;
    }
    if (!place && o->inquiry_top < INQUIRIES_MAX) place = &o->inquiries[o->inquiry_top++];
    if (!place) {
        o->counters.asks_full++;
        return;
    }
    *place = (struct inquiry){.stage = INQUIRY_DUE, .serial = place->serial, .due_ms = o->now_ms, .ask = *ask};
    o->inquiry_count++;
}

static void put_body(const struct effect_ask *ask, struct json *j)
{
    json_open(j, '{');
    json_name(j, "ask");
    json_literal(j, enum_name(&ask_kind_names, ask->ask));
    json_name(j, "id");
    json_uuid(j, ask->id.at);
    json_name(j, "ride");
    json_uuid(j, ask->ride.at);
    json_name(j, "rider");
    json_uuid(j, ask->rider.at);
    json_name(j, "vehicle");
    json_uuid(j, ask->vehicle.at);
    json_name(j, "vehicle_code");
    json_text(j, text_bytes(&ask->vehicle_code));
    json_name(j, "vehicle_type");
    json_text(j, text_bytes(&ask->vehicle_type));
    json_name(j, "city");
    json_text(j, text_bytes(&ask->city));
    bool placed = ask->lat_e7 || ask->lon_e7;
    json_name(j, "lat");
    if (placed) json_decimal(j, ask->lat_e7, 7);
    else json_null(j);
    json_name(j, "lon");
    if (placed) json_decimal(j, ask->lon_e7, 7);
    else json_null(j);
    json_name(j, "asked_ms");
    json_i64(j, ask->asked_ms);
    json_name(j, "deadline_ms");
    json_i64(j, ask->deadline_ms);
    json_close(j, '}');
}

static void later(struct outbound *o, struct inquiry *q)
{
    int64_t wait_ms = INQUIRY_RETRY_MS << (q->failures < 6 ? q->failures : 6);
    q->failures += q->failures < UINT8_MAX;
    o->counters.ask_failures++;
    q->stage = INQUIRY_DUE;
    q->due_ms = o->now_ms + wait_ms;
}

static void call(struct outbound *o, struct inquiry *q, int64_t left_ms)
{
    char memory[ASK_BODY_MAX], id[40];
    struct buf body = buf_on(memory, sizeof memory), id_buf = buf_on(id, sizeof id);
    struct json j = json_on(&body);
    struct endpoint_signed sign;
    const struct endpoint *to = endpoint_find(&o->endpoints, "hook/", bytes_text(enum_name(&ask_kind_names, q->ask.ask)));
    put_body(&q->ask, &j);
    must(!body.full);
    buf_put_uuid(&id_buf, q->ask.id);
    struct err e = ERR(NOT_FOUND, "the hook was taken back");
    if (to) {
        endpoint_sign(to, buf_bytes(&id_buf), outbound_wall_ms(o), buf_bytes(&body), &sign);
        uint32_t slot = (uint32_t)(q - o->inquiries);
        struct client_call c = {.ticket = ticket_of(TICKET_INQUIRY, slot, ++q->serial), .url = endpoint_url(to),
                                .body = buf_bytes(&body), .headers = sign.headers, .header_count = 3,
                                .deadline_ms = (uint32_t)left_ms};
        e = client_submit(o->options.client, &c);
    }
    if (e.code) {
        later(o, q);
        return;
    }
    o->counters.asked++;
    q->stage = INQUIRY_CALLING;
}

/* A word for programs: what does not look like one is left out. */
static void take_word(const struct json_in *doc, const char *name, struct text32 *out)
{
    struct json_in_value v;
    if (!json_in_get(doc, name, &v) || v.kind != JSON_IN_TEXT || v.text.len > sizeof out->at) return;
    for (size_t i = 0; i < v.text.len; i++) {
        uint8_t c = v.text.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '_' && c != '-' && c != '.') return;
    }
    text_clip(out, v.text);
}

static bool take_answer(const struct client_answer *a, struct fact_ask_answered *out)
{
    struct json_in *doc = NULL;
    struct json_in_value v;
    if (a->err.code || a->status != 200 || json_in_parse(a->body, &doc).code) return false;
    bool given = json_in_get(doc, "verdict", &v) && v.kind == JSON_IN_TEXT;
    int verdict = given ? enum_value(&verdict_names, v.text) : -1;
    if (verdict > 0) {
        out->verdict = (uint8_t)verdict;
        take_word(doc, "reason", &out->reason);
        take_word(doc, "text_key", &out->text_key);
    }
    json_in_free(doc);
    return verdict > 0;
}

void inquiry_answered(struct outbound *o, const struct client_answer *answer)
{
    uint32_t slot = ticket_slot(answer->ticket);
    must(slot < INQUIRIES_MAX);
    struct inquiry *q = &o->inquiries[slot];
    if (q->stage != INQUIRY_CALLING || q->serial != ticket_serial(answer->ticket)) return;
    q->answer = (struct fact_ask_answered){.ask = q->ask.id};
    if (take_answer(answer, &q->answer)) q->stage = INQUIRY_TELLING;
    else later(o, q);
}

static void tell(struct outbound *o, struct inquiry *q)
{
    struct inbound in = {.fact = {.kind = FACT_ASK_ANSWERED, .ask_answered = q->answer}};
    if (!outbound_put(o, &in)) return;
    o->counters.answered++;
    let_go(o, q);
}

int64_t inquiries_turn(struct outbound *o)
{
    int64_t next_ms = INT64_MAX;
    if (!o->inquiry_count) return next_ms;
    int64_t wall_ms = outbound_wall_ms(o);
    for (uint32_t i = 0; i < o->inquiry_top; i++) {
        struct inquiry *q = &o->inquiries[i];
        if (!q->stage) continue;
        int64_t left_ms = q->ask.deadline_ms - wall_ms;
        if (left_ms <= 0 && q->stage != INQUIRY_TELLING) {
            o->counters.asks_expired++;
            let_go(o, q); /* its call may still be under way: an answer is stale then */
            continue;
        }
        if (q->stage == INQUIRY_DUE && q->due_ms <= o->now_ms) call(o, q, left_ms);
        if (q->stage == INQUIRY_TELLING) tell(o, q);
        int64_t at_ms = o->now_ms + (q->stage == INQUIRY_TELLING ? 1 : left_ms > 0 ? left_ms : 1);
        if (q->stage == INQUIRY_DUE && q->due_ms < at_ms) at_ms = q->due_ms;
        if (q->stage && at_ms < next_ms) next_ms = at_ms;
    }
    return next_ms;
}
