"""CloudFormation's parameters, conditions and functions, worked out without an account.

Source: AWS CloudFormation User Guide, "Parameters", "Pseudo parameters reference", "Intrinsic function reference".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from pipesim.definition.paths import join
from pipesim.definition.reading import did_you_mean, shown
from pipesim.errors import SourceError
from pipesim.formats.resources import attribute, name_of, reference

ACCOUNT = "123456789012"
REGION = "us-east-1"

_SUBSTITUTE = re.compile(r"\$\{(!?)([^{}]*)\}")
_NOTHING = object()
_DEEPEST = 64


class Template:
    """A template with values for its parameters.

    Args:
        document: the template, its functions in their long form.
        parameters: values by name, pseudo parameters such as ``AWS::Region`` included; the rest takes its default.
        origin: where it comes from, for messages.

    Raises:
        SourceError: a value is given for a parameter that the template does not have.
    """

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, Any], origin: str) -> None:
        self.document = document
        self.origin = origin
        region = str(parameters.get("AWS::Region", REGION))
        partition = {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")
        self.pseudo: dict[str, Any] = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": region,
            "AWS::Partition": partition,
            "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
            "AWS::StackName": "stack",
            "AWS::NotificationARNs": [],
        }
        account = parameters.get("AWS::AccountId", ACCOUNT)
        self.pseudo["AWS::StackId"] = f"arn:{partition}:cloudformation:{region}:{account}:stack/stack"
        self._declared = self._section("Parameters")
        self._given = dict(parameters)
        self._asked: list[str] = []
        for name in parameters:
            if name not in self._declared and name not in self.pseudo:
                hint = did_you_mean(name, self._declared) or f"it has {', '.join(self._declared) or 'none'}"
                raise SourceError(f"{origin} has no parameter '{name}': {hint}.")
            if name in self.pseudo:
                self.pseudo[name] = parameters[name]

    @property
    def resources(self) -> Mapping[str, Any]:
        """The resources by logical id."""
        return self._section("Resources")

    def resolve(self, value: Any, path: str) -> Any:
        """Return a value with every function in it worked out; members that are ``AWS::NoValue`` are left out.

        Args:
            value: any part of the template.
            path: where it stands, for messages.

        Raises:
            SourceError: something cannot be resolved; the message says where and why.
        """
        if isinstance(value, Mapping):
            if len(value) == 1:
                (name, argument), *_ = value.items()
                if name == "Ref" or str(name).startswith("Fn::"):
                    return self._call(str(name), argument, join(path, str(name)))
            members = {key: self.resolve(one, join(path, str(key))) for key, one in value.items()}
            return {key: one for key, one in members.items() if one is not _NOTHING}
        if isinstance(value, list | tuple):
            entries = [self.resolve(one, join(path, index)) for index, one in enumerate(value)]
            return [one for one in entries if one is not _NOTHING]
        return value

    def refuse(self, path: str, reason: str) -> NoReturn:
        """Raise the error that names the place."""
        raise SourceError(f"{self.origin}: {path} cannot be resolved: {reason}.")

    def name(self, logical_id: str, path: str) -> str:
        """Return a resource's readable name."""
        kind, properties = self._resource(logical_id, path)
        last = kind.rpartition("::")[2]
        naming = {key: properties[key] for key in (f"{last}Name", "Name") if key in properties}
        if f"name of {logical_id}" in self._asked or len(self._asked) > _DEEPEST:
            self.refuse(path, f"resource '{logical_id}' is named after itself")
        self._asked.append(f"name of {logical_id}")
        try:
            return name_of(logical_id, kind, self.resolve(naming, join("Resources", logical_id, "Properties")))
        finally:
            self._asked.pop()

    def _section(self, name: str) -> Mapping[str, Any]:
        section = self.document.get(name)
        if section is None:
            return {}
        if not isinstance(section, Mapping):
            raise SourceError(f"{self.origin}: {name} is no object of names.")
        return section

    def _resource(self, logical_id: str, path: str) -> tuple[str, Mapping[str, Any]]:
        found = self.resources.get(logical_id)
        if not isinstance(found, Mapping):
            known = [*self._declared, *self.resources, *self.pseudo]
            hint = did_you_mean(logical_id, known)
            self.refuse(path, f"there is no parameter or resource '{logical_id}'" + (f" ({hint})" if hint else ""))
        properties = found.get("Properties") or {}
        if not isinstance(properties, Mapping):
            self.refuse(join("Resources", logical_id, "Properties"), "it is no object")
        return str(found.get("Type")), properties

    def _call(self, name: str, argument: Any, path: str) -> Any:
        match name:
            case "Ref":
                return self._ref(self._text(argument, path), path)
            case "Fn::GetAtt":
                return self._get_att(argument, path)
            case "Fn::Sub":
                return self._sub(argument, path)
            case "Fn::Join":
                by, parts = self._arguments(argument, 2, path)
                return str(by).join(self._text(part, path) for part in self._entries(parts, path))
            case "Fn::Split":
                by, text = self._arguments(argument, 2, path)
                if not by:
                    self.refuse(path, "the delimiter is empty")
                return self._text(text, path).split(str(by))
            case "Fn::Select":
                at, parts = self._arguments(argument, 2, path)
                entries = self._entries(parts, path)
                if not str(at).isdigit() or int(str(at)) >= len(entries):
                    self.refuse(path, f"there is no entry {at} among {len(entries)}")
                return entries[int(str(at))]
            case "Fn::Base64":
                return base64.b64encode(self._text(self.resolve(argument, path), path).encode()).decode()
            case "Fn::FindInMap":
                return self._find(argument, path)
            case "Fn::If":
                if not isinstance(argument, list | tuple) or len(argument) != 3:
                    self.refuse(path, "it takes a condition and two values")
                at = 1 if self._condition(self._text(argument[0], path), path) else 2
                return self.resolve(argument[at], join(path, at))
            case "Fn::ImportValue":
                self.refuse(path, "the value is an export of another stack; make it a parameter and give its value")
            case _:
                self.refuse(path, f"pipesim does not work out {name}; write the value or a parameter in its place")

    def _ref(self, name: str, path: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self._declared:
            return self._parameter(name, path)
        kind, _ = self._resource(name, path)
        return reference(self.name(name, path), kind, self.pseudo)

    def _parameter(self, name: str, path: str) -> Any:
        declared = self._declared[name]
        if not isinstance(declared, Mapping):
            self.refuse(join("Parameters", name), "it is no object")
        kind = str(declared.get("Type", "String"))
        if name in self._given:
            value = self._given[name]
        elif kind.startswith("AWS::SSM::Parameter::Value"):
            self.refuse(path, f"the value of parameter '{name}' stands in Parameter Store; give it: {self._way(name)}")
        elif "Default" in declared:
            value = declared["Default"]
        else:
            self.refuse(path, f"parameter '{name}' has no default; give it a value: {self._way(name)}")
        allowed = declared.get("AllowedValues")
        if isinstance(allowed, list) and self._plain(value) not in map(self._plain, allowed):
            self.refuse(path, f"parameter '{name}' may be {', '.join(map(self._plain, allowed))}, not {value}")
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return list(value) if isinstance(value, list | tuple) else [one.strip() for one in str(value).split(",")]
        return self._text(value, path)

    @staticmethod
    def _way(name: str) -> str:
        return f"load(…, parameters={{'{name}': …}})"

    def _get_att(self, argument: Any, path: str) -> str:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if not isinstance(parts, list | tuple) or len(parts) != 2:
            self.refuse(path, "it takes a resource and an attribute")
        logical_id, wanted = str(parts[0]), self._text(self.resolve(parts[1], path), path)
        kind, _ = self._resource(logical_id, path)
        value = attribute(self.name(logical_id, path), kind, wanted, self.pseudo)
        if value is None:
            self.refuse(path, f"only the living resource knows '{wanted}' of {logical_id} ({kind}); write the value")
        return value

    def _sub(self, argument: Any, path: str) -> str:
        given: Mapping[str, Any] = {}
        if isinstance(argument, list | tuple):
            if len(argument) != 2 or not isinstance(argument[1], Mapping):
                self.refuse(path, "it takes a text, or a text and its values")
            argument, given = argument[0], self.resolve(dict(argument[1]), join(path, 1))

        def put(found: re.Match[str]) -> str:
            literal, name = found[1], found[2].strip()
            if literal:
                return f"${{{found[2]}}}"
            if name in given:
                return self._text(given[name], path)
            return self._text(self._get_att(name, path) if "." in name else self._ref(name, path), path)

        return _SUBSTITUTE.sub(put, self._text(argument, path))

    def _find(self, argument: Any, path: str) -> Any:
        value: Any = self._section("Mappings")
        for step in self._arguments(argument, 3, path):
            if not isinstance(value, Mapping) or str(step) not in value:
                self.refuse(path, f"the mappings have no '{step}'")
            value = value[str(step)]
        return value

    def _condition(self, name: str, path: str) -> bool:
        conditions = self._section("Conditions")
        if name not in conditions:
            self.refuse(path, f"there is no condition '{name}'")
        if name in self._asked:
            self.refuse(path, f"condition '{name}' depends on itself")
        self._asked.append(name)
        try:
            return self._holds(conditions[name], join("Conditions", name))
        finally:
            self._asked.pop()

    def _holds(self, value: Any, path: str) -> bool:
        if isinstance(value, Mapping) and len(value) == 1:
            (name, argument), *_ = value.items()
            match name:
                case "Condition":
                    return self._condition(self._text(argument, path), path)
                case "Fn::Equals":
                    one, other = self._arguments(argument, 2, path)
                    return self._plain(one) == self._plain(other)
                case "Fn::Not" | "Fn::And" | "Fn::Or" if isinstance(argument, list | tuple) and argument:
                    held = [self._holds(one, join(path, name, index)) for index, one in enumerate(argument)]
                    return not held[0] if name == "Fn::Not" else all(held) if name == "Fn::And" else any(held)
        self.refuse(path, f"{shown(value)} is no condition")

    def _arguments(self, argument: Any, count: int, path: str) -> list[Any]:
        if not isinstance(argument, list | tuple) or len(argument) != count:
            self.refuse(path, f"it takes {count} arguments")
        return list(self.resolve(argument, path))

    def _entries(self, value: Any, path: str) -> list[Any]:
        if not isinstance(value, list | tuple):
            self.refuse(path, f"{shown(value)} is no list")
        return list(value)

    def _text(self, value: Any, path: str) -> str:
        if value is None or value is _NOTHING or isinstance(value, Mapping | list | tuple):
            self.refuse(path, "a text is wanted here")
        return self._plain(value)

    @staticmethod
    def _plain(value: Any) -> str:
        """Return a value as CloudFormation writes it: true and false in small letters."""
        return str(value).lower() if isinstance(value, bool) else str(value)
