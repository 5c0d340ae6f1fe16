import {
  Film, calendarText, clockText, detailsOf, durationText, keyMeaning, lasting, nextSpeed, panelAt,
  panelsAt, speedText, stampOf,
} from "./board.js";
import { button, h, setHidden, setText } from "./dom.js";

const ROWS = 200, ROWS_PLAYING = 30;
const MOST_EVENTS = 12, LOG_MS = 150;
const MOVE_MS = 450, CATCH_UP_MS = 900, SAVE_MS = 1000;
const NUMBERS = ["clock", "place"];

class View {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.film = new Film(JSON.parse(model.get("film")));
    this.live = model.get("live");
    this.clock = model.get("clock");
    this.place = model.get("place");
    if (!this.film.fits(this.place, this.clock)) this.place = this.film.placeAt(this.clock);
    this.saved = { clock: this.clock, place: this.place };
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.stages = [];
    this.drafts = new Map();
    this.log = { place: -1, words: null, rows: ROWS };
    this.frame = 0;
    this.off = [];
    this.costs = [];
    this.sleeping = false;
    this.loggedAt = 0;
    this.follows = true;
    this.build();
    this.listen();
    this.draw({ move: false });
    if (model.get("playing")) this.run();
    if (this.live) this.ask({ do: "film", from: this.film.length });
  }

  // --- the page --------------------------------------------------------------------------------

  build() {
    const { model } = this;
    const say = (name) => model.get(name);
    this.root = h("div", {
      class: "ps-player", role: "group", "aria-label": "Pipeline player",
      onkeydown: (event) => this.press(event),
    });
    this.asleep = h("p", { class: "ps-asleep", role: "status", hidden: true });
    this.title = h("h3", { class: "ps-title" });
    this.moment = h("p", { class: "ps-moment" });
    this.announcer = h("p", { class: "ps-say", "aria-live": "polite" });
    this.playButton = button("▶", "Play", () => this.toggle(), { class: "ps-button ps-play" });
    this.slider = h("input", {
      type: "range", class: "ps-slider", min: 0, max: 1000, step: 1, value: 0, "aria-label": "Moment",
      oninput: () => this.seek(this.film.end * (this.slider.value / 1000)),
    });
    this.marks = h("div", { class: "ps-marks", "aria-hidden": "true" });
    this.position = h("output", { class: "ps-clock" });
    this.speed = h("select", {
      class: "ps-speed", "aria-label": "Speed: simulated time in a second of watching",
      onchange: () => this.set({ speed: Number(this.speed.value) }),
    });
    this.artifactsButton = button("Artifacts", "Show the artifacts of each action", () =>
      this.set({ artifacts: !say("artifacts") }), { class: "ps-button ps-artifacts-toggle" });
    this.tableButton = button("Table", "Show the board as a table", () =>
      this.set({ as_table: !say("as_table") }), { class: "ps-button ps-table-toggle" });
    const bar = h("div", { class: "ps-bar", role: "toolbar", "aria-label": "Time" },
      h("span", { class: "ps-keys" },
        button("|◀", "To the start", () => this.seek(0), { class: "ps-button ps-start" }),
        button("◀", "One event back", () => this.step(-1), { class: "ps-button ps-back" }),
        this.playButton,
        button("▶|", "One event forward", () => this.step(1), { class: "ps-button ps-forward" }),
        button("▶▶", "To the next interesting event", () => this.interesting(), { class: "ps-button ps-interesting" }),
        button("▶◼", "To the end", () => this.seek(this.film.end), { class: "ps-button ps-end" })),
      h("span", { class: "ps-track" }, this.slider, this.marks),
      this.position, this.speed, h("span", { class: "ps-keys" }, this.artifactsButton, this.tableButton));
    this.refusal = h("p", { class: "ps-refusal", role: "alert", hidden: true });
    this.notice = h("p", { class: "ps-notice", role: "status", hidden: true });
    this.needs = h("p", { class: "ps-needs", hidden: true });
    this.board = h("ol", { class: "ps-board", "aria-label": "Stages" });
    this.tableBox = h("div", { class: "ps-table-box", tabindex: "0", role: "region", "aria-label": "Board as a table" });
    this.ended = h("div", { class: "ps-ended" });
    this.inspector = h("section", { class: "ps-inspector", "aria-label": "Details" });
    this.filter = h("input", {
      type: "search", class: "ps-filter", placeholder: "Filter, such as: E2 failed", "aria-label": "Filter the event log",
      value: say("filter"), oninput: () => this.set({ filter: this.filter.value }),
    });
    this.logList = h("ol", { class: "ps-log", "aria-label": "Events", tabindex: "0" });
    this.more = button("Show earlier events", "Show earlier events", () => {
      this.log.rows += ROWS;
      this.log.place = -1;
      this.drawLog();
    }, { class: "ps-button ps-more", hidden: true });
    this.boardBox = h("div", { class: "ps-board-box" }, this.board, this.tableBox, this.ended);
    this.root.append(
      this.asleep, h("header", { class: "ps-head" }, this.title, this.moment), bar,
      ...(this.live ? [this.liveBar()] : []), this.refusal, this.notice, this.needs,
      h("div", { class: "ps-body" }, this.boardBox,
        h("div", { class: "ps-side" }, this.inspector,
          h("section", { class: "ps-log-box", "aria-label": "Event log" },
            h("div", { class: "ps-log-head" }, h("h4", {}, "Events"), this.filter), this.more, this.logList))),
      this.announcer);
    if (say("height")) this.root.style.setProperty("--ps-height", say("height"));
    this.el.append(this.root);
    this.fillSpeeds();
    this.showToggles();
    this.showRefusal();
    this.drawMarks();
  }

  liveBar() {
    const go = (goal, seconds) => () => this.ask({ do: "advance", goal, seconds });
    const change = h("input", { type: "text", class: "ps-change", placeholder: "new change", maxlength: 40,
      "aria-label": "Label of the change to start; empty: a new one" });
    const values = new Map();
    const variables = this.film.declaration(this.place).variables.map((variable) => {
      const input = h("input", { type: "text", placeholder: variable.default ?? "required",
        title: variable.description ?? "", oninput: () => values.set(variable.name, input.value) });
      return h("label", { class: "ps-variable" }, variable.name, input);
    });
    const start = () => {
      const given = Object.fromEntries([...values].filter(([, value]) => value !== ""));
      this.ask({ do: "start", change: change.value.trim(), variables: given });
      change.value = "";
    };
    change.addEventListener("keydown", (event) => event.key === "Enter" && start());
    this.halt = button("■ Stop", "Stop the run that is going on", () => this.ask({ do: "halt" }), { class: "ps-button ps-halt" });
    this.running = h("span", { class: "ps-running" }, "running …");
    return h("div", { class: "ps-bar ps-live", role: "toolbar", "aria-label": "Simulation" },
      h("span", { class: "ps-keys" }, change,
        button("Start a change", "Start a change", start, { class: "ps-button ps-primary ps-start-change" })),
      variables.length ? h("details", { class: "ps-variables" }, h("summary", {}, "Variables"), ...variables) : null,
      h("span", { class: "ps-keys" }, h("span", { class: "ps-hint" }, "Go on:"),
        button("1 event", "Go on to the next event", go("event"), { class: "ps-button ps-go-event" }),
        button("1 min", "Go on for 1 minute", go("time", 60), { class: "ps-button ps-go-minute" }),
        button("10 min", "Go on for 10 minutes", go("time", 600), { class: "ps-button ps-go-ten" }),
        button("1 h", "Go on for 1 hour", go("time", 3600), { class: "ps-button" }),
        button("1 day", "Go on for 1 day", go("time", 86400), { class: "ps-button" }),
        button("until something happens", "Go on until something fails, waits, is decided, or is over", go("interesting"),
          { class: "ps-button ps-go-interesting" }),
        button("to the end", "Go on until nothing can happen any more", go("end"), { class: "ps-button ps-go-end" }),
        this.halt, this.running));
  }

  // --- what it listens to ----------------------------------------------------------------------

  listen() {
    const on = (name, heard) => {
      this.model.on(name, heard);
      this.off.push(() => this.model.off(name, heard));
    };
    let waiting = false;
    for (const name of NUMBERS) {
      on(`change:${name}`, () => {
        if (waiting) return;
        waiting = true;
        queueMicrotask(() => {
          waiting = false;
          this.pull();
        });
      });
    }
    on("change:playing", () => (this.model.get("playing") ? this.run() : this.rest()));
    on("change:speed", () => this.fillSpeeds());
    on("change:selection", () => this.draw({ move: false }));
    on("change:filter", () => {
      if (this.filter.value !== this.model.get("filter")) this.filter.value = this.model.get("filter");
      this.log.rows = ROWS;
      this.drawLog();
    });
    for (const name of ["artifacts", "as_table"]) on(`change:${name}`, () => (this.showToggles(), this.draw({ move: false })));
    for (const name of ["busy", "broken", "logs"]) on(`change:${name}`, () => this.draw({ move: false }));
    for (const name of ["refusal", "notice"]) on(`change:${name}`, () => this.showRefusal());
    on("msg:custom", (message) => {
      this.wake(true);
      if (message.film) this.grow(message.film);
    });
    on("comm_live_update", () => this.wake(false));
    this.off.push(() => cancelAnimationFrame(this.frame));
    this.boardBox.addEventListener("click", (event) => this.choose(event));
    this.logList.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.logList;
      this.follows = scrollHeight - scrollTop - clientHeight < 40;
    }, { passive: true });
    this.logList.addEventListener("click", (event) => {
      const row = event.target.closest("button[data-place]");
      if (row) this.goTo(Number(row.dataset.place));
    });
  }

  /** The kernel answered, or it is gone: say so rather than take orders that nobody hears. */
  wake(awake) {
    if (awake === !this.sleeping) return;
    this.sleeping = !awake;
    setText(this.asleep, awake ? "" : this.live
      ? "Asleep: the kernel that this simulation lived in is gone. What was seen can still be looked at; run the cell again to go on."
      : "Asleep: the kernel is gone. The film still plays; run the cell again to connect it to Python.");
    setHidden(this.asleep, awake);
    if (!awake && this.live && this.model.get("playing")) this.set({ playing: false });
    for (const control of this.root.querySelectorAll(".ps-live :is(button, input)")) control.disabled = !awake;
    this.draw({ move: false });
  }

  ask(order) {
    if (!this.sleeping) this.model.send(order);
  }

  set(members) {
    for (const [name, value] of Object.entries(members)) this.model.set(name, value);
    this.model.save_changes();
  }

  grow(part) {
    if (part.from < this.film.length || !this.film.add(part)) {
      if (part.from + part.time.length > this.film.length) this.ask({ do: "film", from: this.film.length });
      else if (part.end > this.film.end) this.film.end = part.end;
      return;
    }
    if (performance.now() - this.markedAt > SAVE_MS) this.drawMarks();
    this.drawPosition();
  }

  /** The kernel has moved the clock. */
  pull() {
    const clock = this.model.get("clock"), place = this.model.get("place");
    if (clock === this.saved.clock && place === this.saved.place) return;
    if (this.live && this.model.get("playing")) return;
    this.saved = { clock, place };
    const forward = clock > this.clock && place >= this.place;
    if (this.live && forward && !this.calm.matches) {
      this.catching = { from: this.clock, to: clock, place, since: performance.now() };
      this.loop();
    } else {
      this.show(clock, place, { move: true });
    }
  }

  // --- time ------------------------------------------------------------------------------------

  /** Stand at a moment; tell the kernel only where the watcher moved it. */
  show(clock, place, { move = false, tell = false } = {}) {
    this.clock = Math.min(Math.max(0, clock), Math.max(this.film.end, 0));
    this.place = Math.min(Math.max(0, place), this.film.length);
    if (!this.film.fits(this.place, this.clock)) this.place = this.film.placeAt(this.clock);
    this.draw({ move });
    if (tell) this.save();
  }

  save() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      if (this.saved.clock === this.clock && this.saved.place === this.place) return;
      this.saved = { clock: this.clock, place: this.place };
      this.set(this.saved);
    }, 120);
  }

  seek(clock) {
    this.catching = null;
    this.show(clock, this.film.placeAt(clock), { tell: true });
    this.sayMoment();
  }

  goTo(place, { move = true } = {}) {
    this.catching = null;
    this.show(this.film.momentOf(place), place, { move, tell: true });
    this.sayMoment();
  }

  step(n) {
    if (this.model.get("playing")) this.set({ playing: false });
    if (this.live && n > 0 && this.place >= this.film.length) return this.ask({ do: "advance", goal: "event" });
    this.goTo(Math.min(Math.max(0, this.place + n), this.film.length));
  }

  interesting() {
    const next = this.film.nextInteresting(this.place);
    if (next !== null) this.goTo(next);
    else if (this.live) this.ask({ do: "advance", goal: "interesting" });
    else this.seek(this.film.end);
  }

  toggle() {
    const playing = !this.model.get("playing");
    if (playing && this.live && this.sleeping) return;
    if (playing && !this.live && this.clock >= this.film.end) this.show(0, this.film.placeAt(0));
    this.set({ playing });
  }

  run() {
    this.before = performance.now();
    this.told = this.before;
    this.draw({ move: false });
    this.loop();
  }

  rest() {
    if (this.live) this.drawMarks();
    this.draw({ move: false });
    if (this.live) this.pull();
    else this.save();
    this.sayMoment();
  }

  loop() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  tick(now) {
    if (!this.root.isConnected) return;
    const began = performance.now();
    const playing = this.model.get("playing");
    if (this.catching) {
      const { from, to, place, since } = this.catching;
      const part = Math.min(1, Math.max(0, now - since) / CATCH_UP_MS);
      const clock = from + (to - from) * part;
      if (part >= 1) {
        this.catching = null;
        this.drawMarks();
        this.show(to, place, { move: true });
        this.sayMoment();
      } else {
        this.show(clock, Math.max(this.place, this.film.placeAt(clock)), { move: true });
      }
    } else if (playing) {
      const clock = this.clock + (Math.max(0, now - this.before) / 1000) * this.model.get("speed");
      this.before = now;
      const over = clock >= this.film.end;
      this.show(clock, this.film.placeAt(Math.min(clock, this.film.end)), { move: true });
      if (over && !this.live) {
        this.save();
        this.set({ playing: false });
      } else if (!this.live && now - this.told > SAVE_MS) {
        this.told = now;
        this.save();
      }
    }
    this.costs.push(performance.now() - began);
    if (this.costs.length > 600) this.costs.shift();
    if (this.catching || this.model.get("playing")) this.loop();
  }

  // --- keys and clicks -------------------------------------------------------------------------

  press(event) {
    const target = event.target;
    const typing = target.matches("input:not([type=range]), select, textarea");
    if (typing) {
      if (event.key === "Escape") this.root.querySelector(".ps-play").focus();
      return;
    }
    const meaning = keyMeaning(event);
    if (!meaning || (event.key === " " && target.matches("button, summary"))) return;
    if (target.matches("[type=range]") && /^(Arrow|Home|End)/.test(event.key)) return;
    if (target.matches(".ps-log, .ps-table-box") && /^(Home|End)/.test(event.key)) return;
    event.preventDefault();
    const act = {
      play: () => this.toggle(), forward: () => this.step(1), back: () => this.step(-1),
      interesting: () => this.interesting(), start: () => this.seek(0), end: () => this.seek(this.film.end),
      deselect: () => this.select([]), artifacts: () => this.set({ artifacts: !this.model.get("artifacts") }),
      table: () => this.set({ as_table: !this.model.get("as_table") }), filter: () => this.filter.focus(),
      faster: () => this.set({ speed: nextSpeed(this.model.get("speeds"), this.model.get("speed"), 1) }),
      slower: () => this.set({ speed: nextSpeed(this.model.get("speeds"), this.model.get("speed"), -1) }),
    };
    act[meaning]();
  }

  choose(event) {
    const chosen = event.target.closest("[data-selection]");
    if (chosen) this.select(JSON.parse(chosen.dataset.selection));
  }

  select(selection) {
    const same = JSON.stringify(selection) === JSON.stringify(this.model.get("selection"));
    this.set({ selection: same ? [] : selection });
  }

  // --- what it says ----------------------------------------------------------------------------

  say(text) {
    setText(this.announcer, text);
  }

  sayMoment() {
    const last = this.place ? this.film.text[this.place - 1] : "Nothing has happened yet.";
    this.say(`${clockText(this.clock)}. ${last}`);
  }

  fillSpeeds() {
    const speed = this.model.get("speed");
    const offered = [...new Set([...this.model.get("speeds"), speed])].sort((a, b) => a - b);
    this.speed.replaceChildren(...offered.map((value) => h("option", { value: String(value) }, speedText(value))));
    this.speed.value = String(speed);
  }

  showToggles() {
    for (const [toggle, name] of [[this.artifactsButton, "artifacts"], [this.tableButton, "as_table"]]) {
      toggle.setAttribute("aria-pressed", String(this.model.get(name)));
    }
    this.root.classList.toggle("ps-with-artifacts", this.model.get("artifacts"));
    const table = this.model.get("as_table");
    setHidden(this.board, table);
    setHidden(this.tableBox, !table);
  }

  showRefusal() {
    const { code, message } = this.model.get("refusal") ?? {};
    setText(this.notice, this.model.get("notice"));
    setHidden(this.notice, !this.model.get("notice"));
    setHidden(this.refusal, !code);
    this.refusal.replaceChildren(...(code ? [h("strong", {}, `Refused: ${code}`), ` ${message}`] : []));
  }

  // --- drawing ---------------------------------------------------------------------------------

  draw({ move }) {
    const { film, place, clock } = this;
    const declared = film.declaration(place);
    if (declared !== this.declared) this.layOut(declared);
    const events = Math.abs(place - this.drawnPlace);
    this.drawnPlace = place;
    if (this.model.get("as_table")) this.drawTable(panelsAt(film, place, clock));
    else this.drawBoard(move && events <= MOST_EVENTS && !this.calm.matches);
    this.drawEnded();
    this.drawPosition();
    this.drawNeeds();
    this.drawInspector();
    this.drawLog();
  }

  layOut(declared) {
    this.declared = declared;
    setText(this.title, `${declared.name} · ${declared.mode}`);
    this.root.setAttribute("aria-label", `Player of pipeline ${declared.name}`);
    this.stages = declared.stages.map((stage, number) => this.stageElements(stage, number));
    this.board.replaceChildren(...this.stages.map((elements) => elements.item));
  }

  stageElements(stage, number) {
    const cards = stage.actions.map((action) => {
      const status = h("span", { class: "ps-line ps-status-line" });
      const lines = h("span", { class: "ps-lines" });
      const artifacts = h("span", { class: "ps-artifacts" });
      const provider = action.approval ? "Manual approval" : action.provider;
      const card = h("button", { type: "button", class: "ps-card",
        "data-selection": JSON.stringify(["action", stage.name, action.name]) },
        h("span", { class: "ps-action" }, action.name), h("span", { class: "ps-small" }, provider), status, lines, artifacts);
      return { card, status, lines, artifacts, order: action.order, sign: "" };
    });
    const orders = [...new Set(cards.map((entry) => entry.order))].sort((a, b) => a - b);
    const groups = orders.map((order, place) => {
      const members = cards.filter((entry) => entry.order === order);
      return h("li", { class: "ps-group" },
        place ? h("span", { class: "ps-then", "aria-hidden": "true" }, "↓") : null,
        members.length > 1 ? h("span", { class: "ps-together" }, `${members.length} in parallel`) : null,
        h("ul", { class: "ps-cards" }, ...members.map((entry) => h("li", {}, entry.card))));
    });
    const closed = h("span", { class: "ps-line ps-disabled", hidden: true });
    const waits = h("span", { class: "ps-small", hidden: true }, "waiting");
    const queue = h("ul", { class: "ps-queue", "aria-label": `waiting before ${stage.name}, first to enter first`, hidden: true });
    const door = h("div", { class: "ps-door" }, closed, waits, queue);
    const arrow = h("span", { class: "ps-arrow", "aria-hidden": "true" }, "→");
    const status = h("span", { class: "ps-status" });
    const inside = h("ul", { class: "ps-inside", "aria-label": "executions" });
    const lines = h("div", { class: "ps-conditions" });
    const head = h("button", { type: "button", class: "ps-name", "data-selection": JSON.stringify(["stage", stage.name]) },
      stage.name);
    const panel = h("div", { class: "ps-panel" }, number ? arrow : null, head, status, inside, lines,
      h("ol", { class: "ps-groups" }, ...groups));
    const wide = stage.actions.length > 8;
    const item = h("li", { class: wide ? "ps-stage ps-wide" : "ps-stage" }, door, panel);
    return { item, door, closed, waits, queue, arrow, panel, head, status, inside, lines, cards, sign: "", doorSign: "", insideSign: "" };
  }

  drawBoard(move) {
    const { film, place, clock } = this;
    const broken = new Set(this.model.get("broken"));
    const selected = JSON.stringify(this.model.get("selection"));
    const around = selected + this.model.get("broken").join("\n");
    const changed = [];
    this.declared.stages.forEach((stage, number) => {
      const elements = this.stages[number];
      const stamp = stampOf(film, stage, place, clock);
      if (elements.around === around && elements.stamp?.every((value, at) => value === stamp[at])) return;
      elements.stamp = stamp;
      elements.around = around;
      changed.push([elements, panelAt(film, stage, place, clock)]);
    });
    const moved = move && changed.some(([elements, panel]) => this.tokensChanged(panel, elements));
    const before = moved ? this.tokenPlaces() : null;
    const fresh = [];
    for (const [elements, panel] of changed) this.drawPanel(elements, panel, fresh, broken, selected);
    if (fresh.length || selected !== this.selectedShown) this.markTokens(selected);
    if (before) this.moveTokens(before, fresh);
  }

  markTokens(selected) {
    this.selectedShown = selected;
    for (const token of this.board.querySelectorAll("[data-execution]")) {
      token.setAttribute("aria-pressed", String(token.dataset.selection === selected));
    }
  }

  tokensChanged(panel, elements) {
    return JSON.stringify(panel.door) !== elements.doorSign || JSON.stringify(panel.inside) !== elements.insideSign;
  }

  drawPanel(elements, panel, fresh, broken, selected) {
    const doorSign = JSON.stringify(panel.door), insideSign = JSON.stringify(panel.inside);
    if (doorSign !== elements.doorSign) {
      elements.doorSign = doorSign;
      this.drawDoor(elements, panel, fresh);
    }
    if (insideSign !== elements.insideSign) {
      elements.insideSign = insideSign;
      this.drawTokens(elements.inside, panel.inside, fresh);
    }
    const sign = JSON.stringify([panel.status, panel.word, panel.occupied, panel.lines, selected === elements.head.dataset.selection]);
    if (sign !== elements.sign) {
      elements.sign = sign;
      elements.panel.className = `ps-panel ps-is-${panel.status}${panel.occupied ? " ps-occupied" : ""}`;
      elements.status.textContent = `${this.film.symbol(panel.status)}\u00a0${panel.word}`;
      elements.lines.replaceChildren(...panel.lines.map((line) => this.line(line)));
      elements.head.setAttribute("aria-pressed", String(selected === elements.head.dataset.selection));
    }
    panel.cards.forEach((card, number) => {
      this.drawCard(elements.cards[number], card, broken.has(`${panel.stage}/${card.action}`), selected);
    });
  }

  drawDoor(elements, panel, fresh) {
    const { door } = panel;
    elements.door.className = door.enabled ? "ps-door" : "ps-door ps-is-Disabled";
    setText(elements.arrow, door.enabled ? "→" : this.film.symbol("Disabled"));
    elements.arrow.className = door.enabled ? "ps-arrow" : "ps-arrow ps-closed ps-is-Disabled";
    setText(elements.closed, door.enabled ? ""
      : `${this.film.symbol("Disabled")}\u00a0transition disabled${door.reason ? `: ${door.reason}` : ""}`);
    setHidden(elements.closed, door.enabled);
    setHidden(elements.waits, !door.waiting.length);
    this.drawTokens(elements.queue, door.waiting, fresh);
  }

  drawTokens(list, tokens, fresh) {
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const kept = new Map([...list.querySelectorAll("[data-execution]")].map((token) => [token.dataset.execution, token]));
    list.replaceChildren(...tokens.map((token) => {
      if (!token.execution) return h("li", { class: "ps-small" }, token.text);
      let element = kept.get(token.execution);
      if (!element) {
        element = h("button", { type: "button", "data-execution": token.execution,
          "data-selection": JSON.stringify(["execution", token.execution]) });
        fresh.push(element);
      }
      element.className = `ps-token ps-is-${token.status}`;
      element.title = this.film.word(token.status);
      element.textContent = `${this.film.symbol(token.status)}\u00a0${token.text}`;
      return h("li", {}, element);
    }));
    setHidden(list, !tokens.length);
    if (focused?.isConnected) focused.focus({ preventScroll: true });
  }

  tokenPlaces() {
    const places = new Map();
    for (const token of this.board.querySelectorAll("[data-execution]")) {
      places.set(token.dataset.execution, token.getBoundingClientRect());
    }
    return places;
  }

  /** Let tokens come from where they were. Where they are is asked before the next frame's changes, when asking costs
      no layout; until then they cannot be seen. */
  moveTokens(before, fresh) {
    const moving = fresh.slice(0, 40);
    for (const token of moving) token.style.opacity = "0";
    requestAnimationFrame(() => {
      const places = moving.filter((token) => token.isConnected).map((token) => [token, token.getBoundingClientRect()]);
      for (const token of moving) token.style.opacity = "";
      for (const [token, to] of places) {
        const from = before.get(token.dataset.execution);
        const frames = from
          ? [{ transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)`, zIndex: 5 }, { transform: "none", zIndex: 5 }]
          : [{ opacity: 0, transform: "scale(.6)" }, { opacity: 1, transform: "none" }];
        token.animate(frames, { duration: MOVE_MS, easing: "cubic-bezier(.2,.7,.3,1)" });
      }
    });
  }

  drawCard(elements, card, isBroken, selected) {
    const isSelected = selected === elements.card.dataset.selection;
    const sign = JSON.stringify([card, isBroken, isSelected]);
    if (sign === elements.sign) return;
    elements.sign = sign;
    elements.card.className = `ps-card ps-is-${card.status}${isBroken ? " ps-broken" : ""}`;
    elements.card.setAttribute("aria-pressed", String(isSelected));
    elements.status.textContent = `${this.film.symbol(card.status)}\u00a0${card.word}`;
    const lines = card.lines.map((line) => this.line(line));
    if (isBroken) lines.push(h("span", { class: "ps-line ps-is-Failed" }, "✗ broken by hand: it fails next time"));
    elements.lines.replaceChildren(...lines);
    elements.artifacts.replaceChildren(...card.artifacts.map((artifact) =>
      h("span", { class: `ps-artifact ps-${artifact.way}${artifact.key ? " ps-made" : ""}`, title: artifact.key },
        `${artifact.way === "in" ? "takes" : "gives"} ${artifact.name}`)));
  }

  line({ text, status }) {
    if (!status) return h("span", { class: "ps-small" }, text);
    return h("span", { class: `ps-line ps-is-${status}` }, `${this.film.symbol(status)}\u00a0${text}`);
  }

  drawEnded() {
    const ended = this.film.at(["ended"], this.place) ?? [];
    if (ended === this.endedShown) return;
    this.endedShown = ended;
    this.ended.replaceChildren(...(ended.length
      ? [h("span", { class: "ps-small" }, "Ended, the newest first"), h("ul", {}, ...ended.map((line) => h("li", {}, this.line(line))))]
      : []));
  }

  drawTable(panels) {
    const head = ["Stage", "Transition", "Waiting before it", "Inside", "Action", "Status", "More"];
    const sign = JSON.stringify(panels);
    if (sign === this.tableSign) return;
    this.tableSign = sign;
    const names = (tokens) => tokens.map((token) => token.text).join(", ") || "–";
    const rows = panels.flatMap((panel) => panel.cards.map((card, number) => {
      const span = { rowspan: panel.cards.length };
      const first = number ? [] : [
        h("th", { scope: "rowgroup", ...span }, panel.name, h("br"), h("span", { class: `ps-line ps-is-${panel.status}` },
          `${this.film.symbol(panel.status)}\u00a0${panel.word}`)),
        h("td", span, panel.door.enabled ? "enabled" : `disabled${panel.door.reason ? `: ${panel.door.reason}` : ""}`),
        h("td", span, names(panel.door.waiting)),
        h("td", span, panel.occupied ? names(panel.inside) : "–")];
      return h("tr", {}, ...first, h("td", {}, card.name),
        h("td", {}, h("span", { class: `ps-line ps-is-${card.status}` }, `${this.film.symbol(card.status)}\u00a0${card.word}`)),
        h("td", {}, card.lines.map((line) => line.text).join("; ")));
    }));
    this.tableBox.replaceChildren(h("table", { class: "ps-table" },
      h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, ...rows)));
  }

  drawPosition() {
    const { film, clock } = this;
    const playing = this.model.get("playing");
    setText(this.playButton, playing ? "❚❚" : "▶");
    this.playButton.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.playButton.title = playing ? "Pause" : "Play";
    this.root.classList.toggle("ps-playing", playing);
    const value = String(film.end ? Math.round((clock / film.end) * 1000) : 0);
    if (this.slider.value !== value) this.slider.value = value;
    const text = `${clockText(clock)} of ${clockText(film.end)}`;
    if (this.position.textContent !== text) {
      this.position.textContent = text;
      this.slider.setAttribute("aria-valuetext", text);
    }
    setText(this.moment, `${calendarText(film.start, clock, false)} · ${lasting(clock)} after the start · event ${this.place} of ${film.length}`);
    if (this.live) {
      const busy = this.model.get("busy");
      setHidden(this.running, !busy);
      const idle = !busy && !playing;
      if (this.halt.disabled !== (idle || this.sleeping)) this.halt.disabled = idle || this.sleeping;
    }
  }

  drawMarks() {
    const { film } = this;
    this.markedAt = performance.now();
    const seen = new Set();
    const marks = [];
    film.kind.forEach((kind, place) => {
      if (!film.interesting.has(kind) || !film.end || kind === "ExecutionWaiting") return;
      const at = Math.round((film.time[place] / film.end) * 250), status = film.kinds[kind].status;
      if (seen.has(`${at} ${status}`)) return;
      seen.add(`${at} ${status}`);
      const mark = h("span", { class: `ps-mark ps-is-${status}` });
      mark.style.left = `${at / 2.5}%`;
      marks.push(mark);
    });
    this.marks.replaceChildren(...marks);
  }

  drawNeeds() {
    const open = this.film.openApprovals(this.place);
    const sign = JSON.stringify(open);
    if (sign === this.needsSign) return;
    this.needsSign = sign;
    setHidden(this.needs, !open.length);
    this.needs.replaceChildren("Waits for an answer: ", ...open.map(({ stage, action }) =>
      button(`${stage} / ${action}`, `Show ${action} of ${stage}`, () => this.set({ selection: ["action", stage, action] }),
        { class: "ps-button ps-need" })));
  }

  // --- details and commands --------------------------------------------------------------------

  drawInspector() {
    const { film, place } = this;
    const selection = this.model.get("selection");
    const facts = selection.length ? film.at(selection, place) : undefined;
    const [, stageName] = selection;
    const around = this.live && selection.length ? [
      this.model.get("broken"), film.at(["stage", stageName], place), film.at(["door", stageName], place),
      this.sleeping] : [];
    const logs = selection[0] === "action" ? this.model.get("logs") : {};
    const sign = JSON.stringify([selection, facts, around, logs]);
    if (sign === this.inspectorSign) return;
    this.inspectorSign = sign;
    const focused = this.inspector.contains(document.activeElement) ? document.activeElement.dataset.field : null;
    if (!selection.length) {
      this.inspector.replaceChildren(h("p", { class: "ps-small" }, this.live
        ? "Choose a stage, an action or an execution: its details and what can be done about it appear here."
        : "Choose a stage, an action or an execution: its details appear here."));
      return;
    }
    const close = button("×", "Close the details", () => this.set({ selection: [] }), { class: "ps-button ps-close", "data-field": "close" });
    const heading = { stage: "Stage", action: "Action", execution: "Execution" }[selection[0]];
    const name = selection[0] === "execution" ? film.name(selection[1], place) : selection.slice(1).join(" / ");
    this.inspector.replaceChildren(
      h("div", { class: "ps-inspector-head" }, h("h4", {}, h("span", { class: "ps-small" }, heading), " ", name), close),
      this.details(selection, facts), ...this.logOf(logs), ...(this.live ? [this.commands(selection, facts ?? {})] : []));
    if (this.sleeping) for (const control of this.inspector.querySelectorAll(".ps-commands button")) control.disabled = true;
    if (focused) {
      const again = [...this.inspector.querySelectorAll("[data-field]")].find((control) => control.dataset.field === focused);
      (again ?? close).focus({ preventScroll: true });
    }
  }

  details(selection, facts) {
    if (!facts || !Object.keys(facts).length || (selection[0] === "action" && !facts.status)) {
      return h("p", { class: "ps-small" }, "It has not started yet.");
    }
    const rows = detailsOf(this.film, selection, this.place);
    return h("dl", { class: "ps-details" }, ...rows.map(([label, kind, value]) =>
      h("div", {}, h("dt", {}, label), h("dd", {}, ...this.written(kind, value)))));
  }

  logOf({ group, stream, lines }) {
    if (!lines?.length) return [];
    return [h("details", { class: "ps-logs", open: true }, h("summary", {}, `Log: ${lines.length} lines`),
      h("p", { class: "ps-small" }, `CloudWatch Logs, group ${group}, stream ${stream}`),
      h("pre", { class: "ps-log-text", tabindex: "0", role: "region", "aria-label": "Log of the action" }, lines.join("\n")))];
  }

  written(kind, value) {
    const { film, place } = this;
    const reference = (id) => button(film.name(id, place), `Show ${film.name(id, place)}`,
      () => this.set({ selection: ["execution", id] }), { class: "ps-link" });
    switch (kind) {
      case "status": return [this.line({ text: film.word(value), status: value })];
      case "moment": return [calendarText(film.start, value), h("br"), h("span", { class: "ps-small" }, `${clockText(value)} after the start`)];
      case "length": return [durationText(value)];
      case "execution": return [reference(value)];
      case "list": return value.flatMap((id, number) => [number ? ", " : "", reference(id)]);
      case "map": return [h("ul", {}, ...Object.entries(value).map(([name, text]) => h("li", {}, h("b", {}, name), " ", h("code", {}, String(text)))))];
      case "link": return /^https?:\/\//.test(value) ? [h("a", { href: value, target: "_blank", rel: "noopener noreferrer" }, value)] : [String(value)];
      case "conditions": return [h("ul", {}, ...value.map((condition) => h("li", {},
        this.line({ text: `${condition.gate} ${film.word(condition.status).toLowerCase()}`, status: condition.status }),
        condition.summary ? h("span", { class: "ps-small" }, ` ${condition.summary}`) : null,
        h("ul", {}, ...(condition.rules ?? []).map((rule) => h("li", {}, this.line({ text: rule.name, status: rule.status }),
          h("span", { class: "ps-small" }, [" ", rule.code, rule.message, rule.summary].filter(Boolean).join(" "))))))))];
      default: return [String(value)];
    }
  }

  /** An input that keeps what was typed while the details around it change. */
  field(name, label, attributes = {}) {
    const id = `${JSON.stringify(this.model.get("selection"))} ${name}`;
    const input = h("input", { type: "text", "data-field": name, value: this.drafts.get(id) ?? "", ...attributes,
      oninput: () => this.drafts.set(id, input.value) });
    return [h("label", { class: "ps-field" }, label, input), () => input.value.trim(), () => this.drafts.delete(id)];
  }

  choice(name, label, options) {
    const select = h("select", { "data-field": name }, ...options.map(([value, text]) => h("option", { value }, text)));
    return [h("label", { class: "ps-field" }, label, select), () => select.value];
  }

  commands(selection, facts) {
    const [kind, first, second] = selection;
    const groups = kind === "action" ? [...this.actionCommands(first, second, facts), ...this.retryCommands(first)]
      : kind === "stage" ? [...this.transitionCommands(first), ...this.retryCommands(first), ...this.overrideCommands(first, facts),
        ...this.rollbackCommands(first)]
        : this.executionCommands(first, facts);
    return h("div", { class: "ps-commands" }, ...groups);
  }

  command(text, order, attributes = {}) {
    return button(text, text, () => this.ask(order()), { class: "ps-button ps-command", "data-field": text, ...attributes });
  }

  actionCommands(stage, action, facts) {
    const declared = this.declared.stages.find((entry) => entry.name === stage)?.actions.find((entry) => entry.name === action);
    if (!declared) return [];
    if (declared.approval) {
      if (!facts.token) return [];
      const [field, comment, forget] = this.field("comment", "Comment", { maxlength: 512 });
      const order = (what) => () => {
        const summary = comment();
        forget();
        return { do: what, stage, action, summary, token: facts.token };
      };
      return [h("fieldset", {}, h("legend", {}, "Answer"), field,
        this.command("Approve", order("approve"), { class: "ps-button ps-primary ps-approve" }),
        this.command("Reject", order("reject"), { class: "ps-button ps-reject" }))];
    }
    if (this.model.get("broken").includes(`${stage}/${action}`)) {
      return [h("fieldset", {}, h("legend", {}, "Broken by hand"),
        this.command("Repair", () => ({ do: "repair", stage, action }), { class: "ps-button ps-primary ps-repair" }))];
    }
    const [codes, code] = this.choice("code", "Error code", this.film.failures.map((failure) => [failure, failure]));
    const [field, message] = this.field("message", "Error message", { placeholder: "Broken by hand." });
    return [h("fieldset", {}, h("legend", {}, "Let it fail from its next attempt on"), codes, field,
      this.command("Break", () => ({ do: "break", stage, action, code: code(), message: message() || "Broken by hand." }),
        { class: "ps-button ps-break" }))];
  }

  retryCommands(stage) {
    const execution = this.film.at(["stage", stage], this.place)?.execution;
    if (!execution) return [];
    const order = (mode) => () => ({ do: "retry", stage, execution, mode });
    return [h("fieldset", {}, h("legend", {}, `Retry ${stage} for ${this.film.name(execution, this.place)}`),
      this.command("Retry failed actions", order("FAILED_ACTIONS"), { class: "ps-button ps-retry-failed" }),
      this.command("Retry all actions", order("ALL_ACTIONS"), { class: "ps-button ps-retry-all" }))];
  }

  transitionCommands(stage) {
    const door = this.film.at(["door", stage], this.place) ?? { enabled: true };
    if (!door.enabled) {
      return [h("fieldset", {}, h("legend", {}, "Transition into this stage: disabled"),
        this.command("Enable transition", () => ({ do: "enable", stage }), { class: "ps-button ps-primary ps-enable" }))];
    }
    const [field, reason] = this.field("reason", "Reason", { maxlength: 300, placeholder: "disabled by hand" });
    return [h("fieldset", {}, h("legend", {}, "Transition into this stage"), field,
      this.command("Disable transition", () => ({ do: "disable", stage, reason: reason() || "disabled by hand" }),
        { class: "ps-button ps-disable" }))];
  }

  overrideCommands(stage, facts) {
    const open = (facts.conditions ?? []).filter((condition) => condition.status !== "Succeeded" && condition.status !== "Overridden");
    if (!open.length) return [];
    return [h("fieldset", {}, h("legend", {}, "Conditions"), ...open.map((condition) =>
      this.command(`Override ${condition.gate}`,
        () => ({ do: "override", stage, execution: condition.execution ?? "", condition: condition.gate }), { class: "ps-button ps-override" })))];
  }

  rollbackCommands(stage) {
    const targets = this.film.succeededIn(stage, this.place).slice(0, 50);
    if (!targets.length) return [];
    const [field, target] = this.choice("target", "To what", targets.map((id) => [id, this.film.name(id, this.place)]));
    return [h("fieldset", {}, h("legend", {}, "Roll this stage back"), field,
      this.command("Roll back", () => ({ do: "rollback", stage, target: target() }), { class: "ps-button ps-rollback" }))];
  }

  executionCommands(execution, facts) {
    const [field, reason] = this.field("reason", "Reason", { maxlength: 200 });
    const groups = [h("fieldset", {}, h("legend", {}, "Stop it"), field,
      this.command("Stop and wait", () => ({ do: "stop", execution, reason: reason() }), { class: "ps-button ps-stop-wait" }),
      this.command("Stop and abandon", () => ({ do: "abandon", execution, reason: reason() }), { class: "ps-button ps-abandon" }))];
    if (facts.stage && (facts.status === "Failed" || facts.status === "Stopped")) {
      const order = (mode) => () => ({ do: "retry", stage: facts.stage, execution, mode });
      groups.push(h("fieldset", {}, h("legend", {}, `Retry ${facts.stage}`),
        this.command("Retry failed actions", order("FAILED_ACTIONS")), this.command("Retry all actions", order("ALL_ACTIONS"))));
    }
    return groups;
  }

  // --- the log ---------------------------------------------------------------------------------

  drawLog() {
    const { film, place, log } = this;
    const words = this.filter.value;
    if (log.place === place && log.words === words && log.length === film.length && !log.short) return;
    const now = performance.now(), playing = this.model.get("playing");
    if (playing && log.words === words && now - this.loggedAt < LOG_MS && this.clock < film.end) return;
    this.loggedAt = now;
    const list = this.logList;
    const onward = (playing || !log.short) && log.words === words && place >= log.place && log.place >= 0 && place - log.place < 60;
    if (onward) {
      const found = film.matching(words, place, place - log.place).filter((at) => at >= log.place);
      list.append(...found.map((at) => this.row(at)));
      while (list.childElementCount > log.rows) list.firstElementChild.remove();
    } else {
      const found = film.matching(words, place, playing ? ROWS_PLAYING : log.rows);
      log.short = playing;
      list.replaceChildren(...found.map((at) => this.row(at)));
    }
    log.place = place;
    log.words = words;
    log.length = film.length;
    setHidden(this.more, list.childElementCount < log.rows);
    for (const row of list.querySelectorAll("[aria-current]")) row.removeAttribute("aria-current");
    list.lastElementChild?.firstElementChild.setAttribute("aria-current", "true");
    if (this.follows || !onward) {
      this.follows = true;
      if (playing) requestAnimationFrame(() => (list.scrollTop = list.scrollHeight));
      else list.scrollTop = list.scrollHeight;
    }
  }

  row(at) {
    const { film } = this;
    const { status } = film.kinds[film.kind[at]];
    return h("li", {}, h("button", { type: "button", class: `ps-row ps-is-${status}`, "data-place": at + 1 },
      h("time", {}, clockText(film.time[at])), h("span", { class: "ps-sign", "aria-hidden": "true" }, film.symbol(status)),
      h("span", {}, film.text[at])));
  }

  remove() {
    for (const off of this.off) off();
    clearTimeout(this.saving);
  }
}

function render({ model, el }) {
  const began = performance.now();
  const view = new View(model, el);
  view.root.dataset.opened = String(Math.round(performance.now() - began));
  view.root.psView = view;
  return () => view.remove();
}

export default { render };
