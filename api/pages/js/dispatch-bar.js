/** The bar of the dispatcher's pages: language, theme, print; and how long the access holds. */

import { h, icon, lang, switchLanguage, t, toggleTheme } from "./page.js";

export function bar(host, { onprint, access = true } = {}) {
  host.replaceChildren(
    h("p.brand", icon("logo"), h("span", "Tierwatch")),
    onprint && access ? h("p.bar__access", icon("lock"), h("span", `${t("dispatch.access")} `, h("b.num", { id: "left" }))) : h("span.bar__access"),
    h("button.btn.btn--quiet", { type: "button", onclick: switchLanguage, lang: lang === "zh" ? "en" : "zh-CN" }, lang === "zh" ? "English" : "中文"),
    h("button.btn.btn--quiet", { type: "button", onclick: toggleTheme, "aria-label": t("bar.theme"), title: t("bar.theme") }, icon("sun")),
    onprint ? h("button.btn", { type: "button", onclick: onprint }, icon("print"), h("span", t("dispatch.print"))) : "");
}
