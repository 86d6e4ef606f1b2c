"""The operations of CloudWatch Logs in which moto does not say what CloudWatch says."""

import json
from typing import Any

from moto.logs import urls
from moto.logs.responses import LogsResponse


class Responses(LogsResponse):  # type: ignore[misc]
    """CloudWatch Logs that can be searched by the names of streams."""

    _streams: list[str] | None = None

    def filter_log_events(self) -> str:
        """Events that match, of the streams whose names begin with `logStreamNamePrefix`."""
        prefix, group = self._get_param("logStreamNamePrefix"), self._get_param("logGroupName")
        if prefix is None or group not in self.logs_backend.groups:
            return str(super().filter_log_events())
        names = [name for name in self.logs_backend.groups[group].streams if name.startswith(prefix)]
        if not names:
            return json.dumps({"events": [], "searchedLogStreams": []})
        self._streams = names
        return str(super().filter_log_events())

    def _get_param(self, name: str, if_none: Any = None) -> Any:
        if name == "logStreamNames" and self._streams:
            return self._streams
        return super()._get_param(name, if_none)


def install() -> None:
    """Have moto answer like this."""
    urls.url_paths = {"{0}/$": Responses.dispatch}
