/* SPDX-License-Identifier: Apache-2.0 */
/* demo_options.c: see demo_options.h. */
#include "sim/demo_options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/must.h"
#include "net/loop_address.h"
#include "ops/settings.h"
#include "sim/demo_city.h"

enum { VEHICLES = 400, FOR_MAX_DIGITS = 6 };

enum { OPT_DATA = 1, OPT_VEHICLES, OPT_SPEED, OPT_FOR, OPT_REPORT, OPT_SEED, OPT_SET, OPT_STREETS,
       OPT_CITY, OPT_DEMAND, OPT_HOUR, OPT_PASSING, OPT_HELP };

static bool number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    return !bytes_u64(bytes_text(text), 18, out).code && *out >= least && *out <= most;
}

/* "30s", "5m", "1h". */
static bool read_for(const char *text, int64_t *ms)
{
    struct bytes in = bytes_text(text);
    uint64_t n;

    if (in.len < 2 || bytes_u64(bytes_of(in.at, in.len - 1), FOR_MAX_DIGITS, &n).code || !n) return false;
    switch (in.at[in.len - 1]) {
    case 's': *ms = (int64_t)n * 1000; return true;
    case 'm': *ms = (int64_t)n * 60000; return true;
    case 'h': *ms = (int64_t)n * 3600000; return true;
    default: return false;
    }
}

static bool take(struct demo_options *o, int option, const char *arg)
{
    uint64_t hour;

    switch (option) {
    case OPT_DATA: o->dir = arg; return *arg && strlen(arg) < DEMO_PATH_MAX - 100;
    case OPT_VEHICLES: return number(arg, 1, DEMO_VEHICLES_MAX, &o->vehicles);
    case OPT_SPEED: return number(arg, 1, DEMO_SPEED_MAX, &o->speed);
    case OPT_FOR: return read_for(arg, &o->for_ms);
    case OPT_REPORT: o->report = arg; return *arg && strlen(arg) < DEMO_PATH_MAX - 100;
    case OPT_SEED: return number(arg, 0, UINT64_MAX, &o->seed);
    case OPT_STREETS: o->streets = arg; return *arg;
    case OPT_CITY: o->place = demo_place_find(arg); return o->place;
    case OPT_DEMAND: o->demand = arg; return *arg;
    case OPT_PASSING: return o->passing = true;
    case OPT_HOUR:
        if (!number(arg, 0, 23, &hour)) return false;
        o->hour = (int64_t)hour;
        return true;
    case OPT_SET:
        if (o->set_count == DEMO_USER_SETS_MAX) return false;
        o->sets[o->set_count++] = arg;
        return true;
    default: return false;
    }
}

bool demo_options_read(struct demo_options *o, int argc, char **argv)
{
    static const struct option rows[] = {
        {"data", 1, NULL, OPT_DATA},     {"vehicles", 1, NULL, OPT_VEHICLES},
        {"speed", 1, NULL, OPT_SPEED},   {"for", 1, NULL, OPT_FOR},
        {"report", 1, NULL, OPT_REPORT}, {"seed", 1, NULL, OPT_SEED},
        {"set", 1, NULL, OPT_SET},       {"streets", 1, NULL, OPT_STREETS},
        {"city", 1, NULL, OPT_CITY},     {"demand", 1, NULL, OPT_DEMAND},
        {"hour", 1, NULL, OPT_HOUR},     {"help", 0, NULL, OPT_HELP},
        {"passing", 0, NULL, OPT_PASSING}, {0},
    };
    *o = (struct demo_options){.vehicles = VEHICLES, .speed = 1, .hour = -1, .place = demo_place_nth(0)};
    if (getrandom(&o->seed, 4, 0) != 4) o->seed = 1; /* short enough to be typed again */
    opterr = 0;
    for (int c, at = optind; (c = getopt_long(argc, argv, "", rows, NULL)) != -1; at = optind) {
        if (c == OPT_HELP) {
            o->help = true;
            return true;
        }
        if (take(o, c, optarg)) continue;
        fprintf(stderr,
                "paddock demo: %s%s%s: no such option, or not a value for it; see paddock demo --help\n",
                argv[at], c == '?' || strchr(argv[at], '=') ? "" : " ",
                c == '?' || strchr(argv[at], '=') ? "" : optarg);
        return false;
    }
    if (optind != argc)
        fprintf(stderr, "paddock demo: unexpected '%s'; see paddock demo --help\n", argv[optind]);
    else if (!o->dir)
        fprintf(stderr,
                "paddock demo: --data DIR says where the city's data shall live; see paddock demo --help\n");
    o->asked_speed = o->speed;
    if (o->speed > DEMO_SPEED_FAIR) o->speed = DEMO_SPEED_FAIR;
    return optind == argc && o->dir;
}

