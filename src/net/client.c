/* SPDX-License-Identifier: Apache-2.0 */
/* client.c: client.h by libcurl's multi interface. The only file that knows libcurl. */
#include "net/client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/must.h"
#include "base/ring.h"
#include "net/client_url.h"

#define IDLE_WAIT_MS 1000

struct call {
    struct client_answer answer;
    CURL *easy;
    struct curl_slist *headers;
    char url[CLIENT_URL_MAX + 1];
    uint8_t *body;
    size_t body_len, answer_len;
    int64_t born_us;
    uint32_t deadline_ms, wire_at;
    bool refused_address, too_large, private_addresses;
    uint8_t answer_body[CLIENT_ANSWER_MAX];
};

struct curl_client {
    struct caller client;
    struct client_options options;
    CURLM *multi;
    struct ring jobs, answers;     /* struct call * */
    pthread_t worker;
    bool started;
    _Atomic bool stopping;
    uint32_t under_way;            /* the owner's: submitted and not yet released, so both rings always have room */
    struct call *on_wire[CLIENT_ACTIVE_MAX]; /* the worker's */
    uint32_t active;
    void *memory;
};

static void *work(void *arg);

static int64_t mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

static void call_free(struct call *call)
{
    if (!call) return;
    curl_slist_free_all(call->headers);
    curl_easy_cleanup(call->easy);
    free(call->body);
    free(call);
}

/* ---- the owner's side ---- */

static bool add_header(struct call *call, const char *name, struct bytes value)
{
    char line[CLIENT_HEADER_LEN_MAX];
    size_t name_len = strlen(name);
    must(name_len + value.len + 3 <= sizeof line);
    memcpy(line, name, name_len);
    memcpy(line + name_len, ": ", 2);
    if (value.len) memcpy(line + name_len + 2, value.at, value.len);
    line[name_len + 2 + value.len] = 0;
    struct curl_slist *more = curl_slist_append(call->headers, line);
    if (more) call->headers = more;
    return more != NULL;
}

static size_t take_body(char *at, size_t size, size_t count, void *ctx)
{
    struct call *call = ctx;
    size_t len = size * count;
    call->too_large = len > sizeof call->answer_body - call->answer_len;
    if (call->too_large) return 0;
    if (len) memcpy(call->answer_body + call->answer_len, at, len);
    call->answer_len += len;
    return len;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct call *call = ctx;
    (void)purpose;
    if (!call->private_addresses && !client_address_public(&address->addr)) {
        call->refused_address = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool set_up(struct call *call)
{
    CURL *c = call->easy;
    CURLcode rc = curl_easy_setopt(c, CURLOPT_URL, call->url);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_PROXY, ""); /* an address seen here must be the one that is called */
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_POST, 1L);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_POSTFIELDS, (const char *)call->body);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_HTTPHEADER, call->headers);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_USERAGENT, "Paddock");
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_WRITEDATA, call);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, call);
    if (!rc) rc = curl_easy_setopt(c, CURLOPT_PRIVATE, call);
    return !rc;
}

static struct err make_call(const struct client_call *from, bool private_addresses, struct call **out)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call) return ERR(FULL, "no memory for the call");
    call->answer.ticket = from->ticket;
    call->born_us = mono_us();
    call->private_addresses = private_addresses;
    call->deadline_ms = from->deadline_ms < CLIENT_DEADLINE_MAX_MS ? from->deadline_ms : CLIENT_DEADLINE_MAX_MS;
    memcpy(call->url, from->url.at, from->url.len); /* parsed: it fits */
    call->body_len = from->body.len;
    call->body = malloc(from->body.len + 1);
    call->easy = curl_easy_init();
    bool fine = call->body && call->easy && add_header(call, "Content-Type", bytes_text("application/json")) &&
                add_header(call, "Expect", bytes_text("")); /* no asking first: it costs a round trip */
    must(from->header_count <= CLIENT_HEADERS_MAX);
    for (uint32_t i = 0; fine && i < from->header_count; i++) {
        fine = add_header(call, from->headers[i].name, from->headers[i].value);
    }
    if (fine && from->body.len) memcpy(call->body, from->body.at, from->body.len);
    if (fine) fine = set_up(call);
    if (!fine) {
        call_free(call);
        return ERR(FULL, "no memory for the call");
    }
    *out = call;
    return NO_ERR;
}

