"""Reading what a person hands over: a path, a text, bytes or a mapping becomes one `Reading`.

Nothing here knows what a pipeline is. A reading is either a document (an object of JSON or YAML) or the text of
an arrow sketch; everything else is refused with a sentence that says what was tried and the way out.
"""

from __future__ import annotations

import codecs
import json
import math
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from pipesim.errors import SourceError
from pipesim.formats.sketch_grammar import has_arrow

LARGEST = 5_000_000
"""The largest input in bytes. A declaration with 1000 actions, the service's quota for one pipeline (CodePipeline
user guide, "Quotas"), takes about 1 MB; what is larger than this is something else."""

DEEPEST = 64
"""How deep objects and lists may be nested; CodePipeline's own shapes need 12."""

DOCUMENT_SUFFIXES = (".json", ".jsonc", ".template")
SKETCH_SUFFIXES = (".txt", ".sketch")
YAML_SUFFIXES = (".yaml", ".yml")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TEMPLATE = re.compile(r"^(AWSTemplateFormatVersion|Resources|[\"']Resources[\"'])[ \t]*:", re.MULTILINE)
"""A line that only a CloudFormation template has."""
_WAY_OUT = (
    "Give a path to a JSON or YAML file, JSON text that begins with '{', a mapping, "
    "or a sketch such as 'GitHub → CodeBuild → Elastic Beanstalk'."
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        origin: where it came from, for messages: a path, or words such as ``the text``.
        document: the object of JSON or YAML; None when a sketch was read.
        sketch: the text of a sketch; None when a document was read.
        part: what stood after ``#`` behind the path: the logical id of one resource of a template.
    """

    origin: str
    document: Mapping[str, Any] | None = None
    sketch: str | None = None
    part: str | None = None


def read(source: str | bytes | os.PathLike[str] | Mapping[str, Any]) -> Reading:
    """Read a source, whatever it is.

    Args:
        source: a path (as ``Path`` or text), JSON or a YAML template as text or bytes, the text of a sketch, or
            a mapping. A text is JSON when it begins with ``{``, YAML when it has a line such as ``Resources:``,
            a path when a file of that name exists or it looks like one, and a sketch when it holds an arrow.
            A path may end in ``#`` and a name, which is kept as `Reading.part`.

    Raises:
        SourceError: it cannot be used; the message says what was tried and the way out.

    >>> read('{"name": "shop"}').document
    {'name': 'shop'}
    >>> read("GitHub -> CodeBuild").sketch
    'GitHub -> CodeBuild'
    """
    if isinstance(source, Mapping):
        _refuse_odd_values(source, "the mapping")
        return Reading("the mapping", document=source)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_text(_decode(bytes(source), "the bytes"), "the bytes")
    if isinstance(source, str):
        return _read_text(source)
    if isinstance(source, os.PathLike):
        return _read_place(os.fspath(source))
    raise SourceError(f"Cannot read a pipeline from {type(source).__name__}. {_WAY_OUT}")


def _read_text(text: str) -> Reading:
    _refuse_large(len(text), "the text")
    body = text.lstrip("\ufeff \t\r\n")
    if not body:
        raise SourceError(f"The text is empty. {_WAY_OUT}")
    if body.startswith("{"):
        return _from_text(body, "the text", lead=text[: len(text) - len(body)])
    if _TEMPLATE.search(body):
        return _from_yaml(text, "the text")
    if _is_there(text) or (not has_arrow(text) and _looks_like_path(text)):
        return _read_place(text)
    if has_arrow(text):
        return Reading("the sketch", sketch=text.lstrip("\ufeff"))
    if body.startswith(("[", '"')):
        return _from_text(body, "the text")
    raise SourceError(
        f"Cannot tell what {_shorten(text)!r} is: no file has this name, JSON text would begin with '{{', "
        f"and a sketch would hold an arrow. {_WAY_OUT}"
    )


def _read_place(text: str) -> Reading:
    """Read a file, or for ``template.yaml#Name`` the file before the sign when none has the whole name."""
    before, sign, part = text.rpartition("#")
    if sign and part.strip().isalnum() and not _is_there(text) and _is_there(before):
        return replace(_read_file(_path(before)), part=part.strip())
    return _read_file(_path(text))


def _is_there(text: str) -> bool:
    if "\n" in text or len(text) > 4096:
        return False
    try:
        return _path(text).exists()
    except (OSError, ValueError):
        return False


def _path(text: str) -> Path:
    try:
        return Path(text.strip()).expanduser()
    except RuntimeError:
        return Path(text.strip())


def _looks_like_path(text: str) -> bool:
    if "\n" in text.strip() or "\0" in text:
        return False
    known = DOCUMENT_SUFFIXES + SKETCH_SUFFIXES + YAML_SUFFIXES
    return text.strip().lower().partition("#")[0].endswith(known) or "/" in text or "\\" in text


def _read_file(path: Path) -> Reading:
    origin = str(path)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise SourceError(f"{origin} is a directory. Name the file in it{_candidates(path)}.")
        _refuse_large(found.st_size, origin)
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise SourceError(f"There is no file {origin} (looked in {Path.cwd()}). {_WAY_OUT}") from None
    except PermissionError:
        raise SourceError(f"{origin} may not be read: permission denied. Make it readable or copy it.") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{origin} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    _refuse_large(len(raw), origin)
    suffix = path.suffix.lower()
    text = _decode(raw, origin)
    if not text.lstrip("\ufeff \t\r\n").startswith("{") and (
        suffix in YAML_SUFFIXES or (suffix not in SKETCH_SUFFIXES and _TEMPLATE.search(text))
    ):
        return _from_yaml(text, origin)
    return _from_text(text, origin, suffix=suffix)


def _candidates(folder: Path) -> str:
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.suffix.lower() in DOCUMENT_SUFFIXES)
    except OSError:
        return ""
    return f", such as {folder / names[0]}" if names else ""


def _from_text(text: str, origin: str, *, suffix: str = "", lead: str = "") -> Reading:
    body = text.strip()
    if not body:
        raise SourceError(f"{_sentence(origin)} is empty. {_WAY_OUT}")
    if not body.startswith("{") and suffix not in DOCUMENT_SUFFIXES and (has_arrow(body) or suffix in SKETCH_SUFFIXES):
        return Reading(origin, sketch=text)
    document = _parse(lead + text, origin)
    if not isinstance(document, dict):
        raise SourceError(
            f"{_sentence(origin)} holds {_kind(document)} of JSON, not an object. "
            "A declaration is an object with 'name', 'roleArn' and 'stages', or one under 'pipeline'."
        )
    _refuse_odd_values(document, origin)
    return Reading(origin, document=document)


def _from_yaml(text: str, origin: str) -> Reading:
    from pipesim.formats.template_yaml import parse_yaml

    document = parse_yaml(text.lstrip("\ufeff"), _sentence(origin))
    if not isinstance(document, dict):
        raise SourceError(
            f"{_sentence(origin)} holds {_kind(document)} of YAML, not an object. "
            "A CloudFormation template has 'Resources'; a declaration has 'name', 'roleArn' and 'stages'."
        )
    _refuse_odd_values(document, origin)
    return Reading(origin, document=document)


def _decode(raw: bytes, origin: str) -> str:
    _refuse_large(len(raw), origin)
    bom, encoding = next((pair for pair in _BOMS if raw.startswith(pair[0])), (b"", "utf-8"))
    raw = raw.removeprefix(bom)
    if not bom and b"\0" in raw[:64]:
        raise SourceError(
            f"{_sentence(origin)} is no text: it holds zero bytes. "
            "If it is UTF-16, save it with a byte order mark, or save it as UTF-8."
        )
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{_sentence(origin)} is no text in {encoding.upper()}: byte {raw[error.start : error.start + 1].hex()} "
            f"at offset {error.start}. Save it as UTF-8."
        ) from None


