/** The family's page: what their patient lets them see, who is on point, whom to call. Asked for while it is looked at. */

import { keepTime, now } from "./live.js";
import { kindOf } from "./me-hero.js";
import { device, seen } from "./me-devices.js";
import { emergencyCall, callers, readings, when } from "./me-parts.js";
import { $, age, ask, h, icon, lang, preferLanguage, said, shape, shortClock, signOut, switchLanguage, t, toggleTheme } from "./page.js";

const EVERY_MS = 15_000; // each look is written into the patient's book
const CUT_MS = 40_000;
const account = await ask("GET", "/session");
preferLanguage(account.language);
let shared = null;
let heard = performance.now();
let shown = "";
let announced = null;

const cut = () => performance.now() - heard > CUT_MS;
const hero = (kind, mark, words, ...rest) => h(`section.hero.hero--${kind}`, { "aria-labelledby": "hero-title" }, h(`div.hero__mark${kind === "ok" ? "" : ".hero__mark--bare"}`, mark), h("h1", { id: "hero-title" }, words), ...rest);

function render() {
  const state = JSON.stringify([cut(), shared]);
  if (state !== shown) {
    const focused = $("screen").contains(document.activeElement) ? document.activeElement.dataset.act : null;
    shown = state;
    $("screen").replaceChildren(...[page()].flat(Infinity).filter(Boolean));
    if (focused) $("screen").querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
    const head = $("screen").querySelector("h1")?.textContent ?? "";
    if (announced !== null && head !== announced) $("polite").textContent = head;
    announced = head;
  }
  for (const node of document.querySelectorAll("[data-until]")) node.textContent = age((Date.parse(node.dataset.until) - now()) / 1000);
  for (const node of document.querySelectorAll("[data-when]")) node.textContent = when(node.dataset.when);
  for (const node of document.querySelectorAll("[data-seen]")) node.textContent = seen(node.dataset.seen);
}

function page() {
  if (cut()) return [hero("tech", shape("tech"), t("family.cut"), h("p", t("family.cut.what"))), calls(), foot()];
  if (!shared) return hero("tech", icon("clock", "shape shape--tech"), t("me.loading"));
  const { status, alerts, on_call: duty, vitals, devices } = shared;
  return [first(status, alerts),
    alerts?.length ? [h("h2", t("family.alerts")), h("small.under", t("family.written")), h("div.stack.unwell", alerts.map(card))] : "",
    duty?.length ? [h("h2", t("family.point")), h("ul.readings", duty.map((one) => h("li.point", icon("user"), h("span", h("b", one.names.join(t("list.comma")) || t(`family.duty.${one.role}`)), one.names.length ? h("small", t(`family.duty.${one.role}`)) : ""))))] : "",
    vitals ? [h("h2", t("family.readings")), Array.isArray(vitals) && vitals.length ? readings(vitals, shared.glucose_unit) : h("p.muted", t("me.noreadings"))] : "",
    devices ? [h("h2", t("family.devices")), devices.length ? h("ul.readings", devices.map((one) => device(one, false))) : h("p.muted", t("family.nodevice"))] : "",
    calls(), foot()];
}

/** The one thing that is said first; what is not shared is not guessed. */
function first(status, alerts) {
  const worst = alerts?.length ? [...alerts].sort((a, b) => rank(b) - rank(a))[0] : null;
  if (worst) { const kind = kindOf(worst); return hero(kind, shape(kind), title(worst), h("p", said(worst.plain)), h("small", h("span", { "data-when": worst.raised_at }, when(worst.raised_at))), kind === "em" ? h("div.stack", emergencyCall()) : ""); }
  if (!status) return hero("calm", icon("lock"), t(shared.shown.length ? "family.some" : "family.nothing"), h("p", t(shared.shown.length ? "family.some.what" : "family.nothing.what")));
  return status === "fine" ? hero("ok", icon("check"), t("family.fine"), h("p", t("family.fine.what"))) : hero("tech", shape("tech"), t(`family.${status}`), h("p", t(`family.${status}.what`)));
}

const rank = (row) => ({ emergency: 3, doctor: 2, tip: 1 })[row.tier] - (row.kind === "technical" ? 0.5 : 0);

function title(row) {
  if (["accepted", "on_the_way", "arrived"].includes(row.response_kind)) return t(`family.em.${row.response_kind}`, { at: shortClock(row.response_at) });
  if (row.tier === "emergency") return t("family.em");
  return t(kindOf(row) === "tech" ? "family.tech" : row.tier === "doctor" ? "family.dr" : "family.tip");
}

/** Who has an alert, else who has been told and who is next. */
function card(row) {
  const kind = kindOf(row);
  const names = (roles) => roles.map((role) => t(`role.${role}`)).join(t("list.comma"));
  const free = row.state === "sounding" || row.state === "latched";
  return h("article.tip-card", h("header", icon(kind, `shape shape--${kind}`), h("span", { "data-when": row.raised_at }, when(row.raised_at))), h("b", said(row.plain)),
    h("p", free ? t("family.nobody") : t("family.has", { who: row.answered_name ?? "–" })),
    row.told.length ? h("small", t("family.told", { who: names(row.told) })) : "",
    free && row.next.length && row.next_due_at ? h("small.under", t("family.next", { who: names(row.next) }), " ", h("span.num", { "data-until": row.next_due_at })) : "");
}

const calls = () => [h("h2", t("me.tab.call")), h("div.stack", callers([], shared?.practice))];
const foot = () => h("p.device-line", t("page.device"), h("button.link", { type: "button", "data-act": "theme", onclick: toggleTheme }, t("bar.theme")), h("button.link", { type: "button", "data-act": "out", onclick: signOut }, t("bar.signout")));

async function refresh() {
  if (document.hidden) return;
  await ask("GET", "/family").then((told) => { shared = told; heard = performance.now(); keepTime(Date.parse(told.at)); }, () => null);
  render();
}

document.title = `${t("family.title")} · Tierwatch`;
$("top").replaceChildren(h("span.brand", icon("logo"), "Tierwatch"), h("button.lang", { type: "button", onclick: switchLanguage, lang: lang === "zh" ? "en" : "zh-CN" }, lang === "zh" ? "English" : "中文"));
navigator.serviceWorker?.register("/sw.js").catch(() => null);
render();
refresh();
setInterval(refresh, EVERY_MS);
addEventListener("visibilitychange", refresh);
setInterval(render, 1000);
