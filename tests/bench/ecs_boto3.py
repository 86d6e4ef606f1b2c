"""`python ecs_boto3.py PACKAGES CALL [GROUP PREFIX]`: RunTask through AWS' own client.

PACKAGES is the folder that has it, CALL a file with the parameters as JSON. Prints `accepted`. With GROUP and PREFIX it
then asks every 0.1 s until the task has stopped, prints what is in its log, and exits as it did.
"""

import json
import sys
import time
from pathlib import Path

POLL_SECONDS = 0.1


def main(packages: str, call: str, *log: str) -> int:
    """Start the task, and follow it where a log is given; the result is its exit code, 0 where it is not followed."""
    # At the end: nothing of Python's own is looked for among these, and what they would add to its start is left out.
    sys.path.append(packages)
    import boto3

    ecs = boto3.client("ecs")
    parameters = json.loads(Path(call).read_bytes())
    task = ecs.run_task(**parameters)["tasks"][0]
    print("accepted", flush=True)
    if not log:
        return 0
    group, prefix = log
    while task["lastStatus"] != "STOPPED":
        time.sleep(POLL_SECONDS)
        (task,) = ecs.describe_tasks(cluster=parameters["cluster"], tasks=[task["taskArn"]])["tasks"]
    stream = f"{prefix}/flow/{task['taskArn'].rpartition('/')[2]}"
    found = boto3.client("logs").get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    for event in found["events"]:
        print(event["message"])
    return int(task["containers"][0]["exitCode"])


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
