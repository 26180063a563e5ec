"""Lists and calls every tool of `obit mcp` by the Python client, which checks each answer against
the schema of its tool: mcp_client.py OBIT ROOT."""

import asyncio
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

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


async def main(obit: str, root: str) -> None:
    server = StdioServerParameters(command=obit, args=["mcp", "--root", root])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
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
        print(f"Python client: {len(tools)} tools, {len(prompts)} prompts")


asyncio.run(main(*sys.argv[1:3]))
