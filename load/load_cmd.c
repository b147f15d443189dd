/* SPDX-License-Identifier: Apache-2.0 */
/* load_cmd.c: see load_cmd.h. Options, then: declare, run, read back, report. */
#include "load/load_cmd.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "load/office.h"
#include "load/people_cmd.h"
#include "load/report.h"
#include "net/loop_address.h"

enum { FINE = 0, NOT_CLEAN = 1, USAGE = 2, CANNOT = 3 };
enum { RATE_MAX = 2000000, FOR_MAX_MS = 4 * 3600000, FILES_BESIDE = 64, READ_BACK_MS = 15000, REPORT_MAX = 8192 };

struct asked {
    struct fleet_options fleet;
    struct people_asked people;
    const char *vehicles, *http, *token, *json, *data;
    bool declared, only_declare, own, quiet, rates[PEOPLE_KIND_N];
};

static volatile bool stop;

static void on_signal(int signal)
{
    (void)signal;
    stop = true;
}

static void help(void)
{
    printf("Usage: paddock load --vehicles HOST:PORT [--http HOST:PORT --token TOKEN] [OPTIONS]\n\n"
           "Simulated horseshoe locks send positions to a server, each acknowledged after its commit, and count how long that\n"
           "takes. Times run from when a message was due, so that a stall is charged for everybody who had to wait.\n\n"
           "  --vehicles HOST:PORT   where vehicles connect\n"
           "  --http HOST:PORT       the API: vehicles are declared there first, and their last positions compared at the end\n"
           "  --token TOKEN          for the API, of the role control\n"
           "  --declared             they were declared by an earlier run: only compare\n"
           "  --only-declare         declare the vehicles and do no more\n"
           "  --connections N        vehicles, one connection each (100)\n"
           "  --in-flight N          unanswered messages of a connection at most (1)\n"
           "  --rate N               messages a second of all together, an open loop; without: as fast as answers come\n"
           "  --for TIME             how long to measure: 10s, 5m, 1h (10s); at most 4h\n"
           "  --warmup TIME          before that, not counted (2s)\n"
           "  --first N              number of the first vehicle (1)\n"
           "  --dialect NAME         %s (cmdr). echo: a server that sends back; mqtt: a broker, QoS 1\n"
           "  --riders N             instead of telemetry: N open apps that pan the map, look at their ride and\n"
           "                         start rides on --connections locks; with --http, --token and\n"
           "  --data DIR             the server's directory: riders' tokens are granted there\n"
           "  --near, --polls, --starts N   a second of each; without: as many as that many people ask for\n"
           "  --ride-for TIME        from unlocked to closed by hand (5s)\n"
           "  --http-connections N   that the apps share, as behind a front proxy (64)\n"
           "  --json FILE            the figures for programs, too\n"
           "  --server-pid PID       counts the processor time of that process a message, too\n"
           "  --quiet                no progress on stderr\n"
           "  --i-own-this-server    allows an address that is not this machine\n\n"
           "Exit: 0 all was acknowledged and is kept, 1 something was not, 2 bad usage, 3 it could not begin.\n",
           wire_names());
}

static int bad_usage(const char *what, const char *which)
{
    fprintf(stderr, "paddock load: %s%s (--help shows how)\n", what, which);
    return USAGE;
}

/* "500ms", "10s", "5m", "1h". */
static bool read_time(const char *text, int64_t *ms)
{
    static const struct { const char *unit; int64_t ms; } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    size_t digits = strspn(text, "0123456789");
    uint64_t n;
    if (bytes_u64(bytes_of(text, digits), 7, &n).code) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(text + digits, units[i].unit) != 0) continue;
        *ms = (int64_t)n * units[i].ms;
        return *ms <= FOR_MAX_MS;
    }
    return false;
}

static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    return !bytes_u64(bytes_text(text), 9, out).code && *out >= least && *out <= most;
}

static bool read_u32(const char *text, uint64_t least, uint64_t most, uint32_t *out)
{
    uint64_t n;
    if (!read_number(text, least, most, &n)) return false;
    *out = (uint32_t)n;
    return true;
}

