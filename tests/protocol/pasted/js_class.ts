export class Chat {
  private readonly client = new Anthropic();
  constructor(private model = "m-1") {}
  async ask(content: string): Promise<string> {
    const response = await this.client.messages.create({ model: "m-1", max_tokens: 8, messages: [{ role: "user", content: 'it\'s a "test" & more' }] });
    return response.content.map((b) => b.text).join("");
  }
}
