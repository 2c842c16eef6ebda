/** The emergencies of which dispatch was told, for a dispatcher's account: open ones first. Nothing of the patients. */

import { bar } from "./dispatch-bar.js";
import { $, ask, clock, h, icon, said, signOut, t } from "./page.js";

const POLL_MS = 5000;
const TIER = { emergency: "em", doctor: "dr", tip: "tip" };
$("skip").textContent = t("dispatch.skip");
bar($("bar"));
$("bar").append(h("button.btn.btn--quiet", { type: "button", onclick: signOut }, t("bar.signout")));
await read();
setInterval(read, POLL_MS);

async function read() {
  const told = await ask("GET", "/dispatch").catch(() => null);
  $("banner").replaceChildren(...(told ? [] : [h("p.cut", icon("wifi-off"), t("dispatch.unheard"))]));
  if (!told) return;
  const open = told.alerts.filter((one) => one.state !== "closed");
  const focused = document.activeElement?.getAttribute?.("href");
  $("main").replaceChildren(h("h1", t("dispatch.title")), group("open", open), group("closed", told.alerts.filter((one) => one.state === "closed")));
  if (focused) document.querySelector(`[href="${focused}"]`)?.focus();
}

function group(name, rows) {
  return h("section", { "aria-labelledby": `h-${name}` }, h("h2", { id: `h-${name}` }, `${t(`dispatch.${name}`)} `, h("span.num", String(rows.length))),
    rows.length ? h("ul.emergencies__list", rows.map((row) => h("li", h(`a.card.emergency${name === "open" ? ".emergency--open" : ""}`, { href: `/dispatch/${row.alert}` },
      h(`span.tier.tier--${TIER[row.tier]}`, icon(TIER[row.tier]), t(`tier.${TIER[row.tier]}`)), h("b", said(row.what)), h("time.num", clock(row.raised_at)),
      h("span.muted", row.response_kind ? t(`response.${row.response_kind}`) : t("dispatch.no_answer")))))) : h("p.muted", t(`dispatch.none.${name}`)));
}


