/** The list of alerts by tier. A row is made once and then kept: nothing jumps under the pointer or the focus. */

import * as closed from "./closed.js";
import { inGroup, isAcknowledged, isPresent, isTaken, isUnanswered, keyNumber, mutedUntil, nameOf, coming, sexLetter, tierOf, TIERS, years } from "./facts.js";
import { live, now } from "./live.js";
import { $, age, h, icon, said, shape, t } from "./page.js";

const rows = new Map();
let filter = "all";
let find = "";
let options = {};

/** `me`: the person who looks; `select(id)`: a row was chosen; `selected()`: which one is; `changed()`: draw anew. */
export function begin(given) {
  options = given;
  $("list").setAttribute("aria-label", t("list.label"));
}

export function render() {
  const alerts = [...live.alerts.values()];
  const shown = alerts.filter(wanted);
  const unanswered = alerts.filter((row) => isUnanswered(row) && !row.inhibited_by).length;
  const anchor = $("list").querySelector(".row:hover") ?? document.activeElement?.closest?.(".row");
  const top = anchor?.getBoundingClientRect().top;
  const parts = [head(alerts.length, unanswered)];
  if (unanswered > 20) parts.push(h("p.list__storm", icon("warn"), h("span", t("list.storm", { n: unanswered }))));
  if (filter === "closed") parts.push(...closed.parts({ ...options, wanted: isFound }));
  else {
    for (const tier of TIERS) parts.push(...group(tier, shown.filter((row) => tierOf(row) === tier).sort(inGroup)));
    if (!shown.length) parts.push(h("p.list__none", !live.ever ? t("list.loading") : find || filter !== "all" ? t("list.nothing") : t("list.none")));
    if (live.ever && !alerts.length) parts.push(...[closed.today(options.select)].filter(Boolean));
  }
  keep($("list"), parts);
  for (const id of rows.keys()) if (!live.alerts.has(id)) rows.delete(id);
  if (anchor?.isConnected && top !== undefined) $("list").scrollTop += anchor.getBoundingClientRect().top - top;
}

/** Only what changed is moved: a node that stays where it is keeps its focus. */
function keep(host, parts) {
  parts.forEach((part, i) => { if (host.children[i] !== part) host.insertBefore(part, host.children[i] ?? null); });
  while (host.children.length > parts.length) host.lastChild.remove();
}

/** News came: what was closed is read anew where it is looked at, or stands under an empty list. */
export function heard(gone) {
  if (filter === "closed" ? gone.length : !live.alerts.size) closed.load(options.changed);
}

const isFound = (row) => !find || nameOf(row).toLowerCase().includes(find);

function wanted(row) {
  if (!isFound(row)) return false;
  if (filter === "mine") return row.answered_by === options.me && !isUnanswered(row);
  return filter === "all" || isUnanswered(row);
}

let heading = null;

function head(all, unanswered) {
  const mine = [...live.alerts.values()].filter((row) => row.answered_by === options.me && !isUnanswered(row)).length;
  heading ??= makeHead();
  heading.querySelector("small").textContent = String(all);
  const counts = { all: 0, unanswered, mine };
  for (const button of heading.querySelectorAll(".seg button")) {
    const name = button.dataset.filter;
    button.setAttribute("aria-pressed", String(name === filter));
    button.textContent = counts[name] ? `${t(`filter.${name}`)} ${counts[name]}` : t(`filter.${name}`);
  }
  return heading;
}

function makeHead() {
  const seg = h("div.seg", { role: "group", "aria-label": t("list.filter") }, ["all", "unanswered", "mine", "closed"].map((name) =>
    h("button", { type: "button", "data-filter": name, onclick: () => { filter = name; if (name === "closed") closed.load(options.changed); render(); } })));
  const search = h("input.find", { type: "search", id: "find", placeholder: t("list.find"), "aria-label": t("list.find"), oninput: (event) => { find = event.target.value.trim().toLowerCase(); render(); } });
  return h("div.list__head", h("div.list__title", h("p.title", { "aria-hidden": "true" }, t("list.title"), h("small.num")), search), seg);
}

