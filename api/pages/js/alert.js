/** The selected alert: who has it and what comes next, why it was raised, what can be done, the strip, what happened. */

import { asList, marks, measured, shaded } from "./beats.js";
import { ended, newest } from "./closed.js";
import { facts, isAcknowledged, isTaken, isUnanswered, keyNumber, mutedUntil, nameOf, coming, tierOf } from "./facts.js";
import { live, now } from "./live.js";
import { phoneOf } from "./record.js";
import { story } from "./story.js";
import { drawStrip } from "./strip.js";
import { age, clock, h, icon, lang, said, shortClock, t } from "./page.js";

/**
 * Fill `host`. `view`: {row, closed, detail, ecg, measures, record, notice, busy, me}; `act`: {take, acknowledge, close, snooze, back}.
 * The strip's canvas is kept where it is the same, so that news of an alert do not make it flicker.
 */
export function show(host, view, act) {
  const { row } = view;
  const focused = host.contains(document.activeElement) ? document.activeElement.dataset.act : null;
  host.setAttribute("aria-label", `${nameOf(row)}. ${said(row.what)}`);
  host.replaceChildren(head(view, act), sheet(view), view.closed ? "" : todo(row), story(row, view.detail));
  if (focused) host.querySelector(`[data-act="${focused}"]`)?.focus();
}

function head(view, act) {
  const { row } = view;
  const tier = tierOf(row);
  return h(`header.alert__head.tone-${tier}`,
    h("button.btn.btn--quiet.alert__back", { type: "button", onclick: act.back }, icon("back"), t("alert.back")),
    h("div.alert__line", h(`span.tier.tier--${tier}`, icon(tier), t(`tier.${tier}`)),
      view.closed ? "" : [h("span.alert__age", `${t("alert.for")} `, h("b", { "data-since": row.raised_at }), isUnanswered(row) ? t("alert.unanswered") : ""), holder(view), next(view)]),
    h("p.alert__who", nameOf(row)),
    h("h2", said(row.what), row.past || row.state === "latched" || row.state === "seen" || row.state === "settled" ? h("small", ` (${t("alert.over")})`) : ""),
    h("p.alert__why", why(row)),
    view.notice ? h("p.notice", icon("warn"), h("span", view.notice())) : "",
    view.closed ? h("p.notice", icon("check"), h("span", row.outcome ? `${ended(row)}${t("stop")} ` : "", t("alert.gone"))) : actions(view, act));
}

function why(row) {
  const number = keyNumber(row);
  const text = said(row.why);
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return [number ? h("b", `${number[0]} ${number[1]}. `) : "", `${upper}${t("stop")}`, row.inhibited_by ? ` ${t("alert.covered")}${t("stop")}` : ""];
}

function holder(view) {
  const { row } = view;
  if (isUnanswered(row)) return row.asked_until ? h("span.pill.pill--warn", icon("clock"), `${t("alert.asked")} `, h("b.num", { "data-until": row.asked_until })) : "";
  const mine = row.answered_by === view.me;
  const words = mine ? t(isTaken(row) ? "alert.you_have" : "alert.you_ack") : t(isTaken(row) ? "alert.has_it" : "alert.has_ack", { who: row.answered_name });
  return [h(`span.pill${mine ? ".pill--ok" : ""}`, icon("user"), words),
    row.response_kind ? h("span.pill.pill--ok", icon("phone"), t(`response.${row.response_kind}`)) : ""];
}

function next(view) {
  const { row } = view;
  if (row.inhibited_by) return "";
  if (isAcknowledged(row)) return h("span.alert__next", icon("clock"), `${t("alert.ack_ends")} `, h("b", { "data-until": row.acknowledged_until }));
  if (isUnanswered(row) && mutedUntil(row)) return h("span.alert__next", icon("pause"), `${t(row.snoozed_until ? "alert.snoozed" : "alert.paused")} `, h("b", { "data-until": mutedUntil(row) }));
  return isUnanswered(row) && row.next_due_at && row.next.length
    ? h("span.alert__next", icon("clock"), `${t("alert.next", { who: coming(row.next) })} `, h("b", { "data-until": row.next_due_at })) : "";
}

