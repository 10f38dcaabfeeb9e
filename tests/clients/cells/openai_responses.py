"""The official `openai` client over the Responses API."""

import openai
from cells import CITY, HELLO, REPORT, SYSTEM, WEATHER, Cells, Loop, run

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": CITY,
    "strict": True,
}


class Responses(Cells):
    limited = openai.RateLimitError

    def __init__(self, ask):
        self.client = openai.OpenAI(
            base_url=f"{ask.url}/v1", api_key=ask.key, max_retries=0, timeout=30
        )

    def say(self, ask):
        content = [{"type": "input_text", "text": ask.prompt}]
        if ask.image:
            content.append(
                {"type": "input_image", "image_url": ask.image_url, "detail": "auto"}
            )
        if ask.pdf:
            file = {"filename": "hello.pdf", "file_data": ask.pdf_url}
            content.append({"type": "input_file", **file})
        body = {
            "model": ask.model,
            "instructions": SYSTEM,
            "input": [{"role": "user", "content": content}],
        }
        if ask.is_structured:
            form = {"type": "json_schema", "name": "report", "strict": True, "schema": REPORT}
            body["text"] = {"format": form}
        return self.turn(body, ask.streamed).output_text

    def loop(self, ask):
        loop = Loop()
        items = [{"role": "user", "content": WEATHER}]
        body = {"model": ask.model, "input": items, "tools": [TOOL], "store": False}
        if ask.thinks:
            body["reasoning"] = {"effort": "high", "summary": "auto"}
            body["include"] = ["reasoning.encrypted_content"]
        said = self.turn(body, ask.streamed)
        for item in said.output:
            items.append(item.model_dump(exclude_none=True, exclude={"parsed_arguments"}))
            if item.type == "reasoning":
                parts = item.summary or item.content or []
                loop.thought += "".join(part.text for part in parts)
            if item.type == "function_call":
                loop.call(item.name, item.arguments)
                output = {"call_id": item.call_id, "output": ask.result}
                items.append({"type": "function_call_output", **output})
        loop.text = self.turn(body, ask.streamed).output_text
        return loop

    def turn(self, body, streamed):
        if not streamed:
            return self.client.responses.create(**body)
        with self.client.responses.stream(**body) as stream:
            return stream.get_final_response()

    def leave(self, ask):
        stream = self.client.responses.create(model=ask.model, input=HELLO, stream=True)
        for event in stream:
            if event.type == "response.output_text.delta":
                break
        stream.close()


if __name__ == "__main__":
    run(Responses)
