/* SPDX-License-Identifier: Apache-2.0 */
/* demo_figures.h: what is known of the demo city at a moment: filled by the city and by those who watch
 * the server, shown by the board, told by the report. Plain values.
 *
 * Times   real_* is on the clock of the wall, sim_* on that of the city; a server's share of anything
 *         is real time, a device's share is time of the city
 * Rates   in tenths a second
 * Owner   the demo; texts point to what lives as long */
#ifndef SIM_DEMO_FIGURES_H
#define SIM_DEMO_FIGURES_H

#include "base/text.h"
#include "engine/terms.h"

enum { DEMO_NEWS_MAX = 64, DEMO_NEWS_LEN = 120, DEMO_OUTAGES_MAX = 256 };

enum demo_tone { DEMO_CALM, DEMO_GOOD, DEMO_ODD, DEMO_BAD };

struct demo_news { int64_t local_ms; enum demo_tone tone; char text[DEMO_NEWS_LEN]; };
struct demo_outage { int64_t at_ms, down_ms; char how[40]; }; /* since the start of the demo */
struct demo_split { uint64_t p50_us, p95_us, max_us; };

struct demo_place;

struct demo_figures {
    const struct demo_place *place;
    const char *dir, *json_path;
    struct text64 http, vehicles, admin, panel;     /* addresses */
    char staff_password[32], rider_phone[24];       /* "": nobody can sign in so */
    bool passing;                                   /* the data go away with the demo */
    uint64_t seed;
    uint32_t speed, vehicle_count, rider_count;
    bool streets, measured_demand;                  /* real streets; demand counted from real trips */
    bool up, declared, listed;                      /* listed: states are known */

    int64_t real_ms, wall_ms, sim_ms, sim_begun_ms; /* since the start; now; in the city: now, at the start */
    int64_t local_ms, riders_ms;                    /* on a clock on the wall of the city; in its riders' day */
    uint32_t demand;                                /* of the busiest hour, in thousandths */
    uint32_t without_network, districts_cut;        /* vehicles; now */
    uint32_t states[VEHICLE_STATE_N], connected;    /* as the server lists them; as the server counts them */
    uint32_t asking, riding, ending;                /* riders, by what their phones show */
    uint64_t asked, completed, failed, cancelled, refused;
    int64_t charged_minor;

    uint64_t messages_in_rate, messages_out_rate, requests_rate, commits_rate, cuts_rate;
    uint64_t facts, commits, cuts;                  /* of all lives of the server, as far as it was asked */
    uint64_t batch_tenths, sync_us;                 /* means over the last seconds */
    uint64_t batch_mean_tenths, sync_mean_us;       /* over all lives */
    uint64_t memory_kib;

    uint64_t unlocks, disturbed;                    /* measured; not, because something had been injected */
    struct demo_split unlock, server, device;       /* of the latest; of all when the report is written */

    uint64_t stalls;                                /* how often the machine stood still for too long */
    bool killed;                                    /* the latest outage was somebody's kill */
    struct demo_outage outages[DEMO_OUTAGES_MAX];
    uint32_t outage_count;
    struct demo_news news[DEMO_NEWS_MAX];           /* a ring */
    uint64_t news_count;
};

void demo_tell(struct demo_figures *f, enum demo_tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The nth latest; NULL when there are not so many. */
const struct demo_news *demo_latest(const struct demo_figures *f, uint32_t nth);

#endif
