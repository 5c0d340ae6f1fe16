"""What moto lacks and pipelines need, in moto's own layout: one folder a service, as small as the lesson needs."""

from __future__ import annotations

from pipesim.cloud.gaps import (
    appconfig,
    awslambda,
    cloudformation,
    codebuild,
    codecommit,
    codeconnections,
    codedeploy,
    codestarnotifications,
    devicefarm,
    elasticbeanstalk,
    iam,
    inspectorscan,
    servicecatalog,
    sns,
    stepfunctions,
)

GAPS = (
    appconfig,
    awslambda,
    cloudformation,
    codestarnotifications,
    codecommit,
    codeconnections,
    codebuild,
    codedeploy,
    devicefarm,
    elasticbeanstalk,
    iam,
    inspectorscan,
    servicecatalog,
    sns,
    stepfunctions,
)


def install() -> None:
    """Fill every gap in moto; without effect the second time."""
    for gap in GAPS:
        gap.install()


def uninstall() -> None:
    """Leave moto as it was."""
    for gap in GAPS:
        gap.uninstall()
