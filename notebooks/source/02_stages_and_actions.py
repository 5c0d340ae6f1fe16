# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Let actions run side by side
#
# ## What you'll do
#
# Take a stage apart, let its actions run at the same time, and find the one action for which all others wait.
#
# ## What you'll learn
#
# After this notebook you can
#
# - say when a stage begins and when it is over,
# - order actions with `runOrder`: side by side, one after the other, or in groups,
# - tell apart what actions are for: source, build, test, deploy, approval, invoke,
# - find the action that decides how long a stage takes.
#
# ## What you'll need
#
# Lesson 1. About half an hour.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Stages: one after the other
#
# A stage begins when the one before it has *succeeded* as a whole. That is the strict part of a pipeline.
# Inside a stage, there is freedom. The shop builds its website and its server in one stage.

# %%
shop = ps.load(ps.sample("e-commerce"))
build = shop.stage("Build")
[(action.name, action.run_order) for action in build.actions]

# %% [markdown]
# Each action has a number, its `runOrder`. Actions with the same number form a *group*, and start together. The next
# group starts when the last of the group before has succeeded. The numbers may have gaps: here 5 comes after 2.

# %%
ps.load(ps.sample("run-order"))

# %% [markdown]
# With one number for all, the whole stage is one group. Three builds of the same source:

# %%
ps.load(ps.sample("parallel-actions"))

# %% [markdown]
# In a sketch, square brackets make a stage, `|` puts actions side by side, an arrow inside begins the next group.

# %%
sketch = "GitHub → [CodeBuild (Frontend) | CodeBuild (Backend) → CodeBuild (Package)] → S3"
small = ps.load(sketch)
small

# %% [markdown]
# ## Predict, then run
#
# The frontend takes 6 minutes, the backend 9, the package 2. How long does the stage `Build` take? And how long
# would it take, if everything ran in a row?

# %%
times = ps.load_profile("""
actions."Build/Frontend".duration = "6m"
actions."Build/Backend".duration = "9m"
actions."Build/Package".duration = "2m"
actions."Deploy/S3".duration = "1m"
""")
trace = ps.simulate(small, times, seed=1)
ps.timeline(trace, by="stage")

# %% [markdown]
# Eleven minutes: the longer of the two, then the package. In a row it would be seventeen.
# Which step was waited for at each moment? The *critical path* says so. Its steps add up to the lead time.

# %%
ps.critical_path_table(trace, "E1")[["kind", "stage", "action", "duration_s", "exclusive_s", "share"]]

# %% [markdown]
# `Frontend` is not in it. Make it twice as fast, and nothing is won: the group waits for `Backend`.
# Try it: predict the length of the stage first.

# %%
faster = ps.edit.duration("Build/Frontend", ps.minutes(3))(ps.edit.Scenario(small, times))
again = ps.simulate(faster.pipeline, faster.assumptions, seed=1)
[ps.executions_table(one)["lead_time_s"][0] for one in (trace, again)]

# %% [markdown]
# The column `exclusive_s` above is more honest than the duration: it counts only the time during which a step alone
# kept everything waiting. Three of the backend's nine minutes are exclusive; for the other six, the frontend would
# have kept the stage waiting as well.
#
# ## What a failure does to its neighbours
#
# Predict: the frontend fails after two minutes. Is the backend stopped? Does `Package` start?

# %%
unlucky = ps.load_profile("""
actions."Build/Frontend" = { duration = "6m", fails_on = [1], fails_after = "2m" }
actions."Build/Backend".duration = "9m"
""")
ps.draw(small, trace=ps.simulate(small, unlucky, seed=1))

# %% [markdown]
# The backend goes on to its end; an action is never stopped because its neighbour failed. But the next group does not
# start, and the stage fails when the last running action is done.
#
# ## What actions are for
#
# Every action belongs to one *category*. It says what the action may take in and give out.
#
# | category | does | for example |
# |---|---|---|
# | Source | brings a change in | CodeCommit, GitHub, Bitbucket, ECR, S3 |
# | Build | makes something out of it | CodeBuild, Jenkins, CloudBees, TeamCity |
# | Test | tries it out | CodeBuild, Device Farm, load tests |
# | Deploy | brings it out | CodeDeploy, Elastic Beanstalk, CloudFormation, ECS, S3 |
# | Approval | asks a person | manual approval |
# | Invoke | calls something | Lambda, Step Functions |
#
# Sources stand in the first stage and nowhere else; that is a rule of the service, not a habit.
# Here all six stand in one pipeline. Can you find them?

