// The two fields that make a person: checked while one types, spoken about when there is something to say.
// Nothing stops the typing, and nothing is called wrong while it is half typed or still in an input method.
import * as names from "./names.js";
import * as numbers from "./numbers.js";

const SCIENTIFIC = /^[0-9](\.[0-9]+)?E[+]?[0-9]+$/i;

/** Shows or hides an element with the text inside it. */
function say(box, text) {
  const place = box.querySelector("[data-text]") ?? box;
  if (place.textContent !== text) place.textContent = text;
  box.hidden = !text;
}

/** One field: its input, its verdict, and the two lines below it. */
class Field {
  constructor(input, texts, rules, complete) {
    Object.assign(this, { input, texts, rules, complete });
    const lines = input.form.querySelector(`[data-field="${input.name}"]`);
    this.error = lines.querySelector("[data-error]");
    this.caution = lines.querySelector("[data-caution]");
  }

  get value() {
    return this.rules.normalise(this.input.value);
  }

  set value(text) {
    this.input.value = text;
  }

  get fault() {
    return this.rules.faults(this.value);
  }

  /** Says what is wrong or strange; with nothing typed only when asked for `all`. */
  speak(all = false) {
    const { value, fault } = this;
    const wrong = fault && (all || value) ? (this.rules.words?.(value, fault) ?? this.texts.faults[fault]) : "";
    say(this.error, wrong);
    if (wrong) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
    const strange = value && fault !== "length" ? this.rules.warnings(value) : [];
    say(this.caution, wrong ? "" : strange.map((warning) => this.texts.warnings[warning]).join(" "));
  }

  /** Says what is wrong beside the field's own rules. */
  refuse(text) {
    say(this.error, text);
    say(this.caution, "");
    this.input.setAttribute("aria-invalid", "true");
  }

  /** While one types: what was said is taken back, and said anew only of what is complete. */
  typed() {
    if (this.complete(this.value)) this.speak();
    else {
      say(this.error, "");
      say(this.caution, "");
      this.input.removeAttribute("aria-invalid");
    }
  }

  /** Left by the cursor: shown as it will be sent. */
  left() {
    if (!this.fault && this.input.value !== this.value) this.value = this.value;
    this.speak();
  }
}

/** The desk's form. `regionOf(code, year)` answers later, {places, until} or null; `onOther` hears that the person before
 * is gone, `onPerson` of each one whose number is sound. */
export class DeskForm {
  constructor(element, regionOf, { onOther, onPerson }) {
    Object.assign(this, { element, regionOf, onOther, onPerson });
    this.texts = JSON.parse(document.querySelector("[data-desk-texts]").textContent);
    const { today } = this.texts;
    const ofNumber = { ...numbers, faults: (number) => numbers.faults(number, today), words: this.destroyed };
    this.name = new Field(element.elements.name, this.texts.name, names, () => false);
    this.number = new Field(element.elements.id_number, this.texts.id_number, ofNumber, (number) => number.length >= 18);
    this.confirm = element.querySelector("[data-confirm]");
    this.reading = element.querySelector("[data-reading]");
    this.missed = null; // what is said at a control that was left empty: {control, line, before}
    this.known = ""; // the number without fault that stood here last
    for (const field of [this.name, this.number]) this.watch(field);
    element.elements.purpose.addEventListener("change", () => this.read());
    element.addEventListener("input", ({ target }) => {
      if (target === this.missed?.control) this.found();
      if (this.confirm.contains(target)) this.number.speak();
    });
    this.read();
  }

  get person() {
    return { name: this.name.value, number: this.number.value };
  }

  get empty() {
    return !this.name.value && !this.number.value;
  }

  destroyed = (number, fault) => {
    const lost = numbers.warnings(number).includes("lost_digits") || SCIENTIFIC.test(number);
    return lost && fault !== "fifteen" ? this.texts.destroyed : this.texts.id_number.faults[fault];
  };

  watch(field) {
    const react = () => {
      field.typed();
      this.read();
    };
    field.input.addEventListener("input", (event) => event.isComposing || react());
    field.input.addEventListener("compositionend", react);
    // On the way to the button nothing may move it from under the pointer.
    field.input.addEventListener("blur", (event) => event.relatedTarget?.matches("button") || field.left());
  }

  /** What the number says, as soon as it is one. */
  async read() {
    const number = this.number.value;
    const told = this.number.fault ? null : numbers.read(number);
    this.reading.hidden = !told;
    if (told && number !== this.known) this.meet(number);
    this.ask(number, told);
    if (told || !number) this.askWhoConsents();
    if (!told) return;
    this.tell("number", numbers.grouped(number));
    this.tell("born", told.birthDate);
    this.tell("age", numbers.age(told.birthDate, this.texts.today));
    this.tell("sex", this.texts.sexes[told.sex]);
    const region = await this.regionOf(told.region, Number(told.birthDate.slice(0, 4)));
    if (this.number.value === number) this.tell("region", this.placed(region));
  }

