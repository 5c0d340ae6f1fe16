"""A CloudFormation template and its parameters, as far as an action must know them before CloudFormation does.

Source: AWS CloudFormation User Guide, "AWS CloudFormation artifacts", "Using parameter override functions with
CodePipeline pipelines", "Acknowledging IAM resources in CloudFormation templates".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from pipesim.catalog.limits import PARAMETER_OVERRIDES_SIZE
from pipesim.cloud.actions.failures import ActionFailed
from pipesim.vocabulary import FailureType

IAM_TYPES = frozenset(
    f"AWS::IAM::{kind}"
    for kind in (
        "AccessKey",
        "Group",
        "InstanceProfile",
        "ManagedPolicy",
        "Policy",
        "Role",
        "User",
        "UserToGroupAddition",
    )
)
NAMES = frozenset({"GroupName", "InstanceProfileName", "ManagedPolicyName", "PolicyName", "RoleName", "UserName"})


LOADER: Any = type("Loader", (yaml.SafeLoader,), {})
"""YAML with CloudFormation's short tags, whose meaning does not matter here."""


def _ignore_tag(loader: Any, suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    return loader.construct_mapping(node)


LOADER.add_multi_constructor("!", _ignore_tag)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a template configuration file sets.

    Attributes:
        parameters: values by name.
        tags: tags of the stack.
        policy: the stack policy as JSON text, or None.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: str | None = None


def read_template(text: str, path: str) -> Mapping[str, Any]:
    """Return a template as a mapping.

    Args:
        text: JSON or YAML.
        path: where it was found, for the message.

    Raises:
        ActionFailed: it is neither, or has no resources.
    """
    try:
        template = yaml.load(text, LOADER)
    except (yaml.YAMLError, ValueError) as error:
        raise ActionFailed(f"Template format error: {path} is neither JSON nor YAML: {error}") from None
    if not isinstance(template, Mapping) or not isinstance(template.get("Resources"), Mapping):
        raise ActionFailed("Template format error: At least one Resources member must be defined.")
    return template


def refuse_unacknowledged(template: Mapping[str, Any], capabilities: set[str]) -> None:
    """Fail when a template needs a capability that the action does not acknowledge.

    Raises:
        ActionFailed: with CloudFormation's sentence.
    """
    needed = set()
    for resource in template["Resources"].values():
        if isinstance(resource, Mapping) and resource.get("Type") in IAM_TYPES:
            named = NAMES & set(resource.get("Properties") or {}) - _policy_name(resource)
            needed.add("CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM")
    if template.get("Transform"):
        needed.add("CAPABILITY_AUTO_EXPAND")
    if "CAPABILITY_NAMED_IAM" in capabilities:
        needed.discard("CAPABILITY_IAM")
    if missing := sorted(needed - capabilities):
        raise ActionFailed(f"Requires capabilities : [{', '.join(missing)}]")


def refuse_unknown_parameters(template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
    """Fail when parameters are given that the template does not have.

    Raises:
        ActionFailed: with CloudFormation's sentence.
    """
    known = template.get("Parameters") or {}
    if unknown := [name for name in parameters if name not in known]:
        raise ActionFailed(f"Parameters: [{', '.join(unknown)}] do not exist in the template")


def read_settings(text: str, path: str) -> Settings:
    """Return what a template configuration file sets.

    Args:
        text: JSON.
        path: where it was found, for the message.

    Raises:
        ActionFailed: it is not such a file.
    """
    document = _object(text, f"The template configuration {path}")
    policy = document.get("StackPolicy")
    return Settings(
        document.get("Parameters") or {}, document.get("Tags") or {}, None if policy is None else json.dumps(policy)
    )


def read_overrides(
    text: str, artifact_attribute: Callable[[str, str], str], file_value: Callable[[str, str, str], Any]
) -> dict[str, str]:
    """Return parameter overrides with their functions carried out.

    Args:
        text: the JSON object of the action's configuration.
        artifact_attribute: what Fn::GetArtifactAtt means: artifact, attribute.
        file_value: what Fn::GetParam means: artifact, file, key.

    Raises:
        ActionFailed: it is no such object, is too large, or a function has the wrong arguments.
    """
    if len(text.encode()) > PARAMETER_OVERRIDES_SIZE:
        raise _wrong(
            f"ParameterOverrides take {len(text.encode())} bytes; at most {PARAMETER_OVERRIDES_SIZE} are allowed"
        )
    functions: dict[str, tuple[int, Callable[..., Any]]] = {
        "Fn::GetArtifactAtt": (2, artifact_attribute),
        "Fn::GetParam": (3, file_value),
    }
    values = {}
    for name, value in _object(text, "ParameterOverrides").items():
        if isinstance(value, Mapping):
            (function, arguments) = next(iter(value.items()), ("", ()))
            size, call = functions.get(function, (0, str))
            if len(value) != 1 or not size or not isinstance(arguments, list) or len(arguments) != size:
                raise _wrong(
                    f"Parameter '{name}' of ParameterOverrides is neither text nor one of {', '.join(functions)}"
                )
            value = call(*map(str, arguments))
        values[name] = as_text(value)
    return values


def as_text(value: Any) -> str:
    """Return a parameter's value as CloudFormation takes it: lists with commas, the rest as text.

    >>> as_text(["subnet-1", "subnet-2"]), as_text(True), as_text(3)
    ('subnet-1,subnet-2', 'true', '3')
    """
    if isinstance(value, list):
        return ",".join(map(as_text, value))
    return value if isinstance(value, str) else json.dumps(value)


def _policy_name(resource: Mapping[str, Any]) -> set[str]:
    """A policy's name is required and makes no named resource."""
    return {"PolicyName"} if resource.get("Type") == "AWS::IAM::Policy" else set()


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _wrong(f"{what} is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise _wrong(f"{what} is not a JSON object")
    return document


def _wrong(message: str) -> ActionFailed:
    return ActionFailed(message, FailureType.CONFIGURATION_ERROR)
