"""The edits of stacks' files that previews are recorded of."""

from tests.stacks.review.recording import cases_aws, cases_kubernetes

CASES = (*cases_aws.CASES, *cases_kubernetes.CASES)
