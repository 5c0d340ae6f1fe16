import { button, h, setHidden, setText } from "./dom.js";
import { Desk, renderer } from "./desk.js";

const SECTIONS = [["log", "Log"], ["roles", "Roles"], ["artifacts", "Artifacts"]];

class Troubleshoot extends Desk {
  constructor(model, el) {
    super(model, el, "ps-troubleshoot", `Troubleshoot ${model.get("view").title}`);
  }

  traits() {
    return ["section"];
  }

  build() {
    const ask = (what) => () => this.ask({ do: what });
    this.head = h("p", { class: "ps-small" });
    this.stages = h("ol", { class: "ps-key ps-stages", "aria-label": "Stages" });
    this.healed = h("p", { class: "ps-healed", role: "status", hidden: true }, "✓ Healed: the newest execution went through.");
    this.failure = h("p", { class: "ps-refusal ps-failure", hidden: true });
    this.hint = button("Give me a hint", "Give me a hint", ask("hint"), { class: "ps-button ps-give" });
    this.hints = h("ol", { class: "ps-hints", "aria-live": "polite", "aria-label": "Hints" });
    this.tabs = SECTIONS.map(([name, text]) => button(text, text, () =>
      this.set({ section: this.model.get("section") === name ? "" : name }), { class: "ps-button", "data-section": name, "aria-pressed": "false" }));
    this.section = h("div", { class: "ps-section" });
    this.body.append(this.head, this.stages, this.healed, this.failure,
      h("div", { class: "ps-bar" },
        button("Retry failed actions", "Retry failed actions", ask("retry"), { class: "ps-button ps-primary ps-retry" }),
        button("Start a change", "Start a change", ask("start"), { class: "ps-button ps-start" }),
        button("Let time pass", "Let time pass until nothing goes on without a person", ask("wait"), { class: "ps-button ps-wait" }),
        this.hint),
      this.hints, h("div", { class: "ps-bar", role: "group", "aria-label": "What to look at" }, ...this.tabs), this.section);
  }

  draw() {
    const view = this.model.get("view"), section = this.model.get("section");
    if (!view.stages) return;
    setText(this.head, `${view.now}${view.execution ? ` · newest execution ${view.execution}` : ""}`);
    this.stages.replaceChildren(...view.stages.map(({ name, status, word, sign }) =>
      h("li", { class: `ps-line ps-is-${status}` }, `${sign}\u00a0${name}: ${word.toLowerCase()}`)));
    setHidden(this.healed, !view.healed);
    const { where, code, message, after } = view.failure;
    setHidden(this.failure, !where);
    this.failure.replaceChildren(...(where ? [h("b", {}, where), ` ${after}. `, h("b", {}, code ?? ""), ` ${message ?? ""}`] : []));
    this.hints.replaceChildren(...view.hints.map((text) => h("li", { class: "ps-hint" }, text)));
    setText(this.hint, view.left ? `Give me a hint (${view.left} left)` : view.all ? "No hint left" : "Nothing to hint at");
    this.hint.disabled = !view.left || this.sleeping;
    for (const tab of this.tabs) tab.setAttribute("aria-pressed", String(tab.dataset.section === section));
    const sign = JSON.stringify([section, view.log, view.roles, view.artifacts]);
    if (sign === this.sign) return;
    this.sign = sign;
    this.fill(this.section, section === "log" ? this.log(view.log) : section === "roles" ? view.roles.map((role) => this.role(role))
      : section === "artifacts" ? this.artifacts(view.artifacts) : []);
  }

  log({ group, stream, lines }) {
    if (!lines?.length) return [h("p", { class: "ps-small" }, "The failed action wrote no log, or nothing has failed.")];
    return [h("p", { class: "ps-small" }, `CloudWatch Logs, group ${group}, stream ${stream}`),
      h("pre", { class: "ps-log-text", tabindex: "0", role: "region", "aria-label": "Log" }, lines.join("\n"))];
  }

  role({ name, whom, trust, policies, problem }) {
    return h("details", { class: "ps-role", "data-fold": name }, h("summary", {}, name), h("p", { class: "ps-small" }, `acts for ${whom.join(", ")}`),
      problem ? h("p", { class: "ps-warning" }, problem) : null,
      ...policies.map((policy) => this.policy(name, policy)),
      trust ? h("details", { "data-fold": `trust ${name}` }, h("summary", {}, "Who may take it"), h("pre", { tabindex: "0", role: "region", "aria-label": `Trust policy of ${name}` }, trust)) : null);
  }

  policy(role, { name, inline, text }) {
    if (!inline) return h("div", {}, h("h4", {}, `${name} (attached)`), h("pre", { tabindex: "0", role: "region", "aria-label": `Policy ${name}` }, text));
    const key = `policy ${role} ${name}`;
    const draft = this.drafts.get(key); // what was typed stays until the policy itself has changed
    const input = h("textarea", { rows: 12, spellcheck: "false", "data-key": key, "aria-label": `Policy ${name} of ${role}`,
      value: draft?.of === text ? draft.typed : text, oninput: () => this.drafts.set(key, { of: text, typed: input.value }) });
    return h("div", {}, h("h4", {}, name), input, h("div", { class: "ps-bar" },
      button("Save", `Save policy ${name} of ${role}`, () => this.ask({ do: "save", role, policy: name, document: input.value }), { class: "ps-button ps-save", "data-key": `save ${key}` })));
  }

  artifacts(found) {
    if (!found.length) return [h("p", { class: "ps-small" }, "Nothing lies in the artifact bucket.")];
    return [h("ul", {}, ...found.map(({ place, size, files }) => h("li", {}, h("details", { "data-fold": place }, h("summary", {}, `${place}, ${size.toLocaleString("en")} bytes`),
      h("p", { class: "ps-small" }, files.join(", ") || "no archive")))))];
  }
}

export default renderer(Troubleshoot);
