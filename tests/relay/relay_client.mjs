// The official TypeScript client against the relay. Prints one JSON object of what it saw.
// Usage: node relay_client.mjs BASE_URL ACCESS_KEY, in a folder where @anthropic-ai/sdk is installed.
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

const sdk = createRequire(`${process.cwd()}/`).resolve("@anthropic-ai/sdk")
const { default: Anthropic, NotFoundError, RateLimitError } = await import(pathToFileURL(sdk))

const [baseURL, apiKey] = process.argv.slice(2)
const client = new Anthropic({ baseURL, apiKey, maxRetries: 0 })
const ask = { max_tokens: 300, messages: [{ role: "user", content: "Explain server-sent events, with a table." }] }
const tool = {
  name: "get_weather",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
}
const errorOf = (promise) => promise.then(() => null, (error) => error)

const created = await client.messages.create({ model: "sandbox-stories", ...ask })
const types = []
for await (const event of await client.messages.create({ model: "sandbox-stories", ...ask, stream: true })) types.push(event.type)
const streamed = await client.messages.stream({ model: "sandbox-stories", ...ask }).finalMessage()
const called = await client.messages
  .stream({ model: "sandbox-tools", ...ask, tools: [tool], tool_choice: { type: "any" } })
  .finalMessage()
const counted = await client.messages.countTokens({ model: "sandbox-stories", messages: ask.messages })
const models = []
for await (const model of client.models.list()) models.push(model.id)
const unknown = await errorOf(client.messages.create({ model: "no-such-model", ...ask }))
const limited = await errorOf(client.messages.create({ model: "sandbox-error-429", ...ask }))
const broken = await errorOf(client.messages.stream({ model: "sandbox-truncated", ...ask }).finalMessage())

console.log(
  JSON.stringify({
    created: created.content[0].text.length > 0,
    types,
    streamed: streamed.content[0].text === created.content[0].text,
    tool: called.content.find((block) => block.type === "tool_use")?.name,
    counted: counted.input_tokens,
    models,
    unknown: unknown instanceof NotFoundError,
    limited: limited instanceof RateLimitError,
    broken: broken?.message ?? null,
  }),
)
