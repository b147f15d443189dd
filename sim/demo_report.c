/* SPDX-License-Identifier: Apache-2.0 */
/* demo_report.c: see demo_report.h. */
#include "sim/demo_report.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "build_id.h"
#include "ops/offline.h"
#include "proto/omni.h"

/* Readable by its owner alone: it holds tokens. */
static struct err write_whole(const char *path, struct bytes text)
{
    char part[DEMO_PATH_MAX + 8];

    snprintf(part, sizeof part, "%s.part", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return ERR(IO, "the file cannot be written");
    bool fine = true;
    for (size_t done = 0; fine && done < text.len;) {
        ssize_t n = write(fd, text.at + done, text.len - done);
        fine = n > 0;
        done += n > 0 ? (size_t)n : 0;
    }
    fine = !close(fd) && fine && !rename(part, path);
    if (!fine) unlink(part);
    return fine ? NO_ERR : ERR(IO, "the file cannot be written");
}

static void put_text(struct json *j, const char *name, const char *text)
{
    json_name(j, name);
    if (text && *text) json_literal(j, text);
    else json_null(j);
}

static void put_bytes(struct json *j, const char *name, struct bytes text)
{
    json_name(j, name);
    json_text(j, text);
}

static void put_u64(struct json *j, const char *name, uint64_t value)
{
    json_name(j, name);
    json_u64(j, value);
}

static void put_scaled(struct json *j, const char *name, uint64_t value, unsigned decimals)
{
    json_name(j, name);
    json_decimal(j, (int64_t)value, decimals);
}

static void open_in(struct json *j, const char *name, char bracket)
{
    json_name(j, name);
    json_open(j, bracket);
}

static void put_scheme(struct json *j, const char *name, const struct text64 *address)
{
    char text[80];

    snprintf(text, sizeof text, "http://%.*s", address->len, address->at);
    put_text(j, name, text);
}

struct err demo_report_addresses(const struct demo_figures *f, const struct demo_tokens *tokens, pid_t server)
{
    char text[4096];
    struct buf b = buf_on(text, sizeof text);
    struct json j = json_on(&b);

    json_open(&j, '{');
    put_bytes(&j, "http", text_bytes(&f->http));
    put_bytes(&j, "vehicles", text_bytes(&f->vehicles));
    put_bytes(&j, "admin", text_bytes(&f->admin));
    put_scheme(&j, "panel", &f->panel);
    open_in(&j, "city", '{');
    put_text(&j, "code", f->place->code);
    put_text(&j, "name", f->place->name);
    put_text(&j, "time_zone", f->place->time_zone);
    put_text(&j, "language", f->place->language);
    put_text(&j, "currency", f->place->currency);
    json_close(&j, '}');
    open_in(&j, "tokens", '{');
    for (uint32_t role = 1; role < AUTH_ROLE_N; role++)
        put_text(&j, enum_name(&auth_role_names, role), tokens->people[role].text);
    json_close(&j, '}');
    if (f->staff_password[0] && f->rider_phone[0]) {
        open_in(&j, "sign_in", '{');
        open_in(&j, "staff", '{');
        put_text(&j, "name", DEMO_STAFF_NAME);
        put_text(&j, "password", f->staff_password);
        json_close(&j, '}');
        open_in(&j, "rider", '{');
        put_text(&j, "phone", f->rider_phone);
        json_close(&j, '}');
        json_close(&j, '}');
    }
    put_u64(&j, "pid", (uint64_t)server);
    put_u64(&j, "seed", f->seed);
    put_u64(&j, "speed", f->speed);
    put_u64(&j, "vehicle_count", f->vehicle_count);
    put_u64(&j, "rider_count", f->rider_count);
    json_close(&j, '}');
    buf_put_char(&b, '\n');
    return b.full ? ERR(FULL, "the addresses do not fit") : write_whole(f->json_path, buf_bytes(&b));
}

/* ---- the report ---- */

static void put_tallies(struct json *j, const char *name, const struct demo_tallies *t)
{
    open_in(j, name, '{');
    for (uint32_t i = 0; i < t->count; i++) put_u64(j, t->at[i].name, t->at[i].count);
    json_close(j, '}');
}

static uint64_t count_of(const struct demo_tallies *t, const char *name)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (!strcmp(t->at[i].name, name)) return t->at[i].count;
    }
    return 0;
}

