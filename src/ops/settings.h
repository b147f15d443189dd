/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h: every setting of the server, a row each: `--help`, checks and docs/reference/settings.md follow from it.
 *
 * Given as `--set name=value` or as lines `name = value` in a file (`#` begins a comment). The whole file is refused at
 * its first wrong line. */
#ifndef OPS_SETTINGS_H
#define OPS_SETTINGS_H

#include "base/bytes.h"

/*    name                     type    default            low    high         unit          doc */
#define SETTING_LIST(X)                                                                                                 \
    X(http_address,     "http.address",     TEXT,   "127.0.0.1:8080", 0, 0,        "host:port", "API for riders and staff; put a TLS proxy in front") \
    X(http_proxy,       "http.proxy",       BOOL,   "false",          0, 1,        "",          "every API connection begins with a PROXY protocol v2 header (haproxy: send-proxy-v2)") \
    X(vehicles_address, "vehicles.address", TEXT,   "0.0.0.0:7700",   0, 0,        "host:port", "vehicles connect here; the protocol is sniffed") \
    X(admin_address,    "admin.address",    TEXT,   "127.0.0.1:8081", 0, 0,        "host:port", "/metrics, /healthz, /readyz; keep it private") \
    X(vehicles_max,     "vehicles.max",     NUMBER, "18000",          1, 200000,   "connections", "vehicles connected at once") \
    X(vehicles_frames_per_s, "vehicles.frames_per_s", NUMBER, "200",   1, 1000000,  "frames/s",  "of one connection, for long; twice as many at once") \
    X(rows_vehicles,    "rows.vehicles",    NUMBER, "200000",         1, 2000000,  "rows",      "vehicles and devices kept") \
    X(rows_riders,      "rows.riders",      NUMBER, "5000000",        1, 50000000, "rows",      "rider accounts kept in memory") \
    X(rows_rides,       "rows.rides",       NUMBER, "200000",         1, 5000000,  "rows",      "rides and commands in memory: open, and over but not yet in the tables") \
    X(journal_segment_mb, "journal.segment_mb", NUMBER, "256",        1, 4096,     "MiB",       "size of a journal segment") \
    X(journal_keep_h,   "journal.keep_h",   NUMBER, "48",             0, 87600,    "hours",     "journal kept for replay behind what the tables need") \
    X(journal_keep_mb,  "journal.keep_mb",  NUMBER, "8192",           0, 100000000, "MiB",      "and no more than this; 0 = no limit") \
    X(keeper_interval_ms, "keeper.interval_ms", NUMBER, "500",        10, 60000,   "ms",        "between cuts into the tables") \
    X(bases,            "bases",            BOOL,   "true",           0, 1,        "",          "copy the tables once a day, so that any kept day replays") \
    X(clock_speed,      "clock.speed",      NUMBER, "1",              1, 1000,     "times",     "runs the server's clock faster; for the demo only") \
    X(force_clock,      "clock.force",      BOOL,   "false",          0, 1,        "",          "start although the wall clock is more than a minute before the journal's end") \
    X(frames_kept,      "frames.kept",      NUMBER, "131072",         1024, 4194304,  "frames",    "raw frames kept in memory for timelines, all vehicles together, 176 bytes each") \
    X(trace_otlp,       "trace.otlp",       TEXT,   "",               0, 0,        "URL",       "send spans there (OTLP over HTTP, JSON): http://127.0.0.1:4318/v1/traces; empty: off") \
    X(trace_one_in,     "trace.one_in",     NUMBER, "0",              0, 1000000,  "requests",  "trace one in so many of the requests that do not say themselves; 0: only those that ask") \
    X(accept_effects,   "replay.accept_other_effects", BOOL, "false", 0, 1,        "",          "start although this build replays the journal's tail with other effects") \
    X(pages_dir,        "pages.dir",        TEXT,   "",               0, 0,        "folder",    "built pages for people; empty: apps, beside the binary; none: -") \
    X(demo_panel,       "demo.panel",       TEXT,   "",               0, 0,        "origin",    "the demo's control panel, which the pages may then call; for the demo only") \
    X(sign_in_code_s,   "sign_in.code_s",   NUMBER, "300",            1, 3600,     "s",         "how long a rider's one-time code is good") \
    X(sign_in_rider_h,  "sign_in.rider_h",  NUMBER, "2160",           1, 87600,    "hours",     "how long a rider stays signed in") \
    X(sign_in_staff_h,  "sign_in.staff_h",  NUMBER, "12",             1, 87600,    "hours",     "how long staff stay signed in") \
    X(demo_mode,        "demo.mode",        BOOL,   "false",          0, 1,        "",          "messages to people are printed on stderr instead of sent; for the demo only") \
    X(outbound_hosts,   "outbound.hosts",   TEXT,   "",               0, 0,        "",          "hosts that hooks and webhooks may be on: a.example, b.example:8443, .c.example; empty: any public one") \
    X(outbound_private, "outbound.private", BOOL,   "false",          0, 1,        "",          "hooks and webhooks may be on loopback and inside addresses") \
    X(operator_name,    "operator.name",    TEXT,   "Paddock",        0, 0,        "",          "the operator's name, until one is declared") \
    X(crash_on,         "test.crash_on",    TEXT,   "",               0, 0,        "device id", "tests only: reports of this device stop the engine")

enum setting_type { SETTING_TEXT, SETTING_NUMBER, SETTING_BOOL };
#define SETTING_TEXT_MAX 128

struct settings {
#define SETTING_C_TEXT(member) char member[SETTING_TEXT_MAX];
#define SETTING_C_NUMBER(member) int64_t member;
#define SETTING_C_BOOL(member) bool member;
#define X(member, name, type, def, low, high, unit, doc) SETTING_C_##type(member)
    SETTING_LIST(X)
#undef X
};

void settings_init(struct settings *s);
/* "name=value". INVALID, and `why` (256 bytes) says what is allowed. */
MUST_USE struct err settings_set(struct settings *s, struct bytes assignment, char *why);
/* All lines of a file. `why` names file and line. */
MUST_USE struct err settings_file(struct settings *s, const char *path, char *why);
/* The table, for --help (plain) or docs (Markdown). */
void settings_print(void *file, bool markdown);

#endif
