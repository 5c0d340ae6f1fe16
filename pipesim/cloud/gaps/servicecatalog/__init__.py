"""Service Catalog's product versions (provisioning artifacts)."""

from __future__ import annotations

from typing import Any

from moto.servicecatalog.urls import url_paths

from pipesim.cloud.gaps.servicecatalog.responses import ServiceCatalogResponse

ADDRESS = "{0}/$"

_originals: list[Any] = []


def install() -> None:
    """Fill the gap; without effect the second time."""
    if not _originals:
        _originals.append(url_paths[ADDRESS])
        url_paths[ADDRESS] = ServiceCatalogResponse.dispatch


def uninstall() -> None:
    """Leave moto as it was."""
    while _originals:
        url_paths[ADDRESS] = _originals.pop()
