// SPDX-License-Identifier: Apache-2.0
// toasts: short news at the edge of the page. Errors stay until they are closed; the rest goes by itself.
export interface Toast { id: number; kind: "done" | "info" | "error"; text: string; detail?: string }

const SHOWN_MS = 6000;
const SHOWN_MAX = 4;
let last = 0;

class Toasts {
    list = $state<Toast[]>([]);
    show(kind: Toast["kind"], text: string, detail?: string) {
        const id = ++last;
        this.list = [...this.list.slice(1 - SHOWN_MAX), { id, kind, text, detail }];
        if (kind !== "error") setTimeout(() => this.close(id), SHOWN_MS);
        return id;
    }
    close(id: number) { this.list = this.list.filter((toast) => toast.id !== id); }
}
export const toasts = new Toasts();
