# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Watch a newer change overtake an older one
#
# ## What you'll do
#
# Send four changes through a pipeline of AWS CodePipeline, and find out why only two of them reach production.
#
# ## What you'll learn
#
# After this notebook you can
#
# - read a pipeline, from AWS's own JSON or from a sketch, and see what is wrong with one,
# - say what AWS knows of a pipeline and what has to be assumed,
# - simulate it, and read the table, the timeline and the board,
# - explain what *Superseded* means, and what it does not mean.
#
# ## What you'll need
#
# Nothing but this notebook: no AWS account, no network. About half an hour.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## A pipeline is a declaration
#
# To AWS a pipeline is a piece of JSON: stages, in them actions, and between them artifacts.
# Here is a shop's pipeline with seven stages, in the JSON that `aws codepipeline get-pipeline` would print.
# Left on the last line of a cell, a pipeline draws itself.

# %%
shop = ps.load(ps.sample("e-commerce"))
shop

# %% [markdown]
# Follow the arrows. A stage is a panel, an action a card.
# Cards that are stacked without an arrow between them run at the same time: look at `Build` and at `Test`.
#
# Would AWS accept it? `check` lists every rule that is broken. An empty answer is good news.

# %%
ps.check(shop)

# %% [markdown]
# ## A sketch is a pipeline too
#
# For thinking, JSON is too long. An arrow sketch becomes a complete declaration, with artifacts and everything else.

# %%
pipeline = ps.load("GitHub → CodeBuild → Manual Approval → Elastic Beanstalk")
pipeline

# %% [markdown]
# A typing error is found, and named. Run the next cell and read the last lines; the red is meant to be there.

# %% tags=["raises-exception"]
ps.load("GitHub → CodeBild → Manual Approval → Elastic Beanstalk")

# %% [markdown]
# ## What AWS does not write down
#
# The declaration does not say how long a build takes, when changes arrive, or how fast people answer.
# These are *assumptions*, and a *profile* writes them down.
# Ours has four changes ten minutes apart, a build of eight minutes,
# and an approver who needs three quarters of an hour.

# %%
profile = ps.load_profile("""
arrivals = { list = ["0m", "10m", "20m", "30m"] }
actions."Build/CodeBuild".duration = "8m"
actions."Deploy/ElasticBeanstalk".duration = "5m"
approvals."*".response = "45m"
""")

# %% [markdown]
# ## Predict, then run
#
# Before you go on, write down your answers:
#
# 1. Change 1 waits for its approval. Meanwhile change 2 is built. Where does it go then?
# 2. How many of the four changes will be deployed?

# %%
trace = ps.simulate(pipeline, profile, seed=1)
ps.executions_table(trace)[["execution", "status", "stage", "ending"]]

# %% [markdown]
# Two were deployed, the first and the last. Changes 2 and 3 are `Superseded`.
#
# The reason: a stage holds **one** execution at a time, and in front of each stage there is **one** place to wait.
# Change 2 took that place. When change 3 came, it took the place over, and change 2 was out for good.
# The timeline shows it: solid bars work, hatched bars wait.

# %%
ps.timeline(trace)

# %% [markdown]
# Look at change 1: nothing ever disturbed it. That is the point which many articles get wrong.
# Superseding never stops a *running* execution; it replaces one that is *waiting*.
#
# ## One moment
#
# The board shows what the console would show at one moment. This is half an hour after the start.

# %%
ps.board(trace, at=ps.minutes(30))

# %% [markdown]
# The same, moving. Drag the slider from the left to the right, and watch the place in front of `Approval`.

# %%
ps.widgets.Player(trace)

# %% [markdown]
# And in numbers: who is inside the stage of the approval, and who is waiting in front of it?

# %%
approval = ps.state_at(pipeline, trace, ps.minutes(30)).stage("Approval")
approval.occupants, approval.inbound

# %% [markdown]
# ## Predict, then run: somebody answers sooner
#
# What people do while a pipeline runs is a *command*.
# Let somebody approve by hand, a quarter of an hour after the start.
# Change 2 reaches the stage of the approval after about eighteen minutes.
# Will it be superseded this time? And change 3?

# %%
early = ps.simulate(pipeline, profile, seed=1, commands=[(ps.minutes(15), ps.Approve("Approval"))])
ps.executions_table(early)[["execution", "status", "stage", "ending"]]

# %% [markdown]
# The stage was free when change 2 came, so it went in, and is now safe. The place in front of the stage was
# change 3's, until change 4 came. Speeding up one answer saved one change.
#
# ## The shop, on an ordinary day
#
# Nothing of this was special to four stages. Here is the shop, with its own profile: a change every twenty minutes,
# builds and tests of varying length, and tests that sometimes fail.

# %%
habits = ps.load_profile(ps.sample_profile("e-commerce"))
day = ps.simulate(shop, habits, executions=6, seed=4)
ps.timeline(day)

# %% [markdown]
# Find a hatched bar and its reason, and find where each change ended. The same seed always gives the same day.
# Another seed gives another day of the same shop.

# %%
ps.draw(shop, trace=day, at=ps.hours(1))

# %% [markdown]
# ## Two other modes
#
# `SUPERSEDED` is the default. `QUEUED` keeps everybody, in order. `PARALLEL` has no locks at all: every execution runs
# as if it were alone. Which one is the fastest for change 4, and which one is dangerous in front of a database?

# %%
modes = {mode: (ps.edit.execution_mode(mode))(ps.edit.Scenario(pipeline)).pipeline for mode in ("QUEUED", "PARALLEL")}
ps.timeline(ps.simulate(modes["QUEUED"], profile, seed=1))

