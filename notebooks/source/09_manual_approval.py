# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Put a person in the way, on purpose
#
# ## What you'll do
#
# Let a person decide what goes to production, first in a simulation and then in a mocked AWS account,
# and fall into a trap that has cost real teams real releases.
#
# ## What you'll learn
#
# After this notebook you can
#
# - say what a manual approval does, who may answer it, and what happens when nobody does,
# - place approvals where they protect something, and keep them from becoming the bottleneck,
# - answer one as a stakeholder would: by the API, with a comment that stays in the record,
# - recognise and mend the trap of approval and deployment with the same `runOrder`.
#
# ## What you'll need
#
# Lessons 1 and 2. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## What an approval is for
#
# Some decisions should not be left to a machine: is the wording right, may we sell this in that country, does the
# auditor want to see who released it? A manual approval holds one change until somebody with the permission says yes
# or no. *Where* it stands decides what it protects: in front of production it is a gate, behind production it is a
# formality.

# %%
pipeline = ps.load("GitHub → CodeBuild → Manual Approval → Elastic Beanstalk")
pipeline

# %% [markdown]
# ## Predict, then run
#
# The approver works from nine to five and needs an hour for an answer. A change asks at 16:40. When does it go on?

# %%
office = ps.load_profile("""
start = 2026-03-03T16:37:00Z
actions."Build/CodeBuild".duration = "3m"
approvals."*" = { response = "1h", hours = "Mon-Fri 09:00-17:00", time_zone = "UTC", name = "the product owner" }
""")
evening = ps.simulate(pipeline, office, seed=1)
ps.timeline(evening)

# %% [markdown]
# The next morning at twenty to ten. Sixteen of those seventeen hours nobody was there. This is what a *profile* is
# good for: the declaration knows nothing of office hours.
#
# ## Yes, no, nothing
#
# Three things can happen. Predict for each how the execution ends.

# %%
nobody = ps.Assumptions(approvals={"*": ps.Approver()})
answers = {"yes": [(ps.hours(1), ps.Approve("Approval"))], "no": [(ps.hours(1), ps.Reject("Approval", summary="typo"))]}
traces = {word: ps.simulate(pipeline, nobody, seed=1, commands=sent) for word, sent in answers.items()}
traces["nothing"] = ps.simulate(pipeline, nobody, seed=1)
{word: ps.executions_table(trace)["ending"][0] for word, trace in traces.items()}

# %% [markdown]
# A rejection fails the action, and so the stage and the execution. No answer at all does the same after seven days;
# V2 pipelines may set a time-out of their own, in minutes, as this sample does:

# %%
ps.load(ps.sample("approval")).stage("Approval").actions[0].timeout_in_minutes

# %% [markdown]
# Neither is lost: a failed approval can be retried (lesson 11). What the record keeps is in the events.

# %%
ps.events_table(traces["no"]).tail(4)[["time_s", "text"]]

# %% [markdown]
# ## As a stakeholder sees it
#
# Now in a mocked AWS account. Time stands still there until you let it pass, and the API is the real one: what
# you write here works in boto3 against AWS as well. `provision` makes everything that the pipeline needs.

# %%
cloud = ps.Cloud(seed=1).open()
cloud.provision(ps.load("S3 → Manual Approval → S3"))
cloud.run_until_idle()
codepipeline = cloud.client("codepipeline")
name = codepipeline.list_pipelines()["pipelines"][0]["name"]

# %% [markdown]
# Somebody is asked now. Whoever answers has to hand over the *token* of this very question: an answer to yesterday's
# question is refused.

# %%
stage = codepipeline.get_pipeline_state(name=name)["stageStates"][1]
token = stage["actionStates"][0]["latestExecution"]["token"]
stage["actionStates"][0]["latestExecution"]["status"], token[:8] + "…"

# %%
where = {"pipelineName": name, "stageName": "Approval", "actionName": "ManualApproval"}
verdict = {"summary": "Looks good to me", "status": "Approved"}
codepipeline.put_approval_result(**where, result=verdict, token=token)["approvedAt"]

# %%
cloud.run_until_idle()
[stage["latestExecution"]["status"] for stage in codepipeline.get_pipeline_state(name=name)["stageStates"]]

# %% [markdown]
# The red text is meant to be there: a second answer with the same token.

# %% tags=["raises-exception"]
codepipeline.put_approval_result(**where, result=verdict, token=token)

# %%
cloud.close()

# %% [markdown]
# ## The trap
#
# This pipeline was meant to ask before it deploys. Look at the picture, and predict: when does the deployment start,
# if the answer comes after an hour? And what, if the answer is no?

# %%
trap = ps.load("GitHub → CodeBuild → [Manual Approval | Elastic Beanstalk] (Production)")
trap

# %%
rejected = ps.simulate(trap, nobody, seed=1, commands=[(ps.hours(1), ps.Reject("Production"))])
ps.timeline(rejected, by="stage")

