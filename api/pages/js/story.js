/** What happened, newest first: what was found, the history, what was sent to whom and each try, what came back. */

import { noted } from "./dialogs.js";
import { live } from "./live.js";
import { roleName, roles } from "./facts.js";
import { clock, h, has, icon, said, t } from "./page.js";

export function story(row, found) {
  const lines = found ? [...findings(row, found), ...history(row, found), ...sent(found), ...answers(found)].sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || b.order - a.order) : [];
  return h("section.timeline", { "aria-label": t("story.title") }, h("h3", t("story.title")),
    lines.length ? h("ol", lines.map((line) => h("li", h("time", clock(line.at)), h(`span.dot.dot--${line.tone ?? ""}`, icon(line.sign)), h(line.tone === "fail" ? "span.fail" : "span", line.text))))
      : h("p.muted", t("story.loading")));
}

const nameOf = (person) => live.names[person] ?? (has(`role.${person}`) ? roleName(person) : person === "system" ? t("story.system") : person);
const SIGNS = { acknowledged: "check", accepted: "check", closed: "check", rejected: "close", cleared: "pulse", raised: "pulse", present: "pulse", worsened: "warn", ack_expired: "clock", cycle: "clock" };
const HIDDEN = new Set(["rung", "present", "response"]); // what was sent says it better; a finding renewed is no news

function history(row, found) {
  return found.history.filter((entry) => !HIDDEN.has(entry.what)).map((entry) => {
    const values = { who: nameOf(entry.by_whom), what: said(row.what), note: noted(entry.detail?.note ?? ""), outcome: entry.detail?.outcome ? t(`ended.${entry.detail.outcome}`) : "" };
    const what = entry.what === "snoozed" && Date.parse(entry.detail.until) <= Date.parse(entry.at) ? "woken" : entry.what;
    const text = has(`story.${what}`) ? t(`story.${what}`, values) : entry.what.replaceAll("_", " ");
    const by = entry.what === "closed" && values.note ? `${text} (${values.note})` : text;
    const tone = entry.what === "raised" || entry.what === "worsened" ? "em" : ["ack_expired", "rejected", "returned"].includes(entry.what) ? "fail" : ["accepted", "acknowledged", "closed"].includes(entry.what) ? "ok" : "";
    return { at: entry.at, order: entry.n, text: by, tone, sign: SIGNS[entry.what] ?? "pulse" };
  });
}

/** One line for all who were told at one step; one more for each try. */
function sent(found) {
  const steps = new Map();
  for (const notice of found.notices) {
    const key = `${notice.event}|${notice.generation}|${notice.cycle}|${notice.rung}`;
    steps.set(key, [...(steps.get(key) ?? []), notice]);
  }
  const lines = [];
  for (const notices of steps.values()) {
    const first = notices[0];
    const told = notices.filter((one) => one.status !== "moot" || one.attempts.length);
    if (told.length) lines.push({ at: first.first_due_at, order: 1000, sign: "bell", tone: "", text: t(first.type === "alert.raised" ? "story.sent" : first.type === "alert.stood_down" ? "story.stood_down" : "story.updated", { who: roles([...new Set(told.map((one) => one.role))]), n: first.cycle + 1 }) });
    for (const one of notices) lines.push(...tries(one));
  }
  return lines;
}

/** Each try with its result. Received by dispatch is never shown as accepted: that is what comes back from there. */
function tries(notice) {
  const values = { who: roleName(notice.role), channel: has(`channel.${notice.channel}`) ? t(`channel.${notice.channel}`) : notice.channel };
  return notice.attempts.filter((one) => TRIES[one.outcome]).map((one) => {
    const [sign, tone] = TRIES[one.outcome];
    const received = one.outcome === "delivered" && notice.role === "dispatch";
    return { at: one.at, order: 1001, sign, tone, text: t(received ? "story.received" : `story.try.${one.outcome}`, { ...values, n: one.n }) };
  });
}

const TRIES = { delivered: ["check", ""], refused: ["close", "fail"], retry: ["close", "fail"] };

/** When what was found began and ended, by the data's own time. */
function findings(row, found) {
  return found.episodes.filter((one) => !one.withdrawn).flatMap((one) => [
    { at: one.onset, order: -1, sign: "pulse", tone: "", text: t(one.late ? "story.onset.late" : "story.onset", { what: said(row.what) }) },
    one.ended && !one.present ? { at: one.ended, order: 0, sign: "pulse", tone: "", text: t("story.offset") } : null,
  ].filter(Boolean));
}

function answers(found) {
  return found.responses.map((one) => ({ at: one.at, order: 1002, sign: "phone", tone: one.kind === "rejected" ? "fail" : "ok", text: t("story.response", { what: came(one) }) }));
}

/** What came back, with all that was said: who over there, why not, when they expect to arrive. */
function came(one) {
  const eta = Date.parse(one.body.eta ?? "");
  const when = Number.isNaN(eta) ? "" : new Date(eta).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return [t(`response.${one.kind}`), one.body.by, one.body.reason, when].filter(Boolean).join(", ");
}
