const Anthropic = require('@anthropic-ai/sdk');
const anthropic = new Anthropic();
let model = 'old';
model = "m-1";
const base = { model, max_tokens: 1 };
base.max_tokens = 8;
const messages = [];
messages.push({ role: 'user', content: 'it\'s a "test" & more' });
const params = { ...base, messages, };
Object.assign(params, { stream: undefined });
(async () => {
  const msg = await anthropic.messages.create(params);
  messages.push({ role: 'assistant', content: msg.content });
})();
