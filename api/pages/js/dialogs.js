/** Dialogs: closing with an outcome, snoozing, and the keys. Focus goes back to where it came from. */

import { h, t } from "./page.js";

export function open(...content) {
  const before = document.activeElement;
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, ...content);
  dialog.addEventListener("close", () => { dialog.remove(); before?.focus?.(); });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Asks for one of `options` ([value, words]); `send(value, text)` when the person has chosen: nothing is preset.
 * `word`: {label, needed}: a text beside it; `needed`: the values that say nothing without one.
 */
function choose({ title, why, go, options, word }, send) {
  let chosen = null;
  const text = word && h("textarea", { rows: 2, maxlength: 300, oninput: ready });
  const done = h("button.btn.btn--primary", { type: "submit" }, go);
  const option = ([value, words]) => h("label.choice", h("input", { type: "radio", name: "choice", value, onchange: () => { chosen = value; ready(); } }), words);
  const form = h("form", { onsubmit: (event) => {
    event.preventDefault();
    if (done.hasAttribute("aria-disabled")) return;
    dialog.close();
    send(chosen, text ? text.value.trim() : "");
  } }, h("h2", { id: "dialog-title" }, title), h("p", why), h("div", { role: "radiogroup", "aria-labelledby": "dialog-title" }, options.map(option)),
    text ? h("label.word", word.label, text) : "",
    h("div.actions", h("button.btn.btn--quiet", { type: "button", onclick: () => dialog.close() }, t("close.back")), done));
  function ready() {
    const open = chosen !== null && !(word?.needed.includes(chosen) && !text.value.trim());
    if (open) done.removeAttribute("aria-disabled");
    else done.setAttribute("aria-disabled", "true");
  }
  const dialog = open(form);
  ready();
}

/** `send({outcome, note})`. */
export const askOutcome = (send) => choose({ title: t("close.title"), why: t("close.why"), go: t("close.go"), options: Object.keys(OUTCOMES).map((name) => [name, t(`outcome.${name}`)]), word: { label: t("close.word"), needed: ["false_alarm"] } },
  (name, text) => send({ outcome: OUTCOMES[name][0], note: [OUTCOMES[name][1], text].filter(Boolean).join(": ") }));

export const askMinutes = (send) => choose({ title: t("act.snooze"), why: t("snooze.why"), go: t("snooze.go"), options: [15, 30, 60].map((n) => [n, t("snooze.minutes", { n })]) }, send);

/** What each answer is to the API, and what is written beside it; `false_alarm` needs the person's own words. */
export const OUTCOMES = {
  treated: ["resolved", "treated or sent in"],
  no_action: ["resolved", "true, no action needed"],
  noise: ["false_alarm", "noise or loose electrode"],
  other_rhythm: ["false_alarm", "another rhythm"],
  false_alarm: ["false_alarm", "not so"],
  wrong_person: ["wrong_person", ""],
  drill: ["false_alarm", "test or drill"],
};

/** A note as it is read: the part that this page wrote is in the reader's language. */
export function noted(note) {
  const [name, [, phrase]] = Object.entries(OUTCOMES).find(([, [, one]]) => one && (note === one || note.startsWith(`${one}: `))) ?? [null, []];
  return name ? t(`outcome.${name}`) + note.slice(phrase.length) : note;
}

export function showKeys(single, setSingle) {
  const keys = [["J ↓", "next"], ["K ↑", "before"], ["Enter", "focus"], ["H", "take"], ["A", "acknowledge"], ["C", "call"], ["O", "close"], ["S", "snooze"], ["Z", "undo"], ["P", "patient"], ["M", "pause"], ["/", "find"], ["1–4", "tier"], ["Esc", "back"], ["?", "keys"]];
  const dialog = open(h("h2", { id: "dialog-title" }, t("keys.title")),
    h("dl.keys", keys.map(([key, what]) => [h("dt", h("kbd", key)), h("dd", t(`keys.${what}`))])),
    h("label.choice", h("input", { type: "checkbox", checked: single, onchange: (event) => setSingle(event.target.checked) }), t("keys.single")),
    h("div.actions", h("button.btn.btn--primary", { type: "button", onclick: () => dialog.close() }, t("keys.done"))));
}
