/* SPDX-License-Identifier: Apache-2.0 */
/* streets.c: see streets.h. The file's format stands in tools/streets.
 *
 * Ways are found by A*: the straight distance is never longer than the way. Costs are whole centimetres. */
#include "sim/streets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/must.h"
#include "base/prng.h"

#define MAGIC "PDKST01\n"
enum { MAGIC_LEN = 8, HEAD_LEN = 16, NEVER = UINT32_MAX, FAR_E7 = 360000000 };

/* What a vehicle follows; found again when it leaves from elsewhere or with another draw. */
struct leg {
    struct point from;
    uint64_t draw;
    uint32_t *nodes;
    uint32_t count, cap, wishes;
};

/* One look for a way; `round` tells which values are of this one. */
struct search {
    uint32_t *cost, *came, *round, *place; /* by node; place: in the heap, from 1 */
    uint32_t *heap, *key;                  /* nodes, and cost + straight rest, by place */
    uint32_t count, now;
};

struct streets {
    uint32_t node_count, edge_count, central_count, vehicle_max;
    struct point *at;
    uint32_t *first, *target, *length_cm;
    uint32_t *central;
    struct search search;
    struct leg *legs;
    uint32_t found[STREETS_LEG_MAX];
};

static struct err read_file(const char *path, uint8_t **out, size_t *len);
static struct err parse(struct streets *s, struct bytes in);
static struct err measure(struct streets *s);
static struct err find_central(struct streets *s, const struct streets_config *config);
static struct err open_search(struct streets *s);
static struct sim_path_place path_at(void *ctx, uint32_t vehicle, struct point from, uint64_t draw,
                                     int64_t ridden_ms);

struct err streets_create(const struct streets_config *config, struct streets **out)
{
    uint8_t *file = NULL;
    size_t len = 0;
    struct streets *s = calloc(1, sizeof *s);
    struct err e = s ? read_file(config->path, &file, &len) : ERR(IO, "no memory");

    if (!e.code) e = parse(s, bytes_of(file, len));
    free(file);
    if (!e.code) e = measure(s);
    if (!e.code) e = find_central(s, config);
    if (!e.code) e = open_search(s);
    if (!e.code) {
        s->vehicle_max = config->vehicle_max;
        s->legs = calloc(config->vehicle_max + 1, sizeof *s->legs);
        if (!s->legs) e = ERR(IO, "no memory");
    }
    if (e.code) {
        streets_destroy(s);
        return e;
    }
    *out = s;
    return NO_ERR;
}

void streets_destroy(struct streets *s)
{
    if (!s) return;
    for (uint32_t i = 0; s->legs && i < s->vehicle_max; i++) free(s->legs[i].nodes);
    free(s->legs);
    free(s->at);
    free(s->first);
    free(s->target);
    free(s->length_cm);
    free(s->central);
    free(s->search.cost);
    free(s->search.came);
    free(s->search.round);
    free(s->search.place);
    free(s->search.heap);
    free(s->search.key);
    free(s);
}

uint32_t streets_count(const struct streets *s) { return s->node_count; }
struct point streets_at(const struct streets *s, uint32_t node) { return s->at[node]; }

/* On a plane and without roots: every node is looked at for each leg. */
uint32_t streets_nearest(const struct streets *s, struct point at)
{
    int64_t cos_q16 = point_cos_q16(at.lat_e7), best = INT64_MAX;
    uint32_t nearest = 0;

    for (uint32_t i = 0; i < s->node_count; i++) {
        int64_t north = (int64_t)s->at[i].lat_e7 - at.lat_e7,
                east = ((int64_t)s->at[i].lon_e7 - at.lon_e7) * cos_q16 / 65536;
        /* In 1.1 cm; further than a tenth of the globe is far, and would not fit when squared. */
        if (north > FAR_E7 || north < -FAR_E7 || east > FAR_E7 || east < -FAR_E7) continue;
        int64_t square = north * north + east * east;
        if (square >= best) continue;
        best = square;
        nearest = i;
    }
    return nearest;
}

