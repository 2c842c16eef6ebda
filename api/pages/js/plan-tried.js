/** What other limits would have raised over the last 30 days, and of which of them that cannot be told. */

import { when } from "./card.js";
import { h, icon, said, shape, t } from "./page.js";
import { limitName } from "./plan-limits.js";

const TIERS = [["emergency", "em"], ["doctor", "dr"], ["tip", "tip"]];

export function tried(found) {
  const lines = TIERS.flatMap(([name, sign]) => {
    const { before, after, more, fewer } = found.tiers[name];
    const values = { tier: t(`tier.${sign}`), before, after };
    return [
      fewer ? h("li", shape(sign), h("span", h("b", t("tried.fewer", { n: fewer, ...values })), " ", t("tried.counts", values))) : null,
      more ? h("li", shape(sign), h("span", h("b", t("tried.more", { n: more, ...values })), " ", t("tried.counts", values))) : null,
    ];
  });
  const judged = t("tried.judged", found.judged);
  const same = found.untold.length ? t("tried.same.part") : t("tried.same");
  return h("section.tried", { "aria-label": t("tried.title") }, h("h3", t("tried.title")),
    lines.some(Boolean) ? h("ul.tried__tiers", lines) : h("p", same), named("fewer", found.fewer), named("more", found.more),
    found.untold.length ? h("ul.tried__untold", found.untold.map((one) => h("li", icon("warn"), h("span", h("b", limitName(one.limit)), t("colon"), t(`tried.why.${one.why}`, { of: one.of, unsure: one.unsure }))))) : "",
    h("p.muted", judged));
}

/** Each alert that differs, when it began. */
function named(way, alerts) {
  if (!alerts.length) return "";
  return h("details", h("summary", t(`tried.named.${way}`, { n: alerts.length })),
    h("ol", [...alerts].reverse().map((one) => h("li", said(one.what), ", ", h("time.num", when(one.onset))))));
}
