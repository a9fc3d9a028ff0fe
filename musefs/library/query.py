"""A query in words: `blue artist:"Miles Davis"`, all of which a track must have. Pure.

Words are looked for in every tag, `field:value` in that field; anywhere in a value, and whether
letters are large or small is all the same. Quotes keep blanks and colons together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from musefs.errors import InvalidQuery
from musefs.layout.vocabulary import BY_FIELD, field_of_vorbis

QUERY_CHARACTERS_MAX = 1_000
TERMS_MAX = 20

_TERM = re.compile(r'\s*(?:(?P<field>[^\s":]+):)?(?:"(?P<quoted>[^"]*)"|(?P<word>[^\s"]+))?\s*')
_LIKENESS_MIN = 0.5


@dataclass(frozen=True, slots=True)
class Term:
    """Text, folded, that a value of the field must contain; without a field, any value."""

    field: str | None
    text: str

    def is_in(self, tags: Mapping[str, Sequence[str]]) -> bool:
        """Whether these tags have it."""
        values = (
            tags.get(self.field, ())
            if self.field is not None
            else [value for values in tags.values() for value in values]
        )
        return any(self.text in folded(value) for value in values)


def parse(query: str) -> tuple[Term, ...]:
    """The terms of a query. Raises InvalidQuery."""
    if len(query) > QUERY_CHARACTERS_MAX:
        raise InvalidQuery(
            f"the query has {len(query)} characters: at most {QUERY_CHARACTERS_MAX} are allowed"
        )
    if query.count('"') % 2:
        raise InvalidQuery(f'{query}: a quote is never closed: write another " where it ends')
    found = [_term(query, match) for match in _TERM.finditer(query)]
    terms = [term for term in found if term is not None]
    if not terms:
        raise InvalidQuery('the query is empty: give a path, words or field:"value"')
    if len(terms) > TERMS_MAX:
        raise InvalidQuery(f"the query has {len(terms)} words: at most {TERMS_MAX} are allowed")
    return tuple(terms)


def folded(text: str) -> str:
    """Text as it is compared."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _term(query: str, found: re.Match[str]) -> Term | None:
    name, quoted, word = found["field"], found["quoted"], found["word"]
    text = folded((quoted if quoted is not None else word or "").strip())
    if name is None:
        if not text and quoted is not None:
            raise InvalidQuery(f'{query}: "" has nothing in it: write a word there')
        return Term(None, text) if text else None
    field = field_of_vorbis(name)
    if field not in BY_FIELD:
        nearest = get_close_matches(name.lower(), BY_FIELD, 3, _LIKENESS_MIN)
        choice = ", ".join(nearest) or "title, artist, album, genre and the like"
        raise InvalidQuery(
            f'{name}: there is no such field: choose one such as {choice}, or quote the "word"'
        )
    if not text:
        raise InvalidQuery(f'{name}: has no value: write {name}:"what it should contain"')
    return Term(field, text)
