"""Asks the policy pack about one resource over its protocol's messages; for `test_pack`, in the pack's environment."""

import json
import sys
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel, ResourceValidationPolicy  # type: ignore[import-not-found]
from pulumi_policy.policy import _PolicyAnalyzerServicer  # type: ignore[import-not-found]

from policies.pack import keep_marks
from policies.validation import bare

seen: list[Any] = []
policy = ResourceValidationPolicy(
    name="seen", description="it is seen", validate=lambda args, _report: seen.append(bare(args.props))
)
keep_marks()
servicer = _PolicyAnalyzerServicer("penstock", "0.0.1", [policy], EnforcementLevel.ADVISORY)
request = proto.AnalyzeRequest(type="a:b:C", urn="urn:pulumi:s::p::a:b:C::n", name="n")
json_format.ParseDict(json.loads(sys.argv[1]), request.properties)
answer = servicer.Analyze(request, None)
assert not answer.diagnostics, answer.diagnostics
json.dump(seen, sys.stdout)
