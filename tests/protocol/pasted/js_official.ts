import Anthropic, { type ClientOptions } from "@anthropic-ai/sdk";
import type { MessageParam } from "@anthropic-ai/sdk/resources";

const client = new Anthropic({ apiKey: process.env["KEY"], baseURL: "https://api.example.test" });

interface Options { model: string; limit?: number }

async function ask<T extends Options>(question: string): Promise<void> {
  const messages: Array<MessageParam> = [{ role: "user" as const, content: question }];
  const params: Anthropic.MessageCreateParamsNonStreaming = { model: MODEL, max_tokens: 2 * 4, messages } satisfies object;
  params.messages = [{ role: 'user', content: `it's a "test" & ${"more"}`.trim() }];
  const message = await client.messages.create(params, { timeout: 5000 });
  console.log(message!.content[0]!);
}

const MODEL = "m-1";
ask("hi").catch(console.error);
