// Vercel's AI SDK (`ai`) with OpenRouter's provider.

import { CITY, REPORT, SYSTEM, WEATHER, load, run } from "./cells.mjs";

const ai = await load("ai");
const { createOpenRouter } = await load("@openrouter/ai-sdk-provider");

const make = (ask) => createOpenRouter({ apiKey: ask.key, baseURL: `${ask.url}/api/v1` });

/** What both ways of asking give. An error in a stream is not thrown unless it is asked for. */
async function turn(options, streamed) {
  // No retries: a cell sees the first answer.
  const call = { maxRetries: 0, ...options };
  if (!streamed) return await ai.generateText(call);
  let failure;
  const stream = ai.streamText({ ...call, onError: ({ error }) => (failure = error) });
  await stream.consumeStream();
  if (failure) throw failure;
  return { text: await stream.text, steps: await stream.steps };
}

await run({
  async say(ask) {
    const content = [{ type: "text", text: ask.prompt }];
    const file = (mediaType, data) => ({ type: "file", mediaType, data });
    if (ask.image) content.push(file("image/png", ask.image));
    if (ask.pdf) content.push({ ...file("application/pdf", ask.pdf), filename: "hello.pdf" });
    const messages = [{ role: "user", content }];
    const options = { model: make(ask)(ask.model), system: SYSTEM, messages };
    const schema = ai.jsonSchema(REPORT);
    if (ask.structured) options.output = ai.Output.object({ schema, name: "report" });
    return (await turn(options, ask.streamed)).text;
  },
  async loop(ask) {
    const description = "The weather in a city.";
    const inputSchema = ai.jsonSchema(CITY);
    const tool = ai.tool({ description, inputSchema, execute: () => ask.result });
    const more = ask.thinks ? { reasoning: { effort: "high" } } : {};
    const { text, steps } = await turn(
      {
        model: make(ask)(ask.model, more),
        prompt: WEATHER,
        tools: { get_weather: tool },
        stopWhen: ai.stepCountIs(3),
      },
      ask.streamed,
    );
    const calls = steps.flatMap((step) => step.toolCalls);
    return {
      calls: calls.map((call) => [call.toolName, call.input]),
      thought: steps.map((step) => step.reasoningText ?? "").join(""),
      text,
    };
  },
  async embed(ask, value) {
    const model = make(ask).textEmbeddingModel(ask.model);
    return (await ai.embed({ model, value, maxRetries: 0 })).embedding;
  },
  async leave(ask) {
    const aborts = new AbortController();
    const options = { model: make(ask)(ask.model), prompt: ask.prompt, maxRetries: 0 };
    const stream = ai.streamText({ ...options, abortSignal: aborts.signal });
    for await (const _ of stream.textStream) {
      aborts.abort();
      break;
    }
  },
  status: (error) => (ai.APICallError.isInstance(error) ? error.statusCode : undefined),
});
