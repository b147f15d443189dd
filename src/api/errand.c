/* SPDX-License-Identifier: Apache-2.0 */
/* errand.c: message.h's way out by a hook: each message a POST, tried a few times before its deadline, then forgotten.
 *
 *     send ─► due ──► calling ──2xx──► sent        4xx: refused, no use in trying again
 *              ▲         └──(else)──► due, ERRAND_TRIES_MAX times, then failed
 *
 * Number and parameters are in the errand's body and in the call; both are wiped or freed when it is over. */
#include <string.h>

#include "api/outbound_inside.h"
#include "api/secret.h"
#include "base/must.h"

static void put_body(const struct message_ask *m, struct bytes id, struct json *j)
{
    json_open(j, '{');
    json_name(j, "ask");
    json_literal(j, enum_name(&ask_kind_names, ASK_MESSAGE_SEND));
    json_name(j, "id");
    json_text(j, id);
    json_name(j, "to");
    json_text(j, text_bytes(&m->to));
    json_name(j, "template");
    json_literal(j, enum_name(&message_template_names, m->template));
    json_name(j, "params");
    json_open(j, '{');
    for (unsigned i = 0; i < m->param_count; i++) {
        json_name(j, m->params[i].name);
        json_text(j, text_bytes(&m->params[i].value));
    }
    json_close(j, '}');
    json_name(j, "language");
    if (m->language.len) json_text(j, text_bytes(&m->language));
    else json_null(j);
    json_close(j, '}');
}

static void forget(struct outbound *o, struct errand *e)
{
    uint32_t serial = e->serial;
    must(o->errand_count);
    o->errand_count--;
    secret_forget(e, sizeof *e);
    e->serial = serial + 1;
}

static struct err send(void *ctx, struct messages *messages, uint64_t ticket, const struct message_ask *message)
{
    struct outbound *o = ctx;
    struct errand *e = NULL;
    for (unsigned i = 0; i < MESSAGES_MAX && !e; i++) {
        if (!o->errands[i].messages) e = &o->errands[i];
    }
    if (!e) return ERR(FULL, "too many messages under way");
    uint8_t id[16];
    struct buf id_buf = buf_on(e->id, sizeof e->id), body = buf_on(e->body, sizeof e->body);
    struct json j = json_on(&body);
    o->options.random16(o->options.ctx, id);
    buf_put_hex(&id_buf, bytes_of(id, sizeof id));
    put_body(message, buf_bytes(&id_buf), &j);
    must(!body.full && !id_buf.full);
    e->body_len = (uint16_t)body.len;
    e->messages = messages;
    o->errand_count++;
    e->ticket = ticket;
    e->deadline_ms = message->deadline_ms;
    e->due_ms = o->now_ms;
    return NO_ERR;
}

static void drop(void *ctx, uint64_t ticket)
{
    struct outbound *o = ctx;
    for (unsigned i = 0; i < MESSAGES_MAX; i++) {
        if (o->errands[i].messages && o->errands[i].ticket == ticket) forget(o, &o->errands[i]);
    }
}

struct message_way outbound_message_way(struct outbound *o)
{
    return (struct message_way){"hook", o, send, drop};
}

static void over(struct outbound *o, struct errand *e, enum message_outcome outcome)
{
    struct messages *messages = e->messages;
    uint64_t ticket = e->ticket;
    forget(o, e);
    message_done(messages, ticket, outcome);
}

static void again(struct outbound *o, struct errand *e)
{
    if (++e->tries >= ERRAND_TRIES_MAX) over(o, e, MESSAGE_FAILED);
    else e->due_ms = o->now_ms + ((int64_t)ERRAND_RETRY_MS << e->tries);
}

static void call(struct outbound *o, struct errand *e)
{
    struct endpoint_signed sign;
    const struct endpoint *to = endpoint_find(&o->endpoints, "hook/", bytes_text(enum_name(&ask_kind_names, ASK_MESSAGE_SEND)));
    int64_t left_ms = e->deadline_ms - o->now_ms;
    if (!to || left_ms <= 0) return; /* message.h ends it at its deadline */
    struct bytes body = bytes_of(e->body, e->body_len);
    endpoint_sign(to, bytes_of(e->id, sizeof e->id), outbound_wall_ms(o), body, &sign);
    struct client_call c = {.ticket = ticket_of(TICKET_MESSAGE, (uint32_t)(e - o->errands), ++e->serial),
                            .url = endpoint_url(to), .body = body, .headers = sign.headers, .header_count = 3,
                            .deadline_ms = (uint32_t)left_ms};
    if (client_submit(o->options.client, &c).code) again(o, e);
    else e->due_ms = INT64_MAX;
}

void errand_answered(struct outbound *o, const struct client_answer *a)
{
    uint32_t slot = ticket_slot(a->ticket);
    struct errand *e = slot < MESSAGES_MAX ? &o->errands[slot] : NULL;
    if (!e || !e->messages || e->serial != ticket_serial(a->ticket)) return;
    if (!a->err.code && a->status >= 200 && a->status < 300) over(o, e, MESSAGE_SENT);
    else if (!a->err.code && a->status >= 400 && a->status < 500 && a->status != 429) over(o, e, MESSAGE_REFUSED);
    else again(o, e);
}

int64_t errands_turn(struct outbound *o)
{
    int64_t next_ms = INT64_MAX;
    for (unsigned i = 0; o->errand_count && i < MESSAGES_MAX; i++) { /* each is kilobytes: not looked at in vain, every turn */
        struct errand *e = &o->errands[i];
        if (e->messages && e->due_ms <= o->now_ms && e->deadline_ms > o->now_ms) call(o, e);
        if (e->messages && e->due_ms < next_ms && e->deadline_ms > e->due_ms) next_ms = e->due_ms;
    }
    return next_ms;
}
