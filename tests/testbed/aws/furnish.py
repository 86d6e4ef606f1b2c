"""Gives a server what people need to try Penstock on it: `python -m tests.testbed.aws.furnish ENDPOINT`.

Prints a line of JSON: `env` with which clients use it, `vpc` and `subnets`.
"""

import json
import re
import sys
from pathlib import Path

from tests.testbed.aws.handle import CHECKOUT, Aws, add_images

NETWORK = "127.30.0.0/16"
"""Inside what this machine answers on, so that a task can be reached at its address."""
SUBNETS = ("127.30.1.0/24", "127.30.2.0/24")
EXAMPLES = tuple(CHECKOUT / "stacks" / f"Pulumi.{kind}.yaml" for kind in ("fargate-task", "dask-cloud-provider"))


def furnish(aws: Aws) -> dict[str, object]:
    """Make the images, those of the example stacks too, and a network known."""
    add_images(aws)
    for example in EXAMPLES:
        image = re.search(r"^ *penstock:image: *(\S+)", example.read_text(), re.MULTILINE)
        assert image is not None, f"{example} names no image"
        aws.add_image(image[1], bin_folder=str(Path(sys.executable).parent), folder=str(CHECKOUT / "examples"))
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock=NETWORK)["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"] for cidr in SUBNETS]
    return {"env": aws.env, "vpc": vpc, "subnets": subnets}


if __name__ == "__main__":
    print(json.dumps(furnish(Aws(endpoint=sys.argv[1]))))
