// The builder's page: it draws what the kernel's `view` says and sends commands back. No rule of a pipeline lives here.

const DEBOUNCE = 200;
const PATIENCE = 6000;
const LARGEST = 5e6;
let builders = 0;

// ---- logic without a page, tested with node ----------------------------------------------------------------------

/** The value of a field as the kernel wants it: lines as a list, everything else as text. */
export function fieldValue(kind, text) {
  return kind === "lines" ? text.split("\n").map((line) => line.trim()).filter(Boolean) : text;
}

/** Tick or untick one choice; the order of those that stay is kept. */
export function toggled(values, value, on) {
  const rest = values.filter((one) => one !== value);
  return on ? [...rest, value] : rest;
}

/** The paths that the arrow keys walk through: one list a stage, its header first. */
export function columns(view) {
  return view.stages.map((stage) => [stage.path, ...stage.groups.flat().map((action) => action.path)]);
}

/** Where an arrow key leads from a path; the same path where it leads nowhere. */
export function neighbour(view, path, key) {
  const all = columns(view);
  const column = all.findIndex((paths) => paths.includes(path));
  if (column < 0) return all[0]?.[0] ?? "";
  const row = all[column].indexOf(path);
  const at = {
    ArrowUp: [column, row - 1], ArrowDown: [column, row + 1], ArrowLeft: [column - 1, row],
    ArrowRight: [column + 1, row], Home: [0, 0], End: [all.length - 1, 0],
  }[key];
  if (!at || !all[at[0]] || at[1] < 0) return path;
  const target = all[at[0]];
  return target[Math.min(at[1], target.length - 1)];
}

/** The command that a key means on a selected stage or action, or null. */
export function commandOf(event, path) {
  if (!path) return null;
  const directions = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };
  const isAction = path.includes(".actions[");
  if (event.altKey && directions[event.key]) return { op: "nudge", path, direction: directions[event.key] };
  if (event.altKey && event.code === "KeyP" && isAction) return { op: "join", path };
  if (event.altKey && event.code === "KeyS" && isAction) return { op: "part", path };
  if (event.key === "Delete" || event.key === "Backspace") return { op: "remove", path };
  return null;
}

/** The command that a drop means, or null where it means none. */
export function dropCommand(dragged, place) {
  if (!dragged || !place) return null;
  if (dragged.item) return { op: "add", item: dragged.item, place };
  if (dragged.path.includes(".actions[")) return { op: "move", path: dragged.path, place };
  return place.newStage ? { op: "move", path: dragged.path, place: { stage: place.stage } } : null;
}

/** The items of the palette that a search finds, by category. */
export function found(palette, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return palette
    .map(({ category, items }) => ({
      category,
      items: items.filter((item) => {
        const hay = `${item.label} ${item.words} ${category}`.toLowerCase();
        return words.every((word) => hay.includes(word));
      }),
    }))
    .filter(({ items }) => items.length);
}

/** The item that a search means most likely: one whose label holds the text, else the first one found, else null. */
export function best(palette, text) {
  const plain = text.trim().toLowerCase();
  const items = plain ? found(palette, text).flatMap((group) => group.items) : [];
  return items.find((item) => item.label.toLowerCase().startsWith(plain)) ??
    items.find((item) => item.label.toLowerCase().includes(plain)) ?? items[0] ?? null;
}

/** What makes two forms the same but for their values. */
export function shapeOf(form) {
  const section = (one) => [
    one.path, one.removable, one.adds.map((add) => add.path), one.folded,
    one.fields.map((field) => [field.path, field.kind, field.label, field.required, field.options]),
    one.sections.map(section),
  ];
  return JSON.stringify([form.path, form.subtitle, form.sections.map(section)]);
}

