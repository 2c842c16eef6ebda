/** Fields and rows of the record's form. "Not known" and "none" are choices of their own: an empty list never stands for either. */

import { h, t } from "./page.js";

const EXTRA = { allergies: ["reaction", "criticality", "onset"], problems: ["onset"], medication: ["dose", "onset"], implants: ["onset"], directives: [] };
const CHOICES = { sex: ["", "female", "male", "other"], criticality: ["", "low", "high", "unable-to-assess"], has_key: ["", "true", "false"] };
const HINTS = { birth_date: "1955-03-09", onset: "2009, 2009-05", language: "en, zh", has_key: "" };
let count = 0;

/** A labelled input, or a choice where there are few answers. */
export function fieldOf(name, value, more = {}) {
  const id = `f${++count}`;
  const input = CHOICES[name]
    ? h("select", { id }, CHOICES[name].map((one) => h("option", { value: one, selected: String(value) === one }, one ? t(`edit.${name}.${one}`) : t("edit.unknown"))))
    : h("input", { id, type: "text", value, placeholder: HINTS[name] ?? null, maxlength: "500", autocomplete: "off", ...more });
  return { input, node: h("label.edit__field", { for: id }, h("span", t(`edit.${name}`)), input) };
}

/** A list with its three states: not known, none, these. `read` makes a row's value, null: it is empty. */
function rowsOf(name, found, fresh, read, label) {
  const made = [];
  const host = h("div.edit__rows");
  const add = h("button.btn", { type: "button", onclick: () => { put(fresh()); made.at(-1).first.focus(); } }, t("edit.add"));
  const choices = ["unknown", "none", "these"].map((state) => {
    const input = h("input", { type: "radio", name: `known-${name}`, value: state, checked: state === (found === null || found === undefined ? "unknown" : found.length ? "these" : "none"), onchange: show });
    return h("label", input, t(`edit.known.${state}`));
  });
  const state = () => choices.map((one) => one.firstChild).find((one) => one.checked).value;
  function show() {
    if (state() === "these" && !made.length) put(fresh());
    host.hidden = add.hidden = state() !== "these";
  }
  function put(row) {
    made.push(row);
    const remove = () => { made.splice(made.indexOf(row), 1); node.remove(); add.focus(); };
    const node = h("div.edit__row", h("div.edit__grid", row.nodes), h("footer", row.code ?? h("span"), h("button.btn", { type: "button", onclick: remove, "aria-label": `${t("edit.remove")}${t("colon")}${label} ${made.length}` }, t("edit.remove"))));
    host.append(node);
  }
  for (const one of found ?? []) put(fresh(one));
  show();
  function value() {
    if (state() !== "these") return state() === "none" ? [] : null;
    const all = made.map(read).filter(Boolean);
    return all.length ? all : null; // rows that say nothing are no "none"
  }
  return { node: h("fieldset", h("legend", label), h("div.edit__known", { role: "radiogroup", "aria-label": label }, choices), host, add), value, rows: made };
}

/** Entries of one list of the record. A code belongs to its words: whoever changes the words takes it away. */
export function listOf(name, found) {
  const fresh = (entry = { text: "" }) => {
    const names = ["text", ...EXTRA[name]];
    const fields = Object.fromEntries(names.map((part) => [part, fieldOf(part, entry[part] ?? "")]));
    const code = h("span", entry.code ? `${entry.system?.replace("http://snomed.info/sct", "SNOMED CT") ?? ""} ${entry.code} ${entry.display ?? ""}` : "");
    fields.text.input.addEventListener("input", () => { code.hidden = fields.text.input.value.trim() !== entry.text; });
    return { entry, fields, code, nodes: names.map((part) => fields[part].node), first: fields.text.input };
  };
  const read = ({ entry, fields }) => {
    const told = Object.fromEntries(Object.entries(fields).map(([part, field]) => [part, field.input.value.trim() || null]));
    if (!told.text) return null;
    const same = told.text === entry.text;
    const { status = null, certainty = null, system = null, code = null, display = null } = same ? entry : {};
    return { ...told, status, certainty, system, code, display };
  };
  return rowsOf(name, found, fresh, read, t(`edit.${name}`));
}

export function phoneRows(found) {
  const fresh = (number = "") => { const field = fieldOf("phone", number); return { field, nodes: [field.node], first: field.input }; };
  return rowsOf("phones", found, fresh, ({ field }) => field.input.value.trim() || null, t("edit.phones"));
}

export function contactRows(found) {
  const unknown = (value) => (value === "unknown" || value === undefined ? "" : value);
  const fresh = (contact = { name: "" }) => {
    const fields = Object.fromEntries(["name", "relation", "phone", "language", "has_key"].map((part) => [part, fieldOf(part, unknown(contact[part]))]));
    return { fields, nodes: Object.values(fields).map((field) => field.node), first: fields.name.input };
  };
  const read = ({ fields }) => {
    const told = Object.fromEntries(Object.entries(fields).map(([part, field]) => [part, field.input.value.trim() || "unknown"]));
    return fields.name.input.value.trim() ? { ...told, has_key: told.has_key === "unknown" ? "unknown" : told.has_key === "true" } : null;
  };
  return rowsOf("contacts", found, fresh, read, t("edit.contacts"));
}
