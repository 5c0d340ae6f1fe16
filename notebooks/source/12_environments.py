# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Take a change from development to production
#
# ## What you'll do
#
# Send changes through four environments, give each environment its own settings and its own gate, and make a
# pipeline for each branch from one template.
#
# ## What you'll learn
#
# After this notebook you can
#
# - say what a row of environments is for, and what must be the same in all of them,
# - hand each environment its own values, and tell three kinds of variables apart,
# - ask different people before different environments,
# - make pipelines for branches from one declaration, and know which push starts which.
#
# ## What you'll need
#
# Lessons 2, 4 and 9. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Four environments in a row
#
# Developers look at a change in *development*, machines try it out in *testing*, people who know the product look at
# it in *staging*, customers use *production*. Each one costs money, and each one finds another kind of mistake.

# %%
pipeline = ps.load(ps.sample("environments"))
pipeline

# %% [markdown]
# Two people are asked on the way, and they are not the same: quality assurance before staging, the product owner
# before production. Nobody is asked before development and testing: a question there would cost time and protect
# nothing.
#
# ## Predict, then run
#
# A change comes on Monday at nine in the morning. In which stage will it spend most of its time?

# %%
habits = ps.load_profile(ps.sample_profile("environments"))
one = ps.simulate(pipeline, habits, seed=1, executions=1)
ps.timeline(one, by="stage")

# %%
stages = ps.spans_table(one).query("level == 'stage'").set_index("stage")["duration_s"]
(stages / 60).round(1).rename("minutes")

# %% [markdown]
# Most of it is the product owner's time, in `Production`. All machines together need less than an hour.
#
# ## Built once, configured four times
#
# The same package goes to all four environments. What was tested must be what is released, so it is never built again
# on the way. What differs are the *settings*, and they belong to the action that deploys. This cell reads off the
# trace what each deployment was given, after all variables had been filled in.

# %%
deploys = [event for event in one if event.kind == "ActionStarted" and event.action == "Deploy"]
{event.stage: event.detail["configuration"]["ParameterOverrides"] for event in deploys}

# %% [markdown]
# `Environment` is written into each action. `Release` is the commit, the same four times. `LogLevel` is a *pipeline
# variable*: it has a default value, and whoever starts an execution may give another one, for this execution only.
# Predict: which of the four stacks will log more now?

# %%
started = ps.Start(change="c0ffee1", variables={"LogLevel": "debug", "ReleaseName": "spring sale"})
never = ps.Assumptions(approvals=habits.approvals, actions=habits.actions, arrivals=ps.At(()))
loud = ps.simulate(pipeline, never, seed=1, commands=[(0, started)])
given = [event.detail["configuration"] for event in loud if "configuration" in event.detail]
[one["ParameterOverrides"].partition(', "Release"')[0] for one in given if "ParameterOverrides" in one]

# %% [markdown]
# All four: a pipeline variable belongs to the execution, not to an environment. It also reached the question that the
# product owner reads:

# %%
[one["CustomData"] for one in given if "CustomData" in one]

# %% [markdown]
# ## Where values come from
#
# There are three kinds of reference, told apart by what stands before the dot.
#
# | reference | who sets it | when |
# |---|---|---|
# | `#{variables.Target}` | whoever starts the execution, or the default | at the start |
# | `#{SourceVariables.CommitId}`, `#{BuildVariables.IMAGE_TAG}` | an action's *namespace* | when it has succeeded |
# | `#{codepipeline.PipelineExecutionId}` | the service | at the start |
#
# Look at the second kind in another pipeline. Its build puts out a tag; the reviewer is shown it.

# %%
tagged = ps.load(ps.sample("variables"))
tag = ps.load_profile('actions."Build/CodeBuild".variables = { IMAGE_TAG = "shop-4.2" }')
asked = ps.simulate(tagged, tag, seed=1)
next(event.detail["configuration"]["CustomData"] for event in asked if event.action == "Reviewer")

