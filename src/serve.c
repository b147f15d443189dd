/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c: one node: who runs on which thread, and in which order things begin and end.
 *
 *     thread     turns                                          woken by
 *     vehicles   loop: sockets ► gateway ► rings                sockets, journal (out ring)
 *     http       loop: sockets ► api ► rings                    sockets, journal (out ring), desk
 *     engine     node_engine_turn: rings ► engine ► batch       vehicles, http, journal, keeper, its own timers
 *                while little goes on: also batch ► sync ► out rings
 *     journal    node_journal_turn: batch ► sync ► out rings    engine
 *     keeper     node_keeper_turn: changes ► tables             engine, journal
 *     view       street_turn: committed changes ► snapshots     itself, journal when much waits
 *     outbound   libcurl: calls to hooks and webhooks           http
 *     desk       reads of the tables for lists                  http
 *     clerk      sign-ins, passwords, contacts.db: two lanes    http
 *     main       signals, clock, failures, the supervisor, spans
 *
 * An end in good order: no new connections; what was read is applied, committed, answered; tables written; then
 * sockets close. A failed journal or keeper ends the process at once: what was not synced was told to nobody. */
#include "serve.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "api/message_print.h"
#include "base/must.h"
#include "build_id.h"
#include "gateway/gateway.h"
#include "net/client.h"
#include "net/loop_epoll.h"
#include "node.h"
#include "node_metrics.h"
#include "ops/clock.h"
#include "ops/process.h"
#include "ops/settings.h"
#include "ops/supervisor.h"
#include "ops/rank.h"
#include "ops/waker.h"

#define HTTP_CONN_MAX 1500u
#define FILES_RESERVE 400          /* descriptors for everything that is not a connection */
#define LOOP_WAIT_MS 200
#define ENGINE_WAIT_MAX_MS 500
#define JOURNAL_WAIT_US 200000
#define DRAIN_MS 3000
#define CLOCK_BACK_MAX_MS 60000
#define FAILED_LINGER_MS 4000      /* /readyz says why before the process ends with the reason */

/* The core ends before the shell: SHELL is where that begins. */
enum { ENGINE, JOURNAL, KEEPER, VIEW, VEHICLES, HTTP, THREAD_N, SHELL = VEHICLES };

struct server {
    struct settings settings;
    const char *dir, *ready_file;
    char db_path[1200], contacts_path[1200], printed_path[1200];
    struct file_os os;
    struct file_system fs;
    struct file lock;
    struct node *node;
    struct street *street;
    struct clock clock;
    struct loop *vehicles, *http;
    struct gateway *gateway;
    struct auth *auth;
    struct desk *desk, *push_desk;
    struct pages *pages;
    struct clerk *clerk;
    struct message_print *print;
    struct caller *client;
    struct api *api;
    struct waker engine_waker, journal_waker, keeper_waker, view_waker;
    struct supervisor supervisor;
    pthread_t threads[THREAD_N];
    struct tape *tape;
    struct trace *trace;
    struct caller *trace_client;
    unsigned thread_count;
    bool handed;                      /* engine thread: a batch was handed over in this turn */
    _Atomic bool journal_taken;       /* one thread at a time turns the journal: its own, or the engine's */
    _Atomic bool committing;          /* it is the engine's */
    unsigned beats[THREAD_N];         /* numbers of the threads for their supervisor */
    _Atomic(const char *) stuck;      /* a thread that does not turn any more; NULL: none */
    _Atomic bool draining, stop_core, stop_shell, vehicles_idle, http_idle;
    /* Copies of the vehicles thread's figures for /metrics. */
    pthread_mutex_t figures_lock;
    struct gateway_counters gateway_figures;
    struct loop_counters loop_figures;
};

/* ---- what the node, the gateway and the api borrow from the world ---- */

static void wake_engine(void *ctx) { waker_wake(&((struct server *)ctx)->engine_waker); }
static void batch_handed(void *ctx) { ((struct server *)ctx)->handed = true; }
static void wake_keeper(void *ctx) { waker_wake(&((struct server *)ctx)->keeper_waker); }

