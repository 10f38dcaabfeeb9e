// The official `openai` Node client against a running gateway: what a user's program would do.
//
//   node openai_client.mjs --base-url http://127.0.0.1:8787/v1 --key sk-or-v1-… --model a/b
//
// Prints `ok <check>` a line and ends with 1 at the first check that fails, saying what was
// wrong. `--tool-model` is one that calls `get_weather` with a city and, given the result,
// answers with text; `--slow-model` one whose stream goes on for a second at least.
// `--module` names the client's folder where it is not installed beside this file.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const text = { type: "string" };
const { values: args } = parseArgs({
  options: {
    "base-url": text,
    key: text,
    model: text,
    "tool-model": text,
    "slow-model": text,
    module: text,
  },
});
for (const name of ["base-url", "key", "model"]) {
  if (!args[name]) {
    console.error(`--${name} is missing`);
    process.exit(2);
  }
}
const toolModel = args["tool-model"] ?? args.model;
const slowModel = args["slow-model"] ?? args.model;

// Imports are looked up from this file, not from the working directory: `--module` is where
// `npm install openai` was run.
const from = args.module ? createRequire(pathToFileURL(`${args.module}/package.json`)) : null;
const { default: OpenAI } = from ? from("openai") : await import("openai");

const QUESTION = [{ role: "user", content: "Say something short." }];
const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city.",
    parameters: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
    },
  },
};

// No retries: a check must see the first answer.
const options = { baseURL: args["base-url"], apiKey: args.key, maxRetries: 0, timeout: 30_000 };
const client = new OpenAI(options);

function expect(holds, message) {
  if (!holds) throw new Error(message);
}

function checkUsage(usage) {
  expect(usage, "the reply has no usage");
  const total = usage.prompt_tokens + usage.completion_tokens;
  expect(usage.total_tokens === total, `total_tokens is not the sum: ${JSON.stringify(usage)}`);
  expect(typeof usage.cost === "number" && usage.cost >= 0, `usage.cost is ${usage.cost}`);
}

function checkReply(reply) {
  expect(reply.id.startsWith("gen-"), `the id does not begin with gen-: ${reply.id}`);
  const [choice] = reply.choices;
  expect(choice.message.content, "the reply has no text");
  expect(choice.finish_reason === "stop", `finish_reason is ${choice.finish_reason}`);
  checkUsage(reply.usage);
}

/** Puts a stream's chunks together. */
async function collect(chunks, finishExpected) {
  const collected = { text: "", calls: [], finish: null, usage: null, ids: new Set() };
  let last = null;
  for await (const chunk of chunks) {
    last = chunk;
    collected.ids.add(chunk.id);
    collected.usage = chunk.usage ?? collected.usage;
    for (const choice of chunk.choices) {
      collected.text += choice.delta.content ?? "";
      collected.finish = choice.finish_reason ?? collected.finish;
      for (const part of choice.delta.tool_calls ?? []) {
        const call = (collected.calls[part.index] ??= { id: "", name: "", arguments: "" });
        call.id = part.id ?? call.id;
        call.name += part.function?.name ?? "";
        call.arguments += part.function?.arguments ?? "";
      }
    }
  }
  expect(collected.ids.size === 1, `one stream, more than one id: ${[...collected.ids]}`);
  expect(collected.finish === finishExpected, `finish_reason is ${collected.finish}`);
  expect(last.usage, "the last chunk has no usage");
  checkUsage(collected.usage);
  return collected;
}

function checkCall(name, argumentsText, finish) {
  expect(name === "get_weather", `the tool called is ${name}`);
  expect("city" in JSON.parse(argumentsText), `the tool's arguments are ${argumentsText}`);
  expect(finish === "tool_calls", `finish_reason is ${finish}, not tool_calls`);
}

async function chat() {
  checkReply(await client.chat.completions.create({ model: args.model, messages: QUESTION }));
}

async function generationId() {
  const ask = client.chat.completions.create({ model: args.model, messages: QUESTION });
  const { data, response } = await ask.withResponse();
  const named = response.headers.get("x-generation-id");
  expect(named === data.id, `X-Generation-Id is ${named}, the reply's id ${data.id}`);
}

async function stream() {
  const ask = { model: args.model, messages: QUESTION, stream: true };
  const collected = await collect(await client.chat.completions.create(ask), "stop");
  expect(collected.text, "the stream has no text");
}

/** The client's own helper puts the stream together: it is stricter than a loop. */
async function streamHelper() {
  const runner = client.chat.completions.stream({ model: args.model, messages: QUESTION });
  const reply = await runner.finalChatCompletion();
  expect(reply.choices[0].message.content, "the stream has no text");
}

async function tools() {
  const messages = [{ role: "user", content: "What is the weather in Zürich?" }];
  const ask = { model: toolModel, tools: [WEATHER], messages };
  const [choice] = (await client.chat.completions.create(ask)).choices;
  const call = choice.message.tool_calls?.[0];
  expect(call, "the model called no tool");
  checkCall(call.function.name, call.function.arguments, choice.finish_reason);
  messages.push(choice.message);
  messages.push({ role: "tool", tool_call_id: call.id, content: "sunny, 21 °C" });
  checkReply(await client.chat.completions.create(ask));
}

async function toolsStream() {
  const messages = [{ role: "user", content: "What is the weather in Zürich?" }];
  const ask = { model: toolModel, tools: [WEATHER], messages, stream: true };
  const collected = await collect(await client.chat.completions.create(ask), "tool_calls");
  const [call] = collected.calls;
  expect(call, "the stream called no tool");
  checkCall(call.name, call.arguments, collected.finish);
}

async function abort() {
  const ask = { model: slowModel, messages: QUESTION, stream: true };
  const chunks = await client.chat.completions.create(ask);
  let seen = 0;
  for await (const _ of chunks) {
    seen += 1;
    break;
  }
  chunks.controller.abort();
  expect(seen === 1, "the stream ended before it began");
  // The gateway and the client's pool must be none the worse for it.
  await chat();
}

async function fails(who, kind, status, changes) {
  try {
    await who.chat.completions.create({ model: args.model, messages: QUESTION, ...changes });
  } catch (error) {
    expect(error instanceof kind, `${error.constructor.name} instead of ${kind.name}: ${error}`);
    expect(error.status === status, `the status is ${error.status}, not ${status}`);
    expect(error.error?.message, `the error has no message: ${JSON.stringify(error.error)}`);
    expect(error.error.code === status, `error.code is ${error.error.code}, not ${status}`);
    return error.error.message;
  }
  throw new Error(`it was answered instead of refused with ${status}`);
}

async function unknownModel() {
  const model = "nobody/no-such-model";
  const message = await fails(client, OpenAI.BadRequestError, 400, { model });
  expect(message.includes(model), `the message does not name the model: ${message}`);
}

async function wrongKey() {
  const stranger = new OpenAI({ ...options, apiKey: `sk-or-v1-${"0".repeat(64)}` });
  await fails(stranger, OpenAI.AuthenticationError, 401, {});
}

async function models() {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  expect(ids.includes(args.model), `${args.model} is not among the models: ${ids}`);
}

const CHECKS = [
  chat,
  generationId,
  stream,
  streamHelper,
  tools,
  toolsStream,
  abort,
  unknownModel,
  wrongKey,
  models,
];

for (const check of CHECKS) {
  try {
    await check();
  } catch (error) {
    console.log(`failed ${check.name}: ${error.name}: ${error.message}`);
    process.exit(1);
  }
  console.log(`ok ${check.name}`);
}
