/** The patient's page: am I fine, what do I do, how do I call. Plain words; one thing first; nothing old looks alive. */

import { heroOf, kindOf } from "./me-hero.js";
import { asOf, cutFor, live, now, patch, start } from "./live.js";
import { $, age, ask, h, icon, lang, preferLanguage, shortClock, signOut, switchLanguage, t, toggleTheme } from "./page.js";
import { written } from "./record.js";

const SYMPTOMS = [["chest_pain", "chest"], ["breathless", "breath"], ["faint", "dizzy"], ["palpitations", "pulse"]];
const account = await ask("GET", "/session");
preferLanguage(account.language);
let mine = null; // {vitals, contacts}
let busy = false;
let failed = false;
let shown = "";
let announced = null;

/* ---- screens ---- */

function render() {
  const screen = location.hash.slice(1);
  const name = screen in SCREENS ? screen : "home";
  const first = rows()[0] ?? null;
  const state = JSON.stringify([name, live.connected, live.ever, quiet(), rows(), mine, busy, failed]);
  if (state !== shown) {
    const moved = !shown.startsWith(`["${name}"`) && shown !== "";
    const focused = $("screen").contains(document.activeElement) ? document.activeElement.dataset.act : null;
    shown = state;
    $("screen").replaceChildren(...[SCREENS[name](first)].flat(Infinity).filter(Boolean));
    if (focused) $("screen").querySelector(`[data-act="${focused}"]`)?.focus();
    if (moved) { $("screen").focus(); scrollTo(0, 0); }
    $("tabs").replaceChildren(tab("home", "home", name), tab("call", "phone", name));
  }
  announce(first);
  tick();
}

const tab = (to, sign, current) => h("a", { href: `#${to}`, "aria-current": to === current ? "page" : null }, icon(sign), t(`me.tab.${to}`));

/** What is open, the gravest first: what asks, then by tier, then the newest. */
function rows() {
  const rank = (row) => (row.asked_until ? 4 : { emergency: 3, doctor: 2, tip: 1 }[row.tier] - (row.kind === "technical" ? 0.5 : 0));
  return [...live.alerts.values()].filter((row) => !done(row)).sort((a, b) => rank(b) - rank(a) || Date.parse(b.raised_at) - Date.parse(a.raised_at));
}

/** A tip that the patient has answered, or whatever is over and in somebody's hands, needs no place on this page. */
const done = (row) => (row.tier === "tip" && row.state === "held") || row.state === "seen" || row.state === "settled";

/** Nobody takes readings in: then nothing here says that they are fine. */
const quiet = () => live.lagS === null || live.lagS > 60;

function home(first) {
  const others = live.connected ? rows().slice(1) : [];
  const hero = heroOf({ row: first, connected: live.connected, ever: live.ever, quiet: quiet(), vitals: mine?.vitals, busy }, { say, acknowledge });
  return [hero, failed ? h("p.trouble__line", { role: "status" }, icon("warn"), t("me.unsent")) : "",
    h("div.unwell.stack", h("a.btn.btn--unwell", { href: "#unwell" }, icon("hand"), t("me.unwell")), h("small", t("me.unwell.when"))),
    others.length ? [h("h2", t("me.also")), h("div.stack", others.map((row) => h("article.tip-card", h("header", icon(kindOf(row), `shape shape--${kindOf(row)}`), shortClock(row.raised_at)), h("b", row.plain[lang]), row.plain_do[lang][0] ? h("p", row.plain_do[lang][0]) : "")))] : "",
    first && kindOf(first) === "em" ? "" : [h("h2", t("me.readings")), readings()],
    h("p.device-line", t("page.device"))];
}

function readings() {
  const list = mine?.vitals;
  if (!mine) return h("p.muted", "–");
  if (!Array.isArray(list) || !list.length) return h("p.muted", t("me.noreadings"));
  const signs = { heart_rate: "heart", glucose: "drop", blood_pressure: "cuff", oxygen_saturation: "breath" };
  return h("ul.readings", list.map((one) => {
    const [value, unit] = written(one);
    return h("li", icon(signs[one.kind] ?? "pulse"), h("span", h("b", t(`me.${one.kind}`)), h("small", { "data-when": one.at }, when(one.at))), h("span.readings__value", value, h("small", one.kind === "heart_rate" ? t("me.aminute") : unit)));
  }));
}

