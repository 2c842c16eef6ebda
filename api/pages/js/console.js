/** The console: the list, the selected alert and the patient's record, kept as the live socket tells them. */

import { calm, show } from "./alert.js";
import { askMinutes, askOutcome, OUTCOME, showKeys } from "./dialogs.js";
import { isTaken, isUnanswered, nameOf, tierOf, TIERS } from "./facts.js";
import * as list from "./list.js";
import { live, now, patch, start } from "./live.js";
import { $, age, ask, h, preferLanguage, Refused, said, t } from "./page.js";
import { phoneOf, record } from "./record.js";
import { keepSounding } from "./sound.js";
import { pauseSound, tickBar, topbar } from "./topbar.js";
import { addressOf } from "./whose.js";

const SINGLE = "tierwatch.singlekeys";
const account = await ask("GET", "/session");
preferLanguage(account.language);
const narrow = matchMedia("(max-width: 760px)");
let selected = null; // {row, closed, detail, ecg, record, recordFailed, notice, busy}
let single = localStorage.getItem(SINGLE) !== "off";
let lastPolite = 0;

/* ---- what the socket says ---- */

function changed({ first, fresh, gone }) {
  if (selected) {
    const row = live.alerts.get(selected.row.alert);
    const news = row && JSON.stringify(row) !== JSON.stringify(selected.row);
    if (!row && live.connected && live.ever && !selected.closed) Object.assign(selected, { closed: true, notice: null });
    if (row) Object.assign(selected, { row, closed: false });
    if (news || !row) detail(selected);
  }
  if (first && live.alerts.has(location.hash.slice(1))) select(location.hash.slice(1)); // a link from a patient's page
  if (first && !selected && !narrow.matches) choose(list.order()[0] ?? null);
  list.render();
  if (!selected && !narrow.matches && live.alerts.size) choose(list.order()[0]);
  render();
  announce(fresh, gone);
  tick();
}

/** A new EMERGENCY interrupts with one sentence; the others wait for a pause, at most one each 5 s. */
function announce(fresh) {
  const loud = fresh.filter((row) => tierOf(row) === "em");
  if (loud.length) $("assertive").textContent = t("say.emergency", { name: nameOf(loud[0]), what: said(loud[0].what) });
  else if (fresh.length && performance.now() - lastPolite > 5000) {
    lastPolite = performance.now();
    $("polite").textContent = t("say.new", { n: fresh.length });
  }
  keepSounding(loudest(), TIERS.find((tier) => fresh.some((row) => tierOf(row) === tier)));
}

const loudest = () => ["em", "dr"].find((tier) => [...live.alerts.values()].some((row) => tierOf(row) === tier && isUnanswered(row) && !row.inhibited_by)) ?? null;

function tick() {
  const unanswered = [...live.alerts.values()].filter((row) => isUnanswered(row) && !row.inhibited_by).length;
  document.title = `${unanswered ? `(${unanswered}) ` : ""}${t("list.title")} · Tierwatch`;
  tickBar();
  list.tick();
  keepSounding(loudest(), null);
}

/* ---- the selected alert ---- */

function select(id) {
  choose(id);
  if (narrow.matches) {
    document.body.classList.add("reading");
    history.pushState(null, "", "");
    $("alert").focus();
  }
  scrollTo(0, 0);
  $("alert").scrollTop = 0;
}

function choose(id) {
  const row = id && live.alerts.get(id);
  selected = row ? { row, closed: false, detail: null, ecg: null, record: undefined, me: account.person } : null;
  list.render();
  render();
  list.tick();
  if (!row) return;
  detail(selected);
  more(selected, "ecg", row.subject_kind === "patient" && `/alerts/${id}/ecg`);
  more(selected, "record", row.subject_kind === "patient" && `/patients/${encodeURIComponent(row.subject)}`);
}

const detail = (mine) => more(mine, "detail", `/alerts/${mine.row.alert}`);

async function more(mine, name, path) {
  if (!path) { mine[name] = false; return; }
  try {
    mine[name] = await ask("GET", path);
  } catch (error) {
    if (mine[name] === null || mine[name] === undefined) mine[name] = false;
    if (name === "record") mine.recordFailed = true;
    if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
  }
  if (selected === mine) render();
}

function render() {
  const quiet = !selected && live.ever && !live.alerts.size;
  $("console").classList.toggle("console--calm", quiet);
  if (!selected) {
    if (quiet) calm($("alert"), live.lagS);
    else $("alert").replaceChildren(h("p.sheet__none", t(live.ever ? "alert.choose" : "list.loading")));
    $("record").replaceChildren();
    return;
  }
  show($("alert"), selected, { take, acknowledge, close, snooze, back });
  const text = JSON.stringify([selected.row.alert, selected.record ?? null, selected.recordFailed]);
  if ($("record").dataset.shows !== text) {
    $("record").dataset.shows = text;
    $("record").replaceChildren(...record(selected.row, selected.record || undefined, selected.recordFailed));
  }
  list.tick();
}

