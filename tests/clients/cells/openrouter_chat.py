"""OpenRouter's own Python client."""

from cells import FORMAT, HELLO, SYSTEM, TOOL, WEATHER, Cells, Loop, run
from openai_chat import join
from openrouter import OpenRouter, errors


class Chat(Cells):
    limited = errors.TooManyRequestsResponseError

    def __init__(self, ask):
        self.client = OpenRouter(
            api_key=ask.key, server_url=f"{ask.url}/api/v1", retry_config=None, timeout_ms=30000
        )

    def say(self, ask):
        messages = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": ask.chat_content()},
        ]
        body = {"model": ask.model, "messages": messages}
        if ask.is_structured:
            body["response_format"] = FORMAT
        return self.turn(body, ask.streamed)["content"]

    def loop(self, ask):
        loop = Loop()
        messages = [{"role": "user", "content": WEATHER}]
        body = {"model": ask.model, "messages": messages, "tools": [TOOL]}
        if ask.thinks:
            body["reasoning"] = {"effort": "high"}
        said = self.turn(body, ask.streamed)
        loop.thought = said.get("reasoning") or ""
        messages.append(said)
        for call in said["tool_calls"]:
            loop.call(call["function"]["name"], call["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": ask.result})
        loop.text = self.turn(body, ask.streamed)["content"]
        return loop

    def turn(self, body, streamed):
        """The message as it goes back in the next turn."""
        reply = self.client.chat.send(**body, stream=streamed)
        if not streamed:
            return reply.choices[0].message.model_dump(by_alias=True, exclude_none=True)
        message = {"role": "assistant", "content": ""}
        with reply as stream:
            for chunk in stream:
                for choice in chunk.choices:
                    join(message, choice.delta.model_dump(by_alias=True, exclude_none=True))
        return message

    def embed(self, ask, text):
        return self.client.embeddings.generate(model=ask.model, input=text).data[0].embedding

    def leave(self, ask):
        messages = [{"role": "user", "content": HELLO}]
        with self.client.chat.send(model=ask.model, messages=messages, stream=True) as stream:
            next(iter(stream))


if __name__ == "__main__":
    run(Chat)
