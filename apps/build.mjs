// SPDX-License-Identifier: Apache-2.0
// build.mjs: builds every app into build/apps.part, adds what both share (the map), compresses, checks sizes. tools/apps
// calls it and moves the whole into place.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";
import { app } from "./vite.shared.mjs";
import { checkBudgets } from "./budgets.mjs";

const APPS = ["control", "rider"];
const BUILD_NUMBER = 1; // of Paddock-App: raise it with every release that old pages cannot talk to
const out = fileURLToPath(new URL("../build/apps.part/", import.meta.url));
const streets = fileURLToPath(new URL("../build/streets/", import.meta.url));
const COMPRESSED = /\.(js|mjs|css|html|json|svg|webmanifest|txt|wasm)$/;
const COMPRESS_FROM_BYTES = 600;

function filesBelow(folder) {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]);
}

// /map/index.json names each city's streets; they lie below /map/assets/, named by their content.
function addMap() {
    const cities = {};
    mkdirSync(join(out, "map", "assets"), { recursive: true });
    for (const name of existsSync(streets) ? readdirSync(streets) : []) {
        const city = /^([a-z0-9-]+)\.map\.json$/.exec(name)?.[1];
        if (!city) continue;
        const text = readFileSync(join(streets, name));
        const hash = createHash("sha256").update(text).digest("hex").slice(0, 10);
        const asset = `assets/${city}-${hash}.json`;
        writeFileSync(join(out, "map", asset), text);
        const { bounds, credit } = JSON.parse(text);
        cities[city] = { streets: `/map/${asset}`, bounds, credit };
    }
    writeFileSync(join(out, "map", "index.json"), JSON.stringify({ cities }));
}

function compress(file) {
    const text = readFileSync(file);
    if (!COMPRESSED.test(file) || text.length < COMPRESS_FROM_BYTES) return;
    const brotli = brotliCompressSync(text, { params: {
        [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } });
    writeFileSync(`${file}.br`, brotli);
    writeFileSync(`${file}.gz`, gzipSync(text, { level: 9 }));
}

rmSync(out, { recursive: true, force: true });
for (const name of APPS) await build(app(name, BUILD_NUMBER));
addMap();
filesBelow(out).forEach(compress);
process.exitCode = checkBudgets(out) ? 0 : 1;
