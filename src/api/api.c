/* SPDX-License-Identifier: Apache-2.0 */
/* api.c: life of the api, its turn of the loop, and the way in: every check of a route's row, in one order. */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_inside.h"
#include "base/must.h"
#include "net/http_text.h"

static void on_request(void *ctx, const struct http_request *request);
static void on_gone(void *ctx, uint64_t http);
static int64_t on_turn(void *ctx, int64_t now_ms);
static bool still_good(void *ctx, struct bytes token, const struct scope *scope, int64_t now_ms);
static bool in_scope(void *ctx, const struct scope *scope, uint64_t city_id);

static void fill_limits(struct api_limits *l, struct http_limits *http)
{
#define FILL(member, value) do { if (!l->member) l->member = (value); } while (0)
    FILL(pending_max, 4096);
    FILL(account_max, 262144);
    FILL(event_ring, 65536);
    FILL(ride_memory, 65536);
    FILL(wait_s_max, 30);
    FILL(fresh_ms, 2000);
    FILL(out_per_turn, 4096);
    FILL(page_max, 200);
    FILL(code_s, 300);
    FILL(rider_token_s, 90 * 86400);
    FILL(staff_token_s, 12 * 3600);
#undef FILL
    if (!http->sse_count_max) http->sse_count_max = 1000;
    must(l->account_max > l->pending_max && l->page_max <= TABLES_LIST_MAX);
}

static struct err create_street(struct api *api, struct hash_key key)
{
    const struct api_config *c = &api->config;
    struct map_live_options live = {.street = c->street, .http = api->http, .wall_ms = c->world.wall_ms,
                                    .wall_ctx = c->world.ctx, .still_good = still_good, .ctx = api};
    TRY(map_live_create(&live, &api->map_live));
    TRY(unlocks_init(&api->unlocks, key));
    api->street_text = malloc(API_STREET_MAX);
    api->street_inside = calloc(API_STREET_PLACES / 64 + 1, sizeof *api->street_inside);
    return api->street_text && api->street_inside ? NO_ERR : ERR(IO, "no memory");
}

/* What signing in needs. The key of the numbers survives restarts, that of the codes does not need to. */
static struct err create_people(struct api *api, struct hash_key key)
{
    const struct api_config *c = &api->config;
    uint8_t code_key[SECRET_KEY_LEN];
    TRY(auth_secret16(c->auth, "phones", api->phone_key));
    c->world.random16(c->world.ctx, code_key);
    TRY(codes_init(&api->codes, code_key, key));
    TRY(limiter_init(&api->limiter, key));
    TRY(messages_create(&c->messages, &api->messages));
    return apps_look(&api->apps, c->auth, 0);
}

static struct err create_outbound(struct api *api)
{
    const struct api_config *c = &api->config;
    struct outbound_options options = {.client = c->client, .desk = c->push_desk, .auth = c->auth, .urgent = c->urgent,
                                       .port = c->port, .wall_ms = c->world.wall_ms, .random16 = c->world.random16,
                                       .ctx = c->world.ctx};
    if (!c->client) return NO_ERR;
    TRY(outbound_create(&options, &api->outbound));
    const char *send = enum_name(&ask_kind_names, ASK_MESSAGE_SEND);
    if (endpoint_find(outbound_endpoints(api->outbound), "hook/", bytes_text(send))) messages_by_hook(api);
    return NO_ERR;
}

static struct err create(struct api *api)
{
    struct api_config *c = &api->config;
    uint8_t seed[16];
    c->world.random16(c->world.ctx, seed);
    struct hash_key key = {load_u64(seed), load_u64(seed + 8)};
    json_in_seed((uint32_t)(key.k0 >> 7));
    TRY(accounts_init(&api->accounts, c->limits.account_max, key));
    TRY(pending_init(&api->pendings, c->limits.pending_max));
    TRY(create_people(api, key));
    TRY(bulks_create(&api->bulks));
    TRY(staff_waits_create(&api->staff_waits));
    struct live_options live = {.ring = c->limits.event_ring, .stream_max = c->http.sse_count_max, .key = key,
                                .ride_memory = c->limits.ride_memory, .still_good = still_good,
                                .in_scope = in_scope, .ctx = api};
    TRY(live_create(&live, &api->live));
    struct http_server_config http = {.address = c->address, .loop_conn_max = c->loop_conn_max, .limits = c->http,
                                      .proxied = c->proxied, .events = {api, on_request, on_gone},
                                      .trace_seed = key.k0 ^ key.k1,
                                      .wall_ms = c->world.wall_ms, .wall_ctx = c->world.ctx};
    TRY(http_server_create(c->loop, &http, &api->http));
    live_set_server(api->live, api->http);
    TRY(create_street(api, key));
    TRY(create_outbound(api));
    if (c->admin_address.len) TRY(admin_create(api));
    /* Behind the server's own hook: what a turn brings is put and answered in that turn. */
    TRY(loop_add_hook(c->loop, (struct loop_hook){api, on_turn}));
    api->hooked = true;
    return NO_ERR;
}

