# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Find out what is wrong
#
# ## What you'll do
#
# Break one pipeline in five ways, find the cause each time with the means that you would have at work, and heal it.
#
# ## What you'll learn
#
# After this notebook you can
#
# - find the place where a change stands still in one call, and the reason in two,
# - tell a failure from a wait, and see what is being waited for,
# - read a permission error as what it is: the text of the permission that is missing,
# - follow an artifact from the action that made it to the one that wants it,
# - heal first and retry then, and know what a retry keeps.
#
# ## What you'll need
#
# Lessons 3, 9, 11 and 13. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Always the same four questions
#
# *Where* does it stand? *What* does the service say? *Why*, when you look into that service? And after the remedy:
# *does it go on?* Here is the patient, while it is still well.

# %%
cloud = ps.Cloud(seed=1).open()
record = cloud.provision({**ps.load("S3 → CodeBuild → Manual Approval → S3").to_document(), "name": "shop"})
cloud.run_until_idle()
ps.draw(record.pipeline)

# %% [markdown]
# Two small tools: one asks where things stand, one retries a stage that has failed.

# %%
codepipeline = cloud.client("codepipeline")


def where():
    stages = codepipeline.get_pipeline_state(name="shop")["stageStates"]
    return {stage["stageName"]: stage["latestExecution"]["status"] for stage in stages if "latestExecution" in stage}


# %%
def newest():
    return codepipeline.list_action_executions(pipelineName="shop", maxResults=1)["actionExecutionDetails"][0]


def retry(stage):
    which = {"stageName": stage, "pipelineExecutionId": newest()["pipelineExecutionId"]}
    codepipeline.retry_stage_execution(pipelineName="shop", retryMode="FAILED_ACTIONS", **which)
    cloud.run_until_idle()


# %% [markdown]
# ## 1 The approval that nobody saw
#
# "The pipeline hangs since Friday!" Let two days pass, and look.

# %%
cloud.advance(days=2)
where()

# %% [markdown]
# Nothing has failed. A stage that is in progress for days works very hard, or waits for somebody. The state of its
# action says who is asked, and holds the token for the answer.

# %%
approval = codepipeline.get_pipeline_state(name="shop")["stageStates"][2]["actionStates"][0]
token = approval["latestExecution"]["token"]
result = {"summary": "Sorry, I was ill", "status": "Approved"}
place = {"pipelineName": "shop", "stageName": "Approval", "actionName": approval["actionName"]}
codepipeline.put_approval_result(**place, result=result, token=token)
cloud.run_until_idle()
where()

# %% [markdown]
# The remedy for next time is in lesson 13: a message to the one who is asked. After seven days without an answer the
# approval would have failed.
#
# ## 2 The pipeline stops in front of a stage
#
# `cloud.break_` puts a fault into the account, and starts a change that meets it. It does not tell what it has done.
# Predict what `where` shows, if a change cannot get from one stage into the next.

# %%
cloud.break_("transition disabled", "shop", seed=4)
cloud.run_until_idle()
where()

# %% [markdown]
# All green, and no change arrives. The statuses belong to the *last* execution that was inside each stage. What stands
# in front of a stage is told elsewhere: by the door itself.

# %%
stages = codepipeline.get_pipeline_state(name="shop")["stageStates"]
closed = next(stage for stage in stages if not stage["inboundTransitionState"]["enabled"])
closed["stageName"], closed["inboundExecution"]["status"], closed["inboundTransitionState"]["disabledReason"]

# %%
door = {"pipelineName": "shop", "stageName": closed["stageName"], "transitionType": "Inbound"}
codepipeline.enable_stage_transition(**door)
cloud.run_until_idle()
where()

# %% [markdown]
# It has come in, and somebody is asked again. We leave that question open; it does not matter for what follows.
#
# ## 3 A permission is missing
#
# This is the most frequent cause of all. Somebody tidied up a policy.