static void wake_street(void *ctx) { waker_wake(&((struct server *)ctx)->view_waker); }

static void wake_gateway(void *ctx)
{
    struct server *s = ctx;
    if (ring_count(node_to_gateway(s->node))) loop_wake(s->vehicles);
}

static void wake_api(void *ctx)
{
    struct server *s = ctx;
    if (ring_count(node_to_api(s->node))) loop_wake(s->http);
}

static void wake_http(void *ctx) { loop_wake(((struct server *)ctx)->http); }
static int64_t wall_ms(void *ctx) { return clock_now_ms(&((struct server *)ctx)->clock); }

static int64_t mono_us(void *ctx)
{
    (void)ctx;
    return clock_mono_us();
}

static void random16(void *ctx, uint8_t out[16])
{
    (void)ctx;
    must(getrandom(out, 16, 0) == 16);
}

static bool ready(void *ctx, struct buf *why)
{
    const struct server *s = ctx;
    const char *failure = node_failure(s->node);
    const char *stuck = atomic_load(&s->stuck);
    buf_put_text(why, *failure ? failure : stuck ? stuck : atomic_load(&s->draining) ? "stopping" : "ready");
    if (stuck && !*failure) buf_put_text(why, ": this thread does not turn any more");
    return !*failure && !stuck && !atomic_load(&s->draining);
}

static void metrics(void *ctx, struct buf *out)
{
    struct server *s = ctx;
    process_metrics(s->dir, out);
    node_metrics(s->node, out);
    street_metrics(s->street, mono_us(NULL), out);
    trace_metrics(s->trace, out);
    pthread_mutex_lock(&s->figures_lock);
    gateway_metrics(&s->gateway_figures, &s->loop_figures, out);
    pthread_mutex_unlock(&s->figures_lock);
}

static void publish_figures(struct server *s)
{
    pthread_mutex_lock(&s->figures_lock);
    s->gateway_figures = *gateway_counters(s->gateway);
    s->loop_figures = s->vehicles->counters;
    pthread_mutex_unlock(&s->figures_lock);
}

static void gateway_log(void *ctx, const struct gateway_note *note)
{
    (void)ctx;
    fprintf(stderr, "vehicles: %s from %.*s (%.*s)\n", note->reason, (int)note->ident.len,
            note->ident.len ? (const char *)note->ident.at : "", (int)note->peer.len, (const char *)note->peer.at);
}

/* ---- threads ---- */

static void beat(struct server *s, unsigned thread)
{
    supervisor_beat(&s->supervisor, s->beats[thread], clock_mono_us() / 1000);
}

static void *vehicles_thread(void *arg)
{
    struct server *s = arg;
    bool draining = false;
    int64_t publish_ms = 0;
    (void)rank_take(RANK_PROMPT);
    while (!atomic_load(&s->stop_shell)) {
        beat(s, VEHICLES);
        if (loop_now_ms(s->vehicles) >= publish_ms) {
            publish_figures(s);
            publish_ms = loop_now_ms(s->vehicles) + LOOP_WAIT_MS;
        }
        if (!draining && atomic_load(&s->draining)) {
            gateway_drain(s->gateway);
            draining = true;
        }
        struct err e = loop_turn(s->vehicles, draining ? 5 : LOOP_WAIT_MS);
        must(!e.code);
        atomic_store(&s->vehicles_idle, draining && gateway_drained(s->gateway));
    }
    gateway_hang_up(s->gateway);
    for (unsigned i = 0; i < 100 && gateway_counters(s->gateway)->connections; i++) {
        if (loop_turn(s->vehicles, 5).code) break;
    }
    return NULL;
}

