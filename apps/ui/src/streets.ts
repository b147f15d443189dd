// SPDX-License-Identifier: Apache-2.0
// streets: a city's streets from our own server, as GeoJSON. tools/streets writes the file: lines as whole steps of 1/scale
// degrees, each after the one before, which compresses to a fifth of plain GeoJSON.
export interface StreetsFile {
    credit: string;
    bounds: [number, number, number, number];
    scale: number;
    classes: string[];
    names: string[];
    lines: number[][];                     // class, name (-1: none), lon, lat, then steps
}
export interface CityMap { streets: string; bounds: [number, number, number, number]; credit: string }

export async function loadIndex(): Promise<Record<string, CityMap>> {
    const response = await fetch("/map/index.json", { credentials: "omit" });
    if (!response.ok) return {};
    return ((await response.json()) as { cities: Record<string, CityMap> }).cities;
}

export function decodeStreets(file: StreetsFile): GeoJSON.FeatureCollection<GeoJSON.LineString> {
    const features = file.lines.map((line): GeoJSON.Feature<GeoJSON.LineString> => {
        const coordinates: [number, number][] = [];
        let lon = 0, lat = 0;
        for (let i = 2; i + 1 < line.length; i += 2) {
            lon += line[i]!;
            lat += line[i + 1]!;
            coordinates.push([lon / file.scale, lat / file.scale]);
        }
        const name = line[1]! >= 0 ? { name: file.names[line[1]!] } : {};
        return { type: "Feature", properties: { class: file.classes[line[0]!], ...name }, geometry: { type: "LineString", coordinates } };
    });
    return { type: "FeatureCollection", features };
}

export async function loadStreets(city: CityMap) {
    const response = await fetch(city.streets, { credentials: "omit" });
    if (!response.ok) throw new Error(`streets: ${response.status}`);
    return decodeStreets((await response.json()) as StreetsFile);
}
