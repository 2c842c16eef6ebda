"""Download against a real server on loopback that cuts, lies, refuses and asks to wait; and what a restart does with it."""

from __future__ import annotations

import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from alerts.validation.fetch import LONGEST_WAIT_S, TRIES, Fetch, FetchFailed
from alerts.validation.physionet import COLLECTIONS, BadListing, checksums, wanted
from alerts.validation.validate_commands import app

FILES = {
    "100.hea": b"100 1 360 10\n", "100.dat": bytes(range(256)) * 2000, "100.atr": b"marks",
    "x_100.dat": b"not of a record", "LICENSE.txt": b"free",
}  # fmt: skip


def sums(files):
    return "".join(f"{hashlib.sha256(data).hexdigest()} {path}\n" for path, data in files.items()).encode()


class Mirror:
    """A server with faults. `faults[path]` is a list: what to do at the first request for it, the second, ..."""

    def __init__(self, files=None):
        files = FILES if files is None else files
        self.files = {**files, "RECORDS": b"100\n", "SHA256SUMS.txt": sums(files)}
        self.faults = {}
        self.asked = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                mirror.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def answer(self, request):
        path = request.path.removeprefix("/mitdb/1.0.0/")
        self.asked.append((path, request.headers.get("Range")))
        waiting = self.faults.get(path, [])
        fault = waiting.pop(0) if waiting else None
        body = self.files.get(path)
        if isinstance(fault, int) or body is None:
            request.send_response(fault or 404)
            request.send_header("Content-Length", "0")
            request.send_header("Retry-After", "7")
            request.end_headers()
            return
        if fault == "another":
            body = b"?" * len(body)
        start = 0
        asked = re.match(r"bytes=(\d+)-", request.headers.get("Range") or "")
        if asked and fault != "no ranges":
            start = int(asked[1])
            if start >= len(body):
                request.send_response(416)
                request.send_header("Content-Length", "0")
                request.end_headers()
                return
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            request.send_response(200)
        rest = body[start:]
        request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        if fault == "cut":
            request.wfile.write(rest[: max(1, len(rest) // 2)])
            request.wfile.flush()
            request.connection.close()
            return
        request.wfile.write(rest)


@pytest.fixture
def mirror():
    one = Mirror()
    yield one
    one.server.shutdown()
    one.server.server_close()
    one.thread.join(timeout=10)


def fetch(mirror, folder, waits=None):
    with httpx2.Client(timeout=5, trust_env=False) as client:
        return Fetch(
            client=client,
            address=mirror.url + "mitdb/1.0.0/",
            folder=folder,
            wait=(waits if waits is not None else []).append,
        ).run()


def there(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WHOLE = {path: FILES[path] for path in ("100.hea", "100.dat", "100.atr", "LICENSE.txt")}


def test_the_recordings_and_nothing_else_arrive(mirror, tmp_path):
    got = fetch(mirror, tmp_path)
    assert there(tmp_path) == WHOLE
    assert (got.downloaded, got.there_already) == (4, 0)


def test_a_cut_transfer_goes_on_where_it_was_cut(mirror, tmp_path):
    mirror.faults["100.dat"] = ["cut", "cut", "cut"]
    fetch(mirror, tmp_path)
    assert there(tmp_path) == WHOLE
    starts = [
        int(asked.removeprefix("bytes=").rstrip("-")) for path, asked in mirror.asked if path == "100.dat" and asked
    ]
    assert starts == sorted(starts)
    assert len(starts) == 3
    assert starts[0] > 0


def test_a_restart_goes_on_where_it_stopped(mirror, tmp_path):
    mirror.faults["100.dat"] = ["cut"] + [503] * (TRIES - 1)  # the cut itself is one
    with pytest.raises(FetchFailed, match="goes on from it"):
        fetch(mirror, tmp_path)
    assert "100.dat" not in there(tmp_path)
    part = len(there(tmp_path)["100.dat.part"])
    assert part > 0
    mirror.asked.clear()
    got = fetch(mirror, tmp_path)
    assert there(tmp_path) == WHOLE
    assert [asked for path, asked in mirror.asked if path == "100.dat"] == [f"bytes={part}-"]  # the rest, once
    assert "100.atr" not in [path for path, _ in mirror.asked]  # what is whole is not asked for again
    assert got.there_already == 1


def test_a_server_without_ranges_starts_over(mirror, tmp_path):
    mirror.faults["100.dat"] = ["cut", "no ranges"]
    fetch(mirror, tmp_path)
    assert there(tmp_path) == WHOLE


def test_a_part_that_is_longer_than_the_file_is_thrown_away(mirror, tmp_path):
    (tmp_path / "100.hea.part").write_bytes(b"x" * 100)
    fetch(mirror, tmp_path)
    assert there(tmp_path) == WHOLE


def test_a_file_that_is_whole_but_has_no_name_yet_gets_it(mirror, tmp_path):
    (tmp_path / "100.dat.part").write_bytes(FILES["100.dat"])
    fetch(mirror, tmp_path)
    assert there(tmp_path) == WHOLE
    assert "100.dat" not in [path for path, _ in mirror.asked]


def test_a_wrong_file_is_never_kept(mirror, tmp_path):
    mirror.faults["100.dat"] = ["another"]
    fetch(mirror, tmp_path)
    assert there(tmp_path) == WHOLE
    (tmp_path / "100.dat").unlink()
    mirror.faults["100.dat"] = ["another"] * 50
    with pytest.raises(FetchFailed, match="wrong checksum"):
        fetch(mirror, tmp_path)
    assert not [name for name in there(tmp_path) if name.startswith("100.dat")]


def test_a_file_that_was_damaged_here_is_fetched_again(mirror, tmp_path):
    fetch(mirror, tmp_path)
    (tmp_path / "100.hea").write_bytes(b"damaged")
    assert fetch(mirror, tmp_path).downloaded == 1
    assert there(tmp_path) == WHOLE


def test_what_is_not_there_is_said_at_once(mirror, tmp_path):
    del mirror.files["100.dat"]
    waits = []
    with pytest.raises(FetchFailed, match="answers 404"):
        fetch(mirror, tmp_path, waits)
    assert not waits
    assert [path for path, _ in mirror.asked].count("100.dat") == 1


def test_a_busy_server_is_asked_again_when_it_says(mirror, tmp_path):
    mirror.faults["100.dat"] = [429, 503, 503, 503]
    waits = []
    fetch(mirror, tmp_path, waits)
    assert there(tmp_path) == WHOLE
    assert waits == [7, 7, 7, 8]  # as it asks, or twice as long each time
    assert max(waits) <= LONGEST_WAIT_S


def test_without_a_list_of_records_all_recordings_are_taken(mirror, tmp_path):
    del mirror.files["RECORDS"]
    fetch(mirror, tmp_path)
    assert set(there(tmp_path)) == {*WHOLE, "x_100.dat"}


@pytest.mark.parametrize("path", ["../evil.dat", "/etc/evil.dat", "a/../../evil.dat", "..\\evil.dat"])
def test_a_listing_that_leads_out_of_the_folder_is_refused(tmp_path, path):
    with pytest.raises(BadListing, match="outside"):
        checksums(f"{'0' * 64}  {path}\n")
    one = Mirror({path: b"evil", "100.hea": b""})
    try:
        with pytest.raises(FetchFailed, match="outside"):
            fetch(one, tmp_path / "here")
    finally:
        one.server.shutdown()
        one.server.server_close()
    assert not list(tmp_path.rglob("*evil*"))


@given(st.sets(st.sampled_from(["a/1.hea", "a/1.dat", "a/2.dat", "b/1.atr", "b/1.mat", "a/1.qrs", "a/ALARMS"])))
def test_wanted_takes_records_of_folders_and_tables(paths):
    listed = dict.fromkeys(paths, "")
    assert set(wanted(["a/1"], listed)) == paths & {"a/1.hea", "a/1.dat", "a/ALARMS"}
    assert set(wanted(["b/"], listed)) == paths & {"b/1.atr", "b/1.mat", "a/ALARMS"}


def test_the_command_names_the_licence_and_goes_on_after_a_failure(mirror, tmp_path):
    arguments = ["--fetch", "mitdb", "--to", str(tmp_path), "--base-url", mirror.url]
    mirror.faults["100.atr"] = [404]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "Open Data Commons Attribution" in result.output
    assert "answers 404" in result.output
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "all checked" in result.output
    assert there(tmp_path / "mitdb") == WHOLE
    assert "there is no collection nothing" in CliRunner().invoke(app, ["--fetch", "nothing"]).output


def test_each_collection_has_a_licence_and_a_citation():
    assert all(one.licence and one.cite and one.title for one in COLLECTIONS.values())
