/**
 * Plan and limits: what may alarm. Beyond the bounds the server refuses; beyond advice it is said in amber and a reason
 * is asked for; before it is saved it can be tried on what is archived. A lost update shows both.
 */

import { button, card, day, refused } from "./card.js";
import { ask, h, icon, Refused, t } from "./page.js";
import { between, GROUPS, isForbidden, isUnadvised, limitName, shown, typed, unitOf, withUnit } from "./plan-limits.js";
import { ladders, team, times, versions } from "./plan-more.js";
import { tried } from "./plan-tried.js";

const TIER = { emergency: "em", doctor: "dr", tip: "tip" };
const AGREED = ["guideline", "tiers", "ladders", "team", "quiet", "pauses", "schedules", "pressure_times"];

export function planCard(of) {
  const said = h("p.sr", { role: "status" });
  let saved = "";
  const node = card("plan", t("plan.title"), async ({ body, aside, again }) => {
    const desk = await read(of);
    const view = new Desk(of, desk, async (words) => { saved = words; await again(); });
    aside.replaceChildren(head(desk));
    body.replaceChildren(...view.parts());
    said.textContent = saved;
    saved = "";
  });
  node.append(said);
  return node;
}

async function read(of) {
  const [plan, table, past, proof] = await Promise.all([
    ask("GET", of.plans), ask("GET", `${of.plans}/limits`), ask("GET", `${of.plans}/versions`), ask("GET", `${of.plans}/reachability`)]);
  return { plan, rows: table.limits, newest: past.versions[0] ?? null, proof };
}

function head({ plan, newest }) {
  return h("span.muted.num", newest ? `${t("plan.version", { n: plan.version })} · ${newest.by_name ?? newest.by_whom} · ${day(newest.at)}` : t("plan.version.none"));
}

/** Whether every tier reaches somebody at every hour, by the proof of now. */
function proved({ problems, warnings }) {
  if (!problems.length) {
    return [h("p.plan__proof", icon("check"), h("span", t("plan.proved"))), warnings.length ? h("details", h("summary", t("plan.warnings", { n: warnings.length })), h("ul.plan__problems", { lang: "en" }, warnings.map((one) => h("li", one)))) : ""];
  }
  return [h("p.plan__proof.plan__proof--bad", icon("warn"), h("span", t("plan.unproved", { n: problems.length }))),
    h("details", h("summary", t("plan.problems")), h("ul.plan__problems", { lang: "en" }, problems.map((one) => h("li", one))))];
}

/** The table and what is being changed in it. */
class Desk {
  constructor(of, desk, saved) {
    Object.assign(this, { of, ...desk, saved, wishes: new Map(), trial: null, all: false, outcome: null });
    this.table = h("div.scrolls", { tabindex: 0, role: "region", "aria-label": t("plan.table") });
    this.guard = h("div.guard__all", { role: "status" });
    this.reason = h("textarea", { id: "plan-reason", rows: 2, maxlength: 500 });
    this.why = h("div.field.plan__why", { hidden: true }, h("label", { for: "plan-reason" }, t("plan.reason")), this.reason);
    this.say = h("div");
    this.result = h("div", { role: "status" });
    this.foot = h("div.card__foot");
    this.more = button("", () => { this.all = !this.all; this.draw(); }, ".btn--quiet");
    this.draw();
    this.weigh();
  }

  parts() {
    const change = (agreed) => this.put(agreed);
    return [...proved(this.proof), this.table, h("div.card__foot.plan__more", this.more), this.guard, this.why, this.say, this.result, this.foot,
      this.of.may ? "" : h("p.card__line.muted", t("card.doctors")), team(this.plan, this.of.may, change), times(this.plan, this.of.may, change), ladders(this.plan), versions(this.of)].filter(Boolean);
  }

