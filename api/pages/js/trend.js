/**
 * A trend as SVG: a line with its extremes (or a bar per blood pressure reading), bands, limits, gaps left open.
 * Styled by class, so a change of theme needs no redraw and the strict policy is enough.
 */

import { t } from "./page.js";

const NS = "http://www.w3.org/2000/svg";
const PAD = { left: 34, right: 46, top: 16, bottom: 20 };

/**
 * @param {HTMLElement} host    emptied and filled
 * @param {object} chart        {points: [{at, mean, low, high}] or [{at, systolic, diastolic}], from, to (milliseconds),
 *                               y: [low, high], ticks, bands: [{from, to, kind}], limits: [{at, text, em}], spans: [{from, to, word, short}],
 *                               gaps: [{from, to}], over: [systolic, diastolic], lowest: {at, value, text}, clock, title}
 */
export function trend(host, chart) {
  const width = Math.max(host.clientWidth, 240);
  const height = chart.height;
  const svg = add(null, "svg", { class: "trend", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": chart.title });
  const scale = {
    x: (at) => PAD.left + ((at - chart.from) / (chart.to - chart.from)) * (width - PAD.left - PAD.right),
    y: (v) => PAD.top + (1 - (Math.min(Math.max(v, chart.y[0]), chart.y[1]) - chart.y[0]) / (chart.y[1] - chart.y[0])) * (height - PAD.top - PAD.bottom),
    left: PAD.left, right: width - PAD.right, bottom: height - PAD.bottom,
  };
  bands(svg, chart, scale);
  spans(svg, chart, scale);
  axes(svg, chart, scale);
  gaps(svg, chart, scale);
  limits(svg, chart, scale);
  if (chart.over) pressures(svg, chart, scale);
  else line(svg, chart, scale);
  host.replaceChildren(svg);
}

function bands(svg, { bands: list = [], y }, s) {
  for (const { from, to, kind } of list) {
    const top = s.y(Math.min(to, y[1]));
    add(svg, "rect", { class: `t-${kind}`, x: s.left, width: s.right - s.left, y: top, height: Math.max(s.y(Math.max(from, y[0])) - top, 0) });
  }
}

function spans(svg, { spans: list = [], from, to }, s) {
  let free = -Infinity; // words never lie on each other
  for (const span of list) {
    const x = s.x(Math.max(span.from, from));
    const width = Math.max(s.x(Math.min(span.to, to)) - x, 2);
    add(svg, "rect", { class: "t-af", x, width, y: PAD.top, height: s.bottom - PAD.top });
    add(svg, "rect", { class: "t-af-bar", x, width, y: PAD.top - 3, height: 3 });
    const room = s.right - x;
    if (x < free || room < 30) continue;
    const text = span.word.length * 6 > room ? span.short : span.word;
    add(svg, "text", { class: "t-af-text", x: x + 2, y: PAD.top + 11 }, text);
    free = x + text.length * 7 + 8;
  }
}

/** Ticks at round hours, days for a week or more; every eight hours on a phone. */
function axes(svg, { ticks, clock, from, to }, s) {
  for (const tick of ticks) {
    add(svg, "line", { class: "t-axis", x1: s.left, x2: s.right, y1: s.y(tick.at), y2: s.y(tick.at) });
    add(svg, "text", { x: s.left - 6, y: s.y(tick.at) + 4, "text-anchor": "end" }, tick.text);
  }
  const hours = (to - from) / 3_600_000;
  const narrow = s.right - s.left < 420;
  const step = 3_600_000 * (hours <= 6 ? (narrow ? 2 : 1) : hours <= 24 ? (narrow ? 8 : 4) : hours <= 168 ? (narrow ? 48 : 24) : (narrow ? 240 : 120));
  for (let at = from; at < to - step / 3; at += step) {
    add(svg, "line", { class: "t-axis", x1: s.x(at), x2: s.x(at), y1: s.bottom, y2: s.bottom + 4 });
    add(svg, "text", { x: s.x(at), y: s.bottom + 16, "text-anchor": at === from ? "start" : "middle" }, clock(at));
  }
  add(svg, "text", { x: s.right, y: s.bottom + 16, "text-anchor": "end" }, t("trend.now"));
}

function gaps(svg, { gaps: list = [], from, to }, s) {
  for (const gap of list) {
    const x = s.x(Math.max(gap.from, from));
    const width = s.x(Math.min(gap.to, to)) - x;
    add(svg, "rect", { class: "t-gap", x, width, y: PAD.top, height: s.bottom - PAD.top });
    if (width > 52) add(svg, "text", { class: "t-gap-text", x: x + width / 2, y: (PAD.top + s.bottom) / 2 + 4, "text-anchor": "middle" }, t("trend.gap"));
  }
}

function limits(svg, { limits: list = [] }, s) {
  for (const { at, text, em } of list) {
    add(svg, "line", { class: `t-limit ${em ? "t-limit--em" : ""}`, x1: s.left, x2: s.right, y1: s.y(at), y2: s.y(at) });
    add(svg, "text", { class: `t-limit-text ${em ? "t-limit-text--em" : ""}`, x: s.right + 5, y: s.y(at) + 4 }, text);
  }
}

/** The mean as a line, open at each gap; behind it what lay between the lowest and the highest of each piece. */
function line(svg, { points, gaps: list, lowest }, s) {
  let path = "";
  let range = "";
  let before = null;
  for (const p of points) {
    const isOpen = before === null || list.some((gap) => gap.from < p.at && gap.to > before.at);
    path += `${isOpen ? "M" : "L"}${s.x(p.at).toFixed(1)} ${s.y(p.mean).toFixed(1)}`;
    if (p.high > p.low) range += `M${s.x(p.at).toFixed(1)} ${s.y(p.low).toFixed(1)}V${s.y(p.high).toFixed(1)}`;
    before = p;
  }
  if (range) add(svg, "path", { class: "t-range", d: range });
  add(svg, "path", { class: "t-line", d: path });
  if (lowest) {
    const [x, y] = [s.x(lowest.at), s.y(lowest.value)];
    const edge = s.right - x < 24; // at the right edge the limits are written: go left of the dot
    add(svg, "circle", { class: "t-dot t-dot--low", cx: x, cy: y, r: 4 });
    add(svg, "text", { class: "t-limit-text--em", x: x + (edge ? -8 : 7), y: y + (edge ? 5 : 13), "text-anchor": edge ? "end" : "start" }, lowest.text);
  }
  if (before) add(svg, "circle", { class: "t-dot t-dot--last", cx: s.x(before.at), cy: s.y(before.mean), r: 4 });
}

/** One upright bar from diastolic to systolic per reading: amber-brown where it is over target. */
function pressures(svg, { points, over }, s) {
  for (const p of points) {
    const out = p.systolic >= over[0] || p.diastolic >= over[1] ? " t-bar--out" : "";
    add(svg, "line", { class: `t-bar${out}`, x1: s.x(p.at), x2: s.x(p.at), y1: s.y(p.systolic), y2: s.y(p.diastolic) });
  }
}

function add(parent, name, attributes, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}
