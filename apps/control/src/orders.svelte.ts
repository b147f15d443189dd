// SPDX-License-Identifier: Apache-2.0
// orders: what was ordered from this page, and truthfully what became of it. An order is followed by live events and, since
// those may be missed, asked for until it is decided. Unknown stays unknown: later reports decide it.
import { pulse } from "./pulse.svelte.ts";
import { api } from "./server.svelte.ts";
import type { Command } from "./terms.ts";

export interface Order { key: string; vehicle: string; op: string; command: Command | null; refused: string; at: number }

const ASK_MS = 1500;
const ASK_FOR_MS = 120000;
const KEPT = 20;
const DECIDED = new Set(["done", "failed"]);

class Orders {
    list = $state<Order[]>([]);
    private listening = false;

    of(vehicle: string) { return this.list.filter((o) => o.vehicle === vehicle); }

    // Rejects with an ApiError when the server did not take it.
    async send(vehicle: string, op: string) {
        this.listen();
        const answer = await api.post<{ command: Command }>(`/vehicles/${encodeURIComponent(vehicle)}/commands`, { op });
        const order: Order = { key: answer.command.id, vehicle, op, command: answer.command, refused: "", at: Date.now() };
        this.list = [order, ...this.list].slice(0, KEPT);
        void this.follow(order.key);
    }

    clear() { this.list = []; }

    private set(command: Command) {
        const order = this.list.find((o) => o.key === command.id);
        if (order && !(order.command && DECIDED.has(order.command.state))) order.command = command;
    }

    private async ask(id: string) {
        const answer = await api.get<{ command: Command }>(`/commands/${id}`, { tries: 1 }).catch(() => null);
        if (answer) this.set(answer.command);
    }

    private async follow(id: string) {
        for (const end = Date.now() + ASK_FOR_MS; Date.now() < end;) {
            await new Promise((done) => setTimeout(done, ASK_MS));
            const order = this.list.find((o) => o.key === id);
            if (!order || DECIDED.has(order.command?.state ?? "")) return;
            await this.ask(id);
        }
    }

    private listen() {
        if (this.listening) return;
        this.listening = true;
        pulse.listen((event) => {
            if (!event) this.list.forEach((o) => void this.ask(o.key));
            else if (event.command && this.list.some((o) => o.key === event.command)) void this.ask(event.command);
        });
    }
}
export const orders = new Orders();
