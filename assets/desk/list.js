// The list of pasted people as it stands on the page.
import { nameOf } from "./queue.js";

const CALLED = ["now", "skipped"];

/** Draws a queue into its element, whose data hold the words. The line at the desk and those left out are buttons:
 * `call` brings their person into the form. */
export function drawList(element, queue, call) {
  const { over, undecided } = element.dataset;
  const open = queue.count("open");
  const told = [over.replace("{done}", queue.count("done")).replace("{all}", queue.lines.length)];
  if (open) told.push(undecided.replace("{count}", open));
  element.hidden = !queue.lines.length;
  element.querySelector("[data-progress]").textContent = told.join(" · ");
  element.querySelector("[data-skip]").disabled = !queue.current;
  element.querySelector("ol").replaceChildren(...queue.lines.map((line) => drawLine(line, element.dataset, call)));
}

function drawLine(line, words, call) {
  const item = document.createElement("li");
  item.dataset.state = line.state;
  item.dataset.outcome = line.outcome;
  if (line.state === "now") item.setAttribute("aria-current", "step");
  const state = document.createElement("span");
  state.textContent = standing(line, words);
  item.append(CALLED.includes(line.state) ? caller(line, words, call) : nameOf(line), " ", state);
  return item;
}

function caller(line, words, call) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "queue-call", textContent: nameOf(line), title: words.call });
  button.addEventListener("click", () => call(line));
  return button;
}

function standing(line, words) {
  if (line.state === "now") return words.now;
  if (line.state === "waiting" && line.said) return words.again.replace("{reason}", line.said);
  if (line.state === "waiting" && !line.person) return words.unreadable;
  return line.said || words[line.state];
}
