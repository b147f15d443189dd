/* SPDX-License-Identifier: Apache-2.0 */
/* apply_send.c: asking the server: pages one after the other, PUTs on many connections at once. A PUT may be repeated, so
 * whoever does not answer or is full is asked again, a few times. */
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/secret.h"
#include "base/must.h"
#include "net/loop_address.h"
#include "net/loop_epoll.h"
#include "ops/apply_inside.h"
#include "ops/offline_inside.h"

enum { AGAIN_MS = 250, TURN_MS = 100, PAGE_LIMIT = 1000, REPLY_MAX = 4 << 20, BODY_MAX = 4096, TARGET_MAX = 256 };

/* One connection with at most one request in flight. */
struct lane {
    struct http_client *client;
    struct batch *batch;
    uint32_t thing;          /* what is being declared */
    uint32_t tries;
    int64_t again_ms;        /* when to ask again; 0: not waiting */
    bool busy;
};

/* The PUTs of one kind. */
struct batch {
    struct apply *a;
    struct apply_list *list;
    struct lane lanes[APPLY_AT_ONCE];
    unsigned lane_count;
    uint32_t next, done, total;
    bool stop;               /* nobody answers: no more is sent */
};

/* One question with its answer, for pages. */
struct question { int status; bool answered; struct json_in *page; struct bytes why; char text[512]; };

static int64_t mono_ms(const struct apply *a) { return loop_now_ms(a->loop); }

/* ---- where the server is ---- */

/* "http://host:port/" to "1.2.3.4:port". */
static int find_address(struct apply *a)
{
    struct bytes url = bytes_text(a->server);
    struct net_address address;
    char host[128], service[8] = "80";
    if (url.len > 8 && !memcmp(url.at, "https://", 8)) {
        fprintf(stderr, "paddock apply: https is not spoken here: run it beside the server, or through a tunnel\n");
        return APPLY_USAGE;
    }
    if (url.len > 7 && !memcmp(url.at, "http://", 7)) url = bytes_of(url.at + 7, url.len - 7);
    if (url.len && url.at[url.len - 1] == '/') url.len--;
    if (!address_parse(url, &address).code && url.len < sizeof a->address) {
        memcpy(a->address, url.at, url.len);
        return APPLY_DONE;
    }
    struct bytes rest = url, name = bytes_split(&rest, ':');
    bool fits = name.len && name.len < sizeof host && rest.len < sizeof service && !memchr(url.at, '/', url.len);
    if (!fits) {
        fprintf(stderr, "paddock apply: --server is like http://127.0.0.1:8080\n");
        return APPLY_USAGE;
    }
    snprintf(host, sizeof host, "%.*s", (int)name.len, (const char *)name.at);
    if (rest.len) snprintf(service, sizeof service, "%.*s", (int)rest.len, (const char *)rest.at);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(host, service, &hints, &found) || !found) {
        fprintf(stderr, "paddock apply: no such host: %s\n", host);
        return APPLY_REFUSED;
    }
    struct buf b = buf_on(a->address, sizeof a->address - 1);
    address.len = found->ai_addrlen;
    memcpy(&address.at, found->ai_addr, found->ai_addrlen);
    address_put(&b, &address);
    freeaddrinfo(found);
    return APPLY_DONE;
}

int apply_connect(struct apply *a)
{
    struct loop_config config = {.conn_max = APPLY_AT_ONCE + 8};
    int code = find_address(a);
    if (code) return code;
    snprintf(a->authorization, sizeof a->authorization, "Bearer %s", a->token);
    struct err e = loop_epoll_create(&config, &a->loop);
    if (!e.code) return APPLY_DONE;
    fprintf(stderr, "paddock apply: %s\n", e.why);
    return APPLY_REFUSED;
}

void apply_disconnect(struct apply *a)
{
    if (a->loop) loop_destroy(a->loop);
    a->loop = NULL;
}

static struct err send_request(struct apply *a, struct http_client *client, const char *method, struct bytes target,
                               struct bytes body)
{
    struct http_reply_header headers[] = {{"Authorization", bytes_text(a->authorization)}};
    struct http_client_request request = {.method = method, .target = target, .headers = headers, .header_count = 1,
                                          .body = body, .content_type = body.len ? "application/json" : NULL};
    return http_client_send(client, &request);
}

