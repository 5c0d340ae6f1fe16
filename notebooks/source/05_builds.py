# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Build it, and have it built by others
#
# ## What you'll do
#
# Let CodeBuild build a shop after your own buildspec, read what it left behind, and then do by hand what a Jenkins
# server does: take a job from CodePipeline, and report back.
#
# ## What you'll learn
#
# After this notebook you can
#
# - write a buildspec: phases, variables that are handed on, the files of the artifact,
# - find the phase, the command and the log of a build that failed,
# - run several builds as a batch,
# - say how Jenkins, CloudBees and TeamCity fit in, and write a job worker for one of them.
#
# ## What you'll need
#
# Lessons 1 to 4. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## CodeBuild
#
# The pipeline hands a source artifact to a build *project*, CodeBuild starts a fresh machine, does what the file
# `buildspec.yml` of the source says, puts the outcome into S3, and throws the machine away.
# In the mocked account everything around the commands is real; the commands themselves are told, not executed.

# %%
cloud = ps.Cloud(seed=1).open()
document = ps.load("GitHub → CodeBuild → S3").to_document()
document["name"] = "shop"
document["stages"][0]["actions"][0]["configuration"]["FullRepositoryId"] = "ana/shop"
document["stages"][1]["actions"][0] |= {"namespace": "Built", "configuration": {"ProjectName": "shop"}}
document["stages"][2]["actions"][0]["configuration"] |= {"BucketName": "site", "ObjectKey": "#{Built.VERSION}"}
ps.load(document)

# %% [markdown]
# Two lines there are new. `namespace` gives the variables of the build a name, and `#{Built.VERSION}` reads one of
# them: each version of the shop goes into a folder of its own. Now the buildspec.

# %%
buildspec = """version: 0.2
env: {exported-variables: [VERSION]}
phases:
  pre_build: {commands: [export VERSION=1.4.0]}
  build: {commands: [npm test, npm run build]}
artifacts: {base-directory: dist, files: ["**/*"]}
"""
files = {"buildspec.yml": buildspec, "dist/index.html": "<h1>Shop</h1>", "src/app.ts": "let price = 3"}

# %% [markdown]
# ## Predict, then run
#
# Which objects will the bucket `site` hold after one run? Write down their keys.

# %%
shop = cloud.repository("ana/shop")
shop.push(files, message="First")
record = cloud.provision(document)
cloud.run_until_idle()
[one["Key"] for one in cloud.client("s3").list_objects_v2(Bucket="site")["Contents"]]

# %% [markdown]
# One. `base-directory` is where files are looked for, and it is left out of their names; `src/app.ts` was never part
# of the artifact. The build itself is there to be read:

# %%
codebuild = cloud.client("codebuild")
[build] = codebuild.batch_get_builds(ids=codebuild.list_builds()["ids"])["builds"]
{one["phaseType"]: one.get("durationInSeconds") for one in build["phases"]}

# %%
logs = cloud.client("logs")
place = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
lines = [one["message"] for one in logs.get_log_events(**place)["events"]]
print(*lines[10:16], sep="\n")

# %% [markdown]
# Of its two and a half minutes the machine spent half a minute on being there at all. That is the price of a fresh one
# for every build. What the build hands on besides its files, are the exported variables:

# %%
build["exportedEnvironmentVariables"]

# %% [markdown]
# ## A red test
#
# Somebody pushes a change whose test fails. In the mocked account `exit 2` stands for that.
# Predict: which phase fails, and what happens to the site?

# %%
shop.push({"buildspec.yml": buildspec.replace("npm test", "exit 2")}, message="A hasty change")
cloud.run_until_idle()
print(cloud.explain("shop"))

# %% [markdown]
# The site is untouched: without a success there is no artifact, and without an artifact nothing to deploy.
# Here are both changes; first as a picture, then to play with. Click a card to see its artifacts.

# %%
ps.timeline(record.simulation.trace)

# %%
ps.widgets.Player(record.simulation.trace)

# %% [markdown]
# ## Several builds at once
#
# With `BatchEnabled` one action runs a whole *batch*. The buildspec says which builds there are, and what waits for
# what. Predict: each of the three takes five minutes. When is the batch over?