static void *http_thread(void *arg)
{
    struct server *s = arg;
    (void)rank_take(RANK_PROMPT);
    while (!atomic_load(&s->stop_shell)) {
        bool draining = atomic_load(&s->draining);
        beat(s, HTTP);
        struct err e = loop_turn(s->http, draining ? 5 : LOOP_WAIT_MS);
        must(!e.code);
        atomic_store(&s->http_idle, draining && api_drain(s->api));
    }
    return NULL;
}

static bool journal_take(struct server *s) { return !atomic_exchange(&s->journal_taken, true); }
static void journal_let_go(struct server *s) { atomic_store(&s->journal_taken, false); }

/* While nothing else waits a small batch is committed right here: waking a thread for it would cost more than its sync
 * keeps from us. */
static void commit_or_hand_over(struct server *s, bool calm)
{
    s->handed = false;
    if (!calm || !node_commit_is_small(s->node) || !journal_take(s)) {
        waker_wake(&s->journal_waker);
        return;
    }
    struct node_counters *c = node_counters(s->node);
    uint64_t before = atomic_load_explicit(&c->commits, memory_order_relaxed);
    atomic_store(&s->committing, true);
    struct err e = node_commit(s->node);
    atomic_store(&s->committing, false);
    atomic_fetch_add_explicit(&c->commits_by_engine, atomic_load_explicit(&c->commits, memory_order_relaxed) - before,
                              memory_order_relaxed);
    journal_let_go(s);
    if (e.code) waker_wake(&s->journal_waker); /* its thread ends; node_failure says why */
}

static void *engine_thread(void *arg)
{
    struct server *s = arg;
    (void)rank_take(RANK_PROMPT);
    while (!atomic_load(&s->stop_core)) {
        beat(s, ENGINE);
        int64_t now_ms = clock_now_ms(&s->clock);
        int64_t next_ms = node_engine_turn(s->node, now_ms), wait_ms = next_ms - now_ms;
        if (s->handed) commit_or_hand_over(s, wait_ms > 0);
        if (wait_ms > ENGINE_WAIT_MAX_MS) wait_ms = ENGINE_WAIT_MAX_MS;
        if (wait_ms > 0) waker_wait(&s->engine_waker, wait_ms * 1000 / s->clock.speed);
    }
    return NULL;
}

static void *journal_thread(void *arg)
{
    struct server *s = arg;
    (void)rank_take(RANK_PROMPT);
    while (!atomic_load(&s->stop_core)) {
        beat(s, JOURNAL);
        struct err e = NO_ERR;
        if (journal_take(s)) {
            e = node_journal_turn(s->node);
            journal_let_go(s);
        }
        if (e.code) break;
        waker_wait(&s->journal_waker, JOURNAL_WAIT_US);
    }
    return NULL;
}

static void *keeper_thread(void *arg)
{
    struct server *s = arg;
    (void)rank_take(RANK_BACKGROUND);
    while (!atomic_load(&s->stop_core)) {
        if (node_keeper_turn(s->node, clock_now_ms(&s->clock)).code) break;
        waker_wait(&s->keeper_waker, 100000);
    }
    return NULL;
}

static void *view_thread(void *arg)
{
    struct server *s = arg;
    (void)rank_take(RANK_BACKGROUND);
    while (!atomic_load(&s->stop_core)) {
        beat(s, VIEW);
        uint64_t committed = atomic_load_explicit(&node_counters(s->node)->committed_seq, memory_order_acquire);
        waker_wait(&s->view_waker, street_turn(s->street, committed, clock_now_ms(&s->clock)));
    }
    return NULL;
}

static struct err start_threads(struct server *s)
{
    static void *(*const bodies[THREAD_N])(void *) = {engine_thread, journal_thread,  keeper_thread,
                                                      view_thread,   vehicles_thread, http_thread};
    static const char *const names[THREAD_N] = {"engine", "journal", "keeper", "view", "vehicles", "http"};
    for (unsigned i = 0; i < THREAD_N; i++) {
        /* The keeper may copy the tables for minutes; that it falls behind is told by metrics. */
        if (i != KEEPER) s->beats[i] = supervisor_watch(&s->supervisor, names[i], clock_mono_us() / 1000);
    }
    for (unsigned i = 0; i < THREAD_N; i++) {
        if (pthread_create(&s->threads[i], NULL, bodies[i], s)) return ERR(IO, "a thread cannot be started");
        pthread_setname_np(s->threads[i], names[i]);
        s->thread_count++;
    }
    return NO_ERR;
}

