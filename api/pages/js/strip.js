/**
 * An ECG strip on paper grid, drawn on a canvas: 25 mm/s across, 10 mm/mV up.
 *
 * One millimetre is always a whole number of device pixels, so that every grid line is crisp and no line drifts
 * from the trace. The strip breaks into as many rows as the width asks for; the scale never changes to fit.
 */

const MM_PER_SECOND = 25;
const MM_PER_MV = 10;
const GUTTER_MM = 8; // room for the calibration pulse: 5 mm wide, 10 mm high
const ROW_SECONDS = [30, 15, 10, 7.5, 6, 5, 4, 3, 2.5];
const RAIL_CSS_PX = 18; // beats and rhythm are written above the paper, never over the trace
const MISSING = -32768;

/** Microvolts as Float32Array with NaN where the recording has no sample. */
export function decode(strip) {
  const bytes = Uint8Array.from(atob(strip.i16le), (c) => c.charCodeAt(0));
  const int16 = new Int16Array(bytes.buffer);
  const samples = Float32Array.from(int16, (v) => (v === MISSING ? NaN : v));
  for (const [from, to] of strip.gaps ?? []) samples.fill(NaN, Math.round(from * strip.rate_hz), Math.round(to * strip.rate_hz));
  return samples;
}

/** Whole device pixels per millimetre and seconds per row for a canvas `width` CSS pixels wide. */
export function layout(width, seconds, dpr, { minMm = 2.6, maxMm = 4 } = {}) {
  const least = Math.max(2, Math.round(minMm * dpr));
  const most = Math.round(maxMm * dpr);
  const choices = ROW_SECONDS.filter((s) => s <= seconds);
  for (const rowSeconds of choices) {
    const mm = Math.floor((width * dpr) / (rowSeconds * MM_PER_SECOND + GUTTER_MM));
    if (mm >= least) return { mm: Math.min(mm, most), rowSeconds };
  }
  return { mm: least, rowSeconds: choices.at(-1) };
}

/** Draws `strip` into `canvas` and keeps it drawn when the size or the theme changes. Returns a redraw function. */
export function drawStrip(canvas, strip, options = {}) {
  const samples = decode(strip);
  let width = 0;
  const observers = [
    new ResizeObserver(() => { if (canvas.parentElement?.clientWidth !== width) draw(); }),
    new MutationObserver(() => draw()),
  ];
  const draw = () => {
    if (!canvas.isConnected) { observers.forEach((one) => one.disconnect()); return; } // another alert is shown now
    width = canvas.parentElement.clientWidth;
    paint(canvas, strip, samples, options);
  };
  observers[0].observe(canvas.parentElement);
  observers[1].observe(document.documentElement, { attributeFilter: ["data-theme"] });
  draw();
  return draw;
}

function paint(canvas, strip, samples, { from = 0, to = strip.seconds, clock, say, onset, scale, gapText } = {}) {
  const dpr = window.devicePixelRatio || 1;
  const width = canvas.parentElement.clientWidth;
  const { mm, rowSeconds } = layout(width, to - from, dpr, scale);
  const rows = Math.ceil((to - from) / rowSeconds - 1e-6);
  const [low, high] = range(samples);
  const rail = Math.round(RAIL_CSS_PX * dpr);
  const paperHeight = Math.round((high - low) * MM_PER_MV) * mm;
  const rowHeight = rail + paperHeight + Math.round(5 * dpr);
  const cssColumns = Math.min(width * dpr, (rowSeconds * MM_PER_SECOND + GUTTER_MM) * mm + 1);

  canvas.width = cssColumns;
  canvas.height = rows * rowHeight;
  canvas.style.width = `${canvas.width / dpr}px`;
  canvas.style.height = `${canvas.height / dpr}px`;
  const ctx = canvas.getContext("2d");
  const colour = colours(canvas);
  for (let row = 0; row < rows; row += 1) {
    const start = from + row * rowSeconds;
    const end = Math.min(start + rowSeconds, to);
    const pen = { ctx, colour, dpr, mm, strip, samples, start, end, low, high, top: row * rowHeight + rail, rail, paperHeight, clock, say, onset, gapText };
    pen.x = (t) => (GUTTER_MM + (t - start) * MM_PER_SECOND) * mm;
    pen.y = (uv) => pen.top + (high - Math.min(Math.max(uv / 1000, low), high)) * MM_PER_MV * mm;
    paintRow(pen);
  }
}

function paintRow(pen) {
  paintPaper(pen);
  paintSpans(pen);
  paintCalibration(pen);
  paintGaps(pen);
  paintTrace(pen);
  paintClipped(pen);
  paintBeats(pen);
  paintOnset(pen);
  paintClock(pen);
}

