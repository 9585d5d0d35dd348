class Chat:
    def __init__(self, model="m-1"):
        self.client = anthropic.Anthropic()
        self.model = model
        self.messages = []

    def send(self, text):
        self.messages.append({"role": "user", "content": text})
        reply = self.client.messages.create(model=self.model, max_tokens=8, messages=self.messages)
        self.messages.append({"role": "assistant", "content": reply.content})
        return reply

chat = Chat()
chat.send('it\'s a "test" & more')
