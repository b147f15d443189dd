/* SPDX-License-Identifier: Apache-2.0 */
/* client_test.c: calls over real sockets to a server in this process that answers as it is told. */
#include "net/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

struct peer {
    int listener;
    char url[64], heard[8192];
    const char *answer; /* NULL: silence until the client hangs up */
    pthread_t thread;
    unsigned answered;
};

static bool whole(const char *heard)
{
    const char *end = strstr(heard, "\r\n\r\n"), *len = strstr(heard, "Content-Length: ");
    unsigned want = 0;
    if (!end) return false;
    for (const char *d = len ? len + 16 : ""; *d >= '0' && *d <= '9'; d++) want = want * 10 + (unsigned)(*d - '0');
    return strlen(end + 4) >= want;
}

static void *answer_one(void *arg)
{
    struct peer *p = arg;
    int conn = accept(p->listener, NULL, NULL);
    size_t len = 0;
    ssize_t n;
    while (conn >= 0 && len < sizeof p->heard - 1 && (n = read(conn, p->heard + len, sizeof p->heard - 1 - len)) > 0) {
        len += (size_t)n;
        p->heard[len] = 0;
        if (!p->answer || !whole(p->heard)) continue;
        assert_int_equal(write(conn, p->answer, strlen(p->answer)), (ssize_t)strlen(p->answer));
        p->answered++;
        break;
    }
    if (conn >= 0) close(conn);
    return NULL;
}

static void peer_open(struct peer *p, const char *answer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *p = (struct peer){.answer = answer, .listener = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(p->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(p->listener, 4), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&at, &len), 0);
    snprintf(p->url, sizeof p->url, "http://127.0.0.1:%u/hook", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&p->thread, NULL, answer_one, p), 0);
}

static void peer_close(struct peer *p)
{
    shutdown(p->listener, SHUT_RDWR); /* a thread that still waits in accept comes back */
    pthread_join(p->thread, NULL);
    close(p->listener);
}

static sem_t woken;
static void wake(void *ctx)
{
    (void)ctx;
    sem_post(&woken);
}

static struct caller *open_client(const char *hosts, bool private_addresses)
{
    struct caller *c;
    struct client_options options = {.hosts = hosts, .private_addresses = private_addresses, .wake = wake};
    sem_init(&woken, 0, 0);
    assert_int_equal(client_curl_create(&options, &c).code, ERR_OK);
    return c;
}

static struct client_answer *call(struct caller *c, const char *url, const char *body, uint32_t deadline_ms)
{
    struct client_header header = {"Webhook-Id", bytes_text("one")};
    struct client_call call = {.ticket = 77, .url = bytes_text(url), .body = bytes_text(body), .headers = &header,
                               .header_count = 1, .deadline_ms = deadline_ms};
    assert_int_equal(client_submit(c, &call).code, ERR_OK);
    while (sem_wait(&woken)) continue;
    struct client_answer *a = client_next(c);
    assert_non_null(a);
    assert_int_equal(a->ticket, 77);
    return a;
}

static void a_post_is_answered_with_status_and_body(void **state)
{
    (void)state;
    struct peer p;
    peer_open(&p, "HTTP/1.1 201 Created\r\nContent-Length: 8\r\n\r\n{\"a\":1}\n");
    struct caller *c = open_client("", true);
    struct client_answer *a = call(c, p.url, "{\"hello\":true}", 20000);
    assert_int_equal(a->err.code, ERR_OK);
    assert_int_equal(a->status, 201);
    assert_true(bytes_equal_text(a->body, "{\"a\":1}\n"));
    client_release(c);
    assert_null(client_next(c));
    assert_non_null(strstr(p.heard, "POST /hook HTTP/1.1\r\n"));
    assert_non_null(strstr(p.heard, "Webhook-Id: one\r\n"));
    assert_non_null(strstr(p.heard, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(p.heard, "\r\n\r\n{\"hello\":true}"));
    assert_null(strstr(p.heard, "Expect:"));
    assert_int_equal(atomic_load(&c->counters.answers_2xx), 1);
    client_destroy(c);
    peer_close(&p);
}

static void silence_ends_at_the_deadline(void **state)
{
    (void)state;
    struct peer p;
    peer_open(&p, NULL);
    struct caller *c = open_client("", true);
    struct client_answer *a = call(c, p.url, "{}", 30);
    assert_int_equal(a->err.code, ERR_TIMEOUT);
    assert_int_equal(atomic_load(&c->counters.timeouts), 1);
    client_destroy(c); /* an answer that nobody released is let go of */
    peer_close(&p);
}

static void a_redirect_is_an_answer_and_not_a_way(void **state)
{
    (void)state;
    struct peer p, other;
    char answer[256];
    peer_open(&other, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    snprintf(answer, sizeof answer, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", other.url);
    peer_open(&p, answer);
    struct caller *c = open_client("", true);
    struct client_answer *a = call(c, p.url, "{}", 20000);
    assert_int_equal(a->status, 302);
    client_release(c);
    client_destroy(c);
    peer_close(&p);
    peer_close(&other);
    assert_int_equal(other.answered, 0);
}

static void an_endless_answer_is_cut(void **state)
{
    (void)state;
    static char answer[CLIENT_ANSWER_MAX + 200];
    struct peer p;
    int head = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", CLIENT_ANSWER_MAX + 1);
    memset(answer + head, 'x', CLIENT_ANSWER_MAX + 1);
    peer_open(&p, answer);
    struct caller *c = open_client("", true);
    assert_int_equal(call(c, p.url, "{}", 20000)->err.code, ERR_TOO_LARGE);
    client_destroy(c);
    peer_close(&p);
}

static void loopback_is_refused_unless_it_is_allowed(void **state)
{
    (void)state;
    struct peer p;
    peer_open(&p, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct caller *c = open_client("", false);
    struct client_answer *a = call(c, p.url, "{}", 20000);
    assert_int_equal(a->err.code, ERR_FORBIDDEN);
    client_destroy(c);
    peer_close(&p);
    assert_int_equal(p.answered, 0);
}

static void a_host_off_the_list_is_refused_before_it_is_called(void **state)
{
    (void)state;
    struct caller *c = open_client("hooks.example.org", true);
    struct client_call call = {.url = bytes_text("http://127.0.0.1:9/x"), .body = bytes_text("{}"), .deadline_ms = 1000};
    assert_int_equal(client_submit(c, &call).code, ERR_FORBIDDEN);
    assert_null(client_next(c));
    client_destroy(c);
}

static void more_than_the_limit_is_refused(void **state)
{
    (void)state;
    struct peer p;
    peer_open(&p, NULL);
    struct caller *c = open_client("", true);
    struct client_call call = {.url = bytes_text(p.url), .body = bytes_text("{}"), .deadline_ms = 60000};
    for (unsigned i = 0; i < CLIENT_CALLS_MAX; i++) assert_int_equal(client_submit(c, &call).code, ERR_OK);
    assert_int_equal(client_submit(c, &call).code, ERR_FULL);
    client_destroy(c); /* with all of them under way */
    peer_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_is_answered_with_status_and_body),
        cmocka_unit_test(silence_ends_at_the_deadline),
        cmocka_unit_test(a_redirect_is_an_answer_and_not_a_way),
        cmocka_unit_test(an_endless_answer_is_cut),
        cmocka_unit_test(loopback_is_refused_unless_it_is_allowed),
        cmocka_unit_test(a_host_off_the_list_is_refused_before_it_is_called),
        cmocka_unit_test(more_than_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
