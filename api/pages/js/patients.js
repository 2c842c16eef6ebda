/** The patients in reach of whoever is signed in: name, open alert, how old the last values are. More come page by page. */

import { isUnanswered, sexLetter, tierOf, TIERS, years } from "./facts.js";
import { live, now, start } from "./live.js";
import { $, age, ask, h, icon, preferLanguage, Refused, said, t } from "./page.js";
import { SIGNS, written } from "./record.js";
import { tickBar, topbar } from "./topbar.js";
import { addressOf } from "./whose.js";

const account = await ask("GET", "/session");
preferLanguage(account.language);
const urgency = (row) => TIERS.indexOf(tierOf(row)) * 2 + Number(!isUnanswered(row));
const people = [];
let next = "";
let state = "loading";

document.title = `${t("patients.title")} · Tierwatch`;
$("skip").textContent = t("patients.skip");
$("fine").textContent = t("page.device");
topbar($("topbar"), account);
const count = h("small.num", { role: "status" });
const find = h("input.find", { type: "search", placeholder: t("patients.find"), "aria-label": t("patients.find"), oninput: () => render() });
$("head").replaceChildren(h("h1", t("patients.title")), count, h("div.who__actions", find));
start(render);
setInterval(tick, 1000);
await more();

async function more() {
  try {
    const page = await ask("GET", `/patients?after=${encodeURIComponent(next)}`);
    people.push(...page.patients);
    next = page.next;
    state = "read";
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
    state = "failed";
  }
  render();
}

function render() {
  const wanted = find.value.trim().toLowerCase();
  const alerts = new Map();
  for (const row of live.alerts.values()) {
    if (row.subject_kind !== "patient" || row.inhibited_by) continue;
    const before = alerts.get(row.subject);
    if (!before || urgency(row) < urgency(before)) alerts.set(row.subject, row);
  }
  const shown = people.filter((one) => !wanted || (one.name ?? one.patient).toLowerCase().includes(wanted));
  count.textContent = state === "read" ? t("patients.count", { n: shown.length }) : "";
  const words = { loading: t("patients.loading"), failed: t("patients.unread") }[state] ?? (people.length ? t("patients.nothing") : t("patients.none"));
  $("people").replaceChildren(
    shown.length ? table(shown, alerts) : h("p.people__none", words),
    next && state === "read" ? h("p.people__more", h("button.btn", { type: "button", onclick: more }, t("patients.more"))) : "");
  tick();
}

function table(shown, alerts) {
  return h("table", h("thead", h("tr", ["name", "alert", "last"].map((name) => h("th", { scope: "col" }, t(`patients.${name}`))))),
    h("tbody", shown.map((one) => {
      const old = years(one.birth_date, now());
      const alert = alerts.get(one.patient);
      return h("tr", h("th", { scope: "row" }, h("a", { href: addressOf(one.patient) }, one.name ?? t("person.unnamed", { id: one.patient })),
        h("small", [sexLetter(one.sex), old].filter((x) => x !== "" && x !== null).join(" "))),
      h("td", alert ? h(`span.tier.tier--${tierOf(alert)}`, icon(tierOf(alert)), t(`tier.${tierOf(alert)}`), h("span.people__what", said(alert.what))) : h("span.muted", t("patients.noalert")),
        one.benched ? h("p.pill.pill--warn", icon("warn"), t("patients.benched", { why: one.benched })) : ""),
      h("td", one.vitals.length ? h("ul.people__last", one.vitals.map(last)) : h("span.muted", t("patients.noreading"))));
    })));
}

function last(one) {
  const [value, unit] = written(one);
  return h("li", icon(SIGNS[one.kind] ?? "pulse"), h("span.sr", t(`vital.${one.kind}`)), h("b.num", value), ` ${unit} · `, h("span.num", { "data-since": one.at }), ` ${t("record.ago")}`);
}

function tick() {
  const at = now();
  for (const node of document.querySelectorAll("[data-since]")) node.textContent = age((at - Date.parse(node.dataset.since)) / 1000);
  tickBar();
}