/* ---- beginning ---- */

static void random_words(uint64_t *a, uint64_t *b)
{
    uint8_t bytes[16];
    random16(NULL, bytes);
    *a = load_u64(bytes);
    *b = load_u64(bytes + 8);
}

static struct err open_node(struct server *s)
{
    const struct settings *set = &s->settings;
    static struct engine_limits limits;
    limits.rows[ROW_VEHICLE] = limits.rows[ROW_DEVICE] = (uint32_t)set->rows_vehicles;
    limits.rows[ROW_PUBLIC_CODE] = 2 * (uint32_t)set->rows_vehicles;
    limits.rows[ROW_RIDER] = (uint32_t)set->rows_riders;
    limits.rows[ROW_RIDE] = limits.rows[ROW_COMMAND] = (uint32_t)set->rows_rides;
    struct node_options o = {
        .recover = {
            .dir = {.fs = &s->fs, .sql_folder = s->dir},
            .accept_other_effects = set->accept_effects,
            .build = paddock_build,
            .limits = &limits,
            .journal = {.segment_bytes = (uint64_t)set->journal_segment_mb << 20, .keep_ms = set->journal_keep_h * 3600000,
                        .keep_bytes = (uint64_t)set->journal_keep_mb << 20},
            .keeper = {.interval_ms = set->keeper_interval_ms},
        },
        .bases = set->bases,
        .wake_engine = wake_engine, .wake_journal = batch_handed, .wake_keeper = wake_keeper, .wake_street = wake_street,
        .wake_gateway = wake_gateway, .wake_api = wake_api,
        .mono_us = mono_us, .ctx = s,
    };
    struct street_options street = {.vehicles_max = (uint32_t)set->rows_vehicles, .rides_max = (uint32_t)set->rows_rides,
                                    .mono_us = mono_us};
    random_words(&street.key.k0, &street.key.k1);
    TRY(street_create(&street, &s->street));
    o.street = s->street;
    random_words(&o.seed0, &o.seed1);
    uint64_t unused;
    random_words(&o.recover.journal.salt, &unused);
    text_clip(&o.crash_on, bytes_text(set->crash_on));
    char text[RECOVER_TEXT_MAX];
    struct err e = node_create(&o, &s->node, text);
    if (*text) fprintf(stderr, "%s\n", text);
    if (e.code) return e;
    const struct journal_report *journal = &node_recovered(s->node)->journal_report;
    if (journal->torn_bytes) fprintf(stderr, "%s\n", journal->text);
    int64_t end_ms = node_recovered(s->node)->now_ms, behind_ms = end_ms - clock_wall_ms();
    if (behind_ms > CLOCK_BACK_MAX_MS && set->clock_speed == 1 && !set->force_clock) {
        fprintf(stderr, "The wall clock is %lld s before the journal's end. Set the clock, or start with --set clock.force=true.\n",
                (long long)(behind_ms / 1000));
        return ERR(STATE, "the wall clock went back");
    }
    clock_init(&s->clock, set->clock_speed, end_ms);
    (void)street_show(s->street, node_recovered(s->node)->seq, clock_now_ms(&s->clock)); /* before the first to ask */
    return NO_ERR;
}

static int64_t wall_us(void *ctx)
{
    (void)ctx;
    return clock_wall_ms() * 1000;
}

static struct err open_trace(struct server *s)
{
    if (!*s->settings.trace_otlp) return NO_ERR;
    struct client_options client = {.hosts = "", .private_addresses = true}; /* the operator names the collector, nobody else */
    TRY(client_curl_create(&client, &s->trace_client));
    struct trace_options options = {.url = s->settings.trace_otlp, .build = paddock_build_text, .client = s->trace_client,
                                    .wall_us = wall_us, .mono_us = mono_us, .ctx = s};
    random_words(&options.key.k0, &options.key.k1);
    return trace_create(&options, &s->trace);
}

