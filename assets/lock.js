// A desk that is left is locked: by a key, or after half an hour. The server decides and answers no page any more; here
// the page is covered and kept, so that its operator goes on where the work was left. What was typed stays in the page:
// not in the browser's storage, which is written to the disk, and not in an address.
import { Screen } from "./lock/screen.js";
import { ask, send } from "./lock/server.js";

const SURE = 30_000; // ms for which an answer "open" is taken for granted when a form is sent
const STILL = 15 * 60_000; // ms between looks at a desk that stays locked
const RETRY = 5_000; // ms until a server that did not answer is asked again
const ONCE_MORE = 2_000; // ms until one that knows no session is asked again

const template = document.querySelector("template[data-lock]");
const channel = new BroadcastChannel("yuliang lock");

/** The page of somebody who is logged in. */
class Guard {
  constructor(urls) {
    this.urls = urls;
    this.screen = new Screen(template, (password) => this.unlock(password));
    this.wanted = false; // the operator has locked, and the server has not said so yet
    this.passed = new WeakSet();
    this.open(Number(urls.left));
  }

  /** The server said that the desk is open, for so many seconds without activity. */
  open(left) {
    this.since = Date.now();
    this.until = this.since + left * 1000;
    this.askIn(left * 1000 + 1000);
  }

  askIn(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), Math.max(ms, 0));
  }

  /** By this machine's clock, which may have slept or been set: whether the desk can still be open. */
  get doubtful() {
    return Date.now() > this.until || Date.now() < this.since - 1000;
  }

  /** Asks the server and shows what it says; returns the state, null when there was no answer. */
  check() {
    this.checking ??= this.askServer().finally(() => {
      this.checking = null;
    });
    return this.checking;
  }

  async askServer() {
    if (this.doubtful && !this.screen.shown) this.cover(template.dataset.asking);
    if (this.wanted) await this.lockServer();
    const told = await this.askTwice();
    if (!told) this.unreached();
    else if (told.state === "out" || String(told.user) !== this.urls.user) this.leave(told.state);
    else if (told.state === "locked") this.covered();
    else this.opened(told);
    return told?.state ?? null;
  }

  /** Unlocking in another window gives the session a new token: what is asked under the former one in that moment finds
   * no session any more, and the page would leave with all that was typed. So "out" is believed the second time. */
  async askTwice() {
    const told = await ask(this.urls.state);
    if (told?.state !== "out") return told;
    this.cover(template.dataset.asking);
    await new Promise((resolve) => setTimeout(resolve, ONCE_MORE));
    return ask(this.urls.state);
  }

  cover(text = "") {
    this.screen.show();
    this.screen.say(text);
  }

  covered() {
    this.wanted = false;
    this.cover();
    this.askIn(STILL); // what is covered is dropped when the session ends
  }

  unreached() {
    if (this.screen.shown) this.screen.say(template.dataset.unreached);
    this.askIn(RETRY);
  }

  opened({ left, token }) {
    for (const input of document.querySelectorAll("input[name=csrf_token]")) input.value = token;
    template.content.querySelector("[name=csrf_token]").value = token;
    if (this.wanted) return this.unreached(); // to be locked, and not yet
    this.open(left);
    return this.screen.hide();
  }

  /** The session is over, or another's: this page is nobody's any more. */
  leave(state) {
    this.cover();
    document.dispatchEvent(new CustomEvent("lock:leaving"));
    const here = encodeURIComponent(location.pathname + location.search);
    location.replace(state === "out" ? `${this.urls.login}?next=${here}` : this.urls.home);
  }

  get token() {
    return template.content.querySelector("[name=csrf_token]").value;
  }

  lock() {
    this.wanted = true;
    this.cover();
    channel.postMessage("locked");
    this.check();
  }

  async lockServer() {
    // Done, it leads to the log-in page.
    const sent = await fetch(this.urls.lockUrl, {
      method: "POST",
      body: new URLSearchParams({ csrf_token: this.token }),
      redirect: "manual",
    }).catch(() => null);
    if (sent?.type !== "opaqueredirect") return;
    this.wanted = false;
    channel.postMessage("locked");
  }

  async unlock(password) {
    this.screen.wait(true);
    const told = await send(this.urls.unlock, { csrf_token: this.token, password });
    this.screen.wait(false);
    if (told?.state === "open") {
      this.wanted = false;
      this.opened(told);
      channel.postMessage("open");
    } else if (told?.said) this.screen.say(told.said, true);
    else this.check(); // perhaps unlocked in another tab, perhaps over
  }

  handOver() {
    if (!document.querySelector("[data-hand-over]")) this.cover(); // a page without the menu: the lock has one too
    const form = (this.screen.dialog ?? document).querySelector("form[action$='/hand-over']");
    form.elements.next.value = location.pathname;
    form.requestSubmit();
  }

  /** A form that might meet a locked desk waits for the server's word: sent then, it would be lost with the page. Those
   * that desk.js sends are not: their page stays. */
  submit(event) {
    const form = event.target;
    if (form.matches("[data-lock-now]")) {
      stop(event);
      this.lock();
    } else if (form.matches("[action$='/hand-over']")) {
      form.elements.next.value = location.pathname;
    } else if (!this.passed.delete(form) && isLeaving(form) && !this.sure && !this.screen.shown) {
      stop(event);
      this.sendWhenOpen(form, event.submitter);
    }
  }

  get sure() {
    return Math.abs(Date.now() - this.since) < SURE;
  }

  async sendWhenOpen(form, submitter) {
    if (this.sending) return;
    this.sending = true;
    const state = await this.check();
    this.sending = false;
    if (state === "locked" || state === "out" || this.screen.shown || !form.isConnected) return;
    this.passed.add(form);
    form.requestSubmit(submitter);
    this.passed.delete(form); // whoever held it back sends it as a new one
  }
}

