/** What must be known of the patient: directives and allergies first, then values with their age, then the rest. */

import { h, icon, t } from "./page.js";
import { now } from "./live.js";
import { years } from "./facts.js";
import { addressOf } from "./whose.js";

export const UNKNOWN = "unknown";
const OLD_S = { heart_rate: 600, glucose: 1200, oxygen_saturation: 600, blood_pressure: 6 * 3600 };
export const SIGNS = { heart_rate: "heart", glucose: "drop", blood_pressure: "cuff", oxygen_saturation: "breath" };

/** `null`: it is still being read. */
export function record(row, found, failed) {
  if (row.subject_kind !== "patient") return [h("div.record__head", h("p.eyebrow", t("record.equipment")), h("h2", row.subject)), h("p.fine", t("page.device"))];
  if (failed) return [h("div.record__head", h("p.eyebrow", t("record.title")), h("h2", row.person?.name ?? row.subject)), h("div.facts", h("div.flag", h("p", t("record.failed")))), h("p.fine", t("page.device"))];
  const r = found ?? {};
  const old = years(r.birth_date, now());
  const about = [{ female: t("sex.woman"), male: t("sex.man"), other: t("sex.other") }[r.sex], old === null ? null : t("record.years", { n: old }), known(r.birth_date), r.patient];
  return [
    h("div.record__head", h("p.eyebrow", t("record.title")), h("h2", known(r.name) ?? row.person?.name ?? row.subject), h("p.num", about.filter(Boolean).join(" · ")),
      h("a.record__open", { href: addressOf(row.subject) }, t("record.open"), h("kbd", "P"))),
    h("div.facts",
      block("directives", "hand", r.directives, true), block("allergies", "warn", r.allergies, true),
      block("implants", "chip", r.implants),
      h("div", h("h3", icon("pulse"), t("record.vitals")), vitals(r.vitals)),
      block("problems", "doc", r.problems), block("medication", "pill", r.medication),
      h("div", h("h3", icon("phone"), t("record.contacts")), contacts(r))),
    h("p.fine", t("page.device")),
  ];
}

export const known = (value) => (value && value !== UNKNOWN && value !== "withheld" ? value : null);

/** What is not known is said, and never looks like "none". A warning is amber only where there is one, or where none may be assumed. */
function block(name, sign, items, matters = false) {
  const missing = items === undefined || items === UNKNOWN;
  const lines = items === undefined ? ["–"] : missing ? [t("record.unknown")] : items.length ? items : [t(`record.none.${name}`)];
  const flag = matters && !missing && items.length ? ".flag" : "";
  return h(`div${flag}`, h("h3", icon(sign), t(`record.${name}`)), h("ul", lines.map((line) => h(missing ? "li.muted" : "li", line))));
}

function vitals(list) {
  if (list === undefined) return h("p.muted", "–");
  if (list === UNKNOWN || !list.length) return h("p.muted", t("record.unknown"));
  return list.map((one) => {
    const seconds = (now() - Date.parse(one.at)) / 1000;
    const old = seconds > (OLD_S[one.kind] ?? 3600);
    const [value, unit] = written(one);
    return h("div.vital", h("div", h("div.vital__name", icon(SIGNS[one.kind] ?? "pulse"), t(`vital.${one.kind}`)), h("div.vital__value", value, h("small", ` ${unit}`))),
      h(`div.vital__age${old ? ".vital__age--old" : ""}`, h("b", { "data-since": one.at }), ` ${t("record.ago")}`));
  });
}

export function written(one) {
  const v = one.values;
  const n = (x) => (x === null || x === undefined ? "–" : String(Math.round(x)));
  if (one.kind === "blood_pressure") return [`${n(v.systolic_mmhg)}/${n(v.diastolic_mmhg)}`, "mmHg"];
  if (one.kind === "glucose") return [n(v.glucose_mg_dl), "mg/dL"];
  if (one.kind === "heart_rate") return [n(v.rate_bpm), t("unit.bpm")];
  if (one.kind === "oxygen_saturation") return [n(v.spo2_percent), "%"];
  return [n(Object.values(v)[0]), ""];
}

function contacts(r) {
  const phones = Array.isArray(r.phones) ? r.phones.map((phone) => [t("record.home"), phone]) : [];
  const others = Array.isArray(r.contacts) ? r.contacts.map((one) => [known(one.relation) ? `${one.name}, ${one.relation}` : one.name, one.phone]) : [];
  const lines = [...others, ...phones];
  if (!lines.length) return h("p.muted", r.patient ? t("record.unknown") : "–");
  return h("ul", lines.map(([who, phone]) => h("li", known(phone)
    ? h("a.split.call", { href: `tel:${phone.replaceAll(/[^+\d]/g, "")}` }, who, h("small.num", phone)) : h("span.split", who, h("small", t("record.nophone"))))));
}

/** The number by which the patient is called; null: not on record. */
export const phoneOf = (r) => (Array.isArray(r?.phones) && r.phones[0] ? r.phones[0].replaceAll(/[^+\d]/g, "") : null);
