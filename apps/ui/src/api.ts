// SPDX-License-Identifier: Apache-2.0
// api: the server's HTTP from a page. One call is one promise: an answer, or an ApiError that says what is known.
//
//     not sent, or no answer    code "offline" or "timeout"; a read may simply be made again
//     refused                   the problem's code, detail, fields at fault, trace id
//
// A POST carries an Idempotency-Key made once per call, and is sent again with the same key when the network failed: the
// server does what was asked at most once. Every call names the app and its build; 426 means that this build is too old.
export interface FieldFault { field: string; why: string }

export class ApiError extends Error {
    constructor(
        readonly code: string,
        readonly status: number,
        readonly detail: string,
        readonly faults: FieldFault[] = [],
        readonly traceId = "",
        readonly retryAfterS = 0,
        readonly problem: Record<string, unknown> = {},
    ) {
        super(`${code}: ${detail}`);
    }
    get offline() { return this.code === "offline" || this.code === "timeout"; }
}

export interface ApiOptions {
    app: string;                               // "control"
    build: number;
    token: () => string | null;
    onUnauthenticated?: (error: ApiError) => void; // 401: the session is over
    onTooOld?: (updateUrl: string) => void;    // 426
    onReach?: (reached: boolean) => void;      // the server answered, or could not be reached
    onDate?: (ms: number) => void;             // the server's clock, in whole seconds, with every answer
}

export interface CallOptions {
    query?: Record<string, string | number | boolean | undefined | null>;
    body?: unknown;
    key?: string;                              // of your own, when a call must survive a reload
    signal?: AbortSignal;
    timeoutMs?: number;
    tries?: number;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
const TIMEOUT_MS = 15000;
const TRIES = 3;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

export function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID wants https; a LAN address has none
    return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export class Api {
    constructor(readonly options: ApiOptions) {}

    get<T>(path: string, options: CallOptions = {}) { return this.call<T>("GET", path, options); }
    post<T>(path: string, body?: unknown, options: CallOptions = {}) { return this.call<T>("POST", path, { ...options, body }); }
    put<T>(path: string, body?: unknown, options: CallOptions = {}) { return this.call<T>("PUT", path, { ...options, body }); }
    delete<T>(path: string, options: CallOptions = {}) { return this.call<T>("DELETE", path, options); }

    headers(): Record<string, string> {
        const token = this.options.token();
        return { "Paddock-App": `${this.options.app}/${this.options.build}`, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    }

    url(path: string, query: CallOptions["query"] = {}) {
        const pairs = Object.entries(query).filter(([, v]) => v !== undefined && v !== null && v !== "");
        const text = new URLSearchParams(pairs.map(([k, v]) => [k, String(v)])).toString();
        return `/v1${path}${text ? `?${text}` : ""}`;
    }

    async call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
        const headers: Record<string, string> = { ...this.headers(), Accept: "application/json" };
        if (method === "POST") headers["Idempotency-Key"] = options.key ?? newKey();
        if (options.body !== undefined) headers["Content-Type"] = "application/json";
        const body = options.body === undefined ? undefined : JSON.stringify(options.body);
        const tries = options.tries ?? TRIES;
        for (let n = 1; ; n++) {
            try {
                return await this.once<T>(method, this.url(path, options.query), headers, body, options);
            } catch (error) {
                const again = error instanceof ApiError && !options.signal?.aborted && n < tries &&
                    (error.offline || error.status === 503 || error.code === "idempotency_in_flight");
                if (!again) throw error;
                await pause(error.retryAfterS * 1000 || 250 * 2 ** (n - 1) * (0.75 + Math.random() / 2));
            }
        }
    }

    private async once<T>(method: Method, url: string, headers: Record<string, string>, body: string | undefined,
                          options: CallOptions): Promise<T> {
        const limit = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
        const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
        let response: Response, text: string;
        try {
            response = await fetch(url, { method, headers, body, signal, cache: "no-store", credentials: "omit" });
            text = await response.text();
        } catch (error) {
            if (options.signal?.aborted) throw error;
            this.options.onReach?.(false);
            if (limit.aborted) throw new ApiError("timeout", 0, "no answer in time");
            throw new ApiError("offline", 0, "the server cannot be reached");
        }
        this.options.onReach?.(true);
        const date = Date.parse(response.headers.get("Date") ?? "");
        if (date) this.options.onDate?.(date);
        return this.read<T>(response, text);
    }

    private read<T>(response: Response, text: string): T {
        let value: any = undefined;
        try {
            value = text ? JSON.parse(text) : undefined;
        } catch {
            throw new ApiError("malformed", response.status, "the answer is not JSON");
        }
        if (response.ok) return value as T;
        const error = new ApiError(value?.code ?? `http_${response.status}`, response.status, value?.detail ?? response.statusText,
                                   value?.errors ?? [], value?.trace_id ?? "", Number(response.headers.get("Retry-After") ?? 0), value ?? {});
        if (response.status === 401) this.options.onUnauthenticated?.(error);
        if (response.status === 426) this.options.onTooOld?.(String(value?.update_url ?? ""));
        throw error;
    }
}
