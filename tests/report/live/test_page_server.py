"""The server of a report: who may read what, over real sockets."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from command_line import small_process
from report_reader import ReadPage

from madnis_py.errors import InputError
from madnis_py.progress import StageProgress
from madnis_py.report.live.page_server import ADDRESS, PageServer
from madnis_py.run.progress.progress_file import ProgressFile
from madnis_py.run.run import Run


@contextmanager
def serving(directory: Path) -> Iterator[PageServer]:
    with PageServer(directory) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def asked(
    server: PageServer, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> Answer:
    """What comes back for a path, which is sent as it is."""
    connection = http.client.HTTPConnection(ADDRESS, server.server_address[1], timeout=60)
    given = {"Host": f"{ADDRESS}:{server.server_address[1]}"} | (headers or {})
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in given.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    found = Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
    connection.close()
    return found


def connected(server: PageServer) -> socket.socket:
    return socket.create_connection((ADDRESS, server.server_address[1]), timeout=60)


def word(server: PageServer) -> str:
    return urlsplit(server.url).path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    """The server of a directory with files that are nobody's business."""
    run = tmp_path / "run"
    (run / "process_1").mkdir(parents=True)
    for place in (run, run / "process_1"):
        (place / "secret.txt").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    with serving(run) as server:
        yield server


def test_the_page_and_its_state_are_for_who_has_the_address(server: PageServer) -> None:
    page, state = asked(server, word(server)), asked(server, f"{word(server)}state.json")
    assert (page.status, state.status) == (200, 200)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Waiting for a run" in ReadPage.of(page.text).text
    assert json.loads(state.text)["ended"] is False
    assert asked(server, f"{word(server)}process_1/report.html").status == 200


def test_nobody_else_is_let_in(server: PageServer) -> None:
    own = word(server).strip("/")
    others = ["/", "//", "", "/x/", f"/{own[:-1]}/", f"/{own}x/", f"/{own.swapcase()}/"]
    others += [f"/?{own}", f"/favicon.ico?{own}/", f"http://{ADDRESS}/{own}/"]
    for path in others:
        answer = asked(server, path)
        assert answer.status == 403, path
        assert own not in answer.text
    assert len(own) >= 32


def test_two_servers_have_two_addresses(tmp_path: Path) -> None:
    with PageServer(tmp_path) as one, PageServer(tmp_path) as other:
        assert word(one) != word(other)


@pytest.mark.parametrize(
    "path",
    [
        "run.json",
        "secret.txt",
        "report.html",
        "state.json/",
        "state.json?x",
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "process_1/",
        "process_1",
        "process_1/secret.txt",
        "process_1/../secret.txt",
        "process_1/process_1/process_1/report.html",
        "process_2/report.html",
        "process_0/report.html",
        "process_1\\report.html",
        "./state.json",
        "/state.json",
        "//etc/passwd",
        "process_1//report.html",
        "process_1/report.html\x00",
        "point_1/../process_1/report.html",
    ],
)
def test_nothing_but_pages_and_their_states_is_there(server: PageServer, path: str) -> None:
    if "\x00" in path:
        with connected(server) as plain:
            line = f"GET {word(server)}{path} HTTP/1.0\r\nHost: localhost\r\n\r\n"
            plain.sendall(line.encode())
            assert plain.makefile("rb").readline().split()[1] in (b"400", b"404")
        return
    answer = asked(server, f"{word(server)}{path}")
    assert answer.status == 404
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
)
def test_the_page_can_be_read_and_nothing_else(server: PageServer, method: str) -> None:
    answer = asked(server, word(server), method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert asked(server, word(server), "BREW").status == 501


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost"}, 200),
        ({"Host": "LOCALHOST:8000"}, 200),  # through a tunnel from another port
        ({"Host": "127.0.0.1"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "localhost.evil.example:80"}, 403),
        ({"Host": "evil.example:127.0.0.1"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "0.0.0.0"}, 403),
        ({"Host": "localhost", "Origin": "http://localhost"}, 200),
        ({"Host": "localhost", "Origin": "http://localhost:8888"}, 403),
        ({"Host": "localhost", "Origin": "null"}, 403),
        ({"Host": "localhost", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),  # a link elsewhere
    ],
)
def test_pages_from_elsewhere_are_refused_by_what_their_browser_says(
    server: PageServer, headers: dict[str, str], status: int
) -> None:
    assert asked(server, word(server), headers=headers).status == status


