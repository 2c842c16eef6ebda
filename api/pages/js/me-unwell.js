/** "I feel unwell": what it is, in pictures and words, and then what came of it. */

import { h, icon, t } from "./page.js";
import { live, now } from "./live.js";
import { back, emergencyCall, trouble } from "./me-parts.js";

const SYMPTOMS = [["chest_pain", "chest"], ["breathless", "breath"], ["faint", "dizzy"], ["palpitations", "pulse"], ["other", "hand"]];
const KEPT = "tierwatch.said";
const MISTAKE_S = 60;
const PATIENCE_S = 15;

/** What was said last: {code, at, over}; kept over a reload. */
let said = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");

function keep(what) {
  said = what;
  sessionStorage.setItem(KEPT, JSON.stringify(what));
}

export function unwell(act, my) {
  const tile = ([code, sign]) => h(`button${code === "other" ? ".symptoms__other" : ""}`, { type: "button", "data-act": code, "aria-disabled": live.connected && !my.busy ? null : "true", onclick: () => report(code, act) }, icon(sign), t(`me.feel.${code}`));
  return [back(), h("h1", t("me.unwell.ask")), h("p", t(live.connected ? "me.unwell.press" : "me.unwell.cut")), trouble(my.failed),
    h("div.symptoms", SYMPTOMS.map(tile)), h("div.stack", emergencyCall(), h("a.btn.btn--quiet", { href: "#home" }, t("me.mistake")))];
}

async function report(code, act) {
  const answer = await act.send("POST", "/symptoms", { patient: act.patient, symptoms: [code] });
  if (answer) { keep({ code, at: Date.parse(answer.at), over: false }); location.hash = "told"; }
}

async function over(act) {
  if (await act.send("POST", "/symptoms", { patient: act.patient, symptoms: ["fine"] })) { keep({ ...said, over: true }); act.render(); }
}

/** The alert that came of it, if one did. */
const alertOf = () => [...live.alerts.values()].find((row) => row.condition === "symptom") ?? null;

/** What is said of it: it changes with what the server knows, never before. */
function outcome(my) {
  const row = alertOf();
  const s = (now() - said.at) / 1000;
  if (said.over) return { title: "me.told.over", more: "me.told.over.more" };
  if (row && !["sounding", "latched"].includes(row.state)) return { title: "me.dr.taken", who: row.answered_name ?? t("me.who.doctor") };
  if (row?.told.some((role) => role === "doctor" || role === "practice")) return { title: "me.told.who", who: doctor(row, my), next: true };
  if (row || s < PATIENCE_S) return { title: "me.told" };
  return { title: "me.told.written", more: "me.told.written.more" };
}

const doctor = (row, my) => (row.told.includes("doctor") && my.mine?.doctors.length ? my.mine.doctors.join(t("list.comma")) : t(row.told.includes("doctor") ? "me.who.doctor" : "me.who.practice"));

export function told(act, my) {
  if (!said) return unwell(act, my);
  const what = outcome(my);
  const row = alertOf();
  const young = (now() - said.at) / 1000 < MISTAKE_S;
  return [h(`section.hero.hero--${said.over ? "calm" : "ok"}`, { "aria-labelledby": "hero-title" }, h("div.hero__mark", icon("check")), h("h1", { id: "hero-title" }, t(what.title, { who: what.who })),
    h("p", t("me.told.said", { what: t(`me.feel.${said.code}`) })), what.more ? h("p", t(what.more)) : "",
    said.over ? "" : h("p", h("b", t("me.told.sit"))),
    h("small", t("me.told.more")),
    what.next && row.next_due_at && row.next.length ? h("small", t("me.told.next", { who: row.next.map((role) => t(`me.who.${role}`)).join(t("list.comma")) }), " ", h("span.num", { "data-until": row.next_due_at })) : ""),
  trouble(my.failed),
  h("div.unwell.stack", emergencyCall(), h("a.btn", { href: "#unwell" }, t("me.another")),
    said.over ? h("a.btn.btn--quiet", { href: "#home" }, t("me.back")) : h("button.btn.btn--quiet", { type: "button", "data-act": "over", "aria-disabled": live.connected && !my.busy ? null : "true", onclick: () => over(act) }, t(young ? "me.mistake" : "me.again")))];
}

/** What of this screen changes with time alone. */
export const moment = () => (said ? [said.over, (now() - said.at) / 1000 < MISTAKE_S, (now() - said.at) / 1000 < PATIENCE_S] : []);
