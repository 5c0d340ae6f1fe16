# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Let changes come in
#
# ## What you'll do
#
# Connect pipelines to repositories, buckets and images, push to them, and decide what starts a pipeline and what
# does not.
#
# ## What you'll learn
#
# After this notebook you can
#
# - name the five sources of changes, and say how a pipeline hears of each,
# - write filters for branches, tags, file paths and pull requests, and predict what they let in,
# - give different branches of one repository pipelines of their own,
# - choose between polling and events, knowing what polling costs.
#
# ## What you'll need
#
# Lessons 1 to 3. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Five doors
#
# A change can come in by five doors: three kinds of Git repository, a registry of container images, and a plain file
# in a bucket. Each door has to be told where to look.

# %%
names = ("CodeCommit", "GitHub", "Bitbucket", "ECR", "S3")
doors = {name: ps.load(f"{name} → S3").stages[0].actions[0] for name in names}
{name: (door.provider, *door.configuration) for name, door in doors.items()}

# %% [markdown]
# GitHub and Bitbucket share one action: both are reached through a *connection*, whose name in declarations is still
# the old one, `CodeStarSourceConnection`. A connection is made once, by a person who logs in to the provider and
# agrees; pipelines use it from then on, and no password is written anywhere.
#
# How does a pipeline hear of a change?
#
# | door | how it is noticed |
# |---|---|
# | GitHub, Bitbucket, GitLab | the provider tells the connection |
# | CodeCommit, S3 | an EventBridge rule, or the pipeline polls |
# | ECR | an EventBridge rule |
#
# ## Connect a repository
#
# Here is a mocked account, and a GitHub repository beside it. `connect` does what the person does in the browser.

# %%
cloud = ps.Cloud(seed=1).open()
shop = cloud.repository("ana/shop")
first = shop.push({"src/app.py": "print(1)", "docs/help.md": "# Help"}, message="First")
first.id[:7], first.message

# %%
document = ps.load("GitHub → S3").to_document() | {"name": "shop", "pipelineType": "V2"}
fetch = document["stages"][0]["actions"][0]["configuration"]
fetch |= {"ConnectionArn": cloud.connect("GitHub"), "FullRepositoryId": "ana/shop"}
record = cloud.provision(document)
cloud.run_until_idle()


# %% [markdown]
# The next function will be of use again and again: what started a pipeline, and with which commit, the newest first.


# %%
def runs(name):
    answer = cloud.client("codepipeline").list_pipeline_executions(pipelineName=name)
    return [
        (run["trigger"]["triggerType"], run["sourceRevisions"][0]["revisionId"][:7])
        for run in answer["pipelineExecutionSummaries"]
    ]


runs("shop")

# %% [markdown]
# Creating the pipeline started it. From now on pushes do. Predict: a push to `main`, a push to the branch `idea`,
# and a tag. Which of the three start the pipeline?

# %%
pushed = [shop.push({"src/app.py": "print(2)"}), shop.push({"src/app.py": "print(3)"}, "idea"), shop.tag("v1.0")]
cloud.run_until_idle()
[commit.id[:7] for commit in pushed], runs("shop")

# %% [markdown]
# Only the first. Without further orders, a pipeline listens to pushes to its `BranchName`, to every one of them, and
# to nothing else.
#
# ## Triggers and filters
#
# Often that is too much or too little. A *trigger* takes the place of the default, and its *filters* say what it lets
# in. This one wants pushes to `main` that change something under `src`, Markdown files excepted.

# %%
wanted = {"branches": {"includes": ["main"]}, "filePaths": {"includes": ["src/**"], "excludes": ["**/*.md"]}}
trigger = {"providerType": "CodeStarSourceConnection"}
trigger["gitConfiguration"] = {"sourceActionName": "GitHub", "push": [wanted]}
filtered = ps.load({**document, "triggers": [trigger]})

