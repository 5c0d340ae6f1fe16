"""Lesson 8: invoking a function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from pipesim.assumptions.profile import load_profile
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number
from pipesim.classroom.runs import Ended, ended, shop
from pipesim.formats.load import load

if TYPE_CHECKING:
    from pipesim.cloud.account import Cloud

FUNCTION = "check"
AT_ONCE = 'actions."Invoke/StepFunctions".duration = "1s"'
SILENT = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'all is well'}\n"
BROKEN = "def handler(event, context):\n    job = event['CodePipeline']['job']\n    return job['id']\n"


def _invoking(parameters: str = "", **more: Any) -> dict[str, Any]:
    """The declaration of a pipeline that calls the function."""
    document = shop("GitHub -> Lambda -> S3")
    configuration = {"FunctionName": FUNCTION, **({"UserParameters": parameters} if parameters else {})}
    document["stages"][1]["actions"][0] |= {"name": "Check", "configuration": configuration, **more}
    return document


def _log(cloud: Cloud) -> list[str]:
    logs = cloud.client("logs")
    try:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{FUNCTION}")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [str(one["message"]).strip() for one in events]


def _trouble(cloud: Cloud) -> str:
    """The last thing that the function's log complains of; "" for nothing."""
    return next((line.splitlines()[0] for line in reversed(_log(cloud)) if line.startswith("[ERROR]")), "")


def _give(cloud: Cloud, code: Any) -> None:
    """Put a learner's code into the function."""
    from pipesim.cloud.artifacts import pack

    if not isinstance(code, str):
        raise TypeError("it must be the text of a Python file, with a function handler(event, context)")
    cloud.client("lambda").update_function_code(FunctionName=FUNCTION, ZipFile=pack({"app.py": code}))


def _called(cloud: Cloud, code: Any, document: Mapping[str, Any]) -> Ended:
    """Stand everything up, put the code in, let an hour pass, and say how the action ended."""
    cloud.provision(document)
    _give(cloud, code)
    cloud.advance(hours=1)
    return ended(cloud, "shop", "Check")


def _silent(luck: Random) -> Mapping[str, Any]:
    """A function that returns and reports nothing, or one that breaks before it could."""
    return {"pipeline": load(_invoking()), "code": luck.choice((SILENT, BROKEN))}


@exercise(
    "08-1",
    "Nobody answers",
    kind=Kind.PREDICT,
    wants="two numbers: how often the function is called, and after how many minutes the action fails",
    parts=("how often it is called", "when the action fails"),
    case=_silent,
)
def nobody(answer: Any, case: Case, marks: Marks) -> None:
    """Let the function run in a mocked account; count its starts in its log."""
    from pipesim.cloud.account import Cloud

    calls, minutes = (number(one) for one in answer)
    with Cloud(seed=1) as cloud:
        failed = _called(cloud, case.code, case.pipeline.to_document())
        truth = sum(line.startswith("START") for line in _log(cloud))
    marks.part(
        "how often it is called",
        close(calls, truth, within=0.1),
        yes="a call that ended well is not repeated, even if it reported nothing"
        if truth == 1
        else "the call is asynchronous: one that raises is repeated twice, after one minute and after two more",
        no=f"{calls:g} is not what its log says",
        hint="Read the code: does the call end well, or does it raise? An asynchronous call that raises is repeated.",
        stronger="An asynchronous call is tried three times in all, as long as it raises.",
    )
    lasted = failed.seconds / 60
    marks.part(
        "when the action fails",
        close(minutes, lasted, within=0.6),
        yes=f"after {lasted:.0f} minutes without a report: {failed.message}",
        no="what a function returns, or raises, is told to nobody: the action goes on waiting"
        if minutes < 2
        else f"{minutes:g} minutes is too {'long' if minutes > lasted else 'short'}",
        hint="How long does CodePipeline wait for the report of one job?",
        stronger="The time limit is told in the lesson, where the function forgot to report.",
    )


def _freeze(luck: Random) -> Mapping[str, Any]:
    """A word in the parameters that forbids the release, and the name of what is handed on."""
    return {
        "pipeline": load(_invoking("open", namespace="Checked")),
        "forbidden": luck.choice(("frozen", "holiday", "incident")),
        "variable": luck.choice(("Window", "State", "Calendar")),
    }


