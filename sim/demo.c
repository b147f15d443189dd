/* SPDX-License-Identifier: Apache-2.0 */
/* demo.c: `paddock demo`: what begins and ends in which order, and the turns between.
 *
 *     server (a child process) ─► its clock ─► watch, city ─► turns: sockets, server alive?, figures, board
 *     ─► end: answers that are still awaited ─► server ends in order ─► check ─► report
 *
 * The actors live on one loop here; whatever they do reaches the server over its sockets alone. */
#include "sim/demo.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "net/loop_epoll.h"
#include "ops/offline.h"
#include "sim/demo_board.h"
#include "sim/demo_options.h"
#include "sim/demo_panel.h"
#include "sim/demo_report.h"

enum {
    TURN_MS = 20,
    COUNT_MS = 250,
    LAST_WORDS_MS = 1500,
    STALL_CITY_MS = 4000,       /* of the city: a machine that stands still for longer makes orders run out */
    CLOCK_OFF_MS = 2000,
    CLOCK_ASK_MS = 3000,
    CLOCK_AGAIN_MS = 100,
    HOUR_MS = 3600000,
    FILES_RESERVE = 200,
    SERVER_FILES = 2400,        /* of the server's besides vehicles: HTTP, tables, journal */
    TWIN_OF = 16                /* of so many vehicles one may have a second connection */
};

struct demo {
    struct demo_options options;
    struct demo_figures figures;
    struct demo_server server;
    struct demo_tokens tokens;
    struct demo_screen screen;
    struct demo_demand demand;
    struct demo_panel *panel;
    struct loop *loop;
    struct http_client *clock;      /* asks the server for its time */
    struct crowd *crowd;
    struct streets *streets;
    struct demo_watch *watch;
    struct demo_city *city;
    char json_path[DEMO_PATH_MAX];
    int64_t start_us, start_wall_ms, count_ms, clock_ms;
    int64_t server_ms;              /* its clock, as last asked; 0: not yet */
    int64_t ahead_ms, turned_us;    /* the riders' day is so much ahead of the wall's; last turn of the loop */
    bool written, dated;            /* demo.json; ahead_ms is known */
    bool clock_wanted;              /* until the server has said what time it is; clock_ms: then ask again */
};

/* ---- signals and clocks ---- */

static volatile sig_atomic_t ends_asked;

static void on_end(int number)
{
    (void)number;
    ends_asked = ends_asked + 1;
}

static void on_child(int number) { (void)number; } /* only to end a wait */

static void on_fatal(int number)
{
    demo_screen_restore();
    signal(number, SIG_DFL);
    raise(number);
}

static void on_must(const char *claim, const char *file, int line)
{
    demo_screen_restore();
    fprintf(stderr, "paddock demo: broken promise at %s:%d: %s\n", file, line, claim);
}

static void set_signals(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP}, fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = on_end};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) sigaction(ends[i], &action, NULL);
    action.sa_handler = on_fatal;
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) sigaction(fatal[i], &action, NULL);
    action.sa_handler = on_child;
    sigaction(SIGCHLD, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    must_set_handler(on_must);
}

/* Asked twice: at once. */
static bool in_a_hurry(void) { return ends_asked > 1; }

static int64_t clock_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t mono_us(void) { return clock_us(CLOCK_MONOTONIC); }
static int64_t wall_ms(void) { return clock_us(CLOCK_REALTIME) / 1000; }

/* ---- the server's time ---- */

static void on_clock(void *ctx, struct http_client *client, const struct http_client_reply *reply)
{
    struct demo *d = ctx;
    int64_t ms;

    (void)client;
    if (!demo_watch_date(http_client_header_of(reply, "date"), &ms)) return;
    d->server_ms = ms;
    d->clock_wanted = false;
    if (!d->crowd) return;
    /* The server's clock stood still while it was down. The city waits for it, or devices would be
     * ahead of time. */
    int64_t ahead_ms = crowd_now_ms(d->crowd) - ms;
    if (ahead_ms > CLOCK_OFF_MS || ahead_ms < -CLOCK_OFF_MS) d->crowd->start_ms -= ahead_ms;
}

