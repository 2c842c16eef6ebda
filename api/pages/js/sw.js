/**
 * Without a network a page that is opened says so, and how to call: that page and its style sheets are all that is kept.
 * Never an answer of the API, never a page with anybody's data.
 */

const KEPT = "tierwatch-offline";
const FILES = ["/offline", "/pages/css/tokens.css", "/pages/css/base.css", "/pages/css/me.css", "/pages/js/theme.js", "/pages/icon.svg"];

const keep = async () => (await caches.open(KEPT)).addAll(FILES.map((path) => new Request(path, { cache: "no-cache", credentials: "omit" })));

addEventListener("install", (event) => event.waitUntil(keep().then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { request } = event;
  const path = new URL(request.url).pathname;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match("/offline")));
  else if (request.method === "GET" && FILES.includes(path)) event.respondWith(fetch(request).catch(() => caches.match(path)));
});