static void put_split(struct json *j, const char *name, const struct demo_split *s)
{
    open_in(j, name, '{');
    put_scaled(j, "p50", s->p50_us, 3);
    put_scaled(j, "p95", s->p95_us, 3);
    put_scaled(j, "max", s->max_us, 3);
    json_close(j, '}');
}

static void put_vehicles(struct json *j, const struct demo_figures *f, const struct demo_city *c)
{
    open_in(j, "vehicles", '{');
    put_u64(j, "count", f->vehicle_count);
    put_u64(j, "connected", f->connected);
    open_in(j, "by_state", '{');
    for (unsigned i = 1; i < VEHICLE_STATE_N; i++)
        put_u64(j, enum_name(&vehicle_state_names, i), f->states[i]);
    json_close(j, '}');
    open_in(j, "by_dialect", '{');
    put_u64(j, "SCOR", demo_city_dialect(c, OMNI_SCOR));
    put_u64(j, "CMDR", demo_city_dialect(c, OMNI_CMDR));
    put_u64(j, "HBCR", demo_city_dialect(c, OMNI_HBCR));
    json_close(j, '}');
    open_in(j, "injected_faults", '{');
    for (int i = 0; i < SIM_VEHICLE_FAULT_N; i++) put_u64(j, demo_fault_label(i), demo_city_faults(c, i));
    json_close(j, '}');
    open_in(j, "fault_rates_ppm", '{');
    for (int i = 0; i < SIM_VEHICLE_FAULT_N; i++) put_u64(j, demo_fault_label(i), demo_city_fault_ppm(i));
    json_close(j, '}');
    json_close(j, '}');
}