static struct err open_tape(struct server *s)
{
    struct hash_key key;
    random_words(&key.k0, &key.k1);
    return tape_create((uint32_t)s->settings.frames_kept, key, &s->tape);
}

static struct err open_vehicles(struct server *s)
{
    uint32_t conn_max = (uint32_t)s->settings.vehicles_max, frames_per_s = (uint32_t)s->settings.vehicles_frames_per_s;
    struct loop_config loop = {.conn_max = conn_max + 16};
    TRY(loop_epoll_create(&loop, &s->vehicles));
    struct gateway_config config = {
        .loop = s->vehicles, .address = bytes_text(s->settings.vehicles_address), .conn_max = conn_max,
        .frames_per_s = frames_per_s, .frames_burst = 2 * frames_per_s,
        .slot_max = loop.conn_max, .telemetry = node_telemetry(s->node), .urgent = node_gateway_urgent(s->node),
        .out = node_to_gateway(s->node), .wake_engine = wake_engine, .wake_ctx = s, .wall_ms = wall_ms, .wall_ctx = s,
        .clock_us = mono_us, .log = gateway_log, .tape = s->tape, .trace = s->trace,
    };
    return gateway_create(&config, &s->gateway);
}

/* Without pages all else works: phones and staff's own programs need none. */
static struct err open_pages(struct server *s)
{
    char beside[1100];
    const char *dir = s->settings.pages_dir;
    if (!strcmp(dir, "-")) return NO_ERR;
    pages_beside_binary(beside, sizeof beside);
    struct pages_options options = {.dir = *dir ? dir : beside, .panel = s->settings.demo_panel};
    struct err e = pages_create(&options, &s->pages);
    if (e.code == ERR_NOT_FOUND && !*dir) {
        fprintf(stderr, "No pages: tools/apps builds them into %s.\n", beside);
        return NO_ERR;
    }
    if (e.code) fprintf(stderr, "paddock serve: pages in %s\n", options.dir);
    return e;
}

/* Codes and the like are printed in a demo; otherwise somebody's hook takes them. */
static struct err open_messages(struct server *s, struct message_way *way)
{
    if (!s->settings.demo_mode) return NO_ERR;
    struct message_print_options print = {.demo = true, .path = s->printed_path, .wall_ms = wall_ms, .ctx = s};
    TRY(message_print_open(&print, &s->print));
    *way = message_print_way(s->print);
    fprintf(stderr, "Demo mode: messages to people, sign-in codes among them, are printed here and kept in %s.\n",
            s->printed_path);
    return NO_ERR;
}

