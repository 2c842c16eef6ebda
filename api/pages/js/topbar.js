/**
 * The bar of the clinicians' pages: where else to go, whether the system is well, whether it can be heard, who works here.
 * It keeps the alarm of every page: the sound, and how many nobody has in the title and the tab's icon.
 */

import { isUnanswered, loudest, tierOf, TIERS } from "./facts.js";
import { asOf, cutFor, listen, live } from "./live.js";
import { $, age, ask, clock, h, icon, lang, signOut, signOutEverywhere, switchLanguage, t, toggleTheme } from "./page.js";
import { enable, isOn, keepSounding, pause, pausedFor, resume } from "./sound.js";

const HEALTH_S = 30;
const PAGES = ["console", "patients", "worklist"];
const OF_ADMIN = ["admin", "console"];
const health = h("div.health", { role: "group", "aria-label": t("bar.health") });
const inMenu = h("ul.menu__health");
const soundButton = h("button.tool", { type: "button", id: "sound", onclick: toggleSound });
let failed = "";
let figures = null; // what /health said last; null: never
let told = "";

export function topbar(host, account) {
  const pages = account.kind === "admin" ? OF_ADMIN : PAGES;
  const links = () => pages.map((name) => h("a", { href: `/${name}`, "aria-current": location.pathname === `/${name}` ? "page" : null }, t(`bar.${name}`)));
  const button = (words, onclick, more = {}) => h("button.btn.btn--quiet", { type: "button", onclick, ...more }, words);
  host.replaceChildren(
    h("a.brand", { href: `/${pages[0]}`, "aria-label": "Tierwatch" }, icon("logo"), h("span", "Tierwatch")),
    h("nav.topbar__nav", { "aria-label": t("bar.nav") }, links()),
    health,
    h("div.topbar__tools", soundButton,
      h("button.tool.tool--wide", { type: "button", onclick: switchLanguage, lang: lang === "zh" ? "en" : "zh-CN" }, lang === "zh" ? "English" : "中文"),
      h("button.tool.tool--wide", { type: "button", onclick: toggleTheme, "aria-label": t("bar.theme"), title: t("bar.theme") }, icon("sun")),
      menu(h("details.menu", h("summary.tool", h("span.menu__name", account.name), h("span.menu__word", t("bar.menu")), icon("next", "icon menu__open")),
        h("div.menu__body", h("p.menu__who", account.name),
          h("nav.menu__nav", { "aria-label": t("bar.menu") }, links()), inMenu,
          button(lang === "zh" ? "English" : "中文", switchLanguage, { lang: lang === "zh" ? "en" : "zh-CN" }), button(t("bar.theme"), toggleTheme),
          button(t("bar.signout"), signOut), button(t("bar.signout.all"), signOutEverywhere))))));
  showSound();
  resume().then(showSound);
  listen(({ fresh }) => keepSounding(loudest(live.alerts.values()), TIERS.find((tier) => fresh.some((row) => tierOf(row) === tier))));
  read();
  setInterval(read, HEALTH_S * 1000);
}

/** Closed by Escape (the focus goes back) and by whatever is pressed elsewhere. */
function menu(node) {
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !node.open) return;
    event.stopPropagation();
    node.open = false;
    node.firstChild.focus();
  });
  document.addEventListener("click", (event) => { if (!node.contains(event.target)) node.open = false; });
  return node;
}

async function read() {
  figures = await ask("GET", "/health").catch(() => null); // the connection tells what is wrong
  tickBar();
}

/** Once a second and at every change: the connection, the intake, the sound, and how many nobody has. */
export function tickBar() {
  const cut = !live.connected && (live.ever || cutFor() > 2);
  $("banner").hidden = !cut;
  if (cut) {
    const words = live.ever ? t("cut.banner", { for: age(cutFor()), from: clock(asOf()) }) : t("cut.never", { for: age(cutFor()) });
    const text = $("banner").querySelector("span");
    if (text) text.textContent = words;
    else $("banner").replaceChildren(h("p.banner", icon("wifi-off"), h("span", words), h("small", t("cut.commands"))));
  }
  showHealth(cut);
  count();
  keepSounding(loudest(live.alerts.values()), null);
  showSound();
}

/** How many patients are watched; null: not known. */
export const watched = () => figures?.watched ?? null;

/** The same figures in the bar and in the menu, where a narrow screen has its room for them. */
function showHealth(cut) {
  const lag = live.lagS === null ? t("bar.lag.none") : live.lagS < 90 ? `${live.lagS.toFixed(1)} s` : age(live.lagS);
  const shown = [[live.lagS !== null && live.lagS <= 10, "lag", lag]];
  if (figures) {
    shown.push([figures.unaccounted === 0, "unaccounted", figures.unaccounted], [figures.quarantined === 0, "quarantine", figures.quarantined]);
    if (figures.benched) shown.push([false, "benched", figures.benched]);
    shown.push([null, "watched", figures.watched]);
  }
  const text = JSON.stringify([cut, shown]);
  if (text === told) return;
  told = text;
  const words = ([well, name, value]) => (well === false
    ? h("span.pill.pill--warn", icon("warn"), `${t(`bar.${name}`)} `, h("b", value))
    : h("span", well ? icon("check", "icon ok") : "", `${t(`bar.${name}`)} `, h("b", value)));
  health.replaceChildren(...(cut ? [h("span.pill.pill--em", icon("wifi-off"), t("cut.pill"))] : shown.map(words)));
  inMenu.replaceChildren(...(cut ? [h("li", t("cut.pill"))] : shown.map((one) => h("li", words(one)))));
}

/** How many nobody has, where a screen full of other windows still shows it. */
function count() {
  const unanswered = [...live.alerts.values()].filter((row) => isUnanswered(row) && !row.inhibited_by).length;
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = unanswered ? `(${unanswered}) ${title}` : title;
  const sign = unanswered ? `/pages/count/${Math.min(unanswered, 99)}.svg` : "/pages/icon.svg";
  const link = document.querySelector("link[rel=icon]");
  if (link.getAttribute("href") !== sign) link.setAttribute("href", sign);
}

async function toggleSound() {
  failed = await enable(!isOn()) ? "" : t("sound.failed");
  showSound();
}

export function pauseSound() {
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
