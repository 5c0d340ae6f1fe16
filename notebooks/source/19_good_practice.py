# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Measure what good practice is worth
#
# ## What you'll do
#
# Take seven pieces of advice that everybody gives, and find out with a simulation what each of them wins.
#
# ## What you'll learn
#
# After this notebook you can
#
# - order tests so that bad news come early, and say what it saves,
# - weigh running side by side against paying for it,
# - compare ways back from a bad release in minutes,
# - write a policy that allows a pipeline what it needs and nothing else,
# - say what encryption and the audit trail give you, and where to look.
#
# ## What you'll need
#
# Lessons 3, 9, 11 and 20. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## 1 Fail fast
#
# Most bad changes are found by cheap checks: a linter, a compiler, a unit test. If they stand behind the slow tests,
# their news come late, and the slow tests were run for nothing. Predict: how much earlier does a bad change fail, if
# the quick check comes first?

# %%
slow_first = ps.load("GitHub → CodeBuild → [Integration Tests → Unit Tests] (Test) → S3")
quick_first = ps.load("GitHub → CodeBuild → [Unit Tests → Integration Tests] (Test) → S3")
habits = ps.load_profile("""
arrivals = { every = "2h" }
actions."Build/CodeBuild".duration = "3m"
actions.UnitTest = { duration = "4m", fails = 0.25 }
actions.IntegrationTest = { duration = "20m", fails = 0.05 }
""")

# %%
weeks = {
    "slow first": ps.simulate(slow_first, habits, executions=200, seed=1),
    "quick first": ps.simulate(quick_first, habits, executions=200, seed=1),
}
tables = {name: ps.executions_table(trace) for name, trace in weeks.items()}
{name: f"{t[t['status'] == 'Failed']['lead_time_s'].mean() / 60:.0f} minutes" for name, t in tables.items()}

# %% [markdown]
# The same tests, the same mistakes, and the news come three times as early. Good changes take as long as before.
# Money follows: what is never started costs nothing.

# %%
{name: f"{table['working_s'].sum() / 3600:.0f} hours of work" for name, table in tables.items()}

# %% [markdown]
# ## 2 Side by side
#
# Running independent actions at once shortens the stage to its slowest action. The gain is a number with an interval;
# so is the price.

# %%
team = ps.load("GitHub → CodeBuild → [Unit Tests → Integration Tests] (Test) → Manual Approval → CodeDeploy")
ps.compare((team, habits), {"side by side": ps.edit.parallelise("Test")}, n=60, days=20, seed=1)

# %% [markdown]
# Fail fast and side by side pull in different directions: at once, the slow test has begun before the quick one fails.
# Which is better depends on how often changes are bad. You can tell now, instead of arguing.
#
# ## 3 Environments, one after the other
#
# A change that is wrong should be found where no customer sees it. The enterprise pipeline of lesson 17 has three
# environments in a row. Count where its changes fail:

# %%
enterprise = ps.load(ps.sample("enterprise"))
life = ps.simulate(enterprise, ps.load_profile(ps.sample_profile("enterprise")), executions=100, seed=2)
ps.executions_table(life).query("status == 'Failed'")["stage"].value_counts()

# %% [markdown]
# ## 4 A way back
#
# There is always another bad release. The question is how long it stays out there. A rollback of the stage needs no
# build and no test, because the artifact of the last good release is still in the bucket.

# %%
ps.draw(ps.load(ps.sample("rollback")))

# %% [markdown]
# ## 5 Least privilege
#
# The role of a pipeline is the most interesting target in the account: it can deploy. Here is what `provision` gives
# to the role of a small pipeline, and not a permission more.

# %%
cloud = ps.Cloud(seed=1).open()
record = cloud.provision(ps.load("S3 → CodeBuild → S3"))
cloud.run_until_idle()
iam, role = cloud.client("iam"), record.pipeline.role_arn.split("/")[-1]
[one["Action"] for one in iam.get_role_policy(RoleName=role, PolicyName="pipesim")["PolicyDocument"]["Statement"]]

# %% [markdown]
# Take the build away, and the pipeline says what it misses, in the service's words. That is how a permission error
# looks, and it names what to add.

# %%
iam.delete_role_policy(RoleName=role, PolicyName="pipesim")
codepipeline = cloud.client("codepipeline")
codepipeline.start_pipeline_execution(name=record.name)
cloud.run_until_idle()
failed = codepipeline.list_action_executions(pipelineName=record.name)["actionExecutionDetails"][0]
print(failed["output"]["executionResult"]["externalExecutionSummary"])

# %% [markdown]
# ## 6 Encryption
#
# Artifacts hold your source code, and sometimes more. The bucket encrypts them at rest; on the way, every call is TLS.
# A key of your own adds a second lock: whoever may read the bucket, but not use the key, sees nothing.

