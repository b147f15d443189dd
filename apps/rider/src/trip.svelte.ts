// SPDX-License-Identifier: Apache-2.0
// trip: the one ride of this rider, from the tap to the receipt.
//
//     none ──start──► asking ──202──► unlocking ──vehicle──► riding ──end──► ending ──► over ──done──► none
//                       └──no answer: asked again under the same key, also after a reload──┘
//
// What a tap asked for is kept on the phone until its answer came: a lost reply, a reload or a dead battery asks again under the
// same Idempotency-Key and gets the same ride. What is shown comes from the server's rows only; events are a hint to look.
import { ApiError, newKey } from "@paddock/ui/api.ts";
import { Stream } from "@paddock/ui/sse.ts";
import { app, tell } from "./app.svelte.ts";

export interface Ride {
    id: string; state: string; vehicle_code: string; currency: string; unlock_minor: number; minute_minor: number;
    requested_ms: number; started_ms: number | null; ended_ms: number | null; reason: string; minutes: number; charge_minor: number;
    refusal: string | null;
}
export interface Receipt {
    ride_id: string; vehicle_code: string; currency: string; started_ms: number; ended_ms: number; minutes: number; total_minor: number;
    lines: { what: string; count?: number; each_minor?: number; minor: number }[];
}
interface Asked { key: string; code: string; at: number }
export type Phase = "none" | "asking" | "unlocking" | "riding" | "ending" | "over";

const ASKED = "paddock.rider.asked", OVER = ["settled", "failed", "cancelled"];
const POLL_MS = 3000;

function kept(): Asked | null {
    try { return JSON.parse(localStorage.getItem(ASKED) ?? "null") as Asked | null; } catch { return null; }
}

class Trip {
    ride = $state<Ride | null>(null);
    receipt = $state<Receipt | null>(null);
    asked = $state<Asked | null>(kept());
    again = $state(false);                     // the answer to the tap was lost; it is asked for once more
    endAsked = $state(false);
    vehicle = $state<{ lon: number; lat: number; battery: number | null; fixMs: number } | null>(null);
    decimals = $state(2);
    private stream: Stream | null = null;
    private timer: ReturnType<typeof setTimeout> | undefined;
    private looking = false;

    get phase(): Phase {
        const state = this.ride?.state;
        if (!state) return this.asked ? "asking" : "none";
        if (OVER.includes(state)) return "over";
        if (state === "riding" || state === "paused") return this.endAsked ? "ending" : "riding";
        if (state === "ending" || state === "ended") return "ending";
        return "unlocking";
    }

    // After signing in, and after a reload: what is open goes on.
    async begin() {
        this.stream ??= new Stream(app.api, "/events/live", { onEvent: () => void this.look(), onReset: () => void this.look(), onState: (s) => { if (s === "open") void this.look(); } });
        if (this.asked) await this.ask();
        else await this.look();
    }

    stop() {
        this.stream?.close();
        this.stream = null;
        clearTimeout(this.timer);
        this.ride = this.receipt = this.vehicle = null;
        this.forget();
    }

    async start(code: string, decimals: number) {
        if (this.phase !== "none") return;     // a second tap
        this.decimals = decimals;
        this.asked = { key: newKey(), code, at: Date.now() };
        localStorage.setItem(ASKED, JSON.stringify(this.asked));
        await this.ask();
    }

    private async ask() {
        const { key, code } = this.asked!;
        for (;;) {
            try {
                this.take((await app.api.post<{ ride: Ride }>("/rides", { vehicle_code: code }, { key, tries: 1 })).ride);
                break;
            } catch (error) {
                const unknown = error instanceof ApiError && (error.offline || error.status >= 500 || error.code === "idempotency_in_flight");
                if (this.asked?.key !== key) return;
                if (!unknown) {
                    this.forget();
                    tell(error);
                    return;
                }
                this.again = true;
                await new Promise((done) => setTimeout(done, 1000));
                if (this.asked?.key !== key) return; // cancelled meanwhile
            }
        }
        this.forget();
        await this.look();
    }

    private forget() {
        localStorage.removeItem(ASKED);
        this.asked = null;
        this.again = false;
    }

    private take(ride: Ride) {
        const over = OVER.includes(ride.state);
        if (ride.state === "riding" && this.endAsked && ride.refusal) {
            tell(new ApiError(ride.refusal, 409, ""));
            this.endAsked = false;
        }
        if (over) this.endAsked = false;
        this.ride = ride;
    }

    async look() {
        clearTimeout(this.timer);
        if (this.looking || !app.session.who) return;
        this.looking = true;
        try {
            const open = this.ride && !OVER.includes(this.ride.state);
            if (open) this.take((await app.api.get<{ ride: Ride }>(`/rides/${this.ride!.id}`)).ride);
            else if (!this.ride) await this.lookForOpen();
            if (this.phase === "riding" || this.phase === "ending") await this.lookAtVehicle();
            if (this.ride?.state === "settled" && !this.receipt) this.receipt = await app.api.get<Receipt>(`/rides/${this.ride.id}/receipt`);
        } catch (error) {
            if (!(error instanceof ApiError) || !error.offline) console.warn(String(error));
        } finally {
            this.looking = false;
        }
        if (this.ride && (!OVER.includes(this.ride.state) || (this.ride.state === "settled" && !this.receipt))) {
            this.timer = setTimeout(() => void this.look(), this.phase === "unlocking" ? 1000 : POLL_MS);
        }
    }

    private async lookForOpen() {
        const newest = (await app.api.get<{ rides: Ride[] }>("/rides", { query: { limit: 1 } })).rides[0];
        if (newest && !OVER.includes(newest.state) && !this.ride) this.take(newest);
    }

    private async lookAtVehicle() {
        const { vehicle } = await app.api.get<{ vehicle: { device: { lat: number; lon: number; battery_pct: number | null; fix_ms: number } | null; offer?: { decimals: number } } }>(
            `/vehicles/${encodeURIComponent(this.ride!.vehicle_code)}`);
        if (vehicle.offer) this.decimals = vehicle.offer.decimals;
        const d = vehicle.device;
        if (d && d.lat !== null) this.vehicle = { lon: d.lon, lat: d.lat, battery: d.battery_pct, fixMs: d.fix_ms };
    }

    // Ends it, or cancels one that has not begun.
    async end() {
        if (this.phase === "asking") {
            // The answer is not here: ask who won before anything is taken back.
            await this.look();
            if (!this.ride) return;
        }
        if (!this.ride || this.endAsked) return;
        this.endAsked = true;
        try {
            this.take((await app.api.post<{ ride: Ride }>(`/rides/${this.ride.id}/end`, undefined, { tries: 5 })).ride);
        } catch (error) {
            this.endAsked = false;
            tell(error);
        }
        await this.look();
    }

    done() {
        this.ride = this.receipt = this.vehicle = null;
        this.endAsked = false;
    }
}
export const trip = new Trip();

// As the server counts: a minute counts from its first millisecond.
export function startedMinutes(fromMs: number, nowMs: number) {
    return nowMs <= fromMs ? 0 : Math.ceil((nowMs - fromMs) / 60000);
}
