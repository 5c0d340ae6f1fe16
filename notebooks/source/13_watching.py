# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Watch it while you sleep
#
# ## What you'll do
#
# Let a mocked account tell you what its pipeline does: by mail when a build fails, by a function that looks after it,
# on a dashboard, and in the record of who called what.
#
# ## What you'll learn
#
# After this notebook you can
#
# - read the three kinds of events that a pipeline sends, and write a rule that catches the right ones,
# - have people told and functions called when something fails, once and not three times,
# - tell a failure from a stop by hand,
# - set an alarm on a metric and put both on a dashboard,
# - find out in CloudTrail who did it.
#
# ## What you'll need
#
# Lessons 2, 9 and 11. About forty minutes.

# %%
import boto3
import pandas as pd

import pipesim as ps

ps.classroom.learner("")  # your name, if you want numbers of your own in the exercises

# %% [markdown]
# ## Everything is announced
#
# With `actions="assumed"` the actions of this account take their time, but nothing is really built. That is enough
# here, since we only listen.

# %%
cloud = ps.Cloud(seed=1, actions="assumed").open()
record = cloud.provision({**ps.load("S3 → CodeBuild → S3").to_document(), "name": "shop"})
codepipeline = cloud.client("codepipeline")
codepipeline.start_pipeline_execution(name="shop")
cloud.run_until_idle()

# %% [markdown]
# A pipeline sends an event to EventBridge whenever an execution, a stage or an action changes its state. `cloud.events`
# keeps all of them, which the real bus does not.

# %%
heard = pd.json_normalize(cloud.events())
heard[["time", "detail-type", "detail.stage", "detail.action", "detail.state"]]

# %% [markdown]
# One quiet execution, fourteen events. Nobody wants fourteen mails. A *rule* picks events by a pattern and hands them
# to targets.
#
# ## Predict, then run
#
# First a topic for the people on call. A queue stands in for their mailbox.

# %%
events, sns, sqs = (cloud.client(name) for name in ("events", "sns", "sqs"))
topic = sns.create_topic(Name="on-call")["TopicArn"]
mailbox = sqs.create_queue(QueueName="mailbox")["QueueUrl"]
address = sqs.get_queue_attributes(QueueUrl=mailbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
inbox = {"Protocol": "sqs", "Endpoint": address, "Attributes": {"RawMessageDelivery": "true"}}
sns.subscribe(TopicArn=topic, **inbox)["SubscriptionArn"].rsplit(":", 1)[0]

# %% [markdown]
# The rule asks for everything that is `FAILED`. The target gets one readable sentence instead of the whole event.
# Then a build fails, once. How many mails come?

# %%
events.put_rule(Name="failures", EventPattern='{"source": ["aws.codepipeline"], "detail": {"state": ["FAILED"]}}')
says = {"InputPathsMap": {"who": "$.detail.pipeline", "what": "$.detail-type"}, "InputTemplate": '"<who>: <what>"'}
target = {"Id": "on-call", "Arn": topic, "InputTransformer": says}
events.put_targets(Rule="failures", Targets=[target])["FailedEntryCount"]

# %%
fault = cloud.break_("work failed", "shop")
cloud.run_until_idle()
[mail["Body"] for mail in sqs.receive_message(QueueUrl=mailbox, MaxNumberOfMessages=10)["Messages"]]

# %% [markdown]
# Three: the action failed, therefore the stage failed, therefore the execution failed. Each is announced for itself.
# Whoever asks for one level, by the `detail-type`, is told once.

# %%
events.put_rule(
    Name="failures",
    EventPattern="""{"source": ["aws.codepipeline"], "detail": {"state": ["FAILED"]},
                     "detail-type": ["CodePipeline Pipeline Execution State Change"]}""",
)
sqs.purge_queue(QueueUrl=mailbox)
codepipeline.start_pipeline_execution(name="shop")
cloud.run_until_idle()
[mail["Body"] for mail in sqs.receive_message(QueueUrl=mailbox, MaxNumberOfMessages=10)["Messages"]]

# %% [markdown]
# A pattern is JSON. Every value in it stands in a list: it matches if the event has *one* of these. The red text is
# meant to be there: here the list was forgotten, and the service says so.

# %% tags=["raises-exception"]
events.put_rule(Name="hasty", EventPattern='{"source": ["aws.codepipeline"], "detail": {"state": "FAILED"}}')

# %% [markdown]
# In the widget, type a pattern, or click an event and read the rule that would catch it.

# %%
ps.widgets.Events(cloud, words="failed")

# %% [markdown]
# ## A function that is called
#
# A rule can call a Lambda function, too. It may open a ticket, write into a chat, or collect what people will want to
# know. This one leaves a line in its log. A function needs a role, even for its log.

# %%
iam = cloud.client("iam")
trust = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"}}]}"""
may_log = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}"""
role = iam.create_role(RoleName="nurse", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
iam.put_role_policy(RoleName="nurse", PolicyName="log", PolicyDocument=may_log)
nurse = """def handle(event, context):
    print("please look at", event["detail"]["pipeline"], "since", event["time"])
