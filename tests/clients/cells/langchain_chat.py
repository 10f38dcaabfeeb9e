"""`langchain-openai`: `ChatOpenAI` and `OpenAIEmbeddings`."""

import openai
from cells import FORMAT, HELLO, SYSTEM, TOOL, WEATHER, Cells, Loop, run
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings


class Langchain(Cells):
    limited = openai.RateLimitError

    def __init__(self, ask):
        self.options = {"base_url": f"{ask.url}/v1", "api_key": ask.key, "max_retries": 0}
        self.options |= {"model": ask.model, "timeout": 30}

    def say(self, ask):
        model = ChatOpenAI(**self.options)
        if ask.is_structured:
            model = model.bind(response_format=FORMAT)
        messages = [SystemMessage(SYSTEM), HumanMessage(ask.chat_content())]
        return self.turn(model, messages, ask.streamed).content

    def loop(self, ask):
        loop = Loop()
        model = ChatOpenAI(**self.options).bind_tools([TOOL])
        messages = [HumanMessage(WEATHER)]
        said = self.turn(model, messages, ask.streamed)
        messages.append(said)
        for call in said.tool_calls:
            loop.call(call["name"], call["args"])
            messages.append(ToolMessage(ask.result, tool_call_id=call["id"]))
        loop.text = self.turn(model, messages, ask.streamed).content
        return loop

    def turn(self, model, messages, streamed):
        if not streamed:
            return model.invoke(messages)
        whole = None
        for chunk in model.stream(messages):
            whole = chunk if whole is None else whole + chunk
        return whole

    def embed(self, ask, text):
        # With the check it would count tokens first, by a table that it downloads.
        return OpenAIEmbeddings(check_embedding_ctx_length=False, **self.options).embed_query(text)

    def leave(self, ask):
        stream = ChatOpenAI(**self.options).stream(HELLO)
        next(stream)
        stream.close()


if __name__ == "__main__":
    run(Langchain)
