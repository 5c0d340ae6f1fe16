/* The arithmetic of the board: run with node --test. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Film, bisectRight, calendarText, clockText, durationText, keyMeaning, lasting, nextSpeed, oneLine, speedText,
} from "./board.mjs";

const LEGEND = {
  words: { NotStarted: { symbol: "○", word: "Not started" } }, kinds: {}, fields: {}, failures: [], gates: [],
  interesting: ["ActionFailed"], start: "2026-03-02T09:00:00+00:00",
};
const part = (from, time, kind, changes = [], cells = [["pipeline"]]) => ({
  from, end: time.at(-1) ?? 0, time, kind, execution: time.map(() => "E1"), stage: time.map(() => "Build"),
  action: time.map(() => null), text: kind.map((word, at) => `E${from + at} ${word}`), cells,
  place: changes.map((c) => c[0]), cell: changes.map((c) => c[1]), value: changes.map((c) => c[2]),
});

test("a place is found by halving", () => {
  assert.deepEqual([0, 1, 1.5, 2, 9].map((time) => bisectRight([1, 1, 2, 3], time)), [0, 2, 2, 3, 4]);
});

test("durations are written as Python writes them", () => {
  assert.deepEqual([0, 0.25, 0.75, 2.5, 45, 125, 3600, 5400, 90000, 119.5].map(durationText),
    ["0 s", "0.2 s", "0.8 s", "2.5 s", "45 s", "2 min 5 s", "1 h", "1 h 30 min", "1 d 1 h", "2 min"]);
  assert.equal(lasting(150), "2\u00a0min");
});

test("moments and clocks", () => {
  assert.equal(clockText(93784.999), "1d 02:03:04");
  assert.equal(clockText(59.9999999), "00:01:00");
  assert.equal(calendarText(new Date("2026-03-02T09:00:00Z"), 90), "09:01:30 UTC Mon 2 Mar 2026");
});

test("text is cut by characters and kept on one line", () => {
  assert.equal(oneLine("Deploy\nto production", 12), "Deploy to p…");
  assert.equal(oneLine("😀😀😀", 3), "😀😀😀");
});

test("a cell holds what it was given last, whichever way one scrubs", () => {
  const film = new Film({ ...LEGEND, ...part(0, [0, 5, 5, 9], ["A", "B", "ActionFailed", "D"], [[0, 0, "a"], [2, 0, "b"], [4, 0, "c"]]) });

  assert.deepEqual([0, 1, 2, 3, 4, 1].map((place) => film.at(["pipeline"], place)), ["a", "a", "b", "b", "c", "a"]);
  assert.equal(film.at(["door", "Nowhere"], 3), undefined);
  assert.equal(film.placeAt(5), 3);
  assert.ok(film.fits(2, 5) && film.fits(3, 7) && !film.fits(1, 7) && !film.fits(4, 5));
  assert.equal(film.nextInteresting(0), 3);
  assert.equal(film.nextInteresting(3), null);
});

test("a film grows only by what comes next", () => {
  const film = new Film({ ...LEGEND, ...part(0, [0], ["A"], [[0, 0, "a"]]) });

  assert.equal(film.add(part(2, [7], ["C"])), false);
  assert.equal(film.length, 1);
  assert.equal(film.add(part(1, [3], ["B"], [[2, 1, "new"]], [["pipeline"], ["ended"]])), true);
  assert.equal(film.at(["ended"], 2), "new");
  assert.equal(film.end, 3);
});

test("the log's filter wants all words, and gives the newest lines", () => {
  const film = new Film({ ...LEGEND, ...part(0, [0, 1, 2, 3], ["started", "failed", "started", "failed"]) });

  assert.deepEqual(film.matching("FAILED", 4, 9), [1, 3]);
  assert.deepEqual(film.matching("e3 failed", 4, 9), [3]);
  assert.deepEqual(film.matching("", 3, 2), [1, 2]);
});

test("keys and speeds", () => {
  assert.equal(keyMeaning({ key: "ArrowRight" }), "forward");
  assert.equal(keyMeaning({ key: "a", ctrlKey: true }), null);
  assert.equal(nextSpeed([1, 10, 60], 10, 1), 60);
  assert.equal(nextSpeed([1, 10, 60], 1, -1), 1);
  assert.equal(speedText(60), "1 min a second");
});
