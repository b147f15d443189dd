/* SPDX-License-Identifier: Apache-2.0 */
/* api_people.c: what the clerk did finds the request that waits for it. */
#include "api/api_inside.h"

enum { PERSON_MAX = 2048 };

struct person { struct buf b; struct json j; char memory[PERSON_MAX]; };

static void person_begin(struct person *p)
{
    p->b = buf_on(p->memory, sizeof p->memory);
    p->j = json_on(&p->b);
    json_open(&p->j, '{');
}

static void person_send(struct api *api, struct pending *p, struct person *person)
{
    json_close(&person->j, '}');
    out_json(api, &p->client, 200, buf_bytes(&person->b));
    secret_forget(person->memory, sizeof person->memory);
}

/* null: the whole operator. */
static void put_cities(struct json *j, const struct scope *scope, bool everywhere)
{
    json_name(j, "cities");
    if (everywhere) {
        json_null(j);
        return;
    }
    json_open(j, '[');
    for (unsigned i = 0; i < scope->count; i++) json_text(j, text_bytes(&scope->cities[i]));
    json_close(j, ']');
}

static void put_who(struct json *j, struct uuid account, uint8_t role)
{
    json_name(j, "account");
    json_uuid(j, account.at);
    json_name(j, "role");
    json_literal(j, enum_name(&auth_role_names, role));
}

static void send_signed_in(struct api *api, struct pending *p, const struct clerk_result *r)
{
    struct person person;
    struct bytes scope_text = bytes_of(r->scope, r->scope_len);
    struct scope scope = {.count = 0};
    bool everywhere = bytes_equal_text(scope_text, "*");
    if (!everywhere && scope_read(scope_text, &scope).code) scope.count = 0;
    api->counters.signed_in++;
    person_begin(&person);
    json_name(&person.j, "token");
    json_text(&person.j, bytes_of(r->signed_in.token, AUTH_TOKEN_LEN));
    put_who(&person.j, r->signed_in.account, r->signed_in.role);
    if (r->signed_in.role != AUTH_RIDER) put_cities(&person.j, &scope, everywhere);
    json_name(&person.j, "expires_ms");
    json_i64(&person.j, r->signed_in.expires_ms);
    person_send(api, p, &person);
}

static void send_me(struct api *api, struct pending *p, const struct clerk_result *r)
{
    struct person person;
    const struct account *account = api_account_of(api, p);
    person_begin(&person);
    put_who(&person.j, account->uuid, account->role);
    put_cities(&person.j, account->scope, !account->scope);
    json_name(&person.j, "name");
    if (r->name.len) json_text(&person.j, text_bytes(&r->name));
    else json_null(&person.j);
    json_name(&person.j, "expires_ms");
    json_i64(&person.j, p->expires_ms);
    person_send(api, p, &person);
}

static void send_number(struct api *api, struct pending *p, const struct clerk_result *r)
{
    struct person person;
    person_begin(&person);
    json_name(&person.j, "account");
    json_uuid(&person.j, r->account.at);
    json_name(&person.j, "phone");
    if (r->number.len) json_text(&person.j, text_bytes(&r->number));
    else json_null(&person.j);
    person_send(api, p, &person);
}

/* What others keep in memory follows; it happened whether or not the client still waits. */
static void remember(struct api *api, const struct clerk_result *r)
{
    int64_t now_ms = loop_now_ms(api->config.loop);
    switch ((enum clerk_kind)r->kind) {
    case CLERK_SIGN_OUT:
    case CLERK_STAFF_SIGN_OUT:
    case CLERK_SIGN_OUT_ALL: api->counters.signed_out++; /* fall through */
    case CLERK_ERASE:
    case CLERK_STAFF_DROP:
    case CLERK_STAFF_PUT: auth_changed(api->config.auth); break;
    case CLERK_APP_PUT: apps_changed(&api->apps); break;
    case CLERK_STAFF_SIGN_IN:
        if (r->err.code == ERR_SIGN_IN_REFUSED) api->counters.sign_ins_refused++;
        if (r->err.code) break;
        limiter_give_back(&api->limiter, LIMIT_STAFF_NAME, text_bytes(&r->name), now_ms);
        limiter_give_back(&api->limiter, LIMIT_STAFF_ADDRESS, text_bytes(&r->address), now_ms);
        break;
    default: break;
    }
}

static void send_result(struct api *api, struct pending *p, const struct clerk_result *r)
{
    if (r->err.code == ERR_SIGN_IN_REFUSED) {
        out_problem(api, &p->client, ERR(SIGN_IN_REFUSED, "the name or the password is not right"));
    } else if (r->err.code) {
        out_problem(api, &p->client, r->err);
    } else if (r->kind == CLERK_RIDER_SIGN_IN || r->kind == CLERK_STAFF_SIGN_IN) {
        send_signed_in(api, p, r);
    } else if (r->kind == CLERK_NUMBER) {
        send_number(api, p, r);
    } else if (r->body) {
        out_json(api, &p->client, 200, bytes_of(r->body, r->body_len));
    } else if (r->kind == CLERK_WHO) {
        send_me(api, p, r);
    } else {
        out_nothing(api, &p->client);
    }
}

void api_drain_clerk(struct api *api)
{
    for (unsigned n = 0; n < CLERK_BOOK_MAX; n++) {
        struct clerk_result *r = clerk_next(api->config.clerk);
        if (!r) return;
        struct pending *p = pending_of(&api->pendings, r->ticket);
        if (r->err.code && err_http(r->err.code) >= 500) api->counters.clerk_errors++;
        remember(api, r);
        if (p && p->stage == PENDING_CLERK) {
            send_result(api, p, r);
            api_release(api, p);
        } else {
            api->counters.replies_stale++;
        }
        clerk_release(api->config.clerk);
    }
}
