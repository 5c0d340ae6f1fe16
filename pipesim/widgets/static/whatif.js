import { asleepLine, button, h, setHidden, setText, watchKernel } from "./dom.js";

const SERIES = [["baseline", "pinned baseline"], ["now", "now"]];
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

class Knobs {
  constructor(model, el) {
    this.model = model;
    this.off = [];
    this.turnedAt = 0;
    this.latencies = [];
    this.controls = new Map();
    this.build();
    el.append(this.root);
    this.listen();
    this.drawKnobs();
    this.draw();
  }

  build() {
    const { model } = this;
    this.asleep = asleepLine();
    this.announcer = h("p", { class: "ps-say", "aria-live": "polite" });
    this.refusal = h("p", { class: "ps-refusal", role: "alert", hidden: true });
    this.pin = button("Pin as baseline", "Pin as baseline", () => this.togglePin(),
      { class: "ps-button ps-pin", "aria-pressed": "false" });
    this.measure = h("select", { class: "ps-measure", "aria-label": "Measure whose distribution is drawn",
      onchange: () => this.set({ measure: this.measure.value }) },
      ...model.get("measures").map(([value, text]) => h("option", { value }, text)));
    const bar = h("div", { class: "ps-bar", role: "toolbar", "aria-label": "What if" }, this.measure, this.pin,
      button("Reset", "Reset: set every knob to where it was", () => this.set({ settings: {} }), { class: "ps-button ps-reset" }),
      button("As Python", "As Python: show the settings as Python code", () => this.ask("python"), { class: "ps-button ps-python" }),
      button("As TOML", "As TOML: show the settings as a profile in TOML", () => this.ask("toml"), { class: "ps-button ps-toml" }));
    this.text = h("textarea", { class: "ps-text", rows: 10, readonly: true, spellcheck: "false", "aria-label": "The settings as text" });
    this.copied = h("span", { class: "ps-small", role: "status" });
    this.textBox = h("div", { class: "ps-text-box", hidden: true }, this.text, h("div", { class: "ps-bar" },
      button("Copy", "Copy the text", () => this.copy(), { class: "ps-button ps-copy" }),
      button("Close", "Close the text", () => setHidden(this.textBox, true), { class: "ps-button ps-close" }), this.copied));
    this.bar = h("progress", { class: "ps-progress", "aria-label": "Replications done" });
    this.how = h("span", { class: "ps-small ps-how" });
    this.halt = button("■ Stop", "Stop simulating", () => this.ask("halt"), { class: "ps-button ps-halt" });
    this.warnings = h("div", { class: "ps-warnings" });
    this.bars = h("figure", { class: "ps-bars" });
    this.waits = h("figure", { class: "ps-waits" });
    this.costs = h("figure", { class: "ps-costs" });
    this.table = h("div", { class: "ps-scroll ps-table", tabindex: "0", role: "region", "aria-label": "Measures" });
    this.root = h("div", { class: "ps-box ps-whatif", role: "group", "aria-label": `What if of ${model.get("title")}` },
      this.announcer, this.asleep, h("h3", { class: "ps-title" }, `What if: ${model.get("title")}`), bar, this.refusal,
      this.textBox,
      h("div", { class: "ps-body" },
        h("div", { class: "ps-knobs", role: "group", "aria-label": "Knobs" }, ...this.knobs()),
        h("div", { class: "ps-results" },
          h("div", { class: "ps-working" }, this.how, this.bar, this.halt), this.warnings,
          this.bars, this.waits, this.costs, this.table)));
  }

  knobs() {
    const groups = new Map();
    for (const knob of this.model.get("knobs")) {
      if (!groups.has(knob.group)) groups.set(knob.group, []);
      groups.get(knob.group).push(this.knob(knob));
    }
    return [...groups].map(([name, knobs]) => (name
      ? h("details", {}, h("summary", {}, name), ...knobs) : h("div", {}, ...knobs)));
  }

  knob(knob) {
    const shown = h("output");
    const turn = (index) => this.turn(knob, knob.offers[index][0]);
    const label = h("label", {}, knob.label);
    const control = knob.choice
      ? h("select", { onchange: () => turn(control.selectedIndex) }, ...knob.offers.map(([, text]) => h("option", {}, text)))
      : h("input", { type: "range", min: 0, max: knob.offers.length - 1, step: 1, oninput: () => turn(Number(control.value)) });
    control.dataset.knob = knob.name;
    control.setAttribute("aria-label", knob.group ? `${knob.group}: ${knob.label}` : knob.label);
    const box = h("div", { class: "ps-knob" }, label, shown, control);
    this.controls.set(knob.name, { knob, box, control, shown });
    return box;
  }

