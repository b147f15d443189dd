/* SPDX-License-Identifier: Apache-2.0 */
/* ask_people.c: signing in and out, and what one may know of oneself. What is refused here is refused alike for numbers
 * and names that exist and for those that do not. */
#include <string.h>

#include "api/api_inside.h"
#include "api/ask.h"
#include "net/loop_address.h"

static struct bytes text_of(const struct call *call, const char *name) { return args_get(&call->args, name)->text; }

static bool address_may(struct call *call, enum limit limit)
{
    struct text64 who;
    address_who(call->request->peer, &who);
    return call_may(call, limit, text_bytes(&who));
}

static struct bytes hash_bytes_of(const struct phone_hash *hash)
{
    return bytes_of(hash->at, sizeof hash->at);
}

static struct message_ask message_of(const struct call *call, const char code[CODES_DIGITS])
{
    struct message_ask m = {.template = MESSAGE_SIGN_IN_CODE, .param_count = 2};
    char memory[16];
    struct buf minutes = buf_on(memory, sizeof memory);
    text_clip(&m.to, text_of(call, "phone"));
    text_clip(&m.language, text_of(call, "language"));
    m.params[0].name = "code";
    text_clip(&m.params[0].value, bytes_of(code, CODES_DIGITS));
    buf_put_u64(&minutes, (call->api->config.limits.code_s + 59) / 60);
    m.params[1].name = "minutes";
    text_clip(&m.params[1].value, buf_bytes(&minutes));
    return m;
}

void ask_sign_in_code(struct call *call)
{
    struct api *api = call->api;
    int64_t now_ms = loop_now_ms(api->config.loop);
    struct phone_hash phone = phone_hash_of(api->phone_key, text_of(call, "phone"));
    int64_t wait_ms = codes_wait_ms(&api->codes, &phone, now_ms);
    if (wait_ms) {
        out_too_often(api, &call->client, wait_ms);
        return;
    }
    if (!address_may(call, LIMIT_CODE_ADDRESS) || !call_may(call, LIMIT_CODE_PHONE, hash_bytes_of(&phone))) {
        return;
    }
    uint8_t luck[16];
    char code[CODES_DIGITS];
    api->config.world.random16(api->config.world.ctx, luck);
    codes_make(&api->codes, &phone, load_u64(luck), now_ms, 1000ll * api->config.limits.code_s, code);
    struct message_ask message = message_of(call, code);
    struct err e = message_send(api->messages, &message, now_ms);
    secret_forget(&message, sizeof message);
    secret_forget(code, sizeof code);
    if (e.code) {
        codes_forget(&api->codes, &phone);
        limiter_give_back(&api->limiter, LIMIT_CODE_PHONE, hash_bytes_of(&phone), now_ms);
        out_problem(api, &call->client, e);
        return;
    }
    char memory[64];
    struct buf b = buf_on(memory, sizeof memory);
    struct json j = json_on(&b);
    json_open(&j, '{');
    json_name(&j, "expires_in_s");
    json_u64(&j, api->config.limits.code_s);
    json_close(&j, '}');
    out_json(api, &call->client, 202, buf_bytes(&b));
}

void ask_sign_in(struct call *call)
{
    struct api *api = call->api;
    struct phone_hash phone = phone_hash_of(api->phone_key, text_of(call, "phone"));
    if (!address_may(call, LIMIT_SIGN_IN_ADDRESS) ||
        !call_may(call, LIMIT_SIGN_IN_PHONE, hash_bytes_of(&phone))) {
        return;
    }
    if (!codes_take(&api->codes, &phone, text_of(call, "code"), loop_now_ms(api->config.loop))) {
        api->counters.sign_ins_refused++;
        out_problem(api, &call->client, ERR(SIGN_IN_REFUSED, "the code is not right, or no longer good"));
        return;
    }
    struct clerk_job job = {.kind = CLERK_RIDER_SIGN_IN, .phone_hash = phone, .now_ms = call_wall_ms(call),
                            .good_for_ms = 1000ll * api->config.limits.rider_token_s};
    text_clip(&job.phone, text_of(call, "phone"));
    call_clerk(call, &job);
}

/* Right passwords are given back to both limits when the result comes: api_people.c. */
void ask_staff_sign_in(struct call *call)
{
    struct api *api = call->api;
    struct bytes password = text_of(call, "password");
    struct clerk_job job = {.kind = CLERK_STAFF_SIGN_IN, .now_ms = call_wall_ms(call),
                            .good_for_ms = 1000ll * api->config.limits.staff_token_s};
    text_clip(&job.name, text_of(call, "name"));
    address_who(call->request->peer, &job.address);
    if (!call_may(call, LIMIT_STAFF_ADDRESS, text_bytes(&job.address)) ||
        !call_may(call, LIMIT_STAFF_NAME, text_bytes(&job.name))) {
        return;
    }
    job.password.len = (uint8_t)password.len;
    memcpy(job.password.at, password.at, password.len);
    call_clerk(call, &job);
    secret_forget(&job.password, sizeof job.password);
}

void ask_sign_out(struct call *call)
{
    struct clerk_job job = {.kind = CLERK_SIGN_OUT, .now_ms = call_wall_ms(call)};
    secret_hash(call->token, job.token_hash);
    call_clerk(call, &job);
}

void ask_sign_out_everywhere(struct call *call)
{
    struct clerk_job job = {.kind = CLERK_SIGN_OUT_ALL, .now_ms = call_wall_ms(call), .account = call->who.account};
    call_clerk(call, &job);
}

void ask_me(struct call *call)
{
    struct clerk_job job = {.kind = CLERK_WHO, .account = call->who.account};
    call_clerk(call, &job);
}

void ask_put_app(struct call *call)
{
    struct clerk_job job = {.kind = CLERK_APP_PUT};
    struct bytes url = text_of(call, "update_url");
    text_clip(&job.app.name, text_of(call, "name"));
    job.app.minimum_build = args_get(&call->args, "minimum_build")->number;
    job.app.url_len = (uint8_t)url.len;
    if (url.len) memcpy(job.app.url, url.at, url.len);
    call_clerk(call, &job);
}
