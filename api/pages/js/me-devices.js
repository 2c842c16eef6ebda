/** My devices: what each is in plain words, its battery, when it was last heard, what to do, and whether all of it is sent. */

import { h, icon, t } from "./page.js";
import { when } from "./me-parts.js";

/** By the most telling of what it sends. */
const KINDS = [["ecg", "strap"], ["ecg_strip", "pulse"], ["glucose", "drop"], ["blood_pressure", "cuff"], ["oxygen_saturation", "breath"], ["heart_rate", "heart"]];
const kindOf = (one) => KINDS.find(([kind]) => one.kinds.includes(kind)) ?? ["any", "chip"];
export const nameOf = (one) => t(`me.device.${kindOf(one)[0]}`);

export function devices(list) {
  return [h("h1", t("me.devices")), sent(list), list?.length ? h("ul.readings", list.map((one) => device(one))) : "",
    h("small.under", t("me.devices.help"))];
}

/** Nothing is called sent of which that is not known. */
function sent(list) {
  if (!list) return h("p.muted", "–");
  if (!list.length) return h("p.sent.sent--open", icon("warn"), t("me.devices.none"));
  const waiting = list.reduce((sum, one) => sum + one.missing, 0);
  if (waiting) return h("p.sent.sent--open", icon("clock"), t("me.devices.waiting"));
  if (list.every((one) => one.is_all_sent)) return h("p.sent", icon("check"), t("me.devices.sent"));
  return h("p.sent.sent--open", icon("clock"), t("me.devices.unknown"));
}

/** `asks`: whether it says what to do, which is for the wearer. */
export function device(one, asks = true) {
  const [kind, sign] = kindOf(one);
  const todo = !asks ? [] : [one.is_low ? t(has(`me.device.low.${kind}`)) : "", one.heard_at && one.is_seen ? "" : t(silent(one, kind))].filter(Boolean);
  return h("li.device", icon(sign), h("b", nameOf(one)),
    h("span.row2", h("small", one.heard_at ? { "data-seen": one.heard_at } : {}, one.heard_at ? seen(one.heard_at) : t("me.device.never")), one.battery_percent === null ? "" : battery(one)),
    todo.map((words) => h("span.ask", words)));
}

const has = (key) => (t(key) === key ? "me.device.low.any" : key);
const silent = (one, kind) => (one.heard_at === null ? "me.device.first" : ["blood_pressure", "ecg_strip", "oxygen_saturation"].includes(kind) ? "me.device.measure" : "me.device.silent");

export const seen = (at) => t("me.device.seen", { when: when(at) });

function battery(one) {
  const level = h("span");
  level.style.width = `${one.battery_percent}%`;
  return h(`span.battery.num${one.is_low ? ".battery--low" : ""}`, h("span.sr", t("me.device.battery")), h("i", { "aria-hidden": "true" }, level), `${one.battery_percent} %`);
}