  listen() {
    const on = (name, heard) => {
      this.model.on(name, heard);
      this.off.push(() => this.model.off(name, heard));
    };
    on("change:view", () => this.draw());
    on("change:settings", () => this.drawKnobs());
    for (const name of ["pinned", "busy", "progress", "message", "measure"]) on(`change:${name}`, () => this.drawState());
    on("msg:custom", (message) => {
      if (message.text === undefined) return;
      this.text.value = message.text;
      setText(this.copied, "");
      if (!this.textBox.hidden) return;
      setHidden(this.textBox, false);
      this.text.focus();
    });
    this.off.push(watchKernel(this.model, (awake) => this.wake(awake)));
  }

  wake(awake) {
    setText(this.asleep, awake ? "" : "Asleep: the kernel is gone. What was worked out can still be read; run the cell again to turn the knobs.");
    setHidden(this.asleep, awake);
    for (const control of this.root.querySelectorAll("button, input, select")) control.disabled = !awake;
  }

  set(members) {
    for (const [name, value] of Object.entries(members)) this.model.set(name, value);
    this.model.save_changes();
  }

  ask(what) {
    if (what !== "halt") this.asked = what;
    this.model.send({ do: what });
  }

  turn(knob, value) {
    const settings = { ...this.model.get("settings"), [knob.name]: value };
    if (same(value, knob.start)) delete settings[knob.name];
    this.turnedAt = performance.now();
    this.set({ settings });
  }

  togglePin() {
    this.set({ pinned: this.model.get("pinned") === null ? { ...this.model.get("settings") } : null });
  }

  async copy() {
    this.text.select();
    try {
      await navigator.clipboard.writeText(this.text.value);
      setText(this.copied, "copied");
    } catch {
      setText(this.copied, document.execCommand("copy") ? "copied" : "press Ctrl+C to copy");
    }
  }

  drawKnobs() {
    const settings = this.model.get("settings");
    for (const { knob, box, control, shown } of this.controls.values()) {
      const turned = knob.name in settings;
      const value = turned ? settings[knob.name] : knob.start;
      const index = nearest(knob.offers, value);
      if (knob.choice) control.selectedIndex = index;
      else if (control.value !== String(index)) control.value = String(index);
      const exact = knob.offers.find(([offer]) => same(offer, value));
      const text = exact ? exact[1] : this.model.get("view").texts?.[knob.name] ?? String(value);
      setText(shown, knob.choice ? "" : text);
      if (!knob.choice) control.setAttribute("aria-valuetext", text);
      box.classList.toggle("ps-turned", turned);
    }
  }

  drawState() {
    const { model } = this;
    const pinned = model.get("pinned") !== null, busy = model.get("busy");
    this.pin.setAttribute("aria-pressed", String(pinned));
    setText(this.pin, pinned ? "Unpin the baseline" : "Pin as baseline");
    this.pin.title = this.pin.textContent;
    this.measure.value = model.get("measure");
    setText(this.refusal, model.get("message"));
    setHidden(this.refusal, !model.get("message"));
    const [done, all] = model.get("progress");
    this.bar.max = all || 1;
    this.bar.value = done;
    setHidden(this.bar, !busy);
    setHidden(this.halt, !busy);
    const view = model.get("view");
    if (view.n) {
      const slow = view.engine === "vectorised" ? "" : ` by the slower engine, because ${view.why}`;
      setText(this.how, busy ? `${done} of ${all} replications so far${slow}`
        : `${view.n.toLocaleString("en")} replications of ${view.horizon}${slow}`);
    }
  }

  draw() {
    const view = this.model.get("view");
    if (!view.bars) return this.drawState();
    this.warnings.replaceChildren(...view.warnings.map((text) => h("p", { class: "ps-warning" }, `… ${text}`)));
    setHidden(this.warnings, !view.warnings.length);
    this.drawBars(view.bars);
    this.drawParts(this.waits, "Where the lead time goes", view.waits);
    this.drawCosts(view.costs);
    this.drawTable(view.table);
    this.drawKnobs();
    this.drawState();
    if (!this.textBox.hidden) this.ask(this.asked);
    if (this.turnedAt && same(view.settings, this.model.get("settings"))) {
      this.latencies.push(performance.now() - this.turnedAt);
      this.turnedAt = 0;
    }
    const mean = view.bars.series.now?.mean_text;
    setText(this.announcer, mean ? `${view.bars.title}: mean ${mean}` : "");
  }

