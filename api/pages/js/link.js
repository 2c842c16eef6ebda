/** The link of a letter: one button uses it up, then one alert is seen and answered here, without an account. */

import { $, age, ask, clock, h, icon, lang, Refused, said, shape, switchLanguage, t, toggleTheme } from "./page.js";
import { isTaken, tierOf } from "./facts.js";
import { record } from "./record.js";

const token = location.pathname.split("/")[2] ?? "";
const problem = h("div.problem", { role: "alert", tabindex: "-1", hidden: true });
const notice = h("p.notice", { role: "status", hidden: true });

document.title = `${t("link.title")} · Tierwatch`;
if (token) door();
else show();

function head() {
  return h("header.login__head", h("p.brand", icon("logo"), "Tierwatch"),
    h("div", h("button.tool", { type: "button", onclick: switchLanguage, lang: lang === "zh" ? "en" : "zh-CN" }, lang === "zh" ? "English" : "中文"),
      h("button.tool", { type: "button", onclick: toggleTheme, "aria-label": t("bar.theme") }, icon("sun"))));
}

/** What whoever only looks at the address sees: nothing of anybody. */
function door() {
  const open = h("button.btn.btn--primary", { type: "button", onclick: use }, t("link.open"));
  $("main").replaceChildren(head(), h("section.card", h("h1", t("link.title")), h("p", t("link.once")), problem, open), fine());
}

async function use(event) {
  event.currentTarget.disabled = true;
  const reply = await fetch(`/a/${token}`, { method: "POST" }).catch(() => null);
  if (reply?.ok) {
    history.replaceState(null, "", "/a");
    return show();
  }
  if (reply?.status === 410) return over();
  $("main").querySelector(".btn--primary").disabled = false;
  complain(t("link.failed"));
}

function over() {
  $("main").replaceChildren(head(), h("section.card", h("h1", t("link.over")), h("p", t("link.over.do")), h("a.btn.btn--primary", { href: "/sign-in" }, t("signin.go"))), fine());
}

async function show() {
  const reply = await fetch("/api/v1/linked").catch(() => null);
  if (reply?.status === 401 || reply?.status === 404) return over();
  if (!reply?.ok) {
    $("main").replaceChildren(head(), problem);
    return complain(t("link.failed"));
  }
  draw(await reply.json());
}

function draw({ told, now, person }) {
  const tier = tierOf({ ...told, ...now });
  const strip = h("img", { src: "/api/v1/linked/strip.svg", alt: t("link.strip"), tabindex: "0" });
  const paper = h("section.card.linked__strip", { "aria-label": t("strip.label"), tabindex: "0" }, strip);
  strip.addEventListener("error", () => paper.remove());
  const found = record({ subject: told.patient, subject_kind: told.subject_kind, person: null }, told.record);
  $("main").replaceChildren(head(), notice, problem,
    h("section.card", h(`p.tier.tier--${tier}`, shape(tier), t(`tier.${tier}`)), h("h1", said(told.condition_name)), h("p", said(told.reason)),
      h("p.muted.num", t("link.since", { at: clock(told.onset), ago: age((Date.now() - Date.parse(told.onset)) / 1000) })),
      h("p", standing(now, person)),
      h("ul.linked__steps", (told.what_to_do?.[lang] ?? told.what_to_do?.en ?? []).map((step) => h("li", icon("next"), step))),
      commands(now)),
    paper, h("aside.card.record", found));
  for (const node of document.querySelectorAll("[data-since]")) node.textContent = age((Date.now() - Date.parse(node.dataset.since)) / 1000);
  $("main").focus();
}

function standing(now, person) {
  if (now.state === "closed") return t("link.closed");
  if (!now.answered_by) return t("link.nobody");
  return now.answered_by === person ? t("link.mine") : t("link.theirs", { who: now.answered_by });
}

function commands(now) {
  if (now.state === "closed" || isTaken(now)) return "";
  return h("div.linked__do",
    h("button.btn.btn--primary", { type: "button", onclick: () => answer("accept") }, t("act.take")),
    h("button.btn", { type: "button", onclick: () => answer("acknowledge") }, t("act.acknowledge")));
}

async function answer(verb) {
  try {
    await ask("POST", `/linked/${verb}`);
    await show();
    notice.textContent = t(`link.done.${verb}`);
    notice.hidden = false;
  } catch (error) {
    await show();
    complain(error instanceof Refused ? error.message : t("link.failed"));
  }
}

function complain(what) {
  problem.replaceChildren(h("p", what));
  problem.hidden = false;
  problem.focus();
}

function fine() {
  return h("p.fine", t("page.device"));
}
