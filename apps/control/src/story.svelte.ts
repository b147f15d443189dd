// SPDX-License-Identifier: Apache-2.0
// story: what happened to one vehicle and, beside it, the bytes it said and was told, as one list, newest first.
//
// Both are paged apart and shown together only down to where both are known: what one still lacks would read as silence.
// The bytes are a help. Who may not see them, or cannot get them, has the events alone.
import { ApiError } from "@paddock/ui/api.ts";
import { api, session } from "./server.svelte.ts";
import type { FleetEvent, Frame } from "./terms.ts";

export type Row = { key: string; at_ms: number } & ({ event: FleetEvent; frame?: undefined } | { frame: Frame; event?: undefined });
export type Fold = { key: string; rows: Row[] };   // frames in a row that say little one by one

const EVENTS_PAGE = 30;
const FRAMES_PAGE = 100;
const FRAMES_KEPT = 2000;          // then the newest page again
const FILLED = 16;                 // so many lines, folds counted as one, make a first screen
const FILL_ASKS = 5;
const FOLD_FROM = 7;               // frames in a row; the newest and the oldest FOLD_EDGE of them stay
const FOLD_EDGE = 2;
const KEY = "paddock.control.bytes";
const BY_ROLE: Record<string, boolean> = { control: true, oncall: true };

interface Page { events: FleetEvent[]; next: string | null }
interface FramePage { frames: Frame[]; next: string | null }

// Whether bytes are shown: kept on this device, else by role.
class Bytes {
    private chosen = $state(localStorage.getItem(KEY));
    private deniedTo = $state<string | null>(null);    // the token that got a 403: it need not ask again

    get denied() { return session.who !== null && session.who.token === this.deniedTo; }
    get shown() { return !this.denied && (this.chosen === null ? BY_ROLE[session.who?.role ?? ""] ?? false : this.chosen === "1"); }
    set(shown: boolean) {
        this.chosen = shown ? "1" : "0";
        localStorage.setItem(KEY, this.chosen);
    }
    deny() { this.deniedTo = session.who?.token ?? null; }
}
export const bytes = new Bytes();

// Within one millisecond: said, decided, told.
const rank = (row: Row) => (row.event ? 1 : row.frame.direction === "in" ? 0 : 2);
const isNewer = (a: Row, b: Row) => a.at_ms > b.at_ms || (a.at_ms === b.at_ms && rank(a) > rank(b));

// Two lists, each newest first, as one. Neither is sorted anew: each is in the order in which the server wrote it.
export function merge(a: Row[], b: Row[]): Row[] {
    const out: Row[] = [];
    for (let i = 0, k = 0; i < a.length || k < b.length;)
        out.push(k === b.length || (i < a.length && isNewer(a[i]!, b[k]!)) ? a[i++]! : b[k++]!);
    return out;
}

export function fold(rows: Row[], opened: ReadonlySet<string>): (Row | Fold)[] {
    const out: (Row | Fold)[] = [];
    for (let i = 0; i < rows.length;) {
        let end = i;
        while (end < rows.length && rows[end]!.frame) end++;
        const oldest = rows[end - 1];
        if (end - i < FOLD_FROM || opened.has(`fold ${oldest!.key}`)) {
            end = Math.max(end, i + 1);
            out.push(...rows.slice(i, end));
        } else {
            out.push(...rows.slice(i, i + FOLD_EDGE), { key: `fold ${oldest!.key}`, rows: rows.slice(i + FOLD_EDGE, end - FOLD_EDGE) },
                     ...rows.slice(end - FOLD_EDGE, end));
        }
        i = end;
    }
    return out;
}

// Frames have no name of their own: a millisecond, and the how manieth in it, counted from the oldest.
function named(frames: Frame[]): Row[] {
    const met = new Map<number, number>();
    const rows: Row[] = [];
    for (const frame of frames.toReversed()) {
        const n = met.get(frame.at_ms) ?? 0;
        met.set(frame.at_ms, n + 1);
        rows.push({ key: `frame ${frame.at_ms} ${n}`, at_ms: frame.at_ms, frame });
    }
    return rows.reverse();
}

export class Story {
    events = $state.raw<FleetEvent[]>([]);
    frames = $state.raw<Frame[]>([]);
    trouble = $state(false);                   // no events could be loaded
    framesTrouble = $state(false);
    older = $state(false);                     // being loaded
    opened = $state.raw<ReadonlySet<string>>(new Set());
    private next = $state<string | null>(null);
    private framesNext = $state<string | null>(null);
    private framesAsked = $state(false);
    private gone = false;
    private path: string;