function paintPaper({ ctx, colour, mm, top, paperHeight, x, start, end, dpr }) {
  const right = x(end);
  ctx.fillStyle = colour.paper;
  ctx.fillRect(0, top, right + 1, paperHeight + 1);
  const minor = mm >= 3; // with fewer device pixels the minor grid is a grey veil: leave it out
  for (const [step, style] of [[1, colour.minor], [5, colour.major]]) {
    if (step === 1 && !minor) continue;
    ctx.fillStyle = style;
    const line = Math.max(1, Math.floor(dpr * (step === 5 ? 1 : 0.75)));
    for (let px = (GUTTER_MM % 5) * mm % (step * mm); px <= right; px += step * mm) ctx.fillRect(px, top, line, paperHeight + 1);
    for (let py = top; py <= top + paperHeight; py += step * mm) ctx.fillRect(0, py, right + 1, line);
  }
}

function paintSpans({ ctx, colour, dpr, strip, start, end, x, top, paperHeight }) {
  for (const [from, to, kind, words] of strip.spans) {
    const style = RHYTHM[kind];
    if (!style || to <= start || from >= end) continue;
    const left = x(Math.max(from, start));
    const right = x(Math.min(to, end));
    ctx.fillStyle = colour[style.shade];
    ctx.fillRect(left, top, right - left, paperHeight);
    ctx.fillStyle = colour[style.line];
    const thick = Math.round(3 * dpr);
    if (style.dashed) for (let px = left; px < right; px += 9 * dpr) ctx.fillRect(px, top - thick, Math.min(6 * dpr, right - px), thick);
    else ctx.fillRect(left, top - thick, right - left, thick);
    const inside = Math.max(left, x(start) + 30 * dpr); // right of the row's clock
    ctx.font = `600 ${11 * dpr}px ${FONT}`;
    const text = words.find((one) => ctx.measureText(one).width + 14 * dpr < right - inside); // the longest that has room
    if (text) write(ctx, text, inside + 10 * dpr, top + 13 * dpr, { colour: colour[style.line], dpr, weight: 600 });
  }
}

const RHYTHM = {
  AF: { shade: "shadeAf", line: "af", dashed: true },
  VT: { shade: "shadeVt", line: "vt", dashed: false },
  WIDE: { shade: "shadeWide", line: "beatV", dashed: true },
};

function paintCalibration({ ctx, colour, dpr, mm, y }) {
  ctx.strokeStyle = colour.trace;
  ctx.lineWidth = 1.25 * dpr;
  ctx.beginPath();
  for (const [px, uv] of [[0.5, 0], [1.5, 0], [1.5, 1000], [6.5, 1000], [6.5, 0], [7.5, 0]]) ctx.lineTo(px * mm, y(uv));
  ctx.stroke();
}

function paintGaps({ ctx, colour, dpr, strip, samples, start, end, x, top, paperHeight, gapText }) {
  const step = 6 * dpr;
  for (const [from, to] of gaps(samples, strip.rate_hz)) {
    if (to <= start || from >= end) continue;
    const left = x(Math.max(from, start));
    const right = x(Math.min(to, end));
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, right - left, paperHeight);
    ctx.clip();
    ctx.fillStyle = colour.sunken;
    ctx.fillRect(left, top, right - left, paperHeight);
    ctx.strokeStyle = colour.line;
    ctx.lineWidth = dpr;
    ctx.beginPath();
    for (let px = left - paperHeight; px < right; px += step) { ctx.moveTo(px, top + paperHeight); ctx.lineTo(px + paperHeight, top); }
    ctx.stroke();
    const words = Math.max(left, x(start) + 30 * dpr) + 6 * dpr; // right of the row's clock
    write(ctx, gapText((to - from).toFixed(1)), words, top + 16 * dpr, { colour: colour.ink2, dpr, weight: 600 });
    ctx.restore();
  }
}

function paintTrace({ ctx, colour, dpr, strip, samples, start, end, x, y }) {
  ctx.strokeStyle = colour.trace;
  ctx.lineWidth = 1.25 * dpr;
  ctx.lineJoin = "round";
  ctx.beginPath();
  let down = false;
  const last = Math.min(Math.round(end * strip.rate_hz), samples.length - 1);
  const first = Math.round(start * strip.rate_hz);
  const each = Math.max(1, Math.floor(strip.rate_hz / (2 * (x(1) - x(0))))); // over 2 samples a pixel: lowest and highest
  for (let i = first; i <= last; i += each) {
    const [a, b] = each === 1 ? [samples[i], samples[i]] : extremes(samples, i, Math.min(i + each, last + 1));
    if (Number.isNaN(a)) { down = false; continue; }
    const px = x(i / strip.rate_hz);
    if (down) ctx.lineTo(px, y(a));
    else ctx.moveTo(px, y(a));
    if (b !== a) ctx.lineTo(px, y(b));
    down = true;
  }
  ctx.stroke();
}

/** The two extremes of some samples, in the order in which they come; NaN where one is missing. */
export function extremes(samples, from, to) {
  let low = from;
  let high = from;
  for (let i = from; i < to; i += 1) {
    if (Number.isNaN(samples[i])) return [NaN, NaN];
    if (samples[i] < samples[low]) low = i;
    if (samples[i] > samples[high]) high = i;
  }
  return low < high ? [samples[low], samples[high]] : [samples[high], samples[low]];
}

