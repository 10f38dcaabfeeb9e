"""AWS's client (`boto3`), Bedrock's Converse, with an API key instead of signatures.

Over HTTPS the client sends the key of `AWS_BEARER_TOKEN_BEDROCK`; over plain HTTP it refuses to, so
here a hook sends the same header.
"""

import base64
import json

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError
from cells import CITY, HELLO, REPORT, SYSTEM, WEATHER, Cells, Loop, run

TOOL = {
    "toolSpec": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "inputSchema": {"json": CITY},
    }
}


class Converse(Cells):
    limited = ClientError

    def __init__(self, ask):
        config = Config(
            signature_version=botocore.UNSIGNED,
            retries={"total_max_attempts": 1},
            read_timeout=30,
        )
        self.client = boto3.client(
            "bedrock-runtime", endpoint_url=ask.url, region_name="us-east-1", config=config
        )

        def show_key(request, **_):
            request.headers["Authorization"] = f"Bearer {ask.key}"

        self.client.meta.events.register("before-send.bedrock-runtime.*", show_key)

    def status(self, error):
        return error.response["ResponseMetadata"]["HTTPStatusCode"]

    def say(self, ask):
        content = [{"text": ask.prompt}]
        if ask.image:
            source = {"bytes": base64.b64decode(ask.image)}
            content.append({"image": {"format": "png", "source": source}})
        if ask.pdf:
            source = {"bytes": base64.b64decode(ask.pdf)}
            content.append({"document": {"format": "pdf", "name": "hello", "source": source}})
        body = {
            "modelId": ask.model,
            "system": [{"text": SYSTEM}],
            "messages": [{"role": "user", "content": content}],
        }
        if ask.is_structured:
            schema = {"name": "report", "schema": json.dumps(REPORT)}
            form = {"type": "json_schema", "structure": {"jsonSchema": schema}}
            body["outputConfig"] = {"textFormat": form}
        return text_of(self.turn(body, ask.streamed))

    def loop(self, ask):
        loop = Loop()
        messages = [{"role": "user", "content": [{"text": WEATHER}]}]
        body = {"modelId": ask.model, "messages": messages, "toolConfig": {"tools": [TOOL]}}
        if ask.thinks:
            thinking = {"type": "enabled", "budget_tokens": 1024}
            body["additionalModelRequestFields"] = {"thinking": thinking}
            body["inferenceConfig"] = {"maxTokens": 4000}
        said = self.turn(body, ask.streamed)
        results = []
        for block in said:
            if "reasoningContent" in block:
                thought = block["reasoningContent"].get("reasoningText", {})
                loop.thought += thought.get("text", "")
            if "toolUse" in block:
                loop.call(block["toolUse"]["name"], block["toolUse"]["input"])
                result = {"content": [{"text": ask.result}]}
                result["toolUseId"] = block["toolUse"]["toolUseId"]
                results.append({"toolResult": result})
        messages.append({"role": "assistant", "content": said})
        messages.append({"role": "user", "content": results})
        loop.text = text_of(self.turn(body, ask.streamed))
        return loop

    def turn(self, body, streamed):
        """The reply's blocks."""
        if not streamed:
            return self.client.converse(**body)["output"]["message"]["content"]
        return blocks(self.client.converse_stream(**body)["stream"])

    def leave(self, ask):
        messages = [{"role": "user", "content": [{"text": HELLO}]}]
        stream = self.client.converse_stream(modelId=ask.model, messages=messages)["stream"]
        next(iter(stream))
        stream.close()


def blocks(stream):
    """Puts a stream's blocks together; the client leaves that to its user."""
    found, arguments = {}, {}
    for event in stream:
        if "contentBlockStart" in event:
            start = event["contentBlockStart"]
            found[start["contentBlockIndex"]] = {"toolUse": dict(start["start"]["toolUse"])}
            arguments[start["contentBlockIndex"]] = ""
        if "contentBlockDelta" not in event:
            continue
        at = event["contentBlockDelta"]["contentBlockIndex"]
        delta = event["contentBlockDelta"]["delta"]
        if "text" in delta:
            block = found.setdefault(at, {"text": ""})
            block["text"] += delta["text"]
        if "toolUse" in delta:
            arguments[at] += delta["toolUse"]["input"]
        if "redactedContent" in delta.get("reasoningContent", {}):
            found[at] = {"reasoningContent": delta["reasoningContent"]}
        elif "reasoningContent" in delta:
            empty = {"reasoningContent": {"reasoningText": {"text": ""}}}
            thought = found.setdefault(at, empty)["reasoningContent"]["reasoningText"]
            thought["text"] += delta["reasoningContent"].get("text", "")
            if "signature" in delta["reasoningContent"]:
                thought["signature"] = delta["reasoningContent"]["signature"]
    for at, text in arguments.items():
        found[at]["toolUse"]["input"] = json.loads(text or "{}")
    return [found[at] for at in sorted(found)]


def text_of(content):
    return "".join(block.get("text", "") for block in content)


if __name__ == "__main__":
    run(Converse)
