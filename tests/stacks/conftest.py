from collections.abc import Iterator

import pytest

from tests.testbed.pulumi_mocks import Deploy, mocked_pulumi


@pytest.fixture
def deploy() -> Iterator[Deploy]:
    with mocked_pulumi() as deploy:
        yield deploy