/* `central` is sorted by distance: the lowest of two draws is the nearer place. */
uint32_t streets_draw(const struct streets *s, uint64_t draw)
{
    struct prng p = prng_of(draw, bytes_text("place"));
    uint64_t a = prng_below(&p, s->central_count), b = prng_below(&p, s->central_count);
    return s->central[a < b ? a : b];
}

struct sim_path_fn streets_path(struct streets *s)
{
    return (struct sim_path_fn){.ctx = s, .at = path_at};
}

/* ---- the file ---- */

static struct err read_file(const char *path, uint8_t **out, size_t *len)
{
    enum { FILE_MAX = HEAD_LEN + 4 + STREETS_NODES_MAX * 12 + 4 + STREETS_EDGES_MAX * 4 };
    FILE *f = fopen(path, "re");
    struct err e = NO_ERR;

    if (!f) return ERR(IO, "the streets cannot be opened");
    long size = fseek(f, 0, SEEK_END) ? -1 : ftell(f);
    if (size < 0 || fseek(f, 0, SEEK_SET)) e = ERR(IO, "the streets cannot be read");
    else if (size > FILE_MAX) e = ERR(MALFORMED, "the streets are larger than any town");
    if (!e.code) *out = malloc((size_t)size + 1);
    if (!e.code && !*out) e = ERR(IO, "no memory");
    if (!e.code && fread(*out, 1, (size_t)size, f) != (size_t)size) e = ERR(IO, "the streets cannot be read");
    *len = e.code ? 0 : (size_t)size;
    fclose(f);
    return e;
}

static uint32_t *numbers(struct bytes in, size_t count)
{
    uint32_t *out = malloc(count * sizeof *out + 1);

    for (size_t i = 0; out && i < count; i++) out[i] = load_u32(in.at + i * 4);
    return out;
}

static struct err parse(struct streets *s, struct bytes in)
{
    struct bytes head, places, first, target;

    if (in.len < HEAD_LEN + 4 || memcmp(in.at, MAGIC, MAGIC_LEN) != 0)
        return ERR(MALFORMED, "this is no file of streets");
    if (crc32c(0, bytes_of(in.at, in.len - 4)) != load_u32(in.at + in.len - 4))
        return ERR(CORRUPT, "the streets are damaged");
    TRY(bytes_take(&in, HEAD_LEN, &head));
    s->node_count = load_u32(head.at + 8);
    s->edge_count = load_u32(head.at + 12);
    if (!s->node_count || s->node_count > STREETS_NODES_MAX || s->edge_count > STREETS_EDGES_MAX)
        return ERR(MALFORMED, "too many streets, or none");
    TRY(bytes_take(&in, (size_t)s->node_count * 8, &places));
    TRY(bytes_take(&in, ((size_t)s->node_count + 1) * 4, &first));
    TRY(bytes_take(&in, (size_t)s->edge_count * 4, &target));
    if (in.len != 4) return ERR(MALFORMED, "the streets end early or late");
    s->at = malloc(s->node_count * sizeof *s->at);
    s->first = numbers(first, (size_t)s->node_count + 1);
    s->target = numbers(target, s->edge_count);
    if (!s->at || !s->first || !s->target) return ERR(IO, "no memory");
    for (uint32_t i = 0; i < s->node_count; i++) {
        s->at[i] =
            (struct point){(int32_t)load_u32(places.at + i * 8), (int32_t)load_u32(places.at + i * 8 + 4)};
        if (!point_valid(s->at[i])) return ERR(MALFORMED, "a place that is nowhere");
        if (s->first[i] > s->first[i + 1]) return ERR(MALFORMED, "streets in disorder");
    }
    if (s->first[0] != 0 || s->first[s->node_count] != s->edge_count)
        return ERR(MALFORMED, "streets in disorder");
    for (uint32_t i = 0; i < s->edge_count; i++) {
        if (s->target[i] >= s->node_count) return ERR(MALFORMED, "a street that leads nowhere");
    }
    return NO_ERR;
}