/** Where the trace leaves the paper, a mark says that it was cut there. */
function paintClipped({ ctx, colour, dpr, strip, samples, start, end, low, high, x, top, paperHeight }) {
  ctx.fillStyle = colour.vt;
  const last = Math.min(Math.round(end * strip.rate_hz), samples.length);
  for (let i = Math.round(start * strip.rate_hz); i < last; i += 1) {
    if (samples[i] / 1000 > high) ctx.fillRect(x(i / strip.rate_hz) - dpr, top, 2 * dpr, 3 * dpr);
    if (samples[i] / 1000 < low) ctx.fillRect(x(i / strip.rate_hz) - dpr, top + paperHeight - 3 * dpr, 2 * dpr, 3 * dpr);
  }
}

function paintBeats({ ctx, colour, dpr, strip, samples, start, end, x, top, rail }) {
  for (const [t, kind] of strip.beats) {
    if (t < start || t >= end || Number.isNaN(samples[Math.round(t * strip.rate_hz)])) continue;
    const style = { N: colour.beatN, S: colour.beatS, V: colour.beatV }[kind] ?? colour.ink2;
    const px = x(t);
    const py = top - rail / 2 - dpr;
    if (kind === "V") diamond(ctx, px, py, 7.5 * dpr, style);
    if (kind === "S") ring(ctx, px, py, 7 * dpr, style, dpr);
    write(ctx, kind, px, py + 3.8 * dpr, { colour: kind === "V" ? colour.paper : style, dpr, align: "center", weight: kind === "N" ? 400 : 700, size: kind === "V" ? 9.5 : 10.5 });
  }
}

function diamond(ctx, px, py, r, fill) {
  ctx.fillStyle = fill;
  ctx.beginPath();
  ctx.moveTo(px, py - r); ctx.lineTo(px + r, py); ctx.lineTo(px, py + r); ctx.lineTo(px - r, py);
  ctx.fill();
}

function ring(ctx, px, py, r, stroke, dpr) {
  ctx.strokeStyle = stroke;
  ctx.lineWidth = 1.25 * dpr;
  ctx.beginPath();
  ctx.arc(px, py, r, 0, 7);
  ctx.stroke();
}

function paintOnset({ ctx, colour, dpr, start, end, x, top, paperHeight, onset }) {
  if (!onset || onset.at < start || onset.at >= end) return;
  const px = Math.round(x(onset.at));
  ctx.fillStyle = colour[onset.kind === "AF" ? "af" : "vt"];
  ctx.fillRect(px, top, Math.max(1, Math.round(1.5 * dpr)), paperHeight);
}

function paintClock({ ctx, colour, dpr, start, clock, say, top }) {
  if (!clock) return;
  const at = say(clock + start * 1000);
  ctx.fillStyle = colour.paper;
  ctx.fillRect(dpr, top + dpr, 52 * dpr, 15 * dpr);
  write(ctx, at, 4 * dpr, top + 12.5 * dpr, { colour: colour.ink2, dpr, weight: 600, size: 11 });
}

const FONT = '-apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

export function write(ctx, text, px, py, { colour, dpr, align = "left", weight = 400, size = 11 }) {
  ctx.fillStyle = colour;
  ctx.font = `${weight} ${size * dpr}px ${FONT}`;
  ctx.textAlign = align;
  ctx.fillText(text, px, py);
}

/** Lowest and highest millivolt to show, on 0.5 mV lines so that the major grid closes the paper; 1 mV of air for the words. */
function range(samples) {
  let low = Infinity;
  let high = -Infinity;
  for (const v of samples) { if (v < low) low = v; if (v > high) high = v; }
  const snap = (mv, up) => (up ? Math.ceil(mv * 2) : Math.floor(mv * 2)) / 2;
  return [Math.max(snap(low / 1000 - 0.05, false), -2), Math.min(Math.max(snap(high / 1000 + 0.05, true), 2), 2.5)];
}

function gaps(samples, rate) {
  const found = [];
  for (let i = 0; i < samples.length; i += 1) {
    if (!Number.isNaN(samples[i])) continue;
    const from = i;
    while (i < samples.length && Number.isNaN(samples[i])) i += 1;
    found.push([from / rate, i / rate]);
  }
  return found;
}

/** The canvas has no stylesheet: it reads the tokens where it stands. */
export function colours(element) {
  const css = getComputedStyle(element);
  const token = (name) => css.getPropertyValue(`--${name}`).trim();
  return {
    paper: token("paper"), minor: token("grid-minor"), major: token("grid-major"), trace: token("trace"),
    beatN: token("beat-n"), beatS: token("beat-s"), beatV: token("beat-v"),
    shadeAf: token("shade-af"), shadeVt: token("shade-vt"), shadeWide: token("shade-wide"), af: token("rhythm-af"), vt: token("rhythm-vt"),
    sunken: token("sunken"), line: token("line-strong"), ink2: token("ink-2"),
  };
}
