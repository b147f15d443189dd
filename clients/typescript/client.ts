// SPDX-License-Identifier: Apache-2.0
// A thin client of Paddock's API over fetch, for browsers and Node; types come from the server's own document
// (schema.d.ts, by openapi-typescript). Nothing to install: copy both files.
//
//     const paddock = new Client({ server: "http://127.0.0.1:8080", token });
//     const { ride } = await paddock.post("/v1/rides", { body: { vehicle_code: "GBG-1" }, query: { wait: 20 } });
//     for await (const event of paddock.events("/v1/events/live")) console.log(event.event, event.data);
//
// A refusal is thrown as Problem. A POST gets an Idempotency-Key and is sent again under the same one when the network
// fails or the server asks for patience: what it does happens once. Streams go on by themselves where they were.
import type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];
type Method = "get" | "post" | "put" | "delete";
type Operation<P extends keyof paths, M extends Method> = M extends keyof paths[P] ? NonNullable<paths[P][M]> : never;
/** Paths that have the method. */
export type PathsOf<M extends Method> = {
  [P in keyof paths]: [Operation<P, M>] extends [never] ? never : P;
}[keyof paths];

type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : never;
type Part<Op, Name extends string> = Op extends { parameters: { [N in Name]: infer Value } } ? Value : undefined;
type Responses<Op> = Op extends { responses: infer R } ? R : never;
/** What a call answers when it went well. */
export type Answer<P extends keyof paths, M extends Method> =
  Responses<Operation<P, M>> extends infer R
    ? { [S in keyof R]: S extends 200 | 201 | 202 ? Json<R[S]> : S extends 204 ? undefined : never }[keyof R]
    : never;

type Given<Name extends string, Value> = [undefined] extends [Value]
  ? { [N in Name]?: Exclude<Value, undefined> }
  : { [N in Name]: Value };
type BodyOf<Op> = Op extends { requestBody: infer R } ? Json<R> : undefined;
export type Asked<P extends keyof paths, M extends Method> = Given<"path", Part<Operation<P, M>, "path">> & {
  query?: NonNullable<Operation<P, M> extends { parameters: { query?: infer Q } } ? Q : never>;
} & Given<"body", BodyOf<Operation<P, M>>> & {
  /** The intention's name, of a POST; made when not given. */
  key?: string;
  signal?: AbortSignal;
};
type MayBeLeftOut<T> = Record<string, never> extends T ? [asked?: T] : [asked: T];

/** The server refused (RFC 9457): act on `code`, show `detail`, quote `traceId`. */
export class Problem extends Error {
  readonly code: string;
  readonly detail: string;
  readonly traceId?: string;
  readonly errors: { field: string; why: string }[];
  constructor(
    readonly status: number,
    readonly body: Partial<Schemas["Problem"]>,
    readonly retryAfterS?: number,
  ) {
    super(`${status} ${body.code ?? "unknown"}: ${body.detail ?? ""}`);
    this.name = "Problem";
    this.code = body.code ?? "unknown";
    this.detail = body.detail ?? "";
    this.traceId = body.trace_id;
    this.errors = body.errors ?? [];
  }
  /** Worth another try under the same key. */
  get again(): boolean {
    return [429, 503, 504].includes(this.status) || this.code === "idempotency_in_flight";
  }
}

/** Nobody answered, however often it was tried. Whether the server acted is unknown: the same `key` tells it again. */
export class Unreachable extends Error {
  constructor(
    readonly why: unknown,
    readonly key?: string,
  ) {
    super(`unreachable: ${why instanceof Error ? why.message : String(why)}`);
    this.name = "Unreachable";
  }
}

export interface SentEvent<Data = unknown> {
  id: string;
  event: string;
  data: Data;
}

export interface Options {
  /** "" is where the page came from. */
  server?: string;
  token?: string;
  /** What Paddock-App says: "rider/12". */
  app?: string;
  /** Of each request; 6. */
  tries?: number;
  /** Before the second try; doubles. 250. */
  patienceMs?: number;
  fetch?: typeof fetch;
}

interface Request {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
  key?: string;
  signal?: AbortSignal;
}