static struct err measure(struct streets *s)
{
    s->length_cm = malloc(s->edge_count * sizeof *s->length_cm + 1);
    if (!s->length_cm) return ERR(IO, "no memory");
    for (uint32_t n = 0; n < s->node_count; n++) {
        for (uint32_t i = s->first[n]; i < s->first[n + 1]; i++) {
            int64_t cm = point_distance_cm(s->at[n], s->at[s->target[i]]);
            if (cm > STREETS_STRETCH_MAX_CM) return ERR(MALFORMED, "a stretch without end");
            s->length_cm[i] = cm > 0 ? (uint32_t)cm : 1; /* every step costs, so every search ends */
        }
    }
    return NO_ERR;
}

struct near { int64_t cm; uint32_t node; };

static int by_distance(const void *a, const void *b)
{
    const struct near *x = a, *y = b;

    if (x->cm != y->cm) return x->cm < y->cm ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

static struct err find_central(struct streets *s, const struct streets_config *config)
{
    struct near *near = malloc(s->node_count * sizeof *near);

    if (!near) return ERR(IO, "no memory");
    for (uint32_t i = 0; i < s->node_count; i++) {
        int64_t cm = point_distance_cm(s->at[i], config->centre);
        if (cm <= (int64_t)config->reach_m * 100) near[s->central_count++] = (struct near){cm, i};
    }
    qsort(near, s->central_count, sizeof *near, by_distance);
    s->central = malloc(s->central_count * sizeof *s->central + 1);
    for (uint32_t i = 0; s->central && i < s->central_count; i++) s->central[i] = near[i].node;
    free(near);
    if (!s->central) return ERR(IO, "no memory");
    return s->central_count ? NO_ERR : ERR(INVALID, "there is no street near the centre");
}

/* ---- the shortest way ---- */

static struct err open_search(struct streets *s)
{
    uint32_t **all[] = {&s->search.cost,  &s->search.came, &s->search.round,
                        &s->search.place, &s->search.heap, &s->search.key};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        *all[i] = calloc((size_t)s->node_count + 2, sizeof(uint32_t));
        if (!*all[i]) return ERR(IO, "no memory");
    }
    return NO_ERR;
}

static void heap_set(struct search *q, uint32_t place, uint32_t node, uint32_t key)
{
    q->heap[place] = node;
    q->key[place] = key;
    q->place[node] = place;
}

static void heap_rise(struct search *q, uint32_t place, uint32_t node, uint32_t key)
{
    for (; place > 1 && key < q->key[place / 2]; place /= 2)
        heap_set(q, place, q->heap[place / 2], q->key[place / 2]);
    heap_set(q, place, node, key);
}

static uint32_t heap_take(struct search *q)
{
    uint32_t top = q->heap[1], node = q->heap[q->count], key = q->key[q->count], place = 1;

    q->place[top] = 0;
    if (--q->count == 0) return top;
    for (uint32_t child; (child = place * 2) <= q->count; place = child) {
        if (child < q->count && q->key[child + 1] < q->key[child]) child++;
        if (q->key[child] >= key) break;
        heap_set(q, place, q->heap[child], q->key[child]);
    }
    heap_set(q, place, node, key);
    return top;
}

/* Costs add up to at most the way through all stretches of a shortest way; what would not fit a number
 * is no way. */
static void reach(struct streets *s, uint32_t node, uint32_t from, uint64_t cost, uint32_t to)
{
    struct search *q = &s->search;
    uint64_t key = cost + (uint64_t)point_distance_cm(s->at[node], s->at[to]);

    if (key >= NEVER || (q->round[node] == q->now && q->cost[node] <= cost)) return;
    bool waits = q->round[node] == q->now && q->place[node];
    q->round[node] = q->now;
    q->cost[node] = (uint32_t)cost;
    q->came[node] = from;
    heap_rise(q, waits ? q->place[node] : ++q->count, node, (uint32_t)key);
}

