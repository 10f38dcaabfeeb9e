// The official `@anthropic-ai/sdk` over Messages.

import { CITY, REPORT, SYSTEM, WEATHER, load, run } from "./cells.mjs";

const { default: Anthropic } = await load("@anthropic-ai/sdk");
const description = "The weather in a city.";
const TOOL = { name: "get_weather", description, input_schema: CITY };

// No retries: a cell sees the first answer.
const make = (ask) =>
  new Anthropic({ baseURL: `${ask.url}/api`, apiKey: ask.key, maxRetries: 0, timeout: 30_000 });

async function turn(client, body, streamed) {
  if (!streamed) return await client.messages.create(body);
  return await client.messages.stream(body).finalMessage();
}

const textOf = (message) =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

await run({
  async say(ask) {
    const content = [{ type: "text", text: ask.prompt }];
    const source = (media_type, data) => ({ type: "base64", media_type, data });
    if (ask.image) content.push({ type: "image", source: source("image/png", ask.image) });
    if (ask.pdf) content.push({ type: "document", source: source("application/pdf", ask.pdf) });
    const messages = [{ role: "user", content }];
    const body = { model: ask.model, max_tokens: 500, system: SYSTEM, messages };
    const format = { type: "json_schema", schema: REPORT };
    if (ask.structured) body.output_config = { format };
    return textOf(await turn(make(ask), body, ask.streamed));
  },
  async loop(ask) {
    const client = make(ask);
    const messages = [{ role: "user", content: WEATHER }];
    const body = { model: ask.model, max_tokens: 4000, messages, tools: [TOOL] };
    if (ask.thinks) body.thinking = { type: "enabled", budget_tokens: 1024 };
    const said = await turn(client, body, ask.streamed);
    messages.push({ role: "assistant", content: said.content });
    const used = said.content.filter((block) => block.type === "tool_use");
    const content = used.map((block) => {
      return { type: "tool_result", tool_use_id: block.id, content: ask.result };
    });
    messages.push({ role: "user", content });
    const thoughts = said.content.filter((block) => block.type === "thinking");
    return {
      calls: used.map((block) => [block.name, block.input]),
      thought: thoughts.map((block) => block.thinking).join(""),
      text: textOf(await turn(client, body, ask.streamed)),
    };
  },
  async leave(ask) {
    const messages = [{ role: "user", content: ask.prompt }];
    const body = { model: ask.model, max_tokens: 500, messages, stream: true };
    for await (const event of await make(ask).messages.create(body)) {
      if (event.type === "content_block_delta") break;
    }
  },
  status: (error) => (error instanceof Anthropic.RateLimitError ? error.status : undefined),
});
