// SPDX-License-Identifier: Apache-2.0
// sw: keeps the page's shell, so that it opens in a cellar. Named files never change, so the kept one is as good; the page
// itself is asked for first. The API is never touched: nothing that a rider is told may be old.
const CACHE = "paddock-rider-shell";
const ASSETS_MAX = 60;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function keep(request, response) {
    if (!response.ok) return;
    const cache = await caches.open(CACHE);
    await cache.put(request, response);
    const kept = await cache.keys();
    await Promise.all(kept.slice(0, Math.max(0, kept.length - ASSETS_MAX)).map((old) => cache.delete(old)));
}

async function page(request) {
    try {
        const response = await fetch(request);
        await keep("/rider/", response.clone());
        return response;
    } catch {
        return (await caches.match("/rider/")) ?? Response.error();
    }
}

async function asset(request) {
    const kept = await caches.match(request);
    if (kept) return kept;
    const response = await fetch(request);
    await keep(request, response.clone());
    return response;
}

self.addEventListener("fetch", (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== self.location.origin) return;
    if (request.mode === "navigate" && url.pathname.startsWith("/rider")) event.respondWith(page(request));
    else if (/^\/(rider|map)\/assets\//.test(url.pathname)) event.respondWith(asset(request));
});
