/** Alerts that were closed of late: how each ended and by whom; page by page, the latest first. */

import { keyNumber, nameOf, sexLetter, tierOf, years } from "./facts.js";
import { noted } from "./dialogs.js";
import { live, now } from "./live.js";
import { age, ask, h, Refused, said, shape, shortClock, t } from "./page.js";

const HOURS = [24, 168];
const state = { hours: HOURS[0], rows: new Map(), next: null, is: "unread" };

/** The row of one; undefined: not among those that were read. */
export const get = (id) => state.rows.get(id);

/** Read the first page anew, or (`more`) the one behind; `changed()` when it is there. */
export async function load(changed, more = false) {
  if (!more) state.is = state.rows.size ? state.is : "loading";
  try {
    const before = more ? `&before=${encodeURIComponent(state.next)}` : "";
    const page = await ask("GET", `/closed?hours=${state.hours}&limit=50${before}`);
    state.rows = new Map([...(more ? state.rows : []), ...page.alerts.map((row) => [row.alert, row])]);
    Object.assign(state, { next: page.next, is: "read" });
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
    state.is = "failed";
  }
  changed();
}

/** What the list shows of them. `select(id)`, `selected()`: as in the list; `changed()`: draw anew. */
export function parts({ select, selected, wanted, changed }) {
  const span = h("div.seg.seg--span", { role: "group", "aria-label": t("closed.span") }, HOURS.map((hours) => h("button", { type: "button", "aria-pressed": String(hours === state.hours), onclick: () => { Object.assign(state, { hours, rows: new Map(), next: null }); load(changed); changed(); } }, t(`closed.hours.${hours}`))));
  const shown = [...state.rows.values()].filter(wanted);
  const none = { unread: "closed.loading", loading: "closed.loading", failed: "closed.unread", read: "closed.none" }[state.is];
  return [span, ...shown.map((row) => rowOf(row, select, selected)), ...(shown.length ? [] : [h("p.list__none", t(none))]),
    ...(state.next ? [h("p.list__more", h("button.btn", { type: "button", onclick: () => load(changed, true) }, t("closed.more")))] : [])];
}

function rowOf(row, select, selected) {
  const number = keyNumber(row);
  const old = years(row.person?.birth_date, now());
  return h("button.row.row--closed", { type: "button", "data-id": row.alert, "aria-current": String(row.alert === selected()), onclick: () => select(row.alert) },
    shape(tierOf(row)),
    h("span.row__name", nameOf(row), h("small", [sexLetter(row.person?.sex), old ?? ""].filter((x) => x !== "").join(" "))),
    h("span.row__key", number ? [number[0], h("small", ` ${number[1]}`)] : ""),
    h("span.row__what", said(row.what)), h("span.row__age", when(row.closed_at)), h("span.row__who", h("span", ended(row))));
}

/** "14:20" of the last day, else how long ago. */
const when = (at) => (now() - Date.parse(at) < 86_400_000 ? shortClock(at) : age((now() - Date.parse(at)) / 1000));

/** How it ended, and by whom. */
export function ended(row) {
  const outcome = row.note ? noted(row.note) : t(`ended.${row.outcome}`);
  const who = live.names[row.answered_by] ?? row.answered_name;
  return row.outcome === "faded" || !who ? outcome : t("closed.by", { outcome, who });
}

/** Newest close, milliseconds; null: none that was read. */
export const newest = () => { const [first] = state.rows.values(); return first ? Date.parse(first.closed_at) : null; };

/** The short list under an empty console. */
export function today(select) {
  const rows = [...state.rows.values()].slice(0, 8);
  return rows.length ? h("section.list__closed", h("h2", t("closed.today")), h("ul", rows.map((row) => h("li", h("button.list__past", { type: "button", "data-id": row.alert, onclick: () => select(row.alert) },
    shape(tierOf(row)), h("span", said(row.what)), h("time", when(row.closed_at)), h("small", ended(row))))))) : "";
}
