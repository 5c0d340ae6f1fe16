// The builder's logic that needs no page; `node --test` runs it, and pytest runs node.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

const file = new URL("../../pipesim/widgets/static/builder.js", import.meta.url);
const text = await readFile(file, "utf8");
const builder = await import(`data:text/javascript,${encodeURIComponent(text)}`);

const view = {
  stages: [
    { path: "stages[0]", groups: [[{ path: "stages[0].actions[0]" }]] },
    { path: "stages[1]", groups: [[{ path: "stages[1].actions[1]" }], [{ path: "stages[1].actions[0]" }]] },
    { path: "stages[2]", groups: [] },
  ],
};

test("lines are split, trimmed and emptied; other text is left alone", () => {
  assert.deepEqual(builder.fieldValue("lines", " main \n\nrelease/** \n"), ["main", "release/**"]);
  assert.equal(builder.fieldValue("text", " a "), " a ");
});

test("ticking keeps the order and never doubles", () => {
  assert.deepEqual(builder.toggled(["A", "B"], "C", true), ["A", "B", "C"]);
  assert.deepEqual(builder.toggled(["A", "B"], "A", true), ["B", "A"]);
  assert.deepEqual(builder.toggled(["A", "B"], "A", false), ["B"]);
});

test("arrows walk over the board in the order in which it is shown", () => {
  const walk = (path, key) => builder.neighbour(view, path, key);
  assert.equal(walk("stages[1]", "ArrowDown"), "stages[1].actions[1]");
  assert.equal(walk("stages[1].actions[1]", "ArrowDown"), "stages[1].actions[0]");
  assert.equal(walk("stages[1].actions[0]", "ArrowDown"), "stages[1].actions[0]");
  assert.equal(walk("stages[1].actions[0]", "ArrowRight"), "stages[2]");
  assert.equal(walk("stages[1].actions[0]", "ArrowLeft"), "stages[0].actions[0]");
  assert.equal(walk("stages[0]", "ArrowLeft"), "stages[0]");
  assert.equal(walk("stages[0]", "ArrowUp"), "stages[0]");
  assert.equal(walk("stages[2]", "Home"), "stages[0]");
  assert.equal(walk("gone", "ArrowUp"), "stages[0]");
  assert.equal(builder.neighbour({ stages: [] }, "", "ArrowUp"), "");
});

test("keys mean commands", () => {
  const path = "stages[1].actions[0]";
  const key = (more, at = path) => builder.commandOf({ altKey: false, key: "", code: "", ...more }, at);
  assert.deepEqual(key({ altKey: true, key: "ArrowLeft" }), { op: "nudge", path, direction: "left" });
  assert.deepEqual(key({ altKey: true, key: "π", code: "KeyP" }), { op: "join", path });
  assert.deepEqual(key({ altKey: true, key: "s", code: "KeyS" }), { op: "part", path });
  assert.deepEqual(key({ key: "Delete" }), { op: "remove", path });
  assert.equal(key({ altKey: true, code: "KeyP" }, "stages[1]"), null);
  assert.equal(key({ key: "Delete" }, ""), null);
  assert.equal(key({ key: "ArrowLeft" }), null);
});

test("drops mean commands, and stages only fit between stages", () => {
  const place = { stage: 1, group: 0, together: true };
  assert.deepEqual(builder.dropCommand({ item: "x" }, place), { op: "add", item: "x", place });
  assert.deepEqual(builder.dropCommand({ path: "stages[0].actions[0]" }, place),
    { op: "move", path: "stages[0].actions[0]", place });
  assert.equal(builder.dropCommand({ path: "stages[0]" }, place), null);
  assert.deepEqual(builder.dropCommand({ path: "stages[0]" }, { stage: 2, newStage: true }),
    { op: "move", path: "stages[0]", place: { stage: 2 } });
  assert.equal(builder.dropCommand(null, place), null);
});

test("the palette is searched by all words, in labels, other names and categories", () => {
  const palette = [
    { category: "Source", items: [{ label: "GitHub", words: "codestarsourceconnection" }] },
    { category: "Deploy", items: [{ label: "EKS", words: "kubernetes helm" }, { label: "ECS", words: "fargate" }] },
  ];
  assert.deepEqual(builder.found(palette, "deploy kube").map((one) => one.items.map((item) => item.label)), [["EKS"]]);
  assert.equal(builder.found(palette, "").length, 2);
  assert.deepEqual(builder.found(palette, "zebra"), []);
  assert.equal(builder.best(palette, "ecs").label, "ECS");
  assert.equal(builder.best(palette, "helm").label, "EKS");
  assert.equal(builder.best(palette, "e").label, "EKS");
  assert.equal(builder.best(palette, " "), null);
  assert.equal(builder.best(palette, "zebra"), null);
});

test("a form keeps its shape while values, problems and counts change", () => {
  const form = (value, title, fields = 1) => ({
    path: "stages[0]", subtitle: "Stage",
    sections: [{ title, path: "", removable: false, adds: [], folded: true, sections: [],
      fields: Array(fields).fill({ path: "name", kind: "text", label: "Name", required: true, options: [], value }) }],
  });
  assert.equal(builder.shapeOf(form("a", "Triggers (1)")), builder.shapeOf(form("b", "Triggers (2)")));
  assert.notEqual(builder.shapeOf(form("a", "x")), builder.shapeOf(form("a", "x", 2)));
});

test("dark grounds are told from light ones", () => {
  assert.equal(builder.isDark("rgb(17, 17, 17)"), true);
  assert.equal(builder.isDark("rgb(255, 255, 255)"), false);
  assert.equal(builder.isDark(""), false);
});

test("counts are words", () => {
  assert.equal(builder.counted(1, "problem"), "1 problem");
  assert.equal(builder.counted(2, "problem"), "2 problems");
});
