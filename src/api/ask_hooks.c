/* SPDX-License-Identifier: Apache-2.0 */
/* ask_hooks.c: programs outside that are told and asked: hooks and webhooks. The address goes to contacts.db first, then
 * the fact says that it is there; what the engine refuses leaves an address that nobody calls. */
#include "api/api_inside.h"
#include "api/ask.h"
#include "net/client_url.h"

static struct bytes code_of(const struct call *call, const char *kind)
{
    if (kind[0] == 'w') return args_get(&call->args, "code")->text;
    return bytes_text(enum_name(&ask_kind_names, (unsigned)args_get(&call->args, "ask")->number));
}

/* False: answered. */
static bool there(struct call *call)
{
    if (call->api->outbound) return true;
    out_problem(call->api, &call->client, ERR(UNSUPPORTED, "outgoing calls are off"));
    return false;
}

static bool put_endpoint(struct call *call, const char *kind)
{
    struct bytes url = args_get(&call->args, "url")->text;
    struct client_url parsed;
    struct err e = client_url_parse(url, &parsed);
    if (e.code) {
        args_fault(&call->args, "url", e.why);
        call->api->counters.not_valid++;
        out_faults(call->api, &call->client, ERR(INVALID, ""), &call->args);
        return false;
    }
    e = endpoint_put(outbound_endpoints(call->api->outbound), kind, code_of(call, kind), url,
                     args_get(&call->args, "new_secret")->number != 0);
    if (e.code) out_problem(call->api, &call->client, e);
    return !e.code;
}

static void named(struct call *call, struct pending *p, const char *kind)
{
    if (!p) return;
    const struct endpoint *e = endpoint_find(outbound_endpoints(call->api->outbound), kind, code_of(call, kind));
    text_clip(&p->name, code_of(call, kind));
    p->version = e ? e->version : 0;
}

/* What was never put is refused, too. */
static void declared(struct call *call, struct pending *p, const char *kind)
{
    struct endpoints *all = outbound_endpoints(call->api->outbound);
    struct endpoint *e = endpoint_find(all, kind, code_of(call, kind));
    struct err err = !p && e ? endpoint_undo(all, e, e->version) : NO_ERR;
    (void)err; /* the caller is told that it did not work */
    named(call, p, kind);
}

void ask_put_webhook(struct call *call)
{
    struct fact fact = {.kind = FACT_WEBHOOK_SET};
    struct fact_webhook_set *f = &fact.webhook_set;
    if (!there(call) || !put_endpoint(call, "webhook/")) return;
    text_clip(&f->code, code_of(call, "webhook/"));
    text_clip(&f->city, args_get(&call->args, "city")->text);
    f->kinds = (uint64_t)args_get(&call->args, "kinds")->number;
    declared(call, call_fact(call, &fact, ANSWER_WEBHOOK), "webhook/");
}

void ask_delete_webhook(struct call *call)
{
    struct fact fact = {.kind = FACT_WEBHOOK_SET, .webhook_set = {.removed = true}};
    if (!there(call)) return;
    text_clip(&fact.webhook_set.code, code_of(call, "webhook/"));
    named(call, call_fact(call, &fact, ANSWER_WEBHOOK_GONE), "webhook/");
}

void ask_webhook(struct call *call)
{
    struct query query = {.kind = QUERY_WEBHOOK};
    if (!there(call)) return;
    text_clip(&query.name, code_of(call, "webhook/"));
    call_query(call, &query, ANSWER_WEBHOOK);
}

void ask_webhook_replay(struct call *call)
{
    struct fact fact = {.kind = FACT_WEBHOOK_MOVED, .webhook_moved = {.replay = true}};
    const struct arg *after = args_get(&call->args, "after");
    if (!there(call)) return;
    text_clip(&fact.webhook_moved.code, code_of(call, "webhook/"));
    fact.webhook_moved.seq = after->cursor;
    fact.webhook_moved.part = after->cursor_part;
    call_fact(call, &fact, ANSWER_WEBHOOK);
}

void ask_put_hook(struct call *call)
{
    struct fact fact = {.kind = FACT_HOOK_SET};
    const struct arg *deadline = args_get(&call->args, "deadline_ms"), *fallback = args_get(&call->args, "default");
    if (!there(call) || !put_endpoint(call, "hook/")) return;
    fact.hook_set.ask = (uint8_t)args_get(&call->args, "ask")->number;
    fact.hook_set.deadline_ms = deadline->given ? deadline->number : ASK_HOOK_DEADLINE_MS;
    fact.hook_set.fallback = (uint8_t)(fallback->given ? fallback->number : VERDICT_ALLOW);
    declared(call, call_fact(call, &fact, ANSWER_HOOK), "hook/");
}

