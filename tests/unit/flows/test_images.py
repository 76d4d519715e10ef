import base64
import json
from pathlib import Path

import pytest

from opsloop.flows.errors import InputInvalid
from opsloop.flows.formats.chat_prompt import marked, messages
from opsloop.flows.images import Image, as_image, images_in, left_there, with_images
from opsloop.flows.values import plain

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"
ENCODED = base64.b64encode(PNG).decode()


def fetch(url: str) -> bytes:
    assert url == "https://example.org/x.png"
    return PNG


@pytest.mark.parametrize(
    "given",
    [
        "https://example.org/x.png",
        "x.png",
        ENCODED,
        f"data:image/png;base64,{ENCODED}",
        {"data:image/png;path": "x.png"},
        {"data:image/png;url": "https://example.org/x.png"},
        {"data:image/*;base64": ENCODED},
    ],
)
def test_an_image_comes_in_many_forms(tmp_path: Path, given: object) -> None:
    (tmp_path / "x.png").write_bytes(PNG)
    found = as_image(given, folder=tmp_path, fetch=fetch)
    assert (bytes(found), found.mime_type) == (PNG, "image/png")


@pytest.mark.parametrize("given", [3, "", "not base64!", {"data:image/png;path": 3}, {"x": "y"}, ["x.png"], "\0"])
def test_what_is_no_image_is_refused(tmp_path: Path, given: object) -> None:
    with pytest.raises(InputInvalid, match=r"inputs.picture: is .*; wanted an image"):
        as_image(given, folder=tmp_path, fetch=fetch, field="inputs.picture")


@pytest.mark.parametrize("path", ["../x.png", "/etc/passwd", "gone.png"])
def test_a_path_leads_to_the_flows_own_files_only(tmp_path: Path, path: str) -> None:
    (tmp_path / "x.png").write_bytes(PNG)
    (tmp_path / "flow").mkdir()
    with pytest.raises(InputInvalid, match="wanted the path of an image in the flow's folder"):
        as_image({"data:image/png;path": path}, folder=tmp_path / "flow", fetch=fetch)


def test_images_are_found_however_deep(tmp_path: Path) -> None:
    value = [{"inputs": {"question": [{"data:image/png;base64": ENCODED}, "What is it?"]}}]
    found = with_images(value, folder=tmp_path, fetch=fetch, field="inputs.chat_history")
    assert [bytes(each) for each in images_in(found)] == [PNG]
    assert found[0]["inputs"]["question"][1] == "What is it?"


def test_an_image_in_a_prompt_becomes_a_part_of_its_message() -> None:
    image = Image(PNG)
    prompt = f"user:\nLook: ![image]({marked(image)})\nWhat is it?"
    url = {"url": f"data:image/png;base64,{ENCODED}"}
    assert messages(prompt, [image]) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image_url", "image_url": url},
                {"type": "text", "text": "What is it?"},
            ],
        }
    ]


def test_a_list_of_texts_and_images_is_one_message() -> None:
    image = Image(b"", "image/png", "https://example.org/x.png")
    ((message),) = messages(f"user:\n{marked(['How many?', image])}", [["How many?", image]], detail="low")
    assert message["content"] == [
        {"type": "text", "text": "How many?"},
        {"type": "image_url", "image_url": {"url": "https://example.org/x.png", "detail": "low"}},
    ]


def test_text_that_looks_like_an_images_name_is_no_image() -> None:
    image = Image(PNG)
    ((message),) = messages(f"user:\n{marked(str(image))}", [image])
    assert message["content"] == str(image)


def test_two_images_that_were_left_where_they_are_have_two_names(tmp_path: Path) -> None:
    one, two = (as_image(f"https://example.org/{n}.png", folder=tmp_path, fetch=left_there) for n in (1, 2))
    assert str(one) != str(two)


def test_an_image_is_json_that_can_be_read_again(tmp_path: Path) -> None:
    written = json.loads(json.dumps(plain({"picture": Image(PNG)})))
    assert written == {"picture": {"data:image/png;base64": ENCODED}}
    assert as_image(written["picture"], folder=tmp_path, fetch=fetch) == Image(PNG)
