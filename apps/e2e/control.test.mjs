// SPDX-License-Identifier: Apache-2.0
import { test } from "node:test";
import { accessible, mapReady, origin, shot, withBrowser, withPage } from "./support.mjs";

withBrowser();

test("the map opens without another host", async () => {
    await withPage({ app: "control", size: "desk" }, async (page) => {
        await page.goto(`${origin}/control/`);
        await mapReady(page);
        await shot(page, "control-map");
        await accessible(page, "the control room");
    });
});
