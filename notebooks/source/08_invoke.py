# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Let a function of your own decide
#
# ## What you'll do
#
# Write a Lambda function that a pipeline calls, let it say yes, no, and not yet, and see what happens when it
# says nothing at all. Then leave the waiting to a state machine.
#
# ## What you'll learn
#
# After this notebook you can
#
# - write a function that reports the end of its job, and hands something on,
# - tell a function that fails from one that is never heard of, and find the reason in its log,
# - wait for something slow with a continuation token,
# - start a state machine from a pipeline.
#
# ## What you'll need
#
# Lessons 1 to 3; a little Python. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## A hole in the catalogue
#
# There is an action for everything but the thing you need: warm a cache, ask a calendar, tell a chat room. For that
# there is *invoke*: the pipeline calls a function of yours, and waits for what it says. The function really runs here,
# in a small process of its own.

# %%
cloud = ps.Cloud(seed=1).open()
document = ps.load("GitHub → Lambda → S3").to_document() | {"name": "shop"}
document["stages"][1]["actions"][0] |= {"name": "Check", "namespace": "Checked"}
document["stages"][1]["actions"][0]["configuration"] = {"FunctionName": "check", "UserParameters": "beta"}
record = cloud.provision(document)
ps.draw(record.pipeline)

# %% [markdown]
# A function is a file with a `handler`. The event brings a *job*, and the job has an id. What the function wants to say
# it says to CodePipeline, with that id.

# %%
says_yes = """
import boto3
def handler(event, context):
    job = event["CodePipeline.job"]
    word = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    print("asked about", word)
    boto3.client("codepipeline").put_job_success_result(jobId=job["id"], outputVariables={"Channel": word})
"""

# %%
functions, codepipeline = cloud.client("lambda"), cloud.client("codepipeline")
functions.update_function_code(FunctionName="check", ZipFile=ps.pack({"app.py": says_yes}))
cloud.run_until_idle()
check = codepipeline.list_action_executions(pipelineName="shop")["actionExecutionDetails"][1]
check["actionName"], check["status"], check["output"]["outputVariables"]

# %% [markdown]
# Whatever comes later in the pipeline can read `#{Checked.Channel}`. What the function prints stands in its log:

# %%
lines = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/check")["events"]
[one["message"].strip() for one in lines]

# %% [markdown]
# ## No
#
# To fail, a function makes another call. The message is what people will read.

# %%
says_no = """
import boto3
def handler(event, context):
    boto3.client("codepipeline").put_job_failure_result(
        jobId=event["CodePipeline.job"]["id"],
        failureDetails={"type": "JobFailed", "message": "nobody is on call"})
"""

# %%
functions.update_function_code(FunctionName="check", ZipFile=ps.pack({"app.py": says_no}))
codepipeline.start_pipeline_execution(name="shop")
cloud.run_until_idle()
print(cloud.explain("shop"))

# %% [markdown]
# ## Predict, then run: nothing
#
# This function means well: it returns what a web page would. How long will the action be in progress?

# %%
says_nothing = "def handler(event, context): return {'statusCode': 200, 'body': 'all is well'}"
functions.update_function_code(FunctionName="check", ZipFile=ps.pack({"app.py": says_nothing}))
codepipeline.start_pipeline_execution(name="shop")
cloud.advance(minutes=30)
check = codepipeline.list_action_executions(pipelineName="shop")["actionExecutionDetails"][0]
print(check["lastUpdateTime"] - check["startTime"], check["output"]["executionResult"]["externalExecutionSummary"])

# %% [markdown]
# Twenty minutes, and then it fails. What a function *returns* is told to nobody, since the call is asynchronous:
# CodePipeline throws the event over the wall, and waits for a report. It is the same with an exception: Lambda tries
# the call twice more, and gives up; the pipeline hears nothing of it. Only the function's log knows.
#
# Here are all three runs: first as a picture, then to play with.

# %%
ps.timeline(record.simulation.trace)

# %%
ps.widgets.Player(record.simulation.trace)

# %% [markdown]
# ## Not yet
#
# A function lives fifteen minutes at most, and you pay while it waits. So it does not wait: it reports success *with a
# continuation token*. This means: call me again, and give me this back. Predict: after how many calls is it done?

