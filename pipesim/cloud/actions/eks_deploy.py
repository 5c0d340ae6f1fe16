"""The EKS deploy: manifests or a Helm chart are applied to a cluster of the account.

There is no Kubernetes here: manifests are read, held against what every object must have, and told in the log and among
the action's targets. The action takes a place among the builds, as Commands do.
Source: AWS CodePipeline User Guide, "Amazon EKS deploy action reference".
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import simpy
import yaml
from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import Archive, read
from pipesim.cloud.codepipeline.links import execution_url
from pipesim.cloud.deploy_targets import DeployTarget, open_targets
from pipesim.cloud.managed_compute import ActionLog, on_managed_compute
from pipesim.cloud.permissions import role_client
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Deploy to the cluster."""
    archive = read(account, run, run.plan.action.input_artifacts[0])
    name = run.configuration["ClusterName"]
    try:
        cluster = role_client(account, run, "eks").describe_cluster(name=name)["cluster"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise _wrong(f"No cluster found for name: {name}.") from None
    if cluster["status"] != "ACTIVE":
        raise _wrong(f"The cluster {name} is {cluster['status']}, not ACTIVE.")
    files = _files(run, archive)
    [target] = open_targets(account, run, [name], "EKS")
    return (
        yield from on_managed_compute(
            account, run, lambda log, broken: _finish(account, run, archive, files, target, log, broken)
        )
    )


def _files(run: ActionRun, archive: Archive) -> list[str]:
    """The files that are applied.

    Raises:
        ActionFailed: the configuration is not one way to deploy, or a file is missing.
    """
    configuration = run.configuration
    helm = [configuration.get(key, "") for key in ("HelmReleaseName", "HelmChartLocation")]
    manifests = _listed(configuration.get("ManifestFiles", ""))
    folder = configuration.get("KustomizationDirectory", "")
    if any(helm):
        if not all(helm):
            raise _wrong("HelmReleaseName and HelmChartLocation are needed together.")
        if manifests or folder:
            raise _wrong("Helm and kubectl are configured at once: give a chart or manifests.")
        wanted = [_join(helm[1], "Chart.yaml"), *_listed(configuration.get("HelmValuesFiles", ""))]
    elif manifests:
        wanted = manifests
    elif folder:
        names = [_join(folder, one) for one in KUSTOMIZATIONS]
        wanted = [next((one for one in names if archive.read(one) is not None), names[0])]
    else:
        raise _wrong("Neither HelmReleaseName and HelmChartLocation nor ManifestFiles are configured.")
    missing = next((path for path in wanted if archive.read(path.removeprefix("./")) is None), None)
    if missing is not None:
        raise _wrong(f"The input artifact '{run.plan.action.input_artifacts[0]}' has no file '{missing}'.")
    return [path.removeprefix("./") for path in wanted]


def _finish(
    account: Account,
    run: ActionRun,
    archive: Archive,
    files: list[str],
    target: DeployTarget,
    log: ActionLog,
    broken: str | None,
) -> Outcome:
    """Apply the files one by one."""
    cluster = run.configuration["ClusterName"]
    for path in files:
        target.begin(account.now, path)
        try:
            names = _names(run, archive, path)
        except ActionFailed as failed:
            target.end(account.now, failed.outcome.message)
            log.say(failed.outcome.message)
            raise
        target.end(account.now, broken or "")
        log.say(*(f"{name} configured" for name in names))
    if broken:
        raise ActionFailed(broken, FailureType(run.plan.assumption.code))
    target.close(account.now, "Succeeded")
    return Outcome(
        summary=f"Deployed to {cluster}.",
        external_id=run.id,
        external_url=execution_url(account, run, run.id) or log.url,
        variables={"EKSClusterName": cluster},
    )


def _names(run: ActionRun, archive: Archive, path: str) -> list[str]:
    """The objects in a file.

    Raises:
        ActionFailed: it is no YAML, or one of them is no Kubernetes object.
    """
    try:
        documents = [one for one in yaml.safe_load_all(archive.read(path) or b"") if one is not None]
    except (yaml.YAMLError, ValueError) as error:
        raise ActionFailed(f"error parsing {path}: {error}") from None
    if "HelmReleaseName" in run.configuration:
        return [f"release {run.configuration['HelmReleaseName']} ({path})"]
    if path.rsplit("/", 1)[-1] in KUSTOMIZATIONS:
        return [path]
    return [_name(path, one) for one in documents]


def _name(path: str, document: Any) -> str:
    document = document if isinstance(document, Mapping) else {}
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    for key, value in (("apiVersion", document.get("apiVersion")), ("kind", document.get("kind")), ("name", name)):
        if not value:
            raise ActionFailed(f'error: error validating "{path}": error validating data: {key} not set')
    return f"{str(document['kind']).lower()}/{name}"


def _join(folder: str, name: str) -> str:
    return f"{folder.strip('/').removeprefix('./')}/{name}".removeprefix("./").lstrip("/")


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _wrong(message: str) -> ActionFailed:
    return ActionFailed(message, FailureType.CONFIGURATION_ERROR)
