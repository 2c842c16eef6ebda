/** Planned pauses of a patient, and the end of monitoring: what each does is said before it is done. */

import { button, card, field, local, told, when } from "./card.js";
import { open } from "./dialogs.js";
import { ask, h, icon, t } from "./page.js";

const KINDS = ["shower", "charging", "night", "hospital", "holiday"];
const ENDS = ["discharge", "withdrawal", "death"];
const DEFAULT_MIN = { shower: 30, charging: 120, night: 600, hospital: 1440, holiday: 1440 };

export function pauseCard(of) {
  return card("pauses", t("pauses.title"), async ({ body, aside, again }) => {
    const state = await ask("GET", `${of.patients}/monitoring`);
    const say = h("div");
    aside.replaceChildren(h(`span.pill${state.monitored ? ".pill--ok" : ".pill--warn"}`, icon(state.monitored ? "check" : "pause"), t(state.monitored ? "pauses.watched" : "pauses.ended")));
    body.replaceChildren(say, ...(state.monitored ? watched(of, state, say, again) : over(of, state, say, again)));
  });
}

function watched(of, state, say, again) {
  const lift = async (pause) => { if (await told(say, () => ask("DELETE", `${of.patients}/pauses/${pause.pause}`))) await again(); };
  const list = state.pauses.length
    ? h("ul.lines", state.pauses.map((pause) => h("li", h("div", h("b", t(`pauses.kind.${pause.kind}`)), h("p.num", t("pauses.span", { from: when(pause.from_at), to: when(pause.until_at) })), h("p.muted", t("pauses.by", { who: t(`role.${pause.role}`) }))),
      of.may ? button(t("pauses.lift"), () => lift(pause)) : "")))
    : h("p.card__line.muted", t("pauses.none"));
  if (!of.may) return [list, h("p.card__line.muted", t("card.doctors"))];
  return [list, h("div.card__foot", button(t("pauses.plan"), () => plan(of, state, again)), button(t("pauses.end"), () => end(of, again), ".btn--quiet"))];
}

function over(of, state, say, again) {
  const begin = async () => { if (await told(say, () => ask("POST", `${of.patients}/begin`))) await again(); };
  const line = h("p.card__line", t("pauses.over", { why: t(`pauses.why.${state.said.why}`), when: when(state.said.at) }));
  return [line, of.may ? h("div.card__foot", button(t("pauses.begin"), begin)) : h("p.card__line.muted", t("card.doctors"))];
}

/** Plan a pause: what kind, until when. Its bounds are shown, the server keeps them. */
function plan(of, state, again) {
  const say = h("div");
  const allowed = KINDS.filter((kind) => state.longest_min[kind] > 0);
  const kind = h("select", allowed.map((one) => h("option", { value: one }, t(`pauses.kind.${one}`))));
  const until = h("input", { type: "datetime-local", required: true });
  const bounds = h("p.muted");
  const suggest = () => {
    const most = state.longest_min[kind.value];
    until.value = local(Date.now() + Math.min(DEFAULT_MIN[kind.value], most) * 60_000);
    bounds.textContent = t("pauses.most", { most: most < 120 ? t("pauses.minutes", { n: most }) : most < 2880 ? t("pauses.hours", { n: most / 60 }) : t("pauses.days", { n: most / 1440 }) });
  };
  kind.addEventListener("change", suggest);
  suggest();
  const send = async () => {
    const minutes = (new Date(until.value) - Date.now()) / 60_000;
    if (await told(say, () => ask("POST", `${of.patients}/pauses`, { kind: kind.value, minutes }))) { dialog.close(); await again(); }
  };
  const dialog = open(h("h2", { id: "dialog-title" }, t("pauses.plan.title")), h("p", t("pauses.plan.why")),
    field("pause-kind", t("pauses.plan.kind"), kind), field("pause-until", t("pauses.plan.until"), until), bounds, say, foot(() => dialog, t("pauses.plan.go"), send));
}

/** End of monitoring: what happens is said first, and nothing is preset. */
function end(of, again) {
  const say = h("div");
  let why = null;
  const send = async () => {
    if (why !== null && await told(say, () => ask("POST", `${of.patients}/end`, { kind: why }))) { dialog.close(); await again(); }
  };
  const happens = h("ul.happens");
  const choose = (kind) => { why = kind; happens.replaceChildren(...["alerts", "nobody", kind === "death" ? "bereaved" : "begin"].map((one) => h("li", t(`pauses.happens.${one}`)))); go.removeAttribute("aria-disabled"); };
  const buttons = foot(() => dialog, t("pauses.end.go"), send, { "aria-disabled": "true" });
  const go = buttons.lastChild;
  happens.append(...["alerts", "nobody"].map((one) => h("li", t(`pauses.happens.${one}`))));
  const dialog = open(h("h2", { id: "dialog-title" }, t("pauses.end.title")), h("p", t("pauses.end.why")),
    ENDS.map((kind) => h("label.choice", h("input", { type: "radio", name: "why", value: kind, onchange: () => choose(kind) }), t(`pauses.why.${kind}`))),
    happens, say, buttons);
}

/** Back and go, as each dialog ends. `of` gives the dialog, which is made after its buttons. */
function foot(of, go, send, more = {}) {
  return h("div.actions", button(t("close.back"), () => of().close(), ".btn--quiet"), button(go, send, ".btn--primary", more));
}