function newKey(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

export class Client {
  token?: string;
  private readonly options: Required<Omit<Options, "token" | "app">> & { app?: string };

  constructor(options: Options = {}) {
    this.token = options.token;
    this.options = {
      server: (options.server ?? "").replace(/\/+$/, ""),
      app: options.app,
      tries: options.tries ?? 6,
      patienceMs: options.patienceMs ?? 250,
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    };
  }

  get<P extends PathsOf<"get">>(path: P, ...[asked]: MayBeLeftOut<Asked<P, "get">>): Promise<Answer<P, "get">> {
    return this.call("GET", path, asked as Request) as Promise<Answer<P, "get">>;
  }
  post<P extends PathsOf<"post">>(path: P, ...[asked]: MayBeLeftOut<Asked<P, "post">>): Promise<Answer<P, "post">> {
    return this.call("POST", path, asked as Request) as Promise<Answer<P, "post">>;
  }
  put<P extends PathsOf<"put">>(path: P, ...[asked]: MayBeLeftOut<Asked<P, "put">>): Promise<Answer<P, "put">> {
    return this.call("PUT", path, asked as Request) as Promise<Answer<P, "put">>;
  }
  delete<P extends PathsOf<"delete">>(
    path: P,
    ...[asked]: MayBeLeftOut<Asked<P, "delete">>
  ): Promise<Answer<P, "delete">> {
    return this.call("DELETE", path, asked as Request) as Promise<Answer<P, "delete">>;
  }

  private url(path: string, asked: Request): string {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(asked.path?.[name])));
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(asked.query ?? {})) {
      if (value !== undefined && value !== null) query.set(name, String(value));
    }
    return this.options.server + filled + (query.size ? `?${query}` : "");
  }

  private headers(more: Record<string, string>): Record<string, string> {
    const headers = { ...more };
    if (this.token) headers["Authorization"] = `Bearer ${this.token}`;
    if (this.options.app) headers["Paddock-App"] = this.options.app;
    return headers;
  }

  private async problem(answer: Response): Promise<Problem> {
    const body = (await answer.json().catch(() => ({}))) as Partial<Schemas["Problem"]>;
    const retry = Number(answer.headers.get("Retry-After") ?? NaN);
    return new Problem(answer.status, body, Number.isFinite(retry) ? retry : undefined);
  }

  private async call(method: string, path: string, asked: Request = {}): Promise<unknown> {
    const key = method === "POST" ? (asked.key ?? newKey()) : undefined;
    const headers = this.headers(key ? { "Idempotency-Key": key } : {});
    if (asked.body !== undefined) headers["Content-Type"] = "application/json";
    const init: RequestInit = { method, headers, signal: asked.signal };
    if (asked.body !== undefined) init.body = JSON.stringify(asked.body);
    for (let tried = 1; ; tried++) {
      let waitMs = this.options.patienceMs * 2 ** (tried - 1);
      try {
        const answer = await this.options.fetch(this.url(path, asked), init);
        if (answer.ok) {
          const text = await answer.text();
          return text ? JSON.parse(text) : undefined;
        }
        throw await this.problem(answer);
      } catch (why) {
        if (asked.signal?.aborted) throw why;
        if (why instanceof Problem) {
          if (!why.again || tried >= this.options.tries) throw why;
          waitMs = Math.max(waitMs, (why.retryAfterS ?? 0) * 1000);
        } else if (tried >= this.options.tries) {
          throw new Unreachable(why, key);
        }
      }
      await pause(waitMs, asked.signal);
    }
  }

  /** Events until the loop is left; connects again where it was when the network fails. */
  async *events<Data = unknown>(
    path: PathsOf<"get">,
    asked: { query?: Record<string, unknown>; lastEventId?: string; signal?: AbortSignal } = {},
  ): AsyncGenerator<SentEvent<Data>> {
    let last = asked.lastEventId;
    for (let failed = 0; ; ) {
      try {
        const headers = this.headers({ Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) });
        const answer = await this.options.fetch(this.url(path, asked), { headers, signal: asked.signal });
        if (!answer.ok) throw await this.problem(answer);
        for await (const event of sent<Data>(answer)) {
          failed = 0;
          if (event.id) last = event.id;
          yield event;
        }
      } catch (why) {
        if (asked.signal?.aborted) return;
        if (why instanceof Problem && !why.again) throw why;
      }
      failed++;
      if (failed >= this.options.tries) throw new Unreachable("the stream does not come back");
      await pause(Math.min(this.options.patienceMs * 2 ** failed, 10_000), asked.signal);
    }
  }
}

async function* sent<Data>(answer: Response): AsyncGenerator<SentEvent<Data>> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let event = { id: "", event: "message", data: [] as string[] };
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
        const line = text.slice(0, end).replace(/\r$/, "");
        text = text.slice(end + 1);
        if (!line) {
          if (event.data.length) {
            yield { id: event.id, event: event.event, data: JSON.parse(event.data.join("\n")) as Data };
          }
          event = { id: "", event: "message", data: [] };
          continue;
        }
        const [, name, said] = /^([^:]*):? ?(.*)$/s.exec(line)!;
        if (name === "id") event.id = said!;
        else if (name === "event") event.event = said!;
        else if (name === "data") event.data.push(said!);
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
