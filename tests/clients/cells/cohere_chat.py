"""Cohere's client, second version of its API."""

import cohere
from cells import HELLO, REPORT, SYSTEM, TOOL, WEATHER, Cells, Loop, run


class Cohere(Cells):
    limited = cohere.TooManyRequestsError

    def __init__(self, ask):
        self.client = cohere.ClientV2(ask.key, base_url=ask.url, timeout=30, max_retries=0)

    def say(self, ask):
        content = ask.chat_content()
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": content}]
        body = {"model": ask.model, "messages": messages}
        if ask.is_structured:
            body["response_format"] = {"type": "json_object", "json_schema": REPORT}
        return self.turn(body, ask.streamed)["text"]

    def loop(self, ask):
        loop = Loop()
        messages = [{"role": "user", "content": WEATHER}]
        body = {"model": ask.model, "messages": messages, "tools": [TOOL]}
        if ask.thinks:
            body["thinking"] = {"type": "enabled", "token_budget": 1024}
        said = self.turn(body, ask.streamed)
        loop.thought = said["thinking"]
        back = {"role": "assistant", "tool_calls": said["calls"]}
        if said["thinking"]:
            back["content"] = [{"type": "thinking", "thinking": said["thinking"]}]
        messages.append(back)
        for call in said["calls"]:
            loop.call(call["function"]["name"], call["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": ask.result})
        loop.text = self.turn(body, ask.streamed)["text"]
        return loop

    def turn(self, body, streamed):
        said = {"text": "", "thinking": "", "calls": []}
        if not streamed:
            message = self.client.chat(**body).message
            for block in message.content or []:
                said[block.type] += getattr(block, block.type)
            said["calls"] = [call.model_dump() for call in message.tool_calls or []]
            return said
        for event in self.client.chat_stream(**body):
            if event.type == "content-delta":
                content = event.delta.message.content
                said["text"] += content.text or ""
                said["thinking"] += content.thinking or ""
            if event.type == "tool-call-start":
                said["calls"].append(event.delta.message.tool_calls.model_dump())
            if event.type == "tool-call-delta":
                piece = event.delta.message.tool_calls.function.arguments
                said["calls"][-1]["function"]["arguments"] += piece
        return said

    def embed(self, ask, text):
        reply = self.client.embed(
            model=ask.model,
            texts=[text],
            input_type="search_document",
            embedding_types=["float"],
        )
        return reply.embeddings.float_[0]

    def leave(self, ask):
        messages = [{"role": "user", "content": HELLO}]
        stream = self.client.chat_stream(model=ask.model, messages=messages)
        next(iter(stream))
        stream.close()


if __name__ == "__main__":
    run(Cohere)
