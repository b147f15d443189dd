/* SPDX-License-Identifier: Apache-2.0 */
#include "api/map_live.h"

#include <stdlib.h>
#include <string.h>

#include "api/street_json.h"
#include "base/must.h"
#include "net/loop.h"

/* What a stream knows of a vehicle: 0 nothing, else 1 + the changed_seq that it was sent. */
struct map_stream {
    uint64_t http;       /* 0 = free */
    struct box box;
    uint8_t state;
    uint16_t city;
    const struct scope *scope;
    uint64_t *known;     /* by place in the snapshot; room for known_count */
    uint32_t known_count;
    int64_t due_ms, checked_ms;
    uint64_t after_seq;
    bool fresh;          /* nothing sent yet: what changed up to after_seq counts as known */
    uint8_t token_len;
    char token[MAP_LIVE_TOKEN_MAX];
};

struct map_live {
    struct map_live_options options;
    struct map_stream streams[MAP_LIVE_MAX];
    struct map_live_counters counters;
    uint64_t *inside;    /* a bit a place: in the box of the stream at hand */
    uint32_t inside_words;
    uint8_t memory[MAP_LIVE_BYTES + STREET_ROW_MAX];
};

struct err map_live_create(const struct map_live_options *options, struct map_live **out)
{
    struct map_live *m = calloc(1, sizeof *m);
    if (!m) return ERR(IO, "no memory");
    m->options = *options;
    *out = m;
    return NO_ERR;
}

static void stream_drop(struct map_live *m, struct map_stream *s)
{
    free(s->known);
    *s = (struct map_stream){.http = 0};
    m->counters.open--;
}

void map_live_destroy(struct map_live *m)
{
    if (!m) return;
    for (unsigned i = 0; i < MAP_LIVE_MAX; i++) free(m->streams[i].known);
    free(m->inside);
    free(m);
}

const struct map_live_counters *map_live_counters(const struct map_live *m)
{
    return &m->counters;
}

struct err map_live_room(const struct map_live *m)
{
    return m->counters.open < MAP_LIVE_MAX ? NO_ERR : ERR(FULL, "too many live maps");
}

void map_live_open(struct map_live *m, const struct map_live_client *client, int64_t now_ms)
{
    struct map_stream *s = m->streams;
    must(m->counters.open < MAP_LIVE_MAX && client->token.len <= MAP_LIVE_TOKEN_MAX);
    while (s->http) s++;
    *s = (struct map_stream){.http = client->http, .box = client->box, .state = client->state, .city = client->city,
                             .scope = client->scope,
                             .due_ms = now_ms, .checked_ms = now_ms, .after_seq = client->after_seq, .fresh = true,
                             .token_len = (uint8_t)client->token.len};
    if (client->token.len) memcpy(s->token, client->token.at, client->token.len);
    m->counters.open++;
}

static struct map_stream *stream_of(struct map_live *m, uint64_t http)
{
    for (unsigned i = 0; i < MAP_LIVE_MAX; i++) {
        if (m->streams[i].http == http) return &m->streams[i];
    }
    return NULL;
}

bool map_live_gone(struct map_live *m, uint64_t http)
{
    struct map_stream *s = m && http ? stream_of(m, http) : NULL;
    if (!s) return false;
    stream_drop(m, s);
    return true;
}

/* ---- a message ---- */

/* Room for places up to `count`: the fleet grows. */
static bool grow(struct map_live *m, struct map_stream *s, uint32_t count)
{
    if (s->known_count < count) {
        uint32_t room = count + count / 4 + 64;
        uint64_t *more = realloc(s->known, room * sizeof *more);
        if (!more) return false;
        memset(more + s->known_count, 0, (room - s->known_count) * sizeof *more);
        s->known = more;
        s->known_count = room;
    }
    if (m->inside_words < count / 64 + 1) {
        uint32_t words = count / 64 + 1 + count / 256;
        uint64_t *more = realloc(m->inside, words * sizeof *more);
        if (!more) return false;
        m->inside = more;
        m->inside_words = words;
    }
    return true;
}

static void mark(void *ctx, uint32_t tag)
{
    uint32_t place = tag & ~STREET_RENTABLE;
    ((struct map_live *)ctx)->inside[place / 64] |= 1ull << place % 64;
}

static bool wanted(const struct map_live *m, const struct map_stream *s, const struct snapshot *now, uint32_t place)
{
    const struct street_vehicle *v = &now->vehicles[place];
    if (!(m->inside[place / 64] >> place % 64 & 1)) return false;
    if (!street_in_scope(now, s->scope, v->city)) return false;
    return (!s->state || v->state == s->state) && (s->city == STREET_NONE || v->city == s->city);
}

