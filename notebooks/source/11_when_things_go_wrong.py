# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Break a pipeline, and put it right
#
# ## What you'll do
#
# Let a build fail, a release go bad and a person press Stop, and bring each change to a good end.
#
# ## What you'll learn
#
# After this notebook you can
#
# - say what a failure stops, and what goes on,
# - choose between retrying what failed, retrying a whole stage, and sending a new change,
# - stop an execution in either of the two ways, and say what the difference costs,
# - let a stage go back to its last good release, by hand and by itself,
# - put conditions at the gates of a stage.
#
# ## What you'll need
#
# Lessons 1, 2 and 10. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## A failure
#
# Two builds side by side; the first attempt at `App` fails after six minutes.

# %%
pipeline = ps.load("GitHub → [CodeBuild (App) | CodeBuild (Docs)] (Build) → CodeDeploy")
flaky = ps.load_profile("""
actions."Build/App" = { duration = "10m", fails_on = [1], fails_after = "6m", message = "npm ERR! network timeout" }
actions."Build/Docs".duration = "8m"
actions."Deploy/CodeDeploy".duration = "5m"
""")
failed = ps.simulate(pipeline, flaky, seed=1)
ps.draw(pipeline, trace=failed)

# %% [markdown]
# `Docs` went on and succeeded, two minutes after `App` had failed. Then the stage failed, and with it the execution.
# `Deploy` never started. The events say why, in the service's words.

# %%
[event.detail["message"] for event in failed if event.kind == "ActionFailed"]

# %% [markdown]
# ## Predict, then run: try again
#
# A timeout of the network is no fault of the change. *Retry* takes up the same execution where it failed.
# At minute 15 somebody retries the failed actions. Predict: when is the change deployed, and how often is `Docs` built?

# %%
retried = ps.simulate(pipeline, flaky, seed=1, commands=[(ps.minutes(15), ps.Retry("Build", "E1"))])
ps.timeline(retried, by="stage")

# %% [markdown]
# It is still `E1`, with the same source revision: the change was neither built from something newer nor did it have
# to queue again. The other mode, `ALL_ACTIONS`, would build `Docs` again as well. That is right when the actions of
# a stage belong together, for instance when one prepares a database for the other.
#
# The red text is meant to be there: what has not failed cannot be retried.

# %% tags=["raises-exception"]
ps.simulate(pipeline, flaky, seed=1, commands=[(ps.minutes(2), ps.Retry("Build", "E1"))])

# %% [markdown]
# ## Stop
#
# Somebody sees that the change is wrong while it is being built. There are two ways to stop an execution.
# *Stop and wait* lets running actions come to their end, and starts nothing new. *Stop and abandon* does not wait;
# what the abandoned action does afterwards, nobody knows. Predict for both: when has the execution stopped, if
# somebody presses the button at minute 3?

# %%
calm = ps.load_profile("""
actions."Build/App".duration = "10m"
actions."Build/Docs".duration = "8m"
""")
ways = {word: [(ps.minutes(3), ps.Stop("E1", abandon=word == "abandon"))] for word in ("wait", "abandon")}
stopped = {word: ps.simulate(pipeline, calm, seed=1, commands=sent) for word, sent in ways.items()}
{word: [f"{e.time / 60:.1f} min: {e.kind}" for e in trace if "Stop" in e.kind] for word, trace in stopped.items()}

# %% [markdown]
# Abandoning is quick and dangerous: half a deployment may be out there. The guide's advice is to wait, unless the
# action hangs.
#
# ## Back to the last good release
#
# A release is out, and it is bad. The quickest way back is to deploy once more what was there before. *Rollback* does
# that for one stage: it starts a new execution with the revisions and artifacts of one that had succeeded there.

# %%
shop = ps.load({**ps.load("GitHub → CodeBuild → CodeDeploy").to_document(), "pipelineType": "V2"})
releases = ps.load_profile("""
arrivals = { list = ["0m", "30m"] }
actions."Build/CodeBuild".duration = "5m"
actions."Deploy/CodeDeploy".duration = "6m"
""")
undone = ps.simulate(shop, releases, seed=1, commands=[(ps.minutes(60), ps.Rollback("Deploy", "E1"))])
ps.executions_table(undone)[["execution", "type", "status", "stage", "working_s"]]

# %% [markdown]
# The rollback did nothing but deploy. It needs no build, since the artifact of `E1` is still in the bucket.
#
# A stage can do this by itself. Predict: the second deployment fails. What does production run afterwards?

# %%
document = shop.to_document()
document["stages"][2]["onFailure"] = {"result": "ROLLBACK"}
careful = ps.load(document)
bad = ps.load_profile("""
arrivals = { list = ["0m", "30m"] }
actions."Build/CodeBuild".duration = "5m"
actions."Deploy/CodeDeploy" = { duration = "6m", fails_on = [2] }
""")
ps.timeline(ps.simulate(careful, bad, seed=1))

# %% [markdown]
# The third lane is nobody's change: it is the rollback, and it deploys what the first change had brought. A stage may
# be told to *retry* instead, once, by itself. Here it is the build, which fails the first time:

# %%
again = ps.load(ps.sample("retry"))
flaky = ps.load_profile('actions."Build/CodeBuild" = { duration = "5m", fails_on = [1] }')
ps.timeline(ps.simulate(again, flaky, executions=1, seed=1))

# %% [markdown]
# ## Conditions: a stage that asks first
#
# A condition stands at one of three gates of a stage: before entry, on success, on failure. Its rules ask something:
# is there an alarm, is it office hours, does a test agree? Its result says what happens if they do not: fail,
# skip, roll back, try again. This pipeline has some at all three gates; look for the marks on the stage.

# %%
guarded = ps.load(ps.sample("conditions"))
ps.draw(guarded)

# %%
saturday = ps.load_profile("start = 2026-03-07T10:00:00Z")
weekend = ps.simulate(guarded, saturday, executions=1, seed=1)
ps.timeline(weekend)

# %% [markdown]
# The rule `OfficeHours` is a window in time. The change comes on Saturday, and waits at the gate until Monday, nine
# o'clock in Berlin. A person with the permission may *override* a condition, and the record says who did.
#
# ## Try it with your hands
#
# Behind this player stands a running simulation. Start a change, break the build, look at the error, repair and retry.

# %%
live = ps.Simulation(pipeline, calm, seed=1)
live.advance(minutes=4)
ps.board(live.trace, at=ps.minutes(4))

# %%
ps.widgets.Player(live)

# %% [markdown]
# ## Check yourself

# %%
docs_built = 0  # how often was Docs built in the trace `retried`?
still_running = ""  # which action of `failed` was still running when App failed?
started = [event.action for event in retried if event.kind == "ActionStarted"]
print("1:", "right" if docs_built == started.count("Docs") else "not yet: which mode has the retry?")
print("2:", "right" if still_running == "Docs" else "not yet: look at the first picture of this lesson")

# %% [markdown]
# ## Summary
#
# - A failure stops what comes after it, not what runs beside it.
# - Retry keeps the execution and its revision: the failed actions only, or all of the stage.
# - Stop and wait is slow and clean; stop and abandon is quick and leaves things half done.
# - A rollback deploys again what had been good in that stage. It can be automatic.
# - Conditions ask before a stage is entered, and after it.
#
# ## Exercises
#
# **1. Stop and wait, or abandon.** At minute `stop.stop_at` somebody stops the change. After how many minutes since
# its start has the execution stopped, if they wait, and if they abandon? Answer with both numbers.

# %%
stop = ps.classroom.case("11-1")
stop.stop_at, stop.minutes

# %% tags=["exercise:11-1"]
answer_1 = (max(stop.minutes.values()), stop.stop_at)

# %% tags=["check:11-1"]
ps.classroom.check("11-1", answer_1)

# %% [markdown]
# **2. Save what was good.** In this case `App` fails once. Bring the change to production before minute
# `save.deadline`, without building `Docs` again. The stage will have failed at about minute `save.failed_at`.
# Answer with a list of commands.

# %%
save = ps.classroom.case("11-2")
save.failed_at, save.deadline

# %% tags=["exercise:11-2"]
answer_2 = [(ps.minutes(save.failed_at + 2), ps.Retry("Build", "E1", "FAILED_ACTIONS"))]

# %% tags=["check:11-2"]
ps.classroom.check("11-2", answer_2)

# %% [markdown]
# **3. Back to the last good release.** One of three releases goes bad. Change the pipeline so that production goes
# back by itself to what was good before.

# %%
release = ps.classroom.case("11-3")
ps.timeline(ps.simulate(release.pipeline, release.profile, seed=1))

# %% tags=["exercise:11-3"]
document = release.pipeline.to_document()
document["pipelineType"] = "V2"
document["stages"][2]["onFailure"] = {"result": "ROLLBACK"}
answer_3 = document

# %% tags=["check:11-3"]
ps.classroom.check("11-3", answer_3)

# %% [markdown]
# **4. A build that fails for no reason.** The odds that a build fails are `weather.odds`, and nobody knows why. Make a
# pipeline that tries once more by itself, and measure with `weather.changes` changes which share reaches production.
# Answer with the pipeline and the share.

# %%
weather = ps.classroom.case("11-4")
weather.odds, weather.changes

# %% tags=["exercise:11-4"]
document = weather.pipeline.to_document()
document["pipelineType"] = "V2"
document["stages"][1]["onFailure"] = {"result": "RETRY"}
patient = ps.load(document)
trace = ps.simulate(patient, weather.profile, seed=1, executions=weather.changes)
answer_4 = (patient, (ps.executions_table(trace)["status"] == "Succeeded").mean())

# %% tags=["check:11-4"]
ps.classroom.check("11-4", answer_4)

# %% [markdown]
# ## In practice
#
# - A retry that helps hides a problem. Count retries: they are minutes that you pay for, and a sign of rot.
# - A rollback brings back the *deployment*. A database that was changed by the bad release stays changed.
# - Only executions that succeeded in the stage while it had this shape can be gone back to; changing the stage's
#   structure ends that.
# - A stage can be rolled back automatically only when an earlier execution had succeeded there.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Retry a failed stage or failed actions in a stage", "Stop a pipeline execution",
#   "Configure stage rollback", "Stage conditions".
#
# Next: [Take a change from development to production](12_environments.ipynb).