# %% [markdown]
# A reference to something that nobody declared is refused before anything runs. The red text is meant to be there.

# %% tags=["raises-exception"]
document = tagged.to_document()
document["variables"] = [{"name": "Environment", "defaultValue": "staging"}]
ps.simulate(ps.load(document), seed=1)

# %% [markdown]
# ## A few days
#
# Five changes, from Monday on. The second one breaks a regression test. Predict: which environments did it reach, and
# who was asked about it?

# %%
days = ps.simulate(pipeline, habits, seed=1)
ps.timeline(days)

# %%
entered = [(event.stage, event.execution) for event in days if event.kind == "StageEntered"]
{stage.name: [id for name, id in entered if name == stage.name] for stage in pipeline.stages}

# %% [markdown]
# Development and testing saw it, and there it stopped. No person lost a minute on it. The order of the environments is
# an order of cost: machines first, then colleagues, then customers.

# %%
ps.board(days, at=ps.hours(5))

# %% [markdown]
# And now as a film. Watch the two approvals: the places where changes wait.

# %%
ps.widgets.Player(days)

# %% [markdown]
# ## A pipeline for each branch
#
# A source action listens to one branch. Teams that work with several branches have a pipeline for each: short for a
# branch that is only tried out, long for the one that goes to customers. Writing them by hand means that they drift
# apart. This function makes each from one template.

# %%
template = ps.load("GitHub → CodeBuild → Manual Approval → S3")


def for_branch(branch, *, ask):
    document = template.to_document() | {"name": f"portal-{branch}"}
    document["stages"][0]["actions"][0]["configuration"]["BranchName"] = branch
    document["stages"][3]["actions"][0]["configuration"]["BucketName"] = f"portal-{branch}-111122223333"
    document["stages"] = [stage for stage in document["stages"] if ask or stage["name"] != "Approval"]
    return ps.load(document)


# %% [markdown]
# Both are stood up in a mocked AWS account, and somebody pushes to `develop`. Predict: how many executions has each?
# (Creating a pipeline starts it once.)

# %%
cloud = ps.Cloud(seed=1).open()
branches = {"develop": for_branch("develop", ask=False), "main": for_branch("main", ask=True)}
for each in branches.values():
    cloud.provision(each)
cloud.run_until_idle()
repository = cloud.repository("example/github-to-s3")
repository.push({"index.html": "<h1>new</h1>"}, branch="develop", message="New headline")
cloud.run_until_idle()

# %%
listed = cloud.client("codepipeline").list_pipeline_executions
found = {branch: listed(pipelineName=each.name)["pipelineExecutionSummaries"] for branch, each in branches.items()}
{branch: [(one["trigger"]["triggerType"], one["status"]) for one in runs] for branch, runs in found.items()}

# %% [markdown]
# The push went to the bucket of `develop` and nowhere else. `main` still waits for somebody's yes to its first run.

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
reached = []  # in which stages was the second change of `days`, in order? ["Source", …]
belongs_to = ""  # does a pipeline variable belong to an "execution", a "stage" or an "environment"?
print("1:", "right" if reached == [name for name, id in entered if id == "E2"] else "not yet: look for E2 above")
loud_stacks = sum('"LogLevel": "debug"' in one.get("ParameterOverrides", "") for one in given)
print("2:", "right" if belongs_to == "execution" and loud_stacks == 4 else "not yet: all four stacks got the same")

# %% [markdown]
# ## Summary
#
# - Environments stand in the order of what a mistake would cost there.
# - Build once, deploy the same artifact everywhere, and hand each environment its own settings.
# - Pipeline variables belong to an execution; output variables to the action that made them.
# - Each environment may have its own approvals, or none.
# - One template, one pipeline for each branch: a push starts the pipelines that listen to its branch.
#
# ## Exercises
#
# **1. Two changes, four environments.** Everything takes a fixed time here, and nobody is asked. The second change
# comes `row.gap` minutes after the first. After how many minutes since the start is the first one in production, and
# after how many the second one? Mind who waits for whom.

