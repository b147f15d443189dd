/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated riders and staff against a server that is this test: what they send, what they note, what they
 * call broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "net/http.h"
#include "sim/network.h"
#include "sim/phone.h"
#include "sim/rider.h"
#include "sim/staff.h"

enum { SECOND_US = 1000000, RIDES_MAX = 2000, KEY_ROOM = 20 };
#define START_MS 1795474800000ll

enum state { UNLOCKING, RIDING, ENDING, SETTLED, FAILED, CANCELLED };
static const char *const state_names[] = {"unlocking", "riding", "ending", "settled", "failed", "cancelled"};

struct ride { enum state state; int looks; char key[KEY_ROOM]; };

/* A server with one rider: a ride unlocks at the second look and is settled at the second look after its
 * end. */
struct town {
    struct network *network;
    struct loop *server, *client;
    struct crowd *crowd;
    struct http_server *http;
    struct text64 address;
    struct ride rides[RIDES_MAX];
    int ride_count, posts, gets, puts, ends, drop_offs, orders, streams, bodies_refused;
    int lose, busy, refuse_ends, fail_rides;      /* so many from now on */
    bool forgets_keys, loses_rides, drifting_price, taken, forgets_facts;
    unsigned looks; /* planted bugs; taken: every start is refused */
    int rode, stopped, closed, closes_seen;
    char bodies[4096], busy_key[KEY_ROOM];        /* busy_key: of the last request that was turned away */
    int same_keys, busy_from;                     /* busy_from: puts until then are served */
    uint32_t ppm[SIM_RIDER_HABIT_N];
    uint64_t count[SIM_RIDER_HABIT_N];
};

static void answer(struct town *t, const struct http_request *q, int status, const char *body)
{
    struct http_response r = {.status = status, .content_type = "application/json", .body = bytes_text(body)};
    (void)http_reply(t->http, q->handle, &r);
}

static void refuse(struct town *t, const struct http_request *q, int status, const char *code)
{
    char body[96];
    struct buf b = buf_on(body, sizeof body - 1);
    buf_put_text(&b, "{\"title\":\"x\",\"code\":\"");
    buf_put_text(&b, code);
    buf_put_text(&b, "\"}");
    body[b.len] = 0;
    answer(t, q, status, body);
}

static void put_id(struct buf *b, int index)
{
    buf_put_text(b, "00000000-0000-4000-8000-");
    buf_put_padded(b, (uint64_t)index, 12);
}

static void show(struct town *t, const struct http_request *q, int status, int index)
{
    char body[256];
    struct buf b = buf_on(body, sizeof body - 1);
    enum state state = t->rides[index].state;
    buf_put_text(&b, "{\"ride\":{\"id\":\"");
    put_id(&b, index);
    buf_put_text(&b, "\",\"state\":\"");
    buf_put_text(&b, state_names[state]);
    buf_put_text(&b, "\",\"vehicle_code\":\"SE-0001\",\"charge_minor\":");
    buf_put_u64(&b, state == SETTLED ? 1250 : 0);
    buf_put_text(&b, ",\"refusal\":null},\"as_of_seq\":7}");
    body[b.len] = 0;
    answer(t, q, status, body);
}

static int open_ride(const struct town *t)
{
    int last = t->ride_count - 1;
    return last >= 0 && t->rides[last].state <= ENDING ? last : -1;
}

static void post_ride(struct town *t, const struct http_request *q)
{
    struct bytes key = http_header_of(q, "idempotency-key");
    assert_int_equal(key.len, 17);
    t->posts++;
    for (int i = 0; i < t->ride_count && !t->forgets_keys; i++) {
        if (!bytes_equal_text(key, t->rides[i].key)) continue;
        if (phone_find(q->body, "vehicle_code").len &&
            !bytes_equal_text(phone_find(q->body, "vehicle_code"), "SE-0001")) {
            t->bodies_refused++;
            refuse(t, q, 422, "idempotency_mismatch");
        } else if (t->lose > 0) {
            t->lose--;
        } else {
            show(t, q, 202, i);
        }
        return;
    }
    if (!bytes_equal_text(phone_find(q->body, "vehicle_code"), "SE-0001")) {
        refuse(t, q, 404, "vehicle_unknown");
    } else if (t->taken) {
        refuse(t, q, 409, "vehicle_not_available");
    } else if (!t->forgets_keys && open_ride(t) >= 0) {
        refuse(t, q, 409, "rider_has_ride");
    } else {
        assert_true(t->ride_count < RIDES_MAX);
        struct ride *r = &t->rides[t->ride_count++];
        r->state = UNLOCKING;
        phone_copy(r->key, sizeof r->key, key);
        if (t->lose > 0) t->lose--; /* it acts, and its reply never comes */
        else show(t, q, 202, t->ride_count - 1);
    }
}

