/** A link that does not open: why, and the number to call for a new one. Nothing of the patient. */

import { bar } from "./dispatch-bar.js";
import { $, clock, h, icon, t } from "./page.js";

/** Fill `host`; `opened`: when somebody else opened it; `call`: the number. */
export function gone(host, { why, opened, call }) {
  host.replaceChildren(
    h("h1", icon("lock"), t(`dispatch.gone.${why}`, { at: opened ? clock(opened) : "" })),
    h("p", t("dispatch.gone.new")),
    call ? h("p", h("a.btn.btn--primary.gone__call", { href: `tel:${call.replaceAll(/[^+\d]/g, "")}` }, icon("phone"), h("span.num", call))) : h("p", t("dispatch.gone.no_number")),
    h("p", h("a.gone__in", { href: "/sign-in" }, t("dispatch.gone.account"))));
}

const page = $("gone");
if (page?.dataset.why) {
  bar($("bar"));
  gone(page, page.dataset);
}