static void put_failures(struct json *j, const struct demo_city *c)
{
    const struct demo_failure *at;
    uint32_t count = demo_city_failures(c, &at);
    char name[24];

    open_in(j, "failed_rides", '[');
    for (uint32_t i = 0; i < count; i++) {
        json_open(j, '{');
        put_text(j, "ride", at[i].ride);
        put_bytes(j, "vehicle", text_bytes(&at[i].code));
        snprintf(name, sizeof name, "rider-%u", at[i].rider + 1);
        put_text(j, "rider", name);
        put_text(j, "reason", at[i].reason);
        put_text(j, "fault", at[i].fault);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_refusals(struct json *j, const struct demo_city *c)
{
    const struct demo_refusal *at[DEMO_REFUSALS_MAX];
    uint32_t count = demo_city_refusals(c, at);
    char name[24];

    open_in(j, "refused_starts", '[');
    for (uint32_t i = 0; i < count; i++) {
        json_open(j, '{');
        put_bytes(j, "vehicle", text_bytes(&at[i]->code));
        snprintf(name, sizeof name, "rider-%u", at[i]->rider + 1);
        put_text(j, "rider", name);
        put_text(j, "reason", at[i]->reason);
        put_text(j, "habit", at[i]->habit);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_rides(struct json *j, const struct demo_figures *f, const struct demo_city *c)
{
    open_in(j, "rides", '{');
    put_u64(j, "started", f->asked);
    put_u64(j, "completed", f->completed);
    put_u64(j, "failed", f->failed);
    put_u64(j, "cancelled", f->cancelled);
    put_u64(j, "refused", f->refused);
    put_u64(j, "open", f->asking + f->riding + f->ending);
    put_u64(j, "charged_minor", (uint64_t)f->charged_minor);
    put_text(j, "currency", f->place->currency);
    put_tallies(j, "completed_by_reason", demo_city_reasons(c, DEMO_COMPLETED));
    put_tallies(j, "failed_by_reason", demo_city_reasons(c, DEMO_FAILED));
    put_tallies(j, "cancelled_by_reason", demo_city_reasons(c, DEMO_CANCELLED));
    put_tallies(j, "refused_by_code", demo_city_reasons(c, DEMO_REFUSED));
    put_tallies(j, "refused_by_habit", demo_city_refused_by_habit(c));
    put_tallies(j, "refused_by_persona", demo_city_refused_by_persona(c));
    put_tallies(j, "failed_by_fault", demo_city_faults_of_failed(c));
    put_u64(j, "unexplained", count_of(demo_city_faults_of_failed(c), "unexplained"));
    json_close(j, '}');
    put_failures(j, c);
    put_refusals(j, c);
}

static void put_riders(struct json *j, const struct demo_figures *f, const struct demo_city *c)
{
    open_in(j, "riders", '{');
    put_u64(j, "count", f->rider_count);
    open_in(j, "completed_by_persona", '{');
    for (int i = 0; i < DEMO_PERSONA_N; i++) put_u64(j, demo_persona_row(i)->name, demo_city_rides_of(c, i));
    json_close(j, '}');
    open_in(j, "habits", '{');
    for (int i = 0; i < SIM_RIDER_HABIT_N; i++) put_u64(j, demo_habit_label(i), demo_city_habits(c, i));
    json_close(j, '}');
    json_close(j, '}');
}

static void put_traffic(struct json *j, const struct demo_figures *f, const struct demo_city *c)
{
    struct sim_vehicle_counters v = demo_city_vehicles(c);
    struct sim_rider_counters r = demo_city_riders(c);

    open_in(j, "messages", '{');
    put_u64(j, "from_vehicles", v.frames_out);
    put_u64(j, "to_vehicles", v.frames_in);
    put_u64(j, "vehicle_connects", v.connects);
    put_u64(j, "rider_requests", r.requests);
    put_u64(j, "rider_replies", r.replies);
    put_u64(j, "rider_events", r.events);
    json_close(j, '}');
    open_in(j, "unlock", '{');
    put_u64(j, "measured", f->unlocks);
    put_u64(j, "disturbed", f->disturbed);
    put_split(j, "total_ms", &f->unlock);
    put_split(j, "server_ms", &f->server);
    put_split(j, "device_ms", &f->device);
    json_close(j, '}');
    open_in(j, "commits", '{');
    put_u64(j, "count", f->commits);
    put_u64(j, "facts", f->facts);
    put_scaled(j, "mean_batch", f->batch_mean_tenths, 1);
    put_scaled(j, "mean_sync_ms", f->sync_mean_us, 3);
    put_u64(j, "cuts", f->cuts);
    json_close(j, '}');
}

static void put_server(struct json *j, const struct demo_figures *f, const struct demo_ending *ending)
{
    open_in(j, "server", '{');
    put_u64(j, "memory_kib", f->memory_kib);
    put_u64(j, "restart_count", f->outage_count);
    open_in(j, "restarts", '[');
    for (uint32_t i = 0; i < f->outage_count && i < DEMO_OUTAGES_MAX; i++) {
        json_open(j, '{');
        put_text(j, "how", f->outages[i].how);
        put_scaled(j, "at_s", (uint64_t)f->outages[i].at_ms, 3);
        put_u64(j, "down_ms", (uint64_t)f->outages[i].down_ms);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_name(j, "ended_in_order");
    json_bool(j, ending->ended);
    json_name(j, "check");
    if (ending->check == EXIT_FINE || ending->check == EXIT_BROKEN)
        json_literal(j, ending->check ? "broken" : "fine");
    else json_null(j);
    json_close(j, '}');
}

struct err demo_report_write(const char *path, const struct demo_figures *f, const struct demo_city *c,
                             const struct demo_ending *ending)
{
    void *memory = malloc(DEMO_REPORT_MAX);
    if (!memory) return ERR(IO, "no memory");
    struct buf b = buf_on(memory, DEMO_REPORT_MAX);
    struct json j = json_on(&b);

    json_open(&j, '{');
    put_text(&j, "paddock", paddock_version);
    put_text(&j, "build", paddock_build_text);
    put_u64(&j, "seed", f->seed);
    put_u64(&j, "speed", f->speed);
    put_text(&j, "city", f->place->code);
    json_name(&j, "measured_demand");
    json_bool(&j, f->measured_demand);
    put_u64(&j, "stalls", f->stalls);
    put_u64(&j, "districts_cut", demo_city_radio(c)->cuts_ever);
    json_name(&j, "streets");
    json_bool(&j, f->streets);
    json_name(&j, "started");
    json_time_ms(&j, ending->started_ms);
    put_scaled(&j, "real_s", (uint64_t)f->real_ms, 3);
    put_scaled(&j, "simulated_s", (uint64_t)(f->sim_ms - f->sim_begun_ms), 3);
    put_vehicles(&j, f, c);
    put_riders(&j, f, c);
    put_rides(&j, f, c);
    put_traffic(&j, f, c);
    put_server(&j, f, ending);
    json_name(&j, "broken_promise");
    if (ending->broken) {
        json_open(&j, '{');
        put_bytes(&j, "who", ending->who);
        put_text(&j, "what", ending->broken);
        json_close(&j, '}');
    } else {
        json_null(&j);
    }
    json_close(&j, '}');
    buf_put_char(&b, '\n');
    struct err e = b.full ? ERR(FULL, "the report is too long") : write_whole(path, buf_bytes(&b));
    free(memory);
    return e;
}
