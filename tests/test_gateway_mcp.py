"""MCP servers as sources of tools, against a real server process: listing, calling, results, losing and finding it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from mcp_server import NAMES, PIXEL
from mcp_talk import HTTPProcess, Offering, Run, asking, failure, http, offered, run, stdio, told, until
from openresponses_kit.gateway.hosted import ToolCall
from openresponses_kit.gateway.mcp import HTTPServer, MCPServers, MCPSettings, StdioServer
from openresponses_kit.server.errors import InvalidRequestError

WAYS = ["stdio", "stdio legacy", "http", "http legacy", "http json"]
"""How the server is reached, and the protocol that it speaks: without a handshake, or the older one with sessions."""
NOTICING = WAYS[:-1]
"""Those whose server notices that a call is given up; where it answers with plain JSON it does not look."""
LOST = "the MCP server was lost; what it did is not known"


@dataclass
class Reached:
    server: StdioServer | HTTPServer
    record: Path
    process: HTTPProcess | None = None


@contextlib.contextmanager
def reached(way: str, folder: Path, *kinds: str, **fields: Any) -> Iterator[Reached]:
    record = folder / "record.txt"
    transport, *more = way.split()
    if transport == "stdio":
        yield Reached(stdio(record, *more, *kinds, **fields), record)
        return
    with http(record, *more, *kinds) as process:
        yield Reached(process.server(**fields), record, process)


@pytest.fixture(params=WAYS)
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reached]:
    with reached(request.param, tmp_path) as found:
        yield found


def source(box: Reached, **settings: Any) -> contextlib.aclosing[Any]:
    class Closing(MCPServers):
        aclose = MCPServers.close

    return contextlib.aclosing(Closing([box.server], settings=MCPSettings(**settings)))


def test_tools_are_listed_once_and_again_when_they_changed(box: Reached) -> None:
    """The list is cached over requests until the server says that it changed, in either protocol."""

    async def talk() -> None:
        async with source(box) as mcp:
            for _ in range(3):
                tools = await offered(mcp)
                assert list(tools) == [f"box__{name}" for name in NAMES]
            assert told(box.record).count("list") == 1
            assert await run(tools["box__add"], a=20, b=22) == "42"
            assert await run(tools["box__grow"]) == "grown"
            async with asyncio.timeout(30):
                while "box__grown12" not in await offered(mcp):
                    await asyncio.sleep(0.01)
            await offered(mcp)
            assert told(box.record).count("list") == 2

    asyncio.run(talk())


def test_x3_results_are_told_in_parts(box: Reached) -> None:
    """X3: whatever a result holds, the model is told in parts that the output of a function can hold."""

    async def talk() -> None:
        async with source(box) as mcp:
            tools = await offered(mcp)
            image = {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}
            assert await run(tools["box__parts"]) == [
                {"type": "input_text", "text": "a picture"},
                image,
                {"type": "input_file", "filename": "audio.mp3", "file_data": "data:audio/mpeg;base64,UklGRg=="},
                {"type": "input_text", "text": "file:///notes.txt\nnotes"},
                {"type": "input_file", "filename": "report.pdf", "file_data": "data:application/pdf;base64,JVBERg=="},
                {"type": "input_text", "text": "file:///pixel.png"},
                image,
                {"type": "input_text", "text": "more\nhttps://example.com/more\nWhere more is."},
            ]
            assert await run(tools["box__structured"]) == '{"sum":3,"of":[1,2]}'
            assert await failure(tools["box__fail"]) == "no such city: Atlantis"

    asyncio.run(talk())


@pytest.mark.parametrize(("size", "is_cut"), [(500, False), (501, True), (400_000, True)])
def test_results_are_bounded(tmp_path: Path, size: int, is_cut: bool) -> None:
    """Of a long result the model is told the beginning, cut between characters."""

    async def talk() -> None:
        with reached("stdio", tmp_path) as box:
            async with source(box, max_output_bytes=1001) as mcp:
                result = await run((await offered(mcp))["box__big"], size=size)
                assert result == "ä" * min(size, 500) + "\n[cut here: the result is too long]" * is_cut

    asyncio.run(talk())


def test_arguments_that_are_no_object_are_told(tmp_path: Path) -> None:
    """Whatever a model writes as arguments, the server gets an object, or is not called."""

    async def talk() -> None:
        with reached("stdio", tmp_path) as box:
            async with source(box) as mcp:
                tool = (await offered(mcp))["box__delete"]
                for arguments in ("[1]", "{", "null", '"x"'):
                    call = replace(_call(tool), arguments=arguments)
                    with pytest.raises(Exception, match="the arguments are no JSON object"):
                        await tool.run(call, Run())
                assert await run(tool) == "delete ran"
                assert told(box.record) == ["list", "call delete"]

    asyncio.run(talk())


@pytest.mark.parametrize("way", NOTICING)
def test_z16_a_cancelled_call_is_cancelled_at_the_server(way: str, tmp_path: Path) -> None:
    """Z16: to cancel a run stops the tool at the server, and the connection goes on."""

    async def talk() -> None:
        with reached(way, tmp_path) as box:
            async with source(box) as mcp:
                tools = await offered(mcp)
                running = asyncio.create_task(run(tools["box__hang"]))
                await until(lambda: "call hang" in told(box.record))
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running
                await until(lambda: "cancelled hang" in told(box.record))
                assert await run(tools["box__add"], a=1, b=1) == "2"
                assert told(box.record).count("list") == 1

    asyncio.run(talk())


@pytest.mark.parametrize("way", NOTICING)
def test_a_call_that_is_not_answered_ends(way: str, tmp_path: Path) -> None:
    """A call has a limit, after which the model is told, the server too, and the connection goes on."""

    async def talk() -> None:
        with reached(way, tmp_path, call_seconds=0.2) as box:
            async with source(box) as mcp:
                tools = await offered(mcp)
                assert await failure(tools["box__hang"]) == "the MCP server did not answer within 0.2 seconds"
                await until(lambda: "cancelled hang" in told(box.record))
                assert told(box.record).count("list") == 1

    asyncio.run(talk())


def test_a_crash_fails_what_is_in_flight_and_nothing_after_it(box: Reached) -> None:
    """Calls in flight fail as results; the next request connects anew, lists anew, and calls."""

    async def talk() -> None:
        async with source(box) as mcp:
            tools = await offered(mcp)
            hanging = asyncio.create_task(failure(tools["box__hang"]))
            await until(lambda: "call hang" in told(box.record))
            assert await failure(tools["box__crash"]) == LOST
            assert await hanging == LOST
            if box.process is not None:
                await asyncio.to_thread(box.process.kill)
                box.process.start()
            async with asyncio.timeout(30):
                while not (tools := await offered(mcp)):
                    await asyncio.sleep(0.05)
            assert await run(tools["box__add"], a=2, b=2) == "4"
            assert told(box.record).count("list") == 2
            assert told(box.record).count("call crash") == 1

    asyncio.run(talk())


def test_a_lost_session_is_begun_anew_without_a_failure(tmp_path: Path) -> None:
    """A server that was started again knows no session and says so: the call is made again in a new one."""

    async def talk() -> None:
        with reached("http legacy", tmp_path) as box:
            assert box.process is not None
            async with source(box) as mcp:
                tools = await offered(mcp)
                await asyncio.to_thread(box.process.kill)
                box.process.start()
                assert await run(tools["box__add"], a=2, b=3) == "5"
                assert told(box.record).count("initialize") == 2

    asyncio.run(talk())


def test_a_server_that_is_not_there_is_tried_with_back_off(tmp_path: Path) -> None:
    """The list says why there are no tools, the response goes on, and not every request starts a process."""

    async def talk() -> None:
        starts = tmp_path / "starts.txt"
        server = StdioServer(label="box", command="/bin/sh", args=["-c", f"echo >> {starts}; exit 1"])
        async with source(Reached(server, starts)) as mcp:
            words: list[str] = []
            for _ in range(20):
                offering = Offering([asking()])
                assert await mcp.offer(offering) == []
                (item,) = offering.items
                assert item["tools"] == []
                words.append(item["error"])
            assert words[0] == "the MCP server cannot be reached"
            assert words[-1] == "the MCP server cannot be reached at the moment"
            assert len(starts.read_text()) < 5

    asyncio.run(talk())


def test_a_program_that_is_not_there_is_told_in_the_list(tmp_path: Path) -> None:
    """E3: the caller learns that the server cannot be reached, and not what is started on the machine."""

    async def talk() -> None:
        server = StdioServer(label="box", command=str(tmp_path / "nothing"))
        async with source(Reached(server, tmp_path)) as mcp:
            offering = Offering([asking()])
            assert await mcp.offer(offering) == []
            (item,) = offering.items
            assert item == {
                "id": item["id"],
                "type": "gateway:mcp_list_tools",
                "status": "completed",
                "server_label": "box",
                "tools": [],
                "error": "the MCP server cannot be reached",
            }

    asyncio.run(talk())


def test_closing_ends_the_processes(tmp_path: Path) -> None:
    """Nothing is left behind: not the server, and not what it was in the middle of."""

    async def talk() -> None:
        with reached("stdio", tmp_path) as box:
            mcp = MCPServers([box.server])
            tools = await offered(mcp)
            running = asyncio.create_task(failure(tools["box__hang"]))
            await until(lambda: "call hang" in told(box.record))
            await mcp.close()
            assert await running == LOST
            await until(lambda: not _processes_with(str(box.record)))

    asyncio.run(talk())


def _call(tool: Any) -> ToolCall:
    return ToolCall(call_id="call_1", name=tool.name, arguments="{}")


def _processes_with(words: str) -> list[str]:
    """The command lines of processes that have these words in them."""
    found: list[str] = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(each.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if words in line]


ALLOWED: list[tuple[Sequence[str] | None, Any, list[str]]] = [
    (None, None, NAMES),
    (["add", "delete"], None, ["add", "delete"]),
    (None, ["add", "delete"], ["add", "delete"]),
    (["add", "big"], ["delete", "add"], ["add"]),
    (["add"], {"tool_names": ["add", "big"]}, ["add"]),
    (["add"], ["delete"], []),
    ([], None, []),
    (None, [], []),
    (None, ["nothing"], []),
]


@pytest.mark.parametrize(("own", "asked", "names"), ALLOWED)
def test_x6_both_lists_of_allowed_tools_hold(tmp_path: Path, own: Any, asked: Any, names: list[str]) -> None:
    """X6: what either the operator or the request does not allow is not offered, and not listed."""

    async def talk() -> None:
        with reached("stdio", tmp_path, allowed_tools=own) as box:
            async with source(box) as mcp:
                offering = Offering([asking(allowed_tools=asked)])
                tools = await mcp.offer(offering)
                assert [tool.remote_name for tool in tools] == names
                assert [tool["name"] for tool in offering.items[0]["tools"]] == names

    asyncio.run(talk())


def test_the_list_is_shown_until_the_context_has_it(tmp_path: Path) -> None:
    """A list that the context has as it is now is not shown again; one that differs is."""

    async def talk() -> None:
        with reached("stdio", tmp_path) as box:
            async with source(box) as mcp:
                first = Offering([asking(allowed_tools=["add"])])
                await mcp.offer(first)
                (item,) = first.items
                assert item["type"] == "gateway:mcp_list_tools"
                assert item["tools"][0]["input_schema"]["required"] == ["a", "b"]
                again = Offering([asking(allowed_tools=["add"])], context=first.items)
                assert len(await mcp.offer(again)) == 1
                assert again.items == []
                more = Offering([asking(allowed_tools=["add", "big"])], context=first.items)
                await mcp.offer(more)
                assert [tool["name"] for tool in more.items[0]["tools"]] == ["add", "big"]

    asyncio.run(talk())


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"server_label": "other"}, "tools[0].server_label", "there is no MCP server 'other'"),
    ({"server_label": None}, "tools[0].server_label", "a letter and up to 63"),
    ({"server_label": "a b"}, "tools[0].server_label", "a letter and up to 63"),
    ({"server_label": "o", "server_url": "http://h/"}, "tools[0].server_url", "calls no MCP server that a request"),
    ({"server_label": "o", "server_url": "ftp://h/"}, "tools[0].server_url", "a URL of HTTP or HTTPS"),
    ({"server_label": "o", "server_url": "http://u:p@h/"}, "tools[0].server_url", "without a user name"),
    ({"server_label": "o", "server_url": "http://h:x/"}, "tools[0].server_url", "no URL"),
    ({"server_label": "o", "server_url": 5}, "tools[0].server_url", "a URL of HTTP or HTTPS"),
    ({"server_url": "http://h/"}, "tools[0]", "'box' is known here"),
    ({"headers": {"X-Key": "s3cret"}}, "tools[0]", "'box' is known here"),
    ({"authorization": "s3cret"}, "tools[0]", "'box' is known here"),
    ({"headers": ["s3cret"]}, "tools[0].headers", "an object of strings"),
    ({"headers": {"X-Key": "s3cret\r\nX: y"}}, "tools[0].headers", "no header that may be sent"),
    ({"headers": {"X-Key: s3cret": "x"}}, "tools[0].headers", "no header that may be sent"),
    ({"headers": {"Host": "s3cret"}}, "tools[0].headers", "no header that may be sent"),
    ({"authorization": ["s3cret"]}, "tools[0].authorization", "no header that may be sent"),
    ({"allowed_tools": "add"}, "tools[0].allowed_tools", "a list of names"),
    ({"allowed_tools": [1]}, "tools[0].allowed_tools", "a list of names"),
    ({"require_approval": "sometimes"}, "tools[0].require_approval", "`always`, `never`"),
    ({"require_approval": {"often": []}}, "tools[0].require_approval", "`always`, `never`"),
    ({"require_approval": {"never": 5}}, "tools[0].require_approval.never", "a list of names"),
]


@pytest.mark.parametrize(("fields", "param", "words"), REFUSED)
def test_e3_what_cannot_be_asked_for_is_refused(fields: dict[str, Any], param: str, words: str) -> None:
    """E3, E4: the error names the field and what is allowed, and never says a header."""

    async def talk() -> InvalidRequestError:
        mcp = MCPServers([StdioServer(label="box", command="/bin/false")])
        with pytest.raises(InvalidRequestError) as caught:
            await mcp.offer(Offering([asking(**fields)]))
        await mcp.close()
        return caught.value

    error = asyncio.run(talk())
    assert error.param == param
    assert words in error.message
    assert "s3cret" not in error.message


def test_a_server_is_asked_for_once(tmp_path: Path) -> None:
    """Two tools of one label would each have its own rules; that is refused. Two servers of one label are, too."""

    async def talk() -> None:
        mcp = MCPServers([StdioServer(label="box", command="/bin/false")])
        with pytest.raises(InvalidRequestError, match="'box' is asked for twice"):
            await mcp.offer(Offering([asking(), asking()]))

    asyncio.run(talk())
    twice = [StdioServer(label="box", command="a"), HTTPServer(label="box", url="http://h/")]
    with pytest.raises(ValueError, match="more than one has the label 'box'"):
        MCPServers(twice)
    with pytest.raises(ValueError, match="'a b': a label is a letter"):
        StdioServer(label="a b", command="a")
    for headers in ({"X": "s3cret\n"}, {"X: s3cret": ""}, {"host": "s3cret"}):
        with pytest.raises(ValueError, match="box: headers: one is no header that may be sent"):
            HTTPServer(label="box", url="http://h/", headers=headers)


def test_nobody_asks_and_nothing_is_started(tmp_path: Path) -> None:
    """Without a tool of the type in the request no server is started."""

    async def talk() -> None:
        with reached("stdio", tmp_path) as box:
            async with source(box) as mcp:
                assert await mcp.offer(Offering([{"type": "function", "name": "f"}])) == ()
            assert told(box.record) == []

    asyncio.run(talk())


WITHOUT = """
import sys
from importlib.machinery import PathFinder

class Absent(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        absent = name.partition(".")[0] in {"mcp", "mcp_types"}
        return None if absent else super().find_spec(name, path, target)

sys.meta_path[:] = [Absent if each is PathFinder else each for each in sys.meta_path]
from openresponses_kit.gateway.mcp import HTTPServer, MCPServers, StdioServer

try:
    MCPServers([StdioServer(label="box", command="box")])
except ImportError as error:
    print(error)
"""


def test_without_the_package_there_is_one_clear_error() -> None:
    """The extra is needed where servers are made, not where the module is imported; the error says what to install."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "generated")}
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, env=environment)
    assert "which the extra `mcp` installs: pip install 'mcp>=2.3'" in done.stdout


def test_the_package_is_imported_when_a_server_is_needed() -> None:
    """A gateway that has MCP servers starts without the 300 modules that talking to them takes."""
    code = "import sys\n" + WITHOUT.partition("sys.meta_path[:]")[2].partition("\n")[2]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "generated")}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint('mcp' in sys.modules)"],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert done.stdout == "False\n"
