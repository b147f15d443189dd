/* SPDX-License-Identifier: Apache-2.0 */
/* omni_frames_test.c: every line of omni.frames becomes what it says; and the frames, split, glued and damaged, never
 * become anything else than frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "proto/omni.h"

#define LINE_MAX_LEN 2048
#define LINES_MAX 512

struct line {
    bool down;
    uint8_t frame[LINE_MAX_LEN];
    size_t len;
    char want[LINE_MAX_LEN];
    unsigned number;
};
static struct line lines[LINES_MAX];
static unsigned line_count;

static int hex(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

static void line_read(char *text, unsigned number)
{
    struct line *l = &lines[line_count];
    char *arrow = strstr(text, " => ");
    if (!arrow || line_count == LINES_MAX) fail_msg("omni.frames:%u: no ' => ', or too many lines", number);
    l->number = number;
    l->down = text[0] == 'd';
    for (char *at = strchr(text, ' ') + 1; at < arrow; at++) {
        char c = *at;
        if (c == '\\') {
            c = *++at;
            if (c == 'n') c = '\n';
            if (c == 'r') c = '\r';
            if (c == 't') c = '\t';
            if (c == 'x') {
                c = (char)(hex(at[1]) * 16 + hex(at[2]));
                at += 2;
            }
        }
        l->frame[l->len++] = (uint8_t)c;
    }
    memcpy(l->want, arrow + 4, strlen(arrow + 4) + 1);
    line_count++;
}

static int lines_read(void **s)
{
    (void)s;
    static char text[LINE_MAX_LEN];
    FILE *file = fopen(PADDOCK_SOURCE "/src/proto/omni.frames", "r");
    if (!file) return -1;
    for (unsigned number = 1; fgets(text, sizeof text, file); number++) {
        text[strcspn(text, "\n")] = 0;
        if (text[0] && text[0] != '#') line_read(text, number);
    }
    fclose(file);
    return line_count > 150 ? 0 : -1;
}

/* ── JSON, just enough of it: is `want` a subset of `got`? ── */

static const char *text_end(const char *at)
{
    for (at++; *at != '"'; at++) {
        if (*at == '\\') at++;
    }
    return at + 1;
}

static const char *value_end(const char *at)
{
    int depth = 0;
    do {
        if (*at == '"') {
            at = text_end(at);
            continue;
        }
        if (*at == '{' || *at == '[') depth++;
        if (*at == '}' || *at == ']') depth--;
        at++;
    } while (*at && (depth || (*at != ',' && *at != '}' && *at != ']')));
    return at;
}

/* Value of the member whose quoted name starts at `name`, or NULL. */
static const char *member(const char *object, const char *name)
{
    size_t len = (size_t)(text_end(name) - name);
    for (const char *at = object + 1; *at == '"';) {
        const char *value = text_end(at) + 1;
        if (strncmp(at, name, len) == 0) return value;
        at = value_end(value);
        if (*at == ',') at++;
    }
    return NULL;
}

static bool subset(const char *want, const char *got)
{
    if (*want != '{') {
        size_t len = (size_t)(value_end(want) - want);
        return len == (size_t)(value_end(got) - got) && strncmp(want, got, len) == 0;
    }
    if (*got != '{') return false;
    for (const char *at = want + 1; *at == '"';) {
        const char *value = text_end(at) + 1, *other = member(got, at);
        if (!other || !subset(value, other)) return false;
        at = value_end(value);
        if (*at == ',') at++;
    }
    return true;
}

static const char *described(struct bytes chunk)
{
    static char json[64 * 1024];
    struct buf b = buf_on(json, sizeof json);
    omni_describe(chunk, &b);
    buf_put_char(&b, 0);
    assert_false(b.full);
    return json;
}

static void test_subset_tells_difference(void **s)
{
    (void)s;
    assert_true(subset("{\"a\":1,\"c\":{\"d\":[\"x\"]}}", "{\"a\":1,\"b\":\"}\",\"c\":{\"d\":[\"x\"],\"e\":2}}"));
    assert_false(subset("{\"a\":1}", "{\"a\":12}"));
    assert_false(subset("{\"a\":1}", "{\"b\":1}"));
    assert_false(subset("{\"a\":{\"b\":1}}", "{\"a\":{}}"));
    assert_false(subset("{\"a\":{\"b\":1}}", "{\"a\":1}"));
    assert_false(subset("{\"a\":[\"x\"]}", "{\"a\":[\"x\",\"y\"]}"));
}

