"""The form of what is selected, as plain data: fields from the catalog, each with its problems beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipesim.catalog import rule_types
from pipesim.catalog.action_types import ActionType, Property
from pipesim.catalog.rule_types import GATE_RESULTS, find_rule_type
from pipesim.definition.paths import join, split
from pipesim.definition.problems import Problem
from pipesim.vocabulary import ExecutionMode, PipelineType, Result, StageRetryMode
from pipesim.widgets.builder_document import Document, value_at
from pipesim.widgets.builder_fields import connections
from pipesim.widgets.builder_palette import known_items, label_of, type_of
from pipesim.widgets.builder_stages import groups_of, produced_before, stages_of

Data = dict[str, Any]

GATES = {
    "beforeEntry": "Conditions before entry",
    "onSuccess": "Conditions on success",
    "onFailure": "On failure",
}
TIMEOUT_HELP = "Minutes until it times out, 5 to 86400; only for actions that allow it, such as a manual approval."


def form_of(document: Document, selection: str, problems: Sequence[Problem]) -> Data:
    """Return the form of the pipeline, a stage or an action.

    Args:
        document: the declaration.
        selection: the path of what is selected; empty for the pipeline.
        problems: what `pipesim.check` found; each is put beside the field that it belongs to.

    Returns:
        ``title``, ``subtitle``, ``help``, ``path``, ``problems`` and ``sections``; a section has ``title``,
        ``path``, ``fields``, ``sections``, ``adds``, ``folded``, ``removable`` and ``problems``; a field has
        ``path``, ``label``, ``kind``, ``value``, ``required``, ``help``, ``options`` and ``problems``.
    """
    match split(selection):
        case ("stages", int(), "actions", int()):
            form = _action_form(document, selection)
        case ("stages", int()):
            form = _stage_form(document, selection)
        case _:
            form = _pipeline_form(document)
    form["path"] = selection
    _attach(form, [problem for problem in problems if place_of(problem.path) == selection])
    return form


def place_of(path: str) -> str:
    """Return the path of the stage or action that a path leads into; empty for the pipeline.

    >>> place_of("stages[1].actions[0].configuration.ProjectName"), place_of("triggers[0]")
    ('stages[1].actions[0]', '')
    """
    match split(path):
        case ("stages", int() as stage, "actions", int() as action, *_):
            return f"stages[{stage}].actions[{action}]"
        case ("stages", int() as stage, *_):
            return f"stages[{stage}]"
        case _:
            return ""


def _pipeline_form(document: Document) -> Data:
    stores = document.get("artifactStores") or {}
    store = _section(
        "Role and artifact store",
        "artifactStore" if not stores else "artifactStores",
        [_field(document, "roleArn", "Service role (ARN)", required=True, help="The role that the pipeline acts as.")],
        folded=True,
    )
    for base, region in ((join("artifactStores", region), region) for region in stores):
        fields = _store_fields(document, base)
        store["sections"].append(_section(f"Store in {region}", base, fields, removable=True))
    if not stores:
        store["fields"] += _store_fields(document, "artifactStore")
    store["adds"] = [{"path": "artifactStores", "label": "Add a store for another region"}]
    basics = _section(
        "Pipeline",
        "",
        [
            _field(document, "name", "Name", required=True, help="Letters, digits and . @ _ -, up to 100."),
            _choice(
                document,
                "executionMode",
                "Execution mode",
                [
                    (ExecutionMode.SUPERSEDED, "SUPERSEDED: the newest wins"),
                    (ExecutionMode.QUEUED, "QUEUED: one after the other"),
                    (ExecutionMode.PARALLEL, "PARALLEL: all at once"),
                ],
                help="What happens when several executions want the same stage: a newer one overtakes one that waits, "
                "each waits its turn, or none waits. QUEUED and PARALLEL need type V2.",
            ),
            _choice(
                document,
                "pipelineType",
                "Pipeline type",
                [(PipelineType.V2, "V2"), (PipelineType.V1, "V1")],
                help="V2 has variables, triggers, conditions and all execution modes.",
            ),
        ],
    )
    return {
        "title": str(document.get("name") or "Pipeline without a name"),
        "subtitle": "Pipeline",
        "help": "Select a stage or an action on the board to edit it.",
        "problems": [],
        "sections": [basics, store, _variables(document), _triggers(document)],
    }


def _store_fields(document: Document, base: str) -> list[Data]:
    return [
        _field(document, f"{base}.location", "Bucket", required=True, help="The S3 bucket that keeps the artifacts."),
        _field(document, f"{base}.encryptionKey.id", "KMS key", help="The key that encrypts them; S3's own without."),
    ]


def _variables(document: Document) -> Data:
    entries = [
        _section(
            str(variable.get("name") or "Variable"),
            f"variables[{index}]",
            [
                _field(document, f"variables[{index}].name", "Name", required=True),
                _field(document, f"variables[{index}].defaultValue", "Default value"),
                _field(document, f"variables[{index}].description", "Description"),
            ],
            removable=True,
        )
        for index, variable in enumerate(document.get("variables") or ())
    ]
    section = _section(f"Variables ({len(entries)})", "variables", [], folded=True, sections=entries)
    section["help"] = "Values given when an execution starts; actions use them as #{variables.NAME}."
    section["adds"] = [{"path": "variables", "label": "Add a variable"}]
    return section


def _triggers(document: Document) -> Data:
    entries = []
    for index, trigger in enumerate(document.get("triggers") or ()):
        base = f"triggers[{index}].gitConfiguration"
        source = _choice(
            document,
            f"{base}.sourceActionName",
            "Source action",
            [(name, name) for name in connections(document)],
            required=True,
            help="The source action with a connection whose repository is watched.",
        )
        filters = []
        for member, title in (("push", "Push filter"), ("pullRequest", "Pull request filter")):
            for at, _ in enumerate(value_at(trigger, f"gitConfiguration.{member}", []) or ()):
                filters.append(_filter(document, f"{base}.{member}[{at}]", f"{title} {at + 1}", member))
        name = value_at(trigger, "gitConfiguration.sourceActionName", "") or "no source action"
        entry = _section(f"Trigger of {name}", f"triggers[{index}]", [source], sections=filters, removable=True)
        entry["adds"] = [
            {"path": f"{base}.push", "label": "Add a push filter"},
            {"path": f"{base}.pullRequest", "label": "Add a pull request filter"},
        ]
        entries.append(entry)
    section = _section(f"Triggers ({len(entries)})", "triggers", [], folded=True, sections=entries)
    section["help"] = "Which pushes and pull requests start the pipeline; without a trigger every push does."
    section["adds"] = [{"path": "triggers", "label": "Add a trigger"}]
    return section


def _filter(document: Document, base: str, title: str, member: str) -> Data:
    fields = []
    if member == "pullRequest":
        events = [(event, event.capitalize()) for event in ("OPEN", "UPDATED", "CLOSED")]
        fields.append(_checks(document, f"{base}.events", "Events", events))
    for kind, label in (("branches", "Branches"), ("filePaths", "File paths"), ("tags", "Tags")):
        if kind == "tags" and member == "pullRequest":
            continue
        help_ = "Glob patterns, one a line, such as release/**."
        fields.append(_lines(document, f"{base}.{kind}.includes", f"{label}: take", help_))
        fields.append(_lines(document, f"{base}.{kind}.excludes", f"{label}: leave out", help_))
    return _section(title, base, fields, removable=True)


def _stage_form(document: Document, base: str) -> Data:
    stage = value_at(document, base)
    name_help = "Letters, digits and . @ _ -, up to 100; no other stage may have it."
    basics = _section("Stage", "", [_field(document, f"{base}.name", "Name", required=True, help=name_help)])
    gates = [_gate(document, base, gate, title) for gate, title in GATES.items()]
    groups = groups_of(stage)
    return {
        "title": str(stage.get("name") or "Stage without a name"),
        "subtitle": "Stage",
        "help": f"{_counted(len(stage.get('actions') or ()), 'action')}, {_counted(len(groups), 'group')}; "
        "the actions of a group run in parallel.",
        "problems": [],
        "sections": [basics, *gates],
    }


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _gate(document: Document, base: str, gate: str, title: str) -> Data:
    path = f"{base}.{gate}"
    fields = []
    if gate == "onFailure":
        fields = [
            _choice(
                document,
                f"{path}.result",
                "Result",
                [("", "none"), (Result.ROLLBACK, "ROLLBACK"), (Result.RETRY, "RETRY"), (Result.FAIL, "FAIL")],
                help="What the stage does by itself when it fails.",
            ),
            _choice(
                document,
                f"{path}.retryConfiguration.retryMode",
                "Retry mode",
                [("", "none"), *((mode.value, mode.value) for mode in StageRetryMode)],
                help="With RETRY: which actions run again.",
            ),
        ]
    sections = []
    conditions = value_at(document, f"{path}.conditions", []) or []
    for index, condition in enumerate(conditions):
        at = f"{path}.conditions[{index}]"
        result = _choice(
            document,
            f"{at}.result",
            "When not met",
            [("", "none"), *((one.value, one.value) for one in GATE_RESULTS[gate])],
        )
        rules = [
            _rule(document, f"{at}.rules[{number}]", rule) for number, rule in enumerate(condition.get("rules") or ())
        ]
        entry = _section(f"Condition {index + 1}", at, [result], sections=rules, removable=True)
        entry["adds"] = [{"path": f"{at}.rules", "label": "Add a rule"}]
        sections.append(entry)
    count = len(conditions) + (1 if value_at(document, f"{path}.result") else 0)
    section = _section(f"{title} ({count})", path, fields, folded=True, sections=sections)
    section["adds"] = [] if conditions else [{"path": f"{path}.conditions", "label": "Add a condition"}]
    return section


def _rule(document: Document, base: str, rule: Mapping[str, Any]) -> Data:
    provider = str(value_at(rule, "ruleTypeId.provider", ""))
    known = find_rule_type(provider)
    choices = [(one.provider, one.provider) for one in rule_types.RULE_TYPES]
    fields = [
        _field(document, f"{base}.name", "Name", required=True),
        _choice(
            document,
            f"{base}.ruleTypeId.provider",
            "Rule",
            choices,
            required=True,
            help=known.description if known else "",
        ),
    ]
    fields += _configuration(document, base, known.properties if known else (), rule.get("configuration") or {})
    if provider == "Commands" or rule.get("commands"):
        fields.append(_lines(document, f"{base}.commands", "Commands", "Shell commands, one a line."))
    if rule.get("inputArtifacts") or provider in ("Commands", "CodeBuild", "LambdaInvoke"):
        stage_at = int(split(base)[1])
        offered = produced_before(document, stage_at + 1, 0)
        fields.append(_artifacts(document, f"{base}.inputArtifacts", offered, ""))
    fields.append(
        _field(document, f"{base}.region", "Region", help="Where the rule looks; the pipeline's own without.")
    )
    fields.append(_field(document, f"{base}.roleArn", "Rule role (ARN)", help="The pipeline's own without."))
    fields.append(_number(document, f"{base}.timeoutInMinutes", "Timeout", "Minutes until the rule times out."))
    return _section(f"Rule: {rule.get('name') or 'without a name'}", base, fields, removable=True)


def _action_form(document: Document, base: str) -> Data:
    action = value_at(document, base)
    known = type_of(action)
    stage_at, action_at = int(split(base)[1]), int(split(base)[3])
    configuration = action.get("configuration") or {}
    properties = known.properties if known else ()
    required = [one for one in properties if one.required]
    optional = [one for one in properties if not one.required]
    named = {one.name for one in properties}
    extra = [Property(key) for key in configuration if key not in named]
    basics = _section("Action", "", [_field(document, f"{base}.name", "Name", required=True), _type(document, base)])
    main = _section(
        "Configuration", f"{base}.configuration", _configuration(document, base, required, configuration), folded=False
    )
    main["fields"] += _configuration(document, base, extra, configuration, named=False)
    if known and known.provider == "Commands":
        main["fields"].append(_lines(document, f"{base}.commands", "Commands", "Shell commands, one a line.", True))
    main["empty"] = "Nothing is required here."
    set_ = sum(1 for one in optional if one.name in configuration)
    more = _section(
        f"Optional configuration ({set_} of {len(optional)} set)",
        "",
        _configuration(document, base, optional, configuration),
        folded=True,
    )
    artifacts = _section("Artifacts", "", _artifact_fields(document, base, known, stage_at, action_at))
    sections = [basics, *([main] if main["fields"] or not optional else []), artifacts]
    if optional:
        sections.insert(2, more)
    sections.append(_advanced(document, base, action, known))
    return {
        "title": str(action.get("name") or "Action without a name"),
        "subtitle": f"Action in stage {value_at(document, f'stages[{stage_at}].name') or 'without a name'}",
        "help": known.description if known else "The catalog does not know this type.",
        "problems": [],
        "sections": sections,
    }


def _type(document: Document, base: str) -> Data:
    type_id = value_at(document, f"{base}.actionTypeId", {})
    id_ = "/".join(str(type_id.get(part, "")) for part in ("category", "owner", "provider", "version"))
    options = {item.id.split("#")[0]: f"{item.type.category}: {_label(item.type)}" for item in known_items()}
    options.setdefault(id_, f"{type_id.get('category')}: {type_id.get('provider')} (unknown)")
    return {
        **_field(document, f"{base}.actionTypeId", "Type", required=True),
        "kind": "choice",
        "value": id_,
        "options": [{"value": value, "label": label} for value, label in options.items()],
    }


def _label(known: ActionType) -> str:
    return label_of({"category": known.category, "owner": known.owner, "provider": known.provider})


def _artifact_fields(
    document: Document, base: str, known: ActionType | None, stage_at: int, action_at: int
) -> list[Data]:
    groups = groups_of(stages_of(document)[stage_at])
    own = next(index for index, group in enumerate(groups) if action_at in group)
    offered = produced_before(document, stage_at, own)
    action = value_at(document, base)
    takes = known.inputs if known else (0, 5)
    makes = known.outputs if known else (0, 5)
    fields = []
    if takes[1] or action.get("inputArtifacts"):
        none = "" if offered else " Nothing has been produced before it yet."
        help_ = f"Takes {_range(takes)}.{none}"
        fields.append({**_artifacts(document, f"{base}.inputArtifacts", offered, help_), "required": takes[0] > 0})
    if makes[1] or action.get("outputArtifacts"):
        names = [str(output.get("name", "")) for output in action.get("outputArtifacts") or ()]
        field = _lines(document, f"{base}.outputArtifacts", "Output artifacts", f"Makes {_range(makes)}, one a line.")
        fields.append({**field, "value": "\n".join(names), "required": makes[0] > 0})
        for index, output in enumerate(action.get("outputArtifacts") or ()):
            if (known and known.provider == "Commands") or output.get("files"):
                path = f"{base}.outputArtifacts[{index}].files"
                fields.append(_lines(document, path, f"Files of {output.get('name')}", "Patterns, one a line."))
    return fields


def _range(bounds: tuple[int, int]) -> str:
    least, most = bounds
    return f"{least}" if least == most else f"{least} to {most}"


def _advanced(document: Document, base: str, action: Mapping[str, Any], known: ActionType | None) -> Data:
    fields = [
        _number(document, f"{base}.runOrder", "Run order", "Actions of equal run order run in parallel, 1 first."),
        _field(
            document,
            f"{base}.namespace",
            "Variable namespace",
            help="Later actions use its output variables as #{namespace.NAME}."
            + (f" It emits {', '.join(known.output_variables)}." if known and known.output_variables else ""),
        ),
        _field(document, f"{base}.region", "Region", help="Where the action runs; the pipeline's own without."),
        _field(
            document, f"{base}.roleArn", "Action role (ARN)", help="The role of the action; the pipeline's without."
        ),
        _number(document, f"{base}.timeoutInMinutes", "Timeout", TIMEOUT_HELP),
    ]
    sections = []
    adds = []
    if (known and known.provider == "Commands") or action.get("outputVariables"):
        fields.append(_lines(document, f"{base}.outputVariables", "Output variables", "Names, one a line."))
    if (known and known.provider == "Commands") or action.get("environmentVariables"):
        path = f"{base}.environmentVariables"
        adds.append({"path": path, "label": "Add an environment variable"})
        for index, variable in enumerate(action.get("environmentVariables") or ()):
            at = f"{path}[{index}]"
            sections.append(
                _section(
                    f"Environment variable {variable.get('name') or ''}",
                    at,
                    [
                        _field(document, f"{at}.name", "Name", required=True),
                        _field(document, f"{at}.value", "Value", required=True),
                        _choice(
                            document,
                            f"{at}.type",
                            "Type",
                            [("PLAINTEXT", "PLAINTEXT"), ("SECRETS_MANAGER", "SECRETS_MANAGER")],
                        ),
                    ],
                    removable=True,
                )
            )
    section = _section("Order, namespace, region, role, timeout", "", fields, folded=True, sections=sections)
    section["adds"] = adds
    return section


def _configuration(
    document: Document,
    base: str,
    properties: Iterable[Property],
    configuration: Mapping[str, Any],
    *,
    named: bool = True,
) -> list[Data]:
    return [
        _property_field(document, join(f"{base}.configuration", one.name), one, named)
        for one in properties
        if named or one.name in configuration
    ]


def _property_field(document: Document, path: str, known: Property, named: bool) -> Data:
    help_ = known.description if named else "The catalog does not know this key."
    field = _field(document, path, known.name, required=known.required, help=help_)
    value = str(field["value"])
    if known.type == "Boolean":
        options = [("", "not set"), ("true", "true"), ("false", "false")]
        return _choice(document, path, known.name, options, required=known.required, help=help_)
    if known.secret:
        field["kind"] = "secret"
    elif "JSON" in help_ or "\n" in value or len(value) > 80:
        field["kind"] = "long"
    return field


def _section(
    title: str,
    path: str,
    fields: list[Data],
    *,
    folded: bool = False,
    removable: bool = False,
    sections: list[Data] | None = None,
) -> Data:
    return {
        "title": title,
        "path": path,
        "fields": fields,
        "sections": sections or [],
        "adds": [],
        "folded": folded,
        "removable": removable,
        "problems": [],
        "help": "",
        "empty": "",
    }


def _field(document: Document, path: str, label: str, *, required: bool = False, help: str = "") -> Data:
    value = value_at(document, path, "")
    return {
        "path": path,
        "label": label,
        "kind": "text",
        "value": value if isinstance(value, str) else str(value if value is not None else ""),
        "required": required,
        "help": help,
        "options": [],
        "problems": [],
    }


def _number(document: Document, path: str, label: str, help: str) -> Data:
    return {**_field(document, path, label, help=help), "kind": "number"}


def _lines(document: Document, path: str, label: str, help: str, required: bool = False) -> Data:
    entries = value_at(document, path, []) or []
    value = "\n".join(map(str, entries)) if isinstance(entries, list) else str(entries)
    return {**_field(document, path, label, help=help, required=required), "kind": "lines", "value": value}


def _choice(
    document: Document,
    path: str,
    label: str,
    choices: Sequence[tuple[str, str]],
    *,
    required: bool = False,
    help: str = "",
) -> Data:
    field = _field(document, path, label, required=required, help=help)
    options = {str(value): text for value, text in choices}
    options.setdefault(field["value"], field["value"] or "choose one")
    return {
        **field,
        "kind": "choice",
        "options": [{"value": value, "label": text} for value, text in options.items()],
    }


def _checks(document: Document, path: str, label: str, choices: Sequence[tuple[str, str]]) -> Data:
    chosen = [str(value) for value in value_at(document, path, []) or []]
    options = dict(choices) | {value: f"{value} (unknown)" for value in chosen if value not in dict(choices)}
    return {
        **_field(document, path, label),
        "kind": "checks",
        "value": chosen,
        "options": [{"value": value, "label": text} for value, text in options.items()],
    }


def _artifacts(document: Document, path: str, offered: Sequence[str], help: str) -> Data:
    chosen = [str(one.get("name", "")) for one in value_at(document, path, []) or []]
    options = {name: name for name in offered} | {
        name: f"{name or 'an artifact without a name'} (not produced before)" for name in chosen if name not in offered
    }
    return {
        **_field(document, path, "Input artifacts", help=help),
        "kind": "checks",
        "value": chosen,
        "options": [{"value": value, "label": text} for value, text in options.items()],
    }


def _attach(form: Data, problems: Iterable[Problem]) -> None:
    """Put each problem beside the field or section whose path leads furthest to it, or at the form's head."""
    holders = sorted(_holders(form["sections"]), key=lambda holder: -len(split(holder["path"])))
    for problem in problems:
        steps = split(problem.path)
        home = next((one for one in holders if steps[: len(split(one["path"]))] == split(one["path"])), form)
        home["problems"].append(problem_data(problem))
    for section in form["sections"]:
        section["open"] = not section["folded"] or _is_troubled(section)


def problem_data(problem: Problem) -> Data:
    """Return what the page shows of a problem."""
    return {"path": problem.path, "message": problem.message, "hint": problem.hint, "rule": problem.rule}


def _holders(sections: Iterable[Data]) -> Iterator[Data]:
    for section in sections:
        yield from (field for field in section["fields"] if field["path"])
        if section["path"]:
            yield section
        yield from _holders(section["sections"])


def _is_troubled(section: Data) -> bool:
    inner = [*section["fields"], *section["sections"]]
    return bool(section["problems"]) or any(
        _is_troubled(one) if "fields" in one else bool(one["problems"]) for one in inner
    )
