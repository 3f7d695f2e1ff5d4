"""What pages may say."""

from __future__ import annotations

import json
import math

import pytest

from ar_web.messages import MAX_BYTES, Act, Ask, Awaken, Calibrate, Remove, Reset, Seen, Tap, Watch, number_of, parse


def test_all_kinds() -> None:
    stamp = "1763712000123456789"
    assert parse('{"type":"seen"}') == Seen()
    assert parse('{"type":"watch","on":false}') == Watch(False)
    tap = {"type": "tap", "number": 7, "stamp": stamp, "x": 12.25, "y": 3}
    assert parse(json.dumps(tap)) == Tap(7, 1_763_712_000_123_456_789, 12.25, 3.0)
    assert parse(f'{{"type":"awaken","number":1,"stamp":"{stamp}"}}') == Awaken(1, int(stamp), "")
    assert parse('{"type":"awaken","number":1,"detection":"4"}') == Awaken(1, 0, "4")
    assert parse('{"type":"act","number":2,"id":"mug","clip":"hop"}') == Act(2, "mug", "hop")
    assert parse('{"type":"remove","number":3,"id":"mug"}') == Remove(3, "mug")
    lead = {"type": "ask", "number": 8, "action": "lead", "id": "mug", "stamp": stamp, "x": 12.25, "y": 3}
    assert parse(json.dumps(lead)) == Ask(8, "lead", "mug", int(stamp), 12.25, 3.0)
    call = parse('{"type":"ask","number":9,"action":"call","id":"mug"}')
    assert isinstance(call, Ask)
    assert (call.action, call.id, math.isnan(call.x), math.isnan(call.y)) == ("call", "mug", True, True)
    assert parse('{"type":"reset","number":4}') == Reset(4)
    assert parse('{"type":"calibrate","number":5,"action":"finish"}') == Calibrate(5, "finish", "", 0.0)
    begin = '{"type":"calibrate","number":6,"action":"begin","model":"equidistant","square_mm":12.5}'
    assert parse(begin) == Calibrate(6, "begin", "equidistant", 12.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 2000, "not JSON"),
        ("7", "object"),
        ("null", "object"),
        ("{}", "number"),
        ('{"type":"fly","number":1}', "unknown type"),
        ('{"type":["tap"],"number":1}', "unknown type"),
        ('{"type":"watch","on":1}', "true or false"),
        ('{"type":"reset","number":true}', "number"),
        ('{"type":"reset","number":-1}', "number"),
        ('{"type":"tap","number":1,"x":NaN,"y":1}', "'x' = nan"),
        ('{"type":"tap","number":1,"x":1,"y":-Infinity}', "'y' = -inf"),
        ('{"type":"tap","number":1,"x":1e999,"y":1}', "'x' = inf"),
        ('{"type":"tap","number":1,"x":1,"y":70000}', "'y' = 70000"),
        ('{"type":"tap","number":1,"x":' + "9" * 3000 + ',"y":1}', "not a pixel"),
        ('{"type":"tap","number":1,"x":"1","y":1}', "'x' must be a number"),
        ('{"type":"tap","number":1,"x":true,"y":1}', "'x' must be a number"),
        ('{"type":"tap","number":1,"y":1}', "'x' must be a number"),
        ('{"type":"tap","number":1,"x":1,"y":1,"stamp":5}', "stamp"),
        ('{"type":"tap","number":1,"x":1,"y":1,"stamp":"-5"}', "stamp"),
        ('{"type":"tap","number":1,"x":1,"y":1,"stamp":"9999999999999999999"}', "stamp"),
        ('{"type":"tap","number":1,"x":1,"y":1,"stamp":"٣"}', "stamp"),
        ('{"type":"act","number":1,"id":"mug"}', "'clip'"),
        ('{"type":"ask","number":1,"action":"sing","id":"mug"}', "unknown action 'sing'"),
        ('{"type":"ask","number":1,"id":"mug"}', "'action'"),
        ('{"type":"ask","number":1,"action":"feed"}', "'x' must be a number"),
        ('{"type":"ask","number":1,"action":"lead","id":"mug"}', "'x' must be a number"),
        ('{"type":"ask","number":1,"action":"lead","id":"mug","x":1,"y":NaN}', "'y' = nan"),
        ('{"type":"act","number":1,"id":"' + "m" * 300 + '","clip":"hop"}', "'id'"),
        ('{"type":"calibrate","number":1}', "'action'"),
        ('{"type":"calibrate","number":1,"action":"begin","square_mm":-1}', "'square_mm'"),
        ('{"type":"calibrate","number":1,"action":"begin","square_mm":NaN}', "'square_mm'"),
        (" " * (MAX_BYTES + 1), "at most"),
    ],
)
def test_everything_else_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        parse(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_the_number_survives_a_bad_message() -> None:
    assert number_of('{"type":"tap","number":9,"x":NaN}') == 9
    for text in ("", "[]", "7", '{"number":"9"}', "[" * 2000):
        assert number_of(text) is None
