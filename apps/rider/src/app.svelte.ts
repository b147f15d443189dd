// SPDX-License-Identifier: Apache-2.0
// app: what every part of the page shares: the API, the session, what is reachable, the server's clock.
import { Api, ApiError } from "@paddock/ui/api.ts";
import { has, t } from "@paddock/ui/i18n.svelte.ts";
import { Session } from "@paddock/ui/session.svelte.ts";
import { toasts } from "@paddock/ui/toasts.svelte.ts";

declare const __BUILD__: number;

export interface About { build: string; demo: { panel: string } | null; cities: { code: string; name: string; lat: number; lon: number; time_zone: string }[] }
export interface Near { code: string; vehicle_type: string; motor: boolean; lat: number; lon: number; battery_pct: number | null;
                        distance_m: number; unlock_minor: number; minute_minor: number; currency: string; decimals: number }
export type Point = [number, number];          // lon, lat

// The server's time, from the Date of its answers: whole seconds, so the latest of many is close. In the demo it may run
// faster than ours, so its pace is measured too. Never goes back.
class ServerClock {
    private at = { server: Date.now(), local: performance.now() };
    private first: { server: number; local: number } | undefined;
    private pace = 1;
    private shown = 0;
    heard(serverMs: number) {
        const local = performance.now(), middle = serverMs + 500;
        this.first ??= { server: middle, local };
        const apart = local - this.first.local;
        if (apart > 8000) this.pace = Math.max(0.5, (middle - this.first.server) / apart);
        if (Math.abs(this.pace - 1) < 0.2) this.pace = 1;
        if (Math.abs(this.now() - middle) > 700 * this.pace) this.at = { server: middle, local };
    }
    now() { return this.at.server + (performance.now() - this.at.local) * this.pace; }
    // For meters: what was shown once is never taken back.
    shownNow() { return (this.shown = Math.max(this.shown, this.now())); }
}

class App {
    session = new Session("rider");
    about = $state<About | null>(null);
    reached = $state(true);
    updateUrl = $state<string | null>(null);
    clock = new ServerClock();
    api = new Api({
        app: "rider", build: __BUILD__, token: () => this.session.who?.token ?? null,
        onUnauthenticated: () => this.session.end("expired"),
        onTooOld: (url) => { this.updateUrl = url; },
        onReach: (reached) => { this.reached = reached; },
        onDate: (ms) => this.clock.heard(ms),
    });
    get centre(): Point {
        const city = this.about?.cities[0];
        return city ? [city.lon, city.lat] : [11.968, 57.707];
    }
    async load() {
        this.about = await this.api.get<About>("/about").catch(() => null);
    }
}
export const app = new App();

export function sentence(error: unknown) {
    if (!(error instanceof ApiError)) return t("error.other", { code: String(error), trace: "" });
    return has(`error.${error.code}`) ? t(`error.${error.code}`) : t("error.other", { code: error.code, trace: error.traceId });
}

export function tell(error: unknown) { toasts.show("error", sentence(error)); }