# %%
cloud.break_("permission", "shop", seed=1)
cloud.run_until_idle()
print(newest()["stageName"], newest()["status"])
print(newest()["output"]["executionResult"]["externalExecutionSummary"])

# %% [markdown]
# Read it slowly: *who* (a role) may not do *what* (an action), on *which* thing. That is a policy statement already;
# write it down, and nothing more than it.

# %%
statement = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "codebuild:StartBuild",
               "Resource": "arn:aws:codebuild:us-east-1:123456789012:project/s3-to-s3-build"}]}"""
role = record.pipeline.role_arn.rsplit("/", 1)[-1]
cloud.client("iam").put_role_policy(RoleName=role, PolicyName="start-builds", PolicyDocument=statement)
retry("Build")
where()

# %% [markdown]
# A retry keeps what was done: the source is not fetched again, only what failed runs once more.
#
# ## 4 The artifact that does not arrive
#
# An action finds its input in the bucket, under a key that the pipeline has noted. Predict: what happens if the object
# is called something else by then?

# %%
cloud.break_("artifact name", "shop", seed=1)
cloud.run_until_idle()
print(newest()["output"]["executionResult"]["externalExecutionSummary"])

# %% [markdown]
# Compare what is wanted with what is there.

# %%
wanted = newest()["input"]["inputArtifacts"][0]["s3location"]
s3 = cloud.client("s3")
there = [one["Key"] for one in s3.list_objects_v2(Bucket=wanted["bucket"])["Contents"]]
print(wanted["key"], *there, sep="\n")

# %%
s3.copy_object(Bucket=wanted["bucket"], Key=wanted["key"], CopySource=f"{wanted['bucket']}/{wanted['key']}.old")
retry("Build")
where()

# %% [markdown]
# Who renamed it? CloudTrail would know, if object calls are recorded (lesson 13). If the object were gone for good, a
# new execution would make a new one.
#
# ## 5 The quota
#
# Half an hour later, another change. Predict the status of its build, if all sixty places for builds are taken.

# %%
crowd = cloud.break_("quota exhausted", "shop", seed=1)
cloud.advance(minutes=30)
where()

# %% [markdown]
# In progress, without an error, and without a log, for nothing has begun. Somebody impatient presses "Retry". The red
# text is meant to be there:

# %% tags=["raises-exception"]
retry("Build")

# %% [markdown]
# What has not failed cannot be retried. `cloud.explain` asks the four questions for you. The real service has no such
# call; it is here to compare with what you found.

# %%
cloud.explain("shop")

# %%
crowd.repair()  # the other teams' builds are done
cloud.run_until_idle()
where()

# %% [markdown]
# ## A desk of your own
#
# One more fault, and this time you are alone. Look at log, roles and artifacts in the widget, ask for hints if you
# must, mend it, and retry. First a picture of where things stand before the fault; in the widget, let time pass first.

# %%
failed = [event for event in record.simulation.trace if event.kind == "ActionFailed"]  # for a question later
ps.board(record.simulation.trace)

# %%
ps.widgets.Troubleshoot(cloud, "shop", fault="bucket policy", seed=2)

# %% [markdown]
# Close the cloud when you are done with the desk; only one can be open at a time.

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
failing = 0  # in how many of the five faults did an action fail?
waiting = 0  # and in how many was something waited for, without any error message?
print("1:", "right" if failing == len(failed) else "not yet: where was there an error message to read?")
print("2:", "right" if waiting == 5 - len(failed) else "not yet: for a person, at a door, for a place")

# %% [markdown]
# ## Summary
#
# - A failed action has a message; a waiting one has none. Look for what is waited for: a person, a door, a place.
# - A permission error contains the statement that is missing. Add that, and no star.
# - Statuses of stages are about who was inside last, not about who stands outside.
# - Heal the cause first. A retry only repeats, and it keeps what had succeeded.
#
# ## Exercises
#
# **1. What is it?** `lab.happens` breaks pipeline `lab.name` in your cloud. In which stage does the newest execution
# stand or fail, and what is the cause? `lab.causes` has the words to choose from. Try it without `explain` first.

# %%
lab = ps.classroom.case("14-1")
cloud = ps.Cloud(seed=1).open()
lab.happens(cloud)
lab.causes

# %% tags=["exercise:14-1"]
found = cloud.explain(lab.name)
answer_1 = (found.stage, str(found.cause))

# %% tags=["check:14-1"]
ps.classroom.check("14-1", answer_1)

# %% [markdown]
# **2. Heal it.** Put it right in your cloud, and let a change go through. Give your cloud as the answer: the check
# sends one more change through it. Do not touch the pipeline itself. You may need these clients:

# %%
codepipeline, iam, s3, kms = (cloud.client(name) for name in ("codepipeline", "iam", "s3", "kms"))
bucket, role = lab.bucket, lab.role

# %% tags=["exercise:14-2"]
door = {"pipelineName": lab.name, "stageName": found.stage, "transitionType": "Inbound"}
remedies = {
    "transition disabled": lambda: codepipeline.enable_stage_transition(**door),
    "bucket policy": lambda: s3.delete_bucket_policy(Bucket=bucket),
    "KMS key": lambda: [kms.enable_key(KeyId=key["KeyId"]) for key in kms.list_keys()["Keys"]],
    "permission": lambda: iam.put_role_policy(RoleName=role, PolicyName="mended", PolicyDocument=statement),
}
remedies[found.cause]()
codepipeline.start_pipeline_execution(name=lab.name)
answer_2 = cloud

# %% tags=["check:14-2"]
ps.classroom.check("14-2", answer_2)

# %%
cloud.close()

# %% [markdown]
# **3. One message after the other.** The role of pipeline `lost.name` has lost more than one permission. You see the
# second message only when the first is mended. Find out what is missing, and answer with one policy that gives it
# back: no more actions than that, and only on the things that the messages name. The check uses a cloud of its own.

# %%
lost = ps.classroom.case("14-3")
cloud = ps.Cloud(seed=1).open()
lost.happens(cloud)
codepipeline, iam = cloud.client("codepipeline"), cloud.client("iam")
action = codepipeline.list_action_executions(pipelineName=lost.name)["actionExecutionDetails"][0]
print(action["output"]["executionResult"]["externalExecutionSummary"])

# %% tags=["exercise:14-3"]
statements = []
while (found := cloud.explain(lost.name)).cause == "permission":
    document = found.command.partition("--policy-document '")[2].rstrip("'")
    iam.put_role_policy(RoleName=lost.role, PolicyName=f"more-{len(statements)}", PolicyDocument=document)
    _, _, refused = found.evidence[0].partition(" was refused ")
    statements.append({"Effect": "Allow", "Action": refused.split(" on ")[0], "Resource": refused.split(" on ")[1]})
    codepipeline.start_pipeline_execution(name=lost.name)
    cloud.run_until_idle()
answer_3 = {"Version": "2012-10-17", "Statement": statements}

# %%
cloud.close()

# %% tags=["check:14-3"]
ps.classroom.check("14-3", answer_3)

# %% [markdown]
# ## In practice
#
# - The console shows the same message under "View details", with a link into the other service. Follow it.
# - Policies take some seconds until they are in force everywhere; a retry at once may still fail. Here they do not.
# - How a build waits for a place depends on CodeBuild: it queues, and gives up after the project's queued time-out.
#   That the sixty places belong to all projects together is simplified here.
# - Artifacts that "vanish" were mostly removed by a lifecycle rule of the bucket.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Troubleshooting CodePipeline", "Configure stage retry for a failed stage or failed
#   actions", "Enable or disable transitions".
# - *AWS Identity and Access Management User Guide*: "Troubleshoot access denied error messages".
#
# Next: [Ship a shop, from push to production](15_e_commerce.ipynb).
