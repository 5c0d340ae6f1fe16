# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Ship two services side by side
#
# ## What you'll do
#
# Build two services at once, deploy both to ECS, test their API together, and let a function tell the team.
#
# ## What you'll learn
#
# After this notebook you can
#
# - draw independent work side by side, and say when it really runs so,
# - tell what is out there when one of two deployments fails,
# - put the test behind both deployments, and the notification behind the test,
# - write the function that tells the team, and lets the pipeline go on.
#
# ## What you'll need
#
# Lessons 2, 7, 8 and 11. About thirty-five minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Two services, one pipeline
#
# Two small applications live in one repository. Each has a container image, a build project and an ECS service of its
# own; together they answer one API. Nobody is asked: what passes the tests is out.

# %%
services = ps.load(ps.sample("microservices"))
services

# %% [markdown]
# Each build puts out its own artifact: the image's address, a task definition, an AppSpec. Each deployment takes one
# of them, and CodeDeploy moves the traffic of that ECS service to new tasks. A misspelt artifact is found before
# anything runs; the red text is meant to be there.

# %% tags=["raises-exception"]
document = services.to_document()
document["stages"][2]["actions"][1]["inputArtifacts"] = [{"name": "ServiceCImage"}]
ps.simulate(ps.load(document), seed=1)

# %% [markdown]
# ## Predict, then run
#
# The builds take 4 and 6 minutes, the deployments 8 and 7, the test 5. When is the team told? Add up first.

# %%
times = ps.load_profile("""
actions."Build/ServiceA".duration = "4m"
actions."Build/ServiceB".duration = "6m"
actions."Deploy/ServiceA".duration = "8m"
actions."Deploy/ServiceB".duration = "7m"
actions."ApiTest/Api".duration = "5m"
""")
together = ps.simulate(services, times, seed=1)
ps.timeline(together, by="stage")

# %% [markdown]
# The slower build, the slower deployment, the test: 19 minutes. And one service after the other?

# %%
in_a_row = ps.edit.serialise("Build") | ps.edit.serialise("Deploy")
apart = in_a_row(ps.edit.Scenario(services, times))
slow = ps.simulate(apart.pipeline, times, seed=1)
[round(trace.end / 60, 1) for trace in (together, slow)]

# %% [markdown]
# ## Side by side needs room
#
# Predict: the account may run one build at a time. When is the team told now?

# %%
narrow = ps.edit.pool("builds", 1)(ps.edit.Scenario(services, times)).assumptions
squeezed = ps.simulate(services, narrow, seed=1)
ps.timeline(squeezed, by="stage")

# %% [markdown]
# The picture of the pipeline is the same, but one build waits for the other. Deployments are not builds: they go on
# side by side. A new account's quota of concurrent builds is small; look it up before you draw ten builds in a stage.
#
# ## One of two fails
#
# Predict: the new tasks of service A do not become healthy. Which releases are out there afterwards?

# %%
unlucky = ps.load_profile("""
actions."Deploy/ServiceA" = { duration = "8m", fails_on = [1], message = "The new tasks did not become healthy." }
actions."Deploy/ServiceB".duration = "7m"
""")
half = ps.simulate(services, unlucky, seed=1)
ps.draw(services, trace=half)

# %% [markdown]
# The new B next to the old A: a combination that nobody has tested. The API test never ran, nobody was told. Two
# things follow. Each service must get on with the old and the new release of the other one. And the way out should be
# short: retry what failed, or let the stage go back, both services together.

# %%
healed = ps.simulate(services, unlucky, seed=1, commands=[(ps.minutes(30), ps.Retry("Deploy", "E1"))])
[f"{event.time / 60:.0f} min: {event.kind} {event.action or ''}".strip() for event in healed if event.stage == "Deploy"]

# %% [markdown]
# ## A busy morning

# %%
habits = ps.load_profile(ps.sample_profile("microservices"))
morning = ps.simulate(services, habits, seed=1, executions=10)
ps.timeline(morning)

# %%
ps.widgets.Player(morning)

# %% [markdown]
# ## In an account
#
# Both services in a mocked AWS account. `provision` makes clusters, services, target groups and the function.

# %%
cloud = ps.Cloud(seed=1).open()
cloud.provision(services)
cloud.run_until_idle()
codepipeline = cloud.client("codepipeline")
rows = codepipeline.list_action_executions(pipelineName="microservices")["actionExecutionDetails"]
[(row["stageName"], row["actionName"], f"{row['startTime']:%H:%M:%S}", row["status"]) for row in reversed(rows)]

# %% [markdown]
# The builds start in the same second, and so do the deployments. The last action called a function, with parameters in
# which the commit was already filled in. What the function printed is in its log.

# %%
rows[0]["input"]["resolvedConfiguration"]

