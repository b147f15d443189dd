/* SPDX-License-Identifier: Apache-2.0 */
/* rider.c: see rider.h: what the rider does next. What the phone saw is judged in rider_see.c. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim/rider_inside.h"

enum {
    THINK_S = 60, RIDE_S = 600, REPLY_MS = 40000,
    TRIES_MAX = 8,        /* of one start, before the rider looks whether there is a ride */
    POLL_MS = 1500, RIDE_POLL_MS = 30000, BACKOFF_MAX_MS = 30000,
    ABANDON_S = 7200, LOCK_ONLY_S = 600,
    /* A request of ours may still be on its way when the first look finds nothing. */
    CHECKS_MAX = 2, CHECK_GAP_MS = 45000
};

static void on_timer(void *owner);
static void on_tunnel(void *owner);
static void on_reply(void *owner, struct phone *phone, int status, struct bytes body);
static void on_event(void *owner, struct bytes event, struct bytes data);
static void begin_wish(struct sim_rider *r);
static void ask_start(struct sim_rider *r);
static void ask_about(struct sim_rider *r, struct phone *phone, enum rider_ask ask);
static void ask_end(struct sim_rider *r);
static void begin_end(struct sim_rider *r);
static void begin_riding(struct sim_rider *r);
static void proceed(struct sim_rider *r, struct bytes state);
static void try_again(struct sim_rider *r, bool nothing_came);
static void end_refused(struct sim_rider *r);
static void leave_vehicle(struct sim_rider *r);
static void over(struct sim_rider *r);
static void lend_ear(struct sim_rider *r);
static void look_near(struct sim_rider *r);

const char *sim_rider_habit_text(enum sim_rider_habit habit)
{
    static const char *const texts[SIM_RIDER_HABIT_N] = {
#define X(name, text) [SIM_RIDER_##name] = text,
        SIM_RIDER_HABIT_LIST(X)
#undef X
    };
    return (unsigned)habit < SIM_RIDER_HABIT_N ? texts[habit] : "unknown";
}

const char *sim_rider_state_label(enum sim_rider_state state)
{
    static const char *const labels[SIM_RIDER_STATE_N] = {"thinking", "asking", "waiting",
                                                          "riding",   "ending", "paying"};
    return (unsigned)state < SIM_RIDER_STATE_N ? labels[state] : "unknown";
}

static bool habit(struct sim_rider *r, enum sim_rider_habit h)
{
    uint32_t ppm = r->config.habit_ppm && !r->finishing ? r->config.habit_ppm[h] : 0;

    if (!prng_chance(&r->prng, ppm)) return false;
    if (r->config.habit_count) r->config.habit_count[h]++;
    return true;
}

static void later(struct sim_rider *r, int64_t in_ms)
{
    crowd_set_timer(r->crowd, &r->timer, crowd_now_us(r->crowd) + in_ms * 1000);
}

static int64_t about_ms(struct sim_rider *r, int64_t mean_ms)
{
    return prng_between(&r->prng, mean_ms / 2, mean_ms + mean_ms / 2);
}

struct err sim_rider_create(struct crowd *crowd, const struct sim_rider_config *config,
                            struct sim_rider **out)
{
    struct sim_rider *r = calloc(1, sizeof *r);
    static const char *const tails[] = {"", "/2", "/live"};
    struct phone *phones[3];

