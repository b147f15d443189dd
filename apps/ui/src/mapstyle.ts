// SPDX-License-Identifier: Apache-2.0
// mapstyle: how the city looks, by day and by night. No glyphs and no sprites: labels come from the device's own fonts,
// streets from our own server. Streets recede, so that vehicles stand out.
import type { LayerSpecification, StyleSpecification, ExpressionSpecification } from "maplibre-gl";

interface Paint { land: string; grid: string; casing: string; path: string; minor: string; street: string; major: string;
                  motor: string; label: string; halo: string }
const PAINTS: Record<"light" | "dark", Paint> = {
    light: { land: "#eef1ee", grid: "#dfe4e0", casing: "#d5dbd6", path: "#dde3de", minor: "#fbfcfb", street: "#ffffff",
             major: "#ffffff", motor: "#f6e7c3", label: "#5b6963", halo: "#f7f9f7" },
    dark: { land: "#0f1614", grid: "#18211e", casing: "#0c1210", path: "#1b2522", minor: "#202b27", street: "#26332e",
            major: "#31413b", motor: "#4a4632", label: "#8fa099", halo: "#0f1614" },
};

const is = (...classes: string[]): ExpressionSpecification => ["match", ["get", "class"], classes, true, false];
const wide = (...stops: number[]): ExpressionSpecification =>
    ["interpolate", ["exponential", 1.6], ["zoom"], ...stops] as unknown as ExpressionSpecification;

function lines(p: Paint): LayerSpecification[] {
    const kinds: { id: string; filter: ExpressionSpecification; color: string; from: number; width: number[]; casing?: boolean; dash?: number[] }[] = [
        { id: "path", filter: is("path"), color: p.path, from: 13.5, width: [13.5, 0.6, 16, 1.4, 19, 4] },
        { id: "minor", filter: is("minor"), color: p.minor, from: 13, width: [13, 0.5, 15, 1.5, 17, 5, 19, 14], casing: true },
        { id: "street", filter: is("street"), color: p.street, from: 0, width: [10, 0.3, 12, 0.9, 14, 2.4, 16, 7, 19, 26], casing: true },
        { id: "major", filter: is("major"), color: p.major, from: 0, width: [9, 0.6, 12, 1.8, 14, 4, 16, 10, 19, 36], casing: true },
        { id: "motor", filter: is("motor"), color: p.motor, from: 0, width: [8, 0.8, 12, 2.4, 14, 4.6, 16, 11, 19, 40], casing: true },
    ];
    const layout = { "line-cap": "round", "line-join": "round" } as const;
    const casings = kinds.filter((k) => k.casing).map((k): LayerSpecification => ({
        id: `${k.id}-casing`, type: "line", source: "streets", filter: k.filter, minzoom: Math.max(k.from, 12.5), layout,
        paint: { "line-color": p.casing, "line-width": wide(...k.width.map((w, i) => (i % 2 ? w + 1.6 : w))) },
    }));
    return [...casings, ...kinds.map((k): LayerSpecification => ({
        id: k.id, type: "line", source: "streets", filter: k.filter, minzoom: k.from, layout,
        paint: { "line-color": k.color, "line-width": wide(...k.width) },
    }))];
}

function labels(p: Paint): LayerSpecification[] {
    const label = (id: string, filter: ExpressionSpecification, minzoom: number, size: number): LayerSpecification => ({
        id, type: "symbol", source: "streets", minzoom, filter: ["all", ["has", "name"], filter],
        layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-font": ["Inter", "DejaVu Sans", "sans-serif"],
                  "text-size": size, "symbol-spacing": 320, "text-max-angle": 28, "text-padding": 12, "text-letter-spacing": 0.02 },
        paint: { "text-color": p.label, "text-halo-color": p.halo, "text-halo-width": 1.4 },
    });
    return [label("label-major", is("major", "motor"), 13, 11.5), label("label-street", is("street"), 14.5, 11)];
}

// A plain grid of about a kilometre, where there are no streets: distance and movement stay readable.
function grid(lon: number, lat: number): GeoJSON.FeatureCollection {
    const step = [0.02, 0.01], reach = 0.3, features: GeoJSON.Feature[] = [];
    const line = (a: number[], b: number[]): GeoJSON.Feature =>
        ({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: [a, b] } });
    for (let x = Math.floor((lon - reach * 2) / step[0]!) * step[0]!; x < lon + reach * 2; x += step[0]!)
        features.push(line([x, lat - reach], [x, lat + reach]));
    for (let y = Math.floor((lat - reach) / step[1]!) * step[1]!; y < lat + reach; y += step[1]!)
        features.push(line([lon - reach * 2, y], [lon + reach * 2, y]));
    return { type: "FeatureCollection", features };
}

export function mapStyle(dark: boolean, centre: [number, number], streets?: GeoJSON.FeatureCollection, credit = ""): StyleSpecification {
    const p = PAINTS[dark ? "dark" : "light"];
    const ground: LayerSpecification[] = [{ id: "land", type: "background", paint: { "background-color": p.land } }];
    if (!streets) {
        return { version: 8, sources: { grid: { type: "geojson", data: grid(...centre) } },
                 layers: [...ground, { id: "grid", type: "line", source: "grid", paint: { "line-color": p.grid, "line-width": 1 } }] };
    }
    return { version: 8,
             sources: { streets: { type: "geojson", data: streets, tolerance: 0.3, buffer: 32, maxzoom: 16, attribution: credit } },
             layers: [...ground, ...lines(p), ...labels(p)] };
}