uint32_t streets_route(struct streets *s, uint32_t from, uint32_t to, uint32_t *nodes, uint32_t max)
{
    struct search *q = &s->search;
    uint32_t count = 1;

    must(from < s->node_count && to < s->node_count);
    if (++q->now == 0) { /* once in four billion searches the marks begin anew */
        memset(q->round, 0, s->node_count * sizeof *q->round);
        q->now = 1;
    }
    q->count = 0;
    reach(s, from, from, 0, to);
    for (uint32_t node = NEVER; node != to;) {
        if (!q->count) return 0;
        node = heap_take(q);
        for (uint32_t i = s->first[node]; i < s->first[node + 1]; i++)
            reach(s, s->target[i], node, (uint64_t)q->cost[node] + s->length_cm[i], to);
    }
    for (uint32_t n = to; n != from; n = q->came[n]) count++;
    if (count > max) return 0;
    for (uint32_t n = to, i = count; i-- > 0; n = q->came[n]) nodes[i] = n;
    return count;
}

/* ---- legs ---- */

static void leg_add(struct leg *leg, const uint32_t *nodes, uint32_t count)
{
    if (leg->count + count > leg->cap) {
        leg->cap = leg->count + count + 64;
        leg->nodes = realloc(leg->nodes, leg->cap * sizeof *leg->nodes);
        must(leg->nodes);
    }
    memcpy(leg->nodes + leg->count, nodes, count * sizeof *nodes);
    leg->count += count;
}

/* On to another place; false: far enough. */
static bool leg_extend(struct streets *s, struct leg *leg)
{
    for (int tries = 0; tries < 8 && leg->count < STREETS_LEG_MAX; tries++) {
        uint32_t here = leg->nodes[leg->count - 1], to = streets_draw(s, leg->draw + ++leg->wishes);
        uint32_t count = streets_route(s, here, to, s->found, STREETS_LEG_MAX);
        if (count < 2) continue; /* it stands there already, or a one-way end of town */
        leg_add(leg, s->found + 1, count - 1);
        return true;
    }
    return false;
}

static struct leg *leg_of(struct streets *s, uint32_t vehicle, struct point from, uint64_t draw)
{
    struct leg *leg = &s->legs[vehicle];
    bool same =
        leg->count && leg->draw == draw && leg->from.lat_e7 == from.lat_e7 && leg->from.lon_e7 == from.lon_e7;

    if (same) return leg;
    uint32_t first = streets_nearest(s, from);
    leg->from = from;
    leg->draw = draw;
    leg->count = leg->wishes = 0;
    leg_add(leg, &first, 1);
    return leg;
}

static struct point between(struct point a, struct point b, int64_t cm, int64_t of_cm)
{
    return (struct point){(int32_t)(a.lat_e7 + ((int64_t)b.lat_e7 - a.lat_e7) * cm / of_cm),
                          (int32_t)(a.lon_e7 + ((int64_t)b.lon_e7 - a.lon_e7) * cm / of_cm)};
}

static struct sim_path_place path_at(void *ctx, uint32_t vehicle, struct point from, uint64_t draw,
                                     int64_t ridden_ms)
{
    enum { SLOW_DMH = 130, SPREAD_DMH = 60 };
    struct streets *s = ctx;
    must(vehicle < s->vehicle_max);
    struct leg *leg = leg_of(s, vehicle, from, draw);
    uint16_t speed_dmh = (uint16_t)(SLOW_DMH + draw % SPREAD_DMH);
    int64_t rest_cm = ridden_ms > 0 ? ridden_ms * speed_dmh / 360 : 0, ridden_cm = rest_cm;
    struct point here = from;

    for (uint32_t i = 0; i < leg->count || leg_extend(s, leg); i++) {
        struct point next = s->at[leg->nodes[i]];
        int64_t cm = point_distance_cm(here, next);
        if (rest_cm < cm)
            return (struct sim_path_place){between(here, next, rest_cm, cm), speed_dmh,
                                           (uint32_t)(ridden_cm / 100)};
        rest_cm -= cm;
        here = next;
    }
    return (struct sim_path_place){here, 0, (uint32_t)((ridden_cm - rest_cm) / 100)};
}
