// SPDX-License-Identifier: Apache-2.0
// How every app is built: one page under /NAME/, everything else named by its content under /NAME/assets/, and nothing
// written into the page itself, so that the server's Content-Security-Policy can forbid all inline code.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";

const root = (path) => fileURLToPath(new URL(path, import.meta.url));

export function app(name, build) {
    return {
        root: root(`./${name}/`),
        base: `/${name}/`,
        publicDir: root(`./${name}/public/`),
        configFile: false,
        logLevel: "warn",
        define: { __BUILD__: JSON.stringify(build) },
        plugins: [svelte({ configFile: false })],
        build: {
            outDir: root(`../build/apps.part/${name}/`),
            emptyOutDir: true,
            target: ["chrome111", "firefox114", "safari16.4"],
            assetsInlineLimit: 0,
            modulePreload: { polyfill: false },
            sourcemap: false,
            cssCodeSplit: true,
            chunkSizeWarningLimit: 1500,
            reportCompressedSize: false,
        },
    };
}
