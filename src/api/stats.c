/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c: see stats.h. */
#include "api/stats.h"

static const uint32_t bounds_us[STATS_BUCKETS] = {
    250, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 250000, 500000, 1000000, 2500000, 10000000, 30000000,
};

static void note(struct histogram *h, int64_t took_us)
{
    unsigned i = 0;
    if (took_us < 0) took_us = 0;
    while (i < STATS_BUCKETS && took_us > bounds_us[i]) i++;
    h->counts[i]++;
    h->sum_us += (uint64_t)took_us;
}

void stats_route(struct stats *s, unsigned route, int status, int64_t took_us)
{
    if (route >= ROUTES_MAX || status < 100 || status > 599) return;
    s->routes[route].classes[status / 100]++;
    note(&s->routes[route].time, took_us);
}

void stats_split(struct histogram parts[STATS_PART_N], int64_t born_us, int64_t stepped_us, int64_t synced_us,
                 int64_t now_us)
{
    if (!born_us) return; /* not by anybody's bytes: a timer, a restart */
    note(&parts[STATS_QUEUE], stepped_us - born_us);
    note(&parts[STATS_SYNC], synced_us - stepped_us);
    note(&parts[STATS_RELEASE], now_us - synced_us);
}

void metric_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_put_text(out, "# HELP ");
    buf_put_text(out, name);
    buf_put_char(out, ' ');
    buf_put_text(out, help);
    buf_put_text(out, "\n# TYPE ");
    buf_put_text(out, name);
    buf_put_char(out, ' ');
    buf_put_text(out, type);
    buf_put_char(out, '\n');
}

static void put_labels(struct buf *out, const char *labels, const char *le)
{
    if (!labels && !le) return;
    buf_put_char(out, '{');
    if (labels) buf_put_text(out, labels);
    if (labels && le) buf_put_char(out, ',');
    if (le) {
        buf_put_text(out, "le=\"");
        buf_put_text(out, le);
        buf_put_char(out, '"');
    }
    buf_put_char(out, '}');
}

void metric_value(struct buf *out, const char *name, const char *labels, uint64_t value)
{
    buf_put_text(out, name);
    put_labels(out, labels, NULL);
    buf_put_char(out, ' ');
    buf_put_u64(out, value);
    buf_put_char(out, '\n');
}

static void put_series(struct buf *out, const char *name, const char *suffix, const char *labels, const char *le)
{
    buf_put_text(out, name);
    buf_put_text(out, suffix);
    put_labels(out, labels, le);
    buf_put_char(out, ' ');
}

static void put_histogram(struct buf *out, const char *name, const char *labels, const struct histogram *h)
{
    uint64_t total = 0;
    for (unsigned i = 0; i <= STATS_BUCKETS; i++) {
        char memory[24];
        struct buf le = buf_on(memory, sizeof memory - 1);
        if (i < STATS_BUCKETS) buf_put_decimal(&le, bounds_us[i], 6);
        else buf_put_text(&le, "+Inf");
        memory[le.len] = 0;
        total += h->counts[i];
        put_series(out, name, "_bucket", labels, memory);
        buf_put_u64(out, total);
        buf_put_char(out, '\n');
    }
    put_series(out, name, "_sum", labels, NULL);
    buf_put_decimal(out, (int64_t)h->sum_us, 6);
    buf_put_char(out, '\n');
    put_series(out, name, "_count", labels, NULL);
    buf_put_u64(out, total);
    buf_put_char(out, '\n');
}

static const char *route_labels(const struct route *route, const char *class, struct buf *b)
{
    buf_clear(b);
    buf_put_text(b, "route=\"");
    buf_put_text(b, route->path);
    buf_put_text(b, "\",method=\"");
    buf_put_text(b, route_verb_name(route->verb));
    if (class) {
        buf_put_text(b, "\",class=\"");
        buf_put_text(b, class);
    }
    buf_put_text(b, "\"");
    b->at[b->len] = 0; /* the caller keeps a byte behind the end */
    return (const char *)b->at;
}

static void put_split(struct buf *out, const char *name, const char *help, const struct histogram parts[STATS_PART_N])
{
    static const char *const labels[STATS_PART_N] = {"part=\"queue\"", "part=\"sync\"", "part=\"release\""};
    metric_head(out, name, "histogram", help);
    for (unsigned i = 0; i < STATS_PART_N; i++) put_histogram(out, name, labels[i], &parts[i]);
}

void stats_put(const struct stats *s, struct buf *out)
{
    static const char *const classes[6] = {"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};
    char memory[256];
    struct buf labels = buf_on(memory, sizeof memory - 1);
    metric_head(out, "paddock_api_requests_total", "counter", "Requests answered, by route and class of status.");
    for (unsigned i = 0; i < route_count; i++) {
        for (unsigned c = 2; c < 6; c++) {
            if (!s->routes[i].classes[c]) continue;
            metric_value(out, "paddock_api_requests_total", route_labels(&routes[i], classes[c], &labels),
                         s->routes[i].classes[c]);
        }
    }
    metric_head(out, "paddock_api_request_seconds", "histogram", "From the request's last byte to its reply.");
    for (unsigned i = 0; i < route_count; i++) {
        uint64_t any = 0;
        for (unsigned c = 0; c < 6; c++) any += s->routes[i].classes[c];
        if (!any) continue;
        put_histogram(out, "paddock_api_request_seconds", route_labels(&routes[i], NULL, &labels), &s->routes[i].time);
    }
    put_split(out, "paddock_api_reply_seconds", "A fact's way from request to reply: queue, sync, release.", s->reply);
    put_split(out, "paddock_api_wait_seconds",
              "From the bytes that decided a waited-for ride to its reply: queue, sync, release.", s->wait);
}