static uint32_t put_rows(struct map_live *m, struct map_stream *s, const struct snapshot *now, struct json *j)
{
    uint32_t rows = 0;
    json_name(j, "rows");
    json_open(j, '[');
    for (uint32_t place = 0; place < now->vehicle_count; place++) {
        const struct street_vehicle *v = &now->vehicles[place];
        if (!wanted(m, s, now, place) || s->known[place] == v->changed_seq + 1) continue;
        if (s->fresh && v->changed_seq <= s->after_seq && s->after_seq) {
            s->known[place] = v->changed_seq + 1;
            continue;
        }
        if (j->out->len + STREET_ROW_MAX > MAP_LIVE_BYTES) break;
        street_json_row(now, v, j);
        s->known[place] = v->changed_seq + 1;
        rows++;
    }
    json_close(j, ']');
    return rows;
}

static uint32_t put_gone(struct map_live *m, struct map_stream *s, const struct snapshot *now, struct json *j)
{
    uint32_t gone = 0;
    json_name(j, "gone");
    json_open(j, '[');
    for (uint32_t place = 0; place < now->vehicle_count; place++) {
        const struct street_vehicle *v = &now->vehicles[place];
        /* Who resumes may know vehicles from before, which left meanwhile. */
        bool may_be_known = s->known[place] || (s->fresh && s->after_seq && v->changed_seq > s->after_seq);
        if (!may_be_known || wanted(m, s, now, place)) continue;
        if (j->out->len + STREET_ROW_MAX / 4 > MAP_LIVE_BYTES) break;
        json_text(j, text_bytes(&v->code));
        s->known[place] = 0;
        gone++;
    }
    json_close(j, ']');
    return gone;
}

static void send(struct map_live *m, struct map_stream *s, const struct snapshot *now)
{
    char id_memory[24];
    struct buf b = buf_on(m->memory, sizeof m->memory), id = buf_on(id_memory, sizeof id_memory);
    struct json j = json_on(&b);
    if (!grow(m, s, now->vehicle_count)) return; /* with the next second, perhaps */
    memset(m->inside, 0, m->inside_words * sizeof *m->inside);
    grid_each_in(&now->grid, &s->box, 0, mark, m);
    json_open(&j, '{');
    json_name(&j, "now_ms");
    json_i64(&j, now->now_ms);
    street_json_columns(&j);
    bool fresh = s->fresh;
    uint32_t gone = put_gone(m, s, now, &j), rows = put_rows(m, s, now, &j);
    s->fresh = false;
    json_name(&j, "as_of_seq");
    json_u64(&j, now->seq);
    json_close(&j, '}');
    if (!rows && !gone && !fresh) return;
    must(!b.full);
    buf_put_u64(&id, now->seq);
    uint64_t http = s->http;
    struct err e = http_sse_send(m->options.http, http, buf_bytes(&id), bytes_text("rows"), buf_bytes(&b));
    m->counters.sent++;
    m->counters.rows += rows;
    if (e.code == ERR_NOT_FOUND) (void)map_live_gone(m, http);
    /* FULL: the server closes it, and on_gone follows */
}

int64_t map_live_turn(struct map_live *m, int64_t now_ms)
{
    int64_t next_ms = LOOP_NEVER;
    const struct snapshot *now = NULL;
    if (!m->counters.open) return next_ms;
    for (unsigned i = 0; i < MAP_LIVE_MAX; i++) {
        struct map_stream *s = &m->streams[i];
        if (!s->http) continue;
        if (now_ms - s->checked_ms >= MAP_LIVE_RECHECK_MS) {
            s->checked_ms = now_ms;
            if (!m->options.still_good(m->options.ctx, bytes_of(s->token, s->token_len), s->scope, now_ms)) {
                uint64_t http = s->http;
                stream_drop(m, s);
                http_sse_end(m->options.http, http);
                continue;
            }
        }
        if (now_ms >= s->due_ms) {
            if (!now) now = street_hold(m->options.street, STREET_READER_HTTP);
            s->due_ms = now_ms + MAP_LIVE_EVERY_MS;
            if (now) send(m, s, now);
        }
        if (s->http && s->due_ms < next_ms) next_ms = s->due_ms;
    }
    if (now) street_let_go(m->options.street, STREET_READER_HTTP);
    return next_ms;
}