enum { OPT_VEHICLES = 1, OPT_HTTP, OPT_TOKEN, OPT_DECLARED, OPT_ONLY_DECLARE, OPT_CONNECTIONS, OPT_IN_FLIGHT, OPT_RATE,
       OPT_FOR, OPT_WARMUP, OPT_FIRST, OPT_DIALECT, OPT_JSON, OPT_QUIET, OPT_OWN, OPT_PID, OPT_HELP, OPT_RIDERS, OPT_DATA,
       OPT_RIDE_FOR, OPT_LINES, OPT_NEAR, OPT_POLLS, OPT_STARTS };

static bool take(struct asked *a, int option, const char *arg)
{
    struct fleet_options *f = &a->fleet;
    uint64_t n;
    switch (option) {
    case OPT_VEHICLES: a->vehicles = arg; return true;
    case OPT_HTTP: a->http = arg; return true;
    case OPT_TOKEN: a->token = arg; return true;
    case OPT_DECLARED: return a->declared = true;
    case OPT_ONLY_DECLARE: return a->only_declare = true;
    case OPT_CONNECTIONS: return read_u32(arg, 1, FLEET_CONNECTIONS_MAX, &f->connections);
    case OPT_IN_FLIGHT: return read_u32(arg, 1, FLEET_IN_FLIGHT_MAX, &f->in_flight);
    case OPT_RATE: return read_number(arg, 1, RATE_MAX, &f->rate);
    case OPT_FOR: return read_time(arg, &f->for_ms) && f->for_ms >= 100;
    case OPT_WARMUP: return read_time(arg, &f->warmup_ms);
    case OPT_FIRST: return read_u32(arg, 1, WIRE_VEHICLES_MAX - FLEET_CONNECTIONS_MAX, &f->first);
    case OPT_DIALECT: return (f->dialect = wire_find(bytes_text(arg))) != NULL;
    case OPT_JSON: a->json = arg; return *arg;
    case OPT_QUIET: return a->quiet = true;
    case OPT_PID: return read_number(arg, 1, INT32_MAX, &n) && (f->server_pid = (int32_t)n);
    case OPT_RIDERS: return read_u32(arg, 1, PEOPLE_RIDERS_MAX, &a->people.options.riders);
    case OPT_DATA: a->data = arg; return *arg;
    case OPT_RIDE_FOR: return read_time(arg, &a->people.options.ride_ms);
    case OPT_LINES: return read_u32(arg, 1, PEOPLE_CLIENTS_MAX, &a->people.options.clients);
    case OPT_NEAR:
    case OPT_POLLS:
    case OPT_STARTS:
        a->rates[option - OPT_NEAR] = true;
        return read_u32(arg, 0, PEOPLE_RATE_MAX, &a->people.options.per_s[option - OPT_NEAR]);
    case OPT_OWN: return a->own = true;
    default: return false;
    }
}

static bool loopback(const struct net_address *a)
{
    if (a->at.ss_family == AF_INET) return ntohl(((const struct sockaddr_in *)&a->at)->sin_addr.s_addr) >> 24 == 127;
    return a->at.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&a->at)->sin6_addr);
}

/* An address of ours to use, or what is wrong with it. */
static int check_address(const struct asked *a, const char *option, const char *text)
{
    struct net_address at;
    if (address_parse(bytes_text(text), &at).code) return bad_usage(option, ": an address is 127.0.0.1:7700 or [::1]:7700");
    if (loopback(&at) || a->own) return FINE;
    return bad_usage(option, " is not this machine: with --i-own-this-server you say that you may");
}

