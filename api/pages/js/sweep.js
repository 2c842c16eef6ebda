/**
 * A live ECG that is written from left to right over the last sweep, on the same paper as strip.js: 25 mm/s, 10 mm/mV,
 * whole device pixels a millimetre. What comes in pieces is drawn evenly: all that is here within a little more than the
 * time in which the next piece comes, and never later than 0.9 s.
 */

import { colours, extremes, write } from "./strip.js";

const MM_PER_SECOND = 25;
const MM_PER_MV = 10;
const ERASE_MM = 12; // blank paper ahead of the pen, so that old and new never touch
const LOW_MV = -1;
const HIGH_MV = 2;
const KEPT_S = 40;
const FRAME_MS = 30; // at most 33 frames a second
const LONGEST_S = 0.9; // no sample is drawn later than this after it came
const SHORTEST_S = 0.15;
const MISSING = -32768;

export class Sweep {
  #canvas; #rate = 0; #ring = new Float32Array(0); #gaps = []; #written = 0; #pen = 0; #speed = 0; #arrivals = []; #steppedAt = 0;
  #paper = null; #frozen = null; #gapText; #still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  frames = 0;

  /** `gapText(seconds)`: the words in a gap. */
  constructor(canvas, gapText) {
    this.#canvas = canvas;
    this.#gapText = gapText;
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement);
    new MutationObserver(() => { this.#paper = null; this.draw(); }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    requestAnimationFrame((now) => this.#frame(now));
  }

  /** Begin anew: another lead, or a place further on. */
  reset(rate) {
    this.#rate = rate;
    this.#ring = new Float32Array(Math.ceil(KEPT_S * rate)).fill(NaN);
    Object.assign(this, { frames: 0 });
    this.#gaps = [];
    this.#arrivals = [];
    this.#written = this.#pen = this.#speed = 0;
  }

  get rate() { return this.#rate; }
  /** How many samples have come, and how many of them are drawn. */
  get written() { return this.#written; }
  get drawn() { return Math.floor(this.#pen); }
  get frozen() { return this.#frozen !== null; }

  /** Samples that came (microvolts, int16), after `gap` that did not. What is past is drawn at once. */
  push(int16, gap, isPast) {
    if (gap) this.#skip(gap);
    for (const value of int16) {
      if (value === MISSING) this.#missing(1);
      this.#ring[this.#written % this.#ring.length] = value === MISSING ? NaN : value;
      this.#written += 1;
    }
    if (isPast) this.#pen = this.#written;
    else this.#plan();
    if (this.#still && isPast) this.draw();
  }

  /** The scale of time stays: a gap takes as much paper as it lasted, up to one sweep; nothing waits for it. */
  #skip(count) {
    this.#missing(count, Math.min(count, this.#ring.length >> 1));
    for (let i = Math.min(count, this.#ring.length >> 1); i > 0; i -= 1) { this.#ring[this.#written % this.#ring.length] = NaN; this.#written += 1; }
    this.#pen = this.#written;
  }

  #missing(count, shown = count) {
    const last = this.#gaps.at(-1);
    if (last?.to === this.#written) { last.to += shown; last.seconds += count / this.#rate; }
    else this.#gaps.push({ from: this.#written, to: this.#written + shown, seconds: count / this.#rate });
    if (this.#gaps.length > 200) this.#gaps.shift();
  }

  /** All that is here is drawn within a little more than the longest wait of late. */
  #plan() {
    const now = performance.now();
    this.#arrivals = [...this.#arrivals.slice(-7), now];
    const waits = this.#arrivals.slice(1).map((at, i) => (at - this.#arrivals[i]) / 1000);
    const within = Math.min(Math.max(1.15 * Math.max(...waits, 0.4), SHORTEST_S), LONGEST_S);
    this.#speed = (this.#written - this.#pen) / within;
  }

  #frame(now) {
    requestAnimationFrame((next) => this.#frame(next));
    const passed = now - this.#steppedAt;
    if (passed < (this.#still ? 1000 : FRAME_MS) || !this.#canvas.isConnected) return;
    this.#steppedAt = now;
    const before = this.#pen;
    this.#pen = this.#still ? this.#written : Math.min(this.#pen + (this.#speed * Math.min(passed, 1000)) / 1000, this.#written);
    if (this.#pen !== before) this.draw();
  }

  /** The picture stands still; what comes is kept, and shown when it goes on. */
  freeze(on) {
    this.#frozen = on ? { ring: this.#ring.slice(), gaps: this.#gaps.slice(), pen: this.#pen } : null;
    this.draw();
  }

  draw() {
    this.frames += 1;
    const dpr = window.devicePixelRatio || 1;
    const width = this.#canvas.parentElement.clientWidth;
    const mm = Math.max(2, Math.round((width < 700 ? 3 : 4) * dpr));
    const columns = Math.floor((width * dpr) / mm);
    if (columns < 1) return; // not laid out yet
    const size = { mm, columns, dpr, height: (HIGH_MV - LOW_MV) * MM_PER_MV * mm };
    const ctx = this.#canvas.getContext("2d");
    if (this.#canvas.width !== columns * mm || this.#canvas.height !== size.height + 1) {
      Object.assign(this.#canvas, { width: columns * mm, height: size.height + 1 });
      this.#canvas.style.width = `${this.#canvas.width / dpr}px`;
      this.#canvas.style.height = `${this.#canvas.height / dpr}px`;
      this.#paper = null;
    }
    const colour = colours(this.#canvas);
    this.#paper ??= paper(colour, size);
    ctx.drawImage(this.#paper, 0, 0);
    if (this.#rate) this.#write(ctx, colour, size);
  }

  #write(ctx, colour, { mm, columns, dpr, height }) {
    const rate = this.#rate;
    const { ring, gaps, pen: place } = this.#frozen ?? { ring: this.#ring, gaps: this.#gaps, pen: this.#pen };
    const pen = Math.floor(place);
    const sweep = Math.floor((columns / MM_PER_SECOND) * rate); // samples from the left edge to the right
    const perSample = (MM_PER_SECOND * mm) / rate;
    const first = Math.max(pen - sweep + Math.ceil((ERASE_MM / MM_PER_SECOND) * rate), pen - ring.length, 0);
    const x = (n) => (n % sweep) * perSample;
    const y = (uv) => (HIGH_MV - Math.min(Math.max(uv / 1000, LOW_MV), HIGH_MV)) * MM_PER_MV * mm;
    for (const gap of gaps) {
      const [from, to] = [Math.max(gap.from, first), Math.min(gap.to, pen)];
      for (let n = from; n < to; n = Math.min(to, n - (n % sweep) + sweep)) {
        hatch(ctx, colour, x(n), x(n) + (Math.min(to, n - (n % sweep) + sweep) - n) * perSample, height, dpr, n === from ? this.#gapText(gap.seconds) : "");
      }
    }
    ctx.strokeStyle = colour.trace;
    ctx.lineWidth = 1.5 * dpr;
    ctx.lineJoin = "round";
    ctx.beginPath();
    const each = Math.max(1, Math.floor(1 / (2 * perSample))); // over two samples a pixel: the lowest and the highest
    let before = Infinity;
    for (let n = first - (first % each); n < pen; n += each) {
      const [a, b] = each === 1 ? [ring[n % ring.length], NaN] : between(ring, Math.max(n, first), Math.min(n + each, pen));
      const px = x(n);
      if (Number.isNaN(a)) { before = Infinity; continue; }
      if (px > before) ctx.lineTo(px, y(a)); else ctx.moveTo(px, y(a));
      if (!Number.isNaN(b)) ctx.lineTo(px, y(b));
      if (a > HIGH_MV * 1000 || b > HIGH_MV * 1000) { ctx.fillStyle = colour.vt; ctx.fillRect(px - dpr, 0, 2 * dpr, 3 * dpr); }
      before = px;
    }
    ctx.stroke();
    ctx.fillStyle = colour.af;
    ctx.fillRect(Math.round(x(pen)), 0, Math.max(1, Math.round(2 * dpr)), height + 1);
  }
}

const between = (ring, from, to) => extremes(Array.from({ length: to - from }, (_, i) => ring[(from + i) % ring.length]), 0, to - from);

function hatch(ctx, colour, left, right, height, dpr, words) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, 0, right - left, height);
  ctx.clip();
  ctx.fillStyle = colour.sunken;
  ctx.fillRect(left, 0, right - left, height);
  ctx.strokeStyle = colour.line;
  ctx.lineWidth = dpr;
  ctx.beginPath();
  for (let px = left - height; px < right; px += 6 * dpr) { ctx.moveTo(px, height); ctx.lineTo(px + height, 0); }
  ctx.stroke();
  ctx.font = `600 ${11 * dpr}px sans-serif`;
  if (words && ctx.measureText(words).width + 12 * dpr < right - left) {
    ctx.fillStyle = colour.sunken;
    ctx.fillRect(left + 2 * dpr, 4 * dpr, ctx.measureText(words).width + 8 * dpr, 17 * dpr);
    write(ctx, words, left + 6 * dpr, 16 * dpr, { colour: colour.ink2, dpr, weight: 600 });
  }
  ctx.restore();
}

function paper(colour, { mm, columns, height, dpr }) {
  const sheet = Object.assign(document.createElement("canvas"), { width: columns * mm, height: height + 1 });
  const ctx = sheet.getContext("2d");
  ctx.fillStyle = colour.paper;
  ctx.fillRect(0, 0, sheet.width, sheet.height);
  for (const [step, style] of [[1, colour.minor], [5, colour.major]]) {
    if (step === 1 && mm < 3) continue; // with fewer device pixels the minor grid is a grey veil
    ctx.fillStyle = style;
    const line = Math.max(1, Math.floor(dpr));
    for (let x = 0; x <= columns * mm; x += step * mm) ctx.fillRect(x, 0, line, height + 1);
    for (let y = 0; y <= height; y += step * mm) ctx.fillRect(0, y, columns * mm, line);
  }
  return sheet;
}
