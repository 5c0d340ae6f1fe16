"""Action types as an account sees them: AWS's, the partners', and the ones that it created itself.

Source: API reference, CreateCustomActionType, DeleteCustomActionType, UpdateActionType, GetActionType,
ListActionTypes; CodePipeline User Guide, "Create and add a custom action in CodePipeline".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipesim.catalog import action_types
from pipesim.catalog.action_types import ActionType, find_action_type
from pipesim.catalog.limits import CUSTOM_ACTION_TYPES
from pipesim.cloud.codepipeline.tags import read_tags, write_tags
from pipesim.definition.model import ActionTypeId, Pipeline
from pipesim.errors import Refused
from pipesim.vocabulary import ActionCategory, ActionOwner

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

TypeKey = tuple[str, str, str, str]

PARTS = ("category", "owner", "provider", "version")


@dataclass(slots=True)
class CustomType:
    """A custom action type.

    Attributes:
        declaration: what ListActionTypes shows of it.
        tags: its tags.
        deleted: it was deleted; only the very same definition brings this version back.
    """

    declaration: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    deleted: bool = False

    @property
    def queryable(self) -> tuple[str, ...]:
        """The configuration keys by whose value a worker may poll."""
        return tuple(p["name"] for p in self.declaration["actionConfigurationProperties"] if p.get("queryable"))


class CustomTypes:
    """The action types of one account and region.

    Args:
        account: whose types they are.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._custom: dict[TypeKey, CustomType] = {}
        self._updated: dict[TypeKey, dict[str, Any]] = {}

    # --- operations ------------------------------------------------------------------------------

    def create_custom_action_type(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """CreateCustomActionType: a type whose work is done by a job worker outside."""
        declaration = _declare(parameters)
        tags = read_tags(parameters.get("tags"))
        _refuse_wrong(declaration)
        key = _key(declaration["id"])
        known = self._custom.get(key)
        if known is not None and known.declaration != declaration:
            raise Refused(
                "ActionTypeAlreadyExistsException",
                f"The action type {'/'.join(key)} already exists with a different definition; use a version that was"
                " never used before",
            )
        if known is None or known.deleted:
            in_use = sum(not other.deleted for other in self._custom.values())
            if in_use >= CUSTOM_ACTION_TYPES:
                raise Refused(
                    "LimitExceededException",
                    f"The account has {in_use} custom action types; at most {CUSTOM_ACTION_TYPES} are allowed",
                )
            self._custom[key] = CustomType(declaration, tags)
        answer: dict[str, Any] = {"actionType": declaration}
        if tags:
            answer["tags"] = write_tags(tags)
        return answer

    def delete_custom_action_type(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteCustomActionType: mark a type as deleted; without effect when there is none."""
        known = self._custom.get(
            (parameters["category"], ActionOwner.CUSTOM.value, parameters["provider"], parameters["version"])
        )
        if known is not None:
            known.deleted = True
        return {}

    def list_action_types(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """ListActionTypes: every type that may be used, all in one page."""
        if parameters.get("nextToken"):
            raise Refused("InvalidNextTokenException", f"The next token '{parameters['nextToken']}' is not valid")
        region = parameters.get("regionFilter") or self._account.region
        shown = [
            to_list_entry(known, region) if (new := self._updated.get(_key_of(known))) is None else _as_list_entry(new)
            for known in action_types.ACTION_TYPES
            if known.owner != ActionOwner.CUSTOM
        ]
        shown += [custom.declaration for custom in self._custom.values() if not custom.deleted]
        owner = parameters.get("actionOwnerFilter")
        return {"actionTypes": [entry for entry in shown if owner in (None, entry["id"]["owner"])]}

    def get_action_type(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """GetActionType: the declaration of a partner's type."""
        key = _key(parameters)
        _refuse_custom_owner(parameters["owner"])
        if key in self._updated:
            return {"actionType": self._updated[key]}
        known = find_action_type(*key)
        if known is None or known.owner != ActionOwner.THIRD_PARTY:
            raise _not_found(key)
        return {"actionType": to_declaration(known, self._account.region)}

    def update_action_type(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateActionType: replace the declaration of a partner's type."""
        declaration = dict(parameters["actionType"])
        key = _key(declaration["id"])
        _refuse_custom_owner(declaration["id"]["owner"])
        known = find_action_type(*key)
        if known is None:
            raise _not_found(key)
        if known.owner != ActionOwner.THIRD_PARTY:
            raise Refused(
                "RequestFailedException", f"The action type {'/'.join(key)} belongs to AWS: only AWS updates it"
            )
        _refuse_mismatched_executor(declaration["executor"])
        self._updated[key] = declaration
        return {}

    # --- what the other rooms ask ----------------------------------------------------------------

    def polled(self, type_id: Mapping[str, str]) -> CustomType:
        """Return the custom type that a worker polls for.

        Raises:
            Refused: the account has none of this id, or it was deleted.
        """
        known = self._custom.get(_key(type_id))
        if known is None or known.deleted:
            raise _not_found(_key(type_id))
        return known

    def refuse_unavailable(self, pipeline: Pipeline) -> None:
        """Refuse a declaration that uses a custom type which this account does not have.

        Raises:
            Refused: InvalidActionDeclarationException, as CreatePipeline answers.
        """
        for _, action in pipeline.actions():
            type_id = action.type
            key = (type_id.category, type_id.owner, type_id.provider, type_id.version)
            if type_id.owner != ActionOwner.CUSTOM:
                continue
            known = self._custom.get(key)
            if known is None or known.deleted:
                region = (action.region or self._account.region).upper().replace("-", "_")
                raise Refused(
                    "InvalidActionDeclarationException",
                    f"ActionType (Category: '{type_id.category}', Provider: '{type_id.provider}', Owner: 'Custom',"
                    f" Version: '{type_id.version}') in action '{action.name}' is not available in region '{region}'",
                )
            _refuse_configuration(action.name, action.configuration, known)

    def job_timeout(self, key: TypeKey) -> float | None:
        """Return within how many seconds each job of a type must be answered; None: no limit of its own."""
        executor = self._updated.get(key, {}).get("executor", {})
        limit = executor.get("jobTimeout")
        return None if limit is None else float(limit)

    def execution_url(self, type_id: ActionTypeId) -> str:
        """Return the template of the link to one run of a type; empty where it names none."""
        key = (type_id.category, type_id.owner, type_id.provider, type_id.version)
        if (custom := self._custom.get(key)) is not None:
            return str(custom.declaration["settings"].get("executionUrlTemplate", ""))
        if (new := self._updated.get(key)) is not None:
            return str(new.get("urls", {}).get("executionUrlTemplate", ""))
        known = find_action_type(*key)
        return "" if known is None else known.execution_url

    def entity_url(self, type_id: ActionTypeId) -> str:
        """Return the template of the link to what a custom type works on; empty where it names none."""
        custom = self._custom.get((type_id.category, type_id.owner, type_id.provider, type_id.version))
        return "" if custom is None else str(custom.declaration["settings"].get("entityUrlTemplate", ""))

    def tags_of(self, arn: str) -> dict[str, str] | None:
        """Return the tags of the custom type with this ARN, to read and to change; None when there is none.

        Args:
            arn: ``arn:aws:codepipeline:REGION:ACCOUNT:actiontype:Custom/CATEGORY/PROVIDER/VERSION``.
        """
        owner, category, provider, version = (arn.rpartition(":actiontype:")[2].split("/") + [""] * 4)[:4]
        known = self._custom.get((category, owner, provider, version))
        return None if known is None or known.deleted else known.tags


def to_list_entry(known: ActionType, region: str) -> dict[str, Any]:
    """Return a type of the catalog as ListActionTypes shows it.

    Args:
        known: the type.
        region: the region that its links lead to.
    """
    settings = {
        "entityUrlTemplate": known.entity_url,
        "executionUrlTemplate": known.execution_url,
        "revisionUrlTemplate": known.revision_url,
    }
    return {
        "id": {part: getattr(known, part) for part in PARTS},
        "settings": {name: _localise(url, region) for name, url in settings.items() if url},
        "actionConfigurationProperties": [
            {
                "name": each.name,
                "required": each.required,
                "key": each.key,
                "secret": each.secret,
                "queryable": each.queryable,
                **({"description": each.description} if each.description else {}),
            }
            for each in known.properties
        ],
        "inputArtifactDetails": {"minimumCount": known.inputs[0], "maximumCount": known.inputs[1]},
        "outputArtifactDetails": {"minimumCount": known.outputs[0], "maximumCount": known.outputs[1]},
    }


def to_declaration(known: ActionType, region: str) -> dict[str, Any]:
    """Return a partner's type of the catalog as GetActionType shows it: a job worker does its work.

    Args:
        known: the type.
        region: the region that its links lead to.
    """
    entry = to_list_entry(known, region)
    return {
        "description": known.description,
        "executor": {"configuration": {"jobWorkerExecutorConfiguration": {}}, "type": "JobWorker"},
        "id": entry["id"],
        "inputArtifactDetails": entry["inputArtifactDetails"],
        "outputArtifactDetails": entry["outputArtifactDetails"],
        "properties": [
            {
                "name": each.name,
                "optional": not each.required,
                "key": each.key,
                "noEcho": each.secret,
                "queryable": each.queryable,
                **({"description": each.description} if each.description else {}),
            }
            for each in known.properties
        ],
        "urls": {
            name: url
            for name, url in entry["settings"].items()
            if name in ("entityUrlTemplate", "executionUrlTemplate", "revisionUrlTemplate")
        },
    }


def _declare(parameters: Mapping[str, Any]) -> dict[str, Any]:
    properties = [{"queryable": False, **given} for given in parameters.get("configurationProperties") or ()]
    return {
        "id": {
            "category": parameters["category"],
            "owner": ActionOwner.CUSTOM.value,
            "provider": parameters["provider"],
            "version": parameters["version"],
        },
        "settings": dict(parameters.get("settings") or {}),
        "actionConfigurationProperties": properties,
        "inputArtifactDetails": dict(parameters["inputArtifactDetails"]),
        "outputArtifactDetails": dict(parameters["outputArtifactDetails"]),
    }


def _refuse_wrong(declaration: Mapping[str, Any]) -> None:
    if declaration["id"]["category"] == ActionCategory.APPROVAL:
        raise Refused("ValidationException", "A custom action type cannot be of category Approval")
    for details in (declaration["inputArtifactDetails"], declaration["outputArtifactDetails"]):
        least, most = details["minimumCount"], details["maximumCount"]
        if most < least:
            raise Refused(
                "ValidationException",
                f"Maximum Number of Artifacts ({most}) has to be greater than or equal to minimum ({least}).",
            )
    properties = declaration["actionConfigurationProperties"]
    names = [each["name"] for each in properties]
    if len(set(names)) != len(names):
        raise Refused("ValidationException", f"Configuration properties must have unique names: {', '.join(names)}")
    queryable = [each for each in properties if each["queryable"]]
    if len(queryable) > 1:
        raise Refused(
            "ValidationException",
            "At most one configuration property may be queryable: " + ", ".join(each["name"] for each in queryable),
        )
    for each in queryable:
        if not each["required"] or each["secret"]:
            raise Refused(
                "ValidationException",
                f"The queryable property '{each['name']}' must be required and must not be secret",
            )


def _refuse_configuration(action: str, configuration: Mapping[str, str], known: CustomType) -> None:
    properties = known.declaration["actionConfigurationProperties"]
    for each in properties:
        if each["required"] and each["name"] not in configuration:
            raise Refused(
                "InvalidActionDeclarationException",
                f"Action configuration for action '{action}' is missing required configuration '{each['name']}'",
            )
    names = {each["name"] for each in properties}
    for name in configuration:
        if name not in names:
            raise Refused(
                "InvalidActionDeclarationException",
                f"Action configuration for action '{action}' contains unknown configuration '{name}'",
            )


def _refuse_custom_owner(owner: str) -> None:
    if owner not in (ActionOwner.AWS, ActionOwner.THIRD_PARTY):
        raise Refused(
            "ValidationException",
            f"Value '{owner}' at 'owner' failed to satisfy constraint: Member must satisfy regular expression pattern:"
            " AWS|ThirdParty",
        )


def _refuse_mismatched_executor(executor: Mapping[str, Any]) -> None:
    wanted = {"Lambda": "lambdaExecutorConfiguration", "JobWorker": "jobWorkerExecutorConfiguration"}[executor["type"]]
    if wanted not in executor["configuration"]:
        raise Refused(
            "ValidationException", f"An executor of type {executor['type']} needs the configuration '{wanted}'"
        )


def _as_list_entry(declaration: Mapping[str, Any]) -> dict[str, Any]:
    settings = dict(declaration.get("urls") or {})
    if url := settings.pop("configurationUrl", None):
        settings["thirdPartyConfigurationUrl"] = url
    return {
        "id": dict(declaration["id"]),
        "settings": settings,
        "actionConfigurationProperties": [
            {
                "name": each["name"],
                "required": not each["optional"],
                "key": each["key"],
                "secret": each["noEcho"],
                "queryable": each.get("queryable", False),
                **({"description": each["description"]} if each.get("description") else {}),
            }
            for each in declaration.get("properties") or ()
        ],
        "inputArtifactDetails": dict(declaration["inputArtifactDetails"]),
        "outputArtifactDetails": dict(declaration["outputArtifactDetails"]),
    }


def _localise(url: str, region: str) -> str:
    """Fill the region in, as the service does in all templates but those that name the console by placeholder."""
    return url if url.startswith("{Console}") else url.replace("{Region}", region)


def _key(type_id: Mapping[str, str]) -> TypeKey:
    return (type_id["category"], type_id["owner"], type_id["provider"], type_id["version"])


def _key_of(known: ActionType) -> TypeKey:
    return (known.category, known.owner, known.provider, known.version)


def _not_found(key: TypeKey) -> Refused:
    return Refused("ActionTypeNotFoundException", f"The action type {'/'.join(key)} cannot be found")
