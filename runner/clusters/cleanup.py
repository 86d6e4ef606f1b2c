"""Removes the workers of a run whose own process could not: `python3 -m runner.clusters.cleanup`.

It is a container of the run's pod that outlives the flow's (a sidecar of Kubernetes' own kind): it sleeps until the
flow's container has ended, however it did, and the kubelet asks it to end. Then it deletes what the pod owns.
"""

import os
import signal
import sys

SECONDS = 20.0
"""How long it goes on trying."""


def main() -> int:
    """Wait for the end, then clean up; the result is the exit code."""
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    from runner.clusters import worker_pod
    from runner.clusters.worker_pod import Owner
    from runner.errors import PenstockError
    from runner.kubernetes import names
    from runner.kubernetes.client import Client, path
    from runner.kubernetes.config import load
    from runner.kubernetes.errors import NotFound
    from runner.outcome import ExitCode

    try:
        access = load()
        owner = Owner(
            namespace=access.namespace,
            pod=os.environ["PENSTOCK_POD_NAME"],
            uid=os.environ["PENSTOCK_POD_UID"],
            labels={names.RUN_ID: os.environ["PENSTOCK_RUN_ID"]},
        )
        pods = path("v1", "pods", namespace=owner.namespace)
        secrets = path("v1", "secrets", namespace=owner.namespace)
        code = ExitCode.OK
        with Client(access, budget_seconds=SECONDS) as client:
            found = client.get(pods, labelSelector=worker_pod.selector(owner))["items"]
            left = [
                f"{pods}/{item['metadata']['name']}"
                for item in found
                if worker_pod.is_of(owner, item) and "deletionTimestamp" not in item["metadata"]
            ]
            for where in (*left, f"{secrets}/{worker_pod.secret_name(owner)}"):
                try:
                    client.delete(where, {"gracePeriodSeconds": 2} if where in left else None)
                    print(f"penstock: {where} was left by the run, and is deleted now.", file=sys.stderr)
                except NotFound:
                    continue
                except PenstockError as error:  # the others can be deleted all the same
                    print(f"penstock: {error}", file=sys.stderr)
                    code = error.exit_code
    except PenstockError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return error.exit_code
    return code


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    sys.exit(main())
