// SPDX-License-Identifier: Apache-2.0
import { test } from "node:test";
import { accessible, mapReady, origin, shot, withBrowser, withPage } from "./support.mjs";

withBrowser();

test("the map opens without another host", async () => {
    await withPage({ app: "rider", size: "phone" }, async (page) => {
        await page.goto(`${origin}/rider/`);
        await mapReady(page);
        await shot(page, "rider-map");
        await accessible(page, "the rider's map");
    });
});
