/** Who opened my record: by name, newest first; what one person did in a row on a day is one line. */

import { h, icon, t } from "./page.js";
import { back, when } from "./me-parts.js";

export function opened(my) {
  const list = my.audit;
  const head = [back(), h("h1", t("me.opened")), h("p", t("me.opened.what"))];
  if (!list) return [...head, h("p.muted", "–")];
  return [...head, list.length ? h("ul.readings.ways", gathered(list).map(line)) : h("p", t("me.opened.none"))];
}

/** Newest first, as the book has them; the same person doing the same on one day is told once, with how often. */
function gathered(list) {
  const found = [];
  for (const row of list) {
    const last = found.at(-1);
    const key = [row.who, kind(row), new Date(row.at).toDateString()].join("|");
    if (last?.key === key) last.times += 1;
    else found.push({ key, row, times: 1 });
  }
  return found;
}

const kind = (row) => (row.outcome === "refused" ? "refused" : row.outcome === "opened" ? "emergency" : row.what.startsWith("GET") ? "read" : "did");

function line({ row, times }) {
  const did = kind(row);
  return h("li", icon(did === "refused" ? "lock" : did === "emergency" ? "warn" : "user"),
    h("span", h("b", row.name ?? t(`me.opened.by.${["machine", "link"].includes(row.role) ? row.role : "other"}`)),
      h("small", t(`me.opened.${did}`), row.reason && did === "emergency" ? ` ${row.reason}` : ""),
      h("small", h("span", { "data-when": row.at }, when(row.at)), times > 1 ? t("me.opened.times", { n: times }) : "")));
}
