/* A film looked up at a moment: which events have happened, and what each panel of the board says.
   Nothing is worked out here: the cells hold what the fold gave. No document, no browser: node tests it. */

const MINUTE = 60, HOUR = 3600, DAY = 86400;
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+/gu;
const MOST_TOKENS = 6;
const GATES = { BEFORE_ENTRY: "entry condition", ON_SUCCESS: "success condition", ON_FAILURE: "failure condition" };
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The first place in a sorted list whose value is above the sought one. */
export function bisectRight(sorted, sought) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= sought) low = middle + 1; else high = middle;
  }
  return low;
}

/** Half to even, as Python rounds. */
function rounded(x) {
  const low = Math.floor(x), rest = x - low;
  if (rest !== 0.5) return Math.round(x);
  return low % 2 ? low + 1 : low;
}

function tenths(x) {
  const tie = x * 4 === Math.round(x * 4) && Math.round(x * 4) % 4 === 1;
  return (tie ? x - 0.05 : x).toFixed(1);
}

export function durationText(seconds) {
  if (seconds < 10 && Number(tenths(seconds)) !== rounded(seconds)) return `${tenths(seconds)} s`;
  let whole = rounded(seconds);
  if (whole >= DAY) whole = rounded(whole / HOUR) * HOUR;
  else if (whole >= 10 * MINUTE) whole = rounded(whole / MINUTE) * MINUTE;
  const parts = [];
  for (const [size, unit] of [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"], [1, "s"]]) {
    const count = Math.floor(whole / size);
    whole %= size;
    if (count) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

/** A length of time in few characters that no line break divides. */
export function lasting(seconds) {
  const shown = seconds < 2 * MINUTE ? seconds : rounded(seconds / MINUTE) * MINUTE;
  return durationText(shown).replaceAll(" ", "\u00a0");
}

export function oneLine(text, limit = 60) {
  const line = [...String(text).replace(UNPRINTABLE, " ").trim()];
  return line.length <= limit ? line.join("") : line.slice(0, limit - 1).join("").trimEnd() + "…";
}

/** Time since the start, such as 1d 02:03:04. */
export function clockText(seconds) {
  const whole = Math.floor(seconds + 1e-6), two = (n) => String(n).padStart(2, "0");
  const days = Math.floor(whole / DAY);
  const text = `${two(Math.floor(whole / HOUR) % 24)}:${two(Math.floor(whole / MINUTE) % 60)}:${two(whole % 60)}`;
  return days ? `${days}d ${text}` : text;
}

/** A moment as weekday, date and clock time in UTC. */
export function calendarText(start, seconds, precise = true) {
  const moment = new Date(start.getTime() + Math.round(seconds * 1000)), two = (n) => String(n).padStart(2, "0");
  const time = `${two(moment.getUTCHours())}:${two(moment.getUTCMinutes())}`;
  const day = `${DAYS[moment.getUTCDay()]} ${moment.getUTCDate()} ${MONTHS[moment.getUTCMonth()]}`;
  return `${time}${precise ? ":" + two(moment.getUTCSeconds()) : ""} UTC ${day} ${moment.getUTCFullYear()}`;
}

const key = (address) => address.join("\n");

export class Film {
  constructor(data) {
    this.words = data.words;
    this.kinds = data.kinds;
    this.fields = data.fields;
    this.failures = data.failures;
    this.gates = data.gates;
    this.interesting = new Set(data.interesting);
    this.start = new Date(data.start);
    this.end = 0;
    this.time = [];
    this.kind = [];
    this.execution = [];
    this.stage = [];
    this.action = [];
    this.text = [];
    this.cells = new Map();
    this.columns = [];
    this.add(data);
  }

  get length() {
    return this.time.length;
  }

  /** Take in the columns that come next; false when they do not follow what is here. */
  add(part) {
    if (part.from !== this.length) return false;
    for (const name of ["time", "kind", "execution", "stage", "action", "text"]) {
      for (const value of part[name]) this[name].push(value);
    }
    for (let number = this.columns.length; number < part.cells.length; number++) {
      const column = { places: [], values: [] };
      this.columns.push(column);
      this.cells.set(key(part.cells[number]), column);
    }
    for (let change = 0; change < part.place.length; change++) {
      const column = this.columns[part.cell[change]];
      column.places.push(part.place[change]);
      column.values.push(part.value[change]);
    }
    this.end = part.end;
    return true;
  }

  /** What a cell held after so many events. */
  at(address, place) {
    const column = this.cells.get(key(address));
    if (!column) return undefined;
    return column.values[bisectRight(column.places, place) - 1];
  }

  placeAt(clock) {
    return bisectRight(this.time, clock);
  }

  /** Whether so many events may have happened at this moment. */
  fits(place, clock) {
    return (place === 0 || this.time[place - 1] <= clock) && (place >= this.length || this.time[place] >= clock);
  }

  momentOf(place) {
    return place ? this.time[place - 1] : 0;
  }

  nextInteresting(place) {
    for (let next = place; next < this.length; next++) if (this.interesting.has(this.kind[next])) return next + 1;
    return null;
  }

  declaration(place) {
    return this.at(["pipeline"], place);
  }

  name(execution, place) {
    return this.at(["execution", execution], place)?.name ?? oneLine(execution, 20);
  }

  word(status) {
    return this.words[status || "NotStarted"].word;
  }

  symbol(status) {
    return this.words[status || "NotStarted"].symbol;
  }

  /** The executions that came through a stage by then, the newest first. */
  succeededIn(stage, place) {
    const found = [];
    for (let at = place - 1; at >= 0; at--) {
      if (this.kind[at] === "StageSucceeded" && this.stage[at] === stage && !found.includes(this.execution[at])) {
        found.push(this.execution[at]);
      }
    }
    return found;
  }

  /** The places of the events before `place` that contain all the words, the newest `most` of them, oldest first. */
  matching(words, place, most) {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean), found = [];
    for (let at = place - 1; at >= 0 && found.length < most; at--) {
      const text = wanted.length ? this.text[at].toLowerCase() : "";
      if (wanted.every((word) => text.includes(word))) found.push(at);
    }
    return found.reverse();
  }

  /** The approvals that wait for an answer. */
  openApprovals(place) {
    return this.declaration(place).stages.flatMap((stage) =>
      stage.actions.filter((action) => action.approval).map((action) => ({ stage: stage.name, action: action.name }))
        .filter((where) => this.at(["action", where.stage, where.action], place)?.token));
  }
}

/** The panels of the board: what pipesim.views.panels says of the same moment, and who each token is. */
export function panelsAt(film, place, clock) {
  return film.declaration(place).stages.map((stage) => panelAt(film, stage, place, clock));
}

/** What a panel hangs on: as long as no member changes, neither does the panel. */
export function stampOf(film, stage, place, clock) {
  const runs = stage.actions.map((action) => film.at(["action", stage.name, action.name], place));
  const busy = runs.filter((run) => run?.status === "InProgress");
  return [film.at(["door", stage.name], place), film.at(["stage", stage.name], place), ...runs,
    ...busy.map((run) => lasting(Math.max(0, clock - run.started)))];
}

export function panelAt(film, declared, place, clock) {
  const door = film.at(["door", declared.name], place) ?? { enabled: true };
  const stage = film.at(["stage", declared.name], place) ?? {};
  const occupants = stage.inside ?? [];
  let inside = occupants.map((id) => [id, id === stage.execution ? stage.status : "InProgress"]);
  if (!inside.length && stage.status) inside = [[stage.execution, stage.status]];
  const runs = declared.actions.map((action) => film.at(["action", declared.name, action.name], place) ?? {});
  const [status, word] = stageStatus(film, stage, runs);
  return {
    name: oneLine(declared.name, 60),
    stage: declared.name,
    status,
    word,
    door: {
      enabled: door.enabled,
      reason: oneLine(door.reason ?? "", 80),
      waiting: tokens(film, (door.waiting ?? []).map((id) => [id, "Waiting"]), place),
    },
    occupied: occupants.length > 0,
    inside: tokens(film, inside, place),
    cards: declared.actions.map((action, number) => card(film, action, runs[number], stage, place, clock)),
    lines: (stage.conditions ?? []).map((condition) => ({
      text: `${GATES[condition.gate] ?? condition.gate}: ${film.word(condition.status).toLowerCase()}`,
      status: condition.status,
    })),
  };
}

function stageStatus(film, stage, runs) {
  if (stage.status) {
    return [stage.status, film.word(stage.status) + (stage.attempt > 1 ? `, attempt ${stage.attempt}` : "")];
  }
  if (stage.inside?.length) return ["InProgress", film.word("InProgress")];
  return ["NotStarted", runs.some((run) => run.status) ? "Nobody inside" : film.word("NotStarted")];
}

function tokens(film, ids, place) {
  const every = ids.map(([id, status]) => ({ text: film.name(id, place), status, execution: id }));
  if (every.length <= MOST_TOKENS) return every;
  return [...every.slice(0, MOST_TOKENS - 1), { text: `and ${every.length - MOST_TOKENS + 1} more`, status: "" }];
}

function card(film, action, run, stage, place, clock) {
  const shown = {
    name: oneLine(action.name, 60),
    action: action.name,
    provider: action.approval ? "Manual approval" : oneLine(action.provider, 40),
    order: action.order,
    status: run.status ?? "NotStarted",
    word: film.word(run.status),
    lines: [],
    artifacts: artifacts(action, run),
  };
  if (!run.status) return shown;
  const line = (text, status = "") => shown.lines.push({ text, status });
  if (run.execution && run.execution !== stage.execution) line(`of ${film.name(run.execution, place)}`);
  if (run.attempt > 1) shown.word += `, attempt ${run.attempt}`;
  if (run.status === "InProgress") {
    const since = lasting(Math.max(0, clock - run.started));
    if (run.waits) line(`waits for ${oneLine(run.waits, 30)}, ${since}`, "Waiting");
    else if (run.token) line(`waits for an answer, ${since}`, "Waiting");
    else shown.word += `, ${since}`;
  } else if (run.ended !== undefined) {
    shown.word += ` in ${lasting(run.ended - run.started)}`;
  }
  if (run.message || run.code) line(oneLine(run.message || run.code, 80), run.status);
  else if (run.summary) line(oneLine(run.summary, 80));
  if (run.by) line(`answered by ${oneLine(run.by, 30)}`);
  if (run.revision && action.category === "Source") {
    line(oneLine(`${[...(run.revision.id ?? "")].slice(0, 12).join("")} ${run.revision.summary ?? ""}`, 60));
  }
  return shown;
}

function artifacts(action, run) {
  return [
    ...action.inputs.map((name) => ({ name, way: "in", key: run.inputs?.[name] ?? "" })),
    ...action.outputs.map((name) => ({ name, way: "out", key: run.outputs?.[name] ?? "" })),
  ];
}

/** The details of a thing, as [label, kind, value], in the order of the console's page. */
export function detailsOf(film, selection, place) {
  const facts = selection.length ? film.at(selection, place) : undefined;
  if (!facts) return [];
  return film.fields[selection[0]].filter(([name]) => name in facts).map(([name, label, kind]) => [label, kind, facts[name]]);
}

/** Which of the player's keys a key press is; null when it is none. */
export function keyMeaning(pressed) {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null;
  return {
    " ": "play", k: "play", ArrowRight: "forward", ArrowLeft: "back", n: "interesting", Home: "start", End: "end",
    Escape: "deselect", a: "artifacts", t: "table", "+": "faster", "-": "slower", "/": "filter",
  }[pressed.key] ?? null;
}

/** The speed one step up or down a list of speeds. */
export function nextSpeed(speeds, speed, way) {
  const sorted = [...speeds].sort((a, b) => a - b);
  const found = way > 0 ? sorted.find((s) => s > speed) : sorted.reverse().find((s) => s < speed);
  return found ?? speed;
}

/** A speed in words: how much simulated time one second of watching is. */
export function speedText(speed) {
  return speed === 1 ? "real time" : `${durationText(speed)} a second`;
}
