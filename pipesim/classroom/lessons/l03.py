"""Lesson 3: artifacts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from math import ceil
from random import Random
from typing import Any

from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import days
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import as_pipeline, close, number, sound
from pipesim.engine.keys import artifact_key
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.vocabulary import ActionCategory

STEPS = "GitHub -> CodeBuild -> S3 (Staging) -> CodeDeploy (Production)"
DAY = 86400.0
GB = 1e9


def _mixed_up(luck: Random) -> Mapping[str, Any]:
    """One name that the service refuses, and one that it accepts although it is wrong."""
    document = json.loads(json.dumps(load(STEPS).to_document()))
    build = document["stages"][1]["actions"][0]
    deploys = [document["stages"][place]["actions"][0] for place in (2, 3)]
    luck.shuffle(deploys)
    refused, unnoticed = deploys
    fault = luck.choice(("misspelt", "capitals", "twice", "none"))
    if fault == "misspelt":
        refused["inputArtifacts"][0]["name"] = "BuildOutputs"
    elif fault == "capitals":
        refused["inputArtifacts"][0]["name"] = "buildOutput"
    elif fault == "twice":
        build["outputArtifacts"][0]["name"] = "SourceOutput"
    else:
        refused["inputArtifacts"] = []
    unnoticed["inputArtifacts"] = [{"name": "SourceOutput"}]
    return {"declaration": document}


@exercise(
    "03-1",
    "Names that do not match",
    kind=Kind.REPAIR,
    wants="the repaired declaration (a dictionary) or a pipeline",
    parts=("accepted", "the same steps", "the build reads the source", "what was built is deployed, twice"),
    case=_mixed_up,
)
def names(answer: Any, case: Case, marks: Marks) -> None:
    """Send a change through, and follow the objects from the action that wrote them to those that read them."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    wanted = [(str(action.category), action.provider) for _, action in load(STEPS).actions()]
    found = [(str(action.category), action.provider) for _, action in as_pipeline(answer).actions()]
    same = marks.part(
        "the same steps",
        found == wanted,
        yes="source, build and both deployments are still there",
        no=f"the steps are {', '.join(provider for _, provider in found)} now",
        hint="Only the names of artifacts are wrong. Leave the actions where they are.",
    )
    if not same:
        return
    trace = simulate(pipeline, seed=1)
    categories = {(stage.name, action.name): action.category for stage, action in pipeline.actions()}
    made = {
        category: _objects(trace, "outputs", EventKind.ACTION_SUCCEEDED, categories, category)
        for category in (ActionCategory.SOURCE, ActionCategory.BUILD)
    }
    read = _objects(trace, "inputs", EventKind.ACTION_STARTED, categories, ActionCategory.BUILD)
    marks.part(
        "the build reads the source",
        bool(read) and set(read) <= set(made[ActionCategory.SOURCE]),
        yes="its input is the object that the source action wrote",
        no="its input is not what the source action wrote",
        hint="The name under inputArtifacts of the build has to be the source's output.",
    )
    deployed = _objects(trace, "inputs", EventKind.ACTION_STARTED, categories, ActionCategory.DEPLOY)
    right = [key for key in deployed if key in made[ActionCategory.BUILD]]
    raw = [key for key in deployed if key in made[ActionCategory.SOURCE]]
    marks.part(
        "what was built is deployed, twice",
        len(right) == len(deployed) == 2,
        yes="both deployments read the object that the build wrote",
        no=f"{len(raw)} of {len(deployed)} deployments put the source code on the servers, as nobody built it"
        if raw
        else f"{len(right)} of 2 deployments read what was built",
        hint="The service checks that an input exists, not that it makes sense. Compare both deployments.",
        stronger="Give both deployments the output of the build as their input.",
    )


