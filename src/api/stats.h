/* SPDX-License-Identifier: Apache-2.0 */
/* stats.h: counts and latencies of the api, and how they look to Prometheus.
 *
 * Split   a reply's time is queue (request read to fact applied), sync (applied to durable) and release (durable to
 *         written); the same for a `?wait=` that a device's answer decided, from that answer's bytes on
 * Thread  the loop's */
#ifndef API_STATS_H
#define API_STATS_H

#include "api/routes.h"
#include "base/buf.h"

#define STATS_BUCKETS 15u

struct histogram { uint64_t counts[STATS_BUCKETS + 1], sum_us; };

enum stats_part { STATS_QUEUE, STATS_SYNC, STATS_RELEASE, STATS_PART_N };

struct stats {
    struct { uint64_t classes[6]; struct histogram time; } routes[ROUTES_MAX];
    struct histogram reply[STATS_PART_N], wait[STATS_PART_N];
};

void stats_route(struct stats *s, unsigned route, int status, int64_t took_us);
void stats_split(struct histogram parts[STATS_PART_N], int64_t born_us, int64_t stepped_us, int64_t synced_us,
                 int64_t now_us);

/* Prometheus text, version 0.0.4. */
void metric_head(struct buf *out, const char *name, const char *type, const char *help);
/* `labels` as a=\"b\",c=\"d\", or NULL. */
void metric_value(struct buf *out, const char *name, const char *labels, uint64_t value);
void stats_put(const struct stats *s, struct buf *out);

#endif