function back() {
  if (document.body.classList.contains("reading")) history.back();
  document.body.classList.remove("reading");
  list.rowNode(selected?.row.alert)?.focus();
}

/* ---- commands: the page shows the answer of the server, not its own wish ---- */

const take = () => command("accept");
const acknowledge = () => command("acknowledge");
const close = () => askOutcome((name) => command("close", OUTCOME[name]));
const snooze = () => askMinutes((minutes) => command("snooze", { minutes }));
const mayAsk = () => selected && !selected.closed && !selected.busy && live.connected;

async function command(verb, body) {
  const mine = selected;
  if (!mine || mine.closed || mine.busy || !live.connected) return;
  const { row } = mine;
  Object.assign(mine, { busy: true, notice: null });
  render();
  try {
    const answer = await ask("POST", `/alerts/${row.alert}/${verb}`, body ?? {});
    patch(row.alert, answer);
    mine.row = live.alerts.get(row.alert) ?? row;
    $("polite").textContent = t(`say.${verb}`, { name: nameOf(row) });
  } catch (error) {
    mine.notice = refused(error, mine);
    $("polite").textContent = h("p", mine.notice()).textContent;
  }
  mine.busy = false;
  list.render();
  render();
}

/** Who was first, and how long ago: read anew each time, as the socket brings the row a moment later. */
function refused(error, mine) {
  if (!(error instanceof Refused)) return () => t("act.unsent");
  const { answered_by: who, answered_at: at, state } = error.problem;
  if (error.status !== 409) return () => t("act.refused", { why: error.message });
  return () => {
    const name = live.names[who] ?? who ?? t("story.system");
    const when = at ?? mine.row.answered_at;
    if (state === "closed") return t("conflict.closed", { who: name });
    if (!isTaken(error.problem)) return t("act.refused", { why: error.message });
    const [before, after] = t("conflict.taken", { who: name }).split("{for}"); // the clock between them goes on
    return [before, h("b.num", { "data-since": when }, age((now() - Date.parse(when)) / 1000)), after];
  };
}

/* ---- keys ---- */

function keyboard(event) {
  if (event.target.closest("input, textarea, dialog") || event.metaKey || event.ctrlKey || event.altKey) {
    if (event.key === "Escape" && event.target.id === "find") { event.target.value = ""; event.target.dispatchEvent(new Event("input")); event.target.blur(); }
    return;
  }
  const ids = list.order();
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (step && (event.key.length > 1 ? event.target.closest(".row") : single)) {
    event.preventDefault();
    const id = ids[Math.min(Math.max(ids.indexOf(selected?.row.alert) + step, 0), ids.length - 1)];
    if (id) { choose(id); list.rowNode(id)?.focus(); }
  } else if (event.key === "Escape") back();
  else if (event.key === "?") keys();
  else if (event.key === "Enter" && event.target.closest(".row")) { event.preventDefault(); select(event.target.closest(".row").dataset.id); $("alert").focus(); }
  else if (single) letter(event);
}

function letter(event) {
  const phone = phoneOf(selected?.record);
  const done = { h: take, a: acknowledge, o: () => mayAsk() && close(), s: () => mayAsk() && selected.row.tier !== "emergency" && !isTaken(selected.row) && snooze(), m: pauseSound, "/": () => $("find").focus(),
    p: () => selected?.row.subject_kind === "patient" && location.assign(addressOf(selected.row.subject)), c: () => phone && location.assign(`tel:${phone}`) }[event.key];
  const tier = TIERS[{ 1: 0, 2: 1, 3: 2, 4: 3 }[event.key]];
  if (done || tier) event.preventDefault();
  if (done) done();
  if (tier) { const id = list.jump(tier); if (id) choose(id); }
}

const keys = () => showKeys(single, (on) => { single = on; localStorage.setItem(SINGLE, on ? "on" : "off"); });

/* ---- start ---- */

$("skip").textContent = t("page.skip");
$("title").textContent = t("list.title");
$("record").setAttribute("aria-label", t("record.title"));
topbar($("topbar"), account);
list.begin({ me: account.person, select, selected: () => selected?.row.alert });
list.render();
render();
start(changed);
setInterval(tick, 1000);
tick();
document.addEventListener("keydown", keyboard);
addEventListener("popstate", () => document.body.classList.remove("reading"));
