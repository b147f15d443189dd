/* SPDX-License-Identifier: Apache-2.0 */
#include "load/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"

static const struct { const char *name, *json; uint32_t per_100k; } points[] = {
    {"p50", "p50", 50000}, {"p90", "p90", 90000}, {"p99", "p99", 99000}, {"p99.9", "p999", 99900}, {"longest", "max", 100000},
};
enum { POINTS = sizeof points / sizeof *points, LINE_MAX = 240 };

static uint64_t per_s(const struct fleet_result *r)
{
    return r->measured_us > 0 ? r->measured_acked * 1000000 / (uint64_t)r->measured_us : 0;
}

bool report_is_clean(const struct load_report *r)
{
    const struct fleet_result *f = r->result;
    const struct load_checked *c = r->checked;
    return !f->refused && !f->lost && !f->wrong && !f->unanswered && !c->other && !c->missing;
}

__attribute__((format(printf, 2, 3))) static void line(struct buf *out, const char *format, ...)
{
    char text[LINE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_put_text(out, text);
    buf_put_char(out, '\n');
}

static void not_reached(const struct load_report *r, struct buf *out)
{
    const struct fleet_result *f = r->result;
    const struct load_checked *c = r->checked;
    if (f->refused) line(out, "not reached     %u connections were refused", f->refused);
    if (f->lost) line(out, "not reached     %u connections were lost on the way", f->lost);
    if (f->wrong) line(out, "not reached     %u connections were answered wrongly", f->wrong);
    if (f->why) line(out, "                first: %s", f->why);
    if (f->behind)
        line(out, "not reached     the rate: %llu messages were due and never sent, their connections had %u on their way",
             (unsigned long long)f->behind, r->options->in_flight);
    if (f->unanswered) line(out, "not reached     %llu messages were sent and not answered", (unsigned long long)f->unanswered);
    if (c->other) line(out, "not kept        %u vehicles are elsewhere than they said last", c->other);
    if (c->missing) line(out, "not kept        %u vehicles have no position", c->missing);
}

void report_table(const struct load_report *r, struct buf *out)
{
    const struct fleet_options *o = r->options;
    const struct fleet_result *f = r->result;
    line(out, "dialect         %s, %u in flight on each connection, %s", o->dialect->name, o->in_flight,
         o->rate ? "open loop" : "closed loop (as fast as answers come)");
    line(out, "connections     %u of %u, in %.1f s", f->connected, o->connections, (double)f->connect_us / 1e6);
    line(out, "messages        %llu sent, %llu acknowledged", (unsigned long long)f->sent, (unsigned long long)f->acked);
    if (o->rate) line(out, "rate            %llu/s wanted, %llu/s acknowledged over %.1f s", (unsigned long long)o->rate,
                      (unsigned long long)per_s(f), (double)f->measured_us / 1e6);
    else line(out, "rate            %llu/s over %.1f s", (unsigned long long)per_s(f), (double)f->measured_us / 1e6);
    for (unsigned i = 0; i < POINTS; i++)
        line(out, "%-8s        %.3f ms", points[i].name, (double)spread_at(&f->latency, points[i].per_100k) / 1e3);
    line(out, "generator       %.2f us of processor a message",
         f->measured_acked ? (double)f->cpu_us / (double)f->measured_acked : 0);
    if (o->server_pid && f->measured_acked)
        line(out, "server          %.2f us of processor a message", (double)f->server_cpu_us / (double)f->measured_acked);
    if (r->checked->asked) line(out, "kept            %u vehicles are where they said last", r->checked->equal);
    not_reached(r, out);
}

static void number(struct json *j, const char *name, uint64_t v)
{
    json_name(j, name);
    json_u64(j, v);
}

void report_json(const struct load_report *r, struct buf *out)
{
    const struct fleet_options *o = r->options;
    const struct fleet_result *f = r->result;
    struct json j = json_on(out);
    json_open(&j, '{');
    json_name(&j, "dialect");
    json_literal(&j, o->dialect->name);
    const struct { const char *name; uint64_t v; } figures[] = {
        {"connections", o->connections}, {"in_flight", o->in_flight}, {"rate", o->rate}, {"connected", f->connected},
        {"refused", f->refused}, {"lost", f->lost}, {"wrong", f->wrong}, {"sent", f->sent}, {"acked", f->acked},
        {"measured_acked", f->measured_acked}, {"measured_us", (uint64_t)f->measured_us}, {"per_s", per_s(f)},
        {"behind", f->behind}, {"unanswered", f->unanswered}, {"others", f->others},
        {"connect_us", (uint64_t)f->connect_us}, {"generator_cpu_us", (uint64_t)f->cpu_us},
        {"server_cpu_us", (uint64_t)f->server_cpu_us},
    };
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) number(&j, figures[i].name, figures[i].v);
    json_name(&j, "latency_us");
    json_open(&j, '{');
    number(&j, "count", f->latency.count);
    number(&j, "mean", f->latency.count ? f->latency.sum_us / f->latency.count : 0);
    for (unsigned i = 0; i < POINTS; i++) number(&j, points[i].json, spread_at(&f->latency, points[i].per_100k));
    json_close(&j, '}');
    json_name(&j, "positions");
    if (r->checked->asked) {
        json_open(&j, '{');
        number(&j, "equal", r->checked->equal);
        number(&j, "other", r->checked->other);
        number(&j, "missing", r->checked->missing);
        json_close(&j, '}');
    } else {
        json_null(&j);
    }
    json_name(&j, "why");
    if (f->why) json_literal(&j, f->why);
    else json_null(&j);
    json_name(&j, "clean");
    json_bool(&j, report_is_clean(r));
    json_close(&j, '}');
    buf_put_char(out, '\n');
}
