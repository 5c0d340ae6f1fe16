"""`load`: whatever a person has becomes a `Pipeline`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipesim.definition.document import parse_document
from pipesim.definition.model import Pipeline
from pipesim.errors import SourceError
from pipesim.formats.read import Reading, read
from pipesim.formats.sketch import parse_sketch


def load(source: str | bytes | os.PathLike[str] | Mapping[str, Any] | Pipeline) -> Pipeline:
    """Load a pipeline from wherever it is written down.

    Args:
        source: a path to a file, JSON as text or bytes, a mapping, or an arrow sketch. JSON may be a bare
            declaration, ``{"pipeline": …}``, or what ``aws codepipeline get-pipeline`` prints, in UTF-8 or in
            UTF-16 with a byte order mark. A `Pipeline` is handed back as it is.

    Raises:
        SourceError: the source is missing, unreadable, too large, or no declaration at all.
        DeclarationError: the declaration has the wrong shape; `.problems` lists everything found. Broken
            rules of the service do not stop loading: `pipesim.check` tells them.

    >>> load("CodeCommit -> CodeBuild -> CodeDeploy (Staging)").stages[2].name
    'Staging'
    """
    if isinstance(source, Pipeline):
        return source
    found = read(source)
    if found.sketch is not None:
        return parse_sketch(found.sketch)
    return _from_document(found)


def _from_document(found: Reading) -> Pipeline:
    document = found.document or {}
    where = found.origin if found.origin.startswith("the ") else Path(found.origin).name
    if "stages" not in document and "pipeline" not in document:
        if "Resources" in document or "AWSTemplateFormatVersion" in document:
            raise SourceError(
                f"{where} is a CloudFormation template, which is not read yet. Fetch the pipeline's declaration "
                "with 'aws codepipeline get-pipeline --name NAME --output json'."
            )
        keys = ", ".join(repr(str(key)) for key in list(document)[:6]) or "nothing"
        raise SourceError(
            f"{where} is no pipeline declaration: it holds {keys}, but neither 'stages' nor 'pipeline'. "
            "A declaration has 'name', 'roleArn' and 'stages', as 'aws codepipeline get-pipeline' prints it."
        )
    return parse_document(document, source=found.origin)