@exercise(
    "08-2",
    "A worker that may say no",
    kind=Kind.WRITE,
    wants="the text of a Python file with a function handler(event, context)",
    parts=("reports success", "hands the word on", "reports failure", "says why"),
    case=_freeze,
)
def freeze(answer: Any, case: Case, marks: Marks) -> None:
    """Run the learner's function twice: with a word that is let pass, and with the one that is not."""
    from pipesim.cloud.account import Cloud

    with Cloud(seed=1) as cloud:
        good, trouble = _called(cloud, answer, case.pipeline.to_document()), _trouble(cloud)
        document = cloud.account.pipelines["shop"].pipeline.to_document()
        document["stages"][1]["actions"][0]["configuration"]["UserParameters"] = case.forbidden
        codepipeline = cloud.client("codepipeline")
        codepipeline.update_pipeline(pipeline=document)
        codepipeline.start_pipeline_execution(name="shop")
        cloud.advance(hours=1)
        bad = ended(cloud, "shop", "Check")
    worked = marks.part(
        "reports success",
        good.status == "Succeeded",
        yes="with the word 'open' the action succeeds",
        no=f"the function's log says: {trouble}" if trouble else f"with the word 'open': {good.message}",
        hint="The event has one member, 'CodePipeline.job', and its id is what put_job_success_result wants.",
        stronger="boto3.client('codepipeline').put_job_success_result(jobId=event['CodePipeline.job']['id'])",
    )
    if not worked:
        return
    marks.part(
        "hands the word on",
        good.variables.get(case.variable) == "open",
        yes=f"the next action can read #{{Checked.{case.variable}}}",
        no=f"it hands on {dict(good.variables) or 'nothing'}",
        hint="put_job_success_result takes outputVariables, a dictionary of texts.",
        stronger="The word is at job['data']['actionConfiguration']['configuration']['UserParameters'].",
    )
    fast = bad.status == "Failed" and bad.seconds < 600
    refused = marks.part(
        "reports failure",
        fast,
        yes=f"with the word {case.forbidden!r} it fails at once",
        no=f"with the word {case.forbidden!r} the action is {bad.status}"
        + (f" after {bad.seconds / 60:.0f} minutes: it waited for a report" if bad.status == "Failed" else ""),
        hint="A function that raises is not heard. There is a call for failures, too.",
        stronger="put_job_failure_result(jobId=…, failureDetails={'type': 'JobFailed', 'message': …})",
    )
    if refused:
        marks.part(
            "says why",
            case.forbidden in bad.message,
            yes=f"the history says: {bad.message}",
            no=f"the history says: {bad.message or 'nothing'}",
            hint="Put the word into the message: it is what people will read.",
        )


def _rounds(luck: Random) -> Mapping[str, Any]:
    return {"pipeline": load(_invoking()), "rounds": luck.randint(3, 5)}


@exercise(
    "08-3",
    "Not yet, ask me again",
    kind=Kind.WRITE,
    wants="the text of a Python file with a function handler(event, context)",
    parts=("ends well", "asked that often", "in short calls"),
    case=_rounds,
)
def rounds(answer: Any, case: Case, marks: Marks) -> None:
    """Count the calls in the function's log, and see how long each of them took."""
    from pipesim.cloud.account import Cloud

    with Cloud(seed=1) as cloud:
        last = _called(cloud, answer, case.pipeline.to_document())
        calls, trouble = sum(line.startswith("START") for line in _log(cloud)), _trouble(cloud)
    good = marks.part(
        "ends well",
        last.status == "Succeeded",
        yes="the last call reports success without a token, and that ends the action",
        no=f"the function's log says: {trouble}"
        if trouble
        else f"after {calls} calls the action is {last.status}"
        + (": it is told to ask again, for ever" if last.status == "InProgress" else f": {last.message}"),
        hint="A report with continuationToken means: not yet. One without it means: done.",
        stronger="event['CodePipeline.job']['data'].get('continuationToken') is what was left, None at first.",
    )
    if good:
        marks.part(
            "asked that often",
            calls == case.rounds,
            yes=f"it was called {calls} times, half a minute apart",
            no=f"it was called {calls} times, not {case.rounds}",
            hint="A function forgets everything between two calls. Let the token remember the number.",
            stronger="The first call leaves the token '1', the next one '2', and the last one leaves none.",
        )
        marks.part(
            "in short calls",
            not trouble,
            yes="no call waited, and none ran into the time limit of Lambda",
            no=f"the function's log says: {trouble}",
            hint="Do not sleep in the function: that is paid for, and it is limited.",
        )


def _gate(luck: Random) -> Mapping[str, Any]:
    """How long to rest, from how many customers on it is a no, and the word that the cause must hold."""
    return {
        "minutes": luck.choice((5, 10, 15, 20, 30)),
        "limit": luck.choice((200, 500, 800, 1000)),
        "word": luck.choice(("busy", "crowded", "packed")),
    }