struct err api_create(const struct api_config *config, struct api **out)
{
    struct api *api = calloc(1, sizeof *api);
    must(route_count <= ROUTES_MAX);
    if (!api) return ERR(IO, "no memory");
    api->config = *config;
    fill_limits(&api->config.limits, &api->config.http);
    struct err e = create(api);
    if (e.code) {
        api_destroy(api);
        return e;
    }
    *out = api;
    return NO_ERR;
}

void api_destroy(struct api *api)
{
    if (!api) return;
    if (api->hooked) loop_remove_hook(api->config.loop, api);
    http_server_destroy(api->admin);
    http_server_destroy(api->http);
    live_destroy(api->live);
    map_live_destroy(api->map_live);
    unlocks_fini(&api->unlocks);
    free(api->street_text);
    free(api->street_inside);
    pending_fini(&api->pendings);
    messages_destroy(api->messages);
    outbound_destroy(api->outbound);
    bulks_destroy(api->bulks);
    staff_waits_destroy(api->staff_waits);
    limiter_fini(&api->limiter);
    codes_fini(&api->codes);
    shelf_fini(&api->accounts);
    free(api->openapi.at);
    free(api);
}

bool api_drain(struct api *api)
{
    struct pendings *ps = &api->pendings;
    api->draining = true;
    http_server_drain(api->http);
    for (uint32_t i = 0; i < ps->cap; i++) {
        struct pending *p = &ps->at[i];
        bool waits = p->stage == PENDING_WATCH || p->stage == PENDING_LATER;
        p->fresh_until_ms = 0;
        if (waits) pending_set_due(ps, p, loop_now_ms(api->config.loop));
    }
    return ps->count == 0;
}

struct err api_address(struct api *api, struct text64 *http, struct text64 *admin)
{
    if (http) TRY(http_server_address(api->http, http));
    if (admin) *admin = (struct text64){0};
    return admin && api->admin ? http_server_address(api->admin, admin) : NO_ERR;
}

