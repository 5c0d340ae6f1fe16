"""The operations about product versions.

Source: AWS Service Catalog API reference; botocore's model.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.servicecatalog.models import Product
from moto.servicecatalog.responses import ServiceCatalogResponse as MotoResponse

from pipesim.cloud.gaps.servicecatalog import models


class ServiceCatalogResponse(MotoResponse):
    """moto's Service Catalog with product versions."""

    def list_provisioning_artifacts(self) -> ActionResult:
        """ListProvisioningArtifacts."""
        versions = models.versions_of(self._product())
        return ActionResult({"ProvisioningArtifactDetails": [one.told() for one in versions.values()]})

    def create_provisioning_artifact(self) -> ActionResult:
        """CreateProvisioningArtifact."""
        return self._told(models.add_version(self._product(), self._given()["Parameters"]))

    def describe_provisioning_artifact(self) -> ActionResult:
        """DescribeProvisioningArtifact."""
        return self._told(models.version_of(self._product(), self._given()["ProvisioningArtifactId"]))

    def delete_provisioning_artifact(self) -> EmptyResult:
        """DeleteProvisioningArtifact."""
        product, id = self._product(), self._given()["ProvisioningArtifactId"]
        models.version_of(product, id)
        del models.versions_of(product)[id]
        return EmptyResult()

    def _given(self) -> dict[str, Any]:
        given: dict[str, Any] = json.loads(self.body)
        return given

    def _product(self) -> Product:
        return self.servicecatalog_backend.describe_product(None, str(self._given().get("ProductId") or "-"), "")

    def _told(self, version: models.Version) -> ActionResult:
        return ActionResult({"ProvisioningArtifactDetail": version.told(), "Info": version.info, "Status": "AVAILABLE"})
