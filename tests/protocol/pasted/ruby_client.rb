require "anthropic"

anthropic = Anthropic::Client.new(api_key: ENV["KEY"])
message = anthropic.messages.create(
  model: :"m-1",
  max_tokens: 8,
  messages: [{ role: "user", content: "it's a \"test\" & more" }]
)
puts(message.content)
