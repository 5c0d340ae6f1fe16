# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Bring it out
#
# ## What you'll do
#
# Deploy to five kinds of targets, break a release on purpose, and see who notices and what brings the old one back.
#
# ## What you'll learn
#
# After this notebook you can
#
# - name the deploy actions of the course, and what each expects to find in its artifact,
# - follow a CodeDeploy deployment from instance to instance and from hook to hook,
# - say what a health check is and where it belongs,
# - choose between a deployment in place, blue/green, and a shift of traffic in steps,
# - let a failed check or an alarm bring the last good release back.
#
# ## What you'll need
#
# Lessons 1 to 4. About forty minutes.

# %%
import pandas as pd

import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Five ways out
#
# | action | takes from the artifact | leaves behind |
# |---|---|---|
# | S3 | all files, or the archive as it is | objects in a bucket, such as a website |
# | CloudFormation | a template | a stack |
# | Elastic Beanstalk | the whole bundle | an application version that an environment runs |
# | ECS | `imagedefinitions.json` | a new task definition that a service runs |
# | CodeDeploy | `appspec.yml` with its scripts | a revision on each instance |
#
# In a mocked account all of them really leave something behind. Two first, each with a pipeline of its own.

# %%
cloud = ps.Cloud(seed=1).open()
records = {name: cloud.provision(ps.load(f"S3 → {name}")) for name in ("S3", "ECS")}
cloud.run_until_idle()
{name: record.simulation.state.stage("Deploy").actions[0].latest.summary for name, record in records.items()}

# %%
site = records["S3"].pipeline.stages[1].actions[0].configuration["BucketName"]
[one["Key"] for one in cloud.client("s3").list_objects_v2(Bucket=site)["Contents"]]

# %%
service = cloud.client("ecs").describe_services(cluster="s3-to-ecs", services=["deploy"])["services"][0]
service["status"], service["taskDefinition"].split("/")[-1]

# %%
cloud.close()

# %% [markdown]
# ## A stack and an environment, sick and well
#
# The next two often go together: CloudFormation makes what the shop stands on, Elastic Beanstalk runs it. A script in
# the bundle, a *hook*, may ask whether the shop is well.

# %%
both = ps.load("GitHub → CloudFormation → Elastic Beanstalk").to_document() | {"name": "place"}
both["stages"][0]["actions"][0]["configuration"]["FullRepositoryId"] = "ana/place"
hook = ".platform/hooks/postdeploy/01_health.sh"
template = "Resources: {Pictures: {Type: AWS::S3::Bucket}}"
cloud = ps.Cloud(seed=1).open()
place = cloud.repository("ana/place")
place.push({"template.yaml": template, hook: "curl --fail http://localhost/health", "app.py": "print('shop')"})
cloud.provision(both).name


# %%
def after(change):
    place.push(change)
    cloud.run_until_idle()
    stack = cloud.client("cloudformation").describe_stacks()["Stacks"][0]
    [environment] = cloud.client("elasticbeanstalk").describe_environments()["Environments"]
    return stack["StackStatus"], environment["Health"], environment["VersionLabel"][-8:]


after({"app.py": "print('a better shop')"})

# %% [markdown]
# Two changes come now that are no good: in the first one the hook says `exit 1`, in the second one the template is cut
# off. Predict for each: what becomes of the stack, of the environment, and of the version that it runs?

# %%
after({hook: "exit 1"})

# %%
print(after({hook: "exit 0", "template.yaml": "Resources: {"}))
cloud.explain("place")

# %% [markdown]
# The environment turned red, and kept the version that it had. The second change never got so far: its template could
# not be read, so the stack stands as it was, and Elastic Beanstalk was not asked at all. The environment is still red
# from before, since nobody has deployed to it again.

# %%
cloud.close()

