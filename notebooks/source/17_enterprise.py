# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Two people who must say yes
#
# ## What you'll do
#
# Follow changes of a bank's ledger through nine stages, three environments and two approvals; find the jam; and show an
# auditor that nothing gets past the rules.
#
# ## What you'll learn
#
# After this notebook you can
#
# - explain why a large pipeline has the stages that it has, and in this order,
# - say what a second approval costs, and what it protects,
# - decide whether an approval should share a stage with the deployment behind it, with evidence for and against,
# - read an audit trail off the history: who let what through, when, and why.
#
# ## What you'll need
#
# Lessons 9, 10 and 12; lesson 16 is the small brother of this one. No AWS account. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Nine stages
#
# CodeCommit keeps the code. It is built once, scanned, deployed to development, tested together with its neighbours;
# then a release manager decides about staging. There it is put under load, and an executive decides about production.

# %%
enterprise = ps.load(ps.sample("enterprise"))
enterprise

# %% [markdown]
# Read it as an auditor would. What is deployed, where, and from which artifact?

# %%
for stage, action in enterprise.actions():
    if action.category == "Deploy":
        print(stage.name, action.configuration["DeploymentGroupName"], action.input_artifacts)

# %% [markdown]
# Three environments, one package: what was tested is what goes to production. Both security scans stand before the
# first deployment, so nothing unscanned runs anywhere. And both people read the id of the commit in the question:

# %%
[action.configuration["CustomData"] for _, action in enterprise.actions() if action.is_approval]

# %% [markdown]
# ## Predict, then run: two weeks
#
# Ten changes a working day come in. The release manager is there from nine to five; the executive from Monday to
# Thursday, ten to four, and needs half a day for an answer. Before you run it: how many of the hundred changes reach
# production in eleven days? Where do the others end?

# %%
habits = ps.load_profile(ps.sample_profile("enterprise"))
weeks = ps.simulate(enterprise, habits, seed=1, until=ps.days(11))
table = ps.executions_table(weeks)
table.groupby(["status", "stage"]).size()

# %% [markdown]
# Nine deployments. Two thirds of the changes were overtaken, most of them in front of a person. Their work is not lost:
# whoever overtook them carries it along. But a release now holds some ten changes, and if it fails, nobody
# knows which of them it was. The first two days, stage by stage, and the same as a film:

# %%
two_days = ps.simulate(enterprise, habits, seed=1, until=ps.days(2))
ps.timeline(two_days, by="stage")

# %%
ps.widgets.Player(two_days)

# %% [markdown]
# ## Where it jams
#
# A stage holds one change at a time. The share of the time in which somebody is inside tells how much is left.

# %%
measures = ps.measures_table(weeks).query("measure == 'stage_utilisation'")
measures[["of", "value"]].round(2)

# %% [markdown]
# `Production` is occupied for nearly nine tenths of the time: by changes that wait for the executive. No faster test
# will help as long as that is so.
#
# ## Why do executive and deployment share a stage?
#
# They could stand in two. While one change is being deployed, the executive could already look at the next. So let us
# ask the simulation, first with the habits above. (With more places for builds the fast engine can be used.)

# %%
apart = {"the executive apart": ps.edit.own_stage("Production/Executive")}
usual = ps.edit.pool("builds", 10)(ps.edit.Scenario(enterprise, habits))
first = ps.compare((usual.pipeline, usual.assumptions), apart, n=60, days=20, seed=1)
{name: first.difference("the executive apart", name) for name in ("shipped", "approvals_wasted")}

# %% [markdown]
# Both intervals hold zero: it makes no difference that could be told from luck. A deployment of twenty minutes is short
# beside an answer that takes half a day. Predict what happens when it is the other way round: deployments of four
# hours, and an executive who answers within half an hour.

