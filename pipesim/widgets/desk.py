"""What all desks beside a mocked cloud share: they look again when the cloud has moved, and answer their page."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets

from pipesim.errors import PipesimError, SourceError
from pipesim.widgets.assets import module, palette, read

if TYPE_CHECKING:
    from pipesim.cloud.account import Cloud

PAUSE = 0.1
"""Seconds of the wall clock between two drawings, while a long run goes on."""

REST = 4
"""How many times as long as a drawing took the next one waits, so that a long run is not slowed by being watched."""


class Desk(anywidget.AnyWidget):
    """A page about an open cloud.

    What a desk says to Python is read from the cloud at that moment; its page is drawn again soon after the cloud
    has moved.

    Args:
        cloud: an open cloud.

    Attributes:
        view: what the page shows.
        refusal: why the last order was not carried out, as ``code`` and ``message``; empty when it was.
        notice: what the last order did.

    Raises:
        SourceError: it is no cloud.
    """

    _css = palette(".ps-box") + read("box.css") + read("desk.css")

    view = traitlets.Dict().tag(sync=True)
    refusal = traitlets.Dict().tag(sync=True)
    notice = traitlets.Unicode("").tag(sync=True)

    orders: ClassVar[Mapping[str, str]] = {}
    """What a button asks for, and the method that does it with the order's other members."""

    def __init__(self, cloud: Cloud, **traits: Any) -> None:
        if not hasattr(cloud, "watch") or not hasattr(cloud, "is_open"):
            raise SourceError(
                f"this is a page about a cloud, not about {type(cloud).__name__}: give it pipesim.Cloud(…)"
            )
        self.cloud = cloud
        self._drawn_at = -PAUSE
        self._pause = PAUSE
        self._later: threading.Timer | None = None
        super().__init__(**traits)
        look = weakref.WeakMethod(self._look)
        self._forget: Callable[[], None] = cloud.watch(lambda: (found := look()) and found())
        self.on_msg(self._hear)

    def refresh(self) -> None:
        """Look at the cloud and draw the page again."""
        began = perf_counter()
        self.view = self.facts()
        self._drawn_at = perf_counter()
        self._pause = max(PAUSE, REST * (self._drawn_at - began))

    def facts(self) -> dict[str, Any]:
        """Return what the page shows, as JSON has it."""
        raise NotImplementedError

    def close(self) -> None:
        """Take the desk off the page; it no longer follows its cloud."""
        if "_forget" in self.__dict__:
            self._forget()
        super().close()

    def _look(self) -> None:
        if perf_counter() - self._drawn_at >= self._pause:
            self.refresh()
        elif self._later is None:
            self._later = threading.Timer(self._pause, self._look_later)
            self._later.daemon = True
            self._later.start()

    def _look_later(self) -> None:
        self._later = None
        with self.cloud.account.lock:
            if self.cloud.is_open and self.comm is not None:
                self.refresh()

    def _insist_that_it_is_open(self) -> None:
        if not self.cloud.is_open:
            raise PipesimError("the cloud is closed: nothing can happen in it any more; open a new one")

    def _hear(self, _: Any, content: Mapping[str, Any], buffers: Any) -> None:
        """Do what a button of the page asks for, and say why not."""
        method = self.orders.get(str(content.get("do")))
        if method is None:
            return
        members = {name: value for name, value in content.items() if name != "do"}
        self.attempt(lambda: getattr(self, method)(**members))

    def attempt(self, do: Callable[[], object]) -> None:
        """Carry something out and show why it is refused, rather than raise.

        Args:
            do: what to do.
        """
        from botocore.exceptions import ClientError

        self.refusal = {}
        try:
            do()
        except ClientError as error:
            detail = error.response["Error"]
            self.refusal = {"code": detail["Code"], "message": detail["Message"]}
        except (PipesimError, TypeError) as error:
            self.refusal = {"code": type(error).__name__, "message": str(error)}
        if self.cloud.is_open:
            self.refresh()


def insist_on_cloud(thing: object) -> None:
    """Refuse what is no cloud.

    Raises:
        SourceError: it is none.
    """
    if not hasattr(thing, "watch") or not hasattr(thing, "is_open"):
        raise SourceError(f"this is a page about a cloud, not about {type(thing).__name__}: give it pipesim.Cloud(…)")


def desk_module(name: str) -> str:
    """Return the ES module of a desk: what all have in common, and its own file."""
    return module("dom.js", "desk.js", name)