static void look(struct town *t, const struct http_request *q, int index)
{
    struct ride *r = &t->rides[index];
    t->gets++;
    if (t->loses_rides && r->state == RIDING) {
        refuse(t, q, 404, "no_ride");
        return;
    }
    if (++r->looks >= 2 && r->state == UNLOCKING) {
        r->state = t->fail_rides > 0 ? FAILED : RIDING;
        if (t->fail_rides > 0) t->fail_rides--;
        r->looks = 0;
    } else if (r->looks >= 2 && r->state == ENDING) {
        r->state = SETTLED;
    }
    show(t, q, 200, index);
}

static void end_ride(struct town *t, const struct http_request *q, int index)
{
    struct ride *r = &t->rides[index];
    t->ends++;
    if (r->state == UNLOCKING) r->state = CANCELLED;
    if (r->state == RIDING && t->refuse_ends > 0) t->refuse_ends--;
    else if (r->state == RIDING) r->state = ENDING;
    r->looks = 0;
    show(t, q, 202, index);
}

static void on_request(void *ctx, const struct http_request *q)
{
    struct town *t = ctx;
    assert_true(bytes_equal_text(http_header_of(q, "authorization"), "Bearer tok"));
    bool post = q->verb == HTTP_VERB_POST;
    if (t->busy > 0 && t->puts >= t->busy_from) {
        t->busy--;
        phone_copy(t->busy_key, sizeof t->busy_key, http_header_of(q, "idempotency-key"));
        refuse(t, q, 503, "limit_reached");
    } else if (bytes_equal_text(q->path, "/v1/rides") && post) {
        post_ride(t, q);
    } else if (bytes_equal_text(q->path, "/v1/rides/current")) {
        if (open_ride(t) >= 0) look(t, q, open_ride(t));
        else refuse(t, q, 404, "no_ride");
    } else if (bytes_equal_text(q->path, "/v1/near")) {
        t->looks++;
        answer(t, q, 200, t->forgets_facts && t->looks % 2 == 0 ? "{\"vehicles\":[],\"as_of_seq\":6}"
                                                                : "{\"vehicles\":[],\"as_of_seq\":7}");
    } else if (bytes_equal_text(q->path, "/v1/events/live")) {
        t->streams++;
        assert_int_equal(http_sse_begin(t->http, q->handle).code, ERR_OK);
        (void)http_sse_send(
            t->http, q->handle, bytes_text("7.0"), bytes_text("ride_state"),
            bytes_text("{\"kind\":\"ride_state\",\"ride\":\"00000000-0000-4000-8000-000000000000\","
                       "\"ride_state\":\"riding\"}"));
    } else if (bytes_starts(q->path, "/v1/rides/00")) {
        uint64_t index;
        assert_int_equal(bytes_u64(bytes_of(q->path.at + 34, 12), 12, &index).code, ERR_OK);
        assert_true((int)index < t->ride_count);
        struct bytes tail = bytes_of(q->path.at + 46, q->path.len - 46);
        if (bytes_equal_text(tail, "/end")) {
            end_ride(t, q, (int)index);
        } else if (!tail.len) {
            look(t, q, (int)index);
        } else if (t->rides[index].state != SETTLED) {
            refuse(t, q, 409, "wrong_state");
        } else {
            char body[128];
            struct buf b = buf_on(body, sizeof body - 1);
            buf_put_text(&b, "{\"ride_id\":\"");
            put_id(&b, (int)index);
            buf_put_text(&b, t->drifting_price ? "\",\"total_minor\":1251}" : "\",\"total_minor\":1250}");
            body[b.len] = 0;
            answer(t, q, 200, body);
        }
    } else if (q->verb == HTTP_VERB_PUT) {
        t->puts++;
        if (strlen(t->bodies) + q->body.len + 2 < sizeof t->bodies) {
            strncat(t->bodies, (const char *)q->body.at, q->body.len);
            strcat(t->bodies, "\n");
        }
        answer(t, q, 200, "{\"id\":\"00000000-0000-4000-8000-000000000001\"}");
    } else if (bytes_equal_text(phone_find(q->body, "event"), "provider_drop_off")) {
        t->drop_offs++;
        t->same_keys += bytes_equal_text(http_header_of(q, "idempotency-key"), t->busy_key);
        answer(t, q, 200, "{\"vehicle\":{\"code\":\"SE-0001\",\"state\":\"available\"}}");
    } else if (phone_find(q->body, "op").len) {
        t->orders++;
        answer(t, q, 202,
               "{\"command\":{\"id\":\"00000000-0000-4000-8000-000000000009\",\"state\":\"queued\"}}");
    } else {
        answer(t, q, 200, "{\"vehicle\":{\"state\":\"removed\"}}");
    }
}