const isLeaving = (form) => form.method === "post" && !form.matches("[data-desk-stay]");

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Alt and a letter: no browser, screen reader or input method at a desk has these two. By the place on the keyboard,
 * because with Alt the letter itself is another on some. */
function letter(event) {
  const plain = event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.getModifierState("AltGraph");
  return plain && !event.isComposing && { KeyL: "lock", KeyJ: "handOver" }[event.code];
}

function watch(guard) {
  window.addEventListener("submit", (event) => guard.submit(event), { capture: true });
  window.addEventListener("keydown", (event) => {
    const act = letter(event);
    if (!act) return;
    stop(event);
    if (!event.repeat && !(act === "lock" && guard.screen.shown)) guard[act]();
  }, { capture: true });
  channel.addEventListener("message", ({ data }) => {
    if (data === "locked") guard.cover();
    else if (guard.screen.shown || data === "out") guard.check();
  });
  const wake = () => document.visibilityState === "visible" && guard.check();
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("focus", wake);
  window.addEventListener("online", wake);
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    guard.cover(template.dataset.asking);
    guard.check();
  });
  // desk.js has fetched another page in place of this one; or met the log-in where it wanted to fetch one.
  document.addEventListener("desk:shown", () => {
    guard.open(Number(template.dataset.left));
    if (guard.screen.shown) guard.screen.takeTitle();
  });
  document.addEventListener("lock:ask", (event) => {
    event.preventDefault();
    guard.check();
  });
}

/** The log-in page tells other tabs that nobody is at the desk here, and goes on when one of them unlocks it. */
function wait() {
  channel.postMessage("out");
  const locked = document.querySelector("[data-locked-state]");
  if (!locked) return;
  const look = async () => {
    const told = document.visibilityState === "visible" ? await ask(locked.dataset.lockedState) : null;
    if (told?.state === "open") location.replace(locked.dataset.onward);
    else if (told?.state === "out") location.reload();
  };
  channel.addEventListener("message", look);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("focus", look);
}

if (template) {
  watch(new Guard(template.dataset));
  channel.postMessage("open");
} else if (document.querySelector("[data-login]")) wait();
