"""Lesson 5: builds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from pipesim.assumptions.profile import load_profile
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number
from pipesim.classroom.runs import REPOSITORY, Ended, ended, objects, shop
from pipesim.formats.load import load

if TYPE_CHECKING:
    from pipesim.cloud.account import Cloud


def _batch(luck: Random) -> Mapping[str, Any]:
    """A graph of builds: two or three that wait for nothing, one that waits for all, and some after it."""
    first = luck.sample(["lint", "unit", "types", "docs"], luck.choice((2, 3)))
    after = luck.sample(["image", "site", "notes"], luck.choice((1, 2)))
    lines = ["version: 0.2", "batch:", "  build-graph:"]
    for name in luck.sample([*after, "package", *first], len(after) + len(first) + 1):
        lines.append(f"    - identifier: {name}")
        waits = first if name == "package" else ["package"] if name in after else []
        if waits:
            lines.append(f"      depend-on: [{', '.join(waits)}]")
    if luck.random() < 0.5:
        lines += ["    - identifier: publish", f"      depend-on: [{', '.join(after)}]"]
    lines += ["phases:", "  build:", "    commands: [make $CODEBUILD_BATCH_BUILD_IDENTIFIER]"]
    minutes = luck.randint(3, 8)
    document = shop("GitHub -> CodeBuild")
    document["stages"][1]["actions"][0]["configuration"] = {"ProjectName": "shop", "BatchEnabled": "true"}
    profile = load_profile(f'actions."Build/CodeBuild".duration = "{minutes}m"')
    text = "\n".join(lines) + "\n"
    return {"pipeline": load(document), "buildspec": text, "profile": profile, "each_takes": minutes}


@exercise(
    "05-1",
    "How long does the batch take?",
    kind=Kind.PREDICT,
    wants="two numbers: the minutes until the batch is over, and the minutes of building that are paid for",
    parts=("until it is over", "paid for"),
    case=_batch,
)
def batch(answer: Any, case: Case, marks: Marks) -> None:
    """Run the batch in a mocked account and read what CodeBuild says of its builds."""
    from pipesim.cloud.account import Cloud

    lasts, paid = (number(one) for one in answer)
    with Cloud(seed=1, assumptions=case.profile) as cloud:
        cloud.repository(REPOSITORY).push({"buildspec.yml": case.buildspec})
        cloud.provision(case.pipeline)
        cloud.run_until_idle()
        codebuild = cloud.client("codebuild")
        ids = codebuild.list_build_batches_for_project(projectName="shop")["ids"]
        [told] = codebuild.batch_get_build_batches(ids=ids)["buildBatches"]
        builds = codebuild.batch_get_builds(ids=codebuild.list_builds()["ids"])["builds"]
    truth = (told["endTime"] - told["startTime"]).total_seconds() / 60
    worked = sum((one["endTime"] - one["startTime"]).total_seconds() for one in builds) / 60
    if close(lasts, worked, within=0.5):
        seen = f"{lasts:g} minutes would do if one build came after the other"
    elif close(lasts, case.each_takes, within=0.5):
        seen = "that is one build alone: some of them wait for others"
    else:
        seen = f"{lasts:g} minutes is too {'long' if lasts > truth else 'short'}"
    marks.part(
        "until it is over",
        close(lasts, truth, within=0.5),
        yes=f"CodeBuild says {truth:.0f} minutes: builds that wait for nothing run side by side",
        no=seen,
        hint="Draw the graph. How many builds stand on its longest way?",
        stronger="Each row of the graph takes as long as one build; rows come one after the other.",
    )
    marks.part(
        "paid for",
        close(paid, worked, within=0.5),
        yes=f"{len(builds)} builds of {case.each_takes} minutes; to run side by side costs nothing extra",
        no=f"{paid:g} minutes are not what {len(builds)} builds take together"
        if close(lasts, truth, within=0.5)
        else f"{paid:g} minutes are not what all builds take together",
        hint="Every build is paid for by itself, whether another one runs beside it or not.",
    )


def _site(luck: Random) -> Mapping[str, Any]:
    """A source tree, what is to be done with it, and a pipeline that reads the version from the build."""
    folder = luck.choice(("dist", "public", "site", "out"))
    variable = luck.choice(("VERSION", "RELEASE", "TAG"))
    document = shop("GitHub -> CodeBuild -> S3")
    document["stages"][1]["actions"][0]["namespace"] = "Built"
    document["stages"][2]["actions"][0]["configuration"] |= {
        "BucketName": "site",
        "ObjectKey": f"#{{Built.{variable}}}",
    }
    files = {
        "README.md": "# Shop\n",
        "src/app.ts": "export const price = 3;\n",
        f"{folder}/index.html": "<h1>Shop</h1>\n",
        f"{folder}/js/app.js": "const price = 3;\n",
    }
    return {
        "pipeline": load(document),
        "files": files,
        "folder": folder,
        "test": luck.choice(("npm test", "make check", "pytest -q")),
        "package": luck.choice(("npm run build", "make package", "tsc --build")),
        "variable": variable,
        "value": f"{luck.randint(1, 9)}.{luck.randint(0, 9)}.{luck.randint(0, 9)}",
    }


@exercise(
    "05-2",
    "Write a buildspec",
    kind=Kind.BUILD,
    wants="the text of a buildspec",
    parts=(
        "the build succeeds",
        "tested, then packaged",
        "the version is exported",
        "what arrives",
        "a red test stops it",
    ),
    case=_site,
)
def buildspec(answer: Any, case: Case, marks: Marks) -> None:
    """Push the buildspec, let the pipeline run, read log, variables and the site; then let the test fail."""
    if not isinstance(answer, str):
        raise TypeError("a buildspec is text")
    seen = _built(answer, case)
    good = marks.part(
        "the build succeeds",
        seen["status"] == "Succeeded",
        yes="CodeBuild reads it, and every command succeeds",
        no=f"CodeBuild says: {seen['message']}",
        hint="Read the message: it names the phase, and what was not understood.",
        stronger="version: 0.2, phases (each with commands), env, artifacts; YAML wants spaces, not tabs.",
    )
    if not good:
        return
    order = [line for line in seen["commands"] if line in (case.test, case.package)]
    marks.part(
        "tested, then packaged",
        order == [case.test, case.package],
        yes="the log has both commands, in this order",
        no="the log has " + (" and then ".join(repr(line) for line in order) or "neither of the two commands"),
        hint="Commands run in the order of the phases: install, pre_build, build, post_build.",
        stronger="Both may stand in the commands of the phase build, one after the other.",
    )
    told = seen["variables"].get(case.variable)
    exported = marks.part(
        "the version is exported",
        told == case.value,
        yes=f"the next action can read #{{Built.{case.variable}}}: {case.value}",
        no="the build exports nothing" if not seen["variables"] else f"the build exports {dict(seen['variables'])}",
        hint="Two steps: a variable must have a value, and env must name it among the exported ones.",
        stronger=f"env: variables: {case.variable}: …, and exported-variables: [{case.variable}].",
    )
    wanted = {
        f"{case.value}/{path.removeprefix(case.folder + '/')}": text.encode()
        for path, text in case.files.items()
        if path.startswith(case.folder + "/")
    }
    extra = sorted(set(seen["site"]) - set(wanted))
    if exported:
        marks.part(
            "what arrives",
            seen["site"] == wanted,
            yes=f"the bucket holds {', '.join(sorted(wanted))}",
            no=f"the bucket holds {', '.join(extra[:3])}, which nobody wants"
            if extra
            else f"the bucket lacks {', '.join(sorted(set(wanted) - set(seen['site']))) or 'the right contents'}",
            hint="Which files belong to the artifact? And from which folder are their names counted?",
            stronger="artifacts has files and base-directory; '**/*' is every file in every folder.",
        )
    red = _built(answer.replace(case.test, "exit 1"), case)
    marks.part(
        "a red test stops it",
        red["status"] == "Failed" and not red["site"],
        yes="with a failing test nothing is deployed",
        no="with a failing test the build succeeded all the same",
        hint="The build fails when a command ends with a status other than 0: let it.",
        stronger="The test must stand alone in its line, without '|| true' after it.",
    )


def _built(text: str, case: Case) -> dict[str, Any]:
    """What became of the source with this buildspec."""
    from pipesim.cloud.account import Cloud

    with Cloud(seed=1) as cloud:
        cloud.repository(REPOSITORY).push({**case.files, "buildspec.yml": text})
        record = cloud.provision(case.pipeline)
        cloud.run_until_idle()
        build = ended(cloud, record.name, "CodeBuild")
        told = cloud.client("codebuild").batch_get_builds(ids=[build.id])["builds"][0] if build.id else {}
        place = told.get("logs", {})
        events = (
            cloud.client("logs").get_log_events(logGroupName=place["groupName"], logStreamName=place["streamName"])
            if place
            else {"events": []}
        )["events"]
        lines = [
            re.sub(r"^.*Running command ", "", one["message"]) for one in events if "Running command " in one["message"]
        ]
        return {
            "status": build.status,
            "message": build.message,
            "variables": build.variables,
            "commands": lines,
            "site": objects(cloud, "site"),
        }


def _jenkins(luck: Random) -> Mapping[str, Any]:
    needs, makes = luck.choice(
        (("pom.xml", "target/shop.jar"), ("build.gradle", "build/libs/shop.jar"), ("Makefile", "bin/shop"))
    )
    document = shop("GitHub -> Jenkins -> S3")
    document["stages"][1]["actions"][0]["configuration"] = {"ProjectName": "shop"}
    document["stages"][2]["actions"][0]["configuration"]["BucketName"] = "site"
    return {"pipeline": load(document), "needs": needs, "makes": makes}


@exercise(
    "05-3",
    "A Jenkins of your own",
    kind=Kind.WRITE,
    wants="a class made from ps.Jenkins",
    parts=("a good source is built", "the rest goes with it", "without the file it fails", "the message says why"),
    case=_jenkins,
)
def jenkins(answer: Any, case: Case, marks: Marks) -> None:
    """Hire the learner's worker in a mocked account; push a good source, then one without its build file."""
    from pipesim.cloud.account import Cloud
    from pipesim.cloud.ci import Jenkins

    if not (isinstance(answer, type) and issubclass(answer, Jenkins)):
        raise TypeError("it must be the class itself, without brackets behind it")
    with Cloud(seed=1) as cloud:
        repository = cloud.repository(REPOSITORY)
        repository.push({case.needs: "build it", "README.md": "# Shop"})
        record = cloud.provision(case.pipeline)
        cloud.hire(answer)
        cloud.run_until_idle()
        good, site = ended(cloud, record.name, "Jenkins"), objects(cloud, "site")
        repository.push({case.needs: None})
        cloud.run_until_idle()
        bad = ended(cloud, record.name, "Jenkins")
    built = marks.part(
        "a good source is built",
        good.status == "Succeeded" and case.makes in site,
        yes=f"{case.makes} arrives in the bucket",
        no=f"the action says: {good.message}"
        if good.status != "Succeeded"
        else f"the bucket holds {', '.join(sorted(site)) or 'nothing'}",
        hint="build gets a dictionary of files and returns one: contents in bytes, by name.",
        stronger=f"return {{**files, {case.makes!r}: b'compiled'}}",
    )
    if built:
        marks.part(
            "the rest goes with it",
            {case.needs, "README.md"} <= set(site),
            yes="what came in goes on, too",
            no=f"the bucket holds {', '.join(sorted(site))} alone",
            hint="Return the files that came in, and yours with them.",
        )
    fails = marks.part(
        "without the file it fails",
        bad.status == "Failed",
        yes="the action fails, and nothing is deployed",
        no=f"the action ends as {bad.status}",
        hint="Look into files before you build, and raise ps.JobFailed.",
        stronger=f"if {case.needs!r} not in files: raise ps.JobFailed(…)",
    )
    if fails:
        marks.part(
            "the message says why",
            case.needs in bad.message,
            yes=f"who reads the history sees: {bad.message}",
            no=f"who reads the history sees: {bad.message}",
            hint="The text that you give to ps.JobFailed is all that people will read. Name the file.",
        )