def _parse(text: str, origin: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            seen: set[str] = set()
            twice = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
            raise SourceError(
                f"{_sentence(origin)} has the key {_shorten(twice[0])!r} twice in one object "
                f"(beside {_listed(key for key in members if key != twice[0])}). Keep one of them."
            )
        return members

    def constant(word: str) -> NoReturn:
        raise SourceError(f"{_sentence(origin)} holds {word}, which is no number of JSON. Write a finite number.")

    try:
        return json.loads(text.lstrip("\ufeff"), object_pairs_hook=unique, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise SourceError(_explain(error, origin)) from None
    except RecursionError:
        raise SourceError(_too_deep(origin)) from None
    except SourceError:
        raise
    except ValueError as error:
        raise SourceError(f"{_sentence(origin)} is not usable JSON: {error}.") from None


_EXPECTED = {
    "Expecting value": "a value",
    "Expecting ',' delimiter": "a comma or a closing bracket",
    "Expecting ':' delimiter": "a colon",
    "Expecting property name enclosed in double quotes": "a key in double quotes",
    "Illegal trailing comma before end of object": "no comma before the closing bracket",
    "Illegal trailing comma before end of array": "no comma before the closing bracket",
    "Extra data": "nothing more, since the object is complete",
    "Invalid control character at": "no bare line break or control character inside a text (write \\n)",
    "Invalid \\escape": "a legal escape after the backslash (write \\\\ for a backslash)",
    "Invalid \\uXXXX escape": "four hexadecimal digits after \\u",
}


def _explain(error: json.JSONDecodeError, origin: str) -> str:
    place = f"line {error.lineno}, column {error.colno}"
    if error.msg.startswith("Unterminated string"):
        return (
            f"{_sentence(origin)} is not complete JSON: the text that begins at {place} has no closing quote. "
            "The file seems cut off; fetch or save it again."
        )
    expected = _EXPECTED.get(error.msg, error.msg)
    if error.pos >= len(error.doc.rstrip()):
        return (
            f"{_sentence(origin)} is not complete JSON: it ends at {place} where {expected} was expected. "
            "The file seems cut off; fetch or save it again."
        )
    line = error.doc.splitlines()[error.lineno - 1] if error.doc else ""
    near = line[max(0, error.colno - 21) : error.colno + 19].strip()
    return f"{_sentence(origin)} is not JSON: at {place} {expected} was expected, near {near!r}."


def _refuse_large(size: int, origin: str) -> None:
    if size > LARGEST:
        raise SourceError(
            f"{_sentence(origin)} is too large to be a pipeline declaration: {size / 1e6:.1f} MB or more, "
            f"the limit is {LARGEST / 1e6:.0f} MB."
        )


def _refuse_odd_values(value: Any, origin: str) -> None:
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, float) and not math.isfinite(item):
            raise SourceError(f"{_sentence(origin)} holds {item}, which is no number of JSON. Write a finite number.")
        if isinstance(item, Mapping | list | tuple):
            if depth > DEEPEST:
                raise SourceError(_too_deep(origin))
            children: Iterable[Any] = item.values() if isinstance(item, Mapping) else item
            waiting.extend((child, depth + 1) for child in children)


def _too_deep(origin: str) -> str:
    return (
        f"{_sentence(origin)} is nested too deeply to be a pipeline declaration: more than {DEEPEST} levels. "
        "Check for brackets that are never closed."
    )


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, bool) or value is None:
        return "a bare word"
    return "a number"


def _sentence(origin: str) -> str:
    return origin[0].upper() + origin[1:] if origin.startswith("the ") else origin


def _shorten(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _listed(names: Iterable[str], most: int = 4) -> str:
    quoted = [repr(_shorten(name)) for name in names]
    return ", ".join(quoted[:most]) + (", …" if len(quoted) > most else "") if quoted else "nothing else"