void demo_options_help(void)
{
    char towns[200];
    struct buf b = buf_on(towns, sizeof towns - 1);

    for (uint32_t i = 0; demo_place_nth(i); i++) {
        buf_put_text(&b, i ? ", " : "");
        buf_put_text(&b, demo_place_nth(i)->code);
    }
    towns[b.len] = 0;
    printf(
        "Usage: paddock demo --data DIR [OPTIONS]\n\n"
        "Runs a whole city on this machine: `paddock serve` on DIR (made when missing), and against it, over\n"
        "real sockets, simulated vehicles and riders on real streets. Shows a live board on a terminal, lines\n"
        "elsewhere. Ctrl-C ends it in order. A server that dies (try kill -9) is started again on the same data.\n\n"
        "DIR/demo.json names addresses, log-ins and tokens once the city is up, and the panel: a page that cuts\n"
        "the network of a district, loses an acknowledgement, kills the server.\n\n"
        "  --vehicles N       how many (default %d, at most %d); a third as many riders, at most %d\n"
        "  --city CODE        %s\n"
        "  --speed K          the city's time runs K times as fast, 1 to %d; latencies stay real\n"
        "  --hour H           the riders' day begins at this hour, 0 to 23 (default: now, or when there is life)\n"
        "  --for TIME         ends by itself: 30s, 5m, 1h\n"
        "  --report FILE      what came of it, as one JSON object\n"
        "  --seed N           the same city again (times differ: they are real)\n"
        "  --set name=value   a setting of the server, see paddock serve --help\n"
        "  --streets FILE     made by tools/streets (default: streets/CITY.bin beside the binary)\n"
        "  --passing          DIR is removed afterwards by whoever calls: it is not advertised\n"
        "  --demand FILE      made by tools/demand (default: demand.txt beside the binary, or the curve in the code)\n\n"
        "  paddock demo --data ./demo\n"
        "  paddock demo --data ./demo --vehicles 2000 --speed 20 --for 2m --report demo-report.json\n"
        "  paddock demo --data ./demo --city montevideo --set http.address=127.0.0.1:8090\n",
        VEHICLES, DEMO_VEHICLES_MAX, DEMO_RIDERS_MAX, towns, DEMO_SPEED_FAIR);
}

/* ---- settings and ports ---- */

static struct err give(struct demo_options *o, struct demo_server *server, const char *name,
                       const char *value)
{
    must(o->own_count < sizeof o->own / sizeof o->own[0]);
    char *text = o->own[o->own_count++];
    snprintf(text, sizeof o->own[0], "%s=%s", name, value);
    return demo_server_set(server, text);
}

static bool named(const struct demo_options *o, const char *name)
{
    for (uint32_t i = 0; i < o->set_count; i++) {
        struct bytes rest = bytes_text(o->sets[i]);
        if (bytes_equal_text(bytes_trim(bytes_split(&rest, '=')), name)) return true;
    }
    return false;
}

/* Could somebody listen there now? What cannot be parsed is the server's to refuse. */
static bool is_taken(const char *address)
{
    struct net_address a;
    int one = 1;

    if (address_parse(bytes_text(address), &a).code) return false;
    int fd = socket(a.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool taken = bind(fd, (const struct sockaddr *)&a.at, a.len) && errno == EADDRINUSE;
    close(fd);
    return taken;
}

static struct err check_ports(struct demo_options *o, struct demo_server *server, const struct settings *s)
{
    const struct { const char *name, *address; } rows[] = {
        {"http.address", s->http_address},
        {"vehicles.address", s->vehicles_address},
        {"admin.address", s->admin_address},
    };

    for (int i = 0; i < 3; i++) {
        if (!is_taken(rows[i].address)) continue;
        if (i && !named(o, rows[i].name)) {
            TRY(give(o, server, rows[i].name, "127.0.0.1:0"));
            continue;
        }
        fprintf(stderr,
                "paddock demo: %s is taken by another program. Choose another port: PORT=8090 make run, or\n"
                "--set %s=127.0.0.1:8090; port 0 is any free one.\n",
                rows[i].address, rows[i].name);
        return ERR(INVALID, "a port is taken");
    }
    return NO_ERR;
}

struct err demo_options_apply(struct demo_options *o, struct demo_server *server)
{
    struct settings s;
    char why[256], text[32];

    settings_init(&s);
    snprintf(text, sizeof text, "%" PRIu64, o->vehicles + 200);
    TRY(give(o, server, "vehicles.max", text));
    TRY(give(o, server, "vehicles.address", "127.0.0.1:7700")); /* simulated ones are all here */
    TRY(give(o, server, "journal.segment_mb", "64")); /* a quarter of the usual: less to prepare at a start */
    /* The last city on these data may have lived faster than we do. */
    TRY(give(o, server, "clock.force", "true"));
    snprintf(text, sizeof text, "%" PRIu64, o->speed);
    TRY(give(o, server, "clock.speed", text));
    TRY(give(o, server, "demo.mode", "true"));
    for (uint32_t i = 0; i < o->set_count; i++) TRY(demo_server_set(server, o->sets[i]));
    for (uint32_t i = 0; i < server->set_count; i++) {
        struct err e = settings_set(&s, bytes_text(server->sets[i]), why);
        if (e.code) fprintf(stderr, "paddock demo: %s\n", why);
        if (e.code) return e;
    }
    if (named(o, "clock.speed")) {
        fprintf(stderr, "paddock demo: --speed sets the server's clock and the city's together; leave "
                        "clock.speed alone\n");
        return ERR(INVALID, "two speeds");
    }
    return check_ports(o, server, &s);
}

struct err demo_options_panel(struct demo_options *o, struct demo_server *server, struct bytes address)
{
    char origin[80];

    snprintf(origin, sizeof origin, "http://%.*s", (int)address.len, (const char *)address.at);
    TRY(give(o, server, "demo.mode", "true")); /* codes to sign in go into a file, which the panel shows */
    return give(o, server, "demo.panel", origin);
}
