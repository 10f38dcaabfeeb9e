"""What every Python client is asked, and what it must have understood.

A program subclasses `Cells` with what its client calls things, and ends on `run(ItsCells)`. Its one
argument is a plan (`tests/conformance/clients.rs` writes it); it prints a line of JSON for each cell
of the plan and goes on after one that failed.
"""

import json
import re
import sys
import traceback

HELLO = "Say hello."
WEATHER = "What is the weather in Paris?"
LOOK = "What do you see?"
SYSTEM = "Answer briefly."
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
REPORT = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "celsius": {"type": "integer"}},
    "required": ["city", "celsius"],
    "additionalProperties": False,
}
# In the form that OpenAI gave it and most others took.
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "The weather in a city.", "parameters": CITY},
}
FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "report", "strict": True, "schema": REPORT},
}


class Failed(Exception):
    """Something else came than should have."""


def same(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what} is {found!r}, not {wanted!r}")


class Ask:
    """One cell: what to ask, of which model, and what must come."""

    def __init__(self, plan, cell):
        self.expected = plan["expected"]
        self.url = plan["url"]
        self.key = plan["key"]
        self.model = cell["model"]
        self.feature = cell["feature"]
        self.streamed = cell["streamed"]

    @property
    def thinks(self):
        return self.feature == "reasoning"

    @property
    def image(self):
        return self.expected["image"]["base64"] if self.feature == "image" else None

    @property
    def image_url(self):
        return f"data:image/png;base64,{self.image}"

    @property
    def pdf(self):
        return self.expected["file"]["base64"] if self.feature == "file" else None

    @property
    def pdf_url(self):
        return f"data:application/pdf;base64,{self.pdf}"

    @property
    def prompt(self):
        return LOOK if self.image or self.pdf else HELLO

    @property
    def is_structured(self):
        return self.feature == "structured"

    @property
    def result(self):
        return self.expected["tools"]["result"]

    def chat_content(self):
        """The question as chat completions take it."""
        text = {"type": "text", "text": self.prompt}
        if self.image:
            return [text, {"type": "image_url", "image_url": {"url": self.image_url}}]
        if self.pdf:
            file = {"filename": "hello.pdf", "file_data": self.pdf_url}
            return [text, {"type": "file", "file": file}]
        return self.prompt


class Loop:
    """A conversation with a tool: what was called, what was thought, what was said at last."""

    def __init__(self):
        self.calls = []
        self.thought = ""
        self.text = ""

    def call(self, name, arguments):
        self.calls.append((name, json.loads(arguments) if isinstance(arguments, str) else arguments))


class Cells:
    """What a client's program says about its client."""

    #: The exception that stands for a rate limit.
    limited = None

    def __init__(self, ask):
        """Makes the client. It must not try again: a cell sees the first answer."""
        raise NotImplementedError

    def say(self, ask):
        """Asks `ask.prompt`; returns the text."""
        raise NotImplementedError

    def loop(self, ask):
        """Asks for the weather, gives the tool's result, returns the `Loop`."""
        raise NotImplementedError

    def embed(self, ask, text):
        """Returns the text's vector."""
        raise NotImplementedError

    def leave(self, ask):
        """Begins to read a stream and leaves it."""
        raise NotImplementedError

    def status(self, error):
        """The status that a refusal came with."""
        return error.status_code

    def chat(self, ask):
        same(self.say(ask), ask.expected[ask.feature]["text"], "the text")

    image = file = chat

    def structured(self, ask):
        same(json.loads(self.say(ask)), ask.expected["structured"]["json"], "the object")

    def tools(self, ask):
        loop = self.loop(ask)
        wanted = ask.expected["tools"]
        same(loop.calls, [(wanted["name"], wanted["arguments"])], "the calls")
        same(loop.text, wanted["text"], "the text at last")
        return loop

    def reasoning(self, ask):
        same(self.tools(ask).thought, ask.expected["reasoning"]["thought"], "the thought")

    def embeddings(self, ask):
        same(list(self.embed(ask, "Hello")), ask.expected["embeddings"]["vector"], "the vector")

    def error(self, ask):
        try:
            said = self.say(ask)
        except self.limited as error:
            same(self.status(error), ask.expected["error"]["status"], "the status")
            return
        raise Failed(f"it was answered with {said!r} instead of refused")

    def abort(self, ask):
        self.leave(ask)


def run(cells):
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    for cell in plan["cells"]:
        ask = Ask({**plan, **cell}, cell)
        line = {name: cell[name] for name in ("upstream", "feature", "streamed")}
        try:
            getattr(cells(ask), ask.feature)(ask)
            line["result"] = "ok"
        except Exception as error:  # Whatever it raises is the cell's failure, not this program's.
            traceback.print_exc()
            why = re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")
            line |= {"result": "failed", "why": why[:600]}
        print(json.dumps(line), flush=True)