# %%
asks_again = """
import boto3
def handler(event, context):
    job = event["CodePipeline.job"]
    number = 1 + int(job["data"].get("continuationToken", "0"))
    print("call", number)
    more = {"continuationToken": str(number)} if number < 4 else {}
    boto3.client("codepipeline").put_job_success_result(jobId=job["id"], **more)
"""

# %%
functions.update_function_code(FunctionName="check", ZipFile=ps.pack({"app.py": asks_again}))
codepipeline.start_pipeline_execution(name="shop")
cloud.advance(minutes=5)
lines = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/check")["events"]
called = [one for one in lines if one["message"].startswith("call")]
[(one["message"].strip(), round((one["timestamp"] - called[0]["timestamp"]) / 1000)) for one in called]

# %% [markdown]
# Four calls, half a minute apart. Each is a job of its own with an id of its own, and each has twenty minutes.
# The red text is meant to be there: a report wants the id of a job, and this is nobody's.

# %% tags=["raises-exception"]
codepipeline.put_job_success_result(jobId="00000000-0000-0000-0000-000000000000")

# %% [markdown]
# ## Step Functions
#
# When the waiting has steps, branches and retries of its own, a state machine does it better than a token. It runs for
# hours without costing a second of computing, and the action ends as the machine does. Predict: how long does this
# action take, and how does it end?

# %%
cloud.close()
machine = """{"StartAt": "Rest", "States": {
  "Rest": {"Type": "Wait", "Seconds": 600, "Next": "Look"},
  "Look": {"Type": "Choice", "Default": "Done",
           "Choices": [{"Variable": "$.traffic", "NumericGreaterThan": 1000, "Next": "Stop"}]},
  "Stop": {"Type": "Fail", "Error": "Busy", "Cause": "too many customers in the shop"},
  "Done": {"Type": "Succeed"}}}"""

# %%
cloud = ps.Cloud(seed=1).open()
role = "arn:aws:iam::123456789012:role/machine"
made = cloud.client("stepfunctions").create_state_machine(name="wait", definition=machine, roleArn=role)
calm = ps.load("S3 → StepFunctions").to_document() | {"name": "calm"}
calm["stages"][1]["actions"][0]["configuration"] = {
    "StateMachineArn": made["stateMachineArn"],
    "Input": '{"traffic": 1400}',
}
cloud.provision(ps.load(calm)).name

# %%
cloud.run_until_idle()
one = cloud.client("codepipeline").list_action_executions(pipelineName="calm")["actionExecutionDetails"][0]
print(one["lastUpdateTime"] - one["startTime"], one["output"]["executionResult"]["externalExecutionSummary"])

# %% [markdown]
# Ten minutes of rest, half a minute to get going, and a no with its cause. No report was needed: the action
# watches the machine by itself. Late at night there are fewer customers. What will it say, and after how long?

# %%
codepipeline = cloud.client("codepipeline")
night = codepipeline.get_pipeline(name="calm")["pipeline"]
night["stages"][1]["actions"][0]["configuration"]["Input"] = '{"traffic": 300}'
codepipeline.update_pipeline(pipeline=night)
codepipeline.start_pipeline_execution(name="calm")
cloud.run_until_idle()
one = codepipeline.list_action_executions(pipelineName="calm")["actionExecutionDetails"][0]
print(one["status"], sorted(one["output"]["outputVariables"]))

# %% [markdown]
# The same rest, and a yes. The two variables lead whoever looks later to the machine and to this one passage of it.

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
speaks = ""  # what ends the action: "the return value", "an exception" or "the report"?
minutes = 0  # how long does CodePipeline wait for the report of one job?
print("1:", "right" if speaks == "the report" else "not yet: who reads what an asynchronous call returns?")
print("2:", "right" if minutes == 20 else "not yet: the third run of this lesson shows it")

# %% [markdown]
# ## Summary
#
# - A function gets a job, and must report its end: success, or failure with a message.
# - Returning is not reporting. Without a report the action fails after twenty minutes.
# - A continuation token says "not yet": the function is called again, half a minute later, and gets the token back.
# - Variables that the report brings can be read by later actions.
# - A state machine needs no report; its end is the action's end.
#
# ## Exercises
#
# **1. Nobody answers.** Read the function. How often is it called, and after how many minutes does the action fail?

