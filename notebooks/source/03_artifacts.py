# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Follow an artifact through S3
#
# ## What you'll do
#
# Watch files travel from the source to production, find them in the bucket in between, and clean up after them.
#
# ## What you'll learn
#
# After this notebook you can
#
# - say how the output of one action becomes the input of another, and mend names that do not match,
# - find the object of every artifact of every run, and tell what is encrypted, and how,
# - estimate how a bucket grows, and write a lifecycle rule that keeps it small,
# - say what such a rule costs you when something has to be rolled back.
#
# ## What you'll need
#
# Lessons 1 and 2. No AWS account: this lesson opens a mocked one. About forty minutes.

# %%
import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Outputs become inputs
#
# Actions run on different machines, often in different services, and share no disk. What one of them hands to the next
# is an *artifact*: a zip file with a name. The name is all that joins two actions.

# %%
pipeline = ps.load("S3 → CodeBuild → S3")
ps.draw(pipeline, artifacts=True)

# %%
for _, action in pipeline.actions():
    print(action.name, "reads", action.input_artifacts, "writes", [one.name for one in action.output_artifacts])

# %% [markdown]
# The build reads `SourceOutput` and writes `BuildOutput`, the deployment reads `BuildOutput`. Two rules follow:
# an output name is given only once in a pipeline, and an input must have been written by an *earlier* action.
#
# ## Where they lie
#
# Time for a mocked AWS account. In it the bucket is a bucket, the zip is a zip, and the client is the one of boto3.
# `provision` makes all that the declaration needs; `run_until_idle` lets time pass until nothing is left to do.
# Type V2 is needed for the rollback at the end of the lesson, and nobody has to look for new sources every minute.

# %%
declaration = pipeline.to_document() | {"pipelineType": "V2"}
declaration["stages"][0]["actions"][0]["configuration"]["PollForSourceChanges"] = "false"
cloud = ps.Cloud(seed=1).open()
record = cloud.provision(declaration)
cloud.run_until_idle()
s3, codepipeline = cloud.client("s3"), cloud.client("codepipeline")

# %% [markdown]
# Predict: one change went through three actions. How many objects are in the artifact bucket now?

# %%
bucket = record.pipeline.artifact_store.location
[(one["Key"], one["Size"]) for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]

# %% [markdown]
# Two: a deployment reads and writes nothing back. A key has three parts: twenty characters of the pipeline's name, ten
# of the artifact's, and seven that are new each time. And it is really a zip, as its first two bytes tell:

# %%
key = s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"]
s3.get_object(Bucket=bucket, Key=key)["Body"].read(2)

# %% [markdown]
# ## Predict, then run: a second run
#
# Start the pipeline again, with the same source. Will the objects be overwritten?

# %%
first_run = codepipeline.list_pipeline_executions(pipelineName=record.name)["pipelineExecutionSummaries"][0]
codepipeline.start_pipeline_execution(name=record.name)
cloud.run_until_idle()
[one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]

# %% [markdown]
# Four. Every run writes its own, so every run can be looked at later, repeated, or gone back to. Which action
# read and wrote which object is in the history.

# %%
for action in codepipeline.list_action_executions(pipelineName=record.name)["actionExecutionDetails"][:3]:
    read = [one["s3location"]["key"] for one in action["input"]["inputArtifacts"]]
    wrote = [one["s3location"]["key"] for one in action["output"]["outputArtifacts"]]
    print(action["stageName"], "reads", read, "writes", wrote)

# %% [markdown]
# The player shows the same on a click: drag the slider, click a card, and read its artifacts. As a picture first:

# %%
ps.timeline(record.simulation.trace)

# %%
player = ps.widgets.Player(record.simulation.trace)
player.artifacts = True
player

# %% [markdown]
# ## When names do not match
#
# One letter too many in the deployment's input. The red text is meant to be there; it comes word by word from
# the API. Nothing was created.

# %% tags=["raises-exception"]
broken = record.pipeline.to_document() | {"name": "broken"}
broken["stages"][2]["actions"][0]["inputArtifacts"] = [{"name": "BuildOutputs"}]
codepipeline.create_pipeline(pipeline=broken)

# %% [markdown]
# The service checks that an input *exists*. It cannot know what you meant: with `SourceOutput` as its input, the
# deployment would put raw source code on your web site, and every stage would be green.
#
# ## At rest and in transit
#
# Every artifact is encrypted where it lies. Unless told otherwise the service uses the key that AWS keeps for
# S3 in your account; a key of your own is one member of the declaration (exercise 4). And on its way it travels
# through TLS.

