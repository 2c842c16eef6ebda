/** What happened, newest first: the history, what was sent to whom and whether it arrived, what came back. */

import { live } from "./live.js";
import { roleName, roles } from "./facts.js";
import { clock, h, has, icon, said, t } from "./page.js";

export function story(row, found) {
  const lines = found ? [...history(row, found), ...sent(found), ...answers(found)].sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || b.order - a.order) : [];
  return h("section.timeline", { "aria-label": t("story.title") }, h("h3", t("story.title")),
    lines.length ? h("ol", lines.map((line) => h("li", h("time", clock(line.at)), h(`span.dot.dot--${line.tone ?? ""}`, icon(line.sign)), h(line.tone === "fail" ? "span.fail" : "span", line.text))))
      : h("p.muted", t("story.loading")));
}

const nameOf = (person) => live.names[person] ?? (has(`role.${person}`) ? roleName(person) : person === "system" ? t("story.system") : person);
const SIGNS = { acknowledged: "check", accepted: "check", closed: "check", rejected: "close", cleared: "pulse", raised: "pulse", present: "pulse", worsened: "warn", ack_expired: "clock", cycle: "clock" };
const HIDDEN = new Set(["rung", "present", "response"]); // what was sent says it better; a finding renewed is no news

function history(row, found) {
  return found.history.filter((entry) => !HIDDEN.has(entry.what)).map((entry) => {
    const values = { who: nameOf(entry.by_whom), what: said(row.what), note: entry.detail?.note ?? "", outcome: entry.detail?.outcome ? t(`ended.${entry.detail.outcome}`) : "" };
    const text = has(`story.${entry.what}`) ? t(`story.${entry.what}`, values) : entry.what.replaceAll("_", " ");
    const by = entry.what === "closed" && values.note ? `${text} (${values.note})` : text;
    const tone = entry.what === "raised" || entry.what === "worsened" ? "em" : ["ack_expired", "rejected", "returned"].includes(entry.what) ? "fail" : ["accepted", "acknowledged", "closed"].includes(entry.what) ? "ok" : "";
    return { at: entry.at, order: entry.n, text: by, tone, sign: SIGNS[entry.what] ?? "pulse" };
  });
}

/** One line for all who were told at one step; one more for each that did not get through. */
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
    for (const one of notices) lines.push(...outcome(one));
  }
  return lines;
}

function outcome(notice) {
  const last = notice.attempts.at(-1);
  if (!last) return [];
  const values = { who: roleName(notice.role), channel: has(`channel.${notice.channel}`) ? t(`channel.${notice.channel}`) : notice.channel, n: notice.attempts.length };
  if (last.outcome === "delivered") return [{ at: last.at, order: 1001, sign: "check", tone: "", text: t(notice.role === "dispatch" ? "story.received" : "story.delivered", values) }];
  if (last.outcome === "refused" || last.outcome === "retry") return [{ at: last.at, order: 1001, sign: "close", tone: "fail", text: t(last.outcome === "refused" ? "story.refused" : "story.retry", values) }];
  return [];
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
