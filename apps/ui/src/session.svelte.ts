// SPDX-License-Identifier: Apache-2.0
// session: who is signed in on this device. The token lives in localStorage under the app's name: the pages' policy lets no
// foreign script run, and a reload or a second tab is the same session. Signing out in one tab signs out all.
import type { Api } from "./api.ts";

export interface SignedIn { token: string; role: string; account: string; name: string; expiresMs: number }
export type SignOutReason = "" | "asked" | "expired";

export class Session {
    who = $state<SignedIn | null>(null);
    ended = $state<SignOutReason>("");         // why the last one is over, for the sign-in page to say
    private key: string;
    private timer: ReturnType<typeof setTimeout> | undefined;

    constructor(app: string) {
        this.key = `paddock.${app}.session`;
        this.who = this.kept();
        this.watch();
        window.addEventListener("storage", (event) => {
            if (event.key !== this.key) return;
            this.who = this.kept();
            if (!this.who) this.ended = "asked";
            this.watch();
        });
    }

    private kept(): SignedIn | null {
        try {
            const who = JSON.parse(localStorage.getItem(this.key) ?? "null") as SignedIn | null;
            return who?.token ? who : null;
        } catch {
            return null;
        }
    }

    begin(who: SignedIn) {
        this.who = who;
        this.ended = "";
        localStorage.setItem(this.key, JSON.stringify(who));
        this.watch();
    }

    end(reason: SignOutReason) {
        if (!this.who) return;
        this.who = null;
        this.ended = reason;
        localStorage.removeItem(this.key);
        clearTimeout(this.timer);
    }

    // Tells the server too; a server that cannot be reached keeps nobody from leaving.
    async signOut(api: Api) {
        await api.post("/sign-out", undefined, { tries: 1, timeoutMs: 4000 }).catch(() => undefined);
        this.end("asked");
    }

    private watch() {
        clearTimeout(this.timer);
        const left = (this.who?.expiresMs ?? 0) - Date.now();
        if (this.who?.expiresMs) this.timer = setTimeout(() => this.end("expired"), Math.min(Math.max(left, 0), 2 ** 31 - 1));
    }
}
