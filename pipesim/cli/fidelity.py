"""``pipesim fidelity``: what is modelled, what is assumed, what is not modelled."""

from __future__ import annotations

import click


@click.command()
def fidelity() -> None:
    """Print how far the simulator can be held beside the real service."""
    from pipesim.files import shipped

    click.echo((shipped("docs") / "fidelity.md").read_text(encoding="utf-8"))
