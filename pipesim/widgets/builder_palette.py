"""The palette of the builder: what can be put into a pipeline, and a new action of each kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

from immutabledict import immutabledict

from pipesim.catalog import action_types
from pipesim.catalog.action_types import ActionType, AssumedDuration, Property, find_action_type, read_table
from pipesim.definition.model import ActionTypeId
from pipesim.errors import SourceError
from pipesim.formats.sketch_configuration import configure
from pipesim.formats.sketch_words import spaced
from pipesim.vocabulary import ActionCategory, ActionOwner
from pipesim.widgets.builder_document import Document

_LABELS: Mapping[str, tuple[str, ...]] = immutabledict(
    {
        "Source/AWS/CodeStarSourceConnection": ("GitHub", "Bitbucket", "GitLab"),
        "Source/ThirdParty/GitHub": ("GitHub (version 1)",),
        "Source/AWS/ECR": ("ECR image",),
        "Source/AWS/S3": ("S3 object",),
        "Build/AWS/ECRBuildAndPublish": ("ECR build and publish",),
        "Test/AWS/CodeBuild": ("CodeBuild test",),
        "Test/Custom/Jenkins": ("Jenkins test",),
        "Test/ThirdParty/StormRunnerLoad": ("StormRunner Load",),
        "Deploy/AWS/CodeDeployToECS": ("ECS blue/green",),
        "Deploy/AWS/CloudFormationStackSet": ("CloudFormation stack set",),
        "Deploy/AWS/CloudFormationStackInstances": ("CloudFormation stack instances",),
        "Deploy/AWS/S3": ("S3 bucket",),
        "Deploy/AWS/Lambda": ("Lambda deployment",),
        "Deploy/AWS/AppConfig": ("AppConfig",),
        "Deploy/AWS/OpsWorks": ("OpsWorks",),
        "Deploy/Custom/XebiaLabs": ("XebiaLabs",),
        "Approval/AWS/Manual": ("Manual approval",),
        "Invoke/AWS/CodePipeline": ("Another pipeline",),
        "Invoke/AWS/InspectorScan": ("Inspector scan",),
        "Invoke/AWS/Lambda": ("Lambda function",),
        "Invoke/AWS/StepFunctions": ("Step Functions",),
    }
)
"""What people call a type where its provider's name does not say it."""

DAY = 86_400.0
MOST_CUSTOM_ARTIFACTS = 5

_OUTPUTS: Mapping[str, str] = immutabledict({"Source": "SourceOutput", "Build": "BuildOutput"})
_TAKERS = frozenset({"Build", "Test", "Deploy", "Compute"})


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the palette.

    Attributes:
        id: its key, such as ``Source/AWS/S3/1`` or, where one type has several names, with the name after it.
        label: what it is called, such as ``Manual approval``.
        type: the action type that it stands for.
        words: other names that people search for.
    """

    id: str
    label: str
    type: ActionType
    words: str


_CUSTOM: ContextVar[tuple[Item, ...]] = ContextVar("custom", default=())


@cache
def palette_items() -> tuple[Item, ...]:
    """Every action type of the catalog under the names that people use, in the order of the categories.

    >>> [item.label for item in palette_items() if item.type.category == "Source"][:3]
    ['GitHub', 'Bitbucket', 'GitLab']
    """
    other = _other_names()
    items = []
    for known in sorted(action_types.ACTION_TYPES, key=lambda one: one.provider != "CodeStarSourceConnection"):
        key = f"{known.category}/{known.owner}/{known.provider}"
        labels = _LABELS.get(key, (spaced(known.provider),))
        for label in labels:
            id_ = f"{key}/{known.version}" + (f"#{label}" if len(labels) > 1 else "")
            words = " ".join((known.provider, known.owner, *(other.get(key, ()) if label == labels[0] else ())))
            items.append(Item(id_, label, known, words))
    return tuple(items)


@contextmanager
def knowing(items: tuple[Item, ...]) -> Iterator[None]:
    """Let the palette, forms and labels know custom types besides those of the catalog.

    Args:
        items: of `custom_items`.
    """
    before = _CUSTOM.set(items)
    try:
        yield
    finally:
        _CUSTOM.reset(before)


def known_items() -> tuple[Item, ...]:
    """Every entry of the palette: the catalog's and the custom types known at present."""
    return (*palette_items(), *_CUSTOM.get())


def custom_items(declarations: Iterable[Mapping[str, Any]]) -> tuple[Item, ...]:
    """Return palette entries for custom action types.

    Args:
        declarations: as CreateCustomActionType takes them, or as ListActionTypes returns them.

    Raises:
        SourceError: one of them is no action type.

    >>> made = custom_items([{"category": "Test", "provider": "Acme", "version": "2"}])
    >>> made[0].id
    'Test/Custom/Acme/2'
    """
    return tuple(_custom_item(declaration) for declaration in declarations)


def _custom_item(declared: Mapping[str, Any]) -> Item:
    id_ = declared.get("id", declared)
    category, provider, version = (str(id_.get(part, "")) for part in ("category", "provider", "version"))
    if category not in categories() or not provider or not version:
        raise SourceError(f"{dict(declared)!r} is no custom action type: it needs category, provider and version")
    keys = declared.get("configurationProperties") or declared.get("actionConfigurationProperties") or ()
    known = ActionType(
        category=category,
        owner=ActionOwner.CUSTOM.value,
        provider=provider,
        version=version,
        inputs=_counts(declared.get("inputArtifactDetails")),
        outputs=_counts(declared.get("outputArtifactDetails")),
        properties=tuple(
            Property(
                name=str(one["name"]),
                required=bool(one.get("required")),
                key=bool(one.get("key")),
                secret=bool(one.get("secret")),
                queryable=bool(one.get("queryable")),
                description=str(one.get("description", "")),
                type=str(one.get("type", "String")),
            )
            for one in keys
        ),
        output_variables=(),
        v2_only=False,
        permissions=(),
        duration=AssumedDuration(300.0, 900.0, "assumed: a custom type may take any time", True),
        timeout=DAY,
        pool=None,
        description="A custom action type of this account; a job worker does its work.",
        entity_url="",
        execution_url="",
        source="CreateCustomActionType",
    )
    return Item(f"{category}/{known.owner}/{provider}/{version}", spaced(provider), known, f"{provider} Custom")


