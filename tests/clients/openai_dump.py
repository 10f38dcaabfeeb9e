"""What the official `openai` Python client makes of a reply, as JSON: one line for each model.

    python openai_dump.py --base-url http://127.0.0.1:8787/v1 --key sk-or-v1-… [--stream] a/b c/d

Without `--stream` a line is the reply; with it, the list of the chunks. It checks nothing: whoever
runs it knows what the models say.
"""

import argparse
import json

import openai


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", required=True, help="with its /v1")
    parser.add_argument("--key", required=True)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    # No retries: the first answer is the one that counts.
    options = {"base_url": args.base_url, "api_key": args.key, "max_retries": 0, "timeout": 30}
    messages = [{"role": "user", "content": "Say what you said then."}]
    with openai.OpenAI(**options) as client:
        for model in args.models:
            reply = client.chat.completions.create(
                model=model, messages=messages, stream=args.stream
            )
            parts = list(reply) if args.stream else [reply]
            told = [part.model_dump(exclude_unset=True) for part in parts]
            print(json.dumps(told if args.stream else told[0]), flush=True)


if __name__ == "__main__":
    main()
