/* SPDX-License-Identifier: Apache-2.0 */
/* push.c: webhooks: events from the one table, in order, at least once, to each receiver at its own pace.
 *
 *     asking ──row──► idle ──news──► reading ──page──► calling ──2xx──► idle, and the cursor becomes a fact
 *                       ▲               └─(nothing)─┐     └──(else)──► resting ──time──► calling, the same batch
 *                       └───────────────────────────┘
 *
 * A batch is a page of GET /v1/events, named "CODE:AFTER-LAST" by the cursors around it: the same name, the same events.
 * A receiver that fails is tried again after 1 s, 2 s, ... 10 minutes; three failures and it counts as down. */
#include <stdlib.h>
#include <string.h>

#include "api/api_json.h"
#include "api/outbound_inside.h"
#include "base/must.h"

static void drop_batch(struct push *p)
{
    free(p->body);
    p->body = NULL;
    p->rows = 0;
}

void push_end(struct push *p)
{
    uint32_t serial = p->serial;
    drop_batch(p);
    *p = (struct push){.serial = serial + 1};
}

struct push *push_find(struct outbound *o, struct bytes code)
{
    for (unsigned i = 0; i < ENDPOINTS_MAX; i++) {
        if (o->pushes[i].stage && bytes_equal(text_bytes(&o->pushes[i].code), code)) return &o->pushes[i];
    }
    return NULL;
}

void push_begin(struct outbound *o, struct bytes code)
{
    for (unsigned i = 0; i < ENDPOINTS_MAX; i++) {
        struct push *p = &o->pushes[i];
        if (p->stage) continue;
        *p = (struct push){.stage = PUSH_ASKING, .serial = p->serial};
        text_clip(&p->code, code);
        return;
    }
    must(!"more webhooks than endpoints");
}

/* From the row's cursor on; what is under way meanwhile counts no more. */
static void start_over(struct outbound *o, struct push *p)
{
    p->stale = p->stage == PUSH_READING || p->stage == PUSH_CALLING;
    drop_batch(p);
    p->at_seq = p->row.after_seq;
    p->at_part = p->row.after_part;
    p->tell = false;
    p->look = true;
    p->failures = 0;
    p->due_ms = o->now_ms;
    if (!p->stale) p->stage = PUSH_IDLE;
}

static void take_row(struct outbound *o, struct push *p, const struct webhook *row)
{
    bool same_cursor = p->stage != PUSH_ASKING && p->row.generation == row->generation;
    bool same = same_cursor && p->row.kinds == row->kinds && text_equal(&p->row.city, &row->city);
    if (!same && same_cursor) { /* another filter: from where it is, not from where the row's copy was taken */
        p->row.kinds = row->kinds;
        p->row.city = row->city;
        p->row.after_seq = p->at_seq;
        p->row.after_part = p->at_part;
    } else {
        p->row = *row;
    }
    if (!same) start_over(o, p);
    else if (p->stage == PUSH_RESTING) p->due_ms = o->now_ms; /* declared again: perhaps it is well again */
}

void push_row(struct outbound *o, uint32_t slot, const struct webhook *row)
{
    struct push *p = slot < ENDPOINTS_MAX ? &o->pushes[slot] : NULL;
    if (!p || p->stage != PUSH_ASKING) return;
    if (row && text_equal(&row->code, &p->code)) {
        take_row(o, p, row);
        return;
    }
    /* Its declaration never became a fact, or its end did and the address stayed behind. */
    struct endpoint *e = endpoint_find(&o->endpoints, "webhook/", text_bytes(&p->code));
    struct err err = e ? endpoint_drop(&o->endpoints, e) : NO_ERR;
    (void)err; /* then at the next start */
    push_end(p);
}

void outbound_webhook_is(struct outbound *o, const struct webhook *row)
{
    struct push *p = push_find(o, text_bytes(&row->code));
    if (!p) {
        /* contacts.db may be older than the journal, or lost: then nobody knows the address until it is declared again. */
        if (!endpoint_find(&o->endpoints, "webhook/", text_bytes(&row->code))) return;
        push_begin(o, text_bytes(&row->code));
        p = push_find(o, text_bytes(&row->code));
    }
    if (p->stage != PUSH_ASKING && p->row.generation != row->generation) o->counters.replays++;
    take_row(o, p, row);
}

void outbound_webhook_gone(struct outbound *o, struct bytes code)
{
    struct push *p = push_find(o, code);
    if (p) push_end(p);
}

/* ---- reading ---- */

static void ask_for_row(struct outbound *o, struct push *p)
{
    struct inbound in = {.is_query = true, .query = {.kind = QUERY_WEBHOOK, .name = p->code},
                         .origin = {.kind = ORIGIN_REQUEST, .handle = OUTBOUND_HANDLE | (uint64_t)(p - o->pushes)}};
    p->due_ms = o->now_ms + (outbound_put(o, &in) ? 5000 : PUSH_BEHIND_MS);
}

