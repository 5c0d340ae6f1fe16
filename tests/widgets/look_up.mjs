/* What the browser's module says of a film at several moments: read from stdin, written to stdout. */
import { readFileSync } from "node:fs";
import { Film, detailsOf, panelsAt } from "./board.mjs";

const { film, moments } = JSON.parse(readFileSync(0, "utf8"));
const shown = new Film(JSON.parse(film));
process.stdout.write(JSON.stringify(moments.map(([place, clock]) => ({
  place: shown.placeAt(clock),
  panels: panelsAt(shown, place, clock),
  ended: shown.at(["ended"], place) ?? [],
  labels: shown.declaration(place).stages.flatMap((stage) => stage.actions.map((action) =>
    detailsOf(shown, ["action", stage.name, action.name], place).map(([label]) => label))),
}))));
