/* SPDX-License-Identifier: Apache-2.0 */
/* ask_street.c: what is answered from the street's snapshot, on this thread, without asking the engine or the tables. */
#include <string.h>

#include "api/api_inside.h"
#include "api/ask.h"
#include "api/street_json.h"

enum { NEAR_DEFAULT = 20, NEAR_RADIUS_DEFAULT_M = 500, MAP_PAGE_DEFAULT = 10000 };

/* NULL: no snapshot yet; the problem has been answered. */
static const struct snapshot *look(struct call *call)
{
    struct api *api = call->api;
    const struct snapshot *s = api->config.street ? street_hold(api->config.street, STREET_READER_HTTP) : NULL;
    if (s) return s;
    if (api->config.street) street_let_go(api->config.street, STREET_READER_HTTP);
    out_problem(api, &call->client, ERR(FULL, "the street is not in view yet; try again shortly"));
    return NULL;
}

static void answer(struct call *call, const struct buf *b)
{
    struct api *api = call->api;
    street_let_go(api->config.street, STREET_READER_HTTP);
    if (b->full) out_problem(api, &call->client, ERR(TOO_LARGE, "the answer does not fit"));
    else out_json(api, &call->client, 200, buf_bytes(b));
}

static int64_t wall_ms(const struct call *call)
{
    const struct api_world *w = &call->api->config.world;
    return w->wall_ms(w->ctx);
}

static int64_t given_or(const struct call *call, const char *name, int64_t otherwise)
{
    const struct arg *arg = args_get(&call->args, name);
    return arg->given ? arg->number : otherwise;
}

void ask_near(struct call *call)
{
    struct grid_found found[GRID_NEAR_MAX];
    struct snapshot_near near = {
        .at = {(int32_t)args_get(&call->args, "lat")->number, (int32_t)args_get(&call->args, "lon")->number},
        .radius_m = (uint32_t)given_or(call, "radius_m", NEAR_RADIUS_DEFAULT_M),
        .limit = (uint32_t)given_or(call, "limit", NEAR_DEFAULT), .now_ms = wall_ms(call),
    };
    const struct snapshot *s = look(call);
    if (!s) return;
    struct buf b = buf_on(call->api->street_text, API_STREET_MAX);
    struct json j = json_on(&b);
    uint32_t all = snapshot_find_near(s, &near, found), count = 0;
    for (uint32_t i = 0; i < all; i++) {
        if (street_in_scope(s, call->who.scope, s->vehicles[found[i].tag].city)) found[count++] = found[i];
    }
    street_json_near(s, found, count, &j);
    answer(call, &b);
}

static struct box box_of(const struct call *call)
{
    return (struct box){.south_e7 = (int32_t)args_get(&call->args, "south")->number,
                        .west_e7 = (int32_t)args_get(&call->args, "west")->number,
                        .north_e7 = (int32_t)args_get(&call->args, "north")->number,
                        .east_e7 = (int32_t)args_get(&call->args, "east")->number};
}

/* False: there is no such city; the problem has been answered. */
static bool city_of(struct call *call, const struct snapshot *s, uint16_t *city)
{
    const struct arg *arg = args_get(&call->args, "city");
    *city = arg->given && scope_has(call->who.scope, arg->text) ? snapshot_city(s, arg->text) : STREET_NONE;
    if (!arg->given || *city != STREET_NONE) return true;
    street_let_go(call->api->config.street, STREET_READER_HTTP);
    out_problem(call->api, &call->client, ERR(CITY_UNKNOWN, ""));
    return false;
}

static void mark(void *ctx, uint32_t tag)
{
    uint64_t *inside = ctx;
    uint32_t place = tag & ~STREET_RENTABLE;
    inside[place / 64] |= 1ull << place % 64;
}

struct map_page { uint16_t city; uint8_t state; bool rider; const struct scope *scope; uint32_t from, limit; int64_t now_ms; };

/* Rows in the order of their places, so that a page goes on where the last one ended. Returns the next page's cursor, 0 at
 * the end. */
static uint32_t put_page(const struct snapshot *s, const uint64_t *inside, const struct map_page *page, struct json *j)
{
    uint32_t rows = 0;
    for (uint32_t place = page->from; place < s->vehicle_count; place++) {
        if (!inside[place / 64]) {
            place |= 63; /* nothing in this word */
            continue;
        }
        const struct street_vehicle *v = &s->vehicles[place];
        if (!(inside[place / 64] >> place % 64 & 1)) continue;
        if (page->state && v->state != page->state) continue;
        if (page->city != STREET_NONE && v->city != page->city) continue;
        if (!street_in_scope(s, page->scope, v->city)) continue;
        if (page->rider && !street_rentable(v, page->now_ms)) continue;
        if (rows == page->limit || j->out->len + STREET_ROW_MAX > API_STREET_MAX) return place;
        street_json_row(s, v, j);
        rows++;
    }
    return 0;
}