def _signer(luck: Random) -> Mapping[str, Any]:
    """A custom action type, a pipeline that uses it, and images to sign."""
    forbidden = luck.choice(("latest", "dev", "snapshot"))
    provider = luck.choice(("Signer", "Notary", "Sealer"))
    document = shop("GitHub -> Jenkins")
    action = document["stages"][1]["actions"][0]
    action["name"], action["actionTypeId"]["provider"] = "Sign", provider
    action["configuration"] = {"Image": f"shop:{luck.randint(1, 9)}.{luck.randint(0, 9)}"}
    action["outputArtifacts"] = []
    image = action["configuration"]["Image"]
    type_id = {"category": "Build", "owner": "Custom", "provider": provider, "version": "1"}
    return {"pipeline": load(document), "type_id": type_id, "image": image, "forbidden": forbidden}


@exercise(
    "05-4",
    "The four calls of a job worker",
    kind=Kind.WRITE,
    wants="a function that takes a boto3 client of CodePipeline",
    parts=("nothing to do is no error", "takes the job", "reports success", "refuses", "the message names the image"),
    case=_signer,
)
def signer(answer: Any, case: Case, marks: Marks) -> None:
    """Call the function twice a minute, with no job, with a good one, and with one that must be refused."""
    from botocore.exceptions import ClientError

    from pipesim.cloud.account import Cloud

    if not callable(answer):
        raise TypeError("it must be the function itself, without brackets behind it")
    with Cloud(seed=1) as cloud:
        codepipeline = cloud.client("codepipeline")
        codepipeline.create_custom_action_type(
            category="Build",
            provider=case.type_id["provider"],
            version="1",
            configurationProperties=[{"name": "Image", "required": True, "key": True, "secret": False}],
            inputArtifactDetails={"minimumCount": 0, "maximumCount": 1},
            outputArtifactDetails={"minimumCount": 0, "maximumCount": 0},
        )
        try:
            answer(codepipeline)
            trouble = ""
        except Exception as error:
            trouble = f"{type(error).__name__}: {error}"
        marks.part(
            "nothing to do is no error",
            not trouble,
            yes="without a job it does nothing",
            no=f"without a job it breaks: {trouble}",
            hint="poll_for_jobs may answer with an empty list. A loop over it does nothing then.",
        )
        cloud.repository(REPOSITORY).push({"README.md": "# Shop"})
        record = cloud.provision(case.pipeline)
        try:
            good, taken = _served(cloud, answer, record.name)
        except ClientError as error:
            good, taken, trouble = Ended("", "", "", "", 0.0, {}), False, str(error)
        marks.part(
            "takes the job",
            taken,
            yes="the job was acknowledged with its nonce",
            no=f"the service refused a call: {trouble}" if trouble else "no job was acknowledged",
            hint="poll_for_jobs hands out an id and a nonce; acknowledge_job wants both.",
            stronger="codepipeline.acknowledge_job(jobId=job['id'], nonce=job['nonce'])",
        )
        if not taken:
            return
        worked = marks.part(
            "reports success",
            good.status == "Succeeded",
            yes="the action succeeds",
            no=f"the action is {good.status}" + (f": {good.message}" if good.message else ""),
            hint="Without a report the action waits. Which call reports success?",
            stronger="codepipeline.put_job_success_result(jobId=job['id'])",
        )
        if not worked:
            return
        document = record.pipeline.to_document()
        document["stages"][1]["actions"][0]["configuration"]["Image"] = f"shop:{case.forbidden}"
        codepipeline.update_pipeline(pipeline=document)
        codepipeline.start_pipeline_execution(name=record.name)
        bad, _ = _served(cloud, answer, record.name)
    refused = marks.part(
        "refuses",
        bad.status == "Failed",
        yes=f"shop:{case.forbidden} is not signed, and the action fails",
        no=f"with shop:{case.forbidden} the action is {bad.status}",
        hint="What the action wants is in job['data']['actionConfiguration']['configuration'].",
        stronger="put_job_failure_result(jobId=…, failureDetails={'type': 'JobFailed', 'message': …})",
    )
    if refused:
        marks.part(
            "the message names the image",
            f"shop:{case.forbidden}" in bad.message,
            yes=f"it says: {bad.message}",
            no=f"it says: {bad.message or 'nothing'}",
            hint="failureDetails has a message for people.",
        )


