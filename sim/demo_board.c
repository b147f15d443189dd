/* SPDX-License-Identifier: Apache-2.0 */
/* demo_board.c: see demo_board.h: drawing. Two panels side by side, twice; then the news. */
#include "sim/demo_board.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/timetext.h"
#include "sim/demo_place.h"

enum look { PLAIN, DIM, HEAD, GOOD, CALM, ODD, BAD, LOOK_N };

/* Sixteen-colour foregrounds that can be read on black and on white alike; yellow and blue cannot. */
static const char *const looks[LOOK_N] = {
    [PLAIN] = "", [DIM] = "2", [HEAD] = "1", [GOOD] = "32", [CALM] = "36", [ODD] = "35", [BAD] = "1;31"};

/* Writes one line after another, and knows in which column it is. */
struct pen {
    struct buf *out;
    struct demo_style style;
    unsigned col, row;
};

enum { NUMBER_AT = 17, NUMBER_LEN = 5, BAR_AT = NUMBER_AT + NUMBER_LEN + 1, HALF_MIN = 40 };

static void put_panels(struct pen *p, const struct demo_figures *f);
static void put_shares(struct pen *p, const struct demo_figures *f);
static void put_news(struct pen *p, const struct demo_figures *f);

/* ---- the pen ---- */

/* Cut at the right edge; a character of several bytes is one column. */
static void put(struct pen *p, enum look look, const char *text)
{
    bool dressed = p->style.colour && look != PLAIN;

    if (p->row >= p->style.rows || p->col >= p->style.cols) return;
    if (dressed) {
        buf_put_text(p->out, "\x1b[");
        buf_put_text(p->out, looks[look]);
        buf_put_char(p->out, 'm');
    }
    for (const char *c = text; *c; c++) {
        bool first = ((unsigned char)*c & 0xc0) != 0x80;
        if (first && p->col >= p->style.cols) break;
        p->col += first;
        buf_put_char(p->out, (unsigned char)*c < 0x20 ? '?' : *c);
    }
    if (dressed) buf_put_text(p->out, "\x1b[0m");
}