static struct err submit(struct caller *client, const struct client_call *from)
{
    struct curl_client *c = (struct curl_client *)client;
    struct client_counters *n = &client->counters;
    struct client_url url;
    struct err e = client_url_parse(from->url, &url);
    if (!e.code) e = client_url_allowed(&url, bytes_text(c->options.hosts ? c->options.hosts : ""));
    if (e.code) {
        atomic_fetch_add_explicit(&n->refused, 1, memory_order_relaxed);
        return e;
    }
    struct call *call = NULL;
    if (c->under_way == CLIENT_CALLS_MAX) e = ERR(FULL, "too many calls under way");
    if (!e.code) e = make_call(from, c->options.private_addresses, &call);
    if (e.code) {
        atomic_fetch_add_explicit(&n->full, 1, memory_order_relaxed);
        return e;
    }
    struct call **room = ring_room(&c->jobs);
    must(room);
    *room = call;
    c->under_way++;
    ring_put(&c->jobs);
    atomic_fetch_add_explicit(&n->calls, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&n->waiting, 1, memory_order_relaxed);
    curl_multi_wakeup(c->multi);
    return NO_ERR;
}

static struct client_answer *next(struct caller *client)
{
    struct call **at = ring_peek(&((struct curl_client *)client)->answers);
    return at ? &(*at)->answer : NULL;
}

static void release(struct caller *client)
{
    struct curl_client *c = (struct curl_client *)client;
    struct call **at = ring_peek(&c->answers);
    must(at && c->under_way);
    call_free(*at);
    ring_took(&c->answers);
    c->under_way--;
}

/* ---- the worker ---- */

static struct err meaning(const struct call *call, CURLcode rc)
{
    if (rc == CURLE_OK) return NO_ERR;
    if (call->refused_address) return ERR(FORBIDDEN, "the address is not public (setting outbound.private)");
    if (call->too_large) return ERR(TOO_LARGE, "the answer is too long");
    switch (rc) {
    case CURLE_OPERATION_TIMEDOUT: return ERR(TIMEOUT, "no answer in time");
    case CURLE_COULDNT_RESOLVE_HOST: return ERR(IO, "the host's name is not known");
    case CURLE_COULDNT_CONNECT: return ERR(IO, "the connection was refused");
    case CURLE_PEER_FAILED_VERIFICATION: return ERR(IO, "the host's certificate is not good");
    case CURLE_SSL_CONNECT_ERROR: return ERR(IO, "TLS could not begin");
    case CURLE_GOT_NOTHING: return ERR(IO, "the host closed without an answer");
    default: return ERR(IO, "the call broke off");
    }
}

static void count(struct client_counters *n, const struct client_answer *a)
{
    _Atomic uint64_t *which = &n->failed;
    if (!a->err.code) which = a->status >= 200 && a->status < 300 ? &n->answers_2xx : &n->answers_other;
    else if (a->err.code == ERR_TIMEOUT) which = &n->timeouts;
    else if (a->err.code == ERR_TOO_LARGE) which = &n->too_large;
    else if (a->err.code == ERR_FORBIDDEN) which = &n->refused;
    atomic_fetch_add_explicit(which, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&n->us_sum, (uint64_t)a->took_us, memory_order_relaxed);
}

static void finish(struct curl_client *c, struct call *call, struct err err)
{
    long status = 0;
    if (!err.code) curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    call->answer.err = err;
    call->answer.status = (int)status;
    call->answer.body = bytes_of(call->answer_body, call->answer_len);
    call->answer.took_us = mono_us() - call->born_us;
    count(&c->client.counters, &call->answer);
    struct call **room = ring_room(&c->answers);
    must(room);
    *room = call;
    ring_put(&c->answers);
    if (c->options.wake) c->options.wake(c->options.wake_ctx);
}

