/**
 * What a clinician says to an alert. The page shows the answer of the server, not its own wish; "I have it", an
 * acknowledgement and a snooze can be taken back for ten seconds, which the server writes down as any other command.
 */

import { isTaken, nameOf } from "./facts.js";
import { live, now, patch } from "./live.js";
import { $, age, ask, h, Refused, t } from "./page.js";

const UNDO_MS = 10_000;
const UNDO = { accept: ["reject", { note: "undone" }], acknowledge: ["reject", { note: "undone" }], snooze: ["snooze", { minutes: 0 }] };

let undoing = null; // {row, verb, until, timer}

/** Say it, once; the row changes as the server answers. Throws what `refused` puts into words. */
export async function send(row, verb, body) {
  const answer = await ask("POST", `/alerts/${row.alert}/${verb}`, body ?? {});
  patch(row.alert, answer);
  $("polite").textContent = t(`say.${verb}`, { name: nameOf(row) });
  if (UNDO[verb] && answer.changed) offer(row, verb);
  else withdraw();
  return answer;
}

/** Who was first, and how long ago: a function, as the socket brings the row a moment later and the clock goes on. */
export function refused(error, row) {
  if (!(error instanceof Refused)) return () => t("act.unsent");
  const { answered_by: who, answered_at: at, state } = error.problem;
  if (error.status !== 409) return () => t("act.refused", { why: error.message });
  return () => {
    const name = live.names[who] ?? who ?? t("story.system");
    const when = at ?? live.alerts.get(row.alert)?.answered_at ?? row.answered_at;
    if (state === "closed") return t("conflict.closed", { who: name });
    if (!isTaken(error.problem)) return t("act.refused", { why: error.message });
    const [before, after] = t("conflict.taken", { who: name }).split("{for}"); // the clock between them goes on
    return [before, h("b.num", { "data-since": when }, age((now() - Date.parse(when)) / 1000)), after];
  };
}

/* ---- ten seconds to take it back ---- */

const bar = h("div.undo", { id: "undo", role: "group", hidden: true });

function offer(row, verb) {
  withdraw();
  if (!bar.isConnected) document.body.append(bar);
  undoing = { row, verb, until: Date.now() + UNDO_MS, timer: setInterval(tick, 250) };
  bar.setAttribute("aria-label", t("undo.label"));
  bar.replaceChildren(h("span", t(`say.${verb}`, { name: nameOf(row) })),
    h("button.btn", { type: "button", "data-act": "undo", onclick: undo }, `${t("undo.go")} `, h("b.num"), h("kbd", "Z")));
  bar.hidden = false;
  tick();
}

function tick() {
  const left = Math.ceil((undoing.until - Date.now()) / 1000);
  if (left <= 0) withdraw();
  else bar.querySelector("b").textContent = `${left} s`;
}

function withdraw() {
  clearInterval(undoing?.timer);
  undoing = null;
  bar.hidden = true;
}

/** Take back what was said last; nothing where ten seconds are over. */
export async function undo() {
  if (!undoing || Date.now() > undoing.until || !live.connected) return;
  const { row, verb } = undoing;
  withdraw();
  const [how, body] = UNDO[verb];
  try {
    const answer = await ask("POST", `/alerts/${row.alert}/${how}`, body);
    patch(row.alert, answer);
    $("polite").textContent = t("undo.done", { name: nameOf(row) });
  } catch (error) {
    $("polite").textContent = h("p", refused(error, row)()).textContent;
  }
}
