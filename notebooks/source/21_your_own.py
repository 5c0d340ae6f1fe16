# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Bring your own pipeline
#
# ## What you'll do
#
# Take a pipeline that exists, draw it, simulate it, find what it waits for, and make it better. The last exercise is
# the examination of the course.
#
# ## What you'll learn
#
# After this notebook you can
#
# - bring a pipeline from your own account, or from a CloudFormation template, into pipesim,
# - write down what you know about it, and see what the catalog assumes for the rest,
# - find the stage that everybody waits for,
# - design a pipeline to a target, and prove that it meets it.
#
# ## What you'll need
#
# The lessons before this one. If you have access to a pipeline of your own, the files that are named below.
# About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Bring it
#
# In a terminal with credentials, this writes a pipeline to a file. It reads, and changes nothing:
#
# ```
# aws codepipeline get-pipeline --name NAME > mine.json
# aws codepipeline list-action-executions --pipeline-name NAME > history.json
# ```
#
# Put the file beside this notebook, and write `ps.load("mine.json")`. Here, the course's shop stands in for it.

# %%
mine = ps.load(ps.sample("e-commerce"))
ps.check(mine)

# %%
mine

# %% [markdown]
# ## Write down what you know
#
# What you do not say is taken from the catalog, and marked as assumed. Say what you know, and no more.

# %%
known = ps.load_profile("""
arrivals = { office = { per_day = 12, hours = "Mon-Fri 09:00-17:00", time_zone = "UTC" } }
actions."Build/Backend".duration = { median = "8m", p95 = "13m" }
actions."Test/EndToEnd" = { duration = { median = "24m", p95 = "36m" }, fails = 0.04 }
approvals."*".response = { median = "20m", p95 = "1h" }
""")
trace = ps.simulate(mine, known, seed=1, until=ps.days(5))
ps.executions_table(trace)["status"].value_counts()

# %% [markdown]
# The red text is meant to be there: a name that does not fit is told, and does not silently change nothing.

# %% tags=["raises-exception"]
ps.simulate(mine, ps.load_profile('actions."Test/EndToEd".duration = "24m"'))

# %% [markdown]
# ## Predict, then run: what does everybody wait for?
#
# Of the seven stages, one holds the others up. Which one? A stage that is busy nearly all the time has a queue in
# front of it; look at the column of its utilisation.

# %%
week = ps.replicate(mine, known, 30, days=20, seed=1)
shares = {stage.name: week.interval(f"utilisation.{stage.name}").estimate for stage in mine.stages}
{name: f"{share:.0%}" for name, share in shares.items()}

# %%
ps.timeline(trace)

# %% [markdown]
# ## Improve it
#
# Now the question is not what could be faster, but what is worth it. Two changes, and what each wins:

# %%
ideas = {
    "end-to-end tests in half the time": ps.edit.scale_duration("Test/EndToEnd", 0.5),
    "approval answered in ten minutes": ps.edit.approver_response("Approval/Stakeholders", ps.minutes(10)),
}
ps.compare((mine, known), ideas, n=60, days=20, seed=1)

# %% [markdown]
# Or with your hands: change the pipeline in the builder, and simulate what you made.

# %%
builder = ps.widgets.Builder(mine)
builder

# %% [markdown]
# ## Check yourself

# %%
busiest_stage = ""  # which stage is busy for the largest share of the time?
print("right" if busiest_stage == max(shares, key=shares.get) else "not yet: read the shares above")

# %% [markdown]
# ## Summary
#
# - Any pipeline that the AWS CLI can print can be read, drawn, checked and simulated.
# - Say what you know; the rest is assumed, and named.
# - First find the stage that everybody waits for; what is won elsewhere is lost again in front of it.
# - A design is finished when its target is met by a simulation with an interval, not when it looks right.
#
# ## Exercises
#
# **1. Read what somebody else wrote.** Three mistakes in one declaration. Find and mend them.

# %%
found = ps.classroom.case("21-1")
for problem in ps.check(found.declaration):
    print(problem)

# %% tags=["exercise:21-1"]
answer_1 = ps.load("GitHub -> CodeBuild -> Tests -> Manual Approval -> S3")

# %% tags=["check:21-1"]
ps.classroom.check("21-1", answer_1)

# %% [markdown]
# **2. Where does the time go?** Which stage of this pipeline is the busiest? Answer with its name.

# %%
crowded = ps.classroom.case("21-2")
crowded.pipeline

# %% tags=["exercise:21-2"]
days = ps.replicate(crowded.pipeline, crowded.profile, 20, days=14, seed=1)
busy = {stage.name: days.interval(f"utilisation.{stage.name}").estimate for stage in crowded.pipeline.stages}
answer_2 = max(busy, key=busy.get)

# %% tags=["check:21-2"]
ps.classroom.check("21-2", answer_2)

# %% [markdown]
# **3. Under an hour, under forty dollars, with two approvals.** The examination. A team wants 95 of 100 changes in
# production in less than an hour, for less than forty dollars a month, and two people must agree first, one for the
# quality and one for the business. Change the shape of the pipeline only: every build, test and deployment
# keeps its stage and its name; approvals may move. The people and the machines stay as they are.

# %%
goal = ps.classroom.case("21-3")
goal.pipeline

# %%
ps.replicate(goal.pipeline, goal.profile, 60, days=30, seed=1)

# %% tags=["exercise:21-3"]
document = goal.pipeline.to_document()
stages = {stage["name"]: stage for stage in document["stages"]}
for action in stages["Test"]["actions"]:
    action["runOrder"] = 1
business = stages["Business"]["actions"][0]
stages["Quality"]["actions"][0]["name"], business["name"] = "Quality", "Business"
stages["Quality"]["actions"].append(business)
document["stages"].remove(stages["Business"])
answer_3 = ps.load(document)

# %% tags=["check:21-3"]
ps.classroom.check("21-3", answer_3)

# %% [markdown]
# ## In practice
#
# - A declaration holds names of accounts, roles and buckets. pipesim sends nothing anywhere; still, look at a file
#   before you hand it to somebody else.
# - Measure again after the change. If the pipeline does not do what the simulation said, one of the assumptions was
#   wrong, and it is worth knowing which.
# - The same from a shell: `pipesim run mine.json`, `pipesim whatif mine.json --change "parallelise Test"`.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Pipeline structure reference", "Quotas in AWS CodePipeline".
# - *AWS CodePipeline pricing*, for your region.
#
# Back to the first lesson: [Send your first change to production](01_what_a_pipeline_is.ipynb).