static struct err open_http(struct server *s)
{
    struct loop_config loop = {.conn_max = HTTP_CONN_MAX + 64};
    TRY(loop_epoll_create(&loop, &s->http));
    struct auth_options auth = {.path = s->contacts_path};
    TRY(auth_create(&auth, &s->auth));
    struct desk_options desk = {.path = s->db_path, .wake = wake_http, .wake_ctx = s};
    TRY(desk_create(&desk, &s->desk));
    TRY(open_pages(s));
    struct clerk_options clerk = {.contacts = &auth, .wake = wake_http, .wake_ctx = s};
    TRY(clerk_create(&clerk, &s->clerk));
    struct message_way messages = {.name = NULL};
    TRY(open_messages(s, &messages));
    TRY(desk_create(&desk, &s->push_desk));
    struct client_options client = {.hosts = s->settings.outbound_hosts, .wake = wake_http, .wake_ctx = s,
                                    .private_addresses = s->settings.outbound_private || s->settings.demo_mode};
    TRY(client_curl_create(&client, &s->client));
    uint8_t secret[16];
    TRY(auth_secret16(s->auth, "idempotency", secret));
    struct api_config config = {
        .loop = s->http, .loop_conn_max = loop.conn_max, .address = bytes_text(s->settings.http_address),
        .admin_address = bytes_text(s->settings.admin_address), .urgent = node_api_urgent(s->node),
        .out = node_to_api(s->node),
        .world = {.ctx = s, .wake_engine = wake_engine, .wall_ms = wall_ms, .random16 = random16, .ready = ready,
                  .metrics = metrics},
        .auth = s->auth, .desk = s->desk, .clerk = s->clerk, .street = s->street,
        .pages = s->pages, .panel = s->settings.demo_panel,
        .messages = messages, .client = s->client, .push_desk = s->push_desk,
        .limits = {.code_s = (uint32_t)s->settings.sign_in_code_s,
                   .rider_token_s = 3600 * (uint32_t)s->settings.sign_in_rider_h,
                   .staff_token_s = 3600 * (uint32_t)s->settings.sign_in_staff_h},
        .key = {load_u64(secret), load_u64(secret + 8)}, .build = paddock_build_text,
        .http = {.conn_max = HTTP_CONN_MAX}, .proxied = s->settings.http_proxy,
        .tape = s->tape, .trace = s->trace, .trace_one_in = (uint32_t)s->settings.trace_one_in,
    };
    return api_create(&config, &s->api);
}

static struct err tell_ready(struct server *s)
{
    struct text64 http, admin, vehicles;
    TRY(api_address(s->api, &http, &admin));
    TRY(gateway_address(s->gateway, &vehicles));
    fprintf(stderr, "Paddock serves %s: API http://%.*s, vehicles %.*s, admin http://%.*s\n", s->dir, http.len, http.at,
            vehicles.len, vehicles.at, admin.len, admin.at);
    char status[200];
    snprintf(status, sizeof status, "API %.*s, vehicles %.*s, admin %.*s", http.len, http.at, vehicles.len, vehicles.at,
             admin.len, admin.at);
    supervisor_ready(&s->supervisor, status);
    if (!s->ready_file) return NO_ERR;
    char part[1200];
    snprintf(part, sizeof part, "%s.part", s->ready_file);
    FILE *f = fopen(part, "we");
    if (!f) return ERR(IO, "the ready file cannot be written");
    fprintf(f, "{\"http\":\"%.*s\",\"vehicles\":\"%.*s\",\"admin\":\"%.*s\",\"pid\":%d}\n", http.len, http.at, vehicles.len,
            vehicles.at, admin.len, admin.at, (int)getpid());
    bool written = fclose(f) == 0 && rename(part, s->ready_file) == 0;
    return written ? NO_ERR : ERR(IO, "the ready file cannot be written");
}

static struct err check_descriptors(const struct server *s)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return NO_ERR;
    rlim_t need = (rlim_t)s->settings.vehicles_max + HTTP_CONN_MAX + FILES_RESERVE;
    if (limit.rlim_cur < need && limit.rlim_max > limit.rlim_cur) {
        limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* said below when it was not enough */
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= need) return NO_ERR;
    fprintf(stderr, "%llu open files are needed and %llu allowed: raise `ulimit -n`, or lower --set vehicles.max.\n",
            (unsigned long long)need, (unsigned long long)limit.rlim_cur);
    return ERR(FULL, "too few file descriptors");
}

static struct err open_all(struct server *s)
{
    if (mkdir(s->dir, 0700) && errno != EEXIST) return ERR(IO, "the data directory cannot be made");
    snprintf(s->db_path, sizeof s->db_path, "%s/%s", s->dir, DATA_TABLES);
    snprintf(s->contacts_path, sizeof s->contacts_path, "%s/contacts.db", s->dir);
    snprintf(s->printed_path, sizeof s->printed_path, "%s/demo_messages.json", s->dir);
    TRY(supervisor_open(&s->supervisor));
    TRY(check_descriptors(s));
    TRY(file_os_open(&s->os, s->dir, &s->fs));
    struct err e = data_lock(&(struct data_dir){.fs = &s->fs, .sql_folder = s->dir}, &s->lock);
    if (e.code == ERR_STATE) fprintf(stderr, "Another server works in %s.\n", s->dir);
    if (e.code) return e;
    TRY(open_node(s));
    TRY(open_tape(s));
    TRY(open_trace(s));
    TRY(open_vehicles(s));
    TRY(open_http(s));
    return NO_ERR;
}

