/** What is needed now and then: a planned pause, a test of the alarm, who opened my record, what my family sees, choices. */

import { h, icon, lang, signOut, switchLanguage, t, toggleTheme } from "./page.js";
import { live, now } from "./live.js";
import { back, till, trouble, when } from "./me-parts.js";

const off = (my) => (live.connected && !my.busy ? null : "true");
const button = (what, words, more, on) => h(`button.btn${more}`, { type: "button", "data-act": what, ...on }, words);

const MORE = [["pause", "pause"], ["alarm", "bell"], ["family", "user"], ["opened", "lock"], ["choices", "sun"]];
export const more = () => [h("h2", t("me.more")), h("ul.readings.links", MORE.map(([to, sign]) => h("li", h("a", { href: `#${to}` }, icon(sign), h("b", t(`me.more.${to}`)), icon("next")))))];

/* ---- a planned pause ---- */

const DAY = 1440;
const LENGTHS = { shower: [15, 30, 60], charging: [30, 60, 120, 240], night: [480, 600, 720], hospital: [DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY], holiday: [3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY] };
const SIGNS = { shower: "drop", charging: "battery", night: "clock", hospital: "heart", holiday: "sun" };
let kind = null;

/** The pause that runs, or None: those that are to come do not count. */
export const running = (mine) => mine?.pauses.find((one) => Date.parse(one.from_at) <= now() && now() < Date.parse(one.until_at)) ?? null;

const long = (minutes) => (minutes < 120 ? t("me.minutes.long", { n: minutes }) : minutes <= DAY / 2 ? t("me.hours.long", { n: minutes / 60 }) : t(minutes === DAY ? "me.day.long" : "me.days.long", { n: minutes / DAY }));

export function pause(act, my) {
  if (!my.mine) return [back(), h("h1", t("me.pause"))];
  const planned = [...my.mine.pauses].reverse();
  const kinds = my.mine.pause_kinds.filter((one) => lengths(one).length);
  const chosen = kinds.find((one) => one.kind === kind);
  return [back(), h("h1", t("me.pause")), h("p", t("me.pause.what")), trouble(my.failed),
    planned.map((one) => h("section.tip-card.unwell", h("b", t("me.pause.until", { why: t(`me.pause.${one.kind}`), at: till(one.until_at) })), button("lift", t("me.pause.end"), "", { "aria-disabled": off(my), onclick: () => lift(one, act) }))),
    planned.length ? "" : [h("h2", t("me.pause.why")), h("div.choices", kinds.map((one) => h("button", { type: "button", "data-act": one.kind, "aria-pressed": String(one.kind === kind), onclick: () => { kind = one.kind; act.render(); } }, icon(SIGNS[one.kind]), t(`me.pause.${one.kind}`)))),
      chosen ? [h("h2", t("me.pause.long")), h("div.stack", lengths(chosen).map((minutes) => button(`min-${minutes}`, t("me.pause.go", { for: long(minutes), at: till(now() + minutes * 60000) }), "", { "aria-disabled": off(my), onclick: () => plan(minutes, act) })))] : ""],
    h("small.under", t("me.pause.body"))];
}

const lengths = (one) => (LENGTHS[one.kind] ?? []).filter((minutes) => minutes <= one.longest_min);

async function plan(minutes, act) {
  if (await act.send("POST", `/patients/${act.patient}/pauses`, { kind, minutes, role: "patient" })) { kind = null; await act.refresh(); }
}

export async function lift(one, act) {
  if (await act.send("DELETE", `/patients/${act.patient}/pauses/${one.pause}`)) await act.refresh();
}

/** The choice itself belongs to what is shown. */
export const chosen = () => kind;

/* ---- a test of the alarm ---- */

let tried = null;

export function alarm(act, my) {
  const result = (one) => {
    const came = one.delivered && one.reaches;
    return h("li", icon(came ? "check" : "warn"), h("span", h("b", t(`me.way.${["email", "webhook", "log", "console"].includes(one.channel) ? one.channel : "other"}`)), h("small", t(came ? "me.alarm.came" : one.reaches ? "me.alarm.failed" : "me.alarm.nowhere"))));
  };
  return [back(), h("h1", t("me.alarm")), h("p", t("me.alarm.what")), trouble(my.failed),
    tried ? [h("h2", t("me.alarm.result", { when: when(tried.at) })), tried.ways.length ? h("ul.readings.ways", tried.ways.map(result)) : h("p", t("me.alarm.noway"))] : "",
    h("div.unwell.stack", button("test", t(my.busy ? "me.alarm.going" : "me.alarm.go"), ".btn--primary", { "aria-disabled": off(my), onclick: () => test(act) }))];
}

async function test(act) {
  const answer = await act.send("POST", "/me/alarm-test", undefined, { 429: t("me.alarm.soon") });
  if (answer) { tried = answer; act.render(); }
}

export const result = () => tried;

/* ---- what my family sees ---- */

export function family(act, my) {
  if (!my.shares) return [back(), h("h1", t("me.family"))];
  const { family: people, all } = my.shares;
  const line = (one, what) => h("label.switch", h("input", { type: "checkbox", checked: one.shown.includes(what), "data-act": `${one.login}-${what}`, onchange: () => share(one, what, act) }), h("span", h("b", t(`me.share.${what}`)), h("small", t(`me.share.${what}.what`))));
  return [back(), h("h1", t("me.family")), h("p", t(people.length ? "me.family.what" : "me.family.none")), trouble(my.failed),
    people.map((one) => h("fieldset.tip-card.unwell", h("legend", one.name), all.map((what) => line(one, what))))];
}

async function share(one, what, act) {
  const shown = one.shown.includes(what) ? one.shown.filter((other) => other !== what) : [...one.shown, what];
  await act.send("PUT", "/me/shares", { login: one.login, shown });
  await act.load("shares");
}

/* ---- choices ---- */

export function choices(act, my) {
  const unit = (value) => h("button", { type: "button", "data-act": `unit-${value === "mg/dL" ? "mg" : "mmol"}`, "aria-pressed": String(my.mine?.glucose_unit === value), onclick: () => choose(value, act) }, value);
  return [back(), h("h1", t("me.choices")), trouble(my.failed), h("h2", t("me.choices.unit")), h("div.choices", unit("mg/dL"), unit("mmol/L")),
    h("h2", t("me.choices.page")), h("div.stack", button("theme", t("bar.theme"), "", { onclick: toggleTheme }), button("lang", lang === "zh" ? "English" : "中文", "", { onclick: switchLanguage, lang: lang === "zh" ? "en" : "zh-CN" }), button("out", t("bar.signout"), ".btn--quiet", { onclick: signOut }))];
}

async function choose(value, act) {
  if (await act.send("PUT", "/me/choices", { glucose_unit: value })) await act.refresh();
}
