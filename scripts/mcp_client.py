"""Lists and calls every tool of `obit mcp` by the Python client, which checks each answer against
the schema of its tool, over its standard input and output and over HTTP: mcp_client.py OBIT ROOT."""

import asyncio
import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

try:
    from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
except ImportError:
    streamable_http_client = None
    from mcp.client.streamable_http import streamablehttp_client

CORE = "null-field/core.zst"
CALLS = [
    ("open", {"path": CORE}),
    ("why", {}),
    ("stack", {}),
    ("stack", {"groups": True, "limit": 2}),
    ("variables", {}),
    ("variables", {"of": "job"}),
    ("print", {"expressions": ["*job", "x/4gx $sp", "ptype job"]}),
    ("memory", {"address": "$pc", "format": "i"}),
    ("find", {"pointer_to": "0x4c4cf0"}),
    ("locks", {}),
    ("modules", {}),
    ("registers", {}),
    ("source", {}),
    ("verify", {"claim": "job->owner is NULL in frame 1"}),
    ("triage", {"path": "null-field"}),
    ("compare", {"first": CORE, "second": "deadlock/core.zst"}),
]


@contextlib.asynccontextmanager
async def by_http(obit: str, root: str):
    """The streams of a server that listens."""
    with tempfile.TemporaryDirectory() as directory:
        token = pathlib.Path(directory) / "token"
        line = [obit, "mcp", "--root", root, "--listen", "127.0.0.1:0", "--token-file", str(token)]
        with subprocess.Popen(line, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
            try:
                url = re.search(r"http://\S+", server.stderr.readline()).group()
                fields = {"Authorization": f"Bearer {token.read_text().strip()}"}
                if streamable_http_client:
                    async with (
                        create_mcp_http_client(headers=fields) as client,
                        streamable_http_client(url, http_client=client) as streams,
                    ):
                        yield streams[:2]
                else:
                    async with streamablehttp_client(url, headers=fields) as streams:
                        yield streams[:2]
            finally:
                server.terminate()


async def main(obit: str, root: str) -> None:
    server = StdioServerParameters(command=obit, args=["mcp", "--root", root])
    await check("stdio", stdio_client(server))
    await check("HTTP", by_http(obit, root))


async def check(how: str, transport) -> None:
    async with transport as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        tools = {tool.name for tool in (await session.list_tools()).tools}
        called = set()
        for name, arguments in CALLS:
            result = await session.call_tool(name, arguments)
            failed = getattr(result, "isError", None) or getattr(result, "is_error", None)
            assert not failed, (name, result.content)
            called.add(name)
            if name == "triage":
                content = getattr(result, "structuredContent", None)
                content = content or getattr(result, "structured_content")
                group = content["groups"][0]["group"]
                found = await session.call_tool("group", {"path": "null-field", "group": group})
                assert not (getattr(found, "isError", None) or getattr(found, "is_error", None))
                called.add("group")
        assert called == tools, tools - called
        prompts = (await session.list_prompts()).prompts
        await session.get_prompt(prompts[0].name, {"path": CORE})
        for resource in (await session.list_resources()).resources:
            await session.read_resource(resource.uri)
        print(f"Python client by {how}: {len(tools)} tools, {len(prompts)} prompts")


asyncio.run(main(*sys.argv[1:3]))
