"""Ollama's client."""

import ollama
from cells import HELLO, REPORT, SYSTEM, TOOL, WEATHER, Cells, Loop, run


class Ollama(Cells):
    limited = ollama.ResponseError

    def __init__(self, ask):
        headers = {"Authorization": f"Bearer {ask.key}"}
        self.client = ollama.Client(host=ask.url, headers=headers, timeout=30)

    def say(self, ask):
        question = {"role": "user", "content": ask.prompt}
        if ask.image:
            question["images"] = [ask.image]
        body = {"model": ask.model, "messages": [{"role": "system", "content": SYSTEM}, question]}
        if ask.is_structured:
            body["format"] = REPORT
        return self.turn(body, ask.streamed)["content"]

    def loop(self, ask):
        loop = Loop()
        messages = [{"role": "user", "content": WEATHER}]
        body = {"model": ask.model, "messages": messages, "tools": [TOOL]}
        if ask.thinks:
            body["think"] = True
        said = self.turn(body, ask.streamed)
        loop.thought = said["thinking"]
        messages.append({"role": "assistant", **said})
        for call in said["tool_calls"]:
            loop.call(call.function.name, dict(call.function.arguments))
            result = {"tool_name": call.function.name, "content": ask.result}
            messages.append({"role": "tool", **result})
        loop.text = self.turn(body, ask.streamed)["content"]
        return loop

    def turn(self, body, streamed):
        replies = self.client.chat(**body, stream=streamed)
        said = {"content": "", "thinking": "", "tool_calls": []}
        for reply in replies if streamed else [replies]:
            said["content"] += reply.message.content or ""
            said["thinking"] += reply.message.thinking or ""
            said["tool_calls"] += reply.message.tool_calls or []
        return said

    def embed(self, ask, text):
        return self.client.embed(model=ask.model, input=text).embeddings[0]

    def leave(self, ask):
        messages = [{"role": "user", "content": HELLO}]
        stream = self.client.chat(model=ask.model, messages=messages, stream=True)
        next(stream)
        stream.close()


if __name__ == "__main__":
    run(Ollama)
