/** The beats of an alert's strip as the server measured them: marks, runs of wide beats, intervals, a table; the first three pure. */

import { clock, h, has, icon, t } from "./page.js";

const WIDE_RUN = 3; // so many wide beats in a row are a run
const FAST_BPM = 100; // a run at least so fast is drawn as tachycardia, a slower one as a wide rhythm
const TORN_S = 2.5; // beats further apart are not in a row

/** [seconds, class] for the rail above the paper. */
export const marks = (found) => (found?.beats ?? []).map((one) => [one.at_s, one.class]);

/** Runs of at least three wide beats: [{from, to, beats, bpm}], seconds of the strip, in order. */
export function runs(found) {
  const all = marks(found);
  const told = [];
  let run = [];
  const end = () => {
    if (run.length >= WIDE_RUN) told.push({ from: run[0], to: run.at(-1), beats: run.length, bpm: Math.round((60 * (run.length - 1)) / (run.at(-1) - run[0])) });
    run = [];
  };
  for (const [at, kind] of all) {
    if (kind !== "V" || (run.length && at - run.at(-1) > TORN_S)) end();
    if (kind === "V") run.push(at);
  }
  end();
  return told;
}

/** What is shaded for them on the strip: [from, to, kind, words]; none where the alert's own span `[from, to]` lies. */
export function shaded(found, [from, to]) {
  return runs(found).filter((run) => run.to < from || run.from > to).map((run) => {
    const many = t("strip.run", { n: run.beats });
    const rate = `${run.bpm} ${t("unit.bpm")}`;
    const words = run.bpm >= FAST_BPM ? [`${many} · ${rate}`, many] : [`${t("strip.wide")}, ${rate}`, t("strip.wide")];
    return [run.from, run.to, run.bpm >= FAST_BPM ? "VT" : "WIDE", words];
  });
}

const MEASURES = ["pr", "qrs", "qtc", "rr"];

/**
 * PR, QRS, QTc and RR as [label, value, on how many beats it rests] for the line of facts, and what could not be
 * measured, by the reason that they share: [labels, reason].
 */
export function measured(found) {
  if (!found?.beats) return { values: [], cannot: [] };
  const values = MEASURES.filter((name) => Number.isFinite(found[`${name}_ms`]?.value)).map((name) => {
    const { value, low, high, beats } = found[`${name}_ms`];
    const quality = [Number.isFinite(low) ? `${Math.round(low)}–${Math.round(high)}` : "", beats ? t("measure.beats", { n: beats }) : ""].filter(Boolean).join(", ");
    return [t(`measure.${name}`), `${Math.round(value)} ms`, quality];
  });
  const reasons = new Map();
  for (const name of MEASURES) {
    const why = found.cannot?.[name];
    if (why) reasons.set(why, [...(reasons.get(why) ?? []), t(`measure.${name}`)]);
  }
  return { values, cannot: [...reasons].map(([why, names]) => [names.join(t("list.comma")), has(`measure.why.${why}`) ? t(`measure.why.${why}`) : why]) };
}

/** Everything that is drawn, in words and numbers, for whoever does not see the drawing. */
export function asList(found, start) {
  const beats = found.beats;
  const at = (s) => clock(start + s * 1000);
  const told = runs(found);
  const row = (one, i) => h("tr", h("td.num", `${at(one.at_s)}.${Math.floor((((start / 1000) % 1) + one.at_s) * 10) % 10}`), h("td", has(`beat.${one.class}`) ? t(`beat.${one.class}`) : one.class),
    h("td.num", i ? `${Math.round((one.at_s - beats[i - 1].at_s) * 1000)} ms` : "–"));
  return h("details.beats", h("summary", icon("next"), t("beats.title", { n: beats.length })),
    h("p", told.length ? told.map((run) => `${t("beats.run", { n: run.beats, from: at(run.from), to: at(run.to), bpm: run.bpm })} `) : t("beats.norun")),
    h("div.beats__table", { tabindex: "0", role: "region", "aria-label": t("beats.table") },
      h("table", h("thead", h("tr", ["at", "class", "since"].map((name) => h("th", { scope: "col" }, t(`beats.${name}`))))), h("tbody", beats.map(row)))));
}
