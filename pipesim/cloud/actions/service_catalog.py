"""The Service Catalog deploy: a template of the artifact becomes a new version of a product.

Source: AWS CodePipeline User Guide, "AWS Service Catalog deploy action reference", "Tutorial: Create a pipeline that
deploys to AWS Service Catalog" (its configuration file).
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import DENIED, ActionFailed
from pipesim.cloud.actions.template import read_template
from pipesim.cloud.artifacts import Archive, read, store_of
from pipesim.cloud.codepipeline.links import execution_url
from pipesim.cloud.permissions import require, role_client, session_of
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

TYPE = "CLOUD_FORMATION_TEMPLATE"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The version that is to be made.

    Attributes:
        name, description, kind: what it is called.
        path: where its template lies in the artifact.
    """

    name: str
    description: str
    kind: str
    path: str


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Publish the version."""
    artifact, product = run.plan.action.input_artifacts[0], run.configuration["ProductId"]
    archive = read(account, run, artifact)
    wanted = _wanted(run, archive)
    body = archive.read(wanted.path.lstrip("/"))
    if body is None:
        raise _wrong(f"The input artifact '{artifact}' has no file '{wanted.path}' (TemplateFilePath).")
    text = body.decode(errors="replace")
    read_template(text, wanted.path)
    client = role_client(account, run, "servicecatalog")
    _find_product(client, product)
    require(session_of(account, run), "servicecatalog:DescribeProvisioningArtifact", "*")
    _validate(account, run, text, wanted.path)
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    bucket, key = store_of(account, run).location, f"{run.sim.plan.pipeline.name}/ServiceCatalog/{run.id}.template"
    role_client(account, run, "s3").put_object(Bucket=bucket, Key=key, Body=body)
    made = client.create_provisioning_artifact(
        ProductId=product,
        Parameters={
            "Name": wanted.name,
            "Description": wanted.description,
            "Type": wanted.kind,
            "Info": {"LoadTemplateFromURL": f"https://{bucket}.s3.amazonaws.com/{key}"},
        },
        IdempotencyToken=run.id,
    )["ProvisioningArtifactDetail"]
    return Outcome(
        summary=f"Version {wanted.name} of {product} was published.",
        external_id=made["Id"],
        external_url=execution_url(account, run, made["Id"]),
    )


def _wanted(run: ActionRun, archive: Archive) -> Wanted:
    """What the action or its configuration file wants.

    Raises:
        ActionFailed: both or neither say where the template is, or the file is malformed.
    """
    given: Mapping[str, Any] = run.configuration
    file = given.get("ConfigurationFilePath")
    if file and given.get("TemplateFilePath"):
        raise _wrong("ConfigurationFilePath and TemplateFilePath are given at once.")
    if file:
        given = _parsed(archive, file)
        given = {**given, **(given.get("Properties") or {})}
    name, path = given.get("ProductVersionName"), given.get("TemplateFilePath")
    if not name or not path:
        raise _wrong("ProductVersionName and TemplateFilePath are needed, or a ConfigurationFilePath that has them.")
    return Wanted(
        str(name), str(given.get("ProductVersionDescription") or ""), str(given.get("ProductType") or TYPE), str(path)
    )


def _parsed(archive: Archive, file: str) -> Mapping[str, Any]:
    body = archive.read(file.lstrip("/"))
    if body is None:
        raise _wrong(f"The input artifact has no file '{file}' (ConfigurationFilePath).")
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, Mapping):
        raise _wrong(f"The configuration file '{file}' is no JSON object.")
    return document


def _find_product(client: Any, product: str) -> None:
    try:
        client.list_provisioning_artifacts(ProductId=product)
    except client.exceptions.ResourceNotFoundException:
        raise _wrong(f"The Service Catalog product {product} does not exist.") from None


def _validate(account: Account, run: ActionRun, text: str, path: str) -> None:
    try:
        role_client(account, run, "cloudformation").validate_template(TemplateBody=text)
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIED:
            raise
        raise ActionFailed(f"The template {path} is not valid: {error.response['Error']['Message']}") from None


def _wrong(message: str) -> ActionFailed:
    return ActionFailed(message, FailureType.CONFIGURATION_ERROR)
