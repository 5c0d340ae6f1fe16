"""Widgets for JupyterLab and Voilà: what one can click, type in and watch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["Approvals", "Builder", "Events", "Gallery", "Player", "Troubleshoot", "WhatIf", "Workbench"]

if TYPE_CHECKING:
    from pipesim.widgets.approvals import Approvals as Approvals
    from pipesim.widgets.builder import Builder as Builder
    from pipesim.widgets.events import Events as Events
    from pipesim.widgets.gallery import Gallery as Gallery
    from pipesim.widgets.player import Player as Player
    from pipesim.widgets.troubleshoot import Troubleshoot as Troubleshoot
    from pipesim.widgets.whatif import WhatIf as WhatIf
    from pipesim.widgets.workbench import Workbench as Workbench


def __getattr__(name: str) -> Any:
    """Import a widget when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'pipesim.widgets' has no attribute {name!r}")
    return getattr(import_module(f"pipesim.widgets.{name.lower()}"), name)
