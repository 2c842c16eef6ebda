/** Beside the limits: who is told (with the care team's members to change), when to measure, ladders, versions. */

import { button, field, refused, told, when } from "./card.js";
import { open } from "./dialogs.js";
import { ask, h, has, Refused, t } from "./page.js";
import { limitName } from "./plan-limits.js";

const ROLES = ["dispatch", "doctor", "practice", "family", "patient", "operator"];
const CHANNELS = ["console", "email", "webhook", "log"];

const channelName = (name) => (has(`channel.${name}`) ? t(`channel.${name}`) : name);
const roleName = (role) => t(`role.${role}`);

/* ---- who is told ---- */

export function team(plan, may, save) {
  const rows = ROLES.flatMap((role) => {
    const people = plan.team.filter((one) => one.role === role);
    const duty = plan.on_call?.[role] ? [h("tr", h("th", { scope: "row" }, roleName(role)), h("td", { colspan: 3 }, t("team.duty", { name: plan.schedules[role] ?? role })))] : [];
    if (!people.length && !duty.length) return [h("tr", h("th", { scope: "row" }, roleName(role)), h("td.muted", { colspan: 3 }, t("team.nobody")))];
    return [...people.map((one) => h("tr", h("th", { scope: "row" }, roleName(role)), h("td", one.person), h("td", channelName(one.channel)), h("td", one.address))), ...duty];
  });
  return h("details", h("summary", t("team.title")),
    h("div.scrolls", { tabindex: 0, role: "region", "aria-label": t("team.title") }, h("table", h("thead", h("tr", ["role", "person", "channel", "address"].map((name) => h("th", { scope: "col" }, t(`team.${name}`))))), h("tbody", rows))),
    may ? h("div.card__foot", button(t("team.change"), () => changeTeam(plan, save))) : "");
}

/** The team's members, a row each. A refusal is shown where it belongs: by its role, else above. */
function changeTeam(plan, save) {
  const say = h("div");
  const list = h("div.team");
  const add = (one = { role: "doctor", person: "", channel: "console", address: "" }) => {
    const text = (name, list) => h("input", { value: one[name], name, list, required: true, maxlength: 200, "aria-label": t(`team.${name}`), autocomplete: "off" });
    const role = h("select", { name: "role", "aria-label": t("team.role") }, ROLES.map((name) => h("option", { value: name, selected: name === one.role }, roleName(name))));
    const member = h("div.team__member", { role: "group", "aria-label": t("team.member") }, role, text("person"), text("channel", "channels"), text("address"),
      button(t("team.remove"), () => member.remove(), ".btn--quiet"), h("div.team__say"));
    list.append(member);
    return member;
  };
  plan.team.forEach((one) => add(one));
  const members = () => [...list.children].map((node) => Object.fromEntries([...node.querySelectorAll("[name]")].map((input) => [input.name, input.value.trim()])));
  const send = async () => {
    list.querySelectorAll(".team__say").forEach((node) => node.replaceChildren());
    say.replaceChildren();
    try {
      await save({ team: members() });
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
      place(error);
      return;
    }
    dialog.close();
  };
  const place = (error) => {
    const rest = [];
    for (const problem of error.problem?.problems ?? []) {
      const role = problem.split(":")[0];
      const node = [...list.children].find((one) => one.querySelector("[name=role]").value === role && problem.includes(`'${one.querySelector("[name=channel]").value.trim()}'`)) ?? [...list.children].find((one) => one.querySelector("[name=role]").value === role);
      if (node) node.querySelector(".team__say").append(h("p.refused", { lang: "en" }, problem));
      else rest.push(problem);
    }
    const placed = error.problem?.problems && !rest.length;
    say.replaceChildren(placed ? h("p.refused", { role: "alert" }, t("team.refused")) : refused(error.problem?.problems ? new Refused(error.status, { detail: rest.join("; ") }) : error));
  };
  const dialog = open(h("h2", { id: "dialog-title" }, t("team.change")), h("p", t("team.why")), h("datalist", { id: "channels" }, CHANNELS.map((name) => h("option", { value: name }, channelName(name)))),
    list, h("div", button(t("team.add"), () => add().querySelector("select").focus(), ".btn--quiet")), say,
    h("div.actions", button(t("close.back"), () => dialog.close(), ".btn--quiet"), button(t("team.save"), send, ".btn--primary")));
  dialog.classList.add("dialog--wide");
}

