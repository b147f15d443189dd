// SPDX-License-Identifier: Apache-2.0
// pulse: the counters of the control room, asked every two seconds, with the last ten minutes of each for the charts; and the
// live events, for alarms and for whoever looks at one vehicle.
import { Stream } from "@paddock/ui/sse.ts";
import { api, clock } from "./server.svelte.ts";
import type { FleetEvent, Stats } from "./terms.ts";

const EVERY_MS = 2000;
const KEPT = 300;
const ALARMS_KEPT = 40;
export const ALARM_KINDS = new Set(["alarm", "fault", "unlocked_no_ride", "moved_no_ride", "one_way_link", "ride_end_refused",
                                    "fact_refused", "clock_jump"]);
export type Series = { at: number[]; rides: (number | null)[]; p50: (number | null)[]; p95: (number | null)[]; facts: (number | null)[] };

class Pulse {
    stats = $state.raw<Stats | null>(null);
    factsPerS = $state<number | null>(null);
    series = $state.raw<Series>({ at: [], rides: [], p50: [], p95: [], facts: [] });
    alarms = $state.raw<FleetEvent[]>([]);
    private timer: ReturnType<typeof setTimeout> | undefined;
    private life = 0;                      // of start()..stop()
    private stream: Stream | null = null;
    private before: { seq: number; at: number } | null = null;
    private listeners = new Set<(event: FleetEvent | null) => void>();

    start() {
        const life = ++this.life;
        const ask = async () => {
            const stats = await api.get<Stats>("/stats", { tries: 1, timeoutMs: 6000 }).catch(() => null);
            if (life !== this.life) return;
            if (stats) this.take(stats);
            else this.before = null;
            this.timer = setTimeout(ask, EVERY_MS);
        };
        void ask();
        this.stream = new Stream(api, "/events/live", {
            onEvent: (event) => this.event(JSON.parse(event.data) as FleetEvent),
            onReset: () => this.listeners.forEach((tell) => tell(null)),
        });
    }

    stop() {
        this.life++;
        clearTimeout(this.timer);
        this.stream?.close();
        this.stats = null;
        this.before = null;
        this.alarms = [];
        this.series = { at: [], rides: [], p50: [], p95: [], facts: [] };
    }

    // Every event; null when some were missed.
    listen(tell: (event: FleetEvent | null) => void) {
        this.listeners.add(tell);
        return () => { this.listeners.delete(tell); };
    }

    private take(stats: Stats) {
        const here = performance.now();
        clock.heard(stats.now_ms);
        if (this.before && stats.as_of_seq >= this.before.seq)
            this.factsPerS = ((stats.as_of_seq - this.before.seq) * 1000) / (here - this.before.at);
        this.before = { seq: stats.as_of_seq, at: here };
        this.stats = stats;
        const some = stats.unlocks.count > 0;
        const add = <T>(list: T[], value: T) => [...list.slice(1 - KEPT), value];
        const s = this.series;
        this.series = { at: add(s.at, Date.now() / 1000), rides: add(s.rides, stats.open_rides), facts: add(s.facts, this.factsPerS),
                        p50: add(s.p50, some ? stats.unlocks.total_us.p50 / 1000 : null),
                        p95: add(s.p95, some ? stats.unlocks.total_us.p95 / 1000 : null) };
    }

    private event(event: FleetEvent) {
        if (ALARM_KINDS.has(event.kind)) this.alarms = [event, ...this.alarms].slice(0, ALARMS_KEPT);
        this.listeners.forEach((tell) => tell(event));
    }
}
export const pulse = new Pulse();