    if (!r) return ERR(IO, "rider: no memory");
    phones[0] = &r->phone;
    phones[1] = &r->second;
    phones[2] = &r->live;
    r->crowd = crowd;
    r->config = *config;
    text_clip(&r->name, config->name);
    r->config.name = text_bytes(&r->name);
    if (!r->config.think_s) r->config.think_s = THINK_S;
    if (!r->config.ride_s) r->config.ride_s = RIDE_S;
    if (!r->config.reply_ms) r->config.reply_ms = REPLY_MS;
    r->prng = crowd_stream(crowd, "rider", config->name);
    r->timer = (struct crowd_timer){.fn = on_timer, .owner = r};
    r->tunnel = (struct crowd_timer){.fn = on_tunnel, .owner = r};
    r->over_charge = r->receipt_total = -1;
    struct err e = NO_ERR;
    for (int i = 0; i < 3 && !e.code; i++) {
        char text[64];
        struct buf b = buf_on(text, sizeof text);
        buf_put_bytes(&b, config->name);
        buf_put_text(&b, tails[i]);
        phones[i]->owner = r;
        phones[i]->on_reply = on_reply;
        phones[i]->on_event = on_event;
        e = phone_open(phones[i], crowd, buf_bytes(&b), config->token, config->address, r->config.reply_ms);
    }
    if (e.code) {
        sim_rider_destroy(r);
        return e;
    }
    later(r, r->config.first_s ? prng_between(&r->prng, 1, r->config.first_s * 1000ll)
                               : about_ms(r, r->config.think_s * 1000ll));
    *out = r;
    return NO_ERR;
}

void sim_rider_destroy(struct sim_rider *r)
{
    if (!r) return;
    crowd_clear_timer(r->crowd, &r->timer);
    crowd_clear_timer(r->crowd, &r->tunnel);
    phone_close(&r->phone);
    phone_close(&r->second);
    phone_close(&r->live);
    free(r->log);
    free(r);
}

void sim_rider_finish(struct sim_rider *r)
{
    if (r->finishing) return;
    r->finishing = true;
    phone_hang_up(&r->live);
    if (!phone_is_busy(&r->phone)) later(r, 1);
}

bool sim_rider_is_idle(const struct sim_rider *r)
{
    return r->finishing && r->state == SIM_RIDER_THINKING && r->checks >= CHECKS_MAX &&
           !phone_is_busy(&r->phone) && !phone_is_busy(&r->second);
}

enum sim_rider_state sim_rider_state_of(const struct sim_rider *r) { return r->state; }
struct bytes sim_rider_name(const struct sim_rider *r) { return text_bytes(&r->name); }
const char *sim_rider_broken(const struct sim_rider *r) { return r->broken; }
const struct sim_rider_counters *sim_rider_counters_of(const struct sim_rider *r) { return &r->counters; }

uint32_t sim_rider_log_of(const struct sim_rider *r, const struct sim_rider_log **at)
{
    *at = r->log;
    return r->log_count;
}

static void on_timer(void *owner)
{
    struct sim_rider *r = owner;
    bool patient = !r->finishing && crowd_now_us(r->crowd) < r->ride_until_us;

    if (phone_is_busy(&r->phone)) return; /* the reply goes on from here */
    switch (r->state) {
    case SIM_RIDER_THINKING:
        if (!r->finishing) begin_wish(r);
        else if (r->checks < CHECKS_MAX) ask_about(r, &r->phone, ASK_CURRENT);
        break;
    case SIM_RIDER_ASKING:
        if (r->lost) ask_about(r, &r->phone, ASK_CURRENT);
        else ask_start(r);
        break;
    case SIM_RIDER_WAITING:
        if (r->will_cancel || r->finishing) begin_end(r);
        else ask_about(r, &r->phone, ASK_RIDE);
        break;
    case SIM_RIDER_RIDING:
        if (patient) ask_about(r, &r->phone, ASK_RIDE);
        else begin_end(r);
        break;
    case SIM_RIDER_ENDING:
        if (r->need_end) ask_end(r);
        else ask_about(r, &r->phone, ASK_RIDE);
        break;
    case SIM_RIDER_PAYING: ask_about(r, &r->phone, ASK_RECEIPT); break;
    case SIM_RIDER_STATE_N: break;
    }
}

static void on_tunnel(void *owner)
{
    struct sim_rider *r = owner;

    if (!phone_is_busy(&r->phone)) return;
    phone_hang_up(&r->phone);
    r->counters.lost++;
    try_again(r, true);
}

/* ---- asking ---- */

