// What stands before the page while it is locked. The page itself stays as it is: hidden, out of reach, nothing lost.

export class Screen {
  /** `template` holds the dialog; `unlock(password)` is called when one is entered. */
  constructor(template, unlock) {
    this.template = template;
    this.unlock = unlock;
    this.dialog = null;
  }

  get shown() {
    return this.dialog !== null;
  }

  /** Covers the page. The title would tell what is behind: it goes too. */
  show() {
    if (this.shown) return;
    this.focused = document.activeElement;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
    document.documentElement.dataset.locked = "";
    this.takeTitle();
    this.dialog = this.template.content.firstElementChild.cloneNode(true);
    this.password = this.dialog.querySelector("#lock-password");
    this.password.type = "password"; // only now: an open page has no field for one, not even in its source
    this.dialog.addEventListener("cancel", (event) => event.preventDefault());
    // A browser may close it on a second Escape all the same.
    this.dialog.addEventListener("close", () => this.shown && this.open());
    this.dialog.querySelector("[data-unlock-form]").addEventListener("submit", (event) => {
      event.preventDefault();
      this.unlock(this.password.value);
    });
    document.body.append(this.dialog);
    this.open();
  }

  open() {
    this.dialog.showModal();
    this.password.focus();
  }

  /** Keeps the title of a page that came while it was covered. */
  takeTitle() {
    this.title = document.title;
    document.title = this.template.dataset.title;
  }

  /** Uncovers the page, the cursor where it was. */
  hide() {
    if (!this.shown) return;
    const { dialog } = this;
    this.dialog = null;
    dialog.close();
    dialog.remove();
    delete document.documentElement.dataset.locked;
    document.title = this.title;
    if (this.focused?.isConnected) this.focused.focus({ preventScroll: true });
  }

  /** Says something below the password; with `again` it is to be entered anew. */
  say(text, again = false) {
    if (!this.shown || (!text && this.password.hasAttribute("aria-invalid"))) return;
    const place = this.dialog.querySelector("[data-said]");
    if (place.textContent !== text) place.textContent = text;
    if (!again) return;
    this.password.setAttribute("aria-invalid", "true");
    this.password.value = "";
    this.password.focus();
  }

  /** While an answer is awaited, a second Enter sends nothing. */
  wait(waiting) {
    this.dialog?.querySelector("[data-unlock-form] button").toggleAttribute("disabled", waiting);
  }
}