# %%
cloud.close()
document["stages"][1]["actions"][0]["configuration"]["BatchEnabled"] = "true"
batch = """batch:
  build-graph:
    - {identifier: linux}
    - {identifier: windows}
    - {identifier: installer, depend-on: [linux, windows]}
"""

# %%
cloud = ps.Cloud(seed=1, assumptions=ps.load_profile('actions."Build/CodeBuild".duration = "5m"')).open()
cloud.repository("ana/shop").push({**files, "buildspec.yml": buildspec + batch})
cloud.provision(document)
cloud.run_until_idle()
codebuild = cloud.client("codebuild")
ids = codebuild.list_build_batches_for_project(projectName="shop")["ids"]
[told] = codebuild.batch_get_build_batches(ids=ids)["buildBatches"]
f"{told['endTime'] - told['startTime']}", [one["identifier"] for one in told["buildGroups"]]

# %% [markdown]
# Ten minutes: two builds side by side, then the third.
#
# ## A server outside of AWS
#
# Jenkins, CloudBees and TeamCity do not run in AWS's name. For each of them there is a *custom action type*, and the
# direction is turned round: CodePipeline calls nobody. It puts up a *job*, and waits until a *job worker* comes and
# asks. Predict: nobody comes. What does the stage say after five hours?

# %%
cloud.close()
cloud = ps.Cloud(seed=1).open()
record = cloud.provision(ps.load("S3 → Jenkins → S3"))
cloud.advance(hours=5)
codepipeline = cloud.client("codepipeline")
codepipeline.get_pipeline_state(name=record.name)["stageStates"][1]["latestExecution"]["status"]

# %% [markdown]
# It waits, and would wait for a day. So play the worker yourself. First call: is there work for me?

# %%
mine = {"category": "Build", "owner": "Custom", "provider": "Jenkins", "version": "1"}
[job] = codepipeline.poll_for_jobs(actionTypeId=mine)["jobs"]
sorted(job["data"]), job["data"]["actionConfiguration"]["configuration"]

# %% [markdown]
# The job brings everything: what is to be built, where the inputs lie, where the outputs belong, and keys that open
# these places and no others. Second call: I take it. The *nonce* proves that it was handed to me.

# %%
codepipeline.acknowledge_job(jobId=job["id"], nonce=job["nonce"])["status"]

# %% [markdown]
# The red text is meant to be there: somebody else tries to take the same job.

# %% tags=["raises-exception"]
codepipeline.acknowledge_job(jobId=job["id"], nonce="12345")

# %% [markdown]
# Then comes the work, and last the report. Be lazy for once: report success, and build nothing. Predict which stage
# will fail.

# %%
codepipeline.put_job_success_result(jobId=job["id"], executionDetails={"summary": "done!", "externalExecutionId": "1"})
cloud.run_until_idle()
print(cloud.explain(record))

# %% [markdown]
# Not the build! CodePipeline believes its workers. The stage after it looks for the artifact, and does not find it.
#
# ## Hire one
#
# A real worker asks, takes, fetches, builds, uploads and reports, every half minute. `ps.Jenkins` does all of this;
# what remains for you is `build`: files go in, files come out, and `ps.JobFailed` says that it went wrong.


# %%
class Compiler(ps.Jenkins):
    def build(self, project, files):
        if "index.html" not in files:
            raise ps.JobFailed(f"{project}: there is no page to build")
        return {**files, "shop.min.js": b"let p=3"}


# %%
cloud.hire(Compiler)
codepipeline.start_pipeline_execution(name=record.name)
cloud.run_until_idle()
details = codepipeline.list_action_executions(pipelineName=record.name)["actionExecutionDetails"]
results = {one["actionName"]: one["output"]["executionResult"] for one in details[:2]}
results["Jenkins"]["externalExecutionSummary"], results["Jenkins"]["externalExecutionUrl"]

# %% [markdown]
# The link leads to the build at Jenkins' place: the action type has a template for it.
#
# ## Two more of them
#
# CloudBees is a Jenkins for large companies, and its worker is the same, at another address. TeamCity's plugin polls
# for an *action id* instead of a project. Let one compile and the other one pack what was compiled.


