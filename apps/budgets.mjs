// SPDX-License-Identifier: Apache-2.0
// budgets.mjs: how heavy an app may be, gzipped, before and with its map. What loads at once is what index.html names and
// what those files import statically; the rest comes when it is needed.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGETS_KIB = { rider: { first: 150, all: 700 }, control: { first: 150, all: 750 } };
const gzipKib = (file) => gzipSync(readFileSync(file), { level: 9 }).length / 1024;

function firstFiles(folder) {
    const seen = new Set();
    const take = (name) => {
        if (seen.has(name)) return;
        seen.add(name);
        if (!name.endsWith(".js")) return;
        const text = readFileSync(join(folder, "assets", name), "utf8");
        for (const [, other] of text.matchAll(/(?:\bfrom|\bimport)\s*["']\.\/([\w.-]+)["']/g)) take(other);
    };
    const page = readFileSync(join(folder, "index.html"), "utf8");
    for (const [, name] of page.matchAll(/(?:src|href)="\/\w+\/assets\/([\w.-]+)"/g)) take(name);
    return [...seen];
}

export function checkBudgets(out) {
    let fine = true;
    for (const [name, budget] of Object.entries(BUDGETS_KIB)) {
        const folder = join(out, name);
        const sum = (names) => names.reduce((n, file) => n + gzipKib(join(folder, "assets", file)), 0);
        const measured = { first: sum(firstFiles(folder)),
                           all: sum(readdirSync(join(folder, "assets")).filter((f) => /\.(js|mjs|css)$/.test(f))) };
        for (const [what, kib] of Object.entries(measured)) {
            const over = kib > budget[what];
            if (over || process.env.VERBOSE)
                console.error(`${name}: ${what} ${kib.toFixed(1)} KiB gzip of ${budget[what]} KiB${over ? ": too heavy" : ""}`);
            fine &&= !over;
        }
    }
    return fine;
}
