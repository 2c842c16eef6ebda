/** Pieces that every page of a patient or of their family is made of: times and values in plain words, ways to call. */

import { now } from "./live.js";
import { h, icon, shortClock, t } from "./page.js";

/** What is called when it is serious: it stands in the page itself, so that no connection is needed to know it. */
export const NUMBER = document.querySelector("meta[name=emergency-number]").content;
const MMOL = 18.0182; // mg/dL of glucose in one mmol/L
const OLD_S = { heart_rate: 600, glucose: 1200, oxygen_saturation: 600, blood_pressure: 172_800 };
const SIGNS = { heart_rate: "heart", glucose: "drop", blood_pressure: "cuff", oxygen_saturation: "breath" };

export const back = () => h("a.back", { href: "#home" }, icon("back"), t("me.back"));
export const emergencyCall = () => h("a.btn.btn--em", { href: `tel:${NUMBER}`, "data-act": "call" }, icon("phone"), t("me.call.number", { n: NUMBER }));
export const trouble = (words) => (words ? h("p.trouble__line", { role: "status" }, icon("warn"), words) : "");
export const dialled = (phone) => `tel:${phone.replaceAll(/[^+\d*#]/g, "")}`;
export const known = (value) => (value && value !== "unknown" ? value : null);

/** "now", "4 minutes ago", "today at 07:30", "yesterday at 19:02", "6 days ago" */
export function when(at) {
  const s = (now() - Date.parse(at)) / 1000;
  if (s < 60) return t("me.now");
  if (s < 3600) return t(s < 120 ? "me.minute" : "me.minutes", { n: Math.floor(s / 60) });
  return t(dayOf(at), { at: shortClock(at), n: Math.max(2, Math.floor(s / 86400)) });
}

/** When it will be: "14:30", "tomorrow at 07:00", "in 3 days"; `at` as the API sends it, or milliseconds. */
export function till(at) {
  const days = Math.round((midnight(new Date(at)) - midnight(now())) / 864e5);
  if (days <= 0) return shortClock(at);
  return days === 1 ? t("me.tomorrow", { at: shortClock(at) }) : t("me.indays", { n: days });
}

const midnight = (ms) => new Date(ms).setHours(0, 0, 0, 0);

function dayOf(at) {
  const days = Math.round((midnight(now()) - midnight(Date.parse(at))) / 864e5);
  return days <= 0 ? "me.today" : days === 1 ? "me.yesterday" : "me.days";
}

/** A number and its unit, as the person reads it. */
export function valued(one, glucoseUnit) {
  const v = one.values;
  const n = (x) => (x === null || x === undefined ? "–" : String(Math.round(x)));
  if (one.kind === "blood_pressure") return [`${n(v.systolic_mmhg)}/${n(v.diastolic_mmhg)}`, "mmHg"];
  if (one.kind === "glucose") return glucoseUnit === "mmol/L" && v.glucose_mg_dl ? [(v.glucose_mg_dl / MMOL).toFixed(1), "mmol/L"] : [n(v.glucose_mg_dl), "mg/dL"];
  if (one.kind === "heart_rate") return [n(v.rate_bpm), t("me.aminute")];
  return [n(Object.values(v)[0]), ""];
}

export function readings(list, glucoseUnit) {
  if (!Array.isArray(list) || !list.length) return h("p.muted", t("me.noreadings"));
  return h("ul.readings", list.filter((one) => one.kind in SIGNS).map((one) => {
    const [value, unit] = valued(one, glucoseUnit);
    const old = (now() - Date.parse(one.at)) / 1000 > OLD_S[one.kind];
    return h(`li${old ? ".readings__old" : ""}`, icon(SIGNS[one.kind]), h("span", h("b", t(`me.${one.kind}`)), h("small", { "data-when": one.at }, when(one.at))),
      h("span.readings__value", value, unit ? h("small", unit) : ""));
  }));
}

/** Big buttons to everybody who can be called: the emergency number first, then the patient's own people, then the practice. */
export function callers(contacts, practice) {
  const people = (contacts ?? []).filter((one) => known(one.phone));
  const button = (phone, sign, name, what) => h("a.btn.btn--person", { href: dialled(phone) }, icon(sign), h("span", h("b", name), what ? h("small", what) : ""));
  return [emergencyCall(), people.map((one) => button(one.phone, "phone", one.name, known(one.relation))),
    practice ? button(practice.phone, "phone", practice.name || t("me.practice"), practice.name ? t("me.practice") : "") : ""];
}
