/** The console: the list, the selected alert and the patient's record, kept as the live socket tells them. */

import { calm, show } from "./alert.js";
import * as closed from "./closed.js";
import { refused, send, undo } from "./commands.js";
import { askMinutes, askOutcome, showKeys } from "./dialogs.js";
import { isTaken, nameOf, tierOf, TIERS } from "./facts.js";
import * as list from "./list.js";
import { live, start } from "./live.js";
import { $, ask, h, preferLanguage, Refused, said, t } from "./page.js";
import { phoneOf, record } from "./record.js";
import { pauseSound, tickBar, topbar, watched } from "./topbar.js";
import { addressOf } from "./whose.js";

const MEASURE_AGAIN_MS = 5000;
const SINGLE = "tierwatch.singlekeys";
const account = await ask("GET", "/session");
preferLanguage(account.language);
const narrow = matchMedia("(max-width: 760px)");
let selected = null; // {row, closed, detail, ecg, measures, record, recordFailed, notice, busy}
let single = localStorage.getItem(SINGLE) !== "off";
let lastPolite = 0;

/* ---- what the socket says ---- */

function changed({ first, fresh, gone }) {
  if (selected && !(selected.closed && !live.alerts.has(selected.row.alert))) {
    const row = live.alerts.get(selected.row.alert);
    const news = row && JSON.stringify(row) !== JSON.stringify(selected.row);
    if (!row && live.connected && live.ever && !selected.closed) Object.assign(selected, { closed: true, notice: null });
    if (row) Object.assign(selected, { row, closed: false });
    if (news || !row) detail(selected);
  }
  list.heard(gone);
  list.render();
  if (first) begin();
  if (!selected && !narrow.matches && live.alerts.size) choose(list.order()[0]);
  render();
  announce(fresh);
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
}

function tick() {
  tickBar();
  list.tick();
}

/* ---- the selected alert ---- */

/** The alert that another page leads to; one that is closed meanwhile stands among the closed ones. */
function begin() {
  const wanted = location.hash.slice(1);
  if (!wanted) return;
  history.replaceState(null, "", location.pathname);
  if (live.alerts.has(wanted)) select(wanted);
  else closed.load(() => closed.get(wanted) && select(wanted));
}

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
  const row = id && (live.alerts.get(id) ?? closed.get(id));
  selected = row ? { row, closed: !live.alerts.has(id), detail: null, ecg: null, measures: null, record: undefined, me: account.person } : null;
  list.marked();
  render();
  if (!row) return;
  detail(selected);
  more(selected, "ecg", row.subject_kind === "patient" && `/alerts/${id}/ecg`);
  measure(selected);
  more(selected, "record", row.subject_kind === "patient" && `/patients/${encodeURIComponent(row.subject)}`);
}

const detail = (mine) => more(mine, "detail", `/alerts/${mine.row.alert}`);

/** The beats and intervals; asked for again while they are being measured. What they are of is then the whole strip. */
async function measure(mine) {
  const waited = mine.measures && !mine.measures.beats;
  await more(mine, "measures", mine.row.subject_kind === "patient" && `/alerts/${mine.row.alert}/measures`);
  if (waited && mine.measures.beats) await more(mine, "ecg", `/alerts/${mine.row.alert}/ecg`);
  if (selected === mine && mine.measures && !mine.measures.beats) setTimeout(() => { if (selected === mine) measure(mine); }, MEASURE_AGAIN_MS);
}

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
    if (quiet) calm($("alert"), live.lagS, watched());
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
const close = () => askOutcome((outcome) => command("close", outcome));
const snooze = () => askMinutes((minutes) => command("snooze", { minutes }));
const mayAsk = () => selected && !selected.closed && !selected.busy && live.connected;

async function command(verb, body) {
  const mine = selected;
  if (!mine || mine.closed || mine.busy || !live.connected) return;
  const { row } = mine;
  Object.assign(mine, { busy: true, notice: null });
  render();
  try {
    await send(row, verb, body);
    mine.row = live.alerts.get(row.alert) ?? row;
  } catch (error) {
    mine.notice = refused(error, row);
    $("polite").textContent = h("p", mine.notice()).textContent;
  }
  mine.busy = false;
  list.render();
  render();
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
  const done = { h: take, a: acknowledge, o: () => mayAsk() && close(), s: () => mayAsk() && selected.row.tier !== "emergency" && !isTaken(selected.row) && snooze(), m: pauseSound, z: undo, "/": () => $("find").focus(),
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
document.title = `${t("list.title")} · Tierwatch`;
$("record").setAttribute("aria-label", t("record.title"));
topbar($("topbar"), account);
list.begin({ me: account.person, select, selected: () => selected?.row.alert, changed: () => { list.render(); render(); } });
list.render();
render();
start(changed);
setInterval(tick, 1000);
tick();
document.addEventListener("keydown", keyboard);
addEventListener("popstate", () => document.body.classList.remove("reading"));
