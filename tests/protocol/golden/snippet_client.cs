using System.Text.Json;
using Anthropic;
using Anthropic.Models.Messages;

AnthropicClient client = new()
{
    ApiKey = Environment.GetEnvironmentVariable("ANTHROPIC_API_KEY"),
    BaseUrl = "https://api.anthropic.com",
    Timeout = TimeSpan.FromMinutes(10),
};
var body = """
{
  "model": "claude-sonnet-5-5",
  "max_tokens": 1024,
  "system": "quotes \" ' ` \"\"\" ''' \\\" \\' \\` ends \\\\\nnew\r\nlines\ttabs $HOME ${HOME} $(id) `id` #{1+1} #$0 %s\n %d {{name}} JSON\nJSON;\nEOF\n*/ // -- <?php ?> </script> \\n \\u0041 \\x41 \\$ \\{ @file !history \u0000\u0001\u001b\u007f\u0085 \u2028\u2029 \u202eabc \ufeff é 漢字 🦊 👩‍🚀 \udb40\udc41 \\u{1F98A} ~^&|<>;*?[]",
  "messages": [
    {
      "role": "user",
      "content": "quotes \" ' ` \"\"\" ''' \\\" \\' \\` ends \\\\\nnew\r\nlines\ttabs $HOME ${HOME} $(id) `id` #{1+1} #$0 %s\n %d {{name}} JSON\nJSON;\nEOF\n*/ // -- <?php ?> </script> \\n \\u0041 \\x41 \\$ \\{ @file !history \u0000\u0001\u001b\u007f\u0085 \u2028\u2029 \u202eabc \ufeff é 漢字 🦊 👩‍🚀 \udb40\udc41 \\u{1F98A} ~^&|<>;*?[]"
    },
    {
      "role": "assistant",
      "content": [
        {
          "type": "tool_use",
          "id": "t",
          "name": "f",
          "input": {}
        }
      ]
    },
    {
      "role": "user",
      "content": [
        {
          "type": "image",
          "source": {
            "type": "base64",
            "media_type": "image/png",
            "data": "BASE64-OF-1-image-1.png"
          }
        },
        {
          "type": "text",
          "text": "",
          "cache_control": null
        }
      ]
    }
  ],
  "tools": [
    {
      "name": "f",
      "input_schema": {
        "type": "object",
        "properties": {
          "quotes \" ' ` \"\"\" ''' \\\" \\' \\` ends \\\\\nnew\r\nlines\ttabs $HOME ${HOME} $(id) `id` #{1+1} #$0 %s\n %d {{name}} JSON\nJSON;\nEOF\n*/ // -- <?php ?> </script> \\n \\u0041 \\x41 \\$ \\{ @file !history \u0000\u0001\u001b\u007f\u0085 \u2028\u2029 \u202eabc \ufeff é 漢字 🦊 👩‍🚀 \udb40\udc41 \\u{1F98A} ~^&|<>;*?[]": {
            "enum": [
              true,
              false,
              null,
              -1,
              []
            ]
          }
        }
      }
    }
  ],
  "temperature": 0.5,
  "unknown member": {
    "a b": [],
    "class": {},
    "__proto__": {
      "x": 1
    }
  },
  "stream": true
}
""";
body = body.Replace("BASE64-OF-1-image-1.png", Convert.ToBase64String(File.ReadAllBytes("image-1.png")));
var parameters = MessageCreateParams.FromRawUnchecked(
    new Dictionary<string, JsonElement>
    {
        ["anthropic-beta"] = JsonSerializer.SerializeToElement("b-1"),
        ["x-gateway-key"] = JsonSerializer.SerializeToElement(Environment.GetEnvironmentVariable("X_GATEWAY_KEY")),
        ["x-team"] = JsonSerializer.SerializeToElement("a \"b\" \\"),
    },
    new Dictionary<string, JsonElement>(),
    JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(body)!
);
await foreach (var streamed in client.Messages.CreateStreaming(parameters))
{
    if (streamed.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickText(out var text))
    {
        Console.Write(text.Text);
    }
}