void ask_delete_hook(struct call *call)
{
    struct fact fact = {.kind = FACT_HOOK_SET, .hook_set = {.removed = true}};
    if (!there(call)) return;
    fact.hook_set.ask = (uint8_t)args_get(&call->args, "ask")->number;
    named(call, call_fact(call, &fact, ANSWER_HOOK_GONE), "hook/");
}

void ask_hook(struct call *call)
{
    struct query query = {.kind = QUERY_HOOK, .ask = (uint8_t)args_get(&call->args, "ask")->number};
    if (there(call)) call_query(call, &query, ANSWER_HOOK);
}

/* ---- answers ---- */

void out_webhook(struct api *api, struct pending *p, const struct webhook *row, uint64_t seq)
{
    char memory[API_BODY_MAX];
    struct buf b = buf_on(memory, sizeof memory);
    struct json j = json_on(&b);
    json_open(&j, '{');
    json_name(&j, "webhook");
    json_open(&j, '{');
    outbound_webhook_json(api->outbound, row, loop_now_ms(api->config.loop), &j);
    json_close(&j, '}');
    json_name(&j, "as_of_seq");
    json_u64(&j, seq);
    json_close(&j, '}');
    out_json(api, &p->client, 200, buf_bytes(&b));
}

/* A declared hook goes before whatever way there was. */
void messages_by_hook(struct api *api)
{
    struct message_way way = outbound_message_way(api->outbound);
    if (!api->messages_by_hook) messages_set_way(api->messages, &way);
    api->messages_by_hook = true;
}

void out_hook(struct api *api, struct pending *p, const struct hook *row, uint64_t seq)
{
    char memory[2048], secret[ENDPOINT_SECRET_TEXT_MAX];
    struct buf b = buf_on(memory, sizeof memory), s = buf_on(secret, sizeof secret);
    struct json j = json_on(&b);
    const char *ask = enum_name(&ask_kind_names, row->ask);
    struct endpoint *e = endpoint_find(outbound_endpoints(api->outbound), "hook/", bytes_text(ask));
    json_open(&j, '{');
    json_name(&j, "hook");
    json_open(&j, '{');
    json_name(&j, "id");
    json_uuid(&j, row->uuid.at);
    json_name(&j, "ask");
    json_literal(&j, ask);
    json_name(&j, "url");
    json_text(&j, e ? endpoint_url(e) : bytes_text(""));
    json_name(&j, "deadline_ms");
    json_i64(&j, row->deadline_ms);
    json_name(&j, "default");
    json_literal(&j, enum_name(&verdict_names, row->fallback));
    if (e && e->unseen) {
        endpoint_put_secret(e, &s);
        json_name(&j, "secret");
        json_text(&j, buf_bytes(&s));
        e->unseen = false;
    }
    json_close(&j, '}');
    json_name(&j, "as_of_seq");
    json_u64(&j, seq);
    json_close(&j, '}');
    out_json(api, &p->client, 200, buf_bytes(&b));
}

/* The fact is durable: the address goes, too. One that stays behind is dropped at the next start; one that somebody put
 * since is another's, whose fact comes behind this one. */
static void hook_gone(struct api *api, const struct pending *p, bool webhook)
{
    struct bytes code = text_bytes(&p->name);
    struct endpoints *all = outbound_endpoints(api->outbound);
    struct endpoint *e = endpoint_find(all, webhook ? "webhook/" : "hook/", code);
    if (webhook) outbound_webhook_gone(api->outbound, code);
    if (!webhook && bytes_equal_text(code, enum_name(&ask_kind_names, ASK_MESSAGE_SEND))) {
        messages_set_way(api->messages, &api->config.messages);
        api->messages_by_hook = false;
    }
    if (!e || e->version != p->version) return;
    struct err err = endpoint_drop(all, e);
    (void)err;
}

static void hook_put(struct api *api, const struct pending *p, const struct to_api *in)
{
    struct endpoints *all = outbound_endpoints(api->outbound);
    bool webhook = p->shape == ANSWER_WEBHOOK;
    struct endpoint *e = endpoint_find(all, webhook ? "webhook/" : "hook/", text_bytes(&p->name));
    struct err err = NO_ERR;
    if (e && in->reply.code) err = endpoint_undo(all, e, p->version);
    else if (e) endpoint_settle(e, p->version);
    (void)err; /* the database is broken: what is in memory holds */
    if (in->reply.code) return;
    if (webhook) outbound_webhook_is(api->outbound, &in->webhook);
    else if (in->hook.ask == ASK_MESSAGE_SEND) messages_by_hook(api);
}

void hook_answered(struct api *api, const struct pending *p, const struct to_api *in)
{
    if (p->shape == ANSWER_WEBHOOK || p->shape == ANSWER_HOOK) hook_put(api, p, in);
    bool gone = p->shape == ANSWER_WEBHOOK_GONE || p->shape == ANSWER_HOOK_GONE;
    if (gone && !in->reply.code) hook_gone(api, p, p->shape == ANSWER_WEBHOOK_GONE);
}
