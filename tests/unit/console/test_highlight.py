from hypothesis import given
from hypothesis import strategies as st

from opsloop.console.highlight import Piece, lines

PATHS = st.sampled_from(["a.py", "flow.dag.yaml", "ask.jinja2", "x.prompty", "x.json", "requirements.txt", "README"])


@given(PATHS, st.text(st.characters(exclude_characters="\r", codec="utf-8")))
def test_the_pieces_of_a_file_put_together_are_the_file(path: str, source: str) -> None:
    found = "\n".join("".join(piece.text for piece in line) for line in lines(path, source))
    assert found in (source, source.removesuffix("\n"))


def test_python_is_read_by_words_texts_and_comments() -> None:
    assert lines("a.py", 'def f():  # it\n    return "x"\n') == [
        (Piece("word", "def"), Piece("", " f():  "), Piece("comment", "# it")),
        (Piece("", "    "), Piece("word", "return"), Piece("", " "), Piece("text", '"x"')),
    ]


def test_a_text_over_several_lines_is_one_on_each() -> None:
    assert lines("a.py", '"""One\ntwo"""\n') == [(Piece("text", '"""One'),), (Piece("text", 'two"""'),)]


def test_yaml_is_read_by_keys_and_references() -> None:
    assert lines("f.yaml", "  q: ${inputs.q}") == [
        (Piece("key", "  q"), Piece("", ": "), Piece("template", "${inputs.q}")),
    ]


def test_a_prompt_is_read_by_roles_and_template_parts() -> None:
    assert lines("a.jinja2", "system:\nSay {{ word }}") == [
        (Piece("word", "system:"),),
        (Piece("", "Say "), Piece("template", "{{ word }}")),
    ]
