"""Events, split out of bytes however they come."""

import json

import pytest

from scaffolding_core.workers.http.sse import Event, EventSplitter, WholeBody


def split(raw, step=1):
    splitter = EventSplitter()
    events = [event for at in range(0, len(raw), step) for event in splitter.feed(raw[at : at + step])]
    return events + splitter.finish()


def data(*texts):
    return [Event(text) for text in texts]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_event_of_any_size_in_any_pieces(end):
    events = [json.dumps({"n": "x" * size}) for size in (1, 10, 5000)]
    raw = "".join(f": comment{end}event: e{end}data: {event}{end}{end}" for event in events).encode()
    for step in (1, 7, 4096):
        assert split(raw, step) == data(*(event.encode() for event in events))


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        (b"data: a\ndata: b\n\n", data(b"a\nb")),
        (b"data:a\n\ndata:  b\n\n", data(b"a", b" b")),
        (b"\xef\xbb\xbfdata: a\n\ndata: b\n\n", data(b"a", b"b")),
        (
            b"data: a\n\n\xef\xbb\xbfdata: b\n\xef\xbb\xbf\ndata: \xef\xbb\xbfc\n\n",
            data(b"a", b"b", b"\xef\xbb\xbfc"),
        ),
        ('data: "a\u2028b\x85"\n\n'.encode(), data('"a\u2028b\x85"'.encode())),
        (b"data: a\r\n\r\ndata: b\r\r", data(b"a", b"b")),
        (b"data: a\n\ndata: b", data(b"a", b"b")),
        (b"event: error\ndata: a\n\ndata: b\n\n", [Event(b"a", failed=True), Event(b"b")]),
        (b"event: error\r\ndata: a\r\ndata: b\r\n\r\n", [Event(b"a\nb", failed=True)]),
        (b": ping\n\nid: 1\nretry: 5\n\n", []),
        (b"", []),
    ],
)
def test_events_as_servers_write_them(raw, events):
    assert split(raw) == split(raw, 4096) == events


def test_an_answer_that_is_not_streamed_is_one_event():
    body = WholeBody()
    assert [body.feed(b"\xef\xbb\xbf{"), body.feed(b"}"), body.finish(), body.finish()] == [
        [],
        [],
        data(b"{}"),
        [],
    ]
