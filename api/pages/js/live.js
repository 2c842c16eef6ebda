/**
 * The open alerts as the server tells them, and its clock. The socket is the only source: what it said last is shown,
 * and after 5 s of silence the page knows that it is cut, says so, and tries again until it is heard.
 */

const SILENCE_MS = 5000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 3000;

const state = { alerts: new Map(), names: {}, lagS: null, connected: false, ever: false, cutAt: null };
const time = { at: 0, heard: 0, rate: 1 };
const listeners = [];
const tell = (news) => listeners.forEach((listener) => listener(news));
let socket = null;
let wait = FIRST_WAIT_MS;

export const live = state;

/** The server's time in milliseconds: its last word, carried on. It may run faster than ours (a demonstration). */
export const now = () => (time.at ? time.at + (performance.now() - time.heard) * time.rate : Date.now());

/** What is shown is from then (milliseconds of the server's clock). */
export const asOf = () => time.at;

/** Seconds since the server was last heard, by our own clock. */
export const cutFor = () => (state.cutAt === null ? 0 : (performance.now() - state.cutAt) / 1000);

/** `changed({first, fresh, gone})` is called at every change and whenever the connection goes or comes. */
export const listen = (changed) => listeners.push(changed);

/** Begin, with one more who listens. */
export function start(changed) {
  listen(changed);
  setInterval(() => { if (state.connected && performance.now() - time.heard > SILENCE_MS) drop(); }, 250);
  addEventListener("online", () => { if (!state.connected) { wait = FIRST_WAIT_MS; drop(); } });
  open();
}

function open() {
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/live`);
  socket = mine;
  const patience = setTimeout(() => { if (socket === mine && !state.connected) drop(); }, SILENCE_MS);
  mine.onmessage = (event) => { if (socket === mine) { clearTimeout(patience); hear(JSON.parse(event.data)); } };
  mine.onclose = (event) => {
    clearTimeout(patience);
    if (socket !== mine) return;
    if (event.code === 4401) location.assign("/sign-in");
    else drop();
  };
}

function drop() {
  const old = socket;
  socket = null;
  old?.close();
  if (state.cutAt === null) state.cutAt = time.heard || performance.now();
  const was = state.connected;
  state.connected = false;
  setTimeout(open, wait * (0.75 + Math.random() / 2));
  wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  if (was || !state.ever) tell({ first: false, fresh: [], gone: [] });
}

function hear(news) {
  keepTime(Date.parse(news.at));
  const healed = !state.connected;
  Object.assign(state, { connected: true, cutAt: null, lagS: news.lag_s });
  wait = FIRST_WAIT_MS;
  if (news.type === "alive") { if (healed) tell({ first: false, fresh: [], gone: [] }); return; }
  const before = state.alerts;
  const kept = news.type === "all" ? [] : [...before].filter(([id]) => !news.gone.includes(id));
  state.alerts = new Map([...kept, ...news.alerts.map((row) => [row.alert, row])]);
  if (news.names) state.names = news.names;
  const first = !state.ever;
  state.ever = true;
  tell({
    first,
    fresh: first ? [] : news.alerts.filter((row) => !before.has(row.alert) || before.get(row.alert).generation < row.generation),
    gone: [...before.values()].filter((row) => !state.alerts.has(row.alert)),
  });
}

/** Two words of the server's clock and our time between them say how fast it runs. */
export function keepTime(at) {
  const heard = performance.now();
  if (time.at && heard - time.heard > 500) {
    const rate = (at - time.at) / (heard - time.heard);
    time.rate = Math.abs(rate - 1) < 0.2 ? 1 : Math.min(Math.max(rate, 0), 200);
  }
  Object.assign(time, { at, heard });
}

/** What a command answered holds until the socket says more. */
export function patch(id, answer) {
  const row = state.alerts.get(id);
  if (!row) return;
  const who = answer.answered_by;
  state.alerts.set(id, { ...row, state: answer.state, tier: answer.tier, answered_by: who, answered_name: state.names[who] ?? who,
    acknowledged_until: answer.acknowledged_until, snoozed_until: answer.snoozed_until, next_due_at: answer.next_due_at });
}