static bool pick(void *ctx, struct sim_rider *rider, struct text16 *code)
{
    (void)ctx;
    (void)rider;
    return text_set(code, bytes_text("SE-0001")).code == ERR_OK;
}

static void on_ride(void *ctx, struct sim_rider *r, struct bytes code)
{
    (void)r;
    assert_true(bytes_equal_text(code, "SE-0001"));
    ((struct town *)ctx)->rode++;
}

static void on_stop(void *ctx, struct sim_rider *r, struct bytes code)
{
    (void)r;
    (void)code;
    ((struct town *)ctx)->stopped++;
}

static bool close_lock(void *ctx, struct sim_rider *r, struct bytes code)
{
    (void)r;
    (void)code;
    ((struct town *)ctx)->closed++;
    return true;
}

static void on_connect(void *ctx, struct bytes name)
{
    network_name_link(((struct town *)ctx)->client, name);
}
static void run_s(struct town *t, int64_t s)
{
    network_run(t->network, network_now_us(t->network) + s * SECOND_US);
}

static struct town *town_create(void)
{
    struct town *t = calloc(1, sizeof *t);
    struct loop_config config = {.conn_max = 64};
    must(t);
    t->network = network_create(3, 5 * SECOND_US);
    t->server = network_loop_create(t->network, "server", &config);
    t->client = network_loop_create(t->network, "client", &config);
    struct http_server_config http = {.address = bytes_text("127.0.0.1:8080"),
                                      .loop_conn_max = 64,
                                      .limits = {.reply_ms = 120000},
                                      .events = {.ctx = t, .on_request = on_request}};
    assert_int_equal(http_server_create(t->server, &http, &t->http).code, ERR_OK);
    assert_int_equal(http_server_address(t->http, &t->address).code, ERR_OK);
    struct crowd_config crowd = {
        .loop = t->client, .seed = 3, .start_ms = START_MS, .ctx = t, .on_connect = on_connect};
    assert_int_equal(crowd_create(&crowd, &t->crowd).code, ERR_OK);
    return t;
}

static void town_destroy(struct town *t)
{
    crowd_destroy(t->crowd);
    http_server_destroy(t->http);
    loop_destroy(t->client);
    loop_destroy(t->server);
    network_destroy(t->network);
    free(t);
}

static struct sim_rider *add_rider(struct town *t)
{
    struct sim_rider_config config = {
        .name = bytes_text("anna"),
        .token = bytes_text("tok"),
        .address = text_bytes(&t->address),
        .habit_ppm = t->ppm,
        .habit_count = t->count,
        .think_s = 10,
        .ride_s = 120,
        .ctx = t,
        .pick = pick,
        .on_ride = on_ride,
        .on_stop = on_stop,
        .close_lock = close_lock,
    };
    struct sim_rider *r;
    assert_int_equal(sim_rider_create(t->crowd, &config, &r).code, ERR_OK);
    return r;
}

static int logged(const struct sim_rider *r, enum sim_rider_saw saw, struct sim_rider_log *last)
{
    const struct sim_rider_log *log;
    int count = 0;
    for (uint32_t i = 0, n = sim_rider_log_of(r, &log); i < n; i++) {
        if (log[i].saw != saw) continue;
        count++;
        if (last) *last = log[i];
    }
    return count;
}