def test_requests_that_are_none_are_refused(server: PageServer) -> None:
    for request in (
        b"GET /\xc3\xa9/ HTTP/1.0\r\nHost: localhost\r\n\r\n",
        b"x\r\n\r\n",
        b"\x16\x03\x01\r\n",
    ):
        with connected(server) as plain:
            plain.sendall(request)
            answer = plain.makefile("rb").read()
            assert b" 200 " not in answer
            assert word(server).encode() not in answer
    assert asked(server, word(server)).status == 200


def test_a_request_without_a_host_or_with_two_is_refused(server: PageServer) -> None:
    for hosts in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
        with connected(server) as plain:
            plain.sendall(f"GET {word(server)} HTTP/1.1\r\n".encode() + hosts + b"\r\n")
            assert plain.makefile("rb").readline().split()[1] == b"403"


def test_it_listens_to_this_machine_alone(server: PageServer) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", server.server_address[1]), timeout=5).close()


def test_answers_are_not_kept_shown_in_frames_or_given_to_other_pages(server: PageServer) -> None:
    for path in (word(server), f"{word(server)}state.json", "/"):
        headers = asked(server, path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"script-src[^;]*'unsafe-inline'|\*|https?:", policy)
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert not [name for name in headers if name.lower().startswith("access-control")]
        assert "Python" not in headers["Server"]


def test_an_invitation_leads_to_the_page_once(server: PageServer) -> None:
    path = urlsplit(server.invitation()).path
    answer = asked(server, path)
    assert (answer.status, answer.headers["Location"]) == (303, server.url)
    assert asked(server, path).status == 403
    assert asked(server, "//").status == 403


def test_a_port_in_use_is_refused_with_a_sentence(server: PageServer, tmp_path: Path) -> None:
    taken = server.server_address[1]
    with pytest.raises(InputError, match=f"--port: expected a free port; got {taken}"):
        PageServer(tmp_path, taken)


