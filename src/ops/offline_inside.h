/* SPDX-License-Identifier: Apache-2.0 */
/* offline_inside.h: what check, replay and backup share: options, the directory, progress. Nobody else includes it. */
#ifndef OPS_OFFLINE_INSIDE_H
#define OPS_OFFLINE_INSIDE_H

#include <stdio.h>

#include "ops/offline.h"
#include "ops/settings.h"
#include "store/recover.h"

#define PROGRESS_AFTER_MS 2000 /* anything shorter needs none */
#define PROGRESS_EVERY_MS 1000

struct offline {
    const char *command;
    const char *data;         /* --data */
    struct settings settings; /* --config, --set: row limits decide what the engine answers when it is full */
    struct engine_limits limits;
    struct file_os os;
    struct file_system fs;
    struct data_dir dir;
    bool opened;
    int64_t began_ms, told_ms;
};

/* As set by offline_set_build(). */
extern uint64_t offline_build;
extern const char *offline_build_text;

/* One line on stderr; EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int offline_usage(const struct offline *o, const char *format, ...);
/* Is argv[*i] the option `name`? Then its value ("--x v" or "--x=v") goes to *value (NULL: none given), *i moves on. */
bool offline_option(int argc, char **argv, int *i, const char *name, const char **value);
/* --data, --config and --set; -1: not one of them, 0: taken, else an exit code. */
int offline_common(struct offline *o, int argc, char **argv, int *i);
/* Opens --data and its row limits; 0 or an exit code, the reason told. */
int offline_open(struct offline *o);
void offline_close(struct offline *o);
int64_t offline_mono_ms(void);
/* A line on stderr at most once a second, and none in the first two. */
__attribute__((format(printf, 2, 3))) void offline_progress(struct offline *o, const char *format, ...);
/* Engine's facts while a replay runs: an on_progress with a struct offline as ctx. */
void offline_replaying(void *ctx, const struct engine *engine, uint64_t seq);
/* "90", "90s", "5m", "2h", "250ms". */
MUST_USE struct err offline_duration(const char *text, int64_t *ms);
/* "123456" (a fact) or "2026-11-23T22:46:00Z" (a time). */
MUST_USE struct err offline_until(const char *text, uint64_t *seq, int64_t *ms);

#endif
