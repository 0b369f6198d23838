// The list of pasted people as it stands on the page.
import { nameOf } from "./queue.js";

/** Draws a queue into its element, whose data hold the words. */
export function drawList(element, queue) {
  const { over, undecided } = element.dataset;
  const open = queue.count("open");
  const told = [over.replace("{done}", queue.count("done")).replace("{all}", queue.lines.length)];
  if (open) told.push(undecided.replace("{count}", open));
  element.hidden = !queue.lines.length;
  element.querySelector("[data-progress]").textContent = told.join(" · ");
  element.querySelector("[data-skip]").disabled = !queue.current;
  element.querySelector("ol").replaceChildren(...queue.lines.map((line) => drawLine(line, element.dataset)));
}

function drawLine(line, words) {
  const item = document.createElement("li");
  item.dataset.state = line.state;
  item.dataset.outcome = line.outcome;
  if (line.state === "now") item.setAttribute("aria-current", "step");
  const state = document.createElement("span");
  state.textContent = standing(line, words);
  item.append(nameOf(line), " ", state);
  return item;
}

function standing(line, words) {
  if (line.state === "now") return words.now;
  if (line.state === "waiting" && line.said) return words.again.replace("{reason}", line.said);
  if (line.state === "waiting" && !line.person) return words.unreadable;
  return line.said || words[line.state];
}
