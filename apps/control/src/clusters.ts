// SPDX-License-Identifier: Apache-2.0
// clusters: from far away, how many are where. A grid fixed to the ground, so that nothing jumps when the map is moved.
import type { Vehicle } from "./fleet.svelte.ts";

const CELL_PX = 72;
export const CLUSTER_BELOW_ZOOM = 12.2;
export const CLUSTER_FROM = 150;           // fewer are always shown one by one

export function clustersOf(vehicles: Iterable<Vehicle>, zoom: number): GeoJSON.FeatureCollection<GeoJSON.Point> {
    const cells = 2 ** Math.floor(zoom) * (512 / CELL_PX);
    const found = new Map<number, { n: number; x: number; y: number; free: number }>();
    for (const v of vehicles) {
        const key = Math.floor(v.toX * cells) * 2 ** 26 + Math.floor(v.toY * cells);
        const c = found.get(key);
        if (c) { c.n++; c.x += v.lon; c.y += v.lat; c.free += v.state === "available" ? 1 : 0; }
        else found.set(key, { n: 1, x: v.lon, y: v.lat, free: v.state === "available" ? 1 : 0 });
    }
    return { type: "FeatureCollection", features: [...found.values()].map((c) => ({
        type: "Feature", properties: { n: c.n, label: c.n > 999 ? `${(c.n / 1000).toFixed(1)}k` : String(c.n), free: c.free / c.n },
        geometry: { type: "Point", coordinates: [c.x / c.n, c.y / c.n] } })) };
}
