/** One patient, for clinicians: who it is, what is open, the live ECG and the trends; beside them plan and history. */

import { coming, isAcknowledged, isPresent, isTaken, isUnanswered, mutedUntil, roleName, tierOf, TIERS, years } from "./facts.js";
import { live, now, start } from "./live.js";
import { $, age, ask, h, icon, preferLanguage, Refused, said, shape, t } from "./page.js";
import { liveEcg } from "./ecg-live.js";
import { known, phoneOf, UNKNOWN } from "./record.js";
import { cards } from "./patient-cards.js";
import { tickBar, topbar } from "./topbar.js";
import { trends } from "./trends.js";
import { patientOfPage } from "./whose.js";

const account = await ask("GET", "/session");
preferLanguage(account.language);
const patient = patientOfPage();
if (patient) await open();
else location.replace("/patients");

async function open() {
  document.title = `${t("patient.title")} · Tierwatch`;
  $("skip").textContent = t("patient.skip");
  $("skip").addEventListener("click", (event) => { event.preventDefault(); $("live").focus(); }); // what follows # is whose page it is
  $("fine").textContent = `${t("patient.findings")} ${t("page.device")}`;
  $("opened").setAttribute("aria-label", t("patient.opened"));
  topbar($("topbar"), account);
  head({});
  liveEcg($("live"), patient);
  trends($("course"), patient);
  start(opened);
  setInterval(tick, 1000);
  tick();
  cards($("cards"), patient, account);
  await record();
}

async function record() {
  try {
    head(await ask("GET", `/patients/${encodeURIComponent(patient)}`));
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
    head({}, error instanceof Refused ? t("patient.refused", { why: error.message }) : t("patient.unread"));
  }
}

/* ---- who it is ---- */

function head(r, failed) {
  const old = years(r.birth_date, now());
  const about = [{ female: t("sex.woman"), male: t("sex.man"), other: t("sex.other") }[r.sex], old === null ? null : t("record.years", { n: old }), known(r.birth_date), patient];
  const phone = phoneOf(r);
  $("who").replaceChildren(
    h("div", h("h1", known(r.name) ?? t("person.unnamed", { id: patient })), h("p.num", about.filter(Boolean).join(" · "))),
    failed ? h("p.notice", icon("warn"), failed) : h("ul.who__flags", r.patient ? ["directives", "allergies", "implants"].map((name) => flags(name, r[name])).flat() : ""),
    h("div.who__actions",
      h("a.btn", { href: `/patients/edit#${encodeURIComponent(patient)}` }, icon("doc"), t("patient.edit")),
      phone ? h("a.btn", { href: `tel:${phone}` }, icon("phone"), t("act.call")) : h("span.btn", { "aria-disabled": "true" }, icon("phone"), t("act.nophone"))));
}

/** What must be known before anybody acts. What is not on record says so, and never looks like "none". */
function flags(name, items) {
  const sign = { directives: "hand", allergies: "warn", implants: "chip" }[name];
  const chip = (kind, text) => h(`li.pill${kind}`, icon(sign), text);
  if (items === UNKNOWN || items === undefined) return [chip("", `${t(`record.${name}`)}${t("colon")}${t("record.unknown")}`)];
  if (!items.length) return [chip("", `${t(`record.${name}`)}${t("colon")}${t(`record.none.${name}`)}`)];
  return items.map((one) => chip(name === "implants" ? "" : ".pill--warn", one));
}

/* ---- open alerts ---- */

function opened({ fresh }) {
  const mine = [...live.alerts.values()].filter((row) => row.subject_kind === "patient" && row.subject === patient && !row.inhibited_by);
  mine.sort((a, b) => TIERS.indexOf(tierOf(a)) - TIERS.indexOf(tierOf(b)) || Number(isUnanswered(b)) - Number(isUnanswered(a)) || Date.parse(a.raised_at) - Date.parse(b.raised_at));
  $("opened").replaceChildren(...mine.map((row) => h(`li.opened--${tierOf(row)}`, h("a", { href: `/console#${row.alert}` },
    shape(tierOf(row)), h("span", h("b", `${t(`tier.${tierOf(row)}`)}${t("colon")}${said(row.what)}${isPresent(row) ? "" : ` (${t("alert.over")})`}${t("stop")}`), " ", holder(row)),
    h("span.opened__go", t("patient.open"))))));
  const news = fresh.filter((row) => mine.includes(row));
  const loud = news.find((row) => tierOf(row) === "em");
  if (loud) $("assertive").textContent = t("patient.say", { tier: t("tier.em"), what: said(loud.what) });
  else if (news.length) $("polite").textContent = t("patient.say", { tier: t(`tier.${tierOf(news[0])}`), what: said(news[0].what) });
  tick();
}

function holder(row) {
  if (isUnanswered(row) && mutedUntil(row)) return [`${t(row.snoozed_until ? "alert.snoozed" : "alert.paused")} `, h("b.num", { "data-until": mutedUntil(row) })];
  if (isUnanswered(row)) {
    return [`${t("alert.nobody")}${t("stop")} `, row.next_due_at && row.next.length
      ? [t("patient.next", { who: row.next.length === 1 ? roleName(row.next[0]) : coming(row.next) }), " ", h("b.num", { "data-until": row.next_due_at })] : ""];
  }
  const name = row.answered_by === account.person ? t("alert.you") : row.answered_name;
  if (isAcknowledged(row)) return [t("alert.has_ack", { who: name }), t("stop")];
  return isTaken(row) ? [t("alert.has_it", { who: name }), t("stop")] : name;
}

function tick() {
  const at = now();
  for (const node of document.querySelectorAll("[data-since]")) node.textContent = age((at - Date.parse(node.dataset.since)) / 1000);
  for (const node of document.querySelectorAll("[data-until]")) node.textContent = age((Date.parse(node.dataset.until) - at) / 1000);
  tickBar();
}