# %% [markdown]
# It was deployed long before anybody said no. Approval and deployment have the same `runOrder`, so they start
# together: the question is asked *while* the change goes out. The service accepts this, since it is a legal pipeline.
#
# ## The price of a gate
#
# Changes pile up in front of a person. The player shows it best: let it run, and watch the waiting places.

# %%
busy = ps.load_profile("""
arrivals = { every = "15m" }
actions."Build/CodeBuild".duration = "5m"
approvals."*" = { response = "40m" }
""")
day = ps.simulate(pipeline, busy, executions=8, seed=1)
ps.timeline(day)

# %%
ps.widgets.Player(day)

# %% [markdown]
# ## Check yourself

# %%
shipped = 0  # how many of the eight changes were deployed?
asked = 0  # and how often was the approver asked?
table = ps.executions_table(day)
print(
    "1:",
    "right" if shipped == (table["status"] == "Succeeded").sum() else "not yet: count the lanes that reach the end",
)
questions = [event for event in day if event.kind == "ActionStarted" and event.stage == "Approval"]
print("2:", "right" if asked == len(questions) else "not yet: superseded changes were never asked about")

# %% [markdown]
# ## Summary
#
# - An approval holds one change until somebody answers, with a token that belongs to the question.
# - No answer is a no, after seven days or after the action's own time-out.
# - The gate protects what comes *after* it. With the same `runOrder` nothing comes after it.
# - A gate has a price: waiting. Most changes in front of a slow gate are overtaken.
#
# ## Exercises
#
# **1. When does the answer come?** It is Friday. The change asks at the time shown. The approver needs so many
# working hours, and works from Monday to Friday, nine to five. How many hours pass until the answer?

# %%
friday = ps.classroom.case("09-1")
friday.asked, friday.work_hours

# %% tags=["exercise:09-1"]
trace = ps.simulate(friday.pipeline, friday.profile, seed=1)
approval = ps.spans_table(trace).query("level == 'action' and stage == 'Approval'")
answer_1 = approval["duration_s"].iloc[0] / 3600

# %% tags=["check:09-1"]
ps.classroom.check("09-1", answer_1)

# %% [markdown]
# **2. Mend the trap.** Change this pipeline so that nothing is deployed before somebody said yes, nothing at all
# after a no, and no other change can slip in between the yes and the deployment. Answer with the declaration:
# `to_document()` of the pipeline, with your changes.

# %%
ps.classroom.case("09-2").pipeline

# %% tags=["exercise:09-2"]
document = ps.classroom.case("09-2").pipeline.to_document()
document["stages"][2]["actions"][1]["runOrder"] = 2
answer_2 = document

# %% tags=["check:09-2"]
ps.classroom.check("09-2", answer_2)

# %% [markdown]
# **3. A gate with a time-out.** The approver should read `gate.says`, the topic `gate.topic` should get a message, and
# without an answer the gate should give up after `gate.hours` hours. Change `gate.pipeline` accordingly, and answer
# with its declaration.

# %%
gate = ps.classroom.case("09-3")
gate.says, gate.topic, gate.hours

# %% tags=["exercise:09-3"]
document = gate.pipeline.to_document()
document["pipelineType"] = "V2"
action = document["stages"][2]["actions"][0]
action["configuration"] = {"CustomData": gate.says, "NotificationArn": gate.topic}
action["timeoutInMinutes"] = gate.hours * 60
answer_3 = document

# %% tags=["check:09-3"]
ps.classroom.check("09-3", answer_3)

# %% [markdown]
# **4. Two designs.** In `two.own_stage` the approval has a stage of its own, in `two.one_stage` it shares the stage
# with the deployment. Simulate both with `two.profile` for `two.hours` hours (`until=ps.hours(two.hours)`, seed 1).
# How many changes were approved and yet overtaken before they were deployed? Answer with two things: the name of the
# better design as text, and the number of approvals in vain that it spares.

# %%
two = ps.classroom.case("09-4")

# %% tags=["exercise:09-4"]
vain = {}
for design in ("own_stage", "one_stage"):
    trace = ps.simulate(two[design], two.profile, seed=1, until=ps.hours(two.hours))
    approved = {e.execution for e in trace if e.kind == "ActionSucceeded" and e.action == "ManualApproval"}
    vain[design] = sum(e.kind == "ExecutionSuperseded" and e.execution in approved for e in trace)
answer_4 = (min(vain, key=vain.get), abs(vain["own_stage"] - vain["one_stage"]))

# %% tags=["check:09-4"]
ps.classroom.check("09-4", answer_4)

# %% [markdown]
# ## In practice
#
# - Give the permission `codepipeline:PutApprovalResult` to few, and for single actions: it is what an auditor asks for.
# - Nobody looks at a console all day. `NotificationArn` sends a message with the link, lesson 13 has more.
# - The measure to watch is the approvals in vain: each of them cost a person's attention for nothing (lesson 20).
# - The answer takes a moment to show, here as there: the service looks again after about half a minute. This was
#   measured by others and is assumed here.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Add a manual approval action to a stage", "Approve or reject an approval action",
#   "Grant approval permissions to an IAM user".
#
# Next: [Watch a newer change overtake an older one](10_many_changes.ipynb).
