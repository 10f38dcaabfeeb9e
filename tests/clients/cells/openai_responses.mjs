// The official `openai` client over the Responses API.

import { CITY, REPORT, SYSTEM, WEATHER, load, run } from "./cells.mjs";

const { default: OpenAI } = await load("openai");
const description = "The weather in a city.";
const TOOL = { type: "function", name: "get_weather", description, parameters: CITY, strict: true };

// No retries: a cell sees the first answer.
const make = (ask) =>
  new OpenAI({ baseURL: `${ask.url}/v1`, apiKey: ask.key, maxRetries: 0, timeout: 30_000 });

async function turn(client, body, streamed) {
  if (!streamed) return await client.responses.create(body);
  return await client.responses.stream(body).finalResponse();
}

await run({
  async say(ask) {
    const content = [{ type: "input_text", text: ask.prompt }];
    const url = (kind, base64) => `data:${kind};base64,${base64}`;
    if (ask.image) {
      const image_url = url("image/png", ask.image);
      content.push({ type: "input_image", image_url, detail: "auto" });
    }
    if (ask.pdf) {
      const file_data = url("application/pdf", ask.pdf);
      content.push({ type: "input_file", filename: "hello.pdf", file_data });
    }
    const body = { model: ask.model, instructions: SYSTEM, input: [{ role: "user", content }] };
    const format = { type: "json_schema", name: "report", strict: true, schema: REPORT };
    if (ask.structured) body.text = { format };
    return (await turn(make(ask), body, ask.streamed)).output_text;
  },
  async loop(ask) {
    const client = make(ask);
    const input = [{ role: "user", content: WEATHER }];
    const body = { model: ask.model, input, tools: [TOOL], store: false };
    if (ask.thinks) {
      body.reasoning = { effort: "high", summary: "auto" };
      body.include = ["reasoning.encrypted_content"];
    }
    const said = await turn(client, body, ask.streamed);
    const calls = [];
    let thought = "";
    for (const { parsed_arguments, ...item } of said.output) {
      input.push(item);
      const parts = item.summary?.length ? item.summary : (item.content ?? []);
      if (item.type === "reasoning") thought += parts.map((part) => part.text).join("");
      if (item.type !== "function_call") continue;
      calls.push([item.name, JSON.parse(item.arguments)]);
      const { call_id } = item;
      input.push({ type: "function_call_output", call_id, output: ask.result });
    }
    const { output_text: text } = await turn(client, body, ask.streamed);
    return { calls, thought, text };
  },
  async leave(ask) {
    const body = { model: ask.model, input: ask.prompt, stream: true };
    for await (const event of await make(ask).responses.create(body)) {
      if (event.type === "response.output_text.delta") break;
    }
  },
  status: (error) => (error instanceof OpenAI.RateLimitError ? error.status : undefined),
});