/** "now", "4 minutes ago", "today at 07:30", "yesterday at 19:02" */
function when(at) {
  const s = (now() - Date.parse(at)) / 1000;
  if (s < 60) return t("me.now");
  if (s < 3600) return t(s < 120 ? "me.minute" : "me.minutes", { n: Math.floor(s / 60) });
  const day = (ms) => new Date(ms).toDateString();
  if (day(now()) === day(at)) return t("me.today", { at: shortClock(at) });
  if (day(now() - 864e5) === day(at)) return t("me.yesterday", { at: shortClock(at) });
  return t("me.days", { n: Math.floor(s / 86400) });
}

function unwell() {
  const tile = ([code, sign]) => h("button", { type: "button", "data-act": code, "aria-disabled": live.connected ? null : "true", onclick: () => report(code) }, icon(sign), t(`me.feel.${code}`));
  return [back(), h("h1", t("me.unwell.ask")), h("p", t(live.connected ? "me.unwell.press" : "me.unwell.cut")),
    failed ? h("p.trouble__line", { role: "status" }, icon("warn"), t("me.unsent")) : "",
    h("div.symptoms", SYMPTOMS.map(tile)), h("div.stack", emergencyCall(), h("a.btn.btn--quiet", { href: "#home" }, t("me.mistake")))];
}

const told = () => [h("section.hero.hero--ok", h("div.hero__mark", icon("check")), h("h1", t("me.told")), h("p", h("b", t("me.told.sit"))), h("small", t("me.told.more"))),
  h("div.unwell.stack", emergencyCall(), h("a.btn", { href: "#unwell" }, t("me.another")))];

function call() {
  const people = (mine?.contacts ?? []).filter((one) => one.phone && one.phone !== "unknown");
  return [h("h1", t("me.call")), h("p", t("me.call.first", { n: t("me.number") })),
    h("div.stack.unwell", emergencyCall(), people.map((one) => h("a.btn", { href: `tel:${one.phone.replaceAll(/[^+\d]/g, "")}` }, icon("phone"), one.name))),
    h("p.device-line", h("button.link", { type: "button", onclick: toggleTheme }, t("bar.theme")), h("button.link", { type: "button", onclick: signOut }, t("bar.signout")))];
}

const back = () => h("a.back", { href: "#home" }, icon("back"), t("me.back"));
const emergencyCall = () => h("a.btn.btn--em", { href: `tel:${t("me.number")}` }, icon("phone"), t("me.call.number", { n: t("me.number") }));
const SCREENS = { home, unwell, told, call };

/* ---- what is said ---- */

async function send(path, body) {
  if (busy || !live.connected) return null;
  busy = true;
  failed = false;
  render();
  let answer = null;
  try {
    answer = await ask("POST", path, body);
  } catch {
    failed = true;
  }
  busy = false;
  render();
  return answer;
}

/** "well" or "help". */
async function say(row, word) {
  const answer = await send(`/alerts/${row.alert}/answer`, { answer: word });
  if (answer) { patch(row.alert, { ...answer }); render(); }
}

async function acknowledge(row) {
  const answer = await send(`/alerts/${row.alert}/acknowledge`, {});
  if (answer) { patch(row.alert, answer); render(); }
}

async function report(code) {
  if (await send("/symptoms", { patient: account.patient, symptoms: [code] })) location.hash = "told";
}

/* ---- news and clocks ---- */

function announce(first) {
  const key = live.connected ? first?.alert ?? "fine" : "cut";
  if (key === announced || !live.ever) return;
  const loud = live.connected && first && (first.asked_until || first.tier === "emergency");
  if (announced !== null) $(loud ? "assertive" : "polite").textContent = $("screen").querySelector("h1")?.textContent ?? "";
  announced = key;
  document.title = `${t("me.title")} · Tierwatch`;
}

function tick() {
  for (const node of document.querySelectorAll("[data-until]")) node.textContent = age((Date.parse(node.dataset.until) - now()) / 1000);
  for (const node of document.querySelectorAll("[data-when]")) node.textContent = when(node.dataset.when);
  for (const node of document.querySelectorAll("[data-cut]")) node.textContent = live.ever ? t("me.cut.since", { at: shortClock(asOf()), for: age(cutFor()) }) : t("me.cut.never");
}

async function refresh() {
  if (!live.connected) return;
  mine = await ask("GET", "/me").catch(() => mine);
  render();
}

document.title = `${t("me.title")} · Tierwatch`;
$("tabs").setAttribute("aria-label", t("bar.nav"));
$("top").replaceChildren(h("span.brand", icon("logo"), "Tierwatch"), h("button.lang", { type: "button", onclick: switchLanguage, lang: lang === "zh" ? "en" : "zh-CN" }, lang === "zh" ? "English" : "中文"));
addEventListener("hashchange", () => { failed = false; render(); });
render();
start(({ first }) => { if (first || !mine) refresh(); render(); });
setInterval(render, 1000);
setInterval(refresh, 15000);
