/* SPDX-License-Identifier: Apache-2.0 */
#include "node_metrics.h"

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_put_text(out, "# HELP paddock_");
    buf_put_text(out, name);
    buf_put_char(out, ' ');
    buf_put_text(out, help);
    buf_put_text(out, "\n# TYPE paddock_");
    buf_put_text(out, name);
    buf_put_char(out, ' ');
    buf_put_text(out, type);
    buf_put_char(out, '\n');
}

static void sample(struct buf *out, const char *name, const char *label, const char *value, uint64_t number)
{
    buf_put_text(out, "paddock_");
    buf_put_text(out, name);
    if (label) {
        buf_put_char(out, '{');
        buf_put_text(out, label);
        buf_put_text(out, "=\"");
        for (; *value; value++) {
            if (*value == '"' || *value == '\\') buf_put_char(out, '\\');
            buf_put_char(out, *value);
        }
        buf_put_text(out, "\"}");
    }
    buf_put_char(out, ' ');
    buf_put_u64(out, number);
    buf_put_char(out, '\n');
}

static void one(struct buf *out, const char *name, const char *type, const char *help, uint64_t number)
{
    head(out, name, type, help);
    sample(out, name, NULL, NULL, number);
}

static uint64_t now(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* A histogram in seconds: buckets of powers of two microseconds, counted up. */
static void histogram(struct buf *out, const char *name, const char *help, const uint64_t *buckets, uint64_t sum_us)
{
    uint64_t total = 0;
    head(out, name, "histogram", help);
    for (unsigned i = 0; i < HISTOGRAM_N - 1; i++) {
        total += buckets[i];
        if (i < 4) continue; /* below 16 us nothing is told apart */
        buf_put_text(out, "paddock_");
        buf_put_text(out, name);
        buf_put_text(out, "_bucket{le=\"");
        buf_put_decimal(out, (int64_t)1 << i, 6);
        buf_put_text(out, "\"} ");
        buf_put_u64(out, total);
        buf_put_char(out, '\n');
    }
    total += buckets[HISTOGRAM_N - 1];
    buf_put_text(out, "paddock_");
    buf_put_text(out, name);
    buf_put_text(out, "_bucket{le=\"+Inf\"} ");
    buf_put_u64(out, total);
    buf_put_text(out, "\npaddock_");
    buf_put_text(out, name);
    buf_put_text(out, "_sum ");
    buf_put_decimal(out, (int64_t)sum_us, 6);
    buf_put_text(out, "\npaddock_");
    buf_put_text(out, name);
    buf_put_text(out, "_count ");
    buf_put_u64(out, total);
    buf_put_char(out, '\n');
}

void node_metrics(struct node *node, struct buf *out)
{
    struct node_counters *c = node_counters(node);
    one(out, "facts_total", "counter", "Facts applied and committed.", now(&c->facts));
    one(out, "seq", "gauge", "Last fact applied.", now(&c->seq));
    one(out, "committed_seq", "gauge", "Last fact on the disk.", now(&c->committed_seq));
    one(out, "tables_seq", "gauge", "Last fact that the tables hold.", now(&c->tables_seq));
    one(out, "commits_total", "counter", "Batches synced.", now(&c->commits));
    one(out, "commits_by_engine_total", "counter", "Of these, small ones that the engine's thread synced itself.",
        now(&c->commits_by_engine));
    one(out, "events_total", "counter", "Events published.", now(&c->events));
    one(out, "orders_total", "counter", "Orders released to vehicles.", now(&c->orders));
    one(out, "acks_total", "counter", "Acknowledgements released to vehicles.", now(&c->acks));
    one(out, "replies_total", "counter", "Replies and answers released to the API.", now(&c->replies));
    one(out, "cuts_total", "counter", "Cuts written into the tables.", now(&c->cuts));
    one(out, "stalls_keeper_total", "counter", "Engine turns that waited for the tables.", now(&c->stalls_keeper));
    one(out, "stalls_journal_total", "counter", "Engine turns with a full batch while the journal was busy.",
        now(&c->stalls_journal));
    one(out, "stalls_street_total", "counter", "Engine turns that waited for the street view.", now(&c->stalls_street));
    one(out, "refused_facts_total", "counter", "Facts refused because they stopped the engine.", now(&c->refused_facts));
    one(out, "journal_bytes_total", "counter", "Bytes appended to the journal.", now(&c->journal_bytes));
    one(out, "journal_segments", "gauge", "Segments of the journal.", now(&c->journal_segments));
    one(out, "journal_unprepared_total", "counter", "Commits that had to extend a file themselves.",
        now(&c->journal_unprepared));
    one(out, "journal_prepared_bytes", "gauge", "Room ready ahead of the journal's end.", now(&c->journal_prepared_bytes));
    uint64_t buckets[HISTOGRAM_N];
    for (unsigned i = 0; i < HISTOGRAM_N; i++) buckets[i] = now(&c->sync_us[i]);
    histogram(out, "commit_seconds", "Append and sync of a batch.", buckets, now(&c->commit_us_sum));
}

void street_metrics(const struct street *street, int64_t mono_us, struct buf *out)
{
    const struct street_counters *c = street_counters(street);
    int64_t age_us = now(&c->snapshots) ? mono_us - (int64_t)now(&c->taken_us) : 0;
    head(out, "street_age_seconds", "gauge", "Since the shown snapshot of the street was taken.");
    buf_put_text(out, "paddock_street_age_seconds ");
    buf_put_decimal(out, age_us > 0 ? age_us : 0, 6);
    buf_put_char(out, '\n');
    one(out, "street_seq", "gauge", "Last fact that the shown snapshot knows of.", now(&c->seq));
    one(out, "street_vehicles", "gauge", "Vehicles in the snapshot.", now(&c->vehicles));
    one(out, "street_rentable", "gauge", "Of those, ready to be rented.", now(&c->rentable));
    one(out, "street_readers", "gauge", "Threads that look at a snapshot now.", street_readers(street));
    one(out, "street_changes_total", "counter", "Committed changes taken in.", now(&c->changes));
    one(out, "street_waiting", "gauge", "Changes on their way to the view.", street_waiting(street));
    one(out, "street_held_back_total", "counter", "Snapshots put off because the older one was still looked at.",
        now(&c->held_back));
    one(out, "street_left_out_total", "counter", "Rows beyond a limit of the view.", now(&c->left_out));
    head(out, "street_make_seconds", "summary", "Making a snapshot.");
    buf_put_text(out, "paddock_street_make_seconds_sum ");
    buf_put_decimal(out, (int64_t)now(&c->make_us_sum), 6);
    buf_put_text(out, "\npaddock_street_make_seconds_count ");
    buf_put_u64(out, now(&c->snapshots));
    buf_put_char(out, '\n');
    head(out, "street_make_max_seconds", "gauge", "Longest that making one took.");
    buf_put_text(out, "paddock_street_make_max_seconds ");
    buf_put_decimal(out, (int64_t)now(&c->make_us_max), 6);
    buf_put_char(out, '\n');
}

void trace_metrics(struct trace *trace, struct buf *out)
{
    if (!trace) return;
    struct trace_counters c = trace_counters(trace);
    one(out, "trace_spans_total", "counter", "Spans made.", c.spans);
    one(out, "trace_spans_sent_total", "counter", "Spans that the collector took.", c.sent);
    head(out, "trace_spans_dropped_total", "counter", "Spans that nobody will see, by reason.");
    sample(out, "trace_spans_dropped_total", "reason", "ring full", c.dropped_full);
    sample(out, "trace_spans_dropped_total", "reason", "of no trace", c.dropped_unknown);
    sample(out, "trace_spans_dropped_total", "reason", "collector", c.dropped_collector);
}

void gateway_metrics(const struct gateway_counters *g, const struct loop_counters *l, struct buf *out)
{
    head(out, "gateway_total", "counter", "What happened at the vehicles' connections, by kind.");
#define X(name, text) sample(out, "gateway_total", "kind", #name, g->name);
    GATEWAY_COUNTER_LIST(X)
#undef X
    head(out, "gateway_bad_frames_total", "counter", "Frames refused, by reason.");
    for (unsigned i = 0; i < GATEWAY_BAD_MAX && g->bad[i].why; i++) {
        sample(out, "gateway_bad_frames_total", "reason", g->bad[i].why, g->bad[i].count);
    }
    one(out, "vehicle_connections", "gauge", "Vehicle connections open.", g->connections);
    one(out, "vehicle_sessions", "gauge", "Of those, bound to a device.", g->sessions);
    one(out, "vehicle_connections_waiting", "gauge", "Connections not read because a ring is full or they flood.",
        (uint64_t)g->waiting_telemetry + g->waiting_urgent + g->flooding);
    one(out, "vehicle_bytes_in_total", "counter", "Bytes from vehicles.", l->bytes_in);
    one(out, "vehicle_reads_total", "counter", "Reads from vehicles' sockets: with frames, how many come at once.", l->reads);
    one(out, "vehicle_writes_total", "counter", "Writes to vehicles' sockets.", l->writes);
    one(out, "vehicle_bytes_out_total", "counter", "Bytes to vehicles.", l->bytes_out);
    one(out, "vehicle_memory_bytes", "gauge", "Kept input and out queues of vehicle connections.", l->memory_bytes);
    one(out, "vehicle_accepted_total", "counter", "Vehicle connections accepted.", l->accepted);
    one(out, "vehicle_refused_total", "counter", "Vehicle connections refused by a limit.", l->refused_limit);
    histogram(out, "order_queue_seconds", "From its cause read to the order decided.", g->order_queue.buckets, g->order_queue.sum_us);
    histogram(out, "order_sync_seconds", "From decided to synced.", g->order_sync.buckets, g->order_sync.sum_us);
    histogram(out, "order_socket_seconds", "From synced to the vehicle's socket.", g->order_socket.buckets, g->order_socket.sum_us);
    histogram(out, "ack_seconds", "From a report read to its acknowledgement on the socket.", g->ack.buckets, g->ack.sum_us);
}