def _objects(
    trace: Trace, member: str, kind: EventKind, categories: Mapping[tuple[str, str], str], category: str
) -> list[str]:
    """The object keys in a member of the events of one kind, of the actions of one category."""
    return [
        key
        for event in trace
        if event.kind == kind and categories.get((str(event.stage), str(event.action))) == category
        for key in event.detail.get(member, {}).values()
    ]


def _growing(luck: Random) -> Mapping[str, Any]:
    """Changes at fixed times, some failing builds, three artifacts, and a rule that lets objects go."""
    pipeline = load("GitHub -> [CodeBuild (Compile) -> CodeBuild (Package)] (Build) -> CodeDeploy")
    sizes = {"source": luck.randint(45, 55), "build": luck.randint(180, 220), "package": luck.randint(140, 160)}
    hours, kept = luck.choice((4, 6, 8)), luck.randint(5, 9)
    per_day = 24 // hours
    day = kept + luck.randint(6, 12)
    in_view = range((day - kept) * per_day + 2, day * per_day)
    failing = sorted(luck.sample(in_view, luck.randint(3, 5)))
    profile = load_profile(f"""
start = 2026-03-02T00:00:00Z
arrivals = {{ every = "{hours}h", first = "30m" }}
actions."Source/GitHub" = {{ duration = "5s", sizes = {{ SourceOutput = {sizes["source"]}_000_000 }} }}
actions."Build/Compile".sizes = {{ CompileOutput = {sizes["build"]}_000_000 }}
actions."Build/Compile".fails_on = {failing}
actions."Build/Package".sizes = {{ PackageOutput = {sizes["package"]}_000_000 }}
""")
    return {
        "pipeline": pipeline,
        "profile": profile,
        "megabytes": sizes,
        "every_hours": hours,
        "kept_days": kept,
        "noon_of_day": day,
    }


@exercise(
    "03-2",
    "How full is the bucket?",
    kind=Kind.PREDICT,
    wants="a number of gigabytes (GB, a thousand million bytes)",
    parts=("gigabytes",),
    case=_growing,
    points=2,
)
def how_full(answer: Any, case: Case, marks: Marks) -> None:
    """Add up what the simulated pipeline wrote and the rule has not yet removed."""
    now = days(case.noon_of_day) + DAY / 2
    trace = simulate(case.pipeline, case.profile, seed=1, until=now)
    written = [(event.time, size) for event in trace for size in event.detail.get("sizes", {}).values()]
    truth = sum(size for time, size in written if _gone_at(time, case.kept_days) > now) / GB
    everything = sum(size for _, size in written) / GB
    exactly = sum(size for time, size in written if time + days(case.kept_days) > now) / GB
    full = case.kept_days * 24 // case.every_hours * sum(case.megabytes.values()) / 1000
    run = sum(case.megabytes.values()) / 1000
    given = number(answer)
    if given > 100 * truth:
        seen = f"{given:g} GB is far too much: are those megabytes or bytes?"
    elif close(given, everything, within=run / 4):
        seen = f"{given:g} GB were written; the rule has already removed the oldest"
    elif close(given, exactly, within=run / 4):
        seen = f"{given:g} GB would do if an object went at the very minute at which its days are over"
    elif close(given, full, within=run / 4):
        seen = f"{given:g} GB would do if every build worked, and if objects went at the very minute"
    else:
        seen = f"{given:g} GB is too {'much' if given > truth else 'little'}"
    marks.part(
        "gigabytes",
        close(given, truth, within=run / 8),
        yes=f"{truth:.2f} GB, and about as much on every other day",
        no=seen,
        hint="A build that fails writes nothing. An object goes at the first midnight after its days are over.",
        stronger="Add up detail['sizes'] of the events of your simulation, for those whose midnight is still to come.",
    )


def _gone_at(time: float, kept: int) -> float:
    """The midnight at which an object goes; time zero of the case is a midnight, too."""
    return ceil(time / DAY + kept) * DAY


