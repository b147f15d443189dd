/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ready.h"

#define HEARTBEAT_DEFAULT_MS 240000ll

enum err_code ready_to_ride(const struct ready *r, int64_t now_ms)
{
    if (r->state == VEHICLE_NON_CONTACTABLE || r->state == VEHICLE_MISSING) return ERR_VEHICLE_SILENT;
    if (r->state == VEHICLE_NON_OPERATIONAL && r->cause == VEHICLE_EVENT_BATTERY_LOW) return ERR_VEHICLE_BATTERY_LOW;
    if (r->state != VEHICLE_AVAILABLE || r->taken) return ERR_VEHICLE_NOT_AVAILABLE;
    if (r->busy) return ERR_VEHICLE_BUSY;
    if (!r->seen_ms || now_ms - r->seen_ms > r->silence_ms) return ERR_VEHICLE_SILENT;
    if (r->charge_counts && r->battery_pct < r->battery_min_pct) return ERR_VEHICLE_BATTERY_LOW;
    return r->lock_state == LOCK_STATE_LOCKED ? ERR_OK : ERR_VEHICLE_NOT_LOCKED;
}

int64_t ready_silence_ms(int64_t heartbeat_ms)
{
    return (heartbeat_ms ? heartbeat_ms : HEARTBEAT_DEFAULT_MS) * 5 / 2;
}

bool ready_plan_fits(const struct plan *plan, const struct plan *best, uint64_t city_id, uint64_t type_id)
{
    if (plan->city_id != city_id || (plan->type_id && plan->type_id != type_id)) return false;
    if (!best) return true;
    bool closer = plan->type_id && !best->type_id, alike = !plan->type_id == !best->type_id;
    return closer || (alike && plan->id < best->id);
}