# %%
s3.head_object(Bucket=bucket, Key=key)["ServerSideEncryption"], s3.meta.endpoint_url

# %% [markdown]
# A bucket can insist on both. This policy turns away whoever comes without TLS, and the pipeline does not notice.

# %%
policy = """{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",
  "Resource": "arn:aws:s3:::BUCKET/*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}"""
s3.put_bucket_policy(Bucket=bucket, Policy=policy.replace("BUCKET", bucket))
codepipeline.start_pipeline_execution(name=record.name)
cloud.run_until_idle()
codepipeline.list_pipeline_executions(pipelineName=record.name)["pipelineExecutionSummaries"][0]["status"]

# %% [markdown]
# A bucket lies in one region. A pipeline that deploys to three needs three of them, and copies what is wanted there.

# %%
ps.load(ps.sample("cross-region")).to_document()["artifactStores"]

# %% [markdown]
# ## How large it gets
#
# Ours have a kilobyte. Say that the sources of a real application have 50 MB, the compiled application with all its
# libraries 200 MB, and the package that is deployed 150 MB. Predict: with eight changes on a working day, how much is
# in the bucket after four weeks?

# %%
shop = ps.load("GitHub → [CodeBuild (Compile) → CodeBuild (Package)] (Build) → CodeDeploy")
sizes = ps.load_profile("""
arrivals = { office = { per_day = 8, hours = "Mon-Fri 09:00-17:00", time_zone = "UTC" } }
actions."Source/GitHub".sizes = { SourceOutput = 50_000_000 }
actions."Build/Compile" = { fails = 0.1, sizes = { CompileOutput = 200_000_000 } }
actions."Build/Package".sizes = { PackageOutput = 150_000_000 }
""")

# %%
month = ps.simulate(shop, sizes, seed=1, until=ps.days(28))
written = sum(size for event in month for size in event.detail.get("sizes", {}).values())
f"{written / 1e9:.0f} GB after {len(ps.executions_table(month))} changes"

# %% [markdown]
# And it never gets less: CodePipeline itself deletes nothing, not even with the pipeline. What cleans up is a
# *lifecycle rule* of the bucket. An object goes at the first midnight (UTC) after its days are over.
#
# ## Predict, then run: thirty days later
#
# Six objects, a rule of thirty days, and thirty-two days pass. What is left?

# %%
rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}
s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
cloud.advance(days=32)
left = s3.list_objects_v2(Bucket=bucket)["KeyCount"]
left, len(s3.list_object_versions(Bucket=bucket)["Versions"])

# %% [markdown]
# Nothing is listed, and yet everything is paid for. The bucket keeps versions, so expiry only hides an object; a rule
# for *noncurrent* versions has to remove it (exercise 3).
#
# What did it cost us? Somebody wants the first run back in production.

# %%
back = first_run["pipelineExecutionId"]
codepipeline.rollback_stage(pipelineName=record.name, stageName="Deploy", targetPipelineExecutionId=back)
cloud.run_until_idle()
cloud.explain(record.name)

# %% [markdown]
# A rollback deploys the *old artifact*. Where it is gone, nothing can go back to it. Keep at least as long as you want
# to be able to go back.

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
objects = 0  # how many objects does one change of the shop's pipeline write when its build works?
forever = ""  # which service deletes old artifacts: "CodePipeline", "CodeBuild" or "S3"?
outputs = [one for _, action in shop.actions() for one in action.output_artifacts]
print("1:", "right" if objects == len(outputs) else "not yet: count the outputs of all its actions")
print("2:", "right" if forever.strip().lower() == "s3" else "not yet: whose rule was it?")

# %% [markdown]
# ## Summary
#
# - An artifact is a zip with a name. Names join actions; the service checks that they exist, not that they make sense.
# - Behind every arrow lies an object in S3, under a new key for each run, encrypted at rest and in transit.
# - Nothing is deleted unless a lifecycle rule says so, and in a versioned bucket only a second rule really frees space.
# - What was deleted cannot be deployed again.
#
# ## Exercises
#
# Only one mocked account can be open at a time. `check` opens its own where it needs one: close yours first.
#
# **1. Names that do not match.** A change is built, then deployed to staging and to production; both should get what
# was built. AWS refuses this declaration for one reason, and would not notice the other. Mend both.

# %%
mixed = ps.classroom.case("03-1").declaration
ps.check(mixed)

