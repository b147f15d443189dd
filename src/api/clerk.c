/* SPDX-License-Identifier: Apache-2.0 */
/* clerk.c: see clerk.h. */
#include "api/clerk.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "api/staff.h"
#include "base/must.h"
#include "base/ring.h"

enum { LANE_BOOK, LANE_PASSWORD, LANE_N };

struct lane {
    struct clerk *clerk;
    struct auth *auth;
    struct people_nobody nobody;
    struct ring jobs, results;
    sem_t to_do;                 /* one up for each job, and for the end */
    pthread_t worker;
    bool started;
    uint32_t under_way, most;    /* the caller's: submitted and not yet released; a result always finds room */
    void *memory;
};

struct clerk {
    struct clerk_options options;
    struct auth_options contacts;
    struct lane lanes[LANE_N];
    unsigned shown;              /* lane of the result that clerk_next gave */
    _Atomic bool stopping;
};

static void *work(void *ctx);

/* ---- jobs ---- */

static struct err sign_out_all(struct auth *a, const struct clerk_job *job)
{
    auth_changed(a);
    return contacts_revoke_account(auth_contacts(a), job->account, job->now_ms);
}

static struct err sign_out(struct auth *a, const struct clerk_job *job)
{
    auth_changed(a);
    return contacts_token_revoke_hash(auth_contacts(a), job->token_hash, job->now_ms);
}

static struct err erase(struct auth *a, const struct clerk_job *job)
{
    auth_changed(a);
    return contacts_erase(auth_contacts(a), job->account);
}

static struct err staff_put(struct lane *lane, const struct clerk_job *job, struct clerk_result *out)
{
    struct people_staff staff = {.name = text_bytes(&job->name), .role = job->role,
                                 .scope = job->everywhere ? NULL : &job->scope,
                                 .password = bytes_of(job->password.at, job->password.len)};
    TRY(people_staff_put(lane->auth, &staff, lane->clerk->options.cost, job->now_ms, &out->account));
    return staff_one(auth_contacts(lane->auth), staff.name, &out->body, &out->body_len);
}

static struct err missing_is_empty(struct err e)
{
    return e.code == ERR_NOT_FOUND ? NO_ERR : e;
}

static struct err do_kind(struct lane *lane, const struct clerk_job *job, struct clerk_result *out)
{
    struct contacts *contacts = auth_contacts(lane->auth);
    switch ((enum clerk_kind)job->kind) {
    case CLERK_RIDER_SIGN_IN:
        return people_rider_sign_in(lane->auth, text_bytes(&job->phone), &job->phone_hash, job->now_ms, job->good_for_ms,
                                    &out->signed_in);
    case CLERK_SIGN_OUT: return sign_out(lane->auth, job);
    case CLERK_SIGN_OUT_ALL: return sign_out_all(lane->auth, job);
    case CLERK_WHO: return missing_is_empty(contacts_staff_of(contacts, job->account, &out->name));
    case CLERK_NUMBER:
        return missing_is_empty(contacts_number(contacts, job->account, job->by, job->now_ms, &out->number));
    case CLERK_ERASE: return erase(lane->auth, job);
    case CLERK_APP_PUT: return contacts_app_put(contacts, &job->app);
    case CLERK_STAFF_LIST:
        return staff_page(contacts, text_bytes(&job->name), job->limit, &out->body, &out->body_len);
    case CLERK_STAFF_ONE: return staff_one(contacts, text_bytes(&job->name), &out->body, &out->body_len);
    case CLERK_STAFF_SIGN_OUT: return people_staff_sign_out(lane->auth, text_bytes(&job->name), job->now_ms);
    case CLERK_STAFF_DROP: return people_staff_drop(lane->auth, text_bytes(&job->name), job->now_ms);
    case CLERK_STAFF_SIGN_IN:
        return people_staff_sign_in(lane->auth, text_bytes(&job->name), bytes_of(job->password.at, job->password.len),
                                    &lane->nobody, lane->clerk->options.cost, job->now_ms, job->good_for_ms,
                                    &out->signed_in);
    case CLERK_STAFF_PUT: return staff_put(lane, job, out);
    case CLERK_KIND_N: break;
    }
    must(!"a job of no kind");
    return NO_ERR;
}

static void do_job(struct lane *lane, const struct clerk_job *job, struct clerk_result *out)
{
    memset(out, 0, sizeof *out);
    out->ticket = job->ticket;
    out->kind = job->kind;
    out->name = job->name;
    out->address = job->address;
    out->account = job->account;
    out->err = do_kind(lane, job, out);
    if (out->err.code || !out->signed_in.role) return;
    struct buf b = buf_on(out->scope, sizeof out->scope);
    scope_put(&b, out->signed_in.scope);
    out->scope_len = (uint16_t)b.len;
    out->signed_in.scope = NULL;
}

/* ---- lanes ---- */

