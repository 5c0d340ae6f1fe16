"""AWS's JSON of a pipeline to the model and back.

The members are those of ``PipelineDeclaration`` in botocore's CodePipeline model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

from immutabledict import immutabledict

from pipesim.definition.model import (
    Action,
    ActionTypeId,
    ArtifactStore,
    Blocker,
    Condition,
    Criteria,
    EncryptionKey,
    EnvironmentVariable,
    OnFailure,
    OutputArtifact,
    Pipeline,
    PullRequestFilter,
    PushFilter,
    Rule,
    RuleTypeId,
    Stage,
    Trigger,
    Variable,
)
from pipesim.definition.paths import position
from pipesim.definition.problems import Problem
from pipesim.definition.reading import Cursor, kind
from pipesim.definition.writing import to_document
from pipesim.errors import DeclarationError
from pipesim.vocabulary import EnvironmentVariableType, ExecutionMode, RuleOwner

__all__ = ["declaration_of", "parse_document", "read_document", "to_document"]

T = TypeVar("T")


def parse_document(data: Mapping[str, Any], *, source: str = "") -> Pipeline:
    """Return the pipeline that a JSON document declares.

    Read are a bare declaration, ``{"pipeline": …}``, the input of CreatePipeline and the output of
    GetPipeline. What the service fills in may be missing: version, runOrder, configuration, artifacts,
    executionMode, pipelineType (V2 when a member needs it, else V1). Whole numbers may be written as text.

    Args:
        data: the document, as `json.loads` returns it.
        source: where it comes from, for the error's message.

    Raises:
        DeclarationError: members are missing, unknown or of the wrong type; ``problems`` has all of them.

    >>> parse_document({"pipeline": {"name": "shop", "roleArn": "arn:aws:iam::111111111111:role/p", "stages": []}}).name
    'shop'
    """
    pipeline, problems = read_document(data)
    if pipeline is None or problems:
        raise DeclarationError(_summary(problems, source), problems)
    return pipeline


def read_document(data: Any) -> tuple[Pipeline | None, tuple[Problem, ...]]:
    """Return the pipeline as far as it can be read, and every problem of its shape in document order.

    The pipeline is None when there is no declaration at all.
    """
    cursor = Cursor(declaration_of(data))
    if data is not cursor.value:
        _read_wrapper(data, cursor.problems)
    pipeline = _pipeline(cursor)
    if pipeline is not None:
        pipeline = replace(pipeline, pipeline_type=pipeline.effective_type)
    return pipeline, tuple(sorted(cursor.problems, key=lambda p: position(cursor.value, p.path)))


def declaration_of(data: Any) -> Any:
    """Return the bare declaration inside a document that may wrap it.

    >>> declaration_of({"pipeline": {"name": "a"}, "metadata": {}})
    {'name': 'a'}
    """
    if isinstance(data, Mapping) and data.get("pipeline") is not None and "stages" not in data:
        return data["pipeline"]
    return data


def _summary(problems: tuple[Problem, ...], source: str) -> str:
    head = f"{source}: " if source else ""
    if len(problems) == 1:
        return f"{head}the declaration cannot be read: {problems[0]}"
    lines = "\n".join(f"  {problem}" for problem in problems[:20])
    more = f"\n  … and {len(problems) - 20} more" if len(problems) > 20 else ""
    return f"{head}the declaration cannot be read, {len(problems)} problems:\n{lines}{more}"


def _read_wrapper(data: Mapping[str, Any], problems: list[Problem]) -> None:
    wrapper = Cursor(data, "", problems)
    for name in ("pipeline", "metadata", "tags", "ResponseMetadata"):
        wrapper.child(name)
    wrapper.close()


def _object(read: Callable[[Cursor], T]) -> Callable[[Cursor], T | None]:
    """Turn a reader of members into one that refuses what is no object and notes unknown members."""

    @wraps(read)
    def reader(at: Cursor) -> T | None:
        if not at.is_object():
            return None
        found = read(at)
        at.close()
        return found

    return reader


@_object
def _pipeline(at: Cursor) -> Pipeline:
    return Pipeline(
        name=_text(at, "name"),
        role_arn=_text(at, "roleArn"),
        artifact_store=_optional(at, "artifactStore", _store),
        artifact_stores=_mapping(at, "artifactStores", _store),
        stages=_required_list(at, "stages", _stage),
        version=_integer(at, "version", 1),
        execution_mode=_text_or(at, "executionMode", ExecutionMode.SUPERSEDED.value),
        pipeline_type=_optional(at, "pipelineType", Cursor.text),
        variables=_list(at, "variables", _variable),
        triggers=_list(at, "triggers", _trigger),
    )


@_object
def _stage(at: Cursor) -> Stage:
    return Stage(
        name=_text(at, "name"),
        blockers=_list(at, "blockers", _blocker),
        actions=_required_list(at, "actions", _action),
        before_entry=_optional(at, "beforeEntry", _gate) or (),
        on_success=_optional(at, "onSuccess", _gate) or (),
        on_failure=_optional(at, "onFailure", _on_failure),
    )


@_object
def _action(at: Cursor) -> Action:
    type_ = at.required("actionTypeId")
    return Action(
        name=_text(at, "name"),
        type=(_action_type(type_) if type_ is not None else None) or ActionTypeId("", "", ""),
        run_order=_integer(at, "runOrder", 1),
        configuration=_mapping(at, "configuration", Cursor.text),
        commands=_filled_list(at, "commands", Cursor.text),
        output_artifacts=_list(at, "outputArtifacts", _output_artifact),
        input_artifacts=_list(at, "inputArtifacts", _input_artifact),
        output_variables=_filled_list(at, "outputVariables", Cursor.text),
        role_arn=_optional(at, "roleArn", Cursor.text),
        region=_optional(at, "region", Cursor.text),
        namespace=_optional(at, "namespace", Cursor.text),
        timeout_in_minutes=_optional(at, "timeoutInMinutes", lambda c: c.integer(5)),
        environment_variables=_filled_list(at, "environmentVariables", _environment_variable),
    )


@_object
def _action_type(at: Cursor) -> ActionTypeId:
    version = at.required("version")
    return ActionTypeId(
        category=_text(at, "category"),
        owner=_text(at, "owner"),
        provider=_text(at, "provider"),
        version=version.version() if version is not None else "1",
    )


@_object
def _output_artifact(at: Cursor) -> OutputArtifact:
    return OutputArtifact(name=_text(at, "name"), files=_filled_list(at, "files", Cursor.text))


@_object
def _input_artifact(at: Cursor) -> str:
    return _text(at, "name")


@_object
def _environment_variable(at: Cursor) -> EnvironmentVariable:
    return EnvironmentVariable(
        name=_text(at, "name"),
        value=_text(at, "value"),
        type=_text_or(at, "type", EnvironmentVariableType.PLAINTEXT.value),
    )


@_object
def _gate(at: Cursor) -> tuple[Condition, ...]:
    return _filled_list(at, "conditions", _condition, required=True)


@_object
def _on_failure(at: Cursor) -> OnFailure:
    return OnFailure(
        result=_optional(at, "result", Cursor.text),
        retry_mode=_optional(at, "retryConfiguration", _retry_mode),
        conditions=_filled_list(at, "conditions", _condition),
    )


@_object
def _retry_mode(at: Cursor) -> str | None:
    return _optional(at, "retryMode", Cursor.text)


@_object
def _condition(at: Cursor) -> Condition:
    return Condition(
        result=_optional(at, "result", Cursor.text),
        rules=_filled_list(at, "rules", _rule),
    )


@_object
def _rule(at: Cursor) -> Rule:
    type_ = at.required("ruleTypeId")
    return Rule(
        name=_text(at, "name"),
        type=(_rule_type(type_) if type_ is not None else None) or RuleTypeId(""),
        configuration=_mapping(at, "configuration", Cursor.text),
        commands=_filled_list(at, "commands", Cursor.text),
        input_artifacts=_list(at, "inputArtifacts", _input_artifact),
        role_arn=_optional(at, "roleArn", Cursor.text),
        region=_optional(at, "region", Cursor.text),
        timeout_in_minutes=_optional(at, "timeoutInMinutes", lambda c: c.integer(5)),
    )


@_object
def _rule_type(at: Cursor) -> RuleTypeId:
    version = at.child("version")
    return RuleTypeId(
        category=_text(at, "category"),
        owner=_text_or(at, "owner", RuleOwner.AWS.value),
        provider=_text(at, "provider"),
        version=version.version() if version is not None else "1",
    )


@_object
def _blocker(at: Cursor) -> Blocker:
    return Blocker(name=_text(at, "name"), type=_text(at, "type"))


@_object
def _store(at: Cursor) -> ArtifactStore:
    return ArtifactStore(
        type=_text(at, "type"),
        location=_text(at, "location"),
        encryption_key=_optional(at, "encryptionKey", _encryption_key),
    )


@_object
def _encryption_key(at: Cursor) -> EncryptionKey:
    return EncryptionKey(id=_text(at, "id"), type=_text(at, "type"))


@_object
def _variable(at: Cursor) -> Variable:
    return Variable(
        name=_text(at, "name"),
        default_value=_optional(at, "defaultValue", Cursor.text),
        description=_optional(at, "description", Cursor.text),
    )


@_object
def _trigger(at: Cursor) -> Trigger:
    git = at.required("gitConfiguration")
    trigger = (_git(git) if git is not None else None) or Trigger("")
    return replace(trigger, provider_type=_text(at, "providerType"))


@_object
def _git(at: Cursor) -> Trigger:
    return Trigger(
        source_action_name=_text(at, "sourceActionName"),
        push=_filled_list(at, "push", _push_filter),
        pull_request=_filled_list(at, "pullRequest", _pull_request_filter),
    )


@_object
def _push_filter(at: Cursor) -> PushFilter:
    return PushFilter(
        tags=_optional(at, "tags", _criteria),
        branches=_optional(at, "branches", _criteria),
        file_paths=_optional(at, "filePaths", _criteria),
    )


@_object
def _pull_request_filter(at: Cursor) -> PullRequestFilter:
    return PullRequestFilter(
        events=_filled_list(at, "events", Cursor.text),
        branches=_optional(at, "branches", _criteria),
        file_paths=_optional(at, "filePaths", _criteria),
    )


@_object
def _criteria(at: Cursor) -> Criteria:
    return Criteria(
        includes=_filled_list(at, "includes", Cursor.text), excludes=_filled_list(at, "excludes", Cursor.text)
    )


def _text(at: Cursor, name: str) -> str:
    found = at.required(name)
    return found.text() if found is not None else ""


def _text_or(at: Cursor, name: str, default: str) -> str:
    found = at.child(name)
    return found.text() if found is not None else default


def _integer(at: Cursor, name: str, default: int) -> int:
    found = at.child(name)
    return found.integer(default) if found is not None else default


def _optional(at: Cursor, name: str, read: Callable[[Cursor], T | None]) -> T | None:
    found = at.child(name)
    return read(found) if found is not None else None


def _list(at: Cursor, name: str, read: Callable[[Cursor], T | None]) -> tuple[T, ...]:
    found = at.child(name)
    return _items(found, read) if found is not None else ()


def _required_list(at: Cursor, name: str, read: Callable[[Cursor], T | None]) -> tuple[T, ...]:
    found = at.required(name)
    return _items(found, read) if found is not None else ()


def _filled_list(at: Cursor, name: str, read: Callable[[Cursor], T | None], *, required: bool = False) -> tuple[T, ...]:
    """Read a list that the service wants absent or with an entry at least."""
    found = at.required(name) if required else at.child(name)
    if found is None:
        return ()
    if kind(found.value) == "list" and not found.value:
        found.note("empty-list", "the list is empty: leave the member out, or give an entry at least")
    return _items(found, read)


def _items(at: Cursor, read: Callable[[Cursor], T | None]) -> tuple[T, ...]:
    return tuple(value for item in at.items() if (value := read(item)) is not None)


def _mapping(at: Cursor, name: str, read: Callable[[Cursor], T | None]) -> Mapping[str, T]:
    found = at.child(name)
    if found is None:
        return immutabledict()
    return immutabledict((key, value) for key, entry in found.entries() if (value := read(entry)) is not None)
