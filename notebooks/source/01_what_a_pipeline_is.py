# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Send your first change to production
#
# ## What you'll do
#
# Draw the pipeline of a shop, send one change through it, and put together a pipeline of your own.
#
# ## What you'll learn
#
# After this notebook you can
#
# - say what AWS CodePipeline does, and what it leaves to other services,
# - read the picture of a pipeline, and follow one change through it,
# - tell the time that work takes from the time that a change merely waits,
# - write a pipeline as a sketch, and repair one that AWS would refuse.
#
# ## What you'll need
#
# Nothing but this notebook: no AWS account, no network. About half an hour.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## A conductor, not an orchestra
#
# A team has code in a repository and wants every change to arrive in production: built, tested, looked at, deployed,
# each time in the same way. CodePipeline sees to the *order*. It waits for a change, calls the next service, waits
# for its answer, hands over the result, and goes on. It builds nothing and deploys nothing itself: that is the work
# of CodeBuild, CodeDeploy and many others, of AWS and of third parties. A conductor plays no instrument either.
#
# Written down, such an order is a *pipeline*. Here is one in a single line.

# %%
pipeline = ps.load("GitHub → CodeBuild → Manual Approval → Elastic Beanstalk")
pipeline

# %% [markdown]
# The panels are *stages*, the cards in them *actions*. Each card names the service that does the work.
# Four stages, four different systems: GitHub keeps the code, CodeBuild builds it, a person decides, Elastic Beanstalk
# runs it. To AWS the same thing is a document in JSON; this is its first stage.

# %%
pipeline.to_document()["stages"][0]

# %% [markdown]
# Two stages are the least that the service accepts: something comes in, and something is done with it. This one copies
# files from one bucket of S3 to another.

# %%
ps.load(ps.sample("two-stages"))

# %% [markdown]
# ## Predict, then run: one change
#
# Let one change come in. The build takes five minutes, the person answers after half an hour, the deployment takes
# four minutes. Before you run the next cells, write down:
#
# 1. When will the change be in production?
# 2. For how much of that time does a computer work?

# %%
profile = ps.load_profile("""
actions."Build/CodeBuild".duration = "5m"
actions."Deploy/ElasticBeanstalk".duration = "4m"
approvals."*".response = "30m"
""")
trace = ps.simulate(pipeline, profile, seed=1)
ps.timeline(trace)

# %% [markdown]
# About forty minutes, and computers worked for nine of them. The hatched part is waiting: here, for a person.
# The table has the numbers, in seconds.

# %%
ps.executions_table(trace)[["execution", "status", "lead_time_s", "working_s", "waiting_approval_s"]]

# %% [markdown]
# One passage of a change through a pipeline is called an *execution*, `E1` here, and the time from start to end its
# *lead time*. Nothing of this was computed with a formula. pipesim *simulated* the pipeline and wrote down all that
# happened; what was written down is called a *trace*, and every picture and table is read off it.

# %%
ps.events_table(trace)[["time_s", "text"]].head(8)

# %% [markdown]
# ## The same thing, moving
#
# A trace can be played like a film. Press the play button, or drag the slider, and watch the change move from stage
# to stage. Click a card for what is known of it.

# %%
ps.widgets.Player(trace)

# %% [markdown]
# ## What automation is worth
#
# A pipeline starts by itself when somebody pushes, in the night as well as at noon, and does the same steps in the
# same order each time. If a step fails, the change stops there, and what comes after is never touched.
# Predict: the third build will fail. Which changes reach production?

# %%
unlucky = ps.load_profile("""
arrivals = { every = "1h" }
actions."Build/CodeBuild" = { duration = "5m", fails_on = [3] }
approvals."*".response = "10m"
""")
morning = ps.simulate(pipeline, unlucky, executions=4, seed=1)
ps.timeline(morning)

# %% [markdown]
# Three of four. The broken change got no further than the stage `Build`: nobody was asked to approve it, and
# production never saw it. The change after it was not held up.
#
# ## A real one
#
# The course comes back to this shop again and again: seven stages, five different services and a person, two places
# where actions run side by side. You need not understand all of it yet. A picture that is wider than the page can be
# moved sideways.

# %%
shop = ps.load(ps.sample("e-commerce"))
ps.draw(shop)

