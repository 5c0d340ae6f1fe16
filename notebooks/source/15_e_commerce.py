# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Ship a shop, from push to production
#
# ## What you'll do
#
# Follow changes of an online shop through all seven stages of its pipeline, watch a bad release go back by itself, and
# then run the same pipeline once in a mocked AWS account.
#
# ## What you'll learn
#
# After this notebook you can
#
# - say what each stage of a grown pipeline is for, and what it hands to the next one,
# - see which of several actions that run side by side decides when the change goes on,
# - explain why most changes of a busy day never reach production, and why that is no loss,
# - let production go back to the last good release by itself,
# - play the part of a load-test vendor and of a stakeholder through the API.
#
# ## What you'll need
#
# Lessons 2, 7, 9, 10 and 11. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Seven stages

# %%
shop = ps.load(ps.sample("e-commerce"))
shop

# %% [markdown]
# | stage | what happens | what it protects against |
# |---|---|---|
# | Source | a push to `main` in CodeCommit; the code becomes the first artifact | – |
# | Build | frontend, backend and unit tests side by side, then one package of both bundles | code that does not hold |
# | Test | integration, end-to-end and security scan side by side | parts that do not fit, known holes |
# | Staging | CodeDeploy, then a health check by a Lambda function | a package that does not start |
# | LoadTest | an outside vendor sends traffic | an application that is right, but too slow |
# | Approval | the stakeholders look at the results | a release that nobody wants now |
# | Production | blue/green with CodeDeploy, health check, rollback on failure | everything else |
#
# The frontend is in React, the backend in Node.js; the pipeline does not care. It knows projects and artifacts.
#
# CodeDeploy takes exactly one artifact. That is why the stage `Build` ends with an action that packs both bundles into
# one. The red text is meant to be there: this is what the service says without it.

# %% tags=["raises-exception"]
document = shop.to_document()
document["stages"][3]["actions"][0]["inputArtifacts"] = [{"name": "FrontendBundle"}, {"name": "BackendBundle"}]
ps.simulate(ps.load(document), seed=1)

# %% [markdown]
# ## Predict, then run: one change
#
# The frontend takes about 6 minutes, the backend 8, the unit tests 4; the package 2. Then come the tests: integration
# about 12, end-to-end 24, security scan 7. After how many minutes is the change in staging?

# %%
habits = ps.load_profile(ps.sample_profile("e-commerce"))
one = ps.simulate(shop, habits, seed=1, executions=1)
ps.timeline(one, by="stage")

# %% [markdown]
# Of actions that start together only the slowest counts. The *critical path* lists those that do. `exclusive_s` says
# more: what would be won if that action took no time at all, while its neighbours stay as slow as they are.

# %%
path = ps.critical_path_table(one, "E1").query("duration_s > 60")
path[["stage", "action", "reason", "duration_s", "exclusive_s", "share"]].round(2)

# %% [markdown]
# Half of the build's time and half of the end-to-end test's lie in the shadow of what runs beside them. And more
# than half of all is one row: the stakeholders.
#
# ## A day
#
# The team merges a change every twenty minutes. Predict: of twelve changes, how many reach production?

# %%
day = ps.simulate(shop, habits, seed=1, executions=12)
ps.timeline(day)

# %%
ps.executions_table(day)[["execution", "status", "ending", "lead_time_s", "waiting_stage_lock_s"]]

# %% [markdown]
# Three, and nothing got lost: each of the three carries all that was merged before it. A change that is superseded in
# front of `Approval` was built and tested; the stakeholders are asked about the newest one only. The scan stopped the
# third change, a unit test the fifth: neither cost anybody a look.
#
# One moment of that day, and then the film of it:

# %%
ps.board(day, at=ps.hours(2))

# %%
ps.widgets.Player(day)

