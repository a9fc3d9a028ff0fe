"""Files that broke tag readers once: none may hang, break the service, or be served broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.vendor_files import mutagen_files, taglib_files
from tests.matrix.vendor_check import outcomes

_FAULTS_PRINTED_MAX = 3
pytestmark = pytest.mark.vendor

SOURCES = {"mutagen": (mutagen_files, 50), "taglib": (taglib_files, 40)}
"""Where files come from, and how many of them are re-tagged at least."""


@pytest.mark.parametrize("source", SOURCES)
def test_every_file_is_served(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    files: Callable[[], tuple[Path, ...]]
    files, retagged_min = SOURCES[source]
    found = outcomes(files())
    faults = {
        f"{path.name} {outcome.change}": outcome.faults
        for path, results in found.items()
        for outcome in results
        if outcome.faults
    }
    served = [path for path, results in found.items() if all(not r.reason for r in results)]
    reasons = Counter(results[0].reason for results in found.values() if results[0].reason)
    with capsys.disabled():
        print(f"\n{source}: {len(found)} files, {len(served)} re-tagged; as they are:")
        for path, results in found.items():
            for reason in sorted({r.reason for r in results if r.reason}):
                print(f"  {path.name} {reason}")
        for reason, count in reasons.most_common():
            print(f"  {count} x {reason}")
        for name, told in faults.items():
            print(f"  FAULT {name}: {'; '.join(told[:_FAULTS_PRINTED_MAX])}")
    assert sorted(faults) == []
    assert len(served) >= retagged_min
    assert len(found) == len(files())
