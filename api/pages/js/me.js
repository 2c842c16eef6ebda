/** The patient's page: am I fine, what do I do, how do I call. Plain words; one thing first; nothing old looks alive. */

import { heroOf, kindOf, left } from "./me-hero.js";
import { asOf, cutFor, live, now, patch, start } from "./live.js";
import { $, Refused, age, ask, h, icon, lang, preferLanguage, shortClock, switchLanguage, t } from "./page.js";
import { NUMBER, back, callers, readings, trouble, when } from "./me-parts.js";
import { devices, seen } from "./me-devices.js";
import * as aside from "./me-more.js";
import { opened } from "./me-opened.js";
import { tips } from "./me-tips.js";
import { moment, told, unwell } from "./me-unwell.js";

const FRESH_MS = 60_000;
const account = await ask("GET", "/session");
preferLanguage(account.language);
/** What was asked of the API: {mine, devices, tips, shares, audit}, and how the last command went. */
const my = { mine: null, devices: null, tips: null, shares: null, audit: null, busy: false, failed: "" };
let read = -FRESH_MS;
let shown = "";
let announced = null;
let counted = null;

/* ---- screens ---- */

const TABS = [["home", "home"], ["devices", "strap"], ["tips", "bulb"], ["call", "phone"]];
const OF_TAB = { unwell: "home", told: "home", cannot: "call", pause: "home", alarm: "home", family: "home", opened: "home", choices: "home" };
const SCREENS = {
  home, call, cannot,
  devices: () => devices(my.devices),
  tips: () => tips(act, my),
  unwell: () => unwell(act, my),
  told: () => told(act, my),
  pause: () => aside.pause(act, my),
  alarm: () => aside.alarm(act, my),
  family: () => aside.family(act, my),
  opened: () => opened(my),
  choices: () => aside.choices(act, my),
};
const nameOf = () => (location.hash.slice(1) in SCREENS ? location.hash.slice(1) : "home");

function render() {
  const name = nameOf();
  const first = rows()[0] ?? null;
  const state = JSON.stringify([name, live.connected, live.ever, quiet(), fresh(), [...live.alerts.values()], my, moment(), aside.chosen(), aside.result(), aside.running(my.mine)?.pause]);
  if (state !== shown) {
    const moved = !shown.startsWith(`["${name}"`) && shown !== "";
    const focused = $("screen").contains(document.activeElement) ? document.activeElement.dataset.act : null;
    shown = state;
    $("screen").replaceChildren(...[SCREENS[name](first)].flat(Infinity).filter(Boolean));
    if (focused) $("screen").querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
    if (moved) { $("screen").focus(); scrollTo(0, 0); }
    $("tabs").replaceChildren(...TABS.map(([to, sign]) => h("a", { href: `#${to}`, "aria-current": to === (OF_TAB[name] ?? name) ? "page" : null }, icon(sign), t(`me.tab.${to}`))));
  }
  announce(first);
  tick(first);
}

/** What is open, the gravest first: what asks, then by tier, then the newest. */
function rows() {
  const rank = (row) => (row.asked_until ? 4 : { emergency: 3, doctor: 2, tip: 1 }[row.tier] - (row.kind === "technical" ? 0.5 : 0));
  return [...live.alerts.values()].filter((row) => !done(row)).sort((a, b) => rank(b) - rank(a) || Date.parse(b.raised_at) - Date.parse(a.raised_at));
}

/** A tip that the patient has answered, or whatever is over and in somebody's hands, asks for nothing more. */
const done = (row) => (row.tier === "tip" && row.state === "held") || row.state === "seen" || row.state === "settled";

/** Nobody takes readings in: then nothing here says that they are fine. */
const quiet = () => live.lagS === null || live.lagS > 60;

/** Whether what was read of the devices still holds. */
const fresh = () => performance.now() - read < FRESH_MS;

function home(first) {
  const open = live.connected ? rows() : [];
  const view = { row: first, held: [...live.alerts.values()].find(done), connected: live.connected, ever: live.ever, quiet: quiet(), fresh: fresh(), mine: my.mine, pause: aside.running(my.mine), busy: my.busy };
  const also = (row) => h("article.tip-card", h("header", icon(kindOf(row), `shape shape--${kindOf(row)}`), shortClock(row.raised_at)), h("b", row.plain[lang]), row.plain_do[lang][0] ? h("p", row.plain_do[lang][0]) : "");
  return [heroOf(view, act), trouble(my.failed),
    h("div.unwell.stack", h("a.btn.btn--unwell", { href: "#unwell", "data-act": "unwell" }, icon("hand"), t("me.unwell")), h("small", t("me.unwell.when"))),
    open.length > 1 ? [h("h2", t("me.also")), h("div.stack", open.slice(1).map(also))] : "",
    first && kindOf(first) === "em" ? "" : [h("h2", t("me.readings")), my.mine ? readings(my.mine.vitals, my.mine.glucose_unit) : h("p.muted", "–"), aside.more()],
    h("p.device-line", t("page.device"))];
}