static void on_no_clock(void *ctx, struct http_client *client, struct err why)
{
    (void)ctx;
    (void)client;
    (void)why;
}

/* Of the public listener, whose every answer has a Date: also that there is nothing at that place. */
static void ask_clock(struct demo *d)
{
    struct http_client_request request = {.method = "GET", .target = bytes_text("/")};
    d->clock_ms = mono_us() / 1000 + CLOCK_AGAIN_MS;
    if (http_client_is_busy(d->clock)) return;
    (void)!http_client_send(d->clock, &request).code;
}

/* ---- beginning ---- */

/* Data that no demo made are somebody's fleet. */
static struct err make_directory(struct demo *d)
{
    const char *dir = d->options.dir;
    char path[DEMO_PATH_MAX];
    struct stat st;

    if (mkdir(dir, 0700) && errno != EEXIST) {
        fprintf(stderr, "paddock demo: %s cannot be made: %s\n", dir, strerror(errno));
        return ERR(IO, "the directory cannot be made");
    }
    snprintf(path, sizeof path, "%s/journal", dir);
    bool data = !stat(path, &st);
    snprintf(path, sizeof path, "%s/serve.log", dir);
    if (data && stat(path, &st)) {
        fprintf(stderr, "paddock demo: %s holds data that no demo made; give it a directory of its own\n",
                dir);
        return ERR(INVALID, "not a demo's data");
    }
    unlink(d->json_path); /* whoever waits for it waits for this demo */
    return NO_ERR;
}

/* Cuts a path down to the folder that it is in. */
static const char *folder_of(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash) return ".";
    *(slash == path ? slash + 1 : slash) = 0;
    return path;
}

/* NAME in the folder of this binary. */
static void beside_binary(char path[DEMO_PATH_MAX], const char *name)
{
    char self[DEMO_PATH_MAX - 100];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    self[len > 0 ? len : 0] = 0;
    snprintf(path, DEMO_PATH_MAX, "%s/%s", folder_of(self), name);
}

static struct err open_streets(struct demo *d)
{
    char path[DEMO_PATH_MAX], name[80];
    struct streets_config config = {.path = d->options.streets,
                                    .centre = d->options.place->centre,
                                    .reach_m = d->options.place->reach_m,
                                    .vehicle_max = d->figures.vehicle_count};

    if (!config.path) {
        snprintf(name, sizeof name, "streets/%s.bin", d->options.place->code);
        beside_binary(path, name);
        config.path = path;
        if (access(path, F_OK)) return NO_ERR;
    }
    struct err e = streets_create(&config, &d->streets);
    if (e.code) fprintf(stderr, "paddock demo: %s: %s\n", config.path, e.why);
    /* Without the file that was asked for it would be another demo; without the usual one it is a
     * plainer one. */
    return d->options.streets ? e : NO_ERR;
}

static struct err open_demand(struct demo *d)
{
    char path[DEMO_PATH_MAX];

    demo_demand_init(&d->demand);
    beside_binary(path, "demand.txt");
    struct err e = demo_demand_read(&d->demand, d->options.demand ? d->options.demand : path);
    if (e.code == ERR_NOT_FOUND && !d->options.demand) return NO_ERR;
    if (e.code) fprintf(stderr, "paddock demo: %s: %s\n", d->options.demand ? d->options.demand : path, e.why);
    return d->options.demand ? e : NO_ERR;
}

static rlim_t files_of_demo(rlim_t vehicles, rlim_t riders)
{
    return vehicles + vehicles / TWIN_OF + riders * 3 + FILES_RESERVE;
}

/* As many vehicles as open files allow, in this process and in the server's; fewer are said. */
static struct err raise_files(struct demo *d)
{
    struct demo_figures *f = &d->figures;
    struct rlimit limit;
    rlim_t riders = f->rider_count, most;