static void finish(struct town *t, struct sim_rider *r)
{
    sim_rider_finish(r);
    for (int i = 0; i < 100 && !sim_rider_is_idle(r); i++) run_s(t, 60);
    assert_true(sim_rider_is_idle(r));
    assert_int_equal(open_ride(t), -1);
    assert_null(sim_rider_broken(r));
}

static void test_a_good_rider_rides_pays_and_notes_it(void **s)
{
    (void)s;
    struct town *t = town_create();
    struct sim_rider *r = add_rider(t);
    struct sim_rider_log entry;
    run_s(t, 60);
    assert_int_equal(sim_rider_state_of(r), SIM_RIDER_RIDING);
    assert_int_equal(logged(r, SIM_SAW_START, &entry), 1);
    assert_string_equal(entry.ride, "00000000-0000-4000-8000-000000000000");
    assert_string_equal(entry.state, "unlocking");
    assert_int_equal(entry.status, 202);
    run_s(t, 200);
    assert_true(logged(r, SIM_SAW_RECEIPT, &entry) >= 1);
    assert_int_equal(entry.charge_minor, 1250);
    assert_true(t->rode >= 1 && t->stopped >= 1 && t->closed >= 1);
    finish(t, r);
    assert_int_equal(sim_rider_counters_of(r)->charged_minor,
                     1250 * (int64_t)sim_rider_counters_of(r)->settled);
    sim_rider_destroy(r);
    town_destroy(t);
}

static void test_a_lost_reply_is_asked_for_under_the_same_key(void **s)
{
    (void)s;
    struct town *t = town_create();
    struct sim_rider *r = add_rider(t);
    t->lose = 2;
    run_s(t, 130);
    assert_int_equal(t->ride_count, 1);
    assert_int_equal(t->posts, 3);
    assert_int_equal(logged(r, SIM_SAW_NOTHING, NULL), 2);
    assert_int_equal(sim_rider_counters_of(r)->started, 1);
    finish(t, r);
    sim_rider_destroy(r);
    town_destroy(t);
}

static void test_refusals_and_busy_servers_are_borne(void **s)
{
    (void)s;
    struct town *t = town_create();
    struct sim_rider *r = add_rider(t);
    struct sim_rider_log entry;
    t->taken = true;
    run_s(t, 60);
    assert_true(logged(r, SIM_SAW_REFUSED, &entry) >= 2);
    assert_string_equal(entry.code, "vehicle_not_available");
    t->taken = false;
    t->busy = 5;
    t->fail_rides = 1;
    t->refuse_ends = 2;
    run_s(t, 600);
    assert_true(sim_rider_counters_of(r)->failed == 1 && sim_rider_counters_of(r)->settled >= 1);
    finish(t, r);
    sim_rider_destroy(r);
    town_destroy(t);
}

static void test_every_habit_is_lived_and_nothing_is_left_open(void **s)
{
    (void)s;
    struct town *t = town_create();
    struct sim_rider *r = add_rider(t);
    struct network_faults slow = {.up = {.latency_us = 100000},
                                  .down = {.latency_us = 100000, .jitter_us = 400000}};
    network_set_faults(t->network, 8080, &slow);
    for (int i = 0; i < SIM_RIDER_HABIT_N; i++) t->ppm[i] = 150000;
    for (int hour = 0; hour < 24; hour++) {
        run_s(t, 3600);
        t->busy = hour % 3;
    }
    for (int i = 0; i < SIM_RIDER_HABIT_N; i++) {
        if (!t->count[i]) fail_msg("never happened: %s", sim_rider_habit_text(i));
    }
    assert_true(t->bodies_refused > 0 && t->streams > 0 && sim_rider_counters_of(r)->events > 0);
    assert_true(sim_rider_counters_of(r)->cancelled > 0 && sim_rider_counters_of(r)->settled > 10);
    finish(t, r);
    sim_rider_destroy(r);
    town_destroy(t);
}

static void test_a_server_that_contradicts_itself_is_found_out(void **s)
{
    (void)s;
    for (int bug = 0; bug < 4; bug++) {
        struct town *t = town_create();
        struct sim_rider *r = add_rider(t);
        t->ppm[SIM_RIDER_DOUBLE_TAP] = 1000000;
        t->ppm[SIM_RIDER_LOOK] = bug == 2 ? 1000000 : 0;
        *(bug == 0 ? &t->forgets_keys : bug == 1 ? &t->loses_rides : bug == 2 ? &t->forgets_facts : &t->drifting_price) = true;
        run_s(t, 600);
        assert_non_null(sim_rider_broken(r));
        sim_rider_destroy(r);
        town_destroy(t);
    }
}