/* ---- end ---- */

static void join_from(struct server *s, unsigned first, unsigned end)
{
    for (unsigned i = first; i < end && i < s->thread_count; i++) pthread_join(s->threads[i], NULL);
}

/* What was read is applied, committed and answered; then the core stops; then the sockets close. */
static bool stop_in_order(struct server *s)
{
    supervisor_stopping(&s->supervisor, *node_failure(s->node) ? node_failure(s->node) : "answering what was asked");
    atomic_store(&s->draining, true);
    loop_wake(s->vehicles);
    loop_wake(s->http);
    const struct node_counters *c = node_counters(s->node);
    for (unsigned waited_ms = 0; waited_ms < DRAIN_MS && !*node_failure(s->node); waited_ms += 5) {
        bool quiet = atomic_load(&s->vehicles_idle) && atomic_load(&s->http_idle) &&
                     atomic_load(&c->seq) == atomic_load(&c->committed_seq);
        if (quiet) break;
        usleep(5000);
    }
    atomic_store(&s->stop_core, true);
    waker_wake(&s->engine_waker);
    waker_wake(&s->journal_waker);
    waker_wake(&s->keeper_waker);
    waker_wake(&s->view_waker);
    join_from(s, 0, SHELL);
    bool fine = !*node_failure(s->node) && !node_finish(s->node, clock_now_ms(&s->clock)).code;
    usleep(20000); /* the last replies are in the out rings: the shell's loops take them */
    atomic_store(&s->stop_shell, true);
    loop_wake(s->vehicles);
    loop_wake(s->http);
    join_from(s, SHELL, THREAD_N);
    return fine;
}

static void close_all(struct server *s)
{
    api_destroy(s->api);
    pages_destroy(s->pages);
    client_destroy(s->client);
    desk_destroy(s->push_desk);
    desk_destroy(s->desk);
    clerk_destroy(s->clerk);
    message_print_close(s->print);
    auth_destroy(s->auth);
    if (s->http) loop_destroy(s->http);
    gateway_destroy(s->gateway);
    if (s->vehicles) loop_destroy(s->vehicles);
    node_destroy(s->node);
    trace_destroy(s->trace);
    tape_destroy(s->tape);
    client_destroy(s->trace_client);
    supervisor_close(&s->supervisor);
    street_destroy(s->street);
    if (s->fs.ops) {
        file_close(&s->fs, &s->lock);
        file_os_close(&s->os);
    }
}

/* ---- main ---- */

/* SIGSEGV and its kind: the fact in hand is marked as the one that stopped us; then the default death. */
static void on_fatal(int signal)
{
    node_crashed();
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
    raise(signal);
}

static void on_must(const char *claim, const char *file, int line)
{
    fprintf(stderr, "paddock: broken promise at %s:%d: %s\n", file, line, claim);
}

