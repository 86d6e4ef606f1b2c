"""Objects in a bucket of S3."""

from runner.aws.access import Access
from runner.aws.client import Asked, Client
from runner.aws.errors import Refused

RANGE_NOT_SATISFIABLE = 416


class Bucket:
    """One bucket. Any thread may use it.

    Args:
        access: where AWS is, and who asks.
        name: the bucket's name.
        budget_seconds: how long a call goes on trying.
    """

    def __init__(self, access: Access, name: str, *, budget_seconds: float = 30.0) -> None:
        # A bucket has a host of its own, but where the address is not AWS' own, or its certificate has no such name.
        own_host = access.configured_url("s3") is None and "." not in name
        host = f"{name}.{access.host('s3')}" if own_host else None
        self._client = Client(access, "s3", host=host, budget_seconds=budget_seconds)
        self._prefix = "/" if own_host else f"/{name}/"

    def put(self, key: str, data: bytes) -> None:
        """Put an object, in the place of one of that key.

        Raises:
            ApiError: AWS refused it.
            Unreachable: no whole answer came within the budget.
        """
        self._client.send(Asked(method="PUT", path=self._prefix + key, action="PutObject", body=data))

    def get(self, key: str, *, most: int | None = None) -> bytes:
        """The bytes of an object.

        Args:
            key: the object's.
            most: so many of its first bytes at most; null for all.

        Raises:
            NotFound: there is none of that key.
            ApiError: AWS refused it.
            Unreachable: no whole answer came within the budget.
        """
        headers = {} if most is None else {"Range": f"bytes=0-{most - 1}"}
        try:
            return self._client.send(
                Asked(method="GET", path=self._prefix + key, action="GetObject", headers=headers)
            ).body
        except Refused as error:
            if error.status == RANGE_NOT_SATISFIABLE:  # the object has no bytes at all
                return b""
            raise

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._client.close()
