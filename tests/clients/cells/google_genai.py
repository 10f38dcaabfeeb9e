"""Google's `google-genai` client."""

import base64

from cells import CITY, HELLO, REPORT, SYSTEM, WEATHER, Cells, Loop, run
from google import genai
from google.genai import errors, types


class Genai(Cells):
    limited = errors.ClientError

    def __init__(self, ask):
        options = types.HttpOptions(base_url=ask.url, api_version="v1beta", timeout=30000)
        self.client = genai.Client(api_key=ask.key, http_options=options)

    def status(self, error):
        return error.code

    def say(self, ask):
        parts = [types.Part(text=ask.prompt)]
        if ask.image:
            image = base64.b64decode(ask.image)
            parts.append(types.Part.from_bytes(data=image, mime_type="image/png"))
        if ask.pdf:
            pdf = base64.b64decode(ask.pdf)
            parts.append(types.Part.from_bytes(data=pdf, mime_type="application/pdf"))
        config = types.GenerateContentConfig(system_instruction=SYSTEM)
        if ask.is_structured:
            config.response_mime_type = "application/json"
            config.response_json_schema = REPORT
        contents = [types.Content(role="user", parts=parts)]
        return "".join(part.text for part in self.turn(ask, contents, config))

    def loop(self, ask):
        loop = Loop()
        declaration = types.FunctionDeclaration(
            name="get_weather", description="The weather in a city.", parameters_json_schema=CITY
        )
        config = types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=[declaration])],
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        if ask.thinks:
            config.thinking_config = types.ThinkingConfig(
                thinking_budget=1024, include_thoughts=True
            )
        contents = [types.Content(role="user", parts=[types.Part(text=WEATHER)])]
        said = self.turn(ask, contents, config)
        results = []
        for part in said:
            if part.thought:
                loop.thought += part.text or ""
            if part.function_call:
                loop.call(part.function_call.name, part.function_call.args)
                response = types.FunctionResponse(
                    id=part.function_call.id,
                    name=part.function_call.name,
                    response={"result": ask.result},
                )
                results.append(types.Part(function_response=response))
        contents.append(types.Content(role="model", parts=said))
        contents.append(types.Content(role="user", parts=results))
        said = self.turn(ask, contents, config)
        loop.text = "".join(part.text for part in said if part.text and not part.thought)
        return loop

    def turn(self, ask, contents, config):
        """All parts of the reply, in order."""
        models = self.client.models
        call = {"model": ask.model, "contents": contents, "config": config}
        replies = models.generate_content_stream(**call) if ask.streamed else [
            models.generate_content(**call)
        ]
        parts = []
        for reply in replies:
            for candidate in reply.candidates or []:
                parts += (candidate.content and candidate.content.parts) or []
        return parts

    def embed(self, ask, text):
        reply = self.client.models.embed_content(model=ask.model, contents=text)
        return reply.embeddings[0].values

    def leave(self, ask):
        stream = self.client.models.generate_content_stream(model=ask.model, contents=HELLO)
        next(stream)
        stream.close()


if __name__ == "__main__":
    run(Genai)