/* "code: detail" of a problem, or the status. */
static void put_problem(char *out, size_t size, int status, struct bytes body)
{
    static const struct json_in_limits limits = {.bytes_max = 1 << 20, .depth_max = 8, .values_max = 1000};
    struct json_in *problem = NULL;
    struct json_in_value code, detail;
    if (!json_in_parse_within(body, &limits, &problem, NULL).code && json_in_get(problem, "code", &code) &&
        json_in_get(problem, "detail", &detail)) {
        int len = snprintf(out, size, "%.*s: %.*s", (int)code.text.len, (const char *)code.text.at, (int)detail.text.len,
                           (const char *)detail.text.at);
        for (size_t i = 0; i < json_in_count(problem, "errors") && len > 0 && (size_t)len < size; i++) {
            struct json_in_value field, why;
            const struct json_in *one = json_in_item(problem, "errors", i);
            if (!one || !json_in_get(one, "field", &field) || !json_in_get(one, "why", &why)) continue;
            len += snprintf(out + len, size - (size_t)len, "; %.*s %.*s", (int)field.text.len,
                            (const char *)field.text.at, (int)why.text.len, (const char *)why.text.at);
        }
    } else {
        snprintf(out, size, "HTTP status %d", status);
    }
    json_in_free(problem);
}

static bool worth_another_try(int status) { return status == 429 || status == 503 || status == 504; }

/* ---- pages ---- */

static void on_page(void *ctx, struct http_client *client, const struct http_client_reply *reply)
{
    struct question *q = ctx;
    static const struct json_in_limits limits = {.bytes_max = REPLY_MAX, .depth_max = 8, .values_max = 1000000};
    (void)client;
    q->answered = true;
    q->status = reply->status;
    if (reply->status != 200) put_problem(q->text, sizeof q->text, reply->status, reply->body);
    else if (json_in_parse_within(reply->body, &limits, &q->page, NULL).code) {
        q->status = 0;
        snprintf(q->text, sizeof q->text, "its answer is not what this program understands");
    }
}

static void on_no_page(void *ctx, struct http_client *client, struct err why)
{
    struct question *q = ctx;
    (void)client;
    q->answered = true;
    q->status = 0;
    snprintf(q->text, sizeof q->text, "%s", why.why);
}

static void wait_until(struct apply *a, int64_t until_ms)
{
    while (mono_ms(a) < until_ms) (void)loop_turn(a->loop, TURN_MS / 4).code;
}

/* The parsed answer, NULL when there is none: told in q. */
static struct json_in *ask(struct apply *a, const char *target, struct question *q)
{
    for (unsigned tries = 0; tries < APPLY_TRIES; tries++) {
        struct http_client *client = NULL;
        struct http_client_config config = {.address = bytes_text(a->address), .reply_max = REPLY_MAX,
                                            .events = {.ctx = q, .on_reply = on_page, .on_failed = on_no_page}};
        *q = (struct question){.answered = false};
        struct err e = http_client_create(a->loop, &config, &client);
        if (!e.code) e = send_request(a, client, "GET", bytes_text(target), bytes_of(NULL, 0));
        if (e.code) on_no_page(q, NULL, e);
        while (!q->answered) (void)loop_turn(a->loop, TURN_MS).code;
        http_client_destroy(client);
        if (q->status && !worth_another_try(q->status)) break;
        if (q->status || tries < 2) wait_until(a, mono_ms(a) + AGAIN_MS * (tries + 1));
        else break; /* nobody is there */
    }
    return q->page;
}

static void add_known(struct apply_known_list *known, struct bytes name, const struct json_in *object)
{
    if (known->count == known->cap) {
        known->cap = known->cap ? known->cap * 2 : 256;
        known->at = realloc(known->at, known->cap * sizeof *known->at);
        if (!known->at) apply_memory(SIZE_MAX / 2);
    }
    known->at[known->count++] = (struct apply_known){name, object};
}