# %%
ps.timeline(ps.simulate(modes["PARALLEL"], profile, seed=1))

# %% [markdown]
# In the queue, the fourth change pays for all approvals before its own. In parallel nobody waits for anybody, and so
# two deployments may touch the same environment at once: `PARALLEL` is for changes that have nothing to do with each
# other, such as pull requests with environments of their own. In a declaration the mode is one word. Three samples:

# %%
{name: ps.load(ps.sample(name)).execution_mode for name in ("superseded", "queued", "parallel-mode")}

# %% [markdown]
# ## A door that people close
#
# In front of each stage is a *transition*. Somebody may disable it, say before a holiday; what is inside goes on, and
# what comes waits outside, where the newest again replaces the one before it.

# %%
closed = ps.simulate(pipeline, profile, seed=1, commands=[(ps.minutes(5), ps.DisableTransition("Deploy", "holiday"))])
ps.board(closed, at=ps.hours(3))

# %% [markdown]
# ## Check yourself
#
# Write your answers in the first two lines, and run the cell. It compares them with the first trace.

# %%
waits_at_minute_50 = ""  # which execution waits in front of Approval then? for example "E1"
was_replaced = ""  # and which execution did it replace?
place = ps.state_at(pipeline, trace, ps.minutes(50)).stage("Approval").inbound
print("1:", "right" if (waits_at_minute_50,) == place else "not yet: follow the hatched bars in the timeline")
replaced = [event.execution for event in trace if event.detail.get("by") == place[0]]
print("2:", "right" if was_replaced in replaced else "not yet: who waited there when it came?")

# %% [markdown]
# ## Summary
#
# - A pipeline declaration says what happens in which order. Durations, arrivals and people are assumptions.
# - A stage holds one execution. In front of it one may wait, and a newer one replaces it: that is *superseded*.
# - A running execution is never superseded.
# - A slow approval does not slow down one change: it costs all those that come meanwhile, except the newest.
#
# ## Exercises
#
# Each exercise has a *case*: what is given. With your name in the first cell, the numbers are yours alone.
# `check` says what is right, what is not yet, and where to look; the second hint is stronger than the first.
#
# **1. Who waits, and whom did it replace?** Five changes this time. At minute `mine.minute`, which execution waits in
# front of `Approval`, and which one did it replace there? Predict, simulate, then answer with two ids.

# %%
mine = ps.classroom.case("10-1")
mine.profile.arrivals, mine.profile.approvals, mine.minute

# %% tags=["exercise:10-1"]
five = ps.simulate(mine.pipeline, mine.profile, seed=1)
waits = ps.state_at(mine.pipeline, five, ps.minutes(mine.minute)).stage("Approval").inbound[0]
replaced = [event.execution for event in five if event.detail.get("by") == waits]
answer_1 = (waits, replaced[-1])

# %% tags=["check:10-1"]
ps.classroom.check("10-1", answer_1)

# %% [markdown]
# **2. A queue instead.** Make a pipeline out of `mine.pipeline` in which nobody is overtaken and the changes keep
# their order. `mine.pipeline.to_document()` gives the declaration as a dictionary that you may change; `ps.load` reads
# it back.

# %% tags=["exercise:10-2"]
document = mine.pipeline.to_document()
document["executionMode"], document["pipelineType"] = "QUEUED", "V2"
answer_2 = ps.load(document)

# %% tags=["check:10-2"]
ps.classroom.check("10-2", answer_2)

# %% [markdown]
# **3. A faster approver.** What is the slowest answer, in whole minutes, with which all five changes are deployed
# in the mode `SUPERSEDED`? `ps.edit.approver_response("ManualApproval", ps.minutes(9))` is a change of the assumptions;
# `(change)(ps.edit.Scenario(mine.pipeline, mine.profile)).assumptions` are the new ones.

# %% tags=["exercise:10-3"]
scenario = ps.edit.Scenario(mine.pipeline, mine.profile)
answer_3 = 0
for response in range(1, 60):
    faster = ps.edit.approver_response("ManualApproval", ps.minutes(response))(scenario).assumptions
    table = ps.executions_table(ps.simulate(mine.pipeline, faster, seed=1))
    if set(table["status"]) == {"Succeeded"}:
        answer_3 = response

# %% tags=["check:10-3"]
ps.classroom.check("10-3", answer_3)

# %% [markdown]
# **4. Close the door for a while.** Nothing may enter `Deploy` from minute `holiday.closed_from` to minute
# `holiday.closed_until`; right after that the newest change should go in. Answer with a list of commands, each a pair
# of a time in seconds and a command.

# %%
holiday = ps.classroom.case("10-4")
holiday.closed_from, holiday.closed_until

# %% tags=["exercise:10-4"]
closing = (ps.minutes(holiday.closed_from), ps.DisableTransition("Deploy", "holiday"))
opening = (ps.minutes(holiday.closed_until), ps.EnableTransition("Deploy"))
answer_4 = [closing, opening]

# %% tags=["check:10-4"]
ps.classroom.check("10-4", answer_4)

# %% [markdown]
# ## In practice
#
# - In a real pipeline the durations vary, and the approver is at lunch. Profiles can say so: `data/profiles/` has five.
# - After an answer, the real service takes about half a minute to move on. This was measured by others, and is
#   assumed here as well; that is why the times above are not round.
# - No build was run and nothing was deployed: actions take their time, and succeed or fail.
# - `pipesim fidelity` prints what is modelled, what is assumed and what is left out.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "How pipeline executions work", and "Set or change the pipeline execution mode".
# - `docs/glossary.md`: the words that are used here.

# %% [markdown]
# Next: [Break a pipeline, and put it right](11_when_things_go_wrong.ipynb).
