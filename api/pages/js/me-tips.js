/** My tips: those that are open, and those of the last thirty days; what each asks, and whether it is done. */

import { h, icon, lang, said, t } from "./page.js";
import { kindOf } from "./me-hero.js";
import { live } from "./live.js";
import { trouble, when } from "./me-parts.js";

export function tips(act, my) {
  const list = my.tips;
  if (!list) return [h("h1", t("me.tips")), h("p.muted", "–")];
  return [h("h1", t("me.tips")), trouble(my.failed), list.length ? h("div.stack.unwell", list.map((one) => card(one, act, my))) : h("p", t("me.tips.none"))];
}

function card(one, act, my) {
  const kind = kindOf({ ...one, tier: "tip" });
  const open = one.state === "sounding" || one.state === "latched";
  const done = open ? "" : one.state === "held" || one.answered_by ? t("me.tips.done") : t("me.tips.over");
  return h("article.tip-card", h("header", icon(kind, `shape shape--${kind}`), h("span", { "data-when": one.raised_at }, when(one.raised_at)), done ? h("span.tip-card__done", icon("check"), done) : ""),
    h("b", said(one.plain)), h("ol.steps", (one.plain_do[lang] ?? one.plain_do.en).map((line) => h("li", line))),
    open && kind === "tip" ? h("button.btn.btn--primary", { type: "button", "data-act": `done-${one.alert}`, "aria-disabled": live.connected && !my.busy ? null : "true", onclick: () => act.acknowledge(one) }, icon("check"), t("me.done")) : "");
}