/* -1: go on. */
static int parse(struct asked *a, int argc, char **argv)
{
    static const struct option options[] = {
        {"vehicles", 1, NULL, OPT_VEHICLES}, {"http", 1, NULL, OPT_HTTP}, {"token", 1, NULL, OPT_TOKEN},
        {"declared", 0, NULL, OPT_DECLARED}, {"only-declare", 0, NULL, OPT_ONLY_DECLARE},
        {"connections", 1, NULL, OPT_CONNECTIONS}, {"in-flight", 1, NULL, OPT_IN_FLIGHT},
        {"rate", 1, NULL, OPT_RATE}, {"for", 1, NULL, OPT_FOR}, {"warmup", 1, NULL, OPT_WARMUP}, {"first", 1, NULL, OPT_FIRST},
        {"dialect", 1, NULL, OPT_DIALECT}, {"json", 1, NULL, OPT_JSON}, {"quiet", 0, NULL, OPT_QUIET},
        {"server-pid", 1, NULL, OPT_PID}, {"i-own-this-server", 0, NULL, OPT_OWN},
        {"help", 0, NULL, OPT_HELP}, {"riders", 1, NULL, OPT_RIDERS}, {"data", 1, NULL, OPT_DATA},
        {"ride-for", 1, NULL, OPT_RIDE_FOR}, {"http-connections", 1, NULL, OPT_LINES}, {"near", 1, NULL, OPT_NEAR},
        {"polls", 1, NULL, OPT_POLLS}, {"starts", 1, NULL, OPT_STARTS}, {0}};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == OPT_HELP) {
            help();
            return FINE;
        }
        if (c == '?') return bad_usage("not an option, or its value is missing: ", argv[optind - 1]);
        if (!take(a, c, optarg)) return bad_usage("not a good value: ", argv[optind - 1]);
    }
    if (optind < argc) return bad_usage("nothing is asked for by ", argv[optind]);
    if (!a->vehicles) return bad_usage("--vehicles HOST:PORT says where to", "");
    bool riders = a->people.options.riders != 0;
    if (riders && (!a->http || !a->data)) return bad_usage("--riders needs --http, --token and --data", "");
    if (riders && a->fleet.connections > PEOPLE_LOCKS_MAX) return bad_usage("too many locks: at most 10000", "");
    if (!a->http != !a->token) return bad_usage("--http and --token go together", "");
    int code = check_address(a, "--vehicles", a->vehicles);
    if (!code && a->http) code = check_address(a, "--http", a->http);
    a->fleet.address = bytes_text(a->vehicles);
    return code ? code : -1;
}

static void progress(void *ctx, const char *phase, uint64_t acked, double per_s)
{
    (void)ctx;
    fprintf(stderr, "%-11s %12llu acknowledged %10.0f/s\n", phase, (unsigned long long)acked, per_s);
}

static void raise_files(uint32_t connections)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    rlim_t need = connections + FILES_BESIDE;
    if (limit.rlim_cur >= need) return;
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > need ? need : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit); /* if it is not enough, the run says how many were refused */
}

/* ---- reading back ---- */

struct comparison { const struct fleet *fleet; const struct fleet_options *options; struct load_checked *checked; };

static void compare(void *ctx, uint32_t number, bool has_position, int64_t lat_e7, int64_t lon_e7)
{
    struct comparison *c = ctx;
    uint32_t i = number - c->options->first, acked = fleet_acked(c->fleet, i);
    c->checked->missing--;
    if (!acked) c->checked->equal++; /* it said nothing, so nothing is to be kept */
    else if (has_position && wire_is_at(number, acked - 1, lat_e7, lon_e7)) c->checked->equal++;
    else c->checked->other++;
}

/* The tables follow the acknowledgements by a cut: looked at until they agree. */
static struct err read_back(const struct asked *a, const struct fleet *fleet, struct load_checked *checked, char *why)
{
    struct office_options office = {bytes_text(a->http), bytes_text(a->token), a->fleet.first, a->fleet.connections, NULL};
    struct comparison c = {fleet, &a->fleet, checked};
    for (unsigned waited_ms = 0;; waited_ms += 250) {
        *checked = (struct load_checked){.asked = true, .missing = a->fleet.connections};
        TRY(office_list(&office, compare, &c, why));
        if ((!checked->other && !checked->missing) || waited_ms >= READ_BACK_MS) return NO_ERR;
        usleep(250000);
    }
}

