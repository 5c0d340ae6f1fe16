import pytest

from pipesim.errors import SourceError
from pipesim.formats.sketch_grammar import parse_grammar


def shape(text):
    return [
        ([[f"{step.words}|{step.label}" for step in group] for group in stage.groups], stage.label)
        for stage in parse_grammar(text)
    ]


@pytest.mark.parametrize("arrow", ["→", "->", "-->", "=>", "⟶", "⇒", "➔", "\n→\n", " ->\t"])
def test_every_arrow_separates_stages(arrow):
    assert shape(f"GitHub{arrow}CodeBuild") == [([["GitHub|"]], ""), ([["CodeBuild|"]], "")]


def test_hyphens_inside_words_are_no_arrows():
    assert shape("S3 -> End-to-End Tests") == [([["S3|"]], ""), ([["End-to-End Tests|"]], "")]


def test_labels_belong_to_their_step():
    assert shape("S3 → CodeBuild\n (Service  A)") == [([["S3|"]], ""), ([["CodeBuild|Service A"]], "")]


def test_a_bracket_is_one_stage_with_groups_and_a_name():
    assert shape("S3 → [A (x) | B → C] (Both)")[1] == ([["A|x", "B|"], ["C|"]], "Both")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("GitHub →", "column 8", "empty"),
        ("→ CodeBuild", "column 1", "empty"),
        ("GitHub → → CodeBuild", "column 10", "empty"),
        ("GitHub → [ | CodeBuild]", "column 12", "empty"),
        ("GitHub → []", "column 11", "empty"),
        ("GitHub → [CodeBuild | ]", "column 23", "empty"),
        ("GitHub → CodeBuild ()", "column 20", "label is empty"),
        ("GitHub → [CodeBuild", "column 10", "'[' is never closed"),
        ("GitHub → [A | [B]]", "column 15", "inside a bracket"),
        ("GitHub → CodeBuild]", "column 19", "']' closes a bracket that was never opened"),
        ("GitHub → CodeBuild (A", "column 20", "'(' is never closed"),
        ("GitHub → CodeBuild (A → S3", "column 20", "'(' is never closed"),
        ("GitHub → CodeBuild A) → S3", "column 21", "')' closes a bracket that was never opened"),
        ("GitHub → (A)", "column 10", "without a step"),
        ("GitHub → A | B", "column 12", "outside a bracket"),
        ("GitHub → CodeBuild (A) CodeDeploy", "column 24", "an arrow is missing"),
        ("GitHub →\nCodeBuild\n→\n→ S3", "line 4, column 1", "empty"),
    ],
)
def test_a_broken_sketch_names_the_place(text, place, words):
    with pytest.raises(SourceError) as caught:
        parse_grammar(text)

    message = str(caught.value)
    assert f"at {place}:" in message
    assert words in message
    assert message.endswith("^")


def test_the_caret_stands_under_the_place():
    with pytest.raises(SourceError) as caught:
        parse_grammar("GitHub -> CodeBuild) -> S3")

    line, caret = str(caught.value).splitlines()[-2:]
    assert line[caret.index("^")] == ")"