static void putf(struct pen *p, enum look look, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void putf(struct pen *p, enum look look, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put(p, look, text);
}

static void to(struct pen *p, unsigned col)
{
    while (p->row < p->style.rows && p->col < col && p->col < p->style.cols) put(p, PLAIN, " ");
}

static void end_line(struct pen *p)
{
    if (p->row < p->style.rows) buf_put_text(p->out, "\x1b[K");
    if (p->row + 1 < p->style.rows) buf_put_text(p->out, "\r\n");
    p->row++;
    p->col = 0;
}

static const char *sign(const struct pen *p, const char *fine, const char *plain)
{
    return p->style.utf8 ? fine : plain;
}

static void put_bar(struct pen *p, enum look look, uint64_t count, uint64_t whole, unsigned width)
{
    static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    char text[3 * DEMO_COLS_MAX + 8];
    struct buf b = buf_on(text, sizeof text - 1);
    uint64_t eighths = whole ? count * width * 8 / whole : 0;

    if (count && !eighths) eighths = 1;
    if (eighths > width * 8) eighths = width * 8;
    for (uint64_t i = 0; i < eighths / 8; i++) buf_put_text(&b, sign(p, "█", "#"));
    if (p->style.utf8) buf_put_text(&b, parts[eighths % 8]);
    else if (eighths % 8 >= 4 || (eighths < 8 && eighths)) buf_put_char(&b, ':');
    text[b.len] = 0;
    put(p, look, text);
}

static void put_row(struct pen *p, unsigned at, enum look look, const char *name, uint64_t number)
{
    to(p, at);
    put(p, number ? PLAIN : DIM, name);
    to(p, at + NUMBER_AT);
    putf(p, number ? look : DIM, "%*" PRIu64, NUMBER_LEN, number);
}

/* ---- numbers for people ---- */

void demo_put_tenths(struct buf *b, uint64_t tenths)
{
    if (tenths < 10000) buf_put_decimal(b, (int64_t)tenths, 1);
    else buf_put_u64(b, tenths / 10);
}

void demo_put_us(struct buf *b, uint64_t us)
{
    if (us < 100000) {
        buf_put_decimal(b, (int64_t)((us + 50) / 100), 1);
        buf_put_text(b, " ms");
    } else if (us < 1000000) {
        buf_put_u64(b, us / 1000);
        buf_put_text(b, " ms");
    } else {
        buf_put_decimal(b, (int64_t)(us / 10000), 2);
        buf_put_text(b, " s");
    }
}

void demo_put_took(struct buf *b, int64_t ms)
{
    uint64_t s = ms > 0 ? (uint64_t)ms / 1000 : 0;

    if (s >= 3600) {
        buf_put_u64(b, s / 3600);
        buf_put_text(b, "h ");
    }
    if (s >= 60) {
        buf_put_u64(b, s / 60 % 60);
        buf_put_text(b, "m ");
    }
    buf_put_u64(b, s % 60);
    buf_put_char(b, 's');
}

static const char *us_text(uint64_t us, char text[24])
{
    struct buf b = buf_on(text, 23);

    demo_put_us(&b, us);
    text[b.len] = 0;
    return text;
}

static const char *tenths_text(uint64_t tenths, char text[24])
{
    struct buf b = buf_on(text, 23);

    demo_put_tenths(&b, tenths);
    text[b.len] = 0;
    return text;
}

static const char *took_text(int64_t ms, char text[24])
{
    struct buf b = buf_on(text, 23);

    demo_put_took(&b, ms);
    text[b.len] = 0;
    return text;
}

/* ---- the board ---- */

static void put_title(struct pen *p, const struct demo_figures *f)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil city = civil_of_ms(f->local_ms), real = civil_of_ms(f->wall_ms);
    char right[160], fast[16] = "", took[24];

    if (f->speed > 1) snprintf(fast, sizeof fast, " %s%u", sign(p, "×", "x"), f->speed);
    int len = snprintf(right, sizeof right, "city %u %s %02u:%02u:%02u%s   real %02u:%02u:%02u   running %s",
                       city.day, months[city.month ? city.month - 1 : 0], city.hour, city.minute, city.second,
                       fast, real.hour, real.minute, real.second, took_text(f->real_ms, took));
    put(p, HEAD, " Paddock");
    putf(p, PLAIN, " %s %s", sign(p, "·", "-"), f->place->name);
    unsigned wide = (unsigned)len - (p->style.utf8 && *fast ? 1 : 0);
    to(p, p->style.cols > wide + 1 ? p->style.cols - wide - 1 : 0);
    put(p, PLAIN, right);
    end_line(p);
}

/* Where people go first stands first; what does not fit is left out from the end. */
static void put_places(struct pen *p, const struct demo_figures *f)
{
    put(p, DIM, " control ");
    putf(p, CALM, "http://%.*s/control/", f->http.len, f->http.at);
    if (f->staff_password[0]) {
        put(p, DIM, "  demo / ");
        put(p, PLAIN, f->staff_password);
    }
    end_line(p);
    put(p, DIM, " rider   ");
    putf(p, CALM, "http://%.*s/rider/", f->http.len, f->http.at);
    if (f->rider_phone[0]) putf(p, PLAIN, "  %s", f->rider_phone);
    putf(p, DIM, "  %s", f->json_path ? f->json_path : "");
    end_line(p);
    put(p, DIM, " world ");
    putf(p, CALM, "http://%.*s/", f->panel.len, f->panel.at);
    put(p, DIM, "  vehicles ");
    putf(p, PLAIN, "%.*s", f->vehicles.len, f->vehicles.at);
    put(p, DIM, "  admin ");
    putf(p, PLAIN, "%.*s", f->admin.len, f->admin.at);
    end_line(p);
}