    if (getrlimit(RLIMIT_NOFILE, &limit)) return NO_ERR;
    if (limit.rlim_max < files_of_demo(1, riders) || limit.rlim_max <= SERVER_FILES) {
        fprintf(stderr, "paddock demo: %llu open files are not enough for a city: raise `ulimit -n`\n",
                (unsigned long long)limit.rlim_max);
        return ERR(FULL, "too few file descriptors");
    }
    for (most = f->vehicle_count; most > 1; most -= 1 + most / 100) {
        bool ours = files_of_demo(most, riders) <= limit.rlim_max, servers = most + SERVER_FILES <= limit.rlim_max;
        if (ours && servers) break;
    }
    if (most < f->vehicle_count) {
        fprintf(stderr, "paddock demo: %llu vehicles instead of %u: %llu open files are allowed (`ulimit -Hn`)\n",
                (unsigned long long)most, f->vehicle_count, (unsigned long long)limit.rlim_max);
        d->options.vehicles = f->vehicle_count = (uint32_t)most;
    }
    rlim_t need = files_of_demo(most, riders);
    if (limit.rlim_cur >= need) return NO_ERR;
    limit.rlim_cur = need;
    return setrlimit(RLIMIT_NOFILE, &limit) ? ERR(FULL, "too few file descriptors") : NO_ERR;
}

static struct err check_report(const struct demo *d)
{
    char path[DEMO_PATH_MAX];

    if (!d->options.report) return NO_ERR;
    snprintf(path, sizeof path, "%s", d->options.report);
    if (!access(folder_of(path), W_OK)) return NO_ERR;
    fprintf(stderr, "paddock demo: the report %s cannot be written: %s\n", d->options.report,
            strerror(errno));
    return ERR(IO, "the report cannot be written");
}

static struct err start_server(struct demo *d)
{
    TRY(demo_server_start(&d->server, mono_us()));
    for (;;) {
        enum demo_server_news news = demo_server_look(&d->server, mono_us());
        if (news == DEMO_SERVER_READY) return NO_ERR;
        if (ends_asked) return ERR(STATE, "told to end");
        if (news == DEMO_SERVER_GIVEN_UP) {
            fprintf(stderr, "paddock demo: the server does not start:\n");
            demo_server_last_words(&d->server, stderr);
            return ERR(IO, "the server does not start");
        }
        usleep(2000);
    }
}

static bool on_kill(void *ctx)
{
    struct demo *d = ctx;

    if (!d->figures.up || !d->server.pid) return false;
    demo_tell(&d->figures, DEMO_BAD, "somebody kills the server");
    return !kill(d->server.pid, SIGKILL);
}

/* Before the server, which is told where the panel is. */
static struct err open_loop(struct demo *d)
{
    struct demo_figures *f = &d->figures;
    struct loop_config loop = {.conn_max = (uint32_t)files_of_demo(f->vehicle_count, f->rider_count)};
    TRY(loop_epoll_create(&loop, &d->loop));
    struct demo_panel_config panel = {.loop = d->loop, .loop_conn_max = loop.conn_max, .figures = f,
                                      .ctx = d, .kill_server = on_kill};
    TRY(demo_panel_create(&panel, &d->panel));
    demo_panel_address(d->panel, &f->panel);
    return demo_options_panel(&d->options, &d->server, text_bytes(&f->panel));
}

