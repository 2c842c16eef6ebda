/** Dialogs: closing with an outcome, snoozing, and the keys. Focus goes back to where it came from. */

import { h, t } from "./page.js";

const OUTCOMES = ["resolved", "no_action", "noise", "false_alarm", "wrong_person"];

function open(...content) {
  const before = document.activeElement;
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, ...content);
  dialog.addEventListener("close", () => { dialog.remove(); before?.focus?.(); });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks for one of `options` ([value, words]); `send(value)` when the person has chosen: nothing is preset. */
function choose({ title, why, go, options }, send) {
  let chosen = null;
  const done = h("button.btn.btn--primary", { type: "button", "aria-disabled": "true", onclick: () => { if (chosen !== null) { dialog.close(); send(chosen); } } }, go);
  const option = ([value, words]) => h("label.choice", h("input", { type: "radio", name: "choice", value, onchange: () => { chosen = value; done.removeAttribute("aria-disabled"); } }), words);
  const dialog = open(h("h2", { id: "dialog-title" }, title), h("p", why), options.map(option),
    h("div.actions", h("button.btn.btn--quiet", { type: "button", onclick: () => dialog.close() }, t("close.back")), done));
}

export const askOutcome = (send) => choose({ title: t("close.title"), why: t("close.why"), go: t("close.go"), options: OUTCOMES.map((name) => [name, t(`outcome.${name}`)]) }, send);

export const askMinutes = (send) => choose({ title: t("act.snooze"), why: t("snooze.why"), go: t("snooze.go"), options: [15, 30, 60].map((n) => [n, t("snooze.minutes", { n })]) }, send);

/** What the outcome of the dialog is to the API, and what is written beside it. */
export const OUTCOME = {
  resolved: { outcome: "resolved", note: "treated or sent in" },
  no_action: { outcome: "resolved", note: "true, no action needed" },
  noise: { outcome: "false_alarm", note: "noise or loose electrode" },
  false_alarm: { outcome: "false_alarm", note: "not so" },
  wrong_person: { outcome: "wrong_person", note: "" },
};

export function showKeys(single, setSingle) {
  const keys = [["J ↓", "next"], ["K ↑", "before"], ["Enter", "focus"], ["H", "take"], ["A", "acknowledge"], ["C", "call"], ["P", "patient"], ["O", "close"], ["S", "snooze"], ["M", "pause"], ["/", "find"], ["1–4", "tier"], ["Esc", "back"], ["?", "keys"]];
  const dialog = open(h("h2", { id: "dialog-title" }, t("keys.title")),
    h("dl.keys", keys.map(([key, what]) => [h("dt", h("kbd", key)), h("dd", t(`keys.${what}`))])),
    h("label.choice", h("input", { type: "checkbox", checked: single, onchange: (event) => setSingle(event.target.checked) }), t("keys.single")),
    h("div.actions", h("button.btn.btn--primary", { type: "button", onclick: () => dialog.close() }, t("keys.done"))));
}
