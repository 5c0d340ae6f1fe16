# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Put a change to the test
#
# ## What you'll do
#
# Test a shop in five ways at once: with CodeBuild, on real phones, in a browser, under load, and for known holes.
#
# ## What you'll learn
#
# After this notebook you can
#
# - read the report of a test run in CodeBuild, case by case,
# - say what one failing phone does to a run, to an action, and to a stage,
# - let partners' services test the user interface and the load,
# - stop a change that brings known vulnerabilities, and choose the thresholds,
# - choose tests by what they find and what they cost.
#
# ## What you'll need
#
# Lessons 1 to 5. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Five tests, side by side
#
# A test action is an action like any other: it takes an artifact, and it succeeds or fails. What it is *for* is to
# fail in time. Here are five kinds; each is done by another service.

# %%
sketch = "GitHub → [CodeBuild (Unit) | Device Farm | Ghost Inspector | BlazeMeter | InspectorScan] (Test) → S3"
document = ps.load(sketch).to_document() | {"name": "shop"}
document["stages"][0]["actions"][0]["configuration"]["FullRepositoryId"] = "ana/shop"
ps.load(document)

# %% [markdown]
# The repository gets the app for the phones, a buildspec that says where the test results lie, and one result: in this
# mocked account commands are told and not executed, so the file of the results comes with the source.

# %%
results = """<testsuite name="cart"><testcase name="adds"/><testcase name="pays"/>
<testcase name="ships"><failure message="no such country"/></testcase></testsuite>"""
spec = "version: 0.2\nphases: {build: {commands: [npm test]}}\nreports: {unit: {files: [junit.xml]}}"
files = {"buildspec.yml": spec, "junit.xml": results, "app.apk": "app", "tests.zip": "tests"}

# %% [markdown]
# The mocked phones do not run your app either. Which of them fails is said in a profile: in the second run, one.

# %%
profile = ps.load_profile("""
actions."Test/Unit".duration = "4m"
actions."Test/BlazeMeter".duration = "15m"
[actions."Test/DeviceFarm"]
duration = "10m"
fails_on = [2]
message = "Login button not found"
variables = { FailingDevices = "Samsung Galaxy S22" }
""")

# %% [markdown]
# Ghost Inspector and BlazeMeter belong to others: they take jobs, like the Jenkins of lesson 5.

# %%
cloud = ps.Cloud(seed=1, assumptions=profile).open()
shop = cloud.repository("ana/shop")
shop.push(files, message="First")
record = cloud.provision(document)
cloud.hire(ps.GhostInspector), cloud.hire(ps.BlazeMeter)
cloud.run_until_idle()

# %%
codepipeline = cloud.client("codepipeline")
for one in codepipeline.list_action_executions(pipelineName="shop")["actionExecutionDetails"][1:6]:
    said = one["output"]["executionResult"].get("externalExecutionSummary", "")
    print(f"{one['actionName']}: {one['status']}. {said}")

# %% [markdown]
# Everything is green. Everything? Look into the report of `Unit`.

# %%
codebuild = cloud.client("codebuild")
[report] = codebuild.list_reports()["reports"]
[(one["name"], one["status"], one["message"]) for one in codebuild.describe_test_cases(reportArn=report)["testCases"]]

# %% [markdown]
# `ships` failed, and yet the action succeeded. A report is a *record*; what fails a build is a command that exits
# with something else than 0. A test command that swallows its failures makes a test that cannot stop anything.
#
# ## Predict, then run: one phone
#
# With the next change one of four phones does not find the login button. How many phones will finish their tests?
# What becomes of the action, the stage, and the load test, which needs five minutes more than the phones?

# %%
shop.push({"README.md": "# Shop"}, message="A new login page")
cloud.run_until_idle()
ps.timeline(record.simulation.trace, by="stage")

# %%
ps.widgets.Player(record.simulation.trace)

# %%
farm = cloud.client("devicefarm", "us-west-2")
[project] = farm.list_projects()["projects"]
[run] = [one for one in farm.list_runs(arn=project["arn"])["runs"] if one["result"] == "FAILED"]
[(job["name"], job["result"], job["message"]) for job in farm.list_jobs(arn=run["arn"])["jobs"]]

# %% [markdown]
# All four phones finished. One red device makes the run red, the run makes the action red, the action the stage.
# The load test was not stopped: what has begun goes on to its end, and only then the stage fails.
# There are phones in one region of AWS only, so the client asks in `us-west-2`, wherever your pipeline is.
#
# ## Partners
#
# What a partner reports is a status, a summary and a link. For people the link is the important part: there is the
# curve, the video, the step that failed. Let the suite fail, and read it.

# %%
cloud.close()
document["stages"][1]["actions"] = document["stages"][1]["actions"][2:3]
document["stages"][2]["actions"][0]["inputArtifacts"] = [{"name": "SourceOutput"}]
cloud = ps.Cloud(seed=1).open()
shop = cloud.repository("ana/shop")
shop.push(files)
record = cloud.provision(document)
cloud.hire(ps.GhostInspector, breaks=("GhostInspector",))
cloud.run_until_idle()

# %%
failed = cloud.client("codepipeline").list_action_executions(pipelineName="shop")["actionExecutionDetails"][0]
failed["output"]["executionResult"]

# %%
cloud.close()

# %% [markdown]
# ## Known holes
#
# `InspectorScan` reads which packages the source pins, and looks them up. What is found is counted by severity, and
# a *threshold* says how many are allowed. Predict: `PyYAML 5.3` has one critical vulnerability. With which threshold
# does the scan fail: 0, or 1?

