"""From files, texts and mappings to single records of a real pipeline's history."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pipesim.errors import SourceError

Source = str | bytes | os.PathLike[str] | Mapping[str, Any] | Iterable[Any]
LISTS = ("actionExecutionDetails", "pipelineExecutionSummaries", "events", "Events", "Records", "logEvents")
SINGLES = ("pipelineExecution",)
WRAPS = ("message", "body", "EventJson")
LARGEST = 500_000_000
WAY_OUT = (
    "Give what 'aws codepipeline list-action-executions', 'aws codepipeline list-pipeline-executions' or "
    "EventBridge wrote, as a file, as JSON text or as parsed JSON."
)


def records_of(source: Source) -> Iterator[Mapping[str, Any]]:
    """Yield every record of a source.

    Args:
        source: the path of a file or of a folder (every ``.json``, ``.jsonl`` and ``.ndjson`` file in it), JSON as
            text or bytes, or parsed JSON. A text may hold several JSON values one after the other: pages of a
            listing that were put into one file, or one event a line.

    Raises:
        SourceError: it cannot be read, is no JSON, or holds no such record.
    """
    if isinstance(source, bytes):
        yield from _from_text(source, "the bytes")
    elif isinstance(source, str) and source.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        yield from _from_text(source, "the text")
    elif isinstance(source, str | os.PathLike):
        for path in _files(source):
            yield from _from_text(_read(path), str(path))
    elif isinstance(source, Mapping | Iterable):
        yield from _from_value(source, "the value")
    else:
        raise SourceError(f"A history cannot be read from {type(source).__name__}. {WAY_OUT}")


def _files(source: str | os.PathLike[str]) -> list[Path]:
    if isinstance(source, str) and ("\n" in source or not source.strip() or len(source) > 4096):
        raise SourceError(f"The text is no JSON and no path. {WAY_OUT}")
    path = Path(source)
    try:
        if path.is_dir():
            found = sorted(one for one in path.iterdir() if one.suffix in (".json", ".jsonl", ".ndjson"))
            if not found:
                raise SourceError(f"The folder '{path}' holds no .json, .jsonl or .ndjson file. {WAY_OUT}")
            return found
        if not path.exists():
            raise SourceError(f"There is no file '{path}'. {WAY_OUT}")
    except (OSError, ValueError) as error:
        raise SourceError(f"'{path}' cannot be read: {error}") from None
    return [path]


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise SourceError(f"'{path}' is larger than {LARGEST // 1_000_000} MB; give it in parts")
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"'{path}' cannot be read: {error.strerror or error}") from None


def _from_text(source: str | bytes, where: str) -> Iterator[Mapping[str, Any]]:
    if isinstance(source, bytes):
        try:
            source = source.decode("utf-16" if source[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceError(f"{where} is not UTF-8 text (byte {error.start})") from None
    text = source.lstrip("\ufeff")
    decoder = json.JSONDecoder()
    place = _next(text, 0)
    if place == len(text):
        raise SourceError(f"{where} is empty. {WAY_OUT}")
    while place < len(text):
        try:
            value, end = decoder.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError) as error:
            line = text.count("\n", 0, getattr(error, "pos", place)) + 1
            raise SourceError(f"{where} is no JSON in line {line}: {getattr(error, 'msg', error)}. {WAY_OUT}") from None
        yield from _from_value(value, where)
        place = _next(text, end)


def _next(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n,":
        place += 1
    return place


def _from_value(value: Any, where: str) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield from _from_mapping(value, where)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for one in value:
            if isinstance(one, str | os.PathLike):
                yield from records_of(one)
            else:
                yield from _from_value(one, where)
    else:
        raise SourceError(f"{where} holds {_short(value)} where a record should be. {WAY_OUT}")


def _from_mapping(value: Mapping[str, Any], where: str) -> Iterator[Mapping[str, Any]]:
    if "detail-type" in value or "pipelineExecutionId" in value:
        yield value
        return
    found = False
    for member in LISTS:
        if isinstance(value.get(member), list | tuple):
            found = True
            yield from _from_value(value[member], where)
    for member in SINGLES:
        if isinstance(value.get(member), Mapping):
            found = True
            yield from _from_mapping(value[member], where)
    for member in WRAPS:
        inner = value.get(member)
        if isinstance(inner, str) and inner.lstrip()[:1] in ("{", "["):
            found = True
            yield from _from_text(inner, f"{where}, {member}")
    if not found and "ResponseMetadata" not in value:
        keys = ", ".join(repr(str(key)) for key in list(value)[:5]) or "nothing"
        raise SourceError(f"{where} holds {keys}, which is no history. {WAY_OUT}")


def _short(value: object) -> str:
    text = str(value) if isinstance(value, datetime) else repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
