"""LlamaIndex with its `OpenRouter` model, which is its `OpenAILike` underneath."""

import base64

import openai
from cells import FORMAT, HELLO, SYSTEM, WEATHER, Cells, Loop, run
from llama_index.core.base.llms.types import (
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    TextBlock,
)
from llama_index.core.tools import FunctionTool
from llama_index.llms.openrouter import OpenRouter


def get_weather(city: str) -> str:
    """The weather in a city."""
    raise NotImplementedError


class LlamaIndex(Cells):
    limited = openai.RateLimitError

    def __init__(self, ask):
        self.model = OpenRouter(
            model=ask.model,
            api_base=f"{ask.url}/v1",
            api_key=ask.key,
            max_retries=0,
            timeout=30,
            is_function_calling_model=True,
        )

    def say(self, ask):
        blocks = [TextBlock(text=ask.prompt)]
        if ask.image:
            image = base64.b64decode(ask.image)
            blocks.append(ImageBlock(image=image, image_mimetype="image/png"))
        if ask.pdf:
            data = base64.b64decode(ask.pdf)
            blocks.append(
                DocumentBlock(data=data, title="hello.pdf", document_mimetype="application/pdf")
            )
        messages = [
            ChatMessage(role="system", content=SYSTEM),
            ChatMessage(role="user", blocks=blocks),
        ]
        more = {"response_format": FORMAT} if ask.is_structured else {}
        if not ask.streamed:
            return self.model.chat(messages, **more).message.content
        *_, last = self.model.stream_chat(messages, **more)
        return last.message.content

    def loop(self, ask):
        loop = Loop()
        tools = [FunctionTool.from_defaults(get_weather)]
        messages = [ChatMessage(role="user", content=WEATHER)]
        said = self.turn(tools, messages, ask.streamed)
        messages.append(said.message)
        for call in self.model.get_tool_calls_from_response(said):
            loop.call(call.tool_name, call.tool_kwargs)
            more = {"tool_call_id": call.tool_id}
            messages.append(ChatMessage(role="tool", content=ask.result, additional_kwargs=more))
        loop.text = self.turn(tools, messages, ask.streamed).message.content
        return loop

    def turn(self, tools, messages, streamed):
        if not streamed:
            return self.model.chat_with_tools(tools, chat_history=messages)
        *_, last = self.model.stream_chat_with_tools(tools, chat_history=messages)
        return last

    def leave(self, ask):
        stream = self.model.stream_chat([ChatMessage(role="user", content=HELLO)])
        next(stream)
        stream.close()


if __name__ == "__main__":
    run(LlamaIndex)
