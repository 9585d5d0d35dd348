import aiohttp
async def main():
    async with aiohttp.ClientSession() as session:
        async with session.post("https://api.example.test/v1/messages", json={"model": "m-1", "max_tokens": 8,
            "messages": [{"role": "user", "content": "it's a \"test\" & more"}]}) as resp:
            print(await resp.json())