static void read_more(struct outbound *o, struct push *p)
{
    struct desk_job job = {.kind = DESK_EVENTS, .sight = SIGHT_STAFF, .after = p->at_seq, .after_part = p->at_part,
                           .kinds = p->row.kinds, .city = p->row.city, .limit = PUSH_BATCH_MAX,
                           .ticket = ticket_of(TICKET_PUSH, (uint32_t)(p - o->pushes), ++p->serial)};
    if (desk_submit(o->options.desk, &job).code) {
        p->due_ms = o->now_ms + PUSH_BEHIND_MS;
        return;
    }
    p->stage = PUSH_READING;
    p->look = false;
}

void push_read(struct outbound *o, struct desk_result *r)
{
    uint32_t slot = ticket_slot(r->ticket);
    struct push *p = slot < ENDPOINTS_MAX ? &o->pushes[slot] : NULL;
    if (!p || p->stage != PUSH_READING || p->serial != ticket_serial(r->ticket)) return;
    p->stage = PUSH_IDLE;
    if (p->stale || r->err.code) {
        p->why = r->err.code && !p->stale ? "the tables could not be read" : p->why;
        p->due_ms = o->now_ms + (p->stale ? 0 : PUSH_REST_MS);
        p->stale = false;
        p->look = true;
        return;
    }
    p->as_of_seq = r->as_of_seq;
    p->look = r->place.more;
    if (!r->rows) { /* nothing for it up to there */
        p->at_seq = r->place.seq;
        p->at_part = r->place.part;
        p->tell = p->tell || p->at_seq - p->row.after_seq > PUSH_TELL_EVERY;
        if (!p->look && r->as_of_seq < o->newest_seq) {
            p->look = true;
            p->due_ms = o->now_ms + PUSH_BEHIND_MS;
        }
        return;
    }
    p->body = r->body;
    p->body_len = r->body_len;
    p->rows = r->rows;
    p->place = r->place;
    r->body = NULL; /* ours from here on */
    p->stage = PUSH_RESTING;
    p->due_ms = o->now_ms;
}

/* ---- sending ---- */

static void rest(struct outbound *o, struct push *p, int status, const char *why)
{
    unsigned doubled = p->failures < 10 ? p->failures : 10;
    int64_t wait_ms = (int64_t)PUSH_REST_MS << doubled;
    if (wait_ms > PUSH_REST_MAX_MS) wait_ms = PUSH_REST_MAX_MS;
    p->failures++;
    p->status = status;
    p->why = why;
    p->stage = PUSH_RESTING;
    p->due_ms = o->now_ms + prng_between(&o->chance, wait_ms * 3 / 4, wait_ms * 5 / 4);
    o->counters.delivery_failures++;
}

static void put_batch_id(const struct push *p, struct buf *b)
{
    buf_put_bytes(b, text_bytes(&p->code));
    buf_put_char(b, ':');
    api_put_event_id(b, p->at_seq, p->at_part);
    buf_put_char(b, '-');
    api_put_event_id(b, p->place.seq, p->place.part);
}

static void call(struct outbound *o, struct push *p)
{
    char id[120];
    struct buf id_buf = buf_on(id, sizeof id);
    struct endpoint_signed sign;
    const struct endpoint *to = endpoint_find(&o->endpoints, "webhook/", text_bytes(&p->code));
    must(to);
    put_batch_id(p, &id_buf);
    struct bytes body = bytes_of(p->body, p->body_len);
    endpoint_sign(to, buf_bytes(&id_buf), outbound_wall_ms(o), body, &sign);
    struct client_call c = {.ticket = ticket_of(TICKET_PUSH, (uint32_t)(p - o->pushes), ++p->serial),
                            .url = endpoint_url(to), .body = body, .headers = sign.headers, .header_count = 3,
                            .deadline_ms = PUSH_CALL_MS};
    struct err e = client_submit(o->options.client, &c);
    if (e.code == ERR_FULL) p->due_ms = o->now_ms + PUSH_BEHIND_MS;
    else if (e.code) rest(o, p, 0, e.why);
    else p->stage = PUSH_CALLING;
}

void push_answered(struct outbound *o, const struct client_answer *a)
{
    uint32_t slot = ticket_slot(a->ticket);
    struct push *p = slot < ENDPOINTS_MAX ? &o->pushes[slot] : NULL;
    if (!p || p->stage != PUSH_CALLING || p->serial != ticket_serial(a->ticket)) return;
    if (p->stale) {
        p->stale = false;
        p->stage = PUSH_IDLE;
        return;
    }
    if (a->err.code || a->status < 200 || a->status > 299) {
        rest(o, p, a->status, a->err.code ? a->err.why : "the receiver answered with another status than 2xx");
        return;
    }
    o->counters.deliveries++;
    o->counters.delivered_events += p->rows;
    p->delivered += p->rows;
    p->delivered_ms = outbound_wall_ms(o);
    p->failures = 0;
    p->why = NULL;
    p->status = a->status;
    p->at_seq = p->place.seq;
    p->at_part = p->place.part;
    p->tell = true;
    p->look = true;
    drop_batch(p);
    p->stage = PUSH_IDLE;
    p->due_ms = o->now_ms;
}

