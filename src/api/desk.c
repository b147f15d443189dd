/* SPDX-License-Identifier: Apache-2.0 */
/* desk.c: the rings and the thread of desk.h; what a job does stands in desk_jobs.c. */
#include "api/desk.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "api/desk_jobs.h"
#include "base/must.h"
#include "base/ring.h"

struct desk {
    struct desk_options options;
    struct desk_tables tables;     /* the worker's */
    struct ring jobs, results;
    sem_t to_do;                   /* one up for each job, and for the end */
    pthread_t worker;
    bool started;
    _Atomic bool stopping;
    uint32_t under_way;            /* the caller's: submitted and not yet released; a result always finds room */
    void *memory;
};

static void *work(void *ctx);

struct err desk_create(const struct desk_options *options, struct desk **out)
{
    struct desk *d = calloc(1, sizeof *d);
    size_t need = ring_need(sizeof(struct desk_job), DESK_JOBS) + ring_need(sizeof(struct desk_result), DESK_JOBS);
    must(options->inline_jobs || !options->shared);
    if (!d || !(d->memory = calloc(1, need))) {
        free(d);
        return ERR(IO, "no memory");
    }
    struct arena a = arena_on(d->memory, need);
    ring_init(&d->jobs, &a, sizeof(struct desk_job), DESK_JOBS);
    ring_init(&d->results, &a, sizeof(struct desk_result), DESK_JOBS);
    d->options = *options;
    desk_tables_init(&d->tables, options);
    atomic_init(&d->stopping, false);
    if (!options->inline_jobs) {
        int rc = sem_init(&d->to_do, 0, 0);
        if (!rc) rc = pthread_create(&d->worker, NULL, work, d);
        if (rc) {
            free(d->memory);
            free(d);
            return ERR(IO, "the desk's thread cannot be started");
        }
        d->started = true;
    }
    *out = d;
    return NO_ERR;
}

void desk_destroy(struct desk *d)
{
    if (!d) return;
    if (d->started) {
        atomic_store(&d->stopping, true);
        sem_post(&d->to_do);
        pthread_join(d->worker, NULL);
        sem_destroy(&d->to_do);
    }
    while (desk_next(d)) desk_release(d);
    desk_tables_fini(&d->tables);
    free(d->memory);
    free(d);
}

struct err desk_submit(struct desk *d, const struct desk_job *job)
{
    if (d->under_way == DESK_JOBS) return ERR(FULL, "too many reads under way");
    d->under_way++;
    if (d->options.inline_jobs) {
        struct desk_result *r = ring_room(&d->results);
        must(r);
        desk_do(&d->tables, job, r);
        ring_put(&d->results);
        return NO_ERR;
    }
    struct desk_job *room = ring_room(&d->jobs);
    must(room);
    *room = *job;
    ring_put(&d->jobs);
    sem_post(&d->to_do);
    return NO_ERR;
}

struct desk_result *desk_next(struct desk *d)
{
    return ring_peek(&d->results);
}

void desk_release(struct desk *d)
{
    struct desk_result *r = ring_peek(&d->results);
    must(r);
    free(r->body);
    r->body = NULL;
    ring_took(&d->results);
    if (d->under_way) d->under_way--; /* in desk_destroy jobs may be dropped */
}

static void *work(void *ctx)
{
    struct desk *d = ctx;
    for (;;) {
        while (sem_wait(&d->to_do)) continue; /* interrupted by a signal */
        if (atomic_load(&d->stopping)) return NULL;
        struct desk_job *job = ring_peek(&d->jobs);
        must(job);
        struct desk_result *r = ring_room(&d->results);
        must(r);
        desk_do(&d->tables, job, r);
        ring_took(&d->jobs);
        ring_put(&d->results);
        if (d->options.wake) d->options.wake(d->options.wake_ctx);
    }
}