static bool write_json(const char *path, struct bytes text)
{
    FILE *file = fopen(path, "w");
    if (!file) return false;
    bool fine = fwrite(text.at, 1, text.len, file) == text.len;
    return fclose(file) == 0 && fine;
}

static int report(const struct asked *a, const struct load_report *r)
{
    static uint8_t room[REPORT_MAX];
    struct buf out = buf_on(room, sizeof room);
    report_table(r, &out);
    fwrite(out.at, 1, out.len, stdout);
    if (a->json) {
        out = buf_on(room, sizeof room);
        report_json(r, &out);
        if (!write_json(a->json, buf_bytes(&out))) {
            fprintf(stderr, "paddock load: %s cannot be written\n", a->json);
            return CANNOT;
        }
    }
    return report_is_clean(r) ? FINE : NOT_CLEAN;
}

static int cannot(const char *what, struct err e, const char *why)
{
    fprintf(stderr, "paddock load: %s: %s%s%s\n", what, e.why, *why ? ": " : "", why);
    return CANNOT;
}

static void people_progress(void *ctx, const char *phase, uint64_t done, uint64_t waiting)
{
    (void)ctx;
    fprintf(stderr, "%-11s %12llu answered %10llu wait\n", phase, (unsigned long long)done, (unsigned long long)waiting);
}

static int run_people(struct asked *a)
{
    struct people_asked *p = &a->people;
    uint32_t usual[PEOPLE_KIND_N];
    people_usual_rates(p->options.riders, usual);
    for (unsigned k = 0; k < PEOPLE_KIND_N; k++) {
        if (!a->rates[k]) p->options.per_s[k] = usual[k];
    }
    p->options.http = bytes_text(a->http);
    p->options.vehicles = bytes_text(a->vehicles);
    p->options.locks = a->fleet.connections;
    p->options.first = a->fleet.first;
    p->options.warmup_ms = a->fleet.warmup_ms;
    p->options.for_ms = a->fleet.for_ms;
    p->options.progress = a->quiet ? NULL : people_progress;
    p->options.stop = &stop;
    p->http = a->http;
    p->token = a->token;
    p->data = a->data;
    p->json = a->json;
    return people_cmd(p);
}

static int run(struct asked *a)
{
    static struct fleet_result result;
    struct load_checked checked = {0};
    struct fleet *fleet = NULL;
    char why[OFFICE_TEXT_MAX] = "";
    if (a->http && !a->declared) {
        struct office_options office = {bytes_text(a->http), bytes_text(a->token), a->fleet.first, a->fleet.connections, &stop};
        struct err e = office_declare(&office, why);
        if (e.code) return cannot("the vehicles could not be declared", e, why);
    }
    if (a->only_declare) return FINE;
    struct err e = fleet_create(&a->fleet, &fleet);
    if (!e.code) e = fleet_run(fleet, &result);
    int code = e.code ? cannot("nothing was measured", e, "") : FINE;
    if (!code && a->http) e = read_back(a, fleet, &checked, why);
    if (!code && e.code) code = cannot("the positions could not be read back", e, why);
    if (!code) code = report(a, &(struct load_report){&a->fleet, &result, &checked});
    fleet_destroy(fleet);
    return code;
}

int load_main(int argc, char **argv)
{
    struct asked a = {.fleet = {.connections = 100, .in_flight = 1, .first = 1, .warmup_ms = 2000, .for_ms = 10000,
                                .progress = progress, .stop = &stop},
                      .people.options = {.clients = 64, .ride_ms = 5000}};
    a.fleet.dialect = wire_find(bytes_text("cmdr"));
    int code = parse(&a, argc, argv);
    if (code >= 0) return code;
    if (a.quiet) a.fleet.progress = NULL;
    signal(SIGPIPE, SIG_IGN);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    raise_files(a.fleet.connections + PEOPLE_CLIENTS_MAX);
    return a.people.options.riders ? run_people(&a) : run(&a);
}
