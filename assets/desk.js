// The verification desk for quick hands: one box that takes a whole person, Enter that goes where it is needed, and a
// list that is worked one by one. Every page of it works without; the server checks everything again.
import { Box } from "./desk/box.js";
import { watchOver } from "./desk/expiry.js";
import { DeskForm } from "./desk/form.js";
import { composing, Echo, goesOn, whenStill } from "./desk/keys.js";
import { drawList } from "./desk/list.js";
import { show } from "./desk/page.js";
import { isOf, nameOf, Queue } from "./desk/queue.js";
import { lazily } from "./desk/regions.js";
import { lines, readLine } from "./desk/scan.js";
import * as numbers from "./desk/numbers.js";
import { sounds } from "./desk/sounds.js";
import { met, tour } from "./desk/tour.js";

const EDIT = /\/edit$/; // behind a result's address: its person in the form

const bar = document.querySelector("[data-desk-bar]");
const list = bar.querySelector("[data-queue]");
const echo = new Echo();
const box = new Box(bar.querySelector("[data-scan]"), echo, take, () => inTurn(goOn));
const queue = new Queue();
const regionOf = lazily(bar.dataset.regions);
const sound = sounds(bar.querySelector("[data-sounds]"));
let form = null;
let place = ""; // the path of the page that is shown
let shown = 0; // how many pages were
let awaited = null; // an outcome is to come: "" wherever it will stand, or the path of a call under way
let turn = Promise.resolve();

/** One after the other: what is taken while a page is on its way is worked when that page stands. */
function inTurn(step) {
  turn = turn.then(step).catch(reportError);
}

/** A page has come: by itself, or in place of the one before. */
function arrived(first) {
  const main = document.getElementById("main");
  const element = main.querySelector("form[data-desk]");
  place = location.pathname;
  shown += 1;
  form = element ? new DeskForm(element, regionOf, { onOther: sayNothing, onPerson: meet }) : null;
  const card = main.querySelector("[data-result]");
  if (card) outcome(card);
  else if (awaited === "") awaited = null;
  const mended = form?.name.value && EDIT.test(place) ? queue.at(place.replace(EDIT, "")) : null;
  if (mended) queue.reopen(mended, form.person);
  if (form && !form.empty) meet(form.person);
  if (form) tour(main, (person) => inTurn(() => present(person)));
  watchOver(main);
  draw();
  if (first) whenStill(focus, tooEarly);
  else {
    tell(document.title);
    focus();
    if (main.querySelector("[data-refresh]")) askAgain(shown);
  }
}

/** The cursor goes where something is wrong or to be mended, else into the box; it stays there with who types on. */
function focus() {
  const wanted = form?.element.querySelector("[aria-invalid=true]") ?? (form?.name.value && form.name.input);
  if (!wanted || box.text) box.focus();
  else wanted.focus({ preventScroll: true });
}

function tooEarly() {
  note(bar.dataset.early);
  sound("blocked");
}

/** What stands below the box. */
function note(text) {
  bar.querySelector("[data-scan-note]").textContent = text;
}

/** For who listens to the page: what a page that is loaded would say by itself. */
function tell(text) {
  bar.querySelector("[data-desk-status]").textContent = text;
}

function draw() {
  drawList(list, queue, (line) => inTurn(() => {
    queue.call(line);
    return nextInList();
  }));
}

/** Takes back what was said of the person before. */
function sayNothing() {
  document.querySelector("[data-desk-says]").replaceChildren();
}

/** A person stands in the form: whose line is it, and who comes back afterwards when it is none's? */
function meet(person) {
  const { current } = queue;
  note(!queue.meet(person) && current ? bar.dataset.between.replace("{name}", nameOf(current)) : "");
  draw();
}

/** A call on its way, looked after as app.js does on a page of its own. */
function askAgain(since) {
  const ask = async () => {
    if (shown === since) await bring(location.href, { headers: { "X-Background": "yes" } });
    if (shown === since) askAgain(since); // no answer, or the desk is locked
  };
  setTimeout(() => inTurn(ask), 2000);
}

/** What a card says is told to the list, the tour and the ear; on a page that was only looked up again it is not. */
function outcome(card) {
  if (awaited === null || (awaited && awaited !== place)) return;
  const { outcome: word, original } = card.dataset;
  awaited = word === "sending" ? place : null;
  if (word === "sending") return;
  if (bar.dataset.practice) met(word);
  sound(word, original);
  if (word !== "blocked") queue.settle(original || word, card.querySelector(".result-title").textContent, place);
}

/** Shows a page in place of this one; whether it came. */
async function bring(url, options) {
  const became = await show(bar, url, options);
  if (became === "lost") note(options?.method ? bar.dataset.lost : bar.dataset.offline);
  if (became !== "shown") document.dispatchEvent(new CustomEvent("desk:lost"));
  return became === "shown";
}

/** Sends a form, and shows what comes of it. Nothing on the page answers meanwhile but the box, which keeps what is typed. */
function send(sent, submitter) {
  const body = new URLSearchParams(new FormData(sent, submitter));
  const others = [list, ...document.querySelectorAll("#main form, #main [data-tour], #main .page-actions")];
  const hold = (on) => {
    for (const one of others) one.inert = on;
  };
  hold(true);
  box.hold();
  echo.begin();
  tell(sent.dataset.busy ?? "");
  inTurn(async () => {
    const came = await bring(sent.action, { method: "POST", body }).finally(() => hold(false));
    box.release();
    if (came) echo.fade();
    else echo.end();
    if (box.early) note(bar.dataset.waits);
  });
}