"""

# %%
made = {"FunctionName": "nurse", "Runtime": "python3.12", "Role": role, "Handler": "app.handle"}
function = cloud.client("lambda").create_function(**made, Code={"ZipFile": ps.pack({"app.py": nurse})})
events.put_targets(Rule="failures", Targets=[{"Id": "nurse", "Arn": function["FunctionArn"]}])
codepipeline.start_pipeline_execution(name="shop")
cloud.run_until_idle()
lines = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/nurse")["events"]
[line["message"] for line in lines if "look" in line["message"]]

# %% [markdown]
# ## Stopped by hand
#
# The build is mended, a new execution is on its way, and somebody stops it. Does our rule send a mail?

# %%
fault.repair()
started = codepipeline.start_pipeline_execution(name="shop")
cloud.advance(minutes=2)
stop = {"pipelineExecutionId": started["pipelineExecutionId"], "abandon": True, "reason": "wrong branch"}
codepipeline.stop_pipeline_execution(pipelineName="shop", **stop)
cloud.run_until_idle()
stopped = cloud.events({"detail": {"state": ["STOPPING", "STOPPED", "ABANDONED", "FAILED"]}})
pd.json_normalize(stopped)[["detail.stage", "detail.action", "detail.state", "detail.stop-execution-comments"]].tail(5)

# %% [markdown]
# No: nothing of this is `FAILED`. A stop has states of its own, for the execution, the stage and the action, and the
# reason is told. If stops matter to you, a second rule has to ask for them.
#
# ## Numbers: metrics and alarms
#
# Events tell single facts. *Metrics* count: CodePipeline measures how long each execution took, and how many failed.

# %%
cloudwatch = cloud.client("cloudwatch")
shop = [{"Name": "PipelineName", "Value": "shop"}]
asked = {"Namespace": "AWS/CodePipeline", "Dimensions": shop, "StartTime": cloud.account.start, "EndTime": cloud.now}
took = cloudwatch.get_metric_statistics(
    MetricName="PipelineDuration", Period=3600, Statistics=["SampleCount", "Average"], **asked
)
pd.DataFrame(took["Datapoints"])[["SampleCount", "Average", "Unit"]]

# %% [markdown]
# Four executions ended by themselves. The one that was stopped is not counted.
#
# An *alarm* looks at a metric again and again. Predict the state now, and in two hours, when nothing more has failed.

# %%
cloudwatch.put_metric_alarm(
    AlarmName="shop-fails", Namespace="AWS/CodePipeline", MetricName="FailedPipelineExecutions", Dimensions=shop,
    Statistic="Sum", Period=900, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
    TreatMissingData="notBreaching", AlarmActions=[topic],
)["ResponseMetadata"]["HTTPStatusCode"]  # fmt: skip

# %%
states = []
for wait in (ps.minutes(2), ps.hours(2)):
    cloud.advance(seconds=wait)
    states.append(cloudwatch.describe_alarms(AlarmNames=["shop-fails"])["MetricAlarms"][0]["StateValue"])
states

# %% [markdown]
# Where nothing fails, there are no data at all. `TreatMissingData` says what that means: here, that all is well.
#
# ## On the wall
#
# A dashboard is JSON as well. `draw_dashboard` draws it with what the account has measured so far.

# %%
body = """{"widgets": [
  {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": {"title": "Duration", "stat": "Average",
    "metrics": [["AWS/CodePipeline", "PipelineDuration", "PipelineName", "shop"]]}},
  {"type": "metric", "x": 12, "y": 0, "width": 12, "height": 6, "properties": {"title": "Failures", "stat": "Sum",
    "metrics": [["AWS/CodePipeline", "FailedPipelineExecutions", "PipelineName", "shop"]]}},
  {"type": "alarm", "x": 0, "y": 6, "width": 24, "height": 4, "properties": {"title": "Alarms",
    "alarms": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:shop-fails"]}}]}"""
cloudwatch.put_dashboard(DashboardName="shop", DashboardBody=body)
cloud.draw_dashboard("shop")

# %% [markdown]
# ## Who was it?
#
# Mia closes the door to production. A closed transition sends no event at all, since no execution changes its state.
# But every call is recorded.

# %%
iam.create_user(UserName="mia")
key = iam.create_access_key(UserName="mia")["AccessKey"]
secrets = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
mia = boto3.client("codepipeline", "us-east-1", **secrets)
door = {"pipelineName": "shop", "stageName": "Deploy", "transitionType": "Inbound"}
mia.disable_stage_transition(**door, reason="Stocktaking")["ResponseMetadata"]["HTTPStatusCode"]

# %%
wanted = [{"AttributeKey": "EventName", "AttributeValue": "DisableStageTransition"}]
calls = cloud.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"]
print(calls[0]["Username"], calls[0]["EventTime"])
print(calls[0]["CloudTrailEvent"])

# %%
cloud.close()

# %% [markdown]
# ## Check yourself

# %%
mails = 0  # a rule asks for the state SUCCEEDED alone; how many mails after one good run of S3 → CodeBuild → S3?
good = heard["detail.state"].eq("SUCCEEDED").sum()
print("right" if mails == good else "not yet: count the actions, the stages and the execution in the first table")

# %% [markdown]
# ## Summary
#
# - Executions, stages and actions announce each change of their state. One failure makes three events.
# - A rule picks by a pattern; all that it asks for must be there, and of each list one value is enough.
# - A stop by hand is no failure; a closed transition is no event. CloudTrail has both, with the name.
# - Events wake people, metrics show trends, an alarm turns a number into an event.
#
# ## Exercises
#
# **1. Failed builds, and nothing else.** Write the pattern of a rule that catches each failed *build* of pipeline
# `watch.name`, in whatever stage it stands, once: no failed test, no failed stage, no stopped build, and nothing of
# other pipelines. A dictionary or JSON will do.

# %%
watch = ps.classroom.case("13-1")
watch.pipeline

# %% tags=["exercise:13-1"]
answer_1 = {
    "source": ["aws.codepipeline"],
    "detail-type": ["CodePipeline Action Execution State Change"],
    "detail": {"pipeline": [watch.name], "state": ["FAILED"], "type": {"category": ["Build"]}},
}

# %% tags=["check:13-1"]
ps.classroom.check("13-1", answer_1)

# %% [markdown]
# **2. An alarm for real trouble.** One failure is daily life. The alarm should go off when at least `often.failures`
# executions of pipeline `often.name` have failed within `often.minutes` minutes, and calm down afterwards. Answer
# with a dictionary of what `put_metric_alarm` takes.

# %%
often = ps.classroom.case("13-2")
often

# %% tags=["exercise:13-2"]
answer_2 = {
    "AlarmName": "trouble", "Namespace": "AWS/CodePipeline", "MetricName": "FailedPipelineExecutions",
    "Dimensions": [{"Name": "PipelineName", "Value": often.name}], "Statistic": "Sum",
    "Period": often.minutes * 60, "EvaluationPeriods": 1, "Threshold": often.failures,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching",
}  # fmt: skip

# %% tags=["check:13-2"]
ps.classroom.check("13-2", answer_2)

# %% [markdown]
# **3. The night nobody released.** `night.happens` lets a night pass in your cloud. In that night the transition into
# stage `night.stage` of pipeline `night.name` was closed for hours; in the morning it is open again, and nobody says
# a word. Who closed it, and for how many minutes was it closed? Several people were at work.

# %%
night = ps.classroom.case("13-3")
cloud = ps.Cloud(seed=1, actions="assumed").open()
night.happens(cloud)
night.name, night.stage

# %% tags=["exercise:13-3"]
wanted = [{"AttributeKey": "EventSource", "AttributeValue": "codepipeline.amazonaws.com"}]
calls = cloud.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"][::-1]
calls = [one for one in calls if "errorCode" not in one["CloudTrailEvent"]]
door = pd.DataFrame(one for one in calls if f'"stageName": "{night.stage}"' in one["CloudTrailEvent"])
door["minutes"] = -door["EventTime"].diff(-1).dt.total_seconds() / 60
longest = door.query("EventName == 'DisableStageTransition'").sort_values("minutes").iloc[-1]
answer_3 = (longest["Username"], longest["minutes"])

# %% tags=["check:13-3"]
ps.classroom.check("13-3", answer_3)

# %%
cloud.close()

# %% [markdown]
# ## In practice
#
# - EventBridge delivers each event at least once, usually within seconds, and in no promised order.
# - The topic needs a policy that lets EventBridge publish, and the function one that lets it invoke. The mock does
#   not insist on either.
# - For people there is a shorter way: *notification rules* of the pipeline send ready-made messages to a topic or chat.
# - CloudTrail keeps the calls of ninety days, with some minutes of delay; for longer, make a trail to a bucket.
# - The names of the metrics are those of the service. That their dimension is called
#   `PipelineName`, and that stopped executions are not measured, is assumed here.
#
# ## Further reading
#
# - *AWS CodePipeline User Guide*: "Monitoring CodePipeline events", "Monitoring CodePipeline metrics", "Logging
#   CodePipeline API calls with AWS CloudTrail".
# - *Amazon EventBridge User Guide*: "Creating Amazon EventBridge event patterns".
#
# Next: [Find out what is wrong](14_troubleshooting.ipynb).