  draw() {
    const groups = GROUPS.map((group) => [group, this.rows.filter((row) => row.group === group && (this.all || row.is_common || this.wishes.has(row.name)))]).filter(([, rows]) => rows.length);
    this.table.replaceChildren(h("table", h("thead", h("tr", ["limit", "tier", "value", "allowed"].map((name) => h("th", { scope: "col" }, t(`plan.${name}`))))),
      groups.map(([group, rows]) => h("tbody", h("tr.plan__group", h("th", { scope: "rowgroup", colspan: 4 }, t(`plan.group.${group}`))), rows.map((row) => this.row(row))))));
    this.more.textContent = this.all ? t("plan.fewer") : t("plan.all", { n: this.rows.length });
    this.more.setAttribute("aria-expanded", String(this.all));
  }

  row(row) {
    const wish = this.wishes.get(row.name);
    const input = h("input", { id: `limit-${row.name}`, value: wish ?? shown(row, row.value), inputmode: "decimal", autocomplete: "off", "aria-label": `${limitName(row.name)}, ${unitOf(row)}`, "aria-describedby": `say-${row.name}`, oninput: (event) => this.wish(row, event.target.value) });
    const tier = row.is_technical ? "tech" : TIER[row.tier];
    const line = h("tr", { "data-limit": row.name }, h("th", { scope: "row" }, limitName(row.name), h("small", t(`limit.${row.name}.how`)), h("p.plan__say", { id: `say-${row.name}` })),
      h("td", tier ? h(`span.tier.tier--${tier}`, icon(tier), t(`tier.${tier}`)) : h("span.muted", "–")),
      h("td.num", this.of.may ? input : h("b", shown(row, row.value)), h("small", ` ${unitOf(row)}`)), h("td.num", between(row, row.lowest, row.highest)));
    this.mark(row, line);
    return line;
  }

  wish(row, text) {
    const value = typed(row, text);
    if (value === row.value) this.wishes.delete(row.name);
    else this.wishes.set(row.name, text);
    this.trial = null;
    this.outcome = null;
    this.result.replaceChildren();
    this.say.replaceChildren();
    this.mark(row, this.table.querySelector(`[data-limit="${row.name}"]`));
    this.weigh();
  }

  /** What of a field is unusual: forbidden in words beside it, beyond advice in amber. */
  mark(row, line) {
    const wish = this.wishes.get(row.name);
    const value = wish === undefined ? row.value : typed(row, wish);
    const forbidden = wish !== undefined && isForbidden(row, value);
    const refusal = this.outcome?.limit === row.name ? h("span", { lang: "en" }, this.outcome.said) : forbidden ? t("plan.forbidden", { low: withUnit(row, row.lowest), high: withUnit(row, row.highest) }) : "";
    line.classList.toggle("changed", wish !== undefined);
    line.classList.toggle("beyond", isUnadvised(row, value));
    line.querySelector(".plan__say").replaceChildren(refusal);
    line.querySelector("input")?.setAttribute("aria-invalid", String(Boolean(refusal)));
  }

  changed() {
    return this.rows.filter((row) => this.wishes.has(row.name)).map((row) => [row, typed(row, this.wishes.get(row.name))]);
  }

  /** The plan's own limits with the wishes laid over them; one that is the default again needs none. */
  limits() {
    const own = { ...this.plan.limits };
    for (const [row, value] of this.changed()) {
      if (value === row.default && !this.plan.guideline) delete own[row.name];
      else own[row.name] = value;
    }
    return own;
  }

  /** What the changes mean, and what can be done with them. */
  weigh() {
    const changes = this.changed();
    const beyond = changes.filter(([row, value]) => isUnadvised(row, value));
    this.guard.replaceChildren(...beyond.map(([row, value]) => h("p.guard", icon("warn"), h("span", h("b", t(value < row.advised_from ? "plan.below" : "plan.above", { name: limitName(row.name), value: withUnit(row, value), advised: withUnit(row, value < row.advised_from ? row.advised_from : row.advised_to) })),
      ` ${t("plan.default_is", { value: withUnit(row, row.default), low: withUnit(row, row.lowest), high: withUnit(row, row.highest) })} `, h("span.muted", { lang: "en" }, row.source)))));
    this.why.hidden = !beyond.length;
    const none = !changes.length;
    const isTried = this.trial !== null;
    const off = none ? { "aria-disabled": "true" } : {};
    this.foot.replaceChildren(...(this.of.may ? [
      button(t("plan.try"), () => none || this.try(), isTried ? "" : ".btn--primary", off),
      button(t("plan.save", { n: this.plan.version + 1 }), () => none || this.save(), isTried ? ".btn--primary" : "", off),
      none ? "" : button(t("plan.discard"), () => this.discard(), ".btn--quiet"),
    ].filter(Boolean) : []));
  }

