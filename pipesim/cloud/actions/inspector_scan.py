"""InspectorScan: the packages of a source or an image are scanned, and thresholds decide.

The bill of materials is real, as far as files name pinned packages; of images it is known when an action
ECRBuildAndPublish pushed them. Source: AWS CodePipeline User Guide, "Amazon Inspector InspectorScan invoke
action reference".
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.cloud.actions.ecr_build_and_publish import PACKAGES
from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import pack, read_all, write
from pipesim.cloud.managed_compute import ActionLog, on_managed_compute
from pipesim.cloud.permissions import require, role_client, session_of
from pipesim.cloud.sbom import bill, components_of
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

SOURCE, IMAGE = "SourceCodeScan", "ECRImageScan"
SEVERITIES = ("critical", "high", "medium", "low")
PULLING = ("GetDownloadUrlForLayer", "BatchCheckLayerAvailability")
"""What a pull needs besides BatchGetImage, and what moto has no operations for."""


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Make the bill of materials, scan it, and compare."""
    limits = _limits(run.configuration)
    archives = read_all(account, run)
    files = {name: body for archive in archives.values() for name, body in archive.files()}

    def finish(log: ActionLog, broken: str | None) -> Outcome:
        mode = run.configuration["InspectorRunMode"]
        components = components_of(files) if mode == SOURCE else _packages(account, run)
        log.say(f"{mode}: {len(components)} packages")
        sbom = bill(components)
        scanned = role_client(account, run, "inspector-scan").scan_sbom(sbom=sbom)["sbom"]
        return _judge(account, run, log, sbom, scanned, limits, broken)

    if not archives and run.configuration["InspectorRunMode"] == SOURCE:
        raise ActionFailed(f"{SOURCE} needs an input artifact to scan.", FailureType.CONFIGURATION_ERROR)
    return (yield from on_managed_compute(account, run, finish))


def _judge(
    account: Account,
    run: ActionRun,
    log: ActionLog,
    sbom: Mapping[str, Any],
    scanned: Mapping[str, Any],
    limits: Mapping[str, int],
    broken: str | None,
) -> Outcome:
    counts = Counter(_severity(one) for one in scanned["vulnerabilities"])
    highest = next((severity for severity in SEVERITIES if counts[severity]), "none").upper()
    told = ", ".join(f"{severity} {counts[severity]}" for severity in SEVERITIES)
    log.say(f"Vulnerabilities: {told}")
    over = [severity for severity in SEVERITIES if severity in limits and counts[severity] > limits[severity]]
    if broken is not None:
        raise ActionFailed(f"The scan failed: {broken}", external_id=run.id)
    if over:
        why = ", ".join(f"{counts[one]} {one} (threshold {limits[one]})" for one in over)
        raise ActionFailed(f"Vulnerability thresholds exceeded: {why}.", external_id=run.id)
    report = pack(
        {
            "inspector_sbom.json": json.dumps(sbom, indent=2).encode(),
            "inspector_scan_report.json": json.dumps(scanned, indent=2).encode(),
            "inspector_scan_report.csv": _table(scanned).encode(),
        },
        account.now,
    )
    return Outcome(
        summary=told,
        external_id=run.id,
        external_url=log.url,
        variables={"HighestScannedSeverity": highest},
        outputs=write(account, run, {artifact.name: report for artifact in run.plan.action.output_artifacts}),
    )


def _packages(account: Account, run: ActionRun) -> list[dict[str, str]]:
    """The packages of the image, as its manifest tells them; none when nobody wrote them there."""
    name, tag = run.configuration.get("ECRRepositoryName"), run.configuration.get("ImageTag", "latest")
    if not name:
        raise ActionFailed(f"{IMAGE} needs ECRRepositoryName.", FailureType.CONFIGURATION_ERROR)
    session, region = session_of(account, run), run.plan.action.region or account.region
    for step in PULLING:
        require(session, f"ecr:{step}", f"arn:aws:ecr:{region}:{session.account}:repository/{name}")
    answer = role_client(account, run, "ecr").batch_get_image(repositoryName=name, imageIds=[{"imageTag": tag}])
    if not answer["images"]:
        raise ActionFailed(
            f"The image {name}:{tag} does not exist (Service: ECR; Error Code: ImageNotFoundException)",
            FailureType.CONFIGURATION_ERROR,
        )
    annotations = json.loads(answer["images"][0]["imageManifest"]).get("annotations", {})
    return list(json.loads(annotations.get(PACKAGES, "[]")))


def _limits(configuration: Mapping[str, str]) -> dict[str, int]:
    limits = {}
    for severity in SEVERITIES:
        text = configuration.get(f"{severity.capitalize()}Threshold")
        if text is None:
            continue
        if not text.isdigit():
            raise ActionFailed(
                f"{severity.capitalize()}Threshold is '{text}': it must be a whole number.",
                FailureType.CONFIGURATION_ERROR,
            )
        limits[severity] = int(text)
    return limits


def _severity(vulnerability: Mapping[str, Any]) -> str:
    return str(vulnerability["ratings"][0]["severity"])


def _table(scanned: Mapping[str, Any]) -> str:
    components = {one["bom-ref"]: one["purl"] for one in scanned["components"]}
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("id", "severity", "score", "package", "description"))
    for one in scanned["vulnerabilities"]:
        for affected in one["affects"]:
            rating = one["ratings"][0]
            package = components[affected["ref"]]
            rows.writerow((one["id"], rating["severity"], rating["score"], package, one["description"]))
    return text.getvalue()
