/** The morning's worklist: what needs a decision today, by group and patient, each with its next step. Done ones disappear. */

import { refused, send, undo } from "./commands.js";
import { askOutcome } from "./dialogs.js";
import { isAcknowledged, isTaken, isUnanswered, keyNumber, nameOf, sexLetter, tierOf, years } from "./facts.js";
import { live, now, start } from "./live.js";
import { $, age, ask, h, icon, preferLanguage, Refused, said, shape, t } from "./page.js";
import { pauseSound, tickBar, topbar } from "./topbar.js";
import { addressOf } from "./whose.js";

const SIGNS = { review: "clock", escalated: "phone", decide: "dr", silent: "wifi-off", undelivered: "close", technical: "tech" };
const AGAIN_MS = 60_000; // silence grows without an event
const SOON_MS = 400; // several changes in a row are one look

const account = await ask("GET", "/session");
preferLanguage(account.language);
let found = null; // what /worklist said last
let failed = false;
let busy = null; // the key of the item that is being answered
const notices = new Map(); // of items, by key: a function that says why not
let waiting = null;

document.title = `${t("worklist.title")} · Tierwatch`;
$("skip").textContent = t("worklist.skip");
$("fine").textContent = t("page.device");
topbar($("topbar"), account);
render();
start(({ first }) => { soon(first ? 0 : SOON_MS); render(); });
setInterval(tick, 1000);
setInterval(read, AGAIN_MS);
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, dialog") || event.metaKey || event.ctrlKey || event.altKey || localStorage.getItem("tierwatch.singlekeys") === "off") return;
  if (event.key === "z") undo();
  if (event.key === "m") pauseSound();
});

function soon(ms) {
  clearTimeout(waiting);
  waiting = setTimeout(read, ms);
}

async function read() {
  try {
    found = await ask("GET", "/worklist");
    failed = false;
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
    failed = true;
  }
  render();
}

/* ---- what is shown ---- */

const keyOf = (item) => item.alert?.alert ?? `silent:${item.patient}`;

function render() {
  const focused = document.activeElement?.closest("[data-key]");
  const back = focused && [focused.dataset.key, document.activeElement.dataset.act];
  $("head").replaceChildren(h("div", h("h1", t("worklist.title")), h("p.num", found ? summary() : "")),
    found?.emergencies ? h("a.work__now", { href: "/console" }, shape("em"), t("worklist.now", { n: found.emergencies })) : "");
  $("groups").replaceChildren(...content());
  if (back && !document.activeElement?.closest("[data-key]")) {
    ($("groups").querySelector(`[data-key="${CSS.escape(back[0])}"] [data-act="${back[1]}"]`) ?? $("groups")).focus();
  }
  tick();
}

function summary() {
  const parts = [t(found.count === 1 ? "worklist.one" : "worklist.count", { n: found.count })];
  if (found.others) parts.push(t("worklist.others", { n: found.others }));
  return parts.join(" ");
}

function content() {
  if (failed && !found) return [h("p.card.work__none", t("worklist.unread"))];
  if (!found) return [h("p.card.work__none", t("worklist.loading"))];
  const note = failed ? [h("p.notice", icon("warn"), t("worklist.old", { for: age((now() - Date.parse(found.at)) / 1000) }))] : [];
  if (!found.count) return [...note, h("div.card.work__none", icon("check", "icon ok"), h("h2", t("worklist.done")), h("p", t("worklist.done.why")))];
  return [...note, ...found.groups.map(({ group, items }) => h(`section.card.work__group`, { "aria-labelledby": `group-${group}` },
    h("header", h("h2", { id: `group-${group}` }, SIGNS[group] === "dr" || SIGNS[group] === "tech" ? shape(SIGNS[group]) : icon(SIGNS[group]), t(`worklist.group.${group}`), h("small.num", String(items.length))), h("p", t(`worklist.why.${group}`))),
    h("ul", byPatient(items).map(([first, ...rest]) => h("li", [first, ...rest].map((item, i) => row(item, i === 0)))))))];
}

/** The items of one patient stand together, where their first one stands. */
function byPatient(items) {
  const patients = new Map();
  for (const item of items) {
    const whose = item.patient ?? `${item.alert.subject_kind}|${item.alert.subject}`;
    patients.set(whose, [...(patients.get(whose) ?? []), item]);
  }
  return [...patients.values()];
}