# %% [markdown]
# ## The release that comes up sick
#
# *Blue/green* means: the new release is started beside the old one, traffic is moved over, and the old one is kept
# until the new one has proven itself. The way back is short, as long as somebody takes it. The last stage says that
# the pipeline itself does: `onFailure` is `ROLLBACK`. Predict: the health check of the second release fails.
# What do customers see afterwards?

# %%
sick = ps.load_profile("""
arrivals = { list = ["0h", "3h"] }
actions."Production/BlueGreen".duration = "18m"
actions."Production/HealthCheck" = { duration = "1m", fails_on = [2], message = "503 Service Unavailable" }
approvals."*".response = "10m"
""")
night = ps.simulate(shop, sick, seed=1)
ps.timeline(night)

# %%
ps.executions_table(night)[["execution", "type", "status", "stage", "ending"]]

# %% [markdown]
# `E3` is nobody's change. It deploys the artifact of `E1` again, and it passes through `Production` only.
#
# ## In an account
#
# The same declaration in a mocked AWS account: repository, build projects, functions, deployment groups, bucket and
# roles are made, and the pipeline runs until it needs somebody from outside.

# %%
cloud = ps.Cloud(seed=1).open()
cloud.provision(shop)
cloud.run_until_idle()
codepipeline = cloud.client("codepipeline")


# %%
def where():
    stages = codepipeline.get_pipeline_state(name="e-commerce")["stageStates"]
    return {stage["stageName"]: stage.get("latestExecution", {}).get("status") for stage in stages}


where()

# %% [markdown]
# It waits for the load test. The vendor is no AWS service: its *job worker* asks for jobs, and reports back. Today you
# are the vendor.

# %%
kind = {"category": "Test", "owner": "Custom", "provider": "BlazeMeter", "version": "1"}
job = codepipeline.poll_for_jobs(actionTypeId=kind, maxBatchSize=1)["jobs"][0]
codepipeline.acknowledge_job(jobId=job["id"], nonce=job["nonce"])
cloud.advance(minutes=20)
report = {"externalExecutionId": "run-1", "summary": "500 users, 95 % of the answers within 620 ms"}
codepipeline.put_job_success_result(jobId=job["id"], executionDetails=report)
cloud.run_until_idle()
where()

# %% [markdown]
# And now you are the stakeholder.

# %%
asked = codepipeline.get_pipeline_state(name="e-commerce")["stageStates"][5]["actionStates"][0]
verdict = {"status": "Approved", "summary": "620 ms is fine"}
here = {"pipelineName": "e-commerce", "stageName": "Approval", "actionName": "Stakeholders"}
codepipeline.put_approval_result(**here, token=asked["latestExecution"]["token"], result=verdict)
cloud.run_until_idle()
where()

# %% [markdown]
# Everything that was handed on lies in the artifact bucket, with a key for each execution.