static void begin_wish(struct sim_rider *r)
{
    struct buf b = buf_on(r->start_body, sizeof r->start_body - 1);

    if (!r->config.pick(r->config.ctx, r, &r->code)) {
        later(r, about_ms(r, r->config.think_s * 1000ll));
        return;
    }
    if (habit(r, SIM_RIDER_WRONG_CODE) && r->code.len) r->code.at[r->code.len - 1] ^= 1;
    memset(r->start_body, 0, sizeof r->start_body);
    buf_put_text(&b, "{\"vehicle_code\":\"");
    buf_put_bytes(&b, text_bytes(&r->code));
    buf_put_text(&b, "\"}");
    r->ride[0] = r->over_state[0] = 0;
    r->over_charge = r->receipt_total = -1;
    r->tries = r->refusals = 0;
    r->lost = r->ended_once = r->abandoned = r->need_end = false;
    r->will_cancel = habit(r, SIM_RIDER_CANCEL);
    r->curious = habit(r, SIM_RIDER_CURIOUS);
    r->key = r->start_key = prng_next(&r->prng) | 1;
    r->tapped_us = crowd_now_us(r->crowd);
    r->state = SIM_RIDER_ASKING;
    if (habit(r, SIM_RIDER_LISTEN)) lend_ear(r);
    if (habit(r, SIM_RIDER_LOOK) && !phone_is_busy(&r->second)) look_near(r);
    ask_start(r);
}

static void sent(struct sim_rider *r, bool ok)
{
    if (!ok) {
        try_again(r, false);
        return;
    }
    r->counters.requests++;
    if (!habit(r, SIM_RIDER_LOSE_REPLY)) return;
    /* From a millisecond to eight seconds, each doubling as likely: before the request arrives, before the
     * reply, never. */
    int64_t in_us = prng_between(&r->prng, 500, 1000) << prng_between(&r->prng, 0, 13);
    crowd_set_timer(r->crowd, &r->tunnel, crowd_now_us(r->crowd) + in_us);
}

static void ask_start(struct sim_rider *r)
{
    const char *target = habit(r, SIM_RIDER_WAIT) ? "/v1/rides?wait=20" : "/v1/rides";
    bool twice = habit(r, SIM_RIDER_DOUBLE_TAP), other = habit(r, SIM_RIDER_OTHER_KEY);

    if ((twice || other) && !phone_is_busy(&r->second)) {
        uint64_t key = twice ? r->key : prng_next(&r->prng) | 1;
        if (phone_send(&r->second, ASK_START, "POST", target, r->start_body, key)) r->counters.requests++;
    }
    sent(r, phone_send(&r->phone, ASK_START, "POST", target, r->start_body, r->key));
}

static void ask_about(struct sim_rider *r, struct phone *phone, enum rider_ask ask)
{
    char target[PHONE_TARGET_MAX];
    struct buf b = buf_on(target, sizeof target - 1);

    buf_put_text(&b, "/v1/rides/");
    buf_put_text(&b, ask == ASK_CURRENT ? "current" : r->ride);
    if (ask == ASK_RECEIPT) buf_put_text(&b, "/receipt");
    target[b.len] = 0;
    bool ok = phone_send(phone, ask, "GET", target, NULL, 0);
    if (phone == &r->phone) sent(r, ok);
}

static void ask_end(struct sim_rider *r)
{
    char target[PHONE_TARGET_MAX];
    struct buf b = buf_on(target, sizeof target - 1);

    buf_put_text(&b, "/v1/rides/");
    buf_put_text(&b, r->ride);
    buf_put_text(&b, habit(r, SIM_RIDER_WAIT) ? "/end?wait=20" : "/end");
    target[b.len] = 0;
    if (habit(r, SIM_RIDER_DOUBLE_TAP) && !phone_is_busy(&r->second)) {
        if (phone_send(&r->second, ASK_END, "POST", target, "{}", r->key)) r->counters.requests++;
    }
    sent(r, phone_send(&r->phone, ASK_END, "POST", target, "{}", r->key));
}

