/** One emergency as a dispatcher needs it: what, where, who, before you treat, the strip; then what becomes of it. */

import { marks, shaded } from "./beats.js";
import { gone } from "./dispatch-gone.js";
import { bar } from "./dispatch-bar.js";
import { keyNumber, years } from "./facts.js";
import { known, written } from "./record.js";
import { drawStrip } from "./strip.js";
import { $, age, clock, h, icon, lang, said, shortClock, t } from "./page.js";

const alert = location.pathname.split("/").at(-1);
const POLL_MS = 5000;
const NARROW = "(max-width: 620px)";
const BEFORE_S = 4; // of the eight seconds that a phone shows first
const OLD_S = { heart_rate: 600, glucose: 1200, oxygen_saturation: 600, blood_pressure: 6 * 3600 };
const STEPS = ["accepted", "on_the_way", "arrived"];

let found = null;
let state = null;
let heard = 0; // when the state was heard last, by our own clock
let busy = false;
let refused = "";

$("skip").textContent = t("dispatch.skip");
bar($("bar"), { onprint: () => print() });
async function start() {
  const reply = await asked("GET", "");
  if (!reply) { setTimeout(start, POLL_MS); return; }
  found = reply;
  hear(reply);
  show();
  setInterval(poll, POLL_MS);
  setInterval(tick, 1000);
}

/** The API's answer; null: it was not heard, or this may not be seen (any more), which is shown. */
async function asked(method, path, body) {
  try {
    const headers = { accept: "application/json" };
    if (body) Object.assign(headers, { "content-type": "application/json", "idempotency-key": crypto.randomUUID?.() ?? String(performance.now()) });
    const reply = await fetch(`/api/v1/dispatch/${alert}${path}`, { method, headers, body: body ? JSON.stringify(body) : undefined });
    const told = await reply.json();
    if (reply.ok) return told;
    if ([401, 403, 404, 410].includes(reply.status)) leave(told);
    else refused = told.detail ?? "";
  } catch {
    refused = "";
  }
  cut();
  return null;
}

/** Nothing of the patient stays on the screen. */
function leave(problem) {
  document.title = "Tierwatch";
  document.body.replaceChildren(h("header.bar", { id: "bar" }), h("main.gone", { id: "gone" }));
  bar($("bar"));
  gone($("gone"), { why: problem.why ?? "unknown", call: problem.call });
  throw new Error(problem.detail);
}

function hear(told) {
  const before = state?.state;
  state = told;
  heard = performance.now();
  if (before && before !== "closed" && state.state === "closed") $("assertive").textContent = t("dispatch.down");
}

async function poll() {
  const told = await asked("GET", "/state");
  if (told) { hear(told); steps(); }
  cut();
}

/** A state that is not heard any more is not shown as alive. */
function cut() {
  const silent = heard ? (performance.now() - heard) / 1000 : 0;
  $("banner").replaceChildren(...(silent > 3 * (POLL_MS / 1000) ? [h("p.cut", icon("wifi-off"), t("dispatch.cut", { s: age(silent) }))] : []));
}

const at = () => Date.parse(state.at) + (performance.now() - heard);

function tick() {
  for (const node of document.querySelectorAll("[data-since]")) node.textContent = age((at() - Date.parse(node.dataset.since)) / 1000);
  const left = $("left");
  if (left && state.ends_in_s !== null) left.textContent = age(state.ends_in_s - (performance.now() - heard) / 1000);
}

function show() {
  const r = found.record;
  $("main").replaceChildren(
    h("section.what", { "aria-labelledby": "what" },
      h("p.tier.tier--em", icon("em"), t("tier.em"), h("span.num", `${t("alert.for")} `, h("b", { "data-since": found.raised_at }))),
      h("h1", { id: "what" }, said(found.what)),
      h("p.what__why", why()),
      h("div", { id: "answer" })),
    where(r), who(r), must(r), ecg(),
    lists("doc", "problems", r.problems), lists("pill", "medication", r.medication), vitals(r.vitals), foot());
  steps();
  tick();
  draw();
}

function why() {
  const number = keyNumber({ evidence: found.evidence, kind: "physiological" });
  return [number ? h("b", `${number[0]} ${number[1]}. `) : "", said(found.reason)];
}

