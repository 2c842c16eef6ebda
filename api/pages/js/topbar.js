/** The bar of the clinicians' pages: whether the system is well, whether it can be heard, who works here. */

import { cutFor, asOf, live } from "./live.js";
import { $, age, clock, h, icon, lang, signOut, switchLanguage, t, toggleTheme } from "./page.js";
import { enable, isOn, pause, pausedFor } from "./sound.js";

const health = h("div.health", { role: "group", "aria-label": t("bar.health") });
const soundButton = h("button.tool", { type: "button", onclick: toggleSound });
let failed = "";

export function topbar(host, account) {
  host.replaceChildren(
    h("a.brand", { href: "/console" }, icon("logo"), "Tierwatch"),
    h("nav.topbar__nav", { "aria-label": t("bar.nav") }, ["console", "patients"].map((name) => h("a", { href: `/${name}`, "aria-current": location.pathname === `/${name}` ? "page" : null }, t(`bar.${name}`)))),
    health,
    h("div.topbar__tools", soundButton,
      h("button.tool", { type: "button", onclick: switchLanguage, lang: lang === "zh" ? "en" : "zh-CN" }, lang === "zh" ? "English" : "中文"),
      h("button.tool", { type: "button", onclick: toggleTheme, "aria-label": t("bar.theme"), title: t("bar.theme") }, icon("sun")),
      h("div.operator", h("b", account.name), h("button.link", { type: "button", onclick: signOut }, t("bar.signout")))));
  showSound();
}

/** The state of the connection and of the intake; the banner counts the seconds of a cut. */
export function tickBar() {
  const cut = !live.connected && (live.ever || cutFor() > 2);
  $("banner").hidden = !cut;
  if (cut) {
    const words = live.ever ? t("cut.banner", { for: age(cutFor()), from: clock(asOf()) }) : t("cut.never", { for: age(cutFor()) });
    const text = $("banner").querySelector("span");
    if (text) text.textContent = words;
    else $("banner").replaceChildren(h("p.banner", icon("wifi-off"), h("span", words), h("small", t("cut.commands"))));
  }
  const late = live.lagS === null || live.lagS > 10;
  const lag = live.lagS === null ? t("bar.lag.none") : live.lagS < 90 ? `${live.lagS.toFixed(1)} s` : age(live.lagS);
  health.replaceChildren(cut ? h("span.pill.pill--em", icon("wifi-off"), t("cut.pill")) : late
    ? h("span.pill.pill--warn", icon("warn"), `${t("bar.lag")} ${lag}`)
    : h("span", icon("check", "icon ok"), `${t("bar.lag")} `, h("b", lag)));
  showSound();
}

async function toggleSound() {
  failed = await enable(!isOn()) ? "" : t("sound.failed");
  showSound();
}

export async function pauseSound() {
  pause(120);
  showSound();
}

/** Off and paused are said in words, never only by an icon. */
function showSound() {
  const on = isOn();
  const left = pausedFor();
  const muted = !on || left > 0;
  soundButton.className = muted ? "tool tool--muted" : "tool";
  soundButton.setAttribute("aria-pressed", String(on));
  const words = failed || (!on ? t("sound.off") : left > 0 ? t("sound.paused", { for: age(left) }) : t("sound.on"));
  if (soundButton.dataset.words === words) return;
  soundButton.dataset.words = words;
  soundButton.replaceChildren(icon(muted ? "bell-off" : "bell"), h("span.tool__word", words));
}