static void look_near(struct sim_rider *r)
{
    static const char target[] = "/v1/near?lat=57.7089&lon=11.9746&radius_m=5000&limit=100";
    if (phone_send(&r->second, ASK_NEAR, "GET", target, NULL, 0)) r->counters.requests++;
}

static void lend_ear(struct sim_rider *r)
{
    if (!phone_is_busy(&r->live)) (void)!phone_listen(&r->live, ASK_LIVE, "/v1/events/live");
}

/* ---- answers ---- */

static void answer_start(struct sim_rider *r, const struct ride_seen *seen, int status)
{
    if (seen->any) {
        proceed(r, seen->state);
    } else if (bytes_equal_text(seen->code, "idempotency_in_flight")) {
        try_again(r, false);
    } else if (bytes_equal_text(seen->code, "rider_has_ride")) {
        r->lost = true;
        later(r, POLL_MS);
    } else {
        must(status);
        r->counters.refused++;
        over(r);
    }
}

static void answer_current(struct sim_rider *r, const struct ride_seen *seen)
{
    if (seen->any) {
        r->lost = false;
        r->checks = 0;
        proceed(r, seen->state);
        return;
    }
    if (r->finishing && ++r->checks < CHECKS_MAX) {
        r->state = SIM_RIDER_THINKING;
        later(r, CHECK_GAP_MS);
    } else if (r->state != SIM_RIDER_THINKING) {
        r->counters.given_up++;
        over(r);
    }
}

static void answer_receipt(struct sim_rider *r, const struct ride_seen *seen, int status)
{
    if (status == 200) {
        r->counters.settled++;
        if (seen->charge > 0) r->counters.charged_minor += seen->charge;
        over(r);
    } else if (status == 404) {
        rider_see_broken(r, "the receipt of a settled ride is gone");
        over(r);
    } else {
        if (r->over_state[0]) rider_see_broken(r, "a settled ride has no receipt");
        later(r, POLL_MS);
    }
}

/* Over which connection the first word of a ride came does not matter: the rider has one. */
static void adopt(struct sim_rider *r, const struct ride_seen *seen)
{
    if (r->ride[0] || !seen->any || seen->id.len != RIDE_ID_LEN) return;
    phone_copy(r->ride, sizeof r->ride, seen->id);
    r->over_state[0] = 0;
    r->over_charge = r->receipt_total = -1;
    r->counters.started++;
}

static void on_reply(void *owner, struct phone *phone, int status, struct bytes body)
{
    struct sim_rider *r = owner;
    bool busy_server = status == 429 || status >= 500;

    if (phone == &r->live) return;
    *(status ? &r->counters.replies : &r->counters.lost) += 1;
    if (phone->ask == ASK_DAMAGE) return; /* said once, and nothing hangs on it */
    if (phone->ask == ASK_NEAR) {
        rider_see_near(r, status, body);
        return;
    }
    struct ride_seen seen = rider_see(r, phone, status, body);
    if (phone->ask == ASK_OTHER_BODY && status / 100 == 2)
        rider_see_broken(r, "an old key was taken with another body");
    if (phone != &r->phone) {
        if (phone->ask == ASK_START && r->state == SIM_RIDER_ASKING) adopt(r, &seen);
        return;
    }
    crowd_clear_timer(r->crowd, &r->tunnel);
    if (phone->ask == ASK_START || phone->ask == ASK_CURRENT) adopt(r, &seen);
    /* Another key won: what counts is the ride that we know. */
    bool about_other =
        seen.any && seen.id.len == RIDE_ID_LEN && memcmp(seen.id.at, r->ride, RIDE_ID_LEN) != 0;
    if (!status || busy_server) {
        try_again(r, !status);
        return;
    }
    r->tries = 0;
    if (about_other) {
        r->state = SIM_RIDER_WAITING;
        later(r, POLL_MS);
        return;
    }
    switch ((enum rider_ask)phone->ask) {
    case ASK_START: answer_start(r, &seen, status); break;
    case ASK_CURRENT: answer_current(r, &seen); break;
    case ASK_RECEIPT: answer_receipt(r, &seen, status); break;
    case ASK_RIDE:
    case ASK_END:
        if (status == 404) {
            rider_see_broken(r, "an acknowledged ride is gone");
            over(r);
            break;
        }
        if (phone->ask == ASK_END && !bytes_equal_text(seen.code, "idempotency_in_flight")) {
            r->need_end = false;
            r->ended_once = true;
        }
        if (seen.any) proceed(r, seen.state);
        else later(r, POLL_MS);
        break;
    case ASK_OTHER_BODY:
    case ASK_DAMAGE:
    case ASK_NEAR:
    case ASK_LIVE: break;
    }
}