# %%
row = ps.classroom.case("12-1")
row.gap, row.minutes

# %% tags=["exercise:12-1"]
table = ps.executions_table(ps.simulate(row.pipeline, row.profile, seed=1))
answer_1 = tuple(table["ended_s"] / 60)

# %% tags=["check:12-1"]
ps.classroom.check("12-1", answer_1)

# %% [markdown]
# **2. Copied and forgotten.** Somebody wrote one environment and copied it. Repair the settings of all three
# deployments: `Environment` is to be the stage's name in small letters, `Release` the commit, `LogLevel` the pipeline
# variable of that name. The settings are a JSON text.

# %%
copied = ps.classroom.case("12-2")
{stage.name: stage.actions[0].configuration.get("ParameterOverrides") for stage in copied.pipeline.stages[2:]}

# %% tags=["exercise:12-2"]
document = copied.pipeline.to_document()
common = '"Release": "#{SourceVariables.CommitId}", "LogLevel": "#{variables.LogLevel}"'
for stage in document["stages"][2:]:
    settings = f'{{"Environment": "{stage["name"].lower()}", {common}}}'
    stage["actions"][0]["configuration"]["ParameterOverrides"] = settings
answer_2 = document

# %% tags=["check:12-2"]
ps.classroom.check("12-2", answer_2)

# %% [markdown]
# **3. Different gates.** Build a pipeline with the stages `Testing`, `Staging` and `Production`, each of which deploys.
# Nobody is asked before testing, one person before staging, and before production as many people as `gates.people`
# says: all of them are asked at the same time, and each can say no.

# %%
gates = ps.classroom.case("12-3")
gates.people

# %% tags=["exercise:12-3"]
asked = " | ".join(f"Manual Approval ({name})" for name in gates.people)
start = ps.load("GitHub → CodeBuild → S3 (Testing) → [Manual Approval → S3] (Staging) → S3 (Production)")
document = start.to_document()
people = ps.load(f"S3 → [{asked}] (Production)").to_document()["stages"][1]["actions"]
document["stages"][4]["actions"][0]["runOrder"] = 2
document["stages"][4]["actions"] += people
answer_3 = document

# %% tags=["check:12-3"]
ps.classroom.check("12-3", answer_3)

# %% [markdown]
# **4. A pipeline for each branch.** `plan.environments` says which branch goes to which environments. Make the
# pipelines from `plan.pipeline`, which goes to all of them. Answer with a dictionary from branch to pipeline.

# %%
plan = ps.classroom.case("12-4")
plan.environments

# %% tags=["exercise:12-4"]
answer_4 = {}
for branch, wanted in plan.environments.items():
    document = plan.pipeline.to_document() | {"name": "portal-" + branch.replace("/", "-")}
    document["stages"][0]["actions"][0]["configuration"]["BranchName"] = branch
    document["stages"] = document["stages"][:2] + [one for one in document["stages"] if one["name"] in wanted]
    answer_4[branch] = ps.load(document)

# %% tags=["check:12-4"]
ps.classroom.check("12-4", answer_4)

# %% [markdown]
# ## In practice
#
# - Environments usually live in accounts of their own, so that a mistake in one cannot reach another. An action then
#   has a role of the other account, and artifacts are encrypted with a key that both may use.
# - Secrets are no variables: what a variable holds can be read in the history. Let the environment fetch them itself,
#   from Secrets Manager or the Parameter Store.
# - Who may answer which approval is decided by IAM: a policy can name the action.
# - Pipelines of type V2 can also filter: one pipeline for all branches called `feature/*`, for instance (lesson 4).
# - A template in Python is only one way. CloudFormation and the CDK do the same job with reviewed files.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Variables reference", "Working with variables", "Create a pipeline that uses
#   resources from another AWS account".
#
# Next: [Watch it while you sleep](13_watching.ipynb).