static void add_page(struct apply_known_list *known, struct json_in *page)
{
    if (known->page_count == known->page_cap) {
        known->page_cap = known->page_cap ? known->page_cap * 2 : 16;
        known->pages = realloc(known->pages, known->page_cap * sizeof *known->pages);
        if (!known->pages) apply_memory(SIZE_MAX / 2);
    }
    known->pages[known->page_count++] = page;
}

static void take_object(const struct apply_list *list, struct apply_known_list *known, const struct json_in *object)
{
    struct json_in_value v;
    size_t codes = json_in_count(object, "codes");
    if (!object) return;
    if (!list->key) {
        add_known(known, bytes_of(NULL, 0), object);
        return;
    }
    if (json_in_get(object, list->key, &v)) add_known(known, v.text, object);
    struct bytes first = v.text;
    for (size_t i = 0; i < codes; i++) {
        if (json_in_item_value(object, "codes", i, &v) && !bytes_equal(v.text, first)) add_known(known, v.text, object);
    }
}

/* Letters, digits, - and _ as they are, which is what all names but those of staff are made of. */
static void put_segment(struct buf *b, struct bytes text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!plain) buf_put_char(b, '%');
        if (!plain) buf_put_char(b, hex[c >> 4]);
        buf_put_char(b, plain ? (char)c : hex[c & 15]);
    }
}

static int no_page(const struct apply *a, const char *target, const struct question *q)
{
    fprintf(stderr, "paddock apply: %s%s: %s\n", a->server, target, q->text);
    return APPLY_REFUSED;
}

/* Where there is no list: what the file names. */
static int fetch_each(struct apply *a, const struct apply_list *list, struct apply_known_list *known)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct apply_thing *thing = &list->things[i];
        struct question q;
        char target[TARGET_MAX];
        struct buf b = buf_on(target, sizeof target - 1);
        buf_put_text(&b, list->kind->list);
        put_segment(&b, thing->name);
        must(!b.full);
        target[b.len] = 0;
        struct json_in *page = ask(a, target, &q);
        if (!page && q.status == 404) continue;
        if (!page) return no_page(a, target, &q);
        add_page(known, page);
        const struct json_in *object = json_in_object(page, list->kind->in_list);
        struct json_in_value secret;
        if (object) add_known(known, thing->name, object);
        /* It is shown once, to whoever comes first: that was this question. */
        if (object && json_in_get(object, "secret", &secret)) apply_keep_secret(a, list, thing, object);
    }
    apply_sort_known(known);
    return APPLY_DONE;
}

static void put_target(char target[TARGET_MAX], const struct apply_kind *kind, struct bytes after)
{
    char limit[32];
    struct buf b = buf_on(target, TARGET_MAX - 1);
    snprintf(limit, sizeof limit, "?limit=%d", PAGE_LIMIT);
    buf_put_text(&b, kind->list);
    if (!kind->single) buf_put_text(&b, limit);
    if (after.len) buf_put_text(&b, "&after=");
    put_segment(&b, after);
    must(!b.full);
    target[b.len] = 0;
}

int apply_fetch(struct apply *a, unsigned kind)
{
    const struct apply_list *list = &a->lists[kind];
    struct apply_known_list *known = &a->known[kind];
    struct question q;
    char target[TARGET_MAX], after[48] = "";
    if (list->kind->one_by_one) return fetch_each(a, list, known);
    do {
        put_target(target, list->kind, bytes_text(after));
        struct json_in *page = ask(a, target, &q);
        if (!page && q.status == 404 && list->kind->single) return APPLY_DONE; /* nothing was ever declared */
        if (!page) return no_page(a, list->kind->list, &q);
        add_page(known, page);
        after[0] = 0;
        if (list->kind->single) {
            take_object(list, known, json_in_object(page, list->kind->in_list));
            break;
        }
        struct json_in_value next;
        size_t count = json_in_count(page, list->kind->in_list);
        for (size_t i = 0; i < count; i++) take_object(list, known, json_in_item(page, list->kind->in_list, i));
        if (json_in_get(page, "next", &next) && next.kind == JSON_IN_TEXT && next.text.len < sizeof after) {
            snprintf(after, sizeof after, "%.*s", (int)next.text.len, (const char *)next.text.at);
        }
    } while (after[0]);
    apply_sort_known(known);
    return APPLY_DONE;
}

