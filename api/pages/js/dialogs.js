/** Dialogs: closing with an outcome (asked, never preset), and the keys. Focus goes back to where it came from. */

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

/** `send(outcome, note)` when the person has chosen. */
export function askOutcome(send) {
  let chosen = null;
  const close = h("button.btn.btn--primary", { type: "button", "aria-disabled": "true", onclick: () => { if (chosen) { dialog.close(); send(chosen); } } }, t("close.go"));
  const option = (name) => h("label.choice", h("input", { type: "radio", name: "outcome", value: name, onchange: () => { chosen = name; close.removeAttribute("aria-disabled"); } }), t(`outcome.${name}`));
  const dialog = open(h("h2", { id: "dialog-title" }, t("close.title")), h("p", t("close.why")), OUTCOMES.map(option),
    h("div.actions", h("button.btn.btn--quiet", { type: "button", onclick: () => dialog.close() }, t("close.back")), close));
}

/** What the outcome of the dialog is to the API, and what is written beside it. */
export const OUTCOME = {
  resolved: { outcome: "resolved", note: "treated or sent in" },
  no_action: { outcome: "resolved", note: "true, no action needed" },
  noise: { outcome: "false_alarm", note: "noise or loose electrode" },
  false_alarm: { outcome: "false_alarm", note: "not so" },
  wrong_person: { outcome: "wrong_person", note: "" },
};

export function showKeys(single, setSingle) {
  const keys = [["J ↓", "next"], ["K ↑", "before"], ["Enter", "focus"], ["H", "take"], ["A", "acknowledge"], ["C", "call"], ["O", "close"], ["M", "pause"], ["/", "find"], ["1–4", "tier"], ["Esc", "back"], ["?", "keys"]];
  const dialog = open(h("h2", { id: "dialog-title" }, t("keys.title")),
    h("dl.keys", keys.map(([key, what]) => [h("dt", h("kbd", key)), h("dd", t(`keys.${what}`))])),
    h("label.choice", h("input", { type: "checkbox", checked: single, onchange: (event) => setSingle(event.target.checked) }), t("keys.single")),
    h("div.actions", h("button.btn.btn--primary", { type: "button", onclick: () => dialog.close() }, t("keys.done"))));
}