static struct err open_crowd(struct demo *d)
{
    struct http_client_config clock = {.address = text_bytes(&d->server.http), .timeout_ms = CLOCK_ASK_MS,
                                       .events = {.ctx = d, .on_reply = on_clock, .on_failed = on_no_clock}};
    TRY(http_client_create(d->loop, &clock, &d->clock));
    ask_clock(d);
    while (http_client_is_busy(d->clock) && !ends_asked) TRY(loop_turn(d->loop, TURN_MS));
    int64_t now_ms = wall_ms(), off_ms = d->server_ms - now_ms;
    bool ours = !d->server_ms || (d->options.speed == 1 && off_ms < CLOCK_OFF_MS && off_ms > -CLOCK_OFF_MS);
    struct crowd_config crowd = {.loop = d->loop,
                                 .seed = d->options.seed,
                                 .start_ms = ours ? now_ms : d->server_ms,
                                 .speed = (uint32_t)d->options.speed};
    d->figures.sim_begun_ms = crowd.start_ms;
    return crowd_create(&crowd, &d->crowd);
}

static void on_vehicle(void *ctx, struct bytes code, enum vehicle_state state)
{
    demo_city_on_vehicle(((struct demo *)ctx)->city, code, state);
}

static void on_event(void *ctx, struct bytes event) { demo_city_on_event(((struct demo *)ctx)->city, event); }

static void on_why(void *ctx, uint32_t what, struct bytes ride)
{
    demo_city_on_why(((struct demo *)ctx)->city, what, ride);
}

static struct err open_city(struct demo *d)
{
    struct demo_watch_config watch = {
        .crowd = d->crowd,
        .stall_ms = STALL_CITY_MS / (int64_t)d->options.speed,
        .token = bytes_of(d->tokens.watch.text, AUTH_TOKEN_LEN),
        .http = text_bytes(&d->server.http),
        .admin = text_bytes(&d->server.admin),
        .figures = &d->figures,
        .ctx = d,
        .on_vehicle = on_vehicle,
        .on_event = on_event,
        .on_why = on_why,
    };
    TRY(demo_watch_create(&watch, &d->watch));
    struct demo_city_config city = {
        .place = d->options.place, .demand = &d->demand,
        .crowd = d->crowd, .http = text_bytes(&d->server.http), .vehicles = text_bytes(&d->server.vehicles),
        .tokens = &d->tokens, .streets = d->streets, .figures = &d->figures, .watch = d->watch,
    };
    TRY(demo_city_create(&city, &d->city));
    demo_panel_city(d->panel, d->city);
    return NO_ERR;
}

static void write_text(void (*put)(const struct demo_figures *f, struct buf *out),
                       const struct demo_figures *f)
{
    char text[8192];
    struct buf b = buf_on(text, sizeof text);

    put(f, &b);
    fwrite(text, 1, b.len, stdout);
    fflush(stdout);
}

static struct err begin(struct demo *d)
{
    struct demo_figures *f = &d->figures;
    uint64_t riders = (d->options.vehicles + 2) / 3;

    snprintf(d->json_path, sizeof d->json_path, "%s/demo.json", d->options.dir);
    f->dir = d->options.dir;
    f->json_path = d->json_path;
    f->seed = d->options.seed;
    f->speed = (uint32_t)d->options.speed;
    f->vehicle_count = (uint32_t)d->options.vehicles;
    f->rider_count = (uint32_t)(riders < DEMO_RIDERS_MAX ? riders : DEMO_RIDERS_MAX);
    f->place = d->options.place;
    f->passing = d->options.passing;
    demo_server_init(&d->server, d->options.dir);
    TRY(raise_files(d));
    TRY(demo_options_apply(&d->options, &d->server));
    TRY(make_directory(d));
    TRY(check_report(d));
    TRY(open_streets(d));
    TRY(open_demand(d));
    f->measured_demand = d->demand.measured;
    if (d->options.asked_speed > d->options.speed)
        fprintf(stderr, "paddock demo: %llu times as fast instead of %llu: faster, a vehicle's answer would come too late "
                        "for the city's clock\n",
                (unsigned long long)d->options.speed, (unsigned long long)d->options.asked_speed);
    TRY(demo_tokens_init(&d->tokens, d->options.dir, f->rider_count, wall_ms()));
    snprintf(f->staff_password, sizeof f->staff_password, "%s", d->tokens.password);
    snprintf(f->rider_phone, sizeof f->rider_phone, "%s", DEMO_RIDER_PHONE);
    TRY(open_loop(d));
    d->start_us = mono_us();
    d->start_wall_ms = wall_ms();
    TRY(start_server(d));
    f->up = true;
    f->streets = d->streets;
    f->http = d->server.http;
    f->vehicles = d->server.vehicles;
    f->admin = d->server.admin;
    TRY(open_crowd(d));
    return open_city(d);
}

