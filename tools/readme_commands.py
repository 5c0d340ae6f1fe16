"""Print the one command that a section of README.md holds.

python tools/readme_commands.py Run
python tools/readme_commands.py Test
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def command(readme: str, section: str) -> str:
    """Return the line of the section's only fenced bash block; ValueError when it is not exactly one line."""
    parts = re.split(r"^## (.+)$", readme, flags=re.MULTILINE)
    bodies = [body for title, body in zip(parts[1::2], parts[2::2], strict=True) if title.strip() == section]
    if len(bodies) != 1:
        raise ValueError(f"README.md has {len(bodies)} sections '## {section}' (must be exactly one)")
    fences = re.findall(r"^```(\S*)\n(.*?)^```$", bodies[0], flags=re.MULTILINE | re.DOTALL)
    if [language for language, _ in fences] != ["bash"]:
        raise ValueError(f"section '## {section}' must hold exactly one fenced block, in bash")
    lines = fences[0][1].strip().splitlines()
    if len(lines) != 1:
        raise ValueError(f"the bash block of '## {section}' has {len(lines)} lines (must be exactly one)")
    return lines[0]


def main(arguments: list[str]) -> int:
    """Print the command of the section named."""
    try:
        (section,) = arguments
        print(command((ROOT / "README.md").read_text(encoding="utf-8"), section))
    except ValueError as error:
        print(f"readme_commands: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
