// A short sound for each outcome, for a desk where eyes are on the person. Off until it is asked for.
const KEY = "yuliang.sounds";
const TUNES = {
  match: [[660, 0.09], [990, 0.16]],
  mismatch: [[440, 0.18], [262, 0.32]],
  no_such_number: [[440, 0.12], [440, 0.12], [330, 0.24]],
  blocked: [[220, 0.12]],
};
const OTHER = [[330, 0.14], [330, 0.2]];
const BEFORE = [[523, 0.05], [523, 0.05]]; // a recent result: two short tones before its own tune

let context = null;

/** [frequency in Hz, seconds] of what is heard; `original`: the outcome that a reused one repeats. */
export function tune(outcome, original = "") {
  const own = TUNES[original || outcome] ?? OTHER;
  return original ? [...BEFORE, ...own] : own;
}

function play(tones) {
  context ??= new AudioContext();
  let at = context.currentTime + 0.02;
  for (const [frequency, seconds] of tones) {
    const tone = new OscillatorNode(context, { type: "triangle", frequency });
    const volume = new GainNode(context, { gain: 0.25 });
    volume.gain.setTargetAtTime(0, at + seconds * 0.7, 0.02);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.03;
  }
}

/** Ties the setting to its tick; returns what plays an outcome when the setting is on. */
export function sounds(tick) {
  tick.checked = localStorage.getItem(KEY) === "on";
  tick.addEventListener("change", () => {
    localStorage.setItem(KEY, tick.checked ? "on" : "off");
    if (tick.checked) play(tune("match"));
  });
  return (outcome, original) => {
    if (tick.checked) play(tune(outcome, original));
  };
}