def _served(cloud: Cloud, worker: Callable[[Any], object], pipeline: str) -> tuple[Ended, bool]:
    """Let time pass and call the worker twice a minute; return how the action ended, and whether a job was taken."""
    for _ in range(10):
        cloud.advance(seconds=30)
        worker(cloud.client("codepipeline"))
    cloud.advance(seconds=30)
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "AcknowledgeJob"}]
    return ended(cloud, pipeline, "Sign"), bool(
        cloud.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"]
    )


def _two_servers(luck: Random) -> Mapping[str, Any]:
    """A pipeline that asks for nobody: both servers poll for other names; and the second one reads too early."""
    project = f"shop-{luck.choice(('compile', 'assemble', 'make'))}"
    told = {
        "TeamCityServerURL": "https://teamcity.example.com",
        "BuildConfigurationID": luck.choice(("Shop_Package", "Shop_Image", "Shop_Bundle")),
        "ActionID": f"shop-{luck.randint(2, 99)}",
    }
    document = shop("GitHub -> CloudBees -> TeamCity -> S3")
    first, second, last = (stage["actions"][0] for stage in document["stages"][1:])
    first["configuration"] = {"ProjectName": luck.choice(("shop", f"{project}-old"))}
    second["configuration"] = {**told, "ActionID": "shop-1", "BuildConfigurationID": "Shop_Old"}
    last["configuration"]["BucketName"] = "site"
    return {
        "pipeline": load(document),
        "project": project,
        "configuration": told["BuildConfigurationID"],
        "action_id": told["ActionID"],
    }


