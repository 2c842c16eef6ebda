/** A hospital's file: tried first, what would change is shown, and only then taken. */

import { ask, h, icon, Refused, t } from "./page.js";

export function importer(patient, etag, isChanged, done) {
  const shown = h("div", { "aria-live": "polite" });
  const input = h("input", { type: "file", id: "file", accept: ".json,application/json,application/fhir+json", onchange: tried });
  const path = `/patients/${encodeURIComponent(patient)}/import`;
  let bundle = null;

  async function tried() {
    shown.replaceChildren();
    if (!input.files.length) return;
    if (isChanged()) return refuse([t("edit.savefirst")]);
    try {
      bundle = JSON.parse(await input.files[0].text());
    } catch {
      return refuse([t("edit.nojson")]);
    }
    try {
      show(await ask("POST", `${path}?dry=true`, bundle));
    } catch (error) {
      told(error);
    }
  }

  function show({ changes, not_taken: left }) {
    shown.replaceChildren(
      h("h3", changes.length ? t("edit.would") : t("edit.nothingnew")),
      h("ul.changes", changes.map((one) => h("li", h("b", `${t(`edit.${one.field}`)}${t("colon")}`), one.added ? parts(one) : [h("del", words(one.before)), " → ", h("ins", words(one.after))]))),
      left.length ? h("details", h("summary", t("edit.left", { n: left.length })), h("ul.changes", left.map((one) => h("li", `${one.what}${t("colon")}${one.why} `, h("code", one.at))))) : "",
      changes.length ? h("button.btn.btn--primary", { type: "button", onclick: take }, icon("check"), t("edit.take")) : "");
  }

  async function take(event) {
    event.currentTarget.disabled = true;
    try {
      await ask("POST", path, bundle, { "if-match": etag() });
      await done(t("edit.taken"));
    } catch (error) {
      told(error);
    }
  }

  function told(error) {
    if (!(error instanceof Refused)) return refuse([t("edit.unsaved")]);
    if (error.status === 412) return refuse([t("edit.lost"), h("button.btn", { type: "button", onclick: () => done() }, t("edit.again"))]);
    const errors = error.problem.errors ?? [];
    refuse([h("p", errors.length ? t("edit.broken") : error.message), h("ul", errors.map((one) => h("li", h("code", one.at), ` ${one.why}`)))]);
  }

  const refuse = (what) => shown.replaceChildren(h("div.said.said--bad", { role: "alert" }, what));
  return h("section.card", { "aria-labelledby": "import" }, h("h2", { id: "import" }, t("edit.import")), h("p.muted", t("edit.import.do")),
    h("label.edit__file", { for: "file" }, h("span.sr", t("edit.file")), input), shown);
}

/** What goes and what comes in a list. */
const parts = (one) => [one.removed.map((line) => [" ", h("del", line)]), one.added.map((line) => [" ", h("ins", `+ ${line}`)]), !one.added.length && !one.removed.length ? h("ins", ` ${words(one.after)}`) : ""];

function words(value) {
  if (value === "unknown" || value === null) return t("edit.unknown");
  if (Array.isArray(value)) return value.length ? value.map(words).join("; ") : t("edit.known.none");
  if (typeof value === "object") return [value.name, value.relation, value.phone, value.language].filter((part) => part && part !== "unknown").join(", ");
  return String(value);
}
