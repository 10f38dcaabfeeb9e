"""The official `openai` Python client against a running gateway: what a user's program would do.

    python openai_client.py --base-url http://127.0.0.1:8787/v1 --key sk-or-v1-… --model a/b

Prints `ok <check>` a line and ends with 1 at the first check that fails, saying what was wrong.
It checks the surface as the client sees it, never a model's wording. `--tool-model` is one that
calls the tool `get_weather` with a city and, given the tool's result, answers with text;
`--slow-model` one whose stream goes on for a second at least.
"""

import argparse
import asyncio
import contextlib
import json
import sys

import openai

QUESTION = [{"role": "user", "content": "Say something short."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


class Failed(Exception):
    """A check found something else than it should have."""


def expect(holds, message):
    if not holds:
        raise Failed(message)


def check_usage(usage):
    expect(usage is not None, "the reply has no usage")
    total = usage.prompt_tokens + usage.completion_tokens
    expect(usage.total_tokens == total, f"total_tokens is not the sum: {usage}")
    cost = (usage.model_extra or {}).get("cost")
    is_number = isinstance(cost, (int, float)) and not isinstance(cost, bool)
    expect(is_number and cost >= 0, f"usage.cost is no amount: {cost!r}")


def check_reply(reply):
    expect(reply.id.startswith("gen-"), f"the id does not begin with gen-: {reply.id}")
    expect(reply.object == "chat.completion", f"object is {reply.object}")
    choice = reply.choices[0]
    expect(choice.message.role == "assistant", f"role is {choice.message.role}")
    expect(choice.message.content, "the reply has no text")
    expect(choice.finish_reason == "stop", f"finish_reason is {choice.finish_reason}")
    check_usage(reply.usage)


class Collected:
    """A stream's chunks put together."""

    def __init__(self):
        self.text = ""
        self.calls = {}
        self.finish = None
        self.usage = None
        self.ids = set()
        self.was_usage_last = False

    def add(self, chunk):
        self.ids.add(chunk.id)
        self.was_usage_last = chunk.usage is not None
        self.usage = chunk.usage or self.usage
        for choice in chunk.choices:
            self.text += choice.delta.content or ""
            self.finish = choice.finish_reason or self.finish
            for part in choice.delta.tool_calls or []:
                call = self.calls.setdefault(part.index, {"id": "", "name": "", "arguments": ""})
                call["id"] = part.id or call["id"]
                call["name"] += part.function.name or ""
                call["arguments"] += part.function.arguments or ""

    def check(self, finish):
        expect(len(self.ids) == 1, f"one stream, more than one id: {self.ids}")
        expect(min(self.ids).startswith("gen-"), f"the id does not begin with gen-: {self.ids}")
        expect(self.finish == finish, f"finish_reason is {self.finish}, not {finish}")
        expect(self.was_usage_last, "the last chunk has no usage")
        check_usage(self.usage)


def chat(client, args):
    check_reply(client.chat.completions.create(model=args.model, messages=QUESTION))


def generation_id(client, args):
    raw = client.chat.completions.with_raw_response.create(model=args.model, messages=QUESTION)
    named, held = raw.headers.get("x-generation-id"), raw.parse().id
    expect(named == held, f"X-Generation-Id is {named}, the reply's id {held}")


def stream(client, args):
    collected = Collected()
    with client.chat.completions.create(model=args.model, messages=QUESTION, stream=True) as chunks:
        for chunk in chunks:
            collected.add(chunk)
    expect(collected.text, "the stream has no text")
    collected.check("stop")


def check_call(name, arguments, finish):
    expect(name == "get_weather", f"the tool called is {name}")
    expect("city" in json.loads(arguments), f"the tool's arguments are {arguments}")
    expect(finish == "tool_calls", f"finish_reason is {finish}, not tool_calls")


def tools(client, args):
    messages = [{"role": "user", "content": "What is the weather in Zürich?"}]
    ask = {"model": args.tool_model, "tools": [WEATHER]}
    choice = client.chat.completions.create(messages=messages, **ask).choices[0]
    expect(choice.message.tool_calls, "the model called no tool")
    call = choice.message.tool_calls[0]
    check_call(call.function.name, call.function.arguments, choice.finish_reason)
    messages.append(choice.message.model_dump(exclude_none=True))
    messages.append({"role": "tool", "tool_call_id": call.id, "content": "sunny, 21 °C"})
    check_reply(client.chat.completions.create(messages=messages, **ask))


def tools_stream(client, args):
    messages = [{"role": "user", "content": "What is the weather in Zürich?"}]
    ask = {"model": args.tool_model, "tools": [WEATHER], "stream": True}
    collected = Collected()
    for chunk in client.chat.completions.create(messages=messages, **ask):
        collected.add(chunk)
    collected.check("tool_calls")
    expect(collected.calls, "the stream called no tool")
    call = collected.calls[0]
    check_call(call["name"], call["arguments"], collected.finish)
    function = {"name": call["name"], "arguments": call["arguments"]}
    made = {"id": call["id"], "type": "function", "function": function}
    messages.append({"role": "assistant", "tool_calls": [made]})
    messages.append({"role": "tool", "tool_call_id": call["id"], "content": "sunny, 21 °C"})
    answer = Collected()
    for chunk in client.chat.completions.create(messages=messages, **ask):
        answer.add(chunk)
    answer.check("stop")


def abort(client, args):
    chunks = client.chat.completions.create(model=args.slow_model, messages=QUESTION, stream=True)
    expect(next(iter(chunks), None) is not None, "the stream ended before it began")
    chunks.close()
    # The gateway and the client's pool must be none the worse for it.
    chat(client, args)


def fails(client, args, kind, status, **changes):
    ask = {"model": args.model, "messages": QUESTION, **changes}
    try:
        client.chat.completions.create(**ask)
    except kind as error:
        expect(error.status_code == status, f"the status is {error.status_code}, not {status}")
        body = error.body if isinstance(error.body, dict) else {}
        expect(body.get("message"), f"the error has no message: {error.body!r}")
        expect(body.get("code") == status, f"error.code is {body.get('code')!r}, not {status}")
        return str(body["message"])
    except openai.APIError as error:
        raise Failed(f"{type(error).__name__} instead of {kind.__name__}: {error}") from error
    raise Failed(f"it was answered instead of refused with {status}")


def unknown_model(client, args):
    name = "nobody/no-such-model"
    message = fails(client, args, openai.BadRequestError, 400, model=name)
    expect(name in message, f"the message does not name the model: {message}")


def unknown_model_stream(client, args):
    fails(client, args, openai.BadRequestError, 400, model="nobody/no-such-model", stream=True)


def wrong_type(client, args):
    message = fails(client, args, openai.BadRequestError, 400, temperature="warm")
    expect("temperature" in message, f"the message does not name the field: {message}")


def wrong_key(client, args):
    # It shares the connections of `client`, so it is not closed here.
    stranger = client.with_options(api_key="sk-or-v1-" + "0" * 64)
    fails(stranger, args, openai.AuthenticationError, 401)


def models(client, args):
    ids = [model.id for model in client.models.list()]
    expect(args.model in ids, f"{args.model} is not among the models: {ids}")


async def async_chat(client, args):
    check_reply(await client.chat.completions.create(model=args.model, messages=QUESTION))


async def async_stream(client, args):
    collected = Collected()
    async for chunk in await client.chat.completions.create(
        model=args.model, messages=QUESTION, stream=True
    ):
        collected.add(chunk)
    expect(collected.text, "the stream has no text")
    collected.check("stop")


async def async_many(client, args):
    await asyncio.gather(*(async_stream(client, args) for _ in range(8)))


async def async_abort(client, args):
    chunks = await client.chat.completions.create(
        model=args.slow_model, messages=QUESTION, stream=True
    )
    async for _ in chunks:
        break
    await chunks.close()
    await async_chat(client, args)


CHECKS = [
    chat,
    generation_id,
    stream,
    tools,
    tools_stream,
    abort,
    unknown_model,
    unknown_model_stream,
    wrong_type,
    wrong_key,
    models,
]
ASYNC_CHECKS = [async_chat, async_stream, async_many, async_abort]


@contextlib.contextmanager
def reported(check):
    """Says how a check went. Whatever it raises is the check's failure, not this program's."""
    try:
        yield
    except Exception as error:
        print(f"failed {check.__name__}: {type(error).__name__}: {error}", flush=True)
        sys.exit(1)
    print(f"ok {check.__name__}", flush=True)


def run(options, args):
    with openai.OpenAI(**options) as client:
        for check in CHECKS:
            with reported(check):
                check(client, args)


async def run_async(options, args):
    async with openai.AsyncOpenAI(**options) as client:
        for check in ASYNC_CHECKS:
            with reported(check):
                await check(client, args)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", required=True, help="with its /v1")
    parser.add_argument("--key", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--tool-model", help="--model without it")
    parser.add_argument("--slow-model", help="--model without it")
    args = parser.parse_args()
    args.tool_model = args.tool_model or args.model
    args.slow_model = args.slow_model or args.model
    # No retries: a check must see the first answer.
    options = {"base_url": args.base_url, "api_key": args.key, "max_retries": 0, "timeout": 30}
    run(options, args)
    asyncio.run(run_async(options, args))


if __name__ == "__main__":
    main()