# %%
class Packer(ps.TeamCity):
    def build(self, project, files):
        return {**files, "shop.zip": b"packed"}


cloud.hire(ps.CloudBees), cloud.hire(Packer, projects=("night",))
types = codepipeline.list_action_types(actionOwnerFilter="Custom")["actionTypes"]
{one["id"]["provider"]: [key["name"] for key in one["actionConfigurationProperties"]] for one in types}

# %%
both = ps.load("S3 → CloudBees → TeamCity → S3").to_document() | {"name": "both"}
pack = {"TeamCityServerURL": "https://teamcity.example.com", "BuildConfigurationID": "Shop_Pack", "ActionID": "day"}
both["stages"][2]["actions"][0] |= {"configuration": pack, "inputArtifacts": [{"name": "BuildOutput"}]}
ps.draw(ps.load(both), artifacts=True)

# %% [markdown]
# Compare the action id with the one that the packer was hired for. Predict: which stage is where after three hours?

# %%
record = cloud.provision(both)
cloud.advance(hours=3)
states = codepipeline.get_pipeline_state(name="both")["stageStates"]
{one["stageName"]: one.get("latestExecution", {}).get("status") for one in states}

# %% [markdown]
# CloudBees has done its part. TeamCity is there and polls, but for another id: it never sees the job, and nobody gets
# an error. So hire one for the right id.

# %%
cloud.hire(Packer, projects=("day",))
cloud.run_until_idle()
details = codepipeline.list_action_executions(pipelineName="both")["actionExecutionDetails"]
[(one["actionName"], one["output"]["executionResult"]["externalExecutionSummary"]) for one in details[1:3]]

# %% [markdown]
# The protocol is one for all: whoever can make four calls can be a build server.

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
calls = ["poll", "?", "?", "report"]  # what a worker does, in order: "acknowledge", "poll", "report", "work"
without_worker_hours = 0  # after how many hours does an action without a worker fail?
print("1:", "right" if calls == ["poll", "acknowledge", "work", "report"] else "not yet: what comes before the work?")
print("2:", "right" if without_worker_hours == 24 else "not yet: it is said in this lesson")

# %% [markdown]
# ## Summary
#
# - CodeBuild does what the buildspec says: phases of commands, exported variables, files of the artifact.
# - A command that fails fails the build; the message names phase and command, the log has the rest.
# - A batch is several builds in one action, with an order of their own.
# - Jenkins, CloudBees and TeamCity are custom actions: a worker polls, acknowledges, works, and reports.
# - CodePipeline believes a report of success. Whether the artifact is there shows one stage later.
#
# ## Exercises
#
# **1. How long does the batch take?** Read `batch.buildspec`. Each build takes `batch.each_takes` minutes. Answer with
# two numbers: after how many minutes is the batch over, and how many minutes of building are paid for?

# %%
batch = ps.classroom.case("05-1")
print(batch.buildspec)
f"each build takes {batch.each_takes} minutes"

# %% tags=["exercise:05-1"]
with ps.Cloud(seed=1, assumptions=batch.profile) as mine:
    mine.repository("ana/shop").push({"buildspec.yml": batch.buildspec})
    mine.provision(batch.pipeline)
    mine.run_until_idle()
    codebuild = mine.client("codebuild")
    ids = codebuild.list_build_batches_for_project(projectName="shop")["ids"]
    [told] = codebuild.batch_get_build_batches(ids=ids)["buildBatches"]
minutes = (told["endTime"] - told["startTime"]).total_seconds() / 60
answer_1 = (minutes, len(told["buildGroups"]) * batch.each_takes)

# %% tags=["check:05-1"]
ps.classroom.check("05-1", answer_1)

# %% [markdown]
# **2. Write a buildspec.** It runs `site.test`, then `site.package`; only the contents of the folder `site.folder`
# go to the bucket; the variable `site.variable` is exported and has the value `site.value`. A failing test must stop
# it. Answer with the text. Several lines in one text stand between `"""`.

# %%
site = ps.classroom.case("05-2")
site

