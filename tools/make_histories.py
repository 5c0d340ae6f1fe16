"""Write data/histories/: what the AWS CLI and EventBridge would tell of three pipelines, made from simulations.

Each pipeline lived under assumptions that its profile in data/profiles/ does not hold: changes follow the hours of the
week, some builds hit a cold cache, people stop and retry. Then the records are told as the service tells them: times a
little late, pages, repeated records, lost events, no order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipesim.assumptions.arrivals import Weekly
from pipesim.assumptions.distributions import Gamma, LogNormal, Mixture
from pipesim.assumptions.model import ActionAssumption, Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.engine import Retry, Simulation, Stop
from pipesim.errors import Refused
from pipesim.formats.load import load
from pipesim.formats.samples import sample, sample_profile
from pipesim.trace.history_export import to_events, to_history
from pipesim.trace.log import Trace

FOLDER = Path(__file__).resolve().parent.parent / "data" / "histories"
PAGE = 100
LATEST = 0.25
"""Seconds by which the service writes a change down too late, at most."""
LOST, REPEATED = 0.01, 0.02
SEEDS = {"startup": 101, "e-commerce": 102, "enterprise": 103}
STOPS = {"startup": 0.02, "e-commerce": 0.006, "enterprise": 0.003}
SHARES = (0.3, 0.8, 1.4, 1.5, 1.0, 0.6, 1.2, 1.5, 1.3, 0.4)
"""How busy the hours from 08:00 to 18:00 are, compared with their mean."""


def team(per_day: float, time_zone: str) -> Weekly:
    """Changes of a team that works from Monday to Friday, less on Friday, with a pause for lunch."""
    hour = per_day / sum(SHARES)
    day = [0.0] * 8 + [round(share * hour, 6) for share in SHARES] + [0.0] * 6
    friday = [round(rate * 0.6, 6) for rate in day]
    return Weekly(tuple(day * 4 + friday + [0.0] * 48), time_zone)


def truth(name: str) -> Assumptions:
    """The assumptions under which a history was lived."""
    profile = load_profile(sample_profile(name))
    if name == "startup":
        cold = Mixture((0.85, 0.15), (LogNormal(200, 330), LogNormal(560, 780)))
        build = ActionAssumption(duration=cold, fails=0.08)
        return replace(
            profile, arrivals=team(14, "America/New_York"), actions={**profile.actions, "Build/CodeBuild": build}
        )
    if name == "e-commerce":
        tests = ActionAssumption(duration=Gamma(9, 170), fails=0.06)
        return replace(
            profile, arrivals=team(18, "Europe/Berlin"), actions={**profile.actions, "Test/EndToEnd": tests}, pools={}
        )
    return replace(profile, arrivals=team(6, "Europe/Berlin"), pools={})


def live(name: str, executions: int) -> Trace:
    """Let the pipeline live; now and then somebody stops an execution or retries a failed stage."""
    sim = Simulation(load(sample(name)), truth(name), seed=SEEDS[name], executions=executions, uuids=True)
    rng = np.random.default_rng(SEEDS[name])
    stages = [stage.name for stage in sim.plan.pipeline.stages]
    while len(sim.executions) < executions:
        sim.advance(minutes=30)
        for execution in list(sim.executions.values())[-8:]:
            command: Retry | Stop | None = None
            if execution.status == "Failed" and rng.random() < 0.3:
                command = Retry(next((one for one in stages if one in execution.passages), stages[0]), execution.id)
            elif execution.status == "InProgress" and rng.random() < STOPS[name]:
                command = Stop(execution.id, abandon=True, reason="Stopped by hand")
            if command is not None:
                try:
                    sim.send(command)
                except Refused:
                    continue
    return sim.trace


def tell_late(records: Iterable[dict[str, Any]], rng: np.random.Generator, zone: str) -> Iterator[dict[str, Any]]:
    """Move every time a little later, by milliseconds, and write it with the offset of the reader's clock."""
    for record in records:
        moved = dict(record)
        for member in ("startTime", "lastUpdateTime"):
            late = timedelta(milliseconds=int(rng.uniform(0, LATEST) * 1000) if record["status"] != "InProgress" else 0)
            moment = datetime.fromisoformat(record[member]) + (late if member == "lastUpdateTime" else timedelta(0))
            moved[member] = moment.astimezone(datetime.fromisoformat(f"2026-01-01T00:00:00{zone}").tzinfo).isoformat(
                timespec="milliseconds"
            )
        yield moved


def slim(record: dict[str, Any]) -> dict[str, Any]:
    """Leave out what no reader of a history needs, so that a file stays small."""
    given, made = dict(record["input"]), dict(record["output"])
    given.pop("resolvedConfiguration", None)
    made.pop("outputVariables", None)
    return {**record, "input": given, "output": made}


def pages(member: str, records: list[dict[str, Any]]) -> str:
    """Pages of a listing, one after the other, as a loop over next tokens writes them into one file."""
    parts = []
    for place in range(0, len(records), PAGE):
        page: dict[str, Any] = {member: records[place : place + PAGE]}
        if place + PAGE < len(records):
            page["nextToken"] = f"page-{place // PAGE + 2}"
        parts.append(json.dumps(page, separators=(",", ":"), ensure_ascii=False))
    return "\n".join(parts) + "\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    print(f"wrote {path.parent.name}/{path.name} ({len(text) / 1e6:.2f} MB)")


def write_lists(name: str, executions: int, files: int, zone: str, folder: Path = FOLDER) -> None:
    """Write a history as the lists of the AWS CLI tell it."""
    rng = np.random.default_rng(SEEDS[name])
    told = to_history(live(name, executions))
    actions = [slim(record) for record in tell_late(told["actionExecutionDetails"], rng, zone)]
    summaries = list(tell_late(told["pipelineExecutionSummaries"], rng, zone))
    for place in sorted(rng.choice(len(actions), int(REPEATED * len(actions)), replace=False).tolist()):
        actions.insert(min(place + 5, len(actions)), actions[place])
    size = -(-len(actions) // files)
    for part in range(files):
        text = pages("actionExecutionDetails", actions[part * size : (part + 1) * size])
        write(folder / name / f"actions-{part + 1}.json", text)
    write(folder / name / "executions.json", pages("pipelineExecutionSummaries", summaries))


def write_events(name: str, executions: int, files: int, folder: Path = FOLDER) -> None:
    """Write a history as EventBridge tells it: one event a line, some lost, some twice, not in order."""
    rng = np.random.default_rng(SEEDS[name])
    events = [event for event in to_events(live(name, executions)) if rng.random() >= LOST]
    events += [event for event in events if rng.random() < REPEATED]
    late = rng.uniform(0.5, 8, len(events))
    order = np.argsort([datetime.fromisoformat(event["time"]).timestamp() for event in events] + late, kind="stable")
    lines = [json.dumps(events[place], separators=(",", ":"), ensure_ascii=False) for place in order.tolist()]
    size = -(-len(lines) // files)
    for part in range(files):
        write(folder / name / f"events-{part + 1}.jsonl", "\n".join(lines[part * size : (part + 1) * size]) + "\n")


def main(folder: Path = FOLDER) -> None:
    write_lists("startup", 300, 1, "-05:00", folder)
    write_lists("e-commerce", 200, 2, "+00:00", folder)
    write_events("enterprise", 55, 1, folder)


if __name__ == "__main__":
    main()