/* ---- PUTs ---- */

static void put_list(struct json *j, const struct args *args, unsigned i)
{
    const struct arg_row *row = &args->rows[i];
    json_open(j, '[');
    for (unsigned v = 0; row->type == ARG_TERMS && v < row->names->count && v < 63; v++) {
        if ((uint64_t)args->at[i].number >> v & 1) json_literal(j, row->names->names[v]);
    }
    for (size_t c = 0; row->type == ARG_CITIES && c < (size_t)args->at[i].number; c++) {
        json_text(j, args_code(args, row->name, c));
    }
    json_close(j, ']');
}

static void put_member(struct json *j, const struct arg_row *row, const struct arg *arg)
{
    switch ((enum arg_type)row->type) {
    case ARG_WHOLE: json_i64(j, arg->number); break;
    case ARG_BOOL: json_bool(j, arg->number != 0); break;
    case ARG_DEGREES: json_decimal(j, arg->number, 7); break;
    case ARG_TERM: json_literal(j, enum_name(row->names, (unsigned)arg->number)); break;
    default: json_text(j, arg->text);
    }
}

static void put_members(struct json *j, const struct args *args)
{
    for (unsigned i = 0; i < args->count; i++) {
        const struct arg_row *row = &args->rows[i];
        bool ours = strncmp(row->name, "password_", 9) == 0 || strcmp(row->name, "secret_file") == 0;
        if (row->where != IN_BODY || !args->at[i].given || ours) continue;
        json_name(j, row->name);
        if (row->type == ARG_TERMS || row->type == ARG_CITIES) put_list(j, args, i);
        else put_member(j, row, &args->at[i]);
    }
}

/* Somebody's first password. False: it is not there any more; `why` says so. */
static bool put_password(struct json *j, const struct batch *b, const struct apply_thing *thing, const struct args *args,
                         const char **why)
{
    struct apply_password password;
    const struct json_in *known = apply_find_known(&b->a->known[b->list - b->a->lists], thing->name);
    if (!apply_needs_password(b->list, args, known)) return true;
    *why = apply_password(args, &password);
    if (!*why) json_name(j, "password");
    if (!*why) json_text(j, bytes_of(password.at, password.len));
    secret_forget(&password, sizeof password);
    return !*why;
}

static struct err send_thing(struct batch *b, struct lane *lane)
{
    uint8_t body_memory[BODY_MAX], target_memory[TARGET_MAX];
    struct buf body = buf_on(body_memory, sizeof body_memory), target = buf_on(target_memory, sizeof target_memory);
    struct json j = json_on(&body);
    const struct apply_thing *thing = &b->list->things[lane->thing];
    struct args args;
    apply_args(b->list, thing, &args);
    json_open(&j, '{');
    put_members(&j, &args);
    const char *why = NULL;
    bool fine = put_password(&j, b, thing, &args, &why);
    json_close(&j, '}');
    args_fini(&args);
    if (!fine) return (struct err){ERR_INVALID, why};
    for (const char *c = b->list->route->path; *c && *c != '{'; c++) buf_put_char(&target, *c);
    put_segment(&target, thing->name);
    must(!body.full && !target.full);
    lane->busy = true;
    lane->again_ms = 0;
    struct err e = send_request(b->a, lane->client, "PUT", buf_bytes(&target), buf_bytes(&body));
    secret_forget(body_memory, sizeof body_memory);
    return e;
}

static void told_progress(struct batch *b)
{
    struct apply *a = b->a;
    int64_t now_ms = mono_ms(a);
    bool due = now_ms - a->began_ms > PROGRESS_AFTER_MS && now_ms - a->told_ms > PROGRESS_EVERY_MS;
    if (!due || !isatty(STDERR_FILENO)) return;
    a->told_ms = now_ms;
    fprintf(stderr, "%s: %u of %u\n", b->list->kind->member, b->done, b->total);
}

static void done(struct batch *b, struct lane *lane)
{
    lane->busy = false;
    lane->tries = 0;
    b->done++;
    told_progress(b);
}

