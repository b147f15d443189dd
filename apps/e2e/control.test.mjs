// SPDX-License-Identifier: Apache-2.0
// The control room against a real city: what staff see, can do, and are told when things go wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, api, demo, mapReady, origin, ownToken, shot, until, withBrowser, withPage } from "./support.mjs";

withBrowser();
const control = demo.tokens.control;
// Signed in. Streets take a software renderer a while: only who looks at them gets them, the others see the plain grid.
const room = (options, steps) => withPage({ app: "control", token: control, ...options }, async (page, context) => {
    if (!options.streets) await page.route("**/map/index.json", (route) => route.fulfill({ json: { cities: {} } }));
    await page.goto(`${origin}/control/${options.hash ?? ""}`);
    await page.getByText("Live", { exact: true }).waitFor();
    await steps(page, context);
});
const anyVehicle = async (fits) => {
    const { body } = await api("GET", "/vehicles?limit=200", control);
    return body.vehicles.find(fits);
};
const shownCount = (page) => page.locator("#side .head span").first().textContent().then((text) => Number(text.replace(/\D/g, "")));

test("nobody sees the fleet without signing in, and a wrong word is refused in plain words", async () => {
    await withPage({ app: "control", expected: [/401/] }, async (page) => {
        await page.goto(`${origin}/control/`);
        await page.getByRole("heading", { name: "Sign in to the control room" }).waitFor();
        await page.getByRole("button", { name: "Sign in", exact: true }).click();
        await page.getByText("Please fill this in.").first().waitFor();
        await page.getByLabel("Name").fill("nobody");
        await page.getByLabel("Password").fill("not the password");
        await page.getByRole("button", { name: "Sign in", exact: true }).click();
        await page.getByRole("alert").getByText("do not fit").waitFor();
        await accessible(page, "the sign-in page");
        await shot(page, "sign-in");
        await page.getByRole("button", { name: "Use an access token instead" }).click();
        await page.getByLabel("Access token").fill(ownToken("control"));
        await page.getByRole("button", { name: "Sign in", exact: true }).click();
        await page.getByText("Live", { exact: true }).waitFor();
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.getByText("You are signed out.").waitFor();
        assert.equal(await page.evaluate(() => localStorage.getItem("paddock.control.session")), null, "no token stays behind");
        const asked = [];
        page.on("request", (request) => asked.push(request.url()));
        await page.waitForTimeout(2500);       // longer than between two questions of somebody signed in
        assert.deepEqual(asked, [], "who has signed out asks nothing more");
    });
});

for (const theme of ["light", "dark"]) {
    test(`the overview counts the fleet and is accessible, ${theme}`, async () => {
        await room({ theme, streets: true }, async (page) => {
            await mapReady(page);
            const total = await until("the fleet is counted", async () => Number(await page.locator("#fleet-title .num").textContent()));
            assert.equal(total, demo.vehicle_count);
            await accessible(page, `the overview, ${theme}`);
            await shot(page, `overview-${theme}`);
        });
    });
}

test("the legend filters the list, and arrow keys and Enter open a vehicle", async () => {
    await room({}, async (page) => {
        await page.getByRole("tab", { name: "Vehicles" }).click();
        assert.equal(await page.getByRole("tab", { name: "Vehicles" }).getAttribute("aria-selected"), "true");
        const all = await until("vehicles are listed", () => shownCount(page));
        await page.getByRole("tab", { name: "Overview" }).click();
        await page.getByRole("button", { name: /^Available/ }).click();
        assert.equal(await page.getByRole("button", { name: /^Available/ }).getAttribute("aria-pressed"), "false");
        await page.getByRole("tab", { name: "Vehicles" }).click();
        await until("fewer are listed", async () => (await shownCount(page)) < all);
        const list = page.getByRole("listbox", { name: "Vehicles" });
        assert.equal(await list.getByRole("option", { name: /Available/ }).count(), 0);
        await page.getByRole("tab", { name: "Overview" }).click();
        await page.getByRole("button", { name: "Show all" }).click();
        await page.getByRole("tab", { name: "Vehicles" }).click();
        await list.focus();
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Enter");
        await page.getByRole("complementary", { name: /^Vehicle / }).waitFor();
        await page.getByText("Last heard").waitFor();
        await accessible(page, "the list with a vehicle");
        await page.keyboard.press("Escape");
        await until("the vehicle is closed", async () => (await page.getByRole("complementary", { name: /^Vehicle / }).count()) === 0);
    });
});