static void on_event(void *owner, struct bytes event, struct bytes data)
{
    struct sim_rider *r = owner;

    (void)event;
    r->counters.events++;
    rider_see_event(r, data);
    /* The word is only a hint to look: what the rider acts on is asked for. */
    if (r->ride[0] && !phone_is_busy(&r->phone) && r->state != SIM_RIDER_RIDING) later(r, 1);
}

/* ---- what a ride's state means for the rider ---- */

static void proceed(struct sim_rider *r, struct bytes state)
{
    if (bytes_equal_text(state, "riding") || bytes_equal_text(state, "paused")) {
        if (r->state == SIM_RIDER_ENDING && r->ended_once) end_refused(r);
        else if (r->state == SIM_RIDER_ENDING) later(r, 1);
        else if (r->state != SIM_RIDER_RIDING) begin_riding(r);
        else later(r, about_ms(r, r->abandoned ? 10 * RIDE_POLL_MS : RIDE_POLL_MS));
    } else if (bytes_equal_text(state, "ending") || bytes_equal_text(state, "ended")) {
        leave_vehicle(r);
        r->state = SIM_RIDER_ENDING;
        r->need_end = false;
        r->ended_once = true;
        if (r->curious && !phone_is_busy(&r->second)) ask_about(r, &r->second, ASK_RECEIPT);
        r->curious = false;
        later(r, POLL_MS);
    } else if (bytes_equal_text(state, "settled")) {
        leave_vehicle(r);
        r->state = SIM_RIDER_PAYING;
        later(r, 1);
    } else if (bytes_equal_text(state, "failed") || bytes_equal_text(state, "cancelled")) {
        *(bytes_equal_text(state, "failed") ? &r->counters.failed : &r->counters.cancelled) += 1;
        over(r);
    } else {
        if (r->state == SIM_RIDER_ASKING || r->state == SIM_RIDER_THINKING) {
            r->state = SIM_RIDER_WAITING;
            if (habit(r, SIM_RIDER_KEY_ABUSED) && !phone_is_busy(&r->second) && r->start_key == r->key)
                (void)!phone_send(&r->second, ASK_OTHER_BODY, "POST", "/v1/rides",
                                  "{\"vehicle_code\":\"SE-0000\"}", r->key);
            else if (r->curious && !phone_is_busy(&r->second)) ask_about(r, &r->second, ASK_CURRENT);
        }
        later(r, r->will_cancel ? prng_between(&r->prng, 1, 1500) : POLL_MS);
    }
}

static void begin_riding(struct sim_rider *r)
{
    int64_t now_us = crowd_now_us(r->crowd), took_ms = (now_us - r->tapped_us) / 1000;

    r->state = SIM_RIDER_RIDING;
    r->counters.riding++;
    r->counters.unlock_ms_sum += took_ms;
    if (took_ms > r->counters.unlock_ms_max) r->counters.unlock_ms_max = took_ms;
    int64_t for_ms = r->config.ride_for ? r->config.ride_for(r->config.ctx, r) * 1000ll
                                        : about_ms(r, r->config.ride_s * 1000ll);
    r->ride_until_us = now_us + for_ms * 1000;
    r->rolling = r->near = true;
    if (r->config.on_ride) r->config.on_ride(r->config.ctx, r, text_bytes(&r->code));
    int64_t poll_ms = about_ms(r, RIDE_POLL_MS), ride_ms = (r->ride_until_us - now_us) / 1000;
    later(r, ride_ms < poll_ms ? ride_ms : poll_ms);
}