function row(item, named) {
  const { alert } = item;
  const key = keyOf(item);
  const person = item.person ?? alert?.person;
  const old = years(person?.birth_date, now());
  const about = [sexLetter(person?.sex), old ?? ""].filter((x) => x !== "").join(" ");
  const name = alert ? nameOf(alert) : nameOf({ person, subject_kind: "patient", subject: item.patient });
  const number = alert ? keyNumber(alert) : null;
  return h("article.work__item", { "data-key": key, "aria-label": `${name}. ${alert ? said(alert.what) : t("worklist.silent")}` },
    h("p.work__name", named ? [h("b", name), h("small", about)] : ""),
    h("div.work__what", alert ? shape(tierOf(alert)) : "",
      h("div", h("p", h("b", alert ? said(alert.what) : t("worklist.silent")), number ? h("span.num", ` ${number[0]} ${number[1]}`) : "", " ", since(item)),
        h("p.work__step", step(item)), notices.has(key) ? h("p.notice", icon("warn"), h("span", notices.get(key)())) : "")),
    h("div.work__acts", acts(item, key)));
}

function since({ alert, since: at }) {
  if (!alert && !at) return h("small", t("worklist.never"));
  return h("small.num", h("b", { "data-since": alert?.raised_at ?? at }), ` ${t("record.ago")}`);
}

/** What to do next: who has it, then the first step that the messages to clinicians name, or one of the list's own. */
function step({ alert, step: name }) {
  const who = alert && !isUnanswered(alert) ? [h("b", t(isTaken(alert) ? "alert.you_have" : "alert.you_ack")), isAcknowledged(alert) ? [` (${t("alert.ack_ends")} `, h("b.num", { "data-until": alert.acknowledged_until }), ")"] : "", t("stop"), " "] : "";
  const todo = name === "decide" || name === "mend" ? said(alert?.do)?.[0] : null;
  return [who, todo || t(`worklist.step.${name}`)];
}

function acts(item, key) {
  const { alert } = item;
  const off = !live.connected || busy === key;
  const button = (name, words, kind, run) => h(`button.btn${kind}`, { type: "button", "data-act": name, "aria-disabled": off ? "true" : null, title: live.connected ? null : t("cut.commands"), onclick: () => { if (!off) run(); } }, words);
  const link = (name, words, href) => h("a.btn.btn--quiet", { "data-act": name, href }, words);
  const patient = item.patient ?? (alert.subject_kind === "patient" ? alert.subject : null);
  return [
    item.notice ? button("send", t("worklist.send"), ".btn--primary", () => sendAgain(item, key)) : "",
    alert && !isTaken(alert) ? button("take", t("act.take"), item.notice ? "" : ".btn--primary", () => answer(alert, key, "accept")) : "",
    alert ? button("close", `${t("act.close")}…`, isTaken(alert) ? ".btn--primary" : "", () => askOutcome((outcome) => answer(alert, key, "close", outcome))) : "",
    alert ? link("console", t("worklist.open"), `/console#${alert.alert}`) : "",
    patient ? link("patient", t("worklist.patient"), addressOf(patient)) : "",
  ];
}

/* ---- what is done: the answer of the server is shown, and the list is read anew ---- */

const answer = (alert, key, verb, body) => during(key, (error) => refused(error, alert), () => send(alert, verb, body));
const sendAgain = (item, key) => during(key, (error) => (error instanceof Refused ? () => t("act.refused", { why: error.message }) : () => t("act.unsent")), async () => {
  await ask("POST", `/deliveries/${item.notice}/again`, {});
  $("polite").textContent = t("worklist.sent");
});

async function during(key, why, run) {
  busy = key;
  notices.delete(key);
  render();
  try {
    await run();
  } catch (error) {
    notices.set(key, why(error));
    $("polite").textContent = h("p", notices.get(key)()).textContent;
  }
  busy = null;
  await read();
}

function tick() {
  const at = now();
  for (const node of document.querySelectorAll("[data-since]")) node.textContent = age((at - Date.parse(node.dataset.since)) / 1000);
  for (const node of document.querySelectorAll("[data-until]")) node.textContent = age((Date.parse(node.dataset.until) - at) / 1000);
  tickBar();
}
