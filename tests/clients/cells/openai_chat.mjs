// The official `openai` client over chat completions; embeddings too.

import { REPORT, SYSTEM, TOOL, WEATHER, chatContent, load, run } from "./cells.mjs";

const { default: OpenAI } = await load("openai");

// No retries: a cell sees the first answer.
const make = (ask) =>
  new OpenAI({ baseURL: `${ask.url}/v1`, apiKey: ask.key, maxRetries: 0, timeout: 30_000 });

/** The message as it goes back in the next turn. */
async function turn(client, body, streamed) {
  const chat = client.chat.completions;
  if (!streamed) return (await chat.create(body)).choices[0].message;
  const message = { role: "assistant", content: "" };
  for await (const chunk of await chat.create({ ...body, stream: true })) {
    for (const { delta } of chunk.choices) join(message, delta);
  }
  return message;
}

/** Adds a piece as OpenRouter's users do: text is joined, everything else is kept. */
function join(message, delta) {
  for (const field of ["content", "reasoning"]) {
    if (delta[field]) message[field] = (message[field] ?? "") + delta[field];
  }
  for (const piece of delta.tool_calls ?? []) {
    message.tool_calls ??= [];
    const empty = { id: piece.id, type: "function", function: { name: "", arguments: "" } };
    const call = (message.tool_calls[piece.index] ??= empty);
    call.function.name += piece.function?.name ?? "";
    call.function.arguments += piece.function?.arguments ?? "";
  }
  for (const piece of delta.reasoning_details ?? []) {
    message.reasoning_details ??= [];
    const last = message.reasoning_details.at(-1);
    if (last?.type !== piece.type || last?.index !== piece.index) {
      message.reasoning_details.push(piece);
      continue;
    }
    const text = (last.text ?? "") + (piece.text ?? "");
    Object.assign(last, piece, text ? { text } : {});
  }
}

await run({
  async say(ask) {
    const messages = [
      { role: "system", content: SYSTEM },
      { role: "user", content: chatContent(ask) },
    ];
    const body = { model: ask.model, messages };
    const json_schema = { name: "report", strict: true, schema: REPORT };
    if (ask.structured) body.response_format = { type: "json_schema", json_schema };
    if (!ask.streamed) return (await turn(make(ask), body, false)).content;
    // The client's own helper puts the stream together: it is stricter than a loop.
    const reply = await make(ask).chat.completions.stream(body).finalChatCompletion();
    return reply.choices[0].message.content;
  },
  async loop(ask) {
    const client = make(ask);
    const messages = [{ role: "user", content: WEATHER }];
    const body = { model: ask.model, messages, tools: [TOOL] };
    if (ask.thinks) body.reasoning = { effort: "high" };
    const said = await turn(client, body, ask.streamed);
    messages.push(said);
    const calls = said.tool_calls.map((call) => {
      messages.push({ role: "tool", tool_call_id: call.id, content: ask.result });
      return [call.function.name, JSON.parse(call.function.arguments)];
    });
    const { content: text } = await turn(client, body, ask.streamed);
    return { calls, thought: said.reasoning, text };
  },
  async embed(ask, input) {
    return (await make(ask).embeddings.create({ model: ask.model, input })).data[0].embedding;
  },
  async leave(ask) {
    const messages = [{ role: "user", content: ask.prompt }];
    const body = { model: ask.model, messages, stream: true };
    for await (const _ of await make(ask).chat.completions.create(body)) break;
  },
  status: (error) => (error instanceof OpenAI.RateLimitError ? error.status : undefined),
});
