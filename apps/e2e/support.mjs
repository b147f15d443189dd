// SPDX-License-Identifier: Apache-2.0
// support: a browser before a real `paddock demo`, for the tests beside this. tests/support/browser.py starts both and says
// where things are: DEMO (demo.json), CHROMIUM, and SHOTS (a folder) when pictures are wanted.
//
// A page that writes an error to its console, throws, or breaks its own security policy has failed, whatever else it shows.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const axeText = readFileSync(axePath, "utf8");
export const demo = JSON.parse(readFileSync(process.env.DEMO, "utf8"));
export const origin = `http://${demo.http}`;
export const SIZES = { desk: { width: 1440, height: 900 }, tablet: { width: 1024, height: 768 },
                       upright: { width: 820, height: 1180 }, phone: { width: 390, height: 844 } };
const shots = process.env.SHOTS;
let browser;

// One browser for all tests of a file.
export function withBrowser() {
    before(async () => {
        browser = await chromium.launch({
            executablePath: process.env.CHROMIUM,
            args: ["--no-sandbox", "--disable-dev-shm-usage", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
                   "--ignore-gpu-blocklist", "--disable-background-networking", "--lang=en-US"],
        });
    });
    after(() => browser?.close());
}

// Runs `steps(page)` on a page of its own; `session` puts a signed-in person there first.
export async function withPage(options, steps) {
    const { size = "desk", theme = "light", motion = "reduce", language = "en-US", app, token, role, expected = [], ...more } = options;
    const context = await browser.newContext({ viewport: SIZES[size], colorScheme: theme, reducedMotion: motion, locale: language,
                                               timezoneId: "Europe/Stockholm", ...more });
    const page = await context.newPage();
    page.setDefaultTimeout(30000);
    const wrong = [];
    page.on("pageerror", (error) => wrong.push(`threw: ${error.message}`));
    page.on("console", (message) => {
        if (message.type() === "error" && !expected.some((e) => message.text().match(e))) wrong.push(`console: ${message.text()}`);
    });
    page.on("request", (request) => {
        const url = new URL(request.url());
        if (url.protocol.startsWith("http") && url.origin !== origin && url.origin !== demo.panel) wrong.push(`asked another host: ${request.url()}`);
    });
    if (token) {
        const who = { token, role: role ?? "control", account: "", name: "", expiresMs: 0 };
        await page.addInitScript(([key, value]) => { if (!sessionStorage.getItem("seeded")) { localStorage.setItem(key, value); sessionStorage.setItem("seeded", "1"); } },
                                 [`paddock.${app}.session`, JSON.stringify(who)]);
    }
    try {
        await steps(page, context);
        assert.deepEqual(wrong, [], "the page did something wrong");
    } catch (error) {
        if (wrong.length) error.message += `\nthe page: ${wrong.join("\n  ")}`;
        if (shots) await shot(page, `failed-${app}`).catch(() => {});
        throw error;
    } finally {
        await context.close();
    }
}

// A picture for people, when somebody asked for pictures.
export async function shot(page, name) {
    if (!shots) return;
    mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: join(shots, `${name}.png`) });
}

// WCAG A and AA by axe-core. The map's canvas has a label, and a list beside it says the same.
export async function accessible(page, where) {
    await page.evaluate(axeText);          // not a script element: the page's policy forbids those
    const result = await page.evaluate(() => globalThis.axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    const found = result.violations.map((v) => `${v.id}: ${v.help}\n    ${v.nodes.map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? "")).slice(0, 5).join("\n    ")}`);
    assert.deepEqual(found, [], `${where} is not accessible`);
}

// The map has drawn once and waits for nothing more.
export async function mapReady(page) {
    await page.waitForSelector('[data-map="ready"]', { timeout: 60000 });
}

export async function api(method, path, token, body) {
    const response = await fetch(`${origin}/v1${path}`, { method, body: body && JSON.stringify(body), headers: {
        Authorization: `Bearer ${token}`, "Idempotency-Key": crypto.randomUUID(), "Content-Type": "application/json" } });
    return { status: response.status, body: await response.json().catch(() => undefined) };
}

// A token that nobody else holds: signing out ends it for all who do.
export function ownToken(role) {
    const [binary, ...more] = process.env.PADDOCK.split(" ");
    return execFileSync(binary, [...more, "token", "--data", dirname(process.env.DEMO), "--role", role], { encoding: "utf8" }).trim();
}

// Waits for a state, never for a time.
export async function until(what, condition, ms = 30000) {
    const end = Date.now() + ms;
    for (let value; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
        if ((value = await condition())) return value;
    }
    assert.fail(`did not happen in ${ms / 1000} s: ${what}`);
}
