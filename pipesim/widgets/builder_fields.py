"""What a form's field does to a document, and new entries of its lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipesim.definition.paths import split
from pipesim.formats.sketch_configuration import ACCOUNT, REGION
from pipesim.widgets.builder_document import Document, value_at, with_value, without
from pipesim.widgets.builder_palette import artifacts_of, find_item, unique

_KEPT = frozenset({"name", "location", "type", "id", "value", "sourceActionName", "provider"})
"""Members that stay when their field is emptied, because the service demands them."""
_NUMBERS = frozenset({"timeoutInMinutes", "runOrder", "version"})
_REGIONS = (REGION, "eu-west-1", "eu-central-1", "us-west-2", "ap-southeast-2", "ap-northeast-1")
CONNECTION = "CodeStarSourceConnection"


def with_field(document: Document, path: str, value: Any) -> dict[str, Any]:
    """Return the document with what a person put into a field.

    An emptied field leaves the document, unless the service demands it. Whole numbers become numbers, and other text
    in their place is kept for `pipesim.check` to complain about. What names an artifact or a source action follows
    when these are renamed.

    Args:
        document: the declaration.
        path: where the field belongs.
        value: its text, or its entries.

    >>> with_field({"timeoutInMinutes": 5}, "timeoutInMinutes", "soon")
    {'timeoutInMinutes': 'soon'}
    >>> with_field({"timeoutInMinutes": 5}, "timeoutInMinutes", "")
    {}
    """
    steps = split(path)
    last = steps[-1]
    in_configuration = len(steps) > 1 and steps[-2] == "configuration"
    if last == "actionTypeId":
        return _with_type(document, path, str(value))
    if last == "inputArtifacts":
        return with_value(document, path, [{"name": str(name)} for name in value or ()])
    if last == "outputArtifacts":
        return _with_outputs(document, path, [str(name) for name in value or ()])
    if last == "id" and steps[-2] == "encryptionKey":
        return _with_key(document, path.removesuffix(".id"), str(value or ""))
    kept = last in _KEPT or path == "roleArn"
    if value in (None, "", []) and (in_configuration or not kept):
        return without(document, path)
    if last in _NUMBERS and not in_configuration:
        value = _number(value)
    changed = with_value(document, path, value)
    if len(steps) == 5 and steps[:2] == ("stages", 0) and last == "name":
        return _with_renamed_source(changed, value_at(document, path), value)
    return changed


def blank_entry(document: Document, path: str) -> dict[str, Any]:
    """Return a new entry for the list at a path: a variable, a trigger, a filter, a condition, a rule.

    Args:
        document: the declaration.
        path: the list's path, such as ``triggers[0].gitConfiguration.push``.

    Raises:
        KeyError: forms have no such list.
    """
    entries = value_at(document, path, [])
    names = [str(entry.get("name")) for entry in entries if isinstance(entry, Mapping)]
    gate = next((str(step) for step in split(path) if step in ("beforeEntry", "onSuccess", "onFailure")), "")
    match split(path)[-1]:
        case "variables":
            return {"name": unique("VARIABLE", names)}
        case "environmentVariables":
            return {"name": unique("NAME", names), "value": "", "type": "PLAINTEXT"}
        case "triggers":
            taken = [value_at(trigger, "gitConfiguration.sourceActionName") for trigger in entries]
            source = next((name for name in connections(document) if name not in taken), "")
            push = [{"branches": {"includes": ["main"]}}]
            return {"providerType": CONNECTION, "gitConfiguration": {"sourceActionName": source, "push": push}}
        case "push":
            return {"branches": {"includes": ["main"]}}
        case "pullRequest":
            return {"events": ["OPEN"], "branches": {"includes": ["main"]}}
        case "conditions":
            return {"result": "ROLLBACK" if gate == "onFailure" else "FAIL", "rules": [_blank_rule([])]}
        case "rules":
            return _blank_rule(names)
        case other:
            raise KeyError(other)


def with_new_store(document: Document) -> dict[str, Any]:
    """Return the document with a store for one more region: one that an action runs in, where there is such.

    The one store that it may have so far becomes that of the first region.

    >>> list(with_new_store({"artifactStore": {"type": "S3", "location": "mine"}})["artifactStores"])
    ['us-east-1', 'eu-west-1']
    """
    single = document.get("artifactStore")
    stores = dict(document.get("artifactStores") or {})
    if not stores and single is not None:
        stores[REGION] = single
    used = [
        str(action["region"])
        for stage in document.get("stages") or ()
        for action in stage.get("actions") or ()
        if action.get("region")
    ]
    region = next((one for one in (*used, *_REGIONS) if one not in stores), "")
    if region:
        stores[region] = {"type": "S3", "location": f"codepipeline-{region}-{ACCOUNT}"}
    rest = {key: value for key, value in document.items() if key != "artifactStore"}
    return {**rest, "artifactStores": stores}


def connections(document: Document) -> tuple[str, ...]:
    """The names of the source actions that Git triggers can belong to."""
    return tuple(
        str(action.get("name", ""))
        for stage in document.get("stages") or ()
        for action in stage.get("actions") or ()
        if value_at(action, "actionTypeId.provider") == CONNECTION
    )


def _blank_rule(names: list[Any]) -> dict[str, Any]:
    type_id = {"category": "Rule", "owner": "AWS", "provider": "CloudWatchAlarm", "version": "1"}
    return {"name": unique(type_id["provider"], names), "ruleTypeId": type_id, "configuration": {}}


def _with_key(document: Document, path: str, id_: str) -> dict[str, Any]:
    if not id_:
        return without(document, path)
    return with_value(document, path, {"type": "KMS", **value_at(document, path, {}), "id": id_})


def _with_type(document: Document, path: str, id_: str) -> dict[str, Any]:
    item = find_item(id_)
    category, owner, provider, version = (
        (item.type.category, item.type.owner, item.type.provider, item.type.version)
        if item
        else [*id_.split("#")[0].split("/"), "", "", "", "1"][:4]
    )
    type_id = {"category": category, "owner": owner, "provider": provider, "version": version}
    return with_value(document, path, type_id)


def _with_outputs(document: Document, path: str, names: list[str]) -> dict[str, Any]:
    before = value_at(document, path, [])
    old = [str(output.get("name", "")) for output in before]
    same = len(old) == len(names)
    by_name = {str(output.get("name", "")): output for output in before}
    outputs = [{**(before[index] if same else by_name.get(name, {})), "name": name} for index, name in enumerate(names)]
    changed = with_value(document, path, outputs)
    differing = [(was, now) for was, now in zip(old, names, strict=False) if was != now]
    if same and len(differing) == 1 and _follows(document, changed, *differing[0]):
        return _with_renamed_artifact(changed, *differing[0])
    return changed


def _follows(before: Document, after: Document, old: str, new: str) -> bool:
    """Whether readers of an artifact can follow its new name: both names must mean one artifact only."""
    return bool(old and new) and new not in artifacts_of(before) and old not in artifacts_of(after)


def _with_renamed_artifact(document: Document, old: str, new: str) -> dict[str, Any]:
    changed = dict(document)
    for stage_at, stage in enumerate(document.get("stages") or ()):
        for action_at, action in enumerate(stage.get("actions") or ()):
            base = f"stages[{stage_at}].actions[{action_at}]"
            for index, given in enumerate(action.get("inputArtifacts") or ()):
                if given.get("name") == old:
                    changed = with_value(changed, f"{base}.inputArtifacts[{index}].name", new)
            if value_at(action, "configuration.PrimarySource") == old:
                changed = with_value(changed, f"{base}.configuration.PrimarySource", new)
    return changed


def _with_renamed_source(document: Document, old: Any, new: Any) -> dict[str, Any]:
    changed = dict(document)
    for index, trigger in enumerate(document.get("triggers") or ()):
        if value_at(trigger, "gitConfiguration.sourceActionName") == old:
            changed = with_value(changed, f"triggers[{index}].gitConfiguration.sourceActionName", new)
    return changed


def _number(value: Any) -> Any:
    text = str(value).strip()
    return int(text) if text.lstrip("-").isdecimal() and text.isascii() else value
