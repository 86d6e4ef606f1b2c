"""What Pulumi starts: tells it the port on which the policies can be asked, and waits."""

import sys

from pulumi_policy import PolicyPack  # type: ignore[import-not-found]  # it is in an environment of its own

from policies.pack import keep_marks, policies
from stacks.review.policy.applying import PolicyError

try:
    made = policies()
except PolicyError as error:
    sys.exit(str(error))
keep_marks()
PolicyPack(name="penstock", policies=made)
