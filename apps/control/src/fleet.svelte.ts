// SPDX-License-Identifier: Apache-2.0
// fleet: where every vehicle is, kept current by one live stream. Ten thousand of them change many times a second, so they
// are plain objects; what draws them watches `version`, which moves once per message.
import { ApiError } from "@paddock/ui/api.ts";
import { Stream } from "@paddock/ui/sse.ts";
import { api, clock } from "./server.svelte.ts";
import { STATES, STATE_INDEX, type VehicleState } from "./terms.ts";

export interface Vehicle {
    code: string;
    type: string;
    city: string;
    state: VehicleState;
    battery: number | null;
    speedDmh: number;
    heardMs: number;
    // On the map, mercator 0..1; it glides from `from` to `to`.
    lon: number; lat: number;
    fromX: number; fromY: number; toX: number; toY: number;
    startMs: number; spanMs: number;       // of performance.now()
}
interface MapPage { now_ms: number; columns: string[]; rows: unknown[][]; next: string | null; as_of_seq: number; gone?: string[] }

const WORLD = { west: -180, south: -90, east: 180, north: 90 };
const GLIDE_MS = { least: 400, most: 12000 };
const JUMP = 0.00002;                      // of the world's width, some 600 m: a correction, not a ride
const RETRY_MS = 1500;
const reduced = matchMedia("(prefers-reduced-motion: reduce)");

const mercatorX = (lon: number) => (180 + lon) / 360;
const mercatorY = (lat: number) => (180 - (180 / Math.PI) * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360))) / 360;

class Fleet {
    vehicles = new Map<string, Vehicle>();
    version = $state(0);
    phase = $state<"loading" | "live" | "lost">("loading");
    heardAt = $state(0);                   // performance.now() of the last message
    shown = $state<Record<VehicleState, boolean>>(Object.fromEntries(STATES.map((s) => [s, true])) as Record<VehicleState, boolean>);
    movingUntil = 0;
    private stream: Stream | null = null;
    private life = 0;                      // of start()..stop()

    counts = $derived.by(() => {
        void this.version;
        const counts = Object.fromEntries(STATES.map((s) => [s, 0])) as Record<VehicleState, number>;
        for (const v of this.vehicles.values()) counts[v.state]++;
        return counts;
    });
    get filtered() { return STATES.some((s) => !this.shown[s]); }

    toggle(state: VehicleState) { this.shown[state] = !this.shown[state]; this.version++; }
    only(states: readonly VehicleState[]) {
        for (const s of STATES) this.shown[s] = states.includes(s);
        this.version++;
    }
    all() { this.only(STATES); }

    async start() {
        const life = ++this.life;
        let opened = false;
        this.phase = "loading";
        while (life === this.life) {
            try {
                await this.load(life);
                break;
            } catch (error) {
                if (error instanceof ApiError && (error.status === 401 || error.status === 403 || error.status === 426)) return;
                await new Promise((done) => setTimeout(done, RETRY_MS));
            }
        }
        if (life !== this.life) return;
        this.stream = new Stream(api, "/map/live", {
            query: { ...WORLD, after: this.seq },
            onEvent: (event) => { if (event.event === "rows") this.take(JSON.parse(event.data) as MapPage); },
            onReset: () => { void this.load(life).catch(() => undefined); },
            onState: (state) => {
                if (state === "open") {
                    if (opened) void this.load(life).catch(() => undefined); // what left while nobody told us
                    opened = true;
                    this.phase = "live";
                } else if (state === "waiting") this.phase = "lost";
            },
        });
    }

    stop() {
        this.life++;
        this.stream?.close();
        this.stream = null;
        this.vehicles.clear();
        this.version++;
    }

    private seq = 0;

    private async load(life: number) {
        const before = new Set(this.vehicles.keys());
        for (let after: string | null = ""; after !== null;) {
            const page: MapPage = await api.get<MapPage>("/map", { query: { ...WORLD, after } });
            if (life !== this.life) return;
            this.take(page);
            for (const row of page.rows) before.delete(String(row[page.columns.indexOf("code")]));
            this.seq = page.as_of_seq;
            after = page.next;
        }
        for (const code of before) this.vehicles.delete(code);
        this.version++;
    }

    private take(page: MapPage) {
        clock.heard(page.now_ms);
        this.heardAt = performance.now();
        const at = Object.fromEntries(page.columns.map((name, i) => [name, i])) as Record<string, number>;
        for (const row of page.rows) this.row(row, at);
        for (const code of page.gone ?? []) this.vehicles.delete(code);
        this.version++;
    }

    private row(row: unknown[], at: Record<string, number>) {
        const value = (name: string) => row[at[name] ?? -1];
        const state = String(value("state"));
        if (!(state in STATE_INDEX)) return;
        const lon = Number(value("lon")), lat = Number(value("lat")), now = performance.now();
        const x = mercatorX(lon), y = mercatorY(lat), code = String(value("code"));
        let v = this.vehicles.get(code);
        if (!v) {
            v = { code, type: "", city: "", state: "available", battery: null, speedDmh: 0, heardMs: 0, lon, lat,
                  fromX: x, fromY: y, toX: x, toY: y, startMs: now, spanMs: 0 };
            this.vehicles.set(code, v);
        }
        if (v.toX !== x || v.toY !== y) {
            const far = Math.hypot(x - v.toX, y - v.toY) > JUMP || reduced.matches || document.hidden;
            const [fx, fy] = placeOf(v, now);
            const span = Math.min(GLIDE_MS.most, Math.max(GLIDE_MS.least, now - v.startMs));
            Object.assign(v, { fromX: far ? x : fx, fromY: far ? y : fy, toX: x, toY: y, lon, lat, startMs: now, spanMs: far ? 0 : span });
            if (!far) this.movingUntil = Math.max(this.movingUntil, now + span);
        }
        v.type = String(value("vehicle_type") ?? "");
        v.city = String(value("city") ?? "");
        v.state = state as VehicleState;
        v.battery = value("battery_pct") as number | null;
        v.speedDmh = Number(value("speed_dmh") ?? 0);
        v.heardMs = Number(value("heard_ms") ?? 0);
    }
}

// Where it is drawn at `now`.
export function placeOf(v: Vehicle, now: number): [number, number] {
    const k = v.spanMs ? Math.min(1, (now - v.startMs) / v.spanMs) : 1;
    return [v.fromX + (v.toX - v.fromX) * k, v.fromY + (v.toY - v.fromY) * k];
}

export const fleet = new Fleet();