/** What was answered, with its time; what may be answered now; the rest is shown and cannot be pressed. */
function steps() {
  const times = new Map();
  for (const one of state.responses) if (!times.has(one.kind) || one.kind === "rejected") times.set(one.kind, one.at);
  const last = state.responses.at(-1)?.kind;
  const over = state.state === "closed";
  const reached = last === "rejected" ? -1 : Math.max(...STEPS.map((kind, i) => (times.has(kind) ? i : -1)));
  const focused = document.activeElement?.dataset?.kind;
  const button = (kind, words, on, primary) => h(`button.btn${primary && on ? ".btn--primary" : ""}`, { type: "button", "data-kind": kind, "aria-disabled": on && !busy ? null : "true", onclick: () => { if (on && !busy) say(kind); } }, words);
  $("answer").replaceChildren(
    over ? h("p.down", icon("check"), h("span", t("dispatch.down"), state.outcome ? ` ${t(`ended.${state.outcome}`)}` : "", state.closed_at ? `, ${clock(state.closed_at)}` : "")) : "",
    h("ol.answer", { "aria-label": t("dispatch.answer") },
      STEPS.map((kind, i) => {
        const done = i <= reached && times.has(kind);
        return h("li", done ? h("p.btn.btn--done", icon("check"), t(`dispatch.done.${kind}`)) : button(kind, t(`dispatch.${kind}`), !over && i === reached + 1, true),
          done ? h("time.num", clock(times.get(kind))) : "");
      }),
      h("li", button("rejected", t(reached >= 0 ? "dispatch.hand_on" : "dispatch.rejected"), !over && reached < 2 && last !== "rejected", false),
        last === "rejected" ? h("time.num", t("dispatch.was_rejected", { at: clock(times.get("rejected")) })) : "")),
    refused ? h("p.refused", { role: "alert" }, icon("warn"), refused) : "",
    state.answered_by && !over && reached < 0 ? h("p.muted", t("dispatch.taken")) : "");
  if (focused) document.querySelector(`[data-kind="${focused}"]`)?.focus();
}

async function say(kind) {
  busy = true;
  refused = "";
  steps();
  const told = await asked("POST", "/answer", { kind });
  busy = false;
  if (told) hear(told);
  else if (!refused) refused = t("dispatch.unsaid");
  steps();
}

const card = (id, sign, ...rest) => h(`section.card.${id}`, { "aria-labelledby": `h-${id}` }, h("h2", { id: `h-${id}` }, icon(sign), t(`dispatch.${id}`)), rest);
const fact = (name, value, kind = "") => h("div", h("dt", t(`dispatch.${name}`)), h(`dd${kind}`, value));
const unknown = () => h("span.muted", t("record.unknown"));

function where(r) {
  return card("where", "pin", h("p.where__street", known(r.address) ?? unknown()),
    h("dl", fact("door", known(r.door_code) ?? unknown(), known(r.door_code) ? ".num.where__code" : ""), known(r.position) ? fact("position", known(r.position), ".num") : ""));
}

function who(r) {
  const old = years(r.birth_date, at());
  const about = [{ female: t("sex.woman"), male: t("sex.man"), other: t("sex.other") }[r.sex], old === null ? t("dispatch.no_age") : t("record.years", { n: old }), known(r.birth_date), known(r.language) && t("dispatch.speaks", { what: spoken(r.language) })];
  const own = Array.isArray(r.phones) ? r.phones.map((phone) => [t("dispatch.patient"), phone]) : [];
  const others = Array.isArray(r.contacts) ? r.contacts.map((one) => [[known(one.name), known(one.relation), one.has_key === true ? t("dispatch.key") : ""].filter(Boolean).join(", "), one.phone]) : [];
  const calls = [...own, ...others];
  return card("who", "user", h("p.person__name", known(r.name) ?? t("dispatch.unnamed")), h("p", about.filter(Boolean).join(" · ")),
    calls.length ? h("ul.calls", calls.map(([name, phone]) => h("li", known(phone)
      ? h("a.btn", { href: `tel:${phone.replaceAll(/[^+\d]/g, "")}` }, icon("phone"), h("span", name, h("small.num", phone)))
      : h("p", name, " ", h("small.muted", t("record.nophone")))))) : h("p.muted", t("dispatch.no_calls")));
}

function spoken(code) {
  try { return new Intl.DisplayNames([lang], { type: "language" }).of(code); } catch { return code; }
}

