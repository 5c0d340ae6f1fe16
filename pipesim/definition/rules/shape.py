"""The rules of shape: found by the reader and by botocore's model, named here so that they have a source."""

from __future__ import annotations

from pipesim.definition.rules.table import MODEL, RECORDED, shape_rule

_SERVICE = f"{MODEL}; the form of the message is that of {RECORDED}"

shape_rule("missing-member", "Members that the service requires are there.", wording="ours", source=MODEL)
shape_rule("unknown-member", "Only members of the service's model are there.", wording="ours", source=MODEL)
shape_rule("wrong-type", "Every value has the type of its member.", wording="ours", source=MODEL)
shape_rule("empty-list", "Lists that need an entry have one.", wording="ours", source=MODEL)
shape_rule("unknown-value", "Enumerated members have one of their values.", wording="service", source=_SERVICE)
shape_rule("name-pattern", "Names use only the characters of their pattern.", wording="service", source=_SERVICE)
shape_rule("text-pattern", "Texts fit the pattern of their member.", wording="service", source=_SERVICE)
shape_rule("text-length", "Texts are as long as their member allows.", wording="service", source=_SERVICE)
shape_rule("configuration-value", "Configuration values have 1 to 1000 characters.", wording="service", source=_SERVICE)
shape_rule("run-order", "runOrder is a number from 1 to 999.", wording="service", source=_SERVICE)
shape_rule("timeout-range", "Time-outs are 5 to 86400 minutes.", wording="service", source=_SERVICE)
shape_rule("number-range", "Numbers lie in the range of their member.", wording="service", source=_SERVICE)
shape_rule("list-size", "Lists have as many entries as their member allows.", wording="service", source=_SERVICE)
shape_rule("condition-count", "A gate has one condition.", wording="service", source=_SERVICE)
shape_rule("rule-count", "A condition has 1 to 5 rules.", wording="service", source=_SERVICE)