test("slash finds a vehicle by its code and tells its story", async () => {
    const { code } = await anyVehicle((v) => v.device?.lat !== null);
    await room({}, async (page) => {
        await page.getByRole("combobox", { name: "Find a vehicle by its code" }).waitFor();
        await page.keyboard.press("/");
        await page.keyboard.type(code.toLowerCase());
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: code }).waitFor();
        await page.getByText("Connected", { exact: true }).first().waitFor(); // an event of its timeline, as a sentence
        assert.equal(new URL(page.url()).hash, `#${code}`, "the address names it");
        await shot(page, "vehicle");
    });
});

test("an order is confirmed first and followed to its end", async () => {
    const { code } = await anyVehicle((v) => v.state === "available" && v.device?.connected);
    await room({ hash: `#${code}` }, async (page) => {
        await page.getByRole("button", { name: "Ring" }).click();
        const dialog = page.getByRole("dialog", { name: `Let ${code} ring?` });
        await dialog.getByText("It makes itself heard").waitFor();
        assert.equal((await api("GET", `/vehicles/${code}/timeline?limit=50`, control)).body.events.some((e) => e.command_op === "ring"), false, "nothing yet");
        await accessible(page, "the confirmation");
        await page.keyboard.press("Escape");
        await until("the dialog is closed", async () => (await page.getByRole("dialog").count()) === 0);
        assert.equal(await page.evaluate(() => document.activeElement?.textContent?.trim()), "Ring", "focus is back where it was");
        await page.keyboard.press("Enter");
        await dialog.getByRole("button", { name: "Ring" }).click();
        await page.getByRole("log", { name: "Orders" }).getByText(/^Ring.*(Done|No answer in time|Not done)/).waitFor({ timeout: 60000 });
        const said = await page.getByRole("log", { name: "Orders" }).textContent();
        const { body } = await api("GET", `/vehicles/${code}/timeline?limit=50`, control);
        const last = body.events.find((e) => e.kind === "command_state" && e.command_op === "ring");
        const words = { done: "Done", failed: "Not done", unknown: "No answer in time" };
        assert.ok(said.includes(words[last.command_state]), `the page says "${said}", the server ${last.command_state}`);
    });
});

test("bytes and events are one story: what a vehicle said, what was decided, what it was told", async () => {
    const { code } = await anyVehicle((v) => v.state === "available" && v.device?.connected && v.device.lock_state === "locked");
    await room({ hash: `#${code}`, permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
        const panel = page.getByRole("complementary", { name: `Vehicle ${code}` });
        const bytes = panel.getByRole("checkbox", { name: "Bytes" });
        await bytes.waitFor();
        assert.equal(await bytes.isChecked(), true, "bytes are on for the control room");
        const said = panel.getByRole("listitem").filter({ hasText: /Vehicle said/ });
        await said.first().waitFor();
        await panel.getByRole("button", { name: "Unlock" }).click();
        await page.getByRole("dialog", { name: `Unlock ${code}?` }).getByRole("button", { name: "Unlock" }).click();
        const told = panel.getByRole("listitem").filter({ hasText: /Vehicle was told/ });
        const decided = panel.getByRole("listitem").filter({ hasText: "Unlock: sent" });
        const seq = (await decided.first().getByText(/^fact \d+$/).textContent()).trim();
        const order = told.filter({ has: page.getByText(seq, { exact: true }) }).first();
        await order.waitFor();
        const { body } = await api("GET", `/vehicles/${code}/frames?limit=200`, control);
        const frame = body.frames.find((f) => f.direction === "out" && `fact ${f.seq}` === seq);
        assert.equal(await order.locator("code").textContent(), frame.text, "the bytes are the server's");
        const story = await panel.getByRole("listitem").allTextContents();
        const place = (wanted) => story.findIndex((line) => line.includes(wanted));
        assert.ok(place(frame.text) < place("Unlock: sent"), "newest first: it was decided before it was told");
        await order.getByRole("button", { name: /^Copy the frame/ }).click();
        await page.getByText("paddock decode omni").waitFor();
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `hex:${frame.hex}`);
        await accessible(page, "the story of a vehicle");
        await shot(page, "story");
        await bytes.uncheck();
        await until("events are alone", async () => (await said.count()) + (await told.count()) === 0);
        assert.ok(await decided.count(), "and are still there");
        await page.reload();
        await bytes.waitFor();
        assert.equal(await bytes.isChecked(), false, "as it was left");
    });
});

