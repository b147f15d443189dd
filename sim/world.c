/* SPDX-License-Identifier: Apache-2.0 */
/* world.c: what happens in a world and when: drawing it, chaos, crashes, calm. */
#include "sim/world_inside.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "store/vfs.h"

#define SETUP_MAX_US (30 * 60000000ll)
#define CALM_MAX_US (150 * 60000000ll)
#define CHECK_EVERY_US 1000000

int64_t world_now_us(const struct world *w) { return network_now_us(w->network); }
int64_t world_now_ms(const struct world *w) { return network_now_us(w->network) / 1000; }

void world_broken(struct world *w, const char *format, ...)
{
    if (*w->why) return;
    int at = snprintf(w->why, sizeof w->why, "at %.3f s: ", (double)(world_now_us(w) - WORLD_START_US) / 1e6);
    va_list args;
    va_start(args, format);
    vsnprintf(w->why + at, sizeof w->why - (size_t)at, format, args);
    va_end(args);
}

void world_trace(const struct world *w, const char *format, ...)
{
    if (!w->options.trace) return;
    fprintf(stderr, "%12.6f  ", (double)(world_now_us(w) - WORLD_START_US) / 1e6);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* ---- drawing a world ---- */

/* Nothing in four of ten worlds; else up to `most`, small values as likely as large ones. */
static uint32_t rate(struct prng *p, uint32_t most)
{
    if (prng_chance(p, 400000)) return 0;
    return (uint32_t)(prng_below(p, most) >> prng_below(p, 5)) + 1;
}

static void draw_way(struct prng *p, struct network_way *way)
{
    *way = (struct network_way){
        .latency_us = (uint32_t)prng_between(p, 5000, 120000), .jitter_us = rate(p, 300000), .split_ppm = rate(p, 300000),
        .glue_ppm = rate(p, 200000), .glue_us = 200000, .stall_ppm = rate(p, 5000), .stall_us = 20000000,
        .silence_ppm = rate(p, 1500), .silence_us = 90000000,
    };
}

static void draw_faults(struct world *w)
{
    struct prng *p = &w->prng;
    draw_way(p, &w->radio.up);
    draw_way(p, &w->radio.down);
    w->radio.refuse_ppm = rate(p, 100000);
    w->radio.reset_ppm = rate(p, 5000);
    w->radio.half_open_ppm = rate(p, 2000);
    w->radio.half_open_us = 300000000;
    w->radio.late_ppm = rate(p, 2000);
    w->radio.late_us = 30000000;
    draw_way(p, &w->phone.up);
    draw_way(p, &w->phone.down);
    w->phone.refuse_ppm = rate(p, 50000);
    w->phone.reset_ppm = rate(p, 20000);
    for (unsigned i = 0; i < SIM_VEHICLE_FAULT_N; i++) w->vehicle_ppm[i] = rate(p, 40000);
    for (unsigned i = 0; i < SIM_RIDER_HABIT_N; i++) w->habit_ppm[i] = rate(p, 300000);
    w->disk_faults = (struct disk_faults){.sync_fail_ppm = rate(p, 400), .write_fail_ppm = rate(p, 200),
                                          .read_fail_ppm = rate(p, 20000), .call_fail_ppm = rate(p, 50000)};
    w->crash_every_s = prng_chance(p, 100000) ? 0 : (uint32_t)prng_between(p, 60, 900);
    if (!w->options.gentle) return;
    w->radio = (struct network_faults){.up = {.latency_us = 60000, .jitter_us = 60000, .split_ppm = 2000},
                                       .down = {.latency_us = 60000, .jitter_us = 60000}, .reset_ppm = 20};
    w->phone = (struct network_faults){.up = {.latency_us = 20000}, .down = {.latency_us = 20000}};
    for (unsigned i = 0; i < SIM_VEHICLE_FAULT_N; i++) w->vehicle_ppm[i] /= 40;
    for (unsigned i = 0; i < SIM_RIDER_HABIT_N; i++) w->habit_ppm[i] /= 40;
    w->disk_faults = (struct disk_faults){0};
    w->crash_every_s = 0;
}

static int64_t outside_now_us(void *ctx) { return world_now_us(ctx); }

static void draw_world(struct world *w)
{
    struct prng *p = &w->prng;
    struct world_options *o = &w->options;
    w->vehicle_count = o->vehicles ? o->vehicles : (uint32_t)prng_between(p, 4, 20);
    w->rider_count = o->riders ? o->riders : (uint32_t)prng_between(p, 3, 14);
    if (!o->chaos_ms) o->chaos_ms = prng_between(p, 15, 45) * 60000;
    w->keeper_ms = (uint32_t)prng_between(p, 20, 3000);
    w->segment_kib = 64u << prng_below(p, 5);
    if (o->gentle) {
        w->keeper_ms = 300000; /* each vehicle's row once in a cut, not once a heartbeat */
        w->segment_kib = 64 << 10;
    }
    draw_faults(w);
    uint32_t vehicles = w->vehicle_count + 16, rides = w->rider_count * 8 + 4096;
    /* They are kept for a day. When the pool is full no ride can begin: a day of 700 riders found that at 65,536. */
    uint32_t answers = 65536 + w->rider_count * 256;
    w->limits = (struct engine_limits){{
        [ROW_LEGAL_ENTITY] = 8, [ROW_CITY] = 8, [ROW_VEHICLE_TYPE] = 8, [ROW_PLAN] = 16, [ROW_VEHICLE] = vehicles,
        [ROW_PUBLIC_CODE] = 2 * vehicles, [ROW_DEVICE] = 2 * vehicles, [ROW_RIDER] = w->rider_count + 16, [ROW_STAFF] = 16,
        [ROW_RIDE] = rides, [ROW_COMMAND] = rides, [ROW_ANSWER] = answers, [ROW_QUARANTINE] = 8,
    }};
}

/* Half of the worlds have programs of their own outside, drawn from a stream of its own. */
static void draw_outside(struct world *w)
{
    struct prng p = prng_of(w->options.seed, bytes_text("outside drawn"));
    struct outside_config config = {.seed = w->options.seed, .fault_ppm = w->outside_ppm,
                                    .fault_count = w->figures.outside_faults, .now_us = outside_now_us, .ctx = w};
    w->outside = outside_create(&config);
    bool any = prng_chance(&p, 500000);
    for (unsigned i = 0; i < OUTSIDE_FAULT_N; i++) w->outside_ppm[i] = w->options.gentle ? 100 : rate(&p, 150000);
    if (!any || w->options.gentle) return;
    /* One after the other: compilers differ about the order of arguments. */
    unsigned deadline_ms = prng_chance(&p, 500000) ? 1500 : 9000;
    const char *fallback = prng_chance(&p, 500000) ? "allow" : "refuse";
    snprintf(w->hook_put, sizeof w->hook_put, "{\"url\":\"http://programs.example/ask\",\"deadline_ms\":%u,\"default\":\"%s\"}",
             deadline_ms, fallback);
}

void world_describe(const struct world *w, char *out, size_t room)
{
    snprintf(out, room, "vehicles %u  riders %u  chaos %" PRId64 " s  crash every %u s  cut %u ms  segment %u KiB  radio reset "
             "%u ppm, silence %u ppm, late %u ppm  sync fails %u ppm%s", w->vehicle_count, w->rider_count,
             w->options.chaos_ms / 1000, w->crash_every_s, w->keeper_ms, w->segment_kib, w->radio.reset_ppm,
             w->radio.up.silence_ppm, w->radio.late_ppm, w->disk_faults.sync_fail_ppm,
             w->options.plant == WORLD_PLANT_SYNC_LIES ? "  PLANTED: syncs lie" : "");
}

/* ---- the people and their vehicles ---- */

/* A small town: a ride of some minutes leaves it, silence of two and a half minutes is noticed, a forgotten ride is
 * ended after half an hour. */
static const struct sim_put town_puts[] = {
    {"/v1/operator", "{\"name\":\"World\"}"},
    {"/v1/legal-entities/plain", "{\"name\":\"Plain AB\",\"currency\":\"SEK\",\"decimals\":2}"},
    {"/v1/cities/gbg", "{\"name\":\"Gothenburg\",\"legal_entity\":\"plain\",\"time_zone\":\"Europe/Stockholm\",\"lat\":57.7089,"
                       "\"lon\":11.9746,\"radius_m\":900,\"ride_max_s\":1800}"},
    {"/v1/vehicle-types/scooter", "{\"name\":\"Scooter\",\"heartbeat_s\":60,\"battery_min_pct\":15,\"motor\":true}"},
    {"/v1/vehicle-types/bicycle", "{\"name\":\"Bicycle\",\"heartbeat_s\":60,\"battery_min_pct\":0,\"motor\":false}"},
    {"/v1/plans/scooter", "{\"name\":\"Scooter\",\"city\":\"gbg\",\"vehicle_type\":\"scooter\",\"unlock_minor\":1000,\"minute_minor\":250}"},
    {"/v1/plans/any", "{\"name\":\"Any\",\"city\":\"gbg\",\"unlock_minor\":500,\"minute_minor\":100}"},
};

static bool pick(void *ctx, struct sim_rider *rider, struct text16 *code)
{
    struct world *w = ctx;
    /* A rider's choice comes from the rider's own name, or one rider more would reshuffle all others. */
    struct prng p = prng_of(w->options.seed ^ (uint64_t)world_now_us(w), sim_rider_name(rider));
    uint32_t i = (uint32_t)prng_below(&p, w->vehicle_count);
    *code = w->vehicles[i].code;
    if (w->staff && prng_chance(&p, 100000)) sim_staff_look_at(w->staff, i);
    return true;
}

static void on_ride(void *ctx, struct sim_rider *rider, struct bytes code)
{
    (void)rider;
    struct world_vehicle *v = world_vehicle_of(ctx, code);
    if (v) sim_vehicle_ride(v->actor);
}

static void on_stop(void *ctx, struct sim_rider *rider, struct bytes code)
{
    (void)rider;
    struct world_vehicle *v = world_vehicle_of(ctx, code);
    if (v) sim_vehicle_stop(v->actor);
}

static bool close_lock(void *ctx, struct sim_rider *rider, struct bytes code)
{
    (void)rider;
    struct world_vehicle *v = world_vehicle_of(ctx, code);
    return v && sim_vehicle_close_lock(v->actor);
}

static int64_t sql_now_ms(void *ctx)
{
    return world_now_ms(ctx);
}

static void name_link(void *ctx, struct bytes name)
{
    network_name_link(ctx, name);
}

static void make_tokens(struct world *w)
{
    struct auth *auth;
    struct auth_options options = {.path = "contacts.db", .vfs = w->vfs, .exclusive = true};
    struct err e = auth_create(&options, &auth);
    w->tokens = calloc(w->rider_count + 1, sizeof *w->tokens);
    must(!e.code && w->tokens);
    for (uint32_t i = 0; i <= w->rider_count; i++) {
        struct uuid account = {{0xac, 0xc0}};
        store_u32(account.at + 4, i + 1);
        struct auth_grant grant = {.account = account, .role = i < w->rider_count ? AUTH_RIDER : AUTH_CONTROL,
                                   .now_ms = WORLD_START_MS, .expires_ms = WORLD_START_MS + 1000ll * 86400000};
        e = auth_grant(auth, &grant, w->tokens[i], &account);
        must(!e.code);
    }
    auth_destroy(auth);
}

/* Every hundred metres on a line: from the centre out of a small town, or all well inside of a plain one. */
static struct point stand(const struct world *w, uint32_t index)
{
    int32_t step = (int32_t)(index % 100) * 9000;
    if (w->options.gentle) return (struct point){577000000 - 450000 + step, 119700000};
    return (struct point){577089000 + step, 119746000};
}

static int by_code(const void *a, const void *b)
{
    const struct world_vehicle *v = *(struct world_vehicle *const *)a, *u = *(struct world_vehicle *const *)b;
    return v->code.len != u->code.len ? v->code.len - u->code.len : memcmp(v->code.at, u->code.at, v->code.len);
}

static void index_vehicles(struct world *w)
{
    w->by_code = calloc(w->vehicle_count, sizeof(struct world_vehicle *));
    must(w->by_code);
    for (uint32_t i = 0; i < w->vehicle_count; i++) w->by_code[i] = &w->vehicles[i];
    qsort(w->by_code, w->vehicle_count, sizeof(struct world_vehicle *), by_code);
}

struct world_vehicle *world_vehicle_of(const struct world *w, struct bytes code)
{
    struct world_vehicle wanted = {0}, *key = &wanted;
    if (text_set(&wanted.code, code).code) return NULL;
    struct world_vehicle **found = bsearch(&key, w->by_code, w->vehicle_count, sizeof(struct world_vehicle *), by_code);
    return found ? *found : NULL;
}

static void make_vehicles(struct world *w, const struct sim_town *town)
{
    static const uint8_t dialects[] = {OMNI_SCOR, OMNI_SCOR, OMNI_CMDR, OMNI_HBCR};
    w->vehicles = calloc(w->vehicle_count, sizeof *w->vehicles);
    must(w->vehicles);
    for (uint32_t i = 0; i < w->vehicle_count; i++) {
        struct sim_staff_vehicle said;
        town->vehicle(town->ctx, i, &said);
        w->vehicles[i].code = said.code;
        w->vehicles[i].ident = said.ident;
        struct sim_vehicle_config config = {
            .index = i, .ident = text_bytes(&w->vehicles[i].ident), .address = bytes_text("10.0.0.1:7700"),
            .dialect = dialects[i % 4], .vendor = bytes_text(dialects[i % 4] == OMNI_HBCR ? "NB" : "OM"),
            .heartbeat_s = w->options.gentle ? 90 : 60, .at = stand(w, i),
            .battery_pct = (uint8_t)(40 + i * 7 % 60), .fault_ppm = w->vehicle_ppm, .fault_count = w->figures.vehicle_faults,
            .log_max = 4096, .first_connect_ms = 20000, .gps_cm = 400, .idle_ppm_per_h = 2000,
        };
        struct err e = sim_vehicle_create(w->fleet, &config, &w->vehicles[i].actor);
        must(!e.code);
    }
    index_vehicles(w);
}

static void make_riders(struct world *w)
{
    w->riders = calloc(w->rider_count, sizeof *w->riders);
    must(w->riders);
    for (uint32_t i = 0; i < w->rider_count; i++) {
        char name[24];
        snprintf(name, sizeof name, "rider-%u", i);
        struct sim_rider_config config = {
            .name = bytes_text(name), .token = bytes_of(w->tokens[i], AUTH_TOKEN_LEN), .address = bytes_text("10.0.0.1:8080"),
            .habit_ppm = w->habit_ppm, .habit_count = w->figures.habits, .think_s = w->options.gentle ? 1200 : 40,
            .ride_s = w->options.gentle ? 720 : 120, .log_max = 8192, .ctx = w, .pick = pick, .on_ride = on_ride,
            .on_stop = on_stop, .close_lock = close_lock,
        };
        struct err e = sim_rider_create(w->people, &config, &w->riders[i]);
        must(!e.code);
    }
}

struct world *world_create(const struct world_options *options)
{
    static unsigned worlds;
    struct world *w = calloc(1, sizeof *w);
    must(w);
    w->options = *options;
    w->prng = prng_of(options->seed, bytes_text("world"));
    draw_world(w);
    w->network = network_create(options->seed, WORLD_START_US);
    w->disk = disk_create(options->seed);
    w->fs = disk_files(w->disk);
    w->lock = FILE_NONE;
    snprintf(w->vfs, sizeof w->vfs, "world-%u", ++worlds);
    struct vfs_options sql = {.name = w->vfs, .fs = &w->fs, .seed = options->seed, .now_ms = sql_now_ms, .ctx = w};
    struct err e = vfs_create(&w->sql_files, &sql);
    must(!e.code);
    make_tokens(w);
    draw_outside(w);
    struct loop_config clients = {.conn_max = 8 * (w->vehicle_count + w->rider_count) + 64};
    w->phones = network_loop_create(w->network, "phones", &clients);
    w->radios = network_loop_create(w->network, "radios", &clients);
    struct crowd_config people = {.loop = w->phones, .seed = options->seed, .start_ms = WORLD_START_MS, .ctx = w->phones,
                                  .on_connect = name_link};
    e = crowd_create(&people, &w->people);
    must(!e.code);
    struct crowd_config fleet = people;
    fleet.loop = w->radios;
    fleet.ctx = w->radios;
    e = crowd_create(&fleet, &w->fleet);
    must(!e.code);
    return w;
}

void world_destroy(struct world *w)
{
    if (!w) return;
    for (uint32_t i = 0; i < w->vehicle_count && w->vehicles; i++) sim_vehicle_destroy(w->vehicles[i].actor);
    for (uint32_t i = 0; i < w->rider_count && w->riders; i++) sim_rider_destroy(w->riders[i]);
    sim_staff_destroy(w->staff);
    crowd_destroy(w->people);
    crowd_destroy(w->fleet);
    if (w->up) server_crash(w, DISK_KILL);
    outside_destroy(w->outside);
    loop_destroy(w->phones);
    loop_destroy(w->radios);
    network_destroy(w->network);
    vfs_destroy(w->sql_files);
    disk_destroy(w->disk);
    free(w->by_code);
    free(w->vehicles);
    free(w->riders);
    free(w->tokens);
    free(w);
}

const struct world_figures *world_figures(const struct world *w) { return &w->figures; }

/* ---- time ---- */

static void plan_crash(struct world *w)
{
    w->crash_us = LOOP_NEVER;
    if (!w->chaos || !w->crash_every_s) return;
    w->crash_us = world_now_us(w) + prng_between(&w->prng, 1, 2ll * w->crash_every_s * 1000000);
}

/* The moment came: a plain crash, or the disk stops at one of its next calls, wherever that is. */
static void crash_now(struct world *w)
{
    if (prng_chance(&w->prng, 400000)) {
        struct disk_faults f = w->disk_faults;
        f.stop_nth = 1 + prng_below(&w->prng, 60);
        f.sync_lies = w->options.plant == WORLD_PLANT_SYNC_LIES;
        disk_set_faults(w->disk, f);
        w->crash_us = LOOP_NEVER; /* the next one is planned when the server is up again */
        return;
    }
    server_crash(w, prng_chance(&w->prng, 450000) ? DISK_KILL : prng_chance(&w->prng, 700000) ? DISK_POWER : DISK_POWER_BYTES);
}

static void set_disk(struct world *w)
{
    struct disk_faults f = w->chaos ? w->disk_faults : (struct disk_faults){0};
    f.sync_lies = w->options.plant == WORLD_PLANT_SYNC_LIES;
    disk_set_faults(w->disk, f);
}

static bool start(struct world *w)
{
    disk_set_faults(w->disk, (struct disk_faults){.sync_lies = w->options.plant == WORLD_PLANT_SYNC_LIES});
    if (!server_start(w)) return false;
    w->figures.restarts++;
    if (!w->options.gentle) judge_start(w);
    set_disk(w);
    plan_crash(w);
    return !*w->why;
}

static int64_t min_us(int64_t a, int64_t b) { return a < b ? a : b; }

/* The crew: flat vehicles get a charged battery sooner or later; when all is to come to its end, now. */
static void swap_batteries(struct world *w, uint32_t ppm)
{
    uint8_t flat_pct = w->options.gentle ? 18 : 12; /* 15 is the least that the town rents; a hard world leaves some below */
    for (uint32_t i = 0; i < w->vehicle_count; i++) {
        struct sim_vehicle *v = w->vehicles[i].actor;
        if (sim_vehicle_is_moving(v) || sim_vehicle_battery_pct(v) >= flat_pct || !prng_chance(&w->prng, ppm)) continue;
        sim_vehicle_set_battery(v, 100);
        sim_vehicle_switch(v, true);
    }
}

/* One step toward `until_us`. */
static void step(struct world *w, int64_t until_us)
{
    int64_t next = min_us(until_us, w->check_us);
    if (w->up) next = min_us(next, outside_next_us(w->outside));
    next = min_us(next, w->up ? min_us(server_next_us(w), w->crash_us) : w->start_again_us);
    if (next < world_now_us(w)) next = world_now_us(w);
    (void)network_step(w->network, next);
    int64_t now_us = world_now_us(w);
    if (w->up && outside_next_us(w->outside) <= now_us) loop_wake(w->life.http);
    if (w->up) server_turns(w);
    if (w->up && now_us >= w->crash_us) crash_now(w);
    if (!w->up && now_us >= w->start_again_us) (void)start(w);
    if (now_us >= w->check_us) {
        w->check_us = now_us + (w->options.gentle ? 60 : 1) * CHECK_EVERY_US;
        judge_moment(w);
        swap_batteries(w, w->chaos ? (w->options.gentle ? 200000 : 10000) : 1000000);
    }
}

static void run_until(struct world *w, int64_t until_us)
{
    while (!*w->why && world_now_us(w) < until_us) step(w, until_us);
}

/* ---- the whole ---- */

/* The town's declarations, and in some worlds those of programs outside. */
static void choose_puts(struct world *w, struct sim_town *town)
{
    uint32_t count = sizeof town_puts / sizeof *town_puts;
    memcpy(w->puts, town_puts, sizeof town_puts);
    must(count + 2 <= sizeof w->puts / sizeof *w->puts);
    if (*w->hook_put) {
        w->puts[count++] = (struct sim_put){"/v1/hooks/ride.may_start", w->hook_put};
        w->puts[count++] = (struct sim_put){"/v1/webhooks/log", "{\"url\":\"http://programs.example/events\"}"};
    }
    town->puts = w->puts;
    town->put_count = count;
}

static bool set_up(struct world *w)
{
    struct sim_town town = sim_town_plain;
    town.vehicle_count = w->vehicle_count;
    if (!w->options.gentle) choose_puts(w, &town);
    w->town = town;
    make_vehicles(w, &w->town);
    struct sim_staff_config config = {.name = bytes_text("staff"), .token = bytes_of(w->tokens[w->rider_count], AUTH_TOKEN_LEN),
                                      .address = bytes_text("10.0.0.1:8080"), .town = &w->town, .set_up = true,
                                      .act_s = w->options.gentle ? 600 : 8, .event_pct = 50, .order_pct = 35, .log_max = 4096};
    struct err e = sim_staff_create(w->people, &config, &w->staff);
    must(!e.code);
    int64_t until_us = world_now_us(w) + SETUP_MAX_US;
    while (!*w->why && !sim_staff_is_ready(w->staff) && world_now_us(w) < until_us) step(w, until_us);
    if (!*w->why && !sim_staff_is_ready(w->staff)) world_broken(w, "the town was not declared in 30 minutes");
    return !*w->why;
}

struct still { uint32_t rides, commands; const struct engine *engine; char first[160]; /* the first of them, for the report */ };

static void count_open(void *ctx, const void *row)
{
    struct still *s = ctx;
    const struct ride *r = row;
    if (r->state == RIDE_SETTLED || r->state == RIDE_FAILED || r->state == RIDE_CANCELLED) return;
    if (!s->rides++) {
        snprintf(s->first, sizeof s->first, "ride %" PRIu64 " on %.*s is %s", r->id, r->vehicle_code.len, r->vehicle_code.at,
                 enum_name(&ride_state_names, r->state));
    }
}

static void count_undecided(void *ctx, const void *row)
{
    struct still *s = ctx;
    const struct command *c = row;
    if (c->state == COMMAND_DONE || c->state == COMMAND_FAILED) return;
    const struct device *d = engine_row(s->engine, ROW_DEVICE, c->device_id);
    if (!s->commands++ && d) {
        snprintf(s->first, sizeof s->first, "%s of %.*s is %s since %lld s, heard %lld s ago, session %llx",
                 enum_name(&command_op_names, c->op), d->ident.len, d->ident.at, enum_name(&command_state_names, c->state),
                 (long long)(engine_now_ms(s->engine) - c->created_ms) / 1000,
                 (long long)(engine_now_ms(s->engine) - d->seen_ms) / 1000, (unsigned long long)d->session);
    }
}

static bool all_over(struct world *w, struct still *s)
{
    *s = (struct still){.engine = w->up ? node_engine(w->life.node) : NULL};
    if (!w->up) return false;
    engine_each(node_engine(w->life.node), ROW_RIDE, count_open, s);
    engine_each(node_engine(w->life.node), ROW_COMMAND, count_undecided, s);
    bool idle = sim_staff_is_idle(w->staff);
    for (uint32_t i = 0; i < w->rider_count && idle; i++) idle = sim_rider_is_idle(w->riders[i]);
    return idle && !s->rides && !s->commands;
}

/* Faults stop; within bounded time everything must come to its end. */
static void calm(struct world *w)
{
    world_trace(w, "calm");
    w->chaos = false;
    w->crash_us = LOOP_NEVER;
    network_calm(w->network);
    memset(w->outside_ppm, 0, sizeof w->outside_ppm);
    memset(w->vehicle_ppm, 0, sizeof w->vehicle_ppm);
    memset(w->habit_ppm, 0, sizeof w->habit_ppm);
    set_disk(w);
    for (uint32_t i = 0; i < w->rider_count; i++) sim_rider_finish(w->riders[i]);
    sim_staff_finish(w->staff);
    struct still s = {.engine = NULL};
    int64_t until_us = world_now_us(w) + CALM_MAX_US;
    while (!*w->why && world_now_us(w) < until_us && !all_over(w, &s)) run_until(w, world_now_us(w) + 5000000);
    if (!*w->why && !all_over(w, &s)) {
        world_broken(w, "faults stopped %lld minutes ago; still open: %u rides, %u commands: %s", CALM_MAX_US / 60000000, s.rides,
                     s.commands, s.first);
    }
}

bool world_run(struct world *w, char *why)
{
    w->start_again_us = w->crash_us = LOOP_NEVER;
    w->check_us = world_now_us(w) + CHECK_EVERY_US;
    if (start(w) && set_up(w)) {
        make_riders(w);
        w->chaos = true;
        network_set_faults(w->network, 7700, &w->radio);
        network_set_faults(w->network, 8080, &w->phone);
        set_disk(w);
        plan_crash(w);
        run_until(w, world_now_us(w) + w->options.chaos_ms * 1000);
        if (!*w->why) calm(w);
    }
    if (!*w->why && w->up && server_stop(w)) judge_end(w);
    w->figures.simulated_ms = world_now_ms(w) - WORLD_START_MS;
    for (unsigned i = 0; i < NETWORK_FAULT_N; i++) w->figures.network_faults[i] = network_fault_count(w->network, i);
    for (unsigned i = 0; i < DISK_FAULT_N; i++) w->figures.disk_faults[i] = disk_fault_count(w->disk, i);
    snprintf(why, WORLD_WHY_MAX, "%s", w->why);
    return !*w->why;
}