static void stop(struct sim_rider *r)
{
    if (r->rolling && r->config.on_stop) r->config.on_stop(r->config.ctx, r, text_bytes(&r->code));
    r->rolling = false;
}

static bool close_lock(struct sim_rider *r)
{
    return r->config.close_lock && r->config.close_lock(r->config.ctx, r, text_bytes(&r->code));
}

static void leave_vehicle(struct sim_rider *r)
{
    if (!r->rolling) return;
    stop(r);
    close_lock(r);
}

static void begin_end(struct sim_rider *r)
{
    int64_t now_us = crowd_now_us(r->crowd);
    bool riding = r->state == SIM_RIDER_RIDING;

    if (riding && !r->abandoned) {
        r->abandoned = true; /* one of these a ride; afterwards they end it like anybody */
        if (habit(r, SIM_RIDER_ABANDON)) {
            stop(r);
            r->ride_until_us = now_us + ABANDON_S * 1000000ll;
            later(r, about_ms(r, RIDE_POLL_MS));
            return;
        }
        if (habit(r, SIM_RIDER_LOCK_ONLY)) {
            stop(r);
            if (close_lock(r)) {
                r->ride_until_us = now_us + LOCK_ONLY_S * 1000000ll;
                later(r, about_ms(r, RIDE_POLL_MS));
                return;
            }
        }
    }
    if (riding && !habit(r, SIM_RIDER_FORGET_STOP)) {
        stop(r);
        if (!habit(r, SIM_RIDER_FORGET_LOCK)) close_lock(r);
    }
    r->state = SIM_RIDER_ENDING;
    r->will_cancel = r->ended_once = false;
    r->need_end = true;
    r->key = prng_next(&r->prng) | 1;
    ask_end(r);
}

/* Back to riding: it moved, or its lock is open. The rider does what is asked and tries again, ever more
 * slowly. */
static void end_refused(struct sim_rider *r)
{
    stop(r);
    close_lock(r);
    r->ended_once = false;
    r->need_end = true;
    r->key = prng_next(&r->prng) | 1;
    if (r->refusals < 6) r->refusals++;
    later(r, about_ms(r, 2000ll << r->refusals));
}

static void try_again(struct sim_rider *r, bool nothing_came)
{
    int64_t wait_ms = 500ll << (r->tries < 6 ? r->tries : 6);

    r->tries++;
    if (r->state == SIM_RIDER_ASKING && r->tries > TRIES_MAX) r->lost = true;
    if (nothing_came && r->state == SIM_RIDER_ASKING && habit(r, SIM_RIDER_NEW_KEY))
        r->key = prng_next(&r->prng) | 1;
    later(r, about_ms(r, wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS));
}

static void say_damage(struct sim_rider *r)
{
    char path[64];
    struct buf b = buf_on(path, sizeof path - 1);

    buf_put_text(&b, "/v1/vehicles/");
    buf_put_bytes(&b, text_bytes(&r->code));
    buf_put_text(&b, "/damage");
    path[b.len] = 0;
    (void)!phone_send(&r->second, ASK_DAMAGE, "POST", path, "{\"kind\":\"wheel\"}", prng_next(&r->prng) | 1);
}

static void over(struct sim_rider *r)
{
    if (r->near && !phone_is_busy(&r->second) && habit(r, SIM_RIDER_DAMAGED)) say_damage(r);
    leave_vehicle(r);
    if (r->near) close_lock(r); /* whoever passes by, where the rider forgot */
    r->near = false;
    if (r->config.on_over) r->config.on_over(r->config.ctx, r, text_bytes(&r->code));
    phone_hang_up(&r->live);
    r->ride[0] = 0;
    r->state = SIM_RIDER_THINKING;
    r->checks = 0;
    later(r, r->finishing ? 1 : about_ms(r, r->config.think_s * 1000ll));
}