/** A person, or half of one, comes to the form; `go`: by Enter, which sends it when nothing is missing. */
async function present(person, go = false) {
  note("");
  if (!form) await bring(bar.dataset.next);
  if (!form) return box.giveBack([person.name, person.number].filter(Boolean).join(" "));
  if (person.name && person.number) form.fill(person);
  else form.put(person.name ? "name" : "number", person.name || person.number);
  if (box.text) box.focus(); // the next one is being typed already
  else if (go) advance(box.input);
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
  if (need) refuse(need, from);
  else if (!button().disabled) form.element.requestSubmit();
}

const button = () => form.element.querySelector("button:not([type=button])");

function refuse(need, from) {
  if (need.field?.fault === "fifteen") form.convert();
  else if (need.field && (need.input === from || need.field.value)) {
    need.field.speak(true);
    blocked();
  } else if (!need.field && need.input === from) {
    form.miss(need.input);
    blocked();
  }
  need.input.focus();
}

/** The card of what was not sent, as the server would write it. */
function blocked() {
  const says = document.querySelector("[data-desk-says]");
  says.replaceChildren(document.querySelector("[data-blocked]").content.cloneNode(true));
  says.firstElementChild.dataset.result = "";
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
  if (person) {
    box.clear();
    inTurn(() => present(person, go));
  } else {
    note(bar.dataset.unread);
    box.show(text);
  }
}

/** Several pasted lines become the list. */
function enlist(text) {
  const { taken, leftOver } = lines(text);
  if (taken.length && !taken[0].person && !/[0-9０-９]/.test(taken[0].text)) taken.shift(); // a table's heading
  if (taken.length < 2 || !taken.some((line) => line.person)) return false;
  queue.add(taken);
  const told = leftOver ? bar.dataset.leftOver.replace("{count}", leftOver) : "";
  note(told);
  draw();
  if (!queue.current && !box.busy) inTurn(() => nextInList(told));
  return true;
}

/** The one at the desk, or the next of the list, comes to the form; one that could not be read comes to the box, to be
 * mended there. `told`: what is to be said all the same. */
async function nextInList(told = "") {
  const line = queue.next();
  if (line?.person) await present(line.person);
  else {
    if (!form || !line) await bring(bar.dataset.next);
    else form.fill({ name: "", number: "" });
    note(line ? bar.dataset.unread : "");
    if (line && form) box.show(line.text);
  }
  if (told) note(told);
  draw();
}

/** Enter in the empty box: on with the form; to the one at the desk, or the next, where no form is or an empty one. */
function goOn() {
  return form && !(form.empty && queue.waiting) ? advance(box.input) : nextInList();
}

/** Who stands in the form is left out: of the list, or only of the form when it is somebody else. */
function leaveOut() {
  const { current } = queue;
  if (current && (!form || form.empty || isOf(current, form.person))) {
    if (!current.person) box.clear();
    queue.skip();
    draw();
  }
  return nextInList();
}

document.addEventListener("paste", (event) => {
  const fields = [box.input, form?.name.input, form?.number.input];
  if (!fields.includes(event.target)) return;
  const text = event.clipboardData.getData("text");
  const listed = enlist(text);
  const person = listed || box.busy ? null : readLine(text);
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
  if (!sent.matches("[data-desk-stay]")) return;
  event.preventDefault();
  if (box.busy || (sent === form?.element && !mayGo())) {
    event.stopImmediatePropagation();
    return;
  }
  if (!sent.querySelector("[data-edit]")) prepare(sent);
  send(sent, event.submitter);
}, { capture: true });

/** Whose line what is sent now belongs to: the form's, or that of the result on this page. */
function prepare(sent) {
  const { name, id_number: number } = sent.elements;
  const person = form?.person ?? { name: name.value, number: number.value };
  const line = form ? null : queue.at(place);
  if (line) queue.reopen(line, person);
  queue.sends(person);
  awaited = "";
  note("");
}

/** Whether this sending of the form may go on; else the cursor goes to what is needed. */
function mayGo() {
  const from = document.activeElement;
  const need = form.needs();
  if (!need || from.matches("button")) return true;
  refuse(need, from);
  return false;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-next-person]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  inTurn(() => nextInList());
});

list.querySelector("[data-skip]").addEventListener("click", () => inTurn(leaveOut));
list.querySelector("[data-clear]").addEventListener("click", () => {
  queue.clear();
  draw();
  box.focus();
});

document.addEventListener("desk:shown", () => arrived(false));
window.addEventListener("popstate", () => {
  inTurn(async () => {
    if (location.pathname === place) return; // to another part of this page, or there and back before a page came
    await bring(location.href);
    if (form?.empty && queue.current) await nextInList();
  });
});
window.addEventListener("beforeunload", (event) => {
  if (queue.waiting) event.preventDefault();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[action$='/logout'], [action$='/hand-over']")) queue.clear();
});
document.addEventListener("lock:leaving", () => queue.clear());

bar.hidden = false;
arrived(true);