# %% tags=["exercise:03-1"]
mixed["stages"][1]["actions"][0]["outputArtifacts"] = [{"name": "BuildOutput"}]
for stage in mixed["stages"][2:]:
    stage["actions"][0]["inputArtifacts"] = [{"name": "BuildOutput"}]
answer_1 = mixed

# %% tags=["check:03-1"]
ps.classroom.check("03-1", answer_1)

# %% [markdown]
# **2. How full is the bucket?** Changes come every `full.every_hours` hours, the first half an hour after midnight.
# Artifacts have the sizes shown, some builds fail (the profile says which), and a lifecycle rule removes objects, with
# all their versions, at the first midnight after `full.kept_days` days. How many GB are there at noon of day
# `full.noon_of_day` (day 0 is the first)? Work it out on paper first; then simulate.

# %%
full = ps.classroom.case("03-2")
full.megabytes, full.every_hours, full.kept_days, full.noon_of_day, full.profile.actions["Build/Compile"].fails_on

# %% tags=["exercise:03-2"]
noon = ps.days(full.noon_of_day) + ps.hours(12)
trace = ps.simulate(full.pipeline, full.profile, seed=1, until=noon)
oldest_day = full.noon_of_day - full.kept_days
kept = [event for event in trace if event.time >= ps.days(oldest_day)]
answer_2 = sum(size for event in kept for size in event.detail.get("sizes", {}).values()) / 1e9

# %% tags=["check:03-2"]
ps.classroom.check("03-2", answer_2)

# %% [markdown]
# **3. A rule that cleans up.** Two pipelines share a versioned bucket; `shared["keys"]` are some of its objects. The
# builds of `shared.pipeline` should stay for `shared.kept_days` days, and three days later not a byte of
# them should be left. Its sources have to stay for the auditor, and the neighbour's objects are none of your business.
# Answer with what you would hand to `put_bucket_lifecycle_configuration` as `LifecycleConfiguration`.

# %%
shared = ps.classroom.case("03-3")
shared.pipeline, shared.neighbour, shared.kept_days, shared["keys"]

# %% tags=["exercise:03-3"]
builds = {"ID": "builds", "Status": "Enabled", "Filter": {"Prefix": shared.pipeline[:20] + "/BuildOutpu/"}}
builds["Expiration"] = {"Days": shared.kept_days}
builds["NoncurrentVersionExpiration"] = {"NoncurrentDays": 1}
answer_3 = {"Rules": [builds]}

# %% tags=["check:03-3"]
ps.classroom.check("03-3", answer_3)

# %% [markdown]
# **4. A key of your own.** Encrypt the artifacts of `secret.pipeline` with the key `secret.alias`, and prove it: stand
# your declaration up in a cloud (`provision` makes the key under that alias), let it run, and ask S3 with `head_object`
# for the `SSEKMSKeyId` of every artifact. Answer with the declaration and the set of what S3 told you.
# `with ps.Cloud(seed=1) as mine:` closes the cloud at the end of the cell.

# %%
secret = ps.classroom.case("03-4")
secret.alias, secret.pipeline.artifact_store

# %% tags=["exercise:03-4"]
document = secret.pipeline.to_document()
document["artifactStore"]["encryptionKey"] = {"id": secret.alias, "type": "KMS"}
with ps.Cloud(seed=1) as mine:
    store = mine.provision(document).pipeline.artifact_store.location
    mine.run_until_idle()
    s3 = mine.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=store)["Contents"]]
    told = {s3.head_object(Bucket=store, Key=key).get("SSEKMSKeyId") for key in keys}
answer_4 = (document, told)

# %% tags=["check:03-4"]
ps.classroom.check("03-4", answer_4)

# %% [markdown]
# ## In practice
#
# - Real S3 removes expired objects some time after midnight, and you are not billed from midnight on. The mocked
#   account does it at midnight sharp.
# - There is an upper limit for each source: 1 GB for Git repositories, 7 GB for S3 objects. Large artifacts also take
#   time to copy; `delays.transfer_rate` in a profile adds it to a simulation.
# - An action in another region needs an artifact bucket there; the service copies between them.
# - Role, bucket policy and key policy must all agree before an artifact can be read. When one of them does not, the
#   action fails with a permission error: lesson 14.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Input and output artifacts", "Configure server-side encryption for artifacts stored
#   in Amazon S3", "Quotas in AWS CodePipeline".
# - *Amazon S3 User Guide*: "Managing the lifecycle of objects", "Lifecycle configuration elements".
#
# Next: [Let changes come in](04_sources.ipynb).
