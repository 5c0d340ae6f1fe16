"""The versions of a product.

Source: AWS Service Catalog API reference, CreateProvisioningArtifact, DescribeProvisioningArtifact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random
from moto.servicecatalog.exceptions import ResourceNotFoundException
from moto.servicecatalog.models import Product


@dataclass(slots=True, eq=False)
class Version:
    """One version of a product.

    Attributes:
        id: as Service Catalog gives it, ``pa-…``.
        name, description, kind: what it is called.
        info: where its template lies.
        created: when.
    """

    id: str
    name: str
    description: str = ""
    kind: str = "CLOUD_FORMATION_TEMPLATE"
    info: dict[str, Any] = field(default_factory=dict)
    created: datetime = field(default_factory=utcnow)

    def told(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "Id": self.id,
            "Name": self.name,
            "Description": self.description,
            "Type": self.kind,
            "CreatedTime": self.created,
            "Active": True,
            "Guidance": "DEFAULT",
        }


def versions_of(product: Product) -> dict[str, Version]:
    """Return a product's versions by id; the first is the one with which it was made."""
    if "versions" not in vars(product):
        vars(product)["versions"] = {}
        if product.provisioning_artifact_parameters:
            add_version(product, product.provisioning_artifact_parameters)
    known: dict[str, Version] = vars(product)["versions"]
    return known


def add_version(product: Product, given: Mapping[str, Any]) -> Version:
    """Make a version out of what CreateProvisioningArtifact takes as its parameters."""
    id = f"pa-{mock_random.get_random_string(13, lower_case=True)}"
    made = Version(
        id,
        given.get("Name", ""),
        given.get("Description") or "",
        given.get("Type") or "CLOUD_FORMATION_TEMPLATE",
        dict(given.get("Info") or {}),
    )
    versions_of(product)[id] = made
    return made


def version_of(product: Product, id: str) -> Version:
    """Return a version.

    Raises:
        ResourceNotFoundException: there is none of this id.
    """
    try:
        return versions_of(product)[id]
    except KeyError:
        raise ResourceNotFoundException(f"ProvisioningArtifact {id} not found.") from None
