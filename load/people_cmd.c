/* SPDX-License-Identifier: Apache-2.0 */
#include "load/people_cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "load/office.h"
#include "load/tokens.h"

enum { FINE = 0, NOT_CLEAN = 1, CANNOT = 3, REPORT_MAX = 16384 };

struct part { const char *name, *text; const struct spread *spread; };

void people_usual_rates(uint32_t riders, uint32_t per_s[PEOPLE_KIND_N])
{
    per_s[PEOPLE_NEAR] = (riders + 24) / 25;
    per_s[PEOPLE_POLL] = (riders * 3ull + 124) / 125;
    per_s[PEOPLE_START] = (riders + 4999) / 5000;
}

static bool clean(const struct people_result *r)
{
    uint64_t bad = r->locks_lost;
    for (unsigned k = 0; k < PEOPLE_KIND_N; k++) bad += r->of[k].failed + r->of[k].dropped;
    return bad == 0;
}

static void print_spread(const char *name, const struct spread *s)
{
    if (!s->count) return;
    printf("%-8s  p50 %9.3f ms   p90 %9.3f   p99 %9.3f   p99.9 %9.3f   longest %9.3f\n", name,
           (double)spread_at(s, 50000) / 1e3, (double)spread_at(s, 90000) / 1e3, (double)spread_at(s, 99000) / 1e3,
           (double)spread_at(s, 99900) / 1e3,
           (double)s->max_us / 1e3);
}

static void print_table(const struct people_asked *a, const struct people_result *r)
{
    double s = (double)r->measured_us / 1e6;
    printf("riders    %u over %u connections, %u locks, at most %llu rides at once, %.1f s\n", a->options.riders,
           a->options.clients, a->options.locks, (unsigned long long)r->rides_most, s);
    for (unsigned k = 0; k < PEOPLE_KIND_N; k++) {
        const struct people_figures *f = &r->of[k];
        if (!a->options.per_s[k]) continue;
        printf("%-8s  %u/s wanted, %.1f/s done, %llu failed, %llu not sent\n", people_names[k], a->options.per_s[k],
               s > 0 ? (double)f->done / s : 0, (unsigned long long)f->failed, (unsigned long long)f->dropped);
    }
    for (unsigned k = 0; k < PEOPLE_KIND_N; k++) print_spread(people_names[k], &r->of[k].latency);
    print_spread("order", &r->order);
    print_spread("answer", &r->answer);
    print_spread("share", &r->share);
    if (r->no_lock) printf("not tried %llu starts: no lock or rider was idle\n", (unsigned long long)r->no_lock);
    if (r->locks_lost) printf("lost      %u locks\n", r->locks_lost);
    if (*r->why) printf("first     %s\n", r->why);
}

static void number(struct json *j, const char *name, uint64_t v)
{
    json_name(j, name);
    json_u64(j, v);
}

static void json_spread(struct json *j, const char *name, const struct spread *s)
{
    json_name(j, name);
    json_open(j, '{');
    number(j, "count", s->count);
    number(j, "p50", spread_at(s, 50000));
    number(j, "p90", spread_at(s, 90000));
    number(j, "p99", spread_at(s, 99000));
    number(j, "p999", spread_at(s, 99900));
    number(j, "max", s->max_us);
    json_close(j, '}');
}

static void put_json(const struct people_asked *a, const struct people_result *r, struct buf *out)
{
    struct json j = json_on(out);
    json_open(&j, '{');
    number(&j, "riders", a->options.riders);
    number(&j, "locks", a->options.locks);
    number(&j, "measured_us", (uint64_t)r->measured_us);
    number(&j, "generator_cpu_us", (uint64_t)r->cpu_us);
    number(&j, "rides_most", r->rides_most);
    number(&j, "no_lock", r->no_lock);
    number(&j, "locks_lost", r->locks_lost);
    for (unsigned k = 0; k < PEOPLE_KIND_N; k++) {
        const struct people_figures *f = &r->of[k];
        json_name(&j, people_names[k]);
        json_open(&j, '{');
        number(&j, "per_s", a->options.per_s[k]);
        number(&j, "due", f->due);
        number(&j, "done", f->done);
        number(&j, "failed", f->failed);
        number(&j, "dropped", f->dropped);
        json_spread(&j, "latency_us", &f->latency);
        json_close(&j, '}');
    }
    json_spread(&j, "order_us", &r->order);
    json_spread(&j, "answer_us", &r->answer);
    json_spread(&j, "share_us", &r->share);
    json_name(&j, "why");
    if (*r->why) json_text(&j, bytes_text(r->why));
    else json_null(&j);
    json_name(&j, "clean");
    json_bool(&j, clean(r));
    json_close(&j, '}');
    buf_put_char(out, '\n');
}

static int cannot(const char *what, struct err e, const char *why)
{
    fprintf(stderr, "paddock load: %s: %s%s%s\n", what, e.why, *why ? ": " : "", why);
    return CANNOT;
}

struct fitting { struct office_options office; char why[OFFICE_TEXT_MAX]; };

static struct err make_fit(void *ctx)
{
    struct fitting *f = ctx;
    return office_make_fit(&f->office, f->why);
}

static int report(const struct people_asked *a, const struct people_result *r)
{
    static uint8_t room[REPORT_MAX];
    print_table(a, r);
    struct buf out = buf_on(room, sizeof room);
    put_json(a, r, &out);
    FILE *file = a->json ? fopen(a->json, "w") : NULL;
    bool written = file && fwrite(out.at, 1, out.len, file) == out.len;
    if (file) written = fclose(file) == 0 && written;
    if (a->json && !written) {
        fprintf(stderr, "paddock load: %s cannot be written\n", a->json);
        return CANNOT;
    }
    return clean(r) ? FINE : NOT_CLEAN;
}

int people_cmd(struct people_asked *a)
{
    static struct people_result result;
    struct people_options *o = &a->options;
    struct fitting fitting = {.office = {bytes_text(a->http), bytes_text(a->token), o->first, o->locks, o->stop}};
    struct people *people = NULL;
    char (*tokens)[TOKEN_ROOM] = NULL;
    struct err e = office_declare(&fitting.office, fitting.why);
    if (e.code) return cannot("the locks could not be declared", e, fitting.why);
    e = tokens_grant(a->data, o->riders, o->stop, &tokens);
    if (e.code) return cannot("no tokens for riders", e, a->data);
    o->tokens = tokens;
    o->on_locks_ready = make_fit;
    o->ctx = &fitting;
    e = people_create(o, &people);
    if (!e.code) e = people_run(people, &result);
    int code = e.code ? cannot("nothing was measured", e, fitting.why) : report(a, &result);
    people_destroy(people);
    free(tokens);
    return code;
}
