"""`python ecs_dask_entry.py dask-worker|dask-scheduler ARGUMENTS`: what tasks of dask-cloudprovider need beside it.

It starts commands that distributed has no more, at no address in particular, and leaves the keys to its users.
"""

import json
import os
import sys
import urllib.request


def main(program: str, *arguments: str) -> None:
    """Become the command of today's Dask, at the task's address and with the keys of `BENCH_KEYS`."""
    with urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"], timeout=5) as answer:  # noqa: S310
        address = json.load(answer)["Networks"][0]["IPv4Addresses"][0]
    keys = os.environ["BENCH_KEYS"]
    settings = {"REQUIRE_ENCRYPTION": "true", "TLS__CA_FILE": keys}
    for role in ("CLIENT", "SCHEDULER", "WORKER"):
        settings |= {f"TLS__{role}__CERT": keys, f"TLS__{role}__KEY": keys}
    os.environ.update({f"DASK_DISTRIBUTED__COMM__{name}": value for name, value in settings.items()})
    command = ["dask", program.removeprefix("dask-"), *arguments, "--host", address]
    os.execvp(command[0], command)  # noqa: S606 no shell is wanted


if __name__ == "__main__":
    main(*sys.argv[1:])
