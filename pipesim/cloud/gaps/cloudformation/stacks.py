"""What moto's stacks get wrong for pipelines.

- A resource that cannot be made or changed takes the whole stack back, unless CreateStack wants it otherwise: moto
  raises the error and leaves the pieces.
- Resources are deleted in the reverse order of their creation, those of an update only after all else went well.
- An update changes what refers to a parameter by ``Fn::Sub``, too, and knows the defaults of parameters.
- A stack has outputs after a change set was executed, too: moto works them out only on create and update.
- The stacks of a stack set have names from which resources can be named: ``StackSet-NAME`` (moto has a colon there).
- Names that CloudFormation makes up hang on the account's seed.

Source: AWS CloudFormation User Guide, "Stack failure options", "Understand update behaviors of stack resources".
"""

from __future__ import annotations

import json
import re
import string
import warnings
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.models import CloudFormationBackend, Event, Stack, cloudformation_backends
from moto.cloudformation.parsing import ResourceMap
from moto.cloudformation.responses import CloudFormationResponse
from moto.moto_api._internal import mock_random

from pipesim.cloud.gaps.cloudformation.properties import PropertyError

OF_STACK_SETS = "StackSet-"
DO_NOTHING, ROLLBACK, DELETE = "DO_NOTHING", "ROLLBACK", "DELETE"
CODES = (
    (("AccessDenied", "NotAuthorized"), "AccessDenied"),
    (("AlreadyExists", "InUse", "NameExists"), "AlreadyExists"),
    (("NotFound", "DoesNotExist", "NoSuch"), "NotFound"),
    (("LimitExceeded",), "ServiceLimitExceeded"),
)
"""What CloudFormation calls a service's errors, by a part of their code."""

_SUBSTITUTED = re.compile(r"\$\{([A-Za-z0-9]+)")
"""What ``Fn::Sub`` refers to; moto finds what ``Ref`` does."""

_on_failure: ContextVar[str] = ContextVar("what a failed creation wants", default=ROLLBACK)
_originals: list[tuple[Any, str, Any]] = []


