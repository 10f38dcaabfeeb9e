"""The official `openai` client over the old text completions."""

import openai
from cells import HELLO, Cells, run


class Completions(Cells):
    limited = openai.RateLimitError

    def __init__(self, ask):
        self.client = openai.OpenAI(
            base_url=f"{ask.url}/v1", api_key=ask.key, max_retries=0, timeout=30
        )

    def say(self, ask):
        reply = self.client.completions.create(
            model=ask.model, prompt=ask.prompt, stream=ask.streamed
        )
        if not ask.streamed:
            return reply.choices[0].text
        return "".join(choice.text for chunk in reply for choice in chunk.choices)

    def leave(self, ask):
        stream = self.client.completions.create(model=ask.model, prompt=HELLO, stream=True)
        next(iter(stream))
        stream.close()


if __name__ == "__main__":
    run(Completions)
