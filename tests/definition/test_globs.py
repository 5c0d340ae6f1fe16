from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipesim.definition.globs import compile_glob, glob_matches
from pipesim.errors import DeclarationError


@pytest.mark.parametrize(
    ("pattern", "fits", "misses"),
    [
        ("main", ["main"], ["mains", "Main", "feature/main"]),
        ("*", ["main", ""], ["feature/x"]),
        ("**", ["main", "feature/x/y", ""], []),
        ("dir/**", ["dir/a", "dir/a/b"], ["dir", "other/dir/a"]),
        ("dir/*", ["dir/a"], ["dir/a/b", "dir"]),
        ("feature-?", ["feature-1"], ["feature-", "feature-12", "feature-/"]),
        ("v[0-9].[!a]", ["v1.b"], ["vx.b", "v1.a", "v1./"]),
        ("*.{js,ts}", ["a.js", "b.ts"], ["a.py", "d/a.js"]),
        ("{release,hotfix/*}", ["release", "hotfix/1"], ["hotfix", "hotfix/1/2"]),
        (r"a\*b", ["a*b"], ["axb"]),
        (r"\{a\}", ["{a}"], ["a"]),
        ("a,b}", ["a,b}"], ["a"]),
        ("a.b+c", ["a.b+c"], ["axb+c", "a.bbc"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("src/**.py", ["src/a.py", "src/a/b.py"], ["src/a.js"]),
        ("***", ["a/b"], []),
    ],
)
def test_patterns(pattern, fits, misses):
    assert [text for text in fits if not glob_matches(pattern, text)] == []
    assert [text for text in misses if glob_matches(pattern, text)] == []


@pytest.mark.parametrize("pattern", ["[abc", "[]", "[!]", "{a,b", "{a,{b}}", "a\\", "[z-a]"])
def test_malformed_patterns_are_refused_by_name(pattern):
    with pytest.raises(DeclarationError, match="malformed"):
        compile_glob(pattern)


@given(st.text("abcé/.-_ 0", max_size=12))
def test_a_text_without_signs_fits_itself_alone(text):
    assert glob_matches(text, text)
    assert not glob_matches(text, text + "x")


@given(st.text(max_size=12))
def test_any_pattern_is_compiled_or_refused(pattern):
    try:
        compile_glob(pattern).fullmatch("main")
    except DeclarationError as error:
        assert repr(pattern) in str(error)
