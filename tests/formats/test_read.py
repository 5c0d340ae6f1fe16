import json
import os
import tracemalloc

import pytest

from pipesim.errors import SourceError
from pipesim.formats.read import LARGEST, read

DECLARATION = {"name": "shop", "roleArn": "arn:aws:iam::111122223333:role/p", "stages": []}
TEXT = json.dumps(DECLARATION)


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda text: text.encode(), id="utf-8"),
        pytest.param(lambda text: text.encode("utf-8-sig"), id="utf-8 with BOM"),
        pytest.param(lambda text: b"\xff\xfe" + text.encode("utf-16-le"), id="utf-16 little end first"),
        pytest.param(lambda text: b"\xfe\xff" + text.encode("utf-16-be"), id="utf-16 big end first"),
        pytest.param(lambda text: text.encode("utf-32"), id="utf-32"),
        pytest.param(lambda text: json.dumps(json.loads(text), indent=2).replace("\n", "\r\n").encode(), id="CRLF"),
    ],
)
def test_every_encoding_gives_the_same_document(encode, tmp_path):
    file = tmp_path / "pipeline.json"
    file.write_bytes(encode(TEXT))

    assert read(file).document == DECLARATION
    assert read(str(file)).document == DECLARATION
    assert read(encode(TEXT)).document == DECLARATION


@pytest.mark.parametrize("lead", ["", "\ufeff", "\n  ", "\ufeff \r\n"])
def test_a_text_that_begins_with_a_brace_is_json(lead):
    assert read(lead + TEXT).document == DECLARATION


def test_json_that_holds_an_arrow_stays_json():
    assert read('{"name": "a -> b"}').document == {"name": "a -> b"}


def test_a_mapping_is_taken_as_it_is():
    assert read(DECLARATION).document is DECLARATION


def test_a_text_with_an_arrow_is_a_sketch_unless_a_file_has_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a -> b").write_text(TEXT)

    assert read("a -> c").sketch == "a -> c"
    assert read("a -> b").document == DECLARATION


@pytest.mark.parametrize("name", ["shop.txt", "shop.sketch", "shop"])
def test_a_file_may_hold_a_sketch(name, tmp_path):
    file = tmp_path / name
    file.write_text("GitHub →\nCodeBuild\n", encoding="utf-8")

    assert read(file).sketch == "GitHub →\nCodeBuild\n"


def test_a_text_file_may_hold_json(tmp_path):
    file = tmp_path / "shop.txt"
    file.write_text(TEXT)

    assert read(file).document == DECLARATION


def refused(source):
    with pytest.raises(SourceError) as caught:
        read(source)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", ["empty", "sketch"]),
        ("  \n", ["empty"]),
        ("\ufeff", ["empty"]),
        (b"", ["empty"]),
        ("missing.json", ["no file missing.json", "looked in"]),
        ("no/such/file", ["no file no/such/file"]),
        ("shop", ["'shop'", "no file", "begin with '{'", "arrow"]),
        ("GitHub", ["Cannot tell", "arrow"]),
        ("[1, 2]", ["a list", "not an object"]),
        (b'"shop"', ["a text of JSON"]),
        (b"12", ["a number"]),
        (b"null", ["a bare word"]),
        ("{'name': 'shop'}", ["line 1, column 2", "double quotes"]),
        ('{"a": 1,\n "b": }', ["line 2, column 7", "a value was expected"]),
        ('{"a": 1 "b": 2}', ["line 1, column 9", "comma"]),
        ('{"a": 1} x', ["line 1, column 10", "nothing more"]),
        ('{"a": [1, 2', ["cut off", "line 1, column 12", "a comma or a closing bracket"]),
        ('{"a": {"b": "c', ["cut off", "line 1, column 13", "no closing quote"]),
        ('{"a":\n', ["cut off", "a value"]),
        ('{"a": NaN}', ["NaN", "no number of JSON"]),
        ('{"a": -Infinity}', ["-Infinity"]),
        ('{"a": 1e999}', ["inf", "finite"]),
        ({"a": float("nan")}, ["nan", "finite"]),
        ('{"a": 1, "b": 2, "a": 3}', ["'a' twice", "'b'"]),
        ('{"x": {"stages": [], "stages": []}}', ["'stages' twice"]),
        ('{"a":' * 100_000, ["nested too deeply"]),
        ('{"a":' + "[" * 200 + "]" * 200 + "}", ["nested too deeply", "64"]),
        (b'{"a": "\xff"}', ["offset 7", "UTF-8"]),
        ('{"a": 1}'.encode("utf-16-le"), ["zero bytes", "UTF-16"]),
        ('{"a": ' + "9" * 5000 + "}", ["not usable JSON"]),
        (12, ["int"]),
        (None, ["NoneType"]),
        ([DECLARATION], ["list"]),
    ],
)
def test_bad_input_is_refused_with_the_way_out(source, words):
    message = refused(source)

    assert [word for word in words if word not in message] == []


def test_a_mapping_that_holds_itself_is_refused():
    loop = {}
    loop["again"] = loop

    assert "nested too deeply" in refused(loop)


def test_a_directory_names_a_file_in_it(tmp_path):
    (tmp_path / "shop.json").write_text(TEXT)

    message = refused(tmp_path)

    assert "is a directory" in message
    assert "shop.json" in message


def test_fifty_megabytes_are_refused_without_reading_them(tmp_path):
    file = tmp_path / "large.json"
    with file.open("wb") as large:
        large.truncate(50_000_000)

    tracemalloc.start()
    message = refused(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000
    assert "50.0 MB" in message
    assert "5 MB" in message


@pytest.mark.parametrize("source", ["{" + " " * LARGEST, b"{" + b" " * LARGEST])
def test_a_large_text_is_refused(source):
    assert "too large" in refused(source)


def test_an_endless_device_is_refused():
    assert "too large" in refused("/dev/zero")


def test_a_yaml_file_is_a_document(tmp_path):
    file = tmp_path / "pipeline.yaml"
    file.write_text("name: shop\n")

    assert read(file).document == {"name": "shop"}


def test_a_json_file_with_other_text_is_not_json(tmp_path):
    file = tmp_path / "pipeline.json"
    file.write_text("hello -> world")

    assert "is not JSON: at line 1, column 1 a value was expected, near 'hello -> world'" in refused(file)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path):
    file = tmp_path / "secret.json"
    file.write_text(TEXT)
    file.chmod(0)

    assert "permission denied" in refused(file)


@pytest.mark.parametrize("source", ["\0.json", "a" * 5000 + ".json", "~no-such-user/x.json"])
def test_an_impossible_path_is_refused(source):
    assert refused(source)
