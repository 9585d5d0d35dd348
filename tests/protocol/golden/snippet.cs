using System.Text;

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

using var request = new HttpRequestMessage(HttpMethod.Post, "https://api.anthropic.com/v1/messages");
request.Headers.TryAddWithoutValidation("x-api-key", Environment.GetEnvironmentVariable("ANTHROPIC_API_KEY"));
request.Headers.TryAddWithoutValidation("anthropic-version", "2023-06-01");
request.Headers.TryAddWithoutValidation("anthropic-beta", "b-1");
request.Headers.TryAddWithoutValidation("x-gateway-key", Environment.GetEnvironmentVariable("X_GATEWAY_KEY"));
request.Headers.TryAddWithoutValidation("x-team", "a \"b\" \\");
request.Content = new StringContent(body, Encoding.UTF8, "application/json");

using var client = new HttpClient { Timeout = TimeSpan.FromMinutes(10) };
using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
while (await reader.ReadLineAsync() is { } line)
{
    if (line.StartsWith("data:")) Console.WriteLine(line[5..].Trim());
}
