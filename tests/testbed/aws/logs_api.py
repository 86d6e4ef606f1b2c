"""The operations of CloudWatch Logs in which moto does not say what CloudWatch says."""

import json
from typing import Any

from moto.logs import urls
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.responses import LogsResponse

from tests.testbed.aws import log_pages, log_pattern
from tests.testbed.aws.ecs_api import faults

NO_STREAM = "The specified log stream does not exist."


class Responses(LogsResponse):  # type: ignore[misc]
    """CloudWatch Logs, whose pages and patterns are CloudWatch's."""

    def get_log_events(self) -> str:
        """Events of one stream."""
        streams = self._group().streams
        if self._get_param("logStreamName") not in streams:
            raise ResourceNotFoundException(NO_STREAM)
        events, backward, forward = log_pages.of_stream(
            list(streams[self._get_param("logStreamName")].events),
            self._asked(),
            from_head=self._get_param("startFromHead", False),
        )
        found = [event.to_response_dict() for event in events]
        return json.dumps({"events": found, "nextBackwardToken": backward, "nextForwardToken": forward})

    def filter_log_events(self) -> str:
        """Events that match, of the streams that are named, or whose names begin as said."""
        streams, names = self._group().streams, self._get_param("logStreamNames")
        prefix = self._get_param("logStreamNamePrefix")
        if names and prefix:
            raise InvalidParameterException("logStreamNames and logStreamNamePrefix cannot be used together.")
        if names and not set(names) <= set(streams):
            raise ResourceNotFoundException(NO_STREAM)
        events = [
            (name, event)
            for name, stream in list(streams.items())
            if (not names or name in names) and name.startswith(prefix or "")
            for event in list(stream.events)
        ]
        matches = log_pattern.matcher(self._get_param("filterPattern"))
        page, token = log_pages.of_group(events, self._asked(), matches)
        found = [{**event.to_filter_dict(), "logStreamName": name} for name, event in page]
        return json.dumps({"events": found, "searchedLogStreams": [], **({"nextToken": token} if token else {})})

    def _group(self) -> Any:
        name = self._get_param("logGroupName") or str(self._get_param("logGroupIdentifier")).rpartition(":")[2]
        if name not in self.logs_backend.groups:
            raise ResourceNotFoundException
        return self.logs_backend.groups[name]

    def _asked(self) -> log_pages.Asked:
        return log_pages.Asked(
            limit=self._get_param("limit"),
            token=self._get_param("nextToken"),
            start=self._get_param("startTime"),
            end=self._get_param("endTime"),
            empty=faults.of_page(self._get_action()) is not None,
        )


def install() -> None:
    """Have moto answer like this."""
    urls.url_paths = {"{0}/$": Responses.dispatch}
