/* SPDX-License-Identifier: Apache-2.0 */
/* world_inside.h: the inside of a world, shared by world.c (what happens), server.c (lives of the server) and judge.c
 * (what must hold). */
#ifndef SIM_WORLD_INSIDE_H
#define SIM_WORLD_INSIDE_H

#include "api/api.h"
#include "gateway/gateway.h"
#include "sim/world.h"

#define WORLD_START_MS 1790000000000ll /* 2026-09-21 */
#define WORLD_START_US (WORLD_START_MS * 1000)

/* One life of the server, from start to crash or end. */
struct life {
    struct node *node;
    struct loop *vehicles, *http;
    struct gateway *gateway;
    struct auth *auth;
    struct desk *desk, *push_desk;
    struct clerk *clerk;
    struct street *street;
    struct api *api;
    int64_t engine_us, journal_us, keeper_us, view_us; /* when each turn is due; LOOP_NEVER */
};

struct world_vehicle {
    struct sim_vehicle *actor;
    struct text64 ident;
    struct text16 code;
    int64_t judged_ms;       /* its log was read up to here */
    uint32_t rider;          /* 1 + index of the rider who took it last; 0: nobody */
};

struct world {
    struct world_options options;
    struct world_figures figures;
    struct prng prng;
    struct network *network;
    struct disk *disk;
    struct file_system fs;
    char vfs[32];
    struct vfs *sql_files;
    struct file lock;
    bool up;
    struct life life;
    uint64_t lives;
    int64_t start_again_us, crash_us, check_us;
    bool chaos;
    struct loop *phones, *radios;  /* clients' loops */
    struct crowd *people, *fleet;
    struct world_vehicle *vehicles, **by_code; /* by_code: sorted, for world_vehicle_of */
    uint32_t vehicle_count;
    struct sim_rider **riders;
    uint32_t rider_count;
    struct sim_staff *staff;
    struct sim_town town;
    char (*tokens)[AUTH_TOKEN_LEN];  /* riders', then the staff's */
    uint32_t vehicle_ppm[SIM_VEHICLE_FAULT_N], habit_ppm[SIM_RIDER_HABIT_N];
    struct network_faults radio, phone;
    struct disk_faults disk_faults;
    uint32_t crash_every_s, keeper_ms, segment_kib;
    struct engine_limits limits;
    struct outside *outside;        /* the operator's own programs */
    uint32_t outside_ppm[OUTSIDE_FAULT_N];
    char hook_put[128];             /* declares the hook; empty: a world without hooks and webhooks */
    struct sim_put puts[16];
    char why[WORLD_WHY_MAX];        /* first broken promise; empty = none */
};

/* Says what broke; only the first counts. */
void world_broken(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_trace(const struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
int64_t world_now_us(const struct world *w);
/* By its public code; NULL: there is none. */
struct world_vehicle *world_vehicle_of(const struct world *w, struct bytes code);
int64_t world_now_ms(const struct world *w);

/* ---- server.c ---- */
/* Starts on what the disk holds. False: it refuses to start, which nothing here may cause. */
bool server_start(struct world *w);
/* The process or the whole machine dies here and now. */
void server_crash(struct world *w, enum disk_crash kind);
/* An orderly end; the next start replays nothing. */
bool server_stop(struct world *w);
/* Whatever turns are due now. */
void server_turns(struct world *w);
int64_t server_next_us(const struct world *w);

/* ---- judge.c ---- */
/* Promises that hold at every moment; cheap enough for every second. */
void judge_moment(struct world *w);
/* After each start: tables + tail, and the whole journal from its beginning, give the state that runs. */
void judge_start(struct world *w);
/* When all is calm and over. */
void judge_end(struct world *w);

#endif
