// SPDX-License-Identifier: Apache-2.0
// server: the one connection of this page: session, calls, whether the server is there, and its clock.
import { Api, ApiError } from "@paddock/ui/api.ts";
import { Session } from "@paddock/ui/session.svelte.ts";

export const session = new Session("control");

class Link {
    reached = $state(true);
    lostAt = $state(0);                    // performance.now() of the first failure
    tooOld = $state<string | null>(null);  // where to get the newer app
    set(reached: boolean) {
        if (reached === this.reached) return;
        this.reached = reached;
        this.lostAt = reached ? 0 : performance.now();
    }
}
export const link = new Link();

export const api = new Api({
    app: "control",
    build: __BUILD__,
    token: () => session.who?.token ?? null,
    onUnauthenticated: () => session.end("expired"),
    onTooOld: (url) => { link.tooOld = url; },
    onReach: (reached) => link.set(reached),
});

// The server's time, for ages. A demo's clock may run faster than ours: its rate is measured.
class ServerClock {
    private first: { server: number; here: number } | null = null;
    private last: { server: number; here: number } | null = null;
    private rate = 1;
    now = $state(Date.now());

    constructor() { setInterval(() => { this.now = this.at(); }, 1000); }
    heard(server: number) {
        const here = performance.now();
        if (!this.first || server < this.first.server) this.first = { server, here };
        this.last = { server, here };
        const passed = here - this.first.here;
        if (passed > 3000) {
            const rate = (server - this.first.server) / passed;
            this.rate = rate > 1.2 ? Math.min(rate, 1000) : 1;
        }
    }
    at() {
        return this.last ? this.last.server + (performance.now() - this.last.here) * this.rate : Date.now();
    }
    get speed() { return this.rate; }
}
export const clock = new ServerClock();

export function describe(error: unknown): { code: string; detail: string; trace: string } {
    if (error instanceof ApiError) {
        const fields = error.faults.map((f) => `${f.field}: ${f.why}`).join("; ");
        return { code: error.code, detail: fields || error.detail, trace: error.traceId };
    }
    return { code: "failed", detail: String(error), trace: "" };
}