/* ---- when to measure ---- */

export function times(plan, may, save) {
  const said = plan.pressure_times;
  return h("details", h("summary", t("times.title")),
    h("p.card__line", said ? t("times.said", { times: said.times.join(t("list.comma")), zone: said.zone, minutes: Math.round(said.tolerance_s / 60) }) : t("times.none")),
    may ? h("div.card__foot", button(t("times.change"), () => changeTimes(said, save))) : "");
}

/** Times of day at which blood pressure is expected; none: whenever the patient likes, and nothing is missed. */
function changeTimes(said, save) {
  const say = h("div");
  const list = h("input", { value: said?.times.join(", ") ?? "", placeholder: "08:00, 20:00", autocomplete: "off" });
  const zone = h("input", { value: said?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone, autocomplete: "off" });
  const minutes = h("input", { value: Math.round((said?.tolerance_s ?? 3600) / 60), inputmode: "numeric" });
  const send = async () => {
    const chosen = list.value.split(/[\s,，、]+/).filter(Boolean);
    const wanted = chosen.length ? { times: chosen, zone: zone.value.trim(), tolerance_s: Number(minutes.value) * 60 } : null;
    if (await told(say, () => save({ pressure_times: wanted }))) dialog.close();
  };
  const dialog = open(h("h2", { id: "dialog-title" }, t("times.title")), h("p", t("times.why")), field("times-list", t("times.list"), list, t("times.hint")),
    field("times-zone", t("times.zone"), zone), field("times-minutes", t("times.minutes"), minutes), say,
    h("div.actions", button(t("close.back"), () => dialog.close(), ".btn--quiet"), button(t("team.save"), send, ".btn--primary")));
}

/* ---- ladders ---- */

const lasts = (s) => (s < 120 ? `${s} ${t("unit.s")}` : s < 7200 ? `${Math.round(s / 60)} ${t("unit.min")}` : s < 172_800 ? `${Math.round(s / 3600)} ${t("unit.h")}` : `${Math.round(s / 86_400)} ${t("unit.d")}`);

export function ladders(plan) {
  const own = Object.entries(plan.ladders);
  if (!own.length) return h("details", h("summary", t("ladders.title")), h("p.card__line.muted", t("ladders.usual")));
  return h("details", h("summary", t("ladders.title")), h("dl.ladders", own.map(([name, ladder]) => [h("dt", t(`ladder.${name}`)), h("dd", h("ol", ladder.steps.map((step) =>
    h("li", `${step.after_s ? t("ladders.after", { for: lasts(step.after_s) }) : t("ladders.at_once")}${t("colon")}${step.roles.map(roleName).join(t("list.comma"))}`))),
    h("p.muted", t("ladders.again", { for: lasts(ladder.repeat_s) }), ladder.escalate_to ? ` ${t("ladders.becomes", { for: lasts(ladder.escalate_s), what: t(`ladder.${ladder.escalate_to}`) })}` : ""))])));
}

/* ---- versions ---- */

/** Read when it is opened. */
export function versions(of) {
  const list = h("ol.versions");
  return h("details", { ontoggle: async (event) => {
    if (!event.target.open) return;
    const found = await ask("GET", `${of.plans}/versions`);
    list.replaceChildren(...(found.versions.length ? found.versions.map(version) : [h("li.muted", t("plan.version.none"))]));
  } }, h("summary", t("plan.versions")), list);
}

function version(one) {
  return h("li", h("p", h("b", t("plan.version", { n: one.version })), ` · ${one.by_name ?? one.by_whom} · `, h("time.num", when(one.at))),
    one.reason ? h("p.versions__why", t("plan.because", { why: one.reason })) : "",
    h("ul", one.changes.map((change) => h("li", changed(change)))));
}

function changed({ what, before, after }) {
  const [part, name] = what.split(".");
  const value = (one) => (one === null || one === undefined ? t("plan.default") : typeof one === "object" ? t("plan.other") : String(one));
  if (part === "limits") return `${limitName(name)}${t("colon")}${value(before)} → ${value(after)}`;
  const words = has(`plan.part.${part}`) ? t(`plan.part.${part}`) : part;
  return `${words}${name ? ` (${name})` : ""}${typeof (before ?? after) === "object" ? "" : `${t("colon")}${value(before)} → ${value(after)}`}`;
}