# %%
bucket = record.pipeline.artifact_store.location
cloud.client("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]

# %%
cloud.close()

# %% [markdown]
# ## 7 An audit trail
#
# Who approved what, and who changed the pipeline? CloudTrail keeps the calls, and the pipeline's own history keeps
# starts, answers and comments. Lesson 13 looks things up there.
#
# The red text is meant to be there: a practice that is only wished for is not one.

# %% tags=["raises-exception"]
ps.edit.parallelise("Tests")(ps.edit.Scenario(team, habits))

# %% [markdown]
# ## With sliders
#
# How often must changes be bad, until fail fast beats side by side? First the picture, then the knobs.

# %%
ps.timeline(ps.simulate(team, habits, executions=4, seed=3))

# %%
ps.widgets.WhatIf(team, habits)

# %% [markdown]
# ## Check yourself

# %%
earlier = ""  # which order tells bad news earlier, "slow first" or "quick first"?
news = {name: table[table["status"] == "Failed"]["lead_time_s"].mean() for name, table in tables.items()}
print("right" if earlier == min(news, key=news.get) else "not yet: compare the two means above")

# %% [markdown]
# ## Summary
#
# - Advice is a hypothesis. A simulation tells what it wins here, for this team.
# - Quick tests first save minutes of people and of machines; side by side saves minutes of the clock.
# - A rollback is the shortest way back, and it has to be there before it is needed.
# - A role should allow what the catalog of actions names, and no star.
#
# ## Exercises
#
# **1. Fail fast.** Change the order of the tests of this pipeline, so that a bad change is told after at most
# `fast.at_most` minutes on average, and the tests take less time in all than before.

# %%
fast = ps.classroom.case("19-1")
fast.pipeline

# %% tags=["exercise:19-1"]
document = fast.pipeline.to_document()
order = {"Lint": 1, "UnitTests": 2, "Integration": 3}
for action in document["stages"][2]["actions"]:
    action["runOrder"] = order[action["name"]]
answer_1 = document

# %% tags=["check:19-1"]
ps.classroom.check("19-1", answer_1)

# %% [markdown]
# **2. The way back.** The second release of this case is bad, and somebody notices it at minute `out.noticed_at`.
# After how many minutes from then on is production good again, with `ps.Rollback("Deploy", out.good)`, and with a
# reverted commit that is sent through (`ps.Start(change="revert")`)? Answer with both numbers.

# %%
out = ps.classroom.case("19-2")
out.pipeline

# %% tags=["exercise:19-2"]
noticed, lengths = ps.minutes(out.noticed_at), []
for command in (ps.Rollback("Deploy", out.good), ps.Start(change="revert")):
    trace = ps.simulate(out.pipeline, out.profile, seed=1, commands=[(noticed, command)])
    lengths.append((trace.end - noticed) / 60)
answer_2 = lengths

# %% tags=["check:19-2"]
ps.classroom.check("19-2", answer_2)

# %% [markdown]
# **3. As little as possible.** Write a policy (a dictionary with `Version` and `Statement`) for the role of this
# pipeline. The check runs the pipeline with your policy alone, and asks what else it would allow.
# If a cloud of yours is still open in this notebook, close it first.

# %%
ps.classroom.case("19-3").pipeline

# %% tags=["exercise:19-3"]
files = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
buckets = ["s3:GetBucketVersioning", "s3:GetBucketAcl", "s3:GetBucketLocation"]
builds = ["codebuild:StartBuild", "codebuild:BatchGetBuilds"]
allow = {"Effect": "Allow", "Action": [*files, *buckets, *builds], "Resource": "*"}
answer_3 = {"Version": "2012-10-17", "Statement": [allow]}

# %% tags=["check:19-3"]
ps.classroom.check("19-3", answer_3)

# %% [markdown]
# **4. Somewhere else first.** This pipeline finds out in production what is wrong with a change. Make one in which no
# change whose smoke test fails has been in production. Keep the names `Production` and `SmokeTest`.

# %%
straight = ps.classroom.case("19-4")
straight.pipeline

# %% tags=["exercise:19-4"]
first = "GitHub -> CodeBuild -> CodeDeploy (Staging)"
answer_4 = f"{first} -> [CodeBuild (SmokeTest)] (Verify) -> CodeDeploy (Production)"

# %% tags=["check:19-4"]
ps.classroom.check("19-4", answer_4)

# %% [markdown]
# ## In practice
#
# - The right order of tests changes as the team learns. Look at it again when the odds have changed.
# - `Resource: "*"` is convenient and too much; name the buckets and projects as soon as they have names.
# - A rollback that was never tried is a hope. Try it on a Tuesday morning.
# - Encryption with a key of your own costs a call of KMS for each artifact, and a permission for each role.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Security in AWS CodePipeline", "CodePipeline best practices and use cases".
# - *AWS Well-Architected Framework*, the pillars of operations and security.
#
# Next: [Decide with numbers, not with a feeling](20_what_if.ipynb).