static struct err lane_open(struct clerk *c, struct lane *lane, uint32_t most)
{
    size_t need = ring_need(sizeof(struct clerk_job), most) + ring_need(sizeof(struct clerk_result), most);
    lane->clerk = c;
    lane->most = most;
    lane->memory = calloc(1, need);
    if (!lane->memory) return ERR(IO, "no memory");
    struct arena a = arena_on(lane->memory, need);
    ring_init(&lane->jobs, &a, sizeof(struct clerk_job), most);
    ring_init(&lane->results, &a, sizeof(struct clerk_result), most);
    TRY(people_nobody_init(&lane->nobody, c->options.cost));
    lane->auth = c->options.shared;
    if (lane->auth) return NO_ERR;
    TRY(auth_create(&c->contacts, &lane->auth));
    if (sem_init(&lane->to_do, 0, 0)) return ERR(IO, "the clerk's thread cannot be started");
    if (pthread_create(&lane->worker, NULL, work, lane)) {
        sem_destroy(&lane->to_do);
        return ERR(IO, "the clerk's thread cannot be started");
    }
    lane->started = true;
    return NO_ERR;
}

static void lane_close(struct lane *lane)
{
    if (lane->started) {
        sem_post(&lane->to_do);
        pthread_join(lane->worker, NULL);
        sem_destroy(&lane->to_do);
    }
    if (lane->auth && lane->auth != lane->clerk->options.shared) auth_destroy(lane->auth);
    for (struct clerk_result *r; lane->memory && (r = ring_peek(&lane->results)); ring_took(&lane->results)) free(r->body);
    if (lane->memory) secret_forget(lane->memory, ring_need(sizeof(struct clerk_job), lane->most));
    free(lane->memory);
}

struct err clerk_create(const struct clerk_options *options, struct clerk **out)
{
    static const uint32_t most[LANE_N] = {CLERK_BOOK_MAX, CLERK_PASSWORD_MAX};
    struct clerk *c = calloc(1, sizeof *c);
    struct err e = c ? NO_ERR : ERR(IO, "no memory");
    if (c) {
        c->options = *options;
        if (options->contacts) c->contacts = *options->contacts;
        c->contacts.cache_max = 16;
        if (!c->options.cost.passes) c->options.cost = SECRET_COST;
        atomic_init(&c->stopping, false);
    }
    for (unsigned i = 0; i < LANE_N && !e.code; i++) e = lane_open(c, &c->lanes[i], most[i]);
    if (e.code) {
        clerk_destroy(c);
        return e;
    }
    *out = c;
    return NO_ERR;
}

void clerk_destroy(struct clerk *c)
{
    if (!c) return;
    atomic_store(&c->stopping, true);
    for (unsigned i = 0; i < LANE_N; i++) {
        if (c->lanes[i].clerk) lane_close(&c->lanes[i]);
    }
    free(c);
}

/* Its result has room: no more jobs are under way than a ring holds. */
static void run_next(struct lane *lane, const struct clerk_job *job)
{
    struct clerk_result *r = ring_room(&lane->results);
    must(r);
    do_job(lane, job, r);
    ring_put(&lane->results);
}

struct err clerk_submit(struct clerk *c, const struct clerk_job *job)
{
    struct lane *lane = &c->lanes[job->kind >= CLERK_STAFF_SIGN_IN ? LANE_PASSWORD : LANE_BOOK];
    must(job->kind && job->kind < CLERK_KIND_N);
    if (lane->under_way == lane->most) return ERR(FULL, "too many are signing in at once; try again shortly");
    lane->under_way++;
    if (c->options.shared) {
        run_next(lane, job);
        return NO_ERR;
    }
    struct clerk_job *room = ring_room(&lane->jobs);
    must(room);
    *room = *job;
    ring_put(&lane->jobs);
    sem_post(&lane->to_do);
    return NO_ERR;
}

struct clerk_result *clerk_next(struct clerk *c)
{
    for (c->shown = 0; c->shown < LANE_N; c->shown++) {
        struct clerk_result *r = ring_peek(&c->lanes[c->shown].results);
        if (r) return r;
    }
    return NULL;
}

void clerk_release(struct clerk *c)
{
    must(c->shown < LANE_N);
    struct clerk_result *r = ring_peek(&c->lanes[c->shown].results);
    must(r);
    free(r->body);
    secret_forget(r, sizeof *r); /* it held a token, or a number */
    ring_took(&c->lanes[c->shown].results);
    c->lanes[c->shown].under_way--;
}

static void *work(void *ctx)
{
    struct lane *lane = ctx;
    struct clerk *c = lane->clerk;
    for (;;) {
        while (sem_wait(&lane->to_do)) continue; /* interrupted by a signal */
        if (atomic_load(&c->stopping)) return NULL;
        struct clerk_job *job = ring_peek(&lane->jobs);
        must(job);
        run_next(lane, job);
        secret_forget(&job->password, sizeof job->password);
        ring_took(&lane->jobs);
        if (c->options.wake) c->options.wake(c->options.wake_ctx);
    }
}