# %% [markdown]
# ## CodeDeploy, instance by instance
#
# CodeDeploy brings a *revision* to a fleet of instances. What an agent does there says a file in the revision,
# `appspec.yml`: which files go where, and which scripts run at which *lifecycle event*. The last event,
# `ValidateService`, is the place for a health check: the application has been started, so ask it how it is.

# %%
appspec = """version: 0.0
os: linux
files: [{source: /, destination: /var/www}]
hooks:
  ValidateService: [{location: scripts/check.sh, timeout: 60}]
"""
check = "curl --fail http://localhost/health || exit 1\n"
release = {"appspec.yml": appspec, "scripts/check.sh": check, "index.html": "<p>1</p>"}


# %% [markdown]
# A fleet, and a *deployment group* that finds its instances by a tag. The settings say how to go about it.


# %%
def fleet(cloud, size, **settings):
    tag, codedeploy = {"Key": "app", "Value": "shop"}, cloud.client("codedeploy")
    tags = [{"ResourceType": "instance", "Tags": [tag]}]
    cloud.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=size, MaxCount=size, TagSpecifications=tags)
    codedeploy.create_application(applicationName="shop")
    group = {"applicationName": "shop", "deploymentGroupName": "live"}
    where = {"serviceRoleArn": "arn:aws:iam::123456789012:role/d", "ec2TagFilters": [{**tag, "Type": "KEY_AND_VALUE"}]}
    codedeploy.create_deployment_group(**group, **where, **settings)
    return codedeploy


# %%
document = ps.load("GitHub → CodeDeploy").to_document() | {"name": "shop"}
document["stages"][0]["actions"][0]["configuration"]["FullRepositoryId"] = "ana/shop"
document["stages"][1]["actions"][0]["configuration"] = {"ApplicationName": "shop", "DeploymentGroupName": "live"}
ten_minutes = ps.load_profile('actions."Deploy/CodeDeploy".duration = "10m"')
ps.load(document)

# %%
cloud = ps.Cloud(seed=1, assumptions=ten_minutes).open()
back = {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}
one_by_one = "CodeDeployDefault.OneAtATime"
codedeploy = fleet(cloud, 4, deploymentConfigName=one_by_one, autoRollbackConfiguration=back)
cloud.repository("ana/shop").push(release)
record = cloud.provision(document)
cloud.advance(minutes=6)


# %% [markdown]
# Six minutes have passed. How far is it?


# %%
def deployments(codedeploy):
    ids = codedeploy.list_deployments()["deployments"]
    told = [codedeploy.get_deployment(deploymentId=id)["deploymentInfo"] for id in ids]
    table = pd.DataFrame([{"by": one["creator"], "status": one["status"], **one["deploymentOverview"]} for one in told])
    lasted = [one.get("completeTime", cloud.now) - one["startTime"] for one in told]
    table["minutes"] = [round(one.total_seconds() / 60, 1) for one in lasted]
    return table.drop(columns="Ready")


deployments(codedeploy)

# %%
cloud.run_until_idle()
newest = codedeploy.list_deployments()["deployments"][-1]
target = codedeploy.list_deployment_targets(deploymentId=newest)["targetIds"][0]
told = codedeploy.get_deployment_target(deploymentId=newest, targetId=target)["deploymentTarget"]["instanceTarget"]
[event["lifecycleEventName"] for event in told["lifecycleEvents"]]

# %% [markdown]
# ## Predict, then run: a sick release
#
# Scripts are read here, not executed: a line that says `exit 1` is how a script ends badly. The next release
# fails its health check. Four instances, one at a time: how many of them get it? And what runs on all four in the end?

# %%
cloud.repository("ana/shop").push({"scripts/check.sh": "curl --fail http://localhost/health\nexit 1\n"})
cloud.advance(hours=1)
deployments(codedeploy)

# %% [markdown]
# One. It failed, the other three were skipped, and CodeDeploy made a third deployment by itself, with the last
# revision that went well. The pipeline says why:

# %%
record.simulation.state.stage("Deploy").actions[0].latest.message.partition("problems.")[2]

