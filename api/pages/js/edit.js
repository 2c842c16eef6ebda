/** The form of a record: all of it, read with its ETag and written with If-Match, so that nobody's change is lost. */

import { $, ask, h, icon, preferLanguage, Refused, t } from "./page.js";
import { start } from "./live.js";
import { tickBar, topbar } from "./topbar.js";
import { addressOf, patientOfPage } from "./whose.js";
import { contactRows, fieldOf, listOf, phoneRows } from "./edit-rows.js";
import { importer } from "./edit-import.js";

const LISTS = ["allergies", "problems", "medication", "implants", "directives"];
const FACTS = [["name", "name"], ["birth_date", "bday"], ["sex"], ["language"], ["blood_group"], ["address", "street-address"], ["door_code"]];
const account = await ask("GET", "/session");
preferLanguage(account.language);
const patient = patientOfPage();
const said = h("div", { role: "status", tabindex: "-1" });
let etag = "";
let kept = ""; // the body as it was read
let parts = {};

document.title = `${t("edit.title")} · Tierwatch`;
$("skip").textContent = t("patient.skip");
topbar($("topbar"), account);
start(() => tickBar());
setInterval(tickBar, 1000);
addEventListener("beforeunload", (event) => { if (kept && isChanged()) event.preventDefault(); });
if (patient) await read();
else whom();

/** A new patient gets a word of the practice's own. */
function whom() {
  const field = fieldOf("id", "", { maxlength: "64", pattern: "[A-Za-z0-9_.:\\-]+", required: true });
  const go = (event) => {
    event.preventDefault();
    if (field.input.reportValidity()) location.hash = encodeURIComponent(field.input.value.trim());
  };
  $("patient").replaceChildren(h("h1", t("edit.new")), h("form.card", { onsubmit: go }, h("p", t("edit.new.do")), field.node, h("button.btn.btn--primary", { type: "submit" }, t("edit.next"))));
}

async function read(what) {
  const reply = await fetch(`/api/v1/patients/${encodeURIComponent(patient)}/entered`, { headers: { accept: "application/json" } }).catch(() => null);
  if (reply?.status === 401) return location.assign("/sign-in");
  if (!reply?.ok) {
    const why = (await reply?.json().catch(() => null))?.detail ?? t("edit.unread");
    $("patient").replaceChildren(h("h1", t("edit.title")), said);
    return say([why], true);
  }
  etag = reply.headers.get("etag");
  draw(await reply.json());
  if (what) say([what]);
}

function draw(body) {
  const facts = FACTS.map(([name, complete]) => [name, fieldOf(name, body[name] ?? "", { autocomplete: complete ? "off" : null, maxlength: name === "blood_group" ? "20" : "500" })]);
  const lists = LISTS.map((name) => [name, listOf(name, body[name])]);
  parts = { facts: new Map(facts), lists: new Map(lists), phones: phoneRows(body.phones), contacts: contactRows(body.contacts) };
  $("patient").replaceChildren(
    h("header", h("h1", body.name ?? t("person.unnamed", { id: patient })), h("p.muted", `${patient} · ${t("edit.says")}`)),
    said, importer(patient, () => etag, isChanged, (what) => read(what)),
    h("form.edit__form", { onsubmit: save, novalidate: true },
      h("fieldset", h("legend", t("edit.person")), h("div.edit__grid", facts.map(([, field]) => field.node))),
      parts.phones.node, parts.contacts.node, lists.map(([, list]) => list.node),
      h("div.edit__save", h("button.btn.btn--primary", { type: "submit" }, icon("check"), t("edit.save")), h("a.btn", { href: addressOf(patient) }, t("edit.back")))),
    h("p.fine", t("page.device")));
  kept = JSON.stringify(written());
}

function written() {
  const body = Object.fromEntries([...parts.facts].map(([name, field]) => [name, field.input.value.trim() || null]));
  for (const [name, list] of parts.lists) body[name] = list.value();
  return { ...body, phones: parts.phones.value(), contacts: parts.contacts.value() };
}

function isChanged() {
  return JSON.stringify(written()) !== kept;
}

async function save(event) {
  event.preventDefault();
  for (const node of document.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
  const body = written();
  try {
    await ask("PUT", `/patients/${encodeURIComponent(patient)}`, body, { "if-match": etag });
    kept = JSON.stringify(body);
    await read(t("edit.saved"));
  } catch (error) {
    if (!(error instanceof Refused)) return say([t("edit.unsaved")], true);
    if (error.status === 412) return say([t("edit.lost"), h("button.btn", { type: "button", onclick: () => read() }, t("edit.again"))], true);
    say([t("edit.refused"), h("ul", (error.problem.errors ?? [{ at: "", why: error.message }]).map((one) => h("li", wrong(one.at), one.why)))], true);
  }
}

/** Which field is meant, marked there and named here. */
function wrong(at) {
  const [name, n, part] = at.replace(/^body\./, "").split(".");
  const field = parts.facts.get(name) ?? parts.lists.get(name)?.rows[n]?.fields[part];
  field?.input.setAttribute("aria-invalid", "true");
  return name ? `${t(`edit.${name}`)}${t("colon")}` : "";
}

function say(what, bad = false) {
  said.className = bad ? "said said--bad" : "said";
  said.replaceChildren(...what);
  said.focus();
  said.scrollIntoView({ block: "nearest" });
}
