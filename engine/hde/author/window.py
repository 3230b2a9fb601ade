"""The window of a drafted resource, of what its request asks for."""

from __future__ import annotations

from hde.author.bounds import Bounds
from hde.author.part import Map, Notes, Part, look

_FROM = "where does history begin? Left out, a source with a start of its own takes that"


def window_part(bounds: Bounds, time: str | None, *, is_list: bool) -> Part:
    """`window`; nothing where the request names none. `time`: the column of a record's own time."""
    if bounds.form is None:
        return Part()
    said: Map = {} if time is None else {"time": time}
    asks = "how long are records revised (settle), how much may one request ask for (step)?"
    if bounds.is_day or not is_list:  # one object is about the whole of what was asked for
        said["step"] = "1d"
        asks = "how long are records revised (settle)?"
    elif bounds.has_end:
        said["step"] = "30d"
    said |= {"settle": "7d", "from": "730d"}
    if bounds.form != "rfc3339":
        said["format"] = bounds.form
    if bounds.form == "date" and bounds.has_end:
        said["end"] = "inclusive"
        asks += " Is the end day included?"
    notes: Notes = {("window",): look(asks), ("window", "from"): look(_FROM)}
    return Part({"window": said}, notes)
