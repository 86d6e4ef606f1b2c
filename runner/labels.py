"""What runs are known by on their platform: labels of Jobs, tags of tasks. An API, since people select by them."""

RUN_ID = "penstock.dev/run-id"
ATTEMPT = "penstock.dev/attempt"
ENVIRONMENT = "penstock.dev/environment"
REQUEST = "penstock.dev/request"
"""SHA-256 of what was asked for, the time and the attempt left out."""
