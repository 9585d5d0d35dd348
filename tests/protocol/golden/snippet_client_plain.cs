using Anthropic;
using Anthropic.Models.Messages;

AnthropicClient client = new()
{
    ApiKey = null,
    AuthToken = Environment.GetEnvironmentVariable("PLAYGROUND_KEY"),
    BaseUrl = "http://a.example",
    Timeout = TimeSpan.FromMinutes(10),
};
MessageCreateParams parameters = new()
{
    Model = "m",
    MaxTokens = 8,
    Messages =
    [
        new() { Role = Role.User, Content = "Say \"Hi\"" },
        new() { Role = Role.Assistant, Content = "Hi" },
    ],
    System = "Brief.",
    Temperature = 0.5,
    StopSequences = ["END"],
};
var message = await client.Messages.Create(parameters);
Console.WriteLine(message);
