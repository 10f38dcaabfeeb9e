// OpenRouter's own client, `@openrouter/sdk`.

import { REPORT, SYSTEM, TOOL, WEATHER, chatContent, load, run } from "./cells.mjs";

const { OpenRouter } = await load("@openrouter/sdk");

// No retries: a cell sees the first answer.
const make = (ask) =>
  new OpenRouter({
    apiKey: ask.key,
    serverURL: `${ask.url}/api/v1`,
    retryConfig: { strategy: "none" },
    timeoutMs: 30_000,
  });

/** The message as it goes back in the next turn. */
async function turn(client, chatRequest, stream) {
  const reply = await client.chat.send({ chatRequest: { ...chatRequest, stream } });
  if (!stream) return reply.choices[0].message;
  const message = { role: "assistant", content: "" };
  for await (const chunk of reply) {
    for (const { delta } of chunk.choices) join(message, delta);
  }
  return message;
}

function join(message, delta) {
  for (const field of ["content", "reasoning"]) {
    if (delta[field]) message[field] = (message[field] ?? "") + delta[field];
  }
  for (const piece of delta.toolCalls ?? []) {
    message.toolCalls ??= [];
    const empty = { id: piece.id, type: "function", function: { name: "", arguments: "" } };
    const call = (message.toolCalls[piece.index] ??= empty);
    call.function.name += piece.function?.name ?? "";
    call.function.arguments += piece.function?.arguments ?? "";
  }
  for (const piece of delta.reasoningDetails ?? []) {
    message.reasoningDetails ??= [];
    const last = message.reasoningDetails.at(-1);
    if (last?.type !== piece.type || last?.index !== piece.index) {
      message.reasoningDetails.push(piece);
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
      { role: "user", content: chatContent(ask, true) },
    ];
    const body = { model: ask.model, messages };
    const jsonSchema = { name: "report", strict: true, schema: REPORT };
    if (ask.structured) body.responseFormat = { type: "json_schema", jsonSchema };
    return (await turn(make(ask), body, ask.streamed)).content;
  },
  async loop(ask) {
    const client = make(ask);
    const messages = [{ role: "user", content: WEATHER }];
    const body = { model: ask.model, messages, tools: [TOOL] };
    if (ask.thinks) body.reasoning = { effort: "high" };
    const said = await turn(client, body, ask.streamed);
    messages.push(said);
    const calls = said.toolCalls.map((call) => {
      messages.push({ role: "tool", toolCallId: call.id, content: ask.result });
      return [call.function.name, JSON.parse(call.function.arguments)];
    });
    const { content: text } = await turn(client, body, ask.streamed);
    return { calls, thought: said.reasoning, text };
  },
  async embed(ask, input) {
    const reply = await make(ask).embeddings.generate({ requestBody: { model: ask.model, input } });
    return reply.data[0].embedding;
  },
  async leave(ask) {
    const messages = [{ role: "user", content: ask.prompt }];
    const chatRequest = { model: ask.model, messages, stream: true };
    for await (const _ of await make(ask).chat.send({ chatRequest })) break;
  },
  status: (error) =>
    error.name === "TooManyRequestsResponseError" ? error.statusCode : undefined,
});