function call() {
  return [h("h1", t("me.call")), h("p", t("me.call.first", { n: NUMBER })), h("div.stack.unwell", callers(my.mine?.contacts, my.mine?.practice))];
}

/** "I cannot do it": then somebody must help, and the emergency centre is told by one press. */
function cannot() {
  const row = rows().find((one) => one.kind !== "technical");
  return [back(), h("h1", t("me.cannot.title")), h("p", t("me.cannot.what")), trouble(my.failed),
    h("div.stack.unwell", callers(my.mine?.contacts, my.mine?.practice), row ? h("button.btn", { type: "button", "data-act": "help", "aria-disabled": live.connected && !my.busy ? null : "true", onclick: () => act.say(row, "help") }, icon("hand"), t("me.help")) : ""),
    row ? h("small.under", t("me.cannot.help")) : ""];
}

/* ---- what is said ---- */

/** Commands and questions, as the screens use them. */
const act = {
  patient: account.patient,
  render,
  refresh,
  load,
  lift: (pause) => aside.lift(pause, act),
  /** Sends a command; null: it was not taken, and the page says why. `refused`: own words by status. */
  async send(method, path, body, refused = {}) {
    if (my.busy || !live.connected) return null;
    Object.assign(my, { busy: true, failed: "" });
    render();
    let answer = null;
    try {
      answer = (await ask(method, path, body)) ?? {};
    } catch (error) {
      my.failed = (error instanceof Refused && refused[error.status]) || t("me.unsent");
    }
    my.busy = false;
    render();
    return answer;
  },
  /** "well" or "help". */
  async say(row, word) {
    const answer = await act.send("POST", `/alerts/${row.alert}/answer`, { answer: word });
    if (answer) { patch(row.alert, answer); location.hash = "home"; render(); }
  },
  async acknowledge(row) {
    const answer = await act.send("POST", `/alerts/${row.alert}/acknowledge`, {});
    if (answer) { patch(row.alert, answer); await load("tips"); }
  },
};

/* ---- news and clocks ---- */

/** What cannot wait comes to the front, whatever was looked at; the focus goes to it, never to a button of it. */
function announce(first) {
  const loud = live.connected && first && (first.asked_until || first.tier === "emergency");
  const key = live.connected ? `${first?.alert ?? "fine"}${first?.asked_until ? "?" : ""}` : "cut";
  if (key === announced || !live.ever) return;
  const was = announced;
  announced = key;
  if (loud && was !== null && !["home", "call"].includes(nameOf())) location.hash = "home";
  if (was !== null) $(loud ? "assertive" : "polite").textContent = loud && first.asked_until ? t("me.asked") : $("screen").querySelector("h1")?.textContent ?? "";
}

function tick(first) {
  for (const node of document.querySelectorAll("[data-until]")) node.textContent = age((Date.parse(node.dataset.until) - now()) / 1000);
  for (const node of document.querySelectorAll("[data-when]")) node.textContent = when(node.dataset.when);
  for (const node of document.querySelectorAll("[data-seen]")) node.textContent = seen(node.dataset.seen);
  for (const node of document.querySelectorAll("[data-cut]")) node.textContent = live.ever ? t("me.cut.since", { at: shortClock(asOf()), for: age(cutFor()) }) : t("me.cut.never");
  const mark = first?.asked_until ? [20, 10, 5].find((s) => left(first, now()) <= s && left(first, now()) > s - 5) : null;
  if (mark && mark !== counted) $("assertive").textContent = t("me.asked.left", { n: mark });
  counted = mark ?? null;
}

/** Reads one of the lists anew. */
async function load(what) {
  my[what] = await ask("GET", `/me/${what}`).then((told) => (what === "shares" ? told : told[what]), () => my[what]);
  render();
}

const WANTED = { devices: "devices", tips: "tips", family: "shares", opened: "audit" };

async function refresh() {
  if (!live.connected) return;
  await ask("GET", "/me").then((told) => { my.mine = told; read = performance.now(); }, () => null);
  render();
  const wanted = WANTED[nameOf()];
  if (wanted) await load(wanted);
}

document.title = `${t("me.title")} · Tierwatch`;
$("tabs").setAttribute("aria-label", t("bar.nav"));
$("top").replaceChildren(h("span.brand", icon("logo"), "Tierwatch"), h("button.lang", { type: "button", onclick: switchLanguage, lang: lang === "zh" ? "en" : "zh-CN" }, lang === "zh" ? "English" : "中文"));
navigator.serviceWorker?.register("/sw.js").catch(() => null);
addEventListener("hashchange", () => { my.failed = ""; render(); if (WANTED[nameOf()]) load(WANTED[nameOf()]); });
render();
start(({ first }) => { if (first || !my.mine) refresh(); render(); });
setInterval(render, 1000);
setInterval(refresh, 15000);