# %%
nobody = ps.classroom.case("08-1")
print(nobody.code)

# %% tags=["exercise:08-1"]
answer_1 = (1 if "statusCode" in nobody.code else 3, 20)

# %% tags=["check:08-1"]
ps.classroom.check("08-1", answer_1)

# %% [markdown]
# **2. A worker that may say no.** Write the function: it reads the word in `UserParameters`. If it is
# `freeze.forbidden`, the action fails, and the message holds the word. Else it succeeds, and hands the word on as the
# variable `freeze.variable`. Answer with the text of the file.

# %%
freeze = ps.classroom.case("08-2")
freeze.forbidden, freeze.variable

# %% tags=["exercise:08-2"]
answer_2 = f"""import boto3
def handler(event, context):
    job, codepipeline = event["CodePipeline.job"], boto3.client("codepipeline")
    word = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    if word == "{freeze.forbidden}":
        details = {{"type": "JobFailed", "message": "no release: " + word}}
        return codepipeline.put_job_failure_result(jobId=job["id"], failureDetails=details)
    codepipeline.put_job_success_result(jobId=job["id"], outputVariables={{"{freeze.variable}": word}})
"""

# %% tags=["check:08-2"]
ps.classroom.check("08-2", answer_2)

# %% [markdown]
# **3. Not yet, ask me again.** Write a function that says "not yet" until it is called for the `rounds.rounds`-th time,
# and then reports success. It must not sleep.

# %%
rounds = ps.classroom.case("08-3")
rounds.rounds

# %% tags=["exercise:08-3"]
answer_3 = f"""import boto3
def handler(event, context):
    job = event["CodePipeline.job"]
    number = 1 + int(job["data"].get("continuationToken", "0"))
    more = {{"continuationToken": str(number)}} if number < {rounds.rounds} else {{}}
    boto3.client("codepipeline").put_job_success_result(jobId=job["id"], **more)
"""

# %% tags=["check:08-3"]
ps.classroom.check("08-3", answer_3)

# %% [markdown]
# **4. Leave the waiting to a machine.** Write a state machine that rests for `gate.minutes` minutes and looks at
# `$.traffic` then. With more than `gate.limit` customers it fails, and the cause holds the word `gate.word`; else it
# succeeds. Answer with the definition, as a dictionary or as its text.

# %%
gate = ps.classroom.case("08-4")
gate

# %% tags=["exercise:08-4"]
busy = {"Variable": "$.traffic", "NumericGreaterThan": gate.limit, "Next": "Stop"}
answer_4 = {
    "StartAt": "Rest",
    "States": {
        "Rest": {"Type": "Wait", "Seconds": 60 * gate.minutes, "Next": "Look"},
        "Look": {"Type": "Choice", "Choices": [busy], "Default": "Go on"},
        "Stop": {"Type": "Fail", "Error": "Closed", "Cause": f"the shop is {gate.word}"},
        "Go on": {"Type": "Succeed"},
    },
}

# %% tags=["check:08-4"]
ps.classroom.check("08-4", answer_4)

# %% [markdown]
# ## In practice
#
# - Put everything the function does into `try`, and report a failure in `except`: else every slip costs twenty minutes.
# - The role of the *function* needs `codepipeline:PutJobSuccessResult` and `PutJobFailureResult`; the role of the
#   *pipeline* needs `lambda:InvokeFunction`. Without the first it runs, and is never heard of.
# - Functions in other languages than Python are not run here; they are assumed to succeed.
# - A function that reports success before it has written its output artifact fails the next action, not itself.
# - An older page of the guide gives twenty minutes to the whole action; today's quota gives them to each job.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Invoke an AWS Lambda function in a pipeline in CodePipeline", "AWS Lambda invoke
#   action reference", "AWS Step Functions invoke action reference", "Quotas in AWS CodePipeline".
# - *AWS Lambda Developer Guide*: "How Lambda handles errors and retries with asynchronous invocation".
#
# Next: [Put a person in the way, on purpose](09_manual_approval.ipynb).