# %% [markdown]
# Note the two words *rollback*. This one is CodeDeploy's: the fleet has the old release, and the pipeline's execution
# has failed all the same. Lesson 11 has the pipeline's own, which runs a whole stage again with older artifacts.

# %%
ps.timeline(record.simulation.trace)

# %%
ps.widgets.Player(record.simulation.trace)

# %% [markdown]
# ## When AWS says no
#
# A deploy action that does not say where to deploy is refused before anything runs. The red text is meant to be there.

# %% tags=["raises-exception"]
nowhere = record.pipeline.to_document()
del nowhere["stages"][1]["actions"][0]["configuration"]["DeploymentGroupName"]
cloud.client("codepipeline").update_pipeline(pipeline=nowhere)

# %%
cloud.close()

# %% [markdown]
# ## Blue and green
#
# In place, the instance that fails is one that customers use. *Blue/green* makes new instances (green) beside the old
# ones (blue), checks them, and moves the traffic only then. Predict: who notices a sick release?

# %%
style = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
keep = {"terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 15}}
cloud = ps.Cloud(seed=1, assumptions=ten_minutes).open()
codedeploy = fleet(cloud, 2, deploymentStyle=style, blueGreenDeploymentConfiguration=keep)
cloud.repository("ana/shop").push(release)
cloud.provision(document)
cloud.advance(hours=1)

# %%
cloud.repository("ana/shop").push({"scripts/check.sh": "exit 1\n"})
cloud.advance(hours=1)
rows = []
for id in codedeploy.list_deployments()["deployments"]:
    for target in codedeploy.list_deployment_targets(deploymentId=id)["targetIds"]:
        seen = codedeploy.get_deployment_target(deploymentId=id, targetId=target)["deploymentTarget"]["instanceTarget"]
        last = [event["lifecycleEventName"] for event in seen["lifecycleEvents"]][-1:]
        rows.append({"fleet": seen["instanceLabel"], "status": seen["status"], "last event": "".join(last)})
pd.DataFrame(rows)

# %% [markdown]
# Nobody: the second release failed on green instances that had no traffic yet, and blue was not touched. The price is
# a second fleet while it lasts, and the time for which the old one is kept.

# %%
cloud.close()

# %% [markdown]
# ## A little traffic first
#
# Containers can go further: blue/green on ECS shifts the traffic in steps. *Canary* gives the new tasks a tenth for
# five minutes, and everything then. Predict the picture before you run it.

# %%
tasks = '{"family": "shop", "containerDefinitions": [{"name": "app", "image": "<IMAGE1_NAME>", "memory": 128}]}'
resources = '{"TargetService": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": "<TASK_DEFINITION>"}}}'
files = {"taskdef.json": tasks, "appspec.yaml": '{"version": 0.0, "Resources": [' + resources + "]}"}
files["imageDetail.json"] = '{"ImageURI": "example.com/shop:2"}'

# %%
cloud = ps.Cloud(seed=1).open()
codedeploy, name = cloud.client("codedeploy"), "github-to-codedeploytoecs"
canary = {"deploymentConfigName": "CodeDeployDefault.ECSCanary10Percent5Minutes", "deploymentStyle": style}
codedeploy.create_application(applicationName=name, computePlatform="ECS")
group = {"applicationName": name, "deploymentGroupName": "deploy", "serviceRoleArn": "arn:aws:iam::123456789012:role/d"}
codedeploy.create_deployment_group(**group, **canary)
cloud.repository(f"example/{name}").push(files)
rollout = cloud.provision("GitHub → CodeDeployToECS")
cloud.advance(minutes=1)

# %%
shares, [id] = {}, codedeploy.list_deployments()["deployments"]
for _ in range(12):
    cloud.advance(minutes=1)
    [target] = codedeploy.list_deployment_targets(deploymentId=id)["targetIds"]
    seen = codedeploy.get_deployment_target(deploymentId=id, targetId=target)["deploymentTarget"]["ecsTarget"]
    shares[cloud.time / 60] = {one["taskSetLabel"]: one["trafficWeight"] for one in seen["taskSetsInfo"]}
look = {"color": {"Blue": "tab:blue", "Green": "tab:green"}, "style": {"Blue": "-", "Green": "--"}}
picture = pd.DataFrame(shares).T.plot(drawstyle="steps-post", xlabel="minutes", ylabel="% of the traffic", **look)

# %%
cloud.close()

# %% [markdown]
# ## Back when an alarm rings
#
# A health check asks once. An *alarm* keeps watching: if the error rate rises while the deployment goes on, CodeDeploy
# stops, and goes back if it was told to. You will write the settings for that yourself, in the last exercise. They are
# two members of the deployment group:
#
# - `alarmConfiguration` names the CloudWatch alarms to look at,
# - `autoRollbackConfiguration` names the events after which the last good revision is deployed again:
#   `DEPLOYMENT_FAILURE`, `DEPLOYMENT_STOP_ON_ALARM`, `DEPLOYMENT_STOP_ON_REQUEST`.
#
# ## Check yourself

# %%
event = ""  # at which lifecycle event does a health check belong?
met = None  # how many blue instances, the ones with customers, failed?
failed = [row["fleet"] for row in rows if row["status"] == "Failed"]
print(
    "1:",
    "right" if event and event == told["lifecycleEvents"][-1]["lifecycleEventName"] else "not yet: it is the last one",
)
print("2:", "right" if met == failed.count("Blue") else "not yet: look at the table of the two fleets")

# %% [markdown]
# ## Summary
#
# - Each deploy action looks for its own file in the artifact; without it, it fails.
# - A stack that cannot be made is left as it was; an environment that is not well keeps the version before.
# - CodeDeploy goes instance by instance and hook by hook. `ValidateService` is where a release proves that it is well.
# - In place, somebody meets the first sick instance. Blue/green and traffic in steps keep it from most people, or all.
# - Going back by itself has to be switched on, for failures and for alarms.
# - CodeDeploy's rollback mends the fleet; the pipeline's execution has failed all the same.
#
# ## Exercises
#
# The checks open clouds of their own: close yours first.
#
# **1. One instance is down.** A fleet has `down.instances` instances, and number `down.down` of them is stopped.
# The release `down.files` is healthy, and goes out one instance at a time (`down.settings`). Answer with two
# numbers: how many instances have it in the end, and how many were never touched?

# %%
down = ps.classroom.case("07-1")
down.instances, down.down

# %% tags=["exercise:07-1"]
with ps.Cloud(seed=1, assumptions=ten_minutes) as mine:
    agent = fleet(mine, down.instances, **down.settings)
    found = [one for r in mine.client("ec2").describe_instances()["Reservations"] for one in r["Instances"]]
    mine.client("ec2").stop_instances(InstanceIds=[found[down.down - 1]["InstanceId"]])
    mine.repository("ana/shop").push(down.files)
    mine.provision(down.pipeline)
    mine.run_until_idle()
    overview = deployments(agent).iloc[-1]
answer_1 = (int(overview["Succeeded"]), int(overview["Skipped"]))

# %% tags=["check:07-1"]
ps.classroom.check("07-1", answer_1)

# %% [markdown]
# **2. Mend a revision.** This revision does not go out, for two reasons. Mend it, and keep the health check: the script
# `broken.check` should go on asking, and a release that is really sick should be stopped by it. Answer with the
# dictionary of files.

# %%
broken = ps.classroom.case("07-2")
for path, content in broken.files.items():
    print(f"--- {path}\n{content}")

# %% tags=["exercise:07-2"]
answer_2 = {
    "appspec.yml": appspec,
    broken.check: "#!/bin/sh\ncurl --fail http://localhost/health || exit 1\n",
    "index.html": broken.files["index.html"],
}

# %% tags=["check:07-2"]
ps.classroom.check("07-2", answer_2)

# %% [markdown]
# **3. In place or blue/green?** Deploy `two.good` and then `two.bad` to a fleet of `two.instances`, once with
# `two.settings["in_place"]` and once with `two.settings["blue_green"]`. Answer with three things: which way keeps the
# bad release from customers (`"in_place"` or `"blue_green"`), on how many instances it fails in place, and how many
# minutes longer the good release takes blue/green.

# %%
two = ps.classroom.case("07-3")
two.settings

# %% tags=["solution"]
seen = {}
for way, settings in two.settings.items():
    with ps.Cloud(seed=1, assumptions=ten_minutes) as mine:
        agent, shop = fleet(mine, two.instances, **settings), mine.repository("ana/shop")
        shop.push(two.good)
        mine.provision(two.pipeline)
        mine.advance(hours=3)
        shop.push(two.bad)
        mine.advance(hours=3)
        seen[way] = deployments(agent)

# %% tags=["exercise:07-3"]
longer = seen["blue_green"]["minutes"][0] - seen["in_place"]["minutes"][0]
answer_3 = ("blue_green", int(seen["in_place"]["Failed"][1]), longer)

# %% tags=["check:07-3"]
ps.classroom.check("07-3", answer_3)

# %% [markdown]
# **4. Back when the alarm rings.** Write the settings of a deployment group that stops a deployment when the alarm
# `watch.alarm` rings, and brings the last good release back then; also when a health check fails. Answer with the
# dictionary, as you would hand it to `create_deployment_group(**settings)`.

# %%
watch = ps.classroom.case("07-4")
watch.alarm

# %% tags=["exercise:07-4"]
answer_4 = {
    "alarmConfiguration": {"enabled": True, "alarms": [{"name": watch.alarm}]},
    "autoRollbackConfiguration": {
        "enabled": True,
        "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"],
    },
}

