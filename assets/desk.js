// The verification desk for quick hands: one box that takes a whole person, Enter that goes where it is needed, and a
// list that is worked one by one. Every page of it works without; the server checks everything again.
import { watchOver } from "./desk/expiry.js";
import { DeskForm } from "./desk/form.js";
import { drawList } from "./desk/list.js";
import { show } from "./desk/page.js";
import { isOf, nameOf, Queue } from "./desk/queue.js";
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
let awaited = document.referrer.startsWith(new URL(bar.dataset.next, location.href).href); // an outcome is to come
let mending = null; // the line whose person is on the way back into the form
let turn = Promise.resolve();

/** One after the other: what is typed while a page is on its way is worked when that page stands. */
function inTurn(step) {
  turn = turn.then(step).catch(reportError);
}

/** A page has come: by itself, or in place of the one before. */
function arrived(first) {
  const main = document.getElementById("main");
  const element = main.querySelector("form[data-desk]");
  form = element ? new DeskForm(element, regionOf, sayNothing) : null;
  shownAt = performance.now();
  const card = main.querySelector("[data-result]");
  if (card) outcome(card);
  else awaited = false;
  if (form) tour(main, (person) => inTurn(() => present(person)));
  if (mending && form?.name.value) queue.reopen(mending, form.person);
  mending = null;
  watchOver(main);
  drawList(list, queue);
  // The page's own autofocus goes first: it would complain that it came too late.
  if (first) requestAnimationFrame(focus);
  else focus();
  if (main.querySelector("[data-refresh]") && !first) askAgain(shownAt);
}

/** The cursor goes where something is wrong or to be mended, else into the box; it stays there with who types on. */
function focus() {
  const wanted = form?.element.querySelector("[aria-invalid=true]") ?? (form?.name.value && form.name.input);
  if (!wanted || box.value) toBox();
  else wanted.focus({ preventScroll: true });
}

function toBox() {
  box.focus({ preventScroll: true });
  box.setSelectionRange(box.value.length, box.value.length);
}

/** Takes back what was said of the person before. */
function sayNothing() {
  document.querySelector("[data-desk-says]").replaceChildren();
}

/** A call on its way, looked after as app.js does on a page of its own. */
function askAgain(since) {
  const ask = async () => {
    if (shownAt === since) await bring(location.href, { headers: { "X-Background": "yes" } });
    if (shownAt === since) askAgain(since); // no answer, or the desk is locked
  };
  setTimeout(() => inTurn(ask), 2000);
}

/** What a card says is told to the list, the tour and the ear; on a page that was only looked up again it is not. */
function outcome(card) {
  const { outcome: word, original } = card.dataset;
  if (!awaited || word === "sending") return;
  awaited = false;
  if (bar.dataset.practice) met(word);
  sound(word, original);
  if (word !== "blocked") queue.settle(original || word, card.querySelector(".result-title").textContent, location.pathname);
}

/** Shows a page in place of this one. */
async function bring(url, options) {
  const came = await show(bar, url, options);
  if (came) return true;
  note.textContent = options?.method ? bar.dataset.lost : bar.dataset.offline;
  document.dispatchEvent(new CustomEvent("desk:lost"));
  return false;
}