test("who may not see bytes has the events alone, and is not asked twice", async () => {
    const { code } = await anyVehicle((v) => v.state === "available" && v.device?.connected);
    await room({ hash: `#${code}`, expected: [/403/] }, async (page) => {
        let asked = 0;
        await page.route("**/frames?**", (route) => { asked++; return route.fulfill({ status: 403, json: { status: 403, code: "forbidden" } }); });
        await page.reload();
        await page.getByText("Connected", { exact: true }).first().waitFor();
        await until("the choice is gone", async () => (await page.getByRole("checkbox", { name: "Bytes" }).count()) === 0);
        const before = asked;
        await page.waitForTimeout(5500);       // longer than between two looks at a vehicle
        assert.equal(asked, before);
    });
});

test("out of service and back again, told in words and true on the server", async () => {
    const { code } = await anyVehicle((v) => v.state === "available" && v.device?.battery_pct > 50);
    await room({ hash: `#${code}` }, async (page) => {
        await page.getByRole("button", { name: "Take out of service" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Take out of service" }).click();
        await page.getByText(`${code} is out of service`).waitFor();
        assert.equal((await api("GET", `/vehicles/${code}`, control)).body.vehicle.state, "non_operational");
        await page.getByRole("button", { name: "Put back in service" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Put back in service" }).click();
        await page.getByText(`${code} is back in service`).waitFor();
        await page.getByText("Out of service: maintenance").first().waitFor(); // the timeline tells both
    });
});

test("a code that nobody has, and a token that is no longer good, are said plainly", async () => {
    await room({ hash: "#NO-SUCH", expected: [/404/, /401/] }, async (page) => {
        await page.getByText("No vehicle has this code.").waitFor();
        await page.evaluate(() => {
            const key = "paddock.control.session", who = JSON.parse(localStorage.getItem(key));
            localStorage.setItem(key, JSON.stringify({ ...who, token: who.token.replace(/.{6}$/, "000000") }));
        });
        await page.reload();
        await page.getByText("Your session is over. Please sign in again.").waitFor();
    });
});

test("when the server is killed the page says so, its ages grow, and it comes back by itself", async () => {
    await room({ expected: [/ERR_|Failed to load/] }, async (page) => {
        await until("the fleet is counted", async () => Number(await page.locator("#fleet-title .num").textContent()));
        await mapReady(page);
        await page.route("**/v1/**", (route) => route.abort("connectionrefused"));
        process.kill(demo.pid, "SIGKILL");     // the server's; the demo starts it again
        const banner = page.getByRole("alert").getByText("The server cannot be reached.");
        await banner.waitFor({ timeout: 30000 });
        await shot(page, "server-gone");
        const first = await banner.textContent();
        await until("the age grows", async () => (await banner.textContent()) !== first);
        await page.unroute("**/v1/**");
        await page.getByText("Live", { exact: true }).waitFor({ timeout: 45000 });
        await until("the banner is gone", async () => (await banner.count()) === 0, 30000);
    });
});

for (const [name, size] of [["tablet, lying", "tablet"], ["tablet, upright", "upright"]]) {
    test(`nothing is cut off or out of reach on a ${name}`, async () => {
        const { code } = await anyVehicle((v) => v.device?.lat !== null);
        await room({ size, hash: `#${code}` }, async (page) => {
            await page.getByText("Last heard").waitFor();
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            assert.ok(wide <= 0, `${wide} px wider than the screen`);
            for (const button of await page.getByRole("button").all()) {
                const box = await button.boundingBox();
                assert.ok(!box || (box.x >= 0 && box.x + box.width <= page.viewportSize().width), await button.textContent());
            }
            await shot(page, size);
        });
    });
}

test("the page speaks French, and keeps doing so", async () => {
    await room({}, async (page) => {
        await page.getByLabel("Language").selectOption("fr");
        await page.getByRole("heading", { name: "Salle de contrôle" }).waitFor();
        await page.reload();
        await page.getByText("En direct", { exact: true }).waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.lang), "fr");
        const left = await page.evaluate(() => [...document.body.innerText.matchAll(/\b[a-z]+\.[a-z_]+(?:\.[a-z_]+)?\b/g)].map((m) => m[0]));
        assert.deepEqual(left, [], "keys without a sentence");
    });
});
