/** A patient's devices: how each is, whose its user slots are when, and what waits for an owner. */

import { button, card, field, local, refused, told, when } from "./card.js";
import { open } from "./dialogs.js";
import { age, ask, h, icon, Refused, t } from "./page.js";

const SIGNS = { ecg: "strap", ecg_strip: "heart", blood_pressure: "cuff", glucose: "drop", heart_rate: "pulse", oxygen_saturation: "drop" };
const OLD_S = 86_400;
const LOW_PERCENT = 20;

export function deviceCard(of) {
  return card("devices", t("devices.title"), async ({ body, again }) => {
    const { devices } = await ask("GET", `${of.patients}/devices`);
    const say = h("div");
    body.replaceChildren(
      devices.length ? h("ul.lines", devices.map((one) => line(of, one, say, again))) : h("p.card__line.muted", t("devices.none")), say,
      of.may ? h("div.card__foot", button(t("devices.give"), () => give(of, again))) : h("p.card__line.muted", t("card.doctors")));
  });
}

const slotName = (slot) => (slot === null ? t("devices.slot.every") : t("devices.slot", { n: slot }));
const kindsOf = (one) => one.kinds.map((kind) => t(`devices.kind.${kind}`)).join(t("list.comma")) || t("devices.kind.unknown");
const isNow = (held) => Date.parse(held.from) <= Date.now() && (!held.to || Date.parse(held.to) > Date.now());

function line(of, one, say, again) {
  const mine = one.holdings.filter((held) => held.patient === of.patient);
  return h("li.device", icon(SIGNS[one.kinds[0]] ?? "chip", "icon device__sign"),
    h("div.device__what", h("b", kindsOf(one)), h("p.muted", one.device), facts(one),
      h("ul.device__held", one.holdings.slice(0, 6).map((held) => holding(of, one, held, say, again))),
      one.waiting.map((rest) => waiting(of, one, rest, again)),
      !one.heard_at && mine.some(isNow) ? h("p.warned", icon("warn"), t("devices.never")) : "",
      of.may ? button(t("devices.correct"), () => correct(of, one, again), ".btn--quiet") : ""));
}

function facts(one) {
  const gone = one.heard_at ? (Date.now() - Date.parse(one.heard_at)) / 1000 : null;
  const sent = one.is_all_sent === true ? t("devices.sent") : one.is_all_sent === false ? t("devices.missing", { n: one.missing }) : t("devices.sent.unknown");
  const said = [
    ["devices.battery", one.battery_percent === null ? t("devices.unknown") : `${one.battery_percent} %`, one.battery_percent !== null && one.battery_percent <= LOW_PERCENT],
    ["devices.heard", gone === null ? t("devices.not_yet") : t("devices.ago", { for: age(gone) }), gone !== null && gone > OLD_S],
    ["devices.firmware", one.firmware ?? t("devices.unknown"), false],
    ["devices.clock", one.clock_offset_s === null ? t("devices.unknown") : `${one.clock_offset_s > 0 ? "+" : ""}${Math.round(one.clock_offset_s)} ${t("unit.s")}`, Math.abs(one.clock_offset_s ?? 0) > 60],
    ["devices.data", sent, one.is_all_sent === false],
  ];
  return h("dl.device__facts", said.map(([name, value, isOff]) => h("div", h("dt", t(name)), h(isOff ? "dd.off" : "dd", isOff ? icon("warn") : "", value))));
}

/** Who holds a slot from when until when; what is this patient's and holds now can be ended. */
function holding(of, one, held, say, again) {
  const whose = held.patient === of.patient ? t("devices.this") : held.patient;
  const end = async () => {
    if (await told(say, () => ask("POST", "/assignments", { device: one.device, slot: held.slot, patient: null }))) await again();
  };
  return h("li", h("span.num", h("b", `${slotName(held.slot)}${t("colon")}`), h("span", whose), ", ", held.to ? t("pauses.span", { from: when(held.from), to: when(held.to) }) : t("devices.since", { from: when(held.from) })),
    of.may && held.patient === of.patient && isNow(held) ? button(t("devices.end"), end, ".btn--quiet") : "");
}