static void set_signals(sigset_t *wanted)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
    struct sigaction action = {.sa_handler = on_fatal};
    for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++) sigaction(fatal[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(wanted);
    sigaddset(wanted, SIGINT);
    sigaddset(wanted, SIGTERM);
    pthread_sigmask(SIG_BLOCK, wanted, NULL);
    must_set_handler(on_must);
}

static void wait_for_end(struct server *s, const sigset_t *wanted)
{
    for (;;) {
        struct timespec second = {.tv_sec = 0, .tv_nsec = 200000000};
        int signal = sigtimedwait(wanted, NULL, &second);
        if (signal == SIGINT || signal == SIGTERM) {
            fprintf(stderr, "Stopping.\n");
            return;
        }
        if (*node_failure(s->node)) {
            fprintf(stderr, "paddock serve: nothing is acknowledged any more: %s\n", node_failure(s->node));
            usleep(FAILED_LINGER_MS * 1000);
            return;
        }
        trace_turn(s->trace);
        const char *stuck = supervisor_turn(&s->supervisor, clock_mono_us() / 1000);
        /* The engine's thread in the middle of a commit: it is the disk that one should look at. */
        if (stuck && !strcmp(stuck, "engine") && atomic_load(&s->committing)) stuck = "journal";
        if (stuck && !atomic_load(&s->stuck)) fprintf(stderr, "paddock serve: the thread %s does not turn any more.\n", stuck);
        atomic_store(&s->stuck, stuck);
        int64_t jumped_ms = clock_watch(&s->clock);
        if (!jumped_ms) continue;
        fprintf(stderr, "The wall clock jumped by %lld ms; it is not followed.\n", (long long)jumped_ms);
        node_clock_jumped(s->node, jumped_ms);
    }
}

static void help(void)
{
    printf("Usage: paddock serve --data DIR [--config FILE] [--set name=value]... [--ready-file FILE]\n\n"
           "Runs one node on DIR, which is made when missing: riders and staff over HTTP, vehicles over TCP, every fact on\n"
           "disk before anyone is told. Ctrl-C or SIGTERM ends it in order. It needs no configuration.\n\n"
           "  paddock serve --data ./city                        API on 127.0.0.1:8080, vehicles on 0.0.0.0:7700\n"
           "  paddock token --data ./city --role control         a token for staff, while it runs\n"
           "  curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/v1/vehicles\n\n"
           "Settings (--set name=value, or lines `name = value` in --config FILE; port 0 is any free port):\n");
    settings_print(stdout, false);
}

static int parse(struct server *s, int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'}, {"config", required_argument, NULL, 'c'},
                                            {"set", required_argument, NULL, 's'}, {"ready-file", required_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'}, {0}};
    char why[256] = "";
    settings_init(&s->settings);
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        struct err e = NO_ERR;
        if (c == 'd') s->dir = optarg;
        else if (c == 'r') s->ready_file = optarg;
        else if (c == 'c') e = settings_file(&s->settings, optarg, why);
        else if (c == 's') e = settings_set(&s->settings, bytes_text(optarg), why);
        else if (c == 'h') {
            help();
            return 0;
        } else {
            snprintf(why, sizeof why, "%.120s is not an option or lacks its value; see paddock serve --help", argv[optind - 1]);
            e = ERR(INVALID, "bad option");
        }
        if (e.code) {
            fprintf(stderr, "paddock serve: %s\n", why);
            return 2;
        }
    }
    if (s->dir && strlen(s->dir) < 1000 && optind == argc) return -1;
    fprintf(stderr, "paddock serve: --data DIR says where the data lives; see paddock serve --help\n");
    return 2;
}

int serve_main(int argc, char **argv)
{
    static struct server s = {.lock = {-1}, .supervisor = {.fd = -1}, .figures_lock = PTHREAD_MUTEX_INITIALIZER};
    int code = parse(&s, argc, argv);
    if (code >= 0) return code;
    sigset_t wanted;
    set_signals(&wanted);
    struct err e = open_all(&s);
    if (!e.code) e = start_threads(&s);
    if (!e.code) e = tell_ready(&s);
    if (e.code && !s.thread_count) {
        fprintf(stderr, "paddock serve: %s\n", e.why);
        close_all(&s);
        return 1;
    }
    if (!e.code) wait_for_end(&s, &wanted);
    else fprintf(stderr, "paddock serve: %s\n", e.why);
    bool fine = stop_in_order(&s);
    if (!fine) fprintf(stderr, "paddock serve: stopped: %s\n", *node_failure(s.node) ? node_failure(s.node) : "not in order");
    close_all(&s);
    return fine && !e.code ? 0 : 1;
}
