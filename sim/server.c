/* SPDX-License-Identifier: Apache-2.0 */
/* server.c: lives of the server in the simulator: the same parts as src/serve.c, turned by one thread in an order drawn
 * from the seed. A turn happens some microseconds after it was asked for, a commit takes as long as a sync does, so
 * batches form as they do on a real machine. */
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "sim/world_inside.h"
#include "store/vfs.h"

#define VEHICLES_ADDRESS "10.0.0.1:7700"
#define HTTP_ADDRESS "10.0.0.1:8080"
#define ADMIN_ADDRESS "10.0.0.1:8081"

static void due(struct world *w, int64_t *at_us, int64_t low_us, int64_t high_us)
{
    int64_t us = world_now_us(w) + prng_between(&w->prng, low_us, high_us);
    if (us < *at_us) *at_us = us;
}

static void wake_engine(void *ctx) { due(ctx, &((struct world *)ctx)->life.engine_us, 2, 60); }
static void wake_journal(void *ctx) { due(ctx, &((struct world *)ctx)->life.journal_us, 200, 6000); }
static void wake_keeper(void *ctx) { due(ctx, &((struct world *)ctx)->life.keeper_us, 100, 30000); }

static void wake_street(void *ctx) { due(ctx, &((struct world *)ctx)->life.view_us, 20, 5000); }

static void wake_gateway(void *ctx)
{
    struct world *w = ctx;
    if (w->life.vehicles) loop_wake(w->life.vehicles);
}

static void wake_api(void *ctx)
{
    struct world *w = ctx;
    if (w->life.http) loop_wake(w->life.http);
}

static int64_t mono_us(void *ctx) { return world_now_us(ctx); }
static int64_t wall_ms(void *ctx) { return world_now_ms(ctx); }

static void random16(void *ctx, uint8_t out[16])
{
    struct world *w = ctx;
    store_u64(out, prng_next(&w->prng));
    store_u64(out + 8, prng_next(&w->prng));
}

static bool ready(void *ctx, struct buf *why)
{
    (void)ctx;
    buf_put_text(why, "ready");
    return true;
}

/* No clock: each of its turns makes a snapshot. */
static struct err open_street(struct world *w)
{
    struct street_options o = {.vehicles_max = w->vehicle_count + 64, .rides_max = w->limits.rows[ROW_RIDE],
                               .key = {w->options.seed, 1}};
    return street_create(&o, &w->life.street);
}

static struct err open_node(struct world *w, char *text)
{
    struct node_options o = {
        .recover = {
            .dir = {.fs = &w->fs, .sql_folder = "", .vfs = w->vfs, .exclusive = true},
            .build = 1,
            .limits = &w->limits,
            .journal = {.segment_bytes = (uint64_t)w->segment_kib << 10, .keep_ms = 1000ll * 24 * 3600000, .salt = w->options.seed | 1},
            .keeper = {.interval_ms = w->keeper_ms, .sync_ms = w->keeper_ms * 4, .rows_max = 1 << 15, .events_max = 1 << 15},
        },
        .telemetry_ring = 4096, .urgent_ring = 2048, .out_ring = 1 << 15,
        .seed0 = prng_next(&w->prng), .seed1 = prng_next(&w->prng),
        .hash_ms = w->options.gentle ? 600000 : -1, .hash_at_start = true,
        .street = w->life.street,
        .wake_engine = wake_engine, .wake_journal = wake_journal, .wake_keeper = wake_keeper, .wake_street = wake_street,
        .wake_gateway = wake_gateway, .wake_api = wake_api,
        .mono_us = mono_us, .ctx = w,
    };
    return node_create(&o, &w->life.node, text);
}

