/**
 * Alarm sounds in the manner of IEC 60601-1-8: bursts of short pulses with harmonics, more and faster pulses for a
 * higher priority. EMERGENCY: 3 + 2 pulses, twice, each 10 s. DOCTOR: 3 pulses each 30 s. TIP and TECHNICAL: two falling
 * notes, once. Only the highest tier sounds; a pause ends by itself and by a new EMERGENCY.
 */

const MELODY = {
  em: { notes: [262, 330, 392, null, 330, 262, null, null, null, 262, 330, 392, null, 330, 262], pulse: 0.13, gap: 0.1, again: 10 },
  dr: { notes: [262, 330, 392], pulse: 0.2, gap: 0.2, again: 30 },
  tip: { notes: [330, 262], pulse: 0.2, gap: 0.2, again: Infinity },
};
const HARMONICS = [1, 0.6, 0.4, 0.25]; // at least four, within 15 dB of the fundamental

const KEPT = "tierwatch.sound"; // in this tab: the other pages go on as this one was left

let audio = null;
let pausedUntil = Number(sessionStorage.getItem(`${KEPT}.paused`) ?? 0);
let sounding = { tier: null, due: 0 };

export const isOn = () => audio?.state === "running";
export const pausedFor = () => Math.max(0, (pausedUntil - Date.now()) / 1000);

function setPaused(until) {
  pausedUntil = until;
  sessionStorage.setItem(`${KEPT}.paused`, String(until));
}

/** What was on at the page before goes on where the browser allows it; where not, the page says that it is off. */
export async function resume() {
  if (sessionStorage.getItem(KEPT) !== "on") return;
  audio = new AudioContext();
  await Promise.race([audio.resume(), new Promise((done) => { setTimeout(done, 500); })]).catch(() => null);
}

/** Call from a click: a browser gives sound only then. Plays the lowest melody so that the operator hears that it works. */
export async function enable(on) {
  try {
    audio ??= new AudioContext();
    await (on ? audio.resume() : audio.suspend());
  } catch { return false; }
  setPaused(0);
  sessionStorage.setItem(KEPT, isOn() ? "on" : "off");
  if (on) play("tip");
  return isOn() === on;
}

export function pause(seconds) {
  if (isOn()) setPaused(Date.now() + seconds * 1000);
}

/** Once a second: sound what is due. `tier` is the highest unanswered one (em, dr) or null; `fresh` what is new in it. */
export function keepSounding(tier, fresh) {
  if (fresh === "em") setPaused(0);
  if (fresh === "tip" || fresh === "tech") { if (tier === null) play("tip"); }
  if (tier !== sounding.tier || fresh === tier) sounding = { tier, due: 0 };
  if (tier === null || pausedFor() > 0 || performance.now() < sounding.due) return;
  sounding.due = performance.now() + play(tier) * 1000;
}

/** Plays one burst of the tier's melody; returns the seconds after which it is due again. */
function play(tier) {
  const { notes, pulse, gap, again } = MELODY[tier];
  if (!isOn() || pausedFor() > 0) return again;
  let at = audio.currentTime + 0.05;
  for (const note of notes) {
    if (note) HARMONICS.forEach((level, i) => tone(note * (i + 1), level * 0.12, at, pulse));
    at += pulse + gap;
  }
  return again;
}

function tone(hertz, level, at, seconds) {
  const oscillator = new OscillatorNode(audio, { frequency: hertz });
  const gain = new GainNode(audio, { gain: 0 });
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(level, at + 0.02);
  gain.gain.setValueAtTime(level, at + seconds - 0.03);
  gain.gain.linearRampToValueAtTime(0, at + seconds);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + seconds);
}