  drawBars({ title, ticks, series, beyond, text }) {
    const names = SERIES.filter(([name]) => series[name]);
    if (!names.length) {
      this.bars.replaceChildren(h("h4", {}, title), h("p", { class: "ps-small" }, text));
      this.bins = null;
      return;
    }
    if (!this.bins) {
      this.bins = series.now.shares.map(() => SERIES.map(([name]) => h("span", { class: `ps-${name}` })));
      this.means = Object.fromEntries(SERIES.map(([name]) => [name, h("span", { class: `ps-mean ps-of-${name}` })]));
      this.chart = h("div", { class: "ps-chart", role: "img" }, ...this.bins.map((pair) => h("span", { class: "ps-bin" }, ...[...pair].reverse())),
        ...Object.values(this.means));
      this.barTitle = h("h4");
      this.ticks = h("div", { class: "ps-ticks", "aria-hidden": "true" });
      this.key = h("figcaption", { class: "ps-key" });
      this.bars.replaceChildren(this.barTitle, this.chart, this.ticks, this.key);
    }
    const most = Math.max(...names.flatMap(([name]) => series[name].shares), 1e-9);
    SERIES.forEach(([name], place) => {
      const found = series[name];
      this.bins.forEach((pair, bin) => (pair[place].style.transform = `scaleY(${found ? found.shares[bin] / most : 0})`));
      setHidden(this.means[name], !found || found.place === null);
      if (found) this.means[name].style.transform = `translateX(${found.place * 100}%)`;
    });
    setText(this.barTitle, `Distribution over replications: ${title}`);
    this.chart.setAttribute("aria-label", `${title}. ${text}`);
    this.ticks.replaceChildren(...ticks.map((tick) => h("span", {}, tick)));
    this.key.replaceChildren(...names.map(([name, label]) => h("span", {}, h("span", { class: `ps-swatch ps-${name}` }),
      `${label}: mean ${series[name].mean_text}`)), ...(beyond ? [h("span", { class: "ps-small" }, beyond)] : []));
  }

  drawParts(figure, title, parts) {
    const rows = SERIES.filter(([name]) => parts.some((part) => part[name] !== null));
    const whole = Math.max(...rows.map(([name]) => parts.reduce((sum, part) => sum + (part[name] ?? 0), 0)), 1e-9);
    const strips = rows.map(([name, label]) => [h("p", { class: "ps-small" }, rows.length > 1 ? label : "mean over replications"),
      h("div", { class: "ps-strip", "aria-hidden": "true" }, ...parts.map((part) => {
        const piece = h("span", { class: `ps-part-${PARTS.indexOf(part.measure)}`, title: `${part.title}: ${part.texts[name]}` });
        piece.style.width = `${((part[name] ?? 0) / whole) * 100}%`;
        return piece;
      }))]).flat();
    const texts = (part) => rows.map(([name]) => part.texts[name] ?? "none").join(" → ");
    figure.replaceChildren(h("h4", {}, title), ...strips, h("ul", { class: "ps-key" }, ...parts.map((part) => h("li", {},
      h("span", { class: `ps-swatch ps-part-${PARTS.indexOf(part.measure)}` }), `${part.title}: ${texts(part)}`))));
  }

  drawCosts(costs) {
    const rows = SERIES.filter(([name]) => costs.some((cost) => cost[name] !== null));
    this.costs.replaceChildren(h("h4", {}, "What one replication costs"), h("ul", { class: "ps-key" }, ...costs.map((cost) =>
      h("li", {}, `${cost.title}: ${rows.map(([name]) => cost.texts[name] ?? "none").join(" → ")}`))));
    setHidden(this.costs, !costs.length);
  }

  drawTable({ head, rows, note }) {
    this.table.replaceChildren(h("table", {},
      h("thead", {}, h("tr", {}, ...head.map((text) => (text ? h("th", { scope: "col" }, text) : h("td"))))),
      h("tbody", {}, ...rows.map(([name, ...texts]) => h("tr", {}, h("th", { scope: "row" }, name), ...texts.map((text) => h("td", {}, text)))))),
      ...(note ? [h("p", { class: "ps-small" }, note)] : []));
  }

  remove() {
    for (const off of this.off) off();
  }
}

const PARTS = ["working", "waiting.stage lock", "waiting.pool", "waiting.approval", "waiting.transition", "waiting.condition",
  "waiting.retry", "waiting.delay"];

/** The place of the offer that is, or is nearest to, a value. */
function nearest(offers, value) {
  const exact = offers.findIndex(([offer]) => same(offer, value));
  if (exact >= 0) return exact;
  let found = 0;
  offers.forEach(([offer], place) => {
    if (typeof offer === "number" && typeof value === "number"
      && Math.abs(offer - value) < Math.abs((offers[found][0] ?? Infinity) - value)) found = place;
  });
  return found;
}

function render({ model, el }) {
  const view = new Knobs(model, el);
  view.root.psView = view;
  return () => view.remove();
}

export default { render };
