"""CloudBees, which is Jenkins for enterprises: its masters run the same plugin, each with an address of its own.

Source: AWS CodePipeline User Guide, "Integrations with CodePipeline action types" (CloudBees). The keys are not
published; that they are those of the Jenkins plugin is inferred from CloudBees being a Jenkins.
"""

from __future__ import annotations

from pipesim.cloud.ci.jenkins import Jenkins


class CloudBees(Jenkins):
    """A CloudBees master; override `build` as of `Jenkins`."""

    provider = "CloudBees"
    url = "https://cloudbees.example.com/master-1"
