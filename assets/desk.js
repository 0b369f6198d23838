// The verification desk for quick hands: one box that takes a whole person, Enter that goes where it is needed, and a
// list that is worked one by one. Every page of it works without; the server checks everything again.
import { DeskForm } from "./desk/form.js";
import { show } from "./desk/page.js";
import { nameOf, Queue } from "./desk/queue.js";
import { lazily } from "./desk/regions.js";
import { lines, readLine } from "./desk/scan.js";
import * as numbers from "./desk/numbers.js";
import { sounds } from "./desk/sounds.js";
import { met, tour } from "./desk/tour.js";

const GUARDED = 700; // ms after a result in which Enter is the one that sent the form, held or struck twice

const bar = document.querySelector("[data-desk-bar]");
const box = bar.querySelector("[data-scan]");
const note = bar.querySelector("[data-scan-note]");
const list = bar.querySelector("[data-queue]");
const queue = new Queue();
const regionOf = lazily(bar.dataset.regions);
const sound = sounds(bar.querySelector("[data-sounds]"));
let form = null;
let shownAt = 0;
let sending = false;

/** A page has come: by itself, or in place of the one before. */
function arrived(first) {
  const main = document.getElementById("main");
  const element = main.querySelector("form[data-desk]");
  form = element ? new DeskForm(element, regionOf) : null;
  shownAt = performance.now();
  const card = main.querySelector("[data-result]");
  if (card) outcome(card, first);
  if (form) tour(main, (person) => present(person));
  drawList();
  const wanted = form?.element.querySelector("[aria-invalid=true]") ?? (form?.name.value && form.name.input);
  const focus = () => (wanted || box).focus({ preventScroll: true });
  // The page's own autofocus goes first: it would complain that it came too late.
  if (first) requestAnimationFrame(focus);
  else focus();
  if (main.querySelector("[data-refresh]") && !first) askAgain(shownAt);
}

/** A call on its way, looked after as app.js does on a page of its own. */
function askAgain(since) {
  setTimeout(() => shownAt === since && bring(location.href), 2000);
}

/** What a card says is told to the list, the tour and the ear; on a page that was only looked up again it is not. */
function outcome(card, first) {
  const { outcome: word } = card.dataset;
  const made = !first || document.referrer.startsWith(new URL(bar.dataset.next, location.href).href);
  if (word === "sending" || !made) return;
  if (bar.dataset.practice) met(word);
  sound(word);
  if (word !== "blocked") queue.settle(word, card.querySelector(".result-title").textContent);
}

/** Shows a page in place of this one. */
async function bring(url, options) {
  const came = await show(bar, url, options);
  if (came) return true;
  note.textContent = options ? bar.dataset.lost : bar.dataset.offline;
  document.dispatchEvent(new CustomEvent("desk:lost"));
  return false;
}

/** A person, or half of one, comes to the form; `go`: by Enter, which sends it when nothing is missing. */
async function present(person, go = false) {
  note.textContent = "";
  box.value = "";
  if (!form && !(await bring(bar.dataset.next))) return;
  if (!form) return;
  if (person.name && person.number) form.fill(person);
  else form.put(person.name ? "name" : "number", person.name || person.number);
  if (go) advance(box);
  else reach(form.needs());
}

/** Puts the cursor where something is needed; on the button when nothing is. */
function reach(need) {
  if (need?.field && need.field.value) need.field.speak();
  (need?.input ?? button()).focus();
}

/** Enter: sends the form when it is complete, else goes to the control that needs it. */
function advance(from) {
  const need = form.needs();
  if (!need && !button().disabled) {
    sending = true;
    form.element.requestSubmit();
    sending = false;
  } else if (need) refuse(need, from);
}

const button = () => form.element.querySelector("button:not([type=button])");

function refuse(need, from) {
  if (need.field?.fault === "fifteen") form.convert();
  else if (need.field && (need.input === from || need.field.value)) {
    need.field.speak(true);
    blocked();
  }
  need.input.focus();
}

/** The card of what was not sent, as the server would write it. */
function blocked() {
  const place = document.querySelector("[data-desk-says]");
  place.replaceChildren(document.querySelector("[data-blocked]").content.cloneNode(true));
  place.firstElementChild.dataset.result = "";
  sound("blocked");
}

/** Reads what stands in the box. False when it is nobody. */
function take(text, go) {
  const digits = numbers.normalise(text);
  const person = readLine(text);
  if (person) present(person, go);
  else if (/^[0-9]{6,}[0-9X]*$/.test(digits)) present({ number: text }, go);
  else if (!/[0-9０-９]/.test(text)) present({ name: text }, go);
  else return false;
  return true;
}

function unread() {
  note.textContent = bar.dataset.unread;
  box.select();
}