static void put_footer(struct pen *p, const struct demo_figures *f)
{
    char text[200];

    while (p->row + 1 < p->style.rows) end_line(p);
    int len = snprintf(text, sizeof text, "seed %" PRIu64 "   Ctrl-C ends it", f->seed);
    putf(p, DIM, " %s",
         f->streets ? sign(p, "© OpenStreetMap contributors", "(c) OpenStreetMap contributors")
                    : "straight lines: tools/streets fetches the streets");
    to(p, p->style.cols > (unsigned)len + 1 ? p->style.cols - (unsigned)len - 1 : 0);
    put(p, DIM, text);
    end_line(p);
}

void demo_board_draw(const struct demo_figures *f, const struct demo_style *style, struct buf *out)
{
    struct pen p = {.out = out, .style = *style};

    buf_put_text(out, "\x1b[H");
    put_title(&p, f);
    put_places(&p, f);
    end_line(&p);
    put_panels(&p, f);
    end_line(&p);
    put_shares(&p, f);
    if (p.style.rows > 24) end_line(&p);
    put_news(&p, f);
    put_footer(&p, f);
    buf_put_text(out, "\x1b[J");
}

static unsigned half(const struct pen *p)
{
    return p->style.cols / 2 > HALF_MIN ? p->style.cols / 2 : HALF_MIN;
}

/* Vehicles left, rides right, a row each. */
static void put_panels(struct pen *p, const struct demo_figures *f)
{
    static const enum look state_looks[VEHICLE_STATE_N] = {
        [VEHICLE_AVAILABLE] = GOOD,       [VEHICLE_RESERVED] = CALM,  [VEHICLE_ON_TRIP] = CALM,
        [VEHICLE_NON_OPERATIONAL] = ODD,  [VEHICLE_REMOVED] = PLAIN,  [VEHICLE_ELSEWHERE] = ODD,
        [VEHICLE_NON_CONTACTABLE] = BAD,  [VEHICLE_MISSING] = BAD,
    };
    const struct { const char *name; uint64_t number; enum look look; bool open; } rides[] = {
        {"unlocking", f->asking, CALM, true}, {"riding", f->riding, CALM, true},
        {"ending", f->ending, CALM, true},    {"completed", f->completed, GOOD, false},
        {"failed", f->failed, BAD, false},    {"cancelled", f->cancelled, PLAIN, false},
        {"refused", f->refused, ODD, false},
    };
    unsigned right = half(p), bar = right - BAR_AT - 3;
    char money[40];

    put(p, HEAD, " VEHICLES");
    putf(p, DIM, "  %u, %u connected", f->vehicle_count, f->connected);
    if (f->districts_cut) putf(p, BAD, ", %u cut off", f->without_network);
    to(p, right);
    put(p, HEAD, "RIDES");
    struct civil day = civil_of_ms(f->riders_ms);
    putf(p, DIM, "  %u riders live as at %02u:%02u, ", f->rider_count, day.hour, day.minute);
    putf(p, DIM, "%u %%", (f->demand + 5) / 10);
    end_line(p);
    for (unsigned i = 1; i < VEHICLE_STATE_N; i++) {
        put_row(p, 1, state_looks[i], enum_name(&vehicle_state_names, i), f->states[i]);
        to(p, 1 + BAR_AT);
        put_bar(p, state_looks[i], f->states[i], f->vehicle_count, bar - 1);
        if (i - 1 < sizeof rides / sizeof rides[0]) {
            put_row(p, right, rides[i - 1].look, rides[i - 1].name, rides[i - 1].number);
            to(p, right + BAR_AT);
            if (rides[i - 1].open) put_bar(p, CALM, rides[i - 1].number, f->rider_count, bar - 2);
        } else {
            to(p, right);
            put(p, PLAIN, "charged");
            to(p, right + NUMBER_AT - 5);
            putf(p, GOOD, "%14s", demo_place_money(f->place, f->charged_minor, money, sizeof money));
        }
        end_line(p);
    }
}

