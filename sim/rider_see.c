/* SPDX-License-Identifier: Apache-2.0 */
/* rider_see.c: what a rider's phone saw acknowledged, and whether the server contradicts itself there. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim/rider_inside.h"

enum { LOG_MAX = 4096 };

static void write_log(struct sim_rider *r, struct sim_rider_log entry);
static void check_key(struct sim_rider *r, uint64_t key, struct bytes ride);
static void check_over(struct sim_rider *r, const struct phone *phone, const struct ride_seen *seen);
static void check_receipt(struct sim_rider *r, int64_t total);

struct ride_seen rider_see(struct sim_rider *r, struct phone *phone, int status, struct bytes body)
{
    struct bytes ride = phone_find(body, "ride");
    struct ride_seen seen = {.charge = -1};
    struct sim_rider_log entry = {.status = (uint16_t)status, .key = phone->key, .charge_minor = -1};
    bool good = status / 100 == 2;

    entry.saw = !status                     ? SIM_SAW_NOTHING
                : !good                     ? SIM_SAW_REFUSED
                : phone->ask == ASK_START   ? SIM_SAW_START
                : phone->ask == ASK_END     ? SIM_SAW_END
                : phone->ask == ASK_RECEIPT ? SIM_SAW_RECEIPT
                                            : SIM_SAW_STATE;
    if (good && phone->ask == ASK_RECEIPT) {
        int64_t total;
        seen.id = phone_find(body, "ride_id");
        if (phone_find_number(body, "total_minor", &total)) {
            entry.charge_minor = seen.charge = total;
            if (seen.id.len == RIDE_ID_LEN && memcmp(seen.id.at, r->ride, RIDE_ID_LEN) == 0)
                check_receipt(r, total);
        }
    } else if (good && ride.len) {
        seen.any = true;
        seen.id = phone_find(ride, "id");
        seen.state = phone_find(ride, "state");
        seen.refusal = phone_find(ride, "refusal");
        phone_copy(entry.vehicle_code, sizeof entry.vehicle_code, phone_find(ride, "vehicle_code"));
        if (phone_find_number(ride, "charge_minor", &seen.charge)) entry.charge_minor = seen.charge;
        if (seen.id.len != RIDE_ID_LEN) rider_see_broken(r, "an answer names a ride without an id");
        else if (phone->ask == ASK_START) check_key(r, phone->key, seen.id);
        check_over(r, phone, &seen);
    } else if (!good) {
        seen.code = phone_find(body, "code");
    }
    phone_copy(entry.ride, sizeof entry.ride, seen.id);
    phone_copy(entry.state, sizeof entry.state, seen.state);
    phone_copy(entry.code, sizeof entry.code, seen.code);
    write_log(r, entry);
    return seen;
}

/* What is near is told from committed facts only: what was known once stays known, whatever crashes. */
void rider_see_near(struct sim_rider *r, int status, struct bytes body)
{
    int64_t seq;

    if (status != 200) {
        if (status && status != 429 && status < 500) rider_see_broken(r, "nobody may look what is near");
        return;
    }
    if (!phone_find_number(body, "as_of_seq", &seq)) rider_see_broken(r, "what is near is as of no fact");
    else if (seq < r->near_seq) rider_see_broken(r, "what was near was shown before it was durable");
    else r->near_seq = seq;
}

void rider_see_event(struct sim_rider *r, struct bytes data)
{
    struct bytes ride = phone_find(data, "ride"), state = phone_find(data, "ride_state");
    struct sim_rider_log entry = {.saw = SIM_SAW_STATE, .status = 200, .charge_minor = -1, .by_event = true};

    if (ride.len != RIDE_ID_LEN || !state.len) return;
    phone_copy(entry.ride, sizeof entry.ride, ride);
    phone_copy(entry.state, sizeof entry.state, state);
    write_log(r, entry);
}

void rider_see_broken(struct sim_rider *r, const char *why)
{
    if (!r->broken) r->broken = why;
}

static void write_log(struct sim_rider *r, struct sim_rider_log entry)
{
    uint32_t most = r->config.log_max ? r->config.log_max : LOG_MAX;

    if (r->log_count == most) {
        uint32_t drop = most / 2 ? most / 2 : 1;
        r->log_count -= drop;
        memmove(r->log, r->log + drop, r->log_count * sizeof *r->log);
    }
    if (r->log_count == r->log_cap) {
        r->log_cap = r->log_cap ? r->log_cap * 2 : 16;
        r->log = realloc(r->log, r->log_cap * sizeof *r->log);
        must(r->log);
    }
    entry.at_ms = crowd_now_ms(r->crowd);
    r->log[r->log_count++] = entry;
}

static void check_key(struct sim_rider *r, uint64_t key, struct bytes ride)
{
    for (int i = 0; i < KEYS_KEPT; i++) {
        if (r->keys[i].key != key) continue;
        if (memcmp(r->keys[i].ride, ride.at, RIDE_ID_LEN) != 0)
            rider_see_broken(r, "one Idempotency-Key gave two rides");
        return;
    }
    struct key_ride *to = &r->keys[r->key_next++ % KEYS_KEPT];
    to->key = key;
    phone_copy(to->ride, sizeof to->ride, ride);
}

static bool is_over(struct bytes state)
{
    return bytes_equal_text(state, "settled") || bytes_equal_text(state, "failed") ||
           bytes_equal_text(state, "cancelled");
}

/* An answer may be older than what was seen since it was asked for; one that was asked for later may not. */
static void check_over(struct sim_rider *r, const struct phone *phone, const struct ride_seen *seen)
{
    bool over = is_over(seen->state), free_of_charge = over && !bytes_equal_text(seen->state, "settled");

    if (free_of_charge && seen->charge > 0) rider_see_broken(r, "a ride that never began has a charge");
    if (seen->id.len != RIDE_ID_LEN || memcmp(seen->id.at, r->ride, RIDE_ID_LEN) != 0) return;
    if (!r->over_state[0]) {
        if (!over) return;
        phone_copy(r->over_state, sizeof r->over_state, seen->state);
        r->over_charge = seen->charge;
        r->sent_when_over = r->phone.sent;
        return;
    }
    if (phone != &r->phone || phone->sent <= r->sent_when_over) return;
    /* The first answer to an old key may be repeated word for word: it tells how things stood then. */
    if (phone->ask == ASK_START || phone->ask == ASK_END) return;
    if (!bytes_equal_text(seen->state, r->over_state)) rider_see_broken(r, "a ride that was over moved on");
    if (r->over_charge >= 0 && seen->charge != r->over_charge)
        rider_see_broken(r, "the charge of a settled ride changed");
}

static void check_receipt(struct sim_rider *r, int64_t total)
{
    if (r->receipt_total >= 0 && r->receipt_total != total)
        rider_see_broken(r, "two receipts of one ride differ");
    if (r->over_charge >= 0 && r->over_charge != total)
        rider_see_broken(r, "receipt and ride name different prices");
    r->receipt_total = total;
}