# %%
long = ps.edit.duration("Production/Deploy", ps.hours(4))
quick = ps.edit.approver_response("Production/Executive", ps.minutes(30))
other = (long | quick)(usual)
second = ps.compare((other.pipeline, other.assumptions), apart, n=60, days=20, seed=1)
{name: second.difference("the executive apart", name) for name in ("shipped", "approvals_wasted")}

# %% [markdown]
# Apart, more is shipped, and more approvals are given in vain: a change that the executive has approved waits in front
# of `Production`, and a newer one takes its place. What the executive said yes to is not what is deployed.
#
# In one stage this cannot happen, whatever the durations are: nobody can come between the answer and the deployment.
# It is not a question of speed but of a promise: *what was approved is what is deployed*. That promise is what
# compliance asks for, and here it costs nothing.
#
# ## For real
#
# Now in a mocked account, with real builds and real deployments to three groups of machines.

# %%
cloud = ps.Cloud(seed=1).open()
record = cloud.provision(enterprise)
cloud.run_until_idle()
codepipeline = cloud.client("codepipeline")

# %% [markdown]
# A small function finds the question of one person in the state, and one answers it.


# %%
def question(stage):
    states = {one["stageName"]: one for one in codepipeline.get_pipeline_state(name="enterprise")["stageStates"]}
    return states[stage]["actionStates"][0]["latestExecution"]


def approve(stage, action, token, summary):
    where = {"pipelineName": "enterprise", "stageName": stage, "actionName": action, "token": token}
    codepipeline.put_approval_result(**where, result={"summary": summary, "status": "Approved"})


# %%
manager = question("Approval")
cloud.advance(hours=1)
approve("Approval", "ReleaseManager", manager["token"], "Integration tests read, release notes attached")
cloud.run_until_idle()
question("Production")["status"]

# %% [markdown]
# Now it is the executive's turn. Could the release manager answer for both? A token belongs to one question, so the red
# text is meant to be there. (With the *permission*, anybody can read the right token; who may answer what is a
# matter of IAM policies, for each action of its own.)

# %% tags=["raises-exception"]
approve("Production", "Executive", manager["token"], "Me again")

# %%
cloud.advance(hours=4)
approve("Production", "Executive", question("Production")["token"], "Released by the board")
cloud.run_until_idle()
[stage["latestExecution"]["status"] for stage in codepipeline.get_pipeline_state(name="enterprise")["stageStates"]]

# %% [markdown]
# ## What the auditor gets
#
# Who answered, what they wrote, and when:

# %%
history = codepipeline.list_action_executions(pipelineName="enterprise")["actionExecutionDetails"]
for one in history:
    if one["input"]["actionTypeId"]["category"] == "Approval":
        said = one["output"]["executionResult"]["externalExecutionSummary"]
        print(one["lastUpdateTime"].strftime("%H:%M"), one["actionName"], one["updatedBy"], said)

# %% [markdown]
# That all three environments got the same bytes:

# %%
deployed = [one for one in history if one["input"]["actionTypeId"]["category"] == "Deploy"]
{one["stageName"]: one["input"]["inputArtifacts"][0]["s3location"]["key"] for one in deployed}

# %% [markdown]
# And, independent of CodePipeline, the calls themselves, refused ones included, as CloudTrail recorded them:

# %%
wanted = [{"AttributeKey": "EventName", "AttributeValue": "PutApprovalResult"}]
calls = cloud.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"]
[(one["EventTime"].strftime("%H:%M"), one["EventName"], one["Username"]) for one in calls]

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
fullest = ""  # which stage is occupied longest?
deployments = 0  # how many changes reached production in the eleven days?
shares = measures.set_index("of")["value"]
print("1:", "right" if fullest == shares.idxmax() else "not yet: look at the table of shares")
reached = (table["status"] == "Succeeded").sum()
print("2:", "right" if deployments == reached else "not yet: look at the table by status and stage")