# %% tags=["exercise:05-2"]
answer_2 = f"""version: 0.2
env:
  variables: {{{site.variable}: "{site.value}"}}
  exported-variables: [{site.variable}]
phases:
  build: {{commands: ["{site.test}", "{site.package}"]}}
artifacts: {{base-directory: {site.folder}, files: ["**/*"]}}
"""

# %% tags=["check:05-2"]
ps.classroom.check("05-2", answer_2)

# %% [markdown]
# **3. A Jenkins of your own.** It fails when the source has no file `own.needs`, and the message names that file.
# Otherwise it hands on everything that came in, and the file `own.makes` besides. Answer with the class.

# %%
own = ps.classroom.case("05-3")
own.needs, own.makes


# %% tags=["exercise:05-3"]
class Mine(ps.Jenkins):
    def build(self, project, files):
        if own.needs not in files:
            raise ps.JobFailed(f"{project}: there is no {own.needs}")
        return {**files, own.makes: b"compiled"}


answer_3 = Mine

# %% tags=["check:05-3"]
ps.classroom.check("05-3", answer_3)

# %% [markdown]
# **4. The four calls of a job worker.** No class helps here. Write a function that takes a client of CodePipeline, and
# is called twice a minute. It takes the jobs of the action type `sign.type_id`, if there are any. Each wants an image
# signed: `job["data"]["actionConfiguration"]["configuration"]["Image"]`. It reports success, but failure for an image
# that ends with `sign.forbidden`, and the message names the image. (The signing itself we leave out.)

# %%
sign = ps.classroom.case("05-4")
sign.type_id, sign.image, sign.forbidden


# %% tags=["exercise:05-4"]
def signing(codepipeline):
    for job in codepipeline.poll_for_jobs(actionTypeId=sign.type_id)["jobs"]:
        codepipeline.acknowledge_job(jobId=job["id"], nonce=job["nonce"])
        if (image := job["data"]["actionConfiguration"]["configuration"]["Image"]).endswith(sign.forbidden):
            codepipeline.put_job_failure_result(jobId=job["id"], failureDetails={"type": "JobFailed", "message": image})
        else:
            codepipeline.put_job_success_result(jobId=job["id"])


answer_4 = signing

# %% tags=["check:05-4"]
ps.classroom.check("05-4", answer_4)

# %% [markdown]
# **5. Two servers, and nobody comes.** In `two.pipeline` CloudBees compiles and TeamCity packs. CloudBees polls for the
# project `two.project`; TeamCity's trigger polls for `two.action_id`, and should build `two.configuration` out of what
# CloudBees has made. Repair the declaration, and answer with it.

# %%
two = ps.classroom.case("05-5")
print(two.project, two.action_id, two.configuration)
ps.draw(two.pipeline, artifacts=True)

# %% tags=["exercise:05-5"]
answer_5 = two.pipeline.to_document()
compiles, packs = answer_5["stages"][1]["actions"][0], answer_5["stages"][2]["actions"][0]
compiles["configuration"]["ProjectName"] = two.project
packs["configuration"] |= {"ActionID": two.action_id, "BuildConfigurationID": two.configuration}
packs["inputArtifacts"] = compiles["outputArtifacts"]

# %% tags=["check:05-5"]
ps.classroom.check("05-5", answer_5)

# %% [markdown]
# ## In practice
#
# - Here commands are told and not executed: what they make is assumed. `exit N`, `false` and a variable that is set to
#   plain text are believed. A real build also runs `post_build` after a failed `build`; ours stops at once.
# - An account runs a limited number of builds at once; what is over the limit waits, or fails (lesson 14).
# - Keep secrets out of the buildspec: `parameter-store` and `secrets-manager` in `env` fetch them.
# - Who may poll for jobs gets the keys to the artifacts. Give that permission to the worker alone.
# - A poll every half minute costs half a minute now and then. That was assumed here; your worker may ask more often.
#
# ## Further reading
#
# - *AWS CodeBuild User Guide*: "Build specification reference for CodeBuild", "Batch build buildspec reference",
#   "Build phase transitions".
# - *AWS CodePipeline User Guide*: "AWS CodeBuild build and test action reference", "Create and add a custom action in
#   CodePipeline", "Integrations with CodePipeline action types".
#
# Next: [Put a change to the test](06_tests.ipynb).