# %%
bucket = codepipeline.get_pipeline(name="e-commerce")["pipeline"]["artifactStore"]["location"]
[each["Key"] for each in cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
slowest_test = ""  # which test decides when the stage Test of `one` is over?
not_run_again = []  # which stages did the rollback E3 of `night` not pass through?
tests = ps.spans_table(one).query("level == 'action' and stage == 'Test'").set_index("action")["duration_s"]
skipped = {stage.name for stage in shop.stages} - {event.stage for event in night if event.execution == "E3"}
print("1:", "right" if slowest_test == tests.idxmax() else "not yet: look at the three bars of that stage")
print("2:", "right" if set(not_run_again) == skipped else "not yet: in which stages is there an event of E3?")

# %% [markdown]
# ## Summary
#
# - Each stage answers one question: does it hold, does it fit, does it start, is it fast enough, do we want it?
# - Side by side, only the slowest counts. Making another one faster wins nothing.
# - On a busy day most changes are superseded; the newest one carries them all.
# - Blue/green makes the way back short; `onFailure` makes it automatic.
# - Outside vendors poll for jobs; the pipeline waits until they report.
#
# ## Exercises
#
# **1. Through seven stages.** Every action takes a fixed time here. After how many minutes since the push are the
# stakeholders asked, and after how many do customers have the change? The answer takes `walk.answer` minutes.

# %%
walk = ps.classroom.case("15-1")
walk.minutes, walk.answer

# %% tags=["exercise:15-1"]
trace = ps.simulate(walk.pipeline, walk.profile, seed=1)
times = {event.kind: event.time / 60 for event in trace}
answer_1 = (times["ApprovalRequested"], times["ExecutionSucceeded"])

# %% tags=["check:15-1"]
ps.classroom.check("15-1", answer_1)

# %% [markdown]
# **2. Where is the bottleneck?** You may make one action twice as fast. Which one wins most, and how many minutes?

# %%
neck = ps.classroom.case("15-2")
ps.timeline(ps.simulate(neck.pipeline, neck.profile, seed=1), by="stage")

# %% tags=["exercise:15-2"]
start = ps.edit.Scenario(neck.pipeline, neck.profile)
halved = {name: ps.edit.scale_duration(name, 0.5)(start).assumptions for name in neck.minutes}
ends = {name: ps.simulate(neck.pipeline, profile, seed=1).end for name, profile in halved.items()}
best = min(ends, key=ends.get)
answer_2 = (best, (ps.simulate(neck.pipeline, neck.profile, seed=1).end - ends[best]) / 60)

# %% tags=["check:15-2"]
ps.classroom.check("15-2", answer_2)

# %% [markdown]
# **3. A sick release.** Somebody simplified the stage `Production`. One of three releases is sick: see what becomes of
# it. Repair the pipeline, so that the health is checked when the release is out, and customers get the last good
# one back.

# %%
release = ps.classroom.case("15-3")
ps.timeline(ps.simulate(release.pipeline, release.profile, seed=1))

# %% tags=["exercise:15-3"]
document = release.pipeline.to_document()
production = document["stages"][-1]
production["actions"][1]["runOrder"] = 2
production["onFailure"] = {"result": "ROLLBACK"}
answer_3 = document

# %% tags=["check:15-3"]
ps.classroom.check("15-3", answer_3)

# %% [markdown]
# **4. Three offers.** There is money for one change. Compare all three with `n=60, days=10, seed=1`, and answer with
# the name of the one that shortens the mean lead time most, and by how many minutes.

# %%
offers = ps.classroom.case("15-4")
list(offers.changes)

# %% tags=["exercise:15-4"]
found = ps.compare((offers.pipeline, offers.profile), offers.changes, n=60, days=10, seed=1)
gains = {name: found.difference(name, "lead_time").estimate for name in offers.changes}
sure = {name: gain for name, gain in gains.items() if gain == gain}  # what is unstable is no number
best = min(sure, key=sure.get)
answer_4 = (best, -sure[best] / 60)

# %% tags=["check:15-4"]
ps.classroom.check("15-4", answer_4)

# %% [markdown]
# ## In practice
#
# - A rollback by the pipeline and one by CodeDeploy are two things. CodeDeploy can go back by itself while it deploys,
#   or on an alarm; the pipeline goes back when its stage has failed. Many teams have both.
# - Databases do not go back. Make changes of the schema that both releases can live with.
# - Load test vendors offer the connection as an action type of their own; before the first run it is connected in the
#   console. Here it is a custom action type of the same name.
# - A security scan that fails the build needs a rule for exceptions, or people will learn to ignore it.
# - The durations are assumptions of this course: put in those of your own pipeline (lesson 20).
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Integrations with CodePipeline action types", "Create and add a custom action in
#   CodePipeline", "Configure stage rollback".
# - *AWS CodeDeploy User Guide*: "Overview of a blue/green deployment", "Redeploy and roll back a deployment".
#
# Next: [Run a startup on four stages](16_startup.ipynb).