# %%
everything = ps.load("CodeCommit → CodeBuild → Device Farm → Manual Approval → CodeDeploy → Lambda")
everything

# %% [markdown]
# The red text below is meant to be there: a source comes too late.

# %% tags=["raises-exception"]
ps.load("GitHub → CodeBuild → CodeCommit → S3")

# %% [markdown]
# ## The same by hand
#
# You can put a pipeline together with the mouse or the keyboard, too. Drag an action from the palette onto a stage,
# or next to another action to let both run at the same time. `builder.pipeline` is what you made.

# %%
builder = ps.widgets.Builder(small)
builder

# %% [markdown]
# ## Check yourself

# %%
starts_with_backend = ""  # which action starts at the same moment as Backend?
starts_after = ""  # and which one starts when both are done?
groups = {action.name: action.run_order for action in small.stage("Build").actions}
print("1:", "right" if groups.get(starts_with_backend) == 1 and starts_with_backend != "Backend" else "not yet")
print("2:", "right" if groups.get(starts_after) == 2 else "not yet: whose runOrder is higher?")

# %% [markdown]
# ## Summary
#
# - Stages follow each other. Inside a stage, equal `runOrder` means: at the same time.
# - A group ends with its slowest action; the next group starts then.
# - Only what lies on the critical path is worth making faster.
# - An action that fails leaves its neighbours alone, and keeps everything after it from starting.
#
# ## Exercises
#
# **1. How long does the stage take?** Predict the length of the stage `Build` of this case, in minutes.

# %%
mine = ps.classroom.case("02-1")
print(mine.minutes)
mine.pipeline

# %% tags=["exercise:02-1"]
side_by_side = max(mine.minutes[name] for name in ("Frontend", "Backend", "Docs"))
answer_1 = side_by_side + mine.minutes["Package"]

# %% tags=["check:02-1"]
ps.classroom.check("02-1", answer_1)

# %% [markdown]
# **2. Find the bottleneck.** Which of the three actions that start together must become faster, so that the stage does?

# %% tags=["exercise:02-2"]
answer_2 = max(("Frontend", "Backend", "Docs"), key=mine.minutes.get)

# %% tags=["check:02-2"]
ps.classroom.check("02-2", answer_2)

# %% [markdown]
# **3. What does each service do?** Answer with a dictionary: to each service of the case its category, one of
# `Source`, `Build`, `Test`, `Deploy`, `Approval`, `Invoke`.

# %%
ps.classroom.case("02-3").services

# %% tags=["exercise:02-3"]
known = {
    "Source": ("CodeCommit", "ECR", "S3", "CodeStarSourceConnection"),
    "Build": ("CodeBuild", "ECRBuildAndPublish"),
    "Test": ("DeviceFarm",),
    "Deploy": ("CodeDeploy", "CloudFormation", "ElasticBeanstalk", "ECS"),
    "Approval": ("Manual",),
    "Invoke": ("Lambda", "StepFunctions"),
}
answer_3 = {service: kind for kind, services in known.items() for service in services}

# %% tags=["check:02-3"]
ps.classroom.check("02-3", answer_3)

# %% [markdown]
# **4. Side by side.** In this case three checks run in a row, although none of them needs another. Change the
# pipeline so that the stage `Test` takes no longer than `slow.limit` minutes, without leaving anything out.

# %%
slow = ps.classroom.case("02-4")
print(slow.minutes, "at most", slow.limit, "minutes")
slow.pipeline

# %% tags=["exercise:02-4"]
document = slow.pipeline.to_document()
for action in document["stages"][1]["actions"]:
    action["runOrder"] = 1
answer_4 = document

# %% tags=["check:02-4"]
ps.classroom.check("02-4", answer_4)

# %% [markdown]
# ## In practice
#
# - Actions side by side need places to run in. With a limit on concurrent builds they may have to queue: lesson 14.
# - Each extra action costs: CodePipeline's newer pricing counts minutes of actions, and CodeBuild counts its own.
# - Fast checks belong in front of slow ones, or beside them: what fails early costs least. Lesson 19 measures it.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Pipeline structure reference" (on `runOrder`), "Integrations with CodePipeline
#   action types".
#
# Next: [Follow an artifact through S3](03_artifacts.ipynb).
