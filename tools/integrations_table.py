"""Write the table of docs/integrations.md from the tests of providers that pass, or check it.

    python tools/integrations_table.py            run the tests of providers and write the table
    python tools/integrations_table.py --check    run them and fail when the table is another one

An ordinary run of all tests checks the table too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def main(arguments: list[str]) -> int:
    sys.path.insert(0, str(ROOT))
    from tests.integrations import Integrations

    plugin = Integrations(write="--check" not in arguments)
    return pytest.main(["-q", "-m", "provider", f"--rootdir={ROOT}", str(ROOT / "tests" / "cloud")], plugins=[plugin])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
