# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Decide with numbers, not with a feeling
#
# ## What you'll do
#
# Take the history of a real pipeline, fit what nobody wrote down, ask "what if?", and come to a decision
# that you can defend.
#
# ## What you'll learn
#
# After this notebook you can
#
# - read a history that the AWS CLI printed, and see where its time went,
# - fit durations, failures, arrivals and people's hours to it, and judge the fit,
# - say how sure an answer is, and how many replications it takes,
# - compare changes fairly, and tell a win from luck,
# - find the assumption that is worth a closer look.
#
# ## What you'll need
#
# Lessons 2, 9 and 10. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## From a history
#
# `aws codepipeline list-action-executions` prints what a pipeline did, action by action. pipesim reads the answer, and
# turns it into the same kind of trace that a simulation gives. Everything that you know works on it.

# %%
past = ps.history(ps.sample_history("startup"))
past.pipeline

# %%
ps.executions_table(past).tail(4)[["execution", "status", "lead_time_s", "working_s", "waiting_approval_s"]]

# %% [markdown]
# ## Predict, then fit
#
# Before the next cell: what takes most of a change's time here, and how often does the build fail?
#
# `fit` looks for a distribution for each action, takes what was cut off for what it is, and keeps the latest part of
# the history back to check itself against.

# %%
fitted = ps.fit(past)
fitted

# %% [markdown]
# The last table is the one to trust or to doubt: it compares simulated life with that part of the real history which
# the fit has never seen. Where it says `apart`, the model misses something; ask before you go on.

# %%
fitted.plot()

# %% [markdown]
# ## One run is an anecdote
#
# With other luck the same pipeline has another month. Predict: by how much do two months differ?

# %%
team = ps.load("GitHub → [CodeBuild (App) → CodeBuild (UnitTests)] (Build) → Tests → Manual Approval → CodeDeploy")
habits = ps.load_profile("""
arrivals = { office = { per_day = 8, hours = "Mon-Fri 09:00-17:00", time_zone = "UTC" } }
actions."Build/App" = { duration = { median = "6m", p95 = "9m" }, fails = 0.05 }
actions."Build/UnitTests".duration = { median = "4m", p95 = "6m" }
actions."Test/Test".duration = { median = "12m", p95 = "20m" }
actions."Deploy/CodeDeploy".duration = { median = "8m", p95 = "12m" }
approvals."*".response = { median = "30m", p95 = "2h" }
""")

# %%
months = [ps.simulate(team, habits, seed=seed, until=ps.days(28)) for seed in range(5)]
[f"{ps.executions_table(month)['lead_time_s'].mean() / 60:.0f} min" for month in months]

# %% [markdown]
# So an answer needs many months, and an interval. `replicate` makes them; in the text that it prints, the interval says
# where the mean lies, and the last column where nine of ten single months lie. The first hours, in which the
# pipeline was still empty, are left out; how many is chosen by a method, and said.

# %%
baseline = ps.replicate(team, habits, until=ps.HalfWidth("lead_time", relative=0.02), days=20, seed=1)
baseline

# %% [markdown]
# ## Which assumption matters?
#
# Some numbers in a profile are guesses. A *sensitivity* analysis makes each of them a fifth larger and smaller, and
# shows what it does. The longest bar is the guess to replace by a measurement.

# %%
ps.sensitivity(team, habits, n=60, days=20, seed=1)

# %% [markdown]
# ## What if?
#
# A change is a small function; several are joined with `|`. Predict the order of these three before you run the cell.

# %%
changes = {
    "all builds at once": ps.edit.parallelise("Build"),
    "answers in a quarter of an hour": ps.edit.approver_response("ManualApproval", ps.minutes(15)),
    "a queue": ps.edit.execution_mode("QUEUED"),
}
compared = ps.compare((team, habits), changes, n=100, days=20, seed=1)
compared

# %% [markdown]
# The changes met the same luck as the baseline: the same commits, the same slow days. That is why a difference of a
# minute can be told from chance although single months differ by more. Where the table says *may be luck*, do not
# build on it.
#
# The red text is meant to be there: a question that makes no sense gets no number.

# %% tags=["raises-exception"]
ps.edit.parallelise("Biuld")(ps.edit.Scenario(team, habits))

