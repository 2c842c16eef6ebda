/** Who are you. The answer to a wrong password is amber, says what to do, and never which of the two was wrong. */

import { $, ask, h, icon, lang, Refused, switchLanguage, t, toggleTheme } from "./page.js";

const problem = h("div.problem", { role: "alert", tabindex: "-1", hidden: true });
const login = h("input", { id: "login", name: "login", type: "text", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true });
const password = h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true });
const show = h("button.btn.btn--quiet", { type: "button", "aria-pressed": "false", "aria-controls": "password", onclick: reveal }, t("signin.show"));
const send = h("button.btn.btn--primary", { type: "submit" }, t("signin.go"));

document.title = `${t("signin.title")} · Tierwatch`;
$("main").replaceChildren(
  h("header.login__head",
    h("p.brand", icon("logo"), "Tierwatch"),
    h("div", h("button.tool", { type: "button", onclick: switchLanguage, lang: lang === "zh" ? "en" : "zh-CN" }, lang === "zh" ? "English" : "中文"),
      h("button.tool", { type: "button", onclick: toggleTheme, "aria-label": t("bar.theme") }, icon("sun")))),
  h("h1", t("signin.title")), problem,
  h("form", { onsubmit: submit, novalidate: true },
    h("label", { for: "login" }, t("signin.login")), login,
    h("label", { for: "password" }, t("signin.password")), h("div.reveal", password, show), send),
  h("p.fine", t("signin.audit")), h("p.fine", t("page.device")));
login.focus();

function reveal() {
  const hidden = password.type === "password";
  password.type = hidden ? "text" : "password";
  show.setAttribute("aria-pressed", String(hidden));
  show.textContent = hidden ? t("signin.hide") : t("signin.show");
}

async function submit(event) {
  event.preventDefault();
  if (!login.value.trim() || !password.value) return complain("signin.empty", "signin.empty.do");
  send.disabled = true;
  try {
    location.replace((await ask("POST", "/session", { login: login.value.trim(), password: password.value })).page);
  } catch (error) {
    const wrong = error instanceof Refused && error.status === 401;
    complain(wrong ? "signin.wrong" : "signin.failed", wrong ? "signin.wrong.do" : "signin.failed.do");
  } finally {
    send.disabled = false;
  }
}

function complain(what, todo) {
  problem.replaceChildren(h("b", t(what)), h("p", t(todo)));
  problem.hidden = false;
  problem.focus();
}
