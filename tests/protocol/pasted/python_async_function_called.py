import asyncio
from anthropic import AsyncAnthropic

MODEL = "m-1"

async def ask(client: AsyncAnthropic, question: str, *, limit: int = 2 * 4) -> str:
    message = await client.messages.create(model=MODEL, max_tokens=limit, messages=[{"role": "user", "content": question}])
    return message.content[0].text

async def main() -> None:
    async with AsyncAnthropic() as client:
        print(await ask(client, 'it\'s a "test"' + " & more"))

if __name__ == "__main__":
    asyncio.run(main())
