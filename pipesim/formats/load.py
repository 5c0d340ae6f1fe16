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


def load(
    source: str | bytes | os.PathLike[str] | Mapping[str, Any] | Pipeline,
    *,
    parameters: Mapping[str, Any] | None = None,
    resource: str | None = None,
) -> Pipeline:
    """Load a pipeline from wherever it is written down.

    Args:
        source: a path to a file, JSON as text or bytes, a mapping, or an arrow sketch. JSON may be a bare
            declaration, ``{"pipeline": …}``, what ``aws codepipeline get-pipeline`` prints, or a CloudFormation
            template, in UTF-8 or in UTF-16 with a byte order mark. Templates may be YAML with short tags.
            A `Pipeline` is handed back as it is.
        parameters: values for a template's parameters and pseudo parameters such as ``AWS::Region``; the rest
            takes its default.
        resource: the logical id of the pipeline in a template that has several; ``template.yaml#Id`` says the same.

    Raises:
        SourceError: the source is missing, unreadable, too large, or no declaration at all; a template has several
            pipelines, or a value that cannot be resolved.
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
    return _from_document(found, parameters, resource)


def _from_document(found: Reading, parameters: Mapping[str, Any] | None, resource: str | None) -> Pipeline:
    document = found.document or {}
    where = found.origin if found.origin.startswith("the ") else Path(found.origin).name
    if "stages" not in document and "pipeline" not in document:
        if "Resources" in document or "AWSTemplateFormatVersion" in document:
            from pipesim.formats.cloudformation import from_template

            wanted = found.part if resource is None else resource
            declaration = from_template(document, resource=wanted, parameters=parameters, origin=where)
            return parse_document(declaration, source=found.origin)
        keys = ", ".join(repr(str(key)) for key in list(document)[:6]) or "nothing"
        raise SourceError(
            f"{where} is no pipeline declaration: it holds {keys}, but neither 'stages' nor 'pipeline'. "
            "A declaration has 'name', 'roleArn' and 'stages', as 'aws codepipeline get-pipeline' prints it."
        )
    return parse_document(document, source=found.origin)