def _counts(details: Mapping[str, Any] | None) -> tuple[int, int]:
    given = details or {}
    return int(given.get("minimumCount", 0)), int(given.get("maximumCount", MOST_CUSTOM_ARTIFACTS))


def find_item(id_: str) -> Item | None:
    """Return the entry of the palette with this key, or None."""
    return next((item for item in known_items() if item.id == id_), None)


def label_of(type_id: Mapping[str, Any]) -> str:
    """Return what an action's type is called on its card, such as ``Manual approval``.

    Args:
        type_id: the member ``actionTypeId`` of a document.
    """
    key = f"{type_id.get('category')}/{type_id.get('owner')}/{type_id.get('provider')}"
    if key == "Source/AWS/CodeStarSourceConnection":
        return "Connection"
    labels = _LABELS.get(key)
    own = next((item.label for item in _CUSTOM.get() if item.id.rpartition("/")[0] == key), "")
    return labels[0] if labels else own or spaced(str(type_id.get("provider", "")))


def type_of(action: Mapping[str, Any]) -> ActionType | None:
    """Return what the catalog knows of the type of an action of a document, or None."""
    given = action.get("actionTypeId")
    id_ = given if isinstance(given, Mapping) else {}
    texts = [str(id_.get(part, "")) for part in ("category", "owner", "provider", "version")]
    own = next((item.type for item in _CUSTOM.get() if item.id == "/".join(texts)), None)
    return own or find_action_type(*texts)


def new_action(item: Item, document: Document, inputs: Iterable[str], names: Iterable[str]) -> dict[str, Any]:
    """Return a new action of a kind: named, wired to the newest artifact, its configuration still to be filled in.

    Args:
        item: the kind.
        document: the declaration that it goes into; its artifacts' names are taken.
        inputs: the artifacts that are there when it runs, the newest last.
        names: the names of the actions of its stage, which are taken.
    """
    known = item.type
    words = re.sub(r"[^A-Za-z0-9.@_-]+", " ", item.label).split()
    name = "".join(word[:1].upper() + word[1:] for word in words)
    offered = list(inputs)
    wanted = known.inputs[0] or (1 if known.category in _TAKERS and known.inputs[1] else 0)
    made = known.outputs[0] or (1 if known.category in _OUTPUTS and known.outputs[1] else 0)
    produced = set(artifacts_of(document))
    outputs = []
    for _ in range(made):
        outputs.append(unique(_OUTPUTS.get(known.category, f"{name}Output"), produced))
        produced.add(outputs[-1])
    return {
        "name": unique(name, names),
        "actionTypeId": {
            "category": known.category,
            "owner": known.owner,
            "provider": known.provider,
            "version": known.version,
        },
        "runOrder": 1,
        "configuration": {},
        "inputArtifacts": [{"name": artifact} for artifact in offered[len(offered) - wanted :]] if wanted else [],
        "outputArtifacts": [{"name": artifact} for artifact in outputs],
    }


def example_configuration(action: Mapping[str, Any], pipeline: str, stage: str) -> dict[str, str]:
    """Return the configuration of an action with a plausible value for every required key that is still empty.

    Args:
        action: the action, as in a document.
        pipeline: the name of its pipeline, which invented names begin with.
        stage: the name of its stage, which they end with.
    """
    given = {key: value for key, value in dict(action.get("configuration") or {}).items() if value != ""}
    known = type_of(action)
    if known is None:
        return given
    id_ = ActionTypeId(known.category, known.owner, known.provider, known.version)
    inputs = [str(one.get("name", "")) for one in action.get("inputArtifacts") or () if isinstance(one, Mapping)]
    made = configure(id_, pipeline=pipeline or "pipeline", subject=stage or "main", inputs=inputs, sole=True)
    words = {"pipeline": pipeline, "subject": stage}
    return {key: value.format(**words) if "{" in value else value for key, value in made.items()} | given


def artifacts_of(document: Document) -> tuple[str, ...]:
    """The names of all output artifacts of a document, in its order."""
    return tuple(
        str(output.get("name", ""))
        for stage in document.get("stages") or ()
        for action in stage.get("actions") or ()
        for output in action.get("outputArtifacts") or ()
    )


def unique(name: str, taken: Iterable[str]) -> str:
    """Return the name, with the first number after it that makes it a new one where it is taken.

    >>> unique("Build", ["Build", "Build2"])
    'Build3'
    """
    known = set(taken)
    number, found = 1, name
    while found in known:
        number += 1
        found = f"{name}{number}"
    return found


def categories() -> tuple[str, ...]:
    """The categories in the order in which the palette shows them."""
    return tuple(category.value for category in _ORDER)


_ORDER = (
    ActionCategory.SOURCE,
    ActionCategory.BUILD,
    ActionCategory.TEST,
    ActionCategory.APPROVAL,
    ActionCategory.DEPLOY,
    ActionCategory.INVOKE,
    ActionCategory.COMPUTE,
)


@cache
def _other_names() -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for name, ids in read_table("names.toml")["names"].items():
        for id_ in ids:
            names[id_] = (*names.get(id_, ()), name)
    return names