# %%
events = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/announce-deployment")["events"]
[event["message"] for event in events]

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
decides = ""  # which of the two deployments decides when the API test of `together` may start?
out_there = ""  # which service runs its new release at the end of `half`: "ServiceA" or "ServiceB"?
ended = {event.action: event.time for event in together if event.stage == "Deploy" and event.kind == "ActionSucceeded"}
new = [event.action for event in half if event.stage == "Deploy" and event.kind == "ActionSucceeded"]
print("1:", "right" if decides == max(ended, key=ended.get) else "not yet: which one is done last?")
print("2:", "right" if [out_there] == new else "not yet: whose deployment succeeded?")

# %% [markdown]
# ## Summary
#
# - What does not need each other stands side by side: the stage takes as long as its slowest action.
# - Room in the account decides whether it really runs side by side.
# - Deployments side by side can succeed by halves. Services must bear their neighbours' old and new releases.
# - Test when all is deployed; tell when the test has passed; report, or the pipeline waits.
#
# ## Exercises
#
# **1. Side by side, if there is room.** After how many minutes is the API test done, with `room.wide` (two builds at
# once) and with `room.narrow` (one at a time)? Answer with both numbers.

# %%
room = ps.classroom.case("18-1")
room.minutes

# %% tags=["exercise:18-1"]
traces = [ps.simulate(room.pipeline, profile, seed=1) for profile in (room.wide, room.narrow)]
ends = [{event.stage: event.time / 60 for event in trace if event.kind == "StageSucceeded"} for trace in traces]
answer_1 = tuple(end["ApiTest"] for end in ends)

# %% tags=["check:18-1"]
ps.classroom.check("18-1", answer_1)

# %% [markdown]
# **2. Told too early.** In this pipeline the services wait for each other, and the team is told before the test has
# ended. Repair both.

# %%
hasty = ps.classroom.case("18-2")
hasty.pipeline

# %% tags=["exercise:18-2"]
document = hasty.pipeline.to_document()
for stage in document["stages"][1:3]:
    for action in stage["actions"]:
        action["runOrder"] = 1
document["stages"][3]["actions"][1]["runOrder"] = 2
answer_2 = document

# %% tags=["check:18-2"]
ps.classroom.check("18-2", answer_2)

# %% [markdown]
# **3. Tell the team.** Write the function of the last action: the text of a Python file with `handler(event, context)`.
# The parameters of the action look like `note.parameters`. Publish a message that names the service to that SNS
# topic, then report to the pipeline. Its role may do both. The check runs it in an account of its own, which takes a
# few seconds; every other mocked account must be closed.

# %%
note = ps.classroom.case("18-3")
note.parameters

# %% tags=["exercise:18-3"]
answer_3 = """import json, boto3
def handler(event, context):
    job = event["CodePipeline.job"]
    wish = json.loads(job["data"]["actionConfiguration"]["configuration"]["UserParameters"])
    boto3.client("sns").publish(TopicArn=wish["topic"], Message=wish["service"] + " is out")
    boto3.client("codepipeline").put_job_success_result(jobId=job["id"])
"""

# %% tags=["check:18-3"]
ps.classroom.check("18-3", answer_3)

# %% [markdown]
# **4. Which change is worth it?** Compare the three changes with `n=10, days=2, seed=1`. Answer with the name of the
# one that shortens the mean lead time most, and by how many minutes.

# %%
worth = ps.classroom.case("18-4")
list(worth.changes)

# %% tags=["exercise:18-4"]
found = ps.compare((worth.pipeline, worth.profile), worth.changes, n=10, days=2, seed=1)
gains = {name: found.difference(name, "lead_time").estimate for name in worth.changes}
best = min(gains, key=gains.get)
answer_4 = (best, -gains[best] / 60)

# %% tags=["check:18-4"]
ps.classroom.check("18-4", answer_4)

# %% [markdown]
# ## In practice
#
# - Many teams give each service a pipeline of its own, started by changes in its own folder only (V2 triggers can
#   filter by path). Then a service does not wait for its neighbour; the common test needs another place.
# - CodeDeploy can keep the old tasks for a while after the traffic has moved, and go back on an alarm.
# - A notification may be had without a function: notification rules send pipeline events to SNS or to a chat
#   (lesson 13). A function is worth it when the message has to be made.
# - The function's role needs `codepipeline:PutJobSuccessResult` and `codepipeline:PutJobFailureResult`; without them
#   the action waits until it times out.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Amazon ECS and CodeDeploy blue-green deploy action reference", "AWS Lambda invoke
#   action reference", "Invoke an AWS Lambda function in a pipeline in CodePipeline".
# - *AWS CodeBuild User Guide*: "Quotas for AWS CodeBuild".
#
# Next: [Measure what good practice is worth](19_good_practice.ipynb).