# %% [markdown]
# The rules, in one place:
#
# - One fitting filter of the list is enough; inside a filter, every criterion must fit.
# - Excludes win over includes.
# - Each changed file is looked at alone. One that passes is enough.
# - In a pattern, `*` stays inside one folder, `**` goes through all of them, `?` is one character, `{a,b}` one of two.
# - A filter is about tags, or about branches, or about branches and paths; or about pull requests.
#
# ## Predict, then run
#
# Five pushes, ten minutes apart. Write down which ones start the pipeline.

# %%
pushes = [
    ps.Push("main", files=("src/app.py",)),
    ps.Push("main", files=("docs/help.md",)),
    ps.Push("main", files=("docs/help.md", "src/cart/price.py")),
    ps.Push("main", files=("src/NOTES.md",)),
    ps.Push("idea", files=("src/app.py",)),
]
trace = ps.simulate(filtered, seed=1, commands=[(ps.minutes(10 * n), push) for n, push in enumerate(pushes, 1)])
ps.timeline(trace)

# %% [markdown]
# The first and the third (`E1` is the execution that the creation started). The trace keeps what was ignored, too:

# %%
table = ps.events_table(trace)
list(table[table["text"].str.contains("Change|WebhookV2")]["text"])

# %%
ps.widgets.Player(trace)

# %% [markdown]
# That was a simulation, which needs no account. The mocked account behaves in the same way: hand the trigger over to
# `update_pipeline`, and push.

# %%
codepipeline = cloud.client("codepipeline")
account_side = record.pipeline.to_document()
codepipeline.update_pipeline(pipeline={**account_side, "triggers": [trigger]})["pipeline"]["version"]

# %%
ignored = shop.push({"docs/help.md": "# More help"}, message="Help")
taken = shop.push({"src/app.py": "print(4)"}, message="Four")
cloud.run_until_idle()
(ignored.id[:7], taken.id[:7]), runs("shop")[0]

# %% [markdown]
# ## Pull requests
#
# A pull request can be tested before it is merged. Its filter names the branch that is to *take* the changes, and the
# events: `OPEN`, `UPDATED`, `CLOSED`. Predict: a pull request is opened, gets another commit, and is merged. With this
# trigger, how many executions does that make?

# %%
asking = [{"branches": {"includes": ["main"]}, "events": ["OPEN", "UPDATED"]}]
review = {**trigger, "gitConfiguration": {"sourceActionName": "GitHub", "pullRequest": asking}}
cloud.provision({**document, "name": "review", "triggers": [review]})
cloud.run_until_idle()

# %%
request = shop.open_pull_request("cart", "main", "A cart", files={"src/cart.py": "1"})
second, merged = request.push({"src/cart.py": "2"}), request.merge()
cloud.run_until_idle()
runs("review"), runs("shop")[0], merged.id[:7]

# %% [markdown]
# Two, each with the newest commit of the pull request's own branch, whatever `BranchName` says. The merge is a push
# to `main`: that is the business of the other pipeline.
#
# ## A pipeline for each branch
#
# Work in progress wants quick tests; `main` wants everything, with approvals. Rather than one pipeline full of
# conditions, make several that listen to different branches of the same repository.

# %%
for name, pattern in {"feature": "feature/**", "live": "main"}.items():
    push = [{"branches": {"includes": [pattern]}}]
    only = {**trigger, "gitConfiguration": {"sourceActionName": "GitHub", "push": push}}
    cloud.provision({**document, "name": name, "triggers": [only]})
cloud.run_until_idle()

# %%
work = shop.push({"src/app.py": "print(5)"}, "feature/search/fast")
fix = shop.push({"src/app.py": "print(6)"})
cloud.run_until_idle()
(work.id[:7], fix.id[:7]), {name: runs(name) for name in ("feature", "live")}

# %% [markdown]
# ## When AWS says no
#
# Tags and branches do not go together in one filter: a tag belongs to no branch. The red text below is meant to be
# there; `ps.check` would have told the same without an account.

# %% tags=["raises-exception"]
mixed = {"branches": {"includes": ["main"]}, "tags": {"includes": ["v*"]}}
both = {**trigger, "gitConfiguration": {"sourceActionName": "GitHub", "push": [mixed]}}
codepipeline.update_pipeline(pipeline={**account_side, "triggers": [both]})