const struct api_counters *api_counters(const struct api *api)
{
    struct api_counters *c = (struct api_counters *)(uintptr_t)&api->counters;
    const struct live_counters *live = live_counters(api->live);
    c->pending = api->pendings.count;
    c->events = live->events;
    c->streams_open = live->open;
    c->streams_reset = live->resets;
    c->stream_events = live->sent;
    const struct map_live_counters *maps = map_live_counters(api->map_live);
    c->map_streams = maps->open;
    c->map_messages = maps->sent;
    c->map_rows = maps->rows;
    return c;
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t on_turn(void *ctx, int64_t now_ms)
{
    struct api *api = ctx;
    int64_t next_ms = api_drain_out(api) ? now_ms : LOOP_NEVER;
    api_drain_desk(api);
    next_ms = earlier(next_ms, pending_fire_due(&api->pendings, now_ms, api_on_due, api));
    if (desk_next(api->config.desk)) api_drain_desk(api); /* inline jobs of this turn */
    api_drain_clerk(api);
    next_ms = earlier(next_ms, messages_turn(api->messages, now_ms));
    next_ms = earlier(next_ms, live_turn(api->live, now_ms));
    next_ms = earlier(next_ms, map_live_turn(api->map_live, now_ms));
    if (api->outbound) {
        bool facts;
        next_ms = earlier(next_ms, outbound_turn(api->outbound, now_ms, &facts));
        api->wake_engine = api->wake_engine || facts;
    }
    if (bulks_turn(api)) next_ms = earlier(next_ms, now_ms + API_LATER_MS);
    if (api->wake_engine) {
        api->wake_engine = false;
        api->config.world.wake_engine(api->config.world.ctx);
    }
    return next_ms;
}

/* ---- requests in ---- */

static struct err check_token(struct api *api, const struct http_request *request, struct bytes *token,
                              struct auth_who *who)
{
    struct err e = http_bearer(http_header_of(request, "authorization"), token);
    if (e.code) {
        api->counters.unauthenticated++;
        return ERR(UNAUTHENTICATED, "");
    }
    const struct api_world *w = &api->config.world;
    e = auth_check(api->config.auth, *token, request->peer, w->wall_ms(w->ctx), loop_now_ms(api->config.loop), who);
    if (e.code == ERR_RATE_LIMITED) api->counters.rate_limited++;
    else if (e.code) api->counters.unauthenticated++;
    return e;
}

/* Events name their city by its number; the street knows the code. Without a street nobody hears by cities. */
static bool in_scope(void *ctx, const struct scope *scope, uint64_t city_id)
{
    struct api *api = ctx;
    const struct snapshot *s = api->config.street ? street_hold(api->config.street, STREET_READER_HTTP) : NULL;
    bool found = false;
    for (uint32_t i = 0; s && i < s->city_count && !found; i++) {
        found = s->cities[i].id == city_id && scope_has(scope, text_bytes(&s->cities[i].code));
    }
    if (api->config.street) street_let_go(api->config.street, STREET_READER_HTTP);
    return found;
}

/* A stream whose scope is another one by now ends: the next one begins with it. */
static bool still_good(void *ctx, struct bytes token, const struct scope *scope, int64_t now_ms)
{
    struct api *api = ctx;
    struct auth_who who;
    const struct api_world *w = &api->config.world;
    struct err e = auth_check(api->config.auth, token, bytes_text(""), w->wall_ms(w->ctx), now_ms, &who);
    return e.code != ERR_UNAUTHENTICATED && (e.code || who.scope == scope); /* a database that cannot be read ends no stream */
}

/* The header's hash under a key that survives restarts: a phone may repeat its request to the next process. */
static struct err check_key(struct call *call)
{
    struct bytes key = bytes_trim(http_header_of(call->request, "idempotency-key"));
    if (!key.len || key.len > API_IDEMPOTENCY_KEY_MAX) return ERR(IDEMPOTENCY_MISSING, "");
    for (size_t i = 0; i < key.len; i++) {
        if (key.at[i] < 0x20 || key.at[i] > 0x7e) return ERR(IDEMPOTENCY_MISSING, "");
    }
    struct hash_key k = call->api->config.key, second = {~k.k1, k.k0 ^ 0x9e3779b97f4a7c15u};
    call->key0 = hash_bytes(k, key) | 1; /* both halves zero would mean: no key */
    call->key1 = hash_bytes(second, key);
    uint64_t sum = hash_mix(call->request->verb, hash_bytes(k, call->request->path));
    call->body_hash = hash_mix(sum, hash_bytes(k, call->request->body));
    return NO_ERR;
}

static struct pending *take(struct call *call, const struct client *client, enum pending_stage stage)
{
    struct api *api = call->api;
    struct pending *p = pending_take(&api->pendings, client, stage);
    if (!p) {
        api->counters.pending_full++;
        return NULL;
    }
    p->account_slot = call->account_slot;
    p->staff = call->staff;
    p->expires_ms = call->who.expires_ms;
    p->scope = call->staff && call->route->scope == SCOPE_CITY ? call->who.scope : NULL;
    p->status = 200;
    shelf_hold(&api->accounts, p->account_slot);
    return p;
}

bool api_put(struct api *api, const struct inbound *in, uint64_t handle, int64_t born_us)
{
    struct inbound *room = ring_room(api->config.urgent);
    if (!room) {
        api->counters.ring_full++;
        return false;
    }
    *room = *in;
    room->origin = (struct origin){.kind = ORIGIN_REQUEST, .port = api->config.port, .handle = handle,
                                   .born_us = born_us};
    ring_put(api->config.urgent);
    api->wake_engine = true;
    if (in->is_query) api->counters.queries++;
    else api->counters.facts++;
    return true;
}

static bool put(struct api *api, const struct pending *p, const struct inbound *in)
{
    return api_put(api, in, pending_handle(p), p->client.started_us);
}

/* Which kinds of staff the engine knows: those that something can come from. */
static const uint8_t engine_roles[AUTH_ROLE_N] = {[AUTH_CONTROL] = STAFF_CONTROL, [AUTH_ONCALL] = STAFF_ONCALL,
                                                  [AUTH_CREW] = STAFF_CREW};

/* The engine is told of an account before anything comes from it. */
static bool announce(struct call *call)
{
    struct api *api = call->api;
    struct inbound in = {.is_query = false};
    struct client nobody = {.started_us = call->client.started_us};
    if (call->account->announced || (call->staff && !engine_roles[call->account->role])) return true;
    struct pending *p = take(call, &nobody, PENDING_ANNOUNCE);
    if (!p) return false;
    if (call->staff) {
        in.fact.kind = FACT_STAFF_SET;
        in.fact.staff_set = (struct fact_staff_set){.account = call->account->uuid,
                                                    .role = engine_roles[call->account->role]};
    } else {
        in.fact.kind = FACT_RIDER_SET;
        in.fact.rider_set = (struct fact_rider_set){.account = call->account->uuid};
    }
    if (!put(api, p, &in)) {
        api_release(api, p);
        return false;
    }
    call->account->announced = true;
    api->counters.announced++;
    return true;
}

static void run(struct call *call)
{
    struct api *api = call->api;
    const struct route *route = call->route;
    struct err e = route->keyed ? check_key(call) : NO_ERR;
    if (e.code) {
        out_problem(api, &call->client, e);
        return;
    }
    e = args_read(&call->args, route->args, route->arg_count, route->path, call->request);
    if (e.code) {
        api->counters.not_valid++;
        out_faults(api, &call->client, e, e.code == ERR_INVALID ? &call->args : NULL);
    } else if (!announce(call)) {
        out_problem(api, &call->client, ERR(FULL, ""));
    } else {
        route->fn(call);
    }
    args_fini(&call->args);
}

/* False: nothing of the pages, look among the routes. */
static bool give_page(struct api *api, const struct http_request *request, const struct client *client)
{
    struct pages_answer answer;
    if (!api->config.pages) return false;
    struct err e = pages_find(api->config.pages, request, &answer);
    if (e.code == ERR_NOT_FOUND) return false;
    if (e.code == ERR_UNSUPPORTED) {
        out_no_route(api, client, 1u << HTTP_VERB_GET | 1u << HTTP_VERB_HEAD);
    } else if (e.code) {
        api->counters.pages_missing++;
        out_problem(api, client, ERR(NOT_FOUND, "there is no such file"));
    } else {
        if (answer.response.status == 304) api->counters.pages_unchanged++;
        else api->counters.pages++;
        (void)http_reply(api->http, request->handle, &answer.response); /* who left gets nothing */
    }
    return true;
}

/* "rider/12": is that build still let in? NULL: yes. Who names no app is none of ours. */
static const struct contacts_app *too_old(struct call *call, struct err *e)
{
    struct api *api = call->api;
    struct bytes header = bytes_trim(http_header_of(call->request, "paddock-app")), build = header;
    uint64_t number;
    if (!header.len) return NULL;
    struct bytes name = bytes_split(&build, '/');
    bool formed = name.len && name.len < header.len && !bytes_u64(build, 9, &number).code;
    if (!formed) {
        *e = ERR(MALFORMED, "Paddock-App is NAME/BUILD, and BUILD a whole number");
        return NULL;
    }
    *e = apps_look(&api->apps, api->config.auth, loop_now_ms(api->config.loop));
    const struct contacts_app *app = e->code ? NULL : apps_find(&api->apps, name);
    return app && (int64_t)number < app->minimum_build ? app : NULL;
}

/* Token, role and scope, as the row wants them. */
static struct err let_in(struct call *call)
{
    struct api *api = call->api;
    const struct route *route = call->route;
    if (!(route->flags & ROUTE_PUBLIC)) {
        TRY(check_token(api, call->request, &call->token, &call->who));
        bool may = route->roles >> call->who.role & 1;
        if (route->scope == SCOPE_OPERATOR && call->who.scope) may = false;
        if (!may) {
            api->counters.forbidden++;
            return ERR(FORBIDDEN, "");
        }
    }
    call->account = accounts_get(&api->accounts, call->who);
    if (!call->account) return ERR(FULL, "");
    call->account_slot = shelf_slot(&api->accounts, call->account);
    call->staff = call->who.role != AUTH_RIDER;
    return NO_ERR;
}

static void on_request(void *ctx, const struct http_request *request)
{
    struct api *api = ctx;
    struct call call = {.api = api, .request = request};
    uint32_t verbs;
    call.client = (struct client){.http = request->handle, .route = UINT8_MAX,
                                  .started_us = loop_now_us(api->config.loop)};
    if (request->trace_id.len == sizeof call.client.trace_id) {
        memcpy(call.client.trace_id, request->trace_id.at, sizeof call.client.trace_id);
    }
    if (give_page(api, request, &call.client)) return;
    call.route = route_find(request->verb, request->path, &verbs);
    if (!call.route) {
        out_no_route(api, &call.client, verbs);
        return;
    }
    call.client.route = (uint8_t)(call.route - routes);
    struct err e = NO_ERR;
    const struct contacts_app *old = too_old(&call, &e);
    if (old) {
        api->counters.apps_too_old++;
        out_too_old(api, &call.client, old);
        return;
    }
    if (!e.code) e = let_in(&call);
    /* Who is nobody to us cannot ask for traces. */
    if (!e.code && !(call.route->flags & ROUTE_PUBLIC)) api_trace_begin(api, request, &call.client);
    if (e.code) out_problem(api, &call.client, e);
    else run(&call);
}

static void on_gone(void *ctx, uint64_t http)
{
    struct api *api = ctx;
    if (live_gone(api->live, http) || map_live_gone(api->map_live, http)) return;
    struct pending *p = pending_of_http(&api->pendings, http);
    if (!p) return;
    /* Nothing is under way for these two; the others must stay known until their answer comes. */
    if (p->stage == PENDING_WATCH || p->stage == PENDING_LATER) api_release(api, p);
    else pending_set_gone(&api->pendings, p);
}

/* ---- for the functions of routes ---- */

void api_release(struct api *api, struct pending *p)
{
    if (p->bulk) bulk_drop(api, p);
    staff_wait_drop(api, p);
    shelf_let_go(&api->accounts, p->account_slot);
    pending_release(&api->pendings, p);
}

struct account *api_account_of(struct api *api, const struct pending *p)
{
    return shelf_at(&api->accounts, p->account_slot);
}

static struct pending *call_put(struct call *call, const struct inbound *in, enum pending_stage stage,
                                enum answer_shape shape)
{
    struct pending *p = take(call, &call->client, stage);
    if (p && !put(call->api, p, in)) {
        api_release(call->api, p);
        p = NULL;
    }
    if (p) p->shape = (uint8_t)shape;
    else out_problem(call->api, &call->client, ERR(FULL, ""));
    return p;
}

/* How the city of what a fact is about is asked for; *city is where the fact names it. False: nobody said how, and
 * whoever has a list of cities may not. */
static bool scope_query(struct fact *f, struct query *q, uint64_t **city)
{
    switch (f->kind) {
    case FACT_RIDE_END:
        *q = (struct query){.kind = QUERY_RIDE, .uuid = f->ride_end.ride};
        *city = &f->ride_end.city_id;
        return true;
    case FACT_COMMAND_ASK:
        *q = (struct query){.kind = QUERY_VEHICLE, .code = f->command_ask.code};
        *city = &f->command_ask.city_id;
        return true;
    case FACT_VEHICLE_MARK:
        *q = (struct query){.kind = QUERY_VEHICLE, .code = f->vehicle_mark.code};
        *city = &f->vehicle_mark.city_id;
        return true;
    case FACT_DAMAGE_REPORT:
        *q = (struct query){.kind = QUERY_VEHICLE, .code = f->damage_report.code};
        *city = &f->damage_report.city_id;
        return true;
    case FACT_RIDER_SET:
        *q = (struct query){.kind = QUERY_RIDER, .uuid = f->rider_set.account};
        *city = &f->rider_set.city_id;
        return true;
    default: return false;
    }
}

/* Asks for the city first; the engine sees to it that it is still that one when the fact comes. */
static struct pending *put_scoped(struct call *call, const struct fact *fact, enum answer_shape shape)
{
    struct inbound in = {.is_query = true};
    struct fact copy = *fact;
    uint64_t *city;
    if (!scope_query(&copy, &in.query, &city)) {
        call->api->counters.forbidden++;
        out_problem(call->api, &call->client, ERR(FORBIDDEN, ""));
        return NULL;
    }
    struct pending *p = call_put(call, &in, PENDING_SCOPE, shape);
    if (p) p->fact = copy;
    return p;
}

bool api_put_in_city(struct api *api, struct pending *p, uint64_t city_id)
{
    struct inbound in = {.is_query = false};
    struct query unused;
    uint64_t *city;
    must(scope_query(&p->fact, &unused, &city));
    *city = city_id;
    in.fact = p->fact;
    p->stage = PENDING_FACT;
    return put(api, p, &in);
}

/* True: the same key is under way, and that has been answered. */
static bool in_flight(struct call *call)
{
    struct api *api = call->api;
    bool is = call->route->keyed && pending_is_in_flight(&api->pendings, call->account_slot, call->key0, call->key1);
    if (!is) return false;
    api->counters.in_flight_refused++;
    out_problem(api, &call->client, ERR(IDEMPOTENCY_IN_FLIGHT, ""));
    return true;
}

struct pending *call_begin(struct call *call, enum pending_stage stage)
{
    if (in_flight(call)) return NULL;
    struct pending *p = take(call, &call->client, stage);
    if (!p) out_problem(call->api, &call->client, ERR(FULL, ""));
    else pending_set_in_flight(&call->api->pendings, p, call->key0, call->key1);
    if (p) p->shape = ANSWER_PAGE;
    return p;
}

struct pending *call_fact(struct call *call, const struct fact *fact, enum answer_shape shape)
{
    struct api *api = call->api;
    struct inbound in = {.is_query = false, .fact = *fact};
    bool scoped = call->staff && call->route->scope == SCOPE_CITY && call->who.scope;
    if (in_flight(call)) return NULL;
    struct pending *p = scoped ? put_scoped(call, fact, shape) : call_put(call, &in, PENDING_FACT, shape);
    if (p && call->route->keyed) pending_set_in_flight(&api->pendings, p, call->key0, call->key1);
    return p;
}

struct pending *call_query(struct call *call, const struct query *query, enum answer_shape shape)
{
    struct inbound in = {.is_query = true, .query = *query};
    return call_put(call, &in, PENDING_QUERY, shape);
}

bool call_job(struct call *call, const struct desk_job *job)
{
    struct api *api = call->api;
    struct pending *p = take(call, &call->client, PENDING_DESK);
    if (!p) {
        out_problem(api, &call->client, ERR(FULL, ""));
        return false;
    }
    p->shape = ANSWER_PAGE;
    p->job = *job;
    p->owner_only = !call->staff;
    p->fresh_until_ms = loop_now_ms(api->config.loop) + api->config.limits.fresh_ms;
    api_submit(api, p);
    return true;
}

bool api_clerk(struct api *api, struct pending *p, struct clerk_job *job)
{
    p->stage = PENDING_CLERK;
    job->ticket = pending_handle(p);
    struct err e = clerk_submit(api->config.clerk, job);
    if (!e.code) {
        api->counters.clerk_jobs++;
        return true;
    }
    api->counters.clerk_full++;
    out_problem(api, &p->client, e);
    api_release(api, p);
    return false;
}

void call_clerk(struct call *call, struct clerk_job *job)
{
    struct pending *p = take(call, &call->client, PENDING_CLERK);
    if (p) {
        api_clerk(call->api, p, job);
        return;
    }
    call->api->counters.clerk_full++;
    out_problem(call->api, &call->client, ERR(FULL, ""));
}

bool call_may(struct call *call, enum limit limit, struct bytes who)
{
    int64_t wait_ms = limiter_take(&call->api->limiter, limit, who, loop_now_ms(call->api->config.loop));
    if (wait_ms) out_too_often(call->api, &call->client, wait_ms);
    return !wait_ms;
}

int64_t call_wall_ms(const struct call *call)
{
    const struct api_world *w = &call->api->config.world;
    return w->wall_ms(w->ctx);
}

bool api_ask(struct api *api, struct pending *p, const struct query *query)
{
    struct inbound in = {.is_query = true, .query = *query};
    return put(api, p, &in);
}