/** Readings that are archived under nobody: one click makes them this patient's, from the first of them on. */
function waiting(of, one, rest, again) {
  const say = h("div");
  const assign = () => give409(say, { device: one.device, slot: rest.slot, patient: of.patient, from: rest.from }, again);
  return h("div.waits", h("p", icon("warn"), t("devices.waiting", { n: rest.count, slot: slotName(rest.slot), from: when(rest.from), to: when(rest.to) })),
    of.may ? button(t("devices.theirs"), assign) : "", say);
}

/** Assign; where somebody else holds the slot in that time, say who, and let the person choose. True: it was done. */
async function give409(say, said, done) {
  try {
    await ask("POST", "/assignments", said);
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
    const holder = error.status === 409 ? error.problem.held_by : null;
    if (!holder) { say.replaceChildren(refused(error)); return false; }
    const wrong = () => give409(say, { ...said, correct: true }, done);
    const first = async () => { if (await told(say, () => ask("POST", "/assignments", { device: said.device, slot: said.slot, patient: null, from: said.from }))) await give409(say, said, done); };
    say.replaceChildren(h("div.held", { role: "alert" }, h("p", icon("warn"), h("span", t("devices.held", { who: holder }))),
      h("div.actions", button(t("devices.held.end"), first), button(t("devices.held.wrong"), wrong), button(t("devices.held.leave"), () => say.replaceChildren(), ".btn--quiet"))));
    say.querySelector("button").focus();
    return false;
  }
  await done();
  return true;
}

/** Give this patient a device: one that nobody holds, or one by its serial number. */
async function give(of, again) {
  const say = h("div");
  const { devices } = await ask("GET", "/devices?free=true");
  const device = h("input", { list: "free-devices", required: true, autocomplete: "off", maxlength: 128 });
  const slot = h("input", { inputmode: "numeric", pattern: "[0-9]*" });
  const from = h("input", { type: "datetime-local", value: local(Date.now()) });
  const send = async () => {
    const chosen = device.value.trim();
    if (!chosen) { device.focus(); return; }
    await give409(say, { device: chosen, slot: slot.value.trim() ? Number(slot.value) : null, patient: of.patient, from: new Date(from.value).toISOString() }, async () => { dialog.close(); await again(); });
  };
  const dialog = open(h("h2", { id: "dialog-title" }, t("devices.give")), h("p", t("devices.give.why")),
    h("datalist", { id: "free-devices" }, devices.map((one) => h("option", { value: one.device }, kindsOf(one)))),
    field("device-serial", t("devices.serial"), device, devices.length ? t("devices.free", { n: devices.length }) : t("devices.free.none")),
    field("device-slot", t("devices.slot.field"), slot, t("devices.slot.hint")), field("device-from", t("devices.from"), from), say,
    h("div.actions", button(t("close.back"), () => dialog.close(), ".btn--quiet"), button(t("devices.give.go"), send, ".btn--primary")));
}

/** What was said before of a slot was wrong: from when (until when) it was this patient's. What was told is judged again. */
function correct(of, one, again) {
  const say = h("div");
  const slots = [...new Set([null, ...one.holdings.map((held) => held.slot), ...one.waiting.map((rest) => rest.slot)])];
  const slot = h("select", slots.map((n) => h("option", { value: n ?? "" }, slotName(n))));
  const from = h("input", { type: "datetime-local", value: local(one.waiting[0]?.from ?? Date.now()), required: true });
  const to = h("input", { type: "datetime-local" });
  const send = async () => {
    const said = { device: one.device, slot: slot.value === "" ? null : Number(slot.value), patient: of.patient, from: new Date(from.value).toISOString(), to: to.value ? new Date(to.value).toISOString() : null, correct: true };
    if (await told(say, () => ask("POST", "/assignments", said))) { dialog.close(); await again(); }
  };
  const dialog = open(h("h2", { id: "dialog-title" }, t("devices.correct")), h("p", t("devices.correct.why")),
    field("correct-slot", t("devices.slot.which"), slot), field("correct-from", t("devices.from"), from), field("correct-to", t("devices.to"), to, t("devices.to.hint")), say,
    h("div.actions", button(t("close.back"), () => dialog.close(), ".btn--quiet"), button(t("devices.correct.go"), send, ".btn--primary")));
}