# %% [markdown]
# ## Summary
#
# - The order of stages is the rule book: scan before the first deployment, decide before each environment that matters.
# - Build once, deploy that package everywhere.
# - Every gate with a calendar is a place where changes pile up. The slowest one sets the pace of all.
# - An approval in the stage of its deployment promises that what was approved is what is deployed.
# - The history and CloudTrail answer the auditor; nobody has to keep a list.
#
# ## Exercises
#
# **1. Two calendars.** One change is pushed at the time shown. The release manager works Monday to Friday from nine to
# five and needs `clock.manager_hours` hours; the executive Monday to Thursday from ten to four, and needs
# `clock.executive_hours`. After how many hours is the change in production? The profile has the rest.

# %%
clock = ps.classroom.case("17-1")
clock.pushed, clock.manager_hours, clock.executive_hours

# %% tags=["exercise:17-1"]
trace = ps.simulate(clock.pipeline, clock.profile, seed=1)
answer_1 = ps.executions_table(trace)["lead_time_s"][0] / 3600

# %% tags=["check:17-1"]
ps.classroom.check("17-1", answer_1)

# %% [markdown]
# **2. Where does it jam?** Two weeks of another team with the same pipeline. Which stage is occupied longest, and for
# how many percent of the time?

# %%
jam = ps.classroom.case("17-2").trace
len(ps.executions_table(jam))

# %% tags=["exercise:17-2"]
shares = ps.measures_table(jam).query("measure == 'stage_utilisation'").set_index("of")["value"]
answer_2 = (shares.idxmax(), 100 * shares.max())

# %% tags=["check:17-2"]
ps.classroom.check("17-2", answer_2)

# %% [markdown]
# **3. The auditor's findings.** Somebody has "improved" the pipeline. AWS accepts it, the auditor does not: two of
# these rules are broken. Nothing unscanned is deployed; nothing reaches staging without the release manager, nor
# production without the executive; all environments get the same package. Find out which, and mend the declaration.

# %%
audited = ps.load(ps.classroom.case("17-3").declaration)
ps.draw(audited, artifacts=True)

# %% tags=["exercise:17-3"]
document = audited.to_document()
stages = {stage["name"]: stage for stage in document["stages"]}
stages["LoadTest"]["actions"] = stages["LoadTest"]["actions"][:1]
stages["Production"]["actions"][1] |= {"runOrder": 2, "inputArtifacts": [{"name": "Package"}]}
order = [stage.name for stage in enterprise.stages]
answer_3 = document | {"stages": [stages[name] for name in order]}

# %% tags=["check:17-3"]
ps.classroom.check("17-3", answer_3)

# %% [markdown]
# **4. Faster, and still allowed.** Four proposals for yet another team. The rules ask for two people. Which of the
# *allowed* ones shortens the mean lead time most, and by how many hours? Use `n=60, days=20, seed=1`.

# %%
board = ps.classroom.case("17-4")
list(board.changes)

# %% tags=["exercise:17-4"]
sides = ps.compare((board.pipeline, board.profile), board.changes, n=60, days=20, seed=1)
allowed = [name for name in board.changes if name != "no executive"]
hours = {name: -sides.difference(name, "lead_time").estimate / 3600 for name in allowed}
best = max(hours, key=hours.get)
answer_4 = (best, hours[best])

# %% tags=["check:17-4"]
ps.classroom.check("17-4", answer_4)

# %% [markdown]
# ## In practice
#
# - In a real company the three environments are often three AWS accounts. Each action then has a role in its account,
#   and bucket and key must let that role in (lesson 3).
# - Two approvals by the same person are one approval. Give each action its own permission, to different groups.
# - The mocked deployment copies files and runs no hooks of yours on real machines; durations are assumptions.
# - The execution history is kept for a year. If the law wants longer, let CloudTrail write to a bucket of its own.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Add a manual approval action to a stage", "Grant approval permissions to an IAM
#   user", "Logging CodePipeline API calls with AWS CloudTrail", "Create a pipeline that uses resources from another
#   account".
#
# Next: [Ship two services side by side](18_microservices.ipynb).
