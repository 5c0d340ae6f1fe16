# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Run a startup on four stages
#
# ## What you'll do
#
# Take the smallest pipeline that is fit for real users, live with it for a week, run it in a mocked AWS account, and
# help it to grow up.
#
# ## What you'll learn
#
# After this notebook you can
#
# - explain a whole pipeline, stage by stage, and say what each of them costs,
# - find out what holds a small team back, and prove it,
# - follow one change through real builds, a real question and a real deployment,
# - answer an approval with a program.
#
# ## What you'll need
#
# Lessons 3, 9 and 10; lesson 20 helps. No AWS account. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Three developers and a founder
#
# They have no operations team and no wish for one. GitHub keeps the code, CodeBuild builds it, the founder has a last
# look, Elastic Beanstalk runs it. Nothing of it is a server that somebody has to patch.

# %%
startup = ps.load(ps.sample("startup"))
ps.draw(startup, artifacts=True)

# %% [markdown]
# Four stages, one action each, one artifact from each machine to the next. What the founder reads, and who is told:

# %%
startup.stage("Approval").actions[0].configuration

# %% [markdown]
# How these people work is an assumption, written down in a profile: six changes on a working day, one build in ten
# fails, half of the answers come within forty minutes of working time. `ps.to_toml` writes a profile as its file.

# %%
habits = ps.load_profile(ps.sample_profile("startup"))
print(ps.to_toml(habits))

# %% [markdown]
# ## Predict, then run: a week
#
# Before the next cell: of about forty changes, how many are deployed? What becomes of the others? How long does a
# change take that gets there, in the mean?

# %%
week = ps.simulate(startup, habits, seed=1, until=ps.days(5))
table = ps.executions_table(week)
table["ending"].str.split(" ").str[0].value_counts()

# %%
shipped = table[table["status"] == "Succeeded"]
(shipped[["lead_time_s", "working_s", "waiting_approval_s"]].mean() / 60).round(1)

# %% [markdown]
# About half. Few are lost for good: those that were superseded went out with the change that overtook them. Of two
# hours on the way, computers work for eight minutes; the rest of the time a change waits for the founder, or for the
# change that waits for the founder. The first day as a picture:

# %%
ps.timeline(ps.simulate(startup, habits, seed=1, until=ps.days(1)))

# %% [markdown]
# ## What it costs
#
# The bill of that week, with the builds. A pipeline of type V1 has one price a month, one of type V2 is paid by the
# minute of its actions, and a person who thinks costs nothing.

# %%
print(ps.cost(week))

# %% [markdown]
# ## What would help?
#
# Three proposals from a meeting. Predict which of them brings the mean lead time down, and which ships more.

# %%
proposals = {
    "a faster build machine": ps.edit.duration("Build/CodeBuild", ps.minutes(1.5)),
    "the founder answers in ten minutes": ps.edit.approver_response("Approval/Founder", ps.minutes(10)),
    "a queue": ps.edit.execution_mode("QUEUED"),
}
meeting = ps.compare((startup, habits), proposals, n=60, days=20, seed=1)
meeting

# %% [markdown]
# The machine wins two minutes, which nobody will notice. The founder with a phone wins two hours for nothing. With a
# queue no change is lost, and everybody stands in it: more deployments, each of them hours later.
#
# The red text is meant to be there: a profile that speaks of somebody who is not in the pipeline is not ignored.

# %% tags=["raises-exception"]
ps.simulate(startup, ps.load_profile('approvals."Approval/Fouder".response = "10m"'), seed=1)

# %% [markdown]
# ## For real
#
# Now in a mocked account. `provision` makes the connection to GitHub with a repository, the build project, the topic,
# the application with its environment, and a role that may do just this. Then the pipeline starts.

# %%
cloud = ps.Cloud(seed=1).open()
record = cloud.provision(startup)
cloud.run_until_idle()
cloud.explain("startup")

# %% [markdown]
# Source and build are done: the build really ran its commands. Now it waits for a person. The board shows it as the
# console would; below it is the founder's inbox. You can answer there, or run the next cells.

# %%
ps.board(record.simulation.trace, at=cloud.time)

# %%
ps.widgets.Approvals(cloud)

# %% [markdown]
# Thirty-five minutes later the founder has time, and a program answers instead of a click. If you have already
# clicked, there is nothing left to answer, and the cell leaves it at that.

# %%
cloud.advance(minutes=35)
codepipeline = cloud.client("codepipeline")
founder = codepipeline.get_pipeline_state(name="startup")["stageStates"][2]["actionStates"][0]["latestExecution"]
where = {"pipelineName": "startup", "stageName": "Approval", "actionName": "Founder"}
if founder["status"] == "InProgress":
    verdict = {"summary": "Looks good on my phone", "status": "Approved"}
    codepipeline.put_approval_result(**where, token=founder["token"], result=verdict)
cloud.run_until_idle()

# %%
beanstalk = cloud.client("elasticbeanstalk").describe_environments()["Environments"][0]
beanstalk["EnvironmentName"], beanstalk["Status"], beanstalk["Health"], beanstalk["VersionLabel"][:14]

# %% [markdown]
# It is live. Which bytes? The version of the application is the artifact of the build, under its key in the bucket
# (lesson 3). And the history keeps who let it through, and why.

