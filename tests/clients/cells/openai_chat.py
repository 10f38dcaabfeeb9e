"""The official `openai` client over chat completions; embeddings too."""

import openai
from cells import FORMAT, HELLO, SYSTEM, TOOL, WEATHER, Cells, Loop, run


class Chat(Cells):
    limited = openai.RateLimitError

    def __init__(self, ask):
        self.client = openai.OpenAI(
            base_url=f"{ask.url}/v1", api_key=ask.key, max_retries=0, timeout=30
        )

    def say(self, ask):
        messages = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": ask.chat_content()},
        ]
        body = {"model": ask.model, "messages": messages}
        if ask.is_structured:
            body["response_format"] = FORMAT
        if not ask.streamed:
            return self.client.chat.completions.create(**body).choices[0].message.content
        # The client's own helper puts the stream together: it is stricter than a loop.
        with self.client.chat.completions.stream(**body) as stream:
            return stream.get_final_completion().choices[0].message.content

    def loop(self, ask):
        loop = Loop()
        messages = [{"role": "user", "content": WEATHER}]
        body = {"model": ask.model, "messages": messages, "tools": [TOOL]}
        if ask.thinks:
            body["extra_body"] = {"reasoning": {"effort": "high"}}
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
        if not streamed:
            reply = self.client.chat.completions.create(**body)
            return reply.choices[0].message.model_dump(exclude_none=True)
        message = {"role": "assistant", "content": ""}
        for chunk in self.client.chat.completions.create(**body, stream=True):
            for choice in chunk.choices:
                join(message, choice.delta.model_dump(exclude_none=True))
        return message

    def embed(self, ask, text):
        return self.client.embeddings.create(model=ask.model, input=text).data[0].embedding

    def leave(self, ask):
        messages = [{"role": "user", "content": HELLO}]
        stream = self.client.chat.completions.create(
            model=ask.model, messages=messages, stream=True
        )
        next(iter(stream))
        stream.close()


def join(message, delta):
    """Adds a piece as OpenRouter's users do: text is joined, everything else is kept."""
    for field in ("content", "reasoning"):
        if delta.get(field):
            message[field] = message.get(field, "") + delta[field]
    for piece in delta.get("tool_calls", []):
        calls = message.setdefault("tool_calls", [])
        if piece["index"] == len(calls):
            empty = {"id": piece["id"], "type": "function"}
            calls.append({**empty, "function": {"name": "", "arguments": ""}})
        for field, text in piece.get("function", {}).items():
            calls[piece["index"]]["function"][field] += text
    for piece in delta.get("reasoning_details", []):
        details = message.setdefault("reasoning_details", [])
        last = details[-1] if details else {}
        if (last.get("type"), last.get("index")) != (piece["type"], piece.get("index")):
            details.append(piece)
            continue
        text = last.get("text", "") + piece.get("text", "")
        last |= piece
        if text:
            last["text"] = text


if __name__ == "__main__":
    run(Chat)
