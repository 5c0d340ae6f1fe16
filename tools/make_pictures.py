"""Draw the pictures of README.md with the program itself.

python tools/make_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import pipesim as ps

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SEED = 0
MOMENT = ps.minutes(100)


def main() -> None:
    """Simulate the shop and draw it."""
    shop = ps.load(ps.sample("e-commerce"))
    trace = ps.simulate(shop, ps.load_profile(ps.sample_profile("e-commerce")), executions=6, seed=SEED)
    ps.draw(shop, trace=trace, at=MOMENT, engine="graphviz-pure", path=IMAGES / "e-commerce.svg")
    ps.timeline(trace, path=IMAGES / "e-commerce-timeline.png")


if __name__ == "__main__":
    main()
