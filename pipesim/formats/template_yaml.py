"""CloudFormation's YAML, read safely: short tags become functions, nothing else of YAML's tags is allowed.

Source: AWS CloudFormation User Guide, "CloudFormation template formats" (YAML 1.1 without aliases, merges and the
tags binary, omap, pairs, set and timestamp) and "Intrinsic function reference".
"""

from __future__ import annotations

from typing import Any

import yaml

from pipesim.errors import SourceError

_PLAIN = ("Ref", "Condition")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # the library has no types
    """YAML's safe loader with CloudFormation's tags, and without aliases, dates and doubled keys."""

    origin = "the text"

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases: CloudFormation does, and a short text could become a huge document by them."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="an alias (*name) is used, which CloudFormation does not support",
                problem_mark=self.peek_event().start_mark,
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping with texts as keys, each once."""
        members: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is no text", problem_mark=key_node.start_mark)
            key = key_node.value
            if key in members:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} stands twice in one object", problem_mark=key_node.start_mark
                )
            members[key] = self.construct_object(value_node, deep=True)
        return members


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _function(loader: _Loader, name: str, node: Any) -> dict[str, Any]:
    """Return a short tag in its long form: ``!Sub x`` as ``{"Fn::Sub": "x"}``."""
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if name == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name if name in _PLAIN else f"Fn::{name}": value}


def _mapping(loader: _Loader, node: Any) -> dict[Any, Any]:
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _function)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def parse_yaml(text: str, origin: str) -> Any:
    """Return what YAML says, CloudFormation's short tags in their long form.

    Args:
        text: YAML.
        origin: where it comes from, for messages.

    Raises:
        SourceError: it is no YAML that CloudFormation would take; the message has line and column.

    >>> parse_yaml("Name: !Sub '${App}-pipeline'", "the text")
    {'Name': {'Fn::Sub': '${App}-pipeline'}}
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"at line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise SourceError(f"{origin} is not usable YAML: {place}{error.problem or error.context}.") from None
    except RecursionError:
        raise SourceError(f"{origin} is nested too deeply to be a template. Check its indentation.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise SourceError(f"{origin} is not usable YAML: {' '.join(str(error).split())}.") from None


def dump_yaml(document: Any) -> str:
    """Return a document as YAML, its members in their order."""
    return str(yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=False))
