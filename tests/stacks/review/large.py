"""A preview as large as one asks for, of resources that were really previewed."""

import json
from itertools import count, islice
from pathlib import Path

PREVIEWS = Path(__file__).parent / "previews"
PARTS = (
    "dask-prod-create",
    "dask-prod-everything",
    "dask-prod-destroy",
    "beside-kubernetes-create",
    "jobs-prod-egress",
)


def large_preview(resources: int) -> str:
    """The steps of several recorded previews, again and again under other names, as one object of `--json`."""
    steps = [
        json.dumps(step)
        for part in PARTS
        for step in json.loads((PREVIEWS / f"{part}.json").read_text())["steps"]
        if step["op"] != "same"
    ]
    urns = [json.loads(step)["urn"] for step in steps]
    repeated = (
        step.replace(urn, f"urn:pulumi:large::{urn.split('::', 1)[1]}-{number}")
        for number in count()
        for step, urn in zip(steps, urns, strict=True)
    )
    return f'{{"steps":[{",".join(islice(repeated, resources))}],"changeSummary":{{"create":{resources}}}}}'
