"""LiteLLM as a client, with its OpenRouter provider."""

import gc
import os

# It would download the list of prices when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm  # noqa: E402
from cells import FORMAT, HELLO, SYSTEM, TOOL, WEATHER, Cells, Loop, run  # noqa: E402
from openai_chat import join  # noqa: E402

litellm.suppress_debug_info = True
# It leaves streams behind that close when they are collected. Where that happens in the middle of
# another call, the HTTP library below waits for a lock that it holds itself. So they are collected
# between cells only.
gc.disable()


class Litellm(Cells):
    limited = litellm.RateLimitError

    def __init__(self, ask):
        gc.collect()
        self.options = {"model": f"openrouter/{ask.model}", "api_base": f"{ask.url}/api/v1"}
        self.options |= {"api_key": ask.key, "max_retries": 0, "timeout": 30}

    def say(self, ask):
        messages = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": ask.chat_content()},
        ]
        more = {"response_format": FORMAT} if ask.is_structured else {}
        # What the client has never heard of, it would leave out.
        more["allowed_openai_params"] = list(more)
        return self.turn({"messages": messages, **more}, ask.streamed).content

    def loop(self, ask):
        loop = Loop()
        messages = [{"role": "user", "content": WEATHER}]
        body = {"messages": messages, "tools": [TOOL], "allowed_openai_params": ["tools"]}
        if ask.thinks:
            body["extra_body"] = {"reasoning": {"effort": "high"}}
        said = self.turn(body, ask.streamed)
        loop.thought = getattr(said, "reasoning_content", None) or ""
        messages.append(back(said))
        for call in said.tool_calls:
            loop.call(call.function.name, call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": ask.result})
        loop.text = self.turn(body, ask.streamed).content
        return loop

    def turn(self, body, streamed):
        reply = litellm.completion(**self.options, **body, stream=streamed)
        if not streamed:
            return reply.choices[0].message
        chunks = list(reply)
        message = litellm.stream_chunk_builder(chunks, messages=body["messages"]).choices[0].message
        # Its own helper leaves out what proves the thought.
        whole = {}
        for choice in (choice for chunk in chunks for choice in chunk.choices):
            details = getattr(choice.delta, "reasoning_details", None) or []
            join(whole, {"reasoning_details": details})
        if whole:
            message.reasoning_details = whole["reasoning_details"]
        return message

    def embed(self, ask, text):
        return litellm.embedding(input=[text], **self.options).data[0]["embedding"]

    def leave(self, ask):
        messages = [{"role": "user", "content": HELLO}]
        stream = litellm.completion(**self.options, messages=messages, stream=True)
        next(iter(stream))
        # It has nothing to close; who leaves just forgets it.
        del stream
        gc.collect()


def back(message):
    """The message as it goes back; what OpenRouter adds lies in a field of LiteLLM's own."""
    fields = message.model_dump(exclude_none=True)
    more = fields.pop("provider_specific_fields", None) or {}
    if "reasoning_details" in more:
        fields.setdefault("reasoning_details", more["reasoning_details"])
    return fields


if __name__ == "__main__":
    run(Litellm)