function actions(view, act) {
  const { row, record } = view;
  const off = !live.connected || view.busy;
  const mine = row.answered_by === view.me && isTaken(row);
  const command = (name, words, key, kind, onclick) => h(`button.btn${kind}`, { type: "button", "data-act": name, "aria-disabled": off ? "true" : null, title: live.connected ? null : t("cut.commands"), onclick: () => { if (!off) onclick(); } }, words, h("kbd", key));
  const phone = phoneOf(record);
  return h("div.actions",
    isTaken(row) ? "" : command("take", t("act.take"), "H", ".btn--primary", act.take),
    isTaken(row) ? "" : command("acknowledge", isAcknowledged(row) ? t("act.again") : t("act.acknowledge"), "A", "", act.acknowledge),
    phone ? h("a.btn", { href: `tel:${phone}`, "data-act": "call" }, icon("phone"), t("act.call"), h("kbd", "C"))
      : row.subject_kind === "patient" && record ? h("span.muted", t("act.nophone")) : "",
    command("close", `${t("act.close")}…`, "O", mine ? ".btn--primary" : "", act.close),
    isTaken(row) ? "" : row.tier === "emergency"
      ? h("button.btn", { type: "button", "data-act": "snooze", "aria-disabled": "true", title: t("act.nosnooze") }, t("act.snooze"), h("kbd", "S"))
      : command("snooze", t("act.snooze"), "S", ".btn--quiet", act.snooze));
}

let drawn = { id: null, node: null };

/** The evidence: facts and what was measured, the strip on paper where there is ECG, and its beats as a list. */
function sheet(view) {
  const { row, ecg, measures } = view;
  const { values, cannot } = measured(measures);
  const list = [...facts(row), ...values];
  const legend = ecg?.i16le ? h("p.strip__legend", h("span", h("b", ecg.lead ? t("strip.lead", { lead: ecg.lead }) : t("strip.ecg")), ` · ${t("strip.scale")}`)) : "";
  if (!list.length && !ecg?.i16le) return "";
  return h("section.sheet", { "aria-label": t("strip.label") },
    h("header", h("div.keyrow", list.map(([name, value, quality]) => h("span", `${name} `, h("b", value), quality ? h("small", ` ${quality}`) : ""))), legend),
    cannot.length ? h("p.sheet__cannot", cannot.map(([name, why]) => h("span", `${name} `, h("b", t("measure.cannot", { why }))))) : "",
    strip(view), beatList(view));
}

let listed = { of: null, node: null };

/** Kept where it is the same: it stays open while the alert is drawn anew. */
function beatList({ ecg, measures }) {
  if (!ecg?.i16le || !measures) return "";
  if (!measures.beats) return h("p.sheet__none", t("measure.waits"));
  if (listed.of !== measures) listed = { of: measures, node: asList(measures, Date.parse(ecg.at)) };
  return listed.node;
}

function strip({ row, ecg, measures }) {
  if (!ecg?.i16le) return ecg === null ? h("p.sheet__none", t("strip.loading")) : "";
  if (drawn.id === row.alert && drawn.ecg === ecg && drawn.measures === measures) return drawn.node;
  const canvas = h("canvas", { role: "img", "aria-label": t("strip.says", { s: Math.round(ecg.seconds), lead: ecg.lead ?? "", what: said(row.what) }) });
  const node = h("div.strip", canvas);
  const start = Date.parse(ecg.at);
  const onset = ecg.onset_s;
  const end = ecg.is_of_lead ? ecg.end_s ?? ecg.seconds : onset; // shaded only in the lead that shows it
  const number = keyNumber(row);
  const since = `${said(row.what)} ${t("strip.from", { at: clock(start + onset * 1000) })}`;
  const words = [number ? `${since} · ${number[0]} ${number[1]}` : since, since, said(row.what)];
  const kind = row.condition.startsWith("af") ? "AF" : tierOf(row) === "em" ? "VT" : "WIDE";
  const own = onset < ecg.seconds && end > 0 ? [[Math.max(onset, 0), Math.min(end, ecg.seconds), kind, words]] : [];
  drawn = { id: row.alert, ecg, measures, node };
  requestAnimationFrame(() => drawStrip(canvas, { ...ecg, beats: marks(measures), spans: [...own, ...shaded(measures, own[0] ?? [Infinity, -Infinity])] }, { clock: start, say: clock, onset: { at: onset, kind }, gapText: (s) => t("strip.gap", { s }) }));
  return node;
}

/** The steps that the messages to clinicians name. */
function todo(row) {
  const steps = row.do?.[lang] ?? row.do?.en ?? [];
  return steps.length ? h("section.todo", { "aria-label": t("alert.do") }, h("h3", t("alert.do")), h("ul", steps.map((step) => h("li", icon("next"), step)))) : "";
}

/** Nothing to do, and what that rests on; `watched`: how many patients, null: not known. */
export function calm(host, lagS, watched) {
  const figures = [[lagS === null ? "–" : `${lagS < 90 ? `${lagS.toFixed(1)} s` : age(lagS)}`, t("bar.lag")], [watched ?? "–", t("bar.watched")],
    newest() === null ? [clock(now()), t("calm.at")] : [shortClock(newest()), t("calm.closed")]];
  host.setAttribute("aria-label", t("calm.title"));
  host.replaceChildren(h("div.calm", icon("check"), h("h2", t("calm.title")), h("p", t("calm.why")),
    h("dl", figures.map(([figure, words]) => [h("dd", figure), h("dt", words)])), h("p.fine", t("page.device"))));
}
