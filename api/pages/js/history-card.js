/** What was raised of a patient before: tier, what, when, how it ended and by whom. Each opens the alert. */

import { button, card, when } from "./card.js";
import { keyNumber, tierOf } from "./facts.js";
import { ask, h, has, said, shape, t } from "./page.js";

const FIRST = 5;
const MORE = 50;

export function historyCard(of) {
  let most = FIRST;
  return card("history", t("history.title"), async ({ body, aside, again }) => {
    const found = await ask("GET", `${of.patients}/alerts?limit=${most}`);
    const list = h("ol", found.alerts.map(line));
    const foot = h("div.card__foot");
    body.replaceChildren(found.total ? list : h("p.card__line.muted", t("history.none")), foot);
    aside.replaceChildren(found.total > FIRST && most === FIRST
      ? button(t("history.all", { n: found.total }), async () => { most = MORE; await again(); list.focus(); }, ".btn--quiet")
      : h("span.muted.num", t("history.count", { n: found.total })));
    if (most === MORE) further(list, foot, found.next);
  });

  function further(list, foot, next) {
    foot.replaceChildren(next ? button(t("history.more"), async () => {
      const found = await ask("GET", `${of.patients}/alerts?limit=${MORE}&before=${encodeURIComponent(next)}`);
      list.append(...found.alerts.map(line));
      further(list, foot, found.next);
    }) : "");
  }
}

function line(row) {
  const number = keyNumber(row);
  const tier = tierOf(row);
  return h("li", h("a", { href: `/console#${row.alert}` }, shape(tier), h("span.sr", `${t(`tier.${tier}`)}${t("colon")}`),
    h("b", said(row.what), number ? h("span.num", ` ${number.join(" ")}`) : ""), h("time.num", when(row.raised_at)), h("p", ending(row))));
}

function ending(row) {
  if (row.state !== "closed") {
    const who = row.answered_name ?? row.answered_by;
    return [`${t("history.open")}${t("stop")} `, who ? t("history.has", { who }) : t("alert.nobody"), t("stop")];
  }
  const by = row.closed_name ?? (has(`role.${row.closed_by}`) ? t(`role.${row.closed_by}`) : row.closed_by);
  const how = t(`ended.${row.outcome}`);
  const note = row.note ? `${t("colon")}${row.note}` : "";
  const isByHand = ["resolved", "false_alarm", "wrong_person"].includes(row.outcome);
  return [`${how}${note}${t("stop")} `, isByHand && by ? `${t("history.closed", { who: by })}${t("stop")}` : ""];
}