static void put_server_state(struct pen *p, const struct demo_figures *f)
{
    put(p, HEAD, "SERVER");
    if (!f->up) {
        put(p, BAD, "  is down, starting again");
        return;
    }
    putf(p, DIM, "  %" PRIu64 " MiB", f->memory_kib / 1024);
    if (!f->outage_count) return;
    const struct demo_outage *last = &f->outages[(f->outage_count - 1) % DEMO_OUTAGES_MAX];
    const char *how = strncmp(last->how, "was ", 4) == 0 ? last->how + 4 : last->how;
    putf(p, ODD, "  %s", how);
    if (f->outage_count > 1) putf(p, ODD, " %s%u", sign(p, "×", "x"), f->outage_count);
    putf(p, ODD, ", back in %.1f s", (double)last->down_ms / 1000);
}

/* What an unlock is made of left, what the server does right. */
static void put_shares(struct pen *p, const struct demo_figures *f)
{
    const struct { const char *name; const struct demo_split *split; } shares[] = {
        {"server", &f->server}, {"vehicle", &f->device}, {"tap to ride", &f->unlock}};
    unsigned right = half(p);
    char a[24], b[24];

    put(p, HEAD, " UNLOCK");
    to(p, 1 + NUMBER_AT);
    putf(p, DIM, "%*s %9s", NUMBER_LEN, "p50", "p95");
    to(p, right);
    put_server_state(p, f);
    end_line(p);
    for (unsigned i = 0; i < 4; i++) {
        if (i < 3) {
            putf(p, f->unlocks ? PLAIN : DIM, " %s", shares[i].name);
            to(p, NUMBER_AT - 4);
            putf(p, i ? PLAIN : GOOD, "%10s", f->unlocks ? us_text(shares[i].split->p50_us, a) : "-");
            putf(p, i ? PLAIN : GOOD, "%10s", f->unlocks ? us_text(shares[i].split->p95_us, a) : "-");
        } else {
            putf(p, DIM, " of %" PRIu64 "; %" PRIu64 " disturbed, not counted", f->unlocks, f->disturbed);
        }
        to(p, right);
        switch (i) {
        case 0:
            putf(p, PLAIN, "messages   %s/s in, %s/s out", tenths_text(f->messages_in_rate, a),
                 tenths_text(f->messages_out_rate, b));
            break;
        case 1: putf(p, PLAIN, "requests   %s/s", tenths_text(f->requests_rate, a)); break;
        case 2:
            putf(p, PLAIN, "commits    %s/s of %s facts", tenths_text(f->commits_rate, a),
                 tenths_text(f->batch_tenths, b));
            break;
        default:
            putf(p, PLAIN, "sync       %s; tables %s cuts/s", us_text(f->sync_us, a),
                 tenths_text(f->cuts_rate, b));
            break;
        }
        end_line(p);
    }
}

static void put_news(struct pen *p, const struct demo_figures *f)
{
    static const enum look tones[] = {
        [DEMO_CALM] = PLAIN, [DEMO_GOOD] = GOOD, [DEMO_ODD] = ODD, [DEMO_BAD] = BAD};
    unsigned room = p->style.rows > p->row + 1 ? p->style.rows - p->row - 1 : 0;
    unsigned count = f->news_count < room ? (unsigned)f->news_count : room;

    /* The latest at the bottom, as in a log. */
    for (unsigned i = 0; i < count; i++) {
        const struct demo_news *n = demo_latest(f, count - 1 - i);
        if (n) {
            struct civil at = civil_of_ms(n->local_ms);
            putf(p, DIM, " %02u:%02u:%02u  ", at.hour, at.minute, at.second);
            put(p, tones[n->tone], n->text);
        }
        end_line(p);
    }
}

/* ---- lines ---- */