static struct sim_staff *add_staff(struct town *t, uint32_t act_s)
{
    struct sim_staff_config config = {.name = bytes_text("kim"),
                                      .token = bytes_text("tok"),
                                      .address = text_bytes(&t->address),
                                      .town = &sim_town_plain,
                                      .set_up = true,
                                      .act_s = act_s,
                                      .event_pct = 40,
                                      .order_pct = 40};
    struct sim_staff *k;
    assert_int_equal(sim_staff_create(t->crowd, &config, &k).code, ERR_OK);
    return k;
}

static void test_staff_declare_a_town_through_a_busy_server(void **s)
{
    (void)s;
    struct town *t = town_create();
    struct sim_staff *k = add_staff(t, 0);
    t->busy = 4;
    t->busy_from = 8; /* the first drop-off */
    run_s(t, 60);
    assert_int_equal(t->same_keys, 1);
    assert_true(sim_staff_is_ready(k) && sim_staff_is_idle(k));
    assert_null(sim_staff_broken(k));
    assert_int_equal(t->puts, 7 + 5);
    assert_int_equal(t->drop_offs, 5);
    assert_non_null(strstr(t->bodies, "\"device\":\"490154203237004\"}"));
    sim_staff_destroy(k);
    town_destroy(t);
}

static void test_staff_at_work_mark_order_and_look(void **s)
{
    (void)s;
    struct town *t = town_create();
    struct sim_staff *k = add_staff(t, 20);
    const struct sim_staff_log *log;
    int did[5] = {0};
    run_s(t, 7200);
    for (uint32_t i = 0, n = sim_staff_log_of(k, &log); i < n; i++) did[log[i].did]++;
    assert_true(did[SIM_DID_EVENT] > 20 && did[SIM_DID_ORDER] > 20 && did[SIM_DID_LOOK] > 10);
    assert_true(t->orders > 20);
    sim_staff_finish(k);
    run_s(t, 200);
    assert_true(sim_staff_is_idle(k));
    sim_staff_destroy(k);
    town_destroy(t);
}

static void test_json_members_are_found_whatever_stands_around_them(void **s)
{
    (void)s;
    struct bytes json = bytes_text("{\"a\":\"b\\\"id\\\":1\",\"list\":[1,{\"id\":\"x\"}],\"n\":-12,\"z\":"
                                   "null, \"o\" : {\"p\":[\"]\"]}}");
    int64_t n;
    assert_true(bytes_equal_text(phone_find(json, "id"), "x"));
    assert_true(bytes_equal_text(phone_find(json, "list"), "[1,{\"id\":\"x\"}]"));
    assert_true(bytes_equal_text(phone_find(json, "o"), "{\"p\":[\"]\"]}"));
    assert_true(phone_find_number(json, "n", &n) && n == -12);
    assert_true(bytes_equal_text(phone_find(bytes_text("{\"a\":\"\\\"\",\"id\":\"y\"}"), "id"), "y"));
    assert_int_equal(phone_find(json, "z").len, 0);
    assert_int_equal(phone_find(json, "b").len, 0);
    /* Cut anywhere, it is read to its end and not beyond. */
    for (size_t len = 0; len < json.len; len++) {
        uint8_t *copy = malloc(len + 1);
        must(copy);
        memcpy(copy, json.at, len);
        (void)phone_find(bytes_of(copy, len), "p");
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_rider_rides_pays_and_notes_it),
        cmocka_unit_test(test_a_lost_reply_is_asked_for_under_the_same_key),
        cmocka_unit_test(test_refusals_and_busy_servers_are_borne),
        cmocka_unit_test(test_every_habit_is_lived_and_nothing_is_left_open),
        cmocka_unit_test(test_a_server_that_contradicts_itself_is_found_out),
        cmocka_unit_test(test_staff_declare_a_town_through_a_busy_server),
        cmocka_unit_test(test_staff_at_work_mark_order_and_look),
        cmocka_unit_test(test_json_members_are_found_whatever_stands_around_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