/* What waited longer than its deadline is not begun any more. */
static void begin_waiting(struct curl_client *c)
{
    struct call **at;
    while (c->active < CLIENT_ACTIVE_MAX && (at = ring_peek(&c->jobs))) {
        struct call *call = *at;
        int64_t left_ms = call->deadline_ms - (mono_us() - call->born_us) / 1000;
        ring_took(&c->jobs);
        atomic_fetch_sub_explicit(&c->client.counters.waiting, 1, memory_order_relaxed);
        bool begun = left_ms > 0 && !curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)left_ms) &&
                     !curl_multi_add_handle(c->multi, call->easy);
        if (begun) {
            call->wire_at = c->active;
            c->on_wire[c->active++] = call;
        } else {
            finish(c, call, ERR(TIMEOUT, "no answer in time"));
        }
    }
}

static void take_done(struct curl_client *c)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(c->multi, &left))) {
        struct call *call = NULL;
        CURLcode rc = message->data.result;
        CURL *easy = message->easy_handle;
        if (message->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
        curl_multi_remove_handle(c->multi, easy);
        c->on_wire[call->wire_at] = c->on_wire[--c->active];
        c->on_wire[call->wire_at]->wire_at = call->wire_at;
        finish(c, call, meaning(call, rc));
    }
}

static void *work(void *arg)
{
    struct curl_client *c = arg;
    int running = 0;
    while (!atomic_load(&c->stopping)) {
        begin_waiting(c);
        must(curl_multi_perform(c->multi, &running) == CURLM_OK);
        take_done(c);
        atomic_store_explicit(&c->client.counters.active, c->active, memory_order_relaxed);
        bool more = c->active < CLIENT_ACTIVE_MAX && ring_count(&c->jobs);
        if (!more) must(curl_multi_poll(c->multi, NULL, 0, IDLE_WAIT_MS, NULL) == CURLM_OK);
    }
    return NULL;
}

/* ---- life ---- */

static void destroy(struct caller *client)
{
    struct curl_client *c = (struct curl_client *)client;
    if (c->started) {
        atomic_store(&c->stopping, true);
        curl_multi_wakeup(c->multi);
        pthread_join(c->worker, NULL);
    }
    for (uint32_t i = 0; i < c->active; i++) {
        curl_multi_remove_handle(c->multi, c->on_wire[i]->easy);
        call_free(c->on_wire[i]);
    }
    struct call **at;
    while ((at = ring_peek(&c->jobs))) {
        call_free(*at);
        ring_took(&c->jobs);
    }
    while ((at = ring_peek(&c->answers))) {
        call_free(*at);
        ring_took(&c->answers);
    }
    if (c->multi) curl_multi_cleanup(c->multi);
    free(c->memory);
    free(c);
}

static const struct client_calls curl_calls = {submit, next, release, destroy};

struct err client_curl_create(const struct client_options *options, struct caller **out)
{
    struct curl_client *c = calloc(1, sizeof *c);
    size_t need = 2 * ring_need(sizeof(struct call *), CLIENT_CALLS_MAX);
    bool fine = c && (c->memory = calloc(1, need)) && !curl_global_init(CURL_GLOBAL_DEFAULT) && (c->multi = curl_multi_init());
    if (!fine) {
        if (c) free(c->memory);
        free(c);
        return ERR(IO, "libcurl cannot be started");
    }
    struct arena a = arena_on(c->memory, need);
    ring_init(&c->jobs, &a, sizeof(struct call *), CLIENT_CALLS_MAX);
    ring_init(&c->answers, &a, sizeof(struct call *), CLIENT_CALLS_MAX);
    c->client.calls = &curl_calls;
    c->options = *options;
    if (pthread_create(&c->worker, NULL, work, c)) {
        destroy(&c->client);
        return ERR(IO, "the thread for outgoing calls cannot be started");
    }
    c->started = true;
    pthread_setname_np(c->worker, "outbound");
    *out = &c->client;
    return NO_ERR;
}