  /** A sound number, and not the one that stood here before. */
  meet(number) {
    if (this.known) this.another();
    this.known = number;
    this.onPerson(this.person);
  }

  tell(key, text) {
    this.reading.querySelector(`[data-said="${key}"]`).textContent = text;
  }

  placed(region) {
    if (!region) return this.texts.nowhere;
    const place = region.places.join(" ");
    return region.until ? this.texts.until.replace("{place}", place).replace("{year}", region.until) : place;
  }

  /** A number that ends in 000 asks for its tick, which belongs to this one number. */
  ask(number, told) {
    const tick = this.confirm.querySelector("input");
    const asked = Boolean(told) && numbers.warnings(number).includes("lost_digits");
    if (tick.value !== number) tick.checked = false;
    tick.value = number;
    tick.disabled = !asked;
    this.confirm.hidden = !asked;
  }

  get child() {
    const told = this.number.fault ? null : numbers.read(this.number.value);
    return Boolean(told) && numbers.age(told.birthDate, this.texts.today) < this.texts.adult;
  }

  /** A child's guardian is asked whatever the purpose; anybody else where the purpose rests on consent. */
  askWhoConsents() {
    const purpose = this.element.elements.purpose.selectedOptions[0];
    this.wake("guardian_consent", this.child);
    this.wake("consent", !this.child && purpose?.dataset.consent === "yes");
  }

  /** Shows a tick, or takes it off the page with whatever was ticked. */
  wake(name, wanted) {
    const tick = this.element.elements[name];
    if (tick?.type !== "checkbox") return;
    if (!wanted) tick.checked = false;
    tick.disabled = !wanted;
    tick.closest("[data-field]").hidden = !wanted;
  }

  /** Another person: what was ticked and said for the one before does not count. */
  another() {
    for (const tick of this.element.querySelectorAll("input[type=checkbox]")) tick.checked = false;
    this.wake("again", false);
    this.found();
    this.onOther();
  }

  fill({ name, number }) {
    const before = this.person;
    if (!this.empty && (name !== before.name || number !== before.number)) {
      this.another();
      this.element.elements.reference.value = "";
    }
    this.name.value = name;
    this.number.value = number;
    for (const field of [this.name, this.number]) field.left();
    this.read();
  }

  /** Half a person: a second half of the same kind begins the next one. */
  put(field, text) {
    const whole = this.person;
    const next = whole[field] ? { name: "", number: "" } : whole;
    this.fill({ ...next, [field]: this[field].rules.normalise(text) });
  }

  /** The first control that must be seen to before a call may be spent, or null. */
  needs() {
    const field = [this.name, this.number].find((one) => one.fault);
    if (field) return { input: field.input, field };
    const { consent, guardian_consent: guardian, purpose, reference } = this.element.elements;
    const tick = this.confirm.querySelector("input");
    if (!tick.disabled && !tick.checked) return { input: tick };
    if (purpose.selectedOptions[0]?.dataset.reference === "required" && !reference.value.trim()) return { input: reference };
    if (this.child) return guardian.checked ? null : { input: guardian };
    const asked = consent?.type === "checkbox" && this.texts.consent.includes(Number(purpose.value));
    return asked && !consent.checked ? { input: consent } : null;
  }

  /** Says at a control that is needed and was left empty what is to be done there, until it is: in the server's words,
   * where the server would say it. */
  miss(control) {
    this.found();
    const text = this.texts.missing[control.name];
    if (this.confirm.contains(control)) return this.number.refuse(text);
    const line = this.name.error.cloneNode(true);
    line.id = `${control.id}-error`;
    document.getElementById(line.id)?.remove(); // what the server said
    control.closest(".field").querySelector("label").after(line);
    say(line, text);
    this.missed = { control, line, before: control.getAttribute("aria-describedby") ?? "" };
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", `${line.id} ${this.missed.before}`);
  }

  /** Takes that back. */
  found() {
    if (!this.missed) return;
    const { control, line, before } = this.missed;
    line.remove();
    control.removeAttribute("aria-invalid");
    control.setAttribute("aria-describedby", before);
    this.missed = null;
  }

  /** A first-generation number, turned into the 18 characters that are to be compared with the card. */
  convert() {
    this.number.value = numbers.fromFifteen(this.number.value);
    this.number.left();
    this.read();
    say(this.number.caution, this.texts.converted);
  }
}