def test_many_who_say_nothing_are_dropped_and_the_page_is_there_again(server: PageServer) -> None:
    silent = [connected(server) for _ in range(16)]
    with pytest.raises((http.client.BadStatusLine, ConnectionError)):
        asked(server, word(server))
    for one in silent:
        one.close()
    for _ in range(100):
        try:
            assert asked(server, word(server)).status == 200
            break
        except (http.client.BadStatusLine, ConnectionError):
            continue
    else:
        pytest.fail("the page did not come back")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that looked at its own page whenever it had progress: see `seen_during_it`."""
    folder = tmp_path_factory.mktemp("live")
    seen: dict[str, tuple[dict[str, object], str]] = {}
    with serving(folder / "run") as server:

        def watch(progress: StageProgress) -> None:
            state = json.loads(asked(server, f"{word(server)}state.json").text)
            seen[progress.stage] = state, asked(server, word(server)).text

        before = asked(server, word(server)).text
        run = Run(small_process(folder), folder / "run", 5, watch=watch)
        run.execute(200, 20_000)
        after = asked(server, word(server)).text
        state = json.loads(asked(server, f"{word(server)}state.json").text)
    content = {"seen": seen, "before": before, "after": after, "state": state}
    (folder / "seen.json").write_text(json.dumps(content))
    return folder / "run"


def test_the_page_of_a_run_grows_with_it_and_says_when_it_has_finished(finished: Path) -> None:
    content = json.loads((finished.parent / "seen.json").read_text())
    assert "Waiting for a run" in content["before"]
    assert {"survey", "train", "integrate vegas", "integrate madnis", "generate"} <= set(
        content["seen"]
    )
    assert "integrate" in content["seen"].pop("expected")[0]["banner"]
    versions = set()
    for stage, (state, page) in content["seen"].items():
        read = ReadPage.of(page)
        assert not state["ended"]
        assert stage in state["title"]
        assert "<noscript><meta" in page
        assert "This run is not finished" not in read.text
        assert "p p > e+ e-" in read.headings[0]
        versions.add(state["version"])
    assert len(versions) >= 3
    banner = content["seen"]["train"][0]["banner"]
    assert "Training" in banner
    assert "12 of 12 steps" in banner
    assert "cross section so far" in banner
    assert "survey" in ReadPage.of(content["seen"]["train"][1]).text
    assert "Loss" in ReadPage.of(content["seen"]["generate"][1]).figures
    assert content["state"]["ended"]
    assert "Finished" in content["after"]
    assert "200 events" in content["after"]
    assert "<noscript><meta" not in content["after"]
    assert "sigma_pb" in ReadPage.of(content["after"]).data


def copied(finished: Path, folder: Path) -> Path:
    copy = Path(shutil.copytree(finished, folder / "copy"))
    record = json.loads((copy / "run.json").read_text())
    known = ("identity", "card", "versions", "prior", "stages")
    (copy / "run.json").write_text(json.dumps({name: record[name] for name in known}))
    return copy


def noted(directory: Path, **entries: object) -> None:
    record = json.loads((directory / "run.json").read_text()) | entries
    known = {name: value for name, value in record.items() if value is not None}
    (directory / "run.json").write_text(json.dumps(known))


def state_at(server: PageServer) -> dict[str, object]:
    found: dict[str, object] = json.loads(asked(server, f"{word(server)}state.json").text)
    return found


def test_a_run_that_stops_goes_on_or_fails_is_said_to_do_so(finished: Path, tmp_path: Path) -> None:
    copy = copied(finished, tmp_path)
    with serving(copy) as server:
        stopped = state_at(server)
        assert "Nobody works on it" in str(stopped["banner"])
        assert not stopped["ended"]
        assert "This run is not finished" in asked(server, word(server)).text
        with ProgressFile(copy):
            again = state_at(server)
            assert "Beginning" in str(again["banner"])
            assert again["version"] != stopped["version"]
            noted(copy, failure={"sentence": "integrate: expected > 0; got <b>none</b>"})
            assert not state_at(server)["ended"]
        failed = state_at(server)
        assert failed["ended"]
        assert "Failed" in str(failed["banner"])
        page = asked(server, word(server)).text
        assert "got &lt;b&gt;none&lt;/b&gt;" in page
        assert "This run has failed" in page
        assert "<b>none" not in page
        (copy / "run.json").write_text("{")
        damaged = state_at(server)
        assert not damaged["ended"]
        assert "run.json" in str(damaged["banner"])


def test_a_scan_ends_with_its_last_point_or_with_one_that_fails(
    finished: Path, tmp_path: Path
) -> None:
    copied(finished, tmp_path).rename(tmp_path / "point_1")
    row = {"folder": "point_1", "values": {"parameters.MZP": 400.0}, "efficiency": 0.5}
    row |= {"sigma_pb": 2.5, "sigma_error_pb": 0.1, "events": 0}
    (tmp_path / "card.toml").write_bytes((tmp_path / "point_1" / "card.toml").read_bytes())
    with serving(tmp_path) as server:
        for points, rows, failure, headline in (
            (2, [], None, "Nobody works on it"),
            (1, [row], None, "Finished"),
            (2, [], {"sentence": "integrate: nothing"}, "Failed"),
        ):
            scan = {"points": points, "unit": None, "rows": rows}
            (tmp_path / "scan.json").write_text(json.dumps(scan))
            noted(tmp_path / "point_1", failure=failure)
            state = state_at(server)
            assert headline in str(state["banner"])
            assert state["ended"] == (headline != "Nobody works on it")
        assert "integrate: nothing" in asked(server, word(server)).text
        part = asked(server, f"{word(server)}point_1/report.html")
        assert "This run has failed" in part.text
        with ProgressFile(tmp_path / "point_1"):
            assert 'href="point_1/report.html"' in str(state_at(server)["banner"])


def test_training_curves_grow_at_most_so_often(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copied(finished, tmp_path)
    history = (copy / "training.csv").read_bytes()
    now = 0.0
    monkeypatch.setattr("madnis_py.report.live.live_page.time.monotonic", lambda: now)
    with serving(copy) as server:
        versions = []
        for lines in range(8):
            (copy / "training.csv").write_bytes(history + b"0,13,1,1,1,1,1,1\n" * lines)
            versions.append(state_at(server)["version"])
            now += 0.5
    assert len(set(versions)) == 2