    constructor(code: string) { this.path = `/vehicles/${encodeURIComponent(code)}`; }
    close() { this.gone = true; }

    private withFrames = $derived(bytes.shown && this.framesAsked);
    private eventsFrom = $derived(this.next === null ? -Infinity : this.events.at(-1)?.at_ms ?? -Infinity);
    private framesFrom = $derived(!this.withFrames || this.framesNext === null ? -Infinity : this.frames.at(-1)?.at_ms ?? -Infinity);
    rows = $derived.by(() => {
        const from = Math.max(this.eventsFrom, this.framesFrom);
        const events: Row[] = this.events.map((event) => ({ key: event.id, at_ms: event.at_ms, event }));
        const all = this.withFrames ? merge(events, named(this.frames)) : events;
        return from === -Infinity ? all : all.filter((row) => row.at_ms >= from);
    });
    lines = $derived(fold(this.rows, this.opened));
    more = $derived(this.eventsFrom !== -Infinity || this.framesFrom !== -Infinity);
    // The oldest frame there is, when the story goes on before it: what was said then is no longer kept.
    keptFrom = $derived(this.withFrames && this.framesNext === null ? this.frames.at(-1)?.at_ms ?? null : null);

    // The newest of both; the first time, enough for a screen.
    async refresh() {
        const first = this.events.length === 0 || (bytes.shown && !this.framesAsked);
        await Promise.all([this.newestEvents(), this.newestFrames()]);
        for (let asks = 0; first && asks < FILL_ASKS && this.more && this.lines.length < FILLED && !this.gone; asks++) await this.behind();
    }

    async newestEvents() {
        try {
            const page = await api.get<Page>(`${this.path}/timeline`, { query: { limit: EVENTS_PAGE }, tries: 2 });
            if (this.gone) return;
            const known = new Set(page.events.map((e) => e.id));
            const overlap = this.events.some((e) => known.has(e.id));
            this.events = overlap ? [...page.events, ...this.events.filter((e) => !known.has(e.id))] : page.events;
            if (!overlap) this.next = page.next;
            this.trouble = false;
        } catch (error) {
            if (!(error instanceof ApiError && error.status === 404)) this.trouble = this.events.length === 0;
        }
    }

    async newestFrames() {
        if (!bytes.shown) return;
        const since = this.frames.length > FRAMES_KEPT ? undefined : this.frames[0]?.at_ms;
        const page = await this.askFrames({ limit: FRAMES_PAGE, since_ms: since });
        if (!page) return;
        const joins = since !== undefined && page.next === null;
        this.frames = joins ? [...page.frames, ...this.frames.filter((f) => f.at_ms < since)] : page.frames;
        if (!joins) this.framesNext = page.next;
        this.framesAsked = true;
    }

    // Older ones, so that at least one line more is there, unless there is none.
    async page() {
        if (this.older) return;
        this.older = true;
        const before = this.rows.length;
        for (let asks = 0; asks < FILL_ASKS && this.more && this.rows.length === before && !this.gone; asks++) {
            if (!await this.behind()) break;
        }
        this.older = false;
    }

    open(fold: Fold) { this.opened = new Set([...this.opened, fold.key]); }

    // One page of the one that keeps the other from being shown.
    private async behind() {
        if (this.framesFrom > this.eventsFrom) {
            const page = await this.askFrames({ limit: FRAMES_PAGE, before: this.framesNext });
            if (!page) return false;
            const oldest = this.framesFrom;
            const behind = page.frames.filter((f) => f.at_ms <= oldest);  // a server that was started anew counts from one again
            this.frames = [...this.frames, ...behind];
            this.framesNext = behind.length ? page.next : null;
            return true;
        }
        const page = await api.get<Page>(`${this.path}/timeline`, { query: { limit: EVENTS_PAGE, before: this.next } }).catch(() => null);
        if (!page || this.gone) return false;
        const known = new Set(this.events.map((e) => e.id));
        this.events = [...this.events, ...page.events.filter((e) => !known.has(e.id))];
        this.next = page.events.length ? page.next : null;
        return true;
    }

    private async askFrames(query: Record<string, string | number | null | undefined>) {
        try {
            const page = await api.get<FramePage>(`${this.path}/frames`, { query, tries: 1 });
            if (this.gone) return null;
            this.framesTrouble = false;
            return page;
        } catch (error) {
            const status = error instanceof ApiError ? error.status : 0;
            if (status === 403) bytes.deny();
            else if (!this.gone && status !== 404) this.framesTrouble = true;
            return null;
        }
    }
}