static void refused(struct batch *b, struct lane *lane, const char *why)
{
    const struct apply_thing *thing = &b->list->things[lane->thing];
    if (b->a->refused++ < APPLY_FAULTS_SHOWN) {
        fprintf(stderr, "%s: %s[%u] %.*s: %s\n", b->a->path, b->list->kind->member, thing->index, (int)thing->name.len,
                thing->name.len ? (const char *)thing->name.at : "", why);
    }
    done(b, lane);
}

static void again(struct batch *b, struct lane *lane, const char *why)
{
    lane->busy = false;
    if (++lane->tries >= APPLY_TRIES) {
        b->stop = true;
        refused(b, lane, why);
    } else {
        lane->again_ms = mono_ms(b->a) + AGAIN_MS * lane->tries;
    }
}

static void keep_secret(struct batch *b, const struct lane *lane, struct bytes body)
{
    static const struct json_in_limits limits = {.bytes_max = 1 << 20, .depth_max = 8, .values_max = 1000};
    struct json_in *answer = NULL;
    if (!b->list->has_secret || json_in_parse_within(body, &limits, &answer, NULL).code) return;
    apply_keep_secret(b->a, b->list, &b->list->things[lane->thing], json_in_object(answer, b->list->kind->in_list));
    json_in_free(answer);
}

static void on_put(void *ctx, struct http_client *client, const struct http_client_reply *reply)
{
    struct lane *lane = ctx;
    struct batch *b = lane->batch;
    char why[512];
    (void)client;
    if (reply->status >= 200 && reply->status < 300) {
        b->a->sent++;
        keep_secret(b, lane, reply->body);
        done(b, lane);
        return;
    }
    put_problem(why, sizeof why, reply->status, reply->body);
    if (worth_another_try(reply->status)) again(b, lane, why);
    else refused(b, lane, why);
}

static void on_no_put(void *ctx, struct http_client *client, struct err why)
{
    struct lane *lane = ctx;
    (void)client;
    again(lane->batch, lane, why.why);
}

/* Puts the next thing that is not the same into a lane that is free; false: there is none. */
static bool next_thing(struct batch *b, struct lane *lane)
{
    if (lane->again_ms) return !b->stop;
    while (b->next < b->list->count && b->list->things[b->next].state == APPLY_SAME) b->next++;
    if (b->stop || b->next == b->list->count) return false;
    lane->thing = b->next++;
    lane->tries = 0;
    return true;
}

static bool drive(struct batch *b)
{
    bool busy = false;
    for (unsigned i = 0; i < b->lane_count; i++) {
        struct lane *lane = &b->lanes[i];
        busy = busy || lane->busy || (lane->again_ms && !b->stop);
        if (lane->busy || (lane->again_ms && lane->again_ms > mono_ms(b->a))) continue;
        if (!next_thing(b, lane)) continue;
        struct err e = send_thing(b, lane);
        if (e.code == ERR_INVALID) refused(b, lane, e.why);
        else if (e.code) again(b, lane, e.why);
        busy = true;
    }
    return busy;
}

int apply_put(struct apply *a, unsigned kind)
{
    struct apply_list *list = &a->lists[kind];
    struct batch b = {.a = a, .list = list, .total = list->states[APPLY_NEW] + list->states[APPLY_CHANGED]};
    b.lane_count = list->kind->at_once ? list->kind->at_once : APPLY_AT_ONCE;
    int code = APPLY_DONE;
    if (!b.total) return APPLY_DONE;
    for (unsigned i = 0; i < b.lane_count && !code; i++) {
        struct http_client_config config = {.address = bytes_text(a->address),
                                            .events = {.ctx = &b.lanes[i], .on_reply = on_put, .on_failed = on_no_put}};
        b.lanes[i].batch = &b;
        if (http_client_create(a->loop, &config, &b.lanes[i].client).code) code = APPLY_REFUSED;
    }
    while (!code && drive(&b)) (void)loop_turn(a->loop, TURN_MS / 4).code;
    for (unsigned i = 0; i < b.lane_count; i++) http_client_destroy(b.lanes[i].client);
    if (b.done < b.total) {
        fprintf(stderr, "paddock apply: %u of %u %s were not sent\n", b.total - b.done, b.total, list->kind->member);
    }
    return code ? code : b.done < b.total || a->refused ? APPLY_REFUSED : APPLY_DONE;
}
