"""No reader meets the pages of another version, whoever opened the file before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from musefs.library.page_caches import Caching, PageCaches
from musefs.model import ContentId, Inode

OLD, NEW = ContentId(1), ContentId(2)
FILE, OTHER = Inode(100), Inode(101)


def test_the_second_reader_of_a_file_finds_its_pages() -> None:
    caches = PageCaches()
    assert caches.opened(FILE, OLD) is Caching.FRESH
    assert caches.opened(FILE, OLD) is Caching.KEEP
    caches.released(FILE, OLD)
    caches.released(FILE, OLD)
    assert caches.opened(FILE, OLD) is Caching.KEEP
    assert caches.opened(OTHER, OLD) is Caching.FRESH


def test_a_new_version_goes_past_the_pages_while_the_old_one_is_read() -> None:
    caches = PageCaches()
    caches.opened(FILE, OLD)
    assert caches.opened(FILE, NEW) is Caching.DIRECT
    caches.released(FILE, NEW)
    caches.released(FILE, OLD)
    assert caches.opened(FILE, NEW) is Caching.FRESH
    assert caches.opened(FILE, NEW) is Caching.KEEP


def test_only_the_files_opened_last_are_remembered() -> None:
    caches = PageCaches(inodes_max=1)
    caches.opened(FILE, OLD)
    caches.opened(OTHER, OLD)
    assert caches.opened(FILE, OLD) is Caching.FRESH


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([OLD, NEW, ContentId(3)]))))
def test_kept_pages_are_always_those_of_the_version_that_is_opened(
    steps: list[tuple[bool, ContentId]],
) -> None:
    """A model of the kernel: whoever does not go past the cache may fill it at any time."""
    caches = PageCaches()
    readers: list[tuple[ContentId, Caching]] = []
    pages: set[ContentId] = set()
    for opens, content in steps:
        pages |= {version for version, caching in readers if caching is not Caching.DIRECT}
        if opens:
            caching = caches.opened(FILE, content)
            if caching is Caching.FRESH:
                pages.clear()
            if caching is not Caching.DIRECT:
                assert pages <= {content}
                assert all(version == content for version, how in readers)
            readers.append((content, caching))
        elif readers:
            version, _ = readers.pop(0)
            caches.released(FILE, version)