static void tell(struct outbound *o, struct push *p)
{
    struct inbound in = {.fact = {.kind = FACT_WEBHOOK_MOVED}};
    in.fact.webhook_moved = (struct fact_webhook_moved){.code = p->code, .generation = p->row.generation, .seq = p->at_seq,
                                                        .part = p->at_part};
    if (!outbound_put(o, &in)) return;
    p->tell = false;
    p->row.after_seq = p->at_seq;
    p->row.after_part = p->at_part;
}

static bool has_news(const struct outbound *o, const struct push *p)
{
    return p->look || o->newest_seq > p->as_of_seq;
}

int64_t pushes_turn(struct outbound *o)
{
    int64_t next_ms = INT64_MAX;
    for (unsigned i = 0; i < ENDPOINTS_MAX; i++) {
        struct push *p = &o->pushes[i];
        if (p->tell) tell(o, p);
        bool due = p->due_ms <= o->now_ms;
        if (p->stage == PUSH_ASKING && due) ask_for_row(o, p);
        if (p->stage == PUSH_IDLE && due && has_news(o, p)) read_more(o, p);
        if (p->stage == PUSH_RESTING && due) call(o, p);
        bool waits = p->stage == PUSH_ASKING || p->stage == PUSH_RESTING || (p->stage == PUSH_IDLE && has_news(o, p));
        int64_t at_ms = p->tell ? o->now_ms + 1 : waits ? p->due_ms : INT64_MAX;
        if (at_ms < next_ms) next_ms = at_ms;
    }
    return next_ms;
}

/* ---- for people ---- */

static void put_kinds(uint64_t kinds, struct json *j)
{
    json_name(j, "kinds");
    json_open(j, '[');
    for (unsigned kind = 1; kind < EVENT_KIND_N; kind++) {
        if (kinds >> kind & 1) json_literal(j, enum_name(&event_kind_names, kind));
    }
    json_close(j, ']');
}

static const char *state_of(const struct push *p)
{
    if (!p || p->stage == PUSH_ASKING) return "starting";
    if (p->failures >= PUSH_OPEN_AFTER) return "down";
    if (p->failures) return "retrying";
    return p->stage == PUSH_IDLE ? "idle" : "sending";
}

static void time_or_null(struct json *j, const char *name, int64_t ms)
{
    json_name(j, name);
    if (ms) json_i64(j, ms);
    else json_null(j);
}

void outbound_webhook_json(struct outbound *o, const struct webhook *row, int64_t now_ms, struct json *j)
{
    struct endpoint *e = endpoint_find(&o->endpoints, "webhook/", text_bytes(&row->code));
    const struct push *p = push_find(o, text_bytes(&row->code));
    char cursor[40];
    struct buf b = buf_on(cursor, sizeof cursor);
    api_put_event_id(&b, row->after_seq, row->after_part);
    json_name(j, "id");
    json_uuid(j, row->uuid.at);
    json_name(j, "code");
    json_text(j, text_bytes(&row->code));
    json_name(j, "url");
    json_text(j, e ? endpoint_url(e) : bytes_text(""));
    put_kinds(row->kinds, j);
    json_name(j, "city");
    json_text(j, text_bytes(&row->city));
    json_name(j, "cursor");
    json_text(j, buf_bytes(&b));
    json_name(j, "lag_facts");
    json_u64(j, p && o->newest_seq > p->at_seq ? o->newest_seq - p->at_seq : 0);
    json_name(j, "state");
    json_literal(j, state_of(p));
    json_name(j, "failures");
    json_u64(j, p ? p->failures : 0);
    json_name(j, "last_error");
    if (p && p->why) json_literal(j, p->why);
    else json_null(j);
    time_or_null(j, "last_status", p ? p->status : 0);
    time_or_null(j, "last_delivery_ms", p ? p->delivered_ms : 0);
    bool resting = p && p->stage == PUSH_RESTING && p->failures;
    time_or_null(j, "next_try_ms", resting ? outbound_wall_ms(o) + (p->due_ms > now_ms ? p->due_ms - now_ms : 0) : 0);
    json_name(j, "delivered_events");
    json_u64(j, p ? p->delivered : 0);
    if (!e || !e->unseen) return;
    char secret[ENDPOINT_SECRET_TEXT_MAX];
    struct buf s = buf_on(secret, sizeof secret);
    endpoint_put_secret(e, &s);
    json_name(j, "secret");
    json_text(j, buf_bytes(&s));
    e->unseen = false;
}
