"""The declaration that a history lets one conclude: its stages, actions, groups and artifacts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from pipesim.catalog.action_types import find_action_type
from pipesim.definition.document import parse_document
from pipesim.definition.model import ActionTypeId, Pipeline
from pipesim.errors import TraceError
from pipesim.formats.sketch_configuration import BUCKET, ROLE_ARN, configure
from pipesim.trace.history_records import ActionRecord, Records

NAME = "history"
VARIABLE = re.compile(r"#\{variables\.([A-Za-z0-9@_-]+)\}")


def infer_pipeline(records: Records) -> Pipeline:
    """Return the declaration that fits a history.

    Stages and actions stand in the order of their first start; actions of a stage that mostly ran at the same time
    form one group. What a history does not tell, such as the artifact store, is filled in plausibly.

    Args:
        records: the history; every action attempt has its start.

    Raises:
        TraceError: no record tells the type of an action.
    """
    stages: dict[str, dict[str, list[ActionRecord]]] = defaultdict(lambda: defaultdict(list))
    for record in records.actions:
        stages[record.stage][record.action].append(record)
    if not stages:
        raise TraceError(
            "the history names executions and no action, so its pipeline is unknown: add the answer of "
            "'aws codepipeline list-action-executions', or give pipeline=…"
        )
    name = next(iter(records.names), None) or _name_in_keys(records.actions)
    documents = []
    sources: list[str] = []
    for stage in _in_order(records.actions, lambda record: record.stage, stages):
        actions = stages[stage]
        order = _in_order(_flat(actions.values()), lambda record: record.action, actions)
        groups = _groups(order, actions)
        documents.append(
            {
                "name": stage,
                "actions": [
                    _action_document(actions[action], place, name, sources)
                    for place, group in enumerate(groups, start=1)
                    for action in group
                ],
            }
        )
    modes = Counter(one.mode for one in records.executions.values() if one.mode)
    versions = [record.version for record in records.actions if record.version]
    document = {
        "name": name,
        "roleArn": ROLE_ARN,
        "pipelineType": "V2",
        "executionMode": modes.most_common(1)[0][0] if modes else "SUPERSEDED",
        "artifactStore": {"type": "S3", "location": BUCKET},
        "version": max(versions, default=1),
        "stages": documents,
    }
    if variables := _variables(documents):
        document["variables"] = variables
    return parse_document(document, source="the pipeline inferred from the history")


def _name_in_keys(records: Iterable[ActionRecord]) -> str:
    """The name with which the keys of a pipeline's artifacts begin; the service cuts it after 20 characters."""
    keys = (key for record in records for key in record.outputs.values() if key.count("/") >= 2)
    prefixes = Counter(key.partition("/")[0] for key in keys)
    return prefixes.most_common(1)[0][0] if prefixes else NAME


