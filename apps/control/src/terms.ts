// SPDX-License-Identifier: Apache-2.0
// terms: the states of vehicles as people see them: a colour and, always beside it, a shape. The order is the legend's and the
// shader's; the shapes are drawn as paths (lists, legend) and as distances (map) from this one table.
export const STATES = ["available", "reserved", "on_trip", "non_operational", "removed", "elsewhere", "non_contactable", "missing"] as const;
export type VehicleState = (typeof STATES)[number];
export const STATE_INDEX: Record<string, number> = Object.fromEntries(STATES.map((s, i) => [s, i]));

// On a grid of 16; `hollow` is drawn as a line.
export const SHAPES: Record<VehicleState, { path: string; hollow?: boolean }> = {
    available: { path: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11Z" },
    reserved: { path: "M8 1.5 14.5 8 8 14.5 1.5 8Z" },
    on_trip: { path: "M8 1.8 14.3 13.5H1.7Z" },
    non_operational: { path: "M2.8 2.8h10.4v10.4H2.8Z" },
    removed: { path: "M3.5 3.5h9v9h-9Z", hollow: true },
    elsewhere: { path: "M8 1.6 13.6 4.8v6.4L8 14.4 2.4 11.2V4.8Z" },
    non_contactable: { path: "M8 3.2a4.8 4.8 0 1 0 0 9.6a4.8 4.8 0 1 0 0-9.6Z", hollow: true },
    missing: { path: "M3.5 3.5l9 9M12.5 3.5l-9 9", hollow: true },
};

export interface Device {
    protocol: string; ident: string; caps: number; seen_ms: number | null; lock_state: string; lock_ms: number | null;
    battery_pct: number | null; charging: boolean; iot_mV: number | null; rssi: number | null; lat: number | null; lon: number | null;
    fix_ms: number | null; speed_dmh: number; total_m: number; connected: boolean; unanswered: number;
}
export interface VehicleAnswer {
    id: string; code: string; state: VehicleState; state_ms: number; last_event: string | null; held_state: string | null;
    cause: string | null; trip: string | null; suspect: boolean; device: Device | null;
}
export interface FleetEvent {
    seq: number; part: number; id: string; at_ms: number; kind: string; vehicle: string | null; ride: string | null; command: string | null;
    actor: string | null; vehicle_state: string | null; vehicle_event: string | null; ride_state: string | null; ride_reason: string;
    command_op: string | null; command_state: string | null; command_result: string; number: number; code: string | null;
}
export interface Frame { at_ms: number; direction: "in" | "out"; seq: number | null; refused: boolean; len: number; text: string; hex: string }
export interface Command {
    id: string; op: string; state: string; result: string; result_code: number; created_ms: number; sent_ms: number | null;
    over_ms: number | null; tries: number;
}
export interface Stats {
    now_ms: number; vehicles: number; vehicles_by_state: Record<string, number>; rentable: number; disconnected: number;
    battery_low: number; open_rides: number; rides_by_state: Record<string, number>;
    today: { rides: number; minutes: number; revenue: { currency: string; decimals: number; minor: number }[] };
    unlocks: { window_s: number; count: number; server_us: Percentiles; device_us: Percentiles; total_us: Percentiles };
    alerts: { code: string; level: "critical" | "warning" | "notice"; count: number }[];
    as_of_seq: number;
}
export interface Percentiles { p50: number; p95: number; p99: number }