# %% [markdown]
# ## When the slowest stage cannot keep up
#
# Sixty-four changes a working day, and a queue in front of an approver who needs half an hour each: more comes in
# than goes out.
# The longer you watch, the longer the queue. There is no mean lead time, and pipesim says so.

# %%
flood = ps.edit.execution_mode("QUEUED") | ps.edit.scale_arrivals(8)
ps.replicate(flood(ps.edit.Scenario(team, habits)), n=20, days=20, seed=1)

# %% [markdown]
# ## With sliders
#
# The same with your hands: move a knob, and the distribution, the waits and the price follow. Pin the baseline first.

# %%
ps.widgets.WhatIf(team, habits)

# %% [markdown]
# ## Check yourself

# %%
wins = ""  # which of the three changes shortens the mean lead time most?
found = {name: compared.difference(name, "lead_time").estimate for name in changes}
print("right" if wins == min(found, key=found.get) else "not yet: look for the most negative difference")

# %% [markdown]
# ## Summary
#
# - A history is a trace; a fit turns it into assumptions, and says how far to trust them.
# - One run is an anecdote. An answer is a mean with an interval, from replications.
# - Compare with common random numbers, and read differences, not means.
# - Look first where the sensitivity is largest.
#
# ## Exercises
#
# **1. What moves the lead time most?** Find the action whose duration (or answer) moves the mean lead time of this
# team most. Answer with stage and name, such as `"Build/App"`.

# %%
mine = ps.classroom.case("20-1")
mine.pipeline

# %% tags=["exercise:20-1"]
swings = ps.sensitivity(mine.pipeline, mine.profile, n=60, days=20, seed=1).swings
answer_1 = swings[0].factor.name.rpartition(" of ")[2]

# %% tags=["check:20-1"]
ps.classroom.check("20-1", answer_1)

# %% [markdown]
# **2. How many replications?** With how many replications of 20 days (seed 1) is the mean lead time of your team known
# to within half a percent, 95 times out of 100? More than three times as many as needed is too many.

# %% tags=["exercise:20-2"]
enough = ps.HalfWidth("lead_time", relative=0.005)
answer_2 = ps.replicate(mine.pipeline, mine.profile, until=enough, days=20, seed=1).n

# %% tags=["check:20-2"]
ps.classroom.check("20-2", answer_2)

# %% [markdown]
# **3. Learn from history.** Eight weeks of a pipeline, and nobody wrote down how long a build takes. What is the
# median of `Build/CodeBuild` in minutes, and what are the odds that it fails? Answer with both.

# %%
weeks = ps.classroom.case("20-3").history
len(ps.executions_table(weeks))

# %% tags=["exercise:20-3"]
build = ps.fit(weeks, replications=2).assumptions.actions["Build/CodeBuild"]
answer_3 = (build.duration.quantile(0.5) / 60, build.fails)

# %% tags=["check:20-3"]
ps.classroom.check("20-3", answer_3)

# %% [markdown]
# **4. Decide, with evidence.** Four changes are on the table for your team. Which one shortens the mean lead time
# most, and by how many minutes?

# %%
table = ps.classroom.case("20-4")
list(table.changes)

# %% tags=["exercise:20-4"]
sides = ps.compare((table.pipeline, table.profile), table.changes, n=100, days=20, seed=1)
gains = {name: -sides.difference(name, "lead_time").estimate / 60 for name in table.changes}
best = max(gains, key=gains.get)
answer_4 = (best, gains[best])

# %% tags=["check:20-4"]
ps.classroom.check("20-4", answer_4)

# %% [markdown]
# ## In practice
#
# - The model knows what you told it. People change their habits when a pipeline changes: an approver who is asked ten
#   times a day answers differently from one who is asked once.
# - A history from a quiet month says little about a busy one.
# - The price comes from AWS's list prices of the date that the catalog names. Look at your bill, too.
# - `pipesim whatif FILE --change "parallelise Test"` asks the same from a shell, and writes a report to hand on.
#
# ## Further reading
#
# - A. Law, *Simulation Modeling and Analysis*, on warm-up, replications and common random numbers.
# - The DORA reports, on lead time and deployment frequency.
#
# Next: [Bring your own pipeline](21_your_own.ipynb).