/** What is not known is said, and never looks like "none". */
function listed(items, name) {
  if (!Array.isArray(items)) return unknown();
  return items.length ? h("ul.plain", items.map((one) => h("li", one))) : h("span", t(`record.none.${name}`));
}

function must(r) {
  return card("must", "warn", h("dl", ["directives", "allergies", "implants"].map((name) => h("div", h("dt", t(`record.${name}`)), h("dd.strong", listed(r[name], name)))),
    fact("blood", known(r.blood_group) ?? unknown())),
    found.steps?.[lang]?.length ? h("ul.plain.steps", found.steps[lang].map((step) => h("li", step))) : "");
}

const lists = (sign, name, items) => h(`section.card.${name}`, { "aria-labelledby": `h-${name}` }, h("h2", { id: `h-${name}` }, icon(sign), t(`record.${name}`)), listed(items, name));

function vitals(list) {
  const rows = Array.isArray(list) ? list : [];
  return card("vitals", "heart", rows.length ? h("table.values.num", h("tbody", rows.map((one) => {
    const [value, unit] = written(one);
    const old = (at() - Date.parse(one.at)) / 1000 > (OLD_S[one.kind] ?? 3600);
    const mmol = one.kind === "glucose" && Number.isFinite(one.values.glucose_mg_dl) ? h("small", `${(one.values.glucose_mg_dl / 18.0182).toFixed(1)} mmol/L`) : "";
    return h("tr", h("th", { scope: "row" }, t(`vital.${one.kind}`)), h("td", `${value} ${unit} `, mmol), h(old ? "td.old" : "td", h("b", { "data-since": one.at }), ` ${t("record.ago")}`));
  }))) : unknown());
}

function ecg() {
  const strip = found.ecg;
  return h("section.card.ecg", { "aria-labelledby": "h-ecg" },
    h("header", h("h2", { id: "h-ecg" }, icon("pulse"), t("dispatch.ecg")), strip ? h("p.strip__legend", h("span", h("b", t("strip.lead", { lead: strip.lead })), ` · ${t("strip.scale")}`)) : ""),
    strip ? [h("div.strip", h("canvas", { id: "strip", role: "img", "aria-label": t("strip.says", { s: Math.round(strip.seconds), lead: strip.lead, what: said(found.what) }) })),
      h("button.btn.ecg__all", { type: "button", id: "all", hidden: true, onclick: () => { $("all").hidden = true; draw(true); } }, t("dispatch.all"))] : h("p.muted", t("dispatch.no_ecg")));
}

/** A phone shows the eight seconds that matter first; paper shows all. */
function draw(whole = false) {
  const strip = found.ecg;
  if (!strip) return;
  const part = matchMedia(NARROW).matches && !whole;
  $("all").hidden = !part;
  const onset = strip.onset_s;
  const start = Date.parse(strip.at);
  const end = strip.is_of_lead ? strip.end_s ?? strip.seconds : onset;
  const kind = found.condition.startsWith("af") ? "AF" : "VT";
  const since = `${said(found.what)} ${t("strip.from", { at: clock(start + onset * 1000) })}`;
  const own = end > onset ? [[Math.max(onset, 0), Math.min(end, strip.seconds), kind, [since, said(found.what)]]] : [];
  const first = Math.min(Math.max(onset - BEFORE_S, 0), strip.seconds - 2 * BEFORE_S);
  const fresh = $("strip").cloneNode();
  $("strip").replaceWith(fresh);
  drawStrip(fresh, { ...strip, beats: marks(found.measures), spans: [...own, ...shaded(found.measures, own[0] ?? [Infinity, -Infinity])] },
    { clock: start, say: clock, onset: { at: onset, kind }, gapText: (s) => t("strip.gap", { s }), ...(part ? { from: first, to: first + 2 * BEFORE_S } : {}) });
}

addEventListener("beforeprint", () => draw(true));

function foot() {
  return h("p.foot", `${t("dispatch.alert", { id: alert.slice(0, 8), at: shortClock(found.onset) })} `,
    h("a", { href: `/api/v1/dispatch/${alert}/packet` }, t("dispatch.fhir")), ", ", h("a", { href: `/api/v1/dispatch/${alert}/packet.pdf` }, "PDF"), `. ${t("dispatch.fine")} ${t("page.device")}`);
}

await start();
