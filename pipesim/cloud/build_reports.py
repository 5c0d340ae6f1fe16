"""Test reports of a build: what its buildspec's ``reports`` section names becomes a report in CodeBuild.

A JUnit file of the source is read; where only the commands would have written one, each command of the build
phase counts as one test. Source: AWS CodeBuild User Guide, "Working with test reports" and "Test report permissions".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from botocore.exceptions import ClientError
from moto.codebuild.models import codebuild_backends

from pipesim.cloud.builds import CODEBUILD, SESSION
from pipesim.cloud.gaps.codebuild.reports import ReportBook, book_of
from pipesim.cloud.permissions import assume, require

if TYPE_CHECKING:
    from pipesim.cloud.builds import Workshop

NEEDED = ("CreateReportGroup", "CreateReport", "BatchPutTestCases", "UpdateReport")


def report(shop: Workshop, succeeded: bool) -> None:
    """Write the reports of a build that is over; where its role may not, the log says so.

    Args:
        shop: the build.
        succeeded: whether its commands went well.
    """
    for name, section in shop.spec.reports.items():
        backend = codebuild_backends[shop.project["arn"].split(":")[4]][shop.region]
        group = name if name.startswith("arn:") else f"{shop.project['name']}-{name}"
        book = book_of(backend)
        arn = group if group.startswith("arn:") else book.arn_of(group)
        try:
            session = assume(shop.account, shop.record["serviceRole"], CODEBUILD, SESSION)
            for step in NEEDED:
                require(session, f"codebuild:{step}", arn)
        except ClientError as error:
            shop.lines.setdefault("UPLOAD_ARTIFACTS", []).append(
                f"Error in UPLOAD_ARTIFACTS phase: report {name}: {error.response['Error']['Message']}"
            )
            continue
        files = {path: body for path, body in section.select(shop.source, b"").items() if path.endswith(".xml")}
        cases = [case for body in files.values() for case in _cases(body)] or _commands(shop, succeeded)
        shop.record.setdefault("reportArns", []).append(_write(book, arn, shop, cases))


def _write(book: ReportBook, group: str, shop: Workshop, cases: list[dict[str, Any]]) -> str:
    return book.add(group, execution=shop.record["arn"], cases=cases, created=shop.account.now.timestamp())


def _cases(body: bytes) -> Iterator[dict[str, Any]]:
    """The test cases of a JUnit file; none of a file that is no XML."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return
    for case in root.iter("testcase"):
        kinds = {child.tag: child for child in case}
        status = "FAILED" if "failure" in kinds else "ERROR" if "error" in kinds else "SUCCEEDED"
        trouble = kinds.get("failure", kinds.get("error"))
        yield {
            "name": case.get("name", ""),
            "prefix": case.get("classname", ""),
            "status": "SKIPPED" if "skipped" in kinds else status,
            "durationInNanoSeconds": int(float(case.get("time", 0)) * 1e9),
            "message": "" if trouble is None else (trouble.get("message") or trouble.text or ""),
        }


def _commands(shop: Workshop, succeeded: bool) -> list[dict[str, Any]]:
    """A test case for each command of the build phase; when the build failed, its last one did."""
    names = shop.spec.commands.get("build", ())
    return [
        {
            "name": name,
            "prefix": "build",
            "status": "SUCCEEDED" if succeeded or name != names[-1] else "FAILED",
            "durationInNanoSeconds": 10**9,
            "message": "",
        }
        for name in names
    ]
