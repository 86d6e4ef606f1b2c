# ruff: noqa: ARG002, N802 the protocol gives names and arguments of its methods
"""The provider as Pulumi's engine calls it."""

import json
import os
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.testbed.aws.provider import checking, sdk
from tests.testbed.aws.provider.calls import Endpoint, Item
from tests.testbed.aws.provider.changes import changes
from tests.testbed.aws.provider.errors import ProviderError
from tests.testbed.aws.provider.functions import FUNCTIONS
from tests.testbed.aws.provider.lifecycle import Lifecycle
from tests.testbed.aws.provider.resource import names
from tests.testbed.aws.provider.resource_types import TYPES
from tests.testbed.aws.provider.settings import configured
from tests.testbed.aws.provider.values import Values, same
from tests.testbed.aws.provider.wire import dump, load

VERSION = f"{sdk.VERSION}+penstock.1"
"""Not below the SDK's, as the engine would warn of that."""
THREADS = 16


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One set of settings for each connection: an attached provider serves every engine and instance that comes."""

    def __init__(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}

    def Handshake(self, request: Any, context: Any) -> Any:
        """Tell the engine that it is to unwrap secrets itself."""
        return provider_pb2.ProviderHandshakeResponse()

    def Attach(self, request: Any, context: Any) -> Any:
        """An engine has come to a provider that it has not started."""
        return Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        """Every call is short, and ends."""
        return Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Its version."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:
        """Nobody needs more of it than the name."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "aws", "version": sdk.VERSION}))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """`Configure` judges."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """Another region is another place for every resource."""
        old, new = load(request.old_inputs or request.olds), load(request.news)
        moved = ["region"] if old.get("region") and old.get("region") != new.get("region") else []
        some = provider_pb2.DiffResponse.DIFF_NONE if same(old, new) else provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(changes=some, replaces=moved, diffs=moved)

    def Configure(self, request: Any, context: Any) -> Any:
        """Settings for this connection."""
        with _sentence(context, "configuring aws"):
            arguments = load(request.args) or {
                name.removeprefix("aws:config:"): value for name, value in request.variables.items()
            }
            self._endpoints[context.peer()] = Endpoint(configured(arguments, os.environ))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        """Inputs filled in, and what is wrong with them."""
        with _sentence(context, f"checking {_name(request.urn)}"):
            life, given = self._life(request.urn, context), load(request.news)
            region = given.get("region") or life.settings.region
            values = checking.filled(
                life.token,
                life.kind,
                given,
                name=_name(request.urn),
                seed=request.randomSeed,
                before=load(request.olds),
                region=life.settings.region,
                default_tags=life.settings.default_tags,
            )
            failures = [
                provider_pb2.CheckFailure(
                    property=problem.input, reason=f"{problem.input or _name(request.urn)}: {problem.reason}"
                )
                for problem in checking.problems(life.token, life.kind, given, values, str(region))
            ]
        return provider_pb2.CheckResponse(inputs=dump(values), failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        """What changes, and how."""
        with _sentence(context, f"comparing {_name(request.urn)}"):
            kind = self._life(request.urn, context).kind
            found = changes(kind, load(request.old_inputs), load(request.news), request.ignoreChanges)
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if found.inputs else response.DIFF_NONE,
            diffs=found.inputs,
            replaces=found.replaces,
            detailedDiff={
                path: provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.Kind.Value(verb), inputDiff=True)
                for path, verb in found.paths.items()
            },
            hasDetailedDiff=True,
            deleteBeforeReplace=found.delete_first,
        )

    def Create(self, request: Any, context: Any) -> Any:
        """Make a resource, or tell what is known of it."""
        with _sentence(context, f"creating {_name(request.urn)}"):
            life, inputs = self._life(request.urn, context), load(request.properties)
            if request.preview:
                return provider_pb2.CreateResponse(properties=dump(life.preview(inputs)))
            made = life.create(inputs)
        return provider_pb2.CreateResponse(id=made.id, properties=dump(made.outputs))

    def Update(self, request: Any, context: Any) -> Any:
        """Change a resource in place, or tell what is known of it."""
        with _sentence(context, f"updating {_name(request.urn)}"):
            life, outputs, inputs = self._life(request.urn, context), load(request.olds), load(request.news)
            if request.preview:
                return provider_pb2.UpdateResponse(properties=dump(life.preview(inputs, outputs)))
            changed = life.update(request.id, outputs, load(request.old_inputs), inputs)
        return provider_pb2.UpdateResponse(properties=dump(changed.outputs))

    def Read(self, request: Any, context: Any) -> Any:
        """What a resource is like; an answer without an id says that it is gone."""
        with _sentence(context, f"reading {_name(request.urn)}"):
            life = self._life(request.urn, context)
            found = life.read(request.id, load(request.properties), load(request.inputs))
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=found.id, properties=dump(found.outputs), inputs=dump(found.inputs))

    def Delete(self, request: Any, context: Any) -> Any:
        """Delete a resource."""
        with _sentence(context, f"deleting {_name(request.urn)}"):
            self._life(request.urn, context).delete(request.id, load(request.properties))
        return Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        """Answer a function."""
        with _sentence(context, f"asking {request.tok}"):
            answer = self._answer(request.tok, load(request.args), self._endpoint(context))
        return provider_pb2.InvokeResponse(**{"return": dump(answer)})

    def _answer(self, token: str, given: Values, endpoint: Endpoint) -> Values:
        if token not in FUNCTIONS:
            raise ProviderError(f"the test provider does not model the function {token}; add it to functions.py.")
        service, answer, arguments = FUNCTIONS[token]
        for name in sorted(given.keys() - names(arguments) - {"region"}):
            raise ProviderError(f"the test provider does not model the argument {name}; add it to functions.py.")
        region = given.get("region") or endpoint.settings.region
        account = endpoint.settings.account
        item = Item(service=service, caller=endpoint, region=region, account=account, values=given)
        return {"region": region, **answer(item)}

    def _endpoint(self, context: Any) -> Endpoint:
        endpoint = self._endpoints.get(context.peer())
        if endpoint is None:
            raise ProviderError("the provider was not configured on this connection.")
        return endpoint

    def _life(self, urn: str, context: Any) -> Lifecycle:
        token = urn.split("::")[2].rsplit("$", 1)[-1]
        if token not in TYPES:
            raise ProviderError(f"the test provider does not model the type {token}; add it to its tables.")
        endpoint = self._endpoint(context)
        return Lifecycle(token=token, kind=TYPES[token], settings=endpoint.settings, caller=endpoint)


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]


@contextmanager
def _sentence(context: Any, doing: str) -> Iterator[None]:
    """End the call with a sentence when AWS or the provider refuses."""
    try:
        yield
    except (ProviderError, ClientError, BotoCoreError, LookupError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, f"{doing}: {error}")


def serve(port: int = 0) -> tuple[Any, int]:
    """Start to serve on loopback.

    Args:
        port: which port; 0 for a free one.

    Returns:
        The server, to be stopped, and its port.
    """
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(futures.ThreadPoolExecutor(THREADS), options=unlimited)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, int(bound)
