/** The card of the trends: heart rate, glucose, pressure over 6 hours to 30 days, each with its finding in words. */

import { age, ask, h, lang, Refused, said, shortClock, t } from "./page.js";
import { trend } from "./trend.js";

const RANGES = [6, 24, 168, 720];
const KINDS = ["heart_rate", "glucose", "blood_pressure"];
const UNIT = "tierwatch.glucose_unit";
const MMOL = 18.016; // mg/dL in a mmol/L
const DAY = new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", { day: "numeric", month: "short" });

let patient = "";
let hours = 24;
let unit = localStorage.getItem(UNIT) ?? "mg/dL";
const told = {}; // by kind; undefined: not read yet, null: could not be
const figures = {};
const title = h("h2", { id: "trends-title" });
const ranges = h("div.seg", { role: "group", "aria-label": t("trend.range") }, RANGES.map((n) => h("button", { type: "button", "data-hours": n, onclick: () => { hours = n; read(); } }, t(`trend.range.${n}`))));
const units = h("div.seg", { role: "group", "aria-label": t("trend.unit") }, ["mg/dL", "mmol/L"].map((name) => h("button", { type: "button", "data-unit": name, onclick: () => { unit = name; localStorage.setItem(UNIT, unit); draw(); } }, name)));

export function trends(host, whom) {
  patient = whom;
  for (const kind of KINDS) figures[kind] = { note: h("p"), unit: h("small"), chart: h("div.trend__chart"), under: h("div.tir") };
  host.append(h("section.card.trends", { "aria-labelledby": "trends-title" }, h("header", title, ranges),
    KINDS.map((kind) => h("figure", { id: `trend-${kind}` }, h("figcaption", h("h3", `${t(`trend.${kind}`)} `, figures[kind].unit), figures[kind].note, kind === "glucose" ? units : ""), figures[kind].chart, figures[kind].under))));
  new ResizeObserver(draw).observe(figures.heart_rate.chart);
  setInterval(read, 60_000);
  read();
}

async function read() {
  draw();
  const asked = hours;
  await Promise.all(KINDS.map(async (kind) => {
    try {
      const found = await ask("GET", `/patients/${encodeURIComponent(patient)}/trends?kind=${kind}&hours=${asked}`);
      if (asked === hours) told[kind] = prepared(found);
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
      if (asked === hours) told[kind] = null;
    }
  }));
  draw();
}

const prepared = (found) => ({ ...found, hours,
  from: Date.parse(found.from), to: Date.parse(found.to),
  points: found.points.map((p) => ({ ...p, at: Date.parse(p.at) })),
  gaps: found.gaps.map((gap) => ({ from: Date.parse(gap.from), to: Date.parse(gap.to) })),
  spans: (found.spans ?? []).map((span) => ({ ...span, from: Date.parse(span.from), to: span.to && !span.present ? Date.parse(span.to) : Date.parse(found.to), word: said(span.what), short: span.condition === "af" ? t("trend.af") : said(span.what) })),
});

function draw() {
  title.textContent = t(`trend.title.${hours}`);
  for (const button of ranges.children) button.setAttribute("aria-pressed", String(Number(button.dataset.hours) === hours));
  for (const button of units.children) button.setAttribute("aria-pressed", String(button.dataset.unit === unit));
  for (const kind of KINDS) {
    const found = told[kind];
    const figure = figures[kind];
    figure.unit.textContent = { heart_rate: t("unit.bpm"), glucose: unit, blood_pressure: "mmHg" }[kind];
    if (!found || !found.points.length || found.hours !== hours) {
      const words = found === null ? t("trend.unread") : found?.hours === hours ? t("trend.none") : t("trend.loading");
      figure.chart.replaceChildren(h("p.muted", words));
      figure.note.replaceChildren();
      figure.under.replaceChildren();
      continue;
    }
    const join = kind === "heart_rate" ? `${t("stop")} ` : t("list.comma");
    const [first, rest, chart] = { heart_rate: rates, glucose, blood_pressure: pressures }[kind](found);
    figure.note.replaceChildren(h("b", first), rest ? `${join}${rest}` : "");
    trend(figure.chart, { ...chart, points: found.points, gaps: found.gaps, spans: found.spans, from: found.from, to: found.to, clock: tick, height: kind === "glucose" ? 170 : 150,
      title: t("trend.says", { what: t(`trend.${kind}`), range: t(`trend.title.${hours}`), finding: `${first}${rest ? `${join}${rest}` : ""}` }) });
  }
}

const tick = (at) => (hours > 24 ? DAY.format(at) : shortClock(at));
const moment = (at) => (hours > 24 ? `${DAY.format(new Date(at))} ${shortClock(at)}` : shortClock(at));
const whole = (n) => String(Math.round(n));

