"""Rules about artifacts: who makes them, who may use them, how many, and where they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipesim.definition.paths import join
from pipesim.definition.reading import did_you_mean
from pipesim.definition.rules.subject import PlacedAction, Subject
from pipesim.definition.rules.table import ACTION, OBSERVED, STRUCTURE, Found, rule


@rule(
    "output-artifact-duplicate",
    "Every output artifact has a name of its own in the pipeline.",
    code=STRUCTURE,
    wording="service",
    source=f"OutputArtifact in the API reference; {OBSERVED}; the code is an assumption",
)
def output_artifact_duplicate(subject: Subject) -> Iterator[Found]:
    """Find output artifacts whose name an earlier one bears."""
    seen: dict[str, str] = {}
    for placed in subject.actions:
        for index, artifact in enumerate(placed.action.output_artifacts):
            path = join(placed.path, "outputArtifacts", index, "name")
            if artifact.name in seen:
                yield Found(
                    path,
                    "Output Artifact Bundle name must be unique within the pipeline. "
                    f"{artifact.name} has been used more than once.",
                    f"first used at {seen[artifact.name]}",
                )
            seen.setdefault(artifact.name, path)


@rule(
    "input-artifact-unknown",
    "Every input artifact is the output of an earlier stage, or of a lower run order of the same stage.",
    code=ACTION,
    wording="service",
    source=f"user guide page welcome-introducing-artifacts; {OBSERVED}",
    wiring=True,
)
def input_artifact_unknown(subject: Subject) -> Iterator[Found]:
    """Find input artifacts that nothing makes in time."""
    for placed in subject.actions:
        yield from _unmade(
            subject, placed.path, "action", placed.action.name, placed.action.input_artifacts, placed.order
        )
    for ruled in subject.rules:
        yield from _unmade(subject, ruled.path, "rule", ruled.rule.name, ruled.rule.input_artifacts, ruled.order)


def _unmade(
    subject: Subject, path: str, kind: str, user: str, inputs: Sequence[str], order: tuple[int, int]
) -> Iterator[Found]:
    producers = subject.producers
    for index, name in enumerate(inputs):
        producer = producers.get(name)
        if producer is None or producer.order >= order:
            yield Found(
                join(path, "inputArtifacts", index, "name"),
                f"Input Artifact Bundle {name} in {kind} {user} is not declared as Output Artifact Bundle "
                "in any of the preceding actions",
                _hint_for(name, producer, order, subject),
            )


def _hint_for(name: str, producer: PlacedAction | None, order: tuple[int, int], subject: Subject) -> str:
    if producer is None:
        made = [artifact for artifact, by in subject.producers.items() if by.order < order]
        return did_you_mean(name, made) or f"made until here: {', '.join(made) or 'nothing'}"
    if producer.order == order:
        return f"{producer.action.name!r} makes it with the same runOrder; give the user a higher one"
    return f"{producer.action.name!r} in stage {producer.stage.name!r} makes it only later"


@rule(
    "no-artifact-store",
    "A pipeline names an artifact store.",
    code=STRUCTURE,
    wording="ours",
    source="PipelineDeclaration in botocore's CodePipeline model",
)
def no_artifact_store(subject: Subject) -> Iterator[Found]:
    """Find a pipeline with neither of the two members."""
    pipeline = subject.pipeline
    if pipeline.artifact_store is None and not pipeline.artifact_stores:
        yield Found(
            "artifactStore",
            "Pipeline must declare an artifact store: either 'pipeline.artifactStore' or 'pipeline.artifactStores'",
            'for example "artifactStore": {"type": "S3", "location": "BUCKET"}',
        )


@rule(
    "both-artifact-stores",
    "artifactStore and artifactStores exclude each other.",
    code=STRUCTURE,
    wording="ours",
    source="PipelineDeclaration in botocore's CodePipeline model",
)
def both_artifact_stores(subject: Subject) -> Iterator[Found]:
    """Find a pipeline with both members."""
    pipeline = subject.pipeline
    if pipeline.artifact_store is not None and pipeline.artifact_stores:
        yield Found(
            "artifactStores",
            "Pipeline must declare either 'pipeline.artifactStore' or 'pipeline.artifactStores', but not both",
            "keep artifactStores when actions run in several regions",
        )