# %% tags=["check:07-4"]
ps.classroom.check("07-4", answer_4)

# %% [markdown]
# **5. A stack, then a place to run.** The pipeline `home.pipeline` makes a stack and deploys to Elastic Beanstalk then.
# The change `home.files` has no template, and its hook fails. Add `template.yaml`: a bucket called `home.bucket` with a
# tag `team` of the value `home.team`, and an output `home.output` with the bucket's name. Mend the hook, and let it go
# on asking. Answer with the dictionary of files.

# %%
home = ps.classroom.case("07-5")
home

# %% tags=["exercise:07-5"]
[asks] = [path for path in home.files if path.startswith(".platform")]
stack = f"""Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {{BucketName: {home.bucket}, Tags: [{{Key: team, Value: {home.team}}}]}}
Outputs:
  {home.output}: {{Value: !Ref Bucket}}
"""
answer_5 = {**home.files, asks: "#!/bin/sh\ncurl --fail http://localhost/health || exit 1\n", "template.yaml": stack}

# %% tags=["check:07-5"]
ps.classroom.check("07-5", answer_5)

# %% [markdown]
# ## In practice
#
# - On real instances the scripts run. Here they are read, and an `exit` other than 0 on a line of its own is how they
#   end.
# - How long a deployment takes is not published, and depends on your scripts more than on AWS. Ten minutes is an
#   assumption of this lesson.
# - A release that changes a database cannot simply be rolled back. Make such changes in steps that both releases bear.
# - Green instances need room: check the quotas of the account before you rely on blue/green.
# - The pipeline's own rollback (lesson 11) works for every kind of target, CodeDeploy's for its own alone.
#
# ## Further reading
#
# - *AWS CodeDeploy User Guide*: "AppSpec 'hooks' section", "Working with deployment configurations", "Overview of a
#   blue/green deployment", "Redeploy and roll back a deployment", "Monitoring deployments with CloudWatch alarms".
# - *AWS CodePipeline User Guide*: the action references of the five deploy actions.
#
# Next: [Let a function of your own decide](08_invoke.ipynb).