/** Whether a computed colour, such as `rgb(17, 17, 17)`, is a dark ground to write on. */
export function isDark(colour) {
  const [red, green, blue] = (colour.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

/** "1 problem", "2 problems". */
export function counted(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

// ---- small helpers of the page -----------------------------------------------------------------------------------

function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const GATES = { beforeEntry: "before entry", onSuccess: "on success", onFailure: "on failure" };
const KEYS = [
  ["Arrow keys", "walk over the palette and over the board"],
  ["Enter on the palette", "add the action (in the search: the one that fits best) where the choice above says"],
  ["Enter or F2 on the board", "edit what is selected; Escape in the form goes back"],
  ["Alt + arrows", "move the selected action or stage"],
  ["Alt + P, Alt + S", "run the action in parallel with the group before it, or on its own (in sequence)"],
  ["Insert", "add a stage after the selected one"],
  ["Delete", "remove the selected action or stage"],
  ["Ctrl + Z, Ctrl + Shift + Z", "undo, redo"],
  ["F6", "go on to the next part: palette, board, form"],
];

// ---- the page ----------------------------------------------------------------------------------------------------

class Page {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.uid = `ps-builder-${++builders}`;
    this.sent = 0;
    this.sentFor = new Map();
    this.pending = new Map();
    this.folds = new Map();
    this.shape = "";
    this.dragged = null;
    this.justDragged = false;
    this.where = "stage";
    this.cleanups = [];
    this.build();
    this.listen();
    this.theme();
    this.drawPalette();
    this.draw();
    this.showText();
    this.drawDiagram();
  }

  get view() {
    return this.model.get("view");
  }

  // -- building the frame

  build() {
    const button = (name, text, onclick, more = {}) =>
      make("button", { type: "button", class: `ps-button ps-${name}`, text, onclick, ...more });
    this.title = button("settings", "", () => this.select(""), { title: "Name, mode, variables, triggers …" });
    this.undo = button("undo", "↶ Undo", () => this.send({ op: "undo" }));
    this.redo = button("redo", "↷ Redo", () => this.send({ op: "redo" }));
    this.template = make("select", { class: "ps-input ps-template", "aria-label": "Begin with a template" });
    this.status = button("status", "", () => this.toggleProblems());
    const panel = (name) => (event) => this.togglePanel(name, event.currentTarget);
    this.bar = make("div", { class: "ps-bar", role: "toolbar", "aria-label": "Pipeline" },
      this.title, this.undo, this.redo,
      button("new", "New", () => this.send({ op: "new" })),
      make("span", { class: "ps-pair" }, this.template, button("use", "Use", () => this.useTemplate(),
        { "aria-label": "Use this template" })),
      button("open", "Open …", panel("open"), { "aria-expanded": "false" }),
      button("save", "Save …", panel("save"), { "aria-expanded": "false" }),
      button("keys", "Keys", panel("help"), { "aria-expanded": "false" }),
      make("span", { class: "ps-space" }), this.status);
    this.panels = { open: this.openPanel(button), save: this.savePanel(button), help: this.helpPanel() };
    this.palette = this.paletteFrame();
    this.board = make("div", { class: "ps-board", role: "group", "aria-label": "Stages and actions" });
    this.inspector = make("form", { class: "ps-inspector", "aria-label": "Details", autocomplete: "off" });
    this.list = make("ul", { class: "ps-problem-list" });
    this.problems = make("details", { class: "ps-problems" }, make("summary", { text: "Problems" }), this.list);
    this.picture = make("div", { class: "ps-picture", tabindex: "0", role: "group", "aria-label": "Diagram" });
    this.diagram = make("details", { class: "ps-diagram" },
      make("summary", { text: "Diagram" }), this.picture);
    if (this.model.get("show_diagram")) this.diagram.open = true;
    this.live = make("div", { class: "ps-live", role: "status", "aria-live": "polite" });
    this.root = make("div", { class: "ps-builder", "data-lm-suppress-shortcuts": "true" },
      this.bar, ...Object.values(this.panels), this.live,
      make("div", { class: "ps-body" }, this.palette, this.board, this.inspector),
      this.problems, this.diagram);
    this.fillTemplates();
    this.el.append(this.root);
  }

  fillTemplates() {
    this.template.replaceChildren(make("option", { value: "", text: "Template …" }),
      ...this.model.get("templates").map((name) => make("option", { value: name, text: name })));
  }

  useTemplate() {
    if (this.template.value) this.send({ op: "template", name: this.template.value });
    else this.say({ kind: "done", text: "Choose a template first" });
  }

  openPanel(button) {
    this.source = make("textarea", {
      class: "ps-input ps-source", rows: "4", id: `${this.uid}-source`, spellcheck: "false",
      placeholder: "GitHub → CodeBuild → Manual approval → Elastic Beanstalk",
    });
    const file = make("input", { type: "file", class: "ps-file", id: `${this.uid}-file`,
      accept: ".json,.jsonc,.yaml,.yml,.template,.txt,.sketch" });
    file.addEventListener("change", async () => {
      const [chosen] = file.files;
      if (!chosen) return;
      if (chosen.size > LARGEST) {
        this.say({ kind: "error", text: `${chosen.name} is too large to be a pipeline: ${(chosen.size / 1e6).toFixed(1)} MB, ` +
          `the limit is ${LARGEST / 1e6} MB. What was here is unchanged.` });
      } else {
        this.send({ op: "open", name: chosen.name }, [await chosen.arrayBuffer()]);
      }
      file.value = "";
    });
    return make("section", { class: "ps-panel ps-open-panel", hidden: true, "aria-label": "Open a pipeline" },
      make("label", { for: `${this.uid}-file`, text: "A file of this computer" }), file,
      make("label", { for: `${this.uid}-source`,
        text: "Or a path beside the notebook, a declaration as JSON, a CloudFormation template, or an arrow sketch" }),
      this.source,
      make("div", {}, button("open-source", "Open", () => this.send({ op: "open", source: this.source.value }))));
  }

  savePanel(button) {
    this.text = make("textarea", { class: "ps-input ps-text", rows: "6", readonly: true, id: `${this.uid}-text` });
    this.path = make("input", { class: "ps-input ps-path", id: `${this.uid}-path` });
    this.fileName = "";
    return make("section", { class: "ps-panel ps-save-panel", hidden: true, "aria-label": "Save the pipeline" },
      make("label", { for: `${this.uid}-text`, text: "The declaration, as the AWS CLI takes it" }), this.text,
      make("div", { class: "ps-row" },
        button("download", "Download", () => this.download()),
        make("label", { for: `${this.uid}-path`, text: "or save beside the notebook as (.yaml: a CloudFormation template)" }),
        this.path,
        button("save-path", "Save", () => this.send({ op: "save", path: this.path.value }))));
  }

  helpPanel() {
    return make("section", { class: "ps-panel ps-help-panel", hidden: true, "aria-label": "Keys" },
      make("dl", {}, ...KEYS.flatMap(([key, text]) => [make("dt", { text: key }), make("dd", { text })])));
  }

  paletteFrame() {
    this.search = make("input", { class: "ps-input ps-search", type: "search", "aria-label": "Search the palette",
      placeholder: "Search …", oninput: () => this.drawPalette() });
    const choice = (value, text) => {
      const input = make("input", { type: "radio", name: `${this.uid}-where`, value,
        onchange: () => { this.where = value; } });
      input.checked = value === this.where;
      return make("label", { class: `ps-where-${value}` }, input, ` ${text}`);
    };
    this.items = make("div", { class: "ps-items" });
    return make("section", { class: "ps-palette", "aria-label": "Palette of actions" },
      this.search,
      make("fieldset", { class: "ps-where" }, make("legend", { text: "A click adds it" }),
        choice("stage", "as a new stage"), choice("next", "next in the stage"), choice("together", "in parallel")),
      this.items);
  }

  // -- listening

  listen() {
    const on = (name, act) => {
      this.model.on(name, act);
      this.cleanups.push(() => this.model.off(name, act));
    };
    on("change:view", () => this.draw());
    on("change:diagram", () => this.drawDiagram());
    on("change:message", () => this.say(this.model.get("message")));
    on("change:palette", () => this.drawPalette());
    on("change:templates", () => this.fillTemplates());
    on("change:text", () => this.showText());
    on("comm_live_update", () => this.leave());
    this.diagram.addEventListener("toggle", () => {
      this.model.set("show_diagram", this.diagram.open);
      this.tell(() => this.model.save_changes());
    });
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.inspector.addEventListener("submit", (event) => event.preventDefault());
    this.listenToDrags();
    const observer = new MutationObserver(() => this.theme());
    observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
    this.cleanups.push(() => observer.disconnect());
  }

  theme() {
    const said = document.body.dataset.jpThemeLight;
    const dark = said === undefined ? isDark(getComputedStyle(this.root).backgroundColor) : said === "false";
    this.root.classList.toggle("ps-dark", dark);
    if (this.model.get("dark") !== dark) {
      this.model.set("dark", dark);
      this.tell(() => this.model.save_changes());
    }
  }

  send(command, buffers = []) {
    if (command.op !== "set") this.flush();
    if (this.selecting && command.op !== "select") this.select(this.selected);
    const number = this.sent = Math.max(this.sent, this.view.answered ?? 0) + 1;
    if (this.gone) {
      this.asleep();
      return number;
    }
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      if ((this.view.answered ?? 0) < number) this.asleep();
    }, PATIENCE);
    this.tell(() => this.model.send({ ...command, number }, undefined, buffers));
    return number;
  }

  /** Tell the kernel something; one that was restarted can be told nothing, and the page says so. */
  tell(act) {
    try {
      Promise.resolve(act()).catch(() => this.leave());
    } catch {
      this.leave();
    }
  }

  leave() {
    this.gone = true;
    this.asleep();
  }

  asleep() {
    clearTimeout(this.waiting);
    this.root.classList.add("ps-asleep");
    this.say({ kind: "error", details: [],
      text: this.gone
        ? "Asleep: the kernel that this builder lived in is gone. What is here can still be looked at and " +
          "downloaded (Save …); run the cell again to go on."
        : "The kernel does not answer yet: it is busy with something else. What was typed here is kept." });
  }

  flush() {
    for (const [, [timer, act]] of [...this.pending]) {
      clearTimeout(timer);
      act();
    }
  }

  edit(path, value, wait = DEBOUNCE) {
    clearTimeout(this.pending.get(path)?.[0]);
    const act = () => {
      this.pending.delete(path);
      this.sentFor.set(path, this.send({ op: "set", path, value }));
    };
    this.pending.set(path, [setTimeout(act, wait), act]);
    if (!wait) this.flush();
  }

  select(path, focus = "") {
    clearTimeout(this.selecting);
    this.selecting = null;
    this.selected = path;
    const number = this.send({ op: "select", path });
    if (focus) this.focusAfter(number, focus);
  }

  /** Select what the arrow keys came to, once they rest. */
  selectSoon(path) {
    clearTimeout(this.selecting);
    this.selected = path;
    this.selecting = setTimeout(() => this.select(path), DEBOUNCE);
  }

  /** Go to the board or to the form once the kernel has answered a command. */
  focusAfter(number, part) {
    this.focusNext = { number, part };
  }

  /** The part to go to now, if the answer is here. */
  due(part) {
    if (this.focusNext?.part !== part || (this.view.answered ?? 0) < this.focusNext.number) return false;
    this.focusNext = null;
    return true;
  }

  say(message) {
    if (!message?.kind) return;
    this.live.className = `ps-live ps-${message.kind}`;
    this.live.replaceChildren(make("span", { text: message.text }));
    if (message.details?.length) {
      this.live.append(make("ul", {}, ...message.details.map((text) => make("li", { text }))));
    }
  }

  // -- keys

  active() {
    return this.root.getRootNode().activeElement ?? document.activeElement;
  }

  key(event) {
    // A notebook in command mode that sees Enter takes the line break away from the field.
    event.stopPropagation();
    const target = event.target;
    const typing = target.matches("input, textarea, select");
    const own = !typing || target.dataset.path !== undefined || target.type === "radio" || target.type === "checkbox";
    if ((event.ctrlKey || event.metaKey) && own && event.code === "KeyZ") {
      event.preventDefault();
      this.send({ op: event.shiftKey ? "redo" : "undo" });
    } else if ((event.ctrlKey || event.metaKey) && own && event.code === "KeyY") {
      event.preventDefault();
      this.send({ op: "redo" });
    } else if (event.key === "F6") {
      event.preventDefault();
      this.nextPart(event.shiftKey);
    } else if (event.key === "Escape" && this.inspector.contains(target)) {
      event.preventDefault();
      this.flush();
      this.focusBoard(this.view.selection);
    } else if (target === this.search) {
      this.searchKey(event);
    } else if (this.board.contains(target)) {
      this.boardKey(event);
    } else if (this.items.contains(target)) {
      this.paletteKey(event);
    }
  }

  boardKey(event) {
    const path = event.target.dataset.path;
    const command = commandOf(event, path);
    if (command) {
      event.preventDefault();
      this.focusAfter(this.send(command), "board");
    } else if (event.key === "Insert") {
      event.preventDefault();
      this.focusAfter(this.send({ op: "add_stage" }), "board");
    } else if (path !== undefined && (event.key === "Enter" || event.key === "F2" || event.key === " ")) {
      event.preventDefault();
      if (path === this.view.selection && !this.selecting) this.focusForm();
      else this.select(path, "form");
    } else if (path !== undefined && (event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End")) {
      event.preventDefault();
      const next = neighbour(this.view, path, event.key);
      this.focusBoard(next);
      if (next !== path) this.selectSoon(next);
    }
  }

  searchKey(event) {
    const first = this.items.querySelector(".ps-item");
    if (event.key === "ArrowDown") {
      event.preventDefault();
      first?.focus();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const item = best(this.model.get("palette"), this.search.value);
      if (item) this.add(item.id);
    }
  }

  paletteKey(event) {
    const items = [...this.items.querySelectorAll(".ps-item")];
    const at = items.indexOf(event.target);
    const step = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (at < 0 || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.add(event.target.dataset.item);
    } else if (step || event.key === "Home" || event.key === "End") {
      event.preventDefault();
      const to = step ? at + step : event.key === "Home" ? 0 : items.length - 1;
      this.rove(items, Math.max(0, Math.min(items.length - 1, to)));
    }
  }

  rove(items, at) {
    items.forEach((item, index) => item.setAttribute("tabindex", index === at ? "0" : "-1"));
    items[at]?.focus();
  }

  nextPart(back) {
    const parts = [this.palette, this.board, this.inspector];
    const at = parts.findIndex((part) => part.contains(this.active()));
    const next = (at + (back ? -1 : 1) + parts.length) % parts.length;
    if (next === 0) (this.items.querySelector('[tabindex="0"]') ?? this.search).focus();
    else if (next === 1) this.focusBoard(this.view.selection);
    else this.focusForm();
  }

  focusBoard(path) {
    const items = [...this.board.querySelectorAll("[data-path]")];
    const item = items.find((one) => one.dataset.path === path) ?? items[0] ?? this.board.querySelector(".ps-gap");
    items.forEach((one) => one.setAttribute("tabindex", one === item ? "0" : "-1"));
    item?.focus();
  }

  /** Go to the field that a problem's path leads into, else to the first field with a problem, else to the first. */
  focusForm(path = this.target) {
    this.target = undefined;
    const fields = [...this.inspector.querySelectorAll("[data-path]")];
    const first = fields.find((one) => path && path.startsWith(one.dataset.path.split("#")[0])) ??
      fields.find((one) => one.getAttribute("aria-invalid") === "true") ?? fields[0];
    for (let box = first?.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    first?.focus();
    if (first?.select && first.type !== "checkbox") first.select();
  }

  add(item) {
    this.send({ op: "add", item, where: this.where });
  }

  // -- drag and drop

  listenToDrags() {
    this.root.addEventListener("dragstart", (event) => {
      const source = event.target.closest?.("[draggable]");
      if (!source) return;
      this.dragged = source.dataset.item ? { item: source.dataset.item } : { path: source.dataset.path };
      event.dataTransfer.setData("text/plain", source.dataset.name ?? "");
      event.dataTransfer.effectAllowed = "copyMove";
      this.justDragged = true;
      // Chromium ends a drag whose source changes within dragstart.
      setTimeout(() => this.root.classList.add("ps-dragging"), 0);
    });
    this.root.addEventListener("dragend", () => this.endDrag());
    this.board.addEventListener("dragover", (event) => {
      const zone = event.target.closest("[data-drop]");
      if (!zone || !dropCommand(this.dragged, this.placeOf(zone, event))) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = this.dragged.item ? "copy" : "move";
      if (this.over !== zone) {
        this.over?.classList.remove("ps-over");
        this.over = zone;
        zone.classList.add("ps-over");
      }
    });
    this.board.addEventListener("dragleave", (event) => {
      if (!this.board.contains(event.relatedTarget)) this.over?.classList.remove("ps-over");
    });
    this.board.addEventListener("drop", (event) => {
      const zone = event.target.closest("[data-drop]");
      const command = zone && dropCommand(this.dragged, this.placeOf(zone, event));
      this.endDrag();
      if (!command) return;
      event.preventDefault();
      this.send(command);
    });
  }

  /** The place that a zone stands for; a stage dropped on a stage goes before or after it, whichever is nearer. */
  placeOf(zone, event) {
    const place = JSON.parse(zone.dataset.drop);
    const stage = this.dragged?.path && !this.dragged.path.includes(".actions[") && zone.closest(".ps-stage");
    if (!stage) return place;
    const box = stage.getBoundingClientRect();
    return { stage: place.stage + (event.clientX > box.left + box.width / 2 ? 1 : 0), newStage: true };
  }

  endDrag() {
    this.over?.classList.remove("ps-over");
    this.over = null;
    this.dragged = null;
    if (this.late) this.draw();
    this.late = false;
    this.root.classList.remove("ps-dragging");
    setTimeout(() => { this.justDragged = false; }, 0);
  }

  // -- drawing

  draw() {
    const view = this.view;
    if (!view.stages) return;
    if (!this.gone && (view.answered ?? 0) >= this.sent && this.root.classList.contains("ps-asleep")) {
      this.root.classList.remove("ps-asleep");
      this.live.replaceChildren();
    }
    this.title.textContent = view.name || "Pipeline without a name";
    this.title.setAttribute("aria-pressed", String(view.selection === ""));
    this.undo.disabled = !view.undo;
    this.redo.disabled = !view.redo;
    this.undo.title = view.undo ? `Undo: ${view.undo} (Ctrl+Z)` : "Nothing to undo";
    this.redo.title = view.redo ? `Redo: ${view.redo} (Ctrl+Shift+Z)` : "Nothing to redo";
    const count = view.problems.length;
    this.status.textContent = count ? `! ${counted(count, "problem")}` : "✓ The service would take it";
    this.status.classList.toggle("ps-bad", count > 0);
    this.status.setAttribute("aria-expanded", String(this.problems.open));
    this.drawBoard(view);
    this.drawForm(view.form);
    this.drawProblems(view.problems);
  }

  drawBoard(view) {
    if (this.dragged) {
      this.late = true;
      return;
    }
    const held = this.board.contains(this.active()) ? this.active().dataset.path : undefined;
    const key = JSON.stringify(view.stages);
    const redrawn = key !== this.boardDrawn;
    if (redrawn) {
      this.boardDrawn = key;
      const scroll = this.board.scrollLeft;
      const nodes = [this.gap(0, view.stages.length)];
      view.stages.forEach((stage, index) => nodes.push(this.stage(stage, index), this.gap(index + 1, view.stages.length)));
      this.board.replaceChildren(...nodes);
      this.board.scrollLeft = scroll;
    }
    if (!redrawn && this.selectionDrawn === view.selection && this.focusNext?.part !== "board") return;
    const items = [...this.board.querySelectorAll("[data-path]")];
    const current = items.find((one) => one.dataset.path === view.selection) ?? items[0];
    items.forEach((one) => {
      one.setAttribute("tabindex", one === current ? "0" : "-1");
      one.setAttribute("aria-pressed", String(one.dataset.path === view.selection));
    });
    if (this.selectionDrawn !== view.selection && current?.dataset.path === view.selection) this.reveal(current);
    this.selectionDrawn = view.selection;
    if (this.due("board")) this.focusBoard(view.selection);
    else if (redrawn && held !== undefined) this.focusBoard(held);
  }

  /** Scroll the board, and only the board, until an item can be seen. */
  reveal(item) {
    const box = item.getBoundingClientRect();
    const frame = this.board.getBoundingClientRect();
    if (box.left < frame.left) this.board.scrollLeft -= frame.left - box.left + 24;
    else if (box.right > frame.right) this.board.scrollLeft += box.right - frame.right + 24;
  }

  gap(at, count) {
    const empty = count === 0;
    return make("button", {
      type: "button", class: `ps-gap${empty ? " ps-empty" : ""}`,
      "data-drop": JSON.stringify({ stage: at, newStage: true }),
      "aria-label": empty ? "Add the first stage" : `Add a stage at position ${at + 1}`,
      title: "Drop an action here for a new stage, or click to add an empty one",
      onclick: () => this.send({ op: "add_stage", at }),
    }, empty
      ? make("span", { class: "ps-invitation", text: "Drag a source here: GitHub, for example. Or choose it on the left and press Enter." })
      : make("span", { class: "ps-plus", "aria-hidden": "true", text: "+" }));
  }

  stage(stage, index) {
    const body = make("div", { class: "ps-stage-body" });
    stage.groups.forEach((group, at) => {
      body.append(this.slot(index, at, at > 0 ? "then" : ""));
      const cards = group.map((action) => this.card(action));
      const box = make("div", { class: `ps-group${group.length > 1 ? " ps-parallel" : ""}`,
        "data-drop": JSON.stringify({ stage: index, group: at, together: true }) });
      if (group.length > 1) box.append(make("div", { class: "ps-group-label", text: `${group.length} in parallel` }));
      box.append(...cards);
      body.append(box);
    });
    const end = this.slot(index, null, stage.groups.length ? "" : "Drop an action here");
    end.classList.add("ps-end");
    body.append(end);
    const gates = stage.gates.map((gate) => make("span", { class: "ps-gate", text: GATES[gate] }));
    const name = stage.name || "Stage without a name";
    const problems = stage.problems ? `, ${counted(stage.problems, "problem")}` : "";
    const head = make("div", {
      class: "ps-stage-head", draggable: "true", role: "button", "data-path": stage.path, "data-name": name,
      "aria-pressed": "false", "aria-label": `Stage ${name}${problems}`,
      "data-drop": JSON.stringify({ stage: index }), onclick: () => this.click(stage.path),
    }, make("span", { class: "ps-grip", "aria-hidden": "true", text: "⠿" }),
      make("span", { class: "ps-stage-name", text: name }), this.badge(stage.problems), ...gates);
    return make("section", { class: "ps-stage", "data-drop": JSON.stringify({ stage: index }),
      "aria-label": `Stage ${name}` }, head, body);
  }

  slot(stage, group, text) {
    return make("div", { class: "ps-slot", "data-drop": JSON.stringify({ stage, group }) },
      make("span", { class: "ps-slot-text", text: text === "then" ? "↓" : text }));
  }

  card(action) {
    const name = action.name || "Action without a name";
    const flow = [action.inputs.join(", "), action.outputs.join(", ")];
    const problems = action.problems ? `, ${counted(action.problems, "problem")}` : "";
    return make("div", {
      class: "ps-card", draggable: "true", role: "button", "data-path": action.path, "data-name": name,
      "data-category": action.category, "aria-pressed": "false",
      "aria-label": `Action ${name}, ${action.category}, ${action.label}${problems}`,
      onclick: () => this.click(action.path),
    }, make("span", { class: "ps-card-name", text: name }), this.badge(action.problems),
      make("span", { class: "ps-card-type", text: `${action.category} · ${action.label}` }),
      flow[0] || flow[1]
        ? make("span", { class: "ps-card-flow", text: `${flow[0]}${flow[1] ? ` → ${flow[1]}` : ""}`.trim() })
        : null);
  }

  badge(count) {
    return count ? make("span", { class: "ps-badge", title: counted(count, "problem"), text: `! ${count}` }) : null;
  }

  click(path) {
    if (this.justDragged) return;
    this.focusBoard(path);
    this.select(path);
  }

  // -- the form

  drawForm(form) {
    const shape = shapeOf(form);
    if (shape !== this.shape) {
      const active = this.active();
      const held = this.inspector.contains(active) ? (active.dataset.path ?? active.dataset.key) : undefined;
      const range = held !== undefined && active.selectionStart !== undefined ? [active.selectionStart, active.selectionEnd] : null;
      const same = this.formPath === form.path;
      const scroll = same ? this.inspector.scrollTop : 0;
      const typed = new Map();
      for (const [path, { input }] of this.fields ?? []) {
        if (same && input && this.isBusy(path)) typed.set(path, input.value);
      }
      this.shape = shape;
      this.formPath = form.path;
      this.fields = new Map();
      this.homes = new Map();
      this.formHead = this.head(form);
      this.inspector.replaceChildren(this.formHead, ...form.sections.map((one, at) => this.section(one, `${form.path}/${at}`)));
      for (const [path, value] of typed) {
        const input = this.fields.get(path)?.input;
        if (input) input.value = value;
      }
      this.inspector.scrollTop = scroll;
      if (held !== undefined && same) {
        const again = [...this.inspector.querySelectorAll("[data-path], [data-key]")]
          .find((one) => (one.dataset.path ?? one.dataset.key) === held);
        again?.focus({ preventScroll: true });
        if (again && range && again.setSelectionRange && /^(text|password|textarea|search)$/.test(again.type)) {
          again.setSelectionRange(...range);
        }
      }
    }
    this.patch(form);
    if (this.due("form")) this.focusForm();
  }

  head(form) {
    const act = (text, command, title) => make("button", { type: "button", class: "ps-button ps-act", text, title,
      "data-key": `act-${text}`, "aria-label": title, onclick: () => this.send(command) });
    const path = form.path;
    const tools = make("div", { class: "ps-tools", role: "toolbar", "aria-label": `Change this ${form.subtitle.split(" ")[0].toLowerCase()}` });
    const nudge = (text, direction) => act(text, { op: "nudge", path, direction }, `Move ${direction} (Alt + arrow)`);
    if (path.includes(".actions[")) {
      tools.append(nudge("↑", "up"), nudge("↓", "down"), nudge("←", "left"), nudge("→", "right"),
        act("In parallel", { op: "join", path }, "Run in parallel with the group before it (Alt + P)"),
        act("On its own", { op: "part", path }, "Run on its own, in sequence (Alt + S)"),
        act("Fill in examples", { op: "examples", path }, "Fill in examples for required configuration that is empty"),
        act("Remove", { op: "remove", path }, "Remove this action (Delete)"));
    } else if (path) {
      tools.append(nudge("←", "left"), nudge("→", "right"),
        act("Add a stage after it", { op: "add_stage" }, "Add a stage after this one (Insert)"),
        act("Remove", { op: "remove", path }, "Remove this stage (Delete)"));
    } else {
      tools.append(act("Fill in examples", { op: "examples" }, "Fill in examples for all required configuration that is empty"));
    }
    return make("div", { class: "ps-form-head" }, make("p", { class: "ps-subtitle" }), make("h3", { class: "ps-form-title" }),
      make("p", { class: "ps-form-help" }), tools, make("ul", { class: "ps-complaints" }));
  }

  section(one, key) {
    const inner = make("div", { class: "ps-section-body" });
    if (one.help) inner.append(make("p", { class: "ps-help", text: one.help }));
    const complaints = make("ul", { class: "ps-complaints" });
    inner.append(complaints, ...one.fields.map((field) => this.field(field)),
      ...one.sections.map((child, at) => this.section(child, `${key}/${at}`)));
    if (!one.fields.length && one.empty) inner.append(make("p", { class: "ps-help", text: one.empty }));
    for (const add of one.adds) {
      inner.append(make("button", { type: "button", class: "ps-button ps-add", text: `+ ${add.label}`,
        "data-key": `add-${add.path}`, onclick: () => this.send({ op: "add_entry", path: add.path }) }));
    }
    let remove = null;
    if (one.removable) {
      remove = make("button", { type: "button", class: "ps-button ps-remove", text: "Remove",
        "data-key": `remove-${one.path}`, onclick: () => this.send({ op: "remove", path: one.path }) });
      inner.append(remove);
    }
    const title = make(one.folded ? "summary" : "h4", { text: one.title });
    const box = make(one.folded ? "details" : "section", { class: "ps-section" }, title, inner);
    if (one.folded) {
      box.open = this.folds.get(key) ?? one.open ?? false;
      title.addEventListener("click", () => this.folds.set(key, !box.open));
    }
    this.homes.set(key, { title, complaints, box, remove });
    return box;
  }

  field(field) {
    const id = `${this.uid}-${field.path}`;
    const help = make("span", { class: "ps-help", id: `${id}-help`, text: field.help });
    const complaints = make("ul", { class: "ps-complaints", id: `${id}-problems` });
    const label = [field.label, field.required ? make("abbr", { class: "ps-required", title: "required", text: " *" }) : null].filter(Boolean);
    const shared = { "data-path": field.path, id, "aria-describedby": `${id}-problems ${id}-help`,
      "aria-required": field.required ? "true" : null };
    const entry = { complaints, kind: field.kind };
    if (field.kind === "checks") {
      entry.boxes = new Map();
      const boxes = field.options.map((option) => {
        const box = make("input", { type: "checkbox", "data-path": `${field.path}#${option.value}`,
          onchange: () => {
            entry.value = toggled(entry.value, option.value, box.checked);
            this.edit(field.path, entry.value, 0);
          } });
        entry.boxes.set(option.value, box);
        return make("label", { class: "ps-check" }, box, make("span", { text: option.label }));
      });
      entry.node = make("fieldset", { class: "ps-field ps-checks", "aria-describedby": shared["aria-describedby"] },
        make("legend", {}, ...label), ...boxes,
        boxes.length ? null : make("p", { class: "ps-help", text: "There is nothing to choose yet." }), complaints, help);
      this.fields.set(field.path, entry);
      return entry.node;
    }
    if (field.kind === "choice") {
      entry.input = make("select", { class: "ps-input", ...shared,
        onchange: () => this.edit(field.path, entry.input.value, 0) },
        ...field.options.map((option) => make("option", { value: option.value, text: option.label })));
    } else if (field.kind === "long" || field.kind === "lines") {
      entry.input = make("textarea", { class: "ps-input", rows: "3", spellcheck: "false", ...shared });
    } else {
      entry.input = make("input", { class: "ps-input", spellcheck: "false", ...shared,
        type: field.kind === "secret" ? "password" : "text", autocomplete: field.kind === "secret" ? "new-password" : "off",
        inputmode: field.kind === "number" ? "numeric" : null });
    }
    if (field.kind !== "choice") {
      entry.input.addEventListener("input", () => this.edit(field.path, fieldValue(field.kind, entry.input.value)));
      entry.input.addEventListener("blur", () => this.flush());
    }
    entry.node = make("div", { class: "ps-field" }, make("label", { for: id }, ...label), entry.input, complaints, help);
    this.fields.set(field.path, entry);
    return entry.node;
  }

  /** Put values and problems into a form whose shape stays; what is being typed is left alone. */
  patch(form) {
    const head = this.formHead;
    head.querySelector(".ps-subtitle").textContent = form.subtitle;
    head.querySelector(".ps-form-title").textContent = form.title;
    head.querySelector(".ps-form-help").textContent = form.help;
    this.complain(head.querySelector(".ps-complaints"), form.problems);
    const visit = (one, key) => {
      const home = this.homes.get(key);
      home.title.textContent = one.title;
      home.remove?.setAttribute("aria-label", `Remove ${one.title}`);
      this.complain(home.complaints, one.problems);
      if (one.folded && one.open && !home.box.open && !this.folds.has(key)) home.box.open = true;
      one.fields.forEach((field) => this.patchField(field));
      one.sections.forEach((child, at) => visit(child, `${key}/${at}`));
    };
    form.sections.forEach((one, at) => visit(one, `${form.path}/${at}`));
  }

  /** Whether something was typed that the kernel has not answered yet. */
  isBusy(path) {
    return this.pending.has(path) || (this.sentFor.get(path) ?? 0) > (this.view.answered ?? 0);
  }

  patchField(field) {
    const entry = this.fields.get(field.path);
    const busy = this.isBusy(field.path);
    this.complain(entry.complaints, field.problems);
    if (entry.boxes) {
      entry.node.classList.toggle("ps-invalid", field.problems.length > 0);
      if (busy) return;
      entry.value = field.value;
      for (const [value, box] of entry.boxes) box.checked = field.value.includes(value);
      return;
    }
    entry.input.setAttribute("aria-invalid", String(field.problems.length > 0));
    if (busy || entry.input.value === field.value) return;
    if (entry.kind === "lines" && fieldValue("lines", entry.input.value).join("\n") === field.value) return;
    entry.input.value = field.value;
  }

  complain(list, problems) {
    const key = JSON.stringify(problems);
    if (list.dataset.shown === key || (!problems.length && !list.children.length)) return;
    list.dataset.shown = key;
    list.replaceChildren(...problems.map((problem) => make("li", { class: "ps-complaint", title: problem.rule },
      make("span", { text: problem.message }),
      problem.hint ? make("span", { class: "ps-hint", text: ` Hint: ${problem.hint}` }) : null)));
  }

  // -- problems, panels, diagram

  drawProblems(problems) {
    this.problems.hidden = problems.length === 0;
    this.problems.querySelector("summary").textContent = counted(problems.length, "problem");
    const key = JSON.stringify(problems);
    if (key === this.problemsDrawn) return;
    this.problemsDrawn = key;
    this.list.replaceChildren(...problems.map((problem) => make("li", {},
      make("button", { type: "button", class: "ps-link", text: problem.where, onclick: () => this.goTo(problem) }),
      make("span", { text: `: ${problem.message}` }),
      problem.hint ? make("span", { class: "ps-hint", text: ` Hint: ${problem.hint}` }) : null)));
  }

  toggleProblems() {
    this.problems.open = !this.problems.open;
    this.status.setAttribute("aria-expanded", String(this.problems.open));
  }

  goTo(problem) {
    if (problem.place === this.view.selection) this.focusForm(problem.path);
    else {
      this.target = problem.path;
      this.select(problem.place, "form");
    }
  }

  togglePanel(name, button) {
    const panel = this.panels[name];
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", String(!panel.hidden));
  }

  showText() {
    this.text.value = this.model.get("text");
    const name = `${this.view.name.replace(/[^\w.@-]+/g, "-") || "pipeline"}.json`;
    if (this.path.value === this.fileName) this.path.value = name;
    this.fileName = name;
  }

  download() {
    const address = URL.createObjectURL(new Blob([this.text.value], { type: "application/json" }));
    const link = make("a", { href: address, download: this.fileName });
    this.root.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  drawDiagram() {
    const svg = this.model.get("diagram");
    if (!svg) {
      this.picture.replaceChildren(make("p", { class: "ps-help", text: "There is nothing to draw yet." }));
      return;
    }
    const drawn = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    this.picture.replaceChildren(document.importNode(drawn, true));
  }

  drawPalette() {
    const groups = found(this.model.get("palette"), this.search.value);
    const drawn = groups.flatMap(({ category, items }) => [
      make("h4", { class: "ps-category", "data-category": category, text: category }),
      ...items.map((item) => make("div", { class: "ps-item", draggable: "true", role: "button", tabindex: "-1",
        "data-item": item.id, "data-name": item.label, "data-category": category, title: item.help, text: item.label,
        "aria-label": `Add ${item.label}, ${category}`,
        onclick: () => { if (!this.justDragged) this.add(item.id); } })),
    ]);
    this.items.replaceChildren(...(drawn.length ? drawn : [make("p", { class: "ps-help", text: "Nothing of this name." })]));
    this.items.querySelector(".ps-item")?.setAttribute("tabindex", "0");
  }

  close() {
    this.flush();
    clearTimeout(this.waiting);
    clearTimeout(this.selecting);
    this.cleanups.forEach((act) => act());
  }
}

function render({ model, el }) {
  const page = new Page(model, el);
  return () => page.close();
}

export default { render };
