// SPDX-License-Identifier: Apache-2.0
// maplibre: the map library, fetched when a map is first wanted. Its worker is a file of ours: the pages' policy allows no
// worker made of text.
import type * as MapLibre from "maplibre-gl";

export type { MapLibre };
let loading: Promise<typeof MapLibre> | undefined;

async function load() {
    const [library, worker] = await Promise.all([
        import("maplibre-gl"),
        import("maplibre-gl/dist/maplibre-gl-worker.mjs?url"),
        import("maplibre-gl/dist/maplibre-gl.css"),
    ]);
    library.setWorkerUrl(worker.default);
    return library;
}

export function loadMapLibre() {
    loading ??= load().catch((error) => {
        loading = undefined;               // the next try may reach the server
        throw error;
    });
    return loading;
}
