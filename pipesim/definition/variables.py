"""References to variables: ``#{namespace.key}`` inside configuration values.

Source: user guide page "Variables reference" (reference-variables).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipesim.definition.model import Action, Rule
from pipesim.definition.paths import join

SERVICE_NAMESPACE = "codepipeline"
"""The namespace of what the service itself provides."""

SERVICE_KEYS = ("PipelineExecutionId",)
"""The keys of `SERVICE_NAMESPACE`."""

PIPELINE_NAMESPACE = "variables"
"""The namespace of the pipeline's own variables."""

_REFERENCE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([^{}\s]+)\}")
_ANY = re.compile(r"#\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference to a variable.

    Attributes:
        namespace: ``variables``, ``codepipeline`` or the namespace of an action.
        key: the variable's name; upper and lower case count.
        key_path: where it stands below the action or rule, such as ``configuration.CustomData``.
    """

    namespace: str
    key: str
    key_path: str = ""

    @property
    def text(self) -> str:
        """The reference without its braces."""
        return f"{self.namespace}.{self.key}"


def find_references(text: str) -> tuple[Reference, ...]:
    """Return the references inside a text, from left to right.

    >>> [reference.text for reference in find_references("#{Source.CommitId} and #{variables.who}")]
    ['Source.CommitId', 'variables.who']
    """
    return tuple(Reference(namespace, key) for namespace, key in _REFERENCE.findall(text))


def find_malformed(text: str) -> tuple[str, ...]:
    """Return what stands in ``#{…}`` without being a namespace and a key.

    >>> find_malformed("#{CommitId} #{Source.CommitId}")
    ('CommitId',)
    """
    return tuple(inner for inner in _ANY.findall(text) if not _REFERENCE.fullmatch(f"#{{{inner}}}"))


def resolve(text: str, lookup: Callable[[str, str], str]) -> str:
    """Return the text with every reference replaced, in one pass: what comes in is not looked at again.

    Args:
        text: a configuration value.
        lookup: returns the value for a namespace and a key; whatever it raises goes through.

    >>> resolve("#{a.x}!", lambda namespace, key: "#{a.y}")
    '#{a.y}!'
    """
    return _REFERENCE.sub(lambda match: lookup(match[1], match[2]), text)


def references_of(user: Action | Rule) -> tuple[Reference, ...]:
    """Return every reference of an action or a rule, with the place of each."""
    return tuple(
        Reference(found.namespace, found.key, path) for path, text in texts_of(user) for found in find_references(text)
    )


def texts_of(user: Action | Rule) -> Iterator[tuple[str, str]]:
    """Yield the texts of an action or a rule that may hold references, each with its path below it.

    Configuration values are documented; that commands and environment variables may hold references too
    is an assumption.
    """
    for key, value in user.configuration.items():
        yield join("configuration", key), value
    for index, command in enumerate(user.commands):
        yield join("commands", index), command
    if isinstance(user, Action):
        for index, variable in enumerate(user.environment_variables):
            yield join("environmentVariables", index, "value"), variable.value