static void put_line(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put_line(struct buf *out, const char *format, ...)
{
    char text[1600];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_put(out, text, len < (int)sizeof text ? (size_t)len : sizeof text - 1);
}

void demo_board_line(const struct demo_figures *f, struct buf *out)
{
    char a[24], b[24], c[24];
    char money[40];
    struct civil city = civil_of_ms(f->local_ms);

    put_line(out, "%-7s city %02u:%02u:%02u  ", took_text(f->real_ms, a), city.hour, city.minute,
             city.second);
    if (!f->up) put_line(out, "SERVER DOWN  ");
    put_line(out, "%u vehicles:", f->vehicle_count);
    for (unsigned i = 1; i < VEHICLE_STATE_N; i++) {
        if (f->states[i]) put_line(out, " %u %s", f->states[i], enum_name(&vehicle_state_names, i));
    }
    put_line(out, "  rides: %u open %" PRIu64 " completed %" PRIu64 " failed %s", f->asking + f->riding + f->ending,
             f->completed, f->failed, demo_place_money(f->place, f->charged_minor, money, sizeof money));
    put_line(out, "  messages %s/s  requests %s/s  commits %s/s", tenths_text(f->messages_in_rate, a),
             tenths_text(f->requests_rate, b), tenths_text(f->commits_rate, c));
    if (f->unlocks)
        put_line(out, "  unlock p50 server %s vehicle %s", us_text(f->server.p50_us, a),
                 us_text(f->device.p50_us, b));
    put_line(out, "\n");
}

void demo_board_hello(const struct demo_figures *f, struct buf *out)
{
    put_line(out, "Paddock serves %s: %u vehicles, %u riders, %s, seed %" PRIu64, f->place->name, f->vehicle_count,
             f->rider_count,
             f->streets ? "real streets (© OpenStreetMap contributors, ODbL)"
                        : "straight lines (tools/streets fetches the streets)",
             f->seed);
    if (f->speed > 1) put_line(out, ", %u times as fast", f->speed);
    if (f->measured_demand) put_line(out, ", demand as counted from real trips");
    put_line(out, "\n\n  control room  http://%.*s/control/", f->http.len, f->http.at);
    if (f->staff_password[0]) put_line(out, "   sign in as demo, password %s", f->staff_password);
    put_line(out, "\n  rider         http://%.*s/rider/", f->http.len, f->http.at);
    if (f->rider_phone[0]) put_line(out, "     sign in as %s; the panel shows the code", f->rider_phone);
    put_line(out, "\n  the world     http://%.*s/           cut a district, lose a report, kill the server\n", f->panel.len,
             f->panel.at);
    put_line(out, "  vehicles      %.*s                   admin http://%.*s\n", f->vehicles.len, f->vehicles.at,
             f->admin.len, f->admin.at);
    put_line(out, "  tokens of every role: %s\n\n", f->json_path);
}

void demo_board_goodbye(const struct demo_figures *f, struct buf *out)
{
    char a[24], b[24], c[24], money[40];

    put_line(out,
             "After %s: %" PRIu64 " rides completed, %" PRIu64 " failed, %" PRIu64 " cancelled, %u open; %s charged.\n",
             took_text(f->real_ms, a), f->completed, f->failed, f->cancelled, f->asking + f->riding + f->ending,
             demo_place_money(f->place, f->charged_minor, money, sizeof money));
    if (f->unlocks) {
        put_line(out, "Unlocks (%" PRIu64 "): server's share p50 %s, p95 %s;", f->unlocks,
                 us_text(f->server.p50_us, a), us_text(f->server.p95_us, b));
        put_line(out, " tap to ride p50 %s.\n", us_text(f->unlock.p50_us, a));
    }
    put_line(out, "%" PRIu64 " commits of %s facts, sync %s.\n", f->commits,
             tenths_text(f->batch_mean_tenths, b), us_text(f->sync_mean_us, c));
    for (uint32_t i = 0; i < f->outage_count && i < DEMO_OUTAGES_MAX; i++)
        put_line(out, "The server %s and was back in %.1f s.\n", f->outages[i].how,
                 (double)f->outages[i].down_ms / 1000);
    if (!f->passing) put_line(out, "The data are in %s\n", f->dir);
}
