"""The official `anthropic` client over Messages."""

import anthropic
from cells import CITY, HELLO, REPORT, SYSTEM, WEATHER, Cells, Loop, run

TOOL = {"name": "get_weather", "description": "The weather in a city.", "input_schema": CITY}


class Messages(Cells):
    limited = anthropic.RateLimitError

    def __init__(self, ask):
        self.client = anthropic.Anthropic(
            base_url=f"{ask.url}/api", api_key=ask.key, max_retries=0, timeout=30
        )

    def say(self, ask):
        content = [{"type": "text", "text": ask.prompt}]
        if ask.image:
            source = {"type": "base64", "media_type": "image/png", "data": ask.image}
            content.append({"type": "image", "source": source})
        if ask.pdf:
            source = {"type": "base64", "media_type": "application/pdf", "data": ask.pdf}
            content.append({"type": "document", "source": source})
        body = {
            "model": ask.model,
            "max_tokens": 500,
            "system": SYSTEM,
            "messages": [{"role": "user", "content": content}],
        }
        if ask.is_structured:
            body["output_config"] = {"format": {"type": "json_schema", "schema": REPORT}}
        return text_of(self.turn(body, ask.streamed))

    def loop(self, ask):
        loop = Loop()
        messages = [{"role": "user", "content": WEATHER}]
        body = {"model": ask.model, "max_tokens": 4000, "messages": messages, "tools": [TOOL]}
        if ask.thinks:
            body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        said = self.turn(body, ask.streamed)
        results = []
        for block in said.content:
            if block.type == "thinking":
                loop.thought += block.thinking
            if block.type == "tool_use":
                loop.call(block.name, block.input)
                result = {"tool_use_id": block.id, "content": ask.result}
                results.append({"type": "tool_result", **result})
        messages.append({"role": "assistant", "content": said.content})
        messages.append({"role": "user", "content": results})
        loop.text = text_of(self.turn(body, ask.streamed))
        return loop

    def turn(self, body, streamed):
        if not streamed:
            return self.client.messages.create(**body)
        with self.client.messages.stream(**body) as stream:
            return stream.get_final_message()

    def leave(self, ask):
        messages = [{"role": "user", "content": HELLO}]
        with self.client.messages.stream(
            model=ask.model, max_tokens=500, messages=messages
        ) as stream:
            next(iter(stream.text_stream))


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


if __name__ == "__main__":
    run(Messages)