static struct err open_shell(struct world *w)
{
    struct life *l = &w->life;
    uint32_t conn_max = 4 * w->vehicle_count + 256, http_max = 4 * w->rider_count + 256;
    struct loop_config vehicles = {.conn_max = conn_max + 16}, http = {.conn_max = http_max + 64};
    l->vehicles = network_loop_create(w->network, "vehicles", &vehicles);
    l->http = network_loop_create(w->network, "http", &http);
    struct gateway_config g = {
        .loop = l->vehicles, .address = bytes_text(VEHICLES_ADDRESS), .conn_max = conn_max, .slot_max = vehicles.conn_max,
        .telemetry = node_telemetry(l->node), .urgent = node_gateway_urgent(l->node), .out = node_to_gateway(l->node),
        .wake_engine = wake_engine, .wake_ctx = w, .wall_ms = wall_ms, .wall_ctx = w,
    };
    TRY(gateway_create(&g, &l->gateway));
    struct auth_options auth = {.path = "contacts.db", .vfs = w->vfs, .exclusive = true, .random16 = random16, .random_ctx = w};
    TRY(auth_create(&auth, &l->auth));
    struct clerk_options clerk = {.shared = l->auth, .cost = SECRET_COST_LEAST};
    TRY(clerk_create(&clerk, &l->clerk));
    struct desk_options desk = {.path = DATA_TABLES, .vfs = w->vfs, .inline_jobs = true,
                                .shared = (struct tables *)&node_recovered(l->node)->tables};
    TRY(desk_create(&desk, &l->desk));
    TRY(desk_create(&desk, &l->push_desk));
    uint8_t secret[16];
    TRY(auth_secret16(l->auth, "idempotency", secret));
    struct api_config api = {
        .loop = l->http, .loop_conn_max = http.conn_max, .address = bytes_text(HTTP_ADDRESS),
        .admin_address = bytes_text(ADMIN_ADDRESS), .urgent = node_api_urgent(l->node), .out = node_to_api(l->node),
        .world = {.ctx = w, .wake_engine = wake_engine, .wall_ms = wall_ms, .random16 = random16, .ready = ready},
        .auth = l->auth, .desk = l->desk, .client = outside_client(w->outside), .push_desk = l->push_desk,
        .clerk = l->clerk, .street = l->street, .key = {load_u64(secret), load_u64(secret + 8)}, .build = "sim",
        .http = {.conn_max = http_max},
    };
    return api_create(&api, &l->api);
}

bool server_start(struct world *w)
{
    char text[RECOVER_TEXT_MAX] = "";
    w->life = (struct life){.engine_us = LOOP_NEVER, .journal_us = LOOP_NEVER, .keeper_us = LOOP_NEVER,
                            .view_us = LOOP_NEVER};
    w->lives++;
    struct err e = data_lock(&(struct data_dir){.fs = &w->fs, .sql_folder = ""}, &w->lock);
    if (!e.code) e = open_street(w);
    if (!e.code) e = open_node(w, text);
    if (!e.code) (void)street_show(w->life.street, node_recovered(w->life.node)->seq, world_now_ms(w));
    if (!e.code) e = open_shell(w);
    world_trace(w, "start %llu: %s %s", (unsigned long long)w->lives, e.why, text);
    if (e.code) {
        world_broken(w, "the server does not start: %s: %s", e.why, text);
        return false;
    }
    const struct recovered *r = node_recovered(w->life.node);
    w->figures.replayed += r->replayed;
    w->figures.torn_starts += r->journal_report.torn_bytes > 0;
    w->up = true;
    w->life.engine_us = w->life.view_us = world_now_us(w);
    return true;
}

/* What this life's engine saw goes into the totals. */
static void add_figures(struct world *w)
{
    const struct engine *e = node_engine(w->life.node);
    const struct engine_coverage *from = engine_coverage(e);
    const uint32_t *a = (const uint32_t *)from;
    uint32_t *to = (uint32_t *)&w->figures.coverage;
    for (size_t i = 0; i < sizeof *from / sizeof *a; i++) to[i] += a[i];
    const struct node_counters *c = node_counters(w->life.node);
    w->figures.facts += atomic_load(&c->facts);
    w->figures.commits += atomic_load(&c->commits);
    w->figures.frames_in += gateway_counters(w->life.gateway)->frames;
}