def _bucket(luck: Random) -> Mapping[str, Any]:
    """Keys of two pipelines that share a bucket; both names are longer than what a key keeps of them."""
    stem = luck.choice(("payments-frontend", "catalogue-service", "customer-accounts"))
    own, other = f"{stem}-europe", f"{stem}-asia"
    keys = [
        artifact_key(pipeline, artifact, f"{number}", category)
        for pipeline in (own, other)
        for artifact, category in (("SourceOutput", "Source"), ("BuildOutput", "Build"))
        for number in range(2)
    ]
    return {"pipeline": own, "neighbour": other, "kept_days": luck.randint(5, 25), "keys": keys}


@exercise(
    "03-3",
    "A rule that cleans up",
    kind=Kind.WRITE,
    wants="a dictionary for LifecycleConfiguration: {'Rules': […]}",
    parts=("accepted", "not too early", "gone in time", "nothing else is touched", "not a byte is left"),
    case=_bucket,
)
def clean_up(answer: Any, case: Case, marks: Marks) -> None:
    """Put the rule on a versioned bucket of a mocked account, let days pass, and look at what is left."""
    from botocore.exceptions import ClientError, ParamValidationError

    from pipesim.cloud.account import Cloud

    with Cloud(actions="assumed") as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="artifacts")
        s3.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
        for key in case["keys"]:
            s3.put_object(Bucket="artifacts", Key=key, Body=b"artifact")
        try:
            s3.put_bucket_lifecycle_configuration(Bucket="artifacts", LifecycleConfiguration=answer)
            refusal = ""
        except (ClientError, ParamValidationError) as error:
            refusal = " ".join(str(error).split())
        accepted = marks.part(
            "accepted",
            not refusal,
            yes="S3 takes the configuration",
            no=f"S3 refuses it: {refusal}",
            hint="A rule wants ID, Status 'Enabled', Filter {'Prefix': …} and what is to happen, such as Expiration.",
            stronger="A rule: {'ID': 'old', 'Status': 'Enabled', 'Filter': {'Prefix': …}, 'Expiration': {'Days': …}}.",
        )
        if not accepted:
            return
        cloud.advance(days=case.kept_days - 0.1)
        before = _current(s3)
        cloud.advance(days=1.2)
        after = _current(s3)
        cloud.advance(days=3)
        versions = [one["Key"] for one in s3.list_object_versions(Bucket="artifacts").get("Versions", [])]
        cloud.advance(days=120)
        late = _current(s3)
    _judge_clean_up(case, marks, before, after, late, versions)


def _judge_clean_up(
    case: Case, marks: Marks, before: set[str], after: set[str], late: set[str], versions: Iterable[str]
) -> None:
    builds = {key for key in case["keys"] if key.startswith(f"{case.pipeline[:20]}/BuildOutpu/")}
    others = set(case["keys"]) - builds
    marks.part(
        "not too early",
        builds <= before,
        yes=f"after {case.kept_days - 0.1:.1f} days every build is still there",
        no=f"after {case.kept_days - 0.1:.1f} days {len(builds - before)} of {len(builds)} builds are gone",
        hint=f"Expiration has Days; the case asks for {case.kept_days}.",
    )
    left = builds & after
    marks.part(
        "gone in time",
        not left,
        yes=f"at the midnight after {case.kept_days} days they go",
        no=f"a day later {len(left)} of {len(builds)} builds are still there, such as {min(left, default='')}",
        hint="Compare your prefix, letter by letter, with the keys: how much of the two names is left in them?",
        stronger="A key begins with 20 characters of the pipeline's name and 10 of the artifact's.",
    )
    touched = others - late
    neighbours = [key for key in touched if not key.startswith(case.pipeline[:20] + "/")]
    whose = "the neighbour's" if neighbours else "the source's"
    marks.part(
        "nothing else is touched",
        not touched,
        yes="after months the sources and everything of the neighbour are still there",
        no=f"{len(touched)} other objects went as well, {whose} among them: {min(neighbours or touched, default='')}",
        hint="The prefix should hold for the builds of your pipeline alone.",
        stronger="End the prefix after the artifact's part, with the slash.",
    )
    remaining = builds & set(versions)
    marks.part(
        "not a byte is left",
        not remaining,
        yes="no old version of them is left to be paid for",
        no=f"{len(remaining)} of them are only hidden: the bucket keeps them as old versions",
        hint="In a versioned bucket, expiry only hides an object. Which member of a rule is for noncurrent versions?",
        stronger="Add 'NoncurrentVersionExpiration': {'NoncurrentDays': 1} to the rule.",
    )


