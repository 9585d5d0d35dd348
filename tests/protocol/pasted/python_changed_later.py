from anthropic import Anthropic
from anthropic.types import MessageParam
QUOTED = '"test"'
params: dict = {"model": "old", "max_tokens": 1}
history: list[MessageParam] = []
params["model"] = "m-1"
params.update(max_tokens=8)
params |= {"messages": history}
history.append(MessageParam(role="user", content="x"))
history[0]["content"] = "it's" + f' a {QUOTED} & more'
Anthropic().messages.create(**params)
params["model"] = "later"
