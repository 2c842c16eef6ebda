/** The card of the live ECG: the socket that brings it, what it says beside the paper, and when it is not live. */

import { now } from "./live.js";
import { age, ask, clock, h, icon, Refused, t } from "./page.js";
import { Sweep } from "./sweep.js";

const STALE_MS = 3000; // without a sample for so long nothing is live
const LATE_MS = 10_000; // what was measured so long ago when it came is not live either
const RATE_OLD_MS = 150_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 3000;
const SINGLE = "tierwatch.singlekeys";

const at = { sample: null, came: null, frozen: null }; // newest sample (their clock), when it came (ours), when it was frozen
let leads = [];
let lead = null;
let state = {};
let batteries = new Map();
let connected = false;
let refused = false;
let socket = null;
let wait = FIRST_WAIT_MS;
let patient = "";

const dot = h("span.live__dot");
const word = h("span");
const legend = h("p.strip__legend");
const choice = h("select", { "aria-label": t("live.choice"), hidden: true, onchange: () => choose(choice.value) });
const rate = h("b.num", "–");
const rateNote = h("span");
const freezer = h("button.btn", { type: "button", "aria-pressed": "false", onclick: freeze }, icon("pause"), h("span", t("live.freeze")), h("kbd", "F"));
const canvas = h("canvas", { role: "img" });
const silence = h("p");
const why = h("small");
const stale = h("div.stale", { hidden: true }, h("div", icon("tech", "shape shape--tech"), h("div", silence, why)));
const said = h("p.live__said", { role: "status" });

/** Build the card for a patient and keep it live. */
export function liveEcg(host, whom) {
  patient = whom;
  host.append(h("section.card.live", { "aria-labelledby": "live-title" },
    h("header", h("h2", { id: "live-title" }, dot, word), legend, choice, h("div.live__rate", rate, h("span", t("unit.bpm"), h("br"), rateNote)), freezer),
    h("div.strip", canvas, stale), said));
  sweep = new Sweep(canvas, (seconds) => t("strip.gap", { s: seconds.toFixed(1) }));
  document.addEventListener("keydown", key);
  setInterval(show, 250);
  setInterval(battery, 60_000);
  battery();
  open();
  show();
}

/** The picture itself, and when what it draws just now was measured (milliseconds of the server's clock): how far it is behind. */
export let sweep = null;
export const penAt = () => at.sample - (1000 * (sweep.written - sweep.drawn)) / sweep.rate;