# %%
day = ps.simulate(shop, ps.load_profile(ps.sample_profile("e-commerce")), executions=3, seed=1)
ps.board(day, at=ps.hours(1))

# %% [markdown]
# The board shows one moment, as the console of AWS would: who is in which stage, what succeeded, what goes on.
#
# ## When AWS says no
#
# A declaration that makes no sense is refused before anything runs. Here a name is misspelt. The red text below is
# meant to be there: read its last lines, they name the place and the way out.

# %% tags=["raises-exception"]
ps.load("GitHub → CodeBuild → Manual Aproval → Elastic Beanstalk")

# %% [markdown]
# ## Check yourself
#
# Fill in the two words and run the cell.

# %%
builds_the_code = ""  # which service builds the code of the first pipeline?
waits_longest = ""  # in which of its stages does a change spend most of its time?
providers = {stage.name: stage.actions[0].provider for stage in pipeline.stages}
print("1:", "right" if builds_the_code == providers["Build"] else "not yet: read the card in the stage Build")
stages = ps.spans_table(trace).query("level == 'stage'").set_index("stage")["duration_s"]
print("2:", "right" if waits_longest == stages.idxmax() else "not yet: which bar of the timeline is the longest?")

# %% [markdown]
# ## Summary
#
# - CodePipeline orders and waits; other services do the work. One pipeline joins many of them.
# - A pipeline has stages, a stage has actions. One passage of a change is an execution.
# - A failed step stops the change where it is. Nothing after it is touched.
# - Most of a lead time is usually waiting, not work.
#
# ## Exercises
#
# Each exercise has a *case*: what is given to you. With your name in the first cell, the numbers are yours alone.
# `check` says what is right, what is not yet, and where to look.
#
# **1. From commit to production.** The case is a pipeline in which every step takes a fixed time. After how many
# minutes is the change in production? Predict first; then let the simulation show you: `ps.simulate` wants
# `first.pipeline`, `first.profile` and a seed, as above.

# %%
first = ps.classroom.case("01-1")
first.minutes

# %% tags=["exercise:01-1"]
answer_1 = sum(first.minutes.values())

# %% tags=["check:01-1"]
ps.classroom.check("01-1", answer_1)

# %% [markdown]
# **2. Sketch a pipeline.** Changes come from `wish.source`, are built by CodeBuild, a person must agree, and then
# they go to `wish.target`. Write the sketch as text, with `->` or `→` between the steps.

# %%
wish = ps.classroom.case("01-2")
wish.source, wish.target

# %% tags=["exercise:01-2"]
answer_2 = f"{wish.source} -> CodeBuild -> Manual Approval -> {wish.target}"

# %% tags=["check:01-2"]
ps.classroom.check("01-2", answer_2)

# %% [markdown]
# **3. Which changes reached production?** Six changes went through the pipeline of this case. Answer with the list of
# the ids of those that got there, such as `["E1", "E2"]`: the lane called #1 in the picture is the execution `E1`.

# %%
six = ps.classroom.case("01-3")
ps.timeline(six.trace)

# %% tags=["exercise:01-3"]
table = ps.executions_table(six.trace)
answer_3 = list(table[table["status"] == "Succeeded"]["execution"])

# %% tags=["check:01-3"]
ps.classroom.check("01-3", answer_3)

# %% [markdown]
# **4. Repair a declaration.** AWS would refuse `broken.declaration`. The list below says why. Change the dictionary (or
# write a better one), and answer with it.

# %%
broken = ps.classroom.case("01-4")
ps.check(broken.declaration)

# %% tags=["exercise:01-4"]
answer_4 = ps.load("GitHub -> CodeBuild -> Manual Approval -> S3").to_document()

# %% tags=["check:01-4"]
ps.classroom.check("01-4", answer_4)

# %% [markdown]
# ## In practice
#
# - AWS does not publish how long things take. Durations here are assumptions, and a profile says them; with the history
#   of a real pipeline they can be fitted (lesson 20).
# - In a simulation no code is built. In lesson 3 you open a mocked AWS account in which artifacts, permissions and
#   functions are real.
# - The service itself needs a little time between the steps. This was measured by others and is part of the model:
#   that is why the times are not round.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "What is AWS CodePipeline?" and "CodePipeline concepts".
# - `pipesim fidelity` prints what is modelled, what is assumed and what is left out.
#
# Next: [Let actions run side by side](02_stages_and_actions.ipynb).
