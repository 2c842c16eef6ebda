/** Limits as they are written and read: their unit, the text of a field, what of a wish is unusual. Pure. */

import { t } from "./page.js";

export const GROUPS = ["heart", "glucose", "pressure", "other"];

/** [what one of the unit is in the limit's own, the unit's name] */
function unit(row) {
  if (row.name.endsWith("_bpm")) return [1, t("unit.bpm")];
  if (row.name.endsWith("_mmhg")) return [1, "mmHg"];
  if (row.name.endsWith("_mg_dl")) return [1, "mg/dL"];
  if (row.name.endsWith("_percent")) return [1, "%"];
  if (row.default >= 7200) return [3600, t("unit.h")];
  return row.default >= 300 ? [60, t("unit.min")] : [1, t("unit.s")];
}

export const unitOf = (row) => unit(row)[1];
/** A value as its field shows it. */
export const shown = (row, value) => String(Math.round((value / unit(row)[0]) * 100) / 100);
export const withUnit = (row, value) => `${shown(row, value)} ${unitOf(row)}`;
export const between = (row, low, high) => `${shown(row, low)}–${shown(row, high)}`;

/** The value of what was typed, in the limit's own unit; NaN where it is no number. */
export const typed = (row, text) => (text.trim() === "" ? Number.NaN : Number(text.trim().replace(",", ".")) * unit(row)[0]);

export const isForbidden = (row, value) => !Number.isFinite(value) || value < row.lowest || value > row.highest;
export const isUnadvised = (row, value) => !isForbidden(row, value) && (value < row.advised_from || value > row.advised_to);

export const limitName = (name) => t(`limit.${name}`);