static void test_every_line_becomes_what_it_says(void **s)
{
    (void)s;
    for (unsigned i = 0; i < line_count; i++) {
        struct line *l = &lines[i];
        const char *got = described(bytes_of(l->frame, l->len));
        if (strncmp(l->want, "reject ", 7) == 0) {
            char want[200];
            snprintf(want, sizeof want, "{\"error\":\"malformed\",\"reason\":\"%s\"}", l->want + 7);
            if (strcmp(want, got) != 0) fail_msg("omni.frames:%u: %s", l->number, got);
            continue;
        }
        if (!subset(l->want, got)) fail_msg("omni.frames:%u: %s", l->number, got);
        if (!subset(l->down ? "{\"dir\":\"down\"}" : "{\"dir\":\"up\"}", got)) {
            fail_msg("omni.frames:%u: the other direction", l->number);
        }
    }
}

/* What a session sees of `in` when it comes in two pieces: a sum over the frames, their count in the low byte. */
static uint64_t session(struct bytes in, size_t first)
{
    uint64_t sum = 0;
    size_t from = 0, ends[] = {first, in.len};
    for (int part = 0; part < 2; part++) {
        for (;;) {
            struct cut cut = omni_cut(bytes_of(in.at + from, ends[part] - from));
            assert_true(cut.skip + cut.len <= ends[part] - from && cut.len <= OMNI_FRAME_MAX);
            from += cut.skip;
            if (!cut.len) break;
            assert_true(in.at[from] == '*' && in.at[from + cut.len - 1] == '#');
            for (size_t i = 0; i < cut.len; i++) sum = sum * 1099511628211u + in.at[from + i];
            sum = (sum & ~255u) | ((sum + 1) & 255);
            from += cut.len;
        }
    }
    return sum;
}

static void test_every_frame_survives_every_split_and_glueing(void **s)
{
    (void)s;
    for (unsigned i = 0; i < line_count; i++) {
        struct line *a = &lines[i], *b = &lines[(i * 7 + 3) % line_count];
        uint8_t both[2 * LINE_MAX_LEN];
        memcpy(both, a->frame, a->len);
        memcpy(both + a->len, b->frame, b->len);
        struct bytes glued = {both, a->len + b->len};
        uint64_t whole = session(glued, glued.len);
        for (size_t at = 0; at < glued.len; at++) assert_true(session(glued, at) == whole);
    }
}

/* Damage: each line, each byte, some values. The claim: no crash (the sanitizers look on), decoding twice gives the
 * same, and what is accepted stays inside its limits. */
static void test_damaged_frames_are_refused_or_sane(void **s)
{
    (void)s;
    struct prng p = prng_of(20261123, bytes_text("damage"));
    unsigned accepted = 0, refused = 0;
    for (unsigned i = 0; i < line_count; i++) {
        for (size_t at = 0; at < lines[i].len; at++) {
            uint8_t frame[LINE_MAX_LEN];
            memcpy(frame, lines[i].frame, lines[i].len);
            static const char spice[] = ",,**##09-.AaVN \n\xff";
            frame[at] = prng_chance(&p, 300000) ? (uint8_t)prng_below(&p, 256)
                                                : (uint8_t)spice[prng_below(&p, sizeof spice)];
            struct cut cut = omni_cut(bytes_of(frame, lines[i].len));
            described(bytes_of(frame, lines[i].len));
            if (!cut.len) continue;
            struct message m, again;
            struct err e = omni_decode(bytes_of(frame + cut.skip, cut.len), &m);
            struct err f = omni_decode(bytes_of(frame + cut.skip, cut.len), &again);
            assert_ptr_equal(e.why, f.why);
            if (e.code) {
                assert_int_equal(e.code, ERR_MALFORMED);
                refused++;
                continue;
            }
            accepted++;
            assert_int_equal(m.has, again.has);
            assert_int_equal(m.ident.len, 15);
            assert_true(m.battery_pct <= 100 && m.rssi <= 99 && m.alarm < ALARM_N);
            if (m.has & HAS_POSITION) assert_true(m.lat_e7 <= 900000000 && m.lat_e7 >= -900000000);
            if (m.has & HAS_POSITION) assert_true(m.lon_e7 <= 1800000000 && m.lon_e7 >= -1800000000);
        }
    }
    assert_true(accepted > 500 && refused > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subset_tells_difference),
        cmocka_unit_test(test_every_line_becomes_what_it_says),
        cmocka_unit_test(test_every_frame_survives_every_split_and_glueing),
        cmocka_unit_test(test_damaged_frames_are_refused_or_sane),
    };
    return cmocka_run_group_tests(tests, lines_read, NULL);
}