  discard() {
    this.wishes.clear();
    this.trial = this.outcome = null;
    this.result.replaceChildren();
    this.say.replaceChildren();
    this.draw();
    this.weigh();
  }

  async try() {
    this.result.replaceChildren(h("p.card__line.muted", t("tried.running")));
    await this.guarded(async () => {
      this.trial = await ask("POST", `${this.of.plans}/try`, { limits: this.limits() });
      this.result.replaceChildren(tried(this.trial));
      this.weigh();
    });
    if (!this.trial) this.result.replaceChildren();
  }

  async save() {
    if (!this.why.hidden && !this.reason.value.trim()) {
      this.say.replaceChildren(h("p.refused", { role: "alert" }, icon("warn"), t("plan.reason.missing")));
      this.reason.focus();
      return;
    }
    await this.guarded(async () => {
      const made = await this.put({ limits: this.limits(), reason: this.reason.value.trim() }, false);
      await this.saved(t("plan.saved", { n: made.version }));
    });
  }

  /** The next version with something agreed otherwise. */
  async put(agreed, reads = true) {
    const kept = Object.fromEntries(AGREED.map((name) => [name, this.plan[name]]));
    const made = await ask("PUT", this.of.plans, { ...kept, limits: this.plan.limits, ...agreed }, { "if-match": `"${this.plan.version}"` });
    if (reads) await this.saved(t("plan.saved", { n: made.version }));
    return made;
  }

  async guarded(work) {
    this.say.replaceChildren();
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
      if (error.status === 412) { await this.conflict(); return; }
      const limit = error.problem?.limit;
      this.outcome = limit ? { limit, said: error.message } : null;
      if (!limit) { this.say.replaceChildren(refused(error)); return; }
      const row = this.rows.find((one) => one.name === limit);
      this.mark(row, this.table.querySelector(`[data-limit="${limit}"]`));
      this.table.querySelector(`#limit-${limit}`).focus();
    }
  }

  /** Somebody else saved meanwhile: theirs beside ours, and nothing is lost before a person has chosen. */
  async conflict() {
    const ours = this.changed();
    const before = this.plan.version;
    Object.assign(this, await read(this.of));
    const rows = this.rows.map((row) => [row, ours.find(([mine]) => mine.name === row.name)]).filter(([row, mine]) => mine || row.value !== undefined && this.newest?.changes.some((one) => one.what === `limits.${row.name}`));
    const keep = () => this.saved(t("plan.conflict.kept"));
    const mine = () => { this.say.replaceChildren(); this.draw(); this.weigh(); this.save(); };
    this.say.replaceChildren(h("div.held", { role: "alert" }, h("p", icon("warn"), h("span", t("plan.conflict", { who: this.newest?.by_name ?? this.newest?.by_whom ?? "", n: this.plan.version, seen: before }))),
      h("table", h("thead", h("tr", ["limit", "theirs", "mine"].map((name) => h("th", { scope: "col" }, t(`plan.${name}`))))),
        h("tbody", rows.map(([row, own]) => h("tr", h("th", { scope: "row" }, limitName(row.name)), h("td.num", withUnit(row, row.value)), h("td.num", own ? withUnit(row, own[1]) : "–"))))),
      h("div.actions", button(t("plan.conflict.theirs"), keep), button(t("plan.conflict.mine"), mine))));
    this.say.querySelector("button").focus();
  }
}