def _current(s3: Any) -> set[str]:
    return {one["Key"] for one in s3.list_objects_v2(Bucket="artifacts").get("Contents", [])}


def _own_key(luck: Random) -> Mapping[str, Any]:
    word = luck.choice(("ledger", "patients", "tickets", "orders"))
    return {"pipeline": load("S3 -> CodeBuild -> S3"), "alias": f"alias/{word}"}


@exercise(
    "03-4",
    "A key of your own",
    kind=Kind.BUILD,
    wants="a pair: the declaration, and the set of key ids that head_object told you",
    parts=("accepted", "a change gets through", "every artifact has the key", "the evidence"),
    case=_own_key,
)
def own_key(answer: Any, case: Case, marks: Marks) -> None:
    """Stand the declaration up in a mocked account that has the key, run it, and ask S3 how objects are encrypted."""
    from pipesim.cloud.account import Cloud

    declaration, evidence = answer
    pipeline = sound(declaration, marks, "accepted")
    if pipeline is None:
        return
    with Cloud(seed=1) as cloud:
        kms, s3 = cloud.client("kms"), cloud.client("s3")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=case.alias, TargetKeyId=key)
        record = cloud.provision(pipeline)
        cloud.run_until_idle()
        states = cloud.client("codepipeline").get_pipeline_state(name=record.name)["stageStates"]
        statuses = [stage.get("latestExecution", {}).get("status") for stage in states]
        store = record.pipeline.artifact_store or next(iter(record.pipeline.artifact_stores.values()))
        objects = [one["Key"] for one in s3.list_objects_v2(Bucket=store.location).get("Contents", [])]
        used = [s3.head_object(Bucket=store.location, Key=name).get("SSEKMSKeyId") for name in objects]
        ours = [name for name in used if name and kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == key]
    marks.part(
        "a change gets through",
        set(statuses) == {"Succeeded"},
        yes="every stage succeeded",
        no=f"the stages are {', '.join(map(str, statuses))}",
        hint="Change the artifact store alone.",
    )
    others = ", ".join(sorted({str(name) for name in used} - set(ours)))
    marks.part(
        "every artifact has the key",
        bool(used) and len(ours) == len(used),
        yes=f"{len(used)} objects, all encrypted with {case.alias}",
        no="the objects have the account's ordinary key for S3"
        if not any(used)
        else f"{len(ours)} of {len(used)} objects have that key; the others have {others}",
        hint="The artifact store, beside type and location, may name a key.",
        stronger="'encryptionKey': {'id': the alias, 'type': 'KMS'} belongs into artifactStore.",
    )
    told = {str(one) for one in ([evidence] if isinstance(evidence, str) else evidence or ())}
    marks.part(
        "the evidence",
        bool(ours) and told == {str(name) for name in used},
        yes="that is what S3 says of every object",
        no="there is none yet"
        if not told - {"None"}
        else f"S3 does not say {', '.join(sorted(told))} of these objects",
        hint="Provision your declaration in a cloud, run it, and ask head_object for SSEKMSKeyId of each object.",
        stronger="{s3.head_object(Bucket=bucket, Key=key).get('SSEKMSKeyId') for key in keys} after the run.",
    )
