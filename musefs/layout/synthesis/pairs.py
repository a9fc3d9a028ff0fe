"""A number and its total in one text, "3/12", as APEv2 and ASF have them."""

from __future__ import annotations

from musefs.layout.tags import Tags

_TOTALS = {"tracknumber": "tracktotal", "discnumber": "disctotal"}


def paired(tags: Tags) -> dict[str, tuple[str, ...]]:
    """Fields with track and disc totals written behind their numbers.

    Several totals, or one without a number, stay a field of their own.
    """
    fields = dict(tags)
    for number, total in _TOTALS.items():
        numbers, totals = fields.get(number, ()), fields.get(total, ())
        if numbers and len(totals) == 1 and "/" not in numbers[0]:
            fields[number] = (f"{numbers[0]}/{totals[0]}", *numbers[1:])
            del fields[total]
    return fields