/* ---- turns ---- */

/* False: it does not come back. */
static bool look_after_server(struct demo *d)
{
    struct demo_figures *f = &d->figures;
    int64_t now_us = mono_us();
    struct demo_outage *outage = &f->outages[f->outage_count % DEMO_OUTAGES_MAX];

    switch (demo_server_look(&d->server, now_us)) {
    case DEMO_SERVER_LOST:
        f->up = false;
        *outage = (struct demo_outage){.at_ms = (now_us - d->start_us) / 1000};
        snprintf(outage->how, sizeof outage->how, "%s", demo_server_how(&d->server));
        f->killed = demo_server_was_killed(&d->server);
        demo_tell(f, DEMO_BAD, "the server %s; starting it again on the same data", outage->how);
        demo_city_restarted(d->city);
        return true;
    case DEMO_SERVER_BACK:
        f->up = true;
        outage->down_ms = demo_server_down_ms(&d->server, now_us);
        f->outage_count++;
        demo_tell(f, DEMO_BAD, "the server %s, back in %.1f s", outage->how, (double)outage->down_ms / 1000);
        demo_city_restarted(d->city);
        demo_watch_restarted(d->watch);
        d->written = false;
        d->clock_wanted = true;
        return true;
    case DEMO_SERVER_GIVEN_UP: return false;
    default: return true;
    }
}

/* What time it is there, and how far its riders' day has come. */
static void tell_time(struct demo *d)
{
    struct demo_figures *f = &d->figures;

    f->sim_ms = crowd_now_ms(d->crowd);
    f->local_ms = demo_place_local_ms(f->place, f->sim_ms);
    if (!d->dated) {
        int64_t day_ms = f->local_ms % (24ll * HOUR_MS), hour_ms = d->options.hour * HOUR_MS;
        d->ahead_ms = d->options.hour < 0 ? demo_demand_ahead_ms(&d->demand, f->local_ms)
                                          : (hour_ms - day_ms + 24ll * HOUR_MS) % (24ll * HOUR_MS);
        d->dated = true;
    }
    f->riders_ms = f->local_ms + d->ahead_ms;
    f->demand = demo_demand_now(&d->demand, f->riders_ms);
}

/* A turn that took so long made the city's limits run out without anybody's fault. */
static void look_for_stall(struct demo *d)
{
    int64_t now_us = mono_us(), most_us = STALL_CITY_MS * 1000ll / d->figures.speed + TURN_MS * 1000ll;

    if (d->turned_us && now_us - d->turned_us > most_us) d->figures.stalls++;
    d->turned_us = now_us;
}

static void count(struct demo *d)
{
    struct demo_figures *f = &d->figures;
    int64_t now_us = mono_us();

    if (now_us / 1000 < d->count_ms) return;
    d->count_ms = now_us / 1000 + COUNT_MS;
    f->real_ms = (now_us - d->start_us) / 1000;
    f->wall_ms = wall_ms();
    if (f->up) f->memory_kib = demo_server_memory_kib(&d->server);
    tell_time(d);
    demo_city_count(d->city);
    if (d->written || !f->declared || !f->up) return;
    struct err e = demo_report_addresses(f, &d->tokens, d->server.pid);
    if (e.code) demo_tell(f, DEMO_BAD, "%s: %s", d->json_path, e.why);
    d->written = true;
}

static bool is_over(const struct demo *d)
{
    bool late = d->options.for_ms && mono_us() - d->start_us >= d->options.for_ms * 1000;
    return ends_asked || late;
}