@exercise(
    "05-5",
    "Two servers, and nobody comes",
    kind=Kind.REPAIR,
    wants="a declaration, such as two.pipeline.to_document() with changes",
    parts=(
        "CloudBees takes its job",
        "TeamCity takes its job",
        "it builds the right configuration",
        "both have worked on what arrives",
    ),
    case=_two_servers,
)
def two_servers(answer: Any, case: Case, marks: Marks) -> None:
    """Let both servers poll for what is theirs, and see which jobs they take, and what arrives in the bucket."""
    from pipesim.cloud.account import Cloud
    from pipesim.cloud.ci import CloudBees, TeamCity

    class Compiling(CloudBees):
        def build(self, project: str, files: dict[str, bytes]) -> dict[str, bytes]:
            return {**files, "compiled.txt": project.encode()}

    class Packing(TeamCity):
        def build(self, project: str, files: dict[str, bytes]) -> dict[str, bytes]:
            return {**files, "packed.txt": project.encode()}

    pipeline = load(answer) if isinstance(answer, Mapping) else answer
    with Cloud(seed=1) as cloud:
        cloud.repository(REPOSITORY).push({"README.md": "# Shop"})
        cloud.hire(Compiling, projects=(case.project,))
        cloud.hire(Packing, projects=(case.action_id,))
        record = cloud.provision(pipeline)
        cloud.advance(hours=3)
        first, second = _of_provider(cloud, record.name, "CloudBees"), _of_provider(cloud, record.name, "TeamCity")
        site = objects(cloud, "site")
    compiled = marks.part(
        "CloudBees takes its job",
        first.status == "Succeeded",
        yes=f"the history says: {first.message}",
        no=_nobody("CloudBees", first),
        hint="A server asks for the jobs of its own projects. Which ProjectName does the action give?",
        stronger=f"The action of CloudBees wants ProjectName {case.project!r}.",
    )
    if not compiled:
        return
    packed = marks.part(
        "TeamCity takes its job",
        second.status == "Succeeded",
        yes=f"the history says: {second.message}",
        no=_nobody("TeamCity", second),
        hint="TeamCity's trigger does not poll for a project. Look at the three keys of its action type.",
        stronger=f"The key that it polls for is ActionID, and its trigger has {case.action_id!r}.",
    )
    if not packed:
        return
    marks.part(
        "it builds the right configuration",
        site.get("packed.txt", b"").decode() == case.configuration,
        yes=f"{case.configuration} was built",
        no=f"it has built {site.get('packed.txt', b'').decode() or 'something that does not arrive'}",
        hint="The trigger takes the job; another key says what is to be built.",
        stronger=f"BuildConfigurationID is {case.configuration!r}.",
    )
    marks.part(
        "both have worked on what arrives",
        {"README.md", "compiled.txt", "packed.txt"} <= set(site),
        yes="TeamCity has packed what CloudBees had compiled",
        no=f"the bucket holds {', '.join(sorted(site)) or 'nothing'}: the work of one of them is missing",
        hint="Which artifact does each action take in? Draw the pipeline with artifacts=True.",
        stronger="TeamCity should take the output of CloudBees, not the source.",
    )


def _of_provider(cloud: Cloud, pipeline: str, provider: str) -> Ended:
    """How the action of a provider ended, whatever it is called."""
    declared = cloud.account.pipelines[pipeline].pipeline
    names = [one.name for stage in declared.stages for one in stage.actions if one.provider == provider]
    return ended(cloud, pipeline, names[0]) if names else Ended("", "", "", "", 0.0, {})


def _nobody(provider: str, told: Ended) -> str:
    if told.status == "InProgress":
        return f"after three hours the job is still there: {provider} asks for another one"
    return told.message or f"no action of {provider} has run"