/** Several pasted lines become the list. */
function enlist(text) {
  const { taken, leftOver } = lines(text);
  if (taken.length && !taken[0].person && !/[0-9０-９]/.test(taken[0].text)) taken.shift(); // a table's heading
  if (taken.length < 2 || !taken.some((line) => line.person)) return false;
  queue.add(taken);
  note.textContent = leftOver ? bar.dataset.leftOver.replace("{count}", leftOver) : "";
  if (queue.current) drawList();
  else nextInList();
  return true;
}

/** The next of the list comes to the form; one that could not be read comes to the box, to be mended there. */
async function nextInList() {
  const line = queue.next();
  if (!line) return location.assign(bar.dataset.next);
  const kept = note.textContent;
  if (line.person) await present(line.person);
  else if (form || (await bring(bar.dataset.next))) {
    box.value = line.text;
    box.focus();
    box.select();
  }
  note.textContent = kept || (line.person ? "" : bar.dataset.unread);
  return drawList();
}

function drawList() {
  list.hidden = !queue.lines.length;
  const over = queue.lines.filter((line) => line.state === "done" || line.state === "skipped").length;
  list.querySelector("[data-progress]").textContent = bar.dataset.progress
    .replace("{done}", over)
    .replace("{all}", queue.lines.length);
  list.querySelector("[data-skip]").disabled = !queue.current;
  list.querySelector("ol").replaceChildren(...queue.lines.map(drawLine));
}

function drawLine(line) {
  const item = document.createElement("li");
  item.dataset.state = line.state;
  item.dataset.outcome = line.outcome;
  if (line.state === "now") item.setAttribute("aria-current", "step");
  const state = document.createElement("span");
  const unreadable = line.state === "waiting" && !line.person;
  state.textContent = line.said || (unreadable ? list.dataset.unreadable : list.dataset[line.state]);
  item.append(nameOf(line), " ", state);
  return item;
}

const goesOn = (event) => event.key === "Enter" || (event.key === "Tab" && !event.shiftKey);

box.addEventListener("keydown", (event) => {
  if (event.isComposing || !goesOn(event)) return;
  const text = box.value.trim();
  const enter = event.key === "Enter";
  if (text || enter) event.preventDefault();
  if (!text && enter && (event.repeat || (!form && performance.now() - shownAt < GUARDED))) return;
  if (text) take(text, enter) || unread();
  else if (enter && form) advance(box);
  else if (enter) nextInList();
});

document.addEventListener("paste", (event) => {
  const fields = [box, form?.name.input, form?.number.input];
  if (!fields.includes(event.target)) return;
  const text = event.clipboardData.getData("text");
  const person = readLine(text);
  if (!enlist(text) && !person) return;
  event.preventDefault();
  if (person && !queue.lines.length) present(person);
});

document.addEventListener("keydown", (event) => {
  const input = event.target;
  if (event.isComposing || !goesOn(event) || (input !== form?.name.input && input !== form?.number.input)) return;
  const person = readLine(input.value);
  if (event.key === "Tab" && !person) return;
  event.preventDefault();
  if (person) form.fill(person);
  if (event.key === "Enter") advance(input);
  else reach(form.needs());
});

// Before the form is marked as busy, see app.js. The button itself always sends: the server has the last word.
document.addEventListener("submit", (event) => {
  const sent = event.target;
  const stop = sent.getAttribute("aria-busy") === "true" || (sent === form?.element && !mayGo());
  if (stop) event.stopImmediatePropagation();
  if (stop || (queue.waiting && sent.matches("[data-desk-stay]"))) event.preventDefault();
  if (stop || !queue.waiting || !sent.matches("[data-desk-stay]")) return;
  bring(sent.action, { method: "POST", body: new URLSearchParams(new FormData(sent, event.submitter)) });
}, { capture: true });

/** Whether this sending of the form may go on; else the cursor goes to what is needed. */
function mayGo() {
  const from = document.activeElement;
  if (sending || from.matches("button")) return true;
  const need = form.needs();
  if (!need || (need.input === from && !need.field)) return true; // a tick or text that the server will ask for
  refuse(need, from);
  return false;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-next-person]");
  if (!link || !queue.waiting) return;
  event.preventDefault();
  nextInList();
});

list.querySelector("[data-skip]").addEventListener("click", () => {
  queue.settle();
  nextInList();
});
list.querySelector("[data-clear]").addEventListener("click", () => {
  queue.clear();
  drawList();
  box.focus();
});

document.addEventListener("desk:shown", () => arrived(false));
window.addEventListener("popstate", () => (queue.lines.length ? bring(location.href) : location.reload()));
window.addEventListener("beforeunload", (event) => {
  if (queue.waiting) event.preventDefault();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[action$='/logout']")) queue.clear();
});

bar.hidden = false;
arrived(true);
