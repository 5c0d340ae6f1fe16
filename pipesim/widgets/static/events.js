import { button, h, setHidden, setText } from "./dom.js";
import { Desk, renderer } from "./desk.js";

class Events extends Desk {
  constructor(model, el) {
    super(model, el, "ps-events", "Events");
  }

  traits() {
    return ["problem", "words", "pattern", "selection"];
  }

  build() {
    const { model } = this;
    this.words = h("input", { type: "search", class: "ps-words", "aria-label": "Only events with all these words",
      placeholder: "Filter, such as: codebuild failed", value: model.get("words"), oninput: () => this.set({ words: this.words.value }) });
    this.pattern = h("textarea", { class: "ps-pattern", rows: 3, spellcheck: "false", "aria-label": "Event pattern as JSON",
      placeholder: '{"source": ["aws.codepipeline"]}', value: model.get("pattern"), oninput: () => this.set({ pattern: this.pattern.value }) });
    this.problem = h("p", { class: "ps-refusal ps-problem", role: "alert", hidden: true });
    this.head = h("p", { class: "ps-small", "aria-live": "polite" });
    this.list = h("div", { class: "ps-list", tabindex: "0", role: "region", "aria-label": "Events, the newest last" });
    this.event = h("pre", { class: "ps-event", tabindex: "0", role: "region", "aria-label": "The selected event" });
    this.rule = h("pre", { class: "ps-rule", tabindex: "0", role: "region", "aria-label": "A rule that catches it" });
    this.chosen = h("div", { class: "ps-two" },
      h("div", {}, h("h4", {}, "The event"), this.event),
      h("div", {}, h("h4", {}, "A rule's pattern that catches it"), this.rule,
        button("Use this pattern", "Use this pattern", () => {
          this.pattern.value = this.rule.textContent;
          this.set({ pattern: this.rule.textContent });
        }, { class: "ps-button ps-use" })));
    this.body.append(this.words, h("details", {}, h("summary", {}, "Event pattern"), this.pattern), this.problem, this.head, this.list, this.chosen);
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-id]");
      if (row) this.set({ selection: row.dataset.id === model.get("selection") ? "" : row.dataset.id });
    });
  }

  draw() {
    const { model } = this;
    const { all, count, rows, event, rule } = model.get("view");
    if (!rows) return;
    for (const name of ["words", "pattern"]) {
      if (document.activeElement !== this[name] && this[name].value !== model.get(name)) this[name].value = model.get(name);
    }
    setText(this.problem, model.get("problem"));
    setHidden(this.problem, !model.get("problem"));
    setText(this.head, `${count} of ${all} events${count > rows.length ? `, the last ${rows.length} are shown` : ""}`);
    const follows = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
    const selection = model.get("selection");
    this.fill(this.list, rows.map(({ id, time, source, type, text }) =>
      h("button", { type: "button", class: "ps-row", "data-id": id, "data-key": id, "aria-pressed": String(id === selection) },
        h("time", {}, time.slice(11, 19)), h("span", {}, h("b", {}, type), ` ${text}`), h("span"), h("span", { class: "ps-small" }, source))));
    if (follows) this.list.scrollTop = this.list.scrollHeight;
    setText(this.event, event);
    setText(this.rule, rule);
    setHidden(this.chosen, !event);
  }
}

export default renderer(Events);