# %% [markdown]
# Two filters in the list would say what was meant: one of them is enough. This sample has both, and one for pull
# requests.

# %%
ps.load(ps.sample("triggers")).to_document()["triggers"][0]["gitConfiguration"]

# %% [markdown]
# ## Polling or events
#
# A CodeCommit or an S3 source polls unless `PollForSourceChanges` is `"false"`; then an EventBridge rule has to start
# the pipeline, and `provision` makes it as the console would. Here are two pipelines of one repository, one of each
# kind. Predict: somebody pushes. How long until each of them starts?

# %%
polled = ps.load("CodeCommit → S3").to_document() | {"name": "polled"}
told = ps.load("CodeCommit → S3").to_document() | {"name": "told"}
told["stages"][0]["actions"][0]["configuration"]["PollForSourceChanges"] = "false"
both = [cloud.provision(polled), cloud.provision(told)]
cloud.run_until_idle()

# %%
pushed_at = cloud.now
cloud.repository("codecommit-to-s3", provider="CodeCommit").push({"index.html": "new"})
cloud.advance(minutes=5)
latest = [codepipeline.list_pipeline_executions(pipelineName=one.name)["pipelineExecutionSummaries"][0] for one in both]
{run["trigger"]["triggerType"]: f"{(run['startTime'] - pushed_at).total_seconds():.0f} s" for run in latest}

# %% [markdown]
# Events are quicker, and cost nothing while nobody pushes. AWS recommends them; polling is there for old pipelines,
# and it is switched off after thirty days without an execution. You will meet old ones: this sample is of type V1, with
# the GitHub action of those days, and a token in its configuration.

# %%
ps.load(ps.sample("v1")).to_document()["stages"][0]["actions"][0]["configuration"]

# %% [markdown]
# The rule that replaces the polling is an ordinary EventBridge rule:

# %%
rule = cloud.client("events").list_rules()["Rules"][0]
rule["EventPattern"]

# %% [markdown]
# Images and objects come in the same way. What arrives from ECR is no code, but a small file that names the image.

# %%
images = cloud.provision("ECR → S3")
cloud.run_until_idle()
cloud.push_image("ecr-to-s3", tag="latest")
cloud.run_until_idle()
bucket = images.pipeline.stages[1].actions[0].configuration["BucketName"]
print(cloud.client("s3").get_object(Bucket=bucket, Key="imageDetail.json")["Body"].read().decode())

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
event_driven = 0  # how many of the five doors at the top can work without polling?
too_many = ""  # which filter of `wanted` kept src/NOTES.md out: "branches" or "filePaths"?
print("1:", "right" if event_driven == len(doors) else "not yet: look at the table again")
print("2:", "right" if too_many and "*.md" in str(wanted.get(too_many)) else "not yet: which one speaks of files?")

# %% [markdown]
# ## Summary
#
# - Connections bring pushes from GitHub, Bitbucket and GitLab; EventBridge brings CodeCommit, S3 and ECR.
# - Without triggers: every push to `BranchName`. With triggers: what their filters let in, and nothing else.
# - Filters know branches, tags, file paths and pull requests. Excludes win. One fitting file is enough.
# - Several pipelines can listen to one repository, each to its own branches.
# - Polling is slower, and sees only the newest of several commits.
#
# ## Exercises
#
# **1. Which of them start the pipeline?** Here are the filters of a trigger, and eight things that happen. Answer with
# the letters of those that start the pipeline.

# %%
guess = ps.classroom.case("04-1")
guess.filters

# %%
guess.events

# %% tags=["exercise:04-1"]
answer_1 = []
for letter, event in guess.events.items():
    trace = ps.simulate(guess.pipeline, seed=1, commands=[(600, event)])
    if any(one.kind == "ExecutionStarted" and one.time >= 600 for one in trace):
        answer_1.append(letter)

# %% tags=["check:04-1"]
ps.classroom.check("04-1", answer_1)

