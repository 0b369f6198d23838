// Small comforts on top of pages that work without any of them.
import "./lock.js";

// A form that was sent is not sent twice: its button says what is happening and stops answering.
// Reset when the reader comes back by the browser's own memory of the page.
function markBusy(form) {
  const button = form.querySelector("button:not([type=button])");
  form.dataset.label = button.textContent;
  button.textContent = form.dataset.busy;
  button.setAttribute("aria-busy", "true");
  form.setAttribute("aria-busy", "true");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-busy]")) return;
  if (form.getAttribute("aria-busy") === "true") event.preventDefault();
  else markBusy(form);
});

function unmarkBusy() {
  for (const form of document.querySelectorAll("form[aria-busy]")) {
    const button = form.querySelector("button[aria-busy]");
    button.textContent = form.dataset.label;
    button.removeAttribute("aria-busy");
    form.removeAttribute("aria-busy");
  }
}

window.addEventListener("pageshow", (event) => event.persisted && unmarkBusy());
// The desk sends without leaving the page (desk.js): no answer came.
document.addEventListener("desk:lost", unmarkBusy);

// Menus close on Escape, on a click elsewhere, and when focus leaves them.
for (const menu of document.querySelectorAll("details[data-menu]")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
}

// The next step has the focus, so that Enter goes on; the Enter that sent the form, held or struck twice, does not.
const shown = performance.now();
document.querySelector("[data-guard]")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.repeat || performance.now() - shown < 700)) event.preventDefault();
});

// Copying: only where the browser allows it (https or localhost).
function copies(button) {
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.copied;
    setTimeout(() => {
      button.textContent = label;
    }, 2000);
  });
}

function offerCopies() {
  if (!navigator.clipboard) return;
  const requestId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
  for (const facts of document.querySelectorAll("[data-copy-label]")) {
    for (const fact of facts.querySelectorAll("dd")) {
      const text = fact.textContent.trim();
      if (!requestId.test(text)) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn-mini";
      button.textContent = facts.dataset.copyLabel;
      button.dataset.copy = text;
      button.dataset.copied = facts.dataset.copied;
      fact.append(" ", button);
    }
  }
  document.querySelectorAll("[data-copy]").forEach(copies);
}
offerCopies();
// The desk has put another page's content in the place of this one's.
document.addEventListener("desk:shown", offerCopies);

// A sheet of paper prints by the browser's own menu too; with a script, also by its button.
const printer = document.querySelector("[data-print]");
if (printer) {
  printer.hidden = false;
  printer.addEventListener("click", () => print());
}

// The vendor's sizes fill the form beside them.
for (const button of document.querySelectorAll("[data-fill-calls]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    document.querySelector("[name=calls]").value = button.dataset.fillCalls;
    document.querySelector("[name=price]").value = button.dataset.fillPrice;
  });
}

// A call on its way: ask quietly, and load the page anew only when something came of it.
const waiting = document.querySelector("[data-refresh]");
if (waiting) {
  const ask = async () => {
    if (!waiting.isConnected) return; // desk.js has put another page in its place
    const quiet = { cache: "no-store", headers: { "X-Background": "yes" } }; // keeps no desk open that is left
    const answer = await fetch(location.href, quiet).catch(() => null);
    if (answer?.redirected) document.dispatchEvent(new CustomEvent("lock:ask", { cancelable: true }));
    const text = answer?.ok && !answer.redirected ? await answer.text() : "";
    const progress = new DOMParser().parseFromString(text, "text/html").querySelector("[data-progress]");
    if (progress) document.querySelector("[data-progress]")?.replaceWith(progress);
    if (text && !text.includes("data-refresh")) location.reload();
    else setTimeout(ask, 1000 * waiting.dataset.refresh);
  };
  setTimeout(ask, 1000 * waiting.dataset.refresh);
}
