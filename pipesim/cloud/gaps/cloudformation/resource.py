"""A resource of a stack that moto does not build: it is made, changed and deleted through its service's own API.

The calls are those of the stack's role where it has one, which must be allowed to make them; else everything is
allowed. Source: AWS CloudFormation User Guide, "CloudFormation service role".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore import xform_name
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.cloudformation.models import cloudformation_backends

from pipesim.cloud import permissions
from pipesim.cloud.codepipeline.models import ACCOUNTS
from pipesim.cloud.gaps.cloudformation.properties import request

CLOUDFORMATION = "cloudformation.amazonaws.com"


class TakenError(Exception):
    """A resource is there already.

    Args:
        type: its type's name in templates.
        identifier: what names it.
    """

    def __init__(self, type: str, identifier: str) -> None:
        told = f"Resource of type '{type}' with identifier '{identifier}' already exists."
        super().__init__(f'Resource handler returned message: "{told}" (HandlerErrorCode: AlreadyExists)')


class Resource(ABC):
    """One resource; each type is a class of its own.

    Attributes:
        type: its name in templates.
        service: as boto3 calls the service.
        named_by: the property with its name; empty: it has none that CloudFormation could make up.
        attributes: what Fn::GetAtt knows of it.
        replaced_by: properties whose change makes a new resource.
    """

    type: ClassVar[str]
    service: ClassVar[str]
    named_by: ClassVar[str] = ""
    attributes: ClassVar[tuple[str, ...]] = ()
    replaced_by: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, name: str, properties: Mapping[str, Any], account: str, region: str, stack: str) -> None:
        self.name = name
        self.properties = dict(properties)
        if self.named_by:
            self.properties.setdefault(self.named_by, name)
        self.account, self.region, self.stack = account, region, stack
        self.physical_resource_id = name
        self.values: dict[str, str] = {}

    # --- what each type says ---------------------------------------------------------------------

    @abstractmethod
    def create(self) -> None:
        """Make it, and note its id and attributes."""

    def change(self, properties: Mapping[str, Any]) -> None:  # noqa: B027  # most types need none
        """Let it have other properties, none of which makes a new one; unless said otherwise, other tags do nothing."""

    @abstractmethod
    def remove(self) -> None:
        """Delete it."""

    # --- what they use ---------------------------------------------------------------------------

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """Call the service as the stack may."""
        found: dict[str, Any] = getattr(self.client(self.service), xform_name(operation))(**members)
        return found

    def ask(self, operation: str, properties: Mapping[str, Any], **members: Any) -> dict[str, Any]:
        """Call an operation that takes a template's properties as they are but for their spelling."""
        return self.call(operation, **request(self.service, operation, properties), **members)

    def client(self, service: str) -> Any:
        """Return a boto3 client with the stack's permissions."""
        account = ACCOUNTS.find(self.account, self.region)
        stack = cloudformation_backends[self.account][self.region].stacks.get(self.stack)
        role = stack.role_arn if stack is not None else None
        if not role:
            return account.client(service)
        session = permissions.assume(account, role, CLOUDFORMATION, "AWSCloudFormation")
        return permissions.client(account, session, service, self.region)

    def get_cfn_attribute(self, name: str) -> str:
        """Return what Fn::GetAtt gives."""
        if name not in self.attributes:
            raise UnformattedGetAttTemplateException
        return self.values[name]

    # --- what moto asks --------------------------------------------------------------------------

    def is_created(self) -> bool:
        """It is, as soon as it is there."""
        return True

    def delete(self, account: str, region: str) -> None:
        """Delete it."""
        self.remove()

    @classmethod
    def has_cfn_attr(cls, name: str) -> bool:
        """Whether Fn::GetAtt knows this."""
        return name in cls.attributes

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Mapping[str, Any], account_id: str, region_name: str, **told: Any
    ) -> Resource:
        """Make a resource of a new stack."""
        made = cls(resource_name, cloudformation_json["Properties"], account_id, region_name, told.get("StackId", ""))
        made.create()
        return made

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Resource,
        new_resource_name: str,
        cloudformation_json: Mapping[str, Any],
        account_id: str,
        region_name: str,
    ) -> Resource:
        """Change a resource, or make a new one and delete the old one."""
        old, wanted = original_resource, dict(cloudformation_json["Properties"])
        if cls.named_by:
            wanted.setdefault(cls.named_by, old.name if not _was_named(old) else new_resource_name)
        changed = {key for key in {*old.properties, *wanted} if old.properties.get(key) != wanted.get(key)}
        if not changed:
            return old
        if changed & cls.replaced_by:
            made = cls(wanted.get(cls.named_by, new_resource_name), wanted, account_id, region_name, old.stack)
            made.create()
            old.remove()
            return made
        old.change(wanted)
        old.properties = wanted
        return old


def _was_named(resource: Resource) -> bool:
    """Whether the template gave the name; then a template without it wants a new one."""
    return not resource.name.startswith(f"{resource.stack.split('/')[1]}-" if "/" in resource.stack else "\0")
