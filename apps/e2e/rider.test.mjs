// SPDX-License-Identifier: Apache-2.0
// A rider on a phone: in by a code, a vehicle, a ride, its receipt; and what is told when the world misbehaves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, api, demo, origin, shot, SIZES, until, withBrowser, withPage } from "./support.mjs";

withBrowser();
SIZES.small = { width: 320, height: 568 };
let people = 100 + Math.floor(Math.random() * 800);
const NOISE = [/Failed to load resource/, /net::ERR/, /WebGL/]; // Chromium's own word for each refused or lost request

const phase = (page) => page.getAttribute("#sheet", "data-phase");
const inPhase = (page, ...names) => page.waitForSelector(names.map((n) => `[data-phase="${n}"]`).join(","), { timeout: 40000 });

async function signIn(page) {
    await page.goto(`${origin}/rider/`);
    await page.fill("#phone", `+4670123${String(1000 + people++)}`);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#code");
    const code = await until("the demo shows the code", () => page.getAttribute("[data-demo-code]", "data-demo-code"));
    await page.fill("#code", code);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".vehicle");
}

const token = (page) => page.evaluate(() => JSON.parse(localStorage.getItem("paddock.rider.session")).token);

// Rides until the vehicle confirmed; one that a simulated rider was quicker with, or that refused, is left for the next.
async function ride(page) {
    for (let n = 0; n < 6; n++) {
        await page.locator(".vehicle").nth(n % 3).click();
        await inPhase(page, "card");
        await page.click("#sheet button.primary");
        await inPhase(page, "riding", "over", "card", "near");
        if (await phase(page) === "riding") return;
        if (await phase(page) === "over") await page.click("#sheet button.primary");
        if (await phase(page) === "card") await page.reload();
        await inPhase(page, "near");
        await page.waitForSelector(".vehicle");
    }
    assert.fail("no vehicle opened in six tries");
}

async function end(page) {
    await until("the ride is over", async () => {
        if (await phase(page) === "over") return true;
        const button = page.locator('#sheet button.primary:not([aria-busy="true"])');
        if (await phase(page) === "riding" && await button.count()) await button.click().catch(() => undefined);
        await new Promise((done) => setTimeout(done, 500));
        return false;
    }, 60000);
}

test("a ride from the code to the receipt, which is the server's to the cent", async () => {
    await withPage({ app: "rider", size: "phone", expected: NOISE }, async (page) => {
        await page.goto(`${origin}/rider/`);
        await page.waitForSelector("#phone");
        await shot(page, "rider-sign-in");
        await accessible(page, "signing in");
        await page.fill("#phone", "12");
        await page.keyboard.press("Enter");
        await page.waitForSelector('#phone[aria-invalid="true"]');
        await signIn(page);
        await page.waitForSelector(".maplibregl-canvas");
        await shot(page, "rider-home");
        await accessible(page, "the vehicles near by");
        await page.locator(".vehicle").first().click();
        await inPhase(page, "card");
        await shot(page, "rider-card");
        await accessible(page, "a vehicle's card");
        await page.getByRole("button", { name: "Close", exact: true }).click();
        await ride(page);
        await shot(page, "rider-riding");
        await accessible(page, "riding");
        const price = Number(await page.getAttribute("[data-price]", "data-price"));
        await end(page);
        const total = Number(await (await page.waitForSelector("[data-total]")).getAttribute("data-total"));
        await shot(page, "rider-receipt");
        await accessible(page, "the receipt");
        const { body } = await api("GET", "/rides?limit=1", await token(page));
        const receipt = (await api("GET", `/rides/${body.rides[0].id}/receipt`, await token(page))).body;
        assert.equal(total, receipt.total_minor);
        assert.ok(price <= total && price >= body.rides[0].unlock_minor, `the meter said ${price}, the receipt ${total}`);
        assert.equal(receipt.total_minor, body.rides[0].charge_minor);
        await page.click("#sheet button.primary");
        await inPhase(page, "near");
    });
});

test("two taps and a reload are one ride, and the meter goes on", async () => {
    await withPage({ app: "rider", size: "small", theme: "dark", expected: NOISE }, async (page) => {
        await signIn(page);
        await shot(page, "rider-small");
        await page.locator(".vehicle").first().click();
        await inPhase(page, "card");
        await page.evaluate(() => { const b = document.querySelector("#sheet button.primary"); b.click(); b.click(); });
        await page.reload();               // the answer may not have come: the page asks again under the same key
        await inPhase(page, "unlocking", "riding", "over", "near");
        const { body } = await api("GET", "/rides?limit=10", await token(page));
        assert.ok(body.rides.length <= 1, "more than one ride was made");
        if (await phase(page) !== "riding" && await phase(page) !== "unlocking") return; // somebody was quicker, or it refused
        await inPhase(page, "riding", "over");
        if (await phase(page) === "over") return;
        const seconds = async () => (await page.textContent("[data-time]")).split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
        const before = await seconds();
        await page.reload();
        await inPhase(page, "riding");
        assert.ok(await seconds() >= before, "the meter went back");
        await accessible(page, "riding on a small dark screen");
        await end(page);
    });
});

test("a server that dies in mid-ride: the rider is told the truth, and the ride goes on", async () => {
    await withPage({ app: "rider", size: "phone", language: "fr-FR", expected: [...NOISE, /./] }, async (page) => {
        await signIn(page);
        await accessible(page, "the page in French");
        await ride(page);
        const { body } = await api("GET", "/rides?limit=1", await token(page));
        await page.locator("#sheet details summary").click();
        await Promise.all([page.waitForResponse((response) => response.url().endsWith("/kill")), page.click('[data-trouble="/kill"]')]);
        // A server is often back before a phone notices. This one is in a tunnel meanwhile, so that it does.
        await page.context().setOffline(true);
        await until("it says that there is no connection", async () => (await page.textContent(".banner"))?.includes("Votre trajet continue"), 20000);
        await shot(page, "rider-offline");
        await page.context().setOffline(false);
        await until("the connection is back", async () => !(await page.textContent(".banner"))?.trim(), 30000);
        await inPhase(page, "riding", "ending", "over");
        await end(page);
        const after = (await api("GET", "/rides?limit=2", await token(page))).body.rides;
        assert.equal(after[0].id, body.rides[0].id, "another ride than before");
        assert.equal(after.filter((r) => r.state === "settled").length, 1, "charged once");
    });
});

test("a code that does not exist, and the way by keyboard alone", async () => {
    await withPage({ app: "rider", size: "phone", expected: NOISE }, async (page) => {
        await signIn(page);
        await page.focus("#vehicle-code");
        await page.keyboard.type("nope-1");
        await page.keyboard.press("Enter");
        await page.waitForSelector('#vehicle-code[aria-invalid="true"]');
        await page.focus(".vehicle");
        await page.keyboard.press("Enter");
        await inPhase(page, "card");
        await until("the card's heading has the focus", () => page.evaluate(() => document.activeElement?.tagName === "H2"));
        await page.getByRole("button", { name: "Menu" }).click();
        await page.selectOption("#language", "sv");
        await page.getByRole("heading", { name: "Mina resor" }).waitFor();
        await accessible(page, "the menu");
        await page.keyboard.press("Escape");
        assert.ok(demo.panel, "the demo has a panel");
    });
});