const groups = new Map();

function group(tier, found) {
  if (!found.length) return [];
  if (!groups.has(tier)) groups.set(tier, h(`h2.list__group.tier.tier--${tier}`, { id: `group-${tier}`, tabindex: "-1" }, icon(tier), t(`tier.${tier}`), h("b.num")));
  groups.get(tier).querySelector("b").textContent = String(found.length);
  return [groups.get(tier), ...found.map(rowOf)];
}

function rowOf(row) {
  if (!rows.has(row.alert)) rows.set(row.alert, { node: h("button.row", { type: "button", "data-id": row.alert, onclick: () => options.select(row.alert) }), seen: null });
  const kept = rows.get(row.alert);
  const { node } = kept;
  if (kept.seen !== row) { // a row that changed is another object
    kept.seen = row;
    node.classList.toggle("row--past", !isPresent(row));
    const number = keyNumber(row);
    const old = years(row.person?.birth_date, now());
    node.replaceChildren(shape(tierOf(row)),
      h("span.row__name", nameOf(row), h("small", [sexLetter(row.person?.sex), old ?? ""].filter((x) => x !== "").join(" "))),
      h("span.row__key", number ? [number[0], h("small", ` ${number[1]}`)] : ""),
      h("span.row__what", said(row.what), isPresent(row) ? "" : ` (${t("alert.over")})`),
      h("span.row__age", { "data-since": row.raised_at }),
      h("span.row__who", who(row)));
  }
  mark(node);
  return node;
}

function mark(node) {
  const current = String(node.dataset.id === options.selected());
  if (node.getAttribute("aria-current") !== current) node.setAttribute("aria-current", current);
}

/** Another alert is selected: nothing else of the list has changed. */
export const marked = () => document.querySelectorAll("#list .row").forEach(mark);

function who(row) {
  if (row.inhibited_by) return h("span", t("alert.covered"));
  if (isUnanswered(row) && mutedUntil(row)) return h("span.pill.pill--warn", icon("pause"), `${t(row.snoozed_until ? "alert.snoozed" : "alert.paused")} `, h("b", { "data-until": mutedUntil(row) }));
  if (isUnanswered(row)) {
    return [h(`span.pill.pill--${tierOf(row) === "em" ? "em" : "warn"}`, t("alert.nobody")),
      row.next_due_at && row.next.length ? h("span", `${t("alert.next", { who: coming(row.next) })} `, h("b", { "data-until": row.next_due_at })) : ""];
  }
  const name = row.answered_by === options.me ? t("alert.you") : row.answered_name;
  const dispatch = row.response_kind ? h("span", `· ${t(`response.${row.response_kind}`)}`) : "";
  if (isAcknowledged(row)) return [h("span", h("b", name)), h("span", `· ${t("alert.ack_ends")} `, h("b", { "data-until": row.acknowledged_until })), dispatch];
  return [h("span", h("b", isTaken(row) ? t("alert.has_it", { who: name }) : name)), dispatch];
}

/** Clocks: once a second, in the list and in the alert; the only numbers that move. */
export function tick() {
  const at = now();
  const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  for (const node of document.querySelectorAll("[data-since]")) write(node, age((at - Date.parse(node.dataset.since)) / 1000));
  for (const node of document.querySelectorAll("[data-until]")) write(node, age((Date.parse(node.dataset.until) - at) / 1000));
}

/** The ids in the order of the screen. */
export const order = () => [...document.querySelectorAll("#list .row")].map((node) => node.dataset.id);
export const rowNode = (id) => document.querySelector(`#list .row[data-id="${CSS.escape(id ?? "")}"]`);
export const jump = (tier) => { const first = groups.get(tier)?.isConnected ? groups.get(tier).nextElementSibling : null; first?.focus(); return first?.dataset.id; };