static bool run(struct demo *d)
{
    bool lives = true;

    while (!is_over(d) && (lives = look_after_server(d))) {
        if (loop_turn(d->loop, TURN_MS).code) return false;
        look_for_stall(d);
        demo_watch_turn(d->watch);
        if (d->clock_wanted && mono_us() / 1000 >= d->clock_ms) ask_clock(d);
        count(d);
        demo_screen_turn(&d->screen, &d->figures);
    }
    /* Rides that were over a moment ago: why, is still to be heard. */
    int64_t until_us = mono_us() + LAST_WORDS_MS * 1000;
    while (lives && demo_watch_is_waiting(d->watch) && mono_us() < until_us && !in_a_hurry()) {
        if (loop_turn(d->loop, TURN_MS).code) break;
        demo_watch_turn(d->watch);
    }
    d->count_ms = 0;
    count(d);
    return lives;
}

/* ---- end ---- */

static int end(struct demo *d, bool lives)
{
    struct demo_ending ending = {.check = -1, .started_ms = d->start_wall_ms};
    struct err e = NO_ERR;

    demo_screen_close(&d->screen);
    demo_city_measure_all(d->city);
    ending.broken = demo_city_broken(d->city, &ending.who);
    if (!lives) {
        fprintf(stderr, "paddock demo: the server %s and does not come back:\n", demo_server_how(&d->server));
        demo_server_last_words(&d->server, stderr);
    } else {
        ending.ended = demo_server_stop(&d->server, in_a_hurry);
        if (!ending.ended)
            fprintf(stderr, "paddock demo: the server did not end in order; its words are in %s\n",
                    d->server.log_path);
    }
    if (d->options.report && !in_a_hurry()) ending.check = demo_server_check(&d->server);
    if (ending.check == EXIT_BROKEN)
        fprintf(stderr, "paddock demo: paddock check finds fault with the data; see %s\n",
                d->server.log_path);
    else if (ending.check > 0)
        fprintf(stderr, "paddock demo: paddock check could not be run; see %s\n", d->server.log_path);
    if (ending.broken)
        fprintf(stderr, "paddock demo: a promise was broken to %.*s: %s\n", (int)ending.who.len,
                (const char *)ending.who.at, ending.broken);
    write_text(demo_board_goodbye, &d->figures);
    if (d->options.report) e = demo_report_write(d->options.report, &d->figures, d->city, &ending);
    if (e.code) fprintf(stderr, "paddock demo: %s: %s\n", d->options.report, e.why);
    return lives && ending.ended && ending.check <= 0 && !ending.broken && !e.code ? EXIT_FINE : EXIT_BROKEN;
}

static void destroy(struct demo *d)
{
    demo_city_destroy(d->city);
    demo_watch_destroy(d->watch);
    crowd_destroy(d->crowd);
    http_client_destroy(d->clock);
    demo_panel_destroy(d->panel);
    if (d->loop) loop_destroy(d->loop);
    streets_destroy(d->streets);
    demo_tokens_fini(&d->tokens);
    demo_server_fini(&d->server);
}

int demo_main(int argc, char **argv)
{
    static struct demo d;

    if (!demo_options_read(&d.options, argc, argv)) return EXIT_USAGE;
    if (d.options.help) {
        demo_options_help();
        return EXIT_FINE;
    }
    set_signals();
    struct err e = begin(&d);
    if (e.code) {
        bool told = ends_asked; /* before there was a city: nothing to tell about */
        if (!told && e.code != ERR_INVALID) fprintf(stderr, "paddock demo: %s\n", e.why);
        destroy(&d);
        return told ? EXIT_FINE : e.code == ERR_INVALID ? EXIT_USAGE : EXIT_CANNOT;
    }
    write_text(demo_board_hello, &d.figures);
    demo_screen_open(&d.screen);
    int code = end(&d, run(&d));
    destroy(&d);
    return code;
}