@exercise(
    "08-4",
    "Leave the waiting to a machine",
    kind=Kind.WRITE,
    wants="the definition of a state machine: a dictionary, or its text in JSON",
    parts=("the machine is made", "goes on when it is calm", "fails when it is busy", "says why", "rests, then looks"),
    case=_gate,
)
def gate(answer: Any, case: Case, marks: Marks) -> None:
    """Let a pipeline start the learner's machine three times: calm, just calm enough, and busy."""
    from botocore.exceptions import ClientError

    from pipesim.cloud.account import Cloud

    if not isinstance(answer, str | Mapping):
        raise TypeError("a definition is a dictionary, or text")
    definition = answer if isinstance(answer, str) else json.dumps(dict(answer))
    with Cloud(seed=1, assumptions=load_profile(AT_ONCE)) as cloud:
        try:
            json.loads(definition)
            machine = cloud.client("stepfunctions").create_state_machine(
                name="gate", definition=definition, roleArn="arn:aws:iam::123456789012:role/machine"
            )["stateMachineArn"]
            refusal = ""
        except ClientError as error:
            refusal = f"Step Functions refuses it: {error.response['Error']['Message'].partition(' expecting ')[0]}"
        except ValueError as error:
            refusal = f"it is no JSON: {error}"
        made = marks.part(
            "the machine is made",
            not refusal,
            yes="Step Functions takes the definition",
            no=refusal,
            hint="A definition has two members: StartAt, the name of a state, and States, the states by their names.",
            stronger="Begin with the definition of the lesson, and change one thing after the other.",
        )
        if not made:
            return
        calm, brim, busy = (_decided(cloud, machine, case.limit + more) for more in (-1, 0, 1))
    _judge_gate(calm, brim, busy, case, marks)


def _judge_gate(calm: Ended, brim: Ended, busy: Ended, case: Case, marks: Marks) -> None:
    open_to_both = calm.status == brim.status == "Succeeded"
    passes = marks.part(
        "goes on when it is calm",
        open_to_both,
        yes=f"with up to {case.limit} customers the action succeeds",
        no=f"with {case.limit - 1} customers: {calm.message or calm.status}"
        if calm.status != "Succeeded"
        else f"{case.limit} customers are not more than {case.limit}, and the machine stops for them",
        hint="Read where the machine goes when no choice fits, and how that state ends it.",
        stronger="Default names the state for everybody else, which is of type Succeed; NumericGreaterThan is "
        "what 'more than' means.",
    )
    stops = marks.part(
        "fails when it is busy",
        busy.status == "Failed" and (passes or "States.Runtime" not in busy.message),
        yes=f"with {case.limit + 1} customers it ends badly, and the action with it",
        no=f"with {case.limit + 1} customers the action is {busy.status}"
        if busy.status != "Failed"
        else "it fails, but because the machine breaks",
        hint="A state of type Fail ends the machine badly. Does a choice lead there?",
        stronger='{"Variable": "$.traffic", "NumericGreaterThan": …, "Next": …}: is traffic spelled as in the input?',
    )
    if stops:
        said = busy.message.rpartition(" FAILED: ")[2]
        marks.part(
            "says why",
            case.word in busy.message,
            yes=f"the history says: {said}",
            no=f"the history says: {said}",
            hint="A state of type Fail has an Error, a short name, and a Cause, a sentence for people.",
            stronger=f"Put the word {case.word!r} into the Cause.",
        )
    if not (passes and stops):
        return
    rest = case.minutes * 60.0
    early = busy.seconds < calm.seconds - 30
    marks.part(
        "rests, then looks",
        close(calm.seconds, rest, within=60) and close(busy.seconds, rest, within=60),
        yes=f"it rests for {case.minutes} minutes, and says yes or no then",
        no="it looks before it has rested"
        if early
        else f"it takes {calm.seconds / 60:.0f} minutes, which is too {'long' if calm.seconds > rest else 'short'}",
        hint="A state of type Wait counts in seconds.",
        stronger="StartAt names the state of type Wait; its Next is the state of type Choice.",
    )


def _decided(cloud: Cloud, machine: str, traffic: int) -> Ended:
    """Let the pipeline start the machine with so many customers, and say how the action ended."""
    known = cloud.account.pipelines.get("shop")
    document = known.pipeline.to_document() if known else shop("GitHub -> StepFunctions")
    told = {"StateMachineArn": machine, "Input": json.dumps({"traffic": traffic})}
    document["stages"][1]["actions"][0] |= {"name": "Gate", "configuration": told}
    if known:
        codepipeline = cloud.client("codepipeline")
        codepipeline.update_pipeline(pipeline=document)
        codepipeline.start_pipeline_execution(name="shop")
    else:
        cloud.provision(document)
    cloud.advance(hours=2)
    return ended(cloud, "shop", "Gate")
