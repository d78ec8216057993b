"""What holds for all tests."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def _no_kept_values() -> object:
    """No test finds metric values that another has kept, or leaves some behind; those of the cache make their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAN_EVAL_CACHE_MB", "0")
        yield
