"""Makes, reads, changes and deletes one resource, by what the tables say of its type."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from tests.testbed.aws.provider.calls import Caller, Item, Settings, code
from tests.testbed.aws.provider.checking import DEFAULTS
from tests.testbed.aws.provider.resource import ResourceType
from tests.testbed.aws.provider.sdk import sdk_type
from tests.testbed.aws.provider.values import TAGS, UNKNOWN, Values, same


@dataclass(frozen=True, kw_only=True)
class Found:
    """A resource as it is."""

    id: str
    inputs: Values
    outputs: Values


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """The life of resources of one type."""

    token: str
    kind: ResourceType
    settings: Settings
    caller: Caller

    def preview(self, inputs: Values, before: Values | None = None) -> Values:
        """Outputs as far as they are known before `pulumi up`.

        Args:
            inputs: the inputs.
            before: the outputs so far, when it exists.
        """
        outputs = sdk_type(self.token).outputs - sdk_type(self.token).inputs.keys()
        known = {name: (before or {}).get(name) for name in outputs} if before else dict.fromkeys(outputs, UNKNOWN)
        if not before:
            known.update(dict.fromkeys(self.kind.computed.split(), UNKNOWN))
        renewed = dict.fromkeys(self.kind.renewed.split(), UNKNOWN)
        return {**known, **renewed, **_without_defaults(inputs)}

    def create(self, inputs: Values) -> Found:
        """Make it. What has been made goes again when a later step fails, so that nothing is left without an owner."""
        item = self._item({**self.kind.defaults, **inputs})
        item.id = self.kind.create(item)
        try:
            item.values |= self._live(item) or {}
            item.values |= _without_defaults(inputs)
            for update in self.kind.updates:
                if update.on_create and inputs.keys() & set(update.inputs.split()):
                    update.apply(item)
            self._tag(item, {}, inputs.get("tagsAll") or {})
            return self._state(item, inputs)
        except Exception:
            with contextlib.suppress(Exception):
                self.kind.delete(item)
            raise

    def update(self, id_: str, outputs: Values, before: Values, inputs: Values) -> Found:
        """Change it in place.

        Args:
            id_: which one.
            outputs: what it is like.
            before: its inputs so far.
            inputs: its inputs from now on.
        """
        kept = {key: value for key, value in outputs.items() if key not in sdk_type(self.token).inputs}
        item = self._item({**self.kind.defaults, **kept, **inputs}, before, id_)
        if item["arn"] is None:
            item.values["arn"] = outputs.get("arn")
        for update in self.kind.updates:
            names = update.inputs.split()
            if any(not same(self.kind.plain(name, before), self.kind.plain(name, inputs)) for name in names):
                update.apply(item)
        if self.kind.tagging:
            self._tag(item, dict(self.kind.tagging.read(item)), inputs.get("tagsAll") or {})
        return self._state(item, inputs)

    def read(self, id_: str, outputs: Values, inputs: Values) -> Found | None:
        """What it is like in AWS now; None when it is gone. Without outputs it is an import, by the id alone."""
        item = self._item({**self.kind.defaults, **outputs}, id_=id_)
        live = self._live(item)
        if live is None:
            return None
        known = sdk_type(self.token).inputs
        found = self._state(item, inputs, live)
        if outputs:
            given = {name for name in inputs if name != DEFAULTS} | self._drifted(inputs, found.outputs)
        else:
            given = set(live) | {"tags", "region"}
        now = {
            name: value for name, value in found.outputs.items() if name in given and (name in known or name in TAGS)
        }
        return Found(
            id=found.id, inputs={**now, DEFAULTS: inputs.get(DEFAULTS, [])}, outputs={**outputs, **found.outputs}
        )

    def delete(self, id_: str, outputs: Values) -> None:
        """Delete it; one that is gone already is no error."""
        try:
            self.kind.delete(self._item({**self.kind.defaults, **outputs}, id_=id_))
        except ClientError as error:
            if code(error) not in self.kind.gone:
                raise

    def _item(self, values: Values, before: Values | None = None, id_: str = "") -> Item:
        return Item(
            service=self.kind.service,
            caller=self.caller,
            region=values.get("region") or self.settings.region,
            account=self.settings.account,
            values=dict(values),
            before=before or {},
            id=id_,
        )

    def _live(self, item: Item) -> Values | None:
        try:
            found = self.kind.read(item)
            if found is None:
                return None
            item.id = found.pop("id", item.id)
            if self.kind.tagging:
                item.values.setdefault("arn", found.get("arn"))
                found["tagsAll"] = dict(self.kind.tagging.read(item))
        except ClientError as error:
            if code(error) in self.kind.gone:
                return None
            raise
        return {name: value for name, value in found.items() if value is not None}

    def _tag(self, item: Item, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        if self.kind.tagging is None:
            return
        gone = {key: value for key, value in old.items() if key not in new}
        added = {key: value for key, value in new.items() if old.get(key) != value}
        if gone:
            self.kind.tagging.remove(item, gone)
        if added:
            self.kind.tagging.add(item, added)

    def _state(self, item: Item, inputs: Values, live: Values | None = None) -> Found:
        """Outputs as AWS has them, in the program's spelling where both mean the same."""
        outputs = _without_defaults(inputs)
        now = self._live(item) if live is None else live
        for name, value in (now or {}).items():
            mine, theirs = (self.kind.plain(name, {**inputs, name: spelled}) for spelled in (outputs.get(name), value))
            if name not in outputs or not same(mine, theirs, subset=name not in TAGS):
                outputs[name] = value
        if "tagsAll" in outputs:
            default = self.settings.default_tags
            own = inputs.get("tags") or {}
            tags = {k: v for k, v in outputs["tagsAll"].items() if default.get(k) != v or k in own}
            if tags or "tags" in inputs:
                outputs["tags"] = tags
        if "region" in sdk_type(self.token).inputs:
            outputs.setdefault("region", item.region)
        return Found(id=item.id, inputs=inputs, outputs=outputs)

    def _drifted(self, inputs: Values, outputs: Values) -> set[str]:
        """Inputs that the program does not give and that somebody has set."""
        watched = self.kind.in_place - set(self.kind.computed.split())
        return {name for name in watched - inputs.keys() if outputs.get(name) not in (None, "", [], {}, False, 0)}


def _without_defaults(inputs: Values) -> Values:
    return {name: value for name, value in inputs.items() if name != DEFAULTS}
