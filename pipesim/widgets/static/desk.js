import { asleepLine, h, setHidden, setText, watchKernel } from "./dom.js";

/** A page about a cloud: a title, what is said, and a body that its own class draws. */
export class Desk {
  constructor(model, el, name, title) {
    this.model = model;
    this.off = [];
    this.sleeping = false;
    this.drafts = new Map();
    this.asleep = asleepLine();
    this.refusal = h("p", { class: "ps-refusal", role: "alert", hidden: true });
    this.notice = h("p", { class: "ps-small ps-notice", role: "status" });
    this.body = h("div", { class: "ps-body" });
    this.root = h("div", { class: `ps-box ps-desk ${name}`, role: "group", "aria-label": title },
      this.asleep, h("h3", { class: "ps-title" }, title), this.notice, this.refusal, this.body);
    el.append(this.root);
    for (const heard of ["change:view", ...this.traits().map((trait) => `change:${trait}`)]) this.on(heard, () => this.draw());
    for (const trait of ["refusal", "notice"]) this.on(`change:${trait}`, () => this.say());
    this.off.push(watchKernel(model, (awake) => this.wake(awake)));
    this.build();
    this.say();
    this.draw();
  }

  traits() {
    return [];
  }

  build() {}

  on(name, heard) {
    this.model.on(name, heard);
    this.off.push(() => this.model.off(name, heard));
  }

  ask(order) {
    if (!this.sleeping) this.model.send(order);
  }

  set(members) {
    for (const [name, value] of Object.entries(members)) this.model.set(name, value);
    this.model.save_changes();
  }

  say() {
    const { code, message } = this.model.get("refusal") ?? {};
    setHidden(this.refusal, !code);
    this.refusal.replaceChildren(...(code ? [h("strong", {}, `Refused: ${code}`), ` ${message}`] : []));
    setText(this.notice, this.model.get("notice"));
  }

  wake(awake) {
    this.sleeping = !awake;
    setText(this.asleep, awake ? "" : "Asleep: the kernel that this cloud lived in is gone. What was seen can still be read; run the cell again to go on.");
    setHidden(this.asleep, awake);
    for (const control of this.root.querySelectorAll("button, input, textarea, select")) control.disabled = !awake;
  }

  /** Replace what is inside an element; the focus and what was unfolded stay. */
  fill(element, children) {
    const focused = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const unfolded = new Set([...element.querySelectorAll("details[open]")].map((one) => one.dataset.fold));
    element.replaceChildren(...children);
    for (const one of element.querySelectorAll("details")) one.open = unfolded.has(one.dataset.fold);
    if (this.sleeping) for (const control of element.querySelectorAll("button, input, textarea")) control.disabled = true;
    if (focused) [...element.querySelectorAll("[data-key]")].find((one) => one.dataset.key === focused)?.focus({ preventScroll: true });
  }

  /** An input that keeps what was typed while what is around it is drawn again. */
  field(key, label, attributes = {}) {
    const input = h("input", { type: "text", "data-key": key, value: this.drafts.get(key) ?? "", ...attributes,
      oninput: () => this.drafts.set(key, input.value) });
    return h("label", { class: "ps-field" }, label, input);
  }

  remove() {
    for (const off of this.off) off();
  }
}

export const renderer = (Kind) => ({
  render({ model, el }) {
    const view = new Kind(model, el);
    view.root.psView = view;
    return () => view.remove();
  },
});
