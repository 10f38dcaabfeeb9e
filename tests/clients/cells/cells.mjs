// What every Node client is asked, and what it must have understood; `cells.py` is the same for
// Python. A program calls `run` with what its client calls things: `say`, `loop`, `embed`, `leave`,
// and `status`, which is the status of a refusal or undefined where the error is of another class.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const HELLO = "Say hello.";
export const WEATHER = "What is the weather in Paris?";
export const SYSTEM = "Answer briefly.";
export const CITY = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const REPORT = {
  type: "object",
  properties: { city: { type: "string" }, celsius: { type: "integer" } },
  required: ["city", "celsius"],
  additionalProperties: false,
};
const DESCRIPTION = "The weather in a city.";
export const TOOL = {
  type: "function",
  function: { name: "get_weather", description: DESCRIPTION, parameters: CITY },
};

const from = createRequire(pathToFileURL(`${process.env.PATCHBAY_NODE_MODULES}/../package.json`));

/** Imports a module from where the clients are installed, which is not beside these programs. */
export async function load(name) {
  // Some packages are ES modules only, and are named by folder then.
  try {
    return await import(pathToFileURL(from.resolve(name)));
  } catch (error) {
    if (error.code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw error;
    const folder = `${process.env.PATCHBAY_NODE_MODULES}/${name}`;
    const { exports, main } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const root = exports?.["."]?.import ?? exports?.["."] ?? main;
    const path = typeof root === "string" ? root : root.default;
    return await import(pathToFileURL(`${folder}/${path}`));
  }
}

function same(found, wanted, what) {
  const [is, should] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (is !== should) throw new Error(`${what} is ${is}, not ${should}`);
}

/** The question as chat completions take it; `camel` is for clients that rename fields. */
export function chatContent(ask, camel = false) {
  const text = { type: "text", text: ask.prompt };
  if (ask.image) {
    const url = { url: `data:image/png;base64,${ask.image}` };
    return [text, { type: "image_url", [camel ? "imageUrl" : "image_url"]: url }];
  }
  if (ask.pdf) {
    const data = `data:application/pdf;base64,${ask.pdf}`;
    return [text, { type: "file", file: { filename: "hello.pdf", [camel ? "fileData" : "file_data"]: data } }];
  }
  return ask.prompt;
}

async function tools(client, ask) {
  const wanted = ask.expected.tools;
  const loop = await client.loop(ask);
  same(loop.calls, [[wanted.name, wanted.arguments]], "the calls");
  same(loop.text, wanted.text, "the text at last");
  return loop;
}

async function text(client, ask) {
  same(await client.say(ask), ask.expected[ask.feature].text, "the text");
}

const FEATURES = {
  chat: text,
  image: text,
  file: text,
  tools,
  structured: async (client, ask) =>
    same(JSON.parse(await client.say(ask)), ask.expected.structured.json, "the object"),
  reasoning: async (client, ask) =>
    same((await tools(client, ask)).thought, ask.expected.reasoning.thought, "the thought"),
  embeddings: async (client, ask) =>
    same(await client.embed(ask, "Hello"), ask.expected.embeddings.vector, "the vector"),
  abort: (client, ask) => client.leave(ask),
  error: async (client, ask) => {
    let said;
    try {
      said = await client.say(ask);
    } catch (error) {
      const status = client.status(error);
      if (status === undefined) throw error;
      return same(status, ask.expected.error.status, "the status");
    }
    throw new Error(`it was answered with ${said} instead of refused`);
  },
};

function asked(plan, cell) {
  const ask = { ...plan, ...cell };
  if (cell.feature === "image") ask.image = plan.expected.image.base64;
  if (cell.feature === "file") ask.pdf = plan.expected.file.base64;
  ask.prompt = ask.image || ask.pdf ? "What do you see?" : HELLO;
  ask.structured = cell.feature === "structured";
  ask.thinks = cell.feature === "reasoning";
  ask.result = plan.expected.tools?.result;
  return ask;
}

export async function run(client) {
  const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
  for (const cell of plan.cells) {
    const { upstream, feature, streamed } = cell;
    let outcome = { result: "ok" };
    try {
      await FEATURES[feature](client, asked(plan, cell));
    } catch (error) {
      console.error(error);
      const why = `${error.name}: ${error.message}`.replace(/\s+/g, " ").slice(0, 600);
      outcome = { result: "failed", why };
    }
    console.log(JSON.stringify({ upstream, feature, streamed, ...outcome }));
  }
  // Connections that are kept open would keep the program alive.
  process.exit(0);
}