function key(event) {
  if (event.key.toLowerCase() !== "f" || event.metaKey || event.ctrlKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  if (localStorage.getItem(SINGLE) !== "off") freeze();
}

function freeze() {
  sweep.freeze(!sweep.frozen);
  at.frozen = sweep.frozen ? at.sample ?? now() : null;
  freezer.setAttribute("aria-pressed", String(sweep.frozen));
  freezer.querySelector("span").textContent = t(sweep.frozen ? "live.go" : "live.freeze");
  show();
}

async function battery() {
  try {
    const { devices } = await ask("GET", `/patients/${encodeURIComponent(patient)}/devices`);
    batteries = new Map(devices.map((one) => [one.device, one.battery_percent]));
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
  }
}

/* ---- the socket ---- */

function open() {
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/patients/${encodeURIComponent(patient)}/ecg/live`);
  socket = mine;
  mine.onmessage = (event) => hear(JSON.parse(event.data));
  mine.onclose = (event) => {
    connected = false;
    refused = event.code === 4403;
    if (event.code === 4401) location.assign("/sign-in");
    else if (!refused) {
      setTimeout(open, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
    show();
  };
}

function choose(id) {
  socket.send(JSON.stringify({ lead: id }));
}

function hear(news) {
  if (!connected && lead) choose(lead.id); // after a cut: the same again
  connected = true;
  wait = FIRST_WAIT_MS;
  if (news.type === "leads") {
    leads = news.leads;
    lead = leads.find((one) => one.id === news.lead) ?? null;
    choice.hidden = leads.length < 2;
    choice.replaceChildren(...leads.map((one) => h("option", { value: one.id, selected: one === lead }, t("strip.lead", { lead: one.lead }))));
  } else if (news.type === "state") {
    state = news;
  } else if (news.type === "samples") samples(news);
  show();
}

function samples(news) {
  if (news.is_past || news.skipped_s || news.rate_hz !== sweep.rate) sweep.reset(news.rate_hz);
  said.textContent = news.skipped_s ? t("live.skipped", { s: news.skipped_s.toFixed(1) }) : "";
  for (const part of news.parts) {
    const bytes = Uint8Array.from(atob(part.i16le), (c) => c.charCodeAt(0));
    sweep.push(new Int16Array(bytes.buffer), part.gap, news.is_past);
    at.sample = Date.parse(part.at) + (1000 * part.count) / news.rate_hz;
  }
  if (!news.is_past || now() - at.sample < STALE_MS) at.came = performance.now();
}

/* ---- what is said ---- */

function show() {
  const silent = at.came === null ? Infinity : performance.now() - at.came;
  const late = at.sample === null ? 0 : now() - at.sample - silent;
  const isLive = connected && silent < STALE_MS && late < LATE_MS;
  const isFrozen = sweep.frozen;
  dot.className = isLive && !isFrozen ? "live__dot" : "live__dot live__dot--stale";
  set(word, isFrozen ? t("live.frozen", { at: clock(at.frozen) }) : t(isLive ? "live.title" : "live.not"));
  stale.hidden = isLive || isFrozen;
  const [what, reason] = isLive ? ["", ""] : trouble(silent, late);
  set(silence, what);
  set(why, reason);
  const isKnown = isLive && state.rate_bpm && now() - Date.parse(state.rate_at) < RATE_OLD_MS;
  set(rate, isKnown ? String(Math.round(state.rate_bpm)) : "–");
  set(rateNote, isKnown ? t("live.counted", { at: clock(state.rate_at) }) : t("live.unknown"));
  const charge = lead && batteries.get(lead.device);
  const beside = lead ? [[t("strip.lead", { lead: lead.lead }), t("strip.scale")], [lead.device, `${Math.round(lead.rate_hz)} Hz`], [signal(isLive)], charge === null || charge === undefined ? [] : [t("live.battery", { n: charge })]] : [];
  const text = JSON.stringify(beside);
  if (legend.dataset.shows !== text) {
    legend.dataset.shows = text;
    legend.replaceChildren(...beside.filter((one) => one.length).map(([first, ...rest], i) => h("span", i ? first : h("b", first), rest.map((one) => ` · ${one}`))));
  }
  const sentence = isLive ? t("live.says", { lead: lead?.lead ?? "–", rate: rate.textContent }) : `${t("live.not")}${t("stop")} ${reason}`;
  if (canvas.getAttribute("aria-label") !== sentence) canvas.setAttribute("aria-label", sentence);
}

const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };

function signal(isLive) {
  if (!isLive) return t("live.signal.unknown");
  return ["noise", "lead_off"].includes(state.trouble) ? t(`live.signal.${state.trouble}`) : t("live.signal.good");
}

/** How long there has been nothing, and why that is likely so. */
function trouble(silent, late) {
  if (refused) return [t("live.refused"), ""];
  if (!connected) return [t("live.cut"), t("live.cut.why")];
  const reason = state.trouble === "lead_off" ? t("live.why.lead_off") : state.cause ? t(`live.why.${state.cause}`) : "";
  const newest = at.sample ?? (state.newest_at ? Date.parse(state.newest_at) : null);
  if (newest === null) return [t("live.never"), reason];
  if (silent < STALE_MS) return [t("live.late", { for: age(late / 1000) }), t("live.why.late")];
  const seconds = Math.max((now() - newest) / 1000, silent === Infinity ? 0 : silent / 1000);
  return [seconds < 60 ? t("live.silent", { s: Math.floor(seconds) }) : t("live.silent.long", { for: age(seconds) }), reason || t("live.why.unknown")];
}