/** From low to high in steps that hold everything: nothing is cut off. */
function held(low, high, values, step) {
  return [Math.min(low, Math.floor(Math.min(...values) / step) * step), Math.max(high, Math.ceil(Math.max(...values) / step) * step)];
}

function rates(found) {
  const values = found.points.flatMap((p) => [p.low, p.high]);
  const last = found.spans.at(-1);
  const range = t("trend.rate.of", { low: whole(Math.min(...values)), high: whole(Math.max(...values)) });
  const device = found.counted_by === "device" ? `${t("list.comma")}${t("trend.rate.device")}` : "";
  const words = last && t(last.present ? "trend.rate.since" : "trend.rate.was", { what: last.word, at: moment(last.from), for: age((last.to - last.from) / 1000) });
  const chart = { y: held(30, 150, values, 20), ticks: [40, 80, 120].map((n) => ({ at: n, text: n })),
    limits: [found.limits.tachy_bpm, found.limits.brady_bpm].map((n) => ({ at: n, text: whole(n) })) };
  return words ? [words, `${range}${device}`, chart] : [`${range}${device}`, "", chart];
}

const inUnit = (mg) => (unit === "mg/dL" ? whole(mg) : (mg / MMOL).toFixed(1));

function glucose(found) {
  const { glucose_very_low_mg_dl: veryLow, glucose_low_mg_dl: low, glucose_very_high_mg_dl: veryHigh } = found.limits;
  const y = held(20, 290, [found.lowest.value, found.highest.value], 20);
  const part = (name, value, a, b) => ({ name, value, words: t(`trend.part.${name}`, { n: inUnit(a), a: inUnit(a), b: inUnit(b ?? a) }) });
  const m = found.in_range;
  const step = unit === "mg/dL" ? 1 : MMOL / 10; // the next number that can be written
  timeInRange([part("very_low", m.tbr54_pct, 54), part("low", m.tbr70_pct - m.tbr54_pct, 54, 70 - step), part("in", m.tir_pct, 70, 180),
    part("high", m.tar180_pct - m.tar250_pct, 180 + step, 250), part("very_high", m.tar250_pct, 250)], found.sensor_on_pct);
  const minutes = Math.round(found.below_70_s / 60);
  const isLow = found.lowest.value < 70;
  return [t("trend.lowest", { n: inUnit(found.lowest.value), at: moment(found.lowest.at) }), minutes ? t("trend.below", { n: inUnit(70), m: minutes }) : t("trend.notbelow", { n: inUnit(70) }), {
    y, ticks: [70, 180].map((n) => ({ at: n, text: inUnit(n) })),
    bands: [{ from: 70, to: 180, kind: "target" }, { from: y[0], to: 54, kind: "low" }, { from: 250, to: y[1], kind: "high" }],
    limits: [{ at: veryHigh, text: inUnit(veryHigh) }, ...(low === 70 ? [] : [{ at: low, text: inUnit(low) }]), { at: veryLow, text: inUnit(veryLow), em: true }],
    lowest: isLow ? { at: Date.parse(found.lowest.at), value: found.lowest.value, text: inUnit(found.lowest.value) } : null }];
}

function timeInRange(parts, sensorOn) {
  const bar = h("div.tir__bar", { "aria-hidden": "true" }, parts.filter((one) => one.value > 0).map((one) => {
    const node = h(`span.tir__${one.name}`, one.value > 8 ? `${Math.round(one.value)} %` : "");
    node.style.flexGrow = one.value.toFixed(2); // by CSSOM: no style attribute
    return node;
  }));
  const percent = (n) => `${n.toFixed(n < 10 ? 1 : 0)} %`;
  figures.glucose.under.replaceChildren(bar, h("ul", parts.map((one) => h("li", h(`i.tir__${one.name}`), `${one.words} `, h("b", percent(one.value)))), h("li", `${t("trend.sensor")} `, h("b", percent(sensorOn)))));
}

function pressures(found) {
  const over = [found.limits.bp_mean_systolic_mmhg, found.limits.bp_mean_diastolic_mmhg];
  const target = over.map(whole).join("/");
  return [t("trend.mean", { n: `${whole(found.mean.systolic)}/${whole(found.mean.diastolic)}` }), [t("trend.target", { n: target }), t("trend.readings", { n: found.readings })].join(t("list.comma")), {
    over, y: held(40, 200, found.points.flatMap((p) => [p.systolic, p.diastolic]), 20), ticks: [60, 180].map((n) => ({ at: n, text: n })),
    limits: over.map((n) => ({ at: n, text: whole(n) })) }];
}