void ask_map(struct call *call)
{
    struct api *api = call->api;
    struct box box = box_of(call);
    const struct snapshot *s = look(call);
    if (!s) return;
    struct map_page page = {.state = (uint8_t)args_get(&call->args, "state")->number, .rider = !call->staff,
                            .scope = call->who.scope,
                            .limit = (uint32_t)given_or(call, "limit", MAP_PAGE_DEFAULT), .now_ms = wall_ms(call)};
    const struct arg *after = args_get(&call->args, "after");
    page.from = after->cursor < s->vehicle_count ? (uint32_t)after->cursor : s->vehicle_count;
    if (!city_of(call, s, &page.city)) return;
    if (s->vehicle_count > API_STREET_PLACES) page.from = s->vehicle_count; /* cannot be: the street holds no more */
    memset(api->street_inside, 0, (s->vehicle_count / 64 + 1) * sizeof *api->street_inside);
    grid_each_in(&s->grid, &box, page.rider ? STREET_RENTABLE : 0, mark, api->street_inside);
    struct buf b = buf_on(api->street_text, API_STREET_MAX);
    struct json j = json_on(&b);
    json_open(&j, '{');
    json_name(&j, "now_ms");
    json_i64(&j, s->now_ms);
    street_json_columns(&j);
    json_name(&j, "rows");
    json_open(&j, '[');
    uint32_t next = put_page(s, api->street_inside, &page, &j);
    json_close(&j, ']');
    json_name(&j, "next");
    char memory[16];
    struct buf cursor = buf_on(memory, sizeof memory);
    buf_put_u64(&cursor, next);
    if (next) json_text(&j, buf_bytes(&cursor));
    else json_null(&j);
    json_name(&j, "as_of_seq");
    json_u64(&j, s->seq);
    json_close(&j, '}');
    answer(call, &b);
}

void ask_map_live(struct call *call)
{
    struct api *api = call->api;
    const struct snapshot *s = look(call);
    if (!s) return;
    struct bytes last = bytes_trim(http_header_of(call->request, "last-event-id"));
    struct map_live_client client = {.http = call->client.http, .box = box_of(call), .token = call->token,
                                     .state = (uint8_t)args_get(&call->args, "state")->number,
                                     .scope = call->who.scope,
                                     .after_seq = args_get(&call->args, "after")->cursor};
    if (!city_of(call, s, &client.city)) return;
    uint64_t seq = s->seq, last_seq;
    street_let_go(api->config.street, STREET_READER_HTTP);
    if (last.len && !bytes_u64(last, 18, &last_seq).code) client.after_seq = last_seq;
    if (client.after_seq > seq) client.after_seq = 0; /* of another life of this server: everything anew */
    struct err e = api->draining ? ERR(FULL, "the server is stopping") : map_live_room(api->map_live);
    if (!e.code) e = http_sse_begin(api->http, call->client.http);
    if (e.code) {
        out_problem(api, &call->client, e);
        return;
    }
    map_live_open(api->map_live, &client, loop_now_ms(api->config.loop));
    stats_route(&api->stats, call->client.route, 200, 0);
}

void ask_stats(struct call *call)
{
    struct api *api = call->api;
    const struct snapshot *s = look(call);
    if (!s) return;
    struct street_figures figures = {.now_ms = wall_ms(call), .scope = call->who.scope};
    if (!city_of(call, s, &figures.city)) return;
    figures.unlocks = unlocks_sum(&api->unlocks, figures.now_ms);
    figures.age_ms = s->taken_us ? (loop_now_us(api->config.loop) - s->taken_us) / 1000 : 0;
    struct buf b = buf_on(api->street_text, API_STREET_MAX);
    struct json j = json_on(&b);
    street_json_stats(s, &figures, &j);
    answer(call, &b);
}

void ask_vehicle_offer(struct call *call)
{
    struct api *api = call->api;
    const struct snapshot *s = look(call);
    if (!s) return;
    const struct street_vehicle *v = snapshot_by_code(s, args_get(&call->args, "code")->text);
    if (!v) {
        street_let_go(api->config.street, STREET_READER_HTTP);
        out_problem(api, &call->client, ERR(VEHICLE_UNKNOWN, ""));
        return;
    }
    struct buf b = buf_on(api->street_text, API_STREET_MAX);
    struct json j = json_on(&b);
    json_open(&j, '{');
    json_name(&j, "vehicle");
    street_json_vehicle(s, v, wall_ms(call), &j);
    json_name(&j, "as_of_seq");
    json_u64(&j, s->seq);
    json_close(&j, '}');
    answer(call, &b);
}