static void take_down(struct world *w)
{
    struct life *l = &w->life;
    api_destroy(l->api);
    desk_destroy(l->push_desk);
    desk_destroy(l->desk);
    clerk_destroy(l->clerk);
    auth_destroy(l->auth);
    gateway_destroy(l->gateway);
    network_kill(l->http, 3000000);
    network_kill(l->vehicles, 3000000);
    node_destroy(l->node);
    street_destroy(l->street);
    w->life = (struct life){.engine_us = LOOP_NEVER, .journal_us = LOOP_NEVER, .keeper_us = LOOP_NEVER,
                            .view_us = LOOP_NEVER};
    w->up = false;
}

void server_crash(struct world *w, enum disk_crash kind)
{
    must(w->up);
    world_trace(w, "crash %d at seq %llu", (int)kind, (unsigned long long)engine_seq(node_engine(w->life.node)));
    add_figures(w);
    w->figures.crashes++;
    if (kind == DISK_KILL) w->figures.kills++;
    else w->figures.power_cuts++;
    disk_crash(w->disk, kind);
    take_down(w);
    w->lock = FILE_NONE; /* the crash ended it */
    w->start_again_us = world_now_us(w) + prng_between(&w->prng, 50000, 4000000);
}

bool server_stop(struct world *w)
{
    must(w->up);
    struct err e = node_finish(w->life.node, world_now_ms(w));
    if (e.code) world_broken(w, "the orderly end failed: %s %s", e.why, node_failure(w->life.node));
    w->figures.state_hash = engine_hash(node_engine(w->life.node));
    w->figures.seq = engine_seq(node_engine(w->life.node));
    add_figures(w);
    take_down(w);
    file_close(&w->fs, &w->lock);
    return !e.code;
}

int64_t server_next_us(const struct world *w)
{
    const struct life *l = &w->life;
    int64_t next = l->engine_us < l->journal_us ? l->engine_us : l->journal_us;
    if (l->view_us < next) next = l->view_us;
    return next < l->keeper_us ? next : l->keeper_us;
}

/* A disk that refuses ends the process, as serve does: with an exit that loses nothing told. */
static void disk_ended(struct world *w, const char *which)
{
    world_trace(w, "%s ended: %s", which, node_failure(w->life.node));
    w->figures.disk_ends++;
    server_crash(w, prng_chance(&w->prng, 500000) ? DISK_KILL : DISK_POWER);
}

void server_turns(struct world *w)
{
    struct life *l = &w->life;
    int64_t now_us = world_now_us(w);
    if (w->up && l->journal_us <= now_us) {
        l->journal_us = LOOP_NEVER;
        if (node_journal_turn(l->node).code) {
            disk_ended(w, "journal");
            return;
        }
    }
    if (w->up && l->keeper_us <= now_us) {
        l->keeper_us = LOOP_NEVER;
        if (node_keeper_turn(l->node, world_now_ms(w)).code) {
            disk_ended(w, "keeper");
            return;
        }
    }
    if (w->up && l->view_us <= now_us) {
        l->view_us = now_us + prng_between(&w->prng, 10000, w->options.gentle ? 60000000 : 2000000);
        (void)street_turn(l->street, atomic_load(&node_counters(l->node)->committed_seq), world_now_ms(w));
    }
    if (w->up && l->engine_us <= now_us) {
        l->engine_us = LOOP_NEVER;
        int64_t next_ms = node_engine_turn(l->node, world_now_ms(w));
        /* As serve does while nothing else waits: the engine's thread commits what is small itself, at once. */
        if (node_commit_is_small(l->node) && prng_chance(&w->prng, 300000) && node_commit(l->node).code) {
            disk_ended(w, "journal");
            return;
        }
        if (next_ms == INT64_MAX) return;
        int64_t next_us = next_ms * 1000 > now_us ? next_ms * 1000 : now_us + 5;
        if (next_us < l->engine_us) l->engine_us = next_us;
    }
}
