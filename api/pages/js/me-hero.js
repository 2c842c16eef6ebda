/** The one thing that the patient's page says first, made from their gravest alert; pure but for building it. */

import { h, icon, lang, shape, t } from "./page.js";

/** em, dr, tip or tech. */
export const kindOf = (row) => (row.kind === "technical" ? "tech" : { emergency: "em", doctor: "dr", tip: "tip" }[row.tier]);

const hero = (kind, mark, ...rest) => h(`section.hero.hero--${kind}`, { "aria-labelledby": "hero-title" }, h(`div.hero__mark${kind === "ok" ? "" : ".hero__mark--bare"}`, mark), ...rest);
const title = (words) => h("h1", { id: "hero-title" }, words);
const steps = (lines) => (lines.length ? h("ol", lines.map((line) => h("li", h("span", line)))) : "");
const plain = (row) => row.plain[lang] ?? row.plain.en;
const todo = (row) => row.plain_do[lang] ?? row.plain_do.en;
const call = () => h("a.btn.btn--em", { href: `tel:${t("me.number")}`, "data-act": "call" }, icon("phone"), t("me.call.number", { n: t("me.number") }));

/** `view`: {row, connected, ever, quiet, vitals, busy}; `act`: {say(row, word), acknowledge(row)}. */
export function heroOf(view, act) {
  const { row } = view;
  if (!view.connected) return view.ever ? cut() : hero("tech", icon("clock", "shape shape--tech"), title(t("me.loading")), h("p", { "data-cut": true }));
  if (!row) return view.quiet ? unseen() : fine(view);
  if (row.asked_until) return asked(view, act);
  return { em: emergency, dr: doctor, tip, tech: technical }[kindOf(row)](view, act);
}

function fine({ vitals }) {
  const any = Array.isArray(vitals) && vitals.length;
  return any ? hero("ok", icon("check"), title(t("me.fine")), h("p", t("me.fine.what")), h("small", t("me.fine.checked"), " ", h("span", { "data-when": newest(vitals) })))
    : hero("tech", shape("tech"), title(t("me.none")), h("p", t("me.none.what")));
}

const newest = (vitals) => vitals.map((one) => one.at).sort().at(-1);

/** No word to the server: the readings go on, and how to call does not depend on it. */
const cut = () => hero("tech", shape("tech"), title(t("me.cut")), h("p", { "data-cut": true }), steps([t("me.cut.do1"), t("me.cut.do2")]), h("div.stack", call()));

const unseen = () => hero("tech", shape("tech"), title(t("me.cut")), h("p", t("me.unseen")), steps([t("me.cut.do2")]), h("div.stack", call()));

/** The countdown: one question, two answers, and what happens without one. */
function asked({ row, busy }, act) {
  const off = busy ? "true" : null;
  return hero("em", shape("em"), title(t("me.asked")), h("p", plain(row)),
    h("p.bignum", h("span.num", { "data-until": row.asked_until }), h("small", t("me.asked.then"))),
    h("div.stack",
      h("button.btn.btn--primary", { type: "button", "data-act": "well", "aria-disabled": off, onclick: () => act.say(row, "well") }, icon("check"), t("me.well")),
      h("button.btn.btn--em", { type: "button", "data-act": "help", "aria-disabled": off, onclick: () => act.say(row, "help") }, icon("hand"), t("me.help"))),
    who(row));
}

function emergency({ row }) {
  const coming = ["accepted", "on_the_way", "arrived"].includes(row.response_kind);
  return hero("em", shape("em"), title(t(coming ? `me.em.${row.response_kind}` : row.answered_name && !["sounding", "latched"].includes(row.state) ? "me.em.taken" : "me.em")),
    h("p", plain(row)), h("div.stack", call()), steps(todo(row)), who(row)); // the button above the fold, whatever the steps are
}

function doctor({ row, busy }, act) {
  const taken = !["sounding", "latched"].includes(row.state);
  const words = row.well_at ? "me.dr.well" : taken ? "me.dr.taken" : row.told.some((role) => role === "doctor" || role === "practice") ? "me.dr.told" : "me.dr";
  return hero("dr", shape("dr"), title(t(words, { who: row.answered_name ?? t("me.who.doctor") })), h("p", plain(row)), steps(todo(row)),
    h("div.stack", h("button.btn", { type: "button", "data-act": "help", "aria-disabled": busy ? "true" : null, onclick: () => act.say(row, "help") }, icon("hand"), t("me.help"))), who(row));
}

function tip({ row, busy }, act) {
  return hero("tip", shape("tip"), title(t("me.tip")), h("p", plain(row)), steps(todo(row)),
    h("div.stack", h("button.btn.btn--primary", { type: "button", "data-act": "done", "aria-disabled": busy ? "true" : null, onclick: () => act.acknowledge(row) }, icon("check"), t("me.done")),
      h("a.btn", { href: "#call", "data-act": "cannot" }, icon("phone"), t("me.cannot"))), who(row));
}

const technical = ({ row }) => hero("tech", shape("tech"), title(t("me.tech")), h("p", plain(row)), steps(todo(row)), who(row));

/** Who has been reached: only what a channel has delivered is said. */
function who(row) {
  const told = row.told.filter((role) => role !== "patient");
  if (!told.length) return row.tier === "tip" ? "" : h("small", t("me.who.nobody"));
  return h("small", t("me.who", { who: told.map((role) => t(`me.who.${role}`)).join(t("list.comma")) }));
}
