"""Downloads of deliveries and runs from the browser application."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.published import schemas
from tests.support.serving import MAIN, Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        where = ("--edition", "v1", "--receiver", served.stand_in, "--receiver-token", "tok-3141592653")
        command = [*MAIN, "send", "default", *where]
        done = subprocess.run(command, cwd=served.workspace, capture_output=True, check=False, timeout=60)
        assert done.returncode == 1, done.stderr
        yield served


@pytest.fixture(scope="module")
def run(served: Served) -> str:
    """The run of that send; the process that serves has one of its own."""
    names = [path.stem for path in Path(served.workspace, ".sandbox/runs").glob("*.json")]
    (name,) = [name for name in names if not Path(served.workspace, f".sandbox/runs/{name}.journal").exists()]
    return name


MEDIA = {
    "curl": ("text/x-shellscript", "{}.sh"),
    "har": ("application/json", "{}.har"),
    "pytest": ("text/x-python", "test_{}.py"),
    "scenario": ("application/json", "{}.scenario.json"),
}


@pytest.mark.parametrize("format", MEDIA)
@pytest.mark.parametrize("kind", ["deliveries", "runs"])
def test_a_download_has_a_safe_name_and_no_secret(served: Served, run: str, kind: str, format: str):
    id = f"{run}.000001" if kind == "deliveries" else run
    page = httpx2.get(f"{served.url}/{kind}/{id}").text
    if (kind, format) != ("runs", "scenario"):
        assert f'href="/{kind}/{id}/export/{format}" download' in page
    answer = httpx2.get(f"{served.url}/{kind}/{id}/export/{format}")
    media, name = MEDIA[format]
    stem = id.replace("-", "_").replace(".", "_") if format == "pytest" else id
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media
    assert answer.headers["content-disposition"] == f'attachment; filename="{name.format(stem)}"'
    assert "tok-3141592653" not in answer.text + page
    if kind == "deliveries":
        assert "Struck out: " in page


def test_the_archive_keeps_the_published_schema(served: Served, run: str):
    document = json.loads(httpx2.get(f"{served.url}/runs/{run}/export/har").text)
    assert [error.message for error in schemas.har().iter_errors(document)] == []
    assert len(document["log"]["entries"]) == 1


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/runs/{run}/export/pdf", 404, "There is no export as pdf: there are curl, har, pytest, scenario."),
        ("/runs/none/export/har", 404, "There is no run none"),
        ("/deliveries/none/export/har", 404, "There is no delivery none"),
    ],
)
def test_what_there_is_not_is_said_on_a_page(served: Served, run: str, path: str, status: int, says: str):
    answer = httpx2.get(served.url + path.format(run=run))
    assert answer.status_code == status
    assert says in answer.text
    assert "content-disposition" not in answer.headers