# %% [markdown]
# **2. Only what concerns it.** Many services share one repository. `mine.pipeline` belongs to the service in
# `mine.folder`. It should start when somebody pushes to `main`, or to a branch such as `release/2`, and something in
# that folder, or in folders below it, changes; Markdown files do not count. Nothing else should start it. Answer with
# the declaration. The check pushes to a repository of its own (close your cloud first, if you have opened one).

# %%
mine = ps.classroom.case("04-2")
mine.folder

# %% tags=["exercise:04-2"]
paths = {"includes": [f"{mine.folder}/**"], "excludes": ["**/*.md"]}
push = [{"branches": {"includes": ["main", "release/*"]}, "filePaths": paths}]
git = {"sourceActionName": "GitHub", "push": push}
triggers = [{"providerType": "CodeStarSourceConnection", "gitConfiguration": git}]
answer_2 = {**mine.pipeline.to_document(), "triggers": triggers}

# %% tags=["check:04-2"]
ps.classroom.check("04-2", answer_2)

# %% [markdown]
# **3. One repository, three pipelines.** Give the three declarations in `week.declarations` triggers:
#
# - `test` runs for every pull request into `main` that is opened or gets a new commit,
# - `staging` runs for whatever arrives on `main`,
# - `production` runs for tags that begin with `v`, such as `v1.0`, but not for those that have the word
#   `week.not_yet` in them.
#
# Nothing else starts anything. Answer with the dictionary of the three.

# %%
week = ps.classroom.case("04-3")
week.not_yet

# %% tags=["exercise:04-3"]
git = {
    "test": {"pullRequest": [{"branches": {"includes": ["main"]}, "events": ["OPEN", "UPDATED"]}]},
    "staging": {"push": [{"branches": {"includes": ["main"]}}]},
    "production": {"push": [{"tags": {"includes": ["v*"], "excludes": [f"*{week.not_yet}*"]}}]},
}
answer_3 = {}
for name, filters in git.items():
    triggers = [{**trigger, "gitConfiguration": {"sourceActionName": "GitHub", **filters}}]
    answer_3[name] = {**week.declarations[name], "triggers": triggers}

# %% tags=["check:04-3"]
ps.classroom.check("04-3", answer_3)

# %% [markdown]
# **4. What polling costs.** Somebody pushes to `race.repository` at the seconds `race.pushes`. The first
# execution of each pipeline, at second 0, does not count. How many executions does `race.polled` make of it, how many
# does `race.told`, and how many seconds does the unluckiest push wait, with polling, until an execution starts? Answer
# with the three numbers. `with ps.Cloud(seed=1) as yours:` closes the cloud at the end of the cell, and
# `yours.advance(to=130)` goes to second 130.

# %%
race = ps.classroom.case("04-4")
race.pushes, race.polled.stages[0].actions[0].configuration

# %% tags=["exercise:04-4"]
with ps.Cloud(seed=1) as yours:
    records = [yours.provision(race.polled), yours.provision(race.told)]
    for second in race.pushes:
        yours.advance(to=second)
        yours.repository(race.repository, "CodeCommit").push({"index.html": str(second)})
    yours.advance(minutes=5)
    polled, told = ([e.time for e in one.simulation.trace if e.kind == "ExecutionStarted"][1:] for one in records)
waits = [min(start for start in polled if start >= push) - push for push in race.pushes]
answer_4 = [len(polled), len(told), max(waits)]

# %% tags=["check:04-4"]
ps.classroom.check("04-4", answer_4)

# %% [markdown]
# ## In practice
#
# - How often the service polls is not published; once a minute is an assumption here.
# - A push that creates a branch starts no pipeline whose filter has file paths: there is nothing to compare with.
# - Only the first hundred changed files of a push are looked at.
# - Whether patterns mind upper and lower case is not documented. Here they do.
# - GitHub can also be reached with a token and a webhook ("version 1"). AWS advises against it for new pipelines.
# - An S3 source needs a versioned bucket. A new version counts as a change even when its bytes are the same.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Automate starting pipelines using triggers and filtering", "Working with glob
#   patterns in syntax", "Source actions and change detection methods", "CodeStarSourceConnection for Bitbucket Cloud,
#   GitHub, …".
#
# Next: [Build it, and have it built by others](05_builds.ipynb).
