/** What an alert's numbers are called and how they are written; pure. */

import { t } from "./page.js";

export const TIERS = ["em", "dr", "tech", "tip"];

/** Which of the four shapes: a technical alert is its own, whatever tier it has. */
export const tierOf = (row) => (row.kind === "technical" ? "tech" : { emergency: "em", doctor: "dr", tip: "tip" }[row.tier]);

export const isUnanswered = (row) => row.state === "sounding" || row.state === "latched";
export const isTaken = (row) => row.state === "taken" || row.state === "settled";
export const isAcknowledged = (row) => row.state === "held" || row.state === "seen";
export const isPresent = (row) => row.state === "sounding" || row.state === "held" || row.state === "taken";

/** The highest tier that nobody has and that sounds (em, dr); null: none. */
export const loudest = (alerts) => {
  const open = [...alerts].filter((row) => isUnanswered(row) && !row.inhibited_by && !mutedUntil(row)).map(tierOf);
  return ["em", "dr"].find((tier) => open.includes(tier)) ?? null;
};

/** Until when nobody is told of it: somebody said "not now", or a pause was planned. */
export const mutedUntil = (row) => row.snoozed_until ?? row.paused_until ?? null;

const whole = (n) => String(Math.round(n));
const tenth = (n) => (Math.round(n * 10) / 10).toFixed(1);
const span = (s) => (s >= 90 ? [whole(s / 60), t("unit.min")] : [s < 10 ? tenth(s) : whole(s), t("unit.s")]);

/** The number that decides, as [value, unit]; null: there is none. */
export function keyNumber(row) {
  const e = row.evidence ?? {};
  const physiological = row.kind !== "technical";
  if (e.systolic_mmhg) return [`${whole(e.systolic_mmhg)}/${e.diastolic_mmhg ? whole(e.diastolic_mmhg) : "–"}`, "mmHg"];
  if (e.mean_systolic_mmhg) return [`${whole(e.mean_systolic_mmhg)}/${whole(e.mean_diastolic_mmhg)}`, "mmHg"];
  for (const name of ["lowest_mg_dl", "highest_mg_dl", "expected_mg_dl", "mg_dl"]) if (e[name]) return [whole(e[name]), "mg/dL"];
  for (const name of ["pause_s", "silence_s"]) if (e[name]) return span(e[name]);
  if (physiological && e.rate_bpm) return [whole(e.rate_bpm), t("unit.bpm")];
  for (const name of ["off_s", "bad_s", "silent_s", "silent_for_s"]) if (e[name]) return span(e[name]);
  if (e.battery_percent !== undefined) return [whole(e.battery_percent), "%"];
  return null;
}

const FACTS = {
  rate_bpm: (n) => [whole(n), t("unit.bpm")], atrial_bpm: (n) => [whole(n), t("unit.bpm")], beats: (n) => [whole(n), ""],
  seconds: span, pause_s: span, silence_s: span, off_s: span, bad_s: span, silent_s: span,
  lowest_mg_dl: (n) => [whole(n), "mg/dL"], highest_mg_dl: (n) => [whole(n), "mg/dL"], before_mg_dl: (n) => [whole(n), "mg/dL"],
  expected_mg_dl: (n) => [whole(n), "mg/dL"], systolic_mmhg: (n) => [whole(n), "mmHg"], diastolic_mmhg: (n) => [whole(n), "mmHg"],
  mean_systolic_mmhg: (n) => [whole(n), "mmHg"], mean_diastolic_mmhg: (n) => [whole(n), "mmHg"], readings: (n) => [whole(n), ""],
};

/** The line of facts above the evidence: [label, value] pairs. */
export function facts({ evidence, kind }) {
  return Object.entries(FACTS).filter(([name]) => (kind !== "technical" || !name.endsWith("_bpm")) && Number.isFinite(evidence?.[name]) && evidence[name] !== 0).slice(0, 4)
    .map(([name, write]) => [t(`fact.${name}`), write(evidence[name]).filter(Boolean).join(" ")]);
}

/** Years from a birth date that may be a year only; null: not known. */
export function years(birthDate, at) {
  if (!birthDate || birthDate === "unknown") return null;
  const [y, m = 1, d = 1] = birthDate.split("-").map(Number);
  const now = new Date(at);
  const before = now.getUTCMonth() + 1 < m || (now.getUTCMonth() + 1 === m && now.getUTCDate() < d);
  return now.getUTCFullYear() - y - (before ? 1 : 0);
}

export const sexLetter = (sex) => ({ female: t("sex.f"), male: t("sex.m") }[sex] ?? "");

/** Name of whom an alert is about; a gateway or a part of the server has its own. */
export const nameOf = (row) => row.person?.name ?? (row.subject_kind === "patient" ? t("person.unnamed", { id: row.subject }) : row.subject);

export const roleName = (role) => t(`role.${role}`);
export const roles = (list) => list.map(roleName).join(t("list.comma"));
/** Who is told next, short enough for a row. */
export const coming = (list) => (list.length > 2 ? t("alert.everyone") : roles(list));

/** Unanswered first, then the oldest. */
export const inGroup = (a, b) => Number(isUnanswered(b)) - Number(isUnanswered(a)) || Date.parse(a.raised_at) - Date.parse(b.raised_at);
