/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/timetext.h"
#include "ops/offline_inside.h"

uint64_t offline_build;
const char *offline_build_text = "0000000000000000";

void offline_set_build(uint64_t build, const char *text)
{
    offline_build = build;
    offline_build_text = text;
}

int offline_usage(const struct offline *o, const char *format, ...)
{
    fprintf(stderr, "paddock %s: ", o->command);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; paddock %s --help explains\n", o->command);
    return EXIT_USAGE;
}

bool offline_option(int argc, char **argv, int *i, const char *name, const char **value)
{
    size_t len = strlen(name);
    if (strncmp(argv[*i], name, len) != 0) return false;
    if (argv[*i][len] == '=') {
        *value = argv[*i] + len + 1;
        return true;
    }
    if (argv[*i][len]) return false;
    *value = *i + 1 < argc ? argv[++*i] : NULL;
    return true;
}

int offline_common(struct offline *o, int argc, char **argv, int *i)
{
    const char *value;
    char why[256];
    struct err e = NO_ERR;
    if (offline_option(argc, argv, i, "--data", &value)) {
        o->data = value;
        return value && *value ? 0 : offline_usage(o, "--data needs a directory");
    }
    if (offline_option(argc, argv, i, "--set", &value)) {
        if (!value) return offline_usage(o, "--set needs name=value");
        e = settings_set(&o->settings, bytes_text(value), why);
    } else if (offline_option(argc, argv, i, "--config", &value)) {
        if (!value) return offline_usage(o, "--config needs a file");
        e = settings_file(&o->settings, value, why);
    } else {
        return -1;
    }
    return e.code ? offline_usage(o, "%s", why) : 0;
}

int offline_open(struct offline *o)
{
    if (!o->data) return offline_usage(o, "--data DIR is missing");
    uint32_t vehicles = (uint32_t)o->settings.rows_vehicles;
    o->limits.rows[ROW_VEHICLE] = o->limits.rows[ROW_DEVICE] = vehicles;
    o->limits.rows[ROW_PUBLIC_CODE] = 2 * vehicles;
    o->limits.rows[ROW_RIDER] = (uint32_t)o->settings.rows_riders;
    o->limits.rows[ROW_RIDE] = o->limits.rows[ROW_COMMAND] = (uint32_t)o->settings.rows_rides;
    struct err e = file_os_open(&o->os, o->data, &o->fs);
    if (e.code) {
        fprintf(stderr, "paddock %s: %s is no directory that can be read.\n", o->command, o->data);
        return EXIT_CANNOT;
    }
    o->opened = true;
    o->dir = (struct data_dir){.fs = &o->fs, .sql_folder = o->data};
    o->began_ms = o->told_ms = offline_mono_ms();
    return 0;
}

void offline_close(struct offline *o)
{
    if (o->opened) file_os_close(&o->os);
    o->opened = false;
}

int64_t offline_mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void offline_progress(struct offline *o, const char *format, ...)
{
    int64_t now_ms = offline_mono_ms();
    if (now_ms - o->began_ms < PROGRESS_AFTER_MS || now_ms - o->told_ms < PROGRESS_EVERY_MS) return;
    o->told_ms = now_ms;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void offline_replaying(void *ctx, const struct engine *engine, uint64_t seq)
{
    struct offline *o = ctx;
    (void)engine;
    offline_progress(o, "  ... replaying, fact %llu", (unsigned long long)seq);
}

struct err offline_duration(const char *text, int64_t *ms)
{
    static const struct { const char *suffix; int64_t ms; } units[] = {
        {"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    struct bytes in = bytes_text(text);
    size_t digits = 0;
    uint64_t n;
    while (digits < in.len && in.at[digits] >= '0' && in.at[digits] <= '9') digits++;
    TRY(bytes_u64(bytes_of(in.at, digits), 9, &n));
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(text + digits, units[i].suffix) != 0) continue;
        *ms = (int64_t)n * units[i].ms;
        return NO_ERR;
    }
    return ERR(MALFORMED, "a duration ends in ms, s, m or h");
}

/* Digits at `at` of "2026-11-23T22:46:00Z". */
static struct err digits(struct bytes in, size_t at, size_t count, unsigned *out)
{
    uint64_t n;
    TRY(bytes_u64(bytes_of(in.at + at, count), (unsigned)count, &n));
    *out = (unsigned)n;
    return NO_ERR;
}

struct err offline_until(const char *text, uint64_t *seq, int64_t *ms)
{
    static const char form[] = "....-..-..T..:..:..Z";
    struct bytes in = bytes_text(text);
    if (in.len != sizeof form - 1) return bytes_u64(in, 19, seq);
    for (size_t i = 0; i < in.len; i++) {
        if (form[i] == '.' || form[i] == (char)in.at[i]) continue;
        return ERR(MALFORMED, "a time looks like 2026-11-23T22:46:00Z");
    }
    unsigned year, month, day, hour, minute, second;
    TRY(digits(in, 0, 4, &year));
    TRY(digits(in, 5, 2, &month));
    TRY(digits(in, 8, 2, &day));
    TRY(digits(in, 11, 2, &hour));
    TRY(digits(in, 14, 2, &minute));
    TRY(digits(in, 17, 2, &second));
    struct civil c = {.year = (int32_t)year, .month = (uint8_t)month, .day = (uint8_t)day, .hour = (uint8_t)hour,
                      .minute = (uint8_t)minute, .second = (uint8_t)second};
    return civil_to_ms(c, ms);
}
