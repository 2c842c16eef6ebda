/** What every page shares: language and words, theme, building elements, times, and asking the API. */

const root = document.documentElement;
const LANGUAGE = "tierwatch.language";

export const lang = localStorage.getItem(LANGUAGE) ?? (navigator.language.startsWith("zh") ? "zh" : "en");
root.lang = lang === "zh" ? "zh-CN" : "en";

const load = async (name) => (await fetch(`/pages/words/${name}.json`)).json();
const [words, english] = await Promise.all([load(lang), lang === "en" ? {} : load("en")]);

/** The text of a key in the page's language, with {names} filled in; what is not translated shows English. */
export function t(key, values = {}) {
  const text = words[key] ?? english[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const has = (key) => (words[key] ?? english[key]) !== undefined;

/** A text that comes in every language, as {en, zh}. */
export const said = (text) => text?.[lang] ?? text?.en ?? "";

/** The account's language, where this browser was never asked for another. */
export function preferLanguage(language) {
  if (!localStorage.getItem(LANGUAGE) && language !== lang) {
    localStorage.setItem(LANGUAGE, language);
    location.reload();
  }
}

export function switchLanguage() {
  localStorage.setItem(LANGUAGE, lang === "zh" ? "en" : "zh");
  location.reload();
}

export function toggleTheme() {
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("tierwatch.theme", root.dataset.theme);
}

export const $ = (id) => document.getElementById(id);

/** h("li.row", {id: 1, onclick}, child, ...) */
export function h(selector, ...rest) {
  const [name, ...classes] = selector.split(".");
  const node = document.createElement(name || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const item of rest.flat(3)) {
    if (item === null || item === undefined || item === false || item === "") continue;
    if (item.constructor === Object) attributes(node, item);
    else node.append(item);
  }
  return node;
}

function attributes(node, values) {
  for (const [key, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
}

export function icon(name, className = "icon") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `/pages/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

export const shape = (tier) => icon(tier, `shape shape--${tier}`);

/** 102 -> "1:42", 3725 -> "1 h 02", 90000 -> "1 d 01 h" */
export function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)}`;
  return `${Math.floor(s / 86400)} d ${two(Math.floor(s / 3600) % 24)} h`;
}

const locale = lang === "zh" ? "zh-CN" : "en-GB";
const CLOCK = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const SHORT = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hour12: false });

/** 09:40:38 here; `at` is a Date, milliseconds or what the API sends. */
export const clock = (at) => CLOCK.format(new Date(at));
export const shortClock = (at) => SHORT.format(new Date(at));

/** What the API refused: its sentence and its facts. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

/** Ask the API; `more`: headers beside the usual. Whoever is not signed in (any more) is led to the sign-in page. */
export async function ask(method, path, body, more = {}) {
  const headers = { accept: "application/json", ...more };
  if (method !== "GET") headers["idempotency-key"] = key();
  if (body !== undefined) headers["content-type"] = "application/json";
  const reply = await fetch(`/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const told = reply.status === 204 ? null : await reply.json().catch(() => ({}));
  if (reply.ok) return told;
  if (reply.status === 401 && path !== "/session") location.assign("/sign-in");
  throw new Refused(reply.status, told ?? {});
}

const key = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export async function signOut() {
  await ask("DELETE", "/session").catch(() => null);
  location.assign("/sign-in");
}

/** End every session of this account, on every device. */
export async function signOutEverywhere() {
  await ask("DELETE", "/sessions").catch(() => null);
  location.assign("/sign-in");
}
