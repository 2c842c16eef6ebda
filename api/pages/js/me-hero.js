/** The one thing that the patient's page says first, made from their gravest alert; pure but for building it. */

import { h, icon, lang, shape, shortClock, t } from "./page.js";
import { emergencyCall, till } from "./me-parts.js";

/** em, dr, tip or tech. */
export const kindOf = (row) => (row.kind === "technical" ? "tech" : { emergency: "em", doctor: "dr", tip: "tip" }[row.tier]);

const hero = (kind, mark, ...rest) => h(`section.hero.hero--${kind}`, { "aria-labelledby": "hero-title" }, h(`div.hero__mark${["ok", "calm"].includes(kind) ? "" : ".hero__mark--bare"}`, mark), ...rest);
const title = (words) => h("h1", { id: "hero-title" }, words);
const steps = (lines) => (lines.length ? h("ol", lines.map((line) => h("li", h("span", line)))) : "");
const plain = (row) => row.plain[lang] ?? row.plain.en;
const todo = (row) => row.plain_do[lang] ?? row.plain_do.en;
const unanswered = (row) => row.state === "sounding" || row.state === "latched";
const button = (what, words, sign, more, { off, go }) => h(`button.btn${more}`, { type: "button", "data-act": what, "aria-disabled": off ? "true" : null, onclick: go }, icon(sign), words);

/** `view`: {row, held, connected, ever, quiet, fresh, mine, pause, busy}; `act`: {say(row, word), acknowledge(row), lift(pause)}. */
export function heroOf(view, act) {
  const { row, mine } = view;
  if (!view.connected) return view.ever ? cut() : hero("tech", icon("clock", "shape shape--tech"), title(t("me.loading")), h("p", { "data-cut": true }));
  if (row?.asked_until) return asked(view, act);
  if (row) return { em: emergency, dr: doctor, tip, tech: technical }[kindOf(row)](view, act);
  if (view.quiet) return unseen(t("me.unseen"));
  if (view.held) return held(view.held);
  return mine && view.fresh ? calm(view, act) : hero("tech", icon("clock", "shape shape--tech"), title(t("me.loading")), h("p", t("me.loading.what")));
}

/** Nothing is open: fine only where every device was seen lately, and somebody watches. */
function calm({ mine, pause, busy }, act) {
  if (!mine.monitored) return hero("tech", shape("tech"), title(t("me.ended")), h("p", t("me.ended.what")), h("div.stack", emergencyCall()));
  if (pause) return hero("tech", icon("pause", "shape shape--tech shape--line"), title(t("me.paused", { at: till(pause.until_at) })), h("p", t("me.paused.what")), h("div.stack", button("lift", t("me.pause.end"), "check", ".btn--primary", { off: busy, go: () => act.lift(pause) })));
  if (mine.sight === "none") return hero("tech", shape("tech"), title(t("me.none")), h("p", t("me.none.what")));
  if (mine.sight !== "seen") return unseen(t("me.unseen.device"), h("a.btn", { href: "#devices" }, icon("strap"), t("me.unseen.which")));
  return hero("ok", icon("check"), title(t("me.fine")), h("p", t("me.fine.what")), h("small", t("me.fine.checked"), " ", h("span", { "data-when": newest(mine.vitals) ?? mine.at })));
}

const newest = (vitals) => (Array.isArray(vitals) ? vitals.map((one) => one.at).sort().at(-1) : null);

/** No word to the server: the readings go on, and how to call does not depend on it. */
const cut = () => hero("tech", shape("tech"), title(t("me.cut")), h("p", { "data-cut": true }), steps([t("me.cut.do1"), t("me.cut.do2")]), h("div.stack", emergencyCall()));

const unseen = (why, more = "") => hero("tech", shape("tech"), title(t("me.cut")), h("p", why), steps([t("me.unseen.do1"), t("me.cut.do2")]), h("div.stack", emergencyCall(), more));

/** Answered, or over and in somebody's hands, but not closed: that is not "fine". */
const held = (row) => hero("calm", icon("clock"), title(t(row.tier === "tip" ? "me.held" : "me.seen")), h("p", plain(row)), h("small", t(row.tier === "tip" ? "me.held.then" : "me.seen.then")));

/** The countdown: one question, two answers, and what happens without one. */
function asked({ row, busy }, act) {
  return hero("em", shape("em"), title(t("me.asked")), h("p", row.past ? t("me.asked.past", { at: shortClock(row.raised_at) }) : plain(row)),
    h("p.bignum", h("span.num", { "data-until": row.asked_until, role: "timer" }), h("small", t("me.asked.then"))),
    h("div.stack",
      button("well", t("me.well"), "check", ".btn--primary", { off: busy, go: () => act.say(row, "well") }),
      button("help", t("me.help"), "hand", ".btn--em", { off: busy, go: () => act.say(row, "help") })),
    who(row));
}

function emergency({ row }) {
  const answered = ["accepted", "on_the_way", "arrived"].includes(row.response_kind);
  const words = answered ? `me.em.${row.response_kind}` : row.answered_name && !unanswered(row) ? "me.em.taken" : "me.em";
  return hero("em", shape("em"), title(t(words)), h("p", answered || row.response_kind === "rejected" ? t(`me.em.said.${row.response_kind}`, { at: shortClock(row.response_at) }) : plain(row)),
    h("div.stack", emergencyCall()), steps(todo(row)), who(row)); // the button above the fold, whatever the steps are
}

function doctor({ row, busy }, act) {
  const words = row.well_at ? "me.dr.well" : !unanswered(row) ? "me.dr.taken" : row.told.some((role) => role === "doctor" || role === "practice") ? "me.dr.told" : "me.dr";
  return hero("dr", shape("dr"), title(t(words, { who: row.answered_name ?? t("me.who.doctor") })), h("p", plain(row)), steps(todo(row)),
    h("div.stack", button("help", t("me.help"), "hand", "", { off: busy, go: () => act.say(row, "help") })), who(row));
}

function tip({ row, busy }, act) {
  return hero("tip", shape("tip"), title(t("me.tip")), h("p", plain(row)), steps(todo(row)),
    h("div.stack.stack--kept", button("done", t("me.done"), "check", ".btn--primary", { off: busy, go: () => act.acknowledge(row) }),
      h("a.btn", { href: "#cannot", "data-act": "cannot" }, icon("phone"), t("me.cannot"))),
    row.doctor_at ? h("small", t("me.tip.doctor"), " ", h("span.num", { "data-until": row.doctor_at })) : "", who(row));
}

const technical = ({ row }) => hero("tech", shape("tech"), title(t("me.tech")), h("p", plain(row)), steps(todo(row)), who(row));

/** Who has been reached: only what a channel has delivered is said. */
function who(row) {
  const told = row.told.filter((role) => role !== "patient");
  if (!told.length) return row.tier === "tip" ? "" : h("small", t("me.who.nobody"));
  return h("small", t("me.who", { who: told.map((role) => t(`me.who.${role}`)).join(t("list.comma")) }));
}

/** What is said aloud while the seconds run out. */
export const left = (row, nowMs) => Math.ceil((Date.parse(row.asked_until) - nowMs) / 1000);