/** A person, or half of one, comes to the form; `go`: by Enter, which sends it when nothing is missing. */
async function present(person, go = false) {
  note.textContent = "";
  if (!form && !(await bring(bar.dataset.next))) box.value = [person.name, person.number, box.value].filter(Boolean).join(" ");
  if (!form) return;
  if (person.name && person.number) form.fill(person);
  else form.put(person.name ? "name" : "number", person.name || person.number);
  const { current } = queue;
  if (current && !isOf(current, form.person)) note.textContent = bar.dataset.between.replace("{name}", nameOf(current));
  if (box.value) toBox(); // the next one is being typed already
  else if (go) advance(box);
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

/** Who stands in a text, or which half of a person; null when it is nobody. */
function read(text) {
  const digits = numbers.normalise(text);
  const person = readLine(text);
  if (person) return person;
  if (/^[0-9]{6,}[0-9X]*$/.test(digits)) return { number: text };
  return /[0-9０-９]/.test(text) ? null : { name: text };
}

/** Takes what stands in the box to the form. What cannot be read stays. */
function take(text, go) {
  const person = read(text);
  if (!person) {
    note.textContent = bar.dataset.unread;
    box.select();
    return;
  }
  box.value = "";
  inTurn(() => present(person, go));
}

/** Several pasted lines become the list. */
function enlist(text) {
  const { taken, leftOver } = lines(text);
  if (taken.length && !taken[0].person && !/[0-9０-９]/.test(taken[0].text)) taken.shift(); // a table's heading
  if (taken.length < 2 || !taken.some((line) => line.person)) return false;
  queue.add(taken);
  note.textContent = leftOver ? bar.dataset.leftOver.replace("{count}", leftOver) : "";
  if (queue.current) drawList(list, queue);
  else inTurn(nextInList);
  return true;
}

/** The next of the list comes to the form; one that could not be read comes to the box, to be mended there. */
async function nextInList() {
  const line = queue.next();
  const kept = note.textContent;
  if (line?.person) await present(line.person);
  else if ((form && line) || (await bring(bar.dataset.next))) mendInBox(line);
  note.textContent = kept || (!line || line.person ? "" : bar.dataset.unread);
  drawList(list, queue);
}

function mendInBox(line) {
  if (!line) return;
  box.value = line.text;
  box.focus();
  box.select();
}

const goesOn = (event) => event.key === "Enter" || (event.key === "Tab" && !event.shiftKey);

const composing = (event) => event.isComposing || event.keyCode === 229; // an input method has the key

box.addEventListener("keydown", (event) => {
  if (composing(event) || !goesOn(event)) return;
  const text = box.value.trim();
  const enter = event.key === "Enter";
  if (text || enter) event.preventDefault();
  if (text) take(text, enter);
  else if (enter && !event.repeat) inTurn(goOn);
});

/** Enter in the empty box: on with the form, or from a result to the next person. */
function goOn() {
  if (form) return advance(box);
  return performance.now() - shownAt < GUARDED ? null : nextInList();
}

document.addEventListener("paste", (event) => {
  const fields = [box, form?.name.input, form?.number.input];
  if (!fields.includes(event.target)) return;
  const text = event.clipboardData.getData("text");
  const listed = enlist(text);
  const person = listed ? null : readLine(text);
  if (listed || person) event.preventDefault();
  if (person) inTurn(() => present(person));
});

document.addEventListener("keydown", (event) => {
  const input = event.target;
  if (composing(event) || !goesOn(event) || (input !== form?.name.input && input !== form?.number.input)) return;
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
  if (sent.getAttribute("aria-busy") === "true" || (sent === form?.element && !mayGo())) {
    event.stopImmediatePropagation();
    event.preventDefault();
  } else if (sent.matches("[data-desk-stay]")) {
    prepare(sent);
    if (!queue.waiting && !mending) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(sent, event.submitter));
    inTurn(() => bring(sent.action, { method: "POST", body }));
  }
}, { capture: true });

/** Whose line what is sent now belongs to: the form's, or that of the result on this page. */
function prepare(sent) {
  const line = sent === form?.element ? null : queue.at(location.pathname);
  mending = null;
  if (sent.querySelector("[data-edit]")) {
    mending = line;
    return;
  }
  awaited = true;
  note.textContent = "";
  const { name, id_number: number } = sent.elements;
  const person = form?.person ?? { name: name.value, number: number.value };
  if (line) queue.reopen(line, person);
  queue.sends(person);
}

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
  if (!link || !queue.lines.length) return;
  event.preventDefault();
  inTurn(nextInList);
});

list.querySelector("[data-skip]").addEventListener("click", () => {
  queue.skip();
  drawList(list, queue);
  inTurn(nextInList);
});
list.querySelector("[data-clear]").addEventListener("click", () => {
  queue.clear();
  drawList(list, queue);
  box.focus();
});

document.addEventListener("desk:shown", () => arrived(false));
window.addEventListener("popstate", () => (queue.lines.length ? inTurn(() => bring(location.href)) : location.reload()));
window.addEventListener("beforeunload", (event) => {
  if (queue.waiting) event.preventDefault();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[action$='/logout'], [action$='/hand-over']")) queue.clear();
});
document.addEventListener("lock:leaving", () => queue.clear());

bar.hidden = false;
arrived(true);
