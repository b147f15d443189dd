// SPDX-License-Identifier: Apache-2.0
// sse: a live stream that outlives its connections. fetch instead of EventSource, which cannot send a token.
//
//     CONNECTING ──answer──► OPEN ──end, silence, failure──► WAITING ──► CONNECTING      until close()
//
// It resumes behind the last event that it has (Last-Event-ID); where the server no longer has those, it says `reset`
// and the caller reads its state anew. The server sends a comment every 15 s: 40 s without a byte is a dead connection.
import { ApiError, type Api } from "./api.ts";

export type StreamState = "connecting" | "open" | "waiting";
export interface StreamEvent { id: string; event: string; data: string }
export interface StreamOptions {
    query?: Record<string, string | number | undefined>;
    onEvent: (event: StreamEvent) => void;     // all but "reset"
    onReset?: () => void;                      // events were missed: read the state anew
    onState?: (state: StreamState, error?: ApiError) => void;
    silenceMs?: number;
}

const BACKOFF_MS = { first: 500, most: 10000 };

// Bytes in any pieces become events: the parser of the standard, less the fields nobody sends.
export class SseParser {
    private text = "";
    private id = "";
    private event = "";
    private data: string[] = [];
    constructor(readonly onEvent: (event: StreamEvent) => void) {}
    push(piece: string) {
        this.text += piece;
        for (let end; (end = this.text.search(/\r\n|\n|\r(?!$)/)) >= 0;) {
            const line = this.text.slice(0, end);
            this.text = this.text.slice(end + (this.text.startsWith("\r\n", end) ? 2 : 1));
            this.line(line);
        }
    }
    private line(line: string) {
        if (!line) {
            if (this.data.length) this.onEvent({ id: this.id, event: this.event || "message", data: this.data.join("\n") });
            this.event = "";
            this.data = [];
            return;
        }
        const colon = line.indexOf(":");
        if (colon === 0) return;
        const name = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (name === "data") this.data.push(value);
        else if (name === "event") this.event = value;
        else if (name === "id" && !value.includes("\0")) this.id = value;
    }
}

export class Stream {
    lastId = "";
    private closed = false;
    private abort = new AbortController();
    private wake: (() => void) | null = null;
    private fails = 0;

    constructor(readonly api: Api, readonly path: string, readonly options: StreamOptions) {
        addEventListener("online", this.now);
        void this.run();
    }

    close() {
        this.closed = true;
        removeEventListener("online", this.now);
        this.abort.abort();
        this.wake?.();
    }

    // Tries at once instead of waiting out the pause.
    now = () => { this.fails = 0; this.wake?.(); };

    private async run() {
        while (!this.closed) {
            this.options.onState?.("connecting");
            const error = await this.connect();
            if (this.closed) return;
            if (error && (error.status === 401 || error.status === 403 || error.status === 426)) {
                this.options.onState?.("waiting", error);
                return;
            }
            this.options.onState?.("waiting", error);
            const ms = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** this.fails++) * (0.7 + Math.random() * 0.6);
            await new Promise<void>((done) => {
                const timer = setTimeout(done, ms);
                this.wake = () => { clearTimeout(timer); done(); };
            });
            this.wake = null;
        }
    }

    private async connect(): Promise<ApiError | undefined> {
        this.abort = new AbortController();
        const { api } = this;
        let silence: ReturnType<typeof setTimeout> | undefined;
        const heard = () => {
            clearTimeout(silence);
            silence = setTimeout(() => this.abort.abort(), this.options.silenceMs ?? 40000);
        };
        try {
            heard();
            const headers: Record<string, string> = { ...api.headers(), Accept: "text/event-stream" };
            if (this.lastId) headers["Last-Event-ID"] = this.lastId;
            const response = await fetch(api.url(this.path, this.options.query),
                                         { headers, signal: this.abort.signal, cache: "no-store", credentials: "omit" });
            if (!response.ok || !response.body) return await this.refused(response);
            api.options.onReach?.(true);
            this.options.onState?.("open");
            const parser = new SseParser((event) => this.take(event));
            const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
            for (let part; !(part = await reader.read()).done;) {
                heard();
                parser.push(part.value);
            }
            return undefined;
        } catch {
            api.options.onReach?.(false);
            return new ApiError("offline", 0, "the server cannot be reached");
        } finally {
            clearTimeout(silence);
        }
    }

    private async refused(response: Response) {
        const problem = await response.json().catch(() => ({}));
        const error = new ApiError(problem.code ?? `http_${response.status}`, response.status, problem.detail ?? "");
        if (error.status === 401) this.api.options.onUnauthenticated?.(error);
        if (error.status === 426) this.api.options.onTooOld?.(String(problem.update_url ?? ""));
        return error;
    }

    private take(event: StreamEvent) {
        this.fails = 0;
        if (event.id) this.lastId = event.id;
        if (event.event === "reset") this.options.onReset?.();
        else this.options.onEvent(event);
    }
}
