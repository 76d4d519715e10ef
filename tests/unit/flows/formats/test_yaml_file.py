import pytest

from opsloop.flows.errors import FlowInvalid
from opsloop.flows.formats.yaml_file import SIZE_LIMIT_BYTES, parse_mapping


def refused(data: bytes) -> str:
    with pytest.raises(FlowInvalid) as caught:
        parse_mapping(data, file="flow.dag.yaml")
    assert caught.value.sentence.startswith("flow.dag.yaml: ")
    return caught.value.sentence


def test_an_unquoted_date_stays_the_text_it_looks_like() -> None:
    assert parse_mapping(b"api_version: 2024-02-01", file="f") == {"api_version": "2024-02-01"}


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert parse_mapping(b"", file="f") == {}


def test_tags_that_would_make_objects_are_refused() -> None:
    assert "valid YAML" in refused(b"x: !!python/object/apply:os.system ['true']")


def test_invalid_utf8_names_the_byte() -> None:
    assert "byte 3" in refused(b"a: \xff\xfe")


def test_broken_yaml_names_line_and_column() -> None:
    assert "line 3, column 1" in refused(b"a: 1\nb: [1, 2\n")


def test_a_key_given_twice_is_refused() -> None:
    assert "duplicate key" in refused(b"a: 1\na: 2\n")


def test_a_list_at_the_root_is_refused() -> None:
    assert "a mapping" in refused(b"- 1\n- 2\n")


def test_aliases_that_expand_to_billions_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    assert "aliases expanded" in refused("\n".join(lines).encode())


def test_aliases_within_bounds_are_written_out() -> None:
    assert parse_mapping(b"a: &x {k: 1}\nb: *x\n", file="f") == {"a": {"k": 1}, "b": {"k": 1}}


def test_an_alias_that_contains_itself_is_refused() -> None:
    assert "contain themselves" in refused(b"a: &x [*x]\n")


def test_deep_nesting_is_refused() -> None:
    assert "nesting" in refused(b"a: " + b"[" * 5_000 + b"]" * 5_000)
    assert "nesting" in refused(b"a: " + b"[" * 80 + b"]" * 80)


def test_a_file_over_the_limit_is_refused_unread() -> None:
    assert "bytes" in refused(b"#" * (SIZE_LIMIT_BYTES + 1))
