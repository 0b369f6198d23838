// A short sound for each outcome, for a desk where eyes are on the person. Off until it is asked for.
const KEY = "yuliang.sounds";
const TUNES = {
  match: [[660, 0.09], [990, 0.16]],
  reused: [[660, 0.09], [990, 0.16]],
  mismatch: [[440, 0.18], [262, 0.32]],
  no_such_number: [[440, 0.12], [440, 0.12], [330, 0.24]],
  blocked: [[220, 0.12]],
};
const OTHER = [[330, 0.14], [330, 0.2]];

let context = null;

function play(outcome) {
  context ??= new AudioContext();
  let at = context.currentTime + 0.02;
  for (const [frequency, seconds] of TUNES[outcome] ?? OTHER) {
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
    if (tick.checked) play("match");
  });
  return (outcome) => {
    if (tick.checked && outcome !== "sending") play(outcome);
  };
}