# %%
scan = ps.load("GitHub → [InspectorScan] (Scan)").to_document() | {"name": "scan"}
scan["stages"][0]["actions"][0]["configuration"]["FullRepositoryId"] = "ana/scan"
cloud = ps.Cloud(seed=1).open()
codepipeline = cloud.client("codepipeline")
cloud.repository("ana/scan").push({"requirements.txt": "PyYAML==5.3\nrequests==2.32.4\n"})
record = cloud.provision(scan)

# %%
for threshold in ("0", "1"):
    scan["stages"][1]["actions"][0]["configuration"]["CriticalThreshold"] = threshold
    codepipeline.update_pipeline(
        pipeline=codepipeline.get_pipeline(name="scan")["pipeline"] | {"stages": scan["stages"]}
    )
    codepipeline.start_pipeline_execution(name="scan")
    cloud.run_until_idle()
    one = codepipeline.list_action_executions(pipelineName="scan")["actionExecutionDetails"][0]
    print(threshold, one["status"], one["output"]["executionResult"]["externalExecutionSummary"])

# %% [markdown]
# A threshold is what is *allowed*: with 0 a single finding is one too many. A severity without a threshold
# stops nothing, however many findings there are.
#
# The red text is meant to be there: a phone farm where there are no phones.

# %% tags=["raises-exception"]
farm = cloud.client("devicefarm", "us-west-2")
farm.create_device_pool(
    projectArn=farm.create_project(name="shop")["project"]["arn"],
    name="old",
    rules=[{"attribute": "MANUFACTURER", "operator": "EQUALS", "value": '"Nokia"'}],
)

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
phones_that_finished = 0  # in the second run
stops_the_stage = ""  # what made the first Unit run pass although a case failed: "the report" or "the exit status"?
print("1:", "right" if phones_that_finished == 4 else "not yet: count the jobs of the run, whatever their result")
print("2:", "right" if stops_the_stage == "the exit status" else "not yet: what does CodeBuild look at?")

# %% [markdown]
# ## Summary
#
# - CodeBuild tests with commands; the exit status decides, the report tells people why.
# - Device Farm runs on every device of a pool. One red device is enough to stop the change.
# - Partners report a status, a summary and a link.
# - A scan counts findings by severity and compares with what is allowed.
# - Tests of one stage run side by side; the stage ends with the last of them, also when one has failed.
#
# ## Exercises
#
# **1. A phone that fails.** Four Android devices; `phones.broken` fail. A load test runs beside them; both durations
# are in `phones.minutes`. Answer with three things: how many devices pass, the minute of the stage at which it ends,
# and its status.

# %%
phones = ps.classroom.case("06-1")
phones.broken, phones.minutes

# %% tags=["exercise:06-1"]
answer_1 = (4 - len(phones.broken), max(phones.minutes.values()), "Failed")

# %% tags=["check:06-1"]
ps.classroom.check("06-1", answer_1)

# %% [markdown]
# **2. A threshold for a scan.** Your company's rule is `scan.rule`; other findings are let pass. Answer with the
# configuration of the scan, a dictionary. `scan.passes` must get through, `scan.must_fail` must not.

# %%
scan = ps.classroom.case("06-2")
scan.rule, scan.passes, scan.must_fail

# %% tags=["exercise:06-2"]
high = "1" if "one high" in scan.rule else "0"
answer_2 = {"InspectorRunMode": "SourceCodeScan", "CriticalThreshold": "0", "HighThreshold": high}

# %% tags=["check:06-2"]
ps.classroom.check("06-2", answer_2)

# %% [markdown]
# **3. Which tests are worth their time?** There is one place to test in, so tests run one after the other, and even the
# slowest change must be through within `worth.limit` minutes. `worth.choose("Unit", "Ui")` gives a pipeline with these
# two and its profile. Simulate `worth.changes` changes (seed 1) for the choices that fit. Answer with the names of
# those that stop most bad changes, and how many they stop.

# %%
worth = ps.classroom.case("06-3")
worth.minutes, worth.limit, worth.changes

# %% tags=["exercise:06-3"]
stops = {}
for names in [(a, b, c) for a in worth.minutes for b in worth.minutes for c in worth.minutes if a <= b <= c]:
    pipeline, profile = worth.choose(*names)
    table = ps.executions_table(ps.simulate(pipeline, profile, seed=1, executions=worth.changes))
    if table["lead_time_s"].max() <= worth.limit * 60:
        stops[names] = (table["status"] == "Failed").sum()
best = max(stops, key=stops.get)
answer_3 = (best, stops[best])

# %% tags=["check:06-3"]
ps.classroom.check("06-3", answer_3)

# %% [markdown]
# ## In practice
#
# - Here the outcome of tests is assumed or comes from files; a real CodeBuild runs commands, a real farm runs your app.
# - The mocked scanner knows a dozen vulnerabilities, as they were published. The real one knows all of them, and new
#   ones every day: a source that passed yesterday may fail today.
# - Partners' configuration keys are not published; those used here are made up.
# - A flaky test is worse than none: people learn to press *retry* (lesson 11). What a test is worth can be measured, as
#   you did in exercise 3.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "AWS CodeBuild build and test action reference", "AWS Device Farm test action
#   reference", "Amazon Inspector InspectorScan invoke action reference", "Integrations with CodePipeline action types".
# - *AWS CodeBuild User Guide*: "Working with test reports".
#
# Next: [Bring it out](07_deploys.ipynb).