def _variables(stages: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The pipeline's variables, as far as configurations refer to them; a history does not tell their defaults."""
    texts = [text for stage in stages for action in stage["actions"] for text in action["configuration"].values()]
    names = {name: None for text in texts for name in VARIABLE.findall(text)}
    return [{"name": name, "defaultValue": "unknown"} for name in names]


def _flat(lists: Iterable[Sequence[ActionRecord]]) -> list[ActionRecord]:
    return [record for records in lists for record in records]


def _in_order(records: Iterable[ActionRecord], name_of: Any, names: Iterable[str]) -> list[str]:
    """Names sorted by how many others come before them in most executions, then by first start."""
    first: dict[str, dict[str, float]] = defaultdict(dict)
    overall: dict[str, float] = {}
    for record in records:
        name, begun = name_of(record), record.begun
        seen = first[record.execution]
        seen[name] = min(begun, seen.get(name, begun))
        overall[name] = min(begun, overall.get(name, begun))
    ahead: Counter[tuple[str, str]] = Counter()
    for seen in first.values():
        for one, other in combinations(sorted(seen, key=lambda name: (seen[name], name)), 2):
            ahead[one, other] += 1
    names = list(names)
    before = {name: sum(ahead[other, name] > ahead[name, other] for other in names if other != name) for name in names}
    return sorted(names, key=lambda name: (before[name], overall[name], name))


def _groups(order: Sequence[str], actions: Mapping[str, Sequence[ActionRecord]]) -> list[list[str]]:
    """Actions that ran at the same time in most executions form one group; clocks may be a little late."""
    group_of = {name: {name} for name in order}
    runs = {name: _first_runs(actions[name]) for name in order}
    for one, other in combinations(order, 2):
        shared = runs[one].keys() & runs[other].keys()
        pairs = [(runs[one][execution], runs[other][execution]) for execution in shared]
        votes = [_together(*pair) for pair in pairs if not any(record.inferred for record in pair)]
        if 2 * sum(votes) > len(votes):
            joined = group_of[one] | group_of[other]
            for name in joined:
                group_of[name] = joined
    groups: list[list[str]] = []
    for name in order:
        if not any(name in group for group in groups):
            groups.append([other for other in order if other in group_of[name]])
    return groups


def _first_runs(records: Sequence[ActionRecord]) -> dict[str, ActionRecord]:
    found: dict[str, ActionRecord] = {}
    for record in sorted(records, key=lambda record: record.begun):
        found.setdefault(record.execution, record)
    return found


def _together(one: ActionRecord, other: ActionRecord) -> bool:
    """Whether the shorter of two attempts ran mostly while the other one did."""
    early, late = sorted((one, other), key=lambda record: record.begun)
    if early.end is None or late.begun == early.begun:
        return True
    shared = min(early.end, early.end if late.end is None else late.end) - late.begun
    lengths = [record.end - record.begun for record in (early, late) if record.end is not None]
    return shared > 0.5 * min(lengths)


def _action_document(records: Sequence[ActionRecord], place: int, pipeline: str, sources: list[str]) -> dict[str, Any]:
    newest = max(records, key=lambda record: record.begun)
    kind = next((record.type for record in reversed(records) if record.type), None)
    if kind is None:
        raise TraceError(
            f"no record tells the type of action {newest.key}, so its pipeline is unknown: add the answer of "
            "'aws codepipeline list-action-executions', or give pipeline=…"
        )
    action_type = ActionTypeId(
        str(kind.get("category", "")),
        str(kind.get("owner", "AWS")),
        str(kind.get("provider", "")),
        str(kind.get("version", "1")),
    )
    known = find_action_type(action_type.category, action_type.owner, action_type.provider, action_type.version)
    inputs = next((list(record.inputs) for record in reversed(records) if record.inputs), [])
    outputs = next((list(record.outputs) for record in reversed(records) if record.outputs), [])
    if known is not None:
        inputs += [name for name in sources if name not in inputs][: max(known.inputs[0] - len(inputs), 0)]
        if known.outputs[0] > len(outputs):
            outputs = [f"{newest.action}Output"]
    if action_type.category == "Source":
        sources.extend(name for name in outputs if name not in sources)
    configuration = next((record.configuration for record in reversed(records) if record.configuration), None)
    if configuration is None:
        configuration = configure(
            action_type, pipeline=pipeline, subject=newest.action, inputs=inputs, sole=action_type.category == "Source"
        )
    document: dict[str, Any] = {
        "name": newest.action,
        "actionTypeId": {
            "category": action_type.category,
            "owner": action_type.owner,
            "provider": action_type.provider,
            "version": action_type.version,
        },
        "runOrder": place,
        "configuration": dict(configuration),
        "inputArtifacts": [{"name": name} for name in inputs],
        "outputArtifacts": [{"name": name} for name in outputs],
    }
    if newest.namespace:
        document["namespace"] = newest.namespace
    if newest.role:
        document["roleArn"] = newest.role
    return document