# %%
version = cloud.client("elasticbeanstalk").describe_application_versions()["ApplicationVersions"][0]
version["SourceBundle"]["S3Key"]

# %%
for action in codepipeline.list_action_executions(pipelineName="startup")["actionExecutionDetails"]:
    result = action["output"].get("executionResult", {})
    print(action["stageName"], action["status"], result.get("externalExecutionSummary", ""))

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
helps_most = ""  # which proposal brought the mean lead time down most?
lost_for_good = 0  # how many changes of the week were rejected by the founder?
best = min(proposals, key=lambda name: meeting.difference(name, "lead_time").estimate)
print("1:", "right" if helps_most == best else "not yet: compare the rows `lead time`")
rejected = table["ending"].str.startswith("rejected").sum()
print("2:", "right" if lost_for_good == rejected else "not yet: read the column `ending` of the table")

# %% [markdown]
# ## Summary
#
# - Four stages of managed services are enough to build, look at and deploy every change in the same way.
# - The approval is the cheapest control there is, and the dearest in time. Who gives it, decides the lead time.
# - A faster machine does not help where a person is the bottleneck.
# - What was asked, who answered and what was deployed stays in the history.
#
# ## Exercises
#
# Only one mocked account can be open at a time. `check` opens its own for exercise 4: close yours first.
#
# **1. How many reach the users?** `busy.changes` changes come at a fixed gap; the founder needs the same time for each
# answer. How many of them are deployed? Predict with pencil and paper, then simulate (seed 1).

# %%
busy = ps.classroom.case("16-1")
busy.changes, busy.gap_minutes, busy.founder_minutes

# %% tags=["exercise:16-1"]
afternoon = ps.simulate(busy.pipeline, busy.profile, seed=1)
answer_1 = int((ps.executions_table(afternoon)["status"] == "Succeeded").sum())

# %% tags=["check:16-1"]
ps.classroom.check("16-1", answer_1)

# %% [markdown]
# **2. Ship more, wait no longer.** Another startup, with other habits. Which of the four changes ships the most without
# making the mean lead time longer, and how many more changes does it ship in 20 days? Use `n=60, days=20, seed=1`.

# %%
other = ps.classroom.case("16-2")
list(other.changes)

# %% tags=["exercise:16-2"]
sides = ps.compare((other.pipeline, other.profile), other.changes, n=60, days=20, seed=1)
slower = {"a queue"}  # the row `lead time` is longer, or unstable
more = {name: sides.difference(name, "shipped").estimate for name in other.changes if name not in slower}
best = max(more, key=more.get)
answer_2 = (best, more[best])

# %% tags=["check:16-2"]
ps.classroom.check("16-2", answer_2)

# %% [markdown]
# **3. The startup grows up.** Change `young.pipeline`: tests run before anybody is asked, and when they fail nobody is
# asked; the founder reads the id of the commit in the question; and a question without an answer fails after
# `young.hours` hours.

# %%
young = ps.classroom.case("16-3")
young.hours

# %% tags=["exercise:16-3"]
document = young.pipeline.to_document()
document["stages"][0]["actions"][0]["namespace"] = "SourceVariables"
build, founder = document["stages"][1]["actions"], document["stages"][2]["actions"][0]
kind = build[0]["actionTypeId"] | {"category": "Test"}
build.append(build[0] | {"name": "Tests", "actionTypeId": kind, "outputArtifacts": []})
founder["configuration"]["CustomData"] = "Ready for our users? #{SourceVariables.CommitId}"
founder["timeoutInMinutes"] = young.hours * 60
answer_3 = document

# %% tags=["check:16-3"]
ps.classroom.check("16-3", answer_3)

# %% [markdown]
# **4. Answer through the API.** Write a function `answer(codepipeline, name)` that approves the open question of the
# founder in the pipeline `name`, with the comment `wanted.summary`. When no question is open it should do nothing.
# Hand over the function itself.

# %%
wanted = ps.classroom.case("16-4")
wanted.summary


# %% tags=["exercise:16-4"]
def answer(codepipeline, name):
    stage = codepipeline.get_pipeline_state(name=name)["stageStates"][2]
    latest = stage["actionStates"][0].get("latestExecution", {})
    if latest.get("status") == "InProgress":
        place = {"pipelineName": name, "stageName": "Approval", "actionName": "Founder", "token": latest["token"]}
        codepipeline.put_approval_result(**place, result={"summary": wanted.summary, "status": "Approved"})


answer_4 = answer

# %% tags=["check:16-4"]
ps.classroom.check("16-4", answer_4)

# %% [markdown]
# ## In practice
#
# - The durations are assumptions of this course. Fit them to your own history before you decide (lesson 20).
# - The mocked build runs the commands of the buildspec on your machine; images, caches and networks are not modelled.
# - A program that approves everything is no approval. Let it check something, and give it the permission
#   `codepipeline:PutApprovalResult` for this one action only.
# - A founder on holiday stops the company: two people should be able to say yes.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Approve or reject an approval action", "AWS Elastic Beanstalk deploy action
#   reference", "Pricing" on the product's page for the two pipeline types.
#
# Next: [Two people who must say yes](17_enterprise.ipynb).
