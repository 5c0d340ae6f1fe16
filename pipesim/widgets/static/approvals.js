import { button, h } from "./dom.js";
import { Desk, renderer } from "./desk.js";

class Approvals extends Desk {
  constructor(model, el) {
    super(model, el, "ps-approvals", "Approvals");
  }

  build() {
    this.head = h("p", { class: "ps-small", "aria-live": "polite" });
    this.list = h("ul", { class: "ps-cards" });
    this.answers = h("ul", { class: "ps-answers" });
    this.body.append(this.head, this.list, h("details", {}, h("summary", {}, "Answered"), this.answers));
  }

  draw() {
    const { now, waiting, answers } = this.model.get("view");
    if (!waiting) return;
    this.head.textContent = `${waiting.length || "Nothing"} waits for an answer · ${now}`.replace(/^(\d\d+|[2-9]) waits/, "$1 wait");
    this.fill(this.list, waiting.map((request) => this.item(request)));
    this.answers.replaceChildren(...answers.map(({ status, text }) => h("li", { class: `ps-line ps-is-${status}` }, text)));
  }

  item({ where, token, text, link, changes, since, expires }) {
    const key = `comment ${token}`;
    const answer = (what) => () => this.ask({ do: what, token, comment: (this.drafts.get(key) ?? "").trim() });
    const shown = /^https?:\/\//.test(link) ? h("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, link) : link;
    return h("li", { class: "ps-item", "data-token": token },
      h("h4", {}, where), text ? h("p", { class: "ps-message" }, text) : null,
      link ? h("p", {}, "To review: ", shown) : null,
      ...changes.map((change) => h("p", { class: "ps-small" }, change)),
      h("p", { class: "ps-small" }, [since, expires].filter(Boolean).join(", ")),
      this.field(key, "Comment", { maxlength: 512 }),
      h("div", { class: "ps-bar" },
        button("Approve", `Approve ${where}`, answer("approve"), { class: "ps-button ps-primary ps-approve", "data-key": `approve ${token}` }),
        button("Reject", `Reject ${where}`, answer("reject"), { class: "ps-button ps-danger ps-reject", "data-key": `reject ${token}` })));
  }
}

export default renderer(Approvals);
