"""Pydantic AI with its OpenRouter model."""

import asyncio
import base64

from cells import HELLO, SYSTEM, WEATHER, Cells, Loop, run
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, NativeOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ThinkingPart, ToolCallPart
from pydantic_ai.models.openrouter import OpenRouterModel
from pydantic_ai.providers.openrouter import OpenRouterProvider


class Report(BaseModel):
    city: str
    celsius: int


class PydanticAi(Cells):
    limited = ModelHTTPError

    def __init__(self, ask):
        client = AsyncOpenAI(
            base_url=f"{ask.url}/api/v1", api_key=ask.key, max_retries=0, timeout=30
        )
        provider = OpenRouterProvider(openai_client=client)
        # It knows no model of that name, so it must be told what the model can do.
        profile = {"supports_json_schema_output": True}
        self.model = OpenRouterModel(ask.model, provider=provider, profile=profile)

    def say(self, ask):
        prompt = [ask.prompt]
        if ask.image:
            prompt.append(BinaryContent(base64.b64decode(ask.image), media_type="image/png"))
        if ask.pdf:
            pdf = base64.b64decode(ask.pdf)
            prompt.append(BinaryContent(pdf, media_type="application/pdf"))
        output = NativeOutput(Report) if ask.is_structured else str
        agent = Agent(self.model, output_type=output, instructions=SYSTEM, retries=0)
        said, _ = asyncio.run(self.turn(agent, prompt, ask.streamed))
        return said.model_dump_json() if ask.is_structured else said

    def loop(self, ask):
        loop = Loop()
        settings = {"openrouter_reasoning": {"effort": "high"}} if ask.thinks else {}
        agent = Agent(self.model, model_settings=settings, retries=0)

        @agent.tool_plain
        def get_weather(city: str) -> str:
            """The weather in a city."""
            return ask.result

        loop.text, messages = asyncio.run(self.turn(agent, WEATHER, ask.streamed))
        for part in (part for message in messages for part in message.parts):
            if isinstance(part, ThinkingPart):
                loop.thought += part.content
            if isinstance(part, ToolCallPart):
                loop.call(part.tool_name, part.args)
        return loop

    async def turn(self, agent, prompt, streamed):
        if not streamed:
            done = await agent.run(prompt)
            return done.output, done.all_messages()
        async with agent.run_stream(prompt) as stream:
            return await stream.get_output(), stream.all_messages()

    def leave(self, ask):
        asyncio.run(self.leave_early(Agent(self.model, retries=0)))

    async def leave_early(self, agent):
        async with agent.run_stream(HELLO) as stream:
            async for _ in stream.stream_text(debounce_by=None):
                break


if __name__ == "__main__":
    run(PydanticAi)
