import pytest

from opsloop.flows.formats.templates import PromptTemplate, TemplateFailed


def render(text: str, **values: object) -> str:
    return str(PromptTemplate(text, file="p.jinja2").render(values))


def test_values_are_put_in_and_the_last_newline_is_kept() -> None:
    assert render("Hi {{name}}\n", name="Ann") == "Hi Ann\n"


def test_a_value_that_is_not_given_is_empty() -> None:
    assert render("[{{nothing}}]") == "[]"


def test_jinja_inside_a_value_stays_text() -> None:
    assert render("{{x}}", x="{{ 7 * 7 }} {% raw %}") == "{{ 7 * 7 }} {% raw %}"


def test_filters_and_comparisons_see_the_value_itself() -> None:
    assert render("{% if x == 'en' %}{{ x | upper }}{{ x | length }}{% endif %}", x="en") == "EN2"


@pytest.mark.parametrize(
    "text",
    [
        "{{ x.__class__.__mro__[1].__subclasses__() }}",
        "{{ x['__class__'].__base__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ '{0.__class__.__mro__}'.format(x) }}",
        "{% set _ = [].append(1) %}",
    ],
)
def test_templates_cannot_reach_pythons_machinery(text: str) -> None:
    with pytest.raises(TemplateFailed, match=r"p\.jinja2 cannot be rendered"):
        render(text, x="v")


def test_a_way_that_leads_nowhere_shows_nothing() -> None:
    assert render("[{{ ''.format.__self__.__class__ }}]") in ("[]", "[None]")


@pytest.mark.parametrize(
    "text",
    ["{{ 'a' * 1000000000 }}", "{{ 10 ** 100000 }}", "{{ [0] * 10 ** 9 }}", "{% for i in range(10**9) %}{% endfor %}"],
)
def test_templates_cannot_eat_the_memory(text: str) -> None:
    with pytest.raises(TemplateFailed, match=r"p\.jinja2"):
        render(text)


def test_broken_jinja_names_file_and_line() -> None:
    with pytest.raises(TemplateFailed, match=r"p\.jinja2, line 2"):
        PromptTemplate("ok\n{% if %}", file="p.jinja2")


def test_includes_are_refused_with_a_sentence() -> None:
    with pytest.raises(TemplateFailed, match=r"p\.jinja2"):
        render("{% include '/etc/passwd' %}")


def test_an_error_inside_a_template_is_a_sentence() -> None:
    with pytest.raises(TemplateFailed, match="cannot be rendered"):
        render("{{ 1 / zero }}", zero=0)


def test_ten_megabytes_pass_through() -> None:
    assert len(render("{{x}}", x="y\n" * 5_000_000)) == 10_000_000


class Odd:
    pass


@pytest.mark.parametrize(
    ("text", "values", "is_quick"),
    [
        ("Say {{ word }}.", {"word": "hi"}, True),
        ("{% if n > 1 %}{{ word }}{% endif %}", {"n": 2, "word": None}, True),
        ("{{ word }}", {"word": "a" * 200_000}, False),
        ("{{ word }}", {"word": Odd()}, False),
        ("{{ words[0] }}", {"words": ["a"]}, False),
        ("{% for each in word %}{{ each }}{% endfor %}", {"word": "hi"}, False),
        ("{{ range(9) }}", {}, False),
        ("{{ word * 9 }}", {"word": "hi"}, False),
        ("{{ word | upper }}", {"word": "hi"}, False),
    ],
)
def test_only_a_plain_template_of_short_values_is_rendered_without_a_thread(
    text: str, values: dict[str, object], is_quick: bool
) -> None:
    assert PromptTemplate(text, file="t").is_quick_for(values) is is_quick