class ResourceFailed(Exception):
    """A resource could not be made, changed or deleted.

    Args:
        name: its logical id.
        kind: its type.
        reason: why, as the stack's events say it.
    """

    def __init__(self, name: str, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.name, self.kind, self.reason = name, kind, reason


def install() -> None:
    """Put it right."""
    for owner, name, make in (
        (parsing, "random_suffix", _random_suffix),
        (parsing, "get_references_from_template", _references),
        (parsing, "parse_and_create_resource", _creating),
        (parsing, "parse_and_update_resource", _updating),
        (ResourceMap, "update", _update_map),
        (ResourceMap, "delete", _delete_map),
        (CloudFormationResponse, "create_stack", _obeying),
        (CloudFormationBackend, "create_stack", _create_stack),
        (CloudFormationBackend, "update_stack", _update_stack),
        (CloudFormationBackend, "delete_stack", _delete_stack),
        (CloudFormationBackend, "execute_change_set", _execute_change_set),
    ):
        original = getattr(owner, name)
        _originals.append((owner, name, original))
        setattr(owner, name, make(original))


def uninstall() -> None:
    """Leave moto as it was."""
    while _originals:
        owner, name, original = _originals.pop()
        setattr(owner, name, original)


def reason_of(error: Exception, name: str, kind: str) -> str:
    """Return how the events of a stack tell an error."""
    if isinstance(error, ClientError):
        told, answer = error.response["Error"], error.response.get("ResponseMetadata", {})
        code = next((ours for parts, ours in CODES if any(part in told["Code"] for part in parts)), "InvalidRequest")
        where = f"(Service: {kind.split('::')[1]}, Status Code: {answer.get('HTTPStatusCode', 400)}, {told['Code']})"
        return f'Resource handler returned message: "{told["Message"]} {where}" (HandlerErrorCode: {code})'
    if isinstance(error, PropertyError):
        return f"Properties validation failed for resource {name} with message: {error}"
    return str(error)


def _random_suffix(original: Callable[..., Any]) -> Callable[..., Any]:
    def random_suffix() -> str:
        return "".join(mock_random.choices(string.digits + string.ascii_uppercase, k=12))

    return random_suffix


def _references(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_references_from_template(template: Any) -> list[str]:
        return [*original(template), *_SUBSTITUTED.findall(json.dumps(template, default=str))]

    return get_references_from_template


def _creating(original: Callable[..., Any]) -> Callable[..., Any]:
    def parse_and_create_resource(logical_id: str, resource_json: Any, *args: Any, **named: Any) -> Any:
        made = _telling(original, logical_id, resource_json, *args, **named)
        if isinstance(made, Stack) and made.status == "ROLLBACK_COMPLETE":
            cloudformation_backends[made.account_id][made.region_name].delete_stack(made.stack_id)
            told = f"Embedded stack {made.stack_id} was not successfully created: {vars(made)['status_reason']}"
            raise ResourceFailed(logical_id, resource_json["Type"], told)
        return made

    return parse_and_create_resource


def _updating(original: Callable[..., Any]) -> Callable[..., Any]:
    def parse_and_update_resource(logical_id: str, resource_json: Any, resources_map: Any, **named: Any) -> Any:
        made = _telling(original, logical_id, resource_json, resources_map, **named)
        return resources_map[logical_id] if made is None else made

    return parse_and_update_resource


def _telling(original: Callable[..., Any], logical_id: str, resource_json: Any, *args: Any, **named: Any) -> Any:
    """Call moto; an error says which resource it is about."""
    try:
        return original(logical_id, resource_json, *args, **named)
    except (ResourceFailed, CloudFormationError):
        raise
    except Exception as error:
        kind = resource_json["Type"]
        raise ResourceFailed(logical_id, kind, reason_of(error, logical_id, kind)) from error


def _update_map(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(self: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
        given = _complete(template, parameters or self.input_parameters)
        self.input_parameters = _complete(self._template, self.input_parameters)
        old = self._resource_json_map
        with_removed = {**{name: old[name] for name in old if name not in template["Resources"]}}
        original(self, {**template, "Resources": {**with_removed, **template["Resources"]}}, given)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            original(self, template, given)
        for name in with_removed:
            self._parsed_resources.pop(name, None)

    return update


def _complete(template: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Parameters with the defaults of those that were not given."""
    slots = template.get("Parameters") or {}
    defaults = {name: str(slot["Default"]) for name, slot in slots.items() if slot.get("Default") is not None}
    return {**defaults, **(given or {})}


def _delete_map(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete(self: Any) -> None:
        take_down(self, keep=True)

    return delete


def take_down(resources: Any, *, keep: bool = False) -> None:
    """Delete what a stack made, the newest first; what another resource still needs is tried again.

    Args:
        resources: moto's map of the stack's resources.
        keep: whether a deletion policy may say that something stays.

    Raises:
        ResourceFailed: something cannot be deleted.
    """
    known, made = resources._resource_json_map, resources._parsed_resources
    left = [
        name
        for name in reversed(list(made))
        if name in known and not (keep and str(known[name].get("DeletionPolicy", "")).startswith("Retain"))
    ]
    failed: Exception | None = None
    while left:
        before = len(left)
        for name in list(left):
            try:
                if made[name] is not None:
                    resources._delete_resource(made[name], known[name])
                made.pop(name)
                left.remove(name)
            except Exception as error:
                failed = error
        if len(left) == before and failed is not None:
            kind = known[left[0]]["Type"]
            raise ResourceFailed(left[0], kind, reason_of(failed, left[0], kind)) from failed


def _create_stack(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_stack(self: Any, name: str, template: str, *args: Any, **members: Any) -> Any:
        name = name.replace("StackSet:", OF_STACK_SETS, 1)
        before = set(self.stacks)
        try:
            return original(self, name, template, *args, **members)
        except (ResourceFailed, CloudFormationError, KeyError) as error:
            stack = next((self.stacks[id] for id in self.stacks if id not in before), None)
            if stack is None or isinstance(error, CloudFormationError):
                _forget(self, stack)
                raise
            failed = _failed(error)
            if _on_failure.get() == DO_NOTHING:
                _leave(stack, failed)
            else:
                _roll_back_creation(stack, failed)
            if _on_failure.get() == DELETE:
                self.delete_stack(stack.stack_id)
            if name.startswith(OF_STACK_SETS):
                _forget(self, stack)
                raise failed from error
            return stack

    return create_stack


def _obeying(original: Callable[..., Any]) -> Callable[..., Any]:
    """CreateStack with its ``OnFailure`` and ``DisableRollback``."""

    def create_stack(self: Any) -> Any:
        wanted, disabled = self._get_param("OnFailure"), self._get_bool_param("DisableRollback")
        if wanted and disabled is not None:
            raise ValidationError(message="You cannot specify both the DisableRollback and OnFailure parameters.")
        before = _on_failure.set(DO_NOTHING if disabled else wanted or ROLLBACK)
        try:
            return original(self)
        finally:
            _on_failure.reset(before)

    return create_stack


def _leave(stack: Any, failed: ResourceFailed) -> None:
    """Let what was made of a stack stand, for somebody to look at."""
    stack.status, stack.disable_rollback = "CREATE_FAILED", True
    _tell_of_creation(stack, failed, stack.status)
    stack.output_map = parsing.OutputMap(stack.resource_map, {"Resources": {}}, stack.stack_id)


def _tell_of_creation(stack: Any, failed: ResourceFailed, status: str) -> None:
    stack.status_reason = f"The following resource(s) failed to create: [{failed.name}]. {failed.reason}"
    _tell(stack, failed, "CREATE_FAILED")
    stack._add_stack_event(status, resource_status_reason=stack.status_reason)


def _forget(backend: Any, stack: Any) -> None:
    if stack is not None:
        take_down(stack.resource_map)
        backend.stacks.pop(stack.stack_id, None)


def _failed(error: Exception) -> ResourceFailed:
    return error if isinstance(error, ResourceFailed) else ResourceFailed("", "", f"Unresolved dependency: {error}")


def _roll_back_creation(stack: Any, failed: ResourceFailed) -> None:
    _tell_of_creation(stack, failed, "ROLLBACK_IN_PROGRESS")
    try:
        take_down(stack.resource_map)
    except ResourceFailed as stuck:
        _tell(stack, stuck, "DELETE_FAILED")
        stack.status = "ROLLBACK_FAILED"
    else:
        stack.status = "ROLLBACK_COMPLETE"
    stack._add_stack_event(stack.status)
    stack.output_map = parsing.OutputMap(stack.resource_map, {"Resources": {}}, stack.stack_id)


def _update_stack(original: Callable[..., Any]) -> Callable[..., Any]:
    def update_stack(self: Any, name: str, template: str, role_arn: Any, parameters: Any, tags: Any) -> Any:
        stack = self.get_stack(name)
        old = _Before(stack)
        stack.role_arn = role_arn or stack.role_arn
        try:
            original(self, name, template, stack.role_arn, parameters, tags)
            vars(stack).pop("status_reason", None)
        except (ResourceFailed, KeyError) as error:
            failed = _failed(error)
            old.restore(failed)
            if stack.name.startswith(OF_STACK_SETS):
                raise failed from error
        return stack

    return update_stack


class _Before:
    """A stack as it was before an update."""

    def __init__(self, stack: Any) -> None:
        self._stack = stack
        self._template, self._role = stack.template, stack.role_arn
        self._resources = dict(stack.resource_map._template)
        self._parameters = dict(stack.resource_map.input_parameters)

    def restore(self, failed: ResourceFailed) -> None:
        """Bring the stack back to it."""
        stack = self._stack
        stack.status_reason = f"The following resource(s) failed to update: [{failed.name}]. {failed.reason}"
        _tell(stack, failed, "UPDATE_FAILED")
        stack._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", resource_status_reason=stack.status_reason)
        stack.template = self._template
        try:
            stack._parse_template()
            stack.resource_map.update(self._resources, self._parameters)
            stack.output_map = stack._create_output_map()
        except ResourceFailed as stuck:
            _tell(stack, stuck, "UPDATE_FAILED")
            stack.status = "UPDATE_ROLLBACK_FAILED"
        else:
            stack.status = "UPDATE_ROLLBACK_COMPLETE"
        stack.role_arn = self._role
        stack._add_stack_event(stack.status)


def _delete_stack(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete_stack(self: Any, name_or_stack_id: str) -> None:
        stack = self.stacks.get(name_or_stack_id)
        try:
            original(self, name_or_stack_id)
        except ResourceFailed as failed:
            if stack is None:
                return
            self.stacks[stack.stack_id] = stack
            _tell(stack, failed, "DELETE_FAILED")
            stack.status = "DELETE_FAILED"
            stack.status_reason = f"The following resource(s) failed to delete: [{failed.name}]. {failed.reason}"
            stack._add_stack_event("DELETE_FAILED", resource_status_reason=stack.status_reason)

    return delete_stack


def _execute_change_set(original: Callable[..., Any]) -> Callable[..., Any]:
    def execute_change_set(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = self.describe_change_set(change_set_name)
        stack = self.stacks[change_set.stack_id]
        old = _Before(stack)
        stack.role_arn = change_set.role_arn or stack.role_arn
        try:
            original(self, change_set_name, stack_name)
        except (ResourceFailed, KeyError) as error:
            change_set.execution_status = "EXECUTE_FAILED"
            if change_set.change_set_type == "CREATE":
                _roll_back_creation(stack, _failed(error))
            else:
                old.restore(_failed(error))
            return
        stack._parse_template()
        stack.output_map = stack._create_output_map()

    return execute_change_set


def _tell(stack: Any, failed: ResourceFailed, status: str) -> None:
    """Put what happened to a resource among the stack's events."""
    made = stack.resource_map._parsed_resources.get(failed.name)
    stack.events.append(
        Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=failed.name,
            physical_resource_id=str(getattr(made, "physical_resource_id", "")),
            resource_type=failed.kind,
            resource_status=status,
            resource_status_reason=failed.reason,
            resource_properties=None,
        )
    )
