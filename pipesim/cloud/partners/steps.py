"""A test of steps, as of a page or an interface: it passes when every step does."""

from __future__ import annotations

import json

from pipesim.cloud.partners.service import Result


def steps(names: tuple[str, ...], *, broken: str = "") -> Result:
    """Take the steps one after the other, and stop at the broken one.

    Args:
        names: what is done, in order.
        broken: the step that does not work; empty: none.

    >>> steps(("open", "click"), broken="click").summary
    "1 of 2 steps passed; 'click' failed"
    """
    good = names[: names.index(broken)] if broken else names
    report = [{"step": name, "passed": name != broken} for name in names[: len(good) + bool(broken)]]
    summary = f"{len(good)} of {len(names)} steps passed" + (f"; '{broken}' failed" if broken else "")
    return Result(not broken, summary, {"steps.json": json.dumps(report, indent=2).encode()})
